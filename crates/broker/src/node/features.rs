//! The features that 4.3.1 supports, as it registers and advertises them.

/// (Name, lowest, highest level), in name order.
pub(super) const SUPPORTED_FEATURES: &[(&str, i16, i16)] = &[
    ("eligible.leader.replicas.version", 0, 1),
    ("group.version", 0, 1),
    ("kraft.version", 0, 1),
    ("metadata.version", 7, 30),
    ("share.version", 0, 1),
    ("streams.version", 0, 1),
    ("transaction.version", 0, 2),
];

/// The level of `kraft.version`, which is kept in control records and not among the metadata's features.
pub(crate) const KRAFT_VERSION: i16 = 1;
