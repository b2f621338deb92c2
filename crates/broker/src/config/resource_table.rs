//! The topic configurations of 4.3.1 in the order in which `LogConfig` defines them, and the group
//! configurations in that of `GroupConfig`.

use super::definition::ConfigType::*;
use super::definition::DefaultValue::*;
use super::definition::UpdateMode::*;
use super::definition::Valid::*;
use super::definition::{Definition, d};

#[rustfmt::skip] // one row, one line
pub(crate) const TOPIC_DEFINITIONS: &[Definition] = &[
    d("segment.bytes", Int, Value("1073741824"), AtLeast(1048576), ClusterWide, false),
    d("segment.ms", Long, Value("604800000"), AtLeast(1), ClusterWide, false),
    d("segment.jitter.ms", Long, Value("0"), AtLeast(0), ClusterWide, false),
    d("segment.index.bytes", Int, Value("10485760"), AtLeast(4), ClusterWide, false),
    d("flush.messages", Long, Value("9223372036854775807"), AtLeast(1), ClusterWide, false),
    d("flush.ms", Long, Value("9223372036854775807"), AtLeast(0), ClusterWide, false),
    d("retention.bytes", Long, Value("-1"), Any, ClusterWide, false),
    d("retention.ms", Long, Value("604800000"), AtLeast(-1), ClusterWide, false),
    d("max.message.bytes", Int, Value("1048588"), AtLeast(0), ClusterWide, false),
    d("index.interval.bytes", Int, Value("4096"), AtLeast(0), ClusterWide, false),
    d("delete.retention.ms", Long, Value("86400000"), AtLeast(0), ClusterWide, false),
    d("min.compaction.lag.ms", Long, Value("0"), AtLeast(0), ClusterWide, false),
    d("max.compaction.lag.ms", Long, Value("9223372036854775807"), AtLeast(1), ClusterWide, false),
    d("file.delete.delay.ms", Long, Value("60000"), AtLeast(0), ClusterWide, false),
    d("min.cleanable.dirty.ratio", Double, Value("0.5"), DoubleRange("0", "1"), ClusterWide, false),
    d("cleanup.policy", List, Value("delete"), ListOf(&["compact", "delete"], true, false), ClusterWide, false),
    d("unclean.leader.election.enable", Boolean, Value("false"), Any, ClusterWide, false),
    d("min.insync.replicas", Int, Value("1"), AtLeast(1), ClusterWide, false),
    d("compression.type", String, Value("producer"), OneOf(&["uncompressed", "zstd", "lz4", "snappy", "gzip", "producer"]), ClusterWide, false),
    d("compression.gzip.level", Int, Value("-1"), GzipLevel, ClusterWide, false),
    d("compression.lz4.level", Int, Value("9"), Between(1, 17), ClusterWide, false),
    d("compression.zstd.level", Int, Value("3"), Between(-131072, 22), ClusterWide, false),
    d("preallocate", Boolean, Value("false"), Any, ClusterWide, false),
    d("message.timestamp.type", String, Value("CreateTime"), OneOf(&["CreateTime", "LogAppendTime"]), ClusterWide, false),
    d("message.timestamp.before.max.ms", Long, Value("9223372036854775807"), AtLeast(0), ClusterWide, false),
    d("message.timestamp.after.max.ms", Long, Value("3600000"), AtLeast(0), ClusterWide, false),
    d("leader.replication.throttled.replicas", List, Value(""), ThrottledReplicas, ClusterWide, false),
    d("follower.replication.throttled.replicas", List, Value(""), ThrottledReplicas, ClusterWide, false),
    d("remote.storage.enable", Boolean, Value("false"), Any, ClusterWide, false),
    d("local.retention.ms", Long, Value("-2"), AtLeast(-2), ClusterWide, false),
    d("local.retention.bytes", Long, Value("-2"), AtLeast(-2), ClusterWide, false),
    d("remote.log.copy.disable", Boolean, Value("false"), Any, ClusterWide, false),
    d("remote.log.delete.on.disable", Boolean, Value("false"), Any, ClusterWide, false),
    d("internal.segment.bytes", Int, Null, Any, ClusterWide, true),
];

#[rustfmt::skip] // one row, one line
pub(crate) const GROUP_DEFINITIONS: &[Definition] = &[
    d("consumer.session.timeout.ms", Int, Value("45000"), AtLeast(1), ClusterWide, false),
    d("consumer.heartbeat.interval.ms", Int, Value("5000"), AtLeast(1), ClusterWide, false),
    d("consumer.assignment.interval.ms", Int, Value("1000"), AtLeast(0), ClusterWide, false),
    d("share.session.timeout.ms", Int, Value("45000"), AtLeast(1), ClusterWide, false),
    d("share.heartbeat.interval.ms", Int, Value("5000"), AtLeast(1), ClusterWide, false),
    d("share.record.lock.duration.ms", Int, Value("30000"), AtLeast(1000), ClusterWide, false),
    d("share.delivery.count.limit", Int, Value("5"), AtLeast(2), ClusterWide, false),
    d("share.partition.max.record.locks", Int, Value("2000"), AtLeast(100), ClusterWide, false),
    d("share.auto.offset.reset", String, Value("latest"), AutoOffsetReset, ClusterWide, false),
    d("share.isolation.level", String, Value("read_uncommitted"), OneOf(&["read_committed", "read_uncommitted"]), ClusterWide, false),
    d("share.renew.acknowledge.enable", Boolean, Value("true"), Any, ClusterWide, false),
    d("share.assignment.interval.ms", Int, Value("1000"), AtLeast(0), ClusterWide, false),
    d("streams.session.timeout.ms", Int, Value("45000"), AtLeast(1), ClusterWide, false),
    d("streams.heartbeat.interval.ms", Int, Value("5000"), AtLeast(1), ClusterWide, false),
    d("streams.num.standby.replicas", Int, Value("0"), AtLeast(0), ClusterWide, false),
    d("streams.initial.rebalance.delay.ms", Int, Value("3000"), AtLeast(0), ClusterWide, false),
    d("streams.assignment.interval.ms", Int, Value("1000"), AtLeast(0), ClusterWide, false),
];
