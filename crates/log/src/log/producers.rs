//! What a partition knows of its idempotent producers (`ProducerStateManager`, `ProducerAppendInfo`):
//! sequences are checked against it, duplicates are found in it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use playground_protocol::ErrorCode;

use crate::disk::Disk;
use crate::log::producer_snapshot;
use crate::log::types::{AppendError, ProducerInfo};
use crate::record::{
    NO_PRODUCER_EPOCH, NO_SEQUENCE, NO_TIMESTAMP, RecordBatch, RecordBatchHeader, add_sequence,
};

/// So many batches of a producer are remembered, to recognise them when they come again.
const BATCHES_TO_RETAIN: usize = 5;

/// Who wrote the batch that is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ProducerOrigin {
    /// A client: its sequences are judged.
    Client,
    /// A coordinator: only epochs are judged.
    Coordinator,
    /// The leader, or the log itself on recovery: nothing is refused.
    Replication,
}

/// One batch that is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct BatchMetadata {
    pub(super) last_sequence: i32,
    pub(super) last_offset: i64,
    pub(super) offset_delta: i32,
    pub(super) timestamp: i64,
}

impl BatchMetadata {
    pub(super) fn first_offset(&self) -> i64 {
        self.last_offset - i64::from(self.offset_delta)
    }

    /// `DefaultRecordBatch.decrementSequence`.
    fn first_sequence(&self) -> i32 {
        if self.last_sequence < self.offset_delta {
            i32::MAX - (self.offset_delta - self.last_sequence) + 1
        } else {
            self.last_sequence - self.offset_delta
        }
    }
}

/// One producer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ProducerEntry {
    pub(super) epoch: i16,
    pub(super) coordinator_epoch: i32,
    pub(super) last_timestamp: i64,
    pub(super) current_txn_first_offset: Option<i64>,
    pub(super) batches: VecDeque<BatchMetadata>,
}

impl Default for ProducerEntry {
    fn default() -> ProducerEntry {
        ProducerEntry {
            epoch: NO_PRODUCER_EPOCH,
            coordinator_epoch: -1,
            last_timestamp: NO_TIMESTAMP,
            current_txn_first_offset: None,
            batches: VecDeque::new(),
        }
    }
}

impl ProducerEntry {
    pub(super) fn last_sequence(&self) -> i32 {
        self.batches
            .back()
            .map_or(NO_SEQUENCE, |batch| batch.last_sequence)
    }

    fn set_epoch(&mut self, epoch: i16) {
        if self.epoch != epoch {
            self.batches.clear();
            self.epoch = epoch;
        }
    }

    fn add_batch(&mut self, batch: BatchMetadata) {
        if self.batches.len() == BATCHES_TO_RETAIN {
            self.batches.pop_front();
        }
        self.batches.push_back(batch);
    }

    fn find_duplicate(&self, header: &RecordBatchHeader) -> Option<BatchMetadata> {
        if header.producer_epoch != self.epoch {
            return None;
        }
        let (first, last) = (header.base_sequence, header.last_sequence());
        self.batches
            .iter()
            .find(|batch| batch.first_sequence() == first && batch.last_sequence == last)
            .copied()
    }
}

/// A transaction that a marker ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct CompletedTransaction {
    first_offset: i64,
    last_offset: i64,
}

/// Changes of one append, to be kept if it succeeds.
#[derive(Debug, Default)]
pub(super) struct ProducerUpdates {
    updated: BTreeMap<i64, ProducerUpdate>,
    completed: Vec<CompletedTransaction>,
}

/// One producer's state before the append, and what the append adds.
#[derive(Debug)]
struct ProducerUpdate {
    current: ProducerEntry,
    updated: ProducerEntry,
    started: Vec<i64>,
}

/// All producers of a partition, and the snapshots of them.
#[derive(Clone, Debug)]
pub(super) struct Producers {
    dir: String,
    name: String,
    entries: BTreeMap<i64, ProducerEntry>,
    snapshots: BTreeSet<i64>,
    /// Offset up to which the entries reflect the log.
    map_end_offset: i64,
    snapshot_offset: i64,
    /// First offset of each open transaction, and its producer.
    ongoing: BTreeMap<i64, i64>,
    /// First and last offset of those whose marker is above the high watermark.
    unreplicated: BTreeMap<i64, i64>,
}

impl Producers {
    pub(super) fn open(dir: &str, name: &str, disk: &Disk) -> Producers {
        Producers {
            dir: dir.to_owned(),
            name: name.to_owned(),
            entries: BTreeMap::new(),
            snapshots: producer_snapshot::offsets(dir, disk),
            map_end_offset: 0,
            snapshot_offset: 0,
            ongoing: BTreeMap::new(),
            unreplicated: BTreeMap::new(),
        }
    }

    pub(super) fn map_end_offset(&self) -> i64 {
        self.map_end_offset
    }

    pub(super) fn set_map_end_offset(&mut self, offset: i64) {
        self.map_end_offset = offset;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.unreplicated.is_empty()
    }

    pub(super) fn has_snapshot(&self) -> bool {
        !self.snapshots.is_empty()
    }

    /// The first offset of a transaction that is open, or whose end is not replicated yet.
    pub(super) fn first_unstable_offset(&self) -> Option<i64> {
        let open = self.ongoing.keys().next();
        let unreplicated = self.unreplicated.keys().next();
        open.into_iter().chain(unreplicated).min().copied()
    }

    pub(super) fn high_watermark_updated(&mut self, high_watermark: i64) {
        self.unreplicated
            .retain(|_, last_offset| *last_offset >= high_watermark);
    }

    pub(super) fn log_start_offset_incremented(&mut self, log_start_offset: i64) {
        self.high_watermark_updated(log_start_offset);
        self.map_end_offset = self.map_end_offset.max(log_start_offset);
        self.snapshot_offset = self.snapshots.last().copied().unwrap_or(log_start_offset);
    }

    /// A batch that is in the log already.
    pub(super) fn find_duplicate(&self, header: &RecordBatchHeader) -> Option<BatchMetadata> {
        self.entries
            .get(&header.producer_id)?
            .find_duplicate(header)
    }

    /// Judges a batch of an idempotent producer, and adds what it changes to `updates`. The header has its
    /// final offsets.
    pub(super) fn prepare(
        &self,
        updates: &mut ProducerUpdates,
        batch: &RecordBatch,
        origin: ProducerOrigin,
    ) -> Result<(), AppendError> {
        let header = &batch.header;
        if !header.has_producer_id() {
            return Ok(());
        }
        let producer_id = header.producer_id;
        let update = updates.updated.entry(producer_id).or_insert_with(|| {
            let current = self.entries.get(&producer_id).cloned().unwrap_or_default();
            let updated = ProducerEntry {
                batches: VecDeque::new(),
                ..current.clone()
            };
            ProducerUpdate {
                current,
                updated,
                started: Vec::new(),
            }
        });
        if header.is_control() {
            updates
                .completed
                .extend(update.append_marker(batch, origin, &self.name)?);
            return Ok(());
        }
        update.append_data(header, origin, &self.name)
    }

    /// Keeps what [`Producers::prepare`] found.
    pub(super) fn commit(&mut self, updates: ProducerUpdates) {
        for (producer_id, update) in updates.updated {
            let entry = self.entries.entry(producer_id).or_default();
            entry.set_epoch(update.updated.epoch);
            for batch in update.updated.batches {
                entry.add_batch(batch);
            }
            entry.coordinator_epoch = update.updated.coordinator_epoch;
            entry.current_txn_first_offset = update.updated.current_txn_first_offset;
            entry.last_timestamp = update.updated.last_timestamp;
            for first_offset in update.started {
                self.ongoing.insert(first_offset, producer_id);
            }
        }
        for transaction in updates.completed {
            if self.ongoing.remove(&transaction.first_offset).is_some() {
                self.unreplicated
                    .insert(transaction.first_offset, transaction.last_offset);
            }
        }
    }

    /// Learns a batch of the log, as recovery and followers do.
    pub(super) fn replay(&mut self, batch: &RecordBatch) {
        let mut updates = ProducerUpdates::default();
        if self
            .prepare(&mut updates, batch, ProducerOrigin::Replication)
            .is_ok()
        {
            self.commit(updates);
        }
        self.map_end_offset = batch.header.next_offset();
    }

    /// Forgets producers that wrote nothing for so long.
    pub(super) fn remove_expired(&mut self, now_ms: i64, expiration_ms: i64) {
        self.entries
            .retain(|_, entry| !is_expired(entry, now_ms, expiration_ms));
    }

    /// Writes a snapshot at the end of what is known, unless there is one; whether it did.
    pub(super) fn take_snapshot(&mut self, disk: &mut Disk) -> bool {
        let due = self.map_end_offset > self.snapshot_offset;
        if due {
            producer_snapshot::write(&self.dir, self.map_end_offset, &self.entries, disk);
            self.snapshots.insert(self.map_end_offset);
            self.snapshot_offset = self.map_end_offset;
        }
        due
    }

    /// Goes back to what was known at `log_end_offset` at most: the rest must be replayed from
    /// [`Producers::map_end_offset`] on. Returns what is worth a warning.
    pub(super) fn truncate_and_reload(
        &mut self,
        disk: &mut Disk,
        log_start_offset: i64,
        log_end_offset: i64,
        now_ms: i64,
        expiration_ms: i64,
    ) -> Vec<String> {
        let stale: Vec<i64> = self
            .snapshots
            .iter()
            .filter(|offset| **offset > log_end_offset || **offset <= log_start_offset)
            .copied()
            .collect();
        stale
            .into_iter()
            .for_each(|offset| self.delete_snapshot(disk, offset));
        if log_end_offset == self.map_end_offset {
            self.log_start_offset_incremented(log_start_offset);
            return Vec::new();
        }
        self.clear();
        let mut warnings = Vec::new();
        while let Some(offset) = self.snapshots.last().copied() {
            match producer_snapshot::read(&self.dir, offset, disk) {
                Ok(entries) => {
                    for (producer_id, entry) in entries {
                        if is_expired(&entry, now_ms, expiration_ms) {
                            continue;
                        }
                        if let Some(first_offset) = entry.current_txn_first_offset {
                            self.ongoing.insert(first_offset, producer_id);
                        }
                        self.entries.insert(producer_id, entry);
                    }
                    self.snapshot_offset = offset;
                    self.map_end_offset = offset;
                    return warnings;
                }
                Err(reason) => {
                    let path = producer_snapshot::path(&self.dir, offset);
                    warnings.push(format!(
                        "Failed to load producer snapshot from '{path}': {reason}"
                    ));
                    self.delete_snapshot(disk, offset);
                }
            }
        }
        self.snapshot_offset = log_start_offset;
        self.map_end_offset = log_start_offset;
        warnings
    }

    /// Forgets all; the log starts anew at `offset`.
    pub(super) fn truncate_fully(&mut self, disk: &mut Disk, offset: i64) {
        self.clear();
        for snapshot in std::mem::take(&mut self.snapshots) {
            disk.delete(&producer_snapshot::path(&self.dir, snapshot));
        }
        self.snapshot_offset = 0;
        self.map_end_offset = offset;
    }

    /// Removes snapshots that stand at no segment's start, but the latest (`removeStraySnapshots`).
    pub(super) fn remove_stray_snapshots(
        &mut self,
        disk: &mut Disk,
        segment_base_offsets: &BTreeSet<i64>,
    ) {
        let last_segment = segment_base_offsets.last().copied().unwrap_or(0);
        let strays: Vec<i64> = self
            .snapshots
            .difference(segment_base_offsets)
            .copied()
            .collect();
        let latest = strays.last().copied();
        for stray in strays {
            if Some(stray) != latest || stray < last_segment {
                self.delete_snapshot(disk, stray);
            }
        }
    }

    /// Deletes the snapshot at an offset, as when the segment there is deleted.
    pub(super) fn delete_snapshot(&mut self, disk: &mut Disk, offset: i64) {
        if self.snapshots.remove(&offset) {
            disk.delete(&producer_snapshot::path(&self.dir, offset));
        }
    }

    pub(super) fn infos(&self) -> Vec<ProducerInfo> {
        self.entries
            .iter()
            .map(|(producer_id, entry)| ProducerInfo {
                producer_id: *producer_id,
                producer_epoch: entry.epoch,
                last_sequence: entry.last_sequence(),
                last_timestamp: entry.last_timestamp,
                coordinator_epoch: entry.coordinator_epoch,
                current_txn_start_offset: entry.current_txn_first_offset,
            })
            .collect()
    }

    fn clear(&mut self) {
        self.entries.clear();
        self.ongoing.clear();
        self.unreplicated.clear();
    }
}

fn is_expired(entry: &ProducerEntry, now_ms: i64, expiration_ms: i64) -> bool {
    entry.current_txn_first_offset.is_none()
        && now_ms.saturating_sub(entry.last_timestamp) >= expiration_ms
}

impl ProducerUpdate {
    fn append_data(
        &mut self,
        header: &RecordBatchHeader,
        origin: ProducerOrigin,
        name: &str,
    ) -> Result<(), AppendError> {
        self.check_epoch(header, origin, name)?;
        if origin == ProducerOrigin::Client {
            self.check_sequence(header, name)?;
        }
        self.updated.set_epoch(header.producer_epoch);
        self.updated.add_batch(BatchMetadata {
            last_sequence: header.last_sequence(),
            last_offset: header.last_offset(),
            offset_delta: header.last_offset_delta,
            timestamp: header.max_timestamp,
        });
        self.updated.last_timestamp = header.max_timestamp;
        match (
            self.updated.current_txn_first_offset,
            header.is_transactional(),
        ) {
            (Some(_), false) => Err(AppendError::new(
                ErrorCode::INVALID_TXN_STATE,
                format!(
                    "Expected transactional write from producer {} at offset {} in partition {name}",
                    header.producer_id, header.base_offset
                ),
            )),
            (None, true) => {
                self.updated.current_txn_first_offset = Some(header.base_offset);
                self.started.push(header.base_offset);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// A transaction's end: (version, type) in the key, (version, coordinator epoch) in the value.
    fn append_marker(
        &mut self,
        batch: &RecordBatch,
        origin: ProducerOrigin,
        name: &str,
    ) -> Result<Option<CompletedTransaction>, AppendError> {
        let header = &batch.header;
        let Some(Ok(record)) = batch.records().ok().and_then(|mut records| records.next()) else {
            return Ok(None);
        };
        self.check_epoch(header, origin, name)?;
        let coordinator_epoch = record
            .value
            .as_deref()
            .and_then(|value| value.get(2..6))
            .and_then(|bytes| bytes.try_into().ok());
        let coordinator_epoch = i32::from_be_bytes(coordinator_epoch.unwrap_or_default());
        if self.updated.coordinator_epoch > coordinator_epoch
            && origin != ProducerOrigin::Replication
        {
            return Err(AppendError::new(
                ErrorCode::TRANSACTION_COORDINATOR_FENCED,
                format!(
                    "Invalid coordinator epoch for producerId {} at offset {} in partition {name}: {coordinator_epoch} (zombie), {} (current)",
                    header.producer_id, header.base_offset, self.updated.coordinator_epoch
                ),
            ));
        }
        let completed = self.updated.current_txn_first_offset.take();
        self.updated.set_epoch(header.producer_epoch);
        self.updated.coordinator_epoch = coordinator_epoch;
        self.updated.last_timestamp = record.timestamp;
        Ok(completed.map(|first_offset| CompletedTransaction {
            first_offset,
            last_offset: header.base_offset,
        }))
    }

    fn check_epoch(
        &self,
        header: &RecordBatchHeader,
        origin: ProducerOrigin,
        name: &str,
    ) -> Result<(), AppendError> {
        if header.producer_epoch >= self.updated.epoch || origin == ProducerOrigin::Replication {
            return Ok(());
        }
        Err(AppendError::new(
            ErrorCode::INVALID_PRODUCER_EPOCH,
            format!(
                "Epoch of producer {} at offset {} in {name} is {}, which is smaller than the last seen epoch {}",
                header.producer_id, header.base_offset, header.producer_epoch, self.updated.epoch
            ),
        ))
    }

    fn check_sequence(&self, header: &RecordBatchHeader, name: &str) -> Result<(), AppendError> {
        let (producer_id, epoch, first) = (
            header.producer_id,
            header.producer_epoch,
            header.base_sequence,
        );
        let offset = header.base_offset;
        if epoch != self.updated.epoch {
            if first != 0 && self.updated.epoch != NO_PRODUCER_EPOCH {
                // The missing space is Kafka's.
                return Err(AppendError::new(
                    ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
                    format!(
                        "Invalid sequence number for new epoch of producer {producer_id}at offset {offset} in partition {name}: {epoch} (request epoch), {first} (seq. number), {} (current producer epoch)",
                        self.updated.epoch
                    ),
                ));
            }
            return Ok(());
        }
        let last = if !self.updated.batches.is_empty() {
            self.updated.last_sequence()
        } else if epoch == self.current.epoch {
            self.current.last_sequence()
        } else {
            NO_SEQUENCE
        };
        // Without an epoch (the producer's records were all deleted) any sequence is taken.
        if self.current.epoch == NO_PRODUCER_EPOCH || first == add_sequence(last, 1) {
            return Ok(());
        }
        Err(AppendError::new(
            ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER,
            format!(
                "Out of order sequence number for producer {producer_id} at offset {offset} in partition {name}: {first} (incoming seq. number), {last} (current end sequence number)"
            ),
        ))
    }
}
