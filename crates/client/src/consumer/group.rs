//! Finding the coordinator, joining, syncing, heartbeating, leaving (`ConsumerCoordinator`).

use std::collections::{BTreeMap, BTreeSet};

use playground_protocol::codec::StrBytes;
use playground_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use playground_protocol::messages::leave_group_request::MemberIdentity;
use playground_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use playground_protocol::messages::{
    ApiKey, FindCoordinatorRequest, FindCoordinatorResponse, GroupId, HeartbeatRequest,
    JoinGroupRequest, JoinGroupResponse, LeaveGroupRequest, SyncGroupRequest, SyncGroupResponse,
};
use playground_protocol::{ErrorCode, Time};

use super::assignor::{self, MemberSubscription};
use super::membership::{
    MemberState, decode_assignment, decode_subscription, encode_assignment, encode_subscription,
    user_data,
};
use super::sticky;
use super::{AfterCommit, Consumer, ConsumerEvent, Pending, Wish};
use crate::{ClientError, TopicPartition};

impl Consumer {
    pub(super) fn group(&self) -> GroupId {
        GroupId(StrBytes::from_string(
            self.config.group_id.clone().unwrap_or_default(),
        ))
    }

    pub(super) fn instance(&self) -> Option<StrBytes> {
        self.config
            .group_instance_id
            .clone()
            .map(StrBytes::from_string)
    }

    pub(super) fn member_id(&self) -> StrBytes {
        StrBytes::from_string(self.member.member_id.clone())
    }

    /// Whether the coordinator can be sent to; if not, looks for it or connects.
    pub(super) fn coordinator_ready(&mut self, now: Time) -> bool {
        if let Some(node) = self.coordinator {
            if self.network.connection_failed(node, now) {
                self.lose_coordinator(now);
                // Nothing else may wake a consumer that has no partition yet.
                self.network.wake_at(self.coordinator_not_before);
                return false;
            }
            return self.network.ready(node, now);
        }
        if self
            .pending
            .values()
            .any(|pending| matches!(pending, Pending::FindCoordinator))
        {
            return false;
        }
        if self.coordinator_not_before > now {
            self.network.wake_at(self.coordinator_not_before);
            return false;
        }
        // Java makes the request, with its correlation id, before it has a connection.
        let id = match self.coordinator_lookup {
            Some(id) => id,
            None => {
                let id = self.network.reserve_correlation_id();
                self.coordinator_lookup = Some(id);
                id
            }
        };
        let Some(node) = self.network.least_loaded_node(now) else {
            return false;
        };
        if !self.network.ready(node, now) {
            return false;
        }
        let Some(version) = self
            .network
            .version(node, ApiKey::FindCoordinator, i16::MAX)
        else {
            return false;
        };
        let key = self.group().0;
        let request = match version {
            4.. => FindCoordinatorRequest::default().with_coordinator_keys(vec![key]),
            _ => FindCoordinatorRequest::default().with_key(key),
        };
        let timeout_ms = self.config.common.request_timeout_ms;
        self.network.send_reserved(
            id,
            node,
            ApiKey::FindCoordinator,
            version,
            request,
            timeout_ms,
            now,
        );
        self.coordinator_lookup = None;
        self.pending.insert(id, Pending::FindCoordinator);
        false
    }

    pub(super) fn found_coordinator(&mut self, response: &FindCoordinatorResponse, now: Time) {
        let (code, node, host, port, message) = match response.coordinators.first() {
            Some(found) => (
                found.error_code,
                found.node_id.0,
                &found.host,
                found.port,
                found.error_message.as_ref(),
            ),
            None => (
                response.error_code,
                response.node_id.0,
                &response.host,
                response.port,
                response.error_message.as_ref(),
            ),
        };
        let code = ErrorCode(code);
        if code.is_none() {
            // The coordinator has a connection of its own, as in Java, so that fetches do not delay it.
            let own = i32::MAX - node;
            self.network.set_address(own, host, port);
            self.coordinator = Some(own);
            self.retries = 0;
            self.member.last_heard = now;
            return;
        }
        self.coordinator_not_before = self.retry_time(now);
        if !code.is_retriable() {
            let group = self.config.group_id.as_deref().unwrap_or_default();
            let text = match code {
                ErrorCode::GROUP_AUTHORIZATION_FAILED => {
                    Some(format!("Not authorized to access group: {group}"))
                }
                _ => message.map(ToString::to_string),
            };
            self.error(ClientError::from_code(code, text.as_deref()));
        }
    }

    /// The coordinator is somewhere else, or gone.
    pub(super) fn lose_coordinator(&mut self, now: Time) {
        if let Some(node) = self.coordinator.take() {
            self.network.disconnect(node, now);
        }
        let later = now.plus_millis(self.config.common.retry_backoff_ms);
        self.coordinator_not_before = self.coordinator_not_before.max(later);
    }

    /// Joins and heartbeats, as far as the group is managed.
    pub(super) fn run_group(&mut self, now: Time) {
        if !matches!(self.wish, Wish::Topics(_) | Wish::Pattern(_))
            || self.config.group_id.is_none()
        {
            return;
        }
        self.check_session(now);
        if !self.coordinator_ready(now) {
            return;
        }
        match self.member.state {
            MemberState::Stable if !self.member.rejoin => self.heartbeat(now),
            MemberState::Joining | MemberState::Syncing => {}
            MemberState::Stable | MemberState::Unjoined => self.prepare_join(now),
        }
    }

    /// The coordinator was not heard of for a whole session: look for it anew.
    fn check_session(&mut self, now: Time) {
        if self.member.state != MemberState::Stable {
            return;
        }
        let end = self
            .member
            .last_heard
            .plus_millis(i64::from(self.config.session_timeout_ms));
        if now >= end {
            self.lose_coordinator(now);
            self.member.last_heard = now;
        } else {
            self.network.wake_at(end);
        }
    }

    fn prepare_join(&mut self, now: Time) {
        if self.member.not_before > now {
            self.network.wake_at(self.member.not_before);
            return;
        }
        // A pattern means nothing before the topics are known.
        if matches!(self.wish, Wish::Pattern(_)) && self.network.metadata().version() == 0 {
            return;
        }
        if self
            .pending
            .values()
            .any(|pending| matches!(pending, Pending::Commit { .. }))
        {
            return;
        }
        if self.member.state == MemberState::Stable && self.config.auto_commit {
            let offsets = self.subscription.consumed();
            if !offsets.is_empty() {
                self.member.state = MemberState::Unjoined;
                self.send_commit(None, offsets, AfterCommit::Join, now);
                return;
            }
        }
        self.join(now);
    }

    /// Whether all assignors rebalance incrementally (KIP-429).
    fn is_cooperative(&self) -> bool {
        self.config
            .assignors
            .iter()
            .all(|name| name == "cooperative-sticky")
    }

    /// Gives the partitions back (the eager protocol; the cooperative one keeps them) and asks to join.
    pub(super) fn join(&mut self, now: Time) {
        let mut owned = self.subscription.partitions();
        if !owned.is_empty() {
            let topics = self.subscribed_topics();
            let (keep, revoked): (Vec<_>, Vec<_>) = owned
                .into_iter()
                .partition(|partition| self.is_cooperative() && topics.contains(&partition.topic));
            owned = keep;
            self.subscription.assign(&owned);
            self.fetched
                .retain(|fetched| owned.contains(&fetched.partition));
            if !revoked.is_empty() {
                self.events.push_back(ConsumerEvent::Revoked(revoked));
            }
        }
        self.member.state = MemberState::Unjoined;
        let Some(node) = self.coordinator else { return };
        let Some(version) = self.network.version(node, ApiKey::JoinGroup, i16::MAX) else {
            return;
        };
        self.joined_topics = self.subscribed_topics();
        let generation = self.member.generation;
        let protocols = self
            .config
            .assignors
            .iter()
            .map(|name| {
                JoinGroupRequestProtocol::default()
                    .with_name(StrBytes::from_string(name.clone()))
                    .with_metadata(encode_subscription(
                        &self.joined_topics,
                        &owned,
                        generation,
                        user_data(name, &self.member.had, self.member.had_generation),
                        &self.config.common.client_rack,
                    ))
            })
            .collect();
        let mut request = JoinGroupRequest::default()
            .with_group_id(self.group())
            .with_session_timeout_ms(self.config.session_timeout_ms)
            .with_rebalance_timeout_ms(self.config.max_poll_interval_ms)
            .with_member_id(self.member_id())
            .with_protocol_type(StrBytes::from_static_str("consumer"))
            .with_protocols(protocols);
        if version >= 5 {
            request = request.with_group_instance_id(self.instance());
        }
        if version >= 8 {
            let reason = std::mem::take(&mut self.member.reason);
            request = request.with_reason(Some(StrBytes::from_string(reason)));
        }
        let timeout_ms = self.join_timeout_ms();
        let id = self.network.reserve_correlation_id();
        self.network.send_reserved(
            id,
            node,
            ApiKey::JoinGroup,
            version,
            request,
            timeout_ms,
            now,
        );
        self.pending.insert(id, Pending::Join);
        self.member.state = MemberState::Joining;
        self.member.rejoin = false;
    }

    /// A join waits for the other members: as long as they may take, and 5 s.
    fn join_timeout_ms(&self) -> i64 {
        self.config
            .common
            .request_timeout_ms
            .max(i64::from(self.config.max_poll_interval_ms) + 5_000)
    }

    pub(super) fn joined(&mut self, response: &JoinGroupResponse, now: Time) {
        let code = ErrorCode(response.error_code);
        if self.member.state != MemberState::Joining {
            return;
        }
        if !code.is_none() {
            self.join_failed(code, response, now);
            return;
        }
        self.member.last_heard = now;
        self.member.member_id = response.member_id.to_string();
        self.member.generation = response.generation_id;
        self.member.protocol = response
            .protocol_name
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default();
        self.member.state = MemberState::Syncing;
        let leads = response.leader == response.member_id && !response.skip_assignment;
        let assignments = if leads {
            self.assign_group(response)
        } else {
            Vec::new()
        };
        let Some(node) = self.coordinator else {
            return self.member.reset(true);
        };
        let Some(version) = self.network.version(node, ApiKey::SyncGroup, i16::MAX) else {
            return self.member.reset(true);
        };
        let mut request = SyncGroupRequest::default()
            .with_group_id(self.group())
            .with_generation_id(self.member.generation)
            .with_member_id(self.member_id())
            .with_assignments(assignments);
        if version >= 3 {
            request = request.with_group_instance_id(self.instance());
        }
        if version >= 5 {
            request = request
                .with_protocol_type(response.protocol_type.clone())
                .with_protocol_name(response.protocol_name.clone());
        }
        let timeout_ms = self.join_timeout_ms();
        let id = self.network.reserve_correlation_id();
        self.network.send_reserved(
            id,
            node,
            ApiKey::SyncGroup,
            version,
            request,
            timeout_ms,
            now,
        );
        self.pending.insert(id, Pending::Sync);
    }

    fn join_failed(&mut self, code: ErrorCode, response: &JoinGroupResponse, now: Time) {
        self.member.state = MemberState::Unjoined;
        self.member.rejoin = true;
        match code {
            ErrorCode::MEMBER_ID_REQUIRED => {
                self.member.member_id = response.member_id.to_string();
                self.member.reason = format!(
                    "need to re-join with the given member-id: {}",
                    self.member.member_id
                );
            }
            ErrorCode::UNKNOWN_MEMBER_ID => self.member.reset(false),
            ErrorCode::COORDINATOR_NOT_AVAILABLE | ErrorCode::NOT_COORDINATOR => {
                self.lose_coordinator(now);
                self.member.not_before = self.retry_time(now);
            }
            ErrorCode::COORDINATOR_LOAD_IN_PROGRESS | ErrorCode::REBALANCE_IN_PROGRESS => {
                self.member.not_before = self.retry_time(now);
            }
            code => {
                self.member.not_before = self.retry_time(now);
                self.fatal(code);
            }
        }
    }

    /// The leader's work.
    fn assign_group(&mut self, response: &JoinGroupResponse) -> Vec<SyncGroupRequestAssignment> {
        let members: Vec<MemberSubscription> = response
            .members
            .iter()
            .map(|member| {
                let read = decode_subscription(member.metadata.clone(), &self.member.protocol)
                    .unwrap_or_default();
                MemberSubscription {
                    member_id: member.member_id.to_string(),
                    group_instance_id: member.group_instance_id.as_ref().map(ToString::to_string),
                    topics: read.topics,
                    owned: read.owned,
                    generation: read.generation,
                }
            })
            .collect();
        let topics: BTreeSet<String> = members
            .iter()
            .flat_map(|member| member.topics.iter().cloned())
            .collect();
        // The leader watches all topics of the group, to rejoin when one of them grows.
        for topic in &topics {
            self.network.metadata_mut().add_topic(topic);
        }
        let counts = self.partition_counts(&topics);
        self.member.led_topics = topics;
        let assignment: BTreeMap<String, Vec<TopicPartition>> = match self.member.protocol.as_str()
        {
            "range" => assignor::range(&members, &counts),
            "roundrobin" => assignor::round_robin(&members, &counts),
            "cooperative-sticky" => sticky::cooperative_sticky(&members, &counts),
            // The coordinator chooses among what all members offer: this is the one that is left.
            _ => sticky::sticky(&members, &counts),
        };
        self.member.led_counts = Some(counts);
        members
            .iter()
            .map(|member| {
                let partitions = assignment
                    .get(&member.member_id)
                    .map_or(&[][..], Vec::as_slice);
                SyncGroupRequestAssignment::default()
                    .with_member_id(StrBytes::from_string(member.member_id.clone()))
                    .with_assignment(encode_assignment(partitions))
            })
            .collect()
    }

    pub(super) fn synced(&mut self, response: &SyncGroupResponse, now: Time) {
        if self.member.state != MemberState::Syncing {
            return;
        }
        let code = ErrorCode(response.error_code);
        if !code.is_none() {
            self.member.state = MemberState::Unjoined;
            self.member.rejoin = true;
            match code {
                ErrorCode::REBALANCE_IN_PROGRESS => {}
                ErrorCode::UNKNOWN_MEMBER_ID => self.member.reset(false),
                ErrorCode::ILLEGAL_GENERATION => self.member.reset(true),
                ErrorCode::COORDINATOR_NOT_AVAILABLE | ErrorCode::NOT_COORDINATOR => {
                    self.lose_coordinator(now)
                }
                code => self.fatal(code),
            }
            self.member.not_before = self.retry_time(now);
            return;
        }
        self.retries = 0;
        self.member.state = MemberState::Stable;
        // Metadata may have come while the group was rebalancing.
        self.seen_metadata = 0;
        self.member.last_heard = now;
        self.member.next_heartbeat = now.plus_millis(self.config.heartbeat_interval_ms);
        self.next_auto_commit = now.plus_millis(self.config.auto_commit_interval_ms);
        let partitions = decode_assignment(response.assignment.clone());
        for partition in &partitions {
            self.network.metadata_mut().add_topic(&partition.topic);
        }
        self.member.had.clone_from(&partitions);
        self.member.had_generation = self.member.generation;
        let owned = self.subscription.partitions();
        let revoked: Vec<TopicPartition> = owned
            .iter()
            .filter(|partition| !partitions.contains(partition))
            .cloned()
            .collect();
        self.subscription.assign(&partitions);
        if !revoked.is_empty() {
            self.fetched
                .retain(|fetched| partitions.contains(&fetched.partition));
            self.events.push_back(ConsumerEvent::Revoked(revoked));
            self.member.rejoin = true;
            self.member.reason = "need to revoke partitions and re-join".to_owned();
        }
        let added = partitions
            .into_iter()
            .filter(|partition| !owned.contains(partition))
            .collect();
        self.events.push_back(ConsumerEvent::Assigned(added));
    }

    fn heartbeat(&mut self, now: Time) {
        if self.member.heartbeat_in_flight {
            return;
        }
        if self.member.next_heartbeat > now {
            self.network.wake_at(self.member.next_heartbeat);
            return;
        }
        let Some(node) = self.coordinator else { return };
        let Some(version) = self.network.version(node, ApiKey::Heartbeat, i16::MAX) else {
            return;
        };
        let mut request = HeartbeatRequest::default()
            .with_group_id(self.group())
            .with_generation_id(self.member.generation)
            .with_member_id(self.member_id());
        if version >= 3 {
            request = request.with_group_instance_id(self.instance());
        }
        let id = self
            .network
            .send(node, ApiKey::Heartbeat, version, request, now);
        self.pending.insert(id, Pending::Heartbeat);
        self.member.heartbeat_in_flight = true;
        self.member.next_heartbeat = now.plus_millis(self.config.heartbeat_interval_ms);
    }

    pub(super) fn heartbeat_answered(&mut self, code: ErrorCode, now: Time) {
        self.member.heartbeat_in_flight = false;
        match code {
            ErrorCode::NONE => self.member.last_heard = now,
            ErrorCode::COORDINATOR_NOT_AVAILABLE | ErrorCode::NOT_COORDINATOR => {
                self.lose_coordinator(now)
            }
            ErrorCode::REBALANCE_IN_PROGRESS => {
                self.member.last_heard = now;
                if self.member.state == MemberState::Stable {
                    self.member.rejoin = true;
                    self.member.reason = "group is already rebalancing".to_owned();
                }
            }
            ErrorCode::ILLEGAL_GENERATION | ErrorCode::UNKNOWN_MEMBER_ID => {
                self.lose_membership(code)
            }
            code => self.fatal(code),
        }
    }

    /// The group goes on without this member: what it had is lost.
    pub(super) fn lose_membership(&mut self, code: ErrorCode) {
        self.member.reset(code == ErrorCode::ILLEGAL_GENERATION);
        let lost = self.subscription.partitions();
        if !lost.is_empty() {
            self.subscription.assign(&[]);
            self.fetched.clear();
            self.events.push_back(ConsumerEvent::Lost(lost));
        }
    }

    /// An error that the application must hear of.
    pub(super) fn fatal(&mut self, code: ErrorCode) {
        self.error(ClientError::from_code(code, None));
    }

    /// Leaves the group, if this consumer is a dynamic member of one, then closes.
    pub(super) fn leave(&mut self, now: Time) {
        if self
            .pending
            .values()
            .any(|pending| matches!(pending, Pending::Leave))
        {
            return;
        }
        let dynamic = self.config.group_instance_id.is_none();
        let leaves = dynamic
            && !self.member.member_id.is_empty()
            && self.member.state != MemberState::Unjoined;
        let Some(node) = self.coordinator.filter(|_| leaves) else {
            return self.finish_close();
        };
        if !self.network.ready(node, now) {
            return;
        }
        let Some(version) = self.network.version(node, ApiKey::LeaveGroup, i16::MAX) else {
            return self.finish_close();
        };
        let request = LeaveGroupRequest::default().with_group_id(self.group());
        let request = if version >= 3 {
            let mut member = MemberIdentity::default().with_member_id(self.member_id());
            if version >= 5 {
                member = member.with_reason(Some(StrBytes::from_static_str(
                    "the consumer is being closed",
                )));
            }
            request.with_members(vec![member])
        } else {
            request.with_member_id(self.member_id())
        };
        let id = self
            .network
            .send(node, ApiKey::LeaveGroup, version, request, now);
        self.pending.insert(id, Pending::Leave);
    }
}
