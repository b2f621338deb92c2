//! The command line of compose, parsed to a value before anything runs.

use std::time::Duration;

/// What stands before the command.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Globals {
    /// `-f`.
    pub file: Option<String>,
    /// `-p`.
    pub project: Option<String>,
    /// `--project-directory`.
    pub directory: Option<String>,
}

/// `exec`'s options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Exec {
    /// `-T`.
    pub no_terminal: bool,
    /// `-d`.
    pub detach: bool,
    /// `-e NAME=value`.
    pub environment: Vec<(String, String)>,
    /// `-u`.
    pub user: Option<String>,
    /// `-w`.
    pub directory: Option<String>,
    /// The service.
    pub service: String,
    /// The command and its arguments.
    pub command: Vec<String>,
}

/// `logs`' options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Logs {
    /// `-f`.
    pub follow: bool,
    /// `-n`: so many lines of each service.
    pub tail: Option<usize>,
    /// `--no-log-prefix`.
    pub no_prefix: bool,
    /// Which services; all when empty.
    pub services: Vec<String>,
}

/// `up`'s options.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Up {
    /// `-d`.
    pub detach: bool,
    /// `--force-recreate`.
    pub force_recreate: bool,
    /// `--remove-orphans`.
    pub remove_orphans: bool,
    /// Which services; all when empty.
    pub services: Vec<String>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Create and start.
    Up(Up),
    /// Stop and remove.
    Down {
        /// `-v`: the named volumes too.
        volumes: bool,
        /// `--remove-orphans`.
        remove_orphans: bool,
        /// `-t`.
        timeout: Duration,
        /// Which services; all when empty.
        services: Vec<String>,
    },
    /// List.
    Ps {
        /// `-a`: those that do not run too.
        all: bool,
        /// `-q`: names only.
        quiet: bool,
        /// `--services`: the services' names only.
        services_only: bool,
        /// Which services; all when empty.
        services: Vec<String>,
    },
    /// Run a command inside.
    Exec(Exec),
    /// SIGTERM, and SIGKILL when that takes too long.
    Stop {
        /// `-t`.
        timeout: Duration,
        /// Which services; all when empty.
        services: Vec<String>,
    },
    /// Start what was stopped.
    Start {
        /// Which services; all when empty.
        services: Vec<String>,
    },
    /// Stop and start.
    Restart {
        /// `-t`.
        timeout: Duration,
        /// Which services; all when empty.
        services: Vec<String>,
    },
    /// Send a signal.
    Kill {
        /// `-s`.
        signal: String,
        /// Which services; all when empty.
        services: Vec<String>,
    },
    /// Print the logs.
    Logs(Logs),
    /// Check and print the file.
    Config {
        /// `-q`: check only.
        quiet: bool,
        /// `--services`: the names only.
        services_only: bool,
    },
    /// Print the version.
    Version {
        /// `--short`.
        short: bool,
    },
    /// Print what there is, or a command's options.
    Help(Option<&'static str>),
}

/// How long a container may take to stop, unless `-t` says otherwise: Docker's 10 s.
pub const STOP_TIMEOUT: Duration = Duration::from_secs(10);

struct Flag {
    long: &'static str,
    short: char,
    value: bool,
    help: &'static str,
}

const fn switch(long: &'static str, short: char, help: &'static str) -> Flag {
    Flag {
        long,
        short,
        value: false,
        help,
    }
}

const fn value(long: &'static str, short: char, help: &'static str) -> Flag {
    Flag {
        long,
        short,
        value: true,
        help,
    }
}

/// A flag without a short form.
const NONE: char = '\0';

const GLOBAL_FLAGS: &[Flag] = &[
    value("file", 'f', "The compose file"),
    value("project-name", 'p', "The project's name"),
    value("project-directory", NONE, "The project's directory"),
    value("profile", NONE, "Accepted, and ignored"),
    value("env-file", NONE, "Accepted, and ignored"),
    value("ansi", NONE, "Accepted, and ignored"),
    value("progress", NONE, "Accepted, and ignored"),
    value("parallel", NONE, "Accepted, and ignored"),
    switch("compatibility", NONE, "Accepted, and ignored"),
    switch("verbose", NONE, "Accepted, and ignored"),
    switch("version", 'v', "Print the version"),
    switch("help", 'h', "Print this"),
];

struct Subcommand {
    name: &'static str,
    usage: &'static str,
    summary: &'static str,
    flags: &'static [Flag],
}

const TIMEOUT: Flag = value(
    "timeout",
    't',
    "Seconds until a container that does not stop is killed (default 10)",
);
const HELP: Flag = switch("help", 'h', "Print this");

const SUBCOMMANDS: &[Subcommand] = &[
    Subcommand {
        name: "config",
        usage: "config [OPTIONS]",
        summary: "Check the compose file and print it",
        flags: &[
            switch("quiet", 'q', "Check only"),
            switch("services", NONE, "Print the services' names"),
            HELP,
        ],
    },
    Subcommand {
        name: "down",
        usage: "down [OPTIONS] [SERVICES]",
        summary: "Stop and remove containers",
        flags: &[
            switch(
                "volumes",
                'v',
                "Remove the named volumes, and so their data, too",
            ),
            switch(
                "remove-orphans",
                NONE,
                "Remove containers of services that the file no longer has",
            ),
            value("rmi", NONE, "Accepted, and ignored"),
            TIMEOUT,
            HELP,
        ],
    },
    Subcommand {
        name: "exec",
        usage: "exec [OPTIONS] SERVICE COMMAND [ARGS...]",
        summary: "Run a command in a running container",
        flags: &[
            switch("no-TTY", 'T', "No terminal: read from a pipe or a file"),
            switch("interactive", 'i', "Keep stdin open (so it is anyway)"),
            switch("tty", 't', "A terminal (so it is anyway)"),
            switch("detach", 'd', "In the background"),
            value("env", 'e', "A variable, NAME=value"),
            value("user", 'u', "The user's name"),
            value("workdir", 'w', "The working directory"),
            value("index", NONE, "Accepted, and ignored"),
            switch("privileged", NONE, "Accepted, and ignored"),
            HELP,
        ],
    },
    Subcommand {
        name: "kill",
        usage: "kill [OPTIONS] [SERVICE...]",
        summary: "Force containers to stop (SIGKILL)",
        flags: &[
            value("signal", 's', "Another signal (default SIGKILL)"),
            switch("remove-orphans", NONE, "Accepted, and ignored"),
            HELP,
        ],
    },
    Subcommand {
        name: "logs",
        usage: "logs [OPTIONS] [SERVICE...]",
        summary: "Print what the containers log",
        flags: &[
            switch("follow", 'f', "Go on until Ctrl-C"),
            value("tail", 'n', "So many lines of each container"),
            switch("no-log-prefix", NONE, "Without the containers' names"),
            switch("no-color", NONE, "Accepted, and ignored"),
            switch(
                "timestamps",
                't',
                "Accepted, and ignored: each line has its time",
            ),
            HELP,
        ],
    },
    Subcommand {
        name: "ps",
        usage: "ps [OPTIONS] [SERVICE...]",
        summary: "List containers",
        flags: &[
            switch("all", 'a', "Stopped ones too"),
            switch("quiet", 'q', "Names only"),
            switch("services", NONE, "The services' names only"),
            HELP,
        ],
    },
    Subcommand {
        name: "restart",
        usage: "restart [OPTIONS] [SERVICE...]",
        summary: "Stop and start containers",
        flags: &[TIMEOUT, HELP],
    },
    Subcommand {
        name: "start",
        usage: "start [SERVICE...]",
        summary: "Start stopped containers",
        flags: &[HELP],
    },
    Subcommand {
        name: "stop",
        usage: "stop [OPTIONS] [SERVICE...]",
        summary: "Stop containers (SIGTERM)",
        flags: &[TIMEOUT, HELP],
    },
    Subcommand {
        name: "up",
        usage: "up [OPTIONS] [SERVICE...]",
        summary: "Create and start containers",
        flags: &[
            switch(
                "detach",
                'd',
                "In the background; else the logs are shown until Ctrl-C, which stops all",
            ),
            switch(
                "force-recreate",
                NONE,
                "Make the containers anew even when nothing changed",
            ),
            switch(
                "remove-orphans",
                NONE,
                "Remove containers of services that the file no longer has",
            ),
            switch("build", NONE, "Accepted, and ignored"),
            switch(
                "wait",
                NONE,
                "Accepted: up waits until Kafka takes requests anyway",
            ),
            HELP,
        ],
    },
    Subcommand {
        name: "version",
        usage: "version [OPTIONS]",
        summary: "Print the version",
        flags: &[switch("short", NONE, "The number only"), HELP],
    },
];

/// What compose knows and the playground does not.
const UNSUPPORTED: &[&str] = &[
    "attach", "build", "cp", "create", "events", "export", "images", "ls", "pause", "port",
    "publish", "pull", "push", "rm", "run", "scale", "stats", "top", "unpause", "wait", "watch",
];

#[derive(Default)]
struct Parsed {
    flags: Vec<(&'static str, String)>,
    operands: Vec<String>,
}

impl Parsed {
    fn has(&self, name: &str) -> bool {
        self.flags
            .iter()
            .rev()
            .find(|(known, _)| *known == name)
            .is_some_and(|(_, value)| value != "false")
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.flags
            .iter()
            .rev()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value.as_str())
    }

    fn timeout(&self) -> Result<Duration, String> {
        match self.value("timeout") {
            None => Ok(STOP_TIMEOUT),
            Some(text) => text
                .parse()
                .map(Duration::from_secs)
                .map_err(|_| invalid(text, "timeout", 't')),
        }
    }
}

fn invalid(text: &str, long: &str, short: char) -> String {
    format!(
        "invalid argument \"{text}\" for \"-{short}, --{long}\" flag: it should be a number from 0 on"
    )
}

/// Reads flags as cobra does. With `in_order` the first operand ends them.
fn flags(args: &[String], known: &'static [Flag], in_order: bool) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            parsed.operands.extend(args.cloned());
            break;
        }
        if let Some(long) = arg.strip_prefix("--") {
            let (name, given) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let Some(flag) = known.iter().find(|flag| flag.long == name) else {
                return Err(format!("unknown flag: --{name}"));
            };
            let value = match given {
                Some(value) => value,
                None if flag.value => args
                    .next()
                    .cloned()
                    .ok_or_else(|| format!("flag needs an argument: --{name}"))?,
                None => String::new(),
            };
            parsed.flags.push((flag.long, value));
            continue;
        }
        if arg.len() < 2 || !arg.starts_with('-') {
            parsed.operands.push(arg.clone());
            if in_order {
                parsed.operands.extend(args.cloned());
                break;
            }
            continue;
        }
        let mut letters = arg[1..].chars();
        while let Some(letter) = letters.next() {
            let Some(flag) = known.iter().find(|flag| flag.short == letter) else {
                return Err(format!("unknown shorthand flag: '{letter}' in {arg}"));
            };
            if !flag.value {
                parsed.flags.push((flag.long, String::new()));
                continue;
            }
            let joined = letters.as_str();
            let value = if joined.is_empty() {
                args.next()
                    .cloned()
                    .ok_or_else(|| format!("flag needs an argument: '{letter}' in {arg}"))?
            } else {
                joined.strip_prefix('=').unwrap_or(joined).to_owned()
            };
            parsed.flags.push((flag.long, value));
            break;
        }
    }
    Ok(parsed)
}

/// Parses what follows `docker-compose` or `docker compose`.
///
/// # Errors
/// What to print on stderr.
pub fn parse(args: &[String]) -> Result<(Globals, Action), String> {
    let parsed = flags(args, GLOBAL_FLAGS, true)?;
    if parsed
        .flags
        .iter()
        .filter(|(name, _)| *name == "file")
        .count()
        > 1
    {
        return Err("several -f: the playground reads one compose file".to_owned());
    }
    let globals = Globals {
        file: parsed.value("file").map(str::to_owned),
        project: parsed.value("project-name").map(str::to_owned),
        directory: parsed.value("project-directory").map(str::to_owned),
    };
    if parsed.has("version") {
        return Ok((globals, Action::Version { short: false }));
    }
    let Some((name, rest)) = parsed.operands.split_first() else {
        return Ok((globals, Action::Help(None)));
    };
    if name == "help" || parsed.has("help") {
        let about = if name == "help" {
            rest.first()
        } else {
            Some(name)
        };
        let about = about.and_then(|name| find(name)).map(|known| known.name);
        return Ok((globals, Action::Help(about)));
    }
    let Some(subcommand) = find(name) else {
        let names: Vec<&str> = SUBCOMMANDS.iter().map(|known| known.name).collect();
        return Err(if UNSUPPORTED.contains(&name.as_str()) {
            format!(
                "`{name}` is not supported by the playground; it knows {}",
                names.join(", ")
            )
        } else {
            format!("unknown docker command: \"compose {name}\"")
        });
    };
    let parsed = flags(rest, subcommand.flags, subcommand.name == "exec")?;
    if parsed.has("help") {
        return Ok((globals, Action::Help(Some(subcommand.name))));
    }
    Ok((globals, action(subcommand.name, parsed)?))
}

fn find(name: &str) -> Option<&'static Subcommand> {
    SUBCOMMANDS.iter().find(|known| known.name == name)
}

fn action(name: &'static str, parsed: Parsed) -> Result<Action, String> {
    let services = parsed.operands.clone();
    Ok(match name {
        "up" => Action::Up(Up {
            detach: parsed.has("detach") || parsed.has("wait"),
            force_recreate: parsed.has("force-recreate"),
            remove_orphans: parsed.has("remove-orphans"),
            services,
        }),
        "down" => Action::Down {
            volumes: parsed.has("volumes"),
            remove_orphans: parsed.has("remove-orphans"),
            timeout: parsed.timeout()?,
            services,
        },
        "ps" => Action::Ps {
            all: parsed.has("all"),
            quiet: parsed.has("quiet"),
            services_only: parsed.has("services"),
            services,
        },
        "stop" => Action::Stop {
            timeout: parsed.timeout()?,
            services,
        },
        "restart" => Action::Restart {
            timeout: parsed.timeout()?,
            services,
        },
        "start" => Action::Start { services },
        "kill" => Action::Kill {
            signal: parsed.value("signal").unwrap_or("SIGKILL").to_owned(),
            services,
        },
        "logs" => Action::Logs(Logs {
            follow: parsed.has("follow"),
            tail: match parsed.value("tail") {
                None | Some("all") => None,
                Some(text) => Some(text.parse().map_err(|_| invalid(text, "tail", 'n'))?),
            },
            no_prefix: parsed.has("no-log-prefix"),
            services,
        }),
        "config" => Action::Config {
            quiet: parsed.has("quiet"),
            services_only: parsed.has("services"),
        },
        "exec" => {
            let mut environment = Vec::new();
            for (name, text) in &parsed.flags {
                if *name == "env" {
                    let (name, value) = text.split_once('=').unwrap_or((text, ""));
                    environment.push((name.to_owned(), value.to_owned()));
                }
            }
            let (service, command) = match services.split_first() {
                Some((service, command)) if !command.is_empty() => {
                    (service.clone(), command.to_vec())
                }
                _ => {
                    return Err(format!(
                        "requires at least 2 arg(s), only received {}\nUsage:  docker compose exec [OPTIONS] SERVICE COMMAND [ARGS...]",
                        services.len()
                    ));
                }
            };
            Action::Exec(Exec {
                no_terminal: parsed.has("no-TTY"),
                detach: parsed.has("detach"),
                environment,
                user: parsed.value("user").map(str::to_owned),
                directory: parsed.value("workdir").map(str::to_owned),
                service,
                command,
            })
        }
        _ => Action::Version {
            short: parsed.has("short"),
        },
    })
}

/// What `--help` prints.
pub fn help(about: Option<&str>) -> String {
    let list = |flags: &[Flag]| {
        let mut text = String::new();
        for flag in flags {
            let short = match flag.short {
                NONE => "    ".to_owned(),
                short => format!("-{short}, "),
            };
            let name = format!("--{}{}", flag.long, if flag.value { " VALUE" } else { "" });
            text.push_str(&format!("  {short}{name:<26} {}\n", flag.help));
        }
        text
    };
    match about.and_then(find) {
        Some(subcommand) => format!(
            "Usage:  docker compose {}\n\n{}\n\nOptions:\n{}",
            subcommand.usage,
            subcommand.summary,
            list(subcommand.flags)
        ),
        None => {
            let mut text =
                "Usage:  docker compose [OPTIONS] COMMAND\n\nStart and stop the containers of a compose file\n\nCommands:\n"
                    .to_owned();
            for subcommand in SUBCOMMANDS {
                text.push_str(&format!(
                    "  {:<10} {}\n",
                    subcommand.name, subcommand.summary
                ));
            }
            text + "\nOptions:\n"
                + &list(GLOBAL_FLAGS)
                + "\nRun 'docker compose COMMAND --help' for more information on a command.\n"
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Action, Exec, Globals, Up, parse};

    fn parsed(line: &str) -> Result<(Globals, Action), String> {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        parse(&args)
    }

    #[test]
    fn the_tutorials_commands() {
        let up = Up {
            detach: true,
            ..Up::default()
        };
        assert_eq!(parsed("up -d"), Ok((Globals::default(), Action::Up(up))));
        let exec = Exec {
            service: "kafka".to_owned(),
            command: vec!["ls".to_owned(), "-l".to_owned()],
            ..Exec::default()
        };
        assert_eq!(
            parsed("exec -it kafka ls -l"),
            Ok((Globals::default(), Action::Exec(exec.clone())))
        );
        assert_eq!(
            parsed("exec -T kafka ls -l"),
            Ok((
                Globals::default(),
                Action::Exec(Exec {
                    no_terminal: true,
                    ..exec
                })
            ))
        );
        assert_eq!(
            parsed("-f a.yml -p x stop -t 3 kafka"),
            Ok((
                Globals {
                    file: Some("a.yml".to_owned()),
                    project: Some("x".to_owned()),
                    directory: None
                },
                Action::Stop {
                    timeout: Duration::from_secs(3),
                    services: vec!["kafka".to_owned()]
                }
            ))
        );
    }

    #[test]
    fn what_cannot_be_is_said() {
        for (line, expected) in [
            ("up --bad", "unknown flag: --bad"),
            ("up -dx", "unknown shorthand flag: 'x' in -dx"),
            ("stop -t", "flag needs an argument: 't' in -t"),
            ("frob", "unknown docker command: \"compose frob\""),
            (
                "stop -t x",
                "invalid argument \"x\" for \"-t, --timeout\" flag: it should be a number from 0 on",
            ),
        ] {
            assert_eq!(parsed(line), Err(expected.to_owned()), "{line}");
        }
        assert!(
            parsed("exec kafka")
                .is_err_and(|text| text.starts_with("requires at least 2 arg(s), only received 1"))
        );
        assert_eq!(parsed(""), Ok((Globals::default(), Action::Help(None))));
        assert_eq!(
            parsed("up --help"),
            Ok((Globals::default(), Action::Help(Some("up"))))
        );
    }
}
