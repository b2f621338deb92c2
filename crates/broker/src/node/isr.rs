//! How a leader changes its ISR: what it proposes, and the AlterPartition requests that ask the controller
//! (KIP-497; Kafka's `Partition.maybeExpandIsr`, `maybeShrinkIsr`, and `AlterPartitionManager`).

use std::collections::BTreeMap;

use playground_protocol::messages::alter_partition_request::{
    BrokerState, PartitionData, TopicData,
};
use playground_protocol::messages::{
    AlterPartitionRequest, AlterPartitionResponse, ApiKey, RequestKind,
};
use playground_protocol::{ErrorCode, LogLevel, Time};
use uuid::Uuid;

use super::Node;
use super::channel::Outgoing;
use super::forwarding::Call;
use super::partition::{Cluster, Partition, is_isr_eligible};
use super::view::Role;

const PARTITION_LOGGER: &str = "kafka.cluster.Partition";
const MANAGER_LOGGER: &str = "org.apache.kafka.server.partition.DefaultAlterPartitionManager";
/// The version of AlterPartition that names broker epochs (KIP-903).
const ALTER_PARTITION_VERSION: i16 = 3;
/// After this, another try of a request that failed as a whole.
const RETRY_MS: i64 = 50;

/// A change of the ISR that is under way. Legal transitions: none to proposed, and back with the controller's
/// answer or with new metadata.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct IsrChange {
    /// The replica that it adds, if it is an expansion. It counts for the high watermark from now on.
    pub adds: Option<i32>,
    /// The ISR asked for: broker ids and epochs (-1 unknown).
    pub isr: Vec<(i32, i64)>,
}

/// A change as it waits for the controller.
#[derive(Clone, Debug)]
pub(super) struct IsrUpdate {
    topic_id: Uuid,
    topic: String,
    number: i32,
    leader_epoch: i32,
    partition_epoch: i32,
    isr: Vec<(i32, i64)>,
}

/// Changes that wait, and whether a request is under way: at most one is.
#[derive(Debug)]
pub(super) struct IsrUpdates {
    waiting: BTreeMap<(Uuid, i32), IsrUpdate>,
    in_flight: bool,
    retry_at: Time,
    /// When leaders look for followers that lag.
    shrink_due: Time,
}

impl Default for IsrUpdates {
    fn default() -> IsrUpdates {
        IsrUpdates {
            waiting: BTreeMap::new(),
            in_flight: false,
            retry_at: Time::default(),
            shrink_due: Time::NEVER,
        }
    }
}

impl IsrUpdates {
    /// From now on, leaders look for followers that lag, twice in each lag time.
    pub fn start(&mut self, lag_ms_max: i64, now: Time) {
        self.shrink_due = now.plus_millis((lag_ms_max / 2).max(1));
    }

    pub fn next_deadline(&self) -> Time {
        if self.in_flight || self.waiting.is_empty() {
            self.shrink_due
        } else {
            self.shrink_due.min(self.retry_at)
        }
    }
}

impl Partition {
    /// Proposes to add a follower to the ISR, if it has come to the high watermark and to the start of this
    /// leader's epoch.
    fn propose_expansion(&mut self, replica: i32, cluster: &Cluster<'_>) -> bool {
        let Some(follower) = self.followers.get(&replica) else {
            return false;
        };
        if self.role != Role::Leader
            || self.isr_change.is_some()
            || self.state.isr.contains(&replica)
            || follower.log_end_offset < self.log.high_watermark()
            || follower.log_end_offset < self.leader_epoch_start_offset
            || !is_isr_eligible(replica, follower, cluster.image)
        {
            return false;
        }
        let isr: Vec<i32> = self.state.isr.iter().copied().chain([replica]).collect();
        self.propose(Some(replica), &isr, cluster);
        true
    }

    /// Proposes to drop the followers that have lagged for too long; what Kafka logs of it.
    fn propose_shrinking(&mut self, cluster: &Cluster<'_>) -> Option<String> {
        if self.role != Role::Leader || self.isr_change.is_some() {
            return None;
        }
        let end = self.log.log_end_offset();
        let now_ms = cluster.now.millis();
        let lags = |id: &i32| {
            self.followers
                .get(id)
                .is_some_and(|follower| !follower.is_caught_up(end, now_ms, cluster.lag_ms_max))
        };
        let (out, kept): (Vec<i32>, Vec<i32>) = self.state.isr.iter().partition(|id| lags(id));
        if out.is_empty() {
            return None;
        }
        let lagging: Vec<String> = out
            .iter()
            .filter_map(|id| {
                let follower = self.followers.get(id)?;
                Some(format!(
                    "(brokerId: {id}, endOffset: {}, lastCaughtUpTimeMs: {})",
                    follower.log_end_offset, follower.last_caught_up_ms
                ))
            })
            .collect();
        let line = format!(
            "Shrinking ISR from {} to {}. Leader: (highWatermark: {}, endOffset: {end}). Out of sync replicas: {}.",
            joined(&self.state.isr),
            joined(&kept),
            self.log.high_watermark(),
            lagging.join(" ")
        );
        self.propose(None, &kept, cluster);
        Some(line)
    }

    fn propose(&mut self, adds: Option<i32>, isr: &[i32], cluster: &Cluster<'_>) {
        let epoch = |id: i32| {
            if id == cluster.node_id {
                cluster.image.broker(id).map_or(-1, |broker| broker.epoch)
            } else {
                self.followers
                    .get(&id)
                    .and_then(|follower| follower.broker_epoch)
                    .unwrap_or(-1)
            }
        };
        // A set of Java's: it comes out in the order of the ids.
        let mut isr: Vec<(i32, i64)> = isr.iter().map(|id| (*id, epoch(*id))).collect();
        isr.sort_unstable();
        self.isr_change = Some(IsrChange { adds, isr });
    }
}

impl Node {
    /// A follower may have caught up: asks for it to join the ISR.
    pub(super) fn maybe_expand_isr(&mut self, topic: &str, number: i32, replica: i32, now: Time) {
        let cluster = Cluster {
            node_id: self.config.node_id,
            image: &self.image,
            lag_ms_max: self.settings.replica_lag_time_max_ms,
            now,
        };
        let proposed = self
            .replicas
            .get_mut(topic, number)
            .is_some_and(|partition| partition.propose_expansion(replica, &cluster));
        if proposed {
            self.submit_isr_change(topic, number);
        }
    }

    /// Looks for followers that lag, when that is due.
    pub(super) fn shrink_isrs(&mut self, now: Time) {
        if self.isr_updates.shrink_due > now {
            return;
        }
        let lag_ms_max = self.settings.replica_lag_time_max_ms;
        self.isr_updates.start(lag_ms_max, now);
        let cluster = Cluster {
            node_id: self.config.node_id,
            image: &self.image,
            lag_ms_max,
            now,
        };
        let mut shrunk = Vec::new();
        for (topic, number, partition) in self.replicas.iter_mut() {
            if let Some(line) = partition.propose_shrinking(&cluster) {
                shrunk.push((topic.to_owned(), number, line));
            }
        }
        for (topic, number, line) in shrunk {
            self.report_partition(LogLevel::Info, &topic, number, &line);
            self.submit_isr_change(&topic, number);
        }
    }

    fn submit_isr_change(&mut self, topic: &str, number: i32) {
        let Some(partition) = self.replicas.get(topic, number) else {
            return;
        };
        let Some(change) = &partition.isr_change else {
            return;
        };
        let update = IsrUpdate {
            topic_id: partition.topic_id,
            topic: topic.to_owned(),
            number,
            leader_epoch: partition.state.leader_epoch,
            partition_epoch: partition.state.partition_epoch,
            isr: change.isr.clone(),
        };
        let key = (update.topic_id, number);
        self.isr_updates.waiting.insert(key, update);
    }

    /// Sends what waits in one request, unless one is under way.
    pub(super) fn drive_isr_updates(&mut self, now: Time) {
        let updates = &mut self.isr_updates;
        if updates.in_flight || updates.waiting.is_empty() || updates.retry_at > now {
            return;
        }
        updates.in_flight = true;
        let sent: Vec<IsrUpdate> = std::mem::take(&mut updates.waiting).into_values().collect();
        let mut topics: Vec<TopicData> = Vec::new();
        for update in &sent {
            let isr = update.isr.iter().map(|(id, epoch)| {
                BrokerState::default()
                    .with_broker_id((*id).into())
                    .with_broker_epoch(*epoch)
            });
            let partition = PartitionData::default()
                .with_partition_index(update.number)
                .with_leader_epoch(update.leader_epoch)
                .with_new_isr_with_epochs(isr.collect())
                .with_leader_recovery_state(0)
                .with_partition_epoch(update.partition_epoch);
            match topics.last_mut() {
                Some(topic) if topic.topic_id == update.topic_id => {
                    topic.partitions.push(partition);
                }
                _ => topics.push(
                    TopicData::default()
                        .with_topic_id(update.topic_id)
                        .with_partitions(vec![partition]),
                ),
            }
        }
        let request = AlterPartitionRequest::default()
            .with_broker_id(self.config.node_id.into())
            .with_broker_epoch(self.lifecycle.broker_epoch)
            .with_topics(topics);
        self.forwarding.send(Outgoing {
            api_key: ApiKey::AlterPartition,
            version: ALTER_PARTITION_VERSION,
            body: RequestKind::AlterPartition(request),
            tag: Call::AlterPartition(sent),
            expires: Time::NEVER,
        });
    }

    /// The controller answered.
    pub(super) fn isr_updates_answered(
        &mut self,
        sent: Vec<IsrUpdate>,
        response: &AlterPartitionResponse,
        now: Time,
    ) {
        let error = ErrorCode(response.error_code);
        if error != ErrorCode::NONE {
            if error == ErrorCode::STALE_BROKER_EPOCH {
                self.report(
                    LogLevel::Warn,
                    MANAGER_LOGGER,
                    "Broker had a stale broker epoch, retrying.".to_owned(),
                );
            }
            self.isr_updates_failed(sent, now);
            return;
        }
        self.isr_updates.in_flight = false;
        for update in sent {
            let answer = response
                .topics
                .iter()
                .filter(|topic| topic.topic_id == update.topic_id)
                .flat_map(|topic| &topic.partitions)
                .find(|partition| partition.partition_index == update.number);
            if let Some(answer) = answer {
                self.isr_update_answered(&update, answer, now);
            }
        }
    }

    /// No answer that is good for anything: the same again, in a moment.
    pub(super) fn isr_updates_failed(&mut self, sent: Vec<IsrUpdate>, now: Time) {
        let updates = &mut self.isr_updates;
        updates.in_flight = false;
        updates.retry_at = now.plus_millis(RETRY_MS);
        for update in sent {
            // What was proposed since then is newer.
            updates
                .waiting
                .entry((update.topic_id, update.number))
                .or_insert(update);
        }
    }

    fn isr_update_answered(
        &mut self,
        update: &IsrUpdate,
        answer: &playground_protocol::messages::alter_partition_response::PartitionData,
        now: Time,
    ) {
        let cluster = Cluster {
            node_id: self.config.node_id,
            image: &self.image,
            lag_ms_max: self.settings.replica_lag_time_max_ms,
            now,
        };
        let Some(partition) =
            self.replicas
                .get_mut(&update.topic, update.number)
                .filter(|partition| {
                    partition.topic_id == update.topic_id
                        && partition
                            .isr_change
                            .as_ref()
                            .is_some_and(|change| change.isr == update.isr)
                        && partition.state.leader_epoch == update.leader_epoch
                        && partition.state.partition_epoch == update.partition_epoch
                })
        else {
            return;
        };
        let error = ErrorCode(answer.error_code);
        if error != ErrorCode::NONE {
            match error {
                // Nothing came of it: the leader may propose it again.
                ErrorCode::OPERATION_NOT_ATTEMPTED | ErrorCode::INELIGIBLE_REPLICA => {
                    partition.isr_change = None;
                }
                // The metadata will say what became of the partition.
                ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
                | ErrorCode::UNKNOWN_TOPIC_ID
                | ErrorCode::FENCED_LEADER_EPOCH
                | ErrorCode::INVALID_UPDATE_VERSION
                | ErrorCode::INVALID_REQUEST
                | ErrorCode::NEW_LEADER_ELECTED => {}
                _ => self.submit_isr_change(&update.topic, update.number),
            }
            let line = format!(
                "Failed to alter partition to {}: {}",
                joined(&update.isr.iter().map(|(id, _)| *id).collect::<Vec<_>>()),
                error.name()
            );
            self.report_partition(LogLevel::Info, &update.topic, update.number, &line);
            return;
        }
        if answer.leader_epoch != partition.state.leader_epoch
            || answer.partition_epoch < partition.state.partition_epoch
        {
            return;
        }
        partition.state.isr = answer.isr.iter().map(|id| id.0).collect();
        partition.state.partition_epoch = answer.partition_epoch;
        partition.isr_change = None;
        partition.advance_high_watermark(&cluster);
        let line = format!(
            "ISR updated to {} {} and version updated to {}",
            joined(&partition.state.isr),
            if partition.is_under_min_isr() {
                "(under-min-isr)"
            } else {
                ""
            },
            answer.partition_epoch
        );
        self.report_partition(LogLevel::Info, &update.topic, update.number, &line);
        self.partition_touched(&update.topic, update.number, now);
    }

    fn report_partition(&mut self, level: LogLevel, topic: &str, number: i32, text: &str) {
        let broker = self.config.node_id;
        self.report(
            level,
            PARTITION_LOGGER,
            format!("[Partition {topic}-{number} broker={broker}] {text}"),
        );
    }
}

fn joined(ids: &[i32]) -> String {
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    ids.join(",")
}
