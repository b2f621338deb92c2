//! What a broker answers about the cluster: Metadata, DescribeTopicPartitions, DescribeCluster
//! (`KRaftMetadataCache`, `DescribeTopicPartitionsRequestHandler`).

use playground_protocol::messages::{
    DescribeClusterRequest, DescribeClusterResponse, DescribeTopicPartitionsRequest,
    DescribeTopicPartitionsResponse, MetadataRequest, MetadataResponse,
};
use uuid::Uuid;

use super::image::MetadataImage;
use crate::config::BrokerConfig;

/// What the answering broker knows.
#[derive(Clone, Copy, Debug)]
pub struct BrokerView<'a> {
    /// The metadata that it has replayed.
    pub image: &'a MetadataImage,
    /// Its configuration.
    pub config: &'a BrokerConfig,
    /// The cluster's id.
    pub cluster_id: Uuid,
    /// The name of the listener that the request came by; endpoints of this name are told.
    pub listener: &'a str,
    /// A number that picks the broker which is told to be the controller: brokers tell a random alive one,
    /// to which clients send what is forwarded anyway.
    pub random: u64,
}

/// Topics that a Metadata request names, may create, and that do not exist; the caller creates them (with the
/// name's own partition counts for internal topics) when `auto.create.topics.enable` is set.
pub fn topics_to_create(
    view: &BrokerView<'_>,
    request: &MetadataRequest,
    version: i16,
) -> Vec<String> {
    let _ = (view, request, version);
    Vec::new()
}

/// Answers a Metadata request.
pub fn metadata(
    view: &BrokerView<'_>,
    request: &MetadataRequest,
    version: i16,
) -> MetadataResponse {
    let _ = (view, request, version);
    MetadataResponse::default()
}

/// Answers a DescribeTopicPartitions request.
pub fn describe_topic_partitions(
    view: &BrokerView<'_>,
    request: &DescribeTopicPartitionsRequest,
) -> DescribeTopicPartitionsResponse {
    let _ = (view, request);
    DescribeTopicPartitionsResponse::default()
}

/// Answers a DescribeCluster request.
pub fn describe_cluster(
    view: &BrokerView<'_>,
    request: &DescribeClusterRequest,
    version: i16,
) -> DescribeClusterResponse {
    let _ = (view, request, version);
    DescribeClusterResponse::default()
}
