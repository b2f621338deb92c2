//! Accepted connections: frames are answered one at a time and in order, as Kafka's socket server does it
//! by muting a channel while its request is at work.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::{ApiKey, RequestKind, ResponseKind};
use playground_protocol::{ConnectionId, FrameError, RequestFrame, ResponseFrame};

use super::interface::{CONTROLLER_LISTENER, NodeOutput};
use super::limits::{QUEUED_BYTES_PER_CONNECTION_MAX, QUEUED_FRAMES_PER_CONNECTION_MAX};

/// A decoded request, and where it came from.
#[derive(Clone, Debug)]
pub(super) struct Request {
    /// Names the request until it is answered.
    pub id: u64,
    pub connection: ConnectionId,
    pub api_key: ApiKey,
    pub version: i16,
    pub client_id: Option<StrBytes>,
    pub listener: String,
    pub peer: String,
    /// The frame as it came, for forwarding.
    pub frame: Bytes,
    pub body: RequestKind,
}

impl Request {
    /// Whether it came to the controller's listener.
    pub fn to_controller(&self) -> bool {
        self.listener == CONTROLLER_LISTENER
    }

    /// The client id, empty when it was null.
    pub fn client_name(&self) -> &str {
        self.client_id.as_deref().unwrap_or_default()
    }
}

/// What a connection brings next.
#[derive(Debug)]
pub(super) enum Incoming {
    Request(Box<Request>),
    /// ApiVersions in a version that is not spoken: answered with error 35 (KIP-511).
    UnsupportedApiVersions {
        id: u64,
    },
    /// Anything else that cannot be read: the connection is closed.
    Broken {
        connection: ConnectionId,
        peer: String,
        error: FrameError,
    },
}

#[derive(Debug)]
struct Connection {
    listener: String,
    peer: String,
    queue: VecDeque<Bytes>,
    queued_bytes: usize,
    in_work: Option<u64>,
}

#[derive(Debug)]
struct Pending {
    connection: ConnectionId,
    api_key: ApiKey,
    version: i16,
    correlation_id: i32,
}

/// All accepted connections.
#[derive(Debug, Default)]
pub(super) struct Connections {
    open: BTreeMap<ConnectionId, Connection>,
    /// Connections that have a frame and none in work, in the order of arrival.
    ready: VecDeque<ConnectionId>,
    pending: BTreeMap<u64, Pending>,
    last_id: u64,
}

impl Connections {
    pub fn accept(&mut self, connection: ConnectionId, listener: String, peer: String) {
        self.open.insert(
            connection,
            Connection {
                listener,
                peer,
                queue: VecDeque::new(),
                queued_bytes: 0,
                in_work: None,
            },
        );
    }

    /// Queues a frame; `false` when the connection must be closed for having too many.
    pub fn frame(&mut self, id: ConnectionId, frame: Bytes) -> bool {
        let Some(connection) = self.open.get_mut(&id) else {
            return true;
        };
        connection.queued_bytes += frame.len();
        if connection.queue.len() >= QUEUED_FRAMES_PER_CONNECTION_MAX
            || (connection.queued_bytes > QUEUED_BYTES_PER_CONNECTION_MAX
                && !connection.queue.is_empty())
        {
            return false;
        }
        if connection.queue.is_empty() && connection.in_work.is_none() {
            self.ready.push_back(id);
        }
        connection.queue.push_back(frame);
        true
    }

    /// Forgets a connection; whoever still works on its request answers into nothing. The request's id.
    pub fn remove(&mut self, id: ConnectionId) -> Option<u64> {
        let connection = self.open.remove(&id)?;
        self.ready.retain(|ready| *ready != id);
        let request = connection.in_work?;
        self.pending.remove(&request);
        Some(request)
    }

    /// The next frame that may be worked on. Until the broker takes requests, only the controller's listener
    /// is served; what comes to the others waits.
    pub fn next(&mut self, broker_listeners_open: bool) -> Option<Incoming> {
        let at = self.ready.iter().position(|id| {
            broker_listeners_open
                || self
                    .open
                    .get(id)
                    .is_some_and(|connection| connection.listener == CONTROLLER_LISTENER)
        })?;
        let id = self.ready.remove(at)?;
        let connection = self.open.get_mut(&id)?;
        let frame = connection.queue.pop_front()?;
        connection.queued_bytes = connection.queued_bytes.saturating_sub(frame.len());
        self.last_id += 1;
        let request_id = self.last_id;
        match RequestFrame::decode(frame.clone()) {
            Ok(request) => {
                connection.in_work = Some(request_id);
                self.pending.insert(
                    request_id,
                    Pending {
                        connection: id,
                        api_key: request.api_key,
                        version: request.api_version,
                        correlation_id: request.correlation_id,
                    },
                );
                Some(Incoming::Request(Box::new(Request {
                    id: request_id,
                    connection: id,
                    api_key: request.api_key,
                    version: request.api_version,
                    client_id: request.client_id,
                    listener: connection.listener.clone(),
                    peer: connection.peer.clone(),
                    frame,
                    body: request.body,
                })))
            }
            Err(FrameError::UnsupportedVersion {
                api_key: ApiKey::ApiVersions,
                correlation_id,
                ..
            }) => {
                connection.in_work = Some(request_id);
                self.pending.insert(
                    request_id,
                    Pending {
                        connection: id,
                        api_key: ApiKey::ApiVersions,
                        version: 0,
                        correlation_id,
                    },
                );
                Some(Incoming::UnsupportedApiVersions { id: request_id })
            }
            Err(error) => Some(Incoming::Broken {
                connection: id,
                peer: connection.peer.clone(),
                error,
            }),
        }
    }

    /// Answers a request (`None`: without a response, as acks=0) and lets the connection's next frame come.
    /// Nothing happens when its connection is gone.
    pub fn complete(&mut self, request: u64, response: Option<ResponseKind>) -> Option<NodeOutput> {
        let pending = self.pending.remove(&request)?;
        let connection = self.open.get_mut(&pending.connection)?;
        connection.in_work = None;
        if !connection.queue.is_empty() {
            self.ready.push_back(pending.connection);
        }
        let frame = ResponseFrame {
            correlation_id: pending.correlation_id,
            body: response?,
        }
        .encode(pending.api_key, pending.version);
        match frame {
            Ok(frame) => Some(NodeOutput::Send(pending.connection, frame)),
            // A response that does not fit its version is a bug here; the client's connection ends, as it
            // does in Kafka on an unexpected error.
            Err(_) => {
                self.remove(pending.connection);
                Some(NodeOutput::Close(pending.connection))
            }
        }
    }

    /// Frames of a connection that are queued or in work.
    pub fn waiting(&self, id: ConnectionId) -> usize {
        self.open.get(&id).map_or(0, |connection| {
            connection.queue.len() + usize::from(connection.in_work.is_some())
        })
    }

    /// All open connections.
    pub fn ids(&self) -> Vec<ConnectionId> {
        self.open.keys().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use playground_protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};

    fn api_versions(version: i16, correlation_id: i32) -> Bytes {
        let frame = RequestFrame {
            api_key: ApiKey::ApiVersions,
            api_version: version.min(3),
            correlation_id,
            client_id: None,
            body: RequestKind::ApiVersions(ApiVersionsRequest::default()),
        };
        let mut bytes = frame.encode().unwrap().to_vec();
        bytes[2..4].copy_from_slice(&version.to_be_bytes());
        Bytes::from(bytes)
    }

    #[test]
    fn one_request_of_a_connection_is_in_work() {
        let mut connections = Connections::default();
        let id = ConnectionId(1);
        connections.accept(id, "PLAINTEXT".into(), "127.0.0.1".into());
        assert!(connections.frame(id, api_versions(3, 10)));
        assert!(connections.frame(id, api_versions(99, 11)));
        assert!(connections.frame(id, Bytes::from_static(b"\0\0")));
        assert!(connections.next(false).is_none());
        assert_eq!(connections.waiting(id), 3);
        let Some(Incoming::Request(first)) = connections.next(true) else {
            panic!("a request")
        };
        assert!(connections.next(true).is_none());
        assert_eq!(connections.waiting(id), 3);
        let response = ResponseKind::ApiVersions(ApiVersionsResponse::default());
        assert!(matches!(
            connections.complete(first.id, Some(response)),
            Some(NodeOutput::Send(to, _)) if to == id
        ));
        let Some(Incoming::UnsupportedApiVersions { id: second }) = connections.next(true) else {
            panic!("an unsupported version")
        };
        assert_eq!(connections.waiting(id), 2);
        assert!(connections.complete(second, None).is_none());
        assert_eq!(connections.waiting(id), 1);
        assert!(matches!(
            connections.next(true),
            Some(Incoming::Broken {
                error: FrameError::TooShort(2),
                ..
            })
        ));
    }

    #[test]
    fn a_flood_is_cut_off() {
        let mut connections = Connections::default();
        let id = ConnectionId(1);
        connections.accept(id, "PLAINTEXT".into(), "127.0.0.1".into());
        for _ in 0..QUEUED_FRAMES_PER_CONNECTION_MAX {
            assert!(connections.frame(id, Bytes::new()));
        }
        assert!(!connections.frame(id, Bytes::new()));
        assert_eq!(connections.remove(id), None);
        assert!(connections.next(true).is_none());
    }
}
