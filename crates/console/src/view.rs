//! What the page is shown: plain values, built from the simulation and from nothing else.
//!
//! [`build`] is a pure function. It reads what the nodes say of themselves, the logs on their disks, and
//! the trace; it keeps no second model of the cluster. All lists are windows: the page says in
//! [`ViewRequest`] what it has room for.

mod model;
mod record;
mod story;
mod wire;

use std::collections::BTreeMap;

use bytes::Bytes;
use playground_broker::group::consumer_protocol::assigned_partitions;
use playground_broker::node::Role;
use playground_broker::{Node, NodeConfig};
use playground_log::disk::Disk;
use playground_log::{Log, Record, batches};
use playground_sim::{HostId, NodeState, Sim, World};

pub use model::*;

/// Cells of a replica's log in the picture of the cluster: the last ones.
const CLUSTER_CELLS_MAX: i64 = 8;

/// Cells of one partition in the picture of a topic.
const TOPIC_CELLS_MAX: u32 = 400;

/// Characters of a cell's label.
const LABEL_CHARACTERS_MAX: usize = 6;

/// Bytes read from a log for its cells, per partition.
const CELL_BYTES_MAX: usize = 256 * 1024;

/// Keys have so many colours.
const KEY_HUES: u32 = 6;

/// What a person sees of the simulation now.
pub fn build(sim: &Sim, request: &ViewRequest) -> View {
    let world = sim.world();
    let machines = machines(&world);
    let topics = topics(&machines);
    let mut view = View {
        now_ms: world.now().millis(),
        brokers: machines
            .iter()
            .map(|machine| broker(&world, machine, request.show_internal))
            .collect(),
        groups: groups(&machines),
        topics,
        frame_count: world.trace().frame_count(),
        frames: wire::frames(&world, &topic_names(&machines), &request.wire),
        events: story::events(&world, &topic_names(&machines)),
        processes: processes(&world),
        ..View::default()
    };
    let topic = request
        .topic
        .as_ref()
        .filter(|name| view.topics.iter().any(|topic| topic.name == **name))
        .cloned()
        .or_else(|| {
            view.topics
                .iter()
                .find(|topic| !topic.internal)
                .map(|topic| topic.name.clone())
        });
    if let Some(topic) = topic {
        view.topic = Some(topic_place(&machines, &topic, request, &view.groups));
    }
    if let Some(address) = &request.record {
        view.record = record::record(&machines, address);
    }
    view
}

/// A host that is or was a Kafka node.
struct Machine<'a> {
    host: HostId,
    name: &'a str,
    config: &'a NodeConfig,
    node: Option<&'a Node>,
    disk: &'a Disk,
    /// (topic, partition) of every replica on the disk, sorted.
    replicas: Vec<(String, i32)>,
}

fn machines(world: &World) -> Vec<Machine<'_>> {
    let mut machines: Vec<Machine<'_>> = world
        .host_ids()
        .filter_map(|host| {
            let config = world.node_config(host)?;
            let disk = world.disk(host);
            let mut replicas: Vec<(String, i32)> = disk
                .list(&config.log_dir)
                .iter()
                .filter_map(|name| replica_of(name))
                .filter(|(topic, partition)| {
                    topic != "__cluster_metadata" && {
                        let dir = replica_dir(config, topic, *partition);
                        disk.is_directory(&dir)
                    }
                })
                .collect();
            replicas.sort();
            Some(Machine {
                host,
                name: world.host_name(host),
                config,
                node: world.node(host),
                disk,
                replicas,
            })
        })
        .collect();
    machines.sort_by_key(|machine| machine.config.node_id);
    machines
}

/// The topic and partition of a replica's directory (`users-0`); none for `users-0.uuid-delete`.
fn replica_of(directory: &str) -> Option<(String, i32)> {
    let (topic, partition) = directory.rsplit_once('-')?;
    let partition = partition.parse().ok()?;
    (!topic.is_empty()).then(|| (topic.to_owned(), partition))
}

fn replica_dir(config: &NodeConfig, topic: &str, partition: i32) -> String {
    format!("{}/{topic}-{partition}", config.log_dir)
}

/// Topics that Kafka keeps for itself.
fn is_internal(topic: &str) -> bool {
    topic.starts_with("__")
}

/// The leading node of a partition, if one runs.
fn leader<'a>(machines: &'a [Machine<'a>], topic: &str, partition: i32) -> Option<&'a Machine<'a>> {
    machines.iter().find(|machine| {
        machine
            .node
            .and_then(|node| node.partition_view(topic, partition))
            .is_some_and(|view| view.role == Role::Leader)
    })
}

/// The running log of a partition: its leader's, or else any running replica's.
fn log_of<'a>(
    machines: &'a [Machine<'a>],
    topic: &str,
    partition: i32,
) -> Option<(&'a Machine<'a>, &'a Log)> {
    leader(machines, topic, partition)
        .into_iter()
        .chain(machines)
        .find_map(|machine| Some((machine, machine.node?.log(topic, partition)?)))
}

fn topics(machines: &[Machine<'_>]) -> Vec<TopicSummary> {
    let mut partitions: BTreeMap<&str, BTreeMap<i32, i64>> = BTreeMap::new();
    for machine in machines {
        for (topic, partition) in &machine.replicas {
            let records = log_of(machines, topic, *partition)
                .map_or(0, |(_, log)| log.log_end_offset() - log.log_start_offset());
            partitions
                .entry(topic)
                .or_default()
                .insert(*partition, records);
        }
    }
    partitions
        .into_iter()
        .map(|(name, partitions)| TopicSummary {
            name: name.to_owned(),
            internal: is_internal(name),
            partitions: u32::try_from(partitions.len()).unwrap_or(u32::MAX),
            records: partitions.values().sum(),
        })
        .collect()
}

/// Topic names by their ids, as the logs know them.
fn topic_names(machines: &[Machine<'_>]) -> BTreeMap<uuid::Uuid, String> {
    let mut names = BTreeMap::new();
    for machine in machines {
        let Some(node) = machine.node else { continue };
        for (topic, partition) in &machine.replicas {
            if let Some(id) = node.log(topic, *partition).and_then(Log::topic_id) {
                names.entry(id).or_insert_with(|| topic.clone());
            }
        }
    }
    names
}

fn broker(world: &World, machine: &Machine<'_>, show_internal: bool) -> BrokerView {
    let (state, since) = world.node_state(machine.host);
    let listener = machine.config.broker_listeners().next();
    let shown = machine
        .replicas
        .iter()
        .filter(|(topic, _)| show_internal || !is_internal(topic));
    BrokerView {
        id: machine.config.node_id,
        host: machine.name.to_owned(),
        address: listener.map_or_else(String::new, |listener| {
            format!("{}:{}", listener.advertised_host, listener.advertised_port)
        }),
        state: match state {
            NodeState::Running => BrokerState::Running,
            NodeState::Stopping => BrokerState::Stopping,
            NodeState::Stopped => BrokerState::Down,
        },
        state_since_ms: since.millis(),
        controller: machine.node.is_some_and(Node::is_controller),
        internal_replicas: u32::try_from(
            machine
                .replicas
                .iter()
                .filter(|(topic, _)| is_internal(topic))
                .count(),
        )
        .unwrap_or(u32::MAX),
        disk_bytes: machine.disk.held_bytes(),
        replicas: shown
            .map(|(topic, partition)| replica(machine, topic, *partition))
            .collect(),
    }
}

fn replica(machine: &Machine<'_>, topic: &str, partition: i32) -> ReplicaView {
    let mut view = ReplicaView {
        topic: topic.to_owned(),
        partition,
        ..ReplicaView::default()
    };
    let Some(node) = machine.node else {
        return view;
    };
    if let Some(known) = node.partition_view(topic, partition) {
        view.role = match known.role {
            Role::Leader => ReplicaRole::Leader,
            Role::Follower => ReplicaRole::Follower,
            Role::Offline => ReplicaRole::Offline,
        };
        view.leader_epoch = known.leader_epoch;
        view.log_start_offset = known.log_start_offset;
        view.high_watermark = known.high_watermark;
        view.log_end_offset = known.log_end_offset;
        if let Some(log) = node.log(topic, partition) {
            let from = known
                .log_start_offset
                .max(known.log_end_offset - CLUSTER_CELLS_MAX);
            view.cells = cells(log, machine.disk, from, known.log_end_offset);
        }
    }
    view
}

fn topic_place(
    machines: &[Machine<'_>],
    topic: &str,
    request: &ViewRequest,
    groups: &[GroupSummary],
) -> TopicPlace {
    let mut partitions: Vec<i32> = machines
        .iter()
        .flat_map(|machine| &machine.replicas)
        .filter(|(name, _)| name == topic)
        .map(|(_, partition)| *partition)
        .collect();
    partitions.sort_unstable();
    partitions.dedup();
    TopicPlace {
        name: topic.to_owned(),
        partitions: partitions
            .into_iter()
            .map(|partition| partition_place(machines, topic, partition, request, groups))
            .collect(),
    }
}

fn partition_place(
    machines: &[Machine<'_>],
    topic: &str,
    partition: i32,
    request: &ViewRequest,
    groups: &[GroupSummary],
) -> PartitionPlace {
    let mut place = PartitionPlace {
        partition,
        ..PartitionPlace::default()
    };
    if let Some(machine) = leader(machines, topic, partition) {
        place.leader = Some(Leader {
            id: machine.config.node_id,
            host: machine.name.to_owned(),
        });
    }
    let Some((machine, log)) = log_of(machines, topic, partition) else {
        return place;
    };
    let count = i64::from(request.cells.clamp(1, TOPIC_CELLS_MAX));
    place.log_start_offset = log.log_start_offset();
    place.high_watermark = log.high_watermark();
    place.log_end_offset = log.log_end_offset();
    place.size_bytes = log.size();
    let last_start = (place.log_end_offset - count).max(place.log_start_offset);
    place.first_shown = request
        .first_offsets
        .get(&partition)
        .map_or(last_start, |first| {
            (*first).clamp(place.log_start_offset, last_start)
        });
    place.cells = cells(
        log,
        machine.disk,
        place.first_shown,
        place.log_end_offset.min(place.first_shown + count),
    );
    place.flags = groups
        .iter()
        .flat_map(|group| {
            group
                .offsets
                .iter()
                .filter(|offset| offset.topic == topic && offset.partition == partition)
                .map(|offset| Flag {
                    group: group.group_id.clone(),
                    offset: offset.offset,
                })
        })
        .collect();
    place
}

/// The records from `from` up to `to` as cells. Bounded: a window of large batches may come out short.
fn cells(log: &Log, disk: &Disk, from: i64, to: i64) -> Vec<CellView> {
    let mut cells = Vec::new();
    let mut next = from;
    let mut budget = CELL_BYTES_MAX;
    while next < to && budget > 0 {
        let Ok(found) = log.read(disk, next, budget.min(64 * 1024), to, true) else {
            break;
        };
        if found.records.is_empty() {
            break;
        }
        budget = budget.saturating_sub(found.records.len());
        let mut reached = next;
        for batch in batches(found.records).map_while(Result::ok) {
            reached = batch.header.next_offset();
            if batch.header.is_control() {
                cells.extend(
                    (batch.header.base_offset.max(from)..reached.min(to)).map(|offset| CellView {
                        offset,
                        label: "marker".to_owned(),
                        hue: None,
                        kind: CellKind::Control,
                    }),
                );
                continue;
            }
            let Ok(records) = batch.records_within(1024 * 1024) else {
                continue;
            };
            cells.extend(
                records
                    .map_while(Result::ok)
                    .filter(|record| record.offset >= from && record.offset < to)
                    .map(|record| cell(&record)),
            );
        }
        if reached <= next {
            break;
        }
        next = reached;
    }
    cells
}

fn cell(record: &Record) -> CellView {
    CellView {
        offset: record.offset,
        label: match (&record.key, &record.value) {
            (Some(key), _) => label(key),
            (None, Some(value)) => label(value),
            (None, None) => String::new(),
        },
        hue: record.key.as_ref().map(hue),
        kind: if record.value.is_none() {
            CellKind::Tombstone
        } else {
            CellKind::Data
        },
    }
}

/// The start of a key or value as a person reads it.
fn label(bytes: &Bytes) -> String {
    let text = text_of(&bytes[..bytes.len().min(64)]);
    if text.chars().count() <= LABEL_CHARACTERS_MAX {
        return text;
    }
    text.chars()
        .take(LABEL_CHARACTERS_MAX - 1)
        .chain(['…'])
        .collect()
}

/// Bytes as text: UTF-8 where they are, without control characters.
fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .map(|character| {
            if character.is_control() {
                '·'
            } else {
                character
            }
        })
        .collect()
}

/// The colour of a key. Small keys that differ in their last byte get neighbouring colours.
fn hue(key: &Bytes) -> u8 {
    let sum = key.iter().fold(0u32, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u32::from(*byte))
    });
    // '1' is 49: the colours of the keys 1, 2, 3 start at the first.
    u8::try_from(sum.wrapping_add(KEY_HUES - 1) % KEY_HUES).unwrap_or(0)
}

fn groups(machines: &[Machine<'_>]) -> Vec<GroupSummary> {
    let mut groups: Vec<GroupSummary> = machines
        .iter()
        .filter_map(|machine| Some((machine, machine.node?)))
        .flat_map(|(machine, node)| {
            node.group_views().into_iter().map(|group| GroupSummary {
                coordinator: machine.name.to_owned(),
                coordinator_id: machine.config.node_id,
                offsets: group
                    .offsets
                    .iter()
                    .map(|offset| {
                        let end = log_of(machines, &offset.topic, offset.partition)
                            .map(|(_, log)| log.high_watermark());
                        GroupOffset {
                            topic: offset.topic.clone(),
                            partition: offset.partition,
                            offset: offset.offset,
                            end_offset: end.unwrap_or(-1),
                            lag: end.map_or(-1, |end| (end - offset.offset).max(0)),
                        }
                    })
                    .collect(),
                offsets_partition: group.partition,
                state: group.state.as_str().to_owned(),
                generation: group.generation,
                assignor: group.protocol_name.unwrap_or_default(),
                members: group
                    .members
                    .into_iter()
                    .map(|member| MemberView {
                        assignment: assigned_partitions(&member.assignment)
                            .unwrap_or_default()
                            .iter()
                            .flat_map(|(topic, partitions)| {
                                partitions
                                    .iter()
                                    .map(move |partition| format!("{topic}-{partition}"))
                            })
                            .collect(),
                        member_id: member.member_id,
                        client_id: member.client_id,
                        host: member.client_host.trim_start_matches('/').to_owned(),
                    })
                    .collect(),
                group_id: group.group_id,
            })
        })
        .collect();
    groups.sort_by(|a, b| a.group_id.cmp(&b.group_id));
    groups
}

fn processes(world: &World) -> Vec<ProcessView> {
    world
        .processes()
        .filter(|process| process.exit.is_none())
        .map(|process| ProcessView {
            pid: process.pid.0,
            host: world.host_name(process.host).to_owned(),
            command: process.name.clone(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replica_directories_are_told_from_others() {
        assert_eq!(replica_of("a-b-12"), Some(("a-b".to_owned(), 12)));
        assert_eq!(replica_of("users-0.0f-delete"), None);
        assert_eq!(replica_of("meta.properties"), None);
        assert_eq!(replica_of("-1"), None);
    }

    #[test]
    fn neighbouring_keys_have_other_colours() {
        let hues: Vec<u8> = ["1", "2", "3", "4", "5", "6"]
            .iter()
            .map(|key| hue(&Bytes::from_static(key.as_bytes())))
            .collect();
        assert_eq!(hues, [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn labels_are_short_and_printable() {
        assert_eq!(label(&Bytes::from_static(b"isabelle")), "isabe…");
        assert_eq!(label(&Bytes::from_static(b"a\x1b[1m")), "a·[1m");
        assert_eq!(label(&Bytes::from_static("한국어".as_bytes())), "한국어");
    }
}
