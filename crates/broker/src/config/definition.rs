//! How a configuration is defined and checked (`org.apache.kafka.common.config.ConfigDef`).

use thiserror::Error;

/// A value that does not fit its definition; the text is Kafka's (`ConfigException`).
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{0}")]
pub struct ConfigError(pub String);

impl ConfigError {
    /// `Invalid value VALUE for configuration NAME: REASON`.
    pub fn invalid(name: &str, value: &str, reason: &str) -> ConfigError {
        ConfigError(format!(
            "Invalid value {value} for configuration {name}: {reason}"
        ))
    }
}

/// The type of a configuration (`ConfigDef.Type`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigType {
    /// `true` or `false`.
    Boolean,
    /// Text, trimmed.
    String,
    /// 32 bits.
    Int,
    /// 16 bits.
    Short,
    /// 64 bits.
    Long,
    /// A floating-point number.
    Double,
    /// Texts separated by commas.
    List,
    /// A Java class's name.
    Class,
    /// Text that is not shown.
    Password,
}

impl ConfigType {
    /// The number in a DescribeConfigs response.
    pub fn code(self) -> i8 {
        match self {
            ConfigType::Boolean => 1,
            ConfigType::String => 2,
            ConfigType::Int => 3,
            ConfigType::Short => 4,
            ConfigType::Long => 5,
            ConfigType::Double => 6,
            ConfigType::List => 7,
            ConfigType::Class => 8,
            ConfigType::Password => 9,
        }
    }

    fn name(self) -> &'static str {
        match self {
            ConfigType::Boolean => "BOOLEAN",
            ConfigType::String => "STRING",
            ConfigType::Int => "INT",
            ConfigType::Short => "SHORT",
            ConfigType::Long => "LONG",
            ConfigType::Double => "DOUBLE",
            ConfigType::List => "LIST",
            ConfigType::Class => "CLASS",
            ConfigType::Password => "PASSWORD",
        }
    }
}

/// Where a value comes from (`DescribeConfigsResponse.ConfigSource`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigSource {
    /// The topic.
    DynamicTopic,
    /// This broker, while it ran.
    DynamicBroker,
    /// All brokers, while they ran.
    DynamicDefaultBroker,
    /// The broker's properties.
    StaticBroker,
    /// Nobody set it.
    Default,
    /// The broker's loggers.
    DynamicBrokerLogger,
    /// A client metrics subscription.
    ClientMetrics,
    /// The group.
    Group,
}

impl ConfigSource {
    /// The number of the wire.
    pub fn code(self) -> i8 {
        match self {
            ConfigSource::DynamicTopic => 1,
            ConfigSource::DynamicBroker => 2,
            ConfigSource::DynamicDefaultBroker => 3,
            ConfigSource::StaticBroker => 4,
            ConfigSource::Default => 5,
            ConfigSource::DynamicBrokerLogger => 6,
            ConfigSource::ClientMetrics => 7,
            ConfigSource::Group => 8,
        }
    }
}

/// What a configuration is when nobody sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DefaultValue {
    /// It must be set.
    Required,
    /// It is null.
    Null,
    /// It is this, as Kafka prints it.
    Value(&'static str),
}

/// Which values are valid, beyond the type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Valid {
    /// All.
    Any,
    /// A whole number from this one on.
    AtLeast(i64),
    /// A whole number from the first to the second.
    Between(i64, i64),
    /// A number from the first to the second, as they are printed; an empty second is no bound.
    DoubleRange(&'static str, &'static str),
    /// One of these texts.
    OneOf(&'static [&'static str]),
    /// One of these texts, in any case.
    OneOfAnyCase(&'static [&'static str]),
    /// A list without duplicates of these texts (of all, if there are none); whether it may be empty; whether null.
    ListOf(&'static [&'static str], bool, bool),
    /// Text that is not empty.
    NonEmpty,
    /// Not null.
    NonNull,
    /// -1, or 1 to 9.
    GzipLevel,
    /// `*`, or pairs `partition:broker`.
    ThrottledReplicas,
    /// `earliest`, `latest` or `by_duration:` and an ISO 8601 duration.
    AutoOffsetReset,
}

/// How a broker's configuration can be changed while it runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UpdateMode {
    /// Not at all.
    ReadOnly,
    /// For one broker, or for all.
    ClusterWide,
    /// For one broker only.
    PerBroker,
}

/// One configuration (`ConfigDef.ConfigKey`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its name.
    pub name: &'static str,
    /// Its type.
    pub config_type: ConfigType,
    /// Its default.
    pub default: DefaultValue,
    /// Its valid values.
    pub valid: Valid,
    /// How it can be changed; for brokers.
    pub update_mode: UpdateMode,
    /// Whether it is left out of descriptions.
    pub internal: bool,
}

pub(crate) const fn d(
    name: &'static str,
    config_type: ConfigType,
    default: DefaultValue,
    valid: Valid,
    update_mode: UpdateMode,
    internal: bool,
) -> Definition {
    Definition {
        name,
        config_type,
        default,
        valid,
        update_mode,
        internal,
    }
}

/// A parsed value.
#[derive(Clone, Debug, PartialEq)]
pub enum ConfigValue {
    /// A BOOLEAN.
    Boolean(bool),
    /// A STRING, CLASS or PASSWORD.
    Text(String),
    /// An INT, SHORT or LONG.
    Whole(i64),
    /// A DOUBLE.
    Double(f64),
    /// A LIST.
    List(Vec<String>),
}

impl ConfigValue {
    /// The value as Kafka prints it (`ConfigDef.convertToString`).
    pub fn text(&self) -> String {
        match self {
            ConfigValue::Boolean(value) => value.to_string(),
            ConfigValue::Text(value) => value.clone(),
            ConfigValue::Whole(value) => value.to_string(),
            ConfigValue::Double(value) => double_text(*value),
            ConfigValue::List(values) => values.join(","),
        }
    }
}

/// `Double.toString`: scientific from ten million on and below a thousandth.
fn double_text(value: f64) -> String {
    let size = value.abs();
    if value != 0.0 && value.is_finite() && !(1e-3..1e7).contains(&size) {
        let text = format!("{value:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let point = if digits.contains('.') { "" } else { ".0" };
        return format!("{digits}{point}E{exponent}");
    }
    format!("{value:?}")
}

impl Definition {
    /// The default as Kafka prints it; `None` when there is none or it is null.
    pub fn default_text(&self) -> Option<&'static str> {
        match self.default {
            DefaultValue::Value(text) => Some(text),
            DefaultValue::Required | DefaultValue::Null => None,
        }
    }

    /// Whether its value is never shown.
    pub fn is_sensitive(&self) -> bool {
        self.config_type == ConfigType::Password
    }

    /// Reads and checks a value.
    ///
    /// # Errors
    /// [`ConfigError`] with Kafka's text.
    pub fn parse(&self, value: &str) -> Result<ConfigValue, ConfigError> {
        let trimmed = value.trim();
        let not_a_number = || {
            ConfigError::invalid(
                self.name,
                value,
                &format!("Not a number of type {}", self.config_type.name()),
            )
        };
        let parsed = match self.config_type {
            ConfigType::Boolean if trimmed.eq_ignore_ascii_case("true") => {
                ConfigValue::Boolean(true)
            }
            ConfigType::Boolean if trimmed.eq_ignore_ascii_case("false") => {
                ConfigValue::Boolean(false)
            }
            ConfigType::Boolean => {
                return Err(ConfigError::invalid(
                    self.name,
                    value,
                    "Expected value to be either true or false",
                ));
            }
            ConfigType::String | ConfigType::Class | ConfigType::Password => {
                ConfigValue::Text(trimmed.to_owned())
            }
            ConfigType::Int => {
                ConfigValue::Whole(trimmed.parse::<i32>().map_err(|_| not_a_number())?.into())
            }
            ConfigType::Short => {
                ConfigValue::Whole(trimmed.parse::<i16>().map_err(|_| not_a_number())?.into())
            }
            ConfigType::Long => ConfigValue::Whole(trimmed.parse().map_err(|_| not_a_number())?),
            ConfigType::Double => ConfigValue::Double(trimmed.parse().map_err(|_| not_a_number())?),
            ConfigType::List if trimmed.is_empty() => ConfigValue::List(Vec::new()),
            ConfigType::List => ConfigValue::List(
                trimmed
                    .split(',')
                    .map(|item| item.trim().to_owned())
                    .collect(),
            ),
        };
        self.check(parsed)
    }

    fn check(&self, value: ConfigValue) -> Result<ConfigValue, ConfigError> {
        let invalid = |value: &ConfigValue, reason: &str| {
            Err(ConfigError::invalid(self.name, &value.text(), reason))
        };
        match (self.valid, &value) {
            (Valid::AtLeast(low) | Valid::Between(low, _), ConfigValue::Whole(number))
                if *number < low =>
            {
                invalid(&value, &format!("Value must be at least {low}"))
            }
            (Valid::Between(_, high), ConfigValue::Whole(number)) if *number > high => {
                invalid(&value, &format!("Value must be no more than {high}"))
            }
            (Valid::DoubleRange(low, high), ConfigValue::Double(number)) => {
                if low.parse::<f64>().is_ok_and(|low| *number < low) {
                    invalid(&value, &format!("Value must be at least {low}"))
                } else if high.parse::<f64>().is_ok_and(|high| *number > high) {
                    invalid(&value, &format!("Value must be no more than {high}"))
                } else {
                    Ok(value)
                }
            }
            (Valid::OneOf(texts), ConfigValue::Text(text)) if !texts.contains(&text.as_str()) => {
                invalid(
                    &value,
                    &format!("String must be one of: {}", texts.join(", ")),
                )
            }
            (Valid::OneOfAnyCase(texts), ConfigValue::Text(text))
                if !texts.iter().any(|valid| valid.eq_ignore_ascii_case(text)) =>
            {
                invalid(
                    &value,
                    &format!(
                        "String must be one of (case insensitive): {}",
                        texts.join(", ")
                    ),
                )
            }
            (Valid::ListOf(texts, may_be_empty, _), ConfigValue::List(items)) => {
                self.check_list(texts, may_be_empty, items)
            }
            (Valid::NonEmpty, ConfigValue::Text(text)) if text.is_empty() => {
                invalid(&value, "String must be non-empty")
            }
            (Valid::GzipLevel, ConfigValue::Whole(level))
                if *level != -1 && !(1..=9).contains(level) =>
            {
                invalid(&value, "Value must be between 1 and 9 or equal to -1")
            }
            (Valid::ThrottledReplicas, ConfigValue::List(items))
                if !throttled_replicas_are_valid(items) =>
            {
                let items = items.join(", ");
                Err(ConfigError::invalid(
                    self.name,
                    &format!("[{items}]"),
                    &format!(
                        "{} must be the literal '*' or a list of replicas in the following format: [partitionId]:[brokerId],[partitionId]:[brokerId],...",
                        self.name
                    ),
                ))
            }
            (Valid::AutoOffsetReset, ConfigValue::Text(text))
                if !matches!(text.to_ascii_lowercase().as_str(), "earliest" | "latest")
                    && !text.to_ascii_lowercase().starts_with("by_duration:p") =>
            {
                invalid(
                    &value,
                    &format!(
                        "Invalid value `{text}` for configuration {}. The value must be either 'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS.>'.",
                        self.name
                    ),
                )
            }
            _ => Ok(value),
        }
    }

    /// Duplicates are dropped before the check, as `ConfigDef.parseValue` does.
    fn check_list(
        &self,
        texts: &[&str],
        may_be_empty: bool,
        items: &[String],
    ) -> Result<ConfigValue, ConfigError> {
        let mut distinct: Vec<String> = Vec::new();
        for item in items {
            if !distinct.contains(item) {
                distinct.push(item.clone());
            }
        }
        if distinct.is_empty() && !may_be_empty {
            let valid = if texts.is_empty() {
                "any non-empty value".to_owned()
            } else {
                format!("[{}]", texts.join(", "))
            };
            return Err(ConfigError(format!(
                "Configuration '{}' must not be empty. Valid values include: {valid}",
                self.name
            )));
        }
        for item in &distinct {
            if item.is_empty() {
                return Err(ConfigError(format!(
                    "Configuration '{}' values must not be empty.",
                    self.name
                )));
            }
            if !texts.is_empty() && !texts.contains(&item.as_str()) {
                return Err(ConfigError::invalid(
                    self.name,
                    item,
                    &format!("String must be one of: {}", texts.join(", ")),
                ));
            }
        }
        Ok(ConfigValue::List(distinct))
    }
}

fn throttled_replicas_are_valid(items: &[String]) -> bool {
    let is_pair = |item: &String| {
        item.split_once(':').is_some_and(|(partition, broker)| {
            let is_number =
                |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            is_number(partition) && is_number(broker)
        })
    };
    items.is_empty() || (items.len() == 1 && items[0] == "*") || items.iter().all(is_pair)
}

/// The bucket of a key in a `java.util.HashMap` of 2^`bits` buckets. Kafka's clients print configurations in
/// the order of such maps, so responses here have that order already.
pub(crate) fn java_bucket(key: &str, bits: u32) -> u32 {
    let hash = key.encode_utf16().fold(0_u32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(u32::from(unit))
    });
    (hash ^ (hash >> 16)) & ((1 << bits) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::topic;

    fn error(name: &str, value: &str) -> String {
        match topic::definition(name).map(|definition| definition.parse(value)) {
            Some(Err(ConfigError(text))) => text,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn bad_values_have_kafkas_texts() {
        assert_eq!(
            error("retention.ms", "soon"),
            "Invalid value soon for configuration retention.ms: Not a number of type LONG"
        );
        assert_eq!(
            error("min.cleanable.dirty.ratio", "2"),
            "Invalid value 2.0 for configuration min.cleanable.dirty.ratio: Value must be no more than 1"
        );
        assert_eq!(
            error("preallocate", "perhaps"),
            "Invalid value perhaps for configuration preallocate: Expected value to be either true or false"
        );
        assert_eq!(
            error("segment.bytes", "1"),
            "Invalid value 1 for configuration segment.bytes: Value must be at least 1048576"
        );
        assert_eq!(
            error("compression.type", "brotli"),
            "Invalid value brotli for configuration compression.type: String must be one of: uncompressed, zstd, lz4, snappy, gzip, producer"
        );
        assert_eq!(
            error("cleanup.policy", "keep"),
            "Invalid value keep for configuration cleanup.policy: String must be one of: compact, delete"
        );
    }

    #[test]
    fn doubles_print_as_in_java() {
        assert_eq!(double_text(0.5), "0.5");
        assert_eq!(double_text(1.0), "1.0");
        assert_eq!(double_text(1e10), "1.0E10");
        assert_eq!(double_text(0.0001), "1.0E-4");
    }
}
