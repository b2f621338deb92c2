//! A disk kept in a folder: read whole at the start, written in order by a thread of its own. What answers for
//! a change is sent after the change is in the file, so that a killed server keeps all that it acknowledged.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use bytes::Bytes;
use playground_log::disk::{Disk, DiskChange};

use super::connection::FrameSender;
use super::limits::{OPEN_FILES_MAX, QUEUED_BATCHES_MAX};

/// Ends the name of a file that is written to replace another.
const TEMPORARY: &str = ".replacing";
/// Bytes that are read at once while loading.
const LOAD_CHUNK_BYTES: usize = 1 << 20;

/// Reads a folder into a disk, where it stands at `mount`.
pub fn load(folder: &Path, mount: &str) -> Result<Disk> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    let mut disk = Disk::new();
    disk.create_directory(mount);
    load_directory(&mut disk, folder, mount)?;
    disk.drain_changes();
    Ok(disk)
}

fn load_directory(disk: &mut Disk, folder: &Path, mount: &str) -> Result<()> {
    let read = |error: io::Error| {
        anyhow::Error::new(error).context(format!("cannot read {}", folder.display()))
    };
    for entry in fs::read_dir(folder).map_err(read)? {
        let entry = entry.map_err(read)?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = format!("{mount}/{name}");
        if entry.file_type().map_err(read)?.is_dir() {
            disk.create_directory(&path);
            load_directory(disk, &entry.path(), &path)?;
        } else if name.ends_with(TEMPORARY) {
            // A replacement that was not finished; the file it was for is whole.
            let _ = fs::remove_file(entry.path());
        } else {
            let bytes = fs::read(entry.path())
                .with_context(|| format!("cannot read {}", entry.path().display()))?;
            disk.append(&path, &[]);
            for chunk in bytes.chunks(LOAD_CHUNK_BYTES) {
                disk.append(&path, chunk);
            }
            disk.flush(&path);
            disk.drain_changes();
        }
    }
    Ok(())
}

/// Changes, and the frames to send once they are written.
pub struct Batch {
    /// In the order in which they were made.
    pub changes: Vec<DiskChange>,
    /// In the order in which they are to be sent.
    pub frames: Vec<(FrameSender, Bytes)>,
}

impl Batch {
    /// Sends the frames.
    pub fn send(self) {
        for (to, frame) in self.frames {
            to.send(frame);
        }
    }
}

/// Writes a disk's changes to a folder, in order.
pub struct FolderWriter {
    sender: Option<SyncSender<Batch>>,
    thread: Option<JoinHandle<()>>,
}

impl FolderWriter {
    /// Starts the thread.
    pub fn start(folder: PathBuf, mount: String) -> FolderWriter {
        let (sender, receiver) = sync_channel(QUEUED_BATCHES_MAX);
        let thread = std::thread::spawn(move || {
            Writer {
                folder,
                mount,
                open: BTreeMap::new(),
            }
            .run(&receiver)
        });
        FolderWriter {
            sender: Some(sender),
            thread: Some(thread),
        }
    }

    /// Hands over a batch; waits when the writer is far behind.
    pub fn write(&self, batch: Batch) {
        if let Some(sender) = &self.sender
            && let Err(failed) = sender.send(batch)
        {
            failed.0.send();
        }
    }

    /// Waits until everything is written.
    pub fn finish(mut self) {
        self.sender = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Writer {
    folder: PathBuf,
    mount: String,
    open: BTreeMap<PathBuf, File>,
}

impl Writer {
    fn run(mut self, receiver: &Receiver<Batch>) {
        let mut broken = false;
        while let Ok(mut batch) = receiver.recv() {
            for change in batch.changes.drain(..) {
                if broken {
                    break;
                }
                if let Err(error) = self.apply(change) {
                    eprintln!(
                        "playground: cannot write to {}: {error}. The cluster goes on in memory; what it does from now on \
                         is not kept.",
                        self.folder.display()
                    );
                    broken = true;
                }
            }
            batch.send();
        }
    }

    fn path(&self, path: &str) -> PathBuf {
        match path.strip_prefix(&self.mount) {
            Some(rest) => self.folder.join(rest.trim_start_matches('/')),
            // Nothing of a node lies elsewhere; kept beside its data if it ever does.
            None => self.folder.join(path.trim_start_matches('/')),
        }
    }

    fn file(&mut self, path: &Path) -> io::Result<&File> {
        if self.open.len() >= OPEN_FILES_MAX && !self.open.contains_key(path) {
            self.open.clear();
        }
        if !self.open.contains_key(path) {
            if let Some(parent) = path.parent() {
                fs::create_dir_all(parent)?;
            }
            let file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .open(path)?;
            self.open.insert(path.to_owned(), file);
        }
        self.open
            .get(path)
            .ok_or_else(|| io::Error::other("the file was just opened"))
    }

    fn apply(&mut self, change: DiskChange) -> io::Result<()> {
        match change {
            DiskChange::CreateDirectory { path } => fs::create_dir_all(self.path(&path)),
            DiskChange::Append {
                path,
                position,
                bytes,
            } => {
                let path = self.path(&path);
                self.file(&path)?.write_all_at(&bytes, position)
            }
            DiskChange::Write { path, bytes } => {
                let path = self.path(&path);
                self.open.remove(&path);
                if let Some(parent) = path.parent() {
                    fs::create_dir_all(parent)?;
                }
                let mut name = path.file_name().unwrap_or_default().to_owned();
                name.push(TEMPORARY);
                let temporary = path.with_file_name(name);
                fs::write(&temporary, &bytes)?;
                fs::rename(&temporary, &path)
            }
            DiskChange::Truncate { path, length } => {
                let path = self.path(&path);
                self.file(&path)?.set_len(length)
            }
            DiskChange::Delete { path } => {
                let path = self.path(&path);
                self.open.retain(|open, _| !open.starts_with(&path));
                let result = if path.is_dir() {
                    fs::remove_dir_all(&path)
                } else {
                    fs::remove_file(&path)
                };
                result.or_else(|error| {
                    if error.kind() == io::ErrorKind::NotFound {
                        Ok(())
                    } else {
                        Err(error)
                    }
                })
            }
            DiskChange::Rename { from, to } => {
                let (from, to) = (self.path(&from), self.path(&to));
                self.open
                    .retain(|open, _| !open.starts_with(&from) && !open.starts_with(&to));
                if to.is_dir() {
                    fs::remove_dir_all(&to)?;
                }
                fs::rename(from, to)
            }
            DiskChange::Flush { path } => {
                let path = self.path(&path);
                self.file(&path)?.sync_data()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let folder = std::env::temp_dir().join(format!("playground-folder-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        let mut disk = Disk::new();
        disk.append("/data/t-0/0.log", b"one");
        disk.append("/data/t-0/0.log", b"two");
        disk.write("/data/meta", b"x");
        disk.write("/data/meta", b"yz");
        disk.append("/data/gone", b"1");
        disk.delete("/data/gone");
        disk.rename("/data/t-0", "/data/u-0");
        disk.truncate("/data/u-0/0.log", 4);
        let writer = FolderWriter::start(folder.clone(), "/data".to_owned());
        writer.write(Batch {
            changes: disk.drain_changes(),
            frames: Vec::new(),
        });
        writer.finish();
        fs::write(folder.join("u-0/0.log.replacing"), b"half").unwrap();
        let loaded = load(&folder, "/data").unwrap();
        assert_eq!(
            loaded.read_all("/data/u-0/0.log").as_deref(),
            Some(&b"onet"[..])
        );
        assert_eq!(loaded.read_all("/data/meta").as_deref(), Some(&b"yz"[..]));
        assert!(!loaded.exists("/data/gone") && !loaded.exists("/data/t-0"));
        assert_eq!(loaded.list("/data/u-0"), ["0.log"]);
        fs::remove_dir_all(&folder).unwrap();
    }
}
