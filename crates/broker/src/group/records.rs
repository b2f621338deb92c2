//! The records of `__consumer_offsets`, byte for byte as Kafka 4.3.1 writes them
//! (`GroupCoordinatorRecordHelpers`, `OffsetCommitKey`, `GroupMetadataKey` and their values).
//!
//! A key begins with the record's type (0 and 1: committed offset, 2: group metadata), a value with its
//! version. Offsets are written as version 4 (1 when an old client gives a retention), groups as 3;
//! every older version is read.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use thiserror::Error;
use uuid::Uuid;

/// Why a key or a value of `__consumer_offsets` cannot be read.
#[derive(Debug, Error, Clone, PartialEq, Eq)]
pub enum RecordError {
    /// The bytes end too early, or a length is negative where it must not be.
    #[error("the record is cut short or malformed")]
    Malformed,
    /// A version from a newer Kafka.
    #[error("version {0} of the record is not known")]
    UnknownVersion(i16),
}

/// A record's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OffsetsKey {
    /// The committed offset of one partition in one group (`OffsetCommitKey`).
    OffsetCommit {
        /// The group's id.
        group: String,
        /// The topic's name.
        topic: String,
        /// The partition's index.
        partition: i32,
    },
    /// A classic group's metadata (`GroupMetadataKey`).
    GroupMetadata {
        /// The group's id.
        group: String,
    },
    /// A record type that this coordinator does not keep (consumer, share and streams groups).
    Unknown(i16),
}

/// A committed offset (`OffsetCommitValue`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OffsetCommitValue {
    /// The next offset that the consumer wants to read.
    pub offset: i64,
    /// The leader epoch of the last consumed record, -1 when unknown.
    pub leader_epoch: i32,
    /// Whatever the client noted with the commit.
    pub metadata: String,
    /// When it was committed, in milliseconds since the epoch.
    pub commit_timestamp: i64,
    /// When it expires, in milliseconds since the epoch; -1 when the broker's retention decides.
    pub expire_timestamp: i64,
    /// The topic's id; nil when unknown (before version 4).
    pub topic_id: Uuid,
}

/// A classic group (`GroupMetadataValue`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupMetadataValue {
    /// `consumer`, `connect`, ..., or empty for a group that never had members.
    pub protocol_type: String,
    /// The generation.
    pub generation: i32,
    /// The protocol that was selected (the assignor's name).
    pub protocol: Option<String>,
    /// The leader's member id.
    pub leader: Option<String>,
    /// When the group entered its state, in milliseconds since the epoch, -1 when unknown.
    pub current_state_timestamp: i64,
    /// The members.
    pub members: Vec<MemberMetadata>,
}

/// A member of a [`GroupMetadataValue`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberMetadata {
    /// The member's id.
    pub member_id: String,
    /// The instance id of a static member (KIP-345).
    pub group_instance_id: Option<String>,
    /// The client id of its JoinGroup request.
    pub client_id: String,
    /// The client's address, with Java's leading slash.
    pub client_host: String,
    /// In milliseconds; -1 when unknown (version 0).
    pub rebalance_timeout: i32,
    /// In milliseconds.
    pub session_timeout: i32,
    /// The metadata that the member joined with, for the selected protocol.
    pub subscription: Bytes,
    /// What the leader assigned.
    pub assignment: Bytes,
}

/// The version that group metadata is written with.
const GROUP_METADATA_VERSION: i16 = 3;

impl OffsetsKey {
    /// The key's bytes. [`OffsetsKey::Unknown`] encodes its type alone.
    pub fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(64);
        match self {
            OffsetsKey::OffsetCommit {
                group,
                topic,
                partition,
            } => {
                bytes.put_i16(1);
                put_string(&mut bytes, group);
                put_string(&mut bytes, topic);
                bytes.put_i32(*partition);
            }
            OffsetsKey::GroupMetadata { group } => {
                bytes.put_i16(2);
                put_string(&mut bytes, group);
            }
            OffsetsKey::Unknown(kind) => bytes.put_i16(*kind),
        }
        bytes.freeze()
    }

    /// Reads a key.
    ///
    /// # Errors
    /// [`RecordError::Malformed`]. Types that are not known here are no error.
    pub fn decode(mut bytes: Bytes) -> Result<OffsetsKey, RecordError> {
        match read_i16(&mut bytes)? {
            0 | 1 => Ok(OffsetsKey::OffsetCommit {
                group: read_string(&mut bytes)?,
                topic: read_string(&mut bytes)?,
                partition: read_i32(&mut bytes)?,
            }),
            2 => Ok(OffsetsKey::GroupMetadata {
                group: read_string(&mut bytes)?,
            }),
            other => Ok(OffsetsKey::Unknown(other)),
        }
    }
}

impl OffsetCommitValue {
    /// The version that this value is written with: 1 keeps an expiry, 4 everything else.
    pub fn version(&self) -> i16 {
        if self.expire_timestamp >= 0 { 1 } else { 4 }
    }

    /// The value's bytes.
    pub fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(64);
        bytes.put_i16(self.version());
        bytes.put_i64(self.offset);
        if self.version() == 1 {
            put_string(&mut bytes, &self.metadata);
            bytes.put_i64(self.commit_timestamp);
            bytes.put_i64(self.expire_timestamp);
            return bytes.freeze();
        }
        bytes.put_i32(self.leader_epoch);
        put_varint(&mut bytes, self.metadata.len() as u32 + 1);
        bytes.put_slice(self.metadata.as_bytes());
        bytes.put_i64(self.commit_timestamp);
        if self.topic_id.is_nil() {
            put_varint(&mut bytes, 0);
        } else {
            put_varint(&mut bytes, 1);
            put_varint(&mut bytes, 0);
            put_varint(&mut bytes, 16);
            bytes.put_slice(self.topic_id.as_bytes());
        }
        bytes.freeze()
    }

    /// Reads a value of any version, and says which version it was.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn decode(mut bytes: Bytes) -> Result<(i16, OffsetCommitValue), RecordError> {
        let bytes = &mut bytes;
        let version = read_i16(bytes)?;
        if !(0..=4).contains(&version) {
            return Err(RecordError::UnknownVersion(version));
        }
        let offset = read_i64(bytes)?;
        let leader_epoch = if version >= 3 { read_i32(bytes)? } else { -1 };
        let metadata = if version >= 4 {
            read_compact_string(bytes)?.ok_or(RecordError::Malformed)?
        } else {
            read_string(bytes)?
        };
        let commit_timestamp = read_i64(bytes)?;
        let expire_timestamp = if version == 1 { read_i64(bytes)? } else { -1 };
        let mut topic_id = Uuid::nil();
        if version >= 4 {
            for _ in 0..read_varint(bytes)? {
                let tag = read_varint(bytes)?;
                let length = read_varint(bytes)? as usize;
                let field = read_bytes(bytes, length)?;
                if tag == 0 {
                    topic_id = Uuid::from_slice(&field).map_err(|_| RecordError::Malformed)?;
                }
            }
        }
        Ok((
            version,
            OffsetCommitValue {
                offset,
                leader_epoch,
                metadata,
                commit_timestamp,
                expire_timestamp,
                topic_id,
            },
        ))
    }
}

impl GroupMetadataValue {
    /// The value's bytes, in version 3.
    pub fn encode(&self) -> Bytes {
        let mut bytes = BytesMut::with_capacity(256);
        bytes.put_i16(GROUP_METADATA_VERSION);
        put_string(&mut bytes, &self.protocol_type);
        bytes.put_i32(self.generation);
        put_nullable_string(&mut bytes, self.protocol.as_deref());
        put_nullable_string(&mut bytes, self.leader.as_deref());
        bytes.put_i64(self.current_state_timestamp);
        bytes.put_i32(self.members.len() as i32);
        for member in &self.members {
            put_string(&mut bytes, &member.member_id);
            put_nullable_string(&mut bytes, member.group_instance_id.as_deref());
            put_string(&mut bytes, &member.client_id);
            put_string(&mut bytes, &member.client_host);
            bytes.put_i32(member.rebalance_timeout);
            bytes.put_i32(member.session_timeout);
            bytes.put_i32(member.subscription.len() as i32);
            bytes.put_slice(&member.subscription);
            bytes.put_i32(member.assignment.len() as i32);
            bytes.put_slice(&member.assignment);
        }
        bytes.freeze()
    }

    /// Reads a value of any version, and says which version it was.
    ///
    /// # Errors
    /// See [`RecordError`].
    pub fn decode(mut bytes: Bytes) -> Result<(i16, GroupMetadataValue), RecordError> {
        let bytes = &mut bytes;
        let version = read_i16(bytes)?;
        if !(0..=4).contains(&version) {
            return Err(RecordError::UnknownVersion(version));
        }
        let flexible = version >= 4;
        let protocol_type = read_any_string(bytes, flexible)?.ok_or(RecordError::Malformed)?;
        let generation = read_i32(bytes)?;
        let protocol = read_any_string(bytes, flexible)?;
        let leader = read_any_string(bytes, flexible)?;
        let current_state_timestamp = if version >= 2 { read_i64(bytes)? } else { -1 };
        let count = if flexible {
            i64::from(read_varint(bytes)?) - 1
        } else {
            i64::from(read_i32(bytes)?)
        };
        let mut members = Vec::new();
        for _ in 0..count {
            members.push(read_member(bytes, version)?);
        }
        if flexible {
            skip_tagged_fields(bytes)?;
        }
        Ok((
            version,
            GroupMetadataValue {
                protocol_type,
                generation,
                protocol,
                leader,
                current_state_timestamp,
                members,
            },
        ))
    }
}

fn read_member(bytes: &mut Bytes, version: i16) -> Result<MemberMetadata, RecordError> {
    let flexible = version >= 4;
    let member_id = read_any_string(bytes, flexible)?.ok_or(RecordError::Malformed)?;
    let group_instance_id = if version >= 3 {
        read_any_string(bytes, flexible)?
    } else {
        None
    };
    let client_id = read_any_string(bytes, flexible)?.ok_or(RecordError::Malformed)?;
    let client_host = read_any_string(bytes, flexible)?.ok_or(RecordError::Malformed)?;
    let rebalance_timeout = if version >= 1 { read_i32(bytes)? } else { -1 };
    let session_timeout = read_i32(bytes)?;
    let mut field = || {
        let length = if flexible {
            i64::from(read_varint(bytes)?) - 1
        } else {
            i64::from(read_i32(bytes)?)
        };
        let length = usize::try_from(length).map_err(|_| RecordError::Malformed)?;
        read_bytes(bytes, length)
    };
    let subscription = field()?;
    let assignment = field()?;
    if flexible {
        skip_tagged_fields(bytes)?;
    }
    Ok(MemberMetadata {
        member_id,
        group_instance_id,
        client_id,
        client_host,
        rebalance_timeout,
        session_timeout,
        subscription,
        assignment,
    })
}

fn put_string(bytes: &mut BytesMut, text: &str) {
    // Strings reach the coordinator through the wire, where a length is an i16 or checked against one.
    let length = text.len().min(i16::MAX as usize);
    bytes.put_i16(length as i16);
    bytes.put_slice(&text.as_bytes()[..length]);
}

fn put_nullable_string(bytes: &mut BytesMut, text: Option<&str>) {
    match text {
        Some(text) => put_string(bytes, text),
        None => bytes.put_i16(-1),
    }
}

fn put_varint(bytes: &mut BytesMut, mut value: u32) {
    while value >= 0x80 {
        bytes.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.put_u8(value as u8);
}

fn read_i16(bytes: &mut Bytes) -> Result<i16, RecordError> {
    bytes.try_get_i16().map_err(|_| RecordError::Malformed)
}

fn read_i32(bytes: &mut Bytes) -> Result<i32, RecordError> {
    bytes.try_get_i32().map_err(|_| RecordError::Malformed)
}

fn read_i64(bytes: &mut Bytes) -> Result<i64, RecordError> {
    bytes.try_get_i64().map_err(|_| RecordError::Malformed)
}

fn read_varint(bytes: &mut Bytes) -> Result<u32, RecordError> {
    let mut value: u32 = 0;
    for shift in [0, 7, 14, 21, 28] {
        let byte = bytes.try_get_u8().map_err(|_| RecordError::Malformed)?;
        value |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Ok(value);
        }
    }
    Err(RecordError::Malformed)
}

fn read_bytes(bytes: &mut Bytes, length: usize) -> Result<Bytes, RecordError> {
    if length > bytes.len() {
        return Err(RecordError::Malformed);
    }
    Ok(bytes.split_to(length))
}

fn read_text(bytes: &mut Bytes, length: usize) -> Result<String, RecordError> {
    String::from_utf8(read_bytes(bytes, length)?.to_vec()).map_err(|_| RecordError::Malformed)
}

fn read_string(bytes: &mut Bytes) -> Result<String, RecordError> {
    let length = usize::try_from(read_i16(bytes)?).map_err(|_| RecordError::Malformed)?;
    read_text(bytes, length)
}

fn read_compact_string(bytes: &mut Bytes) -> Result<Option<String>, RecordError> {
    match read_varint(bytes)? {
        0 => Ok(None),
        length => read_text(bytes, length as usize - 1).map(Some),
    }
}

fn read_any_string(bytes: &mut Bytes, flexible: bool) -> Result<Option<String>, RecordError> {
    if flexible {
        return read_compact_string(bytes);
    }
    match read_i16(bytes)? {
        -1 => Ok(None),
        length => {
            let length = usize::try_from(length).map_err(|_| RecordError::Malformed)?;
            read_text(bytes, length).map(Some)
        }
    }
}

fn skip_tagged_fields(bytes: &mut Bytes) -> Result<(), RecordError> {
    for _ in 0..read_varint(bytes)? {
        read_varint(bytes)?;
        let length = read_varint(bytes)? as usize;
        read_bytes(bytes, length)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(bytes: &[u8]) -> String {
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn unhex(text: &str) -> Bytes {
        (0..text.len() / 2)
            .map(|at| u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).expect("hexadecimal"))
            .collect()
    }

    fn value() -> OffsetCommitValue {
        OffsetCommitValue {
            offset: 3,
            leader_epoch: 0,
            metadata: String::new(),
            commit_timestamp: 1_700_000_000_123,
            expire_timestamp: -1,
            topic_id: Uuid::nil(),
        }
    }

    fn group() -> GroupMetadataValue {
        GroupMetadataValue {
            protocol_type: "consumer".to_owned(),
            generation: 5,
            protocol: Some("range".to_owned()),
            leader: Some("c-1".to_owned()),
            current_state_timestamp: 1_700_000_000_123,
            members: vec![
                MemberMetadata {
                    member_id: "c-1".to_owned(),
                    group_instance_id: Some("inst".to_owned()),
                    client_id: "c".to_owned(),
                    client_host: "/127.0.0.1".to_owned(),
                    rebalance_timeout: 300_000,
                    session_timeout: 45_000,
                    subscription: Bytes::from_static(&[1, 2, 3]),
                    assignment: Bytes::from_static(&[9]),
                },
                MemberMetadata {
                    member_id: "d-2".to_owned(),
                    group_instance_id: None,
                    client_id: "d".to_owned(),
                    client_host: "/10.0.0.1".to_owned(),
                    rebalance_timeout: 60_000,
                    session_timeout: 10_000,
                    subscription: Bytes::from_static(&[4]),
                    assignment: Bytes::new(),
                },
            ],
        }
    }

    // Written by the classes of kafka-group-coordinator-4.3.1.jar, through
    // MessageUtil.toCoordinatorTypePrefixedBytes and MessageUtil.toVersionPrefixedBytes.
    const OFFSET_KEY: &str = "000100016700017400000007";
    const GROUP_KEY: &str = "00020003677270";
    const OFFSET_VALUES: [&str; 5] = [
        "0000000000000000000300000000018bcfe5687b",
        "0001000000000000000300016d0000018bcfe5687b0000018bcfe58f0f",
        "0002000000000000000300000000018bcfe5687b",
        "000300000000000000030000000000000000018bcfe5687b",
        "0004000000000000000300000000010000018bcfe5687b00",
    ];
    const OFFSET_VALUE_WITH_TOPIC_ID: &str = "0004000000000000000300000000056e6f74650000018bcfe5687b0100100123456789abcdef1122334455667788";
    const GROUP_VALUES: [&str; 5] = [
        "00000008636f6e73756d657200000005000572616e67650003632d31000000020003632d31000163000a2f3132372e302e302e310000afc80000000301020300000001090003642d3200016400092f31302e302e302e3100002710000000010400000000",
        "00010008636f6e73756d657200000005000572616e67650003632d31000000020003632d31000163000a2f3132372e302e302e31000493e00000afc80000000301020300000001090003642d3200016400092f31302e302e302e310000ea6000002710000000010400000000",
        "00020008636f6e73756d657200000005000572616e67650003632d310000018bcfe5687b000000020003632d31000163000a2f3132372e302e302e31000493e00000afc80000000301020300000001090003642d3200016400092f31302e302e302e310000ea6000002710000000010400000000",
        "00030008636f6e73756d657200000005000572616e67650003632d310000018bcfe5687b000000020003632d310004696e7374000163000a2f3132372e302e302e31000493e00000afc80000000301020300000001090003642d32ffff00016400092f31302e302e302e310000ea6000002710000000010400000000",
        "000409636f6e73756d6572000000050672616e676504632d310000018bcfe5687b0304632d3105696e737402630b2f3132372e302e302e31000493e00000afc80401020302090004642d320002640a2f31302e302e302e310000ea60000027100204010000",
    ];
    const EMPTY_GROUP_VALUE: &str = "0003000000000000ffffffff0000018bcfe5687b00000000";

    #[test]
    fn keys_are_kafkas_bytes() {
        let key = OffsetsKey::OffsetCommit {
            group: "g".into(),
            topic: "t".into(),
            partition: 7,
        };
        assert_eq!(hex(&key.encode()), OFFSET_KEY);
        assert_eq!(OffsetsKey::decode(unhex(OFFSET_KEY)), Ok(key));
        let key = OffsetsKey::GroupMetadata {
            group: "grp".into(),
        };
        assert_eq!(hex(&key.encode()), GROUP_KEY);
        assert_eq!(OffsetsKey::decode(unhex(GROUP_KEY)), Ok(key));
        assert_eq!(
            OffsetsKey::decode(unhex("000300")),
            Ok(OffsetsKey::Unknown(3))
        );
    }

    #[test]
    fn offset_values_are_kafkas_bytes() {
        assert_eq!(hex(&value().encode()), OFFSET_VALUES[4]);
        let expiring = OffsetCommitValue {
            metadata: "m".into(),
            expire_timestamp: 1_700_000_009_999,
            leader_epoch: -1,
            ..value()
        };
        assert_eq!(hex(&expiring.encode()), OFFSET_VALUES[1]);
        let with_id = OffsetCommitValue {
            metadata: "note".into(),
            topic_id: Uuid::from_u64_pair(0x0123_4567_89ab_cdef, 0x1122_3344_5566_7788),
            ..value()
        };
        assert_eq!(hex(&with_id.encode()), OFFSET_VALUE_WITH_TOPIC_ID);
        assert_eq!(
            OffsetCommitValue::decode(unhex(OFFSET_VALUE_WITH_TOPIC_ID)),
            Ok((4, with_id))
        );
        for (version, bytes) in OFFSET_VALUES.iter().enumerate() {
            let expected = match version {
                1 => expiring.clone(),
                0 | 2 => OffsetCommitValue {
                    leader_epoch: -1,
                    ..value()
                },
                _ => value(),
            };
            assert_eq!(
                OffsetCommitValue::decode(unhex(bytes)),
                Ok((version as i16, expected))
            );
        }
    }

    #[test]
    fn group_values_are_kafkas_bytes() {
        assert_eq!(hex(&group().encode()), GROUP_VALUES[3]);
        let empty = GroupMetadataValue {
            protocol_type: String::new(),
            generation: 0,
            protocol: None,
            leader: None,
            members: Vec::new(),
            ..group()
        };
        assert_eq!(hex(&empty.encode()), EMPTY_GROUP_VALUE);
        for (version, bytes) in GROUP_VALUES.iter().enumerate() {
            let mut expected = group();
            if version < 2 {
                expected.current_state_timestamp = -1;
            }
            for member in &mut expected.members {
                if version < 1 {
                    member.rebalance_timeout = -1;
                }
                if version < 3 {
                    member.group_instance_id = None;
                }
            }
            assert_eq!(
                GroupMetadataValue::decode(unhex(bytes)),
                Ok((version as i16, expected))
            );
        }
    }

    #[test]
    fn damaged_records_are_errors() {
        for text in GROUP_VALUES.iter().chain(&OFFSET_VALUES) {
            let whole = unhex(text);
            for length in 0..whole.len() {
                let cut = whole.slice(..length);
                // A cut can still be a shorter version's whole value; it must not panic.
                let _ = GroupMetadataValue::decode(cut.clone());
                let _ = OffsetCommitValue::decode(cut);
            }
        }
        assert_eq!(
            OffsetCommitValue::decode(unhex("0005")),
            Err(RecordError::UnknownVersion(5))
        );
        assert_eq!(
            OffsetsKey::decode(unhex("0001ffff")),
            Err(RecordError::Malformed)
        );
    }
}
