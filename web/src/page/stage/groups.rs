//! A group: its coordinator, its members, and how far it has read.

use std::rc::Rc;

use playground_console::view::{GroupSummary, View};
use yew::{Callback, Html, MouseEvent, Properties, classes, function_component, html};

use super::StageAction;
use super::parts::{broker_hue, swatch};

#[derive(PartialEq, Properties)]
pub(super) struct GroupsProps {
    pub(super) view: Rc<View>,
    pub(super) group: Option<String>,
    pub(super) on_action: Callback<StageAction>,
}

#[function_component(Groups)]
pub(super) fn groups(props: &GroupsProps) -> Html {
    let group = props
        .group
        .as_ref()
        .and_then(|id| props.view.groups.iter().find(|group| group.group_id == *id));
    let Some(group) = group else {
        let command = "kafka-console-consumer --bootstrap-server localhost:9092 --topic users --group audit --from-beginning";
        return html! {
            <p class="empty">
                { "No consumer group yet. A consumer that names one makes it: " }
                <button class="link mono" onclick={props.on_action.reform(move |_: MouseEvent| StageAction::Run(command.to_owned()))}>{ command }</button>
            </p>
        };
    };
    html! {
        <>
            { coordinator(group) }
            { members(group) }
            { lag(props, group) }
        </>
    }
}

fn coordinator(group: &GroupSummary) -> Html {
    let kept = if group.offsets_partition < 0 {
        String::new()
    } else {
        format!(
            "{} → __consumer_offsets-{}",
            group.group_id, group.offsets_partition
        )
    };
    let state = [
        Some(group.state.clone()).filter(|state| !state.is_empty()),
        Some(group.assignor.clone())
            .filter(|name| !name.is_empty())
            .map(|name| format!("{name} assignor")),
        (group.generation >= 0).then(|| format!("generation {}", group.generation)),
    ]
    .into_iter()
    .flatten()
    .collect::<Vec<_>>()
    .join(" · ");
    html! {
        <div class="coordinator-row">
            <div class={classes!("coordinator", broker_hue(group.coordinator_id))} tabindex="0" aria-label={format!("coordinator of {}, {}", group.group_id, group.coordinator)}>
                <p><b>{ swatch(group.coordinator_id) }{ &group.coordinator }</b><em>{ "coordinator" }</em></p>
                if !kept.is_empty() { <p>{ kept }</p> }
                if !state.is_empty() { <p>{ state }</p> }
            </div>
        </div>
    }
}

fn members(group: &GroupSummary) -> Html {
    if group.members.is_empty() {
        return html! { <p class="third centred">{ "Nobody is reading now. The group's offsets stay, and whoever comes goes on from there." }</p> };
    }
    html! {
        <div class="members">
            { for group.members.iter().map(|member| html! {
                <div class={classes!("member", member.assignment.is_empty().then_some("idle"))} key={member.member_id.clone()} tabindex="0" aria-label={format!("member {}", member.client_id)}>
                    <p><span class="dot good" aria-hidden="true"></span><b>{ &member.client_id }</b></p>
                    <p class="second id" title={member.member_id.clone()}>{ &member.host }{ " · " }{ member.member_id.rsplit('-').next().unwrap_or_default() }</p>
                    <p class="assignment">
                        { for member.assignment.iter().map(|place| html! { <span class="owned">{ place }</span> }) }
                        if member.assignment.is_empty() { <span class="third">{ "idle: no partition is left for it" }</span> }
                    </p>
                </div>
            }) }
        </div>
    }
}

fn lag(props: &GroupsProps, group: &GroupSummary) -> Html {
    if group.offsets.is_empty() {
        return html! { <p class="third centred">{ "It has not committed an offset yet." }</p> };
    }
    let total: i64 = group.offsets.iter().map(|offset| offset.lag.max(0)).sum();
    html! {
        <section class="card lag" aria-label="Lag">
            <h2>{ "Lag" }<em class={if total == 0 { "good" } else { "waiting" }}>{ if total == 0 { "all read".to_owned() } else { format!("{total} to read") } }</em></h2>
            <table>
                <thead><tr><th>{ "partition" }</th><th class="number">{ "reads next" }</th><th class="number">{ "high watermark" }</th><th class="number">{ "lag" }</th><th></th></tr></thead>
                <tbody>
                    { for group.offsets.iter().map(|offset| {
                        let topic = offset.topic.clone();
                        let end = if offset.end_offset < 0 { "?".to_owned() } else { offset.end_offset.to_string() };
                        let lag = if offset.lag < 0 { "?".to_owned() } else { offset.lag.to_string() };
                        html! {
                            <tr>
                                <td><button class="link" onclick={props.on_action.reform(move |_: MouseEvent| StageAction::Topic(topic.clone()))}>{ format!("{}-{}", offset.topic, offset.partition) }</button></td>
                                <td class="number">{ offset.offset }</td>
                                <td class="number">{ end }</td>
                                <td class="number"><b>{ lag }</b></td>
                                <td><progress max={offset.end_offset.max(1).to_string()} value={offset.offset.max(0).to_string()} aria-label={format!("{}-{} read", offset.topic, offset.partition)}></progress></td>
                            </tr>
                        }
                    }) }
                </tbody>
            </table>
        </section>
    }
}
