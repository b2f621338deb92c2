//! Committed offsets: OffsetCommit, OffsetFetch, OffsetDelete, expiration (`OffsetMetadataManager`).

use std::collections::BTreeMap;

use playground_protocol::codec::StrBytes;
use playground_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use playground_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use playground_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartitions, OffsetFetchResponseTopics,
};
use playground_protocol::messages::{
    GroupId, OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse,
    RequestKind, TopicName,
};
use playground_protocol::{ErrorCode, Time};
use uuid::Uuid;

use super::TopicDirectory;
use super::records::OffsetCommitValue;
use super::responses;
use super::runtime::{Call, Runtime};
use super::shard::{Change, Shard};
use super::state::{Group, GroupState};

/// The offsets of a topic, by partition.
pub(super) type TopicOffsets = BTreeMap<i32, OffsetCommitValue>;

/// The committed offsets of all groups. Groups and topics without offsets are not kept.
#[derive(Clone, Debug, Default)]
pub(super) struct Offsets(BTreeMap<String, BTreeMap<String, TopicOffsets>>);

impl Offsets {
    pub fn put(
        &mut self,
        group: &str,
        topic: &str,
        partition: i32,
        value: OffsetCommitValue,
    ) -> Option<OffsetCommitValue> {
        let topics = self.0.entry(group.to_owned()).or_default();
        topics
            .entry(topic.to_owned())
            .or_default()
            .insert(partition, value)
    }

    pub fn remove(
        &mut self,
        group: &str,
        topic: &str,
        partition: i32,
    ) -> Option<OffsetCommitValue> {
        let topics = self.0.get_mut(group)?;
        let partitions = topics.get_mut(topic)?;
        let removed = partitions.remove(&partition);
        if partitions.is_empty() {
            topics.remove(topic);
        }
        if topics.is_empty() {
            self.0.remove(group);
        }
        removed
    }

    pub fn get(&self, group: &str, topic: &str, partition: i32) -> Option<&OffsetCommitValue> {
        self.0.get(group)?.get(topic)?.get(&partition)
    }

    /// A group's offsets: (topic, partition, offset), in order.
    pub fn of_group(&self, group: &str) -> impl Iterator<Item = (&str, i32, &OffsetCommitValue)> {
        self.0
            .get(group)
            .into_iter()
            .flatten()
            .flat_map(|(topic, partitions)| {
                partitions
                    .iter()
                    .map(|(partition, value)| (topic.as_str(), *partition, value))
            })
    }

    /// Whether the group has any.
    pub fn has_any(&self, group: &str) -> bool {
        self.0.contains_key(group)
    }

    /// All offsets: (group, topic, partition).
    pub fn all(&self) -> impl Iterator<Item = (&str, &str, i32)> {
        self.0.iter().flat_map(|(group, topics)| {
            topics.iter().flat_map(move |(topic, partitions)| {
                partitions
                    .keys()
                    .map(move |partition| (group.as_str(), topic.as_str(), *partition))
            })
        })
    }
}

impl Shard {
    /// Handles an OffsetCommit.
    pub fn commit(
        &mut self,
        rt: &mut Runtime,
        call: &Call,
        request: &OffsetCommitRequest,
        topics: &dyn TopicDirectory,
        now: Time,
    ) {
        let kind = RequestKind::OffsetCommit(request.clone());
        let targets = commit_targets(request, call.version, topics);
        let any_valid = targets.iter().any(|target| target.name.is_some());
        // Kafka asks the coordinator only about partitions that exist.
        if any_valid && let Err(error) = self.check_commit(request, call.version, now) {
            let mut response = responses::commit_error(request, error);
            for (topic, target) in response.topics.iter_mut().zip(&targets) {
                for partition in &mut topic.partitions {
                    if let Err(unknown) = target.check(partition.partition_index) {
                        partition.error_code = unknown.0;
                    }
                }
            }
            let waits_for = rt.last_pending(self.partition);
            return rt.respond_after(waits_for, call, kind, response.into());
        }
        let expire_timestamp = match request.retention_time_ms {
            retention if call.version <= 4 && retention >= 0 => {
                now.millis().saturating_add(retention)
            }
            _ => -1,
        };
        let limit = usize::try_from(rt.config.offset_metadata_max_bytes).unwrap_or(0);
        let mut changes = Vec::new();
        let mut response_topics = Vec::new();
        for (topic, target) in request.topics.iter().zip(&targets) {
            let mut response_partitions = Vec::new();
            for partition in &topic.partitions {
                let metadata = partition.committed_metadata.as_deref().unwrap_or_default();
                let result = target.check(partition.partition_index).and_then(|name| {
                    if metadata.encode_utf16().count() > limit {
                        return Err(ErrorCode::OFFSET_METADATA_TOO_LARGE);
                    }
                    changes.push(Change::Commit {
                        group: request.group_id.to_string(),
                        topic: name.to_owned(),
                        partition: partition.partition_index,
                        value: OffsetCommitValue {
                            offset: partition.committed_offset,
                            leader_epoch: partition.committed_leader_epoch.max(-1),
                            metadata: metadata.to_owned(),
                            commit_timestamp: now.millis(),
                            expire_timestamp,
                            topic_id: target.topic_id,
                        },
                    });
                    Ok(())
                });
                response_partitions.push(
                    OffsetCommitResponsePartition::default()
                        .with_partition_index(partition.partition_index)
                        .with_error_code(result.err().unwrap_or(ErrorCode::NONE).0),
                );
            }
            response_topics.push(
                OffsetCommitResponseTopic::default()
                    .with_name(topic.name.clone())
                    .with_topic_id(topic.topic_id)
                    .with_partitions(response_partitions),
            );
        }
        let waits_for = self.write(rt, changes, now);
        let response = OffsetCommitResponse::default().with_topics(response_topics);
        rt.respond_after(waits_for, call, kind, response.into());
    }

    /// Checks who commits; a commit outside of group management makes its group.
    fn check_commit(
        &mut self,
        request: &OffsetCommitRequest,
        version: i16,
        now: Time,
    ) -> Result<(), ErrorCode> {
        let id = request.group_id.as_str();
        let generation = request.generation_id_or_member_epoch;
        let Some(group) = self.groups.get(id) else {
            if generation >= 0 {
                return Err(if version >= 9 {
                    ErrorCode::GROUP_ID_NOT_FOUND
                } else {
                    ErrorCode::ILLEGAL_GENERATION
                });
            }
            self.groups.insert(id.to_owned(), Group::new(id, now));
            return Ok(());
        };
        let instance = request.group_instance_id.as_deref();
        group.validate_offset_commit(&request.member_id, instance, generation)?;
        // A commit is a sign of life.
        if matches!(
            group.state,
            GroupState::Stable | GroupState::PreparingRebalance
        ) {
            self.schedule_heartbeat(id, &request.member_id, now);
        }
        Ok(())
    }

    /// One group's part of an OffsetFetch: the topics that are asked for, or all.
    pub fn fetch(
        &self,
        group_id: &GroupId,
        wanted: Option<&[(TopicName, Uuid, Vec<i32>)]>,
        version: i16,
        topics: &dyn TopicDirectory,
    ) -> OffsetFetchResponseGroup {
        let response = OffsetFetchResponseGroup::default().with_group_id(group_id.clone());
        let id = group_id.as_str();
        let is_dead = self
            .groups
            .get(id)
            .is_none_or(|group| group.state == GroupState::Dead);
        let Some(wanted) = wanted else {
            let mut by_topic: BTreeMap<&str, Vec<OffsetFetchResponsePartitions>> = BTreeMap::new();
            for (topic, partition, value) in self.offsets.of_group(id).filter(|_| !is_dead) {
                by_topic
                    .entry(topic)
                    .or_default()
                    .push(fetched(partition, Some(value)));
            }
            let found = by_topic.into_iter().filter_map(|(topic, partitions)| {
                let response = OffsetFetchResponseTopics::default().with_partitions(partitions);
                if version < 10 {
                    return Some(response.with_name(TopicName(responses::text(topic))));
                }
                // A topic that is gone has no id to answer with.
                Some(response.with_topic_id(topics.topic_id(topic)?))
            });
            return response.with_topics(found.collect());
        };
        let found = wanted.iter().map(|(name, topic_id, partitions)| {
            let topic = OffsetFetchResponseTopics::default();
            if version < 10 {
                let partitions = partitions.iter().map(|partition| {
                    let value = self.offsets.get(id, name, *partition).filter(|_| !is_dead);
                    fetched(*partition, value)
                });
                return topic
                    .with_name(name.clone())
                    .with_partitions(partitions.collect());
            }
            let name = topics.topic_name(*topic_id);
            let partitions = partitions.iter().map(|partition| match &name {
                Some(name) => {
                    let value = self.offsets.get(id, name, *partition).filter(|_| !is_dead);
                    // An offset of a topic that was deleted and made anew is none.
                    let value = value
                        .filter(|value| value.topic_id.is_nil() || value.topic_id == *topic_id);
                    fetched(*partition, value)
                }
                None => fetched(*partition, None).with_error_code(ErrorCode::UNKNOWN_TOPIC_ID.0),
            });
            topic
                .with_topic_id(*topic_id)
                .with_partitions(partitions.collect())
        });
        response.with_topics(found.collect())
    }

    /// Handles an OffsetDelete.
    pub fn delete_offsets(
        &mut self,
        rt: &mut Runtime,
        call: &Call,
        request: &OffsetDeleteRequest,
        topics: &dyn TopicDirectory,
        now: Time,
    ) {
        let kind = RequestKind::OffsetDelete(request.clone());
        let id = request.group_id.as_str();
        let group = self.groups.get(id).ok_or(ErrorCode::GROUP_ID_NOT_FOUND);
        let group = match group.and_then(|group| group.validate_offset_delete().map(|()| group)) {
            Ok(group) => group,
            Err(error) => {
                let response = OffsetDeleteResponse::default().with_error_code(error.0);
                let waits_for = rt.last_pending(self.partition);
                return rt.respond_after(waits_for, call, kind, response.into());
            }
        };
        let mut changes = Vec::new();
        let mut response_topics = Vec::new();
        for topic in &request.topics {
            let is_subscribed = group.is_subscribed_to(&topic.name);
            let count = topics.partition_count(&topic.name);
            let mut response_partitions = Vec::new();
            for partition in &topic.partitions {
                let index = partition.partition_index;
                let code = if !(0..count).contains(&index) {
                    ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
                } else if is_subscribed {
                    ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC
                } else {
                    if self.offsets.get(id, &topic.name, index).is_some() {
                        changes.push(Change::Forget {
                            group: id.to_owned(),
                            topic: topic.name.to_string(),
                            partition: index,
                        });
                    }
                    ErrorCode::NONE
                };
                response_partitions.push(
                    OffsetDeleteResponsePartition::default()
                        .with_partition_index(index)
                        .with_error_code(code.0),
                );
            }
            response_topics.push(
                OffsetDeleteResponseTopic::default()
                    .with_name(topic.name.clone())
                    .with_partitions(response_partitions),
            );
        }
        let waits_for = self.write(rt, changes, now);
        let response = OffsetDeleteResponse::default().with_topics(response_topics);
        rt.respond_after(waits_for, call, kind, response.into());
    }

    /// Forgets what groups committed for topics that are gone.
    pub fn forget_topics(&mut self, rt: &mut Runtime, topics: &[String], now: Time) {
        let gone = self
            .offsets
            .all()
            .filter(|(_, topic, _)| topics.iter().any(|gone| gone == topic));
        let changes: Vec<Change> = gone.map(forget).collect();
        self.write(rt, changes, now);
    }

    /// Forgets offsets that expired, and groups that have nothing left.
    pub fn expire_offsets(&mut self, rt: &mut Runtime, now: Time) {
        let mut changes = Vec::new();
        for group in self.groups.values() {
            let mut all_expired = true;
            if self.offsets.has_any(&group.id) {
                let Some(base) = ExpirationBase::of(group) else {
                    continue;
                };
                for (topic, partition, value) in self.offsets.of_group(&group.id) {
                    if !group.is_subscribed_to(topic) && base.is_expired(value, rt, now) {
                        changes.push(forget((&group.id, topic, partition)));
                    } else {
                        all_expired = false;
                    }
                }
            }
            if all_expired && group.state == GroupState::Empty {
                changes.push(Change::DeleteGroup {
                    group: group.id.clone(),
                });
            }
        }
        self.write(rt, changes, now);
    }
}

fn forget((group, topic, partition): (&str, &str, i32)) -> Change {
    Change::Forget {
        group: group.to_owned(),
        topic: topic.to_owned(),
        partition,
    }
}

fn fetched(partition: i32, value: Option<&OffsetCommitValue>) -> OffsetFetchResponsePartitions {
    let response = OffsetFetchResponsePartitions::default().with_partition_index(partition);
    match value {
        Some(value) => response
            .with_committed_offset(value.offset)
            .with_committed_leader_epoch(value.leader_epoch)
            .with_metadata(Some(responses::text(&value.metadata))),
        None => response
            .with_committed_offset(-1)
            .with_committed_leader_epoch(-1)
            .with_metadata(Some(StrBytes::default())),
    }
}

/// From when on a group's offsets age (`OffsetExpirationCondition`).
enum ExpirationBase {
    /// From the moment when the group became empty, in milliseconds.
    Since(i64),
    /// From each offset's commit.
    Commit,
}

impl ExpirationBase {
    /// `None`: offsets of the group do not expire now.
    fn of(group: &Group) -> Option<ExpirationBase> {
        match group.state {
            _ if group.protocol_type.is_none() => Some(ExpirationBase::Commit),
            GroupState::Empty => Some(match group.state_timestamp_ms {
                Some(at) => ExpirationBase::Since(at),
                None => ExpirationBase::Commit,
            }),
            GroupState::Stable if group.subscribed_topics.is_some() => Some(ExpirationBase::Commit),
            _ => None,
        }
    }

    fn is_expired(&self, value: &OffsetCommitValue, rt: &Runtime, now: Time) -> bool {
        if value.expire_timestamp >= 0 {
            return now.millis() >= value.expire_timestamp;
        }
        let base = match self {
            ExpirationBase::Since(at) => *at,
            ExpirationBase::Commit => value.commit_timestamp,
        };
        let retention_ms = i64::from(rt.config.offsets_retention_minutes).saturating_mul(60_000);
        now.millis().saturating_sub(base) >= retention_ms
    }
}

/// A topic of an OffsetCommit, as the metadata knows it.
struct CommitTarget {
    /// `None` when the topic, or each of the partitions named, does not exist.
    name: Option<String>,
    topic_id: Uuid,
    partition_count: i32,
    /// What partitions that do not exist get.
    unknown: ErrorCode,
}

impl CommitTarget {
    /// The topic's name if the partition exists.
    fn check(&self, partition: i32) -> Result<&str, ErrorCode> {
        match &self.name {
            Some(name) if (0..self.partition_count).contains(&partition) => Ok(name),
            Some(_) => Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION),
            None => Err(self.unknown),
        }
    }
}

/// The request's topics, in its order: by name, from version 10 on by id.
fn commit_targets(
    request: &OffsetCommitRequest,
    version: i16,
    topics: &dyn TopicDirectory,
) -> Vec<CommitTarget> {
    let target = |name: Option<String>, unknown: ErrorCode| {
        let topic_id = name.as_ref().and_then(|name| topics.topic_id(name));
        CommitTarget {
            partition_count: name.as_ref().map_or(0, |name| topics.partition_count(name)),
            name: name.filter(|_| topic_id.is_some()),
            topic_id: topic_id.unwrap_or_default(),
            unknown,
        }
    };
    let targets = request.topics.iter().map(|topic| {
        if version >= 10 {
            target(
                topics.topic_name(topic.topic_id),
                ErrorCode::UNKNOWN_TOPIC_ID,
            )
        } else {
            target(
                Some(topic.name.to_string()),
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            )
        }
    });
    targets.collect()
}
