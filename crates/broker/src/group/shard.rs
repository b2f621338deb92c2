//! One partition of `__consumer_offsets`: its groups, their offsets, and how records change them
//! (`GroupCoordinatorShard`).

use std::collections::BTreeMap;

use playground_protocol::messages::{JoinGroupResponse, SyncGroupResponse};
use playground_protocol::{ErrorCode, Time};

use super::OffsetsRecord;
use super::offsets::Offsets;
use super::records::{GroupMetadataValue, OffsetCommitValue, OffsetsKey};
use super::responses;
use super::runtime::{After, Pending, Runtime};
use super::state::{Group, GroupState};
use super::timers::{TimerAction, TimerKey, Timers};

/// A change that a record stands for.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// An offset is committed.
    Commit {
        group: String,
        topic: String,
        partition: i32,
        value: OffsetCommitValue,
    },
    /// A committed offset is forgotten.
    Forget {
        group: String,
        topic: String,
        partition: i32,
    },
    /// A group is deleted.
    DeleteGroup { group: String },
}

/// What a replayed [`Change`] replaced.
#[derive(Clone, Debug)]
pub(super) enum Undo {
    /// The offset before, if any.
    Offset {
        group: String,
        topic: String,
        partition: i32,
        previous: Option<OffsetCommitValue>,
    },
    /// The group that was deleted.
    Group(Box<Group>),
    /// Nothing to restore.
    Nothing,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Shard {
    pub partition: i32,
    pub groups: BTreeMap<String, Group>,
    pub offsets: Offsets,
    pub timers: Timers,
}

impl Shard {
    /// The partition's state after all its records.
    pub fn load(
        partition: i32,
        records: impl IntoIterator<Item = OffsetsRecord>,
        rt: &mut Runtime,
        now: Time,
    ) -> Shard {
        let mut shard = Shard {
            partition,
            groups: BTreeMap::new(),
            offsets: Offsets::default(),
            timers: Timers::default(),
        };
        for (key, value) in records {
            // A record that cannot be read is skipped, as an unknown type is: better a group less
            // than a partition less.
            let Ok(key) = OffsetsKey::decode(key) else {
                continue;
            };
            match (key, value) {
                (
                    OffsetsKey::OffsetCommit {
                        group,
                        topic,
                        partition,
                    },
                    Some(value),
                ) => {
                    if let Ok((_, value)) = OffsetCommitValue::decode(value) {
                        shard.replay(
                            Change::Commit {
                                group,
                                topic,
                                partition,
                                value,
                            },
                            now,
                        );
                    }
                }
                (
                    OffsetsKey::OffsetCommit {
                        group,
                        topic,
                        partition,
                    },
                    None,
                ) => {
                    shard.replay(
                        Change::Forget {
                            group,
                            topic,
                            partition,
                        },
                        now,
                    );
                }
                (OffsetsKey::GroupMetadata { group }, Some(value)) => {
                    if let Ok((_, value)) = GroupMetadataValue::decode(value) {
                        let loaded = Group::from_record(&group, value);
                        shard.groups.insert(group, loaded);
                    }
                }
                (OffsetsKey::GroupMetadata { group }, None) => {
                    shard.replay(Change::DeleteGroup { group }, now);
                }
                (OffsetsKey::Unknown(_), _) => {}
            }
        }
        shard.loaded(rt, now);
        shard
    }

    /// Members of loaded groups get a whole session to show up.
    fn loaded(&mut self, rt: &mut Runtime, now: Time) {
        let members: Vec<(String, String)> = self
            .groups
            .values()
            .flat_map(|group| {
                group
                    .members
                    .keys()
                    .map(|member| (group.id.clone(), member.clone()))
            })
            .collect();
        for (group, member) in members {
            self.schedule_heartbeat(&group, &member, now);
        }
        let limit = max_size(rt);
        let oversized = self
            .groups
            .values()
            .filter(|group| group.members.len() > limit);
        let oversized: Vec<String> = oversized.map(|group| group.id.clone()).collect();
        for group in oversized {
            self.prepare_rebalance(rt, &group, now);
        }
        self.schedule_expiration(rt, now);
    }

    /// Waiting members are sent to find the new coordinator.
    pub fn unload(&mut self, rt: &mut Runtime, now: Time) {
        for group in self.groups.values_mut() {
            group.transition_to(GroupState::Dead, now);
            for member in group.members.values_mut() {
                if let Some(waiting) = member.awaiting_join.take() {
                    let member_id = member.member_id.clone();
                    responses::join_error(rt, waiting, &member_id, ErrorCode::NOT_COORDINATOR);
                }
                if let Some(waiting) = member.awaiting_sync.take() {
                    responses::sync_error(rt, waiting, ErrorCode::NOT_COORDINATOR);
                }
            }
        }
    }

    /// Applies a change, and says how to take it back.
    fn replay(&mut self, change: Change, now: Time) -> Undo {
        match change {
            Change::Commit {
                group,
                topic,
                partition,
                value,
            } => {
                if !self.groups.contains_key(&group) {
                    self.groups.insert(group.clone(), Group::new(&group, now));
                }
                let previous = self.offsets.put(&group, &topic, partition, value);
                Undo::Offset {
                    group,
                    topic,
                    partition,
                    previous,
                }
            }
            Change::Forget {
                group,
                topic,
                partition,
            } => {
                let previous = self.offsets.remove(&group, &topic, partition);
                Undo::Offset {
                    group,
                    topic,
                    partition,
                    previous,
                }
            }
            Change::DeleteGroup { group } => match self.groups.remove(&group) {
                Some(removed) => Undo::Group(Box::new(removed)),
                None => Undo::Nothing,
            },
        }
    }

    /// Writes the changes' records and applies them. Returns the append to wait for: without changes, the
    /// latest one that is not committed yet, if any.
    pub fn write(&mut self, rt: &mut Runtime, changes: Vec<Change>, now: Time) -> Option<u64> {
        if changes.is_empty() {
            return rt.last_pending(self.partition);
        }
        let records = changes.iter().map(encode).collect();
        let undo = changes
            .into_iter()
            .map(|change| self.replay(change, now))
            .collect();
        Some(rt.append(self.partition, records, After::Nothing, undo))
    }

    /// Writes a group's metadata record. The group itself changed already, or does in `after`.
    pub fn write_group(
        &mut self,
        rt: &mut Runtime,
        group: &str,
        value: &GroupMetadataValue,
        after: After,
    ) -> u64 {
        let key = OffsetsKey::GroupMetadata {
            group: group.to_owned(),
        };
        rt.append(
            self.partition,
            vec![(key.encode(), Some(value.encode()))],
            after,
            Vec::new(),
        )
    }

    /// Ends an append: what it was for happens, or is taken back.
    pub fn appended(
        &mut self,
        rt: &mut Runtime,
        pending: Pending,
        failure: Option<ErrorCode>,
        now: Time,
    ) {
        if failure.is_some() {
            for undo in pending.undo.into_iter().rev() {
                self.take_back(undo);
            }
        }
        match pending.after {
            After::Nothing => {}
            After::NewGroup { group, waiting } => {
                let Some(error) = failure else { return };
                let Some(group) = self.groups.get_mut(&group) else {
                    return;
                };
                let member = group.members.values_mut();
                let mut member = member.filter(|member| member.awaiting_join == Some(waiting));
                if let Some(member) = member.next() {
                    member.awaiting_join = None;
                    let response = JoinGroupResponse::default().with_error_code(error.0);
                    responses::join(rt, waiting, response);
                }
            }
            After::Assignment {
                group: id,
                generation,
                assignment,
            } => {
                let Some(group) = self.groups.get(&id) else {
                    return;
                };
                // Somebody may have joined meanwhile: then another assignment comes.
                if group.state != GroupState::CompletingRebalance || group.generation != generation
                {
                    return;
                }
                match failure {
                    Some(error) => {
                        self.reset_assignment(rt, &id, error, now);
                        self.prepare_rebalance_or_complete_join(rt, &id, now);
                    }
                    None => self.propagate_assignment(rt, &id, &assignment, now),
                }
            }
            After::StaticRejoin(rejoin) => self.static_rejoined(rt, *rejoin, failure, now),
        }
    }

    fn take_back(&mut self, undo: Undo) {
        match undo {
            Undo::Offset {
                group,
                topic,
                partition,
                previous: Some(value),
            } => {
                self.offsets.put(&group, &topic, partition, value);
            }
            Undo::Offset {
                group,
                topic,
                partition,
                previous: None,
            } => {
                self.offsets.remove(&group, &topic, partition);
            }
            Undo::Group(group) => {
                self.groups.entry(group.id.clone()).or_insert(*group);
            }
            Undo::Nothing => {}
        }
    }

    /// Runs what is due.
    pub fn tick(&mut self, rt: &mut Runtime, now: Time) {
        // Only what is due at the start: an action that schedules itself anew waits for the next tick.
        for key in self.timers.due(now) {
            let Some(action) = self.timers.take_due(&key, now) else {
                continue;
            };
            match (key, action) {
                (TimerKey::Heartbeat { group, member }, _) => {
                    self.expire_member(rt, &group, &member, now);
                }
                (
                    TimerKey::Join { group },
                    TimerAction::InitialDelay {
                        delay_ms,
                        remaining_ms,
                    },
                ) => {
                    self.end_initial_delay(rt, &group, delay_ms, remaining_ms, now);
                }
                (TimerKey::Join { group }, _) => self.complete_join(rt, &group, now),
                (TimerKey::Sync { group }, TimerAction::ExpireSync { generation }) => {
                    self.expire_sync(rt, &group, generation, now);
                }
                (TimerKey::Sync { .. }, _) => {}
                (TimerKey::Expiration, _) => {
                    self.expire_offsets(rt, now);
                    self.schedule_expiration(rt, now);
                }
            }
        }
    }

    fn schedule_expiration(&mut self, rt: &Runtime, now: Time) {
        let interval = rt.config.offsets_retention_check_interval_ms.max(1);
        let at = now.plus_millis(interval);
        self.timers
            .schedule(TimerKey::Expiration, at, TimerAction::ExpireOffsets);
    }

    /// Gives every member its assignment, and the waiting ones their response: the group is Stable.
    fn propagate_assignment(
        &mut self,
        rt: &mut Runtime,
        id: &str,
        assignment: &BTreeMap<String, bytes::Bytes>,
        now: Time,
    ) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        let kind = responses::optional(group.protocol_type.as_deref());
        let name = responses::optional(group.protocol_name.as_deref());
        let mut answered = Vec::new();
        for member in group.members.values_mut() {
            member.assignment = assignment
                .get(&member.member_id)
                .cloned()
                .unwrap_or_default();
            if let Some(waiting) = member.awaiting_sync.take() {
                let response = SyncGroupResponse::default()
                    .with_protocol_type(kind.clone())
                    .with_protocol_name(name.clone())
                    .with_assignment(member.assignment.clone());
                rt.respond(waiting.request_id, response.into());
                answered.push(member.member_id.clone());
            }
        }
        group.transition_to(GroupState::Stable, now);
        for member in answered {
            self.schedule_heartbeat(id, &member, now);
        }
    }
}

/// `group.max.size` as a count.
pub(super) fn max_size(rt: &Runtime) -> usize {
    usize::try_from(rt.config.max_size).unwrap_or(0)
}

fn encode(change: &Change) -> OffsetsRecord {
    match change {
        Change::Commit {
            group,
            topic,
            partition,
            value,
        } => (
            offset_key(group, topic, *partition).encode(),
            Some(value.encode()),
        ),
        Change::Forget {
            group,
            topic,
            partition,
        } => (offset_key(group, topic, *partition).encode(), None),
        Change::DeleteGroup { group } => (
            OffsetsKey::GroupMetadata {
                group: group.clone(),
            }
            .encode(),
            None,
        ),
    }
}

fn offset_key(group: &str, topic: &str, partition: i32) -> OffsetsKey {
    OffsetsKey::OffsetCommit {
        group: group.to_owned(),
        topic: topic.to_owned(),
        partition,
    }
}
