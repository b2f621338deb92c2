kafka-topics --bootstrap-server localhost:9092 --create --topic t
echo one | kafka-console-producer --bootstrap-server localhost:9092 --topic t --request-required-acks all
echo two | kafka-console-producer --bootstrap-server localhost:9092 --topic t --request-required-acks 0
echo three | kafka-console-producer --bootstrap-server localhost:9092 --topic t --request-required-acks 1
echo four | kafka-console-producer --bootstrap-server localhost:9092 --topic t --request-required-acks 2
echo five | kafka-console-producer --bootstrap-server localhost:9092 --topic t --request-required-acks some
echo six | kafka-console-producer --bootstrap-server localhost:9092 --topic t --producer-property acks=0
echo seven | kafka-console-producer --bootstrap-server localhost:9092 --topic t --command-property acks=1
echo eight | kafka-console-producer --bootstrap-server localhost:9092 --topic t --producer-property acks=9
echo nine | kafka-console-producer --bootstrap-server localhost:9092 --topic t --producer-property linger.ms=soon
echo ten | kafka-console-producer --bootstrap-server localhost:9092 --topic t --producer-property no.such.thing=1
echo eleven | kafka-console-producer --bootstrap-server localhost:9092 --topic t --producer-property batch.size
echo twelve | kafka-console-producer --bootstrap-server localhost:9092 --topic t --producer-property client.id=me --producer-property enable.idempotence=false
echo thirteen | kafka-console-producer --bootstrap-server localhost:9092 --topic t --command-property acks=1 --producer-property acks=0
echo fourteen | kafka-console-producer --bootstrap-server localhost:9092 --topic t --producer-property max.in.flight.requests.per.connection=9
echo fifteen | kafka-console-producer --bootstrap-server localhost:9092 --topic t --producer-property buffer.memory=-5
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --timeout-ms 6000
