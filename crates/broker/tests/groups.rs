//! Groups through a whole node: frames in, frames out, a restart in between.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use playground_broker::{Listener, Node, NodeConfig, NodeInput, NodeOutput};
use playground_log::Disk;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::create_topics_request::CreatableTopic;
use playground_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use playground_protocol::messages::leave_group_request::MemberIdentity;
use playground_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use playground_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopics,
};
use playground_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use playground_protocol::messages::{
    ApiKey, CreateTopicsRequest, DeleteGroupsRequest, DescribeGroupsRequest,
    FindCoordinatorRequest, GroupId, HeartbeatRequest, JoinGroupRequest, JoinGroupResponse,
    LeaveGroupRequest, ListGroupsRequest, OffsetCommitRequest, OffsetFetchRequest, RequestKind,
    ResponseKind, SyncGroupRequest, TopicName,
};
use playground_protocol::{
    ClientInput, ClientOutput, ConnectionId, ErrorCode, RequestFrame, ResponseFrame, Time,
};
use uuid::Uuid;

const BROKER_PORT: u16 = 9092;
const CONTROLLER_PORT: u16 = 9093;

fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

fn group_id(id: &str) -> GroupId {
    GroupId(text(id))
}

fn config() -> NodeConfig {
    let listener = |name: &str, port| Listener {
        name: name.to_owned(),
        port,
        advertised_host: "localhost".to_owned(),
        advertised_port: port,
    };
    NodeConfig {
        node_id: 1,
        cluster_id: Uuid::from_u128(0x1234),
        listeners: vec![
            listener("PLAINTEXT", BROKER_PORT),
            listener("CONTROLLER", CONTROLLER_PORT),
        ],
        controller_voters: vec![(1, "localhost".to_owned(), CONTROLLER_PORT)],
        rack: None,
        log_dir: "/var/lib/kafka/data".to_owned(),
        overrides: [
            ("group.initial.rebalance.delay.ms", "3000"),
            ("offsets.topic.replication.factor", "1"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec(),
    }
}

/// One node on one host. Connections that the node opens lead back to it.
struct Host {
    node: Option<Node>,
    disk: Disk,
    now: Time,
    next_id: u64,
    /// Accepted end to opening end, for connections that the node opened to itself.
    loops: BTreeMap<ConnectionId, ConnectionId>,
    /// Frames that the node sent to the test's clients.
    received: BTreeMap<ConnectionId, VecDeque<Bytes>>,
}

impl Host {
    fn start() -> Host {
        let mut host = Host {
            node: None,
            disk: Disk::new(),
            now: Time::from_millis(1_700_000_000_000),
            next_id: 1,
            loops: BTreeMap::new(),
            received: BTreeMap::new(),
        };
        host.start_node(1);
        host
    }

    fn start_node(&mut self, seed: u64) {
        self.loops.clear();
        self.received.clear();
        self.node = Some(Node::start(config(), &mut self.disk, seed, self.now));
        self.settle();
    }

    fn id(&mut self) -> ConnectionId {
        self.next_id += 1;
        ConnectionId(self.next_id << 32)
    }

    fn input(&mut self, input: NodeInput) {
        if let Some(node) = &mut self.node {
            node.handle(input, &mut self.disk, self.now);
        }
    }

    /// Takes all outputs, and carries out what they ask for.
    fn settle(&mut self) {
        while let Some(output) = self.node.as_mut().and_then(Node::poll_output) {
            match output {
                NodeOutput::Send(connection, frame) => match self.loops.get(&connection) {
                    Some(opener) => {
                        let input = ClientInput::Frame(*opener, frame);
                        self.input(NodeInput::Client(input));
                    }
                    None => self
                        .received
                        .entry(connection)
                        .or_default()
                        .push_back(frame),
                },
                NodeOutput::Close(connection) => {
                    if let Some(opener) = self.loops.remove(&connection) {
                        self.input(NodeInput::Client(ClientInput::Disconnected(opener)));
                    }
                }
                NodeOutput::Client(ClientOutput::Connect {
                    connection, port, ..
                }) => {
                    let accepted = self.id();
                    self.loops.insert(accepted, connection);
                    let listener = if port == CONTROLLER_PORT {
                        "CONTROLLER"
                    } else {
                        "PLAINTEXT"
                    };
                    self.accept(accepted, listener);
                    self.input(NodeInput::Client(ClientInput::Connected(connection)));
                }
                NodeOutput::Client(ClientOutput::Send(opener, frame)) => {
                    if let Some(accepted) = self.accepted_of(opener) {
                        self.input(NodeInput::Frame(accepted, frame));
                    }
                }
                NodeOutput::Client(ClientOutput::Close(opener)) => {
                    if let Some(accepted) = self.accepted_of(opener) {
                        self.loops.remove(&accepted);
                        self.input(NodeInput::Disconnected(accepted));
                    }
                }
                NodeOutput::Client(ClientOutput::Log(_)) | NodeOutput::Log(_) => {}
                NodeOutput::Stopped => self.node = None,
            }
        }
    }

    fn accepted_of(&self, opener: ConnectionId) -> Option<ConnectionId> {
        self.loops
            .iter()
            .find(|(_, other)| **other == opener)
            .map(|(accepted, _)| *accepted)
    }

    fn accept(&mut self, connection: ConnectionId, listener: &str) {
        self.input(NodeInput::Accepted {
            connection,
            listener: listener.to_owned(),
            peer: "127.0.0.1".to_owned(),
        });
    }

    /// A client's connection.
    fn connect(&mut self) -> ConnectionId {
        let connection = self.id();
        self.accept(connection, "PLAINTEXT");
        self.settle();
        connection
    }

    /// Lets time pass until `done` says so, at most `limit_ms`.
    fn pass_until(&mut self, limit_ms: i64, done: impl Fn(&Host) -> bool) -> bool {
        let end = self.now.plus_millis(limit_ms);
        for _ in 0..100_000 {
            self.settle();
            if done(self) {
                return true;
            }
            let next = self.node.as_ref().map_or(Time::NEVER, Node::next_deadline);
            if next > end {
                self.now = end;
                return false;
            }
            self.now = self.now.max(next);
            self.input(NodeInput::Tick);
        }
        panic!("the node does not come to rest");
    }

    fn pass(&mut self, millis: i64) {
        self.pass_until(millis, |_| false);
    }

    fn send(
        &mut self,
        connection: ConnectionId,
        request: impl Into<RequestKind>,
        key: ApiKey,
        version: i16,
    ) {
        let frame = RequestFrame {
            api_key: key,
            api_version: version,
            correlation_id: 7,
            client_id: Some(text("tester")),
            body: request.into(),
        };
        let frame = frame.encode().expect("a request that encodes");
        self.input(NodeInput::Frame(connection, frame));
        self.settle();
    }

    /// The next response on the connection, within a virtual minute.
    fn receive(&mut self, connection: ConnectionId, key: ApiKey, version: i16) -> ResponseKind {
        let arrived = |host: &Host| {
            host.received
                .get(&connection)
                .is_some_and(|frames| !frames.is_empty())
        };
        assert!(self.pass_until(60_000, arrived), "no response to {key:?}");
        let frame = self
            .received
            .get_mut(&connection)
            .and_then(VecDeque::pop_front);
        let frame = frame.expect("a frame");
        let response = ResponseFrame::decode(key, version, frame).expect("a response that decodes");
        assert_eq!(response.correlation_id, 7);
        response.body
    }

    fn call(
        &mut self,
        connection: ConnectionId,
        request: impl Into<RequestKind>,
        key: ApiKey,
        version: i16,
    ) -> ResponseKind {
        self.send(connection, request, key, version);
        self.receive(connection, key, version)
    }

    fn create_topic(&mut self, connection: ConnectionId, name: &str, partitions: i32) {
        let topic = CreatableTopic::default()
            .with_name(TopicName(text(name)))
            .with_num_partitions(partitions)
            .with_replication_factor(1);
        let request = CreateTopicsRequest::default()
            .with_topics(vec![topic])
            .with_timeout_ms(30_000);
        for _ in 0..50 {
            match self.call(connection, request.clone(), ApiKey::CreateTopics, 7) {
                ResponseKind::CreateTopics(response) if response.topics[0].error_code == 0 => {
                    return;
                }
                ResponseKind::CreateTopics(response) => {
                    let code = ErrorCode(response.topics[0].error_code);
                    assert!(
                        code.is_retriable() || code == ErrorCode::INVALID_REPLICATION_FACTOR,
                        "{code:?}"
                    );
                }
                other => panic!("{other:?}"),
            }
            self.pass(100);
        }
        panic!("the topic was not created");
    }

    /// Asks for the group's coordinator, as clients do, until there is one.
    fn find_coordinator(&mut self, connection: ConnectionId, group: &str) {
        let request = FindCoordinatorRequest::default().with_coordinator_keys(vec![text(group)]);
        for _ in 0..50 {
            match self.call(connection, request.clone(), ApiKey::FindCoordinator, 4) {
                ResponseKind::FindCoordinator(response) => {
                    let found = &response.coordinators[0];
                    if found.error_code == 0 {
                        assert_eq!((*found.node_id, found.port), (1, i32::from(BROKER_PORT)));
                        return;
                    }
                    assert_eq!(found.error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE.0);
                }
                other => panic!("{other:?}"),
            }
            self.pass(100);
        }
        panic!("no coordinator came up");
    }

    fn join(&mut self, connection: ConnectionId, request: JoinGroupRequest) -> JoinGroupResponse {
        match self.call(connection, request, ApiKey::JoinGroup, 9) {
            ResponseKind::JoinGroup(response) => response,
            other => panic!("{other:?}"),
        }
    }

    fn heartbeat(
        &mut self,
        connection: ConnectionId,
        member: &StrBytes,
        generation: i32,
    ) -> ErrorCode {
        let request = HeartbeatRequest::default()
            .with_group_id(group_id("team"))
            .with_member_id(member.clone())
            .with_generation_id(generation);
        match self.call(connection, request, ApiKey::Heartbeat, 4) {
            ResponseKind::Heartbeat(response) => ErrorCode(response.error_code),
            other => panic!("{other:?}"),
        }
    }

    fn sync(
        &mut self,
        connection: ConnectionId,
        member: &StrBytes,
        generation: i32,
        assignments: Vec<(StrBytes, &'static [u8])>,
    ) {
        let assignments = assignments.into_iter().map(|(member, assignment)| {
            SyncGroupRequestAssignment::default()
                .with_member_id(member)
                .with_assignment(Bytes::from_static(assignment))
        });
        let request = SyncGroupRequest::default()
            .with_group_id(group_id("team"))
            .with_member_id(member.clone())
            .with_generation_id(generation)
            .with_protocol_type(Some(text("consumer")))
            .with_protocol_name(Some(text("range")))
            .with_assignments(assignments.collect());
        self.send(connection, request, ApiKey::SyncGroup, 5);
    }

    fn synced(&mut self, connection: ConnectionId) -> Bytes {
        match self.receive(connection, ApiKey::SyncGroup, 5) {
            ResponseKind::SyncGroup(response) => {
                assert_eq!(response.error_code, 0);
                response.assignment
            }
            other => panic!("{other:?}"),
        }
    }

    fn commit(
        &mut self,
        connection: ConnectionId,
        member: &StrBytes,
        generation: i32,
        topic: &str,
        offset: i64,
    ) -> ErrorCode {
        let partition = OffsetCommitRequestPartition::default()
            .with_partition_index(1)
            .with_committed_offset(offset)
            .with_committed_leader_epoch(0)
            .with_committed_metadata(Some(text("half way")));
        let topic = OffsetCommitRequestTopic::default()
            .with_name(TopicName(text(topic)))
            .with_partitions(vec![partition]);
        let request = OffsetCommitRequest::default()
            .with_group_id(group_id("team"))
            .with_member_id(member.clone())
            .with_generation_id_or_member_epoch(generation)
            .with_topics(vec![topic]);
        match self.call(connection, request, ApiKey::OffsetCommit, 9) {
            ResponseKind::OffsetCommit(response) => {
                ErrorCode(response.topics[0].partitions[0].error_code)
            }
            other => panic!("{other:?}"),
        }
    }

    /// The committed offset of `orders-1`, with its metadata.
    fn fetch(&mut self, connection: ConnectionId) -> (i64, String) {
        let topic = OffsetFetchRequestTopics::default()
            .with_name(TopicName(text("orders")))
            .with_partition_indexes(vec![1]);
        let group = OffsetFetchRequestGroup::default()
            .with_group_id(group_id("team"))
            .with_topics(Some(vec![topic]));
        let request = OffsetFetchRequest::default()
            .with_groups(vec![group])
            .with_require_stable(true);
        match self.call(connection, request, ApiKey::OffsetFetch, 9) {
            ResponseKind::OffsetFetch(response) => {
                assert_eq!(response.groups[0].error_code, 0);
                let partition = &response.groups[0].topics[0].partitions[0];
                let metadata = partition.metadata.as_ref().map(ToString::to_string);
                (partition.committed_offset, metadata.unwrap_or_default())
            }
            other => panic!("{other:?}"),
        }
    }

    /// The group's state and its members' count.
    fn describe(&mut self, connection: ConnectionId) -> (String, usize) {
        let request = DescribeGroupsRequest::default().with_groups(vec![group_id("team")]);
        match self.call(connection, request, ApiKey::DescribeGroups, 6) {
            ResponseKind::DescribeGroups(response) => {
                let group = &response.groups[0];
                (group.group_state.to_string(), group.members.len())
            }
            other => panic!("{other:?}"),
        }
    }

    /// Joins with a new member until it has its id, and leaves the second JoinGroup open.
    fn begin_join(&mut self, connection: ConnectionId) -> StrBytes {
        let first = self.join(connection, join_request(""));
        assert_eq!(first.error_code, ErrorCode::MEMBER_ID_REQUIRED.0);
        let request = join_request(&first.member_id);
        self.send(connection, request, ApiKey::JoinGroup, 9);
        first.member_id
    }

    fn joined(&mut self, connection: ConnectionId) -> JoinGroupResponse {
        match self.receive(connection, ApiKey::JoinGroup, 9) {
            ResponseKind::JoinGroup(response) => {
                assert_eq!(response.error_code, 0);
                response
            }
            other => panic!("{other:?}"),
        }
    }

    fn leave(&mut self, connection: ConnectionId, member: &StrBytes) {
        let member = MemberIdentity::default().with_member_id(member.clone());
        let request = LeaveGroupRequest::default()
            .with_group_id(group_id("team"))
            .with_members(vec![member]);
        match self.call(connection, request, ApiKey::LeaveGroup, 5) {
            ResponseKind::LeaveGroup(response) => assert_eq!(response.members[0].error_code, 0),
            other => panic!("{other:?}"),
        }
    }
}

fn join_request(member: &str) -> JoinGroupRequest {
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(text("range"))
        .with_metadata(Bytes::from_static(
            b"\0\x01\0\0\0\x01\0\x06orders\xff\xff\xff\xff",
        ));
    JoinGroupRequest::default()
        .with_group_id(group_id("team"))
        .with_member_id(text(member))
        .with_session_timeout_ms(45_000)
        .with_rebalance_timeout_ms(300_000)
        .with_protocol_type(text("consumer"))
        .with_protocols(vec![protocol])
}

#[test]
fn a_group_lives_through_a_restart_of_its_node() {
    let mut host = Host::start();
    let first = host.connect();
    host.create_topic(first, "orders", 2);
    host.find_coordinator(first, "team");

    // One member, then two.
    let leader = host.begin_join(first);
    assert_eq!(host.joined(first).generation_id, 1);
    host.sync(first, &leader, 1, vec![(leader.clone(), b"both")]);
    assert_eq!(host.synced(first), "both");
    assert_eq!(host.describe(first), ("Stable".to_owned(), 1));

    let second = host.connect();
    let follower = host.begin_join(second);
    assert_eq!(
        host.heartbeat(first, &leader, 1),
        ErrorCode::REBALANCE_IN_PROGRESS
    );
    host.send(first, join_request(&leader), ApiKey::JoinGroup, 9);
    let (leaders, followers) = (host.joined(first), host.joined(second));
    assert_eq!((leaders.generation_id, leaders.members.len()), (2, 2));
    assert_eq!(
        (followers.leader, followers.members.len()),
        (leader.clone(), 0)
    );
    host.sync(second, &follower, 2, Vec::new());
    host.sync(
        first,
        &leader,
        2,
        vec![(leader.clone(), b"zero"), (follower.clone(), b"one")],
    );
    assert_eq!(
        (host.synced(first), host.synced(second)),
        ("zero".into(), "one".into())
    );

    assert_eq!(host.fetch(second), (-1, String::new()));
    assert_eq!(
        host.commit(second, &follower, 2, "orders", 42),
        ErrorCode::NONE
    );
    let unknown = host.commit(second, &follower, 2, "no-such-topic", 1);
    assert_eq!(unknown, ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
    assert_eq!(
        host.commit(second, &follower, 1, "orders", 41),
        ErrorCode::ILLEGAL_GENERATION
    );
    assert_eq!(host.fetch(first), (42, "half way".to_owned()));

    // The process is killed and comes back: members, generation and offsets are what they were.
    host.node = None;
    host.start_node(2);
    let first = host.connect();
    host.find_coordinator(first, "team");
    assert_eq!(host.describe(first), ("Stable".to_owned(), 2));
    assert_eq!(host.heartbeat(first, &leader, 2), ErrorCode::NONE);
    assert_eq!(host.fetch(first), (42, "half way".to_owned()));
    assert_eq!(
        host.commit(first, &follower, 2, "orders", 43),
        ErrorCode::NONE
    );

    // A controlled shutdown this time.
    let now = host.now;
    if let Some(node) = &mut host.node {
        node.shutdown(&mut host.disk, now);
    }
    assert!(
        host.pass_until(60_000, |host| host.node.is_none()),
        "the node does not stop"
    );
    host.start_node(3);
    let first = host.connect();
    host.find_coordinator(first, "team");
    assert_eq!(host.fetch(first), (43, "half way".to_owned()));

    // Nobody beats any more but the follower, which leaves in the end.
    host.pass(30_000);
    assert_eq!(host.heartbeat(first, &follower, 2), ErrorCode::NONE);
    host.pass(20_000);
    assert_eq!(
        host.heartbeat(first, &follower, 2),
        ErrorCode::REBALANCE_IN_PROGRESS
    );
    host.send(first, join_request(&follower), ApiKey::JoinGroup, 9);
    let alone = host.joined(first);
    assert_eq!((alone.generation_id, alone.leader), (3, follower.clone()));
    host.leave(first, &follower);
    assert_eq!(host.describe(first), ("Empty".to_owned(), 0));
}

#[test]
fn groups_are_listed_and_deleted() {
    let mut host = Host::start();
    let client = host.connect();
    host.create_topic(client, "orders", 2);
    host.find_coordinator(client, "team");
    let nobody = StrBytes::default();
    assert_eq!(
        host.commit(client, &nobody, -1, "orders", 5),
        ErrorCode::NONE
    );
    let listed = |host: &mut Host| -> Vec<(String, String, String)> {
        match host.call(client, ListGroupsRequest::default(), ApiKey::ListGroups, 5) {
            ResponseKind::ListGroups(response) => {
                assert_eq!(response.error_code, 0);
                let groups = response.groups.into_iter();
                let named = groups.map(|group| {
                    let id = group.group_id.to_string();
                    (
                        id,
                        group.group_state.to_string(),
                        group.group_type.to_string(),
                    )
                });
                named.collect()
            }
            other => panic!("{other:?}"),
        }
    };
    let team = ("team".to_owned(), "Empty".to_owned(), "classic".to_owned());
    assert_eq!(listed(&mut host), [team]);
    let request = DeleteGroupsRequest::default()
        .with_groups_names(vec![group_id("team"), group_id("nobody")]);
    match host.call(client, request, ApiKey::DeleteGroups, 2) {
        ResponseKind::DeleteGroups(response) => {
            let outcome = |id: &str| {
                let mut results = response.results.iter();
                let result = results.find(|result| result.group_id.as_str() == id);
                result.map(|result| ErrorCode(result.error_code))
            };
            assert_eq!(outcome("team"), Some(ErrorCode::NONE));
            assert_eq!(outcome("nobody"), Some(ErrorCode::GROUP_ID_NOT_FOUND));
        }
        other => panic!("{other:?}"),
    }
    assert!(listed(&mut host).is_empty());
    host.node = None;
    host.start_node(2);
    let client = host.connect();
    host.find_coordinator(client, "team");
    assert_eq!(host.fetch(client).0, -1);
}
