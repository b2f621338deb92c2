//! Variables: `export`, `declare`, `local`, `readonly`, `unset`, `set`, `getopts`.

use crate::shell::parser::is_name;
use crate::shell::run::quote;
use crate::shell::{Outcome, Shell, Value};

impl Shell {
    pub(super) async fn run_declaration(&mut self, name: &str, args: Vec<String>) -> Outcome {
        match name {
            "unset" => Ok(self.unset(&args).await),
            "set" => Ok(self.set_options(args).await),
            "getopts" => Ok(self.getopts(args).await),
            _ => Ok(self.declare(name, &args).await),
        }
    }

    async fn declare(&mut self, name: &str, args: &[String]) -> i32 {
        let mut letters = String::new();
        let mut rest = Vec::new();
        let mut off = false;
        for arg in args {
            if rest.is_empty() && arg.len() > 1 && arg.starts_with('-') && arg != "--" {
                letters.push_str(&arg[1..]);
            } else if rest.is_empty() && arg.len() > 1 && arg.starts_with('+') {
                off = true;
                letters.push_str(&arg[1..]);
            } else if arg != "--" {
                rest.push(arg);
            }
        }
        if name == "local" && self.locals.is_empty() {
            self.complain("local: can only be used in a function").await;
            return 1;
        }
        if rest.is_empty() {
            let text = self.declarations(name);
            self.out(&text).await;
            return 0;
        }
        let exports = name == "export" || letters.contains('x');
        let unexports = name == "export" && letters.contains('n') || off && letters.contains('x');
        let mut status = 0;
        for arg in rest {
            let (target, value) = match arg.split_once('=') {
                Some((target, value)) => (target, Some(value)),
                None => (arg.as_str(), None),
            };
            let (target, append) = match target.strip_suffix('+') {
                Some(target) if value.is_some() => (target, true),
                _ => (target, false),
            };
            if letters.contains('p') {
                match self.variables.get(target) {
                    Some(_) => {
                        let line = self.declaration(target, "declare");
                        self.out(&line).await;
                    }
                    None => {
                        self.complain(&format!("{name}: {target}: not found")).await;
                        status = 1;
                    }
                }
                continue;
            }
            if !is_name(target) {
                self.complain(&format!("{name}: `{arg}': not a valid identifier"))
                    .await;
                status = 1;
                continue;
            }
            if name == "local"
                || !self.locals.is_empty()
                    && matches!(name, "declare" | "typeset")
                    && !letters.contains('g')
            {
                self.make_local(target);
            }
            if let Some(value) = value {
                let value = if append {
                    self.get(target).unwrap_or_default() + value
                } else {
                    value.to_owned()
                };
                let array = value
                    .strip_prefix('(')
                    .and_then(|value| value.strip_suffix(')'));
                let done = match array.filter(|_| letters.contains('a')) {
                    Some(items) => {
                        let items = items.split_whitespace().map(str::to_owned).enumerate();
                        self.set_array(
                            target,
                            items.map(|(index, item)| (index as i64, item)).collect(),
                        )
                    }
                    None => self.set(target, &value),
                };
                if !done {
                    self.complain(&format!("{target}: readonly variable")).await;
                    status = 1;
                    continue;
                }
            }
            let variable = self.variables.entry(target.to_owned()).or_default();
            if letters.contains('a') && variable.value.is_none() {
                variable.value = Some(Value::Array(Default::default()));
            }
            variable.integer |= letters.contains('i');
            variable.readonly |= name == "readonly" || letters.contains('r');
            variable.exported = (variable.exported || exports) && !unexports;
        }
        status
    }

    fn declarations(&self, name: &str) -> String {
        let mut text = String::new();
        for (variable, entry) in &self.variables {
            let listed = match name {
                "export" => entry.exported,
                "readonly" => entry.readonly,
                _ => true,
            };
            if listed {
                text.push_str(&self.declaration(variable, "declare"));
            }
        }
        text
    }

    fn declaration(&self, name: &str, command: &str) -> String {
        let Some(variable) = self.variables.get(name) else {
            return String::new();
        };
        let mut flags = String::new();
        if matches!(variable.value, Some(Value::Array(_))) {
            flags.push('a');
        }
        for (set, letter) in [
            (variable.integer, 'i'),
            (variable.readonly, 'r'),
            (variable.exported, 'x'),
        ] {
            if set {
                flags.push(letter);
            }
        }
        if flags.is_empty() {
            flags.push('-');
        }
        let escaped = |text: &str| {
            text.replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace('$', "\\$")
                .replace('`', "\\`")
        };
        match &variable.value {
            None => format!("{command} -{flags} {name}\n"),
            Some(Value::Scalar(text)) => {
                format!("{command} -{flags} {name}=\"{}\"\n", escaped(text))
            }
            Some(Value::Array(items)) => {
                let items: Vec<String> = items
                    .iter()
                    .map(|(index, item)| format!("[{index}]=\"{}\"", escaped(item)))
                    .collect();
                format!("{command} -{flags} {name}=({})\n", items.join(" "))
            }
        }
    }

    async fn unset(&mut self, args: &[String]) -> i32 {
        let functions = args.first().is_some_and(|arg| arg == "-f");
        let mut status = 0;
        for name in args.iter().filter(|arg| !arg.starts_with('-')) {
            if functions {
                self.functions.remove(name);
                continue;
            }
            if let Some((array, index)) =
                name.strip_suffix(']').and_then(|name| name.split_once('['))
            {
                let mut items = self.array(array);
                if let Ok(index) = index.parse::<i64>() {
                    items.remove(&index);
                    self.set_array(array, items);
                }
                continue;
            }
            if self
                .variables
                .get(name)
                .is_some_and(|variable| variable.readonly)
            {
                self.complain(&format!("unset: {name}: cannot unset: readonly variable"))
                    .await;
                status = 1;
            } else if self.variables.remove(name).is_none() {
                self.functions.remove(name);
            }
        }
        status
    }

    async fn set_options(&mut self, args: Vec<String>) -> i32 {
        if args.is_empty() {
            let mut text = String::new();
            for (name, variable) in &self.variables {
                if let Some(Value::Scalar(value)) = &variable.value {
                    text.push_str(&format!("{name}={}\n", quote(value)));
                }
            }
            self.out(&text).await;
            return 0;
        }
        let mut args = args.into_iter();
        while let Some(arg) = args.next() {
            let on = arg.starts_with('-');
            match arg.as_str() {
                "--" => {
                    self.positional = args.collect();
                    return 0;
                }
                "-o" | "+o" => {
                    let name = args.next().unwrap_or_default();
                    let letter = match name.as_str() {
                        "errexit" => 'e',
                        "xtrace" => 'x',
                        "nounset" => 'u',
                        "noglob" => 'f',
                        "noclobber" => 'C',
                        "pipefail" => {
                            self.options.pipe_fail = on;
                            continue;
                        }
                        "history" | "vi" | "emacs" | "posix" | "monitor" => continue,
                        _ => {
                            self.complain(&format!("set: {name}: invalid option name"))
                                .await;
                            return 2;
                        }
                    };
                    self.set_option(letter, on);
                }
                text if text.len() > 1 && (on || text.starts_with('+')) => {
                    let letters: Vec<char> = text.chars().skip(1).collect();
                    for letter in letters {
                        if letter == 'o' {
                            if args.next().as_deref() == Some("pipefail") {
                                self.options.pipe_fail = on;
                            }
                        } else if !self.set_option(letter, on) {
                            self.complain(&format!("set: -{letter}: invalid option"))
                                .await;
                            return 2;
                        }
                    }
                }
                _ => {
                    self.positional = std::iter::once(arg).chain(args).collect();
                    return 0;
                }
            }
        }
        0
    }

    fn set_option(&mut self, letter: char, on: bool) -> bool {
        match letter {
            'e' => self.options.exit_on_error = on,
            'x' => self.options.trace = on,
            'u' => self.options.no_unset = on,
            'f' => self.options.no_glob = on,
            'C' => self.options.no_clobber = on,
            'a' | 'b' | 'h' | 'm' | 'v' | 'B' | 'E' | 'H' => {}
            _ => return false,
        }
        true
    }

    async fn getopts(&mut self, args: Vec<String>) -> i32 {
        let (Some(options), Some(variable)) = (args.first(), args.get(1)) else {
            self.complain("getopts: usage: getopts optstring name [arg ...]")
                .await;
            return 2;
        };
        let words: Vec<String> = if args.len() > 2 {
            args[2..].to_vec()
        } else {
            self.positional.clone()
        };
        let index = self
            .get("OPTIND")
            .and_then(|index| index.parse::<usize>().ok())
            .unwrap_or(1)
            .max(1);
        let inside = self
            .get("__OPTCHAR")
            .and_then(|at| at.parse::<usize>().ok())
            .unwrap_or(1)
            .max(1);
        let word = words.get(index - 1).cloned().unwrap_or_default();
        if !word.starts_with('-') || word == "-" || word == "--" {
            if word == "--" {
                self.set("OPTIND", &(index + 1).to_string());
            }
            self.set(variable, "?");
            return 1;
        }
        let letters: Vec<char> = word.chars().collect();
        let letter = letters.get(inside).copied().unwrap_or('?');
        let place = options
            .chars()
            .position(|known| known == letter)
            .filter(|_| letter != ':');
        let takes = place.is_some_and(|place| options.chars().nth(place + 1) == Some(':'));
        let mut next = (index, inside + 1);
        let silent = options.starts_with(':');
        let mut found = letter.to_string();
        let mut argument = None;
        if takes {
            let rest: String = letters[inside + 1..].iter().collect();
            if !rest.is_empty() {
                argument = Some(rest);
                next = (index + 1, 1);
            } else if let Some(word) = words.get(index) {
                argument = Some(word.clone());
                next = (index + 2, 1);
            } else {
                if silent {
                    found = ":".to_owned();
                    argument = Some(letter.to_string());
                } else {
                    self.complain(&format!("option requires an argument -- {letter}"))
                        .await;
                    found = "?".to_owned();
                }
                next = (index + 1, 1);
            }
        } else if place.is_none() {
            found = "?".to_owned();
            if silent {
                argument = Some(letter.to_string());
            } else {
                self.complain(&format!("illegal option -- {letter}")).await;
            }
        }
        if next.1 >= letters.len() && next.0 == index {
            next = (index + 1, 1);
        }
        self.set("OPTIND", &next.0.to_string());
        self.set("__OPTCHAR", &next.1.to_string());
        match argument {
            Some(argument) => {
                self.set("OPTARG", &argument);
            }
            None => {
                self.variables.remove("OPTARG");
            }
        }
        let variable = variable.clone();
        self.set(&variable, &found);
        0
    }
}
