//! `exec`: a command inside of a container.

use std::collections::BTreeMap;

use playground_sim::{
    Either, InputStream, OutputStream, Pid, Process, Signal, SpawnOptions, Stdio, select,
};

use super::cli::Exec;
use super::container::{CONTAINER_HOME, Container};
use super::project::{Failure, Project};
use crate::commands::{self, Command, CommandContext, resolve};
use crate::shell::{Shell, is_builtin};

/// The prompt of a shell inside: the host's name before the directory.
const PROMPT: &str = "\\h:\\w \\$ ";
/// Exit code when there is no such command.
const NOT_FOUND: i32 = 127;

/// `exec`.
pub async fn run(
    context: &CommandContext,
    project: &Project,
    options: &Exec,
) -> Result<i32, Failure> {
    let container = context.process.with_world(|world| {
        project
            .containers(world)
            .into_iter()
            .find(|container| container.service.name == options.service)
            .filter(|container| container.is_running(world))
    });
    let Some(container) = container else {
        return Err(Failure::new(format!(
            "service \"{}\" is not running",
            options.service
        )));
    };
    let interactive = context.stdout.is_terminal() && !options.no_terminal && !options.detach;
    if interactive && !context.stdin.is_terminal() {
        return Err(Failure::new(
            "the input device is not a TTY (with -T exec reads from a pipe or a file)",
        ));
    }
    // Under a terminal of its own Ctrl-C reaches what runs inside and nobody else.
    let terminal = if interactive {
        context.stdin.terminal_id()
    } else {
        None
    };
    let own = interactive || options.detach;
    let Some(pid) = start(context, &container, options, own) else {
        context
            .err(&format!(
                "OCI runtime exec failed: exec failed: unable to start container process: exec: \"{}\": executable file not found in $PATH: unknown\n",
                options.command.first().map_or("", String::as_str)
            ))
            .await;
        return Ok(NOT_FOUND);
    };
    if options.detach {
        return Ok(0);
    }
    if let Some(terminal) = terminal {
        context
            .process
            .with_world(|world| world.set_foreground(terminal, pid));
    }
    let code = wait(&context.process, pid, own).await;
    if let Some(terminal) = terminal {
        let group = context.process.group();
        context
            .process
            .with_world(|world| world.set_foreground(terminal, group));
    }
    Ok(code)
}

/// Waits for what runs inside, and passes on the signals that come here.
async fn wait(process: &Process, pid: Pid, own_group: bool) -> i32 {
    process.catch_signals();
    loop {
        match select(process.wait(pid), process.next_signal()).await {
            Either::Left(code) => return code,
            // In the same group it got the signal itself.
            Either::Right(Signal::Interrupt) if !own_group => {}
            Either::Right(signal) => {
                if own_group {
                    process.kill_group(pid, signal);
                } else {
                    process.kill(pid, signal);
                }
                if signal == Signal::Hangup {
                    return 128 + Signal::Hangup as i32;
                }
            }
        }
    }
}

/// What the word of a command means inside.
enum Program {
    Command(&'static Command),
    Builtin,
    Script(String),
}

/// Starts the command. `None` when there is no such program.
fn start(
    context: &CommandContext,
    container: &Container,
    options: &Exec,
    own_group: bool,
) -> Option<Pid> {
    let (word, args) = options.command.split_first()?;
    let host = context.process.with_world(|world| container.host(world));
    let directory = options.directory.as_deref().map_or_else(
        || CONTAINER_HOME.to_owned(),
        |path| resolve(CONTAINER_HOME, path),
    );
    let program = if let Some(command) = commands::lookup(word) {
        Program::Command(command)
    } else if is_builtin(word) {
        Program::Builtin
    } else {
        let path = resolve(&directory, word);
        let is_file = context.process.with_world(|world| {
            world.disk(host).exists(&path) && !world.disk(host).is_directory(&path)
        });
        if !word.contains('/') || !is_file {
            return None;
        }
        Program::Script(path)
    };
    let stdio = if options.detach {
        Stdio {
            stdin: InputStream::null(),
            stdout: OutputStream::null(),
            stderr: OutputStream::null(),
        }
    } else {
        Stdio {
            stdin: context.stdin.clone(),
            stdout: context.stdout.clone(),
            stderr: context.stderr.clone(),
        }
    };
    let short = word.rsplit('/').next().unwrap_or(word).to_owned();
    let spawn = SpawnOptions {
        host,
        name: options.command.join(" "),
        stdio,
        group: (!own_group).then(|| context.process.group()),
    };
    let environment = environment(container, options, &directory);
    let mut args = args.to_vec();
    Some(context.process.spawn(spawn, move |process| async move {
        let (run, name) = match program {
            Program::Command(command) => (command.run, short),
            Program::Builtin => {
                let user = environment.get("USER").cloned().unwrap_or_default();
                let mut shell = Shell::new(process, CONTAINER_HOME, &user);
                for (name, value) in &environment {
                    shell.export(name, value);
                }
                shell.cwd = directory;
                return shell.run_words(&short, args).await;
            }
            Program::Script(path) => {
                args.insert(0, path);
                let run: commands::Tool = |context| Box::pin(crate::shell::bash(context));
                (run, "bash".to_owned())
            }
        };
        let Stdio {
            stdin,
            stdout,
            stderr,
        } = process.stdio();
        run(CommandContext {
            process,
            name,
            args,
            cwd: directory,
            environment,
            stdin,
            stdout,
            stderr,
        })
        .await
    }))
}

fn environment(container: &Container, options: &Exec, directory: &str) -> BTreeMap<String, String> {
    let user = options.user.as_deref().unwrap_or("appuser");
    let hostname = container
        .service
        .hostname
        .as_deref()
        .unwrap_or(&container.service.name);
    let mut environment: BTreeMap<String, String> = container
        .service
        .environment
        .iter()
        .map(|setting| (setting.name.clone(), setting.value.clone()))
        .collect();
    for (name, value) in [
        ("HOME", CONTAINER_HOME),
        ("USER", user),
        ("HOSTNAME", hostname),
        ("PATH", "/opt/kafka/bin:/usr/local/bin:/usr/bin:/bin"),
        ("PWD", directory),
        ("PS1", PROMPT),
        ("TERM", "xterm-256color"),
        ("LANG", "C.UTF-8"),
    ] {
        environment.insert(name.to_owned(), value.to_owned());
    }
    environment.extend(options.environment.iter().cloned());
    environment
}
