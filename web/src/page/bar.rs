//! The bar on top: name, cluster, virtual time, what is kept, theme.

use playground_console::view::{BrokerState, View};
use yew::{Callback, Html, MouseEvent, Properties, function_component, html};

use super::format;
use crate::protocol::{Clock, Kept, KeptState};

/// Speeds that the button goes through, thousandths.
const SPEEDS: [(u32, &str); 4] = [
    (1_000, "1×"),
    (10_000, "10×"),
    (60_000, "60×"),
    (100, "0.1×"),
];

/// What a person did in the bar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BarAction {
    /// Let time go on, or stop it.
    Toggle,
    /// One event.
    Step,
    /// The next speed, thousandths.
    Speed(u32),
    /// Light or dark.
    Theme,
    /// Ask whether to start over.
    StartOver,
}

/// What the bar shows.
#[derive(PartialEq, Properties)]
pub struct BarProps {
    /// The brokers.
    pub view: std::rc::Rc<View>,
    /// How time goes.
    pub clock: Clock,
    /// How keeping goes.
    pub kept: Kept,
    /// Pending has lasted long enough to be shown.
    pub kept_slow: bool,
    /// What a person does.
    pub on_action: Callback<BarAction>,
}

/// The bar.
#[function_component(Bar)]
pub fn bar(props: &BarProps) -> Html {
    let act = |action: BarAction| props.on_action.reform(move |_: MouseEvent| action);
    let clock = props.clock;
    let speed_at = SPEEDS
        .iter()
        .position(|(permille, _)| *permille == clock.permille)
        .unwrap_or(0);
    let speed = SPEEDS[speed_at].1;
    let next = SPEEDS[(speed_at + 1) % SPEEDS.len()].0;
    let toggle = if clock.running {
        "Pause virtual time"
    } else {
        "Let virtual time go on"
    };
    html! {
        <header class="bar">
            <div class="brand">
                <svg class="logo" viewBox="0 0 20 20" width="20" height="20" aria-hidden="true">
                    <rect class="logo-1" x="2" y="2" width="11" height="4" rx="2" />
                    <rect class="logo-2" x="2" y="8" width="16" height="4" rx="2" />
                    <rect class="logo-3" x="2" y="14" width="8" height="4" rx="2" />
                </svg>
                <h1>{ "Broker Playground" }</h1>
                <span class="summary">{ summary(&props.view) }</span>
            </div>
            <div class="time">
                <span class="clock" role="timer" aria-label="Virtual time">{ format::clock(clock.elapsed_ms) }</span>
                <div class="controls" role="group" aria-label="Virtual time controls">
                    <button class={yew::classes!("control", clock.running.then_some("on"))} onclick={act(BarAction::Toggle)} aria-label={toggle} title={toggle}>
                        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true">
                            if clock.running {
                                <path d="M3 2.5v11h3.4v-11zM9.6 2.5v11H13v-11z" />
                            } else {
                                <path d="M3.5 2l10 6-10 6z" />
                            }
                        </svg>
                    </button>
                    <button class="control step" onclick={act(BarAction::Step)} aria-label="One event" title="Stop, and let one event happen">
                        <svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true"><path d="M2 7h6V3.6L13 8l-5 4.4V9H2zM13.4 3.5H15v9h-1.6z" /></svg>
                    </button>
                    <button class="control speed" onclick={act(BarAction::Speed(next))} aria-label={format!("Speed {speed}")} title="Speed of virtual time">{ speed }</button>
                </div>
            </div>
            <div class="side">
                { kept(&props.kept, props.kept_slow) }
                <button class="plain start-over" onclick={act(BarAction::StartOver)}>{ "Start over" }</button>
                <button class="plain theme" onclick={act(BarAction::Theme)} aria-label="Light or dark" title="Light or dark">
                    <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
                        <circle cx="8" cy="8" r="6.2" class="ring" /><path d="M8 1.8a6.2 6.2 0 0 1 0 12.4z" />
                    </svg>
                </button>
            </div>
        </header>
    }
}

fn summary(view: &View) -> Html {
    let up = view
        .brokers
        .iter()
        .filter(|broker| broker.state != BrokerState::Down)
        .count();
    let all = view.brokers.len();
    if all == 0 {
        return html! { { "starting" } };
    }
    let brokers = match (up, all) {
        (1, 1) => "1 broker".to_owned(),
        (up, all) if up == all => format!("{all} brokers"),
        (up, all) => format!("{up} of {all} brokers"),
    };
    match view.brokers.iter().find(|broker| broker.controller) {
        Some(broker) => html! {
            <>{ brokers }{ " · controller " }<b>{ &broker.host }</b></>
        },
        None => html! { { format!("{brokers} · no controller") } },
    }
}

fn kept(kept: &Kept, slow: bool) -> Html {
    let (class, text) = match kept.state {
        KeptState::Memory => ("bad", "in memory only"),
        KeptState::Pending if slow => ("waiting", "keeping…"),
        _ => ("good", "all kept"),
    };
    let title = match &kept.message {
        Some(message) => message.clone(),
        None => format!(
            "{} kept in this browser, {} on their way",
            format::bytes(kept.kept_bytes),
            format::bytes(kept.pending_bytes)
        ),
    };
    html! {
        <span class={yew::classes!("kept", class)} role="status" title={title}>
            <span class="dot" aria-hidden="true"></span>{ text }
        </span>
    }
}
