//! Bash's patterns: `*`, `?`, `[…]`, with `\` before a character that means itself.

/// Whether a text has an unescaped `*`, `?` or `[`.
pub fn is_pattern(pattern: &str) -> bool {
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                characters.next();
            }
            '*' | '?' | '[' => return true,
            _ => {}
        }
    }
    false
}

/// The text with every special character escaped: a pattern that matches just it.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '[' | ']' | '\\' | '!' | '^' | '-') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// The text of a pattern without its escapes.
pub fn unescape(pattern: &str) -> String {
    let mut text = String::with_capacity(pattern.len());
    let mut characters = pattern.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            character => text.push(character),
        }
    }
    text
}

/// Whether the whole text matches.
pub fn matches(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    matches_characters(&pattern, &text)
}

/// [`matches`] over characters, without recursion: only the last `*` is ever tried again.
pub fn matches_characters(pattern: &[char], text: &[char]) -> bool {
    let (mut at, mut read) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while read < text.len() {
        let step = match pattern.get(at) {
            Some('*') => {
                star = Some((at, read));
                at += 1;
                continue;
            }
            Some(_) => one(pattern, at, text[read]),
            None => None,
        };
        match (step, star) {
            (Some(next), _) => {
                at = next;
                read += 1;
            }
            (None, Some((star_at, star_read))) => {
                at = star_at + 1;
                read = star_read + 1;
                star = Some((star_at, read));
            }
            (None, None) => return false,
        }
    }
    while pattern.get(at) == Some(&'*') {
        at += 1;
    }
    at == pattern.len()
}

/// Matches one character; the value is where the pattern goes on.
fn one(pattern: &[char], at: usize, character: char) -> Option<usize> {
    match pattern[at] {
        '?' => Some(at + 1),
        '[' => match bracket(pattern, at, character) {
            Some((true, next)) => Some(next),
            Some((false, _)) => None,
            None => (character == '[').then_some(at + 1),
        },
        '\\' if at + 1 < pattern.len() => (pattern[at + 1] == character).then_some(at + 2),
        literal => (literal == character).then_some(at + 1),
    }
}

/// Matches `[…]`; `None` when it does not end.
fn bracket(pattern: &[char], start: usize, character: char) -> Option<(bool, usize)> {
    let mut at = start + 1;
    let negated = matches!(pattern.get(at), Some('!' | '^'));
    if negated {
        at += 1;
    }
    let first = at;
    let mut found = false;
    loop {
        let mut low = *pattern.get(at)?;
        if low == ']' && at > first {
            return Some((found != negated, at + 1));
        }
        if low == '[' && pattern.get(at + 1) == Some(&':') {
            let rest: String = pattern[at + 2..].iter().take(12).collect();
            if let Some(end) = rest.find(":]") {
                found |= is_class(&rest[..end], character);
                at += 2 + end + 2;
                continue;
            }
        }
        if low == '\\' {
            at += 1;
            low = *pattern.get(at)?;
        }
        at += 1;
        let mut high = low;
        if pattern.get(at) == Some(&'-') && pattern.get(at + 1).is_some_and(|next| *next != ']') {
            at += 1;
            high = *pattern.get(at)?;
            if high == '\\' {
                at += 1;
                high = *pattern.get(at)?;
            }
            at += 1;
        }
        found |= (low..=high).contains(&character);
    }
}

/// Whether a character is of a POSIX class (`alpha`, `digit`, …).
pub fn is_class(class: &str, character: char) -> bool {
    match class {
        "alpha" => character.is_alphabetic(),
        "digit" => character.is_ascii_digit(),
        "alnum" => character.is_alphanumeric(),
        "upper" => character.is_uppercase(),
        "lower" => character.is_lowercase(),
        "space" => character.is_whitespace(),
        "blank" => matches!(character, ' ' | '\t'),
        "punct" => character.is_ascii_punctuation(),
        "xdigit" => character.is_ascii_hexdigit(),
        "cntrl" => character.is_control(),
        "print" => !character.is_control(),
        "graph" => !character.is_control() && !character.is_whitespace(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match() {
        for (pattern, text, expected) in [
            ("*.csv", "people.csv", true),
            ("*.csv", "people.csv.bak", false),
            ("a?c", "abc", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[[:digit:]]*", "7up", true),
            ("\\*", "*", true),
            ("\\*", "x", false),
            ("*a*b*c*", "xxaybzzc", true),
            ("[", "[", true),
            ("", "", true),
            ("*", "", true),
            ("안*", "안녕", true),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn escaped_text_matches_itself_alone() {
        let text = "a*[b]?\\-";
        assert!(matches(&escape(text), text));
        assert!(!matches(&escape(text), "axb?\\-"));
        assert_eq!(unescape(&escape(text)), text);
        assert!(!is_pattern(&escape(text)));
        assert!(is_pattern("a*"));
    }

    #[test]
    fn many_stars_end_soon() {
        let text = "a".repeat(2000);
        assert!(!matches(
            &"*a"
                .repeat(50)
                .replace("**", "*")
                .chars()
                .chain("b".chars())
                .collect::<String>(),
            &text
        ));
    }
}
