//! Dynamic configurations are altered (`ConfigurationControlManager`, `ControllerConfigurationValidator`, and
//! the broker's `ConfigAdminManager`, whose checks come first here too).

use std::collections::{BTreeMap, BTreeSet};

use playground_protocol::ErrorCode;
use playground_protocol::messages::alter_configs_request::AlterConfigsResource as LegacyResource;
use playground_protocol::messages::alter_configs_response::AlterConfigsResourceResponse as LegacyResult;
use playground_protocol::messages::incremental_alter_configs_request::AlterConfigsResource;
use playground_protocol::messages::incremental_alter_configs_response::AlterConfigsResourceResponse;
use playground_protocol::messages::{
    AlterConfigsRequest, AlterConfigsResponse, IncrementalAlterConfigsRequest,
    IncrementalAlterConfigsResponse,
};

use super::Controller;
use super::error::ApiError;
use crate::config::definition::{ConfigType, Definition};
use crate::config::{broker, dynamic, group, topic};
use crate::metadata::records::{ClearElrRecord, ConfigRecord};
use crate::metadata::{ConfigResource, MetadataRecord, ResourceType, topic_name};

const MIN_INSYNC_REPLICAS: &str = "min.insync.replicas";
/// A value is at most this long (`Short.MAX_VALUE`).
const VALUE_LENGTH_MAX: usize = 32_767;
/// What client metrics subscriptions can set.
const CLIENT_METRICS: &[&str] = &["interval.ms", "metrics", "match"];

/// What is done to one configuration (`AlterConfigOp`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It is set.
    Set(String),
    /// It goes back to its default.
    Delete,
    /// These are added to a list.
    Append(String),
    /// These are taken from a list.
    Subtract(String),
}

/// The changes of one resource, in the order of the request.
pub(super) type ConfigChanges = Vec<(String, Change)>;

/// A resource of a request, and what is done to it if the request makes sense.
type Alteration<'a> = (i8, &'a str, Result<ConfigChanges, ApiError>);

impl Controller {
    pub(super) fn incremental_alter_configs(
        &mut self,
        request: &IncrementalAlterConfigsRequest,
    ) -> (Vec<MetadataRecord>, IncrementalAlterConfigsResponse) {
        let alterations = request
            .resources
            .iter()
            .map(|resource| {
                (
                    resource.resource_type,
                    resource.resource_name.as_str(),
                    changes(resource),
                )
            })
            .collect();
        let (records, errors) = self.alter(alterations, request.validate_only);
        let responses = request.resources.iter().zip(errors);
        let responses = responses.map(|(resource, error)| {
            AlterConfigsResourceResponse::default()
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name.clone())
                .with_error_code(error.code.0)
                .with_error_message(error.wire_message())
        });
        let response =
            IncrementalAlterConfigsResponse::default().with_responses(responses.collect());
        (records, response)
    }

    pub(super) fn alter_configs(
        &mut self,
        request: &AlterConfigsRequest,
    ) -> (Vec<MetadataRecord>, AlterConfigsResponse) {
        let alterations = request
            .resources
            .iter()
            .map(|resource| {
                (
                    resource.resource_type,
                    resource.resource_name.as_str(),
                    self.replacement(resource),
                )
            })
            .collect();
        let (records, errors) = self.alter(alterations, request.validate_only);
        let responses = request.resources.iter().zip(errors);
        let responses = responses.map(|(resource, error)| {
            LegacyResult::default()
                .with_resource_type(resource.resource_type)
                .with_resource_name(resource.resource_name.clone())
                .with_error_code(error.code.0)
                .with_error_message(error.wire_message())
        });
        let response = AlterConfigsResponse::default().with_responses(responses.collect());
        (records, response)
    }

    /// The one way that configurations are altered: the records, and each resource's error in the order of the
    /// request.
    fn alter(
        &self,
        alterations: Vec<Alteration<'_>>,
        validate_only: bool,
    ) -> (Vec<MetadataRecord>, Vec<ApiError>) {
        let mut seen = BTreeSet::new();
        let repeated: BTreeSet<(i8, &str)> = alterations
            .iter()
            .map(|(kind, name, _)| (*kind, *name))
            .filter(|key| !seen.insert(*key))
            .collect();
        let mut records = Vec::new();
        let mut errors = Vec::new();
        for (kind, name, changes) in alterations {
            let result = if repeated.contains(&(kind, name)) {
                Err(ApiError::new(
                    ErrorCode::INVALID_REQUEST,
                    "Each resource must appear at most once.",
                ))
            } else {
                changes.and_then(|changes| {
                    let resource = config_resource(kind, name)?;
                    self.check_broker_changes(&resource, &changes)?;
                    self.altered_config(&resource, &changes, false)
                })
            };
            errors.push(match result {
                Ok(new) => {
                    records.extend(new);
                    ApiError::NONE
                }
                Err(error) => error,
            });
        }
        if validate_only {
            records.clear();
        }
        (records, errors)
    }

    /// What gives a resource exactly the requested configurations (`legacyAlterConfigResource`).
    fn replacement(&self, resource: &LegacyResource) -> Result<ConfigChanges, ApiError> {
        let null: Vec<&str> = resource
            .configs
            .iter()
            .filter(|config| config.value.is_none())
            .map(|config| config.name.as_str())
            .collect();
        if !null.is_empty() {
            return Err(null_error(&null));
        }
        let wanted: BTreeMap<String, String> = resource
            .configs
            .iter()
            .filter_map(|config| {
                Some((config.name.to_string(), config.value.as_ref()?.to_string()))
            })
            .collect();
        let of = config_resource(resource.resource_type, &resource.resource_name)?;
        let gone = self
            .current_configs(&of)
            .into_keys()
            .filter(|name| !wanted.contains_key(name))
            .map(|name| (name, Change::Delete))
            .collect::<Vec<_>>();
        Ok(wanted
            .into_iter()
            .map(|(name, value)| (name, Change::Set(value)))
            .chain(gone)
            .collect())
    }

    fn current_configs(&self, resource: &ConfigResource) -> BTreeMap<String, String> {
        self.image
            .configs()
            .get(resource)
            .cloned()
            .unwrap_or_default()
    }

    /// What the broker checks before it sends changes of brokers on (`validateBrokerConfigChange`).
    fn check_broker_changes(
        &self,
        resource: &ConfigResource,
        changes: &ConfigChanges,
    ) -> Result<(), ApiError> {
        if resource.resource_type != ResourceType::Broker {
            return Ok(());
        }
        let mut configs = self.current_configs(resource);
        for (name, change) in changes {
            let (verb, items) = match change {
                Change::Set(value) => {
                    configs.insert(name.clone(), value.clone());
                    continue;
                }
                Change::Delete => {
                    configs.remove(name);
                    continue;
                }
                Change::Append(items) => ("append", items),
                Change::Subtract(items) => ("subtract", items),
            };
            let definition = broker::definition(name).ok_or_else(|| {
                ApiError::new(
                    ErrorCode::INVALID_CONFIG,
                    format!("Unknown config name: {name}"),
                )
            })?;
            if definition.config_type != ConfigType::List {
                return Err(ApiError::new(
                    ErrorCode::INVALID_CONFIG,
                    format!("Config value {verb} is not allowed for config key: {name}"),
                ));
            }
            let value = edited_list(configs.get(name), definition, verb == "append", items);
            configs.insert(name.clone(), value);
        }
        dynamic::validate(&configs, !resource.name.is_empty())
            .map_err(|error| ApiError::new(ErrorCode::INVALID_REQUEST, error.0))
    }

    /// The records of changes of one resource (`incrementalAlterConfigResource`). `is_new` when the resource
    /// is about to be created.
    pub(super) fn altered_config(
        &self,
        resource: &ConfigResource,
        changes: &ConfigChanges,
        is_new: bool,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let current = self.current_configs(resource);
        let mut altered = Vec::new();
        for (name, change) in changes {
            let old = current.get(name);
            let new = match change {
                Change::Set(value) => Some(value.clone()),
                Change::Delete => None,
                Change::Append(items) | Change::Subtract(items) => {
                    let append = matches!(change, Change::Append(_));
                    let definition = definition(resource.resource_type, name)
                        .filter(|definition| definition.config_type == ConfigType::List)
                        .ok_or_else(|| {
                            let verb = if append { "APPEND" } else { "SUBTRACT" };
                            ApiError::new(
                                ErrorCode::INVALID_CONFIG,
                                format!("Can't {verb} to key {name} because its type is not LIST."),
                            )
                        })?;
                    Some(edited_list(old, definition, append, items))
                }
            };
            if old == new.as_ref() && resource.resource_type != ResourceType::Broker {
                continue;
            }
            altered.push((name.clone(), new));
        }
        self.config_records(resource, &altered, is_new)
    }

    fn config_records(
        &self,
        resource: &ConfigResource,
        altered: &[(String, Option<String>)],
        is_new: bool,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let mut configs = self.current_configs(resource);
        for (name, value) in altered {
            if self.elr_enabled() {
                check_min_isr(resource, name, value.as_ref())?;
            }
            match value {
                None => {
                    configs.remove(name);
                }
                Some(value) if value.len() > VALUE_LENGTH_MAX => {
                    return Err(ApiError::new(
                        ErrorCode::INVALID_CONFIG,
                        "The configuration value cannot be added because it exceeds the maximum value size of 32767 bytes.",
                    ));
                }
                Some(value) => {
                    configs.insert(name.clone(), value.clone());
                }
            }
        }
        self.check_configs(resource, &configs)?;
        if !is_new {
            self.check_exists(resource)?;
        }
        let mut records: Vec<MetadataRecord> = altered
            .iter()
            .map(|(name, value)| {
                ConfigRecord {
                    resource_type: resource.resource_type.code(),
                    resource_name: resource.name.clone(),
                    name: name.clone(),
                    value: value.clone(),
                }
                .into()
            })
            .collect();
        // Another minimum makes another set of replicas eligible (KIP-966).
        if self.elr_enabled() && altered.iter().any(|(name, _)| name == MIN_INSYNC_REPLICAS) {
            let is_topic = resource.resource_type == ResourceType::Topic;
            records.push(
                ClearElrRecord {
                    topic_name: if is_topic {
                        resource.name.clone()
                    } else {
                        String::new()
                    },
                }
                .into(),
            );
        }
        Ok(records)
    }

    /// `ControllerConfigurationValidator.validate`
    fn check_configs(
        &self,
        resource: &ConfigResource,
        configs: &BTreeMap<String, String>,
    ) -> Result<(), ApiError> {
        let request_error = |text: &str| Err(ApiError::new(ErrorCode::INVALID_REQUEST, text));
        match resource.resource_type {
            ResourceType::Topic if resource.name.is_empty() => {
                request_error("Default topic resources are not allowed.")
            }
            ResourceType::Topic => {
                topic_name::validate(&resource.name)
                    .map_err(|text| ApiError::new(ErrorCode::INVALID_TOPIC_EXCEPTION, text))?;
                Ok(topic::validate(configs)?)
            }
            ResourceType::Broker if resource.name.is_empty() => Ok(()),
            ResourceType::Broker => match resource.name.parse::<i32>() {
                Err(_) => request_error("Unable to parse broker name as a base 10 number."),
                Ok(id) if id < 0 => request_error("Invalid negative broker ID."),
                Ok(_) => Ok(()),
            },
            ResourceType::Group if resource.name.is_empty() => {
                request_error("Default group resources are not allowed.")
            }
            ResourceType::Group => Ok(group::validate(configs, &self.config.broker)?),
            ResourceType::ClientMetrics => {
                match configs
                    .keys()
                    .find(|name| !CLIENT_METRICS.contains(&name.as_str()))
                {
                    Some(name) => {
                        request_error(&format!("Unknown client metrics configuration: {name}"))
                    }
                    None => Ok(()),
                }
            }
            other => request_error(&format!("Unknown resource type {}", other.name())),
        }
    }

    /// `ConfigResourceExistenceChecker`
    fn check_exists(&self, resource: &ConfigResource) -> Result<(), ApiError> {
        match resource.resource_type {
            ResourceType::Topic if self.image.topic(&resource.name).is_none() => {
                Err(ApiError::new(
                    ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
                    format!("The topic '{}' does not exist.", resource.name),
                ))
            }
            ResourceType::Broker => match resource.name.parse::<i32>() {
                Ok(id)
                    if self.image.broker(id).is_none()
                        && !self.image.controllers().contains_key(&id)
                        && id != self.config.node_id =>
                {
                    Err(ApiError::new(
                        ErrorCode::BROKER_ID_NOT_REGISTERED,
                        format!("No node with id {id} found."),
                    ))
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

/// With eligible leader replicas on, the minimum is a matter of the cluster and of topics.
fn check_min_isr(
    resource: &ConfigResource,
    name: &str,
    value: Option<&String>,
) -> Result<(), ApiError> {
    if name != MIN_INSYNC_REPLICAS || resource.resource_type != ResourceType::Broker {
        return Ok(());
    }
    if !resource.name.is_empty() {
        return Err(ApiError::new(
            ErrorCode::INVALID_CONFIG,
            "Broker-level min.insync.replicas cannot be altered while ELR is enabled.",
        ));
    }
    if value.is_none() {
        return Err(ApiError::new(
            ErrorCode::INVALID_CONFIG,
            "Cluster-level min.insync.replicas cannot be removed while ELR is enabled.",
        ));
    }
    Ok(())
}

fn definition(resource_type: ResourceType, name: &str) -> Option<&'static Definition> {
    match resource_type {
        ResourceType::Topic => topic::definition(name),
        ResourceType::Broker => broker::definition(name),
        _ => None,
    }
}

fn config_resource(resource_type: i8, name: &str) -> Result<ConfigResource, ApiError> {
    match ResourceType::from_code(resource_type) {
        ResourceType::Unknown | ResourceType::BrokerLogger => Err(ApiError::new(
            ErrorCode::INVALID_REQUEST,
            format!("Unknown resource type {resource_type}"),
        )),
        known => Ok(ConfigResource::new(known, name)),
    }
}

/// The changes of one resource, after the checks of `ConfigAdminManager.preprocess`.
fn changes(resource: &AlterConfigsResource) -> Result<ConfigChanges, ApiError> {
    let mut names = BTreeSet::new();
    if !resource
        .configs
        .iter()
        .all(|config| names.insert(config.name.as_str()))
    {
        return Err(ApiError::new(
            ErrorCode::INVALID_REQUEST,
            "Error due to duplicate config keys",
        ));
    }
    const DELETE: i8 = 1;
    let null: Vec<&str> = resource
        .configs
        .iter()
        .filter(|config| config.config_operation != DELETE && config.value.is_none())
        .map(|config| config.name.as_str())
        .collect();
    if !null.is_empty() {
        return Err(null_error(&null));
    }
    resource
        .configs
        .iter()
        .map(|config| {
            let value = config
                .value
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default();
            let change = match config.config_operation {
                0 => Change::Set(value),
                DELETE => Change::Delete,
                2 => Change::Append(value),
                3 => Change::Subtract(value),
                other => {
                    return Err(ApiError::new(
                        ErrorCode::INVALID_REQUEST,
                        format!("Unknown operations type {other}"),
                    ));
                }
            };
            Ok((config.name.to_string(), change))
        })
        .collect()
}

/// A list with items added or taken; what is not set counts as its default.
fn edited_list(old: Option<&String>, definition: &Definition, append: bool, items: &str) -> String {
    let old = old
        .map(String::as_str)
        .or(definition.default_text())
        .unwrap_or_default();
    let mut list: Vec<&str> = old.split(',').filter(|item| !item.is_empty()).collect();
    for item in items.split(',') {
        let position = list.iter().position(|present| *present == item);
        match (append, position) {
            (true, None) => list.push(item),
            (false, Some(position)) => {
                list.remove(position);
            }
            _ => {}
        }
    }
    list.join(",")
}

fn null_error(names: &[&str]) -> ApiError {
    ApiError::new(
        ErrorCode::INVALID_REQUEST,
        format!("Null value not supported for : {}", names.join(", ")),
    )
}
