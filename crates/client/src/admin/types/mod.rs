//! What is asked of an [`Admin`](crate::Admin), and what it answers.

mod cluster;

pub use cluster::*;
use indexmap::IndexMap;
use uuid::Uuid;

use crate::consumer::OffsetAndMetadata;
pub use crate::network::NodeInfo;
use crate::{ClientError, TopicPartition};

/// One outcome per topic, group, partition or resource.
pub type PerKey<K, V> = IndexMap<K, Result<V, ClientError>>;

/// A call of Java's `Admin`.
#[derive(Clone, Debug, PartialEq)]
pub enum AdminRequest {
    /// `describeCluster`.
    DescribeCluster {
        /// Brokers too that are registered but not in service.
        include_fenced: bool,
    },
    /// The APIs of each broker, as `kafka-broker-api-versions` asks for them.
    DescribeBrokerVersions,
    /// `describeFeatures`.
    DescribeFeatures {
        /// Of this node, or of any.
        node: Option<i32>,
    },
    /// `updateFeatures`.
    UpdateFeatures {
        /// The new levels.
        updates: Vec<FeatureUpdate>,
        /// Only check.
        validate_only: bool,
    },
    /// `describeLogDirs`, `describeReplicaLogDirs`.
    DescribeLogDirs {
        /// By broker, the replicas asked for (`None`: all).
        brokers: Vec<(i32, Option<Vec<TopicPartition>>)>,
    },
    /// `electLeaders`.
    ElectLeaders {
        /// A leader that may lack records, instead of the preferred one.
        unclean: bool,
        /// Of these partitions, or of all.
        partitions: Option<Vec<TopicPartition>>,
    },
    /// `alterPartitionReassignments`.
    AlterPartitionReassignments {
        /// The new replicas of each partition; `None` cancels what is under way.
        reassignments: Vec<(TopicPartition, Option<Vec<i32>>)>,
        /// Partitions may gain or lose replicas.
        allow_replication_factor_change: bool,
    },
    /// `listPartitionReassignments`.
    ListPartitionReassignments {
        /// Of these partitions, or of all.
        partitions: Option<Vec<TopicPartition>>,
    },
    /// `describeMetadataQuorum`.
    DescribeQuorum,
    /// `addRaftVoter`.
    AddRaftVoter {
        /// The controller's id.
        voter: i32,
        /// Its metadata directory.
        directory_id: Uuid,
        /// Its listeners.
        endpoints: Vec<RaftEndpoint>,
    },
    /// `removeRaftVoter`.
    RemoveRaftVoter {
        /// The controller's id.
        voter: i32,
        /// Its metadata directory.
        directory_id: Uuid,
    },
    /// `unregisterBroker`.
    UnregisterBroker {
        /// The broker's id.
        broker: i32,
    },
    /// `describeClientQuotas`.
    DescribeClientQuotas {
        /// Entity type and what it must match.
        components: Vec<(String, QuotaMatch)>,
        /// No other entity types beside these.
        strict: bool,
    },
    /// `alterClientQuotas`.
    AlterClientQuotas {
        /// The changes.
        alterations: Vec<QuotaAlteration>,
        /// Only check.
        validate_only: bool,
    },
    /// `listTopics`.
    ListTopics {
        /// Internal topics too.
        list_internal: bool,
    },
    /// `createTopics`.
    CreateTopics {
        /// The topics.
        topics: Vec<NewTopic>,
        /// Only check.
        validate_only: bool,
    },
    /// `deleteTopics`.
    DeleteTopics {
        /// By name.
        topics: Vec<String>,
    },
    /// `createPartitions`.
    CreatePartitions {
        /// Topic and what to grow it to.
        topics: Vec<(String, NewPartitions)>,
        /// Only check.
        validate_only: bool,
    },
    /// `describeTopics`.
    DescribeTopics {
        /// By name.
        topics: Vec<String>,
    },
    /// `describeConfigs`.
    DescribeConfigs {
        /// Of what.
        resources: Vec<ConfigResource>,
        /// Where each value comes from, in order.
        include_synonyms: bool,
        /// What each config means.
        include_documentation: bool,
    },
    /// `incrementalAlterConfigs`.
    IncrementalAlterConfigs {
        /// What to change where.
        changes: Vec<(ConfigResource, Vec<AlterConfigOp>)>,
        /// Only check.
        validate_only: bool,
    },
    /// `listConfigResources`.
    ListConfigResources {
        /// Of these kinds; of all if empty.
        types: Vec<ConfigResourceType>,
    },
    /// `listOffsets`.
    ListOffsets {
        /// Which offset of which partition.
        offsets: Vec<(TopicPartition, OffsetSpec)>,
        /// `read_committed`?
        read_committed: bool,
    },
    /// `deleteRecords`.
    DeleteRecords {
        /// Delete below this offset; -1 is the high watermark.
        offsets: Vec<(TopicPartition, i64)>,
    },
    /// `listGroups`.
    ListGroups {
        /// In these states (`Stable`, `Empty`, ...); in all if empty.
        states: Vec<String>,
        /// Of these types (`classic`, `consumer`, `share`, `streams`); of all if empty.
        types: Vec<String>,
        /// Of these protocol types (`consumer`, ...); of all if empty.
        protocol_types: Vec<String>,
    },
    /// `describeConsumerGroups`.
    DescribeGroups {
        /// By id.
        groups: Vec<String>,
    },
    /// `deleteConsumerGroups`.
    DeleteGroups {
        /// By id.
        groups: Vec<String>,
    },
    /// `listConsumerGroupOffsets`.
    ListGroupOffsets {
        /// Group and partitions, `None` for all.
        groups: Vec<(String, Option<Vec<TopicPartition>>)>,
        /// Wait for pending transactions.
        require_stable: bool,
    },
    /// `alterConsumerGroupOffsets`.
    AlterGroupOffsets {
        /// The group.
        group: String,
        /// What to set.
        offsets: Vec<(TopicPartition, OffsetAndMetadata)>,
    },
    /// `deleteConsumerGroupOffsets`.
    DeleteGroupOffsets {
        /// The group.
        group: String,
        /// Whose offsets.
        partitions: Vec<TopicPartition>,
    },
}

/// The answer to an [`AdminRequest`] of the same name.
#[derive(Clone, Debug, PartialEq)]
pub enum AdminResponse {
    /// The cluster.
    DescribeCluster(ClusterDescription),
    /// The brokers, by id.
    DescribeBrokerVersions(Vec<BrokerVersions>),
    /// The features.
    DescribeFeatures(FeatureMetadata),
    /// By feature.
    UpdateFeatures(PerKey<String, ()>),
    /// By broker: its directories, in its order.
    DescribeLogDirs(PerKey<i32, IndexMap<String, LogDirDescription>>),
    /// By partition.
    ElectLeaders(PerKey<TopicPartition, ()>),
    /// By partition.
    AlterPartitionReassignments(PerKey<TopicPartition, ()>),
    /// What is under way, by partition.
    ListPartitionReassignments(IndexMap<TopicPartition, PartitionReassignment>),
    /// The quorum.
    DescribeQuorum(QuorumInfo),
    /// It is a voter now.
    AddRaftVoter,
    /// It is a voter no more.
    RemoveRaftVoter,
    /// It is unknown now.
    UnregisterBroker,
    /// The quotas of each entity found, in answer order.
    DescribeClientQuotas(Vec<(QuotaEntity, Vec<(String, f64)>)>),
    /// By entity.
    AlterClientQuotas(PerKey<QuotaEntity, ()>),
    /// Topics, by name.
    ListTopics(Vec<TopicListing>),
    /// By topic.
    CreateTopics(PerKey<String, CreatedTopic>),
    /// By topic.
    DeleteTopics(PerKey<String, ()>),
    /// By topic.
    CreatePartitions(PerKey<String, ()>),
    /// By topic.
    DescribeTopics(PerKey<String, TopicDescription>),
    /// By resource.
    DescribeConfigs(PerKey<ConfigResource, Vec<ConfigEntry>>),
    /// By resource.
    IncrementalAlterConfigs(PerKey<ConfigResource, ()>),
    /// All found.
    ListConfigResources(Vec<ConfigResource>),
    /// By partition.
    ListOffsets(PerKey<TopicPartition, ListedOffset>),
    /// The new log start offset, by partition.
    DeleteRecords(PerKey<TopicPartition, i64>),
    /// All groups, and the errors of brokers that did not answer.
    ListGroups {
        /// The groups, in broker and answer order.
        groups: Vec<GroupListing>,
        /// What went wrong where.
        errors: Vec<ClientError>,
    },
    /// By group.
    DescribeGroups(PerKey<String, GroupDescription>),
    /// By group.
    DeleteGroups(PerKey<String, ()>),
    /// By group: each partition's offset, `None` where there is none.
    ListGroupOffsets(PerKey<String, IndexMap<TopicPartition, Option<OffsetAndMetadata>>>),
    /// By partition.
    AlterGroupOffsets(PerKey<TopicPartition, ()>),
    /// By partition.
    DeleteGroupOffsets(PerKey<TopicPartition, ()>),
}

/// The cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterDescription {
    /// The cluster id.
    pub cluster_id: String,
    /// The controller; in KRaft some broker that forwards to it.
    pub controller: Option<NodeInfo>,
    /// The brokers, by id.
    pub nodes: Vec<NodeInfo>,
}

/// A topic's name and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicListing {
    /// The name.
    pub name: String,
    /// The id.
    pub topic_id: Uuid,
    /// `__consumer_offsets` and the like.
    pub is_internal: bool,
}

/// A topic to create.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewTopic {
    /// The name.
    pub name: String,
    /// How many partitions, `None` for the broker's default.
    pub partitions: Option<i32>,
    /// Replicas of each partition, `None` for the broker's default.
    pub replication_factor: Option<i16>,
    /// Brokers of each partition, instead of the two above.
    pub assignments: IndexMap<i32, Vec<i32>>,
    /// Configs, in order.
    pub configs: Vec<(String, String)>,
}

/// A created topic, as far as the broker says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CreatedTopic {
    /// The id.
    pub topic_id: Uuid,
    /// How many partitions, -1 if not told.
    pub partitions: i32,
    /// Replicas of each partition, -1 if not told.
    pub replication_factor: i16,
}

/// How far to grow a topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPartitions {
    /// The new count.
    pub total_count: i32,
    /// Brokers of each new partition, or `None` to let the controller choose.
    pub assignments: Option<Vec<Vec<i32>>>,
}

/// A topic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicDescription {
    /// The name.
    pub name: String,
    /// The id.
    pub topic_id: Uuid,
    /// `__consumer_offsets` and the like.
    pub is_internal: bool,
    /// By number.
    pub partitions: Vec<PartitionDescription>,
}

/// A partition. Brokers that are down are known by id only (empty host, port -1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionDescription {
    /// The number.
    pub partition: i32,
    /// The leader, if there is one.
    pub leader: Option<NodeInfo>,
    /// All replicas, the preferred leader first.
    pub replicas: Vec<NodeInfo>,
    /// The in-sync ones.
    pub in_sync_replicas: Vec<NodeInfo>,
    /// Eligible leader replicas; `None` when the broker does not tell.
    pub eligible_leader_replicas: Option<Vec<NodeInfo>>,
    /// Last known eligible leader replicas; `None` when the broker does not tell.
    pub last_known_eligible_leader_replicas: Option<Vec<NodeInfo>>,
}

/// A kind of thing that has configs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ConfigResourceType {
    /// A topic (2).
    Topic,
    /// A broker, or all with the name "" (4).
    Broker,
    /// A broker's loggers (8).
    BrokerLogger,
    /// Client metrics (16).
    ClientMetrics,
    /// A group (32).
    Group,
}

impl ConfigResourceType {
    /// The wire's number.
    pub fn id(self) -> i8 {
        match self {
            ConfigResourceType::Topic => 2,
            ConfigResourceType::Broker => 4,
            ConfigResourceType::BrokerLogger => 8,
            ConfigResourceType::ClientMetrics => 16,
            ConfigResourceType::Group => 32,
        }
    }

    /// The kind of a number.
    pub fn from_id(id: i8) -> Option<ConfigResourceType> {
        [
            ConfigResourceType::Topic,
            ConfigResourceType::Broker,
            ConfigResourceType::BrokerLogger,
            ConfigResourceType::ClientMetrics,
            ConfigResourceType::Group,
        ]
        .into_iter()
        .find(|kind| kind.id() == id)
    }
}

/// Something that has configs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConfigResource {
    /// The kind.
    pub kind: ConfigResourceType,
    /// The name; "" is the default of all brokers.
    pub name: String,
}

/// Where a config's value comes from, as the wire numbers it; shown by its Java name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigSource(pub i8);

impl ConfigSource {
    /// A topic's own config.
    pub const DYNAMIC_TOPIC_CONFIG: ConfigSource = ConfigSource(1);
    /// A broker's dynamic config.
    pub const DYNAMIC_BROKER_CONFIG: ConfigSource = ConfigSource(2);
    /// The dynamic default of all brokers.
    pub const DYNAMIC_DEFAULT_BROKER_CONFIG: ConfigSource = ConfigSource(3);
    /// `server.properties`.
    pub const STATIC_BROKER_CONFIG: ConfigSource = ConfigSource(4);
    /// Built in.
    pub const DEFAULT_CONFIG: ConfigSource = ConfigSource(5);
    /// A broker's logger.
    pub const DYNAMIC_BROKER_LOGGER_CONFIG: ConfigSource = ConfigSource(6);
    /// Client metrics.
    pub const DYNAMIC_CLIENT_METRICS_CONFIG: ConfigSource = ConfigSource(7);
    /// A group's own config.
    pub const DYNAMIC_GROUP_CONFIG: ConfigSource = ConfigSource(8);

    /// Java's name.
    pub fn name(self) -> &'static str {
        match self.0 {
            1 => "DYNAMIC_TOPIC_CONFIG",
            2 => "DYNAMIC_BROKER_CONFIG",
            3 => "DYNAMIC_DEFAULT_BROKER_CONFIG",
            4 => "STATIC_BROKER_CONFIG",
            5 => "DEFAULT_CONFIG",
            6 => "DYNAMIC_BROKER_LOGGER_CONFIG",
            7 => "DYNAMIC_CLIENT_METRICS_CONFIG",
            8 => "DYNAMIC_GROUP_CONFIG",
            _ => "UNKNOWN",
        }
    }
}

/// One config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigEntry {
    /// The name.
    pub name: String,
    /// The value; `None` when there is none, or it is sensitive.
    pub value: Option<String>,
    /// Where it comes from.
    pub source: ConfigSource,
    /// Not shown.
    pub is_sensitive: bool,
    /// Not changed while running.
    pub is_read_only: bool,
    /// All places that set it, the one in force first.
    pub synonyms: Vec<ConfigSynonym>,
    /// `ConfigDef.Type` as the wire numbers it.
    pub kind: i8,
    /// What it means, if asked for.
    pub documentation: Option<String>,
}

/// A place that sets a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigSynonym {
    /// The name there.
    pub name: String,
    /// The value there.
    pub value: Option<String>,
    /// The place.
    pub source: ConfigSource,
}

/// One change of a config.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlterConfigOp {
    /// What to do.
    pub operation: AlterConfigOperation,
    /// The config's name.
    pub name: String,
    /// The value; ignored by delete.
    pub value: Option<String>,
}

/// How a config changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AlterConfigOperation {
    /// To the value (0).
    Set,
    /// To the default (1).
    Delete,
    /// The value's items are added to a list (2).
    Append,
    /// The value's items are taken from a list (3).
    Subtract,
}

/// Which offset of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetSpec {
    /// The log end (-1).
    Latest,
    /// The log start (-2).
    Earliest,
    /// That of the record with the largest timestamp (-3).
    MaxTimestamp,
    /// The first that is not tiered (-4).
    EarliestLocal,
    /// The last that is tiered (-5).
    LatestTiered,
    /// The first that is not tiered yet (-6).
    EarliestPendingUpload,
    /// The first at or after a time, in ms since the epoch.
    Timestamp(i64),
}

impl OffsetSpec {
    /// The wire's timestamp.
    pub fn timestamp(self) -> i64 {
        match self {
            OffsetSpec::Latest => -1,
            OffsetSpec::Earliest => -2,
            OffsetSpec::MaxTimestamp => -3,
            OffsetSpec::EarliestLocal => -4,
            OffsetSpec::LatestTiered => -5,
            OffsetSpec::EarliestPendingUpload => -6,
            OffsetSpec::Timestamp(timestamp) => timestamp,
        }
    }
}

/// An offset that was looked up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListedOffset {
    /// The offset, -1 when there is none.
    pub offset: i64,
    /// The record's timestamp in ms, -1 when there is none.
    pub timestamp: i64,
    /// The leader epoch, `None` when unknown.
    pub leader_epoch: Option<i32>,
}

/// A group, listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupListing {
    /// The id.
    pub group_id: String,
    /// `consumer` for consumers, "" for a group that only holds offsets.
    pub protocol_type: String,
    /// `Stable`, `Empty`, ...
    pub state: String,
    /// `Classic`, `Consumer`, `Share`, `Streams`; "" when the broker does not tell.
    pub group_type: String,
}

/// A group, described.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupDescription {
    /// The id.
    pub group_id: String,
    /// `Classic` or `Consumer`.
    pub group_type: String,
    /// `Stable`, `Empty`, ...
    pub state: String,
    /// `consumer`, ...
    pub protocol_type: String,
    /// `range`, ...; "" without members.
    pub assignor: String,
    /// Its members.
    pub members: Vec<MemberDescription>,
    /// Its coordinator.
    pub coordinator: NodeInfo,
    /// The group epoch (consumer protocol).
    pub group_epoch: Option<i32>,
    /// The target assignment's epoch (consumer protocol).
    pub target_assignment_epoch: Option<i32>,
}

/// A member of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberDescription {
    /// The id that the coordinator gave.
    pub member_id: String,
    /// `group.instance.id`.
    pub group_instance_id: Option<String>,
    /// `client.id`.
    pub client_id: String,
    /// `/127.0.0.1`.
    pub host: String,
    /// What it consumes, in Java's order.
    pub assignment: Vec<TopicPartition>,
    /// What it shall consume (consumer protocol).
    pub target_assignment: Option<Vec<TopicPartition>>,
    /// Its epoch (consumer protocol).
    pub member_epoch: Option<i32>,
}
