//! `ps`: the table of containers.

use std::time::Duration;

use unicode_width::UnicodeWidthStr;

use super::container::{Container, State};
use super::file::ServiceKind;
use super::project::{Failure, Project};
use crate::commands::CommandContext;

/// Narrowest column, and spaces after a cell, as in Docker's tables.
const COLUMN_WIDTH_MIN: usize = 10;
const PADDING: usize = 3;

/// `ps`.
pub async fn run(
    context: &CommandContext,
    project: &Project,
    all: bool,
    quiet: bool,
    services_only: bool,
    services: &[String],
) -> Result<i32, Failure> {
    let (rows, now) = context.process.with_world(|world| {
        let containers = if services.is_empty() {
            Ok(project.containers(world))
        } else {
            project.select(world, services)
        };
        containers.map(|mut containers| {
            containers.sort_by(|one, other| one.name.cmp(&other.name));
            let rows: Vec<(Container, State)> = containers
                .into_iter()
                .map(|container| {
                    let state = container.state(world);
                    (container, state)
                })
                .filter(|(_, state)| all || matches!(state, State::Running(_)))
                .collect();
            (rows, world.now())
        })
    })?;
    if quiet || services_only {
        for (container, _) in &rows {
            let name = if quiet {
                &container.name
            } else {
                &container.service.name
            };
            context.out(&format!("{name}\n")).await;
        }
        return Ok(0);
    }
    let mut table = vec![
        [
            "NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    for (container, state) in &rows {
        table.push(vec![
            container.name.clone(),
            container.service.image.clone(),
            command(&container.service.image).to_owned(),
            container.service.name.clone(),
            format!("{} ago", duration(now.since(container.created))),
            status(container, *state, now),
            ports(container),
        ]);
    }
    context.out(&render(&table)).await;
    Ok(0)
}

/// What an image starts, as Docker shortens it.
fn command(image: &str) -> &'static str {
    if image.contains("confluentinc") {
        "\"/etc/confluent/dock…\""
    } else {
        "\"/__cacert_entrypoin…\""
    }
}

fn status(container: &Container, state: State, now: playground_protocol::Time) -> String {
    let status = match state {
        State::Created => "Created".to_owned(),
        State::Running(since) => format!("Up {}", duration(now.since(since))),
        State::Exited(since, code) => {
            format!("Exited ({code}) {} ago", duration(now.since(since)))
        }
    };
    match container.service.kind {
        ServiceKind::Kafka => status,
        ServiceKind::Zookeeper => format!("{status} (metadata service that KRaft replaced)"),
    }
}

fn ports(container: &Container) -> String {
    let ports: Vec<String> = container
        .service
        .ports
        .iter()
        .map(|port| format!("0.0.0.0:{}->{}/tcp", port.published, port.target))
        .collect();
    ports.join(", ")
}

/// A duration in Docker's words (`units.HumanDuration`).
fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let minutes = seconds / 60;
    let hours = (minutes + 30) / 60;
    match (seconds, minutes, hours) {
        (0, _, _) => "Less than a second".to_owned(),
        (1, _, _) => "1 second".to_owned(),
        (2..60, _, _) => format!("{seconds} seconds"),
        (_, 1, _) => "About a minute".to_owned(),
        (_, 2..60, _) => format!("{minutes} minutes"),
        (_, _, 1) => "About an hour".to_owned(),
        (_, _, 2..48) => format!("{hours} hours"),
        (_, _, 48..336) => format!("{} days", hours / 24),
        (_, _, 336..1440) => format!("{} weeks", hours / 24 / 7),
        (_, _, 1440..17520) => format!("{} months", hours / 24 / 30),
        _ => format!("{} years", hours / 24 / 365),
    }
}

fn render(table: &[Vec<String>]) -> String {
    let columns = table.first().map_or(0, Vec::len);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            table
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| cell.width() + PADDING)
                .max()
                .unwrap_or_default()
                .max(COLUMN_WIDTH_MIN)
        })
        .collect();
    let mut text = String::new();
    for row in table {
        for (cell, width) in row.iter().zip(&widths).take(columns.saturating_sub(1)) {
            text.push_str(cell);
            text.push_str(&" ".repeat(width.saturating_sub(cell.width())));
        }
        if let Some(cell) = row.last() {
            text.push_str(cell);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{duration, render};

    #[test]
    fn durations_are_dockers() {
        for (seconds, expected) in [
            (0, "Less than a second"),
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "About a minute"),
            (150, "2 minutes"),
            (3_600, "About an hour"),
            (7_200, "2 hours"),
            (200_000, "2 days"),
        ] {
            assert_eq!(duration(Duration::from_secs(seconds)), expected);
        }
    }

    #[test]
    fn columns_are_aligned() {
        let table = [
            vec!["NAME".to_owned(), "B".to_owned()],
            vec!["kafka-1234".to_owned(), "x…".to_owned()],
        ];
        assert_eq!(render(&table), "NAME         B\nkafka-1234   x…\n");
    }
}
