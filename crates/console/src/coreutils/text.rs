//! Reading lines and writing text, buffered but never late: what is printed leaves before a read waits.

use playground_sim::{InputStream, OutputStream};

use crate::commands::CommandContext;
use crate::files::{self, FileError};

/// Bytes that are gathered before they are written.
const OUTPUT_BYTES_MAX: usize = 32 * 1024;

/// Text on its way to stdout.
pub struct Output {
    stream: OutputStream,
    buffer: Vec<u8>,
    /// Nobody reads any more.
    pub broken: bool,
}

impl Output {
    /// To the command's stdout.
    pub fn new(context: &CommandContext) -> Output {
        Output {
            stream: context.stdout.clone(),
            buffer: Vec::new(),
            broken: false,
        }
    }

    /// Adds bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// Adds text.
    pub fn text(&mut self, text: &str) {
        self.push(text.as_bytes());
    }

    /// Writes what is gathered if it is much. `false` when nobody reads any more.
    pub async fn settle(&mut self) -> bool {
        if self.buffer.len() >= OUTPUT_BYTES_MAX {
            self.flush().await
        } else {
            !self.broken
        }
    }

    /// Writes what is gathered. `false` when nobody reads any more.
    pub async fn flush(&mut self) -> bool {
        if !self.buffer.is_empty() && !self.broken {
            let bytes = std::mem::take(&mut self.buffer);
            self.broken = self.stream.write(&bytes).await.is_err();
        }
        !self.broken
    }

    /// Writes the rest; the status of a command that came to its end: 141 when SIGPIPE ended it.
    pub async fn finish(&mut self, status: i32) -> i32 {
        if self.flush().await { status } else { 141 }
    }
}

/// A stream cut into lines.
pub struct Lines {
    stream: InputStream,
    buffer: Vec<u8>,
    start: usize,
    delimiter: u8,
}

impl Lines {
    /// Lines of a stream.
    pub fn new(stream: InputStream) -> Lines {
        Lines {
            stream,
            buffer: Vec::new(),
            start: 0,
            delimiter: b'\n',
        }
    }

    /// Records that end at another byte.
    pub fn with_delimiter(stream: InputStream, delimiter: u8) -> Lines {
        Lines {
            delimiter,
            ..Lines::new(stream)
        }
    }

    /// The next line with its end (the last one may have none). What `output` has gathered is written
    /// before this waits; `None` also when nobody reads that any more.
    pub async fn next(&mut self, output: &mut Output) -> Option<Vec<u8>> {
        let mut searched = self.start;
        loop {
            if let Some(end) = memchr(self.delimiter, &self.buffer[searched..]) {
                let end = searched + end + 1;
                let line = self.buffer[self.start..end].to_vec();
                self.start = end;
                return output.settle().await.then_some(line);
            }
            self.buffer.drain(..self.start);
            self.start = 0;
            searched = self.buffer.len();
            if !output.flush().await {
                return None;
            }
            let mut more = self.stream.read(usize::MAX).await;
            if more.is_empty() {
                let line = std::mem::take(&mut self.buffer);
                return (!line.is_empty()).then_some(line);
            }
            self.buffer.append(&mut more);
        }
    }
}

fn memchr(byte: u8, bytes: &[u8]) -> Option<usize> {
    bytes.iter().position(|candidate| *candidate == byte)
}

/// A line without its `\n`.
pub fn chomp(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// Opens an operand for reading; `-` is stdin.
pub fn open(context: &CommandContext, operand: &str) -> Result<InputStream, FileError> {
    if operand == "-" {
        return Ok(context.stdin.clone());
    }
    if operand.is_empty() {
        return Err(FileError::NotFound);
    }
    files::open(&context.process, &context.path(operand), &context.stdin)
}

/// Reads an operand to its end.
pub async fn read_all(context: &CommandContext, operand: &str) -> Result<Vec<u8>, FileError> {
    Ok(open(context, operand)?.read_to_end().await)
}

/// The operands, or stdin when there are none.
pub fn operands_or_stdin(operands: &[String]) -> Vec<String> {
    if operands.is_empty() {
        vec!["-".to_owned()]
    } else {
        operands.to_vec()
    }
}

/// All lines of bytes, without their ends.
pub fn lines_of(bytes: &[u8]) -> Vec<&[u8]> {
    let mut lines: Vec<&[u8]> = bytes.split(|byte| *byte == b'\n').collect();
    if lines.last().is_some_and(|line| line.is_empty()) {
        lines.pop();
    }
    lines
}

/// Complains with the command's name before the text.
pub async fn complain(context: &CommandContext, text: &str) {
    context.err(&format!("{}: {text}\n", context.name)).await;
}
