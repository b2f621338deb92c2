//! Writes a log into a folder, to be looked at with the real Kafka's tools:
//! `cargo run -p playground-log --example dump_log FOLDER`, then `kafka-dump-log --files FOLDER/...`.

#![allow(clippy::disallowed_methods, reason = "an example writes real files")]

use std::path::Path;

use bytes::Bytes;
use playground_log::{AppendOrigin, Codec, Disk, Log, LogConfig, RecordBatchBuilder};
use playground_protocol::Time;

fn main() {
    let Some(folder) = std::env::args().nth(1) else {
        eprintln!("usage: dump_log FOLDER");
        return;
    };
    let now = Time::from_millis(1_700_000_000_000);
    let mut disk = Disk::new();
    let config = LogConfig {
        segment_bytes: 3000,
        index_interval_bytes: 300,
        ..LogConfig::default()
    };
    let (mut log, _) = Log::open("/users-0", config, &mut disk, now, true);
    let mut sequence = 0;
    for round in 0..20_i64 {
        for codec in Codec::ALL {
            let mut builder = RecordBatchBuilder::new(codec).producer(4000, 1, sequence);
            for index in 0..3_i64 {
                let value = format!("value {index} of round {round}, {}", codec.name());
                let headers = [(
                    Bytes::from_static(b"round"),
                    Some(Bytes::from(round.to_string())),
                )];
                builder.append(
                    now.millis() + round * 10 + index,
                    Some(b"key"),
                    Some(value.as_bytes()),
                    &headers,
                );
                sequence += 1;
            }
            let Some(batch) = builder.build() else { return };
            let appended = log.append_as_leader(&mut disk, batch, 2, now, AppendOrigin::Client);
            assert!(appended.is_ok(), "{appended:?}");
        }
    }
    log.close(&mut disk, now);
    for name in disk.list("/users-0") {
        let bytes = disk
            .read_all(&format!("/users-0/{name}"))
            .unwrap_or_default();
        let path = Path::new(&folder).join(name);
        if let Err(error) =
            std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&path, bytes))
        {
            eprintln!("{}: {error}", path.display());
        }
    }
}
