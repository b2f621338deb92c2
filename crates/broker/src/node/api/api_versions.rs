//! ApiVersions (KIP-35, KIP-511, KIP-584).

use playground_protocol::ErrorCode;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::api_versions_response::{
    ApiVersion, FinalizedFeatureKey, SupportedFeatureKey,
};
use playground_protocol::messages::{
    ApiKey, ApiVersionsRequest, ApiVersionsResponse, ResponseKind,
};
use playground_protocol::versions::{BROKER_APIS, CONTROLLER_APIS, supported};

use crate::node::Node;
use crate::node::features::{KRAFT_VERSION, SUPPORTED_FEATURES};

/// From this version on, features whose lowest level is 0 are told (KAFKA-17011).
const TELLS_FEATURES_FROM_ZERO: i16 = 4;

impl Node {
    pub(super) fn api_versions_error(&self, error: ErrorCode) -> ResponseKind {
        ApiVersionsResponse::default()
            .with_error_code(error.0)
            .into()
    }

    /// What this listener answers, and the cluster's features.
    pub(in crate::node) fn api_versions(
        &self,
        request: &ApiVersionsRequest,
        version: i16,
        controller: bool,
    ) -> ResponseKind {
        if version >= 3
            && !(is_software_name(&request.client_software_name)
                && is_software_name(&request.client_software_version))
        {
            return self.api_versions_error(ErrorCode::INVALID_REQUEST);
        }
        let supported = SUPPORTED_FEATURES
            .iter()
            .filter(|(_, low, _)| version >= TELLS_FEATURES_FROM_ZERO || *low > 0)
            .map(|(name, low, high)| {
                SupportedFeatureKey::default()
                    .with_name(StrBytes::from_static_str(name))
                    .with_min_version(*low)
                    .with_max_version(*high)
            })
            .collect();
        let finalized = |name: &str, level: i16| {
            FinalizedFeatureKey::default()
                .with_name(StrBytes::from_string(name.to_owned()))
                .with_max_version_level(level)
                .with_min_version_level(level)
        };
        let mut features: Vec<FinalizedFeatureKey> = self
            .image
            .features()
            .iter()
            .map(|(name, level)| finalized(name, *level))
            .collect();
        if !self.image.features().contains_key("kraft.version") {
            features.push(finalized("kraft.version", KRAFT_VERSION));
        }
        ApiVersionsResponse::default()
            .with_api_keys(api_keys(if controller {
                CONTROLLER_APIS
            } else {
                BROKER_APIS
            }))
            .with_supported_features(supported)
            .with_finalized_features_epoch(self.raft.log().replayed_offset())
            .with_finalized_features(features)
            .into()
    }
}

/// The answer, in version 0, to a version that is not spoken here: it names ApiVersions' own range.
pub(in crate::node) fn unsupported_api_versions() -> ResponseKind {
    let own: Vec<_> = BROKER_APIS
        .iter()
        .filter(|(key, _, _)| *key == ApiKey::ApiVersions)
        .copied()
        .collect();
    ApiVersionsResponse::default()
        .with_error_code(ErrorCode::UNSUPPORTED_VERSION.0)
        .with_api_keys(api_keys(&own))
        .into()
}

fn api_keys(apis: &[(ApiKey, i16, i16)]) -> Vec<ApiVersion> {
    apis.iter()
        .map(|(key, low, high)| {
            // What the codec lacks cannot be read, so it is not promised.
            let readable = supported(*key).map_or(*high, |range| *range.end());
            ApiVersion::default()
                .with_api_key(*key as i16)
                .with_min_version(*low)
                .with_max_version((*high).min(readable))
        })
        .collect()
}

/// `[a-zA-Z0-9](?:[a-zA-Z0-9\-.]*[a-zA-Z0-9])?`
fn is_software_name(name: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    name.chars().all(inner)
        && name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.ends_with(|c: char| c.is_ascii_alphanumeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn software_names_are_checked_as_kafka_does() {
        assert!(is_software_name("apache-kafka-java"));
        assert!(is_software_name("4.3.1"));
        assert!(is_software_name("x"));
        assert!(!is_software_name(""));
        assert!(!is_software_name("-x"));
        assert!(!is_software_name("a b"));
        assert!(!is_software_name("a."));
    }
}
