//! `kafka-log-dirs`: what lies in the brokers' log directories (`org.apache.kafka.tools.LogDirsCommand`).

use std::collections::BTreeSet;

use indexmap::IndexMap;
use playground_client::admin::LogDirDescription;
use playground_client::{AdminRequest, AdminResponse, ClientError};

use super::client_driver::{AdminSession, unexpected};
use super::java::{
    comma_separated, execution_exception, partition_hash, print_failure, sort_as_grown_hash_map,
    string_hash,
};
use super::options::{
    HELP, Kind, OptionSpec, Parsed, Stop, VERSION, check_help_or_version, check_required, flag,
    value,
};
use super::properties;
use crate::commands::CommandContext;

/// The options.
pub const OPTIONS: &[OptionSpec] = &[
    value(
        "bootstrap-server",
        Kind::Text,
        "The server(s) to use for bootstrapping",
        "REQUIRED: The brokers to start from.",
    ),
    value(
        "command-config",
        Kind::Text,
        "Admin client property file",
        "A properties file for the admin client.",
    ),
    flag("describe", "Show the log directories."),
    value(
        "topic-list",
        Kind::Text,
        "Topic list",
        "Only partitions of these topics, comma separated. Default: of all.",
    )
    .or(""),
    value(
        "broker-list",
        Kind::Text,
        "Broker list",
        "Only these brokers, comma separated. Default: all.",
    )
    .or(""),
    HELP,
    VERSION,
];

const ABOUT: &str = "This tool helps to query log directory usage on the specified brokers.";

/// Why the tool ends without its table.
enum Failure {
    Terse(String),
    Exception(ClientError),
}

impl<E: Into<ClientError>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::Exception(error.into())
    }
}

/// Runs the tool.
pub async fn run(context: CommandContext) -> i32 {
    let parsed = match Parsed::read(OPTIONS, &context.args) {
        Ok(parsed) => parsed,
        Err(error) => return print_failure(&context, &error.into()).await,
    };
    if let Err(stop) = check(&parsed) {
        return stop.print(&context, OPTIONS).await;
    }
    match describe(&context, &parsed).await {
        Ok(()) => 0,
        Err(Failure::Terse(text)) => {
            context.err(&format!("{text}\n")).await;
            1
        }
        Err(Failure::Exception(error)) => print_failure(&context, &error).await,
    }
}

fn check(parsed: &Parsed) -> Result<(), Stop> {
    check_help_or_version(parsed, ABOUT)?;
    check_required(parsed, &["bootstrap-server", "describe"])
}

async fn describe(context: &CommandContext, parsed: &Parsed) -> Result<(), Failure> {
    let mut properties = properties::load_optional(context, parsed.text("command-config")?)?;
    properties
        .entry("client.id".to_owned())
        .or_insert_with(|| "log-dirs-tool".to_owned());
    let servers = parsed.text("bootstrap-server")?.unwrap_or_default();
    let mut admin = AdminSession::open(context, properties, servers).await?;
    let result = describe_with(context, parsed, &mut admin).await;
    admin.close().await;
    result
}

async fn describe_with(
    context: &CommandContext,
    parsed: &Parsed,
    admin: &mut AdminSession,
) -> Result<(), Failure> {
    let items = |text: &str| -> Vec<String> {
        let items = text.split(',').filter(|item| !item.is_empty());
        items.map(str::to_owned).collect()
    };
    let topics = items(parsed.text("topic-list")?.unwrap_or_default());
    let request = AdminRequest::DescribeCluster {
        include_fenced: false,
    };
    let AdminResponse::DescribeCluster(cluster) =
        admin.call(request).await.map_err(execution_exception)?
    else {
        return Err(unexpected().into());
    };
    let known: BTreeSet<i32> = cluster.nodes.iter().map(|node| node.id).collect();
    let mut wanted = BTreeSet::new();
    for item in items(parsed.text("broker-list")?.unwrap_or_default()) {
        let number = item.parse::<i32>().map_err(|_| {
            ClientError::new(
                "java.lang.NumberFormatException",
                format!("For input string: \"{item}\""),
            )
        })?;
        wanted.insert(number);
    }
    let missing: Vec<i32> = wanted.difference(&known).copied().collect();
    if !missing.is_empty() {
        return Err(Failure::Terse(format!(
            "ERROR: The given brokers do not exist from --broker-list: {}. Current existent brokers: {}",
            comma_separated(missing),
            comma_separated(known)
        )));
    }
    let asked = if wanted.is_empty() { known } else { wanted };
    context
        .out("Querying brokers for log directories information\n")
        .await;
    let request = AdminRequest::DescribeLogDirs {
        brokers: asked.iter().map(|broker| (*broker, None)).collect(),
    };
    let AdminResponse::DescribeLogDirs(answers) =
        admin.call(request).await.map_err(execution_exception)?
    else {
        return Err(unexpected().into());
    };
    let mut brokers = Vec::new();
    for broker in &asked {
        match answers.get(broker) {
            Some(Ok(directories)) => brokers.push(broker_json(*broker, directories, &topics)),
            Some(Err(error)) => return Err(execution_exception(error.clone()).into()),
            None => {}
        }
    }
    let text = format!(
        "Received log directory information from brokers {}\n{{\"brokers\":[{}],\"version\":1}}\n",
        comma_separated(asked),
        brokers.join(",")
    );
    context.out(&text).await;
    Ok(())
}

/// A broker's directories, in the order of Java's hash maps.
fn broker_json(
    broker: i32,
    directories: &IndexMap<String, LogDirDescription>,
    topics: &[String],
) -> String {
    let mut directories: Vec<_> = directories.iter().collect();
    sort_as_grown_hash_map(&mut directories, |(path, _)| string_hash(path));
    let directories: Vec<String> = directories
        .into_iter()
        .map(|(path, directory)| directory_json(path, directory, topics))
        .collect();
    format!(
        "{{\"broker\":{broker},\"logDirs\":[{}]}}",
        directories.join(",")
    )
}

fn directory_json(path: &str, directory: &LogDirDescription, topics: &[String]) -> String {
    let mut replicas: Vec<_> = directory
        .replicas
        .iter()
        .filter(|(partition, _)| topics.is_empty() || topics.contains(&partition.topic))
        .collect();
    sort_as_grown_hash_map(&mut replicas, |(partition, _)| partition_hash(partition));
    let replicas: Vec<String> = replicas
        .into_iter()
        .map(|(partition, replica)| {
            format!(
                "{{\"partition\":{},\"size\":{},\"offsetLag\":{},\"isFuture\":{}}}",
                json_text(&partition.to_string()),
                replica.size,
                replica.offset_lag,
                replica.is_future
            )
        })
        .collect();
    let error = match &directory.error {
        Some(error) => json_text(&error.exception),
        None => "null".to_owned(),
    };
    format!(
        "{{\"partitions\":[{}],\"error\":{error},\"logDir\":{}}}",
        replicas.join(","),
        json_text(path)
    )
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use playground_client::TopicPartition;
    use playground_client::admin::ReplicaInfo;

    use super::*;

    #[test]
    fn partitions_stand_in_the_order_of_a_hash_map() {
        let replica = ReplicaInfo {
            size: 0,
            offset_lag: 0,
            is_future: false,
        };
        let names = [("a", 0), ("a", 1), ("b", 0)];
        let directory = LogDirDescription {
            error: None,
            replicas: names
                .iter()
                .map(|(topic, number)| (TopicPartition::new(*topic, *number), replica))
                .collect(),
            total_bytes: None,
            usable_bytes: None,
        };
        let one = |name: &str| {
            format!("{{\"partition\":\"{name}\",\"size\":0,\"offsetLag\":0,\"isFuture\":false}}")
        };
        assert_eq!(
            directory_json("/d", &directory, &["a".to_owned()]),
            format!(
                "{{\"partitions\":[{},{}],\"error\":null,\"logDir\":\"/d\"}}",
                one("a-1"),
                one("a-0")
            )
        );
    }
}
