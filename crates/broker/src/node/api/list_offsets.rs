//! ListOffsets (`ReplicaManager.fetchOffset`), with its special times.

use playground_log::Disk;
use playground_protocol::ErrorCode;
use playground_protocol::messages::list_offsets_request::ListOffsetsPartition;
use playground_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use playground_protocol::messages::{ListOffsetsRequest, ListOffsetsResponse, ResponseKind};

use crate::node::Node;
use crate::node::partition::Partition;

const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
/// From version 7 on.
const MAX_TIMESTAMP: i64 = -3;
/// From version 8 on: the first offset on the leader's own disk.
const EARLIEST_LOCAL: i64 = -4;
/// From version 9 on: the last offset in tiered storage, which is not here.
const LATEST_TIERED: i64 = -5;
/// From version 11 on: the first offset that is not yet in tiered storage.
const EARLIEST_PENDING_UPLOAD: i64 = -6;

/// From this version on, the leader epoch is told (KIP-320).
const TELLS_EPOCHS: i16 = 4;

/// From this version on, OFFSET_NOT_AVAILABLE is understood (KIP-207).
const KNOWS_OFFSET_NOT_AVAILABLE: i16 = 5;

/// (Timestamp, offset, leader epoch), each -1 where there is none.
type Found = (i64, i64, i32);
const NOTHING: Found = (-1, -1, -1);

impl Node {
    pub(super) fn list_offsets(
        &self,
        body: &ListOffsetsRequest,
        version: i16,
        disk: &Disk,
    ) -> ResponseKind {
        let topics = body
            .topics
            .iter()
            .map(|topic| {
                let partitions = topic
                    .partitions
                    .iter()
                    .map(|asked| {
                        let found = self.list_offset(&topic.name, asked, body, version, disk);
                        let (error, (timestamp, offset, epoch)) = match found {
                            Ok(found) => (ErrorCode::NONE, found),
                            Err(error) => (error, NOTHING),
                        };
                        let epoch = if version >= TELLS_EPOCHS { epoch } else { -1 };
                        ListOffsetsPartitionResponse::default()
                            .with_partition_index(asked.partition_index)
                            .with_error_code(error.0)
                            .with_timestamp(timestamp)
                            .with_offset(offset)
                            .with_leader_epoch(epoch)
                    })
                    .collect();
                ListOffsetsTopicResponse::default()
                    .with_name(topic.name.clone())
                    .with_partitions(partitions)
            })
            .collect();
        ListOffsetsResponse::default().with_topics(topics).into()
    }

    fn list_offset(
        &self,
        topic: &str,
        asked: &ListOffsetsPartition,
        body: &ListOffsetsRequest,
        version: i16,
        disk: &Disk,
    ) -> Result<Found, ErrorCode> {
        let oldest_version = match asked.timestamp {
            EARLIEST_PENDING_UPLOAD => 11,
            LATEST_TIERED => 9,
            EARLIEST_LOCAL => 8,
            MAX_TIMESTAMP => 7,
            LATEST | EARLIEST | 0.. => 0,
            _ => i16::MAX,
        };
        if version < oldest_version {
            return Err(ErrorCode::UNSUPPORTED_VERSION);
        }
        let partition = self.hosted(topic, asked.partition_index)?;
        partition.check_leader(asked.current_leader_epoch)?;
        let log = &partition.log;
        // Offsets that readers may know: all for a replica, the committed ones for consumers.
        let last = match (body.replica_id.0 >= 0, body.isolation_level) {
            (true, _) => log.log_end_offset(),
            (false, 1) => log.last_stable_offset(),
            (false, _) => log.high_watermark(),
        };
        // After an election the high watermark may lag behind what an older leader has told of (KIP-207).
        let lags = body.replica_id.0 < 0 && last < partition.leader_epoch_start_offset;
        let not_available = if version >= KNOWS_OFFSET_NOT_AVAILABLE {
            ErrorCode::OFFSET_NOT_AVAILABLE
        } else {
            ErrorCode::LEADER_NOT_AVAILABLE
        };
        let found = match asked.timestamp {
            LATEST if lags => return Err(not_available),
            LATEST => {
                let epoch = log.latest_epoch().map_or(-1, |entry| entry.epoch);
                Some((-1, last, epoch))
            }
            EARLIEST | EARLIEST_LOCAL | EARLIEST_PENDING_UPLOAD => {
                let start = log.log_start_offset();
                let epoch = log
                    .epochs()
                    .first()
                    .filter(|entry| entry.start_offset <= start)
                    .map_or(-1, |_| log.epoch_for_offset(start).unwrap_or(-1));
                Some((-1, start, epoch))
            }
            LATEST_TIERED => None,
            MAX_TIMESTAMP => log
                .offset_of_max_timestamp(disk)
                .map(|found| (found.timestamp, found.offset, found.leader_epoch)),
            timestamp => log
                .offset_for_timestamp(disk, timestamp)
                .filter(|found| found.offset < last)
                .map(|found| (found.timestamp, found.offset, found.leader_epoch)),
        };
        if found.is_none() && lags && asked.timestamp >= 0 {
            return Err(not_available);
        }
        Ok(found.unwrap_or(NOTHING))
    }

    /// A replica on this broker (`getPartitionOrError`).
    pub(super) fn hosted(&self, topic: &str, number: i32) -> Result<&Partition, ErrorCode> {
        if self.image.partition(topic, number).is_none() {
            return Err(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION);
        }
        self.replicas
            .get(topic, number)
            .ok_or(ErrorCode::NOT_LEADER_OR_FOLLOWER)
    }
}
