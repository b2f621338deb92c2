//! The group coordinator's place in the node: its records go to the logs of `__consumer_offsets`, and come back
//! from them when a partition is loaded.

use playground_log::{AppendOrigin, Codec, Disk, RecordBatchBuilder, batches};
use playground_protocol::{ErrorCode, LogLevel, Time};
use uuid::Uuid;

use super::Node;
use super::connections::Request;
use super::publish::OFFSETS_TOPIC;
use super::view::Role;
use crate::group::{OffsetsRecord, Output, RequestContext, TopicDirectory};
use crate::metadata::MetadataImage;

const GROUP_LOGGER: &str = "org.apache.kafka.coordinator.group.GroupCoordinatorService";

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
                } => {
                    let result = self.append_group_records(partition, &records, disk, now);
                    self.groups.appended(token, result, now);
                }
            }
        }
        any
    }

    fn append_group_records(
        &mut self,
        number: i32,
        records: &[OffsetsRecord],
        disk: &mut Disk,
        now: Time,
    ) -> Result<i64, ErrorCode> {
        let node_id = self.config.node_id;
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
        let appended = partition.append(disk, batch, node_id, now, AppendOrigin::Coordinator);
        self.purgatory.touch(OFFSETS_TOPIC, number);
        appended
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
        self.groups.unload(number);
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
