//! Jobs: `jobs`, `wait`, `kill`, `fg`, `bg`.

use playground_sim::{Either, Pid, Signal, select};

use crate::shell::{Flow, Outcome, Shell};

const SIGNALS: &[(&str, Signal)] = &[
    ("HUP", Signal::Hangup),
    ("INT", Signal::Interrupt),
    ("QUIT", Signal::Quit),
    ("KILL", Signal::Kill),
    ("PIPE", Signal::Pipe),
    ("TERM", Signal::Terminate),
];

fn signal(name: &str) -> Option<Signal> {
    let name = name.to_ascii_uppercase();
    let name = name.strip_prefix("SIG").unwrap_or(&name);
    SIGNALS
        .iter()
        .find(|(known, signal)| *known == name || (*signal as i32).to_string() == name)
        .map(|(_, signal)| *signal)
}

impl Shell {
    pub(super) async fn run_job_control(&mut self, name: &str, args: Vec<String>) -> Outcome {
        match name {
            "jobs" => Ok(self.list_jobs(&args).await),
            "wait" => self.wait_for(&args).await,
            "kill" => Ok(self.kill(&args).await),
            "fg" => self.foreground(&args).await,
            "bg" => {
                self.complain("bg: no job control: jobs are never stopped here")
                    .await;
                Ok(1)
            }
            _ => Ok(0),
        }
    }

    async fn list_jobs(&mut self, args: &[String]) -> i32 {
        let process = self.process.clone();
        self.jobs.refresh(&process);
        let option = |letter: char| {
            args.iter()
                .any(|arg| arg.starts_with('-') && arg.contains(letter))
        };
        let mut text = String::new();
        for job in self.jobs.iter() {
            if option('r') && job.status.is_some() || option('s') {
                continue;
            }
            if option('p') {
                if let Some(pid) = job.pids.first() {
                    text.push_str(&format!("{}\n", pid.0));
                }
            } else if option('l') {
                let line = self.jobs.line(job);
                let pid = job.pids.first().map_or(0, |pid| pid.0);
                let (head, tail) =
                    line.split_at(line.find(']').map_or(0, |end| end + 2).min(line.len()));
                text.push_str(&format!("{head} {pid} {}", tail.trim_start()));
            } else {
                text.push_str(&self.jobs.line(job));
            }
        }
        self.out(&text).await;
        if !option('p') {
            let ended: Vec<u32> = self
                .jobs
                .iter()
                .filter(|job| job.status.is_some())
                .map(|job| job.number)
                .collect();
            for number in ended {
                self.jobs.remove(number);
            }
        }
        0
    }

    async fn wait_for(&mut self, args: &[String]) -> Outcome {
        let targets: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
        if targets.is_empty() {
            let numbers: Vec<u32> = self.jobs.iter().map(|job| job.number).collect();
            for number in numbers {
                self.wait_for_job(number).await?;
            }
            return Ok(0);
        }
        let mut status = 0;
        for target in targets {
            let number = if target.starts_with('%') {
                match self.jobs.find(target) {
                    Some(job) => job.number,
                    None => {
                        self.complain(&format!("wait: {target}: no such job")).await;
                        status = 127;
                        continue;
                    }
                }
            } else {
                let Ok(pid) = target.parse::<u32>() else {
                    self.complain(&format!("wait: `{target}': not a pid or valid job spec"))
                        .await;
                    status = 1;
                    continue;
                };
                match (self.jobs.of_pid(Pid(pid)), self.jobs.past(Pid(pid))) {
                    (Some(job), _) => job.number,
                    (None, Some(past)) => {
                        status = past;
                        continue;
                    }
                    (None, None) => {
                        self.complain(&format!("wait: pid {pid} is not a child of this shell"))
                            .await;
                        status = 127;
                        continue;
                    }
                }
            };
            status = self.wait_for_job(number).await?;
        }
        Ok(status)
    }

    /// Waits for a job of this shell. At a terminal Ctrl-C ends the wait, not the job.
    async fn wait_for_job(&mut self, number: u32) -> Outcome {
        let Some(job) = self.jobs.iter().find(|job| job.number == number) else {
            return Ok(127);
        };
        let mut status = job.status;
        let pids = job.pids.clone();
        if status.is_none() {
            for pid in pids {
                // Not forgotten yet: the job's own look at it comes later.
                let code = match self.process.try_wait(pid) {
                    Some(code) => code,
                    None if self.catching => {
                        match select(self.process.next_signal(), self.process.wait(pid)).await {
                            Either::Left(signal) => {
                                self.ends_commands(signal);
                                return Err(Flow::Interrupted);
                            }
                            Either::Right(code) => code,
                        }
                    }
                    None => self.process.wait(pid).await,
                };
                status = Some(code);
            }
        }
        let status = status.unwrap_or(0);
        self.jobs.set_ended(number, status);
        if !self.interactive {
            self.jobs.remove(number);
        }
        Ok(status)
    }

    async fn kill(&mut self, args: &[String]) -> i32 {
        let mut wanted = Signal::Terminate;
        let mut rest = args;
        match rest.first().map(String::as_str) {
            None => {
                self.complain("kill: usage: kill [-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]").await;
                return 2;
            }
            Some("-l" | "-L") => {
                if let Some(name) = rest.get(1) {
                    let number = name.starts_with(|first: char| first.is_ascii_digit());
                    let text = match signal(name) {
                        Some(found) if number => {
                            let row = SIGNALS.iter().find(|(_, known)| *known == found);
                            row.map_or("", |(name, _)| name).to_owned()
                        }
                        Some(found) => (found as i32).to_string(),
                        None => {
                            self.complain(&format!("kill: {name}: invalid signal specification"))
                                .await;
                            return 1;
                        }
                    };
                    self.out(&format!("{text}\n")).await;
                    return 0;
                }
                let text: String = SIGNALS
                    .iter()
                    .map(|(name, signal)| format!("{:2}) SIG{name}\n", *signal as i32))
                    .collect();
                self.out(&text).await;
                return 0;
            }
            Some("-0") => {
                let mut status = 0;
                for target in &rest[1..] {
                    let known = target.parse::<u32>().is_ok_and(|pid| self.runs(Pid(pid)));
                    if !known {
                        self.complain(&format!("kill: ({target}) - No such process"))
                            .await;
                        status = 1;
                    }
                }
                return status;
            }
            Some("--") => rest = &rest[1..],
            Some(option) if option.starts_with('-') && option.len() > 1 => {
                let separate = matches!(option, "-s" | "-n");
                let name = if separate {
                    rest.get(1).map_or("", String::as_str)
                } else {
                    &option[1..]
                };
                match signal(name) {
                    Some(signal) => wanted = signal,
                    None => {
                        self.complain(&format!("kill: {name}: invalid signal specification"))
                            .await;
                        return 1;
                    }
                }
                rest = rest.get(if separate { 2 } else { 1 }..).unwrap_or_default();
            }
            Some(_) => {}
        }
        let mut status = 0;
        for target in rest {
            if target.starts_with('%') {
                let Some(job) = self.jobs.find(target) else {
                    self.complain(&format!("kill: {target}: no such job")).await;
                    status = 1;
                    continue;
                };
                let own_group = job.pids.first().copied().filter(|_| self.interactive);
                let mut killed =
                    own_group.is_some_and(|group| self.process.kill_group(group, wanted));
                for pid in job.pids.clone() {
                    killed |= own_group.is_none() && self.process.kill(pid, wanted);
                }
                let _ = killed;
                continue;
            }
            let killed = match target.parse::<i64>() {
                Ok(pid) if pid < 0 => u32::try_from(-pid)
                    .is_ok_and(|group| self.process.kill_group(Pid(group), wanted)),
                Ok(pid) => u32::try_from(pid).is_ok_and(|pid| self.process.kill(Pid(pid), wanted)),
                Err(_) => {
                    self.complain(&format!(
                        "kill: {target}: arguments must be process or job IDs"
                    ))
                    .await;
                    status = 1;
                    continue;
                }
            };
            if !killed {
                self.complain(&format!("kill: ({target}) - No such process"))
                    .await;
                status = 1;
            }
        }
        status
    }

    fn runs(&self, pid: Pid) -> bool {
        self.process
            .processes()
            .iter()
            .any(|process| process.pid == pid && process.exit.is_none())
    }

    async fn foreground(&mut self, args: &[String]) -> Outcome {
        if !self.interactive {
            self.complain("fg: no job control").await;
            return Ok(1);
        }
        let spec = args.first().map_or("%+", String::as_str);
        let spec = if spec.starts_with('%') {
            spec.to_owned()
        } else {
            format!("%{spec}")
        };
        let process = self.process.clone();
        self.jobs.refresh(&process);
        let Some(job) = self.jobs.find(&spec).cloned() else {
            let name = args.first().map_or("current", String::as_str);
            self.complain(&format!("fg: {name}: no such job")).await;
            return Ok(1);
        };
        self.out(&format!("{}\n", job.text)).await;
        let terminal = self.io.stdin.terminal_id();
        let own = self.process.group();
        if let (Some(terminal), Some(group)) = (terminal, job.pids.first()) {
            self.process
                .with_world(|world| world.set_foreground(terminal, *group));
        }
        let mut status = job.status.unwrap_or(0);
        if job.status.is_none() {
            for pid in &job.pids {
                status = self.process.wait(*pid).await;
            }
        }
        if let Some(terminal) = terminal {
            self.process
                .with_world(|world| world.set_foreground(terminal, own));
        }
        self.jobs.set_ended(job.number, status);
        self.jobs.remove(job.number);
        if status == 130 && !job.ended_by_itself.get() {
            return Err(Flow::Interrupted);
        }
        Ok(status)
    }
}
