//! The project's own commands: `cargo xtask serve | build | test | bench`.
//!
//! Each installs what it lacks (into `.tools/`, which `cargo clean` leaves alone), says what it is doing, and at its end
//! says where the time went.

mod arguments;
mod bench;
mod browser;
mod dist;
mod http;
mod node;
mod page;
mod steps;
mod test;
mod tools;

use std::process::ExitCode;

use anyhow::Result;

use arguments::Command;
use steps::Steps;

fn main() -> ExitCode {
    let command = match arguments::parse(std::env::args().skip(1)) {
        Ok(command) => command,
        Err(error) => {
            eprintln!("{error}\n\n{}", arguments::USAGE);
            return ExitCode::from(2);
        }
    };
    match run(command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nerror: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    let mut steps = Steps::new();
    match command {
        Command::Help => {
            println!("{}", arguments::USAGE);
            Ok(ExitCode::SUCCESS)
        }
        Command::Serve {
            port,
            profile,
            build,
        } => {
            if build {
                page::build(profile, &mut steps)?;
                steps.print();
            }
            http::serve(&dist::folder(), port)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Build => {
            page::build(page::Profile::Published, &mut steps)?;
            steps.print();
            dist::print_sizes()?;
            Ok(ExitCode::SUCCESS)
        }
        Command::Test(options) => test::run(&options, &mut steps),
        Command::Bench(options) => {
            bench::run(&options, &mut steps)?;
            Ok(ExitCode::SUCCESS)
        }
        Command::TrunkWorker => {
            dist::start_trunk_worker()?;
            Ok(ExitCode::SUCCESS)
        }
    }
}
