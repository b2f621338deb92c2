//! Requests about the cluster itself, elections, reassignments and quotas.

use playground_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use playground_protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use playground_protocol::messages::describe_client_quotas_request::ComponentData;
use playground_protocol::messages::describe_log_dirs_request::DescribableLogDirTopic;
use playground_protocol::messages::elect_leaders_request::TopicPartitions;
use playground_protocol::messages::list_partition_reassignments_request::ListPartitionReassignmentsTopics;
use playground_protocol::messages::update_features_request::FeatureUpdateKey;
use playground_protocol::messages::{
    AddRaftVoterRequest, AlterClientQuotasRequest, AlterPartitionReassignmentsRequest,
    ApiVersionsRequest, BrokerId, DescribeClientQuotasRequest, DescribeLogDirsRequest,
    DescribeQuorumRequest, ElectLeadersRequest, ListPartitionReassignmentsRequest,
    RemoveRaftVoterRequest, RequestKind, UnregisterBrokerRequest, UpdateFeaturesRequest,
    add_raft_voter_request, describe_quorum_request,
};

use super::super::engine::Step;
use super::super::{AdminRequest, FeatureUpdate, QuotaAlteration, QuotaMatch, RaftEndpoint};
use super::{by_topic, text, topic_name};
use crate::TopicPartition;
use crate::network::{SOFTWARE_NAME, SOFTWARE_VERSION};

/// The log of the quorum.
const METADATA_TOPIC: &str = "__cluster_metadata";

/// The request of a step of this family; `None` for another family's.
pub(super) fn build(
    request: &AdminRequest,
    step: &Step,
    version: i16,
    timeout_ms: i32,
) -> Option<RequestKind> {
    Some(match (step, request) {
        (Step::ApiVersions(_) | Step::DescribeFeatures, _) => api_versions(version),
        (
            Step::UpdateFeatures,
            AdminRequest::UpdateFeatures {
                updates,
                validate_only,
            },
        ) => UpdateFeaturesRequest::default()
            .with_timeout_ms(timeout_ms)
            .with_feature_updates(updates.iter().map(|u| feature_update(u, version)).collect())
            .with_validate_only(version >= 1 && *validate_only)
            .into(),
        (Step::DescribeLogDirs(broker), AdminRequest::DescribeLogDirs { brokers }) => {
            let wanted = brokers.iter().find(|(id, _)| id == broker);
            DescribeLogDirsRequest::default()
                .with_topics(
                    wanted
                        .and_then(|(_, replicas)| replicas.as_ref())
                        .map(|replicas| {
                            indexes_by_topic(replicas)
                                .map(|(topic, indexes)| {
                                    DescribableLogDirTopic::default()
                                        .with_topic(topic_name(&topic))
                                        .with_partitions(indexes)
                                })
                                .collect()
                        }),
                )
                .into()
        }
        (
            Step::ElectLeaders,
            AdminRequest::ElectLeaders {
                unclean,
                partitions,
            },
        ) => ElectLeadersRequest::default()
            .with_election_type(i8::from(*unclean))
            .with_topic_partitions(partitions.as_ref().map(|partitions| {
                indexes_by_topic(partitions)
                    .map(|(topic, indexes)| {
                        TopicPartitions::default()
                            .with_topic(topic_name(&topic))
                            .with_partitions(indexes)
                    })
                    .collect()
            }))
            .with_timeout_ms(timeout_ms)
            .into(),
        (
            Step::AlterPartitionReassignments,
            AdminRequest::AlterPartitionReassignments {
                reassignments,
                allow_replication_factor_change,
            },
        ) => alter_reassignments(
            reassignments,
            *allow_replication_factor_change || version < 1,
        )
        .with_timeout_ms(timeout_ms)
        .into(),
        (
            Step::ListPartitionReassignments,
            AdminRequest::ListPartitionReassignments { partitions },
        ) => ListPartitionReassignmentsRequest::default()
            .with_timeout_ms(timeout_ms)
            .with_topics(partitions.as_ref().map(|partitions| {
                indexes_by_topic(partitions)
                    .map(|(topic, indexes)| {
                        ListPartitionReassignmentsTopics::default()
                            .with_name(topic_name(&topic))
                            .with_partition_indexes(indexes)
                    })
                    .collect()
            }))
            .into(),
        (Step::DescribeQuorum, _) => DescribeQuorumRequest::default()
            .with_topics(vec![
                describe_quorum_request::TopicData::default()
                    .with_topic_name(topic_name(METADATA_TOPIC))
                    .with_partitions(vec![
                        describe_quorum_request::PartitionData::default().with_partition_index(0),
                    ]),
            ])
            .into(),
        (
            Step::AddRaftVoter,
            AdminRequest::AddRaftVoter {
                voter,
                directory_id,
                endpoints,
            },
        ) => AddRaftVoterRequest::default()
            .with_cluster_id(None)
            .with_timeout_ms(timeout_ms)
            .with_voter_id(*voter)
            .with_voter_directory_id(*directory_id)
            .with_listeners(endpoints.iter().map(listener).collect())
            .into(),
        (
            Step::RemoveRaftVoter,
            AdminRequest::RemoveRaftVoter {
                voter,
                directory_id,
            },
        ) => RemoveRaftVoterRequest::default()
            .with_cluster_id(None)
            .with_voter_id(*voter)
            .with_voter_directory_id(*directory_id)
            .into(),
        (Step::UnregisterBroker, AdminRequest::UnregisterBroker { broker }) => {
            UnregisterBrokerRequest::default()
                .with_broker_id(BrokerId(*broker))
                .into()
        }
        (Step::DescribeClientQuotas, AdminRequest::DescribeClientQuotas { components, strict }) => {
            DescribeClientQuotasRequest::default()
                .with_components(components.iter().map(component).collect())
                .with_strict(*strict)
                .into()
        }
        (
            Step::AlterClientQuotas,
            AdminRequest::AlterClientQuotas {
                alterations,
                validate_only,
            },
        ) => AlterClientQuotasRequest::default()
            .with_entries(alterations.iter().map(alteration).collect())
            .with_validate_only(*validate_only)
            .into(),
        _ => return None,
    })
}

fn api_versions(version: i16) -> RequestKind {
    let request = ApiVersionsRequest::default();
    if version >= 3 {
        request
            .with_client_software_name(text(SOFTWARE_NAME))
            .with_client_software_version(text(SOFTWARE_VERSION))
            .into()
    } else {
        request.into()
    }
}

fn feature_update(update: &FeatureUpdate, version: i16) -> FeatureUpdateKey {
    let key = FeatureUpdateKey::default()
        .with_feature(text(&update.feature))
        .with_max_version_level(update.level);
    if version >= 1 {
        key.with_upgrade_type(update.upgrade_type.id())
    } else {
        key.with_allow_downgrade(update.upgrade_type.id() > 1)
    }
}

/// Numbers of partitions by topic, topics in the order of their first partition.
fn indexes_by_topic(
    partitions: &[TopicPartition],
) -> impl Iterator<Item = (String, Vec<i32>)> + use<> {
    by_topic(partitions.iter().cloned().map(|partition| (partition, ())))
        .into_iter()
        .map(|(topic, indexes)| {
            (
                topic,
                indexes.into_iter().map(|(index, ())| index).collect(),
            )
        })
}

fn alter_reassignments(
    reassignments: &[(TopicPartition, Option<Vec<i32>>)],
    allow_replication_factor_change: bool,
) -> AlterPartitionReassignmentsRequest {
    let topics = by_topic(reassignments.iter().cloned());
    AlterPartitionReassignmentsRequest::default()
        .with_allow_replication_factor_change(allow_replication_factor_change)
        .with_topics(
            topics
                .into_iter()
                .map(|(topic, partitions)| {
                    ReassignableTopic::default()
                        .with_name(topic_name(&topic))
                        .with_partitions(
                            partitions
                                .into_iter()
                                .map(|(index, replicas)| {
                                    ReassignablePartition::default()
                                        .with_partition_index(index)
                                        .with_replicas(replicas.map(|replicas| {
                                            replicas.into_iter().map(BrokerId).collect()
                                        }))
                                })
                                .collect(),
                        )
                })
                .collect(),
        )
}

fn listener(endpoint: &RaftEndpoint) -> add_raft_voter_request::Listener {
    add_raft_voter_request::Listener::default()
        .with_name(text(&endpoint.listener))
        .with_host(text(&endpoint.host))
        .with_port(endpoint.port)
}

fn component((entity_type, wanted): &(String, QuotaMatch)) -> ComponentData {
    let (match_type, name) = match wanted {
        QuotaMatch::Exact(name) => (0, Some(text(name))),
        QuotaMatch::Default => (1, None),
        QuotaMatch::Any => (2, None),
    };
    ComponentData::default()
        .with_entity_type(text(entity_type))
        .with_match_type(match_type)
        .with_match(name)
}

fn alteration(alteration: &QuotaAlteration) -> EntryData {
    EntryData::default()
        .with_entity(
            alteration
                .entity
                .iter()
                .map(|(entity_type, name)| {
                    EntityData::default()
                        .with_entity_type(text(entity_type))
                        .with_entity_name(name.as_deref().map(text))
                })
                .collect(),
        )
        .with_ops(
            alteration
                .operations
                .iter()
                .map(|(key, value)| {
                    OpData::default()
                        .with_key(text(key))
                        .with_value(value.unwrap_or(0.0))
                        .with_remove(value.is_none())
                })
                .collect(),
        )
}
