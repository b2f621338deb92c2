kafka-topics --bootstrap-server localhost:9092 --create --topic a --config cleanup.policy=keep
kafka-topics --bootstrap-server localhost:9092 --create --topic a --config cleanup.policy=compact,delete
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config compression.type=brotli
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config min.insync.replicas=0
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config segment.bytes=10
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config segment.bytes=99999999999
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config max.message.bytes=-1
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config min.cleanable.dirty.ratio=2
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config min.cleanable.dirty.ratio=half
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config message.timestamp.type=Now
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config unclean.leader.election.enable=maybe
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config retention.ms=-2
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config retention.ms
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config retention.ms=
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config =5
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config retention.ms=1=2
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config segment.ms=0
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config index.interval.bytes=-1
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config max.compaction.lag.ms=0
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config min.compaction.lag.ms=10 --config max.compaction.lag.ms=5
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config local.retention.ms=5
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config remote.storage.enable=true
kafka-topics --bootstrap-server localhost:9092 --create --topic b --config message.format.version=3.0
kafka-topics --bootstrap-server localhost:9092 --create --topic c --config retention.ms=-1 --config retention.bytes=1000000 --config segment.bytes=1048576
kafka-topics --bootstrap-server localhost:9092 --create --topic d --config ' retention.ms = 7 '
kafka-topics --bootstrap-server localhost:9092 --describe --topic 'a|b|c|d'
