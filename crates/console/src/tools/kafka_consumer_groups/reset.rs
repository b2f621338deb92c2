//! `--reset-offsets` (Kafka's `OffsetsUtils`).

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, NaiveDateTime};
use playground_client::admin::OffsetSpec;
use playground_client::consumer::OffsetAndMetadata;
use playground_client::{AdminRequest, AdminResponse, ClientError, TopicPartition};
use playground_protocol::{ErrorCode, LogLevel, LogLine};

use super::{Failure, Service, parse_partitions, print_error};
use crate::tools::client_driver::unexpected;
use crate::tools::java::{print_log, sort_as_grown_hash_map, string_hash};

/// New offsets by partition.
type Plan = BTreeMap<TopicPartition, i64>;

impl Service<'_> {
    pub(super) async fn reset_offsets(&mut self) -> Result<(), Failure> {
        let groups = self.group_ids().await?;
        let request = AdminRequest::DescribeGroups { groups };
        let AdminResponse::DescribeGroups(results) = self.admin.call(request).await? else {
            return Err(unexpected().into());
        };
        let mut plans: BTreeMap<String, Plan> = BTreeMap::new();
        for (group, result) in results {
            let plan = match result {
                Ok(description) if !matches!(description.state.as_str(), "Empty" | "Dead") => {
                    let text = format!(
                        "Assignments can only be reset if the group '{group}' is inactive, but the current state is {}.",
                        description.state
                    );
                    print_error(self.context, &text).await;
                    Plan::new()
                }
                Ok(_) => self.reset_group(&group).await?,
                Err(error) if error.code == ErrorCode::GROUP_ID_NOT_FOUND => {
                    self.reset_group(&group).await?
                }
                Err(error) => return Err(Failure::Execution(error)),
            };
            plans.insert(group, plan);
        }
        let text = if self.parsed.has("export") {
            format!("{}\n", csv(&plans, self.parsed.texts("group").len() == 1))
        } else {
            table(&plans)
        };
        self.context.out(&text).await;
        Ok(())
    }

    async fn reset_group(&mut self, group: &str) -> Result<Plan, Failure> {
        let partitions = self.partitions_to_reset(group).await?;
        self.check_partitions(&partitions).await?;
        let plan = self.plan(group, partitions).await?;
        if self.parsed.has("execute") && !self.parsed.has("dry-run") && !plan.is_empty() {
            let offsets = plan
                .iter()
                .map(|(partition, offset)| {
                    let offset = OffsetAndMetadata {
                        offset: *offset,
                        leader_epoch: None,
                        metadata: String::new(),
                    };
                    (partition.clone(), offset)
                })
                .collect();
            let request = AdminRequest::AlterGroupOffsets {
                group: group.to_owned(),
                offsets,
            };
            let AdminResponse::AlterGroupOffsets(results) = self.admin.call(request).await? else {
                return Err(unexpected().into());
            };
            results.into_values().collect::<Result<(), ClientError>>()?;
        }
        Ok(plan)
    }

    async fn partitions_to_reset(&mut self, group: &str) -> Result<Vec<TopicPartition>, Failure> {
        if self.parsed.has("all-topics") {
            let committed = self.committed(group).await?;
            return Ok(committed
                .into_iter()
                .filter(|(_, offset)| offset.is_some())
                .map(|(partition, _)| partition)
                .collect());
        }
        let topics = self.parsed.texts("topic").to_vec();
        if topics.is_empty() && !self.parsed.has("from-file") {
            return Err(Failure::Usage(
                "One of the reset scopes should be defined: --all-topics, --topic.".to_owned(),
            ));
        }
        let mut partitions = Vec::new();
        for topic in topics {
            if topic.contains(':') {
                partitions.extend(parse_partitions(&topic)?);
            } else {
                partitions.extend(self.partitions_of(&topic).await?);
            }
        }
        Ok(partitions)
    }

    /// Kafka's `checkAllTopicPartitionsValid`.
    async fn check_partitions(&mut self, partitions: &[TopicPartition]) -> Result<(), Failure> {
        let mut known: BTreeMap<String, Vec<TopicPartition>> = BTreeMap::new();
        let mut missing = Vec::new();
        for partition in partitions {
            if !known.contains_key(&partition.topic) {
                let found = self.partitions_of(&partition.topic).await?;
                known.insert(partition.topic.clone(), found);
            }
            if !known
                .get(&partition.topic)
                .is_some_and(|found| found.contains(partition))
            {
                missing.push(partition.to_string());
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let text = format!("The partitions \"{}\" do not exist", missing.join(","));
        Err(ClientError::new(
            "org.apache.kafka.common.errors.UnknownTopicOrPartitionException",
            text,
        )
        .into())
    }

    async fn plan(
        &mut self,
        group: &str,
        partitions: Vec<TopicPartition>,
    ) -> Result<Plan, Failure> {
        let parsed = self.parsed;
        if let Some(offset) = parsed.number::<i64>("to-offset")? {
            let wanted = partitions
                .into_iter()
                .map(|partition| (partition, offset))
                .collect();
            return self.within_range(wanted).await;
        }
        if parsed.has("to-earliest") {
            return self.offsets_at(partitions, OffsetSpec::Earliest).await;
        }
        if parsed.has("to-latest") {
            return self.log_end_offsets(partitions).await;
        }
        if let Some(shift) = parsed.number::<i64>("shift-by")? {
            let committed = self.committed(group).await?;
            let mut wanted = Plan::new();
            for partition in partitions {
                let Some(Some(offset)) = committed.get(&partition) else {
                    return Err(Failure::Usage(format!(
                        "Cannot shift offset for partition {partition} since there is no current committed offset"
                    )));
                };
                wanted.insert(partition, offset.offset.saturating_add(shift));
            }
            return self.within_range(wanted).await;
        }
        if let Some(text) = parsed.text("to-datetime")? {
            let timestamp = parse_datetime(text)
                .map_err(|message| ClientError::new("java.lang.RuntimeException", message))?;
            return self.at_time(partitions, timestamp).await;
        }
        if let Some(text) = parsed.text("by-duration")? {
            let Some(duration) = parse_duration_ms(text) else {
                let class = "java.time.format.DateTimeParseException";
                return Err(ClientError::new(class, "Text cannot be parsed to a Duration").into());
            };
            return self
                .at_time(partitions, self.context.process.now().millis() - duration)
                .await;
        }
        if let Some(path) = parsed.text("from-file")? {
            let path = path.to_owned();
            return self.plan_from_file(group, &path).await;
        }
        if parsed.has("to-current") {
            let committed = self.committed(group).await?;
            let mut plan = Plan::new();
            let mut without = Vec::new();
            for partition in partitions {
                match committed.get(&partition) {
                    Some(Some(offset)) => {
                        plan.insert(partition, offset.offset);
                    }
                    _ => without.push(partition),
                }
            }
            plan.extend(self.log_end_offsets(without).await?);
            return Ok(plan);
        }
        Err(Failure::Usage(
            "Option '[reset-offsets]' requires one of the following scenarios: [[to-offset], [shift-by], [to-datetime], \
             [by-duration], [to-earliest], [to-latest], [to-current], [from-file]]"
                .to_owned(),
        ))
    }

    async fn plan_from_file(&mut self, group: &str, path: &str) -> Result<Plan, Failure> {
        let absolute = self.context.path(path);
        let Some(bytes) = self
            .context
            .process
            .with_disk(|disk| disk.read_all(&absolute))
        else {
            let text = format!("java.io.IOException: Unable to read file {path}");
            return Err(ClientError::new("java.lang.RuntimeException", text).into());
        };
        let mut wanted: Option<Plan> = None;
        for line in String::from_utf8_lossy(&bytes)
            .lines()
            .filter(|line| !line.trim().is_empty())
        {
            let fields: Vec<&str> = line
                .split(',')
                .map(|field| field.trim().trim_matches('"'))
                .collect();
            let (of, fields) = match fields.as_slice() {
                [topic, partition, offset] => (group, [*topic, *partition, *offset]),
                [of, topic, partition, offset] => (*of, [*topic, *partition, *offset]),
                _ => return Err(bad_plan(line).into()),
            };
            let (Ok(partition), Ok(offset)) = (fields[1].parse(), fields[2].parse()) else {
                return Err(bad_plan(line).into());
            };
            if of == group {
                wanted
                    .get_or_insert_default()
                    .insert(TopicPartition::new(fields[0], partition), offset);
            }
        }
        match wanted {
            Some(wanted) => self.within_range(wanted).await,
            None => {
                print_error(
                    self.context,
                    &format!("No reset plan for group {group} found"),
                )
                .await;
                Ok(Plan::new())
            }
        }
    }

    /// Keeps offsets between the log's start and end, with a warning (Kafka's `checkOffsetsRange`).
    async fn within_range(&mut self, wanted: Plan) -> Result<Plan, Failure> {
        let partitions: Vec<TopicPartition> = wanted.keys().cloned().collect();
        let starts = self
            .offsets_at(partitions.clone(), OffsetSpec::Earliest)
            .await?;
        let ends = self.log_end_offsets(partitions).await?;
        let mut plan = Plan::new();
        for (partition, offset) in wanted {
            let (start, end) = (
                starts.get(&partition).copied(),
                ends.get(&partition).copied(),
            );
            let (bound, side) = match (start, end) {
                (_, Some(end)) if offset > end => (end, "higher than latest"),
                (Some(start), _) if offset < start => (start, "lower than earliest"),
                _ => {
                    plan.insert(partition, offset);
                    continue;
                }
            };
            let message = format!(
                "New offset ({offset}) is {side} offset for topic partition {partition}. Value will be set to {bound}"
            );
            let line = LogLine {
                level: LogLevel::Warn,
                logger: "org.apache.kafka.tools.OffsetsUtils",
                message,
            };
            print_log(self.context, &line).await;
            plan.insert(partition, bound);
        }
        Ok(plan)
    }

    /// The first offsets at or after a time; the end where there is none.
    async fn at_time(
        &mut self,
        partitions: Vec<TopicPartition>,
        timestamp: i64,
    ) -> Result<Plan, Failure> {
        let mut plan = self
            .offsets_at(partitions, OffsetSpec::Timestamp(timestamp))
            .await?;
        let without: Vec<TopicPartition> = plan
            .iter()
            .filter(|(_, offset)| **offset == -1)
            .map(|(partition, _)| partition.clone())
            .collect();
        for partition in &without {
            let text = format!(
                "\nWarn: Partition {} from topic {} is empty. Falling back to latest known offset.\n",
                partition.partition, partition.topic
            );
            self.context.out(&text).await;
        }
        plan.extend(self.log_end_offsets(without).await?);
        Ok(plan)
    }
}

fn bad_plan(line: &str) -> ClientError {
    ClientError::new(
        "java.lang.RuntimeException",
        format!("cannot read the reset plan's line '{line}'"),
    )
}

fn table(plans: &BTreeMap<String, Plan>) -> String {
    let group_width = plans.keys().map(String::len).max().unwrap_or(0).max(15);
    let topics = plans
        .values()
        .flat_map(|plan| plan.keys().map(|partition| partition.topic.len()));
    let topic_width = topics.max().unwrap_or(0).max(15);
    let mut text = String::new();
    if !plans.is_empty() {
        let header = ("GROUP", "TOPIC", "PARTITION", "NEW-OFFSET");
        text.push_str(&format!(
            "\n{:group_width$} {:topic_width$} {:10} {}",
            header.0, header.1, header.2, header.3
        ));
    }
    for (group, plan) in walk(plans) {
        for (partition, offset) in plan {
            let number = partition.partition;
            text.push_str(&format!(
                "\n{group:group_width$} {:topic_width$} {number:<10} {offset}",
                partition.topic
            ));
        }
    }
    text.push('\n');
    text
}

/// The plans as Java walks through its hash maps.
fn walk(plans: &BTreeMap<String, Plan>) -> Vec<(&String, Vec<(&TopicPartition, &i64)>)> {
    let mut groups: Vec<_> = plans
        .iter()
        .map(|(group, plan)| {
            let mut partitions: Vec<_> = plan.iter().collect();
            sort_as_grown_hash_map(&mut partitions, |(partition, _)| {
                31_u32
                    .wrapping_add_signed(partition.partition)
                    .wrapping_mul(31)
                    .wrapping_add(string_hash(&partition.topic))
            });
            (group, partitions)
        })
        .collect();
    sort_as_grown_hash_map(&mut groups, |(group, _)| string_hash(group));
    groups
}

/// A text in the CSV that Jackson writes: in quotes if it is long, or has a character that may need them.
fn field(text: &str) -> String {
    if text.len() > 24 || text.chars().any(|c| c <= ',') {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

fn csv(plans: &BTreeMap<String, Plan>, single: bool) -> String {
    let mut text = String::new();
    for (group, plan) in walk(plans) {
        for (partition, offset) in plan {
            let group = if single {
                String::new()
            } else {
                format!("{},", field(group))
            };
            text.push_str(&format!(
                "{group}{},{},{offset}\n",
                field(&partition.topic),
                partition.partition
            ));
        }
    }
    text
}

/// `YYYY-MM-DDThh:mm:ss.sss`, with or without a zone (`Z`, `+09:00`, `+0900`); without one it is UTC.
fn parse_datetime(text: &str) -> Result<i64, String> {
    for format in ["%Y-%m-%dT%H:%M:%S%.f%:z", "%Y-%m-%dT%H:%M:%S%.f%z"] {
        if let Ok(time) = DateTime::parse_from_str(&text.replace('Z', "+00:00"), format) {
            return Ok(time.timestamp_millis());
        }
    }
    if let Ok(time) = NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f") {
        return Ok(time.and_utc().timestamp_millis());
    }
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d")
        .ok()
        .and_then(|date| date.and_hms_opt(0, 0, 0));
    match date {
        Some(time) => Ok(time.and_utc().timestamp_millis()),
        None => Err(
            "java.text.ParseException: Error parsing timestamp. It does not contain a 'T' according to ISO8601 format"
                .to_owned(),
        ),
    }
}

/// An ISO 8601 duration (`P1DT2H3M4.5S`), in milliseconds.
fn parse_duration_ms(text: &str) -> Option<i64> {
    let (negative, rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let rest = rest.strip_prefix(['P', 'p'])?;
    let (mut total, mut number, mut in_time, mut any) = (0_i64, String::new(), false, false);
    for c in rest.chars() {
        match c.to_ascii_uppercase() {
            'T' if !in_time => in_time = true,
            '0'..='9' | '-' | '+' | '.' => number.push(c),
            unit => {
                let unit_ms = match (unit, in_time) {
                    ('D', false) => 86_400_000,
                    ('H', true) => 3_600_000,
                    ('M', true) => 60_000,
                    ('S', true) => 1000,
                    _ => return None,
                };
                let (whole, fraction) = number.split_once('.').unwrap_or((&number, ""));
                let fraction_ms: i64 = if fraction.is_empty() {
                    0
                } else {
                    format!("{fraction:0<3}").get(..3)?.parse().ok()?
                };
                total += whole.parse::<i64>().ok()?.checked_mul(unit_ms)? + fraction_ms;
                number.clear();
                any = true;
            }
        }
    }
    (any && number.is_empty()).then_some(if negative { -total } else { total })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datetimes_are_read_with_and_without_a_zone() {
        assert_eq!(
            parse_datetime("2020-01-01T00:00:00.000"),
            Ok(1_577_836_800_000)
        );
        assert_eq!(
            parse_datetime("2020-01-01T09:00:00.000+09:00"),
            Ok(1_577_836_800_000)
        );
        assert!(parse_datetime("soon").is_err());
    }

    #[test]
    fn durations_are_iso_8601() {
        assert_eq!(parse_duration_ms("P1DT2H"), Some(93_600_000));
        assert_eq!(parse_duration_ms("PT1.5S"), Some(1500));
        assert_eq!(parse_duration_ms("1 day"), None);
    }

    #[test]
    fn the_table_is_laid_out_as_kafka_does() {
        let plans = BTreeMap::from([(
            "g".to_owned(),
            Plan::from([(TopicPartition::new("t", 0), 4)]),
        )]);
        let expected = "\nGROUP           TOPIC           PARTITION  NEW-OFFSET\n\
                        g               t               0          4\n";
        assert_eq!(table(&plans), expected);
    }
}
