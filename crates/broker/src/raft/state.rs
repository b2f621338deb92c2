//! What a node is in its epoch (`QuorumState` and its states), and which transitions are legal.

use std::collections::{BTreeMap, BTreeSet};

use playground_protocol::Time;
use uuid::Uuid;

/// Legal transitions (KIP-595, KIP-996); a higher epoch leads from anywhere to Unattached or Follower:
///
/// - Unattached → Unattached (a vote is given), Prospective (election timeout), Follower (a leader is found)
/// - Prospective → Prospective (a vote is given), Candidate (a majority would vote for it, the epoch rises),
///   Follower, Unattached (it would not win)
/// - Candidate → Leader (a majority voted), Prospective (election timeout), Follower
/// - Leader → Resigned (shutdown, or no majority fetches)
/// - Follower → Prospective (fetch timeout)
/// - Resigned → Unattached in the next epoch, Prospective (the only voter starts again)
///
/// The epoch never falls, and within one the leader never changes once it is known.
#[derive(Clone, Debug)]
pub(super) enum State {
    /// It knows no leader that it could fetch from.
    Unattached {
        leader: Option<i32>,
        voted: Option<i32>,
        election_deadline: Time,
    },
    /// It asks whether it would win an election, without a new epoch.
    Prospective {
        leader: Option<i32>,
        voted: Option<i32>,
        votes: Votes,
        election_deadline: Time,
    },
    /// It asks for votes in a new epoch.
    Candidate {
        votes: Votes,
        election_deadline: Time,
    },
    /// It appends.
    Leader(Box<LeaderState>),
    /// It fetches from the leader.
    Follower {
        leader: i32,
        voted: Option<i32>,
        fetch_deadline: Time,
        /// A fetch of this epoch succeeded: a pre-vote gets no support.
        fetched: bool,
    },
    /// It was the leader, and tells the others to elect another.
    Resigned {
        unacknowledged: BTreeSet<i32>,
        successors: Vec<i32>,
        election_deadline: Time,
    },
}

impl State {
    /// The leader of the epoch, if it is known; a resigned one still counts as it.
    pub fn leader(&self, node_id: i32) -> Option<i32> {
        match self {
            State::Unattached { leader, .. } | State::Prospective { leader, .. } => *leader,
            State::Candidate { .. } => None,
            State::Leader(_) | State::Resigned { .. } => Some(node_id),
            State::Follower { leader, .. } => Some(*leader),
        }
    }

    /// Whom this node voted for in the epoch.
    pub fn voted(&self, node_id: i32) -> Option<i32> {
        match self {
            State::Unattached { voted, .. }
            | State::Prospective { voted, .. }
            | State::Follower { voted, .. } => *voted,
            State::Candidate { .. } => Some(node_id),
            State::Leader(_) | State::Resigned { .. } => None,
        }
    }

    /// When the state ends by itself; [`Time::NEVER`] for a leader.
    pub fn deadline(&self) -> Time {
        match self {
            State::Unattached {
                election_deadline, ..
            }
            | State::Prospective {
                election_deadline, ..
            }
            | State::Candidate {
                election_deadline, ..
            }
            | State::Resigned {
                election_deadline, ..
            } => *election_deadline,
            State::Follower { fetch_deadline, .. } => *fetch_deadline,
            State::Leader(_) => Time::NEVER,
        }
    }

    pub fn name(&self) -> &'static str {
        match self {
            State::Unattached { .. } => "Unattached",
            State::Prospective { .. } => "Prospective",
            State::Candidate { .. } => "Candidate",
            State::Leader(_) => "Leader",
            State::Follower { .. } => "Follower",
            State::Resigned { .. } => "Resigned",
        }
    }

    /// Whether `next` may follow in the same epoch.
    pub fn may_become(&self, next: &State) -> bool {
        use State::*;
        matches!(
            (self, next),
            (
                Unattached { .. },
                Unattached { .. } | Prospective { .. } | Follower { .. }
            ) | (
                Prospective { .. },
                Prospective { .. } | Unattached { .. } | Follower { .. }
            ) | (
                Candidate { .. },
                Leader(_) | Prospective { .. } | Follower { .. }
            ) | (Leader(_), Resigned { .. })
                | (Follower { .. } | Resigned { .. }, Prospective { .. })
        )
    }

    /// Whether `next` may begin a higher epoch.
    pub fn may_become_in_a_higher_epoch(&self, next: &State) -> bool {
        match next {
            State::Unattached { .. } | State::Follower { .. } => true,
            State::Candidate { .. } => matches!(self, State::Prospective { .. }),
            _ => false,
        }
    }

    /// Whether a vote request gets this node's vote (`EpochState.canGrantVote`). `up_to_date`: the asking
    /// node's log holds all that ours does.
    pub fn can_grant_vote(&self, candidate: i32, up_to_date: bool, pre_vote: bool) -> bool {
        match self {
            State::Unattached { leader, voted, .. } | State::Prospective { leader, voted, .. } => {
                if pre_vote {
                    up_to_date
                } else if let Some(voted) = voted {
                    *voted == candidate
                } else {
                    leader.is_none() && up_to_date
                }
            }
            State::Candidate { .. } | State::Resigned { .. } => pre_vote && up_to_date,
            State::Follower { fetched, .. } => pre_vote && up_to_date && !fetched,
            State::Leader(_) => false,
        }
    }
}

/// The votes of an election (`EpochElection`).
#[derive(Clone, Debug, Default)]
pub(super) struct Votes {
    votes: BTreeMap<i32, Option<bool>>,
}

impl Votes {
    /// An election among `voters`, in which `node_id` votes for itself.
    pub fn new(voters: impl Iterator<Item = i32>, node_id: i32) -> Votes {
        Votes {
            votes: voters
                .map(|id| (id, (id == node_id).then_some(true)))
                .collect(),
        }
    }

    pub fn record(&mut self, voter: i32, granted: bool) {
        if let Some(vote) = self.votes.get_mut(&voter) {
            *vote = Some(granted);
        }
    }

    fn count(&self, wanted: Option<bool>) -> usize {
        self.votes.values().filter(|vote| **vote == wanted).count()
    }

    fn majority(&self) -> usize {
        self.votes.len() / 2 + 1
    }

    /// A majority voted for this node.
    pub fn won(&self) -> bool {
        self.count(Some(true)) >= self.majority()
    }

    /// No majority can vote for it any more.
    pub fn lost(&self) -> bool {
        self.count(Some(true)) + self.count(None) < self.majority()
    }

    pub fn unrecorded(&self) -> Vec<i32> {
        let open = self.votes.iter().filter(|(_, vote)| vote.is_none());
        open.map(|(id, _)| *id).collect()
    }

    pub fn granting(&self) -> Vec<i32> {
        let granting = self.votes.iter().filter(|(_, vote)| **vote == Some(true));
        granting.map(|(id, _)| *id).collect()
    }
}

/// What a leader knows of a replica, from its fetches (`LeaderState.ReplicaState`).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ReplicaState {
    /// The offset it fetched at last: it has all before.
    pub end_offset: Option<i64>,
    /// When it fetched last.
    pub last_fetch: Option<Time>,
    /// When it had all last.
    pub last_caught_up: Option<Time>,
    pub leader_end_at_last_fetch: i64,
}

/// A leader's view of its epoch.
#[derive(Clone, Debug)]
pub(super) struct LeaderState {
    /// Where its LeaderChange record stands.
    pub epoch_start: i64,
    /// Unknown until a majority has the epoch's first record.
    pub high_watermark: Option<i64>,
    /// The other voters.
    pub voters: BTreeMap<i32, ReplicaState>,
    /// Replicas that have no vote, by id and directory.
    pub observers: BTreeMap<(i32, Uuid), ReplicaState>,
    /// Its own end of the log.
    pub end_offset: i64,
    pub check_quorum_ms: i64,
    /// When it resigns unless a majority fetched.
    pub check_quorum_deadline: Time,
    /// Voters that fetched since the deadline was set.
    fetched: BTreeSet<i32>,
    /// When BeginQuorumEpoch goes out again to those that do not fetch.
    pub begin_deadline: Time,
}

impl LeaderState {
    /// The leader among `voters` others, whose log ends at `epoch_start`.
    pub fn new(
        voters: impl Iterator<Item = i32>,
        epoch_start: i64,
        check_quorum_ms: i64,
        now: Time,
    ) -> LeaderState {
        let voters: BTreeMap<i32, ReplicaState> =
            voters.map(|id| (id, ReplicaState::default())).collect();
        LeaderState {
            epoch_start,
            high_watermark: None,
            observers: BTreeMap::new(),
            end_offset: epoch_start,
            check_quorum_ms,
            check_quorum_deadline: if voters.is_empty() {
                Time::NEVER
            } else {
                now.plus_millis(check_quorum_ms)
            },
            voters,
            fetched: BTreeSet::new(),
            begin_deadline: now,
        }
    }

    /// Takes the position that a replica's fetch shows. `directory` tells observers of one id apart.
    pub fn fetched(&mut self, replica: i32, directory: Uuid, offset: i64, now: Time) {
        if replica < 0 {
            return;
        }
        let leader_end = self.end_offset;
        let state = match self.voters.get_mut(&replica) {
            Some(state) => state,
            None => self.observers.entry((replica, directory)).or_default(),
        };
        if offset >= leader_end {
            state.last_caught_up = Some(now);
        } else if state.leader_end_at_last_fetch > 0 && offset >= state.leader_end_at_last_fetch {
            state.last_caught_up = state.last_caught_up.max(state.last_fetch);
        }
        state.leader_end_at_last_fetch = leader_end;
        state.last_fetch = Some(now);
        state.end_offset = Some(offset);
        self.heard(replica, now);
    }

    /// A voter is alive: a majority of them keeps this leader.
    pub fn heard(&mut self, replica: i32, now: Time) {
        if !self.voters.contains_key(&replica) {
            return;
        }
        self.fetched.insert(replica);
        // With itself, a majority of all.
        if self.fetched.len() >= self.voters.len().div_ceil(2) {
            self.fetched.clear();
            self.check_quorum_deadline = now.plus_millis(self.check_quorum_ms);
        }
    }

    /// Moves the high watermark to what a majority has; whether it moved. Only records of this epoch commit
    /// those before them.
    pub fn update_high_watermark(&mut self) -> bool {
        let mut ends: Vec<i64> = self
            .voters
            .values()
            .map(|voter| voter.end_offset.unwrap_or(-1))
            .collect();
        ends.push(self.end_offset);
        ends.sort_unstable_by(|a, b| b.cmp(a));
        let Some(candidate) = ends.get(ends.len() / 2).copied() else {
            return false;
        };
        let moves = candidate > self.epoch_start
            && self.high_watermark.is_none_or(|before| candidate > before);
        if moves {
            self.high_watermark = Some(candidate);
        }
        moves
    }

    /// The other voters, the most complete log first.
    pub fn successors(&self) -> Vec<i32> {
        let mut voters: Vec<(i64, i32)> = self
            .voters
            .iter()
            .map(|(id, state)| (state.end_offset.unwrap_or(-1), *id))
            .collect();
        voters.sort_by_key(|(offset, id)| (std::cmp::Reverse(*offset), *id));
        voters.into_iter().map(|(_, id)| id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_election_is_won_or_lost_by_majority() {
        let mut votes = Votes::new([1, 2, 3, 4, 5].into_iter(), 2);
        assert!(!votes.won() && !votes.lost());
        votes.record(1, true);
        votes.record(3, false);
        votes.record(9, true);
        assert!(!votes.won());
        assert_eq!(votes.unrecorded(), [4, 5]);
        let mut lost = votes.clone();
        lost.record(4, false);
        lost.record(5, false);
        assert!(lost.lost());
        votes.record(5, true);
        assert!(votes.won());
        assert_eq!(votes.granting(), [1, 2, 5]);
        assert!(Votes::new([2].into_iter(), 2).won());
    }

    #[test]
    fn a_majority_commits_but_only_in_its_own_epoch() {
        let now = Time::from_millis(1);
        let mut leader = LeaderState::new([2, 3].into_iter(), 10, 3_000, now);
        leader.end_offset = 11;
        leader.fetched(2, Uuid::nil(), 10, now);
        // Records of earlier epochs are on a majority, and not committed by that.
        assert!(!leader.update_high_watermark());
        leader.fetched(2, Uuid::nil(), 11, now);
        assert!(leader.update_high_watermark());
        assert_eq!(leader.high_watermark, Some(11));
        leader.end_offset = 15;
        leader.fetched(3, Uuid::nil(), 14, now);
        assert!(leader.update_high_watermark());
        assert_eq!(leader.high_watermark, Some(14));
        assert_eq!(leader.successors(), [3, 2]);
        // A voter that lost its log does not take it back.
        leader.fetched(3, Uuid::nil(), 0, now);
        assert!(!leader.update_high_watermark());
    }

    #[test]
    fn a_leader_stays_while_a_majority_fetches() {
        let at = Time::from_millis;
        let mut leader = LeaderState::new([2, 3, 4, 5].into_iter(), 0, 3_000, at(0));
        leader.heard(2, at(100));
        leader.heard(2, at(200));
        leader.heard(9, at(200));
        assert_eq!(leader.check_quorum_deadline, at(3_000));
        leader.heard(4, at(300));
        assert_eq!(leader.check_quorum_deadline, at(3_300));
        let alone = LeaderState::new([].into_iter(), 0, 3_000, at(0));
        assert_eq!(alone.check_quorum_deadline, Time::NEVER);
    }

    #[test]
    fn a_follower_that_hears_its_leader_supports_no_other() {
        let follower = |fetched| State::Follower {
            leader: 1,
            voted: None,
            fetch_deadline: Time::NEVER,
            fetched,
        };
        assert!(follower(false).can_grant_vote(3, true, true));
        assert!(!follower(true).can_grant_vote(3, true, true));
        assert!(!follower(false).can_grant_vote(3, true, false));
        let unattached = |voted| State::Unattached {
            leader: None,
            voted,
            election_deadline: Time::NEVER,
        };
        assert!(unattached(None).can_grant_vote(3, true, false));
        assert!(!unattached(None).can_grant_vote(3, false, false));
        assert!(!unattached(Some(2)).can_grant_vote(3, true, false));
        assert!(unattached(Some(3)).can_grant_vote(3, true, false));
        assert!(unattached(Some(2)).can_grant_vote(3, true, true));
    }
}
