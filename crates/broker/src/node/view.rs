//! What the page is shown of a node.

/// What a broker does for a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// It takes writes.
    Leader,
    /// It copies the leader.
    Follower,
    /// It has no leader to copy.
    Offline,
}

/// A follower as the leader of its partition knows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FollowerView {
    /// Its broker.
    pub broker: i32,
    /// The offset up to which it has the log; -1 before its first fetch from this leader.
    pub log_end_offset: i64,
    /// When it last had all that the leader had, in milliseconds since 1970; 0 if never.
    pub last_caught_up_ms: i64,
    /// Whether it is in the ISR.
    pub in_sync: bool,
}

/// A partition as one broker sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartitionView {
    /// First offset that can be read.
    pub log_start_offset: i64,
    /// Offset up to which consumers may read.
    pub high_watermark: i64,
    /// Offset that the next record gets.
    pub log_end_offset: i64,
    /// Epoch of the leader.
    pub leader_epoch: i32,
    /// The broker that leads, as this one knows; -1 without.
    pub leader: i32,
    /// What this broker does for it.
    pub role: Role,
    /// The in-sync replicas, as this broker knows them.
    pub isr: Vec<i32>,
    /// The other replicas, by id; only the leader knows of them.
    pub followers: Vec<FollowerView>,
}
