//! The matcher: it tries one way and remembers the others.

use crate::ast::Assertion;
use crate::compile::{Instruction, Program};
use crate::set::is_word;

/// A search takes at most so many steps; beyond, it finds nothing.
pub const STEPS_MAX: u64 = 50_000_000;
/// As [`STEPS_MAX`], for an expression with back references.
const STEPS_MAX_BACK_REFERENCES: u64 = 2_000_000;
/// Places and splits that are remembered: 16 MiB of bits.
const VISITED_MAX: usize = 1 << 21;
/// Ways that are remembered at once.
const JOBS_MAX: usize = 4_000_000;

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Captures {
    slots: Vec<Option<usize>>,
}

impl Captures {
    /// Where a group begins and ends; group 0 is the whole match.
    pub fn get(&self, group: usize) -> Option<(usize, usize)> {
        let start = *self.slots.get(group * 2)?;
        let end = *self.slots.get(group * 2 + 1)?;
        start.zip(end)
    }

    /// How many groups there are, the whole match among them.
    pub fn len(&self) -> usize {
        self.slots.len() / 2
    }

    /// Whether there are no groups: never.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }
}

/// Searches for the first match from `from` on. With `any`, the first that is found will do.
pub fn search(program: &Program, text: &[u8], from: usize, any: bool) -> Option<Captures> {
    let slots = (program.groups + 1) * 2;
    let mut matcher = Matcher {
        program,
        text,
        steps: if program.back_references {
            STEPS_MAX_BACK_REFERENCES
        } else {
            STEPS_MAX
        },
        slots: vec![None; slots],
        registers: vec![None; program.registers],
        run: Run::new(from),
    };
    let mut start = from;
    while start <= text.len() {
        if let Some(first) = &program.first {
            let ahead = text.get(start..)?;
            start += ahead.iter().position(|byte| first[usize::from(*byte)])?;
        }
        if program.anchored && start > 0 {
            return None;
        }
        if let Some(end) = matcher.attempt(0, start, program.longest && !any, None) {
            matcher.slots[0] = Some(start);
            matcher.slots[1] = Some(end);
            return Some(Captures {
                slots: matcher.slots,
            });
        }
        if matcher.steps == 0 {
            return None;
        }
        start += decode(text, start).map_or(1, |(_, length)| length);
    }
    None
}

/// The character at a place and its length in bytes; `None` at the end and at bytes that are no character.
fn decode(text: &[u8], at: usize) -> Option<(char, usize)> {
    let byte = *text.get(at)?;
    let length = match byte {
        0..=0x7F => return Some((char::from(byte), 1)),
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => return None,
    };
    let character = std::str::from_utf8(text.get(at..at + length)?).ok()?;
    Some((character.chars().next()?, length))
}

/// The character before a place.
fn decode_before(text: &[u8], at: usize) -> Option<(char, usize)> {
    (1..=4)
        .filter_map(|length| at.checked_sub(length))
        .find_map(|start| decode(text, start).filter(|(_, length)| start + length == at))
}

enum Job {
    /// Goes on here.
    Go(usize, usize),
    /// A group's border was this, before the way that failed.
    Slot(usize, Option<usize>),
    /// A loop's place was this.
    Register(usize, Option<usize>),
}

/// What one run of a program remembers.
struct Run {
    jobs: Vec<Job>,
    /// For each place, from `base` on, and each split: whether it was tried.
    visited: Vec<u64>,
    base: usize,
}

impl Run {
    fn new(base: usize) -> Run {
        Run {
            jobs: Vec::new(),
            visited: Vec::new(),
            base,
        }
    }
}

struct Matcher<'a> {
    program: &'a Program,
    text: &'a [u8],
    steps: u64,
    slots: Vec<Option<usize>>,
    registers: Vec<Option<usize>>,
    run: Run,
}

impl Matcher<'_> {
    /// Runs the program at `pc` from a place; the value is where it ended. With `end`, it must end there.
    fn attempt(
        &mut self,
        pc: usize,
        start: usize,
        longest: bool,
        end: Option<usize>,
    ) -> Option<usize> {
        let mut best: Option<(usize, Vec<Option<usize>>)> = None;
        self.run.jobs.clear();
        self.run.jobs.push(Job::Go(pc, start));
        while let Some(job) = self.run.jobs.pop() {
            let (pc, at) = match job {
                Job::Go(pc, at) => (pc, at),
                Job::Slot(slot, value) => {
                    self.slots[slot] = value;
                    continue;
                }
                Job::Register(register, value) => {
                    self.registers[register] = value;
                    continue;
                }
            };
            let Some(found) = self.follow(pc, at) else {
                if self.steps == 0 || self.run.jobs.len() > JOBS_MAX {
                    self.steps = 0;
                    break;
                }
                continue;
            };
            if end.is_some_and(|end| end != found) {
                continue;
            }
            if !longest || found == self.text.len() {
                return Some(found);
            }
            if best.as_ref().is_none_or(|(best, _)| found > *best) {
                best = Some((found, self.slots.clone()));
            }
        }
        let (found, slots) = best?;
        self.slots = slots;
        Some(found)
    }

    /// Follows one way until it matches or fails.
    fn follow(&mut self, mut pc: usize, mut at: usize) -> Option<usize> {
        let program = self.program;
        loop {
            self.steps = self.steps.checked_sub(1)?;
            match program.instructions.get(pc)? {
                Instruction::Byte(byte) => {
                    if self.text.get(at) != Some(byte) {
                        return None;
                    }
                    at += 1;
                    pc += 1;
                }
                Instruction::Set(set) => {
                    let (character, length) = decode(self.text, at)?;
                    if !program.sets.get(*set)?.contains(character) {
                        return None;
                    }
                    at += length;
                    pc += 1;
                }
                Instruction::Split(first, second, number) => {
                    if !program.back_references && !self.visit(*number, at) {
                        return None;
                    }
                    self.run.jobs.push(Job::Go(*second, at));
                    pc = *first;
                }
                Instruction::Jump(target) => pc = *target,
                Instruction::Save(slot) => {
                    let old = self.slots.get_mut(*slot)?.replace(at);
                    self.run.jobs.push(Job::Slot(*slot, old));
                    pc += 1;
                }
                Instruction::Assert(assertion) => {
                    if !self.holds(*assertion, at) {
                        return None;
                    }
                    pc += 1;
                }
                Instruction::BackReference(group, fold) => {
                    at = self.back_reference(*group, *fold, at)?;
                    pc += 1;
                }
                Instruction::LoopStart(register) => {
                    let old = self.registers.get_mut(*register)?.replace(at);
                    self.run.jobs.push(Job::Register(*register, old));
                    pc += 1;
                }
                Instruction::LoopEnd(register, past) => {
                    let empty = self.registers.get(*register) == Some(&Some(at));
                    if empty && program.longest {
                        // POSIX counts no such round: the groups stay what they were.
                        return None;
                    }
                    pc = if empty { *past } else { pc + 1 };
                }
                Instruction::Look {
                    next,
                    behind,
                    negated,
                } => {
                    let before = self.slots.clone();
                    if self.look(pc + 1, at, *behind) == *negated {
                        self.slots = before;
                        return None;
                    }
                    self.note_changes(before);
                    pc = *next;
                }
                Instruction::Atomic(next) => {
                    let before = self.slots.clone();
                    at = self.part(pc + 1, at, None)?;
                    self.note_changes(before);
                    pc = *next;
                }
                Instruction::Match => return Some(at),
            }
        }
    }

    /// Notes that a split was tried at a place; `false` when it was before.
    fn visit(&mut self, split: usize, at: usize) -> bool {
        let index = (at - self.run.base) * self.program.splits + split;
        let (word, bit) = (index / 64, index % 64);
        if word >= self.run.visited.len() {
            if word >= VISITED_MAX {
                self.steps = 0;
                return false;
            }
            self.run.visited.resize((word + 1).next_power_of_two(), 0);
        }
        let new = self.run.visited[word] >> bit & 1 == 0;
        self.run.visited[word] |= 1 << bit;
        new
    }

    /// Runs a program inside of the program, once.
    fn part(&mut self, pc: usize, at: usize, end: Option<usize>) -> Option<usize> {
        let outer = std::mem::replace(&mut self.run, Run::new(at));
        let found = self.attempt(pc, at, false, end);
        self.run = outer;
        found
    }

    fn look(&mut self, pc: usize, at: usize, behind: Option<(u32, u32)>) -> bool {
        let Some((min, max)) = behind else {
            return self.part(pc, at, None).is_some();
        };
        let mut start = at;
        for length in 0..=max {
            if length >= min && self.part(pc, start, Some(at)).is_some() {
                return true;
            }
            match decode_before(self.text, start) {
                Some((_, width)) => start -= width,
                None => return false,
            }
        }
        false
    }

    /// What an inner program captured is undone with the way that it belongs to.
    fn note_changes(&mut self, before: Vec<Option<usize>>) {
        for (slot, old) in before.into_iter().enumerate() {
            if self.slots[slot] != old {
                self.run.jobs.push(Job::Slot(slot, old));
            }
        }
    }

    fn back_reference(&mut self, group: usize, fold: bool, at: usize) -> Option<usize> {
        let start = (*self.slots.get(group * 2)?)?;
        let end = (*self.slots.get(group * 2 + 1)?)?;
        let wanted = self.text.get(start..end)?;
        let here = self.text.get(at..at + wanted.len())?;
        self.steps = self.steps.saturating_sub(wanted.len() as u64 / 16);
        let same = here == wanted
            || fold
                && String::from_utf8_lossy(here).to_lowercase()
                    == String::from_utf8_lossy(wanted).to_lowercase();
        same.then_some(at + wanted.len())
    }

    fn holds(&self, assertion: Assertion, at: usize) -> bool {
        let text = self.text;
        let before = || decode_before(text, at).is_some_and(|(character, _)| is_word(character));
        let behind = || decode(text, at).is_some_and(|(character, _)| is_word(character));
        match assertion {
            Assertion::TextStart => at == 0,
            Assertion::TextEnd => at == text.len(),
            Assertion::TextEndOrLineFeed => {
                at == text.len() || at + 1 == text.len() && text[at] == b'\n'
            }
            Assertion::LineStart => at == 0 || text[at - 1] == b'\n',
            Assertion::LineEnd => at == text.len() || text[at] == b'\n',
            Assertion::WordBoundary => before() != behind(),
            Assertion::NoWordBoundary => before() == behind(),
            Assertion::WordStart => !before() && behind(),
            Assertion::WordEnd => before() && !behind(),
            Assertion::NoWordBefore => !before(),
            Assertion::NoWordBehind => !behind(),
        }
    }
}
