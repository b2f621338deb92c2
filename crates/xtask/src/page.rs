//! Builds the page: compile, make glue, shrink, lay out `dist/`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::steps::{self, Steps};
use crate::tools::{self, WasmBindgen};
use crate::{dist, node};

/// The target that browsers run.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// How the page is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// As it is published: shrunk to the last byte, which takes a minute or two more.
    Published,
    /// As fast as that, and a fifth larger.
    Optimized,
    /// As it is worked on: quick to build.
    Dev,
}

impl Profile {
    /// Cargo's name of it, and the folder under `target/` that cargo puts it in.
    fn names(self) -> (&'static str, &'static str) {
        match self {
            Self::Published | Self::Optimized => ("page", "page"),
            Self::Dev => ("dev", "debug"),
        }
    }
}

/// Builds the page into `dist/`.
pub fn build(profile: Profile, steps: &mut Steps) -> Result<()> {
    let (cargo_name, folder) = profile.names();
    let pending = steps.step("looking for the tools of the page", |_| {
        tools::rust_target(TARGET)?;
        if profile == Profile::Published {
            node::wasm_opt()?;
        }
        tools::wasm_bindgen()
    })?;
    steps.step(
        &format!("compiling the page and its worker (profile {cargo_name})"),
        |_| {
            let arguments = ["build", "--profile", cargo_name, "--target", TARGET];
            let package = ["--package", "playground-web", "--bins"];
            steps::run(&mut steps::cargo(arguments.iter().chain(&package)))
        },
    )?;
    let tools = pending.wait(steps)?;
    let compiled = target_folder().join(TARGET).join(folder);
    let glue = target_folder().join("glue").join(folder);
    steps.step("making the glue (wasm-bindgen)", |_| {
        if glue.exists() {
            fs::remove_dir_all(&glue)?;
        }
        for binary in ["page", "worker"] {
            make_glue(&tools, &compiled, binary, &glue)?;
        }
        Ok(())
    })?;
    if profile == Profile::Published {
        steps.step("shrinking the modules (wasm-opt)", |_| {
            shrink(&["page", "worker"], &glue)
        })?;
    }
    steps.step("laying out dist/", |_| dist::lay_out(&glue))
}

/// Cargo's target folder.
pub fn target_folder() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map(|folder| steps::root().join(folder))
        .unwrap_or_else(|| steps::root().join("target"))
}

fn make_glue(tools: &WasmBindgen, compiled: &Path, binary: &str, glue: &Path) -> Result<()> {
    let mut command = Command::new(&tools.generator);
    command
        .args(["--target", "web", "--no-typescript", "--out-name", binary])
        .arg("--out-dir")
        .arg(glue)
        .arg(compiled.join(format!("{binary}.wasm")));
    steps::run(&mut command)
}

/// Runs wasm-opt over each module, all at once: it uses one core.
fn shrink(binaries: &[&str], glue: &Path) -> Result<()> {
    let mut running = Vec::new();
    for binary in binaries {
        let module = glue.join(format!("{binary}_bg.wasm"));
        let shrunk = glue.join(format!("{binary}_bg.shrunk.wasm"));
        let mut command = node::wasm_opt()?;
        command
            .args(["-Oz", "--strip-debug", "--strip-producers"])
            .args(WASM_FEATURES)
            .arg(&module)
            .arg("-o")
            .arg(&shrunk);
        let before = fs::metadata(&module)?.len();
        let child = command.spawn().context("cannot run wasm-opt")?;
        running.push((child, binary, module, shrunk, before));
    }
    for (mut child, binary, module, shrunk, before) in running {
        let status = child.wait()?;
        anyhow::ensure!(status.success(), "wasm-opt failed on {binary} ({status})");
        fs::rename(&shrunk, &module)?;
        let after = fs::metadata(&module)?.len();
        eprintln!("    {binary}: {before} bytes before, {after} after");
    }
    Ok(())
}

/// What today's rustc writes by default, and every browser since 2023 reads.
const WASM_FEATURES: [&str; 6] = [
    "--enable-bulk-memory",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-nontrapping-float-to-int",
    "--enable-reference-types",
    "--enable-multivalue",
];
