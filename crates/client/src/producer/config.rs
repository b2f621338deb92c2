//! `ProducerConfig`: names, defaults and checks of Java's.

use playground_log::codec::Codec;

use crate::config::{
    CommonConfig, ConfigException, Properties, Reader, invalid, parse_addresses, require_bootstrap,
};

/// What wraps an error of a producer's making.
const CONSTRUCT: &str = "Failed to construct kafka producer";

/// How many replicas must have a batch before it is acknowledged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acks {
    /// None: no response at all.
    None,
    /// The leader.
    Leader,
    /// All in-sync replicas.
    All,
}

impl Acks {
    /// The wire's number.
    pub fn code(self) -> i16 {
        match self {
            Acks::None => 0,
            Acks::Leader => 1,
            Acks::All => -1,
        }
    }
}

/// A producer's configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProducerConfig {
    /// What every client has.
    pub common: CommonConfig,
    /// `acks`.
    pub acks: Acks,
    /// `linger.ms`.
    pub linger_ms: i64,
    /// `batch.size`, bytes.
    pub batch_size: usize,
    /// `buffer.memory`, bytes.
    pub buffer_memory: i64,
    /// `compression.type`.
    pub compression: Codec,
    /// `retries`.
    pub retries: i32,
    /// `delivery.timeout.ms`.
    pub delivery_timeout_ms: i64,
    /// `max.block.ms`.
    pub max_block_ms: i64,
    /// `max.request.size`, bytes.
    pub max_request_size: usize,
    /// `max.in.flight.requests.per.connection`.
    pub max_in_flight: usize,
    /// `enable.idempotence`, after its conflicts with other settings are resolved.
    pub idempotence: bool,
    /// `partitioner.ignore.keys`.
    pub ignore_keys: bool,
    /// `partitioner.class` is `RoundRobinPartitioner`?
    pub round_robin: bool,
    /// `metadata.max.idle.ms`.
    pub metadata_max_idle_ms: i64,
}

impl ProducerConfig {
    /// Reads Java's property names; unknown ones are ignored.
    ///
    /// # Errors
    /// [`ConfigException`] with Java's text.
    pub fn from_properties(properties: &Properties) -> Result<ProducerConfig, ConfigException> {
        let reader = Reader::new(properties);
        require_bootstrap(properties)?;
        let acks_text = reader.one_of("acks", "all", &["all", "-1", "0", "1"])?;
        let acks = match acks_text.as_str() {
            "0" => Acks::None,
            "1" => Acks::Leader,
            _ => Acks::All,
        };
        let compression_text = reader.one_of(
            "compression.type",
            "none",
            &["none", "gzip", "snappy", "lz4", "zstd"],
        )?;
        let compression = Codec::from_name(&compression_text).unwrap_or(Codec::None);
        let retries = reader.int("retries", i32::MAX, Some(0))?;
        let max_in_flight = reader.int("max.in.flight.requests.per.connection", 5, Some(1))?;
        let linger_ms = reader.long("linger.ms", 5, Some(0))?;
        let mut common = CommonConfig::read(properties, 540_000)?;
        let user_set_idempotence = reader.raw("enable.idempotence").is_some();
        let mut idempotence = reader.boolean("enable.idempotence", true)?;
        // postProcessAndValidateIdempotenceConfigs: an implicit default gives way, an explicit one conflicts.
        if idempotence {
            if retries == 0 {
                if user_set_idempotence {
                    return Err(ConfigException::new(
                        "Must set retries to non-zero when using the idempotent producer.",
                    ));
                }
                idempotence = false;
            }
            if acks != Acks::All {
                if user_set_idempotence {
                    return Err(ConfigException::new(
                        "Must set acks to all in order to use the idempotent producer. Otherwise we cannot guarantee idempotence.",
                    ));
                }
                idempotence = false;
            }
            if max_in_flight > 5 {
                return Err(ConfigException::new(format!(
                    "To use the idempotent producer, max.in.flight.requests.per.connection must be set to at most 5. Current value is {max_in_flight}."
                )));
            }
        }
        let mut delivery_timeout_ms =
            i64::from(reader.int("delivery.timeout.ms", 120_000, Some(0))?);
        let least = linger_ms.min(i64::from(i32::MAX)) + common.request_timeout_ms;
        if delivery_timeout_ms < least {
            if reader.raw("delivery.timeout.ms").is_some() {
                return Err(ConfigException::new("delivery.timeout.ms should be equal to or larger than linger.ms + request.timeout.ms").wrapped_in(CONSTRUCT));
            }
            delivery_timeout_ms = least;
        }
        let batch_size = reader.int("batch.size", 16_384, Some(0))?;
        let max_request_size = reader.int("max.request.size", 1_048_576, Some(0))?;
        let round_robin = match reader.raw("partitioner.class") {
            None | Some("") => false,
            Some("org.apache.kafka.clients.producer.RoundRobinPartitioner") => true,
            Some(class) => {
                return Err(invalid(
                    "partitioner.class",
                    class,
                    &format!("Class {class} could not be found."),
                ));
            }
        };
        common.bootstrap_addresses = parse_addresses(&common.bootstrap_servers)
            .map_err(|error| error.wrapped_in(CONSTRUCT))?;
        Ok(ProducerConfig {
            common,
            acks,
            linger_ms,
            batch_size: batch_size.max(1) as usize,
            buffer_memory: reader.long("buffer.memory", 33_554_432, Some(0))?,
            compression,
            retries,
            delivery_timeout_ms,
            max_block_ms: reader.long("max.block.ms", 60_000, Some(0))?,
            max_request_size: max_request_size.max(0) as usize,
            max_in_flight: max_in_flight.max(1) as usize,
            idempotence,
            ignore_keys: reader.boolean("partitioner.ignore.keys", false)?,
            round_robin,
            metadata_max_idle_ms: reader.long("metadata.max.idle.ms", 300_000, Some(5_000))?,
        })
    }
}
