//! A cluster kept in a folder: there again after an end, and after a kill.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::clients::{CODECS, kcat, left_out, lines};
use crate::server::{PATIENCE, Server, free_ports, scratch};

#[test]
fn topics_records_and_groups_are_kept() {
    if left_out() {
        return;
    }
    let data = scratch("kept");
    let _ = std::fs::remove_dir_all(&data);
    let port = free_ports(3);
    let start = || Server::start_at(port, 3, &["--data", data.to_str().unwrap()]);
    let server = start();
    for codec in CODECS {
        kcat(
            &server,
            &["-P", "-t", codec, "-z", codec],
            &lines(codec, 300),
        );
    }
    let group = |server: &Server, rest: &[&str]| {
        let arguments = [
            "-G",
            "readers",
            "gzip",
            "-q",
            "-X",
            "auto.offset.reset=earliest",
        ];
        kcat(server, &[&arguments, rest].concat(), "")
    };
    let first = group(&server, &["-c", "100"]);
    assert_eq!(first, lines("gzip", 100));
    server.terminate();

    let server = start();
    for codec in CODECS {
        assert_eq!(
            kcat(&server, &["-C", "-t", codec, "-e", "-q"], ""),
            lines(codec, 300),
            "{codec}"
        );
    }
    let second = group(&server, &["-e"]);
    assert_eq!(first + &second, lines("gzip", 300));

    // A second process must not write to the same folder.
    let other = Command::new(env!("CARGO_BIN_EXE_playground"))
        .args(["serve", "--port-base", &free_ports(1).to_string(), "--data"])
        .arg(&data)
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&other.stderr).contains("another process serves"));
    server.terminate();
    std::fs::remove_dir_all(&data).unwrap();
}

/// What was acknowledged is there after a kill in the middle of writing, in order and once.
#[test]
fn what_was_acknowledged_outlives_a_kill() {
    if left_out() {
        return;
    }
    let data = scratch("killed");
    let _ = std::fs::remove_dir_all(&data);
    let port = free_ports(1);
    // The controller takes a killed broker back once its old session is over.
    let session = "broker.session.timeout.ms=1500";
    let heartbeat = "broker.heartbeat.interval.ms=300";
    let configs = ["--broker-config", session, "--broker-config", heartbeat];
    let kept = ["--data", data.to_str().unwrap()];
    let start = || Server::start_at(port, 1, &[&kept[..], &configs].concat());
    let server = start();
    kcat(&server, &["-P", "-t", "before"], &lines("before", 300));
    let log = data.join("kafka-1/during-0/00000000000000000000.log");
    let mut producer = Command::new("kcat")
        .args([
            "-b",
            &server.bootstrap(),
            "-P",
            "-t",
            "during",
            "-X",
            "message.timeout.ms=2000",
        ])
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = producer.stdin.take().unwrap();
    let writing = std::thread::spawn(move || {
        // Ends with the pipe, when the producer does.
        for number in 0..2_000_000 {
            if writeln!(input, "during-{number}").is_err() {
                return;
            }
        }
    });
    let started = Instant::now();
    while std::fs::metadata(&log).map_or(0, |file| file.len()) < 100_000 {
        assert!(
            started.elapsed() < PATIENCE,
            "nothing is written: {}",
            server.errors()
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    server.kill();
    let _ = producer.kill();
    let _ = producer.wait();
    writing.join().unwrap();

    let server = start();
    assert_eq!(
        kcat(&server, &["-C", "-t", "before", "-e", "-q"], ""),
        lines("before", 300)
    );
    let kept = kcat(&server, &["-C", "-t", "during", "-e", "-q"], "");
    let count = kept.lines().count();
    assert!(count > 1_000, "{count}");
    assert_eq!(kept, lines("during", count));
    kcat(&server, &["-P", "-t", "during"], "after\n");
    assert!(kcat(&server, &["-C", "-t", "during", "-e", "-q"], "").ends_with("\nafter\n"));
    server.terminate();
    std::fs::remove_dir_all(&data).unwrap();
}
