//! Text pasted from a document: `₩` for `\`, call-out marks, list bullets, smart quotes, prompts.
//!
//! Korean fonts draw `\` as `₩`, and documents set marks like ② behind it and bullets before options.
//! What is repaired is only what no shell command would hold there; [`CommandReader`] says what it read.

use super::ast::List;
use super::parser::{ParseError, parse_complete};

/// Where a line stands, as far as repairing it goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The line continues a command that a `\` left open.
    pub continued: bool,
    /// An ASCII quote is open.
    pub quote: Option<char>,
}

fn is_call_out(character: char) -> bool {
    matches!(character, '\u{2460}'..='\u{2473}' | '\u{24f5}'..='\u{24fe}' | '\u{2776}'..='\u{2793}' | '\u{3251}'..='\u{325f}')
}

fn is_bullet(character: char) -> bool {
    matches!(character, '-' | '*' | '•' | '·' | '–' | '‣' | '◦' | '∙')
}

/// The line as a shell should read it.
pub fn repair(line: &str, place: Place) -> String {
    let mut text = line.to_owned();
    if place.quote.is_none() {
        text = without_bullet(&text, place.continued);
    }
    let (mut text, open) = characters(&text, place.quote);
    if open.is_none() {
        text = line_end(&text);
    }
    text
}

/// `- --create` becomes `--create`; a prompt before the text goes.
fn without_bullet(line: &str, continued: bool) -> String {
    let trimmed = line.trim_start();
    let indent = &line[..line.len() - trimmed.len()];
    let mut characters = trimmed.chars();
    let (Some(first), Some(second)) = (characters.next(), characters.next()) else {
        return line.to_owned();
    };
    let rest = characters.as_str().trim_start();
    let blank = matches!(second, ' ' | '\u{a0}' | '\t');
    let option = rest.starts_with("--") || rest.starts_with(['–', '—']);
    if blank && is_bullet(first) && option {
        return format!("{indent}{rest}");
    }
    if blank && continued && first == '>' && rest.starts_with('-') {
        return format!("{indent}{rest}");
    }
    if blank && !continued && first == '$' && !rest.is_empty() {
        return rest.to_owned();
    }
    line.to_owned()
}

/// Quotes, dashes and blanks outside of ASCII quotes; and the quote that the line leaves open.
fn characters(line: &str, open: Option<char>) -> (String, Option<char>) {
    let mut text = String::with_capacity(line.len());
    let mut quote = open;
    // A smart quote opens a quote of its own, which only a smart quote or its ASCII twin closes.
    let mut smart = false;
    let mut previous = ' ';
    let mut rest = line.chars().peekable();
    while let Some(character) = rest.next() {
        match (quote, character) {
            (Some('\''), '\'') | (Some('"'), '"') => {
                quote = None;
                text.push(character);
            }
            (Some('"'), '“' | '”' | '„') if smart => {
                quote = None;
                text.push('"');
            }
            (Some('\''), '‘' | '’') if smart => {
                quote = None;
                text.push('\'');
            }
            (Some('\''), _) => text.push(character),
            (_, '\\') => {
                text.push('\\');
                text.extend(rest.next());
            }
            (Some(_), _) => text.push(character),
            (None, '\'' | '"') => {
                quote = Some(character);
                smart = false;
                text.push(character);
            }
            (None, '“' | '”' | '„') => {
                quote = Some('"');
                smart = true;
                text.push('"');
            }
            // An apostrophe inside a word.
            (None, '’') if previous.is_alphanumeric() => text.push(character),
            (None, '‘' | '’') => {
                quote = Some('\'');
                smart = true;
                text.push('\'');
            }
            (None, '–' | '—' | '−') if previous.is_whitespace() => {
                text.push_str("--");
                while rest.peek() == Some(&'-') {
                    rest.next();
                }
            }
            (None, '\u{a0}' | '\u{3000}' | '\u{2003}' | '\u{2002}') => text.push(' '),
            (None, '\u{200b}' | '\u{feff}' | '\u{2060}') => {}
            (None, '₩' | '￦')
                if previous.is_whitespace()
                    && rest
                        .clone()
                        .collect::<String>()
                        .trim_start()
                        .starts_with('-') => {}
            (None, _) => text.push(character),
        }
        previous = character;
    }
    (text, quote)
}

/// `₩`, `₩ ②`, `\ ②` and `②` at the end of a line.
fn line_end(line: &str) -> String {
    let mut end = line.trim_end();
    let mut marked = false;
    while let Some(character) = end
        .chars()
        .last()
        .filter(|character| is_call_out(*character))
    {
        let before = &end[..end.len() - character.len_utf8()];
        if !before.ends_with([' ', '\t', '\\', '₩', '￦']) && !before.is_empty() {
            break;
        }
        end = before.trim_end();
        marked = true;
    }
    if let Some(before) = end.strip_suffix(['₩', '￦']) {
        return format!("{before}\\");
    }
    let continues = end.ends_with(" \\") || end == "\\";
    if marked || continues {
        return end.to_owned();
    }
    line.to_owned()
}

/// The ASCII quote that a text leaves open.
fn open_quote(text: &str) -> Option<char> {
    let mut quote = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => {
                characters.next();
            }
            (None, '\'' | '"') => quote = Some(character),
            _ => {}
        }
    }
    quote
}

/// What came of one more line.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// More lines are needed.
    Incomplete,
    /// A complete command, and what the person should be told of how it was read.
    Complete {
        /// The command; empty for blank lines and comments.
        list: List,
        /// One line, when the text had to be repaired.
        notice: Option<String>,
    },
    /// The lines are wrong; what bash says.
    Wrong(String),
}

/// Gathers lines until they are a complete command.
#[derive(Clone, Debug, Default)]
pub struct CommandReader {
    text: String,
    repaired: bool,
    in_document: bool,
}

impl CommandReader {
    /// Whether no line waits for others.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The lines that wait for others, as they were read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Forgets the lines that wait.
    pub fn clear(&mut self) {
        *self = CommandReader::default();
    }

    /// Takes a line without its `\n`. `last`: no more will come.
    pub fn line(&mut self, line: &str, last: bool) -> Progress {
        let line = line.strip_suffix('\r').unwrap_or(line);
        if self.in_document {
            self.text.push_str(line);
        } else {
            let place = Place {
                continued: self.text.ends_with("\\\n"),
                quote: open_quote(&self.text),
            };
            let repaired = repair(line, place);
            // Blanks behind a `\` are too common to speak of.
            self.repaired |= repaired.trim_end() != line.trim_end();
            self.text.push_str(&repaired);
        }
        self.text.push('\n');
        self.parse(last)
    }

    /// No more lines will come.
    pub fn end(&mut self) -> Progress {
        self.parse(true)
    }

    fn parse(&mut self, last: bool) -> Progress {
        match parse_complete(&self.text, 0, last) {
            Err(ParseError::Incomplete(reason)) if !last => {
                self.in_document = reason.starts_with("here-document");
                Progress::Incomplete
            }
            Err(ParseError::Incomplete(reason) | ParseError::Syntax(reason)) => {
                self.clear();
                Progress::Wrong(reason)
            }
            Ok((list, _)) => {
                let notice = self
                    .repaired
                    .then(|| format!("(read as: {})", one_line(&self.text)));
                self.clear();
                Progress::Complete { list, notice }
            }
        }
    }
}

fn one_line(text: &str) -> String {
    let mut joined = String::new();
    for (index, part) in text.trim_end().split("\\\n").enumerate() {
        if index > 0 {
            joined.push(' ');
            joined.push_str(part.trim());
        } else {
            joined.push_str(part.trim_end());
        }
        let length = joined.trim_end().len();
        joined.truncate(length);
    }
    match joined.split_once('\n') {
        Some((first, _)) => format!("{first} …"),
        None => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(line: &str) -> String {
        repair(line, Place::default())
    }

    #[test]
    fn line_ends_of_documents_are_backslashes() {
        assert_eq!(repaired("kafka-topics ₩"), "kafka-topics \\");
        assert_eq!(repaired("  --topic users ₩ ②"), "  --topic users \\");
        assert_eq!(repaired("  --topic users \\ ②"), "  --topic users \\");
        assert_eq!(repaired("  --partitions 4 ③"), "  --partitions 4");
        assert_eq!(repaired("kafka-topics \\  "), "kafka-topics \\");
        assert_eq!(repaired("echo ₩100"), "echo ₩100");
        assert_eq!(repaired("echo '₩'"), "echo '₩'");
    }

    #[test]
    fn bullets_and_prompts_go() {
        assert_eq!(repaired("- --create ₩"), "--create \\");
        assert_eq!(repaired("  • --topic users"), "  --topic users");
        assert_eq!(repaired("$ kafka-topics --list"), "kafka-topics --list");
        assert_eq!(repaired("- 5"), "- 5");
        let continued = Place {
            continued: true,
            quote: None,
        };
        assert_eq!(repair("> --describe", continued), "--describe");
        assert_eq!(repair("> out.txt", continued), "> out.txt");
    }

    #[test]
    fn smart_quotes_and_dashes_are_plain_ones() {
        assert_eq!(repaired("echo “a b” ‘c’"), "echo \"a b\" 'c'");
        assert_eq!(
            repaired("echo \"그는 “안녕” 했다\""),
            "echo \"그는 “안녕” 했다\""
        );
        assert_eq!(
            repaired("kafka-topics —list –bootstrap-server x"),
            "kafka-topics --list --bootstrap-server x"
        );
        assert_eq!(repaired("echo it’s"), "echo it’s");
    }

    #[test]
    fn the_reader_says_what_it_read() {
        let mut reader = CommandReader::default();
        assert_eq!(reader.line("kafka-topics ₩", false), Progress::Incomplete);
        assert_eq!(reader.line("- --create ₩ ②", false), Progress::Incomplete);
        match reader.line("  --topic users", false) {
            Progress::Complete { list, notice } => {
                assert_eq!(
                    notice.as_deref(),
                    Some("(read as: kafka-topics --create --topic users)")
                );
                assert_eq!(list.items.len(), 1);
            }
            other => panic!("{other:?}"),
        }
        assert!(matches!(
            reader.line("echo a", false),
            Progress::Complete { notice: None, .. }
        ));
    }

    #[test]
    fn here_documents_are_left_alone() {
        let mut reader = CommandReader::default();
        assert_eq!(reader.line("cat <<END", false), Progress::Incomplete);
        assert_eq!(reader.line("“a” ₩", false), Progress::Incomplete);
        assert!(reader.text().contains("“a” ₩\n"));
        assert!(matches!(
            reader.line("END", false),
            Progress::Complete { notice: None, .. }
        ));
    }
}
