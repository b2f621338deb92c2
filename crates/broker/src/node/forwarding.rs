//! What this broker asks of the active controller: its own requests, and those of clients in Envelopes
//! (KIP-590; Kafka's `ForwardingManager`).

use bytes::{BufMut, Bytes, BytesMut};
use playground_log::Disk;
use playground_protocol::codec::{Encodable, StrBytes};
use playground_protocol::messages::{
    ApiKey, DefaultPrincipalData, EnvelopeRequest, RequestKind, ResponseKind,
};
use playground_protocol::{ErrorCode, ResponseFrame, Time};

use super::Node;
use super::channel::{Incoming, Outgoing};
use super::connections::Request;
use super::forwarding_errors::error_response;
use super::isr::IsrUpdate;
use super::lifecycle::{LifecycleEvent, LifecycleStep};

/// What a request to the controller was for.
#[derive(Debug)]
pub(super) enum Call {
    Register,
    Heartbeat,
    AllocateProducerIds,
    /// Changes of ISRs.
    AlterPartition(Vec<IsrUpdate>),
    /// Topics that are created because somebody asked for them.
    CreateTopics(Vec<String>),
    /// A client's request.
    Forward(Box<Request>),
}

/// The request APIs that brokers forward (`ApiKeys.forwardable`), as far as they are answered here.
pub(super) fn is_forwarded(api_key: ApiKey) -> bool {
    matches!(
        api_key,
        ApiKey::CreateTopics
            | ApiKey::DeleteTopics
            | ApiKey::CreatePartitions
            | ApiKey::IncrementalAlterConfigs
            | ApiKey::AlterConfigs
            | ApiKey::ElectLeaders
            | ApiKey::AlterPartitionReassignments
            | ApiKey::ListPartitionReassignments
            | ApiKey::AlterClientQuotas
            | ApiKey::UpdateFeatures
            | ApiKey::UnregisterBroker
            | ApiKey::DescribeQuorum
    )
}

impl Node {
    /// Sends a client's request on to the controller; its answer is the client's.
    pub(super) fn forward(&mut self, request: Box<Request>, now: Time) {
        let envelope = EnvelopeRequest::default()
            .with_request_data(request.frame.clone())
            .with_request_principal(Some(anonymous_principal()))
            .with_client_host_address(address_bytes(&request.peer));
        self.forwarding.send(Outgoing {
            api_key: ApiKey::Envelope,
            version: 0,
            body: RequestKind::Envelope(envelope),
            tag: Call::Forward(request),
            expires: now.plus_millis(self.settings.request_timeout_ms),
        });
    }

    /// Takes what came back from the controller. Whether there was anything.
    pub(super) fn take_controller_responses(&mut self, disk: &mut Disk, now: Time) -> bool {
        let mut any = false;
        while let Some(incoming) = self
            .heartbeats
            .poll_incoming()
            .or_else(|| self.forwarding.poll_incoming())
        {
            any = true;
            match incoming {
                Incoming::Response(response, call) => {
                    self.controller_answered(response, call, disk, now)
                }
                Incoming::Expired(call) => self.controller_silent(call, now),
            }
        }
        any
    }

    fn controller_answered(
        &mut self,
        response: ResponseKind,
        call: Call,
        disk: &mut Disk,
        now: Time,
    ) {
        match (call, response) {
            // Another is the active controller, or will be: it is asked as soon as it is known.
            (Call::Register, ResponseKind::BrokerRegistration(response))
                if response.error_code == ErrorCode::NOT_CONTROLLER.0 =>
            {
                self.lifecycle.failed(now);
            }
            (Call::Heartbeat, ResponseKind::BrokerHeartbeat(response))
                if response.error_code == ErrorCode::NOT_CONTROLLER.0 =>
            {
                self.lifecycle.failed(now);
            }
            (Call::Register, ResponseKind::BrokerRegistration(response)) => {
                self.lifecycle.registered(&response, now);
            }
            (Call::Heartbeat, ResponseKind::BrokerHeartbeat(response)) => {
                let event = self.lifecycle.heard(&response, now);
                let lines = self.lifecycle.take_lines();
                self.log_lines(lines);
                match event {
                    LifecycleEvent::None => {}
                    LifecycleEvent::CaughtUp => self.first_publish(disk, now),
                    LifecycleEvent::Unfenced => self.started(),
                    LifecycleEvent::MayStop => self.shutdown_deadline = Time::NEVER,
                }
            }
            (Call::AllocateProducerIds, ResponseKind::AllocateProducerIds(response)) => {
                self.producer_ids.allocated(&response);
            }
            (Call::AlterPartition(sent), ResponseKind::AlterPartition(response)) => {
                self.isr_updates_answered(sent, &response, now);
            }
            (Call::CreateTopics(names), ResponseKind::CreateTopics(_)) => {
                self.topics_created(&names);
            }
            (Call::Forward(request), ResponseKind::Envelope(response)) => {
                let error = ErrorCode(response.error_code);
                if error == ErrorCode::NOT_CONTROLLER {
                    self.forward(request, now);
                    self.forwarding.back_off(now);
                    return;
                }
                let answer = response
                    .response_data
                    .filter(|_| error == ErrorCode::NONE)
                    .and_then(|data| {
                        ResponseFrame::decode(request.api_key, request.version, data).ok()
                    })
                    .map(|frame| frame.body);
                let answer = answer.or_else(|| error_response(&request.body, error));
                self.completed.push_back((request.id, answer));
            }
            (call, _) => self.controller_silent(call, now),
        }
    }

    fn controller_silent(&mut self, call: Call, now: Time) {
        match call {
            Call::Register | Call::Heartbeat => self.lifecycle.failed(now),
            Call::AllocateProducerIds => self.producer_ids.failed(),
            Call::AlterPartition(sent) => self.isr_updates_failed(sent, now),
            Call::CreateTopics(names) => self.topics_created(&names),
            Call::Forward(request) => {
                let answer = error_response(&request.body, ErrorCode::REQUEST_TIMED_OUT);
                self.completed.push_back((request.id, answer));
            }
        }
    }

    /// Sends the registration or the heartbeat that is due.
    pub(super) fn drive_lifecycle(&mut self, now: Time) {
        let offset = self.raft.log().replayed_offset();
        let step = self
            .lifecycle
            .step(&self.config, &self.cluster_id_text, offset, now);
        let lines = self.lifecycle.take_lines();
        self.log_lines(lines);
        let (api_key, version, body, tag) = match step {
            None => return,
            Some(LifecycleStep::Register(request)) => (
                ApiKey::BrokerRegistration,
                4,
                RequestKind::BrokerRegistration(*request),
                Call::Register,
            ),
            Some(LifecycleStep::Heartbeat(request)) => (
                ApiKey::BrokerHeartbeat,
                1,
                RequestKind::BrokerHeartbeat(request),
                Call::Heartbeat,
            ),
        };
        self.heartbeats.send(Outgoing {
            api_key,
            version,
            body,
            tag,
            expires: now.plus_millis(self.settings.broker_session_timeout_ms),
        });
    }
}

/// `DefaultKafkaPrincipalBuilder.serialize` of User:ANONYMOUS.
fn anonymous_principal() -> Bytes {
    let mut principal =
        DefaultPrincipalData::default().with_name(StrBytes::from_static_str("ANONYMOUS"));
    principal._type = StrBytes::from_static_str("User");
    let mut bytes = BytesMut::new();
    bytes.put_i16(0);
    // Its two short fields always fit.
    let _ = principal.encode(&mut bytes, 0);
    bytes.freeze()
}

/// The four bytes of an IPv4 address; of 127.0.0.1 where it is none.
fn address_bytes(peer: &str) -> Bytes {
    let parts: Vec<u8> = peer
        .split('.')
        .filter_map(|part| part.parse().ok())
        .collect();
    if parts.len() == 4 {
        Bytes::from(parts)
    } else {
        Bytes::from_static(&[127, 0, 0, 1])
    }
}
