//! Topics are created and deleted (`ReplicationControlManager`, `ControllerApis`).

use std::collections::{BTreeMap, BTreeSet};

use playground_protocol::ErrorCode;
use playground_protocol::codec::StrBytes;
use playground_protocol::messages::create_topics_request::CreatableTopic;
use playground_protocol::messages::create_topics_response::{
    CreatableTopicConfigs, CreatableTopicResult,
};
use playground_protocol::messages::delete_topics_response::DeletableTopicResult;
use playground_protocol::messages::{
    CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest, DeleteTopicsResponse, TopicName,
};
use uuid::Uuid;

use super::Controller;
use super::configs::{Change, ConfigChanges};
use super::error::ApiError;
use super::placement::{UsableBroker, place};
use crate::config::topic;
use crate::metadata::records::{PartitionRecord, RemoveTopicRecord, TopicRecord};
use crate::metadata::{ConfigResource, MetadataRecord, ResourceType, TopicImage, topic_name};

/// A request creates at most this many partitions (`MAX_PARTITIONS_PER_BATCH`).
pub(super) const PARTITIONS_PER_REQUEST_MAX: i64 = 10_000;

impl Controller {
    pub(super) fn create_topics(
        &mut self,
        request: &CreateTopicsRequest,
    ) -> (Vec<MetadataRecord>, CreateTopicsResponse) {
        let mut response = CreateTopicsResponse::default();
        let failed = |topic: &TopicName, error: &ApiError| {
            CreatableTopicResult::default()
                .with_name(topic.clone())
                .with_error_code(error.code.0)
                .with_error_message(error.wire_message())
                .with_num_partitions(-1)
                .with_replication_factor(-1)
                .with_configs(Some(Vec::new()))
        };
        if self.partitions_asked_for(request) > PARTITIONS_PER_REQUEST_MAX {
            let error = ApiError::new(
                ErrorCode::POLICY_VIOLATION,
                "Excessively large number of partitions per request.",
            );
            response.topics = request
                .topics
                .iter()
                .map(|topic| failed(&topic.name, &error))
                .collect();
            return (Vec::new(), response);
        }
        let duplicates = duplicates(request.topics.iter().map(|topic| topic.name.as_str()));
        let mut records = Vec::new();
        let mut reported = BTreeSet::new();
        for topic in &request.topics {
            let name = topic.name.as_str();
            if duplicates.contains(name) {
                if reported.insert(name) {
                    let error = ApiError::new(ErrorCode::INVALID_REQUEST, "Duplicate topic name.");
                    response.topics.push(failed(&topic.name, &error));
                }
                continue;
            }
            match self.create_topic(topic, &records) {
                Ok((created, result)) => {
                    records.extend(created);
                    response.topics.push(result);
                }
                Err(error) => response.topics.push(failed(&topic.name, &error)),
            }
        }
        if request.validate_only {
            records.clear();
        }
        (records, response)
    }

    fn partitions_asked_for(&self, request: &CreateTopicsRequest) -> i64 {
        request
            .topics
            .iter()
            .map(
                |topic| match (topic.assignments.len(), topic.num_partitions) {
                    (0, -1) => i64::from(self.config.num_partitions),
                    (0, count) => i64::from(count.max(0)),
                    (count, _) => count as i64,
                },
            )
            .sum()
    }

    /// The records of one new topic. `earlier` are those of the same request.
    fn create_topic(
        &mut self,
        topic: &CreatableTopic,
        earlier: &[MetadataRecord],
    ) -> Result<(Vec<MetadataRecord>, CreatableTopicResult), ApiError> {
        let name = topic.name.as_str();
        if name == topic_name::CLUSTER_METADATA {
            return Err(ApiError::new(
                ErrorCode::INVALID_REQUEST,
                "Creation of internal topic __cluster_metadata is prohibited.",
            ));
        }
        self.check_new_name(name)?;
        let changes = creation_changes(topic)?;
        let resource = ConfigResource::new(ResourceType::Topic, name);
        let config_records = if changes.is_empty() {
            Vec::new()
        } else {
            self.altered_config(&resource, &changes, true)?
        };
        let assignments = if topic.assignments.is_empty() {
            self.automatic_assignment(topic)?
        } else {
            self.manual_assignment(topic)?
        };
        let topic_id = self.new_topic_id(earlier);
        let overrides: BTreeMap<String, String> = topic
            .configs
            .iter()
            .filter_map(|config| {
                let value = config.value.as_ref()?;
                Some((config.name.to_string(), value.to_string()))
            })
            .collect();
        let result = CreatableTopicResult::default()
            .with_name(topic.name.clone())
            .with_topic_id(topic_id)
            .with_num_partitions(i32::try_from(assignments.len()).unwrap_or(i32::MAX))
            .with_replication_factor(
                assignments
                    .first()
                    .and_then(|(replicas, _)| i16::try_from(replicas.len()).ok())
                    .unwrap_or(-1),
            )
            .with_configs(Some(self.creation_configs(&overrides)));
        let mut records = vec![
            TopicRecord {
                name: name.to_owned(),
                topic_id,
            }
            .into(),
        ];
        records.extend(config_records);
        for (number, (replicas, isr)) in (0..).zip(assignments) {
            records.push(self.partition_record(topic_id, number, replicas, isr));
        }
        Ok((records, result))
    }

    fn check_new_name(&self, name: &str) -> Result<(), ApiError> {
        if self.image.topic(name).is_some() {
            return Err(ApiError::new(
                ErrorCode::TOPIC_ALREADY_EXISTS,
                format!("Topic '{name}' already exists."),
            ));
        }
        let invalid = |text| ApiError::new(ErrorCode::INVALID_TOPIC_EXCEPTION, text);
        topic_name::validate(name).map_err(invalid)?;
        let key = topic_name::collision_key(name);
        let colliding = self
            .image
            .topics()
            .find(|topic| key.is_some() && topic_name::collision_key(&topic.name) == key);
        match colliding {
            Some(other) => Err(invalid(format!(
                "Topic '{name}' collides with existing topic: {}",
                other.name
            ))),
            None => Ok(()),
        }
    }

    fn manual_assignment(&self, topic: &CreatableTopic) -> Result<Vec<Assignment>, ApiError> {
        let request = |text: &str| Err(ApiError::new(ErrorCode::INVALID_REQUEST, text));
        if topic.replication_factor != -1 {
            return request(
                "A manual partition assignment was specified, but replication factor was not set to -1.",
            );
        }
        if topic.num_partitions != -1 {
            return request(
                "A manual partition assignment was specified, but numPartitions was not set to -1.",
            );
        }
        let invalid = |text: String| ApiError::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, text);
        let mut partitions = BTreeMap::new();
        let mut factor = None;
        for assignment in &topic.assignments {
            let number = assignment.partition_index;
            if partitions.contains_key(&number) {
                return Err(invalid(format!(
                    "Found multiple manual partition assignments for partition {number}"
                )));
            }
            let replicas: Vec<i32> = assignment.broker_ids.iter().map(|id| id.0).collect();
            self.check_manual_replicas(&replicas, factor)?;
            factor = Some(replicas.len());
            let isr = self.active(&replicas);
            if isr.is_empty() {
                return Err(invalid(format!(
                    "All brokers specified in the manual partition assignment for partition {number} are fenced or in controlled shutdown."
                )));
            }
            partitions.insert(number, (replicas, isr));
        }
        if (0..)
            .zip(partitions.keys())
            .any(|(index, number)| index != *number)
        {
            return Err(invalid(
                "partitions should be a consecutive 0-based integer sequence".to_owned(),
            ));
        }
        Ok(partitions.into_values().collect())
    }

    fn automatic_assignment(
        &mut self,
        topic: &CreatableTopic,
    ) -> Result<Vec<Assignment>, ApiError> {
        if topic.replication_factor < -1 || topic.replication_factor == 0 {
            return Err(ApiError::new(
                ErrorCode::INVALID_REPLICATION_FACTOR,
                "Replication factor must be larger than 0, or -1 to use the default value.",
            ));
        }
        if topic.num_partitions < -1 || topic.num_partitions == 0 {
            return Err(ApiError::new(
                ErrorCode::INVALID_PARTITIONS,
                "Number of partitions was set to an invalid non-positive value.",
            ));
        }
        let count = match topic.num_partitions {
            -1 => self.config.num_partitions,
            count => count,
        };
        let factor = match topic.replication_factor {
            -1 => self.config.default_replication_factor,
            factor => factor,
        };
        let unable = |text: String| {
            ApiError::new(
                ErrorCode::INVALID_REPLICATION_FACTOR,
                format!("Unable to replicate the partition {factor} time(s): {text}"),
            )
        };
        let placed = self
            .place(usize::try_from(count).unwrap_or(0), factor)
            .map_err(|error| unable(error.message.unwrap_or_default()))?;
        let mut assignments = Vec::with_capacity(placed.len());
        for replicas in placed {
            let isr = self.active(&replicas);
            if isr.is_empty() {
                return Err(unable(
                    "All brokers are currently fenced or in controlled shutdown.".to_owned(),
                ));
            }
            assignments.push((replicas, isr));
        }
        Ok(assignments)
    }

    pub(super) fn place(
        &mut self,
        partitions: usize,
        factor: i16,
    ) -> Result<Vec<Vec<i32>>, ApiError> {
        let brokers: Vec<UsableBroker> = self
            .image
            .brokers()
            .values()
            .filter(|broker| {
                !self.sessions.is_shutting_down(broker.id) && broker.has_uncordoned_dirs()
            })
            .map(|broker| UsableBroker {
                id: broker.id,
                rack: broker.rack.clone(),
                fenced: broker.fenced || self.sessions.is_fenced(broker.id),
            })
            .collect();
        place(&mut self.random, &brokers, partitions, factor)
    }

    pub(super) fn active(&self, replicas: &[i32]) -> Vec<i32> {
        replicas
            .iter()
            .copied()
            .filter(|replica| self.is_active(*replica))
            .collect()
    }

    /// `validateManualPartitionAssignment`
    pub(super) fn check_manual_replicas(
        &self,
        replicas: &[i32],
        factor: Option<usize>,
    ) -> Result<(), ApiError> {
        let invalid =
            |text: String| Err(ApiError::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, text));
        if replicas.is_empty() {
            return invalid(
                "The manual partition assignment includes an empty replica list.".to_owned(),
            );
        }
        let mut sorted = replicas.to_vec();
        sorted.sort_unstable();
        let mut previous = None;
        for broker in sorted {
            if self.image.broker(broker).is_none() {
                return invalid(format!(
                    "The manual partition assignment includes broker {broker}, but no such broker is registered."
                ));
            }
            if previous == Some(broker) {
                return invalid(format!(
                    "The manual partition assignment includes the broker {broker} more than once."
                ));
            }
            previous = Some(broker);
        }
        match factor {
            Some(factor) if factor != replicas.len() => invalid(format!(
                "The manual partition assignment includes a partition with {} replica(s), but this is not consistent with previous partitions, which have {factor} replica(s).",
                replicas.len()
            )),
            _ => Ok(()),
        }
    }

    /// A random id whose text does not look like an option (`Uuid.randomUuid`).
    fn new_topic_id(&mut self, earlier: &[MetadataRecord]) -> Uuid {
        loop {
            let id = self.random.uuid();
            let taken = self.image.topic_by_id(id).is_some()
                || earlier.iter().any(
                    |record| matches!(record, MetadataRecord::Topic(topic) if topic.topic_id == id),
                );
            if !taken && !playground_log::checkpoint::uuid_text(id).starts_with('-') {
                return id;
            }
        }
    }

    pub(super) fn partition_record(
        &self,
        topic_id: Uuid,
        partition_id: i32,
        replicas: Vec<i32>,
        isr: Vec<i32>,
    ) -> MetadataRecord {
        PartitionRecord {
            partition_id,
            topic_id,
            directories: replicas.iter().map(|id| self.default_dir(*id)).collect(),
            replicas,
            leader: isr.first().copied().unwrap_or(-1),
            isr,
            ..PartitionRecord::default()
        }
        .into()
    }

    /// The configurations that a new topic will have, by name (`computeEffectiveTopicConfigs`).
    fn creation_configs(&self, overrides: &BTreeMap<String, String>) -> Vec<CreatableTopicConfigs> {
        let mut configs: Vec<CreatableTopicConfigs> = topic::definitions()
            .iter()
            .filter(|definition| !definition.internal || overrides.contains_key(definition.name))
            .map(|definition| {
                let (value, source) = topic::resolve(definition, overrides, &self.config.broker);
                CreatableTopicConfigs::default()
                    .with_name(StrBytes::from_static_str(definition.name))
                    .with_value(value.map(StrBytes::from_string))
                    .with_config_source(source.code())
            })
            .collect();
        configs.sort_by(|one, other| one.name.cmp(&other.name));
        configs
    }

    pub(super) fn delete_topics(
        &self,
        request: &DeleteTopicsRequest,
    ) -> (Vec<MetadataRecord>, DeleteTopicsResponse) {
        let by_name = request
            .topic_names
            .iter()
            .map(|name| (Some(name), Uuid::nil()));
        let by_state = request
            .topics
            .iter()
            .map(|topic| (topic.name.as_ref(), topic.topic_id));
        let asked: Vec<(Option<&TopicName>, Uuid)> = by_name.chain(by_state).collect();
        let names = duplicates(
            asked
                .iter()
                .filter_map(|(name, _)| Some(name.as_ref()?.as_str())),
        );
        let mut records = Vec::new();
        let mut response = DeleteTopicsResponse::default();
        let mut deleted = BTreeSet::new();
        let mut reported = BTreeSet::new();
        for (name, id) in asked {
            let text = name.map_or("", |name| name.as_str());
            let request_error = |text| Err(ApiError::new(ErrorCode::INVALID_REQUEST, text));
            let result = match (name, id.is_nil()) {
                (None, true) => request_error("Neither topic name nor id were specified."),
                (Some(_), false) => {
                    request_error("You may not specify both topic name and topic id.")
                }
                (Some(_), true) if names.contains(text) => {
                    if !reported.insert(text) {
                        continue;
                    }
                    request_error("Duplicate topic name.")
                }
                (Some(_), true) => self
                    .image
                    .topic(text)
                    .ok_or_else(|| ApiError::of(ErrorCode::UNKNOWN_TOPIC_OR_PARTITION)),
                (None, false) => self
                    .image
                    .topic_by_id(id)
                    .ok_or_else(|| ApiError::of(ErrorCode::UNKNOWN_TOPIC_ID)),
            };
            let result = result.and_then(|topic| self.delete_topic(topic, &mut deleted));
            let mut answer = DeletableTopicResult::default()
                .with_name(name.cloned())
                .with_topic_id(id);
            match result {
                Ok(topic) => {
                    records.push(RemoveTopicRecord { topic_id: topic.id }.into());
                    answer.topic_id = topic.id;
                    answer.name = Some(StrBytes::from_string(topic.name.clone()).into());
                }
                Err(error) => {
                    answer.error_code = error.code.0;
                    answer.error_message = error.wire_message();
                }
            }
            response.responses.push(answer);
        }
        (records, response)
    }

    fn delete_topic<'a>(
        &self,
        topic: &'a TopicImage,
        deleted: &mut BTreeSet<Uuid>,
    ) -> Result<&'a TopicImage, ApiError> {
        if !self.config.broker.boolean("delete.topic.enable") {
            return Err(ApiError::of(ErrorCode::TOPIC_DELETION_DISABLED));
        }
        if deleted.insert(topic.id) {
            Ok(topic)
        } else {
            Err(ApiError::new(
                ErrorCode::INVALID_REQUEST,
                "The provided topic name maps to an ID that was already supplied.",
            ))
        }
    }
}

/// The replicas and the ISR of a new partition.
type Assignment = (Vec<i32>, Vec<i32>);

fn creation_changes(topic: &CreatableTopic) -> Result<ConfigChanges, ApiError> {
    let null: Vec<&str> = topic
        .configs
        .iter()
        .filter(|config| config.value.is_none())
        .map(|config| config.name.as_str())
        .collect();
    if !null.is_empty() {
        return Err(ApiError::new(
            ErrorCode::INVALID_CONFIG,
            format!(
                "Null value not supported for topic configs: {}",
                null.join(",")
            ),
        ));
    }
    Ok(topic
        .configs
        .iter()
        .filter_map(|config| {
            let value = config.value.as_ref()?.to_string();
            Some((config.name.to_string(), Change::Set(value)))
        })
        .collect())
}

pub(super) fn duplicates<'a>(names: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    let mut seen = BTreeSet::new();
    names.filter(|name| !seen.insert(*name)).collect()
}
