//! Every version that is advertised is answered, with a good request and with one that fails: a response that
//! its version cannot carry would end the connection.

use playground_protocol::codec::StrBytes;
use playground_protocol::messages::*;
use playground_protocol::versions::{BROKER_APIS, supported};
use uuid::Uuid;

use super::network::Network;
use super::single::{batch, create, name, produce};

/// A request that fits the version, about a topic that is there or one that is not.
pub fn request(api_key: ApiKey, version: i16, topic: &str, id: Uuid) -> RequestKind {
    let text = |text: &str| StrBytes::from_string(text.to_owned());
    let group = GroupId(text("g"));
    match api_key {
        ApiKey::Produce => {
            let records = Some(batch(&["x"]));
            let data = produce_request::TopicProduceData::default().with_partition_data(vec![
                produce_request::PartitionProduceData::default().with_records(records),
            ]);
            let data = if version >= 13 {
                data.with_topic_id(id)
            } else {
                data.with_name(name(topic))
            };
            ProduceRequest::default()
                .with_transactional_id(None)
                .with_acks(1)
                .with_topic_data(vec![data])
                .into()
        }
        ApiKey::Fetch => {
            let partition = fetch_request::FetchPartition::default()
                .with_current_leader_epoch(-1)
                .with_partition_max_bytes(1000);
            let fetch = fetch_request::FetchTopic::default().with_partitions(vec![partition]);
            let fetch = if version >= 13 {
                fetch.with_topic_id(id)
            } else {
                fetch.with_topic(name(topic))
            };
            let request = FetchRequest::default()
                .with_max_bytes(1000)
                .with_topics(vec![fetch]);
            if version >= 7 {
                request.with_session_epoch(0).into()
            } else {
                request.into()
            }
        }
        ApiKey::ListOffsets => ListOffsetsRequest::default()
            .with_replica_id((-1).into())
            .with_topics(vec![
                list_offsets_request::ListOffsetsTopic::default()
                    .with_name(name(topic))
                    .with_partitions(vec![
                        list_offsets_request::ListOffsetsPartition::default()
                            .with_current_leader_epoch(-1)
                            .with_timestamp(-1),
                    ]),
            ])
            .into(),
        ApiKey::Metadata => MetadataRequest::default()
            .with_allow_auto_topic_creation(version < 4 || topic == "users")
            .with_topics(Some(vec![
                metadata_request::MetadataRequestTopic::default().with_name(Some(name(topic))),
            ]))
            .into(),
        ApiKey::OffsetCommit => {
            let commit = offset_commit_request::OffsetCommitRequestTopic::default()
                .with_partitions(vec![
                    offset_commit_request::OffsetCommitRequestPartition::default()
                        .with_committed_offset(1),
                ]);
            let commit = if version >= 10 {
                commit.with_topic_id(id)
            } else {
                commit.with_name(name(topic))
            };
            OffsetCommitRequest::default()
                .with_group_id(group)
                .with_topics(vec![commit])
                .into()
        }
        ApiKey::OffsetFetch if version < 8 => OffsetFetchRequest::default()
            .with_group_id(group)
            .with_topics(Some(vec![
                offset_fetch_request::OffsetFetchRequestTopic::default()
                    .with_name(name(topic))
                    .with_partition_indexes(vec![0]),
            ]))
            .into(),
        ApiKey::OffsetFetch => {
            let topics = offset_fetch_request::OffsetFetchRequestTopics::default()
                .with_partition_indexes(vec![0]);
            let topics = if version >= 10 {
                topics.with_topic_id(id)
            } else {
                topics.with_name(name(topic))
            };
            OffsetFetchRequest::default()
                .with_groups(vec![
                    offset_fetch_request::OffsetFetchRequestGroup::default()
                        .with_group_id(group)
                        .with_member_id(None)
                        .with_topics(Some(vec![topics])),
                ])
                .into()
        }
        ApiKey::FindCoordinator if version < 4 => {
            FindCoordinatorRequest::default().with_key(text("g")).into()
        }
        ApiKey::FindCoordinator => FindCoordinatorRequest::default()
            .with_coordinator_keys(vec![text("g")])
            .into(),
        ApiKey::JoinGroup => JoinGroupRequest::default()
            .with_group_id(GroupId(text("j")))
            .with_session_timeout_ms(10_000)
            .with_rebalance_timeout_ms(if version >= 1 { 100 } else { -1 })
            .with_protocol_type(text(if topic == "users" { "consumer" } else { "" }))
            .with_protocols(vec![
                join_group_request::JoinGroupRequestProtocol::default().with_name(text("range")),
            ])
            .into(),
        ApiKey::Heartbeat => HeartbeatRequest::default().with_group_id(group).into(),
        ApiKey::LeaveGroup if version < 3 => {
            LeaveGroupRequest::default().with_group_id(group).into()
        }
        ApiKey::LeaveGroup => LeaveGroupRequest::default()
            .with_group_id(group)
            .with_members(vec![leave_group_request::MemberIdentity::default()])
            .into(),
        ApiKey::SyncGroup => SyncGroupRequest::default().with_group_id(group).into(),
        ApiKey::DescribeGroups => DescribeGroupsRequest::default()
            .with_groups(vec![group, GroupId(text(topic))])
            .into(),
        ApiKey::ListGroups => ListGroupsRequest::default().into(),
        ApiKey::ApiVersions => ApiVersionsRequest::default()
            .with_client_software_name(text(if version >= 3 { "t" } else { "" }))
            .with_client_software_version(text(if version >= 3 { "1" } else { "" }))
            .into(),
        ApiKey::CreateTopics => CreateTopicsRequest::default()
            .with_topics(vec![
                create_topics_request::CreatableTopic::default()
                    .with_name(name(&format!("{topic}-{version}")))
                    .with_num_partitions(if topic == "users" { 1 } else { 0 })
                    .with_replication_factor(1),
            ])
            .into(),
        ApiKey::DeleteTopics if version < 6 => DeleteTopicsRequest::default()
            .with_topic_names(vec![name(&format!("{topic}-{}", version + 1))])
            .into(),
        ApiKey::DeleteTopics => DeleteTopicsRequest::default()
            .with_topics(vec![
                delete_topics_request::DeleteTopicState::default()
                    .with_name(Some(name(&format!("{topic}-{}", version + 1)))),
            ])
            .into(),
        ApiKey::DeleteRecords => DeleteRecordsRequest::default()
            .with_topics(vec![
                delete_records_request::DeleteRecordsTopic::default()
                    .with_name(name(topic))
                    .with_partitions(vec![
                        delete_records_request::DeleteRecordsPartition::default(),
                    ]),
            ])
            .into(),
        ApiKey::InitProducerId => InitProducerIdRequest::default()
            .with_transactional_id((topic != "users").then(|| TransactionalId(text("t"))))
            .into(),
        ApiKey::OffsetForLeaderEpoch => OffsetForLeaderEpochRequest::default()
            .with_replica_id(if version >= 3 { -1 } else { -2 }.into())
            .with_topics(vec![
                offset_for_leader_epoch_request::OffsetForLeaderTopic::default()
                    .with_topic(name(topic))
                    .with_partitions(vec![
                        offset_for_leader_epoch_request::OffsetForLeaderPartition::default()
                            .with_current_leader_epoch(-1),
                    ]),
            ])
            .into(),
        ApiKey::DescribeConfigs => DescribeConfigsRequest::default()
            .with_include_synonyms(true)
            .with_include_documentation(version >= 3)
            .with_resources(vec![
                describe_configs_request::DescribeConfigsResource::default()
                    .with_resource_type(2)
                    .with_resource_name(text(topic))
                    .with_configuration_keys(None),
                describe_configs_request::DescribeConfigsResource::default()
                    .with_resource_type(4)
                    .with_resource_name(text("1"))
                    .with_configuration_keys(None),
            ])
            .into(),
        ApiKey::CreatePartitions => CreatePartitionsRequest::default()
            .with_topics(vec![
                create_partitions_request::CreatePartitionsTopic::default()
                    .with_name(name(topic))
                    .with_count(i32::from(version) + 2)
                    .with_assignments(None),
            ])
            .into(),
        ApiKey::DeleteGroups => DeleteGroupsRequest::default()
            .with_groups_names(vec![GroupId(text(topic))])
            .into(),
        ApiKey::IncrementalAlterConfigs => IncrementalAlterConfigsRequest::default()
            .with_resources(vec![
                incremental_alter_configs_request::AlterConfigsResource::default()
                    .with_resource_type(2)
                    .with_resource_name(text(topic))
                    .with_configs(vec![
                        incremental_alter_configs_request::AlterableConfig::default()
                            .with_name(text("retention.ms"))
                            .with_value(Some(text("1000"))),
                    ]),
            ])
            .into(),
        ApiKey::OffsetDelete => OffsetDeleteRequest::default()
            .with_group_id(group)
            .with_topics(vec![
                offset_delete_request::OffsetDeleteRequestTopic::default()
                    .with_name(name(topic))
                    .with_partitions(vec![
                        offset_delete_request::OffsetDeleteRequestPartition::default(),
                    ]),
            ])
            .into(),
        ApiKey::DescribeCluster => DescribeClusterRequest::default()
            .with_include_cluster_authorized_operations(true)
            .with_endpoint_type(if version >= 1 && topic != "users" {
                2
            } else {
                1
            })
            .into(),
        ApiKey::DescribeLogDirs => DescribeLogDirsRequest::default()
            .with_topics(Some(vec![
                describe_log_dirs_request::DescribableLogDirTopic::default()
                    .with_topic(name(topic))
                    .with_partitions(vec![0]),
            ]))
            .into(),
        ApiKey::DescribeTopicPartitions => DescribeTopicPartitionsRequest::default()
            .with_topics(vec![
                describe_topic_partitions_request::TopicRequest::default().with_name(name(topic)),
            ])
            .with_response_partition_limit(100)
            .with_cursor(None)
            .into(),
        ApiKey::AlterConfigs => AlterConfigsRequest::default()
            .with_resources(vec![
                alter_configs_request::AlterConfigsResource::default()
                    .with_resource_type(2)
                    .with_resource_name(text(topic))
                    .with_configs(vec![
                        alter_configs_request::AlterableConfig::default()
                            .with_name(text("retention.ms"))
                            .with_value(Some(text("1000"))),
                    ]),
            ])
            .into(),
        ApiKey::ElectLeaders => ElectLeadersRequest::default()
            .with_election_type(i8::from(version >= 1 && topic != "users") * 7)
            .with_topic_partitions(Some(vec![
                elect_leaders_request::TopicPartitions::default()
                    .with_topic(name(topic))
                    .with_partitions(vec![0, 9]),
            ]))
            .into(),
        ApiKey::AlterPartitionReassignments => AlterPartitionReassignmentsRequest::default()
            .with_allow_replication_factor_change(version == 0 || topic == "users")
            .with_topics(vec![
                alter_partition_reassignments_request::ReassignableTopic::default()
                    .with_name(name(topic))
                    .with_partitions(vec![
                        alter_partition_reassignments_request::ReassignablePartition::default()
                            .with_replicas(Some(vec![BrokerId(1)])),
                        alter_partition_reassignments_request::ReassignablePartition::default()
                            .with_replicas(None),
                    ]),
            ])
            .into(),
        ApiKey::ListPartitionReassignments => ListPartitionReassignmentsRequest::default()
            .with_topics(None)
            .into(),
        ApiKey::DescribeClientQuotas => DescribeClientQuotasRequest::default()
            .with_components(vec![
                describe_client_quotas_request::ComponentData::default()
                    .with_entity_type(text(if topic == "users" { "user" } else { "nothing" }))
                    .with_match_type(2)
                    .with_match(None),
            ])
            .into(),
        ApiKey::AlterClientQuotas => AlterClientQuotasRequest::default()
            .with_entries(vec![
                alter_client_quotas_request::EntryData::default()
                    .with_entity(vec![
                        alter_client_quotas_request::EntityData::default()
                            .with_entity_type(text("user"))
                            .with_entity_name(Some(text(topic))),
                    ])
                    .with_ops(vec![
                        alter_client_quotas_request::OpData::default()
                            .with_key(text("request_percentage"))
                            .with_value(if topic == "users" { 50.0 } else { -1.0 }),
                    ]),
            ])
            .into(),
        ApiKey::UpdateFeatures => UpdateFeaturesRequest::default()
            .with_feature_updates(vec![
                update_features_request::FeatureUpdateKey::default()
                    .with_feature(text("group.version"))
                    .with_max_version_level(if topic == "users" { 1 } else { 5 }),
            ])
            .into(),
        ApiKey::UnregisterBroker => UnregisterBrokerRequest::default()
            .with_broker_id(BrokerId(77))
            .into(),
        ApiKey::ListConfigResources => ListConfigResourcesRequest::default()
            .with_resource_types(if topic == "users" || version == 0 {
                Vec::new()
            } else {
                vec![7]
            })
            .into(),
        ApiKey::DescribeUserScramCredentials => DescribeUserScramCredentialsRequest::default()
            .with_users((topic != "users").then(|| {
                vec![
                    describe_user_scram_credentials_request::UserName::default()
                        .with_name(text("u")),
                ]
            }))
            .into(),
        ApiKey::DescribeQuorum => DescribeQuorumRequest::default()
            .with_topics(vec![
                describe_quorum_request::TopicData::default()
                    .with_topic_name(name(if topic == "users" {
                        "__cluster_metadata"
                    } else {
                        topic
                    }))
                    .with_partitions(vec![describe_quorum_request::PartitionData::default()]),
            ])
            .into(),
        other => panic!("no request for {other:?}"),
    }
}

#[test]
fn every_advertised_version_is_answered() {
    let mut network = Network::start(1, &[]);
    let client = network.connect(1);
    let id = create(&mut network, client, "users", 1);
    produce(&mut network, client, "users", &["a"]);
    let find = FindCoordinatorRequest::default().with_coordinator_keys(vec!["g".into()]);
    network.call(client, 6, find);
    network.settle();
    for (api_key, _, _) in BROKER_APIS {
        for version in supported(*api_key).unwrap() {
            for (topic, id) in [("users", id), ("nobody", Uuid::from_u128(3))] {
                let client = network.connect(1);
                let request = request(*api_key, version, topic, id);
                println!("{api_key:?} {version} {topic}");
                network.call(client, version, request);
            }
        }
    }
}
