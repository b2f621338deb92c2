//! What to try next: a sentence and a few commands, from what is to be seen now.

use playground_console::view::{BrokerState, View};

/// What to try next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advice {
    /// Why.
    pub text: String,
    /// What to click: each is typed as it stands.
    pub commands: Vec<String>,
}

const SERVER: &str = "--bootstrap-server localhost:9092";

/// What to try next. `prompt` is what stands before the cursor.
pub fn advice(view: &View, prompt: &str) -> Option<Advice> {
    let topic = view.topics.iter().find(|topic| !topic.internal);
    if prompt.trim_end() == ">" && is_producing(view) {
        return Some(Advice {
            text: "Each line becomes a record: key, comma, value. Control-C ends the producer."
                .to_owned(),
            commands: vec![
                "1,mitch".into(),
                "2,elyse".into(),
                "3,isabelle".into(),
                "4,Sammy".into(),
            ],
        });
    }
    if prompt.is_empty() && is_running(view, "kafka-console-consumer") {
        return Some(Advice {
            text: "The consumer waits for records. Send some from another terminal: + opens one. Control-C ends it."
                .to_owned(),
            commands: Vec::new(),
        });
    }
    if !prompt.trim_end().ends_with(['$', '#']) {
        return None;
    }
    if view.brokers.is_empty() {
        return None;
    }
    let down: Vec<&str> = view
        .brokers
        .iter()
        .filter(|broker| broker.state == BrokerState::Down)
        .map(|broker| broker.host.as_str())
        .collect();
    if down.len() == view.brokers.len() {
        return Some(Advice {
            text: "The cluster is down; its disks are as they were.".to_owned(),
            commands: vec!["docker-compose up -d".to_owned()],
        });
    }
    if let Some(host) = down.first() {
        return Some(Advice {
            text: format!(
                "{host} is down. See what still answers, and what changes when it is back."
            ),
            commands: vec![
                format!("docker-compose start {host}"),
                format!("kafka-topics {SERVER} --describe"),
            ],
        });
    }
    let Some(topic) = topic else {
        return Some(Advice {
            text: "A cluster of three brokers is running in this tab. Make a topic to put records into."
                .to_owned(),
            commands: vec![
                format!("kafka-topics {SERVER} --create --topic users --partitions 4"),
                "docker-compose ps".to_owned(),
                "help".to_owned(),
            ],
        });
    };
    let name = &topic.name;
    if topic.records == 0 {
        return Some(Advice {
            text: format!(
                "{name} is empty. Send it records with keys, and see where each key goes."
            ),
            commands: vec![
                format!(
                    "kafka-console-producer {SERVER} --topic {name} --property key.separator=, --property parse.key=true"
                ),
                format!("kafka-topics {SERVER} --describe --topic {name}"),
            ],
        });
    }
    if view.groups.iter().all(|group| group.offsets.is_empty()) {
        return Some(Advice {
            text: "Read them from the beginning; then again as a group, which remembers how far it came."
                .to_owned(),
            commands: vec![
                format!(
                    "kafka-console-consumer {SERVER} --topic {name} --from-beginning --property print.key=true"
                ),
                format!("kafka-console-consumer {SERVER} --topic {name} --from-beginning --group audit"),
            ],
        });
    }
    let last = view
        .brokers
        .last()
        .map_or("kafka-3", |broker| broker.host.as_str());
    Some(Advice {
        text: "See how far the group has read; or stop a broker, and see what still answers."
            .to_owned(),
        commands: vec![
            format!("kafka-consumer-groups {SERVER} --describe --all-groups"),
            format!("docker-compose stop {last}"),
        ],
    })
}

fn is_producing(view: &View) -> bool {
    view.processes.iter().any(|process| {
        process.command.contains("kafka-console-producer")
            && process.command.contains("key.separator=,")
    })
}

fn is_running(view: &View, tool: &str) -> bool {
    view.processes
        .iter()
        .any(|process| process.command.contains(tool))
}

#[cfg(test)]
mod tests {
    use super::*;
    use playground_console::view::{BrokerView, TopicSummary};

    fn broker(host: &str, state: BrokerState) -> BrokerView {
        BrokerView {
            host: host.to_owned(),
            state,
            ..BrokerView::default()
        }
    }

    #[test]
    fn a_first_visit_is_shown_three_commands() {
        let view = View {
            brokers: vec![broker("kafka-1", BrokerState::Running)],
            ..View::default()
        };
        let advice = advice(&view, "~ $ ").expect("advice");
        assert_eq!(advice.commands.len(), 3);
        assert!(advice.commands[0].contains("--create"));
    }

    #[test]
    fn a_broker_that_is_down_comes_first() {
        let view = View {
            brokers: vec![
                broker("kafka-1", BrokerState::Running),
                broker("kafka-2", BrokerState::Down),
            ],
            topics: vec![TopicSummary::default()],
            ..View::default()
        };
        let advice = advice(&view, "~ $ ").expect("advice");
        assert_eq!(advice.commands[0], "docker-compose start kafka-2");
    }

    #[test]
    fn nothing_is_suggested_into_a_running_program() {
        assert_eq!(advice(&View::default(), ""), None);
    }
}
