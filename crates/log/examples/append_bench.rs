//! Prints the log's append and fetch throughput beside a CRC-32C and a memcpy of the same bytes.
//! `cargo run --release -p playground-log --example append_bench`
//!
//! Each is measured twice: over few bytes, whose memory the allocator hands out again, and over many, where
//! a new page from the operating system costs more than all else.

#![allow(
    clippy::disallowed_methods,
    reason = "a benchmark needs the real clock"
)]

use std::hint::black_box;
use std::time::Instant;

use bytes::Bytes;
use playground_log::{AppendOrigin, Codec, Disk, Log, LogConfig, RecordBatchBuilder};
use playground_protocol::Time;

const NOW: Time = Time::from_millis(1_700_000_000_000);

fn main() {
    for (batch_bytes, value_bytes) in [
        (16 * 1024, 100),
        (16 * 1024, 1000),
        (16 * 1024, 16_000),
        (1024 * 1024, 1000),
    ] {
        for (total_bytes, rounds) in [(8 << 20, 30), (256 << 20, 1)] {
            run(batch_bytes, value_bytes, total_bytes, rounds);
        }
    }
}

fn batch(batch_bytes: usize, value_bytes: usize) -> (Bytes, i32) {
    let value: Vec<u8> = (0..value_bytes).map(|index| (index * 31) as u8).collect();
    let mut builder = RecordBatchBuilder::new(Codec::None);
    while builder.is_empty() || builder.uncompressed_size() + value_bytes < batch_bytes {
        builder.append(NOW.millis(), None, Some(&value), &[]);
    }
    let count = builder.record_count();
    (builder.build().unwrap_or_default(), count)
}

fn run(batch_bytes: usize, value_bytes: usize, total_bytes: usize, rounds: usize) {
    let (batch, record_count) = batch(batch_bytes, value_bytes);
    let batches = total_bytes / batch.len();
    println!(
        "{} MiB in batches of {} bytes, {record_count} records of {value_bytes} bytes",
        total_bytes >> 20,
        batch.len()
    );
    let report = |what: &str, mut run: Box<dyn FnMut()>| {
        let mut seconds = f64::MAX;
        for _ in 0..rounds {
            let start = Instant::now();
            run();
            seconds = seconds.min(start.elapsed().as_secs_f64());
        }
        let rate = (batches * batch.len()) as f64 / 1e6 / seconds;
        let records = batches as f64 * f64::from(record_count) / seconds;
        println!("  {what:<8} {rate:>8.0} MB/s {records:>12.0} records/s");
        rate
    };

    // As in a broker, each batch stands in memory of its own.
    let inputs: Vec<Bytes> = (0..batches.min(64))
        .map(|_| Bytes::copy_from_slice(&batch))
        .collect();
    let given = inputs.clone();
    let crc = report(
        "crc32c",
        Box::new(move || {
            for bytes in given.iter().cycle().take(batches) {
                black_box(crc32c::crc32c(black_box(bytes)));
            }
        }),
    );
    let given = inputs.clone();
    report(
        "memcpy",
        Box::new(move || {
            let mut target = Vec::with_capacity(total_bytes);
            for bytes in given.iter().cycle().take(batches) {
                target.extend_from_slice(black_box(bytes));
            }
            black_box(target);
        }),
    );
    let append = report(
        "append",
        Box::new(move || {
            black_box(appended(&inputs, batches));
        }),
    );
    let (log, disk) = appended(std::slice::from_ref(&batch), batches);
    let memory = disk.allocated_bytes() as f64 / disk.held_bytes() as f64;
    report(
        "fetch",
        Box::new(move || {
            let mut offset = 0;
            while let Ok(info) = log.read(&disk, offset, 1024 * 1024, i64::MAX, true) {
                if info.records.is_empty() {
                    break;
                }
                offset = info.next_offset;
                black_box(info.records);
            }
        }),
    );
    println!(
        "  append is {:.2} of crc32c; memory is {memory:.3} of the bytes held",
        append / crc
    );
}

fn appended(inputs: &[Bytes], batches: usize) -> (Log, Disk) {
    let mut disk = Disk::new();
    let (mut log, _) = Log::open("/data/bench-0", LogConfig::default(), &mut disk, NOW, true);
    for records in inputs.iter().cycle().take(batches) {
        let result = log.append_as_leader(&mut disk, records.clone(), 0, NOW, AppendOrigin::Client);
        assert!(result.is_ok());
    }
    (log, disk)
}
