//! Brokers' sessions with the controller (`BrokerHeartbeatManager`): state that is not in the records.

use std::collections::BTreeMap;

use playground_protocol::Time;

/// One broker's session.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Session {
    epoch: i64,
    deadline: Time,
    metadata_offset: i64,
}

/// The sessions of all registered brokers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    sessions: BTreeMap<i32, Session>,
}
