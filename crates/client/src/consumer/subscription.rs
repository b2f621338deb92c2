//! Which partitions are consumed, and where each stands (`SubscriptionState`).

use std::collections::BTreeMap;

use indexmap::IndexMap;
use playground_protocol::Time;

use super::OffsetAndMetadata;
use crate::TopicPartition;

/// Where a partition's position comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// Not known yet: the committed offset is asked for, or else the reset policy.
    Unknown,
    /// To be looked up by timestamp (-1 latest, -2 earliest, or a time).
    Reset(i64),
    /// The next record is that at this offset; the leader epoch of the record before it, if known.
    At(i64, Option<i32>),
}

/// One assigned partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Assigned {
    pub(super) position: Position,
    /// No request about it before this time.
    pub(super) not_before: Time,
}

/// The assigned partitions, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Subscription {
    partitions: BTreeMap<TopicPartition, Assigned>,
}

impl Subscription {
    /// Replaces the assignment; partitions that stay keep their position.
    pub(super) fn assign(&mut self, partitions: &[TopicPartition]) {
        let mut old = std::mem::take(&mut self.partitions);
        for partition in partitions {
            let kept = old.remove(partition);
            let fresh = Assigned {
                position: Position::Unknown,
                not_before: Time::default(),
            };
            self.partitions
                .insert(partition.clone(), kept.unwrap_or(fresh));
        }
    }

    pub(super) fn partitions(&self) -> Vec<TopicPartition> {
        self.partitions.keys().cloned().collect()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&TopicPartition, &Assigned)> {
        self.partitions.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.partitions.is_empty()
    }

    pub(super) fn get_mut(&mut self, partition: &TopicPartition) -> Option<&mut Assigned> {
        self.partitions.get_mut(partition)
    }

    pub(super) fn position(&self, partition: &TopicPartition) -> Option<i64> {
        match self.partitions.get(partition)?.position {
            Position::At(offset, _) => Some(offset),
            _ => None,
        }
    }

    pub(super) fn set(&mut self, partition: &TopicPartition, position: Position) {
        if let Some(assigned) = self.partitions.get_mut(partition) {
            assigned.position = position;
            assigned.not_before = Time::default();
        }
    }

    /// No request about this partition before `time`.
    pub(super) fn back_off(&mut self, partition: &TopicPartition, time: Time) {
        if let Some(assigned) = self.partitions.get_mut(partition) {
            assigned.not_before = time;
        }
    }

    /// What a commit of everything consumed commits.
    pub(super) fn consumed(&self) -> IndexMap<TopicPartition, OffsetAndMetadata> {
        self.partitions
            .iter()
            .filter_map(|(partition, assigned)| match assigned.position {
                Position::At(offset, leader_epoch) => Some((
                    partition.clone(),
                    OffsetAndMetadata {
                        offset,
                        leader_epoch,
                        metadata: String::new(),
                    },
                )),
                _ => None,
            })
            .collect()
    }
}
