//! The native binary: run a console script on a simulated cluster, or serve a cluster over TCP.

mod run;
mod serve;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// A whole Apache Kafka cluster: in a simulation, or behind TCP.
#[derive(Parser)]
#[command(name = "playground", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run a console script on a fresh simulated cluster and print its transcript
    Run(run::RunOptions),
    /// Open a cluster to TCP clients on 127.0.0.1
    Serve(serve::ServeOptions),
}

fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Run(options) => run::run(options),
        Command::Serve(options) => serve::serve(options),
    }
}
