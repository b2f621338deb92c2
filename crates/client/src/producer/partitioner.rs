//! Which partition a record goes to (`BuiltInPartitioner`, `RoundRobinPartitioner`).

use playground_protocol::Random;

use crate::network::TopicInfo;

/// Kafka's murmur2 (`Utils.murmur2`), which every client must share for keys to stay in place.
pub fn murmur2(data: &[u8]) -> i32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    const R: u32 = 24;
    let mut hash = SEED ^ data.len() as u32;
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let mut k = chunk
            .iter()
            .rev()
            .fold(0_u32, |value, byte| (value << 8) | u32::from(*byte));
        k = k.wrapping_mul(M);
        k ^= k >> R;
        k = k.wrapping_mul(M);
        hash = hash.wrapping_mul(M);
        hash ^= k;
    }
    let rest = chunks.remainder();
    if !rest.is_empty() {
        for (index, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^= hash >> 15;
    hash as i32
}

/// The partition of a key.
pub fn partition_for_key(key: &[u8], partitions: i32) -> i32 {
    (murmur2(key) & 0x7fff_ffff) % partitions.max(1)
}

/// The partition that records without key go to for now, and how much went there (KIP-480, KIP-794).
#[derive(Clone, Debug, Default)]
pub(super) struct Sticky {
    pub(super) partition: Option<i32>,
    pub(super) produced_bytes: usize,
}

impl Sticky {
    /// The current partition, chosen at random first.
    pub(super) fn peek(&mut self, topic: &TopicInfo, random: &mut Random) -> i32 {
        match self.partition {
            Some(partition) => partition,
            None => self.next(topic, random),
        }
    }

    fn next(&mut self, topic: &TopicInfo, random: &mut Random) -> i32 {
        let available: Vec<i32> = topic
            .partitions
            .iter()
            .filter(|(_, partition)| partition.leader.is_some())
            .map(|(number, _)| *number)
            .collect();
        let chosen = if available.is_empty() {
            random.below(topic.partitions.len() as u64) as i32
        } else {
            let index = random.below(available.len() as u64) as usize;
            available.get(index).copied().unwrap_or(0)
        };
        self.partition = Some(chosen);
        self.produced_bytes = 0;
        chosen
    }

    /// Counts what was appended; moves on after a batch's worth, or two if a batch is still open.
    pub(super) fn update(
        &mut self,
        appended_bytes: usize,
        batch_size: usize,
        enable_switch: bool,
        topic: &TopicInfo,
        random: &mut Random,
    ) {
        self.produced_bytes += appended_bytes;
        if (self.produced_bytes >= batch_size && enable_switch)
            || self.produced_bytes >= batch_size.saturating_mul(2)
        {
            self.next(topic, random);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur2_is_javas() {
        // Values of UtilsTest.testMurmur2.
        assert_eq!(murmur2(b"21"), -973_932_308);
        assert_eq!(murmur2(b"foobar"), -790_332_482);
        assert_eq!(murmur2(b"a-little-bit-long-string"), -985_981_536);
        assert_eq!(murmur2(b"a-little-bit-longer-string"), -1_486_304_829);
        assert_eq!(
            murmur2(b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8"),
            -58_897_971
        );
        assert_eq!(murmur2(b"abc"), 479_470_107);
    }

    #[test]
    fn keys_go_where_the_real_producer_put_them() {
        // tests/transcripts/produce-consume/keys-and-partitions.out: 6 partitions.
        let expected = [2, 2, 5, 1, 4, 5, 2, 3, 5, 2, 4, 0];
        for (number, partition) in (1..).zip(expected) {
            let key = format!("user-{number}");
            assert_eq!(partition_for_key(key.as_bytes(), 6), partition, "{key}");
        }
    }
}
