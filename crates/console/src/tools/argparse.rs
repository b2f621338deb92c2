//! Options as Kafka's newer tools read them: argparse4j's rules, error texts and help layout.
//!
//! A tool describes itself as a [`Parser`] value, with subcommands where it has them; [`Parser::parse`] gives an
//! [`Namespace`] or says how the command line ends instead.

mod layout;

use std::collections::BTreeMap;

pub use layout::wrap;

/// What an option does with what follows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Keeps the one value, as text.
    Store,
    /// Keeps the one value, which must be a 32-bit number.
    Integer,
    /// Keeps the one value, which must be a 64-bit number.
    Long,
    /// Keeps the one value, which must be a number with or without a fraction.
    Double,
    /// Keeps all values, one for each time that it is given.
    Append,
    /// Keeps one or more values (`nargs("+")`).
    OneOrMore,
    /// Keeps the one value, `true` or `false`.
    Boolean,
    /// Is there or not.
    Flag,
    /// Prints the help.
    Help,
}

impl Action {
    fn takes_value(self) -> bool {
        !matches!(self, Action::Flag | Action::Help)
    }
}

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// Its names with their dashes, the first of them the one in the usage.
    pub names: &'static [&'static str],
    /// What follows.
    pub action: Action,
    /// The value's name in usage and help; empty: the option's own, in capitals.
    pub metavar: &'static str,
    /// The help's description, in our own words.
    pub help: &'static str,
    /// It must be given.
    pub required: bool,
    /// The value when it is absent, as the help prints it.
    pub default: Option<&'static str>,
    /// Not shown in usage and help.
    pub hidden: bool,
    /// The group it stands in, if any: an index into [`Parser::groups`].
    pub group: Option<usize>,
}

/// Shorthand for an option.
pub const fn option(names: &'static [&'static str], action: Action, help: &'static str) -> Flag {
    Flag {
        names,
        action,
        metavar: "",
        help,
        required: false,
        default: None,
        hidden: false,
        group: None,
    }
}

impl Flag {
    /// The same, required.
    pub const fn required(mut self) -> Flag {
        self.required = true;
        self
    }

    /// The same with a default.
    pub const fn or(mut self, default: &'static str) -> Flag {
        self.default = Some(default);
        self
    }

    /// The same in a group.
    pub const fn within(mut self, group: usize) -> Flag {
        self.group = Some(group);
        self
    }

    /// The same with a name for its value.
    pub const fn named(mut self, metavar: &'static str) -> Flag {
        self.metavar = metavar;
        self
    }

    /// What it is called among the results: the first long name, without dashes.
    pub fn dest(&self) -> &'static str {
        let long = self.names.iter().find(|name| name.starts_with("--"));
        long.or(self.names.first())
            .map_or("", |name| name.trim_start_matches('-'))
    }

    fn textual_name(&self) -> String {
        self.names.join("/")
    }
}

/// Options that belong together.
#[derive(Clone, Copy, Debug)]
pub struct Group {
    /// Its title in the help; empty for the options of the parser itself.
    pub title: &'static str,
    /// At most one of its options may be given.
    pub exclusive: bool,
    /// One of its options must be given.
    pub required: bool,
}

/// A tool's command line, or a subcommand's.
#[derive(Clone, Copy, Debug)]
pub struct Parser {
    /// The tool's name, or the subcommand's.
    pub name: &'static str,
    /// For a tool what it is for; for a subcommand its line in the tool's help.
    pub about: &'static str,
    /// The options but `--help`, in the help's order.
    pub options: &'static [Flag],
    /// The groups that the options refer to.
    pub groups: &'static [Group],
    /// The subcommands.
    pub commands: &'static [Parser],
    /// Defaults are shown in the help (`defaultHelp`).
    pub default_help: bool,
}

/// `--help`, which every parser has.
const HELP: Flag = option(&["-h", "--help"], Action::Help, "Show this text and exit.");

/// A command line, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Namespace {
    /// The subcommand.
    pub command: String,
    values: BTreeMap<&'static str, Vec<String>>,
}

impl Namespace {
    /// The option's value, or its default.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.values
            .get(name)
            .and_then(|values| values.last())
            .map(String::as_str)
    }

    /// All values of an option that can have several.
    pub fn texts(&self, name: &str) -> &[String] {
        self.values.get(name).map_or(&[], Vec::as_slice)
    }

    /// The option's value as a number; the parser has made sure that it is one.
    pub fn number<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.text(name).and_then(|text| text.parse().ok())
    }

    /// Whether the option was given.
    pub fn has(&self, name: &str) -> bool {
        self.values.contains_key(name)
    }
}

/// How a command line ends before the tool runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The help was asked for: this text, on stdout. Most tools exit with 0 then.
    Help(String),
    /// An error.
    Error {
        /// The exception's message.
        message: String,
        /// What argparse4j prints on stderr: usage, message, and what was perhaps meant.
        printed: String,
    },
}

/// What is under way while a command line is read.
struct Reading<'a> {
    args: &'a [String],
    at: usize,
    separator: bool,
    /// The first error that waits for the subcommand's own errors.
    deferred: Option<Ending>,
}

impl Parser {
    /// Reads a command line.
    ///
    /// # Errors
    /// How it ends instead.
    pub fn parse(&self, args: &[String]) -> Result<Namespace, Ending> {
        let mut reading = Reading {
            args,
            at: 0,
            separator: false,
            deferred: None,
        };
        let mut namespace = Namespace::default();
        self.read(&mut reading, &mut namespace, &[])?;
        match reading.deferred {
            Some(ending) => Err(ending),
            None => Ok(namespace),
        }
    }

    /// The error that a tool raises itself about its command line.
    pub fn error(&self, message: &str) -> Ending {
        layout::error(self, &[], message, &[])
    }

    fn all(&self) -> impl Iterator<Item = &Flag> {
        std::iter::once(&HELP).chain(self.options)
    }

    fn read(
        &self,
        reading: &mut Reading<'_>,
        namespace: &mut Namespace,
        above: &[&Parser],
    ) -> Result<(), Ending> {
        for flag in self.options {
            if let Some(default) = flag.default {
                namespace
                    .values
                    .insert(flag.dest(), vec![default.to_owned()]);
            }
        }
        let mut used: Vec<&Flag> = Vec::new();
        while let Some(term) = reading.args.get(reading.at) {
            if is_flag(reading, term) && term != "--" {
                self.read_flag(reading, namespace, above, &mut used, term)?;
            } else if term == "--" && !reading.separator {
                reading.separator = true;
                reading.at += 1;
            } else if !reading.separator && !self.commands.is_empty() {
                self.check_required(reading, above, &used);
                return self.read_command(reading, namespace, above, term);
            } else {
                let rest = reading.args.get(reading.at..).unwrap_or_default().join(" ");
                let message = format!("unrecognized arguments: '{rest}'");
                return Err(layout::error(self, above, &message, &[]));
            }
        }
        if !self.commands.is_empty() {
            return Err(layout::error(self, above, "too few arguments", &[]));
        }
        self.check_required(reading, above, &used);
        Ok(())
    }

    fn read_command(
        &self,
        reading: &mut Reading<'_>,
        namespace: &mut Namespace,
        above: &[&Parser],
        term: &str,
    ) -> Result<(), Ending> {
        let exact = self.commands.iter().find(|command| command.name == term);
        let prefixed: Vec<&Parser> = self
            .commands
            .iter()
            .filter(|command| !term.is_empty() && command.name.starts_with(term))
            .collect();
        let command = match (exact, prefixed.as_slice()) {
            (Some(command), _) => command,
            (None, [one]) => one,
            (None, []) => {
                let names: Vec<&str> = self.commands.iter().map(|c| c.name).collect();
                let shown: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
                let message = format!(
                    "invalid choice: '{term}' (choose from {})",
                    shown.join(", ")
                );
                let subjects: Vec<(&str, &str)> = names.iter().map(|name| (*name, *name)).collect();
                let meant = layout::candidates(term, &subjects);
                return Err(layout::error(self, above, &message, &meant));
            }
            (None, several) => {
                let mut names: Vec<&str> = several.iter().map(|command| command.name).collect();
                names.sort_unstable();
                let message = format!("ambiguous command: {term} could match {}", names.join(", "));
                return Err(layout::error(self, above, &message, &[]));
            }
        };
        reading.at += 1;
        let mut parents = above.to_vec();
        parents.push(self);
        command.read(reading, namespace, &parents)?;
        command.name.clone_into(&mut namespace.command);
        Ok(())
    }

    fn read_flag<'p>(
        &'p self,
        reading: &mut Reading<'_>,
        namespace: &mut Namespace,
        above: &[&Parser],
        used: &mut Vec<&'p Flag>,
        term: &str,
    ) -> Result<(), Ending> {
        let fail = |message: String| layout::error(self, above, &message, &[]);
        let (mut name, mut value) = match term.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (term.to_owned(), None),
        };
        let mut found = self.resolve(&name).map_err(fail)?;
        if found.is_none() && !term.starts_with("--") {
            // A cluster of short options: -sg, -tID.
            value = None;
            for (at, letter) in term.char_indices().skip(1) {
                name = format!("-{letter}");
                let Some(flag) = self.all().find(|flag| flag.names.contains(&name.as_str())) else {
                    found = None;
                    break;
                };
                found = Some(flag);
                if flag.action.takes_value() {
                    let rest = term.get(at + letter.len_utf8()..).unwrap_or_default();
                    value = (!rest.is_empty()).then(|| rest.to_owned());
                    break;
                }
                self.take(flag, Vec::new(), namespace, above, used)?;
            }
        }
        let Some(flag) = found else {
            let subjects: Vec<(&str, &str)> = self
                .all()
                .flat_map(|flag| flag.names)
                .map(|name| (*name, name.trim_start_matches('-')))
                .filter(|(_, body)| body.len() > 1)
                .collect();
            let body = term.trim_start_matches('-');
            let meant = if body.len() >= 2 {
                layout::candidates(body, &subjects)
            } else {
                Vec::new()
            };
            let message = format!("unrecognized arguments: '{term}'");
            return Err(layout::error(self, above, &message, &meant));
        };
        reading.at += 1;
        self.check_exclusive(flag, above, used)?;
        let mut values = Vec::new();
        if flag.action.takes_value() {
            values.extend(value);
            let most = if flag.action == Action::OneOrMore {
                usize::MAX
            } else {
                1
            };
            let inline = !values.is_empty();
            while !inline && values.len() < most {
                match reading.args.get(reading.at) {
                    Some(next) if !is_flag(reading, next) => values.push(next.clone()),
                    _ => break,
                }
                reading.at += 1;
            }
            let named = flag.textual_name();
            if values.is_empty() {
                return Err(fail(match flag.action {
                    Action::OneOrMore => format!("argument {named}: expected 1 argument(s)"),
                    _ => format!("argument {named}: expected one argument"),
                }));
            }
        } else if let Some(value) = value {
            return Err(fail(format!(
                "argument {}: ignore implicit argument '{value}'",
                flag.textual_name()
            )));
        }
        self.take(flag, values, namespace, above, used)
    }

    /// The option of that name, or the only one that begins so.
    fn resolve(&self, name: &str) -> Result<Option<&Flag>, String> {
        if let Some(flag) = self.all().find(|flag| flag.names.contains(&name)) {
            return Ok(Some(flag));
        }
        let mut candidates: Vec<(&str, &Flag)> = self
            .all()
            .flat_map(|flag| flag.names.iter().map(move |name| (*name, flag)))
            .filter(|(full, _)| full.starts_with(name))
            .collect();
        candidates.sort_by_key(|(name, _)| *name);
        match candidates.as_slice() {
            [] => Ok(None),
            [(_, flag)] => Ok(Some(flag)),
            several => {
                let names: Vec<&str> = several.iter().map(|(name, _)| *name).collect();
                Err(format!(
                    "ambiguous option: {name} could match {}",
                    names.join(", ")
                ))
            }
        }
    }

    fn check_exclusive(
        &self,
        flag: &Flag,
        above: &[&Parser],
        used: &[&Flag],
    ) -> Result<(), Ending> {
        let Some(group) = flag.group else {
            return Ok(());
        };
        if !self.groups.get(group).is_some_and(|group| group.exclusive) {
            return Ok(());
        }
        match used
            .iter()
            .find(|other| other.group == Some(group) && other.names != flag.names)
        {
            Some(other) => {
                let message = format!(
                    "argument {}: not allowed with argument {}",
                    flag.textual_name(),
                    other.textual_name()
                );
                Err(layout::error(self, above, &message, &[]))
            }
            None => Ok(()),
        }
    }

    fn take<'p>(
        &'p self,
        flag: &'p Flag,
        values: Vec<String>,
        namespace: &mut Namespace,
        above: &[&Parser],
        used: &mut Vec<&'p Flag>,
    ) -> Result<(), Ending> {
        if flag.action == Action::Help {
            return Err(Ending::Help(layout::help(self, above)));
        }
        for value in &values {
            if let Some(why) = refuse(flag.action, value) {
                let message = format!("argument {}: {why}", flag.textual_name());
                return Err(layout::error(self, above, &message, &[]));
            }
        }
        let kept = namespace.values.entry(flag.dest()).or_default();
        if flag.action == Action::Append {
            kept.extend(values);
        } else {
            *kept = values;
        }
        used.push(flag);
        Ok(())
    }

    /// Notes the first option that is missing; what the subcommand complains of comes before.
    fn check_required(&self, reading: &mut Reading<'_>, above: &[&Parser], used: &[&Flag]) {
        if reading.deferred.is_some() {
            return;
        }
        let given = |flag: &Flag| used.iter().any(|other| other.names == flag.names);
        // The last one missing is told: argparse4j overwrites what it found before.
        let missing = self
            .options
            .iter()
            .rfind(|flag| flag.required && !given(flag));
        if let Some(flag) = missing {
            let message = format!("argument {} is required", flag.textual_name());
            reading.deferred = Some(layout::error(self, above, &message, &[]));
            return;
        }
        for (index, group) in self.groups.iter().enumerate() {
            let own: Vec<&Flag> = self
                .options
                .iter()
                .filter(|flag| flag.group == Some(index))
                .collect();
            if group.exclusive && group.required && !own.iter().any(|flag| given(flag)) {
                let names: Vec<String> = own
                    .iter()
                    .filter(|flag| !flag.hidden)
                    .map(|flag| flag.textual_name())
                    .collect();
                let message = format!("one of the arguments {} is required", names.join(" "));
                reading.deferred = Some(layout::error(self, above, &message, &[]));
            }
        }
    }
}

/// Whether a term is an option: it begins with a dash, and is no negative number.
fn is_flag(reading: &Reading<'_>, term: &str) -> bool {
    let Some(body) = term.strip_prefix('-') else {
        return false;
    };
    let number = !body.is_empty() && body.bytes().all(|byte| byte.is_ascii_digit());
    !reading.separator && !body.is_empty() && !number
}

/// Why a value is not of the option's type, in argparse4j's and Java's words.
fn refuse(action: Action, value: &str) -> Option<String> {
    let java = if value.is_empty() && action == Action::Double {
        "empty String".to_owned()
    } else {
        format!("For input string: \"{value}\"")
    };
    let (bad, kind) = match action {
        Action::Integer => (value.parse::<i32>().is_err(), "Integer"),
        Action::Long => (value.parse::<i64>().is_err(), "Long"),
        Action::Double => (value.trim().parse::<f64>().is_err(), "Double"),
        Action::Boolean if value != "true" && value != "false" => {
            return Some(format!(
                "could not convert '{value}' (choose from {{true,false}})"
            ));
        }
        _ => return None,
    };
    bad.then(|| format!("could not convert '{value}' to {kind} ({java})"))
}

/// A parser's options for Tab, those of its subcommands too: what follows each is guessed from its name.
pub const fn completions<const N: usize>(
    parser: &Parser,
) -> [crate::commands::OptionCompletion; N] {
    use crate::commands::{CompletionValue, OptionCompletion};
    let mut table = [OptionCompletion {
        name: "help",
        value: CompletionValue::None,
    }; N];
    let mut at = 0;
    let mut part = 0;
    while part <= parser.commands.len() {
        let options = if part == 0 {
            parser.options
        } else {
            parser.commands[part - 1].options
        };
        let mut index = 0;
        while index < options.len() {
            let flag = &options[index];
            let name = long_name(flag.names);
            table[at] = OptionCompletion {
                name,
                value: match flag.action {
                    Action::Flag | Action::Help => CompletionValue::None,
                    _ => super::options::guess(name),
                },
            };
            at += 1;
            index += 1;
        }
        part += 1;
    }
    table
}

/// How many rows [`completions`] has: every option, and `--help`.
pub const fn completion_count(parser: &Parser) -> usize {
    let mut count = 1 + parser.options.len();
    let mut index = 0;
    while index < parser.commands.len() {
        count += parser.commands[index].options.len();
        index += 1;
    }
    count
}

const fn long_name(names: &'static [&'static str]) -> &'static str {
    let mut index = 0;
    while index < names.len() {
        let bytes = names[index].as_bytes();
        if bytes.len() > 2 && bytes[1] == b'-' {
            return names[index].split_at(2).1;
        }
        index += 1;
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOL: Parser = Parser {
        name: "kafka-tool",
        about: "A tool.",
        options: &[
            option(&["--server", "-s"], Action::Store, "Where.").within(0),
            option(&["--controller"], Action::Store, "Where else.").within(0),
        ],
        groups: &[Group {
            title: "",
            exclusive: true,
            required: true,
        }],
        commands: &[
            Parser {
                name: "list",
                about: "Lists.",
                options: &[option(&["--id", "-i"], Action::Integer, "Which.").required()],
                groups: &[],
                commands: &[],
                default_help: false,
            },
            Parser {
                name: "look",
                about: "Looks.",
                options: &[option(&["--far"], Action::Flag, "Far.")],
                groups: &[],
                commands: &[],
                default_help: false,
            },
        ],
        default_help: true,
    };

    fn read(line: &str) -> Result<Namespace, Ending> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        TOOL.parse(&args)
    }

    fn refusal(line: &str) -> String {
        match read(line) {
            Err(Ending::Error { message, .. }) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn values_follow_or_are_inline_and_names_may_be_cut_short() {
        for line in [
            "-s a list --id 7",
            "--server=a list --id=7",
            "--ser a lis -i7",
            "-sa list -i -- 7 --",
        ] {
            if line.contains("-- 7") {
                assert_eq!(refusal(line), "argument --id/-i: expected one argument");
                continue;
            }
            let found = read(line).unwrap();
            assert_eq!(found.command, "list", "{line}");
            assert_eq!(found.text("server"), Some("a"), "{line}");
            assert_eq!(found.number::<i32>("id"), Some(7), "{line}");
        }
        assert!(read("-s a look --far").unwrap().has("far"));
    }

    #[test]
    fn errors_are_argparse4js() {
        for (line, message) in [
            ("", "too few arguments"),
            ("-s a", "too few arguments"),
            ("-s a l", "ambiguous command: l could match list, look"),
            (
                "-s a none",
                "invalid choice: 'none' (choose from 'list', 'look')",
            ),
            ("-s a list", "argument --id/-i is required"),
            (
                "look",
                "one of the arguments --server/-s --controller is required",
            ),
            (
                "-s a --controller b look",
                "argument --controller: not allowed with argument --server/-s",
            ),
            (
                "-s a list --id x",
                "argument --id/-i: could not convert 'x' to Integer (For input string: \"x\")",
            ),
            ("-s a look --near", "unrecognized arguments: '--near'"),
            (
                "-s a look extra more",
                "unrecognized arguments: 'extra more'",
            ),
            (
                "-s a look --far=1",
                "argument --far: ignore implicit argument '1'",
            ),
        ] {
            assert_eq!(refusal(line), message, "{line}");
        }
    }
}
