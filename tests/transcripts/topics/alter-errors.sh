kafka-topics --bootstrap-server localhost:9092 --alter --topic nope --partitions 3
kafka-topics --bootstrap-server localhost:9092 --alter --topic nope --partitions 3 --if-exists
kafka-topics --bootstrap-server localhost:9092 --create --topic a --partitions 3
kafka-topics --bootstrap-server localhost:9092 --alter --topic a --partitions 3
kafka-topics --bootstrap-server localhost:9092 --alter --topic a --partitions 2
kafka-topics --bootstrap-server localhost:9092 --alter --topic a --partitions 0
kafka-topics --bootstrap-server localhost:9092 --alter --topic a --partitions -5
kafka-topics --bootstrap-server localhost:9092 --alter --topic a --partitions x
kafka-topics --bootstrap-server localhost:9092 --alter --topic a --config retention.ms=1000
kafka-topics --bootstrap-server localhost:9092 --alter --topic a --partitions 4 --config retention.ms=1000
kafka-topics --bootstrap-server localhost:9092 --alter --topic a --partitions 4 --replication-factor 1
kafka-topics --bootstrap-server localhost:9092 --alter --partitions 4
kafka-topics --bootstrap-server localhost:9092 --alter --topic a --partitions 5 --replica-assignment 1,1,1,1,1
kafka-topics --bootstrap-server localhost:9092 --alter --topic a --partitions 5 --replica-assignment 1,1,1,1,7
kafka-topics --bootstrap-server localhost:9092 --alter --topic a --partitions 6 --replica-assignment 1,1
kafka-topics --bootstrap-server localhost:9092 --describe --topic a
