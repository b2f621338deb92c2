//! `kafka-topics`: create, delete, describe, list and alter topics (`org.apache.kafka.tools.TopicCommand`).

use super::options::{
    HELP, Kind, OptionError, OptionSpec, Parsed, Stop, VERSION, check_help_or_version,
    check_invalid, check_required, flag, value,
};

/// The options.
pub const OPTIONS: &[OptionSpec] = &[
    value(
        "bootstrap-server",
        Kind::Text,
        "server to connect to",
        "REQUIRED: A broker to start from, as host:port.",
    ),
    value(
        "command-config",
        Kind::Text,
        "command config property file",
        "A properties file for the admin client.",
    ),
    flag("list", "List the topics."),
    flag("create", "Create a topic."),
    flag("delete", "Delete a topic."),
    flag(
        "alter",
        "Give a topic more partitions. (Its configs are changed with kafka-configs.)",
    ),
    flag(
        "describe",
        "Show topics with their partitions, replicas and configs.",
    ),
    value(
        "topic",
        Kind::Text,
        "topic",
        "The topic to create, alter, describe or delete. Except with --create it may be a regular expression.",
    ),
    value(
        "topic-id",
        Kind::Text,
        "topic-id",
        "The id of the topic to describe.",
    ),
    value(
        "config",
        Kind::Text,
        "name=value",
        "A config of the topic that is created, instead of the cluster's default. May be repeated. With --create only; \
         the configs of a topic that exists are changed with kafka-configs.",
    ),
    value(
        "delete-config",
        Kind::Text,
        "name",
        "No longer supported; deprecated since 4.0.",
    ),
    value(
        "partitions",
        Kind::Integer,
        "# of partitions",
        "How many partitions the topic is to have. With --create the default is the cluster's. (WARNING: when a topic \
         whose records have keys gets more partitions, later records of a key may go to another partition.)",
    ),
    value(
        "replication-factor",
        Kind::Integer,
        "replication factor",
        "How many replicas each partition of the new topic has. The default is the cluster's.",
    ),
    value(
        "replica-assignment",
        Kind::Text,
        "broker_id_for_part1_replica1 : broker_id_for_part1_replica2 , broker_id_for_part2_replica1 : \
         broker_id_for_part2_replica2 , ...",
        "Which brokers hold the replicas of each partition, chosen by hand.",
    ),
    flag(
        "under-replicated-partitions",
        "With --describe: only partitions that lack an in-sync replica.",
    ),
    flag(
        "unavailable-partitions",
        "With --describe: only partitions whose leader is not available.",
    ),
    flag(
        "under-min-isr-partitions",
        "With --describe: only partitions with fewer in-sync replicas than the minimum.",
    ),
    flag(
        "at-min-isr-partitions",
        "With --describe: only partitions with just the minimum of in-sync replicas.",
    ),
    flag(
        "topics-with-overrides",
        "With --describe: only topics with configs of their own.",
    ),
    flag(
        "if-exists",
        "With --alter, --delete or --describe: do nothing if the topic does not exist.",
    ),
    flag(
        "if-not-exists",
        "With --create: it is no error if the topic exists.",
    ),
    flag(
        "exclude-internal",
        "With --list or --describe: leave out internal topics.",
    ),
    value(
        "partition-size-limit-per-response",
        Kind::Integer,
        "maximum number of partitions per response",
        "The most partitions that one DescribeTopicPartitions response holds.",
    ),
    HELP,
    VERSION,
];

const ABOUT: &str = "This tool helps to create, delete, describe, or change a topic.";
const ACTIONS: [&str; 5] = ["alter", "create", "describe", "list", "delete"];
const REPORTS: [&str; 4] = [
    "under-replicated-partitions",
    "under-min-isr-partitions",
    "at-min-isr-partitions",
    "unavailable-partitions",
];
const ONE_ACTION: &str =
    "Command must include exactly one action: --list, --describe, --create, --alter or --delete";

/// Why a command line is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Help, version, or a usage error with the option table.
    Stop(Stop),
    /// An exception that is printed with its class below its message.
    Exception(&'static str, String),
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Refusal {
        Refusal::Stop(stop)
    }
}

impl From<OptionError> for Refusal {
    fn from(error: OptionError) -> Refusal {
        Refusal::Exception(error.exception(), error.to_string())
    }
}

/// Reads and checks a command line, as `TopicCommandOptions` does.
///
/// # Errors
/// The [`Refusal`] to print.
pub fn parse(args: &[String]) -> Result<Parsed, Refusal> {
    let parsed = Parsed::read(OPTIONS, args)?;
    if parsed.is_empty {
        return Err(Stop::Usage("Create, delete, describe, or change a topic.".to_owned()).into());
    }
    check_help_or_version(&parsed, ABOUT)?;
    if ACTIONS.iter().filter(|action| parsed.has(action)).count() != 1 {
        return Err(Stop::Usage(ONE_ACTION.to_owned()).into());
    }
    if !parsed.has("bootstrap-server") {
        let text = "--bootstrap-server must be specified".to_owned();
        return Err(Refusal::Exception(
            "java.lang.IllegalArgumentException",
            text,
        ));
    }
    if parsed.has("describe")
        && parsed.has("if-exists")
        && !parsed.has("topic")
        && !parsed.has("topic-id")
    {
        return Err(Stop::Usage(
            "--topic or --topic-id is required to describe a topic".to_owned(),
        )
        .into());
    }
    if !parsed.has("list") && !parsed.has("describe") {
        check_required(&parsed, &["topic"])?;
    }
    if parsed.has("alter") {
        if parsed.has("config") {
            return Err(Stop::Usage(
                "Option combination \"[[bootstrap-server], [config]]\" can't be used with option \"[alter]\" (To alter \
                 topic configurations, the kafka-configs tool can be used.)"
                    .to_owned(),
            )
            .into());
        }
        check_required(&parsed, &["partitions"])?;
    }
    let others = |allowed: &[&str], more: &[&'static str]| -> Vec<&'static str> {
        ACTIONS
            .iter()
            .copied()
            .filter(|action| !allowed.contains(action))
            .chain(more.iter().copied())
            .collect()
    };
    check_invalid(&parsed, "config", &others(&["alter", "create"], &[]))?;
    check_invalid(&parsed, "partitions", &others(&["alter", "create"], &[]))?;
    check_invalid(&parsed, "replication-factor", &others(&["create"], &[]))?;
    check_invalid(
        &parsed,
        "replica-assignment",
        &others(&["alter", "create"], &[]),
    )?;
    if parsed.has("create") {
        check_invalid(
            &parsed,
            "replica-assignment",
            &["partitions", "replication-factor"],
        )?;
    }
    for report in REPORTS {
        check_invalid(
            &parsed,
            report,
            &others(&["describe"], &["topics-with-overrides"]),
        )?;
    }
    check_invalid(
        &parsed,
        "topics-with-overrides",
        &others(&["describe"], &REPORTS),
    )?;
    check_invalid(
        &parsed,
        "if-exists",
        &others(&["alter", "delete", "describe"], &[]),
    )?;
    check_invalid(&parsed, "if-not-exists", &others(&["create"], &[]))?;
    check_invalid(
        &parsed,
        "exclude-internal",
        &others(&["list", "describe"], &[]),
    )?;
    Ok(parsed)
}
