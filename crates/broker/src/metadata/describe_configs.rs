//! What a broker answers about configurations: DescribeConfigs (`ConfigHelper`).

use std::collections::BTreeMap;

use playground_protocol::ErrorCode;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::describe_configs_request::DescribeConfigsResource;
use playground_protocol::messages::describe_configs_response::{
    DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
};
use playground_protocol::messages::{DescribeConfigsRequest, DescribeConfigsResponse};

use super::describe::BrokerView;
use super::topic_name;
use super::types::ResourceType;
use crate::config::definition::{ConfigSource, UpdateMode, java_bucket};
use crate::config::{BrokerConfig, Definition, broker, dynamic, group, topic};
use crate::controller::ApiError;

/// 2^6 buckets hold a topic's configurations in a Java map, 2^9 a broker's, 2^5 a group's.
const TOPIC_BUCKET_BITS: u32 = 6;
const BROKER_BUCKET_BITS: u32 = 9;
const GROUP_BUCKET_BITS: u32 = 5;

/// What a client metrics subscription has when it sets nothing (`ClientMetricsConfigs`): name, default, type.
const CLIENT_METRICS: &[(&str, &str, i8)] = &[
    ("interval.ms", "300000", 3),
    ("metrics", "", 7),
    ("match", "", 7),
];

/// Answers a DescribeConfigs request. Documentation is left out.
pub fn describe_configs(
    view: &BrokerView<'_>,
    request: &DescribeConfigsRequest,
    _version: i16,
) -> DescribeConfigsResponse {
    let results = request
        .resources
        .iter()
        .map(|resource| {
            let mut result = DescribeConfigsResult::default()
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name.clone());
            match describe(view, resource) {
                Ok(mut configs) => {
                    if let Some(keys) = resource
                        .configuration_keys
                        .as_ref()
                        .filter(|keys| !keys.is_empty())
                    {
                        configs.retain(|config| keys.contains(&config.name));
                    }
                    if !request.include_synonyms {
                        for config in &mut configs {
                            config.synonyms.clear();
                        }
                    }
                    result.configs = configs;
                }
                Err(error) => {
                    result.error_code = error.code.0;
                    if let Some(message) = error.wire_message() {
                        result.error_message = Some(message);
                    }
                }
            }
            result
        })
        .collect();
    DescribeConfigsResponse::default().with_results(results)
}

type Configs = Vec<DescribeConfigsResourceResult>;

fn describe(
    view: &BrokerView<'_>,
    resource: &DescribeConfigsResource,
) -> Result<Configs, ApiError> {
    let name = resource.resource_name.as_str();
    let invalid = |text: String| Err(ApiError::new(ErrorCode::INVALID_REQUEST, text));
    let own_id = view.config.node_id();
    match ResourceType::from_code(resource.resource_type) {
        ResourceType::Topic => {
            topic_name::validate(name)
                .map_err(|text| ApiError::new(ErrorCode::INVALID_TOPIC_EXCEPTION, text))?;
            if view.image.topic(name).is_none() {
                return Err(ApiError {
                    code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                    message: None,
                });
            }
            Ok(topic_configs(view, name))
        }
        ResourceType::Broker if name.is_empty() => Ok(default_broker_configs(view.config)),
        ResourceType::Broker => match name.parse::<i32>() {
            Err(_) => invalid(format!("Broker id must be an integer, but it is: {name}")),
            Ok(id) if id != own_id => invalid(format!(
                "Unexpected broker id, expected {own_id} or empty string, but received {name}"
            )),
            Ok(_) => Ok(broker_configs(view.config)),
        },
        ResourceType::BrokerLogger if name.is_empty() => {
            invalid("Broker id must not be empty".to_owned())
        }
        ResourceType::BrokerLogger => match name.parse::<i32>() {
            Err(_) => invalid(format!("Broker id must be an integer, but it is: {name}")),
            Ok(id) if id != own_id => invalid(format!(
                "Unexpected broker id, expected {own_id} but received {name}"
            )),
            Ok(_) => Ok(vec![
                entry("root", Some("INFO".to_owned()), 0)
                    .with_config_source(ConfigSource::DynamicBrokerLogger.code()),
            ]),
        },
        ResourceType::ClientMetrics if name.is_empty() => {
            invalid("Client metrics subscription name must not be empty".to_owned())
        }
        ResourceType::ClientMetrics => Ok(client_metrics_configs(view, name)),
        ResourceType::Group if name.is_empty() => {
            invalid("Group name must not be empty".to_owned())
        }
        ResourceType::Group => Ok(group_configs(view, name)),
        ResourceType::Unknown => invalid("Unsupported resource type: UNKNOWN".to_owned()),
    }
}

fn entry(name: &str, value: Option<String>, config_type: i8) -> DescribeConfigsResourceResult {
    DescribeConfigsResourceResult::default()
        .with_name(StrBytes::from_string(name.to_owned()))
        .with_value(value.map(StrBytes::from_string))
        .with_config_type(config_type)
        .with_documentation(None)
}

fn synonym(name: &str, value: Option<String>, source: ConfigSource) -> DescribeConfigsSynonym {
    DescribeConfigsSynonym::default()
        .with_name(StrBytes::from_string(name.to_owned()))
        .with_value(value.map(StrBytes::from_string))
        .with_source(source.code())
}

/// The entry with its synonyms; its source is the first one's.
fn with_synonyms(
    entry: DescribeConfigsResourceResult,
    synonyms: Vec<DescribeConfigsSynonym>,
) -> DescribeConfigsResourceResult {
    let source = synonyms
        .first()
        .map_or(ConfigSource::Default.code(), |first| first.source);
    entry.with_config_source(source).with_synonyms(synonyms)
}

/// Where a broker's configuration is set, what counts first (`ConfigHelper.configSynonyms`); what only its
/// synonyms set does not count.
fn broker_synonyms(
    config: &BrokerConfig,
    name: &str,
    is_sensitive: bool,
) -> Vec<DescribeConfigsSynonym> {
    let names = broker::synonyms(name);
    let mut found = Vec::new();
    for (values, source) in [
        (Some(config.dynamic()), ConfigSource::DynamicBroker),
        (
            Some(config.dynamic_default()),
            ConfigSource::DynamicDefaultBroker,
        ),
        (Some(config.fixed()), ConfigSource::StaticBroker),
        (None, ConfigSource::Default),
    ] {
        for candidate in &names {
            let value = match values {
                Some(values) => values.get(*candidate).cloned(),
                None => broker::definition(candidate)
                    .and_then(Definition::default_text)
                    .map(str::to_owned),
            };
            if let Some(value) = value {
                found.push((
                    *candidate,
                    synonym(candidate, (!is_sensitive).then_some(value), source),
                ));
            }
        }
    }
    found
        .into_iter()
        .skip_while(|(candidate, _)| *candidate != name)
        .map(|(_, synonym)| synonym)
        .collect()
}

/// The value as Kafka prints it after parsing.
fn shown(definition: &Definition, value: Option<String>) -> Option<String> {
    if definition.is_sensitive() {
        return None;
    }
    let value = value?;
    Some(
        definition
            .parse(&value)
            .map_or(value, |parsed| parsed.text()),
    )
}

fn topic_configs(view: &BrokerView<'_>, topic: &str) -> Configs {
    let none = BTreeMap::new();
    let overrides = view
        .image
        .config(ResourceType::Topic, topic)
        .unwrap_or(&none);
    let mut configs: Configs = topic::definitions()
        .iter()
        .filter(|definition| !definition.internal || overrides.contains_key(definition.name))
        .map(|definition| {
            let name = definition.name;
            let own = overrides.get(name);
            let value = shown(
                definition,
                own.cloned()
                    .or_else(|| topic::broker_value(view.config, name)),
            );
            let mut synonyms = topic::synonyms(name)
                .first()
                .map_or(Vec::new(), |(first, _)| {
                    broker_synonyms(view.config, first, definition.is_sensitive())
                });
            if own.is_some() {
                synonyms.insert(0, synonym(name, value.clone(), ConfigSource::DynamicTopic));
            }
            with_synonyms(
                entry(name, value, definition.config_type.code())
                    .with_is_sensitive(definition.is_sensitive()),
                synonyms,
            )
        })
        .collect();
    sort(&mut configs, TOPIC_BUCKET_BITS);
    configs
}

fn sort(configs: &mut Configs, bucket_bits: u32) {
    configs.sort_by_key(|config| java_bucket(&config.name, bucket_bits));
}

fn broker_entry(
    config: &BrokerConfig,
    name: &str,
    value: Option<String>,
) -> DescribeConfigsResourceResult {
    let definition = broker::definition(name);
    let is_quota = dynamic::is_quota(name);
    // What is not known could be a secret.
    let is_sensitive = definition.map_or(!is_quota, Definition::is_sensitive);
    let read_only = definition.map_or(!is_quota, |definition| {
        definition.update_mode == UpdateMode::ReadOnly
    });
    let value = match definition {
        Some(definition) => shown(definition, value),
        None => value.filter(|_| is_quota),
    };
    with_synonyms(
        entry(
            name,
            value,
            definition.map_or(0, |definition| definition.config_type.code()),
        )
        .with_is_sensitive(is_sensitive)
        .with_read_only(read_only),
        broker_synonyms(config, name, is_sensitive),
    )
}

fn broker_configs(config: &BrokerConfig) -> Configs {
    let is_shown =
        |name: &str| broker::definition(name).is_some_and(|definition| !definition.internal);
    let further: BTreeMap<&String, &String> = config
        .fixed()
        .iter()
        .chain(config.dynamic_default())
        .chain(config.dynamic())
        .filter(|(name, _)| !is_shown(name))
        .collect();
    let mut configs: Configs = further
        .into_iter()
        .map(|(name, value)| broker_entry(config, name, Some(value.clone())))
        .chain(
            broker::definitions()
                .iter()
                .filter(|definition| !definition.internal)
                .map(|definition| {
                    let value = config.get(definition.name).map(str::to_owned);
                    broker_entry(config, definition.name, value)
                }),
        )
        .collect();
    sort(&mut configs, BROKER_BUCKET_BITS);
    configs
}

/// What is set for all brokers.
fn default_broker_configs(config: &BrokerConfig) -> Configs {
    config
        .dynamic_default()
        .iter()
        .map(|(name, value)| {
            let mut entry = broker_entry(config, name, Some(value.clone()));
            entry
                .synonyms
                .retain(|synonym| synonym.source == ConfigSource::DynamicDefaultBroker.code());
            let synonyms = std::mem::take(&mut entry.synonyms);
            // The value itself is a text here, which is shown as it was set.
            if !entry.is_sensitive {
                entry.value = Some(StrBytes::from_string(value.clone()));
            }
            with_synonyms(entry, synonyms)
        })
        .collect()
}

fn group_configs(view: &BrokerView<'_>, name: &str) -> Configs {
    let none = BTreeMap::new();
    let overrides = view
        .image
        .config(ResourceType::Group, name)
        .unwrap_or(&none);
    let mut configs: Configs = group::definitions()
        .iter()
        .map(|definition| {
            let name = definition.name;
            let own = overrides.get(name);
            let value = shown(
                definition,
                own.cloned()
                    .or_else(|| group::broker_value(name, view.config)),
            );
            let mut synonyms = match group::broker_synonym(name) {
                Some(broker) => broker_synonyms(view.config, &broker, definition.is_sensitive()),
                None => definition
                    .default_text()
                    .map(|text| synonym(name, Some(text.to_owned()), ConfigSource::Default))
                    .into_iter()
                    .collect(),
            };
            if own.is_some() {
                synonyms.insert(0, synonym(name, value.clone(), ConfigSource::Group));
            }
            with_synonyms(entry(name, value, definition.config_type.code()), synonyms)
        })
        .collect();
    sort(&mut configs, GROUP_BUCKET_BITS);
    configs
}

fn client_metrics_configs(view: &BrokerView<'_>, name: &str) -> Configs {
    let none = BTreeMap::new();
    let overrides = view
        .image
        .config(ResourceType::ClientMetrics, name)
        .unwrap_or(&none);
    CLIENT_METRICS
        .iter()
        .map(|(name, default, config_type)| {
            let own = overrides.get(*name);
            let value = own.cloned().unwrap_or_else(|| (*default).to_owned());
            let synonyms = own
                .map(|own| synonym(name, Some(own.clone()), ConfigSource::ClientMetrics))
                .into_iter()
                .collect();
            with_synonyms(entry(name, Some(value), *config_type), synonyms)
        })
        .collect()
}
