//! Reading client configurations, with the texts of `org.apache.kafka.common.config.ConfigDef`.

use indexmap::IndexMap;
use thiserror::Error;

use crate::ClientError;

/// Client properties by name, in the order in which they were given.
pub type Properties = IndexMap<String, String>;

/// `org.apache.kafka.common.config.ConfigException`, with its message.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct ConfigException(pub String);

impl From<ConfigException> for ClientError {
    fn from(exception: ConfigException) -> ClientError {
        ClientError::new(
            "org.apache.kafka.common.config.ConfigException",
            exception.0,
        )
    }
}

/// Reads values out of [`Properties`], as `ConfigDef.parse` does.
pub(crate) struct Reader<'a> {
    properties: &'a Properties,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(properties: &'a Properties) -> Reader<'a> {
        Reader { properties }
    }

    /// The trimmed value, `None` when not given.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a str> {
        self.properties.get(name).map(|value| value.trim())
    }

    pub(crate) fn string(&self, name: &str, default: &str) -> String {
        self.raw(name).unwrap_or(default).to_owned()
    }

    /// A comma-separated list, blanks around items dropped.
    pub(crate) fn list(&self, name: &str, default: &[&str]) -> Vec<String> {
        match self.raw(name) {
            None => default.iter().map(|item| (*item).to_owned()).collect(),
            Some("") => Vec::new(),
            Some(value) => value
                .split(',')
                .map(|item| item.trim().to_owned())
                .collect(),
        }
    }

    pub(crate) fn int(
        &self,
        name: &str,
        default: i32,
        at_least: Option<i32>,
    ) -> Result<i32, ConfigException> {
        let Some(value) = self.raw(name) else {
            return Ok(default);
        };
        let number = value
            .parse::<i32>()
            .map_err(|_| invalid(name, value, "Not a number of type INT"))?;
        match at_least {
            Some(low) if number < low => Err(invalid(
                name,
                value,
                &format!("Value must be at least {low}"),
            )),
            _ => Ok(number),
        }
    }

    pub(crate) fn long(
        &self,
        name: &str,
        default: i64,
        at_least: Option<i64>,
    ) -> Result<i64, ConfigException> {
        let Some(value) = self.raw(name) else {
            return Ok(default);
        };
        let number = value
            .parse::<i64>()
            .map_err(|_| invalid(name, value, "Not a number of type LONG"))?;
        match at_least {
            Some(low) if number < low => Err(invalid(
                name,
                value,
                &format!("Value must be at least {low}"),
            )),
            _ => Ok(number),
        }
    }

    pub(crate) fn boolean(&self, name: &str, default: bool) -> Result<bool, ConfigException> {
        match self.raw(name) {
            None => Ok(default),
            Some(value) if value.eq_ignore_ascii_case("true") => Ok(true),
            Some(value) if value.eq_ignore_ascii_case("false") => Ok(false),
            Some(value) => Err(invalid(
                name,
                value,
                "Expected value to be either true or false",
            )),
        }
    }

    /// One of `allowed`.
    pub(crate) fn one_of(
        &self,
        name: &str,
        default: &str,
        allowed: &[&str],
    ) -> Result<String, ConfigException> {
        let value = self.raw(name).unwrap_or(default);
        if allowed.contains(&value) {
            return Ok(value.to_owned());
        }
        Err(invalid(
            name,
            value,
            &format!("String must be one of: {}", allowed.join(", ")),
        ))
    }
}

/// `Invalid value V for configuration NAME: WHY`.
pub(crate) fn invalid(name: &str, value: &str, why: &str) -> ConfigException {
    ConfigException(format!(
        "Invalid value {value} for configuration {name}: {why}"
    ))
}

/// What every client has: where to start, how to wait and retry. Times are in milliseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommonConfig {
    /// `bootstrap.servers`, as given.
    pub bootstrap_servers: Vec<String>,
    /// The same, split into host and port.
    pub bootstrap_addresses: Vec<(String, u16)>,
    /// `client.id`.
    pub client_id: String,
    /// `client.rack`.
    pub client_rack: String,
    /// `request.timeout.ms`.
    pub request_timeout_ms: i64,
    /// `retry.backoff.ms`.
    pub retry_backoff_ms: i64,
    /// `retry.backoff.max.ms`.
    pub retry_backoff_max_ms: i64,
    /// `reconnect.backoff.ms`.
    pub reconnect_backoff_ms: i64,
    /// `reconnect.backoff.max.ms`.
    pub reconnect_backoff_max_ms: i64,
    /// `metadata.max.age.ms`.
    pub metadata_max_age_ms: i64,
    /// `connections.max.idle.ms`.
    pub connections_max_idle_ms: i64,
    /// `socket.connection.setup.timeout.ms`.
    pub connection_setup_timeout_ms: i64,
    /// `metadata.recovery.strategy` is `rebootstrap`?
    pub rebootstrap: bool,
    /// `metadata.recovery.rebootstrap.trigger.ms`.
    pub rebootstrap_trigger_ms: i64,
}

impl CommonConfig {
    pub(crate) fn read(
        properties: &Properties,
        default_connections_max_idle_ms: i64,
    ) -> Result<CommonConfig, ConfigException> {
        let reader = Reader::new(properties);
        let bootstrap_servers = reader.list("bootstrap.servers", &[]);
        if bootstrap_servers.is_empty() {
            return Err(ConfigException(
                "No resolvable bootstrap urls given in bootstrap.servers".to_owned(),
            ));
        }
        let mut bootstrap_addresses = Vec::new();
        for server in &bootstrap_servers {
            bootstrap_addresses.push(parse_address(server)?);
        }
        Ok(CommonConfig {
            bootstrap_servers,
            bootstrap_addresses,
            client_id: reader.string("client.id", ""),
            client_rack: reader.string("client.rack", ""),
            request_timeout_ms: i64::from(reader.int("request.timeout.ms", 30_000, Some(0))?),
            retry_backoff_ms: reader.long("retry.backoff.ms", 100, Some(0))?,
            retry_backoff_max_ms: reader.long("retry.backoff.max.ms", 1_000, Some(0))?,
            reconnect_backoff_ms: reader.long("reconnect.backoff.ms", 50, Some(0))?,
            reconnect_backoff_max_ms: reader.long("reconnect.backoff.max.ms", 1_000, Some(0))?,
            metadata_max_age_ms: reader.long("metadata.max.age.ms", 300_000, Some(0))?,
            connections_max_idle_ms: reader.long(
                "connections.max.idle.ms",
                default_connections_max_idle_ms,
                None,
            )?,
            connection_setup_timeout_ms: reader.long(
                "socket.connection.setup.timeout.ms",
                10_000,
                None,
            )?,
            rebootstrap: reader
                .one_of(
                    "metadata.recovery.strategy",
                    "rebootstrap",
                    &["none", "rebootstrap"],
                )?
                .eq_ignore_ascii_case("rebootstrap"),
            rebootstrap_trigger_ms: reader.long(
                "metadata.recovery.rebootstrap.trigger.ms",
                300_000,
                Some(0),
            )?,
        })
    }
}

/// `host:port`, as `ClientUtils.parseAndValidateAddresses` reads it (a protocol before it is allowed).
fn parse_address(url: &str) -> Result<(String, u16), ConfigException> {
    let invalid_url = || ConfigException(format!("Invalid url in bootstrap.servers: {url}"));
    let rest = url.rsplit_once("://").map_or(url, |(_, rest)| rest);
    let (host, port) = rest.rsplit_once(':').ok_or_else(invalid_url)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    if host.is_empty() || port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(invalid_url());
    }
    let port = port
        .parse::<u16>()
        .map_err(|_| ConfigException(format!("Invalid port in bootstrap.servers: {url}")))?;
    Ok((host.to_owned(), port))
}

/// A map of properties from pairs, for callers that hold another kind of map.
pub fn properties<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Properties {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
