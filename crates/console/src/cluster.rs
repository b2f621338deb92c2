//! The cluster that stands in the home directory's `docker-compose.yml`: kafka-1..N on the home host's
//! network, each node a broker and a voter.

use playground_broker::NodeConfig;
use playground_broker::node::{CONTROLLER_LISTENER, Listener};
use playground_log::disk::Disk;
use playground_protocol::Random;
use uuid::Uuid;

/// The host where a person's terminals are.
pub const HOME_HOST: &str = "home";

/// A person's directory on the home host.
pub const HOME_DIRECTORY: &str = "/home/user";

/// The user's directory on a Kafka host.
pub const CONTAINER_DIRECTORY: &str = "/home/appuser";

/// Where a Kafka host keeps its broker's data.
pub const LOG_DIR: &str = "/var/lib/kafka/data";

/// Brokers of a cluster at most.
pub const BROKERS_MAX: u32 = 9;

/// Node 1's port for clients; the others follow.
pub const CLIENT_PORT: u16 = 9092;

/// Node 1's port for controllers; the others follow.
pub const CONTROLLER_PORT: u16 = 19092;

/// The name of node `id`'s host.
pub fn host_name(id: u32) -> String {
    format!("kafka-{id}")
}

/// How node `id` of `brokers` is set up. `overrides` come after the cluster's own settings.
pub fn node_config(
    id: u32,
    brokers: u32,
    overrides: &[(String, String)],
    cluster_id: Uuid,
) -> NodeConfig {
    let port = |base: u16, id: u32| base + (id.clamp(1, BROKERS_MAX) - 1) as u16;
    let listener = |name: &str, base: u16| Listener {
        name: name.to_owned(),
        port: port(base, id),
        advertised_host: "localhost".to_owned(),
        advertised_port: port(base, id),
    };
    let factor = brokers.min(3).to_string();
    let mut properties: Vec<(String, String)> = [
        ("offsets.topic.replication.factor", factor.as_str()),
        ("transaction.state.log.replication.factor", factor.as_str()),
        ("transaction.state.log.min.isr", "1"),
        (
            "share.coordinator.state.topic.replication.factor",
            factor.as_str(),
        ),
        ("share.coordinator.state.topic.min.isr", "1"),
        ("group.initial.rebalance.delay.ms", "0"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect();
    properties.extend(overrides.iter().cloned());
    NodeConfig {
        node_id: id as i32,
        cluster_id,
        listeners: vec![
            listener("PLAINTEXT", CLIENT_PORT),
            listener(CONTROLLER_LISTENER, CONTROLLER_PORT),
        ],
        controller_voters: (1..=brokers)
            .map(|voter| {
                (
                    voter as i32,
                    "localhost".to_owned(),
                    port(CONTROLLER_PORT, voter),
                )
            })
            .collect(),
        rack: None,
        log_dir: LOG_DIR.to_owned(),
        overrides: properties,
    }
}

/// The cluster's id: as a disk has it, or else drawn from the seed.
pub fn cluster_id<'d>(disks: impl IntoIterator<Item = &'d Disk>, seed: u64) -> Uuid {
    let path = format!("{LOG_DIR}/meta.properties");
    disks
        .into_iter()
        .find_map(|disk| {
            let text = disk.read_all(&path)?;
            let text = String::from_utf8_lossy(&text).into_owned();
            let id = text
                .lines()
                .find_map(|line| line.strip_prefix("cluster.id="))?;
            parse_uuid(id.trim())
        })
        .unwrap_or_else(|| Random::new(seed, "cluster id").uuid())
}

/// An id as Kafka writes it: 22 characters of URL-safe base64.
fn parse_uuid(text: &str) -> Option<Uuid> {
    let mut bits = 0_u128;
    let mut count = 0_u32;
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'-' => 62,
            b'_' => 63,
            _ => return None,
        };
        // 22 characters hold 132 bits; the last four are padding.
        let kept = 6.min(128_u32.checked_sub(count)?);
        bits = bits << kept | u128::from(value >> (6 - kept));
        count += kept;
    }
    (count == 128).then(|| Uuid::from_u128(bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_have_their_ports() {
        let config = node_config(2, 3, &[("a".to_owned(), "b".to_owned())], Uuid::nil());
        assert_eq!(config.node_id, 2);
        assert_eq!(config.listeners[0].port, 9093);
        assert_eq!(
            config.controller_voters[2],
            (3, "localhost".to_owned(), 19094)
        );
        assert_eq!(
            config.property("offsets.topic.replication.factor"),
            Some("3")
        );
        assert_eq!(config.property("a"), Some("b"));
    }

    #[test]
    fn ids_are_read_as_kafka_writes_them() {
        assert_eq!(
            parse_uuid("AAAAAAAAAAAAAAAAAAAAAQ"),
            Some(Uuid::from_u128(1))
        );
        assert_eq!(parse_uuid("AAAA"), None);
        assert_eq!(parse_uuid("AAAAAAAAAAAAAAAAAAAA*Q"), None);
    }
}
