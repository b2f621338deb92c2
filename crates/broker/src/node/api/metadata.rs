//! Metadata, with the creation of topics that it asks for (`AutoTopicCreationManager`), and the other requests
//! that the image answers.

use playground_protocol::Time;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::create_topics_request::{CreatableTopic, CreatableTopicConfig};
use playground_protocol::messages::{
    ApiKey, CreateTopicsRequest, DescribeClusterRequest, DescribeConfigsRequest,
    DescribeTopicPartitionsRequest, MetadataRequest, RequestKind, ResponseKind, TopicName,
};

use crate::metadata::describe::{self, BrokerView};
use crate::metadata::describe_configs;
use crate::node::Node;
use crate::node::channel::Outgoing;
use crate::node::connections::Request;
use crate::node::forwarding::Call;
use crate::node::publish::OFFSETS_TOPIC;

/// Topics that one request may ask to be created: more are left for the next request.
const CREATED_AT_ONCE_MAX: usize = 1_000;

impl Node {
    fn view<'a>(&'a self, listener: &'a str, random: u64) -> BrokerView<'a> {
        BrokerView {
            image: &self.image,
            config: &self.broker_config,
            cluster_id: self.config.cluster_id,
            listener,
            random,
        }
    }

    pub(super) fn metadata(
        &mut self,
        request: &Request,
        body: &MetadataRequest,
        now: Time,
    ) -> ResponseKind {
        let random = self.random.next_u64();
        let view = self.view(&request.listener, random);
        let response = describe::metadata(&view, body, request.version);
        if self.settings.auto_create_topics_enable {
            let missing = describe::topics_to_create(&view, body, request.version);
            self.create_topics(missing, now);
        }
        response.into()
    }

    /// Asks the controller to create topics, unless that is under way.
    pub(in crate::node) fn create_topics(&mut self, names: Vec<String>, now: Time) {
        let names: Vec<String> = names
            .into_iter()
            .filter(|name| !self.topics_in_creation.contains(name))
            .take(CREATED_AT_ONCE_MAX)
            .collect();
        if names.is_empty() {
            return;
        }
        let topics = names.iter().map(|name| self.creatable(name)).collect();
        self.topics_in_creation.extend(names.iter().cloned());
        let timeout_ms = self.settings.request_timeout_ms;
        self.forwarding.send(Outgoing {
            api_key: ApiKey::CreateTopics,
            version: 7,
            body: RequestKind::CreateTopics(
                CreateTopicsRequest::default()
                    .with_topics(topics)
                    .with_timeout_ms(i32::try_from(timeout_ms).unwrap_or(i32::MAX)),
            ),
            tag: Call::CreateTopics(names),
            expires: now.plus_millis(timeout_ms),
        });
    }

    pub(in crate::node) fn topics_created(&mut self, names: &[String]) {
        for name in names {
            self.topics_in_creation.remove(name);
        }
    }

    fn creatable(&self, name: &str) -> CreatableTopic {
        let topic =
            CreatableTopic::default().with_name(TopicName(StrBytes::from_string(name.to_owned())));
        if name != OFFSETS_TOPIC {
            return topic.with_num_partitions(-1).with_replication_factor(-1);
        }
        let config = |name: &'static str, value: String| {
            CreatableTopicConfig::default()
                .with_name(StrBytes::from_static_str(name))
                .with_value(Some(StrBytes::from_string(value)))
        };
        topic
            .with_num_partitions(self.settings.offsets_topic_num_partitions)
            .with_replication_factor(self.settings.offsets_topic_replication_factor)
            .with_configs(vec![
                config("cleanup.policy", "compact".to_owned()),
                config("compression.type", "producer".to_owned()),
                config(
                    "segment.bytes",
                    self.settings.offsets_topic_segment_bytes.to_string(),
                ),
            ])
    }

    pub(super) fn describe_topic_partitions(
        &mut self,
        request: &Request,
        body: &DescribeTopicPartitionsRequest,
    ) -> ResponseKind {
        let random = self.random.next_u64();
        describe::describe_topic_partitions(&self.view(&request.listener, random), body).into()
    }

    pub(super) fn describe_cluster(
        &mut self,
        request: &Request,
        body: &DescribeClusterRequest,
    ) -> ResponseKind {
        let random = self.random.next_u64();
        let view = self.view(&request.listener, random);
        describe::describe_cluster(&view, body, request.version).into()
    }

    pub(super) fn describe_configs(
        &mut self,
        request: &Request,
        body: &DescribeConfigsRequest,
    ) -> ResponseKind {
        let random = self.random.next_u64();
        let view = self.view(&request.listener, random);
        describe_configs::describe_configs(&view, body, request.version).into()
    }
}
