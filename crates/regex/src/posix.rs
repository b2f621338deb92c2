//! The parser of POSIX's basic and extended expressions, with GNU's extensions.

use crate::ast::{Assertion, Mode, Node, Parsed, character_node};
use crate::error::{Error, ErrorKind};
use crate::set::{Class, Set};
use crate::{Options, Syntax};

/// Groups may be nested so deeply.
const DEPTH_MAX: usize = 200;
/// `RE_DUP_MAX`
const COUNT_MAX: u32 = 32_767;

/// Parses an expression.
pub fn parse(pattern: &str, options: Options) -> Result<Parsed, Error> {
    let mut parser = Parser {
        characters: pattern.chars().collect(),
        at: 0,
        extended: options.syntax != Syntax::Basic,
        strict: options.syntax == Syntax::ExtendedStrict,
        options,
        opened: 0,
        closed: Vec::new(),
        warnings: Vec::new(),
    };
    let node = parser.alternation(0)?;
    if parser.at < parser.characters.len() {
        return Err(parser.error(ErrorKind::UnmatchedClose));
    }
    Ok(Parsed {
        node,
        groups: parser.opened,
        warnings: parser.warnings,
    })
}

struct Parser {
    characters: Vec<char>,
    at: usize,
    extended: bool,
    strict: bool,
    options: Options,
    opened: usize,
    closed: Vec<usize>,
    warnings: Vec<String>,
}

impl Parser {
    fn error(&self, kind: ErrorKind) -> Error {
        Error {
            kind,
            index: self.at,
        }
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn ahead(&self, distance: usize) -> Option<char> {
        self.characters.get(self.at + distance).copied()
    }

    /// Whether an operator stands here: escaped in a basic expression, plain in an extended one.
    fn operator(&self, operator: char) -> bool {
        if self.extended {
            self.peek() == Some(operator)
        } else {
            self.peek() == Some('\\') && self.ahead(1) == Some(operator)
        }
    }

    fn skip_operator(&mut self) {
        self.at += if self.extended { 1 } else { 2 };
    }

    fn alternation(&mut self, depth: usize) -> Result<Node, Error> {
        if depth > DEPTH_MAX {
            return Err(self.error(ErrorKind::TooBig));
        }
        let mut branches = vec![self.branch(depth)?];
        while self.operator('|') {
            self.skip_operator();
            branches.push(self.branch(depth)?);
        }
        Ok(match branches.len() {
            1 => branches.pop().unwrap_or(Node::Empty),
            _ => Node::Alternate(branches),
        })
    }

    fn branch(&mut self, depth: usize) -> Result<Node, Error> {
        let mut nodes: Vec<Node> = Vec::new();
        // Whether nothing that can be repeated stands before.
        let mut at_start = true;
        loop {
            if self.peek().is_none() || self.operator('|') {
                break;
            }
            if self.operator(')') {
                if depth > 0 {
                    break;
                }
                if !self.extended || self.options.escapes {
                    return Err(self.error(ErrorKind::UnmatchedClose));
                }
                // A character for `grep -E` and `[[ =~ ]]`, but not for sed and awk.
                self.at += 1;
                nodes.push(Node::Char(')'));
                at_start = false;
                continue;
            }
            if let Some((min, max)) = self.repetition(at_start)? {
                if at_start {
                    // `*` with nothing before it: skipped, as GNU grep does.
                    continue;
                }
                let node = nodes.pop().unwrap_or(Node::Empty);
                nodes.push(Node::Repeat {
                    node: Box::new(node),
                    min,
                    max,
                    mode: Mode::Greedy,
                });
                continue;
            }
            let node = self.atom(at_start && nodes.is_empty(), depth)?;
            let anchors = matches!(
                node,
                Node::Assert(Assertion::TextStart | Assertion::LineStart)
            );
            at_start = anchors && (nodes.is_empty() || self.extended);
            nodes.push(node);
        }
        Ok(match nodes.len() {
            0 => Node::Empty,
            1 => nodes.pop().unwrap_or(Node::Empty),
            _ => Node::Concat(nodes),
        })
    }

    /// A repetition, if one stands here.
    fn repetition(&mut self, at_start: bool) -> Result<Option<(u32, Option<u32>)>, Error> {
        let first = self.peek();
        let found = if first == Some('*') && (self.extended || !at_start) {
            self.at += 1;
            (0, None)
        } else if self.operator('+') && (self.extended || !at_start) {
            self.skip_operator();
            (1, None)
        } else if self.operator('?') && (self.extended || !at_start) {
            self.skip_operator();
            (0, Some(1))
        } else if self.operator('{') {
            if at_start && !self.extended {
                if self.options.escapes {
                    return Err(self.error(ErrorKind::NothingToRepeat('{')));
                }
                return Ok(None);
            }
            let start = self.at;
            match self.count() {
                Ok(Some(count)) => count,
                Ok(None) => return Ok(None),
                Err(error) => {
                    self.at = start;
                    return Err(error);
                }
            }
        } else {
            return Ok(None);
        };
        if at_start {
            if self.strict {
                return Err(self.error(ErrorKind::NothingToRepeat('*')));
            }
            let operator = match first {
                Some('{') => "{...}".to_owned(),
                operator => operator.into_iter().collect(),
            };
            self.warnings
                .push(format!("{operator} at start of expression"));
        }
        Ok(Some(found))
    }

    /// `{2,5}`; `None` when it is no count and stands for itself.
    fn count(&mut self) -> Result<Option<(u32, Option<u32>)>, Error> {
        let start = self.at;
        self.skip_operator();
        let number = |parser: &mut Parser| {
            let from = parser.at;
            while parser.peek().is_some_and(|c| c.is_ascii_digit()) {
                parser.at += 1;
            }
            let digits: String = parser.characters[from..parser.at].iter().collect();
            match digits.as_str() {
                "" => None,
                digits => Some(digits.parse::<u32>().unwrap_or(u32::MAX)),
            }
        };
        let low = number(self);
        let comma = self.peek() == Some(',');
        self.at += usize::from(comma);
        let high = if comma { number(self) } else { low };
        let closed = self.operator('}');
        if !closed || low.is_none() && !comma {
            let unclosed = self.peek().is_none();
            self.at = start;
            if self.extended && !self.strict {
                return Ok(None);
            }
            return Err(self.error(if unclosed {
                ErrorKind::UnclosedBrace
            } else {
                ErrorKind::BadCount
            }));
        }
        self.skip_operator();
        let min = low.unwrap_or(0);
        if high.is_some_and(|high| high < min) {
            return Err(self.error(ErrorKind::BadCount));
        }
        if high.unwrap_or(min).max(min) > COUNT_MAX {
            return Err(self.error(ErrorKind::TooBig));
        }
        Ok(Some((min, if comma { high } else { Some(min) })))
    }

    fn atom(&mut self, at_start: bool, depth: usize) -> Result<Node, Error> {
        if self.operator('(') {
            self.skip_operator();
            self.opened += 1;
            let group = self.opened;
            let node = self.alternation(depth + 1)?;
            if !self.operator(')') {
                return Err(self.error(ErrorKind::UnclosedGroup));
            }
            self.skip_operator();
            self.closed.push(group);
            return Ok(Node::Group(group, Box::new(node)));
        }
        let Some(character) = self.peek() else {
            return Ok(Node::Empty);
        };
        self.at += 1;
        Ok(match character {
            '\\' => return self.escape(),
            '.' => Node::Set(Box::new(Set::class(Class::Any, false))),
            '[' => Node::Set(Box::new(self.bracket()?)),
            '^' if self.extended || at_start => Node::Assert(if self.options.multi_line {
                Assertion::LineStart
            } else {
                Assertion::TextStart
            }),
            '$' if self.extended
                || self.peek().is_none()
                || self.operator(')') && depth > 0
                || self.operator('|') =>
            {
                Node::Assert(if self.options.multi_line {
                    Assertion::LineEnd
                } else {
                    Assertion::TextEnd
                })
            }
            literal => self.literal(literal),
        })
    }

    fn literal(&self, character: char) -> Node {
        character_node(character, self.options.ignore_case)
    }

    fn escape(&mut self) -> Result<Node, Error> {
        let Some(character) = self.peek() else {
            return Err(self.error(ErrorKind::TrailingBackslash));
        };
        self.at += 1;
        let set = |class, negated| Node::Set(Box::new(Set::class(class, negated)));
        Ok(match character {
            'w' => set(Class::Word, false),
            'W' => set(Class::Word, true),
            's' => set(Class::Space, false),
            'S' => set(Class::Space, true),
            'b' => Node::Assert(Assertion::WordBoundary),
            'B' => Node::Assert(Assertion::NoWordBoundary),
            '<' => Node::Assert(Assertion::WordStart),
            '>' => Node::Assert(Assertion::WordEnd),
            '`' => Node::Assert(Assertion::TextStart),
            '\'' => Node::Assert(Assertion::TextEnd),
            '1'..='9' => {
                let group = character.to_digit(10).unwrap_or(0) as usize;
                if !self.closed.contains(&group) {
                    return Err(self.error(ErrorKind::UnknownGroup(group.to_string())));
                }
                Node::BackReference {
                    group,
                    fold: self.options.ignore_case,
                }
            }
            _ if self.options.escapes => match character {
                'n' => Node::Char('\n'),
                't' => Node::Char('\t'),
                'r' => Node::Char('\r'),
                'f' => Node::Char('\u{c}'),
                'v' => Node::Char('\u{b}'),
                'a' => Node::Char('\u{7}'),
                'x' => self.numbered(character, 16, 2),
                'd' => self.numbered(character, 10, 3),
                'o' => self.numbered(character, 8, 3),
                other => self.literal(other),
            },
            other => self.literal(other),
        })
    }

    /// `\x41`, `\d065`, `\o101`, behind the letter.
    fn numbered(&mut self, letter: char, radix: u32, digits_max: usize) -> Node {
        let from = self.at;
        while self.at < from + digits_max && self.peek().is_some_and(|c| c.is_digit(radix)) {
            self.at += 1;
        }
        let digits: String = self.characters[from..self.at].iter().collect();
        let number = u32::from_str_radix(&digits, radix).ok();
        self.literal(number.and_then(char::from_u32).unwrap_or(letter))
    }

    /// `[…]`, behind its `[`.
    fn bracket(&mut self) -> Result<Set, Error> {
        let start = self.at - 1;
        let negated = self.peek() == Some('^');
        self.at += usize::from(negated);
        let mut set = Set::new(negated, self.options.ignore_case);
        let first = self.at;
        loop {
            let Some(character) = self.peek() else {
                return Err(self.error(ErrorKind::UnclosedBracket));
            };
            if character == ']' && self.at > first {
                self.at += 1;
                break;
            }
            if character == '[' && self.ahead(1) == Some(':') {
                let name = self.named(':')?;
                let class =
                    Class::posix(&name).ok_or_else(|| self.error(ErrorKind::UnknownClass(name)))?;
                let class = match class {
                    Class::Upper | Class::Lower if self.options.ignore_case => Class::Alpha,
                    class => class,
                };
                set.add_class(class, false);
                continue;
            }
            let low = self.bracket_character()?;
            if self.peek() == Some('-') && self.ahead(1).is_some_and(|next| next != ']') {
                self.at += 1;
                if self.peek() == Some('[') && self.ahead(1) == Some(':') {
                    return Err(self.error(ErrorKind::BadRange));
                }
                let high = self.bracket_character()?;
                if low > high {
                    return Err(self.error(ErrorKind::BadRange));
                }
                set.add(low, high);
            } else {
                set.add(low, low);
            }
        }
        let inside = self.characters.get(start + 1..self.at - 1).unwrap_or(&[]);
        if self.options.syntax != Syntax::ExtendedStrict
            && !self.options.escapes
            && inside.len() > 2
            && inside.first() == Some(&':')
            && inside.last() == Some(&':')
        {
            return Err(self.error(ErrorKind::ClassOutsideOfBracket));
        }
        set.finish();
        Ok(set)
    }

    fn bracket_character(&mut self) -> Result<char, Error> {
        match self.peek() {
            Some('[') if matches!(self.ahead(1), Some('.' | '=')) => {
                let kind = self.ahead(1).unwrap_or('.');
                let name = self.named(kind)?;
                let mut characters = name.chars();
                match (characters.next(), characters.next()) {
                    (Some(character), None) => Ok(character),
                    _ => Err(self.error(ErrorKind::UnknownCollation)),
                }
            }
            Some('\\') if self.options.escapes => {
                let escaped = match self.ahead(1) {
                    Some('n') => '\n',
                    Some('t') => '\t',
                    Some('r') => '\r',
                    Some('f') => '\u{c}',
                    Some('v') => '\u{b}',
                    Some('a') => '\u{7}',
                    _ => {
                        self.at += 1;
                        return Ok('\\');
                    }
                };
                self.at += 2;
                Ok(escaped)
            }
            Some(character) => {
                self.at += 1;
                Ok(character)
            }
            None => Err(self.error(ErrorKind::UnclosedBracket)),
        }
    }

    /// The name in `[:name:]`, `[.name.]`, `[=name=]`.
    fn named(&mut self, kind: char) -> Result<String, Error> {
        self.at += 2;
        let from = self.at;
        while let Some(character) = self.peek() {
            if character == kind && self.ahead(1) == Some(']') {
                let name = self.characters[from..self.at].iter().collect();
                self.at += 2;
                return Ok(name);
            }
            self.at += 1;
        }
        Err(self.error(ErrorKind::UnclosedBracket))
    }
}
