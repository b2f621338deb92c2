//! What just happened, in a sentence each: read from the trace since the last line that was typed.

use std::collections::BTreeMap;

use playground_protocol::ErrorCode;
use playground_protocol::messages::{RequestKind, ResponseKind};
use playground_sim::{FrameDirection, TraceKind, World};
use uuid::Uuid;

use super::model::{Sentence, Tone};
use super::wire::{Decoded, between_nodes, counted, decode, record_count, topic_name};

/// Sentences shown.
const SENTENCES_MAX: usize = 5;

/// Events read.
const EVENTS_MAX: usize = 3_000;

/// Typed lines looked back.
const LINES_MAX: usize = 4;

/// Sentences by what they are about: a later event about the same thing says it anew, in its place.
#[derive(Default)]
struct Story {
    keys: Vec<String>,
    sentences: Vec<Sentence>,
}

impl Story {
    fn say(&mut self, key: String, tone: Tone, text: String) {
        let sentence = Sentence { tone, text };
        match self.keys.iter().position(|known| *known == key) {
            Some(at) => {
                if let Some(place) = self.sentences.get_mut(at) {
                    *place = sentence;
                }
            }
            None => {
                self.keys.push(key);
                self.sentences.push(sentence);
            }
        }
    }
}

#[derive(Default)]
struct Sent {
    records: i64,
    acknowledged: i64,
    acks: i16,
    refused: Option<String>,
    last: Vec<String>,
}

/// What came of the last typed line that led to anything.
pub(super) fn events(world: &World, topics: &BTreeMap<Uuid, String>) -> Vec<Sentence> {
    let trace = world.trace();
    let oldest = trace.next_id().saturating_sub(EVENTS_MAX as u64);
    trace
        .events()
        .rev()
        .take(EVENTS_MAX)
        .filter(|event| matches!(event.kind, TraceKind::Typed { .. }))
        .map(|event| event.id)
        .take(LINES_MAX)
        .chain([oldest])
        .map(|since| events_since(world, topics, since))
        .find(|sentences| !sentences.is_empty())
        .unwrap_or_default()
}

fn events_since(world: &World, topics: &BTreeMap<Uuid, String>, since: u64) -> Vec<Sentence> {
    let trace = world.trace();
    let mut story = Story::default();
    let mut started: Vec<&str> = Vec::new();
    let mut sent: BTreeMap<(String, String), Sent> = BTreeMap::new();
    let mut requests: BTreeMap<(u64, i32), RequestKind> = BTreeMap::new();
    let mut read: BTreeMap<String, i64> = BTreeMap::new();
    let recent = trace
        .events()
        .rev()
        .take_while(|event| event.id >= since)
        .collect::<Vec<_>>();
    for event in recent.into_iter().rev() {
        match &event.kind {
            TraceKind::NodeStarted(host) => {
                let name = world.host_name(*host);
                started.retain(|known| *known != name);
                started.push(name);
                story.say(
                    "started".to_owned(),
                    Tone::Good,
                    format!(
                        "{} started and read {} from disk.",
                        list(&started),
                        if started.len() == 1 { "its logs" } else { "their logs" }
                    ),
                );
            }
            TraceKind::NodeStopping(host) => story.say(
                format!("state {}", host.0),
                Tone::Waiting,
                format!("{} is shutting down in order.", world.host_name(*host)),
            ),
            TraceKind::NodeStopped(host) => story.say(
                format!("state {}", host.0),
                Tone::Plain,
                format!(
                    "{} shut down in order: all that it wrote is flushed.",
                    world.host_name(*host)
                ),
            ),
            TraceKind::NodeKilled(host) => story.say(
                format!("state {}", host.0),
                Tone::Bad,
                format!(
                    "{} was killed. Partitions with their only replica there wait until it is back.",
                    world.host_name(*host)
                ),
            ),
            TraceKind::FrameSent(info) if !between_nodes(world, info) => {
                let call = (info.connection, info.correlation_id);
                match decode(info) {
                    Some(Decoded::Request(request)) => {
                        if let RequestKind::Produce(produce) = &request {
                            for topic in &produce.topic_data {
                                let name =
                                    topic_name(topics, topic.name.as_str(), topic.topic_id);
                                let entry = sent.entry((info.from.clone(), name)).or_default();
                                entry.acks = produce.acks;
                                entry.records += topic
                                    .partition_data
                                    .iter()
                                    .map(|data| record_count(data.records.as_ref()))
                                    .sum::<i64>();
                            }
                        }
                        requests.insert(call, request);
                    }
                    Some(Decoded::Response(response)) => answer(
                        &mut story,
                        &mut sent,
                        &mut read,
                        topics,
                        &info.to,
                        requests.remove(&call),
                        &response,
                    ),
                    None if info.direction == FrameDirection::Request => {}
                    None => {}
                }
            }
            _ => {}
        }
    }
    for ((client, topic), sent) in &sent {
        let count = counted(sent.records, "record");
        let (tone, text) = match (&sent.refused, sent.acks) {
            (Some(error), _) => (
                Tone::Bad,
                format!("{client} sent {count} to {topic}; the broker refused: {error}."),
            ),
            (None, 0) => (
                Tone::Waiting,
                format!(
                    "{client} sent {count} to {topic} with acks=0: no broker says whether they arrived."
                ),
            ),
            (None, _) if sent.acknowledged < sent.records => (
                Tone::Waiting,
                format!("{client} sent {count} to {topic}; not acknowledged yet."),
            ),
            (None, _) => (
                Tone::Good,
                format!(
                    "{client} sent {count} to {topic}, acknowledged at {}.",
                    sent.last.join(", ")
                ),
            ),
        };
        story.say(format!("produce {client} {topic}"), tone, text);
    }
    for (topic, count) in &read {
        story.say(
            format!("read {topic}"),
            Tone::Plain,
            format!(
                "{} of {topic} {} read. Reading removes nothing: they stay in the log.",
                counted(*count, "record"),
                if *count == 1 { "was" } else { "were" }
            ),
        );
    }
    let skip = story.sentences.len().saturating_sub(SENTENCES_MAX);
    story.sentences.into_iter().skip(skip).collect()
}

fn answer(
    story: &mut Story,
    sent: &mut BTreeMap<(String, String), Sent>,
    read: &mut BTreeMap<String, i64>,
    topics: &BTreeMap<Uuid, String>,
    client: &str,
    request: Option<RequestKind>,
    response: &ResponseKind,
) {
    match response {
        ResponseKind::Produce(response) => {
            let Some(RequestKind::Produce(request)) = request else {
                return;
            };
            for topic in &response.responses {
                let name = topic_name(topics, topic.name.as_str(), topic.topic_id);
                let entry = sent.entry((client.to_owned(), name.clone())).or_default();
                for partition in &topic.partition_responses {
                    if partition.error_code != 0 {
                        entry.refused = Some(ErrorCode(partition.error_code).name().to_owned());
                        continue;
                    }
                    let count: i64 = request
                        .topic_data
                        .iter()
                        .filter(|data| {
                            topic_name(topics, data.name.as_str(), data.topic_id) == name
                        })
                        .flat_map(|data| &data.partition_data)
                        .filter(|data| data.index == partition.index)
                        .map(|data| record_count(data.records.as_ref()))
                        .sum();
                    entry.acknowledged += count;
                    let place = format!("{name}-{}", partition.index);
                    entry
                        .last
                        .retain(|known| !known.starts_with(&format!("{place} ")));
                    entry.last.push(format!(
                        "{place} offset {}",
                        partition.base_offset + count - 1
                    ));
                }
            }
        }
        ResponseKind::Fetch(response) => {
            for topic in &response.responses {
                let count: i64 = topic
                    .partitions
                    .iter()
                    .map(|partition| record_count(partition.records.as_ref()))
                    .sum();
                if count > 0 {
                    let name = topic_name(topics, topic.topic.as_str(), topic.topic_id);
                    *read.entry(name).or_default() += count;
                }
            }
        }
        ResponseKind::CreateTopics(response) => {
            for topic in &response.topics {
                let name = topic.name.as_str();
                if topic.error_code == 0 {
                    let partitions = counted(i64::from(topic.num_partitions), "partition");
                    story.say(
                        format!("topic {name}"),
                        Tone::Good,
                        format!(
                            "The controller created {name} with {partitions} and spread them over the brokers."
                        ),
                    );
                } else {
                    let message = topic.error_message.as_ref().map_or_else(
                        || ErrorCode(topic.error_code).message(),
                        |text| text.as_str(),
                    );
                    story.say(
                        format!("topic {name}"),
                        Tone::Bad,
                        format!("{name} was not created: {message}"),
                    );
                }
            }
        }
        ResponseKind::DeleteTopics(response) => {
            for topic in response
                .responses
                .iter()
                .filter(|topic| topic.error_code == 0)
            {
                let name = topic.name.as_ref().map_or("", |name| name.as_str());
                let name = topic_name(topics, name, topic.topic_id);
                story.say(
                    format!("topic {name}"),
                    Tone::Plain,
                    format!("{name} was deleted, with all its records."),
                );
            }
        }
        ResponseKind::JoinGroup(response) if response.error_code == 0 => {
            if let Some(RequestKind::JoinGroup(request)) = request {
                let group = request.group_id.as_str();
                story.say(
                    format!("group {group}"),
                    Tone::Plain,
                    format!(
                        "Group {group} is in generation {}: its partitions are shared out anew.",
                        response.generation_id
                    ),
                );
            }
        }
        _ => {}
    }
}

/// `a`, `a and b`, `a, b and c`.
fn list(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [rest @ .., last] => format!("{} and {last}", rest.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn names_are_listed_in_english() {
        assert_eq!(list(&["a"]), "a");
        assert_eq!(list(&["a", "b", "c"]), "a, b and c");
    }
}
