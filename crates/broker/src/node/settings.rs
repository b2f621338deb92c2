//! The broker properties that the node itself reads, with Kafka's defaults.

use super::interface::NodeConfig;
use crate::config::BrokerConfig;

/// Each field is named by its property, units last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Settings {
    /// `auto.create.topics.enable`
    pub auto_create_topics_enable: bool,
    /// `offsets.topic.num.partitions`
    pub offsets_topic_num_partitions: i32,
    /// `offsets.topic.replication.factor`
    pub offsets_topic_replication_factor: i16,
    /// `offsets.commit.timeout.ms`
    pub offsets_commit_timeout_ms: i64,
    /// `offsets.topic.segment.bytes`
    pub offsets_topic_segment_bytes: i64,
    /// `log.initial.task.delay.ms`
    pub log_initial_task_delay_ms: i64,
    /// `log.retention.check.interval.ms`
    pub log_retention_check_interval_ms: i64,
    /// `replica.high.watermark.checkpoint.interval.ms`
    pub high_watermark_checkpoint_interval_ms: i64,
    /// `log.flush.offset.checkpoint.interval.ms`
    pub log_flush_offset_checkpoint_interval_ms: i64,
    /// `log.segment.delete.delay.ms`
    pub log_segment_delete_delay_ms: i64,
    /// `broker.heartbeat.interval.ms`
    pub broker_heartbeat_interval_ms: i64,
    /// `broker.session.timeout.ms`
    pub broker_session_timeout_ms: i64,
    /// `controller.quorum.election.timeout.ms`
    pub quorum_election_timeout_ms: i64,
    /// `controller.quorum.fetch.timeout.ms`
    pub quorum_fetch_timeout_ms: i64,
    /// `controller.quorum.election.backoff.max.ms`
    pub quorum_election_backoff_max_ms: i64,
    /// `controller.quorum.request.timeout.ms`
    pub quorum_request_timeout_ms: i64,
    /// `controller.quorum.retry.backoff.ms`
    pub quorum_retry_backoff_ms: i64,
    /// `controller.quorum.fetch.max.bytes`
    pub quorum_fetch_max_bytes: i32,
    /// `request.timeout.ms`
    pub request_timeout_ms: i64,
    /// `fetch.max.bytes`
    pub fetch_max_bytes: i32,
    /// `controlled.shutdown.enable`
    pub controlled_shutdown_enable: bool,
    /// `replica.lag.time.max.ms`
    pub replica_lag_time_max_ms: i64,
    /// `replica.fetch.backoff.ms`
    pub replica_fetch_backoff_ms: i64,
    /// `replica.fetch.max.bytes`
    pub replica_fetch_max_bytes: i32,
    /// `replica.fetch.response.max.bytes`
    pub replica_fetch_response_max_bytes: i32,
    /// `replica.fetch.wait.max.ms`
    pub replica_fetch_wait_max_ms: i32,
    /// `replica.fetch.min.bytes`
    pub replica_fetch_min_bytes: i32,
    /// `replica.socket.timeout.ms`
    pub replica_socket_timeout_ms: i64,
    /// `replica.selector.class` is Kafka's rack-aware one (KIP-392); no other can be loaded here.
    pub rack_aware_reads: bool,
    /// `inter.broker.listener.name`; else the first listener is.
    pub inter_broker_listener: String,
}

impl Settings {
    /// Reads them; a value that is no number counts as absent, as the host checks its properties first.
    pub fn new(config: &NodeConfig, broker: Option<&BrokerConfig>) -> Settings {
        let property = |name: &str| {
            broker
                .and_then(|broker| broker.get(name))
                .or_else(|| config.property(name))
        };
        let number = |name: &str, default: i64| {
            property(name)
                .and_then(|value| value.trim().parse().ok())
                .unwrap_or(default)
        };
        let int = |name: &str, default: i32| {
            i32::try_from(number(name, i64::from(default))).unwrap_or(default)
        };
        let flag = |name: &str, default: bool| match property(name).map(str::trim) {
            Some(value) if value.eq_ignore_ascii_case("true") => true,
            Some(value) if value.eq_ignore_ascii_case("false") => false,
            _ => default,
        };
        Settings {
            auto_create_topics_enable: flag("auto.create.topics.enable", true),
            offsets_topic_num_partitions: int("offsets.topic.num.partitions", 50).max(1),
            offsets_topic_replication_factor: i16::try_from(int(
                "offsets.topic.replication.factor",
                3,
            ))
            .unwrap_or(i16::MAX),
            offsets_commit_timeout_ms: number("offsets.commit.timeout.ms", 5_000).max(1),
            offsets_topic_segment_bytes: number("offsets.topic.segment.bytes", 104_857_600),
            log_initial_task_delay_ms: number("log.initial.task.delay.ms", 30_000),
            log_retention_check_interval_ms: number("log.retention.check.interval.ms", 300_000)
                .max(1),
            high_watermark_checkpoint_interval_ms: number(
                "replica.high.watermark.checkpoint.interval.ms",
                5_000,
            )
            .max(1),
            log_flush_offset_checkpoint_interval_ms: number(
                "log.flush.offset.checkpoint.interval.ms",
                60_000,
            )
            .max(1),
            log_segment_delete_delay_ms: number("log.segment.delete.delay.ms", 60_000),
            broker_heartbeat_interval_ms: number("broker.heartbeat.interval.ms", 2_000).max(1),
            broker_session_timeout_ms: number("broker.session.timeout.ms", 9_000).max(1),
            quorum_election_timeout_ms: number("controller.quorum.election.timeout.ms", 1_000)
                .max(1),
            quorum_fetch_timeout_ms: number("controller.quorum.fetch.timeout.ms", 2_000).max(1),
            quorum_election_backoff_max_ms: number(
                "controller.quorum.election.backoff.max.ms",
                1_000,
            )
            .max(0),
            quorum_request_timeout_ms: number("controller.quorum.request.timeout.ms", 2_000).max(1),
            quorum_retry_backoff_ms: number("controller.quorum.retry.backoff.ms", 20).max(1),
            quorum_fetch_max_bytes: int("controller.quorum.fetch.max.bytes", 1_048_576).max(1),
            request_timeout_ms: number("request.timeout.ms", 30_000).max(1),
            fetch_max_bytes: int("fetch.max.bytes", super::limits::FETCH_BYTES_MAX),
            controlled_shutdown_enable: flag("controlled.shutdown.enable", true),
            replica_lag_time_max_ms: number("replica.lag.time.max.ms", 30_000).max(1),
            replica_fetch_backoff_ms: number("replica.fetch.backoff.ms", 1_000).max(0),
            replica_fetch_max_bytes: int("replica.fetch.max.bytes", 1_048_576),
            replica_fetch_response_max_bytes: int("replica.fetch.response.max.bytes", 10_485_760),
            replica_fetch_wait_max_ms: int("replica.fetch.wait.max.ms", 500),
            replica_fetch_min_bytes: int("replica.fetch.min.bytes", 1),
            replica_socket_timeout_ms: number("replica.socket.timeout.ms", 30_000).max(1),
            rack_aware_reads: property("replica.selector.class")
                .is_some_and(|class| class.trim().ends_with(".RackAwareReplicaSelector")),
            inter_broker_listener: property("inter.broker.listener.name")
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .or_else(|| {
                    let first = config.broker_listeners().next();
                    first.map(|listener| listener.name.clone())
                })
                .unwrap_or_default(),
        }
    }
}
