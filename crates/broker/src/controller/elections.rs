//! How partitions' leaders and ISRs follow the brokers' fates (`generateLeaderAndIsrUpdates`), and elections that
//! somebody asks for or that are due: ElectLeaders, the preferred leaders, the unclean check.

use std::collections::BTreeSet;

use playground_protocol::ErrorCode;
use playground_protocol::messages::elect_leaders_response::{
    PartitionResult, ReplicaElectionResult,
};
use playground_protocol::messages::{ElectLeadersRequest, ElectLeadersResponse};
use uuid::Uuid;

use super::Controller;
use super::error::ApiError;
use super::partition_change::{Election, PartitionChange};
use crate::config::topic;
use crate::metadata::records::PartitionChangeRecord;
use crate::metadata::{MetadataRecord, PartitionImage, TopicImage};

/// How many elections one run of a periodic check leads to at most (`maxElectionsPerImbalance`).
const ELECTIONS_AT_ONCE_MAX: usize = 1_000;
/// `DirectoryId.MIGRATING`
const MIGRATING_DIR: Uuid = Uuid::from_u128(2);
/// Ids below this one stand for no directory (`DirectoryId.reserved`).
const RESERVED_DIRS: u128 = 100;
/// `DirectoryId.LOST`
const LOST_DIR: u128 = 1;

/// How a broker left its partitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Departure {
    /// It is fenced, or shuts down in order.
    Removed(i32),
    /// It is no longer registered.
    Unregistered(i32),
    /// It came back without having shut down in order: what it had may be lost.
    UncleanShutdown(i32),
}

impl Controller {
    /// The changes of partitions that a broker's departure leads to.
    pub(super) fn departure_records(&self, departure: Departure) -> Vec<MetadataRecord> {
        let broker = match departure {
            Departure::Removed(broker)
            | Departure::Unregistered(broker)
            | Departure::UncleanShutdown(broker) => broker,
        };
        let mut partitions: Vec<(Uuid, i32)> = self.image.partitions_in_isr(broker).collect();
        if !matches!(departure, Departure::Removed(_)) {
            partitions.extend(self.partitions_in_elr(broker));
        }
        let unclean = matches!(departure, Departure::UncleanShutdown(_)) && self.elr_enabled();
        let is_active = |id: i32| id != broker && self.is_active(id);
        self.change_partitions(partitions, &is_active, |change| {
            change.target_isr.retain(|replica| *replica != broker);
            change.unclean_shutdown = unclean.then_some(broker);
        })
    }

    /// The changes of partitions without a leader that a broker's arrival leads to.
    pub(super) fn arrival_records(&self, broker: i32) -> Vec<MetadataRecord> {
        let partitions = self.image.partitions_without_leader().collect();
        let is_active = |id: i32| id == broker || self.is_active(id);
        self.change_partitions(partitions, &is_active, |_| {})
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
        partitions: Vec<(Uuid, i32)>,
        is_active: &dyn Fn(i32) -> bool,
        adjust: impl Fn(&mut PartitionChange<'_>),
    ) -> Vec<MetadataRecord> {
        let mut records = Vec::new();
        for (topic_id, number) in partitions {
            let Some(topic) = self.image.topic_by_id(topic_id) else {
                continue;
            };
            let Some(partition) = topic.partitions.get(&number) else {
                continue;
            };
            let record = self.partition_change(topic, number, partition, is_active, |change| {
                change.election = self.default_election(&topic.name);
                adjust(change);
            });
            records.extend(record.map(MetadataRecord::from));
        }
        records
    }

    /// The record of one partition's change: `adjust` sets the targets.
    pub(super) fn partition_change(
        &self,
        topic: &TopicImage,
        number: i32,
        partition: &PartitionImage,
        is_active: &dyn Fn(i32) -> bool,
        adjust: impl FnOnce(&mut PartitionChange<'_>),
    ) -> Option<PartitionChangeRecord> {
        let acceptable = |broker: i32| is_active(broker) && self.has_online_dir(broker, partition);
        let default_dir = |broker: i32| self.default_dir(broker);
        let mut change = PartitionChange::new(
            partition,
            &acceptable,
            &default_dir,
            self.effective_min_isr(&topic.name),
            self.elr_enabled(),
        );
        adjust(&mut change);
        change.build(topic.id, number)
    }

    /// Unclean where the topic allows it.
    pub(super) fn default_election(&self, topic: &str) -> Election {
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

    /// Whether eligible leader replicas are kept (KIP-966).
    pub(super) fn elr_enabled(&self) -> bool {
        self.image
            .features()
            .get("eligible.leader.replicas.version")
            .is_some_and(|level| *level >= 1)
    }

    /// Whether the broker's directory of this partition is online, as far as it says.
    fn has_online_dir(&self, broker: i32, partition: &PartitionImage) -> bool {
        match (partition.directory(broker), self.image.broker(broker)) {
            (Some(dir), Some(_)) if dir.as_u128() < RESERVED_DIRS => dir.as_u128() != LOST_DIR,
            (Some(dir), Some(registration)) => registration.log_dirs.contains(&dir),
            _ => false,
        }
    }

    /// The directory of a new replica: the broker's only one, else the broker chooses.
    pub(super) fn default_dir(&self, broker: i32) -> Uuid {
        match self
            .image
            .broker(broker)
            .map(|broker| broker.log_dirs.as_slice())
        {
            Some([only]) => *only,
            Some([]) => MIGRATING_DIR,
            _ => Uuid::nil(),
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

    pub(super) fn elect_leaders(
        &self,
        request: &ElectLeadersRequest,
    ) -> (Vec<MetadataRecord>, ElectLeadersResponse) {
        let election = match request.election_type {
            0 => Ok(Election::Preferred),
            1 => Ok(Election::Unclean),
            other => Err(ApiError::new(
                ErrorCode::INVALID_REQUEST,
                format!("Unknown election type {other}"),
            )),
        };
        let mut records = Vec::new();
        let mut response = ElectLeadersResponse::default();
        match &election {
            Err(error) => response.error_code = error.code.0,
            Ok(_) if request.topic_partitions.as_ref().is_some_and(Vec::is_empty) => {
                return (records, response);
            }
            Ok(_) => {}
        }
        let mut elect = |topic: &str, number: i32| -> ApiError {
            let elected = election
                .clone()
                .and_then(|election| self.elect_leader(topic, number, election));
            match elected {
                Ok(record) => {
                    records.push(record.into());
                    ApiError::NONE
                }
                Err(error) => error,
            }
        };
        let result = |number: i32, error: &ApiError| {
            PartitionResult::default()
                .with_partition_id(number)
                .with_error_code(error.code.0)
                .with_error_message(error.wire_message())
        };
        match &request.topic_partitions {
            None => {
                for topic in self.image.topics() {
                    let mut results = Vec::new();
                    for number in topic.partitions.keys() {
                        let error = elect(&topic.name, *number);
                        if error.code != ErrorCode::ELECTION_NOT_NEEDED {
                            results.push(result(*number, &error));
                        }
                    }
                    response.replica_election_results.push(
                        ReplicaElectionResult::default()
                            .with_topic(
                                playground_protocol::codec::StrBytes::from_string(
                                    topic.name.clone(),
                                )
                                .into(),
                            )
                            .with_partition_result(results),
                    );
                }
            }
            Some(topics) => {
                for topic in topics {
                    let results = topic
                        .partitions
                        .iter()
                        .map(|number| result(*number, &elect(&topic.topic, *number)))
                        .collect();
                    response.replica_election_results.push(
                        ReplicaElectionResult::default()
                            .with_topic(topic.topic.clone())
                            .with_partition_result(results),
                    );
                }
            }
        }
        (records, response)
    }

    /// `electLeader`
    fn elect_leader(
        &self,
        name: &str,
        number: i32,
        election: Election,
    ) -> Result<PartitionChangeRecord, ApiError> {
        let unknown = |text| ApiError::new(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION, text);
        let topic = self
            .image
            .topic(name)
            .ok_or_else(|| unknown(format!("No such topic as {name}")))?;
        let partition = topic
            .partitions
            .get(&number)
            .ok_or_else(|| unknown(format!("No such partition as {name}-{number}")))?;
        let needed = match election {
            Election::Preferred => !has_preferred_leader(partition),
            Election::Online | Election::Unclean => partition.leader < 0,
        };
        if !needed {
            return Err(ApiError::of(ErrorCode::ELECTION_NOT_NEEDED));
        }
        let is_active = |broker| self.is_active(broker);
        self.partition_change(topic, number, partition, &is_active, |change| {
            change.election = election;
        })
        .ok_or_else(|| {
            ApiError::of(match election {
                Election::Preferred => ErrorCode::PREFERRED_LEADER_NOT_AVAILABLE,
                Election::Online | Election::Unclean => ErrorCode::ELIGIBLE_LEADERS_NOT_AVAILABLE,
            })
        })
    }

    /// The preferred replicas that can lead and do not: they get their partitions back
    /// (`maybeBalancePartitionLeaders`). Whether more remain.
    pub(super) fn balance_leaders(&self) -> (Vec<MetadataRecord>, bool) {
        let is_active = |broker| self.is_active(broker);
        let mut records = Vec::new();
        for topic in self.image.topics() {
            for (number, partition) in &topic.partitions {
                if has_preferred_leader(partition) {
                    continue;
                }
                if records.len() >= ELECTIONS_AT_ONCE_MAX {
                    return (records, true);
                }
                let record =
                    self.partition_change(topic, *number, partition, &is_active, |change| {
                        change.election = Election::Preferred;
                    });
                records.extend(record.map(MetadataRecord::from));
            }
        }
        (records, false)
    }

    /// Partitions without a leader whose topics allow an unclean election get one (`maybeElectUncleanLeaders`).
    /// Whether more remain.
    pub(super) fn elect_unclean_leaders(&self) -> (Vec<MetadataRecord>, bool) {
        let mut records = Vec::new();
        let leaderless: BTreeSet<(Uuid, i32)> = self.image.partitions_without_leader().collect();
        for (topic_id, number) in leaderless {
            if records.len() >= ELECTIONS_AT_ONCE_MAX {
                return (records, true);
            }
            let Some(topic) = self.image.topic_by_id(topic_id) else {
                continue;
            };
            if self.default_election(&topic.name) == Election::Unclean
                && let Ok(record) = self.elect_leader(&topic.name, number, Election::Unclean)
            {
                records.push(record.into());
            }
        }
        (records, false)
    }
}

/// Whether the first replica leads.
fn has_preferred_leader(partition: &PartitionImage) -> bool {
    partition.replicas.first() == Some(&partition.leader)
}
