//! One segment (`LogSegment`): a `.log` file with its offset and time indexes.

use crate::disk::Disk;
use crate::log::index::{OffsetIndex, TimeIndex, TimestampMark};
use crate::log::types::TimestampOffset;
use crate::record::{
    NO_TIMESTAMP, RECORD_BATCH_OVERHEAD, RecordBatch, RecordBatchHeader, RecordError,
};

/// Suffix of a segment's records.
pub(super) const LOG_SUFFIX: &str = ".log";

/// A file's name without suffix: the offset, 20 digits.
pub(super) fn file_stem(offset: i64) -> String {
    format!("{offset:020}")
}

/// The offset that a file's name starts with, if it is one of a segment's.
pub(super) fn offset_of(name: &str, suffix: &str) -> Option<i64> {
    name.strip_suffix(suffix)?.parse().ok()
}

/// One batch, ready to be written: its final header's fields, and the bytes in two parts so that a
/// patched header needs no copy of the records.
#[derive(Clone, Debug)]
pub(super) struct PreparedBatch {
    /// The final fields.
    pub(super) header: RecordBatchHeader,
    /// The header's bytes.
    pub(super) header_bytes: [u8; RECORD_BATCH_OVERHEAD],
    /// The records' bytes.
    pub(super) payload: bytes::Bytes,
}

impl PreparedBatch {
    pub(super) fn new(batch: &RecordBatch) -> PreparedBatch {
        let mut header_bytes = [0; RECORD_BATCH_OVERHEAD];
        batch.header.write(&mut header_bytes);
        PreparedBatch {
            header: batch.header.clone(),
            header_bytes,
            payload: batch.payload(),
        }
    }

    pub(super) fn size(&self) -> usize {
        RECORD_BATCH_OVERHEAD + self.payload.len()
    }
}

/// What decides whether the next append needs a new segment (`RollParams`).
pub(super) struct RollCheck {
    pub(super) segment_bytes: u64,
    pub(super) segment_ms: i64,
    pub(super) index_bytes: u64,
    pub(super) append_bytes: u64,
    pub(super) max_timestamp: i64,
    pub(super) last_offset: i64,
    pub(super) now_ms: i64,
}

#[derive(Clone, Debug)]
pub(super) struct Segment {
    pub(super) base_offset: i64,
    pub(super) size: u64,
    pub(super) last_modified_ms: i64,
    path: String,
    offset_index: OffsetIndex,
    time_index: TimeIndex,
    bytes_since_index_entry: u64,
    created_ms: i64,
    first_batch_timestamp: Option<i64>,
    max_timestamp: TimestampMark,
}

impl Segment {
    /// A new, empty segment; its files are created.
    pub(super) fn create(dir: &str, base_offset: i64, disk: &mut Disk, now_ms: i64) -> Segment {
        let stem = format!("{dir}/{}", file_stem(base_offset));
        let path = format!("{stem}{LOG_SUFFIX}");
        disk.write(&path, b"");
        Segment {
            base_offset,
            size: 0,
            last_modified_ms: now_ms,
            path,
            offset_index: OffsetIndex::create(&stem, disk),
            time_index: TimeIndex::create(&stem, disk),
            bytes_since_index_entry: 0,
            created_ms: now_ms,
            first_batch_timestamp: None,
            max_timestamp: TimestampMark::none(base_offset),
        }
    }

    /// A segment that is there, and whether its indexes are fit to use; if not, it must be recovered.
    pub(super) fn open(dir: &str, base_offset: i64, disk: &Disk, now_ms: i64) -> (Segment, bool) {
        let stem = format!("{dir}/{}", file_stem(base_offset));
        let path = format!("{stem}{LOG_SUFFIX}");
        let size = disk.len(&path).unwrap_or(0);
        let (offset_index, offsets_fit) = OffsetIndex::open(&stem, disk, size);
        let (time_index, times_fit) = TimeIndex::open(&stem, disk);
        let mut segment = Segment {
            base_offset,
            size,
            last_modified_ms: now_ms,
            path,
            offset_index,
            time_index,
            bytes_since_index_entry: 0,
            created_ms: now_ms,
            first_batch_timestamp: None,
            max_timestamp: TimestampMark::none(base_offset),
        };
        segment.max_timestamp = segment.time_index.last(base_offset);
        segment.first_batch_timestamp = segment
            .headers(disk, 0)
            .next()
            .map(|(_, header)| header.max_timestamp);
        (segment, offsets_fit && times_fit)
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The largest timestamp, -1 without.
    pub(super) fn max_timestamp(&self) -> i64 {
        self.max_timestamp.timestamp
    }

    /// The largest timestamp of a record, else when the segment was last written (`largestTimestamp`).
    pub(super) fn largest_timestamp(&self) -> i64 {
        if self.max_timestamp.timestamp >= 0 {
            self.max_timestamp.timestamp
        } else {
            self.last_modified_ms
        }
    }

    pub(super) fn should_roll(&self, check: &RollCheck) -> bool {
        let waited_ms = match self.first_batch_timestamp {
            Some(first) if first >= 0 => check.max_timestamp.saturating_sub(first),
            _ => check.now_ms.saturating_sub(self.created_ms),
        };
        self.size > check.segment_bytes.saturating_sub(check.append_bytes)
            || (self.size > 0 && waited_ms > check.segment_ms)
            || self.offset_index.is_full(check.index_bytes)
            || self.time_index.is_full(check.index_bytes)
            || u32::try_from(check.last_offset - self.base_offset)
                .map_or(true, |delta| delta > i32::MAX as u32)
    }

    /// Appends; an index entry is made for a batch when enough bytes went by.
    pub(super) fn append(
        &mut self,
        disk: &mut Disk,
        batches: &[PreparedBatch],
        index_interval_bytes: u64,
        now_ms: i64,
    ) {
        match batches {
            [one] => disk.append_parts(&self.path, &[&one.header_bytes, &one.payload]),
            many => {
                for batch in many {
                    disk.append_parts(&self.path, &[&batch.header_bytes, &batch.payload]);
                }
            }
        }
        self.last_modified_ms = now_ms;
        for batch in batches {
            let (header, size) = (&batch.header, batch.size() as u64);
            if self.size == 0 {
                self.first_batch_timestamp = Some(header.max_timestamp);
            }
            if header.max_timestamp > self.max_timestamp.timestamp {
                self.max_timestamp = TimestampMark {
                    timestamp: header.max_timestamp,
                    offset: header.last_offset(),
                };
            }
            if self.bytes_since_index_entry > index_interval_bytes {
                self.offset_index.append(
                    Some(disk),
                    self.base_offset,
                    header.last_offset(),
                    self.size,
                );
                self.time_index
                    .maybe_append(Some(disk), self.base_offset, self.max_timestamp);
                self.bytes_since_index_entry = 0;
            }
            self.bytes_since_index_entry += size;
            self.size += size;
        }
    }

    /// The headers of whole batches from a position on; ends where there is none.
    pub(super) fn headers<'a>(&'a self, disk: &'a Disk, position: u64) -> Headers<'a> {
        Headers {
            disk,
            path: &self.path,
            position,
            end: self.size,
        }
    }

    /// Position and header of the batch that holds `offset`, or of the first after it.
    pub(super) fn find(&self, disk: &Disk, offset: i64) -> Option<(u64, RecordBatchHeader)> {
        let position = self.offset_index.lookup(self.base_offset, offset);
        self.headers(disk, position)
            .find(|(_, header)| header.last_offset() >= offset)
    }

    /// The offset after the last record.
    pub(super) fn next_offset(&self, disk: &Disk) -> i64 {
        let position = self.offset_index.last_position();
        self.headers(disk, position)
            .last()
            .map_or(self.base_offset, |(_, header)| header.next_offset())
    }

    pub(super) fn batch(
        &self,
        disk: &Disk,
        position: u64,
        header: RecordBatchHeader,
    ) -> Option<RecordBatch> {
        let bytes = disk.read(&self.path, position, header.size())?;
        (bytes.len() == header.size()).then_some(RecordBatch { header, bytes })
    }

    /// The first record at `starting_offset` or later that has `timestamp` or a later one.
    pub(super) fn find_timestamp(
        &self,
        disk: &Disk,
        timestamp: i64,
        starting_offset: i64,
    ) -> Option<TimestampOffset> {
        let from = self
            .time_index
            .lookup(self.base_offset, timestamp)
            .max(starting_offset);
        let position = self.offset_index.lookup(self.base_offset, from);
        for (position, header) in self.headers(disk, position) {
            if header.max_timestamp < timestamp || header.last_offset() < starting_offset {
                continue;
            }
            let leader_epoch = header.partition_leader_epoch;
            let records = self.batch(disk, position, header)?.records().ok()?;
            let found = records
                .map_while(Result::ok)
                .find(|record| record.timestamp >= timestamp && record.offset >= starting_offset);
            if let Some(record) = found {
                return Some(TimestampOffset {
                    timestamp: record.timestamp,
                    offset: record.offset,
                    leader_epoch,
                });
            }
        }
        None
    }

    /// The first record with the segment's largest timestamp.
    pub(super) fn find_max_timestamp(&self, disk: &Disk) -> Option<TimestampOffset> {
        let mark = self.max_timestamp;
        if mark.timestamp == NO_TIMESTAMP {
            return None;
        }
        let position = self.offset_index.lookup(self.base_offset, mark.offset);
        let (position, header) = self
            .headers(disk, position)
            .find(|(_, header)| header.max_timestamp == mark.timestamp)?;
        let leader_epoch = header.partition_leader_epoch;
        let mut records = self
            .batch(disk, position, header)?
            .records()
            .ok()?
            .map_while(Result::ok);
        let record = records.find(|record| record.timestamp == mark.timestamp)?;
        Some(TimestampOffset {
            timestamp: mark.timestamp,
            offset: record.offset,
            leader_epoch,
        })
    }

    /// Checks every batch, cuts the file before the first that is torn or corrupt, and builds the indexes
    /// anew. Each good batch is shown to `visit`. Returns the bytes cut and why, if any.
    pub(super) fn recover(
        &mut self,
        disk: &mut Disk,
        index_interval_bytes: u64,
        mut visit: impl FnMut(&RecordBatch),
    ) -> (u64, Option<RecordError>) {
        self.offset_index.clear();
        self.time_index.clear();
        self.max_timestamp = TimestampMark::none(self.base_offset);
        self.first_batch_timestamp = None;
        let mut last_offset = self.base_offset - 1;
        let (mut valid, mut last_index_entry) = (0_u64, 0_u64);
        let mut reason = None;
        while valid < self.size {
            let batch = match self.checked_batch(disk, valid, last_offset) {
                Ok(Some(batch)) => batch,
                Ok(None) => break,
                Err(error) => {
                    reason = Some(error);
                    break;
                }
            };
            let header = &batch.header;
            last_offset = header.last_offset();
            self.first_batch_timestamp
                .get_or_insert(header.max_timestamp);
            if header.max_timestamp > self.max_timestamp.timestamp {
                self.max_timestamp = TimestampMark {
                    timestamp: header.max_timestamp,
                    offset: last_offset,
                };
            }
            if valid - last_index_entry > index_interval_bytes {
                self.offset_index
                    .append(None, self.base_offset, last_offset, valid);
                self.time_index
                    .maybe_append(None, self.base_offset, self.max_timestamp);
                last_index_entry = valid;
            }
            valid += header.size() as u64;
            visit(&batch);
        }
        let truncated = self.size - valid;
        disk.truncate(&self.path, valid);
        self.size = valid;
        self.bytes_since_index_entry = valid - last_index_entry;
        self.time_index
            .maybe_append(None, self.base_offset, self.max_timestamp);
        self.offset_index.rewrite(disk);
        self.time_index.rewrite(disk);
        (truncated, reason)
    }

    /// The batch at `position` if it is whole, good, and follows `last_offset`; `None` if it is torn.
    fn checked_batch(
        &self,
        disk: &Disk,
        position: u64,
        last_offset: i64,
    ) -> Result<Option<RecordBatch>, RecordError> {
        let mut bytes = [0; RECORD_BATCH_OVERHEAD];
        let read = disk.read_into(&self.path, position, &mut bytes);
        let header = match RecordBatchHeader::parse(&bytes[..read]) {
            Ok(header) => header,
            Err(RecordError::Truncated) => return Ok(None),
            Err(error) => return Err(error),
        };
        if position + header.size() as u64 > self.size {
            return Ok(None);
        }
        let (base, last) = (header.base_offset, header.last_offset());
        let Some(batch) = self.batch(disk, position, header) else {
            return Ok(None);
        };
        batch.ensure_valid()?;
        if base <= last_offset || last < base || last - self.base_offset > i64::from(i32::MAX) {
            return Err(RecordError::Corrupt(format!(
                "Detected offset {last} out of order after {last_offset}"
            )));
        }
        Ok(Some(batch))
    }

    /// Drops all batches from the one that holds `offset` on.
    pub(super) fn truncate_to(&mut self, disk: &mut Disk, offset: i64, now_ms: i64) {
        let position = self.find(disk, offset).map(|(position, _)| position);
        self.offset_index
            .truncate_to(disk, self.base_offset, offset);
        self.time_index.truncate_to(disk, self.base_offset, offset);
        if let Some(position) = position {
            disk.truncate(&self.path, position);
            self.size = position;
        }
        if self.size == 0 {
            self.created_ms = now_ms;
            self.first_batch_timestamp = None;
        }
        self.last_modified_ms = now_ms;
        self.bytes_since_index_entry = 0;
        self.max_timestamp = self.read_max_timestamp(disk);
    }

    fn read_max_timestamp(&self, disk: &Disk) -> TimestampMark {
        let last = self.time_index.last(self.base_offset);
        let position = self.offset_index.lookup(self.base_offset, last.offset);
        self.headers(disk, position)
            .fold(last, |mark, (_, header)| {
                if header.max_timestamp > mark.timestamp {
                    TimestampMark {
                        timestamp: header.max_timestamp,
                        offset: header.last_offset(),
                    }
                } else {
                    mark
                }
            })
    }

    /// No more is appended: the largest timestamp becomes the time index's last entry.
    pub(super) fn become_inactive(&mut self, disk: &mut Disk) {
        self.time_index
            .maybe_append(Some(disk), self.base_offset, self.max_timestamp);
    }

    pub(super) fn flush(&self, disk: &mut Disk) {
        disk.flush(&self.path);
        disk.flush(self.offset_index.path());
        disk.flush(self.time_index.path());
    }

    pub(super) fn delete(&self, disk: &mut Disk) {
        disk.delete(&self.path);
        disk.delete(self.offset_index.path());
        disk.delete(self.time_index.path());
    }

    /// As Kafka logs it.
    pub(super) fn describe(&self) -> String {
        format!(
            "LogSegment(baseOffset={}, size={}, lastModifiedTime={}, largestRecordTimestamp={})",
            self.base_offset, self.size, self.last_modified_ms, self.max_timestamp.timestamp
        )
    }
}

/// See [`Segment::headers`].
pub(super) struct Headers<'a> {
    disk: &'a Disk,
    path: &'a str,
    position: u64,
    end: u64,
}

impl Iterator for Headers<'_> {
    type Item = (u64, RecordBatchHeader);

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = [0; RECORD_BATCH_OVERHEAD];
        if self.disk.read_into(self.path, self.position, &mut bytes) < bytes.len() {
            return None;
        }
        let header = RecordBatchHeader::parse(&bytes).ok()?;
        let position = self.position;
        self.position += header.size() as u64;
        (self.position <= self.end).then_some((position, header))
    }
}
