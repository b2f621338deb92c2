//! `grep`, `egrep`, `fgrep`.

use std::collections::VecDeque;

use playground_regex::{Options, Place, Regex, Syntax};

use super::args::{self, Parsed, Spec};
use super::text::{Lines, Output, chomp, complain, open};
use crate::commands::CommandContext;
use crate::files;

const SPEC: Spec = Spec {
    short: "EFGPe:f:ivwxclLm:noqsHhrRA:B:C:azyU",
    long: &[
        ("extended-regexp", 'E'),
        ("fixed-strings", 'F'),
        ("basic-regexp", 'G'),
        ("perl-regexp", 'P'),
        ("regexp", 'e'),
        ("file", 'f'),
        ("ignore-case", 'i'),
        ("invert-match", 'v'),
        ("word-regexp", 'w'),
        ("line-regexp", 'x'),
        ("count", 'c'),
        ("files-with-matches", 'l'),
        ("files-without-match", 'L'),
        ("max-count", 'm'),
        ("line-number", 'n'),
        ("only-matching", 'o'),
        ("quiet", 'q'),
        ("silent", 'q'),
        ("no-messages", 's'),
        ("with-filename", 'H'),
        ("no-filename", 'h'),
        ("recursive", 'r'),
        ("after-context", 'A'),
        ("before-context", 'B'),
        ("context", 'C'),
        ("text", 'a'),
        ("include", 'I'),
        ("color", 'U'),
        ("colour", 'U'),
        ("line-buffered", 'U'),
        ("null-data", 'z'),
    ],
};

struct Search {
    expressions: Vec<Regex>,
    invert: bool,
    count: bool,
    list: bool,
    list_others: bool,
    max: Option<u64>,
    number: bool,
    only: bool,
    quiet: bool,
    names: bool,
    before: usize,
    after: usize,
}

impl Search {
    /// The first match in a line from `from` on.
    fn find(&self, line: &[u8], from: usize) -> Option<(usize, usize)> {
        let mut best: Option<(usize, usize)> = None;
        for expression in &self.expressions {
            let Some(range) = expression.find_at(line, from) else {
                continue;
            };
            if best.is_none_or(|best| range.0 < best.0 || range.0 == best.0 && range.1 > best.1) {
                best = Some(range);
            }
        }
        best
    }
}

/// Runs it.
pub async fn run(mut context: CommandContext) -> i32 {
    // `-5` means `-C 5`; `--color=auto` takes a value that nobody needs.
    for arg in &mut context.args {
        if arg.len() > 1
            && arg.starts_with('-')
            && arg[1..].chars().all(|character| character.is_ascii_digit())
        {
            *arg = format!("-C{}", &arg[1..]);
        } else if arg.starts_with("--color") || arg.starts_with("--colour") {
            *arg = "--color".to_owned();
        }
    }
    let mut includes = Vec::new();
    context
        .args
        .retain(|arg| match arg.strip_prefix("--include=") {
            Some(pattern) => {
                includes.push(pattern.to_owned());
                false
            }
            None => true,
        });
    let options = match args::parse(&context, SPEC, 2).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mut operands = options.operands.clone();
    let search = match prepare(&context, &options, &mut operands).await {
        Ok(search) => search,
        Err(status) => return status,
    };
    let recursive = options.has('r') || options.has('R');
    let targets = targets(&context, &operands, recursive, &includes);
    let names = !options.has('h') && (options.has('H') || targets.len() > 1 || recursive);
    let search = Search { names, ..search };
    let mut output = Output::new(&context);
    let mut found_any = false;
    let mut failed = false;
    for target in targets {
        let stream = match open(&context, &target) {
            Ok(stream) => stream,
            Err(error) => {
                if !options.has('s') {
                    output.flush().await;
                    complain(&context, &format!("{target}: {error}")).await;
                }
                failed = true;
                continue;
            }
        };
        let name = if target == "-" {
            "(standard input)".to_owned()
        } else {
            target
        };
        let found = one_file(&search, stream, &name, &mut output).await;
        found_any |= found;
        if search.quiet && found {
            return 0;
        }
        if output.broken {
            return 141;
        }
    }
    let status = if failed && !(search.quiet && found_any) {
        2
    } else {
        i32::from(!found_any)
    };
    output.finish(status).await
}

async fn prepare(
    context: &CommandContext,
    options: &Parsed,
    operands: &mut Vec<String>,
) -> Result<Search, i32> {
    let mut expressions: Vec<String> = options
        .values('e')
        .flat_map(|text| text.split('\n').map(str::to_owned))
        .collect();
    for file in options.values('f') {
        match super::text::read_all(context, file).await {
            Ok(bytes) => {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                expressions.extend(text.lines().map(str::to_owned));
            }
            Err(error) => {
                complain(context, &format!("{file}: {error}")).await;
                return Err(2);
            }
        }
    }
    if !options.has('e') && !options.has('f') {
        if operands.is_empty() {
            context
                .err("Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n")
                .await;
            return Err(2);
        }
        expressions = operands.remove(0).split('\n').map(str::to_owned).collect();
    }
    let mut syntax = match context.name.as_str() {
        "egrep" => Syntax::Extended,
        "fgrep" => Syntax::Literal,
        _ => Syntax::Basic,
    };
    for (option, _) in &options.options {
        syntax = match option {
            'E' => Syntax::Extended,
            'F' => Syntax::Literal,
            'G' => Syntax::Basic,
            'P' => Syntax::Perl,
            _ => syntax,
        };
    }
    let reading = Options {
        ignore_case: options.has('i') || options.has('y'),
        place: if options.has('x') {
            Place::Whole
        } else if options.has('w') {
            Place::Word
        } else {
            Place::Anywhere
        },
        ..Options::new(syntax)
    };
    let mut compiled = Vec::new();
    for expression in &expressions {
        match Regex::new(expression, reading) {
            Ok(expression) => {
                for warning in expression.warnings() {
                    complain(context, &format!("warning: {warning}")).await;
                }
                compiled.push(expression);
            }
            Err(error) => {
                let text = match syntax {
                    Syntax::Perl => error.pcre(),
                    _ => error.posix(),
                };
                complain(context, text).await;
                return Err(2);
            }
        }
    }
    let mut lengths = [0_usize; 2];
    for (length, option) in lengths.iter_mut().zip(['B', 'A']) {
        if let Some(text) = options.value(option).or(options.value('C')) {
            match text.parse() {
                Ok(value) => *length = value,
                Err(_) => {
                    complain(context, &format!("{text}: invalid context length argument")).await;
                    return Err(2);
                }
            }
        }
    }
    let max = match options.value('m').map(str::parse::<u64>) {
        None => None,
        Some(Ok(max)) => Some(max),
        Some(Err(_)) => {
            complain(context, "invalid max count").await;
            return Err(2);
        }
    };
    Ok(Search {
        expressions: compiled,
        invert: options.has('v'),
        count: options.has('c'),
        list: options.has('l'),
        list_others: options.has('L'),
        max,
        number: options.has('n'),
        only: options.has('o'),
        quiet: options.has('q'),
        names: false,
        before: lengths[0],
        after: lengths[1],
    })
}

fn targets(
    context: &CommandContext,
    operands: &[String],
    recursive: bool,
    includes: &[String],
) -> Vec<String> {
    if !recursive {
        return super::text::operands_or_stdin(operands);
    }
    let mut pending: Vec<String> = if operands.is_empty() {
        vec![String::new()]
    } else {
        operands.to_vec()
    };
    pending.reverse();
    let mut found = Vec::new();
    while let Some(path) = pending.pop() {
        if files::is_directory(&context.process, &context.path(&path)) {
            let names = files::list(&context.process, &context.path(&path));
            for name in names.into_iter().rev() {
                let joined = if path.is_empty() {
                    name
                } else {
                    format!("{}/{name}", path.trim_end_matches('/'))
                };
                pending.push(joined);
            }
        } else {
            let name = path.rsplit('/').next().unwrap_or(&path);
            if includes.is_empty()
                || includes
                    .iter()
                    .any(|pattern| crate::shell::pattern::matches(pattern, name))
            {
                found.push(path);
            }
        }
    }
    found
}

async fn one_file(
    search: &Search,
    stream: playground_sim::InputStream,
    name: &str,
    output: &mut Output,
) -> bool {
    let mut lines = Lines::new(stream);
    let mut number = 0_u64;
    let mut count = 0_u64;
    let mut held: VecDeque<(u64, Vec<u8>)> = VecDeque::new();
    let mut owed = 0_usize;
    let mut printed: Option<u64> = None;
    let silent = search.count || search.list || search.list_others || search.quiet;
    let context_lines = search.before > 0 || search.after > 0;
    while search.max.is_none_or(|max| count < max || owed > 0) {
        let Some(line) = lines.next(output).await else {
            break;
        };
        let line = chomp(&line);
        number += 1;
        let matched = search.max.is_none_or(|max| count < max)
            && search.find(line, 0).is_some() != search.invert;
        if matched {
            count += 1;
            if search.quiet || search.list || search.list_others {
                break;
            }
        }
        if silent {
            continue;
        }
        if !matched {
            if owed > 0 {
                owed -= 1;
                print(search, name, number, line, b'-', output);
                printed = Some(number);
            } else if search.before > 0 {
                held.push_back((number, line.to_vec()));
                if held.len() > search.before {
                    held.pop_front();
                }
            }
            continue;
        }
        let first = held.front().map_or(number, |(first, _)| *first);
        if context_lines && printed.is_some_and(|printed| printed + 1 < first) {
            output.push(b"--\n");
        }
        for (number, line) in held.drain(..) {
            print(search, name, number, &line, b'-', output);
        }
        if search.only {
            let mut from = 0;
            while !search.invert && from <= line.len() {
                let Some((start, end)) = search.find(line, from) else {
                    break;
                };
                if end > start {
                    print(search, name, number, &line[start..end], b':', output);
                }
                from = end.max(start + 1);
            }
        } else {
            print(search, name, number, line, b':', output);
        }
        printed = Some(number);
        owed = search.after;
    }
    if search.list && count > 0 || search.list_others && count == 0 {
        output.text(&format!("{name}\n"));
    } else if search.count && !search.quiet && !search.list && !search.list_others {
        if search.names {
            output.text(&format!("{name}:"));
        }
        output.text(&format!("{count}\n"));
    }
    if search.list_others {
        count == 0
    } else {
        count > 0
    }
}

fn print(search: &Search, name: &str, number: u64, line: &[u8], mark: u8, output: &mut Output) {
    if search.names {
        output.text(name);
        output.push(&[mark]);
    }
    if search.number {
        output.text(&number.to_string());
        output.push(&[mark]);
    }
    output.push(line);
    output.push(b"\n");
}
