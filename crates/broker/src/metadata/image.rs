//! What the metadata records add up to (`MetadataImage` and the controller's managers).
//!
//! [`MetadataImage::replay`] is the only way it changes.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::records::{
    ConfigRecord, MetadataRecord, PartitionChangeRecord, PartitionRecord, QuotaEntity,
    RegisterBrokerRecord, SupportedFeature,
};
use super::types::{
    BrokerRegistration, ConfigResource, ControllerRegistration, EndPointImage, MetadataChange,
    PartitionImage, ReplayError, ResourceType, TopicImage,
};

/// Whom a client quota binds: (entity type, name), sorted; no name is the default.
pub type QuotaKey = Vec<(String, Option<String>)>;

/// The cluster's metadata at one offset.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MetadataImage {
    brokers: BTreeMap<i32, BrokerRegistration>,
    controllers: BTreeMap<i32, ControllerRegistration>,
    topics: BTreeMap<Uuid, TopicImage>,
    topic_ids: BTreeMap<String, Uuid>,
    configs: BTreeMap<ConfigResource, BTreeMap<String, String>>,
    features: BTreeMap<String, i16>,
    quotas: BTreeMap<QuotaKey, BTreeMap<String, f64>>,
    next_producer_id: i64,
    /// Partitions by the broker in their ISR, as `BrokersToIsrs` keeps them; -1 has those without a leader.
    in_isr: BTreeMap<i32, BTreeSet<(Uuid, i32)>>,
}

impl MetadataImage {
    /// The image of no records.
    pub fn new() -> MetadataImage {
        MetadataImage::default()
    }

    /// The registered brokers, by id.
    pub fn brokers(&self) -> &BTreeMap<i32, BrokerRegistration> {
        &self.brokers
    }

    /// The broker `id`, if it is registered.
    pub fn broker(&self, id: i32) -> Option<&BrokerRegistration> {
        self.brokers.get(&id)
    }

    /// The broker `id`, if it is registered and not fenced.
    pub fn alive_broker(&self, id: i32) -> Option<&BrokerRegistration> {
        self.brokers.get(&id).filter(|broker| !broker.fenced)
    }

    /// The registered controllers, by id.
    pub fn controllers(&self) -> &BTreeMap<i32, ControllerRegistration> {
        &self.controllers
    }

    /// The topics, by name.
    pub fn topics(&self) -> impl Iterator<Item = &TopicImage> {
        self.topic_ids.values().filter_map(|id| self.topics.get(id))
    }

    /// How many topics there are.
    pub fn topic_count(&self) -> usize {
        self.topics.len()
    }

    /// The topic of this name.
    pub fn topic(&self, name: &str) -> Option<&TopicImage> {
        self.topic_ids.get(name).and_then(|id| self.topics.get(id))
    }

    /// The topic of this id.
    pub fn topic_by_id(&self, id: Uuid) -> Option<&TopicImage> {
        self.topics.get(&id)
    }

    /// A partition by its topic's name.
    pub fn partition(&self, topic: &str, partition: i32) -> Option<&PartitionImage> {
        self.topic(topic)?.partitions.get(&partition)
    }

    /// The dynamic configurations of a resource; `None` if it has none.
    pub fn config(
        &self,
        resource_type: ResourceType,
        name: &str,
    ) -> Option<&BTreeMap<String, String>> {
        self.configs.get(&ConfigResource::new(resource_type, name))
    }

    /// All resources that have dynamic configurations.
    pub fn configs(&self) -> &BTreeMap<ConfigResource, BTreeMap<String, String>> {
        &self.configs
    }

    /// The finalized features' levels.
    pub fn features(&self) -> &BTreeMap<String, i16> {
        &self.features
    }

    /// The client quotas by entity: (type, name).
    pub fn quotas(&self) -> &BTreeMap<QuotaKey, BTreeMap<String, f64>> {
        &self.quotas
    }

    /// The first producer id of the next block.
    pub fn next_producer_id(&self) -> i64 {
        self.next_producer_id
    }

    /// The partitions (topic id, number) that have `broker` in their ISR.
    pub fn partitions_in_isr(&self, broker: i32) -> impl Iterator<Item = (Uuid, i32)> + '_ {
        self.in_isr.get(&broker).into_iter().flatten().copied()
    }

    /// The partitions (topic id, number) without a leader.
    pub fn partitions_without_leader(&self) -> impl Iterator<Item = (Uuid, i32)> + '_ {
        self.partitions_in_isr(super::records::NO_LEADER)
    }

    /// Replays one record.
    ///
    /// # Errors
    /// [`ReplayError`] when the record speaks of what is not there; the image is then unchanged.
    pub fn replay(&mut self, record: &MetadataRecord) -> Result<MetadataChange, ReplayError> {
        match record {
            MetadataRecord::RegisterBroker(record) => Ok(self.register_broker(record)),
            MetadataRecord::UnregisterBroker(record) => {
                self.broker_at(record.broker_id, record.broker_epoch)?;
                self.brokers.remove(&record.broker_id);
                Ok(MetadataChange::Broker(record.broker_id))
            }
            MetadataRecord::BrokerRegistrationChange(record) => {
                let broker = self.broker_at(record.broker_id, record.broker_epoch)?;
                if record.fenced != 0 {
                    broker.fenced = record.fenced > 0;
                }
                if record.in_controlled_shutdown != 0 {
                    broker.in_controlled_shutdown = true;
                }
                if !record.log_dirs.is_empty() {
                    broker.log_dirs.clone_from(&record.log_dirs);
                }
                if let Some(cordoned) = &record.cordoned_log_dirs {
                    broker.cordoned_log_dirs = Some(cordoned.clone());
                }
                Ok(MetadataChange::Broker(record.broker_id))
            }
            MetadataRecord::FenceBroker(record) => {
                self.broker_at(record.id, record.epoch)?.fenced = true;
                Ok(MetadataChange::Broker(record.id))
            }
            MetadataRecord::UnfenceBroker(record) => {
                self.broker_at(record.id, record.epoch)?.fenced = false;
                Ok(MetadataChange::Broker(record.id))
            }
            MetadataRecord::RegisterController(record) => {
                self.controllers.insert(
                    record.controller_id,
                    ControllerRegistration {
                        id: record.controller_id,
                        incarnation_id: record.incarnation_id,
                        end_points: record.end_points.iter().map(EndPointImage::from).collect(),
                        features: feature_ranges(&record.features),
                    },
                );
                Ok(MetadataChange::Controller(record.controller_id))
            }
            MetadataRecord::Topic(record) => {
                if self.topic_ids.contains_key(&record.name) {
                    return Err(ReplayError::DuplicateTopic(record.name.clone()));
                }
                self.topic_ids.insert(record.name.clone(), record.topic_id);
                self.topics.insert(
                    record.topic_id,
                    TopicImage {
                        name: record.name.clone(),
                        id: record.topic_id,
                        partitions: BTreeMap::new(),
                    },
                );
                Ok(MetadataChange::TopicCreated {
                    topic_id: record.topic_id,
                })
            }
            MetadataRecord::Partition(record) => self.create_partition(record),
            MetadataRecord::PartitionChange(record) => self.change_partition(record),
            MetadataRecord::RemoveTopic(record) => {
                let topic = self
                    .topics
                    .remove(&record.topic_id)
                    .ok_or(ReplayError::UnknownTopicId(record.topic_id))?;
                self.topic_ids.remove(&topic.name);
                self.configs.remove(&ConfigResource::new(
                    ResourceType::Topic,
                    topic.name.clone(),
                ));
                for (number, partition) in &topic.partitions {
                    self.unindex(topic.id, *number, partition);
                }
                Ok(MetadataChange::TopicRemoved(topic))
            }
            MetadataRecord::Config(record) => Ok(self.set_config(record)),
            MetadataRecord::FeatureLevel(record) => {
                if record.feature_level == 0 {
                    self.features.remove(&record.name);
                } else {
                    self.features
                        .insert(record.name.clone(), record.feature_level);
                }
                Ok(MetadataChange::Feature(record.name.clone()))
            }
            MetadataRecord::ProducerIds(record) => {
                self.next_producer_id = record.next_producer_id;
                Ok(MetadataChange::ProducerIds)
            }
            MetadataRecord::ClientQuota(record) => {
                let entity = quota_entity(&record.entity);
                let quotas = self.quotas.entry(entity.clone()).or_default();
                if record.remove {
                    quotas.remove(&record.key);
                } else {
                    quotas.insert(record.key.clone(), record.value);
                }
                if quotas.is_empty() {
                    self.quotas.remove(&entity);
                }
                Ok(MetadataChange::None)
            }
            MetadataRecord::ClearElr(record) => {
                let mut cleared = Vec::new();
                for topic in self.topics.values_mut() {
                    if record.topic_name.is_empty() || record.topic_name == topic.name {
                        for (number, partition) in &mut topic.partitions {
                            if partition.elr.is_empty() && partition.last_known_elr.is_empty() {
                                continue;
                            }
                            partition.elr.clear();
                            partition.last_known_elr.clear();
                            // A change as any other: the leader must know of it.
                            partition.partition_epoch += 1;
                            cleared.push((topic.id, *number));
                        }
                    }
                }
                Ok(MetadataChange::ElrCleared(cleared))
            }
            MetadataRecord::AccessControlEntry(_)
            | MetadataRecord::RemoveAccessControlEntry(_)
            | MetadataRecord::NoOp(_)
            | MetadataRecord::BeginTransaction(_)
            | MetadataRecord::EndTransaction(_)
            | MetadataRecord::AbortTransaction(_) => Ok(MetadataChange::None),
        }
    }

    fn broker_at(&mut self, id: i32, epoch: i64) -> Result<&mut BrokerRegistration, ReplayError> {
        let broker = self
            .brokers
            .get_mut(&id)
            .ok_or(ReplayError::UnknownBroker(id))?;
        if broker.epoch != epoch {
            return Err(ReplayError::WrongBrokerEpoch {
                broker: id,
                expected: epoch,
                actual: broker.epoch,
            });
        }
        Ok(broker)
    }

    fn register_broker(&mut self, record: &RegisterBrokerRecord) -> MetadataChange {
        self.brokers.insert(
            record.broker_id,
            BrokerRegistration {
                id: record.broker_id,
                epoch: record.broker_epoch,
                incarnation_id: record.incarnation_id,
                end_points: record.end_points.iter().map(EndPointImage::from).collect(),
                features: feature_ranges(&record.features),
                rack: record.rack.clone(),
                fenced: record.fenced,
                in_controlled_shutdown: record.in_controlled_shutdown,
                log_dirs: record.log_dirs.clone(),
                cordoned_log_dirs: record.cordoned_log_dirs.clone(),
            },
        );
        MetadataChange::Broker(record.broker_id)
    }

    fn create_partition(
        &mut self,
        record: &PartitionRecord,
    ) -> Result<MetadataChange, ReplayError> {
        let topic = self
            .topics
            .get_mut(&record.topic_id)
            .ok_or(ReplayError::UnknownTopic {
                topic_id: record.topic_id,
                partition: record.partition_id,
            })?;
        let partition = PartitionImage {
            replicas: record.replicas.clone(),
            directories: record.directories.clone(),
            isr: record.isr.clone(),
            removing_replicas: record.removing_replicas.clone(),
            adding_replicas: record.adding_replicas.clone(),
            elr: record.eligible_leader_replicas.clone().unwrap_or_default(),
            last_known_elr: record.last_known_elr.clone().unwrap_or_default(),
            leader: record.leader,
            leader_recovery_state: record.leader_recovery_state,
            leader_epoch: record.leader_epoch,
            partition_epoch: record.partition_epoch,
        };
        let previous = topic
            .partitions
            .insert(record.partition_id, partition.clone());
        if let Some(previous) = &previous {
            self.unindex(record.topic_id, record.partition_id, previous);
        }
        self.index(record.topic_id, record.partition_id, &partition);
        Ok(MetadataChange::Partition {
            topic_id: record.topic_id,
            partition: record.partition_id,
            previous,
        })
    }

    fn change_partition(
        &mut self,
        record: &PartitionChangeRecord,
    ) -> Result<MetadataChange, ReplayError> {
        let topic = self
            .topics
            .get_mut(&record.topic_id)
            .ok_or(ReplayError::UnknownTopic {
                topic_id: record.topic_id,
                partition: record.partition_id,
            })?;
        let partition = topic.partitions.get_mut(&record.partition_id).ok_or(
            ReplayError::UnknownPartition {
                topic_id: record.topic_id,
                partition: record.partition_id,
            },
        )?;
        let previous = partition.clone();
        partition.merge(record);
        let changed = partition.clone();
        self.unindex(record.topic_id, record.partition_id, &previous);
        self.index(record.topic_id, record.partition_id, &changed);
        Ok(MetadataChange::Partition {
            topic_id: record.topic_id,
            partition: record.partition_id,
            previous: Some(previous),
        })
    }

    fn set_config(&mut self, record: &ConfigRecord) -> MetadataChange {
        let resource = ConfigResource::new(
            ResourceType::from_code(record.resource_type),
            record.resource_name.clone(),
        );
        let configs = self.configs.entry(resource.clone()).or_default();
        match &record.value {
            Some(value) => {
                configs.insert(record.name.clone(), value.clone());
            }
            None => {
                configs.remove(&record.name);
            }
        }
        if configs.is_empty() {
            self.configs.remove(&resource);
        }
        MetadataChange::Config {
            resource,
            name: record.name.clone(),
        }
    }

    fn index(&mut self, topic_id: Uuid, number: i32, partition: &PartitionImage) {
        for broker in partition.index_keys() {
            self.in_isr
                .entry(broker)
                .or_default()
                .insert((topic_id, number));
        }
    }

    fn unindex(&mut self, topic_id: Uuid, number: i32, partition: &PartitionImage) {
        for broker in partition.index_keys() {
            if let Some(partitions) = self.in_isr.get_mut(&broker) {
                partitions.remove(&(topic_id, number));
                if partitions.is_empty() {
                    self.in_isr.remove(&broker);
                }
            }
        }
    }
}

fn feature_ranges(features: &[SupportedFeature]) -> BTreeMap<String, (i16, i16)> {
    features
        .iter()
        .map(|feature| {
            (
                feature.name.clone(),
                (feature.min_supported_version, feature.max_supported_version),
            )
        })
        .collect()
}

fn quota_entity(entity: &[QuotaEntity]) -> QuotaKey {
    let mut entity: Vec<_> = entity
        .iter()
        .map(|part| (part.entity_type.clone(), part.entity_name.clone()))
        .collect();
    entity.sort();
    entity
}
