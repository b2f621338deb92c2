//! How a partition's leader and ISR follow the brokers' fates (`PartitionChangeBuilder`,
//! `generateLeaderAndIsrUpdates`), and AlterPartition.
//!
//! Eligible leader replicas (KIP-966) are on, as in a new 4.3 cluster.

use std::collections::BTreeSet;

use playground_protocol::ErrorCode;
use playground_protocol::messages::alter_partition_response::{PartitionData, TopicData};
use playground_protocol::messages::{AlterPartitionRequest, AlterPartitionResponse, BrokerId};
use uuid::Uuid;

use super::{Controller, ControllerContext};
use crate::config::topic;
use crate::metadata::records::{NO_LEADER, NO_LEADER_CHANGE, PartitionChangeRecord};
use crate::metadata::{MetadataRecord, PartitionImage};

/// How a broker left its partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Departure {
    /// It is fenced, shut down in order, or no longer registered.
    Removed(i32),
    /// It came back without having shut down in order: what it had may be lost.
    UncleanShutdown(i32),
}

/// Which replicas may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Election {
    /// In-sync or eligible ones.
    Online,
    /// Any, as a last resort (`unclean.leader.election.enable`).
    Unclean,
}

/// A change of one partition under construction.
struct PartitionChange<'a> {
    partition: &'a PartitionImage,
    target_isr: Vec<i32>,
    target_elr: Vec<i32>,
    unclean_shutdown: Option<i32>,
    target_recovery_state: i8,
    election: Election,
    min_isr: usize,
    is_acceptable_leader: &'a dyn Fn(i32) -> bool,
}

impl PartitionChange<'_> {
    fn build(mut self, topic_id: Uuid, partition_id: i32) -> Option<PartitionChangeRecord> {
        let mut record = PartitionChangeRecord {
            partition_id,
            topic_id,
            ..PartitionChangeRecord::default()
        };
        self.populate_elr();
        self.elect(&mut record);
        self.update_elr(&mut record);
        if record.isr.is_none() && self.target_isr != self.partition.isr {
            record.isr = Some(self.target_isr.clone());
        }
        let last_known = &self.partition.last_known_elr;
        if record.leader == NO_LEADER && last_known.is_empty() {
            record.last_known_elr = Some(vec![self.partition.leader]);
        } else if record.leader >= 0 && !last_known.is_empty() {
            record.last_known_elr = Some(Vec::new());
        }
        if self.target_recovery_state != self.partition.leader_recovery_state {
            record.leader_recovery_state = self.target_recovery_state;
        }
        let empty = PartitionChangeRecord {
            partition_id,
            topic_id,
            ..PartitionChangeRecord::default()
        };
        (record != empty).then_some(record)
    }

    /// Below the minimum of in-sync replicas, those that leave the ISR stay eligible.
    fn populate_elr(&mut self) {
        if self.target_isr.len() >= self.min_isr {
            self.target_elr.clear();
            return;
        }
        let candidates: BTreeSet<i32> = self
            .target_elr
            .iter()
            .chain(&self.partition.isr)
            .copied()
            .collect();
        self.target_elr = candidates
            .into_iter()
            .filter(|replica| {
                !self.target_isr.contains(replica) && self.unclean_shutdown != Some(*replica)
            })
            .collect();
    }

    fn elect(&mut self, record: &mut PartitionChangeRecord) {
        let (leader, unclean) = self.choose_leader();
        if leader == self.partition.leader {
            return;
        }
        if self.target_elr.contains(&leader) {
            self.target_isr = vec![leader];
            self.target_elr.retain(|replica| *replica != leader);
        }
        record.leader = leader;
        if unclean {
            record.isr = Some(vec![leader]);
            if self.partition.leader_recovery_state == 0 {
                record.leader_recovery_state = 1;
            }
            self.target_recovery_state = 1;
        }
    }

    /// The new leader, and whether records may be lost with it.
    fn choose_leader(&self) -> (i32, bool) {
        let valid = |replica: i32| {
            (self.target_isr.contains(&replica)
                || (self.target_isr.is_empty() && self.target_elr.contains(&replica)))
                && (self.is_acceptable_leader)(replica)
        };
        if valid(self.partition.leader) {
            return (self.partition.leader, false);
        }
        let replicas = &self.partition.replicas;
        if let Some(leader) = replicas.iter().copied().find(|replica| valid(*replica)) {
            return (leader, false);
        }
        if self.target_isr.is_empty()
            && self.target_elr.is_empty()
            && let [last_known] = self.partition.last_known_elr[..]
            && (self.is_acceptable_leader)(last_known)
        {
            return (last_known, true);
        }
        if self.election == Election::Unclean
            && let Some(leader) = replicas
                .iter()
                .copied()
                .find(|replica| (self.is_acceptable_leader)(*replica))
        {
            return (leader, true);
        }
        (NO_LEADER, false)
    }

    fn update_elr(&mut self, record: &mut PartitionChangeRecord) {
        if record.isr.is_some() {
            self.target_elr.clear();
        }
        if self.target_elr != self.partition.elr {
            record.eligible_leader_replicas = Some(self.target_elr.clone());
        }
    }
}

impl Controller {
    /// The changes of partitions that a broker's departure leads to.
    pub(super) fn departure_records(&self, departure: Departure) -> Vec<MetadataRecord> {
        let (Departure::Removed(broker) | Departure::UncleanShutdown(broker)) = departure;
        let mut partitions: BTreeSet<(Uuid, i32)> = self.image.partitions_in_isr(broker).collect();
        if departure == Departure::UncleanShutdown(broker) {
            partitions.extend(self.partitions_in_elr(broker));
        }
        self.change_partitions(partitions, Some(departure), None)
    }

    /// The changes of partitions without a leader that a broker's arrival leads to.
    pub(super) fn arrival_records(&self, broker: i32) -> Vec<MetadataRecord> {
        let partitions = self.image.partitions_without_leader().collect();
        self.change_partitions(partitions, None, Some(broker))
    }

    fn partitions_in_elr(&self, broker: i32) -> impl Iterator<Item = (Uuid, i32)> + '_ {
        self.image.topics().flat_map(move |topic| {
            topic
                .partitions
                .iter()
                .filter(move |(_, partition)| partition.elr.contains(&broker))
                .map(|(number, _)| (topic.id, *number))
        })
    }

    fn change_partitions(
        &self,
        partitions: BTreeSet<(Uuid, i32)>,
        departure: Option<Departure>,
        arrival: Option<i32>,
    ) -> Vec<MetadataRecord> {
        let departed = departure.map(|departure| match departure {
            Departure::Removed(broker) | Departure::UncleanShutdown(broker) => broker,
        });
        let unclean_shutdown = match departure {
            Some(Departure::UncleanShutdown(broker)) => Some(broker),
            _ => None,
        };
        let mut records = Vec::new();
        for (topic_id, number) in partitions {
            let Some(topic) = self.image.topic_by_id(topic_id) else {
                continue;
            };
            let Some(partition) = topic.partitions.get(&number) else {
                continue;
            };
            let is_acceptable_leader = |broker: i32| {
                departed != Some(broker)
                    && (arrival == Some(broker) || self.is_active(broker))
                    && self.has_online_dir(broker, partition)
            };
            let change = PartitionChange {
                partition,
                target_isr: partition
                    .isr
                    .iter()
                    .copied()
                    .filter(|replica| departed != Some(*replica))
                    .collect(),
                target_elr: partition.elr.clone(),
                unclean_shutdown,
                target_recovery_state: partition.leader_recovery_state,
                election: self.election(&topic.name),
                min_isr: self.effective_min_isr(&topic.name),
                is_acceptable_leader: &is_acceptable_leader,
            };
            records.extend(change.build(topic_id, number).map(MetadataRecord::from));
        }
        records
    }

    fn election(&self, topic: &str) -> Election {
        let unclean = topic::effective(
            &self.image,
            topic,
            &self.config.broker,
            "unclean.leader.election.enable",
        );
        if unclean.is_some_and(|value| value.trim().eq_ignore_ascii_case("true")) {
            Election::Unclean
        } else {
            Election::Online
        }
    }

    /// `min.insync.replicas`, at most the replication factor (`getTopicEffectiveMinIsr`).
    fn effective_min_isr(&self, topic: &str) -> usize {
        let configured = topic::effective(
            &self.image,
            topic,
            &self.config.broker,
            "min.insync.replicas",
        )
        .and_then(|value| value.trim().parse().ok())
        .unwrap_or(1);
        let factor = self
            .image
            .partition(topic, 0)
            .map_or(usize::MAX, |partition| partition.replicas.len());
        std::cmp::min(configured, factor)
    }

    /// Whether the broker's directory of this partition is online, as far as it says.
    fn has_online_dir(&self, broker: i32, partition: &PartitionImage) -> bool {
        let position = partition
            .replicas
            .iter()
            .position(|replica| *replica == broker);
        let dir = position.and_then(|position| partition.directories.get(position));
        match (dir, self.image.broker(broker)) {
            // Unassigned, lost and migrating (`DirectoryId`): only "lost" is offline.
            (Some(dir), Some(_)) if dir.as_u128() < 100 => dir.as_u128() != 1,
            (Some(dir), Some(registration)) => registration.log_dirs.contains(dir),
            _ => false,
        }
    }

    pub(super) fn has_leaderships(&self, broker: i32) -> bool {
        self.image
            .partitions_in_isr(broker)
            .any(|(topic_id, number)| {
                self.image
                    .topic_by_id(topic_id)
                    .and_then(|topic| topic.partitions.get(&number))
                    .is_some_and(|partition| partition.leader == broker)
            })
    }

    pub(super) fn alter_partition(
        &self,
        request: &AlterPartitionRequest,
        context: ControllerContext,
    ) -> (Vec<MetadataRecord>, AlterPartitionResponse) {
        let broker = request.broker_id.0;
        if let Err(error) = self.check_broker_epoch(broker, request.broker_epoch) {
            let response = AlterPartitionResponse::default().with_error_code(error.0);
            return (Vec::new(), response);
        }
        let mut records = Vec::new();
        let mut response = AlterPartitionResponse::default();
        for topic in &request.topics {
            let mut answer = TopicData::default().with_topic_id(topic.topic_id);
            for requested in &topic.partitions {
                let isr = if context.api_version < 3 {
                    requested.new_isr.iter().map(|id| (id.0, -1)).collect()
                } else {
                    requested
                        .new_isr_with_epochs
                        .iter()
                        .map(|state| (state.broker_id.0, state.broker_epoch))
                        .collect::<Vec<_>>()
                };
                let partition = PartitionData::default()
                    .with_partition_index(requested.partition_index)
                    .with_leader_id(BrokerId(-1));
                let result = self.alter_one_partition(broker, topic.topic_id, requested, &isr);
                answer.partitions.push(match result {
                    Err(error) => partition.with_error_code(error.0),
                    Ok((record, changed)) => {
                        let elected = record.as_ref().is_some_and(|record| {
                            record.leader != NO_LEADER_CHANGE && record.leader != broker
                        });
                        records.extend(record.map(MetadataRecord::from));
                        if elected {
                            partition.with_error_code(ErrorCode::NEW_LEADER_ELECTED.0)
                        } else {
                            partition
                                .with_leader_id(changed.leader.into())
                                .with_leader_epoch(changed.leader_epoch)
                                .with_isr(changed.isr.iter().copied().map(BrokerId).collect())
                                .with_leader_recovery_state(changed.leader_recovery_state)
                                .with_partition_epoch(changed.partition_epoch)
                        }
                    }
                });
            }
            response.topics.push(answer);
        }
        (records, response)
    }

    fn alter_one_partition(
        &self,
        broker: i32,
        topic_id: Uuid,
        requested: &playground_protocol::messages::alter_partition_request::PartitionData,
        isr: &[(i32, i64)],
    ) -> Result<(Option<PartitionChangeRecord>, PartitionImage), ErrorCode> {
        let topic = self
            .image
            .topic_by_id(topic_id)
            .ok_or(ErrorCode::UNKNOWN_TOPIC_ID)?;
        let partition = topic
            .partitions
            .get(&requested.partition_index)
            .ok_or(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)?;
        if requested.leader_epoch > partition.leader_epoch
            || requested.partition_epoch > partition.partition_epoch
        {
            return Err(ErrorCode::NOT_CONTROLLER);
        }
        if requested.leader_epoch < partition.leader_epoch {
            return Err(ErrorCode::FENCED_LEADER_EPOCH);
        }
        if broker != partition.leader {
            return Err(ErrorCode::INVALID_REQUEST);
        }
        if requested.partition_epoch < partition.partition_epoch {
            return Err(ErrorCode::INVALID_UPDATE_VERSION);
        }
        let replicas: BTreeSet<i32> = isr.iter().map(|(id, _)| *id).collect();
        let recovering = requested.leader_recovery_state == 1;
        if isr.is_empty()
            || replicas.len() != isr.len()
            || !replicas.iter().all(|id| partition.replicas.contains(id))
            || !replicas.contains(&partition.leader)
            || (recovering && (isr.len() > 1 || partition.leader_recovery_state == 0))
        {
            return Err(ErrorCode::INVALID_REQUEST);
        }
        let eligible = |(id, epoch): &(i32, i64)| {
            self.is_active(*id)
                && self
                    .image
                    .broker(*id)
                    .is_some_and(|broker| *epoch == -1 || broker.epoch == *epoch)
        };
        if !isr.iter().all(eligible) {
            return Err(ErrorCode::INELIGIBLE_REPLICA);
        }
        let is_acceptable_leader =
            |id: i32| self.is_active(id) && self.has_online_dir(id, partition);
        let change = PartitionChange {
            partition,
            target_isr: isr.iter().map(|(id, _)| *id).collect(),
            target_elr: partition.elr.clone(),
            unclean_shutdown: None,
            target_recovery_state: requested.leader_recovery_state,
            election: self.election(&topic.name),
            min_isr: self.effective_min_isr(&topic.name),
            is_acceptable_leader: &is_acceptable_leader,
        };
        let record = change.build(topic_id, requested.partition_index);
        let mut changed = partition.clone();
        if let Some(record) = &record {
            changed.merge(record);
        }
        Ok((record, changed))
    }
}
