//! Options as GNU's getopt reads them.

use crate::commands::CommandContext;

/// The options of a command.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Short options; `:` after one that takes a value, `?` after one whose value is optional and joined.
    pub short: &'static str,
    /// Long options without their dashes, and the short ones (or other characters) that they mean.
    pub long: &'static [(&'static str, char)],
}

/// What was given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Options in order, with their values.
    pub options: Vec<(char, String)>,
    /// Everything else.
    pub operands: Vec<String>,
}

impl Parsed {
    /// Whether an option was given.
    pub fn has(&self, option: char) -> bool {
        self.options.iter().any(|(known, _)| *known == option)
    }

    /// The last value of an option.
    pub fn value(&self, option: char) -> Option<&str> {
        self.options
            .iter()
            .rev()
            .find(|(known, _)| *known == option)
            .map(|(_, value)| value.as_str())
    }

    /// All values of an option.
    pub fn values(&self, option: char) -> impl Iterator<Item = &str> {
        self.options
            .iter()
            .filter(move |(known, _)| *known == option)
            .map(|(_, value)| value.as_str())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
    Optional,
}

fn takes(spec: Spec, option: char) -> Option<Takes> {
    let mut known = spec.short.chars().peekable();
    while let Some(character) = known.next() {
        if character == option {
            return Some(match known.peek() {
                Some(':') => Takes::Value,
                Some('?') => Takes::Optional,
                _ => Takes::Nothing,
            });
        }
    }
    None
}

/// Parses arguments. Options may stand after operands unless `in_order`.
///
/// # Errors
/// GNU's text, to be printed after `name: `.
pub fn parse_with(args: &[String], spec: Spec, in_order: bool) -> Result<Parsed, String> {
    let mut parsed = Parsed::default();
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        if arg == "--" {
            parsed.operands.extend(args.cloned());
            break;
        }
        if let Some(long) = arg.strip_prefix("--") {
            let (name, value) = match long.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (long, None),
            };
            let exact = spec.long.iter().find(|(known, _)| *known == name);
            let mut candidates = spec
                .long
                .iter()
                .filter(|(known, _)| known.starts_with(name));
            let found = exact.or_else(|| candidates.next());
            let Some((known, option)) = found else {
                return Err(format!("unrecognized option '--{name}'"));
            };
            if exact.is_none() && candidates.next().is_some() {
                return Err(format!("option '--{name}' is ambiguous"));
            }
            let value = match (takes(spec, *option).unwrap_or(Takes::Nothing), value) {
                (Takes::Nothing, Some(_)) => {
                    return Err(format!("option '--{known}' doesn't allow an argument"));
                }
                (Takes::Nothing | Takes::Optional, None) => String::new(),
                (Takes::Value | Takes::Optional, Some(value)) => value,
                (Takes::Value, None) => match args.next() {
                    Some(value) => value.clone(),
                    None => return Err(format!("option '--{known}' requires an argument")),
                },
            };
            parsed.options.push((*option, value));
            continue;
        }
        if arg.len() < 2 || !arg.starts_with('-') {
            parsed.operands.push(arg.clone());
            if in_order {
                parsed.operands.extend(args.cloned());
                break;
            }
            continue;
        }
        let mut letters = arg[1..].chars();
        while let Some(letter) = letters.next() {
            match takes(spec, letter) {
                None => return Err(format!("invalid option -- '{letter}'")),
                Some(Takes::Nothing) => parsed.options.push((letter, String::new())),
                Some(Takes::Optional) => {
                    parsed.options.push((letter, letters.as_str().to_owned()));
                    break;
                }
                Some(Takes::Value) => {
                    let rest = letters.as_str().to_owned();
                    let value = if rest.is_empty() {
                        match args.next() {
                            Some(value) => value.clone(),
                            None => {
                                return Err(format!("option requires an argument -- '{letter}'"));
                            }
                        }
                    } else {
                        rest
                    };
                    parsed.options.push((letter, value));
                    break;
                }
            }
        }
    }
    Ok(parsed)
}

/// Parses a command's arguments; complains as GNU does and gives `status` when they are wrong.
pub async fn parse(context: &CommandContext, spec: Spec, status: i32) -> Result<Parsed, i32> {
    match parse_with(&context.args, spec, false) {
        Ok(parsed) => Ok(parsed),
        Err(error) => {
            let name = &context.name;
            context
                .err(&format!(
                    "{name}: {error}\nTry '{name} --help' for more information.\n"
                ))
                .await;
            Err(status)
        }
    }
}

/// Parses a command's arguments up to the first operand, which with all after it stays as it is.
pub async fn parse_in_order(
    context: &CommandContext,
    spec: Spec,
    status: i32,
) -> Result<Parsed, i32> {
    match parse_with(&context.args, spec, true) {
        Ok(parsed) => Ok(parsed),
        Err(error) => {
            let name = &context.name;
            context
                .err(&format!(
                    "{name}: {error}\nTry '{name} --help' for more information.\n"
                ))
                .await;
            Err(status)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SPEC: Spec = Spec {
        short: "n:rk:i?",
        long: &[("number", 'n'), ("reverse", 'r'), ("regexp", 'k')],
    };

    fn parsed(args: &[&str]) -> Result<Parsed, String> {
        parse_with(
            &args.iter().map(|arg| (*arg).to_owned()).collect::<Vec<_>>(),
            SPEC,
            false,
        )
    }

    #[test]
    fn options_as_getopt_reads_them() {
        let found = parsed(&["-rn5", "a", "-k", "2", "--", "-r"]).unwrap();
        assert_eq!(found.value('n'), Some("5"));
        assert_eq!(found.value('k'), Some("2"));
        assert_eq!(found.operands, ["a", "-r"]);
        assert_eq!(
            parsed(&["--numb=3", "--rev"]).unwrap().value('n'),
            Some("3")
        );
        assert_eq!(parsed(&["-i.bak", "-"]).unwrap().operands, ["-"]);
    }

    #[test]
    fn errors_in_getopts_words() {
        assert_eq!(parsed(&["-z"]), Err("invalid option -- 'z'".to_owned()));
        assert_eq!(
            parsed(&["-n"]),
            Err("option requires an argument -- 'n'".to_owned())
        );
        assert_eq!(
            parsed(&["--nope"]),
            Err("unrecognized option '--nope'".to_owned())
        );
        assert_eq!(
            parsed(&["--re"]),
            Err("option '--re' is ambiguous".to_owned())
        );
        assert_eq!(
            parsed(&["--reverse=1"]),
            Err("option '--reverse' doesn't allow an argument".to_owned())
        );
    }
}
