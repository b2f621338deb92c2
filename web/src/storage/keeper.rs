//! Keeps what the disks emit, in order, a transaction at a time.
//!
//! Give changes with [`Keeper::take`]; call [`Keeper::poll`] often. It writes all that is due in one
//! transaction, about every 50 ms, never two at once. After the first failure nothing is written any
//! more: what was kept stays a moment of the past that is whole in itself.

use std::cell::RefCell;
use std::rc::Rc;

use playground_log::DiskChange;
use wasm_bindgen_futures::spawn_local;

use super::catalog::Catalog;
use super::database::{Database, Meta};
use super::error::StorageError;
use crate::protocol::{Kept, KeptState};

/// Changes wait this long for others, ms.
const BATCH_DELAY_MS: f64 = 50.0;

struct State {
    database: Option<Rc<Database>>,
    catalog: Catalog,
    meta: Meta,
    /// When the oldest change that waits came, wall ms.
    waiting_since: Option<f64>,
    in_flight: bool,
    in_flight_bytes: u64,
    waiting_bytes: u64,
    kept_bytes: u64,
    message: Option<String>,
}

/// Keeps the session's disks. Clones share one state.
#[derive(Clone)]
pub struct Keeper(Rc<RefCell<State>>);

impl Keeper {
    /// Over a database, with what it holds.
    pub fn new(database: Database, catalog: Catalog, meta: Meta) -> Keeper {
        let kept_bytes = catalog.held_bytes();
        Keeper(Rc::new(RefCell::new(State {
            database: Some(Rc::new(database)),
            catalog,
            meta,
            waiting_since: None,
            in_flight: false,
            in_flight_bytes: 0,
            waiting_bytes: 0,
            kept_bytes,
            message: None,
        })))
    }

    /// Keeps nothing, for this reason.
    pub fn memory(error: &StorageError) -> Keeper {
        Keeper(Rc::new(RefCell::new(State {
            database: None,
            catalog: Catalog::new(),
            meta: Meta::default(),
            waiting_since: None,
            in_flight: false,
            in_flight_bytes: 0,
            waiting_bytes: 0,
            kept_bytes: 0,
            message: Some(error.to_string()),
        })))
    }

    /// Takes changes of a host's disk.
    pub fn take(&self, host: &str, changes: Vec<DiskChange>, wall_ms: f64) {
        let mut state = self.0.borrow_mut();
        if state.database.is_none() {
            return;
        }
        for change in changes {
            if let DiskChange::Append { bytes, .. } | DiskChange::Write { bytes, .. } = &change {
                state.waiting_bytes += bytes.len() as u64;
            }
            state.catalog.take(host, change);
        }
        if state.catalog.has_batch() {
            state.waiting_since.get_or_insert(wall_ms);
        }
    }

    /// When [`Keeper::poll`] has something to do, wall ms.
    pub fn due(&self) -> Option<f64> {
        let state = self.0.borrow();
        if state.in_flight {
            return None;
        }
        state.waiting_since.map(|since| since + BATCH_DELAY_MS)
    }

    /// Writes what is due; `changed` is called when that is done.
    pub fn poll(&self, wall_ms: f64, clock_ms: f64, changed: impl Fn() + 'static) {
        if self.due().is_none_or(|due| due > wall_ms) {
            return;
        }
        let mut state = self.0.borrow_mut();
        let Some(database) = state.database.clone() else {
            return;
        };
        state.waiting_since = None;
        state.in_flight = true;
        state.in_flight_bytes = std::mem::take(&mut state.waiting_bytes);
        state.meta.clock_ms = state.meta.clock_ms.max(clock_ms);
        let (batch, meta) = (state.catalog.batch(), state.meta);
        drop(state);
        let keeper = self.clone();
        spawn_local(async move {
            let result = database.keep(&batch, meta).await;
            let mut state = keeper.0.borrow_mut();
            state.in_flight = false;
            state.in_flight_bytes = 0;
            match result {
                Ok(()) => state.kept_bytes = state.catalog.held_bytes(),
                Err(error) => {
                    state.message = Some(error.to_string());
                    state.database = None;
                    state.waiting_since = None;
                    database.close();
                }
            }
            drop(state);
            changed();
        });
    }

    /// What the page is told.
    pub fn report(&self) -> Kept {
        let state = self.0.borrow();
        Kept {
            state: if state.database.is_none() {
                KeptState::Memory
            } else if state.in_flight || state.waiting_since.is_some() {
                KeptState::Pending
            } else {
                KeptState::All
            },
            kept_bytes: state.kept_bytes,
            pending_bytes: state.waiting_bytes + state.in_flight_bytes,
            message: state.message.clone(),
        }
    }

    /// Stops keeping and lets go of the database.
    pub fn close(&self) {
        let mut state = self.0.borrow_mut();
        if let Some(database) = state.database.take() {
            database.close();
        }
        state.waiting_since = None;
    }
}
