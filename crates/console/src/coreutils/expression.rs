//! POSIX regular expressions, basic and extended, as the `regex` crate reads them.

use regex::bytes::{Regex, RegexBuilder};

/// Which language an expression is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// `grep`, `sed`: `\(`, `\{`, `\|`, `\+` are special.
    Basic,
    /// `grep -E`, `sed -E`.
    Extended,
    /// `grep -F`.
    Fixed,
    /// `grep -P`.
    Perl,
}

/// Compiles an expression; the error is a short text.
pub fn compile(
    expression: &str,
    syntax: Syntax,
    ignore_case: bool,
    around: (&str, &str),
) -> Result<Regex, String> {
    let translated = match syntax {
        Syntax::Fixed => regex::escape(expression),
        Syntax::Perl => expression.to_owned(),
        Syntax::Basic => translate(expression, false)?,
        Syntax::Extended => translate(expression, true)?,
    };
    let whole = format!("{}{translated}{}", around.0, around.1);
    RegexBuilder::new(&whole)
        .case_insensitive(ignore_case)
        .size_limit(4 << 20)
        .build()
        .map_err(|_| "Invalid regular expression".to_owned())
}

fn translate(expression: &str, extended: bool) -> Result<String, String> {
    let characters: Vec<char> = expression.chars().collect();
    let mut result = String::new();
    let mut at = 0;
    let mut open = 0_usize;
    // Whether nothing stands before: `*` is literal there, and `^` an anchor.
    let mut at_start = true;
    while let Some(character) = characters.get(at).copied() {
        at += 1;
        let escaped = character == '\\';
        let token = if escaped {
            let Some(next) = characters.get(at).copied() else {
                return Err("Trailing backslash".to_owned());
            };
            at += 1;
            next
        } else {
            character
        };
        let special = escaped != extended;
        match token {
            '(' if special => {
                open += 1;
                result.push('(');
                at_start = true;
                continue;
            }
            ')' if special && (open > 0 || !extended) => {
                if open == 0 {
                    return Err("Unmatched ) or \\)".to_owned());
                }
                open -= 1;
                result.push(')');
            }
            '|' if special => {
                result.push('|');
                at_start = true;
                continue;
            }
            '{' if special => {
                let end = characters[at..]
                    .iter()
                    .position(|c| *c == '}')
                    .map(|end| at + end);
                let body: String = characters[at..end.unwrap_or(at)].iter().collect();
                let body = if extended {
                    body
                } else {
                    body.trim_end_matches('\\').to_owned()
                };
                let valid =
                    body.chars().all(|c| c.is_ascii_digit() || c == ',') && !body.is_empty();
                if !valid || at_start {
                    if !extended {
                        return Err(if end.is_none() {
                            "Unmatched \\{"
                        } else {
                            "Invalid content of \\{\\}"
                        }
                        .to_owned());
                    }
                    result.push_str("\\{");
                } else {
                    let body = if body.starts_with(',') {
                        format!("0{body}")
                    } else {
                        body
                    };
                    result.push_str(&format!("{{{body}}}"));
                    at = end.unwrap_or(at) + 1;
                }
            }
            '+' | '?' if special => {
                if at_start {
                    result.push('\\');
                }
                result.push(token);
            }
            '*' if !escaped => {
                if at_start {
                    result.push('\\');
                }
                result.push('*');
            }
            '^' if !escaped => {
                if at_start || extended {
                    result.push('^');
                    at_start = true;
                    continue;
                }
                result.push_str("\\^");
            }
            '$' if !escaped => {
                let rest = &characters[at..];
                let ends = extended
                    || rest.is_empty()
                    || rest.starts_with(&['\\', ')'])
                    || rest.starts_with(&['\\', '|']);
                result.push_str(if ends { "$" } else { "\\$" });
            }
            '.' if !escaped => result.push('.'),
            '[' if !escaped => at = bracket(&characters, at, &mut result)?,
            '<' | '>' | 'b' | 'B' | 'w' | 'W' | 's' | 'S' | 'n' | 't' | 'r' if escaped => {
                result.push('\\');
                result.push(token);
                if matches!(token, '<' | '>') {
                    result.truncate(result.len() - 2);
                    result.push_str(if token == '<' {
                        "\\b{start}"
                    } else {
                        "\\b{end}"
                    });
                }
            }
            '`' if escaped => result.push_str("\\A"),
            '\'' if escaped => result.push_str("\\z"),
            '1'..='9' if escaped => return Err("Back references are not supported here".to_owned()),
            literal => result.push_str(&regex::escape(&literal.to_string())),
        }
        at_start = false;
    }
    if open > 0 {
        return Err("Unmatched ( or \\(".to_owned());
    }
    Ok(result)
}

/// Translates `[…]`; the value is where the expression goes on.
fn bracket(characters: &[char], mut at: usize, result: &mut String) -> Result<usize, String> {
    result.push('[');
    if characters.get(at) == Some(&'^') {
        result.push('^');
        at += 1;
    }
    let first = at;
    loop {
        let Some(character) = characters.get(at).copied() else {
            return Err("Unmatched [, [^, [:, [., or [=".to_owned());
        };
        at += 1;
        match character {
            ']' if at - 1 > first => {
                result.push(']');
                return Ok(at);
            }
            '[' if characters.get(at) == Some(&':') => {
                let rest: String = characters[at..].iter().take(14).collect();
                let Some(end) = rest.find(":]") else {
                    return Err("Unmatched [, [^, [:, [., or [=".to_owned());
                };
                let class = &rest[1..end];
                if ![
                    "alpha", "digit", "alnum", "upper", "lower", "space", "blank", "punct",
                    "xdigit", "cntrl", "print", "graph", "word",
                ]
                .contains(&class)
                {
                    return Err("Invalid character class name".to_owned());
                }
                result.push_str(&format!("[:{class}:]"));
                at += end + 2;
            }
            '-' if at - 1 > first && characters.get(at).is_some_and(|next| *next != ']') => {
                result.push('-')
            }
            '\\' | '[' | ']' | '&' | '~' | '^' | '-' => {
                result.push('\\');
                result.push(character);
            }
            character => result.push(character),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(expression: &str, syntax: Syntax, text: &str) -> bool {
        compile(expression, syntax, false, ("", ""))
            .unwrap()
            .is_match(text.as_bytes())
    }

    #[test]
    fn basic_and_extended_differ() {
        assert!(matches("a\\+b", Syntax::Basic, "aab"));
        assert!(!matches("a+b", Syntax::Basic, "aab"));
        assert!(matches("a+b", Syntax::Basic, "a+b"));
        assert!(matches("a+b", Syntax::Extended, "aab"));
        assert!(matches("\\(ab\\)\\{2\\}", Syntax::Basic, "abab"));
        assert!(matches("(ab){2}", Syntax::Extended, "abab"));
        assert!(matches("a\\|b", Syntax::Basic, "b"));
        assert!(matches("{\"a\"", Syntax::Extended, "{\"a\""));
        assert!(matches("*a", Syntax::Basic, "*a"));
        assert!(matches("a{1,2}", Syntax::Basic, "a{1,2}"));
        assert!(matches("\\<ab\\>", Syntax::Basic, "x ab y"));
        assert!(!matches("\\<ab\\>", Syntax::Basic, "xab"));
    }

    #[test]
    fn brackets() {
        assert!(matches("[]a]", Syntax::Basic, "]"));
        assert!(!matches("[^]a]", Syntax::Basic, "]a"));
        assert!(matches("[[:digit:]]", Syntax::Basic, "7"));
        assert!(matches("[a\\]", Syntax::Basic, "\\"));
        assert!(matches("[a-]", Syntax::Basic, "-"));
        assert!(compile("[a", Syntax::Basic, false, ("", "")).is_err());
        assert!(compile("\\(a", Syntax::Basic, false, ("", "")).is_err());
    }
}
