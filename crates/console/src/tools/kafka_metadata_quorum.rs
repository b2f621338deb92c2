//! `kafka-metadata-quorum`: the controllers' quorum (`org.apache.kafka.tools.MetadataQuorumCommand`).

use playground_client::admin::{QuorumInfo, QuorumReplica, RaftEndpoint};
use playground_client::{AdminRequest, AdminResponse, ClientError};
use uuid::Uuid;

use super::argparse::{Action, Ending, Group, Namespace, Parser, option};
use super::client_driver::{AdminSession, unexpected};
use super::java::{execution_exception, print_failure};
use super::kafka_uuid;
use super::properties::{self, Properties};
use crate::commands::CommandContext;

/// The command line.
pub const PARSER: Parser = Parser {
    name: "kafka-metadata-quorum",
    about: "Shows and changes the quorum of the controllers.",
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
            "A properties file for the admin client; for add-controller, that of the controller too.",
        ),
    ],
    groups: &[Group {
        title: "",
        exclusive: true,
        required: true,
    }],
    commands: &[
        Parser {
            name: "describe",
            about: "Show the quorum.",
            options: &[
                option(&["--status"], Action::Flag, "The quorum in a few lines.").within(0),
                option(
                    &["--replication"],
                    Action::Flag,
                    "How far each replica of the log is.",
                )
                .within(1),
                option(
                    &["--human-readable"],
                    Action::Flag,
                    "Times as so many ms ago.",
                )
                .within(1),
            ],
            groups: &[
                Group {
                    title: "Status",
                    exclusive: false,
                    required: false,
                },
                Group {
                    title: "Replication",
                    exclusive: false,
                    required: false,
                },
            ],
            commands: &[],
            default_help: false,
        },
        Parser {
            name: "add-controller",
            about: "Make a controller a voter.",
            options: &[option(
                &["--dry-run"],
                Action::Flag,
                "Only say what would be done.",
            )],
            groups: &[],
            commands: &[],
            default_help: false,
        },
        Parser {
            name: "remove-controller",
            about: "Make a voter no voter.",
            options: &[
                option(
                    &["--controller-id", "-i"],
                    Action::Integer,
                    "The controller's id.",
                )
                .required(),
                option(
                    &["--controller-directory-id", "-d"],
                    Action::Store,
                    "The id of its metadata directory.",
                )
                .required(),
                option(&["--dry-run"], Action::Flag, "Only say what would be done."),
            ],
            groups: &[],
            commands: &[],
            default_help: false,
        },
    ],
    default_help: true,
};

enum Failure {
    Terse(String),
    Exception(ClientError),
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Failure {
        Failure::Exception(error)
    }
}

fn terse<T>(text: impl Into<String>) -> Result<T, Failure> {
    Err(Failure::Terse(text.into()))
}

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
    match execute(&context, &namespace).await {
        Ok(()) => 0,
        Err(Failure::Terse(text)) => {
            context.err(&format!("{text}\n")).await;
            1
        }
        Err(Failure::Exception(error)) => print_failure(&context, &error).await,
    }
}

async fn execute(context: &CommandContext, namespace: &Namespace) -> Result<(), Failure> {
    let path = namespace.text("command-config");
    let properties = match path {
        None => Properties::new(),
        Some(path) => match properties::load(context, path) {
            Ok(properties) => properties,
            Err(path) => return terse(format!("Properties file {path} does not exists!")),
        },
    };
    let server = namespace.text("bootstrap-server");
    let controller = namespace.text("bootstrap-controller");
    let mut admin = AdminSession::open_at(context, properties.clone(), server, controller).await?;
    let result = match namespace.command.as_str() {
        "describe" => describe(context, &mut admin, namespace).await,
        "add-controller" if path.is_none() => terse(
            "You must supply the configuration file of the controller you are adding when using add-controller.",
        ),
        "add-controller" => {
            let dry_run = namespace.has("dry-run");
            add_controller(context, &mut admin, &properties, dry_run).await
        }
        _ => remove_controller(context, &mut admin, namespace).await,
    };
    admin.close().await;
    result
}

async fn describe(
    context: &CommandContext,
    admin: &mut AdminSession,
    namespace: &Namespace,
) -> Result<(), Failure> {
    let human_readable = namespace.has("human-readable");
    match (namespace.has("status"), namespace.has("replication")) {
        (true, true) => {
            return terse(
                "Only one of --status or --replication should be specified with describe sub-command",
            );
        }
        (false, false) => {
            return terse(
                "One of --status or --replication must be specified with describe sub-command",
            );
        }
        (true, false) if human_readable => {
            return terse("The option --human-readable is only supported along with --replication");
        }
        _ => {}
    }
    let mut cluster_id = String::new();
    if namespace.has("status") {
        let request = AdminRequest::DescribeCluster {
            include_fenced: false,
        };
        match admin.call(request).await.map_err(execution_exception)? {
            AdminResponse::DescribeCluster(cluster) => cluster_id = cluster.cluster_id,
            _ => return Err(unexpected().into()),
        }
    }
    let answer = admin.call(AdminRequest::DescribeQuorum).await;
    let AdminResponse::DescribeQuorum(quorum) = answer.map_err(execution_exception)? else {
        return Err(unexpected().into());
    };
    let text = if namespace.has("status") {
        status(&cluster_id, &quorum)
    } else {
        let now = human_readable.then(|| context.process.now().millis());
        replication(&quorum, now)?
    };
    context.out(&text).await;
    Ok(())
}

/// The leader among the voters; Java's `Optional.get` fails without it.
fn leader(quorum: &QuorumInfo) -> Option<&QuorumReplica> {
    let mut voters = quorum.voters.iter();
    voters.find(|voter| voter.id == quorum.leader_id)
}

fn status(cluster_id: &str, quorum: &QuorumInfo) -> String {
    let nobody = QuorumReplica::default();
    let leader = leader(quorum).unwrap_or(&nobody);
    let mut last = leader;
    for voter in &quorum.voters {
        if voter.log_end_offset < last.log_end_offset {
            last = voter;
        }
    }
    // With equal offsets the first voter counts as the last one.
    if let Some(first) = quorum
        .voters
        .iter()
        .min_by_key(|voter| voter.log_end_offset)
    {
        last = first;
    }
    let lag_time = if last.id == leader.id {
        0
    } else {
        match (
            leader.last_caught_up_timestamp,
            last.last_caught_up_timestamp,
        ) {
            (Some(leader), Some(last)) => leader - last,
            _ => -1,
        }
    };
    format!(
        "ClusterId:              {cluster_id}\n\
         LeaderId:               {}\n\
         LeaderEpoch:            {}\n\
         HighWatermark:          {}\n\
         MaxFollowerLag:         {}\n\
         MaxFollowerLagTimeMs:   {lag_time}\n\
         CurrentVoters:          {}\n\
         CurrentObservers:       {}\n",
        quorum.leader_id,
        quorum.leader_epoch,
        quorum.high_watermark,
        leader.log_end_offset - last.log_end_offset,
        replicas(quorum, &quorum.voters),
        replicas(quorum, &quorum.observers),
    )
}

fn replicas(quorum: &QuorumInfo, replicas: &[QuorumReplica]) -> String {
    let shown: Vec<String> = replicas
        .iter()
        .map(|replica| {
            let mut text = format!("{{\"id\": {}", replica.id);
            if !replica.directory_id.is_nil() {
                let id = kafka_uuid::to_text(replica.directory_id);
                text.push_str(&format!(", \"directoryId\": \"{id}\""));
            }
            let endpoints = quorum.nodes.get(&replica.id).map_or(&[][..], Vec::as_slice);
            if !endpoints.is_empty() {
                let endpoints: Vec<String> = endpoints
                    .iter()
                    .map(|endpoint| format!("\"{}\"", endpoint_text(endpoint)))
                    .collect();
                text.push_str(&format!(", \"endpoints\": [{}]", endpoints.join(", ")));
            }
            text + "}"
        })
        .collect();
    format!("[{}]", shown.join(", "))
}

fn endpoint_text(endpoint: &RaftEndpoint) -> String {
    let host = if endpoint.host.contains(':') {
        format!("[{}]", endpoint.host)
    } else {
        endpoint.host.clone()
    };
    format!("{}://{host}:{}", endpoint.listener, endpoint.port)
}

/// The table of replicas; with `now_ms` times are told as so many ms ago.
fn replication(quorum: &QuorumInfo, now_ms: Option<i64>) -> Result<String, ClientError> {
    let leader = leader(quorum)
        .ok_or_else(|| ClientError::new("java.util.NoSuchElementException", "No value present"))?;
    let time = |timestamp: Option<i64>, what: &str| match (timestamp, now_ms) {
        (None, _) => Ok("-1".to_owned()),
        (Some(timestamp), None) => Ok(timestamp.to_string()),
        (Some(timestamp), Some(now)) if timestamp > 0 && timestamp <= now => {
            Ok(format!("{} ms ago", now - timestamp))
        }
        (Some(timestamp), Some(now)) => Err(ClientError::new(
            "org.apache.kafka.common.KafkaException",
            format!(
                "Error while computing relative time, possible drift in system clock.\nCurrent timestamp is {now}, {what} timestamp is {timestamp}"
            ),
        )),
    };
    let followers = quorum.voters.iter().filter(|voter| voter.id != leader.id);
    let rows = std::iter::once((leader, "Leader"))
        .chain(followers.map(|voter| (voter, "Follower")))
        .chain(
            quorum
                .observers
                .iter()
                .map(|observer| (observer, "Observer")),
        );
    let headers = [
        "NodeId",
        "DirectoryId",
        "LogEndOffset",
        "Lag",
        "LastFetchTimestamp",
        "LastCaughtUpTimestamp",
        "Status",
    ];
    let mut table = vec![headers.map(str::to_owned)];
    for (replica, status) in rows {
        table.push([
            replica.id.to_string(),
            kafka_uuid::to_text(replica.directory_id),
            replica.log_end_offset.to_string(),
            (leader.log_end_offset - replica.log_end_offset).to_string(),
            time(replica.last_fetch_timestamp, "last fetch")?,
            time(replica.last_caught_up_timestamp, "last caught up")?,
            status.to_owned(),
        ]);
    }
    Ok(pretty_table(&table))
}

/// `ToolsUtils.prettyPrintTable`: each cell as wide as its column, and a tab.
pub fn pretty_table<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let mut text = String::new();
    for row in rows {
        for (width, cell) in widths.iter().zip(row) {
            text.push_str(&format!("{cell:<width$}\t"));
        }
        text.push('\n');
    }
    text
}

async fn add_controller(
    context: &CommandContext,
    admin: &mut AdminSession,
    properties: &Properties,
    dry_run: bool,
) -> Result<(), Failure> {
    const QUESTION: &str = "Is this a valid controller configuration file?";
    let Some(node) = properties.get("node.id") else {
        return terse(format!(
            "node.id not found in configuration file. {QUESTION}"
        ));
    };
    let voter: i32 = node.parse().map_err(|_| {
        ClientError::new(
            "java.lang.NumberFormatException",
            format!("For input string: \"{node}\""),
        )
    })?;
    if voter < 0 {
        return terse(format!(
            "node.id was negative in configuration file. {QUESTION}"
        ));
    }
    let text = |name: &str| properties.get(name).map_or("", String::as_str);
    if !text("process.roles").contains("controller") {
        return terse(format!(
            "process.roles did not contain 'controller' in configuration file. {QUESTION}"
        ));
    }
    let directory = match (
        properties.get("metadata.log.dir"),
        properties.get("log.dirs"),
    ) {
        (Some(directory), _) => directory.clone(),
        (None, Some(directories)) => {
            let first = directories.trim().split(',').next();
            first.unwrap_or_default().to_owned()
        }
        (None, None) => {
            return terse(format!(
                "Neither metadata.log.dir nor log.dirs were found. {QUESTION}"
            ));
        }
    };
    let path = context.path(&format!("{directory}/meta.properties"));
    let bytes = context.process.with_disk(|disk| disk.read_all(&path));
    let Some(bytes) = bytes else {
        return terse(format!("Unable to read meta.properties from {directory}"));
    };
    let meta = properties::parse(&String::from_utf8_lossy(&bytes));
    let Some(id) = meta.get("directory.id") else {
        return terse(format!("No directory id found in {directory}"));
    };
    let directory_id = kafka_uuid::parse(id)
        .map_err(|text| ClientError::new("java.lang.IllegalArgumentException", text))?;
    let endpoints = controller_listeners(properties)?;
    if !dry_run {
        let request = AdminRequest::AddRaftVoter {
            voter,
            directory_id,
            endpoints: endpoints.clone(),
        };
        admin.call(request).await.map_err(execution_exception)?;
    }
    let shown: Vec<String> = endpoints.iter().map(endpoint_text).collect();
    let text = format!(
        "{} controller {voter} with directory id {id} and endpoints: {}\n",
        if dry_run {
            "DRY RUN of adding"
        } else {
            "Added"
        },
        shown.join(", ")
    );
    context.out(&text).await;
    Ok(())
}

/// Where the controller's listeners are, advertised ones first.
fn controller_listeners(properties: &Properties) -> Result<Vec<RaftEndpoint>, Failure> {
    let text = |name: &str| properties.get(name).map_or("", String::as_str);
    let mut listeners = Vec::new();
    for list in ["advertised.listeners", "listeners"] {
        for listener in text(list).split(',').map(str::trim) {
            let Some((name, address)) = listener.split_once("://") else {
                continue;
            };
            let Some((host, port)) = address.rsplit_once(':') else {
                continue;
            };
            let host = host.trim_start_matches('[').trim_end_matches(']');
            listeners.push(RaftEndpoint {
                listener: name.to_uppercase(),
                host: if host.is_empty() { "localhost" } else { host }.to_owned(),
                port: port.parse().unwrap_or(0),
            });
        }
    }
    let Some(names) = properties.get("controller.listener.names") else {
        return terse(
            "controller.listener.names was not found. Is this a valid controller configuration file?",
        );
    };
    let mut found = Vec::new();
    for name in names.split(',').map(|name| name.trim().to_uppercase()) {
        match listeners.iter().find(|listener| listener.listener == name) {
            Some(listener) => found.push(listener.clone()),
            None => {
                return terse(format!(
                    "Cannot find information about controller listener name: {name}"
                ));
            }
        }
    }
    Ok(found)
}

async fn remove_controller(
    context: &CommandContext,
    admin: &mut AdminSession,
    namespace: &Namespace,
) -> Result<(), Failure> {
    let voter: i32 = namespace.number("controller-id").unwrap_or(-1);
    if voter < 0 {
        return terse(format!("Invalid negative --controller-id: {voter}"));
    }
    let text = namespace
        .text("controller-directory-id")
        .unwrap_or_default();
    let directory_id: Uuid = match kafka_uuid::parse(text) {
        Ok(id) => id,
        Err(why) => return terse(format!("Failed to parse --controller-directory-id: {why}")),
    };
    let dry_run = namespace.has("dry-run");
    if !dry_run {
        let request = AdminRequest::RemoveRaftVoter {
            voter,
            directory_id,
        };
        admin.call(request).await.map_err(execution_exception)?;
    }
    let text = format!(
        "{} KRaft controller {voter} with directory id {}\n",
        if dry_run {
            "DRY RUN of removing "
        } else {
            "Removed "
        },
        kafka_uuid::to_text(directory_id)
    );
    context.out(&text).await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quorum() -> QuorumInfo {
        let replica = |id: i32, log_end_offset: i64, caught_up: i64| QuorumReplica {
            id,
            directory_id: Uuid::nil(),
            log_end_offset,
            last_fetch_timestamp: Some(caught_up),
            last_caught_up_timestamp: Some(caught_up),
        };
        QuorumInfo {
            leader_id: 2,
            leader_epoch: 5,
            high_watermark: 9,
            voters: vec![replica(1, 7, 900), replica(2, 10, 1_000)],
            observers: vec![replica(4, 10, 0)],
            nodes: [(
                2,
                vec![RaftEndpoint {
                    listener: "CONTROLLER".to_owned(),
                    host: "::1".to_owned(),
                    port: 19092,
                }],
            )]
            .into(),
        }
    }

    #[test]
    fn the_last_voter_is_how_far_the_quorum_lags() {
        let text = status("abc", &quorum());
        assert!(text.contains("MaxFollowerLag:         3\nMaxFollowerLagTimeMs:   100\n"));
        assert!(text.contains(
            "CurrentVoters:          [{\"id\": 1}, {\"id\": 2, \"endpoints\": [\"CONTROLLER://[::1]:19092\"]}]\n"
        ));
    }

    #[test]
    fn the_leader_stands_first_and_times_can_be_relative() {
        let text = replication(&quorum(), None).unwrap();
        let rows: Vec<&str> = text.lines().collect();
        assert!(rows[1].starts_with("2     \tAAAAAAAAAAAAAAAAAAAAAA\t10          \t0  \t1000"));
        assert!(rows[2].ends_with("Follower\t"));
        assert!(rows[3].ends_with("Observer\t"));
        let mut quorum = quorum();
        quorum.observers.clear();
        let text = replication(&quorum, Some(1_500)).unwrap();
        assert!(text.contains("600 ms ago"));
        assert!(replication(&quorum, Some(950)).is_err());
    }
}
