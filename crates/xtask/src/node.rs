//! Node.js and the packages of `package.json`, installed into `.tools/`.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::steps;

/// The oldest Node.js that the packages run on.
const NODE_MAJOR_MIN: u32 = 20;

/// A Node.js command, once its version is known to fit.
pub fn node() -> Result<Command> {
    let version = steps::output(Command::new("node").arg("--version"))
        .context("Node.js is not on PATH (version 20 or newer is needed: https://nodejs.org)")?;
    let major = version
        .trim_start_matches('v')
        .split('.')
        .next()
        .and_then(|text| text.parse::<u32>().ok());
    match major {
        Some(major) if major >= NODE_MAJOR_MIN => Ok(Command::new("node")),
        _ => bail!("Node.js {version} is too old: version {NODE_MAJOR_MIN} or newer is needed"),
    }
}

/// Installs the packages of `package-lock.json`, where they are not the ones installed already.
pub fn packages() -> Result<PathBuf> {
    node()?;
    let (root, tools) = (steps::root(), steps::tools_folder());
    let lock = fs::read(root.join("package-lock.json")).context("package-lock.json")?;
    let stamp = tools.join("node_modules/.package-lock.installed.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(tools);
    }
    eprintln!("    installing the packages of package.json into .tools/");
    fs::create_dir_all(&tools)?;
    for name in ["package.json", "package-lock.json"] {
        fs::copy(root.join(name), tools.join(name))?;
    }
    let npm = steps::on_path("npm").context("npm is not on PATH (it comes with Node.js)")?;
    let mut command = Command::new(npm);
    command
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(&tools);
    steps::run(&mut command)?;
    fs::write(stamp, lock)?;
    Ok(tools)
}

/// wasm-opt: the one on PATH, else the one that npm installs.
pub fn wasm_opt() -> Result<Command> {
    if let Some(path) = steps::on_path("wasm-opt") {
        let version = steps::output(Command::new(&path).arg("--version")).unwrap_or_default();
        if wasm_opt_version(&version).is_some_and(|version| version >= WASM_OPT_MIN) {
            return Ok(Command::new(path));
        }
        eprintln!("    {} is too old: using npm's", path.display());
    }
    let tools = packages()?;
    let mut command = node()?;
    command.arg(tools.join("node_modules/binaryen/bin/wasm-opt"));
    Ok(command)
}

/// Older releases of wasm-opt do not read what today's rustc writes.
const WASM_OPT_MIN: u32 = 120;

/// `wasm-opt version 132 (version_132)` is 132.
fn wasm_opt_version(text: &str) -> Option<u32> {
    text.split_whitespace()
        .find_map(|word| word.parse::<u32>().ok())
}

#[cfg(test)]
mod tests {
    use super::wasm_opt_version;

    #[test]
    fn the_version_of_wasm_opt_is_read() {
        let text = "wasm-opt version 132 (version_132)";
        assert_eq!(wasm_opt_version(text), Some(132));
        assert_eq!(wasm_opt_version("unknown"), None);
    }
}
