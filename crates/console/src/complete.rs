//! Tab: what a line could go on with.

use playground_sim::{HostId, Pid, World};

/// What Tab offers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// The byte of the line from which a candidate replaces what stands before the cursor.
    pub start: usize,
    /// What could stand there.
    pub candidates: Vec<String>,
}

/// Candidates for the word before the cursor.
pub fn complete(
    _world: &World,
    _host: HostId,
    _shell: Option<Pid>,
    _line: &str,
    cursor: usize,
) -> Completion {
    Completion {
        start: cursor,
        candidates: Vec::new(),
    }
}
