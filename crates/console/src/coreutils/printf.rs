//! `printf`.

use super::escapes::{Escape, escape, unescape};
use crate::commands::CommandContext;

/// What a format came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Printed {
    /// The output.
    pub bytes: Vec<u8>,
    /// Complaints, without the command's name.
    pub errors: Vec<String>,
}

/// Widths that are honoured at most.
const WIDTH_MAX: usize = 100_000;

#[derive(Default)]
struct Directive {
    left: bool,
    zero: bool,
    plus: bool,
    space: bool,
    alternative: bool,
    width: usize,
    precision: Option<usize>,
}

impl Directive {
    fn pad(&self, bytes: Vec<u8>) -> Vec<u8> {
        let count = String::from_utf8_lossy(&bytes).chars().count();
        let blanks = vec![b' '; self.width.saturating_sub(count)];
        if self.left {
            [bytes, blanks].concat()
        } else {
            [blanks, bytes].concat()
        }
    }

    fn number(&self, negative: bool, prefix: &str, mut digits: String) -> Vec<u8> {
        if let Some(precision) = self.precision {
            digits = format!(
                "{}{digits}",
                "0".repeat(precision.saturating_sub(digits.len()))
            );
        }
        self.signed(negative, prefix, digits, self.precision.is_none())
    }

    fn signed(&self, negative: bool, prefix: &str, digits: String, may_zero: bool) -> Vec<u8> {
        let sign = if negative {
            "-"
        } else if self.plus {
            "+"
        } else if self.space {
            " "
        } else {
            ""
        };
        let length = sign.len() + prefix.len() + digits.len();
        let zeros = if self.zero && !self.left && may_zero {
            self.width.saturating_sub(length)
        } else {
            0
        };
        self.pad(format!("{sign}{prefix}{}{digits}", "0".repeat(zeros)).into_bytes())
    }
}

fn integer(text: &str, errors: &mut Vec<String>) -> i128 {
    let trimmed = text.trim_start();
    if let Some(quoted) = trimmed.strip_prefix(['\'', '"']) {
        return quoted
            .chars()
            .next()
            .map_or(0, |character| i128::from(u32::from(character)));
    }
    if trimmed.is_empty() {
        return 0;
    }
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let (radix, digits) = match digits
        .strip_prefix("0x")
        .or_else(|| digits.strip_prefix("0X"))
    {
        Some(digits) => (16, digits),
        None if digits.len() > 1 && digits.starts_with('0') => (8, &digits[1..]),
        None => (10, digits),
    };
    let end = digits
        .find(|character: char| !character.is_digit(radix))
        .unwrap_or(digits.len());
    let value = i128::from_str_radix(&digits[..end], radix).unwrap_or(0);
    if end < digits.len() || digits.is_empty() {
        errors.push(format!("{text}: invalid number"));
    }
    if negative { -value } else { value }
}

fn float(text: &str, errors: &mut Vec<String>) -> f64 {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return 0.0;
    }
    trimmed.parse().unwrap_or_else(|_| {
        errors.push(format!("{text}: invalid number"));
        0.0
    })
}

fn exponent(value: f64, precision: usize, upper: bool) -> String {
    let text = format!("{value:.precision$e}");
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = match power.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', power),
    };
    format!(
        "{mantissa}{}{sign}{digits:0>2}",
        if upper { 'E' } else { 'e' }
    )
}

fn general(value: f64, precision: usize, upper: bool) -> String {
    let precision = precision.max(1);
    if value == 0.0 {
        return "0".to_owned();
    }
    let power = value.abs().log10().floor() as i32;
    let mut text = if power < -4 || power >= precision as i32 {
        exponent(value, precision - 1, upper)
    } else {
        format!("{value:.*}", (precision as i32 - 1 - power).max(0) as usize)
    };
    if text.contains('.') && !text.contains(['e', 'E']) {
        text = text.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    text
}

/// Formats arguments as bash's `printf` does: the format is used again while arguments are left.
pub fn format(format: &str, args: &[String]) -> Printed {
    let mut printed = Printed::default();
    let mut args = args.iter();
    loop {
        let before = args.len();
        let mut rest = format.chars().peekable();
        while let Some(character) = rest.next() {
            match character {
                '\\' => match escape(&mut rest, false) {
                    Escape::Bytes(bytes) => printed.bytes.extend(bytes),
                    Escape::Stop => return printed,
                    Escape::None => match rest.peek() {
                        Some('"') => {}
                        _ => printed.bytes.push(b'\\'),
                    },
                },
                '%' if rest.peek() == Some(&'%') => {
                    rest.next();
                    printed.bytes.push(b'%');
                }
                '%' => {
                    if !directive(&mut rest, &mut args, &mut printed) {
                        return printed;
                    }
                }
                character => printed.bytes.extend(character.to_string().as_bytes()),
            }
        }
        if args.len() == 0 || args.len() == before {
            return printed;
        }
    }
}

/// Formats one `%…`; `false` when nothing more is printed.
fn directive(
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
    args: &mut std::slice::Iter<'_, String>,
    printed: &mut Printed,
) -> bool {
    let mut directive = Directive::default();
    while let Some(flag) = rest.peek().copied() {
        match flag {
            '-' => directive.left = true,
            '0' => directive.zero = true,
            '+' => directive.plus = true,
            ' ' => directive.space = true,
            '#' => directive.alternative = true,
            _ => break,
        }
        rest.next();
    }
    let mut number =
        |rest: &mut std::iter::Peekable<std::str::Chars<'_>>, printed: &mut Printed| -> i128 {
            if rest.peek() == Some(&'*') {
                rest.next();
                return args
                    .next()
                    .map_or(0, |text| integer(text, &mut printed.errors));
            }
            let mut value = 0_i128;
            while let Some(digit) = rest.peek().and_then(|character| character.to_digit(10)) {
                value = (value * 10 + i128::from(digit)).min(WIDTH_MAX as i128);
                rest.next();
            }
            value
        };
    let width = number(rest, printed);
    directive.left |= width < 0;
    directive.width = usize::try_from(width.unsigned_abs())
        .unwrap_or(0)
        .min(WIDTH_MAX);
    if rest.peek() == Some(&'.') {
        rest.next();
        directive.precision = usize::try_from(number(rest, printed))
            .ok()
            .map(|precision| precision.min(WIDTH_MAX));
    }
    while matches!(rest.peek(), Some('l' | 'h' | 'L' | 'j' | 'z' | 't')) {
        rest.next();
    }
    let Some(conversion) = rest.next() else {
        printed
            .errors
            .push("`%': missing format character".to_owned());
        return false;
    };
    let argument = args.next();
    let text = argument.map_or("", String::as_str);
    let bytes = match conversion {
        's' | 'b' | 'q' | 'c' => {
            let (mut bytes, stopped) = match conversion {
                'b' => unescape(text, true),
                'q' if text.is_empty() => (b"''".to_vec(), false),
                'q' => (quoted(text).into_bytes(), false),
                'c' => (text.chars().take(1).collect::<String>().into_bytes(), false),
                _ => (text.as_bytes().to_vec(), false),
            };
            if let Some(precision) = directive.precision {
                bytes = String::from_utf8_lossy(&bytes)
                    .chars()
                    .take(precision)
                    .collect::<String>()
                    .into_bytes();
            }
            printed.bytes.extend(directive.pad(bytes));
            return !stopped;
        }
        'd' | 'i' => {
            let value = integer(text, &mut printed.errors);
            directive.number(value < 0, "", value.unsigned_abs().to_string())
        }
        'u' | 'x' | 'X' | 'o' => {
            let value = integer(text, &mut printed.errors);
            let value = if value < 0 {
                (value as i64) as u64
            } else {
                u64::try_from(value).unwrap_or(u64::MAX)
            };
            let alternative = directive.alternative && value != 0;
            let (prefix, digits) = match conversion {
                'x' => ("0x", format!("{value:x}")),
                'X' => ("0X", format!("{value:X}")),
                'o' => ("0", format!("{value:o}")),
                _ => ("", value.to_string()),
            };
            directive.number(false, if alternative { prefix } else { "" }, digits)
        }
        'f' | 'F' | 'e' | 'E' | 'g' | 'G' => {
            let value = float(text, &mut printed.errors);
            let precision = directive.precision.unwrap_or(6);
            let magnitude = value.abs();
            let digits = match conversion {
                'f' | 'F' => format!("{magnitude:.precision$}"),
                'e' | 'E' => exponent(magnitude, precision, conversion == 'E'),
                _ => general(magnitude, precision, conversion == 'G'),
            };
            directive.signed(value.is_sign_negative(), "", digits, true)
        }
        other => {
            printed
                .errors
                .push(format!("`{other}': invalid format character"));
            return false;
        }
    };
    printed.bytes.extend(bytes);
    true
}

fn quoted(text: &str) -> String {
    if text.chars().any(char::is_control) {
        let escaped = text
            .replace('\\', "\\\\")
            .replace('\'', "\\'")
            .replace('\n', "\\n")
            .replace('\t', "\\t");
        return format!("$'{escaped}'");
    }
    let mut quoted = String::new();
    for character in text.chars() {
        if !(character.is_alphanumeric() || "-_./:=,+@%^".contains(character)) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let mut args = context.args.as_slice();
    if args.first().map(String::as_str) == Some("--") {
        args = &args[1..];
    }
    let Some((template, rest)) = args.split_first() else {
        context
            .err("printf: usage: printf [-v var] format [arguments]\n")
            .await;
        return 2;
    };
    let printed = format(template, rest);
    for error in &printed.errors {
        context.err(&format!("bash: printf: {error}\n")).await;
    }
    let broken = context.stdout.write(&printed.bytes).await.is_err();
    if broken {
        141
    } else {
        i32::from(!printed.errors.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(template: &str, args: &[&str]) -> String {
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        String::from_utf8(format(template, &args).bytes).unwrap()
    }

    #[test]
    fn directives() {
        assert_eq!(text("%s-%03d\\n", &["a", "7"]), "a-007\n");
        assert_eq!(
            text("%5s|%-5s|%.2s\\n", &["a", "b", "cde"]),
            "    a|b    |cd\n"
        );
        assert_eq!(
            text("%x %X %#x %o\\n", &["255", "255", "255", "8"]),
            "ff FF 0xff 10\n"
        );
        assert_eq!(
            text("%.2f %e %g\\n", &["3.14159", "12345.678", "0.0001"]),
            "3.14 1.234568e+04 0.0001\n"
        );
        assert_eq!(
            text("%d %+d %5d|%-5d|\\n", &["-3", "4", "5", "6"]),
            "-3 +4     5|6    |\n"
        );
        assert_eq!(text("%b %%\\n", &["a\\tb"]), "a\tb %\n");
        assert_eq!(text("%c%c\\n", &["abc", "d"]), "ad\n");
    }

    #[test]
    fn the_format_is_used_again() {
        assert_eq!(text("%s %s\\n", &["a", "b", "c"]), "a b\nc \n");
        assert_eq!(text("x\\n", &["a", "b"]), "x\n");
    }

    #[test]
    fn bad_numbers_are_said() {
        let printed = format("%d\\n", &["12x".to_owned()]);
        assert_eq!(printed.bytes, b"12\n");
        assert_eq!(printed.errors, ["12x: invalid number"]);
    }
}
