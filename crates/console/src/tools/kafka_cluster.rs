//! `kafka-cluster`: the cluster's id and endpoints, brokers unregistered (`org.apache.kafka.tools.ClusterTool`).

use playground_client::admin::NodeInfo;
use playground_client::{AdminRequest, AdminResponse, ClientError};

use super::argparse::{Action, Ending, Flag, Group, Namespace, Parser, option};
use super::client_driver::{AdminSession, unexpected};
use super::java::{execution_exception, print_failure};
use super::properties;
use crate::commands::CommandContext;

const SERVER: Flag = option(
    &["--bootstrap-server", "-b"],
    Action::Store,
    "The brokers to start from, as host:port, comma separated.",
)
.within(0);
const CONTROLLER: Flag = option(
    &["--bootstrap-controller", "-C"],
    Action::Store,
    "The controllers to start from, as host:port, comma separated.",
)
.within(0);
const CONFIG: Flag = option(
    &["--config"],
    Action::Store,
    "(DEPRECATED) A properties file for the admin client: see --command-config.",
);
const COMMAND_CONFIG: Flag = option(
    &["--command-config", "-c"],
    Action::Store,
    "A properties file for the admin client.",
);
const CONNECTION: &[Group] = &[Group {
    title: "",
    exclusive: true,
    required: true,
}];

const fn command(name: &'static str, about: &'static str, options: &'static [Flag]) -> Parser {
    Parser {
        name,
        about,
        options,
        groups: CONNECTION,
        commands: &[],
        default_help: false,
    }
}

/// The command line.
pub const PARSER: Parser = Parser {
    name: "kafka-cluster",
    about: "Shows and changes what the cluster as a whole is.",
    options: &[],
    groups: &[],
    commands: &[
        command(
            "cluster-id",
            "Show the cluster's id.",
            &[SERVER, CONTROLLER, CONFIG, COMMAND_CONFIG],
        ),
        command(
            "unregister",
            "Make the cluster forget a broker.",
            &[
                SERVER,
                CONTROLLER,
                CONFIG,
                COMMAND_CONFIG,
                option(&["--id", "-i"], Action::Integer, "The broker's id.").required(),
            ],
        ),
        command(
            "list-endpoints",
            "Show where the brokers or the controllers are.",
            &[
                SERVER,
                CONTROLLER,
                CONFIG,
                COMMAND_CONFIG,
                option(
                    &["--include-fenced-brokers"],
                    Action::Flag,
                    "Brokers too that are registered but not in service.",
                ),
            ],
        ),
    ],
    default_help: true,
};

/// Runs the tool.
pub async fn run(context: CommandContext) -> i32 {
    let namespace = match PARSER.parse(&context.args) {
        Ok(namespace) => namespace,
        // `parseArgsOrFail` exits with 1 for the help too.
        Err(Ending::Help(text)) => {
            context.out(&text).await;
            return 1;
        }
        Err(Ending::Error { printed, .. }) => {
            context.err(&printed).await;
            return 1;
        }
    };
    match execute(&context, &namespace).await {
        Ok(()) => 0,
        Err(error) => print_failure(&context, &error).await,
    }
}

async fn execute(context: &CommandContext, namespace: &Namespace) -> Result<(), ClientError> {
    let mut config = namespace.text("command-config");
    if let Some(deprecated) = namespace.text("config") {
        if config.is_some() {
            return Err(ClientError::new(
                "net.sourceforge.argparse4j.inf.ArgumentParserException",
                "--config and --command-config cannot be specified together.",
            ));
        }
        context
            .out("Option --config has been deprecated and will be removed in a future version. Use --command-config instead.\n")
            .await;
        config = Some(deprecated);
    }
    let properties = properties::load_optional(context, config)?;
    let controller = namespace.text("bootstrap-controller");
    let include_fenced = namespace.has("include-fenced-brokers");
    if include_fenced && controller.is_some() {
        return Err(ClientError::new(
            "java.lang.IllegalArgumentException",
            "The option --include-fenced-brokers is only supported with --bootstrap-server option",
        ));
    }
    let server = namespace.text("bootstrap-server");
    let mut admin = AdminSession::open_at(context, properties, server, controller).await?;
    let result = match namespace.command.as_str() {
        "unregister" => {
            let broker = namespace.number("id").unwrap_or(-1);
            unregister(context, &mut admin, broker).await
        }
        command => {
            let request = AdminRequest::DescribeCluster { include_fenced };
            match admin.call(request).await {
                Ok(AdminResponse::DescribeCluster(cluster)) => {
                    let text = if command == "cluster-id" {
                        format!("Cluster ID: {}\n", cluster.cluster_id)
                    } else {
                        endpoints(&cluster.nodes)
                    };
                    context.out(&text).await;
                    Ok(())
                }
                Ok(_) => Err(unexpected()),
                Err(error) => Err(execution_exception(error)),
            }
        }
    };
    admin.close().await;
    result
}

async fn unregister(
    context: &CommandContext,
    admin: &mut AdminSession,
    broker: i32,
) -> Result<(), ClientError> {
    match admin.call(AdminRequest::UnregisterBroker { broker }).await {
        Ok(_) => {
            let text = format!("Broker {broker} is no longer registered.\n");
            context.out(&text).await;
            Ok(())
        }
        Err(error) => {
            if error.simple_name() == "UnsupportedVersionException" {
                context
                    .out("The target cluster does not support the broker unregistration API.\n")
                    .await;
            }
            Err(execution_exception(error))
        }
    }
}

/// The table of brokers, its columns as wide as the longest host and rack.
fn endpoints(nodes: &[NodeInfo]) -> String {
    let longest = |lengths: &mut dyn Iterator<Item = usize>, none: usize| {
        let width = lengths.max().unwrap_or(none);
        width.max(1)
    };
    let host = longest(&mut nodes.iter().map(|node| node.host.len()), 100);
    let racks = nodes.iter().filter_map(|node| node.rack.as_ref());
    let rack = longest(&mut racks.map(String::len), 10);
    let row = |cells: [&str; 6]| {
        let [id, name, port, place, state, kind] = cells;
        format!("{id:<10} {name:<host$} {port:<10} {place:<rack$} {state:<10} {kind:<15}\n")
    };
    let mut text = row(["ID", "HOST", "PORT", "RACK", "STATE", "ENDPOINT_TYPE"]);
    for node in nodes {
        text.push_str(&row([
            &node.id.to_string(),
            &node.host,
            &node.port.to_string(),
            node.rack.as_deref().unwrap_or("null"),
            if node.fenced { "fenced" } else { "unfenced" },
            "broker",
        ]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_as_wide_as_it_must_be() {
        let node = NodeInfo {
            id: 3,
            host: "kafka-three".to_owned(),
            port: 9094,
            rack: Some("r".to_owned()),
            fenced: true,
        };
        assert_eq!(
            endpoints(&[node]),
            "ID         HOST        PORT       RACK STATE      ENDPOINT_TYPE  \n\
             3          kafka-three 9094       r fenced     broker         \n"
        );
    }
}
