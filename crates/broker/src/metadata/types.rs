//! What the metadata is made of: brokers, controllers, topics, partitions, configured resources; and what a
//! record changes.

use std::collections::BTreeMap;

use thiserror::Error;
use uuid::Uuid;

use super::records::{EndPoint, NO_LEADER, NO_LEADER_CHANGE, PartitionChangeRecord};

/// A broker that registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerRegistration {
    /// Its id.
    pub id: i32,
    /// Its epoch: the offset of its registration's record.
    pub epoch: i64,
    /// Chosen by the broker process at its start.
    pub incarnation_id: Uuid,
    /// The listeners for clients: (name, host, port).
    pub end_points: Vec<EndPointImage>,
    /// What it supports: name, lowest and highest level.
    pub features: BTreeMap<String, (i16, i16)>,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// Fenced brokers lead nothing and are not shown to clients.
    pub fenced: bool,
    /// Whether it is shutting down.
    pub in_controlled_shutdown: bool,
    /// Its log directories, sorted.
    pub log_dirs: Vec<Uuid>,
    /// Its log directories that take no new partitions, sorted; `None` if it does not say.
    pub cordoned_log_dirs: Option<Vec<Uuid>>,
}

impl BrokerRegistration {
    /// The endpoint of the listener `name`.
    pub fn end_point(&self, name: &str) -> Option<&EndPointImage> {
        self.end_points
            .iter()
            .find(|end_point| end_point.name == name)
    }

    /// Whether a log directory takes new replicas (KIP-1066).
    pub fn has_uncordoned_dirs(&self) -> bool {
        match &self.cordoned_log_dirs {
            Some(cordoned) if !self.log_dirs.is_empty() => {
                self.log_dirs.iter().any(|dir| !cordoned.contains(dir))
            }
            _ => true,
        }
    }
}

/// An advertised endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndPointImage {
    /// The listener's name.
    pub name: String,
    /// The advertised host.
    pub host: String,
    /// The advertised port.
    pub port: u16,
    /// The security protocol's number; 0 is PLAINTEXT.
    pub security_protocol: i16,
}

impl From<&EndPoint> for EndPointImage {
    fn from(end_point: &EndPoint) -> EndPointImage {
        EndPointImage {
            name: end_point.name.clone(),
            host: end_point.host.clone(),
            port: end_point.port,
            security_protocol: end_point.security_protocol,
        }
    }
}

/// A controller that registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerRegistration {
    /// Its id.
    pub id: i32,
    /// Chosen by the process at its start.
    pub incarnation_id: Uuid,
    /// Its listeners.
    pub end_points: Vec<EndPointImage>,
    /// What it supports: name, lowest and highest level.
    pub features: BTreeMap<String, (i16, i16)>,
}

/// A partition's state (`PartitionRegistration`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionImage {
    /// The replicas, preferred leader first.
    pub replicas: Vec<i32>,
    /// The log directory of each replica.
    pub directories: Vec<Uuid>,
    /// The in-sync replicas.
    pub isr: Vec<i32>,
    /// Replicas that a reassignment removes.
    pub removing_replicas: Vec<i32>,
    /// Replicas that a reassignment adds.
    pub adding_replicas: Vec<i32>,
    /// The eligible leader replicas (KIP-966).
    pub elr: Vec<i32>,
    /// The last known eligible leader replicas.
    pub last_known_elr: Vec<i32>,
    /// The leader, or -1.
    pub leader: i32,
    /// 1 while the leader recovers from an unclean election.
    pub leader_recovery_state: i8,
    /// Grows with every new leader.
    pub leader_epoch: i32,
    /// Grows with every change.
    pub partition_epoch: i32,
}

impl PartitionImage {
    /// Applies the fields that the record sets (`PartitionRegistration.merge`).
    pub fn merge(&mut self, record: &PartitionChangeRecord) {
        if let Some(replicas) = &record.replicas {
            self.replicas.clone_from(replicas);
        }
        if let Some(directories) = &record.directories {
            self.directories.clone_from(directories);
        }
        if let Some(isr) = &record.isr {
            self.isr.clone_from(isr);
        }
        if let Some(removing) = &record.removing_replicas {
            self.removing_replicas.clone_from(removing);
        }
        if let Some(adding) = &record.adding_replicas {
            self.adding_replicas.clone_from(adding);
        }
        if let Some(elr) = &record.eligible_leader_replicas {
            self.elr.clone_from(elr);
        }
        if let Some(last_known) = &record.last_known_elr {
            self.last_known_elr.clone_from(last_known);
        }
        if record.leader != NO_LEADER_CHANGE {
            self.leader = record.leader;
            self.leader_epoch += 1;
        }
        if record.leader_recovery_state >= 0 {
            self.leader_recovery_state = record.leader_recovery_state;
        }
        self.partition_epoch += 1;
    }

    /// The log directory of a replica; `None` if the broker is no replica.
    pub fn directory(&self, replica: i32) -> Option<Uuid> {
        let position = self.replicas.iter().position(|id| *id == replica)?;
        self.directories.get(position).copied()
    }

    pub(super) fn index_keys(&self) -> impl Iterator<Item = i32> + '_ {
        let leaderless = (self.leader < 0).then_some(NO_LEADER);
        self.isr.iter().copied().chain(leaderless)
    }
}

/// A topic and its partitions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicImage {
    /// The topic's name.
    pub name: String,
    /// The topic's id.
    pub id: Uuid,
    /// Its partitions by number.
    pub partitions: BTreeMap<i32, PartitionImage>,
}

/// What kind of thing a configuration belongs to (`ConfigResource.Type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(i8)]
pub enum ResourceType {
    /// None of the known ones.
    Unknown = 0,
    /// A topic.
    Topic = 2,
    /// A broker; the empty name is the default of all brokers.
    Broker = 4,
    /// A broker's loggers.
    BrokerLogger = 8,
    /// A subscription to client metrics.
    ClientMetrics = 16,
    /// A group.
    Group = 32,
}

impl ResourceType {
    /// The type of this number; [`ResourceType::Unknown`] if there is none.
    pub fn from_code(code: i8) -> ResourceType {
        match code {
            2 => ResourceType::Topic,
            4 => ResourceType::Broker,
            8 => ResourceType::BrokerLogger,
            16 => ResourceType::ClientMetrics,
            32 => ResourceType::Group,
            _ => ResourceType::Unknown,
        }
    }

    /// The number of the wire.
    pub fn code(self) -> i8 {
        self as i8
    }

    /// The name as Java prints it: `TOPIC`.
    pub fn name(self) -> &'static str {
        match self {
            ResourceType::Unknown => "UNKNOWN",
            ResourceType::Topic => "TOPIC",
            ResourceType::Broker => "BROKER",
            ResourceType::BrokerLogger => "BROKER_LOGGER",
            ResourceType::ClientMetrics => "CLIENT_METRICS",
            ResourceType::Group => "GROUP",
        }
    }
}

/// Something that has configurations.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigResource {
    /// Its kind.
    pub resource_type: ResourceType,
    /// Its name.
    pub name: String,
}

impl ConfigResource {
    /// A resource.
    pub fn new(resource_type: ResourceType, name: impl Into<String>) -> ConfigResource {
        ConfigResource {
            resource_type,
            name: name.into(),
        }
    }
}

/// What a replayed record changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MetadataChange {
    /// Nothing that anyone waits for.
    None,
    /// A broker registered, or its registration changed or ended.
    Broker(i32),
    /// A controller registered.
    Controller(i32),
    /// A topic was created, still without partitions.
    TopicCreated {
        /// Its id.
        topic_id: Uuid,
    },
    /// A topic was deleted; this is what it was.
    TopicRemoved(TopicImage),
    /// A partition was created or changed.
    Partition {
        /// Its topic's id.
        topic_id: Uuid,
        /// Its number.
        partition: i32,
        /// What it was; `None` if it is new.
        previous: Option<PartitionImage>,
    },
    /// The eligible leader replicas of these partitions (topic id, number) were forgotten.
    ElrCleared(Vec<(Uuid, i32)>),
    /// A configuration was set or removed.
    Config {
        /// Whose.
        resource: ConfigResource,
        /// Its name.
        name: String,
    },
    /// A feature's level changed.
    Feature(String),
    /// The next producer id changed.
    ProducerIds,
}

/// Why a record cannot be replayed: it speaks of what is not there.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum ReplayError {
    /// A partition of an unknown topic.
    #[error(
        "Tried to create partition {topic_id}:{partition}, but no topic with that ID was found."
    )]
    UnknownTopic {
        /// The topic's id.
        topic_id: Uuid,
        /// The partition.
        partition: i32,
    },
    /// A change of a partition that does not exist.
    #[error(
        "Tried to create partition {topic_id}:{partition}, but no partition with that id was found."
    )]
    UnknownPartition {
        /// The topic's id.
        topic_id: Uuid,
        /// The partition.
        partition: i32,
    },
    /// A second topic of the same name.
    #[error("Found duplicate TopicRecord for {0}")]
    DuplicateTopic(String),
    /// A deletion of an unknown topic.
    #[error("Can't find topic with ID {0} to remove.")]
    UnknownTopicId(Uuid),
    /// A change of a broker that is not registered.
    #[error("Unable to replay a record for broker {0}: no broker with that id is registered")]
    UnknownBroker(i32),
    /// A change of a broker at another epoch.
    #[error(
        "Unable to replay a record for broker {broker}: its epoch is {actual}, the record's {expected}"
    )]
    WrongBrokerEpoch {
        /// The broker's id.
        broker: i32,
        /// The record's epoch.
        expected: i64,
        /// The registration's epoch.
        actual: i64,
    },
}
