//! Bash's grammar, by recursive descent over characters.
//!
//! Written here rather than taken from a crate: the parsers at hand bring clocks, entropy and files
//! into the engine, and none says as plainly whether a text is wrong or only not finished.

use std::cell::OnceCell;
use std::rc::Rc;

use thiserror::Error;

use super::ast::{
    AssignedValue, Assignment, CaseArm, CaseEnd, Command, CommandKind, ConditionalToken, Join,
    List, ListItem, Pipeline, Redirect, RedirectKind, Word, WordPart,
};

/// Why a text is no command.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ParseError {
    /// More lines are needed; the text says what bash says when none come.
    #[error("{0}")]
    Incomplete(String),
    /// It is wrong.
    #[error("{0}")]
    Syntax(String),
}

/// A result of the parser.
pub type Parsed<T> = Result<T, ParseError>;

/// How deep commands may stand in each other.
const DEPTH_MAX: usize = 100;

const RESERVED: &[&str] = &[
    "if", "then", "elif", "else", "fi", "for", "while", "until", "do", "done", "case", "esac",
    "in", "{", "}", "!", "function", "[[", "time",
];

/// Parses one complete command (a line and the further lines that it needs) from byte `from` of `text`.
/// The value is the list and the byte after its line. `last`: no more text will come, so that a here
/// document may end at the end of the text.
pub fn parse_complete(text: &str, from: usize, last: bool) -> Parsed<(List, usize)> {
    let characters: Vec<char> = text.get(from..).unwrap_or_default().chars().collect();
    let mut parser = Parser::new(&characters, last);
    let list = parser.complete_command()?;
    let bytes: usize = characters[..parser.position]
        .iter()
        .map(|character| character.len_utf8())
        .sum();
    Ok((list, from + bytes))
}

/// Parses a whole text, as `eval` and `source` do.
pub fn parse_all(text: &str) -> Parsed<List> {
    let characters: Vec<char> = text.chars().collect();
    let mut parser = Parser::new(&characters, true);
    parser.whole()
}

/// The characters, and how far they are read.
pub(super) struct Parser<'a> {
    pub(super) characters: &'a [char],
    pub(super) position: usize,
    pub(super) last: bool,
    pub(super) depth: usize,
    documents: Vec<PendingDocument>,
}

struct PendingDocument {
    delimiter: String,
    quoted: bool,
    strip_tabs: bool,
    slot: Rc<OnceCell<Word>>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(characters: &'a [char], last: bool) -> Parser<'a> {
        Parser {
            characters,
            position: 0,
            last,
            depth: 0,
            documents: Vec::new(),
        }
    }

    pub(super) fn peek(&self) -> Option<char> {
        self.characters.get(self.position).copied()
    }

    pub(super) fn peek_at(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.position + ahead).copied()
    }

    pub(super) fn starts_with(&self, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(index, character)| self.peek_at(index) == Some(character))
    }

    pub(super) fn take(&mut self, text: &str) -> bool {
        let found = self.starts_with(text);
        if found {
            self.position += text.chars().count();
        }
        found
    }

    pub(super) fn text(&self, from: usize, to: usize) -> String {
        self.characters
            .get(from..to)
            .unwrap_or_default()
            .iter()
            .collect()
    }

    pub(super) fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(ParseError::Syntax(
                "syntax error: commands are nested too deeply".to_owned(),
            ));
        }
        Ok(())
    }

    fn end_of_file<T>(&self) -> Parsed<T> {
        Err(ParseError::Incomplete(
            "syntax error: unexpected end of file".to_owned(),
        ))
    }

    /// What stands here is out of place.
    pub(super) fn unexpected<T>(&self) -> Parsed<T> {
        let token = match self.peek() {
            None => return self.end_of_file(),
            Some('\n') => "newline".to_owned(),
            Some(_) => {
                let operators = [
                    "&&", "||", ";;&", ";;", ";&", "<<<", "<<", ">>", "&>", ">&", "<&", ">|", "(",
                    ")", "&", "|", ";", "<", ">",
                ];
                match operators.iter().find(|operator| self.starts_with(operator)) {
                    Some(operator) => (*operator).to_owned(),
                    None => {
                        let mut end = self.position;
                        while self
                            .characters
                            .get(end)
                            .is_some_and(|c| !c.is_whitespace() && !"&|;<>()".contains(*c))
                        {
                            end += 1;
                        }
                        self.text(self.position, end)
                    }
                }
            }
        };
        Err(ParseError::Syntax(format!(
            "syntax error near unexpected token `{token}'"
        )))
    }

    /// Blanks, continued lines and a comment.
    pub(super) fn skip_blanks(&mut self) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r') => self.position += 1,
                Some('\\') if self.peek_at(1) == Some('\n') => self.position += 2,
                Some('\\') if self.peek_at(1) == Some('\r') && self.peek_at(2) == Some('\n') => {
                    self.position += 3
                }
                Some('#') => {
                    while self.peek().is_some_and(|character| character != '\n') {
                        self.position += 1;
                    }
                }
                _ => return,
            }
        }
    }

    /// A line's end, and the here documents that begin after it.
    fn newline(&mut self) -> Parsed<bool> {
        self.skip_blanks();
        if self.peek() != Some('\n') {
            return Ok(false);
        }
        self.position += 1;
        self.read_documents()?;
        Ok(true)
    }

    fn newlines(&mut self) -> Parsed<()> {
        while self.newline()? {}
        Ok(())
    }

    fn read_documents(&mut self) -> Parsed<()> {
        for document in std::mem::take(&mut self.documents) {
            let mut body = String::new();
            loop {
                if self.position >= self.characters.len() {
                    if self.last {
                        break;
                    }
                    return Err(ParseError::Incomplete(format!(
                        "here-document delimited by end-of-file (wanted `{}')",
                        document.delimiter
                    )));
                }
                let start = self.position;
                while self.peek().is_some_and(|character| character != '\n') {
                    self.position += 1;
                }
                let line = self.text(start, self.position);
                let ended = self.peek() == Some('\n');
                if ended {
                    self.position += 1;
                }
                let line = if document.strip_tabs {
                    line.trim_start_matches('\t')
                } else {
                    line.as_str()
                };
                if line == document.delimiter {
                    break;
                }
                body.push_str(line);
                if ended {
                    body.push('\n');
                }
            }
            let word = if document.quoted {
                Word(vec![WordPart::Quoted(body)])
            } else {
                super::word::parse_document(&body)?
            };
            let _ = document.slot.set(word);
        }
        Ok(())
    }

    fn complete_command(&mut self) -> Parsed<List> {
        let mut list = List::default();
        loop {
            self.skip_blanks();
            if self.peek().is_none() {
                if !self.documents.is_empty() {
                    self.read_documents()?;
                }
                // A backslash at the very end asks for another line.
                if !self.last && self.position > 0 && self.ends_in_continuation() {
                    return self.end_of_file();
                }
                return Ok(list);
            }
            if self.newline()? {
                return Ok(list);
            }
            let item = self.list_item()?;
            list.items.push(item);
            self.skip_blanks();
            match self.peek() {
                None | Some('\n') => {}
                _ if list
                    .items
                    .last()
                    .is_some_and(|item| item.text.ends_with([';', '&'])) => {}
                _ => return self.unexpected(),
            }
            if let Some(item) = list.items.last_mut() {
                trim_separator(item);
            }
        }
    }

    fn ends_in_continuation(&self) -> bool {
        let end = self.characters.len();
        end >= 2 && self.characters[end - 1] == '\n' && self.characters[end - 2] == '\\'
    }

    fn whole(&mut self) -> Parsed<List> {
        let mut list = List::default();
        while self.position < self.characters.len() {
            list.items.extend(self.complete_command()?.items);
        }
        Ok(list)
    }

    /// Commands up to something that ends them: a reserved word, `)` or `;;`.
    fn list_until(&mut self, ends: &[&str]) -> Parsed<List> {
        let mut list = List::default();
        loop {
            self.newlines()?;
            if self.peek().is_none() {
                return self.end_of_file();
            }
            if self.at_end_of_list(ends) {
                if list.items.is_empty() {
                    return self.unexpected();
                }
                return Ok(list);
            }
            let mut item = self.list_item()?;
            let separated = item.text.ends_with([';', '&']);
            trim_separator(&mut item);
            list.items.push(item);
            self.skip_blanks();
            match self.peek() {
                None => return self.end_of_file(),
                Some('\n') => {}
                Some(_) if separated => {}
                Some(_) if self.at_end_of_list(ends) => {}
                Some(_) => return self.unexpected(),
            }
        }
    }

    fn at_end_of_list(&self, ends: &[&str]) -> bool {
        ends.iter().any(|end| match *end {
            ")" => self.peek() == Some(')'),
            ";;" => self.starts_with(";;") || self.starts_with(";&"),
            word => self.at_reserved(word),
        })
    }

    /// Whether this word stands here, by itself.
    fn at_reserved(&self, word: &str) -> bool {
        self.starts_with(word)
            && self
                .peek_at(word.chars().count())
                .is_none_or(|next| next.is_whitespace() || "&|;<>()".contains(next))
    }

    fn take_reserved(&mut self, word: &str) -> Parsed<()> {
        self.newlines()?;
        if self.at_reserved(word) {
            self.position += word.chars().count();
            Ok(())
        } else {
            self.unexpected()
        }
    }

    fn list_item(&mut self) -> Parsed<ListItem> {
        let start = self.position;
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.skip_blanks();
            let join = if self.take("&&") {
                Join::And
            } else if self.take("||") {
                Join::Or
            } else {
                break;
            };
            self.newlines()?;
            rest.push((join, self.pipeline()?));
        }
        self.skip_blanks();
        let mut background = false;
        if self.peek() == Some(';') && !self.starts_with(";;") && !self.starts_with(";&") {
            self.position += 1;
        } else if self.peek() == Some('&') && self.peek_at(1) != Some('>') {
            self.position += 1;
            background = true;
        }
        Ok(ListItem {
            first,
            rest,
            background,
            text: self.text(start, self.position).trim().to_owned(),
        })
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        let mut pipeline = Pipeline {
            negated: false,
            timed: false,
            timed_portably: false,
            commands: Vec::new(),
        };
        self.skip_blanks();
        loop {
            if self.at_reserved("!") {
                self.position += 1;
                pipeline.negated = !pipeline.negated;
            } else if self.at_reserved("time") {
                self.position += 4;
                pipeline.timed = true;
                self.skip_blanks();
                if self.at_reserved("-p") {
                    pipeline.timed_portably = true;
                    self.position += 2;
                }
            } else {
                break;
            }
            self.skip_blanks();
        }
        loop {
            let mut command = self.command()?;
            self.skip_blanks();
            let both = self.starts_with("|&");
            if self.peek() == Some('|') && self.peek_at(1) != Some('|') {
                self.position += if both { 2 } else { 1 };
                if both {
                    let kind = RedirectKind::Duplicate(Word::literal("1"));
                    command.redirects.push(Redirect {
                        descriptor: Some(2),
                        kind,
                    });
                }
                pipeline.commands.push(command);
                self.newlines()?;
                self.skip_blanks();
            } else {
                pipeline.commands.push(command);
                return Ok(pipeline);
            }
        }
    }

    fn command(&mut self) -> Parsed<Command> {
        self.skip_blanks();
        self.deeper()?;
        let kind = self.compound()?;
        let command = match kind {
            Some(kind) => {
                let mut redirects = Vec::new();
                if !matches!(kind, CommandKind::Function { .. }) {
                    self.skip_blanks();
                    while let Some(redirect) = self.redirect()? {
                        redirects.push(redirect);
                        self.skip_blanks();
                    }
                }
                Command { kind, redirects }
            }
            None => self.simple()?,
        };
        self.depth -= 1;
        Ok(command)
    }

    fn compound(&mut self) -> Parsed<Option<CommandKind>> {
        if self.starts_with("((") {
            let before = self.position;
            if let Some(expression) = self.arithmetic_command()? {
                return Ok(Some(CommandKind::Arithmetic(expression)));
            }
            self.position = before;
        }
        if self.take("(") {
            let list = self.list_until(&[")"])?;
            self.position += 1;
            return Ok(Some(CommandKind::Subshell(list)));
        }
        if self.at_reserved("{") {
            self.position += 1;
            let list = self.list_until(&["}"])?;
            self.position += 1;
            return Ok(Some(CommandKind::Group(list)));
        }
        if self.at_reserved("if") {
            self.position += 2;
            return self.if_command().map(Some);
        }
        if self.at_reserved("while") || self.at_reserved("until") {
            let until = self.starts_with("until");
            self.position += 5;
            let condition = self.list_until(&["do"])?;
            let body = self.do_group()?;
            return Ok(Some(CommandKind::While {
                until,
                condition,
                body,
            }));
        }
        if self.at_reserved("for") {
            self.position += 3;
            return self.for_command().map(Some);
        }
        if self.at_reserved("case") {
            self.position += 4;
            return self.case_command().map(Some);
        }
        if self.at_reserved("[[") {
            self.position += 2;
            return self.conditional().map(Some);
        }
        if self.at_reserved("function") {
            self.position += 8;
            self.skip_blanks();
            let name = self.function_name().map_or_else(|| self.unexpected(), Ok)?;
            self.skip_blanks();
            if self.take("(") {
                self.skip_blanks();
                if !self.take(")") {
                    return self.unexpected();
                }
            }
            return self.function_body(name).map(Some);
        }
        let before = self.position;
        if let Some(name) = self.function_name() {
            self.skip_blanks();
            if self.take("(") {
                self.skip_blanks();
                if !self.take(")") {
                    return self.unexpected();
                }
                return self.function_body(name).map(Some);
            }
        }
        self.position = before;
        if RESERVED
            .iter()
            .any(|word| !matches!(*word, "in" | "!" | "time" | "{") && self.at_reserved(word))
        {
            return self.unexpected();
        }
        Ok(None)
    }

    fn function_name(&mut self) -> Option<String> {
        let start = self.position;
        while self
            .peek()
            .is_some_and(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ':'))
        {
            self.position += 1;
        }
        let name = self.text(start, self.position);
        (!name.is_empty() && !RESERVED.contains(&name.as_str())).then_some(name)
    }

    fn function_body(&mut self, name: String) -> Parsed<CommandKind> {
        self.newlines()?;
        let body = self.command()?;
        if matches!(body.kind, CommandKind::Simple { .. }) {
            return self.unexpected();
        }
        Ok(CommandKind::Function {
            name,
            body: Rc::new(body),
        })
    }

    fn do_group(&mut self) -> Parsed<List> {
        self.take_reserved("do")?;
        let body = self.list_until(&["done"])?;
        self.take_reserved("done")?;
        Ok(body)
    }

    fn if_command(&mut self) -> Parsed<CommandKind> {
        let mut branches = Vec::new();
        loop {
            let condition = self.list_until(&["then"])?;
            self.take_reserved("then")?;
            let body = self.list_until(&["elif", "else", "fi"])?;
            branches.push((condition, body));
            if self.at_reserved("elif") {
                self.position += 4;
                continue;
            }
            let otherwise = if self.at_reserved("else") {
                self.position += 4;
                Some(self.list_until(&["fi"])?)
            } else {
                None
            };
            self.take_reserved("fi")?;
            return Ok(CommandKind::If {
                branches,
                otherwise,
            });
        }
    }

    fn for_command(&mut self) -> Parsed<CommandKind> {
        self.skip_blanks();
        if self.starts_with("((") {
            let Some(parts) = self.arithmetic_for()? else {
                return self.unexpected();
            };
            self.skip_blanks();
            let _ = self.take(";");
            let body = self.do_group()?;
            return Ok(CommandKind::ForArithmetic { parts, body });
        }
        let name = match self.word()? {
            Some(word) => word
                .as_literal()
                .filter(|name| is_name(name))
                .map(str::to_owned),
            None => return self.unexpected(),
        };
        let Some(name) = name else {
            return self.unexpected();
        };
        self.newlines()?;
        let mut words = None;
        if self.at_reserved("in") {
            self.position += 2;
            let mut list = Vec::new();
            self.skip_blanks();
            while let Some(word) = self.word()? {
                list.push(word);
                self.skip_blanks();
            }
            words = Some(list);
            match self.peek() {
                Some(';' | '\n') => {}
                _ => return self.unexpected(),
            }
        }
        self.skip_blanks();
        let _ = self.take(";");
        let body = self.do_group()?;
        Ok(CommandKind::For { name, words, body })
    }

    fn case_command(&mut self) -> Parsed<CommandKind> {
        self.skip_blanks();
        let Some(word) = self.word()? else {
            return self.unexpected();
        };
        self.take_reserved("in")?;
        let mut arms = Vec::new();
        loop {
            self.newlines()?;
            if self.at_reserved("esac") {
                self.position += 4;
                return Ok(CommandKind::Case { word, arms });
            }
            let _ = self.take("(");
            let mut patterns = Vec::new();
            loop {
                self.skip_blanks();
                let Some(pattern) = self.word()? else {
                    return self.unexpected();
                };
                patterns.push(pattern);
                self.skip_blanks();
                if self.take(")") {
                    break;
                }
                if !self.take("|") {
                    return self.unexpected();
                }
            }
            self.newlines()?;
            let body = if self.starts_with(";;") || self.at_reserved("esac") {
                List::default()
            } else {
                self.list_until(&[";;", "esac"])?
            };
            let end = if self.take(";;&") {
                CaseEnd::Continue
            } else if self.take(";;") {
                CaseEnd::Break
            } else if self.take(";&") {
                CaseEnd::FallThrough
            } else {
                CaseEnd::Break
            };
            arms.push(CaseArm {
                patterns,
                body,
                end,
            });
        }
    }

    fn conditional(&mut self) -> Parsed<CommandKind> {
        let mut tokens: Vec<ConditionalToken> = Vec::new();
        loop {
            self.newlines()?;
            if self.peek().is_none() {
                return self.end_of_file();
            }
            if self.at_reserved("]]") {
                self.position += 2;
                return Ok(CommandKind::Conditional(tokens));
            }
            let after_match = matches!(tokens.last(), Some(ConditionalToken::Word(word)) if word.as_literal() == Some("=~"));
            if after_match {
                let Some(word) = self.regex_word()? else {
                    return self.unexpected();
                };
                tokens.push(ConditionalToken::Word(word));
                continue;
            }
            let operator = ["&&", "||", "(", ")", "<", ">"]
                .into_iter()
                .find(|operator| self.starts_with(operator));
            if let Some(operator) = operator {
                self.position += operator.len();
                tokens.push(ConditionalToken::Operator(operator));
            } else if self.at_reserved("!") {
                self.position += 1;
                tokens.push(ConditionalToken::Operator("!"));
            } else {
                let Some(word) = self.word()? else {
                    return self.unexpected();
                };
                tokens.push(ConditionalToken::Word(word));
            }
        }
    }

    fn simple(&mut self) -> Parsed<Command> {
        let mut assignments = Vec::new();
        let mut words: Vec<Word> = Vec::new();
        let mut arrays = Vec::new();
        let mut redirects = Vec::new();
        loop {
            self.skip_blanks();
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            if words.is_empty()
                && let Some(assignment) = self.assignment()?
            {
                assignments.push(assignment);
                continue;
            }
            let declares = words
                .first()
                .and_then(Word::as_literal)
                .is_some_and(|name| {
                    matches!(
                        name,
                        "export" | "local" | "declare" | "readonly" | "typeset"
                    )
                });
            if declares {
                let before = self.position;
                match self.assignment()? {
                    Some(
                        array @ Assignment {
                            value: AssignedValue::Array(_),
                            ..
                        },
                    ) => {
                        words.push(Word::literal(array.name.clone()));
                        arrays.push(array);
                        continue;
                    }
                    _ => self.position = before,
                }
            }
            match self.word()? {
                Some(word) => words.push(word),
                None => break,
            }
        }
        if assignments.is_empty() && words.is_empty() && redirects.is_empty() {
            return self.unexpected();
        }
        Ok(Command {
            kind: CommandKind::Simple {
                assignments,
                words,
                arrays,
            },
            redirects,
        })
    }

    fn assignment(&mut self) -> Parsed<Option<Assignment>> {
        let before = self.position;
        while self
            .peek()
            .is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            self.position += 1;
        }
        let name = self.text(before, self.position);
        if !is_name(&name) {
            self.position = before;
            return Ok(None);
        }
        let mut index = None;
        if self.peek() == Some('[') {
            match self.subscript()? {
                Some(word) => index = Some(word),
                None => {
                    self.position = before;
                    return Ok(None);
                }
            }
        }
        let append = self.starts_with("+=");
        if !self.take("+=") && !self.take("=") {
            self.position = before;
            return Ok(None);
        }
        let value = if self.peek() == Some('(') && index.is_none() {
            self.position += 1;
            let mut words = Vec::new();
            loop {
                self.newlines()?;
                if self.take(")") {
                    break;
                }
                match self.word()? {
                    Some(word) => words.push(word),
                    None => return self.unexpected(),
                }
            }
            AssignedValue::Array(words)
        } else {
            AssignedValue::Scalar(self.word()?.unwrap_or_default())
        };
        Ok(Some(Assignment {
            name,
            index,
            append,
            value,
        }))
    }

    fn redirect(&mut self) -> Parsed<Option<Redirect>> {
        let before = self.position;
        let mut descriptor = None;
        while self
            .peek()
            .is_some_and(|character| character.is_ascii_digit())
        {
            self.position += 1;
        }
        if self.position > before {
            descriptor = self.text(before, self.position).parse::<u32>().ok();
        }
        if !matches!(self.peek(), Some('<' | '>')) {
            self.position = before;
            descriptor = None;
        }
        if self.starts_with("<(") {
            return Ok(None);
        }
        let operators = [
            "&>>", "&>", "<<<", "<<-", "<<", "<&", "<>", "<", ">>", ">&", ">|", ">",
        ];
        let Some(operator) = operators
            .into_iter()
            .find(|operator| self.starts_with(operator))
        else {
            return Ok(None);
        };
        self.position += operator.len();
        self.skip_blanks();
        let word_start = self.position;
        let Some(word) = self.word()? else {
            return self.unexpected();
        };
        let kind = match operator {
            "&>>" => RedirectKind::AppendBoth(word),
            "&>" => RedirectKind::WriteBoth(word),
            "<<<" => RedirectKind::HereString(word),
            "<<-" | "<<" => {
                let written = self.text(word_start, self.position);
                let slot = Rc::new(OnceCell::new());
                self.documents.push(PendingDocument {
                    delimiter: super::word::remove_quotes(&word),
                    quoted: written.contains(['\'', '"', '\\']),
                    strip_tabs: operator == "<<-",
                    slot: Rc::clone(&slot),
                });
                RedirectKind::HereDocument(slot)
            }
            "<&" => RedirectKind::Duplicate(word),
            "<>" => RedirectKind::ReadWrite(word),
            "<" => RedirectKind::Read(word),
            ">>" => RedirectKind::Append(word),
            ">&" => match word.as_literal() {
                Some(text)
                    if text == "-" || text.chars().all(|character| character.is_ascii_digit()) =>
                {
                    RedirectKind::Duplicate(word)
                }
                _ if descriptor.is_some() => RedirectKind::Duplicate(word),
                _ => RedirectKind::WriteBoth(word),
            },
            _ => RedirectKind::Write(word),
        };
        let descriptor = descriptor.or(match operator {
            "<&" => Some(0),
            ">&" => Some(1),
            _ => None,
        });
        Ok(Some(Redirect { descriptor, kind }))
    }

    /// The list inside `$( … )`, after the opening parenthesis; the closing one is consumed.
    pub(super) fn substituted_list(&mut self) -> Parsed<List> {
        self.deeper()?;
        let mut list = List::default();
        loop {
            self.newlines()?;
            if self.take(")") {
                self.depth -= 1;
                return Ok(list);
            }
            if self.peek().is_none() {
                return Err(ParseError::Incomplete(
                    "unexpected EOF while looking for matching `)'".to_owned(),
                ));
            }
            let mut item = self.list_item()?;
            let separated = item.text.ends_with([';', '&']);
            trim_separator(&mut item);
            list.items.push(item);
            self.skip_blanks();
            match self.peek() {
                None | Some('\n' | ')') => {}
                Some(_) if separated => {}
                Some(_) => return self.unexpected(),
            }
        }
    }
}

fn trim_separator(item: &mut ListItem) {
    let trimmed = item
        .text
        .trim_end_matches([';', '&', ' ', '\t', '\n'])
        .len();
    item.text.truncate(trimmed);
}

/// Whether a word means something to the grammar where a command may stand.
pub fn is_reserved(text: &str) -> bool {
    RESERVED.contains(&text) || text == "]]"
}

/// Whether a text may name a variable.
pub fn is_name(text: &str) -> bool {
    let mut characters = text.chars();
    characters
        .next()
        .is_some_and(|first| first.is_ascii_alphabetic() || first == '_')
        && characters.all(|character| character.is_ascii_alphanumeric() || character == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Parsed<List> {
        parse_complete(text, 0, false).map(|(list, _)| list)
    }

    fn incomplete(text: &str) -> bool {
        matches!(parse(text), Err(ParseError::Incomplete(_)))
    }

    #[test]
    fn a_line_is_one_complete_command() {
        let text = "echo a; echo b\necho c\n";
        let (list, end) = parse_complete(text, 0, false).unwrap();
        assert_eq!(list.items.len(), 2);
        assert_eq!(&text[end..], "echo c\n");
        assert_eq!(list.items[0].text, "echo a");
    }

    #[test]
    fn unfinished_texts_ask_for_more() {
        for text in [
            "echo 'a\n",
            "echo \"a\n",
            "echo \\\n",
            "for i in 1 2\n",
            "for i in 1; do echo\n",
            "if true\n",
            "cat <<END\na\n",
            "a |\n",
            "a &&\n",
            "(a\n",
            "{ a\n",
            "echo $(a\n",
            "case x in\n",
            "f() {\n",
            "echo ${x\n",
            "echo $((1 +\n",
            "while true; do\n",
        ] {
            assert!(incomplete(text), "{text:?}: {:?}", parse(text));
        }
    }

    #[test]
    fn wrong_texts_are_named_as_bash_names_them() {
        for (text, token) in [
            ("echo )\n", ")"),
            ("; a\n", ";"),
            ("a && ;\n", ";"),
            ("done\n", "done"),
            ("a | | b\n", "|"),
            ("( )\n", ")"),
        ] {
            assert_eq!(
                parse(text),
                Err(ParseError::Syntax(format!(
                    "syntax error near unexpected token `{token}'"
                ))),
                "{text:?}"
            );
        }
    }

    #[test]
    fn here_documents_belong_to_their_line() {
        let text = "cat <<A; cat <<'B'\none\nA\ntwo\nB\necho x\n";
        let (list, end) = parse_complete(text, 0, false).unwrap();
        assert_eq!(list.items.len(), 2);
        assert_eq!(&text[end..], "echo x\n");
    }

    #[test]
    fn background_and_its_text() {
        let list = parse("(sleep 1; echo done) > out.txt &\n").unwrap();
        assert!(list.items[0].background);
        assert_eq!(list.items[0].text, "(sleep 1; echo done) > out.txt");
        assert_eq!(list.items[0].first.commands[0].redirects.len(), 1);
    }

    #[test]
    fn redirections_keep_their_descriptors() {
        let list = parse("a 2>&1 >f 2> g &> h <<< x\n").unwrap();
        let redirects = &list.items[0].first.commands[0].redirects;
        assert_eq!(redirects.len(), 5);
        assert_eq!(
            redirects[0],
            Redirect {
                descriptor: Some(2),
                kind: RedirectKind::Duplicate(Word::literal("1"))
            }
        );
        assert_eq!(redirects[2].descriptor, Some(2));
    }
}
