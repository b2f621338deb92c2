//! One replica of a partition (Kafka's `Partition`): its log, and what the metadata says of its leadership.

use bytes::Bytes;
use playground_log::{
    AppendError, AppendInfo, AppendOrigin, Disk, FetchInfo, Log, OffsetOutOfRange,
};
use playground_protocol::{ErrorCode, Time};
use uuid::Uuid;

use super::view::Role;

/// Who replicates a partition, and who leads it: the part of a PartitionRecord that a replica needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PartitionState {
    pub replicas: Vec<i32>,
    pub isr: Vec<i32>,
    /// -1 without.
    pub leader: i32,
    pub leader_epoch: i32,
    pub partition_epoch: i32,
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
        }
    }

    /// Takes what the metadata says now. Whether leadership here began anew.
    pub fn apply(&mut self, state: PartitionState, node_id: i32, disk: &mut Disk) -> bool {
        let new_epoch = state.leader_epoch != self.state.leader_epoch;
        let was_leader = self.role == Role::Leader;
        self.role = if state.leader == node_id {
            Role::Leader
        } else if state.leader >= 0 {
            Role::Follower
        } else {
            Role::Offline
        };
        self.state = state;
        let began = self.role == Role::Leader && (!was_leader || new_epoch);
        if began {
            self.log.assign_epoch(disk, self.state.leader_epoch);
            self.leader_epoch_start_offset = self.log.log_end_offset();
        }
        if self.role == Role::Leader {
            self.advance_high_watermark(node_id);
        }
        began
    }

    /// Appends as the leader, and moves the high watermark as far as the ISR allows.
    pub fn append(
        &mut self,
        disk: &mut Disk,
        records: Bytes,
        node_id: i32,
        now: Time,
        origin: AppendOrigin,
    ) -> Result<AppendInfo, AppendError> {
        let info =
            self.log
                .append_as_leader(disk, records, self.state.leader_epoch, now, origin)?;
        self.advance_high_watermark(node_id);
        Ok(info)
    }

    /// The high watermark is the least end offset in the ISR. Only this replica's is known until others fetch.
    fn advance_high_watermark(&mut self, node_id: i32) {
        if self.state.isr.iter().all(|replica| *replica == node_id) {
            let end = self.log.log_end_offset();
            self.log.update_high_watermark(end);
        }
    }

    /// Checks that this replica leads, in the epoch that the client believes in (-1: it does not say).
    ///
    /// # Errors
    /// NOT_LEADER_OR_FOLLOWER, FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH.
    pub fn check_leader(&self, current_leader_epoch: i32) -> Result<(), ErrorCode> {
        if current_leader_epoch >= 0 {
            if current_leader_epoch < self.state.leader_epoch {
                return Err(ErrorCode::FENCED_LEADER_EPOCH);
            }
            if current_leader_epoch > self.state.leader_epoch {
                return Err(ErrorCode::UNKNOWN_LEADER_EPOCH);
            }
        }
        if self.role == Role::Leader {
            Ok(())
        } else {
            Err(ErrorCode::NOT_LEADER_OR_FOLLOWER)
        }
    }

    /// `readRecords`.
    ///
    /// # Errors
    /// Those of [`Partition::check_leader`], OFFSET_OUT_OF_RANGE.
    pub fn read(&self, disk: &Disk, request: &ReadRequest) -> Result<ReadResult, ErrorCode> {
        self.check_leader(request.current_leader_epoch)?;
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
