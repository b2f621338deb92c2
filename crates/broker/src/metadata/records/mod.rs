//! The records of `__cluster_metadata`, byte for byte as Apache Kafka 4.3.1 writes them
//! (`org.apache.kafka.common.metadata`, framed by `MetadataRecordSerde`).
//!
//! Records are written in the version that `metadata.version` 4.3-IV0 asks for, and read in every version.

mod types;
mod wire;

use bytes::Bytes;
use thiserror::Error;

pub use types::*;
pub use wire::{Reader, Wire, write_unsigned_varint};

/// The version of the frame around a record (`MetadataRecordSerde`).
const FRAME_VERSION: u32 = 1;

/// Why a record cannot be read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum RecordDecodeError {
    /// The bytes end inside a field.
    #[error("the record ends inside a field")]
    Truncated,
    /// A field holds what it cannot hold.
    #[error("the record has {0}")]
    Malformed(&'static str),
    /// A frame of another version.
    #[error("the record has the frame version {0}, only 1 is known")]
    UnknownFrameVersion(u32),
    /// A record type that is not known here; the record is skipped, or ends the replay.
    #[error("the record has the unknown type {api_key}, version {version}")]
    UnknownType {
        /// The record type's number.
        api_key: u32,
        /// Its version.
        version: u32,
    },
    /// A known record type in a version newer than 4.3's.
    #[error("the record of type {api_key} has the unknown version {version}")]
    UnknownVersion {
        /// The record type's number.
        api_key: u32,
        /// Its version.
        version: u32,
    },
}

macro_rules! metadata_records {
    ($($(#[$doc:meta])* $api_key:literal $variant:ident($type:ident),)*) => {
        /// One record of `__cluster_metadata`.
        #[derive(Clone, Debug, PartialEq)]
        pub enum MetadataRecord {
            $($(#[$doc])* $variant($type),)*
        }

        impl MetadataRecord {
            /// The record type's number (`MetadataRecordType.id`).
            pub fn api_key(&self) -> u32 {
                match self { $(MetadataRecord::$variant(_) => $api_key,)* }
            }

            /// The record type's name as `kafka-dump-log --cluster-metadata-decoder` prints it: `TOPIC_RECORD`.
            pub fn type_name(&self) -> &'static str {
                match self { $(MetadataRecord::$variant(_) => $type::TYPE_NAME,)* }
            }

            fn highest_version(&self) -> i16 {
                match self { $(MetadataRecord::$variant(_) => $type::HIGHEST_VERSION,)* }
            }

            fn write_fields(&self, into: &mut Vec<u8>) {
                match self { $(MetadataRecord::$variant(record) => record.write(into),)* }
            }

            fn json_fields(&self, into: &mut String, version: i16) {
                match self { $(MetadataRecord::$variant(record) => record.json(into, version),)* }
            }

            fn read_fields(api_key: u32, version: u32, reader: &mut Reader<'_>) -> Result<MetadataRecord, RecordDecodeError> {
                match api_key {
                    $($api_key => {
                        let known = i16::try_from(version).ok().filter(|version| *version <= $type::HIGHEST_VERSION);
                        let version = known.ok_or(RecordDecodeError::UnknownVersion { api_key, version })?;
                        Ok(MetadataRecord::$variant($type::read(reader, version)?))
                    })*
                    _ => Err(RecordDecodeError::UnknownType { api_key, version }),
                }
            }
        }

        $(impl From<$type> for MetadataRecord {
            fn from(record: $type) -> MetadataRecord {
                MetadataRecord::$variant(record)
            }
        })*
    };
}

metadata_records! {
    /// A broker (re)registered; its epoch is the record's offset.
    0 RegisterBroker(RegisterBrokerRecord),
    /// A broker is no longer part of the cluster.
    1 UnregisterBroker(UnregisterBrokerRecord),
    /// A topic was created; its partitions follow.
    2 Topic(TopicRecord),
    /// A partition was created.
    3 Partition(PartitionRecord),
    /// A configuration was set, or removed when it has no value.
    4 Config(ConfigRecord),
    /// A partition changed.
    5 PartitionChange(PartitionChangeRecord),
    /// A broker was fenced (written before 3.3).
    7 FenceBroker(FenceBrokerRecord),
    /// A broker was unfenced (written before 3.3).
    8 UnfenceBroker(UnfenceBrokerRecord),
    /// A topic was deleted.
    9 RemoveTopic(RemoveTopicRecord),
    /// A feature's level was set.
    12 FeatureLevel(FeatureLevelRecord),
    /// A client quota was set or removed.
    14 ClientQuota(ClientQuotaRecord),
    /// A block of producer ids was handed out.
    15 ProducerIds(ProducerIdsRecord),
    /// A broker was fenced, unfenced, or is shutting down.
    17 BrokerRegistrationChange(BrokerRegistrationChangeRecord),
    /// An access control entry was created.
    18 AccessControlEntry(AccessControlEntryRecord),
    /// An access control entry was removed.
    19 RemoveAccessControlEntry(RemoveAccessControlEntryRecord),
    /// Nothing: keeps the log moving.
    20 NoOp(NoOpRecord),
    /// A metadata transaction begins (KIP-868).
    23 BeginTransaction(BeginTransactionRecord),
    /// A metadata transaction ends, and counts.
    24 EndTransaction(EndTransactionRecord),
    /// A metadata transaction ends, and does not count.
    25 AbortTransaction(AbortTransactionRecord),
    /// A controller registered.
    27 RegisterController(RegisterControllerRecord),
    /// The eligible leader replicas of a topic, or of all, are forgotten.
    28 ClearElr(ClearElrRecord),
}

impl MetadataRecord {
    /// The version in which [`encode`](Self::encode) writes it: the newest, but for a change of a broker's
    /// registration, which the controller writes in the oldest that has its fields.
    pub fn version(&self) -> i16 {
        match self {
            MetadataRecord::BrokerRegistrationChange(record) => {
                if record.cordoned_log_dirs.is_some() {
                    3
                } else if !record.log_dirs.is_empty() {
                    2
                } else {
                    i16::from(record.in_controlled_shutdown != 0)
                }
            }
            _ => self.highest_version(),
        }
    }

    /// The record as the value of a log record: frame version, type, version, fields.
    pub fn encode(&self) -> Bytes {
        let mut bytes = Vec::with_capacity(64);
        write_unsigned_varint(&mut bytes, FRAME_VERSION);
        write_unsigned_varint(&mut bytes, self.api_key());
        write_unsigned_varint(&mut bytes, self.version() as u32);
        self.write_fields(&mut bytes);
        Bytes::from(bytes)
    }

    /// The record as `kafka-dump-log --cluster-metadata-decoder` prints it.
    ///
    /// # Errors
    /// [`RecordDecodeError`]
    pub fn json(bytes: &[u8]) -> Result<String, RecordDecodeError> {
        let record = MetadataRecord::decode(bytes)?;
        let mut reader = Reader::new(bytes);
        reader.unsigned_varint()?;
        reader.unsigned_varint()?;
        let version = i16::try_from(reader.unsigned_varint()?).unwrap_or(i16::MAX);
        let mut text = format!(
            "{{\"type\":\"{}\",\"version\":{version},\"data\":",
            record.type_name()
        );
        record.json_fields(&mut text, version);
        text.push('}');
        Ok(text)
    }

    /// Reads a record from the value of a log record.
    ///
    /// # Errors
    /// [`RecordDecodeError`]; an unknown type is an error that names it.
    pub fn decode(bytes: &[u8]) -> Result<MetadataRecord, RecordDecodeError> {
        let mut reader = Reader::new(bytes);
        let frame_version = reader.unsigned_varint()?;
        if frame_version != FRAME_VERSION {
            return Err(RecordDecodeError::UnknownFrameVersion(frame_version));
        }
        let api_key = reader.unsigned_varint()?;
        let version = reader.unsigned_varint()?;
        let record = MetadataRecord::read_fields(api_key, version, &mut reader)?;
        if reader.remaining() > 0 {
            return Err(RecordDecodeError::Malformed("bytes after its last field"));
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2)
            .filter_map(|index| u8::from_str_radix(&hex[index * 2..index * 2 + 2], 16).ok())
            .collect()
    }

    #[test]
    fn json_has_kafkas_names_and_leaves_out_defaults() {
        let record: MetadataRecord = BrokerRegistrationChangeRecord {
            broker_id: 1,
            broker_epoch: 12,
            fenced: -1,
            ..BrokerRegistrationChangeRecord::default()
        }
        .into();
        assert_eq!(
            MetadataRecord::json(&record.encode()).unwrap(),
            r#"{"type":"BROKER_REGISTRATION_CHANGE_RECORD","version":0,"data":{"brokerId":1,"brokerEpoch":12,"fenced":-1}}"#
        );
        let record: MetadataRecord = ConfigRecord {
            resource_type: 4,
            name: "a\"b".to_owned(),
            ..ConfigRecord::default()
        }
        .into();
        assert_eq!(
            MetadataRecord::json(&record.encode()).unwrap(),
            r#"{"type":"CONFIG_RECORD","version":0,"data":{"resourceType":4,"resourceName":"","name":"a\"b","value":null}}"#
        );
    }

    fn vectors() -> impl Iterator<Item = Vec<u8>> {
        include_str!("vectors.txt")
            .lines()
            .filter(|line| !line.starts_with('#'))
            .filter_map(|line| line.split_once(' '))
            .map(|(_, hex)| bytes(hex))
    }

    #[test]
    fn records_of_kafka_are_read_and_written_byte_for_byte() {
        let mut types = std::collections::BTreeSet::new();
        for vector in vectors() {
            let record = MetadataRecord::decode(&vector);
            assert_eq!(
                record.as_ref().map(|record| record.encode().to_vec()),
                Ok(vector.clone()),
                "{record:?}"
            );
            types.extend(record.map(|record| record.type_name()));
        }
        assert_eq!(types.len(), 21, "{types:?}");
    }

    #[test]
    fn older_versions_are_read() {
        let partition = "01030000000001112233445566778899aabbccddeeff000300000001000000020200000001010100000001ffffffffffffffff00";
        let decoded = MetadataRecord::decode(&bytes(partition));
        let Ok(MetadataRecord::Partition(record)) = decoded else {
            panic!("{decoded:?}");
        };
        assert_eq!((record.partition_id, record.leader), (1, 1));
        assert_eq!(record.replicas, [1, 2]);
        assert!(record.directories.is_empty());
    }

    #[test]
    fn cut_and_unknown_records_are_errors() {
        for vector in vectors() {
            for length in 0..vector.len() {
                assert!(MetadataRecord::decode(&vector[..length]).is_err());
            }
        }
        assert_eq!(
            MetadataRecord::decode(&[1, 99, 0]),
            Err(RecordDecodeError::UnknownType {
                api_key: 99,
                version: 0
            })
        );
        assert_eq!(
            MetadataRecord::decode(&[1, 2, 7]),
            Err(RecordDecodeError::UnknownVersion {
                api_key: 2,
                version: 7
            })
        );
        assert_eq!(
            MetadataRecord::decode(&[0, 2, 0]),
            Err(RecordDecodeError::UnknownFrameVersion(0))
        );
    }
}
