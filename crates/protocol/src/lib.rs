//! What every layer speaks: frames and API versions ([`frame`], [`versions`]), Kafka's error codes
//! ([`error_code`]), virtual time ([`time`]) and seeded randomness ([`random`]).
//!
//! The message types and their encodings come from the crate `kafka-protocol`, re-exported here as
//! [`messages`] and [`codec`], so that the layers above name one source.

pub mod body;
pub mod connection;
pub mod error_code;
pub mod frame;
pub mod random;
mod shape;
pub mod time;
pub mod versions;

pub use connection::{ClientInput, ClientOutput, ConnectionId, LogLevel, LogLine};
pub use error_code::ErrorCode;
pub use frame::{FrameError, RequestFrame, ResponseFrame};
pub use kafka_protocol::messages;
pub use kafka_protocol::protocol as codec;
pub use random::Random;
pub use time::Time;
