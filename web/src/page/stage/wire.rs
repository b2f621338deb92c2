//! The frames that travelled: a quiet strip that opens upward.

use std::rc::Rc;

use playground_console::view::{FrameView, View, WireFilter, WireRequest};
use yew::{Callback, Html, MouseEvent, Properties, classes, function_component, html, use_state};

use super::StageAction;
use crate::page::format;

const FILTERS: [(WireFilter, &str); 5] = [
    (WireFilter::Clients, "clients"),
    (WireFilter::All, "all hosts"),
    (WireFilter::Produce, "Produce"),
    (WireFilter::Fetch, "Fetch"),
    (WireFilter::Groups, "groups"),
];

#[derive(PartialEq, Properties)]
pub(super) struct WireProps {
    pub(super) view: Rc<View>,
    pub(super) wire: WireRequest,
    pub(super) open: bool,
    pub(super) start_ms: i64,
    pub(super) on_action: Callback<StageAction>,
}

#[function_component(Wire)]
pub(super) fn wire(props: &WireProps) -> Html {
    let selected = use_state(|| None::<u64>);
    let act = |action: StageAction| props.on_action.reform(move |_: MouseEvent| action.clone());
    let frames = props.view.frames.iter().rev();
    html! {
        <section class="wire" aria-label="Wire">
            <header>
                <button class="wire-title" aria-expanded={props.open.to_string()} onclick={act(StageAction::WireOpen(!props.open))}>
                    <b>{ "Wire" }</b>
                    <svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true"><path d={if props.open { "M1 3l4 4 4-4z" } else { "M1 7l4-4 4 4z" }} /></svg>
                </button>
                <div class="pills" role="group" aria-label="Which frames">
                    { for FILTERS.into_iter().map(|(filter, name)| {
                        let on = props.wire.filter == filter;
                        html! { <button class={classes!("pill", on.then_some("selected"))} aria-pressed={on.to_string()} onclick={act(StageAction::WireFilter(filter))}>{ name }</button> }
                    }) }
                </div>
                <span class="second frame-count">{ format!("{} frames", format::count(props.view.frame_count)) }</span>
            </header>
            <div class="frames">
                { for frames.map(|frame| {
                    let on = *selected == Some(frame.id);
                    let (id, state) = (frame.id, selected.clone());
                    let choose = Callback::from(move |_: MouseEvent| state.set((!on).then_some(id)));
                    row(props, frame, on, choose)
                }) }
                if props.view.frames.is_empty() { <p class="third">{ "No frame of this kind yet." }</p> }
            </div>
        </section>
    }
}

fn row(props: &WireProps, frame: &FrameView, on: bool, choose: Callback<MouseEvent>) -> Html {
    let start_micros = u64::try_from(props.start_ms)
        .unwrap_or(0)
        .saturating_mul(1_000);
    let at = i64::try_from(frame.at_micros).unwrap_or(i64::MAX)
        - i64::try_from(start_micros).unwrap_or(0);
    let arrow = if frame.request { "→" } else { "←" };
    html! {
        <div key={frame.id.to_string()} class={classes!("frame", on.then_some("selected"))}>
            <button class="frame-row" aria-expanded={on.to_string()} onclick={choose}>
                <span class="at">{ format::short_clock(at) }</span>
                <span class="way">{ format!("{} {arrow} {}", frame.client.trim_start_matches("kafka-console-"), frame.server) }</span>
                <span class="api">{ &frame.api }</span>
                <span class="words">{ &frame.summary }</span>
                <span class="length">{ format::bytes(frame.length) }</span>
            </button>
            if on {
                <p class="why">
                    { format!("{}, correlation id {}", if frame.request { "request" } else { "response" }, frame.correlation_id) }
                    {
                        match &frame.command {
                            Some(command) => html! { <>{ ". It came from " }<code>{ command }</code></> },
                            None => html! { { ". No command led to it: a timer did, or the command is too long ago." } },
                        }
                    }
                </p>
            }
        </div>
    }
}
