kafka-topics --bootstrap-server localhost:9092 --create --topic t
seq 3 | kafka-console-producer --bootstrap-server localhost:9092 --topic t
kafka-groups --bootstrap-server localhost:9092 --list
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --group c1 --max-messages 3
kafka-groups --bootstrap-server localhost:9092 --list
kafka-groups --bootstrap-server localhost:9092 --list --consumer
kafka-groups --bootstrap-server localhost:9092 --list --group-type classic
kafka-groups --bootstrap-server localhost:9092 --list --group-type consumer
kafka-groups --bootstrap-server localhost:9092 --list --group-type share
kafka-groups --bootstrap-server localhost:9092 --list --group-type odd
kafka-groups --bootstrap-server localhost:9092 --list --protocol consumer
kafka-groups --bootstrap-server localhost:9092 --list --protocol nope
kafka-groups --bootstrap-server localhost:9092 --list --share
kafka-groups --bootstrap-server localhost:9092 --list --streams
kafka-groups --bootstrap-server localhost:9092 --list --consumer --share 2>&1 | head -n 1
kafka-groups --bootstrap-server localhost:9092 --list --consumer --group-type classic 2>&1 | head -n 1
kafka-groups --bootstrap-server localhost:9092 2>&1 | head -n 1
kafka-groups --list 2>&1 | head -n 1
kafka-groups --bootstrap-server localhost:9092 --nope 2>&1 | head -n 1
