//! Elections: the transitions, votes, and the requests that begin and end a leader's epoch.

use playground_log::Disk;
use playground_protocol::messages::{
    ApiKey, BeginQuorumEpochRequest, BeginQuorumEpochResponse, EndQuorumEpochRequest,
    EndQuorumEpochResponse, VoteRequest, VoteResponse,
};
use playground_protocol::{ErrorCode, LogLevel, Time};
use uuid::Uuid;

use super::messages::{EPOCH_VERSION, Header, VOTE_VERSION, is_metadata, known};
use super::state::State;
use super::store::ElectionState;
use super::{OffsetAndEpoch, QUORUM_STATE_LOGGER, RAFT_CLIENT_LOGGER, Raft};

/// No epoch above this is believed: the elections of a real quorum never come near, and those after a false
/// one would have no numbers left.
const EPOCH_MAX: i32 = i32::MAX - 1_000_000;

impl Raft {
    /// One step of [`Raft::drive`]; whether the state changed.
    pub(super) fn poll_state(&mut self, disk: &mut Disk, now: Time) -> bool {
        let stopping = self.shutdown_deadline.is_some();
        let over = !stopping && self.state.deadline() <= now;
        let voter = self.is_voter();
        match &mut self.state {
            State::Leader(leader) => {
                if stopping || leader.check_quorum_deadline <= now {
                    let successors = leader.successors();
                    if !stopping {
                        let text = "Did not receive fetch request from the majority of the voters within the check quorum timeout: resigning".to_owned();
                        self.report(LogLevel::Info, RAFT_CLIENT_LOGGER, text);
                    }
                    self.resign(successors, disk, now);
                    return true;
                }
                self.send_begin_epoch(now);
                false
            }
            State::Resigned { .. } if over => {
                self.become_unattached(self.epoch.saturating_add(1), None, disk, now);
                true
            }
            State::Resigned {
                unacknowledged,
                successors,
                ..
            } => {
                let (targets, successors) = (unacknowledged.clone(), successors.clone());
                for voter in targets {
                    self.send(voter, 0, now, |raft| {
                        let body = raft.end_epoch_request(&successors);
                        (ApiKey::EndQuorumEpoch, EPOCH_VERSION, body.into())
                    });
                }
                false
            }
            State::Candidate { .. } if over => {
                self.become_prospective(disk, now);
                true
            }
            State::Prospective { .. } if over => {
                self.election_lost(disk, now);
                true
            }
            State::Candidate { votes, .. } => {
                if !votes.lost() {
                    let voters = votes.unrecorded();
                    self.send_votes(&voters, false, now);
                }
                false
            }
            State::Prospective { votes, .. } => {
                if !votes.lost() {
                    let voters = votes.unrecorded();
                    self.send_votes(&voters, true, now);
                }
                false
            }
            State::Unattached { .. } | State::Follower { .. } if over && voter => {
                self.become_prospective(disk, now);
                true
            }
            State::Unattached { .. } | State::Follower { .. } => {
                if !stopping {
                    self.send_fetch(now);
                }
                false
            }
        }
    }

    fn send_votes(&mut self, voters: &[i32], pre_vote: bool, now: Time) {
        for voter in voters {
            self.send(*voter, 0, now, |raft| {
                let body = raft.vote_request(*voter, pre_vote);
                (ApiKey::Vote, VOTE_VERSION, body.into())
            });
        }
    }

    fn send_begin_epoch(&mut self, now: Time) {
        let interval_ms = self.config.fetch_timeout_ms / 2;
        let State::Leader(leader) = &mut self.state else {
            return;
        };
        if leader.begin_deadline > now {
            return;
        }
        leader.begin_deadline = now.plus_millis(interval_ms);
        let silent: Vec<i32> = leader
            .voters
            .iter()
            .filter(|(_, voter)| {
                voter
                    .last_fetch
                    .is_none_or(|at| at.plus_millis(interval_ms) <= now)
            })
            .map(|(id, _)| *id)
            .collect();
        for voter in silent {
            self.send(voter, 0, now, |raft| {
                let body = raft.begin_epoch_request(voter);
                (ApiKey::BeginQuorumEpoch, EPOCH_VERSION, body.into())
            });
        }
    }

    /// When a request goes out that must wait now; [`Time::NEVER`] where an answer comes first.
    pub(super) fn next_send(&self) -> Time {
        let of = |voters: &mut dyn Iterator<Item = i32>| {
            voters
                .filter_map(|id| self.peers.get(&id))
                .filter(|peer| peer.in_flight.is_none())
                .map(|peer| peer.retry_at)
                .min()
                .unwrap_or(Time::NEVER)
        };
        match &self.state {
            State::Leader(_) => Time::NEVER,
            State::Resigned { unacknowledged, .. } => of(&mut unacknowledged.iter().copied()),
            State::Candidate { votes, .. } | State::Prospective { votes, .. } => {
                if votes.lost() {
                    Time::NEVER
                } else {
                    of(&mut votes.unrecorded().into_iter())
                }
            }
            State::Unattached { .. } | State::Follower { .. } => {
                let stopping = self.shutdown_deadline.is_some();
                if stopping || self.is_asking() {
                    Time::NEVER
                } else {
                    of(&mut self.peers.keys().copied())
                }
            }
        }
    }

    // The transitions.

    /// Keeps what must survive, and says what happened. Every transition but those in memory passes here
    /// (`durableTransitionTo`).
    fn transition(&mut self, epoch: i32, state: State, durable: bool, disk: &mut Disk) {
        let legal = if epoch == self.epoch {
            let before = self.state.leader(self.config.node_id);
            let after = state.leader(self.config.node_id);
            self.state.may_become(&state) && (before.is_none() || before == after)
        } else {
            epoch > self.epoch && self.state.may_become_in_a_higher_epoch(&state)
        };
        assert!(
            legal,
            "{} of epoch {} becomes {} of epoch {epoch}",
            self.state.name(),
            self.epoch,
            state.name()
        );
        let led = matches!(self.state, State::Leader(_));
        self.epoch = epoch;
        self.state = state;
        if durable {
            self.save(disk);
        }
        self.log_transition();
        if led {
            self.refuse_fetches();
        }
        // Whom this state asks, it asks at once (`RequestManager.resetAll`).
        for peer in self.peers.values_mut() {
            peer.retry_at = Time::default();
            if let Some(in_flight) = &mut peer.in_flight {
                in_flight.stale = true;
            }
        }
    }

    pub(super) fn save(&mut self, disk: &mut Disk) {
        let node_id = self.config.node_id;
        let state = ElectionState {
            epoch: self.epoch,
            leader: self.state.leader(node_id),
            voted: self.state.voted(node_id),
        };
        self.store
            .write(&state, self.config.voters.keys().copied(), disk);
    }

    pub(super) fn log_transition(&mut self) {
        let leader = self.state.leader(self.config.node_id);
        let leader = leader.map_or("none".to_owned(), |leader| leader.to_string());
        let text = format!(
            "Completed transition to {} in epoch {}, leader {leader}",
            self.state.name(),
            self.epoch
        );
        self.report(LogLevel::Info, QUORUM_STATE_LOGGER, text);
    }

    pub(super) fn become_unattached(
        &mut self,
        epoch: i32,
        leader: Option<i32>,
        disk: &mut Disk,
        now: Time,
    ) {
        // Who was about to run for an election does not wait longer for it.
        let election_deadline = match &self.state {
            _ if !self.is_voter() => Time::NEVER,
            State::Leader(_) => self.election_deadline(now),
            State::Prospective { .. } if epoch == self.epoch => self.election_deadline(now),
            State::Resigned { .. } if self.state.deadline() <= now => self.election_deadline(now),
            state => state.deadline(),
        };
        let voted = if epoch == self.epoch {
            self.state.voted(self.config.node_id)
        } else {
            None
        };
        let state = State::Unattached {
            leader,
            voted,
            election_deadline,
        };
        self.transition(epoch, state, true, disk);
    }

    fn become_follower(&mut self, epoch: i32, leader: i32, disk: &mut Disk, now: Time) {
        let voted = if epoch == self.epoch {
            self.state.voted(self.config.node_id)
        } else {
            None
        };
        let state = State::Follower {
            leader,
            voted,
            fetch_deadline: now.plus_millis(self.config.fetch_timeout_ms),
            fetched: false,
        };
        self.transition(epoch, state, true, disk);
    }

    pub(super) fn become_prospective(&mut self, disk: &mut Disk, now: Time) {
        let node_id = self.config.node_id;
        // A candidate's own vote stays its vote.
        let state = State::Prospective {
            leader: self.state.leader(node_id),
            voted: self.state.voted(node_id),
            votes: self.new_votes(),
            election_deadline: self.election_deadline(now),
        };
        self.transition(self.epoch, state, false, disk);
        self.nominee_forward(disk, now);
    }

    /// An election that is won goes on: to the candidacy, or to the leadership.
    pub(super) fn nominee_forward(&mut self, disk: &mut Disk, now: Time) {
        match &self.state {
            State::Prospective { votes, .. } if votes.won() => {
                let state = State::Candidate {
                    votes: self.new_votes(),
                    election_deadline: self.election_deadline(now),
                };
                self.transition(self.epoch.saturating_add(1), state, true, disk);
                self.nominee_forward(disk, now);
            }
            State::Candidate { votes, .. } if votes.won() => {
                let granting = votes.granting();
                let leader = self.new_leader_state(self.log.end().offset, now);
                self.transition(self.epoch, State::Leader(Box::new(leader)), true, disk);
                let voters: Vec<i32> = self.config.voters.keys().copied().collect();
                let (epoch, node_id) = (self.epoch, self.config.node_id);
                self.log
                    .append_leader_change(epoch, node_id, &voters, &granting, disk, now);
                self.leader_appended(disk, now);
            }
            _ => {}
        }
    }

    fn election_lost(&mut self, disk: &mut Disk, now: Time) {
        match self.state.leader(self.config.node_id) {
            Some(leader) if self.peers.contains_key(&leader) => {
                self.become_follower(self.epoch, leader, disk, now);
            }
            leader => self.become_unattached(self.epoch, leader, disk, now),
        }
    }

    fn resign(&mut self, successors: Vec<i32>, disk: &mut Disk, now: Time) {
        let state = State::Resigned {
            unacknowledged: self.peers.keys().copied().collect(),
            successors,
            election_deadline: self.election_deadline(now),
        };
        self.transition(self.epoch, state, false, disk);
    }

    /// Follows what a request or a response says of the leader (`maybeTransition`). `false` when it cannot be
    /// true: another leader of this epoch is known.
    fn learn(&mut self, leader: Option<i32>, epoch: i32, disk: &mut Disk, now: Time) -> bool {
        let node_id = self.config.node_id;
        // Only voters lead, and nobody knows better than this node when it leads.
        let leader = leader.filter(|leader| self.config.voters.contains_key(leader));
        let ours = self.state.leader(node_id);
        if epoch == self.epoch
            && let (Some(ours), Some(theirs)) = (ours, leader)
            && ours != theirs
        {
            return false;
        }
        match leader.filter(|leader| *leader != node_id) {
            Some(leader) if epoch > self.epoch => self.become_follower(epoch, leader, disk, now),
            None if epoch > self.epoch => self.become_unattached(epoch, None, disk, now),
            Some(leader) if epoch == self.epoch => {
                let known = match &self.state {
                    // It may be known, and not followed: its address was not.
                    State::Unattached { .. } => false,
                    _ => ours.is_some(),
                };
                if !known {
                    self.become_follower(epoch, leader, disk, now);
                }
            }
            _ => {}
        }
        true
    }

    /// What is common in all responses (`maybeHandleCommonResponse`): `None` when the rest must be looked at.
    pub(super) fn common_response(
        &mut self,
        header: Header,
        disk: &mut Disk,
        now: Time,
    ) -> Option<bool> {
        let Header {
            error,
            leader,
            epoch,
        } = header;
        if epoch < self.epoch || error == ErrorCode::UNKNOWN_LEADER_EPOCH {
            return Some(false);
        }
        if epoch > EPOCH_MAX {
            return Some(false);
        }
        let before = (self.epoch, self.state.leader(self.config.node_id));
        if epoch > self.epoch
            || error == ErrorCode::FENCED_LEADER_EPOCH
            || error == ErrorCode::NOT_LEADER_OR_FOLLOWER
        {
            let consistent = self.learn(leader, epoch, disk, now);
            let after = (self.epoch, self.state.leader(self.config.node_id));
            return Some(consistent && before != after);
        }
        if leader.is_some()
            && (before.1.is_none() || matches!(self.state, State::Unattached { .. }))
        {
            self.learn(leader, epoch, disk, now);
        }
        (error != ErrorCode::NONE).then_some(false)
    }

    // The requests of others.

    pub(super) fn vote(
        &mut self,
        request: &VoteRequest,
        disk: &mut Disk,
        now: Time,
    ) -> VoteResponse {
        if !self.is_own_cluster(request.cluster_id.as_ref()) {
            return VoteResponse::default().with_error_code(ErrorCode::INCONSISTENT_CLUSTER_ID.0);
        }
        let partition = request
            .topics
            .first()
            .filter(|topic| is_metadata(&topic.topic_name))
            .and_then(|topic| topic.partitions.first());
        let Some(partition) = partition else {
            return VoteResponse::default().with_error_code(ErrorCode::INVALID_REQUEST.0);
        };
        let end = OffsetAndEpoch {
            epoch: partition.last_offset_epoch,
            offset: partition.last_offset,
        };
        let (candidate, epoch) = (partition.replica_id.0, partition.replica_epoch);
        let impossible = if partition.pre_vote {
            end.epoch > epoch
        } else {
            end.epoch >= epoch
        };
        if end.offset < 0 || end.epoch < 0 || impossible {
            return self.vote_response(ErrorCode::INVALID_REQUEST, false);
        }
        if let Some(error) = self.refuse_voter(candidate, epoch) {
            return self.vote_response(error, false);
        }
        if epoch > self.epoch {
            self.become_unattached(epoch, None, disk, now);
        }
        if !self.is_voter_key(request.voter_id.0, partition.voter_directory_id) {
            return self.vote_response(ErrorCode::INVALID_VOTER_KEY, false);
        }
        let granted =
            self.state
                .can_grant_vote(candidate, end >= self.log.end(), partition.pre_vote);
        if granted && !partition.pre_vote {
            self.give_vote(candidate, disk, now);
        }
        let text = format!(
            "Vote request of {candidate} with epoch {epoch} (preVote={}) is {}",
            partition.pre_vote,
            if granted { "granted" } else { "rejected" }
        );
        self.report(LogLevel::Info, RAFT_CLIENT_LOGGER, text);
        self.vote_response(ErrorCode::NONE, granted)
    }

    /// Keeps a vote, before its answer leaves; an election is on, so ours waits anew.
    fn give_vote(&mut self, candidate: i32, disk: &mut Disk, now: Time) {
        let deadline = self.election_deadline(now);
        let state = match &self.state {
            State::Unattached {
                leader,
                voted: None,
                ..
            } => State::Unattached {
                leader: *leader,
                voted: Some(candidate),
                election_deadline: deadline,
            },
            State::Prospective {
                leader,
                voted: None,
                votes,
                ..
            } => State::Prospective {
                leader: *leader,
                voted: Some(candidate),
                votes: votes.clone(),
                election_deadline: deadline,
            },
            _ => return,
        };
        self.transition(self.epoch, state, true, disk);
    }

    /// Why a request that only voters send is refused (`validateVoterOnlyRequest`).
    fn refuse_voter(&self, id: i32, epoch: i32) -> Option<ErrorCode> {
        if epoch < self.epoch {
            Some(ErrorCode::FENCED_LEADER_EPOCH)
        } else if id < 0 || epoch > EPOCH_MAX {
            Some(ErrorCode::INVALID_REQUEST)
        } else {
            None
        }
    }

    /// Whether a request means this node; it need not say whom it means.
    fn is_voter_key(&self, id: i32, directory: Uuid) -> bool {
        id < 0
            || (id == self.config.node_id
                && (directory.is_nil() || directory == self.config.directory_id))
    }

    pub(super) fn begin_epoch(
        &mut self,
        request: &BeginQuorumEpochRequest,
        disk: &mut Disk,
        now: Time,
    ) -> BeginQuorumEpochResponse {
        if !self.is_own_cluster(request.cluster_id.as_ref()) {
            return BeginQuorumEpochResponse::default()
                .with_error_code(ErrorCode::INCONSISTENT_CLUSTER_ID.0);
        }
        let partition = request
            .topics
            .first()
            .filter(|topic| is_metadata(&topic.topic_name))
            .and_then(|topic| topic.partitions.first());
        let Some(partition) = partition else {
            return BeginQuorumEpochResponse::default()
                .with_error_code(ErrorCode::INVALID_REQUEST.0);
        };
        let (leader, epoch) = (partition.leader_id.0, partition.leader_epoch);
        if let Some(error) = self.refuse_voter(leader, epoch) {
            return self.begin_epoch_response(error);
        }
        if !self.learn(Some(leader), epoch, disk, now) {
            return self.begin_epoch_response(ErrorCode::INVALID_REQUEST);
        }
        if !self.is_voter_key(request.voter_id.0, partition.voter_directory_id) {
            return self.begin_epoch_response(ErrorCode::INVALID_VOTER_KEY);
        }
        self.begin_epoch_response(ErrorCode::NONE)
    }

    pub(super) fn end_epoch(
        &mut self,
        request: &EndQuorumEpochRequest,
        disk: &mut Disk,
        now: Time,
    ) -> EndQuorumEpochResponse {
        if !self.is_own_cluster(request.cluster_id.as_ref()) {
            return EndQuorumEpochResponse::default()
                .with_error_code(ErrorCode::INCONSISTENT_CLUSTER_ID.0);
        }
        let partition = request
            .topics
            .first()
            .filter(|topic| is_metadata(&topic.topic_name))
            .and_then(|topic| topic.partitions.first());
        let Some(partition) = partition else {
            return EndQuorumEpochResponse::default().with_error_code(ErrorCode::INVALID_REQUEST.0);
        };
        let (id, epoch) = (partition.leader_id.0, partition.leader_epoch);
        if let Some(error) = self.refuse_voter(id, epoch) {
            return self.end_epoch_response(error);
        }
        if !self.learn(Some(id), epoch, disk, now) {
            return self.end_epoch_response(ErrorCode::INVALID_REQUEST);
        }
        // Version 0 has ids alone.
        let candidates: Vec<i32> = if partition.preferred_candidates.is_empty() {
            partition.preferred_successors.clone()
        } else {
            let candidates = partition.preferred_candidates.iter();
            candidates
                .map(|candidate| candidate.candidate_id.0)
                .collect()
        };
        let wait_ms = self.successor_backoff_ms(&candidates);
        if let State::Follower {
            leader,
            fetch_deadline,
            ..
        } = &mut self.state
            && *leader == id
        {
            *fetch_deadline = now.plus_millis(wait_ms);
        }
        self.end_epoch_response(ErrorCode::NONE)
    }

    /// How long a successor waits before it runs: the first not at all, each later one twice as long
    /// (`strictExponentialElectionBackoffMs`).
    fn successor_backoff_ms(&self, candidates: &[i32]) -> i64 {
        let max = self.config.election_backoff_max_ms;
        let position = candidates
            .iter()
            .position(|candidate| *candidate == self.config.node_id);
        match position {
            Some(0) => 0,
            None => max,
            Some(position) => {
                let base = max >> (candidates.len() - 1).min(62);
                max.min(base << (position - 1).min(32))
            }
        }
    }

    // The answers of others.

    pub(super) fn vote_answered(
        &mut self,
        from: i32,
        response: &VoteResponse,
        disk: &mut Disk,
        now: Time,
    ) -> bool {
        let partition = response
            .topics
            .first()
            .and_then(|topic| topic.partitions.first());
        let Some(partition) = partition.filter(|_| response.error_code == 0) else {
            return false;
        };
        let header = Header {
            error: ErrorCode(partition.error_code),
            leader: known(partition.leader_id.0),
            epoch: partition.leader_epoch,
        };
        if let Some(handled) = self.common_response(header, disk, now) {
            return handled;
        }
        if let State::Prospective { votes, .. } | State::Candidate { votes, .. } = &mut self.state {
            votes.record(from, partition.vote_granted);
            let lost = votes.lost();
            self.nominee_forward(disk, now);
            // A candidate waits for its timeout; who only asked goes back at once.
            if lost && matches!(self.state, State::Prospective { .. }) {
                self.election_lost(disk, now);
            }
        }
        true
    }

    pub(super) fn begin_epoch_answered(
        &mut self,
        response: &BeginQuorumEpochResponse,
        disk: &mut Disk,
        now: Time,
    ) -> bool {
        let partition = response
            .topics
            .first()
            .and_then(|topic| topic.partitions.first());
        let Some(partition) = partition.filter(|_| response.error_code == 0) else {
            return false;
        };
        let header = Header {
            error: ErrorCode(partition.error_code),
            leader: known(partition.leader_id.0),
            epoch: partition.leader_epoch,
        };
        self.common_response(header, disk, now).unwrap_or(true)
    }

    pub(super) fn end_epoch_answered(
        &mut self,
        from: i32,
        response: &EndQuorumEpochResponse,
        disk: &mut Disk,
        now: Time,
    ) -> bool {
        let partition = response
            .topics
            .first()
            .and_then(|topic| topic.partitions.first());
        let Some(partition) = partition.filter(|_| response.error_code == 0) else {
            return false;
        };
        let header = Header {
            error: ErrorCode(partition.error_code),
            leader: known(partition.leader_id.0),
            epoch: partition.leader_epoch,
        };
        if let Some(handled) = self.common_response(header, disk, now) {
            return handled;
        }
        if let State::Resigned { unacknowledged, .. } = &mut self.state {
            unacknowledged.remove(&from);
        }
        true
    }
}
