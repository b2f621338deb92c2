//! One Kafka process, broker and controller in one (KRaft combined mode), as a plain value.
//!
//! Driving contract:
//! - [`Node::start`] first, then drain [`Node::poll_output`]. It reads the disk, as `kafka.Kafka` does.
//! - Inputs: [`Node::handle`], at [`Node::next_deadline`] with [`NodeInput::Tick`], and [`Node::shutdown`].
//!   Every input takes the same disk and a time that never goes back.
//! - After every input, drain [`Node::poll_output`] to the end, in order.
//! - [`NodeOutput::Stopped`] is the last output: the host drops the value and closes its connections.
//!   Dropping it at any other moment is a crash of the process.
//! - Accepted connections have the host's ids, opened ones the node's; the two are different numbers.

mod api;
mod channel;
mod connections;
mod coordinators;
pub(crate) mod features;
mod fetch_session;
mod follower;
mod forwarding;
mod forwarding_errors;
mod interface;
mod isr;
mod lifecycle;
mod limits;
mod partition;
mod producer_ids;
mod publish;
mod purgatory;
mod quorum;
mod replica_fetcher;
mod replica_manager;
mod replication;
mod settings;
mod startup;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use playground_log::{Disk, Log};
use playground_protocol::messages::{ApiKey, ResponseKind};
use playground_protocol::{ConnectionId, LogLevel, LogLine, Random, Time};

pub use interface::{CONTROLLER_LISTENER, Listener, NodeConfig, NodeInput, NodeOutput};
pub use view::{FollowerView, PartitionView, Role};

use crate::config::BrokerConfig;
use crate::controller::Controller;
use crate::group::{GroupCoordinator, GroupView};
use crate::metadata::MetadataImage;
pub use crate::raft::QuorumView;
use crate::raft::{METADATA_TOPIC, Raft};
use channel::Channel;
use connections::{Connections, Incoming};
use coordinators::GroupAppends;
use fetch_session::FetchSessions;
use forwarding::Call;
use isr::IsrUpdates;
use lifecycle::{BrokerState, Lifecycle};
use limits::STEPS_PER_INPUT_MAX;
use producer_ids::ProducerIds;
use purgatory::{PendingDeletion, PendingFetch, PendingProduce, Purgatory};
use quorum::Activity;
use replica_fetcher::ReplicaFetchers;
use replica_manager::ReplicaManager;
use settings::Settings;

const KAFKA_SERVER_LOGGER: &str = "kafka.server.KafkaRaftServer";
const SOCKET_SERVER_LOGGER: &str = "kafka.network.SocketServer";

/// Attempts to reach the controller after which a controlled shutdown goes on without it. Kafka waits five
/// minutes; whoever stops all nodes has nothing to wait for.
const SHUTDOWN_CONNECT_FAILURES_MAX: u32 = 3;

/// A controlled shutdown goes on after this time in any case.
const SHUTDOWN_MS_MAX: i64 = 3_000;

/// One Kafka process. See the module's driving contract.
#[derive(Debug)]
pub struct Node {
    config: NodeConfig,
    broker_config: BrokerConfig,
    settings: Settings,
    cluster_id_text: String,
    clean_shutdown: bool,
    output: VecDeque<NodeOutput>,
    /// Answers to give: by request, `None` where no frame goes out.
    completed: VecDeque<(u64, Option<ResponseKind>)>,
    connections: Connections,
    last_outgoing_connection: u64,
    heartbeats: Channel<Call>,
    forwarding: Channel<Call>,
    /// The connections to the other voters.
    voters: BTreeMap<i32, Channel<u64>>,
    raft: Raft,
    activity: Activity,
    /// `None` where this node is not the active controller.
    controller: Option<Controller>,
    image: MetadataImage,
    lifecycle: Lifecycle,
    /// The logs are loaded, and follow the image from now on.
    published: bool,
    replicas: ReplicaManager,
    sessions: FetchSessions,
    fetches: Purgatory<PendingFetch>,
    produces: Purgatory<PendingProduce>,
    deletions: Purgatory<PendingDeletion>,
    /// How this broker follows others.
    fetchers: ReplicaFetchers,
    isr_updates: IsrUpdates,
    groups: GroupCoordinator,
    group_appends: GroupAppends,
    producer_ids: ProducerIds,
    /// Topics whose creation was asked of the controller.
    topics_in_creation: BTreeSet<String>,
    random: Random,
    /// When a shutdown that began goes on without whom it waits for.
    shutdown_deadline: Time,
    stopped: bool,
}

impl Node {
    /// Takes one input.
    pub fn handle(&mut self, input: NodeInput, disk: &mut Disk, now: Time) {
        if self.stopped {
            return;
        }
        match input {
            NodeInput::Accepted {
                connection,
                listener,
                peer,
            } => self.connections.accept(connection, listener, peer),
            NodeInput::Frame(connection, frame) => {
                if !self.connections.frame(connection, frame) {
                    self.close(connection);
                }
            }
            NodeInput::Disconnected(connection) => self.forget_connection(connection),
            NodeInput::Client(input) => {
                let _ = self.heartbeats.handle(&input, now)
                    || self.forwarding.handle(&input, now)
                    || self.fetchers.handle(&input, now)
                    || self
                        .voters
                        .values_mut()
                        .any(|voter| voter.handle(&input, now));
            }
            NodeInput::Tick => {}
        }
        self.settle(disk, now);
    }

    /// Frames of an accepted connection that are not answered yet. A host that stops to read from a socket while
    /// this is high keeps a client from filling its memory, as Kafka does by muting the channel.
    pub fn waiting_frames(&self, connection: ConnectionId) -> usize {
        self.connections.waiting(connection)
    }

    /// Begins the controlled shutdown (SIGTERM); [`NodeOutput::Stopped`] ends it.
    pub fn shutdown(&mut self, disk: &mut Disk, now: Time) {
        if self.stopped {
            return;
        }
        self.report(
            LogLevel::Info,
            "org.apache.kafka.common.utils.LoggingSignalHandler",
            "Terminating process due to signal SIGTERM".to_owned(),
        );
        if self.lifecycle.state == BrokerState::PendingControlledShutdown {
            return;
        }
        if self.settings.controlled_shutdown_enable && self.lifecycle.begin_controlled_shutdown(now)
        {
            self.shutdown_deadline = now.plus_millis(SHUTDOWN_MS_MAX);
        }
        self.settle(disk, now);
    }

    /// The next thing to do for the node, if any.
    pub fn poll_output(&mut self) -> Option<NodeOutput> {
        self.output.pop_front()
    }

    /// When [`NodeInput::Tick`] is due; [`Time::NEVER`] if nothing is.
    pub fn next_deadline(&self) -> Time {
        if self.stopped {
            return Time::NEVER;
        }
        let controller = self
            .controller
            .as_ref()
            .map_or(Time::NEVER, Controller::next_deadline);
        let voters = self.voters.values().map(Channel::next_deadline).min();
        [
            controller,
            voters.unwrap_or(Time::NEVER),
            self.raft.next_deadline(),
            self.heartbeats.next_deadline(),
            self.forwarding.next_deadline(),
            self.lifecycle.next_deadline(),
            self.fetches.next_deadline(),
            self.produces.next_deadline(),
            self.deletions.next_deadline(),
            self.fetchers.next_deadline(),
            self.isr_updates.next_deadline(),
            self.group_appends.next_deadline(),
            self.replicas.next_deadline(),
            self.groups.next_deadline(),
            self.shutdown_deadline,
        ]
        .into_iter()
        .min()
        .unwrap_or(Time::NEVER)
    }

    /// Does all that can be done now.
    fn settle(&mut self, disk: &mut Disk, now: Time) {
        self.run_timers(disk, now);
        if self.lifecycle.state == BrokerState::PendingControlledShutdown
            && (self.shutdown_deadline <= now
                || self.heartbeats.failures() >= SHUTDOWN_CONNECT_FAILURES_MAX)
        {
            self.lifecycle.state = BrokerState::ShuttingDown;
        }
        for _ in 0..STEPS_PER_INPUT_MAX {
            if self.stopped || !self.settle_step(disk, now) {
                break;
            }
        }
        if self.stopped {
            return;
        }
        self.drive_lifecycle(now);
        self.drive_isr_updates(now);
        self.drive_fetchers(now);
        self.follow_active_controller(now);
        let output = &mut self.output;
        let next = &mut self.last_outgoing_connection;
        self.heartbeats
            .drive(now, next, |out| output.push_back(NodeOutput::Client(out)));
        self.forwarding
            .drive(now, next, |out| output.push_back(NodeOutput::Client(out)));
        for voter in self.voters.values_mut() {
            voter.drive(now, next, |out| output.push_back(NodeOutput::Client(out)));
        }
        if self.lifecycle.state == BrokerState::ShuttingDown && self.raft.is_shut_down(now) {
            self.stop(disk, now);
        }
    }

    /// One step of [`Node::settle`]; `false` when there is nothing left to do.
    fn settle_step(&mut self, disk: &mut Disk, now: Time) -> bool {
        if let Some((request, response)) = self.completed.pop_front() {
            let output = self.connections.complete(request, response);
            self.output.extend(output);
            return true;
        }
        if self.take_controller_responses(disk, now)
            || self.drive_quorum(disk, now)
            || self.replay_metadata(disk, now)
            || self.drain_groups(disk, now)
            || self.take_fetched(disk, now)
            || self.retry_fetch(disk, now)
            || self.retry_produce(now)
            || self.retry_deletion(now)
        {
            return true;
        }
        let open = matches!(
            self.lifecycle.state,
            BrokerState::Running | BrokerState::PendingControlledShutdown
        );
        match self.connections.next(open) {
            Some(Incoming::Request(request)) => {
                if request.to_controller() {
                    self.controller_request(request, disk, now);
                } else {
                    self.broker_request(request, disk, now);
                }
            }
            Some(Incoming::UnsupportedApiVersions { id }) => {
                let response = api::unsupported_api_versions();
                self.completed.push_back((id, Some(response)));
            }
            Some(Incoming::Broken {
                connection,
                peer,
                error,
            }) => {
                self.report(
                    LogLevel::Error,
                    SOCKET_SERVER_LOGGER,
                    format!(
                        "Exception while processing request from {peer}: closing the connection: {error}"
                    ),
                );
                self.close(connection);
            }
            None => return false,
        }
        true
    }

    fn run_timers(&mut self, disk: &mut Disk, now: Time) {
        while self
            .controller
            .as_ref()
            .is_some_and(|controller| controller.next_deadline() <= now)
        {
            let result = self
                .controller
                .as_mut()
                .map(|controller| controller.tick(now));
            self.commit(&result.unwrap_or_default().records, disk, now);
        }
        if self.groups.next_deadline() <= now {
            self.groups.tick(now);
        }
        self.expire_group_appends(now);
        self.shrink_isrs(now);
        if self.replicas.next_deadline() <= now {
            let lines = self.replicas.tick(disk, &self.settings, now);
            self.log_lines(lines);
        }
    }

    fn close(&mut self, connection: ConnectionId) {
        self.forget_connection(connection);
        self.output.push_back(NodeOutput::Close(connection));
    }

    fn forget_connection(&mut self, connection: ConnectionId) {
        if let Some(request) = self.connections.remove(connection) {
            self.fetches.remove(request);
            self.produces.remove(request);
            self.deletions.remove(request);
            self.raft.forget_request(request);
        }
    }

    fn report(&mut self, level: LogLevel, logger: &'static str, message: String) {
        self.output.push_back(NodeOutput::Log(LogLine {
            level,
            logger,
            message,
        }));
    }

    fn log_lines(&mut self, lines: Vec<LogLine>) {
        self.output.extend(lines.into_iter().map(NodeOutput::Log));
    }

    /// The broker was unfenced: it takes requests from now on.
    fn started(&mut self) {
        self.report(
            LogLevel::Info,
            "kafka.server.BrokerServer",
            format!(
                "[BrokerServer id={}] Transition from STARTING to STARTED",
                self.config.node_id
            ),
        );
        self.report(
            LogLevel::Info,
            KAFKA_SERVER_LOGGER,
            format!(
                "[KafkaRaftServer nodeId={}] Kafka Server started",
                self.config.node_id
            ),
        );
    }

    /// Ends the process in order.
    fn stop(&mut self, disk: &mut Disk, now: Time) {
        for connection in self.connections.ids() {
            self.close(connection);
        }
        let broker_epoch = self.lifecycle.broker_epoch;
        self.replicas
            .close(disk, &mut self.raft.log_mut().log, broker_epoch, now);
        self.report(
            LogLevel::Info,
            "kafka.server.BrokerServer",
            format!(
                "[BrokerServer id={}] shut down completed",
                self.config.node_id
            ),
        );
        self.output.push_back(NodeOutput::Stopped);
        self.stopped = true;
    }

    /// The settings that the node was started with.
    pub fn config(&self) -> &NodeConfig {
        &self.config
    }

    /// Whether this node is the active controller.
    pub fn is_controller(&self) -> bool {
        self.controller.is_some()
    }

    /// What this node knows of the quorum.
    pub fn quorum_view(&self) -> QuorumView {
        self.raft.view()
    }

    /// Whether it takes clients' requests.
    pub fn is_running(&self) -> bool {
        !self.stopped && self.lifecycle.state >= BrokerState::Running
    }

    /// The metadata as this broker has replayed it.
    pub fn metadata_image(&self) -> &MetadataImage {
        &self.image
    }

    /// A partition's offsets and role on this broker, if it has a replica.
    pub fn partition_view(&self, topic: &str, partition: i32) -> Option<PartitionView> {
        let partition = self.replicas.get(topic, partition)?;
        Some(PartitionView {
            log_start_offset: partition.log.log_start_offset(),
            high_watermark: partition.log.high_watermark(),
            log_end_offset: partition.log.log_end_offset(),
            leader_epoch: partition.state.leader_epoch,
            leader: partition.state.leader,
            role: partition.role,
            isr: partition.state.isr.clone(),
            followers: partition
                .followers
                .iter()
                .map(|(broker, follower)| FollowerView {
                    broker: *broker,
                    log_end_offset: follower.log_end_offset,
                    last_caught_up_ms: follower.last_caught_up_ms,
                    in_sync: partition.state.isr.contains(broker),
                })
                .collect(),
        })
    }

    /// A replica's log; also the metadata log, as `__cluster_metadata`.
    pub fn log(&self, topic: &str, partition: i32) -> Option<&Log> {
        if topic == METADATA_TOPIC && partition == 0 {
            return Some(&self.raft.log().log);
        }
        self.replicas
            .get(topic, partition)
            .map(|partition| &partition.log)
    }

    /// The groups that this node coordinates.
    pub fn group_views(&self) -> Vec<GroupView> {
        self.groups.groups()
    }
}

/// The APIs of the broker's listeners.
fn is_broker_api(api_key: ApiKey) -> bool {
    playground_protocol::versions::BROKER_APIS
        .iter()
        .any(|(key, _, _)| *key == api_key)
}
