kafka-topics --bootstrap-server localhost:9092 --create --topic $(printf 'a%.0s' $(seq 249))
kafka-topics --bootstrap-server localhost:9092 --create --topic $(printf 'a%.0s' $(seq 250))
kafka-topics --bootstrap-server localhost:9092 --create --topic .
kafka-topics --bootstrap-server localhost:9092 --create --topic ..
kafka-topics --bootstrap-server localhost:9092 --create --topic ...
kafka-topics --bootstrap-server localhost:9092 --create --topic ''
kafka-topics --bootstrap-server localhost:9092 --create --topic 'a,b'
kafka-topics --bootstrap-server localhost:9092 --create --topic 'a/b'
kafka-topics --bootstrap-server localhost:9092 --create --topic 'UPPER_lower.9-x'
kafka-topics --bootstrap-server localhost:9092 --create --topic __consumer_offsets
kafka-topics --bootstrap-server localhost:9092 --list | cut -c1-20 | sort
