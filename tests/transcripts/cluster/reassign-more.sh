# brokers: 3
kafka-topics --bootstrap-server localhost:9092 --create --topic m --replica-assignment 1:2,2:3
kafka-reassign-partitions --bootstrap-server localhost:9092 --list
echo '{"version":1,"topics":[{"topic":"m"}]}' > topics.json
kafka-reassign-partitions --bootstrap-server localhost:9092 --generate --topics-to-move-json-file topics.json --broker-list 1,3 | head -n 2
kafka-reassign-partitions --bootstrap-server localhost:9092 --generate --topics-to-move-json-file topics.json --broker-list 1,2,3 | tail -n 1 | grep -o partition.: | wc -l
echo '{"version":1,"partitions":[{"topic":"m","partition":0,"replicas":[1,2,3]},{"topic":"m","partition":1,"replicas":[2,3,1]}]}' > wide.json
kafka-reassign-partitions --bootstrap-server localhost:9092 --execute --reassignment-json-file wide.json --disallow-replication-factor-change
kafka-reassign-partitions --bootstrap-server localhost:9092 --execute --reassignment-json-file wide.json --throttle 1000000
sleep 3
kafka-configs --bootstrap-server localhost:9092 --describe --entity-type topics --entity-name m
kafka-configs --bootstrap-server localhost:9092 --describe --entity-type brokers --entity-name 1
kafka-reassign-partitions --bootstrap-server localhost:9092 --verify --reassignment-json-file wide.json --preserve-throttles
kafka-reassign-partitions --bootstrap-server localhost:9092 --verify --reassignment-json-file wide.json
kafka-configs --bootstrap-server localhost:9092 --describe --entity-type topics --entity-name m
kafka-configs --bootstrap-server localhost:9092 --describe --entity-type brokers --entity-name 1
kafka-topics --bootstrap-server localhost:9092 --describe --topic m
kafka-reassign-partitions --bootstrap-server localhost:9092 --cancel --reassignment-json-file wide.json
kafka-reassign-partitions --bootstrap-server localhost:9092 --cancel --reassignment-json-file wide.json --preserve-throttles
echo '{"version":1,"partitions":[{"topic":"m","partition":0,"replicas":[3]},{"topic":"m","partition":1,"replicas":[3]}]}' > one.json
kafka-reassign-partitions --bootstrap-server localhost:9092 --execute --reassignment-json-file one.json
sleep 3
kafka-topics --bootstrap-server localhost:9092 --describe --topic m
