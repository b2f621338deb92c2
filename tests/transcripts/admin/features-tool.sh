kafka-features
kafka-features describe
kafka-features --bootstrap-server localhost:9092 describe --node-id x
kafka-features --bootstrap-server localhost:9092 describe --node-id -1
kafka-features --bootstrap-server localhost:9092 describe --node-id 1 | wc -l
kafka-features --bootstrap-server localhost:9092 upgrade
kafka-features --bootstrap-server localhost:9092 upgrade --feature group.version
kafka-features --bootstrap-server localhost:9092 upgrade --feature group.version=x
kafka-features --bootstrap-server localhost:9092 upgrade --feature group.version=1 --feature group.version=1
kafka-features --bootstrap-server localhost:9092 upgrade --release-version 9.9
kafka-features --bootstrap-server localhost:9092 upgrade --release-version 4.3 --feature group.version=1
kafka-features --bootstrap-server localhost:9092 upgrade --metadata 1.0
kafka-features --bootstrap-server localhost:9092 upgrade --feature group.version=7
kafka-features --bootstrap-server localhost:9092 upgrade --feature foo=1
kafka-features --bootstrap-server localhost:9092 upgrade --dry-run --feature group.version=1
kafka-features --bootstrap-server localhost:9092 downgrade --feature group.version=0 --dry-run
kafka-features --bootstrap-server localhost:9092 disable
kafka-features version-mapping --release-version 3.9
kafka-features version-mapping --release-version 4.0-IV1
kafka-features version-mapping --release-version 4.0-IV3
kafka-features version-mapping --release-version 2.8
kafka-features version-mapping --release-version nonsense
kafka-features feature-dependencies
kafka-features feature-dependencies --feature group.version=1
kafka-features feature-dependencies --feature transaction.version=2 --feature metadata.version=20
kafka-features feature-dependencies --feature eligible.leader.replicas.version=1
kafka-features feature-dependencies --feature streams.version=1 --feature share.version=1
kafka-features feature-dependencies --feature kraft.version=1
kafka-features feature-dependencies --feature group.version=9
kafka-features feature-dependencies --feature metadata.version=99
kafka-features feature-dependencies --feature foo=1
kafka-features feature-dependencies --feature foo
