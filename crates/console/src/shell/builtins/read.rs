//! `read` and `mapfile`.

use std::time::Duration;

use playground_sim::{Either, select};

use crate::shell::{Flow, Outcome, Shell};

impl Shell {
    pub(super) async fn read(&mut self, args: Vec<String>) -> Outcome {
        let mut raw = false;
        let mut names = Vec::new();
        let mut array = None;
        let mut delimiter = b'\n';
        let mut count = None;
        let mut timeout = None;
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            if !arg.starts_with('-') || arg.len() < 2 {
                names.push(arg);
                continue;
            }
            let letters: Vec<char> = arg.chars().skip(1).collect();
            for (index, letter) in letters.iter().enumerate() {
                let takes_value = matches!(letter, 'p' | 'd' | 'n' | 'N' | 't' | 'a' | 'u' | 'i');
                let value = if takes_value {
                    let rest: String = letters[index + 1..].iter().collect();
                    if rest.is_empty() {
                        args.next().unwrap_or_default()
                    } else {
                        rest
                    }
                } else {
                    String::new()
                };
                match letter {
                    'r' => raw = true,
                    'p' => {
                        if self.io.stdin.is_terminal() {
                            let _ = self.io.stderr.write(value.as_bytes()).await;
                        }
                    }
                    'd' => delimiter = value.bytes().next().unwrap_or(0),
                    'n' | 'N' => count = value.parse::<usize>().ok(),
                    't' => {
                        timeout = value
                            .parse::<f64>()
                            .ok()
                            .map(|seconds| Duration::from_millis((seconds * 1000.0) as u64))
                    }
                    'a' => array = Some(value),
                    's' | 'e' | 'u' | 'i' => {}
                    other => {
                        self.complain(&format!("read: -{other}: invalid option"))
                            .await;
                        return Ok(2);
                    }
                }
                if takes_value {
                    break;
                }
            }
        }
        let read = self.read_record(raw, delimiter, count);
        let deadline = timeout.map(|timeout| self.process.now() + timeout);
        let process = self.process.clone();
        let timed = async {
            match deadline {
                Some(deadline) => process.sleep_until(deadline).await,
                None => std::future::pending().await,
            }
        };
        let catching = self.catching;
        let signals = async {
            loop {
                if !catching {
                    std::future::pending::<()>().await;
                }
                if self.ends_commands(process.next_signal().await) {
                    return;
                }
            }
        };
        let (text, ended) = match select(select(signals, timed), read).await {
            Either::Left(Either::Left(())) => return Err(Flow::Interrupted),
            Either::Left(Either::Right(())) => return Ok(142),
            Either::Right(read) => read,
        };
        let ifs = self.get("IFS").unwrap_or_else(|| " \t\n".to_owned());
        if let Some(array) = array {
            let fields = split(&text, &ifs, usize::MAX);
            let items = fields
                .into_iter()
                .enumerate()
                .map(|(index, field)| (index as i64, field))
                .collect();
            self.set_array(&array, items);
        } else if names.is_empty() {
            let text: String = text.iter().map(|(character, _)| *character).collect();
            self.set("REPLY", &text);
        } else {
            let mut fields = split(&text, &ifs, names.len()).into_iter();
            for name in &names {
                let field = fields.next().unwrap_or_default();
                self.set(name, &field);
            }
        }
        Ok(i32::from(ended))
    }

    /// A line's characters, each with whether a backslash stood before it; and whether the input ended.
    async fn read_record(
        &self,
        raw: bool,
        delimiter: u8,
        count: Option<usize>,
    ) -> (Vec<(char, bool)>, bool) {
        let mut characters = Vec::new();
        loop {
            let (bytes, ended) = if delimiter == b'\n' && count.is_none() {
                match self.io.stdin.read_line().await {
                    Some(mut line) => {
                        let ended = line.last() != Some(&b'\n');
                        if !ended {
                            line.pop();
                        }
                        (line, ended)
                    }
                    None => return (characters, true),
                }
            } else {
                let mut bytes = Vec::new();
                let mut ended = false;
                while count.is_none_or(|count| bytes.len() < count) {
                    let byte = self.io.stdin.read(1).await;
                    match byte.first() {
                        None => {
                            ended = true;
                            break;
                        }
                        Some(byte) if *byte == delimiter => break,
                        Some(byte) => bytes.push(*byte),
                    }
                }
                (bytes, ended)
            };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            if raw {
                characters.extend(text.chars().map(|character| (character, false)));
                return (characters, ended);
            }
            let mut continued = false;
            let mut rest = text.chars();
            while let Some(character) = rest.next() {
                if character != '\\' {
                    characters.push((character, false));
                    continue;
                }
                match rest.next() {
                    Some(escaped) => characters.push((escaped, true)),
                    None => continued = true,
                }
            }
            if !continued || ended {
                return (characters, ended);
            }
        }
    }

    pub(super) async fn map_file(&mut self, args: Vec<String>) -> Outcome {
        let trim = args.iter().any(|arg| arg == "-t");
        let name = args
            .iter()
            .find(|arg| !arg.starts_with('-'))
            .cloned()
            .unwrap_or_else(|| "MAPFILE".to_owned());
        let mut items = std::collections::BTreeMap::new();
        while let Some(line) = self.io.stdin.read_line().await {
            let mut text = String::from_utf8_lossy(&line).into_owned();
            if trim && text.ends_with('\n') {
                text.pop();
            }
            items.insert(items.len() as i64, text);
        }
        self.set_array(&name, items);
        Ok(0)
    }
}

/// Cuts a line into at most `fields_max` fields; the last one holds the rest.
fn split(text: &[(char, bool)], ifs: &str, fields_max: usize) -> Vec<String> {
    let separates = |(character, escaped): &(char, bool)| !escaped && ifs.contains(*character);
    let blank = |item: &(char, bool)| separates(item) && item.0.is_whitespace();
    let mut rest = text;
    while rest.first().is_some_and(blank) {
        rest = &rest[1..];
    }
    while rest.last().is_some_and(blank) {
        rest = &rest[..rest.len() - 1];
    }
    let mut fields = Vec::new();
    while !rest.is_empty() {
        if fields.len() + 1 == fields_max {
            fields.push(rest.iter().map(|(character, _)| *character).collect());
            break;
        }
        let end = rest.iter().position(separates).unwrap_or(rest.len());
        fields.push(
            rest[..end]
                .iter()
                .map(|(character, _)| *character)
                .collect(),
        );
        rest = &rest[end..];
        while rest.first().is_some_and(blank) {
            rest = &rest[1..];
        }
        if rest.first().is_some_and(separates) && (end == 0 || !rest.is_empty()) {
            rest = &rest[1..];
            while rest.first().is_some_and(blank) {
                rest = &rest[1..];
            }
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::split;

    fn fields(text: &str, ifs: &str, count: usize) -> Vec<String> {
        let characters: Vec<(char, bool)> =
            text.chars().map(|character| (character, false)).collect();
        split(&characters, ifs, count)
    }

    #[test]
    fn lines_are_cut_as_read_cuts_them() {
        assert_eq!(fields("  a  b c ", " \t\n", 2), ["a", "b c"]);
        assert_eq!(fields("a,b,,d", ",", 9), ["a", "b", "", "d"]);
        assert_eq!(fields("key=value=x", "=", 2), ["key", "value=x"]);
        assert_eq!(fields("", " ", 3), Vec::<String>::new());
    }
}
