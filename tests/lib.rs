//! Tests of the whole workspace: transcripts of a real Kafka, layering, and the built page.
