//! What the browser keeps: every host's disk, in IndexedDB.
//!
//! Memory is the truth, and this follows it: [`catalog`] decides which rows change, [`database`] writes
//! them, [`Keeper`] decides when. After a reload the disks are what the last finished transaction left,
//! as after the machines lost their power.

pub mod catalog;
pub mod database;
mod error;
mod keeper;

pub use catalog::Catalog;
pub use database::{Database, Loaded, Meta};
pub use error::StorageError;
pub use keeper::Keeper;

/// The database's name, and the lock's.
pub const NAME: &str = "broker-playground";
