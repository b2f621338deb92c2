kafka-broker-api-versions
kafka-broker-api-versions --bootstrap-server
kafka-broker-api-versions --bootstrap-server localhost
kafka-broker-api-versions --bootstrap-server localhost:9092 --nonsense
kafka-broker-api-versions --bootstrap-server localhost:9092 --command-config missing.properties
kafka-broker-api-versions --bootstrap-server localhost:9092 | head -n 3
kafka-broker-api-versions --version
