//! Joins, syncs, rebalances and their deadlines.

use super::*;

#[test]
fn one_member_joins_syncs_beats_and_leaves() {
    let mut driver = Driver::new(GroupConfig::default());
    let (waiting, member_id) = driver.join_new("g");
    assert!(member_id.starts_with("c-"), "{member_id:?}");
    assert_eq!(driver.view("g").state, GroupState::PreparingRebalance);
    driver.pass(2_999);
    assert_eq!(driver.joined(waiting), None);
    driver.pass(1);
    let joined = driver.joined(waiting).expect("the initial delay is over");
    assert_eq!((joined.error_code, joined.generation_id), (0, 1));
    assert_eq!(
        (&joined.leader, &joined.member_id),
        (&member_id, &member_id)
    );
    assert_eq!(joined.members.len(), 1);
    assert_eq!(joined.protocol_name.as_deref(), Some("range"));

    assert_eq!(driver.heartbeat("g", &member_id, 1), ErrorCode::NONE);
    let request = sync("g", &member_id, 1, &[(&member_id, b"mine")]);
    let waiting = driver.send(request, 5);
    let synced = driver.synced(waiting).expect("the assignment");
    assert_eq!(
        (synced.error_code, &synced.assignment[..]),
        (0, &b"mine"[..])
    );
    assert_eq!(driver.view("g").state, GroupState::Stable);
    assert_eq!(driver.heartbeat("g", &member_id, 1), ErrorCode::NONE);
    assert_eq!(
        driver.heartbeat("g", &member_id, 2),
        ErrorCode::ILLEGAL_GENERATION
    );
    assert_eq!(
        driver.heartbeat("g", "other", 1),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    assert_eq!(
        driver.heartbeat("none", &member_id, 1),
        ErrorCode::UNKNOWN_MEMBER_ID
    );

    let left = driver.leave("g", vec![identity(&member_id), identity("other")]);
    assert_eq!(left.members[0].error_code, 0);
    assert_eq!(left.members[1].error_code, ErrorCode::UNKNOWN_MEMBER_ID.0);
    let view = driver.view("g");
    assert_eq!(
        (view.state, view.generation, view.leader),
        (GroupState::Empty, 2, None)
    );
}

#[test]
fn a_second_member_makes_the_first_join_again() {
    let mut driver = Driver::new(GroupConfig::default());
    let first = driver.stable_member("g", b"all");
    let (second_waiting, second) = driver.join_new("g");
    assert_eq!(
        driver.heartbeat("g", &first, 1),
        ErrorCode::REBALANCE_IN_PROGRESS
    );
    assert_eq!(driver.commit_as("g", &first, 1, 5), ErrorCode::NONE);
    let first_waiting = driver.send(join("g", &first), 9);
    let leader = driver.joined(first_waiting).expect("everybody joined");
    let follower = driver.joined(second_waiting).expect("everybody joined");
    assert_eq!((leader.generation_id, leader.members.len()), (2, 2));
    assert_eq!(
        (follower.leader, follower.members.len()),
        (first.clone(), 0)
    );

    let follower_sync = driver.send(sync("g", &second, 2, &[]), 5);
    assert_eq!(driver.synced(follower_sync), None);
    assert_eq!(
        driver.commit_as("g", &first, 2, 6),
        ErrorCode::REBALANCE_IN_PROGRESS
    );
    let leader_sync = driver.send(sync("g", &first, 2, &[(&first, b"a"), (&second, b"b")]), 5);
    assert_eq!(driver.synced(leader_sync).expect("a part").assignment, "a");
    assert_eq!(
        driver.synced(follower_sync).expect("a part").assignment,
        "b"
    );

    // The second falls silent: after its session the first is asked to join again.
    driver.pass(8_000);
    assert_eq!(driver.heartbeat("g", &first, 2), ErrorCode::NONE);
    driver.pass(2_000);
    assert_eq!(
        driver.heartbeat("g", &first, 2),
        ErrorCode::REBALANCE_IN_PROGRESS
    );
    let waiting = driver.send(join("g", &first), 9);
    assert_eq!(driver.joined(waiting).expect("alone").generation_id, 3);
}

#[test]
fn the_rebalance_timeout_removes_who_does_not_join() {
    let mut driver = Driver::new(GroupConfig::default());
    let first = driver.stable_member("g", b"all");
    let (waiting, second) = driver.join_new("g");
    for _ in 0..10 {
        driver.pass(5_999);
        assert_eq!(
            driver.heartbeat("g", &first, 1),
            ErrorCode::REBALANCE_IN_PROGRESS
        );
    }
    assert_eq!(driver.joined(waiting), None);
    driver.pass(10);
    let joined = driver
        .joined(waiting)
        .expect("the rebalance timeout is over");
    assert_eq!((joined.generation_id, joined.leader), (2, second.clone()));
    assert_eq!(
        driver.heartbeat("g", &first, 1),
        ErrorCode::UNKNOWN_MEMBER_ID
    );
    // The leader never syncs: it is removed as well, and the group is empty.
    for _ in 0..8 {
        driver.pass(7_500);
        driver.heartbeat("g", &second, 2);
    }
    driver.pass(1);
    assert_eq!(driver.view("g").state, GroupState::Empty);
}

#[test]
fn members_that_never_come_back_are_forgotten() {
    let mut driver = Driver::new(GroupConfig::default());
    let request = driver.send(join("g", ""), 9);
    let member_id = driver.joined(request).expect("the member id").member_id;
    driver.pass(10_000);
    let request = driver.send(join("g", &member_id), 9);
    let refused = driver.joined(request).expect("a refusal");
    assert_eq!(refused.error_code, ErrorCode::UNKNOWN_MEMBER_ID.0);
    // Old clients are not sent back: they wait at once.
    let request = driver.send(join("g", ""), 3);
    driver.pass(3_000);
    let joined = driver.joined(request).expect("the initial delay is over");
    assert_eq!(joined.error_code, 0);
}

#[test]
fn joins_are_checked() {
    let mut driver = Driver::new(GroupConfig {
        max_size: 1,
        ..GroupConfig::default()
    });
    let mut refused = |request: JoinGroupRequest| {
        let request = driver.send(request, 9);
        ErrorCode(driver.joined(request).expect("a refusal").error_code)
    };
    assert_eq!(refused(join("", "")), ErrorCode::INVALID_GROUP_ID);
    let short = join("g", "").with_session_timeout_ms(5_999);
    assert_eq!(refused(short), ErrorCode::INVALID_SESSION_TIMEOUT);
    assert_eq!(refused(join("g", "unknown")), ErrorCode::UNKNOWN_MEMBER_ID);
    let without_protocols = join("g", "").with_protocols(Vec::new());
    assert_eq!(
        refused(without_protocols),
        ErrorCode::INCONSISTENT_GROUP_PROTOCOL
    );

    driver.stable_member("g", b"");
    let request = driver.send(join("g", ""), 9);
    let full = driver.joined(request).expect("a refusal");
    assert_eq!(full.error_code, ErrorCode::GROUP_MAX_SIZE_REACHED.0);
    driver.stable_member("h", b"");
    driver.coordinator.runtime.config.max_size = 2;
    let other = join("h", "").with_protocol_type(responses::text("connect"));
    let request = driver.send(other, 9);
    let other = driver.joined(request).expect("a refusal");
    assert_eq!(other.error_code, ErrorCode::INCONSISTENT_GROUP_PROTOCOL.0);
}

#[test]
fn late_members_prolong_the_initial_delay() {
    let mut driver = Driver::new(GroupConfig::default());
    let (first, _) = driver.join_new("g");
    driver.pass(2_000);
    let (second, _) = driver.join_new("g");
    driver.pass(1_000);
    assert_eq!(driver.joined(first), None);
    driver.pass(3_000);
    assert!(
        driver
            .joined(first)
            .is_some_and(|joined| joined.generation_id == 1)
    );
    assert!(
        driver
            .joined(second)
            .is_some_and(|joined| joined.generation_id == 1)
    );
}

#[test]
fn a_static_member_keeps_its_place_and_fences_its_former_self() {
    let mut driver = Driver::new(GroupConfig::default());
    let request = join("g", "").with_group_instance_id(Some(responses::text("one")));
    let waiting = driver.send(request.clone(), 9);
    driver.pass(3_000);
    let old = driver
        .joined(waiting)
        .expect("the initial delay is over")
        .member_id;
    assert!(old.starts_with("one-"), "{old:?}");
    let waiting = driver.send(sync("g", &old, 1, &[(&old, b"kept")]), 5);
    driver.synced(waiting).expect("the assignment");

    let rejoined = driver.send(request.clone(), 9);
    let rejoined = driver.joined(rejoined).expect("no rebalance");
    assert_eq!((rejoined.error_code, rejoined.generation_id), (0, 1));
    assert!(rejoined.skip_assignment);
    let new = rejoined.member_id;
    assert_ne!(new, old);
    let waiting = driver.send(sync("g", &new, 1, &[]), 5);
    assert_eq!(
        driver.synced(waiting).expect("the assignment").assignment,
        "kept"
    );

    let fenced = join("g", &old).with_group_instance_id(Some(responses::text("one")));
    let fenced = driver.send(fenced, 9);
    let fenced = driver.joined(fenced).expect("a refusal");
    assert_eq!(fenced.error_code, ErrorCode::FENCED_INSTANCE_ID.0);
    assert_eq!(
        driver.restarted().view("g").members[0].member_id,
        new.as_str()
    );

    // The record cannot be written: the old member stays.
    driver.fail_appends = Some(ErrorCode::NOT_LEADER_OR_FOLLOWER);
    let refused = driver.send(request, 9);
    let refused = driver.joined(refused).expect("a refusal");
    assert_eq!(refused.error_code, ErrorCode::NOT_COORDINATOR.0);
    assert_eq!(driver.view("g").members[0].member_id, new.as_str());
    driver.fail_appends = None;
    let by_instance =
        MemberIdentity::default().with_group_instance_id(Some(responses::text("one")));
    assert_eq!(
        driver.leave("g", vec![by_instance]).members[0].error_code,
        0
    );
    assert_eq!(driver.view("g").state, GroupState::Empty);
}

#[test]
fn an_assignment_that_cannot_be_kept_is_not_given() {
    let mut driver = Driver::new(GroupConfig::default());
    let (waiting, member_id) = driver.join_new("g");
    driver.pass(3_000);
    driver.joined(waiting).expect("the initial delay is over");
    driver.fail_appends = Some(ErrorCode::NOT_ENOUGH_REPLICAS);
    let waiting = driver.send(sync("g", &member_id, 1, &[(&member_id, b"a")]), 5);
    let failed = driver.synced(waiting).expect("a failure");
    assert_eq!(failed.error_code, ErrorCode::COORDINATOR_NOT_AVAILABLE.0);
    assert_eq!(driver.view("g").state, GroupState::PreparingRebalance);
    assert_eq!(
        driver.commit_as("simple", "", -1, 1),
        ErrorCode::COORDINATOR_NOT_AVAILABLE
    );
    driver.fail_appends = None;
    assert_eq!(driver.fetch_one("simple", 0), -1);
}
