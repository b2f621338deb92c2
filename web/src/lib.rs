//! The page and its engine worker.
//!
//! [`page`] draws what [`protocol`] brings and knows nothing of the engine; [`worker`] runs the engine
//! ([`engine`]) and keeps its disks ([`storage`]).

// A page that panics is dead: what is missing is handled.
#![warn(clippy::unwrap_used)]

pub mod engine;
pub mod page;
pub mod protocol;
pub mod storage;
pub mod worker;
