//! One partition's log (`UnifiedLog`): segments, indexes, leader epochs, producer state, retention.

mod append;
mod config;
mod epochs;
mod index;
mod load;
mod producer_snapshot;
mod producers;
mod read;
mod retention;
mod segment;
#[cfg(test)]
mod tests;
mod types;
mod validate;

use playground_protocol::{LogLevel, LogLine, Time};
use uuid::Uuid;

pub use config::{CleanupPolicy, LogConfig};
pub use types::*;

use crate::checkpoint;
use crate::disk::Disk;
use crate::log::epochs::LeaderEpochs;
use crate::log::producers::Producers;
use crate::log::segment::Segment;

const LOADER: &str = "org.apache.kafka.storage.internals.log.LogLoader";
const UNIFIED_LOG: &str = "org.apache.kafka.storage.internals.log.UnifiedLog";
const LOCAL_LOG: &str = "org.apache.kafka.storage.internals.log.LocalLog";
const PRODUCER_STATE_MANAGER: &str = "org.apache.kafka.storage.internals.log.ProducerStateManager";

/// One partition's log: what `UnifiedLog` does, over the disk that each call is given.
///
/// Open it with [`Log::open`]; append with [`Log::append_as_leader`] or [`Log::append_as_follower`];
/// read with [`Log::read`]. Call [`Log::delete_old_segments`] and [`Log::remove_expired_producers`] from time
/// to time, and [`Log::close`] when the broker stops in order. The disk must always be the same one.
/// [`Log::take_log_lines`] is what the broker logs.
#[derive(Clone, Debug)]
pub struct Log {
    dir: String,
    config: LogConfig,
    /// By base offset; never empty. The last is the active one.
    segments: Vec<Segment>,
    epochs: LeaderEpochs,
    producers: Producers,
    topic_id: Option<Uuid>,
    log_start_offset: i64,
    next_offset: i64,
    high_watermark: i64,
    recovery_point: i64,
    last_flush_ms: i64,
    lines: Vec<LogLine>,
}

impl Log {
    /// The log's directory.
    pub fn dir(&self) -> &str {
        &self.dir
    }

    /// `topic-partition`, the directory's name.
    pub fn name(&self) -> &str {
        name_of(&self.dir)
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
        self.topic_id
    }

    /// Writes `partition.metadata`.
    pub fn set_topic_id(&mut self, disk: &mut Disk, topic_id: Uuid) {
        if self.topic_id != Some(topic_id) {
            let path = format!("{}/{}", self.dir, checkpoint::PARTITION_METADATA_FILE);
            disk.write(&path, checkpoint::partition_metadata(topic_id).as_bytes());
            self.topic_id = Some(topic_id);
        }
    }

    /// The first offset that can be read.
    pub fn log_start_offset(&self) -> i64 {
        self.log_start_offset
    }

    /// The offset that the next record gets.
    pub fn log_end_offset(&self) -> i64 {
        self.next_offset
    }

    /// The offset up to which all in-sync replicas have the log.
    pub fn high_watermark(&self) -> i64 {
        self.high_watermark
    }

    /// Sets the high watermark, clamped between log start and log end; returns it.
    pub fn update_high_watermark(&mut self, high_watermark: i64) -> i64 {
        self.high_watermark = high_watermark
            .min(self.next_offset)
            .max(self.log_start_offset);
        self.producers.high_watermark_updated(self.high_watermark);
        self.high_watermark
    }

    /// The first offset that an open transaction holds back, else the high watermark.
    pub fn last_stable_offset(&self) -> i64 {
        let unstable = self
            .producers
            .first_unstable_offset()
            .map(|offset| offset.max(self.log_start_offset));
        unstable.map_or(self.high_watermark, |offset| {
            offset.min(self.high_watermark)
        })
    }

    /// All below this offset is flushed.
    pub fn recovery_point(&self) -> i64 {
        self.recovery_point
    }

    /// Bytes of all segments.
    pub fn size(&self) -> u64 {
        self.segments.iter().map(|segment| segment.size).sum()
    }

    /// The last leader epoch, and the offset where it starts.
    pub fn latest_epoch(&self) -> Option<EpochEntry> {
        self.epochs.latest()
    }

    /// All leader epochs, in order.
    pub fn epochs(&self) -> &[EpochEntry] {
        self.epochs.entries()
    }

    /// The epoch of the record at an offset, as far as it is known.
    pub fn epoch_for_offset(&self, offset: i64) -> Option<i32> {
        self.epochs
            .entries()
            .iter()
            .rev()
            .find(|entry| entry.start_offset <= offset)
            .map(|entry| entry.epoch)
    }

    /// A leader's epoch begins at the log's end (`maybeAssignEpochStartOffset`).
    pub fn assign_epoch(&mut self, disk: &mut Disk, epoch: i32) {
        self.epochs.assign(disk, epoch, self.next_offset);
    }

    /// The largest epoch not above `epoch`, and the offset where it ends (OffsetForLeaderEpoch).
    pub fn end_offset_for_epoch(&self, epoch: i32) -> Option<(i32, i64)> {
        self.epochs.end_offset_for(epoch, self.next_offset)
    }

    /// Flushes all segments; the recovery point is the log end offset then.
    pub fn flush(&mut self, disk: &mut Disk, now: Time) {
        self.flush_below(disk, self.next_offset, now.millis());
    }

    /// Whether `flush.ms` asks for a flush by now.
    pub fn is_flush_due(&self, now: Time) -> bool {
        self.recovery_point < self.next_offset
            && now.millis().saturating_sub(self.last_flush_ms) >= self.config.flush_ms
    }

    /// Forgets producers that have been silent for `producer.id.expiration.ms`.
    pub fn remove_expired_producers(&mut self, now: Time) {
        self.producers
            .remove_expired(now.millis(), self.config.producer_id_expiration_ms);
    }

    /// What happens when the broker stops in order: a flush, the last time index entry, a producer
    /// snapshot. The broker then checkpoints the recovery point and writes the clean shutdown file.
    pub fn close(&mut self, disk: &mut Disk, now: Time) {
        if let Some(active) = self.segments.last_mut() {
            active.become_inactive(disk);
            // The flush below skips a segment that is flushed, not its index.
            active.flush(disk);
        }
        self.flush(disk, now);
        self.take_snapshot(disk);
    }

    /// Deletes the log's directory.
    pub fn delete(self, disk: &mut Disk) {
        disk.delete(&self.dir);
    }

    /// The segments, in order.
    pub fn segments(&self) -> Vec<SegmentInfo> {
        self.segments
            .iter()
            .map(|segment| SegmentInfo {
                base_offset: segment.base_offset,
                size: segment.size,
                largest_timestamp: segment.max_timestamp(),
            })
            .collect()
    }

    /// The idempotent producers that the log knows, by id.
    pub fn producers(&self) -> Vec<ProducerInfo> {
        self.producers.infos()
    }

    /// What Kafka would have logged since the last call.
    pub fn take_log_lines(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut self.lines)
    }

    fn log(&mut self, level: LogLevel, logger: &'static str, text: String) {
        // `[UnifiedLog partition=users-0, dir=/var/lib/kafka/data] text`
        let class = logger.rsplit('.').next().unwrap_or(logger);
        let message = if logger == PRODUCER_STATE_MANAGER {
            format!("[{class} partition={}] {text}", self.name())
        } else {
            format!(
                "[{class} partition={}, dir={}] {text}",
                self.name(),
                parent_of(&self.dir)
            )
        };
        self.lines.push(LogLine {
            level,
            logger,
            message,
        });
    }

    fn flush_below(&mut self, disk: &mut Disk, offset: i64, now_ms: i64) {
        if offset <= self.recovery_point {
            return;
        }
        let first = self.segment_index(self.recovery_point);
        for segment in self
            .segments
            .iter()
            .skip(first)
            .filter(|segment| segment.base_offset < offset)
        {
            segment.flush(disk);
        }
        self.recovery_point = offset;
        self.last_flush_ms = now_ms;
    }

    /// The segment that holds `offset`: the last that starts at or below it, else the first.
    fn segment_index(&self, offset: i64) -> usize {
        self.segments
            .partition_point(|segment| segment.base_offset <= offset)
            .saturating_sub(1)
    }
}

/// The last part of a path.
fn name_of(dir: &str) -> &str {
    dir.rsplit('/').next().unwrap_or(dir)
}

/// The path without its last part.
fn parent_of(dir: &str) -> &str {
    dir.rsplit_once('/').map_or("", |(parent, _)| parent)
}
