//! How `kafka-dump-log` shows keys and values: as text, or as the records of Kafka's own topics.

use bytes::{Buf, Bytes};
use playground_broker::metadata::records::MetadataRecord;
use playground_protocol::codec::Decodable;
use playground_protocol::messages::leader_change_message::{LeaderChangeMessage, Voter};
use playground_protocol::messages::snapshot_header_record::SnapshotHeaderRecord;
use playground_protocol::messages::voters_record::VotersRecord;

use super::super::internal_records::{Unreadable, read};
use super::super::kafka_uuid;
use super::super::options::Parsed;

/// Which decoder is asked for; the first one of these options counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Decoder {
    /// Plain text.
    Text,
    /// `--offsets-decoder`.
    Offsets,
    /// `--transaction-log-decoder`.
    Transactions,
    /// `--cluster-metadata-decoder`.
    Metadata,
    /// `--remote-log-metadata-decoder`.
    RemoteMetadata,
    /// `--share-group-state-decoder`.
    ShareState,
}

impl Decoder {
    pub(super) fn of(parsed: &Parsed) -> Decoder {
        [
            ("offsets-decoder", Decoder::Offsets),
            ("transaction-log-decoder", Decoder::Transactions),
            ("cluster-metadata-decoder", Decoder::Metadata),
            ("remote-log-metadata-decoder", Decoder::RemoteMetadata),
            ("share-group-state-decoder", Decoder::ShareState),
        ]
        .into_iter()
        .find(|(option, _)| parsed.has(option))
        .map_or(Decoder::Text, |(_, decoder)| decoder)
    }

    /// What stands behind `key: ` and `payload: `.
    ///
    /// # Errors
    /// The text of the `RuntimeException` that ends the tool.
    pub(super) fn show(
        self,
        offset: i64,
        key: Option<&Bytes>,
        value: Option<&Bytes>,
    ) -> Result<(Option<String>, Option<String>), String> {
        let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
        match self {
            Decoder::Text => Ok((key.map(text), value.map(text))),
            Decoder::Metadata => {
                let payload = MetadataRecord::json(value.map_or(&[][..], |value| value));
                let payload =
                    payload.unwrap_or_else(|error| format!("Error at {offset}, skipping. {error}"));
                Ok((None, Some(payload)))
            }
            Decoder::RemoteMetadata => Ok((
                None,
                Some(format!(
                    "Error at offset {offset}, skipping. tiered storage is not part of this playground"
                )),
            )),
            Decoder::Offsets | Decoder::Transactions | Decoder::ShareState => {
                let Some(key) = key else {
                    return Err(format!(
                        "Failed to decode message at offset {offset} using the specified decoder (message had a missing key)"
                    ));
                };
                let read = match self {
                    Decoder::Offsets => read(key, value, true),
                    _ => {
                        let kind = key.clone().try_get_i16().unwrap_or(-1);
                        Err(Unreadable::UnknownType(kind))
                    }
                };
                Ok(match read {
                    Ok(record) => {
                        let shown_key = format!(
                            "{{\"type\":\"{}\",\"data\":{}}}",
                            record.key_type, record.key
                        );
                        let payload = match record.value {
                            None => "<DELETE>".to_owned(),
                            Some((version, data)) => {
                                format!("{{\"version\":\"{version}\",\"data\":{data}}}")
                            }
                        };
                        (Some(shown_key), Some(payload))
                    }
                    Err(Unreadable::UnknownType(kind)) => (
                        Some(format!(
                            "Unknown record type {kind} at offset {offset}, skipping."
                        )),
                        None,
                    ),
                    Err(Unreadable::Malformed(why)) => (
                        Some(format!("Error at offset {offset}, skipping. {why}")),
                        None,
                    ),
                })
            }
        }
    }
}

/// What stands behind a control record.
pub(super) fn control_text(key: Option<&Bytes>, value: Option<&Bytes>) -> String {
    let mut key = key.cloned().unwrap_or_default();
    let _version = key.try_get_i16();
    let kind = key.try_get_i16().unwrap_or(-1);
    let value = value.cloned().unwrap_or_default();
    let known = match kind {
        0 | 1 => end_of_transaction(kind, value),
        2 => leader_change(value),
        3 => snapshot_header(value),
        4 => {
            first_short(&value).map(|version| format!(" SnapshotFooter {{\"version\":{version}}}"))
        }
        5 => kraft_version(value),
        6 => voters(value),
        _ => None,
    };
    known.unwrap_or_else(|| format!(" controlType: UNKNOWN({kind})"))
}

fn first_short(value: &Bytes) -> Option<i16> {
    value.clone().try_get_i16().ok()
}

fn end_of_transaction(kind: i16, mut value: Bytes) -> Option<String> {
    value.try_get_i16().ok()?;
    let epoch = value.try_get_i32().ok()?;
    let name = if kind == 0 { "ABORT" } else { "COMMIT" };
    Some(format!(" endTxnMarker: {name} coordinatorEpoch: {epoch}"))
}

fn leader_change(mut value: Bytes) -> Option<String> {
    let version = first_short(&value)?;
    let message = LeaderChangeMessage::decode(&mut value, version.clamp(0, 1)).ok()?;
    let list = |voters: &[Voter]| {
        let shown: Vec<String> = voters
            .iter()
            .map(|voter| {
                let directory = if version >= 1 {
                    let id = kafka_uuid::to_text(voter.voter_directory_id);
                    format!(",\"voterDirectoryId\":\"{id}\"")
                } else {
                    String::new()
                };
                format!("{{\"voterId\":{}{directory}}}", voter.voter_id)
            })
            .collect();
        shown.join(",")
    };
    Some(format!(
        " LeaderChange: {{\"version\":{version},\"leaderId\":{},\"voters\":[{}],\"grantingVoters\":[{}]}}",
        message.leader_id.0,
        list(&message.voters),
        list(&message.granting_voters)
    ))
}

fn snapshot_header(mut value: Bytes) -> Option<String> {
    let header = SnapshotHeaderRecord::decode(&mut value, 0).ok()?;
    Some(format!(
        " SnapshotHeader {{\"version\":{},\"lastContainedLogTimestamp\":{}}}",
        header.version, header.last_contained_log_timestamp
    ))
}

fn kraft_version(mut value: Bytes) -> Option<String> {
    let version = value.try_get_i16().ok()?;
    let level = value.try_get_i16().ok()?;
    Some(format!(
        " KRaftVersion {{\"version\":{version},\"kRaftVersion\":{level}}}"
    ))
}

fn voters(mut value: Bytes) -> Option<String> {
    let record = VotersRecord::decode(&mut value, 0).ok()?;
    let shown: Vec<String> = record
        .voters
        .iter()
        .map(|voter| {
            let endpoints: Vec<String> = voter
                .endpoints
                .iter()
                .map(|endpoint| {
                    format!(
                        "{{\"name\":{},\"host\":{},\"port\":{}}}",
                        serde_json::Value::from(endpoint.name.as_str()),
                        serde_json::Value::from(endpoint.host.as_str()),
                        endpoint.port
                    )
                })
                .collect();
            let feature = &voter.k_raft_version_feature;
            format!(
                "{{\"voterId\":{},\"voterDirectoryId\":\"{}\",\"endpoints\":[{}],\"kRaftVersionFeature\":{{\"minSupportedVersion\":{},\"maxSupportedVersion\":{}}}}}",
                voter.voter_id.0,
                kafka_uuid::to_text(voter.voter_directory_id),
                endpoints.join(","),
                feature.min_supported_version,
                feature.max_supported_version
            )
        })
        .collect();
    Some(format!(
        " KRaftVoters {{\"version\":{},\"voters\":[{}]}}",
        record.version,
        shown.join(",")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_record_needs_a_key() {
        let value = Bytes::from_static(b"1");
        assert_eq!(
            Decoder::Offsets.show(4, None, Some(&value)),
            Err("Failed to decode message at offset 4 using the specified decoder (message had a missing key)".to_owned())
        );
        assert_eq!(
            Decoder::Text.show(4, None, Some(&value)),
            Ok((None, Some("1".to_owned())))
        );
        let key = Bytes::from_static(&[0, 9]);
        assert_eq!(
            Decoder::Offsets.show(4, Some(&key), None),
            Ok((
                Some("Unknown record type 9 at offset 4, skipping.".to_owned()),
                None
            ))
        );
    }

    #[test]
    fn the_end_of_a_transaction_is_told() {
        let key = Bytes::from_static(&[0, 0, 0, 1]);
        let value = Bytes::from_static(&[0, 0, 0, 0, 0, 7]);
        assert_eq!(
            control_text(Some(&key), Some(&value)),
            " endTxnMarker: COMMIT coordinatorEpoch: 7"
        );
        assert_eq!(control_text(None, None), " controlType: UNKNOWN(-1)");
    }
}
