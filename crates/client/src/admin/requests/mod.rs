//! The admin client's requests.

mod cluster;

use std::collections::BTreeSet;

use indexmap::IndexMap;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use playground_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use playground_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use playground_protocol::messages::delete_topics_request::DeleteTopicState;
use playground_protocol::messages::describe_configs_request::DescribeConfigsResource;
use playground_protocol::messages::describe_topic_partitions_request::{Cursor, TopicRequest};
use playground_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use playground_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use playground_protocol::messages::metadata_request::MetadataRequestTopic;
use playground_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use playground_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use playground_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use playground_protocol::messages::{
    BrokerId, ConsumerGroupDescribeRequest, CreatePartitionsRequest, CreateTopicsRequest,
    DeleteGroupsRequest, DeleteRecordsRequest, DeleteTopicsRequest, DescribeClusterRequest,
    DescribeConfigsRequest, DescribeGroupsRequest, DescribeTopicPartitionsRequest,
    FindCoordinatorRequest, GroupId, IncrementalAlterConfigsRequest, ListConfigResourcesRequest,
    ListGroupsRequest, ListOffsetsRequest, MetadataRequest, OffsetCommitRequest,
    OffsetDeleteRequest, OffsetFetchRequest, RequestKind, TopicName,
};

use super::engine::Step;
use super::{AdminRequest, AlterConfigOperation, ConfigResource};
use crate::TopicPartition;

/// Partitions per answer (`DescribeTopicsOptions.partitionSizeLimitPerResponse`).
const PARTITIONS_PER_RESPONSE: i32 = 2000;

/// A string of the wire.
pub(crate) fn text(value: &str) -> StrBytes {
    StrBytes::from_string(value.to_owned())
}

/// A topic's name of the wire.
pub(crate) fn topic_name(value: &str) -> TopicName {
    TopicName(text(value))
}

/// Partitions by topic, topics in the order of their first partition.
pub(crate) fn by_topic<T>(
    partitions: impl IntoIterator<Item = (TopicPartition, T)>,
) -> IndexMap<String, Vec<(i32, T)>> {
    let mut topics: IndexMap<String, Vec<(i32, T)>> = IndexMap::new();
    for (partition, value) in partitions {
        topics
            .entry(partition.topic)
            .or_default()
            .push((partition.partition, value));
    }
    topics
}

/// The request of one step of an operation.
pub(super) fn build(
    request: &AdminRequest,
    step: &Step,
    version: i16,
    timeout_ms: i64,
) -> RequestKind {
    let timeout_ms = i32::try_from(timeout_ms).unwrap_or(i32::MAX);
    if let Some(request) = cluster::build(request, step, version, timeout_ms) {
        return request;
    }
    match (step, request) {
        (Step::DescribeCluster, AdminRequest::DescribeCluster { include_fenced }) => {
            DescribeClusterRequest::default()
                .with_endpoint_type(1)
                .with_include_fenced_brokers(version >= 2 && *include_fenced)
                .into()
        }
        (Step::DescribeTopicsCluster, _) => DescribeClusterRequest::default()
            .with_endpoint_type(1)
            .into(),
        (Step::ListTopics, _) => MetadataRequest::default()
            .with_topics(None)
            .with_allow_auto_topic_creation(true)
            .into(),
        (Step::FindAllBrokers, _) => MetadataRequest::default()
            .with_topics(Some(Vec::new()))
            .with_allow_auto_topic_creation(true)
            .into(),
        (Step::LookupLeaders(partitions), _) => {
            let topics: BTreeSet<&str> = partitions.iter().map(|p| p.topic.as_str()).collect();
            MetadataRequest::default()
                .with_topics(Some(
                    topics
                        .into_iter()
                        .map(|name| {
                            MetadataRequestTopic::default().with_name(Some(topic_name(name)))
                        })
                        .collect(),
                ))
                .with_allow_auto_topic_creation(false)
                .into()
        }
        (
            Step::CreateTopics,
            AdminRequest::CreateTopics {
                topics,
                validate_only,
            },
        ) => CreateTopicsRequest::default()
            .with_topics(
                topics
                    .iter()
                    .filter(|topic| !topic.name.is_empty())
                    .map(creatable_topic)
                    .collect(),
            )
            .with_timeout_ms(timeout_ms)
            .with_validate_only(*validate_only)
            .into(),
        (Step::DeleteTopics, AdminRequest::DeleteTopics { topics }) => {
            let request = DeleteTopicsRequest::default().with_timeout_ms(timeout_ms);
            let names = topics.iter().filter(|name| !name.is_empty());
            if version >= 6 {
                request.with_topics(
                    names
                        .map(|name| DeleteTopicState::default().with_name(Some(topic_name(name))))
                        .collect(),
                )
            } else {
                request.with_topic_names(names.map(|name| topic_name(name)).collect())
            }
            .into()
        }
        (
            Step::CreatePartitions,
            AdminRequest::CreatePartitions {
                topics,
                validate_only,
            },
        ) => CreatePartitionsRequest::default()
            .with_topics(
                topics
                    .iter()
                    .map(|(name, new)| {
                        CreatePartitionsTopic::default()
                            .with_name(topic_name(name))
                            .with_count(new.total_count)
                            .with_assignments(new.assignments.as_ref().map(|assignments| {
                                assignments
                                    .iter()
                                    .map(|brokers| {
                                        CreatePartitionsAssignment::default().with_broker_ids(
                                            brokers.iter().copied().map(BrokerId).collect(),
                                        )
                                    })
                                    .collect()
                            }))
                    })
                    .collect(),
            )
            .with_timeout_ms(timeout_ms)
            .with_validate_only(*validate_only)
            .into(),
        (
            Step::DescribeTopicPartitions {
                topics, partial, ..
            },
            _,
        ) => DescribeTopicPartitionsRequest::default()
            .with_topics(
                topics
                    .iter()
                    .map(|name| TopicRequest::default().with_name(topic_name(name)))
                    .collect(),
            )
            .with_response_partition_limit(PARTITIONS_PER_RESPONSE)
            .with_cursor(partial.as_ref().map(|topic| {
                Cursor::default()
                    .with_topic_name(topic_name(&topic.name))
                    .with_partition_index(topic.partitions.len() as i32)
            }))
            .into(),
        (
            Step::DescribeConfigs(resources),
            AdminRequest::DescribeConfigs {
                include_synonyms,
                include_documentation,
                ..
            },
        ) => DescribeConfigsRequest::default()
            .with_resources(
                resources
                    .iter()
                    .map(|resource| {
                        DescribeConfigsResource::default()
                            .with_resource_type(resource.kind.id())
                            .with_resource_name(text(&resource.name))
                            .with_configuration_keys(None)
                    })
                    .collect(),
            )
            .with_include_synonyms(*include_synonyms)
            .with_include_documentation(version >= 3 && *include_documentation)
            .into(),
        (
            Step::AlterConfigs(resources),
            AdminRequest::IncrementalAlterConfigs {
                changes,
                validate_only,
            },
        ) => IncrementalAlterConfigsRequest::default()
            .with_resources(
                changes
                    .iter()
                    .filter(|(resource, _)| resources.contains(resource))
                    .map(alter_resource)
                    .collect(),
            )
            .with_validate_only(*validate_only)
            .into(),
        (Step::ListConfigResources, AdminRequest::ListConfigResources { types }) => {
            ListConfigResourcesRequest::default()
                .with_resource_types(types.iter().map(|kind| kind.id()).collect())
                .into()
        }
        (Step::ListGroups, AdminRequest::ListGroups { states, types, .. }) => {
            let mut request = ListGroupsRequest::default();
            if version >= 4 {
                request = request.with_states_filter(states.iter().map(|s| text(s)).collect());
            }
            if version >= 5 {
                request = request.with_types_filter(types.iter().map(|s| text(s)).collect());
            }
            request.into()
        }
        (Step::FindCoordinators(groups), _) => find_coordinators(groups, version),
        (
            Step::ListOffsets(partitions),
            AdminRequest::ListOffsets {
                offsets,
                read_committed,
            },
        ) => {
            let wanted = offsets
                .iter()
                .filter(|(partition, _)| partitions.contains(partition))
                .map(|(partition, spec)| (partition.clone(), spec.timestamp()));
            let request = list_offsets(wanted, *read_committed);
            if version >= 10 {
                request.with_timeout_ms(timeout_ms)
            } else {
                request
            }
            .into()
        }
        (Step::DeleteRecords(partitions), AdminRequest::DeleteRecords { offsets }) => {
            let wanted = offsets
                .iter()
                .filter(|(partition, _)| partitions.contains(partition))
                .cloned();
            DeleteRecordsRequest::default()
                .with_topics(
                    by_topic(wanted)
                        .into_iter()
                        .map(|(topic, partitions)| {
                            DeleteRecordsTopic::default()
                                .with_name(topic_name(&topic))
                                .with_partitions(
                                    partitions
                                        .into_iter()
                                        .map(|(index, offset)| {
                                            DeleteRecordsPartition::default()
                                                .with_partition_index(index)
                                                .with_offset(offset)
                                        })
                                        .collect(),
                                )
                        })
                        .collect(),
                )
                .with_timeout_ms(timeout_ms)
                .into()
        }
        (Step::ConsumerGroupDescribe(groups), _) => ConsumerGroupDescribeRequest::default()
            .with_group_ids(group_ids(groups))
            .into(),
        (Step::DescribeGroups(groups), _) => DescribeGroupsRequest::default()
            .with_groups(group_ids(groups))
            .into(),
        (Step::DeleteGroups(groups), _) => DeleteGroupsRequest::default()
            .with_groups_names(group_ids(groups))
            .into(),
        (
            Step::OffsetFetch(groups),
            AdminRequest::ListGroupOffsets {
                groups: wanted,
                require_stable,
            },
        ) => offset_fetch(
            wanted.iter().filter(|(group, _)| groups.contains(group)),
            *require_stable,
            version,
        ),
        (Step::OffsetCommit, AdminRequest::AlterGroupOffsets { group, offsets }) => {
            let topics = by_topic(offsets.iter().cloned());
            OffsetCommitRequest::default()
                .with_group_id(GroupId(text(group)))
                .with_generation_id_or_member_epoch(-1)
                .with_topics(
                    topics
                        .into_iter()
                        .map(|(topic, partitions)| {
                            OffsetCommitRequestTopic::default()
                                .with_name(topic_name(&topic))
                                .with_partitions(
                                    partitions
                                        .into_iter()
                                        .map(|(index, offset)| {
                                            OffsetCommitRequestPartition::default()
                                                .with_partition_index(index)
                                                .with_committed_offset(offset.offset)
                                                .with_committed_leader_epoch(
                                                    offset.leader_epoch.unwrap_or(-1),
                                                )
                                                .with_committed_metadata(Some(text(
                                                    &offset.metadata,
                                                )))
                                        })
                                        .collect(),
                                )
                        })
                        .collect(),
                )
                .into()
        }
        (Step::OffsetDelete, AdminRequest::DeleteGroupOffsets { group, partitions }) => {
            let topics = by_topic(partitions.iter().cloned().map(|partition| (partition, ())));
            OffsetDeleteRequest::default()
                .with_group_id(GroupId(text(group)))
                .with_topics(
                    topics
                        .into_iter()
                        .map(|(topic, partitions)| {
                            OffsetDeleteRequestTopic::default()
                                .with_name(topic_name(&topic))
                                .with_partitions(
                                    partitions
                                        .into_iter()
                                        .map(|(index, ())| {
                                            OffsetDeleteRequestPartition::default()
                                                .with_partition_index(index)
                                        })
                                        .collect(),
                                )
                        })
                        .collect(),
                )
                .into()
        }
        // A step belongs to its operation's request; there is no other pair.
        _ => MetadataRequest::default()
            .with_topics(Some(Vec::new()))
            .into(),
    }
}

fn creatable_topic(topic: &super::NewTopic) -> CreatableTopic {
    let assigned = !topic.assignments.is_empty();
    CreatableTopic::default()
        .with_name(topic_name(&topic.name))
        .with_num_partitions(if assigned {
            -1
        } else {
            topic.partitions.unwrap_or(-1)
        })
        .with_replication_factor(if assigned {
            -1
        } else {
            topic.replication_factor.unwrap_or(-1)
        })
        .with_assignments(
            topic
                .assignments
                .iter()
                .map(|(partition, brokers)| {
                    CreatableReplicaAssignment::default()
                        .with_partition_index(*partition)
                        .with_broker_ids(brokers.iter().copied().map(BrokerId).collect())
                })
                .collect(),
        )
        .with_configs(
            topic
                .configs
                .iter()
                .map(|(name, value)| {
                    CreatableTopicConfig::default()
                        .with_name(text(name))
                        .with_value(Some(text(value)))
                })
                .collect(),
        )
}

fn alter_resource(
    (resource, operations): &(ConfigResource, Vec<super::AlterConfigOp>),
) -> AlterConfigsResource {
    AlterConfigsResource::default()
        .with_resource_type(resource.kind.id())
        .with_resource_name(text(&resource.name))
        .with_configs(
            operations
                .iter()
                .map(|change| {
                    AlterableConfig::default()
                        .with_name(text(&change.name))
                        .with_config_operation(match change.operation {
                            AlterConfigOperation::Set => 0,
                            AlterConfigOperation::Delete => 1,
                            AlterConfigOperation::Append => 2,
                            AlterConfigOperation::Subtract => 3,
                        })
                        .with_value(change.value.as_deref().map(text))
                })
                .collect(),
        )
}

fn group_ids(groups: &[String]) -> Vec<GroupId> {
    groups.iter().map(|group| GroupId(text(group))).collect()
}

/// FindCoordinator for groups; before version 4 it asks for one only.
pub(crate) fn find_coordinators(groups: &[String], version: i16) -> RequestKind {
    let mut request = FindCoordinatorRequest::default();
    if version >= 4 {
        request = request.with_coordinator_keys(groups.iter().map(|group| text(group)).collect());
    } else if let Some(group) = groups.first() {
        request = request.with_key(text(group));
    }
    request.with_key_type(0).into()
}

/// ListOffsets for a client.
pub(crate) fn list_offsets(
    partitions: impl IntoIterator<Item = (TopicPartition, i64)>,
    read_committed: bool,
) -> ListOffsetsRequest {
    ListOffsetsRequest::default()
        .with_replica_id(BrokerId(-1))
        .with_isolation_level(i8::from(read_committed))
        .with_topics(
            by_topic(partitions)
                .into_iter()
                .map(|(topic, partitions)| {
                    ListOffsetsTopic::default()
                        .with_name(topic_name(&topic))
                        .with_partitions(
                            partitions
                                .into_iter()
                                .map(|(index, timestamp)| {
                                    ListOffsetsPartition::default()
                                        .with_partition_index(index)
                                        .with_current_leader_epoch(-1)
                                        .with_timestamp(timestamp)
                                })
                                .collect(),
                        )
                })
                .collect(),
        )
}

fn offset_fetch<'a>(
    groups: impl Iterator<Item = &'a (String, Option<Vec<TopicPartition>>)>,
    require_stable: bool,
    version: i16,
) -> RequestKind {
    let request = OffsetFetchRequest::default().with_require_stable(version >= 7 && require_stable);
    let grouped = |partitions: &Option<Vec<TopicPartition>>| {
        partitions
            .as_ref()
            .map(|partitions| by_topic(partitions.iter().cloned().map(|partition| (partition, ()))))
    };
    let indexes = |partitions: Vec<(i32, ())>| partitions.into_iter().map(|(index, ())| index);
    if version >= 8 {
        return request
            .with_groups(
                groups
                    .map(|(group, partitions)| {
                        OffsetFetchRequestGroup::default()
                            .with_group_id(GroupId(text(group)))
                            .with_member_id(None)
                            .with_member_epoch(-1)
                            .with_topics(grouped(partitions).map(|topics| {
                                topics
                                    .into_iter()
                                    .map(|(topic, partitions)| {
                                        OffsetFetchRequestTopics::default()
                                            .with_name(topic_name(&topic))
                                            .with_partition_indexes(indexes(partitions).collect())
                                    })
                                    .collect()
                            }))
                    })
                    .collect(),
            )
            .into();
    }
    let mut groups = groups;
    match groups.next() {
        Some((group, partitions)) => request
            .with_group_id(GroupId(text(group)))
            .with_topics(grouped(partitions).map(|topics| {
                topics
                    .into_iter()
                    .map(|(topic, partitions)| {
                        OffsetFetchRequestTopic::default()
                            .with_name(topic_name(&topic))
                            .with_partition_indexes(indexes(partitions).collect())
                    })
                    .collect()
            }))
            .into(),
        None => request.into(),
    }
}
