//! The command line, read to a value before anything runs.

use crate::page::Profile;

/// What `cargo xtask help` prints.
pub const USAGE: &str = "\
Usage: cargo xtask COMMAND [OPTIONS]

Commands:
  serve   Build the page and serve it on this machine
            --port PORT   the port to listen on (default 8080)
            --dev         compile faster; the page is larger and slower
            --published   shrink the page as `build` does
            --no-build    serve what dist/ holds already
  build   Build the page into dist/, ready for any static host
  test    Run every test; the last line is `N passed, N failed, N skipped`
            --no-browser  leave out what needs a browser (counted as skipped)
            --only WHAT   native | wasm | page
            --case TEXT   of the page's end-to-end cases, those whose name contains TEXT
  bench   Measure the engine and the page
            --no-browser  leave out what needs a browser
  help    Print this";

/// One command.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Print the usage.
    Help,
    /// Build the page, then serve it.
    Serve {
        /// The TCP port; 0 asks the system for a free one.
        port: u16,
        /// How the page is compiled.
        profile: Profile,
        /// Whether to build before serving.
        build: bool,
    },
    /// Build the page into `dist/`.
    Build,
    /// Run the tests.
    Test(TestOptions),
    /// Measure.
    Bench(BenchOptions),
    /// The hook that Trunk runs after its build (see `Trunk.toml`).
    TrunkWorker,
}

/// Options of `cargo xtask test`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct TestOptions {
    /// Leave out everything that needs a browser.
    pub no_browser: bool,
    /// Run one part only.
    pub only: Option<Part>,
    /// Run only the end-to-end cases whose name contains this.
    pub case: Option<String>,
}

/// Options of `cargo xtask bench`.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct BenchOptions {
    /// Leave out everything that needs a browser.
    pub no_browser: bool,
}

/// A part of the tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `cargo test` on this machine.
    Native,
    /// The engine's own tests again, compiled to wasm32.
    Wasm,
    /// The page: wasm-bindgen tests and end-to-end tests in Chromium.
    Page,
}

/// Reads the command line.
pub fn parse(arguments: impl Iterator<Item = String>) -> Result<Command, String> {
    let mut arguments = Arguments {
        rest: arguments.collect::<Vec<_>>().into_iter(),
    };
    let Some(name) = arguments.rest.next() else {
        return Ok(Command::Help);
    };
    match name.as_str() {
        "help" | "--help" | "-h" => Ok(Command::Help),
        "serve" => arguments.serve(),
        "build" => arguments.end().map(|()| Command::Build),
        "trunk-worker" => arguments.end().map(|()| Command::TrunkWorker),
        "test" => arguments.test(),
        "bench" => arguments.bench(),
        other => Err(format!("unknown command `{other}`")),
    }
}

struct Arguments {
    rest: std::vec::IntoIter<String>,
}

impl Arguments {
    /// The next option, split at its `=`.
    fn next_option(&mut self) -> Option<(String, Option<String>)> {
        let argument = self.rest.next()?;
        Some(match argument.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (argument, None),
        })
    }

    fn value(&mut self, name: &str, inline: Option<String>) -> Result<String, String> {
        inline
            .or_else(|| self.rest.next())
            .ok_or_else(|| format!("`{name}` needs a value"))
    }

    fn end(&mut self) -> Result<(), String> {
        match self.rest.next() {
            None => Ok(()),
            Some(argument) => Err(format!("unknown option `{argument}`")),
        }
    }

    fn serve(&mut self) -> Result<Command, String> {
        let (mut port, mut profile, mut build) = (8080, Profile::Optimized, true);
        while let Some((name, value)) = self.next_option() {
            match name.as_str() {
                "--port" => {
                    let text = self.value(&name, value)?;
                    port = text
                        .parse()
                        .map_err(|_| format!("`{text}` is not a port (0 to 65535)"))?;
                }
                "--dev" => profile = Profile::Dev,
                "--published" => profile = Profile::Published,
                "--no-build" => build = false,
                other => return Err(format!("unknown option `{other}`")),
            }
        }
        Ok(Command::Serve {
            port,
            profile,
            build,
        })
    }

    fn test(&mut self) -> Result<Command, String> {
        let mut options = TestOptions::default();
        while let Some((name, value)) = self.next_option() {
            match name.as_str() {
                "--no-browser" => options.no_browser = true,
                "--only" => {
                    options.only = Some(match self.value(&name, value)?.as_str() {
                        "native" => Part::Native,
                        "wasm" => Part::Wasm,
                        "page" => Part::Page,
                        other => return Err(format!("`{other}` is none of native, wasm, page")),
                    });
                }
                "--case" => options.case = Some(self.value(&name, value)?),
                other => return Err(format!("unknown option `{other}`")),
            }
        }
        Ok(Command::Test(options))
    }

    fn bench(&mut self) -> Result<Command, String> {
        let mut options = BenchOptions::default();
        while let Some((name, _)) = self.next_option() {
            match name.as_str() {
                "--no-browser" => options.no_browser = true,
                other => return Err(format!("unknown option `{other}`")),
            }
        }
        Ok(Command::Bench(options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Result<Command, String> {
        parse(line.split_whitespace().map(str::to_owned))
    }

    #[test]
    fn options_are_read_with_a_space_or_an_equals_sign() {
        let expected = Ok(Command::Serve {
            port: 9000,
            profile: Profile::Dev,
            build: true,
        });
        assert_eq!(read("serve --port 9000 --dev"), expected);
        assert_eq!(read("serve --dev --port=9000"), expected);
        assert_eq!(
            read("test --only page --no-browser --case phone"),
            Ok(Command::Test(TestOptions {
                no_browser: true,
                only: Some(Part::Page),
                case: Some("phone".to_owned()),
            }))
        );
    }

    #[test]
    fn a_wrong_option_is_an_error_that_names_it() {
        assert_eq!(
            read("serve --prot 1"),
            Err("unknown option `--prot`".to_owned())
        );
        assert_eq!(
            read("serve --port"),
            Err("`--port` needs a value".to_owned())
        );
        assert_eq!(
            read("serve --port 70000"),
            Err("`70000` is not a port (0 to 65535)".to_owned())
        );
        assert_eq!(read("deploy"), Err("unknown command `deploy`".to_owned()));
        assert_eq!(read("build now"), Err("unknown option `now`".to_owned()));
    }
}
