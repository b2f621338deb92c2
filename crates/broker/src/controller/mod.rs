//! The active controller as a state machine (`QuorumController` and its managers).
//!
//! [`Controller::handle`] answers a request with records and a response; the caller appends the records to
//! `__cluster_metadata` and gives each of them, once committed, to [`Controller::replay`], which alone changes
//! the metadata. The response goes out when the records are committed. Only the brokers' sessions
//! ([`sessions`]) are kept outside the records, as in Kafka.

pub mod sessions;

use playground_protocol::messages::{RequestKind, ResponseKind};
use playground_protocol::{Random, Time};
use uuid::Uuid;

use crate::config::BrokerConfig;
use crate::metadata::{MetadataChange, MetadataImage, MetadataRecord, ReplayError};

pub use sessions::Sessions;

/// What the controller is told with a request.
#[derive(Clone, Copy, Debug)]
pub struct ControllerContext {
    /// When.
    pub now: Time,
    /// The request's version.
    pub api_version: i16,
    /// The offset that the first of the returned records will have.
    pub next_offset: i64,
}

/// What a request leads to.
#[derive(Clone, Debug, Default)]
pub struct ControllerResult {
    /// The records to append, in order, as one batch.
    pub records: Vec<MetadataRecord>,
    /// The response; `None` when the API is not the controller's.
    pub response: Option<ResponseKind>,
}

/// The settings of a controller, from the node's properties.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ControllerConfig {
    /// The controller's own id.
    pub node_id: i32,
    /// The cluster's id.
    pub cluster_id: Uuid,
    /// `broker.session.timeout.ms`.
    pub broker_session_timeout_ms: i64,
    /// `num.partitions`.
    pub num_partitions: i32,
    /// `default.replication.factor`.
    pub default_replication_factor: i16,
    /// All of the node's configuration, whose static part topics fall back to.
    pub broker: BrokerConfig,
}

impl ControllerConfig {
    /// The settings of the controller in this node.
    pub fn new(broker: &BrokerConfig, cluster_id: Uuid) -> ControllerConfig {
        ControllerConfig {
            node_id: broker.node_id(),
            cluster_id,
            broker_session_timeout_ms: broker.long("broker.session.timeout.ms"),
            num_partitions: broker.int("num.partitions"),
            default_replication_factor: i16::try_from(broker.int("default.replication.factor"))
                .unwrap_or(1),
            broker: broker.clone(),
        }
    }
}

/// The active controller.
#[derive(Clone, Debug)]
pub struct Controller {
    config: ControllerConfig,
    image: MetadataImage,
    sessions: Sessions,
    random: Random,
}

impl Controller {
    /// A controller that has replayed nothing yet. `random` places partitions and makes topic ids.
    pub fn new(config: ControllerConfig, random: Random) -> Controller {
        Controller {
            config,
            image: MetadataImage::new(),
            sessions: Sessions::default(),
            random,
        }
    }

    /// The records that a new, empty metadata log begins with: features' levels and first configurations.
    pub fn bootstrap_records(&self) -> Vec<MetadataRecord> {
        Vec::new()
    }

    /// Becomes active after the log is replayed: every registered broker gets a new session.
    pub fn activate(&mut self, now: Time) {
        let _ = now;
    }

    /// The metadata as replayed so far.
    pub fn image(&self) -> &MetadataImage {
        &self.image
    }

    /// Replays a committed record, which stands at `offset`.
    ///
    /// # Errors
    /// [`ReplayError`] when the record does not fit: the log is damaged.
    pub fn replay(
        &mut self,
        record: &MetadataRecord,
        offset: i64,
    ) -> Result<MetadataChange, ReplayError> {
        let _ = offset;
        self.image.replay(record)
    }

    /// Answers a request of the controller's APIs: BrokerRegistration, BrokerHeartbeat, UnregisterBroker,
    /// CreateTopics, DeleteTopics, CreatePartitions, AlterConfigs, IncrementalAlterConfigs, AlterPartition,
    /// AllocateProducerIds, ListPartitionReassignments.
    pub fn handle(
        &mut self,
        request: &RequestKind,
        context: ControllerContext,
    ) -> ControllerResult {
        let _ = (request, context, &self.config, &mut self.random);
        ControllerResult::default()
    }

    /// Fences the brokers whose sessions ended by `now`; the result has no response.
    pub fn tick(&mut self, now: Time) -> ControllerResult {
        let _ = (now, &mut self.sessions);
        ControllerResult::default()
    }

    /// When the next session ends: call [`tick`](Self::tick) then.
    pub fn next_deadline(&self) -> Time {
        Time::NEVER
    }
}
