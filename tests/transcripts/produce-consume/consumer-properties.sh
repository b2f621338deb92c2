kafka-topics --bootstrap-server localhost:9092 --create --topic t
seq 5 | kafka-console-producer --bootstrap-server localhost:9092 --topic t
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --consumer-property auto.offset.reset=earliest --timeout-ms 3000
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --consumer-property auto.offset.reset=none --timeout-ms 3000
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --consumer-property auto.offset.reset=sometimes --timeout-ms 3000
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --consumer-property auto.offset.reset=latest --from-beginning
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --consumer-property auto.offset.reset=earliest --from-beginning --max-messages 1
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --command-property auto.offset.reset=earliest --max-messages 2
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --consumer-property max.poll.records=1
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --consumer-property fetch.min.bytes=-1
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --consumer-property no.such.thing=1
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --isolation-level read_committed
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --isolation-level READ_COMMITTED
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --enable-systest-events
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --consumer.config nope.properties
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --command-config nope.properties
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --consumer-property session.timeout.ms=5 --group s
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --property print.offset=true
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --property print.offset=true --formatter-property print.key=true
