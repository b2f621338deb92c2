//! The picture of the running cluster: places that a person moves through, drawn from the [`View`]
//! alone.

mod cluster;
mod groups;
mod parts;
mod record;
mod topic;
mod wire;

use std::rc::Rc;

use playground_console::view::{
    RecordAddress, RecordView, Sentence, Tone, View, WireFilter, WireRequest,
};
use yew::{Callback, Html, MouseEvent, Properties, function_component, html};

use cluster::Cluster;
use groups::Groups;
use topic::Topic;
use wire::Wire;

/// Where in the picture a person is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The brokers.
    Cluster,
    /// A topic's partitions.
    Topic,
    /// The groups.
    Groups,
}

/// What a person did in the picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StageAction {
    /// Go there.
    Go(Place),
    /// Show this topic.
    Topic(String),
    /// Show this group.
    Group(String),
    /// Open this record.
    Record(RecordAddress),
    /// Close it.
    CloseRecord,
    /// Show a partition from this offset on; none follows its end.
    Window(i32, Option<i64>),
    /// Show internal topics too.
    Internal(bool),
    /// Open or close the wire.
    WireOpen(bool),
    /// Which frames.
    WireFilter(WireFilter),
    /// Type this command.
    Run(String),
}

/// What the picture is drawn from.
#[derive(PartialEq, Properties)]
pub struct StageProps {
    /// Everything.
    pub view: Rc<View>,
    /// The record that is open.
    pub record: Option<Rc<RecordView>>,
    /// Where.
    pub place: Place,
    /// The group that is shown.
    pub group: Option<String>,
    /// Which frames were asked for.
    pub wire: WireRequest,
    /// The wire is open.
    pub wire_open: bool,
    /// Internal topics are shown.
    pub show_internal: bool,
    /// When the session began, virtual ms since 1970.
    pub start_ms: i64,
    /// What a person does.
    pub on_action: Callback<StageAction>,
}

/// See the module.
#[function_component(Stage)]
pub fn stage(props: &StageProps) -> Html {
    let view = &props.view;
    let act = |action: StageAction| props.on_action.reform(move |_: MouseEvent| action.clone());
    let topic = view.topic.as_ref().map(|topic| topic.name.clone());
    let group = props
        .group
        .clone()
        .filter(|group| view.groups.iter().any(|known| known.group_id == *group))
        .or_else(|| view.groups.first().map(|group| group.group_id.clone()));
    let place = |place: Place, name: String| {
        let here = props.place == place;
        html! {
            <button class={yew::classes!("place-name", here.then_some("here"))} aria-current={here.then_some("page")} onclick={act(StageAction::Go(place))}>{ name }</button>
        }
    };
    let named = |at: Place, word: &str, name: &Option<String>| match name {
        Some(name) if props.place == at => format!("{word} {name}"),
        _ => word.to_owned(),
    };
    html! {
        <section class={yew::classes!("stage", props.wire_open.then_some("wire-open"))} role="region" aria-label="Cluster">
            <nav class="places" aria-label="Places">
                <div class="place-names">
                    { place(Place::Cluster, "Cluster".to_owned()) }
                    { place(Place::Topic, named(Place::Topic, "Topic", &topic)) }
                    { place(Place::Groups, if props.place == Place::Groups && group.is_some() { named(Place::Groups, "Group", &group) } else { "Groups".to_owned() }) }
                </div>
                <div class="pills">{ pills(props, topic.as_deref(), group.as_deref()) }</div>
            </nav>
            <div class="place">
                {
                    match props.place {
                        Place::Cluster => html! { <Cluster view={Rc::clone(view)} topic={topic} on_action={props.on_action.clone()} /> },
                        Place::Topic => html! { <Topic view={Rc::clone(view)} record={props.record.clone()} on_action={props.on_action.clone()} /> },
                        Place::Groups => html! { <Groups view={Rc::clone(view)} {group} on_action={props.on_action.clone()} /> },
                    }
                }
                if props.place != Place::Topic || props.record.is_none() {
                    { story(&view.events) }
                }
            </div>
            <Wire
                view={Rc::clone(view)}
                wire={props.wire.clone()}
                open={props.wire_open}
                start_ms={props.start_ms}
                on_action={props.on_action.clone()}
            />
        </section>
    }
}

fn pills(props: &StageProps, topic: Option<&str>, group: Option<&str>) -> Html {
    let pill = |name: &str, selected: bool, action: StageAction| {
        html! {
            <button class={yew::classes!("pill", selected.then_some("selected"))} aria-pressed={selected.to_string()} onclick={props.on_action.reform(move |_: MouseEvent| action.clone())}>{ name.to_owned() }</button>
        }
    };
    if props.place == Place::Groups {
        return html! {
            { for props.view.groups.iter().map(|known| pill(&known.group_id, group == Some(&known.group_id), StageAction::Group(known.group_id.clone()))) }
        };
    }
    let internal = props.view.topics.iter().any(|topic| topic.internal);
    html! {
        <>
            { for props.view.topics.iter()
                .filter(|known| !known.internal || props.show_internal)
                .map(|known| pill(&known.name, props.place == Place::Topic && topic == Some(&known.name), StageAction::Topic(known.name.clone()))) }
            if internal {
                { pill(if props.show_internal { "− internal" } else { "+ internal" }, false, StageAction::Internal(!props.show_internal)) }
            }
        </>
    }
}

fn story(events: &[Sentence]) -> Html {
    if events.is_empty() {
        return html! {};
    }
    html! {
        <section class="card story" aria-label="What just happened">
            <h2>{ "What just happened" }</h2>
            <ul>
                { for events.iter().map(|sentence| {
                    let (tone, word) = match sentence.tone {
                        Tone::Plain => ("plain", ""),
                        Tone::Good => ("good", "done: "),
                        Tone::Waiting => ("waiting", "waiting: "),
                        Tone::Bad => ("bad", "trouble: "),
                    };
                    html! { <li><span class={yew::classes!("dot", tone)} aria-hidden="true"></span><span class="unseen">{ word }</span>{ &sentence.text }</li> }
                }) }
            </ul>
        </section>
    }
}
