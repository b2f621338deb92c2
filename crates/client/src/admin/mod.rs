//! The admin client (`org.apache.kafka.clients.admin.KafkaAdminClient`).

mod config;
mod types;

use playground_protocol::{ClientInput, ClientOutput, Time};

use crate::{Client, ClientError};
pub use config::AdminConfig;
pub use types::*;

/// Names one call of a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(pub u64);

/// What an admin client reports.
#[derive(Clone, Debug, PartialEq)]
pub enum AdminEvent {
    /// A call is done. Errors of the whole call stand here, those of one topic or group in the response.
    Done {
        /// Which call.
        id: OperationId,
        /// Its outcome.
        result: Result<AdminResponse, ClientError>,
    },
}

/// An admin client. Driven as [`Client`] says.
pub struct Admin {}

impl Admin {
    /// An admin client; it fetches metadata at once, as Java's does.
    pub fn new(config: AdminConfig, seed: u64, now: Time) -> Admin {
        let _ = (config, seed, now);
        Admin {}
    }

    /// Starts a call. It is done with an [`AdminEvent::Done`], after `timeout_ms` at the latest (`None`:
    /// `default.api.timeout.ms`).
    pub fn submit(
        &mut self,
        request: AdminRequest,
        timeout_ms: Option<i64>,
        now: Time,
    ) -> OperationId {
        let _ = (request, timeout_ms, now);
        OperationId(0)
    }

    /// Closes the connections; calls that are under way fail.
    pub fn close(&mut self, now: Time) {
        let _ = now;
    }

    /// The next event; `None` when there is none.
    pub fn poll_event(&mut self) -> Option<AdminEvent> {
        None
    }
}

impl Client for Admin {
    fn handle(&mut self, input: ClientInput, now: Time) {
        let _ = (input, now);
    }

    fn poll_output(&mut self) -> Option<ClientOutput> {
        None
    }

    fn next_deadline(&self) -> Time {
        Time::NEVER
    }

    fn tick(&mut self, now: Time) {
        let _ = now;
    }
}
