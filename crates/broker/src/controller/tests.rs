//! The controller against what a real 4.3.1 answered.

use playground_protocol::codec::StrBytes;
use playground_protocol::messages::broker_registration_request::{Feature, Listener};
use playground_protocol::messages::create_partitions_request::{
    CreatePartitionsAssignment, CreatePartitionsTopic,
};
use playground_protocol::messages::create_topics_request::{
    CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig,
};
use playground_protocol::messages::delete_topics_request::DeleteTopicState;
use playground_protocol::messages::incremental_alter_configs_request::{
    AlterConfigsResource, AlterableConfig,
};
use playground_protocol::messages::{
    AllocateProducerIdsRequest, BrokerHeartbeatRequest, BrokerId, BrokerRegistrationRequest,
    CreatePartitionsRequest, CreateTopicsRequest, DeleteTopicsRequest,
    IncrementalAlterConfigsRequest, TopicName, UnregisterBrokerRequest,
};
use playground_protocol::{ErrorCode, messages::RequestKind};

use super::*;
use crate::config::broker::tests::node_config;
use crate::metadata::PartitionImage;
use crate::metadata::describe::BrokerView;

const CLUSTER: u128 = 7;

/// A controller with its log.
pub(super) struct Quorum {
    pub(super) controller: Controller,
    pub(super) log: Vec<MetadataRecord>,
    now: Time,
}

pub(super) fn text(text: &str) -> StrBytes {
    StrBytes::from_string(text.to_owned())
}

pub(super) fn name(name: &str) -> TopicName {
    TopicName(text(name))
}

impl Quorum {
    /// A new cluster without brokers.
    fn empty() -> Quorum {
        let broker = match BrokerConfig::new(&node_config(&[])) {
            Ok(broker) => broker,
            Err(error) => panic!("{error}"),
        };
        let config = ControllerConfig::new(&broker, Uuid::from_u128(CLUSTER));
        let mut quorum = Quorum {
            controller: Controller::new(config, Random::new(1, "controller")),
            log: Vec::new(),
            now: Time::from_millis(1_000_000),
        };
        let records = quorum.controller.bootstrap_records();
        quorum.commit(records);
        quorum.controller.activate(quorum.now);
        quorum
    }

    /// A cluster of brokers 1 to `count` that serve.
    pub(super) fn of(count: i32) -> Quorum {
        let mut quorum = Quorum::empty();
        for id in 1..=count {
            let epoch = quorum.register(id, 1);
            quorum.heartbeat(id, epoch, false);
        }
        quorum
    }

    /// Lets time pass, with what the controller does in it.
    pub(super) fn pass(&mut self, ms: i64) {
        let end = self.now.plus_millis(ms);
        while self.controller.next_deadline() <= end {
            self.now = self.controller.next_deadline().max(self.now);
            let records = self.controller.tick(self.now).records;
            self.commit(records);
        }
        self.now = end;
    }

    fn commit(&mut self, records: Vec<MetadataRecord>) {
        for record in records {
            let record = match MetadataRecord::decode(&record.encode()) {
                Ok(record) => record,
                Err(error) => panic!("{error}: {record:?}"),
            };
            let offset = self.log.len() as i64;
            if let Err(error) = self.controller.replay(&record, offset) {
                panic!("{error}: {record:?}");
            }
            self.log.push(record);
        }
    }

    pub(super) fn call(&mut self, request: impl Into<RequestKind>) -> ResponseKind {
        let context = ControllerContext {
            now: self.now,
            api_version: 4,
            next_offset: self.log.len() as i64,
        };
        let result = self.controller.handle(&request.into(), context);
        self.commit(result.records);
        match result.response {
            Some(response) => response,
            None => panic!("no response"),
        }
    }

    pub(super) fn register(&mut self, id: i32, incarnation: u128) -> i64 {
        self.register_after(id, incarnation, -1)
    }

    /// `previous` is the epoch before a shutdown in order.
    pub(super) fn register_after(&mut self, id: i32, incarnation: u128, previous: i64) -> i64 {
        let features = features::FEATURES.iter().map(|feature| {
            Feature::default()
                .with_name(StrBytes::from_static_str(feature.name))
                .with_min_supported_version(feature.min_supported)
                .with_max_supported_version(feature.max_supported)
        });
        let request = BrokerRegistrationRequest::default()
            .with_broker_id(BrokerId(id))
            .with_cluster_id(text(&playground_log::checkpoint::uuid_text(
                Uuid::from_u128(CLUSTER),
            )))
            .with_incarnation_id(Uuid::from_u128(incarnation * 1000 + id as u128))
            .with_listeners(vec![
                Listener::default()
                    .with_name(text("PLAINTEXT"))
                    .with_host(text("localhost"))
                    .with_port(9091 + id as u16),
            ])
            .with_features(features.collect())
            .with_log_dirs(vec![Uuid::from_u128(5000 + id as u128)])
            .with_previous_broker_epoch(previous);
        match self.call(request) {
            ResponseKind::BrokerRegistration(response) => {
                if response.error_code == 0 {
                    response.broker_epoch
                } else {
                    -i64::from(response.error_code)
                }
            }
            other => panic!("{other:?}"),
        }
    }

    /// (fenced, may shut down)
    pub(super) fn heartbeat(&mut self, id: i32, epoch: i64, shut_down: bool) -> (bool, bool) {
        let request = BrokerHeartbeatRequest::default()
            .with_broker_id(BrokerId(id))
            .with_broker_epoch(epoch)
            .with_current_metadata_offset(self.log.len() as i64 - 1)
            .with_want_shut_down(shut_down);
        match self.call(request) {
            ResponseKind::BrokerHeartbeat(response) => {
                (response.is_fenced, response.should_shut_down)
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn create(&mut self, topic: CreatableTopic) -> (i16, String) {
        match self.call(CreateTopicsRequest::default().with_topics(vec![topic])) {
            ResponseKind::CreateTopics(response) => {
                let result = &response.topics[0];
                let message = result.error_message.as_ref();
                (
                    result.error_code,
                    message.map(ToString::to_string).unwrap_or_default(),
                )
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn alter(
        &mut self,
        kind: i8,
        resource: &str,
        changes: &[(&str, i8, Option<&str>)],
    ) -> (i16, String) {
        let configs = changes.iter().map(|(name, operation, value)| {
            AlterableConfig::default()
                .with_name(text(name))
                .with_config_operation(*operation)
                .with_value(value.map(text))
        });
        let request = IncrementalAlterConfigsRequest::default().with_resources(vec![
            AlterConfigsResource::default()
                .with_resource_type(kind)
                .with_resource_name(text(resource))
                .with_configs(configs.collect()),
        ]);
        match self.call(request) {
            ResponseKind::IncrementalAlterConfigs(response) => {
                let result = &response.responses[0];
                let message = result.error_message.as_ref();
                (
                    result.error_code,
                    message.map(ToString::to_string).unwrap_or_default(),
                )
            }
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn partition(&self, topic: &str, number: i32) -> PartitionImage {
        match self.controller.image().partition(topic, number) {
            Some(partition) => partition.clone(),
            None => panic!("{topic}-{number}"),
        }
    }

    pub(super) fn view<'a>(&'a self, config: &'a mut BrokerConfig) -> BrokerView<'a> {
        config.apply_dynamic(self.controller.image());
        BrokerView {
            image: self.controller.image(),
            config,
            cluster_id: Uuid::from_u128(CLUSTER),
            listener: "PLAINTEXT",
            random: 0,
        }
    }
}

pub(super) fn topic(topic: &str, partitions: i32, factor: i16) -> CreatableTopic {
    CreatableTopic::default()
        .with_name(name(topic))
        .with_num_partitions(partitions)
        .with_replication_factor(factor)
}

pub(super) fn assigned(topic: &str, assignments: &[(i32, &[i32])]) -> CreatableTopic {
    self::topic(topic, -1, -1).with_assignments(
        assignments
            .iter()
            .map(|(partition, brokers)| {
                CreatableReplicaAssignment::default()
                    .with_partition_index(*partition)
                    .with_broker_ids(brokers.iter().copied().map(BrokerId).collect())
            })
            .collect(),
    )
}

pub(super) fn with_configs(
    topic: CreatableTopic,
    configs: &[(&str, Option<&str>)],
) -> CreatableTopic {
    topic.with_configs(
        configs
            .iter()
            .map(|(name, value)| {
                CreatableTopicConfig::default()
                    .with_name(text(name))
                    .with_value(value.map(text))
            })
            .collect(),
    )
}

#[test]
fn a_new_log_begins_as_kafkas() {
    let quorum = Quorum::empty();
    let vectors = include_str!("../metadata/records/vectors.txt");
    let real: Vec<Vec<u8>> = vectors
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(offset, _)| offset.parse::<i64>().is_ok_and(|offset| offset <= 9))
        .map(|(_, hex)| {
            (0..hex.len() / 2)
                .filter_map(|index| u8::from_str_radix(&hex[index * 2..index * 2 + 2], 16).ok())
                .collect()
        })
        .collect();
    let ours: Vec<Vec<u8>> = quorum
        .log
        .iter()
        .map(|record| record.encode().to_vec())
        .collect();
    assert_eq!(ours, real);
}

#[test]
fn a_broker_registers_serves_and_shuts_down() {
    let mut quorum = Quorum::empty();
    let epoch = quorum.register(1, 1);
    assert_eq!(epoch, quorum.log.len() as i64 - 1);
    assert!(quorum.controller.image().alive_broker(1).is_none());
    assert_eq!(quorum.heartbeat(1, epoch, false), (false, false));
    assert!(quorum.controller.image().alive_broker(1).is_some());
    assert_eq!(quorum.create(topic("t", 1, 1)).0, 0);
    // Its leadership goes first, and nobody else can take it.
    assert_eq!(quorum.heartbeat(1, epoch, true), (false, false));
    assert_eq!(quorum.heartbeat(1, epoch, true), (true, true));
    let partition = quorum.controller.image().partition("t", 0);
    assert_eq!(partition.map(|partition| partition.leader), Some(-1));
    assert_eq!(
        partition.map(|partition| partition.elr.clone()),
        Some(vec![1])
    );
    // A new process takes over at once, since the old one's session ended in order.
    quorum.now = quorum.now.plus_millis(20_000);
    let again = quorum.register(1, 2);
    assert!(again > epoch);
    quorum.heartbeat(1, again, false);
    let partition = quorum.controller.image().partition("t", 0);
    assert_eq!(partition.map(|partition| partition.leader), Some(1));
    assert_eq!(
        partition.map(|partition| partition.isr.clone()),
        Some(vec![1])
    );
}

#[test]
fn a_silent_broker_is_fenced_and_a_second_one_of_its_id_refused() {
    let mut quorum = Quorum::of(2);
    assert_eq!(
        quorum.register(1, 2),
        -i64::from(ErrorCode::DUPLICATE_BROKER_REGISTRATION.0)
    );
    let deadline = quorum.controller.next_deadline();
    assert_eq!(deadline, quorum.now.plus_millis(9_000));
    quorum.now = deadline;
    let records = quorum.controller.tick(deadline).records;
    assert_eq!(records.len(), 1);
    quorum.commit(records);
    // One at a time.
    assert!(quorum.controller.image().alive_broker(1).is_none());
    assert!(quorum.controller.image().alive_broker(2).is_some());
    assert_eq!(quorum.controller.next_deadline(), deadline.plus_millis(10));
    quorum.pass(10);
    assert!(quorum.controller.image().alive_broker(2).is_none());
    assert!(quorum.register(1, 2) > 0);
    let gone = quorum.call(UnregisterBrokerRequest::default().with_broker_id(BrokerId(7)));
    assert!(matches!(
        gone,
        ResponseKind::UnregisterBroker(response)
            if response.error_message == Some(text("Broker ID 7 is not currently registered"))
    ));
    quorum.call(UnregisterBrokerRequest::default().with_broker_id(BrokerId(2)));
    assert!(quorum.controller.image().broker(2).is_none());
}

#[test]
fn topics_that_cannot_be_have_kafkas_texts() {
    let mut quorum = Quorum::of(1);
    assert_eq!(quorum.create(topic("users", 3, 1)), (0, String::new()));
    assert_eq!(quorum.create(topic("a.b", 1, -1)).0, 0);
    let error = |code: ErrorCode, text: &str| (code.0, text.to_owned());
    for (topic, expected) in [
        (
            topic("users", 1, 1),
            error(
                ErrorCode::TOPIC_ALREADY_EXISTS,
                "Topic 'users' already exists.",
            ),
        ),
        (
            topic("a_b", 1, 1),
            error(
                ErrorCode::INVALID_TOPIC_EXCEPTION,
                "Topic 'a_b' collides with existing topic: a.b",
            ),
        ),
        (
            topic("wide", 1, 2),
            error(
                ErrorCode::INVALID_REPLICATION_FACTOR,
                "Unable to replicate the partition 2 time(s): The target replication factor of 2 cannot be reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned.",
            ),
        ),
        (
            topic("wide", 1, 0),
            error(
                ErrorCode::INVALID_REPLICATION_FACTOR,
                "Replication factor must be larger than 0, or -1 to use the default value.",
            ),
        ),
        (
            topic("wide", 0, 1),
            error(
                ErrorCode::INVALID_PARTITIONS,
                "Number of partitions was set to an invalid non-positive value.",
            ),
        ),
        (
            topic("wide", 20_000, 1),
            error(
                ErrorCode::POLICY_VIOLATION,
                "Excessively large number of partitions per request.",
            ),
        ),
        (
            topic("__cluster_metadata", 1, 1),
            error(
                ErrorCode::INVALID_REQUEST,
                "Creation of internal topic __cluster_metadata is prohibited.",
            ),
        ),
        (
            assigned("m", &[(0, &[1]), (2, &[1])]),
            error(
                ErrorCode::INVALID_REPLICA_ASSIGNMENT,
                "partitions should be a consecutive 0-based integer sequence",
            ),
        ),
        (
            assigned("m", &[(0, &[])]),
            error(
                ErrorCode::INVALID_REPLICA_ASSIGNMENT,
                "The manual partition assignment includes an empty replica list.",
            ),
        ),
        (
            assigned("m", &[(0, &[1, 1])]),
            error(
                ErrorCode::INVALID_REPLICA_ASSIGNMENT,
                "The manual partition assignment includes the broker 1 more than once.",
            ),
        ),
        (
            assigned("m", &[(0, &[1]), (1, &[1, 2])]),
            error(
                ErrorCode::INVALID_REPLICA_ASSIGNMENT,
                "The manual partition assignment includes broker 2, but no such broker is registered.",
            ),
        ),
        (
            with_configs(topic("m", 1, 1), &[("retention.ms", Some("soon"))]),
            error(
                ErrorCode::INVALID_CONFIG,
                "Invalid value soon for configuration retention.ms: Not a number of type LONG",
            ),
        ),
        (
            with_configs(topic("m", 1, 1), &[("retention.ms", None)]),
            error(
                ErrorCode::INVALID_CONFIG,
                "Null value not supported for topic configs: retention.ms",
            ),
        ),
    ] {
        assert_eq!(quorum.create(topic), expected);
    }
    assert_eq!(quorum.controller.image().topic_count(), 2);
}

#[test]
fn a_created_topic_tells_its_configurations_and_validation_leaves_none() {
    let mut quorum = Quorum::of(1);
    let topics = vec![
        with_configs(
            topic("users", 3, 1),
            &[
                ("retention.ms", Some("60000")),
                ("cleanup.policy", Some("compact")),
            ],
        ),
        topic("twice", 1, 1),
        topic("twice", 1, 1),
    ];
    let request = CreateTopicsRequest::default().with_topics(topics);
    let before = quorum.log.len();
    quorum.call(request.clone().with_validate_only(true));
    assert_eq!(quorum.log.len(), before);
    let ResponseKind::CreateTopics(response) = quorum.call(request) else {
        panic!();
    };
    assert_eq!(response.topics.len(), 2);
    assert_eq!(
        response.topics[1].error_message,
        Some(text("Duplicate topic name."))
    );
    let users = &response.topics[0];
    assert_eq!((users.num_partitions, users.replication_factor), (3, 1));
    let configs = users.configs.clone().unwrap_or_default();
    assert_eq!(configs.len(), 33);
    let set: Vec<(String, i8)> = configs
        .iter()
        .filter(|config| config.config_source != 5)
        .map(|config| (config.name.to_string(), config.config_source))
        .collect();
    assert_eq!(
        set,
        [
            ("cleanup.policy".to_owned(), 1),
            ("min.insync.replicas".to_owned(), 3),
            ("retention.ms".to_owned(), 1)
        ]
    );
    let image = quorum.controller.image();
    assert_eq!(
        image.topic("users").map(|topic| topic.id),
        Some(users.topic_id)
    );
    assert_eq!(
        image
            .partition("users", 2)
            .map(|partition| partition.directories.clone()),
        Some(vec![Uuid::from_u128(5001)])
    );
}

#[test]
fn topics_are_spread_over_brokers_and_replicated() {
    let mut quorum = Quorum::of(3);
    assert_eq!(quorum.create(topic("spread", 6, 1)).0, 0);
    for id in 1..=3 {
        assert_eq!(quorum.controller.image().partitions_in_isr(id).count(), 2);
    }
    assert_eq!(
        quorum.create(topic("four", 1, 4)).1,
        "Unable to replicate the partition 4 time(s): The target replication factor of 4 cannot be reached because only 3 broker(s) are registered or some brokers have all their log directories cordoned."
    );
    assert_eq!(quorum.create(topic("three", 2, 3)).0, 0);
    for number in 0..2 {
        let partition = quorum.partition("three", number);
        let mut sorted = partition.replicas.clone();
        sorted.sort_unstable();
        assert_eq!(sorted, [1, 2, 3]);
        assert_eq!(partition.isr, partition.replicas);
        assert_eq!(partition.leader, partition.replicas[0]);
    }
    assert_eq!(
        quorum
            .create(assigned("two", &[(0, &[3, 1]), (1, &[1, 2])]))
            .0,
        0
    );
    assert_eq!(quorum.partition("two", 0).replicas, [3, 1]);
    assert_eq!(quorum.partition("two", 0).leader, 3);
    let uneven = quorum
        .create(assigned("uneven", &[(0, &[3, 1]), (1, &[1])]))
        .1;
    assert_eq!(
        uneven,
        "The manual partition assignment includes a partition with 1 replica(s), but this is not consistent with previous partitions, which have 2 replica(s)."
    );
}

#[test]
fn topics_are_deleted_by_name_and_by_id() {
    let mut quorum = Quorum::of(1);
    quorum.create(topic("one", 1, 1));
    quorum.create(with_configs(
        topic("two", 2, 1),
        &[("retention.ms", Some("1"))],
    ));
    let id = quorum
        .controller
        .image()
        .topic("two")
        .map(|topic| topic.id)
        .unwrap_or_default();
    let by_name = |topic: &str| DeleteTopicState::default().with_name(Some(name(topic)));
    let by_id = |id| {
        DeleteTopicState::default()
            .with_name(None)
            .with_topic_id(id)
    };
    let request = DeleteTopicsRequest::default().with_topics(vec![
        by_name("one"),
        by_name("nope"),
        by_id(id),
        by_id(Uuid::from_u128(1)),
        by_id(Uuid::nil()),
    ]);
    let ResponseKind::DeleteTopics(response) = quorum.call(request) else {
        panic!();
    };
    let codes: Vec<i16> = response
        .responses
        .iter()
        .map(|result| result.error_code)
        .collect();
    assert_eq!(
        codes,
        [
            0,
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0,
            0,
            ErrorCode::UNKNOWN_TOPIC_ID.0,
            ErrorCode::INVALID_REQUEST.0
        ]
    );
    assert_eq!(response.responses[2].name, Some(name("two")));
    let image = quorum.controller.image();
    assert_eq!(image.topic_count(), 0);
    assert_eq!(image.partitions_in_isr(1).count(), 0);
    assert!(image.config(ResourceType::Topic, "two").is_none());
}

#[test]
fn partitions_only_grow() {
    let mut quorum = Quorum::of(1);
    quorum.create(topic("users", 5, 1));
    let mut grow = |topic: &str, count: i32, assignments: Option<&[&[i32]]>| {
        let assignments = assignments.map(|lists| {
            lists
                .iter()
                .map(|list| {
                    CreatePartitionsAssignment::default()
                        .with_broker_ids(list.iter().copied().map(BrokerId).collect())
                })
                .collect()
        });
        let request = CreatePartitionsRequest::default().with_topics(vec![
            CreatePartitionsTopic::default()
                .with_name(name(topic))
                .with_count(count)
                .with_assignments(assignments),
        ]);
        match quorum.call(request) {
            ResponseKind::CreatePartitions(response) => {
                let message = response.results[0].error_message.as_ref();
                message.map(ToString::to_string)
            }
            other => panic!("{other:?}"),
        }
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(
        grow("users", 5, None),
        text("Topic already has 5 partition(s).")
    );
    assert_eq!(
        grow("users", 3, None),
        text("The topic users currently has 5 partition(s); 3 would not be an increase.")
    );
    assert_eq!(
        grow("users", 7, Some(&[&[1]])),
        text(
            "Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified."
        )
    );
    assert_eq!(grow("users", 7, None), None);
    assert_eq!(grow("users", 8, Some(&[&[1]])), None);
    assert_eq!(
        quorum
            .controller
            .image()
            .topic("users")
            .map(|topic| topic.partitions.len()),
        Some(8)
    );
}

#[test]
fn producer_ids_come_in_blocks_for_the_registered_broker() {
    let mut quorum = Quorum::of(1);
    let epoch = quorum
        .controller
        .image()
        .broker(1)
        .map_or(0, |broker| broker.epoch);
    let mut block = |epoch| {
        let request = AllocateProducerIdsRequest::default()
            .with_broker_id(BrokerId(1))
            .with_broker_epoch(epoch);
        match quorum.call(request) {
            ResponseKind::AllocateProducerIds(response) => (
                response.error_code,
                response.producer_id_start.0,
                response.producer_id_len,
            ),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(block(epoch), (0, 0, 1000));
    assert_eq!(block(epoch), (0, 1000, 1000));
    assert_eq!(block(epoch + 1).0, ErrorCode::STALE_BROKER_EPOCH.0);
}
