//! Kafka's console tools, one file each: options, help, parsing, behaviour, completion, tests.

pub mod client_driver;
pub mod java;
pub mod kafka_configs;
pub mod kafka_console_consumer;
pub mod kafka_console_producer;
pub mod kafka_consumer_groups;
pub mod kafka_delete_records;
pub mod kafka_dump_log;
pub mod kafka_get_offsets;
pub mod kafka_topics;
pub mod kafka_uuid;
pub mod line_reader;
pub mod message_formatter;
pub mod options;
pub mod properties;
pub mod topic_configs;
pub mod topic_filter;
use crate::commands::Command;
use crate::tool;

/// Every Kafka tool, by name without `.sh`.
pub static COMMANDS: &[Command] = &[
    Command {
        name: "kafka-configs",
        summary: "show and change configs",
        run: tool!(kafka_configs::run),
        options: &[],
    },
    Command {
        name: "kafka-console-consumer",
        summary: "print the records of topics",
        run: tool!(kafka_console_consumer::run),
        options: &[],
    },
    Command {
        name: "kafka-console-producer",
        summary: "send lines as records to a topic",
        run: tool!(kafka_console_producer::run),
        options: &[],
    },
    Command {
        name: "kafka-consumer-groups",
        summary: "list, describe, reset and delete consumer groups",
        run: tool!(kafka_consumer_groups::run),
        options: &[],
    },
    Command {
        name: "kafka-delete-records",
        summary: "delete records below an offset",
        run: tool!(kafka_delete_records::run),
        options: &[],
    },
    Command {
        name: "kafka-dump-log",
        summary: "show log segments and indexes as they lie on the disk",
        run: tool!(kafka_dump_log::run),
        options: &[],
    },
    Command {
        name: "kafka-get-offsets",
        summary: "show the offsets of partitions",
        run: tool!(kafka_get_offsets::run),
        options: &[],
    },
    Command {
        name: "kafka-topics",
        summary: "create, delete, describe, list and alter topics",
        run: tool!(kafka_topics::run),
        options: &[],
    },
];

/// The tool of that name, with or without `.sh`.
pub fn lookup(name: &str) -> Option<&'static Command> {
    let name = name.strip_suffix(".sh").unwrap_or(name);
    COMMANDS.iter().find(|command| command.name == name)
}

/// Checks `--bootstrap-server` as `ToolsUtils.validateBootstrapServer` does.
///
/// # Errors
/// The text to print above the option table.
pub fn check_bootstrap_server(servers: Option<&str>) -> Result<(), String> {
    let servers = servers.unwrap_or_default();
    if servers.trim().is_empty() {
        return Err("Error while validating the bootstrap address\n".to_owned());
    }
    let valid = |server: &str| {
        server.rsplit_once(':').is_some_and(|(host, port)| {
            !host.is_empty() && !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    if servers.split(',').all(valid) {
        Ok(())
    } else {
        Err("Please provide valid host:port like host1:9091,host2:9092\n".to_owned())
    }
}
