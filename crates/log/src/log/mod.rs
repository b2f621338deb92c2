//! One partition's log (`UnifiedLog`): segments, indexes, leader epochs, producer state, retention.

mod config;
mod types;

use bytes::Bytes;
use playground_protocol::{LogLine, Time};
use uuid::Uuid;

pub use config::{CleanupPolicy, LogConfig};
pub use types::*;

use crate::disk::Disk;

/// One partition's log: what `UnifiedLog` does, over the disk that each call is given.
///
/// Open it with [`Log::open`]; append with [`Log::append_as_leader`] or [`Log::append_as_follower`];
/// read with [`Log::read`]. Call [`Log::delete_old_segments`] from time to time, and [`Log::close`] when the
/// broker stops in order. The disk must always be the same one.
#[derive(Clone, Debug)]
pub struct Log {
    dir: String,
    config: LogConfig,
}

#[allow(unused_variables)]
impl Log {
    /// Opens the log in `dir` (`.../users-0`), created if need be. The offsets that recovery needs are read
    /// from the checkpoint files beside `dir`. Returns what Kafka logs while it loads.
    pub fn open(
        dir: &str,
        config: LogConfig,
        disk: &mut Disk,
        now: Time,
        clean_shutdown: bool,
    ) -> (Log, Vec<LogLine>) {
        todo!()
    }
    /// [`Log::open`] with those offsets given.
    pub fn open_with(
        dir: &str,
        config: LogConfig,
        disk: &mut Disk,
        now: Time,
        options: OpenOptions,
    ) -> (Log, Vec<LogLine>) {
        todo!()
    }
    /// The log's directory.
    pub fn dir(&self) -> &str {
        &self.dir
    }
    /// `topic-partition`, the directory's name.
    pub fn name(&self) -> &str {
        todo!()
    }
    /// The settings.
    pub fn config(&self) -> &LogConfig {
        &self.config
    }
    /// Sets other settings, from the next call on.
    pub fn set_config(&mut self, config: LogConfig) {
        self.config = config;
    }
    /// The topic id of `partition.metadata`.
    pub fn topic_id(&self) -> Option<Uuid> {
        todo!()
    }
    /// Writes `partition.metadata`.
    pub fn set_topic_id(&mut self, disk: &mut Disk, topic_id: Uuid) {
        todo!()
    }
    /// Appends whole batches as the partition's leader: validates them, gives them offsets and the epoch.
    ///
    /// # Errors
    /// [`AppendError`]; then nothing was appended.
    pub fn append_as_leader(
        &mut self,
        disk: &mut Disk,
        records: Bytes,
        leader_epoch: i32,
        now: Time,
        origin: AppendOrigin,
    ) -> Result<AppendInfo, AppendError> {
        todo!()
    }
    /// Appends whole batches that a leader gave offsets and epochs; an incomplete last one is left out.
    ///
    /// # Errors
    /// [`AppendError`]; then nothing was appended.
    pub fn append_as_follower(
        &mut self,
        disk: &mut Disk,
        records: Bytes,
        now: Time,
    ) -> Result<AppendInfo, AppendError> {
        todo!()
    }
    /// Whole batches from the one that holds `offset` on: at most `max_bytes`, but the first in any case with
    /// `min_one`; none that starts at or after `up_to_offset`.
    ///
    /// # Errors
    /// [`OffsetOutOfRange`] below the log start offset or above the log end offset.
    pub fn read(
        &self,
        disk: &Disk,
        offset: i64,
        max_bytes: usize,
        up_to_offset: i64,
        min_one: bool,
    ) -> Result<FetchInfo, OffsetOutOfRange> {
        todo!()
    }
    /// The first record with this timestamp (ms) or a later one.
    pub fn offset_for_timestamp(&self, disk: &Disk, timestamp: i64) -> Option<TimestampOffset> {
        todo!()
    }
    /// The first record of the largest timestamp (ListOffsets -3).
    pub fn offset_of_max_timestamp(&self, disk: &Disk) -> Option<TimestampOffset> {
        todo!()
    }
    /// The first offset that can be read.
    pub fn log_start_offset(&self) -> i64 {
        todo!()
    }
    /// The offset that the next record gets.
    pub fn log_end_offset(&self) -> i64 {
        todo!()
    }
    /// The offset up to which all in-sync replicas have the log.
    pub fn high_watermark(&self) -> i64 {
        todo!()
    }
    /// Sets the high watermark, clamped between log start and log end; returns it.
    pub fn update_high_watermark(&mut self, high_watermark: i64) -> i64 {
        todo!()
    }
    /// The first offset that an open transaction holds back, else the high watermark.
    pub fn last_stable_offset(&self) -> i64 {
        todo!()
    }
    /// All below this offset is flushed.
    pub fn recovery_point(&self) -> i64 {
        todo!()
    }
    /// Bytes of all segments.
    pub fn size(&self) -> u64 {
        todo!()
    }
    /// DeleteRecords: moves the log start offset up to `offset` (-1: the high watermark); whole segments below it go.
    ///
    /// # Errors
    /// [`OffsetOutOfRange`] above the high watermark.
    pub fn delete_records(
        &mut self,
        disk: &mut Disk,
        offset: i64,
        now: Time,
    ) -> Result<i64, OffsetOutOfRange> {
        todo!()
    }
    /// Moves the log start offset up as a follower learns it from its leader; whether it moved.
    pub fn advance_log_start_offset(&mut self, disk: &mut Disk, offset: i64, now: Time) -> bool {
        todo!()
    }
    /// Drops all from `offset` on; whether there was anything.
    pub fn truncate_to(&mut self, disk: &mut Disk, offset: i64, now: Time) -> bool {
        todo!()
    }
    /// Drops all, and starts anew at `offset`.
    pub fn truncate_fully_and_start_at(&mut self, disk: &mut Disk, offset: i64, now: Time) {
        todo!()
    }
    /// The last leader epoch, and the offset where it starts.
    pub fn latest_epoch(&self) -> Option<EpochEntry> {
        todo!()
    }
    /// All leader epochs, in order.
    pub fn epochs(&self) -> &[EpochEntry] {
        todo!()
    }
    /// A leader's epoch begins at the log's end (`maybeAssignEpochStartOffset`).
    pub fn assign_epoch(&mut self, disk: &mut Disk, epoch: i32) {
        todo!()
    }
    /// The largest epoch not above `epoch`, and the offset where it ends (OffsetForLeaderEpoch).
    pub fn end_offset_for_epoch(&self, epoch: i32) -> Option<(i32, i64)> {
        todo!()
    }
    /// Starts a new segment.
    pub fn roll(&mut self, disk: &mut Disk, now: Time) {
        todo!()
    }
    /// Flushes all segments; the recovery point is the log end offset then.
    pub fn flush(&mut self, disk: &mut Disk) {
        todo!()
    }
    /// Deletes segments that retention by time, by size or the log start offset no longer needs; how many.
    pub fn delete_old_segments(&mut self, disk: &mut Disk, now: Time) -> usize {
        todo!()
    }
    /// What happens when the broker stops in order: a producer snapshot, and a flush.
    pub fn close(&mut self, disk: &mut Disk) {
        todo!()
    }
    /// Deletes the log's directory.
    pub fn delete(self, disk: &mut Disk) {
        todo!()
    }
    /// The segments, in order.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        todo!()
    }
    /// The idempotent producers that the log knows, by id.
    pub fn producers(&self) -> Vec<ProducerInfo> {
        todo!()
    }
}
