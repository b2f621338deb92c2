//! `kafka-reassign-partitions`: moves partitions to other brokers
//! (`org.apache.kafka.tools.reassign.ReassignPartitionsCommand`).

pub mod arguments;
mod cluster;
mod throttle;

use std::collections::{BTreeMap, BTreeSet};

use playground_broker::controller::placement::{self, UsableBroker};
use playground_client::{AdminRequest, AdminResponse, ClientError, TopicPartition};
use playground_protocol::{ErrorCode, Random};

use super::client_driver::{AdminSession, unexpected};
use super::java::{comma_separated, execution_exception, stack_trace};
use super::json_input::{command_failed, operation_error, read_text};
use super::options::{OptionError, Parsed, Stop};
use super::properties;
use crate::commands::CommandContext;
use arguments::{
    OPTIONS, Reassignment, ReplicaMove, check, read_for_execution, read_for_generation,
    read_reassignment,
};
use cluster::{Assignment, Session, reassignment_json};

const EXISTING: &str = "Cannot execute because there is an existing partition assignment.  Use --additional to override this and create a new partition assignment in addition to the existing one. The --additional flag can also be used to change the throttle by resubmitting the current reassignment.";

/// The last frame of every stack trace, so that lines below an exception can be counted off (`head -n 3`).
const FRAME: &str = "\tat org.apache.kafka.tools.reassign.ReassignPartitionsCommand.main(ReassignPartitionsCommand.java)";

/// Why the tool ends before its end.
enum Failure {
    Stop(Stop),
    /// Only this text (Kafka's `TerseException`).
    Terse(String),
    Exception(ClientError),
    /// An error of the command line, which Java's `main` does not catch.
    Uncaught(OptionError),
}

impl<E: Into<ClientError>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::Exception(error.into())
    }
}

/// Runs the tool.
pub async fn run(context: CommandContext) -> i32 {
    match act(&context).await {
        Ok(()) => return 0,
        Err(Failure::Stop(stop)) => return stop.print(&context, OPTIONS).await,
        // Java prints to stdout.
        Err(Failure::Terse(text)) => context.out(&format!("{text}\n")).await,
        Err(Failure::Exception(error)) => {
            let message = if error.message.is_empty() {
                "null"
            } else {
                &error.message
            };
            // Java prints both to stdout.
            let trace = stack_trace(&error);
            let trace = trace.replacen('\n', &format!("\n{FRAME}\n"), 1);
            context.out(&format!("Error: {message}\n{trace}\n")).await;
        }
        Err(Failure::Uncaught(error)) => {
            let text = format!(
                "Exception in thread \"main\" {}: {error}\n",
                error.exception()
            );
            context.err(&text).await;
        }
    }
    1
}

async fn act(context: &CommandContext) -> Result<(), Failure> {
    let parsed = Parsed::read(OPTIONS, &context.args).map_err(Failure::Uncaught)?;
    let action = check(&parsed).map_err(Failure::Stop)?;
    let mut properties = properties::load_optional(context, parsed.text("command-config")?)?;
    properties
        .entry("client.id".to_owned())
        .or_insert_with(|| "reassign-partitions-tool".to_owned());
    let controllers = parsed.text("bootstrap-controller")?;
    let servers = parsed.text("bootstrap-server")?;
    let admin = AdminSession::open_at(context, properties, servers, controllers).await?;
    let mut session = Session {
        context: context.clone(),
        admin,
    };
    let result = match action {
        "verify" => verify(&mut session, &parsed).await,
        "generate" => generate(&mut session, &parsed).await,
        "execute" => execute(&mut session, &parsed).await,
        "cancel" => cancel(&mut session, &parsed).await,
        _ => list(&mut session).await,
    };
    session.admin.close().await;
    result
}

fn file(session: &Session, parsed: &Parsed, option: &'static str) -> Result<String, ClientError> {
    let path = parsed.text(option)?.unwrap_or_default();
    read_text(&session.context, path)
}

async fn list(session: &mut Session) -> Result<(), Failure> {
    let current = session.reassignments(None).await?;
    if current.is_empty() {
        session.out("No partition reassignments found.\n").await;
        return Ok(());
    }
    let mut text = "Current partition reassignments:\n".to_owned();
    for (partition, reassignment) in current {
        let replicas = comma_separated(reassignment.replicas);
        text.push_str(&format!("{partition}: replicas: {replicas}."));
        for (what, ids) in [
            ("adding", reassignment.adding),
            ("removing", reassignment.removing),
        ] {
            if !ids.is_empty() {
                text.push_str(&format!(" {what}: {}.", comma_separated(ids)));
            }
        }
        text.push('\n');
    }
    session.out(&text).await;
    Ok(())
}

async fn generate(session: &mut Session, parsed: &Parsed) -> Result<(), Failure> {
    let text = file(session, parsed, "topics-to-move-json-file")?;
    let list = parsed.text("broker-list")?.unwrap_or_default();
    let (brokers, topics) = read_for_generation(&text, list)?;
    let current = session.assignment_of_topics(&topics).await?;
    let directories = session.directories(&current).await?;
    let rack_aware = !parsed.has("disable-rack-aware");
    let usable: Vec<UsableBroker> = session
        .brokers()
        .await?
        .into_iter()
        .filter(|node| brokers.contains(&node.id))
        .map(|node| UsableBroker {
            id: node.id,
            rack: node.rack.filter(|_| rack_aware),
            fenced: false,
        })
        .collect();
    let rackless = usable.iter().filter(|b| b.rack.is_none()).count();
    if rack_aware && rackless != 0 && rackless != usable.len() {
        return Err(operation_error(
            "Not all brokers have rack information. Add --disable-rack-aware in command line to make replica assignment without rack information.",
        )
        .into());
    }
    let mut random = Random::new(session.context.process.random(), "reassign");
    let mut proposed = Assignment::new();
    let mut by_topic: BTreeMap<&str, Vec<&Vec<i32>>> = BTreeMap::new();
    for (partition, replicas) in &current {
        by_topic.entry(&partition.topic).or_default().push(replicas);
    }
    for (topic, partitions) in by_topic {
        let factor = partitions.first().map_or(0, |replicas| replicas.len());
        let factor = i16::try_from(factor).unwrap_or(i16::MAX);
        let placed = placement::place(&mut random, &usable, partitions.len(), factor)
            .map_err(|error| ClientError::from_code(error.code, error.message.as_deref()))?;
        for (number, replicas) in (0..).zip(placed) {
            proposed.insert(TopicPartition::new(topic, number), replicas);
        }
    }
    let text = format!(
        "Current partition replica assignment\n{}\n\nProposed partition reassignment configuration\n{}\n",
        reassignment_json(&current, &directories),
        reassignment_json(&proposed, &BTreeMap::new())
    );
    session.out(&text).await;
    Ok(())
}

async fn execute(session: &mut Session, parsed: &Parsed) -> Result<(), Failure> {
    let text = file(session, parsed, "reassignment-json-file")?;
    let Reassignment { partitions, moves } = read_for_execution(&text)?;
    let throttle: i64 = parsed.number("throttle")?.unwrap_or(-1);
    let directory_throttle: i64 = parsed
        .number("replica-alter-log-dirs-throttle")?
        .unwrap_or(-1);
    let proposed: Assignment = partitions.into_iter().collect();
    let under_way = session.reassignments(None).await?;
    if !parsed.has("additional") && !under_way.is_empty() {
        return Err(Failure::Terse(EXISTING.to_owned()));
    }
    let known: BTreeSet<i32> = session.brokers().await?.iter().map(|n| n.id).collect();
    let wanted: BTreeSet<i32> = proposed.values().flatten().copied().collect();
    if let Some(unknown) = wanted.difference(&known).next() {
        return Err(command_failed(format!("Unknown broker id {unknown}")).into());
    }
    let current = session.assignment_of(&proposed).await?;
    let directories = session.directories(&current).await?;
    let text = format!(
        "Current partition replica assignment\n\n{}\n\nSave this to use as the --reassignment-json-file option during rollback\n",
        reassignment_json(&current, &directories)
    );
    session.out(&text).await;
    if throttle >= 0 || directory_throttle >= 0 {
        session
            .out("Warning: You must run --verify periodically, until the reassignment completes, to ensure the throttle is removed.\n")
            .await;
        if throttle >= 0 {
            let moves = throttle::moves(&under_way, &proposed, &current);
            session.throttle(&moves, throttle).await?;
        }
        if directory_throttle >= 0 {
            let brokers = moves.iter().map(|replica| replica.broker).collect();
            session
                .throttle_directories(&brokers, directory_throttle)
                .await?;
        }
    }
    let request = AdminRequest::AlterPartitionReassignments {
        reassignments: proposed
            .iter()
            .map(|(partition, ids)| (partition.clone(), Some(ids.clone())))
            .collect(),
        allow_replication_factor_change: !parsed.has("disallow-replication-factor-change"),
    };
    let errors = session.alter(request).await?;
    if !errors.is_empty() {
        return Err(Failure::Terse(format!(
            "Error reassigning partition(s):\n{}",
            errors.join("\n")
        )));
    }
    let names: Vec<String> = proposed.keys().map(ToString::to_string).collect();
    let text = format!(
        "Successfully started partition reassignment{} for {}\n",
        plural(names.len()),
        names.join(",")
    );
    session.out(&text).await;
    if moves.is_empty() {
        return Ok(());
    }
    Err(not_between_directories())
}

/// A broker has one log directory here, so a replica has none to move to.
fn not_between_directories() -> Failure {
    Failure::Exception(ClientError::new(
        "org.apache.kafka.common.errors.UnsupportedVersionException",
        "The node does not support ALTER_REPLICA_LOG_DIRS",
    ))
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

async fn verify(session: &mut Session, parsed: &Parsed) -> Result<(), Failure> {
    let text = file(session, parsed, "reassignment-json-file")?;
    let target = read_reassignment(&text)?;
    let under_way = session.reassignments(None).await?;
    let mut states: BTreeMap<&TopicPartition, String> = BTreeMap::new();
    let others: Vec<String> = target
        .partitions
        .iter()
        .filter(|(partition, _)| !under_way.contains_key(partition))
        .map(|(partition, _)| partition.topic.clone())
        .collect();
    let current = session.known_assignment(&others).await?;
    for (partition, wanted) in &target.partitions {
        let state = if under_way.contains_key(partition) {
            format!("Reassignment of partition {partition} is still in progress.")
        } else {
            let replicas = current.get(partition).cloned().unwrap_or_default();
            if replicas == *wanted {
                format!("Reassignment of partition {partition} is completed.")
            } else {
                format!(
                    "There is no active reassignment of partition {partition}, but replica set is {} rather than {}.",
                    comma_separated(replicas),
                    comma_separated(wanted.iter().copied())
                )
            }
        };
        states.insert(partition, state);
    }
    let mut text = "Status of partition reassignment:\n".to_owned();
    for state in states.values() {
        text.push_str(&format!("{state}\n"));
    }
    session.out(&text).await;
    let moving = verify_moves(session, &target.moves).await?;
    if under_way.is_empty() && !moving && !parsed.has("preserve-throttles") {
        session.clear_throttles(&target.partitions).await?;
    }
    Ok(())
}

/// Says how far moves between directories are. Whether any is under way.
async fn verify_moves(session: &mut Session, moves: &[ReplicaMove]) -> Result<bool, Failure> {
    let mut assignment = Assignment::new();
    for replica in moves {
        let ids = assignment.entry(replica.partition.clone()).or_default();
        ids.push(replica.broker);
    }
    let current = session.directories(&assignment).await?;
    let (mut lines, mut moving) = (Vec::new(), false);
    for ReplicaMove {
        broker,
        partition,
        directory,
    } in moves
    {
        lines.push(match current.get(&(*broker, partition.clone())) {
            None => {
                moving = true;
                format!(
                    "Partition {partition} is not found in any live log dir on broker {broker}. There is likely an offline log directory on the broker."
                )
            }
            Some(found) if found == directory => {
                format!("Reassignment of replica {partition}-{broker} completed successfully.")
            }
            Some(found) => format!(
                "Partition {partition} on broker {broker} is not being moved from log dir {found} to {directory}."
            ),
        });
    }
    session.out(&format!("{}\n", lines.join("\n"))).await;
    Ok(moving)
}

async fn cancel(session: &mut Session, parsed: &Parsed) -> Result<(), Failure> {
    let text = file(session, parsed, "reassignment-json-file")?;
    let target = read_reassignment(&text)?;
    let names: BTreeSet<TopicPartition> = target
        .partitions
        .iter()
        .map(|(partition, _)| partition.clone())
        .collect();
    let asked = names.iter().cloned().collect();
    let current: Vec<TopicPartition> = session
        .reassignments(Some(asked))
        .await?
        .into_iter()
        .filter(|(_, moving)| !moving.adding.is_empty() || !moving.removing.is_empty())
        .map(|(partition, _)| partition)
        .collect();
    if current.is_empty() {
        session
            .out("None of the specified partition reassignments are active.\n")
            .await;
    } else {
        let request = AdminRequest::AlterPartitionReassignments {
            reassignments: current
                .iter()
                .map(|partition| (partition.clone(), None))
                .collect(),
            allow_replication_factor_change: true,
        };
        let errors = session.alter(request).await?;
        if !errors.is_empty() {
            return Err(Failure::Terse(format!(
                "Error cancelling partition reassignment{} for:\n{}",
                plural(errors.len()),
                errors.join("\n")
            )));
        }
        let names: Vec<String> = current.iter().map(ToString::to_string).collect();
        let text = format!(
            "Successfully cancelled partition reassignment{} for: {}\n",
            plural(names.len()),
            names.join(",")
        );
        session.out(&text).await;
    }
    // Java ends no line here.
    session
        .out("None of the specified partition moves are active.")
        .await;
    if !parsed.has("preserve-throttles") {
        session.clear_throttles(&target.partitions).await?;
    }
    Ok(())
}

/// The outcome that a request must have, or the exception around its error.
fn answered(result: Result<AdminResponse, ClientError>) -> Result<AdminResponse, ClientError> {
    result.map_err(execution_exception)
}

/// `UnknownTopicOrPartitionException` as this tool wraps it.
fn unknown(message: String) -> ClientError {
    execution_exception(ClientError::from_code(
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        Some(&message),
    ))
}

/// An answer of another kind.
fn other_answer() -> ClientError {
    unexpected()
}
