//! Frames on a socket: a four-byte size, then the frame.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, mpsc};

/// The largest frame that is read: `socket.request.max.bytes`.
const FRAME_BYTES_MAX: usize = 104_857_600;
/// Memory is taken as a frame's bytes come, in steps of this many: a size alone takes nothing.
const READ_STEP_BYTES: usize = 64 * 1024;
/// Bytes of responses that a slow reader may leave waiting before its requests are left unread.
const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What waits to be written to one connection.
#[derive(Default)]
struct Backlog {
    bytes: AtomicUsize,
    drained: Notify,
}

/// The sending end of a connection.
#[derive(Clone)]
pub struct FrameSender {
    sender: mpsc::UnboundedSender<Bytes>,
    backlog: Arc<Backlog>,
}

impl FrameSender {
    /// Starts a task that writes frames to a socket. The task ends, and the socket with it, when the last
    /// sender is dropped.
    pub fn start(socket: OwnedWriteHalf) -> FrameSender {
        let (sender, receiver) = mpsc::unbounded_channel();
        let backlog = Arc::new(Backlog::default());
        tokio::spawn(write_frames(socket, receiver, Arc::clone(&backlog)));
        FrameSender { sender, backlog }
    }

    /// Queues a frame.
    pub fn send(&self, frame: Bytes) {
        self.backlog.bytes.fetch_add(frame.len(), Ordering::Relaxed);
        // When the socket is broken, its reader says so.
        let _ = self.sender.send(frame);
    }

    /// A way to wait for the backlog that does not keep the socket open.
    pub fn gate(&self) -> Gate {
        Gate(Arc::clone(&self.backlog))
    }
}

/// Waits until a connection's backlog is small.
pub struct Gate(Arc<Backlog>);

impl Gate {
    async fn pass(&self) {
        loop {
            let drained = self.0.drained.notified();
            if self.0.bytes.load(Ordering::Relaxed) <= WAITING_BYTES_MAX {
                return;
            }
            drained.await;
        }
    }
}

async fn write_frames(
    mut socket: OwnedWriteHalf,
    mut receiver: mpsc::UnboundedReceiver<Bytes>,
    backlog: Arc<Backlog>,
) {
    while let Some(frame) = receiver.recv().await {
        let size = (frame.len() as u32).to_be_bytes();
        let mut head = BytesMut::from(&size[..]);
        // One write for small frames; large ones are not copied.
        let written = if frame.len() <= READ_STEP_BYTES {
            head.extend_from_slice(&frame);
            socket.write_all(&head).await
        } else {
            match socket.write_all(&head).await {
                Ok(()) => socket.write_all(&frame).await,
                error => error,
            }
        };
        backlog.bytes.fetch_sub(frame.len(), Ordering::Relaxed);
        backlog.drained.notify_waiters();
        if written.is_err() {
            backlog.bytes.store(0, Ordering::Relaxed);
            backlog.drained.notify_waiters();
            return;
        }
    }
    let _ = socket.shutdown().await;
}

/// Reads the next frame. `None` when the peer closed, broke off, or sent a size that no frame has.
pub async fn read_frame(socket: &mut OwnedReadHalf, gate: &Gate) -> Option<Bytes> {
    gate.pass().await;
    let size = usize::try_from(socket.read_i32().await.ok()?).ok()?;
    if size > FRAME_BYTES_MAX {
        return None;
    }
    let mut frame = BytesMut::with_capacity(size.min(READ_STEP_BYTES));
    while frame.len() < size {
        let step = (size - frame.len()).min(READ_STEP_BYTES.max(frame.len()));
        frame.reserve(step);
        let mut limited = (&mut *socket).take(step as u64);
        if limited.read_buf(&mut frame).await.ok()? == 0 {
            return None;
        }
    }
    Some(frame.freeze())
}
