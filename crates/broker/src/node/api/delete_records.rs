//! DeleteRecords (KIP-107).

use playground_log::Disk;
use playground_protocol::ErrorCode;
use playground_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use playground_protocol::messages::{DeleteRecordsRequest, DeleteRecordsResponse, ResponseKind};

use crate::node::Node;

impl Node {
    pub(super) fn delete_records(
        &mut self,
        body: &DeleteRecordsRequest,
        disk: &mut Disk,
    ) -> ResponseKind {
        let mut topics = Vec::new();
        for topic in &body.topics {
            let mut partitions = Vec::new();
            for asked in &topic.partitions {
                let result =
                    self.delete_before(&topic.name, asked.partition_index, asked.offset, disk);
                let (error, low_watermark) = match result {
                    Ok(low_watermark) => (ErrorCode::NONE, low_watermark),
                    Err(error) => (error, -1),
                };
                partitions.push(
                    DeleteRecordsPartitionResult::default()
                        .with_partition_index(asked.partition_index)
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
        DeleteRecordsResponse::default().with_topics(topics).into()
    }

    fn delete_before(
        &mut self,
        topic: &str,
        number: i32,
        offset: i64,
        disk: &mut Disk,
    ) -> Result<i64, ErrorCode> {
        self.hosted(topic, number)?.check_leader(-1)?;
        let partition = self
            .replicas
            .get_mut(topic, number)
            .ok_or(ErrorCode::NOT_LEADER_OR_FOLLOWER)?;
        if !partition.log.config().cleanup_policy.delete {
            return Err(ErrorCode::POLICY_VIOLATION);
        }
        let low_watermark = partition
            .log
            .delete_records(disk, offset)
            .map_err(|_| ErrorCode::OFFSET_OUT_OF_RANGE)?;
        let lines = partition.log.take_log_lines();
        self.log_lines(lines);
        self.purgatory.touch(topic, number);
        Ok(low_watermark)
    }
}
