//! `kafka-delete-records`: deletes records below an offset (`org.apache.kafka.tools.DeleteRecordsCommand`).

use indexmap::IndexMap;
use playground_client::{AdminRequest, AdminResponse, ClientError, TopicPartition};
use serde_json::Value;

use super::client_driver::{AdminSession, unexpected};
use super::java::exception_text;
use super::options::{
    HELP, Kind, OptionSpec, Parsed, Stop, VERSION, check_help_or_version, check_required, value,
};
use super::properties;
use crate::commands::CommandContext;

/// The options.
pub const OPTIONS: &[OptionSpec] = &[
    value(
        "bootstrap-server",
        Kind::Text,
        "server(s) to use for bootstrapping",
        "REQUIRED: A broker to start from.",
    ),
    value(
        "offset-json-file",
        Kind::Text,
        "Offset json file path",
        "REQUIRED: A JSON file that says below which offset each partition's records are deleted:\n{\"partitions\":\n  \
         [{\"topic\": \"foo\", \"partition\": 1, \"offset\": 1}],\n \"version\":1\n}",
    ),
    value(
        "command-config",
        Kind::Text,
        "command config property file path",
        "A properties file for the admin client.",
    ),
    HELP,
    VERSION,
];

const ABOUT: &str =
    "This tool helps to delete records of the given partitions down to the specified offset.";

/// Runs the tool.
pub async fn run(context: CommandContext) -> i32 {
    let parsed = match Parsed::read(OPTIONS, &context.args) {
        Ok(parsed) => parsed,
        Err(error) => {
            return failed(
                &context,
                &ClientError::new(error.exception(), error.to_string()),
            )
            .await;
        }
    };
    if let Err(stop) = check(&parsed) {
        return stop.print(&context, OPTIONS).await;
    }
    match delete(&context, &parsed).await {
        Ok(()) => 0,
        Err(error) => failed(&context, &error).await,
    }
}

fn check(parsed: &Parsed) -> Result<(), Stop> {
    check_help_or_version(parsed, ABOUT)?;
    check_required(parsed, &["bootstrap-server", "offset-json-file"])
}

async fn failed(context: &CommandContext, error: &ClientError) -> i32 {
    let exception = exception_text(&error.exception, &error.message);
    context
        .err(&format!("{}\n{exception}\n\n", error.message))
        .await;
    1
}

async fn delete(context: &CommandContext, parsed: &Parsed) -> Result<(), ClientError> {
    let text = |name: &'static str| {
        parsed
            .text(name)
            .map(|value| value.map(str::to_owned))
            .map_err(|error| ClientError::new(error.exception(), error.to_string()))
    };
    let no_file = |path: String| ClientError::new("java.nio.file.NoSuchFileException", path);
    let config = match text("command-config")? {
        Some(path) => properties::load(context, &path).map_err(no_file)?,
        None => properties::Properties::new(),
    };
    let path = text("offset-json-file")?.unwrap_or_default();
    let absolute = context.path(&path);
    let Some(json) = context.process.with_disk(|disk| disk.read_all(&absolute)) else {
        return Err(no_file(path));
    };
    let offsets = parse_offsets(&String::from_utf8_lossy(&json))?;
    let servers = text("bootstrap-server")?.unwrap_or_default();
    let mut admin = AdminSession::open(context, config, &servers).await?;
    context.out("Executing records delete operation\n").await;
    // Java says so before the answer is there: its call does not wait.
    context.out("Records delete operation completed:\n").await;
    let result = admin
        .call(AdminRequest::DeleteRecords {
            offsets: offsets.into_iter().collect(),
        })
        .await;
    admin.close().await;
    let AdminResponse::DeleteRecords(results) = result? else {
        return Err(unexpected());
    };
    for (partition, result) in results {
        match result {
            Ok(low) => {
                context
                    .out(&format!("partition: {partition}\tlow_watermark: {low}\n"))
                    .await
            }
            Err(error) => {
                let error = exception_text(&error.exception, &error.message);
                context
                    .out(&format!("partition: {partition}\terror: {error}\n"))
                    .await;
            }
        }
    }
    Ok(())
}

fn parse_offsets(text: &str) -> Result<IndexMap<TopicPartition, i64>, ClientError> {
    let operation = |message: String| {
        ClientError::new("org.apache.kafka.tools.AdminOperationException", message)
    };
    let json: Value = serde_json::from_str(text)
        .map_err(|_| operation("The input string is not a valid JSON".to_owned()))?;
    match json.get("version") {
        None => {}
        Some(version) if version.as_i64() == Some(1) => {}
        Some(version) => {
            return Err(operation(format!(
                "Not supported version field value {version}"
            )));
        }
    }
    let Some(partitions) = json.get("partitions").and_then(Value::as_array) else {
        return Err(operation("Missing partitions field".to_owned()));
    };
    let mut offsets = IndexMap::new();
    for partition in partitions {
        let field = |name: &str| {
            partition.get(name).ok_or_else(|| {
                let class = "com.fasterxml.jackson.databind.JsonMappingException";
                ClientError::new(class, format!("No such field exists: `{name}`"))
            })
        };
        let topic = field("topic")?.as_str().unwrap_or_default().to_owned();
        let number = i32::try_from(field("partition")?.as_i64().unwrap_or(-1)).unwrap_or(-1);
        let offset = field("offset")?.as_i64().unwrap_or(-1);
        let partition = TopicPartition::new(topic, number);
        if offsets.insert(partition.clone(), offset).is_some() {
            let text = format!("Offset json file contains duplicate topic partitions: {partition}");
            return Err(ClientError::new(
                "org.apache.kafka.server.common.AdminCommandFailedException",
                text,
            ));
        }
    }
    Ok(offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_file_says_an_offset_per_partition() {
        let offsets = parse_offsets(
            r#"{"partitions":[{"topic":"dr","partition":0,"offset":6}],"version":1}"#,
        )
        .unwrap();
        assert_eq!(offsets.get(&TopicPartition::new("dr", 0)), Some(&6));
    }

    #[test]
    fn a_bad_file_is_refused_with_kafkas_texts() {
        let text = |json: &str| parse_offsets(json).unwrap_err().message;
        assert_eq!(text("{"), "The input string is not a valid JSON");
        assert_eq!(text("{}"), "Missing partitions field");
        assert_eq!(
            text(r#"{"version":2}"#),
            "Not supported version field value 2"
        );
        let twice = r#"{"partitions":[{"topic":"a","partition":0,"offset":6},{"topic":"a","partition":0,"offset":7}]}"#;
        assert_eq!(
            text(twice),
            "Offset json file contains duplicate topic partitions: a-0"
        );
    }
}
