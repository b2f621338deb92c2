//! What brokers tell of topics, and of configurations after they were altered.

use playground_protocol::ErrorCode;
use playground_protocol::messages::describe_configs_request::DescribeConfigsResource;
use playground_protocol::messages::{
    DescribeConfigsRequest, DescribeTopicPartitionsRequest, MetadataRequest,
};

use super::tests::{Quorum, name, text, topic, with_configs};
use crate::config::BrokerConfig;
use crate::config::broker::tests::node_config;
use crate::metadata::describe;
use crate::metadata::describe_configs::describe_configs;
use crate::metadata::{MetadataRecord, ResourceType};

#[test]
fn configurations_are_altered_or_refused_with_kafkas_texts() {
    const SET: i8 = 0;
    const DELETE: i8 = 1;
    const APPEND: i8 = 2;
    const SUBTRACT: i8 = 3;
    let mut quorum = Quorum::of(1);
    quorum.create(topic("users", 1, 1));
    for (kind, resource, change, expected) in [
        (2, "users", ("retention.ms", SET, Some("70000")), ""),
        (2, "users", ("cleanup.policy", APPEND, Some("compact")), ""),
        (2, "users", ("cleanup.policy", SUBTRACT, Some("delete")), ""),
        (2, "users", ("min.insync.replicas", SET, Some("2")), ""),
        (
            2,
            "users",
            ("retention.ms", APPEND, Some("1")),
            "Can't APPEND to key retention.ms because its type is not LIST.",
        ),
        (
            2,
            "users",
            ("no.such", SET, Some("1")),
            "Unknown topic config name: no.such",
        ),
        (
            2,
            "users",
            ("retention.ms", SET, None),
            "Null value not supported for : retention.ms",
        ),
        (
            2,
            "nope",
            ("retention.ms", SET, Some("1")),
            "The topic 'nope' does not exist.",
        ),
        (
            2,
            "",
            ("retention.ms", SET, Some("1")),
            "Default topic resources are not allowed.",
        ),
        (4, "1", ("log.cleaner.threads", SET, Some("2")), ""),
        (4, "1", ("no.such", SET, Some("1")), ""),
        (
            4,
            "1",
            ("node.id", SET, Some("7")),
            "Cannot update these configs dynamically: [node.id]",
        ),
        (
            4,
            "1",
            ("log.retention.ms", APPEND, Some("1")),
            "Config value append is not allowed for config key: log.retention.ms",
        ),
        (
            4,
            "1",
            ("min.insync.replicas", SET, Some("2")),
            "Broker-level min.insync.replicas cannot be altered while ELR is enabled.",
        ),
        (
            4,
            "",
            ("min.insync.replicas", DELETE, None),
            "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.",
        ),
        (4, "", ("log.retention.ms", SET, Some("86400000")), ""),
        (
            4,
            "",
            ("listeners", SET, Some("PLAINTEXT://:1")),
            "Cannot update these configs at default cluster level, broker id must be specified: [listeners]",
        ),
        (
            32,
            "g",
            ("consumer.session.timeout.ms", SET, Some("50000")),
            "",
        ),
        (
            32,
            "g",
            ("consumer.session.timeout.ms", SET, Some("5")),
            "consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms",
        ),
        (
            32,
            "g",
            ("no.such", SET, Some("5")),
            "Unknown group config name: no.such",
        ),
        (
            32,
            "",
            ("consumer.session.timeout.ms", SET, Some("50000")),
            "Default group resources are not allowed.",
        ),
    ] {
        let (code, message) = quorum.alter(kind, resource, &[change]);
        assert_eq!(message, expected, "{resource} {change:?}");
        assert_eq!(code == 0, expected.is_empty(), "{resource} {change:?}");
    }
    let image = quorum.controller.image();
    let topic = image
        .config(ResourceType::Topic, "users")
        .cloned()
        .unwrap_or_default();
    assert_eq!(
        topic.get("cleanup.policy").map(String::as_str),
        Some("compact")
    );
    assert_eq!(topic.get("retention.ms").map(String::as_str), Some("70000"));
    assert!(matches!(
        quorum.log.iter().find(|record| record.type_name() == "CLEAR_ELR_RECORD"),
        Some(MetadataRecord::ClearElr(record)) if record.topic_name == "users"
    ));
}

#[test]
fn a_topics_configurations_are_described_in_the_order_of_kafkas_tools() {
    let mut quorum = Quorum::of(1);
    quorum.create(with_configs(
        topic("c", 1, 1),
        &[
            ("segment.ms", Some("100000")),
            ("cleanup.policy", Some("compact")),
            ("min.insync.replicas", Some("1")),
            ("compression.type", Some("lz4")),
            ("retention.ms", Some("5")),
            ("max.message.bytes", Some("9000")),
            ("delete.retention.ms", Some("7")),
        ],
    ));
    let mut config = match BrokerConfig::new(&node_config(&[])) {
        Ok(config) => config,
        Err(error) => panic!("{error}"),
    };
    let view = quorum.view(&mut config);
    let request = DescribeConfigsRequest::default()
        .with_include_synonyms(true)
        .with_resources(vec![
            DescribeConfigsResource::default()
                .with_resource_type(2)
                .with_resource_name(text("c"))
                .with_configuration_keys(None),
            DescribeConfigsResource::default()
                .with_resource_type(2)
                .with_resource_name(text("nope"))
                .with_configuration_keys(None),
            DescribeConfigsResource::default()
                .with_resource_type(4)
                .with_resource_name(text("1"))
                .with_configuration_keys(Some(vec![
                    text("node.id"),
                    text("log.flush.interval.ms"),
                    text("listeners"),
                ])),
        ]);
    let response = describe_configs(&view, &request, 4);
    let topic = &response.results[0];
    assert_eq!(topic.configs.len(), 33);
    let set: Vec<String> = topic
        .configs
        .iter()
        .filter(|config| config.config_source != 5)
        .map(|config| config.name.to_string())
        .collect();
    assert_eq!(
        set.join(","),
        "compression.type,min.insync.replicas,cleanup.policy,retention.ms,max.message.bytes,delete.retention.ms,segment.ms"
    );
    let synonyms = |result: usize, name: &str| -> Vec<String> {
        response.results[result]
            .configs
            .iter()
            .filter(|config| config.name.as_str() == name)
            .flat_map(|config| &config.synonyms)
            .map(|synonym| {
                let value = synonym.value.as_ref().map(|value| value.to_string());
                format!(
                    "{}:{}={}",
                    synonym.source,
                    synonym.name,
                    value.unwrap_or_default()
                )
            })
            .collect()
    };
    assert_eq!(
        synonyms(0, "min.insync.replicas"),
        [
            "1:min.insync.replicas=1",
            "3:min.insync.replicas=1",
            "5:min.insync.replicas=1"
        ]
    );
    assert_eq!(
        synonyms(0, "cleanup.policy"),
        ["1:cleanup.policy=compact", "5:log.cleanup.policy=delete"]
    );
    assert_eq!(synonyms(0, "retention.ms"), ["1:retention.ms=5"]);
    assert!(synonyms(0, "flush.ms").is_empty());
    assert_eq!(
        response.results[1].error_code,
        ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0
    );
    assert_eq!(response.results[2].configs.len(), 3);
    assert_eq!(synonyms(2, "node.id"), ["4:node.id=1"]);
    assert!(synonyms(2, "log.flush.interval.ms").is_empty());
    assert_eq!(synonyms(2, "listeners").len(), 2);
}

#[test]
fn topics_are_described_page_by_page() {
    let mut quorum = Quorum::of(1);
    quorum.create(topic("a", 3, 1));
    quorum.create(topic("b", 2, 1));
    let mut config = match BrokerConfig::new(&node_config(&[])) {
        Ok(config) => config,
        Err(error) => panic!("{error}"),
    };
    let view = quorum.view(&mut config);
    let mut request = DescribeTopicPartitionsRequest::default().with_response_partition_limit(2);
    let mut pages = Vec::new();
    loop {
        let response = describe::describe_topic_partitions(&view, &request);
        pages.push(
            response
                .topics
                .iter()
                .map(|topic| {
                    (
                        topic.name.as_ref().map(|name| name.as_str().to_owned()),
                        topic.partitions.len(),
                    )
                })
                .collect::<Vec<_>>(),
        );
        let Some(next) = response.next_cursor else {
            break;
        };
        request.cursor = Some(
            playground_protocol::messages::describe_topic_partitions_request::Cursor::default()
                .with_topic_name(next.topic_name)
                .with_partition_index(next.partition_index),
        );
    }
    let topic = |topic: &str, count| (Some(topic.to_owned()), count);
    assert_eq!(
        pages,
        [
            vec![topic("a", 2)],
            vec![topic("a", 1), topic("b", 1)],
            vec![topic("b", 1)]
        ]
    );
}

#[test]
fn metadata_tells_of_topics_brokers_and_what_is_missing() {
    let mut quorum = Quorum::of(2);
    quorum.create(topic("t", 2, 1));
    let mut config = match BrokerConfig::new(&node_config(&[])) {
        Ok(config) => config,
        Err(error) => panic!("{error}"),
    };
    let view = quorum.view(&mut config);
    let asked = |topic: &str| {
        playground_protocol::messages::metadata_request::MetadataRequestTopic::default()
            .with_name(Some(name(topic)))
    };
    let request = MetadataRequest::default()
        .with_topics(Some(vec![asked("t"), asked("new"), asked("bad name")]))
        .with_allow_auto_topic_creation(true);
    let response = describe::metadata(&view, &request, 12);
    let codes: Vec<i16> = response
        .topics
        .iter()
        .map(|topic| topic.error_code)
        .collect();
    assert_eq!(
        codes,
        [
            0,
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.0,
            ErrorCode::INVALID_TOPIC_EXCEPTION.0
        ]
    );
    assert_eq!(response.brokers.len(), 2);
    assert_eq!(response.topics[0].partitions.len(), 2);
    assert_eq!(describe::topics_to_create(&view, &request, 12), ["new"]);
    let all = describe::metadata(&view, &request.with_topics(None), 12);
    assert_eq!(all.topics.len(), 1);
}
