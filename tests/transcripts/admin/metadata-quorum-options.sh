kafka-metadata-quorum
kafka-metadata-quorum --bootstrap-server localhost:9092
kafka-metadata-quorum --bootstrap-server localhost:9092 nonsense
kafka-metadata-quorum --bootstrap-server localhost:9092 --bootstrap-controller localhost:9093 describe --status
kafka-metadata-quorum --bootstrap-server localhost:9092 describe --status --replication
kafka-metadata-quorum --bootstrap-server localhost:9092 describe --status --human-readable
kafka-metadata-quorum --bootstrap-server localhost:9092 describe --nonsense
kafka-metadata-quorum --bootstrap-server localhost:9092 --command-config missing.properties describe --status
kafka-metadata-quorum --bootstrap-server localhost:9092 add-controller
touch empty.properties
kafka-metadata-quorum --bootstrap-server localhost:9092 --command-config empty.properties add-controller
echo 'node.id=-1' > c.properties
kafka-metadata-quorum --bootstrap-server localhost:9092 --command-config c.properties add-controller
echo 'node.id=1' > c.properties
kafka-metadata-quorum --bootstrap-server localhost:9092 --command-config c.properties add-controller
echo 'process.roles=controller' >> c.properties
kafka-metadata-quorum --bootstrap-server localhost:9092 --command-config c.properties add-controller
echo 'log.dirs=/tmp/none' >> c.properties
kafka-metadata-quorum --bootstrap-server localhost:9092 --command-config c.properties add-controller
kafka-metadata-quorum --bootstrap-server localhost:9092 remove-controller
kafka-metadata-quorum --bootstrap-server localhost:9092 remove-controller --controller-id x --controller-directory-id y
kafka-metadata-quorum --bootstrap-server localhost:9092 remove-controller --controller-id -1 --controller-directory-id y
kafka-metadata-quorum --bootstrap-server localhost:9092 remove-controller --controller-id 1 --controller-directory-id y
kafka-metadata-quorum --bootstrap-server localhost:9092 remove-controller --controller-id 1 --controller-directory-id AAAAAAAAQACAAAAAAAAAAQ --dry-run
