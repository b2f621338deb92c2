//! JSON files of Kafka's tools (`org.apache.kafka.server.util.Json`): reading them, with Jackson's error texts.

use playground_client::ClientError;
use serde_json::Value;

use crate::commands::CommandContext;

/// The class of an error in what a tool was asked for.
const OPERATION: &str = "org.apache.kafka.tools.AdminOperationException";
/// The class of an error in the shape of the JSON.
const MAPPING: &str = "com.fasterxml.jackson.databind.JsonMappingException";

/// `AdminOperationException`.
pub fn operation_error(message: impl Into<String>) -> ClientError {
    ClientError::new(OPERATION, message)
}

/// `AdminCommandFailedException`.
pub fn command_failed(message: impl Into<String>) -> ClientError {
    ClientError::new(
        "org.apache.kafka.tools.AdminCommandFailedException",
        message,
    )
}

/// A file's text (`Utils.readFileAsString`).
///
/// # Errors
/// Java's `IOException`.
pub fn read_text(context: &CommandContext, path: &str) -> Result<String, ClientError> {
    let absolute = context.path(path);
    match context.process.with_disk(|disk| disk.read_all(&absolute)) {
        Some(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        None => Err(ClientError::new(
            "java.io.IOException",
            format!("Unable to read file {path}"),
        )),
    }
}

/// Parses a text; what is wrong is told as Jackson tells it, as far as it is a word that is none of JSON's.
///
/// # Errors
/// An `AdminOperationException` around Jackson's.
pub fn parse(text: &str) -> Result<Value, ClientError> {
    serde_json::from_str(text).map_err(|error| {
        let message = jackson_message(text, &error);
        operation_error(message.clone()).caused_by(ClientError::new(
            "com.fasterxml.jackson.core.JsonParseException",
            message,
        ))
    })
}

fn jackson_message(text: &str, error: &serde_json::Error) -> String {
    let place = |line: usize, column: usize| {
        format!(
            "\n at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}, column: {column}]"
        )
    };
    let begin = text.len() - text.trim_start().len();
    let word: String = text
        .trim_start()
        .chars()
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect();
    if word.starts_with(|letter: char| letter.is_alphabetic()) {
        let before = text.get(..begin).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before
            .rsplit('\n')
            .next()
            .map_or(0, |rest| rest.chars().count())
            + 1;
        return format!(
            "Unrecognized token '{word}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false'){}",
            place(line, column)
        );
    }
    if text.trim().is_empty() {
        return "No content to map due to end-of-input".to_owned() + &place(1, text.len());
    }
    let shown = error.to_string();
    let what = shown.split(" at line ").next().unwrap_or_default();
    format!("{what}{}", place(error.line(), error.column() + 1))
}

/// A field that must be there.
///
/// # Errors
/// Java's `JsonMappingException`.
pub fn field<'a>(object: &'a Value, name: &str) -> Result<&'a Value, ClientError> {
    let object = as_object(object)?;
    object
        .get(name)
        .ok_or_else(|| ClientError::new(MAPPING, format!("No such field exists: `{name}`")))
}

/// The fields of an object.
///
/// # Errors
/// Java's `JsonMappingException`.
pub fn as_object(value: &Value) -> Result<&serde_json::Map<String, Value>, ClientError> {
    value
        .as_object()
        .ok_or_else(|| ClientError::new(MAPPING, format!("Expected JSON object, received {value}")))
}

/// The items of an array.
///
/// # Errors
/// Java's `JsonMappingException`.
pub fn as_array(value: &Value) -> Result<&Vec<Value>, ClientError> {
    value
        .as_array()
        .ok_or_else(|| ClientError::new(MAPPING, format!("Expected JSON array, received {value}")))
}

/// A number of 32 bits.
///
/// # Errors
/// Java's `JsonMappingException`.
pub fn as_int(value: &Value) -> Result<i32, ClientError> {
    value
        .as_i64()
        .and_then(|number| i32::try_from(number).ok())
        .ok_or_else(|| expected("Integer", value))
}

/// A string.
///
/// # Errors
/// Java's `JsonMappingException`.
pub fn as_text(value: &Value) -> Result<&str, ClientError> {
    value.as_str().ok_or_else(|| expected("String", value))
}

fn expected(kind: &str, value: &Value) -> ClientError {
    ClientError::new(
        MAPPING,
        format!("Expected `{kind}` value, received {value}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_no_json_is_named_with_its_place() {
        assert_eq!(
            parse("\n hello").unwrap_err().message,
            "Unrecognized token 'hello': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')\n \
             at [Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: 2, column: 2]"
        );
    }

    #[test]
    fn a_field_must_be_there_and_of_its_type() {
        let json = parse(r#"{"partition":"x"}"#).unwrap();
        assert_eq!(
            field(&json, "topic").unwrap_err().message,
            "No such field exists: `topic`"
        );
        assert_eq!(
            as_int(field(&json, "partition").unwrap())
                .unwrap_err()
                .message,
            "Expected `Integer` value, received \"x\""
        );
    }
}
