//! Frames that nobody should send: they cost their connection, and nothing else.

use bytes::Bytes;
use playground_protocol::messages::*;
use playground_protocol::versions::{BROKER_APIS, supported};
use playground_protocol::{Random, RequestFrame};
use uuid::Uuid;

use super::network::Network;
use super::single::{create, fetch_request, produce};
use super::versions::request;

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

/// Frames that are damaged in a few places, of every API and version.
fn damage(network: &mut Network, listener: &str, frames: &[Vec<u8>], rounds: u64, seed: u64) {
    let mut random = Random::new(seed, "damage");
    for _ in 0..rounds {
        let pick = random.below(frames.len() as u64) as usize;
        let mut frame = frames[pick].clone();
        for _ in 0..=random.below(3) {
            let at = 8 + random.below(frame.len() as u64 - 8) as usize;
            // Small numbers, the largest ones and flipped bits meet more checks than noise does.
            frame[at] = match random.below(4) {
                0 => random.below(4) as u8,
                1 => 0xff,
                2 => frame[at] ^ (1 << random.below(8)),
                _ => random.next_u64() as u8,
            };
        }
        if random.below(4) == 0 {
            frame.truncate(8 + random.below(frame.len() as u64 - 7) as usize);
        }
        let client = network.connect_to(1, listener);
        network.send_bytes(client, Bytes::from(frame));
        if random.below(50) == 0 {
            network.sleep(random.below(3_000) as i64);
        }
        network.disconnect(client);
    }
}

fn frame(api_key: ApiKey, api_version: i16, body: RequestKind) -> Vec<u8> {
    let frame = RequestFrame {
        api_key,
        api_version,
        correlation_id: 42,
        client_id: Some("test".into()),
        body,
    };
    frame.encode().unwrap().to_vec()
}

#[test]
fn damaged_requests_do_no_harm() {
    let mut network = Network::start(1, &[]);
    let client = network.connect(1);
    let id = create(&mut network, client, "users", 1);
    produce(&mut network, client, "users", &["a"]);
    let mut frames = Vec::new();
    for (api_key, _, _) in BROKER_APIS {
        for version in supported(*api_key).unwrap() {
            let body = request(*api_key, version, "users", id);
            frames.push(frame(*api_key, version, body));
        }
    }
    damage(&mut network, "PLAINTEXT", &frames, 3_000, 1);
    let client = network.connect(1);
    let response = network.call(client, 1, MetadataRequest::default());
    assert!(matches!(response, ResponseKind::Metadata(_)));
}

#[test]
fn damaged_requests_to_the_controller_do_no_harm() {
    let mut network = Network::start(1, &[]);
    let registration = BrokerRegistrationRequest::default()
        .with_broker_id(9.into())
        .with_cluster_id("AAAAAAAAAAAAAAAAAAAATQ".into())
        .with_incarnation_id(Uuid::from_u128(4))
        .with_listeners(vec![
            broker_registration_request::Listener::default()
                .with_name("PLAINTEXT".into())
                .with_host("h".into())
                .with_port(1),
        ])
        .with_features(vec![
            broker_registration_request::Feature::default()
                .with_name("metadata.version".into())
                .with_min_supported_version(7)
                .with_max_supported_version(30),
        ])
        .with_log_dirs(vec![Uuid::from_u128(5)]);
    let heartbeat = BrokerHeartbeatRequest::default()
        .with_broker_id(9.into())
        .with_offline_log_dirs(vec![Uuid::from_u128(5)]);
    let create = frame(
        ApiKey::CreateTopics,
        7,
        request(ApiKey::CreateTopics, 7, "users", Uuid::nil()),
    );
    let alter_partition = AlterPartitionRequest::default()
        .with_broker_id(1.into())
        .with_topics(vec![
            alter_partition_request::TopicData::default()
                .with_topic_id(Uuid::from_u128(6))
                .with_partitions(vec![alter_partition_request::PartitionData::default()]),
        ]);
    let frames = [
        frame(ApiKey::BrokerRegistration, 4, registration.into()),
        frame(ApiKey::BrokerHeartbeat, 1, heartbeat.into()),
        frame(
            ApiKey::AllocateProducerIds,
            0,
            AllocateProducerIdsRequest::default()
                .with_broker_id(1.into())
                .into(),
        ),
        frame(
            ApiKey::Envelope,
            0,
            EnvelopeRequest::default()
                .with_request_data(Bytes::from(create))
                .into(),
        ),
        frame(ApiKey::AlterPartition, 3, alter_partition.into()),
        frame(
            ApiKey::Fetch,
            17,
            fetch_request(Uuid::from_u128(1), 0, 0).into(),
        ),
    ];
    damage(&mut network, "CONTROLLER", &frames, 3_000, 2);
    network.sleep(30_000);
    let client = network.connect(1);
    let response = network.call(client, 1, MetadataRequest::default());
    assert!(matches!(response, ResponseKind::Metadata(_)));
}
