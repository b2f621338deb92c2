//! `wc`.

use super::args::{self, Spec};
use super::text::{Output, complain, open};
use crate::commands::CommandContext;
use crate::files;

const SPEC: Spec = Spec {
    short: "lwcmL",
    long: &[
        ("lines", 'l'),
        ("words", 'w'),
        ("bytes", 'c'),
        ("chars", 'm'),
        ("max-line-length", 'L'),
    ],
};

#[derive(Clone, Copy, Default)]
struct Counts {
    lines: u64,
    words: u64,
    characters: u64,
    bytes: u64,
    longest: u64,
}

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mut columns: Vec<char> = "lwmcL"
        .chars()
        .filter(|option| options.has(*option))
        .collect();
    if columns.is_empty() {
        columns = vec!['l', 'w', 'c'];
    }
    let mut rows: Vec<(Counts, String)> = Vec::new();
    let mut total = Counts::default();
    let mut status = 0;
    let mut output = Output::new(&context);
    let mut errors = Vec::new();
    let from_stdin = options.operands.is_empty();
    let operands = super::text::operands_or_stdin(&options.operands);
    for operand in &operands {
        let stream = match open(&context, operand) {
            Ok(stream) => stream,
            Err(error) => {
                errors.push(format!("{operand}: {error}"));
                status = 1;
                continue;
            }
        };
        let counts = count(&stream.read_to_end().await);
        total.lines += counts.lines;
        total.words += counts.words;
        total.characters += counts.characters;
        total.bytes += counts.bytes;
        total.longest = total.longest.max(counts.longest);
        rows.push((
            counts,
            if from_stdin {
                String::new()
            } else {
                format!(" {operand}")
            },
        ));
    }
    for error in errors {
        complain(&context, &error).await;
    }
    // GNU's width: the digits of all files' sizes together; 7 where a size cannot be known; none is needed
    // for one number alone.
    let regular = |operand: &String| {
        operand != "-" && files::kind(&context.process, &context.path(operand)).is_some()
    };
    let width = if columns.len() == 1 && operands.len() == 1 {
        1
    } else if operands.iter().all(regular) {
        let size: u64 = operands
            .iter()
            .map(|operand| files::length(&context.process, &context.path(operand)))
            .sum();
        size.to_string().len()
    } else if operands.iter().any(|operand| operand == "-") {
        7
    } else {
        total.bytes.to_string().len()
    };
    if operands.len() > 1 {
        rows.push((total, " total".to_owned()));
    }
    for (counts, name) in rows {
        let numbers: Vec<String> = columns
            .iter()
            .map(|column| {
                let value = match column {
                    'l' => counts.lines,
                    'w' => counts.words,
                    'm' => counts.characters,
                    'c' => counts.bytes,
                    _ => counts.longest,
                };
                format!("{value:width$}")
            })
            .collect();
        output.text(&format!("{}{name}\n", numbers.join(" ")));
    }
    output.finish(status).await
}

fn count(bytes: &[u8]) -> Counts {
    let text = String::from_utf8_lossy(bytes);
    Counts {
        lines: bytes.iter().filter(|byte| **byte == b'\n').count() as u64,
        words: text.split_whitespace().count() as u64,
        characters: text.chars().count() as u64,
        bytes: bytes.len() as u64,
        longest: text
            .split('\n')
            .map(unicode_width::UnicodeWidthStr::width)
            .max()
            .unwrap_or(0) as u64,
    }
}
