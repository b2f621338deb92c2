//! The brokers as machines, and what each holds.

use std::rc::Rc;

use playground_console::view::{BrokerState, BrokerView, ReplicaRole, ReplicaView, View};
use yew::{Callback, Html, MouseEvent, Properties, classes, function_component, html};

use super::StageAction;
use super::parts::{broker_hue, cell_classes, cell_name, open_record};
use crate::page::format;

/// Cells that a strip has room for: large offsets take more of it.
fn cells_max(log_end_offset: i64) -> usize {
    match log_end_offset {
        ..=8 => 8,
        9..=1_000 => 6,
        1_001..=100_000 => 4,
        _ => 3,
    }
}

#[derive(PartialEq, Properties)]
pub(super) struct ClusterProps {
    pub(super) view: Rc<View>,
    pub(super) topic: Option<String>,
    pub(super) on_action: Callback<StageAction>,
}

#[function_component(Cluster)]
pub(super) fn cluster(props: &ClusterProps) -> Html {
    let view = &props.view;
    html! {
        <>
            { clients(props) }
            <div class={classes!("brokers", (view.brokers.len() > 3).then_some("many"))}>
                { for view.brokers.iter().map(|machine| broker(props, machine)) }
            </div>
        </>
    }
}

/// The programs that talk to the cluster, and the groups.
fn clients(props: &ClusterProps) -> Html {
    let view = &props.view;
    let tool = |command: &str| {
        let name = command.split_whitespace().next().unwrap_or_default();
        name.rsplit('/')
            .next()
            .unwrap_or_default()
            .trim_end_matches(".sh")
            .to_owned()
    };
    let producers: Vec<_> = view
        .processes
        .iter()
        .filter(|process| tool(&process.command).contains("producer"))
        .collect();
    let consumers: Vec<_> = view
        .processes
        .iter()
        .filter(|process| {
            tool(&process.command).contains("consumer")
                && !tool(&process.command).contains("groups")
        })
        .collect();
    if producers.is_empty() && consumers.is_empty() && view.groups.is_empty() {
        return html! {};
    }
    let option = |command: &str, name: &str| {
        let mut words = command.split_whitespace();
        words
            .find(|word| *word == name)
            .and_then(|_| words.next())
            .map(str::to_owned)
    };
    let process = |process: &playground_console::view::ProcessView| {
        let topic = option(&process.command, "--topic")
            .map_or_else(String::new, |topic| format!(" · {topic}"));
        let name = tool(&process.command)
            .trim_start_matches("kafka-")
            .to_owned();
        html! {
            <div class="client">
                <b>{ name }</b>
                <span>{ format!("{}, pid {}{topic}", process.host, process.pid) }</span>
            </div>
        }
    };
    html! {
        <div class="clients">
            <div>
                <h2>{ "Producers" }</h2>
                <div class="client-row">
                    { for producers.iter().map(|entry| process(entry)) }
                    if producers.is_empty() { <span class="third">{ "none is running" }</span> }
                </div>
            </div>
            <div class="right">
                <h2>{ "Consumers and groups" }</h2>
                <div class="client-row">
                    { for consumers.iter().filter(|entry| option(&entry.command, "--group").is_none()).map(|entry| process(entry)) }
                    { for view.groups.iter().map(|group| {
                        let lag: i64 = group.offsets.iter().map(|offset| offset.lag.max(0)).sum();
                        let id = group.group_id.clone();
                        html! {
                            <button class="client" onclick={props.on_action.reform(move |_: MouseEvent| StageAction::Group(id.clone()))}>
                                <b>{ &group.group_id }{ lag_words(lag) }</b>
                                <span>{ format!("coordinator {}", group.coordinator) }{ if group.state.is_empty() { String::new() } else { format!(" · {}", group.state) } }</span>
                            </button>
                        }
                    }) }
                </div>
            </div>
        </div>
    }
}

fn lag_words(lag: i64) -> Html {
    if lag == 0 {
        return html! { <em class="good">{ "lag 0" }</em> };
    }
    html! { <em class="waiting">{ format!("lag {lag}") }</em> }
}

fn broker(props: &ClusterProps, broker: &BrokerView) -> Html {
    let (state, word) = match broker.state {
        BrokerState::Running => ("running", ""),
        BrokerState::Stopping => ("stopping", "stopping"),
        BrokerState::Down => ("down", "down"),
    };
    let since = props.view.now_ms - broker.state_since_ms;
    let under = match broker.state {
        BrokerState::Down => format!("down for {}", format::duration(since)),
        _ => broker.address.clone(),
    };
    let name = format!(
        "broker {}, {}{}{}",
        broker.host,
        broker.address,
        if broker.controller {
            ", controller"
        } else {
            ""
        },
        if word.is_empty() {
            ", running".to_owned()
        } else {
            format!(", {word}")
        },
    );
    let command = match broker.state {
        BrokerState::Down => format!("docker-compose start {}", broker.host),
        _ => format!("docker-compose stop {}", broker.host),
    };
    let run = command.clone();
    html! {
        <article key={broker.id} class={classes!("broker", broker_hue(broker.id), state)} tabindex="0" aria-label={name}>
            <header>
                <span class="swatch" aria-hidden="true"></span>
                <h3>{ &broker.host }</h3>
                if broker.controller { <span class="role">{ "controller" }</span> }
                if !word.is_empty() { <span class={classes!("state", state)}>{ word }</span> }
                <p>{ under }</p>
            </header>
            <div class="replicas">
                { for broker.replicas.iter().map(|entry| replica(props, broker, entry)) }
                if broker.replicas.is_empty() {
                    <p class="third">{ if broker.state == BrokerState::Running { "No partitions yet." } else { "Its disk is as it was." } }</p>
                }
            </div>
            <footer>
                <span class="third">{ format::bytes(broker.disk_bytes) }{ " on disk" }
                    if broker.internal_replicas > 0 { { format!(" · {} internal", broker.internal_replicas) } }
                </span>
                <button class="link" title={command} onclick={props.on_action.reform(move |_: MouseEvent| StageAction::Run(run.clone()))}>
                    { if broker.state == BrokerState::Down { "start" } else { "stop" } }
                </button>
            </footer>
        </article>
    }
}

fn replica(props: &ClusterProps, broker: &BrokerView, replica: &ReplicaView) -> Html {
    let (class, word) = match (broker.state, replica.role) {
        (BrokerState::Down, _) => ("offline", "offline"),
        (_, ReplicaRole::Leader) => ("leader", "leader"),
        (_, ReplicaRole::Follower) => ("follower", "follower"),
        (_, ReplicaRole::Offline) => ("offline", "no leader"),
    };
    let place = format!("{}-{}", replica.topic, replica.partition);
    let name = match class {
        "leader" => format!(
            "partition {place}, leader {}, end offset {}",
            broker.host, replica.log_end_offset
        ),
        _ => format!(
            "partition {place}, {word} {}, end offset {}",
            broker.host, replica.log_end_offset
        ),
    };
    let topic = replica.topic.clone();
    let skip = replica
        .cells
        .len()
        .saturating_sub(cells_max(replica.log_end_offset));
    let first = replica.cells.get(skip).map(|cell| cell.offset);
    let earlier = first.is_some_and(|first| first > replica.log_start_offset);
    html! {
        <div class={classes!("replica", class, (props.topic.as_deref() == Some(&replica.topic)).then_some("of-topic"))}>
            <button class="replica-name" aria-label={name} onclick={props.on_action.reform(move |_: MouseEvent| StageAction::Topic(topic.clone()))}>
                <b>{ &place }</b><span class="pill-mark">{ word }</span>
            </button>
            <div class="strip">
                if earlier { <span class="earlier" title={format!("from offset {}", replica.log_start_offset)}>{ "…" }</span> }
                { for replica.cells.iter().skip(skip).map(|cell| {
                    let last_read = cell.offset + 1 == replica.high_watermark;
                    let pending = cell.offset >= replica.high_watermark;
                    html! {
                        <button
                            key={cell.offset.to_string()}
                            class={classes!(cell_classes(cell), last_read.then_some("watermark"), pending.then_some("pending"))}
                            aria-label={cell_name(&replica.topic, replica.partition, cell)}
                            onclick={open_record(&props.on_action, &replica.topic, replica.partition, cell.offset)}
                        >{ cell.offset }</button>
                    }
                }) }
                if replica.cells.is_empty() && class != "offline" { <span class="watermark-start" aria-hidden="true"></span> }
            </div>
        </div>
    }
}
