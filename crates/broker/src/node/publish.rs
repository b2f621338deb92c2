//! From the metadata log to this broker's replicas (`MetadataLoader` and `BrokerMetadataPublisher`).

use std::collections::BTreeSet;

use playground_log::{Disk, LogConfig};
use playground_protocol::{LogLevel, Time};
use uuid::Uuid;

use super::Node;
use super::partition::{Cluster, PartitionState};
use super::replica_manager::LOG_MANAGER_LOGGER;
use super::view::Role;
use crate::config::topic::log_config;
use crate::metadata::{MetadataChange, PartitionImage, ResourceType};

/// The topic of the group coordinators.
pub(super) const OFFSETS_TOPIC: &str = "__consumer_offsets";
const LOADER_LOGGER: &str = "org.apache.kafka.image.loader.MetadataLoader";

impl Node {
    /// Replays what was committed. Whether there was anything.
    pub(super) fn replay_metadata(&mut self, disk: &mut Disk, now: Time) -> bool {
        if !self.raft.log().has_committed() {
            return false;
        }
        let records = match self.raft.log_mut().read_committed(disk) {
            Ok(records) => records,
            Err(error) => {
                self.report(LogLevel::Error, LOADER_LOGGER, error);
                return false;
            }
        };
        let mut changes = Vec::new();
        for (offset, record) in records {
            match self.image.replay(&record) {
                Ok(MetadataChange::None) => {}
                Ok(change) => changes.push(change),
                Err(error) => self.report(
                    LogLevel::Error,
                    LOADER_LOGGER,
                    format!("Unable to replay the record at offset {offset}: {error}"),
                ),
            }
        }
        if self.published {
            self.publish(changes, disk, now);
        }
        true
    }

    /// The metadata is here for the first time: the logs are loaded, and follow it from now on.
    pub(super) fn first_publish(&mut self, disk: &mut Disk, now: Time) {
        self.replay_metadata(disk, now);
        self.broker_config.apply_dynamic(&self.image);
        self.refresh_settings();
        let image = &self.image;
        let broker_config = &self.broker_config;
        let node_id = self.config.node_id;
        let lines = self.replicas.load(
            disk,
            now,
            self.clean_shutdown,
            &self.settings,
            |topic| log_config(image, topic, broker_config),
            |topic, number| {
                let topic = image.topic(topic)?;
                let partition = topic.partitions.get(&number)?;
                partition.replicas.contains(&node_id).then_some(topic.id)
            },
        );
        let count = self.replicas.iter().count();
        let dir = &self.config.log_dir;
        let found = if count == 0 {
            format!("No logs found to be loaded in {dir}")
        } else if self.clean_shutdown {
            format!(
                "Skipping recovery of {count} logs from {dir} since clean shutdown file was found"
            )
        } else {
            format!("Recovering {count} logs from {dir} since no clean shutdown file was found")
        };
        self.report(LogLevel::Info, LOG_MANAGER_LOGGER, found);
        self.log_lines(lines);
        self.report(
            LogLevel::Info,
            LOG_MANAGER_LOGGER,
            format!("Loaded {count} logs in 0ms"),
        );
        self.published = true;
        self.isr_updates
            .start(self.settings.replica_lag_time_max_ms, now);
        let all: Vec<(Uuid, i32)> = self
            .image
            .topics()
            .flat_map(|topic| {
                topic
                    .partitions
                    .keys()
                    .map(|number| (topic.id, *number))
                    .collect::<Vec<_>>()
            })
            .collect();
        for (topic_id, number) in all {
            self.reconcile(topic_id, number, disk, now);
        }
        self.lifecycle.set_ready_to_unfence(now);
    }

    /// Carries changes of the metadata out.
    fn publish(&mut self, changes: Vec<MetadataChange>, disk: &mut Disk, now: Time) {
        let mut touched = BTreeSet::new();
        let mut deleted = Vec::new();
        let mut configured = BTreeSet::new();
        let mut all_configured = false;
        let mut brokers = BTreeSet::new();
        for change in changes {
            match change {
                MetadataChange::TopicRemoved(topic) => {
                    touched.retain(|(id, _)| *id != topic.id);
                    for number in topic.partitions.keys() {
                        self.remove_replica(&topic.name, topic.id, *number, disk, now);
                    }
                    deleted.push(topic.name);
                }
                MetadataChange::Partition {
                    topic_id,
                    partition,
                    ..
                } => {
                    touched.insert((topic_id, partition));
                }
                MetadataChange::ElrCleared(partitions) => touched.extend(partitions),
                MetadataChange::Config { resource, .. } => match resource.resource_type {
                    ResourceType::Topic => {
                        configured.insert(resource.name);
                    }
                    ResourceType::Broker => all_configured = true,
                    _ => {}
                },
                MetadataChange::Broker(id) => {
                    brokers.insert(id);
                }
                _ => {}
            }
        }
        if all_configured {
            self.broker_config.apply_dynamic(&self.image);
            self.refresh_settings();
            configured.extend(self.replicas.topics());
        }
        for topic in configured {
            let config = self.log_config(&topic);
            self.replicas.set_config(&topic, &config);
        }
        if !deleted.is_empty() {
            self.groups.topics_deleted(&deleted, now);
        }
        for (topic_id, number) in touched {
            self.reconcile(topic_id, number, disk, now);
        }
        for broker in brokers {
            self.broker_changed(broker, now);
        }
    }

    fn log_config(&self, topic: &str) -> LogConfig {
        log_config(&self.image, topic, &self.broker_config)
    }

    /// Makes this broker's replica of a partition what the image says.
    fn reconcile(&mut self, topic_id: Uuid, number: i32, disk: &mut Disk, now: Time) {
        let Some(topic) = self.image.topic_by_id(topic_id) else {
            return;
        };
        let Some(partition) = topic.partitions.get(&number) else {
            return;
        };
        let name = topic.name.clone();
        if !partition.replicas.contains(&self.config.node_id) {
            self.remove_replica(&name, topic_id, number, disk, now);
            return;
        }
        let state = partition_state(partition);
        let image = &self.image;
        let broker_config = &self.broker_config;
        let cluster = Cluster {
            node_id: self.config.node_id,
            image,
            lag_ms_max: self.settings.replica_lag_time_max_ms,
            now,
        };
        let (applied, lines) = self.replicas.apply(
            &name,
            topic_id,
            number,
            state,
            || log_config(image, &name, broker_config),
            &cluster,
            disk,
        );
        self.log_lines(lines);
        self.follow_leader(topic_id, &name, number, applied.follows_anew);
        self.partition_touched(&name, number, now);
        if name == OFFSETS_TOPIC {
            let leads = self
                .replicas
                .get(&name, number)
                .is_some_and(|partition| partition.role == Role::Leader);
            if applied.leads_anew {
                self.load_group_partition(number, disk, now);
            } else if !leads {
                self.unload_group_partition(number);
            }
        }
    }

    fn remove_replica(
        &mut self,
        topic: &str,
        topic_id: Uuid,
        number: i32,
        disk: &mut Disk,
        now: Time,
    ) {
        let here = self
            .replicas
            .get(topic, number)
            .is_some_and(|partition| partition.topic_id == topic_id);
        if !here {
            return;
        }
        self.unfollow(topic_id, number);
        let line = self.replicas.delete(topic, number, disk, now);
        self.log_lines(line.into_iter().collect());
        self.partition_touched(topic, number, now);
        if topic == OFFSETS_TOPIC {
            self.unload_group_partition(number);
        }
    }

    fn refresh_settings(&mut self) {
        self.settings = super::settings::Settings::new(&self.config, Some(&self.broker_config));
    }
}

fn partition_state(partition: &PartitionImage) -> PartitionState {
    PartitionState {
        replicas: partition.replicas.clone(),
        isr: partition.isr.clone(),
        leader: partition.leader,
        leader_epoch: partition.leader_epoch,
        partition_epoch: partition.partition_epoch,
    }
}
