//! Features' levels are changed: UpdateFeatures (`FeatureControlManager`, KIP-584).

use std::collections::BTreeMap;

use playground_protocol::ErrorCode;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::update_features_response::UpdatableFeatureResult;
use playground_protocol::messages::{UpdateFeaturesRequest, UpdateFeaturesResponse};

use super::Controller;
use super::error::ApiError;
use super::features::FEATURES;
use crate::metadata::records::{ConfigRecord, FeatureLevelRecord, NoOpRecord};
use crate::metadata::{MetadataRecord, ResourceType};
use crate::node::features::KRAFT_VERSION;

/// Up to this version the response names each feature.
const NAMES_FEATURES: i16 = 1;
const METADATA_VERSION: &str = "metadata.version";
const MIN_INSYNC_REPLICAS: &str = "min.insync.replicas";

/// What is asked for (`FeatureUpdate.UpgradeType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Unknown,
    Upgrade,
    SafeDowngrade,
    UnsafeDowngrade,
}

impl Direction {
    fn from_code(code: i8) -> Direction {
        match code {
            1 => Direction::Upgrade,
            2 => Direction::SafeDowngrade,
            3 => Direction::UnsafeDowngrade,
            _ => Direction::Unknown,
        }
    }
}

impl Controller {
    pub(super) fn update_features(
        &self,
        request: &UpdateFeaturesRequest,
        version: i16,
    ) -> (Vec<MetadataRecord>, UpdateFeaturesResponse) {
        let mut records = Vec::new();
        // The last of several updates of one feature counts.
        let updates: BTreeMap<&str, (i16, Direction)> = request
            .feature_updates
            .iter()
            .map(|update| {
                let upgrade = if version == 0 && update.allow_downgrade {
                    Direction::SafeDowngrade
                } else if version == 0 {
                    Direction::Upgrade
                } else {
                    Direction::from_code(update.upgrade_type)
                };
                (update.feature.as_str(), (update.max_version_level, upgrade))
            })
            .collect();
        let mut response = UpdateFeaturesResponse::default().with_error_message(None);
        for (name, (level, upgrade)) in &updates {
            match self.update_feature(name, *level, *upgrade) {
                Ok(record) => records.extend(record),
                Err(error) => {
                    response.error_code = error.code.0;
                    response.error_message = Some(StrBytes::from_string(format!(
                        "The update failed for all features since the following feature had an error: {}",
                        error.message.unwrap_or_default()
                    )));
                    return (Vec::new(), response);
                }
            }
        }
        if request.validate_only {
            records.clear();
        } else if updates
            .get("eligible.leader.replicas.version")
            .is_some_and(|(level, _)| *level > 0)
        {
            let mut safety = self.elr_safety_records();
            safety.append(&mut records);
            records = safety;
        }
        if version <= NAMES_FEATURES {
            response.results = request
                .feature_updates
                .iter()
                .map(|update| {
                    UpdatableFeatureResult::default()
                        .with_feature(update.feature.clone())
                        .with_error_message(None)
                })
                .collect();
        }
        (records, response)
    }

    fn update_feature(
        &self,
        name: &str,
        level: i16,
        upgrade: Direction,
    ) -> Result<Option<MetadataRecord>, ApiError> {
        let invalid = |reason: &str| {
            Err(ApiError::new(
                ErrorCode::INVALID_UPDATE_VERSION,
                format!("Invalid update version {level} for feature {name}. {reason}"),
            ))
        };
        if upgrade == Direction::Unknown {
            return invalid("The controller does not support the given upgrade type.");
        }
        let current = if name == "kraft.version" {
            KRAFT_VERSION
        } else {
            self.image.features().get(name).copied().unwrap_or(0)
        };
        if level < 0 {
            return invalid("A feature version cannot be less than 0.");
        }
        if let Some(reason) = self.reason_not_supported(name, level) {
            return invalid(&reason);
        }
        if level < current && upgrade == Direction::Upgrade {
            return invalid(
                "Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.",
            );
        }
        if level > current && upgrade != Direction::Upgrade {
            return invalid("Can't downgrade to a newer version.");
        }
        match name {
            METADATA_VERSION if level < current => {
                let reason = if upgrade == Direction::UnsafeDowngrade {
                    "Unsafe metadata downgrade is not supported in this version."
                } else {
                    "Refusing to perform the requested downgrade because it might delete metadata information."
                };
                Err(ApiError::new(
                    ErrorCode::INVALID_UPDATE_VERSION,
                    format!(
                        "Unsupported metadata.version downgrade from {current} to {level}. {reason}"
                    ),
                ))
            }
            "kraft.version" if level != current => {
                invalid("Can't downgrade the version of this feature.")
            }
            // What the quorum keeps is no feature record; the record only moves the log.
            "kraft.version" => {
                Ok((upgrade == Direction::Upgrade).then(|| MetadataRecord::from(NoOpRecord {})))
            }
            _ => Ok(Some(
                FeatureLevelRecord {
                    name: name.to_owned(),
                    feature_level: level,
                }
                .into(),
            )),
        }
    }

    /// Which node cannot do with this level, and why not.
    fn reason_not_supported(&self, name: &str, level: i16) -> Option<String> {
        let reason = |who: String, range: Option<(i16, i16)>| {
            let (low, high) = range.unwrap_or((0, 0));
            if (low..=high).contains(&level) {
                None
            } else if high == 0 {
                Some(format!("{who} does not support this feature."))
            } else if low == high {
                Some(format!("{who} only supports versions {low}"))
            } else {
                Some(format!("{who} only supports versions {low}-{high}"))
            }
        };
        let own = FEATURES
            .iter()
            .find(|feature| feature.name == name)
            .map(|feature| (feature.min_supported, feature.max_supported));
        reason(format!("Local controller {}", self.config.node_id), own)
            .or_else(|| {
                self.image.brokers().values().find_map(|broker| {
                    reason(
                        format!("Broker {}", broker.id),
                        broker.features.get(name).copied(),
                    )
                })
            })
            .or_else(|| {
                self.image
                    .controllers()
                    .values()
                    .filter(|controller| controller.id != self.config.node_id)
                    .find_map(|controller| {
                        reason(
                            format!("Controller {}", controller.id),
                            controller.features.get(name).copied(),
                        )
                    })
            })
    }

    /// With eligible leader replicas the minimum is one for the cluster (`maybeGenerateElrSafetyRecords`).
    fn elr_safety_records(&self) -> Vec<MetadataRecord> {
        let record = |resource_name: &str, value: Option<String>| {
            MetadataRecord::from(ConfigRecord {
                resource_type: ResourceType::Broker.code(),
                resource_name: resource_name.to_owned(),
                name: MIN_INSYNC_REPLICAS.to_owned(),
                value,
            })
        };
        let mut records = Vec::new();
        let is_set = |name: &str| {
            self.image
                .config(ResourceType::Broker, name)
                .is_some_and(|configs| configs.contains_key(MIN_INSYNC_REPLICAS))
        };
        if !is_set("") {
            let fixed = self.config.broker.fixed().get(MIN_INSYNC_REPLICAS).cloned();
            records.push(record("", Some(fixed.unwrap_or_else(|| "1".to_owned()))));
        }
        for resource in self.image.configs().keys() {
            if resource.resource_type == ResourceType::Broker
                && !resource.name.is_empty()
                && is_set(&resource.name)
            {
                records.push(record(&resource.name, None));
            }
        }
        records
    }
}
