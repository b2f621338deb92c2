//! `expr`.

use playground_regex::{Options, Regex, Syntax};

use super::text::complain;
use crate::commands::CommandContext;

/// How deep parentheses may nest.
const DEPTH_MAX: usize = 50;

struct Evaluator<'a> {
    args: &'a [String],
    at: usize,
    depth: usize,
}

const LEVELS: &[&[&str]] = &[
    &["|"],
    &["&"],
    &["<", "<=", "=", "==", "!=", ">=", ">"],
    &["+", "-"],
    &["*", "/", "%"],
    &[":"],
];

impl Evaluator<'_> {
    fn level(&mut self, level: usize) -> Result<String, String> {
        let Some(operators) = LEVELS.get(level) else {
            return self.primary();
        };
        let mut left = self.level(level + 1)?;
        while let Some(operator) = self
            .args
            .get(self.at)
            .filter(|arg| operators.contains(&arg.as_str()))
        {
            self.at += 1;
            let right = self.level(level + 1)?;
            left = apply(&left, operator, &right)?;
        }
        Ok(left)
    }

    fn next(&mut self) -> Result<&str, String> {
        let arg = self.args.get(self.at).ok_or_else(|| {
            let last = self.args.last().map_or("", String::as_str);
            format!("syntax error: missing argument after '{last}'")
        })?;
        self.at += 1;
        Ok(arg)
    }

    fn primary(&mut self) -> Result<String, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("syntax error: nested too deeply".to_owned());
        }
        let first = self.next()?.to_owned();
        let value = match first.as_str() {
            "(" => {
                let value = self.level(0)?;
                if self.next()? != ")" {
                    return Err("syntax error: expecting ')'".to_owned());
                }
                value
            }
            "length" if self.at < self.args.len() => self.primary()?.chars().count().to_string(),
            "match" if self.at + 1 < self.args.len() => {
                let text = self.primary()?;
                let pattern = self.primary()?;
                apply(&text, ":", &pattern)?
            }
            "index" if self.at + 1 < self.args.len() => {
                let text = self.primary()?;
                let set = self.primary()?;
                text.chars()
                    .position(|character| set.contains(character))
                    .map_or(0, |at| at + 1)
                    .to_string()
            }
            "substr" if self.at + 2 < self.args.len() => {
                let text = self.primary()?;
                let from = self.primary()?.parse::<usize>().unwrap_or(0);
                let count = self.primary()?.parse::<usize>().unwrap_or(0);
                if from == 0 {
                    String::new()
                } else {
                    text.chars().skip(from - 1).take(count).collect()
                }
            }
            _ => first,
        };
        self.depth -= 1;
        Ok(value)
    }
}

fn truth(text: &str) -> bool {
    !text.is_empty() && text.parse::<i64>() != Ok(0)
}

fn apply(left: &str, operator: &str, right: &str) -> Result<String, String> {
    let numbers = (left.parse::<i64>(), right.parse::<i64>());
    Ok(match operator {
        "|" => if truth(left) {
            left
        } else if right.is_empty() {
            "0"
        } else {
            right
        }
        .to_owned(),
        "&" => if truth(left) && truth(right) {
            left
        } else {
            "0"
        }
        .to_owned(),
        ":" => {
            let expression = Regex::new(right, Options::new(Syntax::Basic))
                .map_err(|error| error.posix().to_owned())?;
            let text = |(start, end): (usize, usize)| left.get(start..end).unwrap_or_default();
            // It matches at the start or not at all.
            let found = expression
                .captures_at(left.as_bytes(), 0)
                .filter(|found| found.get(0).is_some_and(|(start, _)| start == 0));
            match found {
                Some(found) if expression.groups() > 0 => found.get(1).map_or("", text).to_owned(),
                Some(found) => found
                    .get(0)
                    .map_or(0, |all| text(all).chars().count())
                    .to_string(),
                None if expression.groups() > 0 => String::new(),
                None => "0".to_owned(),
            }
        }
        "<" | "<=" | "=" | "==" | "!=" | ">=" | ">" => {
            let ordering = match numbers {
                (Ok(left), Ok(right)) => left.cmp(&right),
                _ => left.cmp(right),
            };
            let holds = match operator {
                "<" => ordering.is_lt(),
                "<=" => ordering.is_le(),
                "!=" => ordering.is_ne(),
                ">=" => ordering.is_ge(),
                ">" => ordering.is_gt(),
                _ => ordering.is_eq(),
            };
            i32::from(holds).to_string()
        }
        _ => {
            let (Ok(left), Ok(right)) = numbers else {
                return Err("non-integer argument".to_owned());
            };
            if matches!(operator, "/" | "%") && right == 0 {
                return Err("division by zero".to_owned());
            }
            match operator {
                "+" => left.wrapping_add(right),
                "-" => left.wrapping_sub(right),
                "*" => left.wrapping_mul(right),
                "/" => left.wrapping_div(right),
                _ => left.wrapping_rem(right),
            }
            .to_string()
        }
    })
}

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    if context.args.is_empty() {
        complain(
            &context,
            "missing operand\nTry 'expr --help' for more information.",
        )
        .await;
        return 2;
    }
    let mut evaluator = Evaluator {
        args: &context.args,
        at: 0,
        depth: 0,
    };
    match evaluator.level(0) {
        Ok(_) if evaluator.at < context.args.len() => {
            let arg = &context.args[evaluator.at];
            complain(
                &context,
                &format!("syntax error: unexpected argument '{arg}'"),
            )
            .await;
            2
        }
        Ok(value) => {
            context.out(&format!("{value}\n")).await;
            i32::from(!truth(&value))
        }
        Err(error) => {
            complain(&context, &error).await;
            2
        }
    }
}
