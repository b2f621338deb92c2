//! The group coordinator's place in the node: its records go to the logs of `__consumer_offsets`, and come back
//! from them when a partition is loaded.

use playground_log::{AppendOrigin, Codec, Disk, RecordBatchBuilder, batches};
use playground_protocol::{ErrorCode, LogLevel, Time};
use uuid::Uuid;

use std::collections::{BTreeMap, VecDeque};

use super::Node;
use super::connections::Request;
use super::partition::Cluster;
use super::publish::OFFSETS_TOPIC;
use super::view::Role;
use crate::group::{OffsetsRecord, Output, RequestContext, TopicDirectory};
use crate::metadata::MetadataImage;

const GROUP_LOGGER: &str = "org.apache.kafka.coordinator.group.GroupCoordinatorService";

/// Records of the coordinator that its followers do not all have yet: what waits for them is answered when the
/// high watermark has passed them.
#[derive(Debug, Default)]
pub(super) struct GroupAppends {
    /// By partition, in the order of their offsets.
    pending: BTreeMap<i32, VecDeque<GroupAppend>>,
}

#[derive(Debug)]
struct GroupAppend {
    last_offset: i64,
    token: u64,
    /// When the clients are told that it takes too long; [`Time::NEVER`] once they are.
    deadline: Time,
}

impl GroupAppends {
    pub fn next_deadline(&self) -> Time {
        let appends = self.pending.values().flatten();
        appends
            .map(|append| append.deadline)
            .min()
            .unwrap_or(Time::NEVER)
    }
}

/// The image, as the coordinator asks it.
struct Topics<'a>(&'a MetadataImage);

impl TopicDirectory for Topics<'_> {
    fn topic_id(&self, topic: &str) -> Option<Uuid> {
        self.0.topic(topic).map(|topic| topic.id)
    }

    fn topic_name(&self, topic_id: Uuid) -> Option<String> {
        self.0.topic_by_id(topic_id).map(|topic| topic.name.clone())
    }

    fn partition_count(&self, topic: &str) -> i32 {
        self.0.topic(topic).map_or(0, |topic| {
            i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX)
        })
    }
}

impl Node {
    /// Hands a request to the group coordinator; its answer comes out of [`Node::drain_groups`].
    pub(super) fn group_request(&mut self, request: &Request, now: Time) {
        let context = RequestContext {
            request_id: request.id,
            version: request.version,
            client_id: request.client_name(),
            client_host: &request.peer,
            topics: &Topics(&self.image),
        };
        self.groups.handle(&context, &request.body, now);
    }

    /// Carries out what the coordinator asks for. Whether there was anything.
    pub(super) fn drain_groups(&mut self, disk: &mut Disk, now: Time) -> bool {
        let mut any = false;
        while let Some(output) = self.groups.poll_output() {
            any = true;
            match output {
                Output::Respond {
                    request_id,
                    response,
                } => self.completed.push_back((request_id, Some(response))),
                Output::Append {
                    partition,
                    records,
                    token,
                } => match self.append_group_records(partition, &records, disk, now) {
                    Ok(last_offset) => {
                        let deadline = now.plus_millis(self.settings.offsets_commit_timeout_ms);
                        self.group_appends
                            .pending
                            .entry(partition)
                            .or_default()
                            .push_back(GroupAppend {
                                last_offset,
                                token,
                                deadline,
                            });
                        self.partition_touched(OFFSETS_TOPIC, partition, now);
                    }
                    Err(error) => self.groups.appended(token, Err(error), now),
                },
            }
        }
        any
    }

    /// The high watermark of a partition of `__consumer_offsets` may have moved: answers what waited for it.
    pub(super) fn complete_group_appends(&mut self, number: i32, now: Time) {
        let Some(partition) = self.replicas.get(OFFSETS_TOPIC, number) else {
            return;
        };
        let high_watermark = partition.log.high_watermark();
        let Some(pending) = self.group_appends.pending.get_mut(&number) else {
            return;
        };
        while let Some(append) = pending.front() {
            if append.last_offset >= high_watermark {
                return;
            }
            self.groups
                .appended(append.token, Ok(append.last_offset), now);
            pending.pop_front();
        }
        self.group_appends.pending.remove(&number);
    }

    /// Tells clients whose records the followers do not take in time; the records stay in the log, and count.
    pub(super) fn expire_group_appends(&mut self, now: Time) {
        if self.group_appends.next_deadline() > now {
            return;
        }
        for (number, pending) in &mut self.group_appends.pending {
            for append in pending.iter_mut().filter(|append| append.deadline <= now) {
                append.deadline = Time::NEVER;
                self.groups
                    .timed_out(append.token, *number, ErrorCode::REQUEST_TIMED_OUT);
            }
        }
    }

    /// This broker does not lead the partition any more.
    pub(super) fn unload_group_partition(&mut self, number: i32) {
        self.group_appends.pending.remove(&number);
        self.groups.unload(number);
    }

    fn append_group_records(
        &mut self,
        number: i32,
        records: &[OffsetsRecord],
        disk: &mut Disk,
        now: Time,
    ) -> Result<i64, ErrorCode> {
        let cluster = Cluster {
            node_id: self.config.node_id,
            image: &self.image,
            lag_ms_max: self.settings.replica_lag_time_max_ms,
            now,
        };
        let partition = self
            .replicas
            .get_mut(OFFSETS_TOPIC, number)
            .filter(|partition| partition.role == Role::Leader)
            .ok_or(ErrorCode::NOT_COORDINATOR)?;
        let mut builder = RecordBatchBuilder::new(Codec::None);
        for (key, value) in records {
            builder.append(now.millis(), Some(key), value.as_deref(), &[]);
        }
        let batch = builder.build().ok_or(ErrorCode::UNKNOWN_SERVER_ERROR)?;
        // As the coordinator's writer does it: without a look at `min.insync.replicas`.
        partition
            .append(disk, batch, &cluster, AppendOrigin::Coordinator, false)
            .map(|info| info.last_offset)
            .map_err(|error| coordinator_error(error.code))
    }

    /// Loads a partition of `__consumer_offsets` that this broker came to lead.
    pub(super) fn load_group_partition(&mut self, number: i32, disk: &Disk, now: Time) {
        let Some(partition) = self.replicas.get(OFFSETS_TOPIC, number) else {
            return;
        };
        let log = &partition.log;
        let mut records: Vec<OffsetsRecord> = Vec::new();
        let mut damaged = None;
        let mut offset = log.log_start_offset();
        let end = log.log_end_offset();
        while offset < end {
            let read = match log.read(disk, offset, 1024 * 1024, end, true) {
                Ok(read) if !read.records.is_empty() => read,
                Ok(_) => break,
                Err(error) => {
                    damaged = Some(error.message);
                    break;
                }
            };
            offset = read.next_offset;
            for batch in batches(read.records).flatten() {
                if batch.header.is_control() {
                    continue;
                }
                match batch.records() {
                    Ok(found) => records.extend(
                        found
                            .flatten()
                            .filter_map(|record| Some((record.key?, record.value))),
                    ),
                    Err(error) => damaged = Some(error.to_string()),
                }
            }
        }
        let count = records.len();
        self.unload_group_partition(number);
        self.groups.load(number, records, now);
        if let Some(error) = damaged {
            self.report(
                LogLevel::Error,
                GROUP_LOGGER,
                format!("Loading {OFFSETS_TOPIC}-{number} met a damaged record: {error}"),
            );
        } else if count > 0 {
            self.report(
                LogLevel::Info,
                GROUP_LOGGER,
                format!("[GroupCoordinator id={}] Finished loading of metadata from {OFFSETS_TOPIC}-{number} with epoch {} and {count} records.",
                    self.config.node_id,
                    self.replicas
                        .get(OFFSETS_TOPIC, number)
                        .map_or(-1, |partition| partition.state.leader_epoch)),
            );
        }
    }
}

/// What a client of the coordinator is told of an append that failed (`CoordinatorOperationExceptionHelper`).
fn coordinator_error(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        | ErrorCode::NOT_ENOUGH_REPLICAS
        | ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND
        | ErrorCode::REQUEST_TIMED_OUT => ErrorCode::COORDINATOR_NOT_AVAILABLE,
        ErrorCode::NOT_LEADER_OR_FOLLOWER | ErrorCode::KAFKA_STORAGE_ERROR => {
            ErrorCode::NOT_COORDINATOR
        }
        ErrorCode::MESSAGE_TOO_LARGE
        | ErrorCode::RECORD_LIST_TOO_LARGE
        | ErrorCode::INVALID_FETCH_SIZE => ErrorCode::UNKNOWN_SERVER_ERROR,
        other => other,
    }
}
