//! The cluster's metadata: its records ([`records`]), what they add up to ([`image`]), and the answers that
//! brokers give from it ([`describe`], [`describe_configs`]).

pub mod describe;
pub mod describe_configs;
pub mod describe_quotas;
pub mod image;
pub mod records;
pub mod topic_name;
pub mod types;

pub use image::MetadataImage;
pub use records::{MetadataRecord, RecordDecodeError};
pub use types::{
    BrokerRegistration, ConfigResource, ControllerRegistration, EndPointImage, MetadataChange,
    PartitionImage, ReplayError, ResourceType, TopicImage,
};
