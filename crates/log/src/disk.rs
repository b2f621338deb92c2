//! One host's virtual disk: a plain value, held in memory, whose changes the host of the simulation
//! may persist.
//!
//! Drive it with the methods that change it; after each step take [`Disk::drain_changes`] and persist
//! them in order. To load a disk, give the kept changes to [`Disk::apply`] in the same order.
//!
//! Appended bytes are page cache until [`Disk::flush`]: [`Disk::power_cut`] drops them. Everything else
//! (creating, replacing, truncating, renaming, deleting) is durable at once, as on a journaling file
//! system whose directories Kafka syncs.

use std::collections::BTreeMap;
use std::ops::Bound;

use bytes::{Bytes, BytesMut};

use crate::disk_file::File;

/// A change that the host must persist, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskChange {
    /// A directory, and those above it, exist.
    CreateDirectory {
        /// Absolute path.
        path: String,
    },
    /// Bytes at the end of a file, which the change creates if it is not there.
    Append {
        /// Absolute path.
        path: String,
        /// The file's length before.
        position: u64,
        /// What is added.
        bytes: Bytes,
    },
    /// The whole content of a file, new or replaced atomically.
    Write {
        /// Absolute path.
        path: String,
        /// The content.
        bytes: Bytes,
    },
    /// A file is cut.
    Truncate {
        /// Absolute path.
        path: String,
        /// The length that remains.
        length: u64,
    },
    /// A file or a whole tree is gone.
    Delete {
        /// Absolute path.
        path: String,
    },
    /// A file or a whole tree has another name; what had that name is gone.
    Rename {
        /// Absolute path before.
        from: String,
        /// Absolute path after.
        to: String,
    },
    /// All bytes of the file up to here survive a power cut (`fsync`).
    Flush {
        /// Absolute path.
        path: String,
    },
}

/// What a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Directory,
    File(u64),
}

/// A change not yet drained. Appends keep only their range: the bytes stand in the file.
#[derive(Clone, Debug)]
enum Pending {
    Append {
        path: String,
        inode: u64,
        from: u64,
        to: u64,
    },
    Other(DiskChange),
    /// An append whose bytes are gone, so that nothing needs to be kept.
    Nothing,
}

/// One host's disk. Paths are absolute, `/`-separated, without `.` or `..`.
#[derive(Clone, Debug, Default)]
pub struct Disk {
    entries: BTreeMap<String, Entry>,
    files: BTreeMap<u64, File>,
    next_inode: u64,
    pending: Vec<Pending>,
    /// How often changes were drained; an index into `pending` holds between two drains.
    drains: u64,
    /// Changes that were asked for since the disk was made.
    operations: u64,
    /// See [`Disk::fail_after`].
    operations_max: Option<u64>,
    /// See [`Disk::set_capacity`].
    bytes_max: Option<u64>,
    failure: Option<DiskFailure>,
}

/// Why a disk refuses to be changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskFailure {
    /// `No space left on device`.
    Full,
    /// The machine lost its power in the middle of what it did.
    Dead,
}

impl Disk {
    /// An empty disk; only `/` is there.
    pub fn new() -> Disk {
        Disk::default()
    }

    /// Appends to a file, creating it and the directories above it.
    pub fn append(&mut self, path: &str, bytes: &[u8]) {
        self.append_parts(path, &[bytes]);
    }

    /// Appends several slices, one after the other, as one change.
    pub fn append_parts(&mut self, path: &str, parts: &[&[u8]]) {
        if !self.admit(parts.iter().map(|part| part.len()).sum()) {
            return;
        }
        let path = trimmed(path);
        let (inode, created) = self.file_for_append(path);
        let Some(file) = self.files.get_mut(&inode) else {
            return;
        };
        let from = file.len();
        for part in parts {
            file.append(part);
        }
        let to = file.len();
        if to == from && !created {
            return;
        }
        // One change for all that is appended to a file between two drains, as long as nothing else
        // happens to it. Bytes may so reach the host before changes to other files that came first.
        if let Some((drains, index)) = file.open_append
            && drains == self.drains
            && let Some(Pending::Append { to: open_to, .. }) = self.pending.get_mut(index)
        {
            *open_to = to;
            return;
        }
        file.open_append = Some((self.drains, self.pending.len()));
        self.pending.push(Pending::Append {
            path: path.to_owned(),
            inode,
            from,
            to,
        });
    }

    /// Creates a file with this content, or replaces it whole and atomically. Durable at once.
    pub fn write(&mut self, path: &str, bytes: &[u8]) {
        self.write_bytes(path, Bytes::copy_from_slice(bytes));
    }

    /// [`Disk::write`] of bytes that are kept as they are, without a copy.
    pub fn write_bytes(&mut self, path: &str, bytes: Bytes) {
        if !self.admit(bytes.len()) {
            return;
        }
        let path = trimmed(path);
        self.replace(path, bytes.clone());
        self.pending.push(Pending::Other(DiskChange::Write {
            path: path.to_owned(),
            bytes,
        }));
    }

    /// Up to `length` bytes from `position`, clipped at the file's end. `None` if there is no such file.
    pub fn read(&self, path: &str, position: u64, length: usize) -> Option<Bytes> {
        Some(self.file(path)?.read(position, length))
    }

    /// The whole content. `None` if there is no such file.
    pub fn read_all(&self, path: &str) -> Option<Bytes> {
        let file = self.file(path)?;
        Some(file.read(0, usize::try_from(file.len()).unwrap_or(usize::MAX)))
    }

    /// Fills `into` from `position`; returns how many bytes there were (0 too if there is no such file).
    pub fn read_into(&self, path: &str, position: u64, into: &mut [u8]) -> usize {
        self.file(path)
            .map_or(0, |file| file.read_into(position, into))
    }

    /// A file's length in bytes. `None` if there is no such file.
    pub fn len(&self, path: &str) -> Option<u64> {
        Some(self.file(path)?.len())
    }

    /// No file and no directory but `/` is there.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// A file or a directory is there.
    pub fn exists(&self, path: &str) -> bool {
        let path = trimmed(path);
        path.is_empty() || self.entries.contains_key(path)
    }

    /// A directory is there.
    pub fn is_directory(&self, path: &str) -> bool {
        let path = trimmed(path);
        path.is_empty() || self.entries.get(path) == Some(&Entry::Directory)
    }

    /// Creates a directory and those above it. Nothing happens where a file stands.
    pub fn create_directory(&mut self, path: &str) {
        if !self.admit(0) {
            return;
        }
        let path = trimmed(path);
        if path.is_empty() || self.entries.contains_key(path) {
            return;
        }
        self.make_directories(path);
        self.pending
            .push(Pending::Other(DiskChange::CreateDirectory {
                path: path.to_owned(),
            }));
    }

    /// The names directly inside a directory, sorted; empty if it is not one.
    pub fn list(&self, directory: &str) -> Vec<String> {
        let prefix = format!("{}/", trimmed(directory));
        self.entries
            .range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
            .map_while(|(path, _)| path.strip_prefix(&prefix))
            .filter(|name| !name.contains('/'))
            .map(str::to_owned)
            .collect()
    }

    /// Cuts a file to `length` bytes; nothing happens if it is shorter.
    pub fn truncate(&mut self, path: &str, length: u64) {
        if !self.admit(0) {
            return;
        }
        let path = trimmed(path);
        let Some(&Entry::File(inode)) = self.entries.get(path) else {
            return;
        };
        let Some(file) = self.files.get_mut(&inode) else {
            return;
        };
        if length >= file.len() {
            return;
        }
        file.truncate(length);
        file.open_append = None;
        // The bytes are gone, so the changes that would carry them shrink: as if never written.
        for change in &mut self.pending {
            if let Pending::Append {
                inode: of,
                from,
                to,
                ..
            } = change
                && *of == inode
            {
                *to = (*to).min(length).max(*from);
            }
        }
        self.pending.push(Pending::Other(DiskChange::Truncate {
            path: path.to_owned(),
            length,
        }));
    }

    /// Deletes a file or a whole tree; nothing happens if there is none.
    pub fn delete(&mut self, path: &str) {
        if !self.admit(0) {
            return;
        }
        let path = trimmed(path);
        if self.remove(path) {
            self.pending.push(Pending::Other(DiskChange::Delete {
                path: path.to_owned(),
            }));
        }
    }

    /// Renames a file or a tree, replacing what stands at `to`; nothing happens if `from` is not there.
    pub fn rename(&mut self, from: &str, to: &str) {
        if !self.admit(0) {
            return;
        }
        let (from, to) = (trimmed(from), trimmed(to));
        if self.move_entries(from, to) {
            self.pending.push(Pending::Other(DiskChange::Rename {
                from: from.to_owned(),
                to: to.to_owned(),
            }));
        }
    }

    /// Makes a file's bytes survive a power cut.
    pub fn flush(&mut self, path: &str) {
        if !self.admit(0) {
            return;
        }
        let path = trimmed(path);
        let Some(&Entry::File(inode)) = self.entries.get(path) else {
            return;
        };
        let Some(file) = self.files.get_mut(&inode) else {
            return;
        };
        file.open_append = None;
        if file.flush() {
            self.pending.push(Pending::Other(DiskChange::Flush {
                path: path.to_owned(),
            }));
        }
    }

    /// Changes asked for so far (appends, writes, truncations, deletions, renames, flushes).
    pub fn operations(&self) -> u64 {
        self.operations
    }

    /// Lets `operations` more changes happen and refuses all after them, as if the power went then;
    /// `None` lifts that.
    pub fn fail_after(&mut self, operations: Option<u64>) {
        self.operations_max = operations.map(|more| self.operations.saturating_add(more));
        self.failure = None;
    }

    /// Lets the files hold this many bytes at most; `None` lifts that.
    pub fn set_capacity(&mut self, bytes: Option<u64>) {
        self.bytes_max = bytes;
        self.failure = None;
    }

    /// Why a change was refused, if one was since [`Disk::fail_after`] or [`Disk::set_capacity`].
    pub fn failure(&self) -> Option<DiskFailure> {
        self.failure
    }

    /// Flips one bit of a file, as a failing medium does: nobody is told. `false` if there is no such bit.
    pub fn flip_bit(&mut self, path: &str, bit: u64) -> bool {
        let Some(bytes) = self.read_all(path) else {
            return false;
        };
        let mut bytes = bytes.to_vec();
        let Some(byte) = usize::try_from(bit / 8)
            .ok()
            .and_then(|index| bytes.get_mut(index))
        else {
            return false;
        };
        *byte ^= 1 << (bit % 8);
        self.write_bytes(path, Bytes::from(bytes));
        true
    }

    fn admit(&mut self, bytes: usize) -> bool {
        self.operations += 1;
        if self.operations_max.is_some_and(|max| self.operations > max) {
            self.failure = Some(DiskFailure::Dead);
        } else if bytes > 0
            && self
                .bytes_max
                .is_some_and(|max| self.held_bytes() + bytes as u64 > max)
        {
            self.failure = Some(DiskFailure::Full);
        } else {
            return self.failure != Some(DiskFailure::Dead);
        }
        false
    }

    /// Drops all that was never flushed.
    pub fn power_cut(&mut self) {
        self.power_cut_keeping(|_, _| 0);
    }

    /// A power cut that tears writes: of each file's unflushed bytes (path, count) the first
    /// `keep(path, count)` reached the platter.
    pub fn power_cut_keeping(&mut self, mut keep: impl FnMut(&str, u64) -> u64) {
        self.operations_max = None;
        self.failure = None;
        let cuts: Vec<(String, u64)> = self
            .entries
            .iter()
            .filter_map(|(path, entry)| {
                let Entry::File(inode) = entry else {
                    return None;
                };
                let file = self.files.get(inode)?;
                let unflushed = file.len() - file.flushed();
                (unflushed > 0).then(|| {
                    (
                        path.clone(),
                        file.flushed() + keep(path, unflushed).min(unflushed),
                    )
                })
            })
            .collect();
        for (path, length) in cuts {
            self.truncate(&path, length);
            self.flush(&path);
        }
    }

    /// What changed since the last call, in order; what was appended to one file as one change.
    pub fn drain_changes(&mut self) -> Vec<DiskChange> {
        self.drains += 1;
        let pending = std::mem::take(&mut self.pending);
        pending
            .into_iter()
            .filter_map(|change| match change {
                Pending::Nothing => None,
                Pending::Other(change) => Some(change),
                Pending::Append {
                    path,
                    inode,
                    from,
                    to,
                } => {
                    let bytes = self.files.get(&inode).map_or_else(Bytes::new, |file| {
                        file.read(from, usize::try_from(to - from).unwrap_or(usize::MAX))
                    });
                    Some(DiskChange::Append {
                        path,
                        position: from,
                        bytes,
                    })
                }
            })
            .collect()
    }

    /// Something waits to be drained.
    pub fn has_changes(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Replays a kept change, as when the disk is loaded; it is not reported again.
    ///
    /// An append that does not stand at the file's end (its forerunner was lost) is cut to fit, or left out.
    pub fn apply(&mut self, change: DiskChange) {
        let held = std::mem::take(&mut self.pending);
        self.drains += 1;
        match change {
            DiskChange::CreateDirectory { path } => self.create_directory(&path),
            DiskChange::Append {
                path,
                position,
                bytes,
            } => {
                let length = self.len(&path).unwrap_or(0);
                if let Some(overlap) = length.checked_sub(position) {
                    let overlap = usize::try_from(overlap)
                        .unwrap_or(usize::MAX)
                        .min(bytes.len());
                    self.append(&path, &bytes[overlap..]);
                }
            }
            DiskChange::Write { path, bytes } => self.write_bytes(&path, bytes),
            DiskChange::Truncate { path, length } => self.truncate(&path, length),
            DiskChange::Delete { path } => self.delete(&path),
            DiskChange::Rename { from, to } => self.rename(&from, &to),
            DiskChange::Flush { path } => self.flush(&path),
        }
        self.pending = held;
        self.drains += 1;
    }

    /// The whole disk as changes that rebuild it on an empty one (a snapshot, for the host to keep).
    pub fn snapshot(&self) -> Vec<DiskChange> {
        self.entries
            .iter()
            .filter_map(|(path, entry)| match entry {
                Entry::Directory => Some(DiskChange::CreateDirectory { path: path.clone() }),
                Entry::File(inode) => {
                    let file = self.files.get(inode)?;
                    let bytes = file.read(0, usize::try_from(file.len()).unwrap_or(usize::MAX));
                    Some(DiskChange::Write {
                        path: path.clone(),
                        bytes,
                    })
                }
            })
            .collect()
    }

    /// The sum of all files' lengths, in bytes.
    pub fn held_bytes(&self) -> u64 {
        self.files.values().map(File::len).sum()
    }

    /// The memory that the files' bytes take, in bytes.
    pub fn allocated_bytes(&self) -> u64 {
        self.files.values().map(File::allocated).sum()
    }

    fn file(&self, path: &str) -> Option<&File> {
        match self.entries.get(trimmed(path))? {
            Entry::File(inode) => self.files.get(inode),
            Entry::Directory => None,
        }
    }

    /// The file at `path`, created if need be, and whether it was. A directory there is replaced: no
    /// caller appends to one, and a disk has no way to refuse.
    fn file_for_append(&mut self, path: &str) -> (u64, bool) {
        match self.entries.get(path) {
            Some(Entry::File(inode)) => (*inode, false),
            _ => (self.replace(path, Bytes::new()), true),
        }
    }

    fn replace(&mut self, path: &str, bytes: Bytes) -> u64 {
        match self.entries.get(path) {
            Some(_) => {
                self.remove(path);
            }
            None => {
                if let Some((parent, _)) = path.rsplit_once('/') {
                    self.make_directories(parent);
                }
            }
        }
        let inode = self.next_inode;
        self.next_inode += 1;
        self.entries.insert(path.to_owned(), Entry::File(inode));
        self.files.insert(inode, File::new(bytes));
        inode
    }

    fn make_directories(&mut self, path: &str) {
        let mut missing = path;
        while !missing.is_empty() && !self.entries.contains_key(missing) {
            self.entries.insert(missing.to_owned(), Entry::Directory);
            missing = missing.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
    }

    /// The paths of `path` itself and of all that is inside it.
    fn tree(&self, path: &str) -> Vec<String> {
        let prefix = format!("{path}/");
        let inside = self
            .entries
            .range::<str, _>((Bound::Included(prefix.as_str()), Bound::Unbounded))
            .map(|(path, _)| path)
            .take_while(|inside| inside.starts_with(&prefix));
        self.entries
            .get_key_value(path)
            .map(|(path, _)| path)
            .into_iter()
            .chain(inside)
            .cloned()
            .collect()
    }

    fn remove(&mut self, path: &str) -> bool {
        let gone = self.tree(path);
        for path in &gone {
            if let Some(Entry::File(inode)) = self.entries.remove(path) {
                self.files.remove(&inode);
                // Bytes that no longer exist cannot be persisted, and need not be.
                for change in &mut self.pending {
                    if matches!(change, Pending::Append { inode: of, .. } if *of == inode) {
                        *change = Pending::Nothing;
                    }
                }
            }
        }
        !gone.is_empty()
    }

    fn move_entries(&mut self, from: &str, to: &str) -> bool {
        if from == to || !self.entries.contains_key(from) || to.starts_with(&format!("{from}/")) {
            return false;
        }
        self.remove(to);
        if let Some((parent, _)) = to.rsplit_once('/') {
            self.make_directories(parent);
        }
        for path in self.tree(from) {
            if let (Some(entry), Some(rest)) = (self.entries.remove(&path), path.strip_prefix(from))
            {
                self.entries.insert(format!("{to}{rest}"), entry);
            }
        }
        true
    }
}

/// A path without the slash at its end; `/` is the empty string.
fn trimmed(path: &str) -> &str {
    path.trim_end_matches('/')
}

/// Copies `bytes` into one buffer; what [`Disk`] hands out when a range spans chunks.
pub(crate) fn joined(parts: impl Iterator<Item = Bytes>, capacity: usize) -> Bytes {
    let mut joined = BytesMut::with_capacity(capacity);
    for part in parts {
        joined.extend_from_slice(&part);
    }
    joined.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replayed(changes: Vec<DiskChange>) -> Disk {
        let mut disk = Disk::new();
        changes.into_iter().for_each(|change| disk.apply(change));
        disk
    }

    #[test]
    fn appends_read_back_across_chunks_and_memory_stays_close() {
        let mut disk = Disk::new();
        let mut expected = Vec::new();
        for step in 0..3000_u32 {
            let piece: Vec<u8> = (0..997)
                .map(|byte| (byte as u32 * 31 + step) as u8)
                .collect();
            disk.append("/d/log", &piece);
            expected.extend_from_slice(&piece);
        }
        assert_eq!(disk.read_all("/d/log").unwrap(), expected);
        for position in [0, 1, 511, 65_535, 65_536, 1_000_000, expected.len() - 3] {
            let end = (position + 70_000).min(expected.len());
            assert_eq!(
                disk.read("/d/log", position as u64, 70_000).unwrap(),
                expected[position..end]
            );
        }
        assert_eq!(disk.read("/d/log", 1 << 40, 10).unwrap().len(), 0);
        assert!(disk.allocated_bytes() as f64 <= disk.held_bytes() as f64 * 1.2);
        let changes = disk.drain_changes();
        assert_eq!(changes.len(), 1, "appends are one change");
        assert_eq!(replayed(changes).read_all("/d/log").unwrap(), expected);
    }

    #[test]
    fn changes_rebuild_the_disk_whatever_happened_in_between() {
        let mut disk = Disk::new();
        disk.append("/a/one", b"hello");
        disk.append("/a/two", b"world");
        disk.append("/a/one", b" again");
        disk.truncate("/a/one", 3);
        disk.append("/a/one", b"p!");
        disk.rename("/a", "/b");
        disk.append("/b/two", b"s");
        disk.write("/b/three", b"3");
        disk.append("/b/three", b"33");
        disk.append("/gone/file", b"x");
        disk.delete("/gone");
        disk.create_directory("/empty/inside");
        let rebuilt = replayed(disk.drain_changes());
        for path in ["/b/one", "/b/two", "/b/three"] {
            assert_eq!(rebuilt.read_all(path), disk.read_all(path), "{path}");
        }
        assert_eq!(rebuilt.read_all("/b/one").unwrap(), b"help!"[..]);
        assert_eq!(rebuilt.read_all("/b/two").unwrap(), b"worlds"[..]);
        assert_eq!(rebuilt.list("/"), ["b", "empty"]);
        assert_eq!(rebuilt.list("/b"), ["one", "three", "two"]);
        assert!(
            rebuilt.is_directory("/empty/inside")
                && !rebuilt.exists("/a")
                && !rebuilt.exists("/gone")
        );
        assert_eq!(replayed(disk.snapshot()).list("/b"), disk.list("/b"));
    }

    #[test]
    fn a_flush_covers_what_came_before_it_only() {
        let mut disk = Disk::new();
        disk.append("/log", b"one ");
        disk.append("/index", b"1");
        disk.append("/log", b"two ");
        disk.flush("/log");
        disk.append("/log", b"three");
        disk.append("/index", b"2");
        let changes = disk.drain_changes();
        let append = |path: &str, position, bytes: &'static [u8]| DiskChange::Append {
            path: path.to_owned(),
            position,
            bytes: Bytes::from_static(bytes),
        };
        let flush = DiskChange::Flush {
            path: "/log".to_owned(),
        };
        assert_eq!(
            changes,
            [
                append("/log", 0, b"one two "),
                append("/index", 0, b"12"),
                flush,
                append("/log", 8, b"three")
            ]
        );
        disk.append("/log", b"!");
        disk.delete("/index");
        disk.append("/index", b"3");
        assert_eq!(disk.drain_changes()[0], append("/log", 13, b"!"));
        let mut loaded = replayed(changes);
        loaded.power_cut();
        assert_eq!(loaded.read_all("/log").unwrap(), b"one two "[..]);
    }

    #[test]
    fn a_power_cut_drops_what_was_never_flushed() {
        let mut disk = Disk::new();
        disk.append("/log", b"kept");
        disk.flush("/log");
        disk.append("/log", b"lost");
        disk.append("/other", b"torn");
        disk.write("/checkpoint", b"whole");
        let kept = disk.drain_changes();
        let mut loaded = replayed(kept);
        disk.power_cut_keeping(|path, _| if path == "/other" { 2 } else { 0 });
        assert_eq!(disk.read_all("/log").unwrap(), b"kept"[..]);
        assert_eq!(disk.read_all("/other").unwrap(), b"to"[..]);
        assert_eq!(disk.read_all("/checkpoint").unwrap(), b"whole"[..]);
        loaded.power_cut();
        assert_eq!(
            loaded.read_all("/log").unwrap(),
            b"kept"[..],
            "a load knows what was flushed"
        );
        assert_eq!(loaded.len("/other"), Some(0));
    }

    #[test]
    fn an_append_whose_forerunner_was_lost_is_left_out() {
        let mut disk = Disk::new();
        disk.apply(DiskChange::Append {
            path: "/f".into(),
            position: 0,
            bytes: Bytes::from_static(b"abc"),
        });
        disk.apply(DiskChange::Append {
            path: "/f".into(),
            position: 9,
            bytes: Bytes::from_static(b"xyz"),
        });
        disk.apply(DiskChange::Append {
            path: "/f".into(),
            position: 1,
            bytes: Bytes::from_static(b"bcd"),
        });
        assert_eq!(disk.read_all("/f").unwrap(), b"abcd"[..]);
        assert!(!disk.has_changes());
    }
}
