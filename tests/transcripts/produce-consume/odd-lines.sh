kafka-topics --bootstrap-server localhost:9092 --create --topic t
printf '' | kafka-console-producer --bootstrap-server localhost:9092 --topic t
printf '\n\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t
printf 'crlf\r\nafter\r\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t
printf 'no newline at end' | kafka-console-producer --bootstrap-server localhost:9092 --topic t
printf ' leading and trailing \n\ttab\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t
printf '\xff\xfe\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t
printf 'nul\0byte\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t
kafka-get-offsets --bootstrap-server localhost:9092 --topic t
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --timeout-ms 6000 | cat -A
