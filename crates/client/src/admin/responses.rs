//! The admin client's answers.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};
use indexmap::IndexMap;
use playground_protocol::codec::Decodable;
use playground_protocol::messages::consumer_protocol_assignment::ConsumerProtocolAssignment;
use playground_protocol::messages::describe_topic_partitions_response::DescribeTopicPartitionsResponseTopic;
use playground_protocol::messages::{
    DescribeClusterResponse, DescribeConfigsResponse, FindCoordinatorResponse, MetadataResponse,
    ResponseKind,
};
use playground_protocol::{ErrorCode, LogLevel, Time};

use super::engine::{Call, Step, Target};
use super::{
    Admin, AdminRequest, AdminResponse, ClusterDescription, ConfigEntry, ConfigResource,
    ConfigResourceType, ConfigSource, ConfigSynonym, CreatedTopic, GroupDescription, GroupListing,
    ListedOffset, MemberDescription, NodeInfo, PartitionDescription, TopicDescription,
    TopicListing,
};
use crate::consumer::OffsetAndMetadata;
use crate::network::is_invalid_metadata;
use crate::{ClientError, TopicPartition};

const HANDLERS: &str = "org.apache.kafka.clients.admin.internals.DeleteRecordsHandler";

/// The partitions of an assignment in the embedded consumer protocol; empty when it does not read.
pub(crate) fn decode_assignment(bytes: &Bytes) -> Vec<TopicPartition> {
    let mut rest = bytes.clone();
    if rest.len() < 2 {
        return Vec::new();
    }
    let version = rest.get_i16().clamp(0, 3);
    let Ok(assignment) = ConsumerProtocolAssignment::decode(&mut rest, version) else {
        return Vec::new();
    };
    assignment
        .assigned_partitions
        .iter()
        .flat_map(|topic| {
            topic
                .partitions
                .iter()
                .map(|partition| TopicPartition::new(topic.topic.0.to_string(), *partition))
        })
        .collect()
}

/// The exception, if the code is one.
fn outcome<T>(code: i16, message: Option<&str>, value: T) -> Result<T, ClientError> {
    let code = ErrorCode(code);
    if code.is_none() {
        Ok(value)
    } else {
        Err(ClientError::from_code(code, message))
    }
}

fn is_not_controller(code: i16) -> bool {
    ErrorCode(code) == ErrorCode::NOT_CONTROLLER
}

/// What a coordinator's error means for a key (the handlers of `admin.internals` agree on these).
enum Verdict {
    Retry,
    FindAgain,
    Fail,
}

fn coordinator_verdict(code: ErrorCode) -> Verdict {
    match code {
        ErrorCode::COORDINATOR_LOAD_IN_PROGRESS => Verdict::Retry,
        ErrorCode::COORDINATOR_NOT_AVAILABLE | ErrorCode::NOT_COORDINATOR => Verdict::FindAgain,
        _ => Verdict::Fail,
    }
}

impl Admin {
    /// Takes the response to a call.
    pub(super) fn handle_response(&mut self, call: Call, response: ResponseKind, now: Time) {
        match (&call.step, response) {
            (Step::DescribeCluster, ResponseKind::DescribeCluster(response)) => {
                self.describe_cluster(call, &response, now);
            }
            (Step::DescribeTopicsCluster, ResponseKind::DescribeCluster(response)) => {
                self.describe_topics_cluster(call, &response, now);
            }
            (Step::DescribeTopicPartitions { .. }, ResponseKind::DescribeTopicPartitions(r)) => {
                self.describe_topic_partitions(call, r.topics, r.next_cursor.is_some());
            }
            (Step::ListTopics, ResponseKind::Metadata(response)) => {
                self.list_topics(&call, &response);
            }
            (Step::CreateTopics, ResponseKind::CreateTopics(response)) => {
                if response
                    .topics
                    .iter()
                    .any(|t| is_not_controller(t.error_code))
                {
                    self.not_controller(call, now);
                    return;
                }
                self.with_response(&call, |results| {
                    let AdminResponse::CreateTopics(map) = results else {
                        return;
                    };
                    for topic in response.topics {
                        let created = CreatedTopic {
                            topic_id: topic.topic_id,
                            partitions: topic.num_partitions,
                            replication_factor: topic.replication_factor,
                        };
                        map.insert(
                            topic.name.0.to_string(),
                            outcome(topic.error_code, topic.error_message.as_deref(), created),
                        );
                    }
                });
            }
            (Step::DeleteTopics, ResponseKind::DeleteTopics(response)) => {
                if response
                    .responses
                    .iter()
                    .any(|t| is_not_controller(t.error_code))
                {
                    self.not_controller(call, now);
                    return;
                }
                self.with_response(&call, |results| {
                    let AdminResponse::DeleteTopics(map) = results else {
                        return;
                    };
                    for topic in response.responses {
                        map.insert(
                            topic
                                .name
                                .map(|name| name.0.to_string())
                                .unwrap_or_default(),
                            outcome(topic.error_code, topic.error_message.as_deref(), ()),
                        );
                    }
                });
            }
            (Step::CreatePartitions, ResponseKind::CreatePartitions(response)) => {
                if response
                    .results
                    .iter()
                    .any(|t| is_not_controller(t.error_code))
                {
                    self.not_controller(call, now);
                    return;
                }
                self.with_response(&call, |results| {
                    let AdminResponse::CreatePartitions(map) = results else {
                        return;
                    };
                    for topic in response.results {
                        map.insert(
                            topic.name.0.to_string(),
                            outcome(topic.error_code, topic.error_message.as_deref(), ()),
                        );
                    }
                });
            }
            (Step::DescribeConfigs(_), ResponseKind::DescribeConfigs(response)) => {
                self.with_response(&call, |results| describe_configs(results, response));
            }
            (Step::AlterConfigs(_), ResponseKind::IncrementalAlterConfigs(response)) => {
                if response
                    .responses
                    .iter()
                    .any(|t| is_not_controller(t.error_code))
                {
                    self.not_controller(call, now);
                    return;
                }
                self.with_response(&call, |results| {
                    let AdminResponse::IncrementalAlterConfigs(map) = results else {
                        return;
                    };
                    for resource in response.responses {
                        if let Some(kind) = ConfigResourceType::from_id(resource.resource_type) {
                            map.insert(
                                ConfigResource {
                                    kind,
                                    name: resource.resource_name.to_string(),
                                },
                                outcome(resource.error_code, resource.error_message.as_deref(), ()),
                            );
                        }
                    }
                });
            }
            (Step::ListConfigResources, ResponseKind::ListConfigResources(response)) => {
                if let Err(error) = outcome(response.error_code, None, ()) {
                    self.end_call(&call, error);
                    return;
                }
                self.with_response(&call, |results| {
                    let AdminResponse::ListConfigResources(list) = results else {
                        return;
                    };
                    list.extend(response.config_resources.iter().filter_map(|resource| {
                        Some(ConfigResource {
                            kind: ConfigResourceType::from_id(resource.resource_type)?,
                            name: resource.resource_name.to_string(),
                        })
                    }));
                });
            }
            (Step::FindAllBrokers, ResponseKind::Metadata(response)) => {
                for broker in &response.brokers {
                    self.enqueue(
                        call.operation,
                        Target::Broker(broker.node_id.0),
                        Step::ListGroups,
                    );
                }
                self.call_over(call.operation);
            }
            (Step::ListGroups, ResponseKind::ListGroups(response)) => {
                let code = ErrorCode(response.error_code);
                if matches!(
                    coordinator_verdict(code),
                    Verdict::Retry | Verdict::FindAgain
                ) {
                    let error = ClientError::from_code(code, None);
                    self.fail_call(call, error, true, now);
                    return;
                }
                self.with_response_and_request(&call, |results, request| {
                    let AdminResponse::ListGroups { groups, errors } = results else {
                        return;
                    };
                    if let Err(error) = outcome(response.error_code, None, ()) {
                        errors.push(error);
                        return;
                    }
                    let wanted = match request {
                        AdminRequest::ListGroups { protocol_types, .. } => {
                            protocol_types.as_slice()
                        }
                        _ => &[],
                    };
                    groups.extend(
                        response
                            .groups
                            .iter()
                            .filter(|group| {
                                wanted.is_empty()
                                    || wanted.iter().any(|kind| *kind == *group.protocol_type)
                            })
                            .map(|group| GroupListing {
                                group_id: group.group_id.0.to_string(),
                                protocol_type: group.protocol_type.to_string(),
                                state: group.group_state.to_string(),
                                group_type: capitalized(&group.group_type),
                            }),
                    );
                });
            }
            (Step::LookupLeaders(_), ResponseKind::Metadata(response)) => {
                self.leaders(call, &response, now);
            }
            (Step::FindCoordinators(_), ResponseKind::FindCoordinator(response)) => {
                self.coordinators(call, &response, now);
            }
            (Step::ListOffsets(_), ResponseKind::ListOffsets(response)) => {
                let results = response.topics.into_iter().flat_map(|topic| {
                    topic.partitions.into_iter().map(move |partition| {
                        (
                            TopicPartition::new(
                                topic.name.0.to_string(),
                                partition.partition_index,
                            ),
                            ErrorCode(partition.error_code),
                            ListedOffset {
                                offset: partition.offset,
                                timestamp: partition.timestamp,
                                leader_epoch: (partition.leader_epoch >= 0)
                                    .then_some(partition.leader_epoch),
                            },
                        )
                    })
                });
                let results: Vec<_> = results.collect();
                self.partition_results(call, results, now, |response, key, value| {
                    if let AdminResponse::ListOffsets(map) = response {
                        map.insert(key, value);
                    }
                });
            }
            (Step::DeleteRecords(_), ResponseKind::DeleteRecords(response)) => {
                let results = response.topics.into_iter().flat_map(|topic| {
                    topic.partitions.into_iter().map(move |partition| {
                        (
                            TopicPartition::new(
                                topic.name.0.to_string(),
                                partition.partition_index,
                            ),
                            ErrorCode(partition.error_code),
                            partition.low_watermark,
                        )
                    })
                });
                let results: Vec<_> = results.collect();
                for (partition, code, _) in &results {
                    if !code.is_none() && !code.is_retriable() {
                        self.network.log(
                            LogLevel::Error,
                            HANDLERS,
                            format!(
                                "DeleteRecords request for topic partition {partition} failed due to an unexpected error {}",
                                code.name()
                            ),
                        );
                    }
                }
                self.partition_results(call, results, now, |response, key, value| {
                    if let AdminResponse::DeleteRecords(map) = response {
                        map.insert(key, value);
                    }
                });
            }
            (Step::ConsumerGroupDescribe(_), ResponseKind::ConsumerGroupDescribe(response)) => {
                self.consumer_groups(call, response.groups, now);
            }
            (Step::DescribeGroups(_), ResponseKind::DescribeGroups(response)) => {
                self.classic_groups(call, response.groups, now);
            }
            (Step::DeleteGroups(_), ResponseKind::DeleteGroups(response)) => {
                let results = response
                    .results
                    .iter()
                    .map(|result| {
                        (
                            result.group_id.0.to_string(),
                            ErrorCode(result.error_code),
                            None,
                            (),
                        )
                    })
                    .collect();
                self.group_results(
                    call,
                    results,
                    Step::DeleteGroups,
                    now,
                    |response, key, value| {
                        if let AdminResponse::DeleteGroups(map) = response {
                            map.insert(key, value);
                        }
                    },
                );
            }
            (Step::OffsetFetch(groups), ResponseKind::OffsetFetch(response)) => {
                let mut results = Vec::new();
                if response.groups.is_empty() {
                    let offsets = response.topics.iter().flat_map(|topic| {
                        topic.partitions.iter().map(|p| {
                            committed(
                                &topic.name.0,
                                p.partition_index,
                                p.committed_offset,
                                p.committed_leader_epoch,
                                p.metadata.as_deref(),
                            )
                        })
                    });
                    results.push((
                        groups.first().cloned().unwrap_or_default(),
                        ErrorCode(response.error_code),
                        None,
                        offsets.collect::<IndexMap<_, _>>(),
                    ));
                }
                for group in &response.groups {
                    let offsets = group.topics.iter().flat_map(|topic| {
                        topic
                            .partitions
                            .iter()
                            .filter(|partition| partition.error_code == 0)
                            .map(|p| {
                                committed(
                                    &topic.name.0,
                                    p.partition_index,
                                    p.committed_offset,
                                    p.committed_leader_epoch,
                                    p.metadata.as_deref(),
                                )
                            })
                    });
                    results.push((
                        group.group_id.0.to_string(),
                        ErrorCode(group.error_code),
                        None,
                        offsets.collect(),
                    ));
                }
                self.group_results(
                    call,
                    results,
                    Step::OffsetFetch,
                    now,
                    |response, key, value| {
                        if let AdminResponse::ListGroupOffsets(map) = response {
                            map.insert(key, value);
                        }
                    },
                );
            }
            (Step::OffsetCommit, ResponseKind::OffsetCommit(response)) => {
                let results: Vec<_> = response
                    .topics
                    .iter()
                    .flat_map(|topic| {
                        topic.partitions.iter().map(|partition| {
                            (
                                TopicPartition::new(
                                    topic.name.0.to_string(),
                                    partition.partition_index,
                                ),
                                partition.error_code,
                            )
                        })
                    })
                    .collect();
                self.one_group_results(call, results, now, |response, key, value| {
                    if let AdminResponse::AlterGroupOffsets(map) = response {
                        map.insert(key, value);
                    }
                });
            }
            (Step::OffsetDelete, ResponseKind::OffsetDelete(response)) => {
                let code = ErrorCode(response.error_code);
                if !code.is_none() {
                    match coordinator_verdict(code) {
                        Verdict::Fail => {
                            self.end_call(&call, ClientError::from_code(code, None));
                        }
                        _ => self.find_group_again(&call, now),
                    }
                    return;
                }
                let results: Vec<_> = response
                    .topics
                    .iter()
                    .flat_map(|topic| {
                        topic.partitions.iter().map(|partition| {
                            (
                                TopicPartition::new(
                                    topic.name.0.to_string(),
                                    partition.partition_index,
                                ),
                                partition.error_code,
                            )
                        })
                    })
                    .collect();
                self.one_group_results(call, results, now, |response, key, value| {
                    if let AdminResponse::DeleteGroupOffsets(map) = response {
                        map.insert(key, value);
                    }
                });
            }
            _ => self.end_call(
                &call,
                ClientError::new(
                    "java.lang.IllegalStateException",
                    "The response does not belong to the request.",
                ),
            ),
        }
    }

    /// Fills in the operation's results, and the call is over.
    fn with_response(&mut self, call: &Call, fill: impl FnOnce(&mut AdminResponse)) {
        self.with_response_and_request(call, |response, _| fill(response));
    }

    fn with_response_and_request(
        &mut self,
        call: &Call,
        fill: impl FnOnce(&mut AdminResponse, &AdminRequest),
    ) {
        if let Some(operation) = self.operations.get_mut(&call.operation) {
            fill(&mut operation.response, &operation.request);
        }
        self.call_over(call.operation);
    }

    fn not_controller(&mut self, call: Call, now: Time) {
        self.network.metadata_mut().request_update();
        let error = ClientError::from_code(ErrorCode::NOT_CONTROLLER, None);
        self.fail_call(call, error, true, now);
    }

    fn describe_cluster(&mut self, call: Call, response: &DescribeClusterResponse, now: Time) {
        let code = ErrorCode(response.error_code);
        if !code.is_none() {
            let error = ClientError::from_code(code, response.error_message.as_deref());
            self.fail_call(call, error, code.is_retriable(), now);
            return;
        }
        let nodes = nodes_of(response);
        self.with_response(&call, |results| {
            *results = AdminResponse::DescribeCluster(ClusterDescription {
                cluster_id: response.cluster_id.to_string(),
                controller: nodes.get(&response.controller_id.0).cloned(),
                nodes: nodes.values().cloned().collect(),
            });
        });
    }

    fn describe_topics_cluster(
        &mut self,
        call: Call,
        response: &DescribeClusterResponse,
        now: Time,
    ) {
        let code = ErrorCode(response.error_code);
        if !code.is_none() {
            let error = ClientError::from_code(code, response.error_message.as_deref());
            self.fail_call(call, error, code.is_retriable(), now);
            return;
        }
        let mut topics = match self.operations.get(&call.operation).map(|o| &o.request) {
            Some(AdminRequest::DescribeTopics { topics }) => topics.clone(),
            _ => Vec::new(),
        };
        topics.retain(|topic| !topic.is_empty());
        topics.sort();
        topics.dedup();
        self.enqueue(
            call.operation,
            Target::LeastLoaded,
            Step::DescribeTopicPartitions {
                topics,
                nodes: nodes_of(response),
                partial: None,
            },
        );
        self.call_over(call.operation);
    }

    fn describe_topic_partitions(
        &mut self,
        call: Call,
        answers: Vec<DescribeTopicPartitionsResponseTopic>,
        more: bool,
    ) {
        let Step::DescribeTopicPartitions {
            mut topics,
            nodes,
            mut partial,
        } = call.step
        else {
            return;
        };
        let last = answers.len().saturating_sub(1);
        let mut results = Vec::new();
        let mut next = None;
        for (index, answer) in answers.into_iter().enumerate() {
            let name = answer.name.as_ref().map(|name| name.0.to_string());
            let name = name.unwrap_or_default();
            let code = ErrorCode(answer.error_code);
            if !code.is_none() {
                topics.retain(|topic| *topic != name);
                results.push((name, Err(ClientError::from_code(code, None))));
                continue;
            }
            let mut description = topic_description(&name, answer, &nodes);
            if let Some(begun) = partial.take_if(|begun| begun.name == name) {
                let mut partitions = begun.partitions;
                partitions.append(&mut description.partitions);
                description.partitions = partitions;
            }
            if more && index == last {
                next = Some(description);
            } else {
                topics.retain(|topic| *topic != name);
                results.push((name, Ok(description)));
            }
        }
        if let Some(operation) = self.operations.get_mut(&call.operation)
            && let AdminResponse::DescribeTopics(map) = &mut operation.response
        {
            map.extend(results);
        }
        if more && !topics.is_empty() {
            self.enqueue(
                call.operation,
                Target::LeastLoaded,
                Step::DescribeTopicPartitions {
                    topics,
                    nodes,
                    partial: next,
                },
            );
        }
        self.call_over(call.operation);
    }

    fn list_topics(&mut self, call: &Call, response: &MetadataResponse) {
        self.with_response_and_request(call, |results, request| {
            let internal = matches!(
                request,
                AdminRequest::ListTopics {
                    list_internal: true
                }
            );
            let topics: BTreeMap<String, TopicListing> = response
                .topics
                .iter()
                .filter(|topic| internal || !topic.is_internal)
                .map(|topic| {
                    let name = topic.name.as_ref().map(|name| name.0.to_string());
                    let name = name.unwrap_or_default();
                    (
                        name.clone(),
                        TopicListing {
                            name,
                            topic_id: topic.topic_id,
                            is_internal: topic.is_internal,
                        },
                    )
                })
                .collect();
            *results = AdminResponse::ListTopics(topics.into_values().collect());
        });
    }

    fn leaders(&mut self, call: Call, response: &MetadataResponse, now: Time) {
        let Step::LookupLeaders(keys) = &call.step else {
            return;
        };
        let mut by_leader: BTreeMap<i32, Vec<TopicPartition>> = BTreeMap::new();
        let mut again = Vec::new();
        let mut failed = Vec::new();
        for key in keys {
            let topic = response.topics.iter().find(|topic| {
                topic
                    .name
                    .as_ref()
                    .is_some_and(|name| *name.0 == *key.topic)
            });
            let Some(topic) = topic else {
                again.push(key.clone());
                continue;
            };
            let partition = topic
                .partitions
                .iter()
                .find(|partition| partition.partition_index == key.partition);
            let code = ErrorCode(match partition {
                Some(partition) if topic.error_code == 0 => partition.error_code,
                _ => topic.error_code,
            });
            match (code, partition) {
                (ErrorCode::NONE, Some(partition)) if partition.leader_id.0 >= 0 => by_leader
                    .entry(partition.leader_id.0)
                    .or_default()
                    .push(key.clone()),
                (ErrorCode::NONE, _) => again.push(key.clone()),
                (code, _) if is_invalid_metadata(code) || code.is_retriable() => {
                    again.push(key.clone());
                }
                (code, _) => failed.push((
                    key.clone(),
                    ClientError::from_code(
                        code,
                        Some(&match code {
                            ErrorCode::INVALID_TOPIC_EXCEPTION => format!(
                                "Failed to fetch metadata for topic `{}` due to invalid topic error INVALID_TOPIC_EXCEPTION",
                                key.topic
                            ),
                            _ => format!(
                                "Failed to fetch metadata for topic `{}` due to unexpected error {}",
                                key.topic,
                                code.name()
                            ),
                        }),
                    ),
                )),
            }
        }
        let id = call.operation;
        let fulfil: fn(Vec<TopicPartition>) -> Step =
            match self.operations.get(&id).map(|operation| &operation.request) {
                Some(AdminRequest::DeleteRecords { .. }) => Step::DeleteRecords,
                _ => Step::ListOffsets,
            };
        for (leader, keys) in by_leader {
            self.enqueue(id, Target::Broker(leader), fulfil(keys));
        }
        if !again.is_empty() {
            self.retry_keys(&call, Target::LeastLoaded, Step::LookupLeaders(again), now);
        }
        self.with_response(&call, |results| {
            for (key, error) in failed {
                match results {
                    AdminResponse::ListOffsets(map) => {
                        map.insert(key, Err(error));
                    }
                    AdminResponse::DeleteRecords(map) => {
                        map.insert(key, Err(error));
                    }
                    _ => {}
                }
            }
        });
    }

    /// Results of partitions at their leader: done, failed, or tried again.
    fn partition_results<T>(
        &mut self,
        call: Call,
        results: Vec<(TopicPartition, ErrorCode, T)>,
        now: Time,
        insert: impl Fn(&mut AdminResponse, TopicPartition, Result<T, ClientError>),
    ) {
        let mut lookup = Vec::new();
        let mut again = Vec::new();
        let mut done = Vec::new();
        for (partition, code, value) in results {
            if code.is_none() {
                done.push((partition, Ok(value)));
            } else if is_invalid_metadata(code) {
                lookup.push(partition);
            } else if code.is_retriable() {
                again.push(partition);
            } else {
                done.push((partition, Err(ClientError::from_code(code, None))));
            }
        }
        if !lookup.is_empty() {
            self.retry_keys(&call, Target::LeastLoaded, Step::LookupLeaders(lookup), now);
        }
        if !again.is_empty() {
            let step = match &call.step {
                Step::DeleteRecords(_) => Step::DeleteRecords(again),
                _ => Step::ListOffsets(again),
            };
            self.retry_keys(&call, call.target, step, now);
        }
        self.with_response(&call, |results| {
            for (key, value) in done {
                insert(results, key, value);
            }
        });
    }

    fn coordinators(&mut self, call: Call, response: &FindCoordinatorResponse, now: Time) {
        let Step::FindCoordinators(groups) = &call.step else {
            return;
        };
        let mut by_node: BTreeMap<i32, Vec<String>> = BTreeMap::new();
        let mut again = Vec::new();
        let mut failed = Vec::new();
        for group in groups {
            let answer = response.coordinators.iter().find(|c| *c.key == **group);
            let (code, node) = match answer {
                Some(answer) => (ErrorCode(answer.error_code), answer.node_id.0),
                None if response.coordinators.is_empty() => {
                    (ErrorCode(response.error_code), response.node_id.0)
                }
                None => {
                    again.push(group.clone());
                    continue;
                }
            };
            match code {
                ErrorCode::NONE => by_node.entry(node).or_default().push(group.clone()),
                ErrorCode::COORDINATOR_NOT_AVAILABLE | ErrorCode::COORDINATOR_LOAD_IN_PROGRESS => {
                    again.push(group.clone());
                }
                code => failed.push((
                    group.clone(),
                    ClientError::from_code(
                        code,
                        Some(&format!(
                            "FindCoordinator request for key `CoordinatorKey(idValue='{group}', type=GROUP)` failed due to an unexpected error"
                        )),
                    ),
                )),
            }
        }
        let id = call.operation;
        let fulfil: fn(Vec<String>) -> Step =
            match self.operations.get(&id).map(|operation| &operation.request) {
                Some(AdminRequest::DescribeGroups { .. }) => Step::ConsumerGroupDescribe,
                Some(AdminRequest::DeleteGroups { .. }) => Step::DeleteGroups,
                Some(AdminRequest::AlterGroupOffsets { .. }) => |_| Step::OffsetCommit,
                Some(AdminRequest::DeleteGroupOffsets { .. }) => |_| Step::OffsetDelete,
                _ => Step::OffsetFetch,
            };
        for (node, groups) in by_node {
            self.enqueue(id, Target::Broker(node), fulfil(groups));
        }
        if !again.is_empty() {
            self.retry_keys(
                &call,
                Target::LeastLoaded,
                Step::FindCoordinators(again),
                now,
            );
        }
        if let Some(operation) = self.operations.get_mut(&id) {
            for (group, error) in failed {
                match &mut operation.response {
                    AdminResponse::DescribeGroups(map) => {
                        map.insert(group, Err(error));
                    }
                    AdminResponse::DeleteGroups(map) => {
                        map.insert(group, Err(error));
                    }
                    AdminResponse::ListGroupOffsets(map) => {
                        map.insert(group, Err(error));
                    }
                    _ => operation.failure = Some(error),
                }
            }
        }
        self.call_over(id);
    }

    /// Results of groups at their coordinator: done, failed, or tried again.
    fn group_results<T>(
        &mut self,
        call: Call,
        results: Vec<(String, ErrorCode, Option<String>, T)>,
        same: fn(Vec<String>) -> Step,
        now: Time,
        insert: impl Fn(&mut AdminResponse, String, Result<T, ClientError>),
    ) {
        let mut find = Vec::new();
        let mut again = Vec::new();
        let mut done = Vec::new();
        for (group, code, message, value) in results {
            if code.is_none() {
                done.push((group, Ok(value)));
                continue;
            }
            match coordinator_verdict(code) {
                Verdict::FindAgain => find.push(group),
                Verdict::Retry => again.push(group),
                Verdict::Fail => {
                    done.push((group, Err(ClientError::from_code(code, message.as_deref()))))
                }
            }
        }
        if !find.is_empty() {
            self.retry_keys(
                &call,
                Target::LeastLoaded,
                Step::FindCoordinators(find),
                now,
            );
        }
        if !again.is_empty() {
            self.retry_keys(&call, call.target, same(again), now);
        }
        self.with_response(&call, |results| {
            for (key, value) in done {
                insert(results, key, value);
            }
        });
    }

    /// The partitions of one group's offsets were changed, or not.
    fn one_group_results(
        &mut self,
        call: Call,
        results: Vec<(TopicPartition, i16)>,
        now: Time,
        insert: impl Fn(&mut AdminResponse, TopicPartition, Result<(), ClientError>),
    ) {
        let waits = |code: &i16| {
            let code = ErrorCode(*code);
            code == ErrorCode::REBALANCE_IN_PROGRESS
                || !matches!(coordinator_verdict(code), Verdict::Fail)
        };
        if results.iter().any(|(_, code)| waits(code)) {
            self.find_group_again(&call, now);
            return;
        }
        self.with_response(&call, |response| {
            for (partition, code) in results {
                insert(response, partition, outcome(code, None, ()));
            }
        });
    }

    fn find_group_again(&mut self, call: &Call, now: Time) {
        let group = match self.operations.get(&call.operation).map(|o| &o.request) {
            Some(
                AdminRequest::AlterGroupOffsets { group, .. }
                | AdminRequest::DeleteGroupOffsets { group, .. },
            ) => group.clone(),
            _ => return,
        };
        self.retry_keys(
            call,
            Target::LeastLoaded,
            Step::FindCoordinators(vec![group]),
            now,
        );
        self.call_over(call.operation);
    }

    fn node_of(&self, id: i32) -> NodeInfo {
        self.network
            .metadata()
            .node(id)
            .cloned()
            .unwrap_or_else(|| unknown_node(id))
    }

    fn classic_groups(
        &mut self,
        call: Call,
        groups: Vec<playground_protocol::messages::describe_groups_response::DescribedGroup>,
        now: Time,
    ) {
        let coordinator = self.node_of(call.node);
        let mut results = Vec::new();
        let mut others = Vec::new();
        for group in groups {
            let id = group.group_id.0.to_string();
            let code = ErrorCode(group.error_code);
            let protocol_type = group.protocol_type.to_string();
            if code.is_none() && !protocol_type.is_empty() && protocol_type != "consumer" {
                let text = format!("GroupId {id} is not a consumer group ({protocol_type}).");
                others.push((
                    id,
                    ClientError::new("java.lang.IllegalArgumentException", text),
                ));
                continue;
            }
            let description = GroupDescription {
                group_id: id.clone(),
                group_type: "Classic".to_owned(),
                state: group.group_state.to_string(),
                protocol_type,
                assignor: group.protocol_data.to_string(),
                members: group
                    .members
                    .iter()
                    .map(|member| MemberDescription {
                        member_id: member.member_id.to_string(),
                        group_instance_id: member
                            .group_instance_id
                            .as_ref()
                            .map(ToString::to_string),
                        client_id: member.client_id.to_string(),
                        host: member.client_host.to_string(),
                        assignment: decode_assignment(&member.member_assignment),
                        target_assignment: None,
                        member_epoch: None,
                    })
                    .collect(),
                coordinator: coordinator.clone(),
                group_epoch: None,
                target_assignment_epoch: None,
            };
            let message = group.error_message.as_ref().map(ToString::to_string);
            results.push((id, code, message, description));
        }
        if let Some(operation) = self.operations.get_mut(&call.operation)
            && let AdminResponse::DescribeGroups(map) = &mut operation.response
        {
            map.extend(others.into_iter().map(|(id, error)| (id, Err(error))));
        }
        self.group_results(
            call,
            results,
            Step::DescribeGroups,
            now,
            |response, key, value| {
                if let AdminResponse::DescribeGroups(map) = response {
                    map.insert(key, value);
                }
            },
        );
    }

    fn consumer_groups(
        &mut self,
        call: Call,
        groups: Vec<
            playground_protocol::messages::consumer_group_describe_response::DescribedGroup,
        >,
        now: Time,
    ) {
        let coordinator = self.node_of(call.node);
        let mut results = Vec::new();
        let mut classic = Vec::new();
        for group in groups {
            let id = group.group_id.0.to_string();
            let code = ErrorCode(group.error_code);
            if code == ErrorCode::GROUP_ID_NOT_FOUND || code == ErrorCode::UNSUPPORTED_VERSION {
                classic.push(id);
                continue;
            }
            let partitions = |assignment: &playground_protocol::messages::consumer_group_describe_response::Assignment| {
                assignment
                    .topic_partitions
                    .iter()
                    .flat_map(|topic| {
                        topic
                            .partitions
                            .iter()
                            .map(|p| TopicPartition::new(topic.topic_name.0.to_string(), *p))
                    })
                    .collect::<Vec<_>>()
            };
            let description = GroupDescription {
                group_id: id.clone(),
                group_type: "Consumer".to_owned(),
                state: group.group_state.to_string(),
                protocol_type: "consumer".to_owned(),
                assignor: group.assignor_name.to_string(),
                members: group
                    .members
                    .iter()
                    .map(|member| MemberDescription {
                        member_id: member.member_id.to_string(),
                        group_instance_id: member.instance_id.as_ref().map(ToString::to_string),
                        client_id: member.client_id.to_string(),
                        host: member.client_host.to_string(),
                        assignment: partitions(&member.assignment),
                        target_assignment: Some(partitions(&member.target_assignment)),
                        member_epoch: Some(member.member_epoch),
                    })
                    .collect(),
                coordinator: coordinator.clone(),
                group_epoch: Some(group.group_epoch),
                target_assignment_epoch: Some(group.assignment_epoch),
            };
            let message = group.error_message.as_ref().map(ToString::to_string);
            results.push((id, code, message, description));
        }
        if !classic.is_empty() {
            self.enqueue(call.operation, call.target, Step::DescribeGroups(classic));
        }
        self.group_results(
            call,
            results,
            Step::ConsumerGroupDescribe,
            now,
            |response, key, value| {
                if let AdminResponse::DescribeGroups(map) = response {
                    map.insert(key, value);
                }
            },
        );
    }
}

/// A partition's committed offset; none is told as -1.
fn committed(
    topic: &str,
    partition: i32,
    offset: i64,
    leader_epoch: i32,
    metadata: Option<&str>,
) -> (TopicPartition, Option<OffsetAndMetadata>) {
    (
        TopicPartition::new(topic, partition),
        (offset >= 0).then(|| OffsetAndMetadata {
            offset,
            leader_epoch: (leader_epoch >= 0).then_some(leader_epoch),
            metadata: metadata.unwrap_or_default().to_owned(),
        }),
    )
}

/// `classic` becomes `Classic`, as `GroupType` prints it.
fn capitalized(word: &str) -> String {
    let mut letters = word.chars();
    match letters.next() {
        Some(first) => first.to_uppercase().chain(letters).collect(),
        None => String::new(),
    }
}

fn unknown_node(id: i32) -> NodeInfo {
    NodeInfo {
        id,
        host: String::new(),
        port: -1,
        rack: None,
        fenced: false,
    }
}

fn nodes_of(response: &DescribeClusterResponse) -> BTreeMap<i32, NodeInfo> {
    response
        .brokers
        .iter()
        .map(|broker| {
            (
                broker.broker_id.0,
                NodeInfo {
                    id: broker.broker_id.0,
                    host: broker.host.to_string(),
                    port: broker.port,
                    rack: broker.rack.as_ref().map(ToString::to_string),
                    fenced: broker.is_fenced,
                },
            )
        })
        .collect()
}

fn topic_description(
    name: &str,
    answer: DescribeTopicPartitionsResponseTopic,
    nodes: &BTreeMap<i32, NodeInfo>,
) -> TopicDescription {
    let node = |id: &playground_protocol::messages::BrokerId| {
        nodes
            .get(&id.0)
            .cloned()
            .unwrap_or_else(|| unknown_node(id.0))
    };
    TopicDescription {
        name: name.to_owned(),
        topic_id: answer.topic_id,
        is_internal: answer.is_internal,
        partitions: answer
            .partitions
            .iter()
            .map(|partition| PartitionDescription {
                partition: partition.partition_index,
                leader: nodes.get(&partition.leader_id.0).cloned(),
                replicas: partition.replica_nodes.iter().map(node).collect(),
                in_sync_replicas: partition.isr_nodes.iter().map(node).collect(),
                eligible_leader_replicas: partition
                    .eligible_leader_replicas
                    .as_ref()
                    .map(|ids| ids.iter().map(node).collect()),
                last_known_eligible_leader_replicas: partition
                    .last_known_elr
                    .as_ref()
                    .map(|ids| ids.iter().map(node).collect()),
            })
            .collect(),
    }
}

fn describe_configs(results: &mut AdminResponse, response: DescribeConfigsResponse) {
    let AdminResponse::DescribeConfigs(map) = results else {
        return;
    };
    for resource in response.results {
        let Some(kind) = ConfigResourceType::from_id(resource.resource_type) else {
            continue;
        };
        let entries = resource
            .configs
            .iter()
            .map(|config| ConfigEntry {
                name: config.name.to_string(),
                value: config.value.as_ref().map(ToString::to_string),
                source: ConfigSource(config.config_source),
                is_sensitive: config.is_sensitive,
                is_read_only: config.read_only,
                synonyms: config
                    .synonyms
                    .iter()
                    .map(|synonym| ConfigSynonym {
                        name: synonym.name.to_string(),
                        value: synonym.value.as_ref().map(ToString::to_string),
                        source: ConfigSource(synonym.source),
                    })
                    .collect(),
                kind: config.config_type,
                documentation: config.documentation.as_ref().map(ToString::to_string),
            })
            .collect();
        map.insert(
            ConfigResource {
                kind,
                name: resource.resource_name.to_string(),
            },
            outcome(
                resource.error_code,
                resource.error_message.as_deref(),
                entries,
            ),
        );
    }
}
