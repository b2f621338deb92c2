kafka-topics --bootstrap-server localhost:9092 --create --topic t
echo a | kafka-console-producer --bootstrap-server localhost:9092 --topic t --line-reader no.such.Reader
echo a | kafka-console-producer --bootstrap-server localhost:9092 --topic t --line-reader java.lang.String
echo a | kafka-console-producer --bootstrap-server localhost:9092 --topic t --command-config nope.properties
echo a | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-config nope.properties
echo a | kafka-console-producer --bootstrap-server localhost:9092 --topic t --batch-size x
echo a | kafka-console-producer --bootstrap-server localhost:9092 --topic t --timeout x
echo a | kafka-console-producer --bootstrap-server localhost:9092 --topic t --max-block-ms -1
echo a | kafka-console-producer --bootstrap-server localhost:9092 --topic t --nope
echo a | kafka-console-producer --bootstrap-server localhost:9092 --topic t extra words
echo a | kafka-console-producer --broker-list localhost:9092 --topic t
echo a | kafka-console-producer --bootstrap-server localhost --topic t
echo a | kafka-console-producer --bootstrap-server localhost:port --topic t
echo a | kafka-console-producer --bootstrap-server '' --topic t
echo a | kafka-console-producer --bootstrap-server no-such-host:9092 --topic t
echo a | kafka-console-producer --bootstrap-server localhost:9092 --topic 'bad name' --max-block-ms 3000
echo a | kafka-console-producer --bootstrap-server localhost:9092 --topic '' --max-block-ms 3000
echo a | kafka-console-producer --bootstrap-server localhost:9092 --topic t --property parse.key=false
echo a | kafka-console-producer --bootstrap-server localhost:9092 --topic t --property parse.key=false --reader-property parse.key=false
echo a | kafka-console-producer --bootstrap-server localhost:9092 --topic t --producer.config nope.properties
kafka-console-producer --version
kafka-get-offsets --bootstrap-server localhost:9092 --topic t
