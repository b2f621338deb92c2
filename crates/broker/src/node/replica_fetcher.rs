//! How followers copy their leaders (Kafka's `ReplicaFetcherManager` and `ReplicaFetcherThread`): one fetcher for
//! each leading broker, with its own connection and incremental fetch session.

mod follow;
mod session;

use std::collections::{BTreeMap, BTreeSet};

use playground_protocol::codec::StrBytes;
use playground_protocol::messages::fetch_request::{FetchPartition, ReplicaState};
use playground_protocol::messages::list_offsets_request::{ListOffsetsPartition, ListOffsetsTopic};
use playground_protocol::messages::{
    ApiKey, FetchRequest, ListOffsetsRequest, RequestKind, TopicName,
};
use playground_protocol::{ClientInput, ClientOutput, Time, versions};
use uuid::Uuid;

use super::channel::{Channel, Incoming, Outgoing};
use super::replica_manager::ReplicaManager;
use super::settings::Settings;
use session::ClientSession;

/// The version of ListOffsets that a follower asks with.
const LIST_OFFSETS_VERSION: i16 = 9;
/// ListOffsets' special times.
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;

/// A partition by its topic's id.
pub(super) type Key = (Uuid, i32);

/// What a request to a leader was for.
#[derive(Debug)]
pub(super) enum Sent {
    /// A fetch: per partition the offset and the leader epoch that it named.
    Fetch(BTreeMap<Key, (i64, i32)>),
    /// Where the leader's log ends, or begins, after it had not the offset that was asked for.
    Offset {
        key: Key,
        leader_epoch: i32,
        latest: bool,
    },
}

/// What a follower does about its position. Legal transitions: Fetching → AskLatest → Fetching, or
/// AskLatest → AskEarliest → Fetching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// It fetches from the end of its own log.
    Fetching,
    /// The leader has not that offset: where does its log end?
    AskLatest,
    /// It ends later than the follower's own: where does it begin?
    AskEarliest,
}

/// A partition that is followed.
#[derive(Clone, Debug)]
struct Followed {
    topic: String,
    leader_epoch: i32,
    step: Step,
    /// Not before this (`replica.fetch.backoff.ms` after an error).
    delayed_until: Time,
    /// The leader fenced this epoch: only new metadata helps.
    failed: bool,
}

impl Followed {
    fn is_ready(&self, now: Time) -> bool {
        !self.failed && self.delayed_until <= now
    }
}

/// The partitions that one broker leads, as followed from here.
#[derive(Debug)]
struct Fetcher {
    host: String,
    port: u16,
    channel: Channel<Sent>,
    session: ClientSession,
    partitions: BTreeMap<Key, Followed>,
    /// Partitions that do not fetch but ask for offsets.
    asking: BTreeSet<Key>,
    /// The earliest end of a delay, once all that was ready is sent.
    wake: Time,
}

/// Who this broker is to its leaders.
pub(super) struct Identity<'a> {
    pub node_id: i32,
    pub broker_epoch: i64,
    pub settings: &'a Settings,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct ReplicaFetchers {
    /// By the leader's id.
    fetchers: BTreeMap<i32, Fetcher>,
    leaders: BTreeMap<Key, i32>,
}

impl ReplicaFetchers {
    /// Follows a partition from the end of its log on; what was known of an earlier leader epoch is forgotten.
    pub fn follow(
        &mut self,
        key: Key,
        topic: &str,
        leader_epoch: i32,
        leader: (i32, &str, u16),
        identity: &Identity<'_>,
        emit: impl FnMut(ClientOutput),
    ) {
        let (id, host, port) = leader;
        self.unfollow(
            key,
            (self.leaders.get(&key) == Some(&id)).then_some(id),
            emit,
        );
        let fetcher = self.fetchers.entry(id).or_insert_with(|| {
            let client_id = format!("broker-{}-fetcher-0", identity.node_id);
            let timeout_ms = identity.settings.replica_socket_timeout_ms;
            Fetcher {
                host: host.to_owned(),
                port,
                channel: Channel::without_retry(client_id, host, port, timeout_ms),
                session: ClientSession::default(),
                partitions: BTreeMap::new(),
                asking: BTreeSet::new(),
                wake: Time::default(),
            }
        });
        fetcher.wake = Time::default();
        fetcher.partitions.insert(
            key,
            Followed {
                topic: topic.to_owned(),
                leader_epoch,
                step: Step::Fetching,
                delayed_until: Time::default(),
                failed: false,
            },
        );
        self.leaders.insert(key, id);
    }

    /// Follows a partition no longer. The connection is closed with the last one, but that to `keep`.
    pub fn unfollow(&mut self, key: Key, keep: Option<i32>, mut emit: impl FnMut(ClientOutput)) {
        let Some(leader) = self.leaders.remove(&key) else {
            return;
        };
        let Some(fetcher) = self.fetchers.get_mut(&leader) else {
            return;
        };
        fetcher.partitions.remove(&key);
        fetcher.asking.remove(&key);
        if fetcher.partitions.is_empty() && keep != Some(leader) {
            if let Some(connection) = fetcher.channel.close() {
                emit(ClientOutput::Close(connection));
            }
            self.fetchers.remove(&leader);
        }
    }

    /// A leader's address may have changed: its fetcher connects anew then.
    pub fn moved(
        &mut self,
        leader: i32,
        host: &str,
        port: u16,
        identity: &Identity<'_>,
        mut emit: impl FnMut(ClientOutput),
    ) {
        let Some(fetcher) = self.fetchers.get_mut(&leader) else {
            return;
        };
        if fetcher.host == host && fetcher.port == port {
            return;
        }
        if let Some(connection) = fetcher.channel.close() {
            emit(ClientOutput::Close(connection));
        }
        let client_id = format!("broker-{}-fetcher-0", identity.node_id);
        fetcher.channel = Channel::without_retry(
            client_id,
            host,
            port,
            identity.settings.replica_socket_timeout_ms,
        );
        fetcher.session = ClientSession::default();
        (fetcher.host, fetcher.port) = (host.to_owned(), port);
        fetcher.wake = Time::default();
    }

    /// Whether a partition is followed.
    pub fn follows(&self, key: Key) -> bool {
        self.leaders.contains_key(&key)
    }

    /// Whether the input was for one of these connections.
    pub fn handle(&mut self, input: &ClientInput, now: Time) -> bool {
        self.fetchers
            .values_mut()
            .any(|fetcher| fetcher.channel.handle(input, now))
    }

    /// When [`ReplicaFetchers::drive`] has something to do without an input.
    pub fn next_deadline(&self) -> Time {
        let deadline = |fetcher: &Fetcher| {
            let channel = fetcher.channel.next_deadline();
            if fetcher.channel.is_idle() {
                channel.min(fetcher.wake)
            } else {
                channel
            }
        };
        let fetchers = self.fetchers.values();
        fetchers.map(deadline).min().unwrap_or(Time::NEVER)
    }

    /// What a leader sent: its id, and the answer.
    pub fn poll_incoming(&mut self) -> Option<(i32, Incoming<Sent>)> {
        self.fetchers.iter_mut().find_map(|(leader, fetcher)| {
            let incoming = fetcher.channel.poll_incoming()?;
            fetcher.wake = Time::default();
            Some((*leader, incoming))
        })
    }

    /// Sends the next request to every leader that has answered the last one.
    pub fn drive(
        &mut self,
        replicas: &ReplicaManager,
        identity: &Identity<'_>,
        now: Time,
        next_connection: &mut u64,
        mut emit: impl FnMut(ClientOutput),
    ) {
        for fetcher in self.fetchers.values_mut() {
            if fetcher.channel.is_idle() && fetcher.wake <= now {
                match fetcher.next_request(replicas, identity, now) {
                    Some(request) => fetcher.channel.send(request),
                    None => {
                        let waiting = fetcher.partitions.values().filter(|p| !p.failed);
                        fetcher.wake = waiting
                            .map(|followed| followed.delayed_until)
                            .min()
                            .unwrap_or(Time::NEVER);
                    }
                }
            }
            fetcher.channel.drive(now, next_connection, &mut emit);
        }
    }

    /// The leader broker and topic of a partition that is followed in this leader epoch.
    fn followed(&mut self, leader: i32, key: Key) -> Option<&mut Followed> {
        self.fetchers.get_mut(&leader)?.partitions.get_mut(&key)
    }

    fn set_step(&mut self, leader: i32, key: Key, step: Step) {
        let Some(fetcher) = self.fetchers.get_mut(&leader) else {
            return;
        };
        if let Some(followed) = fetcher.partitions.get_mut(&key) {
            followed.step = step;
            if step == Step::Fetching {
                fetcher.asking.remove(&key);
            } else {
                fetcher.asking.insert(key);
            }
        }
    }
}

impl Fetcher {
    fn next_request(
        &mut self,
        replicas: &ReplicaManager,
        identity: &Identity<'_>,
        now: Time,
    ) -> Option<Outgoing<Sent>> {
        self.offset_request(identity, now)
            .or_else(|| self.fetch_request(replicas, identity, now))
    }

    fn offset_request(&self, identity: &Identity<'_>, now: Time) -> Option<Outgoing<Sent>> {
        let (key, followed) = self
            .asking
            .iter()
            .filter_map(|key| Some((*key, self.partitions.get(key)?)))
            .find(|(_, followed)| followed.is_ready(now))?;
        let latest = followed.step == Step::AskLatest;
        let partition = ListOffsetsPartition::default()
            .with_partition_index(key.1)
            .with_current_leader_epoch(followed.leader_epoch)
            .with_timestamp(if latest { LATEST } else { EARLIEST });
        let topic = ListOffsetsTopic::default()
            .with_name(TopicName(StrBytes::from_string(followed.topic.clone())))
            .with_partitions(vec![partition]);
        let request = ListOffsetsRequest::default()
            .with_replica_id(identity.node_id.into())
            .with_topics(vec![topic]);
        Some(Outgoing {
            api_key: ApiKey::ListOffsets,
            version: LIST_OFFSETS_VERSION,
            body: RequestKind::ListOffsets(request),
            tag: Sent::Offset {
                key,
                leader_epoch: followed.leader_epoch,
                latest,
            },
            expires: Time::NEVER,
        })
    }

    fn fetch_request(
        &mut self,
        replicas: &ReplicaManager,
        identity: &Identity<'_>,
        now: Time,
    ) -> Option<Outgoing<Sent>> {
        let settings = identity.settings;
        let mut wanted = BTreeMap::new();
        let mut sent = BTreeMap::new();
        for (key, followed) in &self.partitions {
            if followed.step != Step::Fetching || !followed.is_ready(now) {
                continue;
            }
            let Some(partition) = replicas.get(&followed.topic, key.1) else {
                continue;
            };
            let log = &partition.log;
            let offset = log.log_end_offset();
            wanted.insert(
                *key,
                FetchPartition::default()
                    .with_partition(key.1)
                    .with_current_leader_epoch(followed.leader_epoch)
                    .with_fetch_offset(offset)
                    .with_last_fetched_epoch(log.latest_epoch().map_or(-1, |entry| entry.epoch))
                    .with_log_start_offset(log.log_start_offset())
                    .with_partition_max_bytes(settings.replica_fetch_max_bytes),
            );
            sent.insert(*key, (offset, followed.leader_epoch));
        }
        if wanted.is_empty() {
            return None;
        }
        let version = versions::supported(ApiKey::Fetch).map_or(17, |range| *range.end());
        let request = FetchRequest::default()
            .with_replica_state(
                ReplicaState::default()
                    .with_replica_id(identity.node_id.into())
                    .with_replica_epoch(identity.broker_epoch),
            )
            .with_max_wait_ms(settings.replica_fetch_wait_max_ms)
            .with_min_bytes(settings.replica_fetch_min_bytes)
            .with_max_bytes(settings.replica_fetch_response_max_bytes);
        Some(Outgoing {
            api_key: ApiKey::Fetch,
            version,
            body: RequestKind::Fetch(self.session.request(request, wanted)),
            tag: Sent::Fetch(sent),
            expires: Time::NEVER,
        })
    }
}
