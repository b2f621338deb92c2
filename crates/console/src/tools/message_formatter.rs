//! How the console consumer prints a record: Kafka's `DefaultMessageFormatter` and its friends.

use bytes::Bytes;
use indexmap::IndexMap;

use super::internal_records::{self, Kind, Unreadable};

/// A record as a formatter sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FormatterRecord {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// Milliseconds since the Unix epoch.
    pub timestamp: i64,
    /// Whether the broker set the timestamp.
    pub log_append_time: bool,
    /// The key.
    pub key: Option<Bytes>,
    /// The value.
    pub value: Option<Bytes>,
    /// The headers, in order.
    pub headers: Vec<(String, Option<Bytes>)>,
}

/// Which class formats (`--formatter`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    Default,
    Logging,
    NoOp,
    /// Committed offsets of `__consumer_offsets`.
    Offsets,
    /// Groups of `__consumer_offsets`.
    GroupMetadata,
    /// `__transaction_state`, `__share_group_state` and share groups: nothing here writes such records.
    OtherCoordinator,
}

/// A `Deserializer` of Kafka's, by its class name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deserializer {
    Bytes,
    Text,
    Integer,
    Long,
    Short,
    Float,
    Double,
    Boolean,
    Uuid,
}

impl Deserializer {
    fn by_class(name: &str) -> Option<Deserializer> {
        Some(
            match name.strip_prefix("org.apache.kafka.common.serialization.")? {
                "ByteArrayDeserializer" | "BytesDeserializer" | "ByteBufferDeserializer" => {
                    Deserializer::Bytes
                }
                "StringDeserializer" => Deserializer::Text,
                "IntegerDeserializer" => Deserializer::Integer,
                "LongDeserializer" => Deserializer::Long,
                "ShortDeserializer" => Deserializer::Short,
                "FloatDeserializer" => Deserializer::Float,
                "DoubleDeserializer" => Deserializer::Double,
                "BooleanDeserializer" => Deserializer::Boolean,
                "UUIDDeserializer" => Deserializer::Uuid,
                _ => return None,
            },
        )
    }

    /// The value as Java prints it; the error is the `SerializationException`'s text.
    fn text(self, bytes: &[u8]) -> Result<String, String> {
        let size = |name: &str| format!("Size of data received by {name}");
        match self {
            // Java prints an array as its type and hash; the bytes themselves say more.
            Deserializer::Bytes | Deserializer::Text => {
                Ok(String::from_utf8_lossy(bytes).into_owned())
            }
            Deserializer::Integer => <[u8; 4]>::try_from(bytes)
                .map(|bytes| i32::from_be_bytes(bytes).to_string())
                .map_err(|_| size("IntegerDeserializer is not 4")),
            Deserializer::Long => <[u8; 8]>::try_from(bytes)
                .map(|bytes| i64::from_be_bytes(bytes).to_string())
                .map_err(|_| size("LongDeserializer is not 8")),
            Deserializer::Short => <[u8; 2]>::try_from(bytes)
                .map(|bytes| i16::from_be_bytes(bytes).to_string())
                .map_err(|_| size("ShortDeserializer is not 2")),
            Deserializer::Float => <[u8; 4]>::try_from(bytes)
                .map(|bytes| {
                    java_float(
                        f64::from(f32::from_be_bytes(bytes)),
                        f32::from_be_bytes(bytes).to_string(),
                    )
                })
                .map_err(|_| size("Deserializer is not 4")),
            Deserializer::Double => <[u8; 8]>::try_from(bytes)
                .map(|bytes| {
                    java_float(
                        f64::from_be_bytes(bytes),
                        f64::from_be_bytes(bytes).to_string(),
                    )
                })
                .map_err(|_| size("Deserializer is not 8")),
            Deserializer::Boolean => match bytes {
                [0] => Ok("false".to_owned()),
                [1] => Ok("true".to_owned()),
                [other] => Err(format!(
                    "Unexpected byte received by BooleanDeserializer: {other}"
                )),
                _ => Err(size("BooleanDeserializer is not 1")),
            },
            Deserializer::Uuid => std::str::from_utf8(bytes)
                .ok()
                .and_then(|text| uuid::Uuid::parse_str(text).ok())
                .map(|uuid| uuid.to_string())
                .ok_or_else(|| "Error parsing data into UUID".to_owned()),
        }
    }
}

/// Java's `toString` of a float writes `1.0` where Rust writes `1`.
fn java_float(value: f64, text: String) -> String {
    if value.is_finite() && !text.contains(['.', 'e', 'E']) {
        format!("{text}.0")
    } else {
        text
    }
}

/// A formatter, configured.
#[derive(Clone, Debug)]
pub struct MessageFormatter {
    class: Class,
    print_timestamp: bool,
    print_key: bool,
    print_value: bool,
    print_partition: bool,
    print_offset: bool,
    print_delivery: bool,
    print_epoch: bool,
    print_headers: bool,
    key_separator: String,
    line_separator: String,
    headers_separator: String,
    null_literal: String,
    key_deserializer: Option<Deserializer>,
    value_deserializer: Option<Deserializer>,
    headers_deserializer: Option<Deserializer>,
}

impl MessageFormatter {
    /// The formatter of this class with these properties.
    ///
    /// # Errors
    /// The text of Java's `ClassNotFoundException`, which is the class name.
    pub fn new(
        class: &str,
        properties: &IndexMap<String, String>,
    ) -> Result<MessageFormatter, String> {
        let class = match class.strip_prefix("org.apache.kafka.tools.consumer.") {
            Some("DefaultMessageFormatter") => Class::Default,
            Some("LoggingMessageFormatter") => Class::Logging,
            Some("NoOpMessageFormatter") => Class::NoOp,
            Some("OffsetsMessageFormatter") => Class::Offsets,
            Some("GroupMetadataMessageFormatter") => Class::GroupMetadata,
            Some(
                "TransactionLogMessageFormatter"
                | "ShareGroupMessageFormatter"
                | "group.share.ShareGroupStateMessageFormatter",
            ) => Class::OtherCoordinator,
            _ => return Err(class.to_owned()),
        };
        let flag = |name: &str, default: bool| {
            properties
                .get(name)
                .map_or(default, |value| value.trim().eq_ignore_ascii_case("true"))
        };
        let text = |name: &str, default: &str| {
            properties
                .get(name)
                .cloned()
                .unwrap_or_else(|| default.to_owned())
        };
        let deserializer = |name: &str| {
            properties
                .get(name)
                .and_then(|class| Deserializer::by_class(class))
        };
        Ok(MessageFormatter {
            class,
            print_timestamp: flag("print.timestamp", false),
            print_key: flag("print.key", false),
            print_value: flag("print.value", true),
            print_partition: flag("print.partition", false),
            print_offset: flag("print.offset", false),
            print_delivery: flag("print.delivery", false),
            print_epoch: flag("print.epoch", false),
            print_headers: flag("print.headers", false),
            key_separator: text("key.separator", "\t"),
            line_separator: text("line.separator", "\n"),
            headers_separator: text("headers.separator", ","),
            null_literal: text("null.literal", "null"),
            key_deserializer: deserializer("key.deserializer"),
            value_deserializer: deserializer("value.deserializer"),
            headers_deserializer: deserializer("headers.deserializer"),
        })
    }

    /// The classes of deserializers that there are none of: such a deserializer is left out.
    pub fn unknown_deserializers(properties: &IndexMap<String, String>) -> Vec<&str> {
        [
            "key.deserializer",
            "value.deserializer",
            "headers.deserializer",
        ]
        .iter()
        .filter_map(|name| properties.get(*name).map(String::as_str))
        .filter(|class| Deserializer::by_class(class).is_none())
        .collect()
    }

    /// Prints a record.
    ///
    /// # Errors
    /// The text of the `SerializationException` when a deserializer refuses the bytes.
    pub fn write(&self, record: &FormatterRecord, output: &mut Vec<u8>) -> Result<(), String> {
        match self.class {
            Class::NoOp | Class::OtherCoordinator => return Ok(()),
            Class::Offsets => return coordinator_record(record, Kind::OffsetCommit, output),
            Class::GroupMetadata => {
                return coordinator_record(record, Kind::GroupMetadata, output);
            }
            Class::Logging | Class::Default => {}
        }
        // The columns, each with its separator but the last.
        let mut columns: Vec<Vec<u8>> = Vec::new();
        if self.print_timestamp {
            let kind = if record.log_append_time {
                "LogAppendTime"
            } else {
                "CreateTime"
            };
            let column = match record.timestamp {
                -1 => "NO_TIMESTAMP".to_owned(),
                timestamp => format!("{kind}:{timestamp}"),
            };
            columns.push(column.into_bytes());
        }
        if self.print_partition {
            columns.push(format!("Partition:{}", record.partition).into_bytes());
        }
        if self.print_offset {
            columns.push(format!("Offset:{}", record.offset).into_bytes());
        }
        if self.print_delivery {
            columns.push(b"Delivery:NOT_PRESENT".to_vec());
        }
        if self.print_epoch {
            // The console consumer hands its formatter a record without an epoch.
            columns.push(b"Epoch:NOT_PRESENT".to_vec());
        }
        if self.print_headers {
            columns.push(self.headers(record)?);
        }
        if self.print_key {
            columns.push(self.field(self.key_deserializer, record.key.as_ref())?);
        }
        if self.print_value {
            columns.push(self.field(self.value_deserializer, record.value.as_ref())?);
        }
        let count = columns.len();
        for (index, column) in columns.into_iter().enumerate() {
            output.extend_from_slice(&column);
            let separator = if index + 1 < count {
                &self.key_separator
            } else {
                &self.line_separator
            };
            output.extend_from_slice(separator.as_bytes());
        }
        Ok(())
    }

    fn headers(&self, record: &FormatterRecord) -> Result<Vec<u8>, String> {
        if record.headers.is_empty() {
            return Ok(b"NO_HEADERS".to_vec());
        }
        let mut column = Vec::new();
        for (index, (key, value)) in record.headers.iter().enumerate() {
            if index > 0 {
                column.extend_from_slice(self.headers_separator.as_bytes());
            }
            column.extend_from_slice(format!("{key}:").as_bytes());
            column.extend(self.field(self.headers_deserializer, value.as_ref())?);
        }
        Ok(column)
    }

    fn field(
        &self,
        deserializer: Option<Deserializer>,
        bytes: Option<&Bytes>,
    ) -> Result<Vec<u8>, String> {
        let bytes = bytes.map_or(self.null_literal.as_bytes(), |bytes| bytes);
        match deserializer {
            Some(deserializer) => deserializer.text(bytes).map(String::into_bytes),
            None => Ok(bytes.to_vec()),
        }
    }
}

/// A record of `__consumer_offsets` of the wanted kind, as JSON, without a line end (`CoordinatorRecordMessageFormatter`).
fn coordinator_record(
    record: &FormatterRecord,
    wanted: Kind,
    output: &mut Vec<u8>,
) -> Result<(), String> {
    let Some(key) = &record.key else {
        return Ok(());
    };
    match internal_records::read(key, record.value.as_ref(), false) {
        Ok(read) if read.kind == wanted => {
            output.extend_from_slice(read.formatted().as_bytes());
            Ok(())
        }
        Ok(_) | Err(Unreadable::UnknownType(_)) => Ok(()),
        Err(Unreadable::Malformed(why)) => Err(format!(
            "Could not read record at offset {} due to: {why}",
            record.offset
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn format(properties: &[(&str, &str)]) -> String {
        let properties = properties
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let formatter = MessageFormatter::new(
            "org.apache.kafka.tools.consumer.DefaultMessageFormatter",
            &properties,
        )
        .unwrap();
        let record = FormatterRecord {
            topic: "t".to_owned(),
            partition: 2,
            offset: 7,
            timestamp: 5,
            value: Some(Bytes::from_static(&[0, 0, 0, 7])),
            headers: vec![
                ("h".to_owned(), None),
                ("i".to_owned(), Some(Bytes::from_static(b"1"))),
            ],
            ..FormatterRecord::default()
        };
        let mut output = Vec::new();
        formatter.write(&record, &mut output).unwrap();
        String::from_utf8(output).unwrap()
    }

    #[test]
    fn columns_stand_in_kafkas_order() {
        let all = [
            ("print.key", "true"),
            ("print.offset", "true"),
            ("print.timestamp", "true"),
            ("print.headers", "true"),
            ("print.partition", "true"),
            (
                "value.deserializer",
                "org.apache.kafka.common.serialization.IntegerDeserializer",
            ),
        ];
        assert_eq!(
            format(&all),
            "CreateTime:5\tPartition:2\tOffset:7\th:null,i:1\tnull\t7\n"
        );
    }

    #[test]
    fn a_record_without_its_value_still_ends_its_line() {
        assert_eq!(
            format(&[("print.value", "false"), ("print.offset", "true")]),
            "Offset:7\n"
        );
    }

    #[test]
    fn an_unknown_class_is_named() {
        assert_eq!(
            MessageFormatter::new("no.such.Class", &IndexMap::new()).unwrap_err(),
            "no.such.Class"
        );
    }
}
