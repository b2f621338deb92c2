//! Virtual time, an argument of every `handle`.

use std::ops::Add;
use std::time::Duration;

/// A moment of virtual time: microseconds since the Unix epoch.
///
/// The simulation moves it forward from event to event; natively it follows the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(u64);

impl Time {
    /// The end of time: a deadline that never comes.
    pub const NEVER: Time = Time(u64::MAX);

    /// The moment `micros` microseconds after the Unix epoch.
    pub const fn from_micros(micros: u64) -> Time {
        Time(micros)
    }

    /// The moment `millis` milliseconds after the Unix epoch; negative values clamp to the epoch.
    pub const fn from_millis(millis: i64) -> Time {
        Time(if millis < 0 {
            0
        } else {
            (millis as u64).saturating_mul(1000)
        })
    }

    /// Microseconds since the Unix epoch.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// Milliseconds since the Unix epoch, Kafka's unit for timestamps.
    pub const fn millis(self) -> i64 {
        (self.0 / 1000) as i64
    }

    /// `self` and `millis` milliseconds more, saturating; negative values count as zero.
    pub const fn plus_millis(self, millis: i64) -> Time {
        let millis = if millis < 0 { 0 } else { millis as u64 };
        Time(self.0.saturating_add(millis.saturating_mul(1000)))
    }

    /// The time from `earlier` to `self`, zero if `earlier` is later.
    pub const fn since(self, earlier: Time) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Time {
    type Output = Time;

    fn add(self, duration: Duration) -> Time {
        Time(self.0.saturating_add(duration.as_micros() as u64))
    }
}
