//! Connections, requests and metadata (`org.apache.kafka.clients.NetworkClient` and `Metadata`).

mod backoff;
mod connections;
mod metadata;
mod requests;

use std::collections::{BTreeMap, VecDeque};

use playground_protocol::codec::StrBytes;
use playground_protocol::messages::{ApiKey, RequestKind, ResponseKind};
use playground_protocol::{
    ClientInput, ClientOutput, ConnectionId, ErrorCode, LogLevel, LogLine, Random, Time,
};

use crate::ClientError;
use crate::config::CommonConfig;
pub use backoff::Backoff;
use connections::{ConnectionState, NodeState, Purpose};
pub use metadata::{Interest, Metadata, NodeInfo, PartitionInfo, TopicInfo, is_invalid_metadata};

/// KIP-511: what ApiVersions says of the client.
pub(crate) const SOFTWARE_NAME: &str = "apache-kafka-java";
pub(crate) const SOFTWARE_VERSION: &str = "4.3.1";
/// The newest ApiVersions that a 4.3.1 client asks for.
const API_VERSIONS_VERSION: i16 = 4;
const LOGGER: &str = "org.apache.kafka.clients.NetworkClient";

/// How one request ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// With its response.
    Response(Box<ResponseKind>),
    /// It was sent, and has no response (acks=0).
    Sent,
    /// The connection broke before the response came.
    Disconnected {
        /// It was the client that gave up waiting.
        timed_out: bool,
    },
}

/// A request that is over.
#[derive(Clone, Debug)]
pub struct Completed {
    /// The request's correlation id, unique in a client.
    pub correlation_id: i32,
    /// The node that it went to.
    pub node: i32,
    /// The API.
    pub api_key: ApiKey,
    /// The version.
    pub api_version: i16,
    /// Its end.
    pub outcome: Outcome,
}

/// What differs between the network clients of a producer, a consumer and an admin client.
#[derive(Clone, Debug)]
pub struct NetworkOptions {
    /// What stands before each log message: `[Producer clientId=console-producer] `.
    pub log_prefix: String,
    /// Requests under way per connection.
    pub max_in_flight: usize,
    /// Metadata requests may create topics.
    pub allow_auto_creation: bool,
    /// `Bootstrap broker ... disconnected` is logged.
    pub warns_of_bootstrap: bool,
}

/// A network client. Its owner calls [`NetworkClient::begin`] first on every input, then takes what is
/// completed, sends, and calls [`NetworkClient::finish`]; whatever waits for time says so with
/// [`NetworkClient::wake_at`] in between, since `begin` forgets all waits.
#[derive(Clone, Debug)]
pub struct NetworkClient {
    options: NetworkOptions,
    client_id: StrBytes,
    request_timeout_ms: i64,
    setup_timeout_ms: i64,
    idle_max_ms: i64,
    rebootstrap: bool,
    reconnect_backoff: Backoff,
    random: Random,
    metadata: Metadata,
    nodes: BTreeMap<i32, NodeState>,
    by_connection: BTreeMap<ConnectionId, i32>,
    next_connection: u64,
    next_correlation_id: i32,
    outputs: VecDeque<ClientOutput>,
    completed: VecDeque<Completed>,
    wake: Time,
    closed: bool,
}

impl NetworkClient {
    /// A network client that is not connected. `seed` and `salt` choose jitter and nodes.
    pub fn new(
        common: &CommonConfig,
        options: NetworkOptions,
        seed: u64,
        salt: &str,
    ) -> NetworkClient {
        let metadata = Metadata::new(
            &common.bootstrap_addresses,
            common.metadata_max_age_ms,
            Backoff::new(common.retry_backoff_ms, common.retry_backoff_max_ms),
            options.allow_auto_creation,
        );
        NetworkClient {
            options,
            client_id: StrBytes::from_string(common.client_id.clone()),
            request_timeout_ms: common.request_timeout_ms,
            setup_timeout_ms: common.connection_setup_timeout_ms,
            idle_max_ms: common.connections_max_idle_ms,
            rebootstrap: common.rebootstrap,
            reconnect_backoff: Backoff::new(
                common.reconnect_backoff_ms,
                common.reconnect_backoff_max_ms,
            ),
            random: Random::new(seed, salt),
            metadata,
            nodes: BTreeMap::new(),
            by_connection: BTreeMap::new(),
            next_connection: 0,
            next_correlation_id: 0,
            outputs: VecDeque::new(),
            completed: VecDeque::new(),
            wake: Time::NEVER,
            closed: false,
        }
    }

    /// What is known of the cluster.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The same, to ask for topics and refreshes.
    pub fn metadata_mut(&mut self) -> &mut Metadata {
        &mut self.metadata
    }

    /// The client's random numbers.
    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// The next output.
    pub fn poll_output(&mut self) -> Option<ClientOutput> {
        self.outputs.pop_front()
    }

    /// The next request that is over.
    pub fn poll_completed(&mut self) -> Option<Completed> {
        self.completed.pop_front()
    }

    /// Whether [`NetworkClient::poll_completed`] has something.
    pub fn has_completed(&self) -> bool {
        !self.completed.is_empty()
    }

    /// Something waits for this moment.
    pub fn wake_at(&mut self, time: Time) {
        self.wake = self.wake.min(time);
    }

    /// The earliest of all waits.
    pub fn next_deadline(&self) -> Time {
        self.wake
    }

    /// Logs with the client's prefix.
    pub fn log(&mut self, level: LogLevel, logger: &'static str, message: impl AsRef<str>) {
        self.outputs.push_back(ClientOutput::Log(LogLine {
            level,
            logger,
            message: format!("{}{}", self.options.log_prefix, message.as_ref()),
        }));
    }

    /// Takes what happened to a connection. Call [`NetworkClient::begin`] before.
    pub fn handle(&mut self, input: ClientInput, now: Time) {
        match input {
            ClientInput::Connected(connection) => {
                if let Some(node) = self.by_connection.get(&connection).copied() {
                    if let Some(state) = self.nodes.get_mut(&node) {
                        state.state = ConnectionState::CheckingApiVersions;
                        state.setup_deadline = Time::NEVER;
                        state.last_activity = now;
                    }
                    self.send_api_versions(node, API_VERSIONS_VERSION, now);
                }
            }
            ClientInput::ConnectFailed(connection) => {
                if let Some(node) = self.by_connection.get(&connection).copied() {
                    let address = self.nodes.get(&node).map(NodeState::remote_address);
                    self.log(
                        LogLevel::Warn,
                        LOGGER,
                        format!(
                            "Connection to node {node} ({}) could not be established. Node may not be available.",
                            address.unwrap_or_default()
                        ),
                    );
                    self.disconnected(node, false, now);
                }
            }
            ClientInput::Frame(connection, frame) => {
                if let Some(node) = self.by_connection.get(&connection).copied() {
                    self.response(node, frame, now);
                }
            }
            ClientInput::Disconnected(connection) => {
                if let Some(node) = self.by_connection.get(&connection).copied() {
                    self.log(LogLevel::Info, LOGGER, format!("Node {node} disconnected."));
                    self.disconnected(node, false, now);
                }
            }
        }
    }

    /// Starts a turn: forgets the waits, and ends what waited too long.
    pub fn begin(&mut self, now: Time) {
        self.wake = Time::NEVER;
        let late: Vec<(i32, &str)> = self
            .nodes
            .iter()
            .filter_map(|(node, state)| {
                if state.state == ConnectionState::Connecting && state.setup_deadline <= now {
                    Some((*node, "socket connection setup timeout"))
                } else if state
                    .in_flight
                    .iter()
                    .any(|request| request.deadline <= now)
                {
                    Some((*node, "request timeout"))
                } else {
                    None
                }
            })
            .collect();
        for (node, why) in late {
            self.log(
                LogLevel::Info,
                LOGGER,
                format!("Disconnecting from node {node} due to {why}."),
            );
            self.close_connection(node);
            self.disconnected(node, true, now);
        }
        let idle_max_ms = self.idle_max_ms;
        let idle: Vec<i32> = self
            .nodes
            .iter()
            .filter(|(_, state)| {
                idle_max_ms >= 0
                    && state.state == ConnectionState::Ready
                    && state.in_flight.is_empty()
                    && state.last_activity.plus_millis(idle_max_ms) <= now
            })
            .map(|(node, _)| *node)
            .collect();
        for node in idle {
            self.close_connection(node);
            if let Some(state) = self.nodes.get_mut(&node) {
                state.state = ConnectionState::Disconnected;
            }
        }
    }

    /// Ends a turn: refreshes metadata when that is due, and adds the waits of connections.
    pub fn finish(&mut self, now: Time) {
        if self.closed {
            self.wake = Time::NEVER;
            return;
        }
        self.update_metadata(now);
        let mut wake = self.wake;
        for state in self.nodes.values() {
            if state.state == ConnectionState::Connecting {
                wake = wake.min(state.setup_deadline);
            }
            for request in &state.in_flight {
                wake = wake.min(request.deadline);
            }
            if state.state == ConnectionState::Ready
                && state.in_flight.is_empty()
                && self.idle_max_ms >= 0
            {
                wake = wake.min(state.last_activity.plus_millis(self.idle_max_ms));
            }
        }
        self.wake = wake;
    }

    /// Refreshes metadata if that is due and a node can be asked; `finish` does so too.
    pub fn update_metadata(&mut self, now: Time) {
        let Some(due) = self.metadata.next_update() else {
            return;
        };
        if due > now {
            self.wake_at(due);
            return;
        }
        let mut chosen = self.least_loaded_node(now);
        if chosen.is_none()
            && self.rebootstrap
            && !self.metadata.is_bootstrap()
            && !self.any_ready()
        {
            self.metadata.rebootstrap();
            chosen = self.least_loaded_node(now);
        }
        let Some(node) = chosen else {
            // Each node is in its backoff, or has as many requests as it may have.
            if let Some(earliest) = self.earliest_connect(now) {
                self.wake_at(earliest);
            }
            return;
        };
        if self.can_send(node) {
            let Some(version) = self.version(node, ApiKey::Metadata, i16::MAX) else {
                self.metadata.fail_update(&mut self.random, now);
                return;
            };
            let request = RequestKind::Metadata(self.metadata.start_update());
            let correlation_id = self.reserve_correlation_id();
            self.send_frame(
                node,
                ApiKey::Metadata,
                version,
                correlation_id,
                request,
                Purpose::Metadata,
                self.request_timeout_ms,
                now,
            );
        } else if !self.nodes.values().any(NodeState::is_connecting) {
            self.ready(node, now);
        }
    }

    fn any_ready(&self) -> bool {
        self.metadata.nodes().keys().any(|node| {
            self.nodes
                .get(node)
                .is_some_and(|state| state.state == ConnectionState::Ready)
        })
    }

    fn earliest_connect(&self, now: Time) -> Option<Time> {
        self.metadata
            .nodes()
            .keys()
            .filter_map(|node| self.nodes.get(node))
            .filter(|state| state.state == ConnectionState::Disconnected)
            .map(|state| state.not_before)
            .filter(|time| *time > now)
            .min()
    }

    /// The node with the fewest requests under way, or else one that can be connected to.
    pub fn least_loaded_node(&mut self, now: Time) -> Option<i32> {
        let nodes: Vec<i32> = self.metadata.nodes().keys().copied().collect();
        if nodes.is_empty() {
            return None;
        }
        let offset = self.random.below(nodes.len() as u64) as usize;
        let (mut ready, mut connecting, mut connectable) = (None, None, None);
        let order = nodes.iter().cycle().skip(offset).take(nodes.len());
        for node in order.copied() {
            let Some(state) = self.nodes.get(&node) else {
                connectable = Some((Time::default(), node));
                continue;
            };
            if state.can_send(self.options.max_in_flight) {
                let load = state.in_flight.len();
                if ready.is_none_or(|(least, _)| load < least) {
                    ready = Some((load, node));
                }
            } else if state.is_connecting() {
                connecting = Some(node);
            } else if state.can_connect(now)
                && connectable.is_none_or(|(oldest, _)| state.last_attempt < oldest)
            {
                connectable = Some((state.last_attempt, node));
            }
        }
        ready
            .map(|(_, node)| node)
            .or(connecting)
            .or(connectable.map(|(_, node)| node))
    }

    /// Makes known how to reach a node that is in no metadata: a coordinator's own connection.
    pub fn set_address(&mut self, node: i32, host: &str, port: i32) {
        let state = self
            .nodes
            .entry(node)
            .or_insert_with(|| NodeState::new(host.to_owned(), port));
        if state.state == ConnectionState::Disconnected {
            state.host = host.to_owned();
            state.port = port;
        }
    }

    /// Whether a request can be sent to this node now. If not, connects, or says when it will.
    pub fn ready(&mut self, node: i32, now: Time) -> bool {
        if self.can_send(node) {
            return true;
        }
        if let Some(info) = self.metadata.node(node) {
            let (host, port) = (info.host.clone(), info.port);
            self.set_address(node, &host, port);
        }
        let Some(state) = self.nodes.get_mut(&node) else {
            return false;
        };
        if state.state != ConnectionState::Disconnected || self.closed {
            return false;
        }
        if now < state.not_before {
            let at = state.not_before;
            self.wake_at(at);
            return false;
        }
        self.next_connection += 1;
        let connection = ConnectionId(self.next_connection);
        state.state = ConnectionState::Connecting;
        state.connection = Some(connection);
        state.last_attempt = now;
        state.setup_deadline = now.plus_millis(self.setup_timeout_ms);
        self.by_connection.insert(connection, node);
        let host = state.host.clone();
        let port = u16::try_from(state.port).unwrap_or(0);
        self.outputs.push_back(ClientOutput::Connect {
            connection,
            host,
            port,
        });
        false
    }

    /// Whether a request can be sent to this node now.
    pub fn can_send(&self, node: i32) -> bool {
        self.nodes
            .get(&node)
            .is_some_and(|state| state.can_send(self.options.max_in_flight))
    }

    /// Whether the last connection to this node failed and it is not tried again yet.
    pub fn connection_failed(&self, node: i32, now: Time) -> bool {
        self.nodes.get(&node).is_some_and(|state| {
            state.state == ConnectionState::Disconnected
                && state.failed_attempts > 0
                && now < state.not_before
        })
    }

    /// The newest version, up to `highest`, that both ends speak; `None` if there is none, or the node is
    /// not connected.
    pub fn version(&self, node: i32, api_key: ApiKey, highest: i16) -> Option<i16> {
        let (low, high) = self
            .nodes
            .get(&node)?
            .versions
            .get(&(api_key as i16))
            .copied()?;
        let codec = api_key.valid_versions();
        let version = high.min(codec.max).min(highest);
        (version >= low && version >= codec.min).then_some(version)
    }

    /// Closes a connection on which something impossible came.
    fn break_connection(&mut self, node: i32, now: Time) {
        self.close_connection(node);
        self.disconnected(node, false, now);
    }

    /// Closes the connection to a node; what it still owed ends as disconnected.
    pub fn disconnect(&mut self, node: i32, now: Time) {
        if self
            .nodes
            .get(&node)
            .is_some_and(|state| state.state != ConnectionState::Disconnected)
        {
            self.break_connection(node, now);
        }
    }

    fn close_connection(&mut self, node: i32) {
        if let Some(connection) = self.nodes.get_mut(&node).and_then(|s| s.connection.take()) {
            self.by_connection.remove(&connection);
            self.outputs.push_back(ClientOutput::Close(connection));
        }
    }

    fn disconnected(&mut self, node: i32, timed_out: bool, now: Time) {
        let Some(state) = self.nodes.get_mut(&node) else {
            return;
        };
        if let Some(connection) = state.connection.take() {
            self.by_connection.remove(&connection);
        }
        state.state = ConnectionState::Disconnected;
        state.setup_deadline = Time::NEVER;
        state.last_attempt = now;
        state.versions.clear();
        let wait = self
            .reconnect_backoff
            .wait_ms(state.failed_attempts, &mut self.random);
        state.failed_attempts = state.failed_attempts.saturating_add(1);
        state.not_before = now.plus_millis(wait.max(1));
        let in_flight = std::mem::take(&mut state.in_flight);
        for request in in_flight {
            match request.purpose {
                Purpose::ApiVersions => {}
                Purpose::Metadata => self.metadata.fail_update(&mut self.random, now),
                Purpose::Client => self.complete(
                    node,
                    request.correlation_id,
                    request.api_key,
                    request.api_version,
                    Outcome::Disconnected { timed_out },
                ),
            }
        }
        if self.options.warns_of_bootstrap
            && self.metadata.is_bootstrap()
            && let Some(info) = self.metadata.node(node)
        {
            let message = format!("Bootstrap broker {info} disconnected");
            self.log(LogLevel::Warn, LOGGER, message);
        }
        self.metadata.request_update();
    }

    /// How many requests of its owner are under way.
    pub fn in_flight(&self) -> usize {
        self.nodes.values().map(|state| state.in_flight.len()).sum()
    }

    /// Closes all connections, for good.
    pub fn close(&mut self) {
        let nodes: Vec<i32> = self.nodes.keys().copied().collect();
        for node in nodes {
            self.close_connection(node);
        }
        self.nodes.clear();
        self.completed.clear();
        self.closed = true;
        self.wake = Time::NEVER;
    }

    /// Whether [`NetworkClient::close`] was called.
    pub fn is_closed(&self) -> bool {
        self.closed
    }
}

fn broken() -> Outcome {
    Outcome::Disconnected { timed_out: false }
}

/// `UnsupportedVersionException`, as `NodeApiVersions` words it.
pub fn unsupported(api_key: ApiKey) -> ClientError {
    ClientError::from_code(
        ErrorCode::UNSUPPORTED_VERSION,
        Some(&format!("The node does not support {}", api_name(api_key))),
    )
}

/// The name of an API as `ApiKeys` writes it: `LIST_OFFSETS`.
pub fn api_name(api_key: ApiKey) -> String {
    let mut name = String::new();
    for (index, letter) in format!("{api_key:?}").chars().enumerate() {
        if letter.is_ascii_uppercase() && index > 0 {
            name.push('_');
        }
        name.push(letter.to_ascii_uppercase());
    }
    name
}
