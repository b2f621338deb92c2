//! `AdminClientConfig`: names, defaults and checks of Java's.

use crate::config::{CommonConfig, ConfigException, Properties, Reader, parse_addresses};

/// What wraps an error of an admin client's making.
const CONSTRUCT: &str = "Failed to create new KafkaAdminClient";

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
        let default_api_timeout_ms =
            i64::from(reader.int("default.api.timeout.ms", 60_000, Some(0))?);
        let retries = reader.int("retries", i32::MAX, Some(0))?;
        let construct = |common: &CommonConfig| {
            if common.bootstrap_servers.is_empty() {
                return Err(ConfigException::new(
                    "You must set either bootstrap.servers or bootstrap.controllers",
                ));
            }
            if default_api_timeout_ms < common.request_timeout_ms
                && reader.raw("default.api.timeout.ms").is_some()
            {
                return Err(ConfigException::new(
                    "The specified value of default.api.timeout.ms must be no smaller than the value of request.timeout.ms.",
                ));
            }
            parse_addresses(&common.bootstrap_servers)
        };
        common.bootstrap_addresses =
            construct(&common).map_err(|error| error.wrapped_in(CONSTRUCT))?;
        Ok(AdminConfig {
            // configureDefaultApiTimeoutMs: a default gives way to a longer request timeout.
            default_api_timeout_ms: default_api_timeout_ms.max(common.request_timeout_ms),
            common,
            retries,
        })
    }
}
