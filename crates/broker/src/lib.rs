//! A Kafka node as a plain value: broker, controller and coordinators (Apache Kafka 4.3.1, KRaft).
pub mod config;
pub mod controller;
pub mod group;
pub mod metadata;
pub mod node;
pub mod raft;

pub use node::{Listener, Node, NodeConfig, NodeInput, NodeOutput};
