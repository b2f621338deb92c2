//! `kafka-configs`: show and change configs of topics, brokers and groups (`kafka.admin.ConfigCommand`).

use playground_client::admin::{
    AlterConfigOp, AlterConfigOperation, ConfigEntry, ConfigResource, ConfigResourceType,
    ConfigSource,
};
use playground_client::{AdminRequest, AdminResponse, ClientError};

use super::client_driver::{AdminSession, unexpected};
use super::java::exception_text;
use super::options::{
    HELP, Kind, OptionError, OptionSpec, Parsed, Stop, VERSION, check_help_or_version,
    check_invalid, flag, value,
};
use super::properties;
use super::quota_configs::{QuotaEntities, is_address};
use crate::commands::CommandContext;

/// The options.
pub const OPTIONS: &[OptionSpec] = &[
    value(
        "bootstrap-server",
        Kind::Text,
        "server to connect to",
        "The brokers to start from.",
    ),
    value(
        "bootstrap-controller",
        Kind::Text,
        "controller to connect to",
        "The controllers to start from.",
    ),
    value(
        "command-config",
        Kind::Text,
        "command config property file",
        "A properties file for the admin client.",
    ),
    flag("alter", "Change configs of the entity."),
    flag("describe", "Show configs of the entity."),
    flag(
        "all",
        "With --describe: all configs, not only those that were set.",
    ),
    value(
        "entity-type",
        Kind::Text,
        "",
        "The kind of the entity: topics, brokers, groups, users, clients or ips.",
    ),
    value(
        "entity-name",
        Kind::Text,
        "",
        "The entity's name: a topic's, a broker's id, a group's id, a user, a client's id, an address.",
    ),
    flag("entity-default", "The default of all entities of the kind."),
    value(
        "add-config",
        Kind::Text,
        "",
        "The configs to set, as 'k1=v1,k2=[v1,v2]': values with commas stand in square brackets.",
    ),
    value(
        "add-config-file",
        Kind::Text,
        "",
        "A properties file with the configs to set.",
    ),
    value(
        "delete-config",
        Kind::Text,
        "",
        "The configs to set back, as 'k1,k2'.",
    ),
    flag("force", "Do not ask."),
    value("topic", Kind::Text, "", "A topic's name."),
    value("broker", Kind::Text, "", "A broker's id."),
    flag("broker-defaults", "The default of all brokers."),
    value(
        "broker-logger",
        Kind::Text,
        "",
        "The id of a broker whose loggers are meant.",
    ),
    value("client", Kind::Text, "", "A client's id."),
    flag("client-defaults", "The default of all clients."),
    value("user", Kind::Text, "", "A user's name."),
    flag("user-defaults", "The default of all users."),
    value("ip", Kind::Text, "", "An IP address."),
    flag("ip-defaults", "The default of all IP addresses."),
    value(
        "client-metrics",
        Kind::Text,
        "",
        "The name of a client metrics subscription.",
    ),
    value("group", Kind::Text, "", "A group's id."),
    HELP,
    VERSION,
];

const ABOUT: &str = "This tool helps to manipulate and describe entity config for a topic, client, user, broker, ip, \
                     client-metrics or group";

/// The kinds of entities that are answered.
const KINDS: [(&str, ConfigResourceType); 3] = [
    ("topics", ConfigResourceType::Topic),
    ("brokers", ConfigResourceType::Broker),
    ("groups", ConfigResourceType::Group),
];

/// The kinds that have quotas.
const QUOTA_KINDS: [&str; 3] = ["users", "clients", "ips"];

/// All kinds that Kafka knows, in the order in which it names them.
const KNOWN: [&str; 8] = [
    "topics",
    "clients",
    "users",
    "brokers",
    "ips",
    "client-metrics",
    "groups",
    "broker-loggers",
];

/// Options that name a kind of entity: for one of them, for the default of all, and the kind.
const SHORTCUTS: [(&str, Option<&str>, &str); 8] = [
    ("topic", None, "topics"),
    ("client", Some("client-defaults"), "clients"),
    ("user", Some("user-defaults"), "users"),
    ("broker", Some("broker-defaults"), "brokers"),
    ("broker-logger", None, "broker-loggers"),
    ("ip", Some("ip-defaults"), "ips"),
    ("client-metrics", None, "client-metrics"),
    ("group", None, "groups"),
];

/// Which entities.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entity {
    /// The kind.
    kind: ConfigResourceType,
    /// Its name in options and texts: `topics`.
    kind_name: &'static str,
    /// The name; `None`: every one, `Some("")`: the default.
    name: Option<String>,
}

/// What has the configs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// Topics, brokers or groups.
    Resource(Entity),
    /// Users, clients or addresses: their quotas.
    Quotas(QuotaEntities),
}

/// A command line, read and checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arguments {
    parsed: Parsed,
    subject: Subject,
}

/// Why a command line is refused, or the command fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// Help, version, or a usage error with the option table.
    Stop(Stop),
    /// An `IllegalArgumentException`: its message alone.
    Message(String),
    /// The exception of a future, under a line that repeats the arguments.
    Exception(ClientError),
    /// Any other exception, under the same line.
    Direct(ClientError),
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Failure {
        Failure::Stop(stop)
    }
}

impl From<OptionError> for Failure {
    fn from(error: OptionError) -> Failure {
        Failure::Message(error.to_string())
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        Failure::Exception(error)
    }
}

/// Reads and checks a command line.
///
/// # Errors
/// The [`Failure`] to print.
pub fn parse(args: &[String]) -> Result<Arguments, Failure> {
    let parsed = Parsed::read(OPTIONS, args)?;
    check_help_or_version(&parsed, ABOUT)?;
    if parsed.has("alter") == parsed.has("describe") {
        let text = "Command must include exactly one action: --describe, --alter";
        return Err(Stop::Usage(text.to_owned()).into());
    }
    check_invalid(
        &parsed,
        "describe",
        &["alter", "add-config", "delete-config"],
    )?;
    let kinds = kinds(&parsed);
    if let Some(twice) = (1..kinds.len()).find(|index| kinds[..*index].contains(&kinds[*index])) {
        return refuse(format!(
            "Duplicate entity type(s) specified: {}",
            kinds[twice]
        ));
    }
    if !parsed.has("bootstrap-server") && !parsed.has("bootstrap-controller") {
        return refuse("Either --bootstrap-server or --bootstrap-controller must be specified.");
    }
    if let Some(unknown) = kinds.iter().find(|kind| !KNOWN.contains(&kind.as_str())) {
        return refuse(format!(
            "Invalid entity type {unknown}, the entity type must be one of {} with a --bootstrap-server or \
             --bootstrap-controller argument",
            KNOWN.join(", ")
        ));
    }
    let Some(first) = kinds.first() else {
        return refuse("At least one entity type must be specified");
    };
    let pair = |kind: &String| kind == "users" || kind == "clients";
    if kinds.len() > 1 && !kinds.iter().all(pair) {
        return refuse("Only 'users' and 'clients' entity types may be specified together");
    }
    let general = ["entity-name", "entity-type", "entity-default"];
    let shortcut = |(one, all, _): &(&str, Option<&str>, &str)| {
        parsed.has(one) || all.is_some_and(|all| parsed.has(all))
    };
    if general.iter().any(|name| parsed.has(name)) && SHORTCUTS.iter().any(shortcut) {
        return refuse(
            "--entity-{type,name,default} should not be used in conjunction with specific entity flags",
        );
    }
    if parsed.has("bootstrap-server") && parsed.has("bootstrap-controller") {
        return refuse("Only one of --bootstrap-server or --bootstrap-controller can be specified");
    }
    let names = names(&parsed, args)?;
    let name = if QUOTA_KINDS.contains(&first.as_str()) {
        names.first().cloned()
    } else {
        name(&parsed)?
    };
    let named = name.as_ref().is_some_and(|name| !name.is_empty());
    if let (Some(name), true) = (&name, first.starts_with("broker"))
        && !name.is_empty()
        && name.parse::<i32>().is_err()
    {
        return refuse(format!(
            "The entity name for {first} must be a valid integer broker id, but it is: {name}"
        ));
    }
    let with_default = ["users", "clients", "brokers", "ips"].contains(&first.as_str());
    if parsed.has("describe") {
        if !with_default && parsed.has("entity-default") {
            return refuse(format!(
                "--entity-default must not be specified with --describe of {first}"
            ));
        }
        if first == "broker-loggers" && !named {
            return refuse(format!(
                "An entity name must be specified with --describe of {first}"
            ));
        }
    } else {
        if with_default && name.is_none() {
            return refuse(
                "An entity-name or default entity must be specified with --alter of users, clients, brokers or ips",
            );
        }
        if !with_default && !named {
            return refuse(format!(
                "An entity name must be specified with --alter of {first}"
            ));
        }
        if parsed.has("add-config") && parsed.has("add-config-file") {
            return refuse("Only one of --add-config or --add-config-file must be specified");
        }
        let changes = ["add-config", "add-config-file", "delete-config"];
        if !changes.iter().any(|change| parsed.has(change)) {
            return refuse(
                "At least one of --add-config, --add-config-file, or --delete-config must be specified with --alter",
            );
        }
    }
    let subject = if QUOTA_KINDS.contains(&first.as_str()) {
        // The names go with the kinds in their order.
        let quotas = QuotaEntities {
            kinds: kinds
                .iter()
                .filter_map(|kind| QUOTA_KINDS.into_iter().find(|known| known == kind))
                .collect(),
            names,
        };
        if first == "ips"
            && let Some(bad) = quotas.names.iter().find(|name| !is_address(name))
        {
            return refuse(format!(
                "The entity name for ips must be a valid IP or resolvable host, but it is: {bad}"
            ));
        }
        if parsed.has("alter") && quotas.names.len() != quotas.kinds.len() {
            return refuse("An entity name must be specified for every entity type");
        }
        Subject::Quotas(quotas)
    } else {
        let Some((kind_name, kind)) = KINDS.into_iter().find(|(name, _)| name == first) else {
            return refuse(format!("Configs of {first} are not supported yet"));
        };
        Subject::Resource(Entity {
            kind,
            kind_name,
            name,
        })
    };
    Ok(Arguments { parsed, subject })
}

/// All names that are given, "" for a default: the general ones in the order of the command line first.
fn names(parsed: &Parsed, args: &[String]) -> Result<Vec<String>, Failure> {
    let mut given = parsed.texts("entity-name").iter();
    let mut names: Vec<String> = args
        .iter()
        .filter_map(|arg| {
            if arg == "--entity-default" {
                Some(String::new())
            } else if arg == "--entity-name" || arg.starts_with("--entity-name=") {
                given.next().cloned()
            } else {
                None
            }
        })
        .collect();
    for (one, ..) in SHORTCUTS {
        names.extend(parsed.text(one)?.map(str::to_owned));
    }
    let defaults = SHORTCUTS
        .iter()
        .filter(|(_, all, _)| all.is_some_and(|all| parsed.has(all)));
    names.extend(defaults.map(|_| String::new()));
    Ok(names)
}

fn refuse<T>(text: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Message(text.into()))
}

/// The kinds of entities that are named, as often as they are.
fn kinds(parsed: &Parsed) -> Vec<String> {
    let shortcuts = SHORTCUTS.iter();
    let ones = shortcuts
        .clone()
        .filter(|(one, ..)| parsed.has(one))
        .map(|(.., kind)| (*kind).to_owned());
    let defaults = shortcuts
        .filter(|(_, all, _)| all.is_some_and(|all| parsed.has(all)))
        .map(|(.., kind)| (*kind).to_owned());
    parsed
        .texts("entity-type")
        .iter()
        .cloned()
        .chain(ones)
        .chain(defaults)
        .collect()
}

/// The entity's name, "" for the default.
fn name(parsed: &Parsed) -> Result<Option<String>, Failure> {
    for (one, all, _) in SHORTCUTS {
        if let Some(name) = parsed.text(one)? {
            return Ok(Some(name.to_owned()));
        }
        if all.is_some_and(|all| parsed.has(all)) {
            return Ok(Some(String::new()));
        }
    }
    Ok(match parsed.text("entity-name")? {
        Some(name) => Some(name.to_owned()),
        None => parsed.has("entity-default").then(String::new),
    })
}

/// Runs the tool.
pub async fn run(context: CommandContext) -> i32 {
    let result = match parse(&context.args) {
        Ok(arguments) => execute(&context, &arguments).await,
        Err(failure) => Err(failure),
    };
    match result {
        Ok(()) => 0,
        Err(Failure::Stop(stop)) => stop.print(&context, OPTIONS).await,
        Err(Failure::Message(text)) => {
            context.err(&format!("{text}\n")).await;
            1
        }
        Err(Failure::Exception(error)) => {
            failed(
                &context,
                "java.util.concurrent.ExecutionException: ",
                &error,
            )
            .await
        }
        Err(Failure::Direct(error)) => failed(&context, "", &error).await,
    }
}

async fn failed(context: &CommandContext, wrapper: &str, error: &ClientError) -> i32 {
    let exception = exception_text(&error.exception, &error.message);
    let args = context.args.join(" ");
    context
        .err(&format!(
            "Error while executing config command with args '{args}'\n{wrapper}{exception}\n"
        ))
        .await;
    1
}

fn no_such_file(path: String) -> Failure {
    Failure::Direct(ClientError::new("java.nio.file.NoSuchFileException", path))
}

async fn execute(context: &CommandContext, arguments: &Arguments) -> Result<(), Failure> {
    let parsed = &arguments.parsed;
    let config = match parsed.text("command-config")? {
        Some(path) => properties::load(context, path).map_err(no_such_file)?,
        None => properties::Properties::new(),
    };
    let servers = match parsed.text("bootstrap-server")? {
        Some(servers) => servers.to_owned(),
        None => parsed
            .text("bootstrap-controller")?
            .unwrap_or_default()
            .to_owned(),
    };
    let mut admin = AdminSession::open(context, config, &servers)
        .await
        .map_err(Failure::Direct)?;
    let result = if parsed.has("alter") {
        alter(context, arguments, &mut admin).await
    } else {
        describe(context, arguments, &mut admin).await
    };
    admin.close().await;
    result
}

async fn alter(
    context: &CommandContext,
    arguments: &Arguments,
    admin: &mut AdminSession,
) -> Result<(), Failure> {
    let parsed = &arguments.parsed;
    let mut added = Vec::new();
    if let Some(text) = parsed.text("add-config")? {
        added.extend(parse_added(text)?);
    }
    if let Some(path) = parsed.text("add-config-file")? {
        added.extend(properties::load(context, path).map_err(no_such_file)?);
    }
    let deleted: Vec<String> = parsed
        .text("delete-config")?
        .map(|text| text.split(',').map(|name| name.trim().to_owned()).collect())
        .unwrap_or_default();
    let (kind_name, name) = match &arguments.subject {
        Subject::Quotas(quotas) => {
            quotas.alter(&added, &deleted, admin).await?;
            (
                quotas.kinds.first().copied().unwrap_or_default(),
                quotas.names.first().cloned().unwrap_or_default(),
            )
        }
        Subject::Resource(entity) => {
            let name = entity.name.clone().unwrap_or_default();
            alter_resource(entity.kind, &name, added, deleted, admin).await?;
            (entity.kind_name, name)
        }
    };
    let text = if name.is_empty() {
        format!("Completed updating default config for {kind_name} in the cluster.\n")
    } else {
        format!(
            "Completed updating config for {} {name}.\n",
            singular(kind_name)
        )
    };
    context.out(&text).await;
    Ok(())
}

async fn alter_resource(
    kind: ConfigResourceType,
    name: &str,
    added: Vec<(String, String)>,
    deleted: Vec<String>,
    admin: &mut AdminSession,
) -> Result<(), Failure> {
    let set = added.into_iter().map(|(name, value)| AlterConfigOp {
        operation: AlterConfigOperation::Set,
        name,
        value: Some(value),
    });
    let delete = deleted.into_iter().map(|name| AlterConfigOp {
        operation: AlterConfigOperation::Delete,
        name,
        value: None,
    });
    let resource = ConfigResource {
        kind,
        name: name.to_owned(),
    };
    let request = AdminRequest::IncrementalAlterConfigs {
        changes: vec![(resource, set.chain(delete).collect())],
        validate_only: false,
    };
    let AdminResponse::IncrementalAlterConfigs(results) = admin.call(request).await? else {
        return Err(unexpected().into());
    };
    Ok(results.into_values().collect::<Result<(), ClientError>>()?)
}

fn singular(kind_name: &str) -> &str {
    kind_name.strip_suffix('s').unwrap_or(kind_name)
}

/// `k1=v1,k2=[v1,v2]`.
fn parse_added(text: &str) -> Result<Vec<(String, String)>, Failure> {
    let mut pairs = vec![String::new()];
    let mut depth = 0_i32;
    for c in text.chars() {
        match c {
            '[' => depth += 1,
            ']' => depth -= 1,
            _ => {}
        }
        match (c, pairs.last_mut()) {
            (',', _) if depth <= 0 => pairs.push(String::new()),
            (c, Some(last)) => last.push(c),
            (_, None) => {}
        }
    }
    pairs
        .into_iter()
        .filter(|pair| !pair.trim().is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((name, value)) => Ok((name.trim().to_owned(), value.trim().replace(['[', ']'], ""))),
            None => Err(Failure::Message(
                "requirement failed: Invalid entity config: all configs to be added must be in the format \"key=val\" or  \
                 \"key=[val1,val2]\" to group values which contain commas."
                    .to_owned(),
            )),
        })
        .collect()
}

async fn describe(
    context: &CommandContext,
    arguments: &Arguments,
    admin: &mut AdminSession,
) -> Result<(), Failure> {
    let entity = match &arguments.subject {
        Subject::Quotas(quotas) => return quotas.describe(context, admin).await,
        Subject::Resource(entity) => entity,
    };
    let all = arguments.parsed.has("all");
    let known = known_names(entity.kind, admin).await?;
    let names = match &entity.name {
        Some(name) => {
            if let Some(known) = &known
                && !name.is_empty()
                && !known.contains(name)
            {
                let kind = singular(entity.kind_name);
                context
                    .out(&format!(
                        "The {kind} '{name}' doesn't exist and doesn't have dynamic config.\n"
                    ))
                    .await;
                return Ok(());
            }
            vec![name.clone()]
        }
        None => {
            let mut names = known.unwrap_or_default();
            if entity.kind == ConfigResourceType::Broker {
                names.push(String::new());
            }
            names
        }
    };
    for name in names {
        let kind = singular(entity.kind_name);
        let header = if name.is_empty() {
            format!(
                "Default configs for {} in the cluster are:\n",
                entity.kind_name
            )
        } else {
            format!(
                "{} configs for {kind} {name} are:\n",
                if all { "All" } else { "Dynamic" }
            )
        };
        let entries = entries(entity.kind, &name, all, admin).await?;
        context
            .out(&format!(
                "{header}{}",
                entries.iter().map(entry_text).collect::<String>()
            ))
            .await;
    }
    Ok(())
}

/// The entities of a kind that exist; `None` where any name will do.
async fn known_names(
    kind: ConfigResourceType,
    admin: &mut AdminSession,
) -> Result<Option<Vec<String>>, Failure> {
    match kind {
        ConfigResourceType::Topic => {
            let request = AdminRequest::ListTopics {
                list_internal: true,
            };
            let AdminResponse::ListTopics(listings) = admin.call(request).await? else {
                return Err(unexpected().into());
            };
            let mut names: Vec<String> = listings.into_iter().map(|listing| listing.name).collect();
            names.sort();
            Ok(Some(names))
        }
        ConfigResourceType::Broker => {
            let AdminResponse::DescribeCluster(cluster) = admin
                .call(AdminRequest::DescribeCluster {
                    include_fenced: false,
                })
                .await?
            else {
                return Err(unexpected().into());
            };
            Ok(Some(
                cluster
                    .nodes
                    .iter()
                    .map(|node| node.id.to_string())
                    .collect(),
            ))
        }
        _ => Ok(None),
    }
}

async fn entries(
    kind: ConfigResourceType,
    name: &str,
    all: bool,
    admin: &mut AdminSession,
) -> Result<Vec<ConfigEntry>, Failure> {
    let source = match kind {
        ConfigResourceType::Topic => ConfigSource::DYNAMIC_TOPIC_CONFIG,
        ConfigResourceType::Group => ConfigSource::DYNAMIC_GROUP_CONFIG,
        _ if name.is_empty() => ConfigSource::DYNAMIC_DEFAULT_BROKER_CONFIG,
        _ => ConfigSource::DYNAMIC_BROKER_CONFIG,
    };
    let resources = vec![ConfigResource {
        kind,
        name: name.to_owned(),
    }];
    let request = AdminRequest::DescribeConfigs {
        resources,
        include_synonyms: true,
        include_documentation: false,
    };
    let AdminResponse::DescribeConfigs(results) = admin.call(request).await? else {
        return Err(unexpected().into());
    };
    let mut entries = Vec::new();
    for result in results.into_values() {
        entries.extend(result?);
    }
    entries.retain(|entry| all || entry.source == source);
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(entries)
}

fn entry_text(entry: &ConfigEntry) -> String {
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "null".to_owned());
    let synonyms: Vec<String> = entry
        .synonyms
        .iter()
        .map(|synonym| {
            format!(
                "{}:{}={}",
                synonym.source.name(),
                synonym.name,
                value(&synonym.value)
            )
        })
        .collect();
    format!(
        "  {}={} sensitive={} synonyms={{{}}}\n",
        entry.name,
        value(&entry.value),
        entry.is_sensitive,
        synonyms.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Arguments, Failure> {
        parse(
            &line
                .split_whitespace()
                .map(str::to_owned)
                .collect::<Vec<_>>(),
        )
    }

    #[test]
    fn an_entity_is_named_in_two_ways() {
        let long =
            read("--bootstrap-server a:1 --describe --entity-type topics --entity-name t").unwrap();
        let short = read("--bootstrap-server a:1 --describe --topic t").unwrap();
        assert_eq!(long.subject, short.subject);
        let default =
            read("--bootstrap-server a:1 --describe --entity-type brokers --entity-default")
                .unwrap();
        assert!(matches!(
            default.subject,
            Subject::Resource(entity) if entity.name.as_deref() == Some("")
        ));
    }

    #[test]
    fn users_and_clients_are_named_in_order() {
        let args = "--bootstrap-server a:1 --describe --entity-type users --entity-default --entity-type clients --entity-name app";
        let quotas = QuotaEntities {
            kinds: vec!["users", "clients"],
            names: vec![String::new(), "app".to_owned()],
        };
        assert_eq!(read(args).unwrap().subject, Subject::Quotas(quotas));
        assert_eq!(
            read("--bootstrap-server a:1 --alter --add-config a=1 --entity-type users --entity-type clients --entity-name c")
                .unwrap_err(),
            Failure::Message("An entity name must be specified for every entity type".to_owned())
        );
        let two =
            "--bootstrap-server a:1 --describe --entity-type users --entity-name u --entity-name v";
        assert!(read(two).is_ok());
        assert!(read("--bootstrap-server a:1 --describe --ip no.such.host").is_err());
    }

    #[test]
    fn lists_of_values_stand_in_brackets() {
        let pairs = parse_added("a=1,cleanup.policy=[delete,compact]").unwrap();
        assert_eq!(
            pairs[1],
            ("cleanup.policy".to_owned(), "delete,compact".to_owned())
        );
        assert!(parse_added("novalue").is_err());
    }

    #[test]
    fn one_action_is_needed() {
        let text = "Command must include exactly one action: --describe, --alter".to_owned();
        assert_eq!(
            read("--bootstrap-server a:1 --topic t").unwrap_err(),
            Failure::Stop(Stop::Usage(text))
        );
    }
}
