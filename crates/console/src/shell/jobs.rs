//! Background jobs.

use std::cell::Cell;
use std::rc::Rc;

use playground_sim::{Pid, Process};

/// A pipeline in the background.
#[derive(Clone, Debug)]
pub struct Job {
    /// `%1`
    pub number: u32,
    /// The processes; the last one's status is the job's.
    pub pids: Vec<Pid>,
    /// As it was typed.
    pub text: String,
    /// Its status, once it has ended.
    pub status: Option<i32>,
    /// Set by a process that ended by itself, so that what a signal ended can be told from it.
    pub ended_by_itself: Rc<Cell<bool>>,
    /// Whether the person was told that it ended.
    pub reported: bool,
}

/// The jobs of a shell.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    jobs: Vec<Job>,
    last_background: Option<Pid>,
    /// Statuses of jobs that are no longer listed: `wait PID` still knows them.
    past: Vec<(Pid, i32)>,
}

/// Statuses that are remembered of jobs no longer listed.
const PAST_MAX: usize = 256;

impl Jobs {
    /// Adds a job; the value is its number.
    pub fn add(&mut self, pids: Vec<Pid>, text: String, ended_by_itself: Rc<Cell<bool>>) -> u32 {
        let number = self.jobs.iter().map(|job| job.number).max().unwrap_or(0) + 1;
        self.last_background = pids.last().copied();
        self.jobs.push(Job {
            number,
            pids,
            text,
            status: None,
            ended_by_itself,
            reported: false,
        });
        number
    }

    /// `$!`
    pub fn last_background(&self) -> Option<Pid> {
        self.last_background
    }

    /// Looks which jobs have ended.
    pub fn refresh(&mut self, process: &Process) {
        for job in self.jobs.iter_mut().filter(|job| job.status.is_none()) {
            if job.pids.iter().all(|pid| process.try_wait(*pid).is_some()) {
                job.status = job.pids.last().and_then(|pid| process.try_wait(*pid));
            }
        }
    }

    /// The jobs, in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Job> {
        self.jobs.iter()
    }

    /// The job that `%1`, `%+`, `%%`, `%-`, `%text` means.
    pub fn find(&self, spec: &str) -> Option<&Job> {
        let name = spec.strip_prefix('%')?;
        match name {
            "" | "%" | "+" => self.jobs.last(),
            "-" => self.jobs.iter().rev().nth(1).or(self.jobs.last()),
            _ => match name.parse::<u32>() {
                Ok(number) => self.jobs.iter().find(|job| job.number == number),
                Err(_) => self.jobs.iter().find(|job| match name.strip_prefix('?') {
                    Some(part) => job.text.contains(part),
                    None => job.text.starts_with(name),
                }),
            },
        }
    }

    /// The job that a process belongs to.
    pub fn of_pid(&self, pid: Pid) -> Option<&Job> {
        self.jobs.iter().find(|job| job.pids.contains(&pid))
    }

    /// The status of a process that was a job's.
    pub fn past(&self, pid: Pid) -> Option<i32> {
        self.past
            .iter()
            .rev()
            .find(|(known, _)| *known == pid)
            .map(|(_, status)| *status)
    }

    /// Records that a job has ended.
    pub fn set_ended(&mut self, number: u32, status: i32) {
        if let Some(job) = self.jobs.iter_mut().find(|job| job.number == number) {
            job.status = Some(status);
        }
    }

    /// Takes a job out of the list; its status is remembered.
    pub fn remove(&mut self, number: u32) {
        let Some(index) = self.jobs.iter().position(|job| job.number == number) else {
            return;
        };
        let job = self.jobs.remove(index);
        if let (Some(pid), Some(status)) = (job.pids.last(), job.status) {
            self.past.push((*pid, status));
            if self.past.len() > PAST_MAX {
                self.past.remove(0);
            }
        }
    }

    /// `+` for the newest job, `-` for the one before it.
    pub fn mark(&self, number: u32) -> char {
        let mut newest = self.jobs.iter().rev().map(|job| job.number);
        if newest.next() == Some(number) {
            '+'
        } else if newest.next() == Some(number) {
            '-'
        } else {
            ' '
        }
    }

    /// A line of `jobs`.
    pub fn line(&self, job: &Job) -> String {
        let state = match job.status {
            None => "Running".to_owned(),
            Some(0) => "Done".to_owned(),
            Some(status) if !job.ended_by_itself.get() && status > 128 => {
                signal_name(status - 128).to_owned()
            }
            Some(status) => format!("Exit {status}"),
        };
        let end = if job.status.is_none() { " &" } else { "" };
        format!(
            "[{}]{}  {:<24}{}{end}\n",
            job.number,
            self.mark(job.number),
            state,
            job.text
        )
    }

    /// Lines for the jobs that have ended since the last call; those are no longer listed.
    pub fn report(&mut self) -> String {
        let mut text = String::new();
        let ended: Vec<u32> = self
            .jobs
            .iter()
            .filter(|job| job.status.is_some())
            .map(|job| job.number)
            .collect();
        for number in &ended {
            if let Some(job) = self.jobs.iter().find(|job| job.number == *number) {
                text.push_str(&self.line(job));
            }
        }
        for number in ended {
            self.remove(number);
        }
        text
    }

    /// Drops jobs that have ended from the list without a word: a script's shell.
    pub fn forget_reported(&mut self) {
        let reported: Vec<u32> = self
            .jobs
            .iter()
            .filter(|job| job.reported && job.status.is_some())
            .map(|job| job.number)
            .collect();
        for number in reported {
            self.remove(number);
        }
    }
}

/// What bash says of a process that a signal ended.
pub fn signal_name(number: i32) -> &'static str {
    match number {
        1 => "Hangup",
        2 => "Interrupt",
        3 => "Quit",
        9 => "Killed",
        13 => "Broken pipe",
        15 => "Terminated",
        _ => "Unknown signal",
    }
}
