//! Choosing topics and partitions by pattern: Kafka's `TopicFilter` and `TopicPartitionFilter`.

use playground_regex::{Options, Place, Regex, Syntax};

/// Topics by a regular expression, where a comma means "or" (Kafka's `IncludeList`).
#[derive(Clone, Debug)]
pub struct TopicFilter(Regex);

impl TopicFilter {
    /// Reads a pattern.
    ///
    /// # Errors
    /// The text of the exception when it is no regular expression.
    pub fn new(pattern: &str) -> Result<TopicFilter, String> {
        let pattern = pattern.trim().replace(',', "|").replace(' ', "");
        let pattern = pattern.trim_matches(['\'', '"']);
        let options = Options {
            place: Place::Whole,
            ..Options::new(Syntax::Java)
        };
        Regex::new(pattern, options)
            .map(TopicFilter)
            .map_err(|_| format!("{pattern} is an invalid regex."))
    }

    /// Whether a topic is chosen.
    pub fn allows(&self, topic: &str) -> bool {
        self.0.is_match(topic.as_bytes())
    }
}

/// Whether a topic is one of Kafka's own.
pub fn is_internal(topic: &str) -> bool {
    matches!(
        topic,
        "__consumer_offsets" | "__transaction_state" | "__share_group_state"
    )
}

/// Which partitions of the topics that a filter chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Partitions {
    /// All.
    All,
    /// These.
    Set(Vec<i32>),
    /// From the first, up to but without the second.
    Range(i32, i32),
}

impl Partitions {
    /// Whether a partition is chosen.
    pub fn allows(&self, partition: i32) -> bool {
        match self {
            Partitions::All => true,
            Partitions::Set(partitions) => partitions.contains(&partition),
            Partitions::Range(low, high) => (*low..*high).contains(&partition),
        }
    }
}

/// A rule of `--topic-partitions`: `topic:2`, `topic:0-3`, `topic:1-`, `:-2`, `topic`.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Which topics.
    pub topics: TopicFilter,
    /// Which of their partitions.
    pub partitions: Partitions,
}

impl Rule {
    /// Reads a rule.
    ///
    /// # Errors
    /// The text of Kafka's exception.
    pub fn parse(rule: &str) -> Result<Rule, String> {
        let invalid =
            || format!("org.apache.kafka.tools.TerseException: Invalid rule specification: {rule}");
        let (topic, partitions) = rule
            .split_once(':')
            .map_or((rule, ""), |(topic, rest)| (topic, rest));
        let number = |text: &str, default: i32| -> Result<i32, String> {
            match text {
                "" => Ok(default),
                text if text.bytes().all(|byte| byte.is_ascii_digit()) => {
                    text.parse().map_err(|_| invalid())
                }
                _ => Err(invalid()),
            }
        };
        let partitions = match partitions.split_once('-') {
            Some((low, high)) => Partitions::Range(number(low, 0)?, number(high, i32::MAX)?),
            None if partitions.is_empty() => Partitions::All,
            None => Partitions::Set(vec![number(partitions, 0)?]),
        };
        let topic = if topic.is_empty() { ".*" } else { topic };
        Ok(Rule {
            topics: TopicFilter::new(topic)?,
            partitions,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comma_means_or_and_the_whole_name_must_match() {
        let filter = TopicFilter::new("users,logs.*").unwrap();
        assert!(filter.allows("users") && filter.allows("logs.app") && !filter.allows("users2"));
        assert!(TopicFilter::new("(").is_err());
    }

    #[test]
    fn rules_name_partitions_one_by_one_or_as_ranges() {
        assert_eq!(
            Rule::parse("t:2").unwrap().partitions,
            Partitions::Set(vec![2])
        );
        assert_eq!(
            Rule::parse("t:0-3").unwrap().partitions,
            Partitions::Range(0, 3)
        );
        assert_eq!(
            Rule::parse(":1-").unwrap().partitions,
            Partitions::Range(1, i32::MAX)
        );
        assert_eq!(Rule::parse("t").unwrap().partitions, Partitions::All);
        assert!(Rule::parse("t:x").is_err());
    }
}
