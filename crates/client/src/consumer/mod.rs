//! The consumer (`org.apache.kafka.clients.consumer.KafkaConsumer`, classic group protocol).

mod config;

use bytes::Bytes;
use indexmap::IndexMap;
use playground_protocol::{ClientInput, ClientOutput, Time};

use crate::{Client, ClientError, OperationId, TopicPartition};
pub use config::{ConsumerConfig, OffsetReset};

/// A consumed record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerRecord {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// The timestamp is the broker's (LogAppendTime), not the producer's (CreateTime).
    pub log_append_time: bool,
    /// The key; `None` is null.
    pub key: Option<Bytes>,
    /// The value; `None` is null.
    pub value: Option<Bytes>,
    /// (name, value) in order.
    pub headers: Vec<(Bytes, Option<Bytes>)>,
    /// The batch's leader epoch, `None` when unknown.
    pub leader_epoch: Option<i32>,
}

/// A committed offset, or one to commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffsetAndMetadata {
    /// The offset of the next record to read.
    pub offset: i64,
    /// The leader epoch of the last record read, `None` when unknown.
    pub leader_epoch: Option<i32>,
    /// Free text.
    pub metadata: String,
}

/// What `poll()` of Java would have done besides returning records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsumerEvent {
    /// `onPartitionsAssigned`: these came, in Java's order.
    Assigned(Vec<TopicPartition>),
    /// `onPartitionsRevoked`: these are given back.
    Revoked(Vec<TopicPartition>),
    /// `onPartitionsLost`: these went without asking.
    Lost(Vec<TopicPartition>),
    /// `poll()` would throw this. The consumer can be used on, as in Java.
    Error(ClientError),
    /// A [`Consumer::commit`] is done.
    Committed {
        /// The commit.
        id: OperationId,
        /// What was committed, or why not.
        result: Result<IndexMap<TopicPartition, OffsetAndMetadata>, ClientError>,
    },
    /// A [`Consumer::close`] is over.
    Closed,
}

/// Which topics a pattern means.
pub type TopicMatcher = Box<dyn Fn(&str) -> bool>;

/// A consumer. Driven as [`Client`] says; joins its group, fetches, commits and heartbeats by itself as
/// inputs and time come. Records wait in a bounded buffer until [`Consumer::poll_records`] takes them.
pub struct Consumer {}

impl Consumer {
    /// A consumer without subscription. `seed` chooses backoff jitter and nodes.
    pub fn new(config: ConsumerConfig, seed: u64, now: Time) -> Consumer {
        let _ = (config, seed, now);
        Consumer {}
    }

    /// `subscribe(Collection)`: consume these topics as a member of the group.
    pub fn subscribe(&mut self, topics: Vec<String>, now: Time) {
        let _ = (topics, now);
    }

    /// `subscribe(Pattern)`: consume every topic that matches, those that come later too.
    pub fn subscribe_pattern(&mut self, matcher: TopicMatcher, now: Time) {
        let _ = (matcher, now);
    }

    /// `assign(Collection)`: consume these partitions, without group management.
    pub fn assign(&mut self, partitions: Vec<TopicPartition>, now: Time) {
        let _ = (partitions, now);
    }

    /// The partitions that are consumed now, in order.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        Vec::new()
    }

    /// The next record of `partition` to be read is that at `offset`.
    pub fn seek(&mut self, partition: &TopicPartition, offset: i64, now: Time) {
        let _ = (partition, offset, now);
    }

    /// Resets to the log start of these partitions; of all assigned if empty.
    pub fn seek_to_beginning(&mut self, partitions: &[TopicPartition], now: Time) {
        let _ = (partitions, now);
    }

    /// Resets to the end of these partitions; of all assigned if empty.
    pub fn seek_to_end(&mut self, partitions: &[TopicPartition], now: Time) {
        let _ = (partitions, now);
    }

    /// The offset of the next record that [`Consumer::poll_records`] gives, once known.
    pub fn position(&self, partition: &TopicPartition) -> Option<i64> {
        let _ = partition;
        None
    }

    /// Up to `max.poll.records` records that are there; empty when there are none. Consumed positions move.
    pub fn poll_records(&mut self, now: Time) -> Vec<ConsumerRecord> {
        let _ = now;
        Vec::new()
    }

    /// Whether [`Consumer::poll_records`] would give something.
    pub fn has_records(&self) -> bool {
        false
    }

    /// Commits offsets, those consumed so far if `None` (`commitAsync`); ends in [`ConsumerEvent::Committed`].
    pub fn commit(
        &mut self,
        offsets: Option<IndexMap<TopicPartition, OffsetAndMetadata>>,
        now: Time,
    ) -> OperationId {
        let _ = (offsets, now);
        OperationId(0)
    }

    /// Commits if `enable.auto.commit`, leaves the group, closes the connections. Gives up after `timeout_ms`
    /// (Java's default is 30,000).
    pub fn close(&mut self, timeout_ms: i64, now: Time) {
        let _ = (timeout_ms, now);
    }

    /// Whether a [`Consumer::close`] is over.
    pub fn is_closed(&self) -> bool {
        true
    }

    /// The next event; `None` when there is none.
    pub fn poll_event(&mut self) -> Option<ConsumerEvent> {
        None
    }
}

impl Client for Consumer {
    fn handle(&mut self, input: ClientInput, now: Time) {
        let _ = (input, now);
    }

    fn poll_output(&mut self) -> Option<ClientOutput> {
        None
    }

    fn next_deadline(&self) -> Time {
        Time::NEVER
    }

    fn tick(&mut self, now: Time) {
        let _ = now;
    }
}
