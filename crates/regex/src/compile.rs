//! An expression as a program of the matcher.

use crate::ast::{Assertion, Mode, Node, Parsed};
use crate::error::{Error, ErrorKind};
use crate::set::Set;
use crate::{Options, Place};

/// A program may have so many instructions.
const INSTRUCTIONS_MAX: usize = 60_000;

/// One step of the matcher.
#[derive(Clone, Debug)]
pub enum Instruction {
    /// This byte, then the next instruction.
    Byte(u8),
    /// A character of this set.
    Set(usize),
    /// Both ways, this one first. The last number is the split's own.
    Split(usize, usize, usize),
    /// Goes on there.
    Jump(usize),
    /// Notes the place.
    Save(usize),
    /// A condition on the place.
    Assert(Assertion),
    /// What a group matched.
    BackReference(usize, bool),
    /// A loop's round begins: its place is kept in this register.
    LoopStart(usize),
    /// A loop's round ends; one that matched nothing ends the loop, there.
    LoopEnd(usize, usize),
    /// A program of its own, which ends with [`Instruction::Match`]: it begins behind this instruction.
    Look {
        /// Where this program goes on.
        next: usize,
        /// The characters that it looks back over, at least and at most.
        behind: Option<(u32, u32)>,
        /// Whether it must fail.
        negated: bool,
    },
    /// As `Look`, but what it matches is consumed.
    Atomic(usize),
    /// The end.
    Match,
}

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its instructions; it begins at the first.
    pub instructions: Vec<Instruction>,
    /// The sets that they name.
    pub sets: Vec<Set>,
    /// How many groups it captures.
    pub groups: usize,
    /// How many splits there are.
    pub splits: usize,
    /// How many registers loops need.
    pub registers: usize,
    /// Whether the longest match is wanted, not the first.
    pub longest: bool,
    /// Whether what follows depends on more than the place, so that places cannot be remembered.
    pub back_references: bool,
    /// The bytes that a match can begin with; `None` when it can be empty.
    pub first: Option<Box<[bool; 256]>>,
    /// Whether it can match only at the text's start.
    pub anchored: bool,
}

/// Compiles what was parsed.
pub fn compile(parsed: Parsed, options: Options) -> Result<Program, Error> {
    let mut compiler = Compiler {
        program: Program {
            instructions: Vec::new(),
            sets: Vec::new(),
            groups: parsed.groups,
            splits: 0,
            registers: 0,
            longest: options.syntax.longest(),
            back_references: false,
            first: None,
            anchored: false,
        },
    };
    let around = match options.place {
        Place::Anywhere => None,
        Place::Word => Some((Assertion::NoWordBefore, Assertion::NoWordBehind)),
        Place::Whole => Some((Assertion::TextStart, Assertion::TextEnd)),
    };
    if let Some((before, _)) = around {
        compiler.push(Instruction::Assert(before))?;
    }
    compiler.node(&parsed.node)?;
    if let Some((_, behind)) = around {
        compiler.push(Instruction::Assert(behind))?;
    }
    compiler.push(Instruction::Match)?;
    let mut program = compiler.program;
    program.first = first_bytes(&program);
    program.anchored = matches!(
        program.instructions.first(),
        Some(Instruction::Assert(Assertion::TextStart))
    );
    Ok(program)
}

struct Compiler {
    program: Program,
}

impl Compiler {
    fn push(&mut self, instruction: Instruction) -> Result<usize, Error> {
        let instructions = &mut self.program.instructions;
        if instructions.len() >= INSTRUCTIONS_MAX {
            return Err(Error {
                kind: ErrorKind::TooBig,
                index: 0,
            });
        }
        instructions.push(instruction);
        Ok(instructions.len() - 1)
    }

    fn here(&self) -> usize {
        self.program.instructions.len()
    }

    /// A split whose ways are set later.
    fn split(&mut self) -> Result<usize, Error> {
        let number = self.program.splits;
        self.program.splits += 1;
        self.push(Instruction::Split(0, 0, number))
    }

    /// Sets the ways of a split: into what is optional, and past it.
    fn set_split(&mut self, at: usize, into: usize, past: usize, mode: Mode) {
        if let Some(Instruction::Split(first, second, _)) = self.program.instructions.get_mut(at) {
            (*first, *second) = match mode {
                Mode::Lazy => (past, into),
                _ => (into, past),
            };
        }
    }

    fn node(&mut self, node: &Node) -> Result<(), Error> {
        match node {
            Node::Empty => {}
            Node::Char(character) => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    self.push(Instruction::Byte(byte))?;
                }
            }
            Node::Set(set) => {
                let index = self.program.sets.len();
                self.push(Instruction::Set(index))?;
                self.program.sets.push((**set).clone());
            }
            Node::Assert(assertion) => {
                self.push(Instruction::Assert(*assertion))?;
            }
            Node::Group(group, node) => {
                self.push(Instruction::Save(group * 2))?;
                self.node(node)?;
                self.push(Instruction::Save(group * 2 + 1))?;
            }
            Node::Concat(nodes) => {
                for node in nodes {
                    self.node(node)?;
                }
            }
            Node::Alternate(nodes) => self.alternate(nodes)?,
            Node::Repeat {
                node,
                min,
                max,
                mode: Mode::Possessive,
            } => {
                let at = self.push(Instruction::Atomic(0))?;
                self.repeat(node, *min, *max, Mode::Greedy)?;
                self.end_part(at)?;
            }
            Node::Repeat {
                node,
                min,
                max,
                mode,
            } => self.repeat(node, *min, *max, *mode)?,
            Node::BackReference { group, fold } => {
                self.program.back_references = true;
                self.push(Instruction::BackReference(*group, *fold))?;
            }
            Node::Look {
                node,
                behind,
                negated,
            } => {
                let behind = match (behind, node.width()) {
                    (false, _) => None,
                    (true, (min, Some(max))) => Some((min, max)),
                    // Java gives up on what is without end; it finds an end for `*` in many cases.
                    (true, (min, None)) => Some((min, 255)),
                };
                let at = self.push(Instruction::Look {
                    next: 0,
                    behind,
                    negated: *negated,
                })?;
                self.node(node)?;
                self.end_part(at)?;
            }
            Node::Atomic(node) => {
                let at = self.push(Instruction::Atomic(0))?;
                self.node(node)?;
                self.end_part(at)?;
            }
        }
        Ok(())
    }

    /// Ends a program inside of the program.
    fn end_part(&mut self, at: usize) -> Result<(), Error> {
        self.push(Instruction::Match)?;
        let here = self.here();
        if let Some(Instruction::Atomic(next) | Instruction::Look { next, .. }) =
            self.program.instructions.get_mut(at)
        {
            *next = here;
        }
        Ok(())
    }

    fn alternate(&mut self, nodes: &[Node]) -> Result<(), Error> {
        let mut jumps = Vec::new();
        for (index, node) in nodes.iter().enumerate() {
            if index + 1 == nodes.len() {
                self.node(node)?;
                break;
            }
            let split = self.split()?;
            let into = self.here();
            self.node(node)?;
            jumps.push(self.push(Instruction::Jump(0))?);
            let past = self.here();
            self.set_split(split, into, past, Mode::Greedy);
        }
        let here = self.here();
        for jump in jumps {
            if let Some(Instruction::Jump(target)) = self.program.instructions.get_mut(jump) {
                *target = here;
            }
        }
        Ok(())
    }

    fn repeat(&mut self, node: &Node, min: u32, max: Option<u32>, mode: Mode) -> Result<(), Error> {
        for _ in 0..min {
            let before = self.here();
            self.node(node)?;
            if self.here() == before {
                // Nothing, however often.
                break;
            }
        }
        let Some(max) = max else {
            let empty = node.may_be_empty();
            let register = self.program.registers;
            self.program.registers += usize::from(empty);
            let split = self.split()?;
            let into = self.here();
            if empty {
                self.push(Instruction::LoopStart(register))?;
            }
            self.node(node)?;
            if empty {
                let past = self.here() + 2;
                self.push(Instruction::LoopEnd(register, past))?;
            }
            self.push(Instruction::Jump(split))?;
            let past = self.here();
            self.set_split(split, into, past, mode);
            return Ok(());
        };
        let mut splits = Vec::new();
        for _ in min..max {
            splits.push((self.split()?, self.here()));
            let before = self.here();
            self.node(node)?;
            if self.here() == before {
                break;
            }
        }
        let past = self.here();
        for (split, into) in splits {
            self.set_split(split, into, past, mode);
        }
        Ok(())
    }
}

/// The bytes that a match can begin with.
fn first_bytes(program: &Program) -> Option<Box<[bool; 256]>> {
    let mut bytes = Box::new([false; 256]);
    let mut seen = vec![false; program.instructions.len()];
    let mut pending = vec![0];
    while let Some(at) = pending.pop() {
        match seen.get_mut(at) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        match program.instructions.get(at)? {
            Instruction::Byte(byte) => bytes[usize::from(*byte)] = true,
            Instruction::Set(set) => {
                let set = program.sets.get(*set)?;
                for byte in 0..128_u8 {
                    bytes[usize::from(byte)] |= set.contains(char::from(byte));
                }
                for byte in 0xC2..=0xF4_usize {
                    bytes[byte] = true;
                }
            }
            Instruction::Split(first, second, _) => pending.extend([*first, *second]),
            Instruction::Jump(target) => pending.push(*target),
            Instruction::Save(_) | Instruction::Assert(_) | Instruction::LoopStart(_) => {
                pending.push(at + 1);
            }
            Instruction::LoopEnd(_, past) => pending.extend([at + 1, *past]),
            Instruction::Look { next, .. } => pending.push(*next),
            Instruction::Atomic(_) | Instruction::BackReference(..) | Instruction::Match => {
                return None;
            }
        }
    }
    Some(bytes)
}
