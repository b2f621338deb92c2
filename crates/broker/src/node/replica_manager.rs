//! The replicas of one broker and their directories (Kafka's `ReplicaManager` and `LogManager`).

use std::collections::BTreeMap;

use playground_log::checkpoint::{
    self, CLEAN_SHUTDOWN_FILE, HIGH_WATERMARK_FILE, LOG_START_OFFSET_FILE, PartitionOffsets,
    RECOVERY_POINT_FILE,
};
use playground_log::{Disk, Log, LogConfig};
use playground_protocol::{LogLevel, LogLine, Random, Time};
use uuid::Uuid;

use super::partition::{Applied, Cluster, Partition, PartitionState};
use super::settings::Settings;
use crate::raft::METADATA_TOPIC;

/// The Java class that logs what happens to directories.
pub(super) const LOG_MANAGER_LOGGER: &str = "kafka.log.LogManager";
/// Suffix of a directory that is to be deleted (`LogFileUtils.DELETE_DIR_SUFFIX`).
const DELETE_SUFFIX: &str = "-delete";
/// Suffix of a directory that the metadata does not know.
const STRAY_SUFFIX: &str = "-stray";
/// A file name's length on most systems; Kafka cuts longer ones.
const DIRECTORY_NAME_MAX: usize = 255;

/// See the module.
#[derive(Debug)]
pub(super) struct ReplicaManager {
    node_id: i32,
    log_dir: String,
    partitions: BTreeMap<String, BTreeMap<i32, Partition>>,
    /// Directories to delete, and when.
    doomed: Vec<(Time, String)>,
    retention_due: Time,
    high_watermark_checkpoint_due: Time,
    recovery_point_checkpoint_due: Time,
    written: BTreeMap<&'static str, PartitionOffsets>,
    random: Random,
}

impl ReplicaManager {
    pub fn new(node_id: i32, log_dir: &str, seed: u64) -> ReplicaManager {
        ReplicaManager {
            node_id,
            log_dir: log_dir.to_owned(),
            partitions: BTreeMap::new(),
            doomed: Vec::new(),
            retention_due: Time::NEVER,
            high_watermark_checkpoint_due: Time::NEVER,
            recovery_point_checkpoint_due: Time::NEVER,
            written: BTreeMap::new(),
            random: Random::new(seed, "directories"),
        }
    }

    pub fn get(&self, topic: &str, partition: i32) -> Option<&Partition> {
        self.partitions.get(topic)?.get(&partition)
    }

    pub fn get_mut(&mut self, topic: &str, partition: i32) -> Option<&mut Partition> {
        self.partitions.get_mut(topic)?.get_mut(&partition)
    }

    /// All replicas, by topic and partition.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i32, &Partition)> {
        self.partitions.iter().flat_map(|(topic, partitions)| {
            partitions
                .iter()
                .map(move |(number, partition)| (topic.as_str(), *number, partition))
        })
    }

    /// All replicas, to change.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&str, i32, &mut Partition)> {
        self.partitions.iter_mut().flat_map(|(topic, partitions)| {
            partitions
                .iter_mut()
                .map(move |(number, partition)| (topic.as_str(), *number, partition))
        })
    }

    /// Opens the logs that the disk holds, as `LogManager.startup` does. `wanted` says which replicas the
    /// metadata assigns to this broker: the topic's id; the directory of another is put aside as a stray.
    pub fn load(
        &mut self,
        disk: &mut Disk,
        now: Time,
        clean_shutdown: bool,
        settings: &Settings,
        config: impl Fn(&str) -> LogConfig,
        wanted: impl Fn(&str, i32) -> Option<Uuid>,
    ) -> Vec<LogLine> {
        let mut lines = Vec::new();
        let high_watermarks =
            checkpoint::read_offsets(disk, &format!("{}/{HIGH_WATERMARK_FILE}", self.log_dir));
        for name in disk.list(&self.log_dir) {
            let path = format!("{}/{name}", self.log_dir);
            if !disk.is_directory(&path) {
                continue;
            }
            if name.ends_with(DELETE_SUFFIX) {
                let due = now.plus_millis(settings.log_segment_delete_delay_ms);
                self.doomed.push((due, path));
                continue;
            }
            let Some((topic, number)) = parse_directory(&name) else {
                continue;
            };
            if topic == METADATA_TOPIC {
                continue;
            }
            let id = disk
                .read_all(&format!("{path}/{}", checkpoint::PARTITION_METADATA_FILE))
                .and_then(|text| {
                    checkpoint::parse_partition_metadata(&String::from_utf8_lossy(&text))
                });
            let expected = wanted(topic, number);
            if expected.is_none() || (id.is_some() && id != expected) {
                let aside = self.unique_name(topic, number, STRAY_SUFFIX);
                disk.rename(&path, &format!("{}/{aside}", self.log_dir));
                continue;
            }
            let (mut log, loaded) = Log::open(&path, config(topic), disk, now, clean_shutdown);
            lines.extend(loaded);
            if let Some(high_watermark) = high_watermarks.get(&(topic.to_owned(), number)) {
                log.update_high_watermark(*high_watermark);
            }
            lines.push(loaded_line(&log, self.node_id));
            let topic_id = expected.unwrap_or_default();
            self.insert(topic, number, topic_id, log, disk);
        }
        self.retention_due = now.plus_millis(settings.log_initial_task_delay_ms);
        self.high_watermark_checkpoint_due =
            now.plus_millis(settings.high_watermark_checkpoint_interval_ms);
        self.recovery_point_checkpoint_due = now.plus_millis(settings.log_initial_task_delay_ms);
        lines
    }

    fn insert(&mut self, topic: &str, number: i32, topic_id: Uuid, mut log: Log, disk: &mut Disk) {
        log.set_topic_id(disk, topic_id);
        self.partitions
            .entry(topic.to_owned())
            .or_default()
            .insert(number, Partition::new(topic_id, log));
    }

    /// Takes what the metadata says of a replica of this broker, creating it if need be. What came of it, and
    /// what Kafka logs.
    #[allow(clippy::too_many_arguments)]
    pub fn apply(
        &mut self,
        topic: &str,
        topic_id: Uuid,
        number: i32,
        state: PartitionState,
        config: impl FnOnce() -> LogConfig,
        cluster: &Cluster<'_>,
        disk: &mut Disk,
    ) -> (Applied, Vec<LogLine>) {
        let now = cluster.now;
        let mut lines = Vec::new();
        if self
            .get(topic, number)
            .is_some_and(|partition| partition.topic_id != topic_id)
        {
            lines.extend(self.delete(topic, number, disk, now));
        }
        if self.get(topic, number).is_none() {
            let path = format!("{}/{topic}-{number}", self.log_dir);
            let (log, loaded) = Log::open(&path, config(), disk, now, true);
            lines.extend(loaded);
            lines.push(info(
                LOG_MANAGER_LOGGER,
                format!(
                    "Created log for partition {topic}-{number} in {path} with properties {{}}"
                ),
            ));
            lines.push(loaded_line(&log, self.node_id));
            self.insert(topic, number, topic_id, log, disk);
        }
        let applied = self
            .get_mut(topic, number)
            .map(|partition| partition.apply(state, cluster, disk))
            .unwrap_or_default();
        (applied, lines)
    }

    /// Deletes a replica: its directory is renamed now and removed after `file.delete.delay.ms`.
    pub fn delete(
        &mut self,
        topic: &str,
        number: i32,
        disk: &mut Disk,
        now: Time,
    ) -> Option<LogLine> {
        let partitions = self.partitions.get_mut(topic)?;
        let partition = partitions.remove(&number)?;
        if partitions.is_empty() {
            self.partitions.remove(topic);
        }
        let delay = partition.log.config().file_delete_delay_ms;
        let name = self.unique_name(topic, number, DELETE_SUFFIX);
        let to = format!("{}/{name}", self.log_dir);
        disk.rename(partition.log.dir(), &to);
        let line = info(
            LOG_MANAGER_LOGGER,
            format!(
                "Log for partition {topic}-{number} is renamed to {to} and is scheduled for deletion"
            ),
        );
        self.doomed.push((now.plus_millis(delay), to));
        Some(line)
    }

    /// `topic-3.0123456789abcdef0123456789abcdef-delete`, cut to fit (`LogFileUtils.logDeleteDirName`).
    fn unique_name(&mut self, topic: &str, number: i32, suffix: &str) -> String {
        let end = format!("-{number}.{}{suffix}", self.random.uuid().simple());
        let room = DIRECTORY_NAME_MAX.saturating_sub(end.len());
        format!("{}{end}", topic.get(..room).unwrap_or(topic))
    }

    /// Sets a topic's configuration on its logs.
    pub fn set_config(&mut self, topic: &str, config: &LogConfig) {
        if let Some(partitions) = self.partitions.get_mut(topic) {
            for partition in partitions.values_mut() {
                partition.log.set_config(config.clone());
            }
        }
    }

    /// The topics that have a replica here.
    pub fn topics(&self) -> Vec<String> {
        self.partitions.keys().cloned().collect()
    }

    /// When [`ReplicaManager::tick`] has something to do.
    pub fn next_deadline(&self) -> Time {
        let deletion = self.doomed.iter().map(|(due, _)| *due).min();
        deletion
            .unwrap_or(Time::NEVER)
            .min(self.retention_due)
            .min(self.high_watermark_checkpoint_due)
            .min(self.recovery_point_checkpoint_due)
    }

    /// Runs what is due: retention, checkpoints, deletions.
    pub fn tick(&mut self, disk: &mut Disk, settings: &Settings, now: Time) -> Vec<LogLine> {
        let mut lines = Vec::new();
        if self.retention_due <= now {
            self.retention_due = now.plus_millis(settings.log_retention_check_interval_ms);
            for partition in self.partitions.values_mut().flat_map(BTreeMap::values_mut) {
                if partition.log.config().cleanup_policy.delete {
                    partition.log.delete_old_segments(disk, now);
                }
                partition.log.remove_expired_producers(now);
                if partition.log.is_flush_due(now) {
                    partition.log.flush(disk, now);
                }
                lines.extend(partition.log.take_log_lines());
            }
        }
        if self.high_watermark_checkpoint_due <= now {
            self.high_watermark_checkpoint_due =
                now.plus_millis(settings.high_watermark_checkpoint_interval_ms);
            self.checkpoint_high_watermarks(disk);
        }
        if self.recovery_point_checkpoint_due <= now {
            self.recovery_point_checkpoint_due =
                now.plus_millis(settings.log_flush_offset_checkpoint_interval_ms);
            self.checkpoint_recovery_points(disk, &[]);
        }
        let (due, rest): (Vec<_>, Vec<_>) = std::mem::take(&mut self.doomed)
            .into_iter()
            .partition(|(due, _)| *due <= now);
        self.doomed = rest;
        for (_, path) in due {
            disk.delete(&path);
        }
        lines
    }

    fn checkpoint_high_watermarks(&mut self, disk: &mut Disk) {
        let offsets = self.offsets(|partition| Some(partition.log.high_watermark()));
        self.write_checkpoint(HIGH_WATERMARK_FILE, offsets, disk);
    }

    fn checkpoint_recovery_points(&mut self, disk: &mut Disk, others: &[(&str, &Log)]) {
        let mut offsets = self.offsets(|partition| Some(partition.log.recovery_point()));
        for (topic, log) in others {
            offsets.insert(((*topic).to_owned(), 0), log.recovery_point());
        }
        self.write_checkpoint(RECOVERY_POINT_FILE, offsets, disk);
        // Only where deleted records moved the start into a segment: elsewhere the first segment says it.
        let starts = self.offsets(|partition| {
            let log = &partition.log;
            let first = log
                .segments()
                .first()
                .map_or(0, |segment| segment.base_offset);
            (log.log_start_offset() > first).then(|| log.log_start_offset())
        });
        self.write_checkpoint(LOG_START_OFFSET_FILE, starts, disk);
    }

    fn offsets(&self, offset: impl Fn(&Partition) -> Option<i64>) -> PartitionOffsets {
        self.iter()
            .filter_map(|(topic, number, partition)| {
                offset(partition).map(|offset| ((topic.to_owned(), number), offset))
            })
            .collect()
    }

    /// Writes a checkpoint file, unless it holds just that.
    fn write_checkpoint(&mut self, file: &'static str, offsets: PartitionOffsets, disk: &mut Disk) {
        if self.written.get(file) == Some(&offsets) {
            return;
        }
        checkpoint::write_offsets(disk, &format!("{}/{file}", self.log_dir), &offsets);
        self.written.insert(file, offsets);
    }

    /// Moves the log start offsets to disk at once, after deleted records: a crash must not bring them back.
    pub fn checkpoint_log_starts(&mut self, disk: &mut Disk) {
        self.checkpoint_recovery_points(disk, &[]);
    }

    /// Closes all logs in order, and leaves the mark of it.
    pub fn close(&mut self, disk: &mut Disk, metadata_log: &mut Log, broker_epoch: i64, now: Time) {
        for partition in self.partitions.values_mut().flat_map(BTreeMap::values_mut) {
            partition.log.close(disk, now);
        }
        metadata_log.close(disk, now);
        self.checkpoint_recovery_points(disk, &[(METADATA_TOPIC, metadata_log)]);
        self.checkpoint_high_watermarks(disk);
        disk.write(
            &format!("{}/{CLEAN_SHUTDOWN_FILE}", self.log_dir),
            format!("{{\"version\":0,\"brokerEpoch\":{broker_epoch}}}").as_bytes(),
        );
    }
}

fn info(logger: &'static str, message: String) -> LogLine {
    LogLine {
        level: LogLevel::Info,
        logger,
        message,
    }
}

fn loaded_line(log: &Log, node_id: i32) -> LogLine {
    let (name, high_watermark) = (log.name(), log.high_watermark());
    info(
        "kafka.cluster.Partition",
        format!(
            "[Partition {name} broker={node_id}] Log loaded for partition {name} with initial high watermark {high_watermark}"
        ),
    )
}

/// `users-0` as ("users", 0).
fn parse_directory(name: &str) -> Option<(&str, i32)> {
    let (topic, number) = name.rsplit_once('-')?;
    if topic.is_empty() {
        return None;
    }
    Some((topic, number.parse().ok().filter(|number| *number >= 0)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_are_read_as_kafka_names_them() {
        assert_eq!(parse_directory("users-0"), Some(("users", 0)));
        assert_eq!(parse_directory("a-b-12"), Some(("a-b", 12)));
        assert_eq!(parse_directory("users-0.00aa-delete"), None);
        assert_eq!(parse_directory("-1"), None);
    }

    #[test]
    fn a_deleted_replica_is_renamed_and_removed_later() {
        let mut disk = Disk::new();
        let mut replicas = ReplicaManager::new(1, "/data", 7);
        let now = Time::from_millis(1_000);
        let state = PartitionState {
            replicas: vec![1],
            isr: vec![1],
            leader: 1,
            leader_epoch: 0,
            partition_epoch: 0,
        };
        let id = Uuid::from_u128(9);
        let cluster = Cluster {
            node_id: 1,
            image: &crate::metadata::MetadataImage::new(),
            lag_ms_max: 30_000,
            now,
        };
        let config = LogConfig::default;
        let (applied, _) = replicas.apply("users", id, 0, state, config, &cluster, &mut disk);
        assert!(applied.leads_anew);
        assert!(disk.is_directory("/data/users-0"));
        replicas.delete("users", 0, &mut disk, now);
        let names = disk.list("/data");
        assert_eq!(names.len(), 1);
        assert!(names[0].starts_with("users-0.") && names[0].ends_with("-delete"));
        let later = replicas.next_deadline();
        assert_eq!(later, now.plus_millis(60_000));
        let config = crate::node::NodeConfig {
            node_id: 1,
            cluster_id: Uuid::nil(),
            listeners: Vec::new(),
            controller_voters: Vec::new(),
            rack: None,
            log_dir: "/data".to_owned(),
            overrides: Vec::new(),
        };
        let settings = Settings::new(&config, None);
        replicas.tick(&mut disk, &settings, later);
        assert!(
            disk.list("/data")
                .iter()
                .all(|name| !name.ends_with("-delete"))
        );
    }
}
