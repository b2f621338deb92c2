//! The features of 4.3.1 (`org.apache.kafka.server.common.Feature`) and the levels of a new cluster.

/// A feature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Feature {
    /// Its name.
    pub name: &'static str,
    /// The lowest level that a node supports.
    pub min_supported: i16,
    /// The highest level that a node supports.
    pub max_supported: i16,
    /// The level in the first records of a new cluster; 0 when it has no record there.
    pub finalized: i16,
}

const fn feature(
    name: &'static str,
    min_supported: i16,
    max_supported: i16,
    finalized: i16,
) -> Feature {
    Feature {
        name,
        min_supported,
        max_supported,
        finalized,
    }
}

/// What a node supports, and says in its registration and in ApiVersions, in the order of the records of a new
/// cluster. `metadata.version` 30 is 4.3-IV0. `kraft.version` is kept by the quorum, not in these records.
pub const FEATURES: &[Feature] = &[
    feature("metadata.version", 7, 30, 30),
    feature("eligible.leader.replicas.version", 0, 1, 1),
    feature("group.version", 0, 1, 1),
    feature("share.version", 0, 1, 1),
    feature("streams.version", 0, 1, 1),
    feature("transaction.version", 0, 2, 2),
    feature("kraft.version", 0, 1, 0),
];
