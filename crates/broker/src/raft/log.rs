//! `__cluster_metadata-0` as the quorum sees it: a real log with epochs (`KafkaRaftLog`).

use bytes::Bytes;
use playground_log::{
    AppendOrigin, CleanupPolicy, Codec, Disk, Log, LogConfig, RecordBatchBuilder, batches,
};
use playground_protocol::codec::Encodable;
use playground_protocol::messages::LeaderChangeMessage;
use playground_protocol::messages::leader_change_message::Voter;
use playground_protocol::{LogLine, Time};
use uuid::Uuid;

use crate::metadata::MetadataRecord;

/// The topic's name.
pub const METADATA_TOPIC: &str = "__cluster_metadata";
/// The topic's id, AAAAAAAAAAAAAAAAAAAAAQ (`Uuid.METADATA_TOPIC_ID`).
pub const METADATA_TOPIC_ID: Uuid = Uuid::from_u128(1);
/// The key of a LeaderChange control record: version 0, type 2.
const LEADER_CHANGE_KEY: [u8; 4] = [0, 0, 0, 2];
/// Records in one batch; a controller's answer may need several batches.
const BATCH_RECORDS_MAX: usize = 10_000;

/// A position in the log's history: all records below `offset`, the last of which was written in `epoch`.
/// The greater one of two is the more complete log, as votes compare them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct OffsetAndEpoch {
    /// The epoch; 0 for the empty log.
    pub epoch: i32,
    /// The offset after the last record.
    pub offset: i64,
}

/// What a leader says of a follower's position (`ValidOffsetAndEpoch`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// The follower's log is a prefix of ours.
    Valid,
    /// The histories part: the follower truncates to this.
    Diverging(OffsetAndEpoch),
}

/// See the module.
#[derive(Debug)]
pub struct MetadataLog {
    pub(crate) log: Log,
    /// What [`MetadataLog::read_committed`] gives next.
    replayed: i64,
}

impl MetadataLog {
    pub(super) fn open(log_dir: &str, disk: &mut Disk, now: Time) -> (MetadataLog, Vec<LogLine>) {
        let config = LogConfig {
            max_message_bytes: 8 * 1024 * 1024,
            retention_ms: -1,
            retention_bytes: -1,
            cleanup_policy: CleanupPolicy {
                delete: true,
                compact: false,
            },
            ..LogConfig::default()
        };
        let dir = format!("{log_dir}/{METADATA_TOPIC}-0");
        let (mut log, lines) = Log::open(&dir, config, disk, now, false);
        log.set_topic_id(disk, METADATA_TOPIC_ID);
        (MetadataLog { log, replayed: 0 }, lines)
    }

    /// The end of the log, as votes and fetches name it.
    pub fn end(&self) -> OffsetAndEpoch {
        OffsetAndEpoch {
            epoch: self.log.latest_epoch().map_or(0, |entry| entry.epoch),
            offset: self.log.log_end_offset(),
        }
    }

    /// Appends the first record of an epoch and flushes it.
    pub(super) fn append_leader_change(
        &mut self,
        epoch: i32,
        leader: i32,
        voters: &[i32],
        granting: &[i32],
        disk: &mut Disk,
        now: Time,
    ) {
        let all = |ids: &[i32]| {
            ids.iter()
                .map(|id| Voter::default().with_voter_id(*id))
                .collect()
        };
        let message = LeaderChangeMessage::default()
            .with_leader_id(leader.into())
            .with_voters(all(voters))
            .with_granting_voters(all(granting));
        let mut value = Vec::new();
        // Its fields have no bounds that could be broken.
        if message.encode(&mut value, 0).is_ok() {
            let mut builder = self.builder(epoch).control(true);
            builder.append(now.millis(), Some(&LEADER_CHANGE_KEY), Some(&value), &[]);
            self.append_batch(builder, epoch, disk, now);
        }
        self.log.flush(disk, now);
    }

    /// Appends records as the leader of `epoch`, and flushes them.
    pub(super) fn append(
        &mut self,
        records: &[MetadataRecord],
        epoch: i32,
        disk: &mut Disk,
        now: Time,
    ) {
        for chunk in records.chunks(BATCH_RECORDS_MAX) {
            let mut builder = self.builder(epoch);
            for record in chunk {
                builder.append(now.millis(), None, Some(&record.encode()), &[]);
            }
            self.append_batch(builder, epoch, disk, now);
        }
        self.log.flush(disk, now);
    }

    fn builder(&self, epoch: i32) -> RecordBatchBuilder {
        RecordBatchBuilder::new(Codec::None)
            .base_offset(self.log.log_end_offset())
            .partition_leader_epoch(epoch)
    }

    fn append_batch(
        &mut self,
        builder: RecordBatchBuilder,
        epoch: i32,
        disk: &mut Disk,
        now: Time,
    ) {
        if let Some(batch) = builder.build() {
            let appended =
                self.log
                    .append_as_leader(disk, batch, epoch, now, AppendOrigin::RaftLeader);
            // The batch was made here a moment ago, at the log's end.
            debug_assert!(appended.is_ok(), "{appended:?}");
        }
    }

    /// Appends what the leader sent, and flushes it: the next fetch tells the leader that it is safe here.
    ///
    /// # Errors
    /// What is wrong with the bytes; the log keeps what it had.
    pub(super) fn append_fetched(
        &mut self,
        records: Bytes,
        disk: &mut Disk,
        now: Time,
    ) -> Result<(), String> {
        if !records.is_empty() {
            self.log
                .append_as_follower(disk, records, now)
                .map_err(|error| error.message)?;
            self.log.flush(disk, now);
        }
        Ok(())
    }

    /// The end of `epoch` in this log: of the greatest epoch that is not above it.
    pub(super) fn end_of_epoch(&self, epoch: i32) -> OffsetAndEpoch {
        self.log
            .end_offset_for_epoch(epoch)
            .map_or(self.end(), |(epoch, offset)| OffsetAndEpoch {
                epoch,
                offset,
            })
    }

    /// Whether a replica whose log ends at `at` has a prefix of this log.
    pub(super) fn validate(&self, at: OffsetAndEpoch) -> Position {
        if at.offset == 0 && self.log.log_start_offset() == 0 {
            return Position::Valid;
        }
        let end = self.end_of_epoch(at.epoch);
        if end.epoch != at.epoch || end.offset < at.offset {
            Position::Diverging(end)
        } else {
            Position::Valid
        }
    }

    /// Where this log must be cut when the leader's one parts from it at `leader`
    /// (`RaftLog.truncateToEndOffset`).
    pub(super) fn truncation_offset(&self, leader: OffsetAndEpoch) -> i64 {
        if leader.epoch == 0 {
            return leader.offset.min(self.log.log_end_offset());
        }
        let own = self.end_of_epoch(leader.epoch);
        if own.epoch == leader.epoch {
            own.offset.min(leader.offset)
        } else {
            own.offset
        }
    }

    /// Drops all from `offset` on, which no quorum has. `false`, and nothing happens, below the high
    /// watermark: what is committed never goes.
    pub(super) fn truncate(&mut self, offset: i64, disk: &mut Disk, now: Time) -> bool {
        if offset < self.log.high_watermark() {
            return false;
        }
        self.log.truncate_to(disk, offset, now);
        true
    }

    /// The offset of the last record that was given out by [`MetadataLog::read_committed`].
    pub fn replayed_offset(&self) -> i64 {
        self.replayed - 1
    }

    /// Whether [`MetadataLog::read_committed`] has something.
    pub fn has_committed(&self) -> bool {
        self.replayed < self.log.high_watermark()
    }

    /// All committed records; what [`MetadataLog::read_committed`] gives next stays.
    ///
    /// # Errors
    /// What is wrong with the log's bytes.
    pub fn read_all_committed(
        &mut self,
        disk: &Disk,
    ) -> Result<Vec<(i64, MetadataRecord)>, String> {
        let replayed = std::mem::replace(&mut self.replayed, self.log.log_start_offset());
        let records = self.read_committed(disk);
        self.replayed = replayed;
        records
    }

    /// The committed records after those given out before, with their offsets.
    ///
    /// # Errors
    /// What is wrong with the log's bytes.
    pub fn read_committed(&mut self, disk: &Disk) -> Result<Vec<(i64, MetadataRecord)>, String> {
        let mut records = Vec::new();
        while self.has_committed() {
            let read = self
                .log
                .read(
                    disk,
                    self.replayed,
                    1024 * 1024,
                    self.log.high_watermark(),
                    true,
                )
                .map_err(|error| error.message)?;
            if read.records.is_empty() {
                break;
            }
            for batch in batches(read.records) {
                let batch = batch.map_err(|error| error.to_string())?;
                self.replayed = batch.header.next_offset();
                if batch.header.is_control() {
                    continue;
                }
                for record in batch.records().map_err(|error| error.to_string())? {
                    let record = record.map_err(|error| error.to_string())?;
                    let value = record.value.unwrap_or_default();
                    let decoded =
                        MetadataRecord::decode(&value).map_err(|error| error.to_string())?;
                    records.push((record.offset, decoded));
                }
            }
        }
        Ok(records)
    }
}
