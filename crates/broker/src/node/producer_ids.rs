//! Producer ids, out of blocks that the controller hands out (`RPCProducerIdManager`).

use playground_protocol::ErrorCode;
use playground_protocol::messages::AllocateProducerIdsResponse;

/// The block in use, and whether another was asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ProducerIds {
    next: i64,
    end: i64,
    asked: bool,
    spare: Option<(i64, i64)>,
}

impl ProducerIds {
    /// A new id; COORDINATOR_LOAD_IN_PROGRESS while no block is here.
    pub fn generate(&mut self) -> Result<i64, ErrorCode> {
        if self.next == self.end
            && let Some((start, length)) = self.spare.take()
        {
            self.next = start;
            self.end = start.saturating_add(length);
        }
        if self.next < self.end {
            self.next += 1;
            Ok(self.next - 1)
        } else {
            Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS)
        }
    }

    /// Whether a block should be asked for now; it counts as asked for then. The next block is fetched when nine
    /// tenths of this one are used.
    pub fn should_ask(&mut self) -> bool {
        let scarce = self.spare.is_none() && self.end - self.next <= 100;
        let ask = scarce && !self.asked;
        self.asked |= ask;
        ask
    }

    pub fn allocated(&mut self, response: &AllocateProducerIdsResponse) {
        self.asked = false;
        if response.error_code == 0 && response.producer_id_len > 0 {
            self.spare = Some((
                response.producer_id_start.0,
                i64::from(response.producer_id_len),
            ));
        }
    }

    pub fn failed(&mut self) {
        self.asked = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_from_blocks() {
        let mut ids = ProducerIds::default();
        assert_eq!(ids.generate(), Err(ErrorCode::COORDINATOR_LOAD_IN_PROGRESS));
        assert!(ids.should_ask());
        assert!(!ids.should_ask());
        let block = |start: i64| {
            AllocateProducerIdsResponse::default()
                .with_producer_id_start(start.into())
                .with_producer_id_len(1000)
        };
        ids.allocated(&block(1000));
        assert_eq!(ids.generate(), Ok(1000));
        for id in 1001..1900 {
            assert!(!ids.should_ask(), "{id}");
            assert_eq!(ids.generate(), Ok(id));
        }
        assert!(ids.should_ask());
        ids.allocated(&block(5000));
        let rest: Vec<i64> = (0..101).map_while(|_| ids.generate().ok()).collect();
        assert_eq!(rest.last(), Some(&5000));
    }
}
