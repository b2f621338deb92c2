//! Fetches that wait for records (Kafka's `DelayedFetch` in its purgatory): woken by what happens to the
//! partitions that they read, answered at the latest at their deadline.

use std::collections::{BTreeMap, BTreeSet};

use playground_protocol::Time;
use playground_protocol::messages::fetch_request::FetchPartition;

use super::fetch_session::{FetchContext, FetchKey};

/// A fetch, as far as it was understood.
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
    pub replica: i32,
    pub deadline: Time,
    /// The partitions that wake it, by topic name.
    pub watched: Vec<(String, i32)>,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct FetchPurgatory {
    waiting: BTreeMap<u64, PendingFetch>,
    watchers: BTreeMap<(String, i32), BTreeSet<u64>>,
    woken: BTreeSet<u64>,
}

impl FetchPurgatory {
    pub fn wait(&mut self, fetch: PendingFetch) {
        for key in &fetch.watched {
            self.watchers
                .entry(key.clone())
                .or_default()
                .insert(fetch.request);
        }
        self.waiting.insert(fetch.request, fetch);
    }

    /// Something happened to a partition: records, leadership, its end.
    pub fn touch(&mut self, topic: &str, partition: i32) {
        if self.watchers.is_empty() {
            return;
        }
        if let Some(requests) = self.watchers.get(&(topic.to_owned(), partition)) {
            self.woken.extend(requests);
        }
    }

    /// Takes out a fetch that was woken, or whose time has come.
    pub fn next(&mut self, now: Time) -> Option<PendingFetch> {
        let request = match self.woken.pop_first() {
            Some(request) => request,
            None => self
                .waiting
                .iter()
                .find(|(_, fetch)| fetch.deadline <= now)
                .map(|(request, _)| *request)?,
        };
        self.remove(request)
    }

    /// Takes out a fetch, for what reason ever.
    pub fn remove(&mut self, request: u64) -> Option<PendingFetch> {
        let fetch = self.waiting.remove(&request)?;
        self.woken.remove(&request);
        for key in &fetch.watched {
            if let Some(requests) = self.watchers.get_mut(key) {
                requests.remove(&request);
                if requests.is_empty() {
                    self.watchers.remove(key);
                }
            }
        }
        Some(fetch)
    }

    pub fn next_deadline(&self) -> Time {
        self.waiting
            .values()
            .map(|fetch| fetch.deadline)
            .min()
            .unwrap_or(Time::NEVER)
    }
}
