//! Java properties: files (`java.util.Properties.load`) and `key=value` arguments.

use indexmap::IndexMap;
use playground_client::ClientError;

use crate::commands::CommandContext;

/// Properties in the order in which they were given.
pub type Properties = IndexMap<String, String>;

/// Reads the text of a `.properties` file.
pub fn parse(text: &str) -> Properties {
    let mut properties = Properties::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut logical = line.trim_start().to_owned();
        if logical.is_empty() || logical.starts_with(['#', '!']) {
            continue;
        }
        while logical.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1 {
            logical.pop();
            match lines.next() {
                Some(next) => logical.push_str(next.trim_start()),
                None => break,
            }
        }
        let (key, value) = split(&logical);
        properties.insert(unescape(key), unescape(value));
    }
    properties
}

/// Splits a logical line at the first `=`, `:` or blank that is not escaped.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if matches!(c, '=' | ':') || c.is_whitespace() {
            let rest = line[at..].trim_start();
            let rest = rest.strip_prefix(['=', ':']).unwrap_or(rest);
            return (&line[..at], rest.trim_start());
        }
    }
    (line, "")
}

fn unescape(text: &str) -> String {
    let mut result = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            result.push(c);
            continue;
        }
        match chars.next() {
            Some('t') => result.push('\t'),
            Some('n') => result.push('\n'),
            Some('r') => result.push('\r'),
            Some('f') => result.push('\u{c}'),
            Some('u') => {
                let digits: String = chars.by_ref().take(4).collect();
                let code = u32::from_str_radix(&digits, 16)
                    .ok()
                    .and_then(char::from_u32);
                result.push(code.unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            Some(other) => result.push(other),
            None => {}
        }
    }
    result
}

/// Reads a properties file on the tool's host.
///
/// # Errors
/// The text of Java's `NoSuchFileException`, which is the path.
pub fn load(context: &CommandContext, path: &str) -> Result<Properties, String> {
    let absolute = context.path(path);
    match context.process.with_disk(|disk| disk.read_all(&absolute)) {
        Some(bytes) => Ok(parse(&String::from_utf8_lossy(&bytes))),
        None => Err(path.to_owned()),
    }
}

/// Reads the properties file that an option names, if it was given.
///
/// # Errors
/// Java's `NoSuchFileException`.
pub fn load_optional(
    context: &CommandContext,
    path: Option<&str>,
) -> Result<Properties, ClientError> {
    match path {
        None => Ok(Properties::new()),
        Some(path) => load(context, path)
            .map_err(|path| ClientError::new("java.nio.file.NoSuchFileException", path)),
    }
}

/// Reads `key=value` arguments; a key alone has the value "" (Kafka's `parseKeyValueArgs`).
pub fn from_arguments(arguments: &[String]) -> Properties {
    arguments
        .iter()
        .map(|argument| match argument.split_once('=') {
            Some((key, value)) => (key.to_owned(), value.to_owned()),
            None => (argument.clone(), String::new()),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_java_reads_them() {
        let properties =
            parse("# comment\nacks=1\n  key.separator = |\nlong=a\\\n   b\ntab:\\t\nempty\n");
        let pairs: Vec<(&str, &str)> = properties
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_str()))
            .collect();
        assert_eq!(
            pairs,
            [
                ("acks", "1"),
                ("key.separator", "|"),
                ("long", "ab"),
                ("tab", "\t"),
                ("empty", "")
            ]
        );
    }

    #[test]
    fn arguments_split_at_the_first_equals_sign() {
        let properties = from_arguments(&["a=b=c".to_owned(), "d".to_owned()]);
        assert_eq!(properties.get("a").map(String::as_str), Some("b=c"));
        assert_eq!(properties.get("d").map(String::as_str), Some(""));
    }
}
