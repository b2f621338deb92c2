//! Appending (`UnifiedLog.append`), and rolling to a new segment.

use bytes::Bytes;
use playground_protocol::{ErrorCode, LogLevel, Time};

use crate::disk::Disk;
use crate::log::producers::{ProducerOrigin, ProducerUpdates};
use crate::log::segment::{PreparedBatch, RollCheck, Segment};
use crate::log::types::{AppendError, AppendInfo, AppendOrigin};
use crate::log::validate::{analyze, total_size, validate};
use crate::log::{LOCAL_LOG, Log, PRODUCER_STATE_MANAGER};
use crate::record::{NO_TIMESTAMP, RecordBatch, TimestampType};

impl Log {
    /// Appends as the partition's leader. From a client or a coordinator comes one whole batch at offset 0:
    /// it is validated, and gets its offsets and the epoch. From the metadata quorum's leader may come
    /// several, with offsets and epoch.
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
        let given = analyze(
            records,
            Some(origin),
            leader_epoch,
            &self.config,
            self.name(),
        )?;
        if origin == AppendOrigin::RaftLeader {
            return self.append_given(disk, given, ProducerOrigin::Replication, now);
        }
        let now_ms = now.millis();
        let validated = validate(
            given,
            self.next_offset,
            leader_epoch,
            &self.config,
            origin,
            now_ms,
            self.name(),
        )?;
        let log_append_time = match self.config.message_timestamp_type {
            TimestampType::LogAppendTime => now_ms,
            TimestampType::CreateTime => NO_TIMESTAMP,
        };
        let origin = match origin {
            AppendOrigin::Client => ProducerOrigin::Client,
            _ => ProducerOrigin::Coordinator,
        };
        self.append_prepared(
            disk,
            &[validated.batch],
            &[validated.view],
            origin,
            log_append_time,
            now_ms,
        )
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
        let given = analyze(records, None, -1, &self.config, self.name())?;
        self.append_given(disk, given, ProducerOrigin::Replication, now)
    }

    fn append_given(
        &mut self,
        disk: &mut Disk,
        given: Vec<RecordBatch>,
        origin: ProducerOrigin,
        now: Time,
    ) -> Result<AppendInfo, AppendError> {
        let (Some(first), Some(last)) = (given.first(), given.last()) else {
            return Ok(AppendInfo {
                first_offset: -1,
                last_offset: -1,
                log_append_time: NO_TIMESTAMP,
                log_start_offset: self.log_start_offset,
                max_timestamp: NO_TIMESTAMP,
                bytes: 0,
                duplicate: false,
            });
        };
        if first.header.base_offset < self.next_offset {
            return Err(AppendError::new(
                ErrorCode::UNKNOWN_SERVER_ERROR,
                format!(
                    "Unexpected offset in append to {}. First offset {} is less than the next offset {}. First 10 offsets in append: [{}], last offset in append: {}. Log start offset = {}",
                    self.name(),
                    first.header.base_offset,
                    self.next_offset,
                    first.header.base_offset,
                    last.header.last_offset(),
                    self.log_start_offset
                ),
            ));
        }
        let prepared: Vec<PreparedBatch> = given.iter().map(PreparedBatch::new).collect();
        self.append_prepared(disk, &prepared, &given, origin, NO_TIMESTAMP, now.millis())
    }

    fn append_prepared(
        &mut self,
        disk: &mut Disk,
        batches: &[PreparedBatch],
        views: &[RecordBatch],
        origin: ProducerOrigin,
        log_append_time: i64,
        now_ms: i64,
    ) -> Result<AppendInfo, AppendError> {
        let size = total_size(batches);
        let (first_offset, last_offset, max_timestamp) = views.iter().fold(
            (i64::MAX, -1, NO_TIMESTAMP),
            |(first, last, timestamp), RecordBatch { header, .. }| {
                (
                    first.min(header.base_offset),
                    header.last_offset().max(last),
                    timestamp.max(header.max_timestamp),
                )
            },
        );
        if size > self.config.segment_bytes {
            return Err(AppendError::new(
                ErrorCode::RECORD_LIST_TOO_LARGE,
                format!(
                    "Message batch size is {size} bytes in append to partition {}, which exceeds the maximum configured segment size of {}.",
                    self.name(),
                    self.config.segment_bytes
                ),
            ));
        }
        let mut info = AppendInfo {
            first_offset,
            last_offset,
            log_append_time,
            log_start_offset: self.log_start_offset,
            max_timestamp,
            bytes: size as usize,
            duplicate: false,
        };
        let mut updates = ProducerUpdates::default();
        for view in views {
            if origin == ProducerOrigin::Client
                && let Some(duplicate) = self.producers.find_duplicate(&view.header)
            {
                info.first_offset = duplicate.first_offset();
                info.last_offset = duplicate.last_offset;
                info.log_append_time = duplicate.timestamp;
                info.bytes = 0;
                info.duplicate = true;
                return Ok(info);
            }
            self.producers.prepare(&mut updates, view, origin)?;
        }
        for view in views {
            self.epochs.assign(
                disk,
                view.header.partition_leader_epoch,
                view.header.base_offset,
            );
        }
        self.roll_if_due(disk, &info, size, now_ms);
        let index_interval_bytes = self.config.index_interval_bytes;
        if let Some(active) = self.segments.last_mut() {
            active.append(disk, batches, index_interval_bytes, now_ms);
        }
        self.next_offset = last_offset + 1;
        self.producers.commit(updates);
        self.producers.set_map_end_offset(self.next_offset);
        if self.next_offset - self.recovery_point >= self.config.flush_messages {
            self.flush_below(disk, self.next_offset, now_ms);
        }
        Ok(info)
    }

    fn roll_if_due(&mut self, disk: &mut Disk, info: &AppendInfo, size: u64, now_ms: i64) {
        let check = RollCheck {
            segment_bytes: self.config.segment_bytes,
            segment_ms: self.config.segment_ms,
            index_bytes: self.config.segment_index_bytes,
            append_bytes: size,
            max_timestamp: info.max_timestamp,
            last_offset: info.last_offset,
            now_ms,
        };
        if self
            .segments
            .last()
            .is_some_and(|active| active.should_roll(&check))
        {
            self.roll_at(disk, info.first_offset, now_ms);
        }
    }

    /// Starts a new segment at the log's end; the old one is flushed.
    pub fn roll(&mut self, disk: &mut Disk, now: Time) {
        self.roll_at(disk, self.next_offset, now.millis());
    }

    pub(super) fn roll_at(&mut self, disk: &mut Disk, offset: i64, now_ms: i64) {
        let offset = offset.max(self.next_offset);
        if let Some(active) = self.segments.last_mut() {
            if active.base_offset == offset {
                // Empty, so it is made anew: its indexes are full, or it waited for too long.
                let fresh = Segment::create(&self.dir, offset, disk, now_ms);
                *active = fresh;
                return;
            }
            active.become_inactive(disk);
        }
        self.segments
            .push(Segment::create(&self.dir, offset, disk, now_ms));
        self.log(
            LogLevel::Info,
            LOCAL_LOG,
            format!("Rolled new log segment at offset {offset} in 0 ms."),
        );
        self.producers.set_map_end_offset(offset);
        self.take_snapshot(disk);
        self.flush_below(disk, offset, now_ms);
    }

    pub(super) fn take_snapshot(&mut self, disk: &mut Disk) {
        let (offset, count) = (
            self.producers.map_end_offset(),
            self.producers.infos().len(),
        );
        if self.producers.take_snapshot(disk) {
            let text = format!(
                "Wrote producer snapshot at offset {offset} with {count} producer ids in 0 ms."
            );
            self.log(LogLevel::Info, PRODUCER_STATE_MANAGER, text);
        }
    }
}
