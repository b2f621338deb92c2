//! The project that a command is about: its file, its directory, its name.

use playground_sim::World;

use super::cli::Globals;
use super::container::{self, Container};
use super::file::ServiceKind;
use super::file::{self, ComposeFile, Problem};
use super::node_config::node_config;
use crate::commands::{CommandContext, resolve};
use crate::files::parent;

/// The names of a compose file, the first that is there counts.
const FILE_NAMES: [&str; 4] = [
    "compose.yaml",
    "compose.yml",
    "docker-compose.yml",
    "docker-compose.yaml",
];

/// Why a command cannot go on: what to print on stderr, and the exit code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What to print.
    pub text: String,
    /// The exit code.
    pub code: i32,
}

impl Failure {
    /// A failure with compose's usual exit code.
    pub fn new(text: impl Into<String>) -> Failure {
        Failure {
            text: text.into(),
            code: 1,
        }
    }
}

/// Compose's exit code when there is no file.
const NO_FILE: i32 = 14;
/// Compose's exit code when the file is wrong.
const BAD_FILE: i32 = 15;

/// See the module's documentation.
#[derive(Clone, Debug)]
pub struct Project {
    /// Its name.
    pub name: String,
    /// Its directory.
    pub directory: String,
    /// The file as errors name it.
    pub label: String,
    /// Its file. There may be none for a project whose containers are there.
    pub file: Option<ComposeFile>,
}

/// A project's name: what the file says, or its directory's last part, in the letters that compose allows.
pub fn project_name(named: Option<&str>, directory: &str) -> String {
    let name = named
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| directory.rsplit('/').next().unwrap_or_default());
    let name: String = name
        .chars()
        .map(|character| character.to_ascii_lowercase())
        .filter(|character| character.is_ascii_alphanumeric() || "-_".contains(*character))
        .collect();
    let name = name.trim_start_matches(['-', '_']);
    if name.is_empty() {
        "default".to_owned()
    } else {
        name.to_owned()
    }
}

impl Project {
    /// Finds the project of a command: the file that `-f` names, or the one in the working directory or above
    /// it; where there is none, the project whose containers were made from there.
    ///
    /// # Errors
    /// There is none, or its file is wrong.
    pub fn find(context: &CommandContext, globals: &Globals) -> Result<Project, Failure> {
        let start = globals
            .directory
            .as_deref()
            .map_or_else(|| context.cwd.clone(), |directory| context.path(directory));
        let found = match &globals.file {
            Some(given) => {
                let path = context.path(given);
                let is_file = context
                    .process
                    .with_disk(|disk| disk.exists(&path) && !disk.is_directory(&path));
                if !is_file {
                    return Err(Failure {
                        text: format!("open {path}: no such file or directory"),
                        code: NO_FILE,
                    });
                }
                Some((path, given.clone()))
            }
            None => find_file(context, &start),
        };
        let Some((path, label)) = found else {
            return context
                .process
                .with_world(|world| without_file(world, globals, &start))
                .ok_or_else(|| Failure {
                    text: "no configuration file provided: not found".to_owned(),
                    code: NO_FILE,
                });
        };
        let directory = match &globals.directory {
            Some(_) => start,
            None => parent(&path).to_owned(),
        };
        let bytes = context
            .process
            .with_disk(|disk| disk.read_all(&path))
            .unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let file = file::parse(&text, &context.environment)
            .and_then(check)
            .map_err(|problem| bad_file(&label, &problem))?;
        let named = globals.project.as_deref().or(file.name.as_deref());
        Ok(Project {
            name: project_name(named, &directory),
            directory,
            label,
            file: Some(file),
        })
    }

    /// Its file, or why there is none.
    ///
    /// # Errors
    /// There is none.
    pub fn file(&self) -> Result<&ComposeFile, Failure> {
        self.file.as_ref().ok_or_else(|| Failure {
            text: "no configuration file provided: not found".to_owned(),
            code: NO_FILE,
        })
    }

    /// Its containers: those of the file's services in their order, then the orphans.
    pub fn containers(&self, world: &World) -> Vec<Container> {
        let mut containers: Vec<Container> = container::all(world)
            .into_iter()
            .filter(|container| container.project == self.name)
            .collect();
        if let Some(file) = &self.file {
            let order: Vec<&str> = file
                .start_order()
                .iter()
                .map(|service| service.name.as_str())
                .collect();
            containers.sort_by_key(|container| {
                order
                    .iter()
                    .position(|name| *name == container.service.name)
                    .unwrap_or(order.len())
            });
        }
        containers
    }

    /// Whether the file has a container's service; true where there is no file.
    pub fn owns(&self, container: &Container) -> bool {
        self.file
            .as_ref()
            .is_none_or(|file| file.service(&container.service.name).is_some())
    }

    /// The containers of the named services, or of all when none is named.
    ///
    /// # Errors
    /// A service is unknown.
    pub fn select(&self, world: &World, services: &[String]) -> Result<Vec<Container>, Failure> {
        let containers = self.containers(world);
        self.check_services(&containers, services)?;
        Ok(containers
            .into_iter()
            .filter(|container| {
                if services.is_empty() {
                    self.owns(container)
                } else {
                    services.contains(&container.service.name)
                }
            })
            .collect())
    }

    /// Checks that services are the file's (or, without one, the containers').
    ///
    /// # Errors
    /// Compose's own text.
    pub fn check_services(
        &self,
        containers: &[Container],
        services: &[String],
    ) -> Result<(), Failure> {
        let known = |name: &str| match &self.file {
            Some(file) => file.service(name).is_some(),
            None => containers
                .iter()
                .any(|container| container.service.name == name),
        };
        match services.iter().find(|name| !known(name)) {
            Some(name) => Err(Failure::new(format!("no such service: {name}"))),
            None => Ok(()),
        }
    }
}

/// Checks that every Kafka service can be a node.
fn check(file: ComposeFile) -> Result<ComposeFile, Problem> {
    for service in &file.services {
        if service.kind == ServiceKind::Kafka {
            node_config(service)?;
        }
    }
    Ok(file)
}

fn bad_file(label: &str, problem: &Problem) -> Failure {
    Failure {
        text: format!("{label}:{problem}"),
        code: BAD_FILE,
    }
}

/// The compose file in a directory or above it: its path, and its name for errors.
fn find_file(context: &CommandContext, start: &str) -> Option<(String, String)> {
    let mut directory = start.to_owned();
    loop {
        for name in FILE_NAMES {
            let path = resolve(&directory, name);
            if context.process.with_disk(|disk| disk.exists(&path)) {
                let label = if directory == start {
                    name.to_owned()
                } else {
                    path.clone()
                };
                return Some((path, label));
            }
        }
        if directory == "/" {
            return None;
        }
        directory = parent(&directory).to_owned();
    }
}

/// A project known by its containers alone.
fn without_file(world: &World, globals: &Globals, start: &str) -> Option<Project> {
    let containers = container::all(world);
    let inside = |directory: &str| {
        start == directory
            || start
                .strip_prefix(directory)
                .is_some_and(|rest| rest.starts_with('/'))
    };
    let found = containers
        .iter()
        .filter(|container| match &globals.project {
            Some(name) => container.project == *name,
            None => inside(&container.directory),
        })
        .max_by_key(|container| container.directory.len())?;
    Some(Project {
        name: found.project.clone(),
        directory: found.directory.clone(),
        label: "docker-compose.yml".to_owned(),
        file: None,
    })
}
