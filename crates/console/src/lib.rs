//! The shell, its commands, docker-compose, and one file per Kafka console tool.

pub mod commands;
pub mod complete;
pub mod compose;
pub mod coreutils;
pub mod files;
pub mod playground;
pub mod script;
pub mod shell;
pub mod tools;
pub mod view;

pub use commands::{
    Command, CommandContext, CompletionValue, LocalBoxFuture, OptionCompletion, Tool,
};
pub use complete::Completion;
pub use playground::{Input, Options, Playground};
