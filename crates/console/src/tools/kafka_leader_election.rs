//! `kafka-leader-election`: has leaders elected (`org.apache.kafka.tools.LeaderElectionCommand`).

use playground_client::{AdminRequest, AdminResponse, ClientError, TopicPartition};
use playground_protocol::ErrorCode;
use serde_json::Value;

use super::client_driver::{AdminSession, unexpected};
use super::java::{partition_hash, print_failure, sort_as_grown_hash_map, stack_trace};
use super::json_input::{
    as_array, as_int, as_object, as_text, command_failed, field, operation_error, read_text,
};
use super::options::{
    HELP, Kind, OptionError, OptionSpec, Parsed, Stop, VERSION, check_help_or_version,
    check_invalid, flag, value,
};
use super::properties;
use crate::commands::CommandContext;

/// The options.
pub const OPTIONS: &[OptionSpec] = &[
    value(
        "bootstrap-server",
        Kind::Text,
        "host:port",
        "REQUIRED: The brokers to start from, comma separated.",
    ),
    value(
        "admin.config",
        Kind::Text,
        "config file",
        "(DEPRECATED) A properties file for the admin client: see --command-config.",
    ),
    value(
        "command-config",
        Kind::Text,
        "Config file",
        "A properties file for the admin client.",
    ),
    value(
        "path-to-json-file",
        Kind::Text,
        "Path to JSON file",
        "A JSON file that lists partitions:\n{\"partitions\":\n\t[{\"topic\": \"foo\", \"partition\": 1},\n\t {\"topic\": \"foobar\", \"partition\": 2}]\n}\nNot together with --all-topic-partitions or --topic.",
    ),
    value(
        "topic",
        Kind::Text,
        "topic name",
        "The topic of the one partition. Not together with --path-to-json-file or --all-topic-partitions.",
    ),
    value(
        "partition",
        Kind::Integer,
        "partition id",
        "The number of the one partition. REQUIRED with --topic.",
    ),
    flag(
        "all-topic-partitions",
        "Every partition that the election is for. Not together with --topic or --path-to-json-file.",
    ),
    value(
        "election-type",
        Kind::Text,
        "election type",
        "REQUIRED: preferred (the first replica, where another one leads) or unclean (a replica that may lack records, where none leads).",
    ),
    HELP,
    VERSION,
];

const ABOUT: &str = "This tool attempts to elect a new leader for a set of topic partitions. The type of elections supported are preferred replicas and unclean replicas.";

enum Failure {
    Stop(Stop),
    Exception(ClientError),
    /// An exception with others suppressed in it.
    Partitions(ClientError, Vec<ClientError>),
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Failure {
        Failure::Stop(stop)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        Failure::Exception(error)
    }
}

impl From<OptionError> for Failure {
    fn from(error: OptionError) -> Failure {
        Failure::Exception(error.into())
    }
}

/// Runs the tool.
pub async fn run(context: CommandContext) -> i32 {
    match elect(&context).await {
        Ok(()) => 0,
        Err(Failure::Stop(stop)) => stop.print(&context, OPTIONS).await,
        Err(Failure::Exception(error)) => print_failure(&context, &error).await,
        Err(Failure::Partitions(error, suppressed)) => {
            let mut text = format!("{}\n{}", error.message, stack_trace(&error));
            for error in suppressed {
                text.push_str(&format!("\tSuppressed: {error}\n"));
            }
            context.err(&(text + "\n")).await;
            1
        }
    }
}

fn check(parsed: &Parsed) -> Result<(), Failure> {
    check_help_or_version(parsed, ABOUT)?;
    let missing: Vec<&str> = ["bootstrap-server", "election-type"]
        .into_iter()
        .filter(|name| !parsed.has(name))
        .collect();
    let failed = |text: String| Err(command_failed(text).into());
    if !missing.is_empty() {
        return failed(format!(
            "Missing required option(s): {}",
            missing.join(", ")
        ));
    }
    check_invalid(parsed, "admin.config", &["command-config"])?;
    let ways = ["topic", "all-topic-partitions", "path-to-json-file"];
    if ways.iter().filter(|name| parsed.has(name)).count() != 1 {
        return failed(format!(
            "One and only one of the following options is required: {}",
            ways.join(", ")
        ));
    }
    match (parsed.has("topic"), parsed.has("partition")) {
        (true, false) => failed("Missing required option(s): partition".to_owned()),
        (false, true) => failed("Option partition is only allowed if topic is used".to_owned()),
        _ => Ok(()),
    }
}

async fn elect(context: &CommandContext) -> Result<(), Failure> {
    let parsed = Parsed::read(OPTIONS, &context.args)?;
    check(&parsed)?;
    let election = parsed.text("election-type")?.unwrap_or_default();
    let unclean = match election.to_lowercase().as_str() {
        "preferred" => false,
        "unclean" => true,
        _ => {
            return Err(OptionError::Conversion {
                value: election.to_owned(),
                option: "election-type",
            }
            .into());
        }
    };
    let mut partitions = None;
    if let Some(path) = parsed.text("path-to-json-file")? {
        partitions = Some(partitions_of_file(context, path)?);
    }
    if let (Some(topic), Some(number)) = (parsed.text("topic")?, parsed.number::<i32>("partition")?)
    {
        partitions = Some(vec![TopicPartition::new(topic, number)]);
    }
    let mut path = parsed.text("command-config")?;
    if parsed.has("admin.config") {
        context
            .out("Option --admin.config has been deprecated and will be removed in a future version. Use --command-config instead.\n")
            .await;
        path = parsed.text("admin.config")?;
    }
    let mut properties = properties::load_optional(context, path)?;
    for (name, value) in [
        ("default.api.timeout.ms", "30000"),
        ("request.timeout.ms", "15000"),
    ] {
        properties
            .entry(name.to_owned())
            .or_insert_with(|| value.to_owned());
    }
    let servers = parsed.text("bootstrap-server")?.unwrap_or_default();
    let mut admin = AdminSession::open(context, properties, servers).await?;
    let request = AdminRequest::ElectLeaders {
        unclean,
        partitions,
    };
    let answer = admin.call(request).await;
    admin.close().await;
    match answer {
        Ok(AdminResponse::ElectLeaders(results)) => {
            let kind = if unclean { "UNCLEAN" } else { "PREFERRED" };
            report(context, kind, results.into_iter().collect()).await
        }
        Ok(_) => Err(unexpected().into()),
        Err(error) if error.is_timeout() => {
            let message = "Timeout waiting for election results";
            context.out(&format!("{message}\n")).await;
            Err(command_failed(message).caused_by(error).into())
        }
        Err(error) => {
            let outer = super::java::execution_exception(error);
            let text = outer.to_string();
            Err(ClientError::new("java.lang.RuntimeException", text)
                .caused_by(outer)
                .into())
        }
    }
}

async fn report(
    context: &CommandContext,
    kind: &str,
    mut results: Vec<(TopicPartition, Result<(), ClientError>)>,
) -> Result<(), Failure> {
    sort_as_grown_hash_map(&mut results, |(partition, _)| partition_hash(partition));
    let names = |wanted: &dyn Fn(&Result<(), ClientError>) -> bool| {
        let found = results.iter().filter(|(_, result)| wanted(result));
        let names: Vec<String> = found.map(|(name, _)| name.to_string()).collect();
        names.join(", ")
    };
    let elected = names(&|result| result.is_ok());
    let valid =
        names(&|result| matches!(result, Err(e) if e.code == ErrorCode::ELECTION_NOT_NEEDED));
    if !elected.is_empty() {
        let text =
            format!("Successfully completed leader election ({kind}) for partitions {elected}\n");
        context.out(&text).await;
    }
    if !valid.is_empty() {
        let text = format!("Valid replica already elected for partitions {valid}\n");
        context.out(&text).await;
    }
    let mut failures = Vec::new();
    for (partition, result) in &results {
        if let Err(error) = result
            && error.code != ErrorCode::ELECTION_NOT_NEEDED
        {
            let text = format!(
                "Error completing leader election ({kind}) for partition: {partition}: {error}\n"
            );
            context.out(&text).await;
            failures.push(error.clone());
        }
    }
    if failures.is_empty() {
        return Ok(());
    }
    let count = failures.len();
    let error = command_failed(format!("{count} replica(s) could not be elected"));
    Err(Failure::Partitions(error, failures))
}

/// The partitions that the JSON file lists.
fn partitions_of_file(
    context: &CommandContext,
    path: &str,
) -> Result<Vec<TopicPartition>, ClientError> {
    // Java's lambdas wrap what they may not throw.
    let wrapped = |error: ClientError| {
        let text = error.to_string();
        ClientError::new("java.lang.RuntimeException", text).caused_by(error)
    };
    let text = read_text(context, path).map_err(wrapped)?;
    let json: Value = serde_json::from_str(&text)
        .map_err(|_| operation_error("Replica election data is empty"))?;
    let list = as_object(&json)
        .map_err(wrapped)?
        .get("partitions")
        .ok_or_else(|| operation_error("Replica election data is missing \"partitions\" field"))?;
    let mut partitions: Vec<TopicPartition> = Vec::new();
    let mut twice: Vec<String> = Vec::new();
    for item in as_array(list).map_err(wrapped)? {
        let topic = field(item, "topic").and_then(as_text).map_err(wrapped)?;
        let number = field(item, "partition").and_then(as_int).map_err(wrapped)?;
        let partition = TopicPartition::new(topic, number);
        let name = partition.to_string();
        if !partitions.contains(&partition) {
            partitions.push(partition);
        } else if !twice.contains(&name) {
            twice.push(name);
        }
    }
    if !twice.is_empty() {
        return Err(operation_error(format!(
            "Replica election data contains duplicate partitions: [{}]",
            twice.join(", ")
        )));
    }
    Ok(partitions)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> String {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        match check(&Parsed::read(OPTIONS, &args).unwrap()) {
            Err(Failure::Exception(error)) => error.message,
            Err(Failure::Stop(Stop::Usage(text))) => text,
            _ => panic!("accepted"),
        }
    }

    #[test]
    fn one_way_to_choose_partitions_must_be_given() {
        let rest = "--bootstrap-server a:1 --election-type preferred";
        for (line, text) in [
            (
                "--topic t",
                "Missing required option(s): bootstrap-server, election-type".to_owned(),
            ),
            (
                &*format!("{rest} --topic t --all-topic-partitions"),
                "One and only one of the following options is required: topic, all-topic-partitions, path-to-json-file".to_owned(),
            ),
            (
                &*format!("{rest} --topic t"),
                "Missing required option(s): partition".to_owned(),
            ),
            (
                &*format!("{rest} --all-topic-partitions --partition 1"),
                "Option partition is only allowed if topic is used".to_owned(),
            ),
        ] {
            assert_eq!(refusal(line), text, "{line}");
        }
    }
}
