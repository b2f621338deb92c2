kafka-features --bootstrap-server localhost:9092 downgrade --feature share.version=0
kafka-features --bootstrap-server localhost:9092 describe | grep share | sed -E 's/Epoch: [0-9]+/Epoch: N/'
kafka-features --bootstrap-server localhost:9092 upgrade --feature share.version=1
kafka-features --bootstrap-server localhost:9092 upgrade --feature share.version=1
kafka-features --bootstrap-server localhost:9092 disable --feature share.version
kafka-features --bootstrap-server localhost:9092 disable --feature share.version --unsafe
kafka-features --bootstrap-server localhost:9092 downgrade --metadata 4.0-IV3
kafka-features --bootstrap-server localhost:9092 downgrade --feature metadata.version=7 --unsafe --dry-run
kafka-features --bootstrap-server localhost:9092 upgrade --release-version 4.3
kafka-features --bootstrap-server localhost:9092 describe | sed -E 's/Epoch: [0-9]+/Epoch: N/'
