//! The file `quorum-state` (`FileQuorumStateStore`): whom this node voted for, and in which epoch. A node that
//! forgot its vote could vote twice, so it is flushed before the vote leaves.

use playground_log::Disk;

use super::log::METADATA_TOPIC;

/// What is kept (`ElectionState`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ElectionState {
    pub epoch: i32,
    pub leader: Option<i32>,
    pub voted: Option<i32>,
}

#[derive(Debug)]
pub(super) struct Store {
    path: String,
}

impl Store {
    pub fn new(log_dir: &str) -> Store {
        Store {
            path: format!("{log_dir}/{METADATA_TOPIC}-0/quorum-state"),
        }
    }

    /// What was written last; `None` where nothing readable is.
    pub fn read(&self, disk: &Disk) -> Option<ElectionState> {
        let text = disk.read_all(&self.path)?;
        let text = String::from_utf8_lossy(&text);
        // A flat object of numbers, written on one line.
        let int = |name: &str| -> Option<i32> {
            let (_, rest) = text.split_once(&format!("\"{name}\":"))?;
            let end = rest.find([',', '}'])?;
            rest.get(..end)?.trim().parse().ok()
        };
        Some(ElectionState {
            epoch: int("leaderEpoch").filter(|epoch| *epoch >= 0)?,
            leader: int("leaderId").filter(|id| *id >= 0),
            voted: int("votedId").filter(|id| *id >= 0),
        })
    }

    /// Writes a new file, flushes it, and puts it in the old one's place. The format is Kafka's of
    /// kraft.version 0, where the voters are configured.
    pub fn write(&self, state: &ElectionState, voters: impl Iterator<Item = i32>, disk: &mut Disk) {
        let voters: Vec<String> = voters.map(|id| format!("{{\"voterId\":{id}}}")).collect();
        let text = format!(
            "{{\"clusterId\":\"\",\"leaderId\":{},\"leaderEpoch\":{},\"votedId\":{},\"appliedOffset\":0,\"currentVoters\":[{}],\"data_version\":0}}",
            state.leader.unwrap_or(-1),
            state.epoch,
            state.voted.unwrap_or(-1),
            voters.join(","),
        );
        let temporary = format!("{}.tmp", self.path);
        disk.write(&temporary, text.as_bytes());
        disk.flush(&temporary);
        disk.rename(&temporary, &self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vote_survives_a_power_cut_in_kafkas_format() {
        let mut disk = Disk::new();
        let store = Store::new("/data");
        assert_eq!(store.read(&disk), None);
        let state = ElectionState {
            epoch: 7,
            leader: None,
            voted: Some(2),
        };
        store.write(&state, [1, 2].into_iter(), &mut disk);
        disk.power_cut();
        let path = "/data/__cluster_metadata-0/quorum-state";
        assert_eq!(
            String::from_utf8_lossy(&disk.read_all(path).unwrap()),
            r#"{"clusterId":"","leaderId":-1,"leaderEpoch":7,"votedId":2,"appliedOffset":0,"currentVoters":[{"voterId":1},{"voterId":2}],"data_version":0}"#
        );
        assert_eq!(store.read(&disk), Some(state));
        disk.write(path, b"{\"leaderEpoch\":");
        assert_eq!(store.read(&disk), None);
    }
}
