//! How a configuration is defined and checked (`org.apache.kafka.common.config.ConfigDef`).

use thiserror::Error;

/// A value that does not fit its definition; the text is Kafka's (`ConfigException`).
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct ConfigError(pub String);
