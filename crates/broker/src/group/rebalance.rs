//! Rebalances: the join phase, the sync phase, and the deadlines of both (`GroupMetadataManager`).

use bytes::Bytes;
use playground_protocol::messages::JoinGroupResponse;
use playground_protocol::messages::join_group_response::JoinGroupResponseMember;
use playground_protocol::{ErrorCode, Time};

use super::responses;
use super::runtime::{After, Runtime};
use super::shard::Shard;
use super::state::{Group, GroupState};
use super::timers::{TimerAction, TimerKey};

impl Shard {
    /// Begins a rebalance if the group is in a state to; else ends the join phase if all joined.
    pub fn prepare_rebalance_or_complete_join(&mut self, rt: &mut Runtime, id: &str, now: Time) {
        let Some(group) = self.groups.get(id) else {
            return;
        };
        if group.state.can_become(GroupState::PreparingRebalance) {
            self.prepare_rebalance(rt, id, now);
        } else {
            self.complete_join_if_all_joined(rt, id, now);
        }
    }

    /// Begins a rebalance. An empty group waits for more members first
    /// (`group.initial.rebalance.delay.ms`).
    pub fn prepare_rebalance(&mut self, rt: &mut Runtime, id: &str, now: Time) {
        let Some(group) = self.groups.get(id) else {
            return;
        };
        if group.state == GroupState::CompletingRebalance {
            self.reset_assignment(rt, id, ErrorCode::REBALANCE_IN_PROGRESS, now);
        }
        self.timers.cancel(&TimerKey::Sync {
            group: id.to_owned(),
        });
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        group.pending_sync.clear();
        let is_initial = group.state == GroupState::Empty;
        group.transition_to(GroupState::PreparingRebalance, now);
        if is_initial {
            let delay_ms = rt.config.initial_rebalance_delay_ms;
            let remaining_ms = group.rebalance_timeout_ms().saturating_sub(delay_ms).max(0);
            let action = TimerAction::InitialDelay {
                delay_ms,
                remaining_ms,
            };
            let at = now.plus_millis(i64::from(delay_ms));
            self.timers.schedule(
                TimerKey::Join {
                    group: id.to_owned(),
                },
                at,
                action,
            );
        } else if group.has_all_members_joined() {
            self.complete_join(rt, id, now);
        } else {
            let at = now.plus_millis(i64::from(group.rebalance_timeout_ms()));
            let key = TimerKey::Join {
                group: id.to_owned(),
            };
            self.timers.schedule(key, at, TimerAction::CompleteJoin);
        }
    }

    /// Ends the join phase when nobody is missing, but never within an initial delay.
    pub fn complete_join_if_all_joined(&mut self, rt: &mut Runtime, id: &str, now: Time) {
        let Some(group) = self.groups.get(id) else {
            return;
        };
        if group.state == GroupState::PreparingRebalance
            && group.previous_state != GroupState::Empty
            && group.has_all_members_joined()
        {
            self.complete_join(rt, id, now);
        }
    }

    /// An initial delay is over: it begins again while members keep coming and the rebalance timeout
    /// allows it.
    pub fn end_initial_delay(
        &mut self,
        rt: &mut Runtime,
        id: &str,
        delay_ms: i32,
        remaining_ms: i32,
        now: Time,
    ) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        if !group.new_member_added || remaining_ms == 0 {
            return self.complete_join(rt, id, now);
        }
        group.new_member_added = false;
        let next_delay_ms = rt.config.initial_rebalance_delay_ms.min(remaining_ms);
        let action = TimerAction::InitialDelay {
            delay_ms: next_delay_ms,
            remaining_ms: remaining_ms.saturating_sub(delay_ms).max(0),
        };
        let at = now.plus_millis(i64::from(next_delay_ms));
        self.timers.schedule(
            TimerKey::Join {
                group: id.to_owned(),
            },
            at,
            action,
        );
    }

    /// Ends the join phase: dynamic members that did not join are out, the rest form the next
    /// generation.
    pub fn complete_join(&mut self, rt: &mut Runtime, id: &str, now: Time) {
        let join_key = TimerKey::Join {
            group: id.to_owned(),
        };
        self.timers.cancel(&join_key);
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        if group.state != GroupState::PreparingRebalance {
            return;
        }
        let missing = group
            .members
            .values()
            .filter(|member| member.awaiting_join.is_none() && member.group_instance_id.is_none());
        let missing: Vec<String> = missing.map(|member| member.member_id.clone()).collect();
        for member in missing {
            group.remove(&member);
            self.timers.cancel_heartbeat(id, &member);
        }
        if !group.elect_joined_leader() && !group.members.is_empty() {
            // Only static members are left and none of them joined: they keep their places.
            let at = now.plus_millis(i64::from(group.rebalance_timeout_ms().max(1)));
            return self
                .timers
                .schedule(join_key, at, TimerAction::CompleteJoin);
        }
        group.begin_generation(now);
        if group.state == GroupState::Empty {
            let record = group.to_record(None);
            self.write_group(rt, id, &record, After::Nothing);
            return;
        }
        let members: Vec<String> = group.members.keys().cloned().collect();
        for member_id in &members {
            let response = joined(group, member_id, group.is_leader(member_id));
            if let Some(member) = group.members.get_mut(member_id) {
                member.is_new = false;
                if let Some(waiting) = member.awaiting_join.take() {
                    responses::join(rt, waiting, response);
                }
            }
            group.pending_sync.insert(member_id.clone());
        }
        let at = now.plus_millis(i64::from(group.rebalance_timeout_ms()));
        let action = TimerAction::ExpireSync {
            generation: group.generation,
        };
        self.timers.schedule(
            TimerKey::Sync {
                group: id.to_owned(),
            },
            at,
            action,
        );
        for member_id in &members {
            self.schedule_heartbeat(id, member_id, now);
        }
    }

    /// The sync phase took too long: members that did not sync are out.
    pub fn expire_sync(&mut self, rt: &mut Runtime, id: &str, generation: i32, now: Time) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        let in_phase = matches!(
            group.state,
            GroupState::CompletingRebalance | GroupState::Stable
        );
        if generation != group.generation || !in_phase || group.pending_sync.is_empty() {
            return;
        }
        for member in std::mem::take(&mut group.pending_sync) {
            group.remove(&member);
            self.timers.cancel_heartbeat(id, &member);
        }
        self.prepare_rebalance(rt, id, now);
    }

    /// A member was silent for a session, or a promised one never came.
    pub fn expire_member(&mut self, rt: &mut Runtime, id: &str, member_id: &str, now: Time) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        if group.pending_join.contains(member_id) {
            group.remove(member_id);
            if group.state == GroupState::PreparingRebalance && group.has_all_members_joined() {
                self.complete_join(rt, id, now);
            }
            return;
        }
        match group.members.get(member_id) {
            Some(member) if !member.has_satisfied_heartbeat() => {}
            _ => return,
        }
        if let Some(waiting) = group
            .remove(member_id)
            .and_then(|member| member.awaiting_join)
        {
            responses::join_error(rt, waiting, "", ErrorCode::UNKNOWN_MEMBER_ID);
        }
        match group.state {
            GroupState::Stable | GroupState::CompletingRebalance => {
                self.prepare_rebalance_or_complete_join(rt, id, now);
            }
            GroupState::PreparingRebalance if group.has_all_members_joined() => {
                self.complete_join(rt, id, now);
            }
            _ => {}
        }
    }

    /// Takes every assignment back; members that wait for theirs get the error.
    pub fn reset_assignment(&mut self, rt: &mut Runtime, id: &str, error: ErrorCode, now: Time) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        let mut answered = Vec::new();
        for member in group.members.values_mut() {
            member.assignment = Bytes::new();
            if let Some(waiting) = member.awaiting_sync.take() {
                responses::sync_error(rt, waiting, error);
                answered.push(member.member_id.clone());
            }
        }
        for member in answered {
            self.schedule_heartbeat(id, &member, now);
        }
    }

    /// Begins the member's session anew.
    pub fn schedule_heartbeat(&mut self, id: &str, member_id: &str, now: Time) {
        let member = self
            .groups
            .get(id)
            .and_then(|group| group.members.get(member_id));
        let Some(timeout_ms) = member.map(|member| member.session_timeout_ms) else {
            return;
        };
        self.schedule_session(id, member_id, timeout_ms, now);
    }

    /// Gives a member, or one that is to come, some time.
    pub fn schedule_session(&mut self, id: &str, member_id: &str, timeout_ms: i32, now: Time) {
        let key = TimerKey::Heartbeat {
            group: id.to_owned(),
            member: member_id.to_owned(),
        };
        let at = now.plus_millis(i64::from(timeout_ms));
        self.timers.schedule(key, at, TimerAction::ExpireMember);
    }
}

/// The response of a member that belongs to the current generation.
pub(super) fn joined(group: &Group, member_id: &str, with_members: bool) -> JoinGroupResponse {
    let members = if with_members {
        let members = group.members.values().map(|member| {
            JoinGroupResponseMember::default()
                .with_member_id(responses::text(&member.member_id))
                .with_group_instance_id(responses::optional(member.group_instance_id.as_deref()))
                .with_metadata(member.metadata(group.protocol_name.as_deref()))
        });
        members.collect()
    } else {
        Vec::new()
    };
    JoinGroupResponse::default()
        .with_generation_id(group.generation)
        .with_protocol_type(responses::optional(group.protocol_type.as_deref()))
        .with_protocol_name(responses::optional(group.protocol_name.as_deref()))
        .with_leader(responses::text(group.leader.as_deref().unwrap_or_default()))
        .with_member_id(responses::text(member_id))
        .with_members(members)
}
