//! The values that the page is shown. They are made for showing, and sent to the page as they are; no
//! value of the engine is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What the page wants to see.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewRequest {
    /// The topic whose partitions are shown; none means the first.
    pub topic: Option<String>,
    /// Cells that a partition's row has room for.
    pub cells: u32,
    /// The first offset to show, by partition; a partition that is not named follows its end.
    pub first_offsets: BTreeMap<i32, i64>,
    /// A record to open.
    pub record: Option<RecordAddress>,
    /// Show the replicas of internal topics too.
    pub show_internal: bool,
    /// Which frames.
    pub wire: WireRequest,
}

/// Names a record.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordAddress {
    /// Its topic.
    pub topic: String,
    /// Its partition.
    pub partition: i32,
    /// Its offset.
    pub offset: i64,
}

/// Which frames the wire shows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireRequest {
    /// At most so many, the last ones.
    pub limit: u32,
    /// Of these APIs only.
    pub filter: WireFilter,
}

/// Frames of which APIs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum WireFilter {
    /// What clients and tools do: all but the brokers' own heartbeats and fetches.
    #[default]
    Clients,
    /// Every frame.
    All,
    /// Produce.
    Produce,
    /// Fetch.
    Fetch,
    /// The group APIs.
    Groups,
}

/// Everything that is shown at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Virtual time, ms since 1970.
    pub now_ms: i64,
    /// The brokers, by id.
    pub brokers: Vec<BrokerView>,
    /// The topics, by name.
    pub topics: Vec<TopicSummary>,
    /// The topic that was asked for.
    pub topic: Option<TopicPlace>,
    /// The record that was asked for, if it is there.
    pub record: Option<RecordView>,
    /// The groups, by id.
    pub groups: Vec<GroupSummary>,
    /// The last frames, oldest first.
    pub frames: Vec<FrameView>,
    /// Frames sent since the start.
    pub frame_count: u64,
    /// What just happened, oldest first.
    pub events: Vec<Sentence>,
    /// Running processes.
    pub processes: Vec<ProcessView>,
}

/// What a broker's process does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum BrokerState {
    /// Running.
    Running,
    /// Asked to stop.
    Stopping,
    /// Not running.
    #[default]
    Down,
}

/// A broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrokerView {
    /// `node.id`.
    pub id: i32,
    /// Its host's name.
    pub host: String,
    /// The address that clients are told.
    pub address: String,
    /// What its process does.
    pub state: BrokerState,
    /// Since when, ms.
    pub state_since_ms: i64,
    /// It is the active controller.
    pub controller: bool,
    /// Replicas of internal topics on its disk.
    pub internal_replicas: u32,
    /// Bytes on its disk.
    pub disk_bytes: u64,
    /// The replicas shown, by topic and partition.
    pub replicas: Vec<ReplicaView>,
}

/// What a broker does for a partition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ReplicaRole {
    /// It takes writes.
    Leader,
    /// It copies the leader.
    Follower,
    /// Nobody leads, or the broker is down.
    #[default]
    Offline,
}

/// A replica on a broker.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplicaView {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// What the broker does for it.
    pub role: ReplicaRole,
    /// The leader's epoch.
    pub leader_epoch: i32,
    /// First offset.
    pub log_start_offset: i64,
    /// Consumers read below it.
    pub high_watermark: i64,
    /// Offset of the next record.
    pub log_end_offset: i64,
    /// The last records.
    pub cells: Vec<CellView>,
}

/// What kind of record a cell is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CellKind {
    /// With a value.
    #[default]
    Data,
    /// A null value.
    Tombstone,
    /// A marker that Kafka wrote.
    Control,
}

/// One record, drawn as a cell.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CellView {
    /// Its offset.
    pub offset: i64,
    /// The start of its key, or without one of its value.
    pub label: String,
    /// The key's colour, 0 to 5; none without a key.
    pub hue: Option<u8>,
    /// What it is.
    pub kind: CellKind,
}

/// A topic in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicSummary {
    /// Its name.
    pub name: String,
    /// Kafka keeps it for itself.
    pub internal: bool,
    /// How many partitions.
    pub partitions: u32,
    /// Offsets between log start and log end, over all partitions.
    pub records: i64,
}

/// The picture of a topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicPlace {
    /// Its name.
    pub name: String,
    /// Its partitions.
    pub partitions: Vec<PartitionPlace>,
}

/// A partition's leader.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Leader {
    /// `node.id`.
    pub id: i32,
    /// Its host's name.
    pub host: String,
}

/// A partition as a log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionPlace {
    /// Its number.
    pub partition: i32,
    /// Who leads it.
    pub leader: Option<Leader>,
    /// First offset.
    pub log_start_offset: i64,
    /// Consumers read below it.
    pub high_watermark: i64,
    /// Offset of the next record.
    pub log_end_offset: i64,
    /// Bytes on disk.
    pub size_bytes: u64,
    /// The first offset in the window.
    pub first_shown: i64,
    /// The records in the window.
    pub cells: Vec<CellView>,
    /// Where groups stand.
    pub flags: Vec<Flag>,
}

/// Where a group stands in a partition.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flag {
    /// The group.
    pub group: String,
    /// It reads this offset next.
    pub offset: i64,
}

/// A key or value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blob {
    /// As text, at most some hundred characters.
    pub text: String,
    /// How many bytes there are.
    pub length: u64,
}

/// A record and the batch that it lies in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordView {
    /// Which.
    pub address: RecordAddress,
    /// The key; none is null.
    pub key: Option<Blob>,
    /// The value; none is null.
    pub value: Option<Blob>,
    /// ms since 1970.
    pub timestamp_ms: i64,
    /// `CreateTime` or `LogAppendTime`.
    pub timestamp_type: String,
    /// Name and value.
    pub headers: Vec<(String, String)>,
    /// murmur2 of the key, and the partition that it gives among this many.
    pub murmur: Option<(u32, i32, i32)>,
    /// First offset of its batch.
    pub batch_first: i64,
    /// Last offset of its batch.
    pub batch_last: i64,
    /// `none`, `gzip`, ..
    pub codec: String,
    /// -1 without.
    pub producer_id: i64,
    /// The record's own sequence number; -1 without.
    pub sequence: i32,
    /// The file's name.
    pub file: String,
    /// Where the batch starts in it, bytes; -1 if unknown.
    pub position: i64,
    /// Bytes of the batch.
    pub batch_bytes: u64,
    /// The fields of the batch's header, and of the record when it is not compressed.
    pub fields: Vec<FieldView>,
    /// The batch's first bytes, which the fields lie in.
    pub bytes: Vec<u8>,
}

/// A field among bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldView {
    /// Its name.
    pub name: String,
    /// `int64`, `varint`, ..
    pub kind: String,
    /// Its value in words.
    pub value: String,
    /// First byte.
    pub from: u32,
    /// Byte after the last.
    pub to: u32,
}

/// A group in the list.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupSummary {
    /// Its id.
    pub group_id: String,
    /// The coordinator's host.
    pub coordinator: String,
    /// The coordinator's `node.id`.
    pub coordinator_id: i32,
    /// The partition of `__consumer_offsets` that keeps it.
    pub offsets_partition: i32,
    /// `Stable`, `Empty`, ..
    pub state: String,
    /// Counts rebalances.
    pub generation: i32,
    /// `range`, ..; empty when nobody ever joined.
    pub assignor: String,
    /// Who is in it.
    pub members: Vec<MemberView>,
    /// Where it stands.
    pub offsets: Vec<GroupOffset>,
}

/// A member of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// Its id.
    pub member_id: String,
    /// The client's id.
    pub client_id: String,
    /// Its host's address.
    pub host: String,
    /// What it reads: `users-0`.
    pub assignment: Vec<String>,
}

/// Where a group stands in a partition, and what it has not read yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupOffset {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// It reads this offset next.
    pub offset: i64,
    /// The high watermark; -1 if no broker with the log runs.
    pub end_offset: i64,
    /// Records not read; -1 if unknown.
    pub lag: i64,
}

/// A frame on the wire.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FrameView {
    /// The trace's event.
    pub id: u64,
    /// When, microseconds since 1970.
    pub at_micros: u64,
    /// It is a request, not a response.
    pub request: bool,
    /// Who opened the connection.
    pub client: String,
    /// Who accepted it.
    pub server: String,
    /// `Fetch v18`.
    pub api: String,
    /// The correlation id.
    pub correlation_id: i32,
    /// What it says, in a few words.
    pub summary: String,
    /// Its length.
    pub length: u64,
    /// The command that led to it, if it is still known.
    pub command: Option<String>,
}

/// How a sentence is meant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tone {
    /// Neutral.
    #[default]
    Plain,
    /// Something went well.
    Good,
    /// Something is on its way.
    Waiting,
    /// Something is down.
    Bad,
}

/// A sentence of what just happened.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sentence {
    /// How it is meant.
    pub tone: Tone,
    /// The text.
    pub text: String,
}

/// A running process.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessView {
    /// Its id.
    pub pid: u32,
    /// Its host's name.
    pub host: String,
    /// Its command line.
    pub command: String,
}
