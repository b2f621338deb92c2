//! The items of a service's `ports` and `volumes`.

use super::file::{Mount, Port, Problem, problem};
use super::yaml::{Node, Value};

/// Reads an item of `ports`.
pub(super) fn ports(
    item: &Node,
    ports: &mut Vec<Port>,
    warnings: &mut Vec<Problem>,
) -> Result<(), Problem> {
    let line = item.line;
    let text = match &item.value {
        Value::Scalar(text) => text.clone(),
        Value::Map(entries) => {
            let value = |name: &str| {
                entries
                    .iter()
                    .find(|(key, _)| key.text == name)
                    .and_then(|(_, node)| node.scalar())
            };
            match (value("published"), value("target")) {
                (Some(published), Some(target)) => format!("{published}:{target}"),
                _ => {
                    return Err(problem(
                        line,
                        "a port needs `target` and `published`, or write `- \"9092:9092\"`",
                    ));
                }
            }
        }
        _ => {
            return Err(problem(
                line,
                format!("a port is {}: write `- \"9092:9092\"`", item.kind()),
            ));
        }
    };
    let bad = |part: &str| {
        problem(
            line,
            format!("`{part}` is no port: write `- \"9092:9092\"`, with numbers from 1 to 65535"),
        )
    };
    let range = |part: &str| -> Result<(u16, u16), Problem> {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<u16>().ok().filter(|port| *port > 0);
        match (number(from), number(to)) {
            (Some(from), Some(to)) if from <= to && to - from < 100 => Ok((from, to)),
            _ => Err(bad(part)),
        }
    };
    let body = text.strip_suffix("/tcp").unwrap_or(&text);
    if body.ends_with("/udp") {
        return Err(problem(
            line,
            format!("`{text}`: Kafka speaks TCP: leave `/udp` out"),
        ));
    }
    let Some((rest, target)) = body.rsplit_once(':') else {
        range(body)?;
        warnings.push(problem(
            line,
            format!("port {body} is published nowhere: write `- \"{body}:{body}\"`"),
        ));
        return Ok(());
    };
    // An address before the published port: all of them are this machine.
    let published = rest.rsplit_once(':').map_or(rest, |(_, port)| port);
    let (published, target) = (range(published)?, range(target)?);
    if published.1 - published.0 != target.1 - target.0 {
        return Err(problem(
            line,
            format!("`{text}`: both ranges of ports should be equally long"),
        ));
    }
    for (published, target) in (published.0..=published.1).zip(target.0..=target.1) {
        ports.push(Port {
            published,
            target,
            line,
        });
    }
    Ok(())
}

/// Reads an item of `volumes`.
pub(super) fn volume(
    item: &Node,
    mounts: &mut Vec<Mount>,
    warnings: &mut Vec<Problem>,
) -> Result<(), Problem> {
    let text = match &item.value {
        Value::Scalar(text) => text.clone(),
        Value::Map(entries) => {
            let value = |name: &str| {
                entries
                    .iter()
                    .find(|(key, _)| key.text == name)
                    .and_then(|(_, node)| node.scalar())
                    .unwrap_or_default()
            };
            format!("{}:{}", value("source"), value("target"))
        }
        _ => {
            return Err(problem(
                item.line,
                format!("a volume is {}: write `- name:/directory`", item.kind()),
            ));
        }
    };
    let mut parts = text.split(':');
    match (parts.next(), parts.next()) {
        (Some(volume), Some(path))
            if !volume.is_empty() && !volume.starts_with(['/', '.', '~']) && path.starts_with('/') =>
        {
            mounts.push(Mount {
                volume: volume.to_owned(),
                path: path.trim_end_matches('/').to_owned(),
            });
        }
        (Some(path), None) if path.starts_with('/') => {}
        _ => warnings.push(problem(
            item.line,
            format!("`{text}`: the playground has named volumes (`name:/directory`) only; this one is ignored"),
        )),
    }
    Ok(())
}
