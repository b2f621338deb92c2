//! ListConfigResources (KIP-1142), and DescribeUserScramCredentials, which never finds any.

use std::collections::BTreeSet;

use playground_protocol::ErrorCode;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::describe_user_scram_credentials_response::DescribeUserScramCredentialsResult;
use playground_protocol::messages::list_config_resources_response::ConfigResource;
use playground_protocol::messages::{
    DescribeUserScramCredentialsRequest, DescribeUserScramCredentialsResponse,
    ListConfigResourcesRequest, ListConfigResourcesResponse,
};

use crate::metadata::{MetadataImage, ResourceType};

/// Before this version only client metrics are listed.
const LISTS_ALL_TYPES: i16 = 1;
const ALL_TYPES: &[ResourceType] = &[
    ResourceType::Group,
    ResourceType::ClientMetrics,
    ResourceType::BrokerLogger,
    ResourceType::Broker,
    ResourceType::Topic,
];

/// Answers a ListConfigResources request that came by the listener `listener`.
pub(super) fn list_config_resources(
    image: &MetadataImage,
    listener: &str,
    request: &ListConfigResourcesRequest,
    version: i16,
) -> ListConfigResourcesResponse {
    let supported: &[ResourceType] = if version >= LISTS_ALL_TYPES {
        ALL_TYPES
    } else {
        &[ResourceType::ClientMetrics]
    };
    let asked: BTreeSet<i8> = request.resource_types.iter().copied().collect();
    let is_supported = |code: &i8| supported.iter().any(|kind| kind.code() == *code);
    if !asked.iter().all(is_supported) {
        return ListConfigResourcesResponse::default()
            .with_error_code(ErrorCode::UNSUPPORTED_VERSION.0);
    }
    let mut resources = Vec::new();
    for kind in supported {
        if !asked.is_empty() && !asked.contains(&kind.code()) {
            continue;
        }
        let names: Vec<String> = match kind {
            ResourceType::Topic => image.topics().map(|topic| topic.name.clone()).collect(),
            ResourceType::Broker | ResourceType::BrokerLogger => image
                .brokers()
                .values()
                .filter(|broker| broker.end_point(listener).is_some())
                .map(|broker| broker.id.to_string())
                .collect(),
            _ => image
                .configs()
                .keys()
                .filter(|resource| resource.resource_type == *kind)
                .map(|resource| resource.name.clone())
                .collect(),
        };
        // Version 0 says of what type it always is by saying nothing.
        let code = if version >= LISTS_ALL_TYPES {
            kind.code()
        } else {
            ConfigResource::default().resource_type
        };
        resources.extend(names.into_iter().map(|name| {
            ConfigResource::default()
                .with_resource_name(StrBytes::from_string(name))
                .with_resource_type(code)
        }));
    }
    ListConfigResourcesResponse::default().with_config_resources(resources)
}

/// Answers a DescribeUserScramCredentials request (`ScramImage.describe`) of a cluster without credentials.
pub(super) fn describe_user_scram_credentials(
    request: &DescribeUserScramCredentialsRequest,
) -> DescribeUserScramCredentialsResponse {
    let asked: Vec<&str> = request
        .users
        .iter()
        .flatten()
        .map(|user| user.name.as_str())
        .collect();
    let users: BTreeSet<&str> = asked.iter().copied().collect();
    let results = users.into_iter().map(|user| {
        let twice = asked.iter().filter(|other| **other == user).count() > 1;
        let (error, text) = if twice {
            (
                ErrorCode::DUPLICATE_RESOURCE,
                "Cannot describe SCRAM credentials for the same user twice in a single request: ",
            )
        } else {
            (
                ErrorCode::RESOURCE_NOT_FOUND,
                "Attempt to describe a user credential that does not exist: ",
            )
        };
        DescribeUserScramCredentialsResult::default()
            .with_user(StrBytes::from_string(user.to_owned()))
            .with_error_code(error.0)
            .with_error_message(Some(StrBytes::from_string(format!("{text}{user}"))))
    });
    DescribeUserScramCredentialsResponse::default()
        .with_error_message(None)
        .with_results(results.collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::records::{ConfigRecord, TopicRecord};

    #[test]
    fn resources_are_listed_by_type() {
        let mut image = MetadataImage::new();
        let topic = TopicRecord {
            name: "t".to_owned(),
            topic_id: uuid::Uuid::from_u128(1),
        };
        let config = ConfigRecord {
            resource_type: ResourceType::Group.code(),
            resource_name: "g".to_owned(),
            name: "consumer.session.timeout.ms".to_owned(),
            value: Some("50000".to_owned()),
        };
        for record in [topic.into(), config.into()] {
            assert!(image.replay(&record).is_ok());
        }
        let list = |types: &[i8], version| {
            let request = ListConfigResourcesRequest::default().with_resource_types(types.to_vec());
            let response = list_config_resources(&image, "PLAINTEXT", &request, version);
            let names: Vec<String> = response
                .config_resources
                .iter()
                .map(|resource| format!("{}{}", resource.resource_type, resource.resource_name))
                .collect();
            (response.error_code, names)
        };
        assert_eq!(list(&[], 1), (0, vec!["32g".to_owned(), "2t".to_owned()]));
        assert_eq!(list(&[32], 1), (0, vec!["32g".to_owned()]));
        assert_eq!(list(&[], 0), (0, vec![]));
        assert_eq!(list(&[7], 1).0, ErrorCode::UNSUPPORTED_VERSION.0);
    }

    #[test]
    fn nobody_has_credentials() {
        use playground_protocol::messages::describe_user_scram_credentials_request::UserName;
        let user =
            |name: &'static str| UserName::default().with_name(StrBytes::from_static_str(name));
        let request = DescribeUserScramCredentialsRequest::default().with_users(Some(vec![
            user("a"),
            user("b"),
            user("a"),
        ]));
        let codes: Vec<i16> = describe_user_scram_credentials(&request)
            .results
            .iter()
            .map(|result| result.error_code)
            .collect();
        assert_eq!(
            codes,
            [
                ErrorCode::DUPLICATE_RESOURCE.0,
                ErrorCode::RESOURCE_NOT_FOUND.0
            ]
        );
    }
}
