//! What becomes of partitions: brokers come and go, leaders are elected, ISRs and replicas change.

use playground_protocol::ErrorCode;
use playground_protocol::messages::alter_partition_reassignments_request::{
    ReassignablePartition, ReassignableTopic,
};
use playground_protocol::messages::alter_partition_request::{
    BrokerState, PartitionData, TopicData,
};
use playground_protocol::messages::elect_leaders_request::TopicPartitions;
use playground_protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionRequest, BrokerId, ElectLeadersRequest,
    ListPartitionReassignmentsRequest, ResponseKind, UnregisterBrokerRequest,
};

use super::tests::{Quorum, assigned, name, topic, with_configs};
use crate::metadata::records::PartitionChangeRecord;
use crate::metadata::{MetadataRecord, PartitionImage};

/// The cluster of three that these tests use, with its brokers' epochs.
fn three() -> Quorum {
    Quorum::of(3)
}

impl Quorum {
    pub(super) fn epoch(&self, id: i32) -> i64 {
        self.controller
            .image()
            .broker(id)
            .map_or(-1, |broker| broker.epoch)
    }

    /// Lets time pass, in which the brokers that serve, but for one, are heard of.
    pub(super) fn live(&mut self, seconds: i64, silent: i32) {
        for _ in 0..seconds {
            self.pass(1_000);
            for id in 1..=3 {
                if id != silent && self.controller.image().alive_broker(id).is_some() {
                    let epoch = self.epoch(id);
                    self.heartbeat(id, epoch, false);
                }
            }
        }
    }

    /// The process is gone; its session ends, the others' do not.
    pub(super) fn kill(&mut self, id: i32) {
        self.live(12, id);
        assert!(self.controller.image().alive_broker(id).is_none());
    }

    pub(super) fn stop(&mut self, id: i32) {
        let epoch = self.epoch(id);
        for _ in 0..3 {
            for other in 1..=3 {
                if other != id && self.controller.image().alive_broker(other).is_some() {
                    let epoch = self.epoch(other);
                    self.heartbeat(other, epoch, false);
                }
            }
            if self.heartbeat(id, epoch, true).1 {
                return;
            }
        }
        panic!("broker {id} may not stop");
    }

    /// A new process; `previous` is the epoch that it had, if it stopped in order.
    pub(super) fn start(&mut self, id: i32, incarnation: u128, previous: i64) {
        // Not before the session of the last one is over.
        self.live(10, id);
        let epoch = self.register_after(id, incarnation, previous);
        assert!(epoch > 0, "{epoch}");
        self.heartbeat(id, epoch, false);
    }

    fn state(&self, topic: &str) -> (i32, Vec<i32>, Vec<i32>, Vec<i32>) {
        let partition = self.partition(topic, 0);
        (
            partition.leader,
            partition.isr,
            partition.elr,
            partition.last_known_elr,
        )
    }

    pub(super) fn alter_isr(&mut self, topic: &str, broker: i32, isr: &[i32]) -> i16 {
        let partition = self.partition(topic, 0);
        self.alter_isr_at(topic, broker, isr, &partition)
    }

    fn alter_isr_at(
        &mut self,
        topic: &str,
        broker: i32,
        isr: &[i32],
        known: &PartitionImage,
    ) -> i16 {
        let isr = isr
            .iter()
            .map(|id| {
                BrokerState::default()
                    .with_broker_id(BrokerId(*id))
                    .with_broker_epoch(self.epoch(*id))
            })
            .collect();
        self.alter_isr_with(topic, broker, isr, known)
    }

    fn alter_isr_with(
        &mut self,
        topic: &str,
        broker: i32,
        isr: Vec<BrokerState>,
        known: &PartitionImage,
    ) -> i16 {
        let topic_id = match self.controller.image().topic(topic) {
            Some(topic) => topic.id,
            None => panic!("{topic}"),
        };
        let request = AlterPartitionRequest::default()
            .with_broker_id(BrokerId(broker))
            .with_broker_epoch(self.epoch(broker))
            .with_topics(vec![
                TopicData::default()
                    .with_topic_id(topic_id)
                    .with_partitions(vec![
                        PartitionData::default()
                            .with_leader_epoch(known.leader_epoch)
                            .with_partition_epoch(known.partition_epoch)
                            .with_leader_recovery_state(0)
                            .with_new_isr_with_epochs(isr),
                    ]),
            ]);
        match self.call(request) {
            ResponseKind::AlterPartition(response) if response.error_code != 0 => {
                response.error_code
            }
            ResponseKind::AlterPartition(response) => response.topics[0].partitions[0].error_code,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn elect(&mut self, kind: i8, topic: &str, number: i32) -> (i16, String) {
        let request = ElectLeadersRequest::default()
            .with_election_type(kind)
            .with_topic_partitions(Some(vec![
                TopicPartitions::default()
                    .with_topic(name(topic))
                    .with_partitions(vec![number]),
            ]));
        match self.call(request) {
            ResponseKind::ElectLeaders(response) => {
                let result = &response.replica_election_results[0].partition_result[0];
                let message = result.error_message.as_ref();
                (
                    result.error_code,
                    message.map(ToString::to_string).unwrap_or_default(),
                )
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn reassign(
        &mut self,
        topic: &str,
        number: i32,
        replicas: Option<&[i32]>,
    ) -> (i16, String) {
        self.reassign_with(topic, number, replicas, true)
    }

    fn reassign_with(
        &mut self,
        topic: &str,
        number: i32,
        replicas: Option<&[i32]>,
        factor_may_change: bool,
    ) -> (i16, String) {
        let replicas = replicas.map(|ids| ids.iter().copied().map(BrokerId).collect());
        let request = AlterPartitionReassignmentsRequest::default()
            .with_allow_replication_factor_change(factor_may_change)
            .with_topics(vec![
                ReassignableTopic::default()
                    .with_name(name(topic))
                    .with_partitions(vec![
                        ReassignablePartition::default()
                            .with_partition_index(number)
                            .with_replicas(replicas),
                    ]),
            ]);
        match self.call(request) {
            ResponseKind::AlterPartitionReassignments(response) => {
                let result = &response.responses[0].partitions[0];
                let message = result.error_message.as_ref();
                (
                    result.error_code,
                    message.map(ToString::to_string).unwrap_or_default(),
                )
            }
            other => panic!("{other:?}"),
        }
    }

    /// The changes of partitions since `offset`.
    fn changes_since(&self, offset: usize) -> Vec<PartitionChangeRecord> {
        self.log[offset..]
            .iter()
            .filter_map(|record| match record {
                MetadataRecord::PartitionChange(record) => Some(record.clone()),
                _ => None,
            })
            .collect()
    }
}

#[test]
fn a_killed_leader_is_followed_and_comes_back_as_a_follower() {
    let mut quorum = three();
    quorum.create(assigned("r", &[(0, &[3, 1, 2])]));
    quorum.kill(3);
    assert_eq!(quorum.state("r"), (1, vec![1, 2], vec![], vec![]));
    assert_eq!(quorum.partition("r", 0).leader_epoch, 1);
    quorum.start(3, 2, -1);
    assert_eq!(quorum.state("r"), (1, vec![1, 2], vec![], vec![]));
    assert_eq!(quorum.alter_isr("r", 1, &[1, 2, 3]), 0);
    assert_eq!(quorum.state("r").1, [1, 2, 3]);
    // A larger ISR is no new epoch of the leader.
    assert_eq!(quorum.partition("r", 0).leader_epoch, 1);
    assert_eq!(quorum.elect(0, "r", 0), (0, String::new()));
    assert_eq!(quorum.state("r").0, 3);
}

#[test]
fn two_that_die_together_are_not_elected_one_after_the_other() {
    let mut quorum = three();
    quorum.create(assigned("r", &[(0, &[1, 2, 3])]));
    quorum.pass(8_000);
    let epoch = quorum.epoch(3);
    quorum.heartbeat(3, epoch, false);
    quorum.pass(3_000);
    assert_eq!(quorum.state("r"), (3, vec![3], vec![], vec![]));
}

#[test]
fn the_last_replicas_stay_eligible_until_one_of_them_loses_its_records() {
    let mut quorum = three();
    quorum.create(assigned("u", &[(0, &[2, 3])]));
    let epoch_3 = quorum.epoch(3);
    quorum.stop(3);
    assert_eq!(quorum.state("u"), (2, vec![2], vec![], vec![]));
    let epoch_2 = quorum.epoch(2);
    quorum.stop(2);
    assert_eq!(quorum.state("u"), (-1, vec![], vec![2], vec![2]));
    // The one that fell behind does not lead ...
    quorum.start(3, 2, epoch_3);
    assert_eq!(quorum.state("u"), (-1, vec![], vec![2], vec![2]));
    assert_eq!(
        quorum.elect(0, "u", 0).0,
        ErrorCode::PREFERRED_LEADER_NOT_AVAILABLE.0
    );
    // ... the one that stopped in order does.
    quorum.start(2, 2, epoch_2);
    assert_eq!(quorum.state("u"), (2, vec![2], vec![], vec![]));
    // Killed and back: its records may be lost, but nobody else's are better.
    quorum.kill(2);
    assert_eq!(quorum.state("u"), (-1, vec![], vec![2], vec![2]));
    let end = quorum.log.len();
    quorum.start(2, 3, -1);
    let changes = quorum.changes_since(end);
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert_eq!(changes[0].eligible_leader_replicas, Some(vec![]));
    assert_eq!(changes[0].isr, None);
    assert_eq!(changes[1].leader_recovery_state, 1);
    assert_eq!(quorum.state("u"), (2, vec![2], vec![], vec![]));
}

#[test]
fn an_unclean_election_is_asked_for_or_configured() {
    let mut quorum = three();
    quorum.create(assigned("asked", &[(0, &[2, 3])]));
    quorum.create(with_configs(
        assigned("set", &[(0, &[2, 3])]),
        &[("unclean.leader.election.enable", Some("true"))],
    ));
    quorum.create(assigned("later", &[(0, &[2, 3])]));
    let epoch_3 = quorum.epoch(3);
    quorum.stop(3);
    quorum.stop(2);
    assert_eq!(
        quorum.elect(1, "asked", 0),
        (
            ErrorCode::ELIGIBLE_LEADERS_NOT_AVAILABLE.0,
            ErrorCode::ELIGIBLE_LEADERS_NOT_AVAILABLE
                .message()
                .to_owned()
        )
    );
    quorum.start(3, 2, epoch_3);
    assert_eq!(quorum.state("set"), (3, vec![3], vec![], vec![]));
    assert_eq!(quorum.partition("set", 0).leader_recovery_state, 1);
    assert_eq!(quorum.state("asked").0, -1);
    assert_eq!(quorum.elect(1, "asked", 0).0, 0);
    assert_eq!(quorum.state("asked"), (3, vec![3], vec![], vec![]));
    assert_eq!(
        quorum.elect(1, "asked", 0).0,
        ErrorCode::ELECTION_NOT_NEEDED.0
    );
    // Configured later: the periodic check finds it.
    quorum.alter(
        2,
        "later",
        &[("unclean.leader.election.enable", 0, Some("true"))],
    );
    assert_eq!(quorum.state("later").0, -1);
    quorum.live(300, 0);
    assert_eq!(quorum.state("later"), (3, vec![3], vec![], vec![]));
    // The leader that recovered says so.
    assert_eq!(quorum.alter_isr("later", 3, &[3]), 0);
    assert_eq!(quorum.partition("later", 0).leader_recovery_state, 0);
}

#[test]
fn elections_that_cannot_be_have_kafkas_texts() {
    let mut quorum = three();
    quorum.create(assigned("e", &[(0, &[2, 3])]));
    let unknown = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0;
    for (topic, number, expected) in [
        ("none", 0, (unknown, "No such topic as none")),
        ("e", 5, (unknown, "No such partition as e-5")),
        (
            "e",
            0,
            (
                ErrorCode::ELECTION_NOT_NEEDED.0,
                "Leader election not needed for topic partition.",
            ),
        ),
    ] {
        let (code, text) = quorum.elect(0, topic, number);
        assert_eq!((code, text.as_str()), expected);
    }
    let all = ElectLeadersRequest::default().with_topic_partitions(None);
    match quorum.call(all) {
        ResponseKind::ElectLeaders(response) => {
            assert_eq!(response.replica_election_results.len(), 1);
            assert!(
                response.replica_election_results[0]
                    .partition_result
                    .is_empty()
            );
        }
        other => panic!("{other:?}"),
    }
    let wrong = ElectLeadersRequest::default()
        .with_election_type(9)
        .with_topic_partitions(Some(vec![
            TopicPartitions::default()
                .with_topic(name("e"))
                .with_partitions(vec![0]),
        ]));
    match quorum.call(wrong) {
        ResponseKind::ElectLeaders(response) => {
            assert_eq!(response.error_code, ErrorCode::INVALID_REQUEST.0);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn leaders_go_back_to_the_preferred_replicas_by_themselves() {
    let mut quorum = three();
    quorum.create(assigned("b", &[(0, &[2, 3])]));
    let epoch = quorum.epoch(2);
    quorum.stop(2);
    quorum.start(2, 2, epoch);
    assert_eq!(quorum.alter_isr("b", 3, &[3, 2]), 0);
    assert_eq!(quorum.state("b").0, 3);
    quorum.live(300, 0);
    assert_eq!(quorum.state("b"), (2, vec![3, 2], vec![], vec![]));
}

#[test]
fn an_isr_that_cannot_be_is_refused() {
    let mut quorum = three();
    quorum.create(assigned("i", &[(0, &[1, 2, 3])]));
    let known = quorum.partition("i", 0);
    let mut check = |broker: i32, isr: &[i32], known: &PartitionImage, expected: ErrorCode| {
        assert_eq!(
            quorum.alter_isr_at("i", broker, isr, known),
            expected.0,
            "{isr:?}"
        );
    };
    check(2, &[1, 2], &known, ErrorCode::INVALID_REQUEST);
    check(1, &[2, 3], &known, ErrorCode::INVALID_REQUEST);
    check(1, &[1, 1], &known, ErrorCode::INVALID_REQUEST);
    check(1, &[1, 4], &known, ErrorCode::INVALID_REQUEST);
    let mut newer = known.clone();
    newer.leader_epoch += 1;
    check(1, &[1], &newer, ErrorCode::NOT_CONTROLLER);
    let mut newer = known.clone();
    newer.partition_epoch += 1;
    check(1, &[1], &newer, ErrorCode::NOT_CONTROLLER);
    check(1, &[1, 2], &known, ErrorCode::NONE);
    check(1, &[1, 2, 3], &known, ErrorCode::INVALID_UPDATE_VERSION);
    // A replica that is fenced, that restarted, or that is about to stop.
    quorum.kill(3);
    let known = quorum.partition("i", 0);
    assert_eq!(
        quorum.alter_isr_at("i", 1, &[1, 2, 3], &known),
        ErrorCode::INELIGIBLE_REPLICA.0
    );
    let old = quorum.epoch(3);
    quorum.start(3, 2, -1);
    let state = |id: i32, epoch: i64| {
        BrokerState::default()
            .with_broker_id(BrokerId(id))
            .with_broker_epoch(epoch)
    };
    let with_old = vec![state(1, -1), state(2, -1), state(3, old)];
    assert_eq!(
        quorum.alter_isr_with("i", 1, with_old, &known),
        ErrorCode::INELIGIBLE_REPLICA.0
    );
    quorum.kill(1);
    assert_eq!(quorum.state("i").0, 2);
    assert_eq!(
        quorum.alter_isr_at("i", 2, &[2], &known),
        ErrorCode::FENCED_LEADER_EPOCH.0
    );
}

#[test]
fn replicas_move_when_the_new_ones_are_in_sync() {
    let mut quorum = three();
    quorum.create(assigned("m", &[(0, &[1, 2])]));
    assert_eq!(quorum.reassign("m", 0, Some(&[3, 2])), (0, String::new()));
    let partition = quorum.partition("m", 0);
    assert_eq!(partition.replicas, [3, 2, 1]);
    assert_eq!(partition.adding_replicas, [3]);
    assert_eq!(partition.removing_replicas, [1]);
    assert_eq!(partition.leader_epoch, 0);
    match quorum.call(ListPartitionReassignmentsRequest::default().with_topics(None)) {
        ResponseKind::ListPartitionReassignments(response) => {
            let ongoing = &response.topics[0].partitions[0];
            assert_eq!(ongoing.adding_replicas, [BrokerId(3)]);
            assert_eq!(ongoing.removing_replicas, [BrokerId(1)]);
        }
        other => panic!("{other:?}"),
    }
    // The leader is among those that leave: another one is elected, and the leader is told so.
    assert_eq!(
        quorum.alter_isr("m", 1, &[1, 2, 3]),
        ErrorCode::NEW_LEADER_ELECTED.0
    );
    let partition = quorum.partition("m", 0);
    assert_eq!(partition.replicas, [3, 2]);
    assert_eq!(partition.isr, [2, 3]);
    assert_eq!(partition.leader, 3);
    assert!(partition.adding_replicas.is_empty() && partition.removing_replicas.is_empty());
    match quorum.call(ListPartitionReassignmentsRequest::default().with_topics(None)) {
        ResponseKind::ListPartitionReassignments(response) => {
            assert!(response.topics.is_empty());
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_reassignment_is_cancelled_and_others_are_refused() {
    let mut quorum = three();
    quorum.create(assigned("c", &[(0, &[1, 2])]));
    assert_eq!(
        quorum.reassign("c", 0, None),
        (
            ErrorCode::NO_REASSIGNMENT_IN_PROGRESS.0,
            ErrorCode::NO_REASSIGNMENT_IN_PROGRESS.message().to_owned()
        )
    );
    // A mere change of order ends at once.
    assert_eq!(quorum.reassign("c", 0, Some(&[2, 1])).0, 0);
    assert_eq!(quorum.partition("c", 0).replicas, [2, 1]);
    assert_eq!(quorum.reassign("c", 0, Some(&[2, 3])).0, 0);
    assert_eq!(quorum.partition("c", 0).replicas, [2, 3, 1]);
    assert_eq!(quorum.reassign("c", 0, None).0, 0);
    let partition = quorum.partition("c", 0);
    assert_eq!(partition.replicas, [2, 1]);
    assert!(partition.adding_replicas.is_empty());
    for (topic, number, replicas, may_change, expected) in [
        (
            "none",
            0,
            &[1][..],
            true,
            "Unable to find a topic named none.",
        ),
        ("c", 4, &[1], true, "Unable to find partition c:4."),
        (
            "c",
            0,
            &[],
            true,
            "The manual partition assignment includes an empty replica list.",
        ),
        (
            "c",
            0,
            &[9],
            true,
            "The manual partition assignment includes broker 9, but no such broker is registered.",
        ),
        (
            "c",
            0,
            &[1],
            false,
            "The replication factor is changed from 2 to 1",
        ),
    ] {
        let (code, text) = quorum.reassign_with(topic, number, Some(replicas), may_change);
        assert_eq!(text, expected);
        assert_ne!(code, 0);
    }
    assert_eq!(quorum.partition("c", 0), partition);
}

#[test]
fn a_broker_that_is_unregistered_leaves_its_partitions() {
    let mut quorum = three();
    quorum.create(topic("t", 1, 3));
    quorum.kill(3);
    quorum.call(UnregisterBrokerRequest::default().with_broker_id(BrokerId(3)));
    assert!(quorum.controller.image().broker(3).is_none());
    assert!(!quorum.partition("t", 0).isr.contains(&3));
    assert_eq!(
        quorum.create(topic("wide", 1, 3)).1,
        "Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached because only 2 broker(s) are registered or some brokers have all their log directories cordoned."
    );
}

#[test]
fn topics_are_created_and_deleted_while_a_broker_is_down() {
    let mut quorum = three();
    quorum.create(topic("d", 1, 3));
    quorum.stop(3);
    assert_eq!(quorum.create(topic("d3", 3, 3)).0, 0);
    for number in 0..3 {
        let partition = quorum.partition("d3", number);
        assert_eq!(partition.replicas.len(), 3);
        assert_eq!(partition.isr.len(), 2);
        assert!(!partition.isr.contains(&3));
        assert_ne!(partition.replicas[0], 3);
    }
    assert_eq!(
        quorum.create(assigned("only", &[(0, &[3])])).1,
        "All brokers specified in the manual partition assignment for partition 0 are fenced or in controlled shutdown."
    );
}

#[test]
fn a_new_minimum_forgets_the_eligible_replicas_and_raises_the_partitions_epoch() {
    let mut quorum = three();
    quorum.create(with_configs(
        assigned("n", &[(0, &[1, 3])]),
        &[("min.insync.replicas", Some("2"))],
    ));
    quorum.stop(3);
    assert_eq!(quorum.state("n"), (1, vec![1], vec![3], vec![]));
    let epoch = quorum.partition("n", 0).partition_epoch;
    quorum.alter(2, "n", &[("min.insync.replicas", 0, Some("1"))]);
    assert_eq!(quorum.state("n"), (1, vec![1], vec![], vec![]));
    assert_eq!(quorum.partition("n", 0).partition_epoch, epoch + 1);
    assert_eq!(quorum.alter_isr("n", 1, &[1]), 0);
}
