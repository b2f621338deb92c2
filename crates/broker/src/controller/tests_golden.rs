//! The controller's records beside those of a real 4.3.1 for the same events.

use std::collections::BTreeMap;

use playground_protocol::ErrorCode;

use super::tests::{Quorum, assigned, with_configs};
use crate::metadata::MetadataRecord;

/// The records since `start`, one line each.
fn lines(quorum: &Quorum, start: usize) -> Vec<String> {
    let image = quorum.controller.image();
    let name = |id: uuid::Uuid| {
        image
            .topic_by_id(id)
            .map_or("?".to_owned(), |topic| topic.name.clone())
    };
    let list = |ids: &[i32]| {
        let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
        ids.join(",")
    };
    let mut lines = Vec::new();
    for record in &quorum.log[start..] {
        match record {
            MetadataRecord::Topic(record) => lines.push(format!("created {}", record.name)),
            MetadataRecord::Config(record) => lines.push(format!(
                "config {} {}={}",
                record.resource_name,
                record.name,
                record.value.as_deref().unwrap_or("null")
            )),
            MetadataRecord::ClearElr(record) => lines.push(format!("clear {}", record.topic_name)),
            MetadataRecord::RegisterBroker(record) => {
                lines.push(format!("registered {}", record.broker_id));
            }
            MetadataRecord::BrokerRegistrationChange(record) => {
                let what = match (record.fenced, record.in_controlled_shutdown) {
                    (1, _) => "fenced",
                    (-1, _) => "unfenced",
                    (_, 1) => "stopping",
                    _ => "cordoned",
                };
                lines.push(format!("{what} {}", record.broker_id));
            }
            MetadataRecord::PartitionChange(record) => {
                let mut line = name(record.topic_id);
                let mut add = |name: &str, ids: &Option<Vec<i32>>| {
                    if let Some(ids) = ids {
                        line.push_str(&format!(" {name}={}", list(ids)));
                    }
                };
                add("isr", &record.isr);
                add(
                    "leader",
                    &(record.leader != -2).then_some(vec![record.leader]),
                );
                add("replicas", &record.replicas);
                add("removing", &record.removing_replicas);
                add("adding", &record.adding_replicas);
                let recovery = record.leader_recovery_state;
                add(
                    "recovery",
                    &(recovery >= 0).then_some(vec![i32::from(recovery)]),
                );
                add("elr", &record.eligible_leader_replicas);
                add("last", &record.last_known_elr);
                let dirs = record
                    .directories
                    .as_ref()
                    .map(|dirs| dirs.iter().map(|dir| dir.as_u128() as i32 - 5000).collect());
                add("dirs", &dirs);
                lines.push(line);
            }
            _ => {}
        }
    }
    lines.sort();
    lines
}

fn ids(text: &str) -> Vec<i32> {
    text.split(',').map(|id| id.parse().unwrap_or(-9)).collect()
}

#[test]
fn the_same_events_make_the_same_records() {
    let mut steps: Vec<(&str, Vec<String>)> = Vec::new();
    for line in include_str!("golden_records.txt").lines() {
        match (line.strip_prefix("> "), steps.last_mut()) {
            (Some(step), _) => steps.push((step, Vec::new())),
            (None, Some((_, expected))) => expected.push(line.to_owned()),
            (None, None) => {}
        }
    }
    let mut quorum = Quorum::of(3);
    let mut incarnation = 1;
    let mut epochs: BTreeMap<i32, i64> = BTreeMap::new();
    for (step, mut expected) in steps {
        let start = quorum.log.len();
        let words: Vec<&str> = step.split(' ').collect();
        let id = |index: usize| words[index].parse::<i32>().unwrap_or(-9);
        match words[0] {
            "create" => {
                let replicas = ids(words[2]);
                let mut topic = assigned(words[1], &[(0, &replicas)]);
                if let Some((name, value)) = words.get(3).and_then(|word| word.split_once('=')) {
                    topic = with_configs(topic, &[(name, Some(value))]);
                }
                assert_eq!(quorum.create(topic).0, 0);
            }
            "kill" => quorum.kill(id(1)),
            "stop" => {
                epochs.insert(id(1), quorum.epoch(id(1)));
                quorum.stop(id(1));
            }
            "stopping" => {
                let epoch = quorum.epoch(id(1));
                quorum.heartbeat(id(1), epoch, true);
            }
            "start" => {
                incarnation += 1;
                let previous = match words[2] {
                    "clean" => epochs.get(&id(1)).copied().unwrap_or(-1),
                    _ => -1,
                };
                quorum.start(id(1), incarnation, previous);
            }
            "wait" => quorum.live(11, 0),
            "isr" => assert!(
                [0, ErrorCode::NEW_LEADER_ELECTED.0].contains(&quorum.alter_isr(
                    words[1],
                    id(2),
                    &ids(words[3])
                ))
            ),
            "elect" => {
                let kind = i8::from(words[1] == "unclean");
                assert_eq!(quorum.elect(kind, words[2], 0).0, 0);
            }
            "min-isr" => {
                quorum.alter(2, words[1], &[("min.insync.replicas", 0, Some(words[2]))]);
            }
            "reassign" => {
                assert_eq!(quorum.reassign(words[1], 0, Some(&ids(words[2]))).0, 0);
            }
            other => panic!("{other}"),
        }
        expected.sort();
        assert_eq!(lines(&quorum, start), expected, "> {step}");
    }
}
