//! InitProducerId of idempotent producers. Transactions are not answered yet.

use playground_protocol::messages::{
    AllocateProducerIdsRequest, ApiKey, InitProducerIdRequest, InitProducerIdResponse, RequestKind,
    ResponseKind,
};
use playground_protocol::{ErrorCode, Time};

use crate::node::Node;
use crate::node::channel::Outgoing;
use crate::node::forwarding::Call;

impl Node {
    pub(super) fn init_producer_id(
        &mut self,
        body: &InitProducerIdRequest,
        now: Time,
    ) -> ResponseKind {
        let result = if body.transactional_id.is_some() {
            Err(ErrorCode::INVALID_REQUEST)
        } else {
            self.producer_ids.generate()
        };
        if self.producer_ids.should_ask() {
            self.forwarding.send(Outgoing {
                api_key: ApiKey::AllocateProducerIds,
                version: 0,
                body: RequestKind::AllocateProducerIds(
                    AllocateProducerIdsRequest::default()
                        .with_broker_id(self.config.node_id.into())
                        .with_broker_epoch(self.lifecycle.broker_epoch),
                ),
                tag: Call::AllocateProducerIds,
                expires: now.plus_millis(self.settings.request_timeout_ms),
            });
        }
        let response = InitProducerIdResponse::default();
        match result {
            Ok(id) => response
                .with_producer_id(id.into())
                .with_producer_epoch(0)
                .into(),
            Err(error) => response
                .with_error_code(error.0)
                .with_producer_id((-1).into())
                .with_producer_epoch(-1)
                .into(),
        }
    }
}
