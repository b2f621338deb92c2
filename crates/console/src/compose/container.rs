//! Containers: what compose made of services. Their records lie on the home host's disk, where Docker's
//! daemon keeps its own, so that they outlive a reload of the page.

use playground_log::Disk;
use playground_protocol::Time;
use playground_sim::{HostId, NodeState, World};
use serde::{Deserialize, Serialize};

use super::file::{Mount, Port, Service, ServiceKind, Setting};
use super::node_config::{LOG_DIR, node_config};

/// The machine that the containers run on.
pub const HOME_HOST: &str = "home";
/// Where the records lie, one file a container.
const DIRECTORY: &str = "/var/lib/docker/containers";
/// The records' format.
const VERSION: u32 = 1;
/// The home directory inside of a container.
pub const CONTAINER_HOME: &str = "/home/appuser";

/// What a container does.
///
/// `Created` → `Running` → `Exited` → `Running` …; a removed container has no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Never started.
    Created,
    /// Runs since then.
    Running(Time),
    /// Ended then, with this exit code.
    Exited(Time, i32),
}

/// One container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Container {
    /// Its name, unique on the machine.
    pub name: String,
    /// The project it belongs to.
    pub project: String,
    /// The project's directory.
    pub directory: String,
    /// When it was made.
    pub created: Time,
    /// What it does, as far as its record says; see [`Container::state`].
    recorded: State,
    /// What it runs.
    pub service: Service,
}

impl Container {
    /// A new container of a service, not recorded yet.
    pub fn new(project: &str, directory: &str, service: &Service, now: Time) -> Container {
        Container {
            name: service
                .container_name
                .clone()
                .unwrap_or_else(|| format!("{project}-{}-1", service.name)),
            project: project.to_owned(),
            directory: directory.to_owned(),
            created: now,
            recorded: State::Created,
            service: service.clone(),
        }
    }

    /// The host that is this container.
    pub fn host(&self, world: &mut World) -> HostId {
        world.add_host(&self.service.name)
    }

    /// The name before its log lines: without the project.
    pub fn short_name(&self) -> &str {
        self.name
            .strip_prefix(&self.project)
            .and_then(|rest| rest.strip_prefix('-'))
            .unwrap_or(&self.name)
    }

    /// What its record says.
    pub fn recorded_state(&self) -> State {
        self.recorded
    }

    /// What it does. A node may have ended by itself since it was recorded.
    pub fn state(&self, world: &World) -> State {
        let State::Running(_) = self.recorded else {
            return self.recorded;
        };
        if self.service.kind == ServiceKind::Zookeeper {
            return self.recorded;
        }
        let node = world
            .host_by_name(&self.service.name)
            .map(|host| world.node_state(host));
        match node {
            Some((NodeState::Stopped, since)) => State::Exited(since, 1),
            _ => self.recorded,
        }
    }

    /// Whether it runs.
    pub fn is_running(&self, world: &World) -> bool {
        matches!(self.state(world), State::Running(_))
    }

    /// Sets what it does, and records it.
    pub fn record(&mut self, world: &mut World, state: State) {
        self.recorded = state;
        let record = Record::from(&*self);
        if let Ok(text) = serde_json::to_vec_pretty(&record) {
            let path = path_of(&self.name);
            home_disk(world).write(&path, &text);
        }
    }

    /// The directories that outlive the container.
    pub fn mount_paths(&self) -> impl Iterator<Item = &str> {
        self.service.mounts.iter().map(|mount| mount.path.as_str())
    }

    /// Makes the container's file system anew: nothing stays but the named volumes, and the data directory
    /// (an anonymous volume of the images) when the container takes the place of another.
    pub fn make_file_system(&self, world: &mut World, replaces: bool) {
        let mut kept: Vec<&str> = self.mount_paths().collect();
        if replaces {
            kept.push(LOG_DIR);
        }
        let host = self.host(world);
        let disk = world.disk_mut(host);
        wipe(disk, "/", &kept);
        disk.create_directory(CONTAINER_HOME);
        disk.create_directory("/tmp");
    }

    /// Removes the container: its record and its file system, but for the named volumes. `volumes` removes
    /// them too.
    pub fn remove(&self, world: &mut World, volumes: bool) {
        let kept: Vec<&str> = if volumes {
            Vec::new()
        } else {
            self.mount_paths().collect()
        };
        let host = self.host(world);
        wipe(world.disk_mut(host), "/", &kept);
        world.set_network(host, None);
        self.forget(world);
    }

    /// Deletes the record.
    pub fn forget(&self, world: &mut World) {
        let path = path_of(&self.name);
        home_disk(world).delete(&path);
    }

    /// Starts what it runs. Does nothing when it runs already.
    ///
    /// # Errors
    /// What Docker's daemon says: a port is taken, the configuration cannot be.
    pub fn start(&mut self, world: &mut World) -> Result<(), String> {
        if self.is_running(world) && self.service.kind == ServiceKind::Kafka {
            return Ok(());
        }
        let host = self.host(world);
        let home = world.add_host(HOME_HOST);
        if let Some((port, other)) = self.port_conflict(world) {
            return Err(format!(
                "Error response from daemon: failed to set up container networking: driver failed programming external connectivity on endpoint {}: Bind for 0.0.0.0:{port} failed: port is already allocated (by container {other}: stop it, or choose another port)",
                self.name
            ));
        }
        world.set_network(host, self.service.network_host.then_some(home));
        world.unpublish(host);
        for port in &self.service.ports {
            world.publish(home, port.published, host, port.target);
        }
        if self.service.kind == ServiceKind::Kafka {
            let config = node_config(&self.service).map_err(|problem| {
                format!("service \"{}\": {}", self.service.name, problem.message)
            })?;
            world.start_node(host, config);
        }
        let now = world.now();
        self.record(world, State::Running(now));
        Ok(())
    }

    /// Whether it is recorded as running, whatever became of it: what a reload starts again.
    pub fn ran(&self) -> bool {
        matches!(self.recorded, State::Running(_))
    }

    /// The machine's ports that it takes.
    fn machine_ports(&self) -> Vec<u16> {
        if !self.service.network_host {
            return self
                .service
                .ports
                .iter()
                .map(|port| port.published)
                .collect();
        }
        node_config(&self.service)
            .map(|config| {
                config
                    .listeners
                    .iter()
                    .map(|listener| listener.port)
                    .collect()
            })
            .unwrap_or_default()
    }

    fn port_conflict(&self, world: &World) -> Option<(u16, String)> {
        let own = self.machine_ports();
        all(world)
            .into_iter()
            .filter(|other| other.name != self.name && other.is_running(world))
            .find_map(|other| {
                let taken = other.machine_ports();
                let port = own.iter().find(|port| taken.contains(port))?;
                Some((*port, other.name))
            })
    }
}

/// All containers, by name.
pub fn all(world: &World) -> Vec<Container> {
    let Some(home) = world.host_by_name(HOME_HOST) else {
        return Vec::new();
    };
    let disk = world.disk(home);
    let mut containers: Vec<Container> = disk
        .list(DIRECTORY)
        .iter()
        .filter_map(|name| {
            let text = disk.read_all(&format!("{DIRECTORY}/{name}"))?;
            let record: Record = serde_json::from_slice(&text).ok()?;
            (record.version == VERSION).then(|| Container::from(record))
        })
        .collect();
    containers.sort_by(|one, other| one.name.cmp(&other.name));
    containers
}

/// What the container of that name does; `None` when there is none.
pub fn state_of(world: &World, name: &str) -> Option<State> {
    all(world)
        .iter()
        .find(|container| container.name == name)
        .map(|container| container.state(world))
}

/// Whether the nodes of containers take clients' requests and every broker of their cluster knows it. What
/// has ended is waited for no longer.
pub fn are_ready(world: &World, containers: &[Container]) -> bool {
    let node_of = |container: &Container| {
        let host = world.host_by_name(&container.service.name)?;
        (world.node_state(host).0 == NodeState::Running).then_some(())?;
        world.node(host)
    };
    let everybody = all(world);
    containers.iter().filter_map(node_of).all(|node| {
        let (id, voters) = (node.config().node_id, &node.config().controller_voters);
        node.is_running()
            && everybody
                .iter()
                .filter_map(node_of)
                .filter(|other| other.is_running() && other.config().controller_voters == *voters)
                .all(|other| other.metadata_image().alive_broker(id).is_some())
    })
}

/// Whether containers were ever made on this machine.
pub fn was_used(world: &World) -> bool {
    world
        .host_by_name(HOME_HOST)
        .is_some_and(|home| world.disk(home).is_directory(DIRECTORY))
}

fn home_disk(world: &mut World) -> &mut Disk {
    let home = world.add_host(HOME_HOST);
    world.disk_mut(home)
}

fn path_of(name: &str) -> String {
    format!("{DIRECTORY}/{name}.json")
}

/// Deletes everything in `directory` but the paths in `kept`.
fn wipe(disk: &mut Disk, directory: &str, kept: &[&str]) {
    for name in disk.list(directory) {
        let path = format!("{}/{name}", directory.trim_end_matches('/'));
        if kept.contains(&path.as_str()) {
            continue;
        }
        let inside = format!("{path}/");
        if kept.iter().any(|kept| kept.starts_with(&inside)) {
            wipe(disk, &path, kept);
        } else {
            disk.delete(&path);
        }
    }
}

/// A container as its file holds it.
#[derive(Serialize, Deserialize)]
struct Record {
    version: u32,
    name: String,
    project: String,
    directory: String,
    service: String,
    image: String,
    kind: String,
    #[serde(default)]
    container_name: Option<String>,
    #[serde(default)]
    hostname: Option<String>,
    network_host: bool,
    ports: Vec<(u16, u16)>,
    environment: Vec<(String, String)>,
    depends_on: Vec<String>,
    mounts: Vec<(String, String)>,
    created_us: u64,
    status: String,
    since_us: u64,
    exit_code: i32,
}

impl From<&Container> for Record {
    fn from(container: &Container) -> Record {
        let service = &container.service;
        let (status, since, exit_code) = match container.recorded {
            State::Created => ("created", container.created, 0),
            State::Running(since) => ("running", since, 0),
            State::Exited(since, code) => ("exited", since, code),
        };
        Record {
            version: VERSION,
            name: container.name.clone(),
            project: container.project.clone(),
            directory: container.directory.clone(),
            service: service.name.clone(),
            image: service.image.clone(),
            kind: match service.kind {
                ServiceKind::Kafka => "kafka",
                ServiceKind::Zookeeper => "zookeeper",
            }
            .to_owned(),
            container_name: service.container_name.clone(),
            hostname: service.hostname.clone(),
            network_host: service.network_host,
            ports: service
                .ports
                .iter()
                .map(|port| (port.published, port.target))
                .collect(),
            environment: service
                .environment
                .iter()
                .map(|setting| (setting.name.clone(), setting.value.clone()))
                .collect(),
            depends_on: service.depends_on.clone(),
            mounts: service
                .mounts
                .iter()
                .map(|mount| (mount.volume.clone(), mount.path.clone()))
                .collect(),
            created_us: container.created.micros(),
            status: status.to_owned(),
            since_us: since.micros(),
            exit_code,
        }
    }
}

impl From<Record> for Container {
    fn from(record: Record) -> Container {
        let since = Time::from_micros(record.since_us);
        Container {
            name: record.name,
            project: record.project,
            directory: record.directory,
            created: Time::from_micros(record.created_us),
            recorded: match record.status.as_str() {
                "running" => State::Running(since),
                "exited" => State::Exited(since, record.exit_code),
                _ => State::Created,
            },
            service: Service {
                name: record.service,
                line: 0,
                kind: if record.kind == "zookeeper" {
                    ServiceKind::Zookeeper
                } else {
                    ServiceKind::Kafka
                },
                image: record.image,
                container_name: record.container_name,
                hostname: record.hostname,
                network_host: record.network_host,
                ports: record
                    .ports
                    .into_iter()
                    .map(|(published, target)| Port {
                        published,
                        target,
                        line: 0,
                    })
                    .collect(),
                environment: record
                    .environment
                    .into_iter()
                    .map(|(name, value)| Setting {
                        name,
                        value,
                        line: 0,
                    })
                    .collect(),
                depends_on: record.depends_on,
                mounts: record
                    .mounts
                    .into_iter()
                    .map(|(volume, path)| Mount { volume, path })
                    .collect(),
            },
        }
    }
}
