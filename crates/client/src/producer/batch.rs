//! Batches that fill, wait and are sent, and the queue of each partition (`ProducerBatch`).

use std::collections::{BTreeSet, VecDeque};

use bytes::Bytes;
use playground_log::codec::Codec;
use playground_log::record::{RecordBatchBuilder, add_sequence, batches};
use playground_protocol::Time;

use super::{ProducerRecord, RecordId};

/// What a record's completion needs to know.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) id: RecordId,
    pub(super) timestamp: i64,
    pub(super) key_size: i32,
    pub(super) value_size: i32,
}

/// One batch: open while its partition's last, closed when full or sent.
#[derive(Clone, Debug)]
pub(super) struct Batch {
    builder: RecordBatchBuilder,
    pub(super) records: Vec<Pending>,
    pub(super) created: Time,
    pub(super) last_attempt: Time,
    pub(super) attempts: i32,
    /// Not sent again before.
    pub(super) retry_at: Time,
    /// Bytes that it takes of `buffer.memory`.
    pub(super) capacity: usize,
    ratio_permille: u32,
    closed: bool,
    pub(super) sequence: Option<i32>,
    pub(super) sequence_was_reset: bool,
    /// It was split off a batch that was too large.
    pub(super) is_split: bool,
}

impl Batch {
    pub(super) fn new(codec: Codec, capacity: usize, ratio_permille: u32, now: Time) -> Batch {
        Batch {
            builder: RecordBatchBuilder::new(codec),
            records: Vec::new(),
            created: now,
            last_attempt: now,
            attempts: 0,
            retry_at: Time::default(),
            capacity,
            ratio_permille,
            closed: false,
            sequence: None,
            sequence_was_reset: false,
            is_split: false,
        }
    }

    /// Adds a record if there is room; gives the bytes by which the batch grew.
    pub(super) fn try_append(
        &mut self,
        id: RecordId,
        record: &ProducerRecord,
        timestamp: i64,
    ) -> Option<usize> {
        let (key, value) = (record.key.as_deref(), record.value.as_deref());
        if self.closed
            || !self.builder.has_room_for(
                self.capacity,
                self.ratio_permille,
                timestamp,
                key,
                value,
                &record.headers,
            )
        {
            self.closed = true;
            return None;
        }
        let before = self.builder.estimated_size(self.ratio_permille);
        let first = self.records.is_empty();
        self.builder.append(timestamp, key, value, &record.headers);
        self.records.push(Pending {
            id,
            timestamp,
            key_size: size_of_nullable(key),
            value_size: size_of_nullable(value),
        });
        let after = self.builder.estimated_size(self.ratio_permille);
        Some(if first { after } else { after - before })
    }

    pub(super) fn is_full(&self) -> bool {
        self.closed
            || (!self.records.is_empty()
                && self.capacity <= self.builder.estimated_size(self.ratio_permille))
    }

    pub(super) fn close(&mut self) {
        self.closed = true;
    }

    pub(super) fn uncompressed_size(&self) -> usize {
        self.builder.uncompressed_size()
    }

    pub(super) fn estimated_size(&self) -> usize {
        self.builder.estimated_size(self.ratio_permille)
    }

    pub(super) fn set_producer(&mut self, id: i64, epoch: i16, sequence: i32) {
        self.sequence = Some(sequence);
        self.builder.set_producer(id, epoch, sequence);
    }

    pub(super) fn last_sequence(&self) -> Option<i32> {
        Some(add_sequence(self.sequence?, self.records.len() as i32 - 1))
    }

    /// The batch's bytes.
    pub(super) fn build(&self) -> Option<Bytes> {
        self.builder.clone().build()
    }

    /// The batch's records in batches of their own, for a broker that finds it too large.
    pub(super) fn split(self, codec: Codec, batch_size: usize, now: Time) -> Vec<Batch> {
        let mut parts: Vec<Batch> = Vec::new();
        let bytes = self.build().unwrap_or_default();
        let records = batches(bytes)
            .filter_map(Result::ok)
            .filter_map(|batch| batch.records().ok())
            .flatten()
            .filter_map(Result::ok);
        for (record, pending) in records.zip(&self.records) {
            let record = ProducerRecord {
                key: record.key,
                value: record.value,
                headers: record.headers,
                ..ProducerRecord::default()
            };
            let fits = parts.last_mut().is_some_and(|part| {
                part.try_append(pending.id, &record, pending.timestamp)
                    .is_some()
            });
            if !fits {
                let mut part = Batch::new(codec, batch_size, 1000, now);
                part.created = self.created;
                part.attempts = self.attempts;
                part.try_append(pending.id, &record, pending.timestamp);
                parts.push(part);
            }
        }
        for part in &mut parts {
            part.is_split = true;
            part.close();
        }
        parts
    }
}

/// Bytes of a key or value, -1 for null.
pub(super) fn size_of_nullable(bytes: Option<&[u8]>) -> i32 {
    bytes.map_or(-1, |bytes| bytes.len() as i32)
}

/// A partition's batches, oldest first, and its sequence numbers (`TxnPartitionEntry`).
#[derive(Clone, Debug, Default)]
pub(super) struct PartitionQueue {
    pub(super) batches: VecDeque<Batch>,
    /// The producer id and epoch that the sequences belong to.
    pub(super) producer: Option<(i64, i16)>,
    pub(super) next_sequence: i32,
    pub(super) last_acked_sequence: Option<i32>,
    /// First sequences of the batches that were sent and have no final answer.
    pub(super) in_flight: BTreeSet<i32>,
    /// A batch was given up whose fate is unknown: the next sequence that would then be in doubt.
    pub(super) unresolved: Option<i32>,
    /// Batches of this partition that are on the wire.
    pub(super) on_the_wire: usize,
}

impl PartitionQueue {
    /// Whether `sequence` is the one after the last that was acknowledged.
    pub(super) fn is_next_sequence(&self, sequence: i32) -> bool {
        match self.last_acked_sequence {
            Some(last) => add_sequence(last, 1) == sequence,
            None => sequence == 0,
        }
    }

    /// Puts a batch back, before all batches with later sequences, and before those without any.
    pub(super) fn put_back(&mut self, batch: Batch) {
        let position = match batch.sequence {
            None => 0,
            Some(sequence) => self
                .batches
                .iter()
                .position(|other| other.sequence.is_none_or(|other| other > sequence))
                .unwrap_or(self.batches.len()),
        };
        self.batches.insert(position, batch);
    }
}
