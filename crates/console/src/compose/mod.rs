//! `docker-compose` and `docker compose` over virtual compose files: each service is a host of the
//! simulation, a Kafka service runs a node.

mod boot;
mod cli;
mod config;
mod container;
mod defaults;
mod exec;
mod file;
mod flow;
mod interpolate;
mod lifecycle;
mod logs;
mod node_config;
mod ports_and_volumes;
mod project;
mod ps;
#[cfg(test)]
mod tests;
mod yaml;

pub use boot::{FILE_NAME, HOME_DIRECTORY, boot, is_ready};
pub use container::{CONTAINER_HOME, HOME_HOST};
pub use defaults::{BOOK_FILE, HOME_FILE, home_file};

use crate::commands::{Command, CommandContext};
use crate::tool;
use cli::{Action, Globals};
use project::{Failure, Project};

/// Compose's exit code for a command line that it does not understand.
const BAD_USAGE: i32 = 16;

/// `docker-compose` and `docker`.
pub static COMMANDS: &[Command] = &[
    Command {
        name: "docker-compose",
        summary: "start and stop the cluster's containers, run commands in them",
        run: tool!(run),
        options: &[],
    },
    Command {
        name: "docker",
        summary: "docker compose: the same as docker-compose",
        run: tool!(run_docker),
        options: &[],
    },
];

/// The command of that name.
pub fn lookup(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

/// What `version` says: the compose whose commands and texts these are.
const VERSION: &str = "2.40.3";

async fn run_docker(mut context: CommandContext) -> i32 {
    match context.args.first().map(String::as_str) {
        Some("compose") => {
            context.args.remove(0);
            run(context).await
        }
        None | Some("help" | "--help" | "-h") => {
            context
                .out("Usage:  docker compose [OPTIONS] COMMAND\n\nThe playground has `docker compose` of Docker; `docker compose --help` says more.\n")
                .await;
            0
        }
        Some("version" | "--version" | "-v") => {
            context
                .out("Docker (the playground's own: compose only)\n")
                .await;
            0
        }
        Some(other) => {
            context
                .err(&format!(
                    "docker: unknown command: docker {other}\n\nThe playground has `docker compose` only: `docker compose ps`, `docker compose exec SERVICE COMMAND`.\n"
                ))
                .await;
            1
        }
    }
}

async fn run(context: CommandContext) -> i32 {
    let (globals, action) = match cli::parse(&context.args) {
        Ok(parsed) => parsed,
        Err(text) => {
            context.err(&format!("{text}\n")).await;
            return BAD_USAGE;
        }
    };
    match run_action(&context, &globals, action).await {
        Ok(code) => code,
        Err(failure) => {
            context.err(&format!("{}\n", failure.text)).await;
            failure.code
        }
    }
}

async fn run_action(
    context: &CommandContext,
    globals: &Globals,
    action: Action,
) -> Result<i32, Failure> {
    match &action {
        Action::Help(about) => {
            context.out(&cli::help(*about)).await;
            return Ok(0);
        }
        Action::Version { short } => {
            let text = if *short {
                format!("{VERSION}\n")
            } else {
                format!("Docker Compose version v{VERSION}\n")
            };
            context.out(&text).await;
            return Ok(0);
        }
        _ => {}
    }
    if context.process.hostname() != HOME_HOST {
        return Err(Failure::new(
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running? (You are inside of a container: `exit` first.)",
        ));
    }
    let project = Project::find(context, globals)?;
    match action {
        Action::Up(options) => lifecycle::up(context, &project, &options).await,
        Action::Down {
            volumes,
            remove_orphans,
            timeout,
            services,
        } => {
            lifecycle::down(
                context,
                &project,
                &services,
                volumes,
                remove_orphans,
                timeout,
            )
            .await
        }
        Action::Ps {
            all,
            quiet,
            services_only,
            services,
        } => ps::run(context, &project, all, quiet, services_only, &services).await,
        Action::Exec(options) => exec::run(context, &project, &options).await,
        Action::Stop { timeout, services } => {
            lifecycle::stop(context, &project, &services, timeout).await
        }
        Action::Start { services } => lifecycle::start(context, &project, &services).await,
        Action::Restart { timeout, services } => {
            lifecycle::restart(context, &project, &services, timeout).await
        }
        Action::Kill { signal, services } => {
            lifecycle::kill(context, &project, &services, &signal).await
        }
        Action::Logs(options) => logs::run(context, &project, &options).await,
        Action::Config {
            quiet,
            services_only,
        } => config::run(context, &project, quiet, services_only).await,
        Action::Help(_) | Action::Version { .. } => Ok(0),
    }
}
