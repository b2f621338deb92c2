//! Variables in a compose file: `${NAME:-default}`.

use std::collections::BTreeMap;

use super::file::{Problem, problem};
use super::yaml::{Node, Value};

/// Replaces `$NAME`, `${NAME}`, `${NAME:-default}` and `$$` in every text.
pub(super) fn interpolate(
    node: &mut Node,
    environment: &BTreeMap<String, String>,
) -> Result<(), Problem> {
    match &mut node.value {
        Value::Null => {}
        Value::Scalar(text) => {
            if text.contains('$') {
                *text = substitute(text, node.line, environment)?;
            }
        }
        Value::List(items) => {
            for item in items {
                interpolate(item, environment)?;
            }
        }
        Value::Map(entries) => {
            for (_, node) in entries {
                interpolate(node, environment)?;
            }
        }
    }
    Ok(())
}

fn substitute(
    text: &str,
    line: usize,
    environment: &BTreeMap<String, String>,
) -> Result<String, Problem> {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        result.push_str(before);
        let name_end = |text: &str| {
            text.find(|character: char| !character.is_ascii_alphanumeric() && character != '_')
                .unwrap_or(text.len())
        };
        if let Some(after) = after.strip_prefix('$') {
            result.push('$');
            rest = after;
        } else if let Some(inner) = after.strip_prefix('{') {
            let Some((inner, after)) = inner.split_once('}') else {
                return Err(problem(
                    line,
                    format!(
                        "`${{` is never closed in `{text}`: write `}}`, or `$$` for a dollar sign"
                    ),
                ));
            };
            let (name, default) = inner.split_at(name_end(inner));
            let value = environment.get(name).map(String::as_str);
            let filled = value.filter(|value| !value.is_empty());
            result.push_str(match default {
                "" => value.unwrap_or_default(),
                default if default.starts_with(":-") => filled.unwrap_or(&default[2..]),
                default if default.starts_with('-') => value.unwrap_or(&default[1..]),
                _ => {
                    return Err(problem(
                        line,
                        format!("`${{{inner}}}`: write `${{NAME}}` or `${{NAME:-default}}`, or `$$` for a dollar sign"),
                    ));
                }
            });
            rest = after;
        } else {
            let (name, after) = after.split_at(name_end(after));
            if name.is_empty() {
                return Err(problem(
                    line,
                    format!("a lone `$` in `{text}`: write `$$` for a dollar sign"),
                ));
            }
            result.push_str(environment.get(name).map_or("", String::as_str));
            rest = after;
        }
    }
    result.push_str(rest);
    Ok(result)
}
