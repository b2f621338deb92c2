//! `sleep` and `timeout`.

use std::time::Duration;

use playground_sim::{Either, Signal, select};

use super::args::{self, Spec};
use super::run_command;
use super::text::complain;
use crate::commands::CommandContext;

/// A duration as `sleep` takes it: `1.5`, `2m`, `1h`.
fn duration(text: &str) -> Option<Duration> {
    let (number, unit_micros) = match text.chars().last()? {
        's' => (&text[..text.len() - 1], 1_000_000),
        'm' => (&text[..text.len() - 1], 60_000_000),
        'h' => (&text[..text.len() - 1], 3_600_000_000),
        'd' => (&text[..text.len() - 1], 86_400_000_000),
        _ => (text, 1_000_000_u64),
    };
    if number == "infinity" || number == "inf" {
        return Some(Duration::from_secs(u64::from(u32::MAX)));
    }
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if number.is_empty()
        || !digits(whole)
        || !digits(fraction)
        || whole.is_empty() && fraction.is_empty()
    {
        return None;
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let millionths: u64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    let micros = whole
        .checked_mul(unit_micros)?
        .checked_add(millionths.checked_mul(unit_micros)? / 1_000_000)?;
    Some(Duration::from_micros(micros))
}

/// Runs `sleep`.
pub async fn sleep(context: CommandContext) -> i32 {
    if context.args.is_empty() {
        complain(
            &context,
            "missing operand\nTry 'sleep --help' for more information.",
        )
        .await;
        return 1;
    }
    let mut total = Duration::ZERO;
    for arg in &context.args {
        match duration(arg) {
            Some(duration) => total = total.saturating_add(duration),
            None => {
                let text = format!(
                    "invalid time interval ‘{arg}’\nTry 'sleep --help' for more information."
                );
                complain(&context, &text).await;
                return 1;
            }
        }
    }
    context.process.sleep(total).await;
    0
}

const SPEC: Spec = Spec {
    short: "s:k:vfp",
    long: &[
        ("signal", 's'),
        ("kill-after", 'k'),
        ("preserve-status", 'p'),
        ("foreground", 'f'),
        ("verbose", 'v'),
    ],
};

/// Runs `timeout`.
pub async fn timeout(context: CommandContext) -> i32 {
    let options = match args::parse_in_order(&context, SPEC, 125).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mut operands = options.operands.clone();
    if operands.len() < 2 {
        complain(
            &context,
            "missing operand\nTry 'timeout --help' for more information.",
        )
        .await;
        return 125;
    }
    let limit = operands.remove(0);
    let Some(limit) = duration(&limit) else {
        complain(
            &context,
            &format!("invalid time interval ‘{limit}’\nTry 'timeout --help' for more information."),
        )
        .await;
        return 125;
    };
    let signal = match options
        .value('s')
        .map(|name| name.to_ascii_uppercase())
        .as_deref()
    {
        Some("KILL" | "SIGKILL" | "9") => Signal::Kill,
        Some("INT" | "SIGINT" | "2") => Signal::Interrupt,
        _ => Signal::Terminate,
    };
    let name = operands.remove(0);
    let (stdin, stdout) = (context.stdin.clone(), context.stdout.clone());
    let Some(pid) = run_command::start(
        &context,
        &name,
        operands,
        context.environment.clone(),
        stdin,
        stdout,
    ) else {
        complain(
            &context,
            &format!("failed to run command ‘{name}’: No such file or directory"),
        )
        .await;
        return 127;
    };
    if limit.is_zero() {
        return context.process.wait(pid).await;
    }
    if let Either::Left(status) =
        select(context.process.wait(pid), context.process.sleep(limit)).await
    {
        return status;
    }
    context.process.kill(pid, signal);
    let status = match options.value('k').and_then(duration) {
        Some(grace) => {
            match select(context.process.wait(pid), context.process.sleep(grace)).await {
                Either::Left(status) => status,
                Either::Right(()) => {
                    context.process.kill(pid, Signal::Kill);
                    context.process.wait(pid).await
                }
            }
        }
        None => context.process.wait(pid).await,
    };
    if options.has('p') {
        status
    } else if signal == Signal::Kill {
        137
    } else {
        124
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        assert_eq!(duration("1.5"), Some(Duration::from_millis(1500)));
        assert_eq!(duration("2m"), Some(Duration::from_secs(120)));
        assert_eq!(duration(".25s"), Some(Duration::from_millis(250)));
        assert_eq!(duration("x"), None);
        assert_eq!(duration(""), None);
        assert_eq!(duration("-1"), None);
    }
}
