//! The tests on this machine: every crate but the page's.

use std::process::Command;

use anyhow::Result;

use super::count::{self, Count, Format};
use crate::steps;

/// Runs them.
pub fn run() -> Result<Count> {
    // What the tests of `playground serve` need; without it they fail and say so.
    let setup = steps::root().join("tests/clients/setup.sh");
    if let Err(error) = steps::run(&mut Command::new(setup)) {
        eprintln!("{error:#}");
    }
    count::run(
        &mut steps::cargo([
            "test",
            "--workspace",
            "--exclude",
            "playground-web",
            "--no-fail-fast",
        ]),
        Format::Libtest,
    )
}
