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
pub mod consumer_protocol;
mod describe;
mod join;
mod member;
mod offsets;
mod rebalance;
pub mod records;
mod responses;
mod runtime;
mod shard;
mod state;
mod sync;
#[cfg(test)]
mod tests;
mod timers;

pub use config::GroupConfig;
pub use describe::{GroupView, MemberView, OffsetView};
pub use state::GroupState;

use std::collections::BTreeMap;

use bytes::Bytes;
use playground_protocol::messages::delete_groups_response::DeletableGroupResult;
use playground_protocol::messages::offset_fetch_response::{
    OffsetFetchResponsePartition, OffsetFetchResponseTopic,
};
use playground_protocol::messages::{
    DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse,
    GroupId, JoinGroupRequest, ListGroupsRequest, ListGroupsResponse, OffsetFetchRequest,
    OffsetFetchResponse, RequestKind, ResponseKind, TopicName,
};
use playground_protocol::{ErrorCode, Time};
use uuid::Uuid;

use runtime::{Call, Runtime};
use shard::Shard;

/// How long a new member may wait for its first join phase to end, in milliseconds
/// (`CLASSIC_GROUP_NEW_MEMBER_JOIN_TIMEOUT_MS`).
const NEW_MEMBER_JOIN_TIMEOUT_MS: i32 = 5 * 60 * 1000;

/// One record of `__consumer_offsets`: its key, and its value or none for a tombstone.
pub type OffsetsRecord = (Bytes, Option<Bytes>);

/// What the coordinator needs to know of the cluster's topics: the node's metadata image.
pub trait TopicDirectory {
    /// The topic's id, if the topic exists.
    fn topic_id(&self, topic: &str) -> Option<Uuid>;
    /// The name of the topic with this id, if it exists.
    fn topic_name(&self, topic_id: Uuid) -> Option<String>;
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
#[allow(clippy::large_enum_variant)] // short-lived: put out, taken in, gone
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
pub struct GroupCoordinator {
    runtime: Runtime,
    shards: BTreeMap<i32, Partition>,
}

/// A partition of `__consumer_offsets` that this node leads.
#[derive(Debug)]
enum Partition {
    Loading,
    Loaded(Box<Shard>),
}

/// The partition of `__consumer_offsets` that keeps a group: `Utils.abs(groupId.hashCode()) % count`.
pub fn partition_for(group_id: &str, partition_count: i32) -> i32 {
    let hash = java_hash(group_id);
    let positive = if hash == i32::MIN { 0 } else { hash.abs() };
    positive.checked_rem(partition_count).unwrap_or(0)
}

/// Java's `String.hashCode`.
fn java_hash(text: &str) -> i32 {
    text.encode_utf16().fold(0i32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(i32::from(unit))
    })
}

impl GroupCoordinator {
    /// A coordinator without partitions. `offsets_partition_count` is `offsets.topic.num.partitions`.
    pub fn new(config: GroupConfig, offsets_partition_count: i32, seed: u64) -> GroupCoordinator {
        GroupCoordinator {
            runtime: Runtime::new(config, offsets_partition_count, seed),
            shards: BTreeMap::new(),
        }
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
        self.shards.entry(partition).or_insert(Partition::Loading);
    }

    /// Serves a partition that this node leads, from all the records of its log, oldest first. A
    /// partition that is served already stays as it is.
    pub fn load(
        &mut self,
        partition: i32,
        records: impl IntoIterator<Item = OffsetsRecord>,
        now: Time,
    ) {
        if matches!(self.shards.get(&partition), Some(Partition::Loaded(_))) {
            return;
        }
        let shard = Shard::load(partition, records, &mut self.runtime, now);
        self.shards
            .insert(partition, Partition::Loaded(Box::new(shard)));
    }

    /// Whether the partition is loaded and served.
    pub fn is_loaded(&self, partition: i32) -> bool {
        matches!(self.shards.get(&partition), Some(Partition::Loaded(_)))
    }

    /// Stops serving a partition: waiting members get NOT_COORDINATOR.
    pub fn unload(&mut self, partition: i32) {
        if let Some(Partition::Loaded(mut shard)) = self.shards.remove(&partition) {
            shard.unload(&mut self.runtime, Time::default());
        }
        for (token, _) in self.runtime.take_pending_of(partition) {
            self.runtime
                .release(token, partition, Some(ErrorCode::NOT_COORDINATOR));
        }
    }

    /// Handles one request that [`GroupCoordinator::serves`]. Groups of partitions that are not loaded
    /// answer NOT_COORDINATOR. The response comes from [`GroupCoordinator::poll_output`], now or later.
    pub fn handle(&mut self, context: &RequestContext<'_>, request: &RequestKind, now: Time) {
        if let Err(error) = self.dispatch(context, request, now)
            && let Some(response) = responses::error(request, context.version, error)
        {
            self.runtime.respond(context.request_id, response);
        }
    }

    /// Handles a request, or says with which error it is answered.
    fn dispatch(
        &mut self,
        context: &RequestContext<'_>,
        request: &RequestKind,
        now: Time,
    ) -> Result<(), ErrorCode> {
        let call = Call {
            request_id: context.request_id,
            version: context.version,
            client_id: context.client_id.to_owned(),
            client_host: format!("/{}", context.client_host),
        };
        match request {
            RequestKind::JoinGroup(request) => {
                require_group_id(&request.group_id)?;
                self.check_session_timeout(request)?;
                let (shard, rt) = self.shard(&request.group_id)?;
                shard.join(rt, &call, request, now);
            }
            RequestKind::SyncGroup(request) => {
                require_group_id(&request.group_id)?;
                let (shard, rt) = self.shard(&request.group_id)?;
                shard.sync(rt, &call, request);
            }
            RequestKind::Heartbeat(request) => {
                require_group_id(&request.group_id)?;
                match self.shard(&request.group_id) {
                    // Members stay calm while the coordinator loads.
                    Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS) => return Err(ErrorCode::NONE),
                    found => {
                        let (shard, rt) = found?;
                        shard.heartbeat(rt, &call, request, now);
                    }
                }
            }
            RequestKind::LeaveGroup(request) => {
                require_group_id(&request.group_id)?;
                let (shard, rt) = self.shard(&request.group_id)?;
                shard.leave(rt, &call, request, now);
            }
            RequestKind::OffsetCommit(request) => {
                let (shard, rt) = self.shard(&request.group_id)?;
                shard.commit(rt, &call, request, context.topics, now);
            }
            RequestKind::OffsetDelete(request) => {
                require_group_id(&request.group_id)?;
                let (shard, rt) = self.shard(&request.group_id)?;
                shard.delete_offsets(rt, &call, request, context.topics, now);
            }
            RequestKind::OffsetFetch(request) => self.fetch(&call, request, context.topics),
            RequestKind::ListGroups(request) => self.list(&call, request)?,
            RequestKind::DescribeGroups(request) => self.describe(&call, request),
            RequestKind::DeleteGroups(request) => self.delete(&call, request, now),
            _ => {}
        }
        Ok(())
    }

    /// Reports the outcome of an [`Output::Append`]: the last offset of the batch once it is committed,
    /// or why it was not appended. Releases the responses that waited for it.
    pub fn appended(&mut self, token: u64, result: Result<i64, ErrorCode>, now: Time) {
        let Some(pending) = self.runtime.take_pending(token) else {
            return;
        };
        let partition = pending.partition;
        let failure = result.err().map(runtime::append_error);
        if let Some(Partition::Loaded(shard)) = self.shards.get_mut(&partition) {
            shard.appended(&mut self.runtime, pending, failure, now);
        }
        self.runtime.release(token, partition, failure);
    }

    /// The followers do not take an [`Output::Append`] in time: the responses that waited for it say so. The
    /// records count nevertheless, and [`GroupCoordinator::appended`] follows when they are committed.
    pub fn timed_out(&mut self, token: u64, partition: i32, error: ErrorCode) {
        let failure = Some(runtime::append_error(error));
        self.runtime.release(token, partition, failure);
    }

    /// Drops the committed offsets of topics that were deleted (tombstones are put out for appending).
    pub fn topics_deleted(&mut self, topics: &[String], now: Time) {
        for partition in self.shards.values_mut() {
            if let Partition::Loaded(shard) = partition {
                shard.forget_topics(&mut self.runtime, topics, now);
            }
        }
    }

    /// When [`GroupCoordinator::tick`] must be called next; [`Time::NEVER`] when nothing is due.
    pub fn next_deadline(&self) -> Time {
        self.loaded()
            .map(|shard| shard.timers.next())
            .min()
            .unwrap_or(Time::NEVER)
    }

    /// Runs what is due at `now`: session and rebalance timeouts, initial delays, offset expiration.
    pub fn tick(&mut self, now: Time) {
        for partition in self.shards.values_mut() {
            if let Partition::Loaded(shard) = partition {
                shard.tick(&mut self.runtime, now);
            }
        }
    }

    /// The next thing to do for the node, if any.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.runtime.poll_output()
    }

    /// The groups of all loaded partitions, by partition and id.
    pub fn groups(&self) -> Vec<GroupView> {
        self.loaded().flat_map(Shard::views).collect()
    }

    fn loaded(&self) -> impl Iterator<Item = &Shard> {
        self.shards
            .values()
            .filter_map(|partition| match partition {
                Partition::Loaded(shard) => Some(&**shard),
                Partition::Loading => None,
            })
    }

    /// The shard of a group, with the runtime that it works on.
    fn shard(&mut self, group_id: &str) -> Result<(&mut Shard, &mut Runtime), ErrorCode> {
        let partition = partition_for(group_id, self.runtime.partition_count);
        match self.shards.get_mut(&partition) {
            Some(Partition::Loaded(shard)) => Ok((shard, &mut self.runtime)),
            Some(Partition::Loading) => Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS),
            None => Err(ErrorCode::NOT_COORDINATOR),
        }
    }

    fn check_session_timeout(&self, request: &JoinGroupRequest) -> Result<(), ErrorCode> {
        let config = &self.runtime.config;
        let allowed = config.min_session_timeout_ms..=config.max_session_timeout_ms;
        if allowed.contains(&request.session_timeout_ms) {
            Ok(())
        } else {
            Err(ErrorCode::INVALID_SESSION_TIMEOUT)
        }
    }

    fn fetch(&mut self, call: &Call, request: &OffsetFetchRequest, topics: &dyn TopicDirectory) {
        let kind = RequestKind::OffsetFetch(request.clone());
        let version = call.version;
        // A group and its topics, as all versions have them.
        type Wanted = Option<Vec<(TopicName, Uuid, Vec<i32>)>>;
        let groups: Vec<(GroupId, Wanted)> = if version >= 8 {
            let groups = request.groups.iter().map(|group| {
                let wanted = group.topics.as_ref().map(|topics| {
                    let topics = topics.iter();
                    topics
                        .map(|t| (t.name.clone(), t.topic_id, t.partition_indexes.clone()))
                        .collect()
                });
                (group.group_id.clone(), wanted)
            });
            groups.collect()
        } else {
            let wanted = request.topics.as_ref().map(|topics| {
                let topics = topics.iter();
                topics
                    .map(|t| (t.name.clone(), Uuid::nil(), t.partition_indexes.clone()))
                    .collect()
            });
            vec![(request.group_id.clone(), wanted)]
        };
        let mut waits_for = Vec::new();
        let mut found = Vec::new();
        for (group_id, wanted) in groups {
            match self.shard(&group_id) {
                Ok((shard, rt)) => {
                    if request.require_stable {
                        waits_for.extend(rt.last_pending(shard.partition));
                    }
                    found.push(shard.fetch(&group_id, wanted.as_deref(), version, topics));
                }
                Err(error) => found.push(responses::fetch_group_error(group_id, error)),
            }
        }
        let response = if version >= 8 {
            OffsetFetchResponse::default().with_groups(found)
        } else {
            let Some(group) = found.into_iter().next() else {
                return;
            };
            if group.error_code != 0 {
                let error = ErrorCode(group.error_code);
                if let Some(response) = responses::error(&kind, version, error) {
                    self.runtime.respond(call.request_id, response);
                }
                return;
            }
            let topics = group.topics.into_iter().map(|topic| {
                let partitions = topic.partitions.into_iter().map(|partition| {
                    OffsetFetchResponsePartition::default()
                        .with_partition_index(partition.partition_index)
                        .with_committed_offset(partition.committed_offset)
                        .with_committed_leader_epoch(partition.committed_leader_epoch)
                        .with_metadata(partition.metadata)
                        .with_error_code(partition.error_code)
                });
                OffsetFetchResponseTopic::default()
                    .with_name(topic.name)
                    .with_partitions(partitions.collect())
            });
            OffsetFetchResponse::default().with_topics(topics.collect())
        };
        self.runtime
            .respond_after(waits_for, call, kind, response.into());
    }

    fn list(&mut self, call: &Call, request: &ListGroupsRequest) -> Result<(), ErrorCode> {
        if self
            .shards
            .values()
            .any(|partition| matches!(partition, Partition::Loading))
        {
            return Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS);
        }
        let groups = self
            .loaded()
            .flat_map(|shard| shard.list(request))
            .collect();
        let response = ListGroupsResponse::default().with_groups(groups);
        self.runtime.respond(call.request_id, response.into());
        Ok(())
    }

    fn describe(&mut self, call: &Call, request: &DescribeGroupsRequest) {
        let mut groups = Vec::new();
        for group_id in &request.groups {
            let operations = request.include_authorized_operations;
            match self.shard(group_id) {
                Ok((shard, _)) => groups.push(shard.describe(group_id, call.version, operations)),
                Err(error) => {
                    let one = DescribeGroupsRequest::default().with_groups(vec![group_id.clone()]);
                    let failed = responses::error(&one.into(), call.version, error);
                    if let Some(ResponseKind::DescribeGroups(failed)) = failed {
                        groups.extend(failed.groups);
                    }
                }
            }
        }
        let response = DescribeGroupsResponse::default().with_groups(groups);
        self.runtime.respond(call.request_id, response.into());
    }

    fn delete(&mut self, call: &Call, request: &DeleteGroupsRequest, now: Time) {
        let kind = RequestKind::DeleteGroups(request.clone());
        let mut by_partition: BTreeMap<i32, Vec<&str>> = BTreeMap::new();
        for group_id in &request.groups_names {
            let partition = partition_for(group_id, self.runtime.partition_count);
            let groups = by_partition.entry(partition).or_default();
            if !groups.contains(&group_id.as_str()) {
                groups.push(group_id);
            }
        }
        let mut results = Vec::new();
        let mut waits_for = Vec::new();
        for groups in by_partition.into_values() {
            let Some(first) = groups.first() else {
                continue;
            };
            let outcomes = match self.shard(first) {
                Ok((shard, rt)) => {
                    let (outcomes, token) = shard.delete_groups(rt, &groups, now);
                    waits_for.extend(token);
                    outcomes
                }
                Err(error) => vec![error; groups.len()],
            };
            for (group, outcome) in groups.iter().zip(outcomes) {
                results.push(
                    DeletableGroupResult::default()
                        .with_group_id(GroupId(responses::text(group)))
                        .with_error_code(outcome.0),
                );
            }
        }
        let response = DeleteGroupsResponse::default().with_results(results);
        self.runtime
            .respond_after(waits_for, call, kind, response.into());
    }
}

fn require_group_id(group_id: &GroupId) -> Result<(), ErrorCode> {
    if group_id.is_empty() {
        Err(ErrorCode::INVALID_GROUP_ID)
    } else {
        Ok(())
    }
}
