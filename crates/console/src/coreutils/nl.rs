//! `nl`.

use super::args::{self, Spec};
use super::text::{Lines, Output, chomp, complain, open, operands_or_stdin};
use crate::commands::CommandContext;

const SPEC: Spec = Spec {
    short: "b:w:s:v:i:n:",
    long: &[
        ("body-numbering", 'b'),
        ("number-width", 'w'),
        ("number-separator", 's'),
        ("starting-line-number", 'v'),
        ("line-increment", 'i'),
        ("number-format", 'n'),
    ],
};

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let number = |option: char, default: i64| {
        options
            .value(option)
            .and_then(|value| value.parse().ok())
            .unwrap_or(default)
    };
    let width = usize::try_from(number('w', 6)).unwrap_or(6).min(1000);
    let separator = options.value('s').unwrap_or("\t");
    let style = options.value('b').unwrap_or("t");
    let mut next: i64 = number('v', 1);
    let mut output = Output::new(&context);
    let mut status = 0;
    for operand in operands_or_stdin(&options.operands) {
        let stream = match open(&context, &operand) {
            Ok(stream) => stream,
            Err(error) => {
                complain(&context, &format!("{operand}: {error}")).await;
                status = 1;
                continue;
            }
        };
        let mut lines = Lines::new(stream);
        while let Some(line) = lines.next(&mut output).await {
            let line = chomp(&line);
            if style == "a" || style == "t" && !line.is_empty() {
                let label = match options.value('n') {
                    Some("ln") => format!("{next:<width$}"),
                    Some("rz") => format!("{next:0width$}"),
                    _ => format!("{next:width$}"),
                };
                output.text(&label);
                output.text(separator);
                next = next.saturating_add(number('i', 1));
            } else {
                output.text(&" ".repeat(width + separator.len()));
            }
            output.push(line);
            output.push(b"\n");
        }
    }
    output.finish(status).await
}
