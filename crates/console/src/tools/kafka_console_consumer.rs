//! `kafka-console-consumer`: prints the records of topics (`org.apache.kafka.tools.consumer.ConsoleConsumer`).

use std::collections::{BTreeMap, VecDeque};

use playground_client::{
    ClientError, Consumer, ConsumerConfig, ConsumerEvent, ConsumerRecord, TopicPartition,
};
use playground_protocol::Time;
use playground_regex::{Options, Place, Regex, Syntax};
use playground_sim::{Either, Signal, select};

use super::client_driver::{apply_input, check_resolvable, flush_outputs, next_input};
use super::java::{exception_text, log_error};
use super::message_formatter::{FormatterRecord, MessageFormatter};
use super::options::{
    HELP, Kind, OptionError, OptionSpec, Parsed, Stop, VERSION, check_help_or_version,
    check_required, flag, value,
};
use super::properties::{self, Properties};
use crate::commands::CommandContext;

const FORMATTER_HELP: &str = "A property of the formatter, as key=value. The formatter that is built in knows: \n \
    print.timestamp=true|false\n print.key=true|false\n print.offset=true|false\n print.epoch=true|false\n \
    print.partition=true|false\n print.headers=true|false\n print.value=true|false\n key.separator=<key.separator>\n \
    line.separator=<line.separator>\n headers.separator=<headers.separator>\n null.literal=<null.literal>\n \
    key.deserializer=<class>\n value.deserializer=<class>\n headers.deserializer=<class>";

/// The options.
pub const OPTIONS: &[OptionSpec] = &[
    value("topic", Kind::Text, "topic", "The topic to consume."),
    value("include", Kind::Text, "Java regex (String)", "A regular expression: all topics that match are consumed."),
    value(
        "partition",
        Kind::Integer,
        "partition",
        "The one partition to consume, without a group. It starts at its end unless '--offset' says otherwise.",
    ),
    value(
        "offset",
        Kind::Text,
        "consume offset",
        "Where to start in the partition: an offset, 'earliest' (its beginning) or 'latest' (its end).",
    )
    .or("latest"),
    value("consumer-property", Kind::Text, "consumer_prop", "(DEPRECATED) As --command-property, which replaces it."),
    value("command-property", Kind::Text, "consumer_prop", "A config of the consumer, as key=value."),
    value("consumer.config", Kind::Text, "config file", "(DEPRECATED) As --command-config, which replaces it."),
    value("command-config", Kind::Text, "config file", "A file of consumer configs; --command-property goes before it."),
    value("formatter", Kind::Text, "class", "The class that formats records.")
        .or("org.apache.kafka.tools.consumer.DefaultMessageFormatter"),
    value("property", Kind::Text, "prop", "(DEPRECATED) As --formatter-property, which replaces it."),
    value("formatter-property", Kind::Text, "prop", FORMATTER_HELP),
    value("formatter-config", Kind::Text, "config file", "A file of formatter properties; --formatter-property goes before it."),
    flag("from-beginning", "Without a committed offset, start with the earliest record instead of the next one."),
    value("max-messages", Kind::Integer, "num_messages", "How many records to print before ending. Default: no end."),
    value("timeout-ms", Kind::Long, "timeout_ms", "End when no record comes for so many milliseconds."),
    flag("skip-message-on-error", "Pass over a record that cannot be printed instead of ending."),
    value("bootstrap-server", Kind::Text, "server to connect to", "REQUIRED: The brokers to start from."),
    value("key-deserializer", Kind::Text, "deserializer for keys", "The class that turns keys into text."),
    value("value-deserializer", Kind::Text, "deserializer for values", "The class that turns values into text."),
    flag("enable-systest-events", "Print the consumer's life too. (For Kafka's own system tests.)"),
    value(
        "isolation-level",
        Kind::Text,
        "",
        "read_committed leaves out records of transactions that are not committed; read_uncommitted shows all.",
    )
    .or("read_uncommitted"),
    value("group", Kind::Text, "consumer group id", "The consumer group to join."),
    HELP,
    VERSION,
];

const ABOUT: &str =
    "This tool helps to read data from Kafka topics and outputs it to standard output.";

/// How a command line ends before the tool runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Help, version, or a usage error with the option table.
    Stop(Stop),
    /// A line on stderr; exit code 1.
    Line(String),
    /// An exception that nothing catches: `Exception in thread "main" ...`.
    Uncaught(String),
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Refusal {
        Refusal::Stop(stop)
    }
}

impl From<OptionError> for Refusal {
    fn from(error: OptionError) -> Refusal {
        Refusal::Uncaught(format!("{}: {error}", error.exception()))
    }
}

/// What to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subscription {
    /// One partition, from an offset (-2 earliest, -1 latest).
    Partition(String, i32, i64),
    /// A topic, as a member of a group.
    Topic(String),
    /// All topics that a pattern matches.
    Include(String),
}

/// A command line, read and checked.
#[derive(Clone, Debug)]
pub struct Arguments {
    parsed: Parsed,
    /// What to read.
    pub subscription: Subscription,
    /// The consumer's configs.
    pub consumer_properties: Properties,
    /// How records are printed.
    pub formatter: MessageFormatter,
    /// Milliseconds without a record after which it ends; `None`: never.
    pub timeout_ms: Option<i64>,
}

impl Arguments {
    /// How many records to print; `None`: no end. It is asked for late, as in Kafka, where a bad number is
    /// found only once the consumer stands.
    ///
    /// # Errors
    /// [`OptionError::Conversion`].
    pub fn max_messages(&self) -> Result<Option<i32>, OptionError> {
        self.parsed.number("max-messages")
    }

    /// Whether a record that cannot be printed is passed over.
    pub fn skip_message_on_error(&self) -> bool {
        self.parsed.has("skip-message-on-error")
    }

    /// Whether the end is to be printed for Kafka's system tests.
    pub fn systest_events(&self) -> bool {
        self.parsed.has("enable-systest-events")
    }
}

/// Reads and checks a command line, as `ConsoleConsumerOptions` does; prints its deprecation warnings.
///
/// # Errors
/// What to print instead of running.
pub async fn parse(context: &CommandContext) -> Result<Arguments, Refusal> {
    let parsed =
        Parsed::read(OPTIONS, &context.args).map_err(|error| Stop::Usage(error.to_string()))?;
    check_help_or_version(&parsed, ABOUT)?;
    let usage = |text: &str| Refusal::Stop(Stop::Usage(text.to_owned()));
    if parsed.has("topic") == parsed.has("include") {
        return Err(usage(
            "Exactly one of the following arguments is required: [topic], [include]",
        ));
    }
    let partition = parsed.number::<i32>("partition")?;
    if partition.is_some() {
        if !parsed.has("topic") {
            return Err(usage("The topic is required when partition is specified."));
        }
        if parsed.has("from-beginning") && parsed.has("offset") {
            return Err(usage(
                "Options from-beginning and offset cannot be specified together.",
            ));
        }
    } else if parsed.has("offset") {
        return Err(usage("The partition is required when offset is specified."));
    }
    check_required(&parsed, &["bootstrap-server"])?;
    for (old, new) in [
        ("consumer-property", "command-property"),
        ("consumer.config", "command-config"),
    ] {
        if parsed.has(old) && parsed.has(new) {
            return Err(usage(&format!(
                "Options --{old} and --{new} cannot be specified together."
            )));
        }
    }
    let (mut property, mut config) = ("command-property", "command-config");
    for (used, old) in [
        (&mut property, "consumer-property"),
        (&mut config, "consumer.config"),
    ] {
        if parsed.has(old) {
            context
                .out(&format!("Option --{old} is deprecated and will be removed in a future version. Use --{used} instead.\n"))
                .await;
            *used = old;
        }
    }
    let from_file = load(context, parsed.text(config)?)?;
    let extra = properties::from_arguments(parsed.texts(property));
    let group = check_group(&parsed, &from_file, &extra, partition.is_some())?;
    let consumer_properties = consumer_properties(context, &parsed, from_file, extra, group)?;
    let offset = parse_offset(&parsed)?;
    let timeout_ms = parsed
        .number::<i64>("timeout-ms")?
        .filter(|timeout| *timeout >= 0);
    let formatter = build_formatter(context, &parsed).await?;
    let topic = parsed.text("topic")?.map(str::to_owned);
    let subscription = match (topic, partition) {
        (Some(topic), Some(partition)) => Subscription::Partition(topic, partition, offset),
        (Some(topic), None) => Subscription::Topic(topic),
        (None, _) => Subscription::Include(parsed.text("include")?.unwrap_or_default().to_owned()),
    };
    Ok(Arguments {
        parsed,
        subscription,
        consumer_properties,
        formatter,
        timeout_ms,
    })
}

fn load(context: &CommandContext, path: Option<&str>) -> Result<Properties, Refusal> {
    match path {
        Some(path) => properties::load(context, path).map_err(|path| {
            Refusal::Uncaught(format!("java.nio.file.NoSuchFileException: {path}"))
        }),
        None => Ok(Properties::new()),
    }
}

fn check_group(
    parsed: &Parsed,
    from_file: &Properties,
    extra: &Properties,
    has_partition: bool,
) -> Result<Option<String>, Refusal> {
    let mut groups: Vec<String> = Vec::new();
    let given = parsed.text("group")?.map(str::to_owned);
    for group in given
        .into_iter()
        .chain(from_file.get("group.id").cloned())
        .chain(extra.get("group.id").cloned())
    {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    if groups.len() > 1 {
        let names: Vec<String> = groups.iter().map(|group| format!("'{group}'")).collect();
        return Err(Stop::Usage(format!(
            "The group ids provided in different places (directly using '--group', via '--consumer-property', or via \
             '--consumer.config') do not match. Detected group ids: {}",
            names.join(", ")
        ))
        .into());
    }
    if !groups.is_empty() && has_partition {
        return Err(Stop::Usage(
            "Options group and partition cannot be specified together.".to_owned(),
        )
        .into());
    }
    Ok(groups.pop())
}

fn consumer_properties(
    context: &CommandContext,
    parsed: &Parsed,
    from_file: Properties,
    extra: Properties,
    group: Option<String>,
) -> Result<Properties, Refusal> {
    let mut all = from_file;
    all.extend(extra);
    let from_beginning = parsed.has("from-beginning");
    match all.get("auto.offset.reset") {
        Some(reset) if from_beginning && reset != "earliest" => {
            return Err(Refusal::Line(format!(
                "Can't simultaneously specify --from-beginning and 'auto.offset.reset={reset}', please remove one option\n"
            )));
        }
        Some(_) => {}
        None => {
            let reset = if from_beginning { "earliest" } else { "latest" };
            all.insert("auto.offset.reset".to_owned(), reset.to_owned());
        }
    }
    all.insert(
        "bootstrap.servers".to_owned(),
        parsed
            .text("bootstrap-server")?
            .unwrap_or_default()
            .to_owned(),
    );
    all.entry("client.id".to_owned())
        .or_insert_with(|| "console-consumer".to_owned());
    if (parsed.has("isolation-level") || !all.contains_key("isolation.level"))
        && let Some(level) = parsed.text("isolation-level")?
    {
        all.insert("isolation.level".to_owned(), level.to_owned());
    }
    match group {
        Some(group) => {
            all.insert("group.id".to_owned(), group);
        }
        None => {
            all.insert(
                "group.id".to_owned(),
                format!("console-consumer-{}", context.process.random() % 100_000),
            );
            all.entry("enable.auto.commit".to_owned())
                .or_insert_with(|| "false".to_owned());
        }
    }
    Ok(all)
}

fn parse_offset(parsed: &Parsed) -> Result<i64, Refusal> {
    if !parsed.has("offset") {
        return Ok(if parsed.has("from-beginning") { -2 } else { -1 });
    }
    let text = parsed.text("offset")?.unwrap_or_default();
    match text.to_lowercase().as_str() {
        "earliest" => Ok(-2),
        "latest" => Ok(-1),
        _ => text.parse().ok().filter(|offset: &i64| *offset >= 0).ok_or_else(|| {
            Stop::Usage(format!(
                "The provided offset value '{text}' is incorrect. Valid values are 'earliest', 'latest', or a \
                 non-negative long."
            ))
            .into()
        }),
    }
}

async fn build_formatter(
    context: &CommandContext,
    parsed: &Parsed,
) -> Result<MessageFormatter, Refusal> {
    if parsed.has("property") && parsed.has("formatter-property") {
        return Err(Stop::Usage(
            "Options --property and --formatter-property cannot be specified together.".to_owned(),
        )
        .into());
    }
    let mut property = "formatter-property";
    if parsed.has("property") {
        context
            .out("Option --property is deprecated and will be removed in a future version. Use --formatter-property instead.\n")
            .await;
        property = "property";
    }
    let mut all = match parsed.text("formatter-config")? {
        // Any failure in here ends as a usage error with the exception's message.
        Some(path) => properties::load(context, path).map_err(Stop::Usage)?,
        None => Properties::new(),
    };
    for (config, option) in [
        ("key.deserializer", "key-deserializer"),
        ("value.deserializer", "value-deserializer"),
    ] {
        if let Some(class) = parsed.text(option)?.filter(|class| !class.is_empty()) {
            all.insert(config.to_owned(), class.to_owned());
        }
    }
    all.extend(properties::from_arguments(parsed.texts(property)));
    for class in MessageFormatter::unknown_deserializers(&all) {
        log_error(
            context,
            "org.apache.kafka.tools.consumer.DefaultMessageFormatter",
            &format!("Unable to instantiate a deserializer from {class}"),
            &format!("java.lang.ClassNotFoundException: {class}"),
        )
        .await;
    }
    let class = parsed.text("formatter")?.unwrap_or_default();
    MessageFormatter::new(class, &all).map_err(|class| Stop::Usage(class).into())
}

const LOGGER: &str = "org.apache.kafka.tools.consumer.ConsoleConsumer";
const PROTOCOL_HINT: &str = "The consumer rebalance protocol (KIP-848) is production-ready! Set group.protocol=consumer to \
                             try it out. See https://kafka.apache.org/documentation/#consumer_rebalance_protocol\n";
/// Milliseconds that closing may take: Java's default.
const CLOSE_TIMEOUT_MS: i64 = 30_000;
/// Bytes of formatted records that are printed at once.
const OUTPUT_BYTES: usize = 32 * 1024;

/// Runs the tool.
pub async fn run(context: CommandContext) -> i32 {
    let arguments = match parse(&context).await {
        Ok(arguments) => arguments,
        Err(Refusal::Stop(stop)) => return stop.print(&context, OPTIONS).await,
        Err(Refusal::Line(text)) => {
            context.err(&text).await;
            return 1;
        }
        Err(Refusal::Uncaught(text)) => {
            context
                .err(&format!("Exception in thread \"main\" {text}\n"))
                .await;
            return 1;
        }
    };
    let consumer = match create(&context, &arguments.consumer_properties).await {
        Ok(consumer) => consumer,
        Err(error) => {
            let exception = exception_text(&error.exception, &error.message);
            log_error(
                &context,
                LOGGER,
                "Unknown error when running consumer: ",
                &exception,
            )
            .await;
            return 1;
        }
    };
    let classic = arguments
        .consumer_properties
        .get("group.protocol")
        .is_none_or(|name| name.eq_ignore_ascii_case("classic"));
    if classic && !matches!(arguments.subscription, Subscription::Partition(..)) {
        context.err(PROTOCOL_HINT).await;
    }
    context.process.catch_signals();
    let mut session = Session {
        context: &context,
        consumer,
        records: VecDeque::new(),
        count: 0,
    };
    let code = session.run(&arguments).await;
    if arguments.systest_events() {
        context.out("shutdown_complete\n").await;
    }
    code
}

async fn create(
    context: &CommandContext,
    properties: &Properties,
) -> Result<Consumer, ClientError> {
    let config = ConsumerConfig::from_properties(properties)?;
    let servers = properties
        .get("bootstrap.servers")
        .map_or("", String::as_str);
    check_resolvable(context, servers).await.map_err(|_| {
        ClientError::new(
            "org.apache.kafka.common.KafkaException",
            "Failed to construct kafka consumer",
        )
    })?;
    Ok(Consumer::new(
        config,
        context.process.random(),
        context.process.now(),
    ))
}

struct Session<'a> {
    context: &'a CommandContext,
    consumer: Consumer,
    /// Polled and not printed yet.
    records: VecDeque<ConsumerRecord>,
    count: u64,
}

/// Why the reading ended.
enum End {
    Signal(Signal),
    /// The tool ends by itself, with exit code 0.
    Done,
    /// An exception that `main` logs, with exit code 1.
    Failed(String),
}

impl Session<'_> {
    async fn run(&mut self, arguments: &Arguments) -> i32 {
        if let Err(text) = self.subscribe(&arguments.subscription) {
            self.count_line().await;
            log_error(
                self.context,
                LOGGER,
                "Unknown error when running consumer: ",
                &text,
            )
            .await;
            return 1;
        }
        let end = match arguments.max_messages() {
            Ok(max) => self.read(arguments, max).await,
            Err(error) => End::Failed(format!("{}: {error}", error.exception())),
        };
        self.close().await;
        self.count_line().await;
        match end {
            End::Signal(signal) => 128 + signal as i32,
            End::Done => 0,
            End::Failed(exception) => {
                log_error(
                    self.context,
                    LOGGER,
                    "Unknown error when running consumer: ",
                    &exception,
                )
                .await;
                1
            }
        }
    }

    fn subscribe(&mut self, subscription: &Subscription) -> Result<(), String> {
        let now = self.context.process.now();
        match subscription {
            Subscription::Topic(topic) => self.consumer.subscribe(vec![topic.clone()], now),
            Subscription::Include(pattern) => {
                let options = Options {
                    place: Place::Whole,
                    ..Options::new(Syntax::Java)
                };
                let regex = Regex::new(pattern, options).map_err(|error| {
                    let message = error.java(pattern);
                    format!("java.util.regex.PatternSyntaxException: {message}")
                })?;
                self.consumer.subscribe_pattern(
                    Box::new(move |topic| regex.is_match(topic.as_bytes())),
                    now,
                );
            }
            Subscription::Partition(topic, partition, offset) => {
                let partition = TopicPartition::new(topic.clone(), *partition);
                self.consumer.assign(vec![partition.clone()], now);
                match offset {
                    -2 => self.consumer.seek_to_beginning(&[partition], now),
                    -1 => self.consumer.seek_to_end(&[partition], now),
                    offset => self.consumer.seek(&partition, *offset, now),
                }
            }
        }
        Ok(())
    }

    /// Prints records until the last one, a timeout, a signal or an error.
    async fn read(&mut self, arguments: &Arguments, max: Option<i32>) -> End {
        let mut output = Vec::new();
        // Records that are formatted and not printed yet: they count once they are printed.
        loop {
            let left = max
                .filter(|max| *max != -1)
                .map(|max| i64::from(max) - self.count as i64);
            if left.is_some_and(|left| left <= 0) {
                return self.print(&mut output).await.err().unwrap_or(End::Done);
            }
            if let Some(record) = self.records.front() {
                let formatted = arguments
                    .formatter
                    .write(&formatter_record(record), &mut output);
                self.records.pop_front();
                self.count += 1;
                if let Err(text) = formatted {
                    let exception =
                        format!("org.apache.kafka.common.errors.SerializationException: {text}");
                    if arguments.skip_message_on_error() {
                        log_error(
                            self.context,
                            LOGGER,
                            "Error processing message, skipping this message: ",
                            &exception,
                        )
                        .await;
                    } else {
                        let _ = self.print(&mut output).await;
                        return End::Failed(exception);
                    }
                }
                if output.len() < OUTPUT_BYTES && !self.records.is_empty() {
                    continue;
                }
                if let Err(end) = self.print(&mut output).await {
                    return end;
                }
                continue;
            }
            match self.receive(arguments.timeout_ms).await {
                Ok(()) => {}
                Err(end) => return end,
            }
        }
    }

    async fn print(&mut self, output: &mut Vec<u8>) -> Result<(), End> {
        let written = self.context.stdout.write(output).await;
        output.clear();
        if written.is_err() {
            self.context
                .err("Unable to write to standard out, closing consumer.\n")
                .await;
            return Err(End::Done);
        }
        Ok(())
    }

    /// Waits for records.
    async fn receive(&mut self, timeout_ms: Option<i64>) -> Result<(), End> {
        let now = self.context.process.now();
        let limit = timeout_ms.map_or(Time::NEVER, |timeout| now.plus_millis(timeout));
        loop {
            flush_outputs(self.context, &mut self.consumer).await;
            while let Some(event) = self.consumer.poll_event() {
                if let ConsumerEvent::Error(error) = event {
                    return Err(self
                        .stop(&exception_text(&error.exception, &error.message))
                        .await);
                }
            }
            let now = self.context.process.now();
            self.records.extend(self.consumer.poll_records(now));
            flush_outputs(self.context, &mut self.consumer).await;
            if !self.records.is_empty() {
                return Ok(());
            }
            if now >= limit {
                return Err(self
                    .stop("org.apache.kafka.common.errors.TimeoutException")
                    .await);
            }
            let input = next_input(self.context, &self.consumer, limit);
            match select(self.context.process.next_signal(), input).await {
                Either::Left(signal) => return Err(End::Signal(signal)),
                Either::Right(input) => apply_input(self.context, &mut self.consumer, input),
            }
        }
    }

    /// An exception of `receive`: it is logged, and the tool ends with exit code 0.
    async fn stop(&self, exception: &str) -> End {
        log_error(
            self.context,
            LOGGER,
            "Error processing message, terminating consumer process: ",
            exception,
        )
        .await;
        End::Done
    }

    async fn count_line(&self) {
        self.context
            .err(&format!("Processed a total of {} messages\n", self.count))
            .await;
    }

    /// Java's `cleanup`: what was polled and not printed is not committed.
    async fn close(&mut self) {
        let now = self.context.process.now();
        let mut first: BTreeMap<TopicPartition, i64> = BTreeMap::new();
        for record in self.records.drain(..) {
            first
                .entry(TopicPartition::new(record.topic, record.partition))
                .or_insert(record.offset);
        }
        for (partition, offset) in first {
            self.consumer.seek(&partition, offset, now);
        }
        self.consumer.close(CLOSE_TIMEOUT_MS, now);
        loop {
            flush_outputs(self.context, &mut self.consumer).await;
            if self.consumer.is_closed() {
                return;
            }
            let wait = next_input(self.context, &self.consumer, Time::NEVER);
            match select(self.context.process.next_signal(), wait).await {
                Either::Left(_) => {}
                Either::Right(input) => apply_input(self.context, &mut self.consumer, input),
            }
        }
    }
}

fn formatter_record(record: &ConsumerRecord) -> FormatterRecord {
    FormatterRecord {
        topic: record.topic.clone(),
        partition: record.partition,
        offset: record.offset,
        timestamp: record.timestamp,
        log_append_time: record.log_append_time,
        key: record.key.clone(),
        value: record.value.clone(),
        headers: record
            .headers
            .iter()
            .map(|(key, value)| (String::from_utf8_lossy(key).into_owned(), value.clone()))
            .collect(),
    }
}
