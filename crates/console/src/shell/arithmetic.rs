//! `$(( … ))`: bash's integer arithmetic over 64 bits.

/// What an expression reads and writes.
pub trait Variables {
    /// A variable's text; empty when unset.
    fn value(&self, name: &str) -> String;
    /// Assigns a variable.
    fn assign(&mut self, name: &str, value: i64);
}

/// How deep parentheses, and variables that hold expressions, may nest.
const DEPTH_MAX: usize = 64;

/// Evaluates an expression. The error is bash's text after the expression.
pub fn evaluate(text: &str, variables: &mut dyn Variables) -> Result<i64, String> {
    evaluate_at(text, variables, 0)
}

fn evaluate_at(text: &str, variables: &mut dyn Variables, depth: usize) -> Result<i64, String> {
    if text.trim().is_empty() {
        return Ok(0);
    }
    let characters: Vec<char> = text.chars().collect();
    let mut evaluator = Evaluator {
        characters: &characters,
        position: 0,
        variables,
        depth,
        skipping: false,
    };
    let value = evaluator.comma()?;
    evaluator.blanks();
    if evaluator.position < characters.len() {
        let rest = evaluator.rest();
        return Err(format!(
            "syntax error in expression (error token is \"{rest}\")"
        ));
    }
    Ok(value)
}

struct Evaluator<'a> {
    characters: &'a [char],
    position: usize,
    variables: &'a mut dyn Variables,
    depth: usize,
    /// Inside the branch that is not taken: nothing is assigned, nothing divides.
    skipping: bool,
}

/// Binary operators, the loosest binding first.
const LEVELS: &[&[&str]] = &[
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

const ASSIGNMENTS: &[&str] = &[
    "<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "=",
];

impl Evaluator<'_> {
    fn blanks(&mut self) {
        while self
            .characters
            .get(self.position)
            .is_some_and(|character| character.is_whitespace())
        {
            self.position += 1;
        }
    }

    fn rest(&self) -> String {
        self.characters
            .get(self.position..)
            .unwrap_or_default()
            .iter()
            .collect()
    }

    fn at(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(index, character)| {
            self.characters.get(self.position + index) == Some(&character)
        })
    }

    fn take(&mut self, text: &str) -> bool {
        self.blanks();
        let found = self.at(text);
        if found {
            self.position += text.chars().count();
        }
        found
    }

    fn comma(&mut self) -> Result<i64, String> {
        let mut value = self.assignment()?;
        while self.take(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn name(&mut self) -> Option<String> {
        self.blanks();
        let start = self.position;
        if !self
            .characters
            .get(start)
            .is_some_and(|c| c.is_ascii_alphabetic() || *c == '_')
        {
            return None;
        }
        while self
            .characters
            .get(self.position)
            .is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_')
        {
            self.position += 1;
        }
        Some(self.characters[start..self.position].iter().collect())
    }

    fn assignment(&mut self) -> Result<i64, String> {
        let before = self.position;
        if let Some(name) = self.name() {
            self.blanks();
            let operator = ASSIGNMENTS
                .iter()
                .find(|operator| self.at(operator) && !(**operator == "=" && self.at("==")));
            if let Some(operator) = operator {
                self.position += operator.len();
                let right = self.assignment()?;
                let value = match operator.strip_suffix('=') {
                    Some("") | None => right,
                    Some(operator) => {
                        let left = self.variable(&name)?;
                        self.apply(operator, left, right)?
                    }
                };
                self.set(&name, value);
                return Ok(value);
            }
        }
        self.position = before;
        self.ternary()
    }

    fn set(&mut self, name: &str, value: i64) {
        if !self.skipping {
            self.variables.assign(name, value);
        }
    }

    fn variable(&mut self, name: &str) -> Result<i64, String> {
        let text = self.variables.value(name);
        let trimmed = text.trim();
        if let Ok(value) = trimmed.parse::<i64>()
            && !(trimmed.len() > 1 && trimmed.trim_start_matches(['-', '+']).starts_with('0'))
        {
            return Ok(value);
        }
        if self.depth >= DEPTH_MAX {
            return Err(format!(
                "expression recursion level exceeded (error token is \"{name}\")"
            ));
        }
        evaluate_at(trimmed, self.variables, self.depth + 1)
    }

    fn ternary(&mut self) -> Result<i64, String> {
        let condition = self.binary(0)?;
        if !self.take("?") {
            return Ok(condition);
        }
        let outer = self.skipping;
        self.skipping = outer || condition == 0;
        let yes = self.assignment()?;
        if !self.take(":") {
            return Err(format!(
                "`:' expected for conditional expression (error token is \"{}\")",
                self.rest()
            ));
        }
        self.skipping = outer || condition != 0;
        let no = self.assignment()?;
        self.skipping = outer;
        Ok(if condition != 0 { yes } else { no })
    }

    fn binary(&mut self, level: usize) -> Result<i64, String> {
        let Some(operators) = LEVELS.get(level) else {
            return self.power();
        };
        let mut left = self.binary(level + 1)?;
        loop {
            self.blanks();
            let operator = operators
                .iter()
                .find(|operator| self.at(operator) && !self.is_longer(operator));
            let Some(operator) = operator else {
                return Ok(left);
            };
            self.position += operator.len();
            let outer = self.skipping;
            match *operator {
                "||" => self.skipping = outer || left != 0,
                "&&" => self.skipping = outer || left == 0,
                _ => {}
            }
            let right = self.binary(level + 1)?;
            self.skipping = outer;
            left = self.apply(operator, left, right)?;
        }
    }

    /// Whether what stands here is a longer operator than `operator`.
    fn is_longer(&self, operator: &str) -> bool {
        let longer: &[&str] = match operator {
            "|" => &["||", "|="],
            "&" => &["&&", "&="],
            "<" => &["<<", "<="],
            ">" => &[">>", ">="],
            "<<" => &["<<="],
            ">>" => &[">>="],
            "+" => &["+="],
            "-" => &["-="],
            "*" => &["**", "*="],
            "/" => &["/="],
            "%" => &["%="],
            "^" => &["^="],
            _ => &[],
        };
        longer.iter().any(|longer| self.at(longer))
    }

    fn apply(&self, operator: &str, left: i64, right: i64) -> Result<i64, String> {
        if matches!(operator, "/" | "%") && right == 0 {
            if self.skipping {
                return Ok(0);
            }
            let token: String = self.characters[..self.position].iter().collect();
            let token = token
                .rsplit(['/', '%'])
                .next()
                .unwrap_or_default()
                .trim()
                .to_owned();
            return Err(format!("division by 0 (error token is \"{token}\")"));
        }
        Ok(match operator {
            "||" => i64::from(left != 0 || right != 0),
            "&&" => i64::from(left != 0 && right != 0),
            "|" => left | right,
            "^" => left ^ right,
            "&" => left & right,
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<<" => left.wrapping_shl((right & 63) as u32),
            ">>" => left.wrapping_shr((right & 63) as u32),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            "/" => left.wrapping_div(right),
            _ => left.wrapping_rem(right),
        })
    }

    fn power(&mut self) -> Result<i64, String> {
        let base = self.unary()?;
        if !self.take("**") {
            return Ok(base);
        }
        let exponent = self.power()?;
        if exponent < 0 {
            return Err(format!(
                "exponent less than 0 (error token is \"{}\")",
                self.rest()
            ));
        }
        Ok(base.wrapping_pow(u32::try_from(exponent).unwrap_or(u32::MAX)))
    }

    fn unary(&mut self) -> Result<i64, String> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err("expression recursion level exceeded".to_owned());
        }
        let value = self.unary_inner();
        self.depth -= 1;
        value
    }

    fn unary_inner(&mut self) -> Result<i64, String> {
        self.blanks();
        for (operator, step) in [("++", 1), ("--", -1)] {
            let before = self.position;
            if self.take(operator) {
                if let Some(name) = self.name() {
                    let value = self.variable(&name)?.wrapping_add(step);
                    self.set(&name, value);
                    return Ok(value);
                }
                self.position = before;
            }
        }
        if self.take("!") {
            return Ok(i64::from(self.unary()? == 0));
        }
        if self.take("~") {
            return Ok(!self.unary()?);
        }
        if self.take("-") {
            return Ok(self.unary()?.wrapping_neg());
        }
        if self.take("+") {
            return self.unary();
        }
        if self.take("(") {
            let value = self.comma()?;
            if !self.take(")") {
                return Err(format!("missing `)' (error token is \"{}\")", self.rest()));
            }
            return Ok(value);
        }
        if let Some(name) = self.name() {
            let value = self.variable(&name)?;
            for (operator, step) in [("++", 1_i64), ("--", -1)] {
                if self.take(operator) {
                    self.set(&name, value.wrapping_add(step));
                }
            }
            return Ok(value);
        }
        self.number()
    }

    fn number(&mut self) -> Result<i64, String> {
        let start = self.position;
        while self
            .characters
            .get(self.position)
            .is_some_and(|c| c.is_ascii_alphanumeric() || matches!(c, '#' | '@' | '_'))
        {
            self.position += 1;
        }
        let text: String = self.characters[start..self.position].iter().collect();
        if text.is_empty() {
            let rest = match self.rest() {
                rest if rest.is_empty() => {
                    let before: String = self.characters.iter().collect();
                    before
                        .trim_end()
                        .chars()
                        .last()
                        .map_or_else(String::new, String::from)
                }
                rest => rest,
            };
            return Err(format!(
                "syntax error: operand expected (error token is \"{rest}\")"
            ));
        }
        let parsed =
            if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
                i64::from_str_radix(digits, 16)
            } else if let Some((base, digits)) = text.split_once('#') {
                match base.parse::<u32>() {
                    Ok(base @ 2..=36) => i64::from_str_radix(digits, base),
                    _ => {
                        return Err(format!(
                            "invalid arithmetic base (error token is \"{text}\")"
                        ));
                    }
                }
            } else if text.len() > 1 && text.starts_with('0') {
                i64::from_str_radix(&text, 8)
            } else {
                text.parse()
            };
        parsed.map_err(|_| format!("value too great for base (error token is \"{text}\")"))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[derive(Default)]
    struct Map(BTreeMap<String, String>);

    impl Variables for Map {
        fn value(&self, name: &str) -> String {
            self.0.get(name).cloned().unwrap_or_default()
        }
        fn assign(&mut self, name: &str, value: i64) {
            self.0.insert(name.to_owned(), value.to_string());
        }
    }

    fn value(text: &str) -> Result<i64, String> {
        evaluate(text, &mut Map::default())
    }

    #[test]
    fn operators_bind_as_in_c() {
        assert_eq!(value("1 + 2 * 3"), Ok(7));
        assert_eq!(value("(1 + 2) * 3 % 4"), Ok(1));
        assert_eq!(value("2 ** 3 ** 2"), Ok(512));
        assert_eq!(value("-7 / 2"), Ok(-3));
        assert_eq!(value("1 << 4 | 1"), Ok(17));
        assert_eq!(value("3 > 2 && 2 > 3 || 1"), Ok(1));
        assert_eq!(value("0x10 + 010 + 2#101"), Ok(29));
        assert_eq!(value("1 ? 2 : 3"), Ok(2));
        assert_eq!(value("!0 + ~0"), Ok(0));
    }

    #[test]
    fn variables_are_read_and_written() {
        let mut map = Map::default();
        assert_eq!(evaluate("i = 5, i++ + ++i", &mut map), Ok(12));
        assert_eq!(map.value("i"), "7");
        assert_eq!(evaluate("i += 3", &mut map), Ok(10));
        assert_eq!(evaluate("missing + 1", &mut map), Ok(1));
        assert_eq!(evaluate("0 && (i = 99)", &mut map), Ok(0));
        assert_eq!(map.value("i"), "10");
    }

    #[test]
    fn errors_are_errors() {
        assert_eq!(
            value("1 / 0"),
            Err("division by 0 (error token is \"0\")".to_owned())
        );
        assert!(value("1 +").is_err());
        assert!(value("1 2").is_err());
        assert!(value(&"(".repeat(1000)).is_err());
    }
}
