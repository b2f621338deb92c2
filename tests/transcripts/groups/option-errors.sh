kafka-consumer-groups --list
kafka-consumer-groups --bootstrap-server localhost:9092
kafka-consumer-groups --bootstrap-server localhost:9092 --list --describe
kafka-consumer-groups --bootstrap-server localhost:9092 --list --group g
kafka-consumer-groups --bootstrap-server localhost:9092 --list --members
kafka-consumer-groups --bootstrap-server localhost:9092 --list --verbose
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group g --topic t
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group g --to-earliest
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group g --offsets --state
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group g --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --nope
kafka-consumer-groups --bootstrap-server localhost:9092 --list --timeout x
kafka-consumer-groups --bootstrap-server localhost:9092 --list --command-config nope.properties
kafka-consumer-groups --bootstrap-server localhost:9092 --validate-regex 'a.*'
kafka-consumer-groups --bootstrap-server localhost:9092 --validate-regex '['
