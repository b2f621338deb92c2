//! `kafka-features`: features and their levels (`org.apache.kafka.tools.FeatureCommand`).

use indexmap::IndexMap;
use playground_client::admin::{FeatureMetadata, FeatureUpdate, UpgradeType};
use playground_client::{AdminRequest, AdminResponse, ClientError};

use super::argparse::{Action, Ending, Flag, Group, Namespace, Parser, option};
use super::client_driver::{AdminSession, unexpected};
use super::features::{
    FEATURES, METADATA_LATEST, METADATA_VERSION, NoDependencies, dependencies_text,
    metadata_version_name, parse_metadata_version, version_mapping,
};
use super::java::execution_exception;
use super::properties;
use crate::commands::CommandContext;

const FEATURE: Flag = option(
    &["--feature"],
    Action::Append,
    "A feature and its new level, as feature=level: `metadata.version=30`. May be repeated.",
);
const METADATA: Flag = option(
    &["--metadata"],
    Action::Store,
    "DEPRECATED: the new metadata.version, as 4.0-IV3.",
);
const RELEASE: Flag = option(
    &["--release-version"],
    Action::Store,
    "A release: every feature gets the level that comes with it. See version-mapping.",
);
const DRY_RUN: Flag = option(
    &["--dry-run"],
    Action::Flag,
    "Only check the change, and do not make it.",
);
const UNSAFE: Flag = option(
    &["--unsafe"],
    Action::Flag,
    "Go down even if that loses metadata for good.",
);

const fn command(name: &'static str, about: &'static str, options: &'static [Flag]) -> Parser {
    Parser {
        name,
        about,
        options,
        groups: &[],
        commands: &[],
        default_help: false,
    }
}

/// The command line.
pub const PARSER: Parser = Parser {
    name: "kafka-features",
    about: "Shows and changes the levels of the cluster's features.",
    options: &[
        option(
            &["--bootstrap-server"],
            Action::Store,
            "The brokers to start from, as host:port, comma separated.",
        )
        .within(0),
        option(
            &["--bootstrap-controller"],
            Action::Store,
            "The controllers to start from, as host:port, comma separated.",
        )
        .within(0),
        option(
            &["--command-config"],
            Action::Store,
            "A properties file for the admin client.",
        ),
    ],
    groups: &[Group {
        title: "",
        exclusive: true,
        required: false,
    }],
    commands: &[
        command(
            "describe",
            "Show the levels in force and those supported.",
            &[option(
                &["--node-id"],
                Action::Integer,
                "The node to ask; without it any.",
            )],
        ),
        command(
            "upgrade",
            "Raise the levels of features.",
            &[METADATA, RELEASE, FEATURE, DRY_RUN],
        ),
        command(
            "downgrade",
            "Lower the levels of features.",
            &[METADATA, RELEASE, FEATURE, UNSAFE, DRY_RUN],
        ),
        command(
            "disable",
            "Take features away: as a downgrade to 0.",
            &[
                option(
                    &["--feature"],
                    Action::Append,
                    "A feature. May be repeated.",
                ),
                UNSAFE,
                DRY_RUN,
            ],
        ),
        command(
            "version-mapping",
            "Show the levels that come with a metadata.version; without --release-version, with the newest.",
            &[option(
                &["--release-version"],
                Action::Store,
                "The release. The lowest is 3.3-IV3; the default is 4.3-IV0.",
            )],
        ),
        command(
            "feature-dependencies",
            "Show what levels of features need of others.",
            &[option(
                &["--feature"],
                Action::Append,
                "A feature and its level, as feature=level. May be repeated.",
            )
            .required()],
        ),
    ],
    default_help: true,
};

/// Runs the tool.
pub async fn run(context: CommandContext) -> i32 {
    let namespace = match PARSER.parse(&context.args) {
        Ok(namespace) => namespace,
        Err(Ending::Help(text)) => {
            context.out(&text).await;
            return 0;
        }
        Err(Ending::Error { message, .. }) => return command_line_error(&context, &message).await,
    };
    let result = match namespace.command.as_str() {
        "version-mapping" => mapping(&namespace),
        "feature-dependencies" => dependencies(&context, &namespace).await,
        _ if namespace.text("bootstrap-server").is_none()
            && namespace.text("bootstrap-controller").is_none() =>
        {
            let text = "You must specify either --bootstrap-controller or --bootstrap-server.";
            return command_line_error(&context, text).await;
        }
        _ => with_cluster(&context, &namespace).await,
    };
    match result {
        Ok(text) => {
            context.out(&text).await;
            0
        }
        Err(message) => {
            context.err(&format!("{message}\n")).await;
            1
        }
    }
}

/// Java prints no line end here.
async fn command_line_error(context: &CommandContext, message: &str) -> i32 {
    context
        .err(&format!(
            "Command line error: {message}. Type --help for help."
        ))
        .await;
    1
}

fn mapping(namespace: &Namespace) -> Result<String, String> {
    let latest = metadata_version_name(METADATA_LATEST).unwrap_or_default();
    let release = namespace.text("release-version").unwrap_or(latest);
    let level = parse_metadata_version(release, true)?;
    Ok(version_mapping(level, release))
}

async fn dependencies(context: &CommandContext, namespace: &Namespace) -> Result<String, String> {
    for argument in namespace.texts("feature") {
        let (name, level) = name_and_level(argument)?;
        let text = dependencies_text(&name, level).map_err(|why| match why {
            NoDependencies::MetadataVersion => format!("Unknown metadata.version {level}"),
            NoDependencies::Feature => format!("Unknown feature: {name}"),
            NoDependencies::Level => format!("No feature:{name} with feature level {level}"),
        })?;
        context.out(&text).await;
    }
    Ok(String::new())
}

fn name_and_level(argument: &str) -> Result<(String, i16), String> {
    let wrong = format!("Can't parse feature=level string {argument}");
    let Some((name, level)) = argument.split_once('=') else {
        return Err(format!("{wrong}: equals sign not found."));
    };
    let level = level.trim();
    match level.parse() {
        Ok(level) => Ok((name.trim().to_owned(), level)),
        Err(_) => Err(format!("{wrong}: unable to parse {level} as a short.")),
    }
}

async fn with_cluster(context: &CommandContext, namespace: &Namespace) -> Result<String, String> {
    let message = |error: ClientError| error.message;
    let path = namespace.text("command-config");
    let properties = properties::load_optional(context, path).map_err(message)?;
    let server = namespace.text("bootstrap-server");
    let controller = namespace.text("bootstrap-controller");
    let mut admin = AdminSession::open_at(context, properties, server, controller)
        .await
        .map_err(message)?;
    let result = match namespace.command.as_str() {
        "describe" => describe(&mut admin, namespace).await,
        _ => change(context, &mut admin, namespace).await,
    };
    admin.close().await;
    result
}

async fn describe(admin: &mut AdminSession, namespace: &Namespace) -> Result<String, String> {
    let node: Option<i32> = namespace.number("node-id");
    if let Some(node) = node.filter(|node| *node < 0) {
        return Err(format!("Invalid node id {node}: must be non-negative."));
    }
    match admin.call(AdminRequest::DescribeFeatures { node }).await {
        Ok(AdminResponse::DescribeFeatures(features)) => Ok(description(&features)),
        Ok(_) => Err(unexpected().message),
        Err(error) => Err(execution_exception(error).message),
    }
}

fn description(features: &FeatureMetadata) -> String {
    let level = |name: &str, level: i16| match metadata_version_name(level) {
        _ if name != METADATA_VERSION => level.to_string(),
        Some(version) => version.to_owned(),
        None => format!("UNKNOWN {level}"),
    };
    let epoch = features
        .epoch
        .map_or("-".to_owned(), |epoch| epoch.to_string());
    let mut text = String::new();
    for (name, (low, high)) in &features.supported {
        let finalized = features.finalized.get(name).copied().unwrap_or(0);
        text.push_str(&format!(
            "Feature: {name:<40}  SupportedMinVersion: {:<15}  SupportedMaxVersion: {:<15}  FinalizedVersionLevel: {:<15}  Epoch: {epoch}\n",
            level(name, *low),
            level(name, *high),
            level(name, finalized),
        ));
    }
    text
}

/// The new levels that the command line asks for.
async fn updates(
    context: &CommandContext,
    namespace: &Namespace,
) -> Result<IndexMap<String, i16>, String> {
    let mut updates = IndexMap::new();
    let mut add = |name: String, level: i16| match updates.insert(name.clone(), level) {
        Some(_) => Err(format!("Feature {name} was specified more than once.")),
        None => Ok(()),
    };
    let features = namespace.texts("feature");
    if namespace.command == "disable" {
        for name in features {
            add(name.clone(), 0)?;
        }
        return Ok(updates);
    }
    let metadata = namespace.text("metadata");
    if let Some(release) = namespace.text("release-version") {
        if metadata.is_some() || !features.is_empty() {
            return Err("Can not specify `release-version` with other feature flags.".to_owned());
        }
        let version = parse_metadata_version(release, true)?;
        add(METADATA_VERSION.to_owned(), version)?;
        for feature in FEATURES {
            let level = feature.default_level(version);
            if namespace.command != "upgrade" || level > 0 {
                add(feature.name.to_owned(), level)?;
            }
        }
    }
    if let Some(metadata) = metadata {
        context
            .out(" `metadata` flag is deprecated and may be removed in a future release.\n")
            .await;
        let level = parse_metadata_version(metadata, true)?;
        add(METADATA_VERSION.to_owned(), level)?;
    }
    for argument in features {
        let (name, level) = name_and_level(argument)?;
        add(name, level)?;
    }
    Ok(updates)
}

async fn change(
    context: &CommandContext,
    admin: &mut AdminSession,
    namespace: &Namespace,
) -> Result<String, String> {
    let operation = namespace.command.as_str();
    let dry_run = namespace.has("dry-run");
    let upgrade_type = match operation {
        "upgrade" => UpgradeType::Upgrade,
        _ if namespace.has("unsafe") => UpgradeType::UnsafeDowngrade,
        _ => UpgradeType::SafeDowngrade,
    };
    let updates = updates(context, namespace).await?;
    if updates.is_empty() {
        return Err(format!(
            "You must specify at least one feature to {operation}"
        ));
    }
    let request = AdminRequest::UpdateFeatures {
        updates: updates
            .iter()
            .map(|(feature, level)| FeatureUpdate {
                feature: feature.clone(),
                level: *level,
                upgrade_type,
            })
            .collect(),
        validate_only: dry_run,
    };
    let mut results = match admin.call(request).await {
        Ok(AdminResponse::UpdateFeatures(results)) => results,
        Ok(_) => return Err(unexpected().message),
        Err(error) => return Err(error.message),
    };
    results.sort_keys();
    let mut failures = 0;
    for (feature, result) in &results {
        let level = updates.get(feature).copied().unwrap_or(0);
        let object = match operation {
            "disable" => String::new(),
            _ => format!(" to {level}"),
        };
        let text = match result {
            Err(error) => {
                failures += 1;
                let helper = if dry_run { "Can not" } else { "Could not" };
                format!(
                    "{helper} {operation} {feature}{object}. {}\n",
                    error.message
                )
            }
            Ok(()) => {
                let verb = if dry_run { "can be" } else { "was" };
                format!("{feature} {verb} {operation}d{object}.\n")
            }
        };
        context.out(&text).await;
    }
    if failures > 0 {
        return Err(format!(
            "{failures} out of {} operation(s) failed.",
            updates.len()
        ));
    }
    Ok(String::new())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_shown_in_columns() {
        let mut features = FeatureMetadata {
            epoch: Some(6),
            ..FeatureMetadata::default()
        };
        features
            .supported
            .insert(METADATA_VERSION.to_owned(), (7, 30));
        features.finalized.insert(METADATA_VERSION.to_owned(), 30);
        assert_eq!(
            description(&features),
            "Feature: metadata.version                          SupportedMinVersion: 3.3-IV3          SupportedMaxVersion: 4.3-IV0          FinalizedVersionLevel: 4.3-IV0          Epoch: 6\n"
        );
    }

    #[test]
    fn a_level_is_a_short_after_an_equals_sign() {
        assert_eq!(name_and_level("a = 3"), Ok(("a".to_owned(), 3)));
        assert_eq!(
            name_and_level("a"),
            Err("Can't parse feature=level string a: equals sign not found.".to_owned())
        );
        assert_eq!(
            name_and_level("a=99999"),
            Err(
                "Can't parse feature=level string a=99999: unable to parse 99999 as a short."
                    .to_owned()
            )
        );
    }
}
