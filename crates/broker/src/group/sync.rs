//! SyncGroup, Heartbeat and LeaveGroup (`GroupMetadataManager.classicGroupSync` and its neighbours).

use std::collections::BTreeMap;

use bytes::Bytes;
use playground_protocol::messages::leave_group_response::MemberResponse;
use playground_protocol::messages::{
    HeartbeatRequest, HeartbeatResponse, LeaveGroupRequest, RequestKind, ResponseKind,
    SyncGroupRequest, SyncGroupResponse,
};
use playground_protocol::{ErrorCode, Time};

use super::responses;
use super::runtime::{After, Call, Runtime};
use super::shard::Shard;
use super::state::{Group, GroupState};
use super::timers::TimerKey;

impl Shard {
    /// Handles a SyncGroup: the leader brings the assignment, everybody gets its part.
    pub fn sync(&mut self, rt: &mut Runtime, call: &Call, request: &SyncGroupRequest) {
        let id = request.group_id.as_str();
        let member_id = request.member_id.as_str();
        let waiting = call.waiting();
        let Some(group) = self.groups.get_mut(id) else {
            return responses::sync_error(rt, waiting, ErrorCode::UNKNOWN_MEMBER_ID);
        };
        if let Err(error) = validate_sync(group, request) {
            return responses::sync_error(rt, waiting, error);
        }
        let is_leader = group.is_leader(member_id);
        let Some(member) = group.members.get_mut(member_id) else {
            return responses::sync_error(rt, waiting, ErrorCode::UNKNOWN_MEMBER_ID);
        };
        match group.state {
            GroupState::Empty | GroupState::Dead => {
                responses::sync_error(rt, waiting, ErrorCode::UNKNOWN_MEMBER_ID);
            }
            GroupState::PreparingRebalance => {
                responses::sync_error(rt, waiting, ErrorCode::REBALANCE_IN_PROGRESS);
            }
            GroupState::CompletingRebalance => {
                if let Some(replaced) = member.awaiting_sync.replace(waiting) {
                    responses::sync_error(rt, replaced, ErrorCode::REBALANCE_IN_PROGRESS);
                }
                self.synced(id, member_id);
                if is_leader {
                    self.take_assignment(rt, request);
                }
            }
            GroupState::Stable => {
                let assignment = member.assignment.clone();
                let response = SyncGroupResponse::default()
                    .with_protocol_type(responses::optional(group.protocol_type.as_deref()))
                    .with_protocol_name(responses::optional(group.protocol_name.as_deref()))
                    .with_assignment(assignment);
                rt.respond(call.request_id, response.into());
                self.synced(id, member_id);
            }
        }
    }

    /// Writes the leader's assignment; members without a part get an empty one.
    fn take_assignment(&mut self, rt: &mut Runtime, request: &SyncGroupRequest) {
        let id = request.group_id.as_str();
        let Some(group) = self.groups.get(id) else {
            return;
        };
        let mut assignment: BTreeMap<String, Bytes> = group
            .members
            .keys()
            .map(|member| (member.clone(), Bytes::new()))
            .collect();
        for part in &request.assignments {
            assignment.insert(part.member_id.to_string(), part.assignment.clone());
        }
        let record = group.to_record(Some(&assignment));
        let after = After::Assignment {
            group: id.to_owned(),
            generation: group.generation,
            assignment,
        };
        self.write_group(rt, id, &record, after);
    }

    /// Notes that a member synced; the phase's deadline goes when all have.
    fn synced(&mut self, id: &str, member_id: &str) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        group.pending_sync.remove(member_id);
        if group.pending_sync.is_empty() {
            self.timers.cancel(&TimerKey::Sync {
                group: id.to_owned(),
            });
        }
    }

    /// Handles a Heartbeat.
    pub fn heartbeat(
        &mut self,
        rt: &mut Runtime,
        call: &Call,
        request: &HeartbeatRequest,
        now: Time,
    ) {
        let result = self.check_heartbeat(request, now);
        let code = result.err().unwrap_or(ErrorCode::NONE);
        let response = HeartbeatResponse::default().with_error_code(code.0);
        let waits_for = rt.last_pending(self.partition);
        rt.respond_after(
            waits_for,
            call,
            RequestKind::Heartbeat(request.clone()),
            response.into(),
        );
    }

    fn check_heartbeat(&mut self, request: &HeartbeatRequest, now: Time) -> Result<(), ErrorCode> {
        let id = request.group_id.as_str();
        let group = self.groups.get(id).ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
        if group.state == GroupState::Dead {
            return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
        }
        group.validate_member(&request.member_id, request.group_instance_id.as_deref())?;
        if request.generation_id != group.generation {
            return Err(ErrorCode::ILLEGAL_GENERATION);
        }
        let state = group.state;
        if state == GroupState::Empty {
            return Err(ErrorCode::UNKNOWN_MEMBER_ID);
        }
        self.schedule_heartbeat(id, &request.member_id, now);
        if state == GroupState::PreparingRebalance {
            return Err(ErrorCode::REBALANCE_IN_PROGRESS);
        }
        Ok(())
    }

    /// Handles a LeaveGroup of one member (before version 3) or several.
    pub fn leave(&mut self, rt: &mut Runtime, call: &Call, request: &LeaveGroupRequest, now: Time) {
        let id = request.group_id.as_str();
        let kind = RequestKind::LeaveGroup(request.clone());
        let appends_before = rt.append_count();
        let response = match self.groups.get(id).map(|group| group.state) {
            None => responses::error(&kind, call.version, ErrorCode::UNKNOWN_MEMBER_ID),
            Some(GroupState::Dead) => {
                responses::error(&kind, call.version, ErrorCode::COORDINATOR_NOT_AVAILABLE)
            }
            Some(state) => {
                let members = self.remove_leaving(rt, call, request);
                if members.iter().any(|member| member.error_code == 0) {
                    match state {
                        GroupState::Stable | GroupState::CompletingRebalance => {
                            self.prepare_rebalance_or_complete_join(rt, id, now);
                        }
                        GroupState::PreparingRebalance => {
                            self.complete_join_if_all_joined(rt, id, now);
                        }
                        _ => {}
                    }
                }
                Some(ResponseKind::LeaveGroup(responses::leave(
                    call.version,
                    members,
                )))
            }
        };
        let Some(response) = response else { return };
        // Kafka completes a write without records after the writes before it.
        let own = (appends_before..rt.append_count()).collect::<Vec<u64>>();
        let waits_for = if own.is_empty() {
            rt.last_pending(self.partition).into_iter().collect()
        } else {
            own
        };
        rt.respond_after(waits_for, call, kind, response);
    }

    fn remove_leaving(
        &mut self,
        rt: &mut Runtime,
        call: &Call,
        request: &LeaveGroupRequest,
    ) -> Vec<MemberResponse> {
        let id = request.group_id.as_str();
        let mut responses = Vec::new();
        for (member_id, instance) in responses::leaving(request, call.version) {
            let result = self.remove_one(rt, id, &member_id, instance.as_deref());
            let code = result.err().unwrap_or(ErrorCode::NONE);
            responses.push(
                MemberResponse::default()
                    .with_member_id(member_id)
                    .with_group_instance_id(instance)
                    .with_error_code(code.0),
            );
        }
        responses
    }

    fn remove_one(
        &mut self,
        rt: &mut Runtime,
        id: &str,
        member_id: &str,
        instance: Option<&str>,
    ) -> Result<(), ErrorCode> {
        let group = self
            .groups
            .get_mut(id)
            .ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?;
        let member_id = if member_id.is_empty() {
            // An admin client removes a static member by its instance id.
            let known = instance.and_then(|instance| group.static_members.get(instance));
            known.cloned().ok_or(ErrorCode::UNKNOWN_MEMBER_ID)?
        } else {
            if !group.pending_join.contains(member_id) {
                group.validate_member(member_id, instance)?;
            }
            member_id.to_owned()
        };
        if let Some(removed) = group.remove(&member_id) {
            if let Some(waiting) = removed.awaiting_join {
                responses::join_error(rt, waiting, "", ErrorCode::UNKNOWN_MEMBER_ID);
            }
            if let Some(waiting) = removed.awaiting_sync {
                responses::sync_error(rt, waiting, ErrorCode::UNKNOWN_MEMBER_ID);
            }
        }
        self.timers.cancel_heartbeat(id, &member_id);
        Ok(())
    }
}

fn validate_sync(group: &Group, request: &SyncGroupRequest) -> Result<(), ErrorCode> {
    if group.state == GroupState::Empty {
        return Err(ErrorCode::UNKNOWN_MEMBER_ID);
    }
    if group.state == GroupState::Dead {
        return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
    }
    group.validate_member(&request.member_id, request.group_instance_id.as_deref())?;
    if request.generation_id != group.generation {
        return Err(ErrorCode::ILLEGAL_GENERATION);
    }
    let differs = |asked: Option<&str>, actual: Option<&str>| {
        asked.is_some_and(|asked| actual.is_some_and(|actual| actual != asked))
    };
    if differs(
        request.protocol_type.as_deref(),
        group.protocol_type.as_deref(),
    ) || differs(
        request.protocol_name.as_deref(),
        group.protocol_name.as_deref(),
    ) {
        return Err(ErrorCode::INCONSISTENT_GROUP_PROTOCOL);
    }
    Ok(())
}
