//! DeleteRecords (KIP-107): the answer waits until the followers that are alive have deleted too
//! (`DelayedDeleteRecords`).

use playground_log::Disk;
use playground_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use playground_protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse, ResponseKind};
use playground_protocol::{ErrorCode, Time};

use super::Reply;
use crate::node::Node;
use crate::node::purgatory::{PendingDeletion, Waiting};

impl Node {
    pub(super) fn delete_records(
        &mut self,
        request: u64,
        body: &DeleteRecordsRequest,
        disk: &mut Disk,
        now: Time,
    ) -> Reply {
        let mut topics = Vec::new();
        let mut waiting = Vec::new();
        for topic in &body.topics {
            let mut partitions = Vec::new();
            for asked in &topic.partitions {
                let number = asked.partition_index;
                let result = self.delete_before(&topic.name, number, asked.offset, disk, now);
                let (error, low_watermark) = match result {
                    Ok((offset, low_watermark)) => {
                        if low_watermark < offset {
                            waiting.push(Waiting {
                                topic: topic.name.to_string(),
                                partition: number,
                                place: (topics.len(), partitions.len()),
                                offset,
                            });
                        }
                        (ErrorCode::NONE, low_watermark)
                    }
                    Err(error) => (error, -1),
                };
                partitions.push(
                    DeleteRecordsPartitionResult::default()
                        .with_partition_index(number)
                        .with_error_code(error.0)
                        .with_low_watermark(low_watermark),
                );
            }
            topics.push(
                DeleteRecordsTopicResult::default()
                    .with_name(topic.name.clone())
                    .with_partitions(partitions),
            );
        }
        self.replicas.checkpoint_log_starts(disk);
        let pending = PendingDeletion {
            request,
            topics,
            waiting,
            deadline: now.plus_millis(i64::from(body.timeout_ms)),
        };
        match self.try_deletion(pending, false) {
            Ok(response) => Reply::Send(response),
            Err(pending) => {
                self.deletions.wait(pending);
                Reply::Later
            }
        }
    }

    /// Looks again at a DeleteRecords that waits, if one was woken or is due. Whether there was one.
    pub(in crate::node) fn retry_deletion(&mut self, now: Time) -> bool {
        let Some(pending) = self.deletions.next(now) else {
            return false;
        };
        let (request, due) = (pending.request, pending.deadline <= now);
        match self.try_deletion(pending, due) {
            Ok(response) => self.completed.push_back((request, Some(response))),
            Err(pending) => self.deletions.wait(pending),
        }
        true
    }

    /// The answer, or what still waits. What is `due` waits no longer.
    fn try_deletion(
        &self,
        mut pending: PendingDeletion,
        due: bool,
    ) -> Result<ResponseKind, PendingDeletion> {
        for waiting in std::mem::take(&mut pending.waiting) {
            let reached = self
                .hosted(&waiting.topic, waiting.partition)
                .and_then(|partition| {
                    partition.check_leader(-1)?;
                    Ok(partition.low_watermark(&self.image))
                });
            let (error, low_watermark) = match reached {
                Ok(low_watermark) if low_watermark >= waiting.offset => {
                    (ErrorCode::NONE, low_watermark)
                }
                Err(error) => (error, -1),
                Ok(low_watermark) if due => (ErrorCode::REQUEST_TIMED_OUT, low_watermark),
                Ok(_) => {
                    pending.waiting.push(waiting);
                    continue;
                }
            };
            let (topic, partition) = waiting.place;
            let result = pending
                .topics
                .get_mut(topic)
                .and_then(|topic| topic.partitions.get_mut(partition));
            if let Some(result) = result {
                result.error_code = error.0;
                result.low_watermark = low_watermark;
            }
        }
        if pending.waiting.is_empty() {
            let response = DeleteRecordsResponse::default().with_topics(pending.topics);
            Ok(response.into())
        } else {
            Err(pending)
        }
    }

    /// Deletes here: the offset that all replicas must come to, and that which they have come to.
    fn delete_before(
        &mut self,
        topic: &str,
        number: i32,
        offset: i64,
        disk: &mut Disk,
        now: Time,
    ) -> Result<(i64, i64), ErrorCode> {
        self.hosted(topic, number)?.check_leader(-1)?;
        let partition = self
            .replicas
            .get_mut(topic, number)
            .ok_or(ErrorCode::NOT_LEADER_OR_FOLLOWER)?;
        if !partition.log.config().cleanup_policy.delete {
            return Err(ErrorCode::POLICY_VIOLATION);
        }
        let offset = if offset == -1 {
            partition.log.high_watermark()
        } else {
            offset
        };
        partition
            .log
            .delete_records(disk, offset)
            .map_err(|_| ErrorCode::OFFSET_OUT_OF_RANGE)?;
        let low_watermark = partition.low_watermark(&self.image);
        let lines = partition.log.take_log_lines();
        self.log_lines(lines);
        self.partition_touched(topic, number, now);
        Ok((offset, low_watermark))
    }
}
