//! A host: a name, a disk, and perhaps a Kafka node.

use std::collections::{BTreeMap, VecDeque};

use playground_broker::{Node, NodeConfig, NodeInput};
use playground_log::disk::Disk;
use playground_protocol::{ConnectionId, LogLine, Time};

use crate::faults::Clock;
use crate::process::Pid;

/// Names a host of the simulation, in the order of creation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostId(pub u32);

/// What a host's Kafka process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeState {
    /// Not running.
    Stopped,
    /// Running.
    Running,
    /// Asked to shut down (SIGTERM), not ended yet.
    Stopping,
}

/// Log lines of a node that are kept for `docker-compose logs`.
const NODE_LOG_LINES_MAX: usize = 2_000;

pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) disk: Disk,
    pub(crate) node: Option<Node>,
    pub(crate) config: Option<NodeConfig>,
    pub(crate) state: NodeState,
    /// When the node was last started or ended.
    pub(crate) state_since: Time,
    /// How often a node was started here; part of its seed.
    pub(crate) starts: u64,
    /// Ports that somebody listens on here, and the listener's name.
    pub(crate) listeners: BTreeMap<u16, String>,
    /// Ports forwarded elsewhere (compose's `ports:`).
    pub(crate) published: BTreeMap<u16, (HostId, u16)>,
    /// The host whose network this one shares (compose's `network_mode: host`).
    pub(crate) network_of: Option<HostId>,
    /// The node's ends of its connections, by the node's own ids.
    pub(crate) accepted: BTreeMap<ConnectionId, u64>,
    pub(crate) outgoing: BTreeMap<ConnectionId, u64>,
    pub(crate) next_accepted: u64,
    /// The next deadline for which a tick is scheduled.
    pub(crate) tick_at: Time,
    pub(crate) log_lines: Vec<(Time, LogLine)>,
    pub(crate) clock: Clock,
    /// Whether the machine has power. What happens to it without is in `faults.rs`.
    pub(crate) powered: bool,
    /// Its processes are stopped (SIGSTOP); the kernel is not.
    pub(crate) paused: bool,
    /// Processes that would run, were they not stopped.
    pub(crate) paused_tasks: Vec<Pid>,
    /// What the node has not taken yet: it is paused, or waits for its disk.
    pub(crate) queued: VecDeque<NodeInput>,
    /// The node waits for its disk until then.
    pub(crate) busy_until: Option<Time>,
    pub(crate) disk_operation_us: u64,
    pub(crate) disk_operations_seen: u64,
    pub(crate) disk_full: bool,
}

impl Host {
    pub(crate) fn new(name: String) -> Host {
        Host {
            name,
            disk: Disk::new(),
            node: None,
            config: None,
            state: NodeState::Stopped,
            state_since: Time::default(),
            starts: 0,
            listeners: BTreeMap::new(),
            published: BTreeMap::new(),
            network_of: None,
            accepted: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            next_accepted: 1,
            tick_at: Time::NEVER,
            log_lines: Vec::new(),
            clock: Clock::default(),
            powered: true,
            paused: false,
            paused_tasks: Vec::new(),
            queued: VecDeque::new(),
            busy_until: None,
            disk_operation_us: 0,
            disk_operations_seen: 0,
            disk_full: false,
        }
    }

    pub(crate) fn log(&mut self, now: Time, line: LogLine) {
        if self.log_lines.len() >= NODE_LOG_LINES_MAX {
            self.log_lines.drain(..NODE_LOG_LINES_MAX / 2);
        }
        self.log_lines.push((now, line));
    }
}
