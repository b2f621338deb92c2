"""What an unmodified confluent-kafka does with `playground serve`: python3 confluent.py BOOTSTRAP BROKERS

Prints `ok` when everything held; an assertion or an exception otherwise.
"""

import sys
import time

from confluent_kafka import Consumer, KafkaException, Producer, TopicCollection, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
)

BOOTSTRAP, BROKERS = sys.argv[1], int(sys.argv[2])
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]
KINDS = [{"enable.idempotence": True}, {"acks": "all"}, {"acks": "1"}, {"acks": "0"}]
PER_PRODUCER = 100
PARTITIONS = 3

admin = AdminClient({"bootstrap.servers": BOOTSTRAP})


def done(futures):
    return {key: future.result(10) for key, future in futures.items()}


def until(what, condition, step=lambda: time.sleep(0.05), seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        step()


def topics():
    done(
        admin.create_topics(
            [
                NewTopic("users", PARTITIONS, 1),
                NewTopic("visits", 1, 1, config={"retention.ms": "100000"}),
            ]
        )
    )
    try:
        done(admin.create_topics([NewTopic("users", 1, 1)]))
        raise AssertionError("a topic was created twice")
    except KafkaException as error:
        assert error.args[0].name() == "TOPIC_ALREADY_EXISTS", error
    assert {"users", "visits"} <= set(admin.list_topics(timeout=10).topics)
    assert len(admin.describe_cluster().result(10).nodes) == BROKERS
    described = done(admin.describe_topics(TopicCollection(["users", "visits"])))
    assert {name: len(topic.partitions) for name, topic in described.items()} == {"users": PARTITIONS, "visits": 1}

    done(admin.create_partitions([NewPartitions("visits", 4)]))
    until("four partitions", lambda: len(admin.list_topics("visits", timeout=10).topics["visits"].partitions) == 4)


def configs():
    visits = ConfigResource("topic", "visits")
    assert done(admin.describe_configs([visits]))[visits]["retention.ms"].value == "100000"
    entry = ConfigEntry("retention.ms", "5000", incremental_operation=AlterConfigOpType.SET)
    change = ConfigResource("topic", "visits", incremental_configs=[entry])
    done(admin.incremental_alter_configs([change]))
    changed = lambda: done(admin.describe_configs([visits]))[visits]["retention.ms"].value == "5000"
    until("the changed retention", changed)
    broker = ConfigResource("broker", "1")
    assert done(admin.describe_configs([broker]))[broker]["node.id"].value == "1"


def produce():
    for codec in CODECS:
        for kind in KINDS:
            failed, delivered = [], []

            def report(error, message):
                (failed if error else delivered).append(error or message)

            settings = {"bootstrap.servers": BOOTSTRAP, "compression.type": codec, "linger.ms": 5, **kind}
            producer = Producer(settings)
            for number in range(PER_PRODUCER):
                value = f"{codec}-{number} " * 10
                headers = [("codec", codec.encode()), ("none", None)]
                producer.produce("users", value, f"key-{number}", headers=headers, on_delivery=report)
            assert producer.flush(20) == 0, (codec, kind)
            assert not failed and len(delivered) == PER_PRODUCER, (codec, kind, failed)


def consumer(group, **settings):
    return Consumer(
        {
            "bootstrap.servers": BOOTSTRAP,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "heartbeat.interval.ms": 200,
            "session.timeout.ms": 6000,
            **settings,
        }
    )


def poll(of, into=None):
    message = of.poll(0.1)
    if message is not None:
        assert message.error() is None, message.error()
        if into is not None:
            into.append(message)


def consume_and_resume():
    everything = len(CODECS) * len(KINDS) * PER_PRODUCER
    first, second = [], []
    reader = consumer("resuming", **{"enable.auto.commit": False})
    reader.subscribe(["users"])
    until("a part of the records", lambda: len(first) >= everything // 3, lambda: poll(reader, first))
    reader.commit(asynchronous=False)
    reader.close()
    reader = consumer("resuming")
    reader.subscribe(["users"])
    until("the rest", lambda: len(first) + len(second) >= everything, lambda: poll(reader, second))
    reader.close()
    places = {(message.partition(), message.offset()) for message in first + second}
    assert len(places) == len(first) + len(second) == everything, (len(places), len(first), len(second))
    for message in first + second:
        codec = dict(message.headers())["codec"].decode()
        assert message.headers() == [("codec", codec.encode()), ("none", None)]
        number = message.key().decode().removeprefix("key-")
        assert message.value().decode() == f"{codec}-{number} " * 10


def rebalance(strategy):
    group = f"two-{strategy}"
    one, two = (consumer(group, **{"partition.assignment.strategy": strategy}) for _ in range(2))
    both = lambda: (poll(one), poll(two))
    one.subscribe(["users"])
    until("the first has all", lambda: len(one.assignment()) == PARTITIONS, lambda: poll(one))
    two.subscribe(["users"])
    shared = lambda: one.assignment() and two.assignment() and len(one.assignment() + two.assignment()) == PARTITIONS
    until("both have some", shared, both)
    described = done(admin.describe_consumer_groups([group]))[group]
    assert described.state.name == "STABLE" and described.partition_assignor == strategy, described.state
    assert sorted(at.partition for member in described.members for at in member.assignment.topic_partitions) == [0, 1, 2]
    one.close()
    until("the second has all", lambda: len(two.assignment()) == PARTITIONS, lambda: poll(two))
    two.close()


def groups_and_offsets():
    groups = {group.group_id for group in admin.list_consumer_groups().result(10).valid}
    assert {"resuming", "two-range", "two-cooperative-sticky"} <= groups, groups
    done(admin.delete_consumer_groups(["two-range"]))
    groups = {group.group_id for group in admin.list_consumer_groups().result(10).valid}
    assert "two-range" not in groups
    partitions = [TopicPartition("users", number) for number in range(PARTITIONS)]
    latest = done(admin.list_offsets({partition: OffsetSpec.latest() for partition in partitions}))
    assert sum(offset.offset for offset in latest.values()) == len(CODECS) * len(KINDS) * PER_PRODUCER
    deleted = done(admin.delete_records([TopicPartition("users", 0, 5)]))
    assert [records.low_watermark for records in deleted.values()] == [5]
    done(admin.delete_topics(["users", "visits"]))
    until("the topics are gone", lambda: not {"users", "visits"} & set(admin.list_topics(timeout=10).topics))


topics()
configs()
produce()
consume_and_resume()
rebalance("range")
rebalance("cooperative-sticky")
groups_and_offsets()
print("ok")
