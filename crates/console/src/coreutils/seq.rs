//! `seq`.

use super::text::{Output, complain};
use crate::commands::CommandContext;

/// A decimal number, exactly: `value / 10^scale`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Decimal {
    value: i128,
    scale: u32,
}

impl Decimal {
    fn parse(text: &str) -> Option<Decimal> {
        let (sign, digits) = match text.strip_prefix('-') {
            Some(digits) => (-1, digits),
            None => (1, text.strip_prefix('+').unwrap_or(text)),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        let all = format!("{whole}{fraction}");
        if all.is_empty() || all.len() > 30 || !all.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        Some(Decimal {
            value: sign * all.parse::<i128>().ok()?,
            scale: u32::try_from(fraction.len()).ok()?,
        })
    }

    fn at(self, scale: u32) -> Option<i128> {
        self.value
            .checked_mul(10_i128.checked_pow(scale - self.scale)?)
    }
}

fn text(value: i128, scale: u32, width: usize) -> String {
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!(
        "{:0>width$}",
        value.unsigned_abs(),
        width = scale as usize + 1
    );
    let (whole, fraction) = digits.split_at(digits.len() - scale as usize);
    let body = if scale > 0 {
        format!("{whole}.{fraction}")
    } else {
        whole.to_owned()
    };
    format!(
        "{sign}{body:0>pad$}",
        pad = width.saturating_sub(sign.len())
    )
}

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let mut separator = "\n".to_owned();
    let mut equal_width = false;
    let mut format = None;
    let mut numbers = Vec::new();
    let mut args = context.args.iter();
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "-w" | "--equal-width" => equal_width = true,
            "-s" => separator = args.next().cloned().unwrap_or_default(),
            "-f" => format = args.next().cloned(),
            other if other.starts_with("-s") => separator = other[2..].to_owned(),
            other if other.starts_with("--separator=") => separator = other[12..].to_owned(),
            other if other.starts_with("-f") => format = Some(other[2..].to_owned()),
            other if other.starts_with("--format=") => format = Some(other[9..].to_owned()),
            other => {
                match Decimal::parse(other) {
                    Some(number) => numbers.push(number),
                    None if other.starts_with('-') && other.len() > 1 => {
                        let letter = other.chars().nth(1).unwrap_or('-');
                        complain(&context, &format!("invalid option -- '{letter}'\nTry 'seq --help' for more information.")).await;
                        return 1;
                    }
                    None => {
                        let text = format!(
                            "invalid floating point argument: ‘{other}’\nTry 'seq --help' for more information."
                        );
                        complain(&context, &text).await;
                        return 1;
                    }
                }
            }
        }
    }
    let one = Decimal { value: 1, scale: 0 };
    let (first, step, last) = match numbers.as_slice() {
        [] => {
            complain(
                &context,
                "missing operand\nTry 'seq --help' for more information.",
            )
            .await;
            return 1;
        }
        [last] => (one, one, *last),
        [first, last] => (*first, one, *last),
        [first, step, last] => (*first, *step, *last),
        _ => {
            let extra = context.args.last().map_or("", String::as_str);
            complain(
                &context,
                &format!("extra operand ‘{extra}’\nTry 'seq --help' for more information."),
            )
            .await;
            return 1;
        }
    };
    if step.value == 0 {
        complain(
            &context,
            "invalid Zero increment value: ‘0’\nTry 'seq --help' for more information.",
        )
        .await;
        return 1;
    }
    let printed_scale = first.scale.max(step.scale);
    let scale = printed_scale.max(last.scale);
    let (Some(mut value), Some(step), Some(last)) =
        (first.at(scale), step.at(scale), last.at(scale))
    else {
        complain(&context, "numbers are too large").await;
        return 1;
    };
    let shown = |value: i128| text(value / 10_i128.pow(scale - printed_scale), printed_scale, 0);
    let width = if equal_width {
        shown(value).len().max(shown(last).len())
    } else {
        0
    };
    let mut output = Output::new(&context);
    let mut any = false;
    while if step > 0 {
        value <= last
    } else {
        value >= last
    } {
        if any {
            output.text(&separator);
        }
        any = true;
        match &format {
            Some(format) => output.push(&super::printf::format(format, &[shown(value)]).bytes),
            None => output.text(&text(
                value / 10_i128.pow(scale - printed_scale),
                printed_scale,
                width,
            )),
        }
        if !output.settle().await {
            return 141;
        }
        value = value.saturating_add(step);
    }
    if any {
        output.text("\n");
    }
    output.finish(0).await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_exact() {
        assert_eq!(text(-5, 1, 0), "-0.5");
        assert_eq!(text(7, 0, 3), "007");
        assert_eq!(
            Decimal::parse("1.50").map(|number| (number.value, number.scale)),
            Some((150, 2))
        );
        assert_eq!(Decimal::parse("x"), None);
    }
}
