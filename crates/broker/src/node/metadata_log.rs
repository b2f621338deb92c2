//! `__cluster_metadata-0`: a real log that the active controller appends to, and that all other nodes copy
//! with Fetch requests (the part of `KafkaRaftClient` that one fixed leader needs).

use bytes::Bytes;
use playground_log::{
    AppendOrigin, CleanupPolicy, Codec, Disk, Log, LogConfig, RecordBatchBuilder, batches,
};
use playground_protocol::codec::Encodable;
use playground_protocol::messages::LeaderChangeMessage;
use playground_protocol::messages::leader_change_message::Voter;
use playground_protocol::{LogLine, Time};
use uuid::Uuid;

use super::limits::METADATA_BATCH_RECORDS_MAX;
use crate::metadata::MetadataRecord;

/// The topic's name.
pub(super) const METADATA_TOPIC: &str = "__cluster_metadata";
/// The topic's id, AAAAAAAAAAAAAAAAAAAAAQ (`Uuid.METADATA_TOPIC_ID`).
pub(super) const METADATA_TOPIC_ID: Uuid = Uuid::from_u128(1);
/// The key of a LeaderChange control record: version 0, type 2.
const LEADER_CHANGE_KEY: [u8; 4] = [0, 0, 0, 2];

/// See the module.
#[derive(Debug)]
pub(super) struct MetadataLog {
    pub log: Log,
    /// Epoch of the leader, as far as this node knows; -1 before it does.
    pub epoch: i32,
    /// What [`MetadataLog::read_committed`] gives next.
    replayed: i64,
}

impl MetadataLog {
    pub fn open(log_dir: &str, disk: &mut Disk, now: Time) -> (MetadataLog, Vec<LogLine>) {
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
        (
            MetadataLog {
                log,
                epoch: -1,
                replayed: 0,
            },
            lines,
        )
    }

    /// Begins the epoch after the last one in the log, as its leader. What the log holds is committed.
    pub fn become_leader(&mut self, node_id: i32, voters: &[i32], disk: &mut Disk, now: Time) {
        self.epoch = self.log.latest_epoch().map_or(0, |entry| entry.epoch) + 1;
        let voter = |id: &i32| Voter::default().with_voter_id(*id);
        let message = LeaderChangeMessage::default()
            .with_leader_id(node_id.into())
            .with_voters(voters.iter().map(voter).collect())
            .with_granting_voters(vec![voter(&node_id)]);
        let mut value = Vec::new();
        if message.encode(&mut value, 0).is_ok() {
            let mut builder = self.builder().control(true);
            builder.append(now.millis(), Some(&LEADER_CHANGE_KEY), Some(&value), &[]);
            self.append_batch(builder, disk, now);
        }
        self.commit_all(disk, now);
    }

    /// Appends records as the leader, and commits them: they are flushed, as raft asks of a voter.
    pub fn append(&mut self, records: &[MetadataRecord], disk: &mut Disk, now: Time) {
        for chunk in records.chunks(METADATA_BATCH_RECORDS_MAX) {
            let mut builder = self.builder();
            for record in chunk {
                builder.append(now.millis(), None, Some(&record.encode()), &[]);
            }
            self.append_batch(builder, disk, now);
        }
        self.commit_all(disk, now);
    }

    fn builder(&self) -> RecordBatchBuilder {
        RecordBatchBuilder::new(Codec::None)
            .base_offset(self.log.log_end_offset())
            .partition_leader_epoch(self.epoch)
    }

    fn append_batch(&mut self, builder: RecordBatchBuilder, disk: &mut Disk, now: Time) {
        if let Some(batch) = builder.build() {
            let appended =
                self.log
                    .append_as_leader(disk, batch, self.epoch, now, AppendOrigin::RaftLeader);
            // The batch was made here a moment ago, at the log's end.
            debug_assert!(appended.is_ok(), "{appended:?}");
        }
    }

    fn commit_all(&mut self, disk: &mut Disk, now: Time) {
        self.log.flush(disk, now);
        let end = self.log.log_end_offset();
        self.log.update_high_watermark(end);
    }

    /// Takes what the leader sent. Whether the high watermark moved.
    pub fn append_fetched(
        &mut self,
        records: Bytes,
        high_watermark: i64,
        disk: &mut Disk,
        now: Time,
    ) -> Result<bool, String> {
        if !records.is_empty() {
            self.log
                .append_as_follower(disk, records, now)
                .map_err(|error| error.message)?;
            self.log.flush(disk, now);
        }
        let before = self.log.high_watermark();
        Ok(self.log.update_high_watermark(high_watermark) > before)
    }

    /// Drops all from `offset` on, which another history replaces; the replay begins anew.
    pub fn truncate(&mut self, offset: i64, disk: &mut Disk, now: Time) {
        self.log.truncate_to(disk, offset, now);
        self.replayed = 0;
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

    /// Epoch of the last batch; -1 when the log is empty.
    pub fn last_epoch(&self) -> i32 {
        self.log.latest_epoch().map_or(-1, |entry| entry.epoch)
    }
}
