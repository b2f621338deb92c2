//! The parser of Perl's, Java's and RE2's expressions.

use std::collections::BTreeMap;

use crate::ast::{Assertion, Mode, Node, Parsed, character_node};
use crate::error::{Error, ErrorKind};
use crate::set::{Class, Set};
use crate::{Options, Syntax};

/// Groups and classes may be nested so deeply.
const DEPTH_MAX: usize = 200;

/// Parses an expression.
pub fn parse(pattern: &str, options: Options) -> Result<Parsed, Error> {
    let mut parser = Parser {
        characters: pattern.chars().collect(),
        at: 0,
        syntax: options.syntax,
        flags: Flags {
            fold: options.ignore_case,
            multi_line: options.multi_line,
            dot_all: false,
            spaced: false,
        },
        groups: 0,
        names: BTreeMap::new(),
        references: Vec::new(),
    };
    let node = parser.alternation(0)?;
    if parser.at < parser.characters.len() {
        let index = match parser.syntax {
            Syntax::Java => parser.at.saturating_sub(1),
            _ => parser.at,
        };
        return Err(Error {
            kind: ErrorKind::UnmatchedClose,
            index,
        });
    }
    if parser.syntax == Syntax::Perl {
        for (group, index) in &parser.references {
            if *group > parser.groups {
                return Err(Error {
                    kind: ErrorKind::UnknownGroup(group.to_string()),
                    index: *index,
                });
            }
        }
    }
    Ok(Parsed {
        node,
        groups: parser.groups,
        warnings: Vec::new(),
    })
}

#[derive(Clone, Copy)]
struct Flags {
    fold: bool,
    multi_line: bool,
    dot_all: bool,
    spaced: bool,
}

struct Parser {
    characters: Vec<char>,
    at: usize,
    syntax: Syntax,
    flags: Flags,
    groups: usize,
    names: BTreeMap<String, usize>,
    references: Vec<(usize, usize)>,
}

/// What stands inside of a class: a character, or a whole class.
enum Member {
    Character(char),
    Class(Class, bool),
}

impl Parser {
    fn error_at(&self, kind: ErrorKind, index: usize) -> Error {
        Error { kind, index }
    }

    fn error(&self, kind: ErrorKind) -> Error {
        self.error_at(kind, self.at)
    }

    fn peek(&self) -> Option<char> {
        self.characters.get(self.at).copied()
    }

    fn eat(&mut self, text: &str) -> bool {
        let length = text.chars().count();
        let here = self.characters.get(self.at..self.at + length);
        let found = here.is_some_and(|here| here.iter().copied().eq(text.chars()));
        self.at += if found { length } else { 0 };
        found
    }

    fn alternation(&mut self, depth: usize) -> Result<Node, Error> {
        if depth > DEPTH_MAX {
            return Err(self.error(ErrorKind::TooBig));
        }
        let flags = self.flags;
        let mut branches = vec![self.branch(depth)?];
        while self.eat("|") {
            branches.push(self.branch(depth)?);
        }
        self.flags = flags;
        Ok(match branches.len() {
            1 => branches.pop().unwrap_or(Node::Empty),
            _ => Node::Alternate(branches),
        })
    }

    fn branch(&mut self, depth: usize) -> Result<Node, Error> {
        let mut nodes = Vec::new();
        while let Some(character) = self.peek() {
            if character == '|' || character == ')' {
                break;
            }
            if self.flags.spaced && character.is_whitespace() {
                self.at += 1;
                continue;
            }
            if self.flags.spaced && character == '#' {
                while self.peek().is_some_and(|character| character != '\n') {
                    self.at += 1;
                }
                continue;
            }
            if matches!(character, '*' | '+' | '?') {
                return Err(self.error(ErrorKind::NothingToRepeat(character)));
            }
            if self.eat("\\Q") {
                while self.at < self.characters.len() && !self.eat("\\E") {
                    if let Some(literal) = self.peek() {
                        nodes.push(self.literal(literal));
                    }
                    self.at += 1;
                }
                continue;
            }
            let Some(node) = self.atom(depth)? else {
                continue;
            };
            nodes.push(self.repeated(node)?);
        }
        Ok(match nodes.len() {
            0 => Node::Empty,
            1 => nodes.pop().unwrap_or(Node::Empty),
            _ => Node::Concat(nodes),
        })
    }

    fn repeated(&mut self, mut node: Node) -> Result<Node, Error> {
        loop {
            let (min, max) = match self.peek() {
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('?') => (0, Some(1)),
                Some('{') => match self.count()? {
                    Some(count) => {
                        node = self.with_mode(node, count);
                        continue;
                    }
                    None => return Ok(node),
                },
                _ => return Ok(node),
            };
            self.at += 1;
            node = self.with_mode(node, (min, max));
            if let Some(character @ ('*' | '+' | '?')) = self.peek() {
                return Err(self.error(match self.syntax {
                    Syntax::Re2 => ErrorKind::NestedRepetition,
                    _ => ErrorKind::NothingToRepeat(character),
                }));
            }
        }
    }

    fn with_mode(&mut self, node: Node, (min, max): (u32, Option<u32>)) -> Node {
        let mode = if self.eat("?") {
            Mode::Lazy
        } else if self.syntax != Syntax::Re2 && self.eat("+") {
            Mode::Possessive
        } else {
            Mode::Greedy
        };
        Node::Repeat {
            node: Box::new(node),
            min,
            max,
            mode,
        }
    }

    /// `{2,5}`; `None` when it is no count: Perl and RE2 read characters then.
    fn count(&mut self) -> Result<Option<(u32, Option<u32>)>, Error> {
        let start = self.at;
        self.at += 1;
        let low = self.number();
        let comma = low.is_some() && self.eat(",");
        let high = if comma { self.number() } else { low };
        if low.is_none() || self.peek() != Some('}') {
            if self.syntax == Syntax::Java {
                return Err(match low {
                    None => self.error_at(ErrorKind::BadCount, start + 1),
                    Some(_) => self.error(ErrorKind::UnclosedBrace),
                });
            }
            self.at = start;
            return Ok(None);
        }
        let (index, min) = (self.at, low.unwrap_or(0));
        self.at += 1;
        let range_error = |parser: &Parser| parser.error_at(ErrorKind::BadCountRange, index);
        if high.is_some_and(|high| high < min) {
            return Err(range_error(self));
        }
        let limit = match self.syntax {
            Syntax::Re2 => 1000,
            Syntax::Perl => 65_535,
            _ => i32::MAX as u32,
        };
        if high.unwrap_or(min).max(min) > limit {
            return Err(range_error(self));
        }
        Ok(Some((min, if comma { high } else { Some(min) })))
    }

    fn number(&mut self) -> Option<u32> {
        let from = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        let digits: String = self.characters.get(from..self.at)?.iter().collect();
        match digits.as_str() {
            "" => None,
            digits => Some(digits.parse().unwrap_or(u32::MAX)),
        }
    }

    fn literal(&self, character: char) -> Node {
        character_node(character, self.flags.fold)
    }

    fn class_node(&self, class: Class, negated: bool) -> Node {
        Node::Set(Box::new(Set::class(class, negated)))
    }

    /// An atom; `None` for what stands for nothing, as `(?i)`.
    fn atom(&mut self, depth: usize) -> Result<Option<Node>, Error> {
        let Some(character) = self.peek() else {
            return Ok(None);
        };
        self.at += 1;
        Ok(Some(match character {
            '(' => return self.group(depth),
            '[' => Node::Set(Box::new(self.bracket(depth)?)),
            '.' if self.flags.dot_all => self.class_node(Class::Any, false),
            '.' if self.syntax == Syntax::Java => Node::Set(Box::new(Set::all_but(&[
                '\n', '\r', '\u{85}', '\u{2028}', '\u{2029}',
            ]))),
            '.' => Node::Set(Box::new(Set::all_but(&['\n']))),
            '^' if self.flags.multi_line => Node::Assert(Assertion::LineStart),
            '^' => Node::Assert(Assertion::TextStart),
            '$' if self.flags.multi_line => Node::Assert(Assertion::LineEnd),
            '$' if self.syntax == Syntax::Re2 => Node::Assert(Assertion::TextEnd),
            '$' => Node::Assert(Assertion::TextEndOrLineFeed),
            '\\' => self.escape()?,
            '{' if self.syntax == Syntax::Java
                && !self.peek().is_some_and(|next| next.is_ascii_digit()) =>
            {
                return Err(self.error(ErrorKind::BadCount));
            }
            literal => self.literal(literal),
        }))
    }

    fn group(&mut self, depth: usize) -> Result<Option<Node>, Error> {
        if !self.eat("?") {
            self.groups += 1;
            let group = self.groups;
            let node = self.closed(depth)?;
            return Ok(Some(Node::Group(group, Box::new(node))));
        }
        let look = if self.eat("=") {
            Some((false, false))
        } else if self.eat("!") {
            Some((false, true))
        } else if self.eat("<=") {
            Some((true, false))
        } else if self.eat("<!") {
            Some((true, true))
        } else {
            None
        };
        if let Some((behind, negated)) = look {
            self.not_in_re2()?;
            let node = self.closed(depth)?;
            if behind && self.syntax == Syntax::Perl && !fixed_width(&node) {
                return Err(self.error(ErrorKind::UnboundedLookBehind));
            }
            return Ok(Some(Node::Look {
                node: Box::new(node),
                behind,
                negated,
            }));
        }
        if self.eat(">") {
            self.not_in_re2()?;
            return Ok(Some(Node::Atomic(Box::new(self.closed(depth)?))));
        }
        if self.eat(":") {
            return self.closed(depth).map(Some);
        }
        let named = match self.syntax {
            Syntax::Java => self.eat("<"),
            _ => self.eat("P<") || self.eat("<"),
        };
        if named {
            let name = self.group_name()?;
            self.groups += 1;
            let group = self.groups;
            if self.names.contains_key(&name) {
                return Err(self.error(ErrorKind::BadGroupName(format!(
                    "Named capturing group <{name}> is already defined"
                ))));
            }
            self.names.insert(name, group);
            let node = self.closed(depth)?;
            return Ok(Some(Node::Group(group, Box::new(node))));
        }
        self.inline_flags(depth)
    }

    fn not_in_re2(&self) -> Result<(), Error> {
        match self.syntax {
            Syntax::Re2 => Err(self.error(ErrorKind::NotInRe2)),
            _ => Ok(()),
        }
    }

    /// What stands in a group, with its `)`.
    fn closed(&mut self, depth: usize) -> Result<Node, Error> {
        let node = self.alternation(depth + 1)?;
        if !self.eat(")") {
            return Err(self.error(ErrorKind::UnclosedGroup));
        }
        Ok(node)
    }

    fn group_name(&mut self) -> Result<String, Error> {
        if !self
            .peek()
            .is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        {
            return Err(self.error(ErrorKind::BadGroupName(
                "capturing group name does not start with a Latin letter".to_owned(),
            )));
        }
        let from = self.at;
        while self
            .peek()
            .is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
        {
            self.at += 1;
        }
        let name = self.characters.get(from..self.at).unwrap_or(&[]).iter();
        let name: String = name.collect();
        if !self.eat(">") {
            return Err(self.error(ErrorKind::BadGroupName(
                "named capturing group is missing trailing '>'".to_owned(),
            )));
        }
        Ok(name)
    }

    /// `(?i)`, `(?s-i:…)`, behind `(?`.
    fn inline_flags(&mut self, depth: usize) -> Result<Option<Node>, Error> {
        let before = self.flags;
        let mut on = true;
        loop {
            let Some(flag) = self.peek() else {
                return Err(self.error(ErrorKind::UnknownFlag));
            };
            match flag {
                'i' => self.flags.fold = on,
                'm' => self.flags.multi_line = on,
                's' => self.flags.dot_all = on,
                'x' if self.syntax != Syntax::Re2 => self.flags.spaced = on,
                'u' | 'd' | 'U' if self.syntax == Syntax::Java => {}
                '-' if on => on = false,
                ')' => {
                    self.at += 1;
                    return Ok(None);
                }
                ':' => {
                    self.at += 1;
                    let node = self.closed(depth)?;
                    self.flags = before;
                    return Ok(Some(node));
                }
                _ => return Err(self.error(ErrorKind::UnknownFlag)),
            }
            self.at += 1;
        }
    }

    fn escape(&mut self) -> Result<Node, Error> {
        let Some(character) = self.peek() else {
            return Err(self.error(ErrorKind::TrailingBackslash));
        };
        let assertion = match character {
            'b' => Some(Assertion::WordBoundary),
            'B' => Some(Assertion::NoWordBoundary),
            'A' => Some(Assertion::TextStart),
            'z' => Some(Assertion::TextEnd),
            'Z' => Some(Assertion::TextEndOrLineFeed),
            _ => None,
        };
        if let Some(assertion) = assertion {
            self.at += 1;
            return Ok(Node::Assert(assertion));
        }
        if matches!(character, '1'..='9') {
            return self.back_reference();
        }
        if self.eat("k<") || self.syntax == Syntax::Perl && self.eat("k{") {
            self.not_in_re2()?;
            let from = self.at;
            while self.peek().is_some_and(|c| !matches!(c, '>' | '}')) {
                self.at += 1;
            }
            let name: String = self.characters[from..self.at].iter().collect();
            self.at += 1;
            return match self.names.get(&name) {
                Some(group) => Ok(Node::BackReference {
                    group: *group,
                    fold: self.flags.fold,
                }),
                None => Err(Error {
                    kind: ErrorKind::UnknownGroup(name),
                    index: self.at.saturating_sub(1),
                }),
            };
        }
        if self.eat("R") && self.syntax != Syntax::Re2 {
            let crlf = Node::Concat(vec![Node::Char('\r'), Node::Char('\n')]);
            let mut set = Set::new(false, false);
            set.add('\n', '\r');
            set.add('\u{85}', '\u{85}');
            set.add('\u{2028}', '\u{2029}');
            set.finish();
            return Ok(Node::Alternate(vec![crlf, Node::Set(Box::new(set))]));
        }
        Ok(match self.escaped_member()? {
            Member::Character(character) => self.literal(character),
            Member::Class(class, negated) => self.class_node(class, negated),
        })
    }

    fn back_reference(&mut self) -> Result<Node, Error> {
        self.not_in_re2().map_err(|error| Error {
            kind: ErrorKind::UnknownEscape('1'),
            ..error
        })?;
        let mut group = 0_usize;
        // A digit more belongs to it only if there is such a group.
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            let longer = group * 10 + digit as usize;
            if group > 0 && longer > self.groups {
                break;
            }
            group = longer;
            self.at += 1;
        }
        self.references.push((group, self.at));
        Ok(Node::BackReference {
            group,
            fold: self.flags.fold,
        })
    }

    /// An escape that means characters, in a class or outside, behind its backslash.
    fn escaped_member(&mut self) -> Result<Member, Error> {
        let Some(character) = self.peek() else {
            return Err(self.error(match self.syntax {
                Syntax::Java => ErrorKind::UnclosedBracket,
                _ => ErrorKind::TrailingBackslash,
            }));
        };
        self.at += 1;
        Ok(match character {
            'd' | 'D' => Member::Class(Class::AsciiDigit, character == 'D'),
            'w' | 'W' => Member::Class(Class::AsciiWord, character == 'W'),
            's' | 'S' => Member::Class(Class::AsciiSpace, character == 'S'),
            'h' if self.syntax != Syntax::Re2 => Member::Class(Class::Blank, false),
            'p' | 'P' => self.property(character == 'P')?,
            't' => Member::Character('\t'),
            'n' => Member::Character('\n'),
            'r' => Member::Character('\r'),
            'f' => Member::Character('\u{c}'),
            'a' => Member::Character('\u{7}'),
            'v' if self.syntax == Syntax::Re2 => Member::Character('\u{b}'),
            'e' if self.syntax != Syntax::Re2 => Member::Character('\u{1b}'),
            'x' => {
                let braces = self.eat("{");
                let value = self.hexadecimal(if braces { 6 } else { 2 });
                if braces && !self.eat("}") {
                    return Err(self.error(ErrorKind::UnknownEscape('x')));
                }
                Member::Character(value.ok_or_else(|| self.error(ErrorKind::UnknownEscape('x')))?)
            }
            'u' if self.syntax == Syntax::Java => {
                let value = self.hexadecimal(4);
                Member::Character(value.ok_or_else(|| self.error(ErrorKind::UnknownEscape('u')))?)
            }
            'c' if self.syntax != Syntax::Re2 => match self.peek() {
                Some(control) if control.is_ascii() => {
                    self.at += 1;
                    Member::Character(char::from(control.to_ascii_uppercase() as u8 ^ 64))
                }
                _ => return Err(self.error_at(ErrorKind::UnknownEscape('c'), self.at - 1)),
            },
            '0' => {
                let from = self.at;
                while self.at < from + 3 && self.peek().is_some_and(|c| c.is_digit(8)) {
                    self.at += 1;
                }
                let digits: String = self.characters[from..self.at].iter().collect();
                match u32::from_str_radix(&digits, 8) {
                    Ok(value) => Member::Character(char::from_u32(value).unwrap_or('\0')),
                    Err(_) if self.syntax == Syntax::Perl => Member::Character('\0'),
                    Err(_) => return Err(self.error(ErrorKind::UnknownEscape('0'))),
                }
            }
            letter if letter.is_ascii_alphanumeric() => {
                return Err(self.error_at(ErrorKind::UnknownEscape(letter), self.at - 1));
            }
            literal => Member::Character(literal),
        })
    }

    fn hexadecimal(&mut self, digits_max: usize) -> Option<char> {
        let from = self.at;
        while self.at < from + digits_max && self.peek().is_some_and(|c| c.is_ascii_hexdigit()) {
            self.at += 1;
        }
        let digits: String = self.characters.get(from..self.at)?.iter().collect();
        if digits.len() < digits_max.min(4) && digits_max != 6 && self.syntax != Syntax::Perl {
            return None;
        }
        char::from_u32(u32::from_str_radix(&digits, 16).unwrap_or(0))
    }

    /// `\p{Lu}`, `\pL`, behind the letter.
    fn property(&mut self, mut negated: bool) -> Result<Member, Error> {
        let name: String = if self.eat("{") {
            negated ^= self.eat("^");
            let from = self.at;
            while self.peek().is_some_and(|character| character != '}') {
                self.at += 1;
            }
            let name = self.characters[from..self.at].iter().collect();
            if !self.eat("}") {
                return Err(self.error(ErrorKind::UnknownEscape('p')));
            }
            name
        } else {
            let name = self.peek();
            self.at += usize::from(name.is_some());
            name.into_iter().collect()
        };
        match Class::property(&name) {
            Some(class) => Ok(Member::Class(class, negated)),
            None => Err(self.error_at(ErrorKind::UnknownClass(name), self.at.saturating_sub(1))),
        }
    }

    /// `[…]`, behind its `[`.
    fn bracket(&mut self, depth: usize) -> Result<Set, Error> {
        if depth > DEPTH_MAX {
            return Err(self.error(ErrorKind::TooBig));
        }
        let negated = self.eat("^");
        let java = self.syntax == Syntax::Java;
        let mut outer = Set::new(negated, false);
        // The sets that `&&` joins; what is negated is all of them together.
        let mut parts = vec![Set::new(false, self.flags.fold)];
        let mut empty = true;
        let first = self.at;
        loop {
            let Some(character) = self.peek() else {
                let index = self.at - usize::from(java);
                return Err(self.error_at(ErrorKind::UnclosedBracket, index));
            };
            if character == ']' && self.at > first {
                self.at += 1;
                break;
            }
            if java && self.eat("&&") {
                if !empty {
                    parts.push(Set::new(false, self.flags.fold));
                }
                empty = true;
                continue;
            }
            empty = false;
            let mut part = parts.pop().unwrap_or_default();
            self.member(&mut part, depth)?;
            parts.push(part);
        }
        if empty && parts.len() > 1 {
            parts.pop();
        }
        for (index, mut part) in parts.into_iter().enumerate() {
            part.finish();
            if index == 0 {
                outer.add_set(part);
            } else {
                outer.intersect(part);
            }
        }
        outer.finish();
        Ok(outer)
    }

    /// One member of a class: a character, a range, a class, in Java a class in brackets.
    fn member(&mut self, set: &mut Set, depth: usize) -> Result<(), Error> {
        if self.syntax == Syntax::Java && self.eat("[") {
            let inner = self.bracket(depth + 1)?;
            set.add_set(inner);
            return Ok(());
        }
        if self.syntax != Syntax::Java && self.eat("[:") {
            return self.posix_class(set);
        }
        let low = match self.one_member()? {
            Member::Class(class, negated) => {
                set.add_class(class, negated);
                return Ok(());
            }
            Member::Character(character) => character,
        };
        let next = self.characters.get(self.at + 1).copied();
        let range = self.peek() == Some('-')
            && next
                .is_some_and(|next| next != ']' && !(self.syntax == Syntax::Java && next == '['));
        if !range {
            set.add(low, low);
            return Ok(());
        }
        self.at += 1;
        match self.one_member()? {
            Member::Character(high) if low <= high => set.add(low, high),
            Member::Class(class, negated) if self.syntax == Syntax::Perl => {
                set.add(low, low);
                set.add('-', '-');
                set.add_class(class, negated);
            }
            _ => {
                return Err(self.error_at(ErrorKind::BadRange, self.at.saturating_sub(1)));
            }
        }
        Ok(())
    }

    fn one_member(&mut self) -> Result<Member, Error> {
        match self.peek() {
            Some('\\') => {
                self.at += 1;
                if self.syntax == Syntax::Perl && self.eat("b") {
                    return Ok(Member::Character('\u{8}'));
                }
                self.escaped_member()
            }
            Some(character) => {
                self.at += 1;
                Ok(Member::Character(character))
            }
            None => Err(self.error_at(ErrorKind::UnclosedBracket, self.at.saturating_sub(1))),
        }
    }

    fn posix_class(&mut self, set: &mut Set) -> Result<(), Error> {
        let negated = self.eat("^");
        let from = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_alphabetic()) {
            self.at += 1;
        }
        let name: String = self.characters[from..self.at].iter().collect();
        if !self.eat(":]") {
            // Two characters that begin no class.
            self.at = from - usize::from(negated) - 1;
            set.add('[', '[');
            return Ok(());
        }
        let class = match name.as_str() {
            "word" => Some(Class::AsciiWord),
            name => Class::posix(name),
        };
        match class {
            Some(class) => {
                set.add_class(class, negated);
                Ok(())
            }
            None => Err(self.error(ErrorKind::UnknownClass(name))),
        }
    }
}

fn fixed_width(node: &Node) -> bool {
    // Each alternative may have a width of its own.
    match node {
        Node::Alternate(nodes) => nodes.iter().all(fixed_width),
        node => {
            let (min, max) = node.width();
            max == Some(min)
        }
    }
}
