//! Frames in a few words each, decoded from the bytes that the trace keeps.

use std::collections::BTreeMap;

use bytes::Bytes;
use playground_log::RecordBatchHeader;
use playground_protocol::messages::{ApiKey, RequestKind, ResponseKind};
use playground_protocol::{ErrorCode, RequestFrame, ResponseFrame};
use playground_sim::{FrameDirection, FrameInfo, TraceEvent, TraceKind, World};
use uuid::Uuid;

use super::model::{FrameView, WireFilter, WireRequest};

/// Frames shown at once.
const FRAMES_MAX: u32 = 500;

/// Events looked at for them.
const EVENTS_LOOKED_AT_MAX: usize = 5_000;

/// What a Fetch without records says.
const NOTHING_NEW: &str = "nothing new";

/// How a Fetch begins that only goes on with its session.
const SESSION: &str = "session";

/// Steps back that are made to find the command that led to a frame.
const CAUSES_MAX: usize = 64;

pub(super) fn frames(
    world: &World,
    topics: &BTreeMap<Uuid, String>,
    request: &WireRequest,
) -> Vec<FrameView> {
    let mut frames: Vec<FrameView> = world
        .trace()
        .events()
        .rev()
        .take(EVENTS_LOOKED_AT_MAX)
        .filter_map(|event| match &event.kind {
            TraceKind::FrameSent(info) if wanted(world, info, request.filter) => {
                Some(frame(world, event, info, topics))
            }
            _ => None,
        })
        .filter(|frame| request.filter != WireFilter::Clients || !is_idle(frame))
        .take(request.limit.min(FRAMES_MAX) as usize)
        .collect();
    frames.reverse();
    frames
}

/// Whether the frame only says that there is nothing to say.
fn is_idle(frame: &FrameView) -> bool {
    let words = frame.summary.as_str();
    if frame.api.starts_with("Fetch ") {
        return words == NOTHING_NEW || (frame.request && words.starts_with(SESSION));
    }
    frame.api.starts_with("Heartbeat ") && (frame.request || words.is_empty())
}

/// Whether the frame's client is a node, not a process.
pub(super) fn between_nodes(world: &World, info: &FrameInfo) -> bool {
    let client = client_of(info);
    world
        .host_by_name(client)
        .is_some_and(|host| world.node_config(host).is_some())
}

fn client_of(info: &FrameInfo) -> &str {
    match info.direction {
        FrameDirection::Request => &info.from,
        FrameDirection::Response => &info.to,
    }
}

fn wanted(world: &World, info: &FrameInfo, filter: WireFilter) -> bool {
    let api = ApiKey::try_from(info.api_key).ok();
    match filter {
        WireFilter::All => true,
        WireFilter::Clients => !between_nodes(world, info),
        WireFilter::Produce => api == Some(ApiKey::Produce),
        WireFilter::Fetch => api == Some(ApiKey::Fetch),
        WireFilter::Groups => matches!(
            api,
            Some(
                ApiKey::FindCoordinator
                    | ApiKey::JoinGroup
                    | ApiKey::SyncGroup
                    | ApiKey::Heartbeat
                    | ApiKey::LeaveGroup
                    | ApiKey::OffsetCommit
                    | ApiKey::OffsetFetch
                    | ApiKey::ListGroups
                    | ApiKey::DescribeGroups
                    | ApiKey::DeleteGroups
            )
        ),
    }
}

fn frame(
    world: &World,
    event: &TraceEvent,
    info: &FrameInfo,
    topics: &BTreeMap<Uuid, String>,
) -> FrameView {
    let request = info.direction == FrameDirection::Request;
    let (client, server) = if request {
        (&info.from, &info.to)
    } else {
        (&info.to, &info.from)
    };
    FrameView {
        id: event.id,
        at_micros: event.at.micros(),
        request,
        client: client.clone(),
        server: server.clone(),
        api: match ApiKey::try_from(info.api_key) {
            Ok(key) => format!("{key:?} v{}", info.api_version),
            Err(()) => format!("API {} v{}", info.api_key, info.api_version),
        },
        correlation_id: info.correlation_id,
        summary: match decode(info) {
            Some(Decoded::Request(kind)) => request_words(&kind, topics),
            Some(Decoded::Response(kind)) => response_words(&kind, topics),
            None => String::new(),
        },
        length: info.length as u64,
        command: command(world, event),
    }
}

/// The line that was typed, from which this event came.
fn command(world: &World, event: &TraceEvent) -> Option<String> {
    let mut cause = event.cause;
    for _ in 0..CAUSES_MAX {
        let event = world.trace().event(cause?)?;
        if let TraceKind::Typed { line, .. } = &event.kind {
            return Some(line.clone());
        }
        cause = event.cause;
    }
    None
}

/// A frame's body.
pub(super) enum Decoded {
    Request(RequestKind),
    Response(ResponseKind),
}

/// The body, if the trace kept the whole frame.
pub(super) fn decode(info: &FrameInfo) -> Option<Decoded> {
    if info.bytes.len() < info.length {
        return None;
    }
    match info.direction {
        FrameDirection::Request => RequestFrame::decode(info.bytes.clone())
            .ok()
            .map(|frame| Decoded::Request(frame.body)),
        FrameDirection::Response => {
            let key = ApiKey::try_from(info.api_key).ok()?;
            ResponseFrame::decode(key, info.api_version, info.bytes.clone())
                .ok()
                .map(|frame| Decoded::Response(frame.body))
        }
    }
}

/// The name of a topic that a frame gives by name or by id.
pub(super) fn topic_name(topics: &BTreeMap<Uuid, String>, name: &str, id: Uuid) -> String {
    if !name.is_empty() {
        return name.to_owned();
    }
    topics
        .get(&id)
        .cloned()
        .unwrap_or_else(|| "a topic".to_owned())
}

/// How many records a partition's batches hold, by their headers.
pub(super) fn record_count(records: Option<&Bytes>) -> i64 {
    let mut rest = records.map_or(&[][..], |records| &records[..]);
    let mut count = 0;
    while let Ok(header) = RecordBatchHeader::parse(rest) {
        count += i64::from(header.record_count.max(0));
        match rest.get(header.size()..) {
            Some(next) => rest = next,
            None => break,
        }
    }
    count
}

/// `1 record`, `2 records`.
pub(super) fn counted(count: i64, what: &str) -> String {
    if count == 1 {
        format!("1 {what}")
    } else {
        format!("{count} {what}s")
    }
}

fn request_words(kind: &RequestKind, topics: &BTreeMap<Uuid, String>) -> String {
    match kind {
        RequestKind::Produce(request) => {
            let mut words = Vec::new();
            for topic in &request.topic_data {
                let name = topic_name(topics, topic.name.as_str(), topic.topic_id);
                for data in &topic.partition_data {
                    let count = record_count(data.records.as_ref());
                    words.push(format!(
                        "{name}-{}, {}",
                        data.index,
                        counted(count, "record")
                    ));
                }
            }
            let acks = match request.acks {
                -1 => "all".to_owned(),
                acks => acks.to_string(),
            };
            words.push(format!("acks={acks}"));
            words.join(", ")
        }
        RequestKind::Fetch(request) => {
            let mut words: Vec<String> = request
                .topics
                .iter()
                .flat_map(|topic| {
                    let name = topic_name(topics, topic.topic.as_str(), topic.topic_id);
                    topic.partitions.iter().map(move |partition| {
                        format!(
                            "{name}-{} from {}",
                            partition.partition, partition.fetch_offset
                        )
                    })
                })
                .take(4)
                .collect();
            if words.is_empty() {
                words.push(format!("{SESSION} {} goes on", request.session_id));
            }
            words.push(format!("wait {} ms", request.max_wait_ms));
            words.join(", ")
        }
        RequestKind::Metadata(request) => match &request.topics {
            None => "all topics".to_owned(),
            Some(list) if list.is_empty() => "brokers only".to_owned(),
            Some(list) => list
                .iter()
                .map(|topic| {
                    let name = topic.name.as_ref().map_or("", |name| name.as_str());
                    topic_name(topics, name, topic.topic_id)
                })
                .collect::<Vec<_>>()
                .join(", "),
        },
        RequestKind::CreateTopics(request) => request
            .topics
            .iter()
            .map(|topic| {
                let partitions = if topic.num_partitions < 0 {
                    "default partitions".to_owned()
                } else {
                    counted(i64::from(topic.num_partitions), "partition")
                };
                format!("{}, {partitions}", topic.name.as_str())
            })
            .collect::<Vec<_>>()
            .join("; "),
        RequestKind::FindCoordinator(request) => request
            .coordinator_keys
            .iter()
            .chain((!request.key.is_empty()).then_some(&request.key))
            .map(|key| key.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        RequestKind::JoinGroup(request) => request.group_id.as_str().to_owned(),
        RequestKind::SyncGroup(request) => format!(
            "{}, generation {}",
            request.group_id.as_str(),
            request.generation_id
        ),
        RequestKind::Heartbeat(request) => format!(
            "{}, generation {}",
            request.group_id.as_str(),
            request.generation_id
        ),
        RequestKind::LeaveGroup(request) => request.group_id.as_str().to_owned(),
        RequestKind::OffsetCommit(request) => {
            let offsets = request
                .topics
                .iter()
                .flat_map(|topic| {
                    let name = topic_name(topics, topic.name.as_str(), topic.topic_id);
                    topic.partitions.iter().map(move |partition| {
                        format!(
                            "{name}-{} at {}",
                            partition.partition_index, partition.committed_offset
                        )
                    })
                })
                .take(4)
                .collect::<Vec<_>>()
                .join(", ");
            format!("{}: {offsets}", request.group_id.as_str())
        }
        RequestKind::BrokerHeartbeat(request) => format!(
            "broker {}, metadata up to {}",
            request.broker_id.0, request.current_metadata_offset
        ),
        _ => String::new(),
    }
}

fn error_words(code: i16, otherwise: String) -> String {
    if code == 0 {
        otherwise
    } else {
        ErrorCode(code).name().to_owned()
    }
}

fn response_words(kind: &ResponseKind, topics: &BTreeMap<Uuid, String>) -> String {
    match kind {
        ResponseKind::Produce(response) => response
            .responses
            .iter()
            .flat_map(|topic| {
                let name = topic_name(topics, topic.name.as_str(), topic.topic_id);
                topic.partition_responses.iter().map(move |partition| {
                    let place = format!("{name}-{}", partition.index);
                    error_words(
                        partition.error_code,
                        format!("{place} base offset {}", partition.base_offset),
                    )
                })
            })
            .collect::<Vec<_>>()
            .join(", "),
        ResponseKind::Fetch(response) => {
            if response.error_code != 0 {
                return error_words(response.error_code, String::new());
            }
            let found: Vec<String> = response
                .responses
                .iter()
                .flat_map(|topic| {
                    let name = topic_name(topics, topic.topic.as_str(), topic.topic_id);
                    topic.partitions.iter().filter_map(move |partition| {
                        let place = format!("{name}-{}", partition.partition_index);
                        let count = record_count(partition.records.as_ref());
                        if partition.error_code != 0 {
                            return Some(format!(
                                "{place} {}",
                                error_words(partition.error_code, String::new())
                            ));
                        }
                        (count > 0).then(|| format!("{place}, {}", counted(count, "record")))
                    })
                })
                .take(4)
                .collect();
            if found.is_empty() {
                NOTHING_NEW.to_owned()
            } else {
                found.join("; ")
            }
        }
        ResponseKind::CreateTopics(response) => response
            .topics
            .iter()
            .map(|topic| error_words(topic.error_code, format!("{} created", topic.name.as_str())))
            .collect::<Vec<_>>()
            .join("; "),
        ResponseKind::JoinGroup(response) => error_words(
            response.error_code,
            format!("generation {}", response.generation_id),
        ),
        ResponseKind::SyncGroup(response) => {
            error_words(response.error_code, "assignment".to_owned())
        }
        ResponseKind::Heartbeat(response) => error_words(response.error_code, String::new()),
        ResponseKind::BrokerHeartbeat(response) => error_words(
            response.error_code,
            format!("fenced={}", response.is_fenced),
        ),
        _ => String::new(),
    }
}
