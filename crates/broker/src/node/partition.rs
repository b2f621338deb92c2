//! One replica of a partition (Kafka's `Partition`): its log, what the metadata says of its leadership, and as a
//! leader what it knows of its followers.

use std::collections::BTreeMap;

use bytes::Bytes;
use playground_log::{
    AppendError, AppendInfo, AppendOrigin, Disk, FetchInfo, Log, OffsetOutOfRange,
};
use playground_protocol::{ErrorCode, Time};
use uuid::Uuid;

use super::follower::{Follower, FollowerFetch};
use super::isr::IsrChange;
use super::view::Role;
use crate::metadata::MetadataImage;

/// Who replicates a partition, and who leads it: the part of a PartitionRecord that a replica needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PartitionState {
    pub replicas: Vec<i32>,
    /// The committed ISR.
    pub isr: Vec<i32>,
    /// -1 without.
    pub leader: i32,
    pub leader_epoch: i32,
    pub partition_epoch: i32,
}

/// The cluster, as a leader asks it about its followers.
#[derive(Clone, Copy)]
pub(super) struct Cluster<'a> {
    pub node_id: i32,
    pub image: &'a MetadataImage,
    /// `replica.lag.time.max.ms`
    pub lag_ms_max: i64,
    pub now: Time,
}

/// A replica. Legal changes of role: any to any, each with a new leader epoch or the same one; a leader's
/// high watermark never goes back.
#[derive(Debug)]
pub(super) struct Partition {
    pub topic_id: Uuid,
    pub log: Log,
    pub state: PartitionState,
    pub role: Role,
    /// Where the leader's epoch begins; offsets below are known to older leaders.
    pub leader_epoch_start_offset: i64,
    /// The other replicas; none where this one does not lead.
    pub followers: BTreeMap<i32, Follower>,
    /// A change of the ISR that the controller was asked for and has not confirmed.
    pub isr_change: Option<IsrChange>,
}

/// What new metadata led to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Applied {
    /// Leadership here began anew.
    pub leads_anew: bool,
    /// There is another leader to follow, or another epoch of it.
    pub follows_anew: bool,
}

/// What a fetch asks of one partition.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadRequest {
    pub offset: i64,
    pub max_bytes: usize,
    pub min_one: bool,
    pub current_leader_epoch: i32,
    pub last_fetched_epoch: i32,
    pub committed_only: bool,
    pub from_replica: bool,
    /// A follower may not answer this (before KIP-392).
    pub leader_only: bool,
}

/// What a fetch gets of one partition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ReadResult {
    pub records: Bytes,
    pub high_watermark: i64,
    pub last_stable_offset: i64,
    pub log_start_offset: i64,
    /// The log has another history: (epoch, its end offset) up to which it may agree.
    pub diverging: Option<(i32, i64)>,
}

impl Partition {
    pub fn new(topic_id: Uuid, log: Log) -> Partition {
        Partition {
            topic_id,
            log,
            state: PartitionState {
                leader: -1,
                leader_epoch: -1,
                partition_epoch: -1,
                ..PartitionState::default()
            },
            role: Role::Offline,
            leader_epoch_start_offset: 0,
            followers: BTreeMap::new(),
            isr_change: None,
        }
    }

    /// Takes what the metadata says now (`makeLeader`, `makeFollower`). State that is older than what the
    /// controller answered to this leader is left out.
    pub fn apply(
        &mut self,
        state: PartitionState,
        cluster: &Cluster<'_>,
        disk: &mut Disk,
    ) -> Applied {
        if state.partition_epoch < self.state.partition_epoch {
            return Applied::default();
        }
        let new_epoch = state.leader_epoch != self.state.leader_epoch;
        let new_leader = state.leader != self.state.leader;
        let was_leader = self.role == Role::Leader;
        self.role = if state.leader == cluster.node_id {
            Role::Leader
        } else if state.leader >= 0 {
            Role::Follower
        } else {
            Role::Offline
        };
        self.state = state;
        self.isr_change = None;
        if self.role != Role::Leader {
            self.followers.clear();
            return Applied {
                leads_anew: false,
                follows_anew: new_epoch || new_leader || was_leader,
            };
        }
        let leads_anew = !was_leader || new_epoch;
        if leads_anew {
            self.log.assign_epoch(disk, self.state.leader_epoch);
            self.leader_epoch_start_offset = self.log.log_end_offset();
            let (end, now_ms) = (self.log.log_end_offset(), cluster.now.millis());
            let isr = &self.state.isr;
            for (id, follower) in &mut self.followers {
                follower.leader_epoch_began(isr.contains(id), end, now_ms);
            }
        }
        self.take_replicas(cluster);
        self.advance_high_watermark(cluster);
        Applied {
            leads_anew,
            follows_anew: false,
        }
    }

    /// Followers that came with the metadata are known from now on, those that went are forgotten.
    fn take_replicas(&mut self, cluster: &Cluster<'_>) {
        let state = &self.state;
        self.followers.retain(|id, _| state.replicas.contains(id));
        for id in state.replicas.iter().filter(|id| **id != cluster.node_id) {
            let in_sync = state.isr.contains(id);
            self.followers
                .entry(*id)
                .or_insert_with(|| Follower::new(in_sync, cluster.now.millis()));
        }
    }

    /// Appends as the leader, and moves the high watermark as far as the ISR allows. `acks_all` asks for
    /// `min.insync.replicas` beforehand.
    ///
    /// # Errors
    /// NOT_ENOUGH_REPLICAS, and those of the log; then nothing was appended.
    pub fn append(
        &mut self,
        disk: &mut Disk,
        records: Bytes,
        cluster: &Cluster<'_>,
        origin: AppendOrigin,
        acks_all: bool,
    ) -> Result<AppendInfo, AppendError> {
        let (in_sync, needed) = (self.state.isr.len(), self.effective_min_isr());
        if acks_all && in_sync < needed {
            return Err(AppendError {
                code: ErrorCode::NOT_ENOUGH_REPLICAS,
                message: format!(
                    "The size of the current ISR : {in_sync} is insufficient to satisfy the min.isr requirement of {needed} for partition {}",
                    self.log.name()
                ),
                record_errors: Vec::new(),
            });
        }
        let info = self.log.append_as_leader(
            disk,
            records,
            self.state.leader_epoch,
            cluster.now,
            origin,
        )?;
        self.advance_high_watermark(cluster);
        Ok(info)
    }

    /// A follower fetched: what it has counts for the high watermark (`updateFollowerFetchState`). Whether the
    /// high watermark moved.
    pub fn follower_fetched(
        &mut self,
        replica: i32,
        fetch: &FollowerFetch,
        cluster: &Cluster<'_>,
    ) -> bool {
        let Some(follower) = self.followers.get_mut(&replica) else {
            return false;
        };
        let before = follower.log_end_offset;
        follower.fetched(fetch, cluster.now.millis());
        before != fetch.offset && self.advance_high_watermark(cluster)
    }

    /// The high watermark is the least end offset in the ISR, and of the caught-up followers that are about to
    /// join it (`maybeIncrementLeaderHW`). Below `min.insync.replicas` it stays (KIP-966). Whether it moved.
    pub fn advance_high_watermark(&mut self, cluster: &Cluster<'_>) -> bool {
        if self.role != Role::Leader || self.is_under_min_isr() {
            return false;
        }
        let end = self.log.log_end_offset();
        let now_ms = cluster.now.millis();
        let least = self
            .followers
            .iter()
            .filter(|(id, follower)| {
                self.is_in_maximal_isr(**id)
                    || (follower.is_caught_up(end, now_ms, cluster.lag_ms_max)
                        && is_isr_eligible(**id, follower, cluster.image))
            })
            .map(|(_, follower)| follower.log_end_offset)
            .min()
            .map_or(end, |least| least.min(end));
        let before = self.log.high_watermark();
        least > before && self.log.update_high_watermark(least) > before
    }

    /// The ISR, and whom it is about to get: what the high watermark must wait for.
    pub fn is_in_maximal_isr(&self, replica: i32) -> bool {
        self.state.isr.contains(&replica)
            || self
                .isr_change
                .as_ref()
                .is_some_and(|change| change.adds == Some(replica))
    }

    fn maximal_isr_len(&self) -> usize {
        let adds = self
            .isr_change
            .as_ref()
            .is_some_and(|change| change.adds.is_some());
        self.state.isr.len() + usize::from(adds)
    }

    /// `min.insync.replicas`, at most the number of replicas.
    pub fn effective_min_isr(&self) -> usize {
        let configured = usize::try_from(self.log.config().min_insync_replicas).unwrap_or(1);
        configured.min(self.followers.len() + 1)
    }

    /// Whether fewer replicas are in sync than `min.insync.replicas` asks for.
    pub fn is_under_min_isr(&self) -> bool {
        self.role == Role::Leader && self.state.isr.len() < self.effective_min_isr()
    }

    /// Whether all in-sync replicas have the log up to `offset`; `None` while they do not
    /// (`checkEnoughReplicasReachOffset`).
    pub fn has_reached(&self, offset: i64) -> Option<Result<(), ErrorCode>> {
        if self.role != Role::Leader {
            return Some(Err(ErrorCode::NOT_LEADER_OR_FOLLOWER));
        }
        if self.log.high_watermark() < offset {
            return None;
        }
        Some(if self.maximal_isr_len() >= self.effective_min_isr() {
            Ok(())
        } else {
            Err(ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND)
        })
    }

    /// The least log start offset of the replicas that are alive (`lowWatermarkIfLeader`).
    pub fn low_watermark(&self, image: &MetadataImage) -> i64 {
        self.followers
            .iter()
            .filter(|(id, _)| image.alive_broker(**id).is_some())
            .map(|(_, follower)| follower.log_start_offset)
            .fold(self.log.log_start_offset(), i64::min)
    }

    /// Checks that a fetch comes from a replica, and not from an earlier life of its broker.
    ///
    /// # Errors
    /// NOT_LEADER_OR_FOLLOWER.
    pub fn check_follower(
        &self,
        replica: i32,
        broker_epoch: i64,
        image: &MetadataImage,
    ) -> Result<(), ErrorCode> {
        let stale = broker_epoch != -1
            && image
                .alive_broker(replica)
                .is_some_and(|broker| broker.epoch > broker_epoch);
        if stale || !self.followers.contains_key(&replica) {
            return Err(ErrorCode::NOT_LEADER_OR_FOLLOWER);
        }
        Ok(())
    }

    /// Checks that this replica leads, in the epoch that the client believes in (-1: it does not say).
    ///
    /// # Errors
    /// NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH.
    pub fn check_leader(&self, current_leader_epoch: i32) -> Result<(), ErrorCode> {
        self.check_epoch(current_leader_epoch)?;
        if self.role == Role::Leader {
            Ok(())
        } else {
            Err(ErrorCode::NOT_LEADER_OR_FOLLOWER)
        }
    }

    fn check_epoch(&self, current_leader_epoch: i32) -> Result<(), ErrorCode> {
        if current_leader_epoch >= 0 {
            if current_leader_epoch < self.state.leader_epoch {
                return Err(ErrorCode::FENCED_LEADER_EPOCH);
            }
            if current_leader_epoch > self.state.leader_epoch {
                return Err(ErrorCode::UNKNOWN_LEADER_EPOCH);
            }
        }
        Ok(())
    }

    /// `readRecords`.
    ///
    /// # Errors
    /// Those of [`Partition::check_leader`], OFFSET_OUT_OF_RANGE.
    pub fn read(&self, disk: &Disk, request: &ReadRequest) -> Result<ReadResult, ErrorCode> {
        if request.leader_only {
            self.check_leader(request.current_leader_epoch)?;
        } else {
            self.check_epoch(request.current_leader_epoch)?;
        }
        let mut result = ReadResult {
            records: Bytes::new(),
            high_watermark: self.log.high_watermark(),
            last_stable_offset: self.log.last_stable_offset(),
            log_start_offset: self.log.log_start_offset(),
            diverging: None,
        };
        if request.last_fetched_epoch >= 0 {
            let Some((epoch, end_offset)) =
                self.log.end_offset_for_epoch(request.last_fetched_epoch)
            else {
                return Err(ErrorCode::OFFSET_OUT_OF_RANGE);
            };
            if request.offset < result.log_start_offset {
                return Err(ErrorCode::OFFSET_OUT_OF_RANGE);
            }
            if epoch < request.last_fetched_epoch || end_offset < request.offset {
                result.diverging = Some((epoch, end_offset));
                return Ok(result);
            }
        }
        let up_to = if request.from_replica {
            self.log.log_end_offset()
        } else if request.committed_only {
            result.last_stable_offset
        } else {
            result.high_watermark
        };
        let read: Result<FetchInfo, OffsetOutOfRange> = self.log.read(
            disk,
            request.offset,
            request.max_bytes,
            up_to,
            request.min_one,
        );
        result.records = read.map_err(|_| ErrorCode::OFFSET_OUT_OF_RANGE)?.records;
        Ok(result)
    }
}

/// Whether a follower may join the ISR: its broker serves, and it is the incarnation that fetched
/// (`isReplicaIsrEligible`, KIP-903).
pub(super) fn is_isr_eligible(id: i32, follower: &Follower, image: &MetadataImage) -> bool {
    image.alive_broker(id).is_some_and(|broker| {
        !broker.in_controlled_shutdown
            && follower
                .broker_epoch
                .is_some_and(|epoch| epoch == -1 || epoch == broker.epoch)
    })
}
