//! The bodies that frames carry: reading and writing of the APIs that anything here speaks.
//!
//! The codec's own dispatch knows all of Kafka's APIs, and the page would carry the code of each of them; this one
//! knows those of [`SPOKEN`]. An API that gains a row in [`versions`](crate::versions) needs one here.

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestKind, ResponseKind};
use kafka_protocol::protocol::{Decodable, Encodable};

macro_rules! spoken {
    ($($api:ident $request:ident $response:ident,)*) => {
        use kafka_protocol::messages::{$($request, $response),*};

        /// The APIs whose bodies can be read and written.
        pub const SPOKEN: &[ApiKey] = &[$(ApiKey::$api),*];

        /// Reads the body of a request; `None` for an API that is not spoken.
        pub(crate) fn decode_request(
            api_key: ApiKey,
            bytes: &mut Bytes,
            version: i16,
        ) -> Option<Result<RequestKind, String>> {
            Some(match api_key {
                $(ApiKey::$api => $request::decode(bytes, version)
                    .map(RequestKind::$api)
                    .map_err(|error| error.to_string()),)*
                _ => return None,
            })
        }

        /// Reads the body of a response; `None` for an API that is not spoken.
        pub(crate) fn decode_response(
            api_key: ApiKey,
            bytes: &mut Bytes,
            version: i16,
        ) -> Option<Result<ResponseKind, String>> {
            Some(match api_key {
                $(ApiKey::$api => $response::decode(bytes, version)
                    .map(ResponseKind::$api)
                    .map_err(|error| error.to_string()),)*
                _ => return None,
            })
        }

        /// Writes the body of a request; `None` for an API that is not spoken.
        pub(crate) fn encode_request(
            body: &RequestKind,
            bytes: &mut BytesMut,
            version: i16,
        ) -> Option<Result<(), String>> {
            Some(match body {
                $(RequestKind::$api(body) => body
                    .encode(bytes, version)
                    .map_err(|error| error.to_string()),)*
                _ => return None,
            })
        }

        /// Writes the body of a response; `None` for an API that is not spoken.
        pub(crate) fn encode_response(
            body: &ResponseKind,
            bytes: &mut BytesMut,
            version: i16,
        ) -> Option<Result<(), String>> {
            Some(match body {
                $(ResponseKind::$api(body) => body
                    .encode(bytes, version)
                    .map_err(|error| error.to_string()),)*
                _ => return None,
            })
        }
    };
}

spoken! {
    Produce ProduceRequest ProduceResponse,
    Fetch FetchRequest FetchResponse,
    ListOffsets ListOffsetsRequest ListOffsetsResponse,
    Metadata MetadataRequest MetadataResponse,
    OffsetCommit OffsetCommitRequest OffsetCommitResponse,
    OffsetFetch OffsetFetchRequest OffsetFetchResponse,
    FindCoordinator FindCoordinatorRequest FindCoordinatorResponse,
    JoinGroup JoinGroupRequest JoinGroupResponse,
    Heartbeat HeartbeatRequest HeartbeatResponse,
    LeaveGroup LeaveGroupRequest LeaveGroupResponse,
    SyncGroup SyncGroupRequest SyncGroupResponse,
    DescribeGroups DescribeGroupsRequest DescribeGroupsResponse,
    ListGroups ListGroupsRequest ListGroupsResponse,
    ApiVersions ApiVersionsRequest ApiVersionsResponse,
    CreateTopics CreateTopicsRequest CreateTopicsResponse,
    DeleteTopics DeleteTopicsRequest DeleteTopicsResponse,
    DeleteRecords DeleteRecordsRequest DeleteRecordsResponse,
    InitProducerId InitProducerIdRequest InitProducerIdResponse,
    OffsetForLeaderEpoch OffsetForLeaderEpochRequest OffsetForLeaderEpochResponse,
    DescribeAcls DescribeAclsRequest DescribeAclsResponse,
    CreateAcls CreateAclsRequest CreateAclsResponse,
    DeleteAcls DeleteAclsRequest DeleteAclsResponse,
    DescribeConfigs DescribeConfigsRequest DescribeConfigsResponse,
    AlterConfigs AlterConfigsRequest AlterConfigsResponse,
    DescribeLogDirs DescribeLogDirsRequest DescribeLogDirsResponse,
    CreatePartitions CreatePartitionsRequest CreatePartitionsResponse,
    DeleteGroups DeleteGroupsRequest DeleteGroupsResponse,
    ElectLeaders ElectLeadersRequest ElectLeadersResponse,
    IncrementalAlterConfigs IncrementalAlterConfigsRequest IncrementalAlterConfigsResponse,
    AlterPartitionReassignments AlterPartitionReassignmentsRequest AlterPartitionReassignmentsResponse,
    ListPartitionReassignments ListPartitionReassignmentsRequest ListPartitionReassignmentsResponse,
    OffsetDelete OffsetDeleteRequest OffsetDeleteResponse,
    DescribeClientQuotas DescribeClientQuotasRequest DescribeClientQuotasResponse,
    AlterClientQuotas AlterClientQuotasRequest AlterClientQuotasResponse,
    DescribeUserScramCredentials DescribeUserScramCredentialsRequest DescribeUserScramCredentialsResponse,
    AlterUserScramCredentials AlterUserScramCredentialsRequest AlterUserScramCredentialsResponse,
    Vote VoteRequest VoteResponse,
    BeginQuorumEpoch BeginQuorumEpochRequest BeginQuorumEpochResponse,
    EndQuorumEpoch EndQuorumEpochRequest EndQuorumEpochResponse,
    DescribeQuorum DescribeQuorumRequest DescribeQuorumResponse,
    AlterPartition AlterPartitionRequest AlterPartitionResponse,
    UpdateFeatures UpdateFeaturesRequest UpdateFeaturesResponse,
    Envelope EnvelopeRequest EnvelopeResponse,
    FetchSnapshot FetchSnapshotRequest FetchSnapshotResponse,
    DescribeCluster DescribeClusterRequest DescribeClusterResponse,
    DescribeProducers DescribeProducersRequest DescribeProducersResponse,
    BrokerRegistration BrokerRegistrationRequest BrokerRegistrationResponse,
    BrokerHeartbeat BrokerHeartbeatRequest BrokerHeartbeatResponse,
    UnregisterBroker UnregisterBrokerRequest UnregisterBrokerResponse,
    DescribeTransactions DescribeTransactionsRequest DescribeTransactionsResponse,
    ListTransactions ListTransactionsRequest ListTransactionsResponse,
    AllocateProducerIds AllocateProducerIdsRequest AllocateProducerIdsResponse,
    ControllerRegistration ControllerRegistrationRequest ControllerRegistrationResponse,
    ListConfigResources ListConfigResourcesRequest ListConfigResourcesResponse,
    DescribeTopicPartitions DescribeTopicPartitionsRequest DescribeTopicPartitionsResponse,
    AddRaftVoter AddRaftVoterRequest AddRaftVoterResponse,
    RemoveRaftVoter RemoveRaftVoterRequest RemoveRaftVoterResponse,
    UpdateRaftVoter UpdateRaftVoterRequest UpdateRaftVoterResponse,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versions::{BROKER_APIS, CONTROLLER_APIS};

    #[test]
    fn every_api_that_a_listener_answers_is_spoken() {
        for (api_key, _, _) in BROKER_APIS.iter().chain(CONTROLLER_APIS) {
            assert!(
                SPOKEN.contains(api_key),
                "{api_key:?} needs its row in `spoken!`"
            );
        }
    }

    #[test]
    fn an_api_that_is_not_spoken_is_told_apart_from_a_bad_body() {
        let mut empty = Bytes::new();
        assert!(decode_request(ApiKey::CreateDelegationToken, &mut empty, 1).is_none());
        assert!(decode_request(ApiKey::Fetch, &mut empty, 4).is_some_and(|result| result.is_err()));
    }
}
