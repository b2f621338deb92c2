//! Words: quotes, expansions, and the text of here documents.

use std::rc::Rc;

use super::ast::{Operation, Parameter, ReplacePlace, Word, WordPart};
use super::parser::{ParseError, Parsed, Parser, is_name, parse_all};

/// Where a run of parts ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Until {
    /// At a blank or an operator.
    Word,
    /// At a blank: the right side of `=~`, where `(`, `|` and `<` are the expression's.
    Regex,
    /// At `"`.
    DoubleQuote,
    /// At `}`; the flag says whether this stands between double quotes.
    Brace { quoted: bool },
    /// At `/` or `}`: the pattern of a replacement.
    Slash { quoted: bool },
    /// At `]`.
    Bracket,
    /// At the end of the text: a here document.
    Document,
    /// At the end of the text: arithmetic.
    Arithmetic,
}

impl Until {
    fn quoted(self) -> bool {
        match self {
            Until::DoubleQuote | Until::Document | Until::Arithmetic => true,
            Until::Brace { quoted } | Until::Slash { quoted } => quoted,
            Until::Word | Until::Regex | Until::Bracket => false,
        }
    }
}

/// Parses the text of a here document whose delimiter was not quoted.
pub(super) fn parse_document(body: &str) -> Parsed<Word> {
    whole(body, Until::Document)
}

fn parse_arithmetic(body: &str) -> Parsed<Word> {
    whole(body, Until::Arithmetic)
}

fn whole(body: &str, until: Until) -> Parsed<Word> {
    let characters: Vec<char> = body.chars().collect();
    let mut parser = Parser::new(&characters, true);
    parser.parts(until).map(Word)
}

/// A word's text without its quotes and without expanding it: a here document's delimiter.
pub(super) fn remove_quotes(word: &Word) -> String {
    fn add(parts: &[WordPart], text: &mut String) {
        for part in parts {
            match part {
                WordPart::Literal(part) | WordPart::Quoted(part) => text.push_str(part),
                WordPart::DoubleQuoted(parts) => add(parts, text),
                _ => {}
            }
        }
    }
    let mut text = String::new();
    add(&word.0, &mut text);
    text
}

impl Parser<'_> {
    /// A word, if one stands here.
    pub(super) fn word(&mut self) -> Parsed<Option<Word>> {
        let before = self.position;
        let parts = self.parts(Until::Word)?;
        Ok((self.position > before).then_some(Word(parts)))
    }

    /// The right side of `=~`.
    pub(super) fn regex_word(&mut self) -> Parsed<Option<Word>> {
        let before = self.position;
        let parts = self.parts(Until::Regex)?;
        Ok((self.position > before).then_some(Word(parts)))
    }

    /// `[index]` after a name; `None` (nothing consumed is promised to be restored by the caller) when
    /// it does not end on this line.
    pub(super) fn subscript(&mut self) -> Parsed<Option<Word>> {
        self.position += 1;
        let mut end = self.position;
        while self
            .characters
            .get(end)
            .is_some_and(|character| !matches!(character, ']' | '\n' | ' '))
        {
            end += 1;
        }
        if self.characters.get(end) != Some(&']') {
            return Ok(None);
        }
        let parts = self.parts(Until::Bracket)?;
        if !self.take("]") {
            return Ok(None);
        }
        Ok(Some(Word(parts)))
    }

    /// The expression of `(( … ))`; `None` when it is something else.
    pub(super) fn arithmetic_command(&mut self) -> Parsed<Option<Word>> {
        self.position += 2;
        match self.arithmetic_text()? {
            Some(text) => parse_arithmetic(&text).map(Some),
            None => Ok(None),
        }
    }

    /// `((first; condition; step))` of a `for`.
    pub(super) fn arithmetic_for(&mut self) -> Parsed<Option<[Word; 3]>> {
        self.position += 2;
        let Some(text) = self.arithmetic_text()? else {
            return Ok(None);
        };
        let parts: Vec<&str> = text.split(';').collect();
        match parts.as_slice() {
            [first, condition, step] => Ok(Some([
                parse_arithmetic(first)?,
                parse_arithmetic(condition)?,
                parse_arithmetic(step)?,
            ])),
            _ => Ok(None),
        }
    }

    /// The text up to `))`, which is consumed; `None` when a single `)` ends it.
    fn arithmetic_text(&mut self) -> Parsed<Option<String>> {
        let start = self.position;
        let mut open = 0_usize;
        loop {
            match self.peek() {
                None => {
                    return Err(ParseError::Incomplete(
                        "unexpected EOF while looking for matching `)'".to_owned(),
                    ));
                }
                Some('(') => open += 1,
                Some(')') if open > 0 => open -= 1,
                Some(')') => {
                    if self.peek_at(1) != Some(')') {
                        return Ok(None);
                    }
                    let text = self.text(start, self.position);
                    self.position += 2;
                    return Ok(Some(text));
                }
                Some('\\') => self.position += 1,
                Some(_) => {}
            }
            self.position += 1;
        }
    }

    fn parts(&mut self, until: Until) -> Parsed<Vec<WordPart>> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let start = self.position;
        while let Some(character) = self.peek() {
            match (until, character) {
                (Until::Word, '<') if self.peek_at(1) == Some('(') => {
                    flush(&mut literal, &mut parts);
                    self.position += 2;
                    let list = self.substituted_list()?;
                    parts.push(WordPart::ProcessSubstitution(Rc::new(list)));
                    continue;
                }
                (
                    Until::Word,
                    ' ' | '\t' | '\n' | '\r' | '&' | '|' | ';' | '<' | '>' | '(' | ')',
                ) => break,
                (Until::Regex, ' ' | '\t' | '\n') => break,
                (Until::DoubleQuote, '"') => break,
                (Until::Brace { .. } | Until::Slash { .. }, '}') => break,
                (Until::Slash { .. }, '/') if self.position > start => break,
                (Until::Bracket, ']') => break,
                _ => {}
            }
            let quoted = until.quoted();
            match character {
                '\\' => match self.peek_at(1) {
                    Some('\n') => self.position += 2,
                    Some('\r') if self.peek_at(2) == Some('\n') => self.position += 3,
                    None => {
                        if self.last {
                            literal.push('\\');
                            self.position += 1;
                        } else {
                            return incomplete("syntax error: unexpected end of file");
                        }
                    }
                    Some(next) if quoted => {
                        let special = match until {
                            Until::DoubleQuote => matches!(next, '$' | '`' | '"' | '\\'),
                            Until::Document => matches!(next, '$' | '`' | '\\'),
                            _ => matches!(next, '$' | '`' | '"' | '\\' | '}' | '/'),
                        };
                        if special {
                            flush(&mut literal, &mut parts);
                            parts.push(WordPart::Quoted(next.to_string()));
                        } else {
                            literal.push('\\');
                            literal.push(next);
                        }
                        self.position += 2;
                    }
                    Some(next) => {
                        flush(&mut literal, &mut parts);
                        parts.push(WordPart::Quoted(next.to_string()));
                        self.position += 2;
                    }
                },
                '\'' if !quoted => {
                    flush(&mut literal, &mut parts);
                    self.position += 1;
                    parts.push(WordPart::Quoted(self.single_quoted()?));
                }
                '"' if !matches!(until, Until::DoubleQuote | Until::Document) => {
                    flush(&mut literal, &mut parts);
                    self.position += 1;
                    parts.push(self.double_quoted()?);
                }
                '$' => {
                    if let Some(part) = self.dollar(quoted)? {
                        flush(&mut literal, &mut parts);
                        parts.push(part);
                    } else {
                        literal.push('$');
                        self.position += 1;
                    }
                }
                '`' => {
                    flush(&mut literal, &mut parts);
                    self.position += 1;
                    parts.push(self.backquoted(quoted)?);
                }
                character => {
                    literal.push(character);
                    self.position += 1;
                }
            }
        }
        flush(&mut literal, &mut parts);
        Ok(parts)
    }

    fn single_quoted(&mut self) -> Parsed<String> {
        let start = self.position;
        while let Some(character) = self.peek() {
            self.position += 1;
            if character == '\'' {
                return Ok(self.text(start, self.position - 1));
            }
        }
        incomplete("unexpected EOF while looking for matching `''")
    }

    fn double_quoted(&mut self) -> Parsed<WordPart> {
        let parts = self.parts(Until::DoubleQuote)?;
        if !self.take("\"") {
            return incomplete("unexpected EOF while looking for matching `\"'");
        }
        Ok(WordPart::DoubleQuoted(parts))
    }

    /// `$'…'`, after the quote.
    fn ansi_quoted(&mut self) -> Parsed<String> {
        let start = self.position;
        while let Some(character) = self.peek() {
            match character {
                '\\' => self.position += 2,
                '\'' => {
                    let text = self.text(start, self.position);
                    self.position += 1;
                    return Ok(crate::coreutils::escapes::unescape_ansi(&text));
                }
                _ => self.position += 1,
            }
        }
        incomplete("unexpected EOF while looking for matching `''")
    }

    fn backquoted(&mut self, quoted: bool) -> Parsed<WordPart> {
        let mut text = String::new();
        while let Some(character) = self.peek() {
            self.position += 1;
            match character {
                '`' => return Ok(WordPart::Command(Rc::new(parse_all(&text)?))),
                '\\' => {
                    let next = self.peek();
                    match next {
                        Some(next @ ('`' | '\\' | '$')) => {
                            text.push(next);
                            self.position += 1;
                        }
                        Some('"') if quoted => {
                            text.push('"');
                            self.position += 1;
                        }
                        _ => text.push('\\'),
                    }
                }
                character => text.push(character),
            }
        }
        incomplete("unexpected EOF while looking for matching ``'")
    }

    /// An expansion at `$`; `None` when the `$` means itself.
    fn dollar(&mut self, quoted: bool) -> Parsed<Option<WordPart>> {
        match self.peek_at(1) {
            Some('(') if self.peek_at(2) == Some('(') => {
                let before = self.position;
                self.position += 3;
                if let Some(text) = self.arithmetic_text()? {
                    return Ok(Some(WordPart::Arithmetic(parse_arithmetic(&text)?.0)));
                }
                self.position = before + 2;
                self.substituted_list()
                    .map(|list| Some(WordPart::Command(Rc::new(list))))
            }
            Some('(') => {
                self.position += 2;
                self.substituted_list()
                    .map(|list| Some(WordPart::Command(Rc::new(list))))
            }
            Some('{') => {
                self.position += 2;
                self.braced(quoted).map(Some)
            }
            Some('\'') if !quoted => {
                self.position += 2;
                self.ansi_quoted().map(|text| Some(WordPart::Quoted(text)))
            }
            Some('"') if !quoted => {
                self.position += 2;
                self.double_quoted().map(Some)
            }
            Some(character) if character.is_ascii_alphabetic() || character == '_' => {
                self.position += 1;
                let start = self.position;
                while self
                    .peek()
                    .is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
                {
                    self.position += 1;
                }
                Ok(Some(plain(self.text(start, self.position))))
            }
            Some(character) if character.is_ascii_digit() || "?$!#@*-".contains(character) => {
                self.position += 2;
                Ok(Some(plain(character.to_string())))
            }
            _ => Ok(None),
        }
    }

    /// `${…}`, after the brace.
    fn braced(&mut self, quoted: bool) -> Parsed<WordPart> {
        let start = self.position;
        let mut parameter = Parameter {
            name: String::new(),
            index: None,
            length: false,
            indirect: false,
            operation: None,
        };
        if self.peek() == Some('#')
            && !matches!(
                self.peek_at(1),
                Some('}' | ':' | '-' | '=' | '?' | '+' | '%' | '#')
            )
        {
            parameter.length = true;
            self.position += 1;
        } else if self.peek() == Some('!')
            && self
                .peek_at(1)
                .is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            parameter.indirect = true;
            self.position += 1;
        }
        let name_start = self.position;
        while self
            .peek()
            .is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            self.position += 1;
        }
        if self.position == name_start && self.peek().is_some_and(|c| "?$!#@*-".contains(c)) {
            self.position += 1;
        }
        parameter.name = self.text(name_start, self.position);
        let valid = is_name(&parameter.name)
            || parameter.name.chars().all(|c| c.is_ascii_digit()) && !parameter.name.is_empty()
            || parameter.name.len() == 1;
        if !valid {
            return self.bad_substitution(start);
        }
        if self.peek() == Some('[') {
            match self.subscript()? {
                Some(index) => parameter.index = Some(index),
                None => return self.bad_substitution(start),
            }
        }
        parameter.operation = self.operation(quoted)?;
        if self.take("}") {
            return Ok(WordPart::Parameter(Box::new(parameter)));
        }
        if self.peek().is_none() {
            return incomplete("unexpected EOF while looking for matching `}'");
        }
        self.bad_substitution(start)
    }

    fn operation(&mut self, quoted: bool) -> Parsed<Option<Operation>> {
        let rest = Until::Brace { quoted };
        let or_empty =
            self.peek() == Some(':') && matches!(self.peek_at(1), Some('-' | '=' | '?' | '+'));
        if or_empty {
            self.position += 1;
        }
        let Some(operator) = self.peek() else {
            return Ok(None);
        };
        Ok(Some(match operator {
            '-' | '=' | '?' | '+' => {
                self.position += 1;
                let word = Word(self.parts(rest)?);
                match operator {
                    '-' => Operation::Default { or_empty, word },
                    '=' => Operation::Assign { or_empty, word },
                    '?' => Operation::Require { or_empty, word },
                    _ => Operation::Alternative { or_empty, word },
                }
            }
            '#' => {
                let longest = self.take("##") || !self.take("#");
                Operation::RemovePrefix {
                    longest,
                    pattern: Word(self.parts(Until::Brace { quoted: false })?),
                }
            }
            '%' => {
                let longest = self.take("%%") || !self.take("%");
                Operation::RemoveSuffix {
                    longest,
                    pattern: Word(self.parts(Until::Brace { quoted: false })?),
                }
            }
            '/' => {
                self.position += 1;
                let place = if self.take("/") {
                    ReplacePlace::All
                } else if self.take("#") {
                    ReplacePlace::Start
                } else if self.take("%") {
                    ReplacePlace::End
                } else {
                    ReplacePlace::First
                };
                let pattern = Word(self.parts(Until::Slash { quoted: false })?);
                let replacement = if self.take("/") {
                    Word(self.parts(Until::Brace { quoted: false })?)
                } else {
                    Word::default()
                };
                Operation::Replace {
                    place,
                    pattern,
                    replacement,
                }
            }
            ':' => {
                self.position += 1;
                let text = self.slice_text();
                let mut fields = text.splitn(2, ':');
                let offset = parse_arithmetic(fields.next().unwrap_or_default())?;
                let length = fields.next().map(parse_arithmetic).transpose()?;
                Operation::Slice { offset, length }
            }
            '^' => {
                let all = self.take("^^") || !self.take("^");
                Operation::Case { upper: true, all }
            }
            ',' => {
                let all = self.take(",,") || !self.take(",");
                Operation::Case { upper: false, all }
            }
            _ => return Ok(None),
        }))
    }

    /// The text up to the closing brace of a slice, inner braces included.
    fn slice_text(&mut self) -> String {
        let start = self.position;
        let mut open = 0_usize;
        while let Some(character) = self.peek() {
            match character {
                '{' => open += 1,
                '}' if open == 0 => break,
                '}' => open -= 1,
                _ => {}
            }
            self.position += 1;
        }
        self.text(start, self.position)
    }

    fn bad_substitution<T>(&mut self, start: usize) -> Parsed<T> {
        while self.peek().is_some_and(|character| character != '}') {
            self.position += 1;
        }
        if self.peek().is_none() {
            return incomplete("unexpected EOF while looking for matching `}'");
        }
        Err(ParseError::Syntax(format!(
            "${{{}}}: bad substitution",
            self.text(start, self.position)
        )))
    }
}

fn plain(name: String) -> WordPart {
    WordPart::Parameter(Box::new(Parameter {
        name,
        index: None,
        length: false,
        indirect: false,
        operation: None,
    }))
}

fn incomplete<T>(message: &str) -> Parsed<T> {
    Err(ParseError::Incomplete(message.to_owned()))
}

fn flush(literal: &mut String, parts: &mut Vec<WordPart>) {
    if !literal.is_empty() {
        parts.push(WordPart::Literal(std::mem::take(literal)));
    }
}
