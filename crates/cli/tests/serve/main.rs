//! `playground serve` as a program: unmodified clients use it, broken ones harm only themselves, a kept cluster is
//! there again.

mod clients;
mod hostile;
mod kept;
mod server;
