//! What the sender sends: InitProducerId and Produce requests.

use super::batch::Batch;
use super::sender::Answer;
use super::{Acks, Identity, Producer};
use crate::TopicPartition;
use crate::network::Outcome;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::produce_request::{PartitionProduceData, TopicProduceData};
use playground_protocol::messages::{
    ApiKey, InitProducerIdRequest, ProduceRequest, ProducerId, ResponseKind, TopicName,
};
use playground_protocol::{ErrorCode, Time};
use std::collections::BTreeMap;

impl Producer {
    pub(super) fn request_producer_id(&mut self, now: Time) {
        if self.identity != Identity::Wanted {
            return;
        }
        if now < self.identity_retry_at {
            self.network.wake_at(self.identity_retry_at);
            return;
        }
        let Some(node) = self.network.least_loaded_node(now) else {
            return;
        };
        if !self.network.ready(node, now) {
            return;
        }
        let Some(version) = self.network.version(node, ApiKey::InitProducerId, 5) else {
            // A broker without idempotence: Java fails; nothing of this project is so old.
            self.identity = Identity::Unneeded;
            return;
        };
        let request = InitProducerIdRequest::default()
            .with_transactional_id(None)
            .with_transaction_timeout_ms(i32::MAX)
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1);
        let id = self
            .network
            .send(node, ApiKey::InitProducerId, version, request, now);
        self.identity = Identity::Requested(id);
    }

    pub(super) fn producer_id_answer(&mut self, outcome: &Outcome, now: Time) {
        if let Outcome::Response(response) = outcome
            && let ResponseKind::InitProducerId(response) = response.as_ref()
            && response.error_code == 0
        {
            self.identity = Identity::Known {
                id: response.producer_id.0,
                epoch: response.producer_epoch,
            };
            return;
        }
        self.identity = Identity::Wanted;
        let wait = self.retry_backoff.wait_ms(0, self.network.random());
        self.identity_retry_at = now.plus_millis(wait);
    }

    /// Sends every batch that is due to a leader that is ready.
    pub(super) fn send_batches(&mut self, now: Time) {
        let mut by_node: BTreeMap<i32, Vec<TopicPartition>> = BTreeMap::new();
        let flushing = self.is_flushing();
        let mut leaderless = false;
        for (partition, queue) in &self.partitions {
            let Some(front) = queue.batches.front() else {
                continue;
            };
            let one_at_a_time = self.config.max_in_flight == 1;
            if one_at_a_time && queue.on_the_wire > 0 {
                continue;
            }
            let full = queue.batches.len() > 1 || front.is_full();
            let due = if front.attempts > 0 {
                front.retry_at
            } else if full || flushing || self.exhausted {
                Time::default()
            } else {
                front.created.plus_millis(self.config.linger_ms)
            };
            if due > now {
                self.network.wake_at(due);
                continue;
            }
            match self.network.metadata().leader(partition) {
                Some(leader) => by_node.entry(leader).or_default().push(partition.clone()),
                None => leaderless = true,
            }
        }
        if leaderless {
            self.network.metadata_mut().request_update();
        }
        for (node, mut partitions) in by_node {
            // Each turn starts after the partition that the last request to this node ended with.
            if let Some(last) = self.drained_last.get(&node) {
                let at = partitions.partition_point(|partition| partition <= last);
                let count = partitions.len().max(1);
                partitions.rotate_left(at % count);
            }
            while self.network.ready(node, now) {
                let batches = self.drain(&partitions, now);
                if batches.is_empty() {
                    break;
                }
                if let Some((last, _)) = batches.last() {
                    self.drained_last.insert(node, last.clone());
                }
                self.send_request(node, batches, now);
            }
        }
    }

    /// At most one batch of each partition, up to `max.request.size` bytes.
    pub(super) fn drain(
        &mut self,
        partitions: &[TopicPartition],
        now: Time,
    ) -> Vec<(TopicPartition, Batch)> {
        let mut drained: Vec<(TopicPartition, Batch)> = Vec::new();
        let mut size = 0;
        let flushing = self.is_flushing();
        let identity = match self.identity {
            Identity::Unneeded => None,
            Identity::Known { id, epoch } => Some((id, epoch)),
            _ => return drained,
        };
        for partition in partitions {
            let Some(queue) = self.partitions.get_mut(partition) else {
                continue;
            };
            let full = queue.batches.len() > 1;
            let Some(front) = queue.batches.front() else {
                continue;
            };
            if self.config.max_in_flight == 1 && queue.on_the_wire > 0 {
                continue;
            }
            let lingers = front.attempts == 0
                && !full
                && !front.is_full()
                && !flushing
                && !self.exhausted
                && front.created.plus_millis(self.config.linger_ms) > now;
            if lingers || front.retry_at > now {
                continue;
            }
            let batch_size = front.estimated_size();
            if size + batch_size > self.config.max_request_size && !drained.is_empty() {
                break;
            }
            if let Some((id, epoch)) = identity {
                let first_in_flight = queue.in_flight.first().copied();
                match front.sequence {
                    Some(sequence) if first_in_flight.is_some_and(|first| first != sequence) => {
                        continue;
                    }
                    None if queue.unresolved.is_some() => continue,
                    Some(_) => {}
                    None => {
                        if queue.producer != Some((id, epoch)) && queue.in_flight.is_empty() {
                            queue.producer = Some((id, epoch));
                            queue.next_sequence = 0;
                            queue.last_acked_sequence = None;
                        }
                        let (id, epoch) = queue.producer.unwrap_or((id, epoch));
                        let sequence = queue.next_sequence;
                        if let Some(front) = queue.batches.front_mut() {
                            front.set_producer(id, epoch, sequence);
                            queue.in_flight.insert(sequence);
                            queue.next_sequence = playground_log::record::add_sequence(
                                sequence,
                                front.records.len() as i32,
                            );
                        }
                    }
                }
            }
            if let Some(mut batch) = queue.batches.pop_front() {
                batch.close();
                size += batch_size;
                queue.on_the_wire += 1;
                drained.push((partition.clone(), batch));
            }
        }
        drained
    }

    pub(super) fn send_request(
        &mut self,
        node: i32,
        batches: Vec<(TopicPartition, Batch)>,
        now: Time,
    ) {
        let known = batches.iter().all(|(partition, _)| {
            self.network
                .metadata()
                .topic(&partition.topic)
                .is_some_and(|topic| !topic.id.is_nil())
        });
        let Some(version) =
            self.network
                .version(node, ApiKey::Produce, if known { i16::MAX } else { 12 })
        else {
            for (partition, batch) in batches {
                let answer = Answer::of_error(ErrorCode::UNSUPPORTED_VERSION, None);
                self.answered(0, partition, batch, answer, now);
            }
            return;
        };
        let mut topics: BTreeMap<String, TopicProduceData> = BTreeMap::new();
        for (partition, batch) in &batches {
            let bytes = batch.build().unwrap_or_default();
            self.observe_ratio(&partition.topic, batch, bytes.len());
            let id = self
                .network
                .metadata()
                .topic(&partition.topic)
                .map_or(uuid::Uuid::nil(), |topic| topic.id);
            let topic = topics.entry(partition.topic.clone()).or_insert_with(|| {
                if version >= 13 {
                    TopicProduceData::default().with_topic_id(id)
                } else {
                    TopicProduceData::default()
                        .with_name(TopicName(StrBytes::from_string(partition.topic.clone())))
                }
            });
            if version >= 13 {
                self.sent_topic_ids.insert(id, partition.topic.clone());
            }
            topic.partition_data.push(
                PartitionProduceData::default()
                    .with_index(partition.partition)
                    .with_records(Some(bytes)),
            );
        }
        let request = ProduceRequest::default()
            .with_transactional_id(None)
            .with_acks(self.config.acks.code())
            .with_timeout_ms(
                i32::try_from(self.config.common.request_timeout_ms).unwrap_or(i32::MAX),
            )
            .with_topic_data(topics.into_values().collect());
        let id = self.network.reserve_correlation_id();
        self.in_flight.insert(id, batches);
        let timeout = self.config.common.request_timeout_ms;
        self.network
            .send_reserved(id, node, ApiKey::Produce, version, request, timeout, now);
        debug_assert!(self.config.acks != Acks::None || self.network.has_completed());
    }
}
