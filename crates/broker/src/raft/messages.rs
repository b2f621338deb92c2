//! Requests and responses of the one partition that there is, and what is common in them.

use playground_protocol::ErrorCode;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::{
    BeginQuorumEpochRequest, BeginQuorumEpochResponse, EndQuorumEpochRequest,
    EndQuorumEpochResponse, TopicName, VoteRequest, VoteResponse, begin_quorum_epoch_request,
    begin_quorum_epoch_response, end_quorum_epoch_request, end_quorum_epoch_response, vote_request,
    vote_response,
};
use uuid::Uuid;

use super::log::METADATA_TOPIC;
use super::{OffsetAndEpoch, Raft};
use crate::node::CONTROLLER_LISTENER;

/// The versions that the quorum speaks: the highest of 4.3.1.
pub(super) const VOTE_VERSION: i16 = 2;
pub(super) const EPOCH_VERSION: i16 = 1;
pub(super) const FETCH_VERSION: i16 = 18;

/// What a response says about the quorum, whatever it answers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Header {
    pub error: ErrorCode,
    pub leader: Option<i32>,
    pub epoch: i32,
}

pub(super) fn topic_name() -> TopicName {
    TopicName(StrBytes::from_static_str(METADATA_TOPIC))
}

pub(super) fn is_metadata(topic: &TopicName) -> bool {
    topic.0.as_str() == METADATA_TOPIC
}

pub(super) fn known(id: i32) -> Option<i32> {
    (id >= 0).then_some(id)
}

impl Raft {
    pub(super) fn cluster_id(&self) -> Option<StrBytes> {
        Some(StrBytes::from_string(self.config.cluster_id.clone()))
    }

    /// The leader's id on the wire.
    pub(super) fn leader_or_sentinel(&self) -> i32 {
        self.state.leader(self.config.node_id).unwrap_or(-1)
    }

    /// The leader with its address, for the end of a response.
    pub(super) fn leader_endpoint(&self) -> Option<(i32, StrBytes, u16)> {
        let leader = self.state.leader(self.config.node_id)?;
        let (host, port) = self.address(leader)?;
        Some((leader, StrBytes::from_string(host.clone()), *port))
    }

    /// This node's own address as voters know it.
    fn own_endpoint(&self) -> (StrBytes, StrBytes, u16) {
        let (host, port) = self
            .address(self.config.node_id)
            .cloned()
            .unwrap_or_default();
        (
            StrBytes::from_static_str(CONTROLLER_LISTENER),
            StrBytes::from_string(host),
            port,
        )
    }

    pub(super) fn vote_request(&self, voter: i32, pre_vote: bool) -> VoteRequest {
        let OffsetAndEpoch { epoch, offset } = self.log.end();
        let partition = vote_request::PartitionData::default()
            .with_partition_index(0)
            .with_replica_epoch(self.epoch)
            .with_replica_id(self.config.node_id.into())
            .with_replica_directory_id(self.config.directory_id)
            .with_voter_directory_id(Uuid::nil())
            .with_last_offset_epoch(epoch)
            .with_last_offset(offset)
            .with_pre_vote(pre_vote);
        let topic = vote_request::TopicData::default()
            .with_topic_name(topic_name())
            .with_partitions(vec![partition]);
        VoteRequest::default()
            .with_cluster_id(self.cluster_id())
            .with_voter_id(voter.into())
            .with_topics(vec![topic])
    }

    pub(super) fn vote_response(&self, error: ErrorCode, granted: bool) -> VoteResponse {
        let partition = vote_response::PartitionData::default()
            .with_partition_index(0)
            .with_error_code(error.0)
            .with_leader_id(self.leader_or_sentinel().into())
            .with_leader_epoch(self.epoch)
            .with_vote_granted(granted);
        let topic = vote_response::TopicData::default()
            .with_topic_name(topic_name())
            .with_partitions(vec![partition]);
        let endpoint = self.leader_endpoint().map(|(id, host, port)| {
            vote_response::NodeEndpoint::default()
                .with_node_id(id.into())
                .with_host(host)
                .with_port(port)
        });
        VoteResponse::default()
            .with_topics(vec![topic])
            .with_node_endpoints(endpoint.into_iter().collect())
    }

    pub(super) fn begin_epoch_request(&self, voter: i32) -> BeginQuorumEpochRequest {
        use begin_quorum_epoch_request::{LeaderEndpoint, PartitionData, TopicData};
        let partition = PartitionData::default()
            .with_partition_index(0)
            .with_voter_directory_id(Uuid::nil())
            .with_leader_id(self.config.node_id.into())
            .with_leader_epoch(self.epoch);
        let topic = TopicData::default()
            .with_topic_name(topic_name())
            .with_partitions(vec![partition]);
        let (name, host, port) = self.own_endpoint();
        let endpoint = LeaderEndpoint::default()
            .with_name(name)
            .with_host(host)
            .with_port(port);
        BeginQuorumEpochRequest::default()
            .with_cluster_id(self.cluster_id())
            .with_voter_id(voter.into())
            .with_topics(vec![topic])
            .with_leader_endpoints(vec![endpoint])
    }

    pub(super) fn begin_epoch_response(&self, error: ErrorCode) -> BeginQuorumEpochResponse {
        use begin_quorum_epoch_response::{NodeEndpoint, PartitionData, TopicData};
        let partition = PartitionData::default()
            .with_partition_index(0)
            .with_error_code(error.0)
            .with_leader_id(self.leader_or_sentinel().into())
            .with_leader_epoch(self.epoch);
        let topic = TopicData::default()
            .with_topic_name(topic_name())
            .with_partitions(vec![partition]);
        let endpoint = self.leader_endpoint().map(|(id, host, port)| {
            NodeEndpoint::default()
                .with_node_id(id.into())
                .with_host(host)
                .with_port(port)
        });
        BeginQuorumEpochResponse::default()
            .with_topics(vec![topic])
            .with_node_endpoints(endpoint.into_iter().collect())
    }

    pub(super) fn end_epoch_request(&self, successors: &[i32]) -> EndQuorumEpochRequest {
        use end_quorum_epoch_request::{LeaderEndpoint, PartitionData, ReplicaInfo, TopicData};
        let candidate = |id: &i32| ReplicaInfo::default().with_candidate_id((*id).into());
        let partition = PartitionData::default()
            .with_partition_index(0)
            .with_leader_id(self.config.node_id.into())
            .with_leader_epoch(self.epoch)
            .with_preferred_candidates(successors.iter().map(candidate).collect());
        let topic = TopicData::default()
            .with_topic_name(topic_name())
            .with_partitions(vec![partition]);
        let (name, host, port) = self.own_endpoint();
        let endpoint = LeaderEndpoint::default()
            .with_name(name)
            .with_host(host)
            .with_port(port);
        EndQuorumEpochRequest::default()
            .with_cluster_id(self.cluster_id())
            .with_topics(vec![topic])
            .with_leader_endpoints(vec![endpoint])
    }

    pub(super) fn end_epoch_response(&self, error: ErrorCode) -> EndQuorumEpochResponse {
        use end_quorum_epoch_response::{NodeEndpoint, PartitionData, TopicData};
        let partition = PartitionData::default()
            .with_partition_index(0)
            .with_error_code(error.0)
            .with_leader_id(self.leader_or_sentinel().into())
            .with_leader_epoch(self.epoch);
        let topic = TopicData::default()
            .with_topic_name(topic_name())
            .with_partitions(vec![partition]);
        let endpoint = self.leader_endpoint().map(|(id, host, port)| {
            NodeEndpoint::default()
                .with_node_id(id.into())
                .with_host(host)
                .with_port(port)
        });
        EndQuorumEpochResponse::default()
            .with_topics(vec![topic])
            .with_node_endpoints(endpoint.into_iter().collect())
    }

    /// Whether a request is of this cluster; one that does not say is.
    pub(super) fn is_own_cluster(&self, cluster_id: Option<&StrBytes>) -> bool {
        cluster_id.is_none_or(|id| id.as_str() == self.config.cluster_id)
    }
}
