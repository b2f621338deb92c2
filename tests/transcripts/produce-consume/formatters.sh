kafka-topics --bootstrap-server localhost:9092 --create --topic t
printf 'h:1\tk\tv\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t --reader-property parse.headers=true --reader-property parse.key=true
printf '0123456789\n' | kafka-console-producer --bootstrap-server localhost:9092 --topic t
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --formatter-property print.key=true --formatter-property key.separator=' -> '
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --formatter-property print.partition=true --formatter-property print.offset=true --formatter-property print.headers=true --formatter-property print.key=true --formatter-property headers.separator=';'
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --formatter-property print.delivery=true --formatter-property print.epoch=true
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --formatter-property print.value=false --formatter-property print.key=true
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --formatter-property line.separator='|'
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 1 --formatter-property print.timestamp=true
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --formatter no.such.Formatter
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --formatter org.apache.kafka.tools.consumer.NoOpMessageFormatter
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --formatter kafka.tools.DefaultMessageFormatter
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --formatter org.apache.kafka.tools.consumer.LoggingMessageFormatter
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --formatter-property print.key=yes
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --formatter-config nope.properties
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --value-deserializer org.apache.kafka.common.serialization.IntegerDeserializer
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --value-deserializer org.apache.kafka.common.serialization.LongDeserializer --skip-message-on-error
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --value-deserializer no.such.Deserializer
kafka-console-consumer --bootstrap-server localhost:9092 --topic t --from-beginning --max-messages 2 --key-deserializer org.apache.kafka.common.serialization.StringDeserializer --formatter-property print.key=true
