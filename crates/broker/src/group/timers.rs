//! Deadlines by key, as the coordinator runtime's timer keeps them: scheduling a key again moves it.

use std::collections::{BTreeMap, BTreeSet};

use playground_protocol::Time;

/// What a deadline belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum TimerKey {
    /// A member's session, or a new member's first join.
    Heartbeat { group: String, member: String },
    /// The join phase of a rebalance.
    Join { group: String },
    /// The sync phase of a rebalance.
    Sync { group: String },
    /// The periodic look for expired offsets.
    Expiration,
}

/// What happens at a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TimerAction {
    /// The member is silent for too long.
    ExpireMember,
    /// The join phase ends with the members that joined.
    CompleteJoin,
    /// The initial delay of an empty group's first rebalance is over, unless members kept coming.
    InitialDelay {
        /// The delay that ends, in milliseconds.
        delay_ms: i32,
        /// What is left of the rebalance timeout, in milliseconds.
        remaining_ms: i32,
    },
    /// Members of this generation that did not sync are removed.
    ExpireSync {
        /// The generation that the phase was for.
        generation: i32,
    },
    /// Looks for expired offsets.
    ExpireOffsets,
}

/// All deadlines of one partition's groups.
#[derive(Clone, Debug, Default)]
pub(super) struct Timers {
    by_key: BTreeMap<TimerKey, (Time, TimerAction)>,
    by_time: BTreeSet<(Time, TimerKey)>,
}

impl Timers {
    /// Sets the key's deadline, in place of an earlier one.
    pub fn schedule(&mut self, key: TimerKey, at: Time, action: TimerAction) {
        self.cancel(&key);
        self.by_time.insert((at, key.clone()));
        self.by_key.insert(key, (at, action));
    }

    /// Forgets the key's deadline.
    pub fn cancel(&mut self, key: &TimerKey) {
        if let Some((at, _)) = self.by_key.remove(key) {
            self.by_time.remove(&(at, key.clone()));
        }
    }

    /// Forgets the session of a member.
    pub fn cancel_heartbeat(&mut self, group: &str, member: &str) {
        self.cancel(&TimerKey::Heartbeat {
            group: group.to_owned(),
            member: member.to_owned(),
        });
    }

    /// The earliest deadline.
    pub fn next(&self) -> Time {
        self.by_time.first().map_or(Time::NEVER, |(at, _)| *at)
    }

    /// The keys that are due, earliest first.
    pub fn due(&self, now: Time) -> Vec<TimerKey> {
        self.by_time
            .iter()
            .take_while(|(at, _)| *at <= now)
            .map(|(_, key)| key.clone())
            .collect()
    }

    /// Takes the key's action out if it is (still) due.
    pub fn take_due(&mut self, key: &TimerKey, now: Time) -> Option<TimerAction> {
        let (at, action) = *self.by_key.get(key)?;
        if at > now {
            return None;
        }
        self.cancel(key);
        Some(action)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_one_deadline() {
        let mut timers = Timers::default();
        let key = TimerKey::Join {
            group: "g".to_owned(),
        };
        timers.schedule(
            key.clone(),
            Time::from_millis(10),
            TimerAction::CompleteJoin,
        );
        timers.schedule(
            key.clone(),
            Time::from_millis(20),
            TimerAction::CompleteJoin,
        );
        assert_eq!(timers.next(), Time::from_millis(20));
        assert!(timers.due(Time::from_millis(10)).is_empty());
        assert_eq!(
            timers.due(Time::from_millis(20)),
            std::slice::from_ref(&key)
        );
        assert_eq!(
            timers.take_due(&key, Time::from_millis(20)),
            Some(TimerAction::CompleteJoin)
        );
        assert_eq!(timers.next(), Time::NEVER);
    }
}
