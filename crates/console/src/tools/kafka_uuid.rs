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

/// Reads a text as `Uuid.fromString` does.
///
/// # Errors
/// As [`check`].
pub fn parse(text: &str) -> Result<Uuid, String> {
    check(text)?;
    let mut bits: u128 = 0;
    // 21 characters of 6 bits; the last one brings its first 2.
    for (index, letter) in text.trim_end_matches('=').bytes().enumerate() {
        let value = ALPHABET.iter().position(|known| *known == letter);
        let value = value.unwrap_or(0) as u128;
        bits = match index {
            21 => bits << 2 | value >> 4,
            _ => bits << 6 | value,
        };
    }
    Ok(Uuid::from_u128(bits))
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

    #[test]
    fn what_is_written_is_read() {
        let uuid = Uuid::from_u128(0x4d6b_5533_4f45_5642_4e54_6377_4e54_4a45);
        assert_eq!(to_text(uuid), "TWtVM09FVkJOVGN3TlRKRQ");
        assert_eq!(parse("TWtVM09FVkJOVGN3TlRKRQ"), Ok(uuid));
        assert!(parse("y").is_err());
    }
}
