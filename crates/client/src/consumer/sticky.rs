//! Assignments that move as little as they can (`AbstractStickyAssignor`, `CooperativeStickyAssignor`).

use std::collections::{BTreeMap, BTreeSet};

use super::assignor::MemberSubscription;
use crate::TopicPartition;

type Assignment = BTreeMap<String, Vec<TopicPartition>>;

/// Balanced, and what a member has stays with it where that can be.
pub fn sticky(
    members: &[MemberSubscription],
    partition_counts: &BTreeMap<String, i32>,
) -> Assignment {
    let owned = owned_partitions(members, partition_counts);
    let first: BTreeSet<&String> = members
        .first()
        .map(|member| member.topics.iter().collect())
        .unwrap_or_default();
    let equal = members
        .iter()
        .all(|member| member.topics.iter().collect::<BTreeSet<_>>() == first);
    if equal {
        constrained(owned, partition_counts)
    } else {
        general(members, owned, partition_counts)
    }
}

/// The same, but a partition that another member still owns is withheld until that one gave it back
/// (KIP-429): the rebalance that follows hands it over.
pub fn cooperative_sticky(
    members: &[MemberSubscription],
    partition_counts: &BTreeMap<String, i32>,
) -> Assignment {
    let mut assignment = sticky(members, partition_counts);
    let mut owner: BTreeMap<&TopicPartition, &str> = BTreeMap::new();
    for member in members {
        for partition in &member.owned {
            owner.insert(partition, &member.member_id);
        }
    }
    for (member, partitions) in &mut assignment {
        partitions.retain(|partition| {
            owner
                .get(partition)
                .is_none_or(|owner| *owner == member.as_str())
        });
    }
    assignment
}

/// What each member owns of the topics that there are. Of two that claim a partition the one of the later
/// generation has it, in the same generation neither.
fn owned_partitions(
    members: &[MemberSubscription],
    partition_counts: &BTreeMap<String, i32>,
) -> Assignment {
    let mut owned: Assignment = members
        .iter()
        .map(|member| (member.member_id.clone(), Vec::new()))
        .collect();
    let mut claims: BTreeMap<&TopicPartition, Vec<&MemberSubscription>> = BTreeMap::new();
    for member in members {
        for partition in &member.owned {
            let exists = partition_counts
                .get(&partition.topic)
                .is_some_and(|count| (0..*count).contains(&partition.partition));
            if exists && member.topics.contains(&partition.topic) {
                claims.entry(partition).or_default().push(member);
            }
        }
    }
    for (partition, claimants) in claims {
        let Some(latest) = claimants.iter().map(|member| member.generation).max() else {
            continue;
        };
        let mut of_latest = claimants
            .iter()
            .filter(|member| member.generation == latest);
        if let (Some(member), None) = (of_latest.next(), of_latest.next()) {
            if let Some(partitions) = owned.get_mut(&member.member_id) {
                partitions.push(partition.clone());
            }
        }
    }
    for partitions in owned.values_mut() {
        partitions.sort_by(|a, b| (a.partition, &a.topic).cmp(&(b.partition, &b.topic)));
    }
    owned
}

fn all_partitions(partition_counts: &BTreeMap<String, i32>) -> Vec<TopicPartition> {
    partition_counts
        .iter()
        .flat_map(|(topic, count)| {
            (0..*count).map(|partition| TopicPartition::new(topic.clone(), partition))
        })
        .collect()
}

/// All members subscribe to the same topics (`ConstrainedAssignmentBuilder`).
fn constrained(owned: Assignment, partition_counts: &BTreeMap<String, i32>) -> Assignment {
    let all = all_partitions(partition_counts);
    let many = owned.len().max(1);
    let (quota_min, quota_max) = (all.len() / many, all.len().div_ceil(many));
    let over_expected = all.len() % many;
    let mut over = 0;
    let mut assignment = Assignment::new();
    let mut kept: BTreeSet<TopicPartition> = BTreeSet::new();
    let mut under_min: Vec<String> = Vec::new();
    let mut at_min: Vec<String> = Vec::new();
    for (member, mut partitions) in owned {
        if partitions.len() < quota_min {
            under_min.push(member.clone());
        } else if partitions.len() >= quota_max && over < over_expected {
            over += 1;
            partitions.truncate(quota_max);
        } else {
            partitions.truncate(quota_min);
            at_min.push(member.clone());
        }
        kept.extend(partitions.iter().cloned());
        assignment.insert(member, partitions);
    }
    let mut turn = 0;
    for partition in all {
        if kept.contains(&partition) {
            continue;
        }
        let member = if under_min.is_empty() {
            if at_min.is_empty() {
                break;
            }
            at_min.remove(0)
        } else {
            turn %= under_min.len();
            under_min[turn].clone()
        };
        let Some(partitions) = assignment.get_mut(&member) else {
            break;
        };
        partitions.push(partition);
        if partitions.len() == quota_min && under_min.get(turn) == Some(&member) {
            under_min.remove(turn);
            at_min.push(member);
        } else {
            turn += 1;
        }
    }
    assignment
}

/// Members subscribe to different topics: everything free goes to the least loaded subscriber, then
/// partitions move while that makes two members more even.
fn general(
    members: &[MemberSubscription],
    owned: Assignment,
    partition_counts: &BTreeMap<String, i32>,
) -> Assignment {
    let mut assignment = owned;
    let taken: BTreeSet<TopicPartition> = assignment.values().flatten().cloned().collect();
    let subscribers = |topic: &String| {
        members
            .iter()
            .filter(|member| member.topics.contains(topic))
            .map(|member| member.member_id.clone())
            .collect::<BTreeSet<String>>()
    };
    let mut free: Vec<(usize, TopicPartition)> = all_partitions(partition_counts)
        .into_iter()
        .filter(|partition| !taken.contains(partition))
        .map(|partition| (subscribers(&partition.topic).len(), partition))
        .collect();
    // Those that fewest members can take go first.
    free.sort();
    for (_, partition) in free {
        let load = |member: &String| assignment.get(member).map_or(0, Vec::len);
        let least = subscribers(&partition.topic)
            .into_iter()
            .min_by_key(|member| (load(member), member.clone()));
        if let Some(partitions) = least.and_then(|member| assignment.get_mut(&member)) {
            partitions.push(partition);
        }
    }
    // Each move lowers the sum of squares of the loads, so that this ends.
    while let Some((from, to, partition)) = uneven(&assignment, &subscribers) {
        if let Some(partitions) = assignment.get_mut(&from) {
            partitions.retain(|other| *other != partition);
        }
        if let Some(partitions) = assignment.get_mut(&to) {
            partitions.push(partition);
        }
    }
    assignment
}

/// A partition that a member with at least two fewer could take.
fn uneven(
    assignment: &Assignment,
    subscribers: &impl Fn(&String) -> BTreeSet<String>,
) -> Option<(String, String, TopicPartition)> {
    for (from, partitions) in assignment {
        for partition in partitions.iter().rev() {
            for to in subscribers(&partition.topic) {
                if assignment.get(&to)?.len() + 1 < partitions.len() {
                    return Some((from.clone(), to, partition.clone()));
                }
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, topics: &[&str], owned: &[(&str, i32)]) -> MemberSubscription {
        MemberSubscription {
            member_id: id.to_owned(),
            group_instance_id: None,
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
            owned: owned
                .iter()
                .map(|(topic, partition)| TopicPartition::new(*topic, *partition))
                .collect(),
            generation: if owned.is_empty() { -1 } else { 1 },
        }
    }

    fn counts(topics: &[(&str, i32)]) -> BTreeMap<String, i32> {
        topics
            .iter()
            .map(|(topic, count)| ((*topic).to_owned(), *count))
            .collect()
    }

    fn shown(assignment: &Assignment, member: &str) -> Vec<String> {
        let mut shown: Vec<String> = assignment[member].iter().map(ToString::to_string).collect();
        shown.sort();
        shown
    }

    #[test]
    fn a_new_member_takes_only_what_makes_it_even() {
        let members = [
            member("a", &["t"], &[("t", 0), ("t", 1), ("t", 2), ("t", 3)]),
            member("b", &["t"], &[]),
        ];
        let assignment = sticky(&members, &counts(&[("t", 4)]));
        assert_eq!(shown(&assignment, "a"), ["t-0", "t-1"]);
        assert_eq!(shown(&assignment, "b"), ["t-2", "t-3"]);
        // With the cooperative one it waits for them.
        let assignment = cooperative_sticky(&members, &counts(&[("t", 4)]));
        assert_eq!(shown(&assignment, "a"), ["t-0", "t-1"]);
        assert_eq!(shown(&assignment, "b"), [""; 0]);
    }

    #[test]
    fn the_partitions_of_a_member_that_left_are_spread() {
        let members = [
            member("a", &["t"], &[("t", 0), ("t", 1)]),
            member("b", &["t"], &[("t", 2), ("t", 3)]),
        ];
        let assignment = cooperative_sticky(&members, &counts(&[("t", 6)]));
        assert_eq!(shown(&assignment, "a"), ["t-0", "t-1", "t-4"]);
        assert_eq!(shown(&assignment, "b"), ["t-2", "t-3", "t-5"]);
    }

    #[test]
    fn nobody_keeps_what_two_claim_in_one_generation() {
        let members = [
            member("a", &["t"], &[("t", 0), ("t", 1)]),
            member("b", &["t"], &[("t", 1)]),
        ];
        let owned = owned_partitions(&members, &counts(&[("t", 2)]));
        assert_eq!(shown(&owned, "a"), ["t-0"]);
        assert_eq!(shown(&owned, "b"), [""; 0]);
    }

    #[test]
    fn every_partition_has_one_owner_and_loads_differ_by_one_at_most() {
        for many in 1..6 {
            for count in 0..12 {
                let members: Vec<MemberSubscription> = (0..many)
                    .map(|number| member(&format!("m{number}"), &["t", "u"], &[]))
                    .collect();
                let topics = counts(&[("t", count), ("u", 3)]);
                let assignment = sticky(&members, &topics);
                let all: BTreeSet<&TopicPartition> = assignment.values().flatten().collect();
                assert_eq!(all.len() as i32, count + 3);
                let loads: Vec<usize> = assignment.values().map(Vec::len).collect();
                let spread = loads.iter().max().unwrap() - loads.iter().min().unwrap();
                assert!(spread <= 1, "{loads:?}");
            }
        }
    }

    #[test]
    fn different_subscriptions_are_respected() {
        let members = [
            member("a", &["t"], &[("t", 0), ("t", 1), ("t", 2)]),
            member("b", &["t", "u"], &[]),
        ];
        let assignment = sticky(&members, &counts(&[("t", 3), ("u", 1)]));
        assert_eq!(shown(&assignment, "a"), ["t-0", "t-1"]);
        assert_eq!(shown(&assignment, "b"), ["t-2", "u-0"]);
    }
}
