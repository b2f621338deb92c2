//! What a Java program prints: log4j lines and exceptions.

use chrono::DateTime;
use playground_client::{ClientError, TopicPartition};
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

/// An exception and its causes as `printStackTrace` prints them, without stack frames.
pub fn stack_trace(error: &ClientError) -> String {
    let mut text = format!("{error}\n");
    let mut cause = error.cause.as_deref();
    while let Some(error) = cause {
        text.push_str(&format!("Caused by: {error}\n"));
        cause = error.cause.as_deref();
    }
    text
}

/// How most tools end with an exception: its message and its stack trace on stderr (`Utils.stackTrace`). The exit
/// code is 1.
pub async fn print_failure(context: &CommandContext, error: &ClientError) -> i32 {
    let message = if error.message.is_empty() {
        "null"
    } else {
        &error.message
    };
    let trace = stack_trace(error);
    context.err(&format!("{message}\n{trace}\n")).await;
    1
}

/// What `Future.get` throws for the exception of a call.
pub fn execution_exception(error: ClientError) -> ClientError {
    ClientError::new("java.util.concurrent.ExecutionException", error.to_string()).caused_by(error)
}

/// `TopicPartition.hashCode`.
pub fn partition_hash(partition: &TopicPartition) -> u32 {
    let number = u32::from_ne_bytes(partition.partition.to_ne_bytes());
    31_u32
        .wrapping_add(number)
        .wrapping_mul(31)
        .wrapping_add(string_hash(&partition.topic))
}

/// Numbers in words of a list: `1,2,3`.
pub fn comma_separated(numbers: impl IntoIterator<Item = i32>) -> String {
    let words: Vec<String> = numbers.into_iter().map(|id| id.to_string()).collect();
    words.join(",")
}

/// Logs an error with an exception below it, as log4j prints a throwable (without stack frames).
pub async fn log_error(context: &CommandContext, logger: &str, message: &str, exception: &str) {
    let time = log_time(context.process.now());
    context
        .err(&format!("{time} ERROR {message} ({logger})\n{exception}\n"))
        .await;
}

/// `String.hashCode`: over UTF-16 units, wrapping.
pub fn string_hash(text: &str) -> u32 {
    text.encode_utf16().fold(0_u32, |hash, unit| {
        hash.wrapping_mul(31).wrapping_add(u32::from(unit))
    })
}

/// Sorts what a Java tool puts into a `new HashMap<>(n)` and then walks through: by bucket, and within a bucket
/// as it came.
pub fn sort_as_hash_map<T>(items: &mut [T], key: impl Fn(&T) -> &str) {
    let mut capacity = items.len().max(1).next_power_of_two();
    if items.len() * 4 > capacity * 3 {
        capacity *= 2;
    }
    let mask = u32::try_from(capacity - 1).unwrap_or(u32::MAX);
    items.sort_by_key(|item| {
        let hash = string_hash(key(item));
        (hash ^ (hash >> 16)) & mask
    });
}

/// Sorts what a Java tool puts into a `new HashMap<>()`, which grew as it had to, and then walks through.
pub fn sort_as_grown_hash_map<T>(items: &mut [T], hash: impl Fn(&T) -> u32) {
    let mut capacity = 16;
    while items.len() * 4 > capacity * 3 {
        capacity *= 2;
    }
    let mask = u32::try_from(capacity - 1).unwrap_or(u32::MAX);
    items.sort_by_key(|item| {
        let hash = hash(item);
        (hash ^ (hash >> 16)) & mask
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_maps_are_walked_by_bucket() {
        let mut names = ["plain", "short"];
        sort_as_hash_map(&mut names, |name| name);
        assert_eq!(names, ["short", "plain"]);
        assert_eq!(string_hash("users"), 111_578_632);
    }

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
