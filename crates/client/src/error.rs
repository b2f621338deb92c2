//! [`ClientError`]: an exception of the Java client.

use playground_protocol::ErrorCode;
use thiserror::Error;

/// An exception as the Java client would throw it: class, message, cause.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{exception}{}{message}", if message.is_empty() { "" } else { ": " })]
pub struct ClientError {
    /// The full class name: `org.apache.kafka.common.errors.TimeoutException`.
    pub exception: String,
    /// The message; empty when Java's is null.
    pub message: String,
    /// What Java prints after `Caused by: `.
    pub cause: Option<Box<ClientError>>,
    /// The wire's code, [`ErrorCode::NONE`] for an error that arose in the client.
    pub code: ErrorCode,
}

impl ClientError {
    /// An exception of the given full class name.
    pub fn new(exception: impl Into<String>, message: impl Into<String>) -> ClientError {
        ClientError {
            exception: exception.into(),
            message: message.into(),
            cause: None,
            code: ErrorCode::NONE,
        }
    }

    /// `org.apache.kafka.common.errors.TimeoutException`.
    pub fn timeout(message: impl Into<String>) -> ClientError {
        ClientError::new("org.apache.kafka.common.errors.TimeoutException", message)
    }

    /// The exception of an error code, with the broker's message or else the code's own text.
    pub fn from_code(code: ErrorCode, message: Option<&str>) -> ClientError {
        ClientError {
            exception: code.exception().to_owned(),
            message: message.unwrap_or(code.message()).to_owned(),
            cause: None,
            code,
        }
    }

    /// The same, caused by `cause`.
    pub fn caused_by(mut self, cause: ClientError) -> ClientError {
        self.cause = Some(Box::new(cause));
        self
    }

    /// The class name without its package: `TimeoutException`.
    pub fn simple_name(&self) -> &str {
        self.exception.rsplit('.').next().unwrap_or_default()
    }

    /// A `TimeoutException`?
    pub fn is_timeout(&self) -> bool {
        self.simple_name() == "TimeoutException"
    }
}
