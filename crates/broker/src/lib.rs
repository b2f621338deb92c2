//! (skeleton)
pub mod group;
