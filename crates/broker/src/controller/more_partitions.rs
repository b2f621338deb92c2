//! Topics get more partitions (`ReplicationControlManager.createPartitions`).

use std::collections::BTreeSet;

use playground_protocol::ErrorCode;
use playground_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use playground_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use playground_protocol::messages::{CreatePartitionsRequest, CreatePartitionsResponse};

use super::Controller;
use super::error::ApiError;
use super::topics::{PARTITIONS_PER_REQUEST_MAX, duplicates};
use crate::metadata::MetadataRecord;

impl Controller {
    pub(super) fn create_partitions(
        &mut self,
        request: &CreatePartitionsRequest,
    ) -> (Vec<MetadataRecord>, CreatePartitionsResponse) {
        let duplicates = duplicates(request.topics.iter().map(|topic| topic.name.as_str()));
        let mut records = Vec::new();
        let mut response = CreatePartitionsResponse::default();
        let mut reported = BTreeSet::new();
        for topic in &request.topics {
            let name = topic.name.as_str();
            let result = if duplicates.contains(name) {
                if !reported.insert(name) {
                    continue;
                }
                Err(ApiError::new(
                    ErrorCode::INVALID_REQUEST,
                    "Duplicate topic name.",
                ))
            } else {
                self.more_partitions(topic)
            };
            let error = match result {
                Ok(created) => {
                    records.extend(created);
                    ApiError::NONE
                }
                Err(error) => error,
            };
            response.results.push(
                CreatePartitionsTopicResult::default()
                    .with_name(topic.name.clone())
                    .with_error_code(error.code.0)
                    .with_error_message(error.wire_message()),
            );
        }
        if request.validate_only {
            records.clear();
        }
        (records, response)
    }

    fn more_partitions(
        &mut self,
        request: &CreatePartitionsTopic,
    ) -> Result<Vec<MetadataRecord>, ApiError> {
        let name = request.name.as_str();
        let topic = self.image.topic(name).ok_or(ApiError {
            code: ErrorCode::UNKNOWN_TOPIC_OR_PARTITION,
            message: None,
        })?;
        let topic_id = topic.id;
        let have = i32::try_from(topic.partitions.len()).unwrap_or(i32::MAX);
        let factor = topic
            .partitions
            .values()
            .next()
            .map_or(1, |partition| partition.replicas.len());
        let partitions_error = |text| Err(ApiError::new(ErrorCode::INVALID_PARTITIONS, text));
        if request.count == have {
            return partitions_error(format!("Topic already has {have} partition(s)."));
        }
        if request.count < have {
            return partitions_error(format!(
                "The topic {name} currently has {have} partition(s); {} would not be an increase.",
                request.count
            ));
        }
        let additional = request.count - have;
        if i64::from(additional) > PARTITIONS_PER_REQUEST_MAX {
            return Err(ApiError::new(
                ErrorCode::POLICY_VIOLATION,
                "Unable to perform excessively large batch operation.",
            ));
        }
        let placed = match &request.assignments {
            Some(assignments) => {
                let invalid = |text| ApiError::new(ErrorCode::INVALID_REPLICA_ASSIGNMENT, text);
                if assignments.len() != usize::try_from(additional).unwrap_or(0) {
                    return Err(invalid(format!(
                        "Attempted to add {additional} additional partition(s), but only {} assignment(s) were specified.",
                        assignments.len()
                    )));
                }
                let mut placed = Vec::new();
                for (number, assignment) in (have..).zip(assignments) {
                    let replicas: Vec<i32> = assignment.broker_ids.iter().map(|id| id.0).collect();
                    self.check_manual_replicas(&replicas, Some(factor))?;
                    if self.active(&replicas).is_empty() {
                        return Err(invalid(format!(
                            "All brokers specified in the manual partition assignment for partition {number} are fenced or in controlled shutdown."
                        )));
                    }
                    placed.push(replicas);
                }
                placed
            }
            None => self.place(
                usize::try_from(additional).unwrap_or(0),
                i16::try_from(factor).unwrap_or(i16::MAX),
            )?,
        };
        let mut records = Vec::new();
        for (number, replicas) in (have..).zip(placed) {
            let isr = self.active(&replicas);
            if isr.is_empty() {
                return Err(ApiError::new(
                    ErrorCode::INVALID_REPLICATION_FACTOR,
                    format!(
                        "Unable to replicate the partition {factor} time(s): All brokers are currently fenced or in controlled shutdown."
                    ),
                ));
            }
            records.push(self.partition_record(topic_id, number, replicas, isr));
        }
        Ok(records)
    }
}
