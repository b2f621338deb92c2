//! `xargs`.

use playground_sim::InputStream;

use super::args::{self, Spec};
use super::run_command;
use super::text::complain;
use crate::commands::CommandContext;

const SPEC: Spec = Spec {
    short: "n:I:L:l?0d:rtpP:a:s:E:x",
    long: &[
        ("max-args", 'n'),
        ("replace", 'I'),
        ("max-lines", 'L'),
        ("null", '0'),
        ("delimiter", 'd'),
        ("no-run-if-empty", 'r'),
        ("verbose", 't'),
        ("max-procs", 'P'),
        ("arg-file", 'a'),
    ],
};

/// Arguments that one command gets at most.
const ARGS_MAX: usize = 20_000;

/// Cuts input at blanks, honouring quotes and backslashes; lines are kept apart.
fn words(text: &str) -> Result<Vec<Vec<String>>, String> {
    let mut lines = vec![Vec::new()];
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    let push = |word: &mut Option<String>, lines: &mut Vec<Vec<String>>| {
        if let (Some(word), Some(line)) = (word.take(), lines.last_mut()) {
            line.push(word);
        }
    };
    while let Some(character) = characters.next() {
        match character {
            '\'' | '"' => {
                let target = word.get_or_insert_default();
                loop {
                    match characters.next() {
                        Some(next) if next == character => break,
                        Some('\n') | None => {
                            let kind = if character == '"' { "double" } else { "single" };
                            return Err(format!(
                                "unmatched {kind} quote; by default quotes are special to xargs unless you use the -0 option"
                            ));
                        }
                        Some(next) => target.push(next),
                    }
                }
            }
            '\\' => {
                if let Some(next) = characters.next() {
                    word.get_or_insert_default().push(next);
                }
            }
            '\n' => {
                push(&mut word, &mut lines);
                lines.push(Vec::new());
            }
            character if character.is_whitespace() => push(&mut word, &mut lines),
            character => word.get_or_insert_default().push(character),
        }
    }
    push(&mut word, &mut lines);
    lines.retain(|line| !line.is_empty());
    Ok(lines)
}

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let options = match args::parse_in_order(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let number = |option: char| {
        options
            .value(option)
            .and_then(|value| value.parse::<usize>().ok())
    };
    if let Some(text) = options.value('n').filter(|text| {
        text.parse::<usize>().is_ok_and(|n| n == 0) || text.parse::<usize>().is_err()
    }) {
        complain(
            &context,
            &format!("value {text} for -n option should be >= 1"),
        )
        .await;
        return 1;
    }
    let bytes = match options.value('a') {
        Some(file) => match super::text::read_all(&context, file).await {
            Ok(bytes) => bytes,
            Err(error) => {
                complain(
                    &context,
                    &format!("Cannot open input file '{file}': {error}"),
                )
                .await;
                return 1;
            }
        },
        None => context.stdin.read_to_end().await,
    };
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let replace = options.value('I');
    let items: Vec<Vec<String>> = if options.has('0') || options.has('d') {
        let delimiter = if options.has('0') {
            "\0".to_owned()
        } else {
            let text = options.value('d').unwrap_or("\n");
            String::from_utf8_lossy(&super::escapes::unescape(text, false).0).into_owned()
        };
        let text = text.strip_suffix(&delimiter).unwrap_or(&text);
        if text.is_empty() {
            Vec::new()
        } else {
            text.split(&delimiter)
                .map(|item| vec![item.to_owned()])
                .collect()
        }
    } else if replace.is_some() {
        text.lines()
            .map(str::trim)
            .filter(|line| !line.is_empty())
            .map(|line| vec![line.to_owned()])
            .collect()
    } else {
        match words(&text) {
            Ok(lines) => lines,
            Err(error) => {
                complain(&context, &error).await;
                return 1;
            }
        }
    };
    let mut operands = options.operands.clone();
    let name = if operands.is_empty() {
        "echo".to_owned()
    } else {
        operands.remove(0)
    };
    let mut batches: Vec<Vec<String>> = Vec::new();
    if let Some(mark) = replace {
        for item in items.iter().flatten() {
            batches.push(
                operands
                    .iter()
                    .map(|operand| operand.replace(mark, item))
                    .collect(),
            );
        }
    } else {
        let groups: Vec<Vec<String>> = match number('L') {
            Some(lines) => items
                .chunks(lines.max(1))
                .map(|lines| lines.concat())
                .collect(),
            None => items
                .concat()
                .chunks(number('n').unwrap_or(ARGS_MAX))
                .map(<[String]>::to_vec)
                .collect(),
        };
        for group in groups {
            batches.push(operands.iter().cloned().chain(group).collect());
        }
        if batches.is_empty() && !options.has('r') {
            batches.push(operands.clone());
        }
    }
    let mut status = 0;
    for batch in batches {
        if options.has('t') {
            context.err(&format!("{name} {}\n", batch.join(" "))).await;
        }
        let code = run_command::run(&context, &name, batch, InputStream::null()).await;
        match code {
            0 => {}
            127 => {
                complain(&context, &format!("{name}: No such file or directory")).await;
                return 127;
            }
            255 => {
                complain(
                    &context,
                    &format!("{name}: exited with status 255; aborting"),
                )
                .await;
                return 124;
            }
            code if code > 128 => {
                complain(
                    &context,
                    &format!("{name}: terminated by signal {}", code - 128),
                )
                .await;
                return 125;
            }
            _ => status = 123,
        }
    }
    status
}
