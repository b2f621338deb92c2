//! `md5sum`.

use md5::{Digest, Md5};

use super::args::{self, Spec};
use super::text::{Output, complain, operands_or_stdin, read_all};
use crate::commands::CommandContext;

const SPEC: Spec = Spec {
    short: "cbtz",
    long: &[
        ("check", 'c'),
        ("binary", 'b'),
        ("text", 't'),
        ("quiet", 'z'),
    ],
};

fn hash(bytes: &[u8]) -> String {
    Md5::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mut output = Output::new(&context);
    let mut status = 0;
    for operand in operands_or_stdin(&options.operands) {
        let bytes = match read_all(&context, &operand).await {
            Ok(bytes) => bytes,
            Err(error) => {
                output.flush().await;
                complain(&context, &format!("{operand}: {error}")).await;
                status = 1;
                continue;
            }
        };
        if !options.has('c') {
            output.text(&format!("{}  {operand}\n", hash(&bytes)));
            continue;
        }
        let mut failed = 0;
        for line in String::from_utf8_lossy(&bytes).lines() {
            let Some((wanted, name)) = line.split_once(' ') else {
                continue;
            };
            let name = name.trim_start_matches([' ', '*']);
            let same = match read_all(&context, name).await {
                Ok(bytes) => hash(&bytes) == wanted,
                Err(_) => false,
            };
            failed += i32::from(!same);
            output.text(&format!("{name}: {}\n", if same { "OK" } else { "FAILED" }));
        }
        if failed > 0 {
            output.flush().await;
            complain(
                &context,
                &format!(
                    "WARNING: {failed} computed checksum{} did NOT match",
                    if failed == 1 { "" } else { "s" }
                ),
            )
            .await;
            status = 1;
        }
    }
    output.finish(status).await
}
