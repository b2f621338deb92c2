//! From a service's environment to a node's configuration, as the images' entry points make
//! `server.properties` of it.

use playground_broker::config::BrokerConfig;
use playground_broker::node::CONTROLLER_LISTENER;
use playground_broker::{Listener, NodeConfig};
use playground_log::checkpoint::parse_uuid;

use super::defaults::property;
use super::file::{Problem, Service, Setting};

/// `CLUSTER_ID` where the file gives none: the one in the image of Apache Kafka.
const DEFAULT_CLUSTER_ID: &str = "5L6g3nShT-eMCtK--X86sw";
/// Where the data lies, unless `KAFKA_LOG_DIRS` says otherwise.
pub const LOG_DIR: &str = "/var/lib/kafka/data";
/// The first port that is tried for the controller of a node that was set up for ZooKeeper.
const CONTROLLER_PORT_FIRST: u16 = 9093;
/// The same where the network is shared, plus the node's id.
const CONTROLLER_PORT_HOST: u16 = 19_100;

/// Variables that are about the JVM, the image or ZooKeeper: no properties of a broker.
const NO_PROPERTIES: &[&str] = &[
    "KAFKA_HEAP_OPTS",
    "KAFKA_OPTS",
    "KAFKA_JMX_PORT",
    "KAFKA_JMX_OPTS",
    "KAFKA_JMX_HOSTNAME",
    "KAFKA_GC_LOG_OPTS",
    "KAFKA_JVM_PERFORMANCE_OPTS",
    "KAFKA_LOG4J_OPTS",
    "KAFKA_LOG4J_LOGGERS",
    "KAFKA_LOG4J_ROOT_LOGLEVEL",
    "KAFKA_TOOLS_LOG4J_LOGLEVEL",
    "KAFKA_ZOOKEEPER_CONNECT",
    "KAFKA_CLUSTER_ID",
];
/// Variables that become fields of [`NodeConfig`].
const OWN: &[&str] = &[
    "KAFKA_NODE_ID",
    "KAFKA_BROKER_ID",
    "KAFKA_PROCESS_ROLES",
    "KAFKA_LISTENERS",
    "KAFKA_ADVERTISED_LISTENERS",
    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
    "KAFKA_CONTROLLER_LISTENER_NAMES",
    "KAFKA_INTER_BROKER_LISTENER_NAME",
    "KAFKA_CONTROLLER_QUORUM_VOTERS",
    "KAFKA_CONTROLLER_QUORUM_BOOTSTRAP_SERVERS",
    "KAFKA_BROKER_RACK",
    "KAFKA_LOG_DIRS",
    "KAFKA_LOG_DIR",
];

/// The configuration of a Kafka service's node.
///
/// # Errors
/// The first value that cannot be, with its line.
pub fn node_config(service: &Service) -> Result<NodeConfig, Problem> {
    let node_id = node_id(service)?;
    let controller_name = service
        .variable("KAFKA_CONTROLLER_LISTENER_NAMES")
        .map_or(CONTROLLER_LISTENER, |setting| setting.value.trim());
    let mut listeners = listeners(service, controller_name)?;
    let mut voters = voters(service)?;
    check_roles(service, &voters, node_id)?;
    if voters.is_empty() {
        // Set up for ZooKeeper, or for nothing: its own controller.
        let port = match listeners
            .iter()
            .find(|listener| listener.name == CONTROLLER_LISTENER)
        {
            Some(listener) => listener.port,
            None => {
                let port = free_port(service, node_id, &listeners);
                listeners.push(Listener {
                    name: CONTROLLER_LISTENER.to_owned(),
                    port,
                    advertised_host: "localhost".to_owned(),
                    advertised_port: port,
                });
                port
            }
        };
        voters.push((node_id, "localhost".to_owned(), port));
    }
    if let Some((_, _, port)) = voters.iter().find(|(id, _, _)| *id == node_id)
        && !listeners
            .iter()
            .any(|listener| listener.name == CONTROLLER_LISTENER && listener.port == *port)
    {
        return Err(at(
            service,
            "KAFKA_LISTENERS",
            format!(
                "node {node_id} is a voter at port {port} but does not listen there: add {controller_name}://localhost:{port} to KAFKA_LISTENERS"
            ),
        ));
    }
    let cluster_id = match service.variable("CLUSTER_ID") {
        None => parse_uuid(DEFAULT_CLUSTER_ID),
        Some(setting) => Some(parse_uuid(setting.value.trim()).ok_or_else(|| {
            bad(
                setting,
                "it should be 22 characters, as `kafka-storage random-uuid` prints them",
            )
        })?),
    }
    .unwrap_or_default();
    let log_dir = service
        .variable("KAFKA_LOG_DIRS")
        .or_else(|| service.variable("KAFKA_LOG_DIR"));
    let log_dir = match log_dir {
        None => LOG_DIR.to_owned(),
        Some(setting) if setting.value.starts_with('/') && !setting.value.contains(',') => {
            setting.value.trim_end_matches('/').to_owned()
        }
        Some(setting) => {
            return Err(bad(
                setting,
                "the playground's brokers have one directory: write its absolute path",
            ));
        }
    };
    let config = NodeConfig {
        node_id,
        cluster_id,
        listeners,
        controller_voters: voters,
        rack: service
            .variable("KAFKA_BROKER_RACK")
            .map(|setting| setting.value.clone()),
        log_dir,
        overrides: overrides(service),
    };
    if let Err(error) = BrokerConfig::new(&config) {
        let text = error.to_string();
        let setting = service.environment.iter().find(|setting| {
            property(&setting.name).is_some_and(|name| text.contains(name.as_str()))
        });
        return Err(Problem {
            line: setting.map_or(service.line, |setting| setting.line),
            message: text,
        });
    }
    Ok(config)
}

fn bad(setting: &Setting, remedy: &str) -> Problem {
    Problem {
        line: setting.line,
        message: format!("`{}: {}`: {remedy}", setting.name, setting.value),
    }
}

/// A problem at the line of a variable, or of the service.
fn at(service: &Service, variable: &str, message: String) -> Problem {
    Problem {
        line: service
            .variable(variable)
            .map_or(service.line, |setting| setting.line),
        message,
    }
}

fn node_id(service: &Service) -> Result<i32, Problem> {
    let setting = service
        .variable("KAFKA_NODE_ID")
        .or_else(|| service.variable("KAFKA_BROKER_ID"));
    match setting {
        None => Ok(1),
        Some(setting) => setting
            .value
            .trim()
            .parse()
            .ok()
            .filter(|id| *id >= 0)
            .ok_or_else(|| bad(setting, "it should be a number from 0 on")),
    }
}

fn check_roles(
    service: &Service,
    voters: &[(i32, String, u16)],
    node_id: i32,
) -> Result<(), Problem> {
    let Some(setting) = service.variable("KAFKA_PROCESS_ROLES") else {
        return Ok(());
    };
    let roles: Vec<&str> = setting.value.split(',').map(str::trim).collect();
    if !roles.contains(&"broker") {
        return Err(bad(
            setting,
            "every node of the playground is a broker: write broker,controller",
        ));
    }
    let voter = voters.is_empty() || voters.iter().any(|(id, _, _)| *id == node_id);
    match (roles.contains(&"controller"), voter) {
        (true, false) => Err(bad(
            setting,
            "a controller must be among KAFKA_CONTROLLER_QUORUM_VOTERS: add it there",
        )),
        (false, true) => Err(bad(
            setting,
            "the node is among KAFKA_CONTROLLER_QUORUM_VOTERS: write broker,controller",
        )),
        _ => Ok(()),
    }
}

/// `NAME://host:port` of a setting.
fn end_points(setting: &Setting) -> Result<Vec<(String, String, u16)>, Problem> {
    let mut found: Vec<(String, String, u16)> = Vec::new();
    for part in setting.value.split(',').map(str::trim) {
        let parsed = part.split_once("://").and_then(|(name, address)| {
            let (host, port) = address.rsplit_once(':')?;
            Some((name.to_uppercase(), host.to_owned(), port.parse().ok()?))
        });
        let Some((name, host, port)) = parsed.filter(|(name, _, _)| !name.is_empty()) else {
            return Err(bad(
                setting,
                &format!("`{part}` should be NAME://host:port, as PLAINTEXT://localhost:9092"),
            ));
        };
        if found.iter().any(|(known, _, _)| *known == name) {
            return Err(bad(
                setting,
                &format!("Each listener must have a different name: {name} is there twice"),
            ));
        }
        found.push((name, host, port));
    }
    Ok(found)
}

fn listeners(service: &Service, controller_name: &str) -> Result<Vec<Listener>, Problem> {
    let own_name = service.hostname.as_deref().unwrap_or(&service.name);
    let advertised = match service.variable("KAFKA_ADVERTISED_LISTENERS") {
        Some(setting) => end_points(setting)?,
        None => Vec::new(),
    };
    // Without listeners the images listen on the ports that are advertised.
    let bound = match service.variable("KAFKA_LISTENERS") {
        Some(setting) => {
            let bound = end_points(setting)?;
            for (index, (name, _, port)) in bound.iter().enumerate() {
                if *port == 0 || bound[..index].iter().any(|(_, _, other)| other == port) {
                    return Err(bad(
                        setting,
                        &format!(
                            "Each listener must have a different port from 1 on: give {name} another than {port}"
                        ),
                    ));
                }
            }
            bound
        }
        None if !advertised.is_empty() => advertised
            .iter()
            .map(|(name, _, port)| (name.clone(), "0.0.0.0".to_owned(), *port))
            .collect(),
        None => vec![("PLAINTEXT".to_owned(), String::new(), 9092)],
    };
    if let Some((name, _, _)) = advertised
        .iter()
        .find(|(name, _, _)| !bound.iter().any(|(known, _, _)| known == name))
    {
        return Err(at(
            service,
            "KAFKA_ADVERTISED_LISTENERS",
            format!("listener {name} is advertised but not in KAFKA_LISTENERS: add it there"),
        ));
    }
    check_protocols(service, controller_name, &bound)?;
    let mut listeners: Vec<Listener> = bound
        .into_iter()
        .map(|(name, host, port)| {
            let is_any = host.is_empty() || host == "0.0.0.0";
            let (advertised_host, advertised_port) = advertised
                .iter()
                .find(|(known, _, _)| *known == name)
                .map(|(_, host, port)| (host.clone(), *port))
                .unwrap_or((if is_any { own_name.to_owned() } else { host }, port));
            Listener {
                name: if name == controller_name.to_uppercase() {
                    CONTROLLER_LISTENER.to_owned()
                } else {
                    name
                },
                port,
                advertised_host,
                advertised_port,
            }
        })
        .collect();
    if let Some(setting) = service.variable("KAFKA_INTER_BROKER_LISTENER_NAME") {
        let name = setting.value.trim().to_uppercase();
        let Some(position) = listeners.iter().position(|listener| listener.name == name) else {
            return Err(bad(
                setting,
                "there is no listener of that name in KAFKA_LISTENERS",
            ));
        };
        let listener = listeners.remove(position);
        listeners.insert(0, listener);
    }
    if !listeners
        .iter()
        .any(|listener| listener.name != CONTROLLER_LISTENER)
    {
        return Err(at(
            service,
            "KAFKA_LISTENERS",
            "no listener is left for clients: add PLAINTEXT://localhost:9092".to_owned(),
        ));
    }
    Ok(listeners)
}

/// Every listener must map to PLAINTEXT: the playground has no TLS and no SASL.
fn check_protocols(
    service: &Service,
    controller_name: &str,
    bound: &[(String, String, u16)],
) -> Result<(), Problem> {
    let map = service.variable("KAFKA_LISTENER_SECURITY_PROTOCOL_MAP");
    let mut known: Vec<(String, String)> = Vec::new();
    if let Some(setting) = map {
        for part in setting.value.split(',').map(str::trim) {
            let Some((name, protocol)) = part.split_once(':') else {
                return Err(bad(
                    setting,
                    &format!("`{part}` should be NAME:PROTOCOL, as PLAINTEXT_HOST:PLAINTEXT"),
                ));
            };
            known.push((name.to_uppercase(), protocol.to_uppercase()));
        }
    }
    for (name, _, _) in bound {
        let protocol = known
            .iter()
            .find(|(of, _)| of == name)
            .map(|(_, protocol)| protocol.as_str());
        match protocol {
            Some("PLAINTEXT") => {}
            None if name == "PLAINTEXT" || *name == controller_name.to_uppercase() => {}
            Some(protocol) => {
                return Err(at(
                    service,
                    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
                    format!(
                        "listener {name} is to speak {protocol}: the playground speaks PLAINTEXT only"
                    ),
                ));
            }
            None => {
                return Err(at(
                    service,
                    "KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
                    format!(
                        "No security protocol defined for listener {name}: add {name}:PLAINTEXT to KAFKA_LISTENER_SECURITY_PROTOCOL_MAP"
                    ),
                ));
            }
        }
    }
    Ok(())
}

fn voters(service: &Service) -> Result<Vec<(i32, String, u16)>, Problem> {
    let Some(setting) = service.variable("KAFKA_CONTROLLER_QUORUM_VOTERS") else {
        return Ok(Vec::new());
    };
    setting
        .value
        .split(',')
        .map(str::trim)
        .map(|part| {
            part.split_once('@')
                .and_then(|(id, address)| {
                    let (host, port) = address.rsplit_once(':')?;
                    Some((id.parse().ok()?, host.to_owned(), port.parse().ok()?))
                })
                .ok_or_else(|| {
                    bad(
                        setting,
                        &format!("`{part}` should be id@host:port, as 1@localhost:19092"),
                    )
                })
        })
        .collect()
}

fn free_port(service: &Service, node_id: i32, listeners: &[Listener]) -> u16 {
    let first = if service.network_host {
        CONTROLLER_PORT_HOST.saturating_add(u16::try_from(node_id).unwrap_or_default() % 1000)
    } else {
        CONTROLLER_PORT_FIRST
    };
    (first..=u16::MAX)
        .find(|port| !listeners.iter().any(|listener| listener.port == *port))
        .unwrap_or(first)
}

fn overrides(service: &Service) -> Vec<(String, String)> {
    service
        .environment
        .iter()
        .filter(|setting| {
            !OWN.contains(&setting.name.as_str()) && !NO_PROPERTIES.contains(&setting.name.as_str())
        })
        .filter_map(|setting| {
            let name = property(&setting.name).filter(|name| !name.is_empty())?;
            Some((name, setting.value.clone()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::defaults::{BOOK_FILE, HOME_FILE};
    use super::super::file::parse;
    use super::node_config;
    use playground_broker::NodeConfig;

    fn configs(text: &str) -> Result<Vec<NodeConfig>, String> {
        parse(text, &BTreeMap::new())
            .and_then(|file| file.services.iter().map(node_config).collect())
            .map_err(|problem| problem.to_string())
    }

    fn kafka(environment: &str) -> String {
        format!("services:\n  kafka:\n    image: apache/kafka\n    environment:\n{environment}")
    }

    fn listeners(config: &NodeConfig) -> Vec<String> {
        config
            .listeners
            .iter()
            .map(|listener| {
                format!(
                    "{}:{} {}:{}",
                    listener.name,
                    listener.port,
                    listener.advertised_host,
                    listener.advertised_port
                )
            })
            .collect()
    }

    #[test]
    fn the_home_file_is_a_quorum_of_three() {
        let configs = configs(HOME_FILE).expect("valid");
        assert_eq!(
            listeners(&configs[1]),
            [
                "PLAINTEXT:9093 localhost:9093",
                "CONTROLLER:19093 localhost:19093"
            ]
        );
        for (config, id) in configs.iter().zip(1..) {
            assert_eq!(config.node_id, id);
            assert_eq!(config.controller_voters.len(), 3);
            assert_eq!(
                config.property("group.initial.rebalance.delay.ms"),
                Some("0")
            );
            assert_eq!(config.cluster_id, configs[0].cluster_id);
            assert!(!config.cluster_id.is_nil());
        }
    }

    #[test]
    fn a_broker_for_zookeeper_becomes_its_own_controller() {
        let file = parse(BOOK_FILE, &BTreeMap::new()).expect("valid");
        let config = node_config(&file.services[1]).expect("valid");
        assert_eq!(
            listeners(&config),
            [
                "PLAINTEXT:9092 kafka:9092",
                "PLAINTEXT_HOST:29092 localhost:29092",
                "CONTROLLER:9093 localhost:9093"
            ]
        );
        assert_eq!(
            config.controller_voters,
            [(1, "localhost".to_owned(), 9093)]
        );
        assert!(config.property("zookeeper.connect").is_none());
    }

    #[test]
    fn other_variables_are_properties() {
        let text = kafka(
            "      KAFKA_LOG_RETENTION_MS: 1000\n      KAFKA_HEAP_OPTS: -Xmx1g\n      KAFKA_BROKER_RACK: a\n",
        );
        let config = configs(&text).expect("valid").remove(0);
        assert_eq!(
            config.overrides,
            [("log.retention.ms".to_owned(), "1000".to_owned())]
        );
        assert_eq!(config.rack.as_deref(), Some("a"));
        assert_eq!(listeners(&config)[0], "PLAINTEXT:9092 kafka:9092");
    }

    #[test]
    fn bad_values_have_their_line() {
        for (environment, expected) in [
            (
                "      KAFKA_NODE_ID: one\n",
                "5: `KAFKA_NODE_ID: one`: it should be a number from 0 on",
            ),
            (
                "      KAFKA_NODE_ID: 1\n      KAFKA_LISTENERS: PLAINTEXT:9092\n",
                "6: `KAFKA_LISTENERS: PLAINTEXT:9092`: `PLAINTEXT:9092` should be NAME://host:port, as PLAINTEXT://localhost:9092",
            ),
            (
                "      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://a:1,HOST://b:2\n",
                "2: No security protocol defined for listener HOST: add HOST:PLAINTEXT to KAFKA_LISTENER_SECURITY_PROTOCOL_MAP",
            ),
            (
                "      KAFKA_LISTENERS: SSL://a:1\n      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: SSL:SSL\n",
                "6: listener SSL is to speak SSL: the playground speaks PLAINTEXT only",
            ),
            (
                "      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@localhost:9093\n",
                "2: node 1 is a voter at port 9093 but does not listen there: add CONTROLLER://localhost:9093 to KAFKA_LISTENERS",
            ),
            (
                "      KAFKA_PROCESS_ROLES: controller\n",
                "5: `KAFKA_PROCESS_ROLES: controller`: every node of the playground is a broker: write broker,controller",
            ),
            (
                "      CLUSTER_ID: short\n",
                "5: `CLUSTER_ID: short`: it should be 22 characters, as `kafka-storage random-uuid` prints them",
            ),
        ] {
            assert_eq!(
                configs(&kafka(environment)),
                Err(expected.to_owned()),
                "{environment}"
            );
        }
        let error =
            configs(&kafka("      A: b\n      KAFKA_NUM_PARTITIONS: many\n")).expect_err("bad");
        assert!(error.starts_with("6: "), "{error}");
    }
}
