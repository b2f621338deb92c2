//! The compose files that are there at first: the home directory's and the tutorial's.

/// `~/docker-compose.yml`: three brokers, up from the start. [`home_file`] writes the same for other counts.
pub const HOME_FILE: &str = "\
# Three Kafka brokers, each of them a controller too. They share this machine's network, so from
# here, and from inside each of them, localhost:9092 is kafka-1, 9093 is kafka-2, 9094 is kafka-3.
# Change the file and run `docker-compose up -d` to see what it does.
services:
  kafka-1:
    image: apache/kafka:4.3.1
    container_name: kafka-1
    network_mode: host
    environment:
      KAFKA_NODE_ID: 1
      KAFKA_LISTENERS: PLAINTEXT://localhost:9092,CONTROLLER://localhost:19092
      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9092
      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@localhost:19092,2@localhost:19093,3@localhost:19094
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: 0
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: 3
    volumes:
      - kafka-1-data:/var/lib/kafka/data
  kafka-2:
    image: apache/kafka:4.3.1
    container_name: kafka-2
    network_mode: host
    environment:
      KAFKA_NODE_ID: 2
      KAFKA_LISTENERS: PLAINTEXT://localhost:9093,CONTROLLER://localhost:19093
      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9093
      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@localhost:19092,2@localhost:19093,3@localhost:19094
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: 0
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: 3
    volumes:
      - kafka-2-data:/var/lib/kafka/data
  kafka-3:
    image: apache/kafka:4.3.1
    container_name: kafka-3
    network_mode: host
    environment:
      KAFKA_NODE_ID: 3
      KAFKA_LISTENERS: PLAINTEXT://localhost:9094,CONTROLLER://localhost:19094
      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:9094
      KAFKA_CONTROLLER_QUORUM_VOTERS: 1@localhost:19092,2@localhost:19093,3@localhost:19094
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: 0
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: 3
    volumes:
      - kafka-3-data:/var/lib/kafka/data
volumes:
  kafka-1-data:
  kafka-2-data:
  kafka-3-data:
";

/// `~/book/docker-compose.yml`: the tutorial's cluster of one broker.
pub const BOOK_FILE: &str = "\
# The tutorial's cluster: one broker. From here it is localhost:29092, and inside of it, after
# `docker-compose exec kafka bash`, localhost:9092.
services:
  zookeeper:
    # Kafka 4 keeps its metadata in its own brokers (KRaft); this starts for the tutorial's sake.
    image: confluentinc/cp-zookeeper:7.9.0
    hostname: zookeeper
    container_name: zookeeper
    environment:
      ZOOKEEPER_CLIENT_PORT: 2181
      ZOOKEEPER_TICK_TIME: 2000
  kafka:
    image: apache/kafka:4.3.1
    hostname: kafka
    container_name: kafka
    depends_on:
      - zookeeper
    ports:
      - \"29092:29092\"
    environment:
      KAFKA_BROKER_ID: 1
      KAFKA_ZOOKEEPER_CONNECT: zookeeper:2181
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: PLAINTEXT:PLAINTEXT,PLAINTEXT_HOST:PLAINTEXT
      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://kafka:9092,PLAINTEXT_HOST://localhost:29092
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: 0
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: 1
";

const NUMBERS: [&str; 10] = [
    "No", "One", "Two", "Three", "Four", "Five", "Six", "Seven", "Eight", "Nine",
];

/// The home directory's file for `brokers` (1 to 9), with further broker properties for each.
pub fn home_file(brokers: u32, properties: &[(String, String)]) -> String {
    let brokers = brokers.clamp(1, 9);
    let number = NUMBERS.get(brokers as usize).copied().unwrap_or_default();
    let mut text = if brokers == 1 {
        format!(
            "# {number} Kafka broker, which is a controller too. It shares this machine's network: localhost:9092 is kafka-1.\n"
        )
    } else {
        let others: Vec<String> = (2..=brokers)
            .map(|id| format!("{} is kafka-{id}", 9091 + id))
            .collect();
        format!(
            "# {number} Kafka brokers, each of them a controller too. They share this machine's network, so from\n# here, and from inside each of them, localhost:9092 is kafka-1, {}.\n",
            others.join(", ")
        )
    };
    text.push_str(
        "# Change the file and run `docker-compose up -d` to see what it does.\nservices:\n",
    );
    let voters: Vec<String> = (1..=brokers)
        .map(|id| format!("{id}@localhost:{}", 19091 + id))
        .collect();
    let mut settings = vec![
        (
            "group.initial.rebalance.delay.ms".to_owned(),
            "0".to_owned(),
        ),
        (
            "offsets.topic.replication.factor".to_owned(),
            brokers.min(3).to_string(),
        ),
    ];
    for (name, value) in properties {
        settings.retain(|(known, _)| known != name);
        settings.push((name.clone(), quoted(value)));
    }
    for id in 1..=brokers {
        let (port, controller_port) = (9091 + id, 19091 + id);
        text.push_str(&format!(
            "  kafka-{id}:\n    image: apache/kafka:4.3.1\n    container_name: kafka-{id}\n    network_mode: host\n    environment:\n      KAFKA_NODE_ID: {id}\n      KAFKA_LISTENERS: PLAINTEXT://localhost:{port},CONTROLLER://localhost:{controller_port}\n      KAFKA_ADVERTISED_LISTENERS: PLAINTEXT://localhost:{port}\n      KAFKA_CONTROLLER_QUORUM_VOTERS: {}\n",
            voters.join(",")
        ));
        for (name, value) in &settings {
            text.push_str(&format!("      {}: {value}\n", variable(name)));
        }
        text.push_str(&format!(
            "    volumes:\n      - kafka-{id}-data:/var/lib/kafka/data\n"
        ));
    }
    text.push_str("volumes:\n");
    for id in 1..=brokers {
        text.push_str(&format!("  kafka-{id}-data:\n"));
    }
    text
}

/// A value as YAML takes it for a text.
fn quoted(value: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "._/-".contains(character);
    if !value.is_empty() && value.chars().all(plain) && !value.starts_with('-') {
        value.to_owned()
    } else {
        format!("'{}'", value.replace('\'', "''"))
    }
}

/// The container's variable for a property: `KAFKA_LOG_RETENTION_MS` for `log.retention.ms`.
pub fn variable(property: &str) -> String {
    let mut name = "KAFKA_".to_owned();
    for character in property.chars() {
        match character {
            '.' => name.push('_'),
            '_' => name.push_str("__"),
            '-' => name.push_str("___"),
            character => name.push(character.to_ascii_uppercase()),
        }
    }
    name
}

/// The property that a container's variable sets; the inverse of [`variable`].
pub fn property(variable: &str) -> Option<String> {
    let name = variable.strip_prefix("KAFKA_")?.to_ascii_lowercase();
    Some(
        name.replace("___", "-")
            .replace("__", "\u{0}")
            .replace('_', ".")
            .replace('\u{0}', "_"),
    )
}

#[cfg(test)]
mod tests {
    use super::{HOME_FILE, home_file, property, variable};

    #[test]
    fn the_constant_is_the_file_of_three() {
        assert_eq!(home_file(3, &[]), HOME_FILE);
    }

    #[test]
    fn properties_are_variables_and_back() {
        for name in ["log.retention.ms", "a_b.c-d"] {
            assert_eq!(property(&variable(name)).as_deref(), Some(name));
        }
        assert_eq!(variable("log.retention.ms"), "KAFKA_LOG_RETENTION_MS");
        assert_eq!(property("OTHER"), None);
    }

    #[test]
    fn given_properties_replace_the_defaults() {
        let file = home_file(
            1,
            &[
                (
                    "offsets.topic.replication.factor".to_owned(),
                    "2".to_owned(),
                ),
                ("some.thing".to_owned(), "a: 'b'".to_owned()),
            ],
        );
        assert!(file.contains("      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: 2\n"));
        assert!(file.contains("      KAFKA_SOME_THING: 'a: ''b'''\n"));
        assert_eq!(file.matches("OFFSETS_TOPIC_REPLICATION").count(), 1);
    }
}
