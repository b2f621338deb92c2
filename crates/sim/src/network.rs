//! Connections between hosts, and how names and ports are resolved.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};
use playground_broker::NodeInput;
use playground_protocol::{ClientInput, ConnectionId, Time, frame};

use crate::host::{HostId, NodeState};
use crate::process::Pid;
use crate::trace::{FrameDirection, FrameInfo, Trace, TraceKind};
use crate::world::{Event, World};

/// Who holds one end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A process that connected.
    Process(Pid, ConnectionId),
    /// A node that connected (to its controller, to another broker).
    NodeOutgoing(HostId, ConnectionId),
    /// A node that accepted.
    NodeAccepted(HostId, ConnectionId),
}

pub(crate) struct Connection {
    pub(crate) client: Owner,
    client_host: HostId,
    pub(crate) server: Option<Owner>,
    server_host: HostId,
    client_open: bool,
    server_open: bool,
    /// TCP keeps the order: nothing is delivered before what was sent earlier that way.
    last_to_server: Time,
    last_to_client: Time,
    /// API and version of requests without a response yet, for the trace.
    pending: BTreeMap<i32, (i16, i16)>,
}

impl World {
    /// The host whose network `host` uses.
    fn network_root(&self, host: HostId) -> HostId {
        self.host(host).network_of.unwrap_or(host)
    }

    /// The host that listens where `name:port` leads when it is used on `from`.
    fn resolve(&self, from: HostId, name: &str, port: u16) -> Option<(HostId, String)> {
        let target = self.resolve_name(from, name)?;
        let root = self.network_root(target);
        let mut candidates = vec![(target, port)];
        candidates.extend(
            self.host_ids()
                .filter(|id| self.network_root(*id) == root)
                .map(|id| (id, port)),
        );
        candidates.extend(self.host(root).published.get(&port).copied());
        candidates.into_iter().find_map(|(host, port)| {
            let entry = self.host(host);
            let listener = entry.listeners.get(&port)?;
            (entry.state != NodeState::Stopped).then(|| (host, listener.clone()))
        })
    }

    /// The host that `name` means on `from`; `None` when the name is unknown there.
    pub(crate) fn resolve_name(&self, from: HostId, name: &str) -> Option<HostId> {
        if name == "localhost" || name == "127.0.0.1" || name == "0.0.0.0" {
            return Some(self.network_root(from));
        }
        self.host_ids().find(|id| self.host(*id).name == name)
    }

    fn latency_us(&mut self, a: HostId, b: HostId, bytes: usize) -> u64 {
        let transfer = bytes as u64 / 1000;
        let (base, jitter) = if a == b { (30, 20) } else { (120, 80) };
        base + self.network_random.below(jitter) + transfer
    }

    /// Opens a connection; the outcome reaches the owner as an event.
    pub(crate) fn connect(&mut self, client: Owner, from: HostId, name: &str, port: u16) -> u64 {
        let id = self.next_connection;
        self.next_connection += 1;
        let found = self.resolve(from, name, port);
        let server_host = found.as_ref().map_or(from, |(host, _)| *host);
        self.connections.insert(
            id,
            Connection {
                client,
                client_host: from,
                server: None,
                server_host,
                client_open: true,
                server_open: true,
                last_to_server: Time::default(),
                last_to_client: Time::default(),
                pending: BTreeMap::new(),
            },
        );
        let latency = self.latency_us(from, server_host, 0);
        let at = Time::from_micros(self.now.micros() + 2 * latency);
        match found {
            Some((_, listener)) => self.schedule(
                at,
                Event::Connect {
                    connection: id,
                    listener,
                },
            ),
            None => self.schedule(at, Event::ConnectFailed { connection: id }),
        }
        id
    }

    /// Sends a frame from one end.
    pub(crate) fn send(&mut self, id: u64, to_server: bool, frame: Bytes) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        if !(if to_server {
            connection.client_open
        } else {
            connection.server_open
        }) {
            return;
        }
        let (client_host, server_host) = (connection.client_host, connection.server_host);
        let latency = self.latency_us(client_host, server_host, frame.len());
        let info = self.frame_info(id, to_server, &frame);
        let sent = self.trace.push(self.now, TraceKind::FrameSent(info));
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let last = if to_server {
            &mut connection.last_to_server
        } else {
            &mut connection.last_to_client
        };
        let at = Time::from_micros(self.now.micros() + latency).max(*last);
        *last = at;
        self.schedule(
            at,
            Event::Deliver {
                connection: id,
                to_server,
                frame,
                sent,
            },
        );
    }

    fn frame_info(&mut self, id: u64, to_server: bool, frame: &Bytes) -> FrameInfo {
        let (from, to) = match self.connections.get(&id) {
            Some(connection) => {
                let client = self.owner_label(connection.client);
                let server = self.host(connection.server_host).name.clone();
                if to_server {
                    (client, server)
                } else {
                    (server, client)
                }
            }
            None => Default::default(),
        };
        let (api_key, api_version, correlation_id) = if to_server {
            let mut head = frame.get(..8).unwrap_or(&[0; 8]);
            let request = (head.get_i16(), head.get_i16(), head.get_i32());
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.pending.insert(request.2, (request.0, request.1));
                if connection.pending.len() > 1024 {
                    connection.pending.pop_first();
                }
            }
            request
        } else {
            let correlation_id = frame::peek_correlation_id(frame).unwrap_or_default();
            let request = self
                .connections
                .get_mut(&id)
                .and_then(|connection| connection.pending.remove(&correlation_id));
            let (api_key, api_version) = request.unwrap_or((-1, 0));
            (api_key, api_version, correlation_id)
        };
        FrameInfo {
            connection: id,
            direction: if to_server {
                FrameDirection::Request
            } else {
                FrameDirection::Response
            },
            from,
            to,
            api_key,
            api_version,
            correlation_id,
            length: frame.len(),
            bytes: Trace::frame(frame),
        }
    }

    fn owner_label(&self, owner: Owner) -> String {
        match owner {
            Owner::Process(pid, _) => self.process_label(pid),
            Owner::NodeOutgoing(host, _) | Owner::NodeAccepted(host, _) => {
                self.host(host).name.clone()
            }
        }
    }

    /// Closes one end; the other end is told when the news arrives.
    pub(crate) fn close(&mut self, id: u64, by_client: bool) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let (open, last) = if by_client {
            (&mut connection.client_open, connection.last_to_server)
        } else {
            (&mut connection.server_open, connection.last_to_client)
        };
        if !std::mem::replace(open, false) {
            return;
        }
        let (a, b) = (connection.client_host, connection.server_host);
        let latency = self.latency_us(a, b, 0);
        let at = Time::from_micros(self.now.micros() + latency).max(last);
        self.schedule(
            at,
            Event::Closed {
                connection: id,
                to_server: by_client,
            },
        );
    }

    /// The connection request arrives.
    pub(crate) fn on_connect(&mut self, id: u64, listener: String) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let (client, host) = (connection.client, connection.server_host);
        if !connection.client_open {
            self.connections.remove(&id);
            return;
        }
        if self.host(host).state == NodeState::Stopped || self.host(host).node.is_none() {
            self.on_connect_failed(id);
            return;
        }
        let entry = self.host_mut(host);
        let accepted = ConnectionId(entry.next_accepted);
        entry.next_accepted += 1;
        entry.accepted.insert(accepted, id);
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.server = Some(Owner::NodeAccepted(host, accepted));
        }
        self.node_input(
            host,
            NodeInput::Accepted {
                connection: accepted,
                listener,
                peer: "127.0.0.1".to_owned(),
            },
        );
        self.tell_client(client, ClientInput::Connected);
    }

    /// The connection request found nobody.
    pub(crate) fn on_connect_failed(&mut self, id: u64) {
        if let Some(connection) = self.connections.remove(&id) {
            self.tell_client(connection.client, ClientInput::ConnectFailed);
        }
    }

    /// A frame arrives.
    pub(crate) fn on_deliver(&mut self, id: u64, to_server: bool, frame: Bytes, sent: u64) {
        let target = self.connections.get(&id).and_then(|connection| {
            if to_server {
                connection
                    .server_open
                    .then_some(connection.server)
                    .flatten()
            } else {
                connection.client_open.then_some(connection.client)
            }
        });
        let Some(target) = target else {
            self.trace.push(self.now, TraceKind::FrameDropped { sent });
            return;
        };
        let delivered = self
            .trace
            .push(self.now, TraceKind::FrameDelivered { sent });
        self.set_cause(Some(delivered));
        match target {
            Owner::NodeAccepted(host, connection) => {
                self.node_input(host, NodeInput::Frame(connection, frame))
            }
            client => self.tell_client(client, |connection| ClientInput::Frame(connection, frame)),
        }
    }

    /// The news that the other end closed arrives.
    pub(crate) fn on_closed(&mut self, id: u64, to_server: bool) {
        let Some(connection) = self.connections.remove(&id) else {
            return;
        };
        if to_server {
            if let (true, Some(Owner::NodeAccepted(host, accepted))) =
                (connection.server_open, connection.server)
            {
                self.host_mut(host).accepted.remove(&accepted);
                self.node_input(host, NodeInput::Disconnected(accepted));
            }
        } else if connection.client_open {
            self.tell_client(connection.client, ClientInput::Disconnected);
        }
    }

    fn tell_client(&mut self, owner: Owner, input: impl FnOnce(ConnectionId) -> ClientInput) {
        match owner {
            Owner::Process(pid, connection) => self.process_network(pid, input(connection)),
            Owner::NodeOutgoing(host, connection) | Owner::NodeAccepted(host, connection) => {
                let input = input(connection);
                if matches!(
                    input,
                    ClientInput::ConnectFailed(_) | ClientInput::Disconnected(_)
                ) {
                    self.host_mut(host).outgoing.remove(&connection);
                }
                self.node_input(host, NodeInput::Client(input));
            }
        }
    }

    /// The node of `host` is gone: all its connections break.
    pub(crate) fn drop_node_connections(&mut self, host: HostId) {
        let entry = self.host_mut(host);
        let accepted = std::mem::take(&mut entry.accepted);
        let outgoing = std::mem::take(&mut entry.outgoing);
        accepted.into_values().for_each(|id| self.close(id, false));
        outgoing.into_values().for_each(|id| self.close(id, true));
    }
}
