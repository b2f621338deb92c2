//! `echo`.

use crate::commands::CommandContext;

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let mut newline = true;
    let mut escapes = false;
    let mut args = context.args.as_slice();
    while let Some(option) = args.first().and_then(|arg| arg.strip_prefix('-')) {
        if option.is_empty()
            || !option
                .chars()
                .all(|letter| matches!(letter, 'n' | 'e' | 'E'))
        {
            break;
        }
        for letter in option.chars() {
            match letter {
                'n' => newline = false,
                'e' => escapes = true,
                _ => escapes = false,
            }
        }
        args = &args[1..];
    }
    let text = args.join(" ");
    let mut bytes = if escapes {
        let (bytes, stopped) = super::escapes::unescape(&text, true);
        newline &= !stopped;
        bytes
    } else {
        text.into_bytes()
    };
    if newline {
        bytes.push(b'\n');
    }
    if context.stdout.write(&bytes).await.is_ok() {
        0
    } else {
        141
    }
}
