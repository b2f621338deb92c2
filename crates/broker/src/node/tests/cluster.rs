//! Several nodes: the metadata log is copied, partitions are spread, requests are forwarded.

use playground_protocol::ErrorCode;
use playground_protocol::messages::ResponseKind;

use super::network::Network;
use super::single::{batch, create, produce_request};
use crate::raft::METADATA_TOPIC;

#[test]
fn all_nodes_follow_the_metadata() {
    let mut network = Network::start(3, &[]);
    // By way of a broker that is not the controller.
    let client = network.connect(3);
    create(&mut network, client, "users", 6);
    network.sleep(600);
    let active = [1, 2, 3].map(|id| network.node(id).is_controller());
    assert_eq!(active.iter().filter(|active| **active).count(), 1);
    let end = |network: &Network, id| {
        let log = network.node(id).log(METADATA_TOPIC, 0).unwrap();
        (log.log_end_offset(), log.high_watermark())
    };
    assert_eq!(end(&network, 1), end(&network, 2));
    assert_eq!(end(&network, 1), end(&network, 3));
    let images = [1, 2, 3].map(|id| network.node(id).metadata_image().clone());
    assert_eq!(images[0], images[1]);
    assert_eq!(images[1], images[2]);
    let led = |network: &Network, id: i32| {
        (0..6)
            .filter(|number| network.node(id).partition_view("users", *number).is_some())
            .count()
    };
    assert_eq!([1, 2, 3].map(|id| led(&network, id)), [2, 2, 2]);

    // A broker that does not lead says who does.
    let elsewhere = (0..6)
        .find(|number| network.node(3).partition_view("users", *number).is_none())
        .unwrap();
    let request = produce_request("users", elsewhere, 1, batch(&["x"]));
    let ResponseKind::Produce(response) = network.call(client, 12, request) else {
        panic!("Produce")
    };
    let partition = &response.responses[0].partition_responses[0];
    assert_eq!(partition.error_code, ErrorCode::NOT_LEADER_OR_FOLLOWER.0);
    assert!([1, 2].contains(&partition.current_leader.leader_id.0));
    assert_eq!(response.node_endpoints.len(), 1);
}

#[test]
fn a_node_that_was_away_catches_up() {
    let mut network = Network::start(3, &[]);
    network.shut_down(2);
    let client = network.connect(1);
    create(&mut network, client, "users", 4);
    network.start_node(2);
    network.run_until_running();
    network.sleep(3_000);
    let topic = network.node(2).metadata_image().topic("users");
    assert_eq!(topic.map(|topic| topic.partitions.len()), Some(4));
    // A crash fences it when its session ends.
    network.kill(2);
    network.sleep(15_000);
    assert!(network.node(1).metadata_image().alive_broker(2).is_none());
    assert!(network.node(1).metadata_image().alive_broker(3).is_some());
}

#[test]
fn all_stop_at_once_and_come_back_at_once() {
    let mut network = Network::start(3, &[]);
    let client = network.connect(1);
    create(&mut network, client, "users", 3);
    for id in [1, 2, 3] {
        network.begin_shut_down(id);
    }
    let began = network.now;
    for id in [1, 2, 3] {
        network.run_until_stopped(id);
    }
    // The last one has no quorum any more that could move its leaderships away.
    assert!(network.now < began.plus_millis(3_500));
    for id in [1, 2, 3] {
        network.start_node(id);
    }
    let began = network.now;
    network.run_until_running();
    // An election, and the session of the one that could not say good-bye.
    assert!(network.now < began.plus_millis(12_000));
    assert!(network.node(3).metadata_image().topic("users").is_some());
    for id in [1, 2, 3] {
        let disk = &network.machines[&id].disk;
        assert!(!disk.exists("/data/.kafka_cleanshutdown"));
    }
}

#[test]
fn brokers_stop_without_a_controller_too() {
    let mut network = Network::start(3, &[]);
    network.shut_down(1);
    let began = network.now;
    network.shut_down(2);
    network.kill(3);
    assert!(network.now < began.plus_millis(4_000));
    assert!(
        network.machines[&2]
            .disk
            .exists("/data/.kafka_cleanshutdown")
    );
}
