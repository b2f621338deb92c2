//! A classic group: its members and the state that they are in together (`ClassicGroup`,
//! `ClassicGroupState`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use bytes::Bytes;
use playground_protocol::{ErrorCode, Time};

use super::consumer_protocol;
use super::member::{Member, Waiting};
use super::records::{GroupMetadataValue, MemberMetadata};

/// The state of a classic group.
///
/// Legal transitions: Empty → PreparingRebalance → CompletingRebalance → Stable;
/// PreparingRebalance → Empty (everybody left); CompletingRebalance and Stable → PreparingRebalance;
/// anything → Dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum GroupState {
    /// No members, perhaps committed offsets.
    Empty,
    /// Members are asked to join again.
    PreparingRebalance,
    /// Everybody joined; the leader's assignment is awaited.
    CompletingRebalance,
    /// Every member has its assignment.
    Stable,
    /// Gone: deleted, or coordinated elsewhere.
    Dead,
}

impl GroupState {
    /// The state's name on the wire and in the tools.
    pub fn as_str(self) -> &'static str {
        match self {
            GroupState::Empty => "Empty",
            GroupState::PreparingRebalance => "PreparingRebalance",
            GroupState::CompletingRebalance => "CompletingRebalance",
            GroupState::Stable => "Stable",
            GroupState::Dead => "Dead",
        }
    }

    /// Whether a group may go from `self` to `next`.
    pub fn can_become(self, next: GroupState) -> bool {
        use GroupState::*;
        match next {
            Empty | CompletingRebalance => self == PreparingRebalance,
            PreparingRebalance => matches!(self, Empty | CompletingRebalance | Stable),
            Stable => self == CompletingRebalance,
            Dead => true,
        }
    }
}

impl fmt::Display for GroupState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A classic group.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub id: String,
    pub state: GroupState,
    pub previous_state: GroupState,
    /// When the state was entered, in milliseconds; unknown in records of old versions.
    pub state_timestamp_ms: Option<i64>,
    pub generation: i32,
    pub protocol_type: Option<String>,
    pub protocol_name: Option<String>,
    pub leader: Option<String>,
    /// By member id. Kafka's order is a hash map's; a sorted one is as good and repeatable.
    pub members: BTreeMap<String, Member>,
    /// Instance id to member id.
    pub static_members: BTreeMap<String, String>,
    /// Ids given with MEMBER_ID_REQUIRED whose members have not come back yet.
    pub pending_join: BTreeSet<String>,
    /// Members that have not synced in this generation.
    pub pending_sync: BTreeSet<String>,
    /// The topics that the members read, where their metadata tells.
    pub subscribed_topics: Option<BTreeSet<String>>,
    /// Whether somebody joined since the initial delay began.
    pub new_member_added: bool,
}

impl Group {
    /// A group without members.
    pub fn new(id: &str, now: Time) -> Group {
        Group {
            id: id.to_owned(),
            state: GroupState::Empty,
            previous_state: GroupState::Dead,
            state_timestamp_ms: Some(now.millis()),
            generation: 0,
            protocol_type: None,
            protocol_name: None,
            leader: None,
            members: BTreeMap::new(),
            static_members: BTreeMap::new(),
            pending_join: BTreeSet::new(),
            pending_sync: BTreeSet::new(),
            subscribed_topics: None,
            new_member_added: false,
        }
    }

    /// The group that a record describes: Stable with the record's members, or Empty.
    pub fn from_record(id: &str, value: GroupMetadataValue) -> Group {
        let mut group = Group::new(id, Time::default());
        group.state = if value.members.is_empty() {
            GroupState::Empty
        } else {
            GroupState::Stable
        };
        group.state_timestamp_ms =
            (value.current_state_timestamp != -1).then_some(value.current_state_timestamp);
        group.generation = value.generation;
        group.protocol_type = Some(value.protocol_type).filter(|kind| !kind.is_empty());
        group.protocol_name = value.protocol;
        group.leader = value.leader;
        for member in value.members {
            let protocol = group.protocol_name.clone().unwrap_or_default();
            group.add(
                Member {
                    member_id: member.member_id,
                    group_instance_id: member.group_instance_id,
                    client_id: member.client_id,
                    client_host: member.client_host,
                    rebalance_timeout_ms: if member.rebalance_timeout == -1 {
                        member.session_timeout
                    } else {
                        member.rebalance_timeout
                    },
                    session_timeout_ms: member.session_timeout,
                    protocols: vec![(protocol, member.subscription)],
                    assignment: member.assignment,
                    awaiting_join: None,
                    awaiting_sync: None,
                    is_new: false,
                },
                None,
            );
        }
        group.subscribed_topics = group.compute_subscribed_topics();
        group
    }

    /// The record of the group as it is, with the members' own assignments or those given.
    pub fn to_record(&self, assignments: Option<&BTreeMap<String, Bytes>>) -> GroupMetadataValue {
        GroupMetadataValue {
            protocol_type: self.protocol_type.clone().unwrap_or_default(),
            generation: self.generation,
            protocol: self.protocol_name.clone(),
            leader: self.leader.clone(),
            current_state_timestamp: self.state_timestamp_ms.unwrap_or(-1),
            members: self
                .members
                .values()
                .map(|member| MemberMetadata {
                    member_id: member.member_id.clone(),
                    group_instance_id: member.group_instance_id.clone(),
                    client_id: member.client_id.clone(),
                    client_host: member.client_host.clone(),
                    rebalance_timeout: member.rebalance_timeout_ms,
                    session_timeout: member.session_timeout_ms,
                    subscription: member.metadata(self.protocol_name.as_deref()),
                    assignment: match assignments {
                        None => member.assignment.clone(),
                        Some(by_member) => by_member
                            .get(&member.member_id)
                            .cloned()
                            .unwrap_or_default(),
                    },
                })
                .collect(),
        }
    }

    /// The record of a group that was just made.
    pub fn to_empty_record(&self) -> GroupMetadataValue {
        GroupMetadataValue {
            protocol_type: String::new(),
            generation: 0,
            protocol: None,
            leader: None,
            current_state_timestamp: self.state_timestamp_ms.unwrap_or(-1),
            members: Vec::new(),
        }
    }

    /// Enters a state.
    pub fn transition_to(&mut self, next: GroupState, now: Time) {
        debug_assert!(
            self.state.can_become(next),
            "{} cannot become {next}",
            self.state
        );
        self.previous_state = self.state;
        self.state = next;
        self.state_timestamp_ms = Some(now.millis());
    }

    /// Whether the member leads the group.
    pub fn is_leader(&self, member_id: &str) -> bool {
        self.leader.as_deref() == Some(member_id)
    }

    /// Whether the group's members are consumers.
    pub fn uses_consumer_protocol(&self) -> bool {
        self.protocol_type.as_deref() == Some(consumer_protocol::PROTOCOL_TYPE)
    }

    /// Adds a member, the first one as leader. `awaiting` is its open JoinGroup.
    pub fn add(&mut self, mut member: Member, awaiting: Option<Waiting>) {
        if let Some(instance) = &member.group_instance_id {
            self.static_members
                .insert(instance.clone(), member.member_id.clone());
        }
        if self.leader.is_none() {
            self.leader = Some(member.member_id.clone());
        }
        member.awaiting_join = awaiting;
        self.pending_join.remove(&member.member_id);
        self.members.insert(member.member_id.clone(), member);
    }

    /// Removes a member, wherever it stands; another one leads if it led. Returns it, with the requests
    /// that it still waits on.
    pub fn remove(&mut self, member_id: &str) -> Option<Member> {
        let removed = self.members.remove(member_id);
        if let Some(instance) = removed
            .as_ref()
            .and_then(|member| member.group_instance_id.as_ref())
        {
            self.static_members.remove(instance);
        }
        if self.is_leader(member_id) {
            self.leader = self.members.keys().next().cloned();
        }
        self.pending_join.remove(member_id);
        self.pending_sync.remove(member_id);
        removed
    }

    /// Keeps a leader that joined; else elects one of those who did. False when nobody joined.
    pub fn elect_joined_leader(&mut self) -> bool {
        let Some(leader) = self
            .leader
            .as_ref()
            .and_then(|leader| self.members.get(leader))
        else {
            return false;
        };
        if leader.awaiting_join.is_some() {
            return true;
        }
        let joined = self
            .members
            .values()
            .find(|member| member.awaiting_join.is_some());
        match joined.map(|member| member.member_id.clone()) {
            Some(member_id) => {
                self.leader = Some(member_id);
                true
            }
            None => false,
        }
    }

    /// How many members wait for the join phase to end.
    pub fn awaiting_join_count(&self) -> usize {
        self.members
            .values()
            .filter(|member| member.awaiting_join.is_some())
            .count()
    }

    /// Whether nobody is missing in the join phase.
    pub fn has_all_members_joined(&self) -> bool {
        self.pending_join.is_empty()
            && self
                .members
                .values()
                .all(|member| member.awaiting_join.is_some())
    }

    /// The longest rebalance timeout among the members, in milliseconds.
    pub fn rebalance_timeout_ms(&self) -> i32 {
        self.members
            .values()
            .map(|member| member.rebalance_timeout_ms)
            .max()
            .unwrap_or(0)
    }

    /// Checks that a request speaks for a member.
    ///
    /// # Errors
    /// UNKNOWN_MEMBER_ID; FENCED_INSTANCE_ID when another member took over the instance id.
    pub fn validate_member(
        &self,
        member_id: &str,
        instance: Option<&str>,
    ) -> Result<(), ErrorCode> {
        if let Some(instance) = instance {
            match self.static_members.get(instance) {
                None => return Err(ErrorCode::UNKNOWN_MEMBER_ID),
                Some(existing) if existing != member_id => {
                    return Err(ErrorCode::FENCED_INSTANCE_ID);
                }
                Some(_) => {}
            }
        }
        if self.members.contains_key(member_id) {
            Ok(())
        } else {
            Err(ErrorCode::UNKNOWN_MEMBER_ID)
        }
    }

    /// Whether a member with these protocols fits in: some protocol is everybody's.
    pub fn supports_protocols(&self, protocol_type: &str, protocols: &[(String, Bytes)]) -> bool {
        if self.state == GroupState::Empty {
            return !protocol_type.is_empty() && !protocols.is_empty();
        }
        self.protocol_type.as_deref() == Some(protocol_type)
            && protocols
                .iter()
                .any(|(name, _)| self.members.values().all(|member| member.supports(name)))
    }

    /// The protocol for the next generation: of those that everybody supports, the one with most votes.
    pub fn select_protocol(&self) -> Option<String> {
        let first = self.members.values().next()?;
        let candidates: BTreeSet<&str> = first
            .protocols
            .iter()
            .map(|(name, _)| name.as_str())
            .filter(|name| self.members.values().all(|member| member.supports(name)))
            .collect();
        let mut votes: BTreeMap<&str, usize> = BTreeMap::new();
        for vote in self
            .members
            .values()
            .filter_map(|member| member.vote(&candidates))
        {
            *votes.entry(vote).or_default() += 1;
        }
        let most = votes.values().copied().max()?;
        // Kafka takes the first of equals in the order of a Java hash map of sixteen buckets.
        votes
            .into_iter()
            .filter(|(_, count)| *count == most)
            .min_by_key(|(name, _)| {
                let hash = super::java_hash(name) as u32;
                (hash ^ (hash >> 16)) & 15
            })
            .map(|(name, _)| name.to_owned())
    }

    /// Begins the next generation with the members that are there: CompletingRebalance, or Empty.
    pub fn begin_generation(&mut self, now: Time) {
        self.generation = self.generation.wrapping_add(1);
        self.protocol_name = self.select_protocol();
        self.subscribed_topics = self.compute_subscribed_topics();
        let next = if self.members.is_empty() {
            GroupState::Empty
        } else {
            GroupState::CompletingRebalance
        };
        self.transition_to(next, now);
        self.pending_sync.clear();
    }

    /// Whether the members read the topic. When it cannot be told, consumers are taken to read all.
    pub fn is_subscribed_to(&self, topic: &str) -> bool {
        match &self.subscribed_topics {
            Some(topics) => topics.contains(topic),
            None => self.uses_consumer_protocol(),
        }
    }

    /// The topics in the members' metadata, for groups of consumers.
    pub fn compute_subscribed_topics(&self) -> Option<BTreeSet<String>> {
        if !self.uses_consumer_protocol() {
            return None;
        }
        if self.members.is_empty() {
            return Some(BTreeSet::new());
        }
        let protocol = self.protocol_name.as_deref()?;
        let mut all = BTreeSet::new();
        for member in self.members.values() {
            all.extend(consumer_protocol::subscribed_topics(
                &member.metadata(Some(protocol)),
            )?);
        }
        Some(all)
    }

    /// Checks an OffsetCommit.
    ///
    /// # Errors
    /// COORDINATOR_NOT_AVAILABLE, UNKNOWN_MEMBER_ID, FENCED_INSTANCE_ID, ILLEGAL_GENERATION,
    /// REBALANCE_IN_PROGRESS.
    pub fn validate_offset_commit(
        &self,
        member_id: &str,
        instance: Option<&str>,
        generation: i32,
    ) -> Result<(), ErrorCode> {
        if self.state == GroupState::Dead {
            return Err(ErrorCode::COORDINATOR_NOT_AVAILABLE);
        }
        if generation < 0 && self.state == GroupState::Empty {
            // A consumer that assigns itself, or an admin client.
            return Ok(());
        }
        if generation >= 0 || !member_id.is_empty() || instance.is_some() {
            self.validate_member(member_id, instance)?;
            if generation != self.generation {
                return Err(ErrorCode::ILLEGAL_GENERATION);
            }
        } else if self.state != GroupState::Empty {
            return Err(ErrorCode::UNKNOWN_MEMBER_ID);
        }
        if self.state == GroupState::CompletingRebalance {
            return Err(ErrorCode::REBALANCE_IN_PROGRESS);
        }
        Ok(())
    }

    /// Checks an OffsetDelete.
    ///
    /// # Errors
    /// GROUP_ID_NOT_FOUND, or NON_EMPTY_GROUP when the live members are no consumers.
    pub fn validate_offset_delete(&self) -> Result<(), ErrorCode> {
        match self.state {
            GroupState::Dead => Err(ErrorCode::GROUP_ID_NOT_FOUND),
            GroupState::Empty => Ok(()),
            _ if self.uses_consumer_protocol() => Ok(()),
            _ => Err(ErrorCode::NON_EMPTY_GROUP),
        }
    }

    /// Checks a DeleteGroups.
    ///
    /// # Errors
    /// GROUP_ID_NOT_FOUND or NON_EMPTY_GROUP.
    pub fn validate_delete(&self) -> Result<(), ErrorCode> {
        match self.state {
            GroupState::Dead => Err(ErrorCode::GROUP_ID_NOT_FOUND),
            GroupState::Empty => Ok(()),
            _ => Err(ErrorCode::NON_EMPTY_GROUP),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(id: &str, protocols: &[&str]) -> Member {
        Member {
            member_id: id.to_owned(),
            group_instance_id: None,
            client_id: "c".to_owned(),
            client_host: "/127.0.0.1".to_owned(),
            rebalance_timeout_ms: 1,
            session_timeout_ms: 1,
            protocols: protocols
                .iter()
                .map(|name| ((*name).to_owned(), Bytes::new()))
                .collect(),
            assignment: Bytes::new(),
            awaiting_join: None,
            awaiting_sync: None,
            is_new: false,
        }
    }

    #[test]
    fn the_protocol_is_everybodys_and_most_wanted() {
        let mut group = Group::new("g", Time::default());
        group.add(member("a", &["range", "roundrobin", "sticky"]), None);
        group.add(member("b", &["roundrobin", "range"]), None);
        group.add(member("c", &["roundrobin", "range", "sticky"]), None);
        assert_eq!(group.select_protocol().as_deref(), Some("roundrobin"));
        group.remove("c");
        // A tie: Java's hash map yields "range" (bucket 9) before "roundrobin" (bucket 10).
        assert_eq!(group.select_protocol().as_deref(), Some("range"));
    }

    #[test]
    fn states_change_only_as_they_may() {
        use GroupState::*;
        assert!(Empty.can_become(PreparingRebalance));
        assert!(!Empty.can_become(Stable));
        assert!(!Stable.can_become(CompletingRebalance));
        assert!(!PreparingRebalance.can_become(PreparingRebalance));
        assert!(Dead.can_become(Dead));
    }

    #[test]
    fn the_next_member_leads() {
        let mut group = Group::new("g", Time::default());
        group.add(member("b", &["range"]), None);
        group.add(member("a", &["range"]), None);
        assert!(group.is_leader("b"));
        group.remove("b");
        assert!(group.is_leader("a"));
        group.remove("a");
        assert_eq!(group.leader, None);
    }
}
