//! DescribeLogDirs (KIP-113, KIP-827): the replicas in this broker's one log directory, and their sizes.

use std::collections::BTreeMap;

use playground_protocol::codec::StrBytes;
use playground_protocol::messages::describe_log_dirs_response::{
    DescribeLogDirsPartition, DescribeLogDirsResult, DescribeLogDirsTopic,
};
use playground_protocol::messages::{
    DescribeLogDirsRequest, DescribeLogDirsResponse, ResponseKind, TopicName,
};

use crate::node::Node;
use crate::node::view::Role;

/// What the file system of a virtual disk says that it holds, in bytes: a terabyte.
const TOTAL_BYTES: i64 = 1 << 40;

impl Node {
    pub(super) fn describe_log_dirs(&self, body: &DescribeLogDirsRequest) -> ResponseKind {
        let wanted = |topic: &str, number: i32| match &body.topics {
            None => true,
            Some(topics) => topics
                .iter()
                .any(|asked| asked.topic.as_str() == topic && asked.partitions.contains(&number)),
        };
        let mut topics: BTreeMap<&str, Vec<DescribeLogDirsPartition>> = BTreeMap::new();
        let mut used: i64 = 0;
        for (topic, number, partition) in self.replicas.iter() {
            let size = i64::try_from(partition.log.size()).unwrap_or(i64::MAX);
            used = used.saturating_add(size);
            if !wanted(topic, number) {
                continue;
            }
            // How far a replica's end is behind what all in-sync ones have (`getLogEndOffsetLag`).
            let log = &partition.log;
            let lag = if partition.role == Role::Leader {
                0
            } else {
                (log.high_watermark() - log.log_end_offset()).max(0)
            };
            topics.entry(topic).or_default().push(
                DescribeLogDirsPartition::default()
                    .with_partition_index(number)
                    .with_partition_size(size)
                    .with_offset_lag(lag)
                    .with_is_future_key(false),
            );
        }
        let topics = topics
            .into_iter()
            .map(|(topic, partitions)| {
                DescribeLogDirsTopic::default()
                    .with_name(TopicName(StrBytes::from_string(topic.to_owned())))
                    .with_partitions(partitions)
            })
            .collect();
        let result = DescribeLogDirsResult::default()
            .with_log_dir(StrBytes::from_string(self.config.log_dir.clone()))
            .with_topics(topics)
            .with_total_bytes(TOTAL_BYTES)
            .with_usable_bytes((TOTAL_BYTES - used).max(0));
        DescribeLogDirsResponse::default()
            .with_results(vec![result])
            .into()
    }
}
