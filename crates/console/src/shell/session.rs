//! The shell at a terminal: prompts, Ctrl-C and Ctrl-D, job reports, history.

use playground_sim::{Either, Signal, select};

use super::paste::{CommandReader, Progress};
use super::{Flow, Shell};

/// Lines of history that are kept.
const HISTORY_MAX: usize = 1000;

/// Reads commands from the shell's stdin, a terminal, and runs them until `exit`, Ctrl-D or a hang-up.
pub async fn interactive(mut shell: Shell) -> i32 {
    shell.interactive = true;
    shell.catching = true;
    shell.process.catch_signals();
    if shell.get("PS1").is_none() {
        shell.set("PS1", "\\w \\$ ");
    }
    shell.set("PS2", "> ");
    if let Some(terminal) = shell.io.stdin.terminal_id() {
        let group = shell.process.group();
        shell
            .process
            .with_world(|world| world.set_foreground(terminal, group));
    }
    let mut reader = CommandReader::default();
    loop {
        shell.report_jobs().await;
        let prompt = if reader.is_empty() {
            shell.prompt("PS1")
        } else {
            shell.prompt("PS2")
        };
        if let Some(terminal) = shell.io.stdin.terminal_id() {
            // For Tab, which looks from where the prompt stands.
            let host = shell.process.host();
            shell
                .process
                .with_world(|world| world.set_terminal_place(terminal, host, &shell.cwd));
        }
        shell.out(&prompt).await;
        let line = match select(shell.process.next_signal(), shell.io.stdin.read_line()).await {
            Either::Left(Signal::Hangup) => return shell.hang_up(),
            Either::Left(Signal::Interrupt) => {
                shell.out("\n").await;
                reader.clear();
                shell.status = 130;
                continue;
            }
            Either::Left(_) => continue,
            Either::Right(line) => line,
        };
        let progress = match line {
            Some(line) => {
                let line = String::from_utf8_lossy(&line).into_owned();
                let mut line = line.strip_suffix('\n').unwrap_or(&line).to_owned();
                if reader.is_empty()
                    && let Some(expanded) = shell.recall(&line).await
                {
                    match expanded {
                        Ok(text) => line = text,
                        Err(()) => continue,
                    }
                }
                shell.remember(&line);
                reader.line(&line, false)
            }
            None if reader.is_empty() => {
                shell.out("exit\n").await;
                return shell.status;
            }
            None => {
                shell.out("\n").await;
                reader.end()
            }
        };
        match progress {
            Progress::Incomplete => {}
            Progress::Wrong(reason) => {
                shell.complain(&reason).await;
                shell.status = 2;
            }
            Progress::Complete { list, notice } => {
                if let Some(notice) = notice {
                    let _ = shell
                        .io
                        .stderr
                        .write(format!("{notice}\n").as_bytes())
                        .await;
                }
                if list.items.is_empty() {
                    continue;
                }
                let outcome = shell.run_list(&list).await;
                if shell.hung_up.get() {
                    return shell.hang_up();
                }
                if outcome == Err(Flow::Interrupted) {
                    shell.out("\n").await;
                }
                let ended = matches!(outcome, Err(Flow::Exit(_)));
                let status = shell.settle(outcome);
                if ended {
                    return status;
                }
            }
        }
    }
}

impl Shell {
    /// Says which jobs have ended.
    async fn report_jobs(&mut self) {
        let process = self.process.clone();
        self.jobs.refresh(&process);
        let ended: Vec<_> = self
            .jobs
            .iter()
            .filter(|job| job.status.is_some())
            .flat_map(|job| job.pids.clone())
            .collect();
        for pid in ended {
            if self.process.try_wait(pid).is_some() {
                self.process.wait(pid).await;
            }
        }
        let report = self.jobs.report();
        if !report.is_empty() {
            let _ = self.io.stderr.write(report.as_bytes()).await;
        }
    }

    /// Its terminal went away: the jobs are told, and it ends.
    fn hang_up(&mut self) -> i32 {
        for job in self.jobs.iter() {
            if let Some(group) = job.pids.first() {
                self.process.kill_group(*group, Signal::Hangup);
            }
        }
        129
    }

    fn remember(&mut self, line: &str) {
        if line.trim().is_empty() {
            return;
        }
        let mut history = self.history.borrow_mut();
        if history.last().map(String::as_str) != Some(line) {
            history.push(line.to_owned());
        }
        if history.len() > HISTORY_MAX {
            history.remove(0);
        }
    }

    /// `!!`, `!n` and `!text` at the start of a line, as bash's history does it.
    async fn recall(&mut self, line: &str) -> Option<Result<String, ()>> {
        let rest = line.strip_prefix('!')?;
        if rest.is_empty() || rest.starts_with([' ', '=', '(']) {
            return None;
        }
        let (found, tail) = {
            let history = self.history.borrow();
            if let Some(tail) = rest.strip_prefix('!') {
                (history.last().cloned(), tail.to_owned())
            } else {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                let (word, tail) = rest.split_at(end);
                let found = match word.parse::<i64>() {
                    Ok(number) if number > 0 => usize::try_from(number - 1)
                        .ok()
                        .and_then(|at| history.get(at)),
                    Ok(number) => usize::try_from(-number)
                        .ok()
                        .and_then(|back| history.len().checked_sub(back))
                        .and_then(|at| history.get(at)),
                    Err(_) => history.iter().rev().find(|line| line.starts_with(word)),
                };
                (found.cloned(), tail.to_owned())
            }
        };
        match found {
            Some(found) => {
                let text = found + &tail;
                self.out(&format!("{text}\n")).await;
                Some(Ok(text))
            }
            None => {
                self.complain(&format!(
                    "{}: event not found",
                    line.split_whitespace().next().unwrap_or(line)
                ))
                .await;
                Some(Err(()))
            }
        }
    }

    /// A prompt variable with its escapes expanded.
    fn prompt(&self, variable: &str) -> String {
        let text = self.get(variable).unwrap_or_default();
        let mut prompt = String::new();
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            if character != '\\' {
                prompt.push(character);
                continue;
            }
            match characters.next() {
                Some('u') => prompt.push_str(&self.get("USER").unwrap_or_default()),
                Some('h' | 'H') => prompt.push_str(&self.process.hostname()),
                Some('w') => prompt.push_str(&self.short_directory()),
                Some('W') => {
                    let directory = self.short_directory();
                    prompt.push_str(
                        directory
                            .rsplit('/')
                            .next()
                            .filter(|name| !name.is_empty())
                            .unwrap_or("/"),
                    );
                }
                Some('$') => prompt.push('$'),
                Some('n') => prompt.push('\n'),
                Some('e') => prompt.push('\x1b'),
                Some('[' | ']') => {}
                Some(other) => prompt.push(other),
                None => {}
            }
        }
        prompt
    }

    fn short_directory(&self) -> String {
        let home = self.get("HOME").unwrap_or_default();
        match self.cwd.strip_prefix(&home) {
            Some("") if !home.is_empty() => "~".to_owned(),
            Some(rest) if rest.starts_with('/') && home.len() > 1 => format!("~{rest}"),
            _ => self.cwd.clone(),
        }
    }
}
