//! `kafka-topics`: create, delete, describe, list and alter topics (`org.apache.kafka.tools.TopicCommand`).

use std::collections::BTreeSet;

use playground_client::admin::{
    ConfigEntry, ConfigResource, ConfigResourceType, ConfigSource, NewPartitions, NewTopic,
    NodeInfo, PartitionDescription, TopicDescription,
};
use playground_client::{AdminRequest, AdminResponse, ClientError};
use playground_protocol::ErrorCode;

use super::client_driver::{AdminSession, unexpected};
use super::java::{exception_text, log_time, sort_as_hash_map};
use super::options::{
    HELP, Kind, OptionError, OptionSpec, Parsed, Stop, VERSION, check_help_or_version,
    check_invalid, check_required, flag, value,
};
use super::topic_filter::{TopicFilter, is_internal};
use super::{options, properties};
use crate::commands::CommandContext;

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
                "Option combination \"[[config], [bootstrap-server]]\" can't be used with option \"[alter]\" (To alter \
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

/// Runs the tool.
pub async fn run(context: CommandContext) -> i32 {
    let parsed = match parse(&context.args) {
        Ok(parsed) => parsed,
        Err(Refusal::Stop(stop)) => return stop.print(&context, OPTIONS).await,
        Err(Refusal::Exception(class, text)) => return uncaught(&context, class, &text).await,
    };
    if parsed.has("delete-config") {
        context
            .err(
                "delete-config option is no longer supported and deprecated since version 4.0. The config will be fully \
                 removed in future releases.\n",
            )
            .await;
    }
    let command_config = match parsed.text("command-config") {
        Ok(None) => properties::Properties::new(),
        Ok(Some(path)) => match properties::load(&context, path) {
            Ok(properties) => properties,
            Err(path) => {
                return uncaught(&context, "java.nio.file.NoSuchFileException", &path).await;
            }
        },
        Err(error) => return uncaught(&context, error.exception(), &error.to_string()).await,
    };
    let servers = match parsed.text("bootstrap-server") {
        Ok(servers) => servers.unwrap_or_default().to_owned(),
        Err(error) => return uncaught(&context, error.exception(), &error.to_string()).await,
    };
    let mut admin = match AdminSession::open(&context, command_config, &servers).await {
        Ok(admin) => admin,
        Err(error) => return uncaught(&context, &error.exception, &error.message).await,
    };
    let result = Command {
        context: &context,
        parsed: &parsed,
        admin: &mut admin,
    }
    .run()
    .await;
    admin.close().await;
    match result {
        Ok(()) => 0,
        Err(error) => {
            context
                .out(&format!(
                    "Error while executing topic command : {}\n",
                    error.message
                ))
                .await;
            let time = log_time(context.process.now());
            let exception = exception_text(&error.exception, &error.message);
            context
                .err(&format!(
                    "{time} ERROR {exception}\n (org.apache.kafka.tools.TopicCommand)\n"
                ))
                .await;
            1
        }
    }
}

/// An exception that reaches `main` before the command runs: its message, then its stack trace.
async fn uncaught(context: &CommandContext, class: &str, message: &str) -> i32 {
    context
        .err(&format!(
            "{message}\n{}\n\n",
            exception_text(class, message)
        ))
        .await;
    1
}

fn illegal_argument(message: impl Into<String>) -> ClientError {
    ClientError::new("java.lang.IllegalArgumentException", message)
}

fn option_error(error: OptionError) -> ClientError {
    ClientError::new(error.exception(), error.to_string())
}

struct Command<'a> {
    context: &'a CommandContext,
    parsed: &'a options::Parsed,
    admin: &'a mut AdminSession,
}

impl Command<'_> {
    async fn run(&mut self) -> Result<(), ClientError> {
        if self.parsed.has("create") {
            self.create().await
        } else if self.parsed.has("alter") {
            self.alter().await
        } else if self.parsed.has("list") {
            let topics = self.topics().await?;
            self.context.out(&format!("{}\n", topics.join("\n"))).await;
            Ok(())
        } else if self.parsed.has("describe") {
            self.describe().await
        } else {
            self.delete().await
        }
    }

    fn text(&self, name: &'static str) -> Result<Option<String>, ClientError> {
        self.parsed
            .text(name)
            .map(|value| value.map(str::to_owned))
            .map_err(option_error)
    }

    fn number(&self, name: &'static str) -> Result<Option<i32>, ClientError> {
        self.parsed.number(name).map_err(option_error)
    }

    /// The assignment given by hand, a list of brokers per partition.
    fn assignment(&self) -> Result<Vec<Vec<i32>>, ClientError> {
        let Some(text) = self
            .text("replica-assignment")?
            .filter(|text| !text.is_empty())
        else {
            return Ok(Vec::new());
        };
        let mut assignment: Vec<Vec<i32>> = Vec::new();
        for (partition, replicas) in text.split(',').enumerate() {
            let mut brokers = Vec::new();
            let mut duplicates = BTreeSet::new();
            for broker in replicas.split(':').map(str::trim) {
                let broker = broker.parse().map_err(|_| {
                    ClientError::new(
                        "java.lang.NumberFormatException",
                        format!("For input string: \"{broker}\""),
                    )
                })?;
                if brokers.contains(&broker) {
                    duplicates.insert(broker);
                }
                brokers.push(broker);
            }
            if !duplicates.is_empty() {
                let duplicates: Vec<String> = duplicates.iter().map(i32::to_string).collect();
                return Err(ClientError::new(
                    "org.apache.kafka.tools.AdminCommandFailedException",
                    format!(
                        "Partition replica lists may not contain duplicate entries: {}",
                        duplicates.join(",")
                    ),
                ));
            }
            if assignment
                .first()
                .is_some_and(|first| first.len() != brokers.len())
            {
                let list: Vec<String> = brokers.iter().map(i32::to_string).collect();
                return Err(ClientError::new(
                    "org.apache.kafka.tools.AdminOperationException",
                    format!(
                        "Partition {partition} has different replication factor: [{}]",
                        list.join(", ")
                    ),
                ));
            }
            assignment.push(brokers);
        }
        Ok(assignment)
    }

    fn configs(&self) -> Result<Vec<(String, String)>, ClientError> {
        let mut configs: Vec<(String, String)> = Vec::new();
        for config in self.parsed.texts("config") {
            // Java's split drops empty strings at the end: "a=" is one part, not two.
            match config.split('=').collect::<Vec<_>>().as_slice() {
                [key, value] if !value.is_empty() => {
                    let (key, value) = (key.trim().to_owned(), value.trim().to_owned());
                    configs.retain(|(other, _)| *other != key);
                    configs.push((key, value));
                }
                _ => {
                    return Err(illegal_argument(
                        "requirement failed: Invalid topic config: all configs to be added must be in the format \
                         \"key=val\".",
                    ));
                }
            }
        }
        super::topic_configs::validate(&configs)?;
        Ok(configs)
    }

    async fn create(&mut self) -> Result<(), ClientError> {
        let name = self.text("topic")?.unwrap_or_default();
        let (partitions, replication_factor) = (
            self.number("partitions")?,
            self.number("replication-factor")?,
        );
        let (assignment, configs) = (self.assignment()?, self.configs()?);
        if name.contains(['.', '_']) {
            self.context
                .out(
                    "WARNING: Due to limitations in metric names, topics with a period ('.') or underscore ('_') could \
                     collide. To avoid issues it is best to use either, but not both.\n",
                )
                .await;
        }
        let factor = match replication_factor.map(i16::try_from).transpose() {
            Ok(factor) if factor.is_none_or(|factor| factor >= 1) => factor,
            _ => {
                return Err(illegal_argument(
                    "The replication factor must be between 1 and 32767 inclusive",
                ));
            }
        };
        if partitions.is_some_and(|partitions| partitions < 1) {
            return Err(illegal_argument("The partitions must be greater than 0"));
        }
        let topic = NewTopic {
            name: name.clone(),
            partitions,
            replication_factor: factor,
            assignments: (0..).zip(assignment).collect(),
            configs,
        };
        let request = AdminRequest::CreateTopics {
            topics: vec![topic],
            validate_only: false,
        };
        let AdminResponse::CreateTopics(results) = self.admin.call(request).await? else {
            return Err(unexpected());
        };
        for result in results.into_values() {
            match result {
                Ok(_) => self.context.out(&format!("Created topic {name}.\n")).await,
                Err(error)
                    if error.code == ErrorCode::TOPIC_ALREADY_EXISTS
                        && self.parsed.has("if-not-exists") => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// All topics that `--topic` and `--exclude-internal` leave, sorted.
    async fn topics(&mut self) -> Result<Vec<String>, ClientError> {
        let exclude = self.parsed.has("exclude-internal");
        let filter = self
            .text("topic")?
            .map(|pattern| TopicFilter::new(&pattern))
            .transpose()
            .map_err(runtime)?;
        let request = AdminRequest::ListTopics {
            list_internal: !exclude,
        };
        let AdminResponse::ListTopics(listings) = self.admin.call(request).await? else {
            return Err(unexpected());
        };
        let mut names: Vec<String> = listings.into_iter().map(|listing| listing.name).collect();
        names.sort();
        names.retain(|name| {
            !(exclude && is_internal(name))
                && filter.as_ref().is_none_or(|filter| filter.allows(name))
        });
        Ok(names)
    }

    fn ensure_exists(&self, found: &[String]) -> Result<(), ClientError> {
        match self.text("topic")?.filter(|topic| !topic.is_empty()) {
            Some(topic) if found.is_empty() && !self.parsed.has("if-exists") => Err(
                illegal_argument(format!("Topic '{topic}' does not exist as expected")),
            ),
            _ => Ok(()),
        }
    }

    async fn describe_topics(
        &mut self,
        topics: Vec<String>,
    ) -> Result<Vec<TopicDescription>, ClientError> {
        let AdminResponse::DescribeTopics(described) = self
            .admin
            .call(AdminRequest::DescribeTopics { topics })
            .await?
        else {
            return Err(unexpected());
        };
        let mut described: Vec<TopicDescription> =
            described.into_values().collect::<Result<_, _>>()?;
        sort_as_hash_map(&mut described, |topic| &topic.name);
        Ok(described)
    }

    async fn alter(&mut self) -> Result<(), ClientError> {
        let assignment = self.assignment()?;
        let total_count = self.number("partitions")?.unwrap_or_default();
        let topics = self.topics().await?;
        self.ensure_exists(&topics)?;
        if topics.is_empty() {
            return Ok(());
        }
        let mut grown = Vec::new();
        for topic in self.describe_topics(topics).await? {
            let assignments = (!assignment.is_empty()).then(|| {
                assignment
                    .iter()
                    .skip(topic.partitions.len())
                    .cloned()
                    .collect()
            });
            grown.push((
                topic.name,
                NewPartitions {
                    total_count,
                    assignments,
                },
            ));
        }
        let request = AdminRequest::CreatePartitions {
            topics: grown,
            validate_only: false,
        };
        let AdminResponse::CreatePartitions(results) = self.admin.call(request).await? else {
            return Err(unexpected());
        };
        results.into_values().collect()
    }

    async fn delete(&mut self) -> Result<(), ClientError> {
        let topics = self.topics().await?;
        self.ensure_exists(&topics)?;
        if topics.is_empty() {
            return Ok(());
        }
        let request = AdminRequest::DeleteTopics { topics };
        let AdminResponse::DeleteTopics(results) = self.admin.call(request).await? else {
            return Err(unexpected());
        };
        results.into_values().collect()
    }

    async fn describe(&mut self) -> Result<(), ClientError> {
        let by_id = self
            .text("topic-id")?
            .filter(|id| !id.is_empty() && id != "AAAAAAAAAAAAAAAAAAAAAA");
        let topics = match &by_id {
            Some(id) => self.topics_of_id(id).await?,
            None => {
                let topics = self.topics().await?;
                self.ensure_exists(&topics)?;
                topics
            }
        };
        let mut described = if topics.is_empty() {
            Vec::new()
        } else {
            self.describe_topics(topics).await?
        };
        if by_id.is_some() {
            // Java asks by id with a Metadata request, which does not tell these.
            for partition in described.iter_mut().flat_map(|topic| &mut topic.partitions) {
                partition.eligible_leader_replicas = None;
                partition.last_known_eligible_leader_replicas = None;
            }
        }
        let resources: Vec<ConfigResource> = described
            .iter()
            .map(|topic| ConfigResource {
                kind: ConfigResourceType::Topic,
                name: topic.name.clone(),
            })
            .collect();
        if resources.is_empty() {
            return Ok(());
        }
        let request = AdminRequest::DescribeConfigs {
            resources,
            include_synonyms: false,
            include_documentation: false,
        };
        let AdminResponse::DescribeConfigs(mut configs) = self.admin.call(request).await? else {
            return Err(unexpected());
        };
        let AdminResponse::DescribeCluster(cluster) = self
            .admin
            .call(AdminRequest::DescribeCluster {
                include_fenced: false,
            })
            .await?
        else {
            return Err(unexpected());
        };
        let live: Vec<i32> = cluster.nodes.iter().map(|node| node.id).collect();
        for topic in described {
            let resource = ConfigResource {
                kind: ConfigResourceType::Topic,
                name: topic.name.clone(),
            };
            let entries = configs
                .swap_remove(&resource)
                .unwrap_or_else(|| Err(unexpected()))?;
            let text = describe_topic(self.parsed, &topic, &entries, &live);
            self.context.out(&text).await;
        }
        Ok(())
    }

    async fn topics_of_id(&mut self, id: &str) -> Result<Vec<String>, ClientError> {
        super::kafka_uuid::check(id).map_err(illegal_argument)?;
        let request = AdminRequest::ListTopics {
            list_internal: !self.parsed.has("exclude-internal"),
        };
        let AdminResponse::ListTopics(listings) = self.admin.call(request).await? else {
            return Err(unexpected());
        };
        let found: Vec<String> = listings
            .into_iter()
            .filter(|listing| super::kafka_uuid::to_text(listing.topic_id) == id)
            .map(|listing| listing.name)
            .collect();
        if found.is_empty() && !self.parsed.has("if-exists") {
            return Err(illegal_argument(format!(
                "TopicId '{id}' does not exist as expected"
            )));
        }
        Ok(found)
    }
}

fn runtime(message: String) -> ClientError {
    ClientError::new("java.lang.RuntimeException", message)
}

/// What `--describe` prints of a topic.
fn describe_topic(
    parsed: &options::Parsed,
    topic: &TopicDescription,
    configs: &[ConfigEntry],
    live: &[i32],
) -> String {
    let reports = REPORTS.iter().any(|report| parsed.has(report));
    let overrides_only = parsed.has("topics-with-overrides");
    let set: Vec<String> = configs
        .iter()
        .filter(|config| config.source != ConfigSource::DEFAULT_CONFIG)
        .map(|config| {
            format!(
                "{}={}",
                config.name,
                config.value.as_deref().unwrap_or("null")
            )
        })
        .collect();
    let mut text = String::new();
    if !reports && !(overrides_only && set.is_empty()) {
        text.push_str(&format!("Topic: {}", topic.name));
        if !topic.topic_id.is_nil() {
            text.push_str(&format!(
                "\tTopicId: {}",
                super::kafka_uuid::to_text(topic.topic_id)
            ));
        }
        let factor = topic
            .partitions
            .first()
            .map_or(0, |partition| partition.replicas.len());
        text.push_str(&format!(
            "\tPartitionCount: {}\tReplicationFactor: {factor}\tConfigs: {}\n",
            topic.partitions.len(),
            set.join(",")
        ));
    }
    if overrides_only {
        return text;
    }
    let min_isr = configs
        .iter()
        .find(|config| config.name == "min.insync.replicas")
        .and_then(|config| config.value.as_ref()?.parse().ok())
        .unwrap_or(1);
    let mut partitions: Vec<&PartitionDescription> = topic.partitions.iter().collect();
    partitions.sort_by_key(|partition| partition.partition);
    for partition in partitions {
        let in_sync = partition.in_sync_replicas.len();
        let unavailable = partition
            .leader
            .as_ref()
            .is_none_or(|leader| !live.contains(&leader.id));
        let shown = !reports
            || parsed.has("under-replicated-partitions") && partition.replicas.len() > in_sync
            || parsed.has("unavailable-partitions") && unavailable
            || parsed.has("under-min-isr-partitions")
                && (partition.leader.is_none() || in_sync < min_isr)
            || parsed.has("at-min-isr-partitions") && in_sync == min_isr;
        if shown {
            text.push_str(&describe_partition(&topic.name, partition));
        }
    }
    text
}

fn describe_partition(topic: &str, partition: &PartitionDescription) -> String {
    let ids = |nodes: &[NodeInfo]| {
        nodes
            .iter()
            .map(|node| node.id.to_string())
            .collect::<Vec<_>>()
            .join(",")
    };
    let eligible = |nodes: &Option<Vec<NodeInfo>>| nodes.as_deref().map_or("N/A".to_owned(), ids);
    format!(
        "\tTopic: {topic}\tPartition: {}\tLeader: {}\tReplicas: {}\tIsr: {}\tElr: {}\tLastKnownElr: {}\n",
        partition.partition,
        partition
            .leader
            .as_ref()
            .map_or("none".to_owned(), |leader| leader.id.to_string()),
        ids(&partition.replicas),
        ids(&partition.in_sync_replicas),
        eligible(&partition.eligible_leader_replicas),
        eligible(&partition.last_known_eligible_leader_replicas),
    )
}
