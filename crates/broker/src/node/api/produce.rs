//! Produce (`KafkaApis.handleProduceRequest`, `ReplicaManager.appendRecords`).

use playground_log::{AppendError, AppendInfo, AppendOrigin, Disk};
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, LeaderIdAndEpoch, NodeEndpoint, PartitionProduceResponse,
    TopicProduceResponse,
};
use playground_protocol::messages::{ProduceRequest, ProduceResponse};
use playground_protocol::{ErrorCode, Time};
use uuid::Uuid;

use super::Reply;
use crate::node::Node;
use crate::node::connections::Request;
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
        let mut leaders = Vec::new();
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
                    Some(name) => self.append(name, partition.index, records, disk, now),
                };
                failed |= result.is_err();
                let mut response = partition_response(partition.index, &result);
                if let (Err(error), Some(name)) = (&result, &name)
                    && error.code == ErrorCode::NOT_LEADER_OR_FOLLOWER
                    && request.version >= TELLS_LEADERS
                    && let Some((leader, epoch)) = self.leader_of(name, partition.index)
                {
                    response.current_leader = LeaderIdAndEpoch::default()
                        .with_leader_id(leader.into())
                        .with_leader_epoch(epoch);
                    leaders.push(leader);
                }
                partitions.push(response);
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
        let endpoints = self
            .endpoints(leaders, &request.listener)
            .into_iter()
            .map(|(id, host, port, rack)| {
                NodeEndpoint::default()
                    .with_node_id(id.into())
                    .with_host(StrBytes::from_string(host))
                    .with_port(port)
                    .with_rack(rack.map(StrBytes::from_string))
            })
            .collect();
        Reply::Send(
            ProduceResponse::default()
                .with_responses(responses)
                .with_node_endpoints(endpoints)
                .into(),
        )
    }

    /// Appends to a partition that this broker leads.
    fn append(
        &mut self,
        topic: &str,
        number: i32,
        records: bytes::Bytes,
        disk: &mut Disk,
        now: Time,
    ) -> Result<AppendInfo, AppendError> {
        if is_internal(topic) {
            return Err(refused(ErrorCode::INVALID_TOPIC_EXCEPTION));
        }
        let known = self.image.partition(topic, number).is_some();
        let node_id = self.config.node_id;
        let partition = match self.replicas.get_mut(topic, number) {
            Some(partition) if known && partition.role == Role::Leader => partition,
            _ if known => return Err(refused(ErrorCode::NOT_LEADER_OR_FOLLOWER)),
            _ => return Err(refused(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)),
        };
        let info = partition.append(disk, records, node_id, now, AppendOrigin::Client);
        let lines = partition.log.take_log_lines();
        self.log_lines(lines);
        self.purgatory.touch(topic, number);
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
