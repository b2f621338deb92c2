//! One Kafka process, broker and controller in one (KRaft combined mode), as a plain value.
//!
//! Driving contract:
//! - [`Node::start`] first, then drain [`Node::poll_output`]. It reads the disk, as `kafka.Kafka` does.
//! - Inputs: [`Node::handle`], at [`Node::next_deadline`] with [`NodeInput::Tick`], and [`Node::shutdown`].
//!   Every input takes the same disk and a time that never goes back.
//! - After every input, drain [`Node::poll_output`] to the end, in order.
//! - [`NodeOutput::Stopped`] is the last output: the host drops the value and closes its connections.
//!   Dropping it at any other moment is a crash of the process.

mod interface;
mod view;

use std::collections::VecDeque;

use playground_log::{Disk, Log};
use playground_protocol::Time;

pub use interface::{CONTROLLER_LISTENER, Listener, NodeConfig, NodeInput, NodeOutput};
pub use view::{CommittedOffset, GroupView, PartitionView, Role};

/// One Kafka process. See the module's driving contract.
#[derive(Debug)]
pub struct Node {
    config: NodeConfig,
    output: VecDeque<NodeOutput>,
}

impl Node {
    /// Starts the process: formats an empty log directory, recovers the logs of another, and begins to register
    /// with the controller.
    pub fn start(config: NodeConfig, disk: &mut Disk, seed: u64, now: Time) -> Node {
        let _ = (disk, seed, now);
        Node {
            config,
            output: VecDeque::new(),
        }
    }

    /// Takes one input.
    pub fn handle(&mut self, input: NodeInput, disk: &mut Disk, now: Time) {
        let _ = (input, disk, now);
    }

    /// Begins the controlled shutdown (SIGTERM); [`NodeOutput::Stopped`] ends it.
    pub fn shutdown(&mut self, disk: &mut Disk, now: Time) {
        let _ = (disk, now);
        self.output.push_back(NodeOutput::Stopped);
    }

    /// The next thing to do for the node, if any.
    pub fn poll_output(&mut self) -> Option<NodeOutput> {
        self.output.pop_front()
    }

    /// When [`NodeInput::Tick`] is due; [`Time::NEVER`] if nothing is.
    pub fn next_deadline(&self) -> Time {
        Time::NEVER
    }

    /// The settings that the node was started with.
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// Whether this node is the active controller.
    pub fn is_controller(&self) -> bool {
        self.config.is_active_controller()
    }

    /// A partition's offsets and role on this broker, if it has a replica.
    pub fn partition_view(&self, topic: &str, partition: i32) -> Option<PartitionView> {
        let _ = (topic, partition);
        None
    }

    /// A replica's log.
    pub fn log(&self, topic: &str, partition: i32) -> Option<&Log> {
        let _ = (topic, partition);
        None
    }

    /// The groups that this node coordinates, by id.
    pub fn group_views(&self) -> Vec<GroupView> {
        Vec::new()
    }
}
