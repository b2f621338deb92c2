//! `kafka-groups`: list groups of every type (`org.apache.kafka.tools.GroupsCommand`).

use playground_client::admin::GroupListing;
use playground_client::{AdminRequest, AdminResponse, ClientError};

use super::client_driver::{AdminSession, unexpected};
use super::java::{exception_text, log_time};
use super::options::{
    HELP, Kind, OptionSpec, Parsed, Stop, VERSION, check_help_or_version, check_invalid, flag,
    value,
};
use super::properties;
use crate::commands::CommandContext;

/// The options.
pub const OPTIONS: &[OptionSpec] = &[
    value(
        "bootstrap-server",
        Kind::Text,
        "server to connect to",
        "REQUIRED: A broker to start from.",
    ),
    value(
        "command-config",
        Kind::Text,
        "command config property file",
        "A properties file for the admin client.",
    ),
    flag("list", "List the groups."),
    value(
        "group-type",
        Kind::Text,
        "type",
        "Only groups of this type: 'classic', 'consumer', 'share' or 'streams'.",
    ),
    value(
        "protocol",
        Kind::Text,
        "protocol",
        "Only groups of this protocol type.",
    ),
    flag(
        "consumer",
        "Only groups of consumers: of type 'consumer', or of type 'classic' with the protocol type 'consumer' or none.",
    ),
    flag("share", "Only share groups."),
    flag("streams", "Only streams groups."),
    HELP,
    VERSION,
];

const ABOUT: &str = "This tool helps to list groups of all types.";
const TYPES: [&str; 4] = ["Classic", "Consumer", "Share", "Streams"];
/// Columns are at least this wide, in characters.
const COLUMN_WIDTH: usize = 20;

/// Which groups are shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Filter {
    group_type: Option<&'static str>,
    protocol: Option<String>,
    consumer: bool,
    share: bool,
    streams: bool,
}

impl Filter {
    fn allows(&self, group: &GroupListing) -> bool {
        let (kind, protocol) = (group.group_type.as_str(), group.protocol_type.as_str());
        if let Some(wanted) = self.group_type {
            return kind == wanted && self.protocol.as_deref().is_none_or(|text| text == protocol);
        }
        if let Some(wanted) = &self.protocol {
            return protocol == wanted;
        }
        if self.consumer {
            return protocol == "consumer" || protocol.is_empty() || kind == "Consumer";
        }
        (!self.share || kind == "Share") && (!self.streams || kind == "Streams")
    }
}

/// How a command line ends before the tool runs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Refusal {
    Stop(Stop),
    /// An exception that reaches `main`: its class and its message.
    Uncaught(&'static str, String),
}

impl From<Stop> for Refusal {
    fn from(stop: Stop) -> Refusal {
        Refusal::Stop(stop)
    }
}

fn parse(args: &[String]) -> Result<(Parsed, Filter), Refusal> {
    let usage = |text: String| Refusal::Stop(Stop::Usage(text));
    let parsed = Parsed::read(OPTIONS, args).map_err(|error| usage(error.to_string()))?;
    if !parsed.has("bootstrap-server") && !parsed.has("help") {
        return Err(usage(
            "Missing required option(s) [bootstrap-server]".to_owned(),
        ));
    }
    check_help_or_version(&parsed, ABOUT)?;
    if !parsed.has("list") {
        return Err(usage(
            "Command must include exactly one action: --list.".to_owned(),
        ));
    }
    let text = |name| {
        parsed
            .text(name)
            .map(|value| value.map(str::to_owned))
            .map_err(|error| Refusal::Uncaught(error.exception(), error.to_string()))
    };
    let group_type = match text("group-type")? {
        None => None,
        Some(word) => {
            let known = TYPES.iter().find(|known| known.eq_ignore_ascii_case(&word));
            let Some(known) = known else {
                return Err(Refusal::Uncaught(
                    "java.lang.IllegalArgumentException",
                    "--group-type must be a valid group type.".to_owned(),
                ));
            };
            Some(*known)
        }
    };
    check_invalid(
        &parsed,
        "consumer",
        &["group-type", "protocol", "share", "streams"],
    )?;
    check_invalid(
        &parsed,
        "share",
        &["consumer", "group-type", "protocol", "streams"],
    )?;
    check_invalid(
        &parsed,
        "streams",
        &["consumer", "group-type", "protocol", "share"],
    )?;
    let filter = Filter {
        group_type,
        protocol: text("protocol")?,
        consumer: parsed.has("consumer"),
        share: parsed.has("share"),
        streams: parsed.has("streams"),
    };
    Ok((parsed, filter))
}

/// Runs the tool.
pub async fn run(context: CommandContext) -> i32 {
    let (parsed, filter) = match parse(&context.args) {
        Ok(parsed) => parsed,
        Err(Refusal::Stop(stop)) => return stop.print(&context, OPTIONS).await,
        Err(Refusal::Uncaught(class, message)) => return uncaught(&context, class, &message).await,
    };
    let servers = match parsed.text("bootstrap-server") {
        Ok(servers) => servers.unwrap_or_default(),
        Err(error) => return uncaught(&context, error.exception(), &error.to_string()).await,
    };
    let config = match parsed.text("command-config") {
        Ok(None) => properties::Properties::new(),
        Ok(Some(path)) => match properties::load(&context, path) {
            Ok(config) => config,
            Err(path) => {
                return uncaught(&context, "java.nio.file.NoSuchFileException", &path).await;
            }
        },
        Err(error) => return uncaught(&context, error.exception(), &error.to_string()).await,
    };
    match list(&context, config, servers, &filter).await {
        Ok(text) => {
            context.out(&text).await;
            0
        }
        Err(error) => {
            let message = &error.message;
            context
                .out(&format!(
                    "Error while executing groups command : {message}\n"
                ))
                .await;
            let time = log_time(context.process.now());
            let exception = exception_text(&error.exception, message);
            context
                .err(&format!(
                    "{time} ERROR {exception}\n (org.apache.kafka.tools.GroupsCommand)\n"
                ))
                .await;
            1
        }
    }
}

/// Its message, then its stack trace.
async fn uncaught(context: &CommandContext, class: &str, message: &str) -> i32 {
    let exception = exception_text(class, message);
    context.err(&format!("{message}\n{exception}\n\n")).await;
    1
}

async fn list(
    context: &CommandContext,
    config: properties::Properties,
    servers: &str,
    filter: &Filter,
) -> Result<String, ClientError> {
    let mut admin = AdminSession::open(context, config, servers).await?;
    let request = AdminRequest::ListGroups {
        states: Vec::new(),
        types: Vec::new(),
        protocol_types: Vec::new(),
    };
    let answer = admin.call(request).await;
    admin.close().await;
    let AdminResponse::ListGroups { groups, errors } = answer? else {
        return Err(unexpected());
    };
    match errors.into_iter().next() {
        Some(error) => Err(error),
        None => Ok(table(groups.iter().filter(|group| filter.allows(group)))),
    }
}

/// The table: all columns as wide as the widest text.
fn table<'a>(groups: impl Iterator<Item = &'a GroupListing>) -> String {
    let rows: Vec<[&str; 3]> = groups
        .map(|group| {
            [
                group.group_id.as_str(),
                group.group_type.as_str(),
                group.protocol_type.as_str(),
            ]
        })
        .collect();
    let width = rows
        .iter()
        .flatten()
        .map(|text| text.encode_utf16().count())
        .max()
        .unwrap_or(0)
        .max(COLUMN_WIDTH);
    let mut text = format!(
        "{:width$} {:width$} {:width$}\n",
        "GROUP", "TYPE", "PROTOCOL"
    );
    for row in rows {
        for cell in row {
            text.push_str(&format!("{cell:width$} "));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(id: &str, kind: &str, protocol: &str) -> GroupListing {
        GroupListing {
            group_id: id.to_owned(),
            protocol_type: protocol.to_owned(),
            state: "Empty".to_owned(),
            group_type: kind.to_owned(),
        }
    }

    fn read(line: &str) -> Result<Filter, Refusal> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&args).map(|(_, filter)| filter)
    }

    #[test]
    fn filters_choose_groups() {
        let groups = [
            group("a", "Classic", "consumer"),
            group("b", "Classic", "connect"),
            group("c", "Share", "share"),
        ];
        let shown = |line: &str| -> Vec<&str> {
            let filter = read(&format!("--bootstrap-server a:1 --list {line}")).unwrap();
            groups
                .iter()
                .filter(|group| filter.allows(group))
                .map(|group| group.group_id.as_str())
                .collect()
        };
        assert_eq!(shown(""), ["a", "b", "c"]);
        assert_eq!(shown("--consumer"), ["a"]);
        assert_eq!(shown("--share"), ["c"]);
        assert_eq!(shown("--group-type classic"), ["a", "b"]);
        assert_eq!(shown("--group-type classic --protocol connect"), ["b"]);
    }

    #[test]
    fn what_contradicts_itself_is_refused() {
        let usage = |text: &str| Err(Refusal::Stop(Stop::Usage(text.to_owned())));
        assert_eq!(
            read("--list"),
            usage("Missing required option(s) [bootstrap-server]")
        );
        assert_eq!(
            read("--bootstrap-server a:1"),
            usage("Command must include exactly one action: --list.")
        );
        assert_eq!(
            read("--bootstrap-server a:1 --list --share --consumer"),
            usage("Option \"[consumer]\" can't be used with option \"[share]\"")
        );
    }

    #[test]
    fn columns_are_as_wide_as_the_widest_text() {
        let long = group("a-group-with-a-very-long-name", "Classic", "consumer");
        let text = table([&long].into_iter());
        assert!(text.starts_with(&format!("{:29} {:29} ", "GROUP", "TYPE")));
    }
}
