//! What `kafka-reassign-partitions` asks of the cluster.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use playground_client::admin::{
    AlterConfigOp, AlterConfigOperation, ConfigResource, ConfigResourceType, NodeInfo,
    PartitionReassignment,
};
use playground_client::{AdminRequest, AdminResponse, ClientError, TopicPartition};
use playground_protocol::ErrorCode;

use super::super::client_driver::AdminSession;
use super::super::java::{comma_separated, execution_exception};
use super::throttle::Moves;
use super::{answered, other_answer, plural, unknown};
use crate::commands::CommandContext;

/// Replicas by partition.
pub(super) type Assignment = BTreeMap<TopicPartition, Vec<i32>>;

const BROKER_THROTTLES: [&str; 3] = [
    "leader.replication.throttled.rate",
    "follower.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
];
const TOPIC_THROTTLES: [&str; 2] = [
    "leader.replication.throttled.replicas",
    "follower.replication.throttled.replicas",
];

pub(super) struct Session {
    pub(super) context: CommandContext,
    pub(super) admin: AdminSession,
}

impl Session {
    pub(super) async fn out(&self, text: &str) {
        self.context.out(text).await;
    }

    pub(super) async fn brokers(&mut self) -> Result<Vec<NodeInfo>, ClientError> {
        let request = AdminRequest::DescribeCluster {
            include_fenced: false,
        };
        match answered(self.admin.call(request).await)? {
            AdminResponse::DescribeCluster(cluster) => Ok(cluster.nodes),
            _ => Err(other_answer()),
        }
    }

    pub(super) async fn reassignments(
        &mut self,
        partitions: Option<Vec<TopicPartition>>,
    ) -> Result<BTreeMap<TopicPartition, PartitionReassignment>, ClientError> {
        let request = AdminRequest::ListPartitionReassignments { partitions };
        match answered(self.admin.call(request).await)? {
            AdminResponse::ListPartitionReassignments(found) => Ok(found.into_iter().collect()),
            _ => Err(other_answer()),
        }
    }

    /// Changes reassignments; gives a line for each partition that could not be changed.
    pub(super) async fn alter(
        &mut self,
        request: AdminRequest,
    ) -> Result<Vec<String>, ClientError> {
        let AdminResponse::AlterPartitionReassignments(results) =
            answered(self.admin.call(request).await)?
        else {
            return Err(other_answer());
        };
        let sorted: BTreeMap<TopicPartition, _> = results.into_iter().collect();
        Ok(sorted
            .into_iter()
            .filter_map(|(partition, result)| {
                let error = result.err()?;
                Some(format!("{partition}: {}", error.message))
            })
            .collect())
    }

    /// The replicas of topics' partitions. Unknown topics are left out.
    pub(super) async fn known_assignment(
        &mut self,
        topics: &[String],
    ) -> Result<Assignment, ClientError> {
        self.describe(topics, |_| Ok(())).await
    }

    /// The same; each topic must be there.
    pub(super) async fn assignment_of_topics(
        &mut self,
        topics: &[String],
    ) -> Result<Assignment, ClientError> {
        self.describe(topics, |topic| {
            Err(unknown(format!("Topic {topic} not found.")))
        })
        .await
    }

    async fn describe(
        &mut self,
        topics: &[String],
        missing: impl Fn(&str) -> Result<(), ClientError>,
    ) -> Result<Assignment, ClientError> {
        let topics: BTreeSet<String> = topics.iter().cloned().collect();
        let mut found = Assignment::new();
        if topics.is_empty() {
            return Ok(found);
        }
        let request = AdminRequest::DescribeTopics {
            topics: topics.into_iter().collect(),
        };
        let AdminResponse::DescribeTopics(described) = answered(self.admin.call(request).await)?
        else {
            return Err(other_answer());
        };
        for (topic, result) in described {
            match result {
                Ok(description) => {
                    for partition in description.partitions {
                        let ids = partition.replicas.iter().map(|node| node.id).collect();
                        found.insert(TopicPartition::new(&*topic, partition.partition), ids);
                    }
                }
                Err(error) if error.code == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => {
                    missing(&topic)?;
                }
                Err(error) => return Err(execution_exception(error)),
            }
        }
        Ok(found)
    }

    /// The replicas that these partitions have now; each must be there.
    pub(super) async fn assignment_of(
        &mut self,
        partitions: &Assignment,
    ) -> Result<Assignment, ClientError> {
        let topics: Vec<String> = partitions.keys().map(|p| p.topic.clone()).collect();
        let mut found = self.assignment_of_topics(&topics).await?;
        found.retain(|partition, _| partitions.contains_key(partition));
        let missing: Vec<String> = partitions
            .keys()
            .filter(|partition| !found.contains_key(partition))
            .map(ToString::to_string)
            .collect();
        if missing.is_empty() {
            Ok(found)
        } else {
            Err(unknown(format!(
                "Unable to find partition: {}",
                missing.join(", ")
            )))
        }
    }

    /// The log directory of each replica, as far as its broker is there and has it.
    pub(super) async fn directories(
        &mut self,
        assignment: &Assignment,
    ) -> Result<BTreeMap<(i32, TopicPartition), String>, ClientError> {
        let mut found = BTreeMap::new();
        let mut by_broker: IndexMap<i32, Vec<TopicPartition>> = IndexMap::new();
        for (partition, ids) in assignment {
            for id in ids {
                by_broker.entry(*id).or_default().push(partition.clone());
            }
        }
        if by_broker.is_empty() {
            return Ok(found);
        }
        // Replicas on brokers that are down are known by number only: nobody is asked for those.
        let up: BTreeSet<i32> = self.brokers().await?.iter().map(|node| node.id).collect();
        let brokers: Vec<_> = by_broker
            .into_iter()
            .filter(|(broker, _)| up.contains(broker))
            .map(|(broker, partitions)| (broker, Some(partitions)))
            .collect();
        if brokers.is_empty() {
            return Ok(found);
        }
        let request = AdminRequest::DescribeLogDirs { brokers };
        let AdminResponse::DescribeLogDirs(answers) = answered(self.admin.call(request).await)?
        else {
            return Err(other_answer());
        };
        for (broker, directories) in answers {
            for (path, directory) in directories.map_err(execution_exception)? {
                for (partition, replica) in directory.replicas {
                    if !replica.is_future {
                        found.insert((broker, partition), path.clone());
                    }
                }
            }
        }
        Ok(found)
    }

    /// Removes the throttles of all brokers and of the topics, and says so.
    pub(super) async fn clear_throttles(
        &mut self,
        partitions: &[(TopicPartition, Vec<i32>)],
    ) -> Result<(), ClientError> {
        let mut brokers: BTreeSet<i32> = self.brokers().await?.iter().map(|n| n.id).collect();
        brokers.extend(partitions.iter().flat_map(|(_, ids)| ids).copied());
        let text = format!(
            "Clearing broker-level throttles on broker{} {}\n",
            plural(brokers.len()),
            comma_separated(brokers.iter().copied())
        );
        self.out(&text).await;
        let delete = |names: &[&str]| -> Vec<AlterConfigOp> {
            let delete = |name: &&str| change(name, None);
            names.iter().map(delete).collect()
        };
        let changes = brokers
            .iter()
            .map(|broker| (broker_resource(*broker), delete(&BROKER_THROTTLES)));
        self.alter_configs(changes.collect()).await?;
        let topics: BTreeSet<&str> = partitions.iter().map(|(p, _)| p.topic.as_str()).collect();
        let names: Vec<&str> = topics.iter().copied().collect();
        let text = format!(
            "Clearing topic-level throttles on topic{} {}\n",
            plural(names.len()),
            names.join(",")
        );
        self.out(&text).await;
        let changes = names
            .iter()
            .map(|topic| (topic_resource(topic), delete(&TOPIC_THROTTLES)));
        self.alter_configs(changes.collect()).await
    }

    /// Throttles these moves to so many bytes a second.
    pub(super) async fn throttle(&mut self, moves: &Moves, rate: i64) -> Result<(), ClientError> {
        let mut changes = Vec::new();
        for (topic, leaders, followers) in moves.throttled_replicas() {
            changes.push((
                topic_resource(&topic),
                vec![
                    change(TOPIC_THROTTLES[0], Some(leaders)),
                    change(TOPIC_THROTTLES[1], Some(followers)),
                ],
            ));
        }
        self.alter_configs(changes).await?;
        let rates = |broker: i32| {
            let rate = |name: &&str| change(name, Some(rate.to_string()));
            let operations = BROKER_THROTTLES[..2].iter().map(rate).collect();
            (broker_resource(broker), operations)
        };
        let changes = moves.brokers().into_iter().map(rates).collect();
        self.alter_configs(changes).await?;
        let text = format!("The inter-broker throttle limit was set to {rate} B/s\n");
        self.out(&text).await;
        Ok(())
    }

    /// Throttles moves between directories of these brokers.
    pub(super) async fn throttle_directories(
        &mut self,
        brokers: &BTreeSet<i32>,
        rate: i64,
    ) -> Result<(), ClientError> {
        let changes = brokers.iter().map(|broker| {
            let operation = change(BROKER_THROTTLES[2], Some(rate.to_string()));
            (broker_resource(*broker), vec![operation])
        });
        self.alter_configs(changes.collect()).await?;
        let text = format!("The replica-alter-dir throttle limit was set to {rate} B/s\n");
        self.out(&text).await;
        Ok(())
    }

    async fn alter_configs(
        &mut self,
        changes: Vec<(ConfigResource, Vec<AlterConfigOp>)>,
    ) -> Result<(), ClientError> {
        if changes.is_empty() {
            return Ok(());
        }
        let request = AdminRequest::IncrementalAlterConfigs {
            changes,
            validate_only: false,
        };
        let AdminResponse::IncrementalAlterConfigs(results) =
            answered(self.admin.call(request).await)?
        else {
            return Err(other_answer());
        };
        match results.into_values().find_map(Result::err) {
            Some(error) => Err(execution_exception(error)),
            None => Ok(()),
        }
    }
}

fn change(name: &str, value: Option<String>) -> AlterConfigOp {
    AlterConfigOp {
        operation: match value {
            Some(_) => AlterConfigOperation::Set,
            None => AlterConfigOperation::Delete,
        },
        name: name.to_owned(),
        value,
    }
}

fn broker_resource(broker: i32) -> ConfigResource {
    ConfigResource {
        kind: ConfigResourceType::Broker,
        name: broker.to_string(),
    }
}

fn topic_resource(topic: &str) -> ConfigResource {
    ConfigResource {
        kind: ConfigResourceType::Topic,
        name: topic.to_owned(),
    }
}

/// An assignment as a reassignment file has it.
pub(super) fn reassignment_json(
    assignment: &Assignment,
    directories: &BTreeMap<(i32, TopicPartition), String>,
) -> String {
    let text = |text: &str| serde_json::Value::from(text).to_string();
    let partitions: Vec<String> = assignment
        .iter()
        .map(|(partition, ids)| {
            let directories: Vec<String> = ids
                .iter()
                .map(|id| directories.get(&(*id, partition.clone())))
                .map(|directory| text(directory.map_or("any", String::as_str)))
                .collect();
            format!(
                "{{\"topic\":{},\"partition\":{},\"replicas\":[{}],\"log_dirs\":[{}]}}",
                text(&partition.topic),
                partition.partition,
                comma_separated(ids.iter().copied()),
                directories.join(",")
            )
        })
        .collect();
    format!(
        "{{\"version\":1,\"partitions\":[{}]}}",
        partitions.join(",")
    )
}
