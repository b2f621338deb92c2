//! Responses that carry an error, and what old versions need.

use playground_protocol::ErrorCode;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::delete_groups_response::DeletableGroupResult;
use playground_protocol::messages::describe_groups_response::DescribedGroup;
use playground_protocol::messages::leave_group_response::MemberResponse;
use playground_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use playground_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponseTopic,
};
use playground_protocol::messages::{
    DeleteGroupsResponse, DescribeGroupsResponse, HeartbeatResponse, JoinGroupResponse,
    LeaveGroupRequest, LeaveGroupResponse, ListGroupsResponse, OffsetCommitRequest,
    OffsetCommitResponse, OffsetDeleteResponse, OffsetFetchRequest, OffsetFetchResponse,
    RequestKind, ResponseKind, SyncGroupResponse,
};

use super::member::Waiting;
use super::runtime::Runtime;

/// A string of the wire.
pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

/// An optional string of the wire.
pub(super) fn optional(text_or_none: Option<&str>) -> Option<StrBytes> {
    text_or_none.map(text)
}

/// Answers a JoinGroup; before version 7 the protocol's name cannot be null.
pub(super) fn join(rt: &mut Runtime, waiting: Waiting, mut response: JoinGroupResponse) {
    if waiting.version < 7 && response.protocol_name.is_none() {
        response.protocol_name = Some(StrBytes::default());
    }
    if waiting.version < 9 {
        response.skip_assignment = false;
    }
    rt.respond(waiting.request_id, ResponseKind::JoinGroup(response));
}

/// Answers a JoinGroup with an error.
pub(super) fn join_error(rt: &mut Runtime, waiting: Waiting, member_id: &str, error: ErrorCode) {
    let response = JoinGroupResponse::default()
        .with_member_id(text(member_id))
        .with_error_code(error.0);
    join(rt, waiting, response);
}

/// Answers a SyncGroup with an error.
pub(super) fn sync_error(rt: &mut Runtime, waiting: Waiting, error: ErrorCode) {
    let response = SyncGroupResponse::default().with_error_code(error.0);
    rt.respond(waiting.request_id, ResponseKind::SyncGroup(response));
}

/// A LeaveGroup response; before version 3 the only member's error is the response's.
pub(super) fn leave(version: i16, members: Vec<MemberResponse>) -> LeaveGroupResponse {
    if version >= 3 {
        return LeaveGroupResponse::default().with_members(members);
    }
    let error = members.first().map_or(0, |member| member.error_code);
    LeaveGroupResponse::default().with_error_code(error)
}

/// The members that a LeaveGroup names, in any version: (member id, instance id).
pub(super) fn leaving(
    request: &LeaveGroupRequest,
    version: i16,
) -> Vec<(StrBytes, Option<StrBytes>)> {
    if version < 3 {
        return vec![(request.member_id.clone(), None)];
    }
    let members = request.members.iter();
    members
        .map(|member| (member.member_id.clone(), member.group_instance_id.clone()))
        .collect()
}

/// An OffsetCommit response with the same error for every partition.
pub(super) fn commit_error(
    request: &OffsetCommitRequest,
    error: ErrorCode,
) -> OffsetCommitResponse {
    let topics = request.topics.iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            OffsetCommitResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(error.0)
        });
        OffsetCommitResponseTopic::default()
            .with_name(topic.name.clone())
            .with_topic_id(topic.topic_id)
            .with_partitions(partitions.collect())
    });
    OffsetCommitResponse::default().with_topics(topics.collect())
}

/// An OffsetFetch response that fails for the groups that `affects` names.
fn fetch_error(
    request: &OffsetFetchRequest,
    version: i16,
    error: ErrorCode,
) -> OffsetFetchResponse {
    if version >= 8 {
        let groups = request
            .groups
            .iter()
            .map(|group| fetch_group_error(group.group_id.clone(), error));
        return OffsetFetchResponse::default().with_groups(groups.collect());
    }
    if version >= 2 {
        return OffsetFetchResponse::default().with_error_code(error.0);
    }
    let topics = request.topics.iter().flatten().map(|topic| {
        let partitions = topic.partition_indexes.iter().map(|partition| {
            OffsetFetchResponsePartition::default()
                .with_partition_index(*partition)
                .with_committed_offset(-1)
                .with_metadata(Some(StrBytes::default()))
                .with_error_code(error.0)
        });
        OffsetFetchResponseTopic::default()
            .with_name(topic.name.clone())
            .with_partitions(partitions.collect())
    });
    OffsetFetchResponse::default().with_topics(topics.collect())
}

/// One group's part of an OffsetFetch response, failed.
pub(super) fn fetch_group_error(
    group_id: playground_protocol::messages::GroupId,
    error: ErrorCode,
) -> OffsetFetchResponseGroup {
    OffsetFetchResponseGroup::default()
        .with_group_id(group_id)
        .with_error_code(error.0)
}

/// The response to a request that fails as a whole; `None` for requests of other APIs.
pub(super) fn error(request: &RequestKind, version: i16, error: ErrorCode) -> Option<ResponseKind> {
    Some(match request {
        RequestKind::JoinGroup(request) => {
            let name = (version < 7).then(StrBytes::default);
            JoinGroupResponse::default()
                .with_member_id(request.member_id.clone())
                .with_protocol_name(name)
                .with_error_code(error.0)
                .into()
        }
        RequestKind::SyncGroup(_) => SyncGroupResponse::default().with_error_code(error.0).into(),
        RequestKind::Heartbeat(_) => HeartbeatResponse::default().with_error_code(error.0).into(),
        RequestKind::LeaveGroup(request) if error == ErrorCode::UNKNOWN_MEMBER_ID => {
            let members = leaving(request, version)
                .into_iter()
                .map(|(member_id, instance)| {
                    MemberResponse::default()
                        .with_member_id(member_id)
                        .with_group_instance_id(instance)
                        .with_error_code(error.0)
                });
            leave(version, members.collect()).into()
        }
        RequestKind::LeaveGroup(_) => LeaveGroupResponse::default()
            .with_error_code(error.0)
            .into(),
        RequestKind::OffsetCommit(request) => commit_error(request, error).into(),
        RequestKind::OffsetFetch(request) => fetch_error(request, version, error).into(),
        RequestKind::ListGroups(_) => ListGroupsResponse::default()
            .with_error_code(error.0)
            .into(),
        RequestKind::DescribeGroups(request) => {
            let groups = request.groups.iter().map(|group| {
                DescribedGroup::default()
                    .with_group_id(group.clone())
                    .with_error_code(error.0)
            });
            DescribeGroupsResponse::default()
                .with_groups(groups.collect())
                .into()
        }
        RequestKind::DeleteGroups(request) => {
            let results = request.groups_names.iter().map(|group| {
                DeletableGroupResult::default()
                    .with_group_id(group.clone())
                    .with_error_code(error.0)
            });
            DeleteGroupsResponse::default()
                .with_results(results.collect())
                .into()
        }
        RequestKind::OffsetDelete(_) => OffsetDeleteResponse::default()
            .with_error_code(error.0)
            .into(),
        _ => return None,
    })
}

/// Turns a response that waited for an append into the error that the append ended with. Where a
/// response speaks for several groups, only those that `affects` names fail.
pub(super) fn fail(
    response: &mut ResponseKind,
    request: &RequestKind,
    version: i16,
    code: ErrorCode,
    affects: impl Fn(&str) -> bool,
) {
    match response {
        ResponseKind::DeleteGroups(response) => {
            for result in &mut response.results {
                if affects(&result.group_id) && result.error_code == 0 {
                    result.error_code = code.0;
                }
            }
        }
        ResponseKind::OffsetFetch(response) if version >= 8 => {
            for group in &mut response.groups {
                if affects(&group.group_id) {
                    *group = fetch_group_error(group.group_id.clone(), code);
                }
            }
        }
        response => {
            if let Some(failed) = error(request, version, code) {
                *response = failed;
            }
        }
    }
}
