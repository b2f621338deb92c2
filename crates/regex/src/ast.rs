//! What an expression says.

use crate::set::Set;

/// A part of an expression.
#[derive(Clone, Debug)]
pub enum Node {
    /// Nothing: it always matches.
    Empty,
    /// A character.
    Char(char),
    /// One of a set of characters.
    Set(Box<Set>),
    /// A condition on a place.
    Assert(Assertion),
    /// A group, captured under its number.
    Group(usize, Box<Node>),
    /// One after the other.
    Concat(Vec<Node>),
    /// One of them.
    Alternate(Vec<Node>),
    /// So many times.
    Repeat {
        /// What is repeated.
        node: Box<Node>,
        /// At least so many times.
        min: u32,
        /// At most so many times.
        max: Option<u32>,
        /// Which number is tried first.
        mode: Mode,
    },
    /// What a group matched.
    BackReference {
        /// The group.
        group: usize,
        /// Whether case makes no difference.
        fold: bool,
    },
    /// `(?=…)`, `(?!…)`, `(?<=…)`, `(?<!…)`
    Look {
        /// What is looked for.
        node: Box<Node>,
        /// Whether behind the place, not before it.
        behind: bool,
        /// Whether it must not be there.
        negated: bool,
    },
    /// `(?>…)`: the first match counts, whatever follows.
    Atomic(Box<Node>),
}

/// Which number of repetitions is tried first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// As many as possible.
    Greedy,
    /// As few as possible.
    Lazy,
    /// As many as possible, and no other number.
    Possessive,
}

/// A condition on a place in the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Assertion {
    /// The text's start.
    TextStart,
    /// The text's end.
    TextEnd,
    /// The text's end, or before a line feed there (`\Z`, and Perl's and Java's `$`).
    TextEndOrLineFeed,
    /// A line's start.
    LineStart,
    /// A line's end.
    LineEnd,
    /// `\b`
    WordBoundary,
    /// `\B`
    NoWordBoundary,
    /// `\<`
    WordStart,
    /// `\>`
    WordEnd,
    /// No character of a word stands before (`grep -w`).
    NoWordBefore,
    /// No character of a word stands behind (`grep -w`).
    NoWordBehind,
}

/// A parsed expression.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// What it says.
    pub node: Node,
    /// How many groups it captures.
    pub groups: usize,
    /// What is allowed and yet odd.
    pub warnings: Vec<String>,
}

impl Parsed {
    /// A text that stands for itself.
    pub fn literal(text: &str, fold: bool) -> Parsed {
        Parsed {
            node: Node::Concat(
                text.chars()
                    .map(|character| character_node(character, fold))
                    .collect(),
            ),
            groups: 0,
            warnings: Vec::new(),
        }
    }
}

/// A character, in either case if `fold`.
pub fn character_node(character: char, fold: bool) -> Node {
    let mut others = character.to_lowercase().chain(character.to_uppercase());
    if fold && others.any(|other| other != character) {
        let mut set = Set::new(false, true);
        set.add(character, character);
        set.finish();
        return Node::Set(Box::new(set));
    }
    Node::Char(character)
}

impl Node {
    /// Whether it can match nothing at all.
    pub fn may_be_empty(&self) -> bool {
        match self {
            Node::Char(_) | Node::Set(_) => false,
            Node::Empty | Node::Assert(_) | Node::BackReference { .. } | Node::Look { .. } => true,
            Node::Group(_, node) | Node::Atomic(node) => node.may_be_empty(),
            Node::Concat(nodes) => nodes.iter().all(Node::may_be_empty),
            Node::Alternate(nodes) => nodes.iter().any(Node::may_be_empty),
            Node::Repeat { node, min, .. } => *min == 0 || node.may_be_empty(),
        }
    }

    /// How many characters it can match: at least, and at most (`None`: without end).
    pub fn width(&self) -> (u32, Option<u32>) {
        match self {
            Node::Char(_) | Node::Set(_) => (1, Some(1)),
            Node::Empty | Node::Assert(_) | Node::Look { .. } => (0, Some(0)),
            Node::BackReference { .. } => (0, None),
            Node::Group(_, node) | Node::Atomic(node) => node.width(),
            Node::Concat(nodes) => nodes.iter().fold((0, Some(0)), |(min, max), node| {
                let (more_min, more_max) = node.width();
                let max = match (max, more_max) {
                    (Some(max), Some(more)) => Some(u32::saturating_add(max, more)),
                    _ => None,
                };
                (min.saturating_add(more_min), max)
            }),
            Node::Alternate(nodes) => {
                let mut widths = nodes.iter().map(Node::width);
                let first = widths.next().unwrap_or((0, Some(0)));
                widths.fold(first, |(min, max), (other_min, other_max)| {
                    let max = match (max, other_max) {
                        (Some(max), Some(other)) => Some(max.max(other)),
                        _ => None,
                    };
                    (min.min(other_min), max)
                })
            }
            Node::Repeat { node, min, max, .. } => {
                let (node_min, node_max) = node.width();
                let most = match (node_max, max) {
                    (Some(0), _) => Some(0),
                    (Some(node), Some(max)) => Some(node.saturating_mul(*max)),
                    _ => None,
                };
                (node_min.saturating_mul(*min), most)
            }
        }
    }
}
