//! GNU's small tools, as far as people use them beside Kafka's: one file each.

pub mod args;
pub mod cat;
pub mod cut;
pub mod date;
pub mod diff;
pub mod echo;
pub mod escapes;
pub mod expr;
pub mod file_operations;
pub mod find;
pub mod grep;
pub mod head;
pub mod ls;
pub mod md5sum;
pub mod nl;
pub mod paste;
pub mod printf;
pub mod run_command;
pub mod sed;
pub mod seq;
pub mod sleep;
pub mod small;
pub mod sort;
pub mod tail;
pub mod tee;
pub mod text;
pub mod tr;
pub mod uniq;
pub mod wc;
pub mod xargs;

use crate::commands::Command;
use crate::tool;

macro_rules! command {
    ($name:literal, $summary:literal, $run:path) => {
        Command {
            name: $name,
            summary: $summary,
            run: tool!($run),
            options: &[],
        }
    };
}

/// Every small tool, in the order of `help`.
pub static COMMANDS: &[Command] = &[
    command!("ls", "list a directory", ls::run),
    command!("cat", "print files", cat::run),
    command!("touch", "create empty files", file_operations::touch),
    command!("rm", "remove files", file_operations::rm),
    command!("mkdir", "create directories", file_operations::mkdir),
    command!("rmdir", "remove empty directories", file_operations::rmdir),
    command!("cp", "copy files", file_operations::cp),
    command!("mv", "move or rename files", file_operations::mv),
    command!(
        "chmod",
        "change permissions (there are none here)",
        file_operations::chmod
    ),
    command!("find", "search for files", find::run),
    command!("du", "sum up sizes of files", small::du),
    command!("stat", "say what a file is", small::stat),
    command!("head", "print the first lines", head::run),
    command!(
        "tail",
        "print the last lines, or follow a file (-f)",
        tail::run
    ),
    command!("wc", "count lines, words and bytes", wc::run),
    command!("nl", "number lines", nl::run),
    command!("grep", "print lines that match", grep::run),
    command!("egrep", "grep -E", grep::run),
    command!("fgrep", "grep -F", grep::run),
    command!("sed", "edit a stream of lines", sed::run),
    command!("cut", "print parts of lines", cut::run),
    command!("tr", "exchange or delete characters", tr::run),
    command!("sort", "sort lines", sort::run),
    command!("uniq", "drop repeated lines", uniq::run),
    command!("paste", "join lines of files", paste::run),
    command!("rev", "reverse each line", small::rev),
    command!("tac", "print lines from the last to the first", small::tac),
    command!("tee", "copy a stream to files", tee::run),
    command!(
        "xargs",
        "run a command with arguments from a stream",
        xargs::run
    ),
    command!("diff", "compare files", diff::run),
    command!("md5sum", "print MD5 checksums", md5sum::run),
    command!("base64", "encode or decode base64", small::base64),
    command!("hexdump", "print bytes (-C)", small::hexdump),
    command!("xxd", "print bytes", small::hexdump),
    command!("seq", "print numbers", seq::run),
    command!("yes", "print a text again and again", small::yes),
    command!("expr", "evaluate an expression", expr::run),
    command!("date", "print the virtual time", date::run),
    command!("sleep", "wait", sleep::sleep),
    command!("timeout", "run a command for a while", sleep::timeout),
    command!("basename", "print the last part of a path", small::basename),
    command!(
        "dirname",
        "print all but the last part of a path",
        small::dirname
    ),
    command!("realpath", "print an absolute path", small::realpath),
    command!(
        "env",
        "print the environment, or run a command in another",
        small::env
    ),
    command!("printenv", "print environment variables", small::env),
    command!("hostname", "print this host's name", small::hostname),
    command!("whoami", "print this user's name", small::whoami),
    command!("uname", "print the system's name", small::uname),
    command!("ps", "list this host's processes", small::ps),
    command!("clear", "clear the terminal", small::clear),
    command!("bash", "start another shell", crate::shell::bash),
    command!("sh", "start another shell", crate::shell::bash),
];

/// The tool of that name.
pub fn lookup(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}
