//! The engine's own tests again, compiled to wasm32 and run by Node.js.
//!
//! `#[test]` needs a standard output and an exit code, which `wasm32-wasip1` has and the browser's target has not. Code and
//! pointers are the same 32 bits; the engine knows neither system.

use std::process::Command;

use anyhow::Result;

use super::count::{self, Count, Format};
use crate::{node, steps, tools};

/// The target that has what `#[test]` needs.
pub const TARGET: &str = "wasm32-wasip1";

const ENGINE: [&str; 6] = [
    "playground-protocol",
    "playground-log",
    "playground-broker",
    "playground-client",
    "playground-sim",
    "playground-console",
];

/// Runs them, then the transcripts.
pub fn run() -> Result<Count> {
    node::node()?;
    tools::rust_target(TARGET)?;
    let mut engine = cargo_test()?;
    for package in ENGINE {
        engine.args(["--package", package]);
    }
    let mut count = count::run(engine.args(["--lib", "--tests"]), Format::Libtest)?;
    let mut transcripts = cargo_test()?;
    transcripts.args(["--package", "playground-tests", "--test", "transcripts"]);
    count += count::run(&mut transcripts, Format::Libtest)?;
    Ok(count)
}

fn cargo_test() -> Result<Command> {
    let mut command = steps::cargo(["test", "--target", TARGET, "--no-fail-fast"]);
    command.args(runner()?);
    Ok(command)
}

/// Cargo's options that let Node.js run what is compiled for [`TARGET`].
pub fn runner() -> Result<[String; 4]> {
    let script = steps::root().join("tests/wasm/run.mjs");
    let runner = serde_json::to_string(&["node", &script.to_string_lossy()])?;
    // Unoptimized frames are large; the page's are not.
    let stack = r#"["-Clink-arg=-zstack-size=8388608"]"#;
    let config = || "--config".to_owned();
    Ok([
        config(),
        format!("target.{TARGET}.runner={runner}"),
        config(),
        format!("target.{TARGET}.rustflags={stack}"),
    ])
}
