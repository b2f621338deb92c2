//! OffsetForLeaderEpoch (KIP-101, KIP-320): where an epoch ends, to find where two logs part.

use playground_protocol::ErrorCode;
use playground_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use playground_protocol::messages::{
    OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse, ResponseKind,
};

use crate::node::Node;

impl Node {
    pub(super) fn offset_for_leader_epoch(
        &self,
        body: &OffsetForLeaderEpochRequest,
    ) -> ResponseKind {
        let topics = body
            .topics
            .iter()
            .map(|topic| {
                let partitions = topic
                    .partitions
                    .iter()
                    .map(|asked| {
                        let end =
                            self.hosted(&topic.topic, asked.partition)
                                .and_then(|partition| {
                                    partition.check_leader(asked.current_leader_epoch)?;
                                    Ok(partition.log.end_offset_for_epoch(asked.leader_epoch))
                                });
                        let (error, (epoch, end_offset)) = match end {
                            Ok(end) => (ErrorCode::NONE, end.unwrap_or((-1, -1))),
                            Err(error) => (error, (-1, -1)),
                        };
                        EpochEndOffset::default()
                            .with_partition(asked.partition)
                            .with_error_code(error.0)
                            .with_leader_epoch(epoch)
                            .with_end_offset(end_offset)
                    })
                    .collect();
                OffsetForLeaderTopicResult::default()
                    .with_topic(topic.topic.clone())
                    .with_partitions(partitions)
            })
            .collect();
        OffsetForLeaderEpochResponse::default()
            .with_topics(topics)
            .into()
    }
}
