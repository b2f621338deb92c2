//! `find`.

use playground_sim::InputStream;

use super::run_command;
use super::text::{Output, complain};
use crate::commands::CommandContext;
use crate::files::{self, FileKind};
use crate::shell::pattern;

/// How deep directories are walked.
const DEPTH_MAX: usize = 100;

#[derive(Clone, Debug, PartialEq)]
enum Test {
    Name { pattern: String, fold: bool },
    Path { pattern: String, fold: bool },
    Kind(char),
    Empty,
    Size { sign: char, count: u64, unit: u64 },
    Print,
    PrintNull,
    Delete,
    Prune,
    Exec { command: Vec<String>, all: bool },
    Always,
    Not(Box<Test>),
    And(Box<Test>, Box<Test>),
    Or(Box<Test>, Box<Test>),
}

struct Parser<'a> {
    args: &'a [String],
    at: usize,
    acts: bool,
    depth: (usize, usize),
    contents_first: bool,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&str> {
        self.args.get(self.at).map(String::as_str)
    }

    fn value(&mut self, option: &str) -> Result<String, String> {
        let value = self
            .args
            .get(self.at)
            .cloned()
            .ok_or_else(|| format!("missing argument to `{option}'"))?;
        self.at += 1;
        Ok(value)
    }

    fn or(&mut self, depth: usize) -> Result<Test, String> {
        let mut left = self.and(depth)?;
        while matches!(self.peek(), Some("-o" | "-or")) {
            self.at += 1;
            left = Test::Or(Box::new(left), Box::new(self.and(depth)?));
        }
        Ok(left)
    }

    fn and(&mut self, depth: usize) -> Result<Test, String> {
        let mut left = self.primary(depth)?;
        loop {
            match self.peek() {
                None | Some("-o" | "-or" | ")") => return Ok(left),
                Some("-a" | "-and") => self.at += 1,
                Some(_) => {}
            }
            left = Test::And(Box::new(left), Box::new(self.primary(depth)?));
        }
    }

    fn primary(&mut self, depth: usize) -> Result<Test, String> {
        if depth > DEPTH_MAX {
            return Err("expression is nested too deeply".to_owned());
        }
        let Some(option) = self.peek().map(str::to_owned) else {
            return Err("expected an expression".to_owned());
        };
        self.at += 1;
        Ok(match option.as_str() {
            "!" | "-not" => Test::Not(Box::new(self.primary(depth + 1)?)),
            "(" => {
                let inner = self.or(depth + 1)?;
                if self.peek() != Some(")") {
                    return Err("invalid expression; I was expecting to find a ')' somewhere but did not see one.".to_owned());
                }
                self.at += 1;
                inner
            }
            "-name" | "-iname" => Test::Name {
                pattern: self.value(&option)?,
                fold: option == "-iname",
            },
            "-path" | "-ipath" | "-wholename" => Test::Path {
                pattern: self.value(&option)?,
                fold: option == "-ipath",
            },
            "-type" => {
                let kind = self.value(&option)?;
                match kind.as_str() {
                    "f" | "d" | "c" | "l" | "b" | "p" | "s" => {
                        Test::Kind(kind.chars().next().unwrap_or('f'))
                    }
                    _ => return Err(format!("Unknown argument to -type: {kind}")),
                }
            }
            "-empty" => Test::Empty,
            "-size" => {
                let text = self.value(&option)?;
                let (sign, rest) = match text.chars().next() {
                    Some(sign @ ('+' | '-')) => (sign, &text[1..]),
                    _ => ('=', text.as_str()),
                };
                let digits =
                    rest.trim_end_matches(|character: char| character.is_ascii_alphabetic());
                let unit = match &rest[digits.len()..] {
                    "" | "b" => 512,
                    "c" => 1,
                    "w" => 2,
                    "k" => 1024,
                    "M" => 1 << 20,
                    "G" => 1 << 30,
                    _ => return Err(format!("invalid -size type `{rest}'")),
                };
                let count = digits
                    .parse()
                    .map_err(|_| format!("Invalid argument `{text}' to -size"))?;
                Test::Size { sign, count, unit }
            }
            "-print" => {
                self.acts = true;
                Test::Print
            }
            "-print0" => {
                self.acts = true;
                Test::PrintNull
            }
            "-delete" => {
                self.acts = true;
                self.contents_first = true;
                Test::Delete
            }
            "-prune" => Test::Prune,
            "-true" => Test::Always,
            "-depth" => {
                self.contents_first = true;
                Test::Always
            }
            "-maxdepth" | "-mindepth" => {
                let text = self.value(&option)?;
                let depth = text.parse().map_err(|_| {
                    format!(
                        "Expected a positive decimal integer argument to {option}, but got ‘{text}’"
                    )
                })?;
                if option == "-maxdepth" {
                    self.depth.1 = depth;
                } else {
                    self.depth.0 = depth;
                }
                Test::Always
            }
            "-mtime" | "-mmin" | "-newer" | "-user" | "-perm" => {
                self.value(&option)?;
                Test::Always
            }
            "-exec" => {
                self.acts = true;
                let mut command = Vec::new();
                loop {
                    match self.peek().map(str::to_owned) {
                        None => return Err("missing argument to `-exec'".to_owned()),
                        Some(end)
                            if end == ";"
                                || end == "+"
                                    && command.last().is_some_and(|last| last == "{}") =>
                        {
                            self.at += 1;
                            break Test::Exec {
                                command,
                                all: end == "+",
                            };
                        }
                        Some(word) => {
                            self.at += 1;
                            command.push(word);
                        }
                    }
                }
            }
            other if other.starts_with('-') => return Err(format!("unknown predicate `{other}'")),
            other => return Err(format!("paths must precede expression: `{other}'")),
        })
    }
}

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let starts: usize = context
        .args
        .iter()
        .position(|arg| arg.starts_with('-') && arg.len() > 1 || arg == "!" || arg == "(")
        .unwrap_or(context.args.len());
    let roots: Vec<String> = if starts == 0 {
        vec![".".to_owned()]
    } else {
        context.args[..starts].to_vec()
    };
    let mut parser = Parser {
        args: &context.args[starts..],
        at: 0,
        acts: false,
        depth: (0, DEPTH_MAX),
        contents_first: false,
    };
    let test = if parser.args.is_empty() {
        Ok(Test::Always)
    } else {
        parser.or(0)
    };
    let test = match test {
        Ok(_) if parser.at < parser.args.len() => Err("you have too many ')'".to_owned()),
        other => other,
    };
    let test = match test {
        Ok(test) => test,
        Err(error) => {
            complain(&context, &error).await;
            return 1;
        }
    };
    let test = if parser.acts {
        test
    } else {
        Test::And(Box::new(test), Box::new(Test::Print))
    };
    let mut finder = Finder {
        context: &context,
        output: Output::new(&context),
        status: 0,
        gathered: Vec::new(),
        depth: parser.depth,
        contents_first: parser.contents_first,
    };
    for root in roots {
        if files::kind(&context.process, &context.path(&root)).is_none() {
            finder.output.flush().await;
            complain(&context, &format!("‘{root}’: No such file or directory")).await;
            finder.status = 1;
            continue;
        }
        finder.walk(root, &test).await;
        if finder.output.broken {
            return 141;
        }
    }
    finder.output.flush().await;
    for (mut command, paths) in std::mem::take(&mut finder.gathered) {
        command.pop();
        let name = if command.is_empty() {
            continue;
        } else {
            command.remove(0)
        };
        command.extend(paths);
        if run_command::run(&context, &name, command, InputStream::null()).await != 0 {
            finder.status = 1;
        }
    }
    let status = finder.status;
    finder.output.finish(status).await
}

struct Finder<'a> {
    context: &'a CommandContext,
    output: Output,
    status: i32,
    gathered: Vec<(Vec<String>, Vec<String>)>,
    depth: (usize, usize),
    contents_first: bool,
}

impl Finder<'_> {
    /// Walks a tree: an explicit stack, so that a deep tree costs no stack of ours.
    async fn walk(&mut self, root: String, test: &Test) {
        let mut pending = vec![(root, 0_usize, false)];
        while let Some((path, depth, contents_done)) = pending.pop() {
            let directory = files::is_directory(&self.context.process, &self.context.path(&path));
            let inside = depth >= self.depth.0;
            if self.contents_first && directory && !contents_done {
                pending.push((path.clone(), depth, true));
                self.push_contents(&path, depth, &mut pending);
                continue;
            }
            let mut pruned = false;
            if inside {
                self.evaluate(test, &path, &mut pruned).await;
            }
            if directory && !contents_done && !pruned {
                self.push_contents(&path, depth, &mut pending);
            }
            if !self.output.settle().await {
                return;
            }
        }
    }

    fn push_contents(&self, path: &str, depth: usize, pending: &mut Vec<(String, usize, bool)>) {
        if depth >= self.depth.1 {
            return;
        }
        for name in files::list(&self.context.process, &self.context.path(path))
            .into_iter()
            .rev()
        {
            let joined = if path.ends_with('/') {
                format!("{path}{name}")
            } else {
                format!("{path}/{name}")
            };
            pending.push((joined, depth + 1, false));
        }
    }

    fn evaluate<'f>(
        &'f mut self,
        test: &'f Test,
        path: &'f str,
        pruned: &'f mut bool,
    ) -> crate::shell::LocalBoxFuture2<'f, bool> {
        Box::pin(async move {
            let absolute = self.context.path(path);
            let process = &self.context.process;
            match test {
                Test::Always => true,
                Test::Not(inner) => !self.evaluate(inner, path, pruned).await,
                Test::And(left, right) => {
                    self.evaluate(left, path, pruned).await
                        && self.evaluate(right, path, pruned).await
                }
                Test::Or(left, right) => {
                    self.evaluate(left, path, pruned).await
                        || self.evaluate(right, path, pruned).await
                }
                Test::Name { pattern, fold } => {
                    let name = path
                        .trim_end_matches('/')
                        .rsplit('/')
                        .next()
                        .unwrap_or(path);
                    folded_match(pattern, name, *fold)
                }
                Test::Path { pattern, fold } => folded_match(pattern, path, *fold),
                Test::Kind(kind) => match files::kind(process, &absolute) {
                    Some(FileKind::File) => *kind == 'f',
                    Some(FileKind::Directory) => *kind == 'd',
                    Some(FileKind::Device) => *kind == 'c',
                    None => false,
                },
                Test::Empty => match files::kind(process, &absolute) {
                    Some(FileKind::Directory) => files::list(process, &absolute).is_empty(),
                    _ => files::length(process, &absolute) == 0,
                },
                Test::Size { sign, count, unit } => {
                    let size = files::length(process, &absolute).div_ceil(*unit);
                    match sign {
                        '+' => size > *count,
                        '-' => size < *count,
                        _ => size == *count,
                    }
                }
                Test::Print => {
                    self.output.text(&format!("{path}\n"));
                    true
                }
                Test::PrintNull => {
                    self.output.text(&format!("{path}\0"));
                    true
                }
                Test::Prune => {
                    *pruned = true;
                    true
                }
                Test::Delete => {
                    if files::is_directory(process, &absolute)
                        && !files::list(process, &absolute).is_empty()
                    {
                        self.output.flush().await;
                        complain(
                            self.context,
                            &format!("cannot delete ‘{path}’: Directory not empty"),
                        )
                        .await;
                        self.status = 1;
                        return false;
                    }
                    process.with_disk(|disk| disk.delete(&absolute));
                    true
                }
                Test::Exec { command, all: true } => {
                    match self.gathered.iter_mut().find(|(known, _)| known == command) {
                        Some((_, paths)) => paths.push(path.to_owned()),
                        None => self.gathered.push((command.clone(), vec![path.to_owned()])),
                    }
                    true
                }
                Test::Exec { command, .. } => {
                    self.output.flush().await;
                    let mut words: Vec<String> = command
                        .iter()
                        .map(|word| word.replace("{}", path))
                        .collect();
                    if words.is_empty() {
                        return false;
                    }
                    let name = words.remove(0);
                    let status =
                        run_command::run(self.context, &name, words, InputStream::null()).await;
                    if status == 127 {
                        complain(
                            self.context,
                            &format!("‘{name}’: No such file or directory"),
                        )
                        .await;
                    }
                    status == 0
                }
            }
        })
    }
}

fn folded_match(wanted: &str, text: &str, fold: bool) -> bool {
    if fold {
        pattern::matches(&wanted.to_lowercase(), &text.to_lowercase())
    } else {
        pattern::matches(wanted, text)
    }
}
