//! DescribeClientQuotas, from the image (`ClientQuotasImage.describe`, KIP-546).

use std::collections::{BTreeMap, BTreeSet};

use playground_protocol::ErrorCode;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::describe_client_quotas_response::{
    EntityData, EntryData, ValueData,
};
use playground_protocol::messages::{DescribeClientQuotasRequest, DescribeClientQuotasResponse};

use super::image::{MetadataImage, QuotaKey};

/// The kinds of match of a filter's component.
const EXACT: i8 = 0;
const DEFAULT: i8 = 1;
const SPECIFIED: i8 = 2;

/// What a request looks for.
#[derive(Debug, Default)]
struct Filter<'a> {
    /// By entity type; no name is the default.
    exact: BTreeMap<&'a str, Option<&'a str>>,
    any: BTreeSet<&'a str>,
}

/// Answers a DescribeClientQuotas request.
pub fn describe_client_quotas(
    image: &MetadataImage,
    request: &DescribeClientQuotasRequest,
) -> DescribeClientQuotasResponse {
    let filter = match filter(request) {
        Ok(filter) => filter,
        Err((error, text)) => {
            return DescribeClientQuotasResponse::default()
                .with_error_code(error.0)
                .with_error_message(Some(StrBytes::from_string(text)))
                .with_entries(None);
        }
    };
    let entries = image
        .quotas()
        .iter()
        .filter(|(entity, _)| filter.matches(entity, request.strict))
        .map(|(entity, quotas)| {
            EntryData::default()
                .with_entity(
                    entity
                        .iter()
                        .map(|(kind, name)| {
                            EntityData::default()
                                .with_entity_type(StrBytes::from_string(kind.clone()))
                                .with_entity_name(name.clone().map(StrBytes::from_string))
                        })
                        .collect(),
                )
                .with_values(
                    quotas
                        .iter()
                        .map(|(key, value)| {
                            ValueData::default()
                                .with_key(StrBytes::from_string(key.clone()))
                                .with_value(*value)
                        })
                        .collect(),
                )
        })
        .collect();
    DescribeClientQuotasResponse::default()
        .with_error_message(None)
        .with_entries(Some(entries))
}

fn filter(request: &DescribeClientQuotasRequest) -> Result<Filter<'_>, (ErrorCode, String)> {
    let invalid = |text: String| Err((ErrorCode::INVALID_REQUEST, text));
    let mut filter = Filter::default();
    for component in &request.components {
        let kind = component.entity_type.as_str();
        if kind.is_empty() {
            return invalid("Invalid empty entity type.".to_owned());
        }
        if filter.exact.contains_key(kind) || filter.any.contains(kind) {
            return invalid(format!(
                "Entity type {kind} cannot appear more than once in the filter."
            ));
        }
        if !matches!(kind, "ip" | "user" | "client-id") {
            return Err((
                ErrorCode::UNSUPPORTED_VERSION,
                format!("Unsupported entity type {kind}"),
            ));
        }
        let name = component._match.as_ref().map(|name| name.as_str());
        match (component.match_type, name) {
            (EXACT, None) => {
                return invalid(
                    "Request specified MATCH_TYPE_EXACT, but set match string to null.".to_owned(),
                );
            }
            (EXACT, Some(name)) => {
                filter.exact.insert(kind, Some(name));
            }
            (DEFAULT, None) => {
                filter.exact.insert(kind, None);
            }
            (SPECIFIED, None) => {
                filter.any.insert(kind);
            }
            (DEFAULT | SPECIFIED, Some(_)) => {
                let word = if component.match_type == DEFAULT {
                    "DEFAULT"
                } else {
                    "SPECIFIED"
                };
                return invalid(format!(
                    "Request specified MATCH_TYPE_{word}, but also specified a match string."
                ));
            }
            (other, _) => return invalid(format!("Unknown match type {other}")),
        }
    }
    let asks = |kind: &str| filter.exact.contains_key(kind) || filter.any.contains(kind);
    if asks("ip") && (asks("user") || asks("client-id")) {
        return invalid(
            "Invalid entity filter component combination. IP filter component should not be used with user or clientId filter component."
                .to_owned(),
        );
    }
    Ok(filter)
}

impl Filter<'_> {
    fn matches(&self, entity: &QuotaKey, strict: bool) -> bool {
        if strict && entity.len() != self.exact.len() + self.any.len() {
            return false;
        }
        let find = |kind: &str| entity.iter().find(|(present, _)| present == kind);
        self.exact
            .iter()
            .all(|(kind, name)| find(kind).is_some_and(|(_, present)| present.as_deref() == *name))
            && self.any.iter().all(|kind| find(kind).is_some())
    }
}
