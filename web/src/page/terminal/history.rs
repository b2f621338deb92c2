//! What was typed before, and the search in it.

/// Lines that are remembered.
const LINES_MAX: usize = 1_000;

/// A terminal's history.
#[derive(Clone, Debug, Default)]
pub struct History {
    lines: Vec<String>,
    /// Where Up and Down stand; none is below the last line.
    at: Option<usize>,
    /// What was being typed when Up was pressed.
    draft: String,
}

impl History {
    /// Remembers a line. Empty ones and repetitions are left out.
    pub fn push(&mut self, line: &str) {
        self.at = None;
        if line.trim().is_empty() || self.lines.last().is_some_and(|last| last == line) {
            return;
        }
        if self.lines.len() >= LINES_MAX {
            self.lines.remove(0);
        }
        self.lines.push(line.to_owned());
    }

    /// The line before; `current` is what stands in the input.
    pub fn up(&mut self, current: &str) -> Option<&str> {
        let at = match self.at {
            None => {
                self.draft = current.to_owned();
                self.lines.len().checked_sub(1)?
            }
            Some(at) => at.saturating_sub(1),
        };
        self.at = Some(at);
        self.lines.get(at).map(String::as_str)
    }

    /// The line after; behind the last one, what was being typed.
    pub fn down(&mut self) -> Option<&str> {
        let at = self.at? + 1;
        if at < self.lines.len() {
            self.at = Some(at);
            self.lines.get(at).map(String::as_str)
        } else {
            self.at = None;
            Some(&self.draft)
        }
    }

    /// The newest line that contains `query`, `skip` matches further back.
    pub fn search(&self, query: &str, skip: usize) -> Option<&str> {
        if query.is_empty() {
            return None;
        }
        self.lines
            .iter()
            .rev()
            .filter(|line| line.contains(query))
            .nth(skip)
            .map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn up_and_down_come_back_to_the_draft() {
        let mut history = History::default();
        history.push("a");
        history.push("b");
        history.push("b");
        assert_eq!(history.up("dra"), Some("b"));
        assert_eq!(history.up("b"), Some("a"));
        assert_eq!(history.up("a"), Some("a"));
        assert_eq!(history.down(), Some("b"));
        assert_eq!(history.down(), Some("dra"));
        assert_eq!(history.down(), None);
    }

    #[test]
    fn search_goes_back() {
        let mut history = History::default();
        history.push("kafka-topics --list");
        history.push("ls");
        history.push("kafka-topics --describe");
        assert_eq!(history.search("topics", 0), Some("kafka-topics --describe"));
        assert_eq!(history.search("topics", 1), Some("kafka-topics --list"));
        assert_eq!(history.search("topics", 2), None);
        assert_eq!(history.search("", 0), None);
    }
}
