//! What the page and its worker say to each other. Page and worker come from one build; still the
//! first message names a version, because a browser may cache one of the two.

use playground_console::view::{View, ViewRequest};
use serde::{Deserialize, Serialize};
use serde_wasm_bindgen::Serializer;
use wasm_bindgen::JsValue;

/// The version of these messages.
pub const VERSION: u32 = 1;

/// From the page to the worker.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ToWorker {
    /// Start.
    Boot {
        /// [`VERSION`] of the page.
        version: u32,
    },
    /// Open a terminal.
    OpenTerminal {
        /// Chosen by the page.
        terminal: u32,
        /// On which host.
        host: String,
    },
    /// Close a terminal.
    CloseTerminal {
        /// Which.
        terminal: u32,
    },
    /// A line was typed.
    Line {
        /// Where.
        terminal: u32,
        /// Without its end.
        text: String,
    },
    /// Ctrl-C.
    Interrupt {
        /// Where.
        terminal: u32,
    },
    /// Ctrl-D.
    EndOfFile {
        /// Where.
        terminal: u32,
    },
    /// Tab.
    Complete {
        /// Where.
        terminal: u32,
        /// The line so far.
        line: String,
        /// The cursor, bytes from the line's start.
        cursor: u32,
        /// Comes back with the answer.
        ticket: u32,
    },
    /// What to show from now on.
    See(ViewRequest),
    /// How fast virtual time goes, thousandths of the wall clock's.
    SetSpeed {
        /// 1000 is real time.
        permille: u32,
    },
    /// Virtual time stands still.
    Pause,
    /// It goes on.
    Resume,
    /// One event.
    Step,
    /// Delete all that is kept.
    StartOver,
}

/// From the worker to the page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FromWorker {
    /// The worker listens. A browser drops what comes before: modules load in their own time.
    Listening,
    /// The cluster is there.
    Ready {
        /// It was restored from what was kept.
        restored: bool,
    },
    /// Another tab has the cluster.
    OtherTab,
    /// Output of a terminal.
    Output {
        /// Which.
        terminal: u32,
        /// What came, escape sequences included.
        text: String,
    },
    /// The answer to [`ToWorker::Complete`].
    Completion {
        /// As asked.
        ticket: u32,
        /// Where the candidates start, bytes from the line's start.
        start: u32,
        /// What could stand there.
        candidates: Vec<String>,
    },
    /// What is to be seen.
    View(Box<View>),
    /// How time goes.
    Clock(Clock),
    /// How keeping goes.
    Kept(Kept),
    /// All that was kept is gone; load the page again.
    StartedOver,
    /// The engine cannot go on.
    Failed {
        /// Why.
        message: String,
    },
}

/// How virtual time goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Clock {
    /// When the session began, virtual ms since 1970.
    pub start_ms: i64,
    /// Virtual ms since the session began.
    pub elapsed_ms: i64,
    /// It goes on.
    pub running: bool,
    /// Thousandths of the wall clock's speed.
    pub permille: u32,
}

/// Where what is acknowledged stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum KeptState {
    /// All is kept.
    All,
    /// Some is on its way.
    #[default]
    Pending,
    /// Nothing more is kept.
    Memory,
}

/// How keeping goes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Kept {
    /// In a word.
    pub state: KeptState,
    /// Bytes of all files that are kept.
    pub kept_bytes: u64,
    /// Bytes on their way.
    pub pending_bytes: u64,
    /// Why nothing is kept.
    pub message: Option<String>,
}

/// A message as the browser passes it on.
///
/// # Errors
/// The serializer's, which no message of ours leads to.
pub fn to_js<T: Serialize>(message: &T) -> Result<JsValue, JsValue> {
    // Numbers of 64 bits go as BigInt: a timestamp may be any of them.
    let serializer = Serializer::new().serialize_large_number_types_as_bigints(true);
    message.serialize(&serializer).map_err(JsValue::from)
}

/// A message from what the browser passed on.
///
/// # Errors
/// When the other side is of another version.
pub fn from_js<T: for<'a> Deserialize<'a>>(value: JsValue) -> Result<T, JsValue> {
    serde_wasm_bindgen::from_value(value).map_err(JsValue::from)
}
