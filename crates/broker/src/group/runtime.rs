//! What the partitions share: outputs, appends in flight and the responses that wait for them
//! (`CoordinatorRuntime`, with its `DeferredEventQueue`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use playground_protocol::messages::{RequestKind, ResponseKind};
use playground_protocol::{ErrorCode, Random};

use super::member::Waiting;
use super::responses;
use super::shard::Undo;
use super::{GroupConfig, OffsetsRecord, Output};

/// Who asks, in the handlers' terms.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub request_id: u64,
    pub version: i16,
    pub client_id: String,
    /// With Java's leading slash.
    pub client_host: String,
}

impl Call {
    /// The request as something that waits.
    pub fn waiting(&self) -> Waiting {
        Waiting {
            request_id: self.request_id,
            version: self.version,
        }
    }
}

/// What remains to be done when an append is committed, or fails.
#[derive(Clone, Debug)]
pub(super) enum After {
    /// Nothing.
    Nothing,
    /// A group was made by this JoinGroup, which fails if the group cannot be kept.
    NewGroup { group: String, waiting: Waiting },
    /// The leader's assignment: members get it once it is kept.
    Assignment {
        group: String,
        generation: i32,
        assignment: BTreeMap<String, Bytes>,
    },
    /// A static member took over its own place without a rebalance.
    StaticRejoin(Box<StaticRejoin>),
}

/// See [`After::StaticRejoin`]: the new member's request, and what to restore if it fails.
#[derive(Clone, Debug)]
pub(super) struct StaticRejoin {
    pub group: String,
    pub instance: String,
    pub old_member_id: String,
    pub new_member_id: String,
    pub old_protocols: Vec<(String, Bytes)>,
    pub old_rebalance_timeout_ms: i32,
    pub old_session_timeout_ms: i32,
    /// The leader before the member came.
    pub leader: Option<String>,
    pub waiting: Waiting,
}

/// An append in flight.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub partition: i32,
    pub after: After,
    /// How to take the replayed records back, last first.
    pub undo: Vec<Undo>,
}

/// A response that waits for appends.
#[derive(Clone, Debug)]
struct Deferred {
    tokens: BTreeSet<u64>,
    request_id: u64,
    version: i16,
    request: RequestKind,
    response: ResponseKind,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Runtime {
    pub config: GroupConfig,
    pub partition_count: i32,
    random: Random,
    outputs: VecDeque<Output>,
    next_token: u64,
    pending: BTreeMap<u64, Pending>,
    deferred: Vec<Deferred>,
}

impl Runtime {
    pub fn new(config: GroupConfig, partition_count: i32, seed: u64) -> Runtime {
        Runtime {
            config,
            partition_count,
            random: Random::new(seed, "group-coordinator"),
            outputs: VecDeque::new(),
            next_token: 0,
            pending: BTreeMap::new(),
            deferred: Vec::new(),
        }
    }

    /// A member id: the client id, or a static member's instance id, and a random UUID.
    pub fn new_member_id(&mut self, prefix: &str) -> String {
        format!("{prefix}-{}", self.random.uuid())
    }

    /// How many appends were put out so far.
    pub fn append_count(&self) -> u64 {
        self.next_token
    }

    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Answers now.
    pub fn respond(&mut self, request_id: u64, response: ResponseKind) {
        self.outputs.push_back(Output::Respond {
            request_id,
            response,
        });
    }

    /// Puts an append out; returns its token.
    pub fn append(
        &mut self,
        partition: i32,
        records: Vec<OffsetsRecord>,
        after: After,
        undo: Vec<Undo>,
    ) -> u64 {
        let token = self.next_token;
        self.next_token += 1;
        self.pending.insert(
            token,
            Pending {
                partition,
                after,
                undo,
            },
        );
        self.outputs.push_back(Output::Append {
            partition,
            records,
            token,
        });
        token
    }

    /// The partition's latest append that is not committed yet: what a read of the newest state waits for.
    pub fn last_pending(&self, partition: i32) -> Option<u64> {
        let mut pending = self.pending.iter().rev();
        pending
            .find(|(_, pending)| pending.partition == partition)
            .map(|(token, _)| *token)
    }

    /// Answers once all the appends are committed; with the error if one fails.
    pub fn respond_after(
        &mut self,
        tokens: impl IntoIterator<Item = u64>,
        call: &Call,
        request: RequestKind,
        response: ResponseKind,
    ) {
        let tokens: BTreeSet<u64> = tokens.into_iter().collect();
        if tokens.is_empty() {
            return self.respond(call.request_id, response);
        }
        self.deferred.push(Deferred {
            tokens,
            request_id: call.request_id,
            version: call.version,
            request,
            response,
        });
    }

    /// Takes an append out that ended.
    pub fn take_pending(&mut self, token: u64) -> Option<Pending> {
        self.pending.remove(&token)
    }

    /// Takes all appends of a partition out, because it is not led here any more.
    pub fn take_pending_of(&mut self, partition: i32) -> Vec<(u64, Pending)> {
        let tokens: Vec<u64> = self
            .pending
            .iter()
            .filter(|(_, pending)| pending.partition == partition)
            .map(|(token, _)| *token)
            .collect();
        tokens
            .into_iter()
            .filter_map(|token| Some((token, self.pending.remove(&token)?)))
            .collect()
    }

    /// Releases the responses that waited for an append of `partition`.
    pub fn release(&mut self, token: u64, partition: i32, failure: Option<ErrorCode>) {
        let count = self.partition_count;
        for mut deferred in std::mem::take(&mut self.deferred) {
            if deferred.tokens.remove(&token)
                && let Some(error) = failure
            {
                responses::fail(
                    &mut deferred.response,
                    &deferred.request,
                    deferred.version,
                    error,
                    |group| super::partition_for(group, count) == partition,
                );
            }
            if deferred.tokens.is_empty() {
                self.respond(deferred.request_id, deferred.response);
            } else {
                self.deferred.push(deferred);
            }
        }
    }
}

/// The error that clients get when an append fails with `error`
/// (`CoordinatorOperationExceptionHelper`): one that they retry, at the right coordinator.
pub(super) fn append_error(error: ErrorCode) -> ErrorCode {
    match error {
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION
        | ErrorCode::NOT_ENOUGH_REPLICAS
        | ErrorCode::NOT_ENOUGH_REPLICAS_AFTER_APPEND
        | ErrorCode::REQUEST_TIMED_OUT => ErrorCode::COORDINATOR_NOT_AVAILABLE,
        ErrorCode::NOT_LEADER_OR_FOLLOWER | ErrorCode::KAFKA_STORAGE_ERROR => {
            ErrorCode::NOT_COORDINATOR
        }
        ErrorCode::MESSAGE_TOO_LARGE
        | ErrorCode::RECORD_LIST_TOO_LARGE
        | ErrorCode::INVALID_FETCH_SIZE => ErrorCode::UNKNOWN_SERVER_ERROR,
        other => other,
    }
}
