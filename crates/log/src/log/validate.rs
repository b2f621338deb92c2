//! Judging what is appended (`UnifiedLog.analyzeAndValidateRecords`, `LogValidator`), and giving it offsets.

use bytes::Bytes;
use playground_protocol::ErrorCode;

use crate::codec::{Codec, CodecError};
use crate::log::config::LogConfig;
use crate::log::segment::PreparedBatch;
use crate::log::types::{AppendError, AppendOrigin, RecordAppendError};
use crate::record::{
    DECOMPRESSED_BATCH_BYTES_MAX, NO_TIMESTAMP, RECORD_BATCH_OVERHEAD, RecordBatch,
    RecordBatchBuilder, RecordError, RecordShapes, TimestampType, batches, patch_max_timestamp,
};

/// Record errors are kept up to this count: their text is the same for all, and their number is the
/// producer's choice.
const RECORD_ERRORS_MAX: usize = 1000;

/// Splits an append into whole batches and judges each as far as its header and CRC tell. An incomplete
/// one at the end is left out.
pub(super) fn analyze(
    records: Bytes,
    origin: Option<AppendOrigin>,
    leader_epoch: i32,
    config: &LogConfig,
    name: &str,
) -> Result<Vec<RecordBatch>, AppendError> {
    let mut good = Vec::with_capacity(1);
    let mut last_offset = -1;
    for batch in batches(records) {
        let batch = batch.map_err(|error| AppendError::from_record(&error, name))?;
        let header = &batch.header;
        if origin == Some(AppendOrigin::RaftLeader) && header.partition_leader_epoch != leader_epoch
        {
            return Err(AppendError::new(
                ErrorCode::INVALID_RECORD,
                format!(
                    "Append from Raft leader did not set the batch epoch correctly, expected {leader_epoch} but the batch has {}",
                    header.partition_leader_epoch
                ),
            ));
        }
        if origin == Some(AppendOrigin::Client) && header.base_offset != 0 {
            return Err(AppendError::new(
                ErrorCode::INVALID_RECORD,
                format!(
                    "The baseOffset of the record batch in the append to {name} should be 0, but it is {}",
                    header.base_offset
                ),
            ));
        }
        if origin.is_some() && header.size() > config.max_message_bytes {
            return Err(AppendError::new(
                ErrorCode::MESSAGE_TOO_LARGE,
                format!(
                    "The record batch size in the append to {name} is {} bytes which exceeds the maximum configured value of {}).",
                    header.size(),
                    config.max_message_bytes
                ),
            ));
        }
        if !batch.is_valid() {
            return Err(AppendError::new(
                ErrorCode::CORRUPT_MESSAGE,
                format!(
                    "Record is corrupt (stored crc = {}) in topic partition {name}.",
                    header.crc
                ),
            ));
        }
        let assigns_offsets = matches!(
            origin,
            Some(AppendOrigin::Client | AppendOrigin::Coordinator)
        );
        if !assigns_offsets && (header.last_offset() <= last_offset || header.last_offset_delta < 0)
        {
            return Err(AppendError::new(
                ErrorCode::UNKNOWN_SERVER_ERROR,
                format!("Out of order offsets found in append to {name}"),
            ));
        }
        last_offset = header.last_offset();
        good.push(batch);
    }
    Ok(good)
}

/// What the validator made of a batch.
pub(super) struct Validated {
    pub(super) batch: PreparedBatch,
    /// The same batch whole, with its final header, for the producer state.
    pub(super) view: RecordBatch,
}

/// Validates the one batch of a leader's append and gives it offsets from `base_offset` on.
pub(super) fn validate(
    mut given: Vec<RecordBatch>,
    base_offset: i64,
    leader_epoch: i32,
    config: &LogConfig,
    origin: AppendOrigin,
    now_ms: i64,
    name: &str,
) -> Result<Validated, AppendError> {
    let invalid = |message: String| AppendError::new(ErrorCode::INVALID_RECORD, message);
    let Some(mut batch) = given.pop() else {
        return Err(invalid("Record batch has no batches at all".to_owned()));
    };
    if !given.is_empty() {
        return Err(invalid(
            "Compressed outer record has more than one batch".to_owned(),
        ));
    }
    let source = batch
        .header
        .codec()
        .map_err(|error| AppendError::from_record(&error, name))?;
    if origin == AppendOrigin::Client {
        validate_header(&batch, name)?;
    }
    let payload = batch
        .decompressed(DECOMPRESSED_BATCH_BYTES_MAX)
        .map_err(|error| AppendError::from_record(&error, name))?;
    let walk = walk_records(&batch, &payload, config, now_ms, name)?;
    let target = config.compression.unwrap_or(source);
    // Control records are not compressed unless they came so.
    let keep = source == target || (source == Codec::None && batch.header.is_control());
    let in_place = keep && (source == Codec::None || walk.offsets_are_consecutive);
    let log_append_time = config.message_timestamp_type == TimestampType::LogAppendTime;
    if !in_place {
        batch = rebuild(
            &batch,
            target,
            base_offset,
            leader_epoch,
            log_append_time.then_some(now_ms),
            name,
        )?;
        if batch.bytes.len() > config.max_message_bytes {
            // The missing space is Kafka's.
            return Err(AppendError::new(
                ErrorCode::MESSAGE_TOO_LARGE,
                format!(
                    "Message batch size is {} bytes in append topartition {name} which exceeds the maximum configured size of {}.",
                    batch.bytes.len(),
                    config.max_message_bytes
                ),
            ));
        }
    } else {
        let max_timestamp = if log_append_time {
            now_ms
        } else {
            walk.max_timestamp
        };
        let header = &batch.header;
        if header.timestamp_type() != config.message_timestamp_type
            || header.max_timestamp != max_timestamp
        {
            let mut bytes = batch.bytes.to_vec();
            patch_max_timestamp(&mut bytes, config.message_timestamp_type, max_timestamp);
            batch = whole_batch(Bytes::from(bytes), name)?;
        }
        batch.header.last_offset_delta = walk.count - 1;
        batch.header.base_offset = base_offset;
        batch.header.partition_leader_epoch = leader_epoch;
    }
    Ok(Validated {
        batch: PreparedBatch::new(&batch),
        view: batch,
    })
}

/// What a client's header must say (`LogValidator.validateBatch`).
fn validate_header(batch: &RecordBatch, name: &str) -> Result<(), AppendError> {
    let header = &batch.header;
    let (base, last, count) = (
        header.base_offset,
        header.last_offset(),
        header.record_count,
    );
    let message = if header.last_offset_delta < 0 {
        format!("Batch has an invalid offset range: [{base}, {last}] in topic partition {name}")
    } else if count <= 0 {
        format!("Invalid reported count for record batch: {count} in topic partition {name}")
    } else if i64::from(header.last_offset_delta) + 1 != i64::from(count) {
        format!(
            "Inconsistent batch offset range [{base}, {last}] and count of records {count} in topic partition {name}"
        )
    } else if header.is_control() {
        format!("Clients are not allowed to write control records in topic partition {name}")
    } else if header.has_producer_id() && header.base_sequence < 0 {
        format!(
            "Invalid sequence number {} in record batch with producerId {} in topic partition {name}",
            header.base_sequence, header.producer_id
        )
    } else {
        return Ok(());
    };
    Err(AppendError::new(ErrorCode::INVALID_RECORD, message))
}

/// What a walk over a batch's records finds.
struct RecordWalk {
    count: i32,
    max_timestamp: i64,
    offsets_are_consecutive: bool,
}

/// Walks the records without copying them: lengths, count, keys where the topic is compacted, timestamps.
fn walk_records(
    batch: &RecordBatch,
    payload: &[u8],
    config: &LogConfig,
    now_ms: i64,
    name: &str,
) -> Result<RecordWalk, AppendError> {
    let header = &batch.header;
    let batch_time = match header.timestamp_type() {
        TimestampType::LogAppendTime => Some(header.max_timestamp),
        TimestampType::CreateTime => None,
    };
    let create_time = config.message_timestamp_type == TimestampType::CreateTime;
    let needs_key = config.cleanup_policy.compact;
    let mut walk = RecordWalk {
        count: 0,
        max_timestamp: NO_TIMESTAMP,
        offsets_are_consecutive: true,
    };
    let mut errors = RecordErrors::default();
    let shapes = RecordShapes::new(header, payload)
        .map_err(|error| AppendError::from_record(&error, name))?;
    for shape in shapes {
        let shape = shape.map_err(|error| AppendError::from_record(&error, name))?;
        let index = walk.count;
        walk.count += 1;
        walk.offsets_are_consecutive &= shape.offset_delta == index;
        let timestamp =
            batch_time.unwrap_or_else(|| header.base_timestamp.wrapping_add(shape.timestamp_delta));
        walk.max_timestamp = walk.max_timestamp.max(timestamp);
        if needs_key && shape.key_length < 0 {
            errors.add(index, || {
                format!(
                    "Compacted topic cannot accept message without key in topic partition {name}"
                )
            });
        } else if create_time && timestamp != NO_TIMESTAMP {
            let age = now_ms.wrapping_sub(timestamp);
            if age > config.message_timestamp_before_max_ms
                || age.wrapping_neg() > config.message_timestamp_after_max_ms
            {
                errors.invalid_timestamp = true;
                errors.add(index, || {
                    format!(
                        "Timestamp {timestamp} of message with offset {} is out of range. The timestamp should be within [{}, {}]",
                        header.base_offset.wrapping_add(i64::from(shape.offset_delta)),
                        now_ms.wrapping_sub(config.message_timestamp_before_max_ms),
                        now_ms.wrapping_add(config.message_timestamp_after_max_ms)
                    )
                });
            }
        } else if batch_time.is_some() {
            errors.invalid_timestamp = true;
            errors.add(index, || {
                format!(
                    "Invalid timestamp type in message DefaultRecord(offset={}, timestamp={timestamp}, key={} bytes, value={} bytes). Producer should not set timestamp type to LogAppendTime.",
                    header.base_offset.wrapping_add(i64::from(shape.offset_delta)),
                    shape.key_length.max(0),
                    shape.value_length.max(0)
                )
            });
        }
    }
    errors.finish()?;
    Ok(walk)
}

#[derive(Default)]
struct RecordErrors {
    kept: Vec<RecordAppendError>,
    count: usize,
    invalid_timestamp: bool,
}

impl RecordErrors {
    fn add(&mut self, batch_index: i32, message: impl FnOnce() -> String) {
        self.count += 1;
        if self.kept.len() < RECORD_ERRORS_MAX {
            self.kept.push(RecordAppendError {
                batch_index,
                message: message(),
            });
        }
    }

    /// `LogValidator.processRecordErrors`.
    fn finish(self) -> Result<(), AppendError> {
        if self.count == 0 {
            return Ok(());
        }
        let (code, message) = if self.invalid_timestamp {
            let message =
                "One or more records have been rejected due to invalid timestamp".to_owned();
            (ErrorCode::INVALID_TIMESTAMP, message)
        } else {
            let shown: Vec<String> = self
                .kept
                .iter()
                .take(3)
                .map(|error| {
                    format!(
                        "RecordError(batchIndex={}, message='{}')",
                        error.batch_index, error.message
                    )
                })
                .collect();
            let message = format!(
                "One or more records have been rejected due to {} record errors in total, and only showing the first three errors at most: [{}]",
                self.count,
                shown.join(", ")
            );
            (ErrorCode::INVALID_RECORD, message)
        };
        Err(AppendError {
            code,
            message,
            record_errors: self.kept,
        })
    }
}

/// Writes the records into a new batch, with the topic's codec (`buildRecordsAndAssignOffsets`).
fn rebuild(
    batch: &RecordBatch,
    target: Codec,
    base_offset: i64,
    leader_epoch: i32,
    log_append_time: Option<i64>,
    name: &str,
) -> Result<RecordBatch, AppendError> {
    let header = &batch.header;
    let mut builder = RecordBatchBuilder::new(target)
        .base_offset(base_offset)
        .partition_leader_epoch(leader_epoch)
        .producer(
            header.producer_id,
            header.producer_epoch,
            header.base_sequence,
        )
        .transactional(header.is_transactional());
    if let Some(now_ms) = log_append_time {
        builder = builder.log_append_time(now_ms);
    }
    let records = batch
        .records()
        .map_err(|error| AppendError::from_record(&error, name))?;
    for record in records {
        let record = record.map_err(|error| AppendError::from_record(&error, name))?;
        builder.append(
            record.timestamp,
            record.key.as_deref(),
            record.value.as_deref(),
            &record.headers,
        );
    }
    whole_batch(builder.build().unwrap_or_default(), name)
}

fn whole_batch(bytes: Bytes, name: &str) -> Result<RecordBatch, AppendError> {
    match batches(bytes).next() {
        Some(Ok(batch)) => Ok(batch),
        Some(Err(error)) => Err(AppendError::from_record(&error, name)),
        None => Err(AppendError::from_record(&RecordError::Truncated, name)),
    }
}

impl AppendError {
    pub(super) fn new(code: ErrorCode, message: String) -> AppendError {
        AppendError {
            code,
            message,
            record_errors: Vec::new(),
        }
    }

    /// The code that the Java broker gives for the exception behind a record error.
    pub(super) fn from_record(error: &RecordError, name: &str) -> AppendError {
        let message = error.to_string();
        match error {
            RecordError::Truncated | RecordError::Corrupt(_) => AppendError::new(
                ErrorCode::CORRUPT_MESSAGE,
                format!("{message} in topic partition {name}"),
            ),
            RecordError::Invalid(_) => AppendError::new(ErrorCode::INVALID_RECORD, message),
            // Java has no limit; a producer that gets this splits the batch, if that can help.
            RecordError::Codec(CodecError::TooLarge { .. }) => {
                AppendError::new(ErrorCode::MESSAGE_TOO_LARGE, message)
            }
            // Exceptions of the JVM, for which there is no code of the protocol.
            RecordError::UnknownCodec(_) => {
                AppendError::new(ErrorCode::UNKNOWN_SERVER_ERROR, message)
            }
            RecordError::Codec(CodecError::Malformed { .. }) => {
                let message = "Failed to decompress record stream".to_owned();
                AppendError::new(ErrorCode::UNKNOWN_SERVER_ERROR, message)
            }
        }
    }
}

/// Bytes of the batches, headers included.
pub(super) fn total_size(batches: &[PreparedBatch]) -> u64 {
    batches
        .iter()
        .map(|batch| (RECORD_BATCH_OVERHEAD + batch.payload.len()) as u64)
        .sum()
}
