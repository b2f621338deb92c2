//! How a group's leader shares out partitions (`RangeAssignor`, `RoundRobinAssignor`); see also [`sticky`].
//!
//! [`sticky`]: super::sticky

use std::collections::{BTreeMap, BTreeSet};

use crate::TopicPartition;

/// A member as its leader sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberSubscription {
    /// The member's id.
    pub member_id: String,
    /// `group.instance.id`.
    pub group_instance_id: Option<String>,
    /// The topics that it subscribes to.
    pub topics: Vec<String>,
    /// What it had before this rebalance, as far as its assignor tells.
    pub owned: Vec<TopicPartition>,
    /// The generation in which it had that; -1 for none.
    pub generation: i32,
}

/// Java sorts members by instance id if both have one, else by member id, static members first.
fn sorted(members: &[MemberSubscription]) -> Vec<&MemberSubscription> {
    let mut members: Vec<&MemberSubscription> = members.iter().collect();
    members.sort_by(|a, b| match (&a.group_instance_id, &b.group_instance_id) {
        (Some(a), Some(b)) => a.cmp(b),
        (Some(_), None) => std::cmp::Ordering::Less,
        (None, Some(_)) => std::cmp::Ordering::Greater,
        (None, None) => a.member_id.cmp(&b.member_id),
    });
    members
}

/// Each topic's partitions are cut into one range per subscriber; the first ones get one more when it
/// does not come out even. Topics of the same partition count and subscribers line up by themselves.
pub fn range(
    members: &[MemberSubscription],
    partition_counts: &BTreeMap<String, i32>,
) -> BTreeMap<String, Vec<TopicPartition>> {
    let mut assignment: BTreeMap<String, Vec<TopicPartition>> = members
        .iter()
        .map(|member| (member.member_id.clone(), Vec::new()))
        .collect();
    let members = sorted(members);
    for (topic, count) in partition_counts {
        let subscribers: Vec<&&MemberSubscription> = members
            .iter()
            .filter(|member| member.topics.contains(topic))
            .collect();
        let Ok(many) = i32::try_from(subscribers.len()) else {
            continue;
        };
        if many == 0 {
            continue;
        }
        let mut next = 0;
        for (index, member) in (0..).zip(subscribers) {
            let share = count / many + i32::from(index < count % many);
            if let Some(partitions) = assignment.get_mut(&member.member_id) {
                partitions.extend(
                    (next..next + share).map(|partition| TopicPartition::new(topic, partition)),
                );
            }
            next += share;
        }
    }
    assignment
}

/// All partitions of all topics, one after another, go to the members in turn; a member that does not
/// subscribe to the topic is passed over.
pub fn round_robin(
    members: &[MemberSubscription],
    partition_counts: &BTreeMap<String, i32>,
) -> BTreeMap<String, Vec<TopicPartition>> {
    let mut assignment: BTreeMap<String, Vec<TopicPartition>> = members
        .iter()
        .map(|member| (member.member_id.clone(), Vec::new()))
        .collect();
    let members = sorted(members);
    let topics: BTreeSet<&String> = members.iter().flat_map(|member| &member.topics).collect();
    let mut turn = 0;
    for topic in topics {
        for partition in 0..partition_counts.get(topic).copied().unwrap_or(0) {
            // Some member subscribes to each of these topics: one round finds it.
            for _ in 0..members.len() {
                let Some(member) = members.get(turn % members.len()) else {
                    break;
                };
                turn += 1;
                if member.topics.contains(topic) {
                    if let Some(partitions) = assignment.get_mut(&member.member_id) {
                        partitions.push(TopicPartition::new(topic, partition));
                    }
                    break;
                }
            }
        }
    }
    assignment
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, topics: &[&str]) -> MemberSubscription {
        MemberSubscription {
            member_id: id.to_owned(),
            group_instance_id: None,
            topics: topics.iter().map(|topic| (*topic).to_owned()).collect(),
            owned: Vec::new(),
            generation: -1,
        }
    }

    fn counts(topics: &[(&str, i32)]) -> BTreeMap<String, i32> {
        topics
            .iter()
            .map(|(topic, count)| ((*topic).to_owned(), *count))
            .collect()
    }

    fn shown(assignment: &BTreeMap<String, Vec<TopicPartition>>, member: &str) -> Vec<String> {
        assignment[member].iter().map(ToString::to_string).collect()
    }

    #[test]
    fn ranges_give_the_first_members_one_more() {
        let members = [member("b", &["t", "u"]), member("a", &["t"])];
        let assignment = range(&members, &counts(&[("t", 3), ("u", 2)]));
        assert_eq!(shown(&assignment, "a"), ["t-0", "t-1"]);
        assert_eq!(shown(&assignment, "b"), ["t-2", "u-0", "u-1"]);
    }

    #[test]
    fn more_members_than_partitions_leaves_some_idle() {
        let members = [member("a", &["t"]), member("b", &["t"])];
        let assignment = range(&members, &counts(&[("t", 1)]));
        assert_eq!((assignment["a"].len(), assignment["b"].len()), (1, 0));
    }

    #[test]
    fn round_robin_takes_turns_over_all_topics() {
        let members = [member("a", &["t", "u"]), member("b", &["t", "u"])];
        let assignment = round_robin(&members, &counts(&[("t", 3), ("u", 3)]));
        assert_eq!(shown(&assignment, "a"), ["t-0", "t-2", "u-1"]);
        assert_eq!(shown(&assignment, "b"), ["t-1", "u-0", "u-2"]);
    }
}
