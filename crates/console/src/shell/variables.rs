//! Variables: scalars and indexed arrays, exported or not.

use std::collections::BTreeMap;

use super::Shell;
use super::arithmetic;

/// What a variable holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A text.
    Scalar(String),
    /// An indexed array.
    Array(BTreeMap<i64, String>),
}

/// A variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Variable {
    /// `None`: declared, not set.
    pub value: Option<Value>,
    /// Part of the environment of commands.
    pub exported: bool,
    /// Cannot be assigned.
    pub readonly: bool,
    /// `declare -i`: what is assigned is arithmetic.
    pub integer: bool,
}

impl Shell {
    /// A variable's text, special parameters included.
    pub fn get(&self, name: &str) -> Option<String> {
        if let Ok(number) = name.parse::<usize>() {
            return match number {
                0 => Some(self.name.clone()),
                number => self.positional.get(number - 1).cloned(),
            };
        }
        match name {
            "?" => return Some(self.status.to_string()),
            "$" | "BASHPID" => return Some(self.process.pid().0.to_string()),
            "!" => return self.jobs.last_background().map(|pid| pid.0.to_string()),
            "#" => return Some(self.positional.len().to_string()),
            "-" => return Some(if self.interactive { "himBHs" } else { "hB" }.to_owned()),
            "@" | "*" => return Some(self.positional.join(" ")),
            "RANDOM" => return Some((self.process.random() % 32768).to_string()),
            "EPOCHSECONDS" => return Some((self.process.now().millis() / 1000).to_string()),
            "SECONDS" => {
                return Some(
                    (self.process.now().micros() / 1_000_000)
                        .wrapping_sub(self.started_seconds)
                        .to_string(),
                );
            }
            "FUNCNAME" => return self.running_functions.last().cloned(),
            "PIPESTATUS" => return self.pipe_status.first().map(i32::to_string),
            "BASH_VERSION" => return Some("5.2.15(1)-release".to_owned()),
            "UID" | "EUID" => return Some("1000".to_owned()),
            "PPID" => return Some("1".to_owned()),
            "LINENO" => return Some("1".to_owned()),
            _ => {}
        }
        match &self.variables.get(name)?.value {
            Some(Value::Scalar(text)) => Some(text.clone()),
            Some(Value::Array(items)) => items.get(&0).cloned(),
            None => None,
        }
    }

    /// Assigns a variable; `false` when it is read-only.
    pub fn set(&mut self, name: &str, value: &str) -> bool {
        let integer = match self.variables.get(name) {
            Some(variable) if variable.readonly => return false,
            Some(variable) => variable.integer,
            None => false,
        };
        let value = if integer {
            arithmetic::evaluate(value, self).unwrap_or(0).to_string()
        } else {
            value.to_owned()
        };
        let variable = self.variables.entry(name.to_owned()).or_default();
        match &mut variable.value {
            Some(Value::Array(items)) => {
                items.insert(0, value);
            }
            other => *other = Some(Value::Scalar(value)),
        }
        true
    }

    /// Assigns a variable and makes it part of the environment.
    pub fn export(&mut self, name: &str, value: &str) {
        self.set(name, value);
        self.variables.entry(name.to_owned()).or_default().exported = true;
    }

    /// Assigns an array; `false` when it is read-only.
    pub(super) fn set_array(&mut self, name: &str, items: BTreeMap<i64, String>) -> bool {
        let variable = self.variables.entry(name.to_owned()).or_default();
        if variable.readonly {
            return false;
        }
        variable.value = Some(Value::Array(items));
        true
    }

    /// An array's items; a scalar is an array of one.
    pub(super) fn array(&self, name: &str) -> BTreeMap<i64, String> {
        if name == "PIPESTATUS" {
            let statuses = self.pipe_status.iter().enumerate();
            return statuses
                .map(|(at, status)| (at as i64, status.to_string()))
                .collect();
        }
        match self
            .variables
            .get(name)
            .and_then(|variable| variable.value.as_ref())
        {
            Some(Value::Array(items)) => items.clone(),
            Some(Value::Scalar(text)) => BTreeMap::from([(0, text.clone())]),
            None => BTreeMap::new(),
        }
    }

    /// The exported variables.
    pub fn environment(&self) -> BTreeMap<String, String> {
        self.variables
            .iter()
            .filter(|(_, variable)| variable.exported)
            .filter_map(|(name, variable)| match &variable.value {
                Some(Value::Scalar(text)) => Some((name.clone(), text.clone())),
                _ => None,
            })
            .collect()
    }

    /// The names of all variables, for Tab.
    pub fn variable_names(&self) -> impl Iterator<Item = &str> {
        self.variables.keys().map(String::as_str)
    }

    /// The names of all functions, for Tab.
    pub fn function_names(&self) -> impl Iterator<Item = &str> {
        self.functions.keys().map(String::as_str)
    }

    /// Makes a variable local to the function that runs.
    pub(super) fn make_local(&mut self, name: &str) {
        let before = self.variables.get(name).cloned();
        if let Some(frame) = self.locals.last_mut()
            && !frame.iter().any(|(known, _)| known == name)
        {
            frame.push((name.to_owned(), before));
            self.variables.remove(name);
        }
    }

    pub(super) fn leave_function(&mut self) {
        for (name, before) in self.locals.pop().unwrap_or_default() {
            match before {
                Some(variable) => self.variables.insert(name, variable),
                None => self.variables.remove(&name),
            };
        }
    }
}

impl arithmetic::Variables for Shell {
    fn value(&self, name: &str) -> String {
        self.get(name).unwrap_or_default()
    }

    fn assign(&mut self, name: &str, value: i64) {
        self.set(name, &value.to_string());
    }
}
