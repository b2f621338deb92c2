//! `cargo xtask test`: every test of the project, counted together.

mod count;
mod native;
mod page;
pub mod wasm;

use std::process::ExitCode;

use anyhow::Result;

use crate::arguments::{Part, TestOptions};
use crate::steps::Steps;
use count::Count;

/// Runs the tests; the last line that it prints is `N passed, N failed, N skipped`.
pub fn run(options: &TestOptions, steps: &mut Steps) -> Result<ExitCode> {
    let wanted = |part| options.only.is_none_or(|only| only == part);
    let mut total = Count::default();
    let mut add = |result: Result<Count>| match result {
        Ok(count) => total += count,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            total.failed += 1;
        }
    };
    if wanted(Part::Native) {
        add(steps.step("testing natively", |_| native::run()));
    }
    if wanted(Part::Wasm) {
        add(steps.step("testing the engine on wasm32", |_| wasm::run()));
    }
    if wanted(Part::Page) {
        add(page::run(options, steps));
    }
    steps.print();
    println!("\n{total}");
    Ok(if total.failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
