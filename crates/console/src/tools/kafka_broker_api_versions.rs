//! `kafka-broker-api-versions`: the APIs that each broker answers (`org.apache.kafka.tools.BrokerApiVersionsCommand`).

use std::collections::BTreeMap;
use std::fmt::Write as _;

use playground_client::admin::BrokerVersions;
use playground_client::{AdminRequest, AdminResponse, ClientError};

use super::client_driver::{AdminSession, unexpected};
use super::java::print_failure;
use super::options::{
    HELP, Kind, OptionSpec, Parsed, Stop, VERSION, check_help_or_version, check_required, value,
};
use super::properties;
use crate::commands::CommandContext;

/// The options.
pub const OPTIONS: &[OptionSpec] = &[
    value(
        "command-config",
        Kind::Text,
        "command config property file",
        "A properties file for the admin client.",
    ),
    value(
        "bootstrap-server",
        Kind::Text,
        "server(s) to use for bootstrapping",
        "REQUIRED: The brokers to start from.",
    ),
    HELP,
    VERSION,
];

const ABOUT: &str = "This tool helps to retrieve broker version information.";

/// The APIs that a 4.3.1 client knows: key, name, lowest and highest version.
const CLIENT_APIS: &[(i16, &str, i16, i16)] = &[
    (0, "Produce", 3, 13),
    (1, "Fetch", 4, 18),
    (2, "ListOffsets", 1, 11),
    (3, "Metadata", 0, 13),
    (8, "OffsetCommit", 2, 10),
    (9, "OffsetFetch", 1, 10),
    (10, "FindCoordinator", 0, 6),
    (11, "JoinGroup", 0, 9),
    (12, "Heartbeat", 0, 4),
    (13, "LeaveGroup", 0, 5),
    (14, "SyncGroup", 0, 5),
    (15, "DescribeGroups", 0, 6),
    (16, "ListGroups", 0, 5),
    (17, "SaslHandshake", 0, 1),
    (18, "ApiVersions", 0, 4),
    (19, "CreateTopics", 2, 7),
    (20, "DeleteTopics", 1, 6),
    (21, "DeleteRecords", 0, 2),
    (22, "InitProducerId", 0, 5),
    (23, "OffsetForLeaderEpoch", 2, 4),
    (24, "AddPartitionsToTxn", 0, 5),
    (25, "AddOffsetsToTxn", 0, 4),
    (26, "EndTxn", 0, 5),
    (27, "WriteTxnMarkers", 1, 2),
    (28, "TxnOffsetCommit", 0, 5),
    (29, "DescribeAcls", 1, 3),
    (30, "CreateAcls", 1, 3),
    (31, "DeleteAcls", 1, 3),
    (32, "DescribeConfigs", 1, 4),
    (33, "AlterConfigs", 0, 2),
    (34, "AlterReplicaLogDirs", 1, 2),
    (35, "DescribeLogDirs", 1, 5),
    (36, "SaslAuthenticate", 0, 2),
    (37, "CreatePartitions", 0, 3),
    (38, "CreateDelegationToken", 1, 3),
    (39, "RenewDelegationToken", 1, 2),
    (40, "ExpireDelegationToken", 1, 2),
    (41, "DescribeDelegationToken", 1, 3),
    (42, "DeleteGroups", 0, 2),
    (43, "ElectLeaders", 0, 2),
    (44, "IncrementalAlterConfigs", 0, 1),
    (45, "AlterPartitionReassignments", 0, 1),
    (46, "ListPartitionReassignments", 0, 0),
    (47, "OffsetDelete", 0, 0),
    (48, "DescribeClientQuotas", 0, 1),
    (49, "AlterClientQuotas", 0, 1),
    (50, "DescribeUserScramCredentials", 0, 0),
    (51, "AlterUserScramCredentials", 0, 0),
    (55, "DescribeQuorum", 0, 2),
    (57, "UpdateFeatures", 0, 2),
    (60, "DescribeCluster", 0, 2),
    (61, "DescribeProducers", 0, 0),
    (64, "UnregisterBroker", 0, 0),
    (65, "DescribeTransactions", 0, 0),
    (66, "ListTransactions", 0, 2),
    (68, "ConsumerGroupHeartbeat", 0, 1),
    (69, "ConsumerGroupDescribe", 0, 1),
    (71, "GetTelemetrySubscriptions", 0, 0),
    (72, "PushTelemetry", 0, 0),
    (74, "ListConfigResources", 0, 1),
    (75, "DescribeTopicPartitions", 0, 0),
    (76, "ShareGroupHeartbeat", 1, 1),
    (77, "ShareGroupDescribe", 1, 1),
    (78, "ShareFetch", 1, 2),
    (79, "ShareAcknowledge", 1, 2),
    (80, "AddRaftVoter", 0, 1),
    (81, "RemoveRaftVoter", 0, 0),
    (83, "InitializeShareGroupState", 0, 0),
    (84, "ReadShareGroupState", 0, 0),
    (85, "WriteShareGroupState", 0, 1),
    (86, "DeleteShareGroupState", 0, 0),
    (87, "ReadShareGroupStateSummary", 0, 1),
    (88, "StreamsGroupHeartbeat", 0, 0),
    (89, "StreamsGroupDescribe", 0, 0),
    (90, "DescribeShareGroupOffsets", 0, 1),
    (91, "AlterShareGroupOffsets", 0, 0),
    (92, "DeleteShareGroupOffsets", 0, 0),
];

/// Runs the tool.
pub async fn run(context: CommandContext) -> i32 {
    let parsed = match Parsed::read(OPTIONS, &context.args) {
        Ok(parsed) => parsed,
        Err(error) => return print_failure(&context, &error.into()).await,
    };
    if let Err(stop) = check(&parsed) {
        return stop.print(&context, OPTIONS).await;
    }
    match list(&context, &parsed).await {
        Ok(brokers) => {
            for broker in brokers {
                if !context.try_out(&broker_text(&broker)).await {
                    break;
                }
            }
            0
        }
        Err(error) => print_failure(&context, &error).await,
    }
}

fn check(parsed: &Parsed) -> Result<(), Stop> {
    check_help_or_version(parsed, ABOUT)?;
    check_required(parsed, &["bootstrap-server"])
}

async fn list(
    context: &CommandContext,
    parsed: &Parsed,
) -> Result<Vec<BrokerVersions>, ClientError> {
    let mut properties = properties::load_optional(context, parsed.text("command-config")?)?;
    // The tool has a client of its own with these defaults.
    properties.insert("client.id".to_owned(), "admin-1".to_owned());
    properties
        .entry("request.timeout.ms".to_owned())
        .or_insert_with(|| "5000".to_owned());
    let servers = parsed.text("bootstrap-server")?.unwrap_or_default();
    let opened = AdminSession::open(context, properties, servers).await;
    // That client says what is wrong without an exception around it.
    let mut admin = opened.map_err(|error| match error.cause {
        Some(cause) => *cause,
        None => error,
    })?;
    let answer = admin.call(AdminRequest::DescribeBrokerVersions).await;
    admin.close().await;
    match answer? {
        AdminResponse::DescribeBrokerVersions(brokers) => Ok(brokers),
        _ => Err(unexpected()),
    }
}

fn broker_text(broker: &BrokerVersions) -> String {
    let node = &broker.node;
    match &broker.apis {
        Ok(apis) => format!("{node} -> {}\n", apis_text(apis)),
        Err(error) => format!("{node} -> ERROR: {}\n", error.message),
    }
}

/// `NodeApiVersions.toString(true)`: what the broker has, and what of the client's it lacks, by key.
fn apis_text(apis: &[(i16, i16, i16)]) -> String {
    let mut lines = BTreeMap::new();
    for (key, low, high) in apis {
        let known = CLIENT_APIS.iter().find(|(api, ..)| api == key);
        let name = known.map_or("UNKNOWN", |(_, name, ..)| name);
        let mut line = format!("{name}({key}): ");
        let _ = match low == high {
            true => write!(line, "{low}"),
            false => write!(line, "{low} to {high}"),
        };
        line.push_str(&match known {
            None => " [unusable: unknown api]".to_owned(),
            Some((_, _, own_low, _)) if high < own_low => " [unusable: node too old]".to_owned(),
            Some((_, _, _, own_high)) if own_high < low => " [unusable: node too new]".to_owned(),
            Some((_, _, _, own_high)) => format!(" [usable: {}]", high.min(own_high)),
        });
        lines.insert(*key, line);
    }
    for (key, name, ..) in CLIENT_APIS {
        lines
            .entry(*key)
            .or_insert_with(|| format!("{name}({key}): UNSUPPORTED"));
    }
    let lines: Vec<String> = lines.into_values().collect();
    format!("(\n\t{}\n)", lines.join(",\n\t"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_broker_lacks_is_said() {
        let text = apis_text(&[(0, 0, 13), (46, 0, 0), (47, 3, 4), (900, 0, 1)]);
        assert!(text.starts_with("(\n\tProduce(0): 0 to 13 [usable: 13],\n"));
        assert!(text.contains("\tListPartitionReassignments(46): 0 [usable: 0],\n"));
        assert!(text.contains("\tOffsetDelete(47): 3 to 4 [unusable: node too new],\n"));
        assert!(text.contains("\tPushTelemetry(72): UNSUPPORTED,\n"));
        assert!(text.ends_with("\tUNKNOWN(900): 0 to 1 [unusable: unknown api]\n)"));
    }
}
