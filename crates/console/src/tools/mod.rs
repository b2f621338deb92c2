//! Kafka's console tools, one file each: options, help, parsing, behaviour, completion, tests.

pub mod argparse;
pub mod client_driver;
pub mod features;
pub mod internal_records;
pub mod java;
pub mod json_input;
pub mod kafka_broker_api_versions;
pub mod kafka_cluster;
pub mod kafka_configs;
pub mod kafka_console_consumer;
pub mod kafka_console_producer;
pub mod kafka_consumer_groups;
pub mod kafka_delete_records;
pub mod kafka_dump_log;
pub mod kafka_features;
pub mod kafka_get_offsets;
pub mod kafka_groups;
pub mod kafka_leader_election;
pub mod kafka_log_dirs;
pub mod kafka_metadata_quorum;
pub mod kafka_reassign_partitions;
pub mod kafka_storage;
pub mod kafka_topics;
pub mod kafka_uuid;
pub mod line_reader;
pub mod message_formatter;
pub mod options;
pub mod properties;
pub mod quota_configs;
pub mod topic_configs;
pub mod topic_filter;
use crate::commands::{Command, OptionCompletion};
use crate::tool;

/// A row: the name, what `help` says, the module, its options.
macro_rules! kafka_tool {
    ($name:literal, $summary:literal, $module:ident, $options:path) => {
        Command {
            name: $name,
            summary: $summary,
            run: tool!($module::run),
            options: {
                const TABLE: [OptionCompletion; $options.len()] = options::completions($options);
                &TABLE
            },
        }
    };
}

/// The row of a tool whose options are argparse4j's.
macro_rules! argparse_tool {
    ($name:literal, $summary:literal, $module:ident) => {
        Command {
            name: $name,
            summary: $summary,
            run: tool!($module::run),
            options: {
                const TABLE: [OptionCompletion; argparse::completion_count(&$module::PARSER)] =
                    argparse::completions(&$module::PARSER);
                &TABLE
            },
        }
    };
}

/// Every Kafka tool, by name without `.sh`.
pub static COMMANDS: &[Command] = &[
    kafka_tool!(
        "kafka-broker-api-versions",
        "show which APIs each broker answers",
        kafka_broker_api_versions,
        kafka_broker_api_versions::OPTIONS
    ),
    argparse_tool!(
        "kafka-cluster",
        "show the cluster's id and endpoints, unregister a broker",
        kafka_cluster
    ),
    kafka_tool!(
        "kafka-configs",
        "show and change configs",
        kafka_configs,
        kafka_configs::OPTIONS
    ),
    kafka_tool!(
        "kafka-console-consumer",
        "print the records of topics",
        kafka_console_consumer,
        kafka_console_consumer::OPTIONS
    ),
    kafka_tool!(
        "kafka-console-producer",
        "send lines as records to a topic",
        kafka_console_producer,
        kafka_console_producer::OPTIONS
    ),
    kafka_tool!(
        "kafka-consumer-groups",
        "list, describe, reset and delete consumer groups",
        kafka_consumer_groups,
        kafka_consumer_groups::arguments::OPTIONS
    ),
    kafka_tool!(
        "kafka-delete-records",
        "delete records below an offset",
        kafka_delete_records,
        kafka_delete_records::OPTIONS
    ),
    kafka_tool!(
        "kafka-dump-log",
        "show log segments and indexes as they lie on the disk",
        kafka_dump_log,
        kafka_dump_log::OPTIONS
    ),
    argparse_tool!(
        "kafka-features",
        "show and change the levels of the cluster's features",
        kafka_features
    ),
    kafka_tool!(
        "kafka-get-offsets",
        "show the offsets of partitions",
        kafka_get_offsets,
        kafka_get_offsets::OPTIONS
    ),
    kafka_tool!(
        "kafka-groups",
        "list groups of every type",
        kafka_groups,
        kafka_groups::OPTIONS
    ),
    kafka_tool!(
        "kafka-leader-election",
        "have leaders of partitions elected",
        kafka_leader_election,
        kafka_leader_election::OPTIONS
    ),
    kafka_tool!(
        "kafka-log-dirs",
        "show what lies in the brokers' log directories",
        kafka_log_dirs,
        kafka_log_dirs::OPTIONS
    ),
    argparse_tool!(
        "kafka-metadata-quorum",
        "show and change the quorum of the controllers",
        kafka_metadata_quorum
    ),
    kafka_tool!(
        "kafka-reassign-partitions",
        "move partitions to other brokers",
        kafka_reassign_partitions,
        kafka_reassign_partitions::arguments::OPTIONS
    ),
    argparse_tool!(
        "kafka-storage",
        "show log directories and features, print a random id",
        kafka_storage
    ),
    kafka_tool!(
        "kafka-topics",
        "create, delete, describe, list and alter topics",
        kafka_topics,
        kafka_topics::OPTIONS
    ),
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
