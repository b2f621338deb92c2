//! Building a batch (`MemoryRecordsBuilder`), byte for byte as Java does where it does not compress.

use bytes::Bytes;

use crate::codec::{self, Codec};
use crate::record::header::{
    LOG_OVERHEAD, MAGIC_V2, NO_PARTITION_LEADER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID,
    NO_SEQUENCE, NO_TIMESTAMP, RECORD_BATCH_OVERHEAD, RecordBatchHeader, TimestampType, attributes,
};
use crate::record::varint;

/// Bytes of a record besides key, value and headers, at most (`DefaultRecord.MAX_RECORD_OVERHEAD`).
const MAX_RECORD_OVERHEAD: usize = 21;

/// Collects records and builds one batch.
#[derive(Clone, Debug)]
pub struct RecordBatchBuilder {
    codec: Codec,
    timestamp_type: TimestampType,
    log_append_time: i64,
    base_offset: i64,
    partition_leader_epoch: i32,
    producer_id: i64,
    producer_epoch: i16,
    base_sequence: i32,
    transactional: bool,
    control: bool,
    /// Header space, then the uncompressed records.
    bytes: Vec<u8>,
    base_timestamp: Option<i64>,
    max_timestamp: i64,
    last_offset: Option<i64>,
    record_count: i32,
}

impl RecordBatchBuilder {
    /// An empty batch at offset 0, without a producer id, CreateTime.
    pub fn new(codec: Codec) -> RecordBatchBuilder {
        RecordBatchBuilder {
            codec,
            timestamp_type: TimestampType::CreateTime,
            log_append_time: NO_TIMESTAMP,
            base_offset: 0,
            partition_leader_epoch: NO_PARTITION_LEADER_EPOCH,
            producer_id: NO_PRODUCER_ID,
            producer_epoch: NO_PRODUCER_EPOCH,
            base_sequence: NO_SEQUENCE,
            transactional: false,
            control: false,
            bytes: vec![0; RECORD_BATCH_OVERHEAD],
            base_timestamp: None,
            max_timestamp: NO_TIMESTAMP,
            last_offset: None,
            record_count: 0,
        }
    }

    /// Offset of the first record.
    pub fn base_offset(mut self, base_offset: i64) -> Self {
        self.base_offset = base_offset;
        self
    }

    /// Leader epoch of the batch.
    pub fn partition_leader_epoch(mut self, epoch: i32) -> Self {
        self.partition_leader_epoch = epoch;
        self
    }

    /// LogAppendTime of this many milliseconds since the epoch, instead of CreateTime.
    pub fn log_append_time(mut self, now_ms: i64) -> Self {
        self.timestamp_type = TimestampType::LogAppendTime;
        self.log_append_time = now_ms;
        self
    }

    /// An idempotent producer's id, epoch and the first record's sequence number.
    pub fn producer(mut self, id: i64, epoch: i16, base_sequence: i32) -> Self {
        self.set_producer(id, epoch, base_sequence);
        self
    }

    /// [`RecordBatchBuilder::producer`], which a producer may know only when it drains the batch.
    pub fn set_producer(&mut self, id: i64, epoch: i16, base_sequence: i32) {
        self.producer_id = id;
        self.producer_epoch = epoch;
        self.base_sequence = base_sequence;
    }

    /// The batch belongs to a transaction.
    pub fn transactional(mut self, transactional: bool) -> Self {
        self.transactional = transactional;
        self
    }

    /// The batch holds control records.
    pub fn control(mut self, control: bool) -> Self {
        self.control = control;
        self
    }

    /// Adds a record at the next offset. The timestamp is in ms since the epoch.
    pub fn append(
        &mut self,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(Bytes, Option<Bytes>)],
    ) {
        self.append_with_offset(self.next_offset(), timestamp, key, value, headers);
    }

    /// Adds a record at an offset above the last one's.
    pub fn append_with_offset(
        &mut self,
        offset: i64,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(Bytes, Option<Bytes>)],
    ) {
        let base_timestamp = *self.base_timestamp.get_or_insert(timestamp);
        let timestamp_delta = timestamp.wrapping_sub(base_timestamp);
        let offset_delta = offset.wrapping_sub(self.base_offset) as i32;
        let body = record_body_size(offset_delta, timestamp_delta, key, value, headers);
        let into = &mut self.bytes;
        varint::write_i32(into, body as i32);
        into.push(0);
        varint::write_i64(into, timestamp_delta);
        varint::write_i32(into, offset_delta);
        write_nullable(into, key);
        write_nullable(into, value);
        varint::write_i32(into, headers.len() as i32);
        for (name, value) in headers {
            write_nullable(into, Some(name));
            write_nullable(into, value.as_deref());
        }
        self.max_timestamp = self.max_timestamp.max(timestamp);
        self.last_offset = Some(offset);
        self.record_count += 1;
    }

    /// How many records there are.
    pub fn record_count(&self) -> i32 {
        self.record_count
    }

    /// No record is there.
    pub fn is_empty(&self) -> bool {
        self.record_count == 0
    }

    /// The offset that [`RecordBatchBuilder::append`] gives next.
    pub fn next_offset(&self) -> i64 {
        self.last_offset.map_or(self.base_offset, |last| last + 1)
    }

    /// The largest timestamp so far, -1 without records.
    pub fn max_timestamp(&self) -> i64 {
        self.max_timestamp
    }

    /// Bytes of the batch, were it not compressed.
    pub fn uncompressed_size(&self) -> usize {
        self.bytes.len()
    }

    /// Java's guess of the batch's size (`estimatedBytesWritten`): exact without compression, else the
    /// uncompressed size times the ratio (in thousandths, as seen with earlier batches) and 1.05.
    pub fn estimated_size(&self, compression_ratio_permille: u32) -> usize {
        if self.codec == Codec::None {
            return self.bytes.len();
        }
        let records = (self.bytes.len() - RECORD_BATCH_OVERHEAD) as u64;
        RECORD_BATCH_OVERHEAD
            + (records * u64::from(compression_ratio_permille) * 105 / 100_000) as usize
    }

    /// Whether one more record fits a batch of `write_limit` bytes (`hasRoomFor`). The first always does.
    pub fn has_room_for(
        &self,
        write_limit: usize,
        compression_ratio_permille: u32,
        timestamp: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: &[(Bytes, Option<Bytes>)],
    ) -> bool {
        if self.record_count == 0 {
            return true;
        }
        let offset_delta = self.next_offset().wrapping_sub(self.base_offset) as i32;
        let timestamp_delta = timestamp.wrapping_sub(self.base_timestamp.unwrap_or(timestamp));
        let record = record_size(offset_delta, timestamp_delta, key, value, headers);
        write_limit >= self.estimated_size(compression_ratio_permille) + record
    }

    /// The batch; `None` without records, as Java makes no batch then.
    pub fn build(mut self) -> Option<Bytes> {
        let last_offset = self.last_offset?;
        if self.codec != Codec::None {
            let compressed = codec::compress(self.codec, &self.bytes[RECORD_BATCH_OVERHEAD..]);
            self.bytes.truncate(RECORD_BATCH_OVERHEAD);
            self.bytes.extend_from_slice(&compressed);
        }
        let header = RecordBatchHeader {
            base_offset: self.base_offset,
            batch_length: (self.bytes.len() - LOG_OVERHEAD) as i32,
            partition_leader_epoch: self.partition_leader_epoch,
            magic: MAGIC_V2,
            crc: 0,
            attributes: attributes(
                self.codec,
                self.timestamp_type,
                self.transactional,
                self.control,
            ),
            last_offset_delta: last_offset.wrapping_sub(self.base_offset) as i32,
            base_timestamp: self.base_timestamp.unwrap_or(NO_TIMESTAMP),
            max_timestamp: match self.timestamp_type {
                TimestampType::CreateTime => self.max_timestamp,
                TimestampType::LogAppendTime => self.log_append_time,
            },
            producer_id: self.producer_id,
            producer_epoch: self.producer_epoch,
            base_sequence: self.base_sequence,
            record_count: self.record_count,
        };
        Some(header.seal(self.bytes))
    }
}

impl RecordBatchHeader {
    /// Writes this header over the first 61 bytes of a batch, with the CRC computed.
    fn seal(mut self, mut batch: Vec<u8>) -> Bytes {
        if let Some(space) = batch.first_chunk_mut::<RECORD_BATCH_OVERHEAD>() {
            self.write(space);
        }
        self.crc = crate::record::compute_crc(&batch).unwrap_or(0);
        if let Some(space) = batch.first_chunk_mut::<RECORD_BATCH_OVERHEAD>() {
            self.write(space);
        }
        Bytes::from(batch)
    }
}

fn write_nullable(into: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => varint::write_i32(into, -1),
        Some(bytes) => {
            varint::write_i32(into, bytes.len() as i32);
            into.extend_from_slice(bytes);
        }
    }
}

fn nullable_size(bytes: Option<&[u8]>) -> usize {
    bytes.map_or(1, |bytes| {
        varint::size_i32(bytes.len() as i32) + bytes.len()
    })
}

/// Bytes of a record after its length (`DefaultRecord.sizeOfBodyInBytes`).
pub fn record_body_size(
    offset_delta: i32,
    timestamp_delta: i64,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[(Bytes, Option<Bytes>)],
) -> usize {
    1 + varint::size_i64(timestamp_delta)
        + varint::size_i32(offset_delta)
        + content_size(key, value, headers)
}

/// Bytes of a record, length included (`DefaultRecord.sizeInBytes`).
pub fn record_size(
    offset_delta: i32,
    timestamp_delta: i64,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[(Bytes, Option<Bytes>)],
) -> usize {
    let body = record_body_size(offset_delta, timestamp_delta, key, value, headers);
    body + varint::size_i32(body as i32)
}

/// Bytes of a record at most, whatever its deltas (`DefaultRecord.recordSizeUpperBound`).
pub fn record_size_upper_bound(
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[(Bytes, Option<Bytes>)],
) -> usize {
    MAX_RECORD_OVERHEAD + content_size(key, value, headers)
}

/// Bytes of a batch of one record at most (`AbstractRecords.estimateSizeInBytesUpperBound`).
pub fn batch_size_upper_bound(
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[(Bytes, Option<Bytes>)],
) -> usize {
    RECORD_BATCH_OVERHEAD + record_size_upper_bound(key, value, headers)
}

fn content_size(
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[(Bytes, Option<Bytes>)],
) -> usize {
    let headers_size: usize = headers
        .iter()
        .map(|(name, value)| nullable_size(Some(name)) + nullable_size(value.as_deref()))
        .sum();
    nullable_size(key)
        + nullable_size(value)
        + varint::size_i32(headers.len() as i32)
        + headers_size
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Record, batches};

    #[test]
    fn a_batch_reads_back_with_every_codec() {
        let header = (Bytes::from_static(b"trace"), Some(Bytes::from_static(b"1")));
        let null_header = (Bytes::from_static(b"empty"), None);
        for codec in Codec::ALL {
            let mut builder = RecordBatchBuilder::new(codec)
                .base_offset(40)
                .partition_leader_epoch(3)
                .producer(7, 1, 9);
            builder.append(
                1000,
                Some(b"key"),
                Some(b"value"),
                &[header.clone(), null_header.clone()],
            );
            builder.append(998, None, None, &[]);
            builder.append_with_offset(45, 1010, Some(b""), Some(&[b'x'; 5000]), &[]);
            let bytes = builder.build().unwrap();
            let batch = batches(bytes).next().unwrap().unwrap();
            batch.ensure_valid().unwrap();
            assert_eq!(batch.header.codec().unwrap(), codec);
            assert_eq!(
                (batch.header.base_offset, batch.header.last_offset()),
                (40, 45)
            );
            assert_eq!(
                (batch.header.base_timestamp, batch.header.max_timestamp),
                (1000, 1010)
            );
            assert_eq!(batch.header.last_sequence(), 14);
            let records: Vec<Record> = batch.records().unwrap().map(Result::unwrap).collect();
            assert_eq!(records.len(), 3);
            assert_eq!(records[0].headers, [header.clone(), null_header.clone()]);
            assert_eq!((records[1].offset, records[1].timestamp), (41, 998));
            assert_eq!((&records[1].key, &records[1].value), (&None, &None));
            assert_eq!(
                (records[2].offset, records[2].key.as_deref()),
                (45, Some(&b""[..]))
            );
            assert_eq!(records[2].value.as_deref(), Some(&[b'x'; 5000][..]));
        }
    }

    #[test]
    fn bytes_are_those_of_java() {
        // MemoryRecords.withRecords(..) of one record (timestamp 1700000000000, key "1", value "mitch").
        let mut builder = RecordBatchBuilder::new(Codec::None);
        builder.append(1_700_000_000_000, Some(b"1"), Some(b"mitch"), &[]);
        let bytes = builder.build().unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, JAVA_BATCH);
    }

    /// Java's batch.
    const JAVA_BATCH: &str = "00000000000000000000003effffffff0229c1d9ac0000000000000000018bcfe568000000018bcfe56800ffffffffffffffffffffffffffff000000011800000002310a6d6974636800";

    #[test]
    fn an_idempotent_batch_with_headers_is_javas_too() {
        let mut builder = RecordBatchBuilder::new(Codec::None)
            .partition_leader_epoch(5)
            .producer(4000, 3, 17);
        let headers = [
            (Bytes::from_static(b"h"), Some(Bytes::from_static(b"v"))),
            (Bytes::from_static(b"n"), None),
        ];
        builder.append(1_700_000_000_500, Some(b"k"), None, &headers);
        builder.append(1_700_000_000_000, None, Some(b"value"), &[]);
        let bytes = builder.build().unwrap();
        let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, JAVA_IDEMPOTENT_BATCH);
    }

    const JAVA_IDEMPOTENT_BATCH: &str = "00000000000000000000004d0000000502112b1a570000000000010000018bcfe569f40000018bcfe569f40000000000000fa0000300000011000000021c000000026b010402680276026e011800e70702010a76616c756500";

    #[test]
    fn what_java_compressed_is_read() {
        for (codec, hex) in JAVA_COMPRESSED {
            let bytes: Vec<u8> = hex
                .as_bytes()
                .chunks(2)
                .map(|digits| u8::from_str_radix(std::str::from_utf8(digits).unwrap(), 16).unwrap())
                .collect();
            let batch = batches(Bytes::from(bytes)).next().unwrap().unwrap();
            batch.ensure_valid().unwrap();
            assert_eq!(batch.header.codec(), Ok(codec));
            let records: Vec<Record> = batch.records().unwrap().map(Result::unwrap).collect();
            assert_eq!(records.len(), 2);
            assert_eq!(
                records[0].value.as_deref(),
                Some(&b"hello world ".repeat(200)[..])
            );
            assert_eq!(
                (records[1].timestamp, records[1].value.as_deref()),
                (1_700_000_000_001, Some(&b"v"[..]))
            );
        }
    }

    /// Two records, as Java's `MemoryRecords.withRecords` compresses them.
    const JAVA_COMPRESSED: [(Codec, &str); 4] = [
        (
            Codec::Gzip,
            "000000000000000000000076ffffffff02bba62fdf0001000000010000018bcfe568000000018bcfe56801ffffffffffffffffffffffffffff000000021f8b08000000000000ffbba0cac0c0c0947d4035233527275fa13cbf28274561943dca1e658fb247d9a3ec51f6287b944d399b818f81898991a98c0100e83acf6e72090000",
        ),
        (
            Codec::Snappy,
            "0000000000000000000000d9ffffffff0266a238b60002000000010000018bcfe568000000018bcfe56801ffffffffffffffffffffffffffff0000000282534e4150505900000000010000000100000094f21250d025000000026bc02568656c6c6f20776f726c6420fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c00fe0c004e0c0020000e00020201027600",
        ),
        (
            Codec::Lz4,
            "00000000000000000000006dffffffff02bc7519d70003000000010000018bcfe568000000018bcfe56801ffffffffffffffffffffffffffff0000000204224d186040822d000000ff06d025000000026bc02568656c6c6f20776f726c64200c00ffffffffffffffffff4a90000e0002020102760000000000",
        ),
        (
            Codec::Zstd,
            "000000000000000000000063ffffffff02c01bd3590004000000010000018bcfe568000000018bcfe56801ffffffffffffffffffffffffffff0000000228b52ffd0058340100f0d025000000026bc02568656c6c6f20776f726c6420000e000202010276000100a372bf3001010000",
        ),
    ];

    #[test]
    fn sizes_agree_with_what_is_written() {
        let mut builder = RecordBatchBuilder::new(Codec::None);
        builder.append(10, Some(b"k"), Some(b"v"), &[]);
        let before = builder.uncompressed_size();
        let predicted = record_size(
            1,
            -7,
            Some(b"key"),
            None,
            &[(Bytes::from_static(b"h"), None)],
        );
        let headers = [(Bytes::from_static(b"h"), None)];
        assert!(builder.has_room_for(before + predicted, 1000, 3, Some(b"key"), None, &headers));
        assert!(!builder.has_room_for(
            before + predicted - 1,
            1000,
            3,
            Some(b"key"),
            None,
            &headers
        ));
        builder.append(3, Some(b"key"), None, &headers);
        assert_eq!(builder.uncompressed_size(), before + predicted);
        assert!(RecordBatchBuilder::new(Codec::None).build().is_none());
    }
}
