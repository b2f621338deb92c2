kafka-configs --bootstrap-server localhost:9092 --alter --entity-type clients --entity-name a --add-config foo=1,bar=2
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type clients --entity-name a --delete-config foo
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type users --entity-name a --add-config foo=1
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type users --entity-name a --delete-config foo,bar
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type ips --entity-name 1.2.3.4 --add-config foo=1
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type clients --entity-name a --add-config producer_byte_rate=abc
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type clients --entity-name a --add-config producer_byte_rate=-5
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type clients --entity-name a --delete-config producer_byte_rate
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type ips --entity-name no.such.host --add-config connection_creation_rate=1
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type ips --entity-name 1.2.3.4 --add-config connection_creation_rate=10
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type users --entity-name u --entity-type clients --entity-name c --add-config producer_byte_rate=10485760,consumer_byte_rate=1048576,request_percentage=200,controller_mutation_rate=5.5
kafka-configs --bootstrap-server localhost:9092 --describe --entity-type users --entity-name u --entity-type clients --entity-name c
kafka-configs --bootstrap-server localhost:9092 --describe --entity-type users --entity-type clients
kafka-configs --bootstrap-server localhost:9092 --describe --user u --client-defaults
kafka-configs --bootstrap-server localhost:9092 --describe --entity-type ips
kafka-configs --bootstrap-server localhost:9092 --describe --ip 1.2.3.4
kafka-configs --bootstrap-server localhost:9092 --describe --entity-type users --entity-name u --entity-name v
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type users --entity-type clients --entity-name c --add-config producer_byte_rate=1
kafka-configs --bootstrap-server localhost:9092 --alter --entity-type users --entity-default --add-config SCRAM-SHA-256=[password=x]
