//! What a Java program prints: log4j lines and exceptions.

use chrono::DateTime;
use playground_protocol::{LogLine, Time};

use crate::commands::CommandContext;

/// `[2026-11-24 13:15:18,123]`: how the tools' log4j layout starts a line (UTC).
pub fn log_time(now: Time) -> String {
    match DateTime::from_timestamp_millis(now.millis()) {
        Some(time) => time.format("[%Y-%m-%d %H:%M:%S,%3f]").to_string(),
        None => "[]".to_owned(),
    }
}

/// One event in the tools' log4j layout, `[%d] %p %m (%c)%n`.
pub fn log_text(now: Time, line: &LogLine) -> String {
    format!(
        "{} {} {} ({})\n",
        log_time(now),
        line.level.as_str(),
        line.message,
        line.logger
    )
}

/// Prints a log line of a client to stderr, if it is a warning or worse: the tools' threshold.
pub async fn print_log(context: &CommandContext, line: &LogLine) {
    if line.level >= playground_protocol::LogLevel::Warn {
        context.err(&log_text(context.process.now(), line)).await;
    }
}

/// An exception as `toString` prints it: its class, and its message if it has one.
pub fn exception_text(class: &str, message: &str) -> String {
    if message.is_empty() {
        class.to_owned()
    } else {
        format!("{class}: {message}")
    }
}

/// Logs an error with an exception below it, as log4j prints a throwable (without stack frames).
pub async fn log_error(context: &CommandContext, logger: &str, message: &str, exception: &str) {
    let time = log_time(context.process.now());
    context
        .err(&format!("{time} ERROR {message} ({logger})\n{exception}\n"))
        .await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_as_log4j_prints_them() {
        assert_eq!(
            log_time(Time::from_millis(1_598_226_966_732)),
            "[2020-08-23 23:56:06,732]"
        );
    }

    #[test]
    fn an_exception_without_a_message_is_its_class() {
        assert_eq!(exception_text("a.B", ""), "a.B");
        assert_eq!(exception_text("a.B", "c"), "a.B: c");
    }
}
