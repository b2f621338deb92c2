//! The broker properties that the coordinator reads (`GroupCoordinatorConfig`).

/// The group coordinator's settings, each named by its property.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupConfig {
    /// `group.min.session.timeout.ms`.
    pub min_session_timeout_ms: i32,
    /// `group.max.session.timeout.ms`.
    pub max_session_timeout_ms: i32,
    /// `group.initial.rebalance.delay.ms`.
    pub initial_rebalance_delay_ms: i32,
    /// `group.max.size`, in members.
    pub max_size: i32,
    /// `offset.metadata.max.bytes`; compared with the metadata's UTF-16 length, as Kafka does.
    pub offset_metadata_max_bytes: i32,
    /// `offsets.retention.minutes`.
    pub offsets_retention_minutes: i32,
    /// `offsets.retention.check.interval.ms`.
    pub offsets_retention_check_interval_ms: i64,
}

impl Default for GroupConfig {
    fn default() -> GroupConfig {
        GroupConfig {
            min_session_timeout_ms: 6_000,
            max_session_timeout_ms: 1_800_000,
            initial_rebalance_delay_ms: 3_000,
            max_size: i32::MAX,
            offset_metadata_max_bytes: 4_096,
            offsets_retention_minutes: 10_080,
            offsets_retention_check_interval_ms: 600_000,
        }
    }
}

impl GroupConfig {
    /// The settings that `property` knows by name, defaults for the rest. Values that are no numbers
    /// are left at their defaults: the node checks its properties before it starts.
    pub fn from_properties(property: impl Fn(&str) -> Option<String>) -> GroupConfig {
        let defaults = GroupConfig::default();
        let number = |name: &str, default: i64| {
            property(name)
                .and_then(|value| value.trim().parse::<i64>().ok())
                .unwrap_or(default)
        };
        let int = |name: &str, default: i32| {
            i32::try_from(number(name, i64::from(default))).unwrap_or(default)
        };
        GroupConfig {
            min_session_timeout_ms: int(
                "group.min.session.timeout.ms",
                defaults.min_session_timeout_ms,
            ),
            max_session_timeout_ms: int(
                "group.max.session.timeout.ms",
                defaults.max_session_timeout_ms,
            ),
            initial_rebalance_delay_ms: int(
                "group.initial.rebalance.delay.ms",
                defaults.initial_rebalance_delay_ms,
            ),
            max_size: int("group.max.size", defaults.max_size),
            offset_metadata_max_bytes: int(
                "offset.metadata.max.bytes",
                defaults.offset_metadata_max_bytes,
            ),
            offsets_retention_minutes: int(
                "offsets.retention.minutes",
                defaults.offsets_retention_minutes,
            ),
            offsets_retention_check_interval_ms: number(
                "offsets.retention.check.interval.ms",
                defaults.offsets_retention_check_interval_ms,
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn properties_override_the_defaults() {
        let config = GroupConfig::from_properties(|name| match name {
            "group.initial.rebalance.delay.ms" => Some("0".to_owned()),
            "group.max.size" => Some("many".to_owned()),
            _ => None,
        });
        assert_eq!(config.initial_rebalance_delay_ms, 0);
        assert_eq!(config.max_size, i32::MAX);
    }
}
