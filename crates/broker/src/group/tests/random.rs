//! Members that do everything in any order, with invariants checked after every step.

use playground_protocol::Random;

use super::*;

/// What a simulated member knows of itself.
#[derive(Clone, Default)]
struct Actor {
    group: String,
    instance: Option<String>,
    member_id: StrBytes,
    generation: i32,
    is_leader: bool,
    members: Vec<StrBytes>,
    /// The open request, if any: a JoinGroup or a SyncGroup.
    open: Option<u64>,
}

struct Crowd {
    driver: Driver,
    actors: Vec<Actor>,
    random: Random,
    /// Outcomes seen, by API and error.
    outcomes: BTreeMap<(&'static str, i16), u32>,
}

impl Crowd {
    fn new(seed: u64) -> Crowd {
        let config = GroupConfig {
            max_size: 4,
            ..GroupConfig::default()
        };
        let actors = (0..10).map(|at| Actor {
            group: format!("g{}", at % 2),
            // Two actors of the same group claim the same place, another has its own.
            instance: match at {
                0 | 2 => Some("shared".to_owned()),
                5 => Some("own".to_owned()),
                _ => None,
            },
            ..Actor::default()
        });
        Crowd {
            driver: Driver::new(config),
            actors: actors.collect(),
            random: Random::new(seed, "crowd"),
            outcomes: BTreeMap::new(),
        }
    }

    fn saw(&mut self, api: &'static str, code: i16) {
        *self.outcomes.entry((api, code)).or_default() += 1;
    }

    /// Takes a response in, the way a client does.
    fn learn(&mut self, at: usize) {
        let Some(open) = self.actors[at].open else {
            return;
        };
        match self.driver.take(open) {
            None => {}
            Some(ResponseKind::JoinGroup(response)) => {
                self.saw("join", response.error_code);
                let actor = &mut self.actors[at];
                actor.open = None;
                match ErrorCode(response.error_code) {
                    ErrorCode::NONE => {
                        actor.is_leader = response.leader == response.member_id;
                        actor.member_id = response.member_id;
                        actor.generation = response.generation_id;
                        actor.members = response
                            .members
                            .into_iter()
                            .map(|member| member.member_id)
                            .collect();
                    }
                    ErrorCode::MEMBER_ID_REQUIRED => actor.member_id = response.member_id,
                    ErrorCode::UNKNOWN_MEMBER_ID
                    | ErrorCode::GROUP_MAX_SIZE_REACHED
                    | ErrorCode::FENCED_INSTANCE_ID => actor.member_id = StrBytes::default(),
                    _ => {}
                }
            }
            Some(ResponseKind::SyncGroup(response)) => {
                self.saw("sync", response.error_code);
                self.actors[at].open = None;
                if response.error_code == ErrorCode::UNKNOWN_MEMBER_ID.0 {
                    self.actors[at].member_id = StrBytes::default();
                }
            }
            Some(other) => panic!("{other:?}"),
        }
    }

    fn step(&mut self) {
        let at = self.random.below(self.actors.len() as u64) as usize;
        self.learn(at);
        let actor = self.actors[at].clone();
        let instance = actor.instance.as_deref().map(responses::text);
        match self.random.below(12) {
            0..=3 if actor.open.is_none() => {
                let request = join(&actor.group, &actor.member_id).with_group_instance_id(instance);
                self.actors[at].open = Some(self.driver.send(request, 9));
            }
            4..=6 if actor.open.is_none() => {
                let mut request = sync(&actor.group, &actor.member_id, actor.generation, &[])
                    .with_group_instance_id(instance);
                if actor.is_leader {
                    request.assignments = actor
                        .members
                        .iter()
                        .map(|member| {
                            SyncGroupRequestAssignment::default()
                                .with_member_id(member.clone())
                                .with_assignment(Bytes::copy_from_slice(member.as_bytes()))
                        })
                        .collect();
                }
                self.actors[at].open = Some(self.driver.send(request, 5));
            }
            7 => {
                let code = self
                    .driver
                    .heartbeat(&actor.group, &actor.member_id, actor.generation);
                self.saw("heartbeat", code.0);
            }
            8 => {
                let offset = self.random.below(1_000) as i64;
                let generation = if self.random.below(4) == 0 {
                    -1
                } else {
                    actor.generation
                };
                let code =
                    self.driver
                        .commit_as(&actor.group, &actor.member_id, generation, offset);
                self.saw("commit", code.0);
                if code == ErrorCode::NONE {
                    assert_eq!(self.driver.fetch_one(&actor.group, 0), offset);
                }
            }
            9 if self.random.below(3) == 0 => {
                let left = self
                    .driver
                    .leave(&actor.group, vec![identity(&actor.member_id)]);
                let code = left
                    .members
                    .first()
                    .map_or(left.error_code, |member| member.error_code);
                self.saw("leave", code);
            }
            10 if self.random.below(8) == 0 => {
                let code = self.driver.delete(&actor.group);
                self.saw("delete", code.0);
            }
            _ => {
                let millis = self.random.below(2_500) as i64;
                self.driver.pass(millis);
            }
        }
    }

    fn check(&self) {
        for shard in self.driver.coordinator.loaded() {
            for group in shard.groups.values() {
                match &group.leader {
                    Some(leader) => assert!(group.members.contains_key(leader)),
                    None => assert!(group.members.is_empty()),
                }
                for member in group.static_members.values() {
                    assert!(group.members.contains_key(member));
                }
                assert!(
                    group
                        .pending_join
                        .iter()
                        .all(|id| !group.members.contains_key(id))
                );
                match group.state {
                    GroupState::Empty => assert!(group.members.is_empty()),
                    GroupState::PreparingRebalance => {}
                    GroupState::CompletingRebalance | GroupState::Stable => {
                        assert!(!group.members.is_empty());
                    }
                    GroupState::Dead => panic!("a dead group is not kept"),
                }
                // Those who joined before and may not come back do not count (KIP-389).
                assert!(group.awaiting_join_count() <= 4, "group.max.size");
            }
        }
    }

    /// A coordinator that loads the log knows what this one knows.
    fn check_restart(&self) {
        let restarted = self.driver.restarted();
        let after: BTreeMap<String, GroupView> = restarted
            .coordinator
            .groups()
            .into_iter()
            .map(|view| (view.group_id.clone(), view))
            .collect();
        for before in self.driver.coordinator.groups() {
            let after = after.get(&before.group_id).expect("the group");
            assert_eq!(after.offsets, before.offsets);
            if matches!(before.state, GroupState::Stable | GroupState::Empty) {
                assert_eq!(*after, before);
            }
        }
    }
}

/// Runs a crowd; returns the outcomes seen and a digest of all that was written.
fn run(seed: u64, with_failures: bool) -> (BTreeMap<(&'static str, i16), u32>, u64) {
    let mut crowd = Crowd::new(seed);
    for step in 0..3_000 {
        if with_failures {
            let fails = crowd.random.below(20) == 0;
            crowd.driver.fail_appends = fails.then_some(ErrorCode::NOT_LEADER_OR_FOLLOWER);
        }
        crowd.step();
        crowd.check();
        if !with_failures && step % 50 == 0 {
            crowd.check_restart();
        }
    }
    crowd.driver.fail_appends = None;
    // Left alone, every request is answered and every member gone.
    crowd.driver.pass(20 * 60_000);
    for at in 0..crowd.actors.len() {
        crowd.learn(at);
        assert_eq!(crowd.actors[at].open, None);
    }
    assert!(
        crowd
            .driver
            .coordinator
            .groups()
            .iter()
            .all(|view| view.state == GroupState::Empty)
    );
    let mut digest: u64 = 0xcbf2_9ce4_8422_2325;
    for (key, value) in crowd.driver.logs.values().flatten() {
        for byte in key.iter().chain(value.iter().flatten()) {
            digest = (digest ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    (crowd.outcomes, digest)
}

#[test]
fn a_crowd_keeps_the_invariants_and_meets_every_outcome() {
    let mut outcomes: BTreeMap<(&'static str, i16), u32> = BTreeMap::new();
    for seed in 0..12 {
        for (outcome, count) in run(seed, false).0 {
            *outcomes.entry(outcome).or_default() += count;
        }
    }
    let expected = [
        ("join", ErrorCode::NONE),
        ("join", ErrorCode::MEMBER_ID_REQUIRED),
        ("join", ErrorCode::UNKNOWN_MEMBER_ID),
        ("join", ErrorCode::GROUP_MAX_SIZE_REACHED),
        ("join", ErrorCode::FENCED_INSTANCE_ID),
        ("sync", ErrorCode::NONE),
        ("sync", ErrorCode::REBALANCE_IN_PROGRESS),
        ("sync", ErrorCode::UNKNOWN_MEMBER_ID),
        ("sync", ErrorCode::FENCED_INSTANCE_ID),
        ("heartbeat", ErrorCode::NONE),
        ("heartbeat", ErrorCode::REBALANCE_IN_PROGRESS),
        ("heartbeat", ErrorCode::ILLEGAL_GENERATION),
        ("heartbeat", ErrorCode::UNKNOWN_MEMBER_ID),
        ("commit", ErrorCode::NONE),
        ("commit", ErrorCode::ILLEGAL_GENERATION),
        ("commit", ErrorCode::REBALANCE_IN_PROGRESS),
        ("commit", ErrorCode::UNKNOWN_MEMBER_ID),
        ("leave", ErrorCode::NONE),
        ("leave", ErrorCode::UNKNOWN_MEMBER_ID),
        ("delete", ErrorCode::NONE),
        ("delete", ErrorCode::NON_EMPTY_GROUP),
    ];
    for (api, code) in expected {
        assert!(
            outcomes.contains_key(&(api, code.0)),
            "{api} {code:?} in {outcomes:?}"
        );
    }
}

#[test]
fn a_crowd_survives_appends_that_fail() {
    for seed in 0..6 {
        run(seed, true);
    }
}

#[test]
fn the_same_seed_writes_the_same_log() {
    assert_eq!(run(1, false).1, run(1, false).1);
    assert_ne!(run(1, false).1, run(2, false).1);
}
