//! The API versions that Apache Kafka 4.3.1 advertises, as far as the codec has them.

use std::ops::RangeInclusive;

use kafka_protocol::messages::ApiKey;

/// What a broker's client listener advertises: (API, lowest, highest version of 4.3.1), in key order.
/// APIs that this broker does not answer yet are left out, as a broker without the feature would.
pub const BROKER_APIS: &[(ApiKey, i16, i16)] = &[
    (ApiKey::Produce, 0, 13),
    (ApiKey::Fetch, 4, 18),
    (ApiKey::ListOffsets, 1, 11),
    (ApiKey::Metadata, 0, 13),
    (ApiKey::OffsetCommit, 2, 10),
    (ApiKey::OffsetFetch, 1, 10),
    (ApiKey::FindCoordinator, 0, 6),
    (ApiKey::JoinGroup, 0, 9),
    (ApiKey::Heartbeat, 0, 4),
    (ApiKey::LeaveGroup, 0, 5),
    (ApiKey::SyncGroup, 0, 5),
    (ApiKey::DescribeGroups, 0, 6),
    (ApiKey::ListGroups, 0, 5),
    (ApiKey::ApiVersions, 0, 4),
    (ApiKey::CreateTopics, 2, 7),
    (ApiKey::DeleteTopics, 1, 6),
    (ApiKey::DeleteRecords, 0, 2),
    (ApiKey::InitProducerId, 0, 5),
    (ApiKey::OffsetForLeaderEpoch, 2, 4),
    (ApiKey::DescribeConfigs, 1, 4),
    (ApiKey::AlterConfigs, 0, 2),
    (ApiKey::DescribeLogDirs, 1, 5),
    (ApiKey::CreatePartitions, 0, 3),
    (ApiKey::DeleteGroups, 0, 2),
    (ApiKey::ElectLeaders, 0, 2),
    (ApiKey::IncrementalAlterConfigs, 0, 1),
    (ApiKey::AlterPartitionReassignments, 0, 1),
    (ApiKey::ListPartitionReassignments, 0, 0),
    (ApiKey::OffsetDelete, 0, 0),
    (ApiKey::DescribeClientQuotas, 0, 1),
    (ApiKey::AlterClientQuotas, 0, 1),
    (ApiKey::DescribeUserScramCredentials, 0, 0),
    (ApiKey::DescribeQuorum, 0, 2),
    (ApiKey::UpdateFeatures, 0, 2),
    (ApiKey::DescribeCluster, 0, 2),
    (ApiKey::UnregisterBroker, 0, 0),
    (ApiKey::ListConfigResources, 0, 1),
    (ApiKey::DescribeTopicPartitions, 0, 0),
];

/// What a controller listener answers besides [`ApiKey::ApiVersions`].
pub const CONTROLLER_APIS: &[(ApiKey, i16, i16)] = &[
    (ApiKey::Fetch, 4, 18),
    (ApiKey::ApiVersions, 0, 4),
    (ApiKey::Vote, 0, 2),
    (ApiKey::BeginQuorumEpoch, 0, 1),
    (ApiKey::EndQuorumEpoch, 0, 1),
    (ApiKey::DescribeQuorum, 0, 2),
    (ApiKey::AlterPartition, 2, 3),
    (ApiKey::Envelope, 0, 0),
    (ApiKey::BrokerRegistration, 0, 4),
    (ApiKey::BrokerHeartbeat, 0, 1),
    (ApiKey::AllocateProducerIds, 0, 0),
];

/// The versions of `api_key` that can be read and written here, on any listener: 4.3.1's range, cut to
/// the codec's. `None` when the API is not answered on any listener.
///
/// Produce is advertised from 0 (KAFKA-18659: librdkafka reads the minimum) but read from 3, as in Kafka.
pub fn supported(api_key: ApiKey) -> Option<RangeInclusive<i16>> {
    let (_, low, high) = BROKER_APIS
        .iter()
        .chain(CONTROLLER_APIS)
        .find(|(key, _, _)| *key == api_key)?;
    let codec = api_key.valid_versions();
    // The codec's own table counts responses that it has and requests that it lacks.
    let codec_high = match api_key {
        ApiKey::OffsetCommit | ApiKey::OffsetFetch => codec.max.min(9),
        _ => codec.max,
    };
    Some((*low).max(codec.min)..=(*high).min(codec_high))
}
