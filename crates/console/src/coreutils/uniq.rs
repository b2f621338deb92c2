//! `uniq`.

use super::args::{self, Spec};
use super::text::{Lines, Output, chomp, complain, open};
use crate::commands::CommandContext;
use crate::files;

const SPEC: Spec = Spec {
    short: "cdDuif:s:w:z",
    long: &[
        ("count", 'c'),
        ("repeated", 'd'),
        ("all-repeated", 'D'),
        ("unique", 'u'),
        ("ignore-case", 'i'),
        ("skip-fields", 'f'),
        ("skip-chars", 's'),
        ("check-chars", 'w'),
    ],
};

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let number = |option: char| {
        options
            .value(option)
            .and_then(|value| value.parse::<usize>().ok())
    };
    let key = |line: &[u8]| -> Vec<u8> {
        let mut rest = line;
        for _ in 0..number('f').unwrap_or(0) {
            let blanks = rest
                .iter()
                .take_while(|byte| byte.is_ascii_whitespace())
                .count();
            rest = &rest[blanks..];
            let word = rest
                .iter()
                .take_while(|byte| !byte.is_ascii_whitespace())
                .count();
            rest = &rest[word..];
        }
        rest = rest.get(number('s').unwrap_or(0)..).unwrap_or_default();
        if let Some(width) = number('w') {
            rest = &rest[..width.min(rest.len())];
        }
        if options.has('i') {
            rest.to_ascii_lowercase()
        } else {
            rest.to_vec()
        }
    };
    let operand = options.operands.first().map_or("-", String::as_str);
    let stream = match open(&context, operand) {
        Ok(stream) => stream,
        Err(error) => {
            complain(&context, &format!("{operand}: {error}")).await;
            return 1;
        }
    };
    let mut output = Output::new(&context);
    let mut lines = Lines::new(stream);
    let mut group: Vec<Vec<u8>> = Vec::new();
    let mut count = 0_u64;
    let mut group_key = Vec::new();
    let mut written = Vec::new();
    loop {
        let line = lines.next(&mut output).await;
        let line_key = line.as_ref().map(|line| key(chomp(line)));
        if count > 0 && line_key.as_ref() != Some(&group_key) {
            let repeated = count > 1;
            let shown = match (options.has('d') || options.has('D'), options.has('u')) {
                (false, false) => true,
                (true, false) => repeated,
                (false, true) => !repeated,
                (true, true) => false,
            };
            if shown {
                for line in &group {
                    let mut text = Vec::new();
                    if options.has('c') {
                        text.extend(format!("{count:7} ").into_bytes());
                    }
                    text.extend_from_slice(line);
                    text.push(b'\n');
                    if options.operands.len() > 1 {
                        written.extend(text);
                    } else {
                        output.push(&text);
                    }
                }
            }
            group.clear();
            count = 0;
        }
        let (Some(line), Some(line_key)) = (line, line_key) else {
            break;
        };
        if count == 0 || options.has('D') {
            group.push(chomp(&line).to_vec());
        }
        count += 1;
        group_key = line_key;
    }
    if let Some(name) = options.operands.get(1) {
        let path = context.path(name);
        if let Err(error) = files::check_writable(&context.process, &path) {
            complain(&context, &format!("{name}: {error}")).await;
            return 1;
        }
        context
            .process
            .with_disk(|disk| disk.write(&path, &written));
    }
    output.finish(0).await
}
