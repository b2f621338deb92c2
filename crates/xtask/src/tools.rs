//! The tools that the page is built with: each is taken from where it is found first, and installed where it is not.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::steps::{self, Steps};

/// wasm-bindgen's command line tools, all of one version.
#[derive(Clone, Debug)]
pub struct WasmBindgen {
    /// Makes JavaScript glue for a compiled module.
    pub generator: PathBuf,
    /// Runs wasm-bindgen tests.
    pub test_runner: PathBuf,
}

/// wasm-bindgen's tools, which may still be being installed beside other work.
pub enum PendingWasmBindgen {
    /// They are there.
    Ready(WasmBindgen),
    /// Another thread installs them, and gives the time that it took.
    Installing(JoinHandle<Result<(WasmBindgen, Duration)>>),
}

impl PendingWasmBindgen {
    /// Waits until the tools are there.
    pub fn wait(self, steps: &mut Steps) -> Result<WasmBindgen> {
        match self {
            Self::Ready(tools) => Ok(tools),
            Self::Installing(thread) => {
                let result = steps.step("waiting for wasm-bindgen's installation", |_| {
                    thread
                        .join()
                        .map_err(|_| anyhow::anyhow!("its installer panicked"))?
                })?;
                steps.note("(installing wasm-bindgen-cli, beside the build)", result.1);
                Ok(result.0)
            }
        }
    }
}

/// Finds wasm-bindgen's tools at the lock file's version, or starts to install them.
///
/// The glue and the compiled module must be of one version, to the last digit.
pub fn wasm_bindgen() -> Result<PendingWasmBindgen> {
    let lock = fs::read_to_string(steps::root().join("Cargo.lock")).context("Cargo.lock")?;
    let version = locked_version(&lock, "wasm-bindgen")
        .context("Cargo.lock holds no wasm-bindgen")?
        .to_owned();
    let own = steps::tools_folder().join("bin");
    let candidates = [
        steps::on_path("wasm-bindgen"),
        Some(own.join("wasm-bindgen")),
    ];
    for generator in candidates.into_iter().flatten() {
        if let Some(tools) = fitting(&generator, &version) {
            return Ok(PendingWasmBindgen::Ready(tools));
        }
    }
    eprintln!("    wasm-bindgen {version} is not on PATH: it will be installed into .tools/");
    Ok(PendingWasmBindgen::Installing(std::thread::spawn(
        move || {
            let start = Instant::now();
            install_wasm_bindgen(&version)?;
            let tools = fitting(&own.join("wasm-bindgen"), &version)
                .context("wasm-bindgen was installed, but does not run")?;
            Ok((tools, start.elapsed()))
        },
    )))
}

/// The tools beside `generator`, if they run and have that version.
fn fitting(generator: &Path, version: &str) -> Option<WasmBindgen> {
    let test_runner = generator.with_file_name("wasm-bindgen-test-runner");
    for program in [generator, &test_runner] {
        let answer = steps::output(Command::new(program).arg("--version"))?;
        if answer.split_whitespace().nth(1) != Some(version) {
            return None;
        }
    }
    Some(WasmBindgen {
        generator: generator.to_path_buf(),
        test_runner,
    })
}

fn install_wasm_bindgen(version: &str) -> Result<()> {
    let root = steps::tools_folder();
    fs::create_dir_all(&root)?;
    if steps::on_path("cargo-binstall").is_some() {
        let mut binstall = steps::cargo(["binstall", "--no-confirm", "--version", version]);
        binstall.arg("--root").arg(&root).arg("wasm-bindgen-cli");
        match steps::run(&mut binstall) {
            Ok(()) => return Ok(()),
            Err(error) => eprintln!("    {error:#}; compiling it instead"),
        }
    }
    let mut install = steps::cargo(["install", "--locked", "--version", version]);
    install.arg("--root").arg(&root);
    // Kept, so that an interrupted installation goes on where it was.
    install.arg("--target-dir").arg(root.join("target"));
    install.arg("wasm-bindgen-cli");
    // The build beside it has the terminal; of this one the lines that matter are shown.
    let log = root.join("wasm-bindgen-install.log");
    let file = fs::File::create(&log)?;
    install.stdout(Stdio::null()).stderr(file);
    let mut child = install.spawn().context("cannot run cargo install")?;
    let start = Instant::now();
    let mut said = start;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        std::thread::sleep(Duration::from_millis(200));
        if said.elapsed() > Duration::from_secs(15) {
            said = Instant::now();
            let text = fs::read_to_string(&log).unwrap_or_default();
            let compiled = text.matches("Compiling ").count();
            eprintln!(
                "    [wasm-bindgen-cli: {compiled} crates compiled, {} s]",
                start.elapsed().as_secs()
            );
        }
    };
    if !status.success() {
        let text = fs::read_to_string(&log).unwrap_or_default();
        bail!("cargo install wasm-bindgen-cli failed:\n{text}");
    }
    // Some 300 MB that nothing needs any more.
    fs::remove_dir_all(root.join("target")).ok();
    Ok(())
}

/// The version of a package in the text of a lock file.
fn locked_version<'a>(lock: &'a str, package: &str) -> Option<&'a str> {
    let start = format!("name = \"{package}\"\n");
    let after = &lock[lock.find(&start)? + start.len()..];
    after.strip_prefix("version = \"")?.split('"').next()
}

/// Makes sure that the compiler has the standard library of a target.
pub fn rust_target(target: &str) -> Result<()> {
    let sysroot = steps::output(Command::new("rustc").args(["--print", "sysroot"]))
        .context("rustc is not on PATH")?;
    let library = Path::new(&sysroot).join("lib/rustlib").join(target);
    if library.is_dir() {
        return Ok(());
    }
    eprintln!("    the target {target} is missing: rustup installs it");
    let mut command = Command::new("rustup");
    command
        .args(["target", "add", target])
        .current_dir(steps::root());
    steps::run(&mut command)
        .with_context(|| format!("install the standard library of {target} for this compiler"))
}

#[cfg(test)]
mod tests {
    use super::locked_version;

    #[test]
    fn the_version_is_read_from_the_lock_file() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.1\"\n\n\
                    [[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen"), Some("0.2.130"));
        assert_eq!(locked_version(lock, "bindgen"), None);
    }
}
