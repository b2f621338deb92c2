//! Client quotas are set and removed: AlterClientQuotas (`ClientQuotaControlManager`, KIP-546). Nothing is
//! throttled by them.

use std::collections::{BTreeMap, BTreeSet};

use playground_protocol::ErrorCode;
use playground_protocol::messages::alter_client_quotas_request::EntryData as RequestedEntry;
use playground_protocol::messages::alter_client_quotas_response::{EntityData, EntryData};
use playground_protocol::messages::{AlterClientQuotasRequest, AlterClientQuotasResponse};

use super::Controller;
use super::error::ApiError;
use crate::metadata::MetadataRecord;
use crate::metadata::image::QuotaKey;
use crate::metadata::records::{ClientQuotaRecord, QuotaEntity};

/// What a quota's value may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Double,
    Int,
    Long,
}

/// The quotas of users and client ids (`QuotaConfig.userAndClientQuotaConfigs`).
const USER_QUOTAS: &[(&str, Kind)] = &[
    ("producer_byte_rate", Kind::Long),
    ("consumer_byte_rate", Kind::Long),
    ("request_percentage", Kind::Double),
    ("controller_mutation_rate", Kind::Double),
];
/// The quotas of addresses (`QuotaConfig.ipConfigs`).
const IP_QUOTAS: &[(&str, Kind)] = &[("connection_creation_rate", Kind::Int)];
/// How far a whole number may be off (`getErrorForIntegralQuotaValue`).
const FRACTION_MAX: f64 = 1e-6;

fn invalid(text: impl Into<String>) -> ApiError {
    ApiError::new(ErrorCode::INVALID_REQUEST, text)
}

impl Controller {
    pub(super) fn alter_client_quotas(
        &self,
        request: &AlterClientQuotasRequest,
    ) -> (Vec<MetadataRecord>, AlterClientQuotasResponse) {
        let mut records = Vec::new();
        let mut results: BTreeMap<QuotaKey, ApiError> = BTreeMap::new();
        let mut order = Vec::new();
        for entry in &request.entries {
            let key = entity_of(entry);
            let mut operations: BTreeMap<&str, Option<f64>> = BTreeMap::new();
            for operation in &entry.ops {
                let value = (!operation.remove).then_some(operation.value);
                if operations.contains_key(operation.key.as_str()) {
                    results.insert(
                        key.clone(),
                        invalid(format!(
                            "Duplicate quota key {} not updating quota for this entity {}",
                            operation.key.as_str(),
                            entity_text(&key)
                        )),
                    );
                } else {
                    operations.insert(&operation.key, value);
                }
            }
            if !order.contains(&key) {
                order.push(key.clone());
            }
            let error = if results.contains_key(&key) {
                invalid(format!("Ignoring duplicate entity {}", entity_text(&key)))
            } else {
                match self.altered_quotas(entry, &key, &operations) {
                    Ok(new) => {
                        records.extend(new);
                        ApiError::NONE
                    }
                    Err(error) => error,
                }
            };
            results.insert(key, error);
        }
        let entries = order
            .into_iter()
            .map(|key| {
                let error = results.get(&key).cloned().unwrap_or(ApiError::NONE);
                EntryData::default()
                    .with_error_code(error.code.0)
                    .with_error_message(error.wire_message())
                    .with_entity(
                        key.into_iter()
                            .map(|(kind, name)| {
                                EntityData::default()
                                    .with_entity_type(text(kind))
                                    .with_entity_name(name.map(text))
                            })
                            .collect(),
                    )
            })
            .collect();
        if request.validate_only {
            records.clear();
        }
        let response = AlterClientQuotasResponse::default().with_entries(entries);
        (records, response)
    }

    /// `alterClientQuotaEntity`
    fn altered_quotas(
        &self,
        entry: &RequestedEntry,
        key: &QuotaKey,
        operations: &BTreeMap<&str, Option<f64>>,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        check_entity(key)?;
        let quotas = quotas_of(key)?;
        let current = self.image.quotas().get(key);
        let entity: Vec<QuotaEntity> = key
            .iter()
            .map(|(kind, name)| QuotaEntity {
                entity_type: kind.clone(),
                entity_name: name.clone(),
            })
            .collect();
        let mut records = Vec::new();
        let mut seen = BTreeSet::new();
        // In the request's order; each key once.
        for operation in &entry.ops {
            let name = operation.key.as_str();
            let Some(value) = operations.get(name).filter(|_| seen.insert(name)) else {
                continue;
            };
            let old = current.and_then(|current| current.get(name).copied());
            let Some(value) = *value else {
                if old.is_some() {
                    records.push(
                        ClientQuotaRecord {
                            entity: entity.clone(),
                            key: name.to_owned(),
                            remove: true,
                            ..ClientQuotaRecord::default()
                        }
                        .into(),
                    );
                }
                continue;
            };
            check_value(quotas, name, value)?;
            if old != Some(value) {
                records.push(
                    ClientQuotaRecord {
                        entity: entity.clone(),
                        key: name.to_owned(),
                        value,
                        remove: false,
                    }
                    .into(),
                );
            }
        }
        Ok(records)
    }
}

fn text(text: String) -> playground_protocol::codec::StrBytes {
    playground_protocol::codec::StrBytes::from_string(text)
}

fn entity_of(entry: &RequestedEntry) -> QuotaKey {
    let mut key: BTreeMap<String, Option<String>> = BTreeMap::new();
    for part in &entry.entity {
        key.insert(
            part.entity_type.to_string(),
            part.entity_name.as_ref().map(ToString::to_string),
        );
    }
    key.into_iter().collect()
}

/// As Java prints an entity: `ClientQuotaEntity(entries={user=u1})`.
fn entity_text(key: &QuotaKey) -> String {
    let parts: Vec<String> = key
        .iter()
        .map(|(kind, name)| format!("{kind}={}", name.as_deref().unwrap_or("null")))
        .collect();
    format!("ClientQuotaEntity(entries={{{}}})", parts.join(", "))
}

/// `validateEntity`
fn check_entity(key: &QuotaKey) -> Result<(), ApiError> {
    if key.is_empty() {
        return Err(invalid("Invalid empty client quota entity"));
    }
    for (kind, name) in key {
        if !matches!(kind.as_str(), "user" | "client-id" | "ip") {
            return Err(invalid(format!(
                "Unhandled client quota entity type: {kind}"
            )));
        }
        if name.as_deref() == Some("") {
            return Err(invalid(format!("Empty {kind} not supported")));
        }
    }
    Ok(())
}

/// `configKeysForEntityType`
fn quotas_of(key: &QuotaKey) -> Result<&'static [(&'static str, Kind)], ApiError> {
    let ip = key.iter().find(|(kind, _)| kind == "ip");
    match ip {
        Some(_) if key.len() > 1 => Err(invalid(
            "Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId",
        )),
        Some((_, Some(address))) if !is_address(address) => Err(invalid(format!(
            "{address} is not a valid IP or resolvable host."
        ))),
        Some(_) => Ok(IP_QUOTAS),
        None => Ok(USER_QUOTAS),
    }
}

/// An address, or a name that this machine knows.
fn is_address(text: &str) -> bool {
    text == "localhost" || text.parse::<core::net::IpAddr>().is_ok()
}

/// `validateQuotaKeyValue`
fn check_value(quotas: &[(&str, Kind)], key: &str, value: f64) -> Result<(), ApiError> {
    let Some((_, kind)) = quotas.iter().find(|(name, _)| *name == key) else {
        return Err(invalid(format!("Invalid configuration key {key}")));
    };
    if value <= 0.0 {
        return Err(invalid(format!("Quota {key} must be greater than 0")));
    }
    let (limit, word) = match kind {
        Kind::Double => return Ok(()),
        Kind::Int => (f64::from(i32::MAX), "an INT"),
        Kind::Long => (i64::MAX as f64, "a LONG"),
    };
    if value > limit {
        return Err(invalid(format!(
            "Proposed value for {key} is too large for {word}."
        )));
    }
    if (value % 1.0).abs() > FRACTION_MAX {
        return Err(invalid(format!("{key} cannot be a fractional value.")));
    }
    Ok(())
}
