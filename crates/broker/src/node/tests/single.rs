//! One broker: from its first request to its restart.

use bytes::Bytes;
use playground_log::{Codec, RecordBatchBuilder, batches};
use playground_protocol::ErrorCode;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::create_topics_request::CreatableTopic;
use playground_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use playground_protocol::messages::fetch_response::PartitionData;
use playground_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use playground_protocol::messages::metadata_request::MetadataRequestTopic;
use playground_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use playground_protocol::messages::produce_response::PartitionProduceResponse;
use playground_protocol::messages::*;
use uuid::Uuid;

use super::network::{Client, Network};

pub fn name(topic: &str) -> TopicName {
    TopicName(StrBytes::from_string(topic.to_owned()))
}

pub fn create(network: &mut Network, client: Client, topic: &str, partitions: i32) -> Uuid {
    let request = CreateTopicsRequest::default()
        .with_timeout_ms(30_000)
        .with_topics(vec![
            CreatableTopic::default()
                .with_name(name(topic))
                .with_num_partitions(partitions)
                .with_replication_factor(1),
        ]);
    let ResponseKind::CreateTopics(response) = network.call(client, 7, request) else {
        panic!("CreateTopics")
    };
    assert_eq!(response.topics[0].error_code, 0, "{response:?}");
    network.settle();
    response.topics[0].topic_id
}

pub fn batch(values: &[&str]) -> Bytes {
    let mut builder = RecordBatchBuilder::new(Codec::None);
    for (index, value) in values.iter().enumerate() {
        builder.append(
            1_700_000_000_000 + index as i64,
            Some(b"k"),
            Some(value.as_bytes()),
            &[],
        );
    }
    builder.build().unwrap()
}

pub fn produce_request(topic: &str, partition: i32, acks: i16, records: Bytes) -> ProduceRequest {
    ProduceRequest::default()
        .with_acks(acks)
        .with_timeout_ms(1_000)
        .with_topic_data(vec![
            TopicProduceData::default()
                .with_name(name(topic))
                .with_partition_data(vec![
                    PartitionProduceData::default()
                        .with_index(partition)
                        .with_records(Some(records)),
                ]),
        ])
}

pub fn produce(
    network: &mut Network,
    client: Client,
    topic: &str,
    values: &[&str],
) -> PartitionProduceResponse {
    let request = produce_request(topic, 0, -1, batch(values));
    let ResponseKind::Produce(response) = network.call(client, 12, request) else {
        panic!("Produce")
    };
    response.responses[0].partition_responses[0].clone()
}

pub fn fetch_request(topic_id: Uuid, offset: i64, wait_ms: i32) -> FetchRequest {
    FetchRequest::default()
        .with_max_wait_ms(wait_ms)
        .with_min_bytes(1)
        .with_max_bytes(1 << 20)
        .with_session_epoch(-1)
        .with_topics(vec![
            FetchTopic::default()
                .with_topic_id(topic_id)
                .with_partitions(vec![
                    FetchPartition::default()
                        .with_partition(0)
                        .with_current_leader_epoch(-1)
                        .with_fetch_offset(offset)
                        .with_partition_max_bytes(1 << 20),
                ]),
        ])
}

pub fn values(data: &PartitionData) -> Vec<String> {
    batches(data.records.clone().unwrap())
        .flat_map(|batch| batch.unwrap().records().unwrap())
        .map(|record| String::from_utf8(record.unwrap().value.unwrap().to_vec()).unwrap())
        .collect()
}

fn partition_of(response: ResponseKind) -> PartitionData {
    let ResponseKind::Fetch(response) = response else {
        panic!("Fetch")
    };
    assert_eq!(response.error_code, 0);
    response.responses[0].partitions[0].clone()
}

fn list_offset(network: &mut Network, client: Client, timestamp: i64) -> (i64, i64) {
    let request = ListOffsetsRequest::default()
        .with_replica_id((-1).into())
        .with_topics(vec![
            ListOffsetsTopic::default()
                .with_name(name("users"))
                .with_partitions(vec![
                    ListOffsetsPartition::default()
                        .with_partition_index(0)
                        .with_current_leader_epoch(-1)
                        .with_timestamp(timestamp),
                ]),
        ]);
    let ResponseKind::ListOffsets(response) = network.call(client, 10, request) else {
        panic!("ListOffsets")
    };
    let partition = &response.topics[0].partitions[0];
    assert_eq!(partition.error_code, 0);
    (partition.timestamp, partition.offset)
}

#[test]
fn from_the_first_request_to_a_restart() {
    let mut network = Network::start(1, &[]);
    let client = network.connect(1);
    let versions = ApiVersionsRequest::default()
        .with_client_software_name("test".into())
        .with_client_software_version("1".into());
    let ResponseKind::ApiVersions(response) = network.call(client, 4, versions) else {
        panic!("ApiVersions")
    };
    assert!(response.api_keys.iter().any(|api| api.api_key == 0));
    assert_eq!(response.error_code, 0);

    let id = create(&mut network, client, "users", 2);
    let view = network.node(1).partition_view("users", 1).unwrap();
    assert_eq!((view.log_end_offset, view.leader_epoch), (0, 0));
    assert!(network.machines[&1].disk.is_directory("/data/users-1"));

    // A fetch waits, and the produce of another client wakes it.
    let key = network.send(client, 17, fetch_request(id, 0, 60_000));
    network.sleep(1_000);
    assert!(network.receive(client, key, 17).is_none());
    let producer = network.connect(1);
    let produced = produce(&mut network, producer, "users", &["mitch", "elyse"]);
    assert_eq!((produced.error_code, produced.base_offset), (0, 0));
    let data = partition_of(network.receive(client, key, 17).unwrap());
    assert_eq!(values(&data), ["mitch", "elyse"]);
    assert_eq!((data.high_watermark, data.last_stable_offset), (2, 2));

    // A fetch at the end waits out its time.
    let before = network.now;
    let data = partition_of(network.call(client, 17, fetch_request(id, 2, 500)));
    assert_eq!(network.now, before.plus_millis(500));
    assert!(data.records.unwrap().is_empty());
    let data = partition_of(network.call(client, 17, fetch_request(id, 3, 500)));
    assert_eq!(data.error_code, ErrorCode::OFFSET_OUT_OF_RANGE.0);
    let unknown = fetch_request(Uuid::from_u128(3), 0, 500);
    let data = partition_of(network.call(client, 17, unknown));
    assert_eq!(data.error_code, ErrorCode::UNKNOWN_TOPIC_ID.0);

    assert_eq!(list_offset(&mut network, client, -1), (-1, 2));
    assert_eq!(list_offset(&mut network, client, -2), (-1, 0));
    assert_eq!(
        list_offset(&mut network, client, 1_700_000_000_001),
        (1_700_000_000_001, 1)
    );
    assert_eq!(
        list_offset(&mut network, client, -3),
        (1_700_000_000_001, 1)
    );

    // In order, and then as a crash.
    network.shut_down(1);
    assert!(
        network.machines[&1]
            .disk
            .exists("/data/.kafka_cleanshutdown")
    );
    network.start_node(1);
    network.run_until_running();
    let client = network.connect(1);
    let produced = produce(&mut network, client, "users", &["isabelle"]);
    assert_eq!((produced.error_code, produced.base_offset), (0, 2));
    network.kill(1);
    network.start_node(1);
    network.run_until_running();
    let client = network.connect(1);
    let data = partition_of(network.call(client, 17, fetch_request(id, 0, 0)));
    assert!(values(&data).starts_with(&["mitch".to_owned(), "elyse".to_owned()]));
    assert_eq!(list_offset(&mut network, client, -1), (-1, 3));
    let view = network.node(1).partition_view("users", 0).unwrap();
    assert!(view.leader_epoch > 0);
}

#[test]
fn topics_are_made_on_demand_and_deleted() {
    let mut network = Network::start(1, &[("num.partitions", "3")]);
    let client = network.connect(1);
    let metadata = |topic: &str| {
        MetadataRequest::default()
            .with_allow_auto_topic_creation(true)
            .with_topics(Some(vec![
                MetadataRequestTopic::default().with_name(Some(name(topic))),
            ]))
    };
    let topic = |response: ResponseKind| {
        let ResponseKind::Metadata(response) = response else {
            panic!("Metadata")
        };
        assert_eq!(response.brokers[0].port, 9092);
        response.topics[0].clone()
    };
    let first = topic(network.call(client, 12, metadata("fresh")));
    assert_eq!(first.error_code, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0);
    network.settle();
    let second = topic(network.call(client, 12, metadata("fresh")));
    assert_eq!((second.error_code, second.partitions.len()), (0, 3));
    assert_eq!(second.partitions[0].leader_id.0, 1);

    let produced = produce(&mut network, client, "fresh", &["x"]);
    assert_eq!(produced.error_code, 0);
    let delete = DeleteTopicsRequest::default()
        .with_timeout_ms(1_000)
        .with_topics(vec![
            delete_topics_request::DeleteTopicState::default().with_name(Some(name("fresh"))),
        ]);
    let ResponseKind::DeleteTopics(deleted) = network.call(client, 6, delete) else {
        panic!("DeleteTopics")
    };
    assert_eq!(deleted.responses[0].error_code, 0);
    network.settle();
    assert!(network.node(1).partition_view("fresh", 0).is_none());
    let on_disk = |network: &Network| {
        let names = network.machines[&1].disk.list("/data");
        names
            .iter()
            .filter(|name| name.ends_with("-delete"))
            .count()
    };
    assert_eq!(on_disk(&network), 3);
    network.sleep(61_000);
    assert_eq!(on_disk(&network), 0);
}

#[test]
fn produce_says_what_is_wrong() {
    let mut network = Network::start(1, &[]);
    let client = network.connect(1);
    create(&mut network, client, "users", 1);
    let mut error = |request: ProduceRequest| {
        let ResponseKind::Produce(response) = network.call(client, 12, request) else {
            panic!("Produce")
        };
        ErrorCode(response.responses[0].partition_responses[0].error_code)
    };
    assert_eq!(
        error(produce_request("nobody", 0, 1, batch(&["x"]))),
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
    );
    assert_eq!(
        error(produce_request("users", 7, 1, batch(&["x"]))),
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
    );
    assert_eq!(
        error(produce_request("users", 0, 5, batch(&["x"]))),
        ErrorCode::INVALID_REQUIRED_ACKS
    );
    let mut damaged = batch(&["x"]).to_vec();
    let last = damaged.len() - 1;
    damaged[last] ^= 1;
    assert_eq!(
        error(produce_request("users", 0, 1, Bytes::from(damaged))),
        ErrorCode::CORRUPT_MESSAGE
    );
    assert_eq!(
        error(produce_request(
            "users",
            0,
            1,
            batch(&[&"x".repeat(1_100_000)])
        )),
        ErrorCode::MESSAGE_TOO_LARGE
    );
    // acks=0 has no answer: the next one is for the next request; on an error the connection ends.
    network.send(client, 12, produce_request("users", 0, 0, batch(&["y"])));
    assert_eq!(network.receive_bytes(client), None);
    let produced = produce(&mut network, client, "users", &["z"]);
    assert_eq!(produced.base_offset, 1);
    network.send(client, 12, produce_request("nobody", 0, 0, batch(&["y"])));
    assert!(network.is_closed(client));
}

#[test]
fn groups_commit_their_offsets_to_the_log() {
    let mut network = Network::start(1, &[]);
    let client = network.connect(1);
    create(&mut network, client, "users", 1);
    let find = FindCoordinatorRequest::default().with_coordinator_keys(vec!["g".into()]);
    let coordinator = |network: &mut Network, client| {
        let ResponseKind::FindCoordinator(response) = network.call(client, 6, find.clone()) else {
            panic!("FindCoordinator")
        };
        response.coordinators[0].clone()
    };
    let found = coordinator(&mut network, client);
    assert_eq!(found.error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE.0);
    network.settle();
    let found = coordinator(&mut network, client);
    assert_eq!(
        (found.error_code, found.node_id.0, found.port),
        (0, 1, 9092)
    );
    let commit = OffsetCommitRequest::default()
        .with_group_id(GroupId("g".into()))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![
            offset_commit_request::OffsetCommitRequestTopic::default()
                .with_name(name("users"))
                .with_partitions(vec![
                    offset_commit_request::OffsetCommitRequestPartition::default()
                        .with_partition_index(0)
                        .with_committed_offset(17)
                        .with_committed_leader_epoch(-1),
                ]),
        ]);
    let ResponseKind::OffsetCommit(committed) = network.call(client, 8, commit) else {
        panic!("OffsetCommit")
    };
    assert_eq!(committed.topics[0].partitions[0].error_code, 0);
    let number = crate::group::partition_for("g", 50);
    let view = network
        .node(1)
        .partition_view("__consumer_offsets", number)
        .unwrap();
    assert_eq!(view.log_end_offset, 1);
    network.kill(1);
    network.start_node(1);
    network.run_until_running();
    let groups = network.node(1).group_views();
    assert_eq!(groups.len(), 1);
    assert_eq!(groups[0].offsets[0].offset, 17);
}

#[test]
fn producer_ids_come_from_the_controller() {
    let mut network = Network::start(1, &[]);
    let client = network.connect(1);
    let mut init = || {
        let request = InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_producer_id((-1).into())
            .with_producer_epoch(-1);
        let ResponseKind::InitProducerId(response) = network.call(client, 5, request) else {
            panic!("InitProducerId")
        };
        (response.error_code, response.producer_id.0)
    };
    let (error, _) = init();
    assert_eq!(error, ErrorCode::COORDINATOR_LOAD_IN_PROGRESS.0);
    assert_eq!(init(), (0, 0));
    assert_eq!(init(), (0, 1));
}
