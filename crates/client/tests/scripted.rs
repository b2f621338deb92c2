//! The network client against answers written by hand.

use bytes::Bytes;
use playground_client::{
    Admin, AdminConfig, AdminEvent, AdminRequest, AdminResponse, Client, Producer, ProducerConfig,
    ProducerEvent, ProducerRecord, properties,
};
use playground_protocol::messages::api_versions_response::ApiVersion;
use playground_protocol::messages::init_producer_id_response::InitProducerIdResponse;
use playground_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use playground_protocol::messages::produce_response::{
    PartitionProduceResponse, TopicProduceResponse,
};
use playground_protocol::messages::{
    ApiKey, ApiVersionsResponse, BrokerId, DescribeClusterResponse, MetadataResponse,
    ProduceResponse, ProducerId, RequestKind, ResponseKind, TopicName,
};
use playground_protocol::{
    ClientInput, ClientOutput, ConnectionId, LogLine, RequestFrame, ResponseFrame, Time,
};
use uuid::Uuid;

const TOPIC_ID: Uuid = Uuid::from_u128(9);

/// The one broker of a test: what the client sent, decoded, and how to answer.
struct Script<C> {
    client: C,
    now: Time,
    connections: Vec<ConnectionId>,
    requests: Vec<(ConnectionId, RequestFrame)>,
    closed: Vec<ConnectionId>,
    log: Vec<LogLine>,
}

impl<C: Client> Script<C> {
    fn new(client: C, now: Time) -> Script<C> {
        let mut script = Script {
            client,
            now,
            connections: Vec::new(),
            requests: Vec::new(),
            closed: Vec::new(),
            log: Vec::new(),
        };
        script.drain();
        script
    }

    fn drain(&mut self) {
        while let Some(output) = self.client.poll_output() {
            match output {
                ClientOutput::Connect { connection, .. } => self.connections.push(connection),
                ClientOutput::Send(connection, frame) => self
                    .requests
                    .push((connection, RequestFrame::decode(frame).unwrap())),
                ClientOutput::Close(connection) => self.closed.push(connection),
                ClientOutput::Log(line) => self.log.push(line),
            }
        }
    }

    fn input(&mut self, input: ClientInput) {
        self.client.handle(input, self.now);
        self.drain();
    }

    /// Lets time pass, tick by tick.
    fn pass(&mut self, ms: i64) {
        let end = self.now.plus_millis(ms);
        for _ in 0..10_000 {
            let next = self.client.next_deadline();
            if next > end {
                self.now = end;
                return;
            }
            self.now = self.now.max(next);
            self.client.tick(self.now);
            self.drain();
        }
        panic!("the client's deadlines do not end");
    }

    fn connect(&mut self) -> ConnectionId {
        let connection = self.connections.remove(0);
        self.input(ClientInput::Connected(connection));
        connection
    }

    /// Takes the next request, which must be of this API.
    fn expect(&mut self, api_key: ApiKey) -> (ConnectionId, RequestFrame) {
        assert!(!self.requests.is_empty(), "no request, {api_key:?} awaited");
        let (connection, request) = self.requests.remove(0);
        assert_eq!(request.api_key, api_key, "{request:?}");
        (connection, request)
    }

    fn answer(
        &mut self,
        (connection, request): &(ConnectionId, RequestFrame),
        body: impl Into<ResponseKind>,
    ) {
        let frame = ResponseFrame {
            correlation_id: request.correlation_id,
            body: body.into(),
        }
        .encode(request.api_key, request.api_version)
        .unwrap();
        self.input(ClientInput::Frame(*connection, frame));
    }

    fn handshake(&mut self) -> ConnectionId {
        let connection = self.connect();
        let request = self.expect(ApiKey::ApiVersions);
        self.answer(&request, api_versions());
        connection
    }

    fn warnings(&self) -> Vec<&str> {
        self.log
            .iter()
            .filter(|line| line.level >= playground_protocol::LogLevel::Warn)
            .map(|line| line.message.as_str())
            .collect()
    }
}

fn api_versions() -> ApiVersionsResponse {
    let api = |key: ApiKey, low, high| {
        ApiVersion::default()
            .with_api_key(key as i16)
            .with_min_version(low)
            .with_max_version(high)
    };
    ApiVersionsResponse::default().with_api_keys(vec![
        api(ApiKey::Produce, 3, 13),
        api(ApiKey::Metadata, 0, 12),
        api(ApiKey::InitProducerId, 0, 5),
        api(ApiKey::DescribeCluster, 0, 1),
    ])
}

fn metadata(leader: i32) -> MetadataResponse {
    let broker = MetadataResponseBroker::default()
        .with_node_id(BrokerId(1))
        .with_host("localhost".into())
        .with_port(9092);
    MetadataResponse::default()
        .with_brokers(vec![broker])
        .with_controller_id(BrokerId(1))
        .with_topics(vec![
            MetadataResponseTopic::default()
                .with_name(Some(TopicName("t".into())))
                .with_topic_id(TOPIC_ID)
                .with_partitions(vec![
                    MetadataResponsePartition::default()
                        .with_partition_index(0)
                        .with_leader_id(BrokerId(leader))
                        .with_leader_epoch(0),
                ]),
        ])
}

fn produced(error: i16, base_offset: i64) -> ProduceResponse {
    ProduceResponse::default().with_responses(vec![
        TopicProduceResponse::default()
            .with_topic_id(TOPIC_ID)
            .with_partition_responses(vec![
                PartitionProduceResponse::default()
                    .with_index(0)
                    .with_error_code(error)
                    .with_base_offset(base_offset),
            ]),
    ])
}

fn record(value: &str) -> ProducerRecord {
    ProducerRecord {
        topic: "t".to_owned(),
        value: Some(Bytes::from(value.to_owned())),
        ..ProducerRecord::default()
    }
}

fn start() -> Time {
    Time::from_millis(1_000_000)
}

fn admin() -> Script<Admin> {
    let config = AdminConfig::from_properties(&properties([("bootstrap.servers", "a:1,b:2")]));
    Script::new(Admin::new(config.unwrap(), 1, start()), start())
}

fn producer(more: &[(&str, &str)]) -> Script<Producer> {
    let mut all = vec![("bootstrap.servers", "a:1"), ("linger.ms", "0")];
    all.extend(more);
    let config = ProducerConfig::from_properties(&properties(all)).unwrap();
    Script::new(Producer::new(config, 1, start()), start())
}

/// A producer that is connected, knows topic `t`, and has producer id 7.
fn ready_producer(more: &[(&str, &str)]) -> (Script<Producer>, ConnectionId) {
    let mut script = producer(more);
    script.client.send(record("first"), script.now);
    script.drain();
    script.handshake();
    let request = script.expect(ApiKey::Metadata);
    script.answer(&request, metadata(1));
    let request = script.expect(ApiKey::InitProducerId);
    script.answer(
        &request,
        InitProducerIdResponse::default()
            .with_producer_id(ProducerId(7))
            .with_producer_epoch(0),
    );
    script.pass(20);
    // The leader is another connection than the bootstrap address, even to the same host.
    let connection = script.handshake();
    (script, connection)
}

fn batch_of(request: &RequestFrame) -> playground_log::record::RecordBatch {
    let RequestKind::Produce(produce) = &request.body else {
        panic!("{request:?}");
    };
    let records = produce.topic_data[0].partition_data[0].records.clone();
    playground_log::record::batches(records.unwrap())
        .next()
        .unwrap()
        .unwrap()
}

#[test]
fn api_versions_falls_back_to_what_an_old_broker_knows() {
    let mut script = admin();
    script.connect();
    let (connection, request) = script.expect(ApiKey::ApiVersions);
    assert_eq!(request.api_version, 4);
    let RequestKind::ApiVersions(body) = &request.body else {
        panic!("{request:?}");
    };
    assert_eq!(&*body.client_software_name, "apache-kafka-java");
    assert_eq!(&*body.client_software_version, "4.3.1");
    // KIP-511: error 35 in the shape of version 0, with the range that is known.
    let refusal = ResponseFrame {
        correlation_id: request.correlation_id,
        body: ApiVersionsResponse::default()
            .with_error_code(35)
            .with_api_keys(vec![
                ApiVersion::default().with_api_key(18).with_max_version(2),
            ])
            .into(),
    };
    let frame = refusal.encode(ApiKey::ApiVersions, 0).unwrap();
    script.input(ClientInput::Frame(connection, frame));
    let again = script.expect(ApiKey::ApiVersions);
    assert_eq!(again.1.api_version, 2);
    script.answer(&again, api_versions());
    let request = script.expect(ApiKey::Metadata);
    assert_eq!(request.1.api_version, 12, "the newest that both know");
}

#[test]
fn an_admin_call_waits_for_metadata_and_goes_to_a_broker() {
    let mut script = admin();
    let now = script.now;
    script.client.submit(
        AdminRequest::DescribeCluster {
            include_fenced: false,
        },
        None,
        now,
    );
    script.handshake();
    let request = script.expect(ApiKey::Metadata);
    script.answer(&request, metadata(1));
    script.handshake();
    let request = script.expect(ApiKey::DescribeCluster);
    assert_eq!(request.1.api_version, 1);
    script.answer(
        &request,
        DescribeClusterResponse::default().with_cluster_id("abc".into()),
    );
    match script.client.poll_event() {
        Some(AdminEvent::Done {
            result: Ok(AdminResponse::DescribeCluster(cluster)),
            ..
        }) => assert_eq!(cluster.cluster_id, "abc"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_call_that_is_never_answered_ends_in_javas_words() {
    let mut script = admin();
    script.handshake();
    let request = script.expect(ApiKey::Metadata);
    script.answer(&request, metadata(1));
    let now = script.now;
    script.client.submit(
        AdminRequest::DescribeCluster {
            include_fenced: false,
        },
        Some(5_000),
        now,
    );
    script.drain();
    script.handshake();
    script.expect(ApiKey::DescribeCluster);
    script.pass(6_000);
    let Some(AdminEvent::Done {
        result: Err(error), ..
    }) = script.client.poll_event()
    else {
        panic!("the call goes on");
    };
    let text = error.to_string();
    assert!(
        text.starts_with(
            "org.apache.kafka.common.errors.TimeoutException: Call(callName=listNodes, deadlineMs=1005000, tries=1, nextAllowedTryMs="
        ) && text.ends_with(" timed out at 1005000 after 1 attempt(s)"),
        "{text}"
    );
    assert_eq!(
        error.cause.unwrap().to_string(),
        "org.apache.kafka.common.errors.DisconnectException: Cancelled listNodes request with correlation id 3 due to node 1 being disconnected"
    );
}

#[test]
fn a_failed_connection_is_tried_again_after_a_growing_backoff() {
    let config = AdminConfig::from_properties(&properties([("bootstrap.servers", "localhost:1")]));
    let mut script = Script::new(Admin::new(config.unwrap(), 1, start()), start());
    let mut waits = Vec::new();
    for _ in 0..8 {
        let connection = script.connections.remove(0);
        script.input(ClientInput::ConnectFailed(connection));
        let failed = script.now;
        while script.connections.is_empty() {
            script.pass(1);
        }
        waits.push(script.now.millis() - failed.millis());
    }
    for (wait, nominal) in waits.iter().zip([50, 100, 200, 400, 800, 1000, 1000, 1000]) {
        assert!(
            (nominal * 8 / 10..=nominal * 12 / 10 + 1).contains(wait),
            "{waits:?}"
        );
    }
    assert_eq!(script.warnings().len(), 8);
    assert_eq!(
        script.warnings()[0],
        "[AdminClient clientId=adminclient-1] Connection to node -1 (localhost/127.0.0.1:1) could not be established. Node may not be available."
    );
}

#[test]
fn garbage_from_a_broker_closes_the_connection_only() {
    let mut script = admin();
    let connection = script.connect();
    script.expect(ApiKey::ApiVersions);
    script.input(ClientInput::Frame(
        connection,
        Bytes::from_static(&[0xff; 40]),
    ));
    assert_eq!(script.closed, [connection]);
    script.pass(2_000);
    assert!(!script.connections.is_empty(), "it connects again");
}

#[test]
fn a_retry_keeps_its_sequence_and_later_batches_wait_for_it() {
    let (mut script, _) = ready_producer(&[]);
    let first = script.expect(ApiKey::Produce);
    let header = batch_of(&first.1).header;
    assert_eq!((header.producer_id, header.base_sequence), (7, 0));
    let now = script.now;
    script.client.send(record("second"), now);
    script.drain();
    let second = script.expect(ApiKey::Produce);
    assert_eq!(batch_of(&second.1).header.base_sequence, 1);
    // NOT_ENOUGH_REPLICAS, then what the broker says of a batch that comes too early.
    script.answer(&first, produced(19, -1));
    script.answer(&second, produced(45, -1));
    script.pass(500);
    let again = script.expect(ApiKey::Produce);
    assert_eq!(batch_of(&again.1).header.base_sequence, 0);
    assert!(script.requests.is_empty(), "the second waits");
    script.answer(&again, produced(0, 10));
    script.pass(500);
    let again = script.expect(ApiKey::Produce);
    assert_eq!(batch_of(&again.1).header.base_sequence, 1);
    script.answer(&again, produced(0, 11));
    let mut offsets = Vec::new();
    while let Some(ProducerEvent::Completed { result, .. }) = script.client.poll_event() {
        offsets.push(result.unwrap().offset);
    }
    assert_eq!(offsets, [10, 11]);
    assert_eq!(
        script.warnings()[0],
        "[Producer clientId=producer-1] Got error produce response with correlation id 4 on topic-partition t-0, retrying (2147483646 attempts left). Error: NOT_ENOUGH_REPLICAS"
    );
}

#[test]
fn a_record_that_fails_for_good_starts_a_new_epoch() {
    let (mut script, _) = ready_producer(&[]);
    let first = script.expect(ApiKey::Produce);
    script.answer(&first, produced(87, -1));
    let Some(ProducerEvent::Completed { result, .. }) = script.client.poll_event() else {
        panic!("the record is not completed");
    };
    assert_eq!(result.unwrap_err().simple_name(), "InvalidRecordException");
    let now = script.now;
    script.client.send(record("second"), now);
    script.drain();
    let second = script.expect(ApiKey::Produce);
    let header = batch_of(&second.1).header;
    assert_eq!((header.producer_epoch, header.base_sequence), (1, 0));
}

#[test]
fn a_batch_that_is_too_large_is_split() {
    let (mut script, _) = ready_producer(&[("batch.size", "200"), ("linger.ms", "10")]);
    script.pass(20);
    let first = script.expect(ApiKey::Produce);
    script.answer(&first, produced(0, 0));
    let now = script.now;
    for _ in 0..2 {
        script.client.send(record(&"x".repeat(50)), now);
    }
    script.drain();
    script.pass(20);
    let both = script.expect(ApiKey::Produce);
    assert_eq!(batch_of(&both.1).header.record_count, 2);
    script.answer(&both, produced(10, -1));
    script.pass(20);
    // Both fit batch.size still: it is the broker's limit that is smaller. The next split halves them.
    let part = script.expect(ApiKey::Produce);
    let header = batch_of(&part.1).header;
    assert_eq!((header.base_sequence, header.record_count), (1, 2));
    script.answer(&part, produced(10, -1));
    script.pass(20);
    for sequence in [1, 2] {
        let part = script.expect(ApiKey::Produce);
        let header = batch_of(&part.1).header;
        assert_eq!((header.base_sequence, header.record_count), (sequence, 1));
        script.answer(&part, produced(0, i64::from(sequence)));
    }
    assert_eq!(script.client.incomplete(), 0);
    assert!(
        script.warnings()[0].contains("splitting and retrying"),
        "{:?}",
        script.warnings()
    );
}

#[test]
fn five_requests_at_most_are_under_way() {
    let (mut script, connection) = ready_producer(&[("batch.size", "1")]);
    for _ in 0..9 {
        let now = script.now;
        script.client.send(record("x"), now);
        script.drain();
    }
    assert_eq!(script.requests.len(), 5);
    assert!(script.requests.iter().all(|(on, _)| *on == connection));
    let first = script.expect(ApiKey::Produce);
    script.answer(&first, produced(0, 0));
    assert_eq!(script.requests.len(), 5);
}

#[test]
fn an_unanswered_batch_expires() {
    let (mut script, _) = ready_producer(&[
        ("delivery.timeout.ms", "3000"),
        ("request.timeout.ms", "2000"),
    ]);
    script.expect(ApiKey::Produce);
    script.pass(4_000);
    let Some(ProducerEvent::Completed { result, .. }) = script.client.poll_event() else {
        panic!("the record is not completed");
    };
    assert_eq!(
        result.unwrap_err().to_string(),
        "org.apache.kafka.common.errors.TimeoutException: Expiring 1 record(s) for t-0:3000 ms has passed since batch creation. The request has not been sent, or no server response has been received yet."
    );
}
