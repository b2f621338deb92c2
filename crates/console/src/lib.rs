//! The shell, its commands, docker-compose, and one file per Kafka console tool.

pub mod commands;
pub mod tools;
pub mod view;
