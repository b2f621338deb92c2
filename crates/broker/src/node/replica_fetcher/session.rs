//! A follower's side of an incremental fetch session (KIP-227; Kafka's `FetchSessionHandler`): requests name only
//! the partitions whose position changed.

use std::collections::BTreeMap;

use playground_protocol::ErrorCode;
use playground_protocol::messages::fetch_request::{FetchPartition, FetchTopic, ForgottenTopic};
use playground_protocol::messages::{FetchRequest, FetchResponse};

use super::Key;

/// See the module. The default value has no session, and asks for one.
#[derive(Debug, Default)]
pub(super) struct ClientSession {
    /// 0 without.
    id: i32,
    /// 0: the next request asks for a new session.
    epoch: i32,
    /// What the leader remembers.
    partitions: BTreeMap<Key, FetchPartition>,
}

impl ClientSession {
    /// Completes a request so that the leader reads the partitions `wanted`, and no others.
    pub fn request(
        &mut self,
        request: FetchRequest,
        wanted: BTreeMap<Key, FetchPartition>,
    ) -> FetchRequest {
        let full = self.epoch == 0;
        let named = wanted
            .iter()
            .filter(|(key, partition)| full || self.partitions.get(key) != Some(partition));
        let mut topics: Vec<FetchTopic> = Vec::new();
        for ((topic_id, _), partition) in named {
            match topics.last_mut() {
                Some(topic) if topic.topic_id == *topic_id => {
                    topic.partitions.push(partition.clone());
                }
                _ => topics.push(
                    FetchTopic::default()
                        .with_topic_id(*topic_id)
                        .with_partitions(vec![partition.clone()]),
                ),
            }
        }
        let mut forgotten: Vec<ForgottenTopic> = Vec::new();
        let gone = self
            .partitions
            .keys()
            .filter(|key| !wanted.contains_key(key));
        for (topic_id, number) in gone.filter(|_| !full) {
            match forgotten.last_mut() {
                Some(topic) if topic.topic_id == *topic_id => topic.partitions.push(*number),
                _ => forgotten.push(
                    ForgottenTopic::default()
                        .with_topic_id(*topic_id)
                        .with_partitions(vec![*number]),
                ),
            }
        }
        self.partitions = wanted;
        request
            .with_session_id(self.id)
            .with_session_epoch(self.epoch)
            .with_topics(topics)
            .with_forgotten_topics_data(forgotten)
    }

    /// Takes the answer's session. Whether its partitions count.
    pub fn answered(&mut self, response: &FetchResponse) -> bool {
        match ErrorCode(response.error_code) {
            ErrorCode::NONE => {}
            ErrorCode::FETCH_SESSION_ID_NOT_FOUND => {
                *self = ClientSession::default();
                return false;
            }
            _ => {
                self.broken();
                return false;
            }
        }
        if response.session_id == 0 {
            // The leader keeps no session (any more).
            (self.id, self.epoch) = (0, 0);
        } else if self.epoch == 0 {
            (self.id, self.epoch) = (response.session_id, 1);
        } else {
            self.epoch = self.epoch.checked_add(1).unwrap_or(1);
        }
        true
    }

    /// No answer came: the next request closes the session, and asks for a new one.
    pub fn broken(&mut self) {
        self.epoch = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn partition(number: i32, offset: i64) -> (Key, FetchPartition) {
        (
            (Uuid::from_u128(7), number),
            FetchPartition::default()
                .with_partition(number)
                .with_fetch_offset(offset),
        )
    }

    #[test]
    fn requests_name_what_changed() {
        let mut session = ClientSession::default();
        let all = BTreeMap::from([partition(0, 5), partition(1, 5)]);
        let first = session.request(FetchRequest::default(), all.clone());
        assert_eq!((first.session_id, first.session_epoch), (0, 0));
        assert_eq!(first.topics[0].partitions.len(), 2);
        assert!(session.answered(&FetchResponse::default().with_session_id(9)));
        let idle = session.request(FetchRequest::default(), all.clone());
        assert_eq!((idle.session_id, idle.session_epoch), (9, 1));
        assert!(idle.topics.is_empty() && idle.forgotten_topics_data.is_empty());
        assert!(session.answered(&FetchResponse::default().with_session_id(9)));
        let moved = session.request(FetchRequest::default(), BTreeMap::from([partition(0, 6)]));
        assert_eq!(moved.session_epoch, 2);
        assert_eq!(moved.topics[0].partitions.len(), 1);
        assert_eq!(moved.forgotten_topics_data[0].partitions, [1]);
        session.broken();
        let again = session.request(FetchRequest::default(), all.clone());
        assert_eq!((again.session_id, again.session_epoch), (9, 0));
        let lost =
            FetchResponse::default().with_error_code(ErrorCode::FETCH_SESSION_ID_NOT_FOUND.0);
        assert!(!session.answered(&lost));
        assert_eq!(session.request(FetchRequest::default(), all).session_id, 0);
    }
}
