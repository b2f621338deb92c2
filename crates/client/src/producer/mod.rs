//! The producer (`org.apache.kafka.clients.producer.KafkaProducer`).

mod batch;
mod config;
mod partitioner;
mod requests;
mod sender;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use playground_log::record::batch_size_upper_bound;
use playground_protocol::{ClientInput, ClientOutput, ErrorCode, Time};
use uuid::Uuid;

use crate::network::{Backoff, NetworkClient, NetworkOptions};
use crate::{Client, ClientError, TopicPartition};
use batch::{Batch, PartitionQueue};
pub use config::{Acks, ProducerConfig};
use partitioner::Sticky;
pub use partitioner::{murmur2, partition_for_key};

/// Names one record that was given to [`Producer::send`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub u64);

/// A record to send.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProducerRecord {
    /// The topic.
    pub topic: String,
    /// The partition, or `None` to let the partitioner choose.
    pub partition: Option<i32>,
    /// Milliseconds since the epoch, or `None` for the time of sending.
    pub timestamp: Option<i64>,
    /// The key; `None` is null.
    pub key: Option<Bytes>,
    /// The value; `None` is null.
    pub value: Option<Bytes>,
    /// (name, value) in order.
    pub headers: Vec<(Bytes, Option<Bytes>)>,
}

/// Where a record went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordMetadata {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset; -1 when nobody acknowledged it (acks=0).
    pub offset: i64,
    /// Its timestamp in ms: the broker's with LogAppendTime.
    pub timestamp: i64,
    /// Bytes of the key, -1 for null.
    pub serialized_key_size: i32,
    /// Bytes of the value, -1 for null.
    pub serialized_value_size: i32,
}

/// What a producer reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProducerEvent {
    /// The record is acknowledged, or given up. Each sent record completes exactly once; records of one
    /// partition complete in order.
    Completed {
        /// Which record.
        id: RecordId,
        /// Where it went, or why not.
        result: Result<RecordMetadata, ClientError>,
    },
}

/// Where the producer id of an idempotent producer is: Wanted → Requested → Known, back to Wanted on an
/// error, or never needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Identity {
    Unneeded,
    Wanted,
    Requested(i32),
    Known { id: i64, epoch: i16 },
}

/// A record whose `send` would still be blocking in Java.
#[derive(Clone, Debug)]
struct Waiting {
    id: RecordId,
    record: ProducerRecord,
    since: Time,
}

/// A producer. Driven as [`Client`] says.
pub struct Producer {
    config: ProducerConfig,
    network: NetworkClient,
    retry_backoff: Backoff,
    next_record: u64,
    waiting: VecDeque<Waiting>,
    partitions: BTreeMap<TopicPartition, PartitionQueue>,
    sticky: BTreeMap<String, Sticky>,
    round_robin: BTreeMap<String, u32>,
    /// Compression ratios seen by topic, in thousandths.
    ratios: BTreeMap<String, u32>,
    memory_used: i64,
    /// A record waits for memory: everything is sent at once.
    exhausted: bool,
    in_flight: BTreeMap<i32, Vec<(TopicPartition, Batch)>>,
    sent_topic_ids: BTreeMap<Uuid, String>,
    drained_last: BTreeMap<i32, TopicPartition>,
    identity: Identity,
    identity_retry_at: Time,
    /// Partitions that start at sequence 0 of a new epoch.
    rewrite: BTreeSet<TopicPartition>,
    incomplete: BTreeSet<RecordId>,
    flush_until: Option<RecordId>,
    closing: Option<Time>,
    force_closed: bool,
    closed: bool,
    events: VecDeque<ProducerEvent>,
}

impl Producer {
    /// A producer; it connects and fetches metadata at once, as Java's does. `seed` chooses backoff jitter,
    /// sticky partitions and nodes.
    pub fn new(config: ProducerConfig, seed: u64, now: Time) -> Producer {
        let mut config = config;
        if config.common.client_id.is_empty() {
            config.common.client_id = "producer-1".to_owned();
        }
        let options = NetworkOptions {
            log_prefix: format!("[Producer clientId={}] ", config.common.client_id),
            max_in_flight: config.max_in_flight,
            allow_auto_creation: true,
            warns_of_bootstrap: true,
        };
        let mut producer = Producer {
            network: NetworkClient::new(&config.common, options, seed, "producer"),
            retry_backoff: Backoff::new(
                config.common.retry_backoff_ms,
                config.common.retry_backoff_max_ms,
            ),
            next_record: 0,
            waiting: VecDeque::new(),
            partitions: BTreeMap::new(),
            sticky: BTreeMap::new(),
            round_robin: BTreeMap::new(),
            ratios: BTreeMap::new(),
            memory_used: 0,
            exhausted: false,
            in_flight: BTreeMap::new(),
            sent_topic_ids: BTreeMap::new(),
            drained_last: BTreeMap::new(),
            identity: if config.idempotence {
                Identity::Wanted
            } else {
                Identity::Unneeded
            },
            identity_retry_at: Time::default(),
            rewrite: BTreeSet::new(),
            incomplete: BTreeSet::new(),
            flush_until: None,
            closing: None,
            force_closed: false,
            closed: false,
            events: VecDeque::new(),
            config,
        };
        producer.tick(now);
        producer
    }

    /// Gives the producer a record. It completes with a [`ProducerEvent::Completed`].
    ///
    /// Java's `send` may block: before the topic's metadata is there, and while the buffer is full. Here the
    /// record is queued then, and [`Producer::is_blocked`] says so; a caller that behaves like Java's waits
    /// until it is false before the next `send`.
    pub fn send(&mut self, record: ProducerRecord, now: Time) -> RecordId {
        self.next_record += 1;
        let id = RecordId(self.next_record);
        self.incomplete.insert(id);
        if self.closing.is_some() || self.closed {
            self.fail_record(
                id,
                ClientError::new(
                    "java.lang.IllegalStateException",
                    "Cannot perform operation after producer has been closed",
                ),
            );
            return id;
        }
        self.network.metadata_mut().add_topic(&record.topic);
        self.waiting.push_back(Waiting {
            id,
            record,
            since: now,
        });
        self.tick(now);
        id
    }

    /// Whether a `send` of Java would still be blocking.
    pub fn is_blocked(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Sends everything now, whatever `linger.ms` says (`flush()`).
    pub fn flush(&mut self, now: Time) {
        self.flush_until = Some(RecordId(self.next_record));
        self.tick(now);
    }

    /// How many records have not completed yet. A flush is done when it is 0.
    pub fn incomplete(&self) -> usize {
        self.incomplete.len()
    }

    /// Flushes, then closes the connections. Records that have not completed after `timeout_ms` are failed;
    /// `None` waits as long as it takes.
    pub fn close(&mut self, timeout_ms: Option<i64>, now: Time) {
        if self.closing.is_none() && !self.closed {
            self.closing = Some(timeout_ms.map_or(Time::NEVER, |timeout| now.plus_millis(timeout)));
        }
        self.tick(now);
    }

    /// Whether a [`Producer::close`] is over.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// The next event; `None` when there is none.
    pub fn poll_event(&mut self) -> Option<ProducerEvent> {
        self.events.pop_front()
    }

    /// The partitions of a topic, once known (`partitionsFor`).
    pub fn partitions_for(&self, topic: &str) -> Option<Vec<i32>> {
        let topic = self.network.metadata().topic(topic)?;
        Some(topic.partitions.keys().copied().collect())
    }

    fn is_flushing(&self) -> bool {
        let first = self.incomplete.first();
        self.closing.is_some()
            || self
                .flush_until
                .is_some_and(|until| first.is_some_and(|first| *first <= until))
    }

    fn fail_record(&mut self, id: RecordId, error: ClientError) {
        self.incomplete.remove(&id);
        self.events.push_back(ProducerEvent::Completed {
            id,
            result: Err(error),
        });
    }

    /// Takes records that waited into their batches (`KafkaProducer.doSend`), in order.
    fn admit(&mut self, now: Time) {
        self.exhausted = false;
        while let Some(head) = self.waiting.pop_front() {
            let deadline = head.since.plus_millis(self.config.max_block_ms);
            if let Err(error) = self.metadata_for(&head.record) {
                if let Some(error) = error {
                    self.fail_record(head.id, error);
                    continue;
                }
                if now >= deadline {
                    let error = self.no_metadata(&head.record);
                    self.fail_record(head.id, error);
                    continue;
                }
                self.network.metadata_mut().request_update();
                self.network.wake_at(deadline);
                self.waiting.push_front(head);
                return;
            }
            let size = self.size_upper_bound(&head.record);
            if let Some(error) = self.too_large(size) {
                self.fail_record(head.id, error);
                continue;
            }
            if self.append(&head, size, now) {
                continue;
            }
            if now >= deadline {
                let error = ClientError::new(
                    "org.apache.kafka.clients.producer.BufferExhaustedException",
                    format!(
                        "Failed to allocate {} bytes within the configured max blocking time {} ms. Total memory: {} bytes. Available memory: {} bytes. Poolable size: {} bytes",
                        size.max(self.config.batch_size),
                        self.config.max_block_ms,
                        self.config.buffer_memory,
                        self.config.buffer_memory - self.memory_used,
                        self.config.batch_size
                    ),
                );
                self.fail_record(head.id, error);
                continue;
            }
            self.exhausted = true;
            self.network.wake_at(deadline);
            self.waiting.push_front(head);
            return;
        }
    }

    /// Whether the record's topic (and partition) is known; `Err(None)` if that may still come.
    fn metadata_for(&self, record: &ProducerRecord) -> Result<(), Option<ClientError>> {
        let metadata = self.network.metadata();
        if metadata.is_invalid(&record.topic) {
            return Err(Some(ClientError::from_code(
                ErrorCode::INVALID_TOPIC_EXCEPTION,
                Some(&format!("Invalid topics: [{}]", record.topic)),
            )));
        }
        if let Some(partition) = record.partition.filter(|partition| *partition < 0) {
            return Err(Some(ClientError::new(
                "java.lang.IllegalArgumentException",
                format!(
                    "Invalid partition: {partition}. Partition number should always be non-negative or null."
                ),
            )));
        }
        let topic = metadata.topic(&record.topic).ok_or(None)?;
        match record.partition {
            Some(partition) if !topic.partitions.contains_key(&partition) => Err(None),
            _ if topic.partitions.is_empty() => Err(None),
            _ => Ok(()),
        }
    }

    fn no_metadata(&self, record: &ProducerRecord) -> ClientError {
        let (topic, wait) = (&record.topic, self.config.max_block_ms);
        let known = self.network.metadata().topic(topic);
        match (record.partition, known) {
            (Some(partition), Some(known)) => ClientError::timeout(format!(
                "Partition {partition} of topic {topic} with partition count {} is not present in metadata after {wait} ms.",
                known.partitions.len()
            )),
            _ => ClientError::timeout(format!(
                "Topic {topic} not present in metadata after {wait} ms."
            )),
        }
    }

    fn size_upper_bound(&self, record: &ProducerRecord) -> usize {
        batch_size_upper_bound(
            record.key.as_deref(),
            record.value.as_deref(),
            &record.headers,
        )
    }

    fn too_large(&self, size: usize) -> Option<ClientError> {
        let limit = self.config.max_request_size;
        let memory = self.config.buffer_memory;
        let text = if size > limit {
            format!(
                "The message is {size} bytes when serialized which is larger than {limit}, which is the value of the max.request.size configuration."
            )
        } else if size as i64 > memory {
            format!(
                "The message is {size} bytes when serialized which is larger than the total memory buffer you have configured with the buffer.memory configuration."
            )
        } else {
            return None;
        };
        Some(ClientError::new(
            "org.apache.kafka.common.errors.RecordTooLargeException",
            text,
        ))
    }

    /// `RecordAccumulator.append`. Whether there was memory for it.
    fn append(&mut self, waiting: &Waiting, size: usize, now: Time) -> bool {
        let record = &waiting.record;
        let Some(topic) = self.network.metadata().topic(&record.topic).cloned() else {
            return false;
        };
        let count = topic.partitions.len() as i32;
        let mut is_sticky = false;
        let partition = match (record.partition, &record.key) {
            (Some(partition), _) => partition,
            (None, _) if self.config.round_robin => {
                let next = self.round_robin.entry(record.topic.clone()).or_default();
                *next = next.wrapping_add(1);
                ((*next - 1) % count.max(1) as u32) as i32
            }
            (None, Some(key)) if !self.config.ignore_keys => partition_for_key(key, count),
            _ => {
                is_sticky = true;
                self.sticky
                    .entry(record.topic.clone())
                    .or_default()
                    .peek(&topic, self.network.random())
            }
        };
        let timestamp = record.timestamp.unwrap_or(now.millis());
        let key = TopicPartition::new(record.topic.clone(), partition);
        let queue = self.partitions.entry(key).or_default();
        let appended = queue
            .batches
            .back_mut()
            .filter(|batch| batch.sequence.is_none())
            .and_then(|batch| batch.try_append(waiting.id, record, timestamp));
        let appended = match appended {
            Some(bytes) => bytes,
            None => {
                let capacity = self.config.batch_size.max(size);
                if self.memory_used + capacity as i64 > self.config.buffer_memory {
                    return false;
                }
                self.memory_used += capacity as i64;
                let ratio = self.ratios.get(&record.topic).copied().unwrap_or(1000);
                let mut batch = Batch::new(self.config.compression, capacity, ratio, now);
                let bytes = batch.try_append(waiting.id, record, timestamp).unwrap_or(0);
                queue.batches.push_back(batch);
                bytes
            }
        };
        if is_sticky {
            let enable_switch = queue.batches.back().is_none_or(Batch::is_full);
            if let Some(sticky) = self.sticky.get_mut(&record.topic) {
                sticky.update(
                    appended,
                    self.config.batch_size,
                    enable_switch,
                    &topic,
                    self.network.random(),
                );
            }
        }
        true
    }

    fn maybe_finish_close(&mut self, now: Time) {
        let Some(deadline) = self.closing else {
            return;
        };
        if !self.incomplete.is_empty() && now < deadline {
            self.network.wake_at(deadline);
            return;
        }
        self.force_closed = true;
        let error = ClientError::new(
            "org.apache.kafka.common.KafkaException",
            "Producer is closed forcefully.",
        );
        for id in std::mem::take(&mut self.incomplete) {
            self.events.push_back(ProducerEvent::Completed {
                id,
                result: Err(error.clone()),
            });
        }
        self.waiting.clear();
        self.partitions.clear();
        self.in_flight.clear();
        self.closed = true;
        self.network.close();
    }
}

impl Client for Producer {
    fn handle(&mut self, input: ClientInput, now: Time) {
        self.network.begin(now);
        self.network.handle(input, now);
        self.run(now);
    }

    fn poll_output(&mut self) -> Option<ClientOutput> {
        self.network.poll_output()
    }

    fn next_deadline(&self) -> Time {
        self.network.next_deadline()
    }

    fn tick(&mut self, now: Time) {
        self.network.begin(now);
        self.run(now);
    }
}
