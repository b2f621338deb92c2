//! A member of a classic group (`ClassicGroupMember`).

use std::collections::BTreeSet;

use bytes::Bytes;

/// A JoinGroup or SyncGroup request that waits for the group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Waiting {
    /// The caller's name for the request.
    pub request_id: u64,
    /// The request's version.
    pub version: i16,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub member_id: String,
    /// The instance id of a static member (KIP-345).
    pub group_instance_id: Option<String>,
    pub client_id: String,
    /// With Java's leading slash.
    pub client_host: String,
    pub rebalance_timeout_ms: i32,
    pub session_timeout_ms: i32,
    /// The protocols that the member supports, most wanted first, with its metadata for each.
    pub protocols: Vec<(String, Bytes)>,
    /// What the leader assigned; empty before the first sync.
    pub assignment: Bytes,
    pub awaiting_join: Option<Waiting>,
    pub awaiting_sync: Option<Waiting>,
    /// Set until the member's first join phase ends: its session then ends even while it waits.
    pub is_new: bool,
}

impl Member {
    /// Whether the member lists the protocol.
    pub fn supports(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|(name, _)| name == protocol)
    }

    /// The metadata for a protocol; empty when the member does not list it.
    pub fn metadata(&self, protocol: Option<&str>) -> Bytes {
        self.protocols
            .iter()
            .find(|(name, _)| Some(name.as_str()) == protocol)
            .map(|(_, metadata)| metadata.clone())
            .unwrap_or_default()
    }

    /// The candidate that the member wants most.
    pub fn vote<'a>(&'a self, candidates: &BTreeSet<&str>) -> Option<&'a str> {
        self.protocols
            .iter()
            .map(|(name, _)| name.as_str())
            .find(|name| candidates.contains(name))
    }

    /// Whether an open request proves that the member lives, so that its session does not end.
    pub fn has_satisfied_heartbeat(&self) -> bool {
        !self.is_new && (self.awaiting_join.is_some() || self.awaiting_sync.is_some())
    }
}
