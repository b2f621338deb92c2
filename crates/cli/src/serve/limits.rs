//! What bounds the server, each with its reason. A connection that leaves its bounds is closed; others are not touched.

use std::time::Duration;

/// The largest frame that is read: `socket.request.max.bytes`.
pub const FRAME_BYTES_MAX: usize = 104_857_600;

/// The largest frame of anything but Produce. Decoded, a frame of many tiny elements takes tens of times its bytes;
/// only records have reason to be large.
pub const OTHER_FRAME_BYTES_MAX: usize = 8 * 1024 * 1024;

/// Memory is taken as a frame's bytes come, in steps of this many: a size alone takes nothing.
pub const READ_STEP_BYTES: usize = 64 * 1024;

/// What came of a frame beyond this many bytes shares [`LARGE_FRAMES_BYTES_MAX`]. Clients with default settings send up to 1 MiB.
pub const LARGE_FRAME_BYTES: usize = 2 * 1024 * 1024;

/// Bytes of large frames that are being read or wait for a node, over all connections.
pub const LARGE_FRAMES_BYTES_MAX: usize = 512 * 1024 * 1024;

/// Frames of one connection that a node has and has not answered. Kafka takes one at a time; the second
/// hides the way there.
pub const FRAMES_IN_WORK_MAX: usize = 2;

/// Bytes of responses that a slow reader may leave waiting before its requests are left unread.
pub const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How long a connection may be silent between frames: `connections.max.idle.ms`.
pub const IDLE_MAX: Duration = Duration::from_secs(600);

/// How long a connection may be silent within a frame.
pub const STALL_MAX: Duration = Duration::from_secs(30);

/// Inputs that wait for a node before sockets are left unread.
pub const INPUTS_MAX: usize = 1024;

/// Inputs that are handled before the disk's changes are written and the responses sent.
pub const INPUTS_PER_WRITE: usize = 64;

/// Batches of changes that wait for the writer before the node waits for it.
pub const QUEUED_BATCHES_MAX: usize = 64;

/// Files that a node's writer keeps open.
pub const OPEN_FILES_MAX: usize = 64;

/// File descriptors that are left for what is neither a socket of a client nor a writer's open file.
pub const OTHER_FILES: usize = 64;

/// Accepted connections when the system does not say how many files may be open.
pub const CONNECTIONS_DEFAULT: usize = 512;

/// How long all nodes together may take to shut down.
pub const SHUTDOWN_MAX: Duration = Duration::from_secs(15);

/// Times that a node is started again after a panic, before the server gives up.
pub const RESTARTS_MAX: u32 = 8;

/// Accepted connections: what the limit of open files leaves beside the writers' files of so many nodes.
pub fn connections_max(nodes: usize) -> usize {
    let Some(open_files) = open_files_max() else {
        return CONNECTIONS_DEFAULT;
    };
    // Each node listens twice and keeps up to three connections to every other, seen from both ends.
    let own = nodes * (OPEN_FILES_MAX + 2 + 6 * nodes) + OTHER_FILES;
    open_files.saturating_sub(own).max(16)
}

fn open_files_max() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

const _: () = assert!(OTHER_FRAME_BYTES_MAX < FRAME_BYTES_MAX);
const _: () = assert!(READ_STEP_BYTES < LARGE_FRAME_BYTES);
const _: () = assert!(FRAME_BYTES_MAX <= LARGE_FRAMES_BYTES_MAX);
