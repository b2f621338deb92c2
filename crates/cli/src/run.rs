//! `playground run FILE`: a console script on a fresh cluster, in virtual time.

use std::io::{Read, Write};

use anyhow::{Context, Result, bail};
use clap::Args;
use playground_console::{Options, Playground, script};

/// Run a console script on a fresh simulated cluster and print its transcript
#[derive(Args)]
pub struct RunOptions {
    /// The script; `-` reads it from standard input
    file: String,
    /// Brokers of the cluster, 1 to 9 [default: what the script's header says, else 1]
    #[arg(long, value_name = "N")]
    brokers: Option<u32>,
    /// A setting of every broker; may be given several times
    #[arg(long, value_name = "K=V")]
    broker_config: Vec<String>,
    /// Everything random comes from it: the same seed, the same bytes
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,
}

/// Runs it.
pub fn run(options: RunOptions) -> Result<()> {
    let mut text = String::new();
    if options.file == "-" {
        std::io::stdin()
            .read_to_string(&mut text)
            .context("cannot read standard input")?;
    } else {
        text = std::fs::read_to_string(&options.file)
            .with_context(|| format!("cannot read {}", options.file))?;
    }
    let header = script::header(&text);
    let mut broker_config = header.broker_config;
    for setting in &options.broker_config {
        let Some((key, value)) = setting.split_once('=') else {
            bail!("--broker-config {setting}: a setting has the form KEY=VALUE");
        };
        broker_config.push((key.to_owned(), value.to_owned()));
    }
    let brokers = options.brokers.unwrap_or(header.brokers);
    if !(1..=9).contains(&brokers) {
        bail!("--brokers {brokers}: a cluster has 1 to 9 brokers");
    }
    let mut playground = Playground::new(Options {
        brokers,
        broker_config,
        seed: options.seed,
        ..Options::default()
    });
    let transcript = playground.run_script(&text);
    std::io::stdout()
        .write_all(transcript.as_bytes())
        .context("cannot write standard output")
}
