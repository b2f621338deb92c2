//! `--describe`: offsets and lag, members, states.

use std::collections::BTreeMap;

use playground_client::admin::{GroupDescription, MemberDescription, OffsetSpec};
use playground_client::{AdminRequest, AdminResponse, ClientError, TopicPartition};

use super::{Failure, Service, print_error};
use crate::tools::client_driver::unexpected;

/// A row of the offsets table.
struct Row {
    topic: String,
    partition: String,
    leader_epoch: String,
    offset: Option<i64>,
    log_end_offset: Option<i64>,
    member: String,
    host: String,
    client: String,
}

impl Service<'_> {
    pub(super) async fn describe(&mut self) -> Result<(), Failure> {
        let groups = self.group_ids().await?;
        let request = AdminRequest::DescribeGroups { groups };
        let AdminResponse::DescribeGroups(results) = self.admin.call(request).await? else {
            return Err(unexpected().into());
        };
        let mut descriptions: BTreeMap<String, GroupDescription> = BTreeMap::new();
        for (group, result) in results {
            descriptions.insert(group, result.map_err(Failure::Execution)?);
        }
        let verbose = self.parsed.has("verbose");
        for description in descriptions.into_values() {
            if self.parsed.has("members") {
                self.describe_members(&description, verbose).await?;
            } else if self.parsed.has("state") {
                self.describe_state(&description, verbose).await?;
            } else {
                self.describe_offsets(&description, verbose).await?;
            }
        }
        Ok(())
    }

    /// Kafka's `shouldPrintMemberState`.
    async fn says_state(
        &self,
        description: &GroupDescription,
        rows: usize,
    ) -> Result<bool, Failure> {
        let group = &description.group_id;
        match description.state.as_str() {
            "Dead" => {
                print_error(
                    self.context,
                    &format!("Consumer group '{group}' does not exist."),
                )
                .await
            }
            "Empty" => {
                self.context
                    .err(&format!(
                        "\nConsumer group '{group}' has no active members.\n"
                    ))
                    .await
            }
            "PreparingRebalance" | "CompletingRebalance" | "Assigning" | "Reconciling" => {
                self.context
                    .err(&format!(
                        "\nWarning: Consumer group '{group}' is rebalancing.\n"
                    ))
                    .await;
            }
            "Stable" => {}
            other => {
                let text = format!("Expected a valid consumer group state, but found '{other}'.");
                return Err(
                    ClientError::new("org.apache.kafka.common.KafkaException", text).into(),
                );
            }
        }
        Ok(description.state != "Dead" && rows > 0)
    }

    async fn describe_offsets(
        &mut self,
        description: &GroupDescription,
        verbose: bool,
    ) -> Result<(), Failure> {
        let rows = self.offset_rows(description).await?;
        if !self.says_state(description, rows.len()).await? {
            return Ok(());
        }
        let group = &description.group_id;
        let width = |column: fn(&Row) -> &String| {
            rows.iter()
                .map(|row| column(row).len())
                .max()
                .unwrap_or(0)
                .max(15)
        };
        let (group_width, topic_width) = (group.len().max(15), width(|row| &row.topic));
        let (member_width, host_width) = (width(|row| &row.member), width(|row| &row.host));
        let mut text = String::new();
        let mut line = |cells: [&str; 10]| {
            let [
                group,
                topic,
                partition,
                epoch,
                offset,
                end,
                lag,
                member,
                host,
                client,
            ] = cells;
            text.push_str(&format!(
                "\n{group:group_width$} {topic:topic_width$} {partition:10} "
            ));
            if verbose {
                text.push_str(&format!("{epoch:15} "));
            }
            text.push_str(&format!(
                "{offset:15} {end:15} {lag:15} {member:member_width$} {host:host_width$} {client}"
            ));
        };
        line([
            "GROUP",
            "TOPIC",
            "PARTITION",
            "LEADER-EPOCH",
            "CURRENT-OFFSET",
            "LOG-END-OFFSET",
            "LAG",
            "CONSUMER-ID",
            "HOST",
            "CLIENT-ID",
        ]);
        for row in &rows {
            let number =
                |value: Option<i64>| value.map_or("-".to_owned(), |value| value.to_string());
            let lag = row
                .offset
                .filter(|offset| *offset != -1)
                .zip(row.log_end_offset)
                .map(|(offset, end)| end - offset);
            line([
                group,
                &row.topic,
                &row.partition,
                &row.leader_epoch,
                &number(row.offset),
                &number(row.log_end_offset),
                &number(lag),
                &row.member,
                &row.host,
                &row.client,
            ]);
        }
        text.push('\n');
        self.context.out(&text).await;
        Ok(())
    }

    /// Assigned partitions by member, those with most first, then committed ones that nobody has.
    async fn offset_rows(&mut self, description: &GroupDescription) -> Result<Vec<Row>, Failure> {
        let committed = self.committed(&description.group_id).await?;
        let mut members: Vec<&MemberDescription> = description
            .members
            .iter()
            .filter(|member| !member.assignment.is_empty())
            .collect();
        members.sort_by_key(|member| std::cmp::Reverse(member.assignment.len()));
        let assigned: Vec<TopicPartition> = members
            .iter()
            .flat_map(|member| member.assignment.iter().cloned())
            .collect();
        let mut unassigned: Vec<TopicPartition> = committed
            .iter()
            .filter(|(partition, offset)| offset.is_some() && !assigned.contains(partition))
            .map(|(partition, _)| partition.clone())
            .collect();
        unassigned.sort();
        let all: Vec<TopicPartition> = assigned.iter().chain(&unassigned).cloned().collect();
        let ends = self.log_end_offsets(all).await?;
        let row = |partition: &TopicPartition, owner: Option<&MemberDescription>| {
            let offset = committed.get(partition).and_then(Option::as_ref);
            let owned = |field: fn(&MemberDescription) -> &String| {
                owner.map_or("-".to_owned(), |owner| field(owner).clone())
            };
            Row {
                topic: partition.topic.clone(),
                partition: partition.partition.to_string(),
                leader_epoch: offset
                    .and_then(|offset| offset.leader_epoch)
                    .map_or("-".to_owned(), |epoch| epoch.to_string()),
                offset: offset.map(|offset| offset.offset),
                log_end_offset: ends.get(partition).copied(),
                member: owned(|owner| &owner.member_id),
                host: owned(|owner| &owner.host),
                client: owned(|owner| &owner.client_id),
            }
        };
        let mut rows = Vec::new();
        for member in members {
            let mut partitions = member.assignment.clone();
            partitions.sort();
            rows.extend(
                partitions
                    .iter()
                    .map(|partition| row(partition, Some(member))),
            );
        }
        rows.extend(unassigned.iter().map(|partition| row(partition, None)));
        Ok(rows)
    }

    /// The log end offsets of partitions; those that are gone or have no leader are left out.
    pub(super) async fn log_end_offsets(
        &mut self,
        partitions: Vec<TopicPartition>,
    ) -> Result<BTreeMap<TopicPartition, i64>, Failure> {
        self.offsets_at(partitions, OffsetSpec::Latest).await
    }

    pub(super) async fn offsets_at(
        &mut self,
        partitions: Vec<TopicPartition>,
        spec: OffsetSpec,
    ) -> Result<BTreeMap<TopicPartition, i64>, Failure> {
        if partitions.is_empty() {
            return Ok(BTreeMap::new());
        }
        let offsets = partitions
            .into_iter()
            .map(|partition| (partition, spec))
            .collect();
        let request = AdminRequest::ListOffsets {
            offsets,
            read_committed: false,
        };
        let AdminResponse::ListOffsets(results) = self.admin.call(request).await? else {
            return Err(unexpected().into());
        };
        Ok(results
            .into_iter()
            .filter_map(|(partition, result)| Some((partition, result.ok()?.offset)))
            .collect())
    }

    async fn describe_members(
        &mut self,
        description: &GroupDescription,
        verbose: bool,
    ) -> Result<(), Failure> {
        let members = &description.members;
        if !self.says_state(description, members.len()).await? && description.state == "Dead" {
            return Ok(());
        }
        let group = &description.group_id;
        let width = |least: usize, column: fn(&MemberDescription) -> &str| {
            members
                .iter()
                .map(|member| column(member).len())
                .max()
                .unwrap_or(0)
                .max(least)
        };
        let instances = members
            .iter()
            .any(|member| member.group_instance_id.is_some());
        // Without rows the columns have their least widths.
        let group_width = if members.is_empty() {
            15
        } else {
            group.len().max(15)
        };
        let member_width = width(15, |member| &member.member_id);
        let instance_width = width(17, |member| {
            member.group_instance_id.as_deref().unwrap_or_default()
        });
        let (host_width, client_width) = (
            width(15, |member| &member.host),
            width(15, |member| &member.client_id),
        );
        let assignments: Vec<(String, String)> = members
            .iter()
            .map(|member| {
                (
                    assignment_text(&member.assignment),
                    assignment_text(member.target_assignment.as_deref().unwrap_or_default()),
                )
            })
            .collect();
        let current_width = assignments
            .iter()
            .map(|(current, _)| current.len())
            .max()
            .unwrap_or(0)
            .max(20);
        let target_width = assignments
            .iter()
            .map(|(_, target)| target.len())
            .max()
            .unwrap_or(0)
            .max(20);
        let mut text = String::from("\n");
        let mut line = |cells: [&str; 6], more: [&str; 4]| {
            let [group, member, instance, host, client, count] = cells;
            text.push_str(&format!("{group:group_width$} {member:member_width$} "));
            if instances {
                text.push_str(&format!("{instance:instance_width$} "));
            }
            text.push_str(&format!(
                "{host:host_width$} {client:client_width$} {count:15} "
            ));
            if verbose {
                let [epoch, current, target_epoch, target] = more;
                text.push_str(&format!(
                    "{epoch:15} {current:current_width$} {target_epoch:15} {target:target_width$}"
                ));
            }
            text.push('\n');
        };
        line(
            [
                "GROUP",
                "CONSUMER-ID",
                "GROUP-INSTANCE-ID",
                "HOST",
                "CLIENT-ID",
                "#PARTITIONS",
            ],
            [
                "CURRENT-EPOCH",
                "CURRENT-ASSIGNMENT",
                "TARGET-EPOCH",
                "TARGET-ASSIGNMENT",
            ],
        );
        for (member, (current, target)) in members.iter().zip(&assignments) {
            let epoch =
                |epoch: Option<i32>| epoch.map_or("-".to_owned(), |epoch| epoch.to_string());
            line(
                [
                    group,
                    &member.member_id,
                    member.group_instance_id.as_deref().unwrap_or_default(),
                    &member.host,
                    &member.client_id,
                    &member.assignment.len().to_string(),
                ],
                [
                    &epoch(member.member_epoch),
                    current,
                    &epoch(description.target_assignment_epoch),
                    target,
                ],
            );
        }
        self.context.out(&text).await;
        Ok(())
    }

    async fn describe_state(
        &mut self,
        description: &GroupDescription,
        verbose: bool,
    ) -> Result<(), Failure> {
        if !self.says_state(description, 1).await? {
            return Ok(());
        }
        let node = &description.coordinator;
        let coordinator = format!("{}:{}  ({})", node.host, node.port, node.id);
        let (group_width, coordinator_width) = (
            description.group_id.len().max(15),
            coordinator.len().max(25),
        );
        let assignor = if description.assignor.is_empty() {
            "-"
        } else {
            &description.assignor
        };
        let epoch = |epoch: Option<i32>| epoch.map_or("-".to_owned(), |epoch| epoch.to_string());
        let members = description.members.len().to_string();
        let rows = [
            [
                "GROUP",
                "COORDINATOR (ID)",
                "ASSIGNMENT-STRATEGY",
                "STATE",
                "GROUP-EPOCH",
                "TARGET-ASSIGNMENT-EPOCH",
                "#MEMBERS",
            ],
            [
                &description.group_id,
                &coordinator,
                assignor,
                &description.state,
                &epoch(description.group_epoch),
                &epoch(description.target_assignment_epoch),
                &members,
            ],
        ];
        let mut text = String::new();
        for [
            group,
            coordinator,
            assignor,
            state,
            epoch,
            target_epoch,
            members,
        ] in rows
        {
            text.push_str(&format!(
                "\n{group:group_width$} {coordinator:coordinator_width$} {assignor:20} {state:20} "
            ));
            if verbose {
                text.push_str(&format!("{epoch:15} {target_epoch:25} "));
            }
            text.push_str(members);
        }
        text.push('\n');
        self.context.out(&text).await;
        Ok(())
    }
}

/// `t:0,1,2;u:0`, or `-`.
fn assignment_text(partitions: &[TopicPartition]) -> String {
    if partitions.is_empty() {
        return "-".to_owned();
    }
    let mut topics: BTreeMap<&str, Vec<i32>> = BTreeMap::new();
    for partition in partitions {
        topics
            .entry(&partition.topic)
            .or_default()
            .push(partition.partition);
    }
    let mut texts: Vec<String> = topics
        .into_iter()
        .map(|(topic, mut partitions)| {
            partitions.sort_unstable();
            format!(
                "{topic}:{}",
                partitions
                    .iter()
                    .map(i32::to_string)
                    .collect::<Vec<_>>()
                    .join(",")
            )
        })
        .collect();
    texts.sort();
    texts.join(";")
}
