//! A segment's indexes: offset to position (`OffsetIndex`, 8 bytes an entry), timestamp to offset
//! (`TimeIndex`, 12 bytes). Entries are kept in memory as well, for lookups.

use crate::disk::Disk;

/// Suffix of the offset index.
pub(super) const INDEX_SUFFIX: &str = ".index";
/// Suffix of the time index.
pub(super) const TIME_INDEX_SUFFIX: &str = ".timeindex";

const OFFSET_ENTRY_BYTES: usize = 8;
const TIME_ENTRY_BYTES: usize = 12;

/// A timestamp, and the last offset of the batch that has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimestampMark {
    pub(super) timestamp: i64,
    pub(super) offset: i64,
}

impl TimestampMark {
    /// No timestamp yet.
    pub(super) fn none(base_offset: i64) -> TimestampMark {
        TimestampMark {
            timestamp: -1,
            offset: base_offset,
        }
    }
}

/// (offset minus the segment's base, position), both growing.
#[derive(Clone, Debug)]
pub(super) struct OffsetIndex {
    path: String,
    entries: Vec<(u32, u32)>,
}

impl OffsetIndex {
    pub(super) fn create(stem: &str, disk: &mut Disk) -> OffsetIndex {
        let path = format!("{stem}{INDEX_SUFFIX}");
        disk.write(&path, b"");
        OffsetIndex {
            path,
            entries: Vec::new(),
        }
    }

    /// The index in the file, and whether it can be one of a segment of `size` bytes.
    pub(super) fn open(stem: &str, disk: &Disk, size: u64) -> (OffsetIndex, bool) {
        let path = format!("{stem}{INDEX_SUFFIX}");
        let Some(bytes) = disk.read_all(&path) else {
            return (
                OffsetIndex {
                    path,
                    entries: Vec::new(),
                },
                false,
            );
        };
        let (entries, rest) = bytes.as_chunks::<OFFSET_ENTRY_BYTES>();
        let entries: Vec<(u32, u32)> = entries
            .iter()
            .map(|entry| (u32_at(entry, 0), u32_at(entry, 4)))
            .collect();
        let fits = rest.is_empty()
            && entries.is_sorted_by(|a, b| a.0 < b.0 && a.1 < b.1)
            && entries
                .last()
                .is_none_or(|(_, position)| u64::from(*position) < size);
        (OffsetIndex { path, entries }, fits)
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    pub(super) fn is_full(&self, bytes_max: u64) -> bool {
        self.entries.len() as u64 >= bytes_max / OFFSET_ENTRY_BYTES as u64
    }

    /// Adds an entry, to the file as well if there is a disk.
    pub(super) fn append(
        &mut self,
        disk: Option<&mut Disk>,
        base_offset: i64,
        offset: i64,
        position: u64,
    ) {
        let (Ok(relative), Ok(position)) =
            (u32::try_from(offset - base_offset), u32::try_from(position))
        else {
            return;
        };
        if self
            .entries
            .last()
            .is_some_and(|(last, _)| *last >= relative)
        {
            return;
        }
        self.entries.push((relative, position));
        if let Some(disk) = disk {
            disk.append(&self.path, &offset_entry((relative, position)));
        }
    }

    /// The position of the last entry whose offset is not above `offset`; 0 without.
    pub(super) fn lookup(&self, base_offset: i64, offset: i64) -> u64 {
        let target = offset - base_offset;
        let after = self
            .entries
            .partition_point(|(relative, _)| i64::from(*relative) <= target);
        after
            .checked_sub(1)
            .and_then(|index| self.entries.get(index))
            .map_or(0, |(_, position)| u64::from(*position))
    }

    pub(super) fn last_position(&self) -> u64 {
        self.entries
            .last()
            .map_or(0, |(_, position)| u64::from(*position))
    }

    /// Drops entries of offsets from `offset` on.
    pub(super) fn truncate_to(&mut self, disk: &mut Disk, base_offset: i64, offset: i64) {
        let kept = self
            .entries
            .partition_point(|(relative, _)| i64::from(*relative) < offset - base_offset);
        self.entries.truncate(kept);
        disk.truncate(&self.path, (kept * OFFSET_ENTRY_BYTES) as u64);
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Replaces the file.
    pub(super) fn rewrite(&self, disk: &mut Disk) {
        let bytes: Vec<u8> = self
            .entries
            .iter()
            .flat_map(|entry| offset_entry(*entry))
            .collect();
        disk.write(&self.path, &bytes);
    }
}

/// (timestamp, offset minus the segment's base), timestamps growing.
#[derive(Clone, Debug)]
pub(super) struct TimeIndex {
    path: String,
    entries: Vec<(i64, u32)>,
}

impl TimeIndex {
    pub(super) fn create(stem: &str, disk: &mut Disk) -> TimeIndex {
        let path = format!("{stem}{TIME_INDEX_SUFFIX}");
        disk.write(&path, b"");
        TimeIndex {
            path,
            entries: Vec::new(),
        }
    }

    /// The index in the file, and whether it can be one.
    pub(super) fn open(stem: &str, disk: &Disk) -> (TimeIndex, bool) {
        let path = format!("{stem}{TIME_INDEX_SUFFIX}");
        let Some(bytes) = disk.read_all(&path) else {
            return (
                TimeIndex {
                    path,
                    entries: Vec::new(),
                },
                false,
            );
        };
        let (entries, rest) = bytes.as_chunks::<TIME_ENTRY_BYTES>();
        let entries: Vec<(i64, u32)> = entries
            .iter()
            .map(|entry| {
                let mut timestamp = [0; 8];
                timestamp.copy_from_slice(&entry[..8]);
                (i64::from_be_bytes(timestamp), u32_at(entry, 8))
            })
            .collect();
        let fits = rest.is_empty() && entries.is_sorted_by(|a, b| a.0 < b.0 && a.1 <= b.1);
        (TimeIndex { path, entries }, fits)
    }

    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// One entry stays free for the last timestamp when the segment is closed.
    pub(super) fn is_full(&self, bytes_max: u64) -> bool {
        self.entries.len() as u64 + 1 >= bytes_max / TIME_ENTRY_BYTES as u64
    }

    /// The last entry.
    pub(super) fn last(&self, base_offset: i64) -> TimestampMark {
        self.entries
            .last()
            .map_or(TimestampMark::none(base_offset), |(timestamp, relative)| {
                TimestampMark {
                    timestamp: *timestamp,
                    offset: base_offset + i64::from(*relative),
                }
            })
    }

    /// Adds an entry if its timestamp is above the last one's.
    pub(super) fn maybe_append(
        &mut self,
        disk: Option<&mut Disk>,
        base_offset: i64,
        mark: TimestampMark,
    ) {
        let Ok(relative) = u32::try_from(mark.offset - base_offset) else {
            return;
        };
        if mark.timestamp <= self.last(base_offset).timestamp {
            return;
        }
        self.entries.push((mark.timestamp, relative));
        if let Some(disk) = disk {
            disk.append(&self.path, &time_entry((mark.timestamp, relative)));
        }
    }

    /// The offset of the last entry whose timestamp is not above `timestamp`; the base offset without.
    pub(super) fn lookup(&self, base_offset: i64, timestamp: i64) -> i64 {
        let after = self.entries.partition_point(|(of, _)| *of <= timestamp);
        after
            .checked_sub(1)
            .and_then(|index| self.entries.get(index))
            .map_or(base_offset, |(_, relative)| {
                base_offset + i64::from(*relative)
            })
    }

    /// Drops entries of offsets from `offset` on.
    pub(super) fn truncate_to(&mut self, disk: &mut Disk, base_offset: i64, offset: i64) {
        let kept = self
            .entries
            .partition_point(|(_, relative)| i64::from(*relative) < offset - base_offset);
        self.entries.truncate(kept);
        disk.truncate(&self.path, (kept * TIME_ENTRY_BYTES) as u64);
    }

    pub(super) fn clear(&mut self) {
        self.entries.clear();
    }

    /// Replaces the file.
    pub(super) fn rewrite(&self, disk: &mut Disk) {
        let bytes: Vec<u8> = self
            .entries
            .iter()
            .flat_map(|entry| time_entry(*entry))
            .collect();
        disk.write(&self.path, &bytes);
    }
}

fn offset_entry((relative, position): (u32, u32)) -> [u8; OFFSET_ENTRY_BYTES] {
    let mut bytes = [0; OFFSET_ENTRY_BYTES];
    bytes[..4].copy_from_slice(&relative.to_be_bytes());
    bytes[4..].copy_from_slice(&position.to_be_bytes());
    bytes
}

fn time_entry((timestamp, relative): (i64, u32)) -> [u8; TIME_ENTRY_BYTES] {
    let mut bytes = [0; TIME_ENTRY_BYTES];
    bytes[..8].copy_from_slice(&timestamp.to_be_bytes());
    bytes[8..].copy_from_slice(&relative.to_be_bytes());
    bytes
}

fn u32_at<const N: usize>(entry: &[u8; N], at: usize) -> u32 {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(&entry[at..at + 4]);
    u32::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_have_kafkas_layout_and_are_found() {
        let mut disk = Disk::new();
        let mut offsets = OffsetIndex::create("/d/00000000000000000100", &mut disk);
        let mut times = TimeIndex::create("/d/00000000000000000100", &mut disk);
        for step in 1..=3_i64 {
            offsets.append(Some(&mut disk), 100, 100 + 10 * step, 1000 * step as u64);
            times.maybe_append(
                Some(&mut disk),
                100,
                TimestampMark {
                    timestamp: 5000 * step,
                    offset: 100 + 10 * step,
                },
            );
        }
        times.maybe_append(
            Some(&mut disk),
            100,
            TimestampMark {
                timestamp: 1,
                offset: 140,
            },
        );
        let bytes = disk.read_all("/d/00000000000000000100.index").unwrap();
        assert_eq!(
            bytes[..16],
            [0, 0, 0, 10, 0, 0, 3, 232, 0, 0, 0, 20, 0, 0, 7, 208]
        );
        assert_eq!(bytes.len(), 24);
        let bytes = disk.read_all("/d/00000000000000000100.timeindex").unwrap();
        assert_eq!(bytes[..12], [0, 0, 0, 0, 0, 0, 19, 136, 0, 0, 0, 10]);
        assert_eq!(bytes.len(), 36);
        let found = |offset| offsets.lookup(100, offset);
        assert_eq!(
            [found(100), found(109), found(110), found(129), found(1000)],
            [0, 0, 1000, 2000, 3000]
        );
        assert_eq!(
            [
                times.lookup(100, 0),
                times.lookup(100, 5000),
                times.lookup(100, 14_999)
            ],
            [100, 110, 120]
        );
        let (reopened, fits) = OffsetIndex::open("/d/00000000000000000100", &disk, 4000);
        assert!(fits && reopened.lookup(100, 125) == 2000);
        assert!(
            !OffsetIndex::open("/d/00000000000000000100", &disk, 3000).1,
            "points past the segment"
        );
        disk.append("/d/00000000000000000100.timeindex", &[1]);
        assert!(!TimeIndex::open("/d/00000000000000000100", &disk).1);
        offsets.truncate_to(&mut disk, 100, 120);
        assert_eq!(
            (
                offsets.lookup(100, 500),
                disk.len("/d/00000000000000000100.index")
            ),
            (1000, Some(8))
        );
    }
}
