//! Which of a broker's configurations can be changed while it runs (`DynamicBrokerConfig.validateConfigs`).

use std::collections::BTreeMap;

use super::broker;
use super::definition::{ConfigError, UpdateMode};

/// Quotas of a broker that only exist as dynamic configurations (`QuotaConfig.brokerQuotaConfigs`).
const QUOTAS: &[&str] = &[
    "follower.replication.throttled.rate",
    "leader.replication.throttled.rate",
    "replica.alter.log.dirs.io.max.bytes.per.second",
];

/// Whether a configuration of a broker is one of the quotas that only exist as dynamic ones: numbers of 64 bits.
pub fn is_quota(name: &str) -> bool {
    QUOTAS.contains(&name)
}

/// TLS settings, which only have a meaning with a listener's prefix.
const SECURITY: &[&str] = &[
    "ssl.key.password",
    "ssl.keystore.certificate.chain",
    "ssl.keystore.key",
    "ssl.keystore.location",
    "ssl.keystore.password",
    "ssl.keystore.type",
    "ssl.truststore.certificates",
    "ssl.truststore.location",
    "ssl.truststore.password",
    "ssl.truststore.type",
];

/// Checks all dynamic configurations that a broker, or the default of all brokers, would then have.
///
/// # Errors
/// [`ConfigError`] with Kafka's text.
pub fn validate(configs: &BTreeMap<String, String>, per_broker: bool) -> Result<(), ConfigError> {
    let mode = |name: &str| broker::definition(name).map(|definition| definition.update_mode);
    refuse(
        configs
            .keys()
            .filter(|name| mode(name) == Some(UpdateMode::ReadOnly)),
        "Cannot update these configs dynamically",
    )?;
    refuse(
        configs
            .keys()
            .filter(|name| SECURITY.contains(&name.as_str())),
        "These security configs can be dynamically updated only per-listener using the listener prefix",
    )?;
    for (name, value) in configs {
        if let Some(definition) = broker::definition(name) {
            definition.parse(value)?;
        } else if QUOTAS.contains(&name.as_str()) {
            let number = value
                .trim()
                .parse::<i64>()
                .map_err(|_| ConfigError::invalid(name, value, "Not a number of type LONG"))?;
            if number < 0 {
                return Err(ConfigError::invalid(
                    name,
                    value,
                    "Value must be at least 0",
                ));
            }
        }
    }
    if !per_broker {
        refuse(
            configs
                .keys()
                .filter(|name| mode(name) == Some(UpdateMode::PerBroker)),
            "Cannot update these configs at default cluster level, broker id must be specified",
        )?;
    }
    Ok(())
}

fn refuse<'a>(names: impl Iterator<Item = &'a String>, reason: &str) -> Result<(), ConfigError> {
    let names: Vec<&str> = names.map(String::as_str).collect();
    if names.is_empty() {
        Ok(())
    } else {
        Err(ConfigError(format!("{reason}: [{}]", names.join(", "))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, value: &str, per_broker: bool) -> Result<(), ConfigError> {
        validate(
            &BTreeMap::from([(name.to_owned(), value.to_owned())]),
            per_broker,
        )
    }

    #[test]
    fn what_is_read_only_or_for_one_broker_is_refused() {
        assert_eq!(
            check("node.id", "7", true),
            Err(ConfigError(
                "Cannot update these configs dynamically: [node.id]".to_owned()
            ))
        );
        assert_eq!(check("log.cleaner.threads", "2", true), Ok(()));
        assert!(check("listeners", "PLAINTEXT://:9092", false).is_err());
        assert!(check("log.retention.ms", "soon", false).is_err());
    }
}
