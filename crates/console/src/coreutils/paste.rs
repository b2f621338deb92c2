//! `paste`.

use super::args::{self, Spec};
use super::escapes::unescape;
use super::text::{Lines, Output, chomp, complain, open, operands_or_stdin};
use crate::commands::CommandContext;

const SPEC: Spec = Spec {
    short: "sd:z",
    long: &[("serial", 's'), ("delimiters", 'd')],
};

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let text = String::from_utf8_lossy(&unescape(options.value('d').unwrap_or("\t"), false).0)
        .into_owned();
    let delimiters: Vec<String> = text
        .chars()
        .map(|c| {
            if c == '\0' {
                String::new()
            } else {
                c.to_string()
            }
        })
        .collect();
    let delimiter = |index: usize| match delimiters.len() {
        0 => "",
        count => delimiters[index % count].as_str(),
    };
    let mut output = Output::new(&context);
    let mut inputs = Vec::new();
    let mut shared: Option<usize> = None;
    let mut which = Vec::new();
    for operand in operands_or_stdin(&options.operands) {
        if operand == "-"
            && let Some(index) = shared
        {
            which.push(index);
            continue;
        }
        match open(&context, &operand) {
            Ok(stream) => {
                if operand == "-" {
                    shared = Some(inputs.len());
                }
                which.push(inputs.len());
                inputs.push(Lines::new(stream));
            }
            Err(error) => {
                complain(&context, &format!("{operand}: {error}")).await;
                return 1;
            }
        }
    }
    if options.has('s') {
        for input in &mut inputs {
            let mut count = 0;
            while let Some(line) = input.next(&mut output).await {
                if count > 0 {
                    output.text(delimiter(count - 1));
                }
                output.push(chomp(&line));
                count += 1;
            }
            output.push(b"\n");
        }
        return output.finish(0).await;
    }
    loop {
        let mut row = Vec::new();
        let mut any = false;
        for (column, index) in which.iter().enumerate() {
            if column > 0 {
                row.extend_from_slice(delimiter(column - 1).as_bytes());
            }
            if let Some(line) = inputs[*index].next(&mut output).await {
                any = true;
                row.extend_from_slice(chomp(&line));
            }
        }
        if !any {
            return output.finish(0).await;
        }
        row.push(b'\n');
        output.push(&row);
    }
}
