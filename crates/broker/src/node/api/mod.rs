//! The APIs of a broker's listeners, one file each. Metadata, DescribeTopicPartitions, DescribeCluster and
//! DescribeConfigs are answered from the image alone, by [`crate::metadata::describe`].

mod api_versions;
mod delete_records;
mod describe_log_dirs;
mod fetch;
mod find_coordinator;
mod init_producer_id;
mod list_config_resources;
mod list_offsets;
mod metadata;
mod offset_for_leader_epoch;
mod produce;

pub(super) use api_versions::unsupported_api_versions;
use list_config_resources::{describe_user_scram_credentials, list_config_resources};

use playground_log::Disk;
use playground_protocol::Time;
use playground_protocol::messages::{RequestKind, ResponseKind};

use super::connections::Request;
use super::forwarding::is_forwarded;
use super::{Node, is_broker_api};
use crate::group::GroupCoordinator;
use crate::metadata::describe_quotas::describe_client_quotas;

/// What becomes of a request.
#[allow(clippy::large_enum_variant)] // short-lived: made, matched, gone
pub(super) enum Reply {
    /// The answer.
    Send(ResponseKind),
    /// The answer comes later.
    Later,
    /// Done, and there is no answer (acks=0).
    Nothing,
    /// The connection is closed.
    Close,
}

impl From<ResponseKind> for Reply {
    fn from(response: ResponseKind) -> Reply {
        Reply::Send(response)
    }
}

impl Node {
    /// Answers a request of a broker's listener.
    pub(super) fn broker_request(&mut self, request: Box<Request>, disk: &mut Disk, now: Time) {
        if !is_broker_api(request.api_key) {
            self.close(request.connection);
            return;
        }
        if is_forwarded(request.api_key) {
            self.forward(request, now);
            return;
        }
        if GroupCoordinator::serves(&request.body) {
            self.group_request(&request, now);
            return;
        }
        let reply = match &request.body {
            RequestKind::ApiVersions(body) => {
                self.api_versions(body, request.version, false).into()
            }
            RequestKind::Metadata(body) => self.metadata(&request, body, now).into(),
            RequestKind::DescribeTopicPartitions(body) => {
                self.describe_topic_partitions(&request, body).into()
            }
            RequestKind::DescribeCluster(body) => self.describe_cluster(&request, body).into(),
            RequestKind::DescribeConfigs(body) => self.describe_configs(&request, body).into(),
            RequestKind::ListConfigResources(body) => ResponseKind::from(list_config_resources(
                &self.image,
                &request.listener,
                body,
                request.version,
            ))
            .into(),
            RequestKind::DescribeUserScramCredentials(body) => {
                ResponseKind::from(describe_user_scram_credentials(body)).into()
            }
            RequestKind::DescribeClientQuotas(body) => {
                ResponseKind::from(describe_client_quotas(&self.image, body)).into()
            }
            RequestKind::Produce(body) => self.produce(&request, body, disk, now),
            RequestKind::Fetch(body) => self.fetch(&request, body, disk, now),
            RequestKind::ListOffsets(body) => self.list_offsets(body, request.version, disk).into(),
            RequestKind::OffsetForLeaderEpoch(body) => self.offset_for_leader_epoch(body).into(),
            RequestKind::InitProducerId(body) => self.init_producer_id(body, now).into(),
            RequestKind::DeleteRecords(body) => self.delete_records(request.id, body, disk, now),
            RequestKind::DescribeLogDirs(body) => self.describe_log_dirs(body).into(),
            RequestKind::FindCoordinator(body) => self.find_coordinator(&request, body, now).into(),
            _ => Reply::Close,
        };
        match reply {
            Reply::Send(response) => self.completed.push_back((request.id, Some(response))),
            Reply::Nothing => self.completed.push_back((request.id, None)),
            Reply::Later => {}
            Reply::Close => self.close(request.connection),
        }
    }
}
