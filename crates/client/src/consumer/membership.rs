//! What a member knows of its group, and the messages of the consumer protocol type
//! (`AbstractCoordinator`, `ConsumerProtocol`).

use std::collections::{BTreeMap, BTreeSet};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use playground_protocol::Time;
use playground_protocol::codec::{Decodable, Encodable, StrBytes};
use playground_protocol::messages::consumer_protocol_assignment::TopicPartition as AssignedTopic;
use playground_protocol::messages::consumer_protocol_subscription::TopicPartition as OwnedTopic;
use playground_protocol::messages::{
    ConsumerProtocolAssignment, ConsumerProtocolSubscription, TopicName,
};

use crate::TopicPartition;

/// The version of subscriptions and assignments that Java's 4.3.1 writes.
const PROTOCOL_VERSION: i16 = 3;
/// No generation.
pub(super) const NO_GENERATION: i32 = -1;

/// Unjoined → Joining → Syncing → Stable, and from each back to Unjoined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MemberState {
    Unjoined,
    Joining,
    Syncing,
    Stable,
}

/// What a member knows of its group.
#[derive(Clone, Debug)]
pub(super) struct Membership {
    pub(super) state: MemberState,
    pub(super) member_id: String,
    pub(super) generation: i32,
    pub(super) protocol: String,
    /// The group rebalances, or the subscription changed: join again.
    pub(super) rejoin: bool,
    /// Why, for the join request (KIP-800).
    pub(super) reason: String,
    /// No join before this time.
    pub(super) not_before: Time,
    pub(super) next_heartbeat: Time,
    /// When the coordinator was last heard of.
    pub(super) last_heard: Time,
    pub(super) heartbeat_in_flight: bool,
    /// A leader rejoins when the partition counts of these topics change.
    pub(super) led_topics: BTreeSet<String>,
    /// Those counts at the last assignment.
    pub(super) led_counts: Option<BTreeMap<String, i32>>,
}

impl Membership {
    pub(super) fn new() -> Membership {
        Membership {
            state: MemberState::Unjoined,
            member_id: String::new(),
            generation: NO_GENERATION,
            protocol: String::new(),
            rejoin: true,
            reason: String::new(),
            not_before: Time::default(),
            next_heartbeat: Time::NEVER,
            last_heard: Time::default(),
            heartbeat_in_flight: false,
            led_topics: BTreeSet::new(),
            led_counts: None,
        }
    }

    /// Forgets the generation; with `keep_id` the member keeps its id.
    pub(super) fn reset(&mut self, keep_id: bool) {
        self.state = MemberState::Unjoined;
        self.generation = NO_GENERATION;
        self.protocol.clear();
        self.rejoin = true;
        self.next_heartbeat = Time::NEVER;
        self.heartbeat_in_flight = false;
        self.led_counts = None;
        if !keep_id {
            self.member_id.clear();
        }
    }
}

/// A subscription as members send it: a version, then the message.
pub(super) fn encode_subscription(
    topics: &BTreeSet<String>,
    owned: &[TopicPartition],
    generation: i32,
) -> Bytes {
    let owned = by_topic(owned)
        .into_iter()
        .map(|(topic, partitions)| {
            OwnedTopic::default()
                .with_topic(TopicName(StrBytes::from_string(topic)))
                .with_partitions(partitions)
        })
        .collect();
    let message = ConsumerProtocolSubscription::default()
        .with_topics(
            topics
                .iter()
                .map(|topic| StrBytes::from_string(topic.clone()))
                .collect(),
        )
        .with_owned_partitions(owned)
        .with_generation_id(generation);
    let mut bytes = BytesMut::new();
    bytes.put_i16(PROTOCOL_VERSION);
    // Every field that is set is one of this version.
    let _ = message.encode(&mut bytes, PROTOCOL_VERSION);
    bytes.freeze()
}

/// The topics of a subscription.
pub(super) fn decode_subscription(mut bytes: Bytes) -> Option<Vec<String>> {
    if bytes.len() < 2 {
        return None;
    }
    let version = bytes.get_i16().min(PROTOCOL_VERSION);
    let message = ConsumerProtocolSubscription::decode(&mut bytes, version).ok()?;
    Some(message.topics.iter().map(ToString::to_string).collect())
}

/// An assignment as the leader sends it.
pub(super) fn encode_assignment(partitions: &[TopicPartition]) -> Bytes {
    let assigned = by_topic(partitions)
        .into_iter()
        .map(|(topic, partitions)| {
            AssignedTopic::default()
                .with_topic(TopicName(StrBytes::from_string(topic)))
                .with_partitions(partitions)
        })
        .collect();
    let message = ConsumerProtocolAssignment::default().with_assigned_partitions(assigned);
    let mut bytes = BytesMut::new();
    bytes.put_i16(PROTOCOL_VERSION);
    let _ = message.encode(&mut bytes, PROTOCOL_VERSION);
    bytes.freeze()
}

/// The partitions of an assignment; none of an empty one.
pub(super) fn decode_assignment(mut bytes: Bytes) -> Vec<TopicPartition> {
    if bytes.len() < 2 {
        return Vec::new();
    }
    let version = bytes.get_i16().min(PROTOCOL_VERSION);
    let Ok(message) = ConsumerProtocolAssignment::decode(&mut bytes, version) else {
        return Vec::new();
    };
    let mut partitions = Vec::new();
    for topic in &message.assigned_partitions {
        let name = topic.topic.0.to_string();
        partitions.extend(
            topic
                .partitions
                .iter()
                .map(|number| TopicPartition::new(name.clone(), *number)),
        );
    }
    partitions
}

fn by_topic(partitions: &[TopicPartition]) -> BTreeMap<String, Vec<i32>> {
    let mut topics: BTreeMap<String, Vec<i32>> = BTreeMap::new();
    for partition in partitions {
        topics
            .entry(partition.topic.clone())
            .or_default()
            .push(partition.partition);
    }
    topics
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subscriptions_and_assignments_come_back() {
        let topics = BTreeSet::from(["a".to_owned(), "b".to_owned()]);
        assert_eq!(
            decode_subscription(encode_subscription(&topics, &[], -1)).unwrap(),
            ["a", "b"]
        );
        let partitions = [TopicPartition::new("a", 0), TopicPartition::new("a", 2)];
        assert_eq!(
            decode_assignment(encode_assignment(&partitions)),
            partitions
        );
        assert_eq!(decode_assignment(Bytes::new()), []);
        assert!(decode_subscription(Bytes::from_static(&[0])).is_none());
    }
}
