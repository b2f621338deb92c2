//! `cargo xtask bench`: prints what the engine and the page reach on this machine.

use anyhow::Result;

use crate::arguments::BenchOptions;
use crate::page;
use crate::steps::{self, Steps};
use crate::{browser, dist, http, node};

/// The path below which the page is served to be measured.
const PREFIX: &str = "/";

/// Measures and prints.
pub fn run(options: &BenchOptions, steps: &mut Steps) -> Result<()> {
    for (package, example) in [("playground-log", "append_bench")] {
        let source = steps::root()
            .join("crates")
            .join(package.trim_start_matches("playground-"))
            .join("examples")
            .join(format!("{example}.rs"));
        if source.is_file() {
            steps.step(&format!("measuring {package}: {example}"), |_| {
                let arguments = [
                    "run",
                    "--release",
                    "--package",
                    package,
                    "--example",
                    example,
                ];
                steps::run(&mut steps::cargo(arguments))
            })?;
        }
    }
    page::build(page::Profile::Published, steps)?;
    steps.step("measuring the page's size", |_| dist::print_sizes())?;
    if !options.no_browser {
        let browser = browser::find()?;
        steps.step("measuring the page in Chromium", |_| {
            let tools = node::packages()?;
            let server = http::Server::bind(&dist::folder(), 0, PREFIX)?;
            let address = format!("http://localhost:{}{PREFIX}", server.address.port());
            std::thread::spawn(move || server.run());
            let mut command = node::node()?;
            command
                .arg(steps::root().join("tests/e2e/bench.mjs"))
                .env("PLAYGROUND_URL", address)
                .env("PLAYGROUND_TOOLS", tools)
                .env("CHROMIUM", &browser.chromium);
            steps::run(&mut command)
        })?;
    }
    steps.print();
    Ok(())
}
