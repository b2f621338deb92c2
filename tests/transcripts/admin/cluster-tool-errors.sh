kafka-cluster
kafka-cluster cluster-id
kafka-cluster nonsense
kafka-cluster cluster-ids
kafka-cluster list --bootstrap-server localhost:9092
kafka-cluster cluster-id -b localhost:9092
kafka-cluster cluster-id --bootstrap-server localhost:9092 --bootstrap-controller localhost:9093
kafka-cluster cluster-id --bootstrap-servers localhost:9092
kafka-cluster cluster-id --bootstrap-server
kafka-cluster cluster-id --bootstrap-server localhost:9092 extra
kafka-cluster cluster-id --bootstrap-server localhost
kafka-cluster cluster-id --bootstrap-server localhost:9092 --config missing.properties
kafka-cluster cluster-id --bootstrap-server localhost:9092 --config a --command-config b
kafka-cluster unregister --bootstrap-server localhost:9092
kafka-cluster unregister --bootstrap-server localhost:9092 --id one
kafka-cluster unregister --bootstrap-server localhost:9092 --id -1
kafka-cluster list-endpoints --bootstrap-server localhost:9092 --include-fenced-brokers
kafka-cluster list-endpoints --bootstrap-controller localhost:9092 --include-fenced-brokers
kafka-cluster cluster-id --help > help.txt
head -n 1 help.txt
kafka-cluster --help | grep -o -e '--[a-z-]*' | sort -u
