//! AlterPartition: a leader changes its ISR (KIP-497, KIP-841, KIP-903).

use std::collections::BTreeSet;

use playground_protocol::ErrorCode;
use playground_protocol::messages::alter_partition_request::PartitionData as RequestedPartition;
use playground_protocol::messages::alter_partition_response::{PartitionData, TopicData};
use playground_protocol::messages::{AlterPartitionRequest, AlterPartitionResponse, BrokerId};
use uuid::Uuid;

use super::{Controller, ControllerContext};
use crate::metadata::records::{NO_LEADER_CHANGE, PartitionChangeRecord};
use crate::metadata::{MetadataRecord, PartitionImage};

/// From this version on the new ISR has the brokers' epochs.
const HAS_BROKER_EPOCHS: i16 = 3;
/// `LeaderRecoveryState.RECOVERING`
const RECOVERING: i8 = 1;

impl Controller {
    pub(super) fn alter_partition(
        &self,
        request: &AlterPartitionRequest,
        context: ControllerContext,
    ) -> (Vec<MetadataRecord>, AlterPartitionResponse) {
        let mut records = Vec::new();
        let mut response = AlterPartitionResponse::default();
        if request.topics.is_empty() {
            return (records, response);
        }
        let broker = request.broker_id.0;
        if let Err(error) = self.check_broker_epoch(broker, request.broker_epoch) {
            return (records, response.with_error_code(error.0));
        }
        for topic in &request.topics {
            let mut answer = TopicData::default().with_topic_id(topic.topic_id);
            for requested in &topic.partitions {
                let isr: Vec<(i32, i64)> = if context.api_version < HAS_BROKER_EPOCHS {
                    requested.new_isr.iter().map(|id| (id.0, -1)).collect()
                } else {
                    requested
                        .new_isr_with_epochs
                        .iter()
                        .map(|state| (state.broker_id.0, state.broker_epoch))
                        .collect()
                };
                let partition =
                    PartitionData::default().with_partition_index(requested.partition_index);
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

    /// The change, and the partition with it.
    fn alter_one_partition(
        &self,
        broker: i32,
        topic_id: Uuid,
        requested: &RequestedPartition,
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
        self.check_alteration(broker, partition, requested, isr)?;
        let is_active = |id: i32| self.is_active(id);
        let number = requested.partition_index;
        let record = self.partition_change(topic, number, partition, &is_active, |change| {
            change.election = self.default_election(&topic.name);
            change.target_isr = isr.iter().map(|(id, _)| *id).collect();
            change.target_recovery_state = requested.leader_recovery_state;
        });
        let mut changed = partition.clone();
        if let Some(record) = &record {
            changed.merge(record);
        }
        Ok((record, changed))
    }

    /// `validateAlterPartitionData`
    fn check_alteration(
        &self,
        broker: i32,
        partition: &PartitionImage,
        requested: &RequestedPartition,
        isr: &[(i32, i64)],
    ) -> Result<(), ErrorCode> {
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
        let ids: BTreeSet<i32> = isr.iter().map(|(id, _)| *id).collect();
        let recovering = requested.leader_recovery_state == RECOVERING;
        if ids.len() != isr.len()
            || !ids.iter().all(|id| partition.replicas.contains(id))
            || !ids.contains(&partition.leader)
            || (recovering && (isr.len() > 1 || partition.leader_recovery_state != RECOVERING))
        {
            return Err(ErrorCode::INVALID_REQUEST);
        }
        let eligible = |(id, epoch): &(i32, i64)| {
            self.is_active(*id)
                && (*epoch == -1
                    || self
                        .image
                        .broker(*id)
                        .is_some_and(|broker| broker.epoch == *epoch))
        };
        if isr.iter().all(eligible) {
            Ok(())
        } else {
            Err(ErrorCode::INELIGIBLE_REPLICA)
        }
    }
}
