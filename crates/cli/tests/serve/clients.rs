//! Unmodified clients: kcat, and confluent-kafka for Python.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::server::Server;

/// Every compression that Kafka knows.
pub const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

/// Whether tests that need installed clients were left out by intent.
pub fn left_out() -> bool {
    let left_out = std::env::var("PLAYGROUND_NO_CLIENTS").is_ok_and(|value| value == "1");
    if left_out {
        eprintln!("left out: PLAYGROUND_NO_CLIENTS=1");
    }
    left_out
}

const ADVICE: &str =
    "run tests/clients/setup.sh, or leave these tests out with PLAYGROUND_NO_CLIENTS=1";

/// Runs kcat with an input; its output.
pub fn kcat(server: &Server, arguments: &[&str], input: &str) -> String {
    use std::io::Write;
    let mut child = Command::new("timeout")
        .args(["30", "kcat", "-m", "20", "-b", &server.bootstrap()])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(input.as_bytes())
        .unwrap_or_else(|error| panic!("kcat: {error}; {ADVICE}"));
    let output = child.wait_with_output().unwrap();
    assert!(
        output.status.success(),
        "kcat {arguments:?}: {} {}\n{}\nIf it is missing: {ADVICE}",
        output.status,
        String::from_utf8_lossy(&output.stderr),
        server.errors()
    );
    String::from_utf8(output.stdout).unwrap()
}

/// So many lines that begin with a word.
pub fn lines(word: &str, count: usize) -> String {
    (0..count)
        .map(|number| format!("{word}-{number}\n"))
        .collect()
}

#[test]
fn kcat_produces_and_consumes_with_every_codec() {
    if left_out() {
        return;
    }
    let server = Server::start(1, &[]);
    for codec in CODECS {
        let sent = lines(codec, 300);
        kcat(&server, &["-P", "-t", codec, "-z", codec], &sent);
        assert_eq!(
            kcat(&server, &["-C", "-t", codec, "-e", "-q"], ""),
            sent,
            "{codec}"
        );
    }
    let listed = kcat(&server, &["-L"], "");
    assert!(
        listed.contains(" 1 brokers:\n") && listed.contains("topic \"zstd\" with 1 partitions"),
        "{listed}"
    );
    let earliest = ["-X", "auto.offset.reset=earliest"];
    let group = |rest: &[&str]| {
        kcat(
            &server,
            &[&["-G", "readers", "none", "-q"], &earliest[..], rest].concat(),
            "",
        )
    };
    assert_eq!(group(&["-c", "100"]), lines("none", 100));
    // What the first did not read, from where it stopped.
    assert!(lines("none", 300).ends_with(&group(&["-e"])));
    server.terminate();
}

#[test]
fn confluent_kafka_on_one_broker() {
    confluent_kafka(1);
}

#[test]
fn confluent_kafka_on_three_brokers() {
    confluent_kafka(3);
}

fn confluent_kafka(brokers: u16) {
    if left_out() {
        return;
    }
    let server = Server::start(brokers, &[]);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients/confluent.py");
    let output = Command::new("timeout")
        .args(["90", "python3"])
        .arg(script)
        .args([&server.bootstrap(), &brokers.to_string()])
        .output()
        .unwrap();
    assert!(
        output.status.success() && output.stdout == b"ok\n",
        "{}\n{}{}\n{}\nIf confluent_kafka is missing: {ADVICE}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
        server.errors()
    );
    server.terminate();
}
