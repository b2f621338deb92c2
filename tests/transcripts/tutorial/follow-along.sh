kafka-topics --create --topic orders --bootstrap-server localhost:9092 --partitions 3 --replication-factor 1
kafka-topics --describe --topic orders --bootstrap-server localhost:9092
printf '1:pizza\n2:pasta\n1:salad\n3:soup\n' > orders.txt
kafka-console-producer --topic orders --bootstrap-server localhost:9092 --property parse.key=true --property key.separator=: < orders.txt
kafka-console-consumer --topic orders --from-beginning --bootstrap-server localhost:9092 --property print.key=true --property key.separator=: --timeout-ms 6000 | sort
kafka-console-consumer --topic orders --group kitchen --from-beginning --bootstrap-server localhost:9092 --timeout-ms 6000 | sort
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group kitchen | sort
kafka-topics --alter --topic orders --partitions 4 --bootstrap-server localhost:9092
kafka-get-offsets --bootstrap-server localhost:9092 --topic orders
kafka-consumer-groups --bootstrap-server localhost:9092 --group kitchen --reset-offsets --to-earliest --topic orders --execute | sort
kafka-console-consumer --topic orders --group kitchen --bootstrap-server localhost:9092 --timeout-ms 6000 | wc -l
kafka-topics --delete --topic orders --bootstrap-server localhost:9092
kafka-topics --list --bootstrap-server localhost:9092
kafka-consumer-groups --bootstrap-server localhost:9092 --delete --group kitchen
