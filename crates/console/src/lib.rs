//! The shell, its commands, docker-compose, and one file per Kafka console tool.

pub mod commands;
pub mod coreutils;
pub mod files;
pub mod shell;
pub mod tools;
pub mod view;

pub use commands::{
    Command, CommandContext, CompletionValue, LocalBoxFuture, OptionCompletion, Tool,
};
