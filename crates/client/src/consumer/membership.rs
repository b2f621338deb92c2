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
    /// What the last assignment gave, and its generation, for the sticky assignors.
    pub(super) had: Vec<TopicPartition>,
    pub(super) had_generation: i32,
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
            had: Vec::new(),
            had_generation: NO_GENERATION,
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
    user_data: Option<Bytes>,
    rack: &str,
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
        .with_user_data(user_data)
        .with_owned_partitions(owned)
        .with_generation_id(generation)
        .with_rack_id((!rack.is_empty()).then(|| StrBytes::from_string(rack.to_owned())));
    let mut bytes = BytesMut::new();
    bytes.put_i16(PROTOCOL_VERSION);
    // Every field that is set is one of this version.
    let _ = message.encode(&mut bytes, PROTOCOL_VERSION);
    bytes.freeze()
}

/// What an assignor adds to a subscription (`subscriptionUserData`): the cooperative sticky one its last
/// generation, the eager one also what it had, if anything.
pub(super) fn user_data(assignor: &str, had: &[TopicPartition], generation: i32) -> Option<Bytes> {
    let mut bytes = BytesMut::new();
    match assignor {
        "cooperative-sticky" => bytes.put_i32(generation),
        "sticky" if generation != NO_GENERATION => {
            let topics = by_topic(had);
            bytes.put_i32(topics.len() as i32);
            for (topic, partitions) in topics {
                bytes.put_i16(topic.len() as i16);
                bytes.put_slice(topic.as_bytes());
                bytes.put_i32(partitions.len() as i32);
                for partition in partitions {
                    bytes.put_i32(partition);
                }
            }
            bytes.put_i32(generation);
        }
        _ => return None,
    }
    Some(bytes.freeze())
}

/// What the eager sticky assignor had, and in which generation.
fn decode_user_data(mut bytes: Bytes) -> Option<(Vec<TopicPartition>, i32)> {
    let mut had = Vec::new();
    for _ in 0..bytes.try_get_i32().ok()? {
        let length = usize::try_from(bytes.try_get_i16().ok()?).ok()?;
        if length > bytes.len() {
            return None;
        }
        let topic = String::from_utf8(bytes.split_to(length).to_vec()).ok()?;
        for _ in 0..bytes.try_get_i32().ok()? {
            had.push(TopicPartition::new(
                topic.clone(),
                bytes.try_get_i32().ok()?,
            ));
        }
    }
    Some((had, bytes.try_get_i32().unwrap_or(NO_GENERATION)))
}

/// A subscription, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DecodedSubscription {
    pub(super) topics: Vec<String>,
    pub(super) owned: Vec<TopicPartition>,
    pub(super) generation: i32,
}

/// Reads a subscription under the protocol that the group chose.
pub(super) fn decode_subscription(mut bytes: Bytes, protocol: &str) -> Option<DecodedSubscription> {
    if bytes.len() < 2 {
        return None;
    }
    let version = bytes.get_i16().min(PROTOCOL_VERSION);
    let message = ConsumerProtocolSubscription::decode(&mut bytes, version).ok()?;
    let owned = message.owned_partitions.iter().flat_map(|topic| {
        let name = topic.topic.0.to_string();
        topic
            .partitions
            .iter()
            .map(move |number| TopicPartition::new(name.clone(), *number))
    });
    let mut read = DecodedSubscription {
        topics: message.topics.iter().map(ToString::to_string).collect(),
        owned: owned.collect(),
        generation: message.generation_id,
    };
    if protocol == "sticky"
        && read.owned.is_empty()
        && let Some((had, generation)) = message.user_data.and_then(decode_user_data)
    {
        read.owned = had;
        read.generation = generation;
    }
    Some(read)
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
        let partitions = [TopicPartition::new("a", 0), TopicPartition::new("a", 2)];
        for protocol in ["range", "sticky", "cooperative-sticky"] {
            let owned = if protocol == "cooperative-sticky" {
                &partitions[..]
            } else {
                &[]
            };
            let data = user_data(protocol, &partitions, 7);
            let bytes = encode_subscription(&topics, owned, 7, data, "");
            let read = decode_subscription(bytes, protocol).unwrap();
            assert_eq!((read.topics.len(), read.generation), (2, 7));
            assert_eq!(read.owned.len(), if protocol == "range" { 0 } else { 2 });
        }
        assert_eq!(
            decode_assignment(encode_assignment(&partitions)),
            partitions
        );
        assert_eq!(decode_assignment(Bytes::new()), []);
        assert!(decode_subscription(Bytes::from_static(&[0]), "range").is_none());
    }

    #[test]
    fn damaged_user_data_is_none() {
        let data = user_data("sticky", &[TopicPartition::new("a", 0)], 7).unwrap();
        for cut in 0..data.len() {
            // Without its last field it is that of an older version.
            let read = decode_user_data(data.slice(..cut));
            assert!(read.is_none_or(|(_, generation)| generation == NO_GENERATION));
        }
        assert_eq!(decode_user_data(Bytes::from_static(&[0x7f; 6])), None);
    }
}
