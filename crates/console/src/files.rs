//! The little file system as commands see it: a host's disk, and a few devices.

use playground_sim::{InputStream, OutputStream, Process, SpawnOptions, Stdio};
use thiserror::Error;

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A file with bytes.
    File,
    /// A directory.
    Directory,
    /// A device under `/dev`.
    Device,
}

/// Why a file cannot be opened, in the system's words.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum FileError {
    /// ENOENT.
    #[error("No such file or directory")]
    NotFound,
    /// EISDIR.
    #[error("Is a directory")]
    IsDirectory,
    /// ENOTDIR.
    #[error("Not a directory")]
    NotDirectory,
    /// EEXIST.
    #[error("File exists")]
    Exists,
    /// ENOTEMPTY.
    #[error("Directory not empty")]
    NotEmpty,
    /// EACCES.
    #[error("Permission denied")]
    Denied,
}

const DEVICES: &[&str] = &[
    "null", "zero", "stdin", "stdout", "stderr", "tty", "urandom", "random",
];

fn device(path: &str) -> Option<&str> {
    path.strip_prefix("/dev/")
        .filter(|name| DEVICES.contains(name))
}

/// What is at an absolute path, if anything.
pub fn kind(process: &Process, path: &str) -> Option<FileKind> {
    if device(path).is_some() {
        return Some(FileKind::Device);
    }
    if path == "/" || path == "/dev" {
        return Some(FileKind::Directory);
    }
    process.with_disk(|disk| {
        if disk.is_directory(path) {
            Some(FileKind::Directory)
        } else if disk.exists(path) {
            Some(FileKind::File)
        } else {
            None
        }
    })
}

/// Whether a path names a directory.
pub fn is_directory(process: &Process, path: &str) -> bool {
    kind(process, path) == Some(FileKind::Directory)
}

/// A file's length in bytes; 0 for what is no file.
pub fn length(process: &Process, path: &str) -> u64 {
    process.with_disk(|disk| disk.len(path)).unwrap_or(0)
}

/// The names in a directory, sorted by their bytes, as `ls` does in the C locale.
pub fn list(process: &Process, path: &str) -> Vec<String> {
    if path == "/dev" {
        let mut names: Vec<String> = DEVICES.iter().map(|name| (*name).to_owned()).collect();
        names.sort();
        return names;
    }
    let mut names = process.with_disk(|disk| disk.list(path));
    names.sort();
    names
}

/// The directory that holds a path.
pub fn parent(path: &str) -> &str {
    match path.trim_end_matches('/').rsplit_once('/') {
        None | Some(("", _)) => "/",
        Some((parent, _)) => parent,
    }
}

/// Why a missing path is missing: some part of it may be a file.
pub fn missing(process: &Process, path: &str) -> FileError {
    let mut prefix = parent(path);
    while prefix != "/" {
        if kind(process, prefix) == Some(FileKind::File) {
            return FileError::NotDirectory;
        }
        prefix = parent(prefix);
    }
    FileError::NotFound
}

/// Opens a path for reading. `stdin` stands for `/dev/stdin`.
pub fn open(process: &Process, path: &str, stdin: &InputStream) -> Result<InputStream, FileError> {
    match device(path) {
        Some("null" | "stdout" | "stderr") => return Ok(InputStream::null()),
        Some("stdin") => return Ok(stdin.clone()),
        Some("tty") => {
            let terminal = stdin
                .terminal_id()
                .or_else(|| process.stderr().terminal_id());
            return Ok(
                terminal.map_or_else(InputStream::null, |id| InputStream::terminal(process, id))
            );
        }
        Some("zero") => return Ok(endless(process, |_, block| block.fill(0))),
        Some(_) => {
            return Ok(endless(process, |process, block| {
                for chunk in block.chunks_mut(8) {
                    let random = process.random().to_le_bytes();
                    chunk.copy_from_slice(&random[..chunk.len()]);
                }
            }));
        }
        None => {}
    }
    match kind(process, path) {
        Some(FileKind::Directory) => Err(FileError::IsDirectory),
        Some(_) => Ok(InputStream::file(process, path)),
        None => Err(missing(process, path)),
    }
}

/// A stream that never ends, fed block by block through a pipe until its reader goes.
fn endless(process: &Process, fill: impl Fn(&Process, &mut [u8]) + 'static) -> InputStream {
    let (writer, reader) = OutputStream::pipe();
    let stdio = Stdio {
        stdin: InputStream::null(),
        stdout: OutputStream::null(),
        stderr: OutputStream::null(),
    };
    let options = SpawnOptions {
        host: process.host(),
        name: "device".to_owned(),
        stdio,
        group: None,
    };
    process.spawn(options, move |process| async move {
        let mut block = vec![0; 16 * 1024];
        loop {
            fill(&process, &mut block);
            if writer.write(&block).await.is_err() {
                return 0;
            }
            process.yield_now().await;
        }
    });
    reader
}

/// Checks that a path can be written to as a file.
pub fn check_writable(process: &Process, path: &str) -> Result<(), FileError> {
    match kind(process, path) {
        Some(FileKind::Directory) => Err(FileError::IsDirectory),
        Some(_) => Ok(()),
        None if path.starts_with("/dev/") => Err(FileError::Denied),
        None => match kind(process, parent(path)) {
            Some(FileKind::Directory) => Ok(()),
            Some(_) => Err(FileError::NotDirectory),
            None => Err(missing(process, path)),
        },
    }
}

/// Opens a path for writing; without `append` it is emptied. `stdio` stands for `/dev/stdout` and so on.
pub fn create(
    process: &Process,
    path: &str,
    append: bool,
    stdio: &Stdio,
) -> Result<OutputStream, FileError> {
    match device(path) {
        Some("stdout") => return Ok(stdio.stdout.clone()),
        Some("stderr") => return Ok(stdio.stderr.clone()),
        Some("tty") => {
            let terminal = stdio
                .stderr
                .terminal_id()
                .or_else(|| stdio.stdin.terminal_id());
            return Ok(
                terminal.map_or_else(OutputStream::null, |id| OutputStream::terminal(process, id))
            );
        }
        Some(_) => return Ok(OutputStream::null()),
        None => {}
    }
    check_writable(process, path)?;
    Ok(OutputStream::file(process, path, append))
}
