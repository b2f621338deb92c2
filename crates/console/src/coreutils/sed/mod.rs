//! `sed`.

mod parse;
mod script;

use std::collections::VecDeque;

use playground_regex::{Captures, Regex, Syntax};

use self::script::{Address, Command, Instruction, Replacement, Substitution};
use super::args::{self, Spec};
use super::text::{Lines, Output, chomp, complain, open, operands_or_stdin, read_all};
use crate::commands::CommandContext;
use crate::files;

const SPEC: Spec = Spec {
    short: "nEre:f:i?suz",
    long: &[
        ("quiet", 'n'),
        ("silent", 'n'),
        ("regexp-extended", 'E'),
        ("expression", 'e'),
        ("file", 'f'),
        ("in-place", 'i'),
        ("separate", 's'),
        ("unbuffered", 'u'),
    ],
};

/// Instructions that one line may cost, so that a loop of branches ends.
const STEPS_MAX: u64 = 1_000_000;

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mut operands = options.operands.clone();
    let mut text = String::new();
    for (option, value) in &options.options {
        match option {
            'e' => {
                text.push_str(value);
                text.push('\n');
            }
            'f' => match read_all(&context, value).await {
                Ok(bytes) => text.push_str(&String::from_utf8_lossy(&bytes)),
                Err(error) => {
                    complain(&context, &format!("couldn't open file {value}: {error}")).await;
                    return 1;
                }
            },
            _ => {}
        }
    }
    if !options.has('e') && !options.has('f') {
        if operands.is_empty() {
            context
                .err("Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...\n")
                .await;
            return 1;
        }
        text = operands.remove(0);
    }
    let syntax = if options.has('E') || options.has('r') {
        Syntax::ExtendedStrict
    } else {
        Syntax::Basic
    };
    let (instructions, quiet_first_line) = match parse::parse(&text, syntax) {
        Ok(parsed) => parsed,
        Err(error) => {
            complain(&context, &format!("-e expression #1, {error}")).await;
            return 1;
        }
    };
    let quiet = options.has('n') || quiet_first_line;
    let in_place = options.value('i').map(str::to_owned);
    let separate = options.has('s') || in_place.is_some();
    let operands = operands_or_stdin(&operands);
    let mut editor = Editor::new(&context, &instructions, quiet);
    if !separate {
        editor.inputs = operands.into();
        let code = editor.edit().await;
        return editor.output.finish(code).await;
    }
    let mut code = 0;
    for operand in operands {
        editor.inputs = VecDeque::from([operand.clone()]);
        editor.number = 0;
        editor.collecting = in_place.is_some();
        let ended = editor.edit().await;
        code = code.max(ended);
        if let Some(suffix) = &in_place {
            let path = context.path(&operand);
            if files::kind(&context.process, &path) == Some(files::FileKind::File) {
                let written = std::mem::take(&mut editor.collected);
                context.process.with_disk(|disk| {
                    if !suffix.is_empty() {
                        let before = disk.read_all(&path).unwrap_or_default();
                        disk.write(&format!("{path}{suffix}"), &before);
                    }
                    disk.write(&path, &written);
                });
            }
        }
        if editor.quit {
            break;
        }
    }
    editor.output.finish(code).await
}

struct Editor<'a> {
    context: &'a CommandContext,
    instructions: &'a [Instruction],
    quiet: bool,
    inputs: VecDeque<String>,
    lines: Option<Lines>,
    ahead: Option<Vec<u8>>,
    output: Output,
    collecting: bool,
    collected: Vec<u8>,
    number: u64,
    pattern: Vec<u8>,
    hold: Vec<u8>,
    newline: bool,
    appended: Vec<Vec<u8>>,
    active: Vec<Range>,
    substituted: bool,
    status: i32,
    quit: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Range {
    Out,
    In { end: Option<u64> },
}

enum After {
    /// The cycle ended: print, then the next line.
    Cycle,
    /// The next line without printing.
    Delete,
    /// `D`: again with what is left.
    Restart,
    /// Nothing more; the flag says whether to print first.
    Quit(bool),
}

impl<'a> Editor<'a> {
    fn new(
        context: &'a CommandContext,
        instructions: &'a [Instruction],
        quiet: bool,
    ) -> Editor<'a> {
        Editor {
            context,
            instructions,
            quiet,
            inputs: VecDeque::new(),
            lines: None,
            ahead: None,
            output: Output::new(context),
            collecting: false,
            collected: Vec::new(),
            number: 0,
            pattern: Vec::new(),
            hold: Vec::new(),
            newline: true,
            appended: Vec::new(),
            active: vec![Range::Out; instructions.len()],
            substituted: false,
            status: 0,
            quit: false,
        }
    }

    fn print(&mut self, bytes: &[u8]) {
        if self.collecting {
            self.collected.extend_from_slice(bytes);
        } else {
            self.output.push(bytes);
        }
    }

    async fn pull(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(lines) = &mut self.lines {
                if let Some(line) = lines.next(&mut self.output).await {
                    return Some(line);
                }
                self.lines = None;
            }
            let operand = self.inputs.pop_front()?;
            match open(self.context, &operand) {
                Ok(stream) => self.lines = Some(Lines::new(stream)),
                Err(error) => {
                    self.output.flush().await;
                    let text = match error {
                        files::FileError::IsDirectory => {
                            format!("couldn't edit {operand}: not a regular file")
                        }
                        error => format!("can't read {operand}: {error}"),
                    };
                    complain(self.context, &text).await;
                    self.status = 2;
                }
            }
        }
    }

    /// The next line into the pattern space. `false` at the end.
    async fn next_line(&mut self) -> bool {
        let line = match self.ahead.take() {
            Some(line) => Some(line),
            None => self.pull().await,
        };
        let Some(line) = line else { return false };
        self.number += 1;
        self.newline = line.ends_with(b"\n");
        self.pattern = chomp(&line).to_vec();
        true
    }

    async fn is_last(&mut self) -> bool {
        if self.ahead.is_none() {
            self.ahead = self.pull().await;
        }
        self.ahead.is_none()
    }

    async fn edit(&mut self) -> i32 {
        let mut restarted = false;
        while restarted || self.next_line().await {
            restarted = false;
            if self.output.broken {
                return 141;
            }
            let after = self.cycle().await;
            if !matches!(after, After::Delete | After::Restart | After::Quit(false)) && !self.quiet
            {
                self.print_pattern();
            }
            for text in std::mem::take(&mut self.appended) {
                self.print(&text);
            }
            match after {
                After::Quit(_) => {
                    self.quit = true;
                    return self.status;
                }
                After::Restart => restarted = true,
                After::Cycle | After::Delete => {}
            }
        }
        self.status
    }

    fn print_pattern(&mut self) {
        let mut line = self.pattern.clone();
        if self.newline {
            line.push(b'\n');
        }
        self.print(&line);
    }

    async fn cycle(&mut self) -> After {
        let instructions = self.instructions;
        let mut at = 0;
        let mut steps = 0;
        self.substituted = false;
        while let Some(instruction) = instructions.get(at) {
            steps += 1;
            if steps > STEPS_MAX {
                complain(self.context, "too many steps for one line").await;
                self.status = 4;
                return After::Quit(false);
            }
            if !self.selected(at, instruction).await {
                at = match instruction.command {
                    Command::Block { end } => end + 1,
                    _ => at + 1,
                };
                continue;
            }
            at += 1;
            match &instruction.command {
                Command::Block { .. } | Command::EndBlock | Command::Label => {}
                Command::Delete => return After::Delete,
                Command::DeleteFirst => match self.pattern.iter().position(|byte| *byte == b'\n') {
                    Some(end) => {
                        self.pattern.drain(..=end);
                        return After::Restart;
                    }
                    None => return After::Delete,
                },
                Command::Print => self.print_pattern(),
                Command::PrintFirst => {
                    let end = self
                        .pattern
                        .iter()
                        .position(|byte| *byte == b'\n')
                        .unwrap_or(self.pattern.len());
                    let mut line = self.pattern[..end].to_vec();
                    line.push(b'\n');
                    self.print(&line);
                }
                Command::Next => {
                    if self.is_last().await {
                        return After::Quit(true);
                    }
                    if !self.quiet {
                        self.print_pattern();
                    }
                    for text in std::mem::take(&mut self.appended) {
                        self.print(&text);
                    }
                    self.next_line().await;
                }
                Command::AppendNext => {
                    if self.is_last().await {
                        return After::Quit(true);
                    }
                    let mut before = std::mem::take(&mut self.pattern);
                    self.next_line().await;
                    before.push(b'\n');
                    before.append(&mut self.pattern);
                    self.pattern = before;
                }
                Command::Get => self.pattern = self.hold.clone(),
                Command::GetAppend => {
                    self.pattern.push(b'\n');
                    self.pattern.extend_from_slice(&self.hold);
                }
                Command::Hold => self.hold = self.pattern.clone(),
                Command::HoldAppend => {
                    self.hold.push(b'\n');
                    self.hold.extend_from_slice(&self.pattern);
                }
                Command::Exchange => std::mem::swap(&mut self.pattern, &mut self.hold),
                Command::Append(text) => self.appended.push(text.clone()),
                Command::Insert(text) => self.print(text),
                Command::Change(text) => {
                    let inside = matches!(self.active.get(at - 1), Some(Range::In { .. }));
                    if !inside || instruction.negated {
                        self.print(text);
                    }
                    return After::Delete;
                }
                Command::LineNumber => {
                    let text = format!("{}\n", self.number);
                    self.print(text.as_bytes());
                }
                Command::List => {
                    let text = listed(&self.pattern);
                    self.print(&text);
                }
                Command::ReadFile(name) => {
                    if let Ok(bytes) = read_all(self.context, name).await {
                        self.appended.push(bytes);
                    }
                }
                Command::WriteFile(name) => {
                    let path = self.context.path(name);
                    let mut line = self.pattern.clone();
                    line.push(b'\n');
                    match name.as_str() {
                        "/dev/stdout" => self.print(&line),
                        _ => self
                            .context
                            .process
                            .with_disk(|disk| disk.append(&path, &line)),
                    }
                }
                Command::Branch(target) => at = *target,
                Command::BranchIf(target) => {
                    if std::mem::take(&mut self.substituted) {
                        at = *target;
                    }
                }
                Command::BranchUnless(target) => {
                    if !std::mem::take(&mut self.substituted) {
                        at = *target;
                    }
                }
                Command::Quit { code, print } => {
                    self.status = *code;
                    return After::Quit(*print);
                }
                Command::Transliterate(pairs) => {
                    let text: String = String::from_utf8_lossy(&self.pattern)
                        .chars()
                        .map(|character| {
                            pairs
                                .iter()
                                .find(|(from, _)| *from == character)
                                .map_or(character, |(_, to)| *to)
                        })
                        .collect();
                    self.pattern = text.into_bytes();
                }
                Command::Substitute(substitution) => {
                    if let Some(result) = substitute(&self.pattern, substitution) {
                        self.pattern = result;
                        self.substituted = true;
                        if substitution.print {
                            self.print_pattern();
                        }
                        if let Some(name) = &substitution.write {
                            let path = self.context.path(name);
                            let mut line = self.pattern.clone();
                            line.push(b'\n');
                            match name.as_str() {
                                "/dev/stdout" => self.print(&line),
                                _ => self
                                    .context
                                    .process
                                    .with_disk(|disk| disk.append(&path, &line)),
                            }
                        }
                    }
                }
            }
        }
        After::Cycle
    }

    async fn selected(&mut self, at: usize, instruction: &Instruction) -> bool {
        let holds = match (&instruction.first, &instruction.second) {
            (None, _) => true,
            (Some(address), None) => self.matches(address).await,
            (Some(first), Some(second)) => self.in_range(at, first, second).await,
        };
        holds != instruction.negated
    }

    async fn in_range(&mut self, at: usize, first: &Address, second: &Address) -> bool {
        let state = self.active.get(at).copied().unwrap_or(Range::Out);
        let next = match state {
            Range::Out => {
                if *first == Address::Line(0) && self.number == 1 {
                    // `0,/re/`: the expression may match on the first line.
                    if self.matches(second).await {
                        return true;
                    }
                    self.set_range(at, Range::In { end: None });
                    return true;
                }
                if !self.matches(first).await {
                    return false;
                }
                match second {
                    Address::Line(end) if *end <= self.number => Range::Out,
                    Address::Line(end) => Range::In { end: Some(*end) },
                    Address::Plus(0) => Range::Out,
                    Address::Plus(count) => Range::In {
                        end: Some(self.number + count),
                    },
                    Address::Multiple(step) if *step == 0 || self.number.is_multiple_of(*step) => {
                        Range::Out
                    }
                    Address::Multiple(step) => Range::In {
                        end: Some((self.number / step + 1) * step),
                    },
                    _ => Range::In { end: None },
                }
            }
            Range::In { end: Some(end) } => {
                if self.number > end {
                    self.set_range(at, Range::Out);
                    return false;
                }
                if self.number == end {
                    Range::Out
                } else {
                    state
                }
            }
            Range::In { end: None } => {
                if self.matches(second).await {
                    Range::Out
                } else {
                    state
                }
            }
        };
        self.set_range(at, next);
        true
    }

    fn set_range(&mut self, at: usize, range: Range) {
        if let Some(slot) = self.active.get_mut(at) {
            *slot = range;
        }
    }

    async fn matches(&mut self, address: &Address) -> bool {
        match address {
            Address::Line(line) => self.number == *line,
            Address::Last => self.is_last().await,
            Address::Expression(expression) => expression.is_match(&self.pattern),
            Address::Step { first, step } => {
                if *step == 0 {
                    self.number == *first
                } else {
                    self.number >= *first && (self.number - first).is_multiple_of(*step)
                }
            }
            Address::Plus(_) | Address::Multiple(_) => false,
        }
    }
}

fn listed(pattern: &[u8]) -> Vec<u8> {
    let mut text = String::new();
    for byte in pattern {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b'\t' => text.push_str("\\t"),
            b'\n' => text.push_str("\\n"),
            b'\r' => text.push_str("\\r"),
            32..127 => text.push(char::from(*byte)),
            byte => text.push_str(&format!("\\{byte:03o}")),
        }
    }
    text.push_str("$\n");
    text.into_bytes()
}

/// The line with the substitution done; `None` when nothing matched.
fn substitute(line: &[u8], substitution: &Substitution) -> Option<Vec<u8>> {
    let expression: &Regex = &substitution.expression;
    let mut result = Vec::with_capacity(line.len());
    let mut from = 0;
    let mut copied = 0;
    let mut count = 0;
    let mut changed = false;
    while from <= line.len() {
        let Some(captures) = expression.captures_at(line, from) else {
            break;
        };
        let Some((start, end)) = captures.get(0) else {
            break;
        };
        // An empty match right behind a match counts for nothing.
        if start == end && start == copied && count > 0 && start == from && from > 0 {
            from += 1;
            continue;
        }
        count += 1;
        if count >= substitution.from && (substitution.global || count == substitution.from) {
            result.extend_from_slice(&line[copied..start]);
            replace(&substitution.replacement, line, &captures, &mut result);
            copied = end;
            changed = true;
            if !substitution.global {
                break;
            }
        }
        from = if end > start { end } else { end + 1 };
    }
    if !changed {
        return None;
    }
    result.extend_from_slice(line.get(copied..).unwrap_or_default());
    Some(result)
}

fn replace(parts: &[Replacement], line: &[u8], captures: &Captures, result: &mut Vec<u8>) {
    let mut case = None;
    let mut once = None;
    let mut add = |bytes: &[u8], case: Option<bool>, once: &mut Option<bool>| {
        if case.is_none() && once.is_none() {
            result.extend_from_slice(bytes);
            return;
        }
        for character in String::from_utf8_lossy(bytes).chars() {
            let upper = once.take().or(case);
            let changed: String = match upper {
                Some(true) => character.to_uppercase().collect(),
                Some(false) => character.to_lowercase().collect(),
                None => character.to_string(),
            };
            result.extend_from_slice(changed.as_bytes());
        }
    };
    for part in parts {
        match part {
            Replacement::Text(text) => add(text, case, &mut once),
            Replacement::Group(group) => {
                if let Some((start, end)) = captures.get(*group) {
                    add(line.get(start..end).unwrap_or_default(), case, &mut once);
                }
            }
            Replacement::Upper => case = Some(true),
            Replacement::Lower => case = Some(false),
            Replacement::Plain => case = None,
            Replacement::UpperOnce => once = Some(true),
            Replacement::LowerOnce => once = Some(false),
        }
    }
}
