//! The shell, its commands, docker-compose, and one file per Kafka console tool.
// The modules `commands` and `tools` join as soon as the simulation's processes are there.
