//! `AdminClientConfig`: names, defaults and checks of Java's.

use crate::config::{CommonConfig, ConfigException, Properties, Reader};

/// An admin client's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminConfig {
    /// What every client has. Without `client.id` Java names the client `adminclient-1`.
    pub common: CommonConfig,
    /// `default.api.timeout.ms`.
    pub default_api_timeout_ms: i64,
    /// `retries`.
    pub retries: i32,
}

impl AdminConfig {
    /// Reads Java's property names; unknown ones are ignored.
    ///
    /// # Errors
    /// [`ConfigException`] with Java's text.
    pub fn from_properties(properties: &Properties) -> Result<AdminConfig, ConfigException> {
        let reader = Reader::new(properties);
        let mut common = CommonConfig::read(properties, 300_000)?;
        if common.client_id.is_empty() {
            common.client_id = "adminclient-1".to_owned();
        }
        Ok(AdminConfig {
            common,
            default_api_timeout_ms: i64::from(reader.int(
                "default.api.timeout.ms",
                60_000,
                Some(0),
            )?),
            retries: reader.int("retries", i32::MAX, Some(0))?,
        })
    }
}
