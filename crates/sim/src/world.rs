//! The world: everything but the tasks' futures.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::Waker;

use bytes::Bytes;
use playground_broker::{Node, NodeConfig, NodeInput, NodeOutput};
use playground_log::disk::Disk;
use playground_protocol::{ClientOutput, LogLine, Random, Time};

use crate::executor::{ReadyQueue, Task};
use crate::faults::{Fault, Faults};
use crate::host::{Host, HostId, NodeState};
use crate::network::{Connection, Owner};
use crate::process::{Pid, ProcessEntry};
use crate::terminal::{Terminal, TerminalId};
use crate::trace::{Trace, TraceKind};

/// Outputs that one input may lead a node to, a guard against a node that never falls silent.
const NODE_OUTPUTS_MAX: usize = 1_000_000;

pub(crate) enum Event {
    Connect {
        connection: u64,
        listener: String,
    },
    ConnectFailed {
        connection: u64,
    },
    Deliver {
        connection: u64,
        to_server: bool,
        frame: Bytes,
        sent: u64,
    },
    Closed {
        connection: u64,
        to_server: bool,
    },
    /// A connection that stalled at that time has stalled for too long.
    StalledTooLong {
        connection: u64,
        to_server: bool,
        since: Time,
    },
    /// A connection request was repeated for too long.
    ConnectTimeout {
        connection: u64,
    },
    DiskDone {
        host: HostId,
    },
    NodeTick {
        host: HostId,
    },
    Wake(Waker),
}

/// Hosts, network, processes, terminals and the clock. Compose's commands reach it through
/// [`crate::Process::with_world`]; the host program through [`crate::Sim`].
pub struct World {
    pub(crate) now: Time,
    pub(crate) seed: u64,
    pub(crate) network_random: Random,
    pub(crate) process_random: Random,
    pub(crate) faults: Faults,
    events: BTreeMap<(Time, u64), (Event, Option<u64>)>,
    next_event: u64,
    hosts: Vec<Host>,
    pub(crate) connections: BTreeMap<u64, Connection>,
    pub(crate) next_connection: u64,
    pub(crate) processes: BTreeMap<Pid, ProcessEntry>,
    pub(crate) next_pid: u32,
    pub(crate) terminals: BTreeMap<TerminalId, Terminal>,
    pub(crate) next_terminal: u32,
    pub(crate) trace: Trace,
    pub(crate) ready: Arc<ReadyQueue>,
    /// Tasks to add, and tasks to drop, once the running one has returned.
    pub(crate) spawned: Vec<(Pid, Task)>,
    pub(crate) dead: Vec<Pid>,
    /// Wakers of those who wait for any node to change its state.
    pub(crate) node_watchers: Vec<Waker>,
}

impl World {
    pub(crate) fn new(seed: u64, start: Time) -> World {
        World {
            now: start,
            seed,
            network_random: Random::new(seed, "network"),
            process_random: Random::new(seed, "processes"),
            faults: Faults::new(seed),
            events: BTreeMap::new(),
            next_event: 0,
            hosts: Vec::new(),
            connections: BTreeMap::new(),
            next_connection: 1,
            processes: BTreeMap::new(),
            next_pid: 100,
            terminals: BTreeMap::new(),
            next_terminal: 1,
            trace: Trace::default(),
            ready: Arc::default(),
            spawned: Vec::new(),
            dead: Vec::new(),
            node_watchers: Vec::new(),
        }
    }

    /// The virtual time.
    pub fn now(&self) -> Time {
        self.now
    }

    /// What happened.
    pub fn trace(&self) -> &Trace {
        &self.trace
    }

    // ---- hosts -------------------------------------------------------------------------------

    pub(crate) fn host(&self, host: HostId) -> &Host {
        &self.hosts[host.0 as usize]
    }

    pub(crate) fn host_mut(&mut self, host: HostId) -> &mut Host {
        &mut self.hosts[host.0 as usize]
    }

    /// All hosts, in the order of creation.
    pub fn host_ids(&self) -> impl Iterator<Item = HostId> + use<> {
        (0..self.hosts.len() as u32).map(HostId)
    }

    /// Adds a host, or gives the one that has this name already.
    pub fn add_host(&mut self, name: &str) -> HostId {
        if let Some(host) = self.host_by_name(name) {
            return host;
        }
        self.hosts.push(Host::new(name.to_owned()));
        HostId(self.hosts.len() as u32 - 1)
    }

    /// The host of this name.
    pub fn host_by_name(&self, name: &str) -> Option<HostId> {
        self.host_ids().find(|id| self.host(*id).name == name)
    }

    /// A host's name.
    pub fn host_name(&self, host: HostId) -> &str {
        &self.host(host).name
    }

    /// A host's disk.
    pub fn disk(&self, host: HostId) -> &Disk {
        &self.host(host).disk
    }

    /// A host's disk, to be written.
    pub fn disk_mut(&mut self, host: HostId) -> &mut Disk {
        &mut self.host_mut(host).disk
    }

    /// Lets `host` share the network of `root` (compose's `network_mode: host`); `None` ends that.
    pub fn set_network(&mut self, host: HostId, root: Option<HostId>) {
        self.host_mut(host).network_of = root;
    }

    /// Forwards `port` of `from` to `to_port` of `to` (compose's `ports:`).
    pub fn publish(&mut self, from: HostId, port: u16, to: HostId, to_port: u16) {
        self.host_mut(from).published.insert(port, (to, to_port));
    }

    /// Ends all forwardings to `to`.
    pub fn unpublish(&mut self, to: HostId) {
        for host in &mut self.hosts {
            host.published.retain(|_, (target, _)| *target != to);
        }
    }

    // ---- nodes -------------------------------------------------------------------------------

    /// A host's running Kafka node.
    pub fn node(&self, host: HostId) -> Option<&Node> {
        self.host(host).node.as_ref()
    }

    /// The config with which the node of `host` was last started.
    pub fn node_config(&self, host: HostId) -> Option<&NodeConfig> {
        self.host(host).config.as_ref()
    }

    /// What the node of `host` does, and since when.
    pub fn node_state(&self, host: HostId) -> (NodeState, Time) {
        let host = self.host(host);
        (host.state, host.state_since)
    }

    /// The log lines of the node of `host`, oldest first, of all its runs.
    pub fn node_log(&self, host: HostId) -> &[(Time, LogLine)] {
        &self.host(host).log_lines
    }

    /// Starts a Kafka node on `host` from what its disk holds. Does nothing when one runs.
    pub fn start_node(&mut self, host: HostId, config: NodeConfig) {
        if self.host(host).state != NodeState::Stopped {
            return;
        }
        let (now, seed) = (self.now, self.seed);
        let event = self.trace.push(now, TraceKind::NodeStarted(host));
        self.set_cause(Some(event));
        self.power_on(host);
        let now = self.clock(host);
        let entry = self.host_mut(host);
        entry.starts += 1;
        entry.listeners = config
            .listeners
            .iter()
            .map(|listener| (listener.port, listener.name.clone()))
            .collect();
        entry.config = Some(config.clone());
        let node_seed =
            Random::new(seed, &format!("node {} {}", entry.name, entry.starts)).next_u64();
        entry.node = Some(Node::start(config, &mut entry.disk, node_seed, now));
        self.set_node_state(host, NodeState::Running);
        self.drain_node(host);
    }

    /// Asks the node of `host` to shut down (SIGTERM); it ends by itself, see [`World::node_state`].
    pub fn stop_node(&mut self, host: HostId) {
        if self.host(host).state != NodeState::Running {
            return;
        }
        let now = self.now;
        let event = self.trace.push(now, TraceKind::NodeStopping(host));
        self.set_cause(Some(event));
        self.set_node_state(host, NodeState::Stopping);
        // Docker lets a stopped process go on once it has the signal.
        self.heal(|fault| *fault == Fault::Pause { host });
        let now = self.clock(host);
        let entry = self.host_mut(host);
        if let Some(node) = entry.node.as_mut() {
            node.shutdown(&mut entry.disk, now);
        }
        self.drain_node(host);
    }

    /// Kills the node of `host` (SIGKILL). Its disk keeps what was written, flushed or not: the machine
    /// runs on.
    pub fn kill_node(&mut self, host: HostId) {
        if self.host(host).state == NodeState::Stopped {
            return;
        }
        let event = self.trace.push(self.now, TraceKind::NodeKilled(host));
        self.set_cause(Some(event));
        self.end_node(host);
    }

    fn end_node(&mut self, host: HostId) {
        let entry = self.host_mut(host);
        entry.node = None;
        entry.listeners.clear();
        entry.tick_at = Time::NEVER;
        entry.queued.clear();
        entry.busy_until = None;
        entry.paused = false;
        let waiting = std::mem::take(&mut entry.paused_tasks);
        waiting.into_iter().for_each(|pid| self.ready.push(pid));
        self.set_node_state(host, NodeState::Stopped);
        self.drop_node_connections(host);
    }

    fn set_node_state(&mut self, host: HostId, state: NodeState) {
        let now = self.now;
        let entry = self.host_mut(host);
        entry.state = state;
        entry.state_since = now;
        self.node_watchers.drain(..).for_each(Waker::wake);
    }

    pub(crate) fn node_input(&mut self, host: HostId, input: NodeInput) {
        let entry = self.host_mut(host);
        if entry.node.is_none() {
            return;
        }
        if entry.paused || entry.busy_until.is_some() {
            entry.queued.push_back(input);
            return;
        }
        self.give(host, input);
    }

    fn give(&mut self, host: HostId, input: NodeInput) {
        let now = self.clock(host);
        let entry = self.host_mut(host);
        let Some(node) = entry.node.as_mut() else {
            return;
        };
        node.handle(input, &mut entry.disk, now);
        if entry.disk_operation_us > 0 {
            let operations = entry.disk.operations() - entry.disk_operations_seen;
            entry.disk_operations_seen = entry.disk.operations();
            if operations > 0 {
                let wait = std::time::Duration::from_micros(
                    entry.disk_operation_us.saturating_mul(operations),
                );
                let until = self.now + wait;
                self.host_mut(host).busy_until = Some(until);
                self.schedule(until, Event::DiskDone { host });
                return;
            }
        } else {
            entry.disk_operations_seen = entry.disk.operations();
        }
        self.drain_node(host);
    }

    /// Gives a node what waits for it, as far as it takes it.
    pub(crate) fn pump(&mut self, host: HostId) {
        loop {
            let entry = self.host_mut(host);
            if entry.paused || entry.busy_until.is_some() || entry.node.is_none() {
                return;
            }
            match entry.queued.pop_front() {
                Some(input) => self.give(host, input),
                None => return,
            }
        }
    }

    fn on_disk_done(&mut self, host: HostId) {
        let now = self.now;
        let entry = self.host_mut(host);
        if entry.busy_until.is_some_and(|until| until <= now) {
            entry.busy_until = None;
            self.drain_node(host);
            self.pump(host);
        }
    }

    fn drain_node(&mut self, host: HostId) {
        if self.end_on_disk_failure(host) {
            return;
        }
        let now = self.now;
        let clock = self.clock(host);
        for _ in 0..NODE_OUTPUTS_MAX {
            let Some(output) = self
                .host_mut(host)
                .node
                .as_mut()
                .and_then(Node::poll_output)
            else {
                break;
            };
            match output {
                NodeOutput::Send(connection, frame) => {
                    if let Some(&id) = self.host(host).accepted.get(&connection) {
                        self.send(id, false, frame);
                    }
                }
                NodeOutput::Close(connection) => {
                    if let Some(id) = self.host_mut(host).accepted.remove(&connection) {
                        self.close(id, false);
                    }
                }
                NodeOutput::Client(ClientOutput::Connect {
                    connection,
                    host: name,
                    port,
                }) => {
                    let id = self.connect(Owner::NodeOutgoing(host, connection), host, &name, port);
                    self.host_mut(host).outgoing.insert(connection, id);
                }
                NodeOutput::Client(ClientOutput::Send(connection, frame)) => {
                    if let Some(&id) = self.host(host).outgoing.get(&connection) {
                        self.send(id, true, frame);
                    }
                }
                NodeOutput::Client(ClientOutput::Close(connection)) => {
                    if let Some(id) = self.host_mut(host).outgoing.remove(&connection) {
                        self.close(id, true);
                    }
                }
                NodeOutput::Log(line) | NodeOutput::Client(ClientOutput::Log(line)) => {
                    self.host_mut(host).log(clock, line)
                }
                NodeOutput::Stopped => {
                    self.trace.push(now, TraceKind::NodeStopped(host));
                    self.end_node(host);
                }
            }
        }
        self.schedule_tick(host);
    }

    // ---- events ------------------------------------------------------------------------------

    pub(crate) fn schedule(&mut self, at: Time, event: Event) {
        let sequence = self.next_event;
        self.next_event += 1;
        self.events
            .insert((at.max(self.now), sequence), (event, self.trace.cause));
    }

    pub(crate) fn set_cause(&mut self, cause: Option<u64>) {
        self.trace.cause = cause;
        self.ready.set_cause(cause);
    }

    /// When the next event is due, [`Time::NEVER`] if none is.
    pub(crate) fn next_event_time(&self) -> Time {
        self.events
            .first_key_value()
            .map_or(Time::NEVER, |((at, _), _)| *at)
    }

    /// Lets the next event happen. `false` if there is none.
    pub(crate) fn handle_next_event(&mut self) -> bool {
        let Some(((at, _), (event, cause))) = self.events.pop_first() else {
            return false;
        };
        self.now = self.now.max(at);
        self.set_cause(cause);
        match event {
            Event::Connect {
                connection,
                listener,
            } => self.on_connect(connection, listener),
            Event::ConnectFailed { connection } => self.on_connect_failed(connection),
            Event::Deliver {
                connection,
                to_server,
                frame,
                sent,
            } => self.on_deliver(connection, to_server, frame, sent),
            Event::Closed {
                connection,
                to_server,
            } => self.on_closed(connection, to_server),
            Event::StalledTooLong {
                connection,
                to_server,
                since,
            } => self.on_stalled_too_long(connection, to_server, since),
            Event::ConnectTimeout { connection } => self.on_connect_timeout(connection),
            Event::DiskDone { host } => self.on_disk_done(host),
            Event::NodeTick { host } => self.on_node_tick(host),
            Event::Wake(waker) => waker.wake(),
        }
        true
    }

    fn on_node_tick(&mut self, host: HostId) {
        // Only the newest deadline counts; a tick that was scheduled for an older one is stale.
        if self.host(host).tick_at <= self.clock(host) {
            self.host_mut(host).tick_at = Time::NEVER;
            self.node_input(host, NodeInput::Tick);
        }
    }

    // ---- terminals ---------------------------------------------------------------------------

    /// Opens a terminal.
    pub fn open_terminal(&mut self) -> TerminalId {
        let id = TerminalId(self.next_terminal);
        self.next_terminal += 1;
        self.terminals.insert(id, Terminal::default());
        id
    }

    /// Lets Ctrl-C of `terminal` reach this process group.
    pub fn set_foreground(&mut self, terminal: TerminalId, group: Pid) {
        if let Some(terminal) = self.terminals.get_mut(&terminal) {
            terminal.foreground = Some(group);
        }
    }

    /// A shell says where it prompts: on which host, in which directory.
    pub fn set_terminal_place(&mut self, terminal: TerminalId, host: HostId, directory: &str) {
        if let Some(terminal) = self.terminals.get_mut(&terminal) {
            terminal.place = Some((host, directory.to_owned()));
        }
    }

    /// Where the shell of a terminal last prompted.
    pub fn terminal_place(&self, terminal: TerminalId) -> Option<(HostId, &str)> {
        let (host, directory) = self.terminals.get(&terminal)?.place.as_ref()?;
        Some((*host, directory))
    }
}
