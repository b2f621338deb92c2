//! Exponential backoff with jitter (`org.apache.kafka.common.utils.ExponentialBackoff`), in integers.

use playground_protocol::Random;

/// Waits that double up to a maximum, each 20 % shorter or longer at random.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    initial_ms: i64,
    max_ms: i64,
}

impl Backoff {
    /// Waits from `initial_ms` to `max_ms`.
    pub fn new(initial_ms: i64, max_ms: i64) -> Backoff {
        Backoff {
            initial_ms: initial_ms.max(0),
            max_ms: max_ms.max(initial_ms).max(0),
        }
    }

    /// The wait in ms after `attempts` failures before the last one.
    pub fn wait_ms(self, attempts: u32, random: &mut Random) -> i64 {
        let mut wait = self.initial_ms;
        for _ in 0..attempts.min(32) {
            wait = wait.saturating_mul(2);
            if wait >= self.max_ms {
                break;
            }
        }
        let wait = wait.min(self.max_ms);
        if self.initial_ms >= self.max_ms {
            return wait;
        }
        let permille = 800 + random.below(400) as i64;
        wait.saturating_mul(permille) / 1000
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_maximum() {
        let mut random = Random::new(1, "test");
        let backoff = Backoff::new(50, 1000);
        for (attempts, expected) in [(0, 50), (1, 100), (2, 200), (4, 800), (5, 1000), (40, 1000)] {
            let wait = backoff.wait_ms(attempts, &mut random);
            assert!(
                (expected * 8 / 10..=expected * 12 / 10).contains(&wait),
                "{attempts}: {wait}"
            );
        }
        assert_eq!(Backoff::new(100, 100).wait_ms(7, &mut random), 100);
    }
}
