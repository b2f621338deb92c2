//! What a topic may be called (`org.apache.kafka.common.internals.Topic`).

/// The topic of the group coordinators' records.
pub const GROUP_METADATA: &str = "__consumer_offsets";
/// The topic of the transaction coordinators' records.
pub const TRANSACTION_STATE: &str = "__transaction_state";
/// The topic of the share coordinators' records.
pub const SHARE_GROUP_STATE: &str = "__share_group_state";
/// The controllers' log, which is no topic that clients see.
pub const CLUSTER_METADATA: &str = "__cluster_metadata";

const LENGTH_MAX: usize = 249;

/// Checks a topic's name.
///
/// # Errors
/// Kafka's text: `Topic name is invalid: …`.
pub fn validate(name: &str) -> Result<(), String> {
    let reason = if name.is_empty() {
        "the empty string is not allowed".to_owned()
    } else if name == "." || name == ".." {
        format!("'{name}' is not allowed")
    } else if name.encode_utf16().count() > LENGTH_MAX {
        format!("the length of '{name}' is longer than the max allowed length {LENGTH_MAX}")
    } else if !name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    {
        format!(
            "'{name}' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'"
        )
    } else {
        return Ok(());
    };
    Err(format!("Topic name is invalid: {reason}"))
}

/// Whether a topic is Kafka's own.
pub fn is_internal(name: &str) -> bool {
    matches!(name, GROUP_METADATA | TRANSACTION_STATE | SHARE_GROUP_STATE)
}

/// The name under which metrics would confuse the topic with another; `None` if it has no `.` and no `_`.
pub fn collision_key(name: &str) -> Option<String> {
    name.contains(['.', '_']).then(|| name.replace('.', "_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bad_names_have_kafkas_texts() {
        assert_eq!(
            validate("bad name"),
            Err("Topic name is invalid: 'bad name' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'".to_owned())
        );
        assert_eq!(
            validate(".."),
            Err("Topic name is invalid: '..' is not allowed".to_owned())
        );
        assert_eq!(validate(&"x".repeat(249)), Ok(()));
        assert!(validate(&"x".repeat(250)).is_err());
        assert_eq!(collision_key("a.b"), collision_key("a_b"));
        assert_eq!(collision_key("ab"), None);
    }
}
