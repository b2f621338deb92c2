//! The simulation: hosts with disks and nodes, a network between them, processes, terminals, and a
//! virtual clock that only events move.
//!
//! [`Sim`] is driven from outside: inputs go in through its methods (typed lines, signals, compose's
//! starts and stops), [`Sim::step`] or [`Sim::run_until`] let events happen, outputs are drained
//! (terminal bytes, disk changes). The same seed and the same inputs give the same bytes.
//!
//! Inside, everything that happens is an event on one queue, ordered by time and then by the order in
//! which it was scheduled. Nodes are explicit state machines ([`playground_broker::Node`]); console
//! tools are `async fn`s on a deterministic single-threaded executor and see the world through
//! [`Process`].

mod executor;
mod faults;
mod host;
mod network;
mod process;
mod select;
mod sim;
mod stream;
mod terminal;
mod trace;
mod world;

pub use faults::Fault;
pub use host::{HostId, NodeState};
pub use process::{Pid, Process, ProcessInfo, Signal, SpawnOptions, Stdio};
pub use select::{Either, select};
pub use sim::{Sim, SimOptions};
pub use stream::{BrokenPipe, InputStream, OutputStream};
pub use terminal::TerminalId;
pub use trace::{FrameDirection, FrameInfo, Trace, TraceEvent, TraceKind};
pub use world::World;

/// Bytes that a pipe holds before a writer waits: Linux's 64 KiB.
pub const PIPE_BYTES_MAX: usize = 64 * 1024;

/// Bytes of unread output that a terminal holds before a writer waits for the host to drain it.
pub const TERMINAL_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Events kept in the trace; older ones are forgotten, their count is kept.
pub const TRACE_EVENTS_MAX: usize = 20_000;
