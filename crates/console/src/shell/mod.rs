//! The shell: bash's grammar ([`parser`]) interpreted by async code over the simulation's processes.
//!
//! A [`Shell`] is a value; a subshell is a clone of it. Simple commands that are no builtins run as
//! processes of their own, the parts of a pipeline run at the same time with bounded pipes between them.

pub mod arithmetic;
pub mod ast;
pub(crate) mod builtins;
mod conditional;
mod expand;
mod jobs;
pub mod parser;
pub mod paste;
pub mod pattern;
mod redirect;
mod run;
mod session;
mod variables;
mod word;

use std::collections::BTreeMap;
use std::rc::Rc;

use playground_sim::{Either, InputStream, OutputStream, Process, Signal, Stdio, select};

use crate::commands::{CommandContext, resolve};
pub use builtins::{is_builtin, names as builtin_names};
pub use jobs::{Job, Jobs};
pub use session::interactive;
pub use variables::{Value, Variable};

/// What a command came to: its exit status, or a reason to leave what encloses it.
pub type Outcome = Result<i32, Flow>;

/// Why the commands that follow are not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// `break`, out of so many loops.
    Break(u32),
    /// `continue`, of the loop so many out.
    Continue(u32),
    /// `return`, with a status.
    Return(i32),
    /// `exit`, with a status.
    Exit(i32),
    /// Ctrl-C.
    Interrupted,
    /// An expansion failed: the rest of the line is not run.
    Failed(i32),
}

/// How deep functions, subshells, `eval` and `source` may nest.
pub const DEPTH_MAX: usize = 100;

/// One shell, or subshell.
#[derive(Clone)]
pub struct Shell {
    /// The process that interprets.
    pub process: Process,
    /// Its streams; a redirection exchanges them for a while.
    pub io: Stdio,
    /// Further file descriptors, from 3 on.
    descriptors: BTreeMap<u32, redirect::Descriptor>,
    variables: BTreeMap<String, Variable>,
    functions: BTreeMap<String, Rc<ast::Command>>,
    aliases: BTreeMap<String, String>,
    /// What `local` hid, a frame per function that runs.
    locals: Vec<Vec<(String, Option<Variable>)>>,
    /// `$0`
    name: String,
    positional: Vec<String>,
    /// The working directory.
    pub cwd: String,
    status: i32,
    pipe_status: Vec<i32>,
    /// The functions that run, the outermost first.
    running_functions: Vec<String>,
    substitution_status: Option<i32>,
    /// The jobs of this shell.
    pub jobs: Jobs,
    options: Options,
    /// Whether a person types: prompts, job reports, job control.
    interactive: bool,
    /// Whether Ctrl-C is awaited by this process.
    catching: bool,
    /// Whether the status of what runs is looked at: `set -e` does not apply.
    guarded: u32,
    loop_depth: u32,
    depth: usize,
    started_seconds: u64,
    history: Rc<std::cell::RefCell<Vec<String>>>,
    /// Its terminal went away.
    hung_up: Rc<std::cell::Cell<bool>>,
}

/// `set`'s switches.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Options {
    exit_on_error: bool,
    trace: bool,
    no_unset: bool,
    no_glob: bool,
    pipe_fail: bool,
    no_clobber: bool,
}

impl Shell {
    /// A shell at `home`, with the environment of a login.
    pub fn new(process: Process, home: &str, user: &str) -> Shell {
        let io = process.stdio();
        let mut shell = Shell {
            io,
            descriptors: BTreeMap::new(),
            variables: BTreeMap::new(),
            functions: BTreeMap::new(),
            aliases: BTreeMap::new(),
            locals: Vec::new(),
            name: "bash".to_owned(),
            positional: Vec::new(),
            cwd: home.to_owned(),
            status: 0,
            pipe_status: Vec::new(),
            running_functions: Vec::new(),
            substitution_status: None,
            jobs: Jobs::default(),
            options: Options::default(),
            interactive: false,
            catching: false,
            guarded: 0,
            loop_depth: 0,
            depth: 0,
            started_seconds: process.now().micros() / 1_000_000,
            history: Rc::default(),
            hung_up: Rc::default(),
            process,
        };
        let hostname = shell.process.hostname();
        for (name, value) in [
            ("HOME", home),
            ("USER", user),
            ("LOGNAME", user),
            ("SHELL", "/bin/bash"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("PWD", home),
            ("LANG", "C.UTF-8"),
            ("TERM", "xterm-256color"),
            ("HOSTNAME", &hostname),
        ] {
            shell.export(name, value);
        }
        shell.set("IFS", " \t\n");
        shell
    }

    /// The shell of a host's user: at home on the home host, in a container elsewhere.
    pub fn login(process: Process) -> Shell {
        use crate::compose::{CONTAINER_HOME, HOME_DIRECTORY, HOME_HOST};
        if process.hostname() == HOME_HOST {
            return Shell::new(process, HOME_DIRECTORY, "user");
        }
        let mut shell = Shell::new(process, CONTAINER_HOME, "appuser");
        shell.set("PS1", "\\h:\\w \\$ ");
        shell
    }

    /// The same shell in another process: what a pipeline's part or a background job runs in.
    fn in_process(mut self, process: Process) -> Shell {
        self.io = process.stdio();
        self.process = process;
        self.catching = false;
        self.interactive = false;
        self.loop_depth = 0;
        self
    }

    /// Prints to the shell's stderr.
    pub async fn complain(&self, text: &str) {
        let _ = self
            .io
            .stderr
            .write(format!("bash: {text}\n").as_bytes())
            .await;
    }

    async fn out(&self, text: &str) {
        let _ = self.io.stdout.write(text.as_bytes()).await;
    }

    fn path(&self, path: &str) -> String {
        resolve(&self.cwd, path)
    }

    /// Whether a signal ends what runs in the foreground: Ctrl-C, or the end of the terminal.
    fn ends_commands(&self, signal: Signal) -> bool {
        if signal == Signal::Hangup {
            self.hung_up.set(true);
        }
        matches!(signal, Signal::Interrupt | Signal::Hangup)
    }

    /// Whether Ctrl-C was pressed since the last look.
    async fn interrupted(&self) -> bool {
        if !self.catching {
            return false;
        }
        let mut found = false;
        while let Either::Left(signal) =
            select(self.process.next_signal(), std::future::ready(())).await
        {
            found |= self.ends_commands(signal);
        }
        found
    }

    /// What a command gets that this shell runs in its own process.
    fn context(&self, name: &str, args: Vec<String>) -> CommandContext {
        CommandContext {
            process: self.process.with_stdio(self.io.clone()),
            name: name.to_owned(),
            args,
            cwd: self.cwd.clone(),
            environment: self.environment(),
            stdin: self.io.stdin.clone(),
            stdout: self.io.stdout.clone(),
            stderr: self.io.stderr.clone(),
        }
    }

    /// Parses and runs a whole text: `eval`, `source`, `bash -c`.
    pub fn run_text<'a>(&'a mut self, text: &'a str) -> LocalBoxFuture2<'a, Outcome> {
        Box::pin(async move {
            let mut from = 0;
            let mut status = 0;
            while from < text.len() {
                match parser::parse_complete(text, from, true) {
                    Ok((list, next)) => {
                        from = next.max(from + 1);
                        if !list.items.is_empty() {
                            status = self.run_list(&list).await?;
                        }
                    }
                    Err(error) => {
                        self.complain(&error.to_string()).await;
                        self.status = 2;
                        return Ok(2);
                    }
                }
            }
            Ok(status)
        })
    }

    /// Parses and runs a whole text and turns every way to leave it into a status.
    pub async fn run_to_end(&mut self, text: &str) -> i32 {
        let outcome = self.run_text(text).await;
        self.settle(outcome)
    }

    fn settle(&mut self, outcome: Outcome) -> i32 {
        let status = match outcome {
            Ok(status) | Err(Flow::Return(status) | Flow::Exit(status) | Flow::Failed(status)) => {
                status
            }
            Err(Flow::Break(_) | Flow::Continue(_)) => 0,
            Err(Flow::Interrupted) => 130,
        };
        self.status = status;
        status
    }

    /// Runs one complete command of a script; `Some` when the script should end.
    pub async fn run_complete(&mut self, list: &ast::List) -> (i32, bool) {
        let outcome = self.run_list(list).await;
        let ended = matches!(outcome, Err(Flow::Exit(_)));
        self.jobs.forget_reported();
        (self.settle(outcome), ended)
    }

    /// Runs a builtin by name: what `xargs` and `env` start.
    pub async fn run_words(&mut self, name: &str, args: Vec<String>) -> i32 {
        let outcome = self.run_builtin(name, args).await;
        self.settle(outcome)
    }

    /// Sets `$?`.
    pub fn set_status(&mut self, status: i32) {
        self.status = status;
    }
}

/// A boxed future that borrows: what recursion in async code needs.
pub type LocalBoxFuture2<'a, T> = std::pin::Pin<Box<dyn std::future::Future<Output = T> + 'a>>;

/// Streams that lead nowhere.
pub fn null_stdio() -> Stdio {
    Stdio {
        stdin: InputStream::null(),
        stdout: OutputStream::null(),
        stderr: OutputStream::null(),
    }
}

/// `bash [-c TEXT [NAME ARG…] | FILE [ARG…]]`, as a command.
pub async fn bash(context: CommandContext) -> i32 {
    let mut args = context.args.clone();
    let mut text = None;
    let mut interactive_asked = false;
    while let Some(option) = args
        .first()
        .filter(|option| option.starts_with('-') && option.len() > 1)
        .cloned()
    {
        args.remove(0);
        match option.as_str() {
            "--" => break,
            "--version" => {
                context
                    .out("GNU bash, version 5.2 (the playground's own)\n")
                    .await;
                return 0;
            }
            "--login" | "--norc" | "--noprofile" => {}
            option => {
                interactive_asked |= option.contains('i');
                if option.contains('c') {
                    if args.is_empty() {
                        context.err("bash: -c: option requires an argument\n").await;
                        return 2;
                    }
                    text = Some(args.remove(0));
                    break;
                }
            }
        }
    }
    let home = context
        .environment
        .get("HOME")
        .cloned()
        .unwrap_or_else(|| "/".to_owned());
    let user = context
        .environment
        .get("USER")
        .cloned()
        .unwrap_or_else(|| "user".to_owned());
    let mut shell = Shell::new(context.process.clone(), &home, &user);
    shell.io = Stdio {
        stdin: context.stdin.clone(),
        stdout: context.stdout.clone(),
        stderr: context.stderr.clone(),
    };
    for (name, value) in &context.environment {
        shell.export(name, value);
    }
    shell.cwd = context.cwd.clone();
    if let Some(text) = text {
        if !args.is_empty() {
            shell.name = args.remove(0);
        }
        shell.positional = args;
        return shell.run_to_end(&text).await;
    }
    if !args.is_empty() {
        let file = args.remove(0);
        shell.name = file.clone();
        shell.positional = args;
        let Some(text) = context
            .process
            .with_disk(|disk| disk.read_all(&resolve(&context.cwd, &file)))
        else {
            context
                .err(&format!("bash: {file}: No such file or directory\n"))
                .await;
            return 127;
        };
        return shell.run_to_end(&String::from_utf8_lossy(&text)).await;
    }
    if context.stdin.is_terminal() || interactive_asked {
        return interactive(shell).await;
    }
    let text = context.stdin.read_to_end().await;
    shell.run_to_end(&String::from_utf8_lossy(&text)).await
}
