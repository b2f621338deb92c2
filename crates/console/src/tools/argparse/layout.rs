//! argparse4j's usage, help and error texts, 75 columns wide.

use std::fmt::Write as _;

use super::{Action, Ending, Flag, HELP, Parser};

/// Columns of a line.
const WIDTH: usize = 75;
/// Where descriptions stand in the help.
const DESCRIPTION_AT: usize = 25;
/// Continued usage lines stand in this far when the program's name is long.
const USAGE_INDENT: usize = 6;

/// What argparse4j prints of an error.
pub(super) fn error(parser: &Parser, above: &[&Parser], message: &str, meant: &[&str]) -> Ending {
    let program = program(parser, above);
    let mut printed = usage(parser, above);
    printed.push_str(&wrap(&format!("{program}: error: {message}\n"), 0, ""));
    if !meant.is_empty() {
        printed.push_str("\nDid you mean:\n");
        for name in meant {
            let _ = writeln!(printed, "\t{name}");
        }
    }
    Ending::Error {
        message: message.to_owned(),
        printed,
    }
}

fn program<'a>(parser: &Parser, above: &[&'a Parser]) -> &'a str
where
{
    above.first().map_or(parser.name, |tool| tool.name)
}

/// The names that `word` was perhaps meant to be: the nearest ones, if near enough.
pub(super) fn candidates<'a>(word: &str, subjects: &[(&'a str, &str)]) -> Vec<&'a str> {
    let mut found: Vec<(usize, &str)> = subjects
        .iter()
        .map(|(name, body)| {
            let distance = if body.starts_with(word) {
                0
            } else {
                distance(word, body)
            };
            (distance, *name)
        })
        .collect();
    found.sort_unstable();
    match found.first() {
        Some((nearest, _)) if *nearest < 7 => {
            let nearest = *nearest;
            found
                .into_iter()
                .take_while(|(distance, _)| *distance == nearest)
                .map(|(_, name)| name)
                .collect()
        }
        _ => Vec::new(),
    }
}

/// How far a word is from another: a swap of neighbours costs nothing, another letter 2, a letter more 1, a letter
/// less 4.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i * 4; b.len() + 1];
        if let Some(first) = row.first_mut() {
            *first = i;
        }
        for j in 1..=b.len() {
            let same = a[i - 1] == b[j - 1];
            let mut cost = last[j - 1] + if same { 0 } else { 2 };
            if i >= 2 && j >= 2 && !same && a[i - 2] == b[j - 1] && a[i - 1] == b[j - 2] {
                cost = cost.min(before[j - 2]);
            }
            row[j] = cost.min(last[j] + 4).min(row[j - 1] + 1);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(0)
}

/// `usage: PROGRAM ...`.
pub(super) fn usage(parser: &Parser, above: &[&Parser]) -> String {
    let mut words = Vec::new();
    for (depth, upper) in above.iter().enumerate() {
        if depth > 0 {
            words.push(upper.name.to_owned());
        }
        options_usage(upper, true, &mut words);
    }
    if !above.is_empty() {
        words.push(parser.name.to_owned());
    }
    options_usage(parser, false, &mut words);
    if !parser.commands.is_empty() {
        words.push(commands_usage(parser));
        words.push("...".to_owned());
    }
    let begin = format!("usage: {}", program(parser, above));
    let mut text = begin.clone();
    let (indent, mut width) = if begin.len() > 30 {
        text.push('\n');
        text.push_str(&" ".repeat(USAGE_INDENT));
        (USAGE_INDENT, USAGE_INDENT * 2)
    } else {
        (begin.len(), begin.len())
    };
    for (index, word) in words.iter().enumerate() {
        if index > 0 && width + word.len() + 1 > WIDTH {
            text.push('\n');
            text.push_str(&" ".repeat(indent));
            width = indent;
        }
        text.push(' ');
        text.push_str(word);
        width += 1 + word.len();
    }
    text.push('\n');
    text
}

/// The options' part of a usage; of a parser above a subcommand only what must be given.
fn options_usage(parser: &Parser, required_only: bool, words: &mut Vec<String>) {
    let exclusive = |flag: &Flag| {
        let group = flag.group.and_then(|group| parser.groups.get(group));
        group.is_some_and(|group| group.exclusive)
    };
    for flag in std::iter::once(&HELP).chain(parser.options) {
        if flag.hidden || exclusive(flag) || (required_only && !flag.required) {
            continue;
        }
        let syntax = syntax(flag);
        words.push(if flag.required {
            syntax
        } else {
            format!("[{syntax}]")
        });
    }
    for (index, group) in parser.groups.iter().enumerate() {
        if !group.exclusive || (required_only && !group.required) {
            continue;
        }
        let own: Vec<String> = parser
            .options
            .iter()
            .filter(|flag| flag.group == Some(index) && !flag.hidden)
            .map(syntax)
            .collect();
        let (open, close) = if group.required {
            ("(", ")")
        } else {
            ("[", "]")
        };
        match own.as_slice() {
            [] => {}
            [one] if group.required => words.push(one.clone()),
            [one] => words.push(format!("[{one}]")),
            [first, middle @ .., last] => {
                words.push(format!("{open}{first}"));
                for word in middle {
                    words.push("|".to_owned());
                    words.push(word.clone());
                }
                words.push("|".to_owned());
                words.push(format!("{last}{close}"));
            }
        }
    }
}

fn commands_usage(parser: &Parser) -> String {
    let names: Vec<&str> = parser.commands.iter().map(|command| command.name).collect();
    format!("{{{}}}", names.join(","))
}

fn metavar(flag: &Flag) -> String {
    let name = match (flag.metavar, flag.action) {
        ("", Action::Boolean) => "{true,false}".to_owned(),
        ("", _) => flag.dest().replace('-', "_").to_uppercase(),
        (name, _) => name.to_owned(),
    };
    match flag.action {
        Action::Flag | Action::Help => String::new(),
        Action::OneOrMore => format!("{name} [{name} ...]"),
        _ => name,
    }
}

fn syntax(flag: &Flag) -> String {
    let name = flag.names.first().copied().unwrap_or_default();
    let metavar = metavar(flag);
    if metavar.is_empty() {
        name.to_owned()
    } else {
        format!("{name} {metavar}")
    }
}

/// The whole help.
pub(super) fn help(parser: &Parser, above: &[&Parser]) -> String {
    let mut text = usage(parser, above);
    if above.is_empty() && !parser.about.is_empty() {
        let _ = writeln!(text, "\n{}", wrap(parser.about, 0, ""));
    }
    if !parser.commands.is_empty() {
        text.push_str("\npositional arguments:\n");
        row(&mut text, &commands_usage(parser), "");
        for command in parser.commands {
            row(&mut text, command.name, command.about);
        }
    }
    let titled = |flag: &Flag| {
        let group = flag.group.and_then(|group| parser.groups.get(group));
        group.is_some_and(|group| !group.exclusive || !group.title.is_empty())
    };
    text.push_str("\noptional arguments:\n");
    for flag in std::iter::once(&HELP).chain(parser.options) {
        if !titled(flag) {
            option_row(&mut text, parser, flag);
        }
    }
    for (index, group) in parser.groups.iter().enumerate() {
        if group.exclusive && group.title.is_empty() {
            continue;
        }
        let _ = write!(text, "\n{}:\n", group.title);
        for flag in parser.options.iter().filter(|f| f.group == Some(index)) {
            option_row(&mut text, parser, flag);
        }
    }
    text
}

fn option_row(text: &mut String, parser: &Parser, flag: &Flag) {
    if flag.hidden {
        return;
    }
    let metavar = metavar(flag);
    let titles: Vec<String> = flag
        .names
        .iter()
        .map(|name| {
            if metavar.is_empty() {
                (*name).to_owned()
            } else {
                format!("{name} {metavar}")
            }
        })
        .collect();
    let shown = match (flag.default, flag.action) {
        (Some(default), _) => Some(default),
        (None, Action::Flag) => Some("false"),
        _ => None,
    };
    let about = match shown.filter(|_| parser.default_help) {
        Some(default) => format!("{} (default: {default})", flag.help),
        None => flag.help.to_owned(),
    };
    row(text, &titles.join(", "), &about);
}

fn row(text: &mut String, title: &str, about: &str) {
    let _ = write!(text, "  {title}");
    if !about.is_empty() {
        if title.chars().count() <= DESCRIPTION_AT - 4 {
            let used = title.chars().count() + 2;
            text.push_str(&" ".repeat(DESCRIPTION_AT - used));
        } else {
            text.push('\n');
            text.push_str(&" ".repeat(DESCRIPTION_AT));
        }
        let indent = " ".repeat(DESCRIPTION_AT);
        text.push_str(&wrap(about, DESCRIPTION_AT, &indent));
    }
    text.push('\n');
}

/// Breaks a text at 75 columns and fills the broken lines with blanks to that width, as argparse4j does. `offset`
/// columns of the first line are taken, `indent` stands before each further one.
pub fn wrap(text: &str, offset: usize, indent: &str) -> String {
    let mut result = String::new();
    let mut line = String::new();
    let mut width = offset;
    for piece in pieces(text) {
        let own = piece.chars().count();
        width += own;
        if width > WIDTH {
            result.push_str(&justify(&line, WIDTH, width - own));
            result.push('\n');
            result.push_str(indent);
            line.clear();
            width = indent.len() + own;
        }
        line.push_str(piece);
        if piece.ends_with('\n') {
            result.push_str(&line);
            result.push_str(indent);
            line.clear();
            width = indent.len();
        }
    }
    result + &line
}

/// Where Java's line `BreakIterator` lets a text break: after blanks, and after a hyphen that does not stand before
/// a digit.
fn pieces(text: &str) -> Vec<&str> {
    let letters: Vec<(usize, char)> = text.char_indices().collect();
    let mut found = Vec::new();
    let mut start = 0;
    for (number, (at, letter)) in letters.iter().enumerate() {
        let end = at + letter.len_utf8();
        let next = letters.get(number + 1).map(|(_, next)| *next);
        let breaks = match (letter, next) {
            (_, None) => true,
            ('\n', _) => true,
            (' ' | '\t', Some(next)) => !matches!(next, ' ' | '\t' | '\n'),
            ('-', Some(next)) => next.is_alphabetic(),
            _ => false,
        };
        if breaks {
            found.extend(text.get(start..end));
            start = end;
        }
    }
    found
}

/// Fills a line with blanks between its words up to the width.
fn justify(line: &str, width: usize, current: usize) -> String {
    let trimmed = line.trim_matches(' ');
    let current = current.saturating_sub(line.chars().count() - trimmed.chars().count());
    let blocks = trimmed.split(' ').filter(|word| !word.is_empty()).count();
    let gaps = blocks.saturating_sub(1);
    if gaps == 0 {
        return trimmed.to_owned();
    }
    let needed = width.saturating_sub(current);
    let (each, rest) = (needed / gaps, needed % gaps);
    let begin = (gaps - rest).div_ceil(2);
    let mut filled = String::new();
    let mut gap = 0;
    let mut in_gap = false;
    for letter in trimmed.chars() {
        if letter == ' ' && !in_gap {
            let more = usize::from(begin <= gap && gap < begin + rest);
            filled.push_str(&" ".repeat(each + more));
            gap += 1;
        }
        in_gap = letter == ' ';
        filled.push(letter);
    }
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn broken_lines_are_filled_as_argparse4j_fills_them() {
        assert_eq!(
            wrap(
                "kafka-metadata-quorum: error: one of the arguments --bootstrap-server --bootstrap-controller is required\n",
                0,
                ""
            ),
            "kafka-metadata-quorum: error: one  of  the  arguments --bootstrap-server --\n\
             bootstrap-controller is required\n"
        );
        assert_eq!(
            wrap(
                "kafka-cluster: error: invalid choice: 'nonsense' (choose from 'cluster-id', 'unregister', 'list-endpoints')\n",
                0,
                ""
            ),
            "kafka-cluster: error: invalid  choice:  'nonsense'  (choose  from 'cluster-\n\
             id', 'unregister', 'list-endpoints')\n"
        );
        assert_eq!(
            wrap(
                "kafka-storage: error: argument --no-initial-controllers/-N: not allowed with argument --standalone/-s\n",
                0,
                ""
            ),
            "kafka-storage: error:  argument  --no-initial-controllers/-N:  not  allowed\n\
             with argument --standalone/-s\n"
        );
    }

    #[test]
    fn near_names_are_offered() {
        let names = [("cluster-id", "cluster-id"), ("unregister", "unregister")];
        assert_eq!(candidates("cluster-ids", &names), ["cluster-id"]);
        assert_eq!(candidates("nonsense", &names), Vec::<&str>::new());
    }
}
