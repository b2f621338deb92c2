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
}
