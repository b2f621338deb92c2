//! `touch`, `mkdir`, `rmdir`, `rm`, `cp`, `mv`.

use super::args::{self, Spec};
use super::text::complain;
use crate::commands::CommandContext;
use crate::files::{self, FileError, FileKind};

/// The word that a copy or a move is spoken of with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Transfer {
    Copy,
    Move,
}

async fn missing_operand(context: &CommandContext, text: &str) -> i32 {
    complain(
        context,
        &format!(
            "{text}\nTry '{} --help' for more information.",
            context.name
        ),
    )
    .await;
    1
}

/// Runs `touch`.
pub async fn touch(context: CommandContext) -> i32 {
    const SPEC: Spec = Spec {
        short: "acmt:d:r:h",
        long: &[("no-create", 'c'), ("date", 'd'), ("reference", 'r')],
    };
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.operands.is_empty() {
        return missing_operand(&context, "missing file operand").await;
    }
    let mut status = 0;
    for operand in &options.operands {
        let path = context.path(operand);
        if files::kind(&context.process, &path).is_some() || options.has('c') {
            continue;
        }
        if operand.ends_with('/') {
            let error = FileError::NotFound;
            complain(&context, &format!("setting times of '{operand}': {error}")).await;
            status = 1;
            continue;
        }
        match files::check_writable(&context.process, &path) {
            Ok(()) => context.process.with_disk(|disk| disk.write(&path, b"")),
            Err(error) => {
                complain(&context, &format!("cannot touch '{operand}': {error}")).await;
                status = 1;
            }
        }
    }
    status
}

/// Runs `mkdir`.
pub async fn mkdir(context: CommandContext) -> i32 {
    const SPEC: Spec = Spec {
        short: "pvm:",
        long: &[("parents", 'p'), ("verbose", 'v'), ("mode", 'm')],
    };
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.operands.is_empty() {
        return missing_operand(&context, "missing operand").await;
    }
    let mut status = 0;
    for operand in &options.operands {
        let path = context.path(operand);
        let parents = options.has('p');
        let error = match files::kind(&context.process, &path) {
            Some(FileKind::Directory) if parents => continue,
            Some(_) => Some(FileError::Exists),
            None => match files::missing(&context.process, &path) {
                FileError::NotFound if parents => None,
                FileError::NotFound
                    if files::is_directory(&context.process, files::parent(&path)) =>
                {
                    None
                }
                error => Some(error),
            },
        };
        match error {
            Some(error) => {
                complain(
                    &context,
                    &format!("cannot create directory ‘{operand}’: {error}"),
                )
                .await;
                status = 1;
            }
            None => {
                context
                    .process
                    .with_disk(|disk| disk.create_directory(&path));
                if options.has('v') {
                    context
                        .out(&format!("mkdir: created directory '{operand}'\n"))
                        .await;
                }
            }
        }
    }
    status
}

/// Runs `rmdir`.
pub async fn rmdir(context: CommandContext) -> i32 {
    const SPEC: Spec = Spec {
        short: "pv",
        long: &[("parents", 'p'), ("verbose", 'v')],
    };
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.operands.is_empty() {
        return missing_operand(&context, "missing operand").await;
    }
    let mut status = 0;
    for operand in &options.operands {
        let path = context.path(operand);
        let error = match files::kind(&context.process, &path) {
            None => Some(files::missing(&context.process, &path)),
            Some(FileKind::Directory) if files::list(&context.process, &path).is_empty() => None,
            Some(FileKind::Directory) => Some(FileError::NotEmpty),
            Some(_) => Some(FileError::NotDirectory),
        };
        match error {
            None => {
                if options.has('v') {
                    context
                        .out(&format!("rmdir: removing directory, '{operand}'\n"))
                        .await;
                }
                context.process.with_disk(|disk| disk.delete(&path));
            }
            Some(error) => {
                complain(&context, &format!("failed to remove '{operand}': {error}")).await;
                status = 1;
            }
        }
    }
    status
}

/// Runs `rm`.
pub async fn rm(context: CommandContext) -> i32 {
    const SPEC: Spec = Spec {
        short: "rRfivdI",
        long: &[
            ("recursive", 'r'),
            ("force", 'f'),
            ("verbose", 'v'),
            ("dir", 'd'),
        ],
    };
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    if options.operands.is_empty() && !options.has('f') {
        return missing_operand(&context, "missing operand").await;
    }
    let mut status = 0;
    for operand in &options.operands {
        let path = context.path(operand);
        let last = operand
            .trim_end_matches('/')
            .rsplit('/')
            .next()
            .unwrap_or_default();
        if matches!(last, "." | "..") {
            complain(
                &context,
                &format!("refusing to remove '.' or '..' directory: skipping '{operand}'"),
            )
            .await;
            status = 1;
            continue;
        }
        let recursive = options.has('r') || options.has('R');
        let error = match files::kind(&context.process, &path) {
            None if options.has('f') => continue,
            None => Some(files::missing(&context.process, &path).to_string()),
            Some(FileKind::Directory) if path == "/" => {
                Some("it is dangerous to operate recursively on '/'".to_owned())
            }
            Some(FileKind::Directory) if recursive => None,
            Some(FileKind::Directory)
                if options.has('d') && files::list(&context.process, &path).is_empty() =>
            {
                None
            }
            Some(FileKind::Directory) => Some("Is a directory".to_owned()),
            Some(FileKind::Device) => Some("Operation not permitted".to_owned()),
            Some(FileKind::File) => None,
        };
        match error {
            Some(error) => {
                complain(&context, &format!("cannot remove '{operand}': {error}")).await;
                status = 1;
            }
            None => {
                let directory = files::is_directory(&context.process, &path);
                context.process.with_disk(|disk| disk.delete(&path));
                if options.has('v') {
                    let text = if directory {
                        format!("removed directory '{operand}'\n")
                    } else {
                        format!("removed '{operand}'\n")
                    };
                    context.out(&text).await;
                }
            }
        }
    }
    status
}

/// Runs `cp`.
pub async fn cp(context: CommandContext) -> i32 {
    transfer(context, Transfer::Copy).await
}

/// Runs `mv`.
pub async fn mv(context: CommandContext) -> i32 {
    transfer(context, Transfer::Move).await
}

async fn transfer(context: CommandContext, transfer: Transfer) -> i32 {
    const SPEC: Spec = Spec {
        short: "rRafinvput:T",
        long: &[
            ("recursive", 'r'),
            ("archive", 'a'),
            ("force", 'f'),
            ("interactive", 'i'),
            ("no-clobber", 'n'),
            ("verbose", 'v'),
            ("target-directory", 't'),
        ],
    };
    let options = match args::parse(&context, SPEC, 1).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let mut sources = options.operands.clone();
    let target = match options.value('t') {
        Some(target) => Some(target.to_owned()),
        None if sources.len() > 1 => sources.pop(),
        None => None,
    };
    let Some(target) = target else {
        let text = match sources.first() {
            Some(source) => format!("missing destination file operand after '{source}'"),
            None => "missing file operand".to_owned(),
        };
        return missing_operand(&context, &text).await;
    };
    let process = &context.process;
    let target_path = context.path(&target);
    let into = files::is_directory(process, &target_path);
    if sources.len() > 1 && !into {
        complain(
            &context,
            &format!(
                "target '{target}': {}",
                if files::kind(process, &target_path).is_some() {
                    FileError::NotDirectory
                } else {
                    FileError::NotFound
                }
            ),
        )
        .await;
        return 1;
    }
    let mut status = 0;
    for source in &sources {
        let from = context.path(source);
        let name = from.rsplit('/').next().unwrap_or_default();
        let (to, shown) = if into {
            (
                format!("{}/{name}", target_path.trim_end_matches('/')),
                format!("{}/{name}", target.trim_end_matches('/')),
            )
        } else {
            (target_path.clone(), target.clone())
        };
        let kind = files::kind(process, &from);
        let error = match kind {
            None => Some(format!(
                "cannot stat '{source}': {}",
                files::missing(process, &from)
            )),
            Some(_) if from == to => Some(format!("'{source}' and '{shown}' are the same file")),
            Some(FileKind::Directory)
                if transfer == Transfer::Copy
                    && !options.has('r')
                    && !options.has('R')
                    && !options.has('a') =>
            {
                Some(format!("-r not specified; omitting directory '{source}'"))
            }
            Some(FileKind::Directory) if format!("{to}/").starts_with(&format!("{from}/")) => {
                Some(match transfer {
                    Transfer::Copy => {
                        format!("cannot copy a directory, '{source}', into itself, '{shown}'")
                    }
                    Transfer::Move => {
                        format!("cannot move '{source}' to a subdirectory of itself, '{shown}'")
                    }
                })
            }
            Some(FileKind::Directory) if files::kind(process, &to) == Some(FileKind::File) => Some(
                format!("cannot overwrite non-directory '{shown}' with directory '{source}'"),
            ),
            Some(FileKind::Directory) => match files::is_directory(process, files::parent(&to)) {
                true => None,
                false => Some(format!(
                    "cannot create directory '{shown}': {}",
                    FileError::NotFound
                )),
            },
            Some(_) if files::is_directory(process, &to) => Some(format!(
                "cannot overwrite directory '{shown}' with non-directory"
            )),
            Some(_) => files::check_writable(process, &to)
                .err()
                .map(|error| match transfer {
                    Transfer::Copy => format!("cannot create regular file '{shown}': {error}"),
                    Transfer::Move => format!("cannot move '{source}' to '{shown}': {error}"),
                }),
        };
        if let Some(error) = error {
            complain(&context, &error).await;
            status = 1;
            continue;
        }
        if options.has('n') && files::kind(process, &to).is_some() {
            continue;
        }
        if to.starts_with("/dev/") {
            continue;
        }
        match transfer {
            Transfer::Move => process.with_disk(|disk| {
                if disk.exists(&to) {
                    disk.delete(&to);
                }
                disk.rename(&from, &to);
            }),
            Transfer::Copy => copy(&context, &from, &to).await,
        }
        if options.has('v') {
            let verb = if transfer == Transfer::Move {
                "renamed "
            } else {
                ""
            };
            context
                .out(&format!("{verb}'{source}' -> '{shown}'\n"))
                .await;
        }
    }
    status
}

async fn copy(context: &CommandContext, from: &str, to: &str) {
    let mut pending = vec![(from.to_owned(), to.to_owned())];
    while let Some((from, to)) = pending.pop() {
        match files::kind(&context.process, &from) {
            Some(FileKind::Directory) => {
                context.process.with_disk(|disk| disk.create_directory(&to));
                for name in files::list(&context.process, &from) {
                    pending.push((format!("{from}/{name}"), format!("{to}/{name}")));
                }
            }
            Some(FileKind::File) => context.process.with_disk(|disk| {
                let bytes = disk.read_all(&from).unwrap_or_default();
                disk.write(&to, &bytes);
            }),
            _ => {
                if let Ok(stream) = super::text::open(context, &from) {
                    let bytes = stream.read_to_end().await;
                    context.process.with_disk(|disk| disk.write(&to, &bytes));
                }
            }
        }
    }
}

/// Runs `chmod`: there are no permissions here, but the files must exist.
pub async fn chmod(context: CommandContext) -> i32 {
    let mut status = 0;
    let operands = context.args.iter().filter(|arg| !arg.starts_with("-R"));
    for operand in operands.skip(1) {
        if files::kind(&context.process, &context.path(operand)).is_none() {
            let error = FileError::NotFound;
            complain(&context, &format!("cannot access '{operand}': {error}")).await;
            status = 1;
        }
    }
    status
}
