//! `kafka-console-producer`: lines of standard input become records (`org.apache.kafka.tools.ConsoleProducer`).

use bytes::Bytes;
use playground_client::{
    ClientError, Producer, ProducerConfig, ProducerEvent, ProducerRecord, RecordId,
};
use playground_protocol::{ClientInput, Time};
use playground_sim::{Either, Signal, select};

use super::client_driver::{apply_input, check_resolvable, flush_outputs, next_input};
use super::java::{exception_text, log_error};
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
        match self
            .parsed
            .text("line-reader")
            .map_err(|error| error.to_string())?
        {
            None | Some("org.apache.kafka.tools.LineMessageReader") => {}
            Some(class) if class.starts_with("java.") => {
                return Err(
                    "java.lang.IllegalArgumentException: The reader must implement \
                     org.apache.kafka.tools.api.RecordReader interface"
                        .to_owned(),
                );
            }
            Some(class) => return Err(format!("java.lang.ClassNotFoundException: {class}")),
        }
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

/// The callback that logs records that could not be sent.
const CALLBACK: &str = "org.apache.kafka.clients.producer.internals.ErrorLoggingCallback";

/// Runs the tool.
pub async fn run(context: CommandContext) -> i32 {
    let arguments = match parse(&context.args) {
        Ok(arguments) => arguments,
        Err((warnings, stop)) => {
            context.out(&warnings.concat()).await;
            return stop.print(&context, OPTIONS).await;
        }
    };
    context.out(&arguments.warnings.concat()).await;
    match start(&context, &arguments).await {
        Ok((reader, producer, topic)) => {
            context.process.catch_signals();
            let sync = arguments.parsed.has("sync");
            Session {
                context: &context,
                producer,
                topic,
                sync,
                sizes: std::collections::BTreeMap::new(),
            }
            .run(reader)
            .await
        }
        Err(text) => {
            context.err(&format!("{text}\n")).await;
            1
        }
    }
}

async fn start(
    context: &CommandContext,
    arguments: &Arguments,
) -> Result<(LineReader, Producer, String), String> {
    let topic = arguments.topic().map_err(|error| error.to_string())?;
    let reader = arguments.reader(context)?;
    let properties = arguments
        .producer_properties(context)
        .map_err(|error| match error {
            ProducerPropertiesError::Option(error) => error.to_string(),
            ProducerPropertiesError::Exception(text) => text,
        })?;
    let config = ProducerConfig::from_properties(&properties)
        .map_err(|error| stack_trace(&ClientError::from(error)))?;
    let servers = properties
        .get("bootstrap.servers")
        .map_or("", String::as_str);
    check_resolvable(context, servers).await.map_err(|_| {
        "org.apache.kafka.common.KafkaException: Failed to construct kafka producer".to_owned()
    })?;
    let producer = Producer::new(config, context.process.random(), context.process.now());
    Ok((reader, producer, topic))
}

/// What `printStackTrace` prints, without frames.
fn stack_trace(error: &ClientError) -> String {
    match &error.cause {
        Some(cause) => format!("{error}\nCaused by: {cause}"),
        None => error.to_string(),
    }
}

/// What happens next at the producer's door.
enum Next {
    Line(Option<Vec<u8>>),
    Signal(Signal),
    Input(Option<ClientInput>),
}

struct Session<'a> {
    context: &'a CommandContext,
    producer: Producer,
    topic: String,
    sync: bool,
    /// Key (`None`: no key) and value size of the records under way, for the error log.
    sizes: std::collections::BTreeMap<RecordId, (Option<Bytes>, Option<usize>)>,
}

impl Session<'_> {
    async fn run(mut self, mut reader: LineReader) -> i32 {
        let prompt = self.context.stdin.is_terminal();
        let stdin = self.context.stdin.clone();
        let mut shown = false;
        loop {
            if prompt && !shown {
                self.context.out(">").await;
                shown = true;
            }
            flush_outputs(self.context, &mut self.producer).await;
            if let Err(error) = self.report().await {
                // With --sync the exception of a send ends the tool.
                return self
                    .end_with(&format!("java.util.concurrent.ExecutionException: {error}"))
                    .await;
            }
            let waiting =
                self.producer.is_blocked() || (self.sync && self.producer.incomplete() > 0);
            match self.next(&stdin, waiting).await {
                Next::Input(input) => apply_input(self.context, &mut self.producer, input),
                Next::Signal(signal) => {
                    self.close().await;
                    return 128 + signal as i32;
                }
                Next::Line(None) => {
                    self.close().await;
                    return 0;
                }
                Next::Line(Some(line)) => {
                    shown = false;
                    let line = String::from_utf8_lossy(&line);
                    let line = line.strip_suffix('\n').unwrap_or(&line);
                    match reader.read(line.strip_suffix('\r').unwrap_or(line)) {
                        Ok(record) => self.send(record),
                        Err(text) => {
                            return self
                                .end_with(&format!(
                                    "org.apache.kafka.common.KafkaException: {text}"
                                ))
                                .await;
                        }
                    }
                }
            }
        }
    }

    /// The next line, signal or input of the client; no line while a send of Java's would block.
    async fn next(&mut self, stdin: &playground_sim::InputStream, waiting: bool) -> Next {
        let line = async {
            if waiting {
                std::future::pending().await
            } else {
                stdin.read_line().await
            }
        };
        let others = select(
            self.context.process.next_signal(),
            next_input(self.context, &self.producer, Time::NEVER),
        );
        match select(line, others).await {
            Either::Left(line) => Next::Line(line),
            Either::Right(Either::Left(signal)) => Next::Signal(signal),
            Either::Right(Either::Right(input)) => Next::Input(input),
        }
    }

    fn send(&mut self, line: super::line_reader::LineRecord) {
        let sizes = (line.key.clone(), line.value.as_ref().map(Bytes::len));
        let record = ProducerRecord {
            topic: self.topic.clone(),
            partition: None,
            timestamp: None,
            key: line.key,
            value: line.value,
            headers: line
                .headers
                .into_iter()
                .map(|(key, value)| (Bytes::from(key), value))
                .collect(),
        };
        let id = self.producer.send(record, self.context.process.now());
        self.sizes.insert(id, sizes);
    }

    /// Logs what could not be sent; with `--sync` the first such is an error.
    async fn report(&mut self) -> Result<(), ClientError> {
        while let Some(ProducerEvent::Completed { id, result }) = self.producer.poll_event() {
            let sizes = self.sizes.remove(&id);
            let Err(error) = result else { continue };
            if self.sync {
                return Err(error);
            }
            let (key, value) = sizes.unwrap_or_default();
            let key = key.map_or("null".to_owned(), |key| format!("{} bytes", key.len()));
            let value = value.map_or("null".to_owned(), |value| format!("{value} bytes"));
            let message = format!(
                "Error when sending message to topic {} with key: {key}, value: {value} with error:",
                self.topic
            );
            log_error(
                self.context,
                CALLBACK,
                &message,
                &exception_text(&error.exception, &error.message),
            )
            .await;
        }
        Ok(())
    }

    async fn end_with(&mut self, exception: &str) -> i32 {
        self.context.err(&format!("{exception}\n")).await;
        self.close().await;
        1
    }

    /// Java's shutdown hook: sends what waits, then closes.
    async fn close(&mut self) {
        self.producer.close(None, self.context.process.now());
        loop {
            flush_outputs(self.context, &mut self.producer).await;
            let sync = std::mem::replace(&mut self.sync, false);
            let _ = self.report().await;
            self.sync = sync;
            if self.producer.is_closed() {
                return;
            }
            let wait = next_input(self.context, &self.producer, Time::NEVER);
            match select(self.context.process.next_signal(), wait).await {
                // A second Ctrl-C does not hurry Java's hook either; SIGKILL ends the process anyway.
                Either::Left(_) => {}
                Either::Right(input) => apply_input(self.context, &mut self.producer, input),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, (Vec<String>, Stop)> {
        parse(
            &line
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn the_server_is_checked_last() {
        let (_, stop) = read("--topic t").unwrap_err();
        assert_eq!(
            stop,
            Stop::Usage("Error while validating the bootstrap address\n".to_owned())
        );
        let (_, stop) = read("--bootstrap-server a:1").unwrap_err();
        assert_eq!(
            stop,
            Stop::Usage("Missing required argument \"[topic]\"".to_owned())
        );
    }

    #[test]
    fn deprecated_options_warn_and_exclude_their_successors() {
        let arguments = read("--topic t --bootstrap-server a:1 --property a=b").unwrap();
        assert!(arguments.warnings[0].starts_with("Warning: --property is deprecated"));
        assert_eq!(arguments.texts("reader-property", "property"), ["a=b"]);
        assert!(
            read("--topic t --bootstrap-server a:1 --property a=b --reader-property c=d").is_err()
        );
    }
}
