//! What a broker answers about the cluster: Metadata, DescribeTopicPartitions, DescribeCluster
//! (`KRaftMetadataCache`, `DescribeTopicPartitionsRequestHandler`).

use std::collections::BTreeSet;

use playground_protocol::ErrorCode;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use playground_protocol::messages::describe_topic_partitions_response::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use playground_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use playground_protocol::messages::{
    BrokerId, DescribeClusterRequest, DescribeClusterResponse, DescribeTopicPartitionsRequest,
    DescribeTopicPartitionsResponse, MetadataRequest, MetadataResponse, TopicName,
};
use uuid::Uuid;

use super::image::MetadataImage;
use super::topic_name;
use super::types::{PartitionImage, TopicImage};
use crate::config::BrokerConfig;

/// All operations on a topic, as bits: what an authorizer that allows everything answers.
const TOPIC_OPERATIONS: i32 = 3576;
/// All operations on the cluster, as bits.
const CLUSTER_OPERATIONS: i32 = 8096;
/// Nobody asked for the operations.
const NO_OPERATIONS: i32 = i32::MIN;
/// The endpoint type of brokers in DescribeCluster.
const BROKER_ENDPOINT: i8 = 1;

/// What the answering broker knows.
#[derive(Clone, Copy, Debug)]
pub struct BrokerView<'a> {
    /// The metadata that it has replayed.
    pub image: &'a MetadataImage,
    /// Its configuration.
    pub config: &'a BrokerConfig,
    /// The cluster's id.
    pub cluster_id: Uuid,
    /// The name of the listener that the request came by; endpoints of this name are told.
    pub listener: &'a str,
    /// A number that picks the broker which is told to be the controller: brokers tell a random alive one,
    /// to which clients send what is forwarded anyway.
    pub random: u64,
}

impl BrokerView<'_> {
    /// A random broker that serves, or -1 (`getRandomAliveBrokerId`).
    fn controller_id(&self) -> BrokerId {
        let alive: Vec<i32> = self
            .image
            .brokers()
            .values()
            .filter(|broker| !broker.fenced)
            .map(|broker| broker.id)
            .collect();
        let index = self.random.checked_rem(alive.len() as u64).unwrap_or(0);
        BrokerId(alive.get(index as usize).copied().unwrap_or(-1))
    }

    /// The leader, if it is registered with an endpoint of the listener.
    fn leader(&self, partition: &PartitionImage) -> Option<BrokerId> {
        self.image
            .broker(partition.leader)
            .filter(|broker| broker.end_point(self.listener).is_some())
            .map(|broker| BrokerId(broker.id))
    }

    fn is_available(&self, broker: i32) -> bool {
        self.image
            .alive_broker(broker)
            .is_some_and(|broker| broker.end_point(self.listener).is_some())
    }

    fn offline_replicas(&self, partition: &PartitionImage) -> Vec<BrokerId> {
        partition
            .replicas
            .iter()
            .enumerate()
            .filter(|(position, replica)| {
                let online_dir = match (
                    partition.directories.get(*position),
                    self.image.broker(**replica),
                ) {
                    (Some(dir), _) if dir.as_u128() < 100 => dir.as_u128() != 1,
                    (Some(dir), Some(broker)) => broker.log_dirs.contains(dir),
                    _ => true,
                };
                !self.is_available(**replica) || !online_dir
            })
            .map(|(_, replica)| BrokerId(*replica))
            .collect()
    }
}

fn broker_ids(ids: &[i32]) -> Vec<BrokerId> {
    ids.iter().copied().map(BrokerId).collect()
}

fn wire_name(name: &str) -> TopicName {
    StrBytes::from_string(name.to_owned()).into()
}

fn is_all_topics(request: &MetadataRequest, version: i16) -> bool {
    match &request.topics {
        None => true,
        // Version 0 has no null: an empty list asks for all.
        Some(topics) => version == 0 && topics.is_empty(),
    }
}

/// Topics that a Metadata request names, may create, and that do not exist; the caller creates them and
/// answers [`metadata`] at once: the topics are not there yet.
pub fn topics_to_create(
    view: &BrokerView<'_>,
    request: &MetadataRequest,
    version: i16,
) -> Vec<String> {
    let allowed = view.config.boolean("auto.create.topics.enable")
        && (request.allow_auto_topic_creation || version < 4)
        && !is_all_topics(request, version);
    if !allowed {
        return Vec::new();
    }
    let names: BTreeSet<&str> = request
        .topics
        .iter()
        .flatten()
        .filter_map(|topic| topic.name.as_ref())
        .map(|name| name.as_str())
        .filter(|name| topic_name::validate(name).is_ok() && view.image.topic(name).is_none())
        .collect();
    names.into_iter().map(str::to_owned).collect()
}

/// Answers a Metadata request.
pub fn metadata(
    view: &BrokerView<'_>,
    request: &MetadataRequest,
    version: i16,
) -> MetadataResponse {
    let mut topics = Vec::new();
    if is_all_topics(request, version) {
        topics = view
            .image
            .topics()
            .filter(|topic| !topic.partitions.is_empty())
            .map(|topic| topic_metadata(view, topic, version))
            .collect();
    } else {
        let mut seen = BTreeSet::new();
        for asked in request.topics.iter().flatten() {
            let name = asked.name.as_ref().map(|name| name.as_str());
            if !seen.insert((name, asked.topic_id)) {
                continue;
            }
            topics.push(match name {
                _ if !asked.topic_id.is_nil() => match view.image.topic_by_id(asked.topic_id) {
                    Some(topic) => topic_metadata(view, topic, version),
                    None => MetadataResponseTopic::default()
                        .with_error_code(ErrorCode::UNKNOWN_TOPIC_ID.0)
                        .with_name(None)
                        .with_topic_id(asked.topic_id),
                },
                Some(name) => match view.image.topic(name) {
                    Some(topic) if !topic.partitions.is_empty() => {
                        topic_metadata(view, topic, version)
                    }
                    _ => MetadataResponseTopic::default()
                        .with_error_code(missing_topic_error(name).0)
                        .with_name(Some(wire_name(name)))
                        .with_is_internal(topic_name::is_internal(name)),
                },
                None => continue,
            });
        }
    }
    if version >= 8 && request.include_topic_authorized_operations {
        for topic in &mut topics {
            topic.topic_authorized_operations = TOPIC_OPERATIONS;
        }
    }
    let with_cluster_operations =
        (8..=10).contains(&version) && request.include_cluster_authorized_operations;
    MetadataResponse::default()
        .with_brokers(alive_brokers(view))
        .with_cluster_id(Some(cluster_id(view)))
        .with_controller_id(view.controller_id())
        .with_topics(topics)
        .with_cluster_authorized_operations(if with_cluster_operations {
            CLUSTER_OPERATIONS
        } else {
            NO_OPERATIONS
        })
}

fn missing_topic_error(name: &str) -> ErrorCode {
    if topic_name::validate(name).is_ok() {
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
    } else {
        ErrorCode::INVALID_TOPIC_EXCEPTION
    }
}

fn cluster_id(view: &BrokerView<'_>) -> StrBytes {
    StrBytes::from_string(playground_log::checkpoint::uuid_text(view.cluster_id))
}

fn alive_brokers(view: &BrokerView<'_>) -> Vec<MetadataResponseBroker> {
    view.image
        .brokers()
        .values()
        .filter(|broker| !broker.fenced)
        .filter_map(|broker| {
            let end_point = broker.end_point(view.listener)?;
            Some(
                MetadataResponseBroker::default()
                    .with_node_id(BrokerId(broker.id))
                    .with_host(StrBytes::from_string(end_point.host.clone()))
                    .with_port(i32::from(end_point.port))
                    .with_rack(broker.rack.clone().map(StrBytes::from_string)),
            )
        })
        .collect()
}

fn topic_metadata(
    view: &BrokerView<'_>,
    topic: &TopicImage,
    version: i16,
) -> MetadataResponseTopic {
    let partitions = topic
        .partitions
        .iter()
        .map(|(number, partition)| partition_metadata(view, *number, partition, version))
        .collect();
    MetadataResponseTopic::default()
        .with_name(Some(wire_name(&topic.name)))
        .with_topic_id(topic.id)
        .with_is_internal(topic_name::is_internal(&topic.name))
        .with_partitions(partitions)
}

/// Version 0 leaves unavailable replicas out and says so; from version 6 on a missing listener has an error
/// of its own.
fn partition_metadata(
    view: &BrokerView<'_>,
    number: i32,
    partition: &PartitionImage,
    version: i16,
) -> MetadataResponsePartition {
    let filtered = |ids: &[i32]| -> Vec<i32> {
        ids.iter()
            .copied()
            .filter(|id| version > 0 || view.is_available(*id))
            .collect()
    };
    let replicas = filtered(&partition.replicas);
    let isr = filtered(&partition.isr);
    let leader = view.leader(partition);
    let error = match leader {
        None if view.image.broker(partition.leader).is_some() && version >= 6 => {
            ErrorCode::LISTENER_NOT_FOUND
        }
        None => ErrorCode::LEADER_NOT_AVAILABLE,
        Some(_) if replicas.len() < partition.replicas.len() || isr.len() < partition.isr.len() => {
            ErrorCode::REPLICA_NOT_AVAILABLE
        }
        Some(_) => ErrorCode::NONE,
    };
    MetadataResponsePartition::default()
        .with_error_code(error.0)
        .with_partition_index(number)
        .with_leader_id(leader.unwrap_or(BrokerId(-1)))
        .with_leader_epoch(partition.leader_epoch)
        .with_replica_nodes(broker_ids(&replicas))
        .with_isr_nodes(broker_ids(&isr))
        .with_offline_replicas(view.offline_replicas(partition))
}

/// Answers a DescribeTopicPartitions request.
pub fn describe_topic_partitions(
    view: &BrokerView<'_>,
    request: &DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let all = request.topics.is_empty();
    let cursor_topic = request
        .cursor
        .as_ref()
        .map_or("", |cursor| cursor.topic_name.as_str());
    let names: BTreeSet<&str> = if all {
        view.image
            .topics()
            .map(|topic| topic.name.as_str())
            .filter(|name| *name >= cursor_topic)
            .collect()
    } else {
        request
            .topics
            .iter()
            .map(|topic| topic.name.as_str())
            .filter(|name| *name >= cursor_topic)
            .collect()
    };
    let bad_cursor = request.cursor.as_ref().is_some_and(|cursor| {
        cursor.partition_index < 0 || (!all && !names.contains(cursor_topic))
    });
    if bad_cursor {
        return DescribeTopicPartitionsResponse::default().with_topics(
            request
                .topics
                .iter()
                .map(|topic| {
                    DescribeTopicPartitionsResponseTopic::default()
                        .with_error_code(ErrorCode::INVALID_REQUEST.0)
                        .with_name(Some(topic.name.clone()))
                })
                .collect(),
        );
    }
    let limit = request
        .response_partition_limit
        .min(view.config.int("max.request.partition.size.limit"))
        .max(1);
    let mut remaining = usize::try_from(limit).unwrap_or(1);
    let mut response = DescribeTopicPartitionsResponse::default();
    let next = |name: &str, partition: usize| {
        Cursor::default()
            .with_topic_name(wire_name(name))
            .with_partition_index(i32::try_from(partition).unwrap_or(i32::MAX))
    };
    for name in names {
        if remaining == 0 {
            response.next_cursor = Some(next(name, 0));
            break;
        }
        let Some(topic) = view.image.topic(name) else {
            if !all {
                response.topics.push(
                    DescribeTopicPartitionsResponseTopic::default()
                        .with_error_code(missing_topic_error(name).0)
                        .with_name(Some(wire_name(name)))
                        .with_is_internal(topic_name::is_internal(name))
                        .with_topic_authorized_operations(TOPIC_OPERATIONS),
                );
            }
            continue;
        };
        let start = match &request.cursor {
            Some(cursor) if name == cursor_topic => {
                usize::try_from(cursor.partition_index).unwrap_or(0)
            }
            _ => 0,
        };
        let partitions: Vec<_> = topic
            .partitions
            .iter()
            .skip(start)
            .take(remaining)
            .map(|(number, partition)| described_partition(view, *number, partition))
            .collect();
        let end = start + partitions.len();
        remaining -= partitions.len();
        response.topics.push(
            DescribeTopicPartitionsResponseTopic::default()
                .with_name(Some(wire_name(name)))
                .with_topic_id(topic.id)
                .with_is_internal(topic_name::is_internal(name))
                .with_partitions(partitions)
                .with_topic_authorized_operations(TOPIC_OPERATIONS),
        );
        if end < topic.partitions.len() {
            response.next_cursor = Some(next(name, end));
            break;
        }
    }
    response
}

fn described_partition(
    view: &BrokerView<'_>,
    number: i32,
    partition: &PartitionImage,
) -> DescribeTopicPartitionsResponsePartition {
    DescribeTopicPartitionsResponsePartition::default()
        .with_partition_index(number)
        .with_leader_id(view.leader(partition).unwrap_or(BrokerId(-1)))
        .with_leader_epoch(partition.leader_epoch)
        .with_replica_nodes(broker_ids(&partition.replicas))
        .with_isr_nodes(broker_ids(&partition.isr))
        .with_eligible_leader_replicas(Some(broker_ids(&partition.elr)))
        .with_last_known_elr(Some(broker_ids(&partition.last_known_elr)))
        .with_offline_replicas(view.offline_replicas(partition))
}

/// Answers a DescribeCluster request.
pub fn describe_cluster(
    view: &BrokerView<'_>,
    request: &DescribeClusterRequest,
    version: i16,
) -> DescribeClusterResponse {
    if version >= 1 && request.endpoint_type != BROKER_ENDPOINT {
        let wanted = match request.endpoint_type {
            2 => "CONTROLLER",
            _ => "UNKNOWN",
        };
        return DescribeClusterResponse::default()
            .with_error_code(ErrorCode::MISMATCHED_ENDPOINT_TYPE.0)
            .with_error_message(Some(StrBytes::from_string(format!(
                "The request was sent to an endpoint of type BROKER, but we wanted an endpoint of type {wanted}"
            ))));
    }
    let brokers = view
        .image
        .brokers()
        .values()
        .filter(|broker| !broker.fenced || request.include_fenced_brokers)
        .filter_map(|broker| {
            let end_point = broker.end_point(view.listener)?;
            Some(
                DescribeClusterBroker::default()
                    .with_broker_id(BrokerId(broker.id))
                    .with_host(StrBytes::from_string(end_point.host.clone()))
                    .with_port(i32::from(end_point.port))
                    .with_rack(broker.rack.clone().map(StrBytes::from_string))
                    .with_is_fenced(broker.fenced),
            )
        })
        .collect();
    DescribeClusterResponse::default()
        .with_error_message(None)
        .with_cluster_id(cluster_id(view))
        .with_controller_id(view.controller_id())
        .with_brokers(brokers)
        .with_cluster_authorized_operations(if request.include_cluster_authorized_operations {
            CLUSTER_OPERATIONS
        } else {
            NO_OPERATIONS
        })
}
