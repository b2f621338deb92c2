//! One node, driven by sockets and the wall clock.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Result;
use playground_broker::{Node, NodeConfig, NodeInput, NodeOutput};
use playground_log::disk::Disk;
use playground_protocol::{ClientInput, ClientOutput, ConnectionId, LogLevel};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

use super::connection::{FrameSender, read_frame};
use super::folder::{FolderWriter, load};
use super::{Clock, LOG_DIR};

/// Inputs that wait for a node before sockets are left unread.
const INPUTS_MAX: usize = 1024;
/// Inputs that are handled before the disk's changes are handed to the writer.
const INPUTS_PER_WRITE: usize = 64;

enum Event {
    Input(NodeInput),
    /// A connection was accepted, and how to write to it.
    Accepted(ConnectionId, String, String, FrameSender),
    /// A connection that the node asked for is open.
    Connected(ConnectionId, FrameSender),
}

/// A node and what drives it.
pub struct NodeTask {
    node: Node,
    disk: Disk,
    writer: Option<FolderWriter>,
    clock: Clock,
    sender: mpsc::Sender<Event>,
    receiver: mpsc::Receiver<Event>,
    accepted: BTreeMap<ConnectionId, FrameSender>,
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
    ) -> Result<NodeTask> {
        let (mut disk, writer) = match folder {
            Some(folder) => (
                load(&folder, LOG_DIR)?,
                Some(FolderWriter::start(folder, LOG_DIR.to_owned())),
            ),
            None => (Disk::new(), None),
        };
        let node = Node::start(config, &mut disk, seed, clock.now());
        let (sender, receiver) = mpsc::channel(INPUTS_MAX);
        Ok(NodeTask {
            node,
            disk,
            writer,
            clock,
            sender,
            receiver,
            accepted: BTreeMap::new(),
            outgoing: BTreeMap::new(),
            next_connection: Arc::new(AtomicU64::new(1)),
        })
    }

    /// Accepts connections on a listener.
    pub fn accept(&self, socket: TcpListener, listener: &'static str) {
        let (sender, next) = (self.sender.clone(), Arc::clone(&self.next_connection));
        tokio::spawn(async move {
            loop {
                let Ok((stream, peer)) = socket.accept().await else {
                    // Out of file descriptors, most likely: others will close.
                    tokio::time::sleep(std::time::Duration::from_millis(20)).await;
                    continue;
                };
                let id = ConnectionId(next.fetch_add(1, Ordering::Relaxed));
                let event = |frames| {
                    Event::Accepted(id, listener.to_owned(), peer.ip().to_string(), frames)
                };
                open(
                    stream,
                    sender.clone(),
                    event,
                    move |frame| NodeInput::Frame(id, frame),
                    NodeInput::Disconnected(id),
                );
            }
        });
    }

    /// Runs until the node has stopped.
    pub async fn run(mut self, mut stopping: watch::Receiver<bool>) {
        self.drain();
        let mut shutting_down = false;
        loop {
            let deadline = self.clock.until(self.node.next_deadline());
            let tick = async {
                match deadline {
                    Some(duration) => tokio::time::sleep(duration).await,
                    None => std::future::pending().await,
                }
            };
            let mut stopped = tokio::select! {
                biased;
                _ = stopping.changed(), if !shutting_down => {
                    shutting_down = true;
                    self.node.shutdown(&mut self.disk, self.clock.now());
                    self.drain()
                }
                event = self.receiver.recv() => match event {
                    Some(event) => self.event(event),
                    None => true,
                },
                () = tick => self.input(NodeInput::Tick),
            };
            for _ in 0..INPUTS_PER_WRITE {
                match self.receiver.try_recv() {
                    Ok(event) if !stopped => stopped = self.event(event),
                    _ => break,
                }
            }
            let changes = self.disk.drain_changes();
            if let Some(writer) = &self.writer
                && !changes.is_empty()
            {
                writer.write(changes);
            }
            if stopped {
                break;
            }
        }
        if let Some(writer) = self.writer.take() {
            let _ = tokio::task::spawn_blocking(move || writer.finish()).await;
        }
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
            Event::Connected(connection, frames) => match self.outgoing.get_mut(&connection) {
                Some(slot) => {
                    *slot = Some(frames);
                    self.input(NodeInput::Client(ClientInput::Connected(connection)))
                }
                None => false,
            },
            Event::Input(input) => {
                match &input {
                    NodeInput::Frame(connection, _) if !self.accepted.contains_key(connection) => {
                        return false;
                    }
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
        self.node.handle(input, &mut self.disk, self.clock.now());
        self.drain()
    }

    /// Does what the node asks for. Whether it has stopped.
    fn drain(&mut self) -> bool {
        while let Some(output) = self.node.poll_output() {
            match output {
                NodeOutput::Send(connection, frame) => {
                    if let Some(frames) = self.accepted.get(&connection) {
                        frames.send(frame);
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
                    connect(connection, host, port, self.sender.clone());
                }
                NodeOutput::Client(ClientOutput::Send(connection, frame)) => {
                    if let Some(Some(frames)) = self.outgoing.get(&connection) {
                        frames.send(frame);
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

fn connect(connection: ConnectionId, host: String, port: u16, sender: mpsc::Sender<Event>) {
    tokio::spawn(async move {
        match TcpStream::connect((host.as_str(), port)).await {
            Ok(stream) => open(
                stream,
                sender,
                |frames| Event::Connected(connection, frames),
                move |frame| NodeInput::Client(ClientInput::Frame(connection, frame)),
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
    sender: mpsc::Sender<Event>,
    announce: impl FnOnce(FrameSender) -> Event,
    wrap: impl Fn(bytes::Bytes) -> NodeInput + Send + Sync + 'static,
    end: NodeInput,
) {
    let _ = stream.set_nodelay(true);
    let (mut reader, writer) = stream.into_split();
    let frames = FrameSender::start(writer);
    let gate = frames.gate();
    let event = announce(frames);
    tokio::spawn(async move {
        if sender.send(event).await.is_err() {
            return;
        }
        while let Some(frame) = read_frame(&mut reader, &gate).await {
            if sender.send(Event::Input(wrap(frame))).await.is_err() {
                return;
            }
        }
        let _ = sender.send(Event::Input(end)).await;
    });
}
