//! What removes records: retention, DeleteRecords, truncation.

use playground_protocol::{LogLevel, Time};

use crate::disk::Disk;
use crate::log::segment::Segment;
use crate::log::types::OffsetOutOfRange;
use crate::log::{LOCAL_LOG, Log, UNIFIED_LOG};

impl Log {
    /// DeleteRecords: moves the log start offset up to `offset` (-1: the high watermark), and returns the
    /// log start offset. Whole segments below it go at the next [`Log::delete_old_segments`].
    ///
    /// # Errors
    /// [`OffsetOutOfRange`] above the high watermark, or negative.
    pub fn delete_records(
        &mut self,
        disk: &mut Disk,
        offset: i64,
    ) -> Result<i64, OffsetOutOfRange> {
        let offset = if offset == -1 {
            self.high_watermark
        } else {
            offset
        };
        if offset < 0 || offset > self.high_watermark {
            return Err(self.out_of_range(format!(
                "Cannot increment the log start offset to {offset} of partition {} since it is larger than the high watermark {}",
                self.name(),
                self.high_watermark
            )));
        }
        self.increment_log_start_offset(disk, offset, "client delete records request");
        Ok(self.log_start_offset)
    }

    /// Moves the log start offset up as a follower learns it from its leader, up to the high watermark;
    /// whether it moved.
    pub fn advance_log_start_offset(&mut self, disk: &mut Disk, offset: i64) -> bool {
        self.increment_log_start_offset(
            disk,
            offset.min(self.high_watermark),
            "leader offset increment",
        )
    }

    fn increment_log_start_offset(&mut self, disk: &mut Disk, offset: i64, reason: &str) -> bool {
        if offset <= self.log_start_offset {
            return false;
        }
        self.log_start_offset = offset;
        self.high_watermark = self.high_watermark.max(offset);
        self.recovery_point = self.recovery_point.max(offset);
        self.log(
            LogLevel::Info,
            UNIFIED_LOG,
            format!("Incremented log start offset to {offset} due to {reason}"),
        );
        self.epochs.truncate_from_start(disk, offset);
        self.producers.log_start_offset_incremented(offset);
        true
    }

    /// Deletes segments that retention by time, by size or the log start offset no longer needs; how many.
    /// None at or above the high watermark goes.
    pub fn delete_old_segments(&mut self, disk: &mut Disk, now: Time) -> usize {
        let now_ms = now.millis();
        let mut deleted = self.delete_below_log_start(disk, now_ms);
        if self.config.cleanup_policy.delete {
            deleted += self.delete_by_size(disk, now_ms);
            deleted += self.delete_by_time(disk, now_ms);
        }
        deleted
    }

    fn delete_below_log_start(&mut self, disk: &mut Disk, now_ms: i64) -> usize {
        let start = self.log_start_offset;
        let count = self.deletable(|_, next| next.is_some_and(|next| next.base_offset <= start));
        let gone: Vec<String> = self
            .segments
            .iter()
            .take(count)
            .map(Segment::describe)
            .collect();
        if count > 0 {
            let text = format!(
                "Deleting segments due to log start offset {start} breach: {}",
                gone.join(",")
            );
            self.log(LogLevel::Info, UNIFIED_LOG, text);
        }
        self.delete_first(disk, count, now_ms)
    }

    fn delete_by_size(&mut self, disk: &mut Disk, now_ms: i64) -> usize {
        let (Ok(limit), size) = (u64::try_from(self.config.retention_bytes), self.size()) else {
            return 0;
        };
        let Some(mut excess) = size.checked_sub(limit) else {
            return 0;
        };
        let count = self.deletable(|segment, _| match excess.checked_sub(segment.size) {
            Some(rest) => {
                excess = rest;
                true
            }
            None => false,
        });
        let mut remaining = size;
        for (text, size) in self.described(count) {
            remaining -= size;
            let text = format!(
                "Deleting segment {text} due to log retention size {limit} breach. Log size after deletion will be {remaining}."
            );
            self.log(LogLevel::Info, UNIFIED_LOG, text);
        }
        self.delete_first(disk, count, now_ms)
    }

    fn delete_by_time(&mut self, disk: &mut Disk, now_ms: i64) -> usize {
        let retention_ms = self.config.retention_ms;
        if retention_ms < 0 {
            return 0;
        }
        let count = self.deletable(|segment, _| {
            now_ms.saturating_sub(segment.largest_timestamp()) > retention_ms
        });
        for (text, _) in self.described(count) {
            let text = format!(
                "Deleting segment {text} due to log retention time {retention_ms}ms breach based on the largest record timestamp in the segment"
            );
            self.log(LogLevel::Info, UNIFIED_LOG, text);
        }
        self.delete_first(disk, count, now_ms)
    }

    fn described(&self, count: usize) -> Vec<(String, u64)> {
        self.segments
            .iter()
            .take(count)
            .map(|segment| (segment.describe(), segment.size))
            .collect()
    }

    /// How many segments, from the first on, may go and should.
    fn deletable(&self, mut should: impl FnMut(&Segment, Option<&Segment>) -> bool) -> usize {
        let mut count = 0;
        for (index, segment) in self.segments.iter().enumerate() {
            let next = self.segments.get(index + 1);
            let upper_bound = next.map_or(self.next_offset, |next| next.base_offset);
            let is_last_and_empty = next.is_none() && segment.size == 0;
            if self.high_watermark < upper_bound || is_last_and_empty || !should(segment, next) {
                break;
            }
            count += 1;
        }
        count
    }

    fn delete_first(&mut self, disk: &mut Disk, count: usize, now_ms: i64) -> usize {
        if count == 0 {
            return 0;
        }
        if count == self.segments.len() {
            // There is always a segment.
            self.roll_at(disk, self.next_offset, now_ms);
        }
        if let Some(first_kept) = self.segments.get(count) {
            let offset = first_kept.base_offset;
            self.increment_log_start_offset(disk, offset, "segment deletion");
        }
        for segment in self.segments.drain(..count) {
            segment.delete(disk);
            self.producers.delete_snapshot(disk, segment.base_offset);
        }
        count
    }

    /// Drops all from `offset` on; whether there was anything.
    pub fn truncate_to(&mut self, disk: &mut Disk, offset: i64, now: Time) -> bool {
        if offset >= self.next_offset {
            let text = format!(
                "Truncating to {offset} has no effect as the largest offset in the log is {}",
                self.next_offset - 1
            );
            self.log(LogLevel::Info, UNIFIED_LOG, text);
            // A leader that appended nothing may have left an epoch that conflicts with the next one's.
            self.epochs.truncate_from_end(disk, self.next_offset);
            return false;
        }
        self.log(
            LogLevel::Info,
            UNIFIED_LOG,
            format!("Truncating to offset {offset}"),
        );
        if self
            .segments
            .first()
            .is_none_or(|first| first.base_offset > offset)
        {
            self.truncate_fully_and_start_at(disk, offset, now);
            return true;
        }
        let kept = self.segment_index(offset) + 1;
        for segment in self.segments.drain(kept..) {
            segment.delete(disk);
            self.producers.delete_snapshot(disk, segment.base_offset);
        }
        if let Some(active) = self.segments.last_mut() {
            active.truncate_to(disk, offset, now.millis());
            self.next_offset = active.next_offset(disk).min(offset).max(active.base_offset);
        }
        self.next_offset = self.next_offset.max(offset.min(self.log_start_offset));
        self.recovery_point = self.recovery_point.min(self.next_offset);
        self.epochs.truncate_from_end(disk, self.next_offset);
        self.log_start_offset = self.log_start_offset.min(self.next_offset);
        self.rebuild_producers(disk, now.millis(), false);
        self.update_high_watermark(self.high_watermark);
        true
    }

    /// Drops all, and starts anew at `offset`.
    pub fn truncate_fully_and_start_at(&mut self, disk: &mut Disk, offset: i64, now: Time) {
        self.log(
            LogLevel::Debug,
            LOCAL_LOG,
            format!("Truncate and start at offset {offset}"),
        );
        for segment in self.segments.drain(..) {
            segment.delete(disk);
        }
        self.segments
            .push(Segment::create(&self.dir, offset, disk, now.millis()));
        self.epochs.clear(disk);
        self.producers.truncate_fully(disk, offset);
        self.log_start_offset = offset;
        self.next_offset = offset;
        self.recovery_point = self.recovery_point.min(offset);
        self.high_watermark = offset;
    }
}
