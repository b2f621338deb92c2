//! What goes into a node, what comes out, and how it is configured.

use bytes::Bytes;
use playground_protocol::{ClientInput, ClientOutput, ConnectionId, LogLine};
use uuid::Uuid;

/// The name of the controller's listener (`controller.listener.names`).
pub const CONTROLLER_LISTENER: &str = "CONTROLLER";

/// A port that a node listens on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Its name: `PLAINTEXT`, `CONTROLLER`.
    pub name: String,
    /// The port it listens on.
    pub port: u16,
    /// The host that clients are told.
    pub advertised_host: String,
    /// The port that clients are told.
    pub advertised_port: u16,
}

/// How a node is set up: what `server.properties` says of a real one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeConfig {
    /// `node.id`.
    pub node_id: i32,
    /// The cluster's id, as `kafka-storage format` writes it on an empty disk; a formatted one keeps its own.
    pub cluster_id: Uuid,
    /// The listeners; the one named `CONTROLLER` is the controller's.
    pub listeners: Vec<Listener>,
    /// `controller.quorum.voters`: (node id, host, port of its `CONTROLLER` listener). A node that
    /// is not among them has no vote, and copies the metadata only.
    pub controller_voters: Vec<(i32, String, u16)>,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// `log.dirs`: one directory.
    pub log_dir: String,
    /// Further properties, in the order in which they were given; the last one of a name counts.
    pub overrides: Vec<(String, String)>,
}

impl NodeConfig {
    /// The value of an overridden property; the last one given counts.
    pub fn property(&self, name: &str) -> Option<&str> {
        self.overrides
            .iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    /// The listeners of the broker role; the first is the inter-broker one.
    pub fn broker_listeners(&self) -> impl Iterator<Item = &Listener> {
        self.listeners
            .iter()
            .filter(|listener| listener.name != CONTROLLER_LISTENER)
    }
}

/// An input of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeInput {
    /// A client connected to a listener.
    Accepted {
        /// The host's id of the connection.
        connection: ConnectionId,
        /// The listener's name.
        listener: String,
        /// The peer's address: `127.0.0.1`.
        peer: String,
    },
    /// A whole frame of an accepted connection, without its size.
    Frame(ConnectionId, Bytes),
    /// An accepted connection is gone.
    Disconnected(ConnectionId),
    /// News of a connection that the node opened.
    Client(ClientInput),
    /// The deadline has come.
    Tick,
}

/// An output of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NodeOutput {
    /// A frame for an accepted connection.
    Send(ConnectionId, Bytes),
    /// Close an accepted connection.
    Close(ConnectionId),
    /// What the node asks for as a client of other nodes.
    Client(ClientOutput),
    /// A line of the node's log.
    Log(LogLine),
    /// The node has shut down.
    Stopped,
}
