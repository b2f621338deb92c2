//! `kafka-dump-log`: shows segments and indexes as they lie on the disk (`org.apache.kafka.tools.DumpLogSegments`).

mod decoders;

use bytes::{Buf, Bytes};
use playground_log::record::{RecordBatch, batches};

use decoders::{Decoder, control_text};

use super::options::{
    HELP, Kind, OptionSpec, Parsed, Stop, VERSION, check_help_or_version, check_required, flag,
    optional, value,
};
use crate::commands::CommandContext;

/// The options.
pub const OPTIONS: &[OptionSpec] = &[
    flag(
        "print-data-log",
        "Print keys and values of a log's records too.",
    ),
    flag("verify-index-only", "Only compare indexes with their log."),
    flag("index-sanity-check", "Only check whether indexes are sane."),
    value(
        "files",
        Kind::Text,
        "file1, file2, ...",
        "REQUIRED: The log and index files to show, comma separated.",
    ),
    value(
        "max-message-size",
        Kind::Integer,
        "size",
        "The largest batch, in bytes.",
    )
    .or("5242880"),
    value(
        "max-bytes",
        Kind::Integer,
        "size",
        "How many bytes of a log to read.",
    )
    .or("2147483647"),
    flag("deep-iteration", "Show the records of each batch."),
    optional(
        "value-decoder-class",
        Kind::Text,
        "",
        "The class that turns values into text.",
    )
    .or("org.apache.kafka.tools.api.StringDecoder"),
    optional(
        "key-decoder-class",
        Kind::Text,
        "",
        "The class that turns keys into text.",
    )
    .or("org.apache.kafka.tools.api.StringDecoder"),
    flag(
        "offsets-decoder",
        "Show the records as those of __consumer_offsets.",
    ),
    flag(
        "transaction-log-decoder",
        "Show the records as those of __transaction_state.",
    ),
    flag(
        "cluster-metadata-decoder",
        "Show the records as those of __cluster_metadata.",
    ),
    flag(
        "remote-log-metadata-decoder",
        "Show the records as those of tiered storage's topic.",
    ),
    flag(
        "share-group-state-decoder",
        "Show the records as those of __share_group_state.",
    ),
    flag(
        "skip-record-metadata",
        "Leave out offsets and the like of records.",
    ),
    HELP,
    VERSION,
];

const ABOUT: &str = "This tool helps to parse a log file and dump its contents to the console, useful for debugging a \
                     seemingly corrupt log segment.";

/// Runs the tool.
pub async fn run(context: CommandContext) -> i32 {
    let parsed = match parse(&context.args) {
        Ok(parsed) => parsed,
        Err(Refusal::Stop(stop)) => return stop.print(&context, OPTIONS).await,
        Err(Refusal::Uncaught(text)) => return uncaught(&context, &text).await,
    };
    let files = match parsed.text("files") {
        Ok(files) => files.unwrap_or_default().to_owned(),
        Err(error) => return uncaught(&context, &format!("{}: {error}", error.exception())).await,
    };
    let bytes_max = match parsed.number::<i32>("max-bytes") {
        Ok(max) => max.unwrap_or(i32::MAX).max(0) as usize,
        Err(error) => return uncaught(&context, &format!("{}: {error}", error.exception())).await,
    };
    let mut gaps = String::new();
    for file in files.split(',').map(str::trim) {
        context.out(&format!("Dumping {file}\n")).await;
        let path = context.path(file);
        let name = path.rsplit('/').next().unwrap_or_default().to_owned();
        let bytes = context.process.with_disk(|disk| disk.read_all(&path));
        let result = match name.rsplit_once('.') {
            Some((base, kind @ ("log" | "checkpoint"))) => match first_line(base, kind) {
                Err(exception) => Err(exception),
                Ok(line) => {
                    context.out(&line).await;
                    let dump = Dump {
                        parsed: &parsed,
                        decoder: Decoder::of(&parsed),
                        name: &name,
                        path: &path,
                        bytes_max,
                    };
                    match bytes {
                        Some(bytes) => dump.log(&context, bytes, &mut gaps).await,
                        None => Err(format!("java.nio.file.NoSuchFileException: {file}")),
                    }
                }
            },
            Some((base, kind @ ("index" | "timeindex"))) => match (base.parse::<i64>(), bytes) {
                (Err(_), _) => Err(format!(
                    "java.lang.NumberFormatException: For input string: \"{base}\""
                )),
                (_, None) => Err(format!("java.nio.file.NoSuchFileException: {file}")),
                (Ok(start), Some(bytes)) => {
                    context
                        .out(&index_text(
                            &parsed,
                            file,
                            start,
                            kind == "timeindex",
                            &bytes,
                        ))
                        .await;
                    Ok(())
                }
            },
            _ => {
                context
                    .err(&format!("Ignoring unknown file {file}\n"))
                    .await;
                Ok(())
            }
        };
        if let Err(text) = result {
            return uncaught(&context, &text).await;
        }
    }
    context.err(&gaps).await;
    0
}

async fn uncaught(context: &CommandContext, text: &str) -> i32 {
    context
        .err(&format!("Exception in thread \"main\" {text}\n"))
        .await;
    1
}

/// How a command line ends before the tool runs.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Refusal {
    Stop(Stop),
    Uncaught(String),
}

fn parse(args: &[String]) -> Result<Parsed, Refusal> {
    let parsed = Parsed::read(OPTIONS, args)
        .map_err(|error| Refusal::Uncaught(format!("{}: {error}", error.exception())))?;
    check_help_or_version(&parsed, ABOUT).map_err(Refusal::Stop)?;
    check_required(&parsed, &["files"]).map_err(Refusal::Stop)?;
    Ok(parsed)
}

/// What a log or a snapshot says of itself by its name.
fn first_line(base: &str, kind: &str) -> Result<String, String> {
    if kind == "log" {
        return match base.parse::<i64>() {
            Ok(start) => Ok(format!("Log starting offset: {start}\n")),
            Err(_) => Err(format!(
                "java.lang.NumberFormatException: For input string: \"{base}\""
            )),
        };
    }
    if base == "bootstrap" {
        return Ok("KRaft bootstrap snapshot\n".to_owned());
    }
    let parts = base.split_once('-');
    let number = |text: &str| text.parse::<i64>().ok();
    match parts.and_then(|(offset, epoch)| Some((number(offset)?, number(epoch)?))) {
        Some((offset, epoch)) => Ok(format!("Snapshot end offset: {offset}, epoch: {epoch}\n")),
        None => Err("java.util.NoSuchElementException: No value present".to_owned()),
    }
}

struct Dump<'a> {
    parsed: &'a Parsed,
    decoder: Decoder,
    name: &'a str,
    path: &'a str,
    bytes_max: usize,
}

impl Dump<'_> {
    /// Shows the batches.
    ///
    /// # Errors
    /// The exception that ends the tool.
    async fn log(
        &self,
        context: &CommandContext,
        bytes: Bytes,
        gaps: &mut String,
    ) -> Result<(), String> {
        let print = ["print-data-log", "value-decoder-class", "key-decoder-class"]
            .iter()
            .any(|name| self.parsed.has(name))
            || self.decoder != Decoder::Text;
        let deep = print || self.parsed.has("deep-iteration");
        let bytes = bytes.slice(..bytes.len().min(self.bytes_max));
        let (total, mut position, mut last) = (bytes.len(), 0, -1);
        let mut following = Vec::new();
        for batch in batches(bytes) {
            let Ok(batch) = batch else { break };
            context.out(&batch_text(&batch, position)).await;
            if deep && let Ok(records) = batch.records() {
                for (index, record) in records.enumerate() {
                    let Ok(record) = record else { break };
                    if record.offset != last + 1 {
                        following.push((last, record.offset));
                    }
                    last = record.offset;
                    let mut line = String::new();
                    if !self.parsed.has("skip-record-metadata") {
                        line = record_text(&batch, index, &record);
                        if batch.header.is_control() {
                            let (key, value) = (record.key.as_ref(), record.value.as_ref());
                            line.push_str(&control_text(key, value));
                        }
                    }
                    if print && !batch.header.is_control() {
                        let mut prefix = if line.is_empty() { "| " } else { " " };
                        let (key, value) = (record.key.as_ref(), record.value.as_ref());
                        let (key, value) = match self.decoder.show(record.offset, key, value) {
                            Ok(shown) => shown,
                            Err(text) => {
                                context.out(&line).await;
                                return Err(format!("java.lang.RuntimeException: {text}"));
                            }
                        };
                        for (name, value) in [("key", key), ("payload", value)] {
                            if let Some(value) = value {
                                line.push_str(&format!("{prefix}{name}: {value}"));
                                prefix = " ";
                            }
                        }
                    }
                    line.push('\n');
                    context.out(&line).await;
                }
            }
            position += batch.header.size();
        }
        if position < total && self.bytes_max == i32::MAX as usize {
            let text = format!(
                "Found {} invalid bytes at the end of {}\n",
                total - position,
                self.name
            );
            context.out(&text).await;
        }
        if !following.is_empty() {
            gaps.push_str(&format!("Non-consecutive offsets in {}\n", self.path));
            for (before, after) in following {
                gaps.push_str(&format!("  {before} is followed by {after}\n"));
            }
        }
        Ok(())
    }
}

fn batch_text(batch: &RecordBatch, position: usize) -> String {
    let header = &batch.header;
    let horizon = header
        .delete_horizon_ms()
        .map_or("OptionalLong.empty".to_owned(), |horizon| {
            format!("OptionalLong[{horizon}]")
        });
    let codec = header.codec().map_or("unknown", |codec| codec.name());
    format!(
        "baseOffset: {} lastOffset: {} count: {} baseSequence: {} lastSequence: {} producerId: {} producerEpoch: {} \
         partitionLeaderEpoch: {} isTransactional: {} isControl: {} deleteHorizonMs: {horizon} position: {position} \
         {}: {} size: {} magic: {} compresscodec: {codec} crc: {} isvalid: {}\n",
        header.base_offset,
        header.last_offset(),
        header.record_count,
        header.base_sequence,
        header.last_sequence(),
        header.producer_id,
        header.producer_epoch,
        header.partition_leader_epoch,
        header.is_transactional(),
        header.is_control(),
        header.timestamp_type().as_str(),
        header.max_timestamp,
        header.size(),
        header.magic,
        header.crc,
        batch.is_valid(),
    )
}

fn record_text(batch: &RecordBatch, index: usize, record: &playground_log::Record) -> String {
    let size = |bytes: &Option<Bytes>| bytes.as_ref().map_or(-1, |bytes| bytes.len() as i64);
    let base = batch.header.base_sequence;
    let sequence = if base == -1 {
        -1
    } else {
        playground_log::record::add_sequence(base, index as i32)
    };
    let headers: Vec<String> = record
        .headers
        .iter()
        .map(|(name, _)| String::from_utf8_lossy(name).into_owned())
        .collect();
    format!(
        "| offset: {} {}: {} keySize: {} valueSize: {} sequence: {sequence} headerKeys: [{}]",
        record.offset,
        batch.header.timestamp_type().as_str(),
        record.timestamp,
        size(&record.key),
        size(&record.value),
        headers.join(","),
    )
}

/// The entries of an index: offsets are relative to the segment's base offset.
fn index_text(parsed: &Parsed, file: &str, start: i64, by_time: bool, bytes: &Bytes) -> String {
    let size = if by_time { 12 } else { 8 };
    if bytes.len() < size && !by_time {
        return format!("{file} is empty.\n");
    }
    if parsed.has("index-sanity-check") {
        return format!("{file} passed sanity check.\n");
    }
    if parsed.has("verify-index-only") {
        return String::new();
    }
    let mut text = String::new();
    for (number, mut entry) in bytes.chunks_exact(size).enumerate() {
        let timestamp = if by_time { entry.get_i64() } else { 0 };
        let offset = start + i64::from(entry.get_i32());
        if offset == start && number > 0 {
            // Index files are preallocated: the first entry that repeats the base offset is beyond the end.
            break;
        }
        if by_time {
            text.push_str(&format!("timestamp: {timestamp} offset: {offset}\n"));
        } else {
            text.push_str(&format!("offset: {offset} position: {}\n", entry.get_i32()));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn index_entries_are_shown_with_absolute_offsets() {
        let parsed = Parsed::default();
        let bytes = Bytes::from_static(&[0, 0, 0, 5, 0, 0, 16, 0]);
        assert_eq!(
            index_text(&parsed, "f", 100, false, &bytes),
            "offset: 105 position: 4096\n"
        );
        assert_eq!(
            index_text(&parsed, "f", 100, false, &Bytes::new()),
            "f is empty.\n"
        );
    }

    #[test]
    fn files_are_required() {
        let args = ["--print-data-log".to_owned()];
        let expected = Stop::Usage("Missing required argument \"[files]\"".to_owned());
        assert_eq!(parse(&args).unwrap_err(), Refusal::Stop(expected));
    }
}
