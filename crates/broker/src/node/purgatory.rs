//! Requests that wait for what happens to partitions (Kafka's `DelayedOperationPurgatory`): woken by each event
//! of a partition that they watch, answered at the latest at their deadline.

use std::collections::{BTreeMap, BTreeSet};

use playground_protocol::Time;
use playground_protocol::messages::delete_records_response::DeleteRecordsTopicResult;
use playground_protocol::messages::fetch_request::FetchPartition;
use playground_protocol::messages::produce_response::TopicProduceResponse;

use super::fetch_session::{FetchContext, FetchKey};

/// A request that waits.
pub(super) trait Delayed {
    /// Names it.
    fn request(&self) -> u64;
    /// When it is answered in any case.
    fn deadline(&self) -> Time;
    /// The partitions that wake it, by topic name.
    fn watched(&self) -> Vec<(String, i32)>;
}

/// A fetch, as far as it was understood (`DelayedFetch`).
#[derive(Clone, Debug)]
pub(super) struct PendingFetch {
    pub request: u64,
    pub version: i16,
    pub listener: String,
    pub context: FetchContext,
    pub partitions: Vec<(FetchKey, FetchPartition)>,
    pub min_bytes: usize,
    pub max_bytes: usize,
    pub committed_only: bool,
    /// -1 for a consumer.
    pub replica: i32,
    /// -1 where the replica does not say.
    pub replica_epoch: i64,
    /// The consumer's rack; empty without.
    pub rack: String,
    pub deadline: Time,
    /// The partitions that wake it, by topic name.
    pub watched: Vec<(String, i32)>,
}

impl Delayed for PendingFetch {
    fn request(&self) -> u64 {
        self.request
    }

    fn deadline(&self) -> Time {
        self.deadline
    }

    fn watched(&self) -> Vec<(String, i32)> {
        self.watched.clone()
    }
}

/// A partition of a response that waits until its replicas have come to an offset.
#[derive(Clone, Debug)]
pub(super) struct Waiting {
    pub topic: String,
    pub partition: i32,
    /// Where the answer stands in the response: topic, partition.
    pub place: (usize, usize),
    /// The offset to come to.
    pub offset: i64,
}

/// A Produce with `acks=all` (`DelayedProduce`).
#[derive(Clone, Debug)]
pub(super) struct PendingProduce {
    pub request: u64,
    pub version: i16,
    pub listener: String,
    pub responses: Vec<TopicProduceResponse>,
    pub waiting: Vec<Waiting>,
    pub deadline: Time,
}

impl Delayed for PendingProduce {
    fn request(&self) -> u64 {
        self.request
    }

    fn deadline(&self) -> Time {
        self.deadline
    }

    fn watched(&self) -> Vec<(String, i32)> {
        watched(&self.waiting)
    }
}

/// A DeleteRecords whose followers have not followed yet (`DelayedDeleteRecords`).
#[derive(Clone, Debug)]
pub(super) struct PendingDeletion {
    pub request: u64,
    pub topics: Vec<DeleteRecordsTopicResult>,
    pub waiting: Vec<Waiting>,
    pub deadline: Time,
}

impl Delayed for PendingDeletion {
    fn request(&self) -> u64 {
        self.request
    }

    fn deadline(&self) -> Time {
        self.deadline
    }

    fn watched(&self) -> Vec<(String, i32)> {
        watched(&self.waiting)
    }
}

fn watched(waiting: &[Waiting]) -> Vec<(String, i32)> {
    waiting
        .iter()
        .map(|waiting| (waiting.topic.clone(), waiting.partition))
        .collect()
}

/// See the module.
#[derive(Debug)]
pub(super) struct Purgatory<T> {
    waiting: BTreeMap<u64, T>,
    watchers: BTreeMap<String, BTreeMap<i32, BTreeSet<u64>>>,
    woken: BTreeSet<u64>,
}

impl<T> Default for Purgatory<T> {
    fn default() -> Purgatory<T> {
        Purgatory {
            waiting: BTreeMap::new(),
            watchers: BTreeMap::new(),
            woken: BTreeSet::new(),
        }
    }
}

impl<T: Delayed> Purgatory<T> {
    pub fn wait(&mut self, delayed: T) {
        let request = delayed.request();
        for (topic, partition) in delayed.watched() {
            self.watchers
                .entry(topic)
                .or_default()
                .entry(partition)
                .or_default()
                .insert(request);
        }
        self.waiting.insert(request, delayed);
    }

    /// Something happened to a partition: records, a high watermark, leadership, its end.
    pub fn touch(&mut self, topic: &str, partition: i32) {
        let requests = self
            .watchers
            .get(topic)
            .and_then(|topic| topic.get(&partition));
        if let Some(requests) = requests {
            self.woken.extend(requests);
        }
    }

    /// Takes out a request that was woken, or whose time has come.
    pub fn next(&mut self, now: Time) -> Option<T> {
        let request = match self.woken.pop_first() {
            Some(request) => request,
            None => self
                .waiting
                .iter()
                .find(|(_, delayed)| delayed.deadline() <= now)
                .map(|(request, _)| *request)?,
        };
        self.remove(request)
    }

    /// Takes out a request, for what reason ever.
    pub fn remove(&mut self, request: u64) -> Option<T> {
        let delayed = self.waiting.remove(&request)?;
        self.woken.remove(&request);
        for (topic, partition) in delayed.watched() {
            let Some(partitions) = self.watchers.get_mut(&topic) else {
                continue;
            };
            if let Some(requests) = partitions.get_mut(&partition) {
                requests.remove(&request);
                if requests.is_empty() {
                    partitions.remove(&partition);
                }
            }
            if partitions.is_empty() {
                self.watchers.remove(&topic);
            }
        }
        Some(delayed)
    }

    pub fn next_deadline(&self) -> Time {
        self.waiting
            .values()
            .map(Delayed::deadline)
            .min()
            .unwrap_or(Time::NEVER)
    }
}
