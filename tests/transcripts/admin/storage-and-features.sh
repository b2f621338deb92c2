kafka-storage info
printf 'node.id=5\nprocess.roles=broker,controller\ncontroller.listener.names=C\nlisteners=P://:7000,C://:7001\nlistener.security.protocol.map=P:PLAINTEXT,C:PLAINTEXT\ninter.broker.listener.name=P\ncontroller.quorum.bootstrap.servers=localhost:7001\nlog.dirs=/tmp/pg-err\n' > s.properties
kafka-storage info -c s.properties
printf 'node.id=5\nprocess.roles=controller\ncontroller.listener.names=C\nlisteners=C://:7001\nlistener.security.protocol.map=C:PLAINTEXT\ncontroller.quorum.voters=5@localhost:7001\nlog.dirs=/tmp/pg-static\n' > v.properties
kafka-storage version-mapping
kafka-storage version-mapping -r 3.5
kafka-storage version-mapping -r 1.0
kafka-storage feature-dependencies
kafka-storage feature-dependencies -f transaction.version=2
kafka-storage feature-dependencies -f eligible.leader.replicas.version=1
kafka-storage feature-dependencies -f metadata.version=99
kafka-storage feature-dependencies -f foo=1
kafka-storage feature-dependencies -f foo
kafka-storage feature-dependencies -f group.version=x
kafka-storage random-uuid extra
