kafka-topics --bootstrap-server localhost:9092 --list --topic a --describe
kafka-topics --bootstrap-server localhost:9092 --list --replication-factor 1
kafka-topics --bootstrap-server localhost:9092 --list --config a=b
kafka-topics --bootstrap-server localhost:9092 --describe --partitions 1
kafka-topics --bootstrap-server localhost:9092 --describe --config a=b
kafka-topics --bootstrap-server localhost:9092 --create --topic a --partitions 1 --replica-assignment 1
kafka-topics --bootstrap-server localhost:9092 --create --topic a --replication-factor 1 --replica-assignment 1
kafka-topics --bootstrap-server localhost:9092 --create --topic a --if-exists
kafka-topics --bootstrap-server localhost:9092 --create --topic a --exclude-internal
kafka-topics --bootstrap-server localhost:9092 --create --topic a --under-replicated-partitions
kafka-topics --bootstrap-server localhost:9092 --list --under-replicated-partitions
kafka-topics --bootstrap-server localhost:9092 --describe --topics-with-overrides --under-replicated-partitions
kafka-topics --bootstrap-server localhost:9092 --describe --topic a --topic-id abc
kafka-topics --bootstrap-server localhost:9092 --describe --topics-with-overrides
kafka-topics --bootstrap-server localhost:9092 --list --topic-id abc
kafka-topics --bootstrap-server localhost:9092 --create --topic a --delete-config retention.ms
kafka-topics --bootstrap-server --list
kafka-topics --bootstrap-server localhost:9092 --bootstrap-server localhost:9092 --list
kafka-topics --bootstrap-server localhost:9092 --create --topic a --topic b
kafka-topics --bootstrap-server localhost:9092 list
kafka-topics --bootstrap-server localhost:9092 --list --command-config nope.properties
