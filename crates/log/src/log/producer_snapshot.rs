//! `.snapshot` files of producer state (`ProducerSnapshot` version 1), named after their offset.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::{Buf, BufMut};

use crate::disk::Disk;
use crate::log::producers::{BatchMetadata, ProducerEntry};
use crate::log::segment::{file_stem, offset_of};

const SUFFIX: &str = ".snapshot";
const VERSION: i16 = 1;
/// Version and CRC stand before what the CRC covers.
const ENTRIES_AT: usize = 6;
const ENTRY_BYTES: usize = 8 + 2 + 4 + 8 + 4 + 8 + 4 + 8;

pub(super) fn path(dir: &str, offset: i64) -> String {
    format!("{dir}/{}{SUFFIX}", file_stem(offset))
}

/// The offsets of the snapshots in a directory.
pub(super) fn offsets(dir: &str, disk: &Disk) -> BTreeSet<i64> {
    disk.list(dir)
        .iter()
        .filter_map(|name| offset_of(name, SUFFIX))
        .collect()
}

pub(super) fn write(
    dir: &str,
    offset: i64,
    entries: &BTreeMap<i64, ProducerEntry>,
    disk: &mut Disk,
) {
    let mut bytes = Vec::with_capacity(ENTRIES_AT + 4 + entries.len() * ENTRY_BYTES);
    bytes.put_i16(VERSION);
    bytes.put_u32(0);
    bytes.put_i32(entries.len() as i32);
    for (producer_id, entry) in entries {
        let last = entry.batches.back();
        bytes.put_i64(*producer_id);
        bytes.put_i16(entry.epoch);
        bytes.put_i32(entry.last_sequence());
        bytes.put_i64(last.map_or(-1, |batch| batch.last_offset));
        bytes.put_i32(last.map_or(0, |batch| batch.offset_delta));
        bytes.put_i64(entry.last_timestamp);
        bytes.put_i32(entry.coordinator_epoch);
        bytes.put_i64(entry.current_txn_first_offset.unwrap_or(-1));
    }
    let crc = crc32c::crc32c(&bytes[ENTRIES_AT..]);
    bytes[2..ENTRIES_AT].copy_from_slice(&crc.to_be_bytes());
    disk.write(&path(dir, offset), &bytes);
}

/// Reads a snapshot; the error is Kafka's text.
pub(super) fn read(
    dir: &str,
    offset: i64,
    disk: &Disk,
) -> Result<BTreeMap<i64, ProducerEntry>, String> {
    let bytes = disk.read_all(&path(dir, offset)).unwrap_or_default();
    let short = || "Snapshot failed schema validation: the file is too short".to_owned();
    let (head, body) = bytes.split_at_checked(ENTRIES_AT).ok_or_else(short)?;
    let mut head = head;
    let version = head.get_i16();
    if version != VERSION {
        return Err(format!(
            "Snapshot contained an unknown file version {version}"
        ));
    }
    let stored = head.get_u32();
    let computed = crc32c::crc32c(body);
    if stored != computed {
        return Err(format!(
            "Snapshot is corrupt (CRC is no longer valid). Stored crc: {stored}. Computed crc: {computed}"
        ));
    }
    let (count, rest) = body.split_at_checked(4).ok_or_else(short)?;
    let count = { count }.get_i32();
    let (entries, rest) = rest.as_chunks::<ENTRY_BYTES>();
    if !rest.is_empty() || usize::try_from(count) != Ok(entries.len()) {
        return Err(short());
    }
    Ok(entries.iter().map(|entry| read_entry(entry)).collect())
}

fn read_entry(mut bytes: &[u8]) -> (i64, ProducerEntry) {
    let producer_id = bytes.get_i64();
    let epoch = bytes.get_i16();
    let last_sequence = bytes.get_i32();
    let last_offset = bytes.get_i64();
    let offset_delta = bytes.get_i32();
    let last_timestamp = bytes.get_i64();
    let coordinator_epoch = bytes.get_i32();
    let current_txn_first_offset = Some(bytes.get_i64()).filter(|offset| *offset >= 0);
    let batch = BatchMetadata {
        last_sequence,
        last_offset,
        offset_delta,
        timestamp: last_timestamp,
    };
    let batches: VecDeque<BatchMetadata> =
        (last_offset >= 0).then_some(batch).into_iter().collect();
    (
        producer_id,
        ProducerEntry {
            epoch,
            coordinator_epoch,
            last_timestamp,
            current_txn_first_offset,
            batches,
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn snapshots_read_back_and_damage_is_seen() {
        let mut disk = Disk::new();
        let batch = BatchMetadata {
            last_sequence: 4,
            last_offset: 104,
            offset_delta: 4,
            timestamp: 77,
        };
        let entry = ProducerEntry {
            epoch: 2,
            coordinator_epoch: -1,
            last_timestamp: 77,
            current_txn_first_offset: None,
            batches: VecDeque::from([batch]),
        };
        let entries = BTreeMap::from([(1000, entry), (1001, ProducerEntry::default())]);
        write("/d", 105, &entries, &mut disk);
        assert_eq!(offsets("/d", &disk), BTreeSet::from([105]));
        assert_eq!(read("/d", 105, &disk).unwrap(), entries);
        let good = disk.read_all("/d/00000000000000000105.snapshot").unwrap();
        assert_eq!(good.len(), 10 + 2 * 46);
        for at in 0..good.len() {
            let mut broken = good.to_vec();
            broken[at] ^= 1;
            disk.write("/d/00000000000000000105.snapshot", &broken);
            assert!(read("/d", 105, &disk).is_err(), "byte {at}");
        }
        disk.write("/d/00000000000000000105.snapshot", &good[..20]);
        assert!(read("/d", 105, &disk).is_err());
    }
}
