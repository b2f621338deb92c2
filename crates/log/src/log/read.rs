//! Reading: whole batches by offset, one offset by timestamp.

use bytes::Bytes;

use crate::disk::Disk;
use crate::log::Log;
use crate::log::types::{FetchInfo, OffsetOutOfRange, TimestampOffset};
use crate::record::RecordBatchHeader;

impl Log {
    /// Whole batches from the one that holds `offset` on: at most `max_bytes`, but the first in any case with
    /// `min_one`; none that ends at or after `up_to_offset`. One segment at most is read.
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
        if offset < self.log_start_offset {
            return Err(self.out_of_range(format!(
                "Received request for offset {offset} for partition {}, but we only have log segments starting from offset: {}.",
                self.name(),
                self.log_start_offset
            )));
        }
        if offset > self.next_offset {
            return Err(self.out_of_range(format!(
                "Received request for offset {offset} for partition {}, but we only have log segments upto {}.",
                self.name(),
                self.next_offset
            )));
        }
        let nothing = FetchInfo {
            records: Bytes::new(),
            next_offset: offset,
            more: false,
        };
        let up_to_offset = up_to_offset.min(self.next_offset);
        if offset >= up_to_offset {
            return Ok(nothing);
        }
        // Compaction may have emptied the rest of a segment: the next one goes on.
        let found = self
            .segments
            .iter()
            .skip(self.segment_index(offset))
            .find_map(|segment| {
                segment
                    .find(disk, offset)
                    .map(|(position, header)| (segment, position, header))
            });
        let Some((segment, start, first)) = found else {
            return Ok(nothing);
        };
        if first.last_offset() >= up_to_offset {
            return Ok(nothing);
        }
        let room = if min_one {
            max_bytes.max(first.size())
        } else {
            max_bytes
        };
        if first.size() > room {
            return Ok(FetchInfo {
                more: true,
                ..nothing
            });
        }
        let window = disk.read(segment.path(), start, room).unwrap_or_default();
        let mut info = nothing;
        let mut length = 0;
        while let Ok(header) = RecordBatchHeader::parse(&window[length..]) {
            let end = length + header.size();
            if header.last_offset() >= up_to_offset || end > window.len() {
                break;
            }
            length = end;
            info.next_offset = header.next_offset();
        }
        info.records = window.slice(..length);
        info.more = info.next_offset < up_to_offset;
        Ok(info)
    }

    /// The first record with this timestamp (ms) or a later one.
    pub fn offset_for_timestamp(&self, disk: &Disk, timestamp: i64) -> Option<TimestampOffset> {
        let segment = self
            .segments
            .iter()
            .find(|segment| segment.largest_timestamp() >= timestamp)?;
        segment.find_timestamp(disk, timestamp, self.log_start_offset)
    }

    /// The first record of the largest timestamp (ListOffsets -3).
    pub fn offset_of_max_timestamp(&self, disk: &Disk) -> Option<TimestampOffset> {
        let mut segments = self.segments.iter();
        let first = segments.next()?;
        let largest = segments.fold(first, |largest, segment| {
            if segment.max_timestamp() > largest.max_timestamp() {
                segment
            } else {
                largest
            }
        });
        largest.find_max_timestamp(disk)
    }

    pub(super) fn out_of_range(&self, message: String) -> OffsetOutOfRange {
        OffsetOutOfRange {
            message,
            log_start_offset: self.log_start_offset,
            log_end_offset: self.next_offset,
        }
    }
}
