//! The admin client's answers, one file for each family of APIs.

mod cluster;
mod configs;
mod groups;
mod partitions;
mod topics;

use std::collections::BTreeMap;

use playground_protocol::messages::{DescribeClusterResponse, ResponseKind};
use playground_protocol::{ErrorCode, Time};

use super::engine::{Call, Step};
use super::{Admin, AdminRequest, AdminResponse, NodeInfo, PerKey};
use crate::ClientError;

/// The outcomes of one kind in an answer, if it is of that kind.
type Select<K, T> = fn(&mut AdminResponse) -> Option<&mut PerKey<K, T>>;

/// The [`Select`] of one variant of [`AdminResponse`].
macro_rules! select {
    ($variant:ident) => {
        |response| match response {
            $crate::admin::AdminResponse::$variant(map) => Some(map),
            _ => None,
        }
    };
}
use select;

/// The exception, if the code is one.
fn outcome<T>(code: i16, message: Option<&str>, value: T) -> Result<T, ClientError> {
    let code = ErrorCode(code);
    if code.is_none() {
        Ok(value)
    } else {
        Err(ClientError::from_code(code, message))
    }
}

/// Whether the node that answered is not the controller.
fn is_not_controller(code: i16) -> bool {
    ErrorCode(code) == ErrorCode::NOT_CONTROLLER
}

impl Admin {
    /// Takes the response to a call.
    pub(super) fn handle_response(&mut self, call: Call, response: ResponseKind, now: Time) {
        match (&call.step, response) {
            (Step::DescribeCluster, ResponseKind::DescribeCluster(response)) => {
                self.describe_cluster(call, &response, now);
            }
            (Step::DescribeTopicsCluster, ResponseKind::DescribeCluster(response)) => {
                self.describe_topics_cluster(call, &response, now);
            }
            (Step::DescribeTopicPartitions { .. }, ResponseKind::DescribeTopicPartitions(r)) => {
                self.describe_topic_partitions(call, r.topics, r.next_cursor.is_some());
            }
            (Step::ListTopics, ResponseKind::Metadata(response)) => {
                self.list_topics(&call, &response);
            }
            (Step::CreateTopics, ResponseKind::CreateTopics(response)) => {
                self.create_topics(call, response, now);
            }
            (Step::DeleteTopics, ResponseKind::DeleteTopics(response)) => {
                self.delete_topics(call, response, now);
            }
            (Step::CreatePartitions, ResponseKind::CreatePartitions(response)) => {
                self.create_partitions(call, response, now);
            }
            (Step::DescribeConfigs(_), ResponseKind::DescribeConfigs(response)) => {
                self.describe_configs(&call, response);
            }
            (Step::AlterConfigs(_), ResponseKind::IncrementalAlterConfigs(response)) => {
                self.alter_configs(call, response, now);
            }
            (Step::ListConfigResources, ResponseKind::ListConfigResources(response)) => {
                self.list_config_resources(&call, &response);
            }
            (Step::FindAllBrokers, ResponseKind::Metadata(response)) => {
                self.all_brokers(&call, &response);
            }
            (Step::ListGroups, ResponseKind::ListGroups(response)) => {
                self.list_groups(call, &response, now);
            }
            (Step::LookupLeaders(_), ResponseKind::Metadata(response)) => {
                self.leaders(call, &response, now);
            }
            (Step::FindCoordinators(_), ResponseKind::FindCoordinator(response)) => {
                self.coordinators(call, &response, now);
            }
            (Step::ListOffsets(_), ResponseKind::ListOffsets(response)) => {
                self.list_offsets(call, response, now);
            }
            (Step::DeleteRecords(_), ResponseKind::DeleteRecords(response)) => {
                self.delete_records(call, response, now);
            }
            (Step::ConsumerGroupDescribe(_), ResponseKind::ConsumerGroupDescribe(response)) => {
                self.consumer_groups(call, response.groups, now);
            }
            (Step::DescribeGroups(_), ResponseKind::DescribeGroups(response)) => {
                self.classic_groups(call, response.groups, now);
            }
            (Step::DeleteGroups(_), ResponseKind::DeleteGroups(response)) => {
                self.delete_groups(call, &response, now);
            }
            (Step::OffsetFetch(_), ResponseKind::OffsetFetch(response)) => {
                self.offset_fetch(call, &response, now);
            }
            (Step::OffsetCommit, ResponseKind::OffsetCommit(response)) => {
                self.offset_commit(call, &response, now);
            }
            (Step::OffsetDelete, ResponseKind::OffsetDelete(response)) => {
                self.offset_delete(call, &response, now);
            }
            (Step::ApiVersions(_), ResponseKind::ApiVersions(response)) => {
                self.api_ranges(call, &response);
            }
            (Step::DescribeFeatures, ResponseKind::ApiVersions(response)) => {
                self.describe_features(&call, &response);
            }
            (Step::UpdateFeatures, ResponseKind::UpdateFeatures(response)) => {
                self.update_features(call, &response, now);
            }
            (Step::DescribeLogDirs(_), ResponseKind::DescribeLogDirs(response)) => {
                self.describe_log_dirs(&call, response);
            }
            (Step::ElectLeaders, ResponseKind::ElectLeaders(response)) => {
                self.elect_leaders(call, response, now);
            }
            (
                Step::AlterPartitionReassignments,
                ResponseKind::AlterPartitionReassignments(response),
            ) => self.alter_reassignments(call, response, now),
            (
                Step::ListPartitionReassignments,
                ResponseKind::ListPartitionReassignments(response),
            ) => self.list_reassignments(call, response, now),
            (Step::DescribeQuorum, ResponseKind::DescribeQuorum(response)) => {
                self.describe_quorum(&call, response);
            }
            (Step::AddRaftVoter, ResponseKind::AddRaftVoter(response)) => {
                let message = response.error_message.as_deref();
                self.done_or_failed(call, response.error_code, message, now);
            }
            (Step::RemoveRaftVoter, ResponseKind::RemoveRaftVoter(response)) => {
                let message = response.error_message.as_deref();
                self.done_or_failed(call, response.error_code, message, now);
            }
            (Step::UnregisterBroker, ResponseKind::UnregisterBroker(response)) => {
                self.unregister_broker(call, &response, now);
            }
            (Step::DescribeClientQuotas, ResponseKind::DescribeClientQuotas(response)) => {
                self.describe_quotas(&call, response);
            }
            (Step::AlterClientQuotas, ResponseKind::AlterClientQuotas(response)) => {
                self.alter_quotas(call, response, now);
            }
            _ => self.end_call(
                &call,
                ClientError::new(
                    "java.lang.IllegalStateException",
                    "The response does not belong to the request.",
                ),
            ),
        }
    }

    /// Fills in the operation's results, and the call is over.
    fn with_response(&mut self, call: &Call, fill: impl FnOnce(&mut AdminResponse)) {
        self.with_response_and_request(call, |response, _| fill(response));
    }

    fn with_response_and_request(
        &mut self,
        call: &Call,
        fill: impl FnOnce(&mut AdminResponse, &AdminRequest),
    ) {
        if let Some(operation) = self.operations.get_mut(&call.operation) {
            fill(&mut operation.response, &operation.request);
        }
        self.call_over(call.operation);
    }

    /// Puts outcomes where `select` says, and the call is over.
    fn put<K: std::hash::Hash + Eq, T>(
        &mut self,
        call: &Call,
        outcomes: impl IntoIterator<Item = (K, Result<T, ClientError>)>,
        select: Select<K, T>,
    ) {
        self.with_response(call, |response| {
            if let Some(map) = select(response) {
                map.extend(outcomes);
            }
        });
    }

    /// The node that was asked is not the controller: asks again once the controller is known.
    fn not_controller(&mut self, call: Call, now: Time) {
        self.network.metadata_mut().request_update();
        let error = ClientError::from_code(ErrorCode::NOT_CONTROLLER, None);
        self.fail_call(call, error, true, now);
    }

    /// The end of a call that answers with one code for all of it.
    fn done_or_failed(&mut self, call: Call, code: i16, message: Option<&str>, now: Time) {
        if is_not_controller(code) {
            self.not_controller(call, now);
            return;
        }
        match outcome(code, message, ()) {
            Ok(()) => self.call_over(call.operation),
            Err(error) => self.end_call(&call, error),
        }
    }
}

fn unknown_node(id: i32) -> NodeInfo {
    NodeInfo {
        id,
        host: String::new(),
        port: -1,
        rack: None,
        fenced: false,
    }
}

fn nodes_of(response: &DescribeClusterResponse) -> BTreeMap<i32, NodeInfo> {
    response
        .brokers
        .iter()
        .map(|broker| {
            (
                broker.broker_id.0,
                NodeInfo {
                    id: broker.broker_id.0,
                    host: broker.host.to_string(),
                    port: broker.port,
                    rack: broker.rack.as_ref().map(ToString::to_string),
                    fenced: broker.is_fenced,
                },
            )
        })
        .collect()
}
