//! Opening a log (`LogLoader`): after a clean stop the files are trusted, else all that was not flushed is
//! checked, and a torn or corrupt tail is cut off.

use std::collections::BTreeSet;

use playground_protocol::{LogLevel, LogLine, Time};

use crate::checkpoint;
use crate::disk::Disk;
use crate::log::config::LogConfig;
use crate::log::epochs::LeaderEpochs;
use crate::log::index::{INDEX_SUFFIX, TIME_INDEX_SUFFIX};
use crate::log::producers::Producers;
use crate::log::segment::{LOG_SUFFIX, Segment, offset_of};
use crate::log::types::OpenOptions;
use crate::log::{LOADER, Log, PRODUCER_STATE_MANAGER, name_of, parent_of};

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
        let offset_in = |file: &str| {
            let offsets = checkpoint::read_offsets(disk, &format!("{}/{file}", parent_of(dir)));
            let (topic, partition) = name_of(dir).rsplit_once('-')?;
            offsets
                .get(&(topic.to_owned(), partition.parse().ok()?))
                .copied()
        };
        let options = OpenOptions {
            clean_shutdown,
            recovery_point: offset_in(checkpoint::RECOVERY_POINT_FILE).unwrap_or(0),
            log_start_offset: offset_in(checkpoint::LOG_START_OFFSET_FILE).unwrap_or(0),
        };
        Log::open_with(dir, config, disk, now, options)
    }

    /// [`Log::open`] with those offsets given.
    pub fn open_with(
        dir: &str,
        config: LogConfig,
        disk: &mut Disk,
        now: Time,
        options: OpenOptions,
    ) -> (Log, Vec<LogLine>) {
        disk.create_directory(dir);
        let metadata = disk.read_all(&format!("{dir}/{}", checkpoint::PARTITION_METADATA_FILE));
        let mut log = Log {
            dir: dir.to_owned(),
            config,
            segments: Vec::new(),
            epochs: LeaderEpochs::open(dir, disk),
            producers: Producers::open(dir, name_of(dir), disk),
            topic_id: metadata.and_then(|bytes| {
                checkpoint::parse_partition_metadata(&String::from_utf8_lossy(&bytes))
            }),
            log_start_offset: options.log_start_offset.max(0),
            next_offset: 0,
            high_watermark: 0,
            recovery_point: options.recovery_point.max(0),
            last_flush_ms: now.millis(),
            lines: Vec::new(),
        };
        log.load(disk, now.millis(), options.clean_shutdown);
        let lines = log.take_log_lines();
        (log, lines)
    }

    fn load(&mut self, disk: &mut Disk, now_ms: i64, clean_shutdown: bool) {
        self.load_segments(disk, now_ms, clean_shutdown);
        if !clean_shutdown {
            self.recover(disk);
        }
        if let Some(last) = self.segments.last() {
            let end = last.next_offset(disk);
            if end < self.log_start_offset {
                let text = format!(
                    "Deleting all segments because logEndOffset ({end}) is smaller than logStartOffset {}. This could happen if segment files were deleted from the file system.",
                    self.log_start_offset
                );
                self.log(LogLevel::Warn, LOADER, text);
                self.segments
                    .drain(..)
                    .for_each(|segment| segment.delete(disk));
                self.epochs.clear(disk);
                self.producers.truncate_fully(disk, self.log_start_offset);
            }
        }
        if self.segments.is_empty() {
            self.segments.push(Segment::create(
                &self.dir,
                self.log_start_offset,
                disk,
                now_ms,
            ));
        }
        if let (Some(first), Some(last)) = (self.segments.first(), self.segments.last()) {
            self.log_start_offset = self.log_start_offset.max(first.base_offset);
            self.next_offset = last.next_offset(disk).max(self.log_start_offset);
        }
        self.recovery_point = if clean_shutdown {
            self.next_offset
        } else {
            self.recovery_point.min(self.next_offset)
        };
        self.high_watermark = self.log_start_offset;
        self.epochs.truncate_from_end(disk, self.next_offset);
        self.epochs.truncate_from_start(disk, self.log_start_offset);
        let base_offsets: BTreeSet<i64> = self
            .segments
            .iter()
            .map(|segment| segment.base_offset)
            .collect();
        self.producers.remove_stray_snapshots(disk, &base_offsets);
        self.rebuild_producers(disk, now_ms, clean_shutdown);
    }

    /// Deletes what a crash left over, and opens every segment; one whose indexes are unfit is recovered.
    fn load_segments(&mut self, disk: &mut Disk, now_ms: i64, clean_shutdown: bool) {
        for name in disk.list(&self.dir) {
            let path = format!("{}/{name}", self.dir);
            if [".deleted", ".cleaned", ".swap"]
                .iter()
                .any(|suffix| name.ends_with(suffix))
            {
                disk.delete(&path);
                continue;
            }
            let index_of =
                offset_of(&name, INDEX_SUFFIX).or_else(|| offset_of(&name, TIME_INDEX_SUFFIX));
            let stem = name.split('.').next().unwrap_or_default();
            if index_of.is_some() && !disk.exists(&format!("{}/{stem}{LOG_SUFFIX}", self.dir)) {
                let text =
                    format!("Found an orphaned index file {path}, with no corresponding log file.");
                self.log(LogLevel::Warn, LOADER, text);
                disk.delete(&path);
                continue;
            }
            let Some(base_offset) = offset_of(&name, LOG_SUFFIX) else {
                continue;
            };
            let (segment, indexes_fit) = Segment::open(&self.dir, base_offset, disk, now_ms);
            self.segments.push(segment);
            if !indexes_fit && (clean_shutdown || base_offset < self.recovery_point) {
                let text = format!(
                    "Could not find offset index file corresponding to log file {path}, recovering segment and rebuilding index files..."
                );
                self.log(LogLevel::Error, LOADER, text);
            }
            if !indexes_fit {
                self.recover_segment(disk, self.segments.len() - 1);
            }
        }
        self.segments.sort_by_key(|segment| segment.base_offset);
    }

    /// Checks all segments from the recovery point's on (`recoverLog`).
    fn recover(&mut self, disk: &mut Disk) {
        let first = self.segment_index(self.recovery_point);
        let unflushed = self.segments.len() - first;
        for (done, index) in (first..self.segments.len()).enumerate() {
            let base_offset = self.segments[index].base_offset;
            let text = format!(
                "Recovering unflushed segment {base_offset}. {done}/{unflushed} recovered for {}.",
                self.name()
            );
            self.log(LogLevel::Info, LOADER, text);
            if self.recover_segment(disk, index) == 0 {
                continue;
            }
            let end = self.segments[index].next_offset(disk);
            let text =
                format!("Corruption found in segment {base_offset}, truncating to offset {end}");
            self.log(LogLevel::Warn, LOADER, text);
            let gone: Vec<Segment> = self.segments.drain(index + 1..).collect();
            if !gone.is_empty() {
                let names: Vec<String> = gone.iter().map(Segment::describe).collect();
                let text = format!(
                    "Deleting segments as part of log recovery: {}",
                    names.join(", ")
                );
                self.log(LogLevel::Info, LOADER, text);
            }
            for segment in gone {
                segment.delete(disk);
                self.producers.delete_snapshot(disk, segment.base_offset);
            }
            break;
        }
    }

    /// Recovers one segment; leader epochs that it shows are learned. Returns the bytes cut.
    fn recover_segment(&mut self, disk: &mut Disk, index: usize) -> u64 {
        let Some(segment) = self.segments.get_mut(index) else {
            return 0;
        };
        let mut epochs = Vec::new();
        let (truncated, reason) =
            segment.recover(disk, self.config.index_interval_bytes, |batch| {
                let epoch = batch.header.partition_leader_epoch;
                if epochs.last().is_none_or(|(last, _)| epoch > *last) {
                    epochs.push((epoch, batch.header.base_offset));
                }
            });
        let (path, valid) = (segment.path().to_owned(), segment.size);
        for (epoch, base_offset) in epochs {
            if self
                .epochs
                .latest()
                .is_none_or(|latest| epoch > latest.epoch)
            {
                self.epochs.assign(disk, epoch, base_offset);
            }
        }
        if let Some(reason) = reason {
            let text = format!(
                "Found invalid messages in log segment {path} at byte offset {valid}.\n{reason}"
            );
            self.lines.push(LogLine {
                level: LogLevel::Warn,
                logger: "org.apache.kafka.storage.internals.log.LogSegment",
                message: text,
            });
        }
        truncated
    }

    /// Producer state up to the log's end: from the last snapshot, and the batches after it
    /// (`UnifiedLog.rebuildProducerState`).
    pub(super) fn rebuild_producers(&mut self, disk: &mut Disk, now_ms: i64, clean_shutdown: bool) {
        let end = self.next_offset;
        self.log(
            LogLevel::Info,
            LOADER,
            format!("Loading producer state till offset {end}"),
        );
        if clean_shutdown && !self.producers.has_snapshot() {
            // No idempotent producer ever wrote here, so there is nothing to scan for.
            self.producers.set_map_end_offset(end);
            self.producers.take_snapshot(disk);
            return;
        }
        let was_empty = self.producers.is_empty() && self.producers.map_end_offset() >= end;
        let text = format!(
            "Reloading from producer snapshot and rebuilding producer state from offset {end}"
        );
        self.log(LogLevel::Info, LOADER, text);
        let expiration_ms = self.config.producer_id_expiration_ms;
        let warnings = self.producers.truncate_and_reload(
            disk,
            self.log_start_offset,
            end,
            now_ms,
            expiration_ms,
        );
        for warning in warnings {
            self.log(LogLevel::Warn, PRODUCER_STATE_MANAGER, warning);
        }
        if !was_empty {
            let mut next = self.producers.map_end_offset();
            for segment in self.segments.iter().skip(self.segment_index(next)) {
                next = next.max(segment.base_offset);
                let Some((position, _)) = segment.find(disk, next) else {
                    continue;
                };
                for (position, header) in segment.headers(disk, position) {
                    // Only a control batch's records matter, so only that is read.
                    let batch = if header.is_control() && header.has_producer_id() {
                        segment.batch(disk, position, header)
                    } else {
                        Some(crate::record::RecordBatch {
                            header,
                            bytes: bytes::Bytes::new(),
                        })
                    };
                    if let Some(batch) = batch {
                        self.producers.replay(&batch);
                    }
                }
            }
        }
        self.producers.set_map_end_offset(end);
        self.producers.take_snapshot(disk);
    }
}
