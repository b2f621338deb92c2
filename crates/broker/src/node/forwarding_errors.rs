//! What a client is told of a request that the controller did not answer (`AbstractRequest.getErrorResponse`).

use playground_protocol::ErrorCode;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::alter_client_quotas_response::{EntityData, EntryData};
use playground_protocol::messages::alter_configs_response::AlterConfigsResourceResponse as LegacyResourceResponse;
use playground_protocol::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use playground_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use playground_protocol::messages::create_topics_response::CreatableTopicResult;
use playground_protocol::messages::delete_topics_response::DeletableTopicResult;
use playground_protocol::messages::elect_leaders_response::{
    PartitionResult, ReplicaElectionResult,
};
use playground_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use playground_protocol::messages::{
    AlterClientQuotasResponse, AlterConfigsResponse, AlterPartitionReassignmentsResponse,
    CreatePartitionsResponse, CreateTopicsResponse, DeleteTopicsResponse, DescribeQuorumResponse,
    ElectLeadersResponse, IncrementalAlterConfigsResponse, ListPartitionReassignmentsResponse,
    RequestKind, ResponseKind, UnregisterBrokerResponse, UpdateFeaturesResponse,
};

/// A forwarded request's answer when the controller gave none (`AbstractRequest.getErrorResponse`).
pub(super) fn error_response(request: &RequestKind, error: ErrorCode) -> Option<ResponseKind> {
    let message = || Some(StrBytes::from_static_str(error.message()));
    Some(match request {
        RequestKind::CreateTopics(request) => {
            let result =
                |topic: &playground_protocol::messages::create_topics_request::CreatableTopic| {
                    CreatableTopicResult::default()
                        .with_name(topic.name.clone())
                        .with_error_code(error.0)
                        .with_error_message(message())
                };
            CreateTopicsResponse::default()
                .with_topics(request.topics.iter().map(result).collect())
                .into()
        }
        RequestKind::DeleteTopics(request) => {
            let named = request
                .topic_names
                .iter()
                .map(|name| (Some(name.clone()), None));
            let by_state = request
                .topics
                .iter()
                .map(|topic| (topic.name.clone(), Some(topic.topic_id)));
            let results = named.chain(by_state).map(|(name, id)| {
                DeletableTopicResult::default()
                    .with_name(name)
                    .with_topic_id(id.unwrap_or_default())
                    .with_error_code(error.0)
                    .with_error_message(message())
            });
            DeleteTopicsResponse::default()
                .with_responses(results.collect())
                .into()
        }
        RequestKind::CreatePartitions(request) => {
            let results = request.topics.iter().map(|topic| {
                CreatePartitionsTopicResult::default()
                    .with_name(topic.name.clone())
                    .with_error_code(error.0)
                    .with_error_message(message())
            });
            CreatePartitionsResponse::default()
                .with_results(results.collect())
                .into()
        }
        RequestKind::IncrementalAlterConfigs(request) => {
            let results = request.resources.iter().map(|resource| {
                AlterConfigsResourceResponse::default()
                    .with_resource_type(resource.resource_type)
                    .with_resource_name(resource.resource_name.clone())
                    .with_error_code(error.0)
                    .with_error_message(message())
            });
            IncrementalAlterConfigsResponse::default()
                .with_responses(results.collect())
                .into()
        }
        RequestKind::AlterConfigs(request) => {
            let results = request.resources.iter().map(|resource| {
                LegacyResourceResponse::default()
                    .with_resource_type(resource.resource_type)
                    .with_resource_name(resource.resource_name.clone())
                    .with_error_code(error.0)
                    .with_error_message(message())
            });
            AlterConfigsResponse::default()
                .with_responses(results.collect())
                .into()
        }
        RequestKind::ElectLeaders(request) => {
            let topics = request.topic_partitions.iter().flatten().map(|topic| {
                let results = topic.partitions.iter().map(|number| {
                    PartitionResult::default()
                        .with_partition_id(*number)
                        .with_error_code(error.0)
                        .with_error_message(message())
                });
                ReplicaElectionResult::default()
                    .with_topic(topic.topic.clone())
                    .with_partition_result(results.collect())
            });
            ElectLeadersResponse::default()
                .with_error_code(error.0)
                .with_replica_election_results(topics.collect())
                .into()
        }
        RequestKind::AlterPartitionReassignments(request) => {
            let topics = request.topics.iter().map(|topic| {
                let partitions = topic.partitions.iter().map(|partition| {
                    ReassignablePartitionResponse::default()
                        .with_partition_index(partition.partition_index)
                        .with_error_code(error.0)
                        .with_error_message(message())
                });
                ReassignableTopicResponse::default()
                    .with_name(topic.name.clone())
                    .with_partitions(partitions.collect())
            });
            AlterPartitionReassignmentsResponse::default()
                .with_error_code(error.0)
                .with_error_message(message())
                .with_responses(topics.collect())
                .into()
        }
        RequestKind::ListPartitionReassignments(_) => ListPartitionReassignmentsResponse::default()
            .with_error_code(error.0)
            .with_error_message(message())
            .into(),
        RequestKind::AlterClientQuotas(request) => {
            let entries = request.entries.iter().map(|entry| {
                let entity = entry.entity.iter().map(|part| {
                    EntityData::default()
                        .with_entity_type(part.entity_type.clone())
                        .with_entity_name(part.entity_name.clone())
                });
                EntryData::default()
                    .with_error_code(error.0)
                    .with_error_message(message())
                    .with_entity(entity.collect())
            });
            AlterClientQuotasResponse::default()
                .with_entries(entries.collect())
                .into()
        }
        RequestKind::UpdateFeatures(_) => UpdateFeaturesResponse::default()
            .with_error_code(error.0)
            .with_error_message(message())
            .into(),
        RequestKind::DescribeQuorum(_) => DescribeQuorumResponse::default()
            .with_error_code(error.0)
            .with_error_message(message())
            .into(),
        RequestKind::UnregisterBroker(_) => UnregisterBrokerResponse::default()
            .with_error_code(error.0)
            .with_error_message(message())
            .into(),
        _ => return None,
    })
}
