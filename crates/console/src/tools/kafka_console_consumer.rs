//! `kafka-console-consumer`: prints the records of topics (`org.apache.kafka.tools.consumer.ConsoleConsumer`).

use super::message_formatter::MessageFormatter;
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
    let class = parsed.text("formatter")?.unwrap_or_default();
    MessageFormatter::new(class, &all).map_err(|class| Stop::Usage(class).into())
}
