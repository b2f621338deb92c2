//! Configs: described, changed, listed.

use playground_protocol::Time;
use playground_protocol::messages::{
    DescribeConfigsResponse, IncrementalAlterConfigsResponse, ListConfigResourcesResponse,
};

use super::super::engine::Call;
use super::super::{
    Admin, AdminResponse, ConfigEntry, ConfigResource, ConfigResourceType, ConfigSource,
    ConfigSynonym,
};
use super::{is_not_controller, outcome, select};

impl Admin {
    pub(super) fn describe_configs(&mut self, call: &Call, response: DescribeConfigsResponse) {
        let outcomes = response.results.into_iter().filter_map(|resource| {
            let kind = ConfigResourceType::from_id(resource.resource_type)?;
            let entries = resource
                .configs
                .iter()
                .map(|config| ConfigEntry {
                    name: config.name.to_string(),
                    value: config.value.as_ref().map(ToString::to_string),
                    source: ConfigSource(config.config_source),
                    is_sensitive: config.is_sensitive,
                    is_read_only: config.read_only,
                    synonyms: config
                        .synonyms
                        .iter()
                        .map(|synonym| ConfigSynonym {
                            name: synonym.name.to_string(),
                            value: synonym.value.as_ref().map(ToString::to_string),
                            source: ConfigSource(synonym.source),
                        })
                        .collect(),
                    kind: config.config_type,
                    documentation: config.documentation.as_ref().map(ToString::to_string),
                })
                .collect();
            let key = ConfigResource {
                kind,
                name: resource.resource_name.to_string(),
            };
            let message = resource.error_message.as_deref();
            Some((key, outcome(resource.error_code, message, entries)))
        });
        self.put(call, outcomes, select!(DescribeConfigs));
    }

    pub(super) fn alter_configs(
        &mut self,
        call: Call,
        response: IncrementalAlterConfigsResponse,
        now: Time,
    ) {
        let resources = response.responses;
        if resources.iter().any(|r| is_not_controller(r.error_code)) {
            self.not_controller(call, now);
            return;
        }
        let outcomes = resources.into_iter().filter_map(|resource| {
            let key = ConfigResource {
                kind: ConfigResourceType::from_id(resource.resource_type)?,
                name: resource.resource_name.to_string(),
            };
            let message = resource.error_message.as_deref();
            Some((key, outcome(resource.error_code, message, ())))
        });
        self.put(&call, outcomes, select!(IncrementalAlterConfigs));
    }

    pub(super) fn list_config_resources(
        &mut self,
        call: &Call,
        response: &ListConfigResourcesResponse,
    ) {
        if let Err(error) = outcome(response.error_code, None, ()) {
            self.end_call(call, error);
            return;
        }
        self.with_response(call, |results| {
            let AdminResponse::ListConfigResources(list) = results else {
                return;
            };
            list.extend(response.config_resources.iter().filter_map(|resource| {
                Some(ConfigResource {
                    kind: ConfigResourceType::from_id(resource.resource_type)?,
                    name: resource.resource_name.to_string(),
                })
            }));
        });
    }
}
