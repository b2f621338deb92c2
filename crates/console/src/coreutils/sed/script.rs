//! A parsed `sed` script.

use playground_regex::Regex;

/// Which lines.
#[derive(Clone, Debug, PartialEq)]
pub enum Address {
    /// `5`
    Line(u64),
    /// `$`
    Last,
    /// `/re/`
    Expression(Regex),
    /// `first~step`
    Step {
        /// The first line.
        first: u64,
        /// How many lines on.
        step: u64,
    },
    /// `,+3`
    Plus(u64),
    /// `,~4`
    Multiple(u64),
}

/// A command and the lines that it applies to.
#[derive(Clone, Debug, PartialEq)]
pub struct Instruction {
    /// The address, or a range's start.
    pub first: Option<Address>,
    /// A range's end.
    pub second: Option<Address>,
    /// `!`
    pub negated: bool,
    /// What is done.
    pub command: Command,
}

/// What a command does. Targets are indexes of instructions.
#[derive(Clone, Debug, PartialEq)]
pub enum Command {
    /// `{`
    Block {
        /// The index of its `}`.
        end: usize,
    },
    /// `}`
    EndBlock,
    /// `:label`
    Label,
    /// `d`
    Delete,
    /// `D`
    DeleteFirst,
    /// `p`
    Print,
    /// `P`
    PrintFirst,
    /// `n`
    Next,
    /// `N`
    AppendNext,
    /// `g`
    Get,
    /// `G`
    GetAppend,
    /// `h`
    Hold,
    /// `H`
    HoldAppend,
    /// `x`
    Exchange,
    /// `a`
    Append(Vec<u8>),
    /// `i`
    Insert(Vec<u8>),
    /// `c`
    Change(Vec<u8>),
    /// `=`
    LineNumber,
    /// `l`
    List,
    /// `r`
    ReadFile(String),
    /// `w`
    WriteFile(String),
    /// `b`
    Branch(usize),
    /// `t`
    BranchIf(usize),
    /// `T`
    BranchUnless(usize),
    /// `q`, `Q`
    Quit {
        /// The exit status.
        code: i32,
        /// Whether the pattern space is printed first.
        print: bool,
    },
    /// `y`
    Transliterate(Vec<(char, char)>),
    /// `s`
    Substitute(Substitution),
}

/// `s/expression/replacement/flags`
#[derive(Clone, Debug, PartialEq)]
pub struct Substitution {
    /// What is looked for.
    pub expression: Regex,
    /// What comes instead.
    pub replacement: Vec<Replacement>,
    /// `g`
    pub global: bool,
    /// The first match that is replaced.
    pub from: u64,
    /// `p`
    pub print: bool,
    /// `w file`
    pub write: Option<String>,
}

/// A part of a replacement.
#[derive(Clone, Debug, PartialEq)]
pub enum Replacement {
    /// Text.
    Text(Vec<u8>),
    /// `&`, `\1`
    Group(usize),
    /// `\U`
    Upper,
    /// `\L`
    Lower,
    /// `\E`
    Plain,
    /// `\u`
    UpperOnce,
    /// `\l`
    LowerOnce,
}
