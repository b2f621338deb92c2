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
use crate::node::partition::{ReadRequest, ReadResult};
use crate::node::purgatory::PendingFetch;
use crate::node::quorum::empty_partition;

/// From this version on, topics are named by id (KIP-516).
const BY_TOPIC_ID: i16 = 13;
/// From this version on, the replica names itself in `replica_state` (KIP-903).
const HAS_REPLICA_STATE: i16 = 15;
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
            deadline: now.plus_millis(i64::from(body.max_wait_ms)),
            watched,
        };
        match self.try_fetch(&fetch, disk, fetch.deadline <= now) {
            Some(response) => Reply::Send(response),
            None => {
                self.purgatory.wait(fetch);
                Reply::Later
            }
        }
    }

    /// Looks again at a fetch that waits, if one was woken or is due. Whether there was one.
    pub(in crate::node) fn retry_fetch(&mut self, disk: &mut Disk, now: Time) -> bool {
        let Some(fetch) = self.purgatory.next(now) else {
            return false;
        };
        match self.try_fetch(&fetch, disk, fetch.deadline <= now) {
            Some(response) => self.completed.push_back((fetch.request, Some(response))),
            None => self.purgatory.wait(fetch),
        }
        true
    }

    /// The answer, unless it is worth waiting for more.
    fn try_fetch(&mut self, fetch: &PendingFetch, disk: &Disk, due: bool) -> Option<ResponseKind> {
        let read = self.read_all(fetch, disk);
        if !due && !read.urgent && read.readable > 0 && read.bytes < fetch.min_bytes {
            return None;
        }
        Some(self.fetch_response(fetch, read.data))
    }

    fn read_all(&self, fetch: &PendingFetch, disk: &Disk) -> FetchRead {
        let mut read = FetchRead {
            data: Vec::with_capacity(fetch.partitions.len()),
            bytes: 0,
            urgent: false,
            readable: 0,
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
            let min_one = read.bytes == 0;
            let result = self.read_one(fetch, &topic, asked, room, min_one, disk);
            let data = match result {
                Ok(result) => {
                    let bytes = result.records.len();
                    read.bytes += bytes;
                    room = room.saturating_sub(bytes);
                    read.urgent |= result.diverging.is_some();
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
            },
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
