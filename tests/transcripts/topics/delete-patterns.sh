for t in web-1 web-2 api-1 api-2 other; do kafka-topics --bootstrap-server localhost:9092 --create --topic $t; done
kafka-topics --bootstrap-server localhost:9092 --delete --topic 'web-.*'
kafka-topics --bootstrap-server localhost:9092 --list
kafka-topics --bootstrap-server localhost:9092 --delete --topic 'web-.*'
kafka-topics --bootstrap-server localhost:9092 --delete --topic 'web-.*' --if-exists
kafka-topics --bootstrap-server localhost:9092 --delete --topic 'api-1,api-2'
kafka-topics --bootstrap-server localhost:9092 --list
kafka-topics --bootstrap-server localhost:9092 --delete
kafka-topics --bootstrap-server localhost:9092 --delete --topic other --partitions 2
kafka-topics --bootstrap-server localhost:9092 --delete --topic other --if-not-exists
kafka-topics --bootstrap-server localhost:9092 --delete --topic '['
kafka-topics --bootstrap-server localhost:9092 --delete --topic other
kafka-topics --bootstrap-server localhost:9092 --list
kafka-topics --bootstrap-server localhost:9092 --delete --topic other
