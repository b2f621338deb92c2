//! `ConsumerConfig`: names, defaults and checks of Java's.

use crate::config::{
    CommonConfig, ConfigException, Properties, Reader, invalid, one_of_ignoring_case,
    parse_addresses, require_bootstrap,
};

/// What wraps an error of a consumer's making.
const CONSTRUCT: &str = "Failed to construct kafka consumer";
const INVALID_CONFIGURATION: &str = "org.apache.kafka.common.errors.InvalidConfigurationException";

/// Where to start without a committed offset (`auto.offset.reset`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OffsetReset {
    /// At the log start.
    Earliest,
    /// At the end.
    Latest,
    /// Nowhere: an error.
    None,
    /// At the first record not older than this many milliseconds (KIP-1106).
    ByDuration(i64),
}

/// A consumer's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerConfig {
    /// What every client has.
    pub common: CommonConfig,
    /// `group.id`; `None` for a consumer without group.
    pub group_id: Option<String>,
    /// `group.instance.id`.
    pub group_instance_id: Option<String>,
    /// `group.protocol`: `classic` or `consumer`. Only `classic` is spoken.
    pub group_protocol: String,
    /// `partition.assignment.strategy` as the assignors' names: `range`, `cooperative-sticky`, ...
    pub assignors: Vec<String>,
    /// `session.timeout.ms`.
    pub session_timeout_ms: i32,
    /// `heartbeat.interval.ms`.
    pub heartbeat_interval_ms: i64,
    /// `max.poll.interval.ms`.
    pub max_poll_interval_ms: i32,
    /// `enable.auto.commit`.
    pub auto_commit: bool,
    /// `auto.commit.interval.ms`.
    pub auto_commit_interval_ms: i64,
    /// `auto.offset.reset`.
    pub offset_reset: OffsetReset,
    /// `isolation.level` is `read_committed`?
    pub read_committed: bool,
    /// `fetch.min.bytes`.
    pub fetch_min_bytes: i32,
    /// `fetch.max.bytes`.
    pub fetch_max_bytes: i32,
    /// `fetch.max.wait.ms`.
    pub fetch_max_wait_ms: i32,
    /// `max.partition.fetch.bytes`.
    pub max_partition_fetch_bytes: i32,
    /// `max.poll.records`.
    pub max_poll_records: usize,
    /// `allow.auto.create.topics`.
    pub allow_auto_create_topics: bool,
    /// `exclude.internal.topics`.
    pub exclude_internal_topics: bool,
    /// `check.crcs`.
    pub check_crcs: bool,
    /// `default.api.timeout.ms`.
    pub default_api_timeout_ms: i64,
}

impl ConsumerConfig {
    /// Reads Java's property names; unknown ones are ignored.
    ///
    /// # Errors
    /// [`ConfigException`] with Java's text.
    pub fn from_properties(properties: &Properties) -> Result<ConsumerConfig, ConfigException> {
        let reader = Reader::new(properties);
        require_bootstrap(properties)?;
        let offset_reset = offset_reset(reader.raw("auto.offset.reset").unwrap_or("latest"))?;
        let isolation = reader.one_of(
            "isolation.level",
            "read_uncommitted",
            &["read_committed", "read_uncommitted"],
        )?;
        let group_protocol = one_of_ignoring_case(
            &reader,
            "group.protocol",
            "classic",
            &["CONSUMER", "CLASSIC"],
        )?;
        if group_protocol == "CONSUMER" {
            // checkUnsupportedConfigsPostProcess: these are the broker's then.
            for name in [
                "partition.assignment.strategy",
                "heartbeat.interval.ms",
                "session.timeout.ms",
            ] {
                if reader.raw(name).is_some() {
                    return Err(ConfigException::new(format!(
                        "{name} cannot be set when group.protocol=CONSUMER"
                    )));
                }
            }
        }
        let group_protocol = group_protocol.to_lowercase();
        let group_id = reader.raw("group.id").map(str::to_owned);
        let auto_commit = match &group_id {
            // maybeOverrideEnableAutoCommit
            None => {
                if reader.raw("enable.auto.commit").is_some()
                    && reader.boolean("enable.auto.commit", true)?
                {
                    return Err(ConfigException::of(
                        INVALID_CONFIGURATION,
                        "enable.auto.commit cannot be set to true when default group id (null) is used.",
                    ));
                }
                false
            }
            Some(_) => reader.boolean("enable.auto.commit", true)?,
        };
        let group_instance_id = reader.raw("group.instance.id").map(str::to_owned);
        if let Some(id) = &group_instance_id {
            check_instance_id(id)?;
        }
        let session_timeout_ms = reader.int("session.timeout.ms", 45_000, None)?;
        let heartbeat_interval_ms = reader.int("heartbeat.interval.ms", 3_000, None)?;
        let mut common = CommonConfig::read(properties, 540_000)?;
        if common.client_id.is_empty() {
            common.client_id = format!(
                "consumer-{}-{}",
                group_id.as_deref().unwrap_or("null"),
                group_instance_id.as_deref().unwrap_or("1")
            );
        }
        let construct = |common: &CommonConfig| {
            if group_id.as_deref().is_some_and(|id| id.trim().is_empty()) {
                return Err(ConfigException::of(
                    "org.apache.kafka.common.errors.InvalidGroupIdException",
                    "The configured group.id should not be an empty string or whitespace.",
                ));
            }
            let addresses = parse_addresses(&common.bootstrap_servers)?;
            let classes = reader.list(
                "partition.assignment.strategy",
                &["RangeAssignor", "CooperativeStickyAssignor"],
            );
            let assignors: Vec<String> = classes
                .iter()
                .map(|class| assignor_name(class))
                .collect::<Result<_, _>>()?;
            if group_id.is_some() && heartbeat_interval_ms >= session_timeout_ms {
                return Err(ConfigException::of(
                    "java.lang.IllegalArgumentException",
                    "Heartbeat must be set lower than the session timeout",
                ));
            }
            Ok((addresses, assignors))
        };
        let (addresses, assignors) =
            construct(&common).map_err(|error| error.wrapped_in(CONSTRUCT))?;
        common.bootstrap_addresses = addresses;
        Ok(ConsumerConfig {
            common,
            group_id,
            group_instance_id,
            group_protocol,
            assignors,
            session_timeout_ms,
            heartbeat_interval_ms: i64::from(heartbeat_interval_ms),
            max_poll_interval_ms: reader.int("max.poll.interval.ms", 300_000, Some(1))?,
            auto_commit,
            auto_commit_interval_ms: i64::from(reader.int(
                "auto.commit.interval.ms",
                5_000,
                Some(0),
            )?),
            offset_reset,
            read_committed: isolation == "read_committed",
            fetch_min_bytes: reader.int("fetch.min.bytes", 1, Some(0))?,
            fetch_max_bytes: reader.int("fetch.max.bytes", 52_428_800, Some(0))?,
            fetch_max_wait_ms: reader.int("fetch.max.wait.ms", 500, Some(0))?,
            max_partition_fetch_bytes: reader.int(
                "max.partition.fetch.bytes",
                1_048_576,
                Some(0),
            )?,
            max_poll_records: reader.int("max.poll.records", 500, Some(1))?.max(1) as usize,
            allow_auto_create_topics: reader.boolean("allow.auto.create.topics", true)?,
            exclude_internal_topics: reader.boolean("exclude.internal.topics", true)?,
            check_crcs: reader.boolean("check.crcs", true)?,
            default_api_timeout_ms: i64::from(reader.int(
                "default.api.timeout.ms",
                60_000,
                Some(0),
            )?),
        })
    }
}

fn check_instance_id(id: &str) -> Result<(), ConfigException> {
    if id.is_empty() {
        return Err(invalid("group.instance.id", id, "String must be non-empty"));
    }
    let refused = |text: String| Err(ConfigException::of(INVALID_CONFIGURATION, text));
    if id == "." || id == ".." {
        return refused("Group instance id cannot be \".\" or \"..\"".to_owned());
    }
    if id.len() > 249 {
        return refused(format!(
            "Group instance id is illegal, it can't be longer than 249 characters, group instance id: {id}"
        ));
    }
    let legal = |letter: char| letter.is_ascii_alphanumeric() || "._-".contains(letter);
    if !id.chars().all(legal) {
        return refused(format!(
            "Group instance id is invalid: '{id}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
        ));
    }
    Ok(())
}

fn assignor_name(class: &str) -> Result<String, ConfigException> {
    let name = match class
        .strip_prefix("org.apache.kafka.clients.consumer.")
        .unwrap_or(class)
    {
        "RangeAssignor" => "range",
        "RoundRobinAssignor" => "roundrobin",
        "StickyAssignor" => "sticky",
        "CooperativeStickyAssignor" => "cooperative-sticky",
        _ => {
            return Err(ConfigException::of(
                "org.apache.kafka.common.KafkaException",
                format!("{class} ClassNotFoundException exception occurred"),
            ));
        }
    };
    Ok(name.to_owned())
}

fn offset_reset(value: &str) -> Result<OffsetReset, ConfigException> {
    let by_duration = value.strip_prefix("by_duration:").and_then(duration_ms);
    match (value, by_duration) {
        ("earliest", _) => Ok(OffsetReset::Earliest),
        ("latest", _) => Ok(OffsetReset::Latest),
        ("none", _) => Ok(OffsetReset::None),
        (_, Some(duration_ms)) => Ok(OffsetReset::ByDuration(duration_ms)),
        _ => Err(invalid(
            "auto.offset.reset",
            value,
            &format!(
                "Invalid value `{value}` for configuration auto.offset.reset. The value must be either 'earliest', 'latest', 'none' or of the format 'by_duration:<PnDTnHnMn.nS.>'."
            ),
        )),
    }
}

/// An ISO-8601 duration as `java.time.Duration.parse` reads it, in ms; not negative.
fn duration_ms(text: &str) -> Option<i64> {
    let upper = text.to_uppercase();
    let rest = upper.strip_prefix('P')?;
    let (days, time) = match rest.split_once('T') {
        Some((days, time)) if !time.is_empty() => (days, time),
        Some(_) => return None,
        None => (rest, ""),
    };
    let mut total: i64 = 0;
    let mut any = false;
    if !days.is_empty() {
        let number = days.strip_suffix('D')?.parse::<i64>().ok()?;
        total = total.checked_add(number.checked_mul(86_400_000)?)?;
        any = true;
    }
    let mut number = String::new();
    for character in time.chars() {
        let unit = match character {
            'H' => 3_600_000,
            'M' => 60_000,
            'S' => 1_000,
            _ => {
                number.push(character);
                continue;
            }
        };
        let millis = match number.split_once('.') {
            Some((whole, part)) if unit == 1_000 => {
                let padded: String = part.chars().chain("000".chars()).take(3).collect();
                whole.parse::<i64>().ok()?.checked_mul(1_000)? + padded.parse::<i64>().ok()?
            }
            Some(_) => return None,
            None => number.parse::<i64>().ok()?.checked_mul(unit)?,
        };
        total = total.checked_add(millis)?;
        any = true;
        number.clear();
    }
    (any && number.is_empty() && total >= 0).then_some(total)
}
