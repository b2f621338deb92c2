//! What happened, in order, each event with its cause.

use std::collections::VecDeque;

use bytes::Bytes;
use playground_protocol::Time;

use crate::TRACE_EVENTS_MAX;
use crate::faults::Fault;
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
    /// The network lost packets of that event's frame: it comes later, when they are sent again.
    FrameRetransmitted {
        /// The [`TraceKind::FrameSent`] event.
        sent: u64,
        /// How often they were lost.
        losses: u32,
    },
    /// The frame of that event waits where the network is cut.
    FrameStalled {
        /// The [`TraceKind::FrameSent`] event.
        sent: u64,
    },
    /// Packets of that event's frame arrived twice; the receiver's kernel threw the copies away.
    FrameDuplicated {
        /// The [`TraceKind::FrameSent`] event.
        sent: u64,
    },
    /// The frame of that event was overtaken on the way.
    FrameReordered {
        /// The [`TraceKind::FrameSent`] event.
        sent: u64,
    },
    /// Something was broken on purpose.
    Fault(Fault),
    /// Something that was broken was mended.
    Healed(Fault),
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

impl TraceKind {
    fn number(&self) -> u64 {
        match self {
            TraceKind::FrameSent(_) => 1,
            TraceKind::FrameDelivered { .. } => 2,
            TraceKind::FrameDropped { .. } => 3,
            TraceKind::FrameRetransmitted { .. } => 4,
            TraceKind::FrameStalled { .. } => 5,
            TraceKind::FrameDuplicated { .. } => 6,
            TraceKind::FrameReordered { .. } => 7,
            TraceKind::Fault(_) => 8,
            TraceKind::Healed(_) => 9,
            TraceKind::NodeStarted(_) => 10,
            TraceKind::NodeStopping(_) => 11,
            TraceKind::NodeStopped(_) => 12,
            TraceKind::NodeKilled(_) => 13,
            TraceKind::ProcessStarted { .. } => 14,
            TraceKind::ProcessEnded { .. } => 15,
            TraceKind::Typed { .. } => 16,
        }
    }

    fn detail(&self) -> u64 {
        match self {
            TraceKind::FrameSent(info) => info.connection,
            TraceKind::FrameDelivered { sent }
            | TraceKind::FrameDropped { sent }
            | TraceKind::FrameRetransmitted { sent, .. }
            | TraceKind::FrameStalled { sent }
            | TraceKind::FrameDuplicated { sent }
            | TraceKind::FrameReordered { sent } => *sent,
            TraceKind::Fault(fault) | TraceKind::Healed(fault) => u64::from(fault.hosts().0.0),
            TraceKind::NodeStarted(host)
            | TraceKind::NodeStopping(host)
            | TraceKind::NodeStopped(host)
            | TraceKind::NodeKilled(host) => u64::from(host.0),
            TraceKind::ProcessStarted { pid, .. } => u64::from(pid.0),
            TraceKind::ProcessEnded { pid, code } => {
                (u64::from(pid.0) << 32) | u64::from(code.unsigned_abs())
            }
            TraceKind::Typed { terminal, .. } => u64::from(*terminal),
        }
    }
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
#[derive(Debug)]
pub struct Trace {
    events: VecDeque<TraceEvent>,
    next_id: u64,
    frames: u64,
    hash: u64,
    /// Whether events are kept; without, they are counted and hashed only.
    pub(crate) kept: bool,
    /// The event that is being handled.
    pub(crate) cause: Option<u64>,
}

impl Default for Trace {
    fn default() -> Trace {
        Trace {
            events: VecDeque::new(),
            next_id: 0,
            frames: 0,
            hash: 0,
            kept: true,
            cause: None,
        }
    }
}

/// One round of a small hash; 64-bit multiplication is the same natively and in wasm.
fn mix(hash: u64, value: u64) -> u64 {
    (hash.rotate_left(23) ^ value).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Trace {
    /// Counts and hashes an event that is not kept, or will be pushed next.
    pub(crate) fn note(&mut self, at: Time, kind: u64, detail: u64) {
        self.hash = mix(mix(mix(self.hash, at.micros()), kind), detail);
    }

    /// Counts and hashes a frame.
    pub(crate) fn note_frame(&mut self, at: Time, connection: u64, frame: &[u8]) {
        let mut hash = mix(self.hash, connection);
        let (words, rest) = frame.as_chunks::<8>();
        for word in words {
            hash = mix(hash, u64::from_le_bytes(*word));
        }
        for byte in rest {
            hash = mix(hash, u64::from(*byte));
        }
        self.hash = hash;
        self.note(at, 1, frame.len() as u64);
    }

    /// A hash over all that happened: the same seed and inputs give the same, natively and in wasm.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    /// Counts and hashes the event that comes next without keeping it, where none is kept.
    pub(crate) fn skip(&mut self, frame: bool) -> Option<u64> {
        if self.kept {
            return None;
        }
        let id = self.next_id;
        self.next_id += 1;
        self.frames += u64::from(frame);
        Some(id)
    }

    pub(crate) fn push(&mut self, at: Time, kind: TraceKind) -> u64 {
        self.note(at, kind.number(), kind.detail());
        if let Some(id) = self.skip(matches!(kind, TraceKind::FrameSent(_))) {
            return id;
        }
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
