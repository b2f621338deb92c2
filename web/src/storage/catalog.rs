//! Which rows keep which bytes: turns disk changes into the rows of one transaction, and rows back into
//! disks. Knows no browser.
//!
//! A file's bytes are rows keyed by (file number, position). A row of 64 KiB or more is sealed: it is
//! never written again. Smaller appends become rows of their own behind it, the tail; sixteen of a kind
//! are merged into one, and the whole tail into a sealed row once it is large enough, so a byte is
//! written a few times at most, however small the appends are. Names stand apart in entries, so a
//! rename moves no bytes.
//!
//! A truncated row is not written again either: when loading, a row that starts inside what came before
//! it cuts that off, and the entry's length cuts the end.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use playground_log::{Disk, DiskChange};

/// A row of this many bytes or more is sealed.
pub const SEALED_BYTES_MIN: usize = 64 * 1024;

/// No row is larger, but for a tail that is merged into it.
pub const ROW_BYTES_MAX: usize = 1024 * 1024;

/// Rows of one level in a tail before they are merged.
const TAIL_ROWS_MAX: usize = 16;

/// What stands at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryRow {
    /// A directory.
    Directory,
    /// A file.
    File {
        /// Names its rows.
        file: u64,
        /// Its length in bytes.
        length: u64,
    },
}

/// A host's name and an absolute path.
pub type EntryKey = (String, String);

/// One transaction's worth: first the removals, then the rows and the entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Per file, rows from this position on are removed.
    pub removed: BTreeMap<u64, u64>,
    /// Rows by (file, position).
    pub rows: BTreeMap<(u64, u64), Bytes>,
    /// Entries; none is a removal.
    pub entries: BTreeMap<EntryKey, Option<EntryRow>>,
    /// A flush was asked for.
    pub strict: bool,
}

impl Batch {
    /// Nothing is to be kept.
    pub fn is_empty(&self) -> bool {
        self.removed.is_empty() && self.rows.is_empty() && self.entries.is_empty()
    }

    /// Bytes in its rows.
    pub fn row_bytes(&self) -> u64 {
        self.rows.values().map(|row| row.len() as u64).sum()
    }
}

#[derive(Clone, Debug)]
struct TailRow {
    position: u64,
    bytes: Bytes,
    level: u32,
}

#[derive(Clone, Debug, Default)]
struct File {
    length: u64,
    tail: Vec<TailRow>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Entry {
    Directory,
    File(u64),
}

/// All that is kept, without the sealed bytes.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    entries: BTreeMap<EntryKey, Entry>,
    files: BTreeMap<u64, File>,
    next_file: u64,
    dirty: BTreeSet<EntryKey>,
    names: BTreeMap<u64, EntryKey>,
    batch: Batch,
}

impl Catalog {
    /// Nothing kept yet.
    pub fn new() -> Catalog {
        Catalog::default()
    }

    /// Reads what was kept: the entries, and the rows in the order of their keys. Rows of no file are
    /// reported in the next batch's removals.
    pub fn load(
        entries: impl IntoIterator<Item = (EntryKey, EntryRow)>,
        rows: impl IntoIterator<Item = ((u64, u64), Bytes)>,
    ) -> (Catalog, BTreeMap<String, Disk>) {
        let mut catalog = Catalog::new();
        let mut disks: BTreeMap<String, Disk> = BTreeMap::new();
        let mut lengths: BTreeMap<u64, u64> = BTreeMap::new();
        for (key, row) in entries {
            let disk = disks.entry(key.0.clone()).or_default();
            match row {
                EntryRow::Directory => {
                    disk.apply(DiskChange::CreateDirectory {
                        path: key.1.clone(),
                    });
                    catalog.entries.insert(key, Entry::Directory);
                }
                EntryRow::File { file, length } => {
                    disk.apply(DiskChange::Write {
                        path: key.1.clone(),
                        bytes: Bytes::new(),
                    });
                    lengths.insert(file, length);
                    catalog.files.insert(file, File::default());
                    catalog.names.insert(file, key.clone());
                    catalog.entries.insert(key, Entry::File(file));
                    catalog.next_file = catalog.next_file.max(file + 1);
                }
            }
        }
        for ((id, position), bytes) in rows {
            catalog.next_file = catalog.next_file.max(id + 1);
            let (Some(file), Some(key)) = (catalog.files.get_mut(&id), catalog.names.get(&id))
            else {
                catalog.batch.removed.insert(id, 0);
                continue;
            };
            let limit = lengths.get(&id).copied().unwrap_or(0);
            if position > file.length || position >= limit {
                continue;
            }
            let room = usize::try_from(limit - position).unwrap_or(usize::MAX);
            let bytes = bytes.slice(..bytes.len().min(room));
            let Some(disk) = disks.get_mut(&key.0) else {
                continue;
            };
            if position < file.length {
                disk.apply(DiskChange::Truncate {
                    path: key.1.clone(),
                    length: position,
                });
                file.cut(position);
            }
            file.length = position + bytes.len() as u64;
            disk.apply(DiskChange::Append {
                path: key.1.clone(),
                position,
                bytes: bytes.clone(),
            });
            if bytes.len() >= SEALED_BYTES_MIN {
                file.tail.clear();
            } else {
                let level = bytes.len().checked_ilog2().unwrap_or(0) / 4;
                file.tail.push(TailRow {
                    position,
                    bytes,
                    level,
                });
                if file.tail_bytes() >= SEALED_BYTES_MIN {
                    // Left as they are: what comes next starts a new tail.
                    file.tail.clear();
                }
            }
        }
        for (id, (host, path)) in &catalog.names {
            if catalog.files.contains_key(id)
                && let Some(disk) = disks.get_mut(host)
            {
                disk.apply(DiskChange::Flush { path: path.clone() });
            }
        }
        (catalog, disks)
    }

    /// The sum of all files' lengths, in bytes.
    pub fn held_bytes(&self) -> u64 {
        self.files.values().map(|file| file.length).sum()
    }

    /// Takes a change of a host's disk into the batch.
    pub fn take(&mut self, host: &str, change: DiskChange) {
        match change {
            DiskChange::CreateDirectory { path } => self.make_directories(host, &path),
            DiskChange::Append {
                path,
                position,
                bytes,
            } => self.append(host, &path, position, bytes),
            DiskChange::Write { path, bytes } => {
                self.remove(host, &path);
                self.append(host, &path, 0, bytes);
            }
            DiskChange::Truncate { path, length } => self.truncate(host, &path, length),
            DiskChange::Delete { path } => self.remove(host, &path),
            DiskChange::Rename { from, to } => self.rename(host, &from, &to),
            DiskChange::Flush { .. } => self.batch.strict = true,
        }
    }

    /// Something waits for [`Catalog::batch`].
    pub fn has_batch(&self) -> bool {
        !self.batch.is_empty() || !self.dirty.is_empty()
    }

    /// Takes what is to be written in one transaction.
    pub fn batch(&mut self) -> Batch {
        let mut batch = std::mem::take(&mut self.batch);
        for key in std::mem::take(&mut self.dirty) {
            let row = self.entries.get(&key).map(|entry| match entry {
                Entry::Directory => EntryRow::Directory,
                Entry::File(file) => EntryRow::File {
                    file: *file,
                    length: self.files.get(file).map_or(0, |file| file.length),
                },
            });
            batch.entries.insert(key, row);
        }
        batch
    }

    fn make_directories(&mut self, host: &str, path: &str) {
        let mut missing = path;
        while !missing.is_empty() {
            let key = (host.to_owned(), missing.to_owned());
            if self.entries.contains_key(&key) {
                break;
            }
            self.dirty.insert(key.clone());
            self.entries.insert(key, Entry::Directory);
            missing = missing.rsplit_once('/').map_or("", |(parent, _)| parent);
        }
    }

    fn append(&mut self, host: &str, path: &str, position: u64, bytes: Bytes) {
        let key = (host.to_owned(), path.to_owned());
        let id = match self.entries.get(&key) {
            Some(Entry::File(id)) => *id,
            _ => {
                if let Some((parent, _)) = path.rsplit_once('/') {
                    self.make_directories(host, parent);
                }
                let id = self.next_file;
                self.next_file += 1;
                self.entries.insert(key.clone(), Entry::File(id));
                self.files.insert(id, File::default());
                self.names.insert(id, key.clone());
                id
            }
        };
        self.dirty.insert(key);
        let Some(file) = self.files.get_mut(&id) else {
            return;
        };
        // As a disk does: what is there already is skipped, and a gap is not filled.
        let Some(overlap) = file.length.checked_sub(position) else {
            return;
        };
        let overlap = usize::try_from(overlap)
            .unwrap_or(usize::MAX)
            .min(bytes.len());
        let mut rest = bytes.slice(overlap..);
        while !rest.is_empty() {
            let piece = rest.split_to(rest.len().min(ROW_BYTES_MAX));
            file.append(id, piece, &mut self.batch);
        }
    }

    fn truncate(&mut self, host: &str, path: &str, length: u64) {
        let key = (host.to_owned(), path.to_owned());
        let Some(Entry::File(id)) = self.entries.get(&key) else {
            return;
        };
        let Some(file) = self.files.get_mut(id) else {
            return;
        };
        if length >= file.length {
            return;
        }
        file.length = length;
        file.cut(length);
        self.batch.remove_from(*id, length);
        self.dirty.insert(key);
    }

    /// The keys of `path` and of all inside it.
    fn tree(&self, host: &str, path: &str) -> Vec<EntryKey> {
        let inside = format!("{path}/");
        self.entries
            .range((host.to_owned(), path.to_owned())..)
            .take_while(|((of, name), _)| of == host && name.starts_with(path))
            .filter(|((_, name), _)| name == path || name.starts_with(&inside))
            .map(|(key, _)| key.clone())
            .collect()
    }

    fn remove(&mut self, host: &str, path: &str) {
        for key in self.tree(host, path) {
            if let Some(Entry::File(id)) = self.entries.remove(&key) {
                self.files.remove(&id);
                self.names.remove(&id);
                self.batch.remove_from(id, 0);
            }
            self.dirty.insert(key);
        }
    }

    fn rename(&mut self, host: &str, from: &str, to: &str) {
        let moved = self.tree(host, from);
        if moved.is_empty() || from == to {
            return;
        }
        self.remove(host, to);
        if let Some((parent, _)) = to.rsplit_once('/') {
            self.make_directories(host, parent);
        }
        for key in moved {
            let Some(entry) = self.entries.remove(&key) else {
                continue;
            };
            let rest = key.1.strip_prefix(from).unwrap_or_default();
            let target = (host.to_owned(), format!("{to}{rest}"));
            if let Entry::File(id) = entry {
                self.names.insert(id, target.clone());
            }
            self.entries.insert(target.clone(), entry);
            self.dirty.insert(key);
            self.dirty.insert(target);
        }
    }
}

impl Batch {
    fn remove_from(&mut self, file: u64, position: u64) {
        let from = self.removed.entry(file).or_insert(position);
        *from = (*from).min(position);
        let gone: Vec<(u64, u64)> = self
            .rows
            .range((file, position)..=(file, u64::MAX))
            .map(|(key, _)| *key)
            .collect();
        for key in gone {
            self.rows.remove(&key);
        }
    }
}

impl File {
    fn tail_bytes(&self) -> usize {
        self.tail.iter().map(|row| row.bytes.len()).sum()
    }

    /// Forgets the tail from `length` on.
    fn cut(&mut self, length: u64) {
        self.tail.retain(|row| row.position < length);
        if let Some(last) = self.tail.last_mut() {
            let keep = usize::try_from(length - last.position).unwrap_or(usize::MAX);
            last.bytes.truncate(keep);
        }
    }

    fn append(&mut self, id: u64, bytes: Bytes, batch: &mut Batch) {
        let position = self.length;
        self.length += bytes.len() as u64;
        let level = 0;
        if bytes.len() >= SEALED_BYTES_MIN && self.tail.is_empty() {
            batch.rows.insert((id, position), bytes);
            return;
        }
        batch.rows.insert((id, position), bytes.clone());
        self.tail.push(TailRow {
            position,
            bytes,
            level,
        });
        if self.tail_bytes() >= SEALED_BYTES_MIN {
            self.merge(id, 0, batch);
            self.tail.clear();
            return;
        }
        loop {
            let Some(level) = self.tail.last().map(|row| row.level) else {
                return;
            };
            let same = self
                .tail
                .iter()
                .rev()
                .take_while(|row| row.level == level)
                .count();
            if same < TAIL_ROWS_MAX {
                return;
            }
            self.merge(id, self.tail.len() - same, batch);
        }
    }

    /// Merges the tail's rows from `first` on into one.
    fn merge(&mut self, id: u64, first: usize, batch: &mut Batch) {
        let rows = self.tail.split_off(first);
        let (Some(start), level) = (
            rows.first().map(|row| row.position),
            rows.iter().map(|row| row.level).max().unwrap_or(0) + 1,
        ) else {
            return;
        };
        if rows.len() == 1 {
            self.tail.extend(rows);
            return;
        }
        let mut bytes = Vec::with_capacity(rows.iter().map(|row| row.bytes.len()).sum());
        rows.iter()
            .for_each(|row| bytes.extend_from_slice(&row.bytes));
        let bytes = Bytes::from(bytes);
        batch.remove_from(id, start);
        batch.rows.insert((id, start), bytes.clone());
        self.tail.push(TailRow {
            position: start,
            bytes,
            level,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a database does with batches.
    #[derive(Default)]
    struct Store {
        rows: BTreeMap<(u64, u64), Bytes>,
        entries: BTreeMap<EntryKey, EntryRow>,
        written: u64,
    }

    impl Store {
        fn commit(&mut self, batch: Batch) {
            for (file, from) in &batch.removed {
                self.rows
                    .retain(|(id, position), _| !(id == file && position >= from));
            }
            self.written += batch.row_bytes();
            self.rows.extend(batch.rows);
            for (key, entry) in batch.entries {
                match entry {
                    Some(entry) => self.entries.insert(key, entry),
                    None => self.entries.remove(&key),
                };
            }
        }

        fn load(&self) -> BTreeMap<String, Disk> {
            Catalog::load(self.entries.clone(), self.rows.clone()).1
        }
    }

    fn same(disk: &Disk, loaded: Option<&Disk>) {
        let loaded = loaded.cloned().unwrap_or_default();
        assert_eq!(disk.snapshot(), loaded.snapshot());
    }

    #[test]
    fn what_is_kept_is_what_was_done() {
        let mut disk = Disk::new();
        let mut catalog = Catalog::new();
        let mut store = Store::default();
        let mut seed = 7u64;
        let mut next = move |bound: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) % bound
        };
        for round in 0..1_500u64 {
            let directory = format!("/data/t-{}", next(4));
            let path = format!("{directory}/log");
            disk.create_directory(&directory);
            match next(20) {
                0 => disk.delete(&path),
                1 => {
                    let length = disk.len(&path).unwrap_or(0);
                    disk.truncate(&path, next(length.max(1)));
                }
                2 => disk.write(&path, &vec![round as u8; next(100) as usize]),
                3 => disk.rename(
                    &format!("/data/t-{}", next(4)),
                    &format!("/data/t-{}", next(4)),
                ),
                4 => disk.append(&path, &vec![round as u8; next(200_000) as usize]),
                5 => disk.flush(&path),
                _ => disk.append(&path, &vec![round as u8; next(3_000) as usize]),
            }
            if next(3) == 0 {
                for change in disk.drain_changes() {
                    catalog.take("h", change);
                }
                store.commit(catalog.batch());
                if round % 50 == 0 {
                    same(&disk, store.load().get("h"));
                    // A reload in between: the session goes on from what was loaded.
                    let (again, mut disks) =
                        Catalog::load(store.entries.clone(), store.rows.clone());
                    catalog = again;
                    disk = disks.remove("h").unwrap_or_default();
                }
            }
        }
        for change in disk.drain_changes() {
            catalog.take("h", change);
        }
        store.commit(catalog.batch());
        same(&disk, store.load().get("h"));
    }

    #[test]
    fn small_appends_are_written_a_few_times_at_most() {
        let mut catalog = Catalog::new();
        let mut store = Store::default();
        let total = 4_000u64 * 100;
        for index in 0..4_000u64 {
            catalog.take(
                "h",
                DiskChange::Append {
                    path: "/log".to_owned(),
                    position: index * 100,
                    bytes: Bytes::from(vec![index as u8; 100]),
                },
            );
            store.commit(catalog.batch());
        }
        assert!(store.written <= total * 5, "{} of {total}", store.written);
        assert!(store.rows.len() < 80, "{} rows", store.rows.len());
        let sealed: Vec<_> = store
            .rows
            .values()
            .filter(|row| row.len() >= SEALED_BYTES_MIN)
            .collect();
        assert!(sealed.len() >= 5);
    }

    #[test]
    fn large_appends_are_written_once() {
        let mut catalog = Catalog::new();
        let mut store = Store::default();
        for index in 0..20u64 {
            catalog.take(
                "h",
                DiskChange::Append {
                    path: "/log".to_owned(),
                    position: index * 500_000,
                    bytes: Bytes::from(vec![1; 500_000]),
                },
            );
            store.commit(catalog.batch());
        }
        assert_eq!(store.written, 20 * 500_000);
    }

    #[test]
    fn a_flush_asks_for_strict_durability() {
        let mut catalog = Catalog::new();
        catalog.take(
            "h",
            DiskChange::CreateDirectory {
                path: "/a".to_owned(),
            },
        );
        assert!(!catalog.batch().strict);
        catalog.take(
            "h",
            DiskChange::Flush {
                path: "/a".to_owned(),
            },
        );
        assert!(catalog.batch().strict);
    }
}
