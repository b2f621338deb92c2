//! `config`: the file as it was understood.

use super::file::Service;
use super::project::{Failure, Project};
use crate::commands::CommandContext;

/// `config`.
pub async fn run(
    context: &CommandContext,
    project: &Project,
    quiet: bool,
    services_only: bool,
) -> Result<i32, Failure> {
    let file = project.file()?;
    for warning in &file.warnings {
        context
            .err(&format!("{}:{} (warning)\n", project.label, warning))
            .await;
    }
    if quiet {
        return Ok(0);
    }
    if services_only {
        for service in file.start_order() {
            context.out(&format!("{}\n", service.name)).await;
        }
        return Ok(0);
    }
    let mut text = format!("name: {}\nservices:\n", project.name);
    let mut services: Vec<&Service> = file.services.iter().collect();
    services.sort_by(|one, other| one.name.cmp(&other.name));
    for service in services {
        text.push_str(&render(service));
    }
    let mut volumes: Vec<&str> = file
        .services
        .iter()
        .flat_map(|service| &service.mounts)
        .map(|mount| mount.volume.as_str())
        .collect();
    volumes.sort_unstable();
    volumes.dedup();
    if !volumes.is_empty() {
        text.push_str("volumes:\n");
    }
    for volume in volumes {
        text.push_str(&format!(
            "  {volume}:\n    name: {}_{volume}\n",
            project.name
        ));
    }
    context.out(&text).await;
    Ok(0)
}

fn render(service: &Service) -> String {
    let mut text = format!("  {}:\n", service.name);
    if let Some(name) = &service.container_name {
        text.push_str(&format!("    container_name: {name}\n"));
    }
    if !service.depends_on.is_empty() {
        text.push_str("    depends_on:\n");
        for name in &service.depends_on {
            text.push_str(&format!(
                "      {name}:\n        condition: service_started\n        required: true\n"
            ));
        }
    }
    if !service.environment.is_empty() {
        text.push_str("    environment:\n");
        let mut settings: Vec<_> = service.environment.iter().collect();
        settings.sort_by(|one, other| one.name.cmp(&other.name));
        for setting in settings {
            text.push_str(&format!(
                "      {}: {}\n",
                setting.name,
                scalar(&setting.value)
            ));
        }
    }
    if let Some(hostname) = &service.hostname {
        text.push_str(&format!("    hostname: {hostname}\n"));
    }
    text.push_str(&format!("    image: {}\n", service.image));
    if service.network_host {
        text.push_str("    network_mode: host\n");
    }
    if !service.ports.is_empty() {
        text.push_str("    ports:\n");
        for port in &service.ports {
            text.push_str(&format!(
                "      - mode: ingress\n        target: {}\n        published: \"{}\"\n        protocol: tcp\n",
                port.target, port.published
            ));
        }
    }
    if !service.mounts.is_empty() {
        text.push_str("    volumes:\n");
        for mount in &service.mounts {
            text.push_str(&format!(
                "      - type: volume\n        source: {}\n        target: {}\n",
                mount.volume, mount.path
            ));
        }
    }
    text
}

/// A text as compose writes it: what YAML would take for a number or flag stands in quotes.
fn scalar(text: &str) -> String {
    let is_plain = text
        .chars()
        .all(|character| character.is_ascii_alphanumeric() || "-_./:,@=".contains(character))
        && text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && !text.ends_with(':')
        && !matches!(
            text.to_ascii_lowercase().as_str(),
            "true" | "false" | "yes" | "no" | "on" | "off" | "null" | "y" | "n"
        );
    if is_plain {
        text.to_owned()
    } else {
        format!("{text:?}")
    }
}
