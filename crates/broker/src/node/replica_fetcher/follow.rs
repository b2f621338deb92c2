//! What a follower does with what its leader sends (`AbstractFetcherThread.processFetchRequest`): append, move the
//! high watermark and the log start, truncate where the histories part, ask for offsets that are out of range.

use playground_log::Disk;
use playground_protocol::messages::fetch_response::PartitionData;
use playground_protocol::messages::{FetchResponse, ListOffsetsResponse, ResponseKind};
use playground_protocol::{ErrorCode, LogLevel, Time};

use super::super::Node;
use super::super::channel::Incoming;
use super::super::view::Role;
use super::{Identity, Key, Sent, Step};

const FETCHER_LOGGER: &str = "kafka.server.ReplicaFetcherThread";

impl Node {
    /// Takes what the leaders sent. Whether there was anything.
    pub(in crate::node) fn take_fetched(&mut self, disk: &mut Disk, now: Time) -> bool {
        let mut any = false;
        while let Some((leader, incoming)) = self.fetchers.poll_incoming() {
            any = true;
            match incoming {
                Incoming::Response(ResponseKind::Fetch(response), Sent::Fetch(sent)) => {
                    self.fetch_answered(leader, response, &sent, disk, now);
                }
                Incoming::Response(
                    ResponseKind::ListOffsets(response),
                    Sent::Offset {
                        key,
                        leader_epoch,
                        latest,
                    },
                ) => self.offset_answered(leader, key, leader_epoch, latest, &response, disk, now),
                Incoming::Response(_, sent) | Incoming::Expired(sent) => {
                    self.leader_silent(leader, &sent, now);
                }
            }
        }
        any
    }

    /// Sends the followers' next requests.
    pub(in crate::node) fn drive_fetchers(&mut self, now: Time) {
        let identity = Identity {
            node_id: self.config.node_id,
            broker_epoch: self.lifecycle.broker_epoch,
            settings: &self.settings,
        };
        let output = &mut self.output;
        let next = &mut self.last_outgoing_connection;
        self.fetchers
            .drive(&self.replicas, &identity, now, next, |out| {
                output.push_back(super::super::NodeOutput::Client(out));
            });
    }

    fn fetch_answered(
        &mut self,
        leader: i32,
        response: FetchResponse,
        sent: &std::collections::BTreeMap<Key, (i64, i32)>,
        disk: &mut Disk,
        now: Time,
    ) {
        let Some(fetcher) = self.fetchers.fetchers.get_mut(&leader) else {
            return;
        };
        if !fetcher.session.answered(&response) {
            return;
        }
        for topic in response.responses {
            for data in topic.partitions {
                let key = (topic.topic_id, data.partition_index);
                if let Some((offset, epoch)) = sent.get(&key) {
                    self.partition_fetched(leader, key, (*offset, *epoch), data, disk, now);
                }
            }
        }
    }

    fn partition_fetched(
        &mut self,
        leader: i32,
        key: Key,
        (offset, epoch): (i64, i32),
        data: PartitionData,
        disk: &mut Disk,
        now: Time,
    ) {
        let Some(followed) = self.fetchers.followed(leader, key) else {
            return;
        };
        // Metadata came while the request was under way: this answer is an old epoch's.
        if followed.leader_epoch != epoch || followed.step != Step::Fetching {
            return;
        }
        let topic = followed.topic.clone();
        let here = self.replicas.get(&topic, key.1).is_some_and(|partition| {
            partition.topic_id == key.0
                && partition.role == Role::Follower
                && partition.log.log_end_offset() == offset
        });
        if !here {
            return;
        }
        let error = ErrorCode(data.error_code);
        match error {
            ErrorCode::NONE if data.diverging_epoch.epoch >= 0 => {
                let end = (data.diverging_epoch.epoch, data.diverging_epoch.end_offset);
                self.truncate_diverging(leader, &topic, key.1, end, disk, now);
            }
            ErrorCode::NONE => self.append_fetched(leader, key, &topic, data, disk, now),
            ErrorCode::OFFSET_OUT_OF_RANGE => {
                self.fetchers.set_step(leader, key, Step::AskLatest);
            }
            ErrorCode::FENCED_LEADER_EPOCH => {
                self.report_fetcher(
                    LogLevel::Info,
                    leader,
                    &format!(
                        "Partition {topic}-{} has an older epoch ({epoch}) than the current leader. Will await the new LeaderAndIsr state before resuming fetching.",
                        key.1
                    ),
                );
                if let Some(followed) = self.fetchers.followed(leader, key) {
                    followed.failed = true;
                }
            }
            ErrorCode::UNKNOWN_LEADER_EPOCH | ErrorCode::NOT_LEADER_OR_FOLLOWER => {
                self.delay_fetching(leader, key, now);
            }
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
            | ErrorCode::UNKNOWN_TOPIC_ID
            | ErrorCode::INCONSISTENT_TOPIC_ID => {
                self.report_fetcher(
                    LogLevel::Warn,
                    leader,
                    &format!(
                        "Received {} from the leader for partition {topic}-{}. This error may be returned transiently when the partition is being created or deleted, but it is not expected to persist.",
                        error.name(),
                        key.1
                    ),
                );
                self.delay_fetching(leader, key, now);
            }
            _ => {
                self.report_fetcher(
                    LogLevel::Error,
                    leader,
                    &format!(
                        "Error for partition {topic}-{} at offset {offset} {}",
                        key.1,
                        error.name()
                    ),
                );
                self.delay_fetching(leader, key, now);
            }
        }
    }

    fn append_fetched(
        &mut self,
        leader: i32,
        key: Key,
        topic: &str,
        data: PartitionData,
        disk: &mut Disk,
        now: Time,
    ) {
        let Some(partition) = self.replicas.get_mut(topic, key.1) else {
            return;
        };
        let log = &mut partition.log;
        let records = data.records.unwrap_or_default();
        let appended = if records.is_empty() {
            Ok(())
        } else {
            log.append_as_follower(disk, records, now).map(|_| ())
        };
        let before = log.high_watermark();
        if appended.is_ok() {
            log.update_high_watermark(data.high_watermark);
            log.advance_log_start_offset(disk, data.log_start_offset);
        }
        let moved = log.high_watermark() != before;
        let lines = log.take_log_lines();
        self.log_lines(lines);
        if let Err(error) = appended {
            let text = format!(
                "Found invalid messages during fetch for partition {topic}-{}: {}",
                key.1, error.message
            );
            self.report_fetcher(LogLevel::Error, leader, &text);
            self.delay_fetching(leader, key, now);
        }
        if moved {
            self.partition_touched(topic, key.1, now);
        }
    }

    /// The leader's log has another history after its `end` (epoch, end offset): both have the same up to where
    /// this epoch, or the one before it, ends in either (KIP-101, KIP-595; `getOffsetTruncationState`).
    fn truncate_diverging(
        &mut self,
        leader: i32,
        topic: &str,
        number: i32,
        (epoch, leader_end): (i32, i64),
        disk: &mut Disk,
        now: Time,
    ) {
        let Some(partition) = self.replicas.get_mut(topic, number) else {
            return;
        };
        let log = &mut partition.log;
        let end = log.log_end_offset();
        let offset = if leader_end < 0 {
            log.high_watermark()
        } else {
            match log.end_offset_for_epoch(epoch) {
                Some((own, own_end)) if own == epoch => own_end.min(leader_end).min(end),
                Some((_, own_end)) => own_end.min(end),
                None => leader_end.min(end),
            }
        };
        let high_watermark = log.high_watermark();
        log.truncate_to(disk, offset, now);
        let lines = log.take_log_lines();
        self.log_lines(lines);
        if offset < high_watermark {
            self.report_fetcher(
                LogLevel::Warn,
                leader,
                &format!(
                    "Truncating {topic}-{number} to offset {offset} below high watermark {high_watermark}"
                ),
            );
        }
        self.truncated(topic, number, disk, now);
    }

    /// Recovery must not trust what was flushed above: another history will stand there.
    fn truncated(&mut self, topic: &str, number: i32, disk: &mut Disk, now: Time) {
        self.replicas.checkpoint_log_starts(disk);
        self.partition_touched(topic, number, now);
    }

    /// The leader said where its log ends or begins, after it had not what was asked for
    /// (`fetchOffsetAndTruncate`).
    #[allow(clippy::too_many_arguments)]
    fn offset_answered(
        &mut self,
        leader: i32,
        key: Key,
        leader_epoch: i32,
        latest: bool,
        response: &ListOffsetsResponse,
        disk: &mut Disk,
        now: Time,
    ) {
        let Some(followed) = self.fetchers.followed(leader, key) else {
            return;
        };
        if followed.leader_epoch != leader_epoch || followed.step == Step::Fetching {
            return;
        }
        let topic = followed.topic.clone();
        let number = key.1;
        let answer = response
            .topics
            .first()
            .and_then(|topic| topic.partitions.first())
            .filter(|answer| answer.partition_index == number && answer.error_code == 0);
        let Some(offset) = answer.map(|answer| answer.offset) else {
            self.delay_fetching(leader, key, now);
            return;
        };
        let Some(partition) = self.replicas.get_mut(&topic, number) else {
            return;
        };
        let log = &mut partition.log;
        let end = log.log_end_offset();
        let (step, line) = if latest && offset < end {
            log.truncate_to(disk, offset, now);
            (
                Step::Fetching,
                format!(
                    "Reset fetch offset for partition {topic}-{number} from {end} to current leader's latest offset {offset}"
                ),
            )
        } else if latest {
            (Step::AskEarliest, String::new())
        } else {
            if offset > end {
                log.truncate_fully_and_start_at(disk, offset, now);
            }
            (
                Step::Fetching,
                format!(
                    "Reset fetch offset for partition {topic}-{number} from {end} to current leader's start offset {offset}"
                ),
            )
        };
        let lines = log.take_log_lines();
        self.log_lines(lines);
        self.fetchers.set_step(leader, key, step);
        if step == Step::Fetching {
            self.report_fetcher(LogLevel::Warn, leader, &line);
            self.truncated(&topic, number, disk, now);
        }
    }

    /// The connection broke, or no answer came in time.
    fn leader_silent(&mut self, leader: i32, sent: &Sent, now: Time) {
        let Some(fetcher) = self.fetchers.fetchers.get_mut(&leader) else {
            return;
        };
        fetcher.session.broken();
        let (host, port) = (fetcher.host.clone(), fetcher.port);
        let until = now.plus_millis(self.settings.replica_fetch_backoff_ms);
        match sent {
            Sent::Fetch(partitions) => {
                for key in partitions.keys() {
                    if let Some(followed) = fetcher.partitions.get_mut(key) {
                        followed.delayed_until = until;
                    }
                }
            }
            Sent::Offset { key, .. } => {
                if let Some(followed) = fetcher.partitions.get_mut(key) {
                    followed.delayed_until = until;
                }
            }
        }
        self.report_fetcher(
            LogLevel::Warn,
            leader,
            &format!(
                "Error in response for fetch request: java.io.IOException: Connection to {host}:{port} (id: {leader} rack: null isFenced: false) failed."
            ),
        );
    }

    fn delay_fetching(&mut self, leader: i32, key: Key, now: Time) {
        let until = now.plus_millis(self.settings.replica_fetch_backoff_ms);
        if let Some(followed) = self.fetchers.followed(leader, key) {
            followed.delayed_until = until;
        }
    }

    fn report_fetcher(&mut self, level: LogLevel, leader: i32, text: &str) {
        let replica = self.config.node_id;
        self.report(
            level,
            FETCHER_LOGGER,
            format!("[ReplicaFetcher replicaId={replica}, leaderId={leader}, fetcherId=0] {text}"),
        );
    }
}
