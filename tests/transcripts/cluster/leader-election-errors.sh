# brokers: 3
kafka-leader-election
kafka-leader-election --bootstrap-server localhost:9092
kafka-leader-election --bootstrap-server localhost:9092 --election-type preferred
kafka-leader-election --bootstrap-server localhost:9092 --election-type preferred --topic t
kafka-leader-election --bootstrap-server localhost:9092 --election-type preferred --partition 0
kafka-leader-election --bootstrap-server localhost:9092 --election-type preferred --topic t --all-topic-partitions
kafka-leader-election --bootstrap-server localhost:9092 --election-type PREFERRED --topic t --partition x
kafka-leader-election --bootstrap-server localhost:9092 --election-type PREFERRED --path-to-json-file missing.json
echo '{}' > empty.json
kafka-leader-election --bootstrap-server localhost:9092 --election-type PREFERRED --path-to-json-file empty.json
echo 'hello' > bad.json
kafka-leader-election --bootstrap-server localhost:9092 --election-type PREFERRED --path-to-json-file bad.json
echo '{"partitions":[{"topic":"t"}]}' > half.json
kafka-leader-election --bootstrap-server localhost:9092 --election-type PREFERRED --path-to-json-file half.json
echo '{"partitions":[{"topic":"t","partition":0},{"topic":"t","partition":0}]}' > twice.json
kafka-leader-election --bootstrap-server localhost:9092 --election-type PREFERRED --path-to-json-file twice.json
kafka-topics --bootstrap-server localhost:9092 --create --topic t --replica-assignment 1:2:3
kafka-leader-election --bootstrap-server localhost:9092 --election-type preferred --topic t --partition 0
kafka-leader-election --bootstrap-server localhost:9092 --election-type preferred --topic t --partition 7
kafka-leader-election --bootstrap-server localhost:9092 --election-type unclean --all-topic-partitions
kafka-leader-election --bootstrap-server localhost:9092 --election-type preferred --all-topic-partitions --admin.config missing.properties
kafka-leader-election --bootstrap-server localhost:9092 --election-type preferred --all-topic-partitions --admin.config a --command-config b
