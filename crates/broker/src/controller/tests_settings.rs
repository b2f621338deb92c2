//! Features and client quotas.

use playground_protocol::ErrorCode;
use playground_protocol::messages::alter_client_quotas_request::{EntityData, EntryData, OpData};
use playground_protocol::messages::describe_client_quotas_request::ComponentData;
use playground_protocol::messages::update_features_request::FeatureUpdateKey;
use playground_protocol::messages::{
    AlterClientQuotasRequest, DescribeClientQuotasRequest, ResponseKind, UpdateFeaturesRequest,
};

use super::tests::{Quorum, assigned, text};
use crate::metadata::describe_quotas::describe_client_quotas;

const UPGRADE: i8 = 1;
const SAFE_DOWNGRADE: i8 = 2;
const UNSAFE_DOWNGRADE: i8 = 3;

impl Quorum {
    fn update_feature(&mut self, feature: &str, level: i16, upgrade: i8) -> (i16, String) {
        let request = UpdateFeaturesRequest::default().with_feature_updates(vec![
            FeatureUpdateKey::default()
                .with_feature(text(feature))
                .with_max_version_level(level)
                .with_upgrade_type(upgrade),
        ]);
        match self.call(request) {
            ResponseKind::UpdateFeatures(response) => {
                let message = response.error_message.as_ref();
                (
                    response.error_code,
                    message.map(ToString::to_string).unwrap_or_default(),
                )
            }
            other => panic!("{other:?}"),
        }
    }

    fn set_quotas(
        &mut self,
        entity: &[(&str, Option<&str>)],
        operations: &[(&str, Option<f64>)],
    ) -> (i16, String) {
        let request = AlterClientQuotasRequest::default().with_entries(vec![
            EntryData::default()
                .with_entity(
                    entity
                        .iter()
                        .map(|(kind, name)| {
                            EntityData::default()
                                .with_entity_type(text(kind))
                                .with_entity_name(name.map(text))
                        })
                        .collect(),
                )
                .with_ops(
                    operations
                        .iter()
                        .map(|(key, value)| {
                            OpData::default()
                                .with_key(text(key))
                                .with_value(value.unwrap_or(0.0))
                                .with_remove(value.is_none())
                        })
                        .collect(),
                ),
        ]);
        match self.call(request) {
            ResponseKind::AlterClientQuotas(response) => {
                let message = response.entries[0].error_message.as_ref();
                (
                    response.entries[0].error_code,
                    message.map(ToString::to_string).unwrap_or_default(),
                )
            }
            other => panic!("{other:?}"),
        }
    }

    fn quotas(&self, components: &[(&str, i8, Option<&str>)], strict: bool) -> Vec<String> {
        let request = DescribeClientQuotasRequest::default()
            .with_strict(strict)
            .with_components(
                components
                    .iter()
                    .map(|(kind, how, name)| {
                        ComponentData::default()
                            .with_entity_type(text(kind))
                            .with_match_type(*how)
                            .with_match(name.map(text))
                    })
                    .collect(),
            );
        let response = describe_client_quotas(self.controller.image(), &request);
        if response.error_code != 0 {
            return vec![
                response
                    .error_message
                    .map(|text| text.to_string())
                    .unwrap_or_default(),
            ];
        }
        response
            .entries
            .into_iter()
            .flatten()
            .map(|entry| {
                let entity: Vec<String> = entry
                    .entity
                    .iter()
                    .map(|part| {
                        let name = part.entity_name.as_ref().map_or("*", |name| name.as_str());
                        format!("{}={name}", part.entity_type.as_str())
                    })
                    .collect();
                let values: Vec<String> = entry
                    .values
                    .iter()
                    .map(|value| format!("{}:{}", value.key.as_str(), value.value))
                    .collect();
                format!("{} {}", entity.join(","), values.join(","))
            })
            .collect()
    }
}

#[test]
fn features_are_updated_with_kafkas_texts() {
    let mut quorum = Quorum::of(1);
    let prefix = "The update failed for all features since the following feature had an error: ";
    let invalid = ErrorCode::INVALID_UPDATE_VERSION.0;
    for (feature, level, upgrade, expected) in [
        (
            "metadata.version",
            5,
            UPGRADE,
            "Invalid update version 5 for feature metadata.version. Local controller 1 only supports versions 7-30",
        ),
        (
            "metadata.version",
            29,
            UPGRADE,
            "Invalid update version 29 for feature metadata.version. Can't downgrade the version of this feature without setting the upgrade type to either safe or unsafe downgrade.",
        ),
        (
            "metadata.version",
            29,
            SAFE_DOWNGRADE,
            "Unsupported metadata.version downgrade from 30 to 29. Refusing to perform the requested downgrade because it might delete metadata information.",
        ),
        (
            "metadata.version",
            29,
            UNSAFE_DOWNGRADE,
            "Unsupported metadata.version downgrade from 30 to 29. Unsafe metadata downgrade is not supported in this version.",
        ),
        (
            "nothing",
            1,
            UPGRADE,
            "Invalid update version 1 for feature nothing. Local controller 1 does not support this feature.",
        ),
        (
            "group.version",
            -1,
            UPGRADE,
            "Invalid update version -1 for feature group.version. A feature version cannot be less than 0.",
        ),
        (
            "group.version",
            0,
            9,
            "Invalid update version 0 for feature group.version. The controller does not support the given upgrade type.",
        ),
        (
            "kraft.version",
            0,
            SAFE_DOWNGRADE,
            "Invalid update version 0 for feature kraft.version. Can't downgrade the version of this feature.",
        ),
    ] {
        assert_eq!(
            quorum.update_feature(feature, level, upgrade),
            (invalid, format!("{prefix}{expected}"))
        );
    }
    assert_eq!(
        quorum.update_feature("share.version", 0, SAFE_DOWNGRADE).0,
        0
    );
    assert!(
        !quorum
            .controller
            .image()
            .features()
            .contains_key("share.version")
    );
    assert_eq!(
        quorum.update_feature("share.version", 1, SAFE_DOWNGRADE),
        (
            invalid,
            format!(
                "{prefix}Invalid update version 1 for feature share.version. Can't downgrade to a newer version."
            )
        )
    );
    assert_eq!(quorum.update_feature("share.version", 1, UPGRADE).0, 0);
}

#[test]
fn without_eligible_leaders_the_last_replica_stays_in_sync() {
    let mut quorum = Quorum::of(1);
    quorum.create(assigned("t", &[(0, &[1])]));
    let elr = "eligible.leader.replicas.version";
    assert_eq!(quorum.update_feature(elr, 0, SAFE_DOWNGRADE).0, 0);
    quorum.pass(11_000);
    let partition = quorum.partition("t", 0);
    assert_eq!((partition.leader, partition.isr), (-1, vec![1]));
    assert!(partition.elr.is_empty());
    // A broker may have a minimum of its own now; it goes when the feature comes back.
    assert_eq!(
        quorum
            .alter(4, "1", &[("min.insync.replicas", 0, Some("2"))])
            .0,
        0
    );
    assert_eq!(quorum.update_feature(elr, 1, UPGRADE).0, 0);
    let image = quorum.controller.image();
    assert!(
        image
            .config(crate::metadata::ResourceType::Broker, "1")
            .is_none()
    );
}

#[test]
fn quotas_are_set_found_and_removed() {
    let mut quorum = Quorum::of(1);
    let none = (0, String::new());
    let app = [("client-id", Some("app"))];
    let ada = [("user", Some("ada")), ("client-id", Some("app"))];
    assert_eq!(
        quorum.set_quotas(&app, &[("producer_byte_rate", Some(1024.0))]),
        none
    );
    assert_eq!(
        quorum.set_quotas(&[("user", None)], &[("consumer_byte_rate", Some(2048.0))]),
        none
    );
    assert_eq!(
        quorum.set_quotas(&ada, &[("request_percentage", Some(12.5))]),
        none
    );
    assert_eq!(
        quorum.quotas(&[("client-id", 0, Some("app"))], true),
        ["client-id=app producer_byte_rate:1024"]
    );
    assert_eq!(
        quorum.quotas(&[("client-id", 0, Some("app"))], false).len(),
        2
    );
    assert_eq!(
        quorum.quotas(&[("user", 1, None)], true),
        ["user=* consumer_byte_rate:2048"]
    );
    assert_eq!(
        quorum.quotas(&[("user", 2, None), ("client-id", 2, None)], true),
        ["client-id=app,user=ada request_percentage:12.5"]
    );
    let end = quorum.log.len();
    // What is so already makes no record.
    quorum.set_quotas(&app, &[("producer_byte_rate", Some(1024.0))]);
    quorum.set_quotas(&app, &[("consumer_byte_rate", None)]);
    assert_eq!(quorum.log.len(), end);
    assert_eq!(
        quorum.set_quotas(&app, &[("producer_byte_rate", None)]),
        none
    );
    assert!(
        quorum
            .quotas(&[("client-id", 0, Some("app"))], true)
            .is_empty()
    );
}

#[test]
fn quotas_that_cannot_be_have_kafkas_texts() {
    let mut quorum = Quorum::of(1);
    let rate = [("producer_byte_rate", Some(1.0))];
    for (entity, operations, expected) in [
        (&[][..], &rate[..], "Invalid empty client quota entity"),
        (
            &[("group", Some("g"))],
            &rate,
            "Unhandled client quota entity type: group",
        ),
        (&[("user", Some(""))], &rate, "Empty user not supported"),
        (
            &[("ip", Some("1.2.3.4")), ("user", Some("u"))],
            &rate,
            "Invalid quota entity combination, IP entity shouldnot be combined with User or ClientId",
        ),
        (
            &[("ip", Some("not an address"))],
            &rate,
            "not an address is not a valid IP or resolvable host.",
        ),
        (
            &[("ip", Some("1.2.3.4"))],
            &rate,
            "Invalid configuration key producer_byte_rate",
        ),
        (
            &[("user", Some("u"))],
            &[("producer_byte_rate", Some(0.0))],
            "Quota producer_byte_rate must be greater than 0",
        ),
        (
            &[("user", Some("u"))],
            &[("producer_byte_rate", Some(1.5))],
            "producer_byte_rate cannot be a fractional value.",
        ),
        (
            &[("ip", None)],
            &[("connection_creation_rate", Some(3e9))],
            "Proposed value for connection_creation_rate is too large for an INT.",
        ),
    ] {
        assert_eq!(
            quorum.set_quotas(entity, operations),
            (ErrorCode::INVALID_REQUEST.0, expected.to_owned())
        );
    }
    for (components, expected) in [
        (&[("", 0, None)][..], "Invalid empty entity type."),
        (
            &[("user", 2, None), ("user", 1, None)],
            "Entity type user cannot appear more than once in the filter.",
        ),
        (&[("group", 2, None)], "Unsupported entity type group"),
        (
            &[("user", 0, None)],
            "Request specified MATCH_TYPE_EXACT, but set match string to null.",
        ),
        (
            &[("user", 1, Some("u"))],
            "Request specified MATCH_TYPE_DEFAULT, but also specified a match string.",
        ),
        (&[("user", 7, None)], "Unknown match type 7"),
        (
            &[("user", 2, None), ("ip", 2, None)],
            "Invalid entity filter component combination. IP filter component should not be used with user or clientId filter component.",
        ),
    ] {
        assert_eq!(quorum.quotas(components, false), [expected]);
    }
}
