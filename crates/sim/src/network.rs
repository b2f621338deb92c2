//! Connections between hosts, and how names and ports are resolved.

use std::collections::{BTreeMap, VecDeque};

use bytes::{Buf, Bytes};
use playground_broker::NodeInput;
use playground_protocol::{ClientInput, ConnectionId, Time, frame};

use crate::faults::{
    CONNECT_MAX, LOST_CONNECT_US, LOST_FRAME_US, NO_ROUTE, STALL_MAX, next_retransmission,
};
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
    /// Where the connection request is repeated: since when, and where it leads.
    connecting: Option<(Time, String, u16)>,
    /// What waits where the network is cut, and since when the first of it does.
    stalled: [VecDeque<InFlight>; 2],
    stalled_since: [Time; 2],
    /// The ends (server, client) that went without a word: their machine lost power.
    dead: [bool; 2],
    /// Since when bytes to a dead end are sent in vain.
    lost_since: [Option<Time>; 2],
    /// API and version of requests without a response yet, for the trace.
    pending: BTreeMap<i32, (i16, i16)>,
}

/// What travels one way.
pub(crate) enum InFlight {
    Frame(Bytes, u64),
    /// The sender closed its end.
    End,
}

/// The index of a direction.
fn way(to_server: bool) -> usize {
    usize::from(!to_server)
}

impl Connection {
    fn ends(&self, to_server: bool) -> (HostId, HostId) {
        if to_server {
            (self.client_host, self.server_host)
        } else {
            (self.server_host, self.client_host)
        }
    }
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
        let target = self.resolve_name(from, name).unwrap_or(from);
        let server_host = found.as_ref().map_or(target, |(host, _)| *host);
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
                connecting: None,
                stalled: Default::default(),
                stalled_since: Default::default(),
                dead: [false; 2],
                lost_since: [None; 2],
                pending: BTreeMap::new(),
            },
        );
        self.request_connection(id, self.now, found.map(|(_, listener)| listener));
        if self.faults.is_cut(from, server_host) || self.faults.is_cut(server_host, from) {
            let since = self.now;
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.connecting = Some((since, name.to_owned(), port));
            }
            self.schedule(
                since + CONNECT_MAX,
                Event::ConnectTimeout { connection: id },
            );
        }
        id
    }

    /// Sends a connection request, unless the network is cut either way.
    fn request_connection(&mut self, id: u64, first: Time, found: Option<String>) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let (from, to) = (connection.client_host, connection.server_host);
        if self.faults.is_cut(from, to) || self.faults.is_cut(to, from) {
            return;
        }
        connection.connecting = None;
        if !self.host(to).powered {
            self.schedule(self.now + NO_ROUTE, Event::ConnectFailed { connection: id });
            return;
        }
        let latency = self.latency_us(from, to, 0);
        let there = self.faults.passage(from, to, LOST_CONNECT_US);
        let back = self.faults.passage(to, from, LOST_CONNECT_US);
        let extra = [there, back]
            .iter()
            .flatten()
            .map(|passage| passage.extra_us)
            .sum::<u64>();
        let start = next_retransmission(first, self.now, LOST_CONNECT_US);
        let at = Time::from_micros(start.micros() + 2 * latency + extra);
        match found {
            Some(listener) => self.schedule(
                at,
                Event::Connect {
                    connection: id,
                    listener,
                },
            ),
            None => self.schedule(at, Event::ConnectFailed { connection: id }),
        }
    }

    /// Nobody answered for too long.
    pub(crate) fn on_connect_timeout(&mut self, id: u64) {
        if self
            .connections
            .get(&id)
            .is_some_and(|connection| connection.connecting.is_some())
        {
            self.on_connect_failed(id);
        }
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
        self.trace.note_frame(self.now, id, &frame);
        let sent = match self.trace.skip(true) {
            Some(sent) => sent,
            None => {
                let info = self.frame_info(id, to_server, &frame);
                self.trace.push(self.now, TraceKind::FrameSent(info))
            }
        };
        self.transmit(id, to_server, InFlight::Frame(frame, sent));
    }

    /// Puts something on its way.
    fn transmit(&mut self, id: u64, to_server: bool, item: InFlight) {
        let (now, index) = (self.now, way(to_server));
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let (from, to) = connection.ends(to_server);
        if connection.dead[index] {
            if let InFlight::Frame(_, sent) = item {
                self.trace.push(now, TraceKind::FrameDropped { sent });
            }
            self.send_in_vain(id, to_server);
            return;
        }
        if self.faults.is_cut(from, to) || !connection.stalled[index].is_empty() {
            if let InFlight::Frame(_, sent) = item {
                self.trace.push(now, TraceKind::FrameStalled { sent });
            }
            if connection.stalled[index].is_empty() {
                connection.stalled_since[index] = now;
                self.schedule(
                    now + STALL_MAX,
                    Event::StalledTooLong {
                        connection: id,
                        to_server,
                        since: now,
                    },
                );
            }
            if let Some(connection) = self.connections.get_mut(&id) {
                connection.stalled[index].push_back(item);
            }
            return;
        }
        self.put_on_wire(id, to_server, item, now);
    }

    fn put_on_wire(&mut self, id: u64, to_server: bool, item: InFlight, at: Time) {
        let now = self.now;
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let (from, to) = connection.ends(to_server);
        let length = match &item {
            InFlight::Frame(frame, _) => frame.len(),
            InFlight::End => 0,
        };
        let mut latency = self.latency_us(from, to, length);
        if let Some(passage) = self.faults.passage(from, to, LOST_FRAME_US) {
            latency += passage.extra_us;
            if let InFlight::Frame(_, sent) = item {
                if passage.losses > 0 {
                    let losses = passage.losses;
                    self.trace
                        .push(now, TraceKind::FrameRetransmitted { sent, losses });
                }
                if passage.duplicated {
                    self.trace.push(now, TraceKind::FrameDuplicated { sent });
                }
                if passage.reordered {
                    self.trace.push(now, TraceKind::FrameReordered { sent });
                }
            }
        }
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let last = if to_server {
            &mut connection.last_to_server
        } else {
            &mut connection.last_to_client
        };
        let at = Time::from_micros(at.micros() + latency).max(*last);
        *last = at;
        let event = match item {
            InFlight::Frame(frame, sent) => Event::Deliver {
                connection: id,
                to_server,
                frame,
                sent,
            },
            InFlight::End => Event::Closed {
                connection: id,
                to_server,
            },
        };
        self.schedule(at, event);
    }

    /// Bytes go to an end that is gone without a word: a machine that runs again resets the connection, one
    /// without power lets it stall.
    fn send_in_vain(&mut self, id: u64, to_server: bool) {
        let (now, index) = (self.now, way(to_server));
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let (from, to) = connection.ends(to_server);
        if self.host(to).powered {
            let latency = self.latency_us(from, to, 0);
            self.schedule(
                Time::from_micros(now.micros() + 2 * latency),
                Event::Closed {
                    connection: id,
                    to_server: !to_server,
                },
            );
        } else if let Some(connection) = self.connections.get_mut(&id)
            && connection.lost_since[index].is_none()
        {
            connection.lost_since[index] = Some(now);
            self.schedule(
                now + STALL_MAX,
                Event::StalledTooLong {
                    connection: id,
                    to_server,
                    since: now,
                },
            );
        }
    }

    /// A host has power again: what was sent to it in vain is sent again, and reset.
    pub(crate) fn reset_connections_of(&mut self, host: HostId) {
        let now = self.now;
        let mut resets = Vec::new();
        for (id, connection) in &mut self.connections {
            for to_server in [true, false] {
                let index = way(to_server);
                if connection.ends(to_server).1 == host
                    && connection.dead[index]
                    && let Some(since) = connection.lost_since[index].take()
                {
                    resets.push((
                        next_retransmission(since, now, LOST_FRAME_US),
                        *id,
                        to_server,
                    ));
                }
            }
        }
        for (at, connection, to_server) in resets {
            let to_server = !to_server;
            self.schedule(
                at,
                Event::Closed {
                    connection,
                    to_server,
                },
            );
        }
    }

    /// A cut healed: what stalled goes on with the next retransmission.
    pub(crate) fn resume_connections(&mut self) {
        let now = self.now;
        let ids: Vec<u64> = self.connections.keys().copied().collect();
        for id in ids {
            let Some(connection) = self.connections.get_mut(&id) else {
                continue;
            };
            if let Some((since, name, port)) = connection.connecting.clone() {
                let from = connection.client_host;
                let found = self.resolve(from, &name, port);
                if let (Some((host, _)), Some(connection)) = (&found, self.connections.get_mut(&id))
                {
                    connection.server_host = *host;
                }
                self.request_connection(id, since, found.map(|(_, listener)| listener));
            }
            for to_server in [true, false] {
                let index = way(to_server);
                let Some(connection) = self.connections.get_mut(&id) else {
                    break;
                };
                let (from, to) = connection.ends(to_server);
                if connection.stalled[index].is_empty() || self.faults.is_cut(from, to) {
                    continue;
                }
                let items = std::mem::take(&mut connection.stalled[index]);
                let at = next_retransmission(connection.stalled_since[index], now, LOST_FRAME_US);
                for item in items {
                    self.put_on_wire(id, to_server, item, at);
                }
            }
        }
    }

    /// The sender's kernel gives a connection up.
    pub(crate) fn on_stalled_too_long(&mut self, id: u64, to_server: bool, since: Time) {
        let index = way(to_server);
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let stalls =
            !connection.stalled[index].is_empty() && connection.stalled_since[index] == since;
        if !stalls && connection.lost_since[index] != Some(since) {
            return;
        }
        let items = std::mem::take(&mut connection.stalled[index]);
        for item in items {
            if let InFlight::Frame(_, sent) = item {
                self.trace.push(self.now, TraceKind::FrameDropped { sent });
            }
        }
        self.end_one_end(id, !to_server);
    }

    /// Tells the server's (or the client's) end that the connection is broken; the other end hears nothing.
    fn end_one_end(&mut self, id: u64, server: bool) {
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let open = if server {
            &mut connection.server_open
        } else {
            &mut connection.client_open
        };
        let was_open = std::mem::replace(open, false);
        let (client, accepted) = (connection.client, connection.server);
        // What the other end sends from now on is answered by a reset.
        connection.dead[way(server)] = true;
        let other_gone = if server {
            !connection.client_open
        } else {
            !connection.server_open
        };
        if other_gone {
            self.connections.remove(&id);
        }
        if !was_open {
            return;
        }
        match (server, accepted) {
            (true, Some(Owner::NodeAccepted(host, accepted))) => {
                self.host_mut(host).accepted.remove(&accepted);
                self.node_input(host, NodeInput::Disconnected(accepted));
            }
            (true, _) => {}
            (false, _) => self.tell_client(client, ClientInput::Disconnected),
        }
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
        let open = if by_client {
            &mut connection.client_open
        } else {
            &mut connection.server_open
        };
        if !std::mem::replace(open, false) {
            return;
        }
        if connection.connecting.is_some() {
            self.connections.remove(&id);
            return;
        }
        let (from, _) = connection.ends(by_client);
        let one_open = connection.client_open || connection.server_open;
        if !self.host(from).powered {
            if !one_open {
                self.connections.remove(&id);
            } else if let Some(connection) = self.connections.get_mut(&id) {
                // The end that what travels the other way would reach.
                connection.dead[way(!by_client)] = true;
            }
            return;
        }
        self.transmit(id, by_client, InFlight::End);
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
