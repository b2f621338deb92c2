//! Running what was parsed: lists, pipelines, compound and simple commands.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use playground_sim::{InputStream, OutputStream, Pid, SpawnOptions, Stdio};

use super::ast::{
    AssignedValue, Assignment, CaseEnd, Command, CommandKind, Join, List, ListItem, Pipeline, Word,
};
use super::{DEPTH_MAX, Flow, LocalBoxFuture2, Outcome, Shell, pattern};
use crate::commands::{self, CommandContext};

impl Shell {
    /// Runs commands one after another; the status is the last one's.
    pub(super) fn run_list<'a>(&'a mut self, list: &'a List) -> LocalBoxFuture2<'a, Outcome> {
        Box::pin(async move {
            let mut status = 0;
            for item in &list.items {
                status = if item.background {
                    self.start_background(item).await?
                } else {
                    self.run_item(item).await?
                };
                self.status = status;
                if self.interrupted().await {
                    return Err(Flow::Interrupted);
                }
            }
            Ok(status)
        })
    }

    async fn run_item(&mut self, item: &ListItem) -> Outcome {
        let mut pipelines = std::iter::once((None, &item.first))
            .chain(item.rest.iter().map(|(join, p)| (Some(*join), p)));
        let count = item.rest.len() + 1;
        let mut status = self.status;
        let mut last_ran = false;
        for index in 0..count {
            let Some((join, pipeline)) = pipelines.next() else {
                break;
            };
            let runs = match join {
                None => true,
                Some(Join::And) => status == 0,
                Some(Join::Or) => status != 0,
            };
            last_ran = runs && index + 1 == count && !pipeline.negated;
            if !runs {
                continue;
            }
            let guard = u32::from(index + 1 < count || pipeline.negated);
            self.guarded += guard;
            let outcome = self.run_pipeline(pipeline).await;
            self.guarded -= guard;
            status = outcome?;
            self.status = status;
        }
        if status != 0 && last_ran && self.options.exit_on_error && self.guarded == 0 {
            return Err(Flow::Exit(status));
        }
        Ok(status)
    }

    async fn run_pipeline(&mut self, pipeline: &Pipeline) -> Outcome {
        let started = self.process.now();
        let mut status = match pipeline.commands.as_slice() {
            [command] => {
                let status = self.run_command(command, false).await?;
                self.pipe_status = vec![status];
                status
            }
            commands => {
                let (pids, ended) =
                    self.start_parts(commands, self.io.stdin.clone(), Some(self.process.group()));
                self.wait_for_parts(&pids, &ended).await?
            }
        };
        if pipeline.timed {
            let micros = self.process.now().micros().saturating_sub(started.micros());
            let (seconds, millis) = (micros / 1_000_000, micros / 1000 % 1000);
            let text = if pipeline.timed_portably {
                format!("real {seconds}.{:02}\nuser 0.00\nsys 0.00\n", millis / 10)
            } else {
                format!(
                    "\nreal\t{}m{}.{millis:03}s\nuser\t0m0.000s\nsys\t0m0.000s\n",
                    seconds / 60,
                    seconds % 60
                )
            };
            let _ = self.io.stderr.write(text.as_bytes()).await;
        }
        if pipeline.negated {
            status = i32::from(status == 0);
        }
        Ok(status)
    }

    /// Starts the commands of a pipeline as processes, with pipes between them.
    fn start_parts(
        &mut self,
        commands: &[Command],
        stdin: InputStream,
        group: Option<Pid>,
    ) -> (Vec<Pid>, Vec<Rc<Cell<bool>>>) {
        let mut pids: Vec<Pid> = Vec::new();
        let mut flags = Vec::new();
        let mut next_stdin = Some(stdin);
        for (index, command) in commands.iter().enumerate() {
            let stdin = next_stdin.take().unwrap_or_else(InputStream::null);
            let stdout = if index + 1 < commands.len() {
                let (writer, reader) = OutputStream::pipe();
                next_stdin = Some(reader);
                writer
            } else {
                self.io.stdout.clone()
            };
            let stdio = Stdio {
                stdin,
                stdout,
                stderr: self.io.stderr.clone(),
            };
            let ended = Rc::new(Cell::new(false));
            let group = group.or(pids.first().copied());
            pids.push(self.start_part(command.clone(), stdio, group, Rc::clone(&ended)));
            flags.push(ended);
        }
        (pids, flags)
    }

    fn start_part(
        &mut self,
        command: Command,
        stdio: Stdio,
        group: Option<Pid>,
        ended: Rc<Cell<bool>>,
    ) -> Pid {
        let mut shell = self.clone();
        // What the clone holds of this shell's streams must not keep a pipe open.
        shell.io = super::null_stdio();
        let options = SpawnOptions {
            host: self.process.host(),
            name: label(&command),
            stdio,
            group,
        };
        self.process.spawn(options, move |process| async move {
            let mut shell = shell.in_process(process);
            let outcome = shell.run_command(&command, true).await;
            let status = shell.settle(outcome);
            ended.set(true);
            status
        })
    }

    async fn wait_for_parts(&mut self, pids: &[Pid], ended: &[Rc<Cell<bool>>]) -> Outcome {
        let mut status = 0;
        let mut killed = false;
        let mut statuses = Vec::new();
        for (pid, ended) in pids.iter().zip(ended) {
            let code = self.process.wait(*pid).await;
            killed |= code == 130 && !ended.get();
            statuses.push(code);
            if code != 0 || !self.options.pipe_fail {
                status = code;
            }
        }
        self.pipe_status = statuses;
        self.after_wait(status, killed).await
    }

    /// What follows the end of a command in the foreground.
    async fn after_wait(&mut self, status: i32, killed: bool) -> Outcome {
        if self.interrupted().await && (killed || self.loop_depth > 0) {
            return Err(Flow::Interrupted);
        }
        Ok(status)
    }

    async fn start_background(&mut self, item: &ListItem) -> Outcome {
        let group = if self.interactive {
            None
        } else {
            Some(self.process.group())
        };
        let (pids, ended) = if item.rest.is_empty() && !item.first.negated {
            let (pids, mut flags) =
                self.start_parts(&item.first.commands, InputStream::null(), group);
            (pids, flags.pop().unwrap_or_default())
        } else {
            let mut foreground = item.clone();
            foreground.background = false;
            let command = Command {
                kind: CommandKind::Group(List {
                    items: vec![foreground],
                }),
                redirects: Vec::new(),
            };
            let stdio = Stdio {
                stdin: InputStream::null(),
                stdout: self.io.stdout.clone(),
                stderr: self.io.stderr.clone(),
            };
            let ended = Rc::new(Cell::new(false));
            (
                vec![self.start_part(command, stdio, group, Rc::clone(&ended))],
                ended,
            )
        };
        let last = pids.last().copied();
        let number = self.jobs.add(pids, item.text.clone(), ended);
        if self.interactive
            && let Some(pid) = last
        {
            let _ = self
                .io
                .stderr
                .write(format!("[{number}] {}\n", pid.0).as_bytes())
                .await;
        }
        Ok(0)
    }

    /// Runs one command. `last`: nothing follows in this process, so that a tool may take it over.
    fn run_command<'a>(
        &'a mut self,
        command: &'a Command,
        last: bool,
    ) -> LocalBoxFuture2<'a, Outcome> {
        Box::pin(async move {
            if let CommandKind::Simple {
                assignments,
                words,
                arrays,
            } = &command.kind
            {
                let outcome = self.run_simple(assignments, words, command, last).await;
                for array in arrays {
                    self.assign(array, false).await?;
                }
                return outcome;
            }
            if command.redirects.is_empty() {
                return self.run_compound(&command.kind).await;
            }
            let before = (self.io.clone(), self.descriptors.clone());
            let outcome = match self.redirect(&command.redirects).await {
                Ok(true) => self.run_compound(&command.kind).await,
                Ok(false) => Ok(1),
                Err(flow) => Err(flow),
            };
            (self.io, self.descriptors) = before;
            outcome
        })
    }

    async fn run_compound(&mut self, kind: &CommandKind) -> Outcome {
        match kind {
            CommandKind::Simple { .. } => Ok(0),
            CommandKind::Group(list) => self.run_list(list).await,
            CommandKind::Subshell(list) => self.run_subshell(list).await,
            CommandKind::For { name, words, body } => {
                let values = match words {
                    Some(words) => self.expand_words(words).await?,
                    None => self.positional.clone(),
                };
                let mut status = 0;
                for value in values {
                    self.set(name, &value);
                    match self.round(body).await {
                        Ok(code) => status = code,
                        Err(Flow::Break(0)) => break,
                        Err(Flow::Continue(0)) => {}
                        Err(flow) => return Err(flow),
                    }
                }
                Ok(status)
            }
            CommandKind::ForArithmetic {
                parts: [first, condition, step],
                body,
            } => {
                let mut status = 0;
                self.arithmetic(first).await?;
                while condition.0.is_empty() || self.arithmetic(condition).await? != 0 {
                    match self.round(body).await {
                        Ok(code) => status = code,
                        Err(Flow::Break(0)) => break,
                        Err(Flow::Continue(0)) => {}
                        Err(flow) => return Err(flow),
                    }
                    self.arithmetic(step).await?;
                }
                Ok(status)
            }
            CommandKind::While {
                until,
                condition,
                body,
            } => {
                let mut status = 0;
                loop {
                    self.guarded += 1;
                    self.loop_depth += 1;
                    let holds = self.run_list(condition).await;
                    self.loop_depth -= 1;
                    self.guarded -= 1;
                    let holds = match holds {
                        Err(Flow::Break(1)) => break,
                        other => other? == 0,
                    };
                    if holds == *until {
                        break;
                    }
                    match self.round(body).await {
                        Ok(code) => status = code,
                        Err(Flow::Break(0)) => break,
                        Err(Flow::Continue(0)) => {}
                        Err(flow) => return Err(flow),
                    }
                }
                Ok(status)
            }
            CommandKind::If {
                branches,
                otherwise,
            } => {
                for (condition, body) in branches {
                    self.guarded += 1;
                    let holds = self.run_list(condition).await;
                    self.guarded -= 1;
                    if holds? == 0 {
                        return self.run_list(body).await;
                    }
                }
                match otherwise {
                    Some(body) => self.run_list(body).await,
                    None => Ok(0),
                }
            }
            CommandKind::Case { word, arms } => {
                let text = self.expand_single(word).await?;
                let mut status = 0;
                let mut fall_through = false;
                for arm in arms {
                    let mut matched = fall_through;
                    for candidate in &arm.patterns {
                        if matched {
                            break;
                        }
                        let candidate = self.expand_pattern(candidate).await?;
                        matched = pattern::matches(&candidate, &text);
                    }
                    if !matched {
                        continue;
                    }
                    status = self.run_list(&arm.body).await?;
                    match arm.end {
                        CaseEnd::Break => break,
                        CaseEnd::FallThrough => fall_through = true,
                        CaseEnd::Continue => fall_through = false,
                    }
                }
                Ok(status)
            }
            CommandKind::Function { name, body } => {
                self.functions.insert(name.clone(), Rc::clone(body));
                Ok(0)
            }
            CommandKind::Arithmetic(expression) => match self.arithmetic(expression).await {
                Ok(value) => Ok(i32::from(value == 0)),
                Err(Flow::Failed(_)) => Ok(1),
                Err(flow) => Err(flow),
            },
            CommandKind::Conditional(tokens) => self.conditional(tokens).await,
        }
    }

    /// One round of a loop. `Break(0)` and `Continue(0)` are this loop's own.
    async fn round(&mut self, body: &List) -> Outcome {
        self.loop_depth += 1;
        let outcome = self.run_list(body).await;
        self.loop_depth -= 1;
        // A loop that waits for nothing must not stop the clock.
        self.process.yield_now().await;
        match outcome {
            Err(Flow::Break(levels)) => Err(Flow::Break(levels.saturating_sub(1))),
            Err(Flow::Continue(levels)) => Err(Flow::Continue(levels.saturating_sub(1))),
            Ok(status) => {
                self.status = status;
                if self.interrupted().await {
                    Err(Flow::Interrupted)
                } else {
                    Ok(status)
                }
            }
            other => other,
        }
    }

    async fn run_subshell(&mut self, list: &List) -> Outcome {
        let mut inner = self.clone();
        inner.depth += 1;
        inner.loop_depth = 0;
        inner.interactive = false;
        if inner.depth > DEPTH_MAX {
            self.complain("maximum nesting level exceeded").await;
            return Err(Flow::Failed(1));
        }
        let outcome = inner.run_list(list).await;
        if outcome == Err(Flow::Interrupted) {
            return Err(Flow::Interrupted);
        }
        Ok(inner.settle(outcome))
    }

    async fn run_simple(
        &mut self,
        assignments: &[Assignment],
        words: &[Word],
        command: &Command,
        last: bool,
    ) -> Outcome {
        self.substitution_status = None;
        let mut fields = match words
            .first()
            .and_then(Word::as_literal)
            .and_then(|name| self.aliases.get(name))
            .cloned()
        {
            Some(text) => {
                let mut fields = self.alias_words(&text).await?;
                fields.extend(self.expand_words(&words[1..]).await?);
                fields
            }
            None => self.expand_words(words).await?,
        };
        let before = (self.io.clone(), self.descriptors.clone());
        if fields.is_empty() {
            let redirected = self.redirect(&command.redirects).await;
            (self.io, self.descriptors) = before;
            if !redirected? {
                return Ok(1);
            }
            let trace = self.options.trace;
            for assignment in assignments {
                if !self.assign(assignment, trace).await? {
                    return Ok(1);
                }
            }
            return Ok(self.substitution_status.take().unwrap_or(0));
        }
        if self.options.trace {
            let line: Vec<String> = fields.iter().map(|field| quote(field)).collect();
            let _ = self
                .io
                .stderr
                .write(format!("+ {}\n", line.join(" ")).as_bytes())
                .await;
        }
        if !self.redirect(&command.redirects).await? {
            (self.io, self.descriptors) = before;
            return Ok(1);
        }
        let name = fields.remove(0);
        let keeps_streams = name == "exec" && fields.is_empty();
        let outcome = self.run_named(&name, fields, assignments, last).await;
        if !keeps_streams {
            (self.io, self.descriptors) = before;
        }
        outcome
    }

    async fn alias_words(&mut self, text: &str) -> Result<Vec<String>, Flow> {
        let Ok(list) = super::parser::parse_all(text) else {
            return Ok(vec![text.to_owned()]);
        };
        match list
            .items
            .first()
            .and_then(|item| item.first.commands.first())
            .map(|command| &command.kind)
        {
            Some(CommandKind::Simple { words, .. }) => self.expand_words(words).await,
            _ => Ok(vec![text.to_owned()]),
        }
    }

    async fn run_named(
        &mut self,
        name: &str,
        args: Vec<String>,
        assignments: &[Assignment],
        last: bool,
    ) -> Outcome {
        let function = self.functions.get(name).cloned();
        if function.is_some() || super::builtins::is_builtin(name) {
            let mut hidden = Vec::new();
            for assignment in assignments {
                hidden.push((
                    assignment.name.clone(),
                    self.variables.get(&assignment.name).cloned(),
                ));
                self.assign(assignment, false).await?;
                if let Some(variable) = self.variables.get_mut(&assignment.name) {
                    variable.exported = true;
                }
            }
            let outcome = match function {
                Some(body) => self.run_function(name, &body, args).await,
                None => self.run_builtin(name, args).await,
            };
            for (name, variable) in hidden {
                match variable {
                    Some(variable) => self.variables.insert(name, variable),
                    None => self.variables.remove(&name),
                };
            }
            return outcome;
        }
        let mut environment = self.environment();
        for assignment in assignments {
            if let AssignedValue::Scalar(word) = &assignment.value {
                let value = self.expand_single(word).await?;
                environment.insert(assignment.name.clone(), value);
            }
        }
        self.run_tool(name, args, environment, last).await
    }

    pub(super) async fn run_function(
        &mut self,
        name: &str,
        body: &Command,
        args: Vec<String>,
    ) -> Outcome {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            self.depth -= 1;
            self.complain(&format!(
                "maximum function nesting level exceeded ({DEPTH_MAX})"
            ))
            .await;
            return Err(Flow::Failed(1));
        }
        let positional = std::mem::replace(&mut self.positional, args);
        let loop_depth = std::mem::take(&mut self.loop_depth);
        self.locals.push(Vec::new());
        self.running_functions.push(name.to_owned());
        let outcome = self.run_command(body, false).await;
        self.leave_function();
        self.running_functions.pop();
        self.positional = positional;
        self.loop_depth = loop_depth;
        self.depth -= 1;
        match outcome {
            Err(Flow::Return(status)) => Ok(status),
            other => other,
        }
    }

    /// Runs a command that is no builtin: as a process of its own, or in this one when nothing follows.
    pub(super) async fn run_tool(
        &mut self,
        name: &str,
        args: Vec<String>,
        environment: BTreeMap<String, String>,
        last: bool,
    ) -> Outcome {
        let Some(tool) = commands::lookup(name) else {
            return self.run_file(name, args).await;
        };
        let run = tool.run;
        let command_line = std::iter::once(name)
            .chain(args.iter().map(String::as_str))
            .collect::<Vec<_>>()
            .join(" ");
        let context = move |name: String, process: playground_sim::Process, cwd: String| {
            let Stdio {
                stdin,
                stdout,
                stderr,
            } = process.stdio();
            CommandContext {
                process,
                name,
                args,
                cwd,
                environment,
                stdin,
                stdout,
                stderr,
            }
        };
        let cwd = self.cwd.clone();
        let short = name.rsplit('/').next().unwrap_or(name).to_owned();
        if last {
            let process = self
                .process
                .with_stdio(std::mem::replace(&mut self.io, super::null_stdio()));
            return Ok(run(context(short, process, cwd)).await);
        }
        let options = SpawnOptions {
            host: self.process.host(),
            name: command_line,
            stdio: self.io.clone(),
            group: Some(self.process.group()),
        };
        let ended = Rc::new(Cell::new(false));
        let flag = Rc::clone(&ended);
        let pid = self.process.spawn(options, move |process| async move {
            let status = run(context(short, process, cwd)).await;
            flag.set(true);
            status
        });
        let status = self.process.wait(pid).await;
        self.after_wait(status, status == 130 && !ended.get()).await
    }

    /// A name that is no command: a script with a path, or nothing.
    async fn run_file(&mut self, name: &str, args: Vec<String>) -> Outcome {
        if !name.contains('/') {
            self.complain(&format!("{name}: command not found")).await;
            return Ok(127);
        }
        let path = self.path(name);
        if crate::files::is_directory(&self.process, &path) {
            self.complain(&format!("{name}: Is a directory")).await;
            return Ok(126);
        }
        let Some(text) = self.process.with_disk(|disk| disk.read_all(&path)) else {
            self.complain(&format!("{name}: No such file or directory"))
                .await;
            return Ok(127);
        };
        let mut inner = self.clone();
        inner.positional = args;
        inner.interactive = false;
        inner.depth += 1;
        if inner.depth > DEPTH_MAX {
            return Err(Flow::Failed(1));
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        let outcome = inner.run_text(&text).await;
        if outcome == Err(Flow::Interrupted) {
            return Err(Flow::Interrupted);
        }
        Ok(inner.settle(outcome))
    }

    pub(super) async fn assign(
        &mut self,
        assignment: &Assignment,
        trace: bool,
    ) -> Result<bool, Flow> {
        let name = &assignment.name;
        let done = match &assignment.value {
            AssignedValue::Array(words) => {
                let mut items = if assignment.append {
                    self.array(name)
                } else {
                    BTreeMap::new()
                };
                let mut next = items.keys().last().map_or(0, |last| last + 1);
                for value in self.expand_words(words).await? {
                    items.insert(next, value);
                    next += 1;
                }
                self.set_array(name, items)
            }
            AssignedValue::Scalar(word) => {
                let mut value = self.expand_single(word).await?;
                if trace {
                    let _ = self
                        .io
                        .stderr
                        .write(format!("+ {name}={}\n", quote(&value)).as_bytes())
                        .await;
                }
                match &assignment.index {
                    Some(index) => {
                        let index = self.arithmetic(index).await?;
                        let mut items = self.array(name);
                        if assignment.append {
                            value = items.get(&index).cloned().unwrap_or_default() + &value;
                        }
                        items.insert(index, value);
                        self.set_array(name, items)
                    }
                    None => {
                        if assignment.append {
                            let joiner = if self
                                .variables
                                .get(name)
                                .is_some_and(|variable| variable.integer)
                            {
                                "+"
                            } else {
                                ""
                            };
                            value = self.get(name).unwrap_or_default() + joiner + &value;
                        }
                        self.set(name, &value)
                    }
                }
            }
        };
        if !done {
            self.complain(&format!("{name}: readonly variable")).await;
        }
        Ok(done)
    }
}

/// A text as bash would print it to be read again.
pub(super) fn quote(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./:=,+@%^".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// What a process is called in `ps` and the trace: its command's first words.
fn label(command: &Command) -> String {
    match &command.kind {
        CommandKind::Simple { words, .. } => {
            let words: Vec<String> = words.iter().map(super::word::remove_quotes).collect();
            if words.is_empty() {
                "bash".to_owned()
            } else {
                words.join(" ")
            }
        }
        _ => "bash".to_owned(),
    }
}
