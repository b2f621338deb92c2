//! The consumer (`org.apache.kafka.clients.consumer.KafkaConsumer`, classic group protocol).

mod assignor;
mod config;
mod fetcher;
mod fetches;
mod group;
mod membership;
mod offsets;
mod sticky;
mod subscription;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use indexmap::IndexMap;
use playground_protocol::messages::ResponseKind;
use playground_protocol::{ClientInput, ClientOutput, ErrorCode, Time};

use crate::network::{Backoff, Completed, Interest, NetworkClient, NetworkOptions, Outcome};
use crate::{Client, ClientError, OperationId, TopicPartition};
pub use config::{ConsumerConfig, OffsetReset};
use fetcher::{FetchSession, Fetched};
use membership::{MemberState, Membership};
use subscription::{Position, Subscription};

/// Partitions with records waiting to be polled, beyond which no more is fetched.
const FETCHED_MAX: usize = 1_000;

/// A consumed record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConsumerRecord {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// The timestamp is the broker's (LogAppendTime), not the producer's (CreateTime).
    pub log_append_time: bool,
    /// The key; `None` is null.
    pub key: Option<Bytes>,
    /// The value; `None` is null.
    pub value: Option<Bytes>,
    /// (name, value) in order.
    pub headers: Vec<(Bytes, Option<Bytes>)>,
    /// The batch's leader epoch, `None` when unknown.
    pub leader_epoch: Option<i32>,
}

/// A committed offset, or one to commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OffsetAndMetadata {
    /// The offset of the next record to read.
    pub offset: i64,
    /// The leader epoch of the last record read, `None` when unknown.
    pub leader_epoch: Option<i32>,
    /// Free text.
    pub metadata: String,
}

/// What `poll()` of Java would have done besides returning records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConsumerEvent {
    /// `onPartitionsAssigned`: these came, in Java's order.
    Assigned(Vec<TopicPartition>),
    /// `onPartitionsRevoked`: these are given back.
    Revoked(Vec<TopicPartition>),
    /// `onPartitionsLost`: these went without asking.
    Lost(Vec<TopicPartition>),
    /// `poll()` would throw this. The consumer can be used on, as in Java.
    Error(ClientError),
    /// A [`Consumer::commit`] is done.
    Committed {
        /// The commit.
        id: OperationId,
        /// What was committed, or why not.
        result: Result<IndexMap<TopicPartition, OffsetAndMetadata>, ClientError>,
    },
    /// A [`Consumer::close`] is over.
    Closed,
}

/// Which topics a pattern means.
pub type TopicMatcher = Box<dyn Fn(&str) -> bool>;

/// What is consumed.
enum Wish {
    Nothing,
    Assigned,
    Topics(BTreeSet<String>),
    Pattern(TopicMatcher),
}

/// Who waits for a response.
#[derive(Clone, Debug)]
enum Pending {
    FindCoordinator,
    Join,
    Sync,
    Heartbeat,
    Leave,
    Commit {
        id: Option<OperationId>,
        offsets: IndexMap<TopicPartition, OffsetAndMetadata>,
        then: AfterCommit,
    },
    OffsetFetch(Vec<TopicPartition>),
    ListOffsets(Vec<(TopicPartition, i64)>),
    Fetch(i32),
}

/// What a commit was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AfterCommit {
    Nothing,
    /// The rebalance goes on.
    Join,
    /// The closing goes on.
    Leave,
}

/// Open → (closing) Committing → Leaving → Closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Closing {
    Open,
    Committing,
    Leaving,
    Closed,
}

/// A consumer. Driven as [`Client`] says; joins its group, fetches, commits and heartbeats by itself as
/// inputs and time come. Records wait in a bounded buffer until [`Consumer::poll_records`] takes them.
pub struct Consumer {
    config: ConsumerConfig,
    network: NetworkClient,
    backoff: Backoff,
    wish: Wish,
    subscription: Subscription,
    member: Membership,
    /// The coordinator's node id on the wire of this client, and until when not to look for one.
    coordinator: Option<i32>,
    coordinator_not_before: Time,
    /// The correlation id of the look-up that waits to be sent.
    coordinator_lookup: Option<i32>,
    pending: BTreeMap<i32, Pending>,
    sessions: BTreeMap<i32, FetchSession>,
    /// Nodes with a fetch under way.
    fetching: BTreeSet<i32>,
    fetched: VecDeque<Fetched>,
    next_auto_commit: Time,
    /// Commits that wait for the coordinator.
    waiting_commits: VecDeque<(OperationId, IndexMap<TopicPartition, OffsetAndMetadata>)>,
    next_operation: u64,
    events: VecDeque<ConsumerEvent>,
    seen_metadata: u64,
    /// The metadata whose errors were reported.
    reported_metadata: u64,
    /// The topics of the last join.
    joined_topics: BTreeSet<String>,
    retries: u32,
    closing: Closing,
    close_deadline: Time,
}

impl Consumer {
    /// A consumer without subscription. `seed` chooses backoff jitter and nodes.
    pub fn new(config: ConsumerConfig, seed: u64, now: Time) -> Consumer {
        let group = config.group_id.as_ref().map_or("null", String::as_str);
        let instance = config
            .group_instance_id
            .as_ref()
            .map(|id| format!("instanceId={id}, "))
            .unwrap_or_default();
        let options = NetworkOptions {
            log_prefix: format!(
                "[Consumer {instance}clientId={}, groupId={group}] ",
                config.common.client_id
            ),
            max_in_flight: 100,
            allow_auto_creation: config.allow_auto_create_topics,
            warns_of_bootstrap: true,
        };
        let network = NetworkClient::new(&config.common, options, seed, "consumer");
        let backoff = Backoff::new(
            config.common.retry_backoff_ms,
            config.common.retry_backoff_max_ms,
        );
        let next_auto_commit = now.plus_millis(config.auto_commit_interval_ms);
        Consumer {
            config,
            network,
            backoff,
            wish: Wish::Nothing,
            subscription: Subscription::default(),
            member: Membership::new(),
            coordinator: None,
            coordinator_not_before: Time::default(),
            coordinator_lookup: None,
            pending: BTreeMap::new(),
            sessions: BTreeMap::new(),
            fetching: BTreeSet::new(),
            fetched: VecDeque::new(),
            next_auto_commit,
            waiting_commits: VecDeque::new(),
            next_operation: 0,
            events: VecDeque::new(),
            seen_metadata: 0,
            reported_metadata: 0,
            joined_topics: BTreeSet::new(),
            retries: 0,
            closing: Closing::Open,
            close_deadline: Time::NEVER,
        }
    }

    /// `subscribe(Collection)`: consume these topics as a member of the group.
    pub fn subscribe(&mut self, topics: Vec<String>, now: Time) {
        let topics: BTreeSet<String> = topics.into_iter().collect();
        self.network
            .metadata_mut()
            .set_interest(Interest::Topics(topics.clone()));
        self.wish = Wish::Topics(topics);
        self.member.rejoin = true;
        self.turn(now);
    }

    /// `subscribe(Pattern)`: consume every topic that matches, those that come later too.
    pub fn subscribe_pattern(&mut self, matcher: TopicMatcher, now: Time) {
        self.network.metadata_mut().set_interest(Interest::All);
        self.wish = Wish::Pattern(matcher);
        self.member.rejoin = true;
        self.turn(now);
    }

    /// `assign(Collection)`: consume these partitions, without group management.
    pub fn assign(&mut self, partitions: Vec<TopicPartition>, now: Time) {
        let topics = partitions
            .iter()
            .map(|partition| partition.topic.clone())
            .collect();
        self.network
            .metadata_mut()
            .set_interest(Interest::Topics(topics));
        self.wish = Wish::Assigned;
        self.subscription.assign(&partitions);
        self.fetched
            .retain(|fetched| partitions.contains(&fetched.partition));
        self.turn(now);
    }

    /// The partitions that are consumed now, in order.
    pub fn assignment(&self) -> Vec<TopicPartition> {
        self.subscription.partitions()
    }

    /// The next record of `partition` to be read is that at `offset`.
    pub fn seek(&mut self, partition: &TopicPartition, offset: i64, now: Time) {
        self.subscription
            .set(partition, Position::At(offset.max(0), None));
        self.turn(now);
    }

    /// Resets to the log start of these partitions; of all assigned if empty.
    pub fn seek_to_beginning(&mut self, partitions: &[TopicPartition], now: Time) {
        self.seek_to(partitions, -2, now);
    }

    /// Resets to the end of these partitions; of all assigned if empty.
    pub fn seek_to_end(&mut self, partitions: &[TopicPartition], now: Time) {
        self.seek_to(partitions, -1, now);
    }

    fn seek_to(&mut self, partitions: &[TopicPartition], timestamp: i64, now: Time) {
        let all = if partitions.is_empty() {
            self.assignment()
        } else {
            partitions.to_vec()
        };
        for partition in &all {
            self.subscription.set(partition, Position::Reset(timestamp));
        }
        self.turn(now);
    }

    /// The offset of the next record that [`Consumer::poll_records`] gives, once known.
    pub fn position(&self, partition: &TopicPartition) -> Option<i64> {
        self.subscription.position(partition)
    }

    /// Up to `max.poll.records` records that are there; empty when there are none. Consumed positions move.
    pub fn poll_records(&mut self, now: Time) -> Vec<ConsumerRecord> {
        let mut records = Vec::new();
        while records.len() < self.config.max_poll_records {
            let Some(front) = self.fetched.front_mut() else {
                break;
            };
            let current = self.subscription.position(&front.partition) == Some(front.expected);
            if !current {
                // The position was moved, or the partition was taken away, since the fetch.
                self.fetched.pop_front();
                continue;
            }
            let room = self.config.max_poll_records - records.len();
            let count = front.records.len().min(room);
            records.extend(front.records.drain(..count));
            let next = match front.records.front() {
                Some(record) => (
                    record.offset,
                    records
                        .last()
                        .and_then(|last: &ConsumerRecord| last.leader_epoch),
                ),
                None => front.next,
            };
            front.expected = next.0;
            let partition = front.partition.clone();
            if front.records.is_empty() {
                self.fetched.pop_front();
            }
            self.subscription
                .set(&partition, Position::At(next.0, next.1));
        }
        if !records.is_empty() {
            self.turn(now);
        }
        records
    }

    /// Whether [`Consumer::poll_records`] would give something.
    pub fn has_records(&self) -> bool {
        self.fetched.iter().any(|fetched| {
            !fetched.records.is_empty()
                && self.subscription.position(&fetched.partition) == Some(fetched.expected)
        })
    }

    /// Commits offsets, those consumed so far if `None` (`commitAsync`); ends in [`ConsumerEvent::Committed`].
    pub fn commit(
        &mut self,
        offsets: Option<IndexMap<TopicPartition, OffsetAndMetadata>>,
        now: Time,
    ) -> OperationId {
        self.next_operation += 1;
        let id = OperationId(self.next_operation);
        let offsets = offsets.unwrap_or_else(|| self.subscription.consumed());
        if offsets.is_empty() {
            self.events.push_back(ConsumerEvent::Committed {
                id,
                result: Ok(offsets),
            });
        } else {
            self.waiting_commits.push_back((id, offsets));
        }
        self.turn(now);
        id
    }

    /// Commits if `enable.auto.commit`, leaves the group, closes the connections. Gives up after `timeout_ms`
    /// (Java's default is 30,000).
    pub fn close(&mut self, timeout_ms: i64, now: Time) {
        if self.closing == Closing::Open {
            self.closing = Closing::Committing;
            // Java waits no longer than a request may take.
            self.close_deadline =
                now.plus_millis(timeout_ms.min(self.config.common.request_timeout_ms));
            self.fetched.clear();
        }
        self.turn(now);
    }

    /// Whether a [`Consumer::close`] is over.
    pub fn is_closed(&self) -> bool {
        self.closing == Closing::Closed
    }

    /// The next event; `None` when there is none.
    pub fn poll_event(&mut self) -> Option<ConsumerEvent> {
        self.events.pop_front()
    }

    // ---- one turn ----------------------------------------------------------------------------

    fn turn(&mut self, now: Time) {
        self.network.begin(now);
        self.run(now);
    }

    /// Takes what is answered, sends what is due.
    fn run(&mut self, now: Time) {
        if self.closing == Closing::Closed {
            return;
        }
        while let Some(completed) = self.network.poll_completed() {
            self.completed(completed, now);
        }
        self.note_metadata();
        if self.closing == Closing::Open {
            self.run_group(now);
            self.run_commits(now);
            self.update_positions(now);
            self.send_fetches(now);
        } else {
            self.run_closing(now);
        }
        if self.closing != Closing::Closed {
            self.network.finish(now);
        }
    }

    /// Looks at metadata that is new: topics that are invalid, topics that a pattern matches.
    fn note_metadata(&mut self) {
        let version = self.network.metadata().version();
        if version == self.seen_metadata {
            return;
        }
        self.seen_metadata = version;
        if self.reported_metadata < version
            && let Some(error) = self.network.metadata().invalid_topics_error()
        {
            self.reported_metadata = version;
            self.events.push_back(ConsumerEvent::Error(error));
        }
        if let (Some(led), MemberState::Stable) = (&self.member.led_counts, self.member.state) {
            let counts = self.partition_counts(&self.member.led_topics);
            if counts != *led {
                self.member.rejoin = true;
                self.member.reason = "cached metadata has changed".to_owned();
            }
        }
        if let (Wish::Pattern(_), MemberState::Stable) = (&self.wish, self.member.state)
            && self.subscribed_topics() != self.joined_topics
        {
            self.member.rejoin = true;
            self.member.reason = "the subscription has changed".to_owned();
        }
    }

    /// The topics that the wish means now.
    fn subscribed_topics(&self) -> BTreeSet<String> {
        match &self.wish {
            Wish::Nothing | Wish::Assigned => BTreeSet::new(),
            Wish::Topics(topics) => topics.clone(),
            Wish::Pattern(matches) => self
                .network
                .metadata()
                .topics()
                .iter()
                .filter(|(name, topic)| {
                    matches(name) && !(self.config.exclude_internal_topics && topic.internal)
                })
                .map(|(name, _)| name.clone())
                .collect(),
        }
    }

    fn partition_counts(&self, topics: &BTreeSet<String>) -> BTreeMap<String, i32> {
        topics
            .iter()
            .filter_map(|topic| {
                let count = self.network.metadata().topic(topic)?.partitions.len();
                Some((topic.clone(), i32::try_from(count).ok()?))
            })
            .collect()
    }

    fn completed(&mut self, completed: Completed, now: Time) {
        let Some(pending) = self.pending.remove(&completed.correlation_id) else {
            return;
        };
        let response = match completed.outcome {
            Outcome::Response(response) => *response,
            Outcome::Sent | Outcome::Disconnected { .. } => {
                self.disconnected(pending, completed.node, now);
                return;
            }
        };
        match (pending, response) {
            (Pending::FindCoordinator, ResponseKind::FindCoordinator(response)) => {
                self.found_coordinator(&response, now)
            }
            (Pending::Join, ResponseKind::JoinGroup(response)) => self.joined(&response, now),
            (Pending::Sync, ResponseKind::SyncGroup(response)) => self.synced(&response, now),
            (Pending::Heartbeat, ResponseKind::Heartbeat(response)) => {
                self.heartbeat_answered(ErrorCode(response.error_code), now);
            }
            (Pending::Leave, _) => self.finish_close(),
            (Pending::Commit { id, offsets, then }, ResponseKind::OffsetCommit(response)) => {
                self.committed(id, offsets, then, &response, now);
            }
            (Pending::OffsetFetch(partitions), ResponseKind::OffsetFetch(response)) => {
                self.fetched_offsets(&partitions, &response, now);
            }
            (Pending::ListOffsets(wanted), ResponseKind::ListOffsets(response)) => {
                self.listed_offsets(&wanted, &response, now);
            }
            (Pending::Fetch(node), ResponseKind::Fetch(response)) => {
                self.fetching.remove(&node);
                self.fetch_answered(node, &response, now);
            }
            _ => {}
        }
    }

    fn disconnected(&mut self, pending: Pending, node: i32, now: Time) {
        let later = self.retry_time(now);
        match pending {
            Pending::FindCoordinator => self.coordinator_not_before = later,
            Pending::Join | Pending::Sync => {
                self.lose_coordinator(now);
                self.member.state = MemberState::Unjoined;
                self.member.rejoin = true;
                self.member.not_before = later;
            }
            Pending::Heartbeat => {
                self.member.heartbeat_in_flight = false;
                self.lose_coordinator(now);
            }
            Pending::Leave => self.finish_close(),
            Pending::Commit { id, then, .. } => {
                self.lose_coordinator(now);
                self.commit_failed(id, then, ErrorCode::COORDINATOR_NOT_AVAILABLE, now);
            }
            Pending::OffsetFetch(partitions) => {
                self.lose_coordinator(now);
                partitions
                    .iter()
                    .for_each(|partition| self.subscription.back_off(partition, later));
            }
            Pending::ListOffsets(wanted) => {
                self.network.metadata_mut().request_update();
                wanted
                    .iter()
                    .for_each(|(partition, _)| self.subscription.back_off(partition, later));
            }
            Pending::Fetch(fetched) => {
                self.fetching.remove(&fetched);
                self.sessions.remove(&node);
                self.network.metadata_mut().request_update();
            }
        }
    }

    /// When to try again after the next failure in a row.
    fn retry_time(&mut self, now: Time) -> Time {
        let wait = self.backoff.wait_ms(self.retries, self.network.random());
        self.retries = self.retries.saturating_add(1);
        now.plus_millis(wait.max(1))
    }

    fn error(&mut self, error: ClientError) {
        self.events.push_back(ConsumerEvent::Error(error));
    }

    // ---- fetches -----------------------------------------------------------------------------

    fn run_closing(&mut self, now: Time) {
        if now >= self.close_deadline {
            self.finish_close();
            return;
        }
        self.network.wake_at(self.close_deadline);
        if self.closing == Closing::Committing {
            let waits = self
                .pending
                .values()
                .any(|pending| matches!(pending, Pending::Commit { .. }));
            if waits {
                return;
            }
            let offsets = self.subscription.consumed();
            let member =
                matches!(self.wish, Wish::Assigned) || self.member.state == MemberState::Stable;
            if self.config.auto_commit
                && self.config.group_id.is_some()
                && member
                && !offsets.is_empty()
            {
                if self.coordinator_ready(now) {
                    self.send_commit(None, offsets, AfterCommit::Leave, now);
                }
                return;
            }
            self.closing = Closing::Leaving;
        }
        self.leave(now);
    }

    fn finish_close(&mut self) {
        if self.closing != Closing::Closed {
            self.closing = Closing::Closed;
            self.network.close();
            self.events.push_back(ConsumerEvent::Closed);
        }
    }
}

impl Client for Consumer {
    fn handle(&mut self, input: ClientInput, now: Time) {
        self.network.begin(now);
        self.network.handle(input, now);
        self.run(now);
    }

    fn poll_output(&mut self) -> Option<ClientOutput> {
        self.network.poll_output()
    }

    fn next_deadline(&self) -> Time {
        if self.closing == Closing::Closed {
            Time::NEVER
        } else {
            self.network.next_deadline()
        }
    }

    fn tick(&mut self, now: Time) {
        self.turn(now);
    }
}
