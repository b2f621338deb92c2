//! `logs`: what the containers' nodes log, as log4j prints it, each line after its container's name.

use std::time::Duration;

use chrono::DateTime;
use playground_protocol::Time;
use playground_sim::World;

use super::cli::Logs;
use super::container::{self, Container, State};
use super::file::ServiceKind;
use super::project::{Failure, Project};
use crate::commands::CommandContext;

/// How often new lines are looked for.
pub const LOG_POLL: Duration = Duration::from_millis(200);

/// What a ZooKeeper says when it starts.
const ZOOKEEPER_LINES: [&str; 2] = [
    "INFO ZooKeeper is the metadata service that KRaft replaced: since Kafka 4 the brokers' own controllers keep the metadata (playground)",
    "INFO This container is here because the compose file asks for it; no broker connects to it (playground)",
];

/// One line of a container's log.
struct Line {
    time: Time,
    text: String,
}

/// Reads containers' logs from where it stopped the last time.
pub struct Follower {
    sources: Vec<Source>,
    width: usize,
    no_prefix: bool,
}

struct Source {
    container: Container,
    /// Lines before this time are old.
    from: Time,
    /// So many lines of exactly that time were seen. A node's log forgets old lines, so places in it mean
    /// nothing.
    seen: usize,
}

impl Follower {
    /// Reads from `from` on, or everything.
    pub fn new(containers: &[Container], from: Option<Time>, no_prefix: bool) -> Follower {
        Follower {
            width: containers
                .iter()
                .map(|container| container.short_name().len())
                .max()
                .unwrap_or_default(),
            sources: containers
                .iter()
                .map(|container| Source {
                    container: container.clone(),
                    from: from.unwrap_or_default(),
                    seen: 0,
                })
                .collect(),
            no_prefix,
        }
    }

    /// The new lines of all containers by time; of each at most the last `tail`.
    pub fn next(&mut self, world: &World, tail: Option<usize>) -> String {
        let mut lines: Vec<(Time, String)> = Vec::new();
        for source in &mut self.sources {
            let mut new = source.next(world);
            if let Some(tail) = tail {
                new.drain(..new.len().saturating_sub(tail));
            }
            let name = source.container.short_name();
            for line in new {
                for part in line.text.split('\n') {
                    lines.push((
                        line.time,
                        if self.no_prefix {
                            format!("{part}\n")
                        } else {
                            format!("{name:<width$}  | {part}\n", width = self.width)
                        },
                    ));
                }
            }
        }
        lines.sort_by_key(|(time, _)| *time);
        lines.into_iter().map(|(_, text)| text).collect()
    }
}

impl Source {
    fn next(&mut self, world: &World) -> Vec<Line> {
        let mut lines = self.lines(world);
        lines.retain(|line| line.time >= self.from);
        let old = if lines.is_empty() {
            0
        } else {
            self.seen.min(lines.len())
        };
        if let Some(last) = lines.last().map(|line| line.time) {
            self.seen = lines.iter().filter(|line| line.time == last).count();
            self.from = last;
        }
        lines.drain(..old);
        lines
    }

    fn lines(&self, world: &World) -> Vec<Line> {
        if self.container.service.kind == ServiceKind::Zookeeper {
            let Some(State::Running(since)) = container::state_of(world, &self.container.name)
            else {
                return Vec::new();
            };
            return ZOOKEEPER_LINES
                .iter()
                .map(|text| Line {
                    time: since,
                    text: format!("[{}] {text}", stamp(since)),
                })
                .collect();
        }
        let Some(host) = world.host_by_name(&self.container.service.name) else {
            return Vec::new();
        };
        world
            .node_log(host)
            .iter()
            .map(|(time, line)| Line {
                time: *time,
                text: format!(
                    "[{}] {} {} ({})",
                    stamp(*time),
                    line.level.as_str(),
                    line.message,
                    line.logger
                ),
            })
            .collect()
    }
}

/// A time as log4j prints it, in UTC.
fn stamp(time: Time) -> String {
    DateTime::from_timestamp_millis(time.millis())
        .map(|date| date.format("%Y-%m-%d %H:%M:%S,%3f").to_string())
        .unwrap_or_default()
}

/// `logs`.
pub async fn run(
    context: &CommandContext,
    project: &Project,
    options: &Logs,
) -> Result<i32, Failure> {
    let containers = context
        .process
        .with_world(|world| project.select(world, &options.services))?;
    let mut follower = Follower::new(&containers, None, options.no_prefix);
    let text = context
        .process
        .with_world(|world| follower.next(world, options.tail));
    if !context.try_out(&text).await {
        return Ok(1);
    }
    if !options.follow {
        return Ok(0);
    }
    loop {
        context.process.sleep(LOG_POLL).await;
        let text = context
            .process
            .with_world(|world| follower.next(world, None));
        if !context.try_out(&text).await {
            return Ok(1);
        }
        let running = context.process.with_world(|world| {
            containers.iter().any(|container| {
                matches!(
                    container::state_of(world, &container.name),
                    Some(State::Running(_))
                )
            })
        });
        if !running {
            return Ok(0);
        }
    }
}
