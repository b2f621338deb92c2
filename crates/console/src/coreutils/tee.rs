//! `tee`.

use super::args::{self, Spec};
use super::text::complain;
use crate::commands::CommandContext;
use crate::files;

const SPEC: Spec = Spec {
    short: "aip",
    long: &[("append", 'a'), ("ignore-interrupts", 'i')],
};

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mut outputs = Vec::new();
    let mut status = 0;
    for operand in &options.operands {
        let stdio = context.process.stdio();
        match files::create(
            &context.process,
            &context.path(operand),
            options.has('a'),
            &stdio,
        ) {
            Ok(stream) => outputs.push(stream),
            Err(error) => {
                complain(&context, &format!("{operand}: {error}")).await;
                status = 1;
            }
        }
    }
    loop {
        let bytes = context.stdin.read(usize::MAX).await;
        if bytes.is_empty() {
            return status;
        }
        for output in &outputs {
            let _ = output.write(&bytes).await;
        }
        if context.stdout.write(&bytes).await.is_err() {
            return 141;
        }
    }
}
