//! What bounds a node, each with its reason.

/// Frames that wait behind the one in work on a connection. Kafka stops to read from the socket instead;
/// a client that pipelines more than this is broken (the Java client sends five).
pub const QUEUED_FRAMES_PER_CONNECTION_MAX: usize = 1_000;

/// Bytes of those frames: `socket.request.max.bytes`, the largest frame that Kafka reads.
pub const QUEUED_BYTES_PER_CONNECTION_MAX: usize = 104_857_600;

/// `fetch.max.bytes`: no response carries more records than this, but for a first batch that is larger.
pub const FETCH_BYTES_MAX: i32 = 57_671_680;

/// `max.incremental.fetch.session.cache.slots`.
pub const FETCH_SESSIONS_MAX: usize = 1_000;

/// Steps that one input may cause before the rest waits for the next tick: a guard against loops.
pub const STEPS_PER_INPUT_MAX: usize = 1_000_000;
