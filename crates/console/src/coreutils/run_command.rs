//! Running another command from a command: `xargs`, `find -exec`, `env`, `timeout`.

use std::collections::BTreeMap;

use playground_sim::{InputStream, OutputStream, Pid, SpawnOptions, Stdio};

use crate::commands::{self, CommandContext};
use crate::shell::Shell;

/// Starts `name args` as a child of this command. What is no command may be a builtin of the shell.
/// `None` when there is no such thing.
pub fn start(
    context: &CommandContext,
    name: &str,
    args: Vec<String>,
    environment: BTreeMap<String, String>,
    stdin: InputStream,
    stdout: OutputStream,
) -> Option<Pid> {
    let short = name.rsplit('/').next().unwrap_or(name).to_owned();
    let stdio = Stdio {
        stdin,
        stdout,
        stderr: context.stderr.clone(),
    };
    let options = SpawnOptions {
        host: context.process.host(),
        name: short.clone(),
        stdio,
        group: Some(context.process.group()),
    };
    let cwd = context.cwd.clone();
    if let Some(command) = commands::lookup(name) {
        let run = command.run;
        return Some(context.process.spawn(options, move |process| {
            let Stdio {
                stdin,
                stdout,
                stderr,
            } = process.stdio();
            run(CommandContext {
                process,
                name: short,
                args,
                cwd,
                environment,
                stdin,
                stdout,
                stderr,
            })
        }));
    }
    if !crate::shell::is_builtin(&short) {
        return None;
    }
    Some(context.process.spawn(options, move |process| async move {
        let home = environment
            .get("HOME")
            .cloned()
            .unwrap_or_else(|| "/".to_owned());
        let mut shell = Shell::new(process, &home, "user");
        for (name, value) in &environment {
            shell.export(name, value);
        }
        shell.cwd = cwd;
        shell.run_words(&short, args).await
    }))
}

/// Starts a command and waits for it; 127 when there is none.
pub async fn run(
    context: &CommandContext,
    name: &str,
    args: Vec<String>,
    stdin: InputStream,
) -> i32 {
    match start(
        context,
        name,
        args,
        context.environment.clone(),
        stdin,
        context.stdout.clone(),
    ) {
        Some(pid) => context.process.wait(pid).await,
        None => 127,
    }
}
