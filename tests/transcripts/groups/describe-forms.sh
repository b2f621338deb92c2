kafka-topics --bootstrap-server localhost:9092 --create --topic t --partitions 2
for i in 1 2 3 4; do echo $i:v$i; done | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.key=true --reader-property key.separator=:
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --group g --max-messages 4 | sort
kafka-consumer-groups --bootstrap-server localhost:9092 --list
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group g
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group g --offsets
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group g --verbose
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group g --members
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group g --members --verbose
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group g --state
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group g --state --verbose
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group g --members --state
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --all-groups
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --all-groups --group g
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group nope
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group nope --members
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group nope --state
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group g --group nope
kafka-consumer-groups --bootstrap-server localhost:9092 --list --state
kafka-consumer-groups --bootstrap-server localhost:9092 --list --state Empty
kafka-consumer-groups --bootstrap-server localhost:9092 --list --state stable
kafka-consumer-groups --bootstrap-server localhost:9092 --list --type
kafka-consumer-groups --bootstrap-server localhost:9092 --list --type classic
kafka-consumer-groups --bootstrap-server localhost:9092 --list --type consumer
kafka-consumer-groups --bootstrap-server localhost:9092 --list --state --type
