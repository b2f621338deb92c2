//! Options as Kafka's tools read them: joptsimple's rules, error texts and help layout.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use thiserror::Error;

use crate::commands::{CommandContext, CompletionValue, OptionCompletion};

/// The overall width of a help table, in columns.
const HELP_WIDTH: usize = 80;
/// The columns between the two columns of a help table.
const HELP_SEPARATOR: usize = 2;
/// How far continued lines stand in.
const HELP_INDENT: usize = 2;

/// The type of an option's argument, as the help prints it and as its value is converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `String`.
    Text,
    /// `Integer`, 32 bits.
    Integer,
    /// `Long`, 64 bits.
    Long,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Kind::Text => "String",
            Kind::Integer => "Integer",
            Kind::Long => "Long",
        }
    }
}

/// What follows an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    /// Nothing.
    None,
    /// A value, with its type and its name in the help (empty: none).
    Required(Kind, &'static str),
    /// A value or nothing.
    Optional(Kind, &'static str),
}

/// One option of a tool.
#[derive(Clone, Copy, Debug)]
pub struct OptionSpec {
    /// The name without dashes.
    pub name: &'static str,
    /// What follows it.
    pub argument: Argument,
    /// The help's description, in our own words.
    pub help: &'static str,
    /// The value when it is absent, as the help prints it.
    pub default: Option<&'static str>,
}

/// Shorthand for a flag.
pub const fn flag(name: &'static str, help: &'static str) -> OptionSpec {
    OptionSpec {
        name,
        argument: Argument::None,
        help,
        default: None,
    }
}

/// Shorthand for an option with a value.
pub const fn value(
    name: &'static str,
    kind: Kind,
    label: &'static str,
    help: &'static str,
) -> OptionSpec {
    OptionSpec {
        name,
        argument: Argument::Required(kind, label),
        help,
        default: None,
    }
}

/// Shorthand for an option whose value may be left out.
pub const fn optional(
    name: &'static str,
    kind: Kind,
    label: &'static str,
    help: &'static str,
) -> OptionSpec {
    OptionSpec {
        name,
        argument: Argument::Optional(kind, label),
        help,
        default: None,
    }
}

impl OptionSpec {
    /// The same option with a default.
    pub const fn or(mut self, default: &'static str) -> OptionSpec {
        self.default = Some(default);
        self
    }
}

/// `--help`, which every tool has.
pub const HELP: OptionSpec = flag("help", "Print usage information.");
/// `--version`, which every tool has.
pub const VERSION: OptionSpec = flag("version", "Display Kafka version.");

/// Why a command line cannot be read: joptsimple's exceptions.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum OptionError {
    /// No such option.
    #[error("{0} is not a recognized option")]
    Unrecognized(String),
    /// A value is missing.
    #[error("Option {0} requires an argument")]
    MissingArgument(&'static str),
    /// A value is not of the option's type.
    #[error("Cannot parse argument '{value}' of option {option}")]
    Conversion {
        /// What was given.
        value: String,
        /// To which option.
        option: &'static str,
    },
    /// One value was wanted and several were given.
    #[error("Found multiple arguments for option {0}, but you asked for only one")]
    Multiple(&'static str),
}

impl OptionError {
    /// The Java exception's full class name.
    pub fn exception(&self) -> &'static str {
        match self {
            OptionError::Unrecognized(_) => "joptsimple.UnrecognizedOptionException",
            OptionError::MissingArgument(_) => "joptsimple.OptionMissingRequiredArgumentException",
            OptionError::Conversion { .. } => "joptsimple.OptionArgumentConversionException",
            OptionError::Multiple(_) => "joptsimple.MultipleArgumentsForOptionException",
        }
    }
}

impl From<OptionError> for playground_client::ClientError {
    fn from(error: OptionError) -> playground_client::ClientError {
        playground_client::ClientError::new(error.exception(), error.to_string())
    }
}

/// A command line, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    values: BTreeMap<&'static str, Vec<String>>,
    defaults: BTreeMap<&'static str, &'static str>,
    /// Whether there were no arguments at all.
    pub is_empty: bool,
}

impl Parsed {
    /// Reads a command line. What is no option and no value is passed over, as joptsimple does.
    ///
    /// # Errors
    /// [`OptionError::Unrecognized`] and [`OptionError::MissingArgument`].
    pub fn read(specs: &'static [OptionSpec], args: &[String]) -> Result<Parsed, OptionError> {
        let mut parsed = Parsed {
            is_empty: args.is_empty(),
            ..Parsed::default()
        };
        for spec in specs {
            if let Some(default) = spec.default {
                parsed.defaults.insert(spec.name, default);
            }
        }
        let mut rest = args.iter().peekable();
        while let Some(arg) = rest.next() {
            if arg == "--" {
                break;
            }
            let Some(body) = arg
                .strip_prefix("--")
                .or_else(|| arg.strip_prefix('-').filter(|body| !body.is_empty()))
            else {
                continue;
            };
            let (name, inline) = match body.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (body, None),
            };
            let Some(spec) = specs.iter().find(|spec| spec.name == name) else {
                // A cluster of short options (-xyz): the first one is the one complained about.
                let shown = if arg.starts_with("--") {
                    name.to_owned()
                } else {
                    name.chars().take(1).collect()
                };
                return Err(OptionError::Unrecognized(shown));
            };
            let values = parsed.values.entry(spec.name).or_default();
            match spec.argument {
                Argument::None => {}
                Argument::Required(..) => match inline.or_else(|| rest.next().cloned()) {
                    Some(value) => values.push(value),
                    None => return Err(OptionError::MissingArgument(spec.name)),
                },
                Argument::Optional(..) => match inline {
                    Some(value) => values.push(value),
                    None => {
                        if let Some(next) = rest.next_if(|next| !next.starts_with('-')) {
                            values.push(next.clone());
                        }
                    }
                },
            }
        }
        Ok(parsed)
    }

    /// Whether the option was given.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }

    /// The option's one value, or its default.
    ///
    /// # Errors
    /// [`OptionError::Multiple`] when it was given more than once.
    pub fn text(&self, name: &'static str) -> Result<Option<&str>, OptionError> {
        match self.values.get(name).map(Vec::as_slice) {
            Some([one]) => Ok(Some(one)),
            Some([_, _, ..]) => Err(OptionError::Multiple(name)),
            _ => Ok(self.defaults.get(name).copied()),
        }
    }

    /// The option's one value as a number, or its default.
    ///
    /// # Errors
    /// [`OptionError::Conversion`] when it is none, [`OptionError::Multiple`].
    pub fn number<T: std::str::FromStr>(
        &self,
        name: &'static str,
    ) -> Result<Option<T>, OptionError> {
        self.text(name)?
            .map(|value| {
                value.parse().map_err(|_| OptionError::Conversion {
                    value: value.to_owned(),
                    option: name,
                })
            })
            .transpose()
    }

    /// All values of an option that may be repeated.
    pub fn texts(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }
}

/// The help table of a tool: options in the order of their names, laid out in two columns as joptsimple
/// does.
pub fn help_table(specs: &[OptionSpec]) -> String {
    let mut rows: Vec<(String, String)> = specs
        .iter()
        .map(|spec| (label(spec), description(spec)))
        .collect();
    rows.sort();
    let widest = |column: fn(&(String, String)) -> &str, title: &str| {
        rows.iter()
            .map(|row| column(row).chars().count())
            .max()
            .unwrap_or(0)
            .max(title.len())
    };
    let left = widest(|row| &row.0, "Option").min((HELP_WIDTH - HELP_SEPARATOR) / 2);
    let right = widest(|row| &row.1, "Description").min(HELP_WIDTH - HELP_SEPARATOR - left);
    let mut table = String::new();
    let mut line = |a: &str, b: &str| {
        let _ = writeln!(table, "{a:left$}{:HELP_SEPARATOR$}{b:right$}", "");
    };
    line("Option", "Description");
    line("------", "-----------");
    for (option, text) in &rows {
        let (a, b) = (pieces(option, left), pieces(text, right));
        for index in 0..a.len().max(b.len()) {
            line(
                a.get(index).map_or("", String::as_str),
                b.get(index).map_or("", String::as_str),
            );
        }
    }
    table
}

fn label(spec: &OptionSpec) -> String {
    let argument = |kind: Kind, label: &str, open: char, close: char| match label {
        "" => format!(" {open}{}{close}", kind.name()),
        label => format!(" {open}{}: {label}{close}", kind.name()),
    };
    let argument = match spec.argument {
        Argument::None => String::new(),
        Argument::Required(kind, label) => argument(kind, label, '<', '>'),
        Argument::Optional(kind, label) => argument(kind, label, '[', ']'),
    };
    format!("--{}{argument}", spec.name)
}

fn description(spec: &OptionSpec) -> String {
    match spec.default {
        Some(default) => format!("{} (default: {default})", spec.help),
        None => spec.help.to_owned(),
    }
}

/// Breaks a text into lines of at most `width` columns, at spaces and after hyphens.
fn pieces(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut current = String::new();
        for word in paragraph.split_inclusive([' ', '-']) {
            if current.chars().count() + word.chars().count() > width && !current.trim().is_empty()
            {
                lines.push(std::mem::replace(&mut current, " ".repeat(HELP_INDENT)));
            }
            current.push_str(word);
        }
        lines.push(current);
    }
    lines
}

/// How a tool's command line ends before the tool runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A text and the help table, on stderr; exit code 1 (Kafka's `printUsageAndExit`).
    Usage(String),
    /// The version, on stdout; exit code 0.
    Version,
}

impl Stop {
    /// Prints it, and gives the exit code.
    pub async fn print(&self, context: &CommandContext, specs: &[OptionSpec]) -> i32 {
        match self {
            Stop::Usage(text) => {
                context.err(&format!("{text}\n{}", help_table(specs))).await;
                1
            }
            Stop::Version => {
                context.out(concat!("4.3.1", "\n")).await;
                0
            }
        }
    }
}

/// `--help` and `--version`, and no arguments at all: Kafka's `maybePrintHelpOrVersion`.
///
/// # Errors
/// The [`Stop`] that was asked for.
pub fn check_help_or_version(parsed: &Parsed, about: &str) -> Result<(), Stop> {
    if parsed.is_empty || parsed.has("help") {
        return Err(Stop::Usage(about.to_owned()));
    }
    if parsed.has("version") {
        return Err(Stop::Version);
    }
    Ok(())
}

/// Kafka's `checkRequiredArgs`.
///
/// # Errors
/// [`Stop::Usage`] that names the first one missing.
pub fn check_required(parsed: &Parsed, names: &[&str]) -> Result<(), Stop> {
    match names.iter().find(|name| !parsed.has(name)) {
        Some(name) => Err(Stop::Usage(format!(
            "Missing required argument \"[{name}]\""
        ))),
        None => Ok(()),
    }
}

/// Kafka's `checkInvalidArgs`: with `used`, none of `others` may stand.
///
/// # Errors
/// [`Stop::Usage`] that names the first such pair.
pub fn check_invalid(parsed: &Parsed, used: &str, others: &[&str]) -> Result<(), Stop> {
    if parsed.has(used)
        && let Some(other) = others.iter().find(|other| parsed.has(other))
    {
        return Err(Stop::Usage(format!(
            "Option \"[{used}]\" can't be used with option \"[{other}]\""
        )));
    }
    Ok(())
}

/// A tool's options for Tab: what follows each is guessed from its name.
pub const fn completions<const N: usize>(specs: &[OptionSpec]) -> [OptionCompletion; N] {
    let mut table = [OptionCompletion {
        name: "",
        value: CompletionValue::None,
    }; N];
    let mut index = 0;
    while index < N {
        let spec = &specs[index];
        let value = match spec.argument {
            Argument::None => CompletionValue::None,
            Argument::Required(..) | Argument::Optional(..) => guess(spec.name),
        };
        table[index] = OptionCompletion {
            name: spec.name,
            value,
        };
        index += 1;
    }
    table
}

pub(super) const fn guess(name: &str) -> CompletionValue {
    const TOPIC: [&str; 2] = ["topic", "include"];
    const FILE: [&str; 9] = [
        "command-config",
        "producer.config",
        "consumer.config",
        "reader-config",
        "formatter-config",
        "add-config-file",
        "offset-json-file",
        "from-file",
        "files",
    ];
    if is_one_of(name, &TOPIC) {
        CompletionValue::Topic
    } else if is_one_of(name, &FILE) {
        CompletionValue::File
    } else if is_one_of(name, &["group"]) {
        CompletionValue::Group
    } else if is_one_of(name, &["bootstrap-server"]) {
        CompletionValue::Server
    } else if is_one_of(name, &["compression-codec"]) {
        CompletionValue::Words(&["none", "gzip", "snappy", "lz4", "zstd"])
    } else if is_one_of(name, &["isolation-level"]) {
        CompletionValue::Words(&["read_committed", "read_uncommitted"])
    } else if is_one_of(name, &["request-required-acks"]) {
        CompletionValue::Words(&["0", "1", "all"])
    } else if is_one_of(name, &["offset"]) {
        CompletionValue::Words(&["earliest", "latest"])
    } else if is_one_of(name, &["entity-type"]) {
        CompletionValue::Words(&["topics", "brokers", "groups"])
    } else {
        CompletionValue::Any
    }
}

/// `names.contains(&name)`, in a constant.
const fn is_one_of(name: &str, names: &[&str]) -> bool {
    let mut index = 0;
    while index < names.len() {
        let (a, b) = (name.as_bytes(), names[index].as_bytes());
        let mut at = 0;
        while at < a.len() && at < b.len() && a[at] == b[at] {
            at += 1;
        }
        if a.len() == b.len() && at == a.len() {
            return true;
        }
        index += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPECS: &[OptionSpec] = &[
        value("topic", Kind::Text, "topic", "The topic to act on."),
        value("partitions", Kind::Integer, "# of partitions", "How many."),
        optional("state", Kind::Text, "", "States to list."),
        flag(
            "list",
            "List what there is, and go on about it for so long that the line has to be broken.",
        ),
        HELP,
    ];

    fn read(line: &str) -> Result<Parsed, OptionError> {
        Parsed::read(
            SPECS,
            &line
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn values_are_read_apart_or_after_an_equals_sign() {
        let parsed = read("--topic a --partitions=3 --state --list").unwrap();
        assert_eq!(parsed.text("topic"), Ok(Some("a")));
        assert_eq!(parsed.number::<i32>("partitions"), Ok(Some(3)));
        assert!(parsed.has("state") && parsed.texts("state").is_empty() && parsed.has("list"));
        assert_eq!(
            read("--state Empty").unwrap().text("state"),
            Ok(Some("Empty"))
        );
    }

    #[test]
    fn errors_have_the_texts_of_joptsimple() {
        assert_eq!(
            read("--nope").unwrap_err().to_string(),
            "nope is not a recognized option"
        );
        assert_eq!(
            read("--topic").unwrap_err().to_string(),
            "Option topic requires an argument"
        );
        let parsed = read("--partitions many").unwrap();
        assert_eq!(
            parsed.number::<i32>("partitions").unwrap_err().to_string(),
            "Cannot parse argument 'many' of option partitions"
        );
        let twice = read("--topic a --topic b").unwrap();
        assert_eq!(
            twice.text("topic").unwrap_err(),
            OptionError::Multiple("topic")
        );
    }

    #[test]
    fn help_stands_in_two_columns() {
        let table = help_table(SPECS);
        let lines: Vec<&str> = table.lines().collect();
        assert!(lines[0].starts_with("Option  ") && lines[0].contains("Description"));
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with("--partitions <Integer: # of partitions>"))
        );
        assert!(
            lines
                .iter()
                .all(|line| line.chars().count() == lines[0].chars().count())
        );
        let list = lines
            .iter()
            .position(|line| line.starts_with("--list"))
            .unwrap();
        assert!(lines[list + 1].starts_with("   ") && !lines[list + 1].trim().is_empty());
    }
}
