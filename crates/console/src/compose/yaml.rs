//! The part of YAML that compose files use: maps and lists by indentation, `[a, b]` and `{a: b}`, plain,
//! quoted and block scalars, comments. Every node knows its line, and an error says what to do there.

use thiserror::Error;

use super::flow::{Flow, is_balanced};

/// How deep lists and maps may nest.
pub(super) const DEPTH_MAX: usize = 64;
/// Bytes of the largest file that is read.
const FILE_BYTES_MAX: usize = 64 * 1024;
/// Lines that `[` and `{` may take up to their closing bracket.
const FLOW_LINES_MAX: usize = 1000;

/// What is wrong, and on which line (from 1).
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{line}: {message}")]
pub struct YamlError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong and what to do.
    pub message: String,
}

pub(super) fn error<T>(line: usize, message: impl Into<String>) -> Result<T, YamlError> {
    Err(YamlError {
        line,
        message: message.into(),
    })
}

/// A key of a map.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its text.
    pub text: String,
    /// Its line.
    pub line: usize,
}

/// What a node holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// A text, number or flag: YAML's types do not matter in a compose file.
    Scalar(String),
    /// A list.
    List(Vec<Node>),
    /// A map, in the file's order.
    Map(Vec<(Key, Node)>),
}

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// The line, from 1.
    pub line: usize,
    /// What it holds.
    pub value: Value,
}

impl Node {
    /// The text of a scalar.
    pub fn scalar(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(text) => Some(text),
            _ => None,
        }
    }

    /// What it is, for an error.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Scalar(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

/// Parses a file.
///
/// # Errors
/// The first thing that is wrong, with its line.
pub fn parse(text: &str) -> Result<Node, YamlError> {
    if text.len() > FILE_BYTES_MAX {
        return error(1, "the file is larger than 64 KiB: no compose file is");
    }
    let mut parser = Parser {
        lines: lines(text)?,
        at: 0,
    };
    let Some(first) = parser.peek() else {
        return Ok(Node {
            line: 1,
            value: Value::Null,
        });
    };
    let indent = first.indent;
    let node = parser.block(indent, 0)?;
    match parser.peek() {
        Some(line) => error(
            line.number,
            format!(
                "`{}` is indented less than the lines above it that it should continue: align it with them",
                line.text
            ),
        ),
        None => Ok(node),
    }
}

struct Line {
    number: usize,
    indent: usize,
    /// Without indentation, comment and spaces at its end.
    text: String,
    raw: String,
}

fn lines(text: &str) -> Result<Vec<Line>, YamlError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines: Vec<Line> = Vec::new();
    for (index, raw) in text.lines().enumerate() {
        let number = index + 1;
        let raw = raw.trim_end_matches('\r');
        if raw == "---" || raw.starts_with("--- #") {
            if lines.iter().any(|line| !line.text.is_empty()) {
                return error(
                    number,
                    "a second document begins here: keep one document in the file",
                );
            }
            continue;
        }
        if raw == "..." {
            break;
        }
        let body = raw.trim_start_matches([' ', '\t']);
        let stripped = strip_comment(body).trim_end();
        let indentation = &raw[..raw.len() - body.len()];
        if indentation.contains('\t') && !stripped.is_empty() {
            return error(
                number,
                "a tab in the indentation: indent with spaces, YAML takes no tabs",
            );
        }
        lines.push(Line {
            number,
            indent: indentation.len(),
            text: stripped.to_owned(),
            raw: raw.to_owned(),
        });
    }
    Ok(lines)
}

/// The text before a `#` that begins a comment.
fn strip_comment(text: &str) -> &str {
    let mut quote = None;
    let mut before = ' ';
    // The last character that is no space: a quote opens only where a value may begin.
    let mut last = ':';
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match quote {
            Some('"') if escaped => escaped = false,
            Some('"') if character == '\\' => escaped = true,
            Some(open) if character == open => quote = None,
            Some(_) => {}
            None if character == '#' && before.is_whitespace() => return &text[..at],
            None if matches!(character, '"' | '\'') => {
                let fresh = before.is_whitespace() || matches!(before, '[' | '{' | ',');
                if fresh && matches!(last, ':' | '-' | '[' | '{' | ',') {
                    quote = Some(character);
                }
            }
            None => {}
        }
        before = character;
        if !character.is_whitespace() {
            last = character;
        }
    }
    text
}

struct Parser {
    lines: Vec<Line>,
    at: usize,
}

impl Parser {
    /// The next line that holds something.
    fn peek(&mut self) -> Option<&Line> {
        while self
            .lines
            .get(self.at)
            .is_some_and(|line| line.text.is_empty())
        {
            self.at += 1;
        }
        self.lines.get(self.at)
    }

    /// What begins at the next line, whose indentation is `indent`.
    fn block(&mut self, indent: usize, depth: usize) -> Result<Node, YamlError> {
        let Some(line) = self.peek() else {
            return error(1, "the file ends where a value is expected");
        };
        let (number, text) = (line.number, line.text.clone());
        if depth > DEPTH_MAX {
            return error(number, "lists and maps are nested too deeply");
        }
        if is_item(&text) {
            return self.list(indent, depth);
        }
        if !text.starts_with(['[', '{']) && split_key(&text, number)?.is_some() {
            return self.map(indent, depth);
        }
        self.at += 1;
        // Lines that continue a plain text are at least as far to the right.
        self.inline(number, &text, indent, false)
    }

    fn list(&mut self, indent: usize, depth: usize) -> Result<Node, YamlError> {
        let mut items = Vec::new();
        let mut first = 0;
        while let Some(line) = self.peek() {
            if items.is_empty() {
                first = line.number;
            }
            if line.indent < indent || (line.indent == indent && !is_item(&line.text)) {
                break;
            }
            if line.indent > indent {
                return too_deep(line);
            }
            let number = line.number;
            let rest = line.text[1..].trim_start().to_owned();
            if rest.is_empty() {
                self.at += 1;
                items.push(self.nested(number, indent, depth, false)?);
                continue;
            }
            let inner = indent + line.text.len() - rest.len();
            if let Some(line) = self.lines.get_mut(self.at) {
                line.indent = inner;
                line.text = rest;
            }
            items.push(self.block(inner, depth + 1)?);
        }
        Ok(Node {
            line: first,
            value: Value::List(items),
        })
    }

    fn map(&mut self, indent: usize, depth: usize) -> Result<Node, YamlError> {
        let mut entries: Vec<(Key, Node)> = Vec::new();
        let mut first = 0;
        while let Some(line) = self.peek() {
            if line.indent < indent {
                break;
            }
            if line.indent > indent {
                return too_deep(line);
            }
            let (number, text) = (line.number, line.text.clone());
            if entries.is_empty() {
                first = number;
            }
            if is_item(&text) {
                return error(
                    number,
                    format!(
                        "`{text}` is a list item where a `key: value` is expected: indent it below its key"
                    ),
                );
            }
            let Some((key, rest)) = split_key(&text, number)? else {
                return error(
                    number,
                    format!("`{text}` should be `key: value` (a colon and a space after the key)"),
                );
            };
            if let Some((before, _)) = entries.iter().find(|(before, _)| before.text == key) {
                return error(
                    number,
                    format!(
                        "`{key}` is given twice, first on line {}: remove one of them",
                        before.line
                    ),
                );
            }
            self.at += 1;
            let node = if rest.is_empty() {
                self.nested(number, indent, depth, true)?
            } else {
                self.inline(number, &rest, indent + 1, true)?
            };
            let key = Key {
                text: key,
                line: number,
            };
            entries.push((key, node));
        }
        Ok(Node {
            line: first,
            value: Value::Map(entries),
        })
    }

    /// The value on the lines below a `key:` or a `-`.
    fn nested(
        &mut self,
        number: usize,
        indent: usize,
        depth: usize,
        of_key: bool,
    ) -> Result<Node, YamlError> {
        match self.peek() {
            Some(line) if line.indent > indent => {
                let inner = line.indent;
                self.block(inner, depth + 1)
            }
            // A list may stand right below its key.
            Some(line) if of_key && line.indent == indent && is_item(&line.text) => {
                self.list(indent, depth + 1)
            }
            _ => Ok(Node {
                line: number,
                value: Value::Null,
            }),
        }
    }

    /// A value that begins on line `number` with `text`; lines indented by `continued` or more go on with it.
    fn inline(
        &mut self,
        number: usize,
        text: &str,
        continued: usize,
        of_key: bool,
    ) -> Result<Node, YamlError> {
        let node = |value| Node {
            line: number,
            value,
        };
        match text.chars().next() {
            Some('[' | '{') => {
                let text = self.gather(number, text)?;
                let mut flow = Flow {
                    text: &text,
                    line: number,
                };
                let value = flow.value(0)?;
                if !flow.text.trim().is_empty() {
                    return error(
                        number,
                        format!(
                            "`{}` after the closing bracket: remove it",
                            flow.text.trim()
                        ),
                    );
                }
                Ok(value)
            }
            Some('"' | '\'') => {
                let (value, rest) = quoted(text, number)?;
                if !rest.trim().is_empty() {
                    return error(
                        number,
                        format!(
                            "`{}` after the closing quote: put the whole value into quotes",
                            rest.trim()
                        ),
                    );
                }
                Ok(node(Value::Scalar(value)))
            }
            Some('|' | '>') => Ok(node(Value::Scalar(
                self.block_scalar(text, continued.saturating_sub(1)),
            ))),
            Some('“' | '”' | '‘' | '’') => {
                error(number, "typographic quotes: write plain ones, \" or '")
            }
            Some('&' | '*') => error(
                number,
                format!(
                    "`{text}`: anchors and aliases are not read here: write the value out, or put it into quotes"
                ),
            ),
            Some('!') => error(
                number,
                format!("`{text}`: tags are not read here: remove it"),
            ),
            Some('@' | '`' | '%') => error(
                number,
                format!("`{text}`: put the value into quotes, YAML reserves its first character"),
            ),
            _ => {
                let mut text = text.to_owned();
                self.check_plain(number, &text)?;
                while let Some(line) = self.peek() {
                    if line.indent < continued || (!of_key && line.indent == continued) {
                        break;
                    }
                    if is_item(&line.text) || split_key(&line.text, line.number)?.is_some() {
                        return too_deep(line);
                    }
                    text.push(' ');
                    text.push_str(&line.text);
                    self.at += 1;
                }
                Ok(node(match text.as_str() {
                    "~" | "null" | "Null" | "NULL" => Value::Null,
                    _ => Value::Scalar(text),
                }))
            }
        }
    }

    fn check_plain(&self, number: usize, text: &str) -> Result<(), YamlError> {
        if text.contains(": ") || text.ends_with(':') {
            return error(
                number,
                format!(
                    "`{text}` holds a colon: put the value into quotes, or its keys on lines of their own"
                ),
            );
        }
        Ok(())
    }

    /// A flow value with the lines up to its closing bracket.
    fn gather(&mut self, number: usize, text: &str) -> Result<String, YamlError> {
        let mut gathered = text.to_owned();
        for lines in 0.. {
            if is_balanced(&gathered) {
                return Ok(gathered);
            }
            let line = self.peek().filter(|_| lines < FLOW_LINES_MAX);
            let Some(line) = line else {
                let open = &gathered[..1];
                let close = if open == "[" { "]" } else { "}" };
                return error(
                    number,
                    format!("`{open}` is never closed: write `{close}` at its end"),
                );
            };
            let more = line.text.clone();
            gathered.push(' ');
            gathered.push_str(&more);
            self.at += 1;
        }
        Ok(gathered)
    }

    /// The lines of `|` (kept) or `>` (folded) that are indented more than `indent`.
    fn block_scalar(&mut self, header: &str, indent: usize) -> String {
        let mut lines: Vec<String> = Vec::new();
        let mut inner = None;
        while let Some(line) = self.lines.get(self.at) {
            let body = line.raw.trim_start_matches(' ');
            let depth = line.raw.len() - body.len();
            if body.trim().is_empty() {
                lines.push(String::new());
            } else if depth > indent {
                let inner = *inner.get_or_insert(depth);
                lines.push(line.raw[inner.min(depth)..].to_owned());
            } else {
                break;
            }
            self.at += 1;
        }
        while lines.last().is_some_and(String::is_empty) {
            lines.pop();
        }
        let mut text = if header.starts_with('>') {
            lines.join(" ")
        } else {
            lines.join("\n")
        };
        if !header.contains('-') && !text.is_empty() {
            text.push('\n');
        }
        text
    }
}

fn too_deep<T>(line: &Line) -> Result<T, YamlError> {
    error(
        line.number,
        format!(
            "`{}` is indented deeper than what it belongs to: align it with the lines above, or end the line above with a colon",
            line.text
        ),
    )
}

fn is_item(text: &str) -> bool {
    text == "-" || text.starts_with("- ")
}

/// `key: rest`, if the text is that.
fn split_key(text: &str, number: usize) -> Result<Option<(String, String)>, YamlError> {
    if text.starts_with(['"', '\'']) {
        let Ok((key, rest)) = quoted(text, number) else {
            return Ok(None);
        };
        return Ok(rest
            .trim_start()
            .strip_prefix(':')
            .filter(|rest| rest.is_empty() || rest.starts_with(' '))
            .map(|rest| (key, rest.trim().to_owned())));
    }
    let end = text
        .match_indices(':')
        .map(|(at, _)| at)
        .find(|at| text[at + 1..].is_empty() || text[at + 1..].starts_with([' ', '\t']));
    let Some(end) = end else { return Ok(None) };
    let key = text[..end].trim_end();
    if key == "<<" {
        return error(
            number,
            "`<<` (merging of anchors) is not read here: write the keys out",
        );
    }
    if key.is_empty() || key.starts_with('?') {
        return error(number, "a key is missing before the colon");
    }
    Ok(Some((key.to_owned(), text[end + 1..].trim().to_owned())))
}

/// The text in quotes at the start of `text`, and what follows the closing quote.
pub(super) fn quoted(text: &str, line: usize) -> Result<(String, &str), YamlError> {
    let quote = if text.starts_with('"') { '"' } else { '\'' };
    let mut value = String::new();
    let mut characters = text.char_indices().skip(1).peekable();
    while let Some((at, character)) = characters.next() {
        if character == quote {
            if quote == '\'' && characters.peek().is_some_and(|(_, next)| *next == '\'') {
                characters.next();
                value.push('\'');
                continue;
            }
            return Ok((value, &text[at + 1..]));
        }
        if quote == '"' && character == '\\' {
            match characters.next().map(|(_, escape)| escape) {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('r') => value.push('\r'),
                Some('0') => value.push('\0'),
                Some(escape @ ('"' | '\\' | '/' | ' ')) => value.push(escape),
                Some(escape) => {
                    return error(
                        line,
                        format!(
                            "`\\{escape}` is no escape here: write `\\\\` for a backslash, or use single quotes"
                        ),
                    );
                }
                None => break,
            }
            continue;
        }
        value.push(character);
    }
    error(
        line,
        format!("the quote {quote} is never closed: close it on the same line"),
    )
}

#[cfg(test)]
mod tests {
    use super::{Node, Value, parse};

    /// A node as JSON-like text, to compare.
    fn show(node: &Node) -> String {
        match &node.value {
            Value::Null => "~".to_owned(),
            Value::Scalar(text) => format!("{text:?}"),
            Value::List(items) => {
                let items: Vec<String> = items.iter().map(show).collect();
                format!("[{}]", items.join(", "))
            }
            Value::Map(entries) => {
                let entries: Vec<String> = entries
                    .iter()
                    .map(|(key, node)| format!("{}: {}", key.text, show(node)))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }

    fn parsed(text: &str) -> String {
        match parse(text) {
            Ok(node) => show(&node),
            Err(error) => format!("{error}"),
        }
    }

    #[test]
    fn maps_lists_and_scalars() {
        assert_eq!(
            parsed(
                "---\n# a comment\nservices:\n  kafka:   # another\n    image: a/b:1\n    ports:\n    - \"9092:9092\"\n    - 1:2\n    list:\n      - a: b\n        c: 'it''s'\n      -\n        - x\n    empty:\nend: \"a # b\"\n"
            ),
            r#"{services: {kafka: {image: "a/b:1", ports: ["9092:9092", "1:2"], list: [{a: "b", c: "it's"}, ["x"]], empty: ~}}, end: "a # b"}"#
        );
    }

    #[test]
    fn flow_values_and_block_scalars() {
        assert_eq!(
            parsed(
                "a: [1, \"two, three\", {b: c}]\nb: {x: 1, y: [2]}\nc: [\n  1,\n  2\n]\nd: |\n  one\n    two\n\ne: >-\n  one\n  two\nf: don't stop # here\n"
            ),
            r#"{a: ["1", "two, three", {b: "c"}], b: {x: "1", y: ["2"]}, c: ["1", "2"], d: "one\n  two\n", e: "one two", f: "don't stop"}"#
        );
        assert_eq!(parsed(""), "~");
        assert_eq!(parsed("[]"), "[]");
    }

    #[test]
    fn lines_are_known() {
        let Value::Map(entries) = parse("a:\n  - x\n  - y\nb: z")
            .map(|node| node.value)
            .unwrap_or(Value::Null)
        else {
            panic!("not a map");
        };
        let Value::List(items) = &entries[0].1.value else {
            panic!("not a list");
        };
        assert_eq!((items[1].line, entries[1].0.line), (3, 4));
    }

    #[test]
    fn errors_name_the_line_and_the_remedy() {
        for (text, expected) in [
            (
                "a: b\n\tc: d",
                "2: a tab in the indentation: indent with spaces, YAML takes no tabs",
            ),
            (
                "a: b\na: c",
                "2: `a` is given twice, first on line 1: remove one of them",
            ),
            (
                "a:\n  b\nnothing",
                "3: `nothing` should be `key: value` (a colon and a space after the key)",
            ),
            (
                "a: \"b",
                "1: the quote \" is never closed: close it on the same line",
            ),
            (
                "a: [1, 2\nb: 3",
                "1: `[` is never closed: write `]` at its end",
            ),
            (
                "a: b\n  c: d",
                "2: `c: d` is indented deeper than what it belongs to: align it with the lines above, or end the line above with a colon",
            ),
            (
                "a: b: c",
                "1: `b: c` holds a colon: put the value into quotes, or its keys on lines of their own",
            ),
            (
                "  a: b\nc: d",
                "2: `c: d` is indented less than the lines above it that it should continue: align it with them",
            ),
            (
                "a:\n  b: c\n - d",
                "3: `- d` is indented deeper than what it belongs to: align it with the lines above, or end the line above with a colon",
            ),
            (
                "a: \u{201c}b\u{201d}",
                "1: typographic quotes: write plain ones, \" or '",
            ),
        ] {
            assert_eq!(parsed(text), expected, "{text}");
        }
        assert!(parsed(&"[".repeat(10_000)).contains("never closed"));
        assert!(parsed(&format!("{}{}", "[".repeat(200), "]".repeat(200))).contains("too deeply"));
        assert!(parsed(&format!("{}x", "- ".repeat(200))).contains("too deeply"));
    }
}
