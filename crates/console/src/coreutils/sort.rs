//! `sort`, in the C locale.

use std::cmp::Ordering;

use super::args::{self, Spec};
use super::text::{Output, complain, operands_or_stdin, read_all};
use crate::commands::CommandContext;
use crate::files::{self, FileError};

const SPEC: Spec = Spec {
    short: "nrk:t:ufbcCghVo:smdiMRzT:S:",
    long: &[
        ("numeric-sort", 'n'),
        ("reverse", 'r'),
        ("key", 'k'),
        ("field-separator", 't'),
        ("unique", 'u'),
        ("ignore-case", 'f'),
        ("ignore-leading-blanks", 'b'),
        ("check", 'c'),
        ("general-numeric-sort", 'g'),
        ("human-numeric-sort", 'h'),
        ("version-sort", 'V'),
        ("output", 'o'),
        ("stable", 's'),
        ("merge", 'm'),
        ("dictionary-order", 'd'),
        ("month-sort", 'M'),
    ],
};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Order {
    numeric: bool,
    general: bool,
    human: bool,
    version: bool,
    month: bool,
    reverse: bool,
    fold: bool,
    blanks: bool,
    dictionary: bool,
}

impl Order {
    fn add(&mut self, letter: char) -> bool {
        match letter {
            'n' => self.numeric = true,
            'g' => self.general = true,
            'h' => self.human = true,
            'V' => self.version = true,
            'M' => self.month = true,
            'r' => self.reverse = true,
            'f' => self.fold = true,
            'b' => self.blanks = true,
            'd' => self.dictionary = true,
            'i' => {}
            _ => return false,
        }
        true
    }

    fn compare(&self, mut left: &[u8], mut right: &[u8]) -> Ordering {
        if self.blanks {
            left = left.trim_ascii_start();
            right = right.trim_ascii_start();
        }
        let ordering = if self.numeric {
            Number::parse(left).cmp(&Number::parse(right))
        } else if self.human {
            human(left).cmp(&human(right))
        } else if self.general {
            let value = |bytes: &[u8]| {
                String::from_utf8_lossy(bytes)
                    .trim()
                    .parse::<f64>()
                    .unwrap_or(f64::NEG_INFINITY)
            };
            value(left).total_cmp(&value(right))
        } else if self.version {
            versions(left, right)
        } else if self.month {
            month(left).cmp(&month(right))
        } else if self.fold || self.dictionary {
            let seen = |byte: &&u8| {
                !self.dictionary || byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace()
            };
            let folded = |byte: &u8| {
                if self.fold {
                    byte.to_ascii_uppercase()
                } else {
                    *byte
                }
            };
            left.iter()
                .filter(seen)
                .map(folded)
                .cmp(right.iter().filter(seen).map(folded))
        } else {
            left.cmp(right)
        };
        if self.reverse {
            ordering.reverse()
        } else {
            ordering
        }
    }
}

/// A decimal number of any length.
#[derive(Debug, PartialEq, Eq)]
struct Number<'a> {
    negative: bool,
    whole: &'a [u8],
    fraction: &'a [u8],
}

impl<'a> Number<'a> {
    fn parse(bytes: &'a [u8]) -> Number<'a> {
        let bytes = bytes.trim_ascii_start();
        let (negative, bytes) = match bytes.strip_prefix(b"-") {
            Some(rest) => (true, rest),
            None => (false, bytes),
        };
        let digits = |bytes: &[u8]| {
            bytes
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count()
        };
        let (whole, rest) = bytes.split_at(digits(bytes));
        let zeros = whole.iter().take_while(|byte| **byte == b'0').count();
        let whole = &whole[zeros..];
        let mut fraction: &[u8] = &[];
        if let Some(rest) = rest.strip_prefix(b".") {
            fraction = &rest[..digits(rest)];
            while let Some(shorter) = fraction.strip_suffix(b"0") {
                fraction = shorter;
            }
        }
        let zero = whole.is_empty() && fraction.is_empty();
        Number {
            negative: negative && !zero,
            whole,
            fraction,
        }
    }
}

impl Ord for Number<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let size = || {
            let lengths = self.whole.len().cmp(&other.whole.len());
            lengths
                .then_with(|| self.whole.cmp(other.whole))
                .then_with(|| self.fraction.cmp(other.fraction))
        };
        match (self.negative, other.negative) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            (false, false) => size(),
            (true, true) => size().reverse(),
        }
    }
}

impl PartialOrd for Number<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

fn human(bytes: &[u8]) -> (i32, Number<'_>) {
    let number = Number::parse(bytes);
    let text = bytes.trim_ascii();
    let power = match text.last() {
        Some(b'K' | b'k') => 1,
        Some(b'M') => 2,
        Some(b'G') => 3,
        Some(b'T') => 4,
        Some(b'P') => 5,
        _ => 0,
    };
    (if number.negative { -power } else { power }, number)
}

fn month(bytes: &[u8]) -> usize {
    let text = String::from_utf8_lossy(bytes.trim_ascii_start()).to_ascii_uppercase();
    let months = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ];
    months
        .iter()
        .position(|month| text.starts_with(month))
        .map_or(0, |at| at + 1)
}

fn versions(mut left: &[u8], mut right: &[u8]) -> Ordering {
    while !left.is_empty() || !right.is_empty() {
        let text = |bytes: &[u8]| {
            bytes
                .iter()
                .take_while(|byte| !byte.is_ascii_digit())
                .count()
        };
        let (left_text, left_rest) = left.split_at(text(left));
        let (right_text, right_rest) = right.split_at(text(right));
        let digits = |bytes: &[u8]| {
            bytes
                .iter()
                .take_while(|byte| byte.is_ascii_digit())
                .count()
        };
        let (left_number, left_next) = left_rest.split_at(digits(left_rest));
        let (right_number, right_next) = right_rest.split_at(digits(right_rest));
        let ordering = left_text
            .cmp(right_text)
            .then_with(|| Number::parse(left_number).cmp(&Number::parse(right_number)));
        if ordering != Ordering::Equal {
            return ordering;
        }
        (left, right) = (left_next, right_next);
    }
    Ordering::Equal
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    start: (usize, usize),
    end: Option<(usize, usize)>,
    order: Order,
    own_order: bool,
}

fn key(text: &str) -> Result<Key, String> {
    let (start, end) = match text.split_once(',') {
        Some((start, end)) => (start, Some(end)),
        None => (text, None),
    };
    let mut order = Order::default();
    let mut own_order = false;
    let mut position = |text: &str, default: usize| -> Result<(usize, usize), String> {
        let letters = text
            .trim_start_matches(|character: char| character.is_ascii_digit() || character == '.');
        let numbers = &text[..text.len() - letters.len()];
        for letter in letters.chars() {
            if !order.add(letter) {
                return Err(format!(
                    "stray character in field spec: invalid field specification ‘{text}’"
                ));
            }
            own_order = true;
        }
        let (field, character) = match numbers.split_once('.') {
            Some((field, character)) => (field, character.parse().unwrap_or(default)),
            None => (numbers, default),
        };
        let field: usize = field.parse().map_err(|_| {
            format!("invalid number at field start: invalid count at start of ‘{text}’")
        })?;
        if field == 0 {
            return Err(format!(
                "field number is zero: invalid field specification ‘{text}’"
            ));
        }
        Ok((field, character))
    };
    let start = position(start, 1)?;
    let end = end.map(|end| position(end, 0)).transpose()?;
    Ok(Key {
        start,
        end,
        order,
        own_order,
    })
}

/// Where each field of a line begins and ends.
fn fields(line: &[u8], separator: Option<u8>) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = 0;
    if let Some(separator) = separator {
        for (at, byte) in line.iter().enumerate() {
            if *byte == separator {
                found.push((start, at));
                start = at + 1;
            }
        }
        found.push((start, line.len()));
        return found;
    }
    // Without a separator a field has the blanks before it.
    let blank = |byte: u8| byte == b' ' || byte == b'\t';
    while start < line.len() {
        let mut end = start;
        while end < line.len() && blank(line[end]) {
            end += 1;
        }
        while end < line.len() && !blank(line[end]) {
            end += 1;
        }
        found.push((start, end));
        start = end;
    }
    found
}

fn extract<'l>(line: &'l [u8], key: &Key, separator: Option<u8>) -> &'l [u8] {
    let fields = fields(line, separator);
    let skip_blanks = |mut at: usize| {
        while key.order.blanks && at < line.len() && matches!(line[at], b' ' | b'\t') {
            at += 1;
        }
        at
    };
    let start = match fields.get(key.start.0 - 1) {
        Some((start, _)) => (skip_blanks(*start) + key.start.1.saturating_sub(1)).min(line.len()),
        None => line.len(),
    };
    let end = match key.end {
        None => line.len(),
        Some((field, character)) => match fields.get(field - 1) {
            None => line.len(),
            Some((_, end)) if character == 0 => *end,
            Some((start, _)) => (skip_blanks(*start) + character).min(line.len()),
        },
    };
    &line[start..end.max(start)]
}

struct Comparer {
    keys: Vec<Key>,
    order: Order,
    separator: Option<u8>,
    stable: bool,
    unique: bool,
}

impl Comparer {
    fn by_keys(&self, left: &[u8], right: &[u8]) -> Ordering {
        if self.keys.is_empty() {
            return self.order.compare(left, right);
        }
        for key in &self.keys {
            let order = if key.own_order { key.order } else { self.order };
            let ordering = order.compare(
                extract(left, key, self.separator),
                extract(right, key, self.separator),
            );
            if ordering != Ordering::Equal {
                return ordering;
            }
        }
        Ordering::Equal
    }

    fn compare(&self, left: &[u8], right: &[u8]) -> Ordering {
        let ordering = self.by_keys(left, right);
        if ordering != Ordering::Equal || self.stable || self.unique {
            return ordering;
        }
        let last = left.cmp(right);
        if self.order.reverse {
            last.reverse()
        } else {
            last
        }
    }
}

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let options = match args::parse(&context, SPEC, 2).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mut order = Order::default();
    let mut keys = Vec::new();
    for (option, value) in &options.options {
        if *option == 'k' {
            match key(value) {
                Ok(key) => keys.push(key),
                Err(error) => {
                    complain(&context, &error).await;
                    return 2;
                }
            }
        } else {
            order.add(*option);
        }
    }
    let separator = match options.value('t') {
        None => None,
        Some("\\0") => Some(0),
        Some(text) if text.len() == 1 => text.bytes().next(),
        Some("") => {
            complain(&context, "empty tab").await;
            return 2;
        }
        Some(text) => {
            complain(&context, &format!("multi-character tab ‘{text}’")).await;
            return 2;
        }
    };
    let mut bytes = Vec::new();
    for operand in operands_or_stdin(&options.operands) {
        match read_all(&context, &operand).await {
            Ok(mut more) => {
                if !more.is_empty() && !more.ends_with(b"\n") {
                    more.push(b'\n');
                }
                bytes.append(&mut more);
            }
            Err(FileError::IsDirectory) => {
                complain(&context, &format!("read failed: {operand}: Is a directory")).await;
                return 2;
            }
            Err(error) => {
                complain(&context, &format!("cannot read: {operand}: {error}")).await;
                return 2;
            }
        }
    }
    let comparer = Comparer {
        keys,
        order,
        separator,
        stable: options.has('s') || options.has('m'),
        unique: options.has('u'),
    };
    let mut lines = super::text::lines_of(&bytes);
    if options.has('c') || options.has('C') {
        for (index, pair) in lines.windows(2).enumerate() {
            let ordering = comparer.compare(pair[0], pair[1]);
            if ordering == Ordering::Greater || comparer.unique && ordering == Ordering::Equal {
                if options.has('c') {
                    let name = options.operands.first().map_or("-", String::as_str);
                    let line = String::from_utf8_lossy(pair[1]);
                    complain(&context, &format!("{name}:{}: disorder: {line}", index + 2)).await;
                }
                return 1;
            }
        }
        return 0;
    }
    lines.sort_by(|left, right| comparer.compare(left, right));
    if comparer.unique {
        lines.dedup_by(|later, earlier| comparer.by_keys(earlier, later) == Ordering::Equal);
    }
    let mut sorted = Vec::with_capacity(bytes.len());
    for line in lines {
        sorted.extend_from_slice(line);
        sorted.push(b'\n');
    }
    if let Some(name) = options.value('o') {
        let path = context.path(name);
        if let Err(error) = files::check_writable(&context.process, &path) {
            complain(&context, &format!("open failed: {name}: {error}")).await;
            return 2;
        }
        context.process.with_disk(|disk| disk.write(&path, &sorted));
        return 0;
    }
    let mut output = Output::new(&context);
    output.push(&sorted);
    output.finish(0).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(lines: &[&str], keys: &[&str], letters: &str, separator: Option<u8>) -> Vec<String> {
        let mut order = Order::default();
        letters.chars().for_each(|letter| {
            order.add(letter);
        });
        let comparer = Comparer {
            keys: keys.iter().map(|text| key(text).unwrap()).collect(),
            order,
            separator,
            stable: false,
            unique: false,
        };
        let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        lines.sort_by(|left, right| comparer.compare(left.as_bytes(), right.as_bytes()));
        lines
    }

    #[test]
    fn orders() {
        assert_eq!(
            sorted(&["10", "9", "-1", "1.5"], &[], "n", None),
            ["-1", "1.5", "9", "10"]
        );
        assert_eq!(
            sorted(&["b 2", "a 1", "c 3"], &["2"], "nr", None),
            ["c 3", "b 2", "a 1"]
        );
        assert_eq!(
            sorted(&["a,2", "b,1"], &["2,2n"], "", Some(b',')),
            ["b,1", "a,2"]
        );
        assert_eq!(sorted(&["B", "a"], &[], "", None), ["B", "a"]);
        assert_eq!(sorted(&["B", "a"], &[], "f", None), ["a", "B"]);
        assert_eq!(sorted(&["v10", "v9"], &[], "V", None), ["v9", "v10"]);
        assert_eq!(
            sorted(&["2K", "1M", "3"], &[], "h", None),
            ["3", "2K", "1M"]
        );
    }

    #[test]
    fn bad_keys_are_refused() {
        assert!(key("0").is_err());
        assert!(key("x").is_err());
        assert!(key("1z").is_err());
    }
}
