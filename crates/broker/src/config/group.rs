//! Groups' configurations (`GroupConfig`).

use std::collections::BTreeMap;

use super::broker::BrokerConfig;
use super::definition::{ConfigError, Definition};
use super::resource_table::GROUP_DEFINITIONS;

/// The definitions, in Kafka's order.
pub fn definitions() -> &'static [Definition] {
    GROUP_DEFINITIONS
}

/// The definition of this name.
pub fn definition(name: &str) -> Option<&'static Definition> {
    GROUP_DEFINITIONS
        .iter()
        .find(|definition| definition.name == name)
}

/// The broker configuration that a group's configuration falls back to.
pub fn broker_synonym(name: &str) -> Option<String> {
    match name {
        "share.auto.offset.reset" | "share.isolation.level" | "share.renew.acknowledge.enable" => {
            None
        }
        _ => definition(name).map(|definition| format!("group.{}", definition.name)),
    }
}

/// The value in force for a group without overrides.
pub fn broker_value(name: &str, broker: &BrokerConfig) -> Option<String> {
    broker_synonym(name)
        .and_then(|synonym| broker.get(&synonym).map(str::to_owned))
        .or_else(|| definition(name)?.default_text().map(str::to_owned))
}

/// Checks a group's whole set of overrides (`GroupConfig.validate`).
///
/// # Errors
/// [`ConfigError`] with Kafka's text.
pub fn validate(
    overrides: &BTreeMap<String, String>,
    broker: &BrokerConfig,
) -> Result<(), ConfigError> {
    for name in overrides.keys() {
        if definition(name).is_none() {
            return Err(ConfigError(format!("Unknown group config name: {name}")));
        }
    }
    for definition in GROUP_DEFINITIONS {
        if let Some(value) = overrides.get(definition.name) {
            definition.parse(value)?;
        }
    }
    let number = |name: &str| {
        overrides
            .get(name)
            .cloned()
            .or_else(|| broker_value(name, broker))
            .and_then(|value| value.trim().parse::<i64>().ok())
            .unwrap_or(0)
    };
    for (name, middle) in [
        ("consumer.heartbeat.interval.ms", "heartbeat.interval.ms"),
        ("consumer.session.timeout.ms", "session.timeout.ms"),
        ("consumer.assignment.interval.ms", "assignment.interval.ms"),
        ("share.heartbeat.interval.ms", "heartbeat.interval.ms"),
        ("share.session.timeout.ms", "session.timeout.ms"),
        ("share.record.lock.duration.ms", "record.lock.duration.ms"),
        ("share.delivery.count.limit", "delivery.count.limit"),
        (
            "share.partition.max.record.locks",
            "partition.max.record.locks",
        ),
        ("share.assignment.interval.ms", "assignment.interval.ms"),
        ("streams.heartbeat.interval.ms", "heartbeat.interval.ms"),
        ("streams.session.timeout.ms", "session.timeout.ms"),
        ("streams.assignment.interval.ms", "assignment.interval.ms"),
    ] {
        if middle == "assignment.interval.ms" && !overrides.contains_key(name) {
            continue;
        }
        let kind = name.split('.').next().unwrap_or_default();
        let value = number(name);
        let low = format!("group.{kind}.min.{middle}");
        if value < broker.long(&low) {
            return Err(ConfigError(format!(
                "{name} must be greater than or equal to {low}"
            )));
        }
        let high = format!("group.{kind}.max.{middle}");
        if value > broker.long(&high) {
            return Err(ConfigError(format!(
                "{name} must be less than or equal to {high}"
            )));
        }
    }
    if number("streams.num.standby.replicas") > broker.long("group.streams.max.standby.replicas") {
        return Err(ConfigError(
            "streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas"
                .to_owned(),
        ));
    }
    for kind in ["consumer", "share", "streams"] {
        let session = format!("{kind}.session.timeout.ms");
        let heartbeat = format!("{kind}.heartbeat.interval.ms");
        if number(&session) <= number(&heartbeat) {
            return Err(ConfigError(format!(
                "{session} must be greater than {heartbeat}"
            )));
        }
    }
    Ok(())
}
