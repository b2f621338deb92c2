# brokers: 3
kafka-reassign-partitions
kafka-reassign-partitions --list
kafka-reassign-partitions --bootstrap-server localhost:9092 --list --execute
kafka-reassign-partitions --bootstrap-server localhost:9092 --bootstrap-controller localhost:9093 --list
kafka-reassign-partitions --bootstrap-server localhost:9092 --execute
kafka-reassign-partitions --bootstrap-server localhost:9092 --generate
kafka-reassign-partitions --bootstrap-server localhost:9092 --list --throttle 5
kafka-reassign-partitions --bootstrap-server localhost:9092 --list --additional
kafka-reassign-partitions --bootstrap-server localhost:9092 --verify --reassignment-json-file missing.json
echo 'hello' > bad.json
kafka-reassign-partitions --bootstrap-server localhost:9092 --verify --reassignment-json-file bad.json
kafka-reassign-partitions --bootstrap-server localhost:9092 --execute --reassignment-json-file bad.json
echo '{"version":1,"partitions":[]}' > none.json
kafka-reassign-partitions --bootstrap-server localhost:9092 --execute --reassignment-json-file none.json
echo '{"version":2,"partitions":[]}' > two.json
kafka-reassign-partitions --bootstrap-server localhost:9092 --execute --reassignment-json-file two.json
echo '{"version":1,"partitions":[{"topic":"m","partition":0,"replicas":[]}]}' > empty.json
kafka-reassign-partitions --bootstrap-server localhost:9092 --execute --reassignment-json-file empty.json
echo '{"version":1,"partitions":[{"topic":"m","partition":0,"replicas":[1,1]}]}' > twice.json
kafka-reassign-partitions --bootstrap-server localhost:9092 --execute --reassignment-json-file twice.json
echo '{"version":1,"partitions":[{"topic":"m","partition":0,"replicas":[1]},{"topic":"m","partition":0,"replicas":[2]}]}' > dup.json
kafka-reassign-partitions --bootstrap-server localhost:9092 --execute --reassignment-json-file dup.json
echo '{"version":1,"partitions":[{"topic":"m","partition":0,"replicas":[1,2],"log_dirs":["any"]}]}' > dirs.json
kafka-reassign-partitions --bootstrap-server localhost:9092 --execute --reassignment-json-file dirs.json
echo '{"version":1,"partitions":[{"topic":"m","partition":0}]}' > half.json
kafka-reassign-partitions --bootstrap-server localhost:9092 --execute --reassignment-json-file half.json
echo '{"version":1,"partitions":[{"topic":"m","partition":0,"replicas":[1,2]}]}' > move.json
kafka-reassign-partitions --bootstrap-server localhost:9092 --execute --reassignment-json-file move.json
kafka-reassign-partitions --bootstrap-server localhost:9092 --verify --reassignment-json-file move.json
echo '{"version":1,"topics":[{"topic":"m"}]}' > topics.json
kafka-reassign-partitions --bootstrap-server localhost:9092 --generate --topics-to-move-json-file topics.json --broker-list 1,1
kafka-reassign-partitions --bootstrap-server localhost:9092 --generate --topics-to-move-json-file topics.json --broker-list x
kafka-reassign-partitions --bootstrap-server localhost:9092 --generate --topics-to-move-json-file topics.json --broker-list 1,2
kafka-topics --bootstrap-server localhost:9092 --create --topic m --replica-assignment 1:2
kafka-reassign-partitions --bootstrap-server localhost:9092 --generate --topics-to-move-json-file topics.json --broker-list 7
kafka-reassign-partitions --bootstrap-server localhost:9092 --execute --reassignment-json-file move.json --disallow-replication-factor-change
echo '{"version":1,"partitions":[{"topic":"m","partition":3,"replicas":[1,2]}]}' > part.json
kafka-reassign-partitions --bootstrap-server localhost:9092 --execute --reassignment-json-file part.json
