//! What the outcomes of one operation are about, and the one way in which they fail.

use super::engine::Step;
use super::{AdminRequest, AdminResponse, ConfigResource, NodeInfo, PerKey, QuotaEntity};
use crate::{ClientError, TopicPartition};

/// What one outcome is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Key {
    /// A topic, a group or a feature.
    Name(String),
    /// A partition.
    Partition(TopicPartition),
    /// A resource with configs.
    Resource(ConfigResource),
    /// A broker.
    Broker(i32),
    /// A broker that was found.
    Node(NodeInfo),
    /// Whom a quota is for.
    Entity(QuotaEntity),
}

impl Step {
    /// What this step's end is about; empty when it is about the whole operation.
    pub(super) fn keys(&self, request: &AdminRequest) -> Vec<Key> {
        let partition = |key: &TopicPartition| Key::Partition(key.clone());
        let name = |key: &String| Key::Name(key.clone());
        match (self, request) {
            (Step::DescribeConfigs(keys) | Step::AlterConfigs(keys), _) => {
                keys.iter().cloned().map(Key::Resource).collect()
            }
            (
                Step::LookupLeaders(keys) | Step::ListOffsets(keys) | Step::DeleteRecords(keys),
                _,
            ) => keys.iter().map(partition).collect(),
            (
                Step::FindCoordinators(keys)
                | Step::ConsumerGroupDescribe(keys)
                | Step::DescribeGroups(keys)
                | Step::DeleteGroups(keys)
                | Step::OffsetFetch(keys),
                _,
            ) => keys.iter().map(name).collect(),
            (Step::ApiVersions(node), _) => vec![Key::Node(node.clone())],
            (Step::DescribeLogDirs(broker), _) => vec![Key::Broker(*broker)],
            (Step::UpdateFeatures, AdminRequest::UpdateFeatures { updates, .. }) => {
                updates.iter().map(|update| name(&update.feature)).collect()
            }
            (
                Step::AlterPartitionReassignments,
                AdminRequest::AlterPartitionReassignments { reassignments, .. },
            ) => reassignments
                .iter()
                .map(|(key, _)| partition(key))
                .collect(),
            (Step::AlterClientQuotas, AdminRequest::AlterClientQuotas { alterations, .. }) => {
                alterations
                    .iter()
                    .map(|alteration| Key::Entity(alteration.entity.clone()))
                    .collect()
            }
            _ => Vec::new(),
        }
    }
}

fn note<K: std::hash::Hash + Eq, T>(map: &mut PerKey<K, T>, key: K, error: ClientError) {
    map.insert(key, Err(error));
}

impl AdminResponse {
    /// Whether this kind of answer has outcomes of such keys, so that they can fail one by one.
    pub(super) fn holds(&self, keys: &[Key]) -> bool {
        matches!(
            (self, keys.first()),
            (
                AdminResponse::CreateTopics(_)
                    | AdminResponse::DeleteTopics(_)
                    | AdminResponse::DescribeTopics(_)
                    | AdminResponse::DescribeGroups(_)
                    | AdminResponse::DeleteGroups(_)
                    | AdminResponse::ListGroupOffsets(_)
                    | AdminResponse::UpdateFeatures(_),
                Some(Key::Name(_))
            ) | (
                AdminResponse::ListOffsets(_)
                    | AdminResponse::DeleteRecords(_)
                    | AdminResponse::AlterPartitionReassignments(_),
                Some(Key::Partition(_))
            ) | (
                AdminResponse::DescribeConfigs(_) | AdminResponse::IncrementalAlterConfigs(_),
                Some(Key::Resource(_))
            ) | (AdminResponse::DescribeLogDirs(_), Some(Key::Broker(_)))
                | (AdminResponse::DescribeBrokerVersions(_), Some(Key::Node(_)))
                | (AdminResponse::AlterClientQuotas(_), Some(Key::Entity(_)))
        )
    }

    /// Notes that one key failed; an answer that does not hold such keys stays as it is.
    pub(super) fn fail(&mut self, key: Key, error: ClientError) {
        match (self, key) {
            (AdminResponse::CreateTopics(map), Key::Name(key)) => note(map, key, error),
            (
                AdminResponse::DeleteTopics(map)
                | AdminResponse::DeleteGroups(map)
                | AdminResponse::UpdateFeatures(map),
                Key::Name(key),
            ) => note(map, key, error),
            (AdminResponse::DescribeTopics(map), Key::Name(key)) => note(map, key, error),
            (AdminResponse::DescribeGroups(map), Key::Name(key)) => note(map, key, error),
            (AdminResponse::ListGroupOffsets(map), Key::Name(key)) => note(map, key, error),
            (AdminResponse::ListOffsets(map), Key::Partition(key)) => note(map, key, error),
            (AdminResponse::DeleteRecords(map), Key::Partition(key)) => note(map, key, error),
            (AdminResponse::AlterPartitionReassignments(map), Key::Partition(key)) => {
                note(map, key, error);
            }
            (AdminResponse::DescribeConfigs(map), Key::Resource(key)) => note(map, key, error),
            (AdminResponse::IncrementalAlterConfigs(map), Key::Resource(key)) => {
                note(map, key, error);
            }
            (AdminResponse::DescribeLogDirs(map), Key::Broker(key)) => note(map, key, error),
            (AdminResponse::AlterClientQuotas(map), Key::Entity(key)) => note(map, key, error),
            (AdminResponse::DescribeBrokerVersions(list), Key::Node(node)) => {
                list.push(super::BrokerVersions {
                    node,
                    apis: Err(error),
                });
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_fails_in_an_answer_that_holds_it_and_nowhere_else() {
        let key = Key::Name("t".to_owned());
        let error = ClientError::timeout("late");
        let mut topics = AdminResponse::DeleteTopics(PerKey::new());
        assert!(topics.holds(std::slice::from_ref(&key)));
        topics.fail(key.clone(), error.clone());
        let AdminResponse::DeleteTopics(map) = topics else {
            unreachable!()
        };
        assert_eq!(map.get("t"), Some(&Err(error.clone())));
        let mut offsets = AdminResponse::ListOffsets(PerKey::new());
        assert!(!offsets.holds(std::slice::from_ref(&key)));
        offsets.fail(key, error);
        assert_eq!(offsets, AdminResponse::ListOffsets(PerKey::new()));
    }
}
