//! Kafka's text form of a UUID: its 16 bytes in URL-safe base64 without padding (`org.apache.kafka.common.Uuid`).

use uuid::Uuid;

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// The 22 characters of a UUID.
pub fn to_text(uuid: Uuid) -> String {
    let bits = uuid.as_u128();
    // 21 characters of 6 bits, and the last one of 2 bits and four zeros.
    let mut text: String = (0..21)
        .map(|index| ALPHABET[((bits >> (122 - 6 * index)) & 63) as usize] as char)
        .collect();
    text.push(ALPHABET[((bits & 3) << 4) as usize] as char);
    text
}

/// Whether `Uuid.fromString` reads a text: 16 bytes in URL-safe base64, the padding may be missing.
///
/// # Errors
/// The message of its `IllegalArgumentException`.
pub fn check(text: &str) -> Result<(), String> {
    if text.encode_utf16().count() > 24 {
        let prefix: String = text.chars().take(24).collect();
        return Err(format!(
            "Input string with prefix `{prefix}` is too long to be decoded as a base64 UUID"
        ));
    }
    let data = text.trim_end_matches('=');
    let padding = text.len() - data.len();
    if let Some(other) = data
        .chars()
        .find(|c| !u8::try_from(*c).is_ok_and(|byte| ALPHABET.contains(&byte)))
    {
        return Err(format!("Illegal base64 character {:x}", u32::from(other)));
    }
    if text.len() == 1 {
        return Err("Input byte[] should at least have 2 bytes for base64 bytes".to_owned());
    }
    if data.len() % 4 == 1 {
        return Err("Last unit does not have enough valid bits".to_owned());
    }
    if padding > 0 && !(data.len() + padding).is_multiple_of(4) {
        return Err("Input byte array has wrong 4-byte ending unit".to_owned());
    }
    let bytes = data.len() * 6 / 8;
    if bytes != 16 {
        return Err(format!(
            "Input string `{text}` decoded as {bytes} bytes, which is not equal to the expected 16 bytes of a \
             base64-encoded UUID"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_metadata_topics_id_reads_as_in_kafka() {
        assert_eq!(to_text(Uuid::from_u128(1)), "AAAAAAAAAAAAAAAAAAAAAQ");
        assert_eq!(
            to_text(Uuid::from_u128(u128::MAX)),
            "_____________________w"
        );
    }

    #[test]
    fn texts_that_are_no_uuids_are_told_apart() {
        assert_eq!(check("AAAAAAAAAAAAAAAAAAAAAQ"), Ok(()));
        assert_eq!(
            check("short"),
            Err("Last unit does not have enough valid bits".to_owned())
        );
        assert!(check("abc").is_err_and(|text| text.contains("decoded as 2 bytes")));
        assert_eq!(check("a b"), Err("Illegal base64 character 20".to_owned()));
    }
}
