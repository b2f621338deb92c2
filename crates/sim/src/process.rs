//! Processes: `async fn`s that run on a host, and what they can do there.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::Duration;

use bytes::Bytes;
use playground_log::disk::Disk;
use playground_protocol::{ClientInput, ClientOutput, ConnectionId, Time};

use crate::host::HostId;
use crate::network::Owner;
use crate::stream::{InputStream, OutputStream};
use crate::trace::TraceKind;
use crate::world::{Event, World};

/// A process's id, unique in the simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(pub u32);

/// A signal, with its Linux number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Signal {
    /// SIGHUP: its terminal went away.
    Hangup = 1,
    /// SIGINT: Ctrl-C.
    Interrupt = 2,
    /// SIGQUIT.
    Quit = 3,
    /// SIGKILL: cannot be caught.
    Kill = 9,
    /// SIGPIPE: wrote where nobody reads.
    Pipe = 13,
    /// SIGTERM.
    Terminate = 15,
}

/// A process's standard streams.
#[derive(Clone)]
pub struct Stdio {
    /// Standard input.
    pub stdin: InputStream,
    /// Standard output.
    pub stdout: OutputStream,
    /// Standard error.
    pub stderr: OutputStream,
}

/// How a process is started.
#[derive(Clone)]
pub struct SpawnOptions {
    /// Where it runs.
    pub host: HostId,
    /// Its command line, for `jobs`, `ps` and the trace.
    pub name: String,
    /// Its streams.
    pub stdio: Stdio,
    /// Its process group; `None` makes it the leader of a new one.
    pub group: Option<Pid>,
}

/// A running or ended process, as others see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Its id.
    pub pid: Pid,
    /// Its process group.
    pub group: Pid,
    /// Who started it.
    pub parent: Option<Pid>,
    /// Where it runs.
    pub host: HostId,
    /// Its command line.
    pub name: String,
    /// Its exit code, once it has ended; 128 + n when a signal ended it.
    pub exit: Option<i32>,
}

pub(crate) struct ProcessEntry {
    pub(crate) info: ProcessInfo,
    pub(crate) exit: Option<i32>,
    catching: bool,
    signals: VecDeque<Signal>,
    signal_wakers: Vec<Waker>,
    inbox: VecDeque<ClientInput>,
    inbox_wakers: Vec<Waker>,
    connections: std::collections::BTreeMap<ConnectionId, u64>,
    exit_wakers: Vec<Waker>,
}

impl World {
    pub(crate) fn process_label(&self, pid: Pid) -> String {
        self.processes.get(&pid).map_or_else(String::new, |entry| {
            let command = entry
                .info
                .name
                .split_whitespace()
                .next()
                .unwrap_or_default();
            command
                .rsplit('/')
                .next()
                .unwrap_or_default()
                .trim_end_matches(".sh")
                .to_owned()
        })
    }

    pub(crate) fn process_network(&mut self, pid: Pid, input: ClientInput) {
        if let Some(entry) = self.processes.get_mut(&pid) {
            if let ClientInput::ConnectFailed(connection) | ClientInput::Disconnected(connection) =
                &input
            {
                entry.connections.remove(connection);
            }
            entry.inbox.push_back(input);
            entry.inbox_wakers.drain(..).for_each(Waker::wake);
        }
    }

    /// The process ended: its connections close, those who wait for it go on.
    pub(crate) fn end_process(&mut self, pid: Pid, code: i32) {
        let Some(entry) = self.processes.get_mut(&pid) else {
            return;
        };
        if entry.exit.is_some() {
            return;
        }
        entry.exit = Some(code);
        entry.info.exit = Some(code);
        entry.inbox.clear();
        let connections = std::mem::take(&mut entry.connections);
        let wakers = std::mem::take(&mut entry.exit_wakers);
        let orphan = entry.info.parent.is_none_or(|parent| {
            self.processes
                .get(&parent)
                .is_none_or(|parent| parent.exit.is_some())
        });
        let now = self.now;
        self.trace.push(now, TraceKind::ProcessEnded { pid, code });
        connections
            .into_values()
            .for_each(|id| self.close(id, true));
        wakers.into_iter().for_each(Waker::wake);
        // Children that nobody will wait for any more.
        self.processes
            .retain(|_, child| !(child.info.parent == Some(pid) && child.exit.is_some()));
        if orphan
            && self
                .processes
                .get(&pid)
                .is_some_and(|entry| entry.info.parent.is_some())
        {
            self.processes.remove(&pid);
        }
    }

    /// Sends a signal to one process. `false` when there is none that runs.
    pub fn signal(&mut self, pid: Pid, signal: Signal) -> bool {
        let Some(entry) = self.processes.get_mut(&pid) else {
            return false;
        };
        if entry.exit.is_some() {
            return false;
        }
        if entry.catching && signal != Signal::Kill {
            entry.signals.push_back(signal);
            entry.signal_wakers.drain(..).for_each(Waker::wake);
        } else {
            self.end_process(pid, 128 + signal as i32);
            self.dead.push(pid);
        }
        true
    }

    /// Sends a signal to every process of a group. `false` when none runs.
    pub fn signal_group(&mut self, group: Pid, signal: Signal) -> bool {
        let members: Vec<Pid> = self
            .processes
            .iter()
            .filter(|(_, entry)| entry.info.group == group && entry.exit.is_none())
            .map(|(pid, _)| *pid)
            .collect();
        members.iter().for_each(|pid| {
            self.signal(*pid, signal);
        });
        !members.is_empty()
    }

    /// Keeps a process that is ready from running while its host is paused.
    pub(crate) fn hold_if_paused(&mut self, pid: Pid) -> bool {
        let Some(host) = self.processes.get(&pid).map(|entry| entry.info.host) else {
            return false;
        };
        let entry = self.host_mut(host);
        if entry.paused {
            entry.paused_tasks.push(pid);
        }
        entry.paused
    }

    /// Kills every process of a host.
    pub fn kill_processes(&mut self, host: HostId) {
        let members: Vec<Pid> = self
            .processes
            .iter()
            .filter(|(_, entry)| entry.info.host == host && entry.exit.is_none())
            .map(|(pid, _)| *pid)
            .collect();
        members.into_iter().for_each(|pid| {
            self.signal(pid, Signal::Kill);
        });
    }

    /// The processes, ended ones that were not waited for included.
    pub fn processes(&self) -> impl Iterator<Item = &ProcessInfo> {
        self.processes.values().map(|entry| &entry.info)
    }
}

pub(crate) fn spawn_process<F, T>(
    world: &Rc<RefCell<World>>,
    parent: Option<Pid>,
    options: SpawnOptions,
    body: F,
) -> Pid
where
    F: FnOnce(Process) -> T,
    T: Future<Output = i32> + 'static,
{
    let pid = {
        let mut world = world.borrow_mut();
        let pid = Pid(world.next_pid);
        world.next_pid += 1;
        let info = ProcessInfo {
            pid,
            group: options.group.unwrap_or(pid),
            parent,
            host: options.host,
            name: options.name.clone(),
            exit: None,
        };
        world.processes.insert(
            pid,
            ProcessEntry {
                info,
                exit: None,
                catching: false,
                signals: VecDeque::new(),
                signal_wakers: Vec::new(),
                inbox: VecDeque::new(),
                inbox_wakers: Vec::new(),
                connections: Default::default(),
                exit_wakers: Vec::new(),
            },
        );
        let now = world.now;
        world.trace.push(
            now,
            TraceKind::ProcessStarted {
                pid,
                host: options.host,
                name: options.name,
            },
        );
        pid
    };
    let process = Process {
        world: Rc::clone(world),
        pid,
        host: options.host,
        stdio: options.stdio,
    };
    let task = Box::pin(body(process));
    world.borrow_mut().spawned.push((pid, task));
    pid
}

/// What a running process holds: its way to the host it runs on.
#[derive(Clone)]
pub struct Process {
    world: Rc<RefCell<World>>,
    pid: Pid,
    host: HostId,
    stdio: Stdio,
}

impl Process {
    /// This process's id.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// Where it runs.
    pub fn host(&self) -> HostId {
        self.host
    }

    /// The name of the host it runs on.
    pub fn hostname(&self) -> String {
        self.world.borrow().host_name(self.host).to_owned()
    }

    /// Standard input.
    pub fn stdin(&self) -> InputStream {
        self.stdio.stdin.clone()
    }

    /// Standard output.
    pub fn stdout(&self) -> OutputStream {
        self.stdio.stdout.clone()
    }

    /// Standard error.
    pub fn stderr(&self) -> OutputStream {
        self.stdio.stderr.clone()
    }

    /// All three streams.
    pub fn stdio(&self) -> Stdio {
        self.stdio.clone()
    }

    /// The same process with other streams: what a shell's builtin runs with when it is redirected.
    pub fn with_stdio(&self, stdio: Stdio) -> Process {
        Process {
            stdio,
            ..self.clone()
        }
    }

    /// Streams to the host's files and to terminals need the world; this gives it to their constructors.
    pub(crate) fn world(&self) -> &Rc<RefCell<World>> {
        &self.world
    }

    // ---- time --------------------------------------------------------------------------------

    /// The time that the host's clock shows: the virtual time, unless it is skewed.
    pub fn now(&self) -> Time {
        self.world.borrow().clock(self.host)
    }

    /// Waits.
    pub async fn sleep(&self, duration: Duration) {
        self.sleep_until(self.now() + duration).await;
    }

    /// Waits until `deadline`; for ever if it is [`Time::NEVER`].
    pub async fn sleep_until(&self, deadline: Time) {
        let mut scheduled = None;
        poll_fn(|context| {
            let mut world = self.world.borrow_mut();
            if world.clock(self.host) >= deadline {
                return Poll::Ready(());
            }
            let at = world.host(self.host).clock.when(deadline);
            if scheduled != Some(at) && deadline != Time::NEVER {
                scheduled = Some(at);
                world.schedule(at, Event::Wake(context.waker().clone()));
            }
            Poll::Pending
        })
        .await;
    }

    /// Lets others run, and 10 µs pass: what a loop that waits for nothing does each round, so that it
    /// cannot stop the clock.
    pub async fn yield_now(&self) {
        self.sleep(Duration::from_micros(10)).await;
    }

    // ---- processes and signals ---------------------------------------------------------------

    /// Starts a child.
    pub fn spawn<F, T>(&self, options: SpawnOptions, body: F) -> Pid
    where
        F: FnOnce(Process) -> T,
        T: Future<Output = i32> + 'static,
    {
        spawn_process(&self.world, Some(self.pid), options, body)
    }

    /// Waits for a child to end, and forgets it. 127 when there is no such process.
    pub async fn wait(&self, pid: Pid) -> i32 {
        poll_fn(|context| {
            let mut world = self.world.borrow_mut();
            match world.processes.get_mut(&pid) {
                None => Poll::Ready(127),
                Some(entry) => match entry.exit {
                    Some(code) => {
                        world.processes.remove(&pid);
                        Poll::Ready(code)
                    }
                    None => {
                        entry.exit_wakers.push(context.waker().clone());
                        Poll::Pending
                    }
                },
            }
        })
        .await
    }

    /// A process's exit code if it has ended; it is not forgotten.
    pub fn try_wait(&self, pid: Pid) -> Option<i32> {
        self.world
            .borrow()
            .processes
            .get(&pid)
            .and_then(|entry| entry.exit)
    }

    /// Sends a signal to a process. `false` when there is none that runs.
    pub fn kill(&self, pid: Pid, signal: Signal) -> bool {
        self.world.borrow_mut().signal(pid, signal)
    }

    /// Sends a signal to a process group. `false` when none of it runs.
    pub fn kill_group(&self, group: Pid, signal: Signal) -> bool {
        self.world.borrow_mut().signal_group(group, signal)
    }

    /// All processes.
    pub fn processes(&self) -> Vec<ProcessInfo> {
        self.world.borrow().processes().cloned().collect()
    }

    /// This process's group.
    pub fn group(&self) -> Pid {
        self.world
            .borrow()
            .processes
            .get(&self.pid)
            .map_or(self.pid, |entry| entry.info.group)
    }

    /// From now on signals (but SIGKILL) do not end this process; it awaits them with
    /// [`Process::next_signal`].
    pub fn catch_signals(&self) {
        if let Some(entry) = self.world.borrow_mut().processes.get_mut(&self.pid) {
            entry.catching = true;
        }
    }

    /// Waits for a signal. Only after [`Process::catch_signals`].
    pub async fn next_signal(&self) -> Signal {
        poll_fn(|context| {
            let mut world = self.world.borrow_mut();
            match world.processes.get_mut(&self.pid) {
                Some(entry) => match entry.signals.pop_front() {
                    Some(signal) => Poll::Ready(signal),
                    None => {
                        entry.signal_wakers.push(context.waker().clone());
                        Poll::Pending
                    }
                },
                None => Poll::Pending,
            }
        })
        .await
    }

    // ---- the host ----------------------------------------------------------------------------

    /// Does something with this host's disk.
    pub fn with_disk<R>(&self, action: impl FnOnce(&mut Disk) -> R) -> R {
        action(self.world.borrow_mut().disk_mut(self.host))
    }

    /// Does something with the world (compose's starts and stops). Must not be nested.
    pub fn with_world<R>(&self, action: impl FnOnce(&mut World) -> R) -> R {
        action(&mut self.world.borrow_mut())
    }

    /// Waits until any node's state changes.
    pub async fn node_change(&self) {
        let mut registered = false;
        poll_fn(|context| {
            if registered {
                return Poll::Ready(());
            }
            registered = true;
            self.world
                .borrow_mut()
                .node_watchers
                .push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }

    /// 64 random bits, from the simulation's seed.
    pub fn random(&self) -> u64 {
        self.world.borrow_mut().process_random.next_u64()
    }

    // ---- sockets -----------------------------------------------------------------------------

    /// Whether `name` means a host here.
    pub fn resolves(&self, name: &str) -> bool {
        self.world.borrow().resolve_name(self.host, name).is_some()
    }

    /// Does what a client asks for. Log lines are not its business: they are given back.
    pub fn network_output(&self, output: ClientOutput) -> Option<playground_protocol::LogLine> {
        match output {
            ClientOutput::Connect {
                connection,
                host,
                port,
            } => self.connect(connection, &host, port),
            ClientOutput::Send(connection, frame) => self.send(connection, frame),
            ClientOutput::Close(connection) => self.close(connection),
            ClientOutput::Log(line) => return Some(line),
        }
        None
    }

    /// Opens a connection; the outcome comes through [`Process::next_network`].
    pub fn connect(&self, connection: ConnectionId, host: &str, port: u16) {
        let mut world = self.world.borrow_mut();
        let id = world.connect(Owner::Process(self.pid, connection), self.host, host, port);
        if let Some(entry) = world.processes.get_mut(&self.pid) {
            entry.connections.insert(connection, id);
        }
    }

    /// Sends a frame. Nothing happens when the connection is gone: its end was told.
    pub fn send(&self, connection: ConnectionId, frame: Bytes) {
        let mut world = self.world.borrow_mut();
        let id = world
            .processes
            .get(&self.pid)
            .and_then(|entry| entry.connections.get(&connection).copied());
        if let Some(id) = id {
            world.send(id, true, frame);
        }
    }

    /// Closes a connection.
    pub fn close(&self, connection: ConnectionId) {
        let mut world = self.world.borrow_mut();
        let id = world
            .processes
            .get_mut(&self.pid)
            .and_then(|entry| entry.connections.remove(&connection));
        if let Some(id) = id {
            world.close(id, true);
        }
    }

    /// What has happened on this process's connections, if anything has.
    pub fn try_next_network(&self) -> Option<ClientInput> {
        self.world
            .borrow_mut()
            .processes
            .get_mut(&self.pid)?
            .inbox
            .pop_front()
    }

    /// Waits for the next thing that happens on this process's connections.
    pub async fn next_network(&self) -> ClientInput {
        poll_fn(|context| {
            let mut world = self.world.borrow_mut();
            match world.processes.get_mut(&self.pid) {
                Some(entry) => match entry.inbox.pop_front() {
                    Some(input) => Poll::Ready(input),
                    None => {
                        entry.inbox_wakers.push(context.waker().clone());
                        Poll::Pending
                    }
                },
                None => Poll::Pending,
            }
        })
        .await
    }
}
