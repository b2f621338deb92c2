//! What a process does before it takes its first input: format or check the log directory, open the metadata
//! log, take up its part in the quorum.

use std::collections::BTreeMap;

use bytes::Bytes;
use playground_log::Disk;
use playground_log::checkpoint::{CLEAN_SHUTDOWN_FILE, parse_uuid, uuid_text};
use playground_protocol::{LogLevel, Random, Time};
use uuid::Uuid;

use super::channel::Channel;
use super::connections::Connections;
use super::fetch_session::FetchSessions;
use super::interface::{NodeConfig, NodeOutput};
use super::lifecycle::Lifecycle;
use super::producer_ids::ProducerIds;
use super::quorum::{Activity, voter_channel};
use super::replica_manager::ReplicaManager;
use super::settings::Settings;
use super::{KAFKA_SERVER_LOGGER, Node};
use crate::config::BrokerConfig;
use crate::group::{GroupConfig, GroupCoordinator};
use crate::metadata::MetadataImage;
use crate::raft::{Raft, RaftConfig};

/// `meta.properties`, which `kafka-storage format` writes.
const META_PROPERTIES: &str = "meta.properties";

impl Node {
    /// Starts the process: formats an empty log directory, recovers the logs of another, and begins to register
    /// with the controller. A formatted directory keeps its cluster id. Where it cannot start, it says why in a
    /// log line, and [`NodeOutput::Stopped`] follows.
    pub fn start(mut config: NodeConfig, disk: &mut Disk, seed: u64, now: Time) -> Node {
        let mut failure = None;
        let broker_config = BrokerConfig::new(&config).unwrap_or_else(|error| {
            failure = Some(error.to_string());
            BrokerConfig::new(&NodeConfig {
                node_id: 1,
                overrides: Vec::new(),
                listeners: Vec::new(),
                ..config.clone()
            })
            .unwrap_or_else(|_| unreachable!("Kafka's defaults are valid"))
        });
        let settings = Settings::new(&config, Some(&broker_config));
        let mut random = Random::new(seed, "node");
        disk.create_directory(&config.log_dir);
        let directory_id = match meta_properties(&mut config, disk, &mut random) {
            Ok(directory_id) => directory_id,
            Err(error) => {
                failure = Some(error);
                Uuid::nil()
            }
        };
        let marker = format!("{}/{CLEAN_SHUTDOWN_FILE}", config.log_dir);
        let clean = if failure.is_none() {
            disk.read_all(&marker)
        } else {
            None
        };
        let cluster_id_text = uuid_text(config.cluster_id);
        let client_id = config.node_id.to_string();
        let channel = || Channel::new(client_id.clone(), None, settings.request_timeout_ms);
        let voters: BTreeMap<i32, (String, u16)> = config
            .controller_voters
            .iter()
            .map(|(id, host, port)| (*id, (host.clone(), *port)))
            .collect();
        let raft_config = RaftConfig {
            node_id: config.node_id,
            directory_id,
            cluster_id: cluster_id_text.clone(),
            log_dir: config.log_dir.clone(),
            voters: voters.clone(),
            election_timeout_ms: settings.quorum_election_timeout_ms,
            fetch_timeout_ms: settings.quorum_fetch_timeout_ms,
            election_backoff_max_ms: settings.quorum_election_backoff_max_ms,
            request_timeout_ms: settings.quorum_request_timeout_ms,
            retry_backoff_ms: settings.quorum_retry_backoff_ms,
            fetch_max_bytes: settings.quorum_fetch_max_bytes,
        };
        // Where the process cannot start, what is on its disk is not its own.
        let mut nothing = Disk::new();
        let raft_disk = match failure {
            None => &mut *disk,
            Some(_) => &mut nothing,
        };
        let raft = Raft::open(raft_config, Random::new(seed, "raft"), raft_disk, now);
        let voters = voters
            .iter()
            .filter(|(id, _)| **id != config.node_id)
            .map(|(id, (host, port))| {
                let timeout_ms = settings.quorum_request_timeout_ms;
                (
                    *id,
                    voter_channel(client_id.clone(), host, *port, timeout_ms),
                )
            })
            .collect();
        let mut node = Node {
            heartbeats: channel(),
            forwarding: channel(),
            voters,
            raft,
            activity: Activity::default(),
            lifecycle: Lifecycle::new(
                config.node_id,
                random.uuid(),
                directory_id,
                clean.as_ref().map_or(-1, previous_broker_epoch),
                settings.broker_heartbeat_interval_ms,
                now,
            ),
            replicas: ReplicaManager::new(config.node_id, &config.log_dir, seed),
            groups: GroupCoordinator::new(
                GroupConfig::from_properties(|name| {
                    broker_config
                        .get(name)
                        .or_else(|| config.property(name))
                        .map(str::to_owned)
                }),
                settings.offsets_topic_num_partitions,
                random.next_u64(),
            ),
            controller: None,
            clean_shutdown: clean.is_some(),
            cluster_id_text,
            image: MetadataImage::new(),
            published: false,
            output: Default::default(),
            completed: Default::default(),
            connections: Connections::default(),
            last_outgoing_connection: 0,
            sessions: FetchSessions::default(),
            fetches: Default::default(),
            produces: Default::default(),
            deletions: Default::default(),
            fetchers: Default::default(),
            isr_updates: Default::default(),
            group_appends: Default::default(),
            producer_ids: ProducerIds::default(),
            topics_in_creation: Default::default(),
            random,
            shutdown_deadline: Time::NEVER,
            stopped: false,
            settings,
            broker_config,
            config,
        };
        if let Some(failure) = failure {
            node.report(LogLevel::Error, "kafka.Kafka$", failure);
            node.stopped = true;
            node.output.push_back(NodeOutput::Stopped);
            return node;
        }
        disk.delete(&marker);
        node.report(
            LogLevel::Info,
            KAFKA_SERVER_LOGGER,
            format!(
                "[KafkaRaftServer nodeId={}] Kafka Server starting",
                node.config.node_id
            ),
        );
        node.settle(disk, now);
        node
    }
}

/// Reads `meta.properties`, or formats the directory: the directory's id.
fn meta_properties(
    config: &mut NodeConfig,
    disk: &mut Disk,
    random: &mut Random,
) -> Result<Uuid, String> {
    let path = format!("{}/{META_PROPERTIES}", config.log_dir);
    let cluster_id = uuid_text(config.cluster_id);
    let Some(text) = disk.read_all(&path) else {
        let directory_id = random.uuid();
        let text = format!(
            "#\n#\ncluster.id={cluster_id}\ndirectory.id={}\nnode.id={}\nversion=1\n",
            uuid_text(directory_id),
            config.node_id
        );
        disk.write(&path, text.as_bytes());
        return Ok(directory_id);
    };
    let text = String::from_utf8_lossy(&text);
    let value = |name: &str| {
        text.lines()
            .filter_map(|line| line.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
    };
    // What the directory was formatted with counts, as in Kafka: there is no property for it.
    let stored = value("cluster.id").and_then(|id| parse_uuid(&id));
    config.cluster_id = stored.ok_or_else(|| {
        format!("Exiting Kafka due to fatal exception: No readable cluster.id in {path}.")
    })?;
    let node_id = value("node.id").unwrap_or_default();
    if node_id != config.node_id.to_string() {
        return Err(format!(
            "Exiting Kafka due to fatal exception: Stored node id {node_id} doesn't match previous node id {} in {path}.",
            config.node_id
        ));
    }
    Ok(value("directory.id")
        .and_then(|id| parse_uuid(&id))
        .unwrap_or_else(|| random.uuid()))
}

/// The epoch in `{"version":0,"brokerEpoch":5}`.
fn previous_broker_epoch(text: &Bytes) -> i64 {
    String::from_utf8_lossy(text)
        .rsplit_once(':')
        .and_then(|(_, number)| number.trim_end_matches(['}', ' ', '\n']).parse().ok())
        .unwrap_or(-1)
}
