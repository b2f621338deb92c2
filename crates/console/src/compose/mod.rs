//! `docker-compose` and `docker compose` over virtual compose files: each service is a host of the
//! simulation, a Kafka service runs a node.

mod boot;
mod container;
mod defaults;
mod file;
mod node_config;
mod project;
mod yaml;

pub use boot::{FILE_NAME, HOME_DIRECTORY, boot, is_ready};
pub use container::{CONTAINER_HOME, HOME_HOST};
pub use defaults::{BOOK_FILE, HOME_FILE, home_file};

use crate::commands::{Command, CommandContext};
use crate::tool;

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

async fn run(context: CommandContext) -> i32 {
    context.err("docker-compose: not yet\n").await;
    1
}

async fn run_docker(context: CommandContext) -> i32 {
    run(context).await
}
