//! Committed offsets, commits, and positions looked up by time (`ConsumerCoordinator`, `OffsetFetcher`).

use std::collections::BTreeMap;

use indexmap::IndexMap;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use playground_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use playground_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use playground_protocol::messages::{
    ApiKey, BrokerId, ListOffsetsRequest, ListOffsetsResponse, OffsetCommitRequest,
    OffsetCommitResponse, OffsetFetchRequest, OffsetFetchResponse, TopicName,
};
use playground_protocol::{ErrorCode, Time};

use super::membership::{MemberState, NO_GENERATION};
use super::subscription::Position;
use super::{
    AfterCommit, Closing, Consumer, ConsumerEvent, OffsetAndMetadata, OffsetReset, Pending, Wish,
};
use crate::{ClientError, OperationId, TopicPartition};

/// The newest version whose schema names topics rather than ids.
const OFFSET_VERSION_MAX: i16 = 9;

type Offsets = IndexMap<TopicPartition, OffsetAndMetadata>;

fn topic_name(topic: String) -> TopicName {
    TopicName(StrBytes::from_string(topic))
}

fn numbers_by_topic(partitions: &[TopicPartition]) -> BTreeMap<String, Vec<i32>> {
    let mut topics: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    for partition in partitions {
        topics
            .entry(partition.topic.clone())
            .or_default()
            .push(partition.partition);
    }
    topics
}

impl Consumer {
    /// Sends commits that wait, and the automatic one.
    pub(super) fn run_commits(&mut self, now: Time) {
        if self.config.group_id.is_none() {
            while let Some((id, _)) = self.waiting_commits.pop_front() {
                let text = "To use the group management or offset commit APIs, you must provide a valid group.id in \
                            the consumer configuration.";
                let error = ClientError::new(
                    "org.apache.kafka.common.errors.InvalidGroupIdException",
                    text,
                );
                self.events.push_back(ConsumerEvent::Committed {
                    id,
                    result: Err(error),
                });
            }
            return;
        }
        if !self.waiting_commits.is_empty() && self.coordinator_ready(now) {
            while let Some((id, offsets)) = self.waiting_commits.pop_front() {
                self.send_commit(Some(id), offsets, AfterCommit::Nothing, now);
            }
        }
        let managed = !matches!(self.wish, Wish::Assigned);
        let stable = self.member.state == MemberState::Stable && !self.member.rejoin;
        if !self.config.auto_commit || self.subscription.is_empty() || (managed && !stable) {
            return;
        }
        if now < self.next_auto_commit {
            self.network.wake_at(self.next_auto_commit);
            return;
        }
        let offsets = self.subscription.consumed();
        if offsets.is_empty() || self.coordinator_ready(now) {
            self.next_auto_commit = now.plus_millis(self.config.auto_commit_interval_ms);
            self.network.wake_at(self.next_auto_commit);
            if !offsets.is_empty() {
                self.send_commit(None, offsets, AfterCommit::Nothing, now);
            }
        }
    }

    pub(super) fn send_commit(
        &mut self,
        id: Option<OperationId>,
        offsets: Offsets,
        then: AfterCommit,
        now: Time,
    ) {
        let target = self.coordinator.and_then(|node| {
            let version = self
                .network
                .version(node, ApiKey::OffsetCommit, OFFSET_VERSION_MAX)?;
            Some((node, version))
        });
        let Some((node, version)) = target else {
            return self.commit_failed(id, then, ErrorCode::COORDINATOR_NOT_AVAILABLE, now);
        };
        let mut topics: BTreeMap<String, Vec<OffsetCommitRequestPartition>> = BTreeMap::new();
        for (partition, offset) in &offsets {
            let mut entry = OffsetCommitRequestPartition::default()
                .with_partition_index(partition.partition)
                .with_committed_offset(offset.offset)
                .with_committed_metadata(Some(StrBytes::from_string(offset.metadata.clone())));
            if version >= 6 {
                entry = entry.with_committed_leader_epoch(offset.leader_epoch.unwrap_or(-1));
            }
            topics
                .entry(partition.topic.clone())
                .or_default()
                .push(entry);
        }
        let topics = topics
            .into_iter()
            .map(|(topic, partitions)| {
                OffsetCommitRequestTopic::default()
                    .with_name(topic_name(topic))
                    .with_partitions(partitions)
            })
            .collect();
        let managed = !matches!(self.wish, Wish::Assigned | Wish::Nothing);
        let generation = if managed {
            self.member.generation
        } else {
            NO_GENERATION
        };
        let mut request = OffsetCommitRequest::default()
            .with_group_id(self.group())
            .with_generation_id_or_member_epoch(generation)
            .with_topics(topics);
        if managed {
            request = request.with_member_id(self.member_id());
        }
        if version >= 7 {
            request = request.with_group_instance_id(self.instance());
        }
        let correlation_id = self
            .network
            .send(node, ApiKey::OffsetCommit, version, request, now);
        self.pending
            .insert(correlation_id, Pending::Commit { id, offsets, then });
    }

    pub(super) fn committed(
        &mut self,
        id: Option<OperationId>,
        offsets: Offsets,
        then: AfterCommit,
        response: &OffsetCommitResponse,
        now: Time,
    ) {
        let codes = response
            .topics
            .iter()
            .flat_map(|topic| topic.partitions.iter().map(|found| found.error_code));
        let code = codes.map(ErrorCode).find(|code| !code.is_none());
        if let Some(code) = code {
            return self.commit_failed(id, then, code, now);
        }
        if let Some(id) = id {
            self.events.push_back(ConsumerEvent::Committed {
                id,
                result: Ok(offsets),
            });
        }
        self.after_commit(then, now);
    }

    pub(super) fn commit_failed(
        &mut self,
        id: Option<OperationId>,
        then: AfterCommit,
        code: ErrorCode,
        now: Time,
    ) {
        match code {
            ErrorCode::COORDINATOR_NOT_AVAILABLE | ErrorCode::NOT_COORDINATOR => {
                self.lose_coordinator(now)
            }
            ErrorCode::ILLEGAL_GENERATION | ErrorCode::UNKNOWN_MEMBER_ID
                if then == AfterCommit::Nothing =>
            {
                self.lose_membership(code);
            }
            ErrorCode::REBALANCE_IN_PROGRESS => self.member.rejoin = true,
            _ => {}
        }
        if let Some(id) = id {
            let cause = ClientError::from_code(code, None);
            let error = if code.is_retriable() {
                let text = "Offset commit failed with a retriable exception. You should retry committing the latest \
                            consumed offsets.";
                let class = "org.apache.kafka.clients.consumer.RetriableCommitFailedException";
                ClientError::new(class, text).caused_by(cause)
            } else {
                cause
            };
            self.events.push_back(ConsumerEvent::Committed {
                id,
                result: Err(error),
            });
        } else if code.is_retriable() && then == AfterCommit::Leave {
            // A closing consumer tries again until its time is up: `run_closing` sends the next one.
            return;
        }
        self.after_commit(then, now);
    }

    fn after_commit(&mut self, then: AfterCommit, now: Time) {
        match then {
            AfterCommit::Join if self.closing == Closing::Open => self.join(now),
            AfterCommit::Leave if self.closing == Closing::Committing => {
                self.closing = Closing::Leaving
            }
            AfterCommit::Nothing | AfterCommit::Join | AfterCommit::Leave => {}
        }
    }

    /// Asks for positions that are not known.
    pub(super) fn update_positions(&mut self, now: Time) {
        let mut unknown = Vec::new();
        let mut resets = Vec::new();
        let mut wake = Time::NEVER;
        for (partition, assigned) in self.subscription.iter() {
            let asked = |pending: &Pending| match pending {
                Pending::OffsetFetch(partitions) => partitions.contains(partition),
                Pending::ListOffsets(wanted) => wanted.iter().any(|(other, _)| other == partition),
                _ => false,
            };
            if matches!(assigned.position, Position::At(..)) || self.pending.values().any(asked) {
                continue;
            }
            if assigned.not_before > now {
                wake = wake.min(assigned.not_before);
                continue;
            }
            match assigned.position {
                Position::Unknown => unknown.push(partition.clone()),
                Position::Reset(timestamp) => resets.push((partition.clone(), timestamp)),
                Position::At(..) => {}
            }
        }
        self.network.wake_at(wake);
        if !unknown.is_empty() {
            if self.config.group_id.is_some() {
                self.fetch_offsets(unknown, now);
            } else if let Some(timestamp) = self.reset_timestamp(now) {
                self.reset_positions(&unknown, now);
                resets.extend(unknown.into_iter().map(|partition| (partition, timestamp)));
            } else {
                self.reset_positions(&unknown, now);
            }
        }
        if !resets.is_empty() {
            self.list_offsets(resets, now);
        }
    }

    fn fetch_offsets(&mut self, partitions: Vec<TopicPartition>, now: Time) {
        if !self.coordinator_ready(now) {
            return;
        }
        let Some(node) = self.coordinator else { return };
        let Some(version) = self
            .network
            .version(node, ApiKey::OffsetFetch, OFFSET_VERSION_MAX)
        else {
            return;
        };
        let topics = numbers_by_topic(&partitions);
        let request = if version >= 8 {
            let topics = topics
                .into_iter()
                .map(|(topic, numbers)| {
                    OffsetFetchRequestTopics::default()
                        .with_name(topic_name(topic))
                        .with_partition_indexes(numbers)
                })
                .collect();
            let mut group = OffsetFetchRequestGroup::default()
                .with_group_id(self.group())
                .with_topics(Some(topics));
            if version >= 9 {
                group = group.with_member_epoch(-1);
            }
            OffsetFetchRequest::default().with_groups(vec![group])
        } else {
            let topics = topics
                .into_iter()
                .map(|(topic, numbers)| {
                    OffsetFetchRequestTopic::default()
                        .with_name(topic_name(topic))
                        .with_partition_indexes(numbers)
                })
                .collect();
            OffsetFetchRequest::default()
                .with_group_id(self.group())
                .with_topics(Some(topics))
        };
        let request = if version >= 7 {
            request.with_require_stable(true)
        } else {
            request
        };
        let id = self
            .network
            .send(node, ApiKey::OffsetFetch, version, request, now);
        self.pending.insert(id, Pending::OffsetFetch(partitions));
    }

    pub(super) fn fetched_offsets(
        &mut self,
        partitions: &[TopicPartition],
        response: &OffsetFetchResponse,
        now: Time,
    ) {
        // Offset, epoch and error by partition, from either shape of the response.
        let mut found: BTreeMap<TopicPartition, (i64, i32, ErrorCode)> = BTreeMap::new();
        let mut code = ErrorCode(response.error_code);
        for group in &response.groups {
            code = ErrorCode(group.error_code);
            for topic in &group.topics {
                for entry in &topic.partitions {
                    let key = TopicPartition::new(topic.name.0.to_string(), entry.partition_index);
                    let error = ErrorCode(entry.error_code);
                    found.insert(
                        key,
                        (entry.committed_offset, entry.committed_leader_epoch, error),
                    );
                }
            }
        }
        for topic in &response.topics {
            for entry in &topic.partitions {
                let key = TopicPartition::new(topic.name.0.to_string(), entry.partition_index);
                let error = ErrorCode(entry.error_code);
                found.insert(
                    key,
                    (entry.committed_offset, entry.committed_leader_epoch, error),
                );
            }
        }
        if !code.is_none() {
            let later = self.retry_time(now);
            partitions
                .iter()
                .for_each(|partition| self.subscription.back_off(partition, later));
            match code {
                ErrorCode::COORDINATOR_NOT_AVAILABLE | ErrorCode::NOT_COORDINATOR => {
                    self.lose_coordinator(now)
                }
                code if code.is_retriable() => {}
                code => self.fatal(code),
            }
            return;
        }
        let mut without = Vec::new();
        for partition in partitions {
            match found.get(partition) {
                Some((offset, epoch, ErrorCode::NONE)) if *offset >= 0 => {
                    let epoch = (*epoch >= 0).then_some(*epoch);
                    self.subscription
                        .set(partition, Position::At(*offset, epoch));
                }
                Some((_, _, ErrorCode::NONE)) => without.push(partition.clone()),
                other => {
                    let later = self.retry_time(now);
                    self.subscription.back_off(partition, later);
                    if let Some((_, _, code)) = other
                        && !code.is_retriable()
                    {
                        self.fatal(*code);
                    }
                }
            }
        }
        self.reset_positions(&without, now);
    }

    /// The timestamp that the reset policy looks up; `None`: there is no policy.
    pub(super) fn reset_timestamp(&self, now: Time) -> Option<i64> {
        match self.config.offset_reset {
            OffsetReset::Earliest => Some(-2),
            OffsetReset::Latest => Some(-1),
            OffsetReset::None => None,
            OffsetReset::ByDuration(duration_ms) => Some((now.millis() - duration_ms).max(0)),
        }
    }

    fn reset_positions(&mut self, partitions: &[TopicPartition], now: Time) {
        if partitions.is_empty() {
            return;
        }
        if let Some(timestamp) = self.reset_timestamp(now) {
            for partition in partitions {
                self.subscription.set(partition, Position::Reset(timestamp));
            }
            return;
        }
        let later = self.retry_time(now);
        partitions
            .iter()
            .for_each(|partition| self.subscription.back_off(partition, later));
        let names: Vec<String> = partitions.iter().map(ToString::to_string).collect();
        self.error(ClientError::new(
            "org.apache.kafka.clients.consumer.NoOffsetForPartitionException",
            format!(
                "Undefined offset with no reset policy for partitions: [{}]",
                names.join(", ")
            ),
        ));
    }

    fn list_offsets(&mut self, wanted: Vec<(TopicPartition, i64)>, now: Time) {
        let mut by_node: BTreeMap<i32, Vec<(TopicPartition, i64)>> = BTreeMap::new();
        for (partition, timestamp) in wanted {
            match self.network.metadata().leader(&partition) {
                Some(leader) => by_node
                    .entry(leader)
                    .or_default()
                    .push((partition, timestamp)),
                None => self.network.metadata_mut().request_update(),
            }
        }
        for (node, wanted) in by_node {
            if !self.network.ready(node, now) {
                continue;
            }
            let Some(version) = self.network.version(node, ApiKey::ListOffsets, i16::MAX) else {
                continue;
            };
            let mut topics: BTreeMap<String, Vec<ListOffsetsPartition>> = BTreeMap::new();
            for (partition, timestamp) in &wanted {
                let mut entry = ListOffsetsPartition::default()
                    .with_partition_index(partition.partition)
                    .with_timestamp(*timestamp);
                if version >= 4 {
                    let epoch = self
                        .network
                        .metadata()
                        .partition(partition)
                        .and_then(|info| info.leader_epoch);
                    entry = entry.with_current_leader_epoch(epoch.unwrap_or(-1));
                }
                topics
                    .entry(partition.topic.clone())
                    .or_default()
                    .push(entry);
            }
            let topics = topics
                .into_iter()
                .map(|(topic, partitions)| {
                    ListOffsetsTopic::default()
                        .with_name(topic_name(topic))
                        .with_partitions(partitions)
                })
                .collect();
            let mut request = ListOffsetsRequest::default()
                .with_replica_id(BrokerId(-1))
                .with_topics(topics);
            if version >= 2 {
                request = request.with_isolation_level(i8::from(self.config.read_committed));
            }
            if version >= 10 {
                let timeout_ms =
                    i32::try_from(self.config.common.request_timeout_ms).unwrap_or(i32::MAX);
                request = request.with_timeout_ms(timeout_ms);
            }
            let id = self
                .network
                .send(node, ApiKey::ListOffsets, version, request, now);
            self.pending.insert(id, Pending::ListOffsets(wanted));
        }
    }

    pub(super) fn listed_offsets(
        &mut self,
        wanted: &[(TopicPartition, i64)],
        response: &ListOffsetsResponse,
        now: Time,
    ) {
        let mut found: BTreeMap<TopicPartition, (ErrorCode, i64, i32)> = BTreeMap::new();
        for topic in &response.topics {
            for entry in &topic.partitions {
                let key = TopicPartition::new(topic.name.0.to_string(), entry.partition_index);
                found.insert(
                    key,
                    (
                        ErrorCode(entry.error_code),
                        entry.offset,
                        entry.leader_epoch,
                    ),
                );
            }
        }
        for (partition, timestamp) in wanted {
            // The wish may have changed since.
            let current = self
                .subscription
                .get_mut(partition)
                .map(|assigned| assigned.position);
            if current != Some(Position::Reset(*timestamp)) {
                continue;
            }
            match found.get(partition) {
                Some((ErrorCode::NONE, offset, epoch)) if *offset >= 0 => {
                    self.retries = 0;
                    let epoch = (*epoch >= 0).then_some(*epoch);
                    self.subscription
                        .set(partition, Position::At(*offset, epoch));
                }
                // No record is that new: start at the end.
                Some((ErrorCode::NONE, ..)) => {
                    self.subscription.set(partition, Position::Reset(-1))
                }
                other => {
                    let later = self.retry_time(now);
                    self.subscription.back_off(partition, later);
                    self.network.metadata_mut().request_update();
                    if let Some((code, ..)) = other
                        && !code.is_retriable()
                    {
                        self.fatal(*code);
                    }
                }
            }
        }
    }
}
