//! The whole playground as one value: what the page's worker and `playground run` drive.
//!
//! Inputs go in through [`Playground::input`] and nowhere else; [`Playground::run_until`] lets virtual
//! time pass; output, disk changes and views come out. The same options and the same inputs at the same
//! times give the same bytes.

use std::collections::BTreeMap;

use playground_log::disk::{Disk, DiskChange};
use playground_protocol::Time;
use playground_sim::{HostId, Pid, Process, Signal, Sim, SimOptions, SpawnOptions, TerminalId};

use crate::complete::{self, Completion};
use crate::compose;
use crate::shell::{Shell, interactive};
use crate::view::{self, View, ViewRequest};

/// Brokers of a cluster at most.
pub const BROKERS_MAX: u32 = 9;

/// How a playground starts.
#[derive(Clone, Debug)]
pub struct Options {
    /// Brokers of the home directory's cluster, 1 to 9.
    pub brokers: u32,
    /// Settings that every broker gets beside its own.
    pub broker_config: Vec<(String, String)>,
    /// Everything random comes from it.
    pub seed: u64,
    /// The virtual time at the start.
    pub start: Time,
    /// What was kept of each host's disk, by the host's name.
    pub disks: BTreeMap<String, Disk>,
    /// Whether the home directory gets the files that a first visit finds there. Scripts start empty.
    pub home_files: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            brokers: 1,
            broker_config: Vec::new(),
            seed: 0,
            start: Time::from_millis(1_767_225_600_000),
            disks: BTreeMap::new(),
            home_files: false,
        }
    }
}

/// What a person does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A new terminal on a host.
    OpenTerminal {
        /// The terminal's number, chosen by the host.
        terminal: u32,
        /// The host's name.
        host: String,
    },
    /// The terminal was closed: what runs in it is hung up.
    CloseTerminal {
        /// Which.
        terminal: u32,
    },
    /// A line was typed.
    Line {
        /// Where.
        terminal: u32,
        /// Without its end.
        text: String,
    },
    /// Ctrl-C.
    Interrupt {
        /// Where.
        terminal: u32,
    },
    /// Ctrl-D on an empty line.
    EndOfFile {
        /// Where.
        terminal: u32,
    },
}

struct TerminalEntry {
    id: TerminalId,
    host: HostId,
    shell: Pid,
}

/// See the module's documentation.
pub struct Playground {
    sim: Sim,
    terminals: BTreeMap<u32, TerminalEntry>,
    inputs: Vec<(Time, Input)>,
    boot_error: Option<String>,
}

impl Playground {
    /// Builds the hosts, restores their disks and starts the cluster.
    pub fn new(options: Options) -> Playground {
        let mut sim = Sim::new(SimOptions {
            seed: options.seed,
            start: options.start,
        });
        let brokers = options.brokers.clamp(1, BROKERS_MAX);
        for (name, disk) in options.disks {
            let host = sim.add_host(&name);
            *sim.world_mut().disk_mut(host) = disk;
        }
        let file = compose::home_file(brokers, &options.broker_config);
        let home = sim.add_host(compose::HOME_HOST);
        let boot_error = {
            let mut world = sim.world_mut();
            let disk = world.disk_mut(home);
            for path in [compose::HOME_DIRECTORY, "/tmp"] {
                if !disk.is_directory(path) {
                    disk.create_directory(path);
                }
            }
            compose::boot(&mut world, &file, options.home_files).err()
        };
        Playground {
            sim,
            terminals: BTreeMap::new(),
            inputs: Vec::new(),
            boot_error,
        }
    }

    /// Why a container of before could not be started again, if one could not.
    pub fn boot_error(&self) -> Option<&str> {
        self.boot_error.as_deref()
    }

    /// Whether every node that runs takes clients' requests.
    pub fn is_ready(&self) -> bool {
        compose::is_ready(&self.sim.world())
    }

    /// Something a person did. The one door: every input is recorded.
    pub fn input(&mut self, input: Input) {
        self.inputs.push((self.sim.now(), input.clone()));
        match input {
            Input::OpenTerminal { terminal, host } => self.open_terminal(terminal, &host),
            Input::CloseTerminal { terminal } => {
                if let Some(entry) = self.terminals.remove(&terminal) {
                    self.sim.signal_group(entry.shell, Signal::Hangup);
                }
            }
            Input::Line { terminal, text } => {
                if let Some(entry) = self.terminals.get(&terminal) {
                    self.sim.terminal_line(entry.id, &text);
                }
            }
            Input::Interrupt { terminal } => {
                if let Some(entry) = self.terminals.get(&terminal) {
                    self.sim.terminal_interrupt(entry.id);
                }
            }
            Input::EndOfFile { terminal } => {
                if let Some(entry) = self.terminals.get(&terminal) {
                    self.sim.terminal_end_of_file(entry.id);
                }
            }
        }
    }

    fn open_terminal(&mut self, terminal: u32, host: &str) {
        let Some(host) = self.sim.world().host_by_name(host) else {
            return;
        };
        let id = self.sim.world_mut().open_terminal();
        let options = SpawnOptions {
            host,
            name: "bash".to_owned(),
            stdio: self.sim.terminal_stdio(id),
            group: None,
        };
        let shell = self.sim.spawn(options, login);
        self.terminals
            .insert(terminal, TerminalEntry { id, host, shell });
    }

    /// The inputs so far, each with its time.
    pub fn inputs(&self) -> &[(Time, Input)] {
        &self.inputs
    }

    /// Lets everything happen that is due until `until`, at most `steps_max` steps. Returns whether all
    /// was done.
    pub fn run_until(&mut self, until: Time, steps_max: usize) -> bool {
        self.sim.run_until(until, steps_max)
    }

    /// The virtual time.
    pub fn now(&self) -> Time {
        self.sim.now()
    }

    /// When the next thing happens.
    pub fn next_event_time(&self) -> Time {
        self.sim.next_event_time()
    }

    /// What was written to the terminals since the last call.
    pub fn drain_output(&mut self) -> Vec<(u32, Vec<u8>)> {
        let drained = self.sim.drain_terminal_output();
        drained
            .into_iter()
            .filter_map(|(id, bytes)| {
                let terminal = self.terminals.iter().find(|(_, entry)| entry.id == id)?;
                Some((*terminal.0, bytes))
            })
            .collect()
    }

    /// What must be kept, per host, in order.
    pub fn drain_disk_changes(&mut self) -> Vec<(String, Vec<DiskChange>)> {
        let drained = self.sim.drain_disk_changes();
        let world = self.sim.world();
        drained
            .into_iter()
            .map(|(host, changes)| (world.host_name(host).to_owned(), changes))
            .collect()
    }

    /// What the page shows.
    pub fn view(&self, request: &ViewRequest) -> View {
        view::build(&self.sim, request)
    }

    /// What Tab offers for a line with the cursor after `cursor` bytes.
    pub fn complete(&self, terminal: u32, line: &str, cursor: usize) -> Completion {
        let world = self.sim.world();
        let Some(entry) = self.terminals.get(&terminal) else {
            return Completion::default();
        };
        let (host, directory) = world.terminal_place(entry.id).unwrap_or((entry.host, "/"));
        complete::complete(&world, host, directory, line, cursor)
    }

    /// The simulation, to be looked at.
    pub fn sim(&self) -> &Sim {
        &self.sim
    }

    /// The simulation, to be driven by what stands beside the facade: scripts and tests.
    pub fn sim_mut(&mut self) -> &mut Sim {
        &mut self.sim
    }

    /// Runs a console script and gives its transcript, see [`crate::script`].
    pub fn run_script(&mut self, text: &str) -> String {
        crate::script::run(&mut self.sim, text)
    }
}

/// A terminal's process: a shell, and another one when that ends.
async fn login(process: Process) -> i32 {
    loop {
        let shell = Shell::login(process.clone());
        let status = interactive(shell).await;
        // Hung up: nobody reads any more.
        if status == 129 {
            return status;
        }
        process.yield_now().await;
    }
}
