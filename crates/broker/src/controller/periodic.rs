//! What the active controller does by itself (`PeriodicTaskControlManager`): it fences brokers whose sessions
//! ended, gives partitions back to their preferred leaders, and looks for unclean elections.

use playground_protocol::Time;

use super::{Controller, ControllerConfig, ControllerResult};

/// A task that found more than it may do at once goes on after this (`DEFAULT_IMMEDIATE_PERIOD_NS`).
const IMMEDIATE_PERIOD_MS: i64 = 10;
/// A session is looked at this often within its length (`maybeFenceStaleBrokerPeriodNs`).
const FENCE_CHECKS_PER_SESSION: i64 = 8;

/// When the tasks are due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Periodic {
    /// When the controller became active: the checks of sessions are counted from here.
    since: Time,
    fence_period_ms: i64,
    /// No session is looked at before this.
    fence_not_before: Time,
    balance_at: Time,
    balance_period_ms: i64,
    unclean_at: Time,
    unclean_period_ms: i64,
}

impl Periodic {
    /// Nothing is due.
    pub fn inactive() -> Periodic {
        Periodic {
            since: Time::NEVER,
            fence_period_ms: 1,
            fence_not_before: Time::NEVER,
            balance_at: Time::NEVER,
            balance_period_ms: 0,
            unclean_at: Time::NEVER,
            unclean_period_ms: 0,
        }
    }

    /// The tasks of a controller that becomes active now.
    pub fn starting(now: Time, config: &ControllerConfig) -> Periodic {
        let broker = &config.broker;
        let balance_period_ms = broker
            .long("leader.imbalance.check.interval.seconds")
            .max(1)
            .saturating_mul(1_000);
        let unclean_period_ms = broker.long("unclean.leader.election.interval.ms").max(1);
        Periodic {
            since: now,
            fence_period_ms: (config.broker_session_timeout_ms / FENCE_CHECKS_PER_SESSION).max(1),
            fence_not_before: now,
            balance_at: if broker.boolean("auto.leader.rebalance.enable") {
                now.plus_millis(balance_period_ms)
            } else {
                Time::NEVER
            },
            balance_period_ms,
            unclean_at: now.plus_millis(unclean_period_ms),
            unclean_period_ms,
        }
    }

    /// The first check of sessions at or after `end`.
    fn fence_check(&self, end: Time) -> Time {
        if end == Time::NEVER || self.since == Time::NEVER {
            return Time::NEVER;
        }
        let waited = (end.millis() - self.since.millis()).max(0);
        let periods = waited.div_euclid(self.fence_period_ms)
            + i64::from(waited.rem_euclid(self.fence_period_ms) > 0);
        self.since
            .plus_millis(periods * self.fence_period_ms)
            .max(self.fence_not_before)
    }
}

impl Controller {
    /// Does one of the tasks that are due; the result has no response. While [`next_deadline`](Self::next_deadline)
    /// is not later than `now`, there is another.
    pub fn tick(&mut self, now: Time) -> ControllerResult {
        let mut result = ControllerResult::default();
        if self.periodic.fence_check(self.sessions.next_deadline()) <= now {
            // One after the other: the next one's partitions are what this one's records make of them.
            result.records = self.fence_one_expired(now);
            self.periodic.fence_not_before = now.plus_millis(IMMEDIATE_PERIOD_MS);
        } else if self.periodic.balance_at <= now {
            let (records, more) = self.balance_leaders();
            result.records = records;
            self.periodic.balance_at = next(now, more, self.periodic.balance_period_ms);
        } else if self.periodic.unclean_at <= now {
            let (records, more) = self.elect_unclean_leaders();
            result.records = records;
            self.periodic.unclean_at = next(now, more, self.periodic.unclean_period_ms);
        }
        result
    }

    /// When the next task is due: call [`tick`](Self::tick) then.
    pub fn next_deadline(&self) -> Time {
        self.periodic
            .fence_check(self.sessions.next_deadline())
            .min(self.periodic.balance_at)
            .min(self.periodic.unclean_at)
    }
}

fn next(now: Time, more: bool, period_ms: i64) -> Time {
    now.plus_millis(if more { IMMEDIATE_PERIOD_MS } else { period_ms })
}
