//! Frames on a socket: a four-byte size, then the frame.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

use super::limits::{
    FRAME_BYTES_MAX, FRAMES_IN_WORK_MAX, IDLE_MAX, LARGE_FRAME_BYTES, OTHER_FRAME_BYTES_MAX,
    READ_STEP_BYTES, STALL_MAX, WAITING_BYTES_MAX,
};

/// The API key of Produce, first in a frame.
const PRODUCE: [u8; 2] = [0, 0];

/// What a connection keeps busy: its reader waits for this to be little.
#[derive(Default)]
struct Load {
    /// Bytes of responses that wait to be written.
    bytes: AtomicUsize,
    /// Requests that were read and are not answered.
    frames: AtomicUsize,
    less: Notify,
}

/// The sending end of a connection.
#[derive(Clone)]
pub struct FrameSender {
    sender: mpsc::UnboundedSender<Bytes>,
    load: Arc<Load>,
}

impl FrameSender {
    /// Starts a task that writes frames to a socket. The task ends, and the socket with it, when the last
    /// sender is dropped. `slot` is held as long.
    pub fn start(socket: OwnedWriteHalf, slot: Option<OwnedSemaphorePermit>) -> FrameSender {
        let (sender, receiver) = mpsc::unbounded_channel();
        let load = Arc::new(Load::default());
        let writing = write_frames(socket, receiver, Arc::clone(&load));
        tokio::spawn(async move {
            writing.await;
            drop(slot);
        });
        FrameSender { sender, load }
    }

    /// Queues a frame.
    pub fn send(&self, frame: Bytes) {
        self.load.bytes.fetch_add(frame.len(), Ordering::Relaxed);
        // When the socket is broken, its reader says so.
        let _ = self.sender.send(frame);
    }

    /// Says how many of the frames that were handed over are answered since the last time.
    pub fn answered(&self, frames: usize) {
        self.load.frames.fetch_sub(frames, Ordering::Relaxed);
        self.load.less.notify_waiters();
    }

    /// A way to wait for the load that does not keep the socket open.
    pub fn gate(&self) -> Gate {
        Gate(Arc::clone(&self.load))
    }
}

/// Waits until a connection's load is small.
pub struct Gate(Arc<Load>);

impl Gate {
    async fn pass(&self) {
        loop {
            let mut less = std::pin::pin!(self.0.less.notified());
            less.as_mut().enable();
            if self.0.bytes.load(Ordering::Relaxed) <= WAITING_BYTES_MAX
                && self.0.frames.load(Ordering::Relaxed) < FRAMES_IN_WORK_MAX
            {
                return;
            }
            less.await;
        }
    }

    /// Counts a frame that is handed over, and that [`FrameSender::answered`] takes back.
    pub fn handed_over(&self) {
        self.0.frames.fetch_add(1, Ordering::Relaxed);
    }
}

async fn write_frames(
    mut socket: OwnedWriteHalf,
    mut receiver: mpsc::UnboundedReceiver<Bytes>,
    load: Arc<Load>,
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
        load.bytes.fetch_sub(frame.len(), Ordering::Relaxed);
        load.less.notify_waiters();
        if written.is_err() {
            return;
        }
    }
    let _ = socket.shutdown().await;
}

/// A frame, and its part of the bytes that large frames may take; given back when a node has it.
pub struct Received {
    /// The frame without its size.
    pub frame: Bytes,
    /// What it holds of the budget.
    pub _large: Option<OwnedSemaphorePermit>,
}

/// Reads the next frame. `None` when the peer closed, broke off, fell silent, or sent a size that no frame has.
/// `large_frames` counts bytes.
pub async fn read_frame(
    socket: &mut OwnedReadHalf,
    gate: &Gate,
    large_frames: &Arc<Semaphore>,
) -> Option<Received> {
    gate.pass().await;
    let size = timeout(IDLE_MAX, socket.read_i32()).await.ok()?.ok()?;
    let size = usize::try_from(size).ok()?;
    if size > FRAME_BYTES_MAX {
        return None;
    }
    let mut large = None;
    let mut frame = BytesMut::with_capacity(size.min(READ_STEP_BYTES));
    while frame.len() < size {
        if frame.len() >= LARGE_FRAME_BYTES && large.is_none() {
            // All of it at once: frames that each hold a part could wait for each other.
            let bytes = u32::try_from(size).ok()?;
            let permit = Arc::clone(large_frames).acquire_many_owned(bytes).await;
            large = Some(permit.ok()?);
        }
        let step = (size - frame.len()).min(READ_STEP_BYTES.max(frame.len()));
        frame.reserve(step);
        let mut limited = (&mut *socket).take(step as u64);
        let read = timeout(STALL_MAX, limited.read_buf(&mut frame)).await;
        if read.ok()?.ok()? == 0 {
            return None;
        }
        if size > OTHER_FRAME_BYTES_MAX && frame.len() >= PRODUCE.len() && frame[..2] != PRODUCE {
            return None;
        }
    }
    Some(Received {
        frame: frame.freeze(),
        _large: large,
    })
}
