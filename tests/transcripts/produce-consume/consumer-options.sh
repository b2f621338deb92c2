kafka-topics --bootstrap-server localhost:9092 --create --topic t --partitions 2
for i in 1 2 3 4; do echo $i:v$i; done | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.key=true --reader-property key.separator=:
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 0
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages -1 --timeout-ms 6000 | sort
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --offset 0
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --partition 0 --offset earliest --timeout-ms 6000 | sort
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --partition 0 --offset latest --timeout-ms 6000
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --partition 0 --offset middle
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --partition 0 --offset -1
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --partition 0 --offset 1 --from-beginning
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --partition 0 --from-beginning --timeout-ms 6000 | sort
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --partition 0 --offset 99 --timeout-ms 6000
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --partition 7 --offset 0 --timeout-ms 6000
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --partition x --offset 0 --timeout-ms 6000
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --partition 0 --group g
kafka-console-consumer --bootstrap-server localhost:9092 --include 't' --partition 0
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --timeout-ms soon
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --group g --consumer-property group.id=h
kafka-console-consumer --bootstrap-server localhost:9092 --topic nope --timeout-ms 6000 --consumer-property allow.auto.create.topics=false 2>/dev/null
kafka-console-consumer --bootstrap-server localhost:9092 --topic 'bad name' --timeout-ms 6000
kafka-topics --bootstrap-server localhost:9092 --list
