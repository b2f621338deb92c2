//! `date`: the virtual clock's.

use std::fmt::Write;

use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};
use playground_protocol::Time;

use super::args::{self, Spec};
use super::text::complain;
use crate::commands::CommandContext;

const SPEC: Spec = Spec {
    short: "ud:I?R",
    long: &[
        ("utc", 'u'),
        ("universal", 'u'),
        ("date", 'd'),
        ("iso-8601", 'I'),
        ("rfc-email", 'R'),
    ],
};

/// A time in chrono's format, in UTC.
pub fn stamp(time: Time, format: &str) -> String {
    let time = DateTime::from_timestamp_micros(i64::try_from(time.micros()).unwrap_or(0))
        .unwrap_or_default();
    written(time, format).unwrap_or_default()
}

fn written(time: DateTime<Utc>, format: &str) -> Option<String> {
    let mut text = String::new();
    write!(text, "{}", time.format(format)).ok()?;
    Some(text)
}

fn parse(text: &str, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let text = text.trim();
    if let Some(seconds) = text.strip_prefix('@') {
        let (whole, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
        let micros: u32 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
        return DateTime::from_timestamp(whole.parse().ok()?, micros * 1000);
    }
    match text {
        "" | "now" | "today" => return Some(now),
        "yesterday" => return now.checked_sub_signed(chrono::TimeDelta::try_days(1)?),
        "tomorrow" => return now.checked_add_signed(chrono::TimeDelta::try_days(1)?),
        _ => {}
    }
    if let Ok(time) = DateTime::parse_from_rfc3339(text) {
        return Some(time.with_timezone(&Utc));
    }
    for format in [
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M",
    ] {
        if let Ok(time) = NaiveDateTime::parse_from_str(
            text.trim_end_matches(" UTC").trim_end_matches('Z'),
            format,
        ) {
            return Some(time.and_utc());
        }
    }
    if let Ok(date) = NaiveDate::parse_from_str(text, "%Y-%m-%d") {
        return Some(date.and_hms_opt(0, 0, 0)?.and_utc());
    }
    // `2 hours ago`, `+1 day`, `1 day`
    let words: Vec<&str> = text.split_whitespace().collect();
    let (count, unit, ago) = match words.as_slice() {
        [count, unit] => (*count, *unit, false),
        [count, unit, "ago"] => (*count, *unit, true),
        _ => return None,
    };
    let count: i64 = count.trim_start_matches('+').parse().ok()?;
    let seconds = match unit.trim_end_matches('s') {
        "sec" | "second" => 1,
        "min" | "minute" => 60,
        "hour" => 3600,
        "day" => 86_400,
        "week" => 604_800,
        _ => return None,
    };
    let delta = chrono::TimeDelta::try_seconds(count.checked_mul(seconds)?)?;
    if ago {
        now.checked_sub_signed(delta)
    } else {
        now.checked_add_signed(delta)
    }
}

/// GNU's format in chrono's words.
fn translate(format: &str, time: DateTime<Utc>) -> String {
    let nanos = time.timestamp_subsec_nanos();
    let mut translated = String::new();
    let mut rest = format.chars().peekable();
    while let Some(character) = rest.next() {
        if character != '%' {
            translated.push(character);
            continue;
        }
        match rest.next() {
            Some('N') => translated.push_str(&format!("{nanos:09}")),
            Some(digit @ '1'..='9') if rest.peek() == Some(&'N') => {
                rest.next();
                let width = digit as usize - '0' as usize;
                translated.push_str(&format!("{nanos:09}")[..width]);
            }
            Some('Z') => translated.push_str("UTC"),
            Some(other) => {
                translated.push('%');
                translated.push(other);
            }
            None => translated.push_str("%%"),
        }
    }
    translated
}

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let micros = i64::try_from(context.process.now().micros()).unwrap_or(0);
    let now = DateTime::from_timestamp_micros(micros).unwrap_or_default();
    let time = match options.value('d') {
        None => now,
        Some(text) => match parse(text, now) {
            Some(time) => time,
            None => {
                complain(&context, &format!("invalid date ‘{text}’")).await;
                return 1;
            }
        },
    };
    let format = match options.operands.first() {
        Some(operand) => match operand.strip_prefix('+') {
            Some(format) => translate(format, time),
            None => {
                complain(&context, &format!("invalid date ‘{operand}’")).await;
                return 1;
            }
        },
        None => match (options.value('I'), options.has('R')) {
            (Some("" | "date"), _) => "%Y-%m-%d".to_owned(),
            (Some("ns"), _) => "%Y-%m-%dT%H:%M:%S,%9f+00:00".to_owned(),
            (Some(_), _) => "%Y-%m-%dT%H:%M:%S+00:00".to_owned(),
            (None, true) => "%a, %d %b %Y %H:%M:%S +0000".to_owned(),
            (None, false) => "%a %b %e %H:%M:%S UTC %Y".to_owned(),
        },
    };
    // A directive that chrono does not know is printed as it stands.
    let text = written(time, &format).unwrap_or(format);
    context.out(&format!("{text}\n")).await;
    0
}
