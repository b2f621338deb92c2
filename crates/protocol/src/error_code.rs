//! Kafka's error codes, with the exception class and the text that the Java client gives them
//! (`org.apache.kafka.common.protocol.Errors` of 4.3.1).

/// A numeric error code of the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorCode(pub i16);

/// One row of the table.
struct Row {
    code: i16,
    name: &'static str,
    exception: &'static str,
    message: &'static str,
    retriable: bool,
}

impl ErrorCode {
    /// UNKNOWN_SERVER_ERROR (-1).
    pub const UNKNOWN_SERVER_ERROR: ErrorCode = ErrorCode(-1);
    /// NONE (0).
    pub const NONE: ErrorCode = ErrorCode(0);
    /// OFFSET_OUT_OF_RANGE (1).
    pub const OFFSET_OUT_OF_RANGE: ErrorCode = ErrorCode(1);
    /// CORRUPT_MESSAGE (2).
    pub const CORRUPT_MESSAGE: ErrorCode = ErrorCode(2);
    /// UNKNOWN_TOPIC_OR_PARTITION (3).
    pub const UNKNOWN_TOPIC_OR_PARTITION: ErrorCode = ErrorCode(3);
    /// INVALID_FETCH_SIZE (4).
    pub const INVALID_FETCH_SIZE: ErrorCode = ErrorCode(4);
    /// LEADER_NOT_AVAILABLE (5).
    pub const LEADER_NOT_AVAILABLE: ErrorCode = ErrorCode(5);
    /// NOT_LEADER_OR_FOLLOWER (6).
    pub const NOT_LEADER_OR_FOLLOWER: ErrorCode = ErrorCode(6);
    /// REQUEST_TIMED_OUT (7).
    pub const REQUEST_TIMED_OUT: ErrorCode = ErrorCode(7);
    /// BROKER_NOT_AVAILABLE (8).
    pub const BROKER_NOT_AVAILABLE: ErrorCode = ErrorCode(8);
    /// REPLICA_NOT_AVAILABLE (9).
    pub const REPLICA_NOT_AVAILABLE: ErrorCode = ErrorCode(9);
    /// MESSAGE_TOO_LARGE (10).
    pub const MESSAGE_TOO_LARGE: ErrorCode = ErrorCode(10);
    /// STALE_CONTROLLER_EPOCH (11).
    pub const STALE_CONTROLLER_EPOCH: ErrorCode = ErrorCode(11);
    /// OFFSET_METADATA_TOO_LARGE (12).
    pub const OFFSET_METADATA_TOO_LARGE: ErrorCode = ErrorCode(12);
    /// NETWORK_EXCEPTION (13).
    pub const NETWORK_EXCEPTION: ErrorCode = ErrorCode(13);
    /// COORDINATOR_LOAD_IN_PROGRESS (14).
    pub const COORDINATOR_LOAD_IN_PROGRESS: ErrorCode = ErrorCode(14);
    /// COORDINATOR_NOT_AVAILABLE (15).
    pub const COORDINATOR_NOT_AVAILABLE: ErrorCode = ErrorCode(15);
    /// NOT_COORDINATOR (16).
    pub const NOT_COORDINATOR: ErrorCode = ErrorCode(16);
    /// INVALID_TOPIC_EXCEPTION (17).
    pub const INVALID_TOPIC_EXCEPTION: ErrorCode = ErrorCode(17);
    /// RECORD_LIST_TOO_LARGE (18).
    pub const RECORD_LIST_TOO_LARGE: ErrorCode = ErrorCode(18);
    /// NOT_ENOUGH_REPLICAS (19).
    pub const NOT_ENOUGH_REPLICAS: ErrorCode = ErrorCode(19);
    /// NOT_ENOUGH_REPLICAS_AFTER_APPEND (20).
    pub const NOT_ENOUGH_REPLICAS_AFTER_APPEND: ErrorCode = ErrorCode(20);
    /// INVALID_REQUIRED_ACKS (21).
    pub const INVALID_REQUIRED_ACKS: ErrorCode = ErrorCode(21);
    /// ILLEGAL_GENERATION (22).
    pub const ILLEGAL_GENERATION: ErrorCode = ErrorCode(22);
    /// INCONSISTENT_GROUP_PROTOCOL (23).
    pub const INCONSISTENT_GROUP_PROTOCOL: ErrorCode = ErrorCode(23);
    /// INVALID_GROUP_ID (24).
    pub const INVALID_GROUP_ID: ErrorCode = ErrorCode(24);
    /// UNKNOWN_MEMBER_ID (25).
    pub const UNKNOWN_MEMBER_ID: ErrorCode = ErrorCode(25);
    /// INVALID_SESSION_TIMEOUT (26).
    pub const INVALID_SESSION_TIMEOUT: ErrorCode = ErrorCode(26);
    /// REBALANCE_IN_PROGRESS (27).
    pub const REBALANCE_IN_PROGRESS: ErrorCode = ErrorCode(27);
    /// INVALID_COMMIT_OFFSET_SIZE (28).
    pub const INVALID_COMMIT_OFFSET_SIZE: ErrorCode = ErrorCode(28);
    /// TOPIC_AUTHORIZATION_FAILED (29).
    pub const TOPIC_AUTHORIZATION_FAILED: ErrorCode = ErrorCode(29);
    /// GROUP_AUTHORIZATION_FAILED (30).
    pub const GROUP_AUTHORIZATION_FAILED: ErrorCode = ErrorCode(30);
    /// CLUSTER_AUTHORIZATION_FAILED (31).
    pub const CLUSTER_AUTHORIZATION_FAILED: ErrorCode = ErrorCode(31);
    /// INVALID_TIMESTAMP (32).
    pub const INVALID_TIMESTAMP: ErrorCode = ErrorCode(32);
    /// UNSUPPORTED_SASL_MECHANISM (33).
    pub const UNSUPPORTED_SASL_MECHANISM: ErrorCode = ErrorCode(33);
    /// ILLEGAL_SASL_STATE (34).
    pub const ILLEGAL_SASL_STATE: ErrorCode = ErrorCode(34);
    /// UNSUPPORTED_VERSION (35).
    pub const UNSUPPORTED_VERSION: ErrorCode = ErrorCode(35);
    /// TOPIC_ALREADY_EXISTS (36).
    pub const TOPIC_ALREADY_EXISTS: ErrorCode = ErrorCode(36);
    /// INVALID_PARTITIONS (37).
    pub const INVALID_PARTITIONS: ErrorCode = ErrorCode(37);
    /// INVALID_REPLICATION_FACTOR (38).
    pub const INVALID_REPLICATION_FACTOR: ErrorCode = ErrorCode(38);
    /// INVALID_REPLICA_ASSIGNMENT (39).
    pub const INVALID_REPLICA_ASSIGNMENT: ErrorCode = ErrorCode(39);
    /// INVALID_CONFIG (40).
    pub const INVALID_CONFIG: ErrorCode = ErrorCode(40);
    /// NOT_CONTROLLER (41).
    pub const NOT_CONTROLLER: ErrorCode = ErrorCode(41);
    /// INVALID_REQUEST (42).
    pub const INVALID_REQUEST: ErrorCode = ErrorCode(42);
    /// UNSUPPORTED_FOR_MESSAGE_FORMAT (43).
    pub const UNSUPPORTED_FOR_MESSAGE_FORMAT: ErrorCode = ErrorCode(43);
    /// POLICY_VIOLATION (44).
    pub const POLICY_VIOLATION: ErrorCode = ErrorCode(44);
    /// OUT_OF_ORDER_SEQUENCE_NUMBER (45).
    pub const OUT_OF_ORDER_SEQUENCE_NUMBER: ErrorCode = ErrorCode(45);
    /// DUPLICATE_SEQUENCE_NUMBER (46).
    pub const DUPLICATE_SEQUENCE_NUMBER: ErrorCode = ErrorCode(46);
    /// INVALID_PRODUCER_EPOCH (47).
    pub const INVALID_PRODUCER_EPOCH: ErrorCode = ErrorCode(47);
    /// INVALID_TXN_STATE (48).
    pub const INVALID_TXN_STATE: ErrorCode = ErrorCode(48);
    /// INVALID_PRODUCER_ID_MAPPING (49).
    pub const INVALID_PRODUCER_ID_MAPPING: ErrorCode = ErrorCode(49);
    /// INVALID_TRANSACTION_TIMEOUT (50).
    pub const INVALID_TRANSACTION_TIMEOUT: ErrorCode = ErrorCode(50);
    /// CONCURRENT_TRANSACTIONS (51).
    pub const CONCURRENT_TRANSACTIONS: ErrorCode = ErrorCode(51);
    /// TRANSACTION_COORDINATOR_FENCED (52).
    pub const TRANSACTION_COORDINATOR_FENCED: ErrorCode = ErrorCode(52);
    /// TRANSACTIONAL_ID_AUTHORIZATION_FAILED (53).
    pub const TRANSACTIONAL_ID_AUTHORIZATION_FAILED: ErrorCode = ErrorCode(53);
    /// SECURITY_DISABLED (54).
    pub const SECURITY_DISABLED: ErrorCode = ErrorCode(54);
    /// OPERATION_NOT_ATTEMPTED (55).
    pub const OPERATION_NOT_ATTEMPTED: ErrorCode = ErrorCode(55);
    /// KAFKA_STORAGE_ERROR (56).
    pub const KAFKA_STORAGE_ERROR: ErrorCode = ErrorCode(56);
    /// LOG_DIR_NOT_FOUND (57).
    pub const LOG_DIR_NOT_FOUND: ErrorCode = ErrorCode(57);
    /// SASL_AUTHENTICATION_FAILED (58).
    pub const SASL_AUTHENTICATION_FAILED: ErrorCode = ErrorCode(58);
    /// UNKNOWN_PRODUCER_ID (59).
    pub const UNKNOWN_PRODUCER_ID: ErrorCode = ErrorCode(59);
    /// REASSIGNMENT_IN_PROGRESS (60).
    pub const REASSIGNMENT_IN_PROGRESS: ErrorCode = ErrorCode(60);
    /// DELEGATION_TOKEN_AUTH_DISABLED (61).
    pub const DELEGATION_TOKEN_AUTH_DISABLED: ErrorCode = ErrorCode(61);
    /// DELEGATION_TOKEN_NOT_FOUND (62).
    pub const DELEGATION_TOKEN_NOT_FOUND: ErrorCode = ErrorCode(62);
    /// DELEGATION_TOKEN_OWNER_MISMATCH (63).
    pub const DELEGATION_TOKEN_OWNER_MISMATCH: ErrorCode = ErrorCode(63);
    /// DELEGATION_TOKEN_REQUEST_NOT_ALLOWED (64).
    pub const DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: ErrorCode = ErrorCode(64);
    /// DELEGATION_TOKEN_AUTHORIZATION_FAILED (65).
    pub const DELEGATION_TOKEN_AUTHORIZATION_FAILED: ErrorCode = ErrorCode(65);
    /// DELEGATION_TOKEN_EXPIRED (66).
    pub const DELEGATION_TOKEN_EXPIRED: ErrorCode = ErrorCode(66);
    /// INVALID_PRINCIPAL_TYPE (67).
    pub const INVALID_PRINCIPAL_TYPE: ErrorCode = ErrorCode(67);
    /// NON_EMPTY_GROUP (68).
    pub const NON_EMPTY_GROUP: ErrorCode = ErrorCode(68);
    /// GROUP_ID_NOT_FOUND (69).
    pub const GROUP_ID_NOT_FOUND: ErrorCode = ErrorCode(69);
    /// FETCH_SESSION_ID_NOT_FOUND (70).
    pub const FETCH_SESSION_ID_NOT_FOUND: ErrorCode = ErrorCode(70);
    /// INVALID_FETCH_SESSION_EPOCH (71).
    pub const INVALID_FETCH_SESSION_EPOCH: ErrorCode = ErrorCode(71);
    /// LISTENER_NOT_FOUND (72).
    pub const LISTENER_NOT_FOUND: ErrorCode = ErrorCode(72);
    /// TOPIC_DELETION_DISABLED (73).
    pub const TOPIC_DELETION_DISABLED: ErrorCode = ErrorCode(73);
    /// FENCED_LEADER_EPOCH (74).
    pub const FENCED_LEADER_EPOCH: ErrorCode = ErrorCode(74);
    /// UNKNOWN_LEADER_EPOCH (75).
    pub const UNKNOWN_LEADER_EPOCH: ErrorCode = ErrorCode(75);
    /// UNSUPPORTED_COMPRESSION_TYPE (76).
    pub const UNSUPPORTED_COMPRESSION_TYPE: ErrorCode = ErrorCode(76);
    /// STALE_BROKER_EPOCH (77).
    pub const STALE_BROKER_EPOCH: ErrorCode = ErrorCode(77);
    /// OFFSET_NOT_AVAILABLE (78).
    pub const OFFSET_NOT_AVAILABLE: ErrorCode = ErrorCode(78);
    /// MEMBER_ID_REQUIRED (79).
    pub const MEMBER_ID_REQUIRED: ErrorCode = ErrorCode(79);
    /// PREFERRED_LEADER_NOT_AVAILABLE (80).
    pub const PREFERRED_LEADER_NOT_AVAILABLE: ErrorCode = ErrorCode(80);
    /// GROUP_MAX_SIZE_REACHED (81).
    pub const GROUP_MAX_SIZE_REACHED: ErrorCode = ErrorCode(81);
    /// FENCED_INSTANCE_ID (82).
    pub const FENCED_INSTANCE_ID: ErrorCode = ErrorCode(82);
    /// ELIGIBLE_LEADERS_NOT_AVAILABLE (83).
    pub const ELIGIBLE_LEADERS_NOT_AVAILABLE: ErrorCode = ErrorCode(83);
    /// ELECTION_NOT_NEEDED (84).
    pub const ELECTION_NOT_NEEDED: ErrorCode = ErrorCode(84);
    /// NO_REASSIGNMENT_IN_PROGRESS (85).
    pub const NO_REASSIGNMENT_IN_PROGRESS: ErrorCode = ErrorCode(85);
    /// GROUP_SUBSCRIBED_TO_TOPIC (86).
    pub const GROUP_SUBSCRIBED_TO_TOPIC: ErrorCode = ErrorCode(86);
    /// INVALID_RECORD (87).
    pub const INVALID_RECORD: ErrorCode = ErrorCode(87);
    /// UNSTABLE_OFFSET_COMMIT (88).
    pub const UNSTABLE_OFFSET_COMMIT: ErrorCode = ErrorCode(88);
    /// THROTTLING_QUOTA_EXCEEDED (89).
    pub const THROTTLING_QUOTA_EXCEEDED: ErrorCode = ErrorCode(89);
    /// PRODUCER_FENCED (90).
    pub const PRODUCER_FENCED: ErrorCode = ErrorCode(90);
    /// RESOURCE_NOT_FOUND (91).
    pub const RESOURCE_NOT_FOUND: ErrorCode = ErrorCode(91);
    /// DUPLICATE_RESOURCE (92).
    pub const DUPLICATE_RESOURCE: ErrorCode = ErrorCode(92);
    /// UNACCEPTABLE_CREDENTIAL (93).
    pub const UNACCEPTABLE_CREDENTIAL: ErrorCode = ErrorCode(93);
    /// INCONSISTENT_VOTER_SET (94).
    pub const INCONSISTENT_VOTER_SET: ErrorCode = ErrorCode(94);
    /// INVALID_UPDATE_VERSION (95).
    pub const INVALID_UPDATE_VERSION: ErrorCode = ErrorCode(95);
    /// FEATURE_UPDATE_FAILED (96).
    pub const FEATURE_UPDATE_FAILED: ErrorCode = ErrorCode(96);
    /// PRINCIPAL_DESERIALIZATION_FAILURE (97).
    pub const PRINCIPAL_DESERIALIZATION_FAILURE: ErrorCode = ErrorCode(97);
    /// SNAPSHOT_NOT_FOUND (98).
    pub const SNAPSHOT_NOT_FOUND: ErrorCode = ErrorCode(98);
    /// POSITION_OUT_OF_RANGE (99).
    pub const POSITION_OUT_OF_RANGE: ErrorCode = ErrorCode(99);
    /// UNKNOWN_TOPIC_ID (100).
    pub const UNKNOWN_TOPIC_ID: ErrorCode = ErrorCode(100);
    /// DUPLICATE_BROKER_REGISTRATION (101).
    pub const DUPLICATE_BROKER_REGISTRATION: ErrorCode = ErrorCode(101);
    /// BROKER_ID_NOT_REGISTERED (102).
    pub const BROKER_ID_NOT_REGISTERED: ErrorCode = ErrorCode(102);
    /// INCONSISTENT_TOPIC_ID (103).
    pub const INCONSISTENT_TOPIC_ID: ErrorCode = ErrorCode(103);
    /// INCONSISTENT_CLUSTER_ID (104).
    pub const INCONSISTENT_CLUSTER_ID: ErrorCode = ErrorCode(104);
    /// TRANSACTIONAL_ID_NOT_FOUND (105).
    pub const TRANSACTIONAL_ID_NOT_FOUND: ErrorCode = ErrorCode(105);
    /// FETCH_SESSION_TOPIC_ID_ERROR (106).
    pub const FETCH_SESSION_TOPIC_ID_ERROR: ErrorCode = ErrorCode(106);
    /// INELIGIBLE_REPLICA (107).
    pub const INELIGIBLE_REPLICA: ErrorCode = ErrorCode(107);
    /// NEW_LEADER_ELECTED (108).
    pub const NEW_LEADER_ELECTED: ErrorCode = ErrorCode(108);
    /// OFFSET_MOVED_TO_TIERED_STORAGE (109).
    pub const OFFSET_MOVED_TO_TIERED_STORAGE: ErrorCode = ErrorCode(109);
    /// FENCED_MEMBER_EPOCH (110).
    pub const FENCED_MEMBER_EPOCH: ErrorCode = ErrorCode(110);
    /// UNRELEASED_INSTANCE_ID (111).
    pub const UNRELEASED_INSTANCE_ID: ErrorCode = ErrorCode(111);
    /// UNSUPPORTED_ASSIGNOR (112).
    pub const UNSUPPORTED_ASSIGNOR: ErrorCode = ErrorCode(112);
    /// STALE_MEMBER_EPOCH (113).
    pub const STALE_MEMBER_EPOCH: ErrorCode = ErrorCode(113);
    /// MISMATCHED_ENDPOINT_TYPE (114).
    pub const MISMATCHED_ENDPOINT_TYPE: ErrorCode = ErrorCode(114);
    /// UNSUPPORTED_ENDPOINT_TYPE (115).
    pub const UNSUPPORTED_ENDPOINT_TYPE: ErrorCode = ErrorCode(115);
    /// UNKNOWN_CONTROLLER_ID (116).
    pub const UNKNOWN_CONTROLLER_ID: ErrorCode = ErrorCode(116);
    /// UNKNOWN_SUBSCRIPTION_ID (117).
    pub const UNKNOWN_SUBSCRIPTION_ID: ErrorCode = ErrorCode(117);
    /// TELEMETRY_TOO_LARGE (118).
    pub const TELEMETRY_TOO_LARGE: ErrorCode = ErrorCode(118);
    /// INVALID_REGISTRATION (119).
    pub const INVALID_REGISTRATION: ErrorCode = ErrorCode(119);
    /// TRANSACTION_ABORTABLE (120).
    pub const TRANSACTION_ABORTABLE: ErrorCode = ErrorCode(120);
    /// INVALID_RECORD_STATE (121).
    pub const INVALID_RECORD_STATE: ErrorCode = ErrorCode(121);
    /// SHARE_SESSION_NOT_FOUND (122).
    pub const SHARE_SESSION_NOT_FOUND: ErrorCode = ErrorCode(122);
    /// INVALID_SHARE_SESSION_EPOCH (123).
    pub const INVALID_SHARE_SESSION_EPOCH: ErrorCode = ErrorCode(123);
    /// FENCED_STATE_EPOCH (124).
    pub const FENCED_STATE_EPOCH: ErrorCode = ErrorCode(124);
    /// INVALID_VOTER_KEY (125).
    pub const INVALID_VOTER_KEY: ErrorCode = ErrorCode(125);
    /// DUPLICATE_VOTER (126).
    pub const DUPLICATE_VOTER: ErrorCode = ErrorCode(126);
    /// VOTER_NOT_FOUND (127).
    pub const VOTER_NOT_FOUND: ErrorCode = ErrorCode(127);
    /// INVALID_REGULAR_EXPRESSION (128).
    pub const INVALID_REGULAR_EXPRESSION: ErrorCode = ErrorCode(128);
    /// REBOOTSTRAP_REQUIRED (129).
    pub const REBOOTSTRAP_REQUIRED: ErrorCode = ErrorCode(129);
    /// STREAMS_INVALID_TOPOLOGY (130).
    pub const STREAMS_INVALID_TOPOLOGY: ErrorCode = ErrorCode(130);
    /// STREAMS_INVALID_TOPOLOGY_EPOCH (131).
    pub const STREAMS_INVALID_TOPOLOGY_EPOCH: ErrorCode = ErrorCode(131);
    /// STREAMS_TOPOLOGY_FENCED (132).
    pub const STREAMS_TOPOLOGY_FENCED: ErrorCode = ErrorCode(132);
    /// SHARE_SESSION_LIMIT_REACHED (133).
    pub const SHARE_SESSION_LIMIT_REACHED: ErrorCode = ErrorCode(133);

    /// Whether this is [`ErrorCode::NONE`].
    pub fn is_none(self) -> bool {
        self.0 == 0
    }

    /// The name in Kafka's table: `UNKNOWN_TOPIC_OR_PARTITION`. Codes that the table lacks read
    /// `UNKNOWN_SERVER_ERROR`, as in the Java client.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The Java exception's full class name, empty for [`ErrorCode::NONE`].
    pub fn exception(self) -> &'static str {
        self.row().exception
    }

    /// The Java exception's class name without its package.
    pub fn exception_short(self) -> &'static str {
        self.row().exception.rsplit('.').next().unwrap_or_default()
    }

    /// The default text, empty for [`ErrorCode::NONE`].
    pub fn message(self) -> &'static str {
        self.row().message
    }

    /// Whether the Java client retries it (`RetriableException`).
    pub fn is_retriable(self) -> bool {
        self.row().retriable
    }

    fn row(self) -> &'static Row {
        // The table is sorted by code; -1 stands first.
        ROWS.binary_search_by_key(&self.0, |row| row.code)
            .map_or(&ROWS[0], |index| &ROWS[index])
    }
}

#[rustfmt::skip]
const ROWS: &[Row] = &[
    Row { code: -1, name: "UNKNOWN_SERVER_ERROR", exception: "org.apache.kafka.common.errors.UnknownServerException", message: "The server experienced an unexpected error when processing the request.", retriable: false },
    Row { code: 0, name: "NONE", exception: "", message: "NONE", retriable: false },
    Row { code: 1, name: "OFFSET_OUT_OF_RANGE", exception: "org.apache.kafka.common.errors.OffsetOutOfRangeException", message: "The requested offset is not within the range of offsets maintained by the server.", retriable: false },
    Row { code: 2, name: "CORRUPT_MESSAGE", exception: "org.apache.kafka.common.errors.CorruptRecordException", message: "This message has failed its CRC checksum, exceeds the valid size, has a null key for a compacted topic, or is otherwise corrupt.", retriable: true },
    Row { code: 3, name: "UNKNOWN_TOPIC_OR_PARTITION", exception: "org.apache.kafka.common.errors.UnknownTopicOrPartitionException", message: "This server does not host this topic-partition.", retriable: true },
    Row { code: 4, name: "INVALID_FETCH_SIZE", exception: "org.apache.kafka.common.errors.InvalidFetchSizeException", message: "The requested fetch size is invalid.", retriable: false },
    Row { code: 5, name: "LEADER_NOT_AVAILABLE", exception: "org.apache.kafka.common.errors.LeaderNotAvailableException", message: "There is no leader for this topic-partition as we are in the middle of a leadership election.", retriable: true },
    Row { code: 6, name: "NOT_LEADER_OR_FOLLOWER", exception: "org.apache.kafka.common.errors.NotLeaderOrFollowerException", message: "For requests intended only for the leader, this error indicates that the broker is not the current leader. For requests intended for any replica, this error indicates that the broker is not a replica of the topic partition.", retriable: true },
    Row { code: 7, name: "REQUEST_TIMED_OUT", exception: "org.apache.kafka.common.errors.TimeoutException", message: "The request timed out.", retriable: true },
    Row { code: 8, name: "BROKER_NOT_AVAILABLE", exception: "org.apache.kafka.common.errors.BrokerNotAvailableException", message: "The broker is not available.", retriable: false },
    Row { code: 9, name: "REPLICA_NOT_AVAILABLE", exception: "org.apache.kafka.common.errors.ReplicaNotAvailableException", message: "The replica is not available for the requested topic-partition. Produce/Fetch requests and other requests intended only for the leader or follower return NOT_LEADER_OR_FOLLOWER if the broker is not a replica of the topic-partition.", retriable: true },
    Row { code: 10, name: "MESSAGE_TOO_LARGE", exception: "org.apache.kafka.common.errors.RecordTooLargeException", message: "The request included a message larger than the max message size the server will accept.", retriable: false },
    Row { code: 11, name: "STALE_CONTROLLER_EPOCH", exception: "org.apache.kafka.common.errors.ControllerMovedException", message: "The controller moved to another broker.", retriable: false },
    Row { code: 12, name: "OFFSET_METADATA_TOO_LARGE", exception: "org.apache.kafka.common.errors.OffsetMetadataTooLarge", message: "The metadata field of the offset request was too large.", retriable: false },
    Row { code: 13, name: "NETWORK_EXCEPTION", exception: "org.apache.kafka.common.errors.NetworkException", message: "The server disconnected before a response was received.", retriable: true },
    Row { code: 14, name: "COORDINATOR_LOAD_IN_PROGRESS", exception: "org.apache.kafka.common.errors.CoordinatorLoadInProgressException", message: "The coordinator is loading and hence can't process requests.", retriable: true },
    Row { code: 15, name: "COORDINATOR_NOT_AVAILABLE", exception: "org.apache.kafka.common.errors.CoordinatorNotAvailableException", message: "The coordinator is not available.", retriable: true },
    Row { code: 16, name: "NOT_COORDINATOR", exception: "org.apache.kafka.common.errors.NotCoordinatorException", message: "This is not the correct coordinator.", retriable: true },
    Row { code: 17, name: "INVALID_TOPIC_EXCEPTION", exception: "org.apache.kafka.common.errors.InvalidTopicException", message: "The request attempted to perform an operation on an invalid topic.", retriable: false },
    Row { code: 18, name: "RECORD_LIST_TOO_LARGE", exception: "org.apache.kafka.common.errors.RecordBatchTooLargeException", message: "The request included message batch larger than the configured segment size on the server.", retriable: false },
    Row { code: 19, name: "NOT_ENOUGH_REPLICAS", exception: "org.apache.kafka.common.errors.NotEnoughReplicasException", message: "Messages are rejected since there are fewer in-sync replicas than required.", retriable: true },
    Row { code: 20, name: "NOT_ENOUGH_REPLICAS_AFTER_APPEND", exception: "org.apache.kafka.common.errors.NotEnoughReplicasAfterAppendException", message: "Messages are written to the log, but to fewer in-sync replicas than required.", retriable: true },
    Row { code: 21, name: "INVALID_REQUIRED_ACKS", exception: "org.apache.kafka.common.errors.InvalidRequiredAcksException", message: "Produce request specified an invalid value for required acks.", retriable: false },
    Row { code: 22, name: "ILLEGAL_GENERATION", exception: "org.apache.kafka.common.errors.IllegalGenerationException", message: "Specified group generation id is not valid.", retriable: false },
    Row { code: 23, name: "INCONSISTENT_GROUP_PROTOCOL", exception: "org.apache.kafka.common.errors.InconsistentGroupProtocolException", message: "The group member's supported protocols are incompatible with those of existing members or first group member tried to join with empty protocol type or empty protocol list.", retriable: false },
    Row { code: 24, name: "INVALID_GROUP_ID", exception: "org.apache.kafka.common.errors.InvalidGroupIdException", message: "The group id is invalid.", retriable: false },
    Row { code: 25, name: "UNKNOWN_MEMBER_ID", exception: "org.apache.kafka.common.errors.UnknownMemberIdException", message: "The coordinator is not aware of this member.", retriable: false },
    Row { code: 26, name: "INVALID_SESSION_TIMEOUT", exception: "org.apache.kafka.common.errors.InvalidSessionTimeoutException", message: "The session timeout is not within the range allowed by the broker (as configured by group.min.session.timeout.ms and group.max.session.timeout.ms).", retriable: false },
    Row { code: 27, name: "REBALANCE_IN_PROGRESS", exception: "org.apache.kafka.common.errors.RebalanceInProgressException", message: "The group is rebalancing, so a rejoin is needed.", retriable: false },
    Row { code: 28, name: "INVALID_COMMIT_OFFSET_SIZE", exception: "org.apache.kafka.common.errors.InvalidCommitOffsetSizeException", message: "The committing offset data size is not valid.", retriable: false },
    Row { code: 29, name: "TOPIC_AUTHORIZATION_FAILED", exception: "org.apache.kafka.common.errors.TopicAuthorizationException", message: "Topic authorization failed.", retriable: false },
    Row { code: 30, name: "GROUP_AUTHORIZATION_FAILED", exception: "org.apache.kafka.common.errors.GroupAuthorizationException", message: "Group authorization failed.", retriable: false },
    Row { code: 31, name: "CLUSTER_AUTHORIZATION_FAILED", exception: "org.apache.kafka.common.errors.ClusterAuthorizationException", message: "Cluster authorization failed.", retriable: false },
    Row { code: 32, name: "INVALID_TIMESTAMP", exception: "org.apache.kafka.common.errors.InvalidTimestampException", message: "The timestamp of the message is out of acceptable range.", retriable: false },
    Row { code: 33, name: "UNSUPPORTED_SASL_MECHANISM", exception: "org.apache.kafka.common.errors.UnsupportedSaslMechanismException", message: "The broker does not support the requested SASL mechanism.", retriable: false },
    Row { code: 34, name: "ILLEGAL_SASL_STATE", exception: "org.apache.kafka.common.errors.IllegalSaslStateException", message: "Request is not valid given the current SASL state.", retriable: false },
    Row { code: 35, name: "UNSUPPORTED_VERSION", exception: "org.apache.kafka.common.errors.UnsupportedVersionException", message: "The version of API is not supported.", retriable: false },
    Row { code: 36, name: "TOPIC_ALREADY_EXISTS", exception: "org.apache.kafka.common.errors.TopicExistsException", message: "Topic with this name already exists.", retriable: false },
    Row { code: 37, name: "INVALID_PARTITIONS", exception: "org.apache.kafka.common.errors.InvalidPartitionsException", message: "Number of partitions is below 1.", retriable: false },
    Row { code: 38, name: "INVALID_REPLICATION_FACTOR", exception: "org.apache.kafka.common.errors.InvalidReplicationFactorException", message: "Replication factor is below 1 or larger than the number of available brokers.", retriable: false },
    Row { code: 39, name: "INVALID_REPLICA_ASSIGNMENT", exception: "org.apache.kafka.common.errors.InvalidReplicaAssignmentException", message: "Replica assignment is invalid.", retriable: false },
    Row { code: 40, name: "INVALID_CONFIG", exception: "org.apache.kafka.common.errors.InvalidConfigurationException", message: "Configuration is invalid.", retriable: false },
    Row { code: 41, name: "NOT_CONTROLLER", exception: "org.apache.kafka.common.errors.NotControllerException", message: "This is not the correct controller for this cluster.", retriable: true },
    Row { code: 42, name: "INVALID_REQUEST", exception: "org.apache.kafka.common.errors.InvalidRequestException", message: "This most likely occurs because of a request being malformed by the client library or the message was sent to an incompatible broker. See the broker logs for more details.", retriable: false },
    Row { code: 43, name: "UNSUPPORTED_FOR_MESSAGE_FORMAT", exception: "org.apache.kafka.common.errors.UnsupportedForMessageFormatException", message: "The message format version on the broker does not support the request.", retriable: false },
    Row { code: 44, name: "POLICY_VIOLATION", exception: "org.apache.kafka.common.errors.PolicyViolationException", message: "Request parameters do not satisfy the configured policy.", retriable: false },
    Row { code: 45, name: "OUT_OF_ORDER_SEQUENCE_NUMBER", exception: "org.apache.kafka.common.errors.OutOfOrderSequenceException", message: "The broker received an out of order sequence number.", retriable: false },
    Row { code: 46, name: "DUPLICATE_SEQUENCE_NUMBER", exception: "org.apache.kafka.common.errors.DuplicateSequenceException", message: "The broker received a duplicate sequence number.", retriable: false },
    Row { code: 47, name: "INVALID_PRODUCER_EPOCH", exception: "org.apache.kafka.common.errors.InvalidProducerEpochException", message: "Producer attempted to produce with an old epoch.", retriable: false },
    Row { code: 48, name: "INVALID_TXN_STATE", exception: "org.apache.kafka.common.errors.InvalidTxnStateException", message: "The producer attempted a transactional operation in an invalid state.", retriable: false },
    Row { code: 49, name: "INVALID_PRODUCER_ID_MAPPING", exception: "org.apache.kafka.common.errors.InvalidPidMappingException", message: "The producer attempted to use a producer id which is not currently assigned to its transactional id.", retriable: false },
    Row { code: 50, name: "INVALID_TRANSACTION_TIMEOUT", exception: "org.apache.kafka.common.errors.InvalidTxnTimeoutException", message: "The transaction timeout is larger than the maximum value allowed by the broker (as configured by transaction.max.timeout.ms).", retriable: false },
    Row { code: 51, name: "CONCURRENT_TRANSACTIONS", exception: "org.apache.kafka.common.errors.ConcurrentTransactionsException", message: "The producer attempted to update a transaction while another concurrent operation on the same transaction was ongoing.", retriable: true },
    Row { code: 52, name: "TRANSACTION_COORDINATOR_FENCED", exception: "org.apache.kafka.common.errors.TransactionCoordinatorFencedException", message: "Indicates that the transaction coordinator sending a WriteTxnMarker is no longer the current coordinator for a given producer.", retriable: false },
    Row { code: 53, name: "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", exception: "org.apache.kafka.common.errors.TransactionalIdAuthorizationException", message: "Transactional Id authorization failed.", retriable: false },
    Row { code: 54, name: "SECURITY_DISABLED", exception: "org.apache.kafka.common.errors.SecurityDisabledException", message: "Security features are disabled.", retriable: false },
    Row { code: 55, name: "OPERATION_NOT_ATTEMPTED", exception: "org.apache.kafka.common.errors.OperationNotAttemptedException", message: "The broker did not attempt to execute this operation. This may happen for batched RPCs where some operations in the batch failed, causing the broker to respond without trying the rest.", retriable: false },
    Row { code: 56, name: "KAFKA_STORAGE_ERROR", exception: "org.apache.kafka.common.errors.KafkaStorageException", message: "Disk error when trying to access log file on the disk.", retriable: true },
    Row { code: 57, name: "LOG_DIR_NOT_FOUND", exception: "org.apache.kafka.common.errors.LogDirNotFoundException", message: "The user-specified log directory is not found in the broker config.", retriable: false },
    Row { code: 58, name: "SASL_AUTHENTICATION_FAILED", exception: "org.apache.kafka.common.errors.SaslAuthenticationException", message: "SASL Authentication failed.", retriable: false },
    Row { code: 59, name: "UNKNOWN_PRODUCER_ID", exception: "org.apache.kafka.common.errors.UnknownProducerIdException", message: "This exception is raised by the broker if it could not locate the producer metadata associated with the producerId in question. This could happen if, for instance, the producer's records were deleted because their retention time had elapsed. Once the last records of the producerId are removed, the producer's metadata is removed from the broker, and future appends by the producer will return this exception.", retriable: false },
    Row { code: 60, name: "REASSIGNMENT_IN_PROGRESS", exception: "org.apache.kafka.common.errors.ReassignmentInProgressException", message: "A partition reassignment is in progress.", retriable: false },
    Row { code: 61, name: "DELEGATION_TOKEN_AUTH_DISABLED", exception: "org.apache.kafka.common.errors.DelegationTokenDisabledException", message: "Delegation Token feature is not enabled.", retriable: false },
    Row { code: 62, name: "DELEGATION_TOKEN_NOT_FOUND", exception: "org.apache.kafka.common.errors.DelegationTokenNotFoundException", message: "Delegation Token is not found on server.", retriable: false },
    Row { code: 63, name: "DELEGATION_TOKEN_OWNER_MISMATCH", exception: "org.apache.kafka.common.errors.DelegationTokenOwnerMismatchException", message: "Specified Principal is not valid Owner/Renewer.", retriable: false },
    Row { code: 64, name: "DELEGATION_TOKEN_REQUEST_NOT_ALLOWED", exception: "org.apache.kafka.common.errors.UnsupportedByAuthenticationException", message: "Delegation Token requests are not allowed on PLAINTEXT/1-way SSL channels and on delegation token authenticated channels.", retriable: false },
    Row { code: 65, name: "DELEGATION_TOKEN_AUTHORIZATION_FAILED", exception: "org.apache.kafka.common.errors.DelegationTokenAuthorizationException", message: "Delegation Token authorization failed.", retriable: false },
    Row { code: 66, name: "DELEGATION_TOKEN_EXPIRED", exception: "org.apache.kafka.common.errors.DelegationTokenExpiredException", message: "Delegation Token is expired.", retriable: false },
    Row { code: 67, name: "INVALID_PRINCIPAL_TYPE", exception: "org.apache.kafka.common.errors.InvalidPrincipalTypeException", message: "Supplied principalType is not supported.", retriable: false },
    Row { code: 68, name: "NON_EMPTY_GROUP", exception: "org.apache.kafka.common.errors.GroupNotEmptyException", message: "The group is not empty.", retriable: false },
    Row { code: 69, name: "GROUP_ID_NOT_FOUND", exception: "org.apache.kafka.common.errors.GroupIdNotFoundException", message: "The group id does not exist.", retriable: false },
    Row { code: 70, name: "FETCH_SESSION_ID_NOT_FOUND", exception: "org.apache.kafka.common.errors.FetchSessionIdNotFoundException", message: "The fetch session ID was not found.", retriable: true },
    Row { code: 71, name: "INVALID_FETCH_SESSION_EPOCH", exception: "org.apache.kafka.common.errors.InvalidFetchSessionEpochException", message: "The fetch session epoch is invalid.", retriable: true },
    Row { code: 72, name: "LISTENER_NOT_FOUND", exception: "org.apache.kafka.common.errors.ListenerNotFoundException", message: "There is no listener on the leader broker that matches the listener on which metadata request was processed.", retriable: true },
    Row { code: 73, name: "TOPIC_DELETION_DISABLED", exception: "org.apache.kafka.common.errors.TopicDeletionDisabledException", message: "Topic deletion is disabled.", retriable: false },
    Row { code: 74, name: "FENCED_LEADER_EPOCH", exception: "org.apache.kafka.common.errors.FencedLeaderEpochException", message: "The leader epoch in the request is older than the epoch on the broker.", retriable: true },
    Row { code: 75, name: "UNKNOWN_LEADER_EPOCH", exception: "org.apache.kafka.common.errors.UnknownLeaderEpochException", message: "The leader epoch in the request is newer than the epoch on the broker.", retriable: true },
    Row { code: 76, name: "UNSUPPORTED_COMPRESSION_TYPE", exception: "org.apache.kafka.common.errors.UnsupportedCompressionTypeException", message: "The requesting client does not support the compression type of given partition.", retriable: false },
    Row { code: 77, name: "STALE_BROKER_EPOCH", exception: "org.apache.kafka.common.errors.StaleBrokerEpochException", message: "Broker epoch has changed.", retriable: false },
    Row { code: 78, name: "OFFSET_NOT_AVAILABLE", exception: "org.apache.kafka.common.errors.OffsetNotAvailableException", message: "The leader high watermark has not caught up from a recent leader election so the offsets cannot be guaranteed to be monotonically increasing.", retriable: true },
    Row { code: 79, name: "MEMBER_ID_REQUIRED", exception: "org.apache.kafka.common.errors.MemberIdRequiredException", message: "The group member needs to have a valid member id before actually entering a consumer group.", retriable: false },
    Row { code: 80, name: "PREFERRED_LEADER_NOT_AVAILABLE", exception: "org.apache.kafka.common.errors.PreferredLeaderNotAvailableException", message: "The preferred leader was not available.", retriable: true },
    Row { code: 81, name: "GROUP_MAX_SIZE_REACHED", exception: "org.apache.kafka.common.errors.GroupMaxSizeReachedException", message: "The group has reached its maximum size.", retriable: false },
    Row { code: 82, name: "FENCED_INSTANCE_ID", exception: "org.apache.kafka.common.errors.FencedInstanceIdException", message: "The broker rejected this static consumer since another consumer with the same group.instance.id has registered with a different member.id.", retriable: false },
    Row { code: 83, name: "ELIGIBLE_LEADERS_NOT_AVAILABLE", exception: "org.apache.kafka.common.errors.EligibleLeadersNotAvailableException", message: "Eligible topic partition leaders are not available.", retriable: true },
    Row { code: 84, name: "ELECTION_NOT_NEEDED", exception: "org.apache.kafka.common.errors.ElectionNotNeededException", message: "Leader election not needed for topic partition.", retriable: true },
    Row { code: 85, name: "NO_REASSIGNMENT_IN_PROGRESS", exception: "org.apache.kafka.common.errors.NoReassignmentInProgressException", message: "No partition reassignment is in progress.", retriable: false },
    Row { code: 86, name: "GROUP_SUBSCRIBED_TO_TOPIC", exception: "org.apache.kafka.common.errors.GroupSubscribedToTopicException", message: "Deleting offsets of a topic is forbidden while the consumer group is actively subscribed to it.", retriable: false },
    Row { code: 87, name: "INVALID_RECORD", exception: "org.apache.kafka.common.InvalidRecordException", message: "This record has failed the validation on broker and hence will be rejected.", retriable: false },
    Row { code: 88, name: "UNSTABLE_OFFSET_COMMIT", exception: "org.apache.kafka.common.errors.UnstableOffsetCommitException", message: "There are unstable offsets that need to be cleared.", retriable: true },
    Row { code: 89, name: "THROTTLING_QUOTA_EXCEEDED", exception: "org.apache.kafka.common.errors.ThrottlingQuotaExceededException", message: "The throttling quota has been exceeded.", retriable: true },
    Row { code: 90, name: "PRODUCER_FENCED", exception: "org.apache.kafka.common.errors.ProducerFencedException", message: "There is a newer producer with the same transactionalId which fences the current one.", retriable: false },
    Row { code: 91, name: "RESOURCE_NOT_FOUND", exception: "org.apache.kafka.common.errors.ResourceNotFoundException", message: "A request illegally referred to a resource that does not exist.", retriable: false },
    Row { code: 92, name: "DUPLICATE_RESOURCE", exception: "org.apache.kafka.common.errors.DuplicateResourceException", message: "A request illegally referred to the same resource twice.", retriable: false },
    Row { code: 93, name: "UNACCEPTABLE_CREDENTIAL", exception: "org.apache.kafka.common.errors.UnacceptableCredentialException", message: "Requested credential would not meet criteria for acceptability.", retriable: false },
    Row { code: 94, name: "INCONSISTENT_VOTER_SET", exception: "org.apache.kafka.common.errors.InconsistentVoterSetException", message: "Indicates that the either the sender or recipient of a voter-only request is not one of the expected voters.", retriable: false },
    Row { code: 95, name: "INVALID_UPDATE_VERSION", exception: "org.apache.kafka.common.errors.InvalidUpdateVersionException", message: "The given update version was invalid.", retriable: false },
    Row { code: 96, name: "FEATURE_UPDATE_FAILED", exception: "org.apache.kafka.common.errors.FeatureUpdateFailedException", message: "Unable to update finalized features due to an unexpected server error.", retriable: false },
    Row { code: 97, name: "PRINCIPAL_DESERIALIZATION_FAILURE", exception: "org.apache.kafka.common.errors.PrincipalDeserializationException", message: "Request principal deserialization failed during forwarding. This indicates an internal error on the broker cluster security setup.", retriable: false },
    Row { code: 98, name: "SNAPSHOT_NOT_FOUND", exception: "org.apache.kafka.common.errors.SnapshotNotFoundException", message: "Requested snapshot was not found.", retriable: false },
    Row { code: 99, name: "POSITION_OUT_OF_RANGE", exception: "org.apache.kafka.common.errors.PositionOutOfRangeException", message: "Requested position is not greater than or equal to zero, and less than the size of the snapshot.", retriable: false },
    Row { code: 100, name: "UNKNOWN_TOPIC_ID", exception: "org.apache.kafka.common.errors.UnknownTopicIdException", message: "This server does not host this topic ID.", retriable: true },
    Row { code: 101, name: "DUPLICATE_BROKER_REGISTRATION", exception: "org.apache.kafka.common.errors.DuplicateBrokerRegistrationException", message: "This broker ID is already in use.", retriable: false },
    Row { code: 102, name: "BROKER_ID_NOT_REGISTERED", exception: "org.apache.kafka.common.errors.BrokerIdNotRegisteredException", message: "The given broker ID was not registered.", retriable: false },
    Row { code: 103, name: "INCONSISTENT_TOPIC_ID", exception: "org.apache.kafka.common.errors.InconsistentTopicIdException", message: "The log's topic ID did not match the topic ID in the request.", retriable: true },
    Row { code: 104, name: "INCONSISTENT_CLUSTER_ID", exception: "org.apache.kafka.common.errors.InconsistentClusterIdException", message: "The clusterId in the request does not match that found on the server.", retriable: false },
    Row { code: 105, name: "TRANSACTIONAL_ID_NOT_FOUND", exception: "org.apache.kafka.common.errors.TransactionalIdNotFoundException", message: "The transactionalId could not be found.", retriable: false },
    Row { code: 106, name: "FETCH_SESSION_TOPIC_ID_ERROR", exception: "org.apache.kafka.common.errors.FetchSessionTopicIdException", message: "The fetch session encountered inconsistent topic ID usage.", retriable: true },
    Row { code: 107, name: "INELIGIBLE_REPLICA", exception: "org.apache.kafka.common.errors.IneligibleReplicaException", message: "The new ISR contains at least one ineligible replica.", retriable: false },
    Row { code: 108, name: "NEW_LEADER_ELECTED", exception: "org.apache.kafka.common.errors.NewLeaderElectedException", message: "The AlterPartition request successfully updated the partition state but the leader has changed.", retriable: false },
    Row { code: 109, name: "OFFSET_MOVED_TO_TIERED_STORAGE", exception: "org.apache.kafka.common.errors.OffsetMovedToTieredStorageException", message: "The requested offset is moved to tiered storage.", retriable: false },
    Row { code: 110, name: "FENCED_MEMBER_EPOCH", exception: "org.apache.kafka.common.errors.FencedMemberEpochException", message: "The member epoch is fenced by the group coordinator. The member must abandon all its partitions and rejoin.", retriable: false },
    Row { code: 111, name: "UNRELEASED_INSTANCE_ID", exception: "org.apache.kafka.common.errors.UnreleasedInstanceIdException", message: "The instance ID is still used by another member in the consumer group. That member must leave first.", retriable: false },
    Row { code: 112, name: "UNSUPPORTED_ASSIGNOR", exception: "org.apache.kafka.common.errors.UnsupportedAssignorException", message: "The assignor or its version range is not supported by the consumer group.", retriable: false },
    Row { code: 113, name: "STALE_MEMBER_EPOCH", exception: "org.apache.kafka.common.errors.StaleMemberEpochException", message: "The member epoch is stale. The member must retry after receiving its updated member epoch via the ConsumerGroupHeartbeat API.", retriable: false },
    Row { code: 114, name: "MISMATCHED_ENDPOINT_TYPE", exception: "org.apache.kafka.common.errors.MismatchedEndpointTypeException", message: "The request was sent to an endpoint of the wrong type.", retriable: false },
    Row { code: 115, name: "UNSUPPORTED_ENDPOINT_TYPE", exception: "org.apache.kafka.common.errors.UnsupportedEndpointTypeException", message: "This endpoint type is not supported yet.", retriable: false },
    Row { code: 116, name: "UNKNOWN_CONTROLLER_ID", exception: "org.apache.kafka.common.errors.UnknownControllerIdException", message: "This controller ID is not known.", retriable: false },
    Row { code: 117, name: "UNKNOWN_SUBSCRIPTION_ID", exception: "org.apache.kafka.common.errors.UnknownSubscriptionIdException", message: "Client sent a push telemetry request with an invalid or outdated subscription ID.", retriable: false },
    Row { code: 118, name: "TELEMETRY_TOO_LARGE", exception: "org.apache.kafka.common.errors.TelemetryTooLargeException", message: "Client sent a push telemetry request larger than the maximum size the broker will accept.", retriable: false },
    Row { code: 119, name: "INVALID_REGISTRATION", exception: "org.apache.kafka.common.errors.InvalidRegistrationException", message: "The controller has considered the broker registration to be invalid.", retriable: false },
    Row { code: 120, name: "TRANSACTION_ABORTABLE", exception: "org.apache.kafka.common.errors.TransactionAbortableException", message: "The server encountered an error with the transaction. The client can abort the transaction to continue using this transactional ID.", retriable: false },
    Row { code: 121, name: "INVALID_RECORD_STATE", exception: "org.apache.kafka.common.errors.InvalidRecordStateException", message: "The record state is invalid. The acknowledgement of delivery could not be completed.", retriable: false },
    Row { code: 122, name: "SHARE_SESSION_NOT_FOUND", exception: "org.apache.kafka.common.errors.ShareSessionNotFoundException", message: "The share session was not found.", retriable: true },
    Row { code: 123, name: "INVALID_SHARE_SESSION_EPOCH", exception: "org.apache.kafka.common.errors.InvalidShareSessionEpochException", message: "The share session epoch is invalid.", retriable: true },
    Row { code: 124, name: "FENCED_STATE_EPOCH", exception: "org.apache.kafka.common.errors.FencedStateEpochException", message: "The share coordinator rejected the request because the share-group state epoch did not match.", retriable: false },
    Row { code: 125, name: "INVALID_VOTER_KEY", exception: "org.apache.kafka.common.errors.InvalidVoterKeyException", message: "The voter key doesn't match the receiving replica's key.", retriable: false },
    Row { code: 126, name: "DUPLICATE_VOTER", exception: "org.apache.kafka.common.errors.DuplicateVoterException", message: "The voter is already part of the set of voters.", retriable: false },
    Row { code: 127, name: "VOTER_NOT_FOUND", exception: "org.apache.kafka.common.errors.VoterNotFoundException", message: "The voter is not part of the set of voters.", retriable: false },
    Row { code: 128, name: "INVALID_REGULAR_EXPRESSION", exception: "org.apache.kafka.common.errors.InvalidRegularExpression", message: "The regular expression is not valid.", retriable: false },
    Row { code: 129, name: "REBOOTSTRAP_REQUIRED", exception: "org.apache.kafka.common.errors.RebootstrapRequiredException", message: "Client metadata is stale. The client should rebootstrap to obtain new metadata.", retriable: false },
    Row { code: 130, name: "STREAMS_INVALID_TOPOLOGY", exception: "org.apache.kafka.common.errors.StreamsInvalidTopologyException", message: "The supplied topology is invalid.", retriable: false },
    Row { code: 131, name: "STREAMS_INVALID_TOPOLOGY_EPOCH", exception: "org.apache.kafka.common.errors.StreamsInvalidTopologyEpochException", message: "The supplied topology epoch is invalid.", retriable: false },
    Row { code: 132, name: "STREAMS_TOPOLOGY_FENCED", exception: "org.apache.kafka.common.errors.StreamsTopologyFencedException", message: "The supplied topology epoch is outdated.", retriable: false },
    Row { code: 133, name: "SHARE_SESSION_LIMIT_REACHED", exception: "org.apache.kafka.common.errors.ShareSessionLimitReachedException", message: "The limit of share sessions has been reached.", retriable: true },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_is_sorted_and_names_what_it_holds() {
        assert!(ROWS.windows(2).all(|pair| pair[0].code < pair[1].code));
        assert_eq!(
            ErrorCode::UNKNOWN_TOPIC_OR_PARTITION.name(),
            "UNKNOWN_TOPIC_OR_PARTITION"
        );
        assert!(ErrorCode::NOT_LEADER_OR_FOLLOWER.is_retriable());
        assert_eq!(ErrorCode(9999).name(), "UNKNOWN_SERVER_ERROR");
    }
}
