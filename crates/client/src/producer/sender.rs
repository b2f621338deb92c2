//! Sending batches and taking their answers (`Sender`, `RecordAccumulator`, `TransactionManager`).

use std::collections::BTreeMap;

use playground_protocol::messages::produce_response::PartitionProduceResponse;
use playground_protocol::messages::{ProduceResponse, ResponseKind};
use playground_protocol::{ErrorCode, LogLevel, Time};

use super::batch::Batch;
use super::{Identity, Producer, ProducerEvent, RecordMetadata};
use crate::network::{Completed, Outcome, is_invalid_metadata};
use crate::{ClientError, TopicPartition};

const LOGGER: &str = "org.apache.kafka.clients.producer.internals.Sender";
/// Java's estimate moves by these steps, in thousandths (`CompressionRatioEstimator`).
const RATIO_WORSE: u32 = 50;
const RATIO_BETTER: u32 = 5;

/// The part of a response that is about one batch.
pub(super) struct Answer {
    error: ErrorCode,
    message: Option<String>,
    base_offset: i64,
    log_append_time: i64,
    record_errors: BTreeMap<i32, Option<String>>,
    leader: Option<(i32, i32)>,
}

impl Answer {
    pub(super) fn of_error(error: ErrorCode, message: Option<String>) -> Answer {
        Answer {
            error,
            message,
            base_offset: -1,
            log_append_time: -1,
            record_errors: BTreeMap::new(),
            leader: None,
        }
    }

    fn shown(&self) -> String {
        match self.message.as_deref() {
            Some(message) if !message.is_empty() => {
                format!("{}. Error Message: {message}", self.error.name())
            }
            _ => self.error.name().to_owned(),
        }
    }
}

impl Producer {
    /// One turn: answers, expiries, new records, sends, until nothing moves.
    pub(super) fn run(&mut self, now: Time) {
        if self.closed {
            return;
        }
        loop {
            while let Some(completed) = self.network.poll_completed() {
                self.completed(completed, now);
            }
            self.expire(now);
            self.admit(now);
            self.resolve_sequences();
            self.bump_epoch();
            self.network.update_metadata(now);
            self.request_producer_id(now);
            self.send_batches(now);
            if !self.network.has_completed() {
                break;
            }
        }
        self.maybe_finish_close(now);
        self.network.finish(now);
    }

    fn completed(&mut self, completed: Completed, now: Time) {
        if let Identity::Requested(id) = self.identity
            && id == completed.correlation_id
        {
            self.producer_id_answer(&completed.outcome, now);
            return;
        }
        let Some(batches) = self.in_flight.remove(&completed.correlation_id) else {
            return;
        };
        for (partition, _) in &batches {
            if let Some(queue) = self.partitions.get_mut(partition) {
                queue.on_the_wire = queue.on_the_wire.saturating_sub(1);
            }
        }
        match completed.outcome {
            Outcome::Response(response) => {
                if let ResponseKind::Produce(response) = *response {
                    self.produce_answer(completed.correlation_id, batches, &response, now);
                }
            }
            Outcome::Sent => {
                for (partition, batch) in batches {
                    self.succeed(&partition, batch, -1, -1);
                }
            }
            Outcome::Disconnected { timed_out } => {
                let node = completed.node;
                for (partition, batch) in batches {
                    let answer = if timed_out {
                        Answer::of_error(
                            ErrorCode::REQUEST_TIMED_OUT,
                            Some(format!("Disconnected from node {node} due to timeout")),
                        )
                    } else {
                        Answer::of_error(
                            ErrorCode::NETWORK_EXCEPTION,
                            Some(format!("Disconnected from node {node}")),
                        )
                    };
                    self.answered(completed.correlation_id, partition, batch, answer, now);
                }
            }
        }
    }

    fn produce_answer(
        &mut self,
        correlation_id: i32,
        mut batches: Vec<(TopicPartition, Batch)>,
        response: &ProduceResponse,
        now: Time,
    ) {
        for topic in &response.responses {
            let name = if topic.topic_id.is_nil() {
                topic.name.0.to_string()
            } else {
                match self.network.metadata().topic_name(topic.topic_id) {
                    Some(name) => name.to_owned(),
                    // The topic was made anew meanwhile: its batch is the one that no other answer is for.
                    None => self
                        .sent_topic_ids
                        .get(&topic.topic_id)
                        .cloned()
                        .unwrap_or_default(),
                }
            };
            for partition in &topic.partition_responses {
                let key = TopicPartition::new(name.clone(), partition.index);
                if let Some(index) = batches.iter().position(|(sent, _)| *sent == key) {
                    let (key, batch) = batches.remove(index);
                    self.answered(correlation_id, key, batch, answer_of(partition), now);
                }
            }
        }
        for (partition, batch) in batches {
            let answer = Answer::of_error(ErrorCode::UNKNOWN_SERVER_ERROR, None);
            self.answered(correlation_id, partition, batch, answer, now);
        }
    }

    /// `Sender.completeBatch`.
    pub(super) fn answered(
        &mut self,
        correlation_id: i32,
        partition: TopicPartition,
        batch: Batch,
        answer: Answer,
        now: Time,
    ) {
        let error = answer.error;
        if error.is_none() {
            self.succeed(
                &partition,
                batch,
                answer.base_offset,
                answer.log_append_time,
            );
            return;
        }
        if error == ErrorCode::MESSAGE_TOO_LARGE && batch.records.len() > 1 {
            let left = self.config.retries - batch.attempts;
            self.warn(format!(
                "Got error produce response in correlation id {correlation_id} on topic-partition {partition}, splitting and retrying ({left} attempts left). Error: {}",
                answer.shown()
            ));
            self.split(&partition, batch, now);
            return;
        }
        if self.can_retry(&partition, &batch, error, now) {
            let left = i64::from(self.config.retries) - i64::from(batch.attempts) - 1;
            self.warn(format!(
                "Got error produce response with correlation id {correlation_id} on topic-partition {partition}, retrying ({left} attempts left). Error: {}",
                answer.shown()
            ));
            self.put_back(&partition, batch, now);
        } else if error == ErrorCode::DUPLICATE_SEQUENCE_NUMBER {
            self.succeed(
                &partition,
                batch,
                answer.base_offset,
                answer.log_append_time,
            );
        } else {
            let adjust = batch.attempts < self.config.retries;
            self.fail_answered(&partition, batch, &answer, adjust);
        }
        if is_invalid_metadata(error) {
            if error == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION {
                self.warn(format!(
                    "Received unknown topic or partition error in produce request on partition {partition}. The topic-partition may not exist or the user may not have Describe access to it"
                ));
            } else {
                let shown = ClientError::from_code(error, answer.message.as_deref());
                self.warn(format!(
                    "Received invalid metadata error in produce request on partition {partition} due to {shown} Going to request metadata update now"
                ));
            }
            if let Some((leader, epoch)) = answer.leader {
                self.network
                    .metadata_mut()
                    .update_leader(&partition, leader, epoch);
            }
            self.network.metadata_mut().request_update();
        }
    }

    fn warn(&mut self, message: String) {
        self.network.log(LogLevel::Warn, LOGGER, message);
    }

    fn can_retry(
        &self,
        partition: &TopicPartition,
        batch: &Batch,
        error: ErrorCode,
        now: Time,
    ) -> bool {
        let expired = batch.created.plus_millis(self.config.delivery_timeout_ms) <= now;
        if expired || batch.attempts >= self.config.retries || self.force_closed {
            return false;
        }
        if error == ErrorCode::OUT_OF_ORDER_SEQUENCE_NUMBER && self.config.idempotence {
            return self.partitions.get(partition).is_some_and(|queue| {
                queue.unresolved.is_none()
                    && (batch.sequence_was_reset
                        || batch
                            .sequence
                            .is_some_and(|sequence| !queue.is_next_sequence(sequence)))
            });
        }
        error.is_retriable()
    }

    pub(super) fn put_back(&mut self, partition: &TopicPartition, mut batch: Batch, now: Time) {
        batch.attempts += 1;
        batch.last_attempt = now;
        let tries = u32::try_from(batch.attempts - 1).unwrap_or(0);
        let wait = self.retry_backoff.wait_ms(tries, self.network.random());
        batch.retry_at = now.plus_millis(wait);
        batch.close();
        self.partitions
            .entry(partition.clone())
            .or_default()
            .put_back(batch);
    }

    fn split(&mut self, partition: &TopicPartition, batch: Batch, now: Time) {
        self.ratios.insert(partition.topic.clone(), 1000);
        self.memory_used -= batch.capacity as i64;
        let limit = if batch.is_split {
            batch.estimated_size() / 2
        } else {
            self.config.batch_size
        };
        let queue = self.partitions.entry(partition.clone()).or_default();
        if let Some(sequence) = batch.sequence {
            queue.in_flight.remove(&sequence);
        }
        let producer = queue.producer;
        let mut sequence = batch.sequence;
        for mut part in batch.split(self.config.compression, limit, now) {
            self.memory_used += part.capacity as i64;
            if let (Some(first), Some((id, epoch))) = (sequence, producer) {
                part.set_producer(id, epoch, first);
                queue.in_flight.insert(first);
                sequence = part
                    .last_sequence()
                    .map(|last| playground_log::record::add_sequence(last, 1));
            }
            if sequence.is_some() {
                queue.put_back(part);
            } else {
                let at = queue
                    .batches
                    .iter()
                    .take_while(|other| other.created <= part.created && other.attempts > 0)
                    .count();
                queue.batches.insert(at, part);
            }
        }
    }

    fn succeed(
        &mut self,
        partition: &TopicPartition,
        batch: Batch,
        base_offset: i64,
        log_append_time: i64,
    ) {
        if let (Some(queue), Some(sequence), Some(last)) = (
            self.partitions.get_mut(partition),
            batch.sequence,
            batch.last_sequence(),
        ) {
            queue.in_flight.remove(&sequence);
            let newer = queue.last_acked_sequence.is_none_or(|acked| acked < last);
            if newer {
                queue.last_acked_sequence = Some(last);
            }
        }
        self.memory_used -= batch.capacity as i64;
        for (index, record) in (0_i64..).zip(&batch.records) {
            self.incomplete.remove(&record.id);
            self.events.push_back(ProducerEvent::Completed {
                id: record.id,
                result: Ok(RecordMetadata {
                    topic: partition.topic.clone(),
                    partition: partition.partition,
                    offset: if base_offset < 0 {
                        -1
                    } else {
                        base_offset + index
                    },
                    timestamp: if log_append_time >= 0 {
                        log_append_time
                    } else {
                        record.timestamp
                    },
                    serialized_key_size: record.key_size,
                    serialized_value_size: record.value_size,
                }),
            });
        }
    }

    fn fail_answered(
        &mut self,
        partition: &TopicPartition,
        batch: Batch,
        answer: &Answer,
        adjust: bool,
    ) {
        let whole = match answer.error {
            ErrorCode::TOPIC_AUTHORIZATION_FAILED => ClientError::from_code(
                answer.error,
                Some(&format!(
                    "Not authorized to access topics: [{}]",
                    partition.topic
                )),
            ),
            ErrorCode::CLUSTER_AUTHORIZATION_FAILED => ClientError::from_code(
                answer.error,
                Some("The producer is not authorized to do idempotent sends"),
            ),
            error => ClientError::from_code(error, answer.message.as_deref()),
        };
        let only_one = answer.record_errors.len() == 1;
        let errors = &answer.record_errors;
        let each = |index: i32| {
            if errors.is_empty() {
                return whole.clone();
            }
            let Some(message) = errors.get(&index) else {
                return ClientError::new(
                    "org.apache.kafka.common.KafkaException",
                    "Failed to append record because it was part of a batch which had one more more invalid records",
                );
            };
            let message = message
                .as_deref()
                .or(answer.message.as_deref())
                .unwrap_or(answer.error.message());
            if only_one {
                ClientError::from_code(answer.error, Some(message))
            } else {
                ClientError::from_code(ErrorCode::INVALID_RECORD, Some(message))
            }
        };
        self.fail(partition, batch, each, adjust);
    }

    /// Gives a batch up.
    pub(super) fn fail(
        &mut self,
        partition: &TopicPartition,
        batch: Batch,
        error: impl Fn(i32) -> ClientError,
        adjust_sequences: bool,
    ) {
        if let (Some(queue), Some(sequence)) = (self.partitions.get_mut(partition), batch.sequence)
        {
            queue.in_flight.remove(&sequence);
            if adjust_sequences {
                self.rewrite.insert(partition.clone());
            }
        }
        self.memory_used -= batch.capacity as i64;
        for (index, record) in (0..).zip(&batch.records) {
            self.incomplete.remove(&record.id);
            self.events.push_back(ProducerEvent::Completed {
                id: record.id,
                result: Err(error(index)),
            });
        }
    }

    /// Fails batches that are older than `delivery.timeout.ms`.
    fn expire(&mut self, now: Time) {
        let limit = self.config.delivery_timeout_ms;
        let keys: Vec<TopicPartition> = self.partitions.keys().cloned().collect();
        for key in keys {
            while let Some(queue) = self.partitions.get_mut(&key) {
                let Some(front) = queue.batches.front() else {
                    break;
                };
                let due = front.created.plus_millis(limit);
                if due > now {
                    self.network.wake_at(due);
                    break;
                }
                if let Some(batch) = queue.batches.pop_front() {
                    if batch.attempts > 0 {
                        queue.unresolved = queue.unresolved.max(
                            batch
                                .last_sequence()
                                .map(|last| playground_log::record::add_sequence(last, 1)),
                        );
                    }
                    self.fail_expired(&key, batch, now);
                }
            }
        }
        let mut late = Vec::new();
        for (correlation_id, batches) in &mut self.in_flight {
            batches.retain(|(partition, batch)| {
                let due = batch.created.plus_millis(limit);
                if due > now {
                    return true;
                }
                late.push((*correlation_id, partition.clone(), batch.clone()));
                false
            });
            if let Some(first) = batches.iter().map(|(_, batch)| batch.created).min() {
                self.network.wake_at(first.plus_millis(limit));
            }
        }
        for (_, partition, batch) in late {
            if let Some(queue) = self.partitions.get_mut(&partition) {
                queue.on_the_wire = queue.on_the_wire.saturating_sub(1);
                queue.unresolved = queue.unresolved.max(
                    batch
                        .last_sequence()
                        .map(|last| playground_log::record::add_sequence(last, 1)),
                );
            }
            self.fail_expired(&partition, batch, now);
        }
    }

    fn fail_expired(&mut self, partition: &TopicPartition, batch: Batch, now: Time) {
        let age = now.millis() - batch.created.millis();
        let error = ClientError::timeout(format!(
            "Expiring {} record(s) for {partition}:{age} ms has passed since batch creation. The request has not been sent, or no server response has been received yet.",
            batch.records.len()
        ));
        self.fail(partition, batch, |_| error.clone(), false);
    }

    /// Decides what became of sequences in doubt, once nothing of the partition is under way.
    fn resolve_sequences(&mut self) {
        for (partition, queue) in &mut self.partitions {
            if let Some(next) = queue.unresolved
                && queue.in_flight.is_empty()
            {
                queue.unresolved = None;
                if !queue.is_next_sequence(next) {
                    self.rewrite.insert(partition.clone());
                }
            }
        }
    }

    /// After a failure the partition starts at sequence 0 of a new epoch (KIP-360).
    fn bump_epoch(&mut self) {
        if self.rewrite.is_empty() {
            return;
        }
        let partitions = std::mem::take(&mut self.rewrite);
        let Identity::Known { id, epoch } = self.identity else {
            return;
        };
        if epoch == i16::MAX {
            self.identity = Identity::Wanted;
            return;
        }
        let epoch = epoch + 1;
        self.identity = Identity::Known { id, epoch };
        for partition in partitions {
            self.start_sequences(&partition, id, epoch);
        }
    }

    fn start_sequences(&mut self, partition: &TopicPartition, id: i64, epoch: i16) {
        let Some(queue) = self.partitions.get_mut(partition) else {
            return;
        };
        queue.producer = Some((id, epoch));
        queue.last_acked_sequence = None;
        queue.in_flight.clear();
        let on_the_wire = self
            .in_flight
            .values_mut()
            .flatten()
            .filter(|(sent, _)| sent == partition)
            .map(|(_, batch)| batch);
        let mut batches: Vec<&mut Batch> = on_the_wire
            .chain(queue.batches.iter_mut())
            .filter(|batch| batch.sequence.is_some())
            .collect();
        batches.sort_by_key(|batch| batch.sequence);
        let mut next = 0;
        for batch in batches {
            batch.set_producer(id, epoch, next);
            batch.sequence_was_reset = true;
            queue.in_flight.insert(next);
            next = playground_log::record::add_sequence(next, batch.records.len() as i32);
        }
        queue.next_sequence = next;
    }

    pub(super) fn observe_ratio(&mut self, topic: &str, batch: &Batch, built: usize) {
        let uncompressed = batch.uncompressed_size().max(1);
        if self.config.compression == playground_log::codec::Codec::None {
            return;
        }
        let observed = u32::try_from(built * 1000 / uncompressed).unwrap_or(1000);
        let current = self.ratios.get(topic).copied().unwrap_or(1000);
        let next = if observed > current {
            (current + RATIO_WORSE).max(observed)
        } else {
            current.saturating_sub(RATIO_BETTER).max(observed)
        };
        self.ratios.insert(topic.to_owned(), next);
    }
}

fn answer_of(partition: &PartitionProduceResponse) -> Answer {
    let leader = &partition.current_leader;
    Answer {
        error: ErrorCode(partition.error_code),
        message: partition.error_message.as_ref().map(ToString::to_string),
        base_offset: partition.base_offset,
        log_append_time: partition.log_append_time_ms,
        record_errors: partition
            .record_errors
            .iter()
            .map(|error| {
                (
                    error.batch_index,
                    error
                        .batch_index_error_message
                        .as_ref()
                        .map(ToString::to_string),
                )
            })
            .collect(),
        leader: (leader.leader_id.0 >= 0 && leader.leader_epoch >= 0)
            .then_some((leader.leader_id.0, leader.leader_epoch)),
    }
}
