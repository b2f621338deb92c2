//! What a client knows of the cluster (`org.apache.kafka.clients.Metadata`).

use std::collections::{BTreeMap, BTreeSet};

use playground_protocol::messages::metadata_request::MetadataRequestTopic;
use playground_protocol::messages::{MetadataRequest, MetadataResponse, TopicName};
use playground_protocol::{ErrorCode, Random, Time};
use uuid::Uuid;

use super::backoff::Backoff;
use crate::{ClientError, TopicPartition};

/// A broker, as clients know it. Java shows it as `host:port (id: 1 rack: null isFenced: false)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInfo {
    /// The broker's id.
    pub id: i32,
    /// Advertised host.
    pub host: String,
    /// Advertised port.
    pub port: i32,
    /// `broker.rack`.
    pub rack: Option<String>,
    /// Registered, but not in service.
    pub fenced: bool,
}

impl std::fmt::Display for NodeInfo {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "{}:{} (id: {} rack: {} isFenced: {})",
            self.host,
            self.port,
            self.id,
            self.rack.as_deref().unwrap_or("null"),
            self.fenced
        )
    }
}

/// A partition of a topic, as the last metadata response told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionInfo {
    /// The leader, if there is one.
    pub leader: Option<i32>,
    /// Its epoch, if known.
    pub leader_epoch: Option<i32>,
    /// All replicas.
    pub replicas: Vec<i32>,
}

/// A topic, as the last metadata response told it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopicInfo {
    /// Its id.
    pub id: Uuid,
    /// Internal to Kafka.
    pub internal: bool,
    /// By number.
    pub partitions: BTreeMap<i32, PartitionInfo>,
}

/// Which topics are asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interest {
    /// These.
    Topics(BTreeSet<String>),
    /// Every topic there is.
    All,
}

/// The cluster as last seen, and when it is to be looked at again.
#[derive(Clone, Debug)]
pub struct Metadata {
    bootstrap: Vec<NodeInfo>,
    /// Only the bootstrap addresses are known.
    bootstrap_only: bool,
    nodes: BTreeMap<i32, NodeInfo>,
    cluster_id: Option<String>,
    controller: Option<i32>,
    topics: BTreeMap<String, TopicInfo>,
    invalid_topics: BTreeSet<String>,
    interest: Interest,
    allow_auto_creation: bool,
    expire_ms: i64,
    backoff: Backoff,
    need_update: bool,
    /// Raised when topics of interest are added; a response to an older request leaves a need.
    interest_version: u64,
    in_progress: Option<u64>,
    last_success: Option<Time>,
    attempts: u32,
    equivalent_responses: u32,
    not_before: Time,
    /// Raised by every response.
    version: u64,
}

impl Metadata {
    pub(crate) fn new(
        addresses: &[(String, u16)],
        expire_ms: i64,
        backoff: Backoff,
        allow_auto_creation: bool,
    ) -> Metadata {
        let bootstrap: Vec<NodeInfo> = addresses
            .iter()
            .zip(1..)
            .map(|((host, port), number): (_, i32)| NodeInfo {
                id: -number,
                host: host.clone(),
                port: i32::from(*port),
                rack: None,
                fenced: false,
            })
            .collect();
        let mut metadata = Metadata {
            bootstrap,
            bootstrap_only: true,
            nodes: BTreeMap::new(),
            cluster_id: None,
            controller: None,
            topics: BTreeMap::new(),
            invalid_topics: BTreeSet::new(),
            interest: Interest::Topics(BTreeSet::new()),
            allow_auto_creation,
            expire_ms,
            backoff,
            need_update: true,
            interest_version: 0,
            in_progress: None,
            last_success: None,
            attempts: 0,
            equivalent_responses: 0,
            not_before: Time::default(),
            version: 0,
        };
        metadata.rebootstrap();
        metadata
    }

    /// Forgets what was learned and starts from the bootstrap addresses again (KIP-899).
    pub(crate) fn rebootstrap(&mut self) {
        self.nodes = self
            .bootstrap
            .iter()
            .map(|node| (node.id, node.clone()))
            .collect();
        self.bootstrap_only = true;
        self.topics.clear();
        self.controller = None;
        self.need_update = true;
    }

    /// Whether only the bootstrap addresses are known.
    pub fn is_bootstrap(&self) -> bool {
        self.bootstrap_only
    }

    /// The brokers, by id; the bootstrap addresses have ids -1, -2, ...
    pub fn nodes(&self) -> &BTreeMap<i32, NodeInfo> {
        &self.nodes
    }

    /// A broker.
    pub fn node(&self, id: i32) -> Option<&NodeInfo> {
        self.nodes.get(&id)
    }

    /// The cluster id, once told.
    pub fn cluster_id(&self) -> Option<&str> {
        self.cluster_id.as_deref()
    }

    /// The controller as told to clients; in KRaft some broker.
    pub fn controller(&self) -> Option<i32> {
        self.controller
    }

    /// The topics of the last response.
    pub fn topics(&self) -> &BTreeMap<String, TopicInfo> {
        &self.topics
    }

    /// A topic of the last response.
    pub fn topic(&self, name: &str) -> Option<&TopicInfo> {
        self.topics.get(name)
    }

    /// The topic whose id this is.
    pub fn topic_name(&self, id: Uuid) -> Option<&str> {
        self.topics
            .iter()
            .find(|(_, topic)| topic.id == id)
            .map(|(name, _)| name.as_str())
    }

    /// A partition of the last response.
    pub fn partition(&self, partition: &TopicPartition) -> Option<&PartitionInfo> {
        self.topics
            .get(&partition.topic)?
            .partitions
            .get(&partition.partition)
    }

    /// The leader of a partition, if it is known and its address too.
    pub fn leader(&self, partition: &TopicPartition) -> Option<i32> {
        self.partition(partition)?
            .leader
            .filter(|leader| self.nodes.contains_key(leader))
    }

    /// Topics that a broker called invalid: the fatal error of asking for them.
    pub fn invalid_topics_error(&self) -> Option<ClientError> {
        self.invalid_topics().map(|names| {
            ClientError::from_code(
                ErrorCode::INVALID_TOPIC_EXCEPTION,
                Some(&format!("Invalid topics: [{names}]")),
            )
        })
    }

    /// The names of the topics that a broker called invalid, with commas between them.
    pub fn invalid_topics(&self) -> Option<String> {
        let names: Vec<&str> = self.invalid_topics.iter().map(String::as_str).collect();
        (!names.is_empty()).then(|| names.join(", "))
    }

    /// Whether a broker called this topic's name invalid.
    pub fn is_invalid(&self, topic: &str) -> bool {
        self.invalid_topics.contains(topic)
    }

    /// Raised by every response.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Which topics are asked for.
    pub fn interest(&self) -> &Interest {
        &self.interest
    }

    /// Asks for these topics from now on; at once if there are new ones.
    pub fn set_interest(&mut self, interest: Interest) {
        let new = match (&self.interest, &interest) {
            (Interest::Topics(old), Interest::Topics(topics)) => !topics.is_subset(old),
            (Interest::Topics(_), Interest::All) => true,
            (Interest::All, _) => false,
        };
        self.interest = interest;
        if new {
            self.request_update_for_new_topics();
        }
    }

    /// Asks for one topic more; whether it is new.
    pub fn add_topic(&mut self, topic: &str) -> bool {
        let added = match &mut self.interest {
            Interest::Topics(topics) => topics.insert(topic.to_owned()),
            Interest::All => false,
        };
        if added {
            self.request_update_for_new_topics();
        }
        added
    }

    /// Asks for one topic less.
    pub fn remove_topic(&mut self, topic: &str) {
        if let Interest::Topics(topics) = &mut self.interest {
            topics.remove(topic);
        }
        self.invalid_topics.remove(topic);
    }

    /// A refresh is wanted soon, after the backoff.
    pub fn request_update(&mut self) {
        self.need_update = true;
    }

    fn request_update_for_new_topics(&mut self) {
        self.need_update = true;
        self.interest_version += 1;
        self.equivalent_responses = 0;
        self.not_before = Time::default();
    }

    /// When the next request may and should go; `None` while one is under way.
    pub(crate) fn next_update(&self) -> Option<Time> {
        if self.in_progress.is_some() {
            return None;
        }
        let due = match self.last_success {
            _ if self.need_update => Time::default(),
            None => Time::default(),
            Some(last) => last.plus_millis(self.expire_ms),
        };
        Some(due.max(self.not_before))
    }

    /// The request, which counts as sent.
    pub(crate) fn start_update(&mut self) -> MetadataRequest {
        self.in_progress = Some(self.interest_version);
        let topics = match &self.interest {
            Interest::All => None,
            Interest::Topics(topics) => Some(
                topics
                    .iter()
                    .map(|name| {
                        MetadataRequestTopic::default()
                            .with_name(Some(TopicName(name.clone().into())))
                    })
                    .collect(),
            ),
        };
        MetadataRequest::default()
            .with_topics(topics)
            .with_allow_auto_topic_creation(self.allow_auto_creation)
    }

    /// The request failed, or was never answered.
    pub(crate) fn fail_update(&mut self, random: &mut Random, now: Time) {
        self.in_progress = None;
        self.need_update = true;
        self.attempts = self.attempts.saturating_add(1);
        self.not_before = now.plus_millis(self.backoff.wait_ms(self.attempts - 1, random));
    }

    /// Takes a response. Gives the topics with errors, in the order told.
    pub(crate) fn update(
        &mut self,
        response: &MetadataResponse,
        random: &mut Random,
        now: Time,
    ) -> Vec<(String, ErrorCode)> {
        let errors: Vec<(String, ErrorCode)> = response
            .topics
            .iter()
            .filter(|topic| topic.error_code != 0)
            .map(|topic| (name_of(topic.name.as_ref()), ErrorCode(topic.error_code)))
            .collect();
        if response.brokers.is_empty() {
            self.fail_update(random, now);
            return errors;
        }
        let sent = self.in_progress.take().unwrap_or(self.interest_version);
        self.need_update = sent < self.interest_version;
        self.last_success = Some(now);
        self.attempts = 0;
        self.version += 1;
        self.bootstrap_only = false;
        self.cluster_id = response.cluster_id.as_ref().map(ToString::to_string);
        self.controller = (response.controller_id.0 >= 0).then_some(response.controller_id.0);
        self.nodes = response
            .brokers
            .iter()
            .map(|broker| {
                let node = NodeInfo {
                    id: broker.node_id.0,
                    host: broker.host.to_string(),
                    port: broker.port,
                    rack: broker.rack.as_ref().map(ToString::to_string),
                    fenced: false,
                };
                (node.id, node)
            })
            .collect();
        let old = std::mem::take(&mut self.topics);
        self.invalid_topics.clear();
        let mut changed = false;
        for topic in &response.topics {
            let name = name_of(topic.name.as_ref());
            match ErrorCode(topic.error_code) {
                ErrorCode::NONE => {}
                ErrorCode::INVALID_TOPIC_EXCEPTION => {
                    self.invalid_topics.insert(name);
                    continue;
                }
                error => {
                    self.need_update |= is_invalid_metadata(error);
                    continue;
                }
            }
            let before = old.get(&name).filter(|before| before.id == topic.topic_id);
            let mut info = TopicInfo {
                id: topic.topic_id,
                internal: topic.is_internal,
                partitions: BTreeMap::new(),
            };
            for partition in &topic.partitions {
                self.need_update |= is_invalid_metadata(ErrorCode(partition.error_code));
                let new = PartitionInfo {
                    leader: (partition.leader_id.0 >= 0).then_some(partition.leader_id.0),
                    leader_epoch: (partition.leader_epoch >= 0).then_some(partition.leader_epoch),
                    replicas: partition.replica_nodes.iter().map(|id| id.0).collect(),
                };
                let known =
                    before.and_then(|topic| topic.partitions.get(&partition.partition_index));
                // A broker that lags behind tells an older leader: keep the newer one (KIP-320).
                let kept = match known {
                    Some(known) if known.leader_epoch > new.leader_epoch => known.clone(),
                    known => {
                        changed |= known.is_none_or(|known| known.leader_epoch < new.leader_epoch);
                        new
                    }
                };
                info.partitions.insert(partition.partition_index, kept);
            }
            self.topics.insert(name, info);
        }
        if changed {
            self.equivalent_responses = 0;
        } else {
            self.equivalent_responses = self.equivalent_responses.saturating_add(1);
        }
        let waits = self.equivalent_responses.saturating_sub(1);
        self.not_before = now.plus_millis(self.backoff.wait_ms(waits, random));
        if sent < self.interest_version {
            self.not_before = now;
        }
        errors
    }

    /// A response to another request told a newer leader (KIP-951). Whether it was news.
    pub fn update_leader(
        &mut self,
        partition: &TopicPartition,
        leader: i32,
        leader_epoch: i32,
    ) -> bool {
        if !self.nodes.contains_key(&leader) {
            return false;
        }
        let Some(info) = self
            .topics
            .get_mut(&partition.topic)
            .and_then(|topic| topic.partitions.get_mut(&partition.partition))
        else {
            return false;
        };
        if info.leader_epoch.is_some_and(|known| known >= leader_epoch) {
            return false;
        }
        info.leader = Some(leader);
        info.leader_epoch = Some(leader_epoch);
        true
    }

    /// Whether metadata was taken since `since`, or never within the expiry.
    pub fn last_success(&self) -> Option<Time> {
        self.last_success
    }
}

fn name_of(name: Option<&TopicName>) -> String {
    name.map(|name| name.0.to_string()).unwrap_or_default()
}

/// The errors whose exceptions are `InvalidMetadataException`s.
pub fn is_invalid_metadata(error: ErrorCode) -> bool {
    [
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
        ErrorCode::LEADER_NOT_AVAILABLE,
        ErrorCode::NOT_LEADER_OR_FOLLOWER,
        ErrorCode::REPLICA_NOT_AVAILABLE,
        ErrorCode::NETWORK_EXCEPTION,
        ErrorCode::KAFKA_STORAGE_ERROR,
        ErrorCode::LISTENER_NOT_FOUND,
        ErrorCode::FENCED_LEADER_EPOCH,
        ErrorCode::UNKNOWN_LEADER_EPOCH,
        ErrorCode::UNKNOWN_TOPIC_ID,
        ErrorCode::INCONSISTENT_TOPIC_ID,
    ]
    .contains(&error)
}
