//! One record: its parts, its batch, and its bytes on disk, field by field.

use bytes::Bytes;
use playground_log::record::{RECORD_BATCH_OVERHEAD, RecordBatch, add_sequence, varint};
use playground_log::{Codec, Log, Record, RecordBatchHeader, batches};

use super::{Machine, log_of, text_of};
use crate::view::model::{Blob, FieldView, RecordAddress, RecordView};

/// Bytes of a batch that are shown.
const BYTES_SHOWN_MAX: usize = 1024;

/// Bytes of a key or value that are shown as text.
const TEXT_BYTES_MAX: usize = 600;

/// The record at this address, if a running broker has it.
pub(super) fn record(machines: &[Machine<'_>], address: &RecordAddress) -> Option<RecordView> {
    let (machine, log) = log_of(machines, &address.topic, address.partition)?;
    let found = log
        .read(machine.disk, address.offset, 1, log.log_end_offset(), true)
        .ok()?;
    let batch = batches(found.records).next()?.ok()?;
    let record = batch
        .records()
        .ok()?
        .map_while(Result::ok)
        .find(|record| record.offset == address.offset);
    let header = &batch.header;
    let partitions = machines
        .iter()
        .flat_map(|machine| &machine.replicas)
        .filter(|(topic, _)| *topic == address.topic)
        .map(|(_, partition)| partition + 1)
        .max()
        .unwrap_or(1);
    let (file, position) = place(machine, log, header);
    let record = record?;
    let index = record.offset.saturating_sub(header.base_offset);
    Some(RecordView {
        address: address.clone(),
        key: record.key.as_ref().map(blob),
        value: record.value.as_ref().map(blob),
        timestamp_ms: record.timestamp,
        timestamp_type: header.timestamp_type().as_str().to_owned(),
        headers: record
            .headers
            .iter()
            .map(|(name, value)| {
                (
                    text_of(name),
                    value
                        .as_ref()
                        .map_or_else(|| "null".to_owned(), |value| blob(value).text),
                )
            })
            .collect(),
        murmur: record.key.as_ref().map(|key| {
            let hash = murmur2(key);
            let partition = i32::try_from(hash & 0x7fff_ffff).unwrap_or(0) % partitions;
            (hash, partition, partitions)
        }),
        batch_first: header.base_offset,
        batch_last: header.last_offset(),
        codec: codec_name(header).to_owned(),
        producer_id: header.producer_id,
        sequence: if header.base_sequence < 0 {
            -1
        } else {
            add_sequence(header.base_sequence, i32::try_from(index).unwrap_or(0))
        },
        file,
        position,
        batch_bytes: batch.bytes.len() as u64,
        fields: fields(&batch, &record),
        bytes: batch.bytes[..batch.bytes.len().min(BYTES_SHOWN_MAX)].to_vec(),
    })
}

fn blob(bytes: &Bytes) -> Blob {
    let shown = &bytes[..bytes.len().min(TEXT_BYTES_MAX)];
    Blob {
        text: if shown.len() < bytes.len() {
            format!("{}…", text_of(shown))
        } else {
            text_of(shown)
        },
        length: bytes.len() as u64,
    }
}

fn codec_name(header: &RecordBatchHeader) -> &'static str {
    match header.codec() {
        Ok(Codec::None) => "not compressed",
        Ok(Codec::Gzip) => "gzip",
        Ok(Codec::Snappy) => "snappy",
        Ok(Codec::Lz4) => "lz4",
        Ok(Codec::Zstd) => "zstd",
        Err(_) => "unknown codec",
    }
}

/// The file that a batch stands in, and where: headers are walked from the segment's start.
fn place(machine: &Machine<'_>, log: &Log, wanted: &RecordBatchHeader) -> (String, i64) {
    let segment = log
        .segments()
        .into_iter()
        .rev()
        .find(|segment| segment.base_offset <= wanted.base_offset);
    let Some(segment) = segment else {
        return (String::new(), -1);
    };
    let name = format!("{:020}.log", segment.base_offset);
    let path = format!("{}/{name}", log.dir());
    let mut position = 0u64;
    let mut bytes = [0u8; RECORD_BATCH_OVERHEAD];
    while machine.disk.read_into(&path, position, &mut bytes) == RECORD_BATCH_OVERHEAD {
        let Ok(header) = RecordBatchHeader::parse(&bytes) else {
            break;
        };
        if header.base_offset == wanted.base_offset {
            return (name, i64::try_from(position).unwrap_or(-1));
        }
        position += header.size() as u64;
    }
    (name, -1)
}

/// The header's fields, and the record's own where its bytes stand in the clear.
fn fields(batch: &RecordBatch, record: &Record) -> Vec<FieldView> {
    let header = &batch.header;
    let mut fields = Vec::new();
    let mut at = 0u32;
    let mut fixed = |name: &str, kind: &str, length: u32, value: String| {
        fields.push(FieldView {
            name: name.to_owned(),
            kind: kind.to_owned(),
            value,
            from: at,
            to: at + length,
        });
        at += length;
    };
    fixed("base offset", "int64", 8, header.base_offset.to_string());
    fixed(
        "batch length",
        "int32",
        4,
        format!("{} bytes after this field", header.batch_length),
    );
    fixed(
        "partition leader epoch",
        "int32",
        4,
        header.partition_leader_epoch.to_string(),
    );
    fixed("magic", "int8", 1, header.magic.to_string());
    fixed(
        "CRC-32C",
        "uint32",
        4,
        format!("0x{:08x}, of all bytes after it", header.crc),
    );
    fixed(
        "attributes",
        "int16",
        2,
        format!(
            "{}, {}",
            codec_name(header),
            header.timestamp_type().as_str()
        ),
    );
    fixed(
        "last offset delta",
        "int32",
        4,
        header.last_offset_delta.to_string(),
    );
    fixed(
        "base timestamp",
        "int64",
        8,
        header.base_timestamp.to_string(),
    );
    fixed(
        "max timestamp",
        "int64",
        8,
        header.max_timestamp.to_string(),
    );
    fixed("producer id", "int64", 8, header.producer_id.to_string());
    fixed(
        "producer epoch",
        "int16",
        2,
        header.producer_epoch.to_string(),
    );
    fixed(
        "base sequence",
        "int32",
        4,
        header.base_sequence.to_string(),
    );
    fixed("record count", "int32", 4, header.record_count.to_string());
    if !matches!(header.codec(), Ok(Codec::None)) {
        let end = u32::try_from(batch.bytes.len().min(BYTES_SHOWN_MAX)).unwrap_or(u32::MAX);
        fields.push(FieldView {
            name: "records".to_owned(),
            kind: "bytes".to_owned(),
            value: format!("compressed, {}", codec_name(header)),
            from: RECORD_BATCH_OVERHEAD as u32,
            to: end,
        });
        return fields;
    }
    record_fields(batch, record, &mut fields);
    fields.retain(|field| field.to as usize <= BYTES_SHOWN_MAX);
    fields
}

/// The fields of a record within an uncompressed batch.
fn record_fields(batch: &RecordBatch, record: &Record, fields: &mut Vec<FieldView>) {
    let bytes = &batch.bytes[..];
    let mut position = RECORD_BATCH_OVERHEAD;
    loop {
        let start = position;
        let Some(length) = read_varint(bytes, &mut position) else {
            return;
        };
        let end = position.saturating_add(usize::try_from(length).unwrap_or(usize::MAX));
        if length <= 0 || end > bytes.len() {
            return;
        }
        let mut cursor = Cursor {
            bytes,
            position: start,
            fields: Vec::new(),
        };
        let Some(offset_delta) = cursor.record() else {
            return;
        };
        if batch.header.base_offset + offset_delta == record.offset {
            fields.append(&mut cursor.fields);
            return;
        }
        position = end;
    }
}

fn read_varint(bytes: &[u8], position: &mut usize) -> Option<i64> {
    let mut at = *position;
    let value = varint::read_i64(bytes, &mut at)?;
    *position = at;
    Some(value)
}

struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
    fields: Vec<FieldView>,
}

impl Cursor<'_> {
    fn push(&mut self, name: &str, kind: &str, value: String, from: usize) {
        self.fields.push(FieldView {
            name: name.to_owned(),
            kind: kind.to_owned(),
            value,
            from: u32::try_from(from).unwrap_or(u32::MAX),
            to: u32::try_from(self.position).unwrap_or(u32::MAX),
        });
    }

    fn varint(&mut self, name: &str) -> Option<i64> {
        let from = self.position;
        let value = read_varint(self.bytes, &mut self.position)?;
        self.push(name, "varint", value.to_string(), from);
        Some(value)
    }

    fn data(&mut self, name: &str, length: i64) -> Option<()> {
        let Ok(length) = usize::try_from(length) else {
            return Some(());
        };
        let from = self.position;
        let bytes = self.bytes.get(from..from.checked_add(length)?)?;
        self.position += length;
        let text = text_of(&bytes[..bytes.len().min(60)]);
        self.push(name, "bytes", text, from);
        Some(())
    }

    /// One record; its offset delta.
    fn record(&mut self) -> Option<i64> {
        self.varint("record length")?;
        self.position += 1;
        let from = self.position - 1;
        self.push("record attributes", "int8", "0".to_owned(), from);
        self.varint("timestamp delta")?;
        let offset_delta = self.varint("offset delta")?;
        let key = self.varint("key length")?;
        self.data("key", key)?;
        let value = self.varint("value length")?;
        self.data("value", value)?;
        let headers = self.varint("header count")?;
        for _ in 0..headers {
            let name = self.varint("header name length")?;
            self.data("header name", name)?;
            let value = self.varint("header value length")?;
            self.data("header value", value)?;
        }
        Some(offset_delta)
    }
}

/// Kafka's hash of keys (`Utils.murmur2`).
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c_u32 ^ (data.len() as u32);
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = word
            .iter()
            .rev()
            .fold(0u32, |value, byte| value << 8 | u32::from(*byte));
        k = k.wrapping_mul(M);
        k ^= k >> 24;
        k = k.wrapping_mul(M);
        hash = hash.wrapping_mul(M) ^ k;
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        hash ^= rest
            .iter()
            .rev()
            .fold(0u32, |value, byte| value << 8 | u32::from(*byte));
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;
    use playground_log::RecordBatchBuilder;

    #[test]
    fn murmur2_is_kafkas() {
        // From Kafka's UtilsTest.testMurmur2.
        assert_eq!(murmur2(b"21") as i32, -973_932_308);
        assert_eq!(murmur2(b"foobar") as i32, -790_332_482);
        assert_eq!(murmur2(b"a-little-bit-long-string") as i32, -985_981_536);
    }

    #[test]
    fn fields_cover_the_bytes_of_a_batch() {
        let mut builder = RecordBatchBuilder::new(Codec::None);
        builder.append(5, Some(b"1"), Some(b"mitch"), &[]);
        let Some(bytes) = builder.build() else {
            panic!("a batch of one record")
        };
        let length = bytes.len() as u32;
        let batch = batches(bytes)
            .next()
            .expect("a batch")
            .expect("a whole one");
        let record = batch
            .records()
            .expect("records")
            .next()
            .expect("one")
            .expect("whole");
        let fields = fields(&batch, &record);
        assert!(fields.windows(2).all(|pair| pair[0].to == pair[1].from));
        assert_eq!(fields.last().map(|field| field.to), Some(length));
        assert!(
            fields
                .iter()
                .any(|field| field.name == "value" && field.value == "mitch")
        );
    }
}
