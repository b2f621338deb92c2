//! What the parser makes of a line: bash's grammar as values.

use std::cell::OnceCell;
use std::rc::Rc;

/// Commands one after another.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct List {
    /// In order.
    pub items: Vec<ListItem>,
}

/// Pipelines joined by `&&` and `||`, ended by `;`, `&` or a line's end.
#[derive(Clone, Debug, PartialEq)]
pub struct ListItem {
    /// The first pipeline.
    pub first: Pipeline,
    /// The others, each with what joins it to those before.
    pub rest: Vec<(Join, Pipeline)>,
    /// Ended by `&`.
    pub background: bool,
    /// As it was written, for `jobs`.
    pub text: String,
}

/// `&&` or `||`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// `&&`
    And,
    /// `||`
    Or,
}

/// Commands joined by `|`.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipeline {
    /// Preceded by `!`.
    pub negated: bool,
    /// Preceded by `time`.
    pub timed: bool,
    /// `time -p`: POSIX's format.
    pub timed_portably: bool,
    /// At least one.
    pub commands: Vec<Command>,
}

/// A command and its redirections.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    /// What runs.
    pub kind: CommandKind,
    /// In the order written.
    pub redirects: Vec<Redirect>,
}

/// The kinds of commands.
#[derive(Clone, Debug, PartialEq)]
pub enum CommandKind {
    /// `NAME=value command words`
    Simple {
        /// Before the first word.
        assignments: Vec<Assignment>,
        /// The command's name and its arguments.
        words: Vec<Word>,
        /// `declare name=(words)`: the name is among the words too.
        arrays: Vec<Assignment>,
    },
    /// `( list )`
    Subshell(List),
    /// `{ list; }`
    Group(List),
    /// `for name in words; do body; done`
    For {
        /// The variable.
        name: String,
        /// `None` without `in`: the positional parameters.
        words: Option<Vec<Word>>,
        /// What is repeated.
        body: List,
    },
    /// `for ((first; condition; step)); do body; done`
    ForArithmetic {
        /// The three expressions.
        parts: [Word; 3],
        /// What is repeated.
        body: List,
    },
    /// `while condition; do body; done`
    While {
        /// `until`.
        until: bool,
        /// Run before each round.
        condition: List,
        /// What is repeated.
        body: List,
    },
    /// `if … elif … else … fi`
    If {
        /// Conditions and what follows when they hold.
        branches: Vec<(List, List)>,
        /// After `else`.
        otherwise: Option<List>,
    },
    /// `case word in … esac`
    Case {
        /// What is compared.
        word: Word,
        /// In order.
        arms: Vec<CaseArm>,
    },
    /// `name() command`
    Function {
        /// Its name.
        name: String,
        /// What it runs.
        body: Rc<Command>,
    },
    /// `(( expression ))`
    Arithmetic(Word),
    /// `[[ expression ]]`
    Conditional(Vec<ConditionalToken>),
}

/// One token of `[[ … ]]`.
#[derive(Clone, Debug, PartialEq)]
pub enum ConditionalToken {
    /// `&&`, `||`, `!`, `(`, `)`, `<`, `>`
    Operator(&'static str),
    /// Anything else.
    Word(Word),
}

/// One arm of `case`.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseArm {
    /// Joined by `|`.
    pub patterns: Vec<Word>,
    /// What runs.
    pub body: List,
    /// `;;`, `;&` or `;;&`.
    pub end: CaseEnd,
}

/// What follows an arm that matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CaseEnd {
    /// `;;`: nothing more.
    Break,
    /// `;&`: the next arm's body.
    FallThrough,
    /// `;;&`: the next patterns are tried.
    Continue,
}

/// `name=value`
#[derive(Clone, Debug, PartialEq)]
pub struct Assignment {
    /// The variable.
    pub name: String,
    /// `name[index]=`
    pub index: Option<Word>,
    /// `name+=`
    pub append: bool,
    /// What is assigned.
    pub value: AssignedValue,
}

/// The right side of an assignment.
#[derive(Clone, Debug, PartialEq)]
pub enum AssignedValue {
    /// A word.
    Scalar(Word),
    /// `(words)`
    Array(Vec<Word>),
}

/// One redirection.
#[derive(Clone, Debug, PartialEq)]
pub struct Redirect {
    /// The file descriptor before the operator.
    pub descriptor: Option<u32>,
    /// What is done.
    pub kind: RedirectKind,
}

/// The kinds of redirections.
#[derive(Clone, Debug, PartialEq)]
pub enum RedirectKind {
    /// `< word`
    Read(Word),
    /// `> word`, `>| word`
    Write(Word),
    /// `>> word`
    Append(Word),
    /// `<> word`
    ReadWrite(Word),
    /// `&> word`, `>& word`
    WriteBoth(Word),
    /// `&>> word`
    AppendBoth(Word),
    /// `>& n`, `<& n`, `>&-`
    Duplicate(Word),
    /// `<< word`; the text is filled in when its lines have been read.
    HereDocument(Rc<OnceCell<Word>>),
    /// `<<< word`
    HereString(Word),
}

/// A word: parts side by side.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Word(pub Vec<WordPart>);

/// A part of a word.
#[derive(Clone, Debug, PartialEq)]
pub enum WordPart {
    /// As written: may be a pattern, a tilde, braces.
    Literal(String),
    /// Between single quotes, or after a backslash: means itself.
    Quoted(String),
    /// Between double quotes.
    DoubleQuoted(Vec<WordPart>),
    /// `$name`, `${name…}`
    Parameter(Box<Parameter>),
    /// `$(…)` or backquotes.
    Command(Rc<List>),
    /// `$((…))`
    Arithmetic(Vec<WordPart>),
    /// `<(…)`: the name of a file with what the list printed.
    ProcessSubstitution(Rc<List>),
}

/// A parameter expansion.
#[derive(Clone, Debug, PartialEq)]
pub struct Parameter {
    /// A name, a number or a special character.
    pub name: String,
    /// `[index]`, `[@]`, `[*]`
    pub index: Option<Word>,
    /// `${#name}`
    pub length: bool,
    /// `${!name}`
    pub indirect: bool,
    /// What is done to the value.
    pub operation: Option<Operation>,
}

/// What `${name…}` does to the value.
#[derive(Clone, Debug, PartialEq)]
pub enum Operation {
    /// `-`: another value when unset (with `:` when empty too).
    Default {
        /// With `:`.
        or_empty: bool,
        /// The other value.
        word: Word,
    },
    /// `=`: the same, and assigned.
    Assign {
        /// With `:`.
        or_empty: bool,
        /// The other value.
        word: Word,
    },
    /// `?`: an error when unset.
    Require {
        /// With `:`.
        or_empty: bool,
        /// The message.
        word: Word,
    },
    /// `+`: another value when set.
    Alternative {
        /// With `:`.
        or_empty: bool,
        /// The other value.
        word: Word,
    },
    /// `#`, `##`: a prefix off.
    RemovePrefix {
        /// `##`
        longest: bool,
        /// What goes.
        pattern: Word,
    },
    /// `%`, `%%`: a suffix off.
    RemoveSuffix {
        /// `%%`
        longest: bool,
        /// What goes.
        pattern: Word,
    },
    /// `/`, `//`, `/#`, `/%`
    Replace {
        /// Which matches.
        place: ReplacePlace,
        /// What goes.
        pattern: Word,
        /// What comes.
        replacement: Word,
    },
    /// `:offset:length`, both arithmetic.
    Slice {
        /// From where.
        offset: Word,
        /// How many.
        length: Option<Word>,
    },
    /// `^`, `^^`, `,`, `,,`
    Case {
        /// To upper case.
        upper: bool,
        /// Every character, not the first alone.
        all: bool,
    },
}

/// Which matches `${name/pattern/replacement}` replaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplacePlace {
    /// The first.
    First,
    /// Every one.
    All,
    /// At the start only.
    Start,
    /// At the end only.
    End,
}

impl Word {
    /// The text, if the word is unquoted literal text only: what a reserved word must be.
    pub fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [WordPart::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// A word of unquoted text.
    pub fn literal(text: impl Into<String>) -> Word {
        Word(vec![WordPart::Literal(text.into())])
    }
}
