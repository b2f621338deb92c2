//! Replication: the leader answers fetches and commits what a majority has; followers and observers fetch.

use bytes::Bytes;
use playground_log::Disk;
use playground_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ReplicaState};
use playground_protocol::messages::fetch_response::{
    EpochEndOffset, FetchableTopicResponse, LeaderIdAndEpoch, NodeEndpoint, PartitionData,
};
use playground_protocol::messages::{ApiKey, FetchRequest, FetchResponse, ResponseKind};
use playground_protocol::{ErrorCode, LogLevel, Time};

use super::log::{METADATA_TOPIC_ID, Position};
use super::messages::{FETCH_VERSION, Header, known};
use super::state::State;
use super::{OffsetAndEpoch, RAFT_CLIENT_LOGGER, Raft, RaftOutput};

/// How long a fetch may wait (`KafkaRaftClient.MAX_FETCH_WAIT_MS`).
const FETCH_WAIT_MS: i32 = 500;

/// A replica's fetch that waits for records, or for the high watermark to move.
#[derive(Clone, Debug)]
pub(super) struct WaitingFetch {
    pub request: u64,
    pub deadline: Time,
    body: FetchRequest,
}

fn partition(request: &FetchRequest) -> Option<&FetchPartition> {
    request
        .topics
        .first()
        .filter(|topic| topic.topic_id == METADATA_TOPIC_ID)
        .and_then(|topic| topic.partitions.first())
}

impl Raft {
    // The leader.

    /// The log grew: what this node alone is a majority for is committed, and waiting fetches have something.
    pub(super) fn leader_appended(&mut self, disk: &mut Disk, now: Time) {
        let end = self.log.end().offset;
        if let State::Leader(leader) = &mut self.state {
            leader.end_offset = end;
            let moved = leader.update_high_watermark();
            if moved {
                self.take_high_watermark();
            }
            self.answer_fetches(moved, disk, now);
        }
    }

    fn take_high_watermark(&mut self) {
        if let State::Leader(leader) = &self.state
            && let Some(high_watermark) = leader.high_watermark
        {
            self.log.log.update_high_watermark(high_watermark);
        }
    }

    /// Answers a replica's fetch (`handleFetchRequest`); `None` when it waits.
    pub(super) fn fetch(
        &mut self,
        request: u64,
        body: &FetchRequest,
        disk: &mut Disk,
        now: Time,
    ) -> Option<ResponseKind> {
        if !self.is_own_cluster(body.cluster_id.as_ref()) {
            let error = ErrorCode::INCONSISTENT_CLUSTER_ID.0;
            return Some(FetchResponse::default().with_error_code(error).into());
        }
        let Some(fetch) = partition(body) else {
            let error = ErrorCode::INVALID_REQUEST.0;
            return Some(FetchResponse::default().with_error_code(error).into());
        };
        if body.max_wait_ms < 0
            || fetch.fetch_offset < 0
            || fetch.last_fetched_epoch < 0
            || fetch.last_fetched_epoch > fetch.current_leader_epoch
        {
            return Some(self.fetch_error(ErrorCode::INVALID_REQUEST));
        }
        let (response, something) = self.read_for(body, fetch, disk, now);
        if something || body.max_wait_ms == 0 {
            return Some(response);
        }
        self.fetches.push(WaitingFetch {
            request,
            deadline: now.plus_millis(i64::from(body.max_wait_ms)),
            body: body.clone(),
        });
        None
    }

    /// The response to a fetch, and whether it has anything that is worth sending at once. The replica's
    /// position is taken, and may commit (`tryCompleteFetchRequest`).
    fn read_for(
        &mut self,
        body: &FetchRequest,
        fetch: &FetchPartition,
        disk: &mut Disk,
        now: Time,
    ) -> (ResponseKind, bool) {
        let epoch = fetch.current_leader_epoch;
        let error = if epoch < self.epoch {
            ErrorCode::FENCED_LEADER_EPOCH
        } else if epoch > self.epoch {
            ErrorCode::UNKNOWN_LEADER_EPOCH
        } else if !matches!(self.state, State::Leader(_)) {
            ErrorCode::NOT_LEADER_OR_FOLLOWER
        } else {
            ErrorCode::NONE
        };
        if error != ErrorCode::NONE {
            return (self.fetch_error(error), true);
        }
        let at = OffsetAndEpoch {
            epoch: fetch.last_fetched_epoch,
            offset: fetch.fetch_offset,
        };
        let mut data = self.partition_data(ErrorCode::NONE);
        let something = match self.log.validate(at) {
            Position::Diverging(end) => {
                data.diverging_epoch = EpochEndOffset::default()
                    .with_epoch(end.epoch)
                    .with_end_offset(end.offset);
                true
            }
            Position::Valid => {
                let max_bytes = usize::try_from(body.max_bytes).unwrap_or_default();
                let end = self.log.log.log_end_offset();
                match self.log.log.read(disk, at.offset, max_bytes, end, true) {
                    Err(_) => {
                        data.error_code = ErrorCode::OFFSET_OUT_OF_RANGE.0;
                        true
                    }
                    Ok(read) => {
                        let replica = body.replica_state.replica_id.0;
                        let directory = fetch.replica_directory_id;
                        if let State::Leader(leader) = &mut self.state
                            && replica != self.config.node_id
                        {
                            leader.fetched(replica, directory, at.offset, now);
                            if leader.update_high_watermark() {
                                self.take_high_watermark();
                                self.answer_fetches(true, disk, now);
                            }
                        }
                        let high_watermark = self.leader_high_watermark();
                        data.high_watermark = high_watermark;
                        let something =
                            !read.records.is_empty() || fetch.high_watermark < high_watermark;
                        data.records = Some(read.records);
                        something
                    }
                }
            }
        };
        (self.fetch_response(data), something)
    }

    fn leader_high_watermark(&self) -> i64 {
        match &self.state {
            State::Leader(leader) => leader.high_watermark.unwrap_or(-1),
            _ => -1,
        }
    }

    fn partition_data(&self, error: ErrorCode) -> PartitionData {
        PartitionData::default()
            .with_partition_index(0)
            .with_error_code(error.0)
            .with_high_watermark(self.leader_high_watermark())
            .with_last_stable_offset(-1)
            .with_log_start_offset(self.log.log.log_start_offset())
            .with_aborted_transactions(None)
            .with_preferred_read_replica((-1).into())
            .with_current_leader(
                LeaderIdAndEpoch::default()
                    .with_leader_id(self.leader_or_sentinel().into())
                    .with_leader_epoch(self.epoch),
            )
            .with_records(Some(Bytes::new()))
    }

    fn fetch_error(&self, error: ErrorCode) -> ResponseKind {
        self.fetch_response(self.partition_data(error).with_high_watermark(-1))
    }

    fn fetch_response(&self, data: PartitionData) -> ResponseKind {
        let endpoint = self.leader_endpoint().map(|(id, host, port)| {
            NodeEndpoint::default()
                .with_node_id(id.into())
                .with_host(host)
                .with_port(i32::from(port))
        });
        FetchResponse::default()
            .with_responses(vec![
                FetchableTopicResponse::default()
                    .with_topic_id(METADATA_TOPIC_ID)
                    .with_partitions(vec![data]),
            ])
            .with_node_endpoints(endpoint.into_iter().collect())
            .into()
    }

    /// Answers the waiting fetches that have something, or all (`all`): the high watermark moved.
    fn answer_fetches(&mut self, all: bool, disk: &mut Disk, now: Time) {
        let end = self.log.end().offset;
        let (ready, waiting) =
            std::mem::take(&mut self.fetches)
                .into_iter()
                .partition(|fetch: &WaitingFetch| {
                    all || partition(&fetch.body).is_none_or(|fetch| fetch.fetch_offset < end)
                });
        self.fetches = waiting;
        for fetch in ready {
            self.answer_fetch(&fetch, disk, now);
        }
    }

    pub(super) fn answer_due_fetches(&mut self, disk: &mut Disk, now: Time) {
        if self.fetches.iter().all(|fetch| fetch.deadline > now) {
            return;
        }
        let (due, waiting) = std::mem::take(&mut self.fetches)
            .into_iter()
            .partition(|fetch: &WaitingFetch| fetch.deadline <= now);
        self.fetches = waiting;
        for fetch in due {
            self.answer_fetch(&fetch, disk, now);
        }
    }

    fn answer_fetch(&mut self, fetch: &WaitingFetch, disk: &mut Disk, now: Time) {
        if let Some(partition) = partition(&fetch.body) {
            let (response, _) = self.read_for(&fetch.body, partition, disk, now);
            self.respond(fetch.request, response);
        }
    }

    /// This node does not lead any more: the fetches that wait are refused.
    pub(super) fn refuse_fetches(&mut self) {
        for fetch in std::mem::take(&mut self.fetches) {
            let response = self.fetch_error(ErrorCode::NOT_LEADER_OR_FOLLOWER);
            self.respond(fetch.request, response);
        }
    }

    fn respond(&mut self, request: u64, response: ResponseKind) {
        self.output.push_back(RaftOutput::Respond {
            request,
            response: Box::new(response),
        });
    }

    // The followers.

    /// Whether a request of this state is under way.
    pub(super) fn is_asking(&self) -> bool {
        self.peers
            .values()
            .any(|peer| peer.in_flight.is_some_and(|in_flight| !in_flight.stale))
    }

    /// Fetches from the leader; from any voter where that is unknown or does not answer
    /// (`maybeSendFetchToBestNode`).
    pub(super) fn send_fetch(&mut self, now: Time) {
        if self.is_asking() {
            return;
        }
        let ready: Vec<i32> = self
            .peers
            .iter()
            .filter(|(_, peer)| peer.in_flight.is_none() && peer.retry_at <= now)
            .map(|(id, _)| *id)
            .collect();
        let leader = match &self.state {
            State::Follower { leader, .. } if ready.contains(leader) => Some(*leader),
            _ => None,
        };
        let to = leader.or_else(|| {
            let index = self.random.below(u64::try_from(ready.len()).ok()?);
            ready.get(usize::try_from(index).ok()?).copied()
        });
        if let Some(to) = to {
            let offset = self.log.end().offset;
            self.send(to, offset, now, |raft| {
                let body = raft.fetch_request();
                (ApiKey::Fetch, FETCH_VERSION, body.into())
            });
        }
    }

    fn fetch_request(&self) -> FetchRequest {
        let OffsetAndEpoch { epoch, offset } = self.log.end();
        let high_watermark = self.log.log.high_watermark();
        let partition = FetchPartition::default()
            .with_partition(0)
            .with_current_leader_epoch(self.epoch)
            .with_fetch_offset(offset)
            .with_last_fetched_epoch(epoch)
            .with_log_start_offset(self.log.log.log_start_offset())
            .with_partition_max_bytes(0)
            .with_replica_directory_id(self.config.directory_id)
            .with_high_watermark(high_watermark);
        FetchRequest::default()
            .with_cluster_id(self.cluster_id())
            .with_replica_state(
                ReplicaState::default()
                    .with_replica_id(self.config.node_id.into())
                    .with_replica_epoch(-1),
            )
            .with_max_wait_ms(FETCH_WAIT_MS)
            .with_min_bytes(0)
            .with_max_bytes(self.config.fetch_max_bytes)
            .with_session_epoch(-1)
            .with_topics(vec![
                FetchTopic::default()
                    .with_topic_id(METADATA_TOPIC_ID)
                    .with_partitions(vec![partition]),
            ])
    }

    /// Takes what a fetch brought; whether it helped (`handleFetchResponse`).
    pub(super) fn fetch_answered(
        &mut self,
        from: i32,
        fetch_offset: i64,
        response: FetchResponse,
        disk: &mut Disk,
        now: Time,
    ) -> bool {
        let data = response
            .responses
            .into_iter()
            .next()
            .and_then(|topic| topic.partitions.into_iter().next());
        let Some(data) = data.filter(|_| response.error_code == 0) else {
            return false;
        };
        let header = Header {
            error: ErrorCode(data.error_code),
            leader: known(data.current_leader.leader_id.0),
            epoch: data.current_leader.leader_epoch,
        };
        if let Some(handled) = self.common_response(header, disk, now) {
            return handled;
        }
        // What another than the leader says, or what answers an older question, is nothing to append.
        let follows = matches!(&self.state, State::Follower { leader, .. } if *leader == from);
        if !follows || fetch_offset != self.log.end().offset {
            return false;
        }
        if data.diverging_epoch.epoch >= 0 {
            let end = OffsetAndEpoch {
                epoch: data.diverging_epoch.epoch,
                offset: data.diverging_epoch.end_offset,
            };
            let offset = self.log.truncation_offset(end);
            if !self.log.truncate(offset, disk, now) {
                let text = format!(
                    "The leader requested truncation to offset {offset}, which is below the current high watermark {}",
                    self.log.log.high_watermark()
                );
                self.report(LogLevel::Error, RAFT_CLIENT_LOGGER, text);
                return false;
            }
            let text =
                format!("Truncated to offset {offset} from Fetch response from leader {from}");
            self.report(LogLevel::Info, RAFT_CLIENT_LOGGER, text);
        } else {
            let records = data.records.unwrap_or_default();
            if let Err(error) = self.log.append_fetched(records, disk, now) {
                let text = format!("Failed to append the records to the log: {error}");
                self.report(LogLevel::Error, RAFT_CLIENT_LOGGER, text);
                return false;
            }
            if data.high_watermark > self.log.log.high_watermark() {
                self.log.log.update_high_watermark(data.high_watermark);
            }
        }
        let deadline = now.plus_millis(self.config.fetch_timeout_ms);
        if let State::Follower {
            fetch_deadline,
            fetched,
            ..
        } = &mut self.state
        {
            *fetch_deadline = deadline;
            *fetched = true;
        }
        true
    }
}
