//! The clients of Apache Kafka 4.3.1 as plain values: [`Producer`], [`Consumer`] and [`Admin`].
//!
//! Each speaks wire frames only, and knows only its bootstrap addresses at first. None of them reads a
//! clock, opens a socket or blocks; [`Client`] says how one is driven. Behaviour and texts follow the Java
//! client (`org.apache.kafka.clients`).

pub mod admin;
mod config;
pub mod consumer;
mod error;
pub mod network;
pub mod producer;

use playground_protocol::{ClientInput, ClientOutput, Time};

pub use admin::{Admin, AdminConfig, AdminEvent, AdminRequest, AdminResponse, OperationId};
pub use config::{CommonConfig, ConfigException, Properties, properties};
pub use consumer::{Consumer, ConsumerConfig, ConsumerEvent, ConsumerRecord};
pub use error::ClientError;
pub use producer::{
    Producer, ProducerConfig, ProducerEvent, ProducerRecord, RecordId, RecordMetadata,
};

/// How a client is driven.
///
/// Inputs are [`Client::handle`], [`Client::tick`] and the client's own methods; after each of them drain
/// [`Client::poll_output`] (and the client's `poll_event`) to the end, then let time pass until
/// [`Client::next_deadline`] at most, and call [`Client::tick`] then. `now` never goes back.
pub trait Client {
    /// Takes what happened to a connection that this client opened.
    fn handle(&mut self, input: ClientInput, now: Time);
    /// The next thing to do for the client; `None` when there is none.
    fn poll_output(&mut self) -> Option<ClientOutput>;
    /// When [`Client::tick`] is due; [`Time::NEVER`] if nothing waits for time. May lie in the past.
    fn next_deadline(&self) -> Time;
    /// Lets the client act on the time that passed. Harmless when early.
    fn tick(&mut self, now: Time);
}

/// A partition of a topic. Ordered and shown as Java shows it: `users-0`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TopicPartition {
    /// The topic's name.
    pub topic: String,
    /// The partition's number, from 0.
    pub partition: i32,
}

impl TopicPartition {
    /// The partition `partition` of `topic`.
    pub fn new(topic: impl Into<String>, partition: i32) -> TopicPartition {
        TopicPartition {
            topic: topic.into(),
            partition,
        }
    }
}

impl std::fmt::Display for TopicPartition {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}-{}", self.topic, self.partition)
    }
}
