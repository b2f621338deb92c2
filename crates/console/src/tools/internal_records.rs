//! The records of `__consumer_offsets` as JSON, as the formatters of the console consumer and `kafka-dump-log
//! --offsets-decoder` print them (`CoordinatorRecordJsonConverters`).

use bytes::{Buf, Bytes};
use playground_broker::group::records::{
    GroupMetadataValue, MemberMetadata, OffsetCommitValue, OffsetsKey, RecordError,
};
use playground_protocol::codec::Decodable;
use playground_protocol::messages::consumer_protocol_assignment::ConsumerProtocolAssignment;
use playground_protocol::messages::consumer_protocol_subscription::ConsumerProtocolSubscription;
use serde_json::Value;

use super::kafka_uuid;

/// What a key of `__consumer_offsets` is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A committed offset (types 0 and 1).
    OffsetCommit,
    /// A classic group (type 2).
    GroupMetadata,
}

/// A record, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoordinatorRecord {
    /// What it is for.
    pub kind: Kind,
    /// The key's type number.
    pub key_type: i16,
    /// The key's fields, as JSON.
    pub key: String,
    /// The value's version and its fields as JSON; `None` for a tombstone.
    pub value: Option<(i16, String)>,
}

/// Why a record has no JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// Its type is not one of those that are kept here.
    UnknownType(i16),
    /// Its bytes are none of Kafka's.
    Malformed(String),
}

impl From<RecordError> for Unreadable {
    fn from(error: RecordError) -> Unreadable {
        Unreadable::Malformed(error.to_string())
    }
}

/// Reads a record. With `decode_members` what a consumer group's members carry is shown by its fields, not as base64.
///
/// # Errors
/// [`Unreadable`].
pub fn read(
    key: &Bytes,
    value: Option<&Bytes>,
    decode_members: bool,
) -> Result<CoordinatorRecord, Unreadable> {
    let key_type = key.clone().try_get_i16().unwrap_or(-1);
    match OffsetsKey::decode(key.clone())? {
        OffsetsKey::Unknown(kind) => Err(Unreadable::UnknownType(kind)),
        OffsetsKey::OffsetCommit {
            group,
            topic,
            partition,
        } => Ok(CoordinatorRecord {
            kind: Kind::OffsetCommit,
            key_type,
            key: format!(
                "{{\"group\":{},\"topic\":{},\"partition\":{partition}}}",
                text(&group),
                text(&topic)
            ),
            value: match value {
                None => None,
                Some(value) => {
                    let (version, value) = OffsetCommitValue::decode(value.clone())?;
                    Some((version, offset_commit(version, &value)))
                }
            },
        }),
        OffsetsKey::GroupMetadata { group } => Ok(CoordinatorRecord {
            kind: Kind::GroupMetadata,
            key_type,
            key: format!("{{\"group\":{}}}", text(&group)),
            value: match value {
                None => None,
                Some(value) => {
                    let (version, value) = GroupMetadataValue::decode(value.clone())?;
                    Some((version, group_metadata(version, &value, decode_members)))
                }
            },
        }),
    }
}

impl CoordinatorRecord {
    /// As the console consumer's formatters print it.
    pub fn formatted(&self) -> String {
        let value = match &self.value {
            None => "null".to_owned(),
            Some((version, data)) => format!("{{\"version\":{version},\"data\":{data}}}"),
        };
        format!(
            "{{\"key\":{{\"type\":{},\"data\":{}}},\"value\":{value}}}",
            self.key_type, self.key
        )
    }
}

fn text(text: &str) -> String {
    Value::from(text).to_string()
}

fn optional(value: Option<&str>) -> String {
    value.map_or("null".to_owned(), text)
}

fn offset_commit(version: i16, value: &OffsetCommitValue) -> String {
    let mut json = format!("{{\"offset\":{}", value.offset);
    if version >= 3 {
        json.push_str(&format!(",\"leaderEpoch\":{}", value.leader_epoch));
    }
    json.push_str(&format!(
        ",\"metadata\":{},\"commitTimestamp\":{}",
        text(&value.metadata),
        value.commit_timestamp
    ));
    if version == 1 {
        json.push_str(&format!(",\"expireTimestamp\":{}", value.expire_timestamp));
    }
    if version >= 4 && !value.topic_id.is_nil() {
        let id = kafka_uuid::to_text(value.topic_id);
        json.push_str(&format!(",\"topicId\":\"{id}\""));
    }
    json + "}"
}

fn group_metadata(version: i16, value: &GroupMetadataValue, decode_members: bool) -> String {
    let decode_members = decode_members && value.protocol_type == "consumer";
    let members: Vec<String> = value
        .members
        .iter()
        .map(|member| member_json(version, member, decode_members))
        .collect();
    let timestamp = if version >= 2 {
        format!(
            ",\"currentStateTimestamp\":{}",
            value.current_state_timestamp
        )
    } else {
        String::new()
    };
    format!(
        "{{\"protocolType\":{},\"generation\":{},\"protocol\":{},\"leader\":{}{timestamp},\"members\":[{}]}}",
        text(&value.protocol_type),
        value.generation,
        optional(value.protocol.as_deref()),
        optional(value.leader.as_deref()),
        members.join(",")
    )
}

fn member_json(version: i16, member: &MemberMetadata, decode: bool) -> String {
    let mut json = format!("{{\"memberId\":{}", text(&member.member_id));
    if version >= 3 {
        let instance = optional(member.group_instance_id.as_deref());
        json.push_str(&format!(",\"groupInstanceId\":{instance}"));
    }
    json.push_str(&format!(
        ",\"clientId\":{},\"clientHost\":{}",
        text(&member.client_id),
        text(&member.client_host)
    ));
    if version >= 1 {
        json.push_str(&format!(
            ",\"rebalanceTimeout\":{}",
            member.rebalance_timeout
        ));
    }
    let plain = |bytes: &Bytes| format!("\"{}\"", base64(bytes));
    let subscription = decode
        .then(|| subscription(member.subscription.clone()))
        .flatten()
        .unwrap_or_else(|| plain(&member.subscription));
    let assignment = decode
        .then(|| assignment(member.assignment.clone()))
        .flatten()
        .unwrap_or_else(|| plain(&member.assignment));
    json.push_str(&format!(
        ",\"sessionTimeout\":{},\"subscription\":{subscription},\"assignment\":{assignment}}}",
        member.session_timeout
    ));
    json
}

fn optional_bytes(bytes: Option<&Bytes>) -> String {
    bytes.map_or("null".to_owned(), |bytes| format!("\"{}\"", base64(bytes)))
}

/// A subscription's fields; `None` when its bytes are not of the consumer protocol.
fn subscription(mut bytes: Bytes) -> Option<String> {
    let version = bytes.try_get_i16().ok().filter(|v| (0..=3).contains(v))?;
    let read = ConsumerProtocolSubscription::decode(&mut bytes, version).ok()?;
    let topics: Vec<String> = read.topics.iter().map(|topic| text(topic)).collect();
    let mut json = format!(
        "{{\"topics\":[{}],\"userData\":{}",
        topics.join(","),
        optional_bytes(read.user_data.as_ref())
    );
    if version >= 1 {
        let owned: Vec<String> = read
            .owned_partitions
            .iter()
            .map(|topic| partitions(&topic.topic.0, &topic.partitions))
            .collect();
        json.push_str(&format!(",\"ownedPartitions\":[{}]", owned.join(",")));
    }
    if version >= 2 {
        json.push_str(&format!(",\"generationId\":{}", read.generation_id));
    }
    if version >= 3 {
        json.push_str(&format!(
            ",\"rackId\":{}",
            optional(read.rack_id.as_deref())
        ));
    }
    Some(json + "}")
}

/// An assignment's fields; `None` when its bytes are not of the consumer protocol.
fn assignment(mut bytes: Bytes) -> Option<String> {
    let version = bytes.try_get_i16().ok().filter(|v| (0..=3).contains(v))?;
    let read = ConsumerProtocolAssignment::decode(&mut bytes, version).ok()?;
    let assigned: Vec<String> = read
        .assigned_partitions
        .iter()
        .map(|topic| partitions(&topic.topic.0, &topic.partitions))
        .collect();
    Some(format!(
        "{{\"assignedPartitions\":[{}],\"userData\":{}}}",
        assigned.join(","),
        optional_bytes(read.user_data.as_ref())
    ))
}

fn partitions(topic: &str, numbers: &[i32]) -> String {
    format!(
        "{{\"topic\":{},\"partitions\":[{}]}}",
        text(topic),
        super::java::comma_separated(numbers.iter().copied())
    )
}

/// Base64 with padding, as Jackson writes bytes.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for index in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * index) & 63) as usize];
            text.push(if index <= chunk.len() {
                letter as char
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_padded() {
        assert_eq!(base64(b""), "");
        assert_eq!(base64(b"a"), "YQ==");
        assert_eq!(base64(b"ab"), "YWI=");
        assert_eq!(base64(&[0, 3, 255]), "AAP/");
    }

    #[test]
    fn an_offset_is_shown_with_its_key_and_version() {
        let key = OffsetsKey::OffsetCommit {
            group: "g".to_owned(),
            topic: "t".to_owned(),
            partition: 0,
        }
        .encode();
        let value = OffsetCommitValue {
            offset: 3,
            leader_epoch: 0,
            metadata: String::new(),
            commit_timestamp: 5,
            expire_timestamp: -1,
            topic_id: uuid::Uuid::nil(),
        }
        .encode();
        assert_eq!(
            read(&key, Some(&value), false).unwrap().formatted(),
            "{\"key\":{\"type\":1,\"data\":{\"group\":\"g\",\"topic\":\"t\",\"partition\":0}},\"value\":{\"version\":4,\"data\":{\"offset\":3,\"leaderEpoch\":0,\"metadata\":\"\",\"commitTimestamp\":5}}}"
        );
        assert!(
            read(&key, None, false)
                .unwrap()
                .formatted()
                .ends_with("\"value\":null}")
        );
    }

    #[test]
    fn a_members_bytes_are_shown_by_their_fields_or_as_they_are() {
        // What the real 4.3.1 wrote for a console consumer of `t`.
        let bytes = |hex: &[u8]| Bytes::copy_from_slice(hex);
        let member = MemberMetadata {
            member_id: "m".to_owned(),
            group_instance_id: None,
            client_id: "c".to_owned(),
            client_host: "/127.0.0.1".to_owned(),
            rebalance_timeout: 1,
            session_timeout: 2,
            subscription: bytes(b"\x00\x03\x00\x00\x00\x01\x00\x01t\xff\xff\xff\xff\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff"),
            assignment: bytes(b"\x00\x03\x00\x00\x00\x01\x00\x01t\x00\x00\x00\x01\x00\x00\x00\x00\xff\xff\xff\xff"),
        };
        assert!(member_json(3, &member, true).ends_with(
            "\"subscription\":{\"topics\":[\"t\"],\"userData\":null,\"ownedPartitions\":[],\"generationId\":-1,\"rackId\":null},\"assignment\":{\"assignedPartitions\":[{\"topic\":\"t\",\"partitions\":[0]}],\"userData\":null}}"
        ));
        assert!(member_json(3, &member, false).ends_with(
            "\"subscription\":\"AAMAAAABAAF0/////wAAAAD///////8=\",\"assignment\":\"AAMAAAABAAF0AAAAAQAAAAD/////\"}"
        ));
    }
}
