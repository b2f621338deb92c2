//! What the coordinator reads of the `consumer` protocol type's opaque bytes: the topics of a
//! subscription, the partitions of an assignment (`ConsumerProtocol`, version 0's fields, which begin
//! every later version).

use std::collections::BTreeSet;

use bytes::{Buf, Bytes};

/// The protocol type of consumers (`ConsumerProtocol.PROTOCOL_TYPE`).
pub const PROTOCOL_TYPE: &str = "consumer";

/// The topics that a member's metadata subscribes to; `None` when the bytes are no subscription.
pub fn subscribed_topics(metadata: &Bytes) -> Option<BTreeSet<String>> {
    let mut bytes = metadata.clone();
    bytes.try_get_i16().ok()?;
    let count = bytes.try_get_i32().ok()?;
    (0..count).map(|_| read_string(&mut bytes)).collect()
}

/// The partitions of an assignment by topic, in the assignment's order; `None` when the bytes are no
/// assignment. An empty assignment assigns nothing.
pub fn assigned_partitions(assignment: &Bytes) -> Option<Vec<(String, Vec<i32>)>> {
    if assignment.is_empty() {
        return Some(Vec::new());
    }
    let mut bytes = assignment.clone();
    bytes.try_get_i16().ok()?;
    let count = bytes.try_get_i32().ok()?;
    (0..count)
        .map(|_| {
            let topic = read_string(&mut bytes)?;
            let partitions = bytes.try_get_i32().ok()?;
            let partitions = (0..partitions)
                .map(|_| bytes.try_get_i32().ok())
                .collect::<Option<Vec<i32>>>()?;
            Some((topic, partitions))
        })
        .collect()
}

fn read_string(bytes: &mut Bytes) -> Option<String> {
    let length = usize::try_from(bytes.try_get_i16().ok()?).ok()?;
    if length > bytes.len() {
        return None;
    }
    String::from_utf8(bytes.split_to(length).to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_subscriptions_and_assignments() {
        let subscription = Bytes::from_static(b"\0\x03\0\0\0\x02\0\x01b\0\x01a\xff\xff\xff\xff");
        let topics = subscribed_topics(&subscription).expect("a subscription");
        assert_eq!(topics.into_iter().collect::<Vec<_>>(), ["a", "b"]);
        let assignment = Bytes::from_static(
            b"\0\x01\0\0\0\x01\0\x01a\0\0\0\x02\0\0\0\0\0\0\0\x03\xff\xff\xff\xff",
        );
        assert_eq!(
            assigned_partitions(&assignment),
            Some(vec![("a".to_owned(), vec![0, 3])])
        );
        assert_eq!(assigned_partitions(&Bytes::new()), Some(Vec::new()));
        assert_eq!(
            assigned_partitions(&Bytes::from_static(b"\0\0\x7f\xff\xff\xff")),
            None
        );
        assert_eq!(
            subscribed_topics(&Bytes::from_static(b"\0\0\0\0\0\x01\0\x09a")),
            None
        );
    }
}
