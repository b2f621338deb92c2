//! What a command gets, and the table of all commands.
//!
//! A command runs as a process of its own on the host where it was typed. It reads `args`, uses
//! `stdin`, `stdout` and `stderr` of its context (not of the process: the shell runs some commands
//! inside its own process with other streams), and its value is the exit code.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;

use playground_sim::{InputStream, OutputStream, Process};

/// A future that stays on the simulation's one thread.
pub type LocalBoxFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// What a command runs: from its context to its exit code.
pub type Tool = fn(CommandContext) -> LocalBoxFuture<i32>;

/// Everything that a command is given.
#[derive(Clone)]
pub struct CommandContext {
    /// The process that runs it: time, timers, signals, sockets, the host's disk.
    pub process: Process,
    /// The name it was called by (`kafka-topics.sh`), as usage and error texts want it.
    pub name: String,
    /// The arguments after the name.
    pub args: Vec<String>,
    /// The working directory, absolute, without a `/` at its end (but for `/` itself).
    pub cwd: String,
    /// The exported variables.
    pub environment: BTreeMap<String, String>,
    /// Where it reads.
    pub stdin: InputStream,
    /// Where it prints.
    pub stdout: OutputStream,
    /// Where it complains.
    pub stderr: OutputStream,
}

impl CommandContext {
    /// Prints text to stdout. A reader that is gone ends nothing here: see [`Self::try_out`].
    pub async fn out(&self, text: &str) {
        let _ = self.stdout.write(text.as_bytes()).await;
    }

    /// Prints text to stdout; false when nobody reads it any more, and the command should end.
    pub async fn try_out(&self, text: &str) -> bool {
        self.stdout.write(text.as_bytes()).await.is_ok()
    }

    /// Prints text to stderr.
    pub async fn err(&self, text: &str) {
        let _ = self.stderr.write(text.as_bytes()).await;
    }

    /// The absolute, normalized path that an argument names from the working directory.
    pub fn path(&self, argument: &str) -> String {
        resolve(&self.cwd, argument)
    }
}

/// The absolute path of `path` seen from the directory `base`, without `.`, `..` and doubled `/`.
pub fn resolve(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    let base = if path.starts_with('/') { "" } else { base };
    for part in base.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// What follows an option, for Tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CompletionValue {
    /// Nothing: it is a flag.
    None,
    /// Something that cannot be guessed.
    Any,
    /// A file.
    File,
    /// A topic's name.
    Topic,
    /// A group's id.
    Group,
    /// A bootstrap server (`localhost:9092`).
    Server,
    /// One of these words.
    Words(&'static [&'static str]),
}

/// An option of a command, for Tab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionCompletion {
    /// The option without its dashes.
    pub name: &'static str,
    /// What follows it.
    pub value: CompletionValue,
}

/// One row of the table of commands.
pub struct Command {
    /// What is typed; a Kafka tool answers to its name with `.sh` too.
    pub name: &'static str,
    /// One line for `help`.
    pub summary: &'static str,
    /// What runs.
    pub run: Tool,
    /// The options, for Tab.
    pub options: &'static [OptionCompletion],
}

/// The command of that name (the last part of a path counts): a Kafka tool or one of the shell's.
pub fn lookup(name: &str) -> Option<&'static Command> {
    let name = program_name(name)?;
    crate::tools::lookup(name)
        .or_else(|| crate::compose::lookup(name))
        .or_else(|| crate::coreutils::lookup(name))
}

/// The directories in which every program stands.
const PROGRAM_DIRECTORIES: &[&str] = &[
    "/bin/",
    "/usr/bin/",
    "/usr/local/bin/",
    "/opt/kafka/bin/",
    "bin/",
    "./bin/",
];

/// The program that a word means: a bare name, or a path of one of the programs' directories.
fn program_name(word: &str) -> Option<&str> {
    if !word.contains('/') {
        return Some(word);
    }
    PROGRAM_DIRECTORIES
        .iter()
        .find_map(|directory| word.strip_prefix(directory))
        .filter(|name| !name.contains('/'))
}

/// Whether an absolute path names a program.
pub fn is_program(path: &str) -> bool {
    path.starts_with('/') && path.matches('/').count() > 1 && lookup(path).is_some()
}

/// All programs, Kafka's first.
pub fn all() -> impl Iterator<Item = &'static Command> {
    crate::tools::COMMANDS
        .iter()
        .chain(crate::compose::COMMANDS)
        .chain(crate::coreutils::COMMANDS)
}

/// What `help` prints.
pub fn help_text() -> String {
    let mut text = "Kafka's tools (each says more with --help; with and without .sh):\n".to_owned();
    for command in crate::tools::COMMANDS {
        text.push_str(&format!("  {:<32} {}\n", command.name, command.summary));
    }
    text.push_str("The cluster:\n");
    text.push_str("  docker-compose up -d | down | ps | exec SERVICE COMMAND | stop | start | kill | restart | logs\n");
    text.push_str("Small tools, as in any Linux shell:\n");
    let mut line = " ".to_owned();
    let names = crate::coreutils::COMMANDS
        .iter()
        .map(|command| command.name);
    let mut names: Vec<&str> = names
        .chain(crate::shell::builtin_names().iter().copied())
        .collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        if line.len() + name.len() > 76 {
            text.push_str(&line);
            text.push('\n');
            line = " ".to_owned();
        }
        line.push(' ');
        line.push_str(name);
    }
    text.push_str(&line);
    text.push_str("\nPipes, redirections, loops, functions, $VARIABLES and jobs (&, jobs, fg, kill %1) work as in bash.\n");
    text
}

/// Wraps an `async fn` as a [`Tool`]: `run: tool!(cat)`.
#[macro_export]
macro_rules! tool {
    ($function:path) => {
        |context| Box::pin($function(context))
    };
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn paths_are_resolved_lexically() {
        assert_eq!(resolve("/home/user", "a/../b"), "/home/user/b");
        assert_eq!(resolve("/home/user", "/x//y/."), "/x/y");
        assert_eq!(resolve("/", "../.."), "/");
        assert_eq!(resolve("/home/user", ".."), "/home");
    }
}
