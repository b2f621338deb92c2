//! Produce (`KafkaApis.handleProduceRequest`, `ReplicaManager.appendRecords`); with `acks=all` the answer waits
//! for the followers (`DelayedProduce`).

use playground_log::{AppendError, AppendInfo, AppendOrigin, Disk};
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse,
    TopicProduceResponse,
};
use playground_protocol::messages::{ProduceRequest, ProduceResponse, ResponseKind};
use playground_protocol::{ErrorCode, Time};
use uuid::Uuid;

use super::Reply;
use crate::node::Node;
use crate::node::connections::Request;
use crate::node::partition::Cluster;
use crate::node::purgatory::{PendingProduce, Waiting};
use crate::node::view::Role;

/// From this version on, topics are named by id (KIP-516).
const BY_TOPIC_ID: i16 = 13;
/// From this version on, errors of leadership name the leader (KIP-951).
const TELLS_LEADERS: i16 = 10;

impl Node {
    pub(super) fn produce(
        &mut self,
        request: &Request,
        body: &ProduceRequest,
        disk: &mut Disk,
        now: Time,
    ) -> Reply {
        let by_id = request.version >= BY_TOPIC_ID;
        let mut responses = Vec::new();
        let mut waiting = Vec::new();
        let mut failed = false;
        for topic in &body.topic_data {
            let found = if by_id {
                self.image.topic_by_id(topic.topic_id)
            } else {
                self.image.topic(&topic.name)
            };
            let name = found.map(|topic| topic.name.clone());
            let mut partitions = Vec::new();
            for partition in &topic.partition_data {
                let records = partition.records.clone().unwrap_or_default();
                let result = match &name {
                    None if by_id && topic.topic_id != Uuid::nil() => {
                        Err(refused(ErrorCode::UNKNOWN_TOPIC_ID))
                    }
                    None => Err(refused(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)),
                    Some(_) if !(-1..=1).contains(&body.acks) => {
                        Err(refused(ErrorCode::INVALID_REQUIRED_ACKS))
                    }
                    Some(name) => {
                        let all = body.acks == -1;
                        self.append(name, partition.index, records, all, disk, now)
                    }
                };
                failed |= result.is_err();
                if let (Ok(info), Some(name)) = (&result, &name)
                    && body.acks == -1
                {
                    waiting.push(Waiting {
                        topic: name.clone(),
                        partition: partition.index,
                        place: (responses.len(), partitions.len()),
                        offset: info.last_offset + 1,
                    });
                }
                partitions.push(partition_response(partition.index, &result));
            }
            responses.push(
                TopicProduceResponse::default()
                    .with_name(topic.name.clone())
                    .with_topic_id(topic.topic_id)
                    .with_partition_responses(partitions),
            );
        }
        if body.acks == 0 {
            // The client has no other way to learn of it.
            return if failed { Reply::Close } else { Reply::Nothing };
        }
        let pending = PendingProduce {
            request: request.id,
            version: request.version,
            listener: request.listener.clone(),
            responses,
            waiting,
            deadline: now.plus_millis(i64::from(body.timeout_ms)),
        };
        match self.try_produce(pending, false) {
            Ok(response) => Reply::Send(response),
            Err(pending) => {
                self.produces.wait(pending);
                Reply::Later
            }
        }
    }

    /// Looks again at a Produce that waits, if one was woken or is due. Whether there was one.
    pub(in crate::node) fn retry_produce(&mut self, now: Time) -> bool {
        let Some(pending) = self.produces.next(now) else {
            return false;
        };
        let (request, due) = (pending.request, pending.deadline <= now);
        match self.try_produce(pending, due) {
            Ok(response) => self.completed.push_back((request, Some(response))),
            Err(pending) => self.produces.wait(pending),
        }
        true
    }

    /// The answer, or what still waits. What is `due` waits no longer.
    fn try_produce(
        &self,
        mut pending: PendingProduce,
        due: bool,
    ) -> Result<ResponseKind, PendingProduce> {
        for waiting in std::mem::take(&mut pending.waiting) {
            let reached = match self.hosted(&waiting.topic, waiting.partition) {
                Ok(partition) => partition.has_reached(waiting.offset),
                Err(error) => Some(Err(error)),
            };
            let error = match reached {
                Some(Ok(())) => continue,
                Some(Err(error)) => error,
                None if due => ErrorCode::REQUEST_TIMED_OUT,
                None => {
                    pending.waiting.push(waiting);
                    continue;
                }
            };
            let (topic, partition) = waiting.place;
            let response = pending
                .responses
                .get_mut(topic)
                .and_then(|topic| topic.partition_responses.get_mut(partition));
            if let Some(response) = response {
                response.error_code = error.0;
            }
        }
        if pending.waiting.is_empty() {
            Ok(self.produce_response(pending))
        } else {
            Err(pending)
        }
    }

    /// The whole answer; errors of leadership name the leader.
    fn produce_response(&self, mut pending: PendingProduce) -> ResponseKind {
        let mut leaders = Vec::new();
        if pending.version >= TELLS_LEADERS {
            for topic in &mut pending.responses {
                let name = if pending.version >= BY_TOPIC_ID {
                    let found = self.image.topic_by_id(topic.topic_id);
                    found.map_or(String::new(), |topic| topic.name.clone())
                } else {
                    topic.name.to_string()
                };
                for response in &mut topic.partition_responses {
                    if response.error_code == ErrorCode::NOT_LEADER_OR_FOLLOWER.0
                        && let Some((leader, epoch)) = self.leader_of(&name, response.index)
                    {
                        response.current_leader = LeaderIdAndEpoch::default()
                            .with_leader_id(leader.into())
                            .with_leader_epoch(epoch);
                        leaders.push(leader);
                    }
                }
            }
        }
        let endpoints = self
            .endpoints(leaders, &pending.listener)
            .into_iter()
            .map(|(id, host, port, rack)| {
                NodeEndpoint::default()
                    .with_node_id(id.into())
                    .with_host(StrBytes::from_string(host))
                    .with_port(port)
                    .with_rack(rack.map(StrBytes::from_string))
            })
            .collect();
        ProduceResponse::default()
            .with_responses(pending.responses)
            .with_node_endpoints(endpoints)
            .into()
    }

    /// Appends to a partition that this broker leads.
    fn append(
        &mut self,
        topic: &str,
        number: i32,
        records: bytes::Bytes,
        acks_all: bool,
        disk: &mut Disk,
        now: Time,
    ) -> Result<AppendInfo, AppendError> {
        if is_internal(topic) {
            return Err(refused(ErrorCode::INVALID_TOPIC_EXCEPTION));
        }
        let known = self.image.partition(topic, number).is_some();
        let cluster = Cluster {
            node_id: self.config.node_id,
            image: &self.image,
            lag_ms_max: self.settings.replica_lag_time_max_ms,
            now,
        };
        let partition = match self.replicas.get_mut(topic, number) {
            Some(partition) if known && partition.role == Role::Leader => partition,
            _ if known => return Err(refused(ErrorCode::NOT_LEADER_OR_FOLLOWER)),
            _ => return Err(refused(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)),
        };
        let info = partition.append(disk, records, &cluster, AppendOrigin::Client, acks_all);
        let lines = partition.log.take_log_lines();
        self.log_lines(lines);
        self.partition_touched(topic, number, now);
        info
    }

    /// Who leads a partition, and in which epoch, as far as the metadata says.
    pub(super) fn leader_of(&self, topic: &str, number: i32) -> Option<(i32, i32)> {
        let partition = self.image.partition(topic, number)?;
        Some((partition.leader, partition.leader_epoch))
    }

    /// The endpoints of alive brokers on a listener, each once: id, host, port, rack.
    pub(super) fn endpoints(
        &self,
        mut ids: Vec<i32>,
        listener: &str,
    ) -> Vec<(i32, String, i32, Option<String>)> {
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter()
            .filter_map(|id| {
                let broker = self.image.alive_broker(id)?;
                let end_point = broker.end_point(listener)?;
                Some((
                    id,
                    end_point.host.clone(),
                    i32::from(end_point.port),
                    broker.rack.clone(),
                ))
            })
            .collect()
    }
}

/// Topics that clients may not write (`Topic.isInternal`): only the admin client's id may, which is not honoured
/// here.
fn is_internal(topic: &str) -> bool {
    matches!(
        topic,
        "__consumer_offsets" | "__transaction_state" | "__share_group_state"
    )
}

fn refused(code: ErrorCode) -> AppendError {
    AppendError {
        code,
        message: code.message().to_owned(),
        record_errors: Vec::new(),
    }
}

fn partition_response(
    index: i32,
    result: &Result<AppendInfo, AppendError>,
) -> PartitionProduceResponse {
    let response = PartitionProduceResponse::default().with_index(index);
    match result {
        Ok(info) => response
            .with_base_offset(info.first_offset)
            .with_log_append_time_ms(info.log_append_time)
            .with_log_start_offset(info.log_start_offset),
        Err(error) => {
            let record_errors: Vec<_> = error
                .record_errors
                .iter()
                .map(|record| {
                    BatchIndexAndErrorMessage::default()
                        .with_batch_index(record.batch_index)
                        .with_batch_index_error_message(Some(StrBytes::from_string(
                            record.message.clone(),
                        )))
                })
                .collect();
            // Only a RecordValidationException carries its own words to the client.
            let message =
                (!record_errors.is_empty()).then(|| StrBytes::from_string(error.message.clone()));
            response
                .with_error_code(error.code.0)
                .with_base_offset(-1)
                .with_log_append_time_ms(-1)
                .with_log_start_offset(-1)
                .with_record_errors(record_errors)
                .with_error_message(message)
        }
    }
}
