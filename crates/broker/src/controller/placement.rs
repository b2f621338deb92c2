//! Which brokers get a new topic's replicas (`StripedReplicaPlacer`): leaders go round over racks and
//! brokers from a random start, so that each leads about as many; replicas are spread over racks.

use std::collections::BTreeMap;

use playground_protocol::{ErrorCode, Random};

use super::error::ApiError;

/// A broker that can get replicas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsableBroker {
    /// Its id.
    pub id: i32,
    /// Its rack.
    pub rack: Option<String>,
    /// Whether it is fenced: it can follow, not lead.
    pub fenced: bool,
}

/// The replicas of `partitions` new partitions.
///
/// # Errors
/// INVALID_REPLICATION_FACTOR with Kafka's text.
pub fn place(
    random: &mut Random,
    brokers: &[UsableBroker],
    partitions: usize,
    replication_factor: i16,
) -> Result<Vec<Vec<i32>>, ApiError> {
    let invalid = |text: String| ApiError::new(ErrorCode::INVALID_REPLICATION_FACTOR, text);
    if replication_factor <= 0 {
        return Err(invalid(format!(
            "Invalid replication factor {replication_factor}: the replication factor must be positive."
        )));
    }
    if brokers.iter().all(|broker| broker.fenced) {
        return Err(invalid(
            "All brokers are currently fenced, or have all their log directories cordoned."
                .to_owned(),
        ));
    }
    let total = brokers.len();
    let factor = usize::from(replication_factor.unsigned_abs());
    if factor > total {
        return Err(invalid(format!(
            "The target replication factor of {replication_factor} cannot be reached because only {total} broker(s) are registered or some brokers have all their log directories cordoned."
        )));
    }
    let mut racks = RackList::new(random, brokers);
    Ok((0..partitions)
        .map(|_| racks.place(random, factor))
        .collect())
}

/// Brokers of one kind in one rack; one is handed out after the other, the start moves on with each epoch.
#[derive(Debug, Default)]
struct BrokerList {
    brokers: Vec<i32>,
    index: usize,
    offset: usize,
    epoch: usize,
}

impl BrokerList {
    fn initialize(&mut self, random: &mut Random) {
        if !self.brokers.is_empty() {
            self.brokers.sort_unstable();
            self.offset = random.below(self.brokers.len() as u64) as usize;
        }
    }

    fn next(&mut self, epoch: usize) -> Option<i32> {
        let count = self.brokers.len();
        if count == 0 {
            return None;
        }
        if self.epoch != epoch {
            self.epoch = epoch;
            self.index = 0;
            self.offset = (self.offset + 1) % count;
        }
        if self.index >= count {
            return None;
        }
        let broker = self
            .brokers
            .get((self.index + self.offset) % count)
            .copied();
        self.index += 1;
        broker
    }
}

#[derive(Debug, Default)]
struct Rack {
    fenced: BrokerList,
    unfenced: BrokerList,
}

impl Rack {
    fn next(&mut self, epoch: usize) -> Option<i32> {
        self.unfenced
            .next(epoch)
            .or_else(|| self.fenced.next(epoch))
    }
}

#[derive(Debug)]
struct RackList {
    racks: Vec<Rack>,
    unfenced_count: usize,
    epoch: usize,
    offset: usize,
}

impl RackList {
    fn new(random: &mut Random, brokers: &[UsableBroker]) -> RackList {
        let mut racks: BTreeMap<Option<&str>, Rack> = BTreeMap::new();
        for broker in brokers {
            let rack = racks.entry(broker.rack.as_deref()).or_default();
            let list = if broker.fenced {
                &mut rack.fenced
            } else {
                &mut rack.unfenced
            };
            list.brokers.push(broker.id);
        }
        let mut racks: Vec<Rack> = racks.into_values().collect();
        for rack in &mut racks {
            rack.fenced.initialize(random);
            rack.unfenced.initialize(random);
        }
        let offset = random.below(racks.len() as u64) as usize;
        RackList {
            racks,
            unfenced_count: brokers.iter().filter(|broker| !broker.fenced).count(),
            epoch: 0,
            offset,
        }
    }

    /// The caller checked that there is an unfenced broker, and `factor` brokers in all.
    fn place(&mut self, random: &mut Random, factor: usize) -> Vec<i32> {
        let rack_count = self.racks.len();
        if self.epoch == self.unfenced_count && self.unfenced_count > 1 {
            shuffle(random, &mut self.racks);
            for rack in &mut self.racks {
                shuffle(random, &mut rack.fenced.brokers);
                shuffle(random, &mut rack.unfenced.brokers);
            }
            self.epoch = 0;
        }
        if self.offset == rack_count {
            self.offset = 0;
        }
        let mut replicas = Vec::with_capacity(factor);
        let mut first_rack = None;
        for step in 0..rack_count {
            let index = (self.offset + step) % rack_count;
            if let Some(broker) = self.racks[index].unfenced.next(self.epoch) {
                replicas.push(broker);
                first_rack = Some(index);
                break;
            }
        }
        let mut index = self.offset;
        // Each round over the racks hands out a broker, until all are; the bound only guards the loop.
        for _ in 0..rack_count * (factor + 1) {
            if replicas.len() >= factor {
                break;
            }
            if first_rack == Some(index) {
                // The leader's rack is passed over once.
                first_rack = None;
            } else {
                replicas.extend(self.racks[index].next(self.epoch));
            }
            index = (index + 1) % rack_count;
        }
        self.epoch += 1;
        self.offset += 1;
        replicas
    }
}

fn shuffle<T>(random: &mut Random, items: &mut [T]) {
    for size in (2..=items.len()).rev() {
        items.swap(size - 1, random.below(size as u64) as usize);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brokers(racks: &[Option<&str>]) -> Vec<UsableBroker> {
        racks
            .iter()
            .zip(1..)
            .map(|(rack, id)| UsableBroker {
                id,
                rack: rack.map(str::to_owned),
                fenced: false,
            })
            .collect()
    }

    #[test]
    fn leaders_are_spread_evenly_and_replicas_distinct() -> Result<(), ApiError> {
        for seed in 0..50 {
            let mut random = Random::new(seed, "placement");
            let placed = place(&mut random, &brokers(&[None, None, None]), 6, 3)?;
            for broker in 1..=3 {
                let led = placed
                    .iter()
                    .filter(|replicas| replicas[0] == broker)
                    .count();
                assert_eq!(led, 2, "seed {seed}: {placed:?}");
            }
            for mut replicas in placed {
                replicas.sort_unstable();
                assert_eq!(replicas, [1, 2, 3]);
            }
        }
        Ok(())
    }

    #[test]
    fn replicas_are_in_different_racks_and_fenced_brokers_do_not_lead() -> Result<(), ApiError> {
        for seed in 0..50 {
            let mut random = Random::new(seed, "placement");
            let mut four = brokers(&[Some("a"), Some("a"), Some("b"), Some("b")]);
            for replicas in place(&mut random, &four, 8, 2)? {
                assert_ne!(replicas[0] <= 2, replicas[1] <= 2, "{replicas:?}");
            }
            four[0].fenced = true;
            for replicas in place(&mut random, &four, 8, 4)? {
                assert_ne!(replicas[0], 1);
                assert_eq!(replicas.len(), 4);
            }
        }
        Ok(())
    }

    #[test]
    fn too_few_brokers_have_kafkas_text() {
        let mut random = Random::new(1, "placement");
        let error = place(&mut random, &brokers(&[None]), 1, 2).map_err(|error| error.message);
        assert_eq!(
            error,
            Err(Some("The target replication factor of 2 cannot be reached because only 1 broker(s) are registered or some brokers have all their log directories cordoned.".to_owned()))
        );
        assert!(place(&mut random, &[], 1, 1).is_err());
    }
}
