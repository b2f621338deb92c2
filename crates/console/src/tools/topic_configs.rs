//! Topic configs checked before they are sent, as `LogConfig.validate` does in the tool itself.

use std::collections::BTreeMap;

use playground_broker::config::topic;
use playground_client::ClientError;

/// Checks names and values.
///
/// # Errors
/// `InvalidConfigurationException` for an unknown name, `ConfigException` for a bad value.
pub fn validate(configs: &[(String, String)]) -> Result<(), ClientError> {
    let configs: BTreeMap<String, String> = configs.iter().cloned().collect();
    topic::validate(&configs).map_err(|error| {
        let unknown = error.0.starts_with("Unknown topic config name");
        let class = match unknown {
            true => "org.apache.kafka.common.errors.InvalidConfigurationException",
            false => "org.apache.kafka.common.config.ConfigException",
        };
        ClientError::new(class, error.0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(name: &str, value: &str) -> ClientError {
        validate(&[(name.to_owned(), value.to_owned())]).unwrap_err()
    }

    #[test]
    fn names_and_values_are_refused_with_kafkas_texts() {
        assert_eq!(
            refused("no.such.config", "1").message,
            "Unknown topic config name: no.such.config"
        );
        let error = refused("retention.ms", "soon");
        assert_eq!(error.simple_name(), "ConfigException");
        assert_eq!(
            error.message,
            "Invalid value soon for configuration retention.ms: Not a number of type LONG"
        );
        assert!(validate(&[("retention.ms".to_owned(), "60000".to_owned())]).is_ok());
    }
}
