//! What a terminal shows: lines in blocks, and the last line that has no end yet.
//!
//! A full block never changes again, so the page draws it once; the browser skips the blocks that are
//! not in sight.

use std::collections::VecDeque;
use std::rc::Rc;

/// Lines of a block.
pub const BLOCK_LINES: usize = 100;

/// Blocks that are kept: 100,000 lines.
const BLOCKS_MAX: usize = 1_000;

/// Characters of one line; what is longer is broken.
const LINE_BYTES_MAX: usize = 16 * 1024;

/// Typed lines whose echo is awaited.
const ECHOES_MAX: usize = 1_000;

/// A whole line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Line {
    /// The text, without its end.
    pub text: String,
    /// Where what a person typed begins, bytes; none if nobody typed it.
    pub typed_from: Option<usize>,
}

/// Up to [`BLOCK_LINES`] lines.
#[derive(Debug, Default)]
pub struct Block {
    /// Names it for as long as the terminal lives.
    pub number: usize,
    /// The lines.
    pub lines: Vec<Line>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    /// After ESC.
    Start,
    /// After ESC [, with the parameters' length in bytes.
    Csi,
    /// After ESC ], up to BEL.
    Osc,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Screen {
    blocks: VecDeque<Rc<Block>>,
    open: Vec<Line>,
    next_block: usize,
    partial: String,
    escape: Escape,
    parameters: String,
    /// The next character starts the line over: a lone carriage return came.
    overwrite: bool,
    echoes: VecDeque<String>,
    dropped: bool,
}

impl Screen {
    /// The full blocks, oldest first.
    pub fn blocks(&self) -> impl Iterator<Item = &Rc<Block>> {
        self.blocks.iter()
    }

    /// The lines behind them.
    pub fn open_lines(&self) -> &[Line] {
        &self.open
    }

    /// The last line, which has no end yet: what stands before the cursor.
    pub fn prompt(&self) -> &str {
        &self.partial
    }

    /// Older lines were dropped.
    pub fn dropped(&self) -> bool {
        self.dropped
    }

    /// A person typed this line; it will be echoed.
    pub fn typed(&mut self, line: &str) {
        if self.echoes.len() >= ECHOES_MAX {
            self.echoes.pop_front();
        }
        self.echoes.push_back(line.to_owned());
    }

    /// Removes all whole lines.
    pub fn clear(&mut self) {
        self.blocks.clear();
        self.open.clear();
        self.dropped = false;
    }

    /// Takes output as it comes.
    pub fn write(&mut self, text: &str) {
        for character in text.chars() {
            match self.escape {
                Escape::None => self.plain(character),
                Escape::Start => {
                    self.escape = match character {
                        '[' => Escape::Csi,
                        ']' => Escape::Osc,
                        _ => Escape::None,
                    };
                    self.parameters.clear();
                }
                Escape::Csi => match character {
                    '\u{40}'..='\u{7e}' => {
                        self.escape = Escape::None;
                        // "Erase display": what `clear` prints. Colours and the rest are left out.
                        if character == 'J' && self.parameters.starts_with(['2', '3']) {
                            self.clear();
                            self.partial.clear();
                        }
                    }
                    _ if self.parameters.len() < 32 => self.parameters.push(character),
                    _ => self.escape = Escape::None,
                },
                Escape::Osc => {
                    if matches!(character, '\u{7}' | '\\') {
                        self.escape = Escape::None;
                    }
                }
            }
        }
    }

    fn plain(&mut self, character: char) {
        match character {
            '\n' => {
                self.overwrite = false;
                self.end_line();
            }
            '\r' => self.overwrite = true,
            '\u{1b}' => self.escape = Escape::Start,
            '\u{8}' => {
                self.partial.pop();
            }
            '\t' => self.push('\t'),
            character if character.is_control() => {}
            character => self.push(character),
        }
    }

    fn push(&mut self, character: char) {
        if std::mem::take(&mut self.overwrite) {
            self.partial.clear();
        }
        self.partial.push(character);
        if self.partial.len() >= LINE_BYTES_MAX {
            self.end_line();
        }
    }

    fn end_line(&mut self) {
        let text = std::mem::take(&mut self.partial);
        let typed_from = match self.echoes.front() {
            Some(echo) if text.ends_with(echo.as_str()) => {
                let from = text.len() - echo.len();
                self.echoes.pop_front();
                Some(from)
            }
            _ => None,
        };
        self.open.push(Line { text, typed_from });
        if self.open.len() >= BLOCK_LINES {
            self.blocks.push_back(Rc::new(Block {
                number: self.next_block,
                lines: std::mem::take(&mut self.open),
            }));
            self.next_block += 1;
            if self.blocks.len() > BLOCKS_MAX {
                self.blocks.pop_front();
                self.dropped = true;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(screen: &Screen) -> Vec<&str> {
        screen
            .open_lines()
            .iter()
            .map(|line| line.text.as_str())
            .collect()
    }

    #[test]
    fn the_prompt_is_what_has_no_end_yet() {
        let mut screen = Screen::default();
        screen.write("one\r\ntwo\n~ $ ");
        assert_eq!(texts(&screen), ["one", "two"]);
        assert_eq!(screen.prompt(), "~ $ ");
    }

    #[test]
    fn what_was_typed_is_told_from_output() {
        let mut screen = Screen::default();
        screen.write("~ $ ");
        screen.typed("echo a");
        screen.write("echo a\na\n~ $ ");
        assert_eq!(screen.open_lines()[0].typed_from, Some(4));
        assert_eq!(screen.open_lines()[1].typed_from, None);
    }

    #[test]
    fn escape_sequences_are_no_text() {
        let mut screen = Screen::default();
        screen.write("a\u{1b}[31mred\u{1b}[0m\n\u{1b}");
        screen.write("[1mb\n");
        assert_eq!(texts(&screen), ["ared", "b"]);
        screen.write("\u{1b}[H\u{1b}[2Jnew");
        assert_eq!(texts(&screen), [] as [&str; 0]);
        assert_eq!(screen.prompt(), "new");
    }

    #[test]
    fn a_carriage_return_starts_the_line_over() {
        let mut screen = Screen::default();
        screen.write("10%\r20%\rdone\n");
        assert_eq!(texts(&screen), ["done"]);
    }

    #[test]
    fn long_output_is_bounded() {
        let mut screen = Screen::default();
        for line in 0..(BLOCKS_MAX + 3) * BLOCK_LINES {
            screen.write(&format!("{line}\n"));
        }
        assert_eq!(screen.blocks().count(), BLOCKS_MAX);
        assert!(screen.dropped());
        assert_eq!(screen.blocks().next().map(|block| block.number), Some(3));
    }
}
