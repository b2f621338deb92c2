kafka-topics --bootstrap-server localhost:9092 --create --topic t
kafka-topics --bootstrap-server localhost:9092 --create --topic u
seq 3 | kafka-console-producer --bootstrap-server localhost:9092 --topic t
seq 3 | kafka-console-producer --bootstrap-server localhost:9092 --topic u
kafka-console-consumer --bootstrap-server localhost:9092 --include 't|u' --from-beginning --group g --max-messages 6 | sort
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --group h --max-messages 3
kafka-consumer-groups --bootstrap-server localhost:9092 --delete-offsets --group g --topic u
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group g
kafka-consumer-groups --bootstrap-server localhost:9092 --delete-offsets --group g --topic nope
kafka-consumer-groups --bootstrap-server localhost:9092 --delete-offsets --group g --topic t:4
kafka-consumer-groups --bootstrap-server localhost:9092 --delete-offsets --group nope --topic t
kafka-consumer-groups --bootstrap-server localhost:9092 --delete-offsets --group g --topic t:0
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group g
kafka-consumer-groups --bootstrap-server localhost:9092 --delete --group nope
kafka-consumer-groups --bootstrap-server localhost:9092 --delete --group h --group nope
kafka-consumer-groups --bootstrap-server localhost:9092 --list
kafka-consumer-groups --bootstrap-server localhost:9092 --delete --group h --topic t
kafka-consumer-groups --bootstrap-server localhost:9092 --delete --all-groups
kafka-consumer-groups --bootstrap-server localhost:9092 --list
kafka-consumer-groups --bootstrap-server localhost:9092 --delete --all-groups
