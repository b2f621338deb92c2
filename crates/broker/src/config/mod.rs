//! Configurations with Kafka's names, types, defaults, valid values and error texts: of brokers ([`broker`]),
//! topics ([`topic`]) and groups ([`group`]).

pub mod broker;
mod broker_table;
pub mod definition;
pub mod dynamic;
pub mod group;
mod resource_table;
pub mod topic;

pub use broker::BrokerConfig;
pub use definition::{ConfigError, ConfigType, ConfigValue, Definition};
