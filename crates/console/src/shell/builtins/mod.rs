//! The commands that change the shell itself, and those that bash answers without a process.

mod control;
mod declare;
mod read;

use super::{Flow, Outcome, Shell};
use crate::coreutils;
use crate::files;

const NAMES: &[&str] = &[
    ".",
    ":",
    "[",
    "alias",
    "bg",
    "break",
    "builtin",
    "cd",
    "command",
    "continue",
    "declare",
    "disown",
    "echo",
    "eval",
    "exec",
    "exit",
    "export",
    "false",
    "fg",
    "getopts",
    "hash",
    "help",
    "history",
    "jobs",
    "kill",
    "let",
    "local",
    "logout",
    "mapfile",
    "printf",
    "pwd",
    "read",
    "readarray",
    "readonly",
    "return",
    "set",
    "shift",
    "shopt",
    "source",
    "test",
    "times",
    "trap",
    "true",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unset",
    "wait",
    "which",
];

/// Whether the shell answers this name itself.
pub fn is_builtin(name: &str) -> bool {
    NAMES.contains(&name)
}

/// The names of all builtins, for Tab.
pub fn names() -> &'static [&'static str] {
    NAMES
}

impl Shell {
    pub(super) async fn run_builtin(&mut self, name: &str, args: Vec<String>) -> Outcome {
        match name {
            ":" | "true" | "times" | "trap" | "ulimit" | "umask" | "hash" | "shopt" | "disown" => {
                Ok(0)
            }
            "false" => Ok(1),
            "echo" | "printf" => self.print(name, args).await,
            "test" | "[" => Ok(self.test(name, args).await),
            "pwd" => {
                self.out(&format!("{}\n", self.cwd)).await;
                Ok(0)
            }
            "cd" => Ok(self.change_directory(&args).await),
            "exit" | "logout" => self.exit(&args).await,
            "return" => {
                let status = args
                    .first()
                    .and_then(|status| status.parse::<i32>().ok())
                    .unwrap_or(self.status);
                if self.locals.is_empty() && self.depth == 0 {
                    self.complain("return: can only `return' from a function or sourced script")
                        .await;
                    return Ok(2);
                }
                Err(Flow::Return(status & 255))
            }
            "break" | "continue" => self.leave_loop(name, &args).await,
            "eval" => {
                let text = args.join(" ");
                self.nested(|shell| Box::pin(async move { shell.run_text(&text).await }))
                    .await
            }
            "source" | "." => self.source(name, args).await,
            "exec" => {
                let mut args = args;
                if args.is_empty() {
                    return Ok(0);
                }
                let name = args.remove(0);
                let environment = self.environment();
                let status = Box::pin(self.run_tool(&name, args, environment, false)).await?;
                Err(Flow::Exit(status))
            }
            "command" | "builtin" => self.command(name, args).await,
            "type" | "which" => Ok(self.describe(name, &args).await),
            "shift" => {
                let count = args
                    .first()
                    .and_then(|count| count.parse::<usize>().ok())
                    .unwrap_or(1);
                if count > self.positional.len() {
                    return Ok(1);
                }
                self.positional.drain(..count);
                Ok(0)
            }
            "let" => {
                let mut value = 0;
                for expression in &args {
                    value = match super::arithmetic::evaluate(expression, self) {
                        Ok(value) => value,
                        Err(error) => {
                            self.complain(&format!("let: {expression}: {error}")).await;
                            return Ok(1);
                        }
                    };
                }
                Ok(i32::from(value == 0))
            }
            "alias" | "unalias" => Ok(self.alias(name, &args).await),
            "history" => {
                let history = self.history.borrow().clone();
                let count = args
                    .first()
                    .and_then(|count| count.parse::<usize>().ok())
                    .unwrap_or(usize::MAX);
                let mut text = String::new();
                for (index, line) in history
                    .iter()
                    .enumerate()
                    .skip(history.len().saturating_sub(count))
                {
                    text.push_str(&format!("{:5}  {line}\n", index + 1));
                }
                self.out(&text).await;
                Ok(0)
            }
            "help" => Ok(self.help(&args).await),
            "export" | "declare" | "typeset" | "local" | "readonly" | "unset" | "set"
            | "getopts" => self.run_declaration(name, args).await,
            "read" => self.read(args).await,
            "mapfile" | "readarray" => self.map_file(args).await,
            _ => self.run_job_control(name, args).await,
        }
    }

    /// Runs something one level deeper.
    pub(super) async fn nested<'a>(
        &'a mut self,
        body: impl FnOnce(&'a mut Shell) -> super::LocalBoxFuture2<'a, Outcome>,
    ) -> Outcome {
        if self.depth >= super::DEPTH_MAX {
            self.complain("maximum nesting level exceeded").await;
            return Err(Flow::Failed(1));
        }
        body(self).await
    }

    async fn print(&mut self, name: &str, mut args: Vec<String>) -> Outcome {
        if name == "printf" && args.first().map(String::as_str) == Some("-v") {
            if args.len() < 3 {
                self.complain("printf: usage: printf [-v var] format [arguments]")
                    .await;
                return Ok(2);
            }
            let variable = args.remove(1);
            args.remove(0);
            let format = args.remove(0);
            let printed = coreutils::printf::format(&format, &args);
            self.set(&variable, &String::from_utf8_lossy(&printed.bytes));
            return Ok(i32::from(!printed.errors.is_empty()));
        }
        let context = self.context(name, args);
        let status = match name {
            "echo" => coreutils::echo::run(context).await,
            _ => coreutils::printf::run(context).await,
        };
        // SIGPIPE ends the process that printed: this one.
        if status == 141 && !self.catching {
            return Err(Flow::Exit(141));
        }
        Ok(status)
    }

    async fn change_directory(&mut self, args: &[String]) -> i32 {
        let args: Vec<&String> = args
            .iter()
            .filter(|arg| !matches!(arg.as_str(), "-P" | "-L" | "--"))
            .collect();
        if args.len() > 1 {
            self.complain("cd: too many arguments").await;
            return 1;
        }
        let target = match args.first().map(|arg| arg.as_str()) {
            None => match self.get("HOME") {
                Some(home) => home,
                None => {
                    self.complain("cd: HOME not set").await;
                    return 1;
                }
            },
            Some("-") => match self.get("OLDPWD") {
                Some(before) => {
                    self.out(&format!("{before}\n")).await;
                    before
                }
                None => {
                    self.complain("cd: OLDPWD not set").await;
                    return 1;
                }
            },
            Some(target) => target.to_owned(),
        };
        let path = self.path(&target);
        match files::kind(&self.process, &path) {
            Some(files::FileKind::Directory) => {
                let before = std::mem::replace(&mut self.cwd, path.clone());
                self.export("OLDPWD", &before);
                self.export("PWD", &path);
                0
            }
            kind => {
                let error = if kind.is_some() {
                    files::FileError::NotDirectory
                } else {
                    files::missing(&self.process, &path)
                };
                self.complain(&format!("cd: {target}: {error}")).await;
                1
            }
        }
    }

    async fn exit(&mut self, args: &[String]) -> Outcome {
        if self.interactive {
            let _ = self.io.stderr.write(b"exit\n").await;
        }
        match args.first() {
            None => Err(Flow::Exit(self.status)),
            Some(text) => match text.parse::<i32>() {
                Ok(status) => Err(Flow::Exit(status & 255)),
                Err(_) => {
                    self.complain(&format!("exit: {text}: numeric argument required"))
                        .await;
                    Err(Flow::Exit(2))
                }
            },
        }
    }

    async fn leave_loop(&mut self, name: &str, args: &[String]) -> Outcome {
        if self.loop_depth == 0 {
            self.complain(&format!(
                "{name}: only meaningful in a `for', `while', or `until' loop"
            ))
            .await;
            return Ok(0);
        }
        let levels = match args.first() {
            None => 1,
            Some(text) => match text.parse::<u32>() {
                Ok(levels) if levels > 0 => levels.min(self.loop_depth),
                _ => {
                    self.complain(&format!("{name}: {text}: loop count out of range"))
                        .await;
                    return Ok(1);
                }
            },
        };
        Err(if name == "break" {
            Flow::Break(levels)
        } else {
            Flow::Continue(levels)
        })
    }

    async fn source(&mut self, name: &str, mut args: Vec<String>) -> Outcome {
        if args.is_empty() {
            self.complain(&format!("{name}: filename argument required"))
                .await;
            return Ok(2);
        }
        let file = args.remove(0);
        let path = self.path(&file);
        let text = self.process.with_disk(|disk| {
            if disk.is_directory(&path) {
                None
            } else {
                disk.read_all(&path)
            }
        });
        let Some(text) = text else {
            let error = match files::kind(&self.process, &path) {
                Some(files::FileKind::Directory) => format!("{name}: {file}: is a directory"),
                _ => format!("{file}: {}", files::missing(&self.process, &path)),
            };
            self.complain(&error).await;
            return Ok(1);
        };
        let text = String::from_utf8_lossy(&text).into_owned();
        let positional = if args.is_empty() {
            None
        } else {
            Some(std::mem::replace(&mut self.positional, args))
        };
        self.depth += 1;
        let outcome = if self.depth > super::DEPTH_MAX {
            self.complain("maximum nesting level exceeded").await;
            Err(Flow::Failed(1))
        } else {
            self.run_text(&text).await
        };
        self.depth -= 1;
        if let Some(positional) = positional {
            self.positional = positional;
        }
        match outcome {
            Err(Flow::Return(status)) => Ok(status),
            other => other,
        }
    }

    async fn command(&mut self, name: &str, mut args: Vec<String>) -> Outcome {
        if name == "command" && args.first().is_some_and(|arg| arg == "-v" || arg == "-V") {
            let verbose = args.remove(0) == "-V";
            if verbose {
                return Ok(self.describe("type", &args).await);
            }
            let mut status = 1;
            for name in &args {
                let found = if self.functions.contains_key(name) || is_builtin(name) {
                    Some(name.clone())
                } else {
                    crate::commands::lookup(name).map(|_| format!("/usr/bin/{name}"))
                };
                if let Some(found) = found {
                    self.out(&format!("{found}\n")).await;
                    status = 0;
                }
            }
            return Ok(status);
        }
        if args.is_empty() {
            return Ok(0);
        }
        let target = args.remove(0);
        if is_builtin(&target) {
            return Box::pin(self.run_builtin(&target, args)).await;
        }
        if name == "builtin" {
            self.complain(&format!("builtin: {target}: not a shell builtin"))
                .await;
            return Ok(1);
        }
        let environment = self.environment();
        self.run_tool(&target, args, environment, false).await
    }

    async fn describe(&mut self, name: &str, args: &[String]) -> i32 {
        let mut status = 0;
        for target in args.iter().filter(|arg| !arg.starts_with('-')) {
            let program = crate::commands::lookup(target).map(|_| format!("/usr/bin/{target}"));
            let text = if name == "which" {
                program.or_else(|| is_builtin(target).then(|| format!("/usr/bin/{target}")))
            } else if args.first().is_some_and(|arg| arg == "-t") {
                if let Some(_alias) = self.aliases.get(target) {
                    Some("alias".to_owned())
                } else if self.functions.contains_key(target) {
                    Some("function".to_owned())
                } else if is_builtin(target) {
                    Some("builtin".to_owned())
                } else {
                    program.map(|_| "file".to_owned())
                }
            } else if let Some(alias) = self.aliases.get(target) {
                Some(format!("{target} is aliased to `{alias}'"))
            } else if crate::shell::parser::is_reserved(target) {
                Some(format!("{target} is a shell keyword"))
            } else if self.functions.contains_key(target) {
                Some(format!("{target} is a function"))
            } else if is_builtin(target) {
                Some(format!("{target} is a shell builtin"))
            } else {
                program.map(|path| format!("{target} is {path}"))
            };
            match text {
                Some(text) => self.out(&format!("{text}\n")).await,
                None => {
                    status = 1;
                    if name == "type" && args.first().is_none_or(|arg| arg != "-t") {
                        self.complain(&format!("type: {target}: not found")).await;
                    }
                }
            }
        }
        status
    }

    async fn alias(&mut self, name: &str, args: &[String]) -> i32 {
        if name == "unalias" {
            let mut status = 0;
            for target in args {
                if target == "-a" {
                    self.aliases.clear();
                } else if self.aliases.remove(target).is_none() {
                    self.complain(&format!("unalias: {target}: not found"))
                        .await;
                    status = 1;
                }
            }
            return status;
        }
        if args.is_empty() {
            let text: String = self
                .aliases
                .iter()
                .map(|(name, text)| format!("alias {name}='{text}'\n"))
                .collect();
            self.out(&text).await;
        }
        for arg in args {
            match arg.split_once('=') {
                Some((name, text)) => {
                    self.aliases.insert(name.to_owned(), text.to_owned());
                }
                None => match self.aliases.get(arg).cloned() {
                    Some(text) => self.out(&format!("alias {arg}='{text}'\n")).await,
                    None => {
                        self.complain(&format!("alias: {arg}: not found")).await;
                        return 1;
                    }
                },
            }
        }
        0
    }

    /// `help`: what can be typed here, in short.
    async fn help(&mut self, args: &[String]) -> i32 {
        let text = match args.first() {
            Some(name) => match crate::commands::lookup(name) {
                Some(command) => format!("{}: {}\n", command.name, command.summary),
                None if is_builtin(name) => format!("{name}: a shell builtin, as in bash\n"),
                None => {
                    self.complain(&format!("help: no help topics match `{name}'."))
                        .await;
                    return 1;
                }
            },
            None => crate::commands::help_text(),
        };
        self.out(&text).await;
        0
    }
}
