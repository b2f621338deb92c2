//! Incremental fetch sessions (KIP-227; Kafka's `FetchSession`): what a client fetches is remembered, so that
//! requests name only what changed, and responses only partitions with news.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use playground_protocol::messages::FetchRequest;
use playground_protocol::messages::fetch_request::FetchPartition;
use playground_protocol::messages::fetch_response::PartitionData;
use playground_protocol::{ErrorCode, Time};
use uuid::Uuid;

use super::limits::FETCH_SESSIONS_MAX;

/// A partition as a fetch names it: by id from version 13 on, else by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct FetchKey {
    /// Empty where the id is used.
    pub topic: String,
    /// Nil where the name is used.
    pub topic_id: Uuid,
    pub partition: i32,
}

/// The epoch that asks for a new session.
const INITIAL_EPOCH: i32 = 0;
/// The epoch that ends a session, or does without.
const FINAL_EPOCH: i32 = -1;
/// `min.incremental.fetch.session.eviction.ms`.
const EVICTION_MS: i64 = 120_000;

/// What a session knows of one partition.
#[derive(Clone, Debug)]
struct CachedPartition {
    request: FetchPartition,
    high_watermark: i64,
    log_start_offset: i64,
}

#[derive(Debug)]
struct Session {
    epoch: i32,
    uses_topic_ids: bool,
    last_used: Time,
    partitions: IndexMap<FetchKey, CachedPartition>,
}

/// How one fetch relates to a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FetchContext {
    /// No session: all partitions are named, all are answered.
    Sessionless,
    /// All partitions are named, and remembered under this new id.
    Full(i32),
    /// The session's partitions.
    Incremental(i32),
}

/// All sessions of a broker.
#[derive(Debug, Default)]
pub(super) struct FetchSessions {
    sessions: BTreeMap<i32, Session>,
}

impl FetchSessions {
    /// Takes a request: the context, and the partitions to read in order.
    ///
    /// # Errors
    /// FETCH_SESSION_ID_NOT_FOUND, INVALID_FETCH_SESSION_EPOCH, FETCH_SESSION_TOPIC_ID_ERROR.
    pub fn begin(
        &mut self,
        request: &FetchRequest,
        version: i16,
        now: Time,
        mut random_id: impl FnMut() -> i32,
    ) -> Result<(FetchContext, Vec<(FetchKey, FetchPartition)>), ErrorCode> {
        let by_id = version >= 13;
        let named = named_partitions(request, by_id);
        if request.session_epoch == INITIAL_EPOCH || request.session_epoch == FINAL_EPOCH {
            self.sessions.remove(&request.session_id);
            if request.session_epoch == FINAL_EPOCH || version < 7 || named.is_empty() {
                return Ok((FetchContext::Sessionless, named));
            }
            if !self.make_room(now) {
                return Ok((FetchContext::Sessionless, named));
            }
            let id = loop {
                let id = random_id() & i32::MAX;
                if id != 0 && !self.sessions.contains_key(&id) {
                    break id;
                }
            };
            let partitions = named
                .iter()
                .map(|(key, request)| (key.clone(), CachedPartition::new(request.clone())))
                .collect();
            self.sessions.insert(
                id,
                Session {
                    epoch: next_epoch(INITIAL_EPOCH),
                    uses_topic_ids: by_id,
                    last_used: now,
                    partitions,
                },
            );
            return Ok((FetchContext::Full(id), named));
        }
        let session = self
            .sessions
            .get_mut(&request.session_id)
            .ok_or(ErrorCode::FETCH_SESSION_ID_NOT_FOUND)?;
        if session.epoch != request.session_epoch {
            return Err(ErrorCode::INVALID_FETCH_SESSION_EPOCH);
        }
        if session.uses_topic_ids != by_id {
            return Err(ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR);
        }
        for (key, request) in named {
            match session.partitions.get_mut(&key) {
                Some(cached) => {
                    if cached.request.current_leader_epoch != request.current_leader_epoch {
                        // A follower leaves out answers to its last epoch: it may not know what was told.
                        cached.high_watermark = -1;
                    }
                    cached.request = request;
                }
                None => {
                    session
                        .partitions
                        .insert(key, CachedPartition::new(request));
                }
            }
        }
        for topic in &request.forgotten_topics_data {
            for partition in &topic.partitions {
                session.partitions.shift_remove(&key(
                    &topic.topic,
                    topic.topic_id,
                    *partition,
                    by_id,
                ));
            }
        }
        if session.partitions.is_empty() {
            self.sessions.remove(&request.session_id);
            return Ok((FetchContext::Sessionless, Vec::new()));
        }
        session.last_used = now;
        session.epoch = next_epoch(session.epoch);
        let partitions = session
            .partitions
            .iter()
            .map(|(key, cached)| (key.clone(), cached.request.clone()))
            .collect();
        Ok((FetchContext::Incremental(request.session_id), partitions))
    }

    /// Takes what was read: the session id for the response, and the partitions that it must carry.
    pub fn finish(
        &mut self,
        context: &FetchContext,
        read: Vec<(FetchKey, PartitionData)>,
    ) -> (i32, Vec<(FetchKey, PartitionData)>) {
        let (id, incremental) = match context {
            FetchContext::Sessionless => return (0, read),
            FetchContext::Full(id) => (*id, false),
            FetchContext::Incremental(id) => (*id, true),
        };
        let Some(session) = self.sessions.get_mut(&id) else {
            return (if incremental { id } else { 0 }, read);
        };
        let mut kept = Vec::new();
        for (key, data) in read {
            let Some(cached) = session.partitions.get_mut(&key) else {
                kept.push((key, data));
                continue;
            };
            let has_records = data
                .records
                .as_ref()
                .is_some_and(|records| !records.is_empty());
            let must_respond = cached.update(&data, has_records);
            if incremental && has_records {
                // What was read goes to the end, so that a full response starves nobody.
                if let Some(cached) = session.partitions.shift_remove(&key) {
                    session.partitions.insert(key.clone(), cached);
                }
            }
            if must_respond || !incremental {
                kept.push((key, data));
            }
        }
        (id, kept)
    }

    /// Whether any partition of a read must be in the response.
    fn make_room(&mut self, now: Time) -> bool {
        if self.sessions.len() < FETCH_SESSIONS_MAX {
            return true;
        }
        let oldest = self
            .sessions
            .iter()
            .min_by_key(|(_, session)| session.last_used)
            .map(|(id, session)| (*id, session.last_used));
        match oldest {
            Some((id, last_used)) if now > last_used.plus_millis(EVICTION_MS) => {
                self.sessions.remove(&id);
                true
            }
            _ => false,
        }
    }
}

impl CachedPartition {
    fn new(request: FetchPartition) -> CachedPartition {
        CachedPartition {
            request,
            high_watermark: -1,
            log_start_offset: -1,
        }
    }

    /// `maybeUpdateResponseData`: remembers what the client is told, and whether there is news.
    fn update(&mut self, data: &PartitionData, has_records: bool) -> bool {
        let mut news = has_records;
        if self.high_watermark != data.high_watermark {
            self.high_watermark = data.high_watermark;
            news = true;
        }
        if self.log_start_offset != data.log_start_offset {
            self.log_start_offset = data.log_start_offset;
            news = true;
        }
        if data.error_code != 0 || data.diverging_epoch.epoch >= 0 {
            // So that the partition is told of again when it has recovered, or truncated: a follower that
            // truncates leaves the high watermark of that answer out. (Kafka does this after errors only.)
            self.high_watermark = -1;
            news = true;
        }
        news
    }
}

fn next_epoch(epoch: i32) -> i32 {
    if epoch == i32::MAX { 1 } else { epoch + 1 }
}

fn key(topic: &str, topic_id: Uuid, partition: i32, by_id: bool) -> FetchKey {
    FetchKey {
        topic: if by_id {
            String::new()
        } else {
            topic.to_owned()
        },
        topic_id: if by_id { topic_id } else { Uuid::nil() },
        partition,
    }
}

fn named_partitions(request: &FetchRequest, by_id: bool) -> Vec<(FetchKey, FetchPartition)> {
    let mut named = IndexMap::new();
    for topic in &request.topics {
        for partition in &topic.partitions {
            named.insert(
                key(&topic.topic, topic.topic_id, partition.partition, by_id),
                partition.clone(),
            );
        }
    }
    named.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;
    use playground_protocol::messages::fetch_request::FetchTopic;

    fn request(session_id: i32, session_epoch: i32, partitions: &[i32]) -> FetchRequest {
        let partitions = partitions
            .iter()
            .map(|partition| FetchPartition::default().with_partition(*partition))
            .collect();
        FetchRequest::default()
            .with_session_id(session_id)
            .with_session_epoch(session_epoch)
            .with_topics(vec![
                FetchTopic::default()
                    .with_topic_id(Uuid::from_u128(7))
                    .with_partitions(partitions),
            ])
    }

    fn data(high_watermark: i64, records: &'static [u8]) -> PartitionData {
        PartitionData::default()
            .with_high_watermark(high_watermark)
            .with_log_start_offset(0)
            .with_records(Some(Bytes::from_static(records)))
    }

    #[test]
    fn a_session_answers_only_news() {
        let mut sessions = FetchSessions::default();
        let now = Time::from_millis(0);
        let (context, named) = sessions
            .begin(&request(0, 0, &[0, 1]), 13, now, || 5)
            .unwrap();
        assert_eq!(context, FetchContext::Full(5));
        let read = |named: &[(FetchKey, FetchPartition)], watermarks: [i64; 2]| {
            named
                .iter()
                .zip(watermarks)
                .map(|((key, _), high_watermark)| (key.clone(), data(high_watermark, b"")))
                .collect::<Vec<_>>()
        };
        let (id, kept) = sessions.finish(&context, read(&named, [3, 4]));
        assert_eq!((id, kept.len()), (5, 2));
        let (context, named) = sessions.begin(&request(5, 1, &[]), 13, now, || 0).unwrap();
        assert_eq!(named.len(), 2);
        let (_, kept) = sessions.finish(&context, read(&named, [3, 6]));
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].0.partition, 1);
        assert_eq!(
            sessions
                .begin(&request(5, 1, &[]), 13, now, || 0)
                .unwrap_err(),
            ErrorCode::INVALID_FETCH_SESSION_EPOCH
        );
        assert_eq!(
            sessions
                .begin(&request(5, 2, &[]), 12, now, || 0)
                .unwrap_err(),
            ErrorCode::FETCH_SESSION_TOPIC_ID_ERROR
        );
        assert_eq!(
            sessions
                .begin(&request(9, 2, &[]), 13, now, || 0)
                .unwrap_err(),
            ErrorCode::FETCH_SESSION_ID_NOT_FOUND
        );
        let (context, _) = sessions
            .begin(&request(5, -1, &[0]), 13, now, || 0)
            .unwrap();
        assert_eq!(context, FetchContext::Sessionless);
        assert!(sessions.sessions.is_empty());
    }
}
