//! What a leader knows of one follower (Kafka's `Replica`).

/// A follower's fetch, as its leader takes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct FollowerFetch {
    /// The offset that it asks for: all below is on its disk.
    pub offset: i64,
    pub log_start_offset: i64,
    /// The leader's log end offset when it read.
    pub leader_end_offset: i64,
    /// The follower's broker epoch (KIP-903); -1 where it does not say.
    pub broker_epoch: i64,
}

/// See the module. Times are milliseconds; offsets are -1 before the first fetch in this leader's epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Follower {
    pub log_start_offset: i64,
    pub log_end_offset: i64,
    pub last_caught_up_ms: i64,
    /// `None` before the first fetch in this leader's epoch.
    pub broker_epoch: Option<i64>,
    last_fetch_ms: i64,
    last_fetch_leader_end_offset: i64,
}

impl Follower {
    /// A follower of a new leader, which has heard nothing of it yet. One in the ISR gets the whole lag time.
    pub fn new(in_sync: bool, now_ms: i64) -> Follower {
        Follower {
            log_start_offset: -1,
            log_end_offset: -1,
            last_caught_up_ms: if in_sync { now_ms } else { 0 },
            broker_epoch: None,
            last_fetch_ms: 0,
            last_fetch_leader_end_offset: -1,
        }
    }

    /// The same leader begins another epoch: what it knows of its follower stays.
    pub fn leader_epoch_began(&mut self, in_sync: bool, leader_end_offset: i64, now_ms: i64) {
        self.last_caught_up_ms = if in_sync { now_ms } else { 0 };
        self.last_fetch_ms = self.last_caught_up_ms;
        self.last_fetch_leader_end_offset = leader_end_offset;
    }

    /// `updateFetchStateOrThrow`: it is caught up now if it has all that the leader has, and was caught up at its
    /// last fetch if it has all that the leader had then.
    pub fn fetched(&mut self, fetch: &FollowerFetch, now_ms: i64) {
        if fetch.offset >= fetch.leader_end_offset {
            self.last_caught_up_ms = self.last_caught_up_ms.max(now_ms);
        } else if fetch.offset >= self.last_fetch_leader_end_offset {
            self.last_caught_up_ms = self.last_caught_up_ms.max(self.last_fetch_ms);
        }
        self.log_start_offset = fetch.log_start_offset;
        self.log_end_offset = fetch.offset;
        self.last_fetch_leader_end_offset = self
            .last_fetch_leader_end_offset
            .max(fetch.leader_end_offset);
        self.last_fetch_ms = now_ms;
        self.broker_epoch = Some(fetch.broker_epoch);
    }

    /// Whether it has all, or had all no longer ago than `lag_ms_max`.
    pub fn is_caught_up(&self, leader_end_offset: i64, now_ms: i64, lag_ms_max: i64) -> bool {
        self.log_end_offset == leader_end_offset
            || now_ms.saturating_sub(self.last_caught_up_ms) <= lag_ms_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follower_is_caught_up_as_of_the_fetch_before() {
        let mut follower = Follower::new(false, 5);
        let fetch = |offset, leader_end_offset| FollowerFetch {
            offset,
            log_start_offset: 0,
            leader_end_offset,
            broker_epoch: 9,
        };
        follower.fetched(&fetch(0, 10), 100);
        assert_eq!(follower.last_caught_up_ms, 0);
        // It has what the leader had at 100, though not what it has now.
        follower.fetched(&fetch(10, 20), 200);
        assert_eq!(follower.last_caught_up_ms, 100);
        assert!(follower.is_caught_up(20, 30_100, 30_000));
        assert!(!follower.is_caught_up(20, 30_101, 30_000));
        follower.fetched(&fetch(20, 20), 300);
        assert_eq!(follower.last_caught_up_ms, 300);
        assert_eq!(follower.broker_epoch, Some(9));
    }
}
