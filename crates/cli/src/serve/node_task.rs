//! One node, driven by sockets and the wall clock.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Result, bail};
use bytes::Bytes;
use playground_broker::{Node, NodeConfig, NodeInput, NodeOutput};
use playground_log::disk::Disk;
use playground_protocol::{ClientInput, ClientOutput, ConnectionId, LogLevel, Random};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};

use super::connection::{FrameSender, Received, read_frame};
use super::folder::{Batch, FolderWriter, load};
use super::limits::{
    INPUTS_MAX, INPUTS_PER_WRITE, LARGE_FRAMES_BYTES_MAX, RESTARTS_MAX, connections_max,
};
use super::{Clock, LOG_DIR};

enum Event {
    Input(NodeInput),
    /// A frame on an accepted connection, and what it holds of the budget of large frames.
    Frame(ConnectionId, Received),
    /// A connection was accepted, and how to write to it.
    Accepted(ConnectionId, String, String, FrameSender),
    /// A connection that the node asked for is open.
    Connected(ConnectionId, FrameSender),
}

/// What all nodes' connections share, so that none takes it all.
#[derive(Clone)]
pub struct Shared {
    /// One permit for each accepted connection.
    slots: Arc<Semaphore>,
    /// One permit for each byte of large frames.
    large_frames: Arc<Semaphore>,
}

impl Shared {
    /// For the connections of so many nodes.
    pub fn new(nodes: usize) -> Shared {
        Shared {
            slots: Arc::new(Semaphore::new(connections_max(nodes))),
            large_frames: Arc::new(Semaphore::new(LARGE_FRAMES_BYTES_MAX)),
        }
    }
}

/// A node and what drives it.
pub struct NodeTask {
    node: Node,
    config: NodeConfig,
    random: Random,
    restarts: u32,
    shared: Shared,
    disk: Disk,
    writer: Option<FolderWriter>,
    clock: Clock,
    sender: mpsc::Sender<Event>,
    receiver: mpsc::Receiver<Event>,
    accepted: BTreeMap<ConnectionId, FrameSender>,
    /// Accepted connections with frames that the node has not answered, and how many.
    busy: BTreeMap<ConnectionId, usize>,
    /// Frames that the node sends, until the disk's changes before them are written.
    frames: Vec<(FrameSender, Bytes)>,
    outgoing: BTreeMap<ConnectionId, Option<FrameSender>>,
    next_connection: Arc<AtomicU64>,
}

impl NodeTask {
    /// Starts the node on what the folder holds.
    pub fn start(
        config: NodeConfig,
        folder: Option<PathBuf>,
        seed: u64,
        clock: Clock,
        shared: Shared,
    ) -> Result<NodeTask> {
        let (mut disk, writer) = match folder {
            Some(folder) => (
                load(&folder, LOG_DIR)?,
                Some(FolderWriter::start(folder, LOG_DIR.to_owned())),
            ),
            None => (Disk::new(), None),
        };
        let mut random = Random::new(seed, "starts");
        let node = Node::start(config.clone(), &mut disk, random.next_u64(), clock.now());
        let (sender, receiver) = mpsc::channel(INPUTS_MAX);
        Ok(NodeTask {
            node,
            config,
            random,
            restarts: 0,
            shared,
            disk,
            writer,
            clock,
            sender,
            receiver,
            accepted: BTreeMap::new(),
            busy: BTreeMap::new(),
            frames: Vec::new(),
            outgoing: BTreeMap::new(),
            next_connection: Arc::new(AtomicU64::new(1)),
        })
    }

    /// Accepts connections on a listener.
    pub fn accept(&self, socket: TcpListener, listener: &'static str) {
        let (sender, next) = (self.sender.clone(), Arc::clone(&self.next_connection));
        let shared = self.shared.clone();
        tokio::spawn(async move {
            loop {
                let Ok((stream, peer)) = socket.accept().await else {
                    // Out of file descriptors, most likely: others will close.
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    continue;
                };
                // None left: the connection is closed at once, as Kafka does beyond `max.connections`.
                let Ok(slot) = Arc::clone(&shared.slots).try_acquire_owned() else {
                    continue;
                };
                let id = ConnectionId(next.fetch_add(1, Ordering::Relaxed));
                let event = |frames| {
                    Event::Accepted(id, listener.to_owned(), peer.ip().to_string(), frames)
                };
                open(
                    stream,
                    Some(slot),
                    Arc::clone(&shared.large_frames),
                    sender.clone(),
                    event,
                    move |received| Event::Frame(id, received),
                    NodeInput::Disconnected(id),
                );
            }
        });
    }

    /// Runs until the node has stopped. An error when it was not asked to.
    pub async fn run(mut self, mut stopping: watch::Receiver<bool>) -> Result<()> {
        let mut stopped = self.drain();
        let mut shutting_down = false;
        while !stopped {
            self.write();
            let deadline = self.clock.until(self.node.next_deadline());
            let tick = async {
                match deadline {
                    Some(duration) => tokio::time::sleep(duration).await,
                    None => std::future::pending().await,
                }
            };
            stopped = tokio::select! {
                biased;
                _ = stopping.changed(), if !shutting_down => {
                    shutting_down = true;
                    self.guarded(|task| task.node.shutdown(&mut task.disk, task.clock.now()))
                }
                event = self.receiver.recv() => match event {
                    Some(event) => self.event(event),
                    None => true,
                },
                () = tick => self.input(NodeInput::Tick),
            };
            for _ in 0..INPUTS_PER_WRITE {
                if stopped {
                    break;
                }
                match self.receiver.try_recv() {
                    Ok(event) => stopped = self.event(event),
                    Err(_) => break,
                }
            }
            self.settle_busy();
        }
        self.write();
        if let Some(writer) = self.writer.take() {
            let _ = tokio::task::spawn_blocking(move || writer.finish()).await;
        }
        if !shutting_down {
            bail!("node {} has stopped", self.config.node_id);
        }
        Ok(())
    }

    /// Writes the disk's changes, then sends the frames.
    fn write(&mut self) {
        let batch = Batch {
            changes: self.disk.drain_changes(),
            frames: std::mem::take(&mut self.frames),
        };
        match &self.writer {
            Some(writer) if !batch.changes.is_empty() || !batch.frames.is_empty() => {
                writer.write(batch);
            }
            _ => batch.send(),
        }
    }

    /// Lets the readers of answered connections go on.
    fn settle_busy(&mut self) {
        let (node, accepted) = (&self.node, &self.accepted);
        self.busy.retain(|connection, frames| {
            let Some(sender) = accepted.get(connection) else {
                return false;
            };
            let waiting = node.waiting_frames(*connection);
            if waiting < *frames {
                sender.answered(*frames - waiting);
                *frames = waiting;
            }
            waiting > 0
        });
    }

    fn event(&mut self, event: Event) -> bool {
        match event {
            Event::Accepted(connection, listener, peer, frames) => {
                self.accepted.insert(connection, frames);
                self.input(NodeInput::Accepted {
                    connection,
                    listener,
                    peer,
                })
            }
            Event::Frame(connection, received) => {
                if !self.accepted.contains_key(&connection) {
                    return false;
                }
                *self.busy.entry(connection).or_default() += 1;
                self.input(NodeInput::Frame(connection, received.frame))
            }
            Event::Connected(connection, frames) => match self.outgoing.get_mut(&connection) {
                Some(slot) => {
                    *slot = Some(frames);
                    self.input(NodeInput::Client(ClientInput::Connected(connection)))
                }
                None => false,
            },
            Event::Input(input) => {
                match &input {
                    NodeInput::Disconnected(connection)
                        if self.accepted.remove(connection).is_none() =>
                    {
                        return false;
                    }
                    NodeInput::Client(
                        ClientInput::Disconnected(connection)
                        | ClientInput::ConnectFailed(connection),
                    ) if self.outgoing.remove(connection).is_none() => {
                        return false;
                    }
                    _ => {}
                }
                self.input(input)
            }
        }
    }

    fn input(&mut self, input: NodeInput) -> bool {
        self.guarded(|task| task.node.handle(input, &mut task.disk, task.clock.now()))
    }

    /// Lets the node work. Should it panic, it is started again from its disk, as a supervisor does with a
    /// process that crashed: its connections break, its data and the other nodes stay. Whether it has stopped.
    fn guarded(&mut self, work: impl FnOnce(&mut NodeTask)) -> bool {
        if catch_unwind(AssertUnwindSafe(|| work(self))).is_ok() {
            return self.drain();
        }
        self.accepted.clear();
        self.outgoing.clear();
        self.busy.clear();
        self.restarts += 1;
        eprintln!(
            "playground: node {} crashed; this is a bug. It starts again from its disk.",
            self.config.node_id
        );
        if self.restarts > RESTARTS_MAX {
            return true;
        }
        let (config, seed) = (self.config.clone(), self.random.next_u64());
        let started = catch_unwind(AssertUnwindSafe(|| {
            Node::start(config, &mut self.disk, seed, self.clock.now())
        }));
        match started {
            Ok(node) => {
                self.node = node;
                self.drain()
            }
            Err(_) => true,
        }
    }

    /// Does what the node asks for. Whether it has stopped.
    fn drain(&mut self) -> bool {
        while let Some(output) = self.node.poll_output() {
            match output {
                NodeOutput::Send(connection, frame) => {
                    if let Some(sender) = self.accepted.get(&connection) {
                        self.frames.push((sender.clone(), frame));
                    }
                }
                NodeOutput::Close(connection) => {
                    self.accepted.remove(&connection);
                }
                NodeOutput::Client(ClientOutput::Connect {
                    connection,
                    host,
                    port,
                }) => {
                    self.outgoing.insert(connection, None);
                    let large_frames = Arc::clone(&self.shared.large_frames);
                    connect(connection, host, port, large_frames, self.sender.clone());
                }
                NodeOutput::Client(ClientOutput::Send(connection, frame)) => {
                    if let Some(Some(sender)) = self.outgoing.get(&connection) {
                        self.frames.push((sender.clone(), frame));
                    }
                }
                NodeOutput::Client(ClientOutput::Close(connection)) => {
                    self.outgoing.remove(&connection);
                }
                NodeOutput::Log(line) | NodeOutput::Client(ClientOutput::Log(line)) => {
                    if line.level >= LogLevel::Warn {
                        eprintln!("{} {} ({})", line.level.as_str(), line.message, line.logger);
                    }
                }
                NodeOutput::Stopped => return true,
            }
        }
        false
    }
}

fn connect(
    connection: ConnectionId,
    host: String,
    port: u16,
    large_frames: Arc<Semaphore>,
    sender: mpsc::Sender<Event>,
) {
    tokio::spawn(async move {
        match TcpStream::connect((host.as_str(), port)).await {
            Ok(stream) => open(
                stream,
                None,
                large_frames,
                sender,
                |frames| Event::Connected(connection, frames),
                move |received| {
                    let frame = ClientInput::Frame(connection, received.frame);
                    Event::Input(NodeInput::Client(frame))
                },
                NodeInput::Client(ClientInput::Disconnected(connection)),
            ),
            Err(_) => {
                let failed = NodeInput::Client(ClientInput::ConnectFailed(connection));
                let _ = sender.send(Event::Input(failed)).await;
            }
        }
    });
}

/// Announces a connection, then passes its frames on until it ends.
fn open(
    stream: TcpStream,
    slot: Option<OwnedSemaphorePermit>,
    large_frames: Arc<Semaphore>,
    sender: mpsc::Sender<Event>,
    announce: impl FnOnce(FrameSender) -> Event,
    wrap: impl Fn(Received) -> Event + Send + Sync + 'static,
    end: NodeInput,
) {
    let _ = stream.set_nodelay(true);
    let accepted = slot.is_some();
    let (mut reader, writer) = stream.into_split();
    let frames = FrameSender::start(writer, slot);
    let gate = frames.gate();
    let event = announce(frames);
    tokio::spawn(async move {
        if sender.send(event).await.is_err() {
            return;
        }
        while let Some(received) = read_frame(&mut reader, &gate, &large_frames).await {
            if accepted {
                gate.handed_over();
            }
            if sender.send(wrap(received)).await.is_err() {
                return;
            }
        }
        let _ = sender.send(Event::Input(end)).await;
    });
}
