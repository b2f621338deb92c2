//! Topics' configurations (`LogConfig`): definitions in Kafka's order, and what is in force for a topic.

use std::collections::BTreeMap;

use playground_log::{CleanupPolicy, Codec, LogConfig, TimestampType};

use super::broker::BrokerConfig;
use super::definition::{ConfigError, ConfigSource, ConfigValue, Definition};
use super::resource_table::TOPIC_DEFINITIONS;
use crate::metadata::{MetadataImage, ResourceType};

/// The broker configurations that a topic's falls back to, first one first, each with what it is multiplied
/// by (`ServerTopicConfigSynonyms`).
const SYNONYMS: &[(&str, &[(&str, i64)])] = &[
    ("segment.bytes", &[("log.segment.bytes", 1)]),
    (
        "segment.ms",
        &[("log.roll.ms", 1), ("log.roll.hours", MS_PER_HOUR)],
    ),
    (
        "segment.jitter.ms",
        &[
            ("log.roll.jitter.ms", 1),
            ("log.roll.jitter.hours", MS_PER_HOUR),
        ],
    ),
    ("segment.index.bytes", &[("log.index.size.max.bytes", 1)]),
    ("flush.messages", &[("log.flush.interval.messages", 1)]),
    (
        "flush.ms",
        &[
            ("log.flush.interval.ms", 1),
            ("log.flush.scheduler.interval.ms", 1),
        ],
    ),
    ("retention.bytes", &[("log.retention.bytes", 1)]),
    (
        "retention.ms",
        &[
            ("log.retention.ms", 1),
            ("log.retention.minutes", 60_000),
            ("log.retention.hours", MS_PER_HOUR),
        ],
    ),
    ("max.message.bytes", &[("message.max.bytes", 1)]),
    ("index.interval.bytes", &[("log.index.interval.bytes", 1)]),
    (
        "delete.retention.ms",
        &[("log.cleaner.delete.retention.ms", 1)],
    ),
    (
        "min.compaction.lag.ms",
        &[("log.cleaner.min.compaction.lag.ms", 1)],
    ),
    (
        "max.compaction.lag.ms",
        &[("log.cleaner.max.compaction.lag.ms", 1)],
    ),
    (
        "file.delete.delay.ms",
        &[("log.segment.delete.delay.ms", 1)],
    ),
    (
        "min.cleanable.dirty.ratio",
        &[("log.cleaner.min.cleanable.ratio", 1)],
    ),
    ("cleanup.policy", &[("log.cleanup.policy", 1)]),
    (
        "unclean.leader.election.enable",
        &[("unclean.leader.election.enable", 1)],
    ),
    ("min.insync.replicas", &[("min.insync.replicas", 1)]),
    ("compression.type", &[("compression.type", 1)]),
    ("compression.gzip.level", &[("compression.gzip.level", 1)]),
    ("compression.lz4.level", &[("compression.lz4.level", 1)]),
    ("compression.zstd.level", &[("compression.zstd.level", 1)]),
    ("preallocate", &[("log.preallocate", 1)]),
    (
        "message.timestamp.type",
        &[("log.message.timestamp.type", 1)],
    ),
    (
        "message.timestamp.before.max.ms",
        &[("log.message.timestamp.before.max.ms", 1)],
    ),
    (
        "message.timestamp.after.max.ms",
        &[("log.message.timestamp.after.max.ms", 1)],
    ),
    ("local.retention.ms", &[("log.local.retention.ms", 1)]),
    ("local.retention.bytes", &[("log.local.retention.bytes", 1)]),
];

const MS_PER_HOUR: i64 = 3_600_000;

/// The definitions, in Kafka's order.
pub fn definitions() -> &'static [Definition] {
    TOPIC_DEFINITIONS
}

/// The definition of this name.
pub fn definition(name: &str) -> Option<&'static Definition> {
    TOPIC_DEFINITIONS
        .iter()
        .find(|definition| definition.name == name)
}

/// The broker configurations that this one falls back to, first one first, with their factors.
pub fn synonyms(name: &str) -> &'static [(&'static str, i64)] {
    SYNONYMS
        .iter()
        .find(|(topic, _)| *topic == name)
        .map_or(&[], |(_, synonyms)| synonyms)
}

/// Checks a topic's whole set of overrides (`LogConfig.validate`).
///
/// # Errors
/// [`ConfigError`] with Kafka's text.
pub fn validate(overrides: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    for name in overrides.keys() {
        if definition(name).is_none() {
            return Err(ConfigError(format!("Unknown topic config name: {name}")));
        }
    }
    let mut values = BTreeMap::new();
    for definition in TOPIC_DEFINITIONS {
        if let Some(value) = overrides
            .get(definition.name)
            .map(String::as_str)
            .or(definition.default_text())
        {
            values.insert(definition.name, definition.parse(value)?);
        }
    }
    let whole = |name: &str| match values.get(name) {
        Some(ConfigValue::Whole(value)) => *value,
        _ => 0,
    };
    let low = whole("min.compaction.lag.ms");
    let high = whole("max.compaction.lag.ms");
    if low > high {
        return Err(ConfigError(format!(
            "conflict topic config setting min.compaction.lag.ms ({low}) > max.compaction.lag.ms ({high})"
        )));
    }
    if values.get("remote.storage.enable") == Some(&ConfigValue::Boolean(true)) {
        return Err(ConfigError(
            "Tiered Storage functionality is disabled in the broker. Topic cannot be configured with remote log storage."
                .to_owned(),
        ));
    }
    Ok(())
}

/// The value in force for a topic without overrides (`KafkaConfig.extractLogConfigMap`).
pub fn broker_value(broker: &BrokerConfig, name: &str) -> Option<String> {
    let from_broker = synonyms(name).iter().find_map(|(synonym, factor)| {
        let value = broker.get(synonym)?;
        if *factor == 1 {
            return Some(value.to_owned());
        }
        let value: i64 = value.trim().parse().ok()?;
        Some(value.saturating_mul(*factor).to_string())
    });
    let value = from_broker.or_else(|| definition(name)?.default_text().map(str::to_owned))?;
    // Any negative time of the broker is "no limit" (`logRetentionTimeMillis`).
    if name == "retention.ms" && value.trim().starts_with('-') {
        return Some("-1".to_owned());
    }
    Some(value)
}

/// The value in force for a topic: its own, else the broker's; `None` for an unknown name.
pub fn effective(
    image: &MetadataImage,
    topic: &str,
    broker: &BrokerConfig,
    name: &str,
) -> Option<String> {
    image
        .config(ResourceType::Topic, topic)
        .and_then(|configs| configs.get(name).cloned())
        .or_else(|| broker_value(broker, name))
}

/// The value in force for a topic with these overrides, and where it comes from
/// (`KafkaConfigSchema.resolveEffectiveTopicConfig`).
pub fn resolve(
    definition: &Definition,
    overrides: &BTreeMap<String, String>,
    broker: &BrokerConfig,
) -> (Option<String>, ConfigSource) {
    if let Some(value) = overrides.get(definition.name) {
        return (Some(value.clone()), ConfigSource::DynamicTopic);
    }
    for (values, source) in [
        (broker.dynamic(), ConfigSource::DynamicBroker),
        (broker.dynamic_default(), ConfigSource::DynamicDefaultBroker),
        (broker.fixed(), ConfigSource::StaticBroker),
    ] {
        for (synonym, factor) in synonyms(definition.name) {
            if let Some(value) = values.get(*synonym) {
                let multiplied = || {
                    let number: i64 = value.trim().parse().ok()?;
                    Some(number.saturating_mul(*factor).to_string())
                };
                let value = if *factor == 1 {
                    Some(value.clone())
                } else {
                    multiplied()
                };
                return (value, source);
            }
        }
    }
    (
        definition.default_text().map(str::to_owned),
        ConfigSource::Default,
    )
}

/// The settings of a topic's logs.
pub fn log_config(image: &MetadataImage, topic: &str, broker: &BrokerConfig) -> LogConfig {
    let overrides = image.config(ResourceType::Topic, topic);
    let value = |name: &str| {
        let text = overrides
            .and_then(|configs| configs.get(name).cloned())
            .or_else(|| broker_value(broker, name))?;
        definition(name)?.parse(&text).ok()
    };
    let whole = |name: &str, default: i64| match value(name) {
        Some(ConfigValue::Whole(number)) => number,
        _ => default,
    };
    let bytes = |name: &str, default: u64| {
        u64::try_from(whole(name, i64::try_from(default).unwrap_or(i64::MAX))).unwrap_or(default)
    };
    let text = |name: &str| value(name).map_or(String::new(), |value| value.text());
    let policy = match value("cleanup.policy") {
        Some(ConfigValue::List(items)) => items,
        _ => vec!["delete".to_owned()],
    };
    let defaults = LogConfig::default();
    // `internal.segment.bytes` lets tests have segments shorter than the smallest `segment.bytes`.
    let segment_bytes = bytes("segment.bytes", defaults.segment_bytes);
    LogConfig {
        segment_bytes: bytes("internal.segment.bytes", segment_bytes),
        segment_ms: whole("segment.ms", defaults.segment_ms),
        segment_jitter_ms: whole("segment.jitter.ms", defaults.segment_jitter_ms),
        segment_index_bytes: bytes("segment.index.bytes", defaults.segment_index_bytes),
        index_interval_bytes: bytes("index.interval.bytes", defaults.index_interval_bytes),
        max_message_bytes: bytes("max.message.bytes", defaults.max_message_bytes as u64) as usize,
        message_timestamp_type: if text("message.timestamp.type") == "LogAppendTime" {
            TimestampType::LogAppendTime
        } else {
            TimestampType::CreateTime
        },
        message_timestamp_before_max_ms: whole(
            "message.timestamp.before.max.ms",
            defaults.message_timestamp_before_max_ms,
        ),
        message_timestamp_after_max_ms: whole(
            "message.timestamp.after.max.ms",
            defaults.message_timestamp_after_max_ms,
        ),
        retention_ms: whole("retention.ms", defaults.retention_ms),
        retention_bytes: whole("retention.bytes", defaults.retention_bytes),
        file_delete_delay_ms: whole("file.delete.delay.ms", defaults.file_delete_delay_ms),
        compression: match text("compression.type").as_str() {
            "uncompressed" => Some(Codec::None),
            "gzip" => Some(Codec::Gzip),
            "snappy" => Some(Codec::Snappy),
            "lz4" => Some(Codec::Lz4),
            "zstd" => Some(Codec::Zstd),
            _ => None,
        },
        cleanup_policy: CleanupPolicy {
            delete: policy.iter().any(|item| item == "delete"),
            compact: policy.iter().any(|item| item == "compact"),
        },
        flush_messages: whole("flush.messages", defaults.flush_messages),
        flush_ms: whole("flush.ms", defaults.flush_ms),
        min_insync_replicas: i32::try_from(whole("min.insync.replicas", 1)).unwrap_or(1),
        producer_id_expiration_ms: broker.long("producer.id.expiration.ms"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(name: &str, value: &str) -> BTreeMap<String, String> {
        BTreeMap::from([(name.to_owned(), value.to_owned())])
    }

    #[test]
    fn unknown_names_and_conflicts_are_refused() {
        assert_eq!(
            validate(&one("no.such.config", "1")),
            Err(ConfigError(
                "Unknown topic config name: no.such.config".to_owned()
            ))
        );
        let mut lags = one("min.compaction.lag.ms", "10");
        lags.insert("max.compaction.lag.ms".to_owned(), "5".to_owned());
        assert!(
            validate(&lags)
                .is_err_and(|error| error.0.starts_with("conflict topic config setting"))
        );
        assert_eq!(validate(&one("retention.ms", "-1")), Ok(()));
    }

    #[test]
    fn every_synonym_is_a_broker_configuration_and_every_default_parses() {
        for (topic, synonyms) in SYNONYMS {
            assert!(definition(topic).is_some(), "{topic}");
            for (synonym, _) in *synonyms {
                assert!(
                    super::super::broker::definition(synonym).is_some(),
                    "{synonym}"
                );
            }
        }
        for definition in TOPIC_DEFINITIONS {
            if let Some(text) = definition.default_text() {
                assert_eq!(
                    definition.parse(text).map(|value| value.text()),
                    Ok(text.to_owned()),
                    "{}",
                    definition.name
                );
            }
        }
    }
}
