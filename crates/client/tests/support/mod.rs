//! A network for tests: nodes and clients as plain values, frames that take a millisecond, time that moves
//! from event to event.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;
use playground_broker::node::CONTROLLER_LISTENER;
use playground_broker::{Listener, Node, NodeConfig, NodeInput, NodeOutput};
use playground_client::Client;
use playground_log::Disk;
use playground_protocol::{ClientInput, ClientOutput, ConnectionId, LogLevel, LogLine, Time};

/// Who opened a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Party {
    Client(usize),
    Node(i32),
}

#[derive(Debug)]
enum Event {
    Connect(Party, ConnectionId, u16),
    ToNode(i32, u64, Bytes),
    ToParty(Party, ClientInput),
    ClosedByParty(i32, u64),
}

/// One host with its node, if that runs.
pub struct Machine {
    pub disk: Disk,
    pub node: Option<Node>,
    pub config: NodeConfig,
}

/// Everything.
pub struct World {
    pub now: Time,
    pub machines: BTreeMap<i32, Machine>,
    clients: Vec<Rc<RefCell<dyn Client>>>,
    pub log: Vec<LogLine>,
    events: BTreeMap<(Time, u64), Event>,
    sequence: u64,
    /// Outgoing connection to (node, id there).
    links: BTreeMap<(Party, ConnectionId), (i32, u64)>,
    back: BTreeMap<u64, (Party, ConnectionId)>,
}

/// In the place of a client that died.
struct Nobody;

impl Client for Nobody {
    fn handle(&mut self, _: ClientInput, _: Time) {}

    fn poll_output(&mut self) -> Option<ClientOutput> {
        None
    }

    fn next_deadline(&self) -> Time {
        Time::NEVER
    }

    fn tick(&mut self, _: Time) {}
}

fn client_port(id: i32) -> u16 {
    9091 + id as u16
}

fn controller_port(id: i32) -> u16 {
    19091 + id as u16
}

impl World {
    /// Nodes 1 to `count`, each broker and voter, running.
    pub fn start(count: i32, overrides: &[(&str, &str)]) -> World {
        let voters: Vec<_> = (1..=count)
            .map(|id| (id, "localhost".to_owned(), controller_port(id)))
            .collect();
        let mut world = World {
            now: Time::from_millis(1_700_000_000_000),
            machines: BTreeMap::new(),
            clients: Vec::new(),
            log: Vec::new(),
            events: BTreeMap::new(),
            sequence: 0,
            links: BTreeMap::new(),
            back: BTreeMap::new(),
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
                cluster_id: uuid::Uuid::from_u128(77),
                listeners: vec![
                    listener("PLAINTEXT", client_port(id)),
                    listener(CONTROLLER_LISTENER, controller_port(id)),
                ],
                controller_voters: voters.clone(),
                rack: None,
                log_dir: "/var/lib/kafka/data".to_owned(),
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
            world.machines.insert(
                id,
                Machine {
                    disk: Disk::new(),
                    node: None,
                    config,
                },
            );
        }
        for id in 1..=count {
            world.start_node(id);
        }
        let up = world.run_until(60_000, |world| {
            world
                .machines
                .values()
                .all(|machine| machine.node.as_ref().is_some_and(Node::is_running))
        });
        assert!(up, "the nodes do not come up: {:#?}", world.log);
        world.log.clear();
        world
    }

    pub fn start_node(&mut self, id: i32) {
        let now = self.now;
        let machine = self.machines.get_mut(&id).unwrap();
        machine.node = Some(Node::start(
            machine.config.clone(),
            &mut machine.disk,
            5 + id as u64,
            now,
        ));
        self.drain_node(id);
    }

    /// The node's process dies; its connections break.
    pub fn kill_node(&mut self, id: i32) {
        self.machines.get_mut(&id).unwrap().node = None;
        let broken: Vec<_> = self
            .links
            .iter()
            .filter(|(_, (node, _))| *node == id)
            .map(|(key, (_, link))| (*key, *link))
            .collect();
        for ((party, connection), link) in broken {
            self.links.remove(&(party, connection));
            self.back.remove(&link);
            self.push(Event::ToParty(party, ClientInput::Disconnected(connection)));
        }
        let own: Vec<_> = self
            .links
            .keys()
            .filter(|(party, _)| *party == Party::Node(id))
            .copied()
            .collect();
        for key in own {
            if let Some((node, link)) = self.links.remove(&key) {
                self.back.remove(&link);
                self.push(Event::ClosedByParty(node, link));
            }
        }
    }

    /// Adds a client that is driven from now on.
    pub fn add<C: Client + 'static>(&mut self, client: C) -> Rc<RefCell<C>> {
        let client = Rc::new(RefCell::new(client));
        self.clients.push(client.clone());
        self.drain_clients();
        client
    }

    /// A client's process dies; its connections break.
    pub fn forget<C: Client + 'static>(&mut self, client: &Rc<RefCell<C>>) {
        let dead: Rc<RefCell<dyn Client>> = client.clone();
        let Some(index) = self
            .clients
            .iter()
            .position(|other| Rc::ptr_eq(other, &dead))
        else {
            return;
        };
        self.clients[index] = Rc::new(RefCell::new(Nobody));
        let own: Vec<_> = self
            .links
            .keys()
            .filter(|(party, _)| *party == Party::Client(index))
            .copied()
            .collect();
        for key in own {
            if let Some((node, link)) = self.links.remove(&key) {
                self.back.remove(&link);
                self.push(Event::ClosedByParty(node, link));
            }
        }
    }

    /// Runs until `done`, for `limit_ms` of virtual time at most; whether it was done.
    pub fn run_until(&mut self, limit_ms: i64, mut done: impl FnMut(&mut World) -> bool) -> bool {
        let end = self.now.plus_millis(limit_ms);
        for _ in 0..2_000_000 {
            self.drain_clients();
            if done(self) {
                return true;
            }
            let next = self.next_time();
            if next > end {
                self.now = end;
                return false;
            }
            self.now = self.now.max(next);
            self.step();
        }
        panic!("no end of events at {:?}", self.now);
    }

    pub fn run_for(&mut self, ms: i64) {
        self.run_until(ms, |_| false);
    }

    /// The warnings and errors that clients logged.
    pub fn warnings(&self) -> Vec<String> {
        self.log
            .iter()
            .filter(|line| line.level >= LogLevel::Warn && line.logger.contains(".clients."))
            .map(|line| format!("{} ({})", line.message, line.logger))
            .collect()
    }

    fn next_time(&self) -> Time {
        let mut next = Time::NEVER;
        if let Some(((time, _), _)) = self.events.first_key_value() {
            next = next.min(*time);
        }
        for client in &self.clients {
            next = next.min(client.borrow().next_deadline());
        }
        for machine in self.machines.values() {
            if let Some(node) = &machine.node {
                next = next.min(node.next_deadline());
            }
        }
        next
    }

    fn step(&mut self) {
        let now = self.now;
        if let Some(entry) = self.events.first_entry() {
            if entry.key().0 <= now {
                let event = entry.remove();
                self.deliver(event);
                return;
            }
        }
        for id in self.machines.keys().copied().collect::<Vec<_>>() {
            let machine = self.machines.get_mut(&id).unwrap();
            if let Some(node) = machine.node.as_mut() {
                if node.next_deadline() <= now {
                    node.handle(NodeInput::Tick, &mut machine.disk, now);
                    self.drain_node(id);
                    return;
                }
            }
        }
        for client in &self.clients {
            let mut client = client.borrow_mut();
            if client.next_deadline() <= now {
                client.tick(now);
                assert!(client.next_deadline() > now, "a client's deadline stays");
            }
        }
    }

    fn push(&mut self, event: Event) {
        self.sequence += 1;
        self.events
            .insert((self.now.plus_millis(1), self.sequence), event);
    }

    fn deliver(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Connect(party, connection, port) => {
                let target = self.machines.iter().find_map(|(id, machine)| {
                    let listener = machine.config.listeners.iter().find(|l| l.port == port)?;
                    machine.node.as_ref()?;
                    Some((*id, listener.name.clone()))
                });
                let Some((id, listener)) = target else {
                    self.push(Event::ToParty(
                        party,
                        ClientInput::ConnectFailed(connection),
                    ));
                    return;
                };
                self.sequence += 1;
                let link = self.sequence;
                self.links.insert((party, connection), (id, link));
                self.back.insert(link, (party, connection));
                self.node_input(
                    id,
                    NodeInput::Accepted {
                        connection: ConnectionId(link),
                        listener,
                        peer: "127.0.0.1".to_owned(),
                    },
                );
                self.push(Event::ToParty(party, ClientInput::Connected(connection)));
            }
            Event::ToNode(id, link, frame) => {
                if self.back.contains_key(&link) {
                    self.node_input(id, NodeInput::Frame(ConnectionId(link), frame));
                }
            }
            Event::ClosedByParty(id, link) => {
                self.node_input(id, NodeInput::Disconnected(ConnectionId(link)));
            }
            Event::ToParty(Party::Node(id), input) => {
                self.node_input(id, NodeInput::Client(input));
            }
            Event::ToParty(Party::Client(index), input) => {
                self.clients[index].borrow_mut().handle(input, now);
                self.drain_clients();
            }
        }
    }

    fn node_input(&mut self, id: i32, input: NodeInput) {
        let now = self.now;
        let machine = self.machines.get_mut(&id).unwrap();
        if let Some(node) = machine.node.as_mut() {
            node.handle(input, &mut machine.disk, now);
        }
        self.drain_node(id);
    }

    fn drain_node(&mut self, id: i32) {
        let mut outputs = Vec::new();
        if let Some(node) = self.machines.get_mut(&id).unwrap().node.as_mut() {
            while let Some(output) = node.poll_output() {
                outputs.push(output);
            }
        }
        for output in outputs {
            match output {
                NodeOutput::Send(ConnectionId(link), frame) => {
                    if let Some((party, connection)) = self.back.get(&link).copied() {
                        self.push(Event::ToParty(party, ClientInput::Frame(connection, frame)));
                    }
                }
                NodeOutput::Close(ConnectionId(link)) => {
                    if let Some((party, connection)) = self.back.remove(&link) {
                        self.links.remove(&(party, connection));
                        self.push(Event::ToParty(party, ClientInput::Disconnected(connection)));
                    }
                }
                NodeOutput::Client(output) => self.client_output(Party::Node(id), output),
                NodeOutput::Log(line) => self.log.push(line),
                NodeOutput::Stopped => self.kill_node(id),
            }
        }
    }

    fn drain_clients(&mut self) {
        for index in 0..self.clients.len() {
            let mut outputs = Vec::new();
            while let Some(output) = self.clients[index].borrow_mut().poll_output() {
                outputs.push(output);
            }
            for output in outputs {
                self.client_output(Party::Client(index), output);
            }
        }
    }

    fn client_output(&mut self, party: Party, output: ClientOutput) {
        match output {
            ClientOutput::Connect {
                connection, port, ..
            } => self.push(Event::Connect(party, connection, port)),
            ClientOutput::Send(connection, frame) => {
                if let Some((id, link)) = self.links.get(&(party, connection)).copied() {
                    self.push(Event::ToNode(id, link, frame));
                }
            }
            ClientOutput::Close(connection) => {
                if let Some((id, link)) = self.links.remove(&(party, connection)) {
                    self.back.remove(&link);
                    self.push(Event::ClosedByParty(id, link));
                }
            }
            ClientOutput::Log(line) => self.log.push(line),
        }
    }
}
