use bytes::Bytes;
use playground_protocol::{ErrorCode, Time};

use super::*;
use crate::checkpoint::{PartitionOffsets, RECOVERY_POINT_FILE, write_offsets};
use crate::codec::{self, Codec};
use crate::record::{Record, RecordBatchBuilder, TimestampType, batches};

const DIR: &str = "/data/users-0";
const NOW: Time = Time::from_millis(1_700_000_000_000);

fn open(config: LogConfig) -> (Log, Disk) {
    let mut disk = Disk::new();
    let (log, _) = Log::open(DIR, config, &mut disk, NOW, false);
    (log, disk)
}

fn batch_of(codec: Codec, values: &[&str]) -> Bytes {
    let mut builder = RecordBatchBuilder::new(codec);
    for (index, value) in values.iter().enumerate() {
        builder.append(
            NOW.millis() + index as i64,
            Some(b"key"),
            Some(value.as_bytes()),
            &[],
        );
    }
    builder.build().unwrap()
}

fn idempotent(producer_id: i64, epoch: i16, sequence: i32, count: usize) -> Bytes {
    let mut builder = RecordBatchBuilder::new(Codec::None).producer(producer_id, epoch, sequence);
    for _ in 0..count {
        builder.append(NOW.millis(), None, Some(b"v"), &[]);
    }
    builder.build().unwrap()
}

fn append(log: &mut Log, disk: &mut Disk, records: Bytes) -> Result<AppendInfo, AppendError> {
    log.append_as_leader(disk, records, 0, NOW, AppendOrigin::Client)
}

fn read_records(log: &Log, disk: &Disk, mut offset: i64) -> Vec<Record> {
    let mut records = Vec::new();
    loop {
        let info = log.read(disk, offset, 1 << 20, i64::MAX, true).unwrap();
        if info.records.is_empty() {
            return records;
        }
        for batch in batches(info.records) {
            records.extend(batch.unwrap().records().unwrap().map(Result::unwrap));
        }
        offset = info.next_offset;
    }
}

/// Sets bytes and, with `seal`, the CRC that goes with them.
fn patched(batch: &Bytes, at: usize, with: &[u8], seal: bool) -> Bytes {
    let mut bytes = batch.to_vec();
    bytes[at..at + with.len()].copy_from_slice(with);
    if seal {
        let crc = crate::record::compute_crc(&bytes).unwrap();
        bytes[17..21].copy_from_slice(&crc.to_be_bytes());
    }
    Bytes::from(bytes)
}

#[test]
fn appended_batches_are_stored_verbatim_but_for_offset_and_epoch() {
    for codec in Codec::ALL {
        let (mut log, mut disk) = open(LogConfig::default());
        let batch = batch_of(codec, &["one", "two", "three"]);
        for round in 0..3 {
            let info = log
                .append_as_leader(&mut disk, batch.clone(), 7, NOW, AppendOrigin::Client)
                .unwrap();
            assert_eq!(
                (info.first_offset, info.last_offset),
                (3 * round, 3 * round + 2)
            );
            assert_eq!((info.log_append_time, info.bytes), (-1, batch.len()));
        }
        let stored = disk
            .read_all("/data/users-0/00000000000000000000.log")
            .unwrap();
        let second = &stored[batch.len()..2 * batch.len()];
        assert_eq!(second[..8], 3_i64.to_be_bytes());
        assert_eq!(second[12..16], 7_i32.to_be_bytes());
        assert_eq!(second[16..], batch[16..]);
        let records = read_records(&log, &disk, 0);
        assert_eq!(
            records
                .iter()
                .map(|record| record.offset)
                .collect::<Vec<_>>(),
            (0..9).collect::<Vec<_>>()
        );
        assert_eq!(records[5].value.as_deref(), Some(&b"three"[..]));
        assert_eq!(
            log.latest_epoch(),
            Some(EpochEntry {
                epoch: 7,
                start_offset: 0
            })
        );
    }
}

#[test]
fn reads_give_whole_batches_within_their_limits() {
    let (mut log, mut disk) = open(LogConfig::default());
    let batch = batch_of(Codec::None, &["a", "b"]);
    for _ in 0..5 {
        append(&mut log, &mut disk, batch.clone()).unwrap();
    }
    let read = |offset, max_bytes, up_to, min_one| {
        log.read(&disk, offset, max_bytes, up_to, min_one).unwrap()
    };
    let middle = read(3, 1, 10, true);
    assert_eq!(
        (middle.records.len(), middle.next_offset, middle.more),
        (batch.len(), 4, true)
    );
    assert_eq!(middle.records[..8], 2_i64.to_be_bytes());
    assert_eq!(read(3, 1, 10, false).records.len(), 0);
    assert_eq!(
        read(0, 2 * batch.len() + 5, 10, true).records.len(),
        2 * batch.len()
    );
    let below = read(0, 1 << 20, 6, true);
    assert_eq!(
        (below.records.len(), below.next_offset, below.more),
        (3 * batch.len(), 6, false)
    );
    assert!(read(6, 100, 6, true).records.is_empty() && read(10, 100, 10, true).records.is_empty());
    let error = log.read(&disk, 11, 100, 10, true).unwrap_err();
    assert_eq!(
        error.message,
        "Received request for offset 11 for partition users-0, but we only have log segments upto 10."
    );
}

#[test]
fn bad_batches_get_kafkas_codes_and_harm_nothing() {
    let config = LogConfig {
        max_message_bytes: 500,
        ..LogConfig::default()
    };
    let (mut log, mut disk) = open(config);
    let good = batch_of(Codec::None, &["one", "two"]);
    append(&mut log, &mut disk, good.clone()).unwrap();
    let big = batch_of(Codec::None, &["x".repeat(600).as_str()]);
    let two = Bytes::from([&good[..], &good[..]].concat());
    let cases: Vec<(&str, Bytes, ErrorCode, &str)> = vec![
        (
            "a flipped byte",
            patched(&good, 70, &[1], false),
            ErrorCode::CORRUPT_MESSAGE,
            "Record is corrupt",
        ),
        (
            "too large",
            big,
            ErrorCode::MESSAGE_TOO_LARGE,
            "exceeds the maximum configured value of 500).",
        ),
        (
            "a base offset",
            patched(&good, 0, &5_i64.to_be_bytes(), false),
            ErrorCode::INVALID_RECORD,
            "should be 0",
        ),
        (
            "no batch",
            good.slice(..40),
            ErrorCode::INVALID_RECORD,
            "no batches at all",
        ),
        (
            "two batches",
            two,
            ErrorCode::INVALID_RECORD,
            "more than one batch",
        ),
        (
            "a magic of 3",
            patched(&good, 16, &[3], false),
            ErrorCode::CORRUPT_MESSAGE,
            "Invalid magic",
        ),
        (
            "a tiny length",
            patched(&good, 8, &3_i32.to_be_bytes(), false),
            ErrorCode::CORRUPT_MESSAGE,
            "too small",
        ),
        (
            "a count of 3",
            patched(&good, 57, &3_i32.to_be_bytes(), true),
            ErrorCode::INVALID_RECORD,
            "Inconsistent batch offset range [0, 1] and count of records 3",
        ),
        (
            "a count of 0",
            patched(&good, 57, &0_i32.to_be_bytes(), true),
            ErrorCode::INVALID_RECORD,
            "Invalid reported count",
        ),
        (
            "a count that lies twice",
            patched(
                &patched(&good, 57, &3_i32.to_be_bytes(), true),
                23,
                &2_i32.to_be_bytes(),
                true,
            ),
            ErrorCode::INVALID_RECORD,
            "premature EOF",
        ),
        (
            "records left over",
            patched(
                &patched(&good, 57, &1_i32.to_be_bytes(), true),
                23,
                &0_i32.to_be_bytes(),
                true,
            ),
            ErrorCode::INVALID_RECORD,
            "records still remaining",
        ),
        (
            "a negative range",
            patched(&good, 23, &(-4_i32).to_be_bytes(), true),
            ErrorCode::INVALID_RECORD,
            "invalid offset range",
        ),
        (
            "control",
            patched(&good, 21, &0x20_i16.to_be_bytes(), true),
            ErrorCode::INVALID_RECORD,
            "not allowed to write control records",
        ),
        (
            "codec 6",
            patched(&good, 21, &6_i16.to_be_bytes(), true),
            ErrorCode::UNKNOWN_SERVER_ERROR,
            "Unknown compression type id: 6",
        ),
        (
            "not gzip",
            patched(&good, 21, &1_i16.to_be_bytes(), true),
            ErrorCode::UNKNOWN_SERVER_ERROR,
            "Failed to decompress record stream",
        ),
    ];
    for (what, records, code, text) in cases {
        let error = append(&mut log, &mut disk, records).unwrap_err();
        assert_eq!(error.code, code, "{what}: {error}");
        let text = text.replace("too small", "smaller than the minimum");
        assert!(error.message.contains(&text), "{what}: {error}");
    }
    assert_eq!((log.log_end_offset(), log.size()), (2, good.len() as u64));
    append(&mut log, &mut disk, good).unwrap();
    assert_eq!(read_records(&log, &disk, 0).len(), 4);
}

#[test]
fn a_decompression_bomb_is_refused() {
    let (mut log, mut disk) = open(LogConfig::default());
    let zeros = vec![0; crate::record::DECOMPRESSED_BATCH_BYTES_MAX + 1];
    let mut bytes = batch_of(Codec::Gzip, &["x"])[..61].to_vec();
    bytes.extend_from_slice(&codec::compress(Codec::Gzip, &zeros));
    let length = (bytes.len() - 12) as i32;
    let bomb = patched(&Bytes::from(bytes), 8, &length.to_be_bytes(), true);
    assert!(bomb.len() < 100_000);
    let error = append(&mut log, &mut disk, bomb).unwrap_err();
    assert_eq!(error.code, ErrorCode::MESSAGE_TOO_LARGE);
    assert_eq!(log.size(), 0);
}

#[test]
fn sequences_are_checked_and_duplicates_found() {
    let (mut log, mut disk) = open(LogConfig::default());
    for round in 0..7 {
        let info = append(&mut log, &mut disk, idempotent(9, 0, 2 * round, 2)).unwrap();
        assert!(!info.duplicate);
    }
    let again = append(&mut log, &mut disk, idempotent(9, 0, 8, 2)).unwrap();
    assert_eq!(
        (
            again.duplicate,
            again.first_offset,
            again.last_offset,
            again.bytes
        ),
        (true, 8, 9, 0)
    );
    assert_eq!(log.log_end_offset(), 14);
    let error = append(&mut log, &mut disk, idempotent(9, 0, 2, 2)).unwrap_err();
    assert_eq!(
        error.code,
        ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
        "older than the last five"
    );
    assert_eq!(
        error.message,
        "Out of order sequence number for producer 9 at offset 14 in partition users-0: 2 (incoming seq. number), 13 (current end sequence number)"
    );
    let gap = append(&mut log, &mut disk, idempotent(9, 0, 15, 1)).unwrap_err();
    assert_eq!(gap.code, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    let unknown = append(&mut log, &mut disk, idempotent(10, 0, 40, 1));
    assert!(
        unknown.is_ok(),
        "a producer that the log does not know may start anywhere"
    );
    let bumped = append(&mut log, &mut disk, idempotent(9, 1, 1, 1)).unwrap_err();
    assert_eq!(bumped.code, ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER);
    append(&mut log, &mut disk, idempotent(9, 1, 0, 1)).unwrap();
    let fenced = append(&mut log, &mut disk, idempotent(9, 0, 14, 1)).unwrap_err();
    assert_eq!(fenced.code, ErrorCode::INVALID_PRODUCER_EPOCH);
    assert_eq!(log.producers().len(), 2);
}

#[test]
fn sequences_wrap_around() {
    let (mut log, mut disk) = open(LogConfig::default());
    append(&mut log, &mut disk, idempotent(9, 0, i32::MAX - 1, 3)).unwrap();
    assert_eq!(log.producers()[0].last_sequence, 0);
    append(&mut log, &mut disk, idempotent(9, 0, 1, 1)).unwrap();
    let again = append(&mut log, &mut disk, idempotent(9, 0, i32::MAX - 1, 3)).unwrap();
    assert!(again.duplicate);
}

#[test]
fn producer_state_survives_restarts_of_both_kinds() {
    for clean in [true, false] {
        let (mut log, mut disk) = open(LogConfig::default());
        append(&mut log, &mut disk, idempotent(9, 0, 0, 2)).unwrap();
        append(&mut log, &mut disk, idempotent(9, 0, 2, 2)).unwrap();
        if clean {
            log.close(&mut disk, NOW);
            assert!(disk.exists("/data/users-0/00000000000000000004.snapshot"));
        }
        let (mut log, _) = Log::open(DIR, LogConfig::default(), &mut disk, NOW, clean);
        assert_eq!(log.log_end_offset(), 4);
        let again = append(&mut log, &mut disk, idempotent(9, 0, 2, 2)).unwrap();
        assert_eq!(
            (again.duplicate, again.first_offset),
            (true, 2),
            "clean: {clean}"
        );
        let next = append(&mut log, &mut disk, idempotent(9, 0, 4, 1)).unwrap();
        assert_eq!((next.duplicate, next.first_offset), (false, 4));
    }
}

#[test]
fn timestamps_are_judged_or_set() {
    let config = LogConfig {
        message_timestamp_before_max_ms: 1000,
        ..LogConfig::default()
    };
    let (mut log, mut disk) = open(config);
    let mut builder = RecordBatchBuilder::new(Codec::Lz4);
    builder.append(NOW.millis(), None, Some(b"good"), &[]);
    builder.append(NOW.millis() - 1001, None, Some(b"old"), &[]);
    builder.append(NOW.millis() + 3_600_001, None, Some(b"early"), &[]);
    let error = append(&mut log, &mut disk, builder.build().unwrap()).unwrap_err();
    assert_eq!(error.code, ErrorCode::INVALID_TIMESTAMP);
    assert_eq!(
        error.message,
        "One or more records have been rejected due to invalid timestamp"
    );
    assert_eq!(
        error
            .record_errors
            .iter()
            .map(|error| error.batch_index)
            .collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(
        error.record_errors[0].message,
        "Timestamp 1699999998999 of message with offset 1 is out of range. The timestamp should be within [1699999999000, 1700003600000]"
    );

    let config = LogConfig {
        message_timestamp_type: TimestampType::LogAppendTime,
        ..LogConfig::default()
    };
    for codec in Codec::ALL {
        let (mut log, mut disk) = open(config.clone());
        let later = Time::from_millis(NOW.millis() + 5000);
        let batch = batch_of(codec, &["a", "b"]);
        let info = log
            .append_as_leader(&mut disk, batch, 0, later, AppendOrigin::Client)
            .unwrap();
        assert_eq!(info.log_append_time, later.millis());
        let stored = batches(log.read(&disk, 0, 1000, 2, true).unwrap().records)
            .next()
            .unwrap()
            .unwrap();
        stored.ensure_valid().unwrap();
        assert_eq!(stored.header.timestamp_type(), TimestampType::LogAppendTime);
        assert!(
            stored
                .records()
                .unwrap()
                .all(|record| record.unwrap().timestamp == later.millis())
        );
    }
}

#[test]
fn a_lying_max_timestamp_is_put_right() {
    let (mut log, mut disk) = open(LogConfig::default());
    let lie = patched(
        &batch_of(Codec::None, &["a"]),
        35,
        &i64::MAX.to_be_bytes(),
        true,
    );
    append(&mut log, &mut disk, lie).unwrap();
    let stored = batches(log.read(&disk, 0, 1000, 2, true).unwrap().records)
        .next()
        .unwrap()
        .unwrap();
    stored.ensure_valid().unwrap();
    assert_eq!(stored.header.max_timestamp, NOW.millis());
}

#[test]
fn a_compacted_topic_needs_keys() {
    let compact = CleanupPolicy {
        delete: false,
        compact: true,
    };
    let (mut log, mut disk) = open(LogConfig {
        cleanup_policy: compact,
        ..LogConfig::default()
    });
    let mut builder = RecordBatchBuilder::new(Codec::None);
    builder.append(NOW.millis(), Some(b"k"), None, &[]);
    builder.append(NOW.millis(), None, Some(b"v"), &[]);
    let error = append(&mut log, &mut disk, builder.build().unwrap()).unwrap_err();
    assert_eq!(error.code, ErrorCode::INVALID_RECORD);
    let text = "Compacted topic cannot accept message without key in topic partition users-0";
    assert_eq!(
        error.record_errors,
        [RecordAppendError {
            batch_index: 1,
            message: text.to_owned()
        }]
    );
    assert_eq!(
        error.message,
        format!(
            "One or more records have been rejected due to 1 record errors in total, and only showing the first three errors at most: [RecordError(batchIndex=1, message='{text}')]"
        )
    );
}

#[test]
fn the_topics_codec_replaces_the_producers() {
    for (source, target) in [
        (Codec::None, Codec::Zstd),
        (Codec::Gzip, Codec::Snappy),
        (Codec::Lz4, Codec::None),
    ] {
        let (mut log, mut disk) = open(LogConfig {
            compression: Some(target),
            ..LogConfig::default()
        });
        append(&mut log, &mut disk, batch_of(source, &["a", "b"])).unwrap();
        let info = append(&mut log, &mut disk, batch_of(source, &["c"])).unwrap();
        assert_eq!((info.first_offset, info.last_offset), (2, 2));
        for batch in batches(log.read(&disk, 0, 10_000, 3, true).unwrap().records) {
            let batch = batch.unwrap();
            batch.ensure_valid().unwrap();
            assert_eq!(batch.header.codec(), Ok(target));
        }
        assert_eq!(
            read_records(&log, &disk, 0)[2].value.as_deref(),
            Some(&b"c"[..])
        );
    }
}

/// Ten batches of two records in segments of three, and the config that makes them.
fn segmented() -> (Log, Disk, LogConfig, usize) {
    let batch = batch_of(Codec::None, &["one", "two"]);
    let config = LogConfig {
        segment_bytes: 3 * batch.len() as u64,
        index_interval_bytes: batch.len() as u64 / 2,
        ..LogConfig::default()
    };
    let (mut log, mut disk) = open(config.clone());
    for _ in 0..10 {
        append(&mut log, &mut disk, batch.clone()).unwrap();
    }
    (log, disk, config, batch.len())
}

#[test]
fn segments_roll_by_size_with_kafkas_files() {
    let (log, disk, _, _) = segmented();
    let bases: Vec<i64> = log
        .segments()
        .iter()
        .map(|segment| segment.base_offset)
        .collect();
    assert_eq!(bases, [0, 6, 12, 18]);
    assert_eq!(
        disk.list(DIR),
        [
            "00000000000000000000.index",
            "00000000000000000000.log",
            "00000000000000000000.timeindex",
            "00000000000000000006.index",
            "00000000000000000006.log",
            "00000000000000000006.snapshot",
            "00000000000000000006.timeindex",
            "00000000000000000012.index",
            "00000000000000000012.log",
            "00000000000000000012.snapshot",
            "00000000000000000012.timeindex",
            "00000000000000000018.index",
            "00000000000000000018.log",
            "00000000000000000018.snapshot",
            "00000000000000000018.timeindex",
            "leader-epoch-checkpoint",
        ]
    );
    assert_eq!(read_records(&log, &disk, 0).len(), 20);
    assert_eq!(log.recovery_point(), 18, "a rolled segment is flushed");
    for offset in 0..20 {
        let info = log.read(&disk, offset, 1, 20, true).unwrap();
        assert_eq!(info.records[..8], (offset - offset % 2).to_be_bytes());
    }
}

#[test]
fn segments_roll_by_time() {
    let (mut log, mut disk) = open(LogConfig {
        segment_ms: 1000,
        ..LogConfig::default()
    });
    for later in [0, 1000, 1001] {
        let mut builder = RecordBatchBuilder::new(Codec::None);
        builder.append(NOW.millis() + later, None, None, &[]);
        append(&mut log, &mut disk, builder.build().unwrap()).unwrap();
    }
    assert_eq!(
        log.segments()
            .iter()
            .map(|segment| segment.base_offset)
            .collect::<Vec<_>>(),
        [0, 2]
    );
}

#[test]
fn timestamps_are_found() {
    let config = LogConfig {
        segment_bytes: 400,
        index_interval_bytes: 50,
        ..LogConfig::default()
    };
    let (mut log, mut disk) = open(config);
    for step in 0..20_i64 {
        let mut builder = RecordBatchBuilder::new(Codec::Snappy);
        builder.append(NOW.millis() + 100 * step, None, Some(b"v"), &[]);
        builder.append(NOW.millis() + 100 * step + 50, None, Some(b"v"), &[]);
        append(&mut log, &mut disk, builder.build().unwrap()).unwrap();
    }
    assert!(log.segments().len() > 3);
    let later = Time::from_millis(NOW.millis() + 10_000);
    for clean in [true, false] {
        if clean {
            log.close(&mut disk, later);
        }
        let (log, _) = Log::open(DIR, log.config().clone(), &mut disk, later, clean);
        for wanted in 0..40_i64 {
            let found = log
                .offset_for_timestamp(&disk, NOW.millis() + 50 * wanted - 1)
                .unwrap();
            assert_eq!(
                (found.offset, found.timestamp),
                (wanted, NOW.millis() + 50 * wanted)
            );
        }
        assert_eq!(log.offset_for_timestamp(&disk, NOW.millis() + 1951), None);
        assert_eq!(log.offset_of_max_timestamp(&disk).unwrap().offset, 39);
    }
    let (empty, disk) = open(LogConfig::default());
    assert_eq!(empty.offset_of_max_timestamp(&disk), None);
}

#[test]
fn every_torn_tail_is_cut_to_whole_batches() {
    let (log, disk, config, batch) = segmented();
    drop(log);
    let active = "/data/users-0/00000000000000000018.log";
    let length = disk.len(active).unwrap();
    for cut in 0..length {
        let mut torn = disk.clone();
        torn.truncate(active, cut);
        torn.truncate("/data/users-0/00000000000000000018.index", cut % 8);
        let (mut log, lines) = Log::open(DIR, config.clone(), &mut torn, NOW, false);
        let whole = cut / batch as u64;
        assert_eq!(log.log_end_offset(), 18 + 2 * whole as i64, "cut at {cut}");
        assert_eq!(torn.len(active), Some(whole * batch as u64));
        let warned = lines.iter().any(|line| {
            line.message
                == format!(
                    "[LogLoader partition=users-0, dir=/data] Corruption found in segment 18, truncating to offset {}",
                    18 + 2 * whole
                )
        });
        assert_eq!(warned, cut % batch as u64 != 0, "{lines:?}");
        let next = append(&mut log, &mut torn, batch_of(Codec::None, &["after"])).unwrap();
        assert_eq!(next.first_offset, 18 + 2 * whole as i64);
        assert_eq!(
            read_records(&log, &torn, 0).len() as i64,
            log.log_end_offset()
        );
    }
}

#[test]
fn a_corrupt_batch_ends_the_log_on_recovery() {
    let (_, mut disk, config, batch) = segmented();
    // The second segment's second batch is damaged, and nothing says that it was flushed.
    let path = "/data/users-0/00000000000000000006.log";
    let mut bytes = disk.read_all(path).unwrap().to_vec();
    bytes[batch + 65] ^= 1;
    disk.write(path, &bytes);
    let (log, lines) = Log::open(DIR, config.clone(), &mut disk, NOW, false);
    assert_eq!(log.log_end_offset(), 8);
    assert!(lines.iter().any(|line| {
        line.message
            .contains("Found invalid messages in log segment")
    }));
    assert_eq!(log.segments().len(), 2);
    assert!(!disk.exists("/data/users-0/00000000000000000012.log"));

    // With a recovery point above it, the damaged segment is not looked at.
    let (_, mut disk, config, batch) = segmented();
    let mut bytes = disk.read_all(path).unwrap().to_vec();
    bytes[batch + 65] ^= 1;
    disk.write(path, &bytes);
    let offsets = PartitionOffsets::from([(("users".to_owned(), 0), 18)]);
    write_offsets(&mut disk, &format!("/data/{RECOVERY_POINT_FILE}"), &offsets);
    let (log, _) = Log::open(DIR, config, &mut disk, NOW, false);
    assert_eq!(log.log_end_offset(), 20);
}

#[test]
fn lost_indexes_are_rebuilt_as_they_were() {
    let (_, mut disk, config, _) = segmented();
    let path = "/data/users-0/00000000000000000006.index";
    let before = disk.read_all(path).unwrap();
    assert!(!before.is_empty());
    disk.delete(path);
    disk.delete("/data/users-0/00000000000000000012.timeindex");
    disk.write("/data/users-0/00000000000000000099.index", b"orphan");
    let (log, _) = Log::open(DIR, config, &mut disk, NOW, true);
    assert_eq!(disk.read_all(path).unwrap(), before);
    assert!(disk.exists("/data/users-0/00000000000000000012.timeindex"));
    assert!(!disk.exists("/data/users-0/00000000000000000099.index"));
    assert_eq!(read_records(&log, &disk, 0).len(), 20);
}

#[test]
fn a_power_cut_loses_no_more_than_was_never_flushed() {
    let (log, mut disk, config, _) = segmented();
    assert_eq!(log.recovery_point(), 18);
    disk.power_cut();
    let (log, _) = Log::open(DIR, config.clone(), &mut disk, NOW, false);
    assert_eq!(log.log_end_offset(), 18);
    let (mut log2, mut disk2) = open(LogConfig {
        flush_messages: 1,
        ..config
    });
    append(&mut log2, &mut disk2, batch_of(Codec::None, &["a"])).unwrap();
    disk2.power_cut();
    let (log2, _) = Log::open(DIR, LogConfig::default(), &mut disk2, NOW, false);
    assert_eq!(log2.log_end_offset(), 1);
    assert_eq!(log.log_start_offset(), 0);
}

#[test]
fn retention_deletes_whole_segments_below_the_high_watermark() {
    let (mut log, mut disk, config, batch) = segmented();
    let bytes = batch as i64;
    log.set_config(LogConfig {
        retention_bytes: 5 * bytes,
        ..config.clone()
    });
    assert_eq!(
        log.delete_old_segments(&mut disk, NOW),
        0,
        "nothing is below the high watermark"
    );
    log.update_high_watermark(20);
    assert_eq!(log.delete_old_segments(&mut disk, NOW), 1);
    assert_eq!((log.log_start_offset(), log.segments().len()), (6, 3));
    assert!(
        !disk
            .list(DIR)
            .iter()
            .any(|name| name.starts_with("00000000000000000000"))
    );

    log.set_config(LogConfig {
        retention_ms: 1000,
        ..config
    });
    assert_eq!(log.delete_old_segments(&mut disk, NOW), 0);
    let later = Time::from_millis(NOW.millis() + 1002);
    assert_eq!(log.delete_old_segments(&mut disk, later), 3);
    assert_eq!(
        (log.log_start_offset(), log.log_end_offset(), log.size()),
        (20, 20, 0)
    );
    let error = log.read(&disk, 0, 100, 20, true).unwrap_err();
    assert_eq!(
        error.message,
        "Received request for offset 0 for partition users-0, but we only have log segments starting from offset: 20."
    );
    append(&mut log, &mut disk, batch_of(Codec::None, &["a"])).unwrap();
    assert_eq!(read_records(&log, &disk, 20).len(), 1);
}

#[test]
fn deleted_records_move_the_log_start_and_stay_gone() {
    let (mut log, mut disk, config, _) = segmented();
    assert!(log.delete_records(&mut disk, 9).is_err());
    log.update_high_watermark(20);
    assert_eq!(log.delete_records(&mut disk, 9), Ok(9));
    assert_eq!(log.delete_records(&mut disk, 4), Ok(9));
    assert_eq!(log.delete_old_segments(&mut disk, NOW), 1);
    assert_eq!(
        (log.segments()[0].base_offset, log.log_start_offset()),
        (6, 9)
    );
    assert!(log.read(&disk, 8, 100, 20, true).is_err());
    let offsets = PartitionOffsets::from([(("users".to_owned(), 0), 9)]);
    write_offsets(&mut disk, "/data/log-start-offset-checkpoint", &offsets);
    log.close(&mut disk, NOW);
    let (log, _) = Log::open(DIR, config, &mut disk, NOW, true);
    assert_eq!((log.log_start_offset(), log.log_end_offset()), (9, 20));
    assert_eq!(log.epochs()[0].start_offset, 9);
}

#[test]
fn truncation_goes_back_to_a_batch_and_a_follower_goes_on() {
    let (mut log, mut disk, config, _) = segmented();
    log.update_high_watermark(20);
    assert!(!log.truncate_to(&mut disk, 20, NOW));
    assert!(log.truncate_to(&mut disk, 9, NOW));
    assert_eq!(
        (
            log.log_end_offset(),
            log.high_watermark(),
            log.segments().len()
        ),
        (8, 8, 2)
    );
    let mut builder = RecordBatchBuilder::new(Codec::None)
        .base_offset(8)
        .partition_leader_epoch(3);
    builder.append(NOW.millis(), None, Some(b"new"), &[]);
    let records = builder.build().unwrap();
    let info = log
        .append_as_follower(&mut disk, records.clone(), NOW)
        .unwrap();
    assert_eq!((info.first_offset, info.last_offset), (8, 8));
    assert_eq!(
        log.epochs(),
        [
            EpochEntry {
                epoch: 0,
                start_offset: 0
            },
            EpochEntry {
                epoch: 3,
                start_offset: 8
            }
        ]
    );
    assert_eq!(log.end_offset_for_epoch(1), Some((0, 8)));
    let error = log.append_as_follower(&mut disk, records, NOW).unwrap_err();
    assert!(
        error
            .message
            .starts_with("Unexpected offset in append to users-0. First offset 8"),
        "{error}"
    );
    let (mut reopened, _) = Log::open(DIR, config, &mut disk, NOW, false);
    assert_eq!((reopened.log_end_offset(), reopened.epochs().len()), (9, 2));
    reopened.truncate_fully_and_start_at(&mut disk, 100, NOW);
    assert_eq!(
        (reopened.log_start_offset(), reopened.log_end_offset()),
        (100, 100)
    );
    assert!(disk.exists("/data/users-0/00000000000000000100.log"));
    assert!(!disk.exists("/data/users-0/00000000000000000000.log"));
}

#[test]
fn a_topic_id_is_kept() {
    let (mut log, mut disk) = open(LogConfig::default());
    let id = Uuid::from_u128(0xfedc_ba98_7654_3210_0123_4567_89ab_cdef);
    log.set_topic_id(&mut disk, id);
    let path = "/data/users-0/partition.metadata";
    assert_eq!(
        disk.read_all(path).unwrap(),
        b"version: 0\ntopic_id: _ty6mHZUMhABI0VniavN7w"[..]
    );
    let (log, _) = Log::open(DIR, LogConfig::default(), &mut disk, NOW, false);
    assert_eq!(log.topic_id(), Some(id));
}

#[test]
fn an_open_transaction_holds_the_last_stable_offset_back() {
    let (mut log, mut disk) = open(LogConfig::default());
    append(&mut log, &mut disk, batch_of(Codec::None, &["a"])).unwrap();
    let mut builder = RecordBatchBuilder::new(Codec::None)
        .producer(5, 0, 0)
        .transactional(true);
    builder.append(NOW.millis(), None, Some(b"t"), &[]);
    append(&mut log, &mut disk, builder.build().unwrap()).unwrap();
    append(&mut log, &mut disk, batch_of(Codec::None, &["b"])).unwrap();
    log.update_high_watermark(3);
    assert_eq!((log.last_stable_offset(), log.high_watermark()), (1, 3));
    let mut builder = RecordBatchBuilder::new(Codec::None)
        .producer(5, 0, -1)
        .transactional(true)
        .control(true);
    builder.append(
        NOW.millis(),
        Some(&[0, 0, 0, 1]),
        Some(&[0, 0, 0, 0, 0, 7]),
        &[],
    );
    let marker = builder.build().unwrap();
    log.append_as_leader(&mut disk, marker, 0, NOW, AppendOrigin::Coordinator)
        .unwrap();
    assert_eq!(
        log.last_stable_offset(),
        1,
        "the marker is not replicated yet"
    );
    log.update_high_watermark(4);
    assert_eq!(log.last_stable_offset(), 4);
    assert_eq!(log.producers()[0].coordinator_epoch, 7);
}

#[test]
fn memory_stays_close_to_the_bytes_held() {
    let (mut log, mut disk) = open(LogConfig::default());
    let batch = batch_of(Codec::None, &["x".repeat(100).as_str(); 20]);
    for _ in 0..500 {
        append(&mut log, &mut disk, batch.clone()).unwrap();
    }
    assert!(disk.held_bytes() > 1_000_000);
    assert!(disk.allocated_bytes() * 10 <= disk.held_bytes() * 12);
}
