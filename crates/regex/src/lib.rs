//! Regular expressions as the tools of a terminal write them: POSIX basic and extended with GNU's extensions
//! (`grep`, `sed`, `awk`, `[[ =~ ]]`), Perl's (`grep -P`), Java's (Kafka's topic patterns) and RE2's.
//!
//! One backtracking matcher serves all of them. It remembers where it has been, so that a search without back
//! references takes time in proportion to the text times the expression; with them it gives up after
//! [`STEPS_MAX`] steps. No expression and no text makes it panic.

mod ast;
mod compile;
mod error;
mod exec;
mod perl;
mod posix;
mod set;

pub use error::{Error, ErrorKind};
pub use exec::{Captures, STEPS_MAX};

use compile::Program;

/// Which language an expression is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// Every character stands for itself.
    Literal,
    /// POSIX basic, as `grep` and `sed` read it: `\(`, `\{`, `\|`, `\+` are special.
    Basic,
    /// POSIX extended, as `grep -E` reads it: what is no operator where it stands is a character.
    Extended,
    /// POSIX extended, as `sed -E` and `[[ =~ ]]` read it: an operator out of place is an error.
    ExtendedStrict,
    /// PCRE, as `grep -P` reads it.
    Perl,
    /// `java.util.regex`.
    Java,
    /// RE2/J, which Kafka's brokers use for subscriptions.
    Re2,
}

impl Syntax {
    /// Whether the longest of the leftmost matches is taken, and not the first that is found.
    fn longest(self) -> bool {
        matches!(
            self,
            Syntax::Basic | Syntax::Extended | Syntax::ExtendedStrict
        )
    }
}

/// How an expression is read and where it may match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The language.
    pub syntax: Syntax,
    /// Whether case makes no difference.
    pub ignore_case: bool,
    /// Whether `^` and `$` match at every line of the text (`sed`'s flag `M`).
    pub multi_line: bool,
    /// Whether `\n`, `\t` and their like are characters in a POSIX expression (`sed`, `awk`).
    pub escapes: bool,
    /// Where a match may stand.
    pub place: Place,
}

/// Where a match may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Anywhere.
    Anywhere,
    /// Between characters that belong to no word (`grep -w`).
    Word,
    /// It is the whole text (`grep -x`, Java's `matches`).
    Whole,
}

impl Options {
    /// The defaults of a language: case counts, one line, no escapes, anywhere.
    pub fn new(syntax: Syntax) -> Options {
        Options {
            syntax,
            ignore_case: false,
            multi_line: false,
            escapes: false,
            place: Place::Anywhere,
        }
    }
}

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Regex {
    pattern: String,
    options: Options,
    program: Program,
    warnings: Vec<String>,
}

impl PartialEq for Regex {
    fn eq(&self, other: &Regex) -> bool {
        self.pattern == other.pattern && self.options == other.options
    }
}

impl Regex {
    /// Compiles an expression.
    ///
    /// # Errors
    /// What is wrong with it, and where; the texts of each family are methods of [`Error`].
    pub fn new(pattern: &str, options: Options) -> Result<Regex, Error> {
        let parsed = match options.syntax {
            Syntax::Literal => Ok(ast::Parsed::literal(pattern, options.ignore_case)),
            Syntax::Basic | Syntax::Extended | Syntax::ExtendedStrict => {
                posix::parse(pattern, options)
            }
            Syntax::Perl | Syntax::Java | Syntax::Re2 => perl::parse(pattern, options),
        }?;
        let warnings = parsed.warnings.clone();
        let program = compile::compile(parsed, options)?;
        Ok(Regex {
            pattern: pattern.to_owned(),
            options,
            program,
            warnings,
        })
    }

    /// The expression as it was written.
    pub fn as_str(&self) -> &str {
        &self.pattern
    }

    /// How many groups it captures.
    pub fn groups(&self) -> usize {
        self.program.groups
    }

    /// What GNU `grep` warns of.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// Whether it matches somewhere in a text.
    pub fn is_match(&self, text: &[u8]) -> bool {
        exec::search(&self.program, text, 0, true).is_some()
    }

    /// The first match that begins at `from` or later: where it begins and ends. What stands before `from` is
    /// seen by anchors.
    pub fn find_at(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        exec::search(&self.program, text, from, false)?.get(0)
    }

    /// As [`Regex::find_at`], with the groups.
    pub fn captures_at(&self, text: &[u8], from: usize) -> Option<Captures> {
        exec::search(&self.program, text, from, false)
    }
}

/// A POSIX expression that matches a text literally, also inside of a longer expression.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if "\\^$.|?*+()[]{}".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests;
