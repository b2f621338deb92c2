//! Which replicas a throttle is for: `calculateProposedMoveMap` and what follows of it.

use std::collections::{BTreeMap, BTreeSet};

use playground_client::TopicPartition;
use playground_client::admin::PartitionReassignment;

use super::cluster::Assignment;

/// From where to where a partition moves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Move {
    sources: BTreeSet<i32>,
    destinations: BTreeSet<i32>,
}

/// The moves by topic and partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Moves(BTreeMap<String, BTreeMap<i32, Move>>);

/// What moves already, and what shall.
pub(super) fn moves(
    under_way: &BTreeMap<TopicPartition, PartitionReassignment>,
    proposed: &Assignment,
    current: &Assignment,
) -> Moves {
    let mut moves = Moves::default();
    for (partition, reassignment) in under_way {
        let adding: BTreeSet<i32> = reassignment.adding.iter().copied().collect();
        let all: BTreeSet<i32> = reassignment.replicas.iter().copied().collect();
        let entry = moves.0.entry(partition.topic.clone()).or_default();
        entry.insert(
            partition.partition,
            Move {
                sources: all.difference(&adding).copied().collect(),
                destinations: adding,
            },
        );
    }
    for (partition, replicas) in proposed {
        let entry = moves.0.entry(partition.topic.clone()).or_default();
        let sources: BTreeSet<i32> = match entry.get(&partition.partition) {
            Some(begun) => begun.sources.clone(),
            None => current
                .get(partition)
                .map(|ids| ids.iter().copied().collect())
                .unwrap_or_default(),
        };
        let wanted: BTreeSet<i32> = replicas.iter().copied().collect();
        let destinations = wanted.difference(&sources).copied().collect();
        entry.insert(
            partition.partition,
            Move {
                sources,
                destinations,
            },
        );
    }
    moves
}

impl Moves {
    /// For each topic the throttled replicas of leaders and of followers, as configs.
    pub(super) fn throttled_replicas(&self) -> Vec<(String, String, String)> {
        // `partition:broker`, sorted as texts.
        let join = |parts: BTreeSet<String>| parts.into_iter().collect::<Vec<_>>().join(",");
        let pair = |number: &i32, broker: &i32| format!("{number}:{broker}");
        self.0
            .iter()
            .map(|(topic, partitions)| {
                let (mut leaders, mut followers) = (BTreeSet::new(), BTreeSet::new());
                for (number, part) in partitions {
                    leaders.extend(part.sources.iter().map(|broker| pair(number, broker)));
                    let new = part.destinations.difference(&part.sources);
                    followers.extend(new.map(|broker| pair(number, broker)));
                }
                (topic.clone(), join(leaders), join(followers))
            })
            .collect()
    }

    /// All brokers that take part.
    pub(super) fn brokers(&self) -> BTreeSet<i32> {
        self.0
            .values()
            .flat_map(BTreeMap::values)
            .flat_map(|part| part.sources.iter().chain(&part.destinations))
            .copied()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_lead_and_new_brokers_follow() {
        let part = |number| TopicPartition::new("m", number);
        let current = [(part(0), vec![1, 2]), (part(1), vec![2, 3])].into();
        let proposed = [(part(0), vec![1, 2, 3]), (part(1), vec![2, 3, 1])].into();
        let found = moves(&BTreeMap::new(), &proposed, &current);
        assert_eq!(
            found.throttled_replicas(),
            [(
                "m".to_owned(),
                "0:1,0:2,1:2,1:3".to_owned(),
                "0:3,1:1".to_owned()
            )]
        );
        assert_eq!(found.brokers(), [1, 2, 3].into());
    }

    #[test]
    fn what_moves_already_keeps_its_sources() {
        let part = TopicPartition::new("m", 0);
        let under_way = PartitionReassignment {
            replicas: vec![3, 1],
            adding: vec![3],
            removing: vec![1],
        };
        let current = [(part.clone(), vec![3, 1])].into();
        let proposed = [(part.clone(), vec![3])].into();
        let found = moves(&[(part, under_way)].into(), &proposed, &current);
        assert_eq!(
            found.throttled_replicas(),
            [("m".to_owned(), "0:1".to_owned(), "0:3".to_owned())]
        );
    }
}
