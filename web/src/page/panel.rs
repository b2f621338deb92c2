//! Panels that stand instead of the page or before it.

use yew::{Callback, Html, MouseEvent, Properties, function_component, html};

/// A calm panel over the whole page.
#[derive(PartialEq, Properties)]
pub struct PanelProps {
    /// The headline.
    pub title: String,
    /// What it is about.
    pub text: String,
    /// The button.
    pub action: String,
    /// What the button does.
    pub on_action: Callback<MouseEvent>,
}

/// See [`PanelProps`].
#[function_component(Panel)]
pub fn panel(props: &PanelProps) -> Html {
    html! {
        <main class="panel-page">
            <div class="panel" role="alert">
                <h1>{ &props.title }</h1>
                <p>{ &props.text }</p>
                <button class="button" onclick={props.on_action.clone()}>{ &props.action }</button>
            </div>
        </main>
    }
}

/// A question before something that cannot be undone.
#[derive(PartialEq, Properties)]
pub struct QuestionProps {
    /// No.
    pub on_cancel: Callback<()>,
    /// Yes.
    pub on_confirm: Callback<()>,
}

/// Asks before starting over.
#[function_component(StartOverQuestion)]
pub fn start_over_question(props: &QuestionProps) -> Html {
    let cancel = yew::use_node_ref();
    {
        let cancel = cancel.clone();
        yew::use_effect_with((), move |()| {
            if let Some(button) = cancel.cast::<web_sys::HtmlElement>() {
                let _ = button.focus();
            }
        });
    }
    let on_cancel = props.on_cancel.reform(|_: MouseEvent| ());
    let on_confirm = props.on_confirm.reform(|_: MouseEvent| ());
    let escape = props.on_cancel.clone();
    let onkeydown = Callback::from(move |event: yew::KeyboardEvent| {
        if event.key() == "Escape" {
            escape.emit(());
        }
    });
    html! {
        <div class="veil" {onkeydown}>
            <div class="panel" role="alertdialog" aria-modal="true" aria-labelledby="start-over-title" aria-describedby="start-over-text">
                <h1 id="start-over-title">{ "Start over?" }</h1>
                <p id="start-over-text">
                    { "Every topic, every record and every file in this browser is deleted, and a new cluster starts. This cannot be undone." }
                </p>
                <div class="panel-buttons">
                    <button class="button" ref={cancel} onclick={on_cancel}>{ "Keep everything" }</button>
                    <button class="button danger" onclick={on_confirm}>{ "Delete and start over" }</button>
                </div>
            </div>
        </div>
    }
}
