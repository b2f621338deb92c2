//! The state of the connection to each node (`ClusterConnectionStates`, `InFlightRequests`).

use std::collections::{BTreeMap, VecDeque};

use playground_protocol::messages::ApiKey;
use playground_protocol::{ConnectionId, Time};

/// Disconnected → Connecting → CheckingApiVersions → Ready, and from each back to Disconnected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ConnectionState {
    Disconnected,
    Connecting,
    CheckingApiVersions,
    Ready,
}

/// Who waits for a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    Client,
    ApiVersions,
    Metadata,
}

/// A request that was sent and not answered yet.
#[derive(Clone, Debug)]
pub(super) struct InFlight {
    pub(super) correlation_id: i32,
    pub(super) api_key: ApiKey,
    pub(super) api_version: i16,
    pub(super) deadline: Time,
    pub(super) purpose: Purpose,
}

/// One node, connected or not.
#[derive(Clone, Debug)]
pub(super) struct NodeState {
    pub(super) host: String,
    pub(super) port: i32,
    pub(super) state: ConnectionState,
    pub(super) connection: Option<ConnectionId>,
    pub(super) last_attempt: Time,
    pub(super) not_before: Time,
    pub(super) failed_attempts: u32,
    pub(super) setup_deadline: Time,
    pub(super) last_activity: Time,
    /// What the node advertises: lowest and highest version by API key.
    pub(super) versions: BTreeMap<i16, (i16, i16)>,
    pub(super) in_flight: VecDeque<InFlight>,
}

impl NodeState {
    pub(super) fn new(host: String, port: i32) -> NodeState {
        NodeState {
            host,
            port,
            state: ConnectionState::Disconnected,
            connection: None,
            last_attempt: Time::default(),
            not_before: Time::default(),
            failed_attempts: 0,
            setup_deadline: Time::NEVER,
            last_activity: Time::default(),
            versions: BTreeMap::new(),
            in_flight: VecDeque::new(),
        }
    }

    pub(super) fn can_connect(&self, now: Time) -> bool {
        self.state == ConnectionState::Disconnected && now >= self.not_before
    }

    pub(super) fn is_connecting(&self) -> bool {
        matches!(
            self.state,
            ConnectionState::Connecting | ConnectionState::CheckingApiVersions
        )
    }

    pub(super) fn can_send(&self, max_in_flight: usize) -> bool {
        self.state == ConnectionState::Ready && self.in_flight.len() < max_in_flight
    }

    /// `localhost/127.0.0.1:9092`, as Java shows a resolved address. Other names' addresses are not known
    /// here, and shown without.
    pub(super) fn remote_address(&self) -> String {
        let NodeState { host, port, .. } = self;
        if host == "localhost" {
            format!("localhost/127.0.0.1:{port}")
        } else if host.split('.').count() == 4
            && host.split('.').all(|part| part.parse::<u8>().is_ok())
        {
            format!("/{host}:{port}")
        } else {
            format!("{host}:{port}")
        }
    }
}
