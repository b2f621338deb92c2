//! Starting and stopping: `up`, `down`, `start`, `stop`, `restart`, `kill`.
//!
//! Compose reports progress on stderr, a line ` Container kafka-1  Started` per step. Scripts redirect it
//! away, and transcripts of real runs were recorded without it, so it is printed at a terminal only; errors
//! and warnings are printed always.

use std::time::Duration;

use playground_protocol::Time;
use playground_sim::{Either, NodeState, Process, World, select};

use super::cli::{STOP_TIMEOUT, Up};
use super::container::{self, Container, State};
use super::file::{Service, ServiceKind};
use super::logs::{Follower, LOG_POLL};
use super::project::{Failure, Project};
use crate::commands::CommandContext;

/// How long `up` and `start` wait for Kafka to take requests.
const READY_TIMEOUT: Duration = Duration::from_secs(30);
/// How often they look.
const READY_POLL: Duration = Duration::from_millis(20);
/// Exit code of a process that SIGKILL ended.
const KILLED: i32 = 137;
/// Exit code of a process that SIGTERM ended.
const TERMINATED: i32 = 143;
/// Exit code of a command that Ctrl-C ended.
const INTERRUPTED: i32 = 130;

/// Prints a step's progress, at a terminal.
async fn progress(context: &CommandContext, what: &str, name: &str, status: &str) {
    if context.stderr.is_terminal() {
        context.err(&format!(" {what} {name}  {status}\n")).await;
    }
}

async fn container_progress(context: &CommandContext, container: &Container, status: &str) {
    progress(context, "Container", &container.name, status).await;
}

/// `up`.
pub async fn up(context: &CommandContext, project: &Project, options: &Up) -> Result<i32, Failure> {
    let file = project.file()?;
    for warning in &file.warnings {
        context
            .err(&format!("{}:{} (warning)\n", project.label, warning))
            .await;
    }
    let existing = context
        .process
        .with_world(|world| project.containers(world));
    project.check_services(&existing, &options.services)?;
    let wanted = with_dependencies(project, &options.services)?;
    context
        .process
        .with_world(|world| check_names(world, project, &wanted))?;
    handle_orphans(context, project, options.remove_orphans).await;
    if existing.is_empty() && wanted.iter().any(|service| !service.network_host) {
        let network = format!("{}_default", project.name);
        progress(context, "Network", &network, "Creating").await;
        progress(context, "Network", &network, "Created").await;
    }
    let begin = context.process.now();
    let mut containers = Vec::new();
    for service in &wanted {
        let known = existing
            .iter()
            .find(|container| container.service.name == service.name);
        containers.push(create(context, project, service, known, options.force_recreate).await);
    }
    start_all(context, &mut containers).await?;
    if options.detach {
        return Ok(0);
    }
    attached(context, project, containers, begin).await
}

/// The named services (or all) and what they depend on, in the order of their start.
fn with_dependencies(project: &Project, names: &[String]) -> Result<Vec<Service>, Failure> {
    let order = project.file()?.start_order();
    let mut wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    for service in order.iter().rev() {
        if wanted.contains(&service.name.as_str()) {
            wanted.extend(service.depends_on.iter().map(String::as_str));
        }
    }
    Ok(order
        .into_iter()
        .filter(|service| names.is_empty() || wanted.contains(&service.name.as_str()))
        .cloned()
        .collect())
}

/// A container's name is unique on the machine, and so is a service's, as it names a host.
fn check_names(world: &World, project: &Project, wanted: &[Service]) -> Result<(), Failure> {
    for other in container::all(world)
        .iter()
        .filter(|other| other.project != project.name)
    {
        for service in wanted {
            let name = Container::new(&project.name, &project.directory, service, world.now()).name;
            if name == other.name {
                return Err(Failure::new(format!(
                    "Error response from daemon: Conflict. The container name \"/{name}\" is already in use by a container of the project in {}. You have to remove (or rename) that container to be able to reuse that name.",
                    other.directory
                )));
            }
            if service.name == other.service.name {
                return Err(Failure::new(format!(
                    "service \"{}\" is also a service of the project in {}, and the playground has one network for all: run `docker-compose down` there, or give the service another name",
                    service.name, other.directory
                )));
            }
        }
    }
    Ok(())
}

async fn handle_orphans(context: &CommandContext, project: &Project, remove: bool) {
    let orphans: Vec<Container> = context
        .process
        .with_world(|world| project.containers(world))
        .into_iter()
        .filter(|container| !project.owns(container))
        .collect();
    if orphans.is_empty() {
        return;
    }
    if remove {
        stop_all(context, orphans.clone(), STOP_TIMEOUT).await;
        remove_all(context, &orphans, false).await;
        return;
    }
    let names: Vec<&str> = orphans
        .iter()
        .map(|container| container.name.as_str())
        .collect();
    context
        .err(&format!(
            "Found orphan containers ([{}]) for this project. If you removed or renamed this service in your compose file, you can run this command with the --remove-orphans flag to clean it up.\n",
            names.join(" ")
        ))
        .await;
}

/// The container of a service: the one that is there, or a new one where there is none or the file says
/// something else now.
async fn create(
    context: &CommandContext,
    project: &Project,
    service: &Service,
    known: Option<&Container>,
    force: bool,
) -> Container {
    let new = Container::new(
        &project.name,
        &project.directory,
        service,
        context.process.now(),
    );
    match known {
        Some(known) if !force && known.service.same_as(service) && known.name == new.name => {
            return known.clone();
        }
        Some(known) => {
            container_progress(context, known, "Recreate").await;
            let mut old = known.clone();
            if context.process.with_world(|world| old.is_running(world)) {
                stop_one(&context.process, &mut old, STOP_TIMEOUT).await;
            }
            context.process.with_world(|world| {
                if old.name != new.name {
                    old.forget(world);
                }
                new.make_file_system(world, true);
            });
            container_progress(context, &new, "Recreated").await;
        }
        None => {
            container_progress(context, &new, "Creating").await;
            context
                .process
                .with_world(|world| new.make_file_system(world, false));
            container_progress(context, &new, "Created").await;
        }
    }
    let mut new = new;
    context
        .process
        .with_world(|world| new.record(world, State::Created));
    new
}

/// Starts containers and waits until their nodes take requests.
async fn start_all(context: &CommandContext, containers: &mut [Container]) -> Result<(), Failure> {
    let mut started = Vec::new();
    for container in containers.iter_mut() {
        if context
            .process
            .with_world(|world| container.is_running(world))
        {
            container_progress(context, container, "Running").await;
            continue;
        }
        container_progress(context, container, "Starting").await;
        context
            .process
            .with_world(|world| container.start(world))
            .map_err(Failure::new)?;
        started.push(container.clone());
    }
    wait_until_ready(&context.process, &started).await;
    for container in &started {
        container_progress(context, container, "Started").await;
    }
    Ok(())
}

/// Waits until the containers' nodes take requests and all others know it, or have ended.
///
/// Real compose does not wait; there a person types slowly enough. Here the next command may come in no time
/// at all.
async fn wait_until_ready(process: &Process, containers: &[Container]) {
    let deadline = process.now() + READY_TIMEOUT;
    while process.now() < deadline
        && !process.with_world(|world| container::are_ready(world, containers))
    {
        process.sleep(READY_POLL).await;
    }
}

/// Shows the logs until Ctrl-C, which stops the containers, or until all have ended.
async fn attached(
    context: &CommandContext,
    project: &Project,
    containers: Vec<Container>,
    begin: Time,
) -> Result<i32, Failure> {
    let process = &context.process;
    process.catch_signals();
    let names: Vec<&str> = containers
        .iter()
        .map(|container| container.short_name())
        .collect();
    context
        .out(&format!("Attaching to {}\n", names.join(", ")))
        .await;
    let mut follower = Follower::new(&containers, Some(begin), false);
    let mut running: Vec<Container> = containers.clone();
    loop {
        let text = process.with_world(|world| follower.next(world, None));
        if !context.try_out(&text).await {
            return Ok(INTERRUPTED);
        }
        let mut still = Vec::new();
        for container in running {
            // One that was removed meanwhile has no state.
            match process.with_world(|world| container::state_of(world, &container.name)) {
                None => {}
                Some(State::Exited(_, code)) => {
                    context
                        .out(&format!(
                            "{} exited with code {code}\n",
                            container.short_name()
                        ))
                        .await;
                }
                _ => still.push(container),
            }
        }
        running = still;
        if running.is_empty() {
            return Ok(0);
        }
        if let Either::Left(_) = select(process.next_signal(), process.sleep(LOG_POLL)).await {
            break;
        }
    }
    context
        .out("Gracefully Stopping... press Ctrl+C again to force\n")
        .await;
    let containers = process.with_world(|world| project.containers(world));
    let containers: Vec<Container> = containers
        .into_iter()
        .filter(|container| running.iter().any(|running| running.name == container.name))
        .collect();
    let stopping = stop_all(context, containers.clone(), STOP_TIMEOUT);
    if let Either::Left(_) = select(process.next_signal(), stopping).await {
        for mut container in containers {
            process.with_world(|world| end(world, &mut container, KILLED));
            container_progress(context, &container, "Killed").await;
        }
    }
    let text = process.with_world(|world| follower.next(world, None));
    context.out(&text).await;
    Ok(INTERRUPTED)
}

/// `start`.
pub async fn start(
    context: &CommandContext,
    project: &Project,
    services: &[String],
) -> Result<i32, Failure> {
    let mut containers = context
        .process
        .with_world(|world| project.select(world, services))?;
    let without = services.iter().find(|name| {
        !containers
            .iter()
            .any(|container| container.service.name == **name)
    });
    if let Some(name) = without {
        return Err(Failure::new(format!(
            "service \"{name}\" has no container to start"
        )));
    }
    if containers.is_empty() {
        return Err(Failure::new(format!(
            "no container found for project \"{}\": not found",
            project.name
        )));
    }
    containers.retain(|container| {
        context
            .process
            .with_world(|world| !container.is_running(world))
    });
    start_all(context, &mut containers).await?;
    Ok(0)
}

/// `stop`.
pub async fn stop(
    context: &CommandContext,
    project: &Project,
    services: &[String],
    timeout: Duration,
) -> Result<i32, Failure> {
    let containers = context
        .process
        .with_world(|world| project.select(world, services))?;
    stop_all(context, containers, timeout).await;
    Ok(0)
}

/// `restart`.
pub async fn restart(
    context: &CommandContext,
    project: &Project,
    services: &[String],
    timeout: Duration,
) -> Result<i32, Failure> {
    let containers = context
        .process
        .with_world(|world| project.select(world, services))?;
    if containers.is_empty() {
        return Err(Failure::new(format!(
            "no container found for project \"{}\": not found",
            project.name
        )));
    }
    for container in &containers {
        container_progress(context, container, "Restarting").await;
    }
    let mut stopped = containers;
    stop_silently(&context.process, &mut stopped, timeout).await;
    for container in &mut stopped {
        context
            .process
            .with_world(|world| container.start(world))
            .map_err(Failure::new)?;
    }
    wait_until_ready(&context.process, &stopped).await;
    for container in &stopped {
        container_progress(context, container, "Started").await;
    }
    Ok(0)
}

/// `kill`.
pub async fn kill(
    context: &CommandContext,
    project: &Project,
    services: &[String],
    signal: &str,
) -> Result<i32, Failure> {
    let name = signal.to_ascii_uppercase();
    let code = match name.strip_prefix("SIG").unwrap_or(&name) {
        "KILL" | "9" => KILLED,
        "TERM" | "15" => TERMINATED,
        "INT" | "2" => INTERRUPTED,
        "HUP" | "1" => 129,
        _ => {
            return Err(Failure::new(format!(
                "Error response from daemon: invalid signal: {signal} (the playground knows SIGKILL, SIGTERM, SIGINT and SIGHUP)"
            )));
        }
    };
    let mut containers = context
        .process
        .with_world(|world| project.select(world, services))?;
    containers.retain(|container| {
        context
            .process
            .with_world(|world| container.is_running(world))
    });
    for container in &mut containers {
        container_progress(context, container, "Killing").await;
        if code == KILLED {
            context
                .process
                .with_world(|world| end(world, container, KILLED));
        } else {
            // The JVM shuts down in order on any of them.
            let timeout = READY_TIMEOUT;
            let ended = stop_one(&context.process, container, timeout).await;
            if ended == TERMINATED {
                context.process.with_world(|world| {
                    let now = world.now();
                    container.record(world, State::Exited(now, code));
                });
            }
        }
        container_progress(context, container, "Killed").await;
    }
    Ok(0)
}

/// `down`.
pub async fn down(
    context: &CommandContext,
    project: &Project,
    services: &[String],
    volumes: bool,
    remove_orphans: bool,
    timeout: Duration,
) -> Result<i32, Failure> {
    let selected = context
        .process
        .with_world(|world| project.select(world, services))?;
    let all = context
        .process
        .with_world(|world| project.containers(world));
    if all.is_empty() {
        context
            .err(&format!(
                "Warning: No resource found to remove for project \"{}\".\n",
                project.name
            ))
            .await;
        return Ok(0);
    }
    stop_all(context, selected.clone(), timeout).await;
    remove_all(context, &selected, volumes).await;
    if services.is_empty() {
        handle_orphans(context, project, remove_orphans).await;
        if selected
            .iter()
            .any(|container| !container.service.network_host)
        {
            let network = format!("{}_default", project.name);
            progress(context, "Network", &network, "Removing").await;
            progress(context, "Network", &network, "Removed").await;
        }
    }
    Ok(0)
}

async fn remove_all(context: &CommandContext, containers: &[Container], volumes: bool) {
    for container in containers {
        container_progress(context, container, "Removing").await;
        context
            .process
            .with_world(|world| container.remove(world, volumes));
        let what = if container.service.kind == ServiceKind::Kafka
            && container.service.mounts.is_empty()
        {
            "Removed (and its data with it: no named volume holds them)"
        } else {
            "Removed"
        };
        container_progress(context, container, what).await;
        for mount in &container.service.mounts {
            let name = format!("{}_{}", container.project, mount.volume);
            let what = if volumes {
                "Removed"
            } else {
                "Kept (down -v removes it, and its data)"
            };
            progress(context, "Volume", &name, what).await;
        }
    }
}

/// Stops the containers that run, those that depend on others first.
async fn stop_all(context: &CommandContext, containers: Vec<Container>, timeout: Duration) {
    let mut running: Vec<Container> = containers
        .into_iter()
        .filter(|container| {
            context
                .process
                .with_world(|world| container.is_running(world))
        })
        .collect();
    running.reverse();
    for container in &running {
        container_progress(context, container, "Stopping").await;
    }
    stop_silently(&context.process, &mut running, timeout).await;
    for container in &running {
        container_progress(context, container, "Stopped").await;
    }
}

/// Sends SIGTERM to all of them, and waits.
async fn stop_silently(process: &Process, containers: &mut [Container], timeout: Duration) {
    for container in containers.iter() {
        process.with_world(|world| {
            if container.service.kind == ServiceKind::Kafka {
                let host = container.host(world);
                world.stop_node(host);
            }
        });
    }
    for container in containers {
        stop_one(process, container, timeout).await;
    }
}

/// Stops a container: SIGTERM, after `timeout` SIGKILL. Gives the exit code. One that has ended stays as it is.
async fn stop_one(process: &Process, container: &mut Container, timeout: Duration) -> i32 {
    let host = process.with_world(|world| {
        let host = container.host(world);
        world.stop_node(host);
        host
    });
    if let State::Exited(_, code) = container.recorded_state() {
        return code;
    }
    let deadline = process.now() + timeout;
    let mut code = TERMINATED;
    while process.with_world(|world| world.node_state(host).0) != NodeState::Stopped {
        if process.now() >= deadline {
            code = KILLED;
            break;
        }
        select(process.node_change(), process.sleep_until(deadline)).await;
    }
    process.with_world(|world| end(world, container, code));
    code
}

/// Ends a container at once: its node, and what else runs there.
fn end(world: &mut World, container: &mut Container, code: i32) {
    let host = container.host(world);
    world.kill_node(host);
    world.kill_processes(host);
    world.unpublish(host);
    let now = world.now();
    container.record(world, State::Exited(now, code));
}
