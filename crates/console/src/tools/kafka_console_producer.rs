//! `kafka-console-producer`: lines of standard input become records (`org.apache.kafka.tools.ConsoleProducer`).

use super::line_reader::LineReader;
use super::options::{
    HELP, Kind, OptionError, OptionSpec, Parsed, Stop, VERSION, check_help_or_version,
    check_required, flag, optional, value,
};
use super::properties::{self, Properties};
use crate::commands::CommandContext;

const READER_HELP: &str = "A property of the line reader, as key=value. The reader that is built in knows:\n \
    parse.key=false\n parse.headers=false\n ignore.error=false\n key.separator=\\t\n headers.delimiter=\\t\n \
    headers.separator=,\n headers.key.separator=:\n null.marker=   a key, value or header that equals it is null\n\
    Lines are read as:\n parse.headers=true and parse.key=true:\n  \"h1:v1,h2:v2...\\tkey\\tvalue\"\n \
    parse.key=true:\n  \"key\\tvalue\"\n parse.headers=true:\n  \"h1:v1,h2:v2...\\tvalue\"";

/// The options.
pub const OPTIONS: &[OptionSpec] = &[
    value(
        "topic",
        Kind::Text,
        "topic",
        "REQUIRED: The topic to produce to.",
    ),
    value(
        "bootstrap-server",
        Kind::Text,
        "server to connect to",
        "REQUIRED: The brokers to start from, as HOST1:PORT1,HOST2:PORT2.",
    ),
    flag(
        "sync",
        "Wait for each record's acknowledgement before the next is sent.",
    ),
    optional(
        "compression-codec",
        Kind::Text,
        "compression-codec",
        "How batches are compressed: 'none', 'gzip', 'snappy', 'lz4' or 'zstd'. Without a value: 'gzip'.",
    ),
    value(
        "batch-size",
        Kind::Integer,
        "size",
        "Bytes of a batch: batch.size.",
    )
    .or("16384"),
    value(
        "message-send-max-retries",
        Kind::Integer,
        "",
        "How often a send is tried again: retries.",
    )
    .or("3"),
    value(
        "retry-backoff-ms",
        Kind::Long,
        "",
        "Milliseconds between two tries: retry.backoff.ms.",
    )
    .or("100"),
    value(
        "timeout",
        Kind::Long,
        "timeout_ms",
        "Milliseconds that a batch waits for more records: linger.ms.",
    )
    .or("1000"),
    value(
        "request-required-acks",
        Kind::Text,
        "request required acks",
        "The acks of the produce requests.",
    )
    .or("-1"),
    value(
        "request-timeout-ms",
        Kind::Integer,
        "request timeout ms",
        "Milliseconds until a request is given up.",
    )
    .or("1500"),
    value(
        "metadata-expiry-ms",
        Kind::Long,
        "metadata expiration interval",
        "Milliseconds until metadata is fetched anew.",
    )
    .or("300000"),
    value(
        "max-block-ms",
        Kind::Long,
        "max block on send",
        "Milliseconds that one send may block.",
    )
    .or("60000"),
    value(
        "max-memory-bytes",
        Kind::Long,
        "total memory in bytes",
        "Bytes of records waiting to be sent: buffer.memory.",
    )
    .or("33554432"),
    value(
        "max-partition-memory-bytes",
        Kind::Integer,
        "memory in bytes per partition",
        "(Deprecated) As --batch-size, which replaces it in 5.0.",
    )
    .or("16384"),
    value(
        "line-reader",
        Kind::Text,
        "reader_class",
        "The class that reads the lines.",
    )
    .or("org.apache.kafka.tools.LineMessageReader"),
    value(
        "socket-buffer-size",
        Kind::Integer,
        "size",
        "Bytes of the socket's buffer: send.buffer.bytes.",
    )
    .or("102400"),
    value(
        "property",
        Kind::Text,
        "prop",
        "(DEPRECATED) As --reader-property, which replaces it.",
    ),
    value("reader-property", Kind::Text, "prop", READER_HELP),
    value(
        "reader-config",
        Kind::Text,
        "config file",
        "A file of reader properties; --reader-property goes before it.",
    ),
    value(
        "producer-property",
        Kind::Text,
        "producer_prop",
        "(DEPRECATED) As --command-property, which replaces it.",
    ),
    value(
        "command-property",
        Kind::Text,
        "producer_prop",
        "A config of the producer, as key=value.",
    ),
    value(
        "producer.config",
        Kind::Text,
        "config file",
        "(DEPRECATED) As --command-config, which replaces it.",
    ),
    value(
        "command-config",
        Kind::Text,
        "config file",
        "A file of producer configs; --command-property goes before it.",
    ),
    HELP,
    VERSION,
];

const ABOUT: &str = "This tool helps to read data from standard input and publish it to Kafka.";

/// Options that become producer configs unless a file or a property set them.
const MERGED: [(&str, &str); 11] = [
    ("linger.ms", "timeout"),
    ("acks", "request-required-acks"),
    ("request.timeout.ms", "request-timeout-ms"),
    ("retries", "message-send-max-retries"),
    ("retry.backoff.ms", "retry-backoff-ms"),
    ("send.buffer.bytes", "socket-buffer-size"),
    ("buffer.memory", "max-memory-bytes"),
    ("batch.size", "batch-size"),
    ("batch.size", "max-partition-memory-bytes"),
    ("metadata.max.age.ms", "metadata-expiry-ms"),
    ("max.block.ms", "max-block-ms"),
];

/// The deprecated options, what replaces each, and whether both may stand.
const DEPRECATED: [(&str, &str); 3] = [
    ("producer-property", "command-property"),
    ("producer.config", "command-config"),
    ("property", "reader-property"),
];

/// A command line, read and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    parsed: Parsed,
    /// Deprecation warnings, to be printed first.
    warnings: Vec<String>,
}

/// Reads and checks a command line, as `ConsoleProducerOptions` does.
///
/// # Errors
/// What to print instead of running.
pub fn parse(args: &[String]) -> Result<Arguments, (Vec<String>, Stop)> {
    let usage = |text: String| (Vec::new(), Stop::Usage(text));
    let parsed = Parsed::read(OPTIONS, args).map_err(|error| usage(error.to_string()))?;
    check_help_or_version(&parsed, ABOUT).map_err(|stop| (Vec::new(), stop))?;
    check_required(&parsed, &["topic"]).map_err(|stop| (Vec::new(), stop))?;
    for (old, new) in [
        ("producer.config", "command-config"),
        ("producer-property", "command-property"),
        ("property", "reader-property"),
    ] {
        if parsed.has(old) && parsed.has(new) {
            return Err(usage(format!(
                "Options --{new} and --{old} cannot be specified together."
            )));
        }
    }
    let mut warnings: Vec<String> = DEPRECATED
        .iter()
        .filter(|(old, _)| parsed.has(old))
        .map(|(old, new)| format!("Warning: --{old} is deprecated and will be removed in a future version. Use --{new} instead.\n"))
        .collect();
    if parsed.has("max-partition-memory-bytes") {
        warnings.push(
            "Warning: --max-partition-memory-bytes is deprecated and will be removed in Apache Kafka 5.0. Use --batch-size \
             instead.\n"
                .to_owned(),
        );
    }
    let server = parsed
        .text("bootstrap-server")
        .map_err(|error| usage(error.to_string()))?;
    if let Err(text) = super::check_bootstrap_server(server) {
        return Err((warnings, Stop::Usage(text)));
    }
    Ok(Arguments { parsed, warnings })
}

impl Arguments {
    fn texts(&self, new: &'static str, old: &str) -> &[String] {
        if self.parsed.has(old) {
            self.parsed.texts(old)
        } else {
            self.parsed.texts(new)
        }
    }

    fn file(&self, new: &'static str, old: &'static str) -> Result<Option<&str>, OptionError> {
        self.parsed
            .text(if self.parsed.has(old) { old } else { new })
    }

    /// The topic.
    ///
    /// # Errors
    /// When it was given twice.
    pub fn topic(&self) -> Result<String, OptionError> {
        Ok(self.parsed.text("topic")?.unwrap_or_default().to_owned())
    }

    /// The line reader.
    ///
    /// # Errors
    /// The exception's text: class and message.
    pub fn reader(&self, context: &CommandContext) -> Result<LineReader, String> {
        let mut all = Properties::new();
        if let Some(path) = self
            .parsed
            .text("reader-config")
            .map_err(|error| error.to_string())?
        {
            all.extend(properties::load(context, path).map_err(no_such_file)?);
        }
        all.extend(properties::from_arguments(
            self.texts("reader-property", "property"),
        ));
        LineReader::new(&all)
            .map_err(|text| format!("org.apache.kafka.common.KafkaException: {text}"))
    }

    /// The producer's configs.
    ///
    /// # Errors
    /// The exception's text, or an option's.
    pub fn producer_properties(
        &self,
        context: &CommandContext,
    ) -> Result<Properties, ProducerPropertiesError> {
        let mut all = Properties::new();
        if let Some(path) = self.file("command-config", "producer.config")? {
            all.extend(
                properties::load(context, path)
                    .map_err(|path| ProducerPropertiesError::Exception(no_such_file(path)))?,
            );
        }
        all.extend(properties::from_arguments(
            self.texts("command-property", "producer-property"),
        ));
        let server = self.parsed.text("bootstrap-server")?.unwrap_or_default();
        all.insert("bootstrap.servers".to_owned(), server.to_owned());
        let codec = match self.parsed.has("compression-codec") {
            true => self
                .parsed
                .text("compression-codec")?
                .filter(|codec| !codec.is_empty())
                .unwrap_or("gzip"),
            false => "none",
        };
        all.insert("compression.type".to_owned(), codec.to_owned());
        all.entry("client.id".to_owned())
            .or_insert_with(|| "console-producer".to_owned());
        for (config, option) in MERGED {
            let kind = OPTIONS
                .iter()
                .find(|spec| spec.name == option)
                .map(|spec| spec.argument);
            if self.parsed.has(option) || !all.contains_key(config) {
                if let Some(super::options::Argument::Required(Kind::Integer, _)) = kind {
                    self.parsed.number::<i32>(option)?;
                } else if let Some(super::options::Argument::Required(Kind::Long, _)) = kind {
                    self.parsed.number::<i64>(option)?;
                }
                if let Some(value) = self.parsed.text(option)? {
                    all.insert(config.to_owned(), value.to_owned());
                }
            }
        }
        Ok(all)
    }
}

/// Why the producer's configs cannot be put together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProducerPropertiesError {
    /// An option's value; only its message is printed.
    Option(OptionError),
    /// An exception that is printed with its class.
    Exception(String),
}

impl From<OptionError> for ProducerPropertiesError {
    fn from(error: OptionError) -> ProducerPropertiesError {
        ProducerPropertiesError::Option(error)
    }
}

fn no_such_file(path: String) -> String {
    format!("java.nio.file.NoSuchFileException: {path}")
}
