//! Topics: listed, described, created, deleted, grown.

use std::collections::BTreeMap;

use playground_protocol::messages::describe_topic_partitions_response::DescribeTopicPartitionsResponseTopic;
use playground_protocol::messages::{
    CreatePartitionsResponse, CreateTopicsResponse, DeleteTopicsResponse, DescribeClusterResponse,
    MetadataResponse,
};
use playground_protocol::{ErrorCode, Time};

use super::super::engine::{Call, Step, Target};
use super::super::{
    Admin, AdminRequest, AdminResponse, CreatedTopic, NodeInfo, PartitionDescription,
    TopicDescription, TopicListing,
};
use super::{is_not_controller, nodes_of, outcome, select, unknown_node};
use crate::ClientError;

impl Admin {
    pub(super) fn create_topics(&mut self, call: Call, response: CreateTopicsResponse, now: Time) {
        let topics = response.topics;
        if topics.iter().any(|t| is_not_controller(t.error_code)) {
            self.not_controller(call, now);
            return;
        }
        let outcomes = topics.into_iter().map(|topic| {
            let created = CreatedTopic {
                topic_id: topic.topic_id,
                partitions: topic.num_partitions,
                replication_factor: topic.replication_factor,
            };
            (
                topic.name.0.to_string(),
                outcome(topic.error_code, topic.error_message.as_deref(), created),
            )
        });
        self.put(&call, outcomes, select!(CreateTopics));
    }

    pub(super) fn delete_topics(&mut self, call: Call, response: DeleteTopicsResponse, now: Time) {
        let topics = response.responses;
        if topics.iter().any(|t| is_not_controller(t.error_code)) {
            self.not_controller(call, now);
            return;
        }
        let outcomes = topics.into_iter().map(|topic| {
            let name = topic.name.map(|name| name.0.to_string());
            (
                name.unwrap_or_default(),
                outcome(topic.error_code, topic.error_message.as_deref(), ()),
            )
        });
        self.put(&call, outcomes, select!(DeleteTopics));
    }

    pub(super) fn create_partitions(
        &mut self,
        call: Call,
        response: CreatePartitionsResponse,
        now: Time,
    ) {
        let topics = response.results;
        if topics.iter().any(|t| is_not_controller(t.error_code)) {
            self.not_controller(call, now);
            return;
        }
        let outcomes = topics.into_iter().map(|topic| {
            (
                topic.name.0.to_string(),
                outcome(topic.error_code, topic.error_message.as_deref(), ()),
            )
        });
        self.put(&call, outcomes, select!(CreatePartitions));
    }

    pub(super) fn describe_topics_cluster(
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

    pub(super) fn describe_topic_partitions(
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

    pub(super) fn list_topics(&mut self, call: &Call, response: &MetadataResponse) {
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
