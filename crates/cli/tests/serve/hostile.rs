//! A hostile or broken connection harms only itself.

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use crate::server::{
    Server, api_versions, assert_closed, assert_served, framed, request, response,
};

/// What a server may take when its clients send nothing of worth.
const MEMORY_MAX: usize = 400 << 20;

/// Runs attacks while another client is served before and after; nothing may crash.
fn unharmed(attack: impl FnOnce(&Server)) {
    let server = Server::start(1, &[]);
    let mut other = server.connect();
    assert_served(&mut other, "before");
    attack(&server);
    assert_served(&mut other, "an old connection afterwards");
    assert_served(&mut server.connect(), "a new connection afterwards");
    let errors = server.errors();
    assert!(
        !errors.contains("panicked") && !errors.contains("crashed"),
        "{errors}"
    );
    assert!(
        server.memory() < MEMORY_MAX,
        "{} MiB",
        server.memory() >> 20
    );
    server.terminate();
}

#[test]
fn what_is_no_frame_is_closed() {
    unharmed(|server| {
        let not_a_frame: [(&str, Vec<u8>); 9] = [
            ("HTTP", b"GET / HTTP/1.1\r\nHost: kafka\r\n\r\n".to_vec()),
            (
                "TLS",
                b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec(),
            ),
            ("the largest size", i32::MAX.to_be_bytes().to_vec()),
            ("a negative size", (-1_i32).to_be_bytes().to_vec()),
            ("the most negative size", i32::MIN.to_be_bytes().to_vec()),
            ("an empty frame", framed(b"")),
            ("half a header", framed(&[0, 18, 0])),
            ("no such API", request(999, 0, 1, &[])),
            ("no such version", request(3, 99, 1, &[])),
        ];
        for (what, bytes) in not_a_frame {
            let mut stream = server.connect();
            stream.write_all(&bytes).unwrap();
            assert_closed(&mut stream, what);
        }
    });
}

#[test]
fn counts_that_lie_are_closed() {
    unharmed(|server| {
        let count = i32::MAX.to_be_bytes();
        // Produce, Fetch, ListOffsets, Metadata, OffsetCommit, OffsetFetch, JoinGroup, CreateTopics, DeleteTopics.
        let bodies: [(i16, i16, Vec<u8>); 9] = [
            (0, 3, [&[0xff, 0xff, 0, 1, 0, 0, 0, 9][..], &count].concat()),
            (
                1,
                4,
                [&[0xff; 4][..], &[0; 8], &count, &[0], &count].concat(),
            ),
            (2, 1, [&[0xff; 4][..], &count].concat()),
            (3, 1, count.to_vec()),
            (
                8,
                2,
                [&[0, 1, b'g', 0, 0, 0, 1, 0, 0][..], &[0xff; 8], &count].concat(),
            ),
            (9, 1, [&[0, 1, b'g'][..], &count].concat()),
            (
                11,
                1,
                [
                    &[
                        0, 1, b'g', 0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30, 0, 0, 0, 1, b'c',
                    ][..],
                    &count,
                ]
                .concat(),
            ),
            (19, 2, count.to_vec()),
            (20, 1, count.to_vec()),
        ];
        for (api_key, version, body) in bodies {
            let what = format!("API {api_key}");
            let mut stream = server.connect();
            stream
                .write_all(&request(api_key, version, 1, &body))
                .unwrap();
            assert_closed(&mut stream, &what);
        }
    });
}

/// Frames of every API with bytes that mean nothing: an answer or the end, but no harm.
#[test]
fn noise_in_every_api() {
    unharmed(|server| {
        let mut state = 0x2545_f491_u32;
        let mut noise = || {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            state
        };
        for round in 0..6 {
            for api_key in 0..=92 {
                let body: Vec<u8> = (0..noise() % 60)
                    .map(|_| {
                        let byte = noise();
                        // Mostly small numbers, which get further.
                        (if byte & 0x300 == 0 { byte } else { byte & 3 }) as u8
                    })
                    .collect();
                let mut stream = server.connect();
                stream
                    .write_all(&request(api_key, round * 2, 1, &body))
                    .unwrap();
                // Nothing more comes: whatever is still read ends.
                let _ = stream.shutdown(Shutdown::Write);
            }
        }
    });
}

#[test]
fn sizes_without_their_bytes_take_no_memory() {
    unharmed(|server| {
        let half: Vec<TcpStream> = (0..100)
            .map(|number| {
                let mut stream = server.connect();
                let size: i32 = if number < 50 { 100_000_000 } else { 1_000_000 };
                stream.write_all(&size.to_be_bytes()).unwrap();
                stream.write_all(&[0, 0, 0, 9, 0, 0]).unwrap();
                stream
            })
            .collect();
        assert_served(&mut server.connect(), "beside half frames");
        // Only records have reason to be so large.
        let mut large = server.connect();
        let mut frame = vec![0; 20 << 20];
        frame[..8].copy_from_slice(&[0, 3, 0, 1, 0, 0, 0, 1]);
        let _ = large.write_all(&framed(&frame));
        assert_closed(&mut large, "a Metadata request of 20 MiB");
        drop(half);
    });
}

#[test]
fn idle_connections_are_borne() {
    unharmed(|server| {
        let idle: Vec<TcpStream> = (0..500).map(|_| server.connect()).collect();
        assert_served(&mut server.connect(), "beside 500 idle connections");
        drop(idle);
    });
}

#[test]
fn pipelined_requests_are_answered_in_order() {
    const REQUESTS: i32 = 5_000;
    unharmed(|server| {
        let mut reader = server.connect();
        let mut writer = reader.try_clone().unwrap();
        let writing = std::thread::spawn(move || {
            let bytes: Vec<u8> = (0..REQUESTS).flat_map(api_versions).collect();
            writer.write_all(&bytes).unwrap();
        });
        for expected in 0..REQUESTS {
            assert_eq!(response(&mut reader).unwrap(), expected);
        }
        writing.join().unwrap();
    });
}

#[test]
fn who_does_not_read_is_not_read() {
    unharmed(|server| {
        let mut deaf = server.connect();
        deaf.set_write_timeout(Some(Duration::from_millis(500)))
            .unwrap();
        let bytes: Vec<u8> = (0..10_000).flat_map(api_versions).collect();
        // Far more requests than sockets hold responses: at some point nobody takes them.
        let taken = (0..100)
            .take_while(|_| deaf.write_all(&bytes).is_ok())
            .count();
        assert!(taken < 100, "all were taken");
        assert_served(&mut server.connect(), "beside one that does not read");
    });
}
