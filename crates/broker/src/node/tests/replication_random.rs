//! Nodes that die, come back and are cut off at random, while records are written: what was acknowledged stays,
//! and in the end all replicas are the same.

use std::collections::BTreeMap;

use playground_log::batches;
use playground_protocol::messages::{ApiKey, ResponseKind};
use playground_protocol::{ErrorCode, Random};

use super::network::Network;
use super::replication::{bytes_of, create_on, isr};
use super::single::{batch, produce_request};
use crate::node::Role;

/// Writes to whoever leads; the offset, if it is acknowledged.
fn try_produce(network: &mut Network, value: &str) -> Option<i64> {
    let leader = network
        .machines
        .iter()
        .filter_map(|(id, machine)| Some((*id, machine.node.as_ref()?)))
        .filter(|(_, node)| node.is_running())
        .filter_map(|(id, node)| Some((id, node.partition_view("users", 0)?)))
        .filter(|(_, view)| view.role == Role::Leader)
        .map(|(id, _)| id)
        .next()?;
    let client = network.connect(leader);
    let request = produce_request("users", 0, -1, batch(&[value]));
    network.send(client, 12, request);
    let until = network.now.plus_millis(1_500);
    while network.now < until && !network.is_closed(client) {
        if let Some(response) = network.receive(client, ApiKey::Produce, 12) {
            let ResponseKind::Produce(response) = response else {
                panic!("Produce")
            };
            let partition = &response.responses[0].partition_responses[0];
            return (ErrorCode(partition.error_code) == ErrorCode::NONE)
                .then_some(partition.base_offset);
        }
        network.advance();
    }
    None
}

fn run(seed: u64) -> (usize, Vec<u8>) {
    let mut random = Random::new(seed, "faults");
    let mut network = Network::start(3, &[("replica.lag.time.max.ms", "4000")]);
    create_on(&mut network, "users", &[2, 3, 1], &[]);
    let mut acknowledged: BTreeMap<i64, String> = BTreeMap::new();
    for step in 0..60 {
        match random.below(10) {
            // Node 1 is the one controller.
            0 => {
                let id = 2 + random.below(2) as i32;
                if network.machines[&id].node.is_some() {
                    network.kill(id);
                } else {
                    network.start_node(id);
                }
            }
            1 => {
                let pairs = [(1, 2), (1, 3), (2, 3)];
                let (one, other) = pairs[random.below(3) as usize];
                network.cut(one, other);
            }
            2 | 3 => network.heal(),
            4 => {
                let millis = random.below(8_000) as i64;
                network.sleep(millis);
            }
            _ => {
                let value = format!("{seed}-{step}");
                if let Some(offset) = try_produce(&mut network, &value) {
                    let before = acknowledged.insert(offset, value);
                    assert_eq!(before, None, "seed {seed}: offset {offset} twice");
                }
            }
        }
    }
    network.heal();
    for id in [2, 3] {
        if network.machines[&id].node.is_none() {
            network.start_node(id);
        }
    }
    network.sleep(60_000);
    assert_eq!(isr(&network), [1, 2, 3], "seed {seed}");
    let bytes = bytes_of(&network, 1);
    for id in [2, 3] {
        assert_eq!(bytes, bytes_of(&network, id), "seed {seed}");
        let ends = |id: i32| {
            let view = network.node(id).partition_view("users", 0).unwrap();
            (view.high_watermark, view.log_end_offset)
        };
        assert_eq!(ends(1), ends(id), "seed {seed}");
        // The leader's own epoch is known to followers only once it has records.
        let epochs = |id: i32| {
            let log = network.node(id).log("users", 0).unwrap();
            let end = log.log_end_offset();
            let mut entries = log.epochs().to_vec();
            entries.retain(|entry| entry.start_offset < end);
            entries
        };
        assert_eq!(epochs(1), epochs(id), "seed {seed}");
    }
    let mut kept = BTreeMap::new();
    for batch in batches(bytes.clone()) {
        for record in batch.unwrap().records().unwrap() {
            let record = record.unwrap();
            let value = String::from_utf8(record.value.unwrap().to_vec()).unwrap();
            kept.insert(record.offset, value);
        }
    }
    for (offset, value) in &acknowledged {
        assert_eq!(kept.get(offset), Some(value), "seed {seed}");
    }
    (acknowledged.len(), bytes.to_vec())
}

#[test]
fn nothing_acknowledged_is_lost_and_all_replicas_agree_in_the_end() {
    let seeds = 20;
    let mut total = 0;
    for seed in 0..seeds {
        total += run(seed).0;
    }
    // The faults leave room for work.
    assert!(total > 10 * seeds as usize, "{total}");
    assert_eq!(run(3).1, run(3).1);
}
