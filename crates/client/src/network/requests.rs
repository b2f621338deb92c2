//! Requests on their way, and their responses.

use super::connections::{ConnectionState, InFlight, Purpose};
use super::{Completed, LOGGER, NetworkClient, Outcome, SOFTWARE_NAME, SOFTWARE_VERSION, broken};
use bytes::Bytes;
use playground_protocol::codec::StrBytes;
use playground_protocol::frame::peek_correlation_id;
use playground_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, MetadataResponse, RequestKind, ResponseKind,
};
use playground_protocol::{ClientOutput, ErrorCode, LogLevel, RequestFrame, ResponseFrame, Time};

impl NetworkClient {
    /// A correlation id, taken before the request can be sent.
    pub fn reserve_correlation_id(&mut self) -> i32 {
        let id = self.next_correlation_id;
        self.next_correlation_id = id.wrapping_add(1);
        id
    }

    /// Sends a request to a node that is ready; gives its correlation id. It ends in a [`Completed`].
    pub fn send(
        &mut self,
        node: i32,
        api_key: ApiKey,
        version: i16,
        body: impl Into<RequestKind>,
        now: Time,
    ) -> i32 {
        let id = self.reserve_correlation_id();
        let timeout = self.request_timeout_ms;
        self.send_reserved(id, node, api_key, version, body, timeout, now);
        id
    }

    /// The same with a correlation id that was taken before, and a timeout in ms.
    #[allow(clippy::too_many_arguments)]
    pub fn send_reserved(
        &mut self,
        correlation_id: i32,
        node: i32,
        api_key: ApiKey,
        version: i16,
        body: impl Into<RequestKind>,
        timeout_ms: i64,
        now: Time,
    ) {
        self.send_frame(
            node,
            api_key,
            version,
            correlation_id,
            body.into(),
            Purpose::Client,
            timeout_ms,
            now,
        );
    }

    #[allow(clippy::too_many_arguments)]
    pub(super) fn send_frame(
        &mut self,
        node: i32,
        api_key: ApiKey,
        api_version: i16,
        correlation_id: i32,
        body: RequestKind,
        purpose: Purpose,
        timeout_ms: i64,
        now: Time,
    ) {
        let no_response = matches!(&body, RequestKind::Produce(produce) if produce.acks == 0);
        let frame = RequestFrame {
            api_key,
            api_version,
            correlation_id,
            client_id: Some(self.client_id.clone()),
            body,
        };
        let encoded = frame.encode();
        let Some(state) = self.nodes.get(&node) else {
            self.complete(node, correlation_id, api_key, api_version, broken());
            return;
        };
        let connection = state.connection;
        let bytes = match (encoded, connection) {
            (Ok(bytes), Some(_)) => bytes,
            (encoded, _) => {
                if let Err(error) = encoded {
                    // A mistake in the client, which retries would only hide.
                    let message =
                        format!("Error sending {api_key:?} version {api_version}: {error}");
                    self.log(LogLevel::Error, LOGGER, message);
                }
                self.complete(node, correlation_id, api_key, api_version, broken());
                return;
            }
        };
        let (Some(state), Some(connection)) = (self.nodes.get_mut(&node), connection) else {
            return;
        };
        state.last_activity = now;
        if !no_response {
            state.in_flight.push_back(InFlight {
                correlation_id,
                api_key,
                api_version,
                deadline: now.plus_millis(timeout_ms),
                purpose,
            });
        }
        self.outputs
            .push_back(ClientOutput::Send(connection, bytes));
        if no_response {
            self.complete(node, correlation_id, api_key, api_version, Outcome::Sent);
        }
    }

    pub(super) fn complete(
        &mut self,
        node: i32,
        correlation_id: i32,
        api_key: ApiKey,
        api_version: i16,
        outcome: Outcome,
    ) {
        self.completed.push_back(Completed {
            correlation_id,
            node,
            api_key,
            api_version,
            outcome,
        });
    }

    pub(super) fn send_api_versions(&mut self, node: i32, version: i16, now: Time) {
        let request = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str(SOFTWARE_NAME))
            .with_client_software_version(StrBytes::from_static_str(SOFTWARE_VERSION));
        let request = if version >= 3 {
            request
        } else {
            ApiVersionsRequest::default()
        };
        let correlation_id = self.reserve_correlation_id();
        self.send_frame(
            node,
            ApiKey::ApiVersions,
            version,
            correlation_id,
            RequestKind::ApiVersions(request),
            Purpose::ApiVersions,
            self.request_timeout_ms,
            now,
        );
    }

    pub(super) fn response(&mut self, node: i32, frame: Bytes, now: Time) {
        let Some(state) = self.nodes.get_mut(&node) else {
            return;
        };
        state.last_activity = now;
        let Some(request) = state.in_flight.pop_front() else {
            self.break_connection(node, now);
            return;
        };
        // KIP-511: a broker that does not know the version answers in version 0.
        let answered_in_v0 = request.purpose == Purpose::ApiVersions
            && frame.get(4..6) == Some(&ErrorCode::UNSUPPORTED_VERSION.0.to_be_bytes());
        let version = if answered_in_v0 {
            0
        } else {
            request.api_version
        };
        // The id is judged first: decoding trusts the peer's counts.
        let decoded = (peek_correlation_id(&frame) == Some(request.correlation_id))
            .then(|| ResponseFrame::decode(request.api_key, version, frame));
        let Some(Ok(ResponseFrame { body: response, .. })) = decoded else {
            if let Some(state) = self.nodes.get_mut(&node) {
                state.in_flight.push_front(request);
            }
            self.break_connection(node, now);
            return;
        };
        match (request.purpose, response) {
            (Purpose::ApiVersions, ResponseKind::ApiVersions(response)) => {
                self.api_versions(node, &request, &response, now);
            }
            (Purpose::Metadata, ResponseKind::Metadata(response)) => {
                self.metadata_response(request.correlation_id, &response, now);
            }
            (_, response) => self.complete(
                node,
                request.correlation_id,
                request.api_key,
                request.api_version,
                Outcome::Response(Box::new(response)),
            ),
        }
    }

    pub(super) fn api_versions(
        &mut self,
        node: i32,
        request: &InFlight,
        response: &ApiVersionsResponse,
        now: Time,
    ) {
        let error = ErrorCode(response.error_code);
        if error == ErrorCode::UNSUPPORTED_VERSION && request.api_version > 0 {
            let version = response
                .api_keys
                .iter()
                .find(|api| api.api_key == ApiKey::ApiVersions as i16)
                .map_or(0, |api| api.max_version)
                .clamp(0, request.api_version - 1);
            self.send_api_versions(node, version, now);
            return;
        }
        if !error.is_none() {
            self.log(
                LogLevel::Warn,
                LOGGER,
                format!(
                    "Received error {} from node {node} when making an ApiVersionsRequest with correlation id {}. Disconnecting.",
                    error.name(),
                    request.correlation_id
                ),
            );
            self.break_connection(node, now);
            return;
        }
        if let Some(state) = self.nodes.get_mut(&node) {
            state.versions = response
                .api_keys
                .iter()
                .map(|api| (api.api_key, (api.min_version, api.max_version)))
                .collect();
            state.state = ConnectionState::Ready;
            state.failed_attempts = 0;
        }
    }

    pub(super) fn metadata_response(
        &mut self,
        correlation_id: i32,
        response: &MetadataResponse,
        now: Time,
    ) {
        let errors = self.metadata.update(response, &mut self.random, now);
        if !errors.is_empty() {
            let shown: Vec<String> = errors
                .iter()
                .map(|(topic, error)| format!("{topic}={}", error.name()))
                .collect();
            self.log(
                LogLevel::Warn,
                LOGGER,
                format!(
                    "The metadata response from the cluster reported a recoverable issue with correlation id {correlation_id} : {{{}}}",
                    shown.join(", ")
                ),
            );
        }
        if let Some(invalid) = self.metadata.invalid_topics() {
            self.log(
                LogLevel::Error,
                "org.apache.kafka.clients.Metadata",
                format!("Metadata response reported invalid topics [{invalid}]"),
            );
        }
    }
}
