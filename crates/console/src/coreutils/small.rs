//! Commands of a few lines: `yes`, `rev`, `tac`, `basename`, `dirname`, `env`, `hostname`, `whoami`, `clear`,
//! `realpath`, `true`, `false`, `ps`, `du`, `base64`.

use super::args::{self, Spec};
use super::run_command;
use super::text::{Lines, Output, chomp, complain, open, operands_or_stdin, read_all};
use crate::commands::CommandContext;
use crate::files::{self, FileKind};

/// Runs `true`.
pub async fn success(_context: CommandContext) -> i32 {
    0
}

/// Runs `false`.
pub async fn failure(_context: CommandContext) -> i32 {
    1
}

/// Runs `yes`. It prints 1 KiB a millisecond: even an unread `yes` leaves the clock running.
pub async fn yes(context: CommandContext) -> i32 {
    let text = if context.args.is_empty() {
        "y".to_owned()
    } else {
        context.args.join(" ")
    };
    let line = format!("{text}\n");
    let block = line.repeat((1024 / line.len()).max(1));
    loop {
        if context.stdout.write(block.as_bytes()).await.is_err() {
            return 141;
        }
        context
            .process
            .sleep(std::time::Duration::from_millis(1))
            .await;
    }
}

/// Runs `rev`.
pub async fn rev(context: CommandContext) -> i32 {
    let mut output = Output::new(&context);
    let mut status = 0;
    for operand in operands_or_stdin(&context.args) {
        let stream = match open(&context, &operand) {
            Ok(stream) => stream,
            Err(error) => {
                complain(&context, &format!("cannot open {operand}: {error}")).await;
                status = 1;
                continue;
            }
        };
        let mut lines = Lines::new(stream);
        while let Some(line) = lines.next(&mut output).await {
            let reversed: String = String::from_utf8_lossy(chomp(&line))
                .chars()
                .rev()
                .collect();
            output.text(&reversed);
            if line.ends_with(b"\n") {
                output.push(b"\n");
            }
        }
    }
    output.finish(status).await
}

/// Runs `tac`.
pub async fn tac(context: CommandContext) -> i32 {
    let mut output = Output::new(&context);
    let mut status = 0;
    for operand in operands_or_stdin(&context.args) {
        match read_all(&context, &operand).await {
            Ok(bytes) => {
                let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
                lines.iter().rev().for_each(|line| output.push(line));
            }
            Err(error) => {
                output.flush().await;
                complain(
                    &context,
                    &format!("failed to open '{operand}' for reading: {error}"),
                )
                .await;
                status = 1;
            }
        }
    }
    output.finish(status).await
}

/// Runs `basename`.
pub async fn basename(context: CommandContext) -> i32 {
    const SPEC: Spec = Spec {
        short: "as:z",
        long: &[("multiple", 'a'), ("suffix", 's')],
    };
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mut names = options.operands.clone();
    if names.is_empty() {
        complain(
            &context,
            "missing operand\nTry 'basename --help' for more information.",
        )
        .await;
        return 1;
    }
    let mut suffix = options.value('s').unwrap_or_default().to_owned();
    if !options.has('a') && !options.has('s') {
        if let Some(extra) = names.get(2) {
            complain(
                &context,
                &format!("extra operand ‘{extra}’\nTry 'basename --help' for more information."),
            )
            .await;
            return 1;
        }
        if names.len() == 2 {
            suffix = names.pop().unwrap_or_default();
        }
    }
    for name in names {
        let trimmed = name.trim_end_matches('/');
        let base = if trimmed.is_empty() && !name.is_empty() {
            "/"
        } else {
            trimmed.rsplit('/').next().unwrap_or("")
        };
        let base = match base.strip_suffix(suffix.as_str()) {
            Some(short) if !short.is_empty() => short,
            _ => base,
        };
        context.out(&format!("{base}\n")).await;
    }
    0
}

/// Runs `dirname`.
pub async fn dirname(context: CommandContext) -> i32 {
    if context.args.is_empty() {
        complain(
            &context,
            "missing operand\nTry 'dirname --help' for more information.",
        )
        .await;
        return 1;
    }
    for name in &context.args {
        let trimmed = name.trim_end_matches('/');
        let directory = match trimmed.rsplit_once('/') {
            _ if trimmed.is_empty() && !name.is_empty() => "/",
            None => ".",
            Some(("", _)) => "/",
            Some((directory, _)) => directory.trim_end_matches('/'),
        };
        context.out(&format!("{directory}\n")).await;
    }
    0
}

/// Runs `realpath` and `readlink -f`.
pub async fn realpath(context: CommandContext) -> i32 {
    for name in context.args.iter().filter(|arg| !arg.starts_with('-')) {
        context.out(&format!("{}\n", context.path(name))).await;
    }
    0
}

/// Runs `env` and `printenv`.
pub async fn env(context: CommandContext) -> i32 {
    let mut environment = context.environment.clone();
    let mut args = context.args.as_slice();
    if context.name == "printenv" {
        let mut status = 0;
        for name in args {
            match environment.get(name) {
                Some(value) => context.out(&format!("{value}\n")).await,
                None => status = 1,
            }
        }
        if !args.is_empty() {
            return status;
        }
    }
    while let Some((first, rest)) = args.split_first() {
        if first == "-i" || first == "-" {
            environment.clear();
        } else if first == "-u" {
            if let Some(name) = rest.first() {
                environment.remove(name);
            }
            args = rest.get(1..).unwrap_or_default();
            continue;
        } else if let Some((name, value)) = first.split_once('=') {
            environment.insert(name.to_owned(), value.to_owned());
        } else {
            break;
        }
        args = rest;
    }
    let Some((name, rest)) = args.split_first() else {
        let text: String = environment
            .iter()
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect();
        context.out(&text).await;
        return 0;
    };
    let started = run_command::start(
        &context,
        name,
        rest.to_vec(),
        environment,
        context.stdin.clone(),
        context.stdout.clone(),
    );
    match started {
        Some(pid) => context.process.wait(pid).await,
        None => {
            complain(&context, &format!("‘{name}’: No such file or directory")).await;
            127
        }
    }
}

/// Runs `hostname`.
pub async fn hostname(context: CommandContext) -> i32 {
    context
        .out(&format!("{}\n", context.process.hostname()))
        .await;
    0
}

/// Runs `whoami`.
pub async fn whoami(context: CommandContext) -> i32 {
    let user = context
        .environment
        .get("USER")
        .map_or("user", String::as_str);
    context.out(&format!("{user}\n")).await;
    0
}

/// Runs `uname`.
pub async fn uname(context: CommandContext) -> i32 {
    let host = context.process.hostname();
    let text = match context.args.first().map(String::as_str) {
        None | Some("-s") => "Linux".to_owned(),
        Some("-n") => host,
        Some("-r") => "6.1.0-playground".to_owned(),
        Some("-m") => "wasm32".to_owned(),
        Some(_) => format!("Linux {host} 6.1.0-playground #1 wasm32 GNU/Linux"),
    };
    context.out(&format!("{text}\n")).await;
    0
}

/// Runs `clear`.
pub async fn clear(context: CommandContext) -> i32 {
    context.out("\x1b[H\x1b[2J\x1b[3J").await;
    0
}

/// Runs `ps`.
pub async fn ps(context: CommandContext) -> i32 {
    let mut text = "    PID CMD\n".to_owned();
    let host = context.process.host();
    for process in context.process.processes() {
        if process.host == host && process.exit.is_none() {
            text.push_str(&format!("{:7} {}\n", process.pid.0, process.name));
        }
    }
    context.out(&text).await;
    0
}

/// Runs `du`.
pub async fn du(context: CommandContext) -> i32 {
    const SPEC: Spec = Spec {
        short: "hsakbcd:m",
        long: &[
            ("human-readable", 'h'),
            ("summarize", 's'),
            ("all", 'a'),
            ("bytes", 'b'),
            ("max-depth", 'd'),
        ],
    };
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let operands = if options.operands.is_empty() {
        vec![".".to_owned()]
    } else {
        options.operands.clone()
    };
    let mut output = Output::new(&context);
    let mut status = 0;
    for operand in operands {
        if files::kind(&context.process, &context.path(&operand)).is_none() {
            complain(
                &context,
                &format!("cannot access '{operand}': No such file or directory"),
            )
            .await;
            status = 1;
            continue;
        }
        let bytes = options.has('b');
        let cost = |size: u64| {
            if bytes {
                size
            } else {
                size.div_ceil(4096) * 4096
            }
        };
        // Directories in the order in which they are entered; sizes are summed from the last one back.
        let mut rows: Vec<(String, u64, bool, usize)> = Vec::new();
        let mut pending = vec![(operand.clone(), 0_usize)];
        while let Some((path, depth)) = pending.pop() {
            let absolute = context.path(&path);
            if files::is_directory(&context.process, &absolute) {
                rows.push((path.clone(), 4096, true, depth));
                for name in files::list(&context.process, &absolute) {
                    pending.push((format!("{}/{name}", path.trim_end_matches('/')), depth + 1));
                }
            } else {
                rows.push((
                    path,
                    cost(files::length(&context.process, &absolute)),
                    false,
                    depth,
                ));
            }
        }
        for index in (0..rows.len()).rev() {
            let (path, size) = (rows[index].0.clone(), rows[index].1);
            if let Some((parent, _)) = path.rsplit_once('/')
                && index > 0
                && let Some(row) = rows[..index].iter_mut().rev().find(|row| row.0 == parent)
            {
                row.1 += size;
            }
        }
        let depth_max = match options
            .value('d')
            .and_then(|text| text.parse::<usize>().ok())
        {
            _ if options.has('s') => 0,
            Some(depth) => depth,
            None => usize::MAX,
        };
        for (path, size, directory, depth) in rows.iter().rev() {
            if *depth > depth_max || !directory && *depth > 0 && !options.has('a') {
                continue;
            }
            let shown = if bytes {
                size.to_string()
            } else if options.has('h') {
                match size.div_ceil(1024) {
                    kib if kib < 1024 => format!("{kib}K"),
                    kib => format!("{}.{}M", kib / 1024, kib % 1024 * 10 / 1024),
                }
            } else {
                size.div_ceil(1024).to_string()
            };
            output.text(&format!("{shown}\t{path}\n"));
        }
    }
    output.finish(status).await
}

/// Runs `stat`: a name, a size, a kind.
pub async fn stat(context: CommandContext) -> i32 {
    let mut status = 0;
    let mut format = None;
    let mut args = context.args.iter();
    while let Some(arg) = args.next() {
        if arg == "-c" || arg == "--format" {
            format = args.next().cloned();
            continue;
        }
        let path = context.path(arg);
        let Some(kind) = files::kind(&context.process, &path) else {
            complain(
                &context,
                &format!("cannot statx '{arg}': No such file or directory"),
            )
            .await;
            status = 1;
            continue;
        };
        let size = if kind == FileKind::File {
            files::length(&context.process, &path)
        } else {
            4096
        };
        let kind = match kind {
            FileKind::File if size == 0 => "regular empty file",
            FileKind::File => "regular file",
            FileKind::Directory => "directory",
            FileKind::Device => "character special file",
        };
        let text = match &format {
            Some(format) => format
                .replace("%s", &size.to_string())
                .replace("%n", arg)
                .replace("%F", kind),
            None => format!("  File: {arg}\n  Size: {size}\t\t{kind}"),
        };
        context.out(&format!("{text}\n")).await;
    }
    status
}

/// Runs `base64`.
pub async fn base64(context: CommandContext) -> i32 {
    const SPEC: Spec = Spec {
        short: "dw:i",
        long: &[("decode", 'd'), ("wrap", 'w')],
    };
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let operand = options.operands.first().map_or("-", String::as_str);
    let bytes = match read_all(&context, operand).await {
        Ok(bytes) => bytes,
        Err(error) => {
            complain(&context, &format!("{operand}: {error}")).await;
            return 1;
        }
    };
    let mut output = Output::new(&context);
    if options.has('d') {
        let mut bits = 0_u32;
        let mut count = 0;
        for byte in bytes
            .iter()
            .filter(|byte| !byte.is_ascii_whitespace() && **byte != b'=')
        {
            let Some(value) = ALPHABET.iter().position(|known| known == byte) else {
                output.flush().await;
                complain(&context, "invalid input").await;
                return 1;
            };
            bits = bits << 6 | value as u32;
            count += 6;
            if count >= 8 {
                count -= 8;
                output.push(&[(bits >> count) as u8]);
            }
        }
        return output.finish(0).await;
    }
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let mut block = [0_u8; 3];
        block[..chunk.len()].copy_from_slice(chunk);
        let bits = u32::from(block[0]) << 16 | u32::from(block[1]) << 8 | u32::from(block[2]);
        for index in 0..4 {
            if index <= chunk.len() {
                text.push(char::from(
                    ALPHABET[(bits >> (18 - 6 * index) & 63) as usize],
                ));
            } else {
                text.push('=');
            }
        }
    }
    let width = options
        .value('w')
        .and_then(|text| text.parse::<usize>().ok())
        .unwrap_or(76);
    if width == 0 {
        output.text(&text);
    } else {
        for line in text.as_bytes().chunks(width) {
            output.push(line);
            output.push(b"\n");
        }
    }
    output.finish(0).await
}

/// Runs `hexdump -C` and `xxd`: offsets, bytes, text.
pub async fn hexdump(context: CommandContext) -> i32 {
    let xxd = context.name == "xxd";
    let operands: Vec<String> = context
        .args
        .iter()
        .filter(|arg| !arg.starts_with('-') || *arg == "-")
        .cloned()
        .collect();
    let operand = operands.first().map_or("-", String::as_str);
    let bytes = match read_all(&context, operand).await {
        Ok(bytes) => bytes,
        Err(error) => {
            complain(&context, &format!("{operand}: {error}")).await;
            return 1;
        }
    };
    let mut output = Output::new(&context);
    for (index, row) in bytes.chunks(16).enumerate() {
        let text: String = row
            .iter()
            .map(|byte| {
                if (32..127).contains(byte) {
                    char::from(*byte)
                } else {
                    '.'
                }
            })
            .collect();
        let mut hex = String::new();
        for at in 0..16 {
            if xxd {
                hex.push_str(
                    &row.get(at)
                        .map_or_else(|| "  ".to_owned(), |byte| format!("{byte:02x}")),
                );
                if at % 2 == 1 {
                    hex.push(' ');
                }
            } else {
                if at == 8 {
                    hex.push(' ');
                }
                hex.push_str(
                    &row.get(at)
                        .map_or_else(|| "   ".to_owned(), |byte| format!("{byte:02x} ")),
                );
            }
        }
        if xxd {
            output.text(&format!("{:08x}: {hex} {text}\n", index * 16));
        } else {
            output.text(&format!("{:08x}  {hex} |{text}|\n", index * 16));
        }
        if !output.settle().await {
            return 141;
        }
    }
    if !xxd && !bytes.is_empty() {
        output.text(&format!("{:08x}\n", bytes.len()));
    }
    output.finish(0).await
}
