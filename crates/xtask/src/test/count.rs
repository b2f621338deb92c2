//! Counts what test programs print that they did.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::ops::AddAssign;
use std::process::{Command, Stdio};

use anyhow::{Context, Result};

/// How many tests did what.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// They held.
    pub passed: u64,
    /// They did not.
    pub failed: u64,
    /// They were not run.
    pub skipped: u64,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl fmt::Display for Count {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            passed,
            failed,
            skipped,
        } = self;
        write!(
            formatter,
            "{passed} passed, {failed} failed, {skipped} skipped"
        )
    }
}

/// How a test program says what happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A summary line, `test result: ...`, of libtest or wasm-bindgen-test.
    Libtest,
    /// A line for each test, `ok 1 - name`, of the Test Anything Protocol.
    Tap,
}

impl Count {
    /// What one line of a test program's output adds.
    fn of_line(line: &str, format: Format) -> Option<Self> {
        match format {
            Format::Libtest => Self::of_summary(line),
            Format::Tap => Self::of_tap(line),
        }
    }

    fn of_summary(line: &str) -> Option<Self> {
        let summary = line.trim().strip_prefix("test result: ")?;
        let number = |word: &str| {
            let before = summary[..summary.find(&format!(" {word}"))?]
                .rsplit(' ')
                .next()?;
            before.parse::<u64>().ok()
        };
        Some(Self {
            passed: number("passed")?,
            failed: number("failed")?,
            skipped: number("ignored").unwrap_or(0),
        })
    }

    fn of_tap(line: &str) -> Option<Self> {
        let mut count = Self::default();
        if let Some(rest) = line.strip_prefix("ok ") {
            if rest.contains("# SKIP") {
                count.skipped = 1;
            } else {
                count.passed = 1;
            }
        } else if line.starts_with("not ok ") {
            count.failed = 1;
        } else {
            return None;
        }
        Some(count)
    }
}

/// Runs a test program, passes on what it prints, and counts.
///
/// A program that fails without having counted a failure (it did not compile, it crashed) counts as one.
pub fn run(command: &mut Command, format: Format) -> Result<Count> {
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot run {}", command.get_program().display()))?;
    let output = child.stdout.take().context("its output is not there")?;
    let mut count = Count::default();
    let mut reader = BufReader::new(output);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        std::io::stdout().write_all(&line)?;
        if let Some(add) = Count::of_line(&String::from_utf8_lossy(&line), format) {
            count += add;
        }
        line.clear();
    }
    let status = child.wait()?;
    if !status.success() && count.failed == 0 {
        eprintln!("{} ended with {status}", command.get_program().display());
        count.failed = 1;
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(passed: u64, failed: u64, skipped: u64) -> Option<Count> {
        Some(Count {
            passed,
            failed,
            skipped,
        })
    }

    #[test]
    fn each_kind_of_line_counts() {
        let native = "test result: ok. 12 passed; 0 failed; 3 ignored; 0 measured; 0 filtered out; finished in 0.02s";
        assert_eq!(Count::of_line(native, Format::Libtest), count(12, 0, 3));
        let browser =
            "test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 filtered out; finished in 0.02s";
        assert_eq!(Count::of_line(browser, Format::Libtest), count(1, 2, 0));
        assert_eq!(
            Count::of_line("ok 3 - the tutorial", Format::Tap),
            count(1, 0, 0)
        );
        assert_eq!(
            Count::of_line("not ok 4 - reload", Format::Tap),
            count(0, 1, 0)
        );
        assert_eq!(
            Count::of_line("ok 5 - phone # SKIP no page", Format::Tap),
            count(0, 0, 1)
        );
        assert_eq!(Count::of_line("ok 3 - the tutorial", Format::Libtest), None);
    }

    #[test]
    fn a_program_that_crashes_is_a_failure() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'ok 1 - fine'; exit 3"]);
        assert_eq!(run(&mut command, Format::Tap).ok(), count(1, 1, 0));
    }
}
