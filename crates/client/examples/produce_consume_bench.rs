//! Prints how fast records go from a producer through a node's log to a consumer, all by frames, in virtual time.
//! `cargo run --release -p playground-client --example produce_consume_bench`

#![allow(
    clippy::disallowed_methods,
    reason = "a benchmark needs the real clock"
)]

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Instant;

use playground_client::admin::NewTopic;
use playground_client::{
    Admin, AdminConfig, AdminEvent, AdminRequest, Consumer, ConsumerConfig, Producer,
    ProducerConfig, ProducerRecord, TopicPartition, properties,
};
use support::World;

#[allow(dead_code)]
#[path = "../tests/support/mod.rs"]
mod support;

const TOPIC: &str = "bench";
const PARTITIONS: i32 = 3;
const BOOTSTRAP: (&str, &str) = ("bootstrap.servers", "localhost:9092");

/// Records that wait for their acknowledgement at most; Java's producer is bounded by its buffer's bytes.
const UNACKNOWLEDGED_MAX: usize = 20_000;

fn main() {
    for (records, value_bytes) in [(300_000, 100), (60_000, 1_000)] {
        run(records, value_bytes);
    }
}

fn run(records: usize, value_bytes: usize) {
    let mut world = World::start(1, &[]);
    create_topic(&mut world);
    let value = bytes::Bytes::from(vec![b'v'; value_bytes]);
    let config = properties([BOOTSTRAP, ("linger.ms", "5"), ("batch.size", "65536")]);
    let config = ProducerConfig::from_properties(&config).expect("a producer's configuration");
    let producer = Producer::new(config, 1, world.now);
    let producer = world.add(producer);
    let config = properties([BOOTSTRAP, ("auto.offset.reset", "earliest")]);
    let config = ConsumerConfig::from_properties(&config).expect("a consumer's configuration");
    let consumer = Consumer::new(config, 2, world.now);
    let consumer = world.add(consumer);
    let partitions = (0..PARTITIONS).map(|partition| TopicPartition::new(TOPIC, partition));
    consumer
        .borrow_mut()
        .assign(partitions.collect(), world.now);

    let start = Instant::now();
    let (mut sent, mut acknowledged, mut consumed) = (0, 0, 0);
    let done = world.run_until(3_600_000, |world| {
        feed(
            &producer,
            &value,
            world,
            records,
            &mut sent,
            &mut acknowledged,
        );
        let mut consumer = consumer.borrow_mut();
        loop {
            let batch = consumer.poll_records(world.now);
            if batch.is_empty() {
                break;
            }
            consumed += batch.len();
        }
        consumed >= records
    });
    let seconds = start.elapsed().as_secs_f64();
    assert!(
        done,
        "{consumed} of {records} records: {:?}",
        world.warnings()
    );
    println!(
        "produce→consume {records:>7} records of {value_bytes:>5} bytes {:>8.1} MB/s {:>10.0} records/s",
        (records * value_bytes) as f64 / 1e6 / seconds,
        records as f64 / seconds
    );
}

/// Sends what the bound allows.
fn feed(
    producer: &Rc<RefCell<Producer>>,
    value: &bytes::Bytes,
    world: &World,
    records: usize,
    sent: &mut usize,
    acknowledged: &mut usize,
) {
    let mut producer = producer.borrow_mut();
    while producer.poll_event().is_some() {
        *acknowledged += 1;
    }
    while *sent < records && *sent - *acknowledged < UNACKNOWLEDGED_MAX {
        let record = ProducerRecord {
            topic: TOPIC.to_owned(),
            value: Some(value.clone()),
            ..ProducerRecord::default()
        };
        producer.send(record, world.now);
        *sent += 1;
    }
}

fn create_topic(world: &mut World) {
    let config = AdminConfig::from_properties(&properties([BOOTSTRAP]))
        .expect("an admin client's configuration");
    let admin = Admin::new(config, 3, world.now);
    let admin = world.add(admin);
    let request = AdminRequest::CreateTopics {
        topics: vec![NewTopic {
            name: TOPIC.to_owned(),
            partitions: Some(PARTITIONS),
            replication_factor: Some(1),
            ..NewTopic::default()
        }],
        validate_only: false,
    };
    let now = world.now;
    admin.borrow_mut().submit(request, None, now);
    let made = world.run_until(60_000, |_| {
        matches!(
            admin.borrow_mut().poll_event(),
            Some(AdminEvent::Done { .. })
        )
    });
    assert!(made, "the topic is made");
}
