//! `tr`.

use super::args::{self, Spec};
use super::escapes::{Escape, escape};
use super::text::{Output, complain};
use crate::commands::CommandContext;
use crate::shell::pattern::is_class;

const SPEC: Spec = Spec {
    short: "cCdst",
    long: &[
        ("complement", 'c'),
        ("delete", 'd'),
        ("squeeze-repeats", 's'),
        ("truncate-set1", 't'),
    ],
};

/// The characters of a set. Bytes that are no UTF-8 pass through untouched.
fn set(text: &str) -> Result<Vec<char>, String> {
    let mut items: Vec<char> = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        let literal = match character {
            '\\' => match escape(&mut rest, false) {
                Escape::Bytes(bytes) => bytes.first().map_or('\\', |byte| char::from(*byte)),
                _ => rest.next().unwrap_or('\\'),
            },
            '[' if rest.peek() == Some(&':') => {
                let ahead: String = rest.clone().collect();
                match ahead.find(":]") {
                    Some(end) => {
                        let class = &ahead[1..end];
                        for byte in 0..128_u8 {
                            if is_class(class, char::from(byte)) {
                                items.push(char::from(byte));
                            }
                        }
                        for _ in 0..ahead[..end + 2].chars().count() {
                            rest.next();
                        }
                        continue;
                    }
                    None => character,
                }
            }
            character => character,
        };
        if rest.peek() == Some(&'-') && rest.clone().nth(1).is_some() {
            rest.next();
            let high = match rest.next() {
                Some('\\') => match escape(&mut rest, false) {
                    Escape::Bytes(bytes) => bytes.first().map_or('\\', |byte| char::from(*byte)),
                    _ => rest.next().unwrap_or('\\'),
                },
                Some(high) => high,
                None => '-',
            };
            if high < literal {
                return Err(format!(
                    "range-endpoints of '{literal}-{high}' are in reverse collating sequence order"
                ));
            }
            items.extend(literal..=high);
        } else {
            items.push(literal);
        }
    }
    Ok(items)
}

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let delete = options.has('d');
    let squeeze = options.has('s');
    let complement = options.has('c') || options.has('C');
    let operands = &options.operands;
    let help = "\nTry 'tr --help' for more information.";
    if operands.is_empty() {
        complain(&context, &format!("missing operand{help}")).await;
        return 1;
    }
    if operands.len() == 1 && !delete && !squeeze {
        let text = format!(
            "missing operand after ‘{}’\nTwo strings must be given when translating.{help}",
            operands[0]
        );
        complain(&context, &text).await;
        return 1;
    }
    let most = if delete && !squeeze { 1 } else { 2 };
    if let Some(extra) = operands.get(most) {
        let only = if most == 1 {
            "\nOnly one string may be given when deleting without squeezing repeats."
        } else {
            ""
        };
        complain(&context, &format!("extra operand ‘{extra}’{only}{help}")).await;
        return 1;
    }
    let mut sets = Vec::new();
    for operand in operands {
        match set(operand) {
            Ok(set) => sets.push(set),
            Err(error) => {
                complain(&context, &error).await;
                return 1;
            }
        }
    }
    let first = sets.first().cloned().unwrap_or_default();
    let second = sets.get(1).cloned();
    let inside = |character: char| first.contains(&character) != complement;
    // One lookup for the common characters, a search for the others.
    let translate = |character: char| -> char {
        let Some(second) = second.as_ref().filter(|_| !delete) else {
            return character;
        };
        let Some(last) = second.last().copied() else {
            return character;
        };
        if complement {
            return if inside(character) { last } else { character };
        }
        match first.iter().rposition(|candidate| *candidate == character) {
            Some(at) => {
                second
                    .get(at)
                    .copied()
                    .unwrap_or(if options.has('t') { character } else { last })
            }
            None => character,
        }
    };
    let ascii: Vec<char> = (0..128_u8)
        .map(|byte| translate(char::from(byte)))
        .collect();
    let squeezed = |character: char| match &second {
        Some(second) => second.contains(&character),
        None => inside(character),
    };
    let mut output = Output::new(&context);
    let mut previous = None;
    let mut pending: Vec<u8> = Vec::new();
    loop {
        let more = context.stdin.read(usize::MAX).await;
        let ended = more.is_empty();
        pending.extend(more);
        // A character that a read cut in two waits for its other half.
        let valid = match std::str::from_utf8(&pending) {
            Err(error) if error.error_len().is_none() && !ended => error.valid_up_to(),
            _ => pending.len(),
        };
        let block: Vec<u8> = pending.drain(..valid).collect();
        let mut text = String::with_capacity(block.len());
        for character in String::from_utf8_lossy(&block).chars() {
            if delete && inside(character) {
                continue;
            }
            let character = if character.is_ascii() {
                ascii[character as usize]
            } else {
                translate(character)
            };
            if squeeze && previous == Some(character) && squeezed(character) {
                continue;
            }
            previous = Some(character);
            text.push(character);
        }
        output.text(&text);
        if !output.flush().await {
            return 141;
        }
        if ended {
            return 0;
        }
    }
}
