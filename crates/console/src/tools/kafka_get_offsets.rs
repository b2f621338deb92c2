//! `kafka-get-offsets`: the offsets of partitions (`org.apache.kafka.tools.GetOffsetShell`).

use std::collections::BTreeMap;

use playground_client::admin::OffsetSpec;
use playground_client::{AdminRequest, AdminResponse, ClientError, TopicPartition};

use super::client_driver::{AdminSession, unexpected};
use super::java::exception_text;
use super::options::{
    HELP, Kind, OptionSpec, Parsed, Stop, VERSION, check_help_or_version, check_required, flag,
    value,
};
use super::properties;
use super::topic_filter::is_internal;
use super::topic_filter::{Partitions, Rule, TopicFilter};
use crate::commands::CommandContext;

/// The options.
pub const OPTIONS: &[OptionSpec] = &[
    value("bootstrap-server", Kind::Text, "HOST1:PORT1,...,HOST3:PORT3", "REQUIRED. The brokers to start from."),
    value(
        "topic-partitions",
        Kind::Text,
        "topic1:1,topic2:0-3,topic3,topic4:5-,topic5:-3 ...",
        "Which partitions of which topics: a comma separated list of 'TOPIC:PARTITION', where TOPIC is a regular \
         expression or nothing (all topics), and PARTITION a number, a range as 'from-to' (without its end) or nothing \
         (all partitions).",
    ),
    value(
        "topic",
        Kind::Text,
        "topic",
        "Which topics, as a regular expression. Default: all. Not together with --topic-partitions.",
    ),
    value(
        "partitions",
        Kind::Text,
        "partition ids",
        "Which partitions, comma separated. Default: all. Not together with --topic-partitions.",
    ),
    value(
        "time",
        Kind::Text,
        "<timestamp> / -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or earliest-local / -5 or latest-tiered \
         / -6 or earliest-pending-upload",
        "Which offset: of the first record at or after a timestamp, or one of the named ones. [Note: nothing is printed \
         for a timestamp after the last record's.]",
    )
    .or("latest"),
    value("command-config", Kind::Text, "config file", "A properties file for the admin client."),
    flag("exclude-internal-topics", "Leave out internal topics."),
    HELP,
    VERSION,
];

const ABOUT: &str = "An interactive shell for getting topic-partition offsets.";

/// How a command line ends before the tool runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Help, version, or a usage error with the option table.
    Stop(Stop),
    /// `Error occurred: ...`; exit code 1 (Kafka's `TerseException`).
    Terse(String),
    /// As [`Refusal::Terse`], with a stack trace below: a `RuntimeException`'s message.
    Runtime(String),
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Refusal {
        Refusal::Stop(stop)
    }
}

/// A command line, read and checked.
#[derive(Clone, Debug)]
pub struct Arguments {
    /// The brokers to start from.
    pub bootstrap_server: String,
    /// The admin client's properties file.
    pub command_config: Option<String>,
    /// Which partitions: those that any rule allows.
    pub rules: Vec<Rule>,
    /// The timestamp to look up, or a special one (-1 latest, ... -6).
    pub timestamp: i64,
    /// Whether internal topics are left out.
    pub exclude_internal: bool,
}

/// Reads and checks a command line.
///
/// # Errors
/// What to print instead of running.
pub fn parse(args: &[String]) -> Result<Arguments, Refusal> {
    if args.is_empty() {
        return Err(Stop::Usage(ABOUT.to_owned()).into());
    }
    let terse = |error: super::options::OptionError| Refusal::Terse(error.to_string());
    let parsed = Parsed::read(OPTIONS, args).map_err(terse)?;
    check_help_or_version(&parsed, ABOUT)?;
    check_required(&parsed, &["bootstrap-server"])?;
    let server = parsed.text("bootstrap-server").map_err(terse)?;
    super::check_bootstrap_server(server).map_err(Stop::Usage)?;
    if parsed.has("topic-partitions") && (parsed.has("topic") || parsed.has("partitions")) {
        return Err(Refusal::Terse(
            "--topic-partitions cannot be used with --topic or --partitions".to_owned(),
        ));
    }
    let timestamp = parse_time(parsed.text("time").map_err(terse)?.unwrap_or("latest"))
        .map_err(Refusal::Terse)?;
    let rules = match parsed.text("topic-partitions").map_err(terse)? {
        Some(rules) => rules
            .split(',')
            .map(Rule::parse)
            .collect::<Result<_, _>>()
            .map_err(Refusal::Runtime),
        None => {
            let topics = TopicFilter::new(parsed.text("topic").map_err(terse)?.unwrap_or(".*"))
                .map_err(Refusal::Runtime);
            let partitions = parse_partitions(
                parsed
                    .text("partitions")
                    .map_err(terse)?
                    .unwrap_or_default(),
            );
            topics.and_then(|topics| {
                Ok(vec![Rule {
                    topics,
                    partitions: partitions.map_err(Refusal::Terse)?,
                }])
            })
        }
    };
    Ok(Arguments {
        bootstrap_server: server.unwrap_or_default().to_owned(),
        command_config: parsed
            .text("command-config")
            .map_err(terse)?
            .map(str::to_owned),
        rules: rules?,
        timestamp,
        exclude_internal: parsed.has("exclude-internal-topics"),
    })
}

fn parse_time(text: &str) -> Result<i64, String> {
    Ok(match text {
        "latest" => -1,
        "earliest" => -2,
        "max-timestamp" => -3,
        "earliest-local" => -4,
        "latest-tiered" => -5,
        "earliest-pending-upload" => -6,
        text => text.parse().map_err(|_| {
            format!(
                "Malformed time argument {text}. Please use -1 or latest / -2 or earliest / -3 or max-timestamp / -4 or \
                 earliest-local / -5 or latest-tiered / -6 or earliest-pending-upload, or a specified long format timestamp"
            )
        })?,
    })
}

fn parse_partitions(text: &str) -> Result<Partitions, String> {
    if text.is_empty() {
        return Ok(Partitions::All);
    }
    text.split(',')
        .map(str::parse)
        .collect::<Result<_, _>>()
        .map(Partitions::Set)
        .map_err(|_| format!("--partitions expects a comma separated list of numeric partition ids, but received: {text}"))
}

/// Runs the tool.
pub async fn run(context: CommandContext) -> i32 {
    let arguments = match parse(&context.args) {
        Ok(arguments) => arguments,
        Err(Refusal::Stop(stop)) => return stop.print(&context, OPTIONS).await,
        Err(Refusal::Terse(text)) => return terse(&context, &text).await,
        Err(Refusal::Runtime(text)) => {
            context
                .err(&format!(
                    "Error occurred: {text}\njava.lang.RuntimeException: {text}\n\n"
                ))
                .await;
            return 1;
        }
    };
    match list(&context, &arguments).await {
        Ok(offsets) => {
            for (partition, offset) in offsets {
                context.out(&format!("{partition}:{offset}\n")).await;
            }
            0
        }
        Err(Failure::Terse(text)) => terse(&context, &text).await,
        Err(Failure::Exception(error)) => {
            let exception = exception_text(&error.exception, &error.message);
            context
                .err(&format!(
                    "Error occurred: {}\n{exception}\n\n",
                    error.message
                ))
                .await;
            1
        }
    }
}

async fn terse(context: &CommandContext, text: &str) -> i32 {
    context.err(&format!("Error occurred: {text}\n")).await;
    1
}

enum Failure {
    Terse(String),
    Exception(ClientError),
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        Failure::Exception(error)
    }
}

/// The offsets found, by `topic:partition` in the order of Java's `topic-partition` text.
async fn list(
    context: &CommandContext,
    arguments: &Arguments,
) -> Result<Vec<(String, i64)>, Failure> {
    let mut config = match &arguments.command_config {
        Some(path) => properties::load(context, path)
            .map_err(|path| ClientError::new("java.nio.file.NoSuchFileException", path))?,
        None => properties::Properties::new(),
    };
    config.insert("client.id".to_owned(), "GetOffsetShell".to_owned());
    let mut admin = AdminSession::open(context, config, &arguments.bootstrap_server).await?;
    let result = list_with(context, arguments, &mut admin).await;
    admin.close().await;
    result
}

async fn list_with(
    context: &CommandContext,
    arguments: &Arguments,
    admin: &mut AdminSession,
) -> Result<Vec<(String, i64)>, Failure> {
    let request = AdminRequest::ListTopics {
        list_internal: !arguments.exclude_internal,
    };
    let AdminResponse::ListTopics(listings) = admin.call(request).await? else {
        return Err(unexpected().into());
    };
    let topics: Vec<String> = listings
        .into_iter()
        .map(|listing| listing.name)
        .filter(|name| !(arguments.exclude_internal && is_internal(name)))
        .filter(|name| arguments.rules.iter().any(|rule| rule.topics.allows(name)))
        .collect();
    let mut partitions = Vec::new();
    if !topics.is_empty() {
        let AdminResponse::DescribeTopics(described) =
            admin.call(AdminRequest::DescribeTopics { topics }).await?
        else {
            return Err(unexpected().into());
        };
        for description in described.into_values() {
            let description = description?;
            for partition in &description.partitions {
                let number = partition.partition;
                let allowed = |rule: &Rule| {
                    rule.topics.allows(&description.name) && rule.partitions.allows(number)
                };
                if arguments.rules.iter().any(allowed) {
                    partitions.push(TopicPartition::new(description.name.clone(), number));
                }
            }
        }
    }
    if partitions.is_empty() {
        return Err(Failure::Terse(
            "Could not match any topic-partitions with the specified filters".to_owned(),
        ));
    }
    let spec = offset_spec(arguments.timestamp);
    let offsets = partitions
        .into_iter()
        .map(|partition| (partition, spec))
        .collect();
    let request = AdminRequest::ListOffsets {
        offsets,
        read_committed: false,
    };
    let AdminResponse::ListOffsets(results) = admin.call(request).await? else {
        return Err(unexpected().into());
    };
    let mut sorted = BTreeMap::new();
    for (partition, result) in results {
        match result {
            Ok(found) if found.offset != -1 => {
                sorted.insert(
                    partition.to_string(),
                    (
                        format!("{}:{}", partition.topic, partition.partition),
                        found.offset,
                    ),
                );
            }
            Ok(_) => {}
            Err(error) => {
                let text = exception_text(&error.exception, &error.message);
                context
                    .err(&format!("Skip getting offsets for topic-partition {partition} due to error: {text}\n"))
                    .await;
            }
        }
    }
    Ok(sorted.into_values().collect())
}

fn offset_spec(timestamp: i64) -> OffsetSpec {
    match timestamp {
        -1 => OffsetSpec::Latest,
        -2 => OffsetSpec::Earliest,
        -3 => OffsetSpec::MaxTimestamp,
        -4 => OffsetSpec::EarliestLocal,
        -5 => OffsetSpec::LatestTiered,
        -6 => OffsetSpec::EarliestPendingUpload,
        timestamp => OffsetSpec::Timestamp(timestamp),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, Refusal> {
        parse(
            &line
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn times_are_named_or_numbers() {
        assert_eq!(
            read("--bootstrap-server a:1 --time earliest")
                .unwrap()
                .timestamp,
            -2
        );
        assert_eq!(
            read("--bootstrap-server a:1 --time 42").unwrap().timestamp,
            42
        );
        let Err(Refusal::Terse(text)) = read("--bootstrap-server a:1 --time tomorrow") else {
            panic!("accepted")
        };
        assert!(text.starts_with("Malformed time argument tomorrow. Please use -1 or latest"));
    }

    #[test]
    fn the_two_ways_to_choose_exclude_each_other() {
        let Err(Refusal::Terse(text)) =
            read("--bootstrap-server a:1 --topic t --topic-partitions t")
        else {
            panic!("accepted")
        };
        assert_eq!(
            text,
            "--topic-partitions cannot be used with --topic or --partitions"
        );
    }
}
