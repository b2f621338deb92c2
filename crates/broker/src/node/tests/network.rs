//! The network of these tests: frames arrive at once, in order; time moves from deadline to deadline.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use playground_log::Disk;
use playground_protocol::messages::{ApiKey, RequestKind, ResponseKind};
use playground_protocol::{
    ClientInput, ClientOutput, ConnectionId, LogLine, RequestFrame, ResponseFrame, Time,
};
use uuid::Uuid;

use crate::node::{CONTROLLER_LISTENER, Listener, Node, NodeConfig, NodeInput, NodeOutput};

/// Where a frame of an accepted connection goes.
#[derive(Clone, Copy, Debug)]
enum Peer {
    Client(u64),
    Node(i32, ConnectionId),
}

/// One host with its node, if that runs.
pub struct Machine {
    pub disk: Disk,
    pub node: Option<Node>,
    pub config: NodeConfig,
    pub log: Vec<LogLine>,
}

/// All machines, and what is on the wires.
pub struct Network {
    pub now: Time,
    pub machines: BTreeMap<i32, Machine>,
    peers: BTreeMap<(i32, ConnectionId), Peer>,
    /// An outgoing connection of a node: to which node, under which id there.
    links: BTreeMap<(i32, ConnectionId), (i32, ConnectionId)>,
    last_connection: u64,
    events: VecDeque<(i32, NodeInput)>,
    received: BTreeMap<u64, VecDeque<Bytes>>,
    closed: Vec<u64>,
    /// Nothing gets from the first node to the second.
    cut: BTreeSet<(i32, i32)>,
}

/// A client's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    node: i32,
    connection: ConnectionId,
}

pub fn client_port(id: i32) -> u16 {
    9091 + id as u16
}

fn controller_port(id: i32) -> u16 {
    19091 + id as u16
}

impl Network {
    /// Nodes 1 to `count`, each broker and voter, running.
    pub fn start(count: i32, overrides: &[(&str, &str)]) -> Network {
        let voters: Vec<_> = (1..=count)
            .map(|id| (id, "localhost".to_owned(), controller_port(id)))
            .collect();
        let mut network = Network {
            now: Time::from_millis(1_700_000_000_000),
            machines: BTreeMap::new(),
            peers: BTreeMap::new(),
            links: BTreeMap::new(),
            last_connection: 0,
            events: VecDeque::new(),
            received: BTreeMap::new(),
            closed: Vec::new(),
            cut: BTreeSet::new(),
        };
        for id in 1..=count {
            let listener = |name: &str, port| Listener {
                name: name.to_owned(),
                port,
                advertised_host: "localhost".to_owned(),
                advertised_port: port,
            };
            let config = NodeConfig {
                node_id: id,
                cluster_id: Uuid::from_u128(77),
                listeners: vec![
                    listener("PLAINTEXT", client_port(id)),
                    listener(CONTROLLER_LISTENER, controller_port(id)),
                ],
                controller_voters: voters.clone(),
                rack: None,
                log_dir: "/data".to_owned(),
                overrides: std::iter::once((
                    "offsets.topic.replication.factor".to_owned(),
                    count.min(3).to_string(),
                ))
                .chain(
                    overrides
                        .iter()
                        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
                )
                .collect(),
            };
            let machine = Machine {
                disk: Disk::new(),
                node: None,
                config,
                log: Vec::new(),
            };
            network.machines.insert(id, machine);
        }
        for id in 1..=count {
            network.start_node(id);
        }
        network.run_until_running();
        network
    }

    pub fn start_node(&mut self, id: i32) {
        let now = self.now;
        let machine = self.machines.get_mut(&id).unwrap();
        let node = Node::start(
            machine.config.clone(),
            &mut machine.disk,
            5 + id as u64,
            now,
        );
        machine.node = Some(node);
        self.collect(id);
        self.settle();
    }

    /// Runs until all nodes that are there take requests.
    pub fn run_until_running(&mut self) {
        for _ in 0..10_000 {
            let ready = |machine: &Machine| machine.node.as_ref().is_none_or(Node::is_running);
            if self.machines.values().all(ready) {
                return;
            }
            self.advance();
        }
        panic!("the nodes do not come up: {:?}", self.machines[&1].log);
    }

    /// The process dies.
    pub fn kill(&mut self, id: i32) {
        self.machines.get_mut(&id).unwrap().node = None;
        let links: Vec<_> = self
            .links
            .iter()
            .filter(|((from, _), (to, _))| *from == id || *to == id)
            .map(|(from, to)| (*from, *to))
            .collect();
        for (from, to) in links {
            self.links.remove(&from);
            self.peers.remove(&to);
            if from.0 == id {
                self.events.push_back((to.0, NodeInput::Disconnected(to.1)));
            } else {
                let input = ClientInput::Disconnected(from.1);
                self.events.push_back((from.0, NodeInput::Client(input)));
            }
        }
        self.settle();
    }

    /// SIGTERM, until the process has ended.
    pub fn shut_down(&mut self, id: i32) {
        self.begin_shut_down(id);
        self.settle();
        self.run_until_stopped(id);
    }

    /// SIGTERM.
    pub fn begin_shut_down(&mut self, id: i32) {
        let now = self.now;
        let machine = self.machines.get_mut(&id).unwrap();
        machine
            .node
            .as_mut()
            .unwrap()
            .shutdown(&mut machine.disk, now);
        self.collect(id);
    }

    pub fn run_until_stopped(&mut self, id: i32) {
        self.settle();
        for _ in 0..1_000 {
            if self.machines[&id].node.is_none() {
                return;
            }
            self.advance();
        }
        panic!("node {id} does not stop");
    }

    /// Cuts the wires between two nodes: frames are lost, connections stay.
    pub fn cut(&mut self, one: i32, other: i32) {
        self.cut.extend([(one, other), (other, one)]);
    }

    /// Mends what was cut; the connections over it break.
    pub fn heal(&mut self) {
        let cut = std::mem::take(&mut self.cut);
        let broken: Vec<_> = self
            .links
            .iter()
            .filter(|((from, _), (to, _))| cut.contains(&(*from, *to)))
            .map(|(from, to)| (*from, *to))
            .collect();
        for (from, to) in broken {
            self.links.remove(&from);
            self.peers.remove(&to);
            self.events.push_back((to.0, NodeInput::Disconnected(to.1)));
            let input = ClientInput::Disconnected(from.1);
            self.events.push_back((from.0, NodeInput::Client(input)));
        }
        self.settle();
    }

    pub fn node(&self, id: i32) -> &Node {
        self.machines[&id].node.as_ref().unwrap()
    }

    /// Delivers all that is on the wires.
    pub fn settle(&mut self) {
        for _ in 0..100_000 {
            let Some((id, input)) = self.events.pop_front() else {
                return;
            };
            let now = self.now;
            let machine = self.machines.get_mut(&id).unwrap();
            if let Some(node) = machine.node.as_mut() {
                node.handle(input, &mut machine.disk, now);
                self.collect(id);
            }
        }
        panic!("the network does not come to rest");
    }

    /// Goes to the next deadline.
    pub fn advance(&mut self) {
        self.settle();
        let next = |machine: &Machine| machine.node.as_ref().map(Node::next_deadline);
        let deadline = self.machines.values().filter_map(next).min().unwrap();
        assert_ne!(deadline, Time::NEVER);
        self.now = self.now.max(deadline);
        let due: Vec<i32> = self
            .machines
            .iter()
            .filter(|(_, machine)| next(machine).is_some_and(|deadline| deadline <= self.now))
            .map(|(id, _)| *id)
            .collect();
        for id in due {
            self.events.push_back((id, NodeInput::Tick));
        }
        self.settle();
    }

    /// Lets time pass.
    pub fn sleep(&mut self, millis: i64) {
        let until = self.now.plus_millis(millis);
        self.settle();
        loop {
            let next = |machine: &Machine| machine.node.as_ref().map(Node::next_deadline);
            let deadline = self.machines.values().filter_map(next).min();
            match deadline {
                Some(deadline) if deadline <= until => self.advance(),
                _ => break,
            }
        }
        self.now = until;
    }

    fn collect(&mut self, id: i32) {
        while let Some(output) = self
            .machines
            .get_mut(&id)
            .and_then(|machine| machine.node.as_mut())
            .and_then(Node::poll_output)
        {
            match output {
                NodeOutput::Log(line) => self.machines.get_mut(&id).unwrap().log.push(line),
                NodeOutput::Stopped => {
                    self.kill(id);
                    return;
                }
                NodeOutput::Send(connection, frame) => match self.peers.get(&(id, connection)) {
                    Some(Peer::Client(client)) => {
                        self.received.entry(*client).or_default().push_back(frame);
                    }
                    Some(Peer::Node(to, outgoing)) => {
                        if !self.cut.contains(&(id, *to)) {
                            let input = ClientInput::Frame(*outgoing, frame);
                            self.events.push_back((*to, NodeInput::Client(input)));
                        }
                    }
                    None => {}
                },
                NodeOutput::Close(connection) => match self.peers.remove(&(id, connection)) {
                    Some(Peer::Client(client)) => self.closed.push(client),
                    Some(Peer::Node(to, outgoing)) => {
                        self.links.remove(&(to, outgoing));
                        let input = ClientInput::Disconnected(outgoing);
                        self.events.push_back((to, NodeInput::Client(input)));
                    }
                    None => {}
                },
                NodeOutput::Client(output) => self.client_output(id, output),
            }
        }
    }

    fn client_output(&mut self, id: i32, output: ClientOutput) {
        match output {
            ClientOutput::Connect {
                connection, port, ..
            } => {
                let to = self.machines.iter().find_map(|(to, machine)| {
                    machine.node.as_ref()?;
                    let listeners = &machine.config.listeners;
                    let listener = listeners.iter().find(|listener| listener.port == port)?;
                    Some((*to, listener.name.clone()))
                });
                let to = to.filter(|(to, _)| !self.cut.contains(&(id, *to)));
                let Some((to, listener)) = to else {
                    let input = ClientInput::ConnectFailed(connection);
                    self.events.push_back((id, NodeInput::Client(input)));
                    return;
                };
                self.last_connection += 1;
                let accepted = ConnectionId(self.last_connection);
                self.peers
                    .insert((to, accepted), Peer::Node(id, connection));
                self.links.insert((id, connection), (to, accepted));
                self.events.push_back((
                    to,
                    NodeInput::Accepted {
                        connection: accepted,
                        listener,
                        peer: "127.0.0.1".to_owned(),
                    },
                ));
                let input = ClientInput::Connected(connection);
                self.events.push_back((id, NodeInput::Client(input)));
            }
            ClientOutput::Send(connection, frame) => {
                if let Some((to, accepted)) = self.links.get(&(id, connection))
                    && !self.cut.contains(&(id, *to))
                {
                    self.events
                        .push_back((*to, NodeInput::Frame(*accepted, frame)));
                }
            }
            ClientOutput::Close(connection) => {
                if let Some((to, accepted)) = self.links.remove(&(id, connection)) {
                    self.peers.remove(&(to, accepted));
                    self.events
                        .push_back((to, NodeInput::Disconnected(accepted)));
                }
            }
            ClientOutput::Log(_) => {}
        }
    }

    /// A client connects.
    pub fn connect(&mut self, node: i32) -> Client {
        self.connect_to(node, "PLAINTEXT")
    }

    /// A client goes.
    pub fn disconnect(&mut self, client: Client) {
        if self
            .peers
            .remove(&(client.node, client.connection))
            .is_some()
        {
            let input = NodeInput::Disconnected(client.connection);
            self.events.push_back((client.node, input));
            self.settle();
        }
    }

    /// A client connects to a listener.
    pub fn connect_to(&mut self, node: i32, listener: &str) -> Client {
        self.last_connection += 1;
        let connection = ConnectionId(self.last_connection);
        self.peers
            .insert((node, connection), Peer::Client(connection.0));
        self.events.push_back((
            node,
            NodeInput::Accepted {
                connection,
                listener: listener.to_owned(),
                peer: "127.0.0.1".to_owned(),
            },
        ));
        self.settle();
        Client { node, connection }
    }

    /// A client sends bytes as a frame.
    pub fn send_bytes(&mut self, client: Client, frame: Bytes) {
        self.events
            .push_back((client.node, NodeInput::Frame(client.connection, frame)));
        self.settle();
    }

    /// A client sends a request.
    pub fn send(&mut self, client: Client, version: i16, body: impl Into<RequestKind>) -> ApiKey {
        let body = body.into();
        let api_key = key_of(&body);
        let frame = RequestFrame {
            api_key,
            api_version: version,
            correlation_id: 42,
            client_id: Some("test".into()),
            body,
        };
        self.send_bytes(client, frame.encode().unwrap());
        api_key
    }

    /// The frame that came for a client, if one did.
    pub fn receive_bytes(&mut self, client: Client) -> Option<Bytes> {
        self.received.get_mut(&client.connection.0)?.pop_front()
    }

    /// The response that came for a client, if one did.
    pub fn receive(&mut self, client: Client, key: ApiKey, version: i16) -> Option<ResponseKind> {
        let frame = self.receive_bytes(client)?;
        let response = ResponseFrame::decode(key, version, frame).unwrap();
        assert_eq!(response.correlation_id, 42);
        Some(response.body)
    }

    /// A request and its response; time passes until it comes.
    pub fn call(
        &mut self,
        client: Client,
        version: i16,
        body: impl Into<RequestKind>,
    ) -> ResponseKind {
        let key = self.send(client, version, body);
        for _ in 0..1_000 {
            if let Some(response) = self.receive(client, key, version) {
                return response;
            }
            assert!(!self.is_closed(client), "the connection was closed");
            self.advance();
        }
        panic!("no response to {key:?}");
    }

    pub fn is_closed(&self, client: Client) -> bool {
        self.closed.contains(&client.connection.0)
    }
}

fn key_of(body: &RequestKind) -> ApiKey {
    macro_rules! keys {
        ($($api:ident),* $(,)?) => {
            match body {
                $(RequestKind::$api(_) => ApiKey::$api,)*
                other => panic!("not used here: {other:?}"),
            }
        };
    }
    keys!(
        Produce,
        Fetch,
        ListOffsets,
        Metadata,
        OffsetCommit,
        OffsetFetch,
        FindCoordinator,
        JoinGroup,
        Heartbeat,
        LeaveGroup,
        SyncGroup,
        DescribeGroups,
        ListGroups,
        ApiVersions,
        CreateTopics,
        DeleteTopics,
        DeleteRecords,
        InitProducerId,
        OffsetForLeaderEpoch,
        DescribeConfigs,
        CreatePartitions,
        DeleteGroups,
        IncrementalAlterConfigs,
        OffsetDelete,
        DescribeCluster,
        DescribeTopicPartitions,
        AlterConfigs,
        ElectLeaders,
        AlterPartitionReassignments,
        ListPartitionReassignments,
        DescribeClientQuotas,
        AlterClientQuotas,
        UpdateFeatures,
        UnregisterBroker,
        ListConfigResources,
        DescribeUserScramCredentials,
        DescribeLogDirs,
        DescribeQuorum,
    )
}
