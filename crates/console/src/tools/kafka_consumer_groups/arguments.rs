//! The options of `kafka-consumer-groups` and their rules (`ConsumerGroupCommandOptions`).

use crate::tools::options::{
    HELP, Kind, OptionError, OptionSpec, Parsed, Stop, VERSION, check_help_or_version,
    check_invalid, check_required, flag, optional, value,
};

/// The options.
pub const OPTIONS: &[OptionSpec] = &[
    value(
        "bootstrap-server",
        Kind::Text,
        "server to connect to",
        "REQUIRED (but with --validate-regex): A broker to start from.",
    ),
    value(
        "group",
        Kind::Text,
        "consumer group",
        "The group to act on. May be repeated.",
    ),
    value(
        "topic",
        Kind::Text,
        "topic",
        "The topic whose offsets are reset or deleted; partitions may be named as 'topic1:0,1,2'. May be repeated.",
    ),
    flag(
        "all-topics",
        "All topics that the group has offsets of, with --reset-offsets.",
    ),
    flag("list", "List the groups."),
    flag(
        "describe",
        "Show a group: its offsets and lag, its members, or its state.",
    ),
    flag("all-groups", "All groups."),
    flag("delete", "Delete groups that have no members."),
    value(
        "timeout",
        Kind::Long,
        "timeout (ms)",
        "Milliseconds that a request may take.",
    )
    .or("30000"),
    value(
        "command-config",
        Kind::Text,
        "command config property file",
        "A properties file for the admin client.",
    ),
    flag(
        "reset-offsets",
        "Move the offsets of a group without members. Say where to with one of: --to-earliest, --to-latest, \
         --to-current, --to-offset, --to-datetime, --by-duration, --shift-by, --from-file. Say of what with --topic or \
         --all-topics, and what to do with --execute, --dry-run or --export.",
    ),
    flag(
        "delete-offsets",
        "Delete the offsets that a group has of topics.",
    ),
    flag("dry-run", "Only show what --reset-offsets would do."),
    flag("execute", "Do what --reset-offsets says."),
    flag("export", "Print what --reset-offsets would do as CSV."),
    value("to-offset", Kind::Long, "offset", "Reset to this offset."),
    value(
        "from-file",
        Kind::Text,
        "path to CSV file",
        "Reset to the offsets in a CSV file.",
    ),
    value(
        "to-datetime",
        Kind::Text,
        "datetime",
        "Reset to the first record at or after 'YYYY-MM-DDThh:mm:ss.sss'.",
    ),
    value(
        "by-duration",
        Kind::Text,
        "duration",
        "Reset to a time before now, as 'PnDTnHnMnS'.",
    ),
    flag("to-earliest", "Reset to the beginning."),
    flag("to-latest", "Reset to the end."),
    flag("to-current", "Reset to the current offset."),
    value(
        "shift-by",
        Kind::Long,
        "number-of-offsets",
        "Move by so many offsets, back if negative.",
    ),
    flag("members", "With --describe: the group's members."),
    flag("verbose", "With --describe: more columns."),
    flag(
        "offsets",
        "With --describe: offsets and lag per partition. This is the default.",
    ),
    optional(
        "state",
        Kind::Text,
        "",
        "With --describe: the group's state. With --list: states, or only groups in these.",
    ),
    optional(
        "type",
        Kind::Text,
        "",
        "With --list: the groups' types, or only groups of these.",
    ),
    value(
        "validate-regex",
        Kind::Text,
        "regex",
        "Say whether a regular expression is valid.",
    ),
    HELP,
    VERSION,
];

const ABOUT: &str = "This tool helps to list all consumer groups, describe a consumer group, delete consumer group info, or \
                     reset consumer group offsets.";
const ACTIONS: [&str; 6] = [
    "list",
    "describe",
    "delete",
    "reset-offsets",
    "delete-offsets",
    "validate-regex",
];
const SCENARIOS: [&str; 8] = [
    "to-offset",
    "shift-by",
    "to-datetime",
    "by-duration",
    "to-earliest",
    "to-latest",
    "to-current",
    "from-file",
];
const NO_EXECUTE: &str = "WARN: No action will be performed as the --execute option is missing. In version 5.0, this \
                          command will require either --dry-run or --execute to be specified. You should add the \
                          --dry-run option explicitly if you are scripting this command and want to keep the current \
                          default behavior without prompting.\n";

/// How a command line ends before the tool runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Help, version, or a usage error with the option table.
    Stop(Stop),
    /// An exception that nothing catches.
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

/// Reads and checks a command line. The second value is a warning to print.
///
/// # Errors
/// What to print instead of running.
pub fn parse(args: &[String]) -> Result<(Parsed, &'static str), Refusal> {
    let parsed = Parsed::read(OPTIONS, args)?;
    check_available(&parsed)?;
    check_help_or_version(&parsed, ABOUT)?;
    if !parsed.has("validate-regex") {
        check_required(&parsed, &["bootstrap-server"])?;
    }
    let usage = |text: String| Refusal::Stop(Stop::Usage(text));
    let has_groups = parsed.has("group") || parsed.has("all-groups");
    if parsed.has("describe") {
        if !has_groups {
            return Err(usage(
                "Option [describe] takes one of these options: [all-groups], [group]".to_owned(),
            ));
        }
        if ["members", "offsets", "state"]
            .iter()
            .filter(|name| parsed.has(name))
            .count()
            > 1
        {
            return Err(usage("Option [describe] takes at most one of these options: [members], [offsets], [state]".to_owned()));
        }
        if !parsed.texts("state").is_empty() {
            return Err(usage(
                "Option [describe] does not take a value for [state]".to_owned(),
            ));
        }
    }
    if parsed.has("delete") {
        if !has_groups {
            return Err(usage(
                "Option [delete] takes one of these options: [all-groups], [group]".to_owned(),
            ));
        }
        if parsed.has("topic") {
            let text = "The consumer does not support topic-specific offset deletion from a consumer group.";
            return Err(usage(text.to_owned()));
        }
    }
    if parsed.has("delete-offsets") && !(parsed.has("group") && parsed.has("topic")) {
        return Err(usage(
            "Option [delete-offsets] takes the following options: [topic], [group]".to_owned(),
        ));
    }
    let mut warning = "";
    // What is refused from here on is refused below the warning.
    check_rest(&parsed, has_groups, &mut warning).map_err(|stop| match stop {
        Stop::Usage(text) => Stop::Usage(format!("{warning}{text}")),
        Stop::Version => Stop::Version,
    })?;
    Ok((parsed, warning))
}

fn check_rest(parsed: &Parsed, has_groups: bool, warning: &mut &'static str) -> Result<(), Stop> {
    let usage = |text: String| Stop::Usage(text);
    if parsed.has("reset-offsets") {
        if parsed.has("dry-run") && parsed.has("execute") {
            return Err(usage(
                "Option [reset-offsets] only accepts one of [execute] and [dry-run]".to_owned(),
            ));
        }
        if !parsed.has("dry-run") && !parsed.has("execute") {
            *warning = NO_EXECUTE;
        }
        if !has_groups {
            return Err(usage(
                "Option [reset-offsets] takes one of these options: [all-groups], [group]"
                    .to_owned(),
            ));
        }
        for used in SCENARIOS {
            let others: Vec<&str> = SCENARIOS
                .iter()
                .copied()
                .filter(|other| *other != used)
                .collect();
            check_invalid(parsed, used, &others)?;
        }
    }
    check_invalid(parsed, "group", &["all-groups"])?;
    check_invalid(parsed, "group", &["list"])?;
    check_invalid(parsed, "topic", &["list", "describe"])?;
    if ACTIONS.iter().filter(|action| parsed.has(action)).count() != 1 {
        let actions: Vec<String> = ACTIONS.iter().map(|action| format!("--{action}")).collect();
        return Err(usage(format!(
            "Command must include exactly one action: {}",
            actions.join(", ")
        )));
    }
    Ok(())
}

/// joptsimple's `availableIf`.
fn check_available(parsed: &Parsed) -> Result<(), Refusal> {
    let available: [(&str, &[&str]); 5] = [
        ("members", &["describe"]),
        ("verbose", &["describe"]),
        ("offsets", &["describe"]),
        ("state", &["describe", "list"]),
        ("type", &["list"]),
    ];
    let missing: Vec<&str> = available
        .iter()
        .filter(|(name, with)| parsed.has(name) && !with.iter().any(|with| parsed.has(with)))
        .map(|(name, _)| *name)
        .collect();
    if missing.is_empty() || parsed.has("help") {
        return Ok(());
    }
    Err(Refusal::Uncaught(format!(
        "joptsimple.UnavailableOptionException: Option(s) [{}] are unavailable given other options on the command line",
        missing.join(", ")
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<(Parsed, &'static str), Refusal> {
        parse(
            &line
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    }

    fn usage(line: &str) -> String {
        match read(line) {
            Err(Refusal::Stop(Stop::Usage(text))) => text,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn one_action_is_needed_and_its_options_with_it() {
        assert!(
            usage("--bootstrap-server a:1")
                .starts_with("Command must include exactly one action: --list, --describe")
        );
        assert_eq!(
            usage("--list"),
            "Missing required argument \"[bootstrap-server]\""
        );
        assert_eq!(
            usage("--bootstrap-server a:1 --describe"),
            "Option [describe] takes one of these options: [all-groups], [group]"
        );
        assert!(read("--bootstrap-server a:1 --describe --group g --members --verbose").is_ok());
    }

    #[test]
    fn options_of_other_actions_are_unavailable() {
        let Err(Refusal::Uncaught(text)) = read("--bootstrap-server a:1 --list --members") else {
            panic!("accepted")
        };
        assert!(text.contains("Option(s) [members] are unavailable"));
    }

    #[test]
    fn a_reset_without_execute_warns() {
        let (_, warning) =
            read("--bootstrap-server a:1 --reset-offsets --group g --all-topics --to-latest")
                .unwrap();
        assert!(warning.starts_with("WARN: No action"));
        assert_eq!(
            usage(
                "--bootstrap-server a:1 --reset-offsets --execute --group g --to-latest --to-offset 1"
            ),
            "Option \"[to-offset]\" can't be used with option \"[to-latest]\""
        );
    }
}
