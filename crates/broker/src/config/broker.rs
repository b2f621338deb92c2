//! A broker's configuration (`KafkaConfig`): static properties, and the dynamic ones over them.

use std::collections::BTreeMap;

use super::broker_table::BROKER_DEFINITIONS;
use super::definition::{ConfigError, Definition, UpdateMode};
use crate::metadata::{MetadataImage, ResourceType};
use crate::node::NodeConfig;

/// The definitions, in Kafka's order.
pub fn definitions() -> &'static [Definition] {
    BROKER_DEFINITIONS
}

/// The definition of this name.
pub fn definition(name: &str) -> Option<&'static Definition> {
    BROKER_DEFINITIONS
        .iter()
        .find(|definition| definition.name == name)
}

/// The names under which a configuration can be set, the first one set counts
/// (`DynamicBrokerConfig.brokerConfigSynonyms`, without listener prefixes).
pub fn synonyms(name: &str) -> Vec<&str> {
    match name {
        "log.roll.ms" | "log.roll.hours" => vec!["log.roll.ms", "log.roll.hours"],
        "log.roll.jitter.ms" | "log.roll.jitter.hours" => {
            vec!["log.roll.jitter.ms", "log.roll.jitter.hours"]
        }
        "log.flush.interval.ms" => {
            vec!["log.flush.interval.ms", "log.flush.scheduler.interval.ms"]
        }
        "log.retention.ms" | "log.retention.minutes" | "log.retention.hours" => vec![
            "log.retention.ms",
            "log.retention.minutes",
            "log.retention.hours",
        ],
        _ => vec![name],
    }
}

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
        let mut fixed = own_properties(node);
        fixed.extend(node.overrides.iter().cloned());
        // `AbstractKafkaConfig.populateSynonyms`
        fixed.insert("node.id".to_owned(), node.node_id.to_string());
        fixed.insert("broker.id".to_owned(), node.node_id.to_string());
        for definition in BROKER_DEFINITIONS {
            if let Some(value) = fixed.get(definition.name) {
                definition.parse(value)?;
            }
        }
        Ok(BrokerConfig {
            node_id: node.node_id,
            fixed,
            dynamic_default: BTreeMap::new(),
            dynamic: BTreeMap::new(),
        })
    }

    /// `node.id`.
    pub fn node_id(&self) -> i32 {
        self.node_id
    }

    /// Takes the dynamic configurations from the metadata: call it at the start and after each change of a
    /// broker resource. What cannot be changed, or does not fit its definition, is left out.
    pub fn apply_dynamic(&mut self, image: &MetadataImage) {
        let usable = |name: &str| {
            image
                .config(ResourceType::Broker, name)
                .into_iter()
                .flatten()
                .filter(|(name, value)| {
                    definition(name).is_none_or(|definition| {
                        definition.update_mode != UpdateMode::ReadOnly
                            && definition.parse(value).is_ok()
                    })
                })
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect()
        };
        self.dynamic_default = usable("");
        self.dynamic = usable(&self.node_id.to_string());
    }

    /// The static properties, as given.
    pub fn fixed(&self) -> &BTreeMap<String, String> {
        &self.fixed
    }

    /// The dynamic configurations of all brokers.
    pub fn dynamic_default(&self) -> &BTreeMap<String, String> {
        &self.dynamic_default
    }

    /// The dynamic configurations of this broker.
    pub fn dynamic(&self) -> &BTreeMap<String, String> {
        &self.dynamic
    }

    /// The value in force; `None` when it is null or the name is unknown.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.dynamic
            .get(name)
            .or_else(|| self.dynamic_default.get(name))
            .or_else(|| self.fixed.get(name))
            .map(String::as_str)
            .or_else(|| definition(name)?.default_text())
    }

    /// A number of type INT or SHORT.
    pub fn int(&self, name: &str) -> i32 {
        self.get(name)
            .and_then(|value| value.trim().parse().ok())
            .unwrap_or(0)
    }

    /// A number of type INT, SHORT or LONG.
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
        self.get(name).unwrap_or_default().trim().to_owned()
    }
}

/// The properties that say the same as the node's own settings.
fn own_properties(node: &NodeConfig) -> BTreeMap<String, String> {
    let is_controller = node
        .controller_voters
        .iter()
        .any(|(id, _, _)| *id == node.node_id);
    let advertised = |listener: &crate::node::Listener| {
        format!(
            "{}://{}:{}",
            listener.name, listener.advertised_host, listener.advertised_port
        )
    };
    let joined = |texts: Vec<String>| texts.join(",");
    let mut properties = BTreeMap::from([
        (
            "process.roles".to_owned(),
            if is_controller {
                "broker,controller"
            } else {
                "broker"
            }
            .to_owned(),
        ),
        (
            "listeners".to_owned(),
            joined(
                node.listeners
                    .iter()
                    .map(|listener| format!("{}://:{}", listener.name, listener.port))
                    .collect(),
            ),
        ),
        (
            "advertised.listeners".to_owned(),
            joined(
                node.listeners
                    .iter()
                    .filter(|listener| listener.name != "CONTROLLER")
                    .map(advertised)
                    .collect(),
            ),
        ),
        (
            "controller.listener.names".to_owned(),
            "CONTROLLER".to_owned(),
        ),
        (
            "controller.quorum.voters".to_owned(),
            joined(
                node.controller_voters
                    .iter()
                    .map(|(id, host, port)| format!("{id}@{host}:{port}"))
                    .collect(),
            ),
        ),
        ("log.dirs".to_owned(), node.log_dir.clone()),
    ]);
    if let Some(rack) = &node.rack {
        properties.insert("broker.rack".to_owned(), rack.clone());
    }
    properties
}

#[cfg(test)]
pub(crate) mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::metadata::MetadataRecord;
    use crate::metadata::records::ConfigRecord;
    use crate::node::Listener;

    pub(crate) fn node_config(overrides: &[(&str, &str)]) -> NodeConfig {
        NodeConfig {
            node_id: 1,
            cluster_id: Uuid::from_u128(7),
            listeners: vec![
                Listener {
                    name: "PLAINTEXT".to_owned(),
                    port: 9092,
                    advertised_host: "localhost".to_owned(),
                    advertised_port: 9092,
                },
                Listener {
                    name: "CONTROLLER".to_owned(),
                    port: 19092,
                    advertised_host: "localhost".to_owned(),
                    advertised_port: 19092,
                },
            ],
            controller_voters: vec![(1, "localhost".to_owned(), 19092)],
            rack: None,
            log_dir: "/var/lib/kafka/data".to_owned(),
            overrides: overrides
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        }
    }

    #[test]
    fn dynamic_values_come_before_static_ones_and_defaults() -> Result<(), ConfigError> {
        let mut config = BrokerConfig::new(&node_config(&[("log.cleaner.threads", "3")]))?;
        assert_eq!(config.int("log.cleaner.threads"), 3);
        assert_eq!(config.int("num.partitions"), 1);
        assert!(config.boolean("auto.create.topics.enable"));
        let mut image = MetadataImage::new();
        for (broker, name, value) in [
            ("", "log.cleaner.threads", "4"),
            ("1", "log.cleaner.threads", "5"),
            ("1", "node.id", "9"),
            ("2", "log.cleaner.threads", "6"),
        ] {
            let record = MetadataRecord::Config(ConfigRecord {
                resource_type: 4,
                resource_name: broker.to_owned(),
                name: name.to_owned(),
                value: Some(value.to_owned()),
            });
            assert!(image.replay(&record).is_ok());
        }
        config.apply_dynamic(&image);
        assert_eq!(config.int("log.cleaner.threads"), 5);
        assert_eq!(config.int("node.id"), 1);
        assert_eq!(
            config
                .dynamic_default()
                .get("log.cleaner.threads")
                .map(String::as_str),
            Some("4")
        );
        Ok(())
    }

    #[test]
    fn a_property_that_does_not_fit_is_refused() {
        assert_eq!(
            BrokerConfig::new(&node_config(&[("num.partitions", "0")])),
            Err(ConfigError(
                "Invalid value 0 for configuration num.partitions: Value must be at least 1"
                    .to_owned()
            ))
        );
    }
}
