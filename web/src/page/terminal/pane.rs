//! The pane of one terminal: a live log region, and a native text input behind the prompt.
//!
//! The input belongs to the browser: its text is never set while a person types, so input methods
//! compose in place. The pane reads it when a key asks for it.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use gloo::timers::callback::Timeout;
use web_sys::{ClipboardEvent, Element, HtmlTextAreaElement};
use yew::{
    Callback, Component, Context, Html, KeyboardEvent, MouseEvent, NodeRef, Properties,
    function_component, html,
};

use super::edit;
use super::history::History;
use super::screen::{Block, Line, Screen};
use crate::page::advice::Advice;
use crate::page::dom;

/// After a pasted command the next line waits this long for a prompt, ms; then it goes to whatever runs.
const PASTE_WAIT_MS: u32 = 5_000;

/// The same where nothing prompts: a program just reads.
const PASTE_WAIT_UNPROMPTED_MS: u32 = 50;

/// Candidates that are listed.
const CANDIDATES_MAX: usize = 100;

/// How near to its end a terminal stays there, px.
const STICK_PX: i32 = 40;

/// What a person did in a pane.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PaneAction {
    /// A line.
    Line(String),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    EndOfFile,
    /// Tab.
    Complete {
        /// The line.
        line: String,
        /// The cursor, bytes.
        cursor: usize,
        /// Comes back with the answer.
        ticket: u32,
    },
    /// The screen changed here.
    Redraw,
}

/// The engine's answer to Tab.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompletionAnswer {
    /// As asked.
    pub ticket: u32,
    /// Where the candidates start, bytes.
    pub start: usize,
    /// What could stand there.
    pub candidates: Vec<String>,
}

/// A key pressed outside the input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PaneKey {
    /// Put the cursor there.
    #[default]
    Focus,
    /// Tab.
    Tab,
    /// History back.
    Up,
    /// History forth.
    Down,
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D.
    EndOfFile,
    /// A character that phones lack.
    Insert(&'static str),
    /// Type this line.
    Run(String),
}

/// The last such key, and how many there were.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Poke {
    count: u64,
    key: PaneKey,
}

impl Poke {
    /// Another one.
    pub fn next(&mut self, key: PaneKey) {
        self.count += 1;
        self.key = key;
    }
}

/// What a pane is given.
#[derive(Clone, Properties)]
pub struct PaneProps {
    /// The terminal's number.
    pub id: u32,
    /// It is the one that is seen.
    pub shown: bool,
    /// What it shows.
    pub screen: Rc<RefCell<Screen>>,
    /// Changes with the screen.
    pub version: u64,
    /// The last answer to Tab.
    pub completion: Option<CompletionAnswer>,
    /// The last key from outside.
    pub poke: Poke,
    /// What to try next.
    pub advice: Option<Advice>,
    /// What a person does.
    pub on_action: Callback<PaneAction>,
}

impl PartialEq for PaneProps {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
            && self.shown == other.shown
            && self.version == other.version
            && self.completion == other.completion
            && self.poke == other.poke
            && self.advice == other.advice
    }
}

/// What happens to a pane.
pub enum Message {
    /// A key in the input.
    Key(KeyboardEvent),
    /// The input's text changed.
    Typed,
    /// Text was pasted.
    Paste(ClipboardEvent),
    /// A pasted line waited long enough.
    PasteTimeout,
    /// The log was scrolled.
    Scrolled,
    /// A candidate was clicked.
    Pick(String),
    /// A suggested command was clicked.
    Run(String),
    /// The ground was clicked.
    Focus,
}

/// An ongoing Ctrl-R.
struct Search {
    skip: usize,
    /// What stood in the input before.
    before: String,
}

/// See the module.
pub struct Pane {
    input: NodeRef,
    scroll: NodeRef,
    history: History,
    search: Option<Search>,
    found: Option<String>,
    candidates: Vec<String>,
    candidates_from: usize,
    ticket: u32,
    poke: u64,
    queue: VecDeque<String>,
    /// A pasted line was sent, and no prompt came since.
    awaiting: bool,
    timeout: Option<Timeout>,
    stick: bool,
    /// Escape was pressed: the next Tab moves on, as everywhere else.
    leaving: bool,
}

impl Component for Pane {
    type Message = Message;
    type Properties = PaneProps;

    fn create(context: &Context<Self>) -> Self {
        Pane {
            input: NodeRef::default(),
            scroll: NodeRef::default(),
            history: History::default(),
            search: None,
            found: None,
            candidates: Vec::new(),
            candidates_from: 0,
            ticket: context.props().id << 16,
            poke: 0,
            queue: VecDeque::new(),
            awaiting: false,
            timeout: None,
            stick: true,
            leaving: false,
        }
    }

    fn changed(&mut self, context: &Context<Self>, old: &PaneProps) -> bool {
        let props = context.props();
        if props.version != old.version {
            if self.awaiting && !props.screen.borrow().prompt().is_empty() {
                self.awaiting = false;
            }
            self.pump(context);
        }
        if props.completion != old.completion {
            self.completed(context);
        }
        true
    }

    fn rendered(&mut self, context: &Context<Self>, _first: bool) {
        let poke = &context.props().poke;
        if poke.count != self.poke && self.input.get().is_some() {
            self.poke = poke.count;
            let key = poke.key.clone();
            self.poked(context, key);
        }
        if self.stick
            && let Some(scroll) = self.scroll.cast::<Element>()
        {
            scroll.set_scroll_top(scroll.scroll_height());
        }
    }

    fn update(&mut self, context: &Context<Self>, message: Message) -> bool {
        match message {
            Message::Key(event) => self.key(context, &event),
            Message::Typed => {
                if let Some(search) = &mut self.search {
                    search.skip = 0;
                    self.find();
                    return true;
                }
                !std::mem::take(&mut self.candidates).is_empty()
            }
            Message::Paste(event) => {
                let text = event
                    .clipboard_data()
                    .and_then(|data| data.get_data("text/plain").ok())
                    .unwrap_or_default();
                let (lines, rest) = edit::pasted(&text);
                if lines.is_empty() {
                    return false;
                }
                event.prevent_default();
                self.paste(context, lines, &rest);
                true
            }
            Message::PasteTimeout => {
                self.awaiting = false;
                self.pump(context);
                false
            }
            Message::Scrolled => {
                if let Some(scroll) = self.scroll.cast::<Element>() {
                    let below =
                        scroll.scroll_height() - scroll.scroll_top() - scroll.client_height();
                    self.stick = below < STICK_PX;
                }
                false
            }
            Message::Pick(candidate) => {
                self.replace_word(&candidate);
                self.candidates.clear();
                self.focus();
                true
            }
            Message::Run(command) => {
                self.set(&command);
                self.submit(context);
                self.focus();
                true
            }
            Message::Focus => {
                if !dom::has_selection() {
                    self.focus();
                }
                false
            }
        }
    }

    fn view(&self, context: &Context<Self>) -> Html {
        let props = context.props();
        let link = context.link();
        let screen = props.screen.borrow();
        let prompt = match &self.search {
            Some(_) => match &self.found {
                Some(found) => format!("(search) {found} ⟵ "),
                None => "(search) ".to_owned(),
            },
            None => screen.prompt().to_owned(),
        };
        html! {
            <div class={yew::classes!("pane", (!props.shown).then_some("hidden"))} ref={self.scroll.clone()} onscroll={link.callback(|_| Message::Scrolled)} onclick={link.callback(|_: MouseEvent| Message::Focus)}>
                <div class="output" role="log" aria-label="Terminal output" aria-live="polite" tabindex="-1">
                    if screen.dropped() { <p class="dropped">{ "Older lines were dropped." }</p> }
                    { for screen.blocks().map(|block| html! {
                        <FullBlock key={block.number} block={SharedBlock(Rc::clone(block))} />
                    }) }
                    <pre class="block open">{ lines(screen.open_lines()) }</pre>
                </div>
                <div class="prompt-line">
                    <span class="prompt">{ prompt }</span>
                    <textarea
                        ref={self.input.clone()}
                        class="input"
                        rows="1"
                        aria-label="Terminal input"
                        autocomplete="off"
                        autocapitalize="off"
                        autocorrect="off"
                        spellcheck="false"
                        enterkeyhint="send"
                        onkeydown={link.callback(Message::Key)}
                        oninput={link.callback(|_| Message::Typed)}
                        onpaste={link.callback(|event: yew::Event| Message::Paste(event.unchecked_into_event()))}
                    />
                </div>
                if !self.candidates.is_empty() {
                    <div class="candidates" role="group" aria-label="Completions">
                        { for self.candidates.iter().take(CANDIDATES_MAX).map(|candidate| {
                            let picked = candidate.clone();
                            html! { <button class="candidate" onmousedown={keep_focus()} onclick={link.callback(move |event: MouseEvent| { event.stop_propagation(); Message::Pick(picked.clone()) })}>{ candidate }</button> }
                        }) }
                        if self.candidates.len() > CANDIDATES_MAX { <span class="third">{ format!("and {} more", self.candidates.len() - CANDIDATES_MAX) }</span> }
                    </div>
                } else if let Some(advice) = &props.advice {
                    <aside class="next" aria-label="Next">
                        <p><b>{ "Next " }</b>{ &advice.text }</p>
                        <div class="commands">
                            { for advice.commands.iter().map(|command| {
                                let run = command.clone();
                                html! { <button class="command" onmousedown={keep_focus()} onclick={link.callback(move |event: MouseEvent| { event.stop_propagation(); Message::Run(run.clone()) })}>{ command }</button> }
                            }) }
                        </div>
                    </aside>
                }
            </div>
        }
    }
}

/// A click that leaves the cursor where it is.
fn keep_focus() -> Callback<MouseEvent> {
    Callback::from(|event: MouseEvent| event.prevent_default())
}

/// Yew hands a paste on as a plain event.
trait AsClipboardEvent {
    fn unchecked_into_event(self) -> ClipboardEvent;
}

impl AsClipboardEvent for yew::Event {
    fn unchecked_into_event(self) -> ClipboardEvent {
        wasm_bindgen::JsCast::unchecked_into(self)
    }
}

impl Pane {
    fn field(&self) -> Option<HtmlTextAreaElement> {
        self.input.cast()
    }

    fn text(&self) -> String {
        self.field().map(|field| field.value()).unwrap_or_default()
    }

    /// Sets the input's text, the cursor at its end.
    fn set(&self, text: &str) {
        if let Some(field) = self.field() {
            field.set_value(text);
            let end = text.encode_utf16().count() as u32;
            let _ = field.set_selection_range(end, end);
        }
    }

    /// Sets text and cursor (bytes).
    fn set_at(&self, text: &str, cursor: usize) {
        if let Some(field) = self.field() {
            field.set_value(text);
            let at = edit::units_at(text, cursor) as u32;
            let _ = field.set_selection_range(at, at);
        }
    }

    /// The cursor, bytes.
    fn cursor(&self, text: &str) -> usize {
        let units = self
            .field()
            .and_then(|field| field.selection_start().ok().flatten())
            .unwrap_or(u32::MAX);
        edit::byte_at(text, units as usize)
    }

    fn focus(&self) {
        if let Some(field) = self.field() {
            let _ = field.focus();
        }
    }

    fn act(&self, context: &Context<Self>, action: PaneAction) {
        context.props().on_action.emit(action);
    }

    /// Sends a line to the terminal.
    fn send(&mut self, context: &Context<Self>, line: String) {
        self.history.push(&line);
        context.props().screen.borrow_mut().typed(&line);
        self.act(context, PaneAction::Line(line));
    }

    /// Sends what stands in the input.
    fn submit(&mut self, context: &Context<Self>) {
        let text = self.text();
        self.set("");
        self.candidates.clear();
        self.stick = true;
        let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
        if lines.len() == 1 && self.queue.is_empty() {
            let line = lines.pop().unwrap_or_default();
            self.send(context, line);
            return;
        }
        self.queue.extend(lines);
        self.pump(context);
    }

    fn paste(&mut self, context: &Context<Self>, mut lines: Vec<String>, rest: &str) {
        let text = self.text();
        let cursor = self.cursor(&text);
        let (before, after) = text.split_at(cursor.min(text.len()));
        if let Some(first) = lines.first_mut() {
            first.insert_str(0, before);
        }
        self.set_at(&format!("{rest}{after}"), rest.len());
        self.stick = true;
        self.queue.extend(lines);
        self.pump(context);
    }

    /// Sends the next pasted line once the one before it has been dealt with.
    fn pump(&mut self, context: &Context<Self>) {
        if self.awaiting {
            return;
        }
        self.timeout = None;
        let Some(line) = self.queue.pop_front() else {
            return;
        };
        self.awaiting = true;
        let wait_ms = if context.props().screen.borrow().prompt().is_empty() {
            PASTE_WAIT_UNPROMPTED_MS
        } else {
            PASTE_WAIT_MS
        };
        self.send(context, line);
        let link = context.link().clone();
        self.timeout = Some(Timeout::new(wait_ms, move || {
            link.send_message(Message::PasteTimeout);
        }));
    }

    fn interrupt(&mut self, context: &Context<Self>) {
        self.queue.clear();
        self.awaiting = false;
        self.candidates.clear();
        self.set("");
        self.stick = true;
        self.act(context, PaneAction::Interrupt);
    }

    fn key(&mut self, context: &Context<Self>, event: &KeyboardEvent) -> bool {
        // While an input method composes, its keys are its own.
        if event.is_composing() || event.key_code() == 229 {
            return false;
        }
        let control = event.ctrl_key() && !event.alt_key() && !event.meta_key();
        let plain = !event.ctrl_key() && !event.alt_key() && !event.meta_key();
        let key = event.key();
        if self.search.is_some() {
            return self.search_key(context, event, &key, control);
        }
        let leaving = std::mem::replace(&mut self.leaving, key == "Escape");
        match key.as_str() {
            "Enter" if plain && !event.shift_key() => {
                event.prevent_default();
                self.submit(context);
            }
            "Tab" if plain && !event.shift_key() && !leaving => {
                if self.text().is_empty() {
                    return false;
                }
                event.prevent_default();
                self.complete(context);
                return false;
            }
            "ArrowUp" if plain && !event.shift_key() && !self.text().contains('\n') => {
                event.prevent_default();
                self.history_up();
                return false;
            }
            "ArrowDown" if plain && !event.shift_key() && !self.text().contains('\n') => {
                event.prevent_default();
                self.history_down();
                return false;
            }
            "Escape" => self.candidates.clear(),
            "c" if control && !event.shift_key() && !self.selects() => {
                event.prevent_default();
                self.interrupt(context);
            }
            "d" if control && self.text().is_empty() => {
                event.prevent_default();
                self.act(context, PaneAction::EndOfFile);
            }
            "l" if control => {
                event.prevent_default();
                context.props().screen.borrow_mut().clear();
                self.act(context, PaneAction::Redraw);
            }
            "r" if control => {
                event.prevent_default();
                self.search = Some(Search {
                    skip: 0,
                    before: self.text(),
                });
                self.found = None;
                self.set("");
            }
            "a" | "e" | "u" | "k" | "w" if control => {
                event.prevent_default();
                self.edit(&key);
                return false;
            }
            _ => return false,
        }
        true
    }

    /// Text is selected, here or elsewhere.
    fn selects(&self) -> bool {
        let inside = self.field().is_some_and(|field| {
            field.selection_start().ok().flatten() != field.selection_end().ok().flatten()
        });
        inside || dom::has_selection()
    }

    fn edit(&self, key: &str) {
        let text = self.text();
        let cursor = self.cursor(&text).min(text.len());
        let (before, after) = text.split_at(cursor);
        match key {
            "a" => self.set_at(&text, 0),
            "e" => self.set(&text),
            "u" => self.set_at(after, 0),
            "k" => self.set(before),
            _ => {
                let start = edit::word_start(&text, cursor);
                let kept = text.get(..start).unwrap_or("");
                self.set_at(&format!("{kept}{after}"), start);
            }
        }
    }

    fn history_up(&mut self) {
        let text = self.text();
        if let Some(line) = self.history.up(&text) {
            let line = line.to_owned();
            self.set(&line);
        }
    }

    fn history_down(&mut self) {
        if let Some(line) = self.history.down() {
            let line = line.to_owned();
            self.set(&line);
        }
    }

    // ---- search ------------------------------------------------------------------------------

    fn find(&mut self) {
        let skip = self.search.as_ref().map_or(0, |search| search.skip);
        self.found = self.history.search(&self.text(), skip).map(str::to_owned);
    }

    fn search_key(
        &mut self,
        context: &Context<Self>,
        event: &KeyboardEvent,
        key: &str,
        control: bool,
    ) -> bool {
        match key {
            "r" if control => {
                event.prevent_default();
                let query = self.text();
                if let Some(search) = &mut self.search
                    && self.history.search(&query, search.skip + 1).is_some()
                {
                    search.skip += 1;
                }
                self.find();
            }
            "Enter" | "Tab" | "ArrowRight" | "ArrowLeft" => {
                event.prevent_default();
                let found = self.found.take().unwrap_or_default();
                self.search = None;
                self.set(&found);
                if key == "Enter" {
                    self.submit(context);
                }
            }
            "Escape" => self.end_search(),
            "c" | "g" if control => {
                event.prevent_default();
                self.end_search();
            }
            _ => return false,
        }
        true
    }

    fn end_search(&mut self) {
        if let Some(search) = self.search.take() {
            self.set(&search.before);
        }
        self.found = None;
    }

    // ---- completion --------------------------------------------------------------------------

    fn complete(&mut self, context: &Context<Self>) {
        let line = self.text();
        let cursor = self.cursor(&line);
        self.ticket = (context.props().id << 16) | (self.ticket.wrapping_add(1) & 0xffff);
        let ticket = self.ticket;
        self.act(
            context,
            PaneAction::Complete {
                line,
                cursor,
                ticket,
            },
        );
    }

    fn completed(&mut self, context: &Context<Self>) {
        let Some(answer) = context.props().completion.clone() else {
            return;
        };
        if answer.ticket != self.ticket {
            return;
        }
        self.candidates.clear();
        self.candidates_from = answer.start;
        match answer.candidates.as_slice() {
            [] => {}
            [one] => self.replace_word(one),
            several => {
                let text = self.text();
                let cursor = self.cursor(&text);
                let typed = text.get(answer.start..cursor).unwrap_or("");
                let shared = edit::common_prefix(several).to_owned();
                if shared.len() > typed.len() && shared.starts_with(typed) {
                    self.replace_word(&shared);
                } else {
                    self.candidates = answer.candidates;
                    self.stick = true;
                }
            }
        }
    }

    /// Puts a candidate where the completed word stands.
    fn replace_word(&self, candidate: &str) {
        let text = self.text();
        let cursor = self.cursor(&text);
        let from = self.candidates_from.min(cursor);
        let (Some(before), Some(after)) = (text.get(..from), text.get(cursor..)) else {
            return;
        };
        self.set_at(
            &format!("{before}{candidate}{after}"),
            before.len() + candidate.len(),
        );
    }

    fn poked(&mut self, context: &Context<Self>, key: PaneKey) {
        match key {
            PaneKey::Focus => {}
            PaneKey::Tab => self.complete(context),
            PaneKey::Up => self.history_up(),
            PaneKey::Down => self.history_down(),
            PaneKey::Interrupt => self.interrupt(context),
            PaneKey::EndOfFile => self.act(context, PaneAction::EndOfFile),
            PaneKey::Insert(inserted) => {
                let text = self.text();
                let cursor = self.cursor(&text).min(text.len());
                let (before, after) = text.split_at(cursor);
                self.set_at(
                    &format!("{before}{inserted}{after}"),
                    cursor + inserted.len(),
                );
            }
            PaneKey::Run(command) => {
                self.set(&command);
                self.submit(context);
            }
        }
        self.focus();
    }
}

/// A full block; it is drawn once.
#[derive(Clone)]
struct SharedBlock(Rc<Block>);

impl PartialEq for SharedBlock {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}

#[derive(PartialEq, Properties)]
struct FullBlockProps {
    block: SharedBlock,
}

#[function_component(FullBlock)]
fn full_block(props: &FullBlockProps) -> Html {
    html! { <pre class="block">{ lines(&props.block.0.lines) }</pre> }
}

/// Lines as text; only what a person typed stands in elements of its own.
fn lines(lines: &[Line]) -> Html {
    let mut parts: Vec<Html> = Vec::new();
    let mut text = String::new();
    for line in lines {
        match line.typed_from {
            Some(from) if line.text.len() > from => {
                let (prompt, typed) = line.text.split_at(from);
                if !text.is_empty() {
                    parts.push(html! { { std::mem::take(&mut text) } });
                }
                parts.push(
                    html! { <><span class="old-prompt">{ prompt }</span><b>{ typed }</b></> },
                );
            }
            _ => text.push_str(&line.text),
        }
        text.push('\n');
    }
    parts.push(html! { { text } });
    html! { <>{ for parts }</> }
}
