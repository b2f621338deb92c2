//! `head`.

use super::args::{self, Spec};
use super::text::{Lines, Output, complain, open, operands_or_stdin};
use crate::commands::CommandContext;
use crate::files::FileError;

const SPEC: Spec = Spec {
    short: "n:c:qv",
    long: &[
        ("lines", 'n'),
        ("bytes", 'c'),
        ("quiet", 'q'),
        ("silent", 'q'),
        ("verbose", 'v'),
    ],
};

/// A count with GNU's suffixes (`K`, `kB`, `M`, …).
pub fn count(text: &str) -> Option<u64> {
    let digits = text.len()
        - text
            .trim_start_matches(|character: char| character.is_ascii_digit())
            .len();
    let (number, suffix) = text.split_at(digits);
    let factor: u64 = match suffix {
        "" => 1,
        "b" => 512,
        "kB" | "KB" => 1000,
        "k" | "K" | "KiB" => 1024,
        "MB" => 1_000_000,
        "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor)
}

/// `-5` as the first argument means `-n 5`.
pub fn old_style(context: &mut CommandContext) {
    if let Some(first) = context.args.first().and_then(|arg| arg.strip_prefix('-'))
        && !first.is_empty()
        && first.chars().all(|character| character.is_ascii_digit())
    {
        let number = first.to_owned();
        context.args.splice(..1, ["-n".to_owned(), number]);
    }
}

/// Says that a file cannot be opened, in the words of `head` and `tail`.
pub async fn complain_open(context: &CommandContext, operand: &str, error: FileError) {
    if error == FileError::IsDirectory {
        complain(context, &format!("error reading '{operand}': {error}")).await;
    } else {
        complain(
            context,
            &format!("cannot open '{operand}' for reading: {error}"),
        )
        .await;
    }
}

/// Runs it.
pub async fn run(mut context: CommandContext) -> i32 {
    old_style(&mut context);
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let bytes = options
        .options
        .iter()
        .rev()
        .find(|(option, _)| matches!(option, 'n' | 'c'))
        .is_some_and(|(o, _)| *o == 'c');
    let text = options.value(if bytes { 'c' } else { 'n' }).unwrap_or("10");
    let (all_but, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let Some(limit) = count(digits) else {
        let what = if bytes { "bytes" } else { "lines" };
        complain(&context, &format!("invalid number of {what}: '{text}'")).await;
        return 1;
    };
    let operands = operands_or_stdin(&options.operands);
    let headers = options.has('v') || operands.len() > 1 && !options.has('q');
    let mut output = Output::new(&context);
    let mut status = 0;
    let mut first = true;
    for operand in operands {
        let stream = match open(&context, &operand) {
            Ok(stream) => stream,
            Err(error) => {
                output.flush().await;
                complain_open(&context, &operand, error).await;
                status = 1;
                continue;
            }
        };
        if headers {
            let name = if operand == "-" {
                "standard input"
            } else {
                &operand
            };
            output.text(&format!(
                "{}==> {name} <==\n",
                if first { "" } else { "\n" }
            ));
        }
        first = false;
        if all_but {
            let all = stream.read_to_end().await;
            let end = if bytes {
                all.len()
                    .saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX))
            } else {
                let lines: Vec<&[u8]> = all.split_inclusive(|byte| *byte == b'\n').collect();
                let kept = lines
                    .len()
                    .saturating_sub(usize::try_from(limit).unwrap_or(usize::MAX));
                lines[..kept].iter().map(|line| line.len()).sum()
            };
            output.push(&all[..end]);
        } else if bytes {
            let mut left = limit;
            while left > 0 {
                let block = stream
                    .read(usize::try_from(left).unwrap_or(usize::MAX))
                    .await;
                if block.is_empty() {
                    break;
                }
                left -= block.len() as u64;
                output.push(&block);
                if !output.settle().await {
                    return 141;
                }
            }
        } else {
            let mut lines = Lines::new(stream);
            for _ in 0..limit {
                match lines.next(&mut output).await {
                    Some(line) => output.push(&line),
                    None => break,
                }
            }
        }
        if output.broken {
            return 141;
        }
    }
    output.finish(status).await
}
