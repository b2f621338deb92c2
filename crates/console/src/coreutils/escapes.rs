//! Backslash escapes of `echo -e`, `printf` and `$'…'`.

/// What an escape stands for.
pub enum Escape {
    /// Bytes.
    Bytes(Vec<u8>),
    /// `\c`: nothing more is printed.
    Stop,
    /// No escape: the backslash means itself.
    None,
}

/// Reads an escape from the characters after a backslash and consumes it. `octal_zero`: octal numbers need
/// a leading zero, as in `echo -e` and `%b`.
pub fn escape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>, octal_zero: bool) -> Escape {
    let Some(next) = rest.peek().copied() else {
        return Escape::None;
    };
    let simple = match next {
        'a' => 7,
        'b' => 8,
        'e' | 'E' => 27,
        'f' => 12,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 11,
        '\\' => b'\\',
        'c' => {
            rest.next();
            return Escape::Stop;
        }
        'x' => {
            let mut ahead = rest.clone();
            ahead.next();
            return match digits(&mut ahead, 16, 2) {
                Some(value) => {
                    *rest = ahead;
                    Escape::Bytes(vec![value as u8])
                }
                None => Escape::None,
            };
        }
        'u' | 'U' => {
            let mut ahead = rest.clone();
            ahead.next();
            return match digits(&mut ahead, 16, if next == 'u' { 4 } else { 8 }) {
                Some(value) => {
                    *rest = ahead;
                    Escape::Bytes(
                        char::from_u32(value)
                            .unwrap_or('\u{fffd}')
                            .to_string()
                            .into_bytes(),
                    )
                }
                None => Escape::None,
            };
        }
        '0' if octal_zero => {
            rest.next();
            return Escape::Bytes(vec![digits(rest, 8, 3).unwrap_or(0) as u8]);
        }
        '0'..='7' if !octal_zero => {
            return Escape::Bytes(vec![digits(rest, 8, 3).unwrap_or(0) as u8]);
        }
        _ => return Escape::None,
    };
    rest.next();
    Escape::Bytes(vec![simple])
}

fn digits(
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
    radix: u32,
    count_max: usize,
) -> Option<u32> {
    let mut value = 0_u32;
    let mut count = 0;
    while count < count_max {
        let Some(digit) = rest.peek().and_then(|character| character.to_digit(radix)) else {
            break;
        };
        value = value.wrapping_mul(radix).wrapping_add(digit);
        rest.next();
        count += 1;
    }
    (count > 0).then_some(value)
}

/// The text with its escapes replaced, and whether `\c` ended it.
pub fn unescape(text: &str, octal_zero: bool) -> (Vec<u8>, bool) {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(character) = rest.next() {
        if character == '\\' {
            match escape(&mut rest, octal_zero) {
                Escape::Bytes(found) => bytes.extend(found),
                Escape::Stop => return (bytes, true),
                Escape::None => bytes.push(b'\\'),
            }
        } else {
            bytes.extend(character.to_string().as_bytes());
        }
    }
    (bytes, false)
}

/// The text of `$'…'`.
pub fn unescape_ansi(text: &str) -> String {
    let text = text
        .replace("\\'", "'")
        .replace("\\\"", "\"")
        .replace("\\?", "?");
    String::from_utf8_lossy(&unescape(&text, false).0).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes() {
        assert_eq!(unescape("a\\tb\\n", false).0, b"a\tb\n");
        assert_eq!(unescape("\\0\\7\\101", false).0, [0, 7, b'A']);
        assert_eq!(
            unescape("\\0101\\x41\\u00e9", true).0,
            "AA\u{e9}".as_bytes()
        );
        assert_eq!(unescape("a\\cb", true), (b"a".to_vec(), true));
        assert_eq!(unescape("\\q\\", true).0, b"\\q\\");
        assert_eq!(unescape_ansi("it\\'s\\n"), "it's\n");
    }
}
