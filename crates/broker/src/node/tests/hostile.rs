//! Frames that nobody should send: they cost their connection, and nothing else.

use bytes::Bytes;
use playground_protocol::messages::{ApiKey, ApiVersionsRequest, MetadataRequest, ResponseKind};
use playground_protocol::{Random, RequestFrame};

use super::network::Network;
use super::single::{batch, create, fetch_request, produce_request};

#[test]
fn what_cannot_be_read_ends_the_connection() {
    let mut network = Network::start(1, &[]);
    for frame in [
        &b""[..],
        &b"\0\0\0"[..],
        // An API that does not exist, one of the controller's, a version of Produce that is gone.
        &b"\x7f\xff\0\0\0\0\0\x2a\0\0"[..],
        &b"\0\x3f\0\0\0\0\0\x2a\0\0"[..],
        &b"\0\0\0\x63\0\0\0\x2a\0\0"[..],
        // Metadata that ends too early, and one that promises two thousand million topics.
        &b"\0\x03\0\x01\0\0\0\x2a\0\0\0\0\0\x05"[..],
        &b"\0\x03\0\x01\0\0\0\x2a\0\0\x7f\xff\xff\xff"[..],
    ] {
        let client = network.connect(1);
        network.send_bytes(client, Bytes::copy_from_slice(frame));
        assert!(network.is_closed(client), "{frame:?}");
    }
    let client = network.connect(1);
    let response = network.call(client, 1, MetadataRequest::default());
    assert!(matches!(response, ResponseKind::Metadata(_)));
}

#[test]
fn an_unknown_version_of_api_versions_is_answered() {
    let mut network = Network::start(1, &[]);
    let client = network.connect(1);
    network.send_bytes(
        client,
        Bytes::from_static(b"\0\x12\0\x63\0\0\0\x2a\0\x04test"),
    );
    let response = network.receive(client, ApiKey::ApiVersions, 0);
    let Some(ResponseKind::ApiVersions(response)) = response else {
        panic!("ApiVersions")
    };
    assert_eq!(response.error_code, 35);
    assert_eq!(response.api_keys.len(), 1);
    assert_eq!(response.api_keys[0].api_key, 18);
    // And the connection goes on.
    let versions = ApiVersionsRequest::default();
    let ResponseKind::ApiVersions(response) = network.call(client, 3, versions) else {
        panic!("ApiVersions")
    };
    assert_eq!(response.error_code, 42);
}

#[test]
fn damaged_requests_do_no_harm() {
    let mut network = Network::start(1, &[]);
    let client = network.connect(1);
    let id = create(&mut network, client, "users", 1);
    let frames: Vec<Vec<u8>> = [
        (
            ApiKey::Produce,
            12,
            produce_request("users", 0, 1, batch(&["x", "y"])).into(),
        ),
        (ApiKey::Fetch, 17, fetch_request(id, 0, 0).into()),
        (ApiKey::Metadata, 12, MetadataRequest::default().into()),
    ]
    .into_iter()
    .map(|(api_key, api_version, body)| {
        let frame = RequestFrame {
            api_key,
            api_version,
            correlation_id: 42,
            client_id: Some("test".into()),
            body,
        };
        frame.encode().unwrap().to_vec()
    })
    .collect();
    let mut random = Random::new(1, "damage");
    for _ in 0..1_000 {
        let pick = random.below(frames.len() as u64) as usize;
        let mut frame = frames[pick].clone();
        for _ in 0..=random.below(3) {
            let at = 8 + random.below(frame.len() as u64 - 8) as usize;
            frame[at] = random.next_u64() as u8;
        }
        frame.truncate(8 + random.below(frame.len() as u64 - 7) as usize);
        let client = network.connect(1);
        network.send_bytes(client, Bytes::from(frame));
    }
    let client = network.connect(1);
    let response = network.call(client, 1, MetadataRequest::default());
    assert!(matches!(response, ResponseKind::Metadata(_)));
}
