//! One record: its parts, and the bytes that it is kept as.

use std::rc::Rc;

use playground_console::view::{Blob, FieldView, RecordView};
use yew::{
    Callback, Html, MouseEvent, Properties, classes, function_component, html, use_effect_with,
    use_node_ref, use_state,
};

use super::StageAction;
use crate::page::format;

/// Bytes of a field that are drawn; longer ones are cut.
const FIELD_BYTES_MAX: usize = 96;

#[derive(PartialEq, Properties)]
pub(super) struct RecordProps {
    pub(super) record: Rc<RecordView>,
    pub(super) on_action: Callback<StageAction>,
}

#[function_component(Record)]
pub(super) fn record(props: &RecordProps) -> Html {
    let selected = use_state(|| 0usize);
    let record = &props.record;
    let card = use_node_ref();
    {
        let card = card.clone();
        use_effect_with(record.address.clone(), move |_| {
            // The cell stays in sight above its card.
            let cell = card
                .cast::<web_sys::Element>()
                .and_then(|card| card.parent_element())
                .and_then(|place| place.query_selector(".cell.selected").ok().flatten());
            if let Some(cell) = cell {
                let options = web_sys::ScrollIntoViewOptions::new();
                options.set_block(web_sys::ScrollLogicalPosition::Nearest);
                cell.scroll_into_view_with_scroll_into_view_options(&options);
            }
        });
    }
    let place = format!("{}-{}", record.address.topic, record.address.partition);
    let dump = format!(
        "kafka-console-consumer --bootstrap-server localhost:9092 --topic {} --partition {} --offset {} --max-messages 1 --property print.key=true --property print.timestamp=true",
        record.address.topic, record.address.partition, record.address.offset
    );
    let headers = if record.headers.is_empty() {
        "none".to_owned()
    } else {
        record
            .headers
            .iter()
            .map(|(name, value)| format!("{name} = {value}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let row = |name: &str, value: String, note: String| {
        html! { <><dt>{ name.to_owned() }</dt><dd>{ value }</dd><dd class="note">{ note }</dd></> }
    };
    html! {
        <section ref={card} class="card record" aria-label={format!("Record {} of {place}", record.address.offset)}>
            <header>
                <h2>{ format!("Record {} of {place}", record.address.offset) }</h2>
                <div>
                    <button class="link" title={dump.clone()} onclick={props.on_action.reform(move |_: MouseEvent| StageAction::Run(dump.clone()))}>{ "read it with the console consumer ▸" }</button>
                    <button class="link" aria-label="Close the record" onclick={props.on_action.reform(|_: MouseEvent| StageAction::CloseRecord)}>{ "×" }</button>
                </div>
            </header>
            <div class="record-parts">
                <dl>
                    { row("key", blob(&record.key), key_note(record)) }
                    { row("value", blob(&record.value), size(&record.value, "null: a tombstone")) }
                    { row("timestamp", format::timestamp(record.timestamp_ms), format!("{} {}", record.timestamp_type, record.timestamp_ms)) }
                    { row("headers", headers, count(record.headers.len(), "header")) }
                    { row("batch", batch(record), batch_note(record)) }
                    { row("on disk", record.file.clone(), disk_note(record)) }
                </dl>
                { bytes(record, *selected, &Callback::from({ let selected = selected.clone(); move |index| selected.set(index) })) }
            </div>
            if record.key.is_some() {
                <p>{ format!("Same key, same partition: every record with this key is in {place}, in the order it was sent.") }</p>
            } else {
                <p>{ "Without a key, the producer fills one partition's batch, then goes on to another." }</p>
            }
        </section>
    }
}

fn blob(blob: &Option<Blob>) -> String {
    blob.as_ref()
        .map_or_else(|| "null".to_owned(), |blob| blob.text.clone())
}

fn count(number: usize, what: &str) -> String {
    if number == 1 {
        format!("1 {what}")
    } else {
        format!("{number} {what}s")
    }
}

fn size(blob: &Option<Blob>, null: &str) -> String {
    match blob {
        Some(blob) => format!(
            "{}, exactly as sent",
            count(usize::try_from(blob.length).unwrap_or(usize::MAX), "byte")
        ),
        None => null.to_owned(),
    }
}

fn key_note(record: &RecordView) -> String {
    match record.murmur {
        Some((hash, partition, partitions)) => {
            let own = if partition == record.address.partition {
                format!("partition {partition}")
            } else {
                format!(
                    "{partition}; the producer chose {} itself",
                    record.address.partition
                )
            };
            format!("murmur2 0x{hash:08x} mod {partitions} → {own}")
        }
        None => "no key".to_owned(),
    }
}

fn batch(record: &RecordView) -> String {
    if record.batch_first == record.batch_last {
        format!("offset {}", record.batch_first)
    } else {
        format!("offsets {}–{}", record.batch_first, record.batch_last)
    }
}

fn batch_note(record: &RecordView) -> String {
    if record.producer_id < 0 {
        return record.codec.clone();
    }
    format!(
        "{}, producer {}, sequence {}",
        record.codec, record.producer_id, record.sequence
    )
}

fn disk_note(record: &RecordView) -> String {
    if record.position < 0 {
        return format!("batch of {}", format::bytes(record.batch_bytes));
    }
    format!(
        "position {}, batch of {}",
        record.position,
        format::bytes(record.batch_bytes)
    )
}

/// The batch's bytes, each field a button that says what it is.
fn bytes(record: &RecordView, selected: usize, select: &Callback<usize>) -> Html {
    let field = record
        .fields
        .get(selected)
        .or_else(|| record.fields.first());
    html! {
        <div class="bytes">
            <div class="hex" role="group" aria-label="Bytes of the batch, field by field">
                { for record.fields.iter().enumerate().map(|(index, field)| {
                    let go = select.clone();
                    let enter = select.clone();
                    html! {
                        <button
                            class={classes!("field", (index == selected).then_some("selected"))}
                            aria-label={field_words(field)}
                            onclick={Callback::from(move |_: MouseEvent| go.emit(index))}
                            onfocus={Callback::from(move |_: yew::FocusEvent| enter.emit(index))}
                        >{ hex(record, field) }</button>
                    }
                }) }
            </div>
            if let Some(field) = field { <p class="field-words">{ field_words(field) }</p> }
        </div>
    }
}

fn field_words(field: &FieldView) -> String {
    format!("{}, {}: {}", field.name, field.kind, field.value)
}

fn hex(record: &RecordView, field: &FieldView) -> String {
    let bytes = record
        .bytes
        .get(field.from as usize..field.to as usize)
        .unwrap_or_default();
    let mut text = bytes
        .iter()
        .take(FIELD_BYTES_MAX)
        .map(|byte| format!("{byte:02x}"))
        .collect::<Vec<_>>()
        .join(" ");
    if bytes.len() > FIELD_BYTES_MAX {
        text.push_str(" …");
    }
    text
}
