//! An error of one part of a request (`ApiError`).

use playground_protocol::ErrorCode;
use playground_protocol::codec::StrBytes;

use crate::config::ConfigError;

/// An error code and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiError {
    /// The code.
    pub code: ErrorCode,
    /// The text; `None` lets the client print the code's own.
    pub message: Option<String>,
}

impl ApiError {
    /// No error.
    pub const NONE: ApiError = ApiError {
        code: ErrorCode::NONE,
        message: None,
    };

    /// An error with a text of its own.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> ApiError {
        ApiError {
            code,
            message: Some(message.into()),
        }
    }

    /// An error with its code's text.
    pub fn of(code: ErrorCode) -> ApiError {
        ApiError::new(code, code.message())
    }

    /// The text as responses carry it.
    pub fn wire_message(&self) -> Option<StrBytes> {
        self.message.clone().map(StrBytes::from_string)
    }
}

impl From<ConfigError> for ApiError {
    fn from(error: ConfigError) -> ApiError {
        ApiError::new(ErrorCode::INVALID_CONFIG, error.0)
    }
}
