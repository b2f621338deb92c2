//! What survives another leader: committed offsets, histories that part, offsets that are gone, reads nearby.

use playground_protocol::ErrorCode;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::delete_records_request::{
    DeleteRecordsPartition, DeleteRecordsTopic,
};
use playground_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use playground_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use playground_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use playground_protocol::messages::{
    DeleteRecordsRequest, FindCoordinatorRequest, GroupId, ListOffsetsRequest, OffsetCommitRequest,
    OffsetFetchRequest, ResponseKind,
};

use super::network::Network;
use super::replication::{bytes_of, create_on, isr, offsets, produce_to};
use super::single::{fetch_request, name, values};
use crate::group::partition_for;
use crate::node::Role;

const OFFSETS: &str = "__consumer_offsets";

fn commit(group: &str, offset: i64) -> OffsetCommitRequest {
    OffsetCommitRequest::default()
        .with_group_id(GroupId(StrBytes::from_string(group.to_owned())))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![
            OffsetCommitRequestTopic::default()
                .with_name(name("users"))
                .with_partitions(vec![
                    OffsetCommitRequestPartition::default().with_committed_offset(offset),
                ]),
        ])
}

fn committed(group: &str) -> OffsetFetchRequest {
    OffsetFetchRequest::default().with_groups(vec![
        OffsetFetchRequestGroup::default()
            .with_group_id(GroupId(StrBytes::from_string(group.to_owned())))
            .with_topics(Some(vec![
                OffsetFetchRequestTopics::default()
                    .with_name(name("users"))
                    .with_partition_indexes(vec![0]),
            ])),
    ])
}

/// The error of a commit.
fn commit_on(network: &mut Network, node: i32, group: &str, offset: i64) -> ErrorCode {
    let client = network.connect(node);
    let ResponseKind::OffsetCommit(response) = network.call(client, 9, commit(group, offset))
    else {
        panic!("OffsetCommit")
    };
    ErrorCode(response.topics[0].partitions[0].error_code)
}

/// (Error, offset) of what a group has committed.
fn committed_on(network: &mut Network, node: i32, group: &str) -> (ErrorCode, i64) {
    let client = network.connect(node);
    let ResponseKind::OffsetFetch(response) = network.call(client, 8, committed(group)) else {
        panic!("OffsetFetch")
    };
    let group = &response.groups[0];
    let offset = group
        .topics
        .first()
        .map_or(-1, |topic| topic.partitions[0].committed_offset);
    (ErrorCode(group.error_code), offset)
}

#[test]
fn the_group_coordinator_moves_with_its_partition_and_loses_nothing() {
    let mut network = Network::start(3, &[("offsets.topic.num.partitions", "3")]);
    create_on(&mut network, "users", &[1], &[]);
    let client = network.connect(1);
    let find = FindCoordinatorRequest::default().with_coordinator_keys(vec!["g".into()]);
    network.call(client, 6, find);
    network.sleep(1_500);
    let leader_of = |network: &Network, number| {
        let image = network.node(1).metadata_image();
        image.partition(OFFSETS, number).unwrap().leader
    };
    let number = (0..3).find(|n| leader_of(&network, *n) == 2).unwrap();
    let group = (0..)
        .map(|index| format!("g{index}"))
        .find(|group| partition_for(group, 3) == number)
        .unwrap();
    assert_eq!(commit_on(&mut network, 2, &group, 7), ErrorCode::NONE);
    // The commit was answered when all in-sync replicas had it.
    for id in [1, 2, 3] {
        let view = network.node(id).partition_view(OFFSETS, number).unwrap();
        assert_eq!(view.log_end_offset, 1);
    }
    assert_eq!(
        committed_on(&mut network, 3, &group).0,
        ErrorCode::NOT_COORDINATOR
    );
    network.kill(2);
    network.sleep(12_000);
    let next = leader_of(&network, number);
    assert!([1, 3].contains(&next));
    assert_eq!(
        committed_on(&mut network, next, &group),
        (ErrorCode::NONE, 7)
    );
    assert_eq!(commit_on(&mut network, next, &group, 8), ErrorCode::NONE);
    network.start_node(2);
    network.run_until_running();
    network.sleep(3_000);
    assert_eq!(
        commit_on(&mut network, 2, &group, 9),
        ErrorCode::NOT_COORDINATOR
    );
    assert_eq!(
        committed_on(&mut network, next, &group),
        (ErrorCode::NONE, 8)
    );
}

#[test]
fn a_commit_that_the_followers_do_not_take_times_out_and_counts_later() {
    let overrides = [
        ("offsets.topic.num.partitions", "1"),
        ("replica.lag.time.max.ms", "20000"),
    ];
    let mut network = Network::start(3, &overrides);
    create_on(&mut network, "users", &[1], &[]);
    let client = network.connect(1);
    let find = FindCoordinatorRequest::default().with_coordinator_keys(vec!["g".into()]);
    network.call(client, 6, find);
    network.sleep(1_500);
    let image = network.node(1).metadata_image();
    let partition = image.partition(OFFSETS, 0).unwrap().clone();
    let leader = partition.leader;
    // A follower that is not the controller, nor reached by the leader.
    let follower = partition
        .replicas
        .iter()
        .copied()
        .find(|id| *id != leader && *id != 1)
        .unwrap();
    network.cut(leader, follower);
    let began = network.now;
    assert_eq!(
        commit_on(&mut network, leader, "g", 7),
        ErrorCode::COORDINATOR_NOT_AVAILABLE
    );
    assert_eq!(network.now, began.plus_millis(5_000));
    network.sleep(31_000);
    assert_eq!(
        committed_on(&mut network, leader, "g"),
        (ErrorCode::NONE, 7)
    );
}

#[test]
fn a_follower_that_missed_deleted_records_starts_where_the_leader_does() {
    let mut network = Network::start(3, &[]);
    create_on(&mut network, "users", &[1, 3], &[]);
    let client = network.connect(1);
    produce_to(&mut network, client, -1, &["a"]);
    network.kill(3);
    network.sleep(12_000);
    produce_to(&mut network, client, -1, &["b"]);
    produce_to(&mut network, client, -1, &["c"]);
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
    let began = network.now;
    let ResponseKind::DeleteRecords(response) = network.call(client, 2, request) else {
        panic!("DeleteRecords")
    };
    // Nobody waits for a broker that is not there.
    assert_eq!(response.topics[0].partitions[0].low_watermark, 2);
    assert_eq!(network.now, began);
    network.start_node(3);
    network.run_until_running();
    network.sleep(3_000);
    assert_eq!(isr(&network), [1, 3]);
    let view = network.node(3).partition_view("users", 0).unwrap();
    assert_eq!((view.log_start_offset, view.log_end_offset), (2, 3));
    let line = "Reset fetch offset for partition users-0 from 1 to current leader's start offset 2";
    let log = &network.machines[&3].log;
    assert!(log.iter().any(|entry| entry.message.ends_with(line)));
}

#[test]
fn after_an_unclean_election_a_replica_drops_what_the_new_leader_never_had() {
    let configs = [("unclean.leader.election.enable", "true")];
    let mut network = Network::start(3, &[]);
    create_on(&mut network, "users", &[2, 3], &configs);
    let client = network.connect(2);
    produce_to(&mut network, client, -1, &["safe"]);
    network.sleep(600);
    network.kill(3);
    network.sleep(12_000);
    produce_to(&mut network, client, -1, &["only on 2"]);
    network.kill(2);
    network.start_node(3);
    network.sleep(15_000);
    network.run_until_running();
    network.sleep(6 * 60_000);
    let view = network.node(3).partition_view("users", 0).unwrap();
    assert_eq!((view.role, view.log_end_offset), (Role::Leader, 1));
    let client = network.connect(3);
    assert_eq!(produce_to(&mut network, client, -1, &["new"]), (0, 1));
    network.start_node(2);
    network.run_until_running();
    network.sleep(3_000);
    assert_eq!(isr(&network), [2, 3]);
    assert_eq!(bytes_of(&network, 2), bytes_of(&network, 3));
    assert_eq!(offsets(&network, 2), (2, 2));
}

#[test]
fn a_consumer_reads_from_the_replica_in_its_rack() {
    let selector = "org.apache.kafka.common.replica.RackAwareReplicaSelector";
    let mut network = Network::start(3, &[("replica.selector.class", selector)]);
    for id in [1, 2, 3] {
        let machine = network.machines.get_mut(&id).unwrap();
        machine.config.rack = Some(format!("r{id}"));
    }
    for id in [1, 2, 3] {
        network.shut_down(id);
    }
    for id in [1, 2, 3] {
        network.start_node(id);
    }
    network.run_until_running();
    create_on(&mut network, "users", &[1, 2], &[]);
    let topic_id = network.node(1).metadata_image().topic("users").unwrap().id;
    let client = network.connect(1);
    produce_to(&mut network, client, -1, &["a", "b"]);
    network.sleep(600);
    let fetch = |network: &mut Network, node: i32, rack: &str| {
        let client = network.connect(node);
        let request =
            fetch_request(topic_id, 0, 0).with_rack_id(StrBytes::from_string(rack.into()));
        let ResponseKind::Fetch(response) = network.call(client, 13, request) else {
            panic!("Fetch")
        };
        let data = response.responses[0].partitions[0].clone();
        (data.preferred_read_replica.0, values(&data))
    };
    let both = vec!["a".to_owned(), "b".to_owned()];
    assert_eq!(fetch(&mut network, 1, "r2"), (2, vec![]));
    assert_eq!(fetch(&mut network, 1, "r1"), (-1, both.clone()));
    // Broker 3 has no replica.
    assert_eq!(fetch(&mut network, 1, "r3"), (-1, both.clone()));
    assert_eq!(fetch(&mut network, 2, "r2"), (-1, both));
    // A follower does not serve what its leader has not told it to be committed.
    network.cut(1, 2);
    produce_to(&mut network, client, 1, &["c"]);
    assert_eq!(fetch(&mut network, 2, "r2").1.len(), 2);
}

#[test]
fn a_new_leader_does_not_tell_an_end_below_what_was_told_before() {
    let mut network = Network::start(3, &[]);
    create_on(&mut network, "users", &[2, 3, 1], &[]);
    let client = network.connect(2);
    produce_to(&mut network, client, -1, &["a"]);
    network.sleep(600);
    // Followers have this one, and have not heard that it is committed; nor will broker 1 fetch it again.
    assert_eq!(produce_to(&mut network, client, -1, &["b"]).0, 0);
    assert_eq!(offsets(&network, 2), (2, 2));
    assert_eq!(offsets(&network, 3), (1, 2));
    network.kill(2);
    network.cut(1, 3);
    let latest = |network: &mut Network| {
        let client = network.connect(3);
        let request = ListOffsetsRequest::default()
            .with_replica_id((-1).into())
            .with_topics(vec![
                ListOffsetsTopic::default()
                    .with_name(name("users"))
                    .with_partitions(vec![
                        ListOffsetsPartition::default()
                            .with_current_leader_epoch(-1)
                            .with_timestamp(-1),
                    ]),
            ]);
        let ResponseKind::ListOffsets(response) = network.call(client, 9, request) else {
            panic!("ListOffsets")
        };
        let partition = &response.topics[0].partitions[0];
        (ErrorCode(partition.error_code), partition.offset)
    };
    assert_eq!(latest(&mut network).0, ErrorCode::NOT_LEADER_OR_FOLLOWER);
    network.heal();
    for _ in 0..100_000 {
        if network.node(3).partition_view("users", 0).unwrap().role == Role::Leader {
            break;
        }
        network.advance();
    }
    let told = latest(&mut network);
    let known = [(ErrorCode::OFFSET_NOT_AVAILABLE, -1), (ErrorCode::NONE, 2)];
    assert!(known.contains(&told), "{told:?}");
    network.sleep(2_000);
    assert_eq!(latest(&mut network), (ErrorCode::NONE, 2));
}

#[test]
fn a_broker_that_stops_in_order_hands_its_leaderships_over_without_a_gap() {
    let mut network = Network::start(3, &[]);
    create_on(&mut network, "users", &[2, 3], &[]);
    let client = network.connect(2);
    produce_to(&mut network, client, -1, &["a"]);
    let began = network.now;
    network.shut_down(2);
    // The controller lets it go when all others have heard, by their heartbeats every two seconds.
    assert!(network.now < began.plus_millis(2_500));
    network.sleep(600);
    let view = network.node(3).partition_view("users", 0).unwrap();
    assert_eq!((view.role, view.log_end_offset), (Role::Leader, 1));
    assert_eq!(isr(&network), [3]);
    network.start_node(2);
    network.run_until_running();
    network.sleep(3_000);
    assert_eq!(isr(&network), [2, 3]);
    assert_eq!(bytes_of(&network, 2), bytes_of(&network, 3));
}
