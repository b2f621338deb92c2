//! Brokers' sessions with the controller (`BrokerHeartbeatManager`, `BrokerHeartbeatTracker`): state that is
//! not in the records.
//!
//! A broker is fenced, unfenced, in controlled shutdown, or told to shut down:
//! fenced → unfenced | shutdown; unfenced → fenced | controlled shutdown | shutdown;
//! controlled shutdown → shutdown.

use std::collections::BTreeMap;

use playground_protocol::Time;

/// Where a broker stands (`BrokerControlState`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrokerState {
    /// It leads nothing and clients do not see it.
    Fenced,
    /// It serves.
    Unfenced,
    /// It serves until its leaderships are moved.
    ControlledShutdown,
    /// It may stop.
    ShutdownNow,
}

impl BrokerState {
    /// What a heartbeat's response says.
    pub fn is_fenced(self) -> bool {
        matches!(self, BrokerState::Fenced | BrokerState::ShutdownNow)
    }
}

/// One broker's session.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Session {
    fenced: bool,
    /// `None` while it never sent a heartbeat at this epoch, or is fenced and silent.
    deadline: Option<Time>,
    epoch: i64,
    metadata_offset: i64,
    controlled_shutdown_offset: Option<i64>,
}

/// What a heartbeat asks for.
#[derive(Clone, Copy, Debug)]
pub struct Wish {
    /// The offset that the broker has replayed to.
    pub metadata_offset: i64,
    /// Whether it wants to be fenced.
    pub fence: bool,
    /// Whether it wants to shut down.
    pub shut_down: bool,
}

/// The sessions of all registered brokers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    sessions: BTreeMap<i32, Session>,
}

impl Sessions {
    /// Forgets all: the controller is no longer, or newly, active.
    pub fn clear(&mut self) {
        self.sessions.clear();
    }

    /// A broker registered, or its registration changed.
    pub fn register(&mut self, broker: i32, epoch: i64, fenced: bool) {
        let session = self.sessions.entry(broker).or_insert(Session {
            fenced,
            deadline: None,
            epoch,
            metadata_offset: -1,
            controlled_shutdown_offset: None,
        });
        if session.epoch != epoch {
            session.epoch = epoch;
            session.deadline = None;
            session.metadata_offset = -1;
            session.controlled_shutdown_offset = None;
        }
        session.fenced = fenced;
        if fenced {
            session.controlled_shutdown_offset = None;
        }
    }

    /// A broker is no longer registered.
    pub fn remove(&mut self, broker: i32) {
        self.sessions.remove(&broker);
    }

    /// The broker was heard of: its session lasts until `deadline`.
    pub fn track(&mut self, broker: i32, deadline: Time) {
        if let Some(session) = self.sessions.get_mut(&broker) {
            session.deadline = Some(deadline);
        }
    }

    /// Whether the broker's session lasts.
    pub fn is_valid(&self, broker: i32, epoch: i64, now: Time) -> bool {
        self.sessions.get(&broker).is_some_and(|session| {
            session.epoch == epoch && session.deadline.is_some_and(|deadline| now < deadline)
        })
    }

    /// Whether the broker is moving its leaderships away.
    pub fn is_shutting_down(&self, broker: i32) -> bool {
        self.sessions
            .get(&broker)
            .is_some_and(|session| session.controlled_shutdown_offset.is_some())
    }

    /// Whether the broker counts as fenced for placing replicas.
    pub fn is_fenced(&self, broker: i32) -> bool {
        self.sessions
            .get(&broker)
            .is_none_or(|session| session.fenced)
    }

    /// From which state to which a heartbeat takes the broker (`calculateNextBrokerState`).
    pub fn next_state(
        &self,
        broker: i32,
        wish: Wish,
        registration_offset: i64,
        has_leaderships: bool,
    ) -> (BrokerState, BrokerState) {
        use BrokerState::{ControlledShutdown, Fenced, ShutdownNow, Unfenced};
        let Some(session) = self.sessions.get(&broker) else {
            return (Fenced, Fenced);
        };
        if let Some(offset) = session.controlled_shutdown_offset {
            let next = if !has_leaderships && offset <= self.lowest_active_offset() {
                ShutdownNow
            } else {
                ControlledShutdown
            };
            return (ControlledShutdown, next);
        }
        if session.fenced {
            let next = if wish.shut_down {
                ShutdownNow
            } else if !wish.fence && wish.metadata_offset >= registration_offset {
                Unfenced
            } else {
                Fenced
            };
            return (Fenced, next);
        }
        let next = match (wish.fence, wish.shut_down) {
            (true, false) => Fenced,
            (true, true) => ShutdownNow,
            (false, true) if has_leaderships => ControlledShutdown,
            (false, true) => ShutdownNow,
            (false, false) => Unfenced,
        };
        (Unfenced, next)
    }

    /// A heartbeat took the broker to `state`; `write_offset` is where the controller's log then ends.
    pub fn touch(
        &mut self,
        broker: i32,
        state: BrokerState,
        metadata_offset: i64,
        write_offset: i64,
    ) {
        let Some(session) = self.sessions.get_mut(&broker) else {
            return;
        };
        session.metadata_offset = metadata_offset;
        session.fenced = state.is_fenced();
        match state {
            BrokerState::ControlledShutdown => {
                session
                    .controlled_shutdown_offset
                    .get_or_insert(write_offset);
            }
            _ if session.fenced => session.controlled_shutdown_offset = None,
            _ => {}
        }
    }

    /// The offset that all serving brokers have replayed to.
    fn lowest_active_offset(&self) -> i64 {
        self.sessions
            .values()
            .filter(|session| !session.fenced && session.controlled_shutdown_offset.is_none())
            .map(|session| session.metadata_offset)
            .min()
            .unwrap_or(i64::MAX)
    }

    /// Ends and returns the session that was over first, if any is by `now`: (broker, epoch).
    pub fn take_expired(&mut self, now: Time) -> Option<(i32, i64)> {
        let (broker, session) = self
            .sessions
            .iter_mut()
            .filter(|(_, session)| session.deadline.is_some_and(|deadline| deadline <= now))
            .min_by_key(|(_, session)| session.deadline)?;
        session.deadline = None;
        session.fenced = true;
        session.controlled_shutdown_offset = None;
        Some((*broker, session.epoch))
    }

    /// When the next session ends; [`Time::NEVER`] if none does.
    pub fn next_deadline(&self) -> Time {
        self.sessions
            .values()
            .filter_map(|session| session.deadline)
            .min()
            .unwrap_or(Time::NEVER)
    }
}
