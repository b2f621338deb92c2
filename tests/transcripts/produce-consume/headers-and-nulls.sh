kafka-topics --bootstrap-server localhost:9092 --create --topic t
printf 'h1:v1,h2:v2\tk\tv\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.headers=true --reader-property parse.key=true
printf 'h1:v1\tv\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.headers=true
printf 'noheader\tv\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.headers=true
printf 'onlyvalue\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.headers=true
printf '\tempty header\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.headers=true
printf 'a:1;b:2|k=v\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.headers=true --reader-property parse.key=true --reader-property headers.delimiter='|' --reader-property headers.separator=';' --reader-property key.separator==
printf 'NULL\tv\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.key=true --reader-property null.marker=NULL
printf 'k\tNULL\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.key=true --reader-property null.marker=NULL
printf 'nokey\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.key=true
printf 'good\tone\nnokey\ngood\ttwo\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.key=true
printf 'nokey\nx\ty\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.key=true --reader-property ignore.error=true
printf 'v\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property key.separator=
printf 'v\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.key=true --reader-property parse.headers=true --reader-property key.separator=a --reader-property headers.delimiter=a
printf 'v\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.headers=true --reader-property headers.separator=, --reader-property headers.delimiter=,
printf 'v\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.headers=true --reader-property headers.key.separator=, --reader-property headers.separator=,
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --timeout-ms 6000 --formatter-property print.headers=true --formatter-property print.key=true --formatter-property null.literal=nil
