//! Kafka's console tools, one file each: options, help, parsing, behaviour, completion, tests.

use crate::commands::Command;

/// Every Kafka tool, by name without `.sh`.
pub static COMMANDS: &[Command] = &[];

/// The tool of that name, with or without `.sh`.
pub fn lookup(name: &str) -> Option<&'static Command> {
    let name = name.strip_suffix(".sh").unwrap_or(name);
    COMMANDS.iter().find(|command| command.name == name)
}
