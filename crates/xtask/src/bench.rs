//! `cargo xtask bench`: prints what the engine and the page reach on this machine.

use anyhow::Result;

use crate::arguments::BenchOptions;
use crate::page;
use crate::steps::{self, Steps};
use crate::test::wasm;
use crate::{browser, dist, http, node, tools};

/// The path below which the page is served to be measured.
const PREFIX: &str = "/";

/// Programs that measure the engine: package, example, and whether it runs on wasm32 too.
const EXAMPLES: [(&str, &str, bool); 2] = [
    ("playground-log", "append_bench", false),
    ("playground-client", "produce_consume_bench", true),
];

/// Measures and prints.
pub fn run(options: &BenchOptions, steps: &mut Steps) -> Result<()> {
    for (package, example, on_wasm) in EXAMPLES {
        steps.step(&format!("measuring {example} natively"), |_| {
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
        if on_wasm {
            // Compiled as the page's worker is, and run by the engine that Chromium has.
            steps.step(&format!("measuring {example} on wasm32"), |_| {
                tools::rust_target(wasm::TARGET)?;
                let arguments = [
                    "run",
                    "--profile",
                    "page",
                    "--package",
                    package,
                    "--example",
                    example,
                ];
                let mut command = steps::cargo(arguments);
                command.args(["--target", wasm::TARGET]);
                steps::run(command.args(wasm::runner()?))
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
