//! The command line of `kafka-reassign-partitions`, and its JSON files.

use playground_client::{ClientError, TopicPartition};
use serde_json::Value;

use super::super::json_input::{
    as_array, as_int, as_object, as_text, command_failed, field, operation_error, parse,
};
use super::super::options::{
    HELP, Kind, OptionSpec, Parsed, Stop, VERSION, check_help_or_version, check_required, flag,
    optional, value,
};

/// The options.
pub const OPTIONS: &[OptionSpec] = &[
    flag(
        "verify",
        "Say whether the reassignment of --reassignment-json-file is done; if so, its throttles are removed.",
    ),
    flag(
        "generate",
        "Propose a reassignment, and do not carry it out.",
    ),
    flag(
        "execute",
        "Start the reassignment of --reassignment-json-file.",
    ),
    flag("cancel", "Cancel a reassignment that is under way."),
    flag("list", "List the reassignments that are under way."),
    optional(
        "bootstrap-server",
        Kind::Text,
        "Server(s) to use for bootstrapping",
        "The brokers to start from.",
    ),
    value(
        "command-config",
        Kind::Text,
        "Admin client property file",
        "A properties file for the admin client.",
    ),
    value(
        "reassignment-json-file",
        Kind::Text,
        "manual assignment json file path",
        "The JSON file of the reassignment:\n{\"partitions\":\n\t[{\"topic\": \"foo\",\n\t  \"partition\": 1,\n\t  \"replicas\": [1,2,3],\n\t  \"log_dirs\": [\"dir1\",\"dir2\",\"dir3\"] }],\n\"version\":1\n}\n\"log_dirs\" may be left out. It has as many items as \"replicas\", each \"any\" or the path of a log directory of that broker.",
    ),
    value(
        "topics-to-move-json-file",
        Kind::Text,
        "topics to reassign json file path",
        "The JSON file of the topics that shall be spread over the brokers of --broker-list:\n{\"topics\":\n\t[{\"topic\": \"foo\"},{\"topic\": \"foo1\"}],\n\"version\":1\n}",
    ),
    value(
        "broker-list",
        Kind::Text,
        "brokerlist",
        "The brokers that shall hold the topics, as \"0,1,2\". Needed with --topics-to-move-json-file.",
    ),
    optional(
        "bootstrap-controller",
        Kind::Text,
        "bootstrap controller to connect to",
        "The controllers to start from, for --cancel and --list.",
    ),
    flag("disable-rack-aware", "Do not look at racks."),
    value(
        "throttle",
        Kind::Long,
        "throttle",
        "Bytes a second that move between brokers at most. Given again with --additional, it changes.",
    )
    .or("-1"),
    value(
        "replica-alter-log-dirs-throttle",
        Kind::Long,
        "replicaAlterLogDirsThrottle",
        "Bytes a second that move between directories of a broker at most.",
    )
    .or("-1"),
    value(
        "timeout",
        Kind::Long,
        "timeout",
        "How long to wait for moves between directories to begin, in ms.",
    )
    .or("10000"),
    flag(
        "additional",
        "Start this beside what is under way already.",
    ),
    flag("preserve-throttles", "Leave throttles as they are."),
    flag(
        "disallow-replication-factor-change",
        "Refuse a reassignment that changes how many replicas a partition has.",
    ),
    HELP,
    VERSION,
];

const ABOUT: &str = "This tool helps to move topic partitions between replicas.";

/// The five actions, in the order in which they are told.
const ACTIONS: [&str; 5] = ["generate", "execute", "verify", "cancel", "list"];

/// Checks which options stand together; gives the action.
///
/// # Errors
/// What to print instead of running.
pub fn check(parsed: &Parsed) -> Result<&'static str, Stop> {
    check_help_or_version(parsed, ABOUT)?;
    let usage = |text: String| Err(Stop::Usage(text));
    let given: Vec<&'static str> = ACTIONS
        .into_iter()
        .filter(|name| parsed.has(name))
        .collect();
    let [action] = given.as_slice() else {
        let all: Vec<String> = ACTIONS.iter().map(|name| format!("--{name}")).collect();
        return usage(format!(
            "Command must include exactly one action: {}",
            all.join(", ")
        ));
    };
    let server = match (
        parsed.has("bootstrap-server"),
        parsed.has("bootstrap-controller"),
    ) {
        (true, true) => {
            return usage(
                "Please don't specify both --bootstrap-server and --bootstrap-controller"
                    .to_owned(),
            );
        }
        (false, false) => {
            return usage(
                "Please specify either --bootstrap-server or --bootstrap-controller".to_owned(),
            );
        }
        (true, false) => "bootstrap-server",
        (false, true) => "bootstrap-controller",
    };
    let (required, permitted): (&[&str], &[&str]) = match *action {
        "verify" => (
            &["reassignment-json-file"],
            &["bootstrap-server", "preserve-throttles"],
        ),
        "generate" => (
            &["topics-to-move-json-file", "broker-list"],
            &["bootstrap-server", "disable-rack-aware"],
        ),
        "execute" => (
            &["reassignment-json-file"],
            &[
                "additional",
                "bootstrap-server",
                "throttle",
                "replica-alter-log-dirs-throttle",
                "timeout",
                "disallow-replication-factor-change",
            ],
        ),
        "cancel" => (
            &["reassignment-json-file"],
            &[server, "preserve-throttles", "timeout"],
        ),
        _ => (&[], &[server]),
    };
    check_required(parsed, required)?;
    let fits = |name: &str| {
        name == *action
            || name == "command-config"
            || required.contains(&name)
            || permitted.contains(&name)
    };
    match OPTIONS
        .iter()
        .find(|option| parsed.has(option.name) && !fits(option.name))
    {
        Some(option) => usage(format!(
            "Option \"[{}]\" can't be used with action \"[{action}]\"",
            option.name
        )),
        None => Ok(action),
    }
}

/// A replica that shall lie in a certain directory.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReplicaMove {
    /// The broker.
    pub broker: i32,
    /// The partition.
    pub partition: TopicPartition,
    /// The directory.
    pub directory: String,
}

/// What a reassignment file says, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reassignment {
    /// New replicas by partition; a partition can stand there twice.
    pub partitions: Vec<(TopicPartition, Vec<i32>)>,
    /// Replicas with a directory.
    pub moves: Vec<ReplicaMove>,
}

fn version_one(json: &Value) -> Result<(), ClientError> {
    match as_object(json)?.get("version") {
        None => Ok(()),
        Some(version) => match as_int(version)? {
            1 => Ok(()),
            other => Err(operation_error(format!(
                "Not supported version field value {other}"
            ))),
        },
    }
}

/// Reads a reassignment file.
///
/// # Errors
/// Java's exception.
pub fn read_reassignment(text: &str) -> Result<Reassignment, ClientError> {
    let json = parse(text)?;
    version_one(&json)?;
    let mut found = Reassignment::default();
    let Some(list) = as_object(&json)?.get("partitions") else {
        return Ok(found);
    };
    for item in as_array(list)? {
        let topic = as_text(field(item, "topic")?)?;
        let partition = TopicPartition::new(topic, as_int(field(item, "partition")?)?);
        let replicas = as_array(field(item, "replicas")?)?
            .iter()
            .map(as_int)
            .collect::<Result<Vec<i32>, _>>()?;
        let directories = match as_object(item)?.get("log_dirs") {
            None => vec!["any".to_owned(); replicas.len()],
            Some(list) => as_array(list)?
                .iter()
                .map(|item| as_text(item).map(str::to_owned))
                .collect::<Result<_, _>>()?,
        };
        if directories.len() != replicas.len() {
            let ids: Vec<String> = replicas.iter().map(ToString::to_string).collect();
            return Err(command_failed(format!(
                "Size of replicas list [{}] is different from size of log dirs list [{}] for partition {partition}",
                ids.join(", "),
                directories.join(", ")
            )));
        }
        for (broker, directory) in replicas.iter().zip(directories) {
            if directory != "any" {
                found.moves.push(ReplicaMove {
                    broker: *broker,
                    partition: partition.clone(),
                    directory,
                });
            }
        }
        found.partitions.push((partition, replicas));
    }
    found.moves.sort();
    Ok(found)
}

/// The same for `--execute`: nothing may be empty or stand there twice.
///
/// # Errors
/// Java's exception.
pub fn read_for_execution(text: &str) -> Result<Reassignment, ClientError> {
    let found = read_reassignment(text)?;
    if found.partitions.is_empty() {
        return Err(command_failed(
            "Partition reassignment list cannot be empty",
        ));
    }
    if found.partitions.iter().any(|(_, ids)| ids.is_empty()) {
        return Err(command_failed("Partition replica list cannot be empty"));
    }
    let names: Vec<&TopicPartition> = found.partitions.iter().map(|(name, _)| name).collect();
    let twice: Vec<String> = duplicates(&names).iter().map(ToString::to_string).collect();
    if !twice.is_empty() {
        return Err(command_failed(format!(
            "Partition reassignment contains duplicate topic partitions: {}",
            twice.join(",")
        )));
    }
    let entries: Vec<String> = found
        .partitions
        .iter()
        .filter_map(|(partition, ids)| {
            let twice = duplicates(ids);
            let shown = super::super::java::comma_separated(twice.iter().copied());
            (!twice.is_empty())
                .then(|| format!("{partition} contains multiple entries for {shown}"))
        })
        .collect();
    if !entries.is_empty() {
        return Err(command_failed(format!(
            "Partition replica lists may not contain duplicate entries: {}",
            entries.join(". ")
        )));
    }
    Ok(found)
}

/// What stands in a list more than once, each once.
fn duplicates<T: Clone + PartialEq>(items: &[T]) -> Vec<T> {
    let mut twice: Vec<T> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let before = items.get(..index).unwrap_or_default();
        if before.contains(item) && !twice.contains(item) {
            twice.push(item.clone());
        }
    }
    twice
}

/// Reads what `--generate` is for: brokers and topics.
///
/// # Errors
/// Java's exception.
pub fn read_for_generation(
    text: &str,
    broker_list: &str,
) -> Result<(Vec<i32>, Vec<String>), ClientError> {
    let brokers = broker_list
        .split(',')
        .map(|word| {
            word.parse::<i32>().map_err(|_| {
                ClientError::new(
                    "java.lang.NumberFormatException",
                    format!("For input string: \"{word}\""),
                )
            })
        })
        .collect::<Result<Vec<i32>, _>>()?;
    let listed = |words: Vec<String>| words.join(", ");
    let twice = duplicates(&brokers);
    if !twice.is_empty() {
        let twice = listed(twice.iter().map(ToString::to_string).collect());
        return Err(command_failed(format!(
            "Broker list contains duplicate entries: [{twice}]"
        )));
    }
    let json = parse(text)?;
    version_one(&json)?;
    let mut topics = Vec::new();
    if let Some(list) = as_object(&json)?.get("topics") {
        for item in as_array(list)? {
            topics.push(as_text(field(item, "topic")?)?.to_owned());
        }
    }
    let twice = duplicates(&topics);
    if !twice.is_empty() {
        return Err(command_failed(format!(
            "List of topics to reassign contains duplicate entries: [{}]",
            listed(twice)
        )));
    }
    Ok((brokers, topics))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn action(line: &str) -> Result<&'static str, Stop> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        check(&Parsed::read(OPTIONS, &args).unwrap())
    }

    #[test]
    fn each_action_has_its_own_options() {
        assert_eq!(action("--bootstrap-server a:1 --list"), Ok("list"));
        for (line, text) in [
            (
                "--list",
                "Please specify either --bootstrap-server or --bootstrap-controller",
            ),
            (
                "--bootstrap-server a:1 --list --throttle 5",
                "Option \"[throttle]\" can't be used with action \"[list]\"",
            ),
            (
                "--bootstrap-controller a:1 --verify --reassignment-json-file f",
                "Option \"[bootstrap-controller]\" can't be used with action \"[verify]\"",
            ),
            (
                "--bootstrap-server a:1 --verify",
                "Missing required argument \"[reassignment-json-file]\"",
            ),
        ] {
            assert_eq!(action(line), Err(Stop::Usage(text.to_owned())), "{line}");
        }
    }

    #[test]
    fn directories_are_kept_apart_from_replicas() {
        let text = r#"{"partitions":[{"topic":"t","partition":1,"replicas":[3,2],"log_dirs":["any","/d"]}]}"#;
        let found = read_for_execution(text).unwrap();
        let partition = TopicPartition::new("t", 1);
        assert_eq!(found.partitions, [(partition.clone(), vec![3, 2])]);
        assert_eq!(
            found.moves,
            [ReplicaMove {
                broker: 2,
                partition,
                directory: "/d".to_owned()
            }]
        );
    }
}
