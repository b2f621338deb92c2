//! The parser of `sed` scripts; errors are GNU's, with the character that they stand at.

use std::collections::BTreeMap;

use playground_regex::{Options, Regex, Syntax};

use super::script::{Address, Command, Instruction, Replacement, Substitution};

/// Parses a script. The flag says whether its first line is `#n`.
pub fn parse(text: &str, syntax: Syntax) -> Result<(Vec<Instruction>, bool), String> {
    let characters: Vec<char> = text.chars().collect();
    let quiet = text == "#n" || text.starts_with("#n\n");
    let mut parser = Parser {
        characters: &characters,
        position: 0,
        syntax,
        labels: BTreeMap::new(),
        jumps: Vec::new(),
        last: None,
    };
    let mut instructions = Vec::new();
    let mut blocks: Vec<usize> = Vec::new();
    while parser.skip_separators() {
        let instruction = parser.instruction(instructions.len())?;
        match instruction.command {
            Command::Block { .. } => blocks.push(instructions.len()),
            Command::EndBlock => {
                let Some(open) = blocks.pop() else {
                    return parser.error("unexpected `}'");
                };
                let end = instructions.len();
                if let Some(Instruction { command, .. }) = instructions.get_mut(open) {
                    *command = Command::Block { end };
                }
            }
            _ => {}
        }
        instructions.push(instruction);
    }
    if !blocks.is_empty() {
        return Err("char 0: unmatched `{'".to_owned());
    }
    let end = instructions.len();
    for (at, label) in &parser.jumps {
        let target = if label.is_empty() {
            end
        } else {
            match parser.labels.get(label) {
                Some(target) => *target,
                None => {
                    return Err(format!(
                        "char {}: can't find label for jump to `{label}'",
                        parser.position
                    ));
                }
            }
        };
        if let Some(Instruction { command, .. }) = instructions.get_mut(*at) {
            *command = match command {
                Command::BranchIf(_) => Command::BranchIf(target),
                Command::BranchUnless(_) => Command::BranchUnless(target),
                _ => Command::Branch(target),
            };
        }
    }
    Ok((instructions, quiet))
}

struct Parser<'a> {
    characters: &'a [char],
    position: usize,
    syntax: Syntax,
    labels: BTreeMap<String, usize>,
    jumps: Vec<(usize, String)>,
    last: Option<Regex>,
}

impl Parser<'_> {
    fn error<T>(&self, text: &str) -> Result<T, String> {
        Err(format!("char {}: {text}", self.position))
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.position).copied()
    }

    fn next(&mut self) -> Option<char> {
        let character = self.peek();
        self.position += usize::from(character.is_some());
        character
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.position += 1;
        }
    }

    /// `false` at the end.
    fn skip_separators(&mut self) -> bool {
        loop {
            match self.peek() {
                None => return false,
                Some(' ' | '\t' | '\n' | ';') => self.position += 1,
                Some('#') => {
                    while self.peek().is_some_and(|character| character != '\n') {
                        self.position += 1;
                    }
                }
                Some(_) => return true,
            }
        }
    }

    fn number(&mut self) -> Option<u64> {
        let start = self.position;
        while self
            .peek()
            .is_some_and(|character| character.is_ascii_digit())
        {
            self.position += 1;
        }
        let digits: String = self.characters[start..self.position].iter().collect();
        digits.parse().ok()
    }

    /// Text up to an unescaped delimiter. `\` before the delimiter goes, but not inside brackets' meaning.
    fn delimited(&mut self, delimiter: char, expression: bool) -> Option<String> {
        let mut text = String::new();
        let mut bracket = false;
        while let Some(character) = self.next() {
            if character == delimiter && !bracket {
                return Some(text);
            }
            match character {
                '\\' => match self.next() {
                    Some(next)
                        if next == delimiter && !(expression && "()|{}+?.*[]^$".contains(next)) =>
                    {
                        text.push(next)
                    }
                    Some('n') if expression => text.push_str("\\n"),
                    Some('\n') if expression => text.push('\n'),
                    Some(next) => {
                        text.push('\\');
                        text.push(next);
                    }
                    None => text.push('\\'),
                },
                '[' if expression && !bracket => {
                    bracket = true;
                    text.push('[');
                    if self.peek() == Some('^') {
                        text.extend(self.next());
                    }
                    if self.peek() == Some(']') {
                        text.extend(self.next());
                    }
                }
                ']' if bracket => {
                    bracket = false;
                    text.push(']');
                }
                character => text.push(character),
            }
        }
        None
    }

    fn expression(
        &mut self,
        text: &str,
        ignore_case: bool,
        multi_line: bool,
    ) -> Result<Regex, String> {
        if text.is_empty() {
            return match &self.last {
                Some(last) => Ok(last.clone()),
                None => self.error("no previous regular expression"),
            };
        }
        let options = Options {
            ignore_case,
            multi_line,
            escapes: true,
            ..Options::new(self.syntax)
        };
        match Regex::new(text, options) {
            Ok(expression) => {
                self.last = Some(expression.clone());
                Ok(expression)
            }
            Err(error) => self.error(error.posix()),
        }
    }

    fn address(&mut self) -> Result<Option<Address>, String> {
        match self.peek() {
            Some('$') => {
                self.position += 1;
                Ok(Some(Address::Last))
            }
            Some('0'..='9') => {
                let first = self.number().unwrap_or(0);
                if self.peek() == Some('~') {
                    self.position += 1;
                    let step = self.number().unwrap_or(0);
                    return Ok(Some(Address::Step { first, step }));
                }
                Ok(Some(Address::Line(first)))
            }
            Some('/' | '\\') => {
                let mut delimiter = self.next().unwrap_or('/');
                if delimiter == '\\' {
                    delimiter = match self.next() {
                        Some(delimiter) => delimiter,
                        None => return self.error("unterminated address regex"),
                    };
                }
                let Some(text) = self.delimited(delimiter, true) else {
                    return self.error("unterminated address regex");
                };
                let (mut ignore_case, mut multi_line) = (false, false);
                while let Some(flag @ ('I' | 'M')) = self.peek() {
                    ignore_case |= flag == 'I';
                    multi_line |= flag == 'M';
                    self.position += 1;
                }
                self.expression(&text, ignore_case, multi_line)
                    .map(|expression| Some(Address::Expression(expression)))
            }
            _ => Ok(None),
        }
    }

    fn instruction(&mut self, index: usize) -> Result<Instruction, String> {
        let first = self.address()?;
        self.blanks();
        let mut second = None;
        if first.is_some() && self.peek() == Some(',') {
            self.position += 1;
            self.blanks();
            second = match self.peek() {
                Some('+') => {
                    self.position += 1;
                    Some(Address::Plus(self.number().unwrap_or(0)))
                }
                Some('~') => {
                    self.position += 1;
                    Some(Address::Multiple(self.number().unwrap_or(0)))
                }
                _ => self.address()?,
            };
            if second.is_none() {
                return self.error("unexpected `,'");
            }
        }
        if first == Some(Address::Line(0)) && !matches!(second, Some(Address::Expression(_))) {
            return self.error("invalid usage of line address 0");
        }
        self.blanks();
        let mut negated = false;
        while self.peek() == Some('!') {
            negated = true;
            self.position += 1;
            self.blanks();
        }
        let command = self.command(index)?;
        Ok(Instruction {
            first,
            second,
            negated,
            command,
        })
    }

    fn command(&mut self, index: usize) -> Result<Command, String> {
        let Some(letter) = self.next() else {
            return self.error("missing command");
        };
        let command = match letter {
            '{' => return Ok(Command::Block { end: 0 }),
            '}' => Command::EndBlock,
            ':' => {
                self.blanks();
                let label = self.word(false);
                if label.is_empty() {
                    return self.error("\":\" lacks a label");
                }
                self.labels.insert(label, index);
                return Ok(Command::Label);
            }
            'd' => Command::Delete,
            'D' => Command::DeleteFirst,
            'p' => Command::Print,
            'P' => Command::PrintFirst,
            'n' => Command::Next,
            'N' => Command::AppendNext,
            'g' => Command::Get,
            'G' => Command::GetAppend,
            'h' => Command::Hold,
            'H' => Command::HoldAppend,
            'x' => Command::Exchange,
            '=' => Command::LineNumber,
            'l' => Command::List,
            'a' | 'i' | 'c' => {
                let text = self.text()?;
                return Ok(match letter {
                    'a' => Command::Append(text),
                    'i' => Command::Insert(text),
                    _ => Command::Change(text),
                });
            }
            'r' | 'w' => {
                self.blanks();
                let name = self.line();
                if name.is_empty() {
                    return self.error("missing filename in r/R/w/W commands");
                }
                return Ok(if letter == 'r' {
                    Command::ReadFile(name)
                } else {
                    Command::WriteFile(name)
                });
            }
            'b' | 't' | 'T' => {
                self.blanks();
                let label = self.word(true);
                self.jumps.push((index, label));
                return Ok(match letter {
                    't' => Command::BranchIf(0),
                    'T' => Command::BranchUnless(0),
                    _ => Command::Branch(0),
                });
            }
            'q' | 'Q' => {
                self.blanks();
                let code = self
                    .number()
                    .and_then(|code| i32::try_from(code).ok())
                    .unwrap_or(0);
                Command::Quit {
                    code,
                    print: letter == 'q',
                }
            }
            'y' => self.transliteration()?,
            's' => self.substitution()?,
            _ => return self.error(&format!("unknown command: `{letter}'")),
        };
        self.blanks();
        match self.peek() {
            None | Some('\n' | ';' | '}' | '#') => Ok(command),
            Some(_) => {
                self.position += 1;
                self.error("extra characters after command")
            }
        }
    }

    fn word(&mut self, ends_at_separator: bool) -> String {
        let start = self.position;
        while self.peek().is_some_and(|c| {
            !c.is_whitespace() && !(ends_at_separator && matches!(c, ';' | '}')) && c != ';'
        }) {
            self.position += 1;
        }
        self.characters[start..self.position].iter().collect()
    }

    fn line(&mut self) -> String {
        let start = self.position;
        while self.peek().is_some_and(|character| character != '\n') {
            self.position += 1;
        }
        self.characters[start..self.position].iter().collect()
    }

    /// The text of `a`, `i`, `c`: the rest of the line, or the lines after `\`.
    fn text(&mut self) -> Result<Vec<u8>, String> {
        self.blanks();
        if self.peek() == Some('\\') {
            self.position += 1;
            self.blanks();
            if self.peek() == Some('\n') {
                self.position += 1;
            }
        }
        if self.peek().is_none() {
            return self.error("expected \\ after `a', `c' or `i'");
        }
        let mut text = String::new();
        while let Some(character) = self.next() {
            match character {
                '\n' => break,
                '\\' => match self.next() {
                    Some('t') => text.push('\t'),
                    Some(next) => text.push(next),
                    None => {}
                },
                character => text.push(character),
            }
        }
        text.push('\n');
        Ok(text.into_bytes())
    }

    fn transliteration(&mut self) -> Result<Command, String> {
        let Some(delimiter) = self.next() else {
            return self.error("unterminated `y' command");
        };
        let (Some(from), Some(to)) = (
            self.delimited(delimiter, false),
            self.delimited(delimiter, false),
        ) else {
            return self.error("unterminated `y' command");
        };
        let unescape = |text: String| -> Vec<char> {
            text.replace("\\n", "\n")
                .replace("\\t", "\t")
                .replace("\\\\", "\\")
                .chars()
                .collect()
        };
        let (from, to) = (unescape(from), unescape(to));
        if from.len() != to.len() {
            return self.error("strings for `y' command are different lengths");
        }
        Ok(Command::Transliterate(from.into_iter().zip(to).collect()))
    }

    fn substitution(&mut self) -> Result<Command, String> {
        let Some(delimiter) = self.next() else {
            return self.error("unterminated `s' command");
        };
        let (Some(expression), Some(replacement)) = (
            self.delimited(delimiter, true),
            self.delimited(delimiter, false),
        ) else {
            return self.error("unterminated `s' command");
        };
        let mut global = false;
        let mut print = false;
        let mut ignore_case = false;
        let mut multi_line = false;
        let mut from = 1;
        let mut write = None;
        loop {
            match self.peek() {
                Some('g') => global = true,
                Some('p') => print = true,
                Some('i' | 'I') => ignore_case = true,
                Some('m' | 'M') => multi_line = true,
                Some('e') => {}
                Some('0'..='9') => {
                    from = self.number().unwrap_or(1);
                    if from == 0 {
                        return self.error("number option to `s' command may not be zero");
                    }
                    continue;
                }
                Some('w') => {
                    self.position += 1;
                    self.blanks();
                    write = Some(self.line());
                    break;
                }
                None | Some(' ' | '\t' | '\n' | ';' | '}' | '#') => break,
                Some(_) => {
                    self.position += 1;
                    return self.error("unknown option to `s'");
                }
            }
            self.position += 1;
        }
        let expression = self.expression(&expression, ignore_case, multi_line)?;
        let replacement = self.replacement(&replacement, expression.groups() + 1)?;
        Ok(Command::Substitute(Substitution {
            expression,
            replacement,
            global,
            from,
            print,
            write,
        }))
    }

    fn replacement(&self, text: &str, groups: usize) -> Result<Vec<Replacement>, String> {
        let mut parts = Vec::new();
        let mut literal = String::new();
        let mut characters = text.chars();
        let flush = |literal: &mut String, parts: &mut Vec<Replacement>| {
            if !literal.is_empty() {
                parts.push(Replacement::Text(std::mem::take(literal).into_bytes()));
            }
        };
        while let Some(character) = characters.next() {
            let part = match character {
                '&' => Replacement::Group(0),
                '\\' => match characters.next() {
                    Some(digit @ '0'..='9') => {
                        let group = digit as usize - '0' as usize;
                        if group >= groups {
                            return self.error(&format!(
                                "invalid reference \\{group} on `s' command's RHS"
                            ));
                        }
                        Replacement::Group(group)
                    }
                    Some('n') => {
                        literal.push('\n');
                        continue;
                    }
                    Some('t') => {
                        literal.push('\t');
                        continue;
                    }
                    Some('U') => Replacement::Upper,
                    Some('L') => Replacement::Lower,
                    Some('E') => Replacement::Plain,
                    Some('u') => Replacement::UpperOnce,
                    Some('l') => Replacement::LowerOnce,
                    Some(other) => {
                        literal.push(other);
                        continue;
                    }
                    None => {
                        literal.push('\\');
                        continue;
                    }
                },
                character => {
                    literal.push(character);
                    continue;
                }
            };
            flush(&mut literal, &mut parts);
            parts.push(part);
        }
        flush(&mut literal, &mut parts);
        Ok(parts)
    }
}
