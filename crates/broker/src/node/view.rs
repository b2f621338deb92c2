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

/// A partition as one broker sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartitionView {
    /// First offset that can be read.
    pub log_start_offset: i64,
    /// Offset up to which consumers may read.
    pub high_watermark: i64,
    /// Offset that the next record gets.
    pub log_end_offset: i64,
    /// Epoch of the leader.
    pub leader_epoch: i32,
    /// What this broker does for it.
    pub role: Role,
}
