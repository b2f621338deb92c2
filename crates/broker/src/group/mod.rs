//! The coordinator of classic groups: members, rebalances, committed offsets, and the records of
//! `__consumer_offsets` that keep them (Kafka's `GroupMetadataManager` and `OffsetMetadataManager`).
//!
//! A [`GroupCoordinator`] serves the partitions of `__consumer_offsets` that this node leads.
//!
//! Driving contract:
//! - Inputs: [`GroupCoordinator::load`] and [`GroupCoordinator::unload`] as leadership comes and goes,
//!   [`GroupCoordinator::handle`] per request, [`GroupCoordinator::appended`] once per
//!   [`Output::Append`], [`GroupCoordinator::tick`] at [`GroupCoordinator::next_deadline`],
//!   [`GroupCoordinator::topics_deleted`] when the metadata says so.
//! - Output: after every input, drain [`GroupCoordinator::poll_output`]. Appends must reach the
//!   partition's log in the order in which they come out.
//! - State changes when records are put out, responses leave when they are appended: a request that
//!   writes is answered after its `appended`, never before.

mod config;

pub use config::GroupConfig;

use bytes::Bytes;
use playground_protocol::messages::{RequestKind, ResponseKind};
use playground_protocol::{ErrorCode, Time};
use uuid::Uuid;

/// One record of `__consumer_offsets`: its key, and its value or none for a tombstone.
pub type OffsetsRecord = (Bytes, Option<Bytes>);

/// What the coordinator needs to know of the cluster's topics: the node's metadata image.
pub trait TopicDirectory {
    /// The topic's id, if the topic exists.
    fn topic_id(&self, topic: &str) -> Option<Uuid>;
    /// How many partitions the topic has; 0 when it does not exist.
    fn partition_count(&self, topic: &str) -> i32;
}

/// Who sent a request, and how.
pub struct RequestContext<'a> {
    /// Chosen by the caller; comes back in [`Output::Respond`].
    pub request_id: u64,
    /// The API version of the request.
    pub version: i16,
    /// The header's client id, empty when it was null.
    pub client_id: &'a str,
    /// The peer's address without decoration (`127.0.0.1`); kept with Java's leading slash.
    pub client_host: &'a str,
    /// The topics as this node knows them now.
    pub topics: &'a dyn TopicDirectory,
}

/// What the coordinator asks of its node.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Append these records as one batch to this partition of `__consumer_offsets`, then call
    /// [`GroupCoordinator::appended`] with the token.
    Append {
        /// The partition of `__consumer_offsets`.
        partition: i32,
        /// The records, in order; never empty. Their timestamp is `now`.
        records: Vec<OffsetsRecord>,
        /// Names this append.
        token: u64,
    },
    /// Answer a request.
    Respond {
        /// As given in [`RequestContext::request_id`].
        request_id: u64,
        /// The answer, in the request's version.
        response: ResponseKind,
    },
}

/// The group coordinator of one node. See the module's driving contract.
#[derive(Debug)]
pub struct GroupCoordinator {}

/// The partition of `__consumer_offsets` that keeps a group: `Utils.abs(groupId.hashCode()) % count`.
pub fn partition_for(group_id: &str, partition_count: i32) -> i32 {
    let hash = group_id.encode_utf16().fold(0i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    });
    let positive = if hash == i32::MIN { 0 } else { hash.abs() };
    positive.checked_rem(partition_count).unwrap_or(0)
}

impl GroupCoordinator {
    /// A coordinator without partitions. `offsets_partition_count` is `offsets.topic.num.partitions`.
    pub fn new(config: GroupConfig, offsets_partition_count: i32, seed: u64) -> GroupCoordinator {
        let _ = (config, offsets_partition_count, seed);
        GroupCoordinator {}
    }

    /// Whether a request is this coordinator's: JoinGroup, SyncGroup, Heartbeat, LeaveGroup,
    /// OffsetCommit, OffsetFetch, ListGroups, DescribeGroups, DeleteGroups, OffsetDelete.
    pub fn serves(request: &RequestKind) -> bool {
        matches!(
            request,
            RequestKind::JoinGroup(_)
                | RequestKind::SyncGroup(_)
                | RequestKind::Heartbeat(_)
                | RequestKind::LeaveGroup(_)
                | RequestKind::OffsetCommit(_)
                | RequestKind::OffsetFetch(_)
                | RequestKind::ListGroups(_)
                | RequestKind::DescribeGroups(_)
                | RequestKind::DeleteGroups(_)
                | RequestKind::OffsetDelete(_)
        )
    }

    /// Begins to load a partition that this node came to lead: until [`GroupCoordinator::load`], its
    /// groups answer COORDINATOR_LOAD_IN_PROGRESS. Only needed when loading takes more than a step.
    pub fn begin_load(&mut self, partition: i32) {
        let _ = partition;
    }

    /// Serves a partition that this node leads, from all the records of its log, oldest first.
    pub fn load(
        &mut self,
        partition: i32,
        records: impl IntoIterator<Item = OffsetsRecord>,
        now: Time,
    ) {
        let _ = (partition, records.into_iter().count(), now);
    }

    /// Stops serving a partition: waiting members get NOT_COORDINATOR.
    pub fn unload(&mut self, partition: i32) {
        let _ = partition;
    }

    /// Handles one request that [`GroupCoordinator::serves`]. Groups of partitions that are not loaded
    /// answer NOT_COORDINATOR. The response comes from [`GroupCoordinator::poll_output`], now or later.
    pub fn handle(&mut self, context: &RequestContext<'_>, request: &RequestKind, now: Time) {
        let _ = (context.request_id, request, now);
    }

    /// Reports the outcome of an [`Output::Append`]: the last offset of the batch once it is committed,
    /// or why it was not appended. Releases the responses that waited for it.
    pub fn appended(&mut self, token: u64, result: Result<i64, ErrorCode>, now: Time) {
        let _ = (token, result, now);
    }

    /// Drops the committed offsets of topics that were deleted (tombstones are put out for appending).
    pub fn topics_deleted(&mut self, topics: &[String], now: Time) {
        let _ = (topics, now);
    }

    /// When [`GroupCoordinator::tick`] must be called next; [`Time::NEVER`] when nothing is due.
    pub fn next_deadline(&self) -> Time {
        Time::NEVER
    }

    /// Runs what is due at `now`: session and rebalance timeouts, initial delays, offset expiration.
    pub fn tick(&mut self, now: Time) {
        let _ = now;
    }

    /// The next thing to do for the node, if any.
    pub fn poll_output(&mut self) -> Option<Output> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_go_where_java_puts_them() {
        // "polygenelubricants".hashCode() is Integer.MIN_VALUE, whose Utils.abs is 0.
        assert_eq!(partition_for("polygenelubricants", 50), 0);
        assert_eq!(partition_for("g", 50), 3);
        assert_eq!(partition_for("", 50), 0);
    }
}
