//! A terminal: what it shows ([`Screen`]), what was typed before ([`history`]), and the pane with its
//! native input ([`Pane`]).

mod edit;
mod history;
mod pane;
mod screen;

pub use pane::{CompletionAnswer, Pane, PaneAction, PaneKey, Poke};
pub use screen::Screen;
