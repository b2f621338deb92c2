//! `kafka-consumer-groups`: list, describe, reset and delete groups
//! (`org.apache.kafka.tools.consumer.group.ConsumerGroupCommand`).

pub mod arguments;
mod describe;
mod reset;

use indexmap::IndexMap;
use playground_client::admin::GroupListing;
use playground_client::consumer::OffsetAndMetadata;
use playground_client::{AdminRequest, AdminResponse, ClientError, TopicPartition};
use playground_protocol::ErrorCode;
use playground_regex::{Options, Regex, Syntax};

use super::client_driver::{AdminSession, unexpected};
use super::java::exception_text;
use super::options::{OptionError, Parsed, Stop};
use super::properties;
use crate::commands::CommandContext;
use arguments::{OPTIONS, Refusal, parse};

/// Committed offsets by partition, `None` where there is none.
type Committed = IndexMap<TopicPartition, Option<OffsetAndMetadata>>;

/// Why a command ends early.
enum Failure {
    /// A usage error, found late.
    Usage(String),
    /// An exception, told as an error; the exit code stays 0, as in Kafka.
    Exception(ClientError),
    /// The exception of a future that the tool does not unwrap: its class stands in the message.
    Execution(ClientError),
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        Failure::Exception(error)
    }
}

impl From<OptionError> for Failure {
    fn from(error: OptionError) -> Failure {
        Failure::Exception(ClientError::new(error.exception(), error.to_string()))
    }
}

/// Runs the tool.
pub async fn run(context: CommandContext) -> i32 {
    let (parsed, warning) = match parse(&context.args) {
        Ok(parsed) => parsed,
        Err(Refusal::Stop(stop)) => return stop.print(&context, OPTIONS).await,
        Err(Refusal::Uncaught(text)) => {
            context
                .err(&format!("Exception in thread \"main\" {text}\n"))
                .await;
            return 1;
        }
    };
    context.err(warning).await;
    let result = match parsed.text("validate-regex") {
        Ok(Some(regex)) => {
            validate_regex(&context, regex).await;
            Ok(())
        }
        Ok(None) => run_with_admin(&context, &parsed).await,
        Err(error) => Err(error.into()),
    };
    match result {
        Ok(()) => 0,
        Err(Failure::Usage(text)) => Stop::Usage(text).print(&context, OPTIONS).await,
        Err(Failure::Exception(error)) => {
            print_failure(
                &context,
                &error.message,
                &exception_text(&error.exception, &error.message),
            )
            .await
        }
        Err(Failure::Execution(error)) => {
            let cause = exception_text(&error.exception, &error.message);
            print_failure(
                &context,
                &cause,
                &format!("java.util.concurrent.ExecutionException: {cause}"),
            )
            .await
        }
    }
}

async fn print_failure(context: &CommandContext, message: &str, exception: &str) -> i32 {
    print_error(
        context,
        &format!("Executing consumer group command failed due to {message}"),
    )
    .await;
    context.err(&format!("{exception}\n")).await;
    0
}

async fn print_error(context: &CommandContext, message: &str) {
    context.out(&format!("\nError: {message}\n")).await;
}

/// What RE2/J, which the broker uses, says of an expression.
async fn validate_regex(context: &CommandContext, pattern: &str) {
    let text = match Regex::new(pattern, Options::new(Syntax::Re2)) {
        Ok(_) => format!("The regular expression `{pattern}` is valid.\n"),
        Err(error) => {
            let reason = error.re2();
            format!("The regular expression `{pattern}` is invalid: {reason}.\n")
        }
    };
    context.out(&text).await;
}

async fn run_with_admin(context: &CommandContext, parsed: &Parsed) -> Result<(), Failure> {
    let config = match parsed.text("command-config")? {
        Some(path) => properties::load(context, path).map_err(|path| {
            let class = "java.nio.file.NoSuchFileException";
            ClientError::new("java.lang.RuntimeException", exception_text(class, &path))
        })?,
        None => properties::Properties::new(),
    };
    let servers = parsed
        .text("bootstrap-server")?
        .unwrap_or_default()
        .to_owned();
    let mut admin = AdminSession::open(context, config, &servers).await?;
    admin.set_timeout_ms(parsed.number::<i64>("timeout")?.unwrap_or(30_000));
    let mut service = Service {
        context,
        parsed,
        admin: &mut admin,
    };
    let result = if parsed.has("list") {
        service.list().await
    } else if parsed.has("describe") {
        service.describe().await
    } else if parsed.has("delete") {
        service.delete().await
    } else if parsed.has("reset-offsets") {
        service.reset_offsets().await
    } else {
        service.delete_offsets().await
    };
    admin.close().await;
    result
}

struct Service<'a> {
    context: &'a CommandContext,
    parsed: &'a Parsed,
    admin: &'a mut AdminSession,
}

impl Service<'_> {
    async fn listings(
        &mut self,
        states: Vec<String>,
        types: Vec<String>,
    ) -> Result<Vec<GroupListing>, Failure> {
        // `ListGroupsOptions.forConsumerGroups`: classic groups of consumers, and groups without a protocol.
        let types = if types.is_empty() {
            vec!["classic".to_owned(), "consumer".to_owned()]
        } else {
            types
        };
        let protocol_types = vec![String::new(), "consumer".to_owned()];
        let request = AdminRequest::ListGroups {
            states,
            types,
            protocol_types,
        };
        let AdminResponse::ListGroups { groups, errors } = self.admin.call(request).await? else {
            return Err(unexpected().into());
        };
        match errors.into_iter().next() {
            Some(error) => Err(Failure::Execution(error)),
            None => Ok(groups),
        }
    }

    /// The groups that the command is about.
    async fn group_ids(&mut self) -> Result<Vec<String>, Failure> {
        if self.parsed.has("all-groups") {
            let listings = self.listings(Vec::new(), Vec::new()).await?;
            return Ok(listings
                .into_iter()
                .map(|listing| listing.group_id)
                .collect());
        }
        Ok(self.parsed.texts("group").to_vec())
    }

    async fn list(&mut self) -> Result<(), Failure> {
        let (with_type, with_state) = (self.parsed.has("type"), self.parsed.has("state"));
        let states = words(self.parsed.text("state")?, "state", &STATES)?;
        let types = words(self.parsed.text("type")?, "types", &TYPES)?;
        let groups = self.listings(states, types).await?;
        if !with_type && !with_state {
            for group in groups {
                self.context.out(&format!("{}\n", group.group_id)).await;
            }
            return Ok(());
        }
        let width = groups
            .iter()
            .map(|group| group.group_id.chars().count())
            .max()
            .unwrap_or(0)
            .max(15)
            + 10;
        let mut lines = vec![("GROUP".to_owned(), "TYPE".to_owned(), "STATE".to_owned())];
        lines.extend(
            groups
                .into_iter()
                .map(|group| (group.group_id, group.group_type, group.state)),
        );
        for (group, kind, state) in lines {
            let mut line = format!("{group:width$}");
            if with_type {
                line.push_str(&format!(" {kind:20}"));
            }
            if with_state {
                line.push_str(&format!(" {state:20}"));
            }
            self.context.out(&format!("{line}\n")).await;
        }
        Ok(())
    }

    async fn delete(&mut self) -> Result<(), Failure> {
        let groups = self.group_ids().await?;
        let AdminResponse::DeleteGroups(results) = self
            .admin
            .call(AdminRequest::DeleteGroups { groups })
            .await?
        else {
            return Err(unexpected().into());
        };
        let quote = |groups: &[&String]| {
            groups
                .iter()
                .map(|group| format!("'{group}'"))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let deleted: Vec<&String> = results
            .iter()
            .filter(|(_, result)| result.is_ok())
            .map(|(group, _)| group)
            .collect();
        if deleted.len() == results.len() {
            let text = format!(
                "Deletion of requested consumer groups ({}) was successful.\n",
                quote(&deleted)
            );
            self.context.out(&text).await;
            return Ok(());
        }
        print_error(self.context, "Deletion of some consumer groups failed:").await;
        for (group, result) in &results {
            if let Err(error) = result {
                let error = exception_text(&error.exception, &error.message);
                self.context
                    .out(&format!(
                        "* Group '{group}' could not be deleted due to: {error}\n"
                    ))
                    .await;
            }
        }
        if !deleted.is_empty() {
            let text = format!(
                "\nThese consumer groups were deleted successfully: {}\n",
                quote(&deleted)
            );
            self.context.out(&text).await;
        }
        Ok(())
    }

    async fn committed(&mut self, group: &str) -> Result<Committed, Failure> {
        let request = AdminRequest::ListGroupOffsets {
            groups: vec![(group.to_owned(), None)],
            require_stable: false,
        };
        let AdminResponse::ListGroupOffsets(mut groups) = self.admin.call(request).await? else {
            return Err(unexpected().into());
        };
        Ok(groups
            .swap_remove(group)
            .unwrap_or_else(|| Err(unexpected()))?)
    }

    /// All partitions of a topic.
    async fn partitions_of(&mut self, topic: &str) -> Result<Vec<TopicPartition>, ClientError> {
        let request = AdminRequest::DescribeTopics {
            topics: vec![topic.to_owned()],
        };
        let AdminResponse::DescribeTopics(mut topics) = self.admin.call(request).await? else {
            return Err(unexpected());
        };
        let description = topics
            .swap_remove(topic)
            .unwrap_or_else(|| Err(unexpected()))?;
        Ok(description
            .partitions
            .iter()
            .map(|found| TopicPartition::new(topic, found.partition))
            .collect())
    }

    async fn delete_offsets(&mut self) -> Result<(), Failure> {
        let group = self.parsed.text("group")?.unwrap_or_default().to_owned();
        let mut rows: Vec<(TopicPartition, Option<String>)> = Vec::new();
        let mut partitions = Vec::new();
        for topic in self.parsed.texts("topic") {
            if topic.contains(':') {
                partitions.extend(parse_partitions(topic)?);
                continue;
            }
            match self.partitions_of(topic).await {
                Ok(found) => partitions.extend(found),
                Err(error) => {
                    let text = exception_text(&error.exception, &error.message);
                    rows.push((TopicPartition::new(topic.clone(), -1), Some(text)));
                }
            }
        }
        let request = AdminRequest::DeleteGroupOffsets {
            group: group.clone(),
            partitions: partitions.clone(),
        };
        let mut top = ErrorCode::NONE;
        match self.admin.call(request).await {
            Ok(AdminResponse::DeleteGroupOffsets(results)) => {
                for (partition, result) in results {
                    let error = result.err();
                    if let (Some(error), true) = (&error, top.is_none()) {
                        top = error.code;
                    }
                    rows.push((
                        partition,
                        error.map(|error| exception_text(&error.exception, &error.message)),
                    ));
                }
            }
            Ok(_) => return Err(unexpected().into()),
            Err(error) => {
                top = if error.code.is_none() {
                    ErrorCode::UNKNOWN_SERVER_ERROR
                } else {
                    error.code
                };
                let text = exception_text(&error.exception, &error.message);
                rows.extend(
                    partitions
                        .into_iter()
                        .map(|partition| (partition, Some(text.clone()))),
                );
            }
        }
        match top {
            ErrorCode::NONE => {
                self.context
                    .out(&format!(
                        "Request succeeded for deleting offsets from group {group}.\n"
                    ))
                    .await;
            }
            ErrorCode::INVALID_GROUP_ID
            | ErrorCode::GROUP_ID_NOT_FOUND
            | ErrorCode::GROUP_AUTHORIZATION_FAILED
            | ErrorCode::NON_EMPTY_GROUP => print_error(self.context, top.message()).await,
            ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC
            | ErrorCode::TOPIC_AUTHORIZATION_FAILED
            | ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => {
                print_error(
                    self.context,
                    "Encountered some partition-level error, see the follow-up details.",
                )
                .await;
            }
            other => {
                print_error(
                    self.context,
                    &format!("Encountered some unknown error: {}", other.name()),
                )
                .await
            }
        }
        rows.sort_by_key(|(partition, _)| format!("{}{}", partition.topic, partition.partition));
        let width = rows
            .iter()
            .map(|(partition, _)| partition.topic.len())
            .max()
            .unwrap_or(0)
            .max(15);
        let mut text = format!("\n{:width$} {:10} {:15}", "TOPIC", "PARTITION", "STATUS");
        for (partition, error) in rows {
            let number = if partition.partition >= 0 {
                partition.partition.to_string()
            } else {
                "-".to_owned()
            };
            let status = error.map_or("Successful".to_owned(), |error| format!("Error: {error}"));
            text.push_str(&format!(
                "\n{:width$} {number:10} {status:15}",
                partition.topic
            ));
        }
        self.context.out(&format!("{text}\n")).await;
        Ok(())
    }
}

const STATES: [&str; 7] = [
    "PreparingRebalance",
    "CompletingRebalance",
    "Stable",
    "Dead",
    "Empty",
    "Assigning",
    "Reconciling",
];
const TYPES: [&str; 2] = ["Classic", "Consumer"];

/// A comma separated list of known words, whatever their case.
fn words(text: Option<&str>, what: &str, known: &[&str]) -> Result<Vec<String>, Failure> {
    let Some(text) = text.filter(|text| !text.is_empty()) else {
        return Ok(Vec::new());
    };
    text.split(',')
        .map(|word| {
            known
                .iter()
                .find(|known| known.eq_ignore_ascii_case(word.trim()))
                .map(|known| {
                    if what == "types" {
                        known.to_lowercase()
                    } else {
                        (*known).to_owned()
                    }
                })
                .ok_or_else(|| {
                    Failure::Usage(
                        format!(
                            "Invalid {what} list '{text}'. Valid {what}s are: {}",
                            known.join(", ")
                        )
                        .replace("typess", "types"),
                    )
                })
        })
        .collect()
}

/// `topic:0,1,2`.
fn parse_partitions(argument: &str) -> Result<Vec<TopicPartition>, Failure> {
    let parts: Vec<&str> = argument.split(':').collect();
    let [topic, partitions] = parts.as_slice() else {
        return Err(Failure::Usage(format!(
            "Invalid topic arg '{argument}', expected topic name and partitions"
        )));
    };
    partitions
        .split(',')
        .map(|partition| match partition.parse() {
            Ok(number) => Ok(TopicPartition::new(*topic, number)),
            Err(_) => Err(Failure::Usage(format!(
                "Invalid partition '{partition}' specified in topic arg '{argument}''"
            ))),
        })
        .collect()
}
