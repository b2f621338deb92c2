//! Expansions: braces, tilde, parameters, commands, arithmetic, splitting, files.

use std::rc::Rc;

use playground_sim::{OutputStream, Stdio};

use super::ast::{List, Operation, Parameter, ReplacePlace, Word, WordPart};
use super::{Flow, LocalBoxFuture2, Shell, arithmetic, pattern};
use crate::files;

/// Words that one word may become: braces and files.
const WORDS_MAX: usize = 100_000;

/// What a word's parts become before it is cut into fields.
enum Fragment {
    /// Text; `split`: cut at `IFS`; `quoted`: no pattern.
    Text {
        text: String,
        quoted: bool,
        split: bool,
    },
    /// Between the values of `"$@"`.
    Break,
}

#[derive(Default)]
struct Field {
    plain: String,
    pattern: String,
    present: bool,
}

impl Field {
    fn push(&mut self, text: &str, quoted: bool) {
        self.plain.push_str(text);
        if quoted {
            self.pattern.push_str(&pattern::escape(text));
        } else {
            self.pattern.push_str(text);
        }
        self.present = true;
    }
}

impl Shell {
    /// Expands words to fields: arguments.
    pub(super) async fn expand_words(&mut self, words: &[Word]) -> Result<Vec<String>, Flow> {
        let mut fields = Vec::new();
        for word in words {
            for word in expand_braces(word) {
                let fragments = self.fragments(&word).await?;
                for field in self.split(fragments) {
                    if !self.options.no_glob && pattern::is_pattern(&field.pattern) {
                        let found = self.glob(&field.pattern);
                        if !found.is_empty() {
                            fields.extend(found);
                            continue;
                        }
                    }
                    fields.push(field.plain);
                }
                if fields.len() > WORDS_MAX {
                    self.complain("argument list too long").await;
                    return Err(Flow::Failed(126));
                }
            }
        }
        Ok(fields)
    }

    /// Expands a word to one text: what is assigned, a file to redirect to.
    pub(super) async fn expand_single(&mut self, word: &Word) -> Result<String, Flow> {
        let fragments = self.fragments(word).await?;
        let mut text = String::new();
        for fragment in fragments {
            match fragment {
                Fragment::Text { text: part, .. } => text.push_str(&part),
                Fragment::Break => text.push(' '),
            }
        }
        Ok(text)
    }

    /// Expands a word to a pattern, in which quoted text is escaped.
    pub(super) async fn expand_pattern(&mut self, word: &Word) -> Result<String, Flow> {
        let fragments = self.fragments(word).await?;
        let mut field = Field::default();
        for fragment in fragments {
            match fragment {
                Fragment::Text { text, quoted, .. } => field.push(&text, quoted),
                Fragment::Break => field.push(" ", true),
            }
        }
        Ok(field.pattern)
    }

    /// Expands a word of `=~` to a regular expression, in which quoted text is escaped.
    pub(super) async fn expand_regex(&mut self, word: &Word) -> Result<String, Flow> {
        let mut text = String::new();
        for fragment in self.fragments(word).await? {
            match fragment {
                Fragment::Text {
                    text: part,
                    quoted: true,
                    ..
                } => text.push_str(&playground_regex::escape(&part)),
                Fragment::Text { text: part, .. } => text.push_str(&part),
                Fragment::Break => text.push(' '),
            }
        }
        Ok(text)
    }

    /// Expands an arithmetic expression and evaluates it.
    pub(super) async fn arithmetic(&mut self, word: &Word) -> Result<i64, Flow> {
        let text = self.expand_single(word).await?;
        match arithmetic::evaluate(&text, self) {
            Ok(value) => Ok(value),
            Err(error) => {
                self.complain(&format!("{}: {error}", text.trim_end()))
                    .await;
                Err(Flow::Failed(1))
            }
        }
    }

    async fn fragments(&mut self, word: &Word) -> Result<Vec<Fragment>, Flow> {
        let mut fragments = Vec::new();
        let mut parts = word.0.as_slice();
        if let Some(WordPart::Literal(text)) = parts.first()
            && let Some((home, rest)) = self.tilde(text, parts.len() == 1)
        {
            fragments.push(Fragment::Text {
                text: home,
                quoted: true,
                split: false,
            });
            fragments.push(Fragment::Text {
                text: rest.to_owned(),
                quoted: false,
                split: false,
            });
            parts = &parts[1..];
        }
        self.expand_parts(parts, false, &mut fragments).await?;
        Ok(fragments)
    }

    fn tilde<'t>(&self, text: &'t str, whole: bool) -> Option<(String, &'t str)> {
        let rest = text.strip_prefix('~')?;
        let end = rest.find('/').unwrap_or(rest.len());
        if end == rest.len() && !whole {
            return None;
        }
        let home = match &rest[..end] {
            "" => self.get("HOME")?,
            "+" => self.cwd.clone(),
            "-" => self.get("OLDPWD")?,
            user if Some(user) == self.get("USER").as_deref() => self.get("HOME")?,
            _ => return None,
        };
        Some((home, &rest[end..]))
    }

    fn expand_parts<'a>(
        &'a mut self,
        parts: &'a [WordPart],
        quoted: bool,
        out: &'a mut Vec<Fragment>,
    ) -> LocalBoxFuture2<'a, Result<(), Flow>> {
        Box::pin(async move {
            for part in parts {
                match part {
                    WordPart::Literal(text) => out.push(Fragment::Text {
                        text: text.clone(),
                        quoted,
                        split: false,
                    }),
                    WordPart::Quoted(text) => out.push(Fragment::Text {
                        text: text.clone(),
                        quoted: true,
                        split: false,
                    }),
                    WordPart::DoubleQuoted(parts) => {
                        let all = matches!(parts.as_slice(), [WordPart::Parameter(p)] if lists(p));
                        if !all {
                            out.push(Fragment::Text {
                                text: String::new(),
                                quoted: true,
                                split: false,
                            });
                        }
                        self.expand_parts(parts, true, out).await?;
                    }
                    WordPart::Parameter(parameter) => {
                        self.expand_parameter(parameter, quoted, out).await?
                    }
                    WordPart::Command(list) => {
                        let text = self.substitute(list).await?;
                        out.push(Fragment::Text {
                            text,
                            quoted,
                            split: !quoted,
                        });
                    }
                    WordPart::Arithmetic(parts) => {
                        let value = self.arithmetic(&Word(parts.clone())).await?;
                        out.push(Fragment::Text {
                            text: value.to_string(),
                            quoted,
                            split: !quoted,
                        });
                    }
                    WordPart::ProcessSubstitution(list) => {
                        let text = self.substitute_raw(list).await?;
                        let path = format!("/tmp/.fd-{}", self.process.random() % 1_000_000_000);
                        self.process.with_disk(|disk| disk.write(&path, &text));
                        out.push(Fragment::Text {
                            text: path,
                            quoted: true,
                            split: false,
                        });
                    }
                }
            }
            Ok(())
        })
    }

    /// `$(list)`: what it prints, without the newlines at the end.
    async fn substitute(&mut self, list: &Rc<List>) -> Result<String, Flow> {
        let bytes = self.substitute_raw(list).await?;
        let mut text = String::from_utf8_lossy(&bytes).replace('\0', "");
        text.truncate(text.trim_end_matches('\n').len());
        Ok(text)
    }

    async fn substitute_raw(&mut self, list: &Rc<List>) -> Result<Vec<u8>, Flow> {
        let (stdout, buffer) = OutputStream::buffer();
        let mut inner = self.clone();
        inner.io = Stdio {
            stdin: self.io.stdin.clone(),
            stdout,
            stderr: self.io.stderr.clone(),
        };
        inner.depth += 1;
        inner.loop_depth = 0;
        inner.interactive = false;
        if inner.depth > super::DEPTH_MAX {
            self.complain("maximum nesting level exceeded").await;
            return Err(Flow::Failed(1));
        }
        let outcome = inner.run_list(list).await;
        if outcome == Err(Flow::Interrupted) {
            return Err(Flow::Interrupted);
        }
        let status = inner.settle(outcome);
        self.substitution_status = Some(status);
        self.status = status;
        let bytes = std::mem::take(&mut *buffer.borrow_mut());
        Ok(bytes)
    }

    async fn expand_parameter(
        &mut self,
        parameter: &Parameter,
        quoted: bool,
        out: &mut Vec<Fragment>,
    ) -> Result<(), Flow> {
        let mut name = parameter.name.clone();
        if parameter.indirect {
            if parameter
                .index
                .as_ref()
                .and_then(Word::as_literal)
                .is_some_and(|index| index == "@" || index == "*")
            {
                let keys: Vec<String> = self.array(&name).keys().map(i64::to_string).collect();
                push_list(keys, quoted, " ", out);
                return Ok(());
            }
            name = self.get(&name).unwrap_or_default();
        }
        if lists(parameter) {
            return self.expand_list(parameter, &name, quoted, out).await;
        }
        let value = match &parameter.index {
            Some(index) => {
                let index = self.arithmetic(index).await?;
                let items = self.array(&name);
                let index = if index < 0 {
                    items.keys().last().map_or(0, |last| last + 1) + index
                } else {
                    index
                };
                items.get(&index).cloned()
            }
            None => self.get(&name),
        };
        if value.is_none() && self.options.no_unset && !handles_unset(&parameter.operation) {
            self.complain(&format!("{name}: unbound variable")).await;
            return Err(Flow::Failed(1));
        }
        if parameter.length {
            let text = value.unwrap_or_default().chars().count().to_string();
            out.push(Fragment::Text {
                text,
                quoted,
                split: !quoted,
            });
            return Ok(());
        }
        let Some(operation) = &parameter.operation else {
            out.push(Fragment::Text {
                text: value.unwrap_or_default(),
                quoted,
                split: !quoted,
            });
            return Ok(());
        };
        let missing = |or_empty: bool| {
            value
                .as_ref()
                .is_none_or(|value| or_empty && value.is_empty())
        };
        match operation {
            Operation::Default { or_empty, word } => {
                if missing(*or_empty) {
                    return self.expand_parts(&word.0, quoted, out).await;
                }
            }
            Operation::Alternative { or_empty, word } => {
                if !missing(*or_empty) {
                    return self.expand_parts(&word.0, quoted, out).await;
                }
                return Ok(());
            }
            Operation::Assign { or_empty, word } => {
                if missing(*or_empty) {
                    let text = self.expand_single(word).await?;
                    self.set(&name, &text);
                    out.push(Fragment::Text {
                        text,
                        quoted,
                        split: !quoted,
                    });
                    return Ok(());
                }
            }
            Operation::Require { or_empty, word } => {
                if missing(*or_empty) {
                    let mut text = self.expand_single(word).await?;
                    if text.is_empty() {
                        text = if *or_empty {
                            "parameter null or not set"
                        } else {
                            "parameter not set"
                        }
                        .to_owned();
                    }
                    self.complain(&format!("{name}: {text}")).await;
                    return Err(Flow::Failed(127));
                }
            }
            _ => {
                let text = self.transform(operation, value.unwrap_or_default()).await?;
                out.push(Fragment::Text {
                    text,
                    quoted,
                    split: !quoted,
                });
                return Ok(());
            }
        }
        out.push(Fragment::Text {
            text: value.unwrap_or_default(),
            quoted,
            split: !quoted,
        });
        Ok(())
    }

    /// `$@`, `$*`, `${array[@]}`.
    async fn expand_list(
        &mut self,
        parameter: &Parameter,
        name: &str,
        quoted: bool,
        out: &mut Vec<Fragment>,
    ) -> Result<(), Flow> {
        let positional = matches!(name, "@" | "*");
        let star = if positional {
            name == "*"
        } else {
            parameter.index.as_ref().and_then(Word::as_literal) == Some("*")
        };
        let mut values: Vec<String> = if positional {
            self.positional.clone()
        } else {
            self.array(name).into_values().collect()
        };
        if parameter.length {
            out.push(Fragment::Text {
                text: values.len().to_string(),
                quoted,
                split: !quoted,
            });
            return Ok(());
        }
        match &parameter.operation {
            None => {}
            Some(Operation::Default { word, or_empty }) => {
                if values.is_empty() || *or_empty && values.iter().all(String::is_empty) {
                    return self.expand_parts(&word.0, quoted, out).await;
                }
            }
            Some(Operation::Alternative { word, .. }) => {
                if !values.is_empty() {
                    return self.expand_parts(&word.0, quoted, out).await;
                }
                return Ok(());
            }
            Some(Operation::Slice { offset, length }) => {
                if positional {
                    values.insert(0, "bash".to_owned());
                }
                let offset = self.arithmetic(offset).await?;
                let length = match length {
                    Some(length) => Some(self.arithmetic(length).await?),
                    None => None,
                };
                let (from, to) = slice_bounds(values.len(), offset, length).unwrap_or((0, 0));
                values = values[from..to].to_vec();
            }
            Some(operation) => {
                for value in &mut values {
                    *value = self.transform(operation, std::mem::take(value)).await?;
                }
            }
        }
        if quoted && star {
            let separator = self
                .get("IFS")
                .map_or_else(|| " ".to_owned(), |ifs| ifs.chars().take(1).collect());
            out.push(Fragment::Text {
                text: values.join(&separator),
                quoted: true,
                split: false,
            });
        } else {
            push_list(values, quoted, " ", out);
        }
        Ok(())
    }

    async fn transform(&mut self, operation: &Operation, value: String) -> Result<String, Flow> {
        Ok(match operation {
            Operation::RemovePrefix { longest, pattern } => {
                let pattern = self.expand_pattern(pattern).await?;
                remove_prefix(&value, &pattern, *longest)
            }
            Operation::RemoveSuffix { longest, pattern } => {
                let pattern = self.expand_pattern(pattern).await?;
                remove_suffix(&value, &pattern, *longest)
            }
            Operation::Replace {
                place,
                pattern,
                replacement,
            } => {
                let pattern = self.expand_pattern(pattern).await?;
                let replacement = self.expand_single(replacement).await?;
                replace(&value, &pattern, &replacement, *place)
            }
            Operation::Slice { offset, length } => {
                let offset = self.arithmetic(offset).await?;
                let length = match length {
                    Some(length) => Some(self.arithmetic(length).await?),
                    None => None,
                };
                let characters: Vec<char> = value.chars().collect();
                match slice_bounds(characters.len(), offset, length) {
                    Some((from, to)) => characters[from..to].iter().collect(),
                    None => {
                        self.complain(&format!(
                            "{}: substring expression < 0",
                            length.unwrap_or(0)
                        ))
                        .await;
                        return Err(Flow::Failed(1));
                    }
                }
            }
            Operation::Case { upper, all } => {
                let change = |character: char| -> String {
                    if *upper {
                        character.to_uppercase().collect()
                    } else {
                        character.to_lowercase().collect()
                    }
                };
                let mut characters = value.chars();
                if *all {
                    characters.map(change).collect()
                } else {
                    let first = characters.next().map(change).unwrap_or_default();
                    first + characters.as_str()
                }
            }
            _ => value,
        })
    }

    /// Cuts fragments into fields at `IFS`.
    fn split(&self, fragments: Vec<Fragment>) -> Vec<Field> {
        let ifs = self.get("IFS").unwrap_or_else(|| " \t\n".to_owned());
        let mut fields = Vec::new();
        let mut field = Field::default();
        let mut finish = |field: &mut Field| {
            if field.present {
                fields.push(std::mem::take(field));
            }
        };
        for fragment in fragments {
            match fragment {
                Fragment::Break => finish(&mut field),
                Fragment::Text {
                    text,
                    quoted,
                    split: false,
                } => {
                    if quoted || !text.is_empty() {
                        field.push(&text, quoted);
                    }
                }
                Fragment::Text { text, quoted, .. } => {
                    let mut rest = text.as_str();
                    while let Some(character) = rest.chars().next() {
                        let length = rest.find(|c| ifs.contains(c)).unwrap_or(rest.len());
                        if length > 0 {
                            field.push(&rest[..length], quoted);
                            rest = &rest[length..];
                            continue;
                        }
                        rest = &rest[character.len_utf8()..];
                        if character.is_whitespace() {
                            // A blank beside another separator belongs to it.
                            let trimmed = rest
                                .trim_start_matches(|c: char| ifs.contains(c) && c.is_whitespace());
                            rest = trimmed;
                            if field.present
                                && let Some(next) =
                                    rest.chars().next().filter(|next| ifs.contains(*next))
                            {
                                rest = &rest[next.len_utf8()..];
                                rest = rest.trim_start_matches(|c: char| {
                                    ifs.contains(c) && c.is_whitespace()
                                });
                            }
                            finish(&mut field);
                        } else {
                            field.present = true;
                            finish(&mut field);
                            rest = rest
                                .trim_start_matches(|c: char| ifs.contains(c) && c.is_whitespace());
                        }
                    }
                }
            }
        }
        finish(&mut field);
        fields
    }

    /// The files that match a pattern, sorted; none when there are none.
    fn glob(&self, pattern: &str) -> Vec<String> {
        let absolute = pattern.starts_with('/');
        let mut found: Vec<String> = vec![if absolute {
            "/".to_owned()
        } else {
            String::new()
        }];
        let components: Vec<&str> = pattern
            .split('/')
            .filter(|component| !component.is_empty())
            .collect();
        let directories_only = pattern.ends_with('/');
        for (index, component) in components.iter().enumerate() {
            let last = index + 1 == components.len();
            let mut next = Vec::new();
            for prefix in &found {
                let directory = self.path(if prefix.is_empty() { "." } else { prefix });
                if pattern::is_pattern(component) {
                    for name in files::list(&self.process, &directory) {
                        if name.starts_with('.') && !component.starts_with('.') {
                            continue;
                        }
                        if !pattern::matches(component, &name) {
                            continue;
                        }
                        let path = format!("{prefix}{name}");
                        if !last || directories_only {
                            if files::is_directory(&self.process, &self.path(&path)) {
                                next.push(format!("{path}/"));
                            }
                        } else {
                            next.push(path);
                        }
                    }
                } else {
                    let path = format!("{prefix}{}", pattern::unescape(component));
                    let kind = files::kind(&self.process, &self.path(&path));
                    if last && !directories_only {
                        if kind.is_some() {
                            next.push(path);
                        }
                    } else if kind == Some(files::FileKind::Directory) {
                        next.push(format!("{path}/"));
                    }
                }
                if next.len() > WORDS_MAX {
                    return Vec::new();
                }
            }
            found = next;
        }
        found.sort();
        found
    }
}

fn lists(parameter: &Parameter) -> bool {
    matches!(parameter.name.as_str(), "@" | "*")
        || parameter
            .index
            .as_ref()
            .and_then(Word::as_literal)
            .is_some_and(|index| index == "@" || index == "*")
}

fn handles_unset(operation: &Option<Operation>) -> bool {
    matches!(
        operation,
        Some(
            Operation::Default { .. }
                | Operation::Assign { .. }
                | Operation::Require { .. }
                | Operation::Alternative { .. }
        )
    )
}

fn push_list(values: Vec<String>, quoted: bool, _separator: &str, out: &mut Vec<Fragment>) {
    for (index, text) in values.into_iter().enumerate() {
        if index > 0 {
            out.push(Fragment::Break);
        }
        out.push(Fragment::Text {
            text,
            quoted,
            split: !quoted,
        });
    }
}

fn slice_bounds(count: usize, offset: i64, length: Option<i64>) -> Option<(usize, usize)> {
    let count = i64::try_from(count).ok()?;
    let from = if offset < 0 { count + offset } else { offset };
    if from < 0 || from > count {
        return Some((0, 0));
    }
    let to = match length {
        None => count,
        Some(length) if length < 0 => count + length,
        Some(length) => from.saturating_add(length).min(count),
    };
    if to < from {
        return None;
    }
    Some((usize::try_from(from).ok()?, usize::try_from(to).ok()?))
}

fn boundaries(text: &str) -> Vec<usize> {
    text.char_indices()
        .map(|(index, _)| index)
        .chain([text.len()])
        .collect()
}

fn remove_prefix(value: &str, pattern: &str, longest: bool) -> String {
    let ends = boundaries(value);
    let found = |end: &&usize| pattern::matches(pattern, &value[..**end]);
    let end = if longest {
        ends.iter().rev().find(found)
    } else {
        ends.iter().find(found)
    };
    value[end.copied().unwrap_or(0)..].to_owned()
}

fn remove_suffix(value: &str, pattern: &str, longest: bool) -> String {
    let starts = boundaries(value);
    let found = |start: &&usize| pattern::matches(pattern, &value[**start..]);
    let start = if longest {
        starts.iter().find(found)
    } else {
        starts.iter().rev().find(found)
    };
    value[..start.copied().unwrap_or(value.len())].to_owned()
}

fn replace(value: &str, pattern: &str, replacement: &str, place: ReplacePlace) -> String {
    if pattern.is_empty() && matches!(place, ReplacePlace::First | ReplacePlace::All) {
        return value.to_owned();
    }
    let edges = boundaries(value);
    match place {
        ReplacePlace::Start => {
            let end = edges
                .iter()
                .rev()
                .find(|end| pattern::matches(pattern, &value[..**end]));
            return end.map_or_else(
                || value.to_owned(),
                |end| format!("{replacement}{}", &value[*end..]),
            );
        }
        ReplacePlace::End => {
            let start = edges
                .iter()
                .find(|start| pattern::matches(pattern, &value[**start..]));
            return start.map_or_else(
                || value.to_owned(),
                |start| format!("{}{replacement}", &value[..*start]),
            );
        }
        ReplacePlace::First | ReplacePlace::All => {}
    }
    let mut result = String::new();
    let mut from = 0;
    let mut replaced = false;
    while from < value.len() {
        let end = if replaced && place == ReplacePlace::First {
            None
        } else {
            edges
                .iter()
                .rev()
                .take_while(|end| **end > from)
                .find(|end| pattern::matches(pattern, &value[from..**end]))
        };
        match end {
            Some(end) => {
                result.push_str(replacement);
                replaced = true;
                from = *end;
            }
            None => {
                let next = value[from..].chars().next().map_or(1, char::len_utf8);
                result.push_str(&value[from..from + next]);
                from += next;
            }
        }
    }
    result
}

/// One element of a word for brace expansion: a character of literal text, or another part.
#[derive(Clone)]
enum Piece {
    Character(char),
    Part(WordPart),
}

/// `a{b,c}d`, `{1..3}`.
fn expand_braces(word: &Word) -> Vec<Word> {
    let has_brace = word
        .0
        .iter()
        .any(|part| matches!(part, WordPart::Literal(text) if text.contains('{')));
    if !has_brace {
        return vec![word.clone()];
    }
    let mut pieces = Vec::new();
    for part in &word.0 {
        match part {
            WordPart::Literal(text) => pieces.extend(text.chars().map(Piece::Character)),
            part => pieces.push(Piece::Part(part.clone())),
        }
    }
    let mut results = Vec::new();
    brace_alternatives(&pieces, &mut results);
    results
        .into_iter()
        .map(|pieces| join_pieces(&pieces))
        .collect()
}

fn join_pieces(pieces: &[Piece]) -> Word {
    let mut parts: Vec<WordPart> = Vec::new();
    for piece in pieces {
        match (piece, parts.last_mut()) {
            (Piece::Character(character), Some(WordPart::Literal(text))) => text.push(*character),
            (Piece::Character(character), _) => {
                parts.push(WordPart::Literal(character.to_string()))
            }
            (Piece::Part(part), _) => parts.push(part.clone()),
        }
    }
    Word(parts)
}

fn is(piece: Option<&Piece>, wanted: char) -> bool {
    matches!(piece, Some(Piece::Character(character)) if *character == wanted)
}

fn brace_alternatives(pieces: &[Piece], results: &mut Vec<Vec<Piece>>) {
    if results.len() > WORDS_MAX {
        return;
    }
    for open in 0..pieces.len() {
        if !is(pieces.get(open), '{') {
            continue;
        }
        let mut depth = 0_usize;
        let mut commas = Vec::new();
        let mut close = None;
        for (at, piece) in pieces.iter().enumerate().skip(open + 1) {
            match piece {
                Piece::Character('{') => depth += 1,
                Piece::Character('}') if depth == 0 => {
                    close = Some(at);
                    break;
                }
                Piece::Character('}') => depth -= 1,
                Piece::Character(',') if depth == 0 => commas.push(at),
                _ => {}
            }
        }
        let Some(close) = close else { continue };
        let alternatives: Vec<Vec<Piece>> = if commas.is_empty() {
            match brace_range(&pieces[open + 1..close]) {
                Some(range) => range
                    .into_iter()
                    .map(|text| text.chars().map(Piece::Character).collect())
                    .collect(),
                None => continue,
            }
        } else {
            let mut from = open + 1;
            let mut alternatives = Vec::new();
            for end in commas.into_iter().chain([close]) {
                let mut inner = Vec::new();
                brace_alternatives(&pieces[from..end], &mut inner);
                alternatives.extend(inner);
                from = end + 1;
            }
            alternatives
        };
        let mut tails = Vec::new();
        brace_alternatives(&pieces[close + 1..], &mut tails);
        for alternative in &alternatives {
            for tail in &tails {
                if results.len() > WORDS_MAX {
                    return;
                }
                let mut whole = pieces[..open].to_vec();
                whole.extend(alternative.iter().cloned());
                whole.extend(tail.iter().cloned());
                results.push(whole);
            }
        }
        return;
    }
    results.push(pieces.to_vec());
}

fn brace_range(pieces: &[Piece]) -> Option<Vec<String>> {
    let mut text = String::new();
    for piece in pieces {
        match piece {
            Piece::Character(character) => text.push(*character),
            Piece::Part(_) => return None,
        }
    }
    let fields: Vec<&str> = text.split("..").collect();
    let (first, last, step) = match fields.as_slice() {
        [first, last] => (*first, *last, 1),
        [first, last, step] => (*first, *last, step.parse::<i64>().ok()?.abs().max(1)),
        _ => return None,
    };
    let step = usize::try_from(step).ok()?;
    if let (Ok(from), Ok(to)) = (first.parse::<i64>(), last.parse::<i64>()) {
        if from.abs_diff(to) / step as u64 > WORDS_MAX as u64 {
            return None;
        }
        let padded = |text: &str| {
            text.trim_start_matches('-').len() > 1 && text.trim_start_matches('-').starts_with('0')
        };
        let width = if padded(first) || padded(last) {
            first.len().max(last.len())
        } else {
            0
        };
        let number = |value: i64| format!("{value:0width$}");
        return Some(if from <= to {
            (from..=to).step_by(step).map(number).collect()
        } else {
            (to..=from).rev().step_by(step).map(number).collect()
        });
    }
    let mut first = first.chars();
    let mut last = last.chars();
    let (Some(from), None, Some(to), None) = (first.next(), first.next(), last.next(), last.next())
    else {
        return None;
    };
    if !from.is_ascii_alphabetic() || !to.is_ascii_alphabetic() {
        return None;
    }
    let (from, to) = (from as u8, to as u8);
    let letter = |value: u8| char::from(value).to_string();
    Some(if from <= to {
        (from..=to).step_by(step).map(letter).collect()
    } else {
        (to..=from).rev().step_by(step).map(letter).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn braces(text: &str) -> Vec<String> {
        expand_braces(&Word::literal(text))
            .iter()
            .filter_map(|word| word.as_literal().map(str::to_owned))
            .collect()
    }

    #[test]
    fn braces_expand() {
        assert_eq!(braces("a{b,c}d"), ["abd", "acd"]);
        assert_eq!(braces("{1..3}"), ["1", "2", "3"]);
        assert_eq!(braces("{03..1}"), ["03", "02", "01"]);
        assert_eq!(braces("{a..e..2}"), ["a", "c", "e"]);
        assert_eq!(braces("{a,b{1,2}}"), ["a", "b1", "b2"]);
        assert_eq!(braces("{a}"), ["{a}"]);
        assert_eq!(braces("x{1,2}{3,4}"), ["x13", "x14", "x23", "x24"]);
        assert_eq!(braces("{\"topic\":[]}"), ["{\"topic\":[]}"]);
    }

    #[test]
    fn values_are_cut_and_replaced() {
        assert_eq!(remove_prefix("a/b/c", "*/", false), "b/c");
        assert_eq!(remove_prefix("a/b/c", "*/", true), "c");
        assert_eq!(remove_suffix("a.tar.gz", ".*", false), "a.tar");
        assert_eq!(remove_suffix("a.tar.gz", ".*", true), "a");
        assert_eq!(replace("banana", "a", "o", ReplacePlace::First), "bonana");
        assert_eq!(replace("banana", "a", "o", ReplacePlace::All), "bonono");
        assert_eq!(replace("banana", "b*n", "x", ReplacePlace::Start), "xa");
        assert_eq!(replace("banana", "n?", "x", ReplacePlace::End), "banax");
    }
}
