//! FindCoordinator: the leader of the group's partition of `__consumer_offsets`, which is created when it is
//! first asked for.

use playground_protocol::codec::StrBytes;
use playground_protocol::messages::find_coordinator_response::Coordinator;
use playground_protocol::messages::{
    FindCoordinatorRequest, FindCoordinatorResponse, ResponseKind,
};
use playground_protocol::{ErrorCode, Time};

use crate::group::partition_for;
use crate::node::Node;
use crate::node::connections::Request;
use crate::node::publish::OFFSETS_TOPIC;

/// The key type of groups.
const GROUP: i8 = 0;
/// The key type of transactional ids.
const TRANSACTION: i8 = 1;
/// From this version on, several keys are asked for at once (KIP-699).
const BATCHED: i16 = 4;

impl Node {
    pub(super) fn find_coordinator(
        &mut self,
        request: &Request,
        body: &FindCoordinatorRequest,
        now: Time,
    ) -> ResponseKind {
        if request.version >= BATCHED {
            let coordinators = body
                .coordinator_keys
                .iter()
                .map(|key| {
                    let found = self.coordinator_of(body.key_type, key, &request.listener, now);
                    let coordinator = Coordinator::default().with_key(key.clone());
                    match found {
                        Ok((id, host, port)) => coordinator
                            .with_node_id(id.into())
                            .with_host(StrBytes::from_string(host))
                            .with_port(port),
                        Err(error) => coordinator
                            .with_error_code(error.0)
                            .with_error_message(message_of(body.key_type, error))
                            .with_node_id((-1).into())
                            .with_port(-1),
                    }
                })
                .collect();
            return FindCoordinatorResponse::default()
                .with_coordinators(coordinators)
                .into();
        }
        let key_type = if request.version >= 1 {
            body.key_type
        } else {
            GROUP
        };
        let found = self.coordinator_of(key_type, &body.key, &request.listener, now);
        let response = FindCoordinatorResponse::default();
        match found {
            Ok((id, host, port)) => response
                .with_error_message(Some(StrBytes::from_static_str("NONE")))
                .with_node_id(id.into())
                .with_host(StrBytes::from_string(host))
                .with_port(port)
                .into(),
            Err(error) => response
                .with_error_code(error.0)
                .with_error_message(Some(StrBytes::from_static_str(error.message())))
                .with_node_id((-1).into())
                .with_port(-1)
                .into(),
        }
    }

    fn coordinator_of(
        &mut self,
        key_type: i8,
        key: &str,
        listener: &str,
        now: Time,
    ) -> Result<(i32, String, i32), ErrorCode> {
        if key_type != GROUP {
            return Err(ErrorCode::INVALID_REQUEST);
        }
        let Some(topic) = self.image.topic(OFFSETS_TOPIC) else {
            self.create_topics(vec![OFFSETS_TOPIC.to_owned()], now);
            return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
        };
        let number = partition_for(key, self.settings.offsets_topic_num_partitions);
        let leader = topic
            .partitions
            .get(&number)
            .map_or(-1, |partition| partition.leader);
        self.endpoints(vec![leader], listener)
            .into_iter()
            .next()
            .map(|(id, host, port, _)| (id, host, port))
            .ok_or(ErrorCode::COORDINATOR_NOT_AVAILABLE)
    }
}

/// Words for what is missing here; Kafka has none in this place.
fn message_of(key_type: i8, error: ErrorCode) -> Option<StrBytes> {
    (key_type == TRANSACTION && error == ErrorCode::INVALID_REQUEST)
        .then(|| StrBytes::from_static_str("Transactions are not supported yet"))
}
