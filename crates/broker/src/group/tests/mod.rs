//! The coordinator driven as a node drives it: requests in, appends acknowledged, responses out.

mod membership;
mod offsets;
mod random;

use std::collections::BTreeMap;

use playground_protocol::codec::StrBytes;
use playground_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use playground_protocol::messages::leave_group_request::MemberIdentity;
use playground_protocol::messages::offset_commit_request::{
    OffsetCommitRequestPartition, OffsetCommitRequestTopic,
};
use playground_protocol::messages::offset_delete_request::{
    OffsetDeleteRequestPartition, OffsetDeleteRequestTopic,
};
use playground_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use playground_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use playground_protocol::messages::{
    DeleteGroupsRequest, DescribeGroupsRequest, DescribeGroupsResponse, HeartbeatRequest,
    JoinGroupResponse, LeaveGroupRequest, LeaveGroupResponse, ListGroupsRequest,
    OffsetCommitRequest, OffsetDeleteRequest, SyncGroupRequest, SyncGroupResponse,
};

use super::*;

const PARTITIONS: i32 = 50;

/// One topic, `t`, of three partitions.
struct Topics;

impl TopicDirectory for Topics {
    fn topic_id(&self, topic: &str) -> Option<Uuid> {
        (topic == "t").then(|| Uuid::from_u128(7))
    }

    fn topic_name(&self, topic_id: Uuid) -> Option<String> {
        (topic_id == Uuid::from_u128(7)).then(|| "t".to_owned())
    }

    fn partition_count(&self, topic: &str) -> i32 {
        if topic == "t" { 3 } else { 0 }
    }
}

/// A coordinator, a log of what it appended, and the responses that came out.
struct Driver {
    coordinator: GroupCoordinator,
    now: Time,
    next_request: u64,
    logs: BTreeMap<i32, Vec<OffsetsRecord>>,
    responses: BTreeMap<u64, ResponseKind>,
    fail_appends: Option<ErrorCode>,
}

impl Driver {
    fn new(config: GroupConfig) -> Driver {
        let mut coordinator = GroupCoordinator::new(config, PARTITIONS, 1);
        for partition in 0..PARTITIONS {
            coordinator.load(partition, [], Time::default());
        }
        Driver {
            coordinator,
            now: Time::from_millis(1_000_000),
            next_request: 0,
            logs: BTreeMap::new(),
            responses: BTreeMap::new(),
            fail_appends: None,
        }
    }

    /// Another coordinator, loaded from what this one wrote.
    fn restarted(&self) -> Driver {
        let mut restarted = Driver::new(GroupConfig::default());
        restarted.coordinator = GroupCoordinator::new(GroupConfig::default(), PARTITIONS, 2);
        restarted.now = self.now;
        restarted.logs = self.logs.clone();
        for partition in 0..PARTITIONS {
            let records = self.logs.get(&partition).cloned().unwrap_or_default();
            restarted.coordinator.load(partition, records, self.now);
        }
        restarted
    }

    fn drain(&mut self) {
        while let Some(output) = self.coordinator.poll_output() {
            match output {
                Output::Append {
                    partition,
                    records,
                    token,
                } => {
                    assert!(!records.is_empty());
                    let result = match self.fail_appends {
                        Some(error) => Err(error),
                        None => {
                            let log = self.logs.entry(partition).or_default();
                            log.extend(records);
                            Ok(log.len() as i64 - 1)
                        }
                    };
                    self.coordinator.appended(token, result, self.now);
                }
                Output::Respond {
                    request_id,
                    response,
                } => {
                    assert!(self.responses.insert(request_id, response).is_none());
                }
            }
        }
    }

    /// Lets time pass, deadline by deadline.
    fn pass(&mut self, millis: i64) {
        let end = self.now.plus_millis(millis);
        while self.coordinator.next_deadline() <= end {
            self.now = self.now.max(self.coordinator.next_deadline());
            self.coordinator.tick(self.now);
            self.drain();
        }
        self.now = end;
    }

    /// Sends a request; its response may come later.
    fn send(&mut self, request: impl Into<RequestKind>, version: i16) -> u64 {
        let request_id = self.next_request;
        self.next_request += 1;
        let context = RequestContext {
            request_id,
            version,
            client_id: "c",
            client_host: "127.0.0.1",
            topics: &Topics,
        };
        self.coordinator.handle(&context, &request.into(), self.now);
        self.drain();
        request_id
    }

    fn take(&mut self, request_id: u64) -> Option<ResponseKind> {
        self.responses.remove(&request_id)
    }

    fn call(&mut self, request: impl Into<RequestKind>, version: i16) -> ResponseKind {
        let request_id = self.send(request, version);
        self.take(request_id).expect("an immediate response")
    }

    fn joined(&mut self, request_id: u64) -> Option<JoinGroupResponse> {
        match self.take(request_id) {
            Some(ResponseKind::JoinGroup(response)) => Some(response),
            None => None,
            other => panic!("{other:?}"),
        }
    }

    fn synced(&mut self, request_id: u64) -> Option<SyncGroupResponse> {
        match self.take(request_id) {
            Some(ResponseKind::SyncGroup(response)) => Some(response),
            None => None,
            other => panic!("{other:?}"),
        }
    }

    /// Joins as a new member with KIP-394's two steps; the request that waits, and the member's id.
    fn join_new(&mut self, group: &str) -> (u64, StrBytes) {
        let first = self.send(join(group, ""), 9);
        let first = self.joined(first).expect("the member id");
        assert_eq!(first.error_code, ErrorCode::MEMBER_ID_REQUIRED.0);
        let member_id = first.member_id;
        (self.send(join(group, &member_id), 9), member_id)
    }

    /// One member of a new group, all the way to Stable, with `assignment`.
    fn stable_member(&mut self, group: &str, assignment: &'static [u8]) -> StrBytes {
        let (waiting, member_id) = self.join_new(group);
        self.pass(3_000);
        let joined = self.joined(waiting).expect("the join phase is over");
        assert_eq!(joined.error_code, 0);
        let request = sync(
            group,
            &member_id,
            joined.generation_id,
            &[(&member_id, assignment)],
        );
        let waiting = self.send(request, 5);
        assert_eq!(
            self.synced(waiting).expect("the assignment").assignment,
            assignment
        );
        member_id
    }

    fn heartbeat(&mut self, group: &str, member_id: &str, generation: i32) -> ErrorCode {
        let request = HeartbeatRequest::default()
            .with_group_id(GroupId(responses::text(group)))
            .with_member_id(responses::text(member_id))
            .with_generation_id(generation);
        match self.call(request, 4) {
            ResponseKind::Heartbeat(response) => ErrorCode(response.error_code),
            other => panic!("{other:?}"),
        }
    }

    fn view(&self, group: &str) -> GroupView {
        let mut groups = self.coordinator.groups().into_iter();
        groups
            .find(|view| view.group_id == group)
            .expect("the group")
    }

    fn commit_as(&mut self, group: &str, member: &str, generation: i32, offset: i64) -> ErrorCode {
        let request = commit(group, 0, offset)
            .with_member_id(responses::text(member))
            .with_generation_id_or_member_epoch(generation);
        match self.call(request, 9) {
            ResponseKind::OffsetCommit(response) => {
                ErrorCode(response.topics[0].partitions[0].error_code)
            }
            other => panic!("{other:?}"),
        }
    }

    fn fetch_one(&mut self, group: &str, partition: i32) -> i64 {
        let topic = OffsetFetchRequestTopics::default()
            .with_name(TopicName(responses::text("t")))
            .with_partition_indexes(vec![partition]);
        let group = OffsetFetchRequestGroup::default()
            .with_group_id(GroupId(responses::text(group)))
            .with_topics(Some(vec![topic]));
        let request = OffsetFetchRequest::default()
            .with_groups(vec![group])
            .with_require_stable(true);
        match self.call(request, 9) {
            ResponseKind::OffsetFetch(response) => {
                assert_eq!(response.groups[0].error_code, 0);
                response.groups[0].topics[0].partitions[0].committed_offset
            }
            other => panic!("{other:?}"),
        }
    }

    fn describe(&mut self, group: &str, version: i16) -> DescribeGroupsResponse {
        let request =
            DescribeGroupsRequest::default().with_groups(vec![GroupId(responses::text(group))]);
        match self.call(request, version) {
            ResponseKind::DescribeGroups(response) => response,
            other => panic!("{other:?}"),
        }
    }

    fn delete(&mut self, group: &str) -> ErrorCode {
        let request =
            DeleteGroupsRequest::default().with_groups_names(vec![GroupId(responses::text(group))]);
        match self.call(request, 2) {
            ResponseKind::DeleteGroups(response) => ErrorCode(response.results[0].error_code),
            other => panic!("{other:?}"),
        }
    }

    fn leave(&mut self, group: &str, members: Vec<MemberIdentity>) -> LeaveGroupResponse {
        let request = LeaveGroupRequest::default()
            .with_group_id(GroupId(responses::text(group)))
            .with_members(members);
        match self.call(request, 5) {
            ResponseKind::LeaveGroup(response) => response,
            other => panic!("{other:?}"),
        }
    }
}

/// A consumer's JoinGroup, subscribed to `t`, sessions of 10 s, rebalances of 60 s.
fn join(group: &str, member_id: &str) -> JoinGroupRequest {
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(responses::text("range"))
        .with_metadata(Bytes::from_static(
            b"\0\x01\0\0\0\x01\0\x01t\xff\xff\xff\xff",
        ));
    JoinGroupRequest::default()
        .with_group_id(GroupId(responses::text(group)))
        .with_member_id(responses::text(member_id))
        .with_session_timeout_ms(10_000)
        .with_rebalance_timeout_ms(60_000)
        .with_protocol_type(responses::text("consumer"))
        .with_protocols(vec![protocol])
}

fn sync(
    group: &str,
    member_id: &str,
    generation: i32,
    assignments: &[(&str, &'static [u8])],
) -> SyncGroupRequest {
    let assignments = assignments.iter().map(|(member_id, assignment)| {
        SyncGroupRequestAssignment::default()
            .with_member_id(responses::text(member_id))
            .with_assignment(Bytes::from_static(assignment))
    });
    SyncGroupRequest::default()
        .with_group_id(GroupId(responses::text(group)))
        .with_member_id(responses::text(member_id))
        .with_generation_id(generation)
        .with_protocol_type(Some(responses::text("consumer")))
        .with_protocol_name(Some(responses::text("range")))
        .with_assignments(assignments.collect())
}

/// An OffsetCommit outside of group management.
fn commit(group: &str, partition: i32, offset: i64) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition::default()
        .with_partition_index(partition)
        .with_committed_offset(offset)
        .with_committed_leader_epoch(4)
        .with_committed_metadata(Some(responses::text("note")));
    let topic = OffsetCommitRequestTopic::default()
        .with_name(TopicName(responses::text("t")))
        .with_partitions(vec![partition]);
    OffsetCommitRequest::default()
        .with_group_id(GroupId(responses::text(group)))
        .with_generation_id_or_member_epoch(-1)
        .with_topics(vec![topic])
}

fn identity(member_id: &str) -> MemberIdentity {
    MemberIdentity::default().with_member_id(responses::text(member_id))
}

#[test]
fn groups_go_where_java_puts_them() {
    // "polygenelubricants".hashCode() is Integer.MIN_VALUE, whose Utils.abs is 0.
    let expected = [
        ("g", 3),
        ("polygenelubricants", 0),
        ("console-consumer-12345", 6),
        ("my-group", 12),
        ("grüß", 12),
    ];
    for (group, partition) in expected {
        assert_eq!(partition_for(group, PARTITIONS), partition, "{group}");
    }
}

#[test]
fn a_restart_finds_the_same_groups() {
    let mut driver = Driver::new(GroupConfig::default());
    let member_id = driver.stable_member("g", b"mine");
    assert_eq!(driver.commit_as("g", &member_id, 1, 7), ErrorCode::NONE);
    assert_eq!(driver.commit_as("simple", "", -1, 3), ErrorCode::NONE);
    let mut restarted = driver.restarted();
    for group in ["g", "simple"] {
        let (before, mut after) = (driver.view(group), restarted.view(group));
        after.generation = before.generation;
        assert_eq!(before, after);
    }
    // The member carries on, and has a whole session to show up.
    assert_eq!(restarted.heartbeat("g", &member_id, 1), ErrorCode::NONE);
    assert_eq!(restarted.fetch_one("g", 0), 7);
    restarted.pass(10_000);
    assert_eq!(restarted.view("g").state, GroupState::Empty);
    assert_eq!(restarted.restarted().view("g").state, GroupState::Empty);
}

#[test]
fn groups_are_listed_described_and_deleted() {
    let mut driver = Driver::new(GroupConfig::default());
    let member_id = driver.stable_member("g", b"mine");
    driver.commit_as("simple", "", -1, 3);
    let mut listed = |states: &[&str], types: &[&str]| -> Vec<(String, String)> {
        let request = ListGroupsRequest::default()
            .with_states_filter(states.iter().map(|state| responses::text(state)).collect())
            .with_types_filter(types.iter().map(|kind| responses::text(kind)).collect());
        let ResponseKind::ListGroups(response) = driver.call(request, 5) else {
            panic!()
        };
        assert_eq!(response.error_code, 0);
        let groups = response.groups.into_iter();
        groups
            .map(|group| (group.group_id.to_string(), group.group_state.to_string()))
            .collect()
    };
    assert_eq!(listed(&[], &[]).len(), 2);
    assert_eq!(
        listed(&["stable"], &["Classic"]),
        [("g".to_owned(), "Stable".to_owned())]
    );
    assert_eq!(
        listed(&["Empty"], &[]),
        [("simple".to_owned(), "Empty".to_owned())]
    );
    assert!(listed(&[], &["share"]).is_empty());

    let group = driver.describe("g", 6).groups.remove(0);
    assert_eq!(
        (group.group_state.as_str(), group.protocol_data.as_str()),
        ("Stable", "range")
    );
    assert_eq!(group.members[0].client_host.as_str(), "/127.0.0.1");
    assert_eq!(group.members[0].member_assignment, "mine");
    let unknown = driver.describe("nobody", 6).groups.remove(0);
    assert_eq!(unknown.error_code, ErrorCode::GROUP_ID_NOT_FOUND.0);
    assert_eq!(
        unknown.error_message.as_deref(),
        Some("Group nobody not found.")
    );
    let unknown = driver.describe("nobody", 5).groups.remove(0);
    assert_eq!(
        (unknown.error_code, unknown.group_state.as_str()),
        (0, "Dead")
    );

    assert_eq!(driver.delete("g"), ErrorCode::NON_EMPTY_GROUP);
    assert_eq!(driver.delete("nobody"), ErrorCode::GROUP_ID_NOT_FOUND);
    assert_eq!(driver.delete("simple"), ErrorCode::NONE);
    driver.leave("g", vec![identity(&member_id)]);
    assert_eq!(driver.delete("g"), ErrorCode::NONE);
    assert!(driver.coordinator.groups().is_empty());
    assert!(driver.restarted().coordinator.groups().is_empty());
}

#[test]
fn only_loaded_partitions_serve() {
    let mut coordinator = GroupCoordinator::new(GroupConfig::default(), PARTITIONS, 1);
    let ask = |coordinator: &mut GroupCoordinator, request: RequestKind| {
        let context = RequestContext {
            request_id: 1,
            version: 5,
            client_id: "c",
            client_host: "127.0.0.1",
            topics: &Topics,
        };
        coordinator.handle(&context, &request, Time::default());
        match coordinator.poll_output() {
            Some(Output::Respond {
                response: ResponseKind::JoinGroup(response),
                ..
            }) => response.error_code,
            Some(Output::Respond {
                response: ResponseKind::Heartbeat(response),
                ..
            }) => response.error_code,
            other => panic!("{other:?}"),
        }
    };
    let heartbeat = HeartbeatRequest::default().with_group_id(GroupId(responses::text("g")));
    assert_eq!(
        ask(&mut coordinator, join("g", "").into()),
        ErrorCode::NOT_COORDINATOR.0
    );
    coordinator.begin_load(3);
    let loading = ErrorCode::COORDINATOR_LOAD_IN_PROGRESS.0;
    assert_eq!(ask(&mut coordinator, join("g", "").into()), loading);
    assert_eq!(ask(&mut coordinator, heartbeat.into()), 0);
}

#[test]
fn responses_wait_for_the_append_and_an_unload_ends_them() {
    let mut driver = Driver::new(GroupConfig::default());
    let context = |request_id| RequestContext {
        request_id,
        version: 8,
        client_id: "c",
        client_host: "127.0.0.1",
        topics: &Topics,
    };
    let request = commit("g", 0, 1).into();
    driver.coordinator.handle(&context(1), &request, driver.now);
    let Some(Output::Append { token, .. }) = driver.coordinator.poll_output() else {
        panic!()
    };
    assert_eq!(driver.coordinator.poll_output(), None);
    driver.coordinator.appended(token, Ok(0), driver.now);
    let Some(Output::Respond { request_id: 1, .. }) = driver.coordinator.poll_output() else {
        panic!()
    };

    driver.coordinator.handle(&context(2), &request, driver.now);
    assert!(matches!(
        driver.coordinator.poll_output(),
        Some(Output::Append { .. })
    ));
    driver.coordinator.unload(partition_for("g", PARTITIONS));
    let Some(Output::Respond {
        response: ResponseKind::OffsetCommit(response),
        ..
    }) = driver.coordinator.poll_output()
    else {
        panic!()
    };
    let code = response.topics[0].partitions[0].error_code;
    assert_eq!(code, ErrorCode::NOT_COORDINATOR.0);
}

#[test]
fn the_same_seed_gives_the_same_member_ids() {
    let ids = |seed| {
        let mut runtime = Runtime::new(GroupConfig::default(), PARTITIONS, seed);
        (0..3)
            .map(|_| runtime.new_member_id("c"))
            .collect::<Vec<_>>()
    };
    assert_eq!(ids(1), ids(1));
    assert_ne!(ids(1), ids(2));
}

#[test]
fn every_response_encodes_in_its_version() {
    use playground_protocol::ResponseFrame;
    use playground_protocol::messages::ApiKey;
    let mut driver = Driver::new(GroupConfig::default());
    let mut check = |request: RequestKind, key: ApiKey, versions: std::ops::RangeInclusive<i16>| {
        for version in versions {
            let body = driver.call(request.clone(), version);
            let frame = ResponseFrame {
                correlation_id: 1,
                body,
            };
            assert!(
                frame.encode(key, version).is_ok(),
                "{key:?} {version}: {frame:?}"
            );
        }
    };
    let group = || GroupId(responses::text("nobody"));
    check(join("g", "unknown").into(), ApiKey::JoinGroup, 0..=9);
    check(
        sync("g", "unknown", 1, &[]).into(),
        ApiKey::SyncGroup,
        0..=5,
    );
    check(
        HeartbeatRequest::default().with_group_id(group()).into(),
        ApiKey::Heartbeat,
        0..=4,
    );
    check(
        LeaveGroupRequest::default().with_group_id(group()).into(),
        ApiKey::LeaveGroup,
        0..=5,
    );
    check(commit("g", 0, 1).into(), ApiKey::OffsetCommit, 2..=9);
    check(
        OffsetFetchRequest::default().with_group_id(group()).into(),
        ApiKey::OffsetFetch,
        1..=9,
    );
    check(
        ListGroupsRequest::default().into(),
        ApiKey::ListGroups,
        0..=5,
    );
    let describe = DescribeGroupsRequest::default()
        .with_groups(vec![group(), GroupId(responses::text("g"))])
        .with_include_authorized_operations(true);
    check(describe.into(), ApiKey::DescribeGroups, 0..=6);
    let delete = DeleteGroupsRequest::default().with_groups_names(vec![group()]);
    check(delete.into(), ApiKey::DeleteGroups, 0..=2);
    check(
        OffsetDeleteRequest::default().with_group_id(group()).into(),
        ApiKey::OffsetDelete,
        0..=0,
    );
}
