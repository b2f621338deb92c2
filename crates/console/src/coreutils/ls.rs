//! `ls`.

use unicode_width::UnicodeWidthStr;

use super::args::{self, Spec};
use super::text::{Output, complain};
use crate::commands::CommandContext;
use crate::files::{self, FileKind};

const SPEC: Spec = Spec {
    short: "aA1lhrSRdFptCmxngoiskGUv",
    long: &[
        ("all", 'a'),
        ("almost-all", 'A'),
        ("human-readable", 'h'),
        ("reverse", 'r'),
        ("recursive", 'R'),
        ("directory", 'd'),
        ("classify", 'F'),
        ("size", 's'),
        ("color", 'G'),
    ],
};

/// Columns of a terminal when `COLUMNS` does not say.
const TERMINAL_COLUMNS: usize = 80;

struct Entry {
    name: String,
    directory: bool,
    device: bool,
    size: u64,
}

fn human(size: u64) -> String {
    if size < 1024 {
        return size.to_string();
    }
    let mut unit = 1024_u64;
    for letter in ["K", "M", "G", "T"] {
        if size < unit * 1024 {
            let tenths = (size * 10).div_ceil(unit);
            return if tenths < 100 {
                format!("{}.{}{letter}", tenths / 10, tenths % 10)
            } else {
                format!("{}{letter}", size.div_ceil(unit))
            };
        }
        unit *= 1024;
    }
    format!("{size}")
}

/// Runs it.
pub async fn run(mut context: CommandContext) -> i32 {
    context.args.retain(|arg| !arg.starts_with("--color"));
    let options = match args::parse(&context, SPEC, 2).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let process = context.process.clone();
    let entry = |name: &str, path: &str| -> Option<Entry> {
        let kind = files::kind(&process, path)?;
        Some(Entry {
            name: name.to_owned(),
            directory: kind == FileKind::Directory,
            device: kind == FileKind::Device,
            size: if kind == FileKind::Directory {
                4096
            } else {
                files::length(&process, path)
            },
        })
    };
    let operands = if options.operands.is_empty() {
        vec![".".to_owned()]
    } else {
        options.operands.clone()
    };
    let mut output = Output::new(&context);
    let mut status = 0;
    let mut singles = Vec::new();
    let mut directories = Vec::new();
    for operand in &operands {
        let path = context.path(operand);
        match entry(operand, &path) {
            None => {
                let error = files::missing(&process, &path);
                complain(&context, &format!("cannot access '{operand}': {error}")).await;
                status = 2;
            }
            Some(found) if found.directory && !options.has('d') => {
                directories.push(operand.clone())
            }
            Some(found) => singles.push(found),
        }
    }
    let order = |entries: &mut Vec<Entry>| {
        if options.has('S') {
            entries.sort_by(|left, right| {
                right
                    .size
                    .cmp(&left.size)
                    .then_with(|| left.name.cmp(&right.name))
            });
        } else if !options.has('U') {
            entries.sort_by(|left, right| left.name.cmp(&right.name));
        }
        if options.has('r') {
            entries.reverse();
        }
    };
    order(&mut singles);
    directories.sort();
    if options.has('r') {
        directories.reverse();
    }
    let show = |entries: &[Entry], total: bool, output: &mut Output| {
        print(&context, &options, entries, total, output)
    };
    show(&singles, false, &mut output);
    let headers = directories.len() + singles.len() > 1
        || options.has('R')
        || status != 0 && operands.len() > 1;
    let mut first = singles.is_empty();
    directories.reverse();
    while let Some(directory) = directories.pop() {
        let path = context.path(&directory);
        let mut entries: Vec<Entry> = files::list(&process, &path)
            .iter()
            .filter(|name| options.has('a') || options.has('A') || !name.starts_with('.'))
            .filter_map(|name| entry(name, &format!("{}/{name}", path.trim_end_matches('/'))))
            .collect();
        order(&mut entries);
        let inner: Vec<String> = entries
            .iter()
            .filter(|entry| entry.directory)
            .map(|entry| entry.name.clone())
            .collect();
        if options.has('a') {
            let dots = [".", ".."].map(|name| Entry {
                name: name.to_owned(),
                directory: true,
                device: false,
                size: 4096,
            });
            if options.has('r') {
                entries.extend(dots.into_iter().rev());
            } else {
                entries.splice(..0, dots);
            }
        }
        if headers {
            output.text(&format!("{}{directory}:\n", if first { "" } else { "\n" }));
        }
        first = false;
        show(&entries, true, &mut output);
        if options.has('R') {
            for name in inner.into_iter().rev() {
                directories.push(format!("{}/{name}", directory.trim_end_matches('/')));
            }
        }
        if !output.settle().await {
            return 141;
        }
    }
    output.finish(status).await
}

fn label(entry: &Entry, options: &args::Parsed) -> String {
    let mark = if entry.directory && (options.has('F') || options.has('p')) {
        "/"
    } else {
        ""
    };
    let plain = entry
        .name
        .chars()
        .all(|c| c.is_alphanumeric() || "-_./+,:@%=~^".contains(c));
    if plain || entry.name.is_empty() {
        format!("{}{mark}", entry.name)
    } else {
        format!("'{}'{mark}", entry.name)
    }
}

fn print(
    context: &CommandContext,
    options: &args::Parsed,
    entries: &[Entry],
    total: bool,
    output: &mut Output,
) {
    let terminal = context.stdout.is_terminal();
    // Names are quoted at a terminal only.
    let name = |entry: &Entry| {
        if terminal {
            label(entry, options)
        } else {
            let mark = if entry.directory && (options.has('F') || options.has('p')) {
                "/"
            } else {
                ""
            };
            format!("{}{mark}", entry.name)
        }
    };
    if options.has('l') || options.has('n') || options.has('g') || options.has('o') {
        let size = |entry: &Entry| {
            if options.has('h') {
                human(entry.size)
            } else {
                entry.size.to_string()
            }
        };
        if total {
            let blocks: u64 = entries
                .iter()
                .map(|entry| entry.size.div_ceil(4096) * 4)
                .sum();
            let blocks = if options.has('h') {
                human(blocks * 1024)
            } else {
                blocks.to_string()
            };
            output.text(&format!("total {blocks}\n"));
        }
        let width = entries
            .iter()
            .map(|entry| size(entry).len())
            .max()
            .unwrap_or(0);
        let user = context
            .environment
            .get("USER")
            .map_or("user", String::as_str);
        let stamp = super::date::stamp(context.process.now(), "%b %e %H:%M");
        for entry in entries {
            let (mode, links) = match (entry.directory, entry.device) {
                (true, _) => ("drwxr-xr-x", 2),
                (_, true) => ("crw-rw-rw-", 1),
                _ => ("-rw-r--r--", 1),
            };
            output.text(&format!(
                "{mode} {links} {user} {user} {:>width$} {stamp} {}\n",
                size(entry),
                name(entry)
            ));
        }
        return;
    }
    let names: Vec<String> = entries.iter().map(name).collect();
    if options.has('m') {
        if !names.is_empty() {
            output.text(&format!("{}\n", names.join(", ")));
        }
        return;
    }
    if options.has('1') || !(terminal || options.has('C') || options.has('x')) {
        for name in names {
            output.text(&format!("{name}\n"));
        }
        return;
    }
    let columns = context
        .environment
        .get("COLUMNS")
        .and_then(|text| text.parse().ok())
        .unwrap_or(TERMINAL_COLUMNS);
    columns_of(&names, columns, output);
}

/// Lists names in as few rows as fit, down the columns.
fn columns_of(names: &[String], columns: usize, output: &mut Output) {
    if names.is_empty() {
        return;
    }
    for rows in 1..=names.len() {
        let widths: Vec<usize> = names
            .chunks(rows)
            .map(|column| column.iter().map(|name| name.width()).max().unwrap_or(0))
            .collect();
        let total: usize = widths.iter().sum::<usize>() + 2 * (widths.len() - 1);
        if total > columns && rows < names.len() {
            continue;
        }
        for row in 0..rows {
            let mut line = String::new();
            for (column, width) in widths.iter().enumerate() {
                let Some(name) = names.get(column * rows + row) else {
                    break;
                };
                line.push_str(name);
                if names.get((column + 1) * rows + row).is_some() {
                    line.push_str(&" ".repeat(width + 2 - name.width()));
                }
            }
            output.text(&format!("{line}\n"));
        }
        return;
    }
}
