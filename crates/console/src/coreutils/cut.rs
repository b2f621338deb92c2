//! `cut`.

use super::args::{self, Spec};
use super::text::{Lines, Output, chomp, complain, open, operands_or_stdin};
use crate::commands::CommandContext;

const SPEC: Spec = Spec {
    short: "b:c:f:d:snzo:",
    long: &[
        ("bytes", 'b'),
        ("characters", 'c'),
        ("fields", 'f'),
        ("delimiter", 'd'),
        ("only-delimited", 's'),
        ("output-delimiter", 'o'),
        ("complement", 'n'),
    ],
};

/// Ranges of positions, counted from 1, in order and apart.
fn ranges(text: &str) -> Result<Vec<(usize, usize)>, String> {
    let mut found = Vec::new();
    for part in text.split([',', ' ']) {
        let number = |digits: &str| {
            digits.parse::<usize>().map_err(|_| {
                if digits.is_empty() {
                    "invalid range with no endpoint: -".to_owned()
                } else {
                    format!("invalid field value ‘{digits}’")
                }
            })
        };
        let range = match part.split_once('-') {
            Some(("", "")) => return Err("invalid range with no endpoint: -".to_owned()),
            Some(("", last)) => (1, number(last)?),
            Some((first, "")) => (number(first)?, usize::MAX),
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(part)?, number(part)?),
        };
        if range.0 == 0 {
            return Err("fields are numbered from 1".to_owned());
        }
        if range.0 > range.1 {
            return Err("invalid decreasing range".to_owned());
        }
        found.push(range);
    }
    found.sort_unstable();
    let mut merged: Vec<(usize, usize)> = Vec::new();
    for range in found {
        match merged.last_mut() {
            Some(last) if range.0 <= last.1.saturating_add(1) => last.1 = last.1.max(range.1),
            _ => merged.push(range),
        }
    }
    Ok(merged)
}

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let try_help = "Try 'cut --help' for more information.";
    let chosen: Vec<char> = ['b', 'c', 'f']
        .into_iter()
        .filter(|option| options.has(*option))
        .collect();
    let mode = match chosen.as_slice() {
        [mode] => *mode,
        [] => {
            complain(
                &context,
                &format!("you must specify a list of bytes, characters, or fields\n{try_help}"),
            )
            .await;
            return 1;
        }
        _ => {
            complain(
                &context,
                &format!("only one list may be specified\n{try_help}"),
            )
            .await;
            return 1;
        }
    };
    let list = match ranges(options.value(mode).unwrap_or_default()) {
        Ok(list) => list,
        Err(error) => {
            let error = if mode == 'f' {
                error
            } else {
                error
                    .replace("fields are", "byte/character positions are")
                    .replace("invalid field value", "invalid byte/character position")
            };
            complain(&context, &format!("{error}\n{try_help}")).await;
            return 1;
        }
    };
    let delimiter = options.value('d').unwrap_or("\t");
    if delimiter.chars().count() > 1 {
        complain(
            &context,
            &format!("the delimiter must be a single character\n{try_help}"),
        )
        .await;
        return 1;
    }
    if mode != 'f' && options.has('d') {
        complain(
            &context,
            &format!(
                "an input delimiter may be specified only when operating on fields\n{try_help}"
            ),
        )
        .await;
        return 1;
    }
    let joiner = options
        .value('o')
        .unwrap_or(if mode == 'f' { delimiter } else { "" })
        .to_owned();
    let chosen = |position: usize| {
        list.iter()
            .any(|(first, last)| (*first..=*last).contains(&position))
            != options.has('n')
    };
    let mut output = Output::new(&context);
    let mut status = 0;
    for operand in operands_or_stdin(&options.operands) {
        let stream = match open(&context, &operand) {
            Ok(stream) => stream,
            Err(error) => {
                output.flush().await;
                complain(&context, &format!("{operand}: {error}")).await;
                status = 1;
                continue;
            }
        };
        let mut lines = Lines::new(stream);
        while let Some(line) = lines.next(&mut output).await {
            let line = chomp(&line);
            match mode {
                'b' => {
                    let kept: Vec<u8> = line
                        .iter()
                        .enumerate()
                        .filter(|(at, _)| chosen(at + 1))
                        .map(|(_, byte)| *byte)
                        .collect();
                    output.push(&kept);
                }
                'c' => {
                    let text = String::from_utf8_lossy(line);
                    let kept: String = text
                        .chars()
                        .enumerate()
                        .filter(|(at, _)| chosen(at + 1))
                        .map(|(_, character)| character)
                        .collect();
                    output.text(&kept);
                }
                _ => {
                    let text = String::from_utf8_lossy(line);
                    if !text.contains(delimiter) || delimiter.is_empty() {
                        if options.has('s') {
                            continue;
                        }
                        output.push(line);
                    } else {
                        let kept: Vec<&str> = text
                            .split(delimiter)
                            .enumerate()
                            .filter(|(at, _)| chosen(at + 1))
                            .map(|(_, field)| field)
                            .collect();
                        output.text(&kept.join(&joiner));
                    }
                }
            }
            output.push(b"\n");
        }
    }
    output.finish(status).await
}
