//! The 61-byte header of a record batch, magic 2 (`DefaultRecordBatch`), parsed and patched in place.

use bytes::Bytes;

use crate::codec::Codec;
use crate::record::RecordError;

/// Bytes of a batch before its records: the header.
pub const RECORD_BATCH_OVERHEAD: usize = 61;
/// Bytes of a batch before `batch_length` starts to count: base offset and the length itself.
pub const LOG_OVERHEAD: usize = 12;
/// The only batch format that is stored.
pub const MAGIC_V2: i8 = 2;
/// Neither a producer id nor a timestamp nor a sequence.
pub const NO_PRODUCER_ID: i64 = -1;
/// No producer epoch.
pub const NO_PRODUCER_EPOCH: i16 = -1;
/// No sequence number.
pub const NO_SEQUENCE: i32 = -1;
/// No timestamp.
pub const NO_TIMESTAMP: i64 = -1;
/// No leader epoch.
pub const NO_PARTITION_LEADER_EPOCH: i32 = -1;

const PARTITION_LEADER_EPOCH_OFFSET: usize = 12;
const MAGIC_OFFSET: usize = 16;
const CRC_OFFSET: usize = 17;
const ATTRIBUTES_OFFSET: usize = 21;
const LAST_OFFSET_DELTA_OFFSET: usize = 23;
const BASE_TIMESTAMP_OFFSET: usize = 27;
const MAX_TIMESTAMP_OFFSET: usize = 35;
const PRODUCER_ID_OFFSET: usize = 43;
const PRODUCER_EPOCH_OFFSET: usize = 51;
const BASE_SEQUENCE_OFFSET: usize = 53;
const RECORDS_COUNT_OFFSET: usize = 57;

const CODEC_MASK: i16 = 0x07;
const TIMESTAMP_TYPE_MASK: i16 = 0x08;
const TRANSACTIONAL_MASK: i16 = 0x10;
const CONTROL_MASK: i16 = 0x20;
const DELETE_HORIZON_MASK: i16 = 0x40;
const ATTRIBUTES_MASK: i16 = 0x7f;

/// Who sets a record's timestamp.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer.
    #[default]
    CreateTime,
    /// The broker, when it appends.
    LogAppendTime,
}

impl TimestampType {
    /// The value of `message.timestamp.type`, and what the console consumer prints.
    pub fn as_str(self) -> &'static str {
        match self {
            TimestampType::CreateTime => "CreateTime",
            TimestampType::LogAppendTime => "LogAppendTime",
        }
    }
}

/// The fields of a batch's header.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordBatchHeader {
    /// Offset of the first record (kept when compaction removes that record).
    pub base_offset: i64,
    /// Bytes after this field.
    pub batch_length: i32,
    /// Leader epoch in which the batch was appended.
    pub partition_leader_epoch: i32,
    /// Format version, 2.
    pub magic: i8,
    /// CRC-32C of everything after this field.
    pub crc: u32,
    /// Codec, timestamp type and flags.
    pub attributes: i16,
    /// Last record's offset minus `base_offset`.
    pub last_offset_delta: i32,
    /// Timestamp that the records' deltas add to, ms; with the delete horizon flag, the horizon.
    pub base_timestamp: i64,
    /// Largest timestamp, ms.
    pub max_timestamp: i64,
    /// Idempotent or transactional producer, or -1.
    pub producer_id: i64,
    /// Its epoch, or -1.
    pub producer_epoch: i16,
    /// First record's sequence number, or -1.
    pub base_sequence: i32,
    /// How many records there are, as the header claims.
    pub record_count: i32,
}

impl RecordBatchHeader {
    /// Reads the header at the start of `bytes`; the records need not be there. Only sizes and the magic
    /// are judged here.
    ///
    /// # Errors
    /// [`RecordError::Truncated`] when fewer than 61 bytes are there; [`RecordError::Corrupt`] when the
    /// length is too small or the magic is not 2.
    pub fn parse(bytes: &[u8]) -> Result<RecordBatchHeader, RecordError> {
        let Some(bytes) = bytes.first_chunk::<RECORD_BATCH_OVERHEAD>() else {
            return Err(match bytes.get(MAGIC_OFFSET) {
                Some(&magic) if magic as i8 != MAGIC_V2 => unsupported_magic(magic as i8),
                _ => RecordError::Truncated,
            });
        };
        let header = RecordBatchHeader {
            base_offset: i64_at(bytes, 0),
            batch_length: i32_at(bytes, 8),
            partition_leader_epoch: i32_at(bytes, PARTITION_LEADER_EPOCH_OFFSET),
            magic: bytes[MAGIC_OFFSET] as i8,
            crc: i32_at(bytes, CRC_OFFSET) as u32,
            attributes: i16_at(bytes, ATTRIBUTES_OFFSET),
            last_offset_delta: i32_at(bytes, LAST_OFFSET_DELTA_OFFSET),
            base_timestamp: i64_at(bytes, BASE_TIMESTAMP_OFFSET),
            max_timestamp: i64_at(bytes, MAX_TIMESTAMP_OFFSET),
            producer_id: i64_at(bytes, PRODUCER_ID_OFFSET),
            producer_epoch: i16_at(bytes, PRODUCER_EPOCH_OFFSET),
            base_sequence: i32_at(bytes, BASE_SEQUENCE_OFFSET),
            record_count: i32_at(bytes, RECORDS_COUNT_OFFSET),
        };
        if header.magic != MAGIC_V2 {
            return Err(unsupported_magic(header.magic));
        }
        if (header.batch_length as i64) < (RECORD_BATCH_OVERHEAD - LOG_OVERHEAD) as i64 {
            return Err(RecordError::Corrupt(format!(
                "Record batch is corrupt (the size {} is smaller than the minimum allowed overhead {})",
                i64::from(header.batch_length) + LOG_OVERHEAD as i64,
                RECORD_BATCH_OVERHEAD
            )));
        }
        Ok(header)
    }

    /// Bytes of the whole batch.
    pub fn size(&self) -> usize {
        LOG_OVERHEAD + usize::try_from(self.batch_length).unwrap_or(0)
    }

    /// Offset of the last record.
    pub fn last_offset(&self) -> i64 {
        self.base_offset
            .saturating_add(i64::from(self.last_offset_delta))
    }

    /// Offset after the last record.
    pub fn next_offset(&self) -> i64 {
        self.last_offset().saturating_add(1)
    }

    /// The codec of the records.
    ///
    /// # Errors
    /// [`RecordError::UnknownCodec`].
    pub fn codec(&self) -> Result<Codec, RecordError> {
        let id = (self.attributes & CODEC_MASK) as u8;
        Codec::from_id(id).ok_or(RecordError::UnknownCodec(id))
    }

    /// Who set the timestamps.
    pub fn timestamp_type(&self) -> TimestampType {
        if self.attributes & TIMESTAMP_TYPE_MASK == 0 {
            TimestampType::CreateTime
        } else {
            TimestampType::LogAppendTime
        }
    }

    /// The batch belongs to a transaction.
    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL_MASK != 0
    }

    /// The batch holds control records (transaction markers, leader changes), not data.
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL_MASK != 0
    }

    /// The time after which compaction may drop the batch's tombstones, ms, if it is set (KIP-534).
    pub fn delete_horizon_ms(&self) -> Option<i64> {
        (self.attributes & DELETE_HORIZON_MASK != 0).then_some(self.base_timestamp)
    }

    /// An idempotent or transactional producer wrote it.
    pub fn has_producer_id(&self) -> bool {
        self.producer_id > NO_PRODUCER_ID
    }

    /// Sequence number of the last record, -1 if there is none. Sequences wrap after `i32::MAX` to 0.
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence == NO_SEQUENCE {
            return NO_SEQUENCE;
        }
        add_sequence(self.base_sequence, self.last_offset_delta)
    }

    /// Writes the header into `into`, whose first 61 bytes it takes; the CRC as it stands in the field.
    pub fn write(&self, into: &mut [u8; RECORD_BATCH_OVERHEAD]) {
        put(into, 0, &self.base_offset.to_be_bytes());
        put(into, 8, &self.batch_length.to_be_bytes());
        put(
            into,
            PARTITION_LEADER_EPOCH_OFFSET,
            &self.partition_leader_epoch.to_be_bytes(),
        );
        into[MAGIC_OFFSET] = self.magic as u8;
        put(into, CRC_OFFSET, &self.crc.to_be_bytes());
        put(into, ATTRIBUTES_OFFSET, &self.attributes.to_be_bytes());
        put(
            into,
            LAST_OFFSET_DELTA_OFFSET,
            &self.last_offset_delta.to_be_bytes(),
        );
        put(
            into,
            BASE_TIMESTAMP_OFFSET,
            &self.base_timestamp.to_be_bytes(),
        );
        put(
            into,
            MAX_TIMESTAMP_OFFSET,
            &self.max_timestamp.to_be_bytes(),
        );
        put(into, PRODUCER_ID_OFFSET, &self.producer_id.to_be_bytes());
        put(
            into,
            PRODUCER_EPOCH_OFFSET,
            &self.producer_epoch.to_be_bytes(),
        );
        put(
            into,
            BASE_SEQUENCE_OFFSET,
            &self.base_sequence.to_be_bytes(),
        );
        put(into, RECORDS_COUNT_OFFSET, &self.record_count.to_be_bytes());
    }
}

/// `sequence + increment`, wrapping after `i32::MAX` to 0 (`DefaultRecordBatch.incrementSequence`).
pub fn add_sequence(sequence: i32, increment: i32) -> i32 {
    let sum = i64::from(sequence) + i64::from(increment);
    if sum > i64::from(i32::MAX) {
        (sum - i64::from(i32::MAX) - 1) as i32
    } else {
        sum as i32
    }
}

/// The CRC-32C of a whole batch's bytes, as its header should hold it; `None` when it is too short.
pub fn compute_crc(batch: &[u8]) -> Option<u32> {
    batch.get(ATTRIBUTES_OFFSET..).map(crc32c::crc32c)
}

/// Sets the base offset and the leader epoch of a whole batch; both lie outside the CRC.
pub fn patch_offset_and_epoch(batch: &mut [u8], base_offset: i64, partition_leader_epoch: i32) {
    if batch.len() >= MAGIC_OFFSET {
        put(batch, 0, &base_offset.to_be_bytes());
        put(
            batch,
            PARTITION_LEADER_EPOCH_OFFSET,
            &partition_leader_epoch.to_be_bytes(),
        );
    }
}

/// Sets the timestamp type and the largest timestamp of a whole batch, and its CRC anew
/// (`DefaultRecordBatch.setMaxTimestamp`).
pub fn patch_max_timestamp(batch: &mut [u8], timestamp_type: TimestampType, max_timestamp: i64) {
    if batch.len() < RECORD_BATCH_OVERHEAD {
        return;
    }
    let mut attributes =
        i16::from_be_bytes([batch[ATTRIBUTES_OFFSET], batch[ATTRIBUTES_OFFSET + 1]]);
    // As Java does, bits that mean nothing are dropped on the way.
    attributes &= ATTRIBUTES_MASK & !TIMESTAMP_TYPE_MASK;
    if timestamp_type == TimestampType::LogAppendTime {
        attributes |= TIMESTAMP_TYPE_MASK;
    }
    put(batch, ATTRIBUTES_OFFSET, &attributes.to_be_bytes());
    put(batch, MAX_TIMESTAMP_OFFSET, &max_timestamp.to_be_bytes());
    let crc = crc32c::crc32c(&batch[ATTRIBUTES_OFFSET..]);
    put(batch, CRC_OFFSET, &crc.to_be_bytes());
}

/// The attributes of a new batch.
pub(crate) fn attributes(
    codec: Codec,
    timestamp_type: TimestampType,
    transactional: bool,
    control: bool,
) -> i16 {
    let mut attributes = i16::from(codec.id());
    if timestamp_type == TimestampType::LogAppendTime {
        attributes |= TIMESTAMP_TYPE_MASK;
    }
    if transactional {
        attributes |= TRANSACTIONAL_MASK;
    }
    if control {
        attributes |= CONTROL_MASK;
    }
    attributes
}

/// One whole batch: its header and its bytes, header included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordBatch {
    /// The parsed header.
    pub header: RecordBatchHeader,
    /// All bytes, from the base offset on.
    pub bytes: Bytes,
}

impl RecordBatch {
    /// Whether the CRC holds.
    pub fn is_valid(&self) -> bool {
        compute_crc(&self.bytes) == Some(self.header.crc)
    }

    /// [`RecordBatch::is_valid`] with Kafka's words.
    ///
    /// # Errors
    /// [`RecordError::Corrupt`].
    pub fn ensure_valid(&self) -> Result<(), RecordError> {
        match compute_crc(&self.bytes) {
            Some(computed) if computed == self.header.crc => Ok(()),
            computed => Err(RecordError::Corrupt(format!(
                "Record is corrupt (stored crc = {}, computed crc = {})",
                self.header.crc,
                computed.unwrap_or(0)
            ))),
        }
    }

    /// The records' bytes as they stand, compressed or not.
    pub fn payload(&self) -> Bytes {
        self.bytes
            .slice(RECORD_BATCH_OVERHEAD.min(self.bytes.len())..)
    }
}

/// Splits bytes into whole batches; ends at an incomplete one, and after the first that is malformed.
/// CRCs are not judged.
#[derive(Clone, Debug)]
pub struct Batches {
    rest: Bytes,
    failed: bool,
}

/// The batches of `bytes`.
pub fn batches(bytes: Bytes) -> Batches {
    Batches {
        rest: bytes,
        failed: false,
    }
}

impl Batches {
    /// What no whole batch was made of yet; at the end, the incomplete tail.
    pub fn rest(&self) -> &Bytes {
        &self.rest
    }
}

impl Iterator for Batches {
    type Item = Result<RecordBatch, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed || self.rest.is_empty() {
            return None;
        }
        let header = match RecordBatchHeader::parse(&self.rest) {
            Ok(header) => header,
            Err(RecordError::Truncated) => return None,
            Err(error) => {
                self.failed = true;
                return Some(Err(error));
            }
        };
        if header.size() > self.rest.len() {
            return None;
        }
        let bytes = self.rest.split_to(header.size());
        Some(Ok(RecordBatch { header, bytes }))
    }
}

fn unsupported_magic(magic: i8) -> RecordError {
    RecordError::Corrupt(format!("Invalid magic found in record: {magic}"))
}

fn put(into: &mut [u8], at: usize, bytes: &[u8]) {
    into[at..at + bytes.len()].copy_from_slice(bytes);
}

fn i64_at(bytes: &[u8; RECORD_BATCH_OVERHEAD], at: usize) -> i64 {
    let mut value = [0; 8];
    value.copy_from_slice(&bytes[at..at + 8]);
    i64::from_be_bytes(value)
}

fn i32_at(bytes: &[u8; RECORD_BATCH_OVERHEAD], at: usize) -> i32 {
    let mut value = [0; 4];
    value.copy_from_slice(&bytes[at..at + 4]);
    i32::from_be_bytes(value)
}

fn i16_at(bytes: &[u8; RECORD_BATCH_OVERHEAD], at: usize) -> i16 {
    i16::from_be_bytes([bytes[at], bytes[at + 1]])
}
