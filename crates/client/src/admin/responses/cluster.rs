//! The cluster itself: brokers, versions, features, log directories, the quorum, quotas.

use indexmap::IndexMap;
use playground_protocol::messages::{
    AlterClientQuotasResponse, ApiVersionsResponse, DescribeClientQuotasResponse,
    DescribeClusterResponse, DescribeLogDirsResponse, DescribeQuorumResponse, MetadataResponse,
    UnregisterBrokerResponse, UpdateFeaturesResponse,
};
use playground_protocol::{ErrorCode, LogLevel, Time};

use super::super::engine::{Call, Step, Target};
use super::super::{
    Admin, AdminRequest, AdminResponse, BrokerVersions, ClusterDescription, FeatureMetadata,
    LogDirDescription, NodeInfo, QuorumInfo, QuorumReplica, RaftEndpoint, ReplicaInfo,
};
use super::{is_not_controller, nodes_of, outcome, select};
use crate::{ClientError, TopicPartition};

const LOGGER: &str = "org.apache.kafka.clients.admin.KafkaAdminClient";

impl Admin {
    pub(super) fn describe_cluster(
        &mut self,
        call: Call,
        response: &DescribeClusterResponse,
        now: Time,
    ) {
        let code = ErrorCode(response.error_code);
        if !code.is_none() {
            let error = ClientError::from_code(code, response.error_message.as_deref());
            self.fail_call(call, error, code.is_retriable(), now);
            return;
        }
        let nodes = nodes_of(response);
        self.with_response(&call, |results| {
            *results = AdminResponse::DescribeCluster(ClusterDescription {
                cluster_id: response.cluster_id.to_string(),
                controller: nodes.get(&response.controller_id.0).cloned(),
                nodes: nodes.values().cloned().collect(),
            });
        });
    }

    /// Every broker is known: each is asked what the operation is about.
    pub(super) fn all_brokers(&mut self, call: &Call, response: &MetadataResponse) {
        let request = self.operations.get(&call.operation).map(|o| &o.request);
        let versions = matches!(request, Some(AdminRequest::DescribeBrokerVersions));
        for broker in &response.brokers {
            let step = if versions {
                Step::ApiVersions(NodeInfo {
                    id: broker.node_id.0,
                    host: broker.host.to_string(),
                    port: broker.port,
                    rack: broker.rack.as_ref().map(ToString::to_string),
                    fenced: false,
                })
            } else {
                Step::ListGroups
            };
            self.enqueue(call.operation, Target::Broker(broker.node_id.0), step);
        }
        self.call_over(call.operation);
    }

    pub(super) fn api_ranges(&mut self, call: Call, response: &ApiVersionsResponse) {
        let apis = response
            .api_keys
            .iter()
            .map(|api| (api.api_key, api.min_version, api.max_version))
            .collect();
        let apis = outcome(response.error_code, None, apis);
        let Step::ApiVersions(node) = call.step.clone() else {
            return;
        };
        self.with_response(&call, |results| {
            if let AdminResponse::DescribeBrokerVersions(list) = results {
                list.push(BrokerVersions { node, apis });
                list.sort_by_key(|versions| versions.node.id);
            }
        });
    }

    pub(super) fn describe_features(&mut self, call: &Call, response: &ApiVersionsResponse) {
        if let Err(error) = outcome(response.error_code, None, ()) {
            self.end_call(call, error);
            return;
        }
        let features = FeatureMetadata {
            finalized: response
                .finalized_features
                .iter()
                .map(|feature| (feature.name.to_string(), feature.max_version_level))
                .collect(),
            epoch: (response.finalized_features_epoch >= 0)
                .then_some(response.finalized_features_epoch),
            supported: response
                .supported_features
                .iter()
                .map(|feature| {
                    let range = (feature.min_version, feature.max_version);
                    (feature.name.to_string(), range)
                })
                .collect(),
        };
        self.with_response(call, |results| {
            *results = AdminResponse::DescribeFeatures(features);
        });
    }

    pub(super) fn update_features(
        &mut self,
        call: Call,
        response: &UpdateFeaturesResponse,
        now: Time,
    ) {
        if is_not_controller(response.error_code) {
            self.not_controller(call, now);
            return;
        }
        let message = response.error_message.as_deref();
        if let Err(error) = outcome(response.error_code, message, ()) {
            self.end_call(&call, error);
            return;
        }
        // From version 2 on there is one code for all features.
        self.with_response_and_request(&call, |results, request| {
            let (AdminResponse::UpdateFeatures(map), AdminRequest::UpdateFeatures { updates, .. }) =
                (results, request)
            else {
                return;
            };
            for update in updates {
                let told = response
                    .results
                    .iter()
                    .find(|told| *told.feature == *update.feature);
                let result = told.map_or(Ok(()), |told| {
                    outcome(told.error_code, told.error_message.as_deref(), ())
                });
                map.insert(update.feature.clone(), result);
            }
        });
    }

    pub(super) fn describe_log_dirs(&mut self, call: &Call, response: DescribeLogDirsResponse) {
        let Step::DescribeLogDirs(broker) = call.step else {
            return;
        };
        let mut directories = IndexMap::new();
        for result in response.results {
            let mut replicas = IndexMap::new();
            for topic in result.topics {
                for partition in topic.partitions {
                    replicas.insert(
                        TopicPartition::new(topic.name.0.to_string(), partition.partition_index),
                        ReplicaInfo {
                            size: partition.partition_size,
                            offset_lag: partition.offset_lag,
                            is_future: partition.is_future_key,
                        },
                    );
                }
            }
            let known = |bytes: i64| (bytes >= 0).then_some(bytes);
            directories.insert(
                result.log_dir.to_string(),
                LogDirDescription {
                    error: outcome(result.error_code, None, ()).err(),
                    replicas,
                    total_bytes: known(result.total_bytes),
                    usable_bytes: known(result.usable_bytes),
                },
            );
        }
        let directories = outcome(response.error_code, None, directories);
        self.put(call, [(broker, directories)], select!(DescribeLogDirs));
    }

    pub(super) fn describe_quorum(&mut self, call: &Call, response: DescribeQuorumResponse) {
        let partition = response
            .topics
            .into_iter()
            .next()
            .and_then(|topic| topic.partitions.into_iter().next());
        let whole = outcome(response.error_code, response.error_message.as_deref(), ());
        let part = partition.as_ref().map_or(Ok(()), |partition| {
            outcome(partition.error_code, partition.error_message.as_deref(), ())
        });
        let (Ok(()), Ok(()), Some(partition)) = (&whole, &part, partition) else {
            let error = whole
                .err()
                .or(part.err())
                .unwrap_or_else(|| ClientError::from_code(ErrorCode::UNKNOWN_SERVER_ERROR, None));
            self.end_call(call, error);
            return;
        };
        let replicas = |replicas: Vec<
            playground_protocol::messages::describe_quorum_response::ReplicaState,
        >| {
            let known = |timestamp: i64| (timestamp >= 0).then_some(timestamp);
            replicas
                .into_iter()
                .map(|replica| QuorumReplica {
                    id: replica.replica_id.0,
                    directory_id: replica.replica_directory_id,
                    log_end_offset: replica.log_end_offset,
                    last_fetch_timestamp: known(replica.last_fetch_timestamp),
                    last_caught_up_timestamp: known(replica.last_caught_up_timestamp),
                })
                .collect()
        };
        let info = QuorumInfo {
            leader_id: partition.leader_id.0,
            leader_epoch: partition.leader_epoch,
            high_watermark: partition.high_watermark,
            voters: replicas(partition.current_voters),
            observers: replicas(partition.observers),
            nodes: response
                .nodes
                .into_iter()
                .map(|node| {
                    let endpoints = node.listeners.into_iter().map(|listener| RaftEndpoint {
                        listener: listener.name.to_string(),
                        host: listener.host.to_string(),
                        port: listener.port,
                    });
                    (node.node_id.0, endpoints.collect())
                })
                .collect(),
        };
        self.with_response(call, |results| {
            *results = AdminResponse::DescribeQuorum(info);
        });
    }

    pub(super) fn unregister_broker(
        &mut self,
        call: Call,
        response: &UnregisterBrokerResponse,
        now: Time,
    ) {
        let code = ErrorCode(response.error_code);
        let message = response.error_message.as_deref();
        if code == ErrorCode::REQUEST_TIMED_OUT {
            self.fail_call(call, ClientError::from_code(code, message), true, now);
            return;
        }
        if !code.is_none() && !is_not_controller(code.0) {
            let request = self.operations.get(&call.operation).map(|o| &o.request);
            let broker = match request {
                Some(AdminRequest::UnregisterBroker { broker }) => *broker,
                _ => -1,
            };
            let error = ClientError::from_code(code, message);
            self.network.log(
                LogLevel::Error,
                LOGGER,
                format!(
                    "Unregister broker request for broker ID {broker} failed: {}",
                    error.message
                ),
            );
        }
        self.done_or_failed(call, response.error_code, message, now);
    }

    pub(super) fn describe_quotas(&mut self, call: &Call, response: DescribeClientQuotasResponse) {
        let message = response.error_message.as_deref();
        if let Err(error) = outcome(response.error_code, message, ()) {
            self.end_call(call, error);
            return;
        }
        let entries = response.entries.unwrap_or_default().into_iter();
        let entries = entries.map(|entry| {
            let entity = entry.entity.into_iter().map(|part| {
                let name = part.entity_name.map(|name| name.to_string());
                (part.entity_type.to_string(), name)
            });
            let values = entry.values.into_iter();
            let values = values.map(|value| (value.key.to_string(), value.value));
            (entity.collect(), values.collect())
        });
        let entries = entries.collect();
        self.with_response(call, |results| {
            *results = AdminResponse::DescribeClientQuotas(entries);
        });
    }

    pub(super) fn alter_quotas(
        &mut self,
        call: Call,
        response: AlterClientQuotasResponse,
        now: Time,
    ) {
        let entries = response.entries;
        if entries.iter().any(|e| is_not_controller(e.error_code)) {
            self.not_controller(call, now);
            return;
        }
        let outcomes = entries.into_iter().map(|entry| {
            let result = outcome(entry.error_code, entry.error_message.as_deref(), ());
            let entity = entry.entity.into_iter().map(|part| {
                let name = part.entity_name.map(|name| name.to_string());
                (part.entity_type.to_string(), name)
            });
            (entity.collect(), result)
        });
        self.put(&call, outcomes, select!(AlterClientQuotas));
    }
}
