//! Edits of the input's text. Browsers count UTF-16 units, the engine bytes.

/// The byte at which the UTF-16 unit `units` starts.
pub fn byte_at(text: &str, units: usize) -> usize {
    let mut seen = 0;
    for (byte, character) in text.char_indices() {
        if seen >= units {
            return byte;
        }
        seen += character.len_utf16();
    }
    text.len()
}

/// How many UTF-16 units stand before a byte.
pub fn units_at(text: &str, byte: usize) -> usize {
    text.char_indices()
        .take_while(|(at, _)| *at < byte)
        .map(|(_, character)| character.len_utf16())
        .sum()
}

/// Ctrl-W: where the word before `cursor` (bytes) starts.
pub fn word_start(text: &str, cursor: usize) -> usize {
    let before = text.get(..cursor).unwrap_or(text);
    let trimmed = before.trim_end();
    trimmed
        .char_indices()
        .rev()
        .find(|(_, character)| character.is_whitespace())
        .map_or(0, |(at, character)| at + character.len_utf8())
}

/// What all candidates begin with.
pub fn common_prefix(candidates: &[String]) -> &str {
    let Some((first, rest)) = candidates.split_first() else {
        return "";
    };
    let mut prefix = first.as_str();
    for candidate in rest {
        let shared = prefix
            .char_indices()
            .zip(candidate.chars())
            .find(|((_, a), b)| a != b)
            .map_or(prefix.len().min(candidate.len()), |((at, _), _)| at);
        prefix = prefix.get(..shared).unwrap_or("");
    }
    prefix
}

/// The lines of a pasted text; a last one without an end stays in the input.
pub fn pasted(text: &str) -> (Vec<String>, String) {
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    match text.rsplit_once('\n') {
        Some((lines, rest)) => (
            lines.split('\n').map(str::to_owned).collect(),
            rest.to_owned(),
        ),
        None => (Vec::new(), text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_converted() {
        let text = "a가😀b";
        assert_eq!(byte_at(text, 2), 4);
        assert_eq!(byte_at(text, 4), 8);
        assert_eq!(units_at(text, 8), 4);
        assert_eq!(byte_at(text, 99), text.len());
    }

    #[test]
    fn words_are_cut_with_the_space_behind_them() {
        assert_eq!(word_start("echo one two ", 13), 9);
        assert_eq!(word_start("echo", 4), 0);
        assert_eq!(word_start("", 0), 0);
    }

    #[test]
    fn candidates_share_a_beginning() {
        let words = |words: &[&str]| {
            words
                .iter()
                .map(|word| (*word).to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(common_prefix(&words(&["--topic", "--topic-id"])), "--topic");
        assert_eq!(common_prefix(&words(&["가나", "가다"])), "가");
        assert_eq!(common_prefix(&[]), "");
    }

    #[test]
    fn pasted_lines_run_and_the_rest_stays() {
        assert_eq!(
            pasted("a\r\nb\nc"),
            (vec!["a".to_owned(), "b".to_owned()], "c".to_owned())
        );
        assert_eq!(pasted("a"), (vec![], "a".to_owned()));
    }
}
