kafka-topics --bootstrap-server localhost:9092 --create --topic a --partitions -1
kafka-topics --bootstrap-server localhost:9092 --create --topic a --partitions 1.5
kafka-topics --bootstrap-server localhost:9092 --create --topic a --partitions ''
kafka-topics --bootstrap-server localhost:9092 --create --topic a --partitions 99999999999
kafka-topics --bootstrap-server localhost:9092 --create --topic a --partitions 10001
kafka-topics --bootstrap-server localhost:9092 --create --topic a --replication-factor 0
kafka-topics --bootstrap-server localhost:9092 --create --topic a --replication-factor -1
kafka-topics --bootstrap-server localhost:9092 --create --topic b --replication-factor 99999
kafka-topics --bootstrap-server localhost:9092 --create --topic b --replication-factor one
kafka-topics --bootstrap-server localhost:9092 --create --topic b --replication-factor 1 --partitions 2
kafka-topics --bootstrap-server localhost:9092 --describe --topic b
kafka-topics --bootstrap-server localhost:9092 --list
