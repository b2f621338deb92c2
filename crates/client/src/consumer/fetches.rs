//! Fetch requests and what comes back (`FetchRequestManager`).

use super::fetcher::{self, Wanted};
use super::subscription::Position;
use super::{Consumer, FETCHED_MAX, Pending};
use crate::{ClientError, TopicPartition};
use playground_protocol::messages::ApiKey;
use playground_protocol::{ErrorCode, LogLevel, Time};
use std::collections::{BTreeMap, BTreeSet};

impl Consumer {
    pub(super) fn send_fetches(&mut self, now: Time) {
        if self.fetched.len() >= FETCHED_MAX {
            return;
        }
        let mut by_node: BTreeMap<i32, BTreeMap<TopicPartition, Wanted>> = BTreeMap::new();
        let mut busy: BTreeSet<i32> = BTreeSet::new();
        let mut unknown = false;
        let mut wake = Time::NEVER;
        for (partition, assigned) in self.subscription.iter() {
            let Position::At(offset, _) = assigned.position else {
                continue;
            };
            if self
                .fetched
                .iter()
                .any(|fetched| fetched.partition == *partition && fetched.expected == offset)
            {
                // Nothing more is fetched from a node while something of it waits to be polled, which
                // keeps its session's partitions as they are.
                busy.extend(self.network.metadata().leader(partition));
                continue;
            }
            if assigned.not_before > now {
                wake = wake.min(assigned.not_before);
                continue;
            }
            let metadata = self.network.metadata();
            let (Some(leader), Some(topic)) =
                (metadata.leader(partition), metadata.topic(&partition.topic))
            else {
                unknown = true;
                continue;
            };
            let leader_epoch = metadata
                .partition(partition)
                .and_then(|info| info.leader_epoch);
            let wanted = Wanted {
                topic_id: topic.id,
                offset,
                leader_epoch,
            };
            by_node
                .entry(leader)
                .or_default()
                .insert(partition.clone(), wanted);
        }
        if unknown {
            self.network.metadata_mut().request_update();
        }
        self.network.wake_at(wake);
        for (node, wanted) in by_node {
            if busy.contains(&node)
                || self.fetching.contains(&node)
                || !self.network.ready(node, now)
            {
                continue;
            }
            let ids = wanted.values().all(|wanted| !wanted.topic_id.is_nil());
            let highest = if ids { i16::MAX } else { 12 };
            let Some(version) = self.network.version(node, ApiKey::Fetch, highest) else {
                continue;
            };
            let rack = self.config.common.client_rack.clone();
            let session = self.sessions.entry(node).or_default();
            let request = session.request(wanted, version >= 13, &rack, &self.config);
            let id = self
                .network
                .send(node, ApiKey::Fetch, version, request, now);
            self.pending.insert(id, Pending::Fetch(node));
            self.fetching.insert(node);
        }
    }

    pub(super) fn fetch_answered(
        &mut self,
        node: i32,
        response: &playground_protocol::messages::FetchResponse,
        now: Time,
    ) {
        let Some(session) = self.sessions.get_mut(&node) else {
            return;
        };
        let error = ErrorCode(response.error_code);
        if !error.is_none() {
            // FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR, ...
            session.reset();
            if matches!(
                error,
                ErrorCode::UNKNOWN_TOPIC_ID | ErrorCode::INCONSISTENT_TOPIC_ID
            ) {
                self.network.metadata_mut().request_update();
            }
            return;
        }
        let session_of_request = session.clone();
        session.answered(response.session_id);
        self.retries = 0;
        for topic in &response.responses {
            for data in &topic.partitions {
                let partition = if topic.topic_id.is_nil() {
                    Some(TopicPartition::new(
                        topic.topic.0.to_string(),
                        data.partition_index,
                    ))
                } else {
                    session_of_request.partition(topic.topic_id, data.partition_index)
                };
                let Some(partition) = partition else { continue };
                let Some(asked) = session_of_request.wanted_offset(&partition) else {
                    continue;
                };
                if self.subscription.position(&partition) == Some(asked) {
                    self.partition_fetched(&partition, asked, data, now);
                }
            }
        }
    }

    pub(super) fn partition_fetched(
        &mut self,
        partition: &TopicPartition,
        asked: i64,
        data: &playground_protocol::messages::fetch_response::PartitionData,
        now: Time,
    ) {
        let error = ErrorCode(data.error_code);
        if error.is_none() {
            match fetcher::read(partition, asked, data, self.config.check_crcs) {
                Ok(fetched) if fetched.records.is_empty() => {
                    if fetched.next.0 > asked {
                        self.subscription
                            .set(partition, Position::At(fetched.next.0, fetched.next.1));
                    }
                }
                Ok(fetched) => self.fetched.push_back(fetched),
                Err(error) => {
                    let later = self.retry_time(now);
                    self.subscription.back_off(partition, later);
                    self.error(error);
                }
            }
            return;
        }
        let leader = &data.current_leader;
        if leader.leader_id.0 >= 0 && leader.leader_epoch >= 0 {
            self.network.metadata_mut().update_leader(
                partition,
                leader.leader_id.0,
                leader.leader_epoch,
            );
        }
        let later = self.retry_time(now);
        self.subscription.back_off(partition, later);
        match error {
            ErrorCode::OFFSET_OUT_OF_RANGE => self.out_of_range(partition, asked, now),
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => {
                let text = format!(
                    "Received unknown topic or partition error in fetch for partition {partition}"
                );
                self.network.log(
                    LogLevel::Warn,
                    "org.apache.kafka.clients.consumer.internals.FetchCollector",
                    text,
                );
                self.network.metadata_mut().request_update();
            }
            ErrorCode::TOPIC_AUTHORIZATION_FAILED => {
                let text = format!("Not authorized to access topics: [{}]", partition.topic);
                self.error(ClientError::from_code(error, Some(&text)));
            }
            ErrorCode::CORRUPT_MESSAGE => {
                let text = format!(
                    "Encountered corrupt message when fetching offset {asked} for topic-partition {partition}"
                );
                self.error(ClientError::new(
                    "org.apache.kafka.common.KafkaException",
                    text,
                ));
            }
            _ => self.network.metadata_mut().request_update(),
        }
    }

    pub(super) fn out_of_range(&mut self, partition: &TopicPartition, asked: i64, now: Time) {
        match self.reset_timestamp(now) {
            Some(timestamp) => self.subscription.set(partition, Position::Reset(timestamp)),
            None => self.error(ClientError::new(
                "org.apache.kafka.clients.consumer.OffsetOutOfRangeException",
                format!("Fetch position FetchPosition{{offset={asked}}} is out of range for partition {partition}"),
            )),
        }
    }

    // ---- closing -----------------------------------------------------------------------------
}
