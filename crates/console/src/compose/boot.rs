//! What happens before anybody types: the default files are there, and the containers run that ran before.

use std::collections::BTreeMap;

use playground_sim::World;

use super::container::{self, Container, HOME_HOST};
use super::defaults::BOOK_FILE;
use super::file;
use super::project::project_name;

/// The home directory.
pub const HOME_DIRECTORY: &str = "/home/user";
/// A compose file's name.
pub const FILE_NAME: &str = "docker-compose.yml";

/// Prepares a world whose hosts have their disks, before anything runs in it. On a fresh machine the services
/// of `file` are started; with `home_files` it becomes `~/docker-compose.yml`, and the tutorial's file is put
/// beside it. On another one (after a reload) the containers that ran are started again. The nodes need time
/// until they take requests: see [`is_ready`].
///
/// # Errors
/// What is wrong with `file`, or why a container cannot be started; the others are.
pub fn boot(world: &mut World, file: &str, home_files: bool) -> Result<(), String> {
    let home = world.add_host(HOME_HOST);
    for directory in [HOME_DIRECTORY, "/tmp"] {
        if !world.disk(home).is_directory(directory) {
            world.disk_mut(home).create_directory(directory);
        }
    }
    let path = format!("{HOME_DIRECTORY}/{FILE_NAME}");
    let fresh = !container::was_used(world);
    if fresh {
        let book = format!("{HOME_DIRECTORY}/book/{FILE_NAME}");
        for (path, text) in [(&path, file), (&book, BOOK_FILE)] {
            if home_files && !world.disk(home).exists(path) {
                world.disk_mut(home).write(path, text.as_bytes());
            }
        }
        let file = file::parse(file, &BTreeMap::new())
            .map_err(|problem| format!("{FILE_NAME}:{problem}"))?;
        let project = project_name(file.name.as_deref(), HOME_DIRECTORY);
        for service in file.start_order() {
            let now = world.now();
            let mut container = Container::new(&project, HOME_DIRECTORY, service, now);
            container.make_file_system(world, false);
            container.start(world)?;
        }
        return Ok(());
    }
    let mut result = Ok(());
    for mut container in container::all(world) {
        if container.ran()
            && let Err(error) = container.start(world)
        {
            result = Err(error);
        }
    }
    result
}

/// Whether every node that runs takes clients' requests, and all brokers of its cluster know it.
pub fn is_ready(world: &World) -> bool {
    container::are_ready(world, &container::all(world))
}
