kafka-configs --bootstrap-server localhost:9092 --describe --entity-type brokers --entity-name 1
kafka-configs --bootstrap-server localhost:9092 --describe --broker 9
kafka-configs --bootstrap-server localhost:9092 --describe --broker x
kafka-configs --bootstrap-server localhost:9092 --alter --broker 1 --add-config log.retention.ms=5000
kafka-configs --bootstrap-server localhost:9092 --alter --broker 1 --add-config log.dirs=/tmp
kafka-configs --bootstrap-server localhost:9092 --alter --broker 1 --add-config no.such=5
kafka-configs --bootstrap-server localhost:9092 --alter --broker 1 --add-config log.cleaner.threads=x
kafka-configs --bootstrap-server localhost:9092 --alter --broker 1 --add-config node.id=2
kafka-configs --bootstrap-server localhost:9092 --describe --broker 1
kafka-configs --bootstrap-server localhost:9092 --alter --broker-defaults --add-config log.cleaner.threads=2
kafka-configs --bootstrap-server localhost:9092 --describe --broker-defaults
kafka-configs --bootstrap-server localhost:9092 --describe --broker 1
kafka-configs --bootstrap-server localhost:9092 --alter --broker-defaults --delete-config log.cleaner.threads
kafka-configs --bootstrap-server localhost:9092 --describe --entity-type brokers
kafka-configs --bootstrap-server localhost:9092 --alter --broker 9 --add-config log.retention.ms=5000
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type brokers --add-config log.retention.ms=5000
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type brokers --entity-default --add-config message.max.bytes=2000
kafka-configs --bootstrap-server localhost:9092 --describe --entity-type brokers --entity-default
kafka-topics --bootstrap-server localhost:9092 --create --topic t
kafka-configs --bootstrap-server localhost:9092 --describe --topic t --all | grep -E '(max.message.bytes|retention.ms)='
