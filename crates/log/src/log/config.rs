//! A topic's settings, as far as its logs need them (`LogConfig`), with Kafka's defaults.

use crate::codec::Codec;
use crate::record::TimestampType;

/// `cleanup.policy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CleanupPolicy {
    /// Old segments are deleted.
    pub delete: bool,
    /// Records that a later one of the same key replaces are dropped; every record needs a key.
    pub compact: bool,
}

/// Settings of one log. Field names are Kafka's, units last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogConfig {
    /// `segment.bytes`: a segment is at most this long.
    pub segment_bytes: u64,
    /// `segment.ms`: a segment that has records is rolled after this time.
    pub segment_ms: i64,
    /// `segment.jitter.ms`: less at most this.
    pub segment_jitter_ms: i64,
    /// `segment.index.bytes`: an index is at most this long.
    pub segment_index_bytes: u64,
    /// `index.interval.bytes`: an index entry is due after this many bytes.
    pub index_interval_bytes: u64,
    /// `max.message.bytes`: a batch is at most this long.
    pub max_message_bytes: usize,
    /// `message.timestamp.type`.
    pub message_timestamp_type: TimestampType,
    /// `message.timestamp.before.max.ms`: how old a timestamp may be.
    pub message_timestamp_before_max_ms: i64,
    /// `message.timestamp.after.max.ms`: how far ahead a timestamp may be.
    pub message_timestamp_after_max_ms: i64,
    /// `retention.ms`; -1 is without end.
    pub retention_ms: i64,
    /// `retention.bytes`; -1 is without end.
    pub retention_bytes: i64,
    /// `file.delete.delay.ms`.
    pub file_delete_delay_ms: i64,
    /// `compression.type`; `None` is `producer`, which keeps what the producer chose.
    pub compression: Option<Codec>,
    /// `cleanup.policy`.
    pub cleanup_policy: CleanupPolicy,
    /// `flush.messages`: a flush is due after this many records.
    pub flush_messages: i64,
    /// `flush.ms`: a flush is due after this time.
    pub flush_ms: i64,
    /// `min.insync.replicas`, which the log itself does not read.
    pub min_insync_replicas: i32,
    /// `producer.id.expiration.ms` of the broker: a producer silent for this long is forgotten.
    pub producer_id_expiration_ms: i64,
}

impl Default for LogConfig {
    fn default() -> LogConfig {
        LogConfig {
            segment_bytes: 1024 * 1024 * 1024,
            segment_ms: 7 * 24 * 60 * 60 * 1000,
            segment_jitter_ms: 0,
            segment_index_bytes: 10 * 1024 * 1024,
            index_interval_bytes: 4096,
            max_message_bytes: 1024 * 1024 + 12,
            message_timestamp_type: TimestampType::CreateTime,
            message_timestamp_before_max_ms: i64::MAX,
            message_timestamp_after_max_ms: 60 * 60 * 1000,
            retention_ms: 7 * 24 * 60 * 60 * 1000,
            retention_bytes: -1,
            file_delete_delay_ms: 60_000,
            compression: None,
            cleanup_policy: CleanupPolicy {
                delete: true,
                compact: false,
            },
            flush_messages: i64::MAX,
            flush_ms: i64::MAX,
            min_insync_replicas: 1,
            producer_id_expiration_ms: 86_400_000,
        }
    }
}
