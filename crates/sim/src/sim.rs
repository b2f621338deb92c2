//! The simulation from outside.

use std::cell::{Ref, RefCell, RefMut};
use std::future::Future;
use std::rc::Rc;

use playground_broker::NodeConfig;
use playground_log::disk::DiskChange;
use playground_protocol::Time;

use crate::executor::Tasks;
use crate::faults::Fault;
use crate::host::HostId;
use crate::process::{Pid, Process, Signal, SpawnOptions, Stdio, spawn_process};
use crate::stream::{InputStream, OutputStream};
use crate::terminal::TerminalId;
use crate::trace::TraceKind;
use crate::world::World;

/// How a simulation starts.
#[derive(Clone, Debug)]
pub struct SimOptions {
    /// Everything random comes from it.
    pub seed: u64,
    /// The virtual time at the start.
    pub start: Time,
}

/// The simulation. See the crate's documentation for how to drive it.
pub struct Sim {
    world: Rc<RefCell<World>>,
    tasks: Tasks,
}

impl Sim {
    /// A simulation without hosts.
    pub fn new(options: SimOptions) -> Sim {
        Sim {
            world: Rc::new(RefCell::new(World::new(options.seed, options.start))),
            tasks: Tasks::default(),
        }
    }

    /// The world, to be looked at.
    ///
    /// # Panics
    /// When called from inside a process; processes have [`Process::with_world`].
    pub fn world(&self) -> Ref<'_, World> {
        self.world.borrow()
    }

    /// The world, to be changed between two events.
    ///
    /// # Panics
    /// When called from inside a process.
    pub fn world_mut(&mut self) -> RefMut<'_, World> {
        self.world.borrow_mut()
    }

    /// The virtual time.
    pub fn now(&self) -> Time {
        self.world.borrow().now
    }

    /// Adds a host.
    pub fn add_host(&mut self, name: &str) -> HostId {
        self.world.borrow_mut().add_host(name)
    }

    /// Starts a Kafka node, see [`World::start_node`].
    pub fn start_node(&mut self, host: HostId, config: NodeConfig) {
        self.world.borrow_mut().start_node(host, config);
    }

    /// Breaks something, see [`World::inject`].
    pub fn inject(&mut self, fault: Fault) -> bool {
        let done = self.world.borrow_mut().inject(fault);
        self.settle();
        done
    }

    /// Mends what `which` names, see [`World::heal`].
    pub fn heal(&mut self, which: impl Fn(&Fault) -> bool) -> usize {
        let healed = self.world.borrow_mut().heal(which);
        self.settle();
        healed
    }

    /// Counts and hashes events without keeping them: for those who look at none.
    pub fn keep_trace(&mut self, kept: bool) {
        self.world.borrow_mut().trace.kept = kept;
    }

    /// Starts a process that has no parent. It runs when events are handled next.
    pub fn spawn<F, T>(&mut self, options: SpawnOptions, body: F) -> Pid
    where
        F: FnOnce(Process) -> T,
        T: Future<Output = i32> + 'static,
    {
        let pid = spawn_process(&self.world, None, options, body);
        self.settle();
        pid
    }

    /// A process's exit code, once it has ended.
    pub fn exit_code(&self, pid: Pid) -> Option<i32> {
        self.world
            .borrow()
            .processes
            .get(&pid)
            .and_then(|process| process.exit)
    }

    /// Forgets an ended process.
    pub fn reap(&mut self, pid: Pid) {
        let mut world = self.world.borrow_mut();
        if world
            .processes
            .get(&pid)
            .is_some_and(|process| process.exit.is_some())
        {
            world.processes.remove(&pid);
        }
    }

    /// Sends a signal to every process of a group.
    pub fn signal_group(&mut self, group: Pid, signal: Signal) {
        self.world.borrow_mut().signal_group(group, signal);
        self.settle();
    }

    /// Runs one ready process, or else lets the next event happen. `false` when there is neither.
    pub fn step(&mut self) -> bool {
        self.settle();
        let ready = self.world.borrow().ready.pop();
        if let Some((pid, cause)) = ready {
            if self.world.borrow_mut().hold_if_paused(pid) {
                return true;
            }
            self.world.borrow_mut().set_cause(cause);
            if let Some(code) = self.tasks.poll(pid) {
                self.world.borrow_mut().end_process(pid, code);
            }
            self.settle();
            return true;
        }
        self.world.borrow_mut().handle_next_event()
    }

    /// Lets everything happen that is due until `until`, at most `steps_max` steps; then the clock stands
    /// at `until` if all was done. Returns whether all was done.
    pub fn run_until(&mut self, until: Time, steps_max: usize) -> bool {
        for _ in 0..steps_max {
            if self.next_event_time() > until {
                let mut world = self.world.borrow_mut();
                world.now = world.now.max(until);
                return true;
            }
            self.step();
        }
        false
    }

    /// When the next thing happens: now if a process is ready, [`Time::NEVER`] if nothing ever does.
    pub fn next_event_time(&self) -> Time {
        let world = self.world.borrow();
        if !world.ready.is_empty() || !world.spawned.is_empty() {
            return world.now;
        }
        world.next_event_time()
    }

    /// Moves new tasks in and dead tasks out.
    fn settle(&mut self) {
        loop {
            let (spawned, dead, ready) = {
                let mut world = self.world.borrow_mut();
                (
                    std::mem::take(&mut world.spawned),
                    std::mem::take(&mut world.dead),
                    world.ready.clone(),
                )
            };
            if spawned.is_empty() && dead.is_empty() {
                return;
            }
            for (pid, task) in spawned {
                self.tasks.insert(pid, task, &ready);
            }
            // Dropped with nothing borrowed: what a task holds may end other processes' waits.
            let dropped: Vec<_> = dead
                .into_iter()
                .filter_map(|pid| self.tasks.remove(pid))
                .collect();
            drop(dropped);
        }
    }

    // ---- terminals ---------------------------------------------------------------------------

    /// The streams of a terminal, for the shell that runs in it.
    pub fn terminal_stdio(&self, id: TerminalId) -> Stdio {
        let output = OutputStream::terminal_of(&self.world, id);
        Stdio {
            stdin: InputStream::terminal_of(&self.world, id),
            stdout: output.clone(),
            stderr: output,
        }
    }

    /// A person typed a whole line (without `\n`) at a terminal.
    pub fn terminal_line(&mut self, id: TerminalId, line: &str) {
        let mut world = self.world.borrow_mut();
        let now = world.now;
        world.trace.cause = None;
        let event = world.trace.push(
            now,
            TraceKind::Typed {
                terminal: id.0,
                line: line.to_owned(),
            },
        );
        world.set_cause(Some(event));
        if let Some(terminal) = world.terminals.get_mut(&id) {
            terminal.output.extend_from_slice(line.as_bytes());
            terminal.output.push(b'\n');
            terminal.input.push_back(format!("{line}\n").into_bytes());
            terminal.wake_readers();
        }
    }

    /// A person pressed Ctrl-C.
    pub fn terminal_interrupt(&mut self, id: TerminalId) {
        let mut world = self.world.borrow_mut();
        let Some(terminal) = world.terminals.get_mut(&id) else {
            return;
        };
        terminal.output.extend_from_slice(b"^C");
        terminal.input.clear();
        if let Some(group) = terminal.foreground {
            world.signal_group(group, Signal::Interrupt);
        }
        drop(world);
        self.settle();
    }

    /// A person pressed Ctrl-D on an empty line.
    pub fn terminal_end_of_file(&mut self, id: TerminalId) {
        let mut world = self.world.borrow_mut();
        if let Some(terminal) = world.terminals.get_mut(&id) {
            terminal.input.push_back(Vec::new());
            terminal.wake_readers();
        }
    }

    /// Takes what the processes wrote to the terminals since the last call.
    pub fn drain_terminal_output(&mut self) -> Vec<(TerminalId, Vec<u8>)> {
        let mut world = self.world.borrow_mut();
        let mut drained = Vec::new();
        for (id, terminal) in &mut world.terminals {
            if !terminal.output.is_empty() {
                drained.push((*id, std::mem::take(&mut terminal.output)));
                terminal.writers.drain(..).for_each(std::task::Waker::wake);
            }
        }
        drained
    }

    /// Takes what the host must persist, per host, in order.
    pub fn drain_disk_changes(&mut self) -> Vec<(HostId, Vec<DiskChange>)> {
        let mut world = self.world.borrow_mut();
        let hosts: Vec<HostId> = world.host_ids().collect();
        hosts
            .into_iter()
            .map(|host| (host, world.disk_mut(host).drain_changes()))
            .filter(|(_, changes)| !changes.is_empty())
            .collect()
    }
}
