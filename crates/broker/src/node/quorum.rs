//! The controller's listener: the active controller answers from its state machine and appends to the
//! metadata log; the others say that they are not it. And the other side: how this node copies that log.

use bytes::Bytes;
use playground_log::Disk;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ReplicaState};
use playground_protocol::messages::fetch_response::{
    EpochEndOffset, FetchableTopicResponse, LeaderIdAndEpoch, NodeEndpoint, PartitionData,
};
use playground_protocol::messages::{
    AllocateProducerIdsResponse, ApiKey, BrokerHeartbeatResponse, BrokerRegistrationResponse,
    EnvelopeRequest, EnvelopeResponse, FetchRequest, FetchResponse, RequestKind, ResponseKind,
};
use playground_protocol::{ErrorCode, LogLevel, RequestFrame, ResponseFrame, Time};

use super::Node;
use super::channel::{Incoming, Outgoing};
use super::connections::Request;
use super::forwarding::is_forwarded;
use super::limits::{METADATA_FETCH_BYTES_MAX, METADATA_FETCH_WAIT_MS};
use super::metadata_log::METADATA_TOPIC_ID;
use crate::controller::ControllerContext;
use crate::metadata::MetadataRecord;

/// The version of Fetch that the quorum speaks here.
const FETCH_VERSION: i16 = 17;
const CONTROLLER_LOGGER: &str = "org.apache.kafka.controller.QuorumController";

/// A replica's fetch of the metadata log that waits for records.
#[derive(Clone, Debug)]
pub(super) struct WaitingMetadataFetch {
    request: u64,
    body: FetchRequest,
    deadline: Time,
}

impl WaitingMetadataFetch {
    pub fn request(&self) -> u64 {
        self.request
    }
}

impl Node {
    /// Answers a request of the controller's listener.
    pub(super) fn controller_request(&mut self, request: Box<Request>, disk: &mut Disk, now: Time) {
        if let RequestKind::Fetch(fetch) = &request.body {
            self.metadata_fetch(request.id, fetch.clone(), disk, now);
            return;
        }
        if let RequestKind::ApiVersions(body) = &request.body {
            let response = self.api_versions(body, request.version, true);
            self.completed.push_back((request.id, Some(response)));
            return;
        }
        let response = if self.controller.is_none() {
            not_controller(&request.body)
        } else if let RequestKind::Envelope(envelope) = &request.body {
            Some(self.envelope(envelope, disk, now))
        } else {
            self.ask_controller(&request.body, request.version, disk, now)
        };
        match response {
            Some(response) => self.completed.push_back((request.id, Some(response))),
            None => self.close(request.connection),
        }
    }

    /// Asks the state machine; what it says is committed before the answer leaves.
    fn ask_controller(
        &mut self,
        body: &RequestKind,
        api_version: i16,
        disk: &mut Disk,
        now: Time,
    ) -> Option<ResponseKind> {
        let context = ControllerContext {
            now,
            api_version,
            next_offset: self.metadata_log.log.log_end_offset(),
        };
        let result = self.controller.as_mut()?.handle(body, context);
        self.commit(&result.records, disk, now);
        result.response
    }

    /// Appends records to the metadata log, and replays them in the controller.
    pub(super) fn commit(&mut self, records: &[MetadataRecord], disk: &mut Disk, now: Time) {
        if records.is_empty() {
            return;
        }
        let first = self.metadata_log.log.log_end_offset();
        self.metadata_log.append(records, disk, now);
        let mut failed = None;
        if let Some(controller) = self.controller.as_mut() {
            for (offset, record) in (first..).zip(records) {
                if let Err(error) = controller.replay(record, offset) {
                    failed = Some(error.to_string());
                }
            }
        }
        if let Some(error) = failed {
            self.report(LogLevel::Error, CONTROLLER_LOGGER, error);
        }
        self.answer_metadata_fetches(disk, now, false);
    }

    /// A client's request, forwarded by a broker.
    fn envelope(&mut self, envelope: &EnvelopeRequest, disk: &mut Disk, now: Time) -> ResponseKind {
        let answer = RequestFrame::decode(envelope.request_data.clone())
            .ok()
            .filter(|request| is_forwarded(request.api_key))
            .and_then(|request| {
                let body = self.ask_controller(&request.body, request.api_version, disk, now)?;
                ResponseFrame {
                    correlation_id: request.correlation_id,
                    body,
                }
                .encode(request.api_key, request.api_version)
                .ok()
            });
        let error = if answer.is_some() {
            ErrorCode::NONE
        } else {
            ErrorCode::INVALID_REQUEST
        };
        EnvelopeResponse::default()
            .with_response_data(answer)
            .with_error_code(error.0)
            .into()
    }

    fn metadata_fetch(&mut self, request: u64, body: FetchRequest, disk: &mut Disk, now: Time) {
        match self.read_metadata(&body, disk) {
            (response, true) => self.completed.push_back((request, Some(response))),
            (response, false) if body.max_wait_ms <= 0 => {
                self.completed.push_back((request, Some(response)));
            }
            (_, false) => self.metadata_fetches.push(WaitingMetadataFetch {
                request,
                deadline: now.plus_millis(i64::from(body.max_wait_ms)),
                body,
            }),
        }
    }

    /// Answers the fetches of the metadata log that have something, or (`due`) whose time has come.
    pub(super) fn answer_metadata_fetches(&mut self, disk: &mut Disk, now: Time, due: bool) {
        for fetch in std::mem::take(&mut self.metadata_fetches) {
            if !self.connections.is_pending(fetch.request) {
                continue;
            }
            let (response, something) = self.read_metadata(&fetch.body, disk);
            if something || (due && fetch.deadline <= now) {
                self.completed.push_back((fetch.request, Some(response)));
            } else {
                self.metadata_fetches.push(fetch);
            }
        }
    }

    /// When a waiting fetch of the metadata log must be answered.
    pub(super) fn metadata_fetch_deadline(&self) -> Time {
        self.metadata_fetches
            .iter()
            .map(|fetch| fetch.deadline)
            .min()
            .unwrap_or(Time::NEVER)
    }

    /// Reads for a replica (`KafkaRaftClient.handleFetchRequest`): the response, and whether it has
    /// anything that is worth sending at once.
    fn read_metadata(&self, body: &FetchRequest, disk: &Disk) -> (ResponseKind, bool) {
        let fetch = body
            .topics
            .first()
            .filter(|topic| topic.topic_id == METADATA_TOPIC_ID)
            .and_then(|topic| topic.partitions.first());
        let Some(fetch) = fetch else {
            let response = FetchResponse::default().with_error_code(ErrorCode::INVALID_REQUEST.0);
            return (response.into(), true);
        };
        let log = &self.metadata_log.log;
        let epoch = self.metadata_log.epoch;
        let (leader, host, port) = match self.config.active_controller() {
            Some((id, host, port)) => (*id, host.clone(), *port),
            None => (-1, String::new(), 0),
        };
        let mut data = empty_partition(0)
            .with_high_watermark(log.high_watermark())
            .with_log_start_offset(log.log_start_offset())
            .with_current_leader(
                LeaderIdAndEpoch::default()
                    .with_leader_id(leader.into())
                    .with_leader_epoch(epoch),
            );
        let mut something = true;
        let error = if self.controller.is_none() {
            ErrorCode::NOT_LEADER_OR_FOLLOWER
        } else if fetch.current_leader_epoch < epoch {
            ErrorCode::FENCED_LEADER_EPOCH
        } else if fetch.current_leader_epoch > epoch {
            ErrorCode::UNKNOWN_LEADER_EPOCH
        } else {
            ErrorCode::NONE
        };
        data.error_code = error.0;
        if error == ErrorCode::NONE {
            let end = log.end_offset_for_epoch(fetch.last_fetched_epoch);
            let diverging = match end {
                _ if fetch.fetch_offset == 0 => None,
                Some((epoch, offset))
                    if epoch == fetch.last_fetched_epoch && offset >= fetch.fetch_offset =>
                {
                    None
                }
                Some(end) => Some(end),
                None => Some((-1, 0)),
            };
            if let Some((epoch, end_offset)) = diverging {
                data.diverging_epoch = EpochEndOffset::default()
                    .with_epoch(epoch.max(0))
                    .with_end_offset(end_offset);
            } else {
                let max_bytes = usize::try_from(body.max_bytes.min(METADATA_FETCH_BYTES_MAX))
                    .unwrap_or_default();
                let end = log.log_end_offset();
                match log.read(disk, fetch.fetch_offset, max_bytes, end, true) {
                    Ok(read) => {
                        something =
                            !read.records.is_empty() || fetch.high_watermark < log.high_watermark();
                        data.records = Some(read.records);
                    }
                    Err(_) => data.error_code = ErrorCode::OFFSET_OUT_OF_RANGE.0,
                }
            }
        }
        let endpoint = NodeEndpoint::default()
            .with_node_id(leader.into())
            .with_host(StrBytes::from_string(host))
            .with_port(i32::from(port));
        let response = FetchResponse::default()
            .with_responses(vec![
                FetchableTopicResponse::default()
                    .with_topic_id(METADATA_TOPIC_ID)
                    .with_partitions(vec![data]),
            ])
            .with_node_endpoints(vec![endpoint]);
        (response.into(), something)
    }

    /// Asks for more of the metadata log, unless such a request is under way.
    pub(super) fn drive_raft(&mut self, now: Time) {
        let Some(raft) = self.raft.as_mut().filter(|raft| raft.is_idle()) else {
            return;
        };
        let log = &self.metadata_log.log;
        let partition = FetchPartition::default()
            .with_partition(0)
            .with_current_leader_epoch(self.metadata_log.epoch)
            .with_fetch_offset(log.log_end_offset())
            .with_last_fetched_epoch(self.metadata_log.last_epoch())
            .with_log_start_offset(log.log_start_offset())
            .with_partition_max_bytes(METADATA_FETCH_BYTES_MAX);
        let request = FetchRequest::default()
            .with_cluster_id(Some(StrBytes::from_string(self.cluster_id_text.clone())))
            .with_replica_state(
                ReplicaState::default()
                    .with_replica_id(self.config.node_id.into())
                    .with_replica_epoch(-1),
            )
            .with_max_wait_ms(METADATA_FETCH_WAIT_MS)
            .with_min_bytes(0)
            .with_max_bytes(METADATA_FETCH_BYTES_MAX)
            .with_session_epoch(-1)
            .with_topics(vec![
                FetchTopic::default()
                    .with_topic_id(METADATA_TOPIC_ID)
                    .with_partitions(vec![partition]),
            ]);
        raft.send(Outgoing {
            api_key: ApiKey::Fetch,
            version: FETCH_VERSION,
            body: RequestKind::Fetch(request),
            tag: (),
            expires: Time::NEVER,
        });
        let _ = now;
    }

    /// Takes what the leader of the metadata log sent. Whether there was anything.
    pub(super) fn take_metadata(&mut self, disk: &mut Disk, now: Time) -> bool {
        let mut any = false;
        while let Some(incoming) = self.raft.as_mut().and_then(|raft| raft.poll_incoming()) {
            any = true;
            let Incoming::Response(ResponseKind::Fetch(response), ()) = incoming else {
                continue;
            };
            let data = response
                .responses
                .into_iter()
                .next()
                .and_then(|topic| topic.partitions.into_iter().next());
            if let Some(data) = data {
                self.metadata_received(data, disk, now);
            }
        }
        any
    }

    fn metadata_received(&mut self, data: PartitionData, disk: &mut Disk, now: Time) {
        let error = ErrorCode(data.error_code);
        if error == ErrorCode::FENCED_LEADER_EPOCH || error == ErrorCode::UNKNOWN_LEADER_EPOCH {
            self.metadata_log.epoch = data.current_leader.leader_epoch;
            return;
        }
        if error != ErrorCode::NONE {
            if let Some(raft) = self.raft.as_mut() {
                raft.back_off(now);
            }
            return;
        }
        if data.diverging_epoch.end_offset >= 0 && data.diverging_epoch.epoch >= 0 {
            self.metadata_log
                .truncate(data.diverging_epoch.end_offset, disk, now);
            self.forget_metadata();
            return;
        }
        let records = data.records.unwrap_or_default();
        if let Err(error) =
            self.metadata_log
                .append_fetched(records, data.high_watermark, disk, now)
        {
            self.report(
                LogLevel::Error,
                "org.apache.kafka.raft.KafkaRaftClient",
                error,
            );
            if let Some(raft) = self.raft.as_mut() {
                raft.back_off(now);
            }
        }
    }
}

/// A partition of a Fetch response that has nothing to say.
pub(super) fn empty_partition(index: i32) -> PartitionData {
    PartitionData::default()
        .with_partition_index(index)
        .with_high_watermark(-1)
        .with_last_stable_offset(-1)
        .with_log_start_offset(-1)
        .with_aborted_transactions(None)
        .with_preferred_read_replica((-1).into())
        .with_records(Some(Bytes::new()))
}

/// What a controller answers that is not the active one; `None` for what it does not know at all.
fn not_controller(body: &RequestKind) -> Option<ResponseKind> {
    let error = ErrorCode::NOT_CONTROLLER.0;
    Some(match body {
        RequestKind::Envelope(_) => EnvelopeResponse::default().with_error_code(error).into(),
        RequestKind::BrokerRegistration(_) => BrokerRegistrationResponse::default()
            .with_error_code(error)
            .into(),
        RequestKind::BrokerHeartbeat(_) => BrokerHeartbeatResponse::default()
            .with_error_code(error)
            .into(),
        RequestKind::AllocateProducerIds(_) => AllocateProducerIdsResponse::default()
            .with_error_code(error)
            .into(),
        _ => return None,
    })
}
