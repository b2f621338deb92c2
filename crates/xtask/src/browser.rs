//! The browser that the tests drive: Chromium and its driver.

use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::steps;

/// Where Chromium and its driver stand.
#[derive(Clone, Debug)]
pub struct Browser {
    /// The browser.
    pub chromium: PathBuf,
    /// Its WebDriver server.
    pub driver: PathBuf,
}

const BROWSERS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
];

/// Finds the browser; on Debian and its relatives, as root, installs it where it is missing.
pub fn find() -> Result<Browser> {
    if let Some(browser) = installed() {
        return Ok(browser);
    }
    if steps::on_path("apt-get").is_some() && is_root() {
        eprintln!("    Chromium is missing: installing it with apt-get");
        steps::run(Command::new("apt-get").args(["update", "--quiet"]))?;
        let mut install = Command::new("apt-get");
        install
            .args(["install", "--yes", "--quiet", "--no-install-recommends"])
            .args(["chromium", "chromium-driver"])
            .env("DEBIAN_FRONTEND", "noninteractive");
        steps::run(&mut install)?;
        return installed().context("apt-get installed Chromium, but it is not on PATH");
    }
    bail!(
        "NO BROWSER: the page cannot be tested.\n\
         Install Chromium and its driver (Debian: `apt-get install chromium chromium-driver`), or name them in the \
         variables CHROMIUM and CHROMEDRIVER, or leave these tests out with --no-browser."
    )
}

fn installed() -> Option<Browser> {
    let named = |variable: &str| std::env::var_os(variable).map(PathBuf::from);
    let chromium =
        named("CHROMIUM").or_else(|| BROWSERS.iter().find_map(|name| steps::on_path(name)))?;
    let driver = named("CHROMEDRIVER").or_else(|| steps::on_path("chromedriver"))?;
    Some(Browser { chromium, driver })
}

fn is_root() -> bool {
    steps::output(Command::new("id").arg("-u")).as_deref() == Some("0")
}
