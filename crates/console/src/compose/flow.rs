//! `[a, b]` and `{a: b}` of YAML.

use super::yaml::{DEPTH_MAX, Key, Node, Value, YamlError, error, quoted};

/// Whether all brackets are closed.
pub(super) fn is_balanced(text: &str) -> bool {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut before = ' ';
    for character in text.chars() {
        match quote {
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None => match character {
                '"' | '\'' if before.is_whitespace() || matches!(before, '[' | '{' | ',' | ':') => {
                    quote = Some(character);
                }
                '[' | '{' => depth += 1,
                ']' | '}' => depth = depth.saturating_sub(1),
                _ => {}
            },
        }
        before = character;
    }
    depth == 0
}

/// A reader of values that were gathered on one line.
pub(super) struct Flow<'a> {
    pub(super) text: &'a str,
    pub(super) line: usize,
}

impl Flow<'_> {
    fn node(&self, value: Value) -> Node {
        Node {
            line: self.line,
            value,
        }
    }

    fn skip(&mut self) {
        self.text = self.text.trim_start();
    }

    fn take(&mut self, token: char) -> bool {
        self.skip();
        match self.text.strip_prefix(token) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    pub(super) fn value(&mut self, depth: usize) -> Result<Node, YamlError> {
        if depth > DEPTH_MAX {
            return error(self.line, "lists and maps are nested too deeply");
        }
        if self.take('[') {
            let mut items = Vec::new();
            while !self.take(']') {
                items.push(self.value(depth + 1)?);
                self.comma(']')?;
            }
            return Ok(self.node(Value::List(items)));
        }
        if self.take('{') {
            let mut entries = Vec::new();
            while !self.take('}') {
                let key = self.scalar(true)?;
                let value = if self.take(':') {
                    self.value(depth + 1)?
                } else {
                    self.node(Value::Null)
                };
                let key = Key {
                    text: key,
                    line: self.line,
                };
                entries.push((key, value));
                self.comma('}')?;
            }
            return Ok(self.node(Value::Map(entries)));
        }
        let text = self.scalar(false)?;
        Ok(self.node(match text.as_str() {
            "~" | "null" => Value::Null,
            _ => Value::Scalar(text),
        }))
    }

    fn comma(&mut self, close: char) -> Result<(), YamlError> {
        self.skip();
        if self.take(',') || self.text.starts_with(close) {
            return Ok(());
        }
        error(
            self.line,
            format!("`,` or `{close}` is expected before `{}`", self.text),
        )
    }

    fn scalar(&mut self, key: bool) -> Result<String, YamlError> {
        self.skip();
        if self.text.starts_with(['"', '\'']) {
            let (value, rest) = quoted(self.text, self.line)?;
            self.text = &self.text[self.text.len() - rest.len()..];
            return Ok(value);
        }
        let end = self
            .text
            .char_indices()
            .find(|(at, character)| match character {
                ',' | ']' | '}' | '[' | '{' => true,
                ':' => key && self.text[at + 1..].starts_with([' ', '}', ',']),
                _ => false,
            })
            .map_or(self.text.len(), |(at, _)| at);
        let (text, rest) = self.text.split_at(end);
        if text.trim().is_empty() {
            return error(self.line, "a value is missing between the brackets");
        }
        self.text = rest;
        Ok(text.trim().to_owned())
    }
}
