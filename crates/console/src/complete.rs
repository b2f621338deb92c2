//! Tab: what a line could go on with.

use std::collections::BTreeSet;

use playground_sim::{HostId, World};

use crate::commands::{Command, CompletionValue, lookup, resolve};
use crate::shell::builtins;

/// What Tab offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// The byte of the line from which a candidate replaces what stands before the cursor.
    pub start: usize,
    /// What could stand there, sorted. One that ends a word has a space at its end, one that is a
    /// directory a `/`.
    pub candidates: Vec<String>,
}

/// Subcommands of docker-compose.
const COMPOSE: &[&str] = &[
    "config", "down", "exec", "kill", "logs", "ps", "restart", "start", "stop", "up", "version",
];

/// Candidates for the word before the cursor of a line that is typed on `host` in `directory`.
pub fn complete(
    world: &World,
    host: HostId,
    directory: &str,
    line: &str,
    cursor: usize,
) -> Completion {
    let Some(before) = line.get(..cursor.min(line.len())) else {
        return Completion::default();
    };
    let (words, start) = split(before);
    let Some((current, earlier)) = words.split_last() else {
        return Completion::default();
    };
    let context = Context {
        world,
        host,
        directory,
    };
    let mut candidates: Vec<String> = context.candidates(earlier, current).into_iter().collect();
    candidates.retain(|candidate| candidate.starts_with(current.as_str()));
    Completion { start, candidates }
}

/// The words of the command that is being typed, the last one (perhaps empty) being the one before the
/// cursor, and where that one starts. Quotes group, separators start a new command.
fn split(before: &str) -> (Vec<String>, usize) {
    let mut words = vec![String::new()];
    let mut start = 0;
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in before.char_indices() {
        let after = at + c.len_utf8();
        let mut begin = |words: &mut Vec<String>, fresh: bool| {
            if fresh {
                words.clear();
            }
            words.push(String::new());
            start = after;
        };
        match (c, quote) {
            _ if escaped => {
                escaped = false;
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
            ('\\', None) => escaped = true,
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => quote = Some(c),
            (' ' | '\t', None) => {
                if words.last().is_some_and(String::is_empty) {
                    start = after;
                } else {
                    begin(&mut words, false);
                }
            }
            ('|' | ';' | '&' | '(' | '\n', None) => begin(&mut words, true),
            ('>' | '<', None) => {
                // What follows is a file, whatever the command.
                begin(&mut words, true);
                words.insert(0, "cat".to_owned());
            }
            (c, _) => {
                if let Some(word) = words.last_mut() {
                    word.push(c);
                }
            }
        }
    }
    (words, start)
}

struct Context<'a> {
    world: &'a World,
    host: HostId,
    directory: &'a str,
}

impl Context<'_> {
    fn candidates(&self, earlier: &[String], current: &str) -> BTreeSet<String> {
        let Some((name, arguments)) = earlier.split_first() else {
            return self.commands(current);
        };
        if name == "docker-compose" {
            return self.compose(arguments, current);
        }
        if name == "docker" && arguments.first().is_some_and(|word| word == "compose") {
            return self.compose(&arguments[1..], current);
        }
        match lookup(name) {
            Some(command) => self.arguments(command, arguments, current),
            None => self.files(current),
        }
    }

    fn commands(&self, current: &str) -> BTreeSet<String> {
        if current.contains('/') {
            return self.files(current);
        }
        let tools = crate::tools::COMMANDS
            .iter()
            .chain(crate::coreutils::COMMANDS);
        let names = tools
            .map(|command| command.name)
            .chain(builtins::names().iter().copied());
        names
            .chain(["docker-compose", "docker"])
            .map(finished)
            .collect()
    }

    /// `docker-compose SUBCOMMAND [options] SERVICE [COMMAND ...]`.
    fn compose(&self, arguments: &[String], current: &str) -> BTreeSet<String> {
        let Some((subcommand, rest)) = arguments.split_first() else {
            return COMPOSE.iter().map(|name| finished(name)).collect();
        };
        let mut rest = rest.iter().skip_while(|word| word.starts_with('-'));
        match (subcommand.as_str(), rest.next()) {
            ("exec", Some(service)) => {
                let command: Vec<String> = rest.cloned().collect();
                let host = self.world.host_by_name(service).unwrap_or(self.host);
                let there = Context {
                    host,
                    directory: "/",
                    ..*self
                };
                there.candidates(&command, current)
            }
            _ => self
                .world
                .host_ids()
                .skip(1)
                .map(|host| finished(self.world.host_name(host)))
                .collect(),
        }
    }

    fn arguments(
        &self,
        command: &Command,
        arguments: &[String],
        current: &str,
    ) -> BTreeSet<String> {
        let option = |word: &str| {
            let name = word.strip_prefix("--")?;
            command.options.iter().find(|option| option.name == name)
        };
        if let Some(value) = arguments
            .last()
            .and_then(|word| option(word))
            .map(|option| option.value)
            && value != CompletionValue::None
        {
            return self.values(value, current);
        }
        if current.starts_with('-') {
            // An option stands once, but for those that carry properties.
            let given = |name: &str| {
                !name.ends_with("property")
                    && arguments
                        .iter()
                        .any(|word| word.strip_prefix("--") == Some(name))
            };
            let names = command
                .options
                .iter()
                .map(|option| option.name)
                .filter(|name| !given(name));
            return names.map(|name| finished(&format!("--{name}"))).collect();
        }
        if command.options.is_empty() {
            self.files(current)
        } else {
            BTreeSet::new()
        }
    }

    fn values(&self, value: CompletionValue, current: &str) -> BTreeSet<String> {
        match value {
            CompletionValue::None | CompletionValue::Any => BTreeSet::new(),
            CompletionValue::File => self.files(current),
            CompletionValue::Words(words) => words.iter().map(|word| finished(word)).collect(),
            CompletionValue::Server => self.servers(),
            CompletionValue::Topic => {
                let nodes = self
                    .world
                    .host_ids()
                    .filter_map(|host| self.world.node(host));
                nodes
                    .flat_map(|node| {
                        node.metadata_image()
                            .topics()
                            .map(|topic| finished(&topic.name))
                            .collect::<Vec<_>>()
                    })
                    .filter(|name| !name.starts_with("__") || current.starts_with('_'))
                    .collect()
            }
            CompletionValue::Group => {
                let nodes = self
                    .world
                    .host_ids()
                    .filter_map(|host| self.world.node(host));
                nodes
                    .flat_map(|node| node.group_views())
                    .map(|group| finished(&group.group_id))
                    .collect()
            }
        }
    }

    /// Listeners by the names under which they are reached from here.
    fn servers(&self) -> BTreeSet<String> {
        let mut servers = BTreeSet::new();
        for host in self.world.host_ids() {
            let Some(config) = self.world.node_config(host) else {
                continue;
            };
            for listener in config
                .listeners
                .iter()
                .filter(|listener| listener.name != "CONTROLLER")
            {
                if host == self.host {
                    servers.insert(finished(&format!("localhost:{}", listener.port)));
                }
                servers.insert(finished(&format!(
                    "{}:{}",
                    listener.advertised_host, listener.advertised_port
                )));
            }
        }
        servers
    }

    fn files(&self, current: &str) -> BTreeSet<String> {
        let (shown, prefix) = match current.rfind('/') {
            Some(slash) => current.split_at(slash + 1),
            None => ("", current),
        };
        let folder = match shown.strip_prefix("~/") {
            Some(rest) => resolve("/home/user", rest),
            None => resolve(self.directory, shown),
        };
        let disk = self.world.disk(self.host);
        disk.list(&folder)
            .into_iter()
            .filter(|name| {
                name.starts_with(prefix) && (!name.starts_with('.') || prefix.starts_with('.'))
            })
            .map(|name| {
                let end = if disk.is_directory(&resolve(&folder, &name)) {
                    "/"
                } else {
                    " "
                };
                format!("{shown}{name}{end}")
            })
            .collect()
    }
}

fn finished(word: &str) -> String {
    format!("{word} ")
}

#[cfg(test)]
mod tests {
    use playground_protocol::Time;
    use playground_sim::{Sim, SimOptions};

    use super::*;

    fn offered(line: &str) -> Vec<String> {
        let mut sim = Sim::new(SimOptions {
            seed: 1,
            start: Time::default(),
        });
        let home = sim.add_host("home");
        sim.add_host("kafka-1");
        let mut world = sim.world_mut();
        world.disk_mut(home).write("/home/user/users.txt", b"");
        world.disk_mut(home).create_directory("/home/user/book");
        complete(&world, home, "/home/user", line, line.len()).candidates
    }

    #[test]
    fn commands_options_and_files_are_offered() {
        assert_eq!(offered("kafka-top"), ["kafka-topics "]);
        assert_eq!(
            offered("echo x | kafka-console-p"),
            ["kafka-console-producer "]
        );
        assert_eq!(
            offered("kafka-topics --par"),
            ["--partition-size-limit-per-response ", "--partitions "]
        );
        assert_eq!(offered("kafka-topics.sh --list --li"), Vec::<String>::new());
        assert_eq!(offered("cat us"), ["users.txt "]);
        assert_eq!(offered("cat b"), ["book/"]);
        assert_eq!(offered("kafka-console-producer < us"), ["users.txt "]);
        assert_eq!(
            offered("kafka-console-producer --compression-codec z"),
            ["zstd "]
        );
    }

    #[test]
    fn services_are_offered_and_then_their_commands() {
        assert_eq!(offered("docker-compose st"), ["start ", "stop "]);
        assert_eq!(offered("docker-compose kill k"), ["kafka-1 "]);
        assert_eq!(
            offered("docker compose exec -it kafka-1 kafka-get"),
            ["kafka-get-offsets "]
        );
    }

    #[test]
    fn the_word_before_the_cursor_is_what_is_replaced() {
        let mut sim = Sim::new(SimOptions {
            seed: 1,
            start: Time::default(),
        });
        let home = sim.add_host("home");
        let completion = complete(&sim.world(), home, "/", "kafka-topics --li", 17);
        assert_eq!(completion.start, 13);
    }
}
