//! What is wrong with an expression, in the words of each family.

use std::fmt;

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// `(` without `)`.
    UnclosedGroup,
    /// `)` without `(`.
    UnmatchedClose,
    /// `[` without `]`.
    UnclosedBracket,
    /// `{` without `}`.
    UnclosedBrace,
    /// `{…}` that is no count.
    BadCount,
    /// `{5,2}`
    BadCountRange,
    /// `[b-a]`
    BadRange,
    /// `[[:nothing:]]`, `\p{Nothing}`
    UnknownClass(String),
    /// `[[.nothing.]]`
    UnknownCollation,
    /// `[:space:]` without its outer brackets.
    ClassOutsideOfBracket,
    /// `\` at the end.
    TrailingBackslash,
    /// A back reference to a group that is not there.
    UnknownGroup(String),
    /// A repetition of a repetition, where that is an error of its own (RE2).
    NestedRepetition,
    /// A repetition of nothing.
    NothingToRepeat(char),
    /// A backslash before a letter that means nothing.
    UnknownEscape(char),
    /// A flag or kind of group that is not known.
    UnknownFlag,
    /// A group's name is bad or taken.
    BadGroupName(String),
    /// What stands in a look-behind has no greatest length.
    UnboundedLookBehind,
    /// What RE2 leaves out: look-around, back references, possessive repetition.
    NotInRe2,
    /// The compiled expression would be too big, or groups are nested too deeply.
    TooBig,
}

/// An error in an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where: a character's index.
    pub index: usize,
}

impl Error {
    /// What GNU's tools say.
    pub fn posix(&self) -> &'static str {
        match &self.kind {
            ErrorKind::UnclosedGroup => "Unmatched ( or \\(",
            ErrorKind::UnmatchedClose => "Unmatched ) or \\)",
            ErrorKind::UnclosedBracket => "Unmatched [, [^, [:, [., or [=",
            ErrorKind::UnclosedBrace => "Unmatched \\{",
            ErrorKind::BadCount | ErrorKind::BadCountRange => "Invalid content of \\{\\}",
            ErrorKind::BadRange => "Invalid range end",
            ErrorKind::UnknownClass(_) => "Invalid character class name",
            ErrorKind::UnknownCollation => "Invalid collation character",
            ErrorKind::ClassOutsideOfBracket => {
                "character class syntax is [[:space:]], not [:space:]"
            }
            ErrorKind::TrailingBackslash => "Trailing backslash",
            ErrorKind::UnknownGroup(_) => "Invalid back reference",
            ErrorKind::NothingToRepeat(_) => "Invalid preceding regular expression",
            _ => "Regular expression too big",
        }
    }

    /// What PCRE says, as `grep -P` prints it.
    pub fn pcre(&self) -> &'static str {
        match &self.kind {
            ErrorKind::UnclosedGroup => "missing closing parenthesis",
            ErrorKind::UnmatchedClose => "unmatched closing parenthesis",
            ErrorKind::UnclosedBracket => "missing terminating ] for character class",
            ErrorKind::BadCountRange => "numbers out of order in {} quantifier",
            ErrorKind::UnclosedBrace | ErrorKind::BadCount => "number too big in {} quantifier",
            ErrorKind::BadRange => "range out of order in character class",
            ErrorKind::UnknownClass(_) => "unknown POSIX class name",
            ErrorKind::TrailingBackslash => "\\ at end of pattern",
            ErrorKind::UnknownGroup(_) => "reference to non-existent subpattern",
            ErrorKind::NothingToRepeat(_) => "quantifier does not follow a repeatable item",
            ErrorKind::UnknownEscape(_) => "unrecognized character follows \\",
            ErrorKind::UnknownFlag => "unrecognized character after (? or (?-",
            ErrorKind::BadGroupName(_) => "syntax error in subpattern name (missing terminator?)",
            ErrorKind::UnboundedLookBehind => "lookbehind assertion is not fixed length",
            _ => "regular expression is too large",
        }
    }

    /// What RE2/J says.
    pub fn re2(&self) -> &'static str {
        match &self.kind {
            ErrorKind::UnclosedGroup => "missing closing )",
            ErrorKind::UnmatchedClose => "unexpected )",
            ErrorKind::UnclosedBracket => "missing closing ]",
            ErrorKind::BadCount | ErrorKind::BadCountRange | ErrorKind::UnclosedBrace => {
                "invalid repeat count"
            }
            ErrorKind::BadRange | ErrorKind::UnknownClass(_) => "invalid character class range",
            ErrorKind::TrailingBackslash => "trailing backslash at end of expression",
            ErrorKind::NothingToRepeat(_) => "missing argument to repetition operator",
            ErrorKind::NestedRepetition => "invalid nested repetition operator",
            ErrorKind::UnknownEscape(_) | ErrorKind::UnknownGroup(_) => "invalid escape sequence",
            ErrorKind::BadGroupName(_) => "invalid named capture",
            ErrorKind::UnknownFlag | ErrorKind::UnboundedLookBehind | ErrorKind::NotInRe2 => {
                "invalid or unsupported Perl syntax"
            }
            _ => "expression too large",
        }
    }

    /// The message of Java's `PatternSyntaxException`, of up to three lines.
    pub fn java(&self, pattern: &str) -> String {
        let text = match &self.kind {
            ErrorKind::UnclosedGroup => "Unclosed group".to_owned(),
            ErrorKind::UnmatchedClose => "Unmatched closing ')'".to_owned(),
            ErrorKind::UnclosedBracket => "Unclosed character class".to_owned(),
            ErrorKind::UnclosedBrace => "Unclosed counted closure".to_owned(),
            ErrorKind::BadCount => "Illegal repetition".to_owned(),
            ErrorKind::BadCountRange => "Illegal repetition range".to_owned(),
            ErrorKind::BadRange => "Illegal character range".to_owned(),
            ErrorKind::UnknownClass(name) => {
                format!("Unknown character property name {{{name}}}")
            }
            ErrorKind::TrailingBackslash => "Unexpected internal error".to_owned(),
            ErrorKind::UnknownGroup(name) => {
                format!("named capturing group <{name}> does not exist")
            }
            ErrorKind::NothingToRepeat(character) => {
                format!("Dangling meta character '{character}'")
            }
            ErrorKind::UnknownEscape('x') => "Illegal hexadecimal escape sequence".to_owned(),
            ErrorKind::UnknownEscape('u') => "Illegal Unicode escape sequence".to_owned(),
            ErrorKind::UnknownEscape('c') => "Illegal control escape sequence".to_owned(),
            ErrorKind::UnknownEscape('0') => "Illegal octal escape sequence".to_owned(),
            ErrorKind::UnknownEscape('p') => "Unclosed character family".to_owned(),
            ErrorKind::UnknownEscape(_) => "Illegal/unsupported escape sequence".to_owned(),
            ErrorKind::UnknownFlag => "Unknown inline modifier".to_owned(),
            ErrorKind::BadGroupName(text) => text.clone(),
            ErrorKind::UnboundedLookBehind => {
                "Look-behind group does not have an obvious maximum length".to_owned()
            }
            _ => "Stack overflow during pattern compilation".to_owned(),
        };
        let mut message = format!("{text} near index {}\n{pattern}", self.index);
        if self.index < pattern.encode_utf16().count() {
            message.push_str(&format!("\n{}^", " ".repeat(self.index)));
        }
        message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.posix())
    }
}

impl std::error::Error for Error {}
