kafka-topics --bootstrap-server localhost:9092 --create --topic t
seq 3 | kafka-console-producer --bootstrap-server localhost:9092 --topic t --sync
seq 4 6 | kafka-console-producer --bootstrap-server localhost:9092 --topic t --sync --compression-codec zstd
seq 7 9 | kafka-console-producer --bootstrap-server localhost:9092 --topic t --compression-codec
seq 10 12 | kafka-console-producer --bootstrap-server localhost:9092 --topic t --compression-codec snappy --batch-size 1
seq 13 15 | kafka-console-producer --bootstrap-server localhost:9092 --topic t --compression-codec lz4 --timeout 10 --max-memory-bytes 1000000
seq 16 18 | kafka-console-producer --bootstrap-server localhost:9092 --topic t --compression-codec none --message-send-max-retries 0 --retry-backoff-ms 5 --request-timeout-ms 1000 --metadata-expiry-ms 1000 --socket-buffer-size 5000 --max-partition-memory-bytes 200
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 18
kafka-topics --bootstrap-server localhost:9092 --create --topic small --config max.message.bytes=100
head -c 300 /dev/zero | tr '\0' x | kafka-console-producer --bootstrap-server localhost:9092 --topic small --sync
echo fits | kafka-console-producer --bootstrap-server localhost:9092 --topic small --sync
kafka-console-consumer --bootstrap-server localhost:9092 --topic small --from-beginning --timeout-ms 6000
