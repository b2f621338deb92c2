for t in a b; do kafka-topics --bootstrap-server localhost:9092 --create --topic $t --partitions 2; done
seq 5 | kafka-console-producer --bootstrap-server localhost:9092 --topic a
kafka-get-offsets --bootstrap-server localhost:9092 --topic a --time -2
kafka-get-offsets --bootstrap-server localhost:9092 --topic a --time earliest
kafka-get-offsets --bootstrap-server localhost:9092 --topic a --time -1 | cut -d: -f1,2
kafka-get-offsets --bootstrap-server localhost:9092 --topic a --time max-timestamp | cut -d: -f1
kafka-get-offsets --bootstrap-server localhost:9092 --topic a --time earliest-local
kafka-get-offsets --bootstrap-server localhost:9092 --topic a --time latest-tiered
kafka-get-offsets --bootstrap-server localhost:9092 --topic a --time 0
kafka-get-offsets --bootstrap-server localhost:9092 --topic a --time 99999999999999
kafka-get-offsets --bootstrap-server localhost:9092 --topic a --time never
kafka-get-offsets --bootstrap-server localhost:9092 --topic b --partitions 1
kafka-get-offsets --bootstrap-server localhost:9092 --topic b --partitions 0-1
kafka-get-offsets --bootstrap-server localhost:9092 --topic b --partitions 0,1
kafka-get-offsets --bootstrap-server localhost:9092 --topic b --partitions -1
kafka-get-offsets --bootstrap-server localhost:9092 --topic b --partitions 1-
kafka-get-offsets --bootstrap-server localhost:9092 --topic b --partitions 5
kafka-get-offsets --bootstrap-server localhost:9092 --topic b --partitions x
kafka-get-offsets --bootstrap-server localhost:9092 --topic-partitions b:0
kafka-get-offsets --bootstrap-server localhost:9092 --topic-partitions 'b:0-1,a:1-' --time earliest
kafka-get-offsets --bootstrap-server localhost:9092 --topic-partitions 'b:x'
kafka-get-offsets --bootstrap-server localhost:9092 --topic-partitions 'a:0:1'
kafka-get-offsets --bootstrap-server localhost:9092 --topic a --topic-partitions b:0
kafka-get-offsets --bootstrap-server localhost:9092 --topic-partitions b --partitions 0
kafka-get-offsets --bootstrap-server localhost:9092 --topic 'a|b' --time earliest
kafka-get-offsets --bootstrap-server localhost:9092 --topic nope
kafka-get-offsets --bootstrap-server localhost:9092 --topic '['
kafka-get-offsets --bootstrap-server localhost:9092 --time earliest
kafka-get-offsets --topic a
kafka-get-offsets --broker-list localhost:9092 --topic b
kafka-get-offsets --bootstrap-server localhost:9092 --topic b --exclude-internal-topics
kafka-get-offsets --bootstrap-server localhost:9092 --topic b --command-config nope.properties
