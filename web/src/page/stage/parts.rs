//! What several places draw: brokers' hues, cells.

use playground_console::view::{CellKind, CellView, RecordAddress};
use yew::{Callback, Classes, Html, MouseEvent, classes, html};

use super::StageAction;

/// The class that gives a broker its hue. Further brokers continue the scale.
pub(super) fn broker_hue(id: i32) -> String {
    format!("broker-{}", (id.max(1) - 1) % 9 + 1)
}

/// The class of a cell by its key.
pub(super) fn cell_classes(cell: &CellView) -> Classes {
    let hue = cell.hue.map(|hue| format!("key-{hue}"));
    let kind = match cell.kind {
        CellKind::Data => None,
        CellKind::Tombstone => Some("tombstone"),
        CellKind::Control => Some("control"),
    };
    classes!("cell", hue, kind, cell.hue.is_none().then_some("keyless"))
}

/// What a cell is, in words.
pub(super) fn cell_name(topic: &str, partition: i32, cell: &CellView) -> String {
    let what = match (cell.kind, cell.hue) {
        (CellKind::Control, _) => "a marker".to_owned(),
        (CellKind::Tombstone, _) => format!("key {}, no value", cell.label),
        (CellKind::Data, Some(_)) => format!("key {}", cell.label),
        (CellKind::Data, None) => format!("no key, value {}", cell.label),
    };
    format!("record {} of {topic}-{partition}, {what}", cell.offset)
}

/// Opens a cell's record.
pub(super) fn open_record(
    on_action: &Callback<StageAction>,
    topic: &str,
    partition: i32,
    offset: i64,
) -> Callback<MouseEvent> {
    let address = RecordAddress {
        topic: topic.to_owned(),
        partition,
        offset,
    };
    on_action.reform(move |_: MouseEvent| StageAction::Record(address.clone()))
}

/// A small square in a broker's hue.
pub(super) fn swatch(id: i32) -> Html {
    html! { <span class={classes!("swatch", broker_hue(id))} aria-hidden="true"></span> }
}
