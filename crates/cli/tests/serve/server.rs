//! A running server, and what the tests ask of it.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// How long a server may take for one thing.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Below what systems hand out by themselves; tests of one process take one range after the other.
static NEXT_PORT: AtomicU16 = AtomicU16::new(0);

/// A server, which ends with this value.
pub struct Server {
    child: Child,
    /// The first broker's port.
    pub port: u16,
    errors: PathBuf,
}

impl Server {
    /// Starts one and waits until it listens.
    pub fn start(brokers: u16, arguments: &[&str]) -> Server {
        Self::start_at(free_ports(brokers), brokers, arguments)
    }

    /// Starts one at a port and waits until it listens.
    pub fn start_at(port: u16, brokers: u16, arguments: &[&str]) -> Server {
        let errors = scratch(&format!("errors-{port}"));
        let mut child = Command::new(env!("CARGO_BIN_EXE_playground"))
            .args(["serve", "--brokers", &brokers.to_string()])
            .args(["--port-base", &port.to_string()])
            // Groups start at once instead of after three seconds.
            .args(["--broker-config", "group.initial.rebalance.delay.ms=0"])
            .args(arguments)
            .stdout(Stdio::piped())
            .stderr(
                File::options()
                    .create(true)
                    .append(true)
                    .open(&errors)
                    .unwrap(),
            )
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let server = Server {
            child,
            port,
            errors,
        };
        assert!(
            line.starts_with("Serving Kafka on 127.0.0.1:"),
            "{line}{}",
            server.errors()
        );
        server
    }

    /// What clients are given.
    pub fn bootstrap(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// What it printed to standard error.
    pub fn errors(&self) -> String {
        std::fs::read_to_string(&self.errors).unwrap_or_default()
    }

    /// Opens a connection to the first broker.
    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// Bytes of memory that it has.
    pub fn memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim()
            .trim_end_matches(" kB")
            .parse::<usize>()
            .unwrap()
            * 1024
    }

    /// Ends it as a system does that shuts down; it must end well, and soon.
    pub fn terminate(mut self) {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        let start = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(
                start.elapsed() < PATIENCE,
                "it does not end: {}",
                self.errors()
            );
            std::thread::sleep(Duration::from_millis(20));
        };
        assert!(status.success(), "{status}: {}", self.errors());
    }

    /// Ends it without a warning.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_file(&self.errors);
    }
}

/// A path of this test run's own.
pub fn scratch(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("playground-serve-{}-{name}", std::process::id()))
}

/// The first of so many ports that nobody listens on.
pub fn free_ports(count: u16) -> u16 {
    let first = 20_000 + (std::process::id() % 1_000) as u16 * 10;
    for _ in 0..1_000 {
        let port = first + NEXT_PORT.fetch_add(count, Ordering::Relaxed);
        let bound: Vec<_> = (port..port + count)
            .map(|port| TcpListener::bind(("127.0.0.1", port)))
            .collect();
        if bound.iter().all(Result::is_ok) {
            return port;
        }
    }
    panic!("no free ports");
}

/// A frame with its size.
pub fn framed(frame: &[u8]) -> Vec<u8> {
    let mut bytes = (frame.len() as u32).to_be_bytes().to_vec();
    bytes.extend_from_slice(frame);
    bytes
}

/// A request frame without a client id: header version 1, and the body.
pub fn request(api_key: i16, version: i16, correlation_id: i32, body: &[u8]) -> Vec<u8> {
    let mut frame = Vec::new();
    frame.extend_from_slice(&api_key.to_be_bytes());
    frame.extend_from_slice(&version.to_be_bytes());
    frame.extend_from_slice(&correlation_id.to_be_bytes());
    frame.extend_from_slice(&(-1_i16).to_be_bytes());
    frame.extend_from_slice(body);
    framed(&frame)
}

/// An ApiVersions request.
pub fn api_versions(correlation_id: i32) -> Vec<u8> {
    request(18, 0, correlation_id, &[])
}

/// Reads a response; its correlation id.
pub fn response(stream: &mut TcpStream) -> std::io::Result<i32> {
    let mut head = [0; 8];
    stream.read_exact(&mut head)?;
    let size = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
    std::io::copy(&mut stream.take(u64::from(size) - 4), &mut std::io::sink())?;
    Ok(i32::from_be_bytes([head[4], head[5], head[6], head[7]]))
}

/// A connection must be served, and soon.
pub fn assert_served(stream: &mut TcpStream, what: &str) {
    let start = Instant::now();
    stream
        .write_all(&api_versions(7))
        .unwrap_or_else(|error| panic!("{what}: {error}"));
    assert_eq!(
        response(stream).unwrap_or_else(|error| panic!("{what}: {error}")),
        7
    );
    assert!(
        start.elapsed() < Duration::from_secs(10),
        "{what}: {:?}",
        start.elapsed()
    );
}

/// The server must close a connection.
pub fn assert_closed(stream: &mut TcpStream, what: &str) {
    let mut bytes = Vec::new();
    match stream.read_to_end(&mut bytes) {
        Ok(_) => {}
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{what}"),
    }
}
