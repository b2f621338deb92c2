//! The change of one partition, as a record (`PartitionChangeBuilder`): the election, the eligible leader
//! replicas (KIP-966), and the end of a reassignment.

use std::collections::BTreeSet;

use uuid::Uuid;

use super::reassignment::Reassignment;
use crate::metadata::PartitionImage;
use crate::metadata::records::{NO_LEADER, NO_LEADER_CHANGE, PartitionChangeRecord};

/// Which replicas may lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Election {
    /// The first replica, if it can; else as `Online`.
    Preferred,
    /// In-sync or eligible ones; the present leader stays if it can.
    Online,
    /// Any, as a last resort (`unclean.leader.election.enable`).
    Unclean,
}

/// A change of one partition under construction: the targets are what the partition shall become; the caller
/// changes them, then calls [`build`](Self::build).
pub(super) struct PartitionChange<'a> {
    partition: &'a PartitionImage,
    is_acceptable_leader: &'a dyn Fn(i32) -> bool,
    default_dir: &'a dyn Fn(i32) -> Uuid,
    min_isr: usize,
    elr_enabled: bool,
    /// The in-sync replicas.
    pub target_isr: Vec<i32>,
    /// The replicas.
    pub target_replicas: Vec<i32>,
    /// The replicas that a reassignment removes.
    pub target_removing: Vec<i32>,
    /// The replicas that a reassignment adds.
    pub target_adding: Vec<i32>,
    target_elr: Vec<i32>,
    /// A broker that came back without having shut down in order: it is not eligible.
    pub unclean_shutdown: Option<i32>,
    /// 1 while the leader recovers from an unclean election.
    pub target_recovery_state: i8,
    /// Which replicas may lead.
    pub election: Election,
}

impl<'a> PartitionChange<'a> {
    /// A change that leaves the partition as it is, but for an election where the leader cannot stay.
    /// `min_isr` is the topic's `min.insync.replicas`, at most its replication factor.
    pub fn new(
        partition: &'a PartitionImage,
        is_acceptable_leader: &'a dyn Fn(i32) -> bool,
        default_dir: &'a dyn Fn(i32) -> Uuid,
        min_isr: usize,
        elr_enabled: bool,
    ) -> PartitionChange<'a> {
        PartitionChange {
            partition,
            is_acceptable_leader,
            default_dir,
            min_isr,
            elr_enabled,
            target_isr: partition.isr.clone(),
            target_replicas: partition.replicas.clone(),
            target_removing: partition.removing_replicas.clone(),
            target_adding: partition.adding_replicas.clone(),
            target_elr: partition.elr.clone(),
            unclean_shutdown: None,
            target_recovery_state: partition.leader_recovery_state,
            election: Election::Online,
        }
    }

    /// The record; `None` when nothing changes.
    pub fn build(mut self, topic_id: Uuid, partition_id: i32) -> Option<PartitionChangeRecord> {
        let empty = PartitionChangeRecord {
            partition_id,
            topic_id,
            ..PartitionChangeRecord::default()
        };
        let mut record = empty.clone();
        self.complete_reassignment();
        self.populate_elr();
        self.elect(&mut record);
        // Replicas that leave must not fetch on: a new epoch tells the leader and them.
        let shrinks = !self
            .partition
            .replicas
            .iter()
            .all(|replica| self.target_replicas.contains(replica));
        if record.leader == NO_LEADER_CHANGE && shrinks {
            record.leader = self.partition.leader;
        }
        self.update_elr(&mut record);
        if record.isr.is_none()
            && (!self.target_isr.is_empty() || self.elr_enabled)
            && self.target_isr != self.partition.isr
        {
            record.isr = Some(self.target_isr.clone());
        }
        self.update_last_known_leader(&mut record);
        self.set_assignment(&mut record);
        if self.target_recovery_state != self.partition.leader_recovery_state {
            record.leader_recovery_state = self.target_recovery_state;
        }
        (record != empty).then_some(record)
    }

    fn complete_reassignment(&mut self) {
        let reassignment = Reassignment {
            removing: self.target_removing.clone(),
            adding: self.target_adding.clone(),
            replicas: self.target_replicas.clone(),
        };
        if let Some((replicas, isr)) = reassignment.completed(&self.target_isr) {
            self.target_replicas = replicas;
            self.target_isr = isr;
            self.target_removing.clear();
            self.target_adding.clear();
        }
    }

    /// Below the minimum of in-sync replicas, those that leave the ISR stay eligible.
    fn populate_elr(&mut self) {
        if !self.elr_enabled {
            return;
        }
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
        let (leader, unclean) = match self.election {
            Election::Preferred => self.preferred_leader(),
            Election::Online | Election::Unclean => self.any_leader(),
        };
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
        }
    }

    fn is_valid_leader(&self, replica: i32) -> bool {
        let candidates = if self.target_isr.is_empty() {
            &self.target_elr
        } else {
            &self.target_isr
        };
        candidates.contains(&replica) && (self.is_acceptable_leader)(replica)
    }

    /// The new leader, and whether records may be lost with it.
    fn preferred_leader(&self) -> (i32, bool) {
        let preferred = self.target_replicas.first().copied().unwrap_or(NO_LEADER);
        if self.is_valid_leader(preferred) {
            (preferred, false)
        } else {
            self.online_leader().unwrap_or((NO_LEADER, false))
        }
    }

    fn any_leader(&self) -> (i32, bool) {
        if let Some(leader) = self.online_leader() {
            return leader;
        }
        if self.election == Election::Unclean
            && let Some(leader) = self
                .target_replicas
                .iter()
                .copied()
                .find(|replica| (self.is_acceptable_leader)(*replica))
        {
            return (leader, true);
        }
        (NO_LEADER, false)
    }

    /// The present leader, the first valid replica, or the last known leader of a partition that has no
    /// in-sync and no eligible replica left.
    fn online_leader(&self) -> Option<(i32, bool)> {
        if self.is_valid_leader(self.partition.leader) {
            return Some((self.partition.leader, false));
        }
        let valid = self
            .target_replicas
            .iter()
            .copied()
            .find(|replica| self.is_valid_leader(*replica));
        if let Some(leader) = valid {
            return Some((leader, false));
        }
        match self.partition.last_known_elr[..] {
            [last_known]
                if self.elr_enabled
                    && self.target_isr.is_empty()
                    && self.target_elr.is_empty()
                    && (self.is_acceptable_leader)(last_known) =>
            {
                Some((last_known, true))
            }
            _ => None,
        }
    }

    fn update_elr(&mut self, record: &mut PartitionChangeRecord) {
        if record.isr.is_some() || !self.elr_enabled {
            self.target_elr.clear();
        }
        if self.target_elr != self.partition.elr {
            record.eligible_leader_replicas = Some(self.target_elr.clone());
        }
    }

    fn update_last_known_leader(&self, record: &mut PartitionChangeRecord) {
        if !self.elr_enabled {
            return;
        }
        let last_known = &self.partition.last_known_elr;
        if record.leader == NO_LEADER && last_known.is_empty() {
            record.last_known_elr = Some(vec![self.partition.leader]);
        } else if record.leader >= 0 && !last_known.is_empty() {
            record.last_known_elr = Some(Vec::new());
        }
    }

    fn set_assignment(&self, record: &mut PartitionChangeRecord) {
        if !self.target_replicas.is_empty() {
            let directories: Vec<Uuid> = self
                .target_replicas
                .iter()
                .map(|replica| {
                    self.partition
                        .directory(*replica)
                        .unwrap_or_else(|| (self.default_dir)(*replica))
                })
                .collect();
            if directories != self.partition.directories {
                record.directories = Some(directories);
            }
            if self.target_replicas != self.partition.replicas {
                record.replicas = Some(self.target_replicas.clone());
            }
        }
        if self.target_removing != self.partition.removing_replicas {
            record.removing_replicas = Some(self.target_removing.clone());
        }
        if self.target_adding != self.partition.adding_replicas {
            record.adding_replicas = Some(self.target_adding.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn partition(replicas: &[i32], isr: &[i32], leader: i32) -> PartitionImage {
        PartitionImage {
            replicas: replicas.to_vec(),
            directories: replicas.iter().map(|id| dir(*id)).collect(),
            isr: isr.to_vec(),
            leader,
            ..PartitionImage::default()
        }
    }

    fn dir(broker: i32) -> Uuid {
        Uuid::from_u128(1_000 + broker as u128)
    }

    fn build(
        partition: &PartitionImage,
        alive: &[i32],
        min_isr: usize,
        adjust: impl FnOnce(&mut PartitionChange<'_>),
    ) -> Option<PartitionChangeRecord> {
        let acceptable = |broker: i32| alive.contains(&broker);
        let mut change = PartitionChange::new(partition, &acceptable, &dir, min_isr, true);
        adjust(&mut change);
        change.build(Uuid::from_u128(9), 0)
    }

    fn base() -> PartitionChangeRecord {
        PartitionChangeRecord {
            topic_id: Uuid::from_u128(9),
            ..PartitionChangeRecord::default()
        }
    }

    #[test]
    fn nothing_to_do_is_no_record() {
        let image = partition(&[1, 2, 3], &[1, 2, 3], 1);
        assert_eq!(build(&image, &[1, 2, 3], 1, |_| {}), None);
    }

    #[test]
    fn the_first_in_sync_replica_takes_over() {
        let image = partition(&[3, 2, 1], &[1, 2, 3], 3);
        let record = build(&image, &[1, 2], 1, |change| change.target_isr = vec![1, 2]);
        assert_eq!(
            record,
            Some(PartitionChangeRecord {
                isr: Some(vec![1, 2]),
                leader: 2,
                ..base()
            })
        );
    }

    #[test]
    fn what_leaves_below_the_minimum_is_eligible_and_comes_back_as_leader() {
        let mut image = partition(&[1, 2], &[1, 2], 1);
        let record = build(&image, &[1], 2, |change| change.target_isr = vec![1]);
        let expected = PartitionChangeRecord {
            isr: Some(vec![1]),
            eligible_leader_replicas: Some(vec![2]),
            ..base()
        };
        assert_eq!(record.as_ref(), Some(&expected));
        image.merge(&expected);
        // The leader goes too: no leader, all eligible, and the last one is remembered.
        let record = build(&image, &[], 2, |change| change.target_isr.clear());
        let expected = PartitionChangeRecord {
            isr: Some(Vec::new()),
            leader: NO_LEADER,
            eligible_leader_replicas: Some(vec![1, 2]),
            last_known_elr: Some(vec![1]),
            ..base()
        };
        assert_eq!(record.as_ref(), Some(&expected));
        image.merge(&expected);
        let record = build(&image, &[2], 2, |_| {});
        assert_eq!(
            record,
            Some(PartitionChangeRecord {
                isr: Some(vec![2]),
                leader: 2,
                eligible_leader_replicas: Some(vec![1]),
                last_known_elr: Some(Vec::new()),
                ..base()
            })
        );
    }

    #[test]
    fn an_unclean_shutdown_ends_eligibility_and_the_last_known_leader_recovers() {
        let mut image = partition(&[1, 2], &[1], 1);
        let record = build(&image, &[2], 1, |change| {
            change.target_isr.clear();
            change.unclean_shutdown = Some(1);
        });
        let expected = PartitionChangeRecord {
            isr: Some(Vec::new()),
            leader: NO_LEADER,
            last_known_elr: Some(vec![1]),
            ..base()
        };
        assert_eq!(record.as_ref(), Some(&expected));
        image.merge(&expected);
        assert_eq!(build(&image, &[2], 1, |_| {}), None);
        let record = build(&image, &[1, 2], 1, |_| {});
        assert_eq!(
            record,
            Some(PartitionChangeRecord {
                isr: Some(vec![1]),
                leader: 1,
                leader_recovery_state: 1,
                last_known_elr: Some(Vec::new()),
                ..base()
            })
        );
    }

    #[test]
    fn an_unclean_election_takes_any_replica_and_forgets_the_eligible() {
        let mut image = partition(&[2, 3], &[], NO_LEADER);
        image.elr = vec![2];
        image.last_known_elr = vec![2];
        let record = build(&image, &[3], 1, |change| {
            change.election = Election::Unclean
        });
        assert_eq!(
            record,
            Some(PartitionChangeRecord {
                isr: Some(vec![3]),
                leader: 3,
                leader_recovery_state: 1,
                eligible_leader_replicas: Some(Vec::new()),
                last_known_elr: Some(Vec::new()),
                ..base()
            })
        );
        assert_eq!(build(&image, &[3], 1, |_| {}), None);
    }

    #[test]
    fn the_preferred_leader_is_elected_only_on_demand() {
        let image = partition(&[1, 2], &[1, 2], 2);
        assert_eq!(build(&image, &[1, 2], 1, |_| {}), None);
        let preferred = |change: &mut PartitionChange<'_>| change.election = Election::Preferred;
        assert_eq!(
            build(&image, &[1, 2], 1, preferred),
            Some(PartitionChangeRecord {
                leader: 1,
                ..base()
            })
        );
        assert_eq!(build(&image, &[2], 1, preferred), None);
    }

    #[test]
    fn a_reassignment_ends_when_the_new_replicas_are_in_sync() {
        let mut image = partition(&[1, 2], &[1, 2], 1);
        let record = build(&image, &[1, 2, 3], 1, |change| {
            change.target_replicas = vec![3, 2, 1];
            change.target_removing = vec![1];
            change.target_adding = vec![3];
        });
        let expected = PartitionChangeRecord {
            replicas: Some(vec![3, 2, 1]),
            removing_replicas: Some(vec![1]),
            adding_replicas: Some(vec![3]),
            directories: Some(vec![dir(3), dir(2), dir(1)]),
            ..base()
        };
        assert_eq!(record.as_ref(), Some(&expected));
        image.merge(&expected);
        let record = build(&image, &[1, 2, 3], 1, |change| {
            change.target_isr = vec![1, 2, 3];
        });
        assert_eq!(
            record,
            Some(PartitionChangeRecord {
                isr: Some(vec![2, 3]),
                leader: 3,
                replicas: Some(vec![3, 2]),
                removing_replicas: Some(Vec::new()),
                adding_replicas: Some(Vec::new()),
                directories: Some(vec![dir(3), dir(2)]),
                ..base()
            })
        );
    }

    #[test]
    fn a_replica_that_leaves_raises_the_epoch_though_the_leader_stays() {
        let image = partition(&[1, 2, 3], &[1, 2, 3], 1);
        let record = build(&image, &[1, 2, 3], 1, |change| {
            change.target_replicas = vec![1, 2, 3];
            change.target_removing = vec![3];
        });
        assert_eq!(
            record,
            Some(PartitionChangeRecord {
                isr: Some(vec![1, 2]),
                leader: 1,
                replicas: Some(vec![1, 2]),
                directories: Some(vec![dir(1), dir(2)]),
                ..base()
            })
        );
    }

    #[test]
    fn without_the_feature_the_last_replica_stays_in_sync() {
        let image = partition(&[1], &[1], 1);
        let nobody = |_| false;
        let mut change = PartitionChange::new(&image, &nobody, &dir, 1, false);
        change.target_isr.clear();
        assert_eq!(
            change.build(Uuid::from_u128(9), 0),
            Some(PartitionChangeRecord {
                leader: NO_LEADER,
                ..base()
            })
        );
    }
}
