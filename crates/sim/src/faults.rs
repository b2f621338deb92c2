//! Faults: what breaks, on purpose, between hosts and inside of them.
//!
//! The network carries TCP, so no fault corrupts or reorders a stream: what is lost on the way is sent
//! again by the sender's kernel (after 200 ms, doubling up to 2 minutes; Linux gives up after 15 tries,
//! some 924 s, and the connection breaks then), and what came later waits for it. A cut therefore stalls
//! connections, and healing it lets the next retransmission through; a lost connection request is repeated
//! after 1, 3, 7 ... s and fails after 127 s. A second copy of a packet is thrown away by the receiver's
//! kernel: duplication shows in the trace and nowhere else. A reordered packet delays its own stream while
//! other connections overtake it.
//!
//! A machine without power says nothing: its peers notice when their requests time out, when a connection
//! request finds nobody (3 s), or when it is back and resets what it does not know. A paused process is
//! SIGSTOP's: its kernel goes on taking connections and bytes, its timers are late.
//!
//! A clock that is set forward jumps; one that is set back is slewed: it runs at half speed until it is
//! right, because `now` never goes back for a node.

use std::collections::BTreeMap;
use std::time::Duration;

use playground_log::DiskFailure;
use playground_protocol::{LogLevel, LogLine, Random, Time};

use crate::host::{HostId, NodeState};
use crate::trace::TraceKind;
use crate::world::{Event, World};

/// The first retransmission timeout of Linux, µs.
const RETRANSMISSION_US: u64 = 200_000;
/// The longest, µs.
const RETRANSMISSION_US_MAX: u64 = 120_000_000;
/// When Linux gives a stalled connection up (`tcp_retries2` = 15).
pub(crate) const STALL_MAX: Duration = Duration::from_millis(924_600);
/// When Linux gives a connection request up (`tcp_syn_retries` = 6).
pub(crate) const CONNECT_MAX: Duration = Duration::from_secs(127);
/// When a connection request to a machine without power fails: nobody answers ARP.
pub(crate) const NO_ROUTE: Duration = Duration::from_secs(3);
/// Losses of one frame in a row at most: the connection would break after them.
const LOSSES_MAX: u32 = 14;

/// A fault. Network faults are directed: both ways are two of them. The last one of a kind counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Nothing gets from one host to another.
    Cut {
        /// The sender.
        from: HostId,
        /// The receiver.
        to: HostId,
    },
    /// Everything takes longer.
    Delay {
        /// The sender.
        from: HostId,
        /// The receiver.
        to: HostId,
        /// How much longer, µs.
        delay_us: u64,
    },
    /// Packets are lost.
    Drop {
        /// The sender.
        from: HostId,
        /// The receiver.
        to: HostId,
        /// Of a hundred packets so many, 0 to 99.
        percent: u32,
    },
    /// Packets arrive twice.
    Duplicate {
        /// The sender.
        from: HostId,
        /// The receiver.
        to: HostId,
        /// Of a hundred packets so many, 0 to 100.
        percent: u32,
    },
    /// Packets are overtaken.
    Reorder {
        /// The sender.
        from: HostId,
        /// The receiver.
        to: HostId,
        /// Of a hundred packets so many, 0 to 100.
        percent: u32,
    },
    /// A host's clock is wrong.
    ClockSkew {
        /// Whose.
        host: HostId,
        /// By how much, µs; negative: it is behind.
        skew_us: i64,
    },
    /// All processes of a host are stopped (SIGSTOP).
    Pause {
        /// Whose.
        host: HostId,
    },
    /// A host loses its power, and all that was not flushed.
    PowerCut {
        /// Which.
        host: HostId,
    },
    /// A host loses its power in the middle of writing: of what was not flushed, each file keeps a part.
    TornWrite {
        /// Which.
        host: HostId,
    },
    /// One bit of a file is turned over.
    FlipBit {
        /// Where.
        host: HostId,
        /// The file.
        path: String,
        /// The bit, from the file's first on.
        bit: u64,
    },
    /// A disk takes no more bytes.
    FullDisk {
        /// Whose.
        host: HostId,
    },
    /// Each change of the disk takes time, during which the node does nothing else.
    SlowDisk {
        /// Whose.
        host: HostId,
        /// How long, µs a change.
        operation_us: u64,
    },
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Link {
    pub(crate) cut: bool,
    delay_us: u64,
    drop_percent: u32,
    duplicate_percent: u32,
    reorder_percent: u32,
}

/// What is broken now, and where chance decides.
pub(crate) struct Faults {
    links: BTreeMap<(HostId, HostId), Link>,
    random: Random,
}

/// A host's clock: it shows the larger of the true time and its skew, and of a slower clock that began
/// when it was set back.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Clock {
    skew_us: i64,
    base_true: Time,
    base_shown: Time,
}

impl Clock {
    pub(crate) fn shown(&self, now: Time) -> Time {
        if self.base_shown == Time::default() && self.skew_us == 0 {
            return now;
        }
        let right = Time::from_micros(now.micros().saturating_add_signed(self.skew_us));
        let slewed = self.base_shown + now.since(self.base_true) / 2;
        right.max(slewed)
    }

    /// The first true time at which it shows `shown`.
    pub(crate) fn when(&self, shown: Time) -> Time {
        if shown == Time::NEVER || (self.base_shown == Time::default() && self.skew_us == 0) {
            return shown;
        }
        let right = Time::from_micros(shown.micros().saturating_add_signed(-self.skew_us));
        let slewed = self.base_true + shown.since(self.base_shown) * 2;
        right.min(slewed)
    }

    fn set(&mut self, skew_us: i64, now: Time) {
        *self = Clock {
            base_true: now,
            base_shown: self.shown(now),
            skew_us,
        };
    }
}

/// When what was first sent at `sent` is sent again, not before `now`.
pub(crate) fn next_retransmission(sent: Time, now: Time, first_us: u64) -> Time {
    let (mut at, mut wait) = (sent.micros(), first_us);
    while at < now.micros() {
        at = at.saturating_add(wait);
        wait = (wait * 2).min(RETRANSMISSION_US_MAX);
    }
    Time::from_micros(at)
}

/// What became of one frame's packets on the way.
pub(crate) struct Passage {
    pub(crate) extra_us: u64,
    pub(crate) losses: u32,
    pub(crate) duplicated: bool,
    pub(crate) reordered: bool,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Faults {
        Faults {
            links: BTreeMap::new(),
            random: Random::new(seed, "faults"),
        }
    }

    pub(crate) fn is_cut(&self, from: HostId, to: HostId) -> bool {
        self.links.get(&(from, to)).is_some_and(|link| link.cut)
    }

    /// What the link does to a frame. `lost_us`: after which time a lost packet is sent again.
    pub(crate) fn passage(&mut self, from: HostId, to: HostId, lost_us: u64) -> Option<Passage> {
        let link = *self.links.get(&(from, to))?;
        let random = &mut self.random;
        let mut happens =
            |percent: u32| percent > 0 && random.below(100) < u64::from(percent.min(100));
        let mut passage = Passage {
            extra_us: link.delay_us,
            losses: 0,
            duplicated: false,
            reordered: false,
        };
        let mut wait = lost_us;
        while passage.losses < LOSSES_MAX && happens(link.drop_percent) {
            passage.losses += 1;
            passage.extra_us += wait;
            wait = (wait * 2).min(RETRANSMISSION_US_MAX);
        }
        passage.duplicated = happens(link.duplicate_percent);
        passage.reordered = happens(link.reorder_percent);
        if passage.reordered {
            passage.extra_us += 1_000 + self.random.below(20_000);
        }
        Some(passage)
    }

    fn link(&mut self, from: HostId, to: HostId) -> &mut Link {
        self.links.entry((from, to)).or_default()
    }
}

impl Fault {
    /// The hosts that it is about: one, or sender and receiver.
    pub fn hosts(&self) -> (HostId, Option<HostId>) {
        match self {
            Fault::Cut { from, to }
            | Fault::Delay { from, to, .. }
            | Fault::Drop { from, to, .. }
            | Fault::Duplicate { from, to, .. }
            | Fault::Reorder { from, to, .. } => (*from, Some(*to)),
            Fault::ClockSkew { host, .. }
            | Fault::Pause { host }
            | Fault::PowerCut { host }
            | Fault::TornWrite { host }
            | Fault::FlipBit { host, .. }
            | Fault::FullDisk { host }
            | Fault::SlowDisk { host, .. } => (*host, None),
        }
    }
}

impl World {
    /// Breaks something. `false` when there is nothing to break: a bit that is not there.
    pub fn inject(&mut self, fault: Fault) -> bool {
        let now = self.now;
        let event = self.trace.push(now, TraceKind::Fault(fault.clone()));
        let cause = self.trace.cause;
        self.set_cause(Some(event));
        let done = match fault {
            Fault::Cut { from, to } => {
                self.faults.link(from, to).cut = true;
                true
            }
            Fault::Delay { from, to, delay_us } => {
                self.faults.link(from, to).delay_us = delay_us;
                true
            }
            Fault::Drop { from, to, percent } => {
                self.faults.link(from, to).drop_percent = percent.min(99);
                true
            }
            Fault::Duplicate { from, to, percent } => {
                self.faults.link(from, to).duplicate_percent = percent.min(100);
                true
            }
            Fault::Reorder { from, to, percent } => {
                self.faults.link(from, to).reorder_percent = percent.min(100);
                true
            }
            Fault::ClockSkew { host, skew_us } => {
                self.host_mut(host).clock.set(skew_us, now);
                self.reschedule_tick(host);
                true
            }
            Fault::Pause { host } => {
                let entry = self.host_mut(host);
                !std::mem::replace(&mut entry.paused, true)
            }
            Fault::PowerCut { host } => {
                self.power_off(host);
                self.host_mut(host).disk.power_cut();
                true
            }
            Fault::TornWrite { host } => {
                self.power_off(host);
                let mut random = Random::new(self.faults.random.next_u64(), "torn");
                let disk = &mut self.host_mut(host).disk;
                disk.power_cut_keeping(|_, unflushed| random.below(unflushed + 1));
                true
            }
            Fault::FlipBit { host, path, bit } => self.host_mut(host).disk.flip_bit(&path, bit),
            Fault::FullDisk { host } => {
                let disk = &mut self.host_mut(host).disk;
                let held = disk.held_bytes();
                disk.set_capacity(Some(held));
                self.host_mut(host).disk_full = true;
                true
            }
            Fault::SlowDisk { host, operation_us } => {
                self.host_mut(host).disk_operation_us = operation_us;
                true
            }
        };
        self.set_cause(cause);
        done
    }

    /// What is broken now and can be healed, in a fixed order. A machine without power is started, not healed.
    pub fn active_faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for ((from, to), link) in &self.faults.links {
            let (from, to) = (*from, *to);
            if link.cut {
                faults.push(Fault::Cut { from, to });
            }
            if link.delay_us > 0 {
                let delay_us = link.delay_us;
                faults.push(Fault::Delay { from, to, delay_us });
            }
            for (percent, fault) in [
                (
                    link.drop_percent,
                    Fault::Drop {
                        from,
                        to,
                        percent: link.drop_percent,
                    },
                ),
                (
                    link.duplicate_percent,
                    Fault::Duplicate {
                        from,
                        to,
                        percent: link.duplicate_percent,
                    },
                ),
                (
                    link.reorder_percent,
                    Fault::Reorder {
                        from,
                        to,
                        percent: link.reorder_percent,
                    },
                ),
            ] {
                if percent > 0 {
                    faults.push(fault);
                }
            }
        }
        for host in self.host_ids() {
            let entry = self.host(host);
            if entry.clock.skew_us != 0 {
                faults.push(Fault::ClockSkew {
                    host,
                    skew_us: entry.clock.skew_us,
                });
            }
            if entry.paused {
                faults.push(Fault::Pause { host });
            }
            if entry.disk_full {
                faults.push(Fault::FullDisk { host });
            }
            if entry.disk_operation_us > 0 {
                let operation_us = entry.disk_operation_us;
                faults.push(Fault::SlowDisk { host, operation_us });
            }
        }
        faults
    }

    /// Ends the faults of [`World::active_faults`] that `which` names. Returns how many.
    pub fn heal(&mut self, which: impl Fn(&Fault) -> bool) -> usize {
        let faults: Vec<Fault> = self.active_faults().into_iter().filter(which).collect();
        let now = self.now;
        let cause = self.trace.cause;
        for fault in &faults {
            let event = self.trace.push(now, TraceKind::Healed(fault.clone()));
            self.set_cause(Some(event));
            match *fault {
                Fault::Cut { from, to } => {
                    self.faults.link(from, to).cut = false;
                    self.resume_connections();
                }
                Fault::Delay { from, to, .. } => self.faults.link(from, to).delay_us = 0,
                Fault::Drop { from, to, .. } => self.faults.link(from, to).drop_percent = 0,
                Fault::Duplicate { from, to, .. } => {
                    self.faults.link(from, to).duplicate_percent = 0;
                }
                Fault::Reorder { from, to, .. } => self.faults.link(from, to).reorder_percent = 0,
                Fault::ClockSkew { host, .. } => {
                    self.host_mut(host).clock.set(0, now);
                    self.reschedule_tick(host);
                }
                Fault::Pause { host } => self.unpause(host),
                Fault::FullDisk { host } => {
                    self.host_mut(host).disk_full = false;
                    self.host_mut(host).disk.set_capacity(None);
                }
                Fault::SlowDisk { host, .. } => self.host_mut(host).disk_operation_us = 0,
                Fault::PowerCut { .. } | Fault::TornWrite { .. } | Fault::FlipBit { .. } => {}
            }
        }
        self.faults.links.retain(|_, link| *link != Link::default());
        self.set_cause(cause);
        faults.len()
    }

    /// Whether a host's processes are stopped (SIGSTOP).
    pub fn is_paused(&self, host: HostId) -> bool {
        self.host(host).paused
    }

    /// Whether a host has power.
    pub fn is_powered(&self, host: HostId) -> bool {
        self.host(host).powered
    }

    /// What a host's clock shows.
    pub fn clock(&self, host: HostId) -> Time {
        self.host(host).clock.shown(self.now)
    }

    /// SIGCONT: what waited goes on.
    fn unpause(&mut self, host: HostId) {
        if !std::mem::replace(&mut self.host_mut(host).paused, false) {
            return;
        }
        let waiting = std::mem::take(&mut self.host_mut(host).paused_tasks);
        waiting.into_iter().for_each(|pid| self.ready.push(pid));
        self.pump(host);
        self.reschedule_tick(host);
    }

    /// The machine is dark at once: nobody is told.
    fn power_off(&mut self, host: HostId) {
        self.host_mut(host).powered = false;
        self.kill_node(host);
        self.kill_processes(host);
    }

    /// Power is back: what others still hold of before is unknown here.
    pub(crate) fn power_on(&mut self, host: HostId) {
        if !std::mem::replace(&mut self.host_mut(host).powered, true) {
            self.reset_connections_of(host);
        }
    }

    /// A disk that refused a change ends the node: `true` when it did. With its one log directory gone
    /// Kafka halts.
    pub(crate) fn end_on_disk_failure(&mut self, host: HostId) -> bool {
        let entry = self.host_mut(host);
        if entry.state == NodeState::Stopped {
            return false;
        }
        match entry.disk.failure() {
            None => return false,
            Some(DiskFailure::Dead) => {
                self.inject(Fault::PowerCut { host });
            }
            Some(DiskFailure::Full) => {
                let directory = entry.config.as_ref().map(|config| config.log_dir.clone());
                let directory = directory.unwrap_or_default();
                for (logger, message) in [
                    (
                        "org.apache.kafka.storage.internals.log.LogDirFailureChannel",
                        format!(
                            "Error while writing in dir {directory}\njava.io.IOException: No space left on device"
                        ),
                    ),
                    (
                        "kafka.log.LogManager",
                        format!("Shutdown broker because all log dirs in {directory} have failed"),
                    ),
                ] {
                    let line = LogLine {
                        level: LogLevel::Error,
                        logger,
                        message,
                    };
                    let now = self.clock(host);
                    self.host_mut(host).log(now, line);
                }
                self.kill_node(host);
                // The next start is refused too, as long as the disk is full.
                if self.host(host).disk_full {
                    let disk = &mut self.host_mut(host).disk;
                    let held = disk.held_bytes();
                    disk.set_capacity(Some(held));
                }
            }
        }
        true
    }

    pub(crate) fn reschedule_tick(&mut self, host: HostId) {
        self.host_mut(host).tick_at = Time::NEVER;
        self.schedule_tick(host);
    }

    pub(crate) fn schedule_tick(&mut self, host: HostId) {
        let entry = self.host(host);
        let deadline = entry
            .node
            .as_ref()
            .map_or(Time::NEVER, playground_broker::Node::next_deadline);
        if deadline != entry.tick_at {
            let at = entry.clock.when(deadline).max(self.now);
            self.host_mut(host).tick_at = deadline;
            if deadline != Time::NEVER {
                self.schedule(at, Event::NodeTick { host });
            }
        }
    }
}

/// How long a lost packet waits until it is sent again.
pub(crate) const LOST_FRAME_US: u64 = RETRANSMISSION_US;
/// How long a lost connection request waits.
pub(crate) const LOST_CONNECT_US: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_never_goes_back_and_its_inverse_agrees() {
        let mut clock = Clock::default();
        let at = |ms: i64| Time::from_millis(1_000_000 + ms);
        clock.set(5_000_000, at(0));
        assert_eq!(clock.shown(at(0)), at(5_000));
        clock.set(-1_000_000, at(100));
        let mut last = at(5_100);
        for ms in (100..20_000).step_by(37) {
            let shown = clock.shown(at(ms));
            assert!(shown >= last);
            last = shown;
            assert_eq!(clock.shown(clock.when(shown)), shown);
        }
        assert_eq!(last, at(20_000 - 33 - 1_000).max(last));
        assert_eq!(clock.shown(at(30_000)), at(29_000), "it is right at last");
    }

    #[test]
    fn what_is_lost_is_sent_again_later_and_later() {
        let sent = Time::from_millis(1_000);
        let at = |now| next_retransmission(sent, Time::from_millis(now), 200_000).millis();
        assert_eq!(
            [at(1_000), at(1_001), at(1_300), at(2_000), at(60_000)],
            [1_000, 1_200, 1_600, 2_400, 103_200]
        );
    }
}
