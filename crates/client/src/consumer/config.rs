//! `ConsumerConfig`: names, defaults and checks of Java's.

use crate::config::{CommonConfig, ConfigException, Properties, Reader, invalid};

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
        let offset_reset = offset_reset(reader.raw("auto.offset.reset").unwrap_or("latest"))?;
        let isolation = reader.one_of(
            "isolation.level",
            "read_uncommitted",
            &["read_committed", "read_uncommitted"],
        )?;
        let group_protocol = reader.string("group.protocol", "classic").to_lowercase();
        if group_protocol != "classic" && group_protocol != "consumer" {
            return Err(invalid(
                "group.protocol",
                &reader.string("group.protocol", "classic"),
                "String must be one of (case insensitive): CLASSIC, CONSUMER",
            ));
        }
        let group_id = reader.raw("group.id").map(str::to_owned);
        let auto_commit = match &group_id {
            // maybeOverrideEnableAutoCommit
            None => {
                if reader.raw("enable.auto.commit").is_some()
                    && reader.boolean("enable.auto.commit", true)?
                {
                    return Err(ConfigException(
                        "enable.auto.commit cannot be set to true when default group id (null) is used."
                            .to_owned(),
                    ));
                }
                false
            }
            Some(_) => reader.boolean("enable.auto.commit", true)?,
        };
        let mut assignors = Vec::new();
        for class in reader.list(
            "partition.assignment.strategy",
            &["range", "cooperative-sticky"],
        ) {
            assignors.push(assignor_name(&class)?);
        }
        Ok(ConsumerConfig {
            common: CommonConfig::read(properties, 540_000)?,
            group_id,
            group_instance_id: reader.raw("group.instance.id").map(str::to_owned),
            group_protocol,
            assignors,
            session_timeout_ms: reader.int("session.timeout.ms", 45_000, None)?,
            heartbeat_interval_ms: i64::from(reader.int("heartbeat.interval.ms", 3_000, None)?),
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

fn assignor_name(class: &str) -> Result<String, ConfigException> {
    let name = match class
        .strip_prefix("org.apache.kafka.clients.consumer.")
        .unwrap_or(class)
    {
        "RangeAssignor" | "range" => "range",
        "RoundRobinAssignor" => "roundrobin",
        "StickyAssignor" => "sticky",
        "CooperativeStickyAssignor" | "cooperative-sticky" => "cooperative-sticky",
        _ => {
            return Err(ConfigException(format!(
                "{class} ClassNotFoundException exception occurred"
            )));
        }
    };
    Ok(name.to_owned())
}

fn offset_reset(value: &str) -> Result<OffsetReset, ConfigException> {
    match value.to_lowercase().as_str() {
        "earliest" => return Ok(OffsetReset::Earliest),
        "latest" => return Ok(OffsetReset::Latest),
        "none" => return Ok(OffsetReset::None),
        _ => {}
    }
    if let Some(duration) = value.strip_prefix("by_duration:") {
        return duration_ms(duration)
            .map(OffsetReset::ByDuration)
            .ok_or_else(|| {
                ConfigException(format!(
                    "Unable to parse duration string in by_duration strategy: {duration}"
                ))
            });
    }
    Err(invalid(
        "auto.offset.reset",
        value,
        "Invalid value `VALUE`. The value must be either 'earliest', 'latest', 'none' or of the format 'by_duration:<PnDTnHnMn.nS.>'."
            .replace("VALUE", value)
            .as_str(),
    ))
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
