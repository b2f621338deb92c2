//! The page's tests: wasm-bindgen tests in headless Chromium, then the built page driven as a person does.

use std::process::Command;

use anyhow::Result;

use super::count::{self, Count, Format};
use crate::arguments::TestOptions;
use crate::browser::{self, Browser};
use crate::steps::{self, Steps};
use crate::tools::{self, WasmBindgen};
use crate::{dist, http, node, page};

/// The path below which the tests serve the page: any static host under any path must do.
const PREFIX: &str = "/some/path/";

/// Runs them, or says that they were skipped.
pub fn run(options: &TestOptions, steps: &mut Steps) -> Result<Count> {
    if options.no_browser {
        println!("SKIPPED: the page's tests in a browser (--no-browser)");
        return Ok(Count {
            skipped: 2,
            ..Count::default()
        });
    }
    let browser = steps.step("looking for a browser", |_| browser::find())?;
    page::build(page::Profile::Published, steps)?;
    let wasm_bindgen = tools::wasm_bindgen()?.wait(steps)?;
    let mut count = Count::default();
    if options.case.is_none() {
        count += steps.step("testing the page's parts in Chromium", |_| {
            parts(&browser, &wasm_bindgen)
        })?;
    }
    count += steps.step("driving the page in Chromium", |_| drive(&browser, options))?;
    Ok(count)
}

/// `web/tests/*.rs`, in headless Chromium.
fn parts(browser: &Browser, wasm_bindgen: &WasmBindgen) -> Result<Count> {
    let runner = serde_json::to_string(&[&wasm_bindgen.test_runner])?;
    let mut command = steps::cargo(["test", "--target", page::TARGET, "--no-fail-fast"]);
    command
        .args(["--package", "playground-web", "--lib", "--tests"])
        .arg("--config")
        .arg(format!("target.{}.runner={runner}", page::TARGET))
        .env("CHROMEDRIVER", &browser.driver)
        // As on a static host, which sends no headers for isolation.
        .env("WASM_BINDGEN_TEST_NO_ORIGIN_ISOLATION", "1")
        .env("WASM_BINDGEN_TEST_TIMEOUT", "120");
    count::run(&mut command, Format::Libtest)
}

/// `tests/e2e/*.test.mjs`, against `dist/`.
fn drive(browser: &Browser, options: &TestOptions) -> Result<Count> {
    let tools = node::packages()?;
    let server = http::Server::bind(&dist::folder(), 0, PREFIX)?;
    let address = format!("http://localhost:{}{PREFIX}", server.address.port());
    std::thread::spawn(move || server.run());
    let mut command: Command = node::node()?;
    command
        .arg(steps::root().join("tests/e2e/run.mjs"))
        .env("PLAYGROUND_URL", address)
        .env("PLAYGROUND_TOOLS", tools)
        .env("CHROMIUM", &browser.chromium);
    if let Some(case) = &options.case {
        command.arg(case);
    }
    count::run(&mut command, Format::Tap)
}
