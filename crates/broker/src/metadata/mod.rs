//! The cluster's metadata: its records ([`records`]), what they add up to ([`image`]), and the answers that
//! brokers give from it ([`describe`], [`describe_configs`]).

pub mod describe;
pub mod describe_configs;
pub mod image;
pub mod records;
pub mod topic_name;

pub use image::{
    BrokerRegistration, ConfigResource, ControllerRegistration, MetadataChange, MetadataImage,
    PartitionImage, ReplayError, ResourceType, TopicImage,
};
pub use records::{MetadataRecord, RecordDecodeError};
