//! Topic configs checked before they are sent, as `LogConfig.validate` does in the tool itself.

use std::collections::BTreeMap;

use playground_broker::config::topic;
use playground_client::ClientError;

/// Checks names and values.
///
/// # Errors
/// `InvalidConfigurationException` for an unknown name or a conflict, `ConfigException` for a bad value.
pub fn validate(configs: &[(String, String)]) -> Result<(), ClientError> {
    let configs: BTreeMap<String, String> = configs.iter().cloned().collect();
    let Err(error) = topic::validate(&configs) else {
        return Ok(());
    };
    // Only a broker knows whether it has tiered storage.
    if error.0.starts_with("Tiered Storage") {
        return Ok(());
    }
    let invalid = ["Unknown topic config name", "conflict topic config"]
        .iter()
        .any(|start| error.0.starts_with(start));
    let class = match invalid {
        true => "org.apache.kafka.common.errors.InvalidConfigurationException",
        false => "org.apache.kafka.common.config.ConfigException",
    };
    Err(ClientError::new(class, error.0))
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
