//! The console's [`Playground`] as the worker drives it.

use std::collections::BTreeMap;

use playground_console::view::{View, ViewRequest};
use playground_console::{Completion, Input, Options, Playground};
use playground_log::{Disk, DiskChange};
use playground_protocol::Time;

/// Brokers of a new cluster.
const BROKERS: u32 = 3;

/// The host of the home directory.
const HOME: &str = "home";

/// Virtual time that passes before the page sees a new cluster: the brokers register.
const START_MS: i64 = 1_000;

/// Virtual time that passes before the page sees a restored cluster: the controller takes a broker back
/// only when its last session has timed out (`broker.session.timeout.ms`, 9 s), as after a power cut.
const RESTART_MS: i64 = 9_500;

/// Steps that the start may take.
const START_STEPS_MAX: usize = 200_000;

/// A cluster and its terminals.
pub struct Engine {
    playground: Playground,
    start: Time,
    /// Bytes of a character whose rest has not come yet, by terminal.
    partial: BTreeMap<u32, Vec<u8>>,
}

impl Engine {
    /// Starts the machines with these disks. The clock shows `wall_ms` when the cluster is there, or
    /// later where the kept clock stood at `kept_ms` already: it never goes back.
    pub fn start(seed: u64, wall_ms: i64, kept_ms: i64, disks: BTreeMap<String, Disk>) -> Engine {
        let boot_ms = if disks.is_empty() {
            START_MS
        } else {
            RESTART_MS
        };
        let boot = Time::from_millis((wall_ms - boot_ms).max(kept_ms));
        let start = boot.plus_millis(boot_ms);
        let mut playground = Playground::new(Options {
            brokers: BROKERS,
            broker_config: Vec::new(),
            seed,
            start: boot,
            home_files: disks.get(HOME).is_none_or(Disk::is_empty),
            disks,
        });
        playground.run_until(start, START_STEPS_MAX);
        Engine {
            playground,
            start,
            partial: BTreeMap::new(),
        }
    }

    /// Virtual microseconds since 1970.
    pub fn now_micros(&self) -> u64 {
        self.playground.now().micros()
    }

    /// Virtual ms since 1970.
    pub fn now_ms(&self) -> i64 {
        self.playground.now().millis()
    }

    /// When the session began, virtual ms since 1970.
    pub fn start_ms(&self) -> i64 {
        self.start.millis()
    }

    /// Virtual ms since the session began.
    pub fn elapsed_ms(&self) -> i64 {
        self.now_ms() - self.start.millis()
    }

    /// When the next thing happens, microseconds since 1970; none if nothing ever does.
    pub fn next_event_micros(&self) -> Option<u64> {
        let next = self.playground.next_event_time();
        (next != Time::NEVER).then(|| next.micros())
    }

    /// Lets things happen until then, at most so many steps; whether all was done.
    pub fn run_until(&mut self, micros: u64, steps_max: usize) -> bool {
        self.playground
            .run_until(Time::from_micros(micros), steps_max)
    }

    /// An input of a person.
    pub fn input(&mut self, input: Input) {
        self.playground.input(input);
    }

    /// What could stand at the cursor.
    pub fn complete(&mut self, terminal: u32, line: &str, cursor: usize) -> Completion {
        self.playground.complete(terminal, line, cursor)
    }

    /// What the terminals show since the last call, as text: bytes that are no UTF-8 are replaced.
    pub fn drain_output(&mut self) -> Vec<(u32, String)> {
        self.playground
            .drain_output()
            .into_iter()
            .map(|(terminal, bytes)| {
                let partial = self.partial.entry(terminal).or_default();
                partial.extend_from_slice(&bytes);
                (terminal, take_text(partial))
            })
            .filter(|(_, text)| !text.is_empty())
            .collect()
    }

    /// What the disks ask to be kept, by host.
    pub fn drain_disk_changes(&mut self) -> Vec<(String, Vec<DiskChange>)> {
        self.playground.drain_disk_changes()
    }

    /// What a person sees.
    pub fn view(&self, request: &ViewRequest) -> View {
        self.playground.view(request)
    }
}

/// Takes the text at the front of `bytes`; the start of a character that is not whole yet stays.
fn take_text(bytes: &mut Vec<u8>) -> String {
    let whole = match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => {
            // Something invalid inside; the last character may still be incomplete.
            let tail = bytes
                .iter()
                .rev()
                .take(3)
                .position(|byte| *byte >= 0xc0)
                .map_or(0, |back| back + 1);
            let cut = bytes.len() - tail;
            match std::str::from_utf8(&bytes[cut..]) {
                Err(error) if error.error_len().is_none() => cut,
                _ => bytes.len(),
            }
        }
    };
    let rest = bytes.split_off(whole);
    let text = String::from_utf8_lossy(bytes).into_owned();
    *bytes = rest;
    text
}

#[cfg(test)]
mod tests {
    use super::take_text;

    #[test]
    fn characters_are_never_split() {
        let mut bytes = "가나".as_bytes()[..5].to_vec();
        assert_eq!(take_text(&mut bytes), "가");
        bytes.extend_from_slice(&"가나".as_bytes()[5..]);
        assert_eq!(take_text(&mut bytes), "나");
        let mut bytes = b"a\xffb\xea".to_vec();
        assert_eq!(take_text(&mut bytes), "a\u{fffd}b");
        assert_eq!(bytes, b"\xea");
    }
}
