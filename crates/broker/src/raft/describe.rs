//! DescribeQuorum: what the leader knows of the replicas (KIP-595, KIP-836, KIP-853).

use playground_protocol::codec::StrBytes;
use playground_protocol::messages::describe_quorum_response::{
    Listener, Node, PartitionData, ReplicaState, TopicData,
};
use playground_protocol::messages::{DescribeQuorumRequest, DescribeQuorumResponse};
use playground_protocol::{ErrorCode, Time};
use uuid::Uuid;

use super::Raft;
use super::messages::{is_metadata, topic_name};
use super::state::{ReplicaState as Known, State};
use crate::node::CONTROLLER_LISTENER;

/// An observer that did not fetch for this time is forgotten (`LeaderState.OBSERVER_SESSION_TIMEOUT_MS`).
const OBSERVER_SESSION_MS: i64 = 300_000;

impl Raft {
    pub(super) fn describe_quorum(
        &mut self,
        request: &DescribeQuorumRequest,
        version: i16,
        now: Time,
    ) -> DescribeQuorumResponse {
        let asks = request.topics.first().is_some_and(|topic| {
            is_metadata(&topic.topic_name)
                && topic
                    .partitions
                    .first()
                    .is_some_and(|partition| partition.partition_index == 0)
        });
        if !asks {
            let error = ErrorCode::UNKNOWN_TOPIC_OR_PARTITION;
            let topics = request.topics.iter().map(|topic| {
                let partitions = topic.partitions.iter().map(|partition| {
                    PartitionData::default()
                        .with_partition_index(partition.partition_index)
                        .with_error_code(error.0)
                });
                TopicData::default()
                    .with_topic_name(topic.topic_name.clone())
                    .with_partitions(partitions.collect())
            });
            return DescribeQuorumResponse::default().with_topics(topics.collect());
        }
        let (node_id, epoch) = (self.config.node_id, self.epoch);
        let State::Leader(leader) = &mut self.state else {
            return quorum(
                PartitionData::default().with_error_code(ErrorCode::NOT_LEADER_OR_FOLLOWER.0),
            );
        };
        leader.observers.retain(|_, observer| {
            observer
                .last_fetch
                .is_none_or(|at| now < at.plus_millis(OBSERVER_SESSION_MS))
        });
        let millis = |at: Option<Time>| at.map_or(-1, Time::millis);
        let replica = |id: i32, directory: Uuid, known: &Known| {
            ReplicaState::default()
                .with_replica_id(id.into())
                .with_replica_directory_id(directory)
                .with_log_end_offset(known.end_offset.unwrap_or(-1))
                .with_last_fetch_timestamp(millis(known.last_fetch))
                .with_last_caught_up_timestamp(millis(known.last_caught_up))
        };
        let own = Known {
            end_offset: Some(leader.end_offset),
            last_fetch: Some(now),
            last_caught_up: Some(now),
            ..Known::default()
        };
        // Configured voters have no directory ids (kraft.version 0).
        let mut voters: Vec<ReplicaState> = leader
            .voters
            .iter()
            .map(|(id, known)| replica(*id, Uuid::nil(), known))
            .collect();
        voters.push(replica(node_id, Uuid::nil(), &own));
        voters.sort_by_key(|voter| voter.replica_id.0);
        let observers = leader
            .observers
            .iter()
            .map(|((id, directory), known)| replica(*id, *directory, known))
            .collect();
        let partition = PartitionData::default()
            .with_leader_id(node_id.into())
            .with_leader_epoch(epoch)
            .with_high_watermark(leader.high_watermark.unwrap_or(-1))
            .with_current_voters(voters)
            .with_observers(observers);
        let nodes = self.config.voters.iter().map(|(id, (host, port))| {
            Node::default()
                .with_node_id((*id).into())
                .with_listeners(vec![
                    Listener::default()
                        .with_name(StrBytes::from_static_str(CONTROLLER_LISTENER))
                        .with_host(StrBytes::from_string(host.clone()))
                        .with_port(*port),
                ])
        });
        // Older versions have no addresses.
        let nodes = if version >= 2 {
            nodes.collect()
        } else {
            Vec::new()
        };
        quorum(partition).with_nodes(nodes)
    }
}

fn quorum(partition: PartitionData) -> DescribeQuorumResponse {
    DescribeQuorumResponse::default().with_topics(vec![
        TopicData::default()
            .with_topic_name(topic_name())
            .with_partitions(vec![partition]),
    ])
}
