//! Fetches: requests with sessions (KIP-227), and the buffer of what came (`Fetcher`, `FetchCollector`,
//! `FetchSessionHandler`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use playground_log::TimestampType;
use playground_log::record::{DECOMPRESSED_BATCH_BYTES_MAX, batches};
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use playground_protocol::messages::fetch_response::PartitionData;
use playground_protocol::messages::{BrokerId, FetchRequest, TopicName};
use uuid::Uuid;

use super::{ConsumerConfig, ConsumerRecord};
use crate::{ClientError, TopicPartition};

/// The epoch of a request that opens a session.
const INITIAL_EPOCH: i32 = 0;

/// What a session's partition was last asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) topic_id: Uuid,
    pub(super) offset: i64,
    pub(super) leader_epoch: Option<i32>,
}

/// The fetch session with one node.
#[derive(Clone, Debug, Default)]
pub(super) struct FetchSession {
    id: i32,
    epoch: i32,
    partitions: BTreeMap<TopicPartition, Wanted>,
}

impl FetchSession {
    /// The next request: all of `wanted` in a new session, in an old one what changed.
    pub(super) fn request(
        &mut self,
        wanted: BTreeMap<TopicPartition, Wanted>,
        by_id: bool,
        rack: &str,
        config: &ConsumerConfig,
    ) -> FetchRequest {
        let full = self.epoch == INITIAL_EPOCH;
        let sent: Vec<(&TopicPartition, &Wanted)> = wanted
            .iter()
            .filter(|(partition, wanted)| full || self.partitions.get(partition) != Some(wanted))
            .collect();
        let mut topics: Vec<FetchTopic> = Vec::new();
        for (partition, wanted) in sent {
            let fetch = FetchPartition::default()
                .with_partition(partition.partition)
                .with_current_leader_epoch(wanted.leader_epoch.unwrap_or(-1))
                .with_fetch_offset(wanted.offset)
                .with_last_fetched_epoch(-1)
                .with_log_start_offset(-1)
                .with_partition_max_bytes(config.max_partition_fetch_bytes);
            let name = TopicName(StrBytes::from_string(partition.topic.clone()));
            let same = |topic: &FetchTopic| {
                if by_id {
                    topic.topic_id == wanted.topic_id
                } else {
                    topic.topic == name
                }
            };
            match topics.last_mut().filter(|topic| same(topic)) {
                Some(topic) => topic.partitions.push(fetch),
                None => {
                    let topic = FetchTopic::default().with_partitions(vec![fetch]);
                    topics.push(if by_id {
                        topic.with_topic_id(wanted.topic_id)
                    } else {
                        topic.with_topic(name)
                    });
                }
            }
        }
        let forgotten: Vec<ForgottenTopic> = self
            .partitions
            .iter()
            .filter(|(partition, old)| {
                !full
                    && wanted
                        .get(partition)
                        .is_none_or(|new| new.topic_id != old.topic_id)
            })
            .map(|(partition, old)| {
                let topic = ForgottenTopic::default().with_partitions(vec![partition.partition]);
                if by_id {
                    topic.with_topic_id(old.topic_id)
                } else {
                    topic.with_topic(TopicName(StrBytes::from_string(partition.topic.clone())))
                }
            })
            .collect();
        self.partitions = wanted;
        FetchRequest::default()
            .with_replica_id(BrokerId(-1))
            .with_max_wait_ms(config.fetch_max_wait_ms)
            .with_min_bytes(config.fetch_min_bytes)
            .with_max_bytes(config.fetch_max_bytes)
            .with_isolation_level(i8::from(config.read_committed))
            .with_session_id(self.id)
            .with_session_epoch(self.epoch)
            .with_topics(topics)
            .with_forgotten_topics_data(forgotten)
            .with_rack_id(StrBytes::from_string(rack.to_owned()))
    }

    /// A response came: the session goes on, or (id 0) the next request opens one.
    pub(super) fn answered(&mut self, id: i32) {
        if id == 0 {
            self.reset();
            return;
        }
        self.id = id;
        self.epoch = if self.epoch == i32::MAX {
            1
        } else {
            self.epoch + 1
        };
    }

    /// The session is lost: the next request opens one.
    pub(super) fn reset(&mut self) {
        *self = FetchSession::default();
    }

    /// The partition of the session that a response's topic id and number mean.
    pub(super) fn partition(&self, topic_id: Uuid, partition: i32) -> Option<TopicPartition> {
        self.partitions
            .iter()
            .find(|(wanted, state)| state.topic_id == topic_id && wanted.partition == partition)
            .map(|(wanted, _)| wanted.clone())
    }

    /// The offset that a partition was last asked from.
    pub(super) fn wanted_offset(&self, partition: &TopicPartition) -> Option<i64> {
        self.partitions.get(partition).map(|wanted| wanted.offset)
    }
}

/// Records of one partition that were fetched and not polled yet.
#[derive(Clone, Debug)]
pub(super) struct Fetched {
    pub(super) partition: TopicPartition,
    /// The position that the consumer must have for these to be next.
    pub(super) expected: i64,
    pub(super) records: VecDeque<ConsumerRecord>,
    /// The position, and the epoch before it, after the last record.
    pub(super) next: (i64, Option<i32>),
}

/// Reads a partition's response from `offset` on.
///
/// # Errors
/// A corrupt or undecodable batch.
pub(super) fn read(
    partition: &TopicPartition,
    offset: i64,
    data: &PartitionData,
    check_crcs: bool,
) -> Result<Fetched, ClientError> {
    // With read_committed the broker tells which transactions were aborted, and from which offset on.
    let mut aborted: Vec<(i64, i64)> = data
        .aborted_transactions
        .iter()
        .flatten()
        .map(|aborted| (aborted.first_offset, aborted.producer_id.0))
        .collect();
    aborted.sort_unstable();
    aborted.reverse();
    let mut aborted_producers: BTreeSet<i64> = BTreeSet::new();
    let mut fetched = Fetched {
        partition: partition.clone(),
        expected: offset,
        records: VecDeque::new(),
        next: (offset, None),
    };
    let bytes = data.records.clone().unwrap_or_default();
    for batch in batches(bytes) {
        let corrupt = |cause: String| {
            let text = format!(
                "Received exception when fetching the next record from {partition}. If needed, please seek past the \
                 record to continue consumption."
            );
            let class = "org.apache.kafka.common.errors.CorruptRecordException";
            ClientError::new("org.apache.kafka.common.KafkaException", text)
                .caused_by(ClientError::new(class, cause))
        };
        let batch = batch.map_err(|error| corrupt(error.to_string()))?;
        if check_crcs {
            batch
                .ensure_valid()
                .map_err(|error| corrupt(error.to_string()))?;
        }
        let epoch = Some(batch.header.partition_leader_epoch).filter(|epoch| *epoch >= 0);
        let log_append_time = batch.header.timestamp_type() == TimestampType::LogAppendTime;
        while let Some((_, producer)) =
            aborted.pop_if(|(first, _)| *first <= batch.header.last_offset())
        {
            aborted_producers.insert(producer);
        }
        let producer = batch.header.producer_id;
        if batch.header.is_control() {
            // The marker ends the transaction, whichever way.
            aborted_producers.remove(&producer);
        }
        let skipped = batch.header.is_transactional() && aborted_producers.contains(&producer);
        if !batch.header.is_control() && !skipped {
            let records = batch
                .records_within(DECOMPRESSED_BATCH_BYTES_MAX)
                .map_err(|error| corrupt(error.to_string()))?;
            for record in records {
                let record = record.map_err(|error| corrupt(error.to_string()))?;
                if record.offset >= offset {
                    fetched.records.push_back(ConsumerRecord {
                        topic: partition.topic.clone(),
                        partition: partition.partition,
                        offset: record.offset,
                        timestamp: record.timestamp,
                        log_append_time,
                        key: record.key,
                        value: record.value,
                        headers: record.headers,
                        leader_epoch: epoch,
                    });
                }
            }
        }
        fetched.next = (batch.header.next_offset().max(offset), epoch);
    }
    Ok(fetched)
}
