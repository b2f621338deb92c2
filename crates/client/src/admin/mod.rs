//! The admin client (`org.apache.kafka.clients.admin.KafkaAdminClient`).

mod config;
mod engine;
mod keys;
mod requests;
mod responses;
mod types;

use std::collections::{BTreeMap, VecDeque};

use indexmap::IndexMap;
use playground_protocol::{ClientInput, ClientOutput, Time};

use crate::network::{Backoff, NetworkClient, NetworkOptions};
use crate::{Client, ClientError};
pub use config::AdminConfig;
use engine::{Call, Operation, Step, Target};
use keys::Key;
pub use types::*;

/// Names one call of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub u64);

/// What an admin client reports.
#[derive(Clone, Debug, PartialEq)]
pub enum AdminEvent {
    /// A call is done. Errors of the whole call stand here, those of one topic or group in the response.
    Done {
        /// Which call.
        id: OperationId,
        /// Its outcome.
        result: Result<AdminResponse, ClientError>,
    },
}

/// An admin client. Driven as [`Client`] says.
pub struct Admin {
    network: NetworkClient,
    default_api_timeout_ms: i64,
    request_timeout_ms: i64,
    retries: u32,
    retry_backoff: Backoff,
    next_operation: u64,
    operations: BTreeMap<OperationId, Operation>,
    pending: Vec<Call>,
    in_flight: BTreeMap<i32, Call>,
    events: VecDeque<AdminEvent>,
}

impl Admin {
    /// An admin client; it fetches metadata at once, as Java's does.
    pub fn new(config: AdminConfig, seed: u64, now: Time) -> Admin {
        let options = NetworkOptions {
            log_prefix: format!("[AdminClient clientId={}] ", config.common.client_id),
            max_in_flight: 1,
            allow_auto_creation: true,
            warns_of_bootstrap: false,
        };
        let mut admin = Admin {
            network: NetworkClient::new(&config.common, options, seed, "admin"),
            default_api_timeout_ms: config.default_api_timeout_ms,
            request_timeout_ms: config.common.request_timeout_ms,
            retries: u32::try_from(config.retries).unwrap_or(0),
            retry_backoff: Backoff::new(
                config.common.retry_backoff_ms,
                config.common.retry_backoff_max_ms,
            ),
            next_operation: 0,
            operations: BTreeMap::new(),
            pending: Vec::new(),
            in_flight: BTreeMap::new(),
            events: VecDeque::new(),
        };
        admin.tick(now);
        admin
    }

    /// Starts a call. It is done with an [`AdminEvent::Done`], after `timeout_ms` at the latest (`None`:
    /// `default.api.timeout.ms`).
    pub fn submit(
        &mut self,
        request: AdminRequest,
        timeout_ms: Option<i64>,
        now: Time,
    ) -> OperationId {
        self.next_operation += 1;
        let id = OperationId(self.next_operation);
        let deadline = now.plus_millis(timeout_ms.unwrap_or(self.default_api_timeout_ms));
        let response = empty_response(&request);
        self.operations.insert(
            id,
            Operation {
                request,
                response,
                deadline,
                outstanding: 0,
                failure: None,
            },
        );
        self.start(id);
        self.finish_if_done(id);
        self.tick(now);
        id
    }

    /// Closes the connections; calls that are under way fail.
    pub fn close(&mut self, now: Time) {
        let _ = now;
        self.network.close();
        self.pending.clear();
        self.in_flight.clear();
        for (id, _) in std::mem::take(&mut self.operations) {
            self.events.push_back(AdminEvent::Done {
                id,
                result: Err(ClientError::timeout("The AdminClient thread has exited.")),
            });
        }
    }

    /// The next event; `None` when there is none.
    pub fn poll_event(&mut self) -> Option<AdminEvent> {
        self.events.pop_front()
    }

    /// The first calls of an operation.
    fn start(&mut self, id: OperationId) {
        let Some(operation) = self.operations.get_mut(&id) else {
            return;
        };
        let steps: Vec<(Target, Step)> = match &operation.request {
            AdminRequest::DescribeCluster { .. } => {
                vec![(Target::LeastLoaded, Step::DescribeCluster)]
            }
            AdminRequest::DescribeBrokerVersions => {
                vec![(Target::LeastLoaded, Step::FindAllBrokers)]
            }
            AdminRequest::DescribeFeatures { node } => vec![(
                node.map_or(Target::LeastLoaded, Target::Broker),
                Step::DescribeFeatures,
            )],
            AdminRequest::UpdateFeatures { updates, .. } => {
                controller_step(!updates.is_empty(), Step::UpdateFeatures)
            }
            AdminRequest::DescribeLogDirs { brokers } => brokers
                .iter()
                .map(|(broker, _)| (Target::Broker(*broker), Step::DescribeLogDirs(*broker)))
                .collect(),
            AdminRequest::ElectLeaders { .. } => controller_step(true, Step::ElectLeaders),
            AdminRequest::AlterPartitionReassignments { reassignments, .. } => {
                controller_step(!reassignments.is_empty(), Step::AlterPartitionReassignments)
            }
            AdminRequest::ListPartitionReassignments { .. } => {
                controller_step(true, Step::ListPartitionReassignments)
            }
            AdminRequest::DescribeQuorum => vec![(Target::LeastLoaded, Step::DescribeQuorum)],
            AdminRequest::AddRaftVoter { .. } => vec![(Target::LeastLoaded, Step::AddRaftVoter)],
            AdminRequest::RemoveRaftVoter { .. } => {
                vec![(Target::LeastLoaded, Step::RemoveRaftVoter)]
            }
            AdminRequest::UnregisterBroker { .. } => {
                vec![(Target::LeastLoaded, Step::UnregisterBroker)]
            }
            AdminRequest::DescribeClientQuotas { .. } => {
                vec![(Target::LeastLoaded, Step::DescribeClientQuotas)]
            }
            AdminRequest::AlterClientQuotas { alterations, .. } => {
                controller_step(!alterations.is_empty(), Step::AlterClientQuotas)
            }
            AdminRequest::ListTopics { .. } => vec![(Target::LeastLoaded, Step::ListTopics)],
            AdminRequest::CreateTopics { topics, .. } => {
                let names: Vec<&String> = topics.iter().map(|topic| &topic.name).collect();
                let sendable = reject_unrepresentable(&mut operation.response, &names);
                controller_step(sendable, Step::CreateTopics)
            }
            AdminRequest::DeleteTopics { topics } => {
                let names: Vec<&String> = topics.iter().collect();
                let sendable = reject_unrepresentable(&mut operation.response, &names);
                controller_step(sendable, Step::DeleteTopics)
            }
            AdminRequest::CreatePartitions { topics, .. } => {
                controller_step(!topics.is_empty(), Step::CreatePartitions)
            }
            AdminRequest::DescribeTopics { topics } => {
                let names: Vec<&String> = topics.iter().collect();
                if reject_unrepresentable(&mut operation.response, &names) {
                    vec![(Target::LeastLoaded, Step::DescribeTopicsCluster)]
                } else {
                    Vec::new()
                }
            }
            AdminRequest::DescribeConfigs { resources, .. } => by_node(resources.iter().cloned())
                .into_iter()
                .map(|(target, resources)| (target, Step::DescribeConfigs(resources)))
                .collect(),
            AdminRequest::IncrementalAlterConfigs { changes, .. } => {
                by_node(changes.iter().map(|(resource, _)| resource.clone()))
                    .into_iter()
                    .map(|(target, resources)| (target, Step::AlterConfigs(resources)))
                    .collect()
            }
            AdminRequest::ListConfigResources { .. } => {
                vec![(Target::LeastLoaded, Step::ListConfigResources)]
            }
            AdminRequest::ListOffsets { offsets, .. } => lookup_leaders(
                offsets
                    .iter()
                    .map(|(partition, _)| partition.clone())
                    .collect(),
            ),
            AdminRequest::DeleteRecords { offsets } => lookup_leaders(
                offsets
                    .iter()
                    .map(|(partition, _)| partition.clone())
                    .collect(),
            ),
            AdminRequest::ListGroups { .. } => vec![(Target::LeastLoaded, Step::FindAllBrokers)],
            AdminRequest::DescribeGroups { groups } | AdminRequest::DeleteGroups { groups } => {
                find_coordinators(groups.clone())
            }
            AdminRequest::ListGroupOffsets { groups, .. } => {
                find_coordinators(groups.iter().map(|(group, _)| group.clone()).collect())
            }
            AdminRequest::AlterGroupOffsets { group, .. }
            | AdminRequest::DeleteGroupOffsets { group, .. } => {
                find_coordinators(vec![group.clone()])
            }
        };
        for (target, step) in steps {
            self.enqueue(id, target, step);
        }
    }
}

fn controller_step(sendable: bool, step: Step) -> Vec<(Target, Step)> {
    if sendable {
        vec![(Target::Controller, step)]
    } else {
        Vec::new()
    }
}

fn lookup_leaders(partitions: Vec<crate::TopicPartition>) -> Vec<(Target, Step)> {
    if partitions.is_empty() {
        return Vec::new();
    }
    vec![(Target::LeastLoaded, Step::LookupLeaders(partitions))]
}

fn find_coordinators(groups: Vec<String>) -> Vec<(Target, Step)> {
    if groups.is_empty() {
        return Vec::new();
    }
    vec![(Target::LeastLoaded, Step::FindCoordinators(groups))]
}

/// Fails names that no request can carry (`topicNameIsUnrepresentable`). Whether any name is left.
fn reject_unrepresentable(response: &mut AdminResponse, names: &[&String]) -> bool {
    let mut left = false;
    for name in names {
        if !name.is_empty() {
            left = true;
            continue;
        }
        let error = ClientError::new(
            "org.apache.kafka.common.errors.InvalidTopicException",
            format!("The given topic name '{name}' cannot be represented in a request."),
        );
        response.fail(Key::Name((*name).clone()), error);
    }
    left
}

/// Configs of one broker are asked of that broker, all others of any.
fn by_node(
    resources: impl Iterator<Item = ConfigResource>,
) -> IndexMap<Target, Vec<ConfigResource>> {
    let mut nodes: IndexMap<Target, Vec<ConfigResource>> = IndexMap::new();
    for resource in resources {
        let own = matches!(
            resource.kind,
            ConfigResourceType::Broker | ConfigResourceType::BrokerLogger
        );
        let target = match resource.name.parse::<i32>() {
            Ok(broker) if own => Target::Broker(broker),
            _ => Target::LeastLoaded,
        };
        nodes.entry(target).or_default().push(resource);
    }
    nodes
}

fn empty_response(request: &AdminRequest) -> AdminResponse {
    match request {
        AdminRequest::DescribeCluster { .. } => {
            AdminResponse::DescribeCluster(ClusterDescription {
                cluster_id: String::new(),
                controller: None,
                nodes: Vec::new(),
            })
        }
        AdminRequest::DescribeBrokerVersions => AdminResponse::DescribeBrokerVersions(Vec::new()),
        AdminRequest::DescribeFeatures { .. } => {
            AdminResponse::DescribeFeatures(FeatureMetadata::default())
        }
        AdminRequest::UpdateFeatures { .. } => AdminResponse::UpdateFeatures(PerKey::new()),
        AdminRequest::DescribeLogDirs { .. } => AdminResponse::DescribeLogDirs(PerKey::new()),
        AdminRequest::ElectLeaders { .. } => AdminResponse::ElectLeaders(PerKey::new()),
        AdminRequest::AlterPartitionReassignments { .. } => {
            AdminResponse::AlterPartitionReassignments(PerKey::new())
        }
        AdminRequest::ListPartitionReassignments { .. } => {
            AdminResponse::ListPartitionReassignments(IndexMap::new())
        }
        AdminRequest::DescribeQuorum => AdminResponse::DescribeQuorum(QuorumInfo::default()),
        AdminRequest::AddRaftVoter { .. } => AdminResponse::AddRaftVoter,
        AdminRequest::RemoveRaftVoter { .. } => AdminResponse::RemoveRaftVoter,
        AdminRequest::UnregisterBroker { .. } => AdminResponse::UnregisterBroker,
        AdminRequest::DescribeClientQuotas { .. } => {
            AdminResponse::DescribeClientQuotas(Vec::new())
        }
        AdminRequest::AlterClientQuotas { .. } => AdminResponse::AlterClientQuotas(PerKey::new()),
        AdminRequest::ListTopics { .. } => AdminResponse::ListTopics(Vec::new()),
        AdminRequest::CreateTopics { .. } => AdminResponse::CreateTopics(PerKey::new()),
        AdminRequest::DeleteTopics { .. } => AdminResponse::DeleteTopics(PerKey::new()),
        AdminRequest::CreatePartitions { .. } => AdminResponse::CreatePartitions(PerKey::new()),
        AdminRequest::DescribeTopics { .. } => AdminResponse::DescribeTopics(PerKey::new()),
        AdminRequest::DescribeConfigs { .. } => AdminResponse::DescribeConfigs(PerKey::new()),
        AdminRequest::IncrementalAlterConfigs { .. } => {
            AdminResponse::IncrementalAlterConfigs(PerKey::new())
        }
        AdminRequest::ListConfigResources { .. } => AdminResponse::ListConfigResources(Vec::new()),
        AdminRequest::ListOffsets { .. } => AdminResponse::ListOffsets(PerKey::new()),
        AdminRequest::DeleteRecords { .. } => AdminResponse::DeleteRecords(PerKey::new()),
        AdminRequest::ListGroups { .. } => AdminResponse::ListGroups {
            groups: Vec::new(),
            errors: Vec::new(),
        },
        AdminRequest::DescribeGroups { .. } => AdminResponse::DescribeGroups(PerKey::new()),
        AdminRequest::DeleteGroups { .. } => AdminResponse::DeleteGroups(PerKey::new()),
        AdminRequest::ListGroupOffsets { .. } => AdminResponse::ListGroupOffsets(PerKey::new()),
        AdminRequest::AlterGroupOffsets { .. } => AdminResponse::AlterGroupOffsets(PerKey::new()),
        AdminRequest::DeleteGroupOffsets { .. } => AdminResponse::DeleteGroupOffsets(PerKey::new()),
    }
}

impl Client for Admin {
    fn handle(&mut self, input: ClientInput, now: Time) {
        self.network.begin(now);
        self.network.handle(input, now);
        self.run(now);
    }

    fn poll_output(&mut self) -> Option<ClientOutput> {
        self.network.poll_output()
    }

    fn next_deadline(&self) -> Time {
        self.network.next_deadline()
    }

    fn tick(&mut self, now: Time) {
        self.network.begin(now);
        self.run(now);
    }
}
