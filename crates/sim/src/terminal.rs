//! Terminals: a line discipline between a person and the processes.
//!
//! The person's side sends whole lines (the page edits them), Ctrl-C and Ctrl-D; the terminal echoes
//! what was typed, as a tty does, so that its output alone is what the person sees.

use std::collections::VecDeque;
use std::task::Waker;

use crate::host::HostId;
use crate::process::Pid;

/// Names a terminal; the host that opens it chooses nothing, ids count up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TerminalId(pub u32);

#[derive(Default)]
pub(crate) struct Terminal {
    /// Lines typed and not read yet, each with its `\n`; an empty one is Ctrl-D.
    pub(crate) input: VecDeque<Vec<u8>>,
    pub(crate) readers: Vec<Waker>,
    pub(crate) output: Vec<u8>,
    pub(crate) writers: Vec<Waker>,
    /// The process group that Ctrl-C reaches.
    pub(crate) foreground: Option<Pid>,
    /// The host and the directory of the shell that prompts here.
    pub(crate) place: Option<(HostId, String)>,
}

impl Terminal {
    pub(crate) fn wake_readers(&mut self) {
        self.readers.drain(..).for_each(Waker::wake);
    }
}
