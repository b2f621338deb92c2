//! Partitions get other replicas: AlterPartitionReassignments and ListPartitionReassignments
//! (`PartitionReassignmentReplicas`, `PartitionReassignmentRevert`). The end of a reassignment is a side effect
//! of the ISR's changes ([`super::partition_change`]).

use std::collections::BTreeSet;

use playground_protocol::ErrorCode;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::alter_partition_reassignments_request::ReassignablePartition;
use playground_protocol::messages::alter_partition_reassignments_response::{
    ReassignablePartitionResponse, ReassignableTopicResponse,
};
use playground_protocol::messages::list_partition_reassignments_response::{
    OngoingPartitionReassignment, OngoingTopicReassignment,
};
use playground_protocol::messages::{
    AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse, BrokerId,
    ListPartitionReassignmentsRequest, ListPartitionReassignmentsResponse,
};

use super::Controller;
use super::error::ApiError;
use crate::metadata::records::PartitionChangeRecord;
use crate::metadata::{MetadataRecord, PartitionImage, TopicImage};

/// From this version on a request says whether it may change the replication factor.
const SAYS_FACTOR_MAY_CHANGE: i16 = 1;

/// The replicas of a partition on the way from one set to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reassignment {
    /// Those that leave in the end.
    pub removing: Vec<i32>,
    /// Those that come.
    pub adding: Vec<i32>,
    /// All, the wanted ones first.
    pub replicas: Vec<i32>,
}

impl Reassignment {
    /// From the present replicas to the wanted ones.
    pub fn between(current: &[i32], target: &[i32]) -> Reassignment {
        let difference = |one: &[i32], other: &[i32]| -> Vec<i32> {
            let set: BTreeSet<i32> = one
                .iter()
                .copied()
                .filter(|replica| !other.contains(replica))
                .collect();
            set.into_iter().collect()
        };
        let removing = difference(current, target);
        Reassignment {
            adding: difference(target, current),
            replicas: target.iter().chain(&removing).copied().collect(),
            removing,
        }
    }

    /// The replicas and the ISR at the end, when the new replicas are in sync (`maybeCompleteReassignment`).
    pub fn completed(&self, isr: &[i32]) -> Option<(Vec<i32>, Vec<i32>)> {
        if self.removing.is_empty() && self.adding.is_empty() {
            return None;
        }
        let without = |ids: &[i32]| -> Vec<i32> {
            ids.iter()
                .copied()
                .filter(|replica| !self.removing.contains(replica))
                .collect()
        };
        let (isr, replicas) = (without(isr), without(&self.replicas));
        let holds = |wanted: &[i32]| wanted.iter().all(|replica| isr.contains(replica));
        let done = (self.removing.is_empty() || !(isr.is_empty() || replicas.is_empty()))
            && holds(&self.adding)
            && (self.adding.len() >= self.removing.len() || holds(&replicas));
        done.then_some((replicas, isr))
    }
}

/// Whether the partition's replicas are being changed.
pub(super) fn is_reassigning(partition: &PartitionImage) -> bool {
    !(partition.adding_replicas.is_empty() && partition.removing_replicas.is_empty())
}

impl Controller {
    pub(super) fn alter_partition_reassignments(
        &self,
        request: &AlterPartitionReassignmentsRequest,
        version: i16,
    ) -> (Vec<MetadataRecord>, AlterPartitionReassignmentsResponse) {
        let factor_may_change =
            version < SAYS_FACTOR_MAY_CHANGE || request.allow_replication_factor_change;
        let mut records = Vec::new();
        let mut response = AlterPartitionReassignmentsResponse::default()
            .with_allow_replication_factor_change(factor_may_change)
            .with_error_message(None);
        for topic in &request.topics {
            let mut answer = ReassignableTopicResponse::default().with_name(topic.name.clone());
            for partition in &topic.partitions {
                let error = match self.alter_reassignment(&topic.name, partition, factor_may_change)
                {
                    Ok(record) => {
                        records.extend(record.map(MetadataRecord::from));
                        ApiError::NONE
                    }
                    Err(error) => error,
                };
                answer.partitions.push(
                    ReassignablePartitionResponse::default()
                        .with_partition_index(partition.partition_index)
                        .with_error_code(error.code.0)
                        .with_error_message(error.wire_message()),
                );
            }
            response.responses.push(answer);
        }
        (records, response)
    }

    fn alter_reassignment(
        &self,
        name: &str,
        target: &ReassignablePartition,
        factor_may_change: bool,
    ) -> Result<Option<PartitionChangeRecord>, ApiError> {
        let unknown = |text| ApiError::new(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, text);
        let topic = self
            .image
            .topic(name)
            .ok_or_else(|| unknown(format!("Unable to find a topic named {name}.")))?;
        let number = target.partition_index;
        let partition = topic
            .partitions
            .get(&number)
            .ok_or_else(|| unknown(format!("Unable to find partition {name}:{number}.")))?;
        match &target.replicas {
            None => self.cancel_reassignment(topic, number, partition),
            Some(replicas) => {
                let replicas: Vec<i32> = replicas.iter().map(|id| id.0).collect();
                self.check_manual_replicas(&replicas, None)?;
                if !factor_may_change {
                    check_factor(partition, replicas.len())?;
                }
                let reassignment = Reassignment::between(&partition.replicas, &replicas);
                let is_active = |broker| self.is_active(broker);
                Ok(
                    self.partition_change(topic, number, partition, &is_active, |change| {
                        change.target_replicas = reassignment.replicas;
                        if !reassignment.removing.is_empty() {
                            change.target_removing = reassignment.removing;
                        }
                        if !reassignment.adding.is_empty() {
                            change.target_adding = reassignment.adding;
                        }
                    }),
                )
            }
        }
    }

    fn cancel_reassignment(
        &self,
        topic: &TopicImage,
        number: i32,
        partition: &PartitionImage,
    ) -> Result<Option<PartitionChangeRecord>, ApiError> {
        if !is_reassigning(partition) {
            return Err(ApiError::of(ErrorCode::NO_REASSIGNMENT_IN_PROGRESS));
        }
        let without_added = |ids: &[i32]| -> Vec<i32> {
            ids.iter()
                .copied()
                .filter(|replica| !partition.adding_replicas.contains(replica))
                .collect()
        };
        let invalid = |text| ApiError::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, text);
        let replicas = without_added(&partition.replicas);
        let mut isr = without_added(&partition.isr);
        let election = self.default_election(&topic.name);
        if isr.is_empty() {
            let first = replicas.first().copied().ok_or_else(|| {
                invalid(
                    "Invalid replica assignment: addingReplicas contains all replicas.".to_owned(),
                )
            })?;
            isr.push(first);
            if election != super::partition_change::Election::Unclean {
                return Err(invalid(format!(
                    "Unable to revert partition assignment for {}:{number} because it would require an unclean leader election.",
                    topic.name
                )));
            }
        }
        let is_active = |broker| self.is_active(broker);
        Ok(
            self.partition_change(topic, number, partition, &is_active, |change| {
                change.election = election;
                change.target_isr = isr;
                change.target_replicas = replicas;
                change.target_removing.clear();
                change.target_adding.clear();
            }),
        )
    }

    pub(super) fn list_partition_reassignments(
        &self,
        request: &ListPartitionReassignmentsRequest,
    ) -> ListPartitionReassignmentsResponse {
        let brokers = |ids: &[i32]| ids.iter().copied().map(BrokerId).collect();
        let ongoing = |topic: &TopicImage, numbers: &mut dyn Iterator<Item = i32>| {
            let partitions: Vec<OngoingPartitionReassignment> = numbers
                .filter_map(|number| {
                    let partition = topic
                        .partitions
                        .get(&number)
                        .filter(|partition| is_reassigning(partition))?;
                    Some(
                        OngoingPartitionReassignment::default()
                            .with_partition_index(number)
                            .with_replicas(brokers(&partition.replicas))
                            .with_adding_replicas(brokers(&partition.adding_replicas))
                            .with_removing_replicas(brokers(&partition.removing_replicas)),
                    )
                })
                .collect();
            (!partitions.is_empty()).then(|| {
                OngoingTopicReassignment::default()
                    .with_name(StrBytes::from_string(topic.name.clone()).into())
                    .with_partitions(partitions)
            })
        };
        let topics = match &request.topics {
            None => self
                .image
                .topics()
                .filter_map(|topic| ongoing(topic, &mut topic.partitions.keys().copied()))
                .collect(),
            Some(asked) => asked
                .iter()
                .filter_map(|asked| {
                    let topic = self.image.topic(&asked.name)?;
                    ongoing(topic, &mut asked.partition_indexes.iter().copied())
                })
                .collect(),
        };
        ListPartitionReassignmentsResponse::default()
            .with_error_message(None)
            .with_topics(topics)
    }
}

/// `validatePartitionReplicationFactorUnchanged`
fn check_factor(partition: &PartitionImage, wanted: usize) -> Result<(), ApiError> {
    let current: BTreeSet<i32> = partition
        .replicas
        .iter()
        .chain(&partition.adding_replicas)
        .copied()
        .filter(|replica| !partition.removing_replicas.contains(replica))
        .collect();
    if current.len() == wanted {
        return Ok(());
    }
    Err(ApiError::new(
        ErrorCode::INVALID_REPLICATION_FACTOR,
        format!(
            "The replication factor is changed from {} to {wanted}",
            current.len()
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replicas_on_the_way_are_the_wanted_ones_and_those_that_leave() {
        assert_eq!(
            Reassignment::between(&[1, 2, 3], &[4, 2]),
            Reassignment {
                removing: vec![1, 3],
                adding: vec![4],
                replicas: vec![4, 2, 1, 3],
            }
        );
    }

    #[test]
    fn a_narrower_set_waits_for_all_of_it() {
        let narrow = Reassignment::between(&[1, 2, 3], &[1, 2]);
        assert_eq!(narrow.completed(&[1, 3]), None);
        assert_eq!(narrow.completed(&[3, 2, 1]), Some((vec![1, 2], vec![2, 1])));
        let moved = Reassignment::between(&[1, 2], &[3, 2]);
        assert_eq!(moved.completed(&[1, 2]), None);
        // Replica 2 need not be in sync: as many come as go.
        assert_eq!(moved.completed(&[1, 3]), Some((vec![3, 2], vec![3])));
        assert_eq!(Reassignment::between(&[1], &[1]).completed(&[1]), None);
    }
}
