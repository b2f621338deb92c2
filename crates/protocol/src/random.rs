//! Seeded integer randomness, split into salted streams.

use uuid::Uuid;

/// One stream of random integers. The same seed and salt give the same numbers, natively and in wasm.
#[derive(Clone, Debug)]
pub struct Random(oorandom::Rand64);

impl Random {
    /// The stream that `salt` names under `seed`. Streams of different salts are independent, so that
    /// a draw more in one place does not shift the draws of another.
    pub fn new(seed: u64, salt: &str) -> Random {
        // FNV-1a over the salt: small, stable, and only a way to tell the streams apart.
        let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
        for byte in salt.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
        Random(oorandom::Rand64::new(
            (u128::from(hash) << 64) | u128::from(seed),
        ))
    }

    /// The next 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0.rand_u64()
    }

    /// A number in `0..bound`; 0 when `bound` is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        if bound == 0 {
            0
        } else {
            self.0.rand_range(0..bound)
        }
    }

    /// A random (version 4) UUID, as Kafka makes topic ids, cluster ids and member ids.
    pub fn uuid(&mut self) -> Uuid {
        let bits = (u128::from(self.next_u64()) << 64) | u128::from(self.next_u64());
        uuid::Builder::from_u128(bits)
            .with_version(uuid::Version::Random)
            .with_variant(uuid::Variant::RFC4122)
            .into_uuid()
    }
}
