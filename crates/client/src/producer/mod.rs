//! The producer (`org.apache.kafka.clients.producer.KafkaProducer`).

mod config;

use bytes::Bytes;
use playground_protocol::{ClientInput, ClientOutput, Time};

use crate::{Client, ClientError};
pub use config::{Acks, ProducerConfig};

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

/// A producer. Driven as [`Client`] says.
pub struct Producer {}

impl Producer {
    /// A producer that will connect when the first record is sent. `seed` chooses backoff jitter, sticky
    /// partitions and nodes.
    pub fn new(config: ProducerConfig, seed: u64, now: Time) -> Producer {
        let _ = (config, seed, now);
        Producer {}
    }

    /// Gives the producer a record. It completes with a [`ProducerEvent::Completed`].
    ///
    /// Java's `send` may block: before the topic's metadata is there, and while the buffer is full. Here the
    /// record is queued then, and [`Producer::is_blocked`] says so; a caller that behaves like Java's waits
    /// until it is false before the next `send`.
    pub fn send(&mut self, record: ProducerRecord, now: Time) -> RecordId {
        let _ = (record, now);
        RecordId(0)
    }

    /// Whether a `send` of Java would still be blocking.
    pub fn is_blocked(&self) -> bool {
        false
    }

    /// Sends everything now, whatever `linger.ms` says (`flush()`).
    pub fn flush(&mut self, now: Time) {
        let _ = now;
    }

    /// How many records have not completed yet. A flush is done when it is 0.
    pub fn incomplete(&self) -> usize {
        0
    }

    /// Flushes, then closes the connections. Records that have not completed after `timeout_ms` are failed;
    /// `None` waits as long as it takes.
    pub fn close(&mut self, timeout_ms: Option<i64>, now: Time) {
        let _ = (timeout_ms, now);
    }

    /// Whether a [`Producer::close`] is over.
    pub fn is_closed(&self) -> bool {
        true
    }

    /// The next event; `None` when there is none.
    pub fn poll_event(&mut self) -> Option<ProducerEvent> {
        None
    }
}

impl Client for Producer {
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
