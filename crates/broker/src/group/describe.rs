//! ListGroups, DescribeGroups, DeleteGroups, and the views of groups for the page and the tools.

use bytes::Bytes;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::describe_groups_response::{
    DescribedGroup, DescribedGroupMember,
};
use playground_protocol::messages::list_groups_response::ListedGroup;
use playground_protocol::messages::{GroupId, ListGroupsRequest};
use playground_protocol::{ErrorCode, Time};

use super::responses;
use super::runtime::Runtime;
use super::shard::{Change, Shard};
use super::state::{Group, GroupState};

/// The type of all groups here, as ListGroups names it.
const CLASSIC: &str = "classic";
/// From this version on DescribeGroups tells unknown groups from dead ones (KIP-1043).
const TELLS_UNKNOWN_GROUPS: i16 = 6;
/// What everybody may do to a group where no authorizer is configured, as bits of `AclOperation` codes:
/// READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS.
const ALL_GROUP_OPERATIONS: i32 = 1 << 3 | 1 << 6 | 1 << 8 | 1 << 10 | 1 << 11;

/// A group as the page and the tools show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupView {
    /// The group's id.
    pub group_id: String,
    /// Its partition of `__consumer_offsets`.
    pub partition: i32,
    /// Its state.
    pub state: GroupState,
    /// Its generation.
    pub generation: i32,
    /// `consumer`, `connect`, ...; `None` when nobody ever joined.
    pub protocol_type: Option<String>,
    /// The selected protocol: a consumer group's assignor.
    pub protocol_name: Option<String>,
    /// The leader's member id.
    pub leader: Option<String>,
    /// The members, by member id.
    pub members: Vec<MemberView>,
    /// The committed offsets, by topic and partition.
    pub offsets: Vec<OffsetView>,
}

/// A member of a [`GroupView`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberView {
    /// The member's id.
    pub member_id: String,
    /// The instance id of a static member.
    pub group_instance_id: Option<String>,
    /// The client's name for itself.
    pub client_id: String,
    /// The client's address, with Java's leading slash.
    pub client_host: String,
    /// The assignment's bytes, as the leader made them; see
    /// [`assigned_partitions`](super::consumer_protocol::assigned_partitions).
    pub assignment: Bytes,
}

/// A committed offset of a [`GroupView`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetView {
    /// The topic's name.
    pub topic: String,
    /// The partition's index.
    pub partition: i32,
    /// The next offset that the group wants to read.
    pub offset: i64,
    /// The leader epoch of the last consumed record, -1 when unknown.
    pub leader_epoch: i32,
    /// What the client noted with it.
    pub metadata: String,
    /// When it was committed, in milliseconds since the epoch.
    pub commit_timestamp: i64,
}

impl Shard {
    /// The groups that a ListGroups asks for.
    pub fn list(&self, request: &ListGroupsRequest) -> Vec<ListedGroup> {
        let is_state_wanted = |group: &Group| {
            request.states_filter.is_empty()
                || request
                    .states_filter
                    .iter()
                    .any(|state| state.trim().eq_ignore_ascii_case(group.state.as_str()))
        };
        let is_type_wanted = request.types_filter.is_empty()
            || request
                .types_filter
                .iter()
                .any(|kind| kind.trim().eq_ignore_ascii_case(CLASSIC));
        if !is_type_wanted {
            return Vec::new();
        }
        let groups = self
            .groups
            .values()
            .filter(|group| is_state_wanted(group))
            .map(|group| {
                ListedGroup::default()
                    .with_group_id(GroupId(responses::text(&group.id)))
                    .with_protocol_type(responses::text(
                        group.protocol_type.as_deref().unwrap_or_default(),
                    ))
                    .with_group_state(StrBytes::from_static_str(group.state.as_str()))
                    .with_group_type(StrBytes::from_static_str(CLASSIC))
            });
        groups.collect()
    }

    /// One group of a DescribeGroups.
    pub fn describe(
        &self,
        group_id: &GroupId,
        version: i16,
        with_operations: bool,
    ) -> DescribedGroup {
        let described = DescribedGroup::default().with_group_id(group_id.clone());
        let Some(group) = self.groups.get(group_id.as_str()) else {
            let dead =
                described.with_group_state(StrBytes::from_static_str(GroupState::Dead.as_str()));
            if version >= TELLS_UNKNOWN_GROUPS {
                let message = format!("Group {} not found.", group_id.as_str());
                return dead
                    .with_error_code(ErrorCode::GROUP_ID_NOT_FOUND.0)
                    .with_error_message(Some(StrBytes::from_string(message)));
            }
            return with_operations_if(dead, with_operations && version >= 3);
        };
        let is_stable = group.state == GroupState::Stable;
        let protocol = group.protocol_name.as_deref().filter(|_| is_stable);
        let members = group.members.values().map(|member| {
            DescribedGroupMember::default()
                .with_member_id(responses::text(&member.member_id))
                .with_group_instance_id(responses::optional(member.group_instance_id.as_deref()))
                .with_client_id(responses::text(&member.client_id))
                .with_client_host(responses::text(&member.client_host))
                .with_member_metadata(if is_stable {
                    member.metadata(protocol)
                } else {
                    Bytes::new()
                })
                .with_member_assignment(member.assignment.clone())
        });
        let described = described
            .with_group_state(StrBytes::from_static_str(group.state.as_str()))
            .with_protocol_type(responses::text(
                group.protocol_type.as_deref().unwrap_or_default(),
            ))
            .with_protocol_data(responses::text(protocol.unwrap_or_default()))
            .with_members(members.collect());
        with_operations_if(described, with_operations && version >= 3)
    }

    /// Deletes groups without members, with their offsets. Returns each group's outcome and the append
    /// to wait for.
    pub fn delete_groups(
        &mut self,
        rt: &mut Runtime,
        groups: &[&str],
        now: Time,
    ) -> (Vec<ErrorCode>, Option<u64>) {
        let mut changes = Vec::new();
        let mut outcomes = Vec::new();
        for id in groups {
            let result = self
                .groups
                .get(*id)
                .ok_or(ErrorCode::GROUP_ID_NOT_FOUND)
                .and_then(Group::validate_delete);
            if result.is_ok() {
                changes.extend(self.offsets.of_group(id).map(|(topic, partition, _)| {
                    Change::Forget {
                        group: (*id).to_owned(),
                        topic: topic.to_owned(),
                        partition,
                    }
                }));
                changes.push(Change::DeleteGroup {
                    group: (*id).to_owned(),
                });
            }
            outcomes.push(result.err().unwrap_or(ErrorCode::NONE));
        }
        (outcomes, self.write(rt, changes, now))
    }

    /// All groups, as the page and the tools show them.
    pub fn views(&self) -> impl Iterator<Item = GroupView> {
        self.groups.values().map(|group| GroupView {
            group_id: group.id.clone(),
            partition: self.partition,
            state: group.state,
            generation: group.generation,
            protocol_type: group.protocol_type.clone(),
            protocol_name: group.protocol_name.clone(),
            leader: group.leader.clone(),
            members: group
                .members
                .values()
                .map(|member| MemberView {
                    member_id: member.member_id.clone(),
                    group_instance_id: member.group_instance_id.clone(),
                    client_id: member.client_id.clone(),
                    client_host: member.client_host.clone(),
                    assignment: member.assignment.clone(),
                })
                .collect(),
            offsets: self
                .offsets
                .of_group(&group.id)
                .map(|(topic, partition, value)| OffsetView {
                    topic: topic.to_owned(),
                    partition,
                    offset: value.offset,
                    leader_epoch: value.leader_epoch,
                    metadata: value.metadata.clone(),
                    commit_timestamp: value.commit_timestamp,
                })
                .collect(),
        })
    }
}

fn with_operations_if(group: DescribedGroup, wanted: bool) -> DescribedGroup {
    if wanted {
        group.with_authorized_operations(ALL_GROUP_OPERATIONS)
    } else {
        group
    }
}
