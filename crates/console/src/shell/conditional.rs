//! `test`, `[` and `[[`.

use playground_regex::{Captures, Options, Regex, Syntax};

use super::ast::{ConditionalToken, Word};
use super::{Flow, Outcome, Shell, arithmetic, pattern};
use crate::files::{self, FileKind};

const UNARY: &[&str] = &[
    "-e", "-a", "-f", "-d", "-r", "-w", "-x", "-s", "-z", "-n", "-L", "-h", "-v", "-t", "-p", "-b",
    "-c", "-S", "-O", "-G", "-N", "-k", "-u", "-g", "-o",
];
const BINARY: &[&str] = &[
    "=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef", "=~",
];

impl Shell {
    fn unary(&self, operator: &str, operand: &str) -> bool {
        let kind = || files::kind(&self.process, &self.path(operand));
        match operator {
            "-z" => operand.is_empty(),
            "-n" => !operand.is_empty(),
            "-v" => self.get(operand).is_some(),
            "-t" => match operand {
                "0" => self.io.stdin.is_terminal(),
                "1" => self.io.stdout.is_terminal(),
                "2" => self.io.stderr.is_terminal(),
                _ => false,
            },
            "-e" | "-a" | "-r" | "-w" | "-O" | "-G" => !operand.is_empty() && kind().is_some(),
            "-f" => kind() == Some(FileKind::File),
            "-d" => kind() == Some(FileKind::Directory),
            "-c" => kind() == Some(FileKind::Device),
            "-x" => {
                kind() == Some(FileKind::Directory)
                    || crate::commands::is_program(&self.path(operand))
            }
            "-s" => files::length(&self.process, &self.path(operand)) > 0,
            _ => false,
        }
    }

    /// A binary test of `test`; the error is the text after `bash: test: `.
    fn binary(&self, left: &str, operator: &str, right: &str) -> Result<bool, String> {
        let number = |text: &str| {
            text.trim()
                .parse::<i64>()
                .map_err(|_| format!("{text}: integer expression expected"))
        };
        Ok(match operator {
            "=" | "==" => left == right,
            "!=" => left != right,
            "<" => left < right,
            ">" => left > right,
            "-eq" => number(left)? == number(right)?,
            "-ne" => number(left)? != number(right)?,
            "-lt" => number(left)? < number(right)?,
            "-le" => number(left)? <= number(right)?,
            "-gt" => number(left)? > number(right)?,
            "-ge" => number(left)? >= number(right)?,
            "-ef" => self.path(left) == self.path(right),
            "-nt" => self.unary("-e", left) && !self.unary("-e", right),
            "-ot" => !self.unary("-e", left) && self.unary("-e", right),
            _ => return Err(format!("{operator}: binary operator expected")),
        })
    }

    /// `test` and `[`.
    pub(super) async fn test(&mut self, name: &str, mut args: Vec<String>) -> i32 {
        if name == "[" {
            if args.last().map(String::as_str) != Some("]") {
                self.complain("[: missing `]'").await;
                return 2;
            }
            args.pop();
        }
        let mut at = 0;
        let result = if args.is_empty() {
            Ok(false)
        } else {
            self.test_or(&args, &mut at)
        };
        match result {
            Ok(_) if at < args.len() => {
                let error = match args.as_slice() {
                    [first, _] => format!("{first}: unary operator expected"),
                    [_, second, _] => format!("{second}: binary operator expected"),
                    _ => "too many arguments".to_owned(),
                };
                self.complain(&format!("{name}: {error}")).await;
                2
            }
            Ok(holds) => i32::from(!holds),
            Err(error) => {
                self.complain(&format!("{name}: {error}")).await;
                2
            }
        }
    }

    fn test_or(&self, args: &[String], at: &mut usize) -> Result<bool, String> {
        let mut value = self.test_and(args, at)?;
        while args.get(*at).is_some_and(|arg| arg == "-o") {
            *at += 1;
            value |= self.test_and(args, at)?;
        }
        Ok(value)
    }

    fn test_and(&self, args: &[String], at: &mut usize) -> Result<bool, String> {
        let mut value = self.test_primary(args, at, 0)?;
        while args.get(*at).is_some_and(|arg| arg == "-a") {
            *at += 1;
            value &= self.test_primary(args, at, 0)?;
        }
        Ok(value)
    }

    fn test_primary(&self, args: &[String], at: &mut usize, depth: usize) -> Result<bool, String> {
        let Some(first) = args.get(*at) else {
            return Err("argument expected".to_owned());
        };
        if depth > super::DEPTH_MAX {
            return Err("too many arguments".to_owned());
        }
        if let (Some(operator), Some(right)) = (args.get(*at + 1), args.get(*at + 2))
            && BINARY.contains(&operator.as_str())
        {
            *at += 3;
            return self.binary(first, operator, right);
        }
        if first == "!" && *at + 1 < args.len() {
            *at += 1;
            return Ok(!self.test_primary(args, at, depth + 1)?);
        }
        if first == "(" && *at + 1 < args.len() {
            *at += 1;
            let value = self.test_or(args, at)?;
            if args.get(*at).map(String::as_str) != Some(")") {
                return Err("`)' expected".to_owned());
            }
            *at += 1;
            return Ok(value);
        }
        if let Some(operand) = args.get(*at + 1)
            && UNARY.contains(&first.as_str())
        {
            *at += 2;
            return Ok(self.unary(first, operand));
        }
        if args.len() == 2 && *at == 0 && first.starts_with('-') {
            return Err(format!("{first}: unary operator expected"));
        }
        *at += 1;
        Ok(!first.is_empty())
    }

    /// `[[ … ]]`.
    pub(super) async fn conditional(&mut self, tokens: &[ConditionalToken]) -> Outcome {
        let mut at = 0;
        let value = match Box::pin(self.conditional_or(tokens, &mut at, true)).await {
            // An expression that is none ends the test, not the line.
            Err(Flow::Failed(2)) => return Ok(2),
            value => value?,
        };
        if at < tokens.len() || tokens.is_empty() {
            self.complain("syntax error in conditional expression")
                .await;
            return Ok(2);
        }
        Ok(i32::from(!value))
    }

    async fn conditional_or(
        &mut self,
        tokens: &[ConditionalToken],
        at: &mut usize,
        runs: bool,
    ) -> Result<bool, Flow> {
        let mut value = self.conditional_and(tokens, at, runs).await?;
        while tokens.get(*at) == Some(&ConditionalToken::Operator("||")) {
            *at += 1;
            let right = self.conditional_and(tokens, at, runs && !value).await?;
            value = value || right;
        }
        Ok(value)
    }

    async fn conditional_and(
        &mut self,
        tokens: &[ConditionalToken],
        at: &mut usize,
        runs: bool,
    ) -> Result<bool, Flow> {
        let mut value = self.conditional_primary(tokens, at, runs).await?;
        while tokens.get(*at) == Some(&ConditionalToken::Operator("&&")) {
            *at += 1;
            let right = self.conditional_primary(tokens, at, runs && value).await?;
            value = value && right;
        }
        Ok(value)
    }

    async fn conditional_primary(
        &mut self,
        tokens: &[ConditionalToken],
        at: &mut usize,
        runs: bool,
    ) -> Result<bool, Flow> {
        let word = match tokens.get(*at) {
            Some(ConditionalToken::Operator("!")) => {
                *at += 1;
                return Ok(!Box::pin(self.conditional_primary(tokens, at, runs)).await?);
            }
            Some(ConditionalToken::Operator("(")) => {
                *at += 1;
                let value = Box::pin(self.conditional_or(tokens, at, runs)).await?;
                if tokens.get(*at) == Some(&ConditionalToken::Operator(")")) {
                    *at += 1;
                }
                return Ok(value);
            }
            Some(ConditionalToken::Word(word)) => word,
            _ => return Ok(false),
        };
        *at += 1;
        if let Some(operator) = word
            .as_literal()
            .filter(|operator| UNARY.contains(operator))
            && let Some(ConditionalToken::Word(operand)) = tokens.get(*at)
            && operand
                .as_literal()
                .is_none_or(|operand| !BINARY.contains(&operand))
        {
            *at += 1;
            let operand = if runs {
                self.expand_single(operand).await?
            } else {
                return Ok(false);
            };
            return Ok(self.unary(operator, &operand));
        }
        let operator = match tokens.get(*at) {
            Some(ConditionalToken::Operator(operator @ ("<" | ">"))) => {
                Some((*operator).to_owned())
            }
            Some(ConditionalToken::Word(word)) => word
                .as_literal()
                .filter(|word| BINARY.contains(word))
                .map(str::to_owned),
            _ => None,
        };
        let (Some(operator), Some(ConditionalToken::Word(right))) = (operator, tokens.get(*at + 1))
        else {
            return Ok(runs && !self.expand_single(word).await?.is_empty());
        };
        *at += 2;
        if !runs {
            return Ok(false);
        }
        self.compare(word, &operator, right).await
    }

    async fn compare(&mut self, left: &Word, operator: &str, right: &Word) -> Result<bool, Flow> {
        let left = self.expand_single(left).await?;
        match operator {
            "=" | "==" | "!=" => {
                let wanted = self.expand_pattern(right).await?;
                Ok(pattern::matches(&wanted, &left) == (operator != "!="))
            }
            "=~" => {
                let expression = self.expand_regex(right).await?;
                let options = Options::new(Syntax::ExtendedStrict);
                let Ok(expression) = Regex::new(&expression, options) else {
                    return Err(Flow::Failed(2));
                };
                let found = expression.captures_at(left.as_bytes(), 0);
                let text = |group| {
                    let range = found.as_ref().and_then(|found| found.get(group));
                    let (start, end) = range.unwrap_or_default();
                    left.get(start..end).unwrap_or_default().to_owned()
                };
                let groups = found.as_ref().map_or(0, Captures::len);
                let items = (0..groups).map(|group| (group as i64, text(group)));
                self.set_array("BASH_REMATCH", items.collect());
                Ok(found.is_some())
            }
            "-eq" | "-ne" | "-lt" | "-le" | "-gt" | "-ge" => {
                let right = self.expand_single(right).await?;
                let mut values = [0, 0];
                for (value, text) in values.iter_mut().zip([&left, &right]) {
                    match arithmetic::evaluate(text, self) {
                        Ok(number) => *value = number,
                        Err(error) => {
                            self.complain(&format!("[[: {text}: {error}")).await;
                            return Ok(false);
                        }
                    }
                }
                let [left, right] = values.map(|value| value.to_string());
                Ok(self.binary(&left, operator, &right).unwrap_or(false))
            }
            _ => {
                let right = self.expand_single(right).await?;
                Ok(self.binary(&left, operator, &right).unwrap_or(false))
            }
        }
    }
}
