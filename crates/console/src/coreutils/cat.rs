//! `cat`.

use super::args::{self, Spec};
use super::text::{Lines, Output, complain, open, operands_or_stdin};
use crate::commands::CommandContext;

const SPEC: Spec = Spec {
    short: "nbsvETAetu",
    long: &[
        ("number", 'n'),
        ("number-nonblank", 'b'),
        ("squeeze-blank", 's'),
        ("show-nonprinting", 'v'),
        ("show-ends", 'E'),
        ("show-tabs", 'T'),
        ("show-all", 'A'),
    ],
};

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let non_blank = options.has('b');
    let number = options.has('n') && !non_blank;
    let squeeze = options.has('s');
    let ends = options.has('E') || options.has('A') || options.has('e');
    let tabs = options.has('T') || options.has('A') || options.has('t');
    let controls = options.has('v') || options.has('A') || options.has('e') || options.has('t');
    let plain = !(non_blank || number || squeeze || ends || tabs || controls);
    let mut output = Output::new(&context);
    let mut status = 0;
    let mut count = 0_u64;
    let mut blank_before = false;
    let mut at_start = true;
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
        if plain {
            loop {
                let bytes = stream.read(usize::MAX).await;
                if bytes.is_empty() {
                    break;
                }
                output.push(&bytes);
                if !output.flush().await {
                    return 141;
                }
            }
            continue;
        }
        let mut lines = Lines::new(stream);
        while let Some(line) = lines.next(&mut output).await {
            let blank = line == b"\n";
            if squeeze && blank && blank_before {
                continue;
            }
            blank_before = blank;
            if at_start && (number || non_blank && !blank) {
                count += 1;
                output.text(&format!("{count:6}\t"));
            }
            at_start = line.ends_with(b"\n");
            for byte in &line {
                match byte {
                    b'\n' if ends => output.push(b"$\n"),
                    b'\n' => output.push(b"\n"),
                    b'\t' if tabs => output.push(b"^I"),
                    b'\t' => output.push(b"\t"),
                    byte if controls => show(*byte, &mut output),
                    byte => output.push(&[*byte]),
                }
            }
        }
        if output.broken {
            return 141;
        }
    }
    output.finish(status).await
}

fn show(byte: u8, output: &mut Output) {
    let byte = if byte >= 128 {
        output.push(b"M-");
        byte - 128
    } else {
        byte
    };
    match byte {
        0..32 => output.push(&[b'^', byte + 64]),
        127 => output.push(b"^?"),
        _ => output.push(&[byte]),
    }
}
