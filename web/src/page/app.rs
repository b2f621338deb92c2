//! The page's state, and how messages change it.

use std::cell::RefCell;
use std::rc::Rc;

use gloo::events::EventListener;
use gloo::timers::callback::Timeout;
use playground_console::view::{
    RecordAddress, RecordView, View, ViewRequest, WireFilter, WireRequest,
};
use yew::{Callback, Component, Context, Html, MouseEvent, html};

use super::bar::{Bar, BarAction};
use super::bridge::Bridge;
use super::panel::{Panel, StartOverQuestion};
use super::stage::{Place, Stage, StageAction};
use super::terminal::{CompletionAnswer, Pane, PaneAction, PaneKey, Poke, Screen};
use super::{advice, dom};
use crate::protocol::{Clock, FromWorker, Kept, KeptState, ToWorker};

/// Keeping that takes longer than this is shown, ms.
const KEPT_SLOW_MS: u32 = 400;

/// Frames asked for while the wire is closed, and while it is open.
const FRAMES_CLOSED: u32 = 4;
const FRAMES_OPEN: u32 = 200;

/// Width of a cell in the picture of a topic, px.
const CELL_PX: f64 = 49.0;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Phase {
    Starting,
    Ready,
    OtherTab,
    Failed(String),
}

/// One tab.
struct Terminal {
    id: u32,
    host: String,
    screen: Rc<RefCell<Screen>>,
    version: u64,
    completion: Option<CompletionAnswer>,
    poke: Poke,
    /// Output came while another tab was shown.
    unseen: bool,
}

/// What happens to the page.
pub enum Message {
    /// The worker says something.
    Worker(FromWorker),
    /// In a terminal.
    Pane(u32, PaneAction),
    /// In the picture.
    Stage(StageAction),
    /// In the bar.
    Bar(BarAction),
    /// Show this terminal.
    Select(usize),
    /// Open another one here.
    Open(String),
    /// Close this one.
    Close(usize),
    /// Show or hide the list of hosts.
    Hosts(bool),
    /// A key of the row of keys.
    Key(PaneKey),
    /// Keeping takes long.
    KeptSlow,
    /// Start over: yes or no.
    StartOver(bool),
    /// Try again.
    Retry,
    /// The window's size.
    Resized,
}

/// The page.
pub struct App {
    bridge: Option<Bridge>,
    phase: Phase,
    clock: Clock,
    kept: Kept,
    kept_slow: bool,
    kept_timer: Option<Timeout>,
    view: Rc<View>,
    record: Option<Rc<RecordView>>,
    request: ViewRequest,
    place: Place,
    group: Option<String>,
    terminals: Vec<Terminal>,
    active: usize,
    next_terminal: u32,
    choosing_host: bool,
    asking: bool,
    _on_resize: EventListener,
}

impl Component for App {
    type Message = Message;
    type Properties = ();

    fn create(context: &Context<Self>) -> Self {
        dom::restore_theme();
        dom::hook("engine", "starting");
        dom::hook("kept", "pending");
        let link = context.link().clone();
        let on_resize = EventListener::new(&gloo::utils::window(), "resize", move |_| {
            link.send_message(Message::Resized);
        });
        let mut app = App {
            bridge: None,
            phase: Phase::Starting,
            clock: Clock {
                running: true,
                permille: 1_000,
                ..Clock::default()
            },
            kept: Kept::default(),
            kept_slow: false,
            kept_timer: None,
            view: Rc::default(),
            record: None,
            request: ViewRequest {
                cells: cells(),
                wire: WireRequest {
                    limit: FRAMES_CLOSED,
                    filter: WireFilter::Clients,
                },
                ..ViewRequest::default()
            },
            place: Place::Cluster,
            group: None,
            terminals: Vec::new(),
            active: 0,
            next_terminal: 1,
            choosing_host: false,
            asking: false,
            _on_resize: on_resize,
        };
        app.start(context);
        app
    }

    fn update(&mut self, context: &Context<Self>, message: Message) -> bool {
        match message {
            Message::Worker(message) => return self.receive(context, message),
            Message::Pane(terminal, action) => return self.pane(terminal, action),
            Message::Stage(action) => self.stage(action),
            Message::Bar(action) => self.bar(action),
            Message::Select(index) => {
                self.active = index.min(self.terminals.len().saturating_sub(1));
                if let Some(terminal) = self.terminals.get_mut(self.active) {
                    terminal.unseen = false;
                    terminal.poke.next(PaneKey::Focus);
                }
            }
            Message::Open(host) => {
                self.choosing_host = false;
                self.open(host);
            }
            Message::Close(index) => self.close(index),
            Message::Hosts(shown) => self.choosing_host = shown,
            Message::Key(key) => {
                if let Some(terminal) = self.terminals.get_mut(self.active) {
                    terminal.poke.next(key);
                }
            }
            Message::KeptSlow => self.kept_slow = true,
            Message::StartOver(yes) => {
                self.asking = false;
                if yes {
                    self.send(&ToWorker::StartOver);
                } else if let Some(terminal) = self.terminals.get_mut(self.active) {
                    terminal.poke.next(PaneKey::Focus);
                }
            }
            Message::Retry => self.start(context),
            Message::Resized => {
                let cells = cells();
                if cells == self.request.cells {
                    return false;
                }
                self.request.cells = cells;
                self.see();
            }
        }
        true
    }

    fn view(&self, context: &Context<Self>) -> Html {
        let link = context.link();
        match &self.phase {
            Phase::OtherTab => {
                return html! {
                    <Panel
                        title="The cluster is open in another tab"
                        text="One browser keeps one cluster, and one tab runs it. Go on there; or close that tab and take the cluster over here. Nothing was touched."
                        action="Try again"
                        on_action={link.callback(|_: MouseEvent| Message::Retry)}
                    />
                };
            }
            Phase::Failed(message) => {
                return html! {
                    <Panel
                        title="The engine does not run"
                        text={message.clone()}
                        action="Load the page again"
                        on_action={link.callback(|_: MouseEvent| { dom::reload(); Message::Resized })}
                    />
                };
            }
            Phase::Starting | Phase::Ready => {}
        }
        let keys = [
            ("Tab", PaneKey::Tab),
            ("↑", PaneKey::Up),
            ("↓", PaneKey::Down),
            ("Ctrl-C", PaneKey::Interrupt),
            ("Ctrl-D", PaneKey::EndOfFile),
            ("|", PaneKey::Insert("|")),
            ("--", PaneKey::Insert("--")),
            ("\\", PaneKey::Insert("\\")),
            (">", PaneKey::Insert(">")),
        ];
        html! {
            <div class="app">
                <Bar
                    view={Rc::clone(&self.view)}
                    clock={self.clock}
                    kept={self.kept.clone()}
                    kept_slow={self.kept_slow}
                    on_action={link.callback(Message::Bar)}
                />
                { self.notice(context) }
                <main class="halves">
                    <section class="terminals" aria-label="Terminals">
                        { self.tabs(context) }
                        { for self.terminals.iter().enumerate().map(|(index, terminal)| self.terminal(context, index, terminal)) }
                        <div class="keys" role="group" aria-label="Keys">
                            { for keys.into_iter().map(|(label, key)| html! {
                                <button class="key" onmousedown={Callback::from(|event: MouseEvent| event.prevent_default())} onclick={link.callback(move |_: MouseEvent| Message::Key(key.clone()))}>{ label }</button>
                            }) }
                        </div>
                    </section>
                    <Stage
                        view={Rc::clone(&self.view)}
                        record={self.record.clone()}
                        place={self.place}
                        group={self.group.clone()}
                        wire={self.request.wire.clone()}
                        wire_open={self.request.wire.limit > FRAMES_CLOSED}
                        show_internal={self.request.show_internal}
                        start_ms={self.clock.start_ms}
                        on_action={link.callback(Message::Stage)}
                    />
                </main>
                if self.asking {
                    <StartOverQuestion
                        on_cancel={link.callback(|()| Message::StartOver(false))}
                        on_confirm={link.callback(|()| Message::StartOver(true))}
                    />
                }
            </div>
        }
    }
}

impl App {
    fn start(&mut self, context: &Context<Self>) {
        self.bridge = None;
        self.phase = Phase::Starting;
        self.terminals.clear();
        dom::hook("engine", "starting");
        match Bridge::start(context.link().callback(Message::Worker)) {
            Ok(bridge) => {
                self.bridge = Some(bridge);
                self.open("home".to_owned());
                self.see();
            }
            Err(_) => self.fail("This browser cannot start a module worker.".to_owned()),
        }
    }

    fn fail(&mut self, message: String) {
        dom::hook("engine", "failed");
        self.phase = Phase::Failed(message);
    }

    fn send(&self, message: &ToWorker) {
        if let Some(bridge) = &self.bridge {
            bridge.send(message);
        }
    }

    fn see(&self) {
        self.send(&ToWorker::See(self.request.clone()));
    }

    fn open(&mut self, host: String) {
        let id = self.next_terminal;
        self.next_terminal += 1;
        self.send(&ToWorker::OpenTerminal {
            terminal: id,
            host: host.clone(),
        });
        self.terminals.push(Terminal {
            id,
            host,
            screen: Rc::default(),
            version: 0,
            completion: None,
            poke: Poke::default(),
            unseen: false,
        });
        self.active = self.terminals.len() - 1;
        if let Some(terminal) = self.terminals.last_mut() {
            terminal.poke.next(PaneKey::Focus);
        }
    }

    fn close(&mut self, index: usize) {
        if self.terminals.len() < 2 || index >= self.terminals.len() {
            return;
        }
        let terminal = self.terminals.remove(index);
        self.send(&ToWorker::CloseTerminal {
            terminal: terminal.id,
        });
        if self.active >= index {
            self.active = self.active.saturating_sub(1);
        }
        if let Some(terminal) = self.terminals.get_mut(self.active) {
            terminal.unseen = false;
            terminal.poke.next(PaneKey::Focus);
        }
    }

    fn receive(&mut self, context: &Context<Self>, message: FromWorker) -> bool {
        match message {
            FromWorker::Listening => return false,
            FromWorker::Ready { .. } => {
                self.phase = Phase::Ready;
                dom::hook("engine", "ready");
            }
            FromWorker::OtherTab => {
                self.bridge = None;
                self.phase = Phase::OtherTab;
            }
            FromWorker::Output { terminal, text } => {
                let active = self.terminals.get(self.active).map(|terminal| terminal.id);
                let Some(of) = self.terminals.iter_mut().find(|known| known.id == terminal) else {
                    return false;
                };
                of.screen.borrow_mut().write(&text);
                of.version += 1;
                of.unseen |= active != Some(terminal);
            }
            FromWorker::Completion {
                ticket,
                start,
                candidates,
            } => {
                let Some(of) = self
                    .terminals
                    .iter_mut()
                    .find(|terminal| terminal.id == ticket >> 16)
                else {
                    return false;
                };
                of.completion = Some(CompletionAnswer {
                    ticket,
                    start: start as usize,
                    candidates,
                });
            }
            FromWorker::View(mut view) => {
                if let Some(record) = view.record.take() {
                    self.record = Some(Rc::new(record));
                }
                self.view = Rc::from(view);
            }
            FromWorker::Clock(clock) => self.clock = clock,
            FromWorker::Kept(kept) => {
                dom::hook(
                    "kept",
                    match kept.state {
                        KeptState::All => "all",
                        KeptState::Pending => "pending",
                        KeptState::Memory => "memory",
                    },
                );
                if kept.state != KeptState::Pending {
                    self.kept_timer = None;
                    self.kept_slow = false;
                } else if self.kept_timer.is_none() {
                    let link = context.link().clone();
                    self.kept_timer = Some(Timeout::new(KEPT_SLOW_MS, move || {
                        link.send_message(Message::KeptSlow);
                    }));
                }
                let shown = |kept: &Kept| (kept.state == KeptState::Memory, kept.message.clone());
                let redraw = shown(&kept) != shown(&self.kept);
                self.kept = kept;
                return redraw || self.kept_slow;
            }
            FromWorker::StartedOver => {
                self.bridge = None;
                dom::reload();
            }
            FromWorker::Failed { message } => self.fail(message),
        }
        true
    }

    fn pane(&mut self, terminal: u32, action: PaneAction) -> bool {
        match action {
            PaneAction::Line(text) => self.send(&ToWorker::Line { terminal, text }),
            PaneAction::Interrupt => self.send(&ToWorker::Interrupt { terminal }),
            PaneAction::EndOfFile => self.send(&ToWorker::EndOfFile { terminal }),
            PaneAction::Complete {
                line,
                cursor,
                ticket,
            } => self.send(&ToWorker::Complete {
                terminal,
                line,
                cursor: u32::try_from(cursor).unwrap_or(u32::MAX),
                ticket,
            }),
            PaneAction::Redraw => {
                if let Some(of) = self.terminals.iter_mut().find(|known| known.id == terminal) {
                    of.version += 1;
                }
                return true;
            }
        }
        false
    }

    fn stage(&mut self, action: StageAction) {
        match action {
            StageAction::Go(place) => self.place = place,
            StageAction::Topic(topic) => {
                if self.request.topic.as_ref() != Some(&topic) {
                    self.request.first_offsets.clear();
                    self.record = None;
                }
                self.request.topic = Some(topic);
                if self.place != Place::Topic {
                    self.place = Place::Topic;
                }
                self.see();
            }
            StageAction::Group(group) => {
                self.group = Some(group);
                self.place = Place::Groups;
            }
            StageAction::Record(address) => self.open_record(address),
            StageAction::CloseRecord => self.record = None,
            StageAction::Window(partition, first) => {
                match first {
                    Some(first) => self.request.first_offsets.insert(partition, first),
                    None => self.request.first_offsets.remove(&partition),
                };
                self.see();
            }
            StageAction::Internal(shown) => {
                self.request.show_internal = shown;
                self.see();
            }
            StageAction::WireOpen(open) => {
                self.request.wire.limit = if open { FRAMES_OPEN } else { FRAMES_CLOSED };
                self.see();
            }
            StageAction::WireFilter(filter) => {
                self.request.wire.filter = filter;
                self.see();
            }
            StageAction::Run(command) => {
                if let Some(terminal) = self.terminals.get_mut(self.active) {
                    terminal.poke.next(PaneKey::Run(command));
                }
            }
        }
    }

    fn open_record(&mut self, address: RecordAddress) {
        self.request.topic = Some(address.topic.clone());
        self.place = Place::Topic;
        self.request.record = Some(address);
        self.see();
        self.request.record = None;
    }

    fn bar(&mut self, action: BarAction) {
        match action {
            BarAction::Toggle if self.clock.running => self.send(&ToWorker::Pause),
            BarAction::Toggle => self.send(&ToWorker::Resume),
            BarAction::Step => self.send(&ToWorker::Step),
            BarAction::Speed(permille) => self.send(&ToWorker::SetSpeed { permille }),
            BarAction::Theme => dom::toggle_theme(),
            BarAction::StartOver => self.asking = true,
        }
    }

    /// What must not pass unseen: nothing more is kept.
    fn notice(&self, context: &Context<Self>) -> Html {
        let Some(message) = &self.kept.message else {
            return html! {};
        };
        html! {
            <div class="notice" role="alert">
                <span>{ message }</span>
                <button class="button" onclick={context.link().callback(|_: MouseEvent| { dom::reload(); Message::Resized })}>{ "Load what was kept" }</button>
            </div>
        }
    }

    fn tabs(&self, context: &Context<Self>) -> Html {
        let link = context.link();
        let hosts: Vec<String> = std::iter::once("home".to_owned())
            .chain(self.view.brokers.iter().map(|broker| broker.host.clone()))
            .collect();
        html! {
            <div class="tabs">
                <div class="tab-list" role="tablist" aria-label="Terminals">
                    { for self.terminals.iter().enumerate().map(|(index, terminal)| {
                        let selected = index == self.active;
                        html! {
                            <button
                                key={terminal.id}
                                class={yew::classes!("tab", selected.then_some("selected"))}
                                role="tab"
                                aria-selected={selected.to_string()}
                                onclick={link.callback(move |_: MouseEvent| Message::Select(index))}
                            >
                                if terminal.unseen { <span class="dot good" aria-label="new output"></span> }
                                { &terminal.host }
                            </button>
                        }
                    }) }
                </div>
                <button
                    class="tab add"
                    aria-label="Open another terminal"
                    aria-expanded={self.choosing_host.to_string()}
                    onclick={{ let shown = !self.choosing_host; link.callback(move |_: MouseEvent| Message::Hosts(shown)) }}
                >{ "+" }</button>
                if self.choosing_host {
                    <div class="hosts" role="group" aria-label="Open a terminal on">
                        { for hosts.into_iter().map(|host| {
                            let label = host.clone();
                            html! { <button class="pill" onclick={link.callback(move |_: MouseEvent| Message::Open(host.clone()))}>{ label }</button> }
                        }) }
                    </div>
                }
                if self.terminals.len() > 1 && !self.choosing_host {
                    <button class="tab close" aria-label="Close this terminal" onclick={{ let index = self.active; link.callback(move |_: MouseEvent| Message::Close(index)) }}>{ "×" }</button>
                }
            </div>
        }
    }

    fn terminal(&self, context: &Context<Self>, index: usize, terminal: &Terminal) -> Html {
        let id = terminal.id;
        let shown = index == self.active;
        let advice = shown
            .then(|| advice::advice(&self.view, terminal.screen.borrow().prompt()))
            .flatten();
        html! {
            <Pane
                key={id}
                {id}
                {shown}
                screen={Rc::clone(&terminal.screen)}
                version={terminal.version}
                completion={terminal.completion.clone()}
                poke={terminal.poke.clone()}
                {advice}
                on_action={context.link().callback(move |action| Message::Pane(id, action))}
            />
        }
    }
}

/// Cells that a partition's row has room for.
fn cells() -> u32 {
    let width = dom::width_px();
    let room = if width < 900.0 {
        width - 120.0
    } else {
        width * 0.59 - 262.0
    };
    (room / CELL_PX).clamp(4.0, 60.0) as u32
}
