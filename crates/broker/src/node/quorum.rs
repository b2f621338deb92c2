//! This node's part in the quorum, and the controller on top of it: the requests of the controller's listener,
//! the requests to other voters, and when the controller is active.
//!
//! The active controller replays what it appends at once, and answers when that is committed (Kafka's
//! `DeferredEventQueue`). When this node leads no more, the answers that wait become NOT_CONTROLLER, and the
//! controller with all that it replayed is dropped; the next one is built anew from the committed log.

use std::collections::VecDeque;

use bytes::Bytes;
use playground_log::Disk;
use playground_protocol::messages::fetch_response::PartitionData;
use playground_protocol::messages::{
    AllocateProducerIdsResponse, AlterPartitionResponse, BrokerHeartbeatResponse,
    BrokerRegistrationResponse, EnvelopeRequest, EnvelopeResponse, RequestKind, ResponseKind,
};
use playground_protocol::{ErrorCode, LogLevel, Random, RequestFrame, ResponseFrame, Time};

use super::Node;
use super::channel::{Channel, Incoming, Outgoing};
use super::connections::Request;
use super::forwarding::is_forwarded;
use super::lifecycle::BrokerState;
use crate::controller::{Controller, ControllerConfig, ControllerContext};
use crate::metadata::MetadataRecord;
use crate::raft::{Raft, RaftOutput};

const CONTROLLER_LOGGER: &str = "org.apache.kafka.controller.QuorumController";

/// The active controller's epoch, and its answers that wait.
#[derive(Debug, Default)]
pub(super) struct Activity {
    /// The epoch of the quorum in which the controller is active.
    epoch: Option<i32>,
    /// In the order of their offsets.
    waiting: VecDeque<Deferred>,
}

/// An answer that leaves when the high watermark reaches `offset`.
#[derive(Debug)]
struct Deferred {
    offset: i64,
    request: u64,
    response: ResponseKind,
    /// What is answered when that never comes to pass.
    refusal: Option<ResponseKind>,
}

impl Node {
    /// Answers a request of the controller's listener.
    pub(super) fn controller_request(&mut self, request: Box<Request>, disk: &mut Disk, now: Time) {
        if Raft::serves(&request.body) {
            let response = self
                .raft
                .request(request.id, request.version, &request.body, disk, now);
            if let Some(response) = response {
                self.completed.push_back((request.id, Some(response)));
            }
            return;
        }
        if let RequestKind::ApiVersions(body) = &request.body {
            let response = self.api_versions(body, request.version, true);
            self.completed.push_back((request.id, Some(response)));
            return;
        }
        let refusal = not_controller(&request.body);
        let response = if self.controller.is_none() {
            refusal.clone()
        } else if let RequestKind::Envelope(envelope) = &request.body {
            Some(self.envelope(envelope, disk, now))
        } else {
            self.ask_controller(&request.body, request.version, disk, now)
        };
        match response {
            Some(response) if self.controller.is_some() => {
                self.activity.waiting.push_back(Deferred {
                    offset: self.raft.log().end().offset,
                    request: request.id,
                    response,
                    refusal,
                });
            }
            Some(response) => self.completed.push_back((request.id, Some(response))),
            None => self.close(request.connection),
        }
    }

    /// Asks the state machine; what it says is appended, and must be committed before the answer leaves.
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
            next_offset: self.raft.log().end().offset,
        };
        let result = self.controller.as_mut()?.handle(body, context);
        self.commit(&result.records, disk, now);
        result.response
    }

    /// Appends the controller's records to the metadata log, and replays them in the controller.
    pub(super) fn commit(&mut self, records: &[MetadataRecord], disk: &mut Disk, now: Time) {
        let Some(epoch) = self.activity.epoch.filter(|_| !records.is_empty()) else {
            return;
        };
        let first = self.raft.log().end().offset;
        if self.raft.append(records, epoch, disk, now).is_none() {
            // It leads no more: the controller is dropped in the next step.
            return;
        }
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
    }

    /// A client's request, forwarded by a broker.
    fn envelope(&mut self, envelope: &EnvelopeRequest, disk: &mut Disk, now: Time) -> ResponseKind {
        let answer = RequestFrame::decode(envelope.request_data.clone())
            .ok()
            .filter(|request| is_forwarded(request.api_key))
            .and_then(|request| {
                let body = match &request.body {
                    RequestKind::DescribeQuorum(_) => {
                        self.raft
                            .request(0, request.api_version, &request.body, disk, now)?
                    }
                    body => self.ask_controller(body, request.api_version, disk, now)?,
                };
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

    /// Passes on what the quorum wants and hears. Whether there was anything.
    pub(super) fn drive_quorum(&mut self, disk: &mut Disk, now: Time) -> bool {
        let mut any = false;
        for (voter, channel) in &mut self.voters {
            while let Some(incoming) = channel.poll_incoming() {
                any = true;
                match incoming {
                    Incoming::Response(response, tag) => {
                        self.raft.response(*voter, tag, response, disk, now);
                    }
                    Incoming::Expired(tag) => self.raft.failed(*voter, tag, now),
                }
            }
        }
        if self.lifecycle.state == BrokerState::ShuttingDown {
            self.raft.shut_down(disk, now);
        } else {
            self.raft.drive(disk, now);
        }
        while let Some(output) = self.raft.poll_output() {
            any = true;
            match output {
                RaftOutput::Send {
                    to,
                    api_key,
                    version,
                    body,
                    tag,
                } => {
                    if let Some(channel) = self.voters.get_mut(&to) {
                        channel.send(Outgoing {
                            api_key,
                            version,
                            body: *body,
                            tag,
                            expires: now.plus_millis(self.settings.quorum_request_timeout_ms),
                        });
                    }
                }
                RaftOutput::Respond { request, response } => {
                    self.completed.push_back((request, Some(*response)));
                }
                RaftOutput::Log(line) => self.log_lines(vec![line]),
            }
        }
        self.follow_activity(disk, now) || any
    }

    /// The controller is active exactly while this node leads with all before it committed. Whether anything
    /// changed, or an answer left.
    fn follow_activity(&mut self, disk: &mut Disk, now: Time) -> bool {
        let active = self.raft.active_epoch();
        let mut any = false;
        if self.activity.epoch != active {
            any = true;
            if self.controller.take().is_some() {
                self.report(
                    LogLevel::Warn,
                    CONTROLLER_LOGGER,
                    format!(
                        "[QuorumController id={}] Renouncing the leadership of epoch {}",
                        self.config.node_id,
                        self.activity.epoch.unwrap_or(-1)
                    ),
                );
            }
            for deferred in std::mem::take(&mut self.activity.waiting) {
                self.completed
                    .push_back((deferred.request, deferred.refusal));
            }
            self.activity.epoch = active;
            if active.is_some() {
                self.become_controller(disk, now);
            }
        }
        let committed = self.raft.log().log.high_watermark();
        while let Some(deferred) = self
            .activity
            .waiting
            .pop_front_if(|deferred| deferred.offset <= committed)
        {
            any = true;
            self.completed
                .push_back((deferred.request, Some(deferred.response)));
        }
        any
    }

    /// Builds the controller from the committed log; an empty one begins with the bootstrap records.
    fn become_controller(&mut self, disk: &mut Disk, now: Time) {
        let config = ControllerConfig::new(&self.broker_config, self.config.cluster_id);
        let seed = self.random.next_u64();
        let mut controller = Controller::new(config, Random::new(seed, "controller"));
        let mut errors = Vec::new();
        let mut fresh = true;
        match self.raft.log_mut().read_all_committed(disk) {
            Ok(records) => {
                fresh = records.is_empty();
                for (offset, record) in records {
                    if let Err(error) = controller.replay(&record, offset) {
                        errors.push(format!(
                            "Unable to replay the record at offset {offset}: {error}"
                        ));
                    }
                }
            }
            Err(error) => errors.push(error),
        }
        let bootstrap = if fresh {
            controller.bootstrap_records()
        } else {
            Vec::new()
        };
        self.controller = Some(controller);
        self.commit(&bootstrap, disk, now);
        if let Some(controller) = self.controller.as_mut() {
            controller.activate(now);
        }
        for error in errors {
            self.report(LogLevel::Error, CONTROLLER_LOGGER, error);
        }
    }

    /// The requests to the controller go to the leader, whoever that is now.
    pub(super) fn follow_active_controller(&mut self, now: Time) {
        let leader = self
            .raft
            .leader()
            .and_then(|leader| self.raft.address(leader));
        let heartbeats = self.heartbeats.retarget(leader, now);
        let forwarding = self.forwarding.retarget(leader, now);
        for connection in heartbeats.into_iter().chain(forwarding) {
            self.output.push_back(super::NodeOutput::Client(
                playground_protocol::ClientOutput::Close(connection),
            ));
        }
    }
}

/// A connection to another voter: what breaks is not tried again, the quorum decides what it sends next.
pub(super) fn voter_channel(
    client_id: String,
    host: &str,
    port: u16,
    timeout_ms: i64,
) -> Channel<u64> {
    Channel::without_retry(client_id, host, port, timeout_ms)
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
        RequestKind::AlterPartition(_) => AlterPartitionResponse::default()
            .with_error_code(error)
            .into(),
        RequestKind::AllocateProducerIds(_) => AllocateProducerIdsResponse::default()
            .with_error_code(error)
            .into(),
        _ => return None,
    })
}
