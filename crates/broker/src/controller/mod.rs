//! The active controller as a state machine (`QuorumController` and its managers).
//!
//! [`Controller::handle`] answers a request with records and a response; the caller appends the records to
//! `__cluster_metadata` and gives each of them, once committed, to [`Controller::replay`], which alone changes
//! the metadata. The response goes out when the records are committed. Only the brokers' sessions
//! ([`sessions`]) are kept outside the records, as in Kafka.

mod alter_partition;
mod cluster;
mod configs;
mod elections;
pub mod error;
pub mod features;
mod more_partitions;
mod partition_change;
mod periodic;
pub mod placement;
mod quotas;
mod reassignment;
pub mod sessions;
mod topics;
mod update_features;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_describe;
#[cfg(test)]
mod tests_golden;
#[cfg(test)]
mod tests_partitions;
#[cfg(test)]
mod tests_settings;

use std::collections::BTreeMap;

use playground_protocol::messages::{RequestKind, ResponseKind};
use playground_protocol::{Random, Time};
use uuid::Uuid;

use crate::config::BrokerConfig;
use crate::metadata::records::{
    BeginTransactionRecord, ConfigRecord, EndTransactionRecord, FeatureLevelRecord,
};
use crate::metadata::{
    ConfigResource, MetadataChange, MetadataImage, MetadataRecord, ReplayError, ResourceType,
};

use periodic::Periodic;

pub use error::ApiError;
pub use sessions::Sessions;

/// What the controller is told with a request.
#[derive(Clone, Copy, Debug)]
pub struct ControllerContext {
    /// When.
    pub now: Time,
    /// The request's version.
    pub api_version: i16,
    /// The offset that the first of the returned records will have.
    pub next_offset: i64,
}

/// What a request leads to.
#[derive(Clone, Debug, Default)]
pub struct ControllerResult {
    /// The records to append, in order, as one batch.
    pub records: Vec<MetadataRecord>,
    /// The response; `None` when the API is not the controller's.
    pub response: Option<ResponseKind>,
}

/// The settings of a controller, from the node's properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerConfig {
    /// The controller's own id.
    pub node_id: i32,
    /// The cluster's id.
    pub cluster_id: Uuid,
    /// `broker.session.timeout.ms`.
    pub broker_session_timeout_ms: i64,
    /// `num.partitions`.
    pub num_partitions: i32,
    /// `default.replication.factor`.
    pub default_replication_factor: i16,
    /// All of the node's configuration, whose static part topics fall back to.
    pub broker: BrokerConfig,
}

impl ControllerConfig {
    /// The settings of the controller in this node.
    pub fn new(broker: &BrokerConfig, cluster_id: Uuid) -> ControllerConfig {
        ControllerConfig {
            node_id: broker.node_id(),
            cluster_id,
            broker_session_timeout_ms: broker.long("broker.session.timeout.ms"),
            num_partitions: broker.int("num.partitions"),
            default_replication_factor: i16::try_from(broker.int("default.replication.factor"))
                .unwrap_or(1),
            broker: broker.clone(),
        }
    }
}

/// The active controller.
#[derive(Clone, Debug)]
pub struct Controller {
    config: ControllerConfig,
    image: MetadataImage,
    sessions: Sessions,
    /// Where each broker's registration stands in the log.
    registration_offsets: BTreeMap<i32, i64>,
    periodic: Periodic,
    random: Random,
}

impl Controller {
    /// A controller that has replayed nothing yet. `random` places partitions and makes topic ids.
    pub fn new(config: ControllerConfig, random: Random) -> Controller {
        Controller {
            config,
            image: MetadataImage::new(),
            sessions: Sessions::default(),
            registration_offsets: BTreeMap::new(),
            periodic: Periodic::inactive(),
            random,
        }
    }

    /// The records that a new, empty metadata log begins with: features' levels and first configurations
    /// (`ActivationRecordsGenerator.recordsForEmptyLog`).
    pub fn bootstrap_records(&self) -> Vec<MetadataRecord> {
        let begin = BeginTransactionRecord {
            name: Some("Bootstrap records".to_owned()),
        };
        let mut records = vec![begin.into()];
        for feature in features::FEATURES {
            if feature.finalized > 0 {
                records.push(
                    FeatureLevelRecord {
                        name: feature.name.to_owned(),
                        feature_level: feature.finalized,
                    }
                    .into(),
                );
            }
        }
        records.push(
            ConfigRecord {
                resource_type: ResourceType::Broker.code(),
                resource_name: String::new(),
                name: "min.insync.replicas".to_owned(),
                value: self
                    .config
                    .broker
                    .get("min.insync.replicas")
                    .map(str::to_owned),
            }
            .into(),
        );
        records.push(EndTransactionRecord {}.into());
        records
    }

    /// Becomes active after the log is replayed: every serving broker gets a new session.
    pub fn activate(&mut self, now: Time) {
        self.sessions.clear();
        self.periodic = Periodic::starting(now, &self.config);
        let deadline = now.plus_millis(self.config.broker_session_timeout_ms);
        for broker in self.image.brokers().values() {
            self.sessions
                .register(broker.id, broker.epoch, broker.fenced);
            if !broker.fenced {
                self.sessions.track(broker.id, deadline);
            }
        }
    }

    /// The metadata as replayed so far.
    pub fn image(&self) -> &MetadataImage {
        &self.image
    }

    /// Replays a committed record, which stands at `offset`.
    ///
    /// # Errors
    /// [`ReplayError`] when the record does not fit: the log is damaged.
    pub fn replay(
        &mut self,
        record: &MetadataRecord,
        offset: i64,
    ) -> Result<MetadataChange, ReplayError> {
        let change = self.image.replay(record)?;
        match &change {
            MetadataChange::Broker(id) => match self.image.broker(*id) {
                Some(broker) => {
                    if matches!(record, MetadataRecord::RegisterBroker(_)) {
                        self.registration_offsets.insert(*id, offset);
                    }
                    self.sessions.register(*id, broker.epoch, broker.fenced);
                }
                None => {
                    self.registration_offsets.remove(id);
                    self.sessions.remove(*id);
                }
            },
            MetadataChange::Config {
                resource:
                    ConfigResource {
                        resource_type: ResourceType::Broker,
                        ..
                    },
                ..
            } => self.config.broker.apply_dynamic(&self.image),
            _ => {}
        }
        Ok(change)
    }

    /// Answers a request of the controller's APIs: BrokerRegistration, BrokerHeartbeat, UnregisterBroker,
    /// CreateTopics, DeleteTopics, CreatePartitions, AlterConfigs, IncrementalAlterConfigs, AlterPartition,
    /// AllocateProducerIds, AlterPartitionReassignments, ListPartitionReassignments, ElectLeaders,
    /// UpdateFeatures, AlterClientQuotas.
    pub fn handle(
        &mut self,
        request: &RequestKind,
        context: ControllerContext,
    ) -> ControllerResult {
        let (records, response) = match request {
            RequestKind::BrokerRegistration(request) => {
                let (records, response) = self.register_broker(request, context);
                (records, ResponseKind::BrokerRegistration(response))
            }
            RequestKind::BrokerHeartbeat(request) => {
                let (records, response) = self.heartbeat(request, context);
                (records, ResponseKind::BrokerHeartbeat(response))
            }
            RequestKind::UnregisterBroker(request) => {
                let (records, response) = self.unregister_broker(request);
                (records, ResponseKind::UnregisterBroker(response))
            }
            RequestKind::CreateTopics(request) => {
                let (records, response) = self.create_topics(request);
                (records, ResponseKind::CreateTopics(response))
            }
            RequestKind::DeleteTopics(request) => {
                let (records, response) = self.delete_topics(request);
                (records, ResponseKind::DeleteTopics(response))
            }
            RequestKind::CreatePartitions(request) => {
                let (records, response) = self.create_partitions(request);
                (records, ResponseKind::CreatePartitions(response))
            }
            RequestKind::AlterConfigs(request) => {
                let (records, response) = self.alter_configs(request);
                (records, ResponseKind::AlterConfigs(response))
            }
            RequestKind::IncrementalAlterConfigs(request) => {
                let (records, response) = self.incremental_alter_configs(request);
                (records, ResponseKind::IncrementalAlterConfigs(response))
            }
            RequestKind::AlterPartition(request) => {
                let (records, response) = self.alter_partition(request, context);
                (records, ResponseKind::AlterPartition(response))
            }
            RequestKind::AllocateProducerIds(request) => {
                let (records, response) = self.allocate_producer_ids(request);
                (records, ResponseKind::AllocateProducerIds(response))
            }
            RequestKind::AlterPartitionReassignments(request) => {
                let (records, response) =
                    self.alter_partition_reassignments(request, context.api_version);
                (records, ResponseKind::AlterPartitionReassignments(response))
            }
            RequestKind::ElectLeaders(request) => {
                let (records, response) = self.elect_leaders(request);
                (records, ResponseKind::ElectLeaders(response))
            }
            RequestKind::UpdateFeatures(request) => {
                let (records, response) = self.update_features(request, context.api_version);
                (records, ResponseKind::UpdateFeatures(response))
            }
            RequestKind::AlterClientQuotas(request) => {
                let (records, response) = self.alter_client_quotas(request);
                (records, ResponseKind::AlterClientQuotas(response))
            }
            RequestKind::ListPartitionReassignments(request) => (
                Vec::new(),
                ResponseKind::ListPartitionReassignments(
                    self.list_partition_reassignments(request),
                ),
            ),
            _ => return ControllerResult::default(),
        };
        ControllerResult {
            records,
            response: Some(response),
        }
    }
}
