//! `kafka-storage`: log directories before a node starts, ids and features (`kafka.tools.StorageTool`). Formatting is
//! not here yet: a node formats its own directory when it first starts.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use super::argparse::{Action, Ending, Flag, Namespace, Parser, option};
use super::features::{
    METADATA_LATEST, NoDependencies, dependencies_text, metadata_version_name,
    parse_metadata_version, version_mapping,
};
use super::kafka_uuid;
use super::properties::{self, Properties};
use crate::commands::CommandContext;

const CONFIG: Flag = option(
    &["--config", "-c"],
    Action::Store,
    "The node's properties file.",
)
.required();

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
    name: "kafka-storage",
    about: "Looks at a node's log directories, and at features. (Its `format` is not supported here yet: nodes format their own directories.)",
    options: &[],
    groups: &[],
    commands: &[
        command("info", "Show this node's log directories.", &[CONFIG]),
        command(
            "version-mapping",
            "Show the levels that come with a metadata.version; without --release-version, with the newest.",
            &[option(
                &["--release-version", "-r"],
                Action::Store,
                "The release. The lowest is 3.3-IV3; the default is 4.3-IV0.",
            )],
        ),
        command(
            "feature-dependencies",
            "Show what levels of features need of others.",
            &[option(
                &["--feature", "-f"],
                Action::Append,
                "A feature and its level, as feature=level. May be repeated.",
            )
            .required()],
        ),
        command("random-uuid", "Print a random id.", &[]),
    ],
    default_help: false,
};

/// Runs the tool.
pub async fn run(context: CommandContext) -> i32 {
    let namespace = match PARSER.parse(&context.args) {
        Ok(namespace) => namespace,
        Err(Ending::Help(text)) => {
            context.out(&text).await;
            return 0;
        }
        Err(Ending::Error { printed, .. }) => {
            context.err(&printed).await;
            return 1;
        }
    };
    let result = match namespace.command.as_str() {
        "info" => return info(&context, &namespace).await,
        "version-mapping" => mapping(&namespace),
        "feature-dependencies" => dependencies(&context, &namespace).await,
        _ => Ok(format!("{}\n", kafka_uuid::to_text(random_uuid(&context)))),
    };
    match result {
        Ok(text) => {
            context.out(&text).await;
            0
        }
        Err(text) => {
            context.err(&format!("{text}\n")).await;
            1
        }
    }
}

/// A random UUID of version 4 whose text begins with no dash, as `Uuid.randomUuid` gives it.
fn random_uuid(context: &CommandContext) -> Uuid {
    loop {
        let bits =
            u128::from(context.process.random()) << 64 | u128::from(context.process.random());
        let uuid = uuid::Builder::from_random_bytes(bits.to_be_bytes()).into_uuid();
        if !kafka_uuid::to_text(uuid).starts_with('-') {
            return uuid;
        }
    }
}

fn mapping(namespace: &Namespace) -> Result<String, String> {
    let latest = metadata_version_name(METADATA_LATEST).unwrap_or_default();
    let release = namespace.text("release-version").unwrap_or(latest);
    let level = parse_metadata_version(release, true)?;
    Ok(version_mapping(level, release))
}

async fn dependencies(context: &CommandContext, namespace: &Namespace) -> Result<String, String> {
    for argument in namespace.texts("feature") {
        let Some((name, level)) = argument.split_once('=') else {
            return Err(format!(
                "Invalid feature format: {argument}. Expected format: 'feature=version' (e.g. 'group.version=1')"
            ));
        };
        let (name, shown) = (name.trim(), level.trim());
        let level = shown
            .parse::<i16>()
            .map_err(|_| format!("Invalid version format: {shown} for feature {name}"))?;
        let text = dependencies_text(name, level).map_err(|why| match why {
            NoDependencies::MetadataVersion => format!("Unknown metadata.version {level}"),
            NoDependencies::Feature => format!("Unknown feature: {name}"),
            NoDependencies::Level => {
                format!("Feature level {level} is not supported for feature {name}")
            }
        })?;
        context.out(&text).await;
    }
    Ok(String::new())
}

/// A node's log directories by its properties, sorted.
fn directories(config: &Properties) -> BTreeSet<String> {
    let text = |name: &str| config.get(name).map(String::as_str);
    let list = text("log.dirs")
        .or(text("log.dir"))
        .unwrap_or("/tmp/kafka-logs");
    list.split(',')
        .chain(text("metadata.log.dir"))
        .map(|path| path.trim().to_owned())
        .filter(|path| !path.is_empty())
        .collect()
}

async fn info(context: &CommandContext, namespace: &Namespace) -> i32 {
    let path = namespace.text("config").unwrap_or_default();
    let config = match properties::load(context, path) {
        Ok(config) => config,
        Err(path) => {
            context
                .err(&format!(
                    "Exception in thread \"main\" java.nio.file.NoSuchFileException: {path}\n"
                ))
                .await;
            return 1;
        }
    };
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    let mut first: Option<Properties> = None;
    for directory in directories(&config) {
        let absolute = context.path(&directory);
        let (exists, meta) = context.process.with_disk(|disk| {
            let exists = disk.is_directory(&absolute);
            (
                exists,
                disk.read_all(&format!("{absolute}/meta.properties")),
            )
        });
        if !exists {
            problems.push(format!("{directory} does not exist"));
            continue;
        }
        match meta {
            None => problems.push(format!("{directory} is not formatted.")),
            Some(bytes) => {
                let meta = properties::parse(&String::from_utf8_lossy(&bytes));
                match &first {
                    None => first = Some(meta),
                    Some(before) => problems.extend(mismatch(before, &meta)),
                }
            }
        }
        found.push(directory);
    }
    context
        .out(&report(&found, first.as_ref(), &problems))
        .await;
    i32::from(!problems.is_empty())
}

fn mismatch(before: &Properties, now: &Properties) -> Option<String> {
    let differs = |name: &str| before.get(name) != now.get(name);
    if differs("cluster.id") {
        Some("Mismatched cluster IDs between storage directories.".to_owned())
    } else if differs("node.id") {
        Some("Mismatched node IDs between storage directories.".to_owned())
    } else {
        None
    }
}

fn report(found: &[String], meta: Option<&Properties>, problems: &[String]) -> String {
    let mut text = String::new();
    let mut list = |one: &str, many: &str, lines: &[String]| {
        if !lines.is_empty() {
            let title = if lines.len() == 1 { one } else { many };
            text.push_str(&format!("{title}:\n  {}\n\n", lines.join("\n  ")));
        }
    };
    list("Found log directory", "Found log directories", found);
    let metadata = meta.map(|meta| {
        let sorted: BTreeMap<_, _> = meta.iter().collect();
        let pairs: Vec<String> = sorted
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        format!("Found metadata: {{{}}}\n\n", pairs.join(", "))
    });
    let mut text = text + &metadata.unwrap_or_default();
    if !problems.is_empty() {
        let title = if problems.len() == 1 {
            "problem"
        } else {
            "problems"
        };
        text.push_str(&format!("Found {title}:\n  {}\n\n", problems.join("\n  ")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_and_their_metadata_are_listed() {
        let meta = properties::parse("node.id=5\ncluster.id=c\n");
        assert_eq!(
            report(&["/d".to_owned()], Some(&meta), &[]),
            "Found log directory:\n  /d\n\nFound metadata: {cluster.id=c, node.id=5}\n\n"
        );
        assert_eq!(
            report(&[], None, &["/d does not exist".to_owned()]),
            "Found problem:\n  /d does not exist\n\n"
        );
    }

    #[test]
    fn directories_come_from_three_properties() {
        let config = properties::parse("log.dirs=/b,/a\nmetadata.log.dir=/c\n");
        let found: Vec<String> = directories(&config).into_iter().collect();
        assert_eq!(found, ["/a", "/b", "/c"]);
    }
}
