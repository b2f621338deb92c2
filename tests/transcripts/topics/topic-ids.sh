kafka-topics --bootstrap-server localhost:9092 --create --topic a --partitions 2 --config retention.ms=1000
id=$(kafka-topics --bootstrap-server localhost:9092 --describe --topic a | grep -o 'TopicId: [A-Za-z0-9_-]*' | cut -d' ' -f2)
echo ${#id}
kafka-topics --bootstrap-server localhost:9092 --describe --topic-id $id
kafka-topics --bootstrap-server localhost:9092 --describe --topic-id AAAAAAAAAAAAAAAAAAAAbA
kafka-topics --bootstrap-server localhost:9092 --describe --topic-id AAAAAAAAAAAAAAAAAAAAbA --if-exists
kafka-topics --bootstrap-server localhost:9092 --describe --topic-id short
kafka-topics --bootstrap-server localhost:9092 --describe --topic nope
kafka-topics --bootstrap-server localhost:9092 --describe --topic nope --if-exists
kafka-topics --bootstrap-server localhost:9092 --describe --topic 'n.*'
