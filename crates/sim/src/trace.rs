//! What happened, in order, each event with its cause.

use std::collections::VecDeque;

use bytes::Bytes;
use playground_protocol::Time;

use crate::TRACE_EVENTS_MAX;
use crate::host::HostId;
use crate::process::Pid;

/// Bytes of a frame that the trace keeps for the inspector.
const FRAME_BYTES_KEPT: usize = 1024;

/// Request or response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameDirection {
    /// From the end that opened the connection.
    Request,
    /// To the end that opened the connection.
    Response,
}

/// A frame on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FrameInfo {
    /// The connection's number in the whole simulation.
    pub connection: u64,
    /// Request or response.
    pub direction: FrameDirection,
    /// Who sent it: a host's name, or `host/process`.
    pub from: String,
    /// Who gets it.
    pub to: String,
    /// The API key; of a response, its request's.
    pub api_key: i16,
    /// The API version; of a response, its request's.
    pub api_version: i16,
    /// The correlation id.
    pub correlation_id: i32,
    /// The whole frame's length in bytes, without the size.
    pub length: usize,
    /// The frame's first bytes (at most 1 KiB).
    pub bytes: Bytes,
}

/// What kind of event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TraceKind {
    /// A frame left.
    FrameSent(FrameInfo),
    /// The frame of that event arrived.
    FrameDelivered {
        /// The [`TraceKind::FrameSent`] event.
        sent: u64,
    },
    /// The frame of that event was lost: the peer was gone.
    FrameDropped {
        /// The [`TraceKind::FrameSent`] event.
        sent: u64,
    },
    /// A node's process started.
    NodeStarted(HostId),
    /// A node was asked to end (SIGTERM).
    NodeStopping(HostId),
    /// A node's process ended by itself.
    NodeStopped(HostId),
    /// A node's process was killed (SIGKILL).
    NodeKilled(HostId),
    /// A process started.
    ProcessStarted {
        /// Its id.
        pid: Pid,
        /// Where it runs.
        host: HostId,
        /// Its command line.
        name: String,
    },
    /// A process ended.
    ProcessEnded {
        /// Its id.
        pid: Pid,
        /// Its exit code.
        code: i32,
    },
    /// Somebody typed a line.
    Typed {
        /// In which terminal.
        terminal: u32,
        /// The line.
        line: String,
    },
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceEvent {
    /// Counts up from 0 over the whole session.
    pub id: u64,
    /// The event that led to it.
    pub cause: Option<u64>,
    /// When.
    pub at: Time,
    /// What.
    pub kind: TraceKind,
}

/// The last events, and how many there were.
#[derive(Debug, Default)]
pub struct Trace {
    events: VecDeque<TraceEvent>,
    next_id: u64,
    frames: u64,
    /// The event that is being handled.
    pub(crate) cause: Option<u64>,
}

impl Trace {
    pub(crate) fn push(&mut self, at: Time, kind: TraceKind) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        if let TraceKind::FrameSent(_) = kind {
            self.frames += 1;
        }
        if self.events.len() >= TRACE_EVENTS_MAX {
            self.events.pop_front();
        }
        self.events.push_back(TraceEvent {
            id,
            cause: self.cause,
            at,
            kind,
        });
        id
    }

    pub(crate) fn frame(frame: &Bytes) -> Bytes {
        // Copied, so that a short frame does not keep a large buffer alive.
        Bytes::copy_from_slice(&frame[..frame.len().min(FRAME_BYTES_KEPT)])
    }

    /// The events kept, oldest first.
    pub fn events(&self) -> impl DoubleEndedIterator<Item = &TraceEvent> {
        self.events.iter()
    }

    /// The event of this id, if it is still kept.
    pub fn event(&self, id: u64) -> Option<&TraceEvent> {
        let first = self.events.front()?.id;
        self.events
            .get(usize::try_from(id.checked_sub(first)?).ok()?)
    }

    /// The id that the next event will get.
    pub fn next_id(&self) -> u64 {
        self.next_id
    }

    /// Frames sent since the start, forgotten ones included.
    pub fn frame_count(&self) -> u64 {
        self.frames
    }
}
