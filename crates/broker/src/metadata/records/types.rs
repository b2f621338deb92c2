//! The record types' fields, in the order of Kafka's schemas (`metadata/src/main/resources/common/metadata`).

use uuid::Uuid;

use super::RecordDecodeError;
use super::wire::{Reader, Wire, json_name, write_unsigned_varint};

/// Declares a record: each field with the version that brought it, then the tagged fields with their
/// tag and default. Written in the highest version, read in all.
macro_rules! record {
    (
        $(#[$doc:meta])*
        $name:ident $type_name:literal $highest:literal {
            $($(#[$field_doc:meta])* $field:ident: $type:ty [$since:literal],)*
        } tagged {
            $($(#[$tag_doc:meta])* $tag:literal $tagged:ident: $tagged_type:ty [$tagged_since:literal] = $default:expr,)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        pub struct $name {
            $($(#[$field_doc])* pub $field: $type,)*
            $($(#[$tag_doc])* pub $tagged: $tagged_type,)*
        }

        impl $name {
            /// The type's name: `TOPIC_RECORD`.
            pub const TYPE_NAME: &'static str = $type_name;
            /// The newest version of 4.3, in which it is written.
            pub const HIGHEST_VERSION: i16 = $highest;
        }

        impl Default for $name {
            fn default() -> $name {
                $name {
                    $($field: Default::default(),)*
                    $($tagged: $default,)*
                }
            }
        }

        impl Wire for $name {
            fn write(&self, into: &mut Vec<u8>) {
                $(self.$field.write(into);)*
                #[allow(unused_mut)]
                let mut tagged: Vec<(u32, Vec<u8>)> = Vec::new();
                $(let default: $tagged_type = $default;
                if self.$tagged != default {
                    let mut bytes = Vec::new();
                    self.$tagged.write(&mut bytes);
                    tagged.push(($tag, bytes));
                })*
                write_unsigned_varint(into, tagged.len() as u32);
                for (tag, bytes) in tagged {
                    write_unsigned_varint(into, tag);
                    write_unsigned_varint(into, bytes.len() as u32);
                    into.extend_from_slice(&bytes);
                }
            }

            #[allow(unused_mut, unused_variables)]
            fn read(reader: &mut Reader<'_>, version: i16) -> Result<$name, RecordDecodeError> {
                let mut record = $name::default();
                $(if version >= $since {
                    record.$field = Wire::read(reader, version)?;
                })*
                for _ in 0..reader.unsigned_varint()? {
                    let tag = reader.unsigned_varint()?;
                    let size = reader.unsigned_varint()?;
                    let bytes = reader.take(size as usize)?;
                    let mut field = Reader::new(bytes);
                    match tag {
                        $($tag if version >= $tagged_since => record.$tagged = Wire::read(&mut field, version)?,)*
                        _ => {}
                    }
                }
                Ok(record)
            }

            #[allow(unused_variables)]
            fn json(&self, into: &mut String, version: i16) {
                into.push('{');
                $(if version >= $since {
                    json_name(into, stringify!($field));
                    self.$field.json(into, version);
                })*
                $(let default: $tagged_type = $default;
                if version >= $tagged_since && self.$tagged != default {
                    json_name(into, stringify!($tagged));
                    self.$tagged.json(into, version);
                })*
                into.push('}');
            }
        }
    };
}

/// `leader` of a [`PartitionChangeRecord`] that leaves the leader as it is.
pub const NO_LEADER_CHANGE: i32 = -2;
/// `leader` of a partition that has none.
pub const NO_LEADER: i32 = -1;

record! {
    /// An endpoint of a broker or a controller.
    EndPoint "" 4 {
        /// The listener's name.
        name: String [0],
        /// The advertised host.
        host: String [0],
        /// The advertised port.
        port: u16 [0],
        /// The security protocol's number; 0 is PLAINTEXT.
        security_protocol: i16 [0],
    } tagged {}
}

record! {
    /// A feature that a node supports.
    SupportedFeature "" 4 {
        /// The feature's name.
        name: String [0],
        /// The lowest level.
        min_supported_version: i16 [0],
        /// The highest level.
        max_supported_version: i16 [0],
    } tagged {}
}

record! {
    /// `RegisterBrokerRecord`.
    RegisterBrokerRecord "REGISTER_BROKER_RECORD" 4 {
        /// The broker's id.
        broker_id: i32 [0],
        /// Always false without ZooKeeper.
        is_migrating_zk_broker: bool [2],
        /// Chosen by the broker process at its start.
        incarnation_id: Uuid [0],
        /// The epoch: this record's offset.
        broker_epoch: i64 [0],
        /// The listeners for clients.
        end_points: Vec<EndPoint> [0],
        /// What it supports.
        features: Vec<SupportedFeature> [0],
        /// `broker.rack`.
        rack: Option<String> [0],
        /// Fenced brokers lead nothing and are not shown to clients.
        fenced: bool [0],
        /// Whether it is shutting down.
        in_controlled_shutdown: bool [1],
    } tagged {
        /// Its log directories' ids.
        0 log_dirs: Vec<Uuid> [3] = Vec::new(),
        /// The log directories that take no new partitions (KIP-1066).
        1 cordoned_log_dirs: Option<Vec<Uuid>> [4] = None,
    }
}

record! {
    /// `UnregisterBrokerRecord`.
    UnregisterBrokerRecord "UNREGISTER_BROKER_RECORD" 0 {
        /// The broker's id.
        broker_id: i32 [0],
        /// Its epoch.
        broker_epoch: i64 [0],
    } tagged {}
}

record! {
    /// `TopicRecord`.
    TopicRecord "TOPIC_RECORD" 0 {
        /// The topic's name.
        name: String [0],
        /// The topic's id.
        topic_id: Uuid [0],
    } tagged {}
}

record! {
    /// `PartitionRecord`.
    PartitionRecord "PARTITION_RECORD" 2 {
        /// The partition's number.
        partition_id: i32 [0],
        /// The topic's id.
        topic_id: Uuid [0],
        /// The replicas, preferred leader first.
        replicas: Vec<i32> [0],
        /// The in-sync replicas.
        isr: Vec<i32> [0],
        /// Replicas that a reassignment removes.
        removing_replicas: Vec<i32> [0],
        /// Replicas that a reassignment adds.
        adding_replicas: Vec<i32> [0],
        /// The leader, or -1.
        leader: i32 [0],
        /// Grows with every new leader.
        leader_epoch: i32 [0],
        /// Grows with every change.
        partition_epoch: i32 [0],
        /// The log directory of each replica.
        directories: Vec<Uuid> [1],
    } tagged {
        /// 1 while a leader recovers from an unclean election.
        0 leader_recovery_state: i8 [0] = 0,
        /// The eligible leader replicas (KIP-966).
        1 eligible_leader_replicas: Option<Vec<i32>> [2] = None,
        /// The last known eligible leader replicas.
        2 last_known_elr: Option<Vec<i32>> [2] = None,
    }
}

record! {
    /// `ConfigRecord`.
    ConfigRecord "CONFIG_RECORD" 0 {
        /// The resource type: 2 topic, 4 broker, 16 client metrics, 32 group.
        resource_type: i8 [0],
        /// The resource's name; empty is the default of all brokers.
        resource_name: String [0],
        /// The configuration's name.
        name: String [0],
        /// Its value; `None` removes it.
        value: Option<String> [0],
    } tagged {}
}

record! {
    /// `PartitionChangeRecord`; fields at their defaults change nothing.
    PartitionChangeRecord "PARTITION_CHANGE_RECORD" 2 {
        /// The partition's number.
        partition_id: i32 [0],
        /// The topic's id.
        topic_id: Uuid [0],
    } tagged {
        /// The new in-sync replicas.
        0 isr: Option<Vec<i32>> [0] = None,
        /// The new leader, -1 for none, -2 for no change.
        1 leader: i32 [0] = NO_LEADER_CHANGE,
        /// The new replicas.
        2 replicas: Option<Vec<i32>> [0] = None,
        /// The new removing replicas.
        3 removing_replicas: Option<Vec<i32>> [0] = None,
        /// The new adding replicas.
        4 adding_replicas: Option<Vec<i32>> [0] = None,
        /// The new recovery state; -1 for no change.
        5 leader_recovery_state: i8 [0] = -1,
        /// The new eligible leader replicas.
        6 eligible_leader_replicas: Option<Vec<i32>> [2] = None,
        /// The new last known eligible leader replicas.
        7 last_known_elr: Option<Vec<i32>> [2] = None,
        /// The new log directories.
        8 directories: Option<Vec<Uuid>> [1] = None,
    }
}

record! {
    /// `FenceBrokerRecord`.
    FenceBrokerRecord "FENCE_BROKER_RECORD" 0 {
        /// The broker's id.
        id: i32 [0],
        /// Its epoch.
        epoch: i64 [0],
    } tagged {}
}

record! {
    /// `UnfenceBrokerRecord`.
    UnfenceBrokerRecord "UNFENCE_BROKER_RECORD" 0 {
        /// The broker's id.
        id: i32 [0],
        /// Its epoch.
        epoch: i64 [0],
    } tagged {}
}

record! {
    /// `RemoveTopicRecord`.
    RemoveTopicRecord "REMOVE_TOPIC_RECORD" 0 {
        /// The topic's id.
        topic_id: Uuid [0],
    } tagged {}
}

record! {
    /// `FeatureLevelRecord`.
    FeatureLevelRecord "FEATURE_LEVEL_RECORD" 0 {
        /// The feature's name.
        name: String [0],
        /// Its level; 0 removes it.
        feature_level: i16 [0],
    } tagged {}
}

record! {
    /// Part of the entity of a [`ClientQuotaRecord`].
    QuotaEntity "" 0 {
        /// `user`, `client-id` or `ip`.
        entity_type: String [0],
        /// The name; `None` is the default.
        entity_name: Option<String> [0],
    } tagged {}
}

record! {
    /// `ClientQuotaRecord`.
    ClientQuotaRecord "CLIENT_QUOTA_RECORD" 0 {
        /// Whom it binds.
        entity: Vec<QuotaEntity> [0],
        /// Which quota.
        key: String [0],
        /// Its value.
        value: f64 [0],
        /// Whether it is removed.
        remove: bool [0],
    } tagged {}
}

record! {
    /// `ProducerIdsRecord`.
    ProducerIdsRecord "PRODUCER_IDS_RECORD" 0 {
        /// The broker that asked.
        broker_id: i32 [0],
        /// Its epoch.
        broker_epoch: i64 [0],
        /// The first id that the next block will have.
        next_producer_id: i64 [0],
    } tagged {}
}

record! {
    /// `BrokerRegistrationChangeRecord`.
    BrokerRegistrationChangeRecord "BROKER_REGISTRATION_CHANGE_RECORD" 3 {
        /// The broker's id.
        broker_id: i32 [0],
        /// Its epoch.
        broker_epoch: i64 [0],
    } tagged {
        /// -1 unfences, 1 fences, 0 changes nothing.
        0 fenced: i8 [0] = 0,
        /// 1 when the broker is shutting down, 0 for no change.
        1 in_controlled_shutdown: i8 [1] = 0,
        /// Its log directories, when they changed.
        2 log_dirs: Vec<Uuid> [2] = Vec::new(),
        /// Its cordoned log directories, when they changed.
        3 cordoned_log_dirs: Option<Vec<Uuid>> [3] = None,
    }
}

record! {
    /// `AccessControlEntryRecord`.
    AccessControlEntryRecord "ACCESS_CONTROL_ENTRY_RECORD" 0 {
        /// The entry's id.
        id: Uuid [0],
        /// What kind of resource.
        resource_type: i8 [0],
        /// Which resource.
        resource_name: String [0],
        /// How the name is read.
        pattern_type: i8 [0],
        /// Who.
        principal: String [0],
        /// From where.
        host: String [0],
        /// Which operation.
        operation: i8 [0],
        /// Allowed or denied.
        permission_type: i8 [0],
    } tagged {}
}

record! {
    /// `RemoveAccessControlEntryRecord`.
    RemoveAccessControlEntryRecord "REMOVE_ACCESS_CONTROL_ENTRY_RECORD" 0 {
        /// The entry's id.
        id: Uuid [0],
    } tagged {}
}

record! {
    /// `NoOpRecord`.
    NoOpRecord "NO_OP_RECORD" 0 {} tagged {}
}

record! {
    /// `BeginTransactionRecord`.
    BeginTransactionRecord "BEGIN_TRANSACTION_RECORD" 0 {} tagged {
        /// What the transaction is for.
        0 name: Option<String> [0] = None,
    }
}

record! {
    /// `EndTransactionRecord`.
    EndTransactionRecord "END_TRANSACTION_RECORD" 0 {} tagged {}
}

record! {
    /// `AbortTransactionRecord`.
    AbortTransactionRecord "ABORT_TRANSACTION_RECORD" 0 {} tagged {
        /// Why.
        0 reason: Option<String> [0] = None,
    }
}

record! {
    /// `RegisterControllerRecord`.
    RegisterControllerRecord "REGISTER_CONTROLLER_RECORD" 0 {
        /// The controller's id.
        controller_id: i32 [0],
        /// Chosen by the process at its start.
        incarnation_id: Uuid [0],
        /// Always false without ZooKeeper.
        zk_migration_ready: bool [0],
        /// The listeners.
        end_points: Vec<EndPoint> [0],
        /// What it supports.
        features: Vec<SupportedFeature> [0],
    } tagged {}
}

record! {
    /// `ClearElrRecord`.
    ClearElrRecord "CLEAR_ELR_RECORD" 0 {
        /// The topic's name; empty means every topic.
        topic_name: String [0],
    } tagged {}
}
