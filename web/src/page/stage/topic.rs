//! A topic: each partition a log that grows to the right.

use std::rc::Rc;

use playground_console::view::{CellView, PartitionPlace, RecordAddress, RecordView, View};
use wasm_bindgen::JsCast;
use yew::{Callback, Html, InputEvent, MouseEvent, Properties, classes, function_component, html};

use super::StageAction;
use super::parts::{cell_classes, cell_name, open_record, swatch};
use super::record::Record;
use crate::page::format;

#[derive(PartialEq, Properties)]
pub(super) struct TopicProps {
    pub(super) view: Rc<View>,
    pub(super) record: Option<Rc<RecordView>>,
    pub(super) on_action: Callback<StageAction>,
}

#[function_component(Topic)]
pub(super) fn topic(props: &TopicProps) -> Html {
    let Some(topic) = &props.view.topic else {
        return html! {
            <p class="empty">{ "There is no topic yet. The command under the prompt makes one." }</p>
        };
    };
    let open = props
        .record
        .as_ref()
        .map(|record| &record.address)
        .filter(|address| address.topic == topic.name);
    html! {
        <>
            <div class="partitions">
                { for topic.partitions.iter().map(|place| partition(props, &topic.name, place, open)) }
            </div>
            if let Some(record) = &props.record {
                <Record record={Rc::clone(record)} on_action={props.on_action.clone()} />
            }
        </>
    }
}

fn partition(
    props: &TopicProps,
    topic: &str,
    place: &PartitionPlace,
    open: Option<&RecordAddress>,
) -> Html {
    let name = format!("{topic}-{}", place.partition);
    let leader = place.leader.as_ref();
    let label = format!(
        "partition {name}, {}, end offset {}",
        leader.map_or_else(
            || "no leader".to_owned(),
            |leader| format!("leader {}", leader.host)
        ),
        place.log_end_offset
    );
    let shown_to = place
        .cells
        .last()
        .map_or(place.first_shown, |cell| cell.offset + 1);
    let all_shown = place.first_shown <= place.log_start_offset && shown_to >= place.log_end_offset;
    let compacted = place.cells.windows(2).any(|pair| match pair {
        [a, b] => a.offset + 1 != b.offset,
        _ => false,
    });
    html! {
        <div class="partition" key={place.partition} role="group" tabindex="0" aria-label={label}>
            <div class="partition-head">
                <b>{ name }</b>
                {
                    match leader {
                        Some(leader) => html! { <span class="led-by">{ swatch(leader.id) }{ &leader.host }</span> },
                        None => html! { <span class="led-by bad">{ "no leader" }</span> },
                    }
                }
                <span class="extent">{ extent(place) }</span>
                if compacted { <span class="extent">{ "compacted" }</span> }
            </div>
            <div class="log">
                <div class={classes!("log-cells", (!place.flags.is_empty()).then_some("flagged"))}>
                    if place.first_shown > place.log_start_offset { <span class="earlier">{ "…" }</span> }
                    { for place.cells.iter().map(|cell| slot(props, topic, place, cell, open)) }
                    if shown_to >= place.log_end_offset {
                        { end_slot(place) }
                    } else {
                        <span class="earlier">{ "…" }</span>
                    }
                </div>
                if !all_shown { <div class="log-foot">{ window(props, place) }</div> }
            </div>
        </div>
    }
}

fn slot(
    props: &TopicProps,
    topic: &str,
    place: &PartitionPlace,
    cell: &CellView,
    open: Option<&RecordAddress>,
) -> Html {
    let selected = open.is_some_and(|address| {
        address.partition == place.partition && address.offset == cell.offset
    });
    let pending = cell.offset >= place.high_watermark;
    html! {
        <div class="slot" key={cell.offset.to_string()}>
            { watermark(place, cell.offset) }
            <button
                class={classes!(cell_classes(cell), selected.then_some("selected"), pending.then_some("pending"))}
                aria-label={cell_name(topic, place.partition, cell)}
                aria-pressed={selected.to_string()}
                onclick={open_record(&props.on_action, topic, place.partition, cell.offset)}
            >{ &cell.label }</button>
            <span class="offset">{ cell.offset }</span>
            { flags(place, cell.offset) }
        </div>
    }
}

/// The room behind the last record: the high watermark and flags may stand there.
fn end_slot(place: &PartitionPlace) -> Html {
    html! {
        <div class="slot end" key="end">
            { watermark(place, place.log_end_offset) }
            <span class="cell next-cell" aria-hidden="true"></span>
            <span class="offset">{ place.log_end_offset }</span>
            { flags(place, place.log_end_offset) }
        </div>
    }
}

/// The high watermark; its words stand where there is room.
fn watermark(place: &PartitionPlace, offset: i64) -> Html {
    if offset != place.high_watermark {
        return html! {};
    }
    let to_the_left = offset - place.first_shown > 3;
    html! { <span class={classes!("high-watermark", to_the_left.then_some("left"))}><span>{ format!("high watermark {offset}") }</span></span> }
}

fn flags(place: &PartitionPlace, offset: i64) -> Html {
    let here: Vec<_> = place
        .flags
        .iter()
        .filter(|flag| flag.offset == offset)
        .collect();
    if here.is_empty() {
        return html! {};
    }
    html! {
        <span class="flags">
            { for here.iter().map(|flag| {
                let hue = flag.group.bytes().fold(0u32, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % 3 + 1;
                html! { <span class={classes!("flag", format!("broker-{hue}"))} title={format!("group {} reads offset {} next", flag.group, flag.offset)}>{ &flag.group }</span> }
            }) }
        </span>
    }
}

/// Moves the window over a log that is longer than its row.
fn window(props: &TopicProps, place: &PartitionPlace) -> Html {
    let partition = place.partition;
    let count = i64::try_from(place.cells.len()).unwrap_or(1).max(1);
    let last = (place.log_end_offset - count).max(place.log_start_offset);
    let go = |to: Option<i64>| {
        props
            .on_action
            .reform(move |_: MouseEvent| StageAction::Window(partition, to))
    };
    let slide = props.on_action.reform(move |event: InputEvent| {
        let value = event
            .target()
            .and_then(|target| target.dyn_into::<web_sys::HtmlInputElement>().ok())
            .and_then(|input| input.value().parse::<i64>().ok())
            .unwrap_or(0);
        StageAction::Window(partition, Some(value))
    });
    let back = (place.first_shown - count).max(place.log_start_offset);
    let forth = place.first_shown + count;
    html! {
        <span class="window">
            <button class="link" aria-label={format!("earlier records of partition {partition}")} onclick={go(Some(back))}>{ "◂" }</button>
            <input
                type="range"
                aria-label={format!("first offset shown of partition {partition}")}
                min={place.log_start_offset.to_string()}
                max={last.to_string()}
                value={place.first_shown.to_string()}
                oninput={slide}
            />
            <button class="link" aria-label={format!("later records of partition {partition}")} onclick={go((forth < last).then_some(forth))}>{ "▸" }</button>
            <button class="link" onclick={go(None)}>{ "end" }</button>
        </span>
    }
}

/// Where the log starts and ends, and what it takes on disk.
fn extent(place: &PartitionPlace) -> String {
    let size = format::bytes(place.size_bytes);
    if place.log_start_offset > 0 {
        format!(
            "{}–{} · {size}",
            place.log_start_offset, place.log_end_offset
        )
    } else {
        format!("end {} · {size}", place.log_end_offset)
    }
}
