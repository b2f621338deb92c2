//! Brokers come, stay and go (`ClusterControlManager`, `ReplicationControlManager.processBrokerHeartbeat`).

use std::collections::BTreeSet;

use playground_protocol::messages::{
    AllocateProducerIdsRequest, AllocateProducerIdsResponse, BrokerHeartbeatRequest,
    BrokerHeartbeatResponse, BrokerRegistrationRequest, BrokerRegistrationResponse,
    UnregisterBrokerRequest, UnregisterBrokerResponse,
};
use playground_protocol::{ErrorCode, Time};

use super::elections::Departure;
use super::error::ApiError;
use super::sessions::{BrokerState, Wish};
use super::{Controller, ControllerContext};
use crate::metadata::MetadataRecord;
use crate::metadata::records::{
    BrokerRegistrationChangeRecord, EndPoint, ProducerIdsRecord, RegisterBrokerRecord,
    SupportedFeature, UnregisterBrokerRecord,
};

/// How many producer ids a broker gets at once (`ProducerIdsBlock.PRODUCER_ID_BLOCK_SIZE`).
const PRODUCER_ID_BLOCK_SIZE: i32 = 1000;
/// Since this version of BrokerRegistration a broker says which epoch it had before.
const CLEAN_SHUTDOWN_DETECTION_VERSION: i16 = 3;

impl Controller {
    pub(super) fn register_broker(
        &mut self,
        request: &BrokerRegistrationRequest,
        context: ControllerContext,
    ) -> (Vec<MetadataRecord>, BrokerRegistrationResponse) {
        match self.try_register_broker(request, context) {
            Ok((records, epoch)) => (
                records,
                BrokerRegistrationResponse::default().with_broker_epoch(epoch),
            ),
            Err(error) => (
                Vec::new(),
                BrokerRegistrationResponse::default()
                    .with_error_code(error.0)
                    .with_broker_epoch(-1),
            ),
        }
    }

    fn try_register_broker(
        &mut self,
        request: &BrokerRegistrationRequest,
        context: ControllerContext,
    ) -> Result<(Vec<MetadataRecord>, i64), ErrorCode> {
        if request.cluster_id.as_str()
            != playground_log::checkpoint::uuid_text(self.config.cluster_id)
        {
            return Err(ErrorCode::INCONSISTENT_CLUSTER_ID);
        }
        let id = request.broker_id.0;
        let existing = self.image.broker(id).cloned();
        let same_incarnation = existing
            .as_ref()
            .is_some_and(|broker| broker.incarnation_id == request.incarnation_id);
        if let Some(broker) = &existing
            && !same_incarnation
            && self.sessions.is_valid(id, broker.epoch, context.now)
        {
            return Err(ErrorCode::DUPLICATE_BROKER_REGISTRATION);
        }
        if request.is_migrating_zk_broker {
            return Err(ErrorCode::BROKER_ID_NOT_REGISTERED);
        }
        self.check_log_dirs(request)?;
        self.check_features(request)?;
        let mut records = Vec::new();
        let mut record = RegisterBrokerRecord {
            broker_id: id,
            incarnation_id: request.incarnation_id,
            broker_epoch: context.next_offset,
            end_points: request
                .listeners
                .iter()
                .map(|listener| EndPoint {
                    name: listener.name.to_string(),
                    host: listener.host.to_string(),
                    port: listener.port,
                    security_protocol: listener.security_protocol,
                })
                .collect(),
            features: request
                .features
                .iter()
                .map(|feature| SupportedFeature {
                    name: feature.name.to_string(),
                    min_supported_version: feature.min_supported_version,
                    max_supported_version: feature.max_supported_version,
                })
                .collect(),
            rack: request.rack.as_ref().map(ToString::to_string),
            fenced: true,
            log_dirs: request.log_dirs.clone(),
            ..RegisterBrokerRecord::default()
        };
        match existing {
            Some(broker) if same_incarnation => {
                record.fenced = broker.fenced;
                record.in_controlled_shutdown = broker.in_controlled_shutdown;
                record.broker_epoch = broker.epoch;
            }
            existing => {
                let stored_epoch = existing.map_or(-2, |broker| broker.epoch);
                let clean = context.api_version >= CLEAN_SHUTDOWN_DETECTION_VERSION
                    && stored_epoch == request.previous_broker_epoch;
                let departure = if clean || !self.elr_enabled() {
                    Departure::Removed(id)
                } else {
                    Departure::UncleanShutdown(id)
                };
                records.extend(self.departure_records(departure));
                self.sessions.remove(id);
            }
        }
        let epoch = record.broker_epoch;
        self.sessions.register(id, epoch, record.fenced);
        records.push(record.into());
        Ok((records, epoch))
    }

    fn check_log_dirs(&self, request: &BrokerRegistrationRequest) -> Result<(), ErrorCode> {
        let dirs: BTreeSet<_> = request.log_dirs.iter().collect();
        let reserved = |dir: &uuid::Uuid| dir.as_u128() < 100;
        let taken = |dir: &uuid::Uuid| {
            self.image
                .brokers()
                .values()
                .any(|broker| broker.id != request.broker_id.0 && broker.log_dirs.contains(dir))
        };
        let valid = !dirs.is_empty()
            && dirs.len() == request.log_dirs.len()
            && !dirs.iter().any(|dir| reserved(dir) || taken(dir));
        if valid {
            Ok(())
        } else {
            Err(ErrorCode::INVALID_REGISTRATION)
        }
    }

    fn check_features(&self, request: &BrokerRegistrationRequest) -> Result<(), ErrorCode> {
        if !request
            .features
            .iter()
            .any(|feature| feature.name.as_str() == "metadata.version")
        {
            return Err(ErrorCode::INVALID_REGISTRATION);
        }
        // What is not finalized has level 0.
        let unsupported = request.features.iter().any(|feature| {
            let level = self.image.features().get(feature.name.as_str()).copied();
            let kept_elsewhere = feature.name.as_str() == "kraft.version";
            !kept_elsewhere
                && !(feature.min_supported_version..=feature.max_supported_version)
                    .contains(&level.unwrap_or(0))
        });
        if unsupported {
            return Err(ErrorCode::UNSUPPORTED_VERSION);
        }
        for (name, level) in self.image.features() {
            let supported = request
                .features
                .iter()
                .find(|feature| feature.name.as_str() == name)
                .is_some_and(|feature| {
                    (feature.min_supported_version..=feature.max_supported_version).contains(level)
                });
            if !supported {
                return Err(ErrorCode::UNSUPPORTED_VERSION);
            }
        }
        Ok(())
    }

    pub(super) fn heartbeat(
        &mut self,
        request: &BrokerHeartbeatRequest,
        context: ControllerContext,
    ) -> (Vec<MetadataRecord>, BrokerHeartbeatResponse) {
        let id = request.broker_id.0;
        if self.check_broker_epoch(id, request.broker_epoch).is_err() {
            let response = BrokerHeartbeatResponse::default()
                .with_error_code(ErrorCode::STALE_BROKER_EPOCH.0)
                .with_is_fenced(true);
            return (Vec::new(), response);
        }
        self.sessions.track(
            id,
            context
                .now
                .plus_millis(self.config.broker_session_timeout_ms),
        );
        let registration_offset = self.registration_offsets.get(&id).copied().unwrap_or(0);
        let wish = Wish {
            metadata_offset: request.current_metadata_offset,
            fence: request.want_fence,
            shut_down: request.want_shut_down,
        };
        let (current, next) =
            self.sessions
                .next_state(id, wish, registration_offset, self.has_leaderships(id));
        let mut records = Vec::new();
        if current != next {
            records = match next {
                BrokerState::Fenced | BrokerState::ShutdownNow => self.fence_records(id),
                BrokerState::Unfenced => self.unfence_records(id, request.broker_epoch),
                BrokerState::ControlledShutdown => {
                    self.controlled_shutdown_records(id, request.broker_epoch)
                }
            };
        }
        // The brokers of 4.3 say in version 2 of the heartbeat which directories are cordoned (KIP-1066); the
        // codec lacks that version, and nothing here cordons one.
        if self
            .image
            .broker(id)
            .is_some_and(|broker| broker.cordoned_log_dirs.is_none())
        {
            records.push(
                BrokerRegistrationChangeRecord {
                    broker_id: id,
                    broker_epoch: request.broker_epoch,
                    cordoned_log_dirs: Some(Vec::new()),
                    ..BrokerRegistrationChangeRecord::default()
                }
                .into(),
            );
        }
        let write_offset = context.next_offset + records.len() as i64 - 1;
        self.sessions
            .touch(id, next, request.current_metadata_offset, write_offset);
        let response = BrokerHeartbeatResponse::default()
            .with_is_caught_up(request.current_metadata_offset >= registration_offset)
            .with_is_fenced(next.is_fenced())
            .with_should_shut_down(next == BrokerState::ShutdownNow);
        (records, response)
    }

    /// Fences the first of the brokers whose sessions ended.
    pub(super) fn fence_one_expired(&mut self, now: Time) -> Vec<MetadataRecord> {
        let Some((id, epoch)) = self.sessions.take_expired(now) else {
            return Vec::new();
        };
        // Kafka writes it of a broker too that is fenced since it stopped in order.
        if self
            .image
            .broker(id)
            .is_some_and(|broker| broker.epoch == epoch)
        {
            self.fence_records(id)
        } else {
            Vec::new()
        }
    }

    fn fence_records(&self, id: i32) -> Vec<MetadataRecord> {
        let Some(broker) = self.image.broker(id) else {
            return Vec::new();
        };
        let mut records = self.departure_records(Departure::Removed(id));
        records.push(
            BrokerRegistrationChangeRecord {
                broker_id: id,
                broker_epoch: broker.epoch,
                fenced: 1,
                ..BrokerRegistrationChangeRecord::default()
            }
            .into(),
        );
        records
    }

    fn unfence_records(&self, id: i32, epoch: i64) -> Vec<MetadataRecord> {
        let mut records = vec![
            BrokerRegistrationChangeRecord {
                broker_id: id,
                broker_epoch: epoch,
                fenced: -1,
                ..BrokerRegistrationChangeRecord::default()
            }
            .into(),
        ];
        records.extend(self.arrival_records(id));
        records
    }

    fn controlled_shutdown_records(&self, id: i32, epoch: i64) -> Vec<MetadataRecord> {
        let mut records = Vec::new();
        if self
            .image
            .broker(id)
            .is_some_and(|broker| !broker.in_controlled_shutdown)
        {
            records.push(
                BrokerRegistrationChangeRecord {
                    broker_id: id,
                    broker_epoch: epoch,
                    in_controlled_shutdown: 1,
                    ..BrokerRegistrationChangeRecord::default()
                }
                .into(),
            );
        }
        records.extend(self.departure_records(Departure::Removed(id)));
        records
    }

    pub(super) fn unregister_broker(
        &mut self,
        request: &UnregisterBrokerRequest,
    ) -> (Vec<MetadataRecord>, UnregisterBrokerResponse) {
        let id = request.broker_id.0;
        let Some(broker) = self.image.broker(id) else {
            let error = ApiError::new(
                ErrorCode::BROKER_ID_NOT_REGISTERED,
                format!("Broker ID {id} is not currently registered"),
            );
            let response = UnregisterBrokerResponse::default()
                .with_error_code(error.code.0)
                .with_error_message(error.wire_message());
            return (Vec::new(), response);
        };
        let mut records = self.departure_records(Departure::Unregistered(id));
        records.push(
            UnregisterBrokerRecord {
                broker_id: id,
                broker_epoch: broker.epoch,
            }
            .into(),
        );
        (records, UnregisterBrokerResponse::default())
    }

    pub(super) fn allocate_producer_ids(
        &self,
        request: &AllocateProducerIdsRequest,
    ) -> (Vec<MetadataRecord>, AllocateProducerIdsResponse) {
        let id = request.broker_id.0;
        let first = self.image.next_producer_id();
        let next = first.checked_add(i64::from(PRODUCER_ID_BLOCK_SIZE));
        let error = match (self.check_broker_epoch(id, request.broker_epoch), next) {
            (Err(error), _) => error,
            (Ok(()), None) => ErrorCode::UNKNOWN_SERVER_ERROR,
            (Ok(()), Some(next_producer_id)) => {
                let record = ProducerIdsRecord {
                    broker_id: id,
                    broker_epoch: request.broker_epoch,
                    next_producer_id,
                };
                let response = AllocateProducerIdsResponse::default()
                    .with_producer_id_start(first.into())
                    .with_producer_id_len(PRODUCER_ID_BLOCK_SIZE);
                return (vec![record.into()], response);
            }
        };
        (
            Vec::new(),
            AllocateProducerIdsResponse::default().with_error_code(error.0),
        )
    }

    /// STALE_BROKER_EPOCH when the broker is not registered at this epoch.
    pub(super) fn check_broker_epoch(&self, id: i32, epoch: i64) -> Result<(), ErrorCode> {
        match self.image.broker(id) {
            Some(broker) if broker.epoch == epoch => Ok(()),
            _ => Err(ErrorCode::STALE_BROKER_EPOCH),
        }
    }

    /// Whether a broker serves and is not about to stop.
    pub(super) fn is_active(&self, id: i32) -> bool {
        self.image
            .broker(id)
            .is_some_and(|broker| !broker.fenced && !broker.in_controlled_shutdown)
    }
}
