//! Nodes driven by frames: a little network without latency, and clients that write frames by hand.

mod cluster;
mod failover;
mod hostile;
mod network;
mod replication;
mod replication_random;
mod single;
mod versions;
