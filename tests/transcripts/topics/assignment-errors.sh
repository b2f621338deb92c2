kafka-topics --bootstrap-server localhost:9092 --create --topic a --replica-assignment 1:1
kafka-topics --bootstrap-server localhost:9092 --create --topic a --replica-assignment 1,1:2
kafka-topics --bootstrap-server localhost:9092 --create --topic a --replica-assignment x
kafka-topics --bootstrap-server localhost:9092 --create --topic a --replica-assignment ''
kafka-topics --bootstrap-server localhost:9092 --create --topic a --replica-assignment 1,,1
kafka-topics --bootstrap-server localhost:9092 --create --topic a --replica-assignment 5
kafka-topics --bootstrap-server localhost:9092 --create --topic a --replica-assignment -1
kafka-topics --bootstrap-server localhost:9092 --create --topic a --replica-assignment 1,1,1
kafka-topics --bootstrap-server localhost:9092 --describe --topic a
