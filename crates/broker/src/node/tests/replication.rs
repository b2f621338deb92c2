//! Three nodes that replicate: what the followers have, when the high watermark moves, who is in the ISR.

use bytes::Bytes;
use playground_protocol::ErrorCode;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use playground_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use playground_protocol::messages::{
    BrokerId, CreateTopicsRequest, DeleteRecordsRequest, ResponseKind,
};

use super::network::{Client, Network};
use super::single::{batch, name, produce_request};
use crate::node::Role;

/// A topic of one partition with these replicas; the node that answers.
pub fn create_on(network: &mut Network, topic: &str, replicas: &[i32], configs: &[(&str, &str)]) {
    let client = network.connect(1);
    let assignment = CreatableReplicaAssignment::default()
        .with_partition_index(0)
        .with_broker_ids(replicas.iter().copied().map(BrokerId).collect());
    let configs = configs.iter().map(|(key, value)| {
        CreatableTopicConfig::default()
            .with_name(StrBytes::from_string((*key).to_owned()))
            .with_value(Some(StrBytes::from_string((*value).to_owned())))
    });
    let request = CreateTopicsRequest::default()
        .with_timeout_ms(30_000)
        .with_topics(vec![
            CreatableTopic::default()
                .with_name(name(topic))
                .with_num_partitions(-1)
                .with_replication_factor(-1)
                .with_assignments(vec![assignment])
                .with_configs(configs.collect()),
        ]);
    let ResponseKind::CreateTopics(response) = network.call(client, 7, request) else {
        panic!("CreateTopics")
    };
    assert_eq!(response.topics[0].error_code, 0, "{response:?}");
    // Until all brokers have heard of it.
    network.sleep(600);
}

pub fn produce_to(network: &mut Network, client: Client, acks: i16, values: &[&str]) -> (i16, i64) {
    let request = produce_request("users", 0, acks, batch(values));
    let ResponseKind::Produce(response) = network.call(client, 12, request) else {
        panic!("Produce")
    };
    let partition = &response.responses[0].partition_responses[0];
    (partition.error_code, partition.base_offset)
}

pub fn bytes_of(network: &Network, id: i32) -> Bytes {
    let disk = &network.machines[&id].disk;
    disk.read_all("/data/users-0/00000000000000000000.log")
        .unwrap()
}

pub fn offsets(network: &Network, id: i32) -> (i64, i64) {
    let view = network.node(id).partition_view("users", 0).unwrap();
    (view.high_watermark, view.log_end_offset)
}

pub fn isr(network: &Network) -> Vec<i32> {
    let mut nodes = network.machines.values();
    let node = nodes.find_map(|machine| machine.node.as_ref()).unwrap();
    let partition = node.metadata_image().partition("users", 0).unwrap();
    let mut isr = partition.isr.clone();
    isr.sort_unstable();
    isr
}

#[test]
fn followers_copy_byte_for_byte_and_the_high_watermark_follows() {
    let mut network = Network::start(3, &[]);
    create_on(&mut network, "users", &[1, 2, 3], &[]);
    let client = network.connect(1);
    assert_eq!(produce_to(&mut network, client, -1, &["a", "b"]), (0, 0));
    // The followers had the records before the producer was told.
    assert_eq!(offsets(&network, 1), (2, 2));
    assert_eq!(offsets(&network, 2).1, 2);
    assert_eq!(offsets(&network, 3).1, 2);
    // They hear of the high watermark at the latest with their next fetch.
    network.sleep(600);
    assert_eq!(offsets(&network, 2), (2, 2));
    assert_eq!(bytes_of(&network, 1), bytes_of(&network, 2));
    assert_eq!(bytes_of(&network, 1), bytes_of(&network, 3));
    let view = network.node(1).partition_view("users", 0).unwrap();
    assert_eq!((view.leader, view.role), (1, Role::Leader));
    assert_eq!(view.isr, [1, 2, 3]);
    let known: Vec<(i32, i64)> = view
        .followers
        .iter()
        .map(|follower| (follower.broker, follower.log_end_offset))
        .collect();
    assert_eq!(known, [(2, 2), (3, 2)]);
}

#[test]
fn a_follower_that_dies_is_waited_for_until_it_is_fenced() {
    let mut network = Network::start(3, &[]);
    create_on(&mut network, "users", &[1, 2, 3], &[]);
    let client = network.connect(1);
    produce_to(&mut network, client, -1, &["a"]);
    network.kill(3);
    // The request's second is over before the session of nine is.
    let late = produce_to(&mut network, client, -1, &["b"]);
    assert_eq!(late.0, ErrorCode::REQUEST_TIMED_OUT.0);
    assert_eq!(offsets(&network, 1), (1, 2));
    network.sleep(10_000);
    assert_eq!(isr(&network), [1, 2]);
    assert_eq!(offsets(&network, 1), (2, 2));
    assert_eq!(produce_to(&mut network, client, -1, &["c"]), (0, 2));
    network.start_node(3);
    network.run_until_running();
    network.sleep(3_000);
    assert_eq!(isr(&network), [1, 2, 3]);
    assert_eq!(bytes_of(&network, 1), bytes_of(&network, 3));
}

#[test]
fn a_follower_that_is_cut_off_leaves_the_isr_by_its_lag_and_comes_back() {
    let mut network = Network::start(3, &[("replica.lag.time.max.ms", "10000")]);
    create_on(&mut network, "users", &[2, 3], &[]);
    let client = network.connect(2);
    produce_to(&mut network, client, -1, &["a"]);
    network.cut(2, 3);
    produce_to(&mut network, client, 1, &["b"]);
    network.sleep(4_000);
    assert_eq!(isr(&network), [2, 3]);
    assert_eq!(offsets(&network, 2), (1, 2));
    network.sleep(12_000);
    assert_eq!(isr(&network), [2]);
    assert_eq!(offsets(&network, 2), (2, 2));
    network.heal();
    network.sleep(3_000);
    assert_eq!(isr(&network), [2, 3]);
    assert_eq!(bytes_of(&network, 2), bytes_of(&network, 3));
}

#[test]
fn too_few_in_sync_replicas_refuse_acks_all_and_hold_the_high_watermark() {
    let mut network = Network::start(3, &[]);
    create_on(
        &mut network,
        "users",
        &[1, 3],
        &[("min.insync.replicas", "2")],
    );
    let client = network.connect(1);
    assert_eq!(produce_to(&mut network, client, -1, &["a"]), (0, 0));
    network.shut_down(3);
    network.sleep(1_000);
    assert_eq!(isr(&network), [1]);
    let refused = produce_to(&mut network, client, -1, &["b"]);
    assert_eq!(refused.0, ErrorCode::NOT_ENOUGH_REPLICAS.0);
    assert_eq!(produce_to(&mut network, client, 1, &["c"]), (0, 1));
    assert_eq!(offsets(&network, 1), (1, 2));
    network.start_node(3);
    network.run_until_running();
    network.sleep(3_000);
    assert_eq!(isr(&network), [1, 3]);
    assert_eq!(offsets(&network, 1), (2, 2));
}

#[test]
fn another_leader_takes_over_and_the_old_one_truncates_what_only_it_had() {
    let mut network = Network::start(3, &[]);
    create_on(&mut network, "users", &[2, 3], &[]);
    let client = network.connect(2);
    produce_to(&mut network, client, -1, &["a", "b"]);
    network.sleep(600);
    // Only the leader gets this one, and dies.
    network.cut(2, 3);
    produce_to(&mut network, client, 1, &["lost"]);
    assert_eq!(offsets(&network, 2), (2, 3));
    network.kill(2);
    network.heal();
    network.sleep(12_000);
    let view = network.node(3).partition_view("users", 0).unwrap();
    assert_eq!(view.role, Role::Leader);
    let client = network.connect(3);
    assert_eq!(produce_to(&mut network, client, -1, &["c"]), (0, 2));
    assert_eq!(produce_to(&mut network, client, -1, &["d"]), (0, 3));
    network.start_node(2);
    network.run_until_running();
    network.sleep(3_000);
    assert_eq!(isr(&network), [2, 3]);
    assert_eq!(bytes_of(&network, 2), bytes_of(&network, 3));
    let log = |id: i32| network.node(id).log("users", 0).unwrap();
    assert_eq!(log(2).epochs(), log(3).epochs());
    let truncated = network.machines[&2]
        .log
        .iter()
        .any(|line| line.message.contains("Truncating to offset 2"));
    assert!(truncated, "{:?}", network.machines[&2].log);
}

#[test]
fn deleted_records_go_on_all_replicas_before_the_answer() {
    let mut network = Network::start(3, &[]);
    create_on(&mut network, "users", &[1, 2, 3], &[]);
    let client = network.connect(1);
    produce_to(&mut network, client, -1, &["a", "b", "c"]);
    let request = DeleteRecordsRequest::default()
        .with_timeout_ms(5_000)
        .with_topics(vec![
            DeleteRecordsTopic::default()
                .with_name(name("users"))
                .with_partitions(vec![
                    DeleteRecordsPartition::default()
                        .with_partition_index(0)
                        .with_offset(2),
                ]),
        ]);
    let ResponseKind::DeleteRecords(response) = network.call(client, 2, request) else {
        panic!("DeleteRecords")
    };
    let partition = &response.topics[0].partitions[0];
    assert_eq!((partition.error_code, partition.low_watermark), (0, 2));
    for id in [1, 2, 3] {
        let view = network.node(id).partition_view("users", 0).unwrap();
        assert_eq!(view.log_start_offset, 2);
    }
}

#[test]
fn the_same_seed_makes_the_same_bytes() {
    let run = || {
        let mut network = Network::start(3, &[]);
        create_on(&mut network, "users", &[1, 2, 3], &[]);
        let client = network.connect(1);
        produce_to(&mut network, client, -1, &["a"]);
        network.kill(2);
        network.sleep(12_000);
        produce_to(&mut network, client, -1, &["b"]);
        network.start_node(2);
        network.run_until_running();
        network.sleep(2_000);
        [1, 2, 3].map(|id| {
            let machine = &network.machines[&id];
            (format!("{:?}", machine.log), format!("{:?}", machine.disk))
        })
    };
    assert!(run() == run());
}
