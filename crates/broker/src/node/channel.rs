//! A connection that this node keeps to the active controller (Kafka's `NodeToControllerChannelManager`):
//! one request in flight, retried on another connection when this one breaks. Followers keep one to each leader,
//! and voters to each other, where nothing is retried: what a broken connection took with it is asked anew.

use std::collections::VecDeque;

use bytes::Bytes;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::{ApiKey, RequestKind, ResponseKind};
use playground_protocol::{
    ClientInput, ClientOutput, ConnectionId, RequestFrame, ResponseFrame, Time,
};

/// `reconnect.backoff.ms`.
const RECONNECT_BACKOFF_MS: i64 = 50;
/// `reconnect.backoff.max.ms`.
const RECONNECT_BACKOFF_MS_MAX: i64 = 1_000;

/// A request to the controller, and what to remember for its response.
#[derive(Debug)]
pub(super) struct Outgoing<T> {
    pub api_key: ApiKey,
    pub version: i16,
    pub body: RequestKind,
    pub tag: T,
    /// When the sender gives up; [`Time::NEVER`] for what is retried for ever.
    pub expires: Time,
}

/// What came back.
#[derive(Debug)]
#[allow(clippy::large_enum_variant)] // short-lived: put out, taken in, gone
pub(super) enum Incoming<T> {
    Response(ResponseKind, T),
    /// `expires` came first, or the connection broke where nothing is retried.
    Expired(T),
}

#[derive(Debug, PartialEq, Eq)]
enum State {
    Disconnected,
    Connecting,
    Connected,
}

/// See the module. `T` says what a request was for.
#[derive(Debug)]
pub(super) struct Channel<T> {
    client_id: StrBytes,
    /// Where it connects to; `None` while nobody knows.
    target: Option<(String, u16)>,
    request_timeout_ms: i64,
    state: State,
    connection: ConnectionId,
    retry_at: Time,
    failures: u32,
    queue: VecDeque<Outgoing<T>>,
    in_flight: Option<(Outgoing<T>, i32, Time)>,
    correlation_id: i32,
    incoming: VecDeque<Incoming<T>>,
    /// Requests outlive a connection that breaks.
    retries: bool,
}

impl<T> Channel<T> {
    pub fn new(
        client_id: String,
        target: Option<(&str, u16)>,
        request_timeout_ms: i64,
    ) -> Channel<T> {
        Channel {
            client_id: StrBytes::from_string(client_id),
            target: target.map(|(host, port)| (host.to_owned(), port)),
            request_timeout_ms,
            state: State::Disconnected,
            connection: ConnectionId(0),
            retry_at: Time::default(),
            failures: 0,
            queue: VecDeque::new(),
            in_flight: None,
            correlation_id: 0,
            incoming: VecDeque::new(),
            retries: true,
        }
    }

    /// A channel whose requests end with their connection, as [`Incoming::Expired`].
    pub fn without_retry(
        client_id: String,
        host: &str,
        port: u16,
        request_timeout_ms: i64,
    ) -> Channel<T> {
        Channel {
            retries: false,
            ..Channel::new(client_id, Some((host, port)), request_timeout_ms)
        }
    }

    /// Forgets the connection; its id, if there is one to close.
    pub fn close(&mut self) -> Option<ConnectionId> {
        let open = self.state != State::Disconnected;
        self.state = State::Disconnected;
        open.then_some(self.connection)
    }

    /// Goes to another peer, if it is another: what is queued or in flight is sent to that one. While the peer
    /// is unknown a connection stays, and no new one is made. The connection to close, if one was open.
    pub fn retarget(&mut self, target: Option<&(String, u16)>, now: Time) -> Option<ConnectionId> {
        if self.target.as_ref() == target {
            return None;
        }
        self.target = target.cloned();
        target?;
        let open = (self.state != State::Disconnected).then_some(self.connection);
        self.broke(now);
        self.failures = 0;
        self.retry_at = now;
        open
    }

    pub fn send(&mut self, request: Outgoing<T>) {
        self.queue.push_back(request);
    }

    /// Nothing waits and nothing is in flight.
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty() && self.in_flight.is_none()
    }

    /// Attempts to connect that failed since the last success.
    pub fn failures(&self) -> u32 {
        self.failures
    }

    /// Sends nothing for a moment: the peer has nothing good to say.
    pub fn back_off(&mut self, now: Time) {
        self.retry_at = now.plus_millis(RECONNECT_BACKOFF_MS);
    }

    pub fn poll_incoming(&mut self) -> Option<Incoming<T>> {
        self.incoming.pop_front()
    }

    /// Whether the input was for this channel's connection.
    pub fn handle(&mut self, input: &ClientInput, now: Time) -> bool {
        let id = match input {
            ClientInput::Connected(id)
            | ClientInput::ConnectFailed(id)
            | ClientInput::Frame(id, _)
            | ClientInput::Disconnected(id) => *id,
        };
        if id != self.connection || self.state == State::Disconnected {
            return false;
        }
        match input {
            ClientInput::Connected(_) => {
                self.state = State::Connected;
                self.failures = 0;
            }
            ClientInput::ConnectFailed(_) | ClientInput::Disconnected(_) => self.broke(now),
            ClientInput::Frame(_, frame) => self.received(frame.clone()),
        }
        true
    }

    /// When [`Channel::drive`] has something to do without an input.
    pub fn next_deadline(&self) -> Time {
        if !self.incoming.is_empty() {
            return Time::default();
        }
        let mut deadline = self
            .queue
            .iter()
            .map(|request| request.expires)
            .min()
            .unwrap_or(Time::NEVER);
        if let Some((_, _, timeout)) = &self.in_flight {
            deadline = deadline.min(*timeout);
        }
        let blocked = self.state == State::Connecting
            || (self.state == State::Disconnected && self.target.is_none());
        if !blocked && self.in_flight.is_none() && !self.queue.is_empty() {
            deadline = deadline.min(self.retry_at);
        }
        deadline
    }

    /// Connects and sends what is due. `next_connection` numbers the node's outgoing connections.
    pub fn drive(
        &mut self,
        now: Time,
        next_connection: &mut u64,
        mut emit: impl FnMut(ClientOutput),
    ) {
        if self
            .in_flight
            .as_ref()
            .is_some_and(|(_, _, timeout)| *timeout <= now)
        {
            emit(ClientOutput::Close(self.connection));
            self.broke(now);
        }
        if self.queue.iter().any(|request| request.expires <= now) {
            for request in std::mem::take(&mut self.queue) {
                if request.expires <= now {
                    self.incoming.push_back(Incoming::Expired(request.tag));
                } else {
                    self.queue.push_back(request);
                }
            }
            // A connection that nobody answers is tried anew with the next request.
            if self.state == State::Connecting && self.queue.is_empty() {
                emit(ClientOutput::Close(self.connection));
                self.broke(now);
            }
        }
        if self.queue.is_empty() || self.in_flight.is_some() || self.retry_at > now {
            return;
        }
        match self.state {
            State::Connecting => {}
            State::Disconnected => {
                let Some((host, port)) = self.target.clone() else {
                    return;
                };
                *next_connection += 1;
                self.connection = ConnectionId(*next_connection);
                self.state = State::Connecting;
                emit(ClientOutput::Connect {
                    connection: self.connection,
                    host,
                    port,
                });
            }
            State::Connected => {
                while let Some(request) = self.queue.pop_front() {
                    self.correlation_id = self.correlation_id.wrapping_add(1);
                    let frame = RequestFrame {
                        api_key: request.api_key,
                        api_version: request.version,
                        correlation_id: self.correlation_id,
                        client_id: Some(self.client_id.clone()),
                        body: request.body.clone(),
                    };
                    // A request that cannot be written would never be answered.
                    let Ok(frame) = frame.encode() else {
                        self.incoming.push_back(Incoming::Expired(request.tag));
                        continue;
                    };
                    emit(ClientOutput::Send(self.connection, frame));
                    self.in_flight = Some((
                        request,
                        self.correlation_id,
                        now.plus_millis(self.request_timeout_ms),
                    ));
                    break;
                }
            }
        }
    }

    fn received(&mut self, frame: Bytes) {
        let Some((request, correlation_id, _)) = self.in_flight.take() else {
            return;
        };
        match ResponseFrame::decode(request.api_key, request.version, frame) {
            Ok(response) if response.correlation_id == correlation_id => {
                self.incoming
                    .push_back(Incoming::Response(response.body, request.tag));
            }
            _ => self.incoming.push_back(Incoming::Expired(request.tag)),
        }
    }

    fn broke(&mut self, now: Time) {
        self.state = State::Disconnected;
        let backoff = (RECONNECT_BACKOFF_MS << self.failures.min(5)).min(RECONNECT_BACKOFF_MS_MAX);
        self.failures = self.failures.saturating_add(1);
        self.retry_at = now.plus_millis(backoff);
        if let Some((request, _, _)) = self.in_flight.take() {
            self.queue.push_front(request);
        }
        if !self.retries {
            // Whoever asks again waits first, so the connection does not.
            self.retry_at = now;
            let lost = self.queue.drain(..);
            self.incoming
                .extend(lost.map(|request| Incoming::Expired(request.tag)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use playground_protocol::messages::{BrokerHeartbeatRequest, BrokerHeartbeatResponse};

    fn drive(channel: &mut Channel<u32>, now: Time, next: &mut u64) -> Vec<ClientOutput> {
        let mut outputs = Vec::new();
        channel.drive(now, next, |output| outputs.push(output));
        outputs
    }

    #[test]
    fn a_request_survives_a_broken_connection_and_expires_in_the_end() {
        let mut channel: Channel<u32> = Channel::new("1".into(), Some(("kafka-1", 19092)), 30_000);
        let mut next = 0;
        let now = Time::from_millis(0);
        channel.send(Outgoing {
            api_key: ApiKey::BrokerHeartbeat,
            version: 1,
            body: RequestKind::BrokerHeartbeat(BrokerHeartbeatRequest::default()),
            tag: 7,
            expires: Time::from_millis(500),
        });
        assert!(matches!(
            drive(&mut channel, now, &mut next)[..],
            [ClientOutput::Connect { .. }]
        ));
        assert!(channel.handle(&ClientInput::Connected(ConnectionId(1)), now));
        assert!(matches!(
            drive(&mut channel, now, &mut next)[..],
            [ClientOutput::Send(..)]
        ));
        assert!(channel.handle(&ClientInput::Disconnected(ConnectionId(1)), now));
        assert!(!channel.handle(&ClientInput::Disconnected(ConnectionId(1)), now));
        let later = channel.next_deadline();
        assert_eq!(later, Time::from_millis(50));
        drive(&mut channel, later, &mut next);
        assert!(channel.handle(&ClientInput::Connected(ConnectionId(2)), later));
        drive(&mut channel, later, &mut next);
        let response = ResponseFrame {
            correlation_id: 2,
            body: ResponseKind::BrokerHeartbeat(BrokerHeartbeatResponse::default()),
        }
        .encode(ApiKey::BrokerHeartbeat, 1)
        .unwrap();
        assert!(channel.handle(&ClientInput::Frame(ConnectionId(2), response), later));
        assert!(matches!(
            channel.poll_incoming(),
            Some(Incoming::Response(_, 7))
        ));
        assert!(channel.is_idle());
        channel.send(Outgoing {
            api_key: ApiKey::BrokerHeartbeat,
            version: 1,
            body: RequestKind::BrokerHeartbeat(BrokerHeartbeatRequest::default()),
            tag: 8,
            expires: later,
        });
        drive(&mut channel, later, &mut next);
        assert!(matches!(
            channel.poll_incoming(),
            Some(Incoming::Expired(8))
        ));
    }

    fn heartbeat(tag: u32, expires: Time) -> Outgoing<u32> {
        Outgoing {
            api_key: ApiKey::BrokerHeartbeat,
            version: 1,
            body: RequestKind::BrokerHeartbeat(BrokerHeartbeatRequest::default()),
            tag,
            expires,
        }
    }

    #[test]
    fn a_request_follows_the_leader() {
        let mut channel: Channel<u32> = Channel::new("1".into(), None, 30_000);
        let (mut next, now) = (0, Time::from_millis(0));
        channel.send(heartbeat(7, Time::NEVER));
        assert!(drive(&mut channel, now, &mut next).is_empty());
        assert_eq!(channel.next_deadline(), Time::NEVER);
        let address = |host: &str| (host.to_owned(), 1);
        assert_eq!(channel.retarget(Some(&address("a")), now), None);
        drive(&mut channel, now, &mut next);
        channel.handle(&ClientInput::Connected(ConnectionId(1)), now);
        drive(&mut channel, now, &mut next);
        assert_eq!(channel.retarget(None, now), None);
        let old = channel.retarget(Some(&address("b")), now);
        assert_eq!(old, Some(ConnectionId(1)));
        let outputs = drive(&mut channel, now, &mut next);
        assert!(
            matches!(&outputs[..], [ClientOutput::Connect { host, .. }] if host == "b"),
            "{outputs:?}"
        );
        assert_eq!(channel.retarget(Some(&address("b")), now), None);
    }

    #[test]
    fn one_without_retries_sends_nothing_twice() {
        let mut channel = Channel::without_retry("1".into(), "a", 1, 30_000);
        let (mut next, now) = (0, Time::from_millis(0));
        channel.send(heartbeat(7, now.plus_millis(100)));
        drive(&mut channel, now, &mut next);
        channel.handle(&ClientInput::ConnectFailed(ConnectionId(1)), now);
        let expired = channel.poll_incoming();
        assert!(matches!(expired, Some(Incoming::Expired(7))));
        // Nobody answers the next attempt.
        channel.send(heartbeat(8, now.plus_millis(200)));
        drive(&mut channel, now.plus_millis(50), &mut next);
        let outputs = drive(&mut channel, now.plus_millis(200), &mut next);
        assert_eq!(outputs, [ClientOutput::Close(ConnectionId(2))]);
        let expired = channel.poll_incoming();
        assert!(matches!(expired, Some(Incoming::Expired(8))));
    }
}
