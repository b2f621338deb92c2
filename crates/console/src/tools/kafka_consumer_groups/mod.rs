//! `kafka-consumer-groups`: list, describe, reset and delete groups
//! (`org.apache.kafka.tools.consumer.group.ConsumerGroupCommand`).

pub mod arguments;
