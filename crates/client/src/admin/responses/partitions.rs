//! Partitions: their leaders, offsets, records, elections and reassignments.

use std::collections::BTreeMap;

use playground_protocol::messages::{
    AlterPartitionReassignmentsResponse, DeleteRecordsResponse, ElectLeadersResponse,
    ListOffsetsResponse, ListPartitionReassignmentsResponse, MetadataResponse,
};
use playground_protocol::{ErrorCode, LogLevel, Time};

use super::super::engine::{Call, Step, Target};
use super::super::keys::Key;
use super::super::{Admin, AdminRequest, AdminResponse, ListedOffset, PartitionReassignment};
use super::{Select, is_not_controller, outcome, select};
use crate::network::is_invalid_metadata;
use crate::{ClientError, TopicPartition};

const DELETE_RECORDS: &str = "org.apache.kafka.clients.admin.internals.DeleteRecordsHandler";

impl Admin {
    pub(super) fn leaders(&mut self, call: Call, response: &MetadataResponse, now: Time) {
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
        self.with_response(&call, |response| {
            for (key, error) in failed {
                response.fail(Key::Partition(key), error);
            }
        });
    }

    pub(super) fn list_offsets(&mut self, call: Call, response: ListOffsetsResponse, now: Time) {
        let results = response.topics.into_iter().flat_map(|topic| {
            topic.partitions.into_iter().map(move |partition| {
                (
                    TopicPartition::new(topic.name.0.to_string(), partition.partition_index),
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
        self.partition_results(call, results.collect(), now, select!(ListOffsets));
    }

    pub(super) fn delete_records(
        &mut self,
        call: Call,
        response: DeleteRecordsResponse,
        now: Time,
    ) {
        let results = response.topics.into_iter().flat_map(|topic| {
            topic.partitions.into_iter().map(move |partition| {
                (
                    TopicPartition::new(topic.name.0.to_string(), partition.partition_index),
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
                    DELETE_RECORDS,
                    format!(
                        "DeleteRecords request for topic partition {partition} failed due to an unexpected error {}",
                        code.name()
                    ),
                );
            }
        }
        self.partition_results(call, results, now, select!(DeleteRecords));
    }

    /// Results of partitions at their leader: done, failed, or tried again.
    fn partition_results<T>(
        &mut self,
        call: Call,
        results: Vec<(TopicPartition, ErrorCode, T)>,
        now: Time,
        select: Select<TopicPartition, T>,
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
        self.put(&call, done, select);
    }

    pub(super) fn elect_leaders(&mut self, call: Call, response: ElectLeadersResponse, now: Time) {
        let results = response.replica_election_results;
        if is_not_controller(response.error_code) {
            self.not_controller(call, now);
            return;
        }
        if let Err(error) = outcome(response.error_code, None, ()) {
            self.end_call(&call, error);
            return;
        }
        let outcomes = results.into_iter().flat_map(|topic| {
            topic.partition_result.into_iter().map(move |partition| {
                let message = partition.error_message.as_deref();
                (
                    TopicPartition::new(topic.topic.0.to_string(), partition.partition_id),
                    outcome(partition.error_code, message, ()),
                )
            })
        });
        self.put(&call, outcomes, select!(ElectLeaders));
    }

    pub(super) fn alter_reassignments(
        &mut self,
        call: Call,
        response: AlterPartitionReassignmentsResponse,
        now: Time,
    ) {
        let mut codes = response
            .responses
            .iter()
            .flat_map(|topic| topic.partitions.iter())
            .map(|partition| partition.error_code);
        if is_not_controller(response.error_code) || codes.any(is_not_controller) {
            self.not_controller(call, now);
            return;
        }
        let message = response.error_message.as_deref();
        if let Err(error) = outcome(response.error_code, message, ()) {
            self.end_call(&call, error);
            return;
        }
        let outcomes = response.responses.into_iter().flat_map(|topic| {
            topic.partitions.into_iter().map(move |partition| {
                let message = partition.error_message.as_deref();
                (
                    TopicPartition::new(topic.name.0.to_string(), partition.partition_index),
                    outcome(partition.error_code, message, ()),
                )
            })
        });
        self.put(&call, outcomes, select!(AlterPartitionReassignments));
    }

    pub(super) fn list_reassignments(
        &mut self,
        call: Call,
        response: ListPartitionReassignmentsResponse,
        now: Time,
    ) {
        if is_not_controller(response.error_code) {
            self.not_controller(call, now);
            return;
        }
        let message = response.error_message.as_deref();
        if let Err(error) = outcome(response.error_code, message, ()) {
            self.end_call(&call, error);
            return;
        }
        self.with_response(&call, |results| {
            let AdminResponse::ListPartitionReassignments(map) = results else {
                return;
            };
            for topic in response.topics {
                for partition in topic.partitions {
                    let ids = |ids: Vec<playground_protocol::messages::BrokerId>| {
                        ids.into_iter().map(|id| id.0).collect()
                    };
                    map.insert(
                        TopicPartition::new(topic.name.0.to_string(), partition.partition_index),
                        PartitionReassignment {
                            replicas: ids(partition.replicas),
                            adding: ids(partition.adding_replicas),
                            removing: ids(partition.removing_replicas),
                        },
                    );
                }
            }
        });
    }
}
