//! What goes into a [`crate::Log`], and what comes out.

use bytes::Bytes;
use playground_protocol::ErrorCode;

/// Who appends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppendOrigin {
    /// A Produce request; everything is judged.
    Client,
    /// A coordinator of this broker; sequences are not judged, control records are allowed.
    Coordinator,
    /// The metadata quorum's leader, whose batches carry their offsets and epoch.
    RaftLeader,
}

/// What recovery knows beforehand, from the checkpoint files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// The broker stopped in order, so nothing needs to be checked.
    pub clean_shutdown: bool,
    /// All below was flushed.
    pub recovery_point: i64,
    /// Where the log starts, if deleted records moved that.
    pub log_start_offset: i64,
}

/// What an append did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppendInfo {
    /// Offset of the first record (for a duplicate, of the first time).
    pub first_offset: i64,
    /// Offset of the last record.
    pub last_offset: i64,
    /// The time that the broker set, ms; -1 with CreateTime.
    pub log_append_time: i64,
    /// The log start offset.
    pub log_start_offset: i64,
    /// The largest timestamp, ms; -1 without.
    pub max_timestamp: i64,
    /// Bytes appended.
    pub bytes: usize,
    /// Nothing was appended: these batches are in the log already.
    pub duplicate: bool,
}

/// One record that was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordAppendError {
    /// The record's index in its batch.
    pub batch_index: i32,
    /// Why, in Kafka's words.
    pub message: String,
}

/// Why an append was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AppendError {
    /// Kafka's code.
    pub code: ErrorCode,
    /// Kafka's text.
    pub message: String,
    /// The records at fault, where single ones are.
    pub record_errors: Vec<RecordAppendError>,
}

/// What a read found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchInfo {
    /// Whole batches; the first may start below the offset asked for.
    pub records: Bytes,
    /// The offset after the last batch read, or the offset asked for when nothing was.
    pub next_offset: i64,
    /// More bytes than were returned stood below `up_to_offset`.
    pub more: bool,
}

/// An offset that the log does not have (OFFSET_OUT_OF_RANGE).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct OffsetOutOfRange {
    /// Kafka's text.
    pub message: String,
    /// The first offset there is.
    pub log_start_offset: i64,
    /// The offset after the last.
    pub log_end_offset: i64,
}

/// A record found by its timestamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimestampOffset {
    /// Its timestamp, ms.
    pub timestamp: i64,
    /// Its offset.
    pub offset: i64,
    /// The leader epoch of its batch; -1 if unknown.
    pub leader_epoch: i32,
}

/// The start of a leader epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpochEntry {
    /// The epoch.
    pub epoch: i32,
    /// Its first offset.
    pub start_offset: i64,
}

/// One segment, for display and tools.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentInfo {
    /// First offset, which names the files.
    pub base_offset: i64,
    /// Bytes of records.
    pub size: u64,
    /// The largest timestamp, ms; -1 without records.
    pub largest_timestamp: i64,
}

/// One idempotent producer, as a partition knows it (DescribeProducers).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerInfo {
    /// Its id.
    pub producer_id: i64,
    /// Its epoch.
    pub producer_epoch: i16,
    /// Its last sequence number; -1 without.
    pub last_sequence: i32,
    /// Its last timestamp, ms.
    pub last_timestamp: i64,
    /// The transaction coordinator's epoch; -1 without.
    pub coordinator_epoch: i32,
    /// First offset of its open transaction.
    pub current_txn_start_offset: Option<i64>,
}
