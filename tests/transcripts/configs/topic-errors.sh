kafka-topics --bootstrap-server localhost:9092 --create --topic t
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type topics --entity-name t --add-config retention.ms=soon
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type topics --entity-name t --add-config no.such=1
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type topics --entity-name t --add-config retention.ms
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type topics --entity-name t --add-config retention.ms=
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type topics --entity-name nope --add-config retention.ms=5
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type topics --entity-name t --delete-config retention.ms
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type topics --entity-name t --delete-config no.such
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type topics --entity-name t
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type topics --add-config retention.ms=5
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type planets --entity-name t --add-config retention.ms=5
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type topics --entity-name t --add-config cleanup.policy=[compact,delete],segment.ms=1000
kafka-configs --bootstrap-server localhost:9092 --describe --entity-type topics --entity-name t
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type topics --entity-name t --add-config segment.ms=2000 --delete-config cleanup.policy
kafka-configs --bootstrap-server localhost:9092 --describe --entity-type topics --entity-name t
kafka-configs --bootstrap-server localhost:9092 --describe --topic t
kafka-configs --bootstrap-server localhost:9092 --describe --entity-type topics
kafka-configs --bootstrap-server localhost:9092 --describe --entity-type topics --entity-name nope
kafka-configs --bootstrap-server localhost:9092 --describe --topic t --entity-type topics
kafka-configs --bootstrap-server localhost:9092 --alter --topic t --add-config-file nope.properties
printf 'retention.bytes=77\nflush.messages=5\n' > t.properties
kafka-configs --bootstrap-server localhost:9092 --alter --topic t --add-config-file t.properties
kafka-configs --bootstrap-server localhost:9092 --describe --topic t
kafka-configs --bootstrap-server localhost:9092 --describe
kafka-configs --bootstrap-server localhost:9092 --alter --describe --topic t
kafka-configs --describe --topic t
kafka-configs --bootstrap-server localhost:9092 --nope
kafka-configs --bootstrap-server localhost:9092 --alter --topic t --add-config a=b --add-config-file t.properties
kafka-configs --bootstrap-server localhost:9092 --describe --topic t --entity-default
kafka-configs --bootstrap-server localhost:9092 --describe --topic t --all | grep -c =
