//! The tests on this machine: every crate but the page's.

use anyhow::Result;

use super::count::{self, Count, Format};
use crate::steps;

/// Runs them.
pub fn run() -> Result<Count> {
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
