//! Configurations are judged as the clients of Apache Kafka 4.3.1 judged them (`data/configurations.txt`).

use playground_client::{
    AdminConfig, ClientError, ConfigException, ConsumerConfig, ProducerConfig, Properties,
};

fn shown(result: Result<(), ConfigException>) -> String {
    let Err(exception) = result else {
        return "OK".to_owned();
    };
    let mut error = Some(Box::new(ClientError::from(exception)));
    let mut all = Vec::new();
    while let Some(one) = error {
        all.push(one.to_string());
        error = one.cause;
    }
    all.join(" <- ")
}

#[test]
fn configurations_are_judged_as_by_java() {
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in include_str!("data/configurations.txt").lines() {
        if line.starts_with('#') {
            continue;
        }
        let cells: Vec<&str> = line.split('\t').collect();
        let (&expected, rest) = cells.split_last().unwrap();
        let pairs = &rest[1..rest.len() - 1];
        let mut properties = Properties::new();
        for pair in pairs.chunks(2) {
            properties.insert(pair[0].to_owned(), pair[1].to_owned());
        }
        match properties.get("bootstrap.servers").map(String::as_str) {
            Some("-") => {
                properties.shift_remove("bootstrap.servers");
            }
            Some(_) => {}
            None => {
                properties.insert("bootstrap.servers".to_owned(), "localhost:9092".to_owned());
            }
        }
        let result = match rest[0] {
            "producer" => ProducerConfig::from_properties(&properties).map(drop),
            "consumer" => ConsumerConfig::from_properties(&properties).map(drop),
            _ => AdminConfig::from_properties(&properties).map(drop),
        };
        count += 1;
        let shown = shown(result);
        // The cause of a class that is not found is Java's own.
        let expected = expected
            .split(" <- java.lang.ClassNotFoundException")
            .next()
            .unwrap();
        if shown != expected {
            wrong.push(format!("{line}\n  here: {shown}"));
        }
    }
    assert!(count > 70);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
