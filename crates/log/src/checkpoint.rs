//! Kafka's small text files: offset checkpoints (`OffsetCheckpointFile`), `partition.metadata`.

use std::collections::BTreeMap;

use uuid::Uuid;

use crate::disk::Disk;

/// Offsets below which a log was flushed; recovery starts there.
pub const RECOVERY_POINT_FILE: &str = "recovery-point-offset-checkpoint";
/// High watermarks.
pub const HIGH_WATERMARK_FILE: &str = "replication-offset-checkpoint";
/// Log start offsets that deleted records moved into a segment.
pub const LOG_START_OFFSET_FILE: &str = "log-start-offset-checkpoint";
/// Marks that a broker stopped in order; in the log directory.
pub const CLEAN_SHUTDOWN_FILE: &str = ".kafka_cleanshutdown";
/// The topic id of a partition; in its directory.
pub const PARTITION_METADATA_FILE: &str = "partition.metadata";

/// (topic, partition) to offset, in the order of the file's lines.
pub type PartitionOffsets = BTreeMap<(String, i32), i64>;

/// Reads an offset checkpoint; empty if there is none, and what is malformed is left out.
pub fn read_offsets(disk: &Disk, path: &str) -> PartitionOffsets {
    let Some(bytes) = disk.read_all(path) else {
        return PartitionOffsets::new();
    };
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines();
    if lines.next() != Some("0") || lines.next().is_none() {
        return PartitionOffsets::new();
    }
    lines
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let topic = words.next()?;
            let partition = words.next()?.parse().ok()?;
            let offset = words.next()?.parse().ok()?;
            Some(((topic.to_owned(), partition), offset))
        })
        .collect()
}

/// Writes an offset checkpoint: version 0, the count, then `topic partition offset` a line.
pub fn write_offsets(disk: &mut Disk, path: &str, offsets: &PartitionOffsets) {
    let mut text = format!("0\n{}\n", offsets.len());
    for ((topic, partition), offset) in offsets {
        text.push_str(&format!("{topic} {partition} {offset}\n"));
    }
    disk.write(path, text.as_bytes());
}

/// The text of `partition.metadata`. Ids are base64url without padding, as Kafka prints them.
pub fn partition_metadata(topic_id: Uuid) -> String {
    format!("version: 0\ntopic_id: {}", uuid_text(topic_id))
}

/// Reads the topic id out of a `partition.metadata`.
pub fn parse_partition_metadata(text: &str) -> Option<Uuid> {
    text.lines()
        .find_map(|line| parse_uuid(line.strip_prefix("topic_id:")?.trim()))
}

const BASE64_URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A UUID as Kafka prints it: 22 characters of base64url.
pub fn uuid_text(id: Uuid) -> String {
    let bits = id.as_u128();
    // 128 bits are 21 digits of six bits, and two more at the end.
    (0..22)
        .map(|digit| {
            let index = if digit < 21 {
                (bits >> (122 - 6 * digit)) & 63
            } else {
                (bits << 4) & 63
            };
            char::from(BASE64_URL[index as usize])
        })
        .collect()
}

/// Reads what [`uuid_text`] writes.
pub fn parse_uuid(text: &str) -> Option<Uuid> {
    if text.len() != 22 {
        return None;
    }
    let mut bits = 0_u128;
    for (index, byte) in text.bytes().enumerate() {
        let digit = BASE64_URL.iter().position(|&of| of == byte)? as u128;
        bits = if index < 21 {
            (bits << 6) | digit
        } else {
            (bits << 2) | (digit >> 4)
        };
    }
    Some(Uuid::from_u128(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_have_kafkas_text_and_read_back() {
        let mut disk = Disk::new();
        let offsets = PartitionOffsets::from([
            (("users".to_owned(), 0), 4),
            (("users".to_owned(), 10), 1 << 40),
        ]);
        write_offsets(&mut disk, "/data/x", &offsets);
        assert_eq!(
            disk.read_all("/data/x").unwrap(),
            b"0\n2\nusers 0 4\nusers 10 1099511627776\n"[..]
        );
        assert_eq!(read_offsets(&disk, "/data/x"), offsets);
        disk.write("/data/x", b"0\n3\nusers 0 4\nusers x\n");
        assert_eq!(read_offsets(&disk, "/data/x").len(), 1);
        assert!(read_offsets(&disk, "/none").is_empty());
    }

    #[test]
    fn topic_ids_are_base64url() {
        let id = Uuid::from_u128(0xfedc_ba98_7654_3210_0123_4567_89ab_cdef);
        assert_eq!(uuid_text(id), "_ty6mHZUMhABI0VniavN7w");
        assert_eq!(parse_uuid("_ty6mHZUMhABI0VniavN7w"), Some(id));
        assert_eq!(parse_partition_metadata(&partition_metadata(id)), Some(id));
        assert_eq!(parse_partition_metadata("version: 0\n"), None);
    }
}
