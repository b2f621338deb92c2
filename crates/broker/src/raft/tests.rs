//! A quorum of voters in virtual time, over a network that loses what it is told to lose. After every event
//! the safety of the quorum is checked: one leader in an epoch, one history of what is committed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use playground_log::Disk;
use playground_protocol::messages::{ApiKey, ResponseKind};
use playground_protocol::{Random, RequestFrame, ResponseFrame, Time};
use uuid::Uuid;

use super::{METADATA_TOPIC, QuorumView, Raft, RaftConfig, RaftOutput};
use crate::metadata::MetadataRecord;
use crate::metadata::records::ProducerIdsRecord;

/// One-way time of a frame.
const LATENCY_MS: i64 = 2;
/// A request to a node that is cut off fails after this.
const TIMEOUT_MS: i64 = 2_000;

enum Event {
    Request {
        from: i32,
        to: i32,
        tag: u64,
        key: ApiKey,
        version: i16,
        frame: Bytes,
    },
    Response {
        from: i32,
        to: i32,
        tag: u64,
        key: ApiKey,
        version: i16,
        frame: Bytes,
    },
    Failed {
        from: i32,
        to: i32,
        tag: u64,
    },
}

struct Host {
    disk: Disk,
    raft: Option<Raft>,
    incarnation: u64,
}

/// Voters 1 to n.
struct Quorum {
    now: Time,
    hosts: BTreeMap<i32, Host>,
    voters: i32,
    events: BTreeMap<(Time, u64), Event>,
    sequence: u64,
    /// Requests that wait at a node: by number, who asked.
    waiting: BTreeMap<(i32, u64), (i32, u64, ApiKey, i16)>,
    /// One-way: frames from the first to the second are lost.
    cut: BTreeSet<(i32, i32)>,
    leaders: BTreeMap<i32, i32>,
    committed: Vec<(i64, i64)>,
    seed: u64,
}

fn record(number: i64) -> MetadataRecord {
    ProducerIdsRecord {
        broker_id: 1,
        broker_epoch: 0,
        next_producer_id: number,
    }
    .into()
}

fn number(record: &MetadataRecord) -> i64 {
    match record {
        MetadataRecord::ProducerIds(record) => record.next_producer_id,
        other => panic!("{other:?}"),
    }
}

impl Quorum {
    fn new(voters: i32, seed: u64) -> Quorum {
        let mut quorum = Quorum {
            now: Time::from_millis(1_700_000_000_000),
            hosts: BTreeMap::new(),
            voters,
            events: BTreeMap::new(),
            sequence: 0,
            waiting: BTreeMap::new(),
            cut: BTreeSet::new(),
            leaders: BTreeMap::new(),
            committed: Vec::new(),
            seed,
        };
        for id in 1..=voters {
            quorum.hosts.insert(
                id,
                Host {
                    disk: Disk::new(),
                    raft: None,
                    incarnation: 0,
                },
            );
            quorum.start(id);
        }
        quorum
    }

    fn start(&mut self, id: i32) {
        let voters = (1..=self.voters)
            .map(|id| (id, ("localhost".to_owned(), 9090 + id as u16)))
            .collect();
        let host = self.hosts.entry(id).or_insert(Host {
            disk: Disk::new(),
            raft: None,
            incarnation: 0,
        });
        host.incarnation += 1;
        let config = RaftConfig {
            node_id: id,
            directory_id: Uuid::from_u128(1_000 + id as u128),
            cluster_id: "cluster".to_owned(),
            log_dir: "/data".to_owned(),
            voters,
            election_timeout_ms: 1_000,
            fetch_timeout_ms: 2_000,
            election_backoff_max_ms: 1_000,
            request_timeout_ms: TIMEOUT_MS,
            retry_backoff_ms: 20,
            fetch_max_bytes: 1_048_576,
        };
        let random = Random::new(self.seed * 100 + id as u64, &host.incarnation.to_string());
        host.raft = Some(Raft::open(config, random, &mut host.disk, self.now));
        self.collect(id);
    }

    /// The process dies; with `power_cut` so does what was not flushed.
    fn kill(&mut self, id: i32, power_cut: bool) {
        let host = self.hosts.get_mut(&id).unwrap();
        host.raft = None;
        if power_cut {
            host.disk.power_cut();
        }
        // Its connections break.
        let asked: Vec<_> = self
            .waiting
            .iter()
            .filter(|((at, _), (from, ..))| *at == id || *from == id)
            .map(|(key, (from, tag, ..))| (*key, *from, *tag))
            .collect();
        for (key, from, tag) in asked {
            self.waiting.remove(&key);
            if from != id {
                self.later(0, Event::Failed { from, to: id, tag });
            }
        }
    }

    fn cut_off(&mut self, id: i32) {
        for other in self.hosts.keys().copied().filter(|other| *other != id) {
            self.cut.insert((id, other));
            self.cut.insert((other, id));
        }
    }

    fn later(&mut self, millis: i64, event: Event) {
        self.sequence += 1;
        let at = self.now.plus_millis(millis);
        self.events.insert((at, self.sequence), event);
    }

    fn raft(&self, id: i32) -> &Raft {
        self.hosts[&id].raft.as_ref().unwrap()
    }

    fn view(&self, id: i32) -> QuorumView {
        self.raft(id).view()
    }

    fn collect(&mut self, id: i32) {
        loop {
            let host = self.hosts.get_mut(&id).unwrap();
            let Some(output) = host.raft.as_mut().and_then(Raft::poll_output) else {
                break;
            };
            match output {
                RaftOutput::Log(_) => {}
                RaftOutput::Send {
                    to,
                    api_key: key,
                    version,
                    body,
                    tag,
                } => {
                    let frame = RequestFrame {
                        api_key: key,
                        api_version: version,
                        correlation_id: 1,
                        client_id: None,
                        body: *body,
                    }
                    .encode()
                    .unwrap();
                    self.later(
                        LATENCY_MS,
                        Event::Request {
                            from: id,
                            to,
                            tag,
                            key,
                            version,
                            frame,
                        },
                    );
                }
                RaftOutput::Respond { request, response } => self.respond(id, request, *response),
            }
        }
        self.check(id);
    }

    fn respond(&mut self, id: i32, request: u64, response: ResponseKind) {
        if let Some((from, tag, key, version)) = self.waiting.remove(&(id, request)) {
            let frame = ResponseFrame {
                correlation_id: 1,
                body: response,
            }
            .encode(key, version)
            .unwrap();
            self.later(
                LATENCY_MS,
                Event::Response {
                    from,
                    to: id,
                    tag,
                    key,
                    version,
                    frame,
                },
            );
        }
    }

    /// What must hold at any time.
    fn check(&mut self, id: i32) {
        let host = self.hosts.get_mut(&id).unwrap();
        let Some(raft) = host.raft.as_mut() else {
            return;
        };
        let view = raft.view();
        if let Some(leader) = view.leader {
            let known = *self.leaders.entry(view.epoch).or_insert(leader);
            assert_eq!(known, leader, "two leaders in epoch {}", view.epoch);
        }
        let records = raft.log_mut().read_all_committed(&host.disk).unwrap();
        let records: Vec<(i64, i64)> = records
            .iter()
            .map(|(offset, record)| (*offset, number(record)))
            .collect();
        let common = records.len().min(self.committed.len());
        assert_eq!(records[..common], self.committed[..common], "node {id}");
        if records.len() > common {
            self.committed = records;
        }
    }

    /// The next event or deadline, if it comes by `until`.
    fn step(&mut self, until: Time) -> bool {
        let event = self.events.keys().next().map_or(Time::NEVER, |(at, _)| *at);
        let deadline = self
            .hosts
            .values()
            .filter_map(|host| host.raft.as_ref())
            .map(Raft::next_deadline)
            .min()
            .unwrap_or(Time::NEVER);
        let next = event.min(deadline);
        if next > until {
            self.now = until;
            return false;
        }
        self.now = self.now.max(next);
        if deadline < event {
            let due: Vec<i32> = self
                .hosts
                .iter()
                .filter(|(_, host)| {
                    host.raft
                        .as_ref()
                        .is_some_and(|raft| raft.next_deadline() <= self.now)
                })
                .map(|(id, _)| *id)
                .collect();
            for id in due {
                self.drive(id);
            }
        } else if let Some((_, event)) = self.events.pop_first() {
            self.deliver(event);
        }
        true
    }

    fn drive(&mut self, id: i32) {
        let now = self.now;
        let host = self.hosts.get_mut(&id).unwrap();
        if let Some(raft) = host.raft.as_mut() {
            raft.drive(&mut host.disk, now);
            self.collect(id);
        }
    }

    fn deliver(&mut self, event: Event) {
        let now = self.now;
        match event {
            Event::Request {
                from,
                to,
                tag,
                key,
                version,
                frame,
            } => {
                if self.cut.contains(&(from, to)) {
                    self.later(TIMEOUT_MS, Event::Failed { from, to, tag });
                    return;
                }
                let request = RequestFrame::decode(frame).unwrap().body;
                self.sequence += 1;
                let number = self.sequence;
                let host = self.hosts.get_mut(&to).unwrap();
                let Some(raft) = host.raft.as_mut() else {
                    self.later(0, Event::Failed { from, to, tag });
                    return;
                };
                let response = raft.request(number, version, &request, &mut host.disk, now);
                self.waiting.insert((to, number), (from, tag, key, version));
                if let Some(response) = response {
                    self.respond(to, number, response);
                }
                self.drive(to);
            }
            Event::Response {
                from,
                to,
                tag,
                key,
                version,
                frame,
            } => {
                if self.cut.contains(&(to, from)) {
                    self.later(TIMEOUT_MS, Event::Failed { from, to, tag });
                    return;
                }
                let response = ResponseFrame::decode(key, version, frame).unwrap().body;
                let host = self.hosts.get_mut(&from).unwrap();
                if let Some(raft) = host.raft.as_mut() {
                    raft.response(to, tag, response, &mut host.disk, now);
                    self.drive(from);
                }
            }
            Event::Failed { from, to, tag } => {
                if let Some(raft) = self.hosts.get_mut(&from).unwrap().raft.as_mut() {
                    raft.failed(to, tag, now);
                    self.drive(from);
                }
            }
        }
    }

    fn run(&mut self, millis: i64) {
        let until = self.now.plus_millis(millis);
        while self.step(until) {}
    }

    /// Runs until somebody may act as the controller whom a majority follows; who, and after how long.
    fn elect(&mut self) -> (i32, i64) {
        let began = self.now;
        for _ in 0..100_000 {
            if let Some(leader) = self.active() {
                return (leader, self.now.millis() - began.millis());
            }
            assert!(self.step(began.plus_millis(30_000)), "nobody is elected");
        }
        panic!("nobody is elected");
    }

    /// The active one of the highest epoch.
    fn active(&self) -> Option<i32> {
        let highest = self
            .hosts
            .values()
            .filter_map(|host| host.raft.as_ref())
            .map(|raft| raft.epoch)
            .max()?;
        self.hosts
            .iter()
            .find(|(_, host)| {
                host.raft
                    .as_ref()
                    .is_some_and(|raft| raft.active_epoch() == Some(highest))
            })
            .map(|(id, _)| *id)
    }

    /// Appends a record; the offset that commits it.
    fn append(&mut self, id: i32, value: i64) -> Option<i64> {
        let now = self.now;
        let host = self.hosts.get_mut(&id).unwrap();
        let raft = host.raft.as_mut()?;
        let epoch = raft.active_epoch()?;
        let end = raft.append(&[record(value)], epoch, &mut host.disk, now);
        self.collect(id);
        end
    }

    fn values(&self) -> Vec<i64> {
        self.committed.iter().map(|(_, value)| *value).collect()
    }

    /// All nodes have one log, all committed.
    fn assert_converged(&self) {
        let ends: BTreeSet<_> = self
            .hosts
            .values()
            .filter_map(|host| host.raft.as_ref())
            .map(|raft| (raft.log().end(), raft.view().high_watermark))
            .collect();
        assert_eq!(ends.len(), 1, "{ends:?}");
        assert!(
            ends.iter()
                .all(|(end, high_watermark)| end.offset == *high_watermark)
        );
    }
}

#[test]
fn a_single_voter_leads_at_once_and_commits_at_once() {
    let mut quorum = Quorum::new(1, 1);
    assert_eq!(quorum.active(), Some(1));
    assert_eq!(quorum.view(1).epoch, 1);
    let end = quorum.append(1, 7);
    assert_eq!(end, Some(2));
    assert_eq!(quorum.view(1).high_watermark, 2);
    quorum.kill(1, true);
    quorum.start(1);
    assert_eq!(quorum.active(), Some(1));
    assert_eq!(quorum.view(1).epoch, 2);
    assert_eq!(quorum.values(), [7]);
    // It has nobody to ask.
    assert_eq!(
        quorum
            .raft(1)
            .next_deadline()
            .max(quorum.now.plus_millis(100)),
        quorum.raft(1).next_deadline()
    );
}

#[test]
fn the_first_election_takes_a_second_or_two() {
    for voters in [3, 5] {
        for seed in 1..8 {
            let mut quorum = Quorum::new(voters, seed);
            let (leader, millis) = quorum.elect();
            assert!((1_000..3_500).contains(&millis), "seed {seed}: {millis}");
            assert!(quorum.append(leader, 1).is_some());
            quorum.run(1_000);
            assert_eq!(quorum.values(), [1]);
            quorum.assert_converged();
        }
    }
}

#[test]
fn a_follower_takes_over_and_nothing_committed_is_lost() {
    for seed in 1..8 {
        let mut quorum = Quorum::new(3, seed);
        let (first, _) = quorum.elect();
        for value in 0..5 {
            quorum.append(first, value);
        }
        quorum.run(100);
        assert_eq!(quorum.values(), [0, 1, 2, 3, 4]);
        let epoch = quorum.view(first).epoch;
        quorum.kill(first, false);
        let (second, millis) = quorum.elect();
        assert!(millis < 6_000, "seed {seed}: {millis}");
        assert_ne!(first, second);
        assert!(quorum.view(second).epoch > epoch);
        quorum.append(second, 5);
        quorum.start(first);
        quorum.run(2_000);
        assert_eq!(quorum.values(), [0, 1, 2, 3, 4, 5]);
        assert_eq!(quorum.view(first).state, "Follower");
        quorum.assert_converged();
    }
}

#[test]
fn a_partitioned_leader_resigns_and_its_tail_is_replaced() {
    for seed in 1..8 {
        let mut quorum = Quorum::new(3, seed);
        let (first, _) = quorum.elect();
        quorum.append(first, 1);
        quorum.run(100);
        quorum.cut_off(first);
        // Nobody can take these over.
        for value in [100, 101, 102] {
            quorum.append(first, value);
        }
        quorum.run(6_000);
        let (second, _) = quorum.elect();
        assert_ne!(first, second);
        quorum.append(second, 2);
        quorum.run(500);
        assert_ne!(quorum.view(first).state, "Leader");
        assert_eq!(quorum.values(), [1, 2]);
        let tail = quorum.raft(first).log().end();
        assert!(tail.offset > quorum.view(first).high_watermark);
        quorum.cut.clear();
        quorum.run(5_000);
        assert_eq!(quorum.values(), [1, 2]);
        quorum.assert_converged();
    }
}

#[test]
fn a_node_that_comes_back_from_a_partition_disturbs_nobody() {
    for seed in 1..8 {
        let mut quorum = Quorum::new(3, seed);
        let (leader, _) = quorum.elect();
        quorum.run(1_000);
        let away = (1..=3).find(|id| *id != leader).unwrap();
        let epoch = quorum.view(leader).epoch;
        quorum.cut_off(away);
        quorum.run(30_000);
        // It asked for support, and never raised the epoch (KIP-996).
        assert_eq!(quorum.view(away).epoch, epoch);
        quorum.cut.clear();
        quorum.run(10_000);
        assert_eq!(quorum.view(leader).state, "Leader", "seed {seed}");
        assert_eq!(quorum.view(leader).epoch, epoch);
        quorum.assert_converged();
    }
}

#[test]
fn a_leader_that_shuts_down_hands_over() {
    for seed in 1..8 {
        let mut quorum = Quorum::new(3, seed);
        let (first, _) = quorum.elect();
        quorum.run(1_000);
        let began = quorum.now;
        let now = quorum.now;
        let host = quorum.hosts.get_mut(&first).unwrap();
        host.raft.as_mut().unwrap().shut_down(&mut host.disk, now);
        quorum.collect(first);
        while !quorum.raft(first).is_shut_down(quorum.now) {
            assert!(quorum.step(began.plus_millis(5_000)), "seed {seed}");
        }
        let (second, _) = quorum.elect();
        assert_ne!(first, second);
        let millis = quorum.now.millis() - began.millis();
        assert!(millis < 100, "seed {seed}: {millis}");
    }
}

#[test]
fn a_vote_is_not_forgotten_in_a_power_cut() {
    let mut quorum = Quorum::new(3, 4);
    let (leader, _) = quorum.elect();
    quorum.append(leader, 1);
    quorum.run(500);
    for id in 1..=3 {
        quorum.kill(id, true);
    }
    for id in 1..=3 {
        quorum.start(id);
    }
    // All know the epoch, and the log is there: it was flushed before it counted.
    quorum.elect();
    quorum.run(1_000);
    assert_eq!(quorum.values(), [1]);
    quorum.assert_converged();
}

#[test]
fn a_voter_whose_log_is_gone_fetches_it_again() {
    let mut quorum = Quorum::new(3, 5);
    let (leader, _) = quorum.elect();
    for value in 0..10 {
        quorum.append(leader, value);
    }
    quorum.run(500);
    let lost = (1..=3).find(|id| *id != leader).unwrap();
    quorum.kill(lost, true);
    let log = format!("/data/{METADATA_TOPIC}-0/00000000000000000000.log");
    quorum.hosts.get_mut(&lost).unwrap().disk.truncate(&log, 0);
    quorum.start(lost);
    quorum.run(3_000);
    quorum.assert_converged();
}

#[test]
fn an_observer_follows_and_has_no_vote() {
    let mut quorum = Quorum::new(3, 6);
    quorum.start(9);
    let (leader, _) = quorum.elect();
    quorum.append(leader, 1);
    quorum.run(1_000);
    assert_eq!(quorum.view(9).state, "Follower");
    quorum.assert_converged();
    for id in 1..=3 {
        quorum.kill(id, false);
    }
    quorum.run(20_000);
    assert_eq!(quorum.view(9).state, "Follower");
    for id in 1..=3 {
        quorum.start(id);
    }
    let (leader, _) = quorum.elect();
    quorum.append(leader, 2);
    quorum.run(3_000);
    quorum.assert_converged();
}

/// Kills, power cuts, partitions and appends at random times; then all is healed, and must converge.
fn storm(voters: i32, seed: u64) {
    let mut quorum = Quorum::new(voters, seed);
    let mut random = Random::new(seed, "storm");
    let mut value = 0;
    let mut acknowledged: VecDeque<(i64, i64)> = VecDeque::new();
    for _ in 0..60 {
        let id = 1 + random.below(voters as u64) as i32;
        match random.below(8) {
            0 if quorum.hosts[&id].raft.is_some() => quorum.kill(id, random.below(2) == 0),
            1 | 2 if quorum.hosts[&id].raft.is_none() => quorum.start(id),
            3 => {
                let other = 1 + random.below(voters as u64) as i32;
                quorum.cut.insert((id, other));
            }
            4 => quorum.cut_off(id),
            5 => quorum.cut.clear(),
            _ => {}
        }
        for id in 1..=voters {
            value += 1;
            if let Some(end) = quorum.append(id, value) {
                acknowledged.push_back((end, value));
            }
        }
        quorum.run(random.below(3_000) as i64);
    }
    quorum.cut.clear();
    for id in 1..=voters {
        if quorum.hosts[&id].raft.is_none() {
            quorum.start(id);
        }
    }
    quorum.run(10_000);
    let (leader, _) = quorum.elect();
    value += 1;
    quorum.append(leader, value);
    quorum.run(3_000);
    quorum.assert_converged();
    assert_eq!(quorum.values().last(), Some(&value), "seed {seed}");
    let unique: BTreeSet<i64> = quorum.values().into_iter().collect();
    assert_eq!(unique.len(), quorum.committed.len());
    assert!(!acknowledged.is_empty(), "seed {seed}");
}

#[test]
fn storms_break_nothing() {
    for seed in 1..=12 {
        storm(3, seed);
    }
    for seed in 1..=4 {
        storm(5, seed);
    }
}
