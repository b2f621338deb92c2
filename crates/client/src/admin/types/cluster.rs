//! What is asked and told of the cluster itself: versions, features, directories, the quorum, reassignments, quotas.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use uuid::Uuid;

use super::NodeInfo;
use crate::{ClientError, TopicPartition};

/// What a broker's ApiVersions told: (API key, lowest, highest version), in its order.
pub type ApiRanges = Vec<(i16, i16, i16)>;

/// A broker and the APIs that it answers.
#[derive(Clone, Debug, PartialEq)]
pub struct BrokerVersions {
    /// The broker.
    pub node: NodeInfo,
    /// Its APIs, or why they are not known.
    pub apis: Result<ApiRanges, ClientError>,
}

/// The cluster's features (`FeatureMetadata`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FeatureMetadata {
    /// Levels in force, by feature.
    pub finalized: BTreeMap<String, i16>,
    /// The epoch of `finalized`; `None` when the node knows none.
    pub epoch: Option<i64>,
    /// Lowest and highest level that the asked node supports, by feature.
    pub supported: BTreeMap<String, (i16, i16)>,
}

/// How a feature's level may change (`FeatureUpdate.UpgradeType`), as the wire numbers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpgradeType {
    /// Only up (1).
    Upgrade,
    /// Down, if nothing is lost (2).
    SafeDowngrade,
    /// Down, whatever is lost (3).
    UnsafeDowngrade,
}

impl UpgradeType {
    /// The wire's number.
    pub fn id(self) -> i8 {
        match self {
            UpgradeType::Upgrade => 1,
            UpgradeType::SafeDowngrade => 2,
            UpgradeType::UnsafeDowngrade => 3,
        }
    }
}

/// One feature's new level.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeatureUpdate {
    /// The feature.
    pub feature: String,
    /// The level; 0 removes it.
    pub level: i16,
    /// How it may change.
    pub upgrade_type: UpgradeType,
}

/// A broker's log directory.
#[derive(Clone, Debug, PartialEq)]
pub struct LogDirDescription {
    /// Why the directory is offline.
    pub error: Option<ClientError>,
    /// What lies in it, in the broker's order.
    pub replicas: IndexMap<TopicPartition, ReplicaInfo>,
    /// Its volume's size in bytes.
    pub total_bytes: Option<i64>,
    /// What is free of it, in bytes.
    pub usable_bytes: Option<i64>,
}

/// A replica in a log directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplicaInfo {
    /// Bytes of its segments.
    pub size: i64,
    /// How far its log end is behind the high watermark, in offsets, or of a future replica behind the current one.
    pub offset_lag: i64,
    /// It is being moved here from another directory of the broker.
    pub is_future: bool,
}

/// A partition whose replicas are changing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionReassignment {
    /// All replicas, old and new.
    pub replicas: Vec<i32>,
    /// Those that come.
    pub adding: Vec<i32>,
    /// Those that go.
    pub removing: Vec<i32>,
}

/// The metadata quorum (`QuorumInfo`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuorumInfo {
    /// The leader's id.
    pub leader_id: i32,
    /// Its epoch.
    pub leader_epoch: i32,
    /// Up to where the log is committed.
    pub high_watermark: i64,
    /// The voters, in answer order.
    pub voters: Vec<QuorumReplica>,
    /// Who copies the log without a vote.
    pub observers: Vec<QuorumReplica>,
    /// Voters' endpoints, by id.
    pub nodes: BTreeMap<i32, Vec<RaftEndpoint>>,
}

/// A replica of the metadata log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QuorumReplica {
    /// The node.
    pub id: i32,
    /// Its metadata directory.
    pub directory_id: Uuid,
    /// Its log end offset, -1 if unknown.
    pub log_end_offset: i64,
    /// When the leader last heard a Fetch of it, ms since the epoch.
    pub last_fetch_timestamp: Option<i64>,
    /// When it last had all of the log, ms since the epoch.
    pub last_caught_up_timestamp: Option<i64>,
}

/// A controller listener (`RaftVoterEndpoint`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RaftEndpoint {
    /// The listener's name.
    pub listener: String,
    /// Its host.
    pub host: String,
    /// Its port.
    pub port: u16,
}

/// Whom a quota is for: (`user`, `client-id` or `ip`; its name, `None` for the default), in the order given.
pub type QuotaEntity = Vec<(String, Option<String>)>;

/// What a quota's entity must match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuotaMatch {
    /// This name (0).
    Exact(String),
    /// The default entity (1).
    Default,
    /// Any name or the default (2).
    Any,
}

/// A change of an entity's quotas.
#[derive(Clone, Debug, PartialEq)]
pub struct QuotaAlteration {
    /// Whose.
    pub entity: QuotaEntity,
    /// Quota and its new value, `None` to remove it.
    pub operations: Vec<(String, Option<f64>)>,
}
