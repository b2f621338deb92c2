//! The engine's worker: takes the page's messages, lets virtual time follow the wall clock, sends what
//! is to be seen, and keeps what the disks emit.

mod boot;
mod browser;

use std::cell::RefCell;
use std::rc::Rc;

use playground_console::Input;
use playground_console::view::{View, ViewRequest};
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::spawn_local;
use web_sys::{DedicatedWorkerGlobalScope, MessageEvent};

use crate::engine::Engine;
use crate::protocol::{self, Clock, FromWorker, Kept, ToWorker};
use crate::storage::{self, Keeper};

/// Virtual time never makes up for more than this much of the wall clock's at once: a hidden tab's
/// sessions must not all time out when it is shown again.
const CATCH_UP_MS_MAX: f64 = 250.0;

/// The engine runs this long before messages get their turn, wall ms.
const SLICE_MS: f64 = 8.0;

/// Steps between two looks at the wall clock.
const STEPS_PER_LOOK: usize = 256;

/// Output is sent at most so often, wall ms.
const OUTPUT_INTERVAL_MS: f64 = 16.0;

/// The picture is sent at most so often, wall ms.
const VIEW_INTERVAL_MS: f64 = 33.0;

/// The clock is sent at most so often, wall ms.
const CLOCK_INTERVAL_MS: f64 = 100.0;

/// The longest sleep, wall ms.
const SLEEP_MS_MAX: f64 = 100.0;

/// Speeds, thousandths.
const PERMILLE_MAX: u32 = 1_000_000;

/// A running session.
struct Session {
    engine: Engine,
    keeper: Keeper,
    request: ViewRequest,
    /// Something happened that the last picture does not show.
    view_due: bool,
    last_view: Option<View>,
    running: bool,
    permille: u32,
    wall_ms: f64,
    /// Where virtual time should stand, microseconds.
    target_micros: f64,
    output_sent_ms: f64,
    view_sent_ms: f64,
    clock_sent_ms: f64,
    clock_sent: Clock,
    kept_sent: Option<Kept>,
}

/// The worker.
struct Worker {
    scope: DedicatedWorkerGlobalScope,
    session: RefCell<Option<Session>>,
    /// Messages that came before the session was there.
    early: RefCell<Vec<ToWorker>>,
    booted: RefCell<bool>,
    timer: RefCell<Option<i32>>,
    tick: RefCell<Option<Closure<dyn FnMut()>>>,
}

/// Starts the worker: sets its handlers and returns.
pub fn start() {
    let Ok(scope) = js_sys::global().dyn_into::<DedicatedWorkerGlobalScope>() else {
        return;
    };
    let worker = Rc::new(Worker {
        scope: scope.clone(),
        session: RefCell::new(None),
        early: RefCell::new(Vec::new()),
        booted: RefCell::new(false),
        timer: RefCell::new(None),
        tick: RefCell::new(None),
    });
    let on_tick = Rc::clone(&worker);
    *worker.tick.borrow_mut() = Some(Closure::new(move || on_tick.tick()));
    let on_message = Rc::clone(&worker);
    let handler =
        Closure::<dyn FnMut(MessageEvent)>::new(
            move |event: MessageEvent| match protocol::from_js::<ToWorker>(event.data()) {
                Ok(message) => on_message.receive(message),
                Err(_) => on_message.fail(
                    "The page and its engine are of different versions. Load the page again.",
                ),
            },
        );
    scope.set_onmessage(Some(handler.as_ref().unchecked_ref()));
    // The worker lives as long as its page.
    handler.forget();
    worker.post(&FromWorker::Listening);
}

impl Worker {
    fn post(&self, message: &FromWorker) {
        if let Ok(value) = protocol::to_js(message) {
            let _ = self.scope.post_message(&value);
        }
    }

    fn fail(&self, message: &str) {
        self.post(&FromWorker::Failed {
            message: message.to_owned(),
        });
    }

    fn receive(self: &Rc<Self>, message: ToWorker) {
        if let ToWorker::Boot { version } = message {
            if version != protocol::VERSION {
                self.fail(
                    "The page and its engine are of different versions. Load the page again.",
                );
                return;
            }
            if self.booted.replace(true) {
                return;
            }
            let worker = Rc::clone(self);
            spawn_local(async move { worker.boot().await });
            return;
        }
        if self.session.borrow().is_none() {
            self.early.borrow_mut().push(message);
            return;
        }
        if message == ToWorker::StartOver {
            let worker = Rc::clone(self);
            spawn_local(async move { worker.start_over().await });
            return;
        }
        self.handle(message);
        self.wake(0.0);
    }

    async fn boot(self: &Rc<Self>) {
        match boot::boot().await {
            Err(boot::NotOurs) => {
                *self.booted.borrow_mut() = false;
                self.post(&FromWorker::OtherTab);
            }
            Ok(booted) => {
                let now = browser::now_ms();
                *self.session.borrow_mut() = Some(Session {
                    target_micros: booted.engine.now_micros() as f64,
                    engine: booted.engine,
                    keeper: booted.keeper,
                    request: ViewRequest {
                        cells: 20,
                        ..ViewRequest::default()
                    },
                    view_due: true,
                    last_view: None,
                    running: true,
                    permille: 1_000,
                    wall_ms: now,
                    output_sent_ms: 0.0,
                    view_sent_ms: 0.0,
                    clock_sent_ms: 0.0,
                    clock_sent: Clock::default(),
                    kept_sent: None,
                });
                self.post(&FromWorker::Ready {
                    restored: booted.restored,
                });
                for message in self.early.take() {
                    self.receive(message);
                }
                self.wake(0.0);
            }
        }
    }

    async fn start_over(self: &Rc<Self>) {
        let keeper = {
            let mut session = self.session.borrow_mut();
            session.take().map(|session| session.keeper)
        };
        if let Some(keeper) = &keeper {
            keeper.close();
        }
        match storage::database::delete(storage::NAME).await {
            Ok(()) => self.post(&FromWorker::StartedOver),
            Err(error) => self.fail(&error.to_string()),
        }
    }

    fn handle(&self, message: ToWorker) {
        let mut slot = self.session.borrow_mut();
        let Some(session) = slot.as_mut() else { return };
        match message {
            ToWorker::Boot { .. } | ToWorker::StartOver => {}
            ToWorker::OpenTerminal { terminal, host } => {
                session.engine.input(Input::OpenTerminal { terminal, host });
            }
            ToWorker::CloseTerminal { terminal } => {
                session.engine.input(Input::CloseTerminal { terminal });
            }
            ToWorker::Line { terminal, text } => {
                session.engine.input(Input::Line { terminal, text });
            }
            ToWorker::Interrupt { terminal } => {
                session.engine.input(Input::Interrupt { terminal });
            }
            ToWorker::EndOfFile { terminal } => {
                session.engine.input(Input::EndOfFile { terminal });
            }
            ToWorker::Complete {
                terminal,
                line,
                cursor,
                ticket,
            } => {
                let completion = session.engine.complete(terminal, &line, cursor as usize);
                let message = FromWorker::Completion {
                    ticket,
                    start: u32::try_from(completion.start).unwrap_or(cursor),
                    candidates: completion.candidates,
                };
                self.post(&message);
            }
            ToWorker::See(request) => {
                session.request = request;
                session.last_view = None;
            }
            ToWorker::SetSpeed { permille } => {
                session.permille = permille.clamp(1, PERMILLE_MAX);
            }
            ToWorker::Pause => session.running = false,
            ToWorker::Resume => session.running = true,
            ToWorker::Step => {
                session.running = false;
                if let Some(next) = session.engine.next_event_micros() {
                    session.engine.run_until(next, 1);
                    session.target_micros = session.engine.now_micros() as f64;
                }
            }
        }
        session.view_due = true;
        // What was typed is seen at once, not after the next sleep.
        session.output_sent_ms = 0.0;
    }

    /// Runs a slice, sends what is due, sleeps until the next.
    fn tick(self: &Rc<Self>) {
        *self.timer.borrow_mut() = None;
        let mut slot = self.session.borrow_mut();
        let Some(session) = slot.as_mut() else { return };
        let now = browser::now_ms();
        let behind = session.advance(now);
        let now = browser::now_ms();
        let changes = session.engine.drain_disk_changes();
        if !changes.is_empty() {
            session.view_due = true;
            for (host, changes) in changes {
                session.keeper.take(&host, changes, now);
            }
        }
        let after = Rc::clone(self);
        let clock_ms = session.engine.now_ms() as f64;
        session.keeper.poll(now, clock_ms, move || after.wake(0.0));
        let mut messages = Vec::new();
        session.messages(now, &mut messages);
        let sleep = if behind { 0.0 } else { session.sleep(now) };
        drop(slot);
        messages.iter().for_each(|message| self.post(message));
        self.wake(sleep);
    }

    /// Ticks again after `delay_ms` wall ms, if nothing else asks earlier.
    fn wake(self: &Rc<Self>, delay_ms: f64) {
        if let Some(timer) = self.timer.take() {
            self.scope.clear_timeout_with_handle(timer);
        }
        let tick = self.tick.borrow();
        let Some(tick) = tick.as_ref() else { return };
        let timer = self
            .scope
            .set_timeout_with_callback_and_timeout_and_arguments_0(
                tick.as_ref().unchecked_ref(),
                delay_ms.max(0.0) as i32,
            );
        *self.timer.borrow_mut() = timer.ok();
    }
}

impl Session {
    /// Moves virtual time after the wall clock; whether there was more to do than fits into a slice.
    fn advance(&mut self, now: f64) -> bool {
        let passed_ms = (now - self.wall_ms).clamp(0.0, CATCH_UP_MS_MAX);
        self.wall_ms = now;
        if !self.running {
            return false;
        }
        self.target_micros += passed_ms * f64::from(self.permille);
        let target = self.target_micros as u64;
        loop {
            let next = self.engine.next_event_micros();
            if next.is_some_and(|next| next <= target) {
                self.view_due = true;
            }
            if self.engine.run_until(target, STEPS_PER_LOOK) {
                return false;
            }
            if browser::now_ms() - now > SLICE_MS {
                // The machine is too slow for this much: virtual time falls behind instead of piling up.
                let reached = self.engine.now_micros() as f64;
                let lag_max = CATCH_UP_MS_MAX * 1_000.0;
                self.target_micros = self.target_micros.min(reached + lag_max);
                return true;
            }
        }
    }

    /// What the page is told now.
    fn messages(&mut self, now: f64, messages: &mut Vec<FromWorker>) {
        if now - self.output_sent_ms >= OUTPUT_INTERVAL_MS {
            let output = self.engine.drain_output();
            if !output.is_empty() {
                self.output_sent_ms = now;
            }
            messages.extend(
                output
                    .into_iter()
                    .map(|(terminal, text)| FromWorker::Output { terminal, text }),
            );
        }
        let clock = Clock {
            start_ms: self.engine.start_ms(),
            elapsed_ms: self.engine.elapsed_ms(),
            running: self.running,
            permille: self.permille,
        };
        let switched =
            (clock.running, clock.permille) != (self.clock_sent.running, self.clock_sent.permille);
        if switched || (clock != self.clock_sent && now - self.clock_sent_ms >= CLOCK_INTERVAL_MS) {
            self.clock_sent = clock;
            self.clock_sent_ms = now;
            messages.push(FromWorker::Clock(clock));
        }
        if self.view_due && now - self.view_sent_ms >= VIEW_INTERVAL_MS {
            self.view_due = false;
            self.view_sent_ms = now;
            let view = self.engine.view(&self.request);
            // A record is opened once, not with every picture.
            self.request.record = None;
            let same = self.last_view.as_ref().is_some_and(|last| {
                View {
                    now_ms: last.now_ms,
                    ..view.clone()
                } == *last
            });
            if !same {
                messages.push(FromWorker::View(Box::new(view.clone())));
                self.last_view = Some(View {
                    record: None,
                    ..view
                });
            }
        }
        let kept = self.keeper.report();
        if self.kept_sent.as_ref() != Some(&kept) {
            messages.push(FromWorker::Kept(kept.clone()));
            self.kept_sent = Some(kept);
        }
    }

    /// How long nothing needs to be done, wall ms.
    fn sleep(&self, now: f64) -> f64 {
        let mut sleep = SLEEP_MS_MAX;
        if self.running
            && let Some(next) = self.engine.next_event_micros()
        {
            let ahead = (next as f64 - self.target_micros).max(0.0);
            sleep = sleep.min(ahead / f64::from(self.permille));
        }
        if self.view_due {
            sleep = sleep.min(self.view_sent_ms + VIEW_INTERVAL_MS - now);
        }
        if let Some(due) = self.keeper.due() {
            sleep = sleep.min(due - now);
        }
        sleep.max(1.0)
    }
}
