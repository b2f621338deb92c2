//! Standard streams: pipes, files, terminals.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::rc::Rc;
use std::task::{Poll, Waker};

use thiserror::Error;

use crate::host::HostId;
use crate::process::Process;
use crate::terminal::TerminalId;
use crate::world::World;
use crate::{PIPE_BYTES_MAX, TERMINAL_BYTES_MAX};

/// Bytes that one read of a file takes at most.
const FILE_READ_BYTES_MAX: usize = 64 * 1024;

/// Nobody reads any more what was written (EPIPE).
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("Broken pipe")]
pub struct BrokenPipe;

#[derive(Default)]
struct Pipe {
    buffer: Vec<u8>,
    writers: usize,
    reader_gone: bool,
    read_wakers: Vec<Waker>,
    write_wakers: Vec<Waker>,
}

impl Pipe {
    fn wake_readers(&mut self) {
        self.read_wakers.drain(..).for_each(Waker::wake);
    }

    fn wake_writers(&mut self) {
        self.write_wakers.drain(..).for_each(Waker::wake);
    }
}

struct PipeReader(Rc<RefCell<Pipe>>);

impl Drop for PipeReader {
    fn drop(&mut self) {
        let mut pipe = self.0.borrow_mut();
        pipe.reader_gone = true;
        pipe.buffer = Vec::new();
        pipe.wake_writers();
    }
}

struct PipeWriter(Rc<RefCell<Pipe>>);

impl Drop for PipeWriter {
    fn drop(&mut self) {
        let mut pipe = self.0.borrow_mut();
        pipe.writers -= 1;
        if pipe.writers == 0 {
            pipe.wake_readers();
        }
    }
}

enum Source {
    Null,
    Bytes,
    File {
        world: Rc<RefCell<World>>,
        host: HostId,
        path: String,
        position: Cell<u64>,
    },
    Pipe(PipeReader),
    Terminal {
        world: Rc<RefCell<World>>,
        id: TerminalId,
    },
}

struct Input {
    source: Source,
    /// Read from the source, not taken yet: a line's surplus stays for whoever reads next.
    buffer: RefCell<Vec<u8>>,
    /// A terminal's Ctrl-D was seen while the buffer still held bytes.
    ended: Cell<bool>,
}

/// A stream to read from. Clones share one position, as inherited file descriptors do.
#[derive(Clone)]
pub struct InputStream(Rc<Input>);

impl InputStream {
    fn new(source: Source, buffer: Vec<u8>) -> InputStream {
        InputStream(Rc::new(Input {
            source,
            buffer: RefCell::new(buffer),
            ended: Cell::new(false),
        }))
    }

    /// `/dev/null`.
    pub fn null() -> InputStream {
        InputStream::new(Source::Null, Vec::new())
    }

    /// These bytes, then the end: a heredoc.
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> InputStream {
        InputStream::new(Source::Bytes, bytes.into())
    }

    /// A file on the process's host, from its start. That it exists is the caller's to check.
    pub fn file(process: &Process, path: &str) -> InputStream {
        let source = Source::File {
            world: Rc::clone(process.world()),
            host: process.host(),
            path: path.to_owned(),
            position: Cell::new(0),
        };
        InputStream::new(source, Vec::new())
    }

    pub(crate) fn terminal_of(world: &Rc<RefCell<World>>, id: TerminalId) -> InputStream {
        InputStream::new(
            Source::Terminal {
                world: Rc::clone(world),
                id,
            },
            Vec::new(),
        )
    }

    /// A terminal's input.
    pub fn terminal(process: &Process, id: TerminalId) -> InputStream {
        InputStream::terminal_of(process.world(), id)
    }

    /// The terminal behind it, if there is one.
    pub fn terminal_id(&self) -> Option<TerminalId> {
        match self.0.source {
            Source::Terminal { id, .. } => Some(id),
            _ => None,
        }
    }

    /// Whether a person types here.
    pub fn is_terminal(&self) -> bool {
        self.terminal_id().is_some()
    }

    /// Waits for bytes and takes at most `max` of them; empty at the end of the stream (at a terminal:
    /// Ctrl-D, after which it can be read again).
    pub async fn read(&self, max: usize) -> Vec<u8> {
        if self.fill().await {
            let mut buffer = self.0.buffer.borrow_mut();
            if buffer.len() <= max {
                return std::mem::take(&mut *buffer);
            }
            return buffer.drain(..max).collect();
        }
        Vec::new()
    }

    /// Waits for a line and takes it with its `\n`; the last line may have none. `None` at the end.
    pub async fn read_line(&self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            if !self.fill().await {
                return (!line.is_empty()).then_some(line);
            }
            let mut buffer = self.0.buffer.borrow_mut();
            match buffer.iter().position(|byte| *byte == b'\n') {
                Some(end) if end + 1 == buffer.len() && line.is_empty() => {
                    return Some(std::mem::take(&mut *buffer));
                }
                Some(end) => {
                    line.extend(buffer.drain(..=end));
                    return Some(line);
                }
                None => line.append(&mut buffer),
            }
        }
    }

    /// Reads to the end.
    pub async fn read_to_end(&self) -> Vec<u8> {
        let mut all = Vec::new();
        loop {
            let mut bytes = self.read(usize::MAX).await;
            if bytes.is_empty() {
                return all;
            }
            all.append(&mut bytes);
        }
    }

    /// Waits until the buffer holds something. `false` at the end.
    async fn fill(&self) -> bool {
        if !self.0.buffer.borrow().is_empty() {
            return true;
        }
        if self.0.ended.replace(false) {
            return false;
        }
        let bytes = self.pull().await;
        let more = !bytes.is_empty();
        *self.0.buffer.borrow_mut() = bytes;
        more
    }

    async fn pull(&self) -> Vec<u8> {
        match &self.0.source {
            Source::Null | Source::Bytes => Vec::new(),
            Source::File {
                world,
                host,
                path,
                position,
            } => {
                let world = world.borrow();
                let bytes = world
                    .disk(*host)
                    .read(path, position.get(), FILE_READ_BYTES_MAX)
                    .unwrap_or_default();
                position.set(position.get() + bytes.len() as u64);
                bytes.to_vec()
            }
            Source::Pipe(reader) => {
                poll_fn(|context| {
                    let mut pipe = reader.0.borrow_mut();
                    if !pipe.buffer.is_empty() {
                        pipe.wake_writers();
                        return Poll::Ready(std::mem::take(&mut pipe.buffer));
                    }
                    if pipe.writers == 0 {
                        return Poll::Ready(Vec::new());
                    }
                    pipe.read_wakers.push(context.waker().clone());
                    Poll::Pending
                })
                .await
            }
            Source::Terminal { world, id } => {
                poll_fn(|context| {
                    let mut world = world.borrow_mut();
                    let Some(terminal) = world.terminals.get_mut(id) else {
                        return Poll::Ready(Vec::new());
                    };
                    match terminal.input.pop_front() {
                        Some(line) => Poll::Ready(line),
                        None => {
                            terminal.readers.push(context.waker().clone());
                            Poll::Pending
                        }
                    }
                })
                .await
            }
        }
    }
}

enum Sink {
    Null,
    Buffer(Rc<RefCell<Vec<u8>>>),
    File {
        world: Rc<RefCell<World>>,
        host: HostId,
        path: String,
    },
    Pipe(PipeWriter),
    Terminal {
        world: Rc<RefCell<World>>,
        id: TerminalId,
    },
}

/// A stream to write to. Clones lead to the same place.
#[derive(Clone)]
pub struct OutputStream(Rc<Sink>);

impl OutputStream {
    /// `/dev/null`.
    pub fn null() -> OutputStream {
        OutputStream(Rc::new(Sink::Null))
    }

    /// A buffer in memory, and the way to read it.
    pub fn buffer() -> (OutputStream, Rc<RefCell<Vec<u8>>>) {
        let buffer = Rc::new(RefCell::new(Vec::new()));
        (
            OutputStream(Rc::new(Sink::Buffer(Rc::clone(&buffer)))),
            buffer,
        )
    }

    /// A file on the process's host; each write appends. Without `append` the file is emptied now.
    pub fn file(process: &Process, path: &str, append: bool) -> OutputStream {
        process.with_disk(|disk| {
            if !append || !disk.exists(path) {
                disk.write(path, b"");
            }
        });
        OutputStream(Rc::new(Sink::File {
            world: Rc::clone(process.world()),
            host: process.host(),
            path: path.to_owned(),
        }))
    }

    /// A pipe: what is written comes out at the other end. It ends when all clones of the writing end are
    /// dropped, and breaks when the reading end is.
    pub fn pipe() -> (OutputStream, InputStream) {
        let pipe = Rc::new(RefCell::new(Pipe {
            writers: 1,
            ..Pipe::default()
        }));
        let writer = OutputStream(Rc::new(Sink::Pipe(PipeWriter(Rc::clone(&pipe)))));
        (
            writer,
            InputStream::new(Source::Pipe(PipeReader(pipe)), Vec::new()),
        )
    }

    pub(crate) fn terminal_of(world: &Rc<RefCell<World>>, id: TerminalId) -> OutputStream {
        OutputStream(Rc::new(Sink::Terminal {
            world: Rc::clone(world),
            id,
        }))
    }

    /// A terminal's output.
    pub fn terminal(process: &Process, id: TerminalId) -> OutputStream {
        OutputStream::terminal_of(process.world(), id)
    }

    /// The terminal behind it, if there is one.
    pub fn terminal_id(&self) -> Option<TerminalId> {
        match *self.0 {
            Sink::Terminal { id, .. } => Some(id),
            _ => None,
        }
    }

    /// Whether a person reads here.
    pub fn is_terminal(&self) -> bool {
        self.terminal_id().is_some()
    }

    /// Writes all of it, waiting while a pipe is full.
    ///
    /// # Errors
    /// [`BrokenPipe`] when nobody reads the pipe any more.
    pub async fn write(&self, bytes: &[u8]) -> Result<(), BrokenPipe> {
        match &*self.0 {
            Sink::Null => Ok(()),
            Sink::Buffer(buffer) => {
                buffer.borrow_mut().extend_from_slice(bytes);
                Ok(())
            }
            Sink::File { world, host, path } => {
                world.borrow_mut().disk_mut(*host).append(path, bytes);
                Ok(())
            }
            Sink::Pipe(writer) => {
                let mut rest = bytes;
                poll_fn(|context| {
                    let mut pipe = writer.0.borrow_mut();
                    loop {
                        if pipe.reader_gone {
                            return Poll::Ready(Err(BrokenPipe));
                        }
                        if rest.is_empty() {
                            return Poll::Ready(Ok(()));
                        }
                        let room = PIPE_BYTES_MAX
                            .saturating_sub(pipe.buffer.len())
                            .min(rest.len());
                        if room == 0 {
                            pipe.write_wakers.push(context.waker().clone());
                            return Poll::Pending;
                        }
                        let (now, later) = rest.split_at(room);
                        pipe.buffer.extend_from_slice(now);
                        pipe.wake_readers();
                        rest = later;
                    }
                })
                .await
            }
            Sink::Terminal { world, id } => {
                poll_fn(|context| {
                    let mut world = world.borrow_mut();
                    let Some(terminal) = world.terminals.get_mut(id) else {
                        return Poll::Ready(Err(BrokenPipe));
                    };
                    if terminal.output.len() >= TERMINAL_BYTES_MAX {
                        terminal.writers.push(context.waker().clone());
                        return Poll::Pending;
                    }
                    terminal.output.extend_from_slice(bytes);
                    Poll::Ready(Ok(()))
                })
                .await
            }
        }
    }
}
