kafka-log-dirs
kafka-log-dirs --describe
kafka-log-dirs --bootstrap-server localhost:9092 --describe --broker-list x
kafka-log-dirs --bootstrap-server localhost:9092 --describe --broker-list 1,7,8
kafka-log-dirs --bootstrap-server localhost:9092 --describe --nonsense
kafka-log-dirs --bootstrap-server localhost:9092 --describe --topic-list
kafka-log-dirs --bootstrap-server localhost:9092 --describe --command-config missing.properties
kafka-log-dirs --bootstrap-server localhost:9092 --describe
kafka-topics --bootstrap-server localhost:9092 --create --topic a --partitions 3
kafka-log-dirs --bootstrap-server localhost:9092 --describe --topic-list a,b | tail -n 1
kafka-log-dirs --version
