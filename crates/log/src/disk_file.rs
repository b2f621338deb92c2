//! One file's bytes, in chunks: an append never moves what is there, and the slack stays small.

use bytes::Bytes;

use crate::disk::joined;

/// The largest chunk, in bytes.
const CHUNK_BYTES_MAX: usize = 256 * 1024;
/// The smallest chunk, in bytes.
const CHUNK_BYTES_MIN: usize = 256;
/// A new chunk is at most this part of the file, so that its slack is too.
const CHUNK_PART_OF_FILE: u64 = 8;

/// A file: sealed chunks, and the last one that still grows within its capacity.
#[derive(Clone, Debug, Default)]
pub(crate) struct File {
    /// (position of the first byte, bytes), in order, without gaps.
    sealed: Vec<(u64, Bytes)>,
    tail: Vec<u8>,
    tail_position: u64,
    flushed: u64,
    /// Where the disk's pending changes hold an append to this file that may still grow: how often they
    /// were drained, and the index.
    pub(crate) open_append: Option<(u64, usize)>,
}

impl File {
    /// A file of these bytes, flushed.
    pub(crate) fn new(bytes: Bytes) -> File {
        let length = bytes.len() as u64;
        let sealed = if bytes.is_empty() {
            Vec::new()
        } else {
            vec![(0, bytes)]
        };
        File {
            sealed,
            tail: Vec::new(),
            tail_position: length,
            flushed: length,
            open_append: None,
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.tail_position + self.tail.len() as u64
    }

    pub(crate) fn flushed(&self) -> u64 {
        self.flushed
    }

    /// Whether there was something to flush.
    pub(crate) fn flush(&mut self) -> bool {
        let changed = self.flushed != self.len();
        self.flushed = self.len();
        changed
    }

    pub(crate) fn allocated(&self) -> u64 {
        let sealed: usize = self
            .sealed
            .iter()
            .map(|(_, bytes)| bytes.len() + size_of::<(u64, Bytes)>())
            .sum();
        (sealed + self.tail.capacity()) as u64
    }

    pub(crate) fn append(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let room = self.tail.capacity() - self.tail.len();
            if room == 0 {
                self.seal_tail();
                let part = usize::try_from(self.len() / CHUNK_PART_OF_FILE).unwrap_or(usize::MAX);
                let capacity = part
                    .max(bytes.len())
                    .clamp(CHUNK_BYTES_MIN, CHUNK_BYTES_MAX);
                self.tail = Vec::with_capacity(capacity);
                continue;
            }
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.tail.extend_from_slice(now);
            bytes = later;
        }
    }

    pub(crate) fn read(&self, position: u64, length: usize) -> Bytes {
        let available = usize::try_from(self.len().saturating_sub(position)).unwrap_or(usize::MAX);
        let length = length.min(available);
        if length == 0 {
            return Bytes::new();
        }
        let end = position + length as u64;
        if position >= self.tail_position {
            let start = (position - self.tail_position) as usize;
            return Bytes::copy_from_slice(&self.tail[start..start + length]);
        }
        let first = self.chunk_at(position);
        let (start, chunk) = &self.sealed[first];
        if end <= start + chunk.len() as u64 {
            // Shares the chunk: nothing is copied.
            let from = (position - start) as usize;
            return chunk.slice(from..from + length);
        }
        let sealed = self.sealed[first..]
            .iter()
            .take_while(|(start, _)| *start < end)
            .map(|(start, chunk)| {
                let from = position.saturating_sub(*start) as usize;
                let to = ((end - start) as usize).min(chunk.len());
                chunk.slice(from..to)
            });
        if end <= self.tail_position {
            return joined(sealed, length);
        }
        let tail = Bytes::copy_from_slice(&self.tail[..(end - self.tail_position) as usize]);
        joined(sealed.chain([tail]), length)
    }

    pub(crate) fn read_into(&self, position: u64, into: &mut [u8]) -> usize {
        let available = usize::try_from(self.len().saturating_sub(position)).unwrap_or(usize::MAX);
        let length = into.len().min(available);
        let mut filled = 0;
        while filled < length {
            let at = position + filled as u64;
            let chunk: &[u8] = if at >= self.tail_position {
                &self.tail[(at - self.tail_position) as usize..]
            } else {
                let (start, chunk) = &self.sealed[self.chunk_at(at)];
                &chunk[(at - start) as usize..]
            };
            let count = chunk.len().min(length - filled);
            into[filled..filled + count].copy_from_slice(&chunk[..count]);
            filled += count;
        }
        length
    }

    /// Cuts the file; `length` is below its length.
    pub(crate) fn truncate(&mut self, length: u64) {
        self.flushed = self.flushed.min(length);
        if length >= self.tail_position {
            self.tail.truncate((length - self.tail_position) as usize);
            return;
        }
        self.tail = Vec::new();
        while let Some((start, chunk)) = self.sealed.pop() {
            if start < length {
                let kept = ((length - start) as usize).min(chunk.len());
                // Copied, so that the cut bytes do not stay in memory behind a slice.
                let kept = if kept == chunk.len() {
                    chunk
                } else {
                    Bytes::copy_from_slice(&chunk[..kept])
                };
                self.sealed.push((start, kept));
                break;
            }
        }
        self.tail_position = length;
    }

    fn seal_tail(&mut self) {
        if !self.tail.is_empty() {
            let sealed = std::mem::take(&mut self.tail);
            let position = self.tail_position;
            self.tail_position += sealed.len() as u64;
            self.sealed.push((position, Bytes::from(sealed)));
        }
    }

    /// The sealed chunk that holds `position`, which lies below the tail.
    fn chunk_at(&self, position: u64) -> usize {
        self.sealed
            .partition_point(|(start, _)| *start <= position)
            .saturating_sub(1)
    }
}
