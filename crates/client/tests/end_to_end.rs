//! Producer and admin client against real nodes, by frames.

#[allow(dead_code)]
mod support;

use std::cell::RefCell;
use std::rc::Rc;

use playground_client::admin::{
    AlterConfigOp, AlterConfigOperation, ConfigResource, ConfigResourceType, NewPartitions,
    NewTopic, OffsetSpec,
};
use playground_client::{
    Admin, AdminConfig, AdminEvent, AdminRequest, AdminResponse, ClientError, Producer,
    ProducerConfig, ProducerEvent, ProducerRecord, RecordId, RecordMetadata, TopicPartition,
    properties,
};
use support::World;

fn admin(world: &mut World) -> Rc<RefCell<Admin>> {
    let config =
        AdminConfig::from_properties(&properties([("bootstrap.servers", "localhost:9092")]))
            .unwrap();
    let admin = Admin::new(config, 1, world.now);
    world.add(admin)
}

fn ask(
    world: &mut World,
    admin: &Rc<RefCell<Admin>>,
    request: AdminRequest,
) -> Result<AdminResponse, ClientError> {
    let now = world.now;
    let wanted = admin.borrow_mut().submit(request, None, now);
    let mut answer = None;
    world.run_until(120_000, |_| {
        while let Some(AdminEvent::Done { id, result }) = admin.borrow_mut().poll_event() {
            assert_eq!(id, wanted);
            answer = Some(result);
        }
        answer.is_some()
    });
    answer.expect("the call ends")
}

fn create(world: &mut World, admin: &Rc<RefCell<Admin>>, name: &str, partitions: i32) {
    let request = AdminRequest::CreateTopics {
        topics: vec![NewTopic {
            name: name.to_owned(),
            partitions: Some(partitions),
            replication_factor: Some(1),
            ..NewTopic::default()
        }],
        validate_only: false,
    };
    match ask(world, admin, request).unwrap() {
        AdminResponse::CreateTopics(topics) => {
            let created = topics[name].as_ref().unwrap();
            assert_eq!(created.partitions, partitions);
        }
        other => panic!("{other:?}"),
    }
}

fn producer(world: &mut World, more: &[(&str, &str)]) -> Rc<RefCell<Producer>> {
    let mut all = vec![
        ("bootstrap.servers", "localhost:9092"),
        ("client.id", "console-producer"),
    ];
    all.extend(more);
    let config = ProducerConfig::from_properties(&properties(all)).unwrap();
    let producer = Producer::new(config, 3, world.now);
    world.add(producer)
}

fn record(topic: &str, key: Option<&str>, value: &str) -> ProducerRecord {
    ProducerRecord {
        topic: topic.to_owned(),
        key: key.map(|key| key.to_owned().into()),
        value: Some(value.to_owned().into()),
        ..ProducerRecord::default()
    }
}

type Completions = Vec<(RecordId, Result<RecordMetadata, ClientError>)>;

fn completions(
    world: &mut World,
    producer: &Rc<RefCell<Producer>>,
    count: usize,
    limit_ms: i64,
) -> Completions {
    let mut completed = Vec::new();
    world.run_until(limit_ms, |_| {
        while let Some(ProducerEvent::Completed { id, result }) = producer.borrow_mut().poll_event()
        {
            completed.push((id, result));
        }
        completed.len() >= count
    });
    completed
}

fn end_offsets(
    world: &mut World,
    admin: &Rc<RefCell<Admin>>,
    topic: &str,
    partitions: i32,
) -> Vec<i64> {
    let request = AdminRequest::ListOffsets {
        offsets: (0..partitions)
            .map(|partition| (TopicPartition::new(topic, partition), OffsetSpec::Latest))
            .collect(),
        read_committed: false,
    };
    match ask(world, admin, request).unwrap() {
        AdminResponse::ListOffsets(offsets) => (0..partitions)
            .map(|partition| {
                offsets[&TopicPartition::new(topic, partition)]
                    .as_ref()
                    .unwrap()
                    .offset
            })
            .collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn topics_are_made_described_grown_and_deleted() {
    let mut world = World::start(3, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "users", 4);
    match ask(
        &mut world,
        &admin,
        AdminRequest::DescribeTopics {
            topics: vec!["users".to_owned(), "missing".to_owned()],
        },
    )
    .unwrap()
    {
        AdminResponse::DescribeTopics(topics) => {
            let users = topics["users"].as_ref().unwrap();
            assert_eq!(users.partitions.len(), 4);
            assert!(users.partitions.iter().all(|p| p.leader.is_some()));
            let leaders: std::collections::BTreeSet<i32> = users
                .partitions
                .iter()
                .filter_map(|p| p.leader.as_ref().map(|leader| leader.id))
                .collect();
            assert_eq!(leaders.len(), 3, "partitions are spread");
            let error = topics["missing"].as_ref().unwrap_err();
            assert_eq!(error.simple_name(), "UnknownTopicOrPartitionException");
        }
        other => panic!("{other:?}"),
    }
    let grow = AdminRequest::CreatePartitions {
        topics: vec![(
            "users".to_owned(),
            NewPartitions {
                total_count: 5,
                assignments: None,
            },
        )],
        validate_only: false,
    };
    match ask(&mut world, &admin, grow).unwrap() {
        AdminResponse::CreatePartitions(topics) => assert_eq!(topics["users"], Ok(())),
        other => panic!("{other:?}"),
    }
    match ask(
        &mut world,
        &admin,
        AdminRequest::ListTopics {
            list_internal: true,
        },
    )
    .unwrap()
    {
        AdminResponse::ListTopics(topics) => {
            assert_eq!(
                topics.iter().map(|t| t.name.as_str()).collect::<Vec<_>>(),
                ["users"]
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(end_offsets(&mut world, &admin, "users", 5), [0; 5]);
    let delete = AdminRequest::DeleteTopics {
        topics: vec!["users".to_owned()],
    };
    match ask(&mut world, &admin, delete).unwrap() {
        AdminResponse::DeleteTopics(topics) => assert_eq!(topics["users"], Ok(())),
        other => panic!("{other:?}"),
    }
    match ask(
        &mut world,
        &admin,
        AdminRequest::DescribeCluster {
            include_fenced: false,
        },
    )
    .unwrap()
    {
        AdminResponse::DescribeCluster(cluster) => {
            assert_eq!(
                cluster.nodes.iter().map(|n| n.id).collect::<Vec<_>>(),
                [1, 2, 3]
            );
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(world.warnings(), Vec::<String>::new());
}

#[test]
fn configs_are_altered_and_described() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 1);
    let topic = ConfigResource {
        kind: ConfigResourceType::Topic,
        name: "t".to_owned(),
    };
    let alter = AdminRequest::IncrementalAlterConfigs {
        changes: vec![(
            topic.clone(),
            vec![AlterConfigOp {
                operation: AlterConfigOperation::Set,
                name: "retention.ms".to_owned(),
                value: Some("1000".to_owned()),
            }],
        )],
        validate_only: false,
    };
    match ask(&mut world, &admin, alter).unwrap() {
        AdminResponse::IncrementalAlterConfigs(resources) => {
            assert_eq!(resources[&topic], Ok(()));
        }
        other => panic!("{other:?}"),
    }
    let describe = AdminRequest::DescribeConfigs {
        resources: vec![
            topic.clone(),
            ConfigResource {
                kind: ConfigResourceType::Broker,
                name: "1".to_owned(),
            },
        ],
        include_synonyms: true,
        include_documentation: false,
    };
    match ask(&mut world, &admin, describe).unwrap() {
        AdminResponse::DescribeConfigs(resources) => {
            let entries = resources[&topic].as_ref().unwrap();
            let retention = entries
                .iter()
                .find(|entry| entry.name == "retention.ms")
                .unwrap();
            assert_eq!(retention.value.as_deref(), Some("1000"));
            assert_eq!(retention.source.name(), "DYNAMIC_TOPIC_CONFIG");
            assert_eq!(resources.len(), 2);
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn records_with_keys_go_where_kafka_puts_them() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "k", 6);
    let producer = producer(&mut world, &[]);
    for number in 1..=12 {
        let now = world.now;
        producer.borrow_mut().send(
            record("k", Some(&format!("user-{number}")), &format!("v{number}")),
            now,
        );
    }
    let completed = completions(&mut world, &producer, 12, 10_000);
    assert_eq!(completed.len(), 12);
    assert!(completed.iter().all(|(_, result)| result.is_ok()));
    // tests/transcripts/produce-consume/keys-and-partitions.out
    assert_eq!(end_offsets(&mut world, &admin, "k", 6), [1, 1, 4, 1, 2, 3]);
    let now = world.now;
    producer.borrow_mut().close(None, now);
    assert!(producer.borrow().is_closed());
    assert_eq!(world.warnings(), Vec::<String>::new());
}

#[test]
fn a_topic_is_made_when_it_is_written_to_with_javas_warning() {
    let mut world = World::start(1, &[]);
    let producer = producer(&mut world, &[]);
    let now = world.now;
    producer
        .borrow_mut()
        .send(record("fresh", None, "hello"), now);
    assert!(producer.borrow().is_blocked());
    let completed = completions(&mut world, &producer, 1, 10_000);
    let metadata = completed[0].1.as_ref().unwrap();
    assert_eq!((metadata.partition, metadata.offset), (0, 0));
    assert_eq!(
        world.warnings(),
        [
            "[Producer clientId=console-producer] The metadata response from the cluster reported a recoverable issue with correlation id 1 : {fresh=UNKNOWN_TOPIC_OR_PARTITION} (org.apache.kafka.clients.NetworkClient)"
        ]
    );
}

#[test]
fn every_codec_and_acks_are_taken() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 1);
    let mut total = 0;
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        for acks in ["0", "1", "all"] {
            let producer = producer(&mut world, &[("compression.type", codec), ("acks", acks)]);
            for number in 0..100 {
                let now = world.now;
                producer
                    .borrow_mut()
                    .send(record("t", None, &format!("{codec} {acks} {number}")), now);
            }
            let now = world.now;
            producer.borrow_mut().flush(now);
            let completed = completions(&mut world, &producer, 100, 10_000);
            assert_eq!(completed.len(), 100, "{codec} {acks}");
            for (index, (_, result)) in completed.iter().enumerate() {
                let expected = if acks == "0" {
                    -1
                } else {
                    total + index as i64
                };
                assert_eq!(result.as_ref().unwrap().offset, expected, "{codec} {acks}");
            }
            world.run_for(100);
            total += 100;
        }
    }
    assert_eq!(end_offsets(&mut world, &admin, "t", 1), [total]);
}

#[test]
fn a_restarted_broker_gets_each_record_once_and_in_order() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 1);
    let producer = producer(&mut world, &[("linger.ms", "0"), ("batch.size", "200")]);
    for number in 0..200 {
        let now = world.now;
        producer.borrow_mut().send(
            record("t", None, &format!("before and after {number}")),
            now,
        );
        world.run_for(1);
    }
    world.kill_node(1);
    for number in 200..300 {
        let now = world.now;
        producer.borrow_mut().send(
            record("t", None, &format!("before and after {number}")),
            now,
        );
        world.run_for(1);
    }
    world.start_node(1);
    let completed = completions(&mut world, &producer, 300, 60_000);
    assert_eq!(completed.len(), 300);
    let mut offsets = Vec::new();
    for (_, result) in &completed {
        offsets.push(result.as_ref().unwrap().offset);
    }
    // A duplicate is acknowledged without its offset, everything else in order.
    let known: Vec<i64> = offsets
        .iter()
        .copied()
        .filter(|offset| *offset >= 0)
        .collect();
    assert!(known.is_sorted(), "{known:?}");
    assert_eq!(end_offsets(&mut world, &admin, "t", 1), [300]);
}

#[test]
fn what_no_broker_answers_times_out_in_javas_words() {
    let mut world = World::start(1, &[]);
    world.kill_node(1);
    let config = AdminConfig::from_properties(&properties([
        ("bootstrap.servers", "localhost:9092"),
        ("request.timeout.ms", "2000"),
        ("default.api.timeout.ms", "4000"),
    ]))
    .unwrap();
    let admin = Admin::new(config, 1, world.now);
    let admin = world.add(admin);
    let error = ask(
        &mut world,
        &admin,
        AdminRequest::ListTopics {
            list_internal: true,
        },
    )
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "org.apache.kafka.common.errors.TimeoutException: Timed out waiting for a node assignment. Call: listTopics"
    );
    assert_eq!(
        world.warnings()[0],
        "[AdminClient clientId=adminclient-1] Connection to node -1 (localhost/127.0.0.1:9092) could not be established. Node may not be available. (org.apache.kafka.clients.NetworkClient)"
    );
    let producer = producer(&mut world, &[("max.block.ms", "3000")]);
    let now = world.now;
    producer.borrow_mut().send(record("t", None, "x"), now);
    let completed = completions(&mut world, &producer, 1, 10_000);
    let error = completed[0].1.as_ref().unwrap_err();
    assert_eq!(
        error.to_string(),
        "org.apache.kafka.common.errors.TimeoutException: Topic t not present in metadata after 3000 ms."
    );
    assert!(
        world.warnings().contains(
            &"[Producer clientId=console-producer] Bootstrap broker localhost:9092 (id: -1 rack: null isFenced: false) disconnected (org.apache.kafka.clients.NetworkClient)".to_owned()
        )
    );
}

#[test]
fn too_large_records_fail_on_either_side() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "big", 1);
    let large = "x".repeat(1_100_000);
    let first = producer(&mut world, &[]);
    let now = world.now;
    first.borrow_mut().send(record("big", None, &large), now);
    let completed = completions(&mut world, &first, 1, 10_000);
    assert_eq!(
        completed[0].1.as_ref().unwrap_err().to_string(),
        "org.apache.kafka.common.errors.RecordTooLargeException: The message is 1100088 bytes when serialized which is larger than 1048576, which is the value of the max.request.size configuration."
    );
    let second = producer(&mut world, &[("max.request.size", "3000000")]);
    let now = world.now;
    second.borrow_mut().send(record("big", None, &large), now);
    let completed = completions(&mut world, &second, 1, 10_000);
    assert_eq!(
        completed[0].1.as_ref().unwrap_err().to_string(),
        "org.apache.kafka.common.errors.RecordTooLargeException: The request included a message larger than the max message size the server will accept."
    );
}

#[test]
fn keyless_records_stick_to_a_partition_for_a_batch() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 3);
    let producer = producer(&mut world, &[("batch.size", "1000")]);
    let mut count = 0;
    for number in 0..300 {
        let now = world.now;
        producer.borrow_mut().send(
            record("t", None, &format!("a value of some length {number}")),
            now,
        );
        count += 1;
    }
    let completed = completions(&mut world, &producer, count, 10_000);
    assert_eq!(completed.len(), count);
    let offsets = end_offsets(&mut world, &admin, "t", 3);
    assert_eq!(offsets.iter().sum::<i64>(), count as i64);
    assert!(offsets.iter().all(|offset| *offset > 20), "{offsets:?}");
}

#[test]
fn group_offsets_are_set_listed_and_deleted() {
    use playground_client::consumer::OffsetAndMetadata;

    let mut world = World::start(3, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 2);
    let offset = |offset| OffsetAndMetadata {
        offset,
        leader_epoch: None,
        metadata: "note".to_owned(),
    };
    let first = TopicPartition::new("t", 0);
    let second = TopicPartition::new("t", 1);
    let alter = AdminRequest::AlterGroupOffsets {
        group: "g".to_owned(),
        offsets: vec![(first.clone(), offset(3)), (second.clone(), offset(5))],
    };
    match ask(&mut world, &admin, alter).unwrap() {
        AdminResponse::AlterGroupOffsets(partitions) => {
            assert_eq!(partitions[&first], Ok(()));
            assert_eq!(partitions[&second], Ok(()));
        }
        other => panic!("{other:?}"),
    }
    let list = AdminRequest::ListGroupOffsets {
        groups: vec![("g".to_owned(), None)],
        require_stable: false,
    };
    match ask(&mut world, &admin, list.clone()).unwrap() {
        AdminResponse::ListGroupOffsets(groups) => {
            let offsets = groups["g"].as_ref().unwrap();
            assert_eq!(offsets[&second].as_ref().unwrap(), &offset(5));
        }
        other => panic!("{other:?}"),
    }
    let groups = AdminRequest::ListGroups {
        states: Vec::new(),
        types: Vec::new(),
        protocol_types: Vec::new(),
    };
    match ask(&mut world, &admin, groups).unwrap() {
        AdminResponse::ListGroups { groups, errors } => {
            assert_eq!(errors, []);
            assert_eq!(groups.len(), 1);
            assert_eq!(
                (groups[0].group_id.as_str(), groups[0].state.as_str()),
                ("g", "Empty")
            );
        }
        other => panic!("{other:?}"),
    }
    let describe = AdminRequest::DescribeGroups {
        groups: vec!["g".to_owned(), "nobody".to_owned()],
    };
    match ask(&mut world, &admin, describe).unwrap() {
        AdminResponse::DescribeGroups(groups) => {
            let group = groups["g"].as_ref().unwrap();
            assert_eq!((group.state.as_str(), group.members.len()), ("Empty", 0));
            assert!((1..=3).contains(&group.coordinator.id));
            assert_eq!(
                groups["nobody"].as_ref().unwrap_err().to_string(),
                "org.apache.kafka.common.errors.GroupIdNotFoundException: Group nobody not found."
            );
        }
        other => panic!("{other:?}"),
    }
    let forget = AdminRequest::DeleteGroupOffsets {
        group: "g".to_owned(),
        partitions: vec![first.clone()],
    };
    match ask(&mut world, &admin, forget).unwrap() {
        AdminResponse::DeleteGroupOffsets(partitions) => assert_eq!(partitions[&first], Ok(())),
        other => panic!("{other:?}"),
    }
    match ask(&mut world, &admin, list).unwrap() {
        AdminResponse::ListGroupOffsets(groups) => {
            let offsets = groups["g"].as_ref().unwrap();
            assert_eq!(offsets.keys().collect::<Vec<_>>(), [&second]);
        }
        other => panic!("{other:?}"),
    }
    let delete = AdminRequest::DeleteGroups {
        groups: vec!["g".to_owned(), "nobody".to_owned()],
    };
    match ask(&mut world, &admin, delete).unwrap() {
        AdminResponse::DeleteGroups(groups) => {
            assert_eq!(groups["g"], Ok(()));
            assert_eq!(
                groups["nobody"].as_ref().unwrap_err().to_string(),
                "org.apache.kafka.common.errors.GroupIdNotFoundException: The group id does not exist."
            );
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn records_are_deleted_and_looked_up_by_time() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 1);
    let producer = producer(&mut world, &[]);
    for number in 0..10 {
        let now = world.now;
        let mut one = record("t", None, "x");
        one.timestamp = Some(1000 + number);
        producer.borrow_mut().send(one, now);
    }
    assert_eq!(completions(&mut world, &producer, 10, 10_000).len(), 10);
    let partition = TopicPartition::new("t", 0);
    let mut delete = |offset| {
        let request = AdminRequest::DeleteRecords {
            offsets: vec![(partition.clone(), offset)],
        };
        match ask(&mut world, &admin, request).unwrap() {
            AdminResponse::DeleteRecords(partitions) => partitions[&partition].clone(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(delete(4), Ok(4));
    assert_eq!(
        delete(99).unwrap_err().to_string(),
        "org.apache.kafka.common.errors.OffsetOutOfRangeException: The requested offset is not within the range of offsets maintained by the server."
    );
    assert!(world.warnings()[0].starts_with(
        "[AdminClient clientId=adminclient-1] DeleteRecords request for topic partition t-0 failed due to an unexpected error OFFSET_OUT_OF_RANGE"
    ));
    for (spec, offset, timestamp) in [
        (OffsetSpec::Earliest, 4, -1),
        (OffsetSpec::Latest, 10, -1),
        (OffsetSpec::MaxTimestamp, 9, 1009),
        (OffsetSpec::Timestamp(1007), 7, 1007),
        (OffsetSpec::Timestamp(5000), -1, -1),
    ] {
        let request = AdminRequest::ListOffsets {
            offsets: vec![(partition.clone(), spec)],
            read_committed: false,
        };
        match ask(&mut world, &admin, request).unwrap() {
            AdminResponse::ListOffsets(offsets) => {
                let found = offsets[&partition].as_ref().unwrap();
                assert_eq!(
                    (found.offset, found.timestamp),
                    (offset, timestamp),
                    "{spec:?}"
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_call_to_a_broker_that_does_not_exist_names_itself() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    let broker = ConfigResource {
        kind: ConfigResourceType::Broker,
        name: "5".to_owned(),
    };
    let alter = AdminRequest::IncrementalAlterConfigs {
        changes: vec![(broker.clone(), Vec::new())],
        validate_only: false,
    };
    match ask(&mut world, &admin, alter).unwrap() {
        AdminResponse::IncrementalAlterConfigs(resources) => assert_eq!(
            resources[&broker].as_ref().unwrap_err().to_string(),
            "org.apache.kafka.common.errors.TimeoutException: Timed out waiting for a node assignment. Call: incrementalAlterConfigs"
        ),
        other => panic!("{other:?}"),
    }
}
