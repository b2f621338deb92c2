//! One Kafka process: broker and controller, as a plain value.

mod interface;

pub use interface::{Listener, NodeConfig, NodeInput, NodeOutput};

use playground_log::disk::Disk;
use playground_protocol::Time;

/// One Kafka process. Inputs go in through [`Node::handle`], [`Node::shutdown`]; after each, drain
/// [`Node::poll_output`] to the end and ask [`Node::next_deadline`], at which [`NodeInput::Tick`] is due.
pub struct Node {
    _config: NodeConfig,
}

impl Node {
    /// Starts the process on what the disk holds.
    pub fn start(config: NodeConfig, disk: &mut Disk, seed: u64, now: Time) -> Node {
        let _ = (disk, seed, now);
        Node { _config: config }
    }

    /// Takes an input. `now` never goes back.
    pub fn handle(&mut self, input: NodeInput, disk: &mut Disk, now: Time) {
        let _ = (input, disk, now);
    }

    /// The next output, in order; `None` when there is no more.
    pub fn poll_output(&mut self) -> Option<NodeOutput> {
        None
    }

    /// When a tick is due; [`Time::NEVER`] when none is.
    pub fn next_deadline(&self) -> Time {
        Time::NEVER
    }

    /// Begins a controlled shutdown (SIGTERM); [`NodeOutput::Stopped`] ends it.
    pub fn shutdown(&mut self, disk: &mut Disk, now: Time) {
        let _ = (disk, now);
    }
}
