//! Calls, their nodes, retries and timeouts (`KafkaAdminClient.AdminClientRunnable` and `Call`).

use std::collections::BTreeMap;

use playground_protocol::Time;
use playground_protocol::messages::ApiKey;

use super::requests::build;
use super::{
    Admin, AdminEvent, AdminRequest, AdminResponse, ConfigResource, NodeInfo, OperationId,
    TopicDescription,
};
use crate::network::{Completed, Outcome, api_name, unsupported};
use crate::{ClientError, TopicPartition};

/// Which node a call goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Target {
    LeastLoaded,
    Controller,
    Broker(i32),
}

/// One request of an operation, with the keys that it is about.
#[derive(Clone, Debug)]
pub(super) enum Step {
    DescribeCluster,
    ListTopics,
    CreateTopics,
    DeleteTopics,
    CreatePartitions,
    DescribeTopicsCluster,
    DescribeTopicPartitions {
        topics: Vec<String>,
        nodes: BTreeMap<i32, NodeInfo>,
        partial: Option<TopicDescription>,
    },
    DescribeConfigs(Vec<ConfigResource>),
    AlterConfigs(Vec<ConfigResource>),
    ListConfigResources,
    FindAllBrokers,
    ListGroups,
    LookupLeaders(Vec<TopicPartition>),
    FindCoordinators(Vec<String>),
    ListOffsets(Vec<TopicPartition>),
    DeleteRecords(Vec<TopicPartition>),
    ConsumerGroupDescribe(Vec<String>),
    DescribeGroups(Vec<String>),
    DeleteGroups(Vec<String>),
    OffsetFetch(Vec<String>),
    OffsetCommit,
    OffsetDelete,
    ApiVersions(NodeInfo),
    DescribeFeatures,
    UpdateFeatures,
    DescribeLogDirs(i32),
    ElectLeaders,
    AlterPartitionReassignments,
    ListPartitionReassignments,
    DescribeQuorum,
    AddRaftVoter,
    RemoveRaftVoter,
    UnregisterBroker,
    DescribeClientQuotas,
    AlterClientQuotas,
}

impl Step {
    pub(super) fn api_key(&self) -> ApiKey {
        match self {
            Step::DescribeCluster | Step::DescribeTopicsCluster => ApiKey::DescribeCluster,
            Step::ListTopics | Step::FindAllBrokers | Step::LookupLeaders(_) => ApiKey::Metadata,
            Step::CreateTopics => ApiKey::CreateTopics,
            Step::DeleteTopics => ApiKey::DeleteTopics,
            Step::CreatePartitions => ApiKey::CreatePartitions,
            Step::DescribeTopicPartitions { .. } => ApiKey::DescribeTopicPartitions,
            Step::DescribeConfigs(_) => ApiKey::DescribeConfigs,
            Step::AlterConfigs(_) => ApiKey::IncrementalAlterConfigs,
            Step::ListConfigResources => ApiKey::ListConfigResources,
            Step::ListGroups => ApiKey::ListGroups,
            Step::FindCoordinators(_) => ApiKey::FindCoordinator,
            Step::ListOffsets(_) => ApiKey::ListOffsets,
            Step::DeleteRecords(_) => ApiKey::DeleteRecords,
            Step::ConsumerGroupDescribe(_) => ApiKey::ConsumerGroupDescribe,
            Step::DescribeGroups(_) => ApiKey::DescribeGroups,
            Step::DeleteGroups(_) => ApiKey::DeleteGroups,
            Step::OffsetFetch(_) => ApiKey::OffsetFetch,
            Step::OffsetCommit => ApiKey::OffsetCommit,
            Step::OffsetDelete => ApiKey::OffsetDelete,
            Step::ApiVersions(_) | Step::DescribeFeatures => ApiKey::ApiVersions,
            Step::UpdateFeatures => ApiKey::UpdateFeatures,
            Step::DescribeLogDirs(_) => ApiKey::DescribeLogDirs,
            Step::ElectLeaders => ApiKey::ElectLeaders,
            Step::AlterPartitionReassignments => ApiKey::AlterPartitionReassignments,
            Step::ListPartitionReassignments => ApiKey::ListPartitionReassignments,
            Step::DescribeQuorum => ApiKey::DescribeQuorum,
            Step::AddRaftVoter => ApiKey::AddRaftVoter,
            Step::RemoveRaftVoter => ApiKey::RemoveRaftVoter,
            Step::UnregisterBroker => ApiKey::UnregisterBroker,
            Step::DescribeClientQuotas => ApiKey::DescribeClientQuotas,
            Step::AlterClientQuotas => ApiKey::AlterClientQuotas,
        }
    }

    /// The newest version that the step is written for: from version 10 on, offsets are of topic ids.
    fn version_max(&self) -> i16 {
        match self {
            Step::OffsetFetch(_) | Step::OffsetCommit => 9,
            _ => i16::MAX,
        }
    }

    /// The name that Java gives the call in its errors.
    fn name(&self, request: &AdminRequest) -> String {
        let fixed = match self {
            Step::DescribeCluster | Step::DescribeTopicsCluster => "listNodes",
            Step::ListTopics => "listTopics",
            Step::CreateTopics => "createTopics",
            Step::DeleteTopics => "deleteTopics",
            Step::CreatePartitions => "createPartitions",
            Step::DescribeTopicPartitions { .. } => "describeTopicPartitions",
            Step::DescribeConfigs(_) => "describeConfigs",
            Step::AlterConfigs(_) => "incrementalAlterConfigs",
            Step::ListConfigResources => "listConfigResources",
            Step::FindAllBrokers => "findAllBrokers",
            Step::ListGroups => "listGroups",
            Step::ApiVersions(_) => "apiVersions",
            Step::DescribeFeatures => "describeFeatures",
            Step::UpdateFeatures => "updateFeatures",
            Step::DescribeLogDirs(_) => "describeLogDirs",
            Step::ElectLeaders => "electLeaders",
            Step::AlterPartitionReassignments => "alterPartitionReassignments",
            Step::ListPartitionReassignments => "listPartitionReassignments",
            Step::DescribeQuorum => "describeMetadataQuorum",
            Step::AddRaftVoter => "addRaftVoter",
            Step::RemoveRaftVoter => "removeRaftVoter",
            Step::UnregisterBroker => "unregisterBroker",
            Step::DescribeClientQuotas => "describeClientQuotas",
            Step::AlterClientQuotas => "alterClientQuotas",
            _ => {
                let handler = match request {
                    AdminRequest::ListOffsets { .. } => "listOffsets",
                    AdminRequest::DeleteRecords { .. } => "deleteRecords",
                    AdminRequest::DescribeGroups { .. } => "describeConsumerGroups",
                    AdminRequest::DeleteGroups { .. } => "deleteConsumerGroups",
                    AdminRequest::ListGroupOffsets { .. } => "offsetFetch",
                    AdminRequest::AlterGroupOffsets { .. } => "offsetCommit",
                    _ => "offsetDelete",
                };
                return format!("{handler}(api={})", api_name(self.api_key()));
            }
        };
        fixed.to_owned()
    }
}

/// A request to send, or sent.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) operation: OperationId,
    pub(super) target: Target,
    pub(super) step: Step,
    pub(super) tries: u32,
    pub(super) next_allowed: Time,
    /// The node was chosen, its connection is awaited.
    pub(super) assigned: bool,
    /// When that connection is given up.
    pub(super) ready_deadline: Option<Time>,
    /// The node that it was sent to.
    pub(super) node: i32,
}

/// An operation that is under way.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) request: AdminRequest,
    pub(super) response: AdminResponse,
    pub(super) deadline: Time,
    /// Calls that are not over.
    pub(super) outstanding: usize,
    pub(super) failure: Option<ClientError>,
}

impl Admin {
    /// Adds a call to an operation.
    pub(super) fn enqueue(&mut self, operation: OperationId, target: Target, step: Step) {
        self.enqueue_after(operation, target, step, 0, Time::default());
    }

    /// Adds a call that waits: a retry.
    pub(super) fn enqueue_after(
        &mut self,
        id: OperationId,
        target: Target,
        step: Step,
        tries: u32,
        next_allowed: Time,
    ) {
        if let Some(operation) = self.operations.get_mut(&id) {
            operation.outstanding += 1;
            self.pending.push(Call {
                operation: id,
                target,
                step,
                tries,
                next_allowed,
                assigned: false,
                ready_deadline: None,
                node: 0,
            });
        }
    }

    /// The same keys again, after the backoff, with a fresh lookup of their node or not.
    pub(super) fn retry_keys(&mut self, call: &Call, target: Target, step: Step, now: Time) {
        let wait = self
            .retry_backoff
            .wait_ms(call.tries, self.network.random());
        self.enqueue_after(
            call.operation,
            target,
            step,
            call.tries + 1,
            now.plus_millis(wait),
        );
    }

    /// One turn: completions, timeouts, sends, until nothing moves.
    pub(super) fn run(&mut self, now: Time) {
        if self.network.is_closed() {
            return;
        }
        self.time_out(now);
        loop {
            while let Some(completed) = self.network.poll_completed() {
                self.completed(completed, now);
            }
            self.network.update_metadata(now);
            self.send_pending(now);
            if !self.network.has_completed() {
                break;
            }
        }
        self.network.finish(now);
    }

    fn time_out(&mut self, now: Time) {
        let late: Vec<i32> = self
            .in_flight
            .values()
            .filter(|call| self.is_late(call, now))
            .map(|call| call.node)
            .collect();
        for node in late {
            self.network.disconnect(node, now);
        }
        let pending = std::mem::take(&mut self.pending);
        for call in pending {
            if !self.is_late(&call, now) {
                self.pending.push(call);
                continue;
            }
            let name = self.call_name(&call);
            let waited_for = if call.assigned {
                "Timed out waiting to send the call."
            } else {
                "Timed out waiting for a node assignment."
            };
            self.end_call(
                &call,
                ClientError::timeout(format!("{waited_for} Call: {name}")),
            );
        }
    }

    fn is_late(&self, call: &Call, now: Time) -> bool {
        self.operations
            .get(&call.operation)
            .is_none_or(|operation| now.millis() > operation.deadline.millis())
    }

    fn call_name(&self, call: &Call) -> String {
        self.operations
            .get(&call.operation)
            .map(|operation| call.step.name(&operation.request))
            .unwrap_or_default()
    }

    fn choose_node(&mut self, target: Target, now: Time) -> Option<i32> {
        let node = if self.network.metadata().is_bootstrap() {
            None
        } else {
            match target {
                Target::LeastLoaded => self.network.least_loaded_node(now),
                Target::Controller => self
                    .network
                    .metadata()
                    .controller()
                    .filter(|id| self.network.metadata().node(*id).is_some()),
                Target::Broker(id) => self.network.metadata().node(id).map(|node| node.id),
            }
        };
        if node.is_none() {
            self.network.metadata_mut().request_update();
        }
        node
    }

    fn send_pending(&mut self, now: Time) {
        let pending = std::mem::take(&mut self.pending);
        for mut call in pending {
            let Some(deadline) = self.operations.get(&call.operation).map(|o| o.deadline) else {
                continue;
            };
            self.network.wake_at(deadline.plus_millis(1));
            if now < call.next_allowed {
                self.network.wake_at(call.next_allowed);
                self.pending.push(call);
                continue;
            }
            let Some(node) = self.choose_node(call.target, now) else {
                call.assigned = false;
                self.pending.push(call);
                continue;
            };
            call.assigned = true;
            if !self.network.ready(node, now) {
                // A node that fails to become ready gives its calls back.
                call.assigned = !self.network.connection_failed(node, now);
                let limit = *call
                    .ready_deadline
                    .get_or_insert(now.plus_millis(self.request_timeout_ms));
                if now >= limit {
                    call.ready_deadline = None;
                    call.assigned = false;
                    self.network.disconnect(node, now);
                } else {
                    self.network.wake_at(limit);
                }
                self.pending.push(call);
                continue;
            }
            call.node = node;
            self.send_call(call, deadline, now);
        }
    }

    fn send_call(&mut self, mut call: Call, deadline: Time, now: Time) {
        let node = call.node;
        let mut version = self
            .network
            .version(node, call.step.api_key(), call.step.version_max());
        if let (None, Step::ConsumerGroupDescribe(groups)) = (version, &call.step) {
            // The broker knows classic groups only.
            call.step = Step::DescribeGroups(groups.clone());
            version = self.network.version(node, ApiKey::DescribeGroups, i16::MAX);
        }
        let api_key = call.step.api_key();
        let Some(version) = version else {
            self.end_call(&call, unsupported(api_key));
            return;
        };
        let timeout_ms = self
            .request_timeout_ms
            .min(deadline.millis() - now.millis())
            .max(0);
        let Some(operation) = self.operations.get(&call.operation) else {
            return;
        };
        let body = build(&operation.request, &call.step, version, timeout_ms);
        let id = self.network.reserve_correlation_id();
        self.in_flight.insert(id, call);
        self.network
            .send_reserved(id, node, api_key, version, body, timeout_ms.max(1), now);
    }

    fn completed(&mut self, completed: Completed, now: Time) {
        let Some(call) = self.in_flight.remove(&completed.correlation_id) else {
            return;
        };
        if !self.operations.contains_key(&call.operation) {
            return;
        }
        match completed.outcome {
            Outcome::Response(response) => self.handle_response(call, *response, now),
            Outcome::Sent => {}
            Outcome::Disconnected { .. } => {
                let error = ClientError::new(
                    "org.apache.kafka.common.errors.DisconnectException",
                    format!(
                        "Cancelled {} request with correlation id {} due to node {} being disconnected",
                        self.call_name(&call),
                        completed.correlation_id,
                        completed.node
                    ),
                );
                self.fail_call(call, error, true, now);
            }
        }
    }

    /// `Call.fail`: tries again if that makes sense and there is time.
    pub(super) fn fail_call(
        &mut self,
        mut call: Call,
        error: ClientError,
        retriable: bool,
        now: Time,
    ) {
        let wait = self
            .retry_backoff
            .wait_ms(call.tries, self.network.random());
        call.tries += 1;
        call.next_allowed = now.plus_millis(wait);
        call.assigned = false;
        call.ready_deadline = None;
        let Some(operation) = self.operations.get(&call.operation) else {
            return;
        };
        let no_time_left = operation.deadline.millis() <= now.millis();
        if !no_time_left && retriable && call.tries <= self.retries {
            self.pending.push(call);
            return;
        }
        if (no_time_left || retriable) && !error.is_timeout() {
            let text = format!(
                "Call(callName={}, deadlineMs={}, tries={}, nextAllowedTryMs={}) timed out at {} after {} attempt(s)",
                call.step.name(&operation.request),
                operation.deadline.millis(),
                call.tries,
                call.next_allowed.millis(),
                now.millis(),
                call.tries
            );
            self.end_call(&call, ClientError::timeout(text).caused_by(error));
        } else {
            self.end_call(&call, error);
        }
    }

    /// The call failed for good: so do its keys, or the whole operation.
    pub(super) fn end_call(&mut self, call: &Call, error: ClientError) {
        let Some(operation) = self.operations.get_mut(&call.operation) else {
            return;
        };
        let keys = call.step.keys(&operation.request);
        match &mut operation.response {
            AdminResponse::ListGroups { errors, .. } if matches!(call.step, Step::ListGroups) => {
                errors.push(error);
            }
            response if !keys.is_empty() && response.holds(&keys) => {
                for key in keys {
                    response.fail(key, error.clone());
                }
            }
            _ => operation.failure = Some(error),
        }
        self.call_over(call.operation);
    }

    /// One call of an operation is over.
    pub(super) fn call_over(&mut self, id: OperationId) {
        if let Some(operation) = self.operations.get_mut(&id) {
            operation.outstanding = operation.outstanding.saturating_sub(1);
        }
        self.finish_if_done(id);
    }

    pub(super) fn finish_if_done(&mut self, id: OperationId) {
        if self
            .operations
            .get(&id)
            .is_none_or(|operation| operation.outstanding > 0)
        {
            return;
        }
        if let Some(operation) = self.operations.remove(&id) {
            self.events.push_back(AdminEvent::Done {
                id,
                result: match operation.failure {
                    Some(error) => Err(error),
                    None => Ok(operation.response),
                },
            });
        }
    }
}
