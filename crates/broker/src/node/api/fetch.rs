//! Fetch (`KafkaApis.handleFetchRequest`, `ReplicaManager.fetchMessages`): sessions, and the wait for records.

use playground_log::Disk;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::fetch_request::FetchPartition;
use playground_protocol::messages::fetch_response::{
    EpochEndOffset, FetchableTopicResponse, LeaderIdAndEpoch, NodeEndpoint, PartitionData,
};
use playground_protocol::messages::{FetchRequest, FetchResponse, ResponseKind, TopicName};
use playground_protocol::{ErrorCode, Time};

use super::Reply;
use crate::node::Node;
use crate::node::connections::Request;
use crate::node::fetch_session::FetchKey;
use crate::node::follower::FollowerFetch;
use crate::node::partition::{ReadRequest, ReadResult};
use crate::node::purgatory::PendingFetch;
use crate::node::quorum::empty_partition;
use crate::node::view::Role;

/// From this version on, topics are named by id (KIP-516).
const BY_TOPIC_ID: i16 = 13;
/// From this version on, the replica names itself in `replica_state` (KIP-903).
const HAS_REPLICA_STATE: i16 = 15;
/// From this version on, consumers may read from followers (KIP-392).
const READS_FOLLOWERS: i16 = 11;
/// From this version on, errors of leadership name the leader (KIP-951).
const TELLS_LEADERS: i16 = 16;

/// What all partitions of a fetch gave.
struct FetchRead {
    data: Vec<(FetchKey, PartitionData)>,
    bytes: usize,
    /// Something that the client should know at once.
    urgent: bool,
    /// Partitions that could be read at all.
    readable: usize,
    /// Where a follower stands, as this fetch says.
    followers: Vec<(String, i32, FollowerFetch)>,
}

impl Node {
    pub(super) fn fetch(
        &mut self,
        request: &Request,
        body: &FetchRequest,
        disk: &mut Disk,
        now: Time,
    ) -> Reply {
        let random = &mut self.random;
        let begun = self.sessions.begin(body, request.version, now, || {
            (random.next_u64() >> 33) as i32
        });
        let (context, partitions) = match begun {
            Ok(begun) => begun,
            Err(error) => {
                let response = FetchResponse::default().with_error_code(error.0);
                return Reply::Send(response.into());
            }
        };
        let replica = if request.version >= HAS_REPLICA_STATE {
            body.replica_state.replica_id.0
        } else {
            body.replica_id.0
        };
        let replica_epoch = if request.version >= HAS_REPLICA_STATE {
            body.replica_state.replica_epoch
        } else {
            -1
        };
        let max_bytes = body.max_bytes.min(self.settings.fetch_max_bytes).max(0);
        let watched = partitions
            .iter()
            .filter_map(|(key, _)| Some((self.topic_of(key)?, key.partition)))
            .collect();
        let fetch = PendingFetch {
            request: request.id,
            version: request.version,
            listener: request.listener.clone(),
            context,
            partitions,
            min_bytes: usize::try_from(body.min_bytes.min(max_bytes)).unwrap_or_default(),
            max_bytes: usize::try_from(max_bytes).unwrap_or_default(),
            committed_only: body.isolation_level == 1,
            replica,
            replica_epoch,
            rack: body.rack_id.to_string(),
            deadline: now.plus_millis(i64::from(body.max_wait_ms)),
            watched,
        };
        let mut read = self.read_all(&fetch, disk, now);
        // The answer tells the high watermark from before this fetch, as Kafka's does.
        let followers = std::mem::take(&mut read.followers);
        self.followers_fetched(replica, followers, now);
        match self.answer_fetch(&fetch, read, fetch.deadline <= now) {
            Some(response) => Reply::Send(response),
            None => {
                self.fetches.wait(fetch);
                Reply::Later
            }
        }
    }

    /// Looks again at a fetch that waits, if one was woken or is due. Whether there was one.
    pub(in crate::node) fn retry_fetch(&mut self, disk: &mut Disk, now: Time) -> bool {
        let Some(fetch) = self.fetches.next(now) else {
            return false;
        };
        let read = self.read_all(&fetch, disk, now);
        match self.answer_fetch(&fetch, read, fetch.deadline <= now) {
            Some(response) => self.completed.push_back((fetch.request, Some(response))),
            None => self.fetches.wait(fetch),
        }
        true
    }

    /// The answer, unless it is worth waiting for more.
    fn answer_fetch(
        &mut self,
        fetch: &PendingFetch,
        read: FetchRead,
        due: bool,
    ) -> Option<ResponseKind> {
        if !due && !read.urgent && read.readable > 0 && read.bytes < fetch.min_bytes {
            return None;
        }
        Some(self.fetch_response(fetch, read.data))
    }

    fn read_all(&self, fetch: &PendingFetch, disk: &Disk, now: Time) -> FetchRead {
        let mut read = FetchRead {
            data: Vec::with_capacity(fetch.partitions.len()),
            bytes: 0,
            urgent: false,
            readable: 0,
            followers: Vec::new(),
        };
        let mut room = fetch.max_bytes;
        for (key, asked) in &fetch.partitions {
            let Some(topic) = self
                .topic_of(key)
                .filter(|topic| self.image.partition(topic, key.partition).is_some())
            else {
                let unknown_id = fetch.version >= BY_TOPIC_ID && self.topic_of(key).is_none();
                let error = if unknown_id {
                    ErrorCode::UNKNOWN_TOPIC_ID
                } else {
                    ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
                };
                let data = empty_partition(key.partition).with_error_code(error.0);
                read.data.push((key.clone(), data));
                continue;
            };
            read.readable += 1;
            if let Some(data) = self.nearer_replica(fetch, &topic, asked, now) {
                read.urgent = true;
                read.data.push((key.clone(), data));
                continue;
            }
            let min_one = read.bytes == 0;
            let result = self.read_one(fetch, &topic, asked, room, min_one, disk);
            let data = match result {
                Ok(result) => {
                    let bytes = result.records.len();
                    read.bytes += bytes;
                    room = room.saturating_sub(bytes);
                    read.urgent |= result.diverging.is_some();
                    if fetch.replica >= 0 && result.diverging.is_none() {
                        let end = self.log_end_offset(&topic, key.partition);
                        let position = FollowerFetch {
                            offset: asked.fetch_offset,
                            log_start_offset: asked.log_start_offset,
                            leader_end_offset: end,
                            broker_epoch: fetch.replica_epoch,
                        };
                        read.followers.push((topic, key.partition, position));
                    }
                    partition_data(key.partition, result, fetch.committed_only)
                }
                Err(error) => {
                    read.urgent = true;
                    let mut data = empty_partition(key.partition).with_error_code(error.0);
                    if fetch.version >= TELLS_LEADERS
                        && (error == ErrorCode::NOT_LEADER_OR_FOLLOWER
                            || error == ErrorCode::FENCED_LEADER_EPOCH)
                        && let Some((leader, epoch)) = self.leader_of(&topic, key.partition)
                    {
                        data.current_leader = LeaderIdAndEpoch::default()
                            .with_leader_id(leader.into())
                            .with_leader_epoch(epoch);
                    }
                    data
                }
            };
            read.data.push((key.clone(), data));
        }
        read
    }

    fn read_one(
        &self,
        fetch: &PendingFetch,
        topic: &str,
        asked: &FetchPartition,
        room: usize,
        min_one: bool,
        disk: &Disk,
    ) -> Result<ReadResult, ErrorCode> {
        let partition = self
            .replicas
            .get(topic, asked.partition)
            .ok_or(ErrorCode::NOT_LEADER_OR_FOLLOWER)?;
        if fetch.replica >= 0 && partition.role == Role::Leader {
            partition.check_follower(fetch.replica, fetch.replica_epoch, &self.image)?;
        }
        let max_bytes = usize::try_from(asked.partition_max_bytes).unwrap_or_default();
        partition.read(
            disk,
            &ReadRequest {
                offset: asked.fetch_offset,
                max_bytes: max_bytes.min(room),
                min_one,
                current_leader_epoch: asked.current_leader_epoch,
                last_fetched_epoch: asked.last_fetched_epoch,
                committed_only: fetch.committed_only,
                from_replica: fetch.replica >= 0,
                leader_only: fetch.replica >= 0 || fetch.version < READS_FOLLOWERS,
            },
        )
    }

    fn log_end_offset(&self, topic: &str, number: i32) -> i64 {
        let partition = self.replicas.get(topic, number);
        partition.map_or(-1, |partition| partition.log.log_end_offset())
    }

    /// Sends a consumer to an in-sync replica in its own rack that has what it wants, if there is one and this
    /// leader is not (KIP-392; `findPreferredReadReplica`, `RackAwareReplicaSelector`).
    fn nearer_replica(
        &self,
        fetch: &PendingFetch,
        topic: &str,
        asked: &FetchPartition,
        now: Time,
    ) -> Option<PartitionData> {
        if !self.settings.rack_aware_reads
            || fetch.replica >= 0
            || fetch.rack.is_empty()
            || fetch.version < READS_FOLLOWERS
        {
            return None;
        }
        let partition = self.replicas.get(topic, asked.partition)?;
        partition.check_leader(asked.current_leader_epoch).ok()?;
        let in_rack = |id: i32| {
            self.image
                .alive_broker(id)
                .is_some_and(|broker| broker.rack.as_deref() == Some(fetch.rack.as_str()))
        };
        if in_rack(self.config.node_id) {
            return None;
        }
        let now_ms = now.millis();
        let nearest = partition
            .followers
            .iter()
            .filter(|(id, follower)| {
                in_rack(**id)
                    && partition.state.isr.contains(id)
                    && follower.log_end_offset >= asked.fetch_offset
                    && follower.log_start_offset <= asked.fetch_offset
            })
            .max_by_key(|(id, follower)| {
                let lag_ms = now_ms.saturating_sub(follower.last_caught_up_ms);
                (
                    follower.log_end_offset,
                    std::cmp::Reverse(lag_ms),
                    std::cmp::Reverse(**id),
                )
            })
            .map(|(id, _)| *id)?;
        let log = &partition.log;
        Some(
            empty_partition(asked.partition)
                .with_high_watermark(log.high_watermark())
                .with_last_stable_offset(log.last_stable_offset())
                .with_log_start_offset(log.log_start_offset())
                .with_preferred_read_replica(nearest.into()),
        )
    }

    fn fetch_response(
        &mut self,
        fetch: &PendingFetch,
        data: Vec<(FetchKey, PartitionData)>,
    ) -> ResponseKind {
        let (session_id, data) = self.sessions.finish(&fetch.context, data);
        let leaders = data
            .iter()
            .map(|(_, data)| data.current_leader.leader_id.0)
            .filter(|leader| *leader >= 0)
            .collect();
        let endpoints = if fetch.version >= TELLS_LEADERS {
            self.endpoints(leaders, &fetch.listener)
        } else {
            Vec::new()
        };
        let endpoints = endpoints
            .into_iter()
            .map(|(id, host, port, rack)| {
                NodeEndpoint::default()
                    .with_node_id(id.into())
                    .with_host(StrBytes::from_string(host))
                    .with_port(port)
                    .with_rack(rack.map(StrBytes::from_string))
            })
            .collect();
        let mut topics: Vec<FetchableTopicResponse> = Vec::new();
        for (key, data) in data {
            match topics.last_mut() {
                Some(topic)
                    if topic.topic.as_str() == key.topic && topic.topic_id == key.topic_id =>
                {
                    topic.partitions.push(data);
                }
                _ => topics.push(
                    FetchableTopicResponse::default()
                        .with_topic(TopicName(StrBytes::from_string(key.topic)))
                        .with_topic_id(key.topic_id)
                        .with_partitions(vec![data]),
                ),
            }
        }
        FetchResponse::default()
            .with_session_id(session_id)
            .with_responses(topics)
            .with_node_endpoints(endpoints)
            .into()
    }

    /// The name of the topic that a fetch means, if it exists.
    fn topic_of(&self, key: &FetchKey) -> Option<String> {
        let topic = if key.topic.is_empty() {
            self.image.topic_by_id(key.topic_id)
        } else {
            self.image.topic(&key.topic)
        };
        topic.map(|topic| topic.name.clone())
    }
}

fn partition_data(index: i32, result: ReadResult, committed_only: bool) -> PartitionData {
    let mut data = empty_partition(index)
        .with_high_watermark(result.high_watermark)
        .with_last_stable_offset(result.last_stable_offset)
        .with_log_start_offset(result.log_start_offset)
        .with_aborted_transactions(committed_only.then(Vec::new))
        .with_records(Some(result.records));
    if let Some((epoch, end_offset)) = result.diverging {
        data.diverging_epoch = EpochEndOffset::default()
            .with_epoch(epoch)
            .with_end_offset(end_offset);
    }
    data
}
