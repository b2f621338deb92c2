kafka-topics --bootstrap-server localhost:9092 --create --topic t --partitions 2
kafka-topics --bootstrap-server localhost:9092 --create --topic u
seq 6 | kafka-console-producer --bootstrap-server localhost:9092 --topic u
for i in 1 2 3 4; do echo $i:v$i; done | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.key=true --reader-property key.separator=:
kafka-console-consumer --bootstrap-server localhost:9092 --topic u --from-beginning --group g --max-messages 4
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u --to-earliest
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u --to-earliest --dry-run
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u --to-offset 2 --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u --to-offset 99 --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u --to-offset -3 --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u --shift-by 2 --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u --shift-by -100 --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u --shift-by x --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u:0 --to-latest --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u:5 --to-latest --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic t:0,1 --to-earliest --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --all-topics --to-current --dry-run
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --all-topics --to-earliest --export --dry-run
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u --to-earliest --export > reset.csv
cat reset.csv
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --from-file reset.csv --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --from-file nope.csv --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u --to-datetime 2020-01-01T00:00:00.000 --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u --to-datetime yesterday --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u --by-duration PT0S --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u --by-duration 5m --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic nope --to-earliest --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group new --topic u --to-earliest --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --to-earliest
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u --to-earliest --to-latest
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u --to-earliest --dry-run --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --group g --topic u --all-topics --to-earliest
kafka-consumer-groups --bootstrap-server localhost:9092 --reset-offsets --all-groups --topic u --to-latest --execute
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --all-groups
