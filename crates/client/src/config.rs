//! Reading client configurations, with the texts of `org.apache.kafka.common.config.ConfigDef`.

use indexmap::IndexMap;
use thiserror::Error;

use crate::ClientError;

/// Client properties by name, in the order in which they were given.
pub type Properties = IndexMap<String, String>;

/// A configuration that Java refuses, in Java's words: mostly a
/// `org.apache.kafka.common.config.ConfigException`, thrown when the properties are read, or the cause of a
/// `KafkaException` when the client is made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct ConfigException {
    class: &'static str,
    message: String,
    /// The message of the `KafkaException` around it.
    wrapped_in: Option<&'static str>,
}

impl ConfigException {
    /// A `ConfigException` of the given message.
    pub fn new(message: impl Into<String>) -> ConfigException {
        ConfigException::of("org.apache.kafka.common.config.ConfigException", message)
    }

    /// Another exception of the given full class name.
    pub(crate) fn of(class: &'static str, message: impl Into<String>) -> ConfigException {
        ConfigException {
            class,
            message: message.into(),
            wrapped_in: None,
        }
    }

    /// The same as the cause of a `KafkaException`.
    pub(crate) fn wrapped_in(mut self, message: &'static str) -> ConfigException {
        self.wrapped_in = Some(message);
        self
    }

    /// The exception's own message, without what wraps it.
    pub fn message(&self) -> &str {
        &self.message
    }
}

impl From<ConfigException> for ClientError {
    fn from(exception: ConfigException) -> ClientError {
        let inner = ClientError::new(exception.class, exception.message);
        match exception.wrapped_in {
            None => inner,
            Some(message) => {
                ClientError::new("org.apache.kafka.common.KafkaException", message).caused_by(inner)
            }
        }
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

    /// The value as given, `None` when not given.
    pub(crate) fn raw(&self, name: &str) -> Option<&'a str> {
        self.properties.get(name).map(String::as_str)
    }

    pub(crate) fn string(&self, name: &str, default: &str) -> String {
        self.raw(name).unwrap_or(default).to_owned()
    }

    /// A comma-separated list, blanks around items dropped.
    pub(crate) fn list(&self, name: &str, default: &[&str]) -> Vec<String> {
        match self.raw(name).map(str::trim) {
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
            .trim()
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
            .trim()
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
            Some(value) if value.trim().eq_ignore_ascii_case("true") => Ok(true),
            Some(value) if value.trim().eq_ignore_ascii_case("false") => Ok(false),
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

/// `String must be one of (case insensitive)`.
pub(crate) fn one_of_ignoring_case(
    reader: &Reader<'_>,
    name: &str,
    default: &str,
    allowed: &[&str],
) -> Result<String, ConfigException> {
    let value = reader.raw(name).unwrap_or(default);
    if allowed
        .iter()
        .any(|known| known.eq_ignore_ascii_case(value))
    {
        return Ok(value.to_uppercase());
    }
    Err(invalid(
        name,
        value,
        &format!(
            "String must be one of (case insensitive): {}",
            allowed.join(", ")
        ),
    ))
}

/// `Invalid value V for configuration NAME: WHY`.
pub(crate) fn invalid(name: &str, value: &str, why: &str) -> ConfigException {
    ConfigException::new(format!(
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
        one_of_ignoring_case(
            &reader,
            "security.protocol",
            "PLAINTEXT",
            &["SASL_SSL", "PLAINTEXT", "SSL", "SASL_PLAINTEXT"],
        )?;
        let recovery = one_of_ignoring_case(
            &reader,
            "metadata.recovery.strategy",
            "REBOOTSTRAP",
            &["REBOOTSTRAP", "NONE"],
        )?;
        if bootstrap_servers.iter().any(String::is_empty) {
            return Err(ConfigException::new(
                "Configuration 'bootstrap.servers' values must not be empty.",
            ));
        }
        Ok(CommonConfig {
            bootstrap_servers,
            bootstrap_addresses: Vec::new(),
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
            rebootstrap: recovery == "REBOOTSTRAP",
            rebootstrap_trigger_ms: reader.long(
                "metadata.recovery.rebootstrap.trigger.ms",
                300_000,
                Some(0),
            )?,
        })
    }
}

/// The check that producers and consumers make while they read their properties.
pub(crate) fn require_bootstrap(properties: &Properties) -> Result<(), ConfigException> {
    let value = properties.get("bootstrap.servers").ok_or_else(|| {
        ConfigException::new(
            "Missing required configuration \"bootstrap.servers\" which has no default value.",
        )
    })?;
    if value.trim().is_empty() {
        return Err(ConfigException::new(
            "Configuration 'bootstrap.servers' must not be empty. Valid values include: any non-empty value",
        ));
    }
    Ok(())
}

/// The bootstrap servers, split, as `ClientUtils.parseAndValidateAddresses` does when a client is made.
pub(crate) fn parse_addresses(servers: &[String]) -> Result<Vec<(String, u16)>, ConfigException> {
    servers.iter().map(|server| parse_address(server)).collect()
}

/// `host:port`; a protocol before it is allowed, and brackets around an IPv6 address.
fn parse_address(url: &str) -> Result<(String, u16), ConfigException> {
    let invalid_url = || ConfigException::new(format!("Invalid url in bootstrap.servers: {url}"));
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (host, port) = rest.rsplit_once(':').ok_or_else(invalid_url)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let fits = |letter: char| letter.is_ascii_alphanumeric() || "-%._:".contains(letter);
    if !host.chars().all(fits) || port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Err(invalid_url());
    }
    let port = port
        .parse::<u16>()
        .map_err(|_| ConfigException::new(format!("Invalid port in bootstrap.servers: {url}")))?;
    let host = if host.is_empty() { "localhost" } else { host };
    Ok((host.to_owned(), port))
}

/// A map of properties from pairs, for callers that hold another kind of map.
pub fn properties<'a>(pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Properties {
    pairs
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
