//! A node's part in the quorum that keeps `__cluster_metadata` (Apache Kafka's `KafkaRaftClient`; KIP-595,
//! KIP-996): elections, the leader's appends and what is committed, the followers' fetches.
//!
//! Driving contract:
//! - Inputs: [`Raft::request`] for each request of another node, [`Raft::response`] or [`Raft::failed`] for
//!   each [`RaftOutput::Send`], [`Raft::append`] for the active controller's records, [`Raft::shut_down`], and
//!   [`Raft::drive`] after any of them and at [`Raft::next_deadline`].
//! - After every input drain [`Raft::poll_output`].
//! - Records below [`MetadataLog::has_committed`] are committed for ever; nobody replays others, but for the
//!   active controller, which forgets all when [`Raft::active_epoch`] changes.
//!
//! The voters are the configured ones (`controller.quorum.voters`, kraft.version 0). A node that is not among
//! them is an observer: it fetches, and has no vote.

mod describe;
mod election;
mod log;
mod messages;
mod replication;
mod state;
mod store;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use playground_log::Disk;
use playground_protocol::messages::{ApiKey, RequestKind, ResponseKind};
use playground_protocol::{LogLevel, LogLine, Random, Time};
use uuid::Uuid;

pub use log::{METADATA_TOPIC, METADATA_TOPIC_ID, MetadataLog, OffsetAndEpoch};
use replication::WaitingFetch;
use state::{LeaderState, State, Votes};
use store::{ElectionState, Store};

use crate::metadata::MetadataRecord;

const RAFT_CLIENT_LOGGER: &str = "org.apache.kafka.raft.KafkaRaftClient";
const QUORUM_STATE_LOGGER: &str = "org.apache.kafka.raft.QuorumState";

/// After an answer that did not help, another request to the same node goes out this much later. Kafka asks
/// again at once, which the round trip bounds there.
const UNHELPFUL_BACKOFF_MS: i64 = 100;
/// A voter that does not answer is asked again after twice the time, up to this (the reconnect backoff of the
/// quorum's network client).
const RECONNECT_BACKOFF_MS_MAX: i64 = 500;
/// How long a leader that shuts down waits for its successor (`raftClient.shutdown(5000)`).
const RESIGNATION_MS_MAX: i64 = 5_000;
/// Transitions that one input may cause: a guard against loops.
const TRANSITIONS_PER_INPUT_MAX: usize = 64;

/// How a node takes part; the times by their properties under `controller.quorum.`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaftConfig {
    /// `node.id`.
    pub node_id: i32,
    /// The id of the log directory.
    pub directory_id: Uuid,
    /// The cluster's id as text; requests of another cluster are refused.
    pub cluster_id: String,
    /// `log.dirs`.
    pub log_dir: String,
    /// The voters: host and port of each one's `CONTROLLER` listener.
    pub voters: BTreeMap<i32, (String, u16)>,
    /// `election.timeout.ms`: an election is tried again after one to two times this.
    pub election_timeout_ms: i64,
    /// `fetch.timeout.ms`: a follower that fetches nothing for this long wants another leader; a leader that
    /// no majority fetches from for one and a half times this resigns.
    pub fetch_timeout_ms: i64,
    /// `election.backoff.max.ms`: the least preferred successor of a resigned leader waits this long.
    pub election_backoff_max_ms: i64,
    /// `request.timeout.ms`.
    pub request_timeout_ms: i64,
    /// `retry.backoff.ms`.
    pub retry_backoff_ms: i64,
    /// `fetch.max.bytes`.
    pub fetch_max_bytes: i32,
}

/// What the quorum wants done.
#[derive(Clone, Debug)]
pub enum RaftOutput {
    /// A request to a voter; [`Raft::response`] or [`Raft::failed`] follows. At most one to each is under way.
    Send {
        /// The voter.
        to: i32,
        /// The API.
        api_key: ApiKey,
        /// The request's version.
        version: i16,
        /// The request.
        body: Box<RequestKind>,
        /// To be given back.
        tag: u64,
    },
    /// The answer to a request that [`Raft::request`] answered with nothing.
    Respond {
        /// The request's number.
        request: u64,
        /// The answer.
        response: Box<ResponseKind>,
    },
    /// A line of the node's log.
    Log(LogLine),
}

/// What a node knows of the quorum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuorumView {
    /// `Unattached`, `Prospective`, `Candidate`, `Leader`, `Follower` or `Resigned`.
    pub state: &'static str,
    /// The node's epoch.
    pub epoch: i32,
    /// The epoch's leader, where it is known.
    pub leader: Option<i32>,
    /// Whom the node voted for in this epoch.
    pub voted: Option<i32>,
    /// The voters' ids.
    pub voters: Vec<i32>,
    /// What the node knows to be committed.
    pub high_watermark: i64,
    /// Its log's end.
    pub log_end_offset: i64,
}

/// A request under way.
#[derive(Clone, Copy, Debug)]
struct InFlight {
    tag: u64,
    /// Where a fetch was to begin.
    fetch_offset: i64,
    /// It was sent in another state: its answer counts no more (`RequestManager.resetAll`). A granted
    /// pre-vote must not count as a vote.
    stale: bool,
}

/// What is known of the connection to a voter.
#[derive(Clone, Copy, Debug, Default)]
struct Peer {
    in_flight: Option<InFlight>,
    retry_at: Time,
    /// Requests without an answer since the last answer.
    failures: u32,
}

/// See the module.
#[derive(Debug)]
pub struct Raft {
    config: RaftConfig,
    store: Store,
    log: MetadataLog,
    epoch: i32,
    state: State,
    /// The other voters.
    peers: BTreeMap<i32, Peer>,
    fetches: Vec<WaitingFetch>,
    last_tag: u64,
    random: Random,
    output: VecDeque<RaftOutput>,
    /// When a shutdown that began ends in any case.
    shutdown_deadline: Option<Time>,
    /// Voters that a shutting down node could not reach: where too many are gone, no successor is waited for.
    gone: BTreeSet<i32>,
}

impl Raft {
    /// Opens the log and takes up what this node was (`KafkaRaftClient.initialize`). A single voter leads at
    /// once.
    pub fn open(config: RaftConfig, random: Random, disk: &mut Disk, now: Time) -> Raft {
        let (log, lines) = MetadataLog::open(&config.log_dir, disk, now);
        let store = Store::new(&config.log_dir);
        let kept = store.read(disk).unwrap_or_default();
        let peers = config
            .voters
            .keys()
            .filter(|id| **id != config.node_id)
            .map(|id| (*id, Peer::default()))
            .collect();
        let mut raft = Raft {
            store,
            log,
            epoch: 0,
            state: State::Unattached {
                leader: None,
                voted: None,
                election_deadline: Time::NEVER,
            },
            peers,
            fetches: Vec::new(),
            last_tag: 0,
            random,
            output: lines.into_iter().map(RaftOutput::Log).collect(),
            shutdown_deadline: None,
            gone: BTreeSet::new(),
            config,
        };
        raft.initialize(kept, disk, now);
        raft.drive(disk, now);
        raft
    }

    fn initialize(&mut self, kept: ElectionState, disk: &mut Disk, now: Time) {
        let node_id = self.config.node_id;
        let log_epoch = self.log.end().epoch;
        let election_deadline = self.election_deadline(now);
        let unattached = |leader, voted| State::Unattached {
            leader,
            voted,
            election_deadline,
        };
        self.epoch = kept.epoch.max(log_epoch);
        self.state = if kept.epoch < log_epoch {
            unattached(None, None)
        } else if kept.leader == Some(node_id) && self.is_voter() {
            State::Resigned {
                unacknowledged: self.peers.keys().copied().collect(),
                successors: Vec::new(),
                election_deadline,
            }
        } else if kept.voted == Some(node_id) && kept.leader.is_none() && self.is_voter() {
            State::Candidate {
                votes: self.new_votes(),
                election_deadline,
            }
        } else {
            match kept.leader {
                Some(leader) if self.peers.contains_key(&leader) => State::Follower {
                    leader,
                    voted: kept.voted,
                    fetch_deadline: now.plus_millis(self.config.fetch_timeout_ms),
                    fetched: false,
                },
                leader => unattached(leader.filter(|leader| *leader != node_id), kept.voted),
            }
        };
        self.save(disk);
        self.log_transition();
        if self.is_voter() && self.peers.is_empty() {
            match &self.state {
                State::Candidate { .. } => self.nominee_forward(disk, now),
                _ => self.become_prospective(disk, now),
            }
        }
    }

    /// Takes a request of another node; `None` when the answer comes later, by `request`.
    pub fn request(
        &mut self,
        request: u64,
        version: i16,
        body: &RequestKind,
        disk: &mut Disk,
        now: Time,
    ) -> Option<ResponseKind> {
        match body {
            RequestKind::Vote(body) => Some(self.vote(body, disk, now).into()),
            RequestKind::BeginQuorumEpoch(body) => Some(self.begin_epoch(body, disk, now).into()),
            RequestKind::EndQuorumEpoch(body) => Some(self.end_epoch(body, disk, now).into()),
            RequestKind::Fetch(body) => self.fetch(request, body, disk, now),
            RequestKind::DescribeQuorum(body) => {
                Some(self.describe_quorum(body, version, now).into())
            }
            _ => None,
        }
    }

    /// Whether [`Raft::request`] answers this.
    pub fn serves(body: &RequestKind) -> bool {
        matches!(
            body,
            RequestKind::Vote(_)
                | RequestKind::BeginQuorumEpoch(_)
                | RequestKind::EndQuorumEpoch(_)
                | RequestKind::Fetch(_)
                | RequestKind::DescribeQuorum(_)
        )
    }

    /// Takes the answer to a [`RaftOutput::Send`].
    pub fn response(
        &mut self,
        from: i32,
        tag: u64,
        response: ResponseKind,
        disk: &mut Disk,
        now: Time,
    ) {
        let Some(peer) = self.peers.get_mut(&from) else {
            return;
        };
        let Some(in_flight) = peer.in_flight.take_if(|in_flight| in_flight.tag == tag) else {
            return;
        };
        peer.failures = 0;
        if in_flight.stale {
            return;
        }
        let helped = match response {
            ResponseKind::Vote(response) => self.vote_answered(from, &response, disk, now),
            ResponseKind::BeginQuorumEpoch(response) => {
                self.begin_epoch_answered(&response, disk, now)
            }
            ResponseKind::EndQuorumEpoch(response) => {
                self.end_epoch_answered(from, &response, disk, now)
            }
            ResponseKind::Fetch(response) => {
                self.fetch_answered(from, in_flight.fetch_offset, response, disk, now)
            }
            _ => false,
        };
        if !helped {
            self.back_off(from, UNHELPFUL_BACKOFF_MS, now);
        }
    }

    /// A [`RaftOutput::Send`] got no answer: the connection broke, or its time is over.
    pub fn failed(&mut self, to: i32, tag: u64, now: Time) {
        if let Some(peer) = self.peers.get_mut(&to)
            && peer
                .in_flight
                .take_if(|in_flight| in_flight.tag == tag)
                .is_some()
        {
            let failures = peer.failures.min(10);
            peer.failures = peer.failures.saturating_add(1);
            let backoff_ms =
                (self.config.retry_backoff_ms << failures).min(RECONNECT_BACKOFF_MS_MAX);
            self.back_off(to, backoff_ms, now);
            if self.shutdown_deadline.is_some() {
                self.gone.insert(to);
            }
        }
    }

    fn back_off(&mut self, id: i32, millis: i64, now: Time) {
        if let Some(peer) = self.peers.get_mut(&id) {
            peer.retry_at = peer.retry_at.max(now.plus_millis(millis));
        }
    }

    /// Forgets a request that waits for its answer: its connection is gone.
    pub fn forget_request(&mut self, request: u64) {
        self.fetches.retain(|fetch| fetch.request != request);
    }

    /// Appends records as the leader of `epoch`, flushed. The offset after the last one: they are committed
    /// when the high watermark reaches it. `None` where this node does not lead that epoch.
    pub fn append(
        &mut self,
        records: &[MetadataRecord],
        epoch: i32,
        disk: &mut Disk,
        now: Time,
    ) -> Option<i64> {
        if self.epoch != epoch || !matches!(self.state, State::Leader(_)) {
            return None;
        }
        self.log.append(records, epoch, disk, now);
        self.leader_appended(disk, now);
        Some(self.log.end().offset)
    }

    /// Begins the shutdown: a leader resigns, and stays until another is elected.
    pub fn shut_down(&mut self, disk: &mut Disk, now: Time) {
        if self.shutdown_deadline.is_none() {
            self.shutdown_deadline = Some(now.plus_millis(RESIGNATION_MS_MAX));
        }
        self.drive(disk, now);
    }

    /// Whether a shutdown is over (`KafkaRaftClient.pollShutdown`).
    pub fn is_shut_down(&self, now: Time) -> bool {
        let Some(deadline) = self.shutdown_deadline else {
            return false;
        };
        let alive = self.config.voters.len() - self.gone.len();
        deadline <= now
            || !self.is_voter()
            || matches!(self.state, State::Follower { .. })
            || alive <= self.config.voters.len() / 2
            || self.peers.is_empty()
    }

    /// Does what is due: elections, requests to other voters, answers to waiting fetches.
    pub fn drive(&mut self, disk: &mut Disk, now: Time) {
        for _ in 0..TRANSITIONS_PER_INPUT_MAX {
            if !self.poll_state(disk, now) {
                break;
            }
        }
        self.answer_due_fetches(disk, now);
    }

    /// When [`Raft::drive`] has something to do without an input.
    pub fn next_deadline(&self) -> Time {
        let mut deadline = match self.shutdown_deadline {
            Some(shutdown) => shutdown,
            None if self.is_voter() => self.state.deadline(),
            // Without a vote there is nothing to run for.
            None => Time::NEVER,
        };
        if !self.output.is_empty() {
            return Time::default();
        }
        for fetch in &self.fetches {
            deadline = deadline.min(fetch.deadline);
        }
        match &self.state {
            State::Leader(leader) => deadline
                .min(leader.begin_deadline)
                .min(leader.check_quorum_deadline),
            _ => deadline.min(self.next_send()),
        }
    }

    /// The next thing to do for the quorum, if any.
    pub fn poll_output(&mut self) -> Option<RaftOutput> {
        self.output.pop_front()
    }

    /// The log.
    pub fn log(&self) -> &MetadataLog {
        &self.log
    }

    /// The log, to take committed records from.
    pub fn log_mut(&mut self) -> &mut MetadataLog {
        &mut self.log
    }

    /// The leader that brokers send their requests to, if one is known.
    pub fn leader(&self) -> Option<i32> {
        match self.state {
            State::Resigned { .. } => None,
            _ => self.state.leader(self.config.node_id),
        }
    }

    /// A voter's address.
    pub fn address(&self, id: i32) -> Option<&(String, u16)> {
        self.config.voters.get(&id)
    }

    /// The epoch in which this node may act as the active controller: it leads, and all that stands before
    /// its epoch is committed.
    pub fn active_epoch(&self) -> Option<i32> {
        match &self.state {
            State::Leader(leader) if leader.high_watermark.is_some() => Some(self.epoch),
            _ => None,
        }
    }

    /// Whether this node has a vote.
    pub fn is_voter(&self) -> bool {
        self.config.voters.contains_key(&self.config.node_id)
    }

    /// What this node knows of the quorum.
    pub fn view(&self) -> QuorumView {
        let node_id = self.config.node_id;
        QuorumView {
            state: self.state.name(),
            epoch: self.epoch,
            leader: self.state.leader(node_id),
            voted: self.state.voted(node_id),
            voters: self.config.voters.keys().copied().collect(),
            high_watermark: self.log.log.high_watermark(),
            log_end_offset: self.log.log.log_end_offset(),
        }
    }

    fn election_deadline(&mut self, now: Time) -> Time {
        if !self.is_voter() {
            return Time::NEVER;
        }
        let timeout = self.config.election_timeout_ms;
        let jitter = self.random.below(timeout.unsigned_abs());
        now.plus_millis(timeout.saturating_add(i64::try_from(jitter).unwrap_or_default()))
    }

    fn new_votes(&self) -> Votes {
        Votes::new(self.config.voters.keys().copied(), self.config.node_id)
    }

    fn new_leader_state(&self, epoch_start: i64, now: Time) -> LeaderState {
        LeaderState::new(
            self.peers.keys().copied(),
            epoch_start,
            self.config.fetch_timeout_ms.saturating_mul(3) / 2,
            now,
        )
    }

    /// Sends a request to a voter, unless one is under way or it is too early. Whether it went out.
    fn send(
        &mut self,
        to: i32,
        fetch_offset: i64,
        now: Time,
        body: impl FnOnce(&Raft) -> (ApiKey, i16, RequestKind),
    ) -> bool {
        let ready = |peer: &Peer| peer.in_flight.is_none() && peer.retry_at <= now;
        if !self.peers.get(&to).is_some_and(ready) {
            return false;
        }
        let (api_key, version, body) = body(self);
        self.last_tag += 1;
        let tag = self.last_tag;
        if let Some(peer) = self.peers.get_mut(&to) {
            peer.in_flight = Some(InFlight {
                tag,
                fetch_offset,
                stale: false,
            });
        }
        self.output.push_back(RaftOutput::Send {
            to,
            api_key,
            version,
            body: Box::new(body),
            tag,
        });
        true
    }

    fn report(&mut self, level: LogLevel, logger: &'static str, text: String) {
        self.output.push_back(RaftOutput::Log(LogLine {
            level,
            logger,
            message: format!("[RaftManager id={}] {text}", self.config.node_id),
        }));
    }
}
