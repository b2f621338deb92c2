//! Committed offsets.

use super::*;

#[test]
fn offsets_are_committed_and_fetched() {
    let mut driver = Driver::new(GroupConfig::default());
    assert_eq!(driver.fetch_one("g", 0), -1);
    assert_eq!(
        driver.commit_as("g", "", 3, 1),
        ErrorCode::GROUP_ID_NOT_FOUND
    );
    assert_eq!(driver.commit_as("g", "", -1, 5), ErrorCode::NONE);
    assert_eq!(driver.fetch_one("g", 0), 5);
    let view = driver.view("g");
    assert_eq!((view.state, view.protocol_type), (GroupState::Empty, None));
    assert_eq!(
        (
            view.offsets[0].leader_epoch,
            view.offsets[0].metadata.as_str()
        ),
        (4, "note")
    );

    let member_id = driver.stable_member("g", b"");
    assert_eq!(
        driver.commit_as("g", "", -1, 6),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    assert_eq!(
        driver.commit_as("g", &member_id, 0, 6),
        ErrorCode::ILLEGAL_GENERATION
    );
    assert_eq!(driver.commit_as("g", &member_id, 1, 6), ErrorCode::NONE);
    assert_eq!(driver.fetch_one("g", 0), 6);

    // Unknown partitions and topics, metadata beyond the limit.
    let mut request = commit("h", 3, 1);
    request.topics.push(
        request.topics[0]
            .clone()
            .with_name(TopicName(responses::text("gone"))),
    );
    let long = responses::text(&"m".repeat(4_097));
    let too_long = request.topics[0].partitions[0]
        .clone()
        .with_partition_index(1);
    request.topics[0]
        .partitions
        .push(too_long.with_committed_metadata(Some(long)));
    let ResponseKind::OffsetCommit(response) = driver.call(request, 8) else {
        panic!()
    };
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0;
    assert_eq!(response.topics[0].partitions[0].error_code, unknown);
    let too_large = ErrorCode::OFFSET_METADATA_TOO_LARGE.0;
    assert_eq!(response.topics[0].partitions[1].error_code, too_large);
    assert_eq!(response.topics[1].partitions[0].error_code, unknown);

    // All topics; by id in version 10; the single group of old versions.
    let all = OffsetFetchRequestGroup::default()
        .with_group_id(GroupId(responses::text("g")))
        .with_topics(None);
    let request = OffsetFetchRequest::default().with_groups(vec![all]);
    let ResponseKind::OffsetFetch(response) = driver.call(request.clone(), 9) else {
        panic!()
    };
    assert_eq!(response.groups[0].topics[0].name.as_str(), "t");
    let ResponseKind::OffsetFetch(response) = driver.call(request, 10) else {
        panic!()
    };
    assert_eq!(response.groups[0].topics[0].topic_id, Uuid::from_u128(7));
    let topic = OffsetFetchRequestTopic::default()
        .with_name(TopicName(responses::text("t")))
        .with_partition_indexes(vec![0, 1]);
    let request = OffsetFetchRequest::default()
        .with_group_id(GroupId(responses::text("g")))
        .with_topics(Some(vec![topic]));
    let ResponseKind::OffsetFetch(response) = driver.call(request, 1) else {
        panic!()
    };
    let offsets: Vec<i64> = response.topics[0]
        .partitions
        .iter()
        .map(|partition| partition.committed_offset)
        .collect();
    assert_eq!(offsets, [6, -1]);
}

#[test]
fn commits_by_topic_id_reach_the_topic() {
    let mut driver = Driver::new(GroupConfig::default());
    let mut request = commit("g", 2, 9);
    request.topics[0].name = TopicName::default();
    request.topics[0].topic_id = Uuid::from_u128(7);
    request
        .topics
        .push(request.topics[0].clone().with_topic_id(Uuid::from_u128(8)));
    let ResponseKind::OffsetCommit(response) = driver.call(request, 10) else {
        panic!()
    };
    assert_eq!(response.topics[0].partitions[0].error_code, 0);
    assert_eq!(
        response.topics[1].partitions[0].error_code,
        ErrorCode::UNKNOWN_TOPIC_ID.0
    );
    assert_eq!(driver.fetch_one("g", 2), 9);
}

#[test]
fn offsets_are_deleted_unless_the_topic_is_read() {
    let mut driver = Driver::new(GroupConfig::default());
    let member_id = driver.stable_member("g", b"");
    driver.commit_as("g", &member_id, 1, 3);
    let partition = OffsetDeleteRequestPartition::default().with_partition_index(0);
    let topic = OffsetDeleteRequestTopic::default()
        .with_name(TopicName(responses::text("t")))
        .with_partitions(vec![partition]);
    let request = OffsetDeleteRequest::default()
        .with_group_id(GroupId(responses::text("g")))
        .with_topics(vec![topic]);
    let delete = |driver: &mut Driver| {
        let ResponseKind::OffsetDelete(response) = driver.call(request.clone(), 0) else {
            panic!()
        };
        assert_eq!(response.error_code, 0);
        ErrorCode(response.topics[0].partitions[0].error_code)
    };
    assert_eq!(delete(&mut driver), ErrorCode::GROUP_SUBSCRIBED_TO_TOPIC);
    driver.leave("g", vec![identity(&member_id)]);
    assert_eq!(driver.fetch_one("g", 0), 3);
    assert_eq!(delete(&mut driver), ErrorCode::NONE);
    assert_eq!(driver.fetch_one("g", 0), -1);
    driver.commit_as("g", "", -1, 4);
    driver
        .coordinator
        .topics_deleted(&["t".to_owned()], driver.now);
    driver.drain();
    assert_eq!(driver.fetch_one("g", 0), -1);
    assert!(driver.restarted().view("g").offsets.is_empty());
}

#[test]
fn offsets_expire_with_their_group() {
    let config = GroupConfig {
        offsets_retention_minutes: 30,
        ..GroupConfig::default()
    };
    let mut driver = Driver::new(config);
    let member_id = driver.stable_member("g", b"");
    driver.commit_as("g", &member_id, 1, 3);
    driver.commit_as("simple", "", -1, 3);
    // Forty minutes with heartbeats: what is read does not expire, what is not does.
    for _ in 0..400 {
        driver.pass(6_000);
        assert_eq!(driver.heartbeat("g", &member_id, 1), ErrorCode::NONE);
    }
    assert!(
        driver
            .coordinator
            .groups()
            .iter()
            .all(|view| view.group_id != "simple")
    );
    assert_eq!(driver.fetch_one("g", 0), 3);
    driver.leave("g", vec![identity(&member_id)]);
    driver.pass(29 * 60_000);
    assert_eq!(driver.fetch_one("g", 0), 3);
    driver.pass(11 * 60_000);
    assert!(driver.coordinator.groups().is_empty());
}
