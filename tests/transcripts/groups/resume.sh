kafka-topics --bootstrap-server localhost:9092 --create --topic t
seq 10 | kafka-console-producer --bootstrap-server localhost:9092 --topic t
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --group g --from-beginning --max-messages 3
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --group g --from-beginning --max-messages 3
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --group g --timeout-ms 6000 --consumer-property enable.auto.commit=false
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group g
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --group late --timeout-ms 6000
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group late
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --group none --consumer-property auto.offset.reset=none --timeout-ms 6000
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --group by --consumer-property auto.offset.reset=by_duration:PT1H --timeout-ms 6000
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --group by2 --consumer-property auto.offset.reset=by_duration:x --timeout-ms 6000
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --consumer-property group.id=prop --from-beginning --max-messages 1
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --group '' --from-beginning --max-messages 1
kafka-consumer-groups --bootstrap-server localhost:9092 --list | sort
