//! Virtual disks ([`disk`]), record batches ([`record`]), compression ([`codec`]) and partition logs
//! ([`log`]), with Kafka's bytes, file names and error texts.

pub mod checkpoint;
pub mod codec;
pub mod disk;
mod disk_file;
pub mod log;
pub mod record;

pub use codec::{Codec, CodecError};
pub use disk::{Disk, DiskChange, DiskFailure};
pub use log::{
    AppendError, AppendInfo, AppendOrigin, CleanupPolicy, FetchInfo, Log, LogConfig,
    OffsetOutOfRange, OpenOptions, RecordAppendError, TimestampOffset,
};
pub use record::{
    Batches, Record, RecordBatch, RecordBatchBuilder, RecordBatchHeader, RecordError,
    TimestampType, batches,
};
