//! JoinGroup (`GroupMetadataManager.classicGroupJoin`): new and known members, static members
//! (KIP-345), member ids given first (KIP-394).

use bytes::Bytes;
use playground_protocol::messages::JoinGroupRequest;
use playground_protocol::{ErrorCode, Time};

use super::member::{Member, Waiting};
use super::rebalance::joined;
use super::responses;
use super::runtime::{After, Call, Runtime, StaticRejoin};
use super::shard::{Shard, max_size};
use super::state::{Group, GroupState};

/// From this version on a new dynamic member first gets its id and joins again with it (KIP-394).
const REQUIRES_KNOWN_MEMBER_ID: i16 = 4;
/// From this version on a leader can be told to skip the assignment (KIP-814).
const SUPPORTS_SKIPPING_ASSIGNMENT: i16 = 9;

impl Shard {
    /// Handles a JoinGroup whose group id and session timeout are in order.
    pub fn join(&mut self, rt: &mut Runtime, call: &Call, request: &JoinGroupRequest, now: Time) {
        let id = request.group_id.as_str();
        let member_id = request.member_id.as_str();
        let is_new_group = !self.groups.contains_key(id);
        if is_new_group && !member_id.is_empty() {
            return responses::join_error(
                rt,
                call.waiting(),
                member_id,
                ErrorCode::UNKNOWN_MEMBER_ID,
            );
        }
        let appends_before = rt.append_count();
        let limit = max_size(rt);
        let group = self
            .groups
            .entry(id.to_owned())
            .or_insert_with(|| Group::new(id, now));
        if !accepts(group, member_id, limit) {
            group.remove(member_id);
            responses::join_error(rt, call.waiting(), "", ErrorCode::GROUP_MAX_SIZE_REACHED);
        } else if member_id.is_empty() {
            self.join_new(rt, call, request, now);
        } else {
            self.join_known(rt, call, request, now);
        }
        if is_new_group && rt.append_count() == appends_before {
            let Some(record) = self.groups.get(id).map(Group::to_empty_record) else {
                return;
            };
            let after = After::NewGroup {
                group: id.to_owned(),
                waiting: call.waiting(),
            };
            self.write_group(rt, id, &record, after);
        }
    }

    /// A member without an id.
    fn join_new(&mut self, rt: &mut Runtime, call: &Call, request: &JoinGroupRequest, now: Time) {
        let id = request.group_id.as_str();
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        if !group.supports_protocols(&request.protocol_type, &protocols(request)) {
            let error = ErrorCode::INCONSISTENT_GROUP_PROTOCOL;
            return responses::join_error(rt, call.waiting(), "", error);
        }
        match request.group_instance_id.as_deref() {
            Some(instance) => {
                let new_member_id = rt.new_member_id(instance);
                match group.static_members.get(instance).cloned() {
                    Some(old) => {
                        self.replace_static(rt, call, request, instance, &old, &new_member_id, now);
                    }
                    None => self.add_member(rt, call, request, &new_member_id, now),
                }
            }
            None => {
                let new_member_id = rt.new_member_id(&call.client_id);
                if call.version < REQUIRES_KNOWN_MEMBER_ID {
                    return self.add_member(rt, call, request, &new_member_id, now);
                }
                group.pending_join.insert(new_member_id.clone());
                self.schedule_session(id, &new_member_id, request.session_timeout_ms, now);
                let error = ErrorCode::MEMBER_ID_REQUIRED;
                responses::join_error(rt, call.waiting(), &new_member_id, error);
            }
        }
    }

    /// A member with an id: one that was just given, or a rejoining one.
    fn join_known(&mut self, rt: &mut Runtime, call: &Call, request: &JoinGroupRequest, now: Time) {
        let id = request.group_id.as_str();
        let member_id = request.member_id.as_str();
        let waiting = call.waiting();
        let Some(group) = self.groups.get(id) else {
            return;
        };
        let protocols = protocols(request);
        if !group.supports_protocols(&request.protocol_type, &protocols) {
            let error = ErrorCode::INCONSISTENT_GROUP_PROTOCOL;
            return responses::join_error(rt, waiting, member_id, error);
        }
        let instance = request.group_instance_id.as_deref();
        if group.pending_join.contains(member_id) {
            if instance.is_some() {
                // Kafka throws here: static members are never asked to come back with an id.
                return responses::join_error(rt, waiting, "", ErrorCode::UNKNOWN_SERVER_ERROR);
            }
            return self.add_member(rt, call, request, member_id, now);
        }
        if let Err(error) = group.validate_member(member_id, instance) {
            return responses::join_error(rt, waiting, member_id, error);
        }
        let is_leader = group.is_leader(member_id);
        let is_unchanged = group
            .members
            .get(member_id)
            .is_some_and(|member| member.protocols == protocols);
        match group.state {
            GroupState::CompletingRebalance if is_unchanged => {
                // It missed the response of the join phase.
                let response = joined(group, member_id, is_leader);
                responses::join(rt, waiting, response);
            }
            GroupState::Stable if is_unchanged && !is_leader => {
                let response = joined(group, member_id, false);
                responses::join(rt, waiting, response);
            }
            // A leader that joins again asks for a rebalance: its subscription's topics changed.
            GroupState::PreparingRebalance
            | GroupState::CompletingRebalance
            | GroupState::Stable => {
                self.update_member(rt, request, member_id, Some(waiting));
                self.prepare_rebalance_or_complete_join(rt, id, now);
            }
            GroupState::Empty | GroupState::Dead => {
                responses::join_error(rt, waiting, member_id, ErrorCode::UNKNOWN_MEMBER_ID);
            }
        }
    }

    fn add_member(
        &mut self,
        rt: &mut Runtime,
        call: &Call,
        request: &JoinGroupRequest,
        member_id: &str,
        now: Time,
    ) {
        let id = request.group_id.as_str();
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        if group.state == GroupState::PreparingRebalance
            && group.previous_state == GroupState::Empty
        {
            group.new_member_added = true;
        }
        if group.members.is_empty() {
            group.protocol_type = Some(request.protocol_type.to_string());
        }
        let member = Member {
            member_id: member_id.to_owned(),
            group_instance_id: request.group_instance_id.as_ref().map(ToString::to_string),
            client_id: call.client_id.clone(),
            client_host: call.client_host.clone(),
            rebalance_timeout_ms: rebalance_timeout_ms(request),
            session_timeout_ms: request.session_timeout_ms,
            protocols: protocols(request),
            assignment: Bytes::new(),
            awaiting_join: None,
            awaiting_sync: None,
            is_new: true,
        };
        group.add(member, Some(call.waiting()));
        // A new member may wait for the others longer than its session: it gets five minutes.
        self.schedule_session(id, member_id, super::NEW_MEMBER_JOIN_TIMEOUT_MS, now);
        self.prepare_rebalance_or_complete_join(rt, id, now);
    }

    /// Takes a member's new protocols, timeouts and open request. A request that it replaces (its
    /// connection is usually gone) is sent to try again.
    fn update_member(
        &mut self,
        rt: &mut Runtime,
        request: &JoinGroupRequest,
        member_id: &str,
        waiting: Option<Waiting>,
    ) {
        let group = self.groups.get_mut(request.group_id.as_str());
        let Some(member) = group.and_then(|group| group.members.get_mut(member_id)) else {
            return;
        };
        member.protocols = protocols(request);
        member.rebalance_timeout_ms = rebalance_timeout_ms(request);
        member.session_timeout_ms = request.session_timeout_ms;
        if let Some(replaced) = std::mem::replace(&mut member.awaiting_join, waiting) {
            let error = ErrorCode::REBALANCE_IN_PROGRESS;
            responses::join_error(rt, replaced, member_id, error);
        }
    }

    /// A static member came back without its member id: it takes over its own place, and whoever still
    /// holds that is fenced.
    #[allow(clippy::too_many_arguments)]
    fn replace_static(
        &mut self,
        rt: &mut Runtime,
        call: &Call,
        request: &JoinGroupRequest,
        instance: &str,
        old_member_id: &str,
        new_member_id: &str,
        now: Time,
    ) {
        let id = request.group_id.as_str();
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        let leader = group.leader.clone();
        let Some(old) = rename_static(rt, group, instance, old_member_id, new_member_id) else {
            return;
        };
        self.timers.cancel_heartbeat(id, old_member_id);
        // The session is still that of the member before: Kafka takes over the new timeouts only then.
        self.schedule_heartbeat(id, new_member_id, now);
        self.update_member(rt, request, new_member_id, Some(call.waiting()));
        let Some(group) = self.groups.get(id) else {
            return;
        };
        match group.state {
            GroupState::Stable if group.select_protocol() == group.protocol_name => {
                let record = group.to_record(None);
                let rejoin = StaticRejoin {
                    group: id.to_owned(),
                    instance: instance.to_owned(),
                    old_member_id: old_member_id.to_owned(),
                    new_member_id: new_member_id.to_owned(),
                    old_protocols: old.protocols,
                    old_rebalance_timeout_ms: old.rebalance_timeout_ms,
                    old_session_timeout_ms: old.session_timeout_ms,
                    leader,
                    waiting: call.waiting(),
                };
                self.write_group(rt, id, &record, After::StaticRejoin(Box::new(rejoin)));
            }
            GroupState::Stable => self.prepare_rebalance_or_complete_join(rt, id, now),
            GroupState::CompletingRebalance => self.prepare_rebalance(rt, id, now),
            _ => self.complete_join_if_all_joined(rt, id, now),
        }
    }

    /// The record of a static member's new id is kept, or could not be.
    pub fn static_rejoined(
        &mut self,
        rt: &mut Runtime,
        rejoin: StaticRejoin,
        failure: Option<ErrorCode>,
        now: Time,
    ) {
        let Some(group) = self.groups.get_mut(&rejoin.group) else {
            return;
        };
        let Some(member) = group.members.get_mut(&rejoin.new_member_id) else {
            return;
        };
        if let Some(error) = failure {
            let was_waiting = member.awaiting_join.take() == Some(rejoin.waiting);
            member.protocols = rejoin.old_protocols;
            member.rebalance_timeout_ms = rejoin.old_rebalance_timeout_ms;
            member.session_timeout_ms = rejoin.old_session_timeout_ms;
            rename_static(
                rt,
                group,
                &rejoin.instance,
                &rejoin.new_member_id,
                &rejoin.old_member_id,
            );
            if was_waiting {
                let mut response = joined(group, "", false).with_error_code(error.0);
                response.leader = responses::text(rejoin.leader.as_deref().unwrap_or_default());
                responses::join(rt, rejoin.waiting, response);
            }
            self.timers
                .cancel_heartbeat(&rejoin.group, &rejoin.new_member_id);
            return self.schedule_heartbeat(&rejoin.group, &rejoin.old_member_id, now);
        }
        if member.awaiting_join != Some(rejoin.waiting) {
            return;
        }
        member.awaiting_join = None;
        let response = if rejoin.waiting.version >= SUPPORTS_SKIPPING_ASSIGNMENT {
            let is_leader = group.is_leader(&rejoin.new_member_id);
            joined(group, &rejoin.new_member_id, is_leader).with_skip_assignment(is_leader)
        } else {
            // Named as follower, even if it leads: it must not assign what is assigned already.
            let mut response = joined(group, &rejoin.new_member_id, false);
            response.leader = responses::text(rejoin.leader.as_deref().unwrap_or_default());
            response
        };
        responses::join(rt, rejoin.waiting, response);
    }
}

/// Gives a static member another id, in all places. Returns the member as it was.
fn rename_static(
    rt: &mut Runtime,
    group: &mut Group,
    instance: &str,
    old_member_id: &str,
    new_member_id: &str,
) -> Option<Member> {
    let mut old = group.members.remove(old_member_id)?;
    if let Some(waiting) = old.awaiting_join.take() {
        responses::join_error(rt, waiting, old_member_id, ErrorCode::FENCED_INSTANCE_ID);
    }
    if let Some(waiting) = old.awaiting_sync.take() {
        responses::sync_error(rt, waiting, ErrorCode::FENCED_INSTANCE_ID);
    }
    let new = Member {
        member_id: new_member_id.to_owned(),
        is_new: false,
        ..old.clone()
    };
    group.members.insert(new_member_id.to_owned(), new);
    if group.is_leader(old_member_id) {
        group.leader = Some(new_member_id.to_owned());
    }
    group
        .static_members
        .insert(instance.to_owned(), new_member_id.to_owned());
    Some(old)
}

/// Whether the group has room for the member (`group.max.size`).
fn accepts(group: &Group, member_id: &str, limit: usize) -> bool {
    match group.state {
        GroupState::Empty | GroupState::Dead => true,
        GroupState::PreparingRebalance => {
            let waits = group
                .members
                .get(member_id)
                .is_some_and(|member| member.awaiting_join.is_some());
            waits || group.awaiting_join_count() < limit
        }
        GroupState::CompletingRebalance | GroupState::Stable => {
            group.members.contains_key(member_id) || group.members.len() < limit
        }
    }
}

fn protocols(request: &JoinGroupRequest) -> Vec<(String, Bytes)> {
    let protocols = request.protocols.iter();
    protocols
        .map(|protocol| (protocol.name.to_string(), protocol.metadata.clone()))
        .collect()
}

/// Version 0 has no rebalance timeout: the session timeout stands for it.
fn rebalance_timeout_ms(request: &JoinGroupRequest) -> i32 {
    if request.rebalance_timeout_ms < 0 {
        request.session_timeout_ms
    } else {
        request.rebalance_timeout_ms
    }
}
