//! A broker's life with its controller (Kafka's `BrokerLifecycleManager`): registration, heartbeats, and the
//! controlled shutdown.

use playground_protocol::codec::StrBytes;
use playground_protocol::messages::broker_registration_request::{Feature, Listener};
use playground_protocol::messages::{
    BrokerHeartbeatRequest, BrokerHeartbeatResponse, BrokerRegistrationRequest,
    BrokerRegistrationResponse,
};
use playground_protocol::{ErrorCode, LogLevel, LogLine, Time};
use uuid::Uuid;

use super::features::SUPPORTED_FEATURES;
use super::interface::NodeConfig;

/// After this, a heartbeat during the start (no recovery work pending).
const STARTING_HEARTBEAT_MS: i64 = 10;
/// After this, the second heartbeat of a controlled shutdown.
const SHUTDOWN_HEARTBEAT_MS: i64 = 50;
/// After this, another try of what failed.
const RETRY_MS: i64 = 100;

const LIFECYCLE_LOGGER: &str = "kafka.server.BrokerLifecycleManager";

/// Legal transitions: Starting → Recovery → Running → PendingControlledShutdown → ShuttingDown, and from each
/// straight to ShuttingDown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum BrokerState {
    /// It copies the metadata.
    Starting,
    /// It has the metadata, and is fenced.
    Recovery,
    /// It takes requests.
    Running,
    /// It asked the controller to move its leaderships away.
    PendingControlledShutdown,
    /// It stops.
    ShuttingDown,
}

/// What the node does next.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum LifecycleStep {
    /// Send this registration.
    Register(Box<BrokerRegistrationRequest>),
    /// Send this heartbeat.
    Heartbeat(BrokerHeartbeatRequest),
}

/// What a response led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LifecycleEvent {
    None,
    /// The metadata is here: load the logs.
    CaughtUp,
    /// Take requests.
    Unfenced,
    /// The controlled shutdown is done.
    MayStop,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Lifecycle {
    pub state: BrokerState,
    pub broker_epoch: i64,
    incarnation_id: Uuid,
    directory_id: Uuid,
    previous_broker_epoch: i64,
    announced: bool,
    registered: bool,
    ready_to_unfence: bool,
    waiting: bool,
    next_communication: Time,
    heartbeat_interval_ms: i64,
    got_shutdown_response: bool,
    lines: Vec<LogLine>,
    node_id: i32,
}

impl Lifecycle {
    pub fn new(
        node_id: i32,
        incarnation_id: Uuid,
        directory_id: Uuid,
        previous_broker_epoch: i64,
        heartbeat_interval_ms: i64,
        now: Time,
    ) -> Lifecycle {
        Lifecycle {
            state: BrokerState::Starting,
            broker_epoch: -1,
            incarnation_id,
            directory_id,
            previous_broker_epoch,
            announced: false,
            registered: false,
            ready_to_unfence: false,
            waiting: false,
            next_communication: now,
            heartbeat_interval_ms,
            got_shutdown_response: false,
            lines: Vec::new(),
            node_id,
        }
    }

    /// When [`Lifecycle::step`] has something to do.
    pub fn next_deadline(&self) -> Time {
        if self.waiting || self.state == BrokerState::ShuttingDown {
            Time::NEVER
        } else {
            self.next_communication
        }
    }

    /// What to send to the controller, when it is time.
    pub fn step(
        &mut self,
        config: &NodeConfig,
        cluster_id: &str,
        metadata_offset: i64,
        now: Time,
    ) -> Option<LifecycleStep> {
        if self.next_deadline() > now {
            return None;
        }
        self.waiting = true;
        if self.registered {
            return Some(LifecycleStep::Heartbeat(
                BrokerHeartbeatRequest::default()
                    .with_broker_id(self.node_id.into())
                    .with_broker_epoch(self.broker_epoch)
                    .with_current_metadata_offset(metadata_offset)
                    .with_want_fence(!self.ready_to_unfence)
                    .with_want_shut_down(self.state == BrokerState::PendingControlledShutdown),
            ));
        }
        let listeners = config
            .broker_listeners()
            .map(|listener| {
                Listener::default()
                    .with_name(StrBytes::from_string(listener.name.clone()))
                    .with_host(StrBytes::from_string(listener.advertised_host.clone()))
                    .with_port(listener.advertised_port)
                    .with_security_protocol(0)
            })
            .collect();
        let features = SUPPORTED_FEATURES
            .iter()
            .map(|(name, low, high)| {
                Feature::default()
                    .with_name(StrBytes::from_static_str(name))
                    .with_min_supported_version(*low)
                    .with_max_supported_version(*high)
            })
            .collect();
        if !std::mem::replace(&mut self.announced, true) {
            self.info(format!(
                "Incarnation {} of broker {} in cluster {cluster_id} is now STARTING.",
                playground_log::checkpoint::uuid_text(self.incarnation_id),
                self.node_id,
            ));
        }
        Some(LifecycleStep::Register(Box::new(
            BrokerRegistrationRequest::default()
                .with_broker_id(self.node_id.into())
                .with_cluster_id(StrBytes::from_string(cluster_id.to_owned()))
                .with_incarnation_id(self.incarnation_id)
                .with_listeners(listeners)
                .with_features(features)
                .with_rack(config.rack.clone().map(StrBytes::from_string))
                .with_log_dirs(vec![self.directory_id])
                .with_previous_broker_epoch(self.previous_broker_epoch),
        )))
    }

    pub fn registered(&mut self, response: &BrokerRegistrationResponse, now: Time) {
        self.waiting = false;
        if response.error_code == 0 {
            self.registered = true;
            self.broker_epoch = response.broker_epoch;
            self.next_communication = now;
            self.info(format!(
                "Successfully registered broker {} with broker epoch {}",
                self.node_id, self.broker_epoch
            ));
        } else {
            self.next_communication = now.plus_millis(RETRY_MS);
            let error = ErrorCode(response.error_code);
            self.info(format!(
                "Unable to register broker {} because the controller returned error {}",
                self.node_id,
                error.name()
            ));
        }
    }

    pub fn heard(&mut self, response: &BrokerHeartbeatResponse, now: Time) -> LifecycleEvent {
        self.waiting = false;
        if response.error_code != 0 {
            self.next_communication = now.plus_millis(RETRY_MS);
            let error = ErrorCode(response.error_code);
            // Another controller forgot us, or fenced this epoch: begin anew, as a restart would.
            if error == ErrorCode::STALE_BROKER_EPOCH
                || error == ErrorCode::BROKER_ID_NOT_REGISTERED
            {
                self.registered = false;
            }
            self.warn(format!(
                "Broker {} sent a heartbeat request but received error {}.",
                self.node_id,
                error.name()
            ));
            return LifecycleEvent::None;
        }
        self.next_communication = now.plus_millis(self.heartbeat_interval_ms);
        match self.state {
            BrokerState::Starting => {
                self.next_communication = now.plus_millis(STARTING_HEARTBEAT_MS);
                if response.is_caught_up {
                    self.info(
                        "The broker has caught up. Transitioning from STARTING to RECOVERY."
                            .to_owned(),
                    );
                    self.state = BrokerState::Recovery;
                    return LifecycleEvent::CaughtUp;
                }
            }
            BrokerState::Recovery => {
                if !response.is_fenced {
                    self.info(
                        "The broker has been unfenced. Transitioning from RECOVERY to RUNNING."
                            .to_owned(),
                    );
                    self.state = BrokerState::Running;
                    return LifecycleEvent::Unfenced;
                }
            }
            BrokerState::Running => {}
            BrokerState::PendingControlledShutdown => {
                if response.should_shut_down {
                    self.info(
                        "The controller has asked us to exit controlled shutdown.".to_owned(),
                    );
                    self.state = BrokerState::ShuttingDown;
                    return LifecycleEvent::MayStop;
                }
                if !self.got_shutdown_response {
                    self.next_communication = now.plus_millis(SHUTDOWN_HEARTBEAT_MS);
                }
                self.got_shutdown_response = true;
            }
            BrokerState::ShuttingDown => {}
        }
        LifecycleEvent::None
    }

    /// No answer came: try again.
    pub fn failed(&mut self, now: Time) {
        self.waiting = false;
        self.next_communication = now.plus_millis(RETRY_MS);
    }

    /// The logs are loaded: the controller may unfence this broker.
    pub fn set_ready_to_unfence(&mut self, now: Time) {
        self.ready_to_unfence = true;
        self.next_communication = now;
    }

    /// Begins the controlled shutdown; `false` when there is nothing to wait for.
    pub fn begin_controlled_shutdown(&mut self, now: Time) -> bool {
        if self.state != BrokerState::Running {
            self.state = BrokerState::ShuttingDown;
            return false;
        }
        self.state = BrokerState::PendingControlledShutdown;
        self.next_communication = now;
        self.info("Beginning controlled shutdown.".to_owned());
        true
    }

    pub fn take_lines(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut self.lines)
    }

    fn info(&mut self, text: String) {
        self.log(LogLevel::Info, text);
    }

    fn warn(&mut self, text: String) {
        self.log(LogLevel::Warn, text);
    }

    fn log(&mut self, level: LogLevel, text: String) {
        self.lines.push(LogLine {
            level,
            logger: LIFECYCLE_LOGGER,
            message: format!("[BrokerLifecycleManager id={}] {text}", self.node_id),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_broker_registers_catches_up_is_unfenced_and_leaves() {
        let config = NodeConfig {
            node_id: 1,
            cluster_id: Uuid::nil(),
            listeners: Vec::new(),
            controller_voters: Vec::new(),
            rack: None,
            log_dir: String::new(),
            overrides: Vec::new(),
        };
        let now = Time::from_millis(0);
        let mut life = Lifecycle::new(1, Uuid::from_u128(1), Uuid::from_u128(2), -1, 2_000, now);
        let step = life.step(&config, "c", -1, now);
        assert!(matches!(step, Some(LifecycleStep::Register(_))));
        assert!(life.step(&config, "c", -1, now).is_none());
        life.registered(
            &BrokerRegistrationResponse::default().with_broker_epoch(5),
            now,
        );
        let Some(LifecycleStep::Heartbeat(beat)) = life.step(&config, "c", 5, now) else {
            panic!("a heartbeat")
        };
        assert!(beat.want_fence && beat.broker_epoch == 5);
        let caught_up = BrokerHeartbeatResponse::default().with_is_caught_up(true);
        assert_eq!(life.heard(&caught_up, now), LifecycleEvent::CaughtUp);
        life.set_ready_to_unfence(now);
        let Some(LifecycleStep::Heartbeat(beat)) = life.step(&config, "c", 5, now) else {
            panic!("a heartbeat")
        };
        assert!(!beat.want_fence);
        let unfenced = caught_up.with_is_fenced(false);
        assert_eq!(life.heard(&unfenced, now), LifecycleEvent::Unfenced);
        assert_eq!(life.next_deadline(), now.plus_millis(2_000));
        assert!(life.begin_controlled_shutdown(now));
        assert!(life.step(&config, "c", 5, now).is_some());
        let may = unfenced.with_should_shut_down(true);
        assert_eq!(life.heard(&may, now), LifecycleEvent::MayStop);
    }
}
