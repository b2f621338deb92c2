//! Reading a batch's records (`DefaultRecordBatch`, `DefaultRecord.readFrom`).

use std::ops::Range;

use bytes::Bytes;

use crate::codec::{self, Codec};
use crate::record::{
    DECOMPRESSED_BATCH_BYTES_MAX, Record, RecordBatch, RecordBatchHeader, RecordError,
    TimestampType, varint,
};

impl RecordBatch {
    /// The records, decompressed into at most [`DECOMPRESSED_BATCH_BYTES_MAX`] bytes.
    ///
    /// # Errors
    /// When they do not decompress, or the header claims an impossible count. That a record is malformed,
    /// or that the count lies, comes as the iterator's last item.
    pub fn records(&self) -> Result<RecordIterator, RecordError> {
        self.records_within(DECOMPRESSED_BATCH_BYTES_MAX)
    }

    /// [`RecordBatch::records`] with another limit, in bytes.
    ///
    /// # Errors
    /// As there.
    pub fn records_within(&self, limit: usize) -> Result<RecordIterator, RecordError> {
        let payload = self.decompressed(limit)?;
        Ok(RecordIterator {
            header: self.header.clone(),
            walk: Walk::new(&self.header)?,
            payload,
        })
    }

    /// The records' bytes, decompressed.
    ///
    /// # Errors
    /// When they do not decompress into `limit` bytes.
    pub fn decompressed(&self, limit: usize) -> Result<Bytes, RecordError> {
        match self.header.codec()? {
            Codec::None => Ok(self.payload()),
            codec => Ok(Bytes::from(codec::decompress(
                codec,
                &self.payload(),
                limit,
            )?)),
        }
    }
}

/// The parts of a record that need no copy of its key and value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordShape {
    /// Timestamp minus the batch's base timestamp, ms.
    pub timestamp_delta: i64,
    /// Offset minus the batch's base offset.
    pub offset_delta: i32,
    /// Bytes of the key; negative is null.
    pub key_length: i32,
    /// Bytes of the value; negative is null.
    pub value_length: i32,
    /// How many headers follow the value.
    header_count: i32,
    key_at: usize,
    value_at: usize,
    headers_at: usize,
}

/// What both iterators do: count, and judge the end.
#[derive(Clone, Debug)]
struct Walk {
    position: usize,
    remaining: i32,
    finished: bool,
}

impl Walk {
    fn new(header: &RecordBatchHeader) -> Result<Walk, RecordError> {
        if header.record_count < 0 {
            return Err(RecordError::Invalid(format!(
                "Found invalid record count {} in magic v{} batch",
                header.record_count, header.magic
            )));
        }
        Ok(Walk {
            position: 0,
            remaining: header.record_count,
            finished: false,
        })
    }

    #[inline]
    fn next(&mut self, payload: &[u8]) -> Option<Result<RecordShape, RecordError>> {
        if self.finished {
            return None;
        }
        if self.remaining == 0 {
            self.finished = true;
            return (self.position < payload.len()).then(|| {
                Err(RecordError::Invalid(
                    "Incorrect declared batch size, records still remaining in file".to_owned(),
                ))
            });
        }
        self.remaining -= 1;
        let start = self.position;
        match read_shape(payload, &mut self.position) {
            Some(shape) => Some(Ok(shape)),
            None => {
                self.finished = true;
                Some(Err(explain(payload, start)))
            }
        }
    }
}

/// Walks decompressed records without copying keys or values; validates every length and the count.
#[derive(Clone, Debug)]
pub struct RecordShapes<'a> {
    walk: Walk,
    payload: &'a [u8],
}

impl<'a> RecordShapes<'a> {
    /// Over the decompressed records of the batch with this header.
    ///
    /// # Errors
    /// When the header claims an impossible count.
    pub fn new(
        header: &RecordBatchHeader,
        payload: &'a [u8],
    ) -> Result<RecordShapes<'a>, RecordError> {
        Ok(RecordShapes {
            walk: Walk::new(header)?,
            payload,
        })
    }
}

impl Iterator for RecordShapes<'_> {
    type Item = Result<RecordShape, RecordError>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        self.walk.next(self.payload)
    }
}

/// The records of one batch, in order. After an error it ends.
#[derive(Clone, Debug)]
pub struct RecordIterator {
    header: RecordBatchHeader,
    walk: Walk,
    payload: Bytes,
}

impl Iterator for RecordIterator {
    type Item = Result<Record, RecordError>;

    fn next(&mut self) -> Option<Self::Item> {
        let shape = match self.walk.next(&self.payload)? {
            Ok(shape) => shape,
            Err(error) => return Some(Err(error)),
        };
        let timestamp = match self.header.timestamp_type() {
            TimestampType::LogAppendTime => self.header.max_timestamp,
            TimestampType::CreateTime => self
                .header
                .base_timestamp
                .wrapping_add(shape.timestamp_delta),
        };
        let mut headers = Vec::with_capacity(usize::try_from(shape.header_count).unwrap_or(0));
        let mut position = shape.headers_at;
        for _ in 0..shape.header_count {
            // Read once before, so neither fails.
            let name = read_range(&self.payload, &mut position).flatten();
            let value = read_range(&self.payload, &mut position).flatten();
            headers.push((
                name.map_or_else(Bytes::new, |range| self.payload.slice(range)),
                value.map(|range| self.payload.slice(range)),
            ));
        }
        let slice = |at: usize, length: i32| {
            let length = usize::try_from(length).ok()?;
            Some(self.payload.slice(at..at + length))
        };
        Some(Ok(Record {
            offset: self
                .header
                .base_offset
                .wrapping_add(i64::from(shape.offset_delta)),
            timestamp,
            key: slice(shape.key_at, shape.key_length),
            value: slice(shape.value_at, shape.value_length),
            headers,
        }))
    }
}

/// Reads one record. This runs for each record that is appended: why one is malformed is [`explain`]'s work.
#[inline]
fn read_shape(payload: &[u8], position: &mut usize) -> Option<RecordShape> {
    let mut at = *position;
    let size = usize::try_from(varint::read_i32(payload, &mut at)?).ok()?;
    let end = at.checked_add(size)?;
    let record = payload.get(..end)?;
    // The record's attributes are unused.
    at += 1;
    let timestamp_delta = varint::read_i64(record, &mut at)?;
    let offset_delta = varint::read_i32(record, &mut at)?;
    let key_length = varint::read_i32(record, &mut at)?;
    let key_at = at;
    at += key_length.max(0) as usize;
    let value_length = varint::read_i32(record, &mut at)?;
    let value_at = at;
    at += value_length.max(0) as usize;
    let header_count = varint::read_i32(record, &mut at)?;
    let headers_at = at;
    if header_count != 0 {
        skip_headers(record, &mut at, header_count)?;
    }
    if at != end {
        return None;
    }
    *position = end;
    Some(RecordShape {
        timestamp_delta,
        offset_delta,
        key_length,
        value_length,
        header_count,
        key_at,
        value_at,
        headers_at,
    })
}

fn skip_headers(record: &[u8], position: &mut usize, header_count: i32) -> Option<()> {
    if usize::try_from(header_count).ok()? > record.len() - *position {
        return None;
    }
    for _ in 0..header_count {
        read_range(record, position)??;
        read_range(record, position)?;
    }
    Some(())
}

/// A length and that many bytes; -1 (any negative, as in Kafka) is null. `None` if they are not there.
fn read_range(record: &[u8], position: &mut usize) -> Option<Option<Range<usize>>> {
    let length = varint::read_i32(record, position)?;
    let Ok(length) = usize::try_from(length) else {
        return Some(None);
    };
    let from = *position;
    if length > record.len() - from {
        return None;
    }
    *position = from + length;
    Some(Some(from..from + length))
}

/// What is wrong with the record at `position`, in the words of `DefaultRecord.readFrom`.
#[cold]
fn explain(payload: &[u8], position: usize) -> RecordError {
    let mut at = position;
    let Some(size) = varint::read_i32(payload, &mut at) else {
        return RecordError::Invalid(
            "Incorrect declared batch size, premature EOF reached".to_owned(),
        );
    };
    let (start, remaining) = (at, payload.len() - at);
    if usize::try_from(size).is_ok_and(|size| size > remaining) {
        return RecordError::Invalid(format!(
            "Invalid record size: expected {size} bytes in record payload, but instead the buffer has only {remaining} remaining bytes."
        ));
    }
    // Java reads on into the next record, and judges the size at the end.
    RecordError::Invalid(match explain_structure(payload, &mut at) {
        Ok(()) => format!(
            "Invalid record size: expected to read {size} bytes in record payload, but instead read {}",
            at - start
        ),
        Err(reason) => reason,
    })
}

fn explain_structure(payload: &[u8], at: &mut usize) -> Result<(), String> {
    let structure = || "Found invalid record structure".to_owned();
    *at += 1;
    varint::read_i64(payload, at).ok_or_else(structure)?;
    varint::read_i32(payload, at).ok_or_else(structure)?;
    read_range(payload, at).ok_or_else(structure)?;
    read_range(payload, at).ok_or_else(structure)?;
    let header_count = varint::read_i32(payload, at).ok_or_else(structure)?;
    let remaining = payload.len() - *at;
    if header_count < 0 {
        return Err(format!(
            "Found invalid number of record headers {header_count}"
        ));
    }
    if header_count as usize > remaining {
        return Err(format!(
            "Found invalid number of record headers. {header_count} is larger than the remaining size of the buffer {remaining}"
        ));
    }
    for _ in 0..header_count {
        let mut length_at = *at;
        let length = varint::read_i32(payload, &mut length_at).ok_or_else(structure)?;
        if read_range(payload, at).ok_or_else(structure)?.is_none() {
            return Err(format!("Invalid negative header key size {length}"));
        }
        read_range(payload, at).ok_or_else(structure)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{RecordBatchBuilder, batches};

    fn batch(bytes: Bytes) -> RecordBatch {
        batches(bytes).next().unwrap().unwrap()
    }

    fn with_count(count: i32) -> RecordBatch {
        let mut builder = RecordBatchBuilder::new(Codec::None);
        builder.append(1, Some(b"k"), Some(b"v"), &[]);
        builder.append(2, Some(b"k"), Some(b"v"), &[]);
        let mut bytes = builder.build().unwrap().to_vec();
        bytes[57..61].copy_from_slice(&count.to_be_bytes());
        batch(Bytes::from(bytes))
    }

    #[test]
    fn a_count_that_lies_is_an_error_not_a_panic() {
        assert!(
            with_count(2)
                .records()
                .unwrap()
                .all(|record| record.is_ok())
        );
        for lie in [1, 3, i32::MAX] {
            let records: Vec<_> = with_count(lie).records().unwrap().collect();
            assert!(records.last().unwrap().is_err(), "{lie}");
            assert!(records.len() <= 3);
        }
        assert!(with_count(-1).records().is_err());
    }

    #[test]
    fn no_byte_of_a_record_can_make_the_reader_panic() {
        let mut builder = RecordBatchBuilder::new(Codec::None);
        builder.append(
            5,
            Some(b"key"),
            Some(b"value"),
            &[(Bytes::from_static(b"h"), None)],
        );
        let bytes = builder.build().unwrap();
        let mut failures = 0;
        for at in 61..bytes.len() {
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut broken = bytes.to_vec();
                broken[at] = value;
                if batch(Bytes::from(broken))
                    .records()
                    .unwrap()
                    .any(|record| record.is_err())
                {
                    failures += 1;
                }
            }
        }
        assert!(failures > 20);
    }
}
