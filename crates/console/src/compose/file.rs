//! The services of a compose file, checked, each value with its line.

use std::collections::BTreeMap;

use super::interpolate::interpolate;
use super::ports_and_volumes::{ports, volume};
use super::yaml::{self, Key, Node, Value, YamlError};

/// Services that a file may have.
const SERVICES_MAX: usize = 20;

/// What is wrong with a file (an error), or was passed over in it (a warning), and where.
pub type Problem = YamlError;

/// What a service is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceKind {
    /// A Kafka node.
    Kafka,
    /// A ZooKeeper, which Kafka 4 does not use: it is shown and does nothing.
    Zookeeper,
}

/// A variable of a service's environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// `KAFKA_NODE_ID`.
    pub name: String,
    /// Its value.
    pub value: String,
    /// Its line in the file.
    pub line: usize,
}

/// A published port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Port {
    /// The port of the machine.
    pub published: u16,
    /// The port of the container.
    pub target: u16,
    /// Its line in the file.
    pub line: usize,
}

/// A named volume and where it is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// The volume's name in the file.
    pub volume: String,
    /// The directory in the container.
    pub path: String,
}

/// One service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    /// Its name: the name of its host.
    pub name: String,
    /// The line of its name.
    pub line: usize,
    /// What it is, by its image.
    pub kind: ServiceKind,
    /// `image`.
    pub image: String,
    /// `container_name`.
    pub container_name: Option<String>,
    /// `hostname`.
    pub hostname: Option<String>,
    /// `network_mode: host`.
    pub network_host: bool,
    /// `ports`.
    pub ports: Vec<Port>,
    /// `environment`.
    pub environment: Vec<Setting>,
    /// `depends_on`.
    pub depends_on: Vec<String>,
    /// `volumes`: the named ones.
    pub mounts: Vec<Mount>,
}

impl Service {
    /// A variable's value; the last one given counts.
    pub fn variable(&self, name: &str) -> Option<&Setting> {
        self.environment
            .iter()
            .rev()
            .find(|setting| setting.name == name)
    }

    /// Whether another is the same but for its place in the file.
    pub fn same_as(&self, other: &Service) -> bool {
        self.without_lines() == other.without_lines()
    }

    fn without_lines(&self) -> Service {
        let mut service = self.clone();
        service.line = 0;
        for port in &mut service.ports {
            port.line = 0;
        }
        for setting in &mut service.environment {
            setting.line = 0;
        }
        service
    }
}

/// A whole file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComposeFile {
    /// `name`: the project's.
    pub name: Option<String>,
    /// The services, in the file's order.
    pub services: Vec<Service>,
    /// What was passed over.
    pub warnings: Vec<Problem>,
}

impl ComposeFile {
    /// The service of that name.
    pub fn service(&self, name: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.name == name)
    }

    /// The names of the services, each after those it depends on.
    pub fn start_order(&self) -> Vec<&Service> {
        let mut order: Vec<&Service> = Vec::new();
        // The file was checked for cycles, so each round adds one at least.
        while order.len() < self.services.len() {
            let before = order.len();
            for service in &self.services {
                let has = |name: &String| order.iter().any(|other| &other.name == name);
                if !has(&service.name) && service.depends_on.iter().all(has) {
                    order.push(service);
                }
            }
            if order.len() == before {
                break;
            }
        }
        order
    }
}

pub(super) fn problem(line: usize, message: impl Into<String>) -> Problem {
    Problem {
        line,
        message: message.into(),
    }
}

/// Reads a compose file. `environment` is what `${NAME}` in it means.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn parse(text: &str, environment: &BTreeMap<String, String>) -> Result<ComposeFile, Problem> {
    let mut root = yaml::parse(text)?;
    interpolate(&mut root, environment)?;
    let entries = match root.value {
        Value::Map(entries) => entries,
        Value::Null => return Err(problem(1, "the file is empty: it should hold `services:`")),
        _ => {
            return Err(problem(
                root.line,
                format!(
                    "the file holds {}: it should be a map with `services:`",
                    root.kind()
                ),
            ));
        }
    };
    let mut file = ComposeFile {
        name: None,
        services: Vec::new(),
        warnings: Vec::new(),
    };
    let mut found = false;
    for (key, node) in &entries {
        match key.text.as_str() {
            "services" => {
                found = true;
                services(key, node, &mut file)?;
            }
            "name" => file.name = Some(text_of(key, node)?),
            "version" | "volumes" | "networks" => {}
            other if other.starts_with("x-") => {}
            other => file.warnings.push(problem(
                key.line,
                format!("`{other}` is not known at the top level of a compose file and is ignored"),
            )),
        }
    }
    if !found {
        return Err(problem(
            root.line,
            "`services:` is missing: name the services to run below it",
        ));
    }
    check_dependencies(&file)?;
    Ok(file)
}

fn services(key: &Key, node: &Node, file: &mut ComposeFile) -> Result<(), Problem> {
    let Value::Map(entries) = &node.value else {
        return Err(problem(
            key.line,
            format!(
                "`services` holds {}: it should be a map, a service's name with a colon on each line below",
                node.kind()
            ),
        ));
    };
    if entries.len() > SERVICES_MAX {
        return Err(problem(
            key.line,
            format!("more than {SERVICES_MAX} services: the playground runs as many at most"),
        ));
    }
    for (key, node) in entries {
        let service = service(key, node, &mut file.warnings)?;
        if let Some(other) = file.services.iter().find(|other| {
            other.container_name.is_some() && other.container_name == service.container_name
        }) {
            return Err(problem(
                service.line,
                format!(
                    "services `{}` and `{}` have the same container_name: give each its own",
                    other.name, service.name
                ),
            ));
        }
        file.services.push(service);
    }
    Ok(())
}

fn service(key: &Key, node: &Node, warnings: &mut Vec<Problem>) -> Result<Service, Problem> {
    let name = key.text.as_str();
    let valid = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    if !name.chars().all(valid) || name == "home" || name == "localhost" {
        return Err(problem(
            key.line,
            format!(
                "`{name}` cannot name a service here: use letters, digits, `-`, `_` and `.`, and not `home` or `localhost`"
            ),
        ));
    }
    let Value::Map(entries) = &node.value else {
        return Err(problem(
            key.line,
            format!(
                "service `{name}` holds {}: it should be a map with `image:` and `environment:`",
                node.kind()
            ),
        ));
    };
    let mut service = Service {
        name: name.to_owned(),
        line: key.line,
        kind: ServiceKind::Kafka,
        image: String::new(),
        container_name: None,
        hostname: None,
        network_host: false,
        ports: Vec::new(),
        environment: Vec::new(),
        depends_on: Vec::new(),
        mounts: Vec::new(),
    };
    for (key, node) in entries {
        match key.text.as_str() {
            "image" => {
                service.image = text_of(key, node)?;
                service.kind = kind_of(&service.image).map_err(|text| problem(node.line, text))?;
            }
            "container_name" => {
                let name = text_of(key, node)?;
                if name.is_empty() || !name.chars().all(valid) {
                    return Err(problem(
                        node.line,
                        format!(
                            "`{name}` cannot name a container: use letters, digits, `-`, `_` and `.`"
                        ),
                    ));
                }
                service.container_name = Some(name);
            }
            "hostname" => service.hostname = Some(text_of(key, node)?),
            "network_mode" => {
                service.network_host = match text_of(key, node)?.as_str() {
                    "host" => true,
                    "bridge" => false,
                    other => {
                        return Err(problem(
                            node.line,
                            format!(
                                "`network_mode: {other}`: the playground knows `host` and `bridge`"
                            ),
                        ));
                    }
                }
            }
            "ports" => {
                for item in items(key, node)? {
                    ports(item, &mut service.ports, warnings)?;
                }
            }
            "environment" => service.environment = environment_of(key, node)?,
            "depends_on" => service.depends_on = names(key, node)?,
            "volumes" => {
                for item in items(key, node)? {
                    volume(item, &mut service.mounts, warnings)?;
                }
            }
            "command" | "entrypoint" | "env_file" | "healthcheck" => warnings.push(problem(
                key.line,
                format!(
                    "`{}` is not supported by the playground and is ignored",
                    key.text
                ),
            )),
            "build" => {
                return Err(problem(
                    key.line,
                    "`build`: the playground builds no images: write `image: apache/kafka:4.3.1`",
                ));
            }
            "restart" | "labels" | "networks" | "deploy" | "logging" | "stdin_open" | "tty"
            | "expose" | "user" | "platform" | "links" | "ulimits" | "stop_grace_period"
            | "init" | "profiles" | "pull_policy" | "stop_signal" | "extra_hosts"
            | "domainname" => {}
            other if other.starts_with("x-") => {}
            other => warnings.push(problem(
                key.line,
                format!("`{other}` is not known in a service and is ignored"),
            )),
        }
    }
    if service.image.is_empty() {
        return Err(problem(
            key.line,
            format!("service `{name}` has no image: write `image: apache/kafka:4.3.1`"),
        ));
    }
    if service.network_host && !service.ports.is_empty() {
        warnings.push(problem(
            service.ports[0].line,
            "published ports are discarded when using host network mode",
        ));
        service.ports.clear();
    }
    Ok(service)
}

/// What an image runs as.
fn kind_of(image: &str) -> Result<ServiceKind, String> {
    let name = image.rsplit('/').next().unwrap_or(image);
    let name = name.split([':', '@']).next().unwrap_or(name);
    if name.contains("zookeeper") {
        return Ok(ServiceKind::Zookeeper);
    }
    if matches!(
        name,
        "kafka"
            | "kafka-native"
            | "cp-kafka"
            | "cp-server"
            | "cp-enterprise-kafka"
            | "confluent-local"
    ) {
        return Ok(ServiceKind::Kafka);
    }
    Err(format!(
        "`image: {image}` is nothing that the playground can run: it runs Kafka (`apache/kafka:4.3.1`, `confluentinc/cp-kafka`) and ZooKeeper; remove this service"
    ))
}

/// A value that must be a text.
fn text_of(key: &Key, node: &Node) -> Result<String, Problem> {
    node.scalar().map(str::to_owned).ok_or_else(|| {
        problem(
            key.line,
            format!(
                "`{}` holds {}: it should be one value",
                key.text,
                node.kind()
            ),
        )
    })
}

fn items<'a>(key: &Key, node: &'a Node) -> Result<&'a [Node], Problem> {
    match &node.value {
        Value::List(items) => Ok(items),
        Value::Null => Ok(&[]),
        _ => Err(problem(
            key.line,
            format!(
                "`{}` holds {}: it should be a list, `- ` before each item",
                key.text,
                node.kind()
            ),
        )),
    }
}

/// A list of names, or a map whose keys are the names.
fn names(key: &Key, node: &Node) -> Result<Vec<String>, Problem> {
    if let Value::Map(entries) = &node.value {
        return Ok(entries.iter().map(|(key, _)| key.text.clone()).collect());
    }
    items(key, node)?
        .iter()
        .map(|item| text_of(key, item))
        .collect()
}

fn environment_of(key: &Key, node: &Node) -> Result<Vec<Setting>, Problem> {
    if let Value::Map(entries) = &node.value {
        return entries
            .iter()
            .map(|(key, node)| {
                let value = match &node.value {
                    Value::Null => String::new(),
                    _ => text_of(key, node)?,
                };
                Ok(Setting {
                    name: key.text.clone(),
                    value,
                    line: key.line,
                })
            })
            .collect();
    }
    items(key, node)?
        .iter()
        .map(|item| {
            let Some(text) = item.scalar() else {
                return Err(problem(
                    item.line,
                    format!(
                        "an item of `environment` holds {}: write `- NAME=value`",
                        item.kind()
                    ),
                ));
            };
            let Some((name, value)) = text.split_once('=') else {
                return Err(problem(
                    item.line,
                    format!("`{text}` has no `=`: write `- {text}=value`"),
                ));
            };
            Ok(Setting {
                name: name.to_owned(),
                value: value.to_owned(),
                line: item.line,
            })
        })
        .collect()
}

fn check_dependencies(file: &ComposeFile) -> Result<(), Problem> {
    for service in &file.services {
        if let Some(missing) = service
            .depends_on
            .iter()
            .find(|name| file.service(name).is_none())
        {
            return Err(problem(
                service.line,
                format!(
                    "service \"{}\" depends on undefined service \"{missing}\": name a service of this file",
                    service.name
                ),
            ));
        }
    }
    let order = file.start_order();
    match file
        .services
        .iter()
        .find(|service| !order.iter().any(|other| other.name == service.name))
    {
        Some(service) => Err(problem(
            service.line,
            format!(
                "service \"{}\" depends on itself in a circle: remove one `depends_on`",
                service.name
            ),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::defaults::{BOOK_FILE, HOME_FILE};
    use super::{ServiceKind, parse};

    fn failure(text: &str) -> String {
        match parse(text, &BTreeMap::new()) {
            Ok(file) => format!("no error: {file:?}"),
            Err(problem) => format!("docker-compose.yml:{problem}"),
        }
    }

    #[test]
    fn the_default_files_are_read() {
        let home = parse(HOME_FILE, &BTreeMap::new()).expect("valid");
        let names: Vec<&str> = home
            .services
            .iter()
            .map(|service| service.name.as_str())
            .collect();
        assert_eq!(names, ["kafka-1", "kafka-2", "kafka-3"]);
        assert!(home.services.iter().all(|service| service.network_host));
        assert!(home.warnings.is_empty(), "{:?}", home.warnings);
        assert_eq!(home.services[0].mounts[0].path, "/var/lib/kafka/data");

        let book = parse(BOOK_FILE, &BTreeMap::new()).expect("valid");
        assert_eq!(book.services[0].kind, ServiceKind::Zookeeper);
        let kafka = &book.services[1];
        assert_eq!(
            (kafka.ports[0].published, kafka.ports[0].target),
            (29092, 29092)
        );
        assert_eq!(kafka.depends_on, ["zookeeper"]);
        assert_eq!(
            kafka
                .variable("KAFKA_BROKER_ID")
                .map(|setting| setting.value.as_str()),
            Some("1")
        );
    }

    #[test]
    fn errors_have_their_line() {
        let service = "services:\n  kafka:\n    image: apache/kafka:4.3.1\n";
        for (text, expected) in [
            (
                String::new(),
                "1: the file is empty: it should hold `services:`",
            ),
            (
                "version: '2'\n".to_owned(),
                "1: `services:` is missing: name the services to run below it",
            ),
            (
                "services:\n  - kafka\n".to_owned(),
                "1: `services` holds a list: it should be a map, a service's name with a colon on each line below",
            ),
            (
                "services:\n  kafka:\n    ports: []\n".to_owned(),
                "2: service `kafka` has no image: write `image: apache/kafka:4.3.1`",
            ),
            (
                "services:\n  db:\n    image: redis\n".to_owned(),
                "3: `image: redis` is nothing that the playground can run: it runs Kafka (`apache/kafka:4.3.1`, `confluentinc/cp-kafka`) and ZooKeeper; remove this service",
            ),
            (
                format!("{service}    ports:\n      - \"9092:x\"\n"),
                "5: `x` is no port: write `- \"9092:9092\"`, with numbers from 1 to 65535",
            ),
            (
                format!("{service}    environment:\n      - KAFKA_NODE_ID\n"),
                "5: `KAFKA_NODE_ID` has no `=`: write `- KAFKA_NODE_ID=value`",
            ),
            (
                format!("{service}    environment:\n      - KAFKA_NODE_ID: 1\n"),
                "5: an item of `environment` holds a map: write `- NAME=value`",
            ),
            (
                format!("{service}    depends_on: [zookeeper]\n"),
                "2: service \"kafka\" depends on undefined service \"zookeeper\": name a service of this file",
            ),
            (
                format!("{service}    depends_on: [kafka]\n"),
                "2: service \"kafka\" depends on itself in a circle: remove one `depends_on`",
            ),
            (
                format!("{service}    network_mode: none\n"),
                "4: `network_mode: none`: the playground knows `host` and `bridge`",
            ),
        ] {
            assert_eq!(
                failure(&text),
                format!("docker-compose.yml:{expected}"),
                "{text}"
            );
        }
    }

    #[test]
    fn unknown_keys_are_warnings() {
        let file = parse(
            "services:\n  kafka:\n    image: apache/kafka\n    portz: []\nthing: 1\n",
            &BTreeMap::new(),
        )
        .expect("valid");
        let warnings: Vec<String> = file.warnings.iter().map(ToString::to_string).collect();
        assert_eq!(
            warnings,
            [
                "4: `portz` is not known in a service and is ignored",
                "5: `thing` is not known at the top level of a compose file and is ignored"
            ]
        );
    }

    #[test]
    fn variables_are_replaced() {
        let environment = BTreeMap::from([("ID".to_owned(), "7".to_owned())]);
        let file = parse(
            "services:\n  kafka:\n    image: apache/kafka:${TAG:-4.3.1}\n    environment:\n      A: $ID-${ID}-$$\n",
            &environment,
        )
        .expect("valid");
        assert_eq!(file.services[0].image, "apache/kafka:4.3.1");
        assert_eq!(file.services[0].environment[0].value, "7-7-$");
        assert_eq!(
            failure("services:\n  kafka:\n    image: ${X\n"),
            "docker-compose.yml:3: `${` is never closed in `${X`: write `}`, or `$$` for a dollar sign"
        );
    }

    #[test]
    fn ranges_and_addresses_of_ports() {
        let file = parse(
            "services:\n  kafka:\n    image: kafka\n    ports:\n      - 127.0.0.1:9092:19092\n      - 8000-8001:9000-9001/tcp\n      - {target: 1, published: 2}\n",
            &BTreeMap::new(),
        )
        .expect("valid");
        let ports: Vec<(u16, u16)> = file.services[0]
            .ports
            .iter()
            .map(|port| (port.published, port.target))
            .collect();
        assert_eq!(ports, [(9092, 19092), (8000, 9000), (8001, 9001), (2, 1)]);
    }
}
