//! Configurations with Kafka's names, types, defaults, valid values and error texts: of brokers ([`broker`]),
//! topics ([`topic`]) and groups ([`group`]).

pub mod broker;
pub mod definition;
pub mod topic;

pub use broker::BrokerConfig;
pub use definition::ConfigError;
