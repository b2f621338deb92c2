//! The consumer against real nodes, by frames.

#[allow(dead_code)]
mod support;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use playground_client::admin::NewTopic;
use playground_client::consumer::{ConsumerRecord, OffsetAndMetadata};
use playground_client::{
    Admin, AdminConfig, AdminEvent, AdminRequest, AdminResponse, Client, Consumer, ConsumerConfig,
    ConsumerEvent, Producer, ProducerConfig, ProducerRecord, TopicPartition, properties,
};
use support::World;

struct Reader {
    consumer: Rc<RefCell<Consumer>>,
    records: Vec<ConsumerRecord>,
    events: Vec<ConsumerEvent>,
}

impl Reader {
    fn new(world: &mut World, more: &[(&str, &str)]) -> Reader {
        let mut all = vec![
            ("bootstrap.servers", "localhost:9092"),
            ("client.id", "console-consumer"),
        ];
        all.extend(more);
        let config = ConsumerConfig::from_properties(&properties(all)).unwrap();
        let seed = world.now.micros();
        let consumer = Consumer::new(config, seed, world.now);
        Reader {
            consumer: world.add(consumer),
            records: Vec::new(),
            events: Vec::new(),
        }
    }

    fn group(world: &mut World, group: &str, more: &[(&str, &str)]) -> Reader {
        let mut all = vec![("group.id", group), ("auto.offset.reset", "earliest")];
        all.extend(more);
        Reader::new(world, &all)
    }

    fn subscribe(&mut self, world: &World, topics: &[&str]) {
        let topics = topics.iter().map(|topic| (*topic).to_owned()).collect();
        self.consumer.borrow_mut().subscribe(topics, world.now);
    }

    /// What the loop of a tool does once.
    fn poll(&mut self, world: &World) {
        let mut consumer = self.consumer.borrow_mut();
        while let Some(event) = consumer.poll_event() {
            self.events.push(event);
        }
        loop {
            let records = consumer.poll_records(world.now);
            if records.is_empty() {
                break;
            }
            self.records.extend(records);
        }
    }

    /// Consumes until there are `count` records in all.
    fn read(&mut self, world: &mut World, count: usize) {
        world.run_until(30_000, |world| {
            self.poll(world);
            self.records.len() >= count
        });
        assert_eq!(
            self.records.len(),
            count,
            "{:?} {:?}",
            self.events,
            world.warnings()
        );
    }

    fn values(&self) -> Vec<String> {
        self.records
            .iter()
            .map(|record| {
                String::from_utf8_lossy(record.value.as_deref().unwrap_or_default()).into_owned()
            })
            .collect()
    }

    fn close(&mut self, world: &mut World) {
        let now = world.now;
        self.consumer.borrow_mut().close(30_000, now);
        let closed = world.run_until(31_000, |_| self.consumer.borrow().is_closed());
        assert!(closed);
        while let Some(event) = self.consumer.borrow_mut().poll_event() {
            self.events.push(event);
        }
        assert_eq!(self.events.last(), Some(&ConsumerEvent::Closed));
    }

    fn errors(&self) -> Vec<String> {
        self.events
            .iter()
            .filter_map(|event| match event {
                ConsumerEvent::Error(error) => Some(error.to_string()),
                _ => None,
            })
            .collect()
    }
}

fn admin(world: &mut World) -> Rc<RefCell<Admin>> {
    let config =
        AdminConfig::from_properties(&properties([("bootstrap.servers", "localhost:9092")]))
            .unwrap();
    let admin = Admin::new(config, 1, world.now);
    world.add(admin)
}

fn ask(world: &mut World, admin: &Rc<RefCell<Admin>>, request: AdminRequest) -> AdminResponse {
    let now = world.now;
    admin.borrow_mut().submit(request, None, now);
    let mut answer = None;
    world.run_until(120_000, |_| {
        if let Some(AdminEvent::Done { result, .. }) = admin.borrow_mut().poll_event() {
            answer = Some(result);
        }
        answer.is_some()
    });
    answer.expect("the call ends").expect("the call succeeds")
}

fn create(world: &mut World, admin: &Rc<RefCell<Admin>>, name: &str, partitions: i32) {
    let request = AdminRequest::CreateTopics {
        topics: vec![NewTopic {
            name: name.to_owned(),
            partitions: Some(partitions),
            ..NewTopic::default()
        }],
        validate_only: false,
    };
    match ask(world, admin, request) {
        AdminResponse::CreateTopics(topics) => assert!(topics[name].is_ok(), "{topics:?}"),
        other => panic!("{other:?}"),
    }
}

/// Sends values, each to partition (its number modulo `partitions`).
fn produce(
    world: &mut World,
    topic: &str,
    partitions: i32,
    numbers: std::ops::Range<i32>,
    more: &[(&str, &str)],
) {
    let mut all = vec![("bootstrap.servers", "localhost:9092")];
    all.extend(more);
    let config = ProducerConfig::from_properties(&properties(all)).unwrap();
    let producer = Producer::new(config, 3, world.now);
    let producer = world.add(producer);
    for number in numbers {
        let now = world.now;
        producer.borrow_mut().send(
            ProducerRecord {
                topic: topic.to_owned(),
                partition: Some(number % partitions),
                value: Some(format!("v{number}").into()),
                ..ProducerRecord::default()
            },
            now,
        );
    }
    let now = world.now;
    producer.borrow_mut().close(None, now);
    assert!(world.run_until(30_000, |_| producer.borrow().is_closed()));
}

fn strings(range: std::ops::Range<i32>) -> Vec<String> {
    range.map(|number| format!("v{number}")).collect()
}

fn committed(world: &mut World, admin: &Rc<RefCell<Admin>>, group: &str) -> Vec<(String, i64)> {
    let request = AdminRequest::ListGroupOffsets {
        groups: vec![(group.to_owned(), None)],
        require_stable: false,
    };
    match ask(world, admin, request) {
        AdminResponse::ListGroupOffsets(groups) => {
            let mut offsets: Vec<(String, i64)> = groups[group]
                .as_ref()
                .unwrap()
                .iter()
                .map(|(partition, offset)| (partition.to_string(), offset.as_ref().unwrap().offset))
                .collect();
            offsets.sort();
            offsets
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_group_reads_all_and_goes_on_where_it_was() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 1);
    produce(&mut world, "t", 1, 0..5, &[]);
    let mut first = Reader::group(&mut world, "g", &[]);
    first.subscribe(&world, &["t"]);
    first.read(&mut world, 5);
    assert_eq!(first.values(), strings(0..5));
    assert_eq!(
        first.events,
        [ConsumerEvent::Assigned(vec![TopicPartition::new("t", 0)])]
    );
    first.close(&mut world);
    assert_eq!(committed(&mut world, &admin, "g"), [("t-0".to_owned(), 5)]);
    produce(&mut world, "t", 1, 5..7, &[]);
    let mut second = Reader::group(&mut world, "g", &[]);
    second.subscribe(&world, &["t"]);
    second.read(&mut world, 2);
    assert_eq!(second.values(), strings(5..7));
    assert_eq!(world.warnings(), Vec::<String>::new());
}

#[test]
fn a_running_consumer_sees_what_is_sent_at_once() {
    let mut world = World::start(3, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 6);
    let mut reader = Reader::group(&mut world, "g", &[("auto.offset.reset", "latest")]);
    reader.subscribe(&world, &["t"]);
    world.run_for(5_000);
    reader.poll(&world);
    assert_eq!(reader.consumer.borrow().assignment().len(), 6);
    for round in 0..20 {
        let begin = world.now;
        produce(
            &mut world,
            "t",
            6,
            round * 6..round * 6 + 6,
            &[("linger.ms", "0")],
        );
        reader.read(&mut world, (round as usize + 1) * 6);
        let took = world.now.millis() - begin.millis();
        // A broker's first producer waits for a block of producer ids.
        assert!(
            took < if round < 3 { 250 } else { 50 },
            "records arrive after {took} ms"
        );
        world.run_for(137);
    }
    assert_eq!(world.warnings(), Vec::<String>::new());
}

#[test]
fn offsets_are_committed_every_five_seconds() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 2);
    produce(&mut world, "t", 2, 0..10, &[]);
    let mut reader = Reader::group(&mut world, "g", &[]);
    reader.subscribe(&world, &["t"]);
    reader.read(&mut world, 10);
    world.run_for(6_000);
    assert_eq!(
        committed(&mut world, &admin, "g"),
        [("t-0".to_owned(), 5), ("t-1".to_owned(), 5)]
    );
}

#[test]
fn two_members_share_partitions_and_one_takes_over() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 4);
    let mut first = Reader::group(&mut world, "g", &[]);
    first.subscribe(&world, &["t"]);
    world.run_for(5_000);
    first.poll(&world);
    assert_eq!(first.consumer.borrow().assignment().len(), 4);
    let mut second = Reader::group(&mut world, "g", &[]);
    second.subscribe(&world, &["t"]);
    world.run_for(10_000);
    first.poll(&world);
    second.poll(&world);
    let (one, two) = (
        first.consumer.borrow().assignment(),
        second.consumer.borrow().assignment(),
    );
    assert_eq!((one.len(), two.len()), (2, 2), "{one:?} {two:?}");
    let all: BTreeSet<TopicPartition> = one.into_iter().chain(two).collect();
    assert_eq!(all.len(), 4);
    let request = AdminRequest::DescribeGroups {
        groups: vec!["g".to_owned()],
    };
    match ask(&mut world, &admin, request) {
        AdminResponse::DescribeGroups(groups) => {
            let group = groups["g"].as_ref().unwrap();
            assert_eq!(
                (group.state.as_str(), group.assignor.as_str()),
                ("Stable", "range")
            );
            assert_eq!(group.members.len(), 2);
            assert!(group.members.iter().all(|m| m.assignment.len() == 2));
            assert!(
                group
                    .members
                    .iter()
                    .all(|m| m.client_id == "console-consumer" && m.host == "/127.0.0.1")
            );
        }
        other => panic!("{other:?}"),
    }
    produce(&mut world, "t", 4, 0..8, &[]);
    world.run_until(10_000, |world| {
        first.poll(world);
        second.poll(world);
        first.records.len() + second.records.len() >= 8
    });
    assert_eq!((first.records.len(), second.records.len()), (4, 4));
    second.close(&mut world);
    world.run_for(10_000);
    first.poll(&world);
    assert_eq!(first.consumer.borrow().assignment().len(), 4);
    produce(&mut world, "t", 4, 8..16, &[]);
    first.read(&mut world, 12);
    assert_eq!(first.errors(), Vec::<String>::new());
}

#[test]
fn a_member_that_dies_is_missed_after_its_session() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 2);
    let quick = [
        ("session.timeout.ms", "6000"),
        ("heartbeat.interval.ms", "1000"),
    ];
    let mut first = Reader::group(&mut world, "g", &quick);
    first.subscribe(&world, &["t"]);
    world.run_for(4_000);
    let mut second = Reader::group(&mut world, "g", &quick);
    second.subscribe(&world, &["t"]);
    world.run_for(8_000);
    assert_eq!(first.consumer.borrow().assignment().len(), 1);
    world.forget(&second.consumer);
    world.run_for(9_000);
    assert_eq!(first.consumer.borrow().assignment().len(), 2);
}

#[test]
fn a_topic_that_comes_later_is_assigned() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "logs-a", 1);
    let mut reader = Reader::group(&mut world, "g", &[("metadata.max.age.ms", "2000")]);
    let now = world.now;
    reader
        .consumer
        .borrow_mut()
        .subscribe_pattern(Box::new(|topic| topic.starts_with("logs-")), now);
    world.run_for(5_000);
    assert_eq!(
        reader.consumer.borrow().assignment(),
        [TopicPartition::new("logs-a", 0)]
    );
    create(&mut world, &admin, "logs-b", 1);
    create(&mut world, &admin, "other", 1);
    produce(&mut world, "logs-b", 1, 0..3, &[]);
    reader.read(&mut world, 3);
    assert_eq!(reader.consumer.borrow().assignment().len(), 2);
}

#[test]
fn a_topic_is_made_when_it_is_read_with_javas_warning() {
    let mut world = World::start(1, &[]);
    let mut reader = Reader::group(&mut world, "console-consumer-1", &[]);
    reader.subscribe(&world, &["never-made"]);
    world.run_for(4_000);
    reader.poll(&world);
    assert_eq!(
        world.warnings(),
        [
            "[Consumer clientId=console-consumer, groupId=console-consumer-1] The metadata response from the cluster reported a recoverable issue with correlation id 2 : {never-made=UNKNOWN_TOPIC_OR_PARTITION} (org.apache.kafka.clients.NetworkClient)"
        ]
    );
    produce(&mut world, "never-made", 1, 0..1, &[]);
    reader.read(&mut world, 1);
}

#[test]
fn assigned_partitions_start_where_they_are_told() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 1);
    produce(&mut world, "t", 1, 0..10, &[]);
    let partition = TopicPartition::new("t", 0);
    let mut reader = Reader::new(&mut world, &[("auto.offset.reset", "earliest")]);
    let now = world.now;
    reader
        .consumer
        .borrow_mut()
        .assign(vec![partition.clone()], now);
    reader.read(&mut world, 10);
    assert_eq!(reader.consumer.borrow().position(&partition), Some(10));
    let now = world.now;
    reader.consumer.borrow_mut().seek(&partition, 7, now);
    reader.read(&mut world, 13);
    assert_eq!(reader.values()[10..], strings(7..10));
    let now = world.now;
    reader.consumer.borrow_mut().seek_to_beginning(&[], now);
    reader.read(&mut world, 23);
    let now = world.now;
    reader.consumer.borrow_mut().seek_to_end(&[], now);
    world.run_for(2_000);
    reader.poll(&world);
    assert_eq!(reader.records.len(), 23);
    produce(&mut world, "t", 1, 10..11, &[]);
    reader.read(&mut world, 24);
    reader.close(&mut world);
}

#[test]
fn no_reset_policy_is_an_error_in_javas_words() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 1);
    let mut reader = Reader::group(&mut world, "strict", &[("auto.offset.reset", "none")]);
    reader.subscribe(&world, &["t"]);
    world.run_for(5_000);
    reader.poll(&world);
    assert_eq!(
        reader.errors().first().map(String::as_str),
        Some(
            "org.apache.kafka.clients.consumer.NoOffsetForPartitionException: Undefined offset with no reset policy for partitions: [t-0]"
        )
    );
}

#[test]
fn a_position_that_was_deleted_is_reset() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 1);
    produce(&mut world, "t", 1, 0..10, &[]);
    let partition = TopicPartition::new("t", 0);
    let request = AdminRequest::DeleteRecords {
        offsets: vec![(partition.clone(), 6)],
    };
    ask(&mut world, &admin, request);
    let mut reader = Reader::new(&mut world, &[("auto.offset.reset", "earliest")]);
    let now = world.now;
    {
        let mut consumer = reader.consumer.borrow_mut();
        consumer.assign(vec![partition.clone()], now);
        consumer.seek(&partition, 2, now);
    }
    reader.read(&mut world, 4);
    assert_eq!(reader.values(), strings(6..10));
}

#[test]
fn commits_by_hand_are_told() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 1);
    let partition = TopicPartition::new("t", 0);
    let mut reader = Reader::group(&mut world, "g", &[("enable.auto.commit", "false")]);
    reader.subscribe(&world, &["t"]);
    world.run_for(4_000);
    let offsets = [(
        partition.clone(),
        OffsetAndMetadata {
            offset: 3,
            leader_epoch: None,
            metadata: "m".to_owned(),
        },
    )];
    let now = world.now;
    let wanted = reader
        .consumer
        .borrow_mut()
        .commit(Some(offsets.into_iter().collect()), now);
    world.run_for(1_000);
    reader.poll(&world);
    match reader.events.last() {
        Some(ConsumerEvent::Committed { id, result }) => {
            assert_eq!(*id, wanted);
            assert_eq!(result.as_ref().unwrap()[&partition].offset, 3);
        }
        other => panic!("{other:?}"),
    }
    reader.close(&mut world);
    assert_eq!(committed(&mut world, &admin, "g"), [("t-0".to_owned(), 3)]);
}

#[test]
fn a_consumer_outlives_its_broker() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 1);
    produce(&mut world, "t", 1, 0..3, &[]);
    let mut reader = Reader::group(&mut world, "g", &[]);
    reader.subscribe(&world, &["t"]);
    reader.read(&mut world, 3);
    world.kill_node(1);
    world.run_for(2_000);
    world.start_node(1);
    world.run_for(10_000);
    produce(&mut world, "t", 1, 3..6, &[]);
    reader.read(&mut world, 6);
    assert_eq!(reader.values(), strings(0..6));
    let warnings = world.warnings();
    assert!(
        warnings.iter().any(|warning| warning.contains(
            "Connection to node 1 (localhost/127.0.0.1:9092) could not be established. Node may not be available."
        )),
        "{warnings:?}"
    );
}

#[test]
fn many_records_pass_in_order_in_every_codec() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 3);
    for (index, codec) in ["none", "gzip", "snappy", "lz4", "zstd"].iter().enumerate() {
        let begin = index as i32 * 4_000;
        produce(
            &mut world,
            "t",
            3,
            begin..begin + 4_000,
            &[("compression.type", codec)],
        );
    }
    let mut reader = Reader::group(&mut world, "g", &[]);
    reader.subscribe(&world, &["t"]);
    reader.read(&mut world, 20_000);
    for partition in 0..3 {
        let offsets: Vec<i64> = reader
            .records
            .iter()
            .filter(|record| record.partition == partition)
            .map(|record| record.offset)
            .collect();
        assert!(offsets.iter().copied().eq(0..offsets.len() as i64));
    }
    let values: BTreeSet<String> = reader.values().into_iter().collect();
    assert_eq!(values.len(), 20_000);
}

#[test]
fn an_idle_consumer_costs_few_turns() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 1);
    let mut reader = Reader::group(&mut world, "g", &[]);
    reader.subscribe(&world, &["t"]);
    world.run_for(5_000);
    reader.poll(&world);
    let mut turns = 0;
    world.run_until(10_000, |_| {
        turns += 1;
        false
    });
    // Two fetches a second, a heartbeat each three, a commit each five: a few events each.
    assert!(turns < 1_000, "{turns} turns in 10 s");
    assert!(reader.consumer.borrow().next_deadline() > world.now);
}

#[test]
fn a_subscribed_topic_that_does_not_exist_is_read_once_it_does() {
    let mut world = World::start(1, &[("auto.create.topics.enable", "false")]);
    let admin = admin(&mut world);
    let mut reader = Reader::group(&mut world, "g", &[]);
    reader.subscribe(&world, &["later"]);
    world.run_for(5_000);
    assert!(reader.consumer.borrow().assignment().is_empty());
    create(&mut world, &admin, "later", 2);
    produce(&mut world, "later", 2, 0..4, &[]);
    reader.read(&mut world, 4);
    assert_eq!(reader.consumer.borrow().assignment().len(), 2);
}

#[test]
fn every_assignor_shares_evenly_as_members_come_and_go() {
    for class in [
        "RangeAssignor",
        "RoundRobinAssignor",
        "StickyAssignor",
        "CooperativeStickyAssignor",
    ] {
        let mut world = World::start(1, &[]);
        let admin = admin(&mut world);
        create(&mut world, &admin, "t", 6);
        let strategy = format!("org.apache.kafka.clients.consumer.{class}");
        let more = [("partition.assignment.strategy", strategy.as_str())];
        let mut readers: Vec<Reader> = Vec::new();
        for count in 1..=3 {
            let mut reader = Reader::group(&mut world, "g", &more);
            reader.subscribe(&world, &["t"]);
            readers.push(reader);
            world.run_for(12_000);
            let loads: Vec<usize> = readers
                .iter()
                .map(|reader| reader.consumer.borrow().assignment().len())
                .collect();
            assert_eq!(loads, vec![6 / count; count], "{class}");
        }
        produce(&mut world, "t", 6, 0..60, &[]);
        world.run_until(10_000, |world| {
            readers.iter_mut().for_each(|reader| reader.poll(world));
            readers
                .iter()
                .map(|reader| reader.records.len())
                .sum::<usize>()
                >= 60
        });
        let read: Vec<usize> = readers.iter().map(|reader| reader.records.len()).collect();
        assert_eq!(read, [20, 20, 20], "{class}");
        for reader in &mut readers {
            reader.poll(&world);
            assert_eq!(reader.errors(), Vec::<String>::new(), "{class}");
        }
        let mut gone = readers.remove(0);
        gone.close(&mut world);
        world.run_for(12_000);
        for reader in &readers {
            assert_eq!(reader.consumer.borrow().assignment().len(), 3, "{class}");
        }
        produce(&mut world, "t", 6, 60..120, &[]);
        world.run_until(10_000, |world| {
            readers.iter_mut().for_each(|reader| reader.poll(world));
            readers
                .iter()
                .map(|reader| reader.records.len())
                .sum::<usize>()
                >= 100
        });
        world.run_for(3_000);
        readers.iter_mut().for_each(|reader| reader.poll(&world));
        let read: usize = readers.iter().map(|reader| reader.records.len()).sum();
        assert_eq!(read, 100, "{class}: each record once");
    }
}

#[test]
fn a_cooperative_member_keeps_what_stays_with_it() {
    let mut world = World::start(1, &[]);
    let admin = admin(&mut world);
    create(&mut world, &admin, "t", 4);
    let more = [(
        "partition.assignment.strategy",
        "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
    )];
    let mut first = Reader::group(&mut world, "g", &more);
    first.subscribe(&world, &["t"]);
    world.run_for(5_000);
    let mut second = Reader::group(&mut world, "g", &more);
    second.subscribe(&world, &["t"]);
    world.run_for(12_000);
    first.poll(&world);
    second.poll(&world);
    let partitions = |numbers: &[i32]| -> Vec<TopicPartition> {
        numbers
            .iter()
            .map(|number| TopicPartition::new("t", *number))
            .collect()
    };
    assert_eq!(
        first.events,
        [
            ConsumerEvent::Assigned(partitions(&[0, 1, 2, 3])),
            ConsumerEvent::Revoked(partitions(&[2, 3])),
            ConsumerEvent::Assigned(Vec::new()),
            ConsumerEvent::Assigned(Vec::new()),
        ]
    );
    assert_eq!(
        second.events,
        [
            ConsumerEvent::Assigned(Vec::new()),
            ConsumerEvent::Assigned(partitions(&[2, 3])),
        ]
    );
}
