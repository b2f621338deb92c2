//! Prints the log's append and fetch throughput beside a CRC-32C and a memcpy of the same bytes.
//! `cargo run --release -p playground-log --example append_bench`

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use playground_log::{AppendOrigin, Codec, Disk, Log, LogConfig, RecordBatchBuilder};
use playground_protocol::Time;

const TOTAL_BYTES: usize = 512 * 1024 * 1024;

fn main() {
    for (batch_bytes, value_bytes) in [
        (16 * 1024, 100),
        (16 * 1024, 1000),
        (16 * 1024, 16_000),
        (1024 * 1024, 1000),
    ] {
        run(batch_bytes, value_bytes);
    }
}

fn run(batch_bytes: usize, value_bytes: usize) {
    let now = Time::from_millis(1_700_000_000_000);
    let value: Vec<u8> = (0..value_bytes).map(|index| (index * 31) as u8).collect();
    let mut builder = RecordBatchBuilder::new(Codec::None);
    while builder.is_empty() || builder.uncompressed_size() + value_bytes < batch_bytes {
        builder.append(now.millis(), None, Some(&value), &[]);
    }
    let records_per_batch = builder.record_count();
    let Some(batch) = builder.build() else { return };
    let rounds = TOTAL_BYTES / batch.len();
    println!(
        "batches of {} bytes, {records_per_batch} records of {value_bytes} bytes",
        batch.len()
    );
    let report = |what: &str, start: Instant| {
        let seconds = start.elapsed().as_secs_f64();
        let rate = (rounds * batch.len()) as f64 / 1e6 / seconds;
        let records = rounds as f64 * f64::from(records_per_batch) / seconds;
        println!("  {what:<8} {rate:>8.0} MB/s {records:>12.0} records/s");
        rate
    };

    // As in a broker, each batch stands in memory of its own.
    let inputs: Vec<Bytes> = (0..64).map(|_| Bytes::copy_from_slice(&batch)).collect();
    let start = Instant::now();
    for round in 0..rounds {
        black_box(crc32c::crc32c(black_box(&inputs[round % inputs.len()])));
    }
    let crc = report("crc32c", start);
    let mut target = vec![0; rounds * batch.len()];
    let start = Instant::now();
    for (round, target) in target.chunks_exact_mut(batch.len()).enumerate() {
        target.copy_from_slice(black_box(&inputs[round % inputs.len()]));
    }
    report("memcpy", start);
    black_box(&target);
    drop(target);

    let mut disk = Disk::new();
    let (mut log, _) = Log::open("/data/bench-0", LogConfig::default(), &mut disk, now, true);
    let start = Instant::now();
    for round in 0..rounds {
        let records = inputs[round % inputs.len()].clone();
        let appended = log.append_as_leader(&mut disk, records, 0, now, AppendOrigin::Client);
        assert!(appended.is_ok());
    }
    let append = report("append", start);
    let start = Instant::now();
    let mut offset = 0;
    while let Ok(info) = log.read(&disk, offset, 1024 * 1024, i64::MAX, true) {
        if info.records.is_empty() {
            break;
        }
        offset = info.next_offset;
        black_box(info.records);
    }
    report("fetch", start);
    let memory = disk.allocated_bytes() as f64 / disk.held_bytes() as f64;
    println!(
        "  append is {:.2} of crc32c; memory is {memory:.3} of the bytes held",
        append / crc
    );
}
