//! `tail`, with `-f`.

use std::collections::VecDeque;
use std::time::Duration;

use super::args::{self, Spec};
use super::head::{complain_open, count, old_style};
use super::text::{Output, complain, open, operands_or_stdin};
use crate::commands::CommandContext;
use crate::files;

const SPEC: Spec = Spec {
    short: "n:c:fFqvs:",
    long: &[
        ("lines", 'n'),
        ("bytes", 'c'),
        ("follow", 'f'),
        ("quiet", 'q'),
        ("silent", 'q'),
        ("verbose", 'v'),
        ("sleep-interval", 's'),
        ("retry", 'F'),
    ],
};

/// How often a followed file is looked at.
const FOLLOW_INTERVAL: Duration = Duration::from_millis(100);

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
    let (from_start, digits) = match text.strip_prefix('+') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('-').unwrap_or(text)),
    };
    let Some(limit) = count(digits) else {
        let what = if bytes { "bytes" } else { "lines" };
        complain(&context, &format!("invalid number of {what}: '{text}'")).await;
        return 1;
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let follow = options.has('f') || options.has('F');
    let operands = operands_or_stdin(&options.operands);
    let headers = options.has('v') || operands.len() > 1 && !options.has('q');
    let mut output = Output::new(&context);
    let mut status = 0;
    let mut first = true;
    let mut followed: Vec<(String, u64)> = Vec::new();
    let mut shown = None;
    for operand in &operands {
        let stream = match open(&context, operand) {
            Ok(stream) => stream,
            Err(error) => {
                output.flush().await;
                complain_open(&context, operand, error).await;
                status = 1;
                if options.has('F') {
                    followed.push((operand.clone(), 0));
                }
                continue;
            }
        };
        if headers {
            let name = if operand == "-" {
                "standard input"
            } else {
                operand
            };
            output.text(&format!(
                "{}==> {name} <==\n",
                if first { "" } else { "\n" }
            ));
        }
        first = false;
        shown = Some(operand.clone());
        if follow && operand != "-" {
            followed.push((
                operand.clone(),
                files::length(&context.process, &context.path(operand)),
            ));
        }
        if from_start && bytes {
            let mut skip = limit.saturating_sub(1);
            loop {
                let block = stream.read(usize::MAX).await;
                if block.is_empty() {
                    break;
                }
                let skipped = skip.min(block.len());
                skip -= skipped;
                output.push(&block[skipped..]);
                if !output.flush().await {
                    return 141;
                }
            }
        } else if from_start {
            let mut lines = super::text::Lines::new(stream);
            let mut number = 1;
            while let Some(line) = lines.next(&mut output).await {
                if number >= limit {
                    output.push(&line);
                }
                number += 1;
            }
        } else if bytes {
            let all = stream.read_to_end().await;
            output.push(&all[all.len().saturating_sub(limit)..]);
        } else {
            let mut last: VecDeque<Vec<u8>> = VecDeque::new();
            let mut lines = super::text::Lines::new(stream);
            while let Some(line) = lines.next(&mut output).await {
                last.push_back(line);
                if last.len() > limit {
                    last.pop_front();
                }
            }
            last.iter().for_each(|line| output.push(line));
        }
    }
    if !output.flush().await {
        return 141;
    }
    if !follow || followed.is_empty() {
        return status;
    }
    loop {
        context.process.sleep(FOLLOW_INTERVAL).await;
        for (operand, position) in &mut followed {
            let path = context.path(operand);
            let length = files::length(&context.process, &path);
            if length < *position {
                complain(&context, &format!("{operand}: file truncated")).await;
                *position = 0;
            }
            if length == *position {
                continue;
            }
            let more = context
                .process
                .with_disk(|disk| disk.read(&path, *position, usize::MAX))
                .unwrap_or_default();
            if headers && shown.as_ref() != Some(operand) {
                output.text(&format!("\n==> {operand} <==\n"));
                shown = Some(operand.clone());
            }
            output.push(&more);
            *position += more.len() as u64;
        }
        if !output.flush().await {
            return 141;
        }
    }
}
