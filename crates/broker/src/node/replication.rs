//! Replication in the node: whom it follows, and what the partitions' progress sets free.

use playground_protocol::Time;
use uuid::Uuid;

use super::follower::FollowerFetch;
use super::lifecycle::BrokerState;
use super::partition::Cluster;
use super::publish::OFFSETS_TOPIC;
use super::replica_fetcher::Identity;
use super::view::Role;
use super::{Node, NodeOutput};

impl Node {
    /// Something happened to a partition here: records, a high watermark, leadership, its end. Requests that wait
    /// for it are looked at again.
    pub(super) fn partition_touched(&mut self, topic: &str, number: i32, now: Time) {
        self.fetches.touch(topic, number);
        self.produces.touch(topic, number);
        self.deletions.touch(topic, number);
        if topic == OFFSETS_TOPIC {
            self.complete_group_appends(number, now);
        }
    }

    /// Followers fetched: what they have moves high watermarks and ISRs.
    pub(super) fn followers_fetched(
        &mut self,
        replica: i32,
        fetched: Vec<(String, i32, FollowerFetch)>,
        now: Time,
    ) {
        for (topic, number, fetch) in fetched {
            let cluster = Cluster {
                node_id: self.config.node_id,
                image: &self.image,
                lag_ms_max: self.settings.replica_lag_time_max_ms,
                now,
            };
            let Some(partition) = self.replicas.get_mut(&topic, number) else {
                continue;
            };
            let start = partition
                .followers
                .get(&replica)
                .map(|f| f.log_start_offset);
            let moved = partition.follower_fetched(replica, &fetch, &cluster);
            let outside = !partition.state.isr.contains(&replica);
            if outside {
                self.maybe_expand_isr(&topic, number, replica, now);
            }
            if moved || start != Some(fetch.log_start_offset) {
                self.partition_touched(&topic, number, now);
            }
        }
    }

    /// Follows the leader of a partition, or no longer. `anew`: it is another one, or leads in another epoch.
    pub(super) fn follow_leader(&mut self, topic_id: Uuid, topic: &str, number: i32, anew: bool) {
        let Some(partition) = self.replicas.get(topic, number) else {
            return;
        };
        let (role, leader, epoch) = (
            partition.role,
            partition.state.leader,
            partition.state.leader_epoch,
        );
        if role != Role::Follower {
            self.unfollow(topic_id, number);
            return;
        }
        if !anew || self.lifecycle.state >= BrokerState::PendingControlledShutdown {
            return;
        }
        let listener = &self.settings.inter_broker_listener;
        let end_point = self
            .image
            .alive_broker(leader)
            .and_then(|broker| broker.end_point(listener))
            .map(|end_point| (end_point.host.clone(), end_point.port));
        let Some((host, port)) = end_point else {
            // It follows as soon as the leader is there, see `broker_changed`.
            self.unfollow(topic_id, number);
            return;
        };
        let identity = Identity {
            node_id: self.config.node_id,
            broker_epoch: self.lifecycle.broker_epoch,
            settings: &self.settings,
        };
        let output = &mut self.output;
        self.fetchers.follow(
            (topic_id, number),
            topic,
            epoch,
            (leader, &host, port),
            &identity,
            |out| output.push_back(NodeOutput::Client(out)),
        );
    }

    pub(super) fn unfollow(&mut self, topic_id: Uuid, number: i32) {
        let output = &mut self.output;
        self.fetchers.unfollow((topic_id, number), None, |out| {
            output.push_back(NodeOutput::Client(out));
        });
    }

    /// A broker came, went or moved: its followers here find it, and requests that wait for it are looked at.
    pub(super) fn broker_changed(&mut self, id: i32, now: Time) {
        if id == self.config.node_id {
            return;
        }
        let end_point = self
            .image
            .alive_broker(id)
            .and_then(|broker| broker.end_point(&self.settings.inter_broker_listener))
            .map(|end_point| (end_point.host.clone(), end_point.port));
        if let Some((host, port)) = end_point {
            let identity = Identity {
                node_id: self.config.node_id,
                broker_epoch: self.lifecycle.broker_epoch,
                settings: &self.settings,
            };
            let output = &mut self.output;
            self.fetchers.moved(id, &host, port, &identity, |out| {
                output.push_back(NodeOutput::Client(out));
            });
            let orphans: Vec<(Uuid, String, i32)> = self
                .replicas
                .iter()
                .filter(|(_, number, partition)| {
                    partition.role == Role::Follower
                        && partition.state.leader == id
                        && !self.fetchers.follows((partition.topic_id, *number))
                })
                .map(|(topic, number, partition)| (partition.topic_id, topic.to_owned(), number))
                .collect();
            for (topic_id, topic, number) in orphans {
                self.follow_leader(topic_id, &topic, number, true);
            }
        }
        // Low watermarks count brokers that are alive, high watermarks followers that may join the ISR.
        let led: Vec<(String, i32)> = self
            .replicas
            .iter()
            .filter(|(_, _, partition)| partition.followers.contains_key(&id))
            .map(|(topic, number, _)| (topic.to_owned(), number))
            .collect();
        for (topic, number) in led {
            self.partition_touched(&topic, number, now);
        }
    }
}
