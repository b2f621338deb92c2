//! Connections, requests and metadata (`org.apache.kafka.clients.NetworkClient` and `Metadata`).
