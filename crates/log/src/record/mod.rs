//! Record batches, magic 2: the header in place ([`RecordBatchHeader`]), reading ([`batches`],
//! [`RecordBatch::records`]) and building ([`RecordBatchBuilder`]).

mod builder;
mod header;
mod iterator;
pub mod varint;

use bytes::Bytes;

pub use builder::{
    RecordBatchBuilder, batch_size_upper_bound, record_body_size, record_size,
    record_size_upper_bound,
};
pub use header::*;
pub use iterator::{RecordIterator, RecordShape, RecordShapes};

use crate::codec::CodecError;

/// A record's headers: (name, value), names may repeat.
pub type RecordHeaders = Vec<(Bytes, Option<Bytes>)>;

/// The decompressed records of one batch may take this many bytes, so that a decompression bomb costs
/// bounded memory. Kafka has no such limit, but its broker streams.
pub const DECOMPRESSED_BATCH_BYTES_MAX: usize = 64 * 1024 * 1024;

/// One record, read out of its batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// Offset in the partition.
    pub offset: i64,
    /// Milliseconds since the epoch; the batch's for LogAppendTime.
    pub timestamp: i64,
    /// The key; `None` is null.
    pub key: Option<Bytes>,
    /// The value; `None` is null, a tombstone.
    pub value: Option<Bytes>,
    /// (name, value) in the order written.
    pub headers: RecordHeaders,
}

/// Why bytes are no valid batch, or its records no valid records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes end before the batch does.
    #[error("the batch is incomplete")]
    Truncated,
    /// `CorruptRecordException`, with its text.
    #[error("{0}")]
    Corrupt(String),
    /// `InvalidRecordException`, with its text.
    #[error("{0}")]
    Invalid(String),
    /// The attributes name a codec that does not exist.
    #[error("Unknown compression type id: {0}")]
    UnknownCodec(u8),
    /// The records do not decompress, or to more than is allowed.
    #[error(transparent)]
    Codec(#[from] CodecError),
}
