//! Leader epochs and where each starts (`LeaderEpochFileCache`), kept in `leader-epoch-checkpoint`.

use crate::disk::Disk;
use crate::log::types::EpochEntry;

/// The checkpoint's name, in the partition's directory.
const FILE: &str = "leader-epoch-checkpoint";

#[derive(Clone, Debug)]
pub(super) struct LeaderEpochs {
    path: String,
    /// By epoch; start offsets grow with it.
    entries: Vec<EpochEntry>,
}

impl LeaderEpochs {
    pub(super) fn open(dir: &str, disk: &mut Disk) -> LeaderEpochs {
        let path = format!("{dir}/{FILE}");
        let entries = match disk.read_all(&path) {
            Some(bytes) => parse(&String::from_utf8_lossy(&bytes)),
            None => {
                disk.write(&path, text(&[]).as_bytes());
                Vec::new()
            }
        };
        LeaderEpochs { path, entries }
    }

    pub(super) fn entries(&self) -> &[EpochEntry] {
        &self.entries
    }

    pub(super) fn latest(&self) -> Option<EpochEntry> {
        self.entries.last().copied()
    }

    /// An epoch starts at an offset. Entries that contradict it go.
    pub(super) fn assign(&mut self, disk: &mut Disk, epoch: i32, start_offset: i64) {
        let needed = self
            .latest()
            .is_none_or(|last| epoch != last.epoch || start_offset < last.start_offset);
        if epoch < 0 || start_offset < 0 || !needed {
            return;
        }
        while self
            .latest()
            .is_some_and(|last| last.epoch >= epoch || last.start_offset >= start_offset)
        {
            self.entries.pop();
        }
        self.entries.push(EpochEntry {
            epoch,
            start_offset,
        });
        self.write(disk);
    }

    /// The largest epoch not above `epoch`, and the offset where it ends (`endOffsetFor`).
    pub(super) fn end_offset_for(&self, epoch: i32, log_end_offset: i64) -> Option<(i32, i64)> {
        if epoch < 0 {
            return None;
        }
        if self.latest().is_some_and(|last| last.epoch == epoch) {
            return Some((epoch, log_end_offset));
        }
        let higher = self.entries.partition_point(|entry| entry.epoch <= epoch);
        let end_offset = self.entries.get(higher)?.start_offset;
        let floor = higher
            .checked_sub(1)
            .and_then(|index| self.entries.get(index));
        Some((floor.map_or(epoch, |entry| entry.epoch), end_offset))
    }

    /// Drops epochs that start at `end_offset` or later.
    pub(super) fn truncate_from_end(&mut self, disk: &mut Disk, end_offset: i64) {
        let kept = self
            .entries
            .partition_point(|entry| entry.start_offset < end_offset);
        if kept < self.entries.len() {
            self.entries.truncate(kept);
            self.write(disk);
        }
    }

    /// The log starts at `start_offset` now: earlier epochs go, the one that holds it starts there.
    pub(super) fn truncate_from_start(&mut self, disk: &mut Disk, start_offset: i64) {
        let count = self
            .entries
            .partition_point(|entry| entry.start_offset <= start_offset);
        let Some(last) = count.checked_sub(1) else {
            return;
        };
        if last == 0
            && self
                .entries
                .first()
                .is_some_and(|first| first.start_offset == start_offset)
        {
            return;
        }
        self.entries.drain(..last);
        if let Some(first) = self.entries.first_mut() {
            first.start_offset = start_offset;
        }
        self.write(disk);
    }

    pub(super) fn clear(&mut self, disk: &mut Disk) {
        self.entries.clear();
        self.write(disk);
    }

    fn write(&self, disk: &mut Disk) {
        disk.write(&self.path, text(&self.entries).as_bytes());
    }
}

fn text(entries: &[EpochEntry]) -> String {
    let mut text = format!("0\n{}\n", entries.len());
    for entry in entries {
        text.push_str(&format!("{} {}\n", entry.epoch, entry.start_offset));
    }
    text
}

/// Reads what [`text`] writes; a malformed file gives what is good before the fault.
fn parse(text: &str) -> Vec<EpochEntry> {
    let mut lines = text.lines();
    if lines.next() != Some("0") || lines.next().is_none() {
        return Vec::new();
    }
    let mut entries: Vec<EpochEntry> = Vec::new();
    for line in lines {
        let Some((Ok(epoch), Ok(start_offset))) = line
            .split_once(' ')
            .map(|(epoch, offset)| (epoch.parse(), offset.trim().parse()))
        else {
            break;
        };
        if entries
            .last()
            .is_some_and(|last| last.epoch >= epoch || last.start_offset > start_offset)
        {
            break;
        }
        entries.push(EpochEntry {
            epoch,
            start_offset,
        });
    }
    entries
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epochs(entries: &[(i32, i64)]) -> (LeaderEpochs, Disk) {
        let mut disk = Disk::new();
        let mut epochs = LeaderEpochs::open("/d", &mut disk);
        for (epoch, start_offset) in entries {
            epochs.assign(&mut disk, *epoch, *start_offset);
        }
        (epochs, disk)
    }

    #[test]
    fn the_file_has_kafkas_text_and_reads_back() {
        let (epochs, mut disk) = epochs(&[(0, 0), (2, 10), (2, 12), (5, 20)]);
        let path = "/d/leader-epoch-checkpoint";
        assert_eq!(disk.read_all(path).unwrap(), b"0\n3\n0 0\n2 10\n5 20\n"[..]);
        assert_eq!(
            LeaderEpochs::open("/d", &mut disk).entries(),
            epochs.entries()
        );
    }

    #[test]
    fn an_epochs_end_is_the_next_ones_start() {
        let (epochs, _) = epochs(&[(2, 10), (5, 20)]);
        assert_eq!(epochs.end_offset_for(5, 33), Some((5, 33)));
        assert_eq!(epochs.end_offset_for(3, 33), Some((2, 20)));
        assert_eq!(epochs.end_offset_for(2, 33), Some((2, 20)));
        assert_eq!(epochs.end_offset_for(1, 33), Some((1, 10)));
        assert_eq!(epochs.end_offset_for(6, 33), None);
        assert_eq!(epochs.end_offset_for(-1, 33), None);
    }

    #[test]
    fn conflicts_and_truncation_cut_the_list() {
        let (mut epochs, mut disk) = epochs(&[(0, 0), (1, 10), (2, 20), (3, 30)]);
        epochs.assign(&mut disk, 4, 20);
        assert_eq!(
            epochs
                .entries()
                .iter()
                .map(|entry| entry.epoch)
                .collect::<Vec<_>>(),
            [0, 1, 4]
        );
        epochs.truncate_from_start(&mut disk, 15);
        assert_eq!(
            epochs.entries()[0],
            EpochEntry {
                epoch: 1,
                start_offset: 15
            }
        );
        epochs.truncate_from_end(&mut disk, 20);
        assert_eq!(epochs.entries().len(), 1);
        assert_eq!(
            disk.read_all("/d/leader-epoch-checkpoint").unwrap(),
            b"0\n1\n1 15\n"[..]
        );
    }
}
