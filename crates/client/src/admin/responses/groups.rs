//! Groups and their offsets, at their coordinators.

use std::collections::BTreeMap;

use bytes::{Buf, Bytes};
use indexmap::IndexMap;
use playground_protocol::codec::Decodable;
use playground_protocol::messages::consumer_protocol_assignment::ConsumerProtocolAssignment;
use playground_protocol::messages::{
    DeleteGroupsResponse, FindCoordinatorResponse, ListGroupsResponse, OffsetCommitResponse,
    OffsetDeleteResponse, OffsetFetchResponse,
};
use playground_protocol::{ErrorCode, Time};

use super::super::engine::{Call, Step, Target};
use super::super::keys::Key;
use super::super::{
    Admin, AdminRequest, AdminResponse, GroupDescription, GroupListing, MemberDescription, NodeInfo,
};
use super::{Select, outcome, select, unknown_node};
use crate::consumer::OffsetAndMetadata;
use crate::{ClientError, TopicPartition};

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
    pub(super) fn coordinators(
        &mut self,
        call: Call,
        response: &FindCoordinatorResponse,
        now: Time,
    ) {
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
                let key = [Key::Name(group)];
                if operation.response.holds(&key) {
                    let [key] = key;
                    operation.response.fail(key, error);
                } else {
                    operation.failure = Some(error);
                }
            }
        }
        self.call_over(id);
    }

    pub(super) fn list_groups(&mut self, call: Call, response: &ListGroupsResponse, now: Time) {
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
                AdminRequest::ListGroups { protocol_types, .. } => protocol_types.as_slice(),
                _ => &[],
            };
            groups.extend(
                response
                    .groups
                    .iter()
                    .filter(|group| {
                        wanted.is_empty() || wanted.iter().any(|kind| *kind == *group.protocol_type)
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

    pub(super) fn delete_groups(&mut self, call: Call, response: &DeleteGroupsResponse, now: Time) {
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
            select!(DeleteGroups),
        );
    }

    pub(super) fn offset_fetch(&mut self, call: Call, response: &OffsetFetchResponse, now: Time) {
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
            let asked = match &call.step {
                Step::OffsetFetch(groups) => groups.first().cloned(),
                _ => None,
            };
            results.push((
                asked.unwrap_or_default(),
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
            select!(ListGroupOffsets),
        );
    }

    pub(super) fn offset_commit(&mut self, call: Call, response: &OffsetCommitResponse, now: Time) {
        let results = response.topics.iter().flat_map(|topic| {
            topic.partitions.iter().map(|partition| {
                (
                    TopicPartition::new(topic.name.0.to_string(), partition.partition_index),
                    partition.error_code,
                )
            })
        });
        self.one_group_results(call, results.collect(), now, select!(AlterGroupOffsets));
    }

    pub(super) fn offset_delete(&mut self, call: Call, response: &OffsetDeleteResponse, now: Time) {
        let code = ErrorCode(response.error_code);
        if !code.is_none() {
            match coordinator_verdict(code) {
                Verdict::Fail => self.end_call(&call, ClientError::from_code(code, None)),
                _ => self.find_group_again(&call, now),
            }
            return;
        }
        let results = response.topics.iter().flat_map(|topic| {
            topic.partitions.iter().map(|partition| {
                (
                    TopicPartition::new(topic.name.0.to_string(), partition.partition_index),
                    partition.error_code,
                )
            })
        });
        self.one_group_results(call, results.collect(), now, select!(DeleteGroupOffsets));
    }

    /// Results of groups at their coordinator: done, failed, or tried again.
    fn group_results<T>(
        &mut self,
        call: Call,
        results: Vec<(String, ErrorCode, Option<String>, T)>,
        same: fn(Vec<String>) -> Step,
        now: Time,
        select: Select<String, T>,
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
                    done.push((group, Err(ClientError::from_code(code, message.as_deref()))));
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
        self.put(&call, done, select);
    }

    /// The partitions of one group's offsets were changed, or not.
    fn one_group_results(
        &mut self,
        call: Call,
        results: Vec<(TopicPartition, i16)>,
        now: Time,
        select: Select<TopicPartition, ()>,
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
        let outcomes = results
            .into_iter()
            .map(|(partition, code)| (partition, outcome(code, None, ())));
        self.put(&call, outcomes, select);
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

    pub(super) fn classic_groups(
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
            select!(DescribeGroups),
        );
    }

    pub(super) fn consumer_groups(
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
            select!(DescribeGroups),
        );
    }
}

/// The partitions of an assignment in the embedded consumer protocol; empty when it does not read.
fn decode_assignment(bytes: &Bytes) -> Vec<TopicPartition> {
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
