#!/usr/bin/env python3
"""Record console scripts against a real Apache Kafka.

    record.py JARS SCRIPT.sh...            write SCRIPT.out beside each script
    record.py --check JARS SCRIPT.sh...    print how a new recording differs from SCRIPT.out

JARS is a folder with Kafka's jars (its libs/, with log4j-core and log4j-slf4j-impl). Needs Java 17, bash and
GNU coreutils, and the ports 9092.. (clients) and 19192.. (controllers) free. Every script gets a fresh cluster
and an empty home. What is recorded is said in README.md; docker-compose is not played.
"""

import argparse
import difflib
import fcntl
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent

TOOLS = {
    "kafka-acls": "org.apache.kafka.tools.AclCommand",
    "kafka-broker-api-versions": "org.apache.kafka.tools.BrokerApiVersionsCommand",
    "kafka-client-metrics": "org.apache.kafka.tools.ClientMetricsCommand",
    "kafka-cluster": "org.apache.kafka.tools.ClusterTool",
    "kafka-configs": "kafka.admin.ConfigCommand",
    "kafka-console-consumer": "org.apache.kafka.tools.consumer.ConsoleConsumer",
    "kafka-console-producer": "org.apache.kafka.tools.ConsoleProducer",
    "kafka-consumer-groups": "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
    "kafka-consumer-perf-test": "org.apache.kafka.tools.ConsumerPerformance",
    "kafka-delete-records": "org.apache.kafka.tools.DeleteRecordsCommand",
    "kafka-dump-log": "org.apache.kafka.tools.DumpLogSegments",
    "kafka-features": "org.apache.kafka.tools.FeatureCommand",
    "kafka-get-offsets": "org.apache.kafka.tools.GetOffsetShell",
    "kafka-groups": "org.apache.kafka.tools.GroupsCommand",
    "kafka-leader-election": "org.apache.kafka.tools.LeaderElectionCommand",
    "kafka-log-dirs": "org.apache.kafka.tools.LogDirsCommand",
    "kafka-metadata-quorum": "org.apache.kafka.tools.MetadataQuorumCommand",
    "kafka-producer-perf-test": "org.apache.kafka.tools.ProducerPerformance",
    "kafka-reassign-partitions": "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
    "kafka-share-groups": "org.apache.kafka.tools.consumer.group.ShareGroupCommand",
    "kafka-storage": "kafka.tools.StorageTool",
    "kafka-topics": "org.apache.kafka.tools.TopicCommand",
    "kafka-transactions": "org.apache.kafka.tools.TransactionsCommand",
}

# As Kafka's config/tools-log4j2.yaml: warnings and above, to standard error.
LOGGING = """
status = error
appender.err.type = Console
appender.err.name = STDERR
appender.err.target = SYSTEM_ERR
appender.err.layout.type = PatternLayout
appender.err.layout.pattern = [%d] %p %m (%c)%n
rootLogger.level = {level}
rootLogger.appenderRef.err.ref = STDERR
"""

# Runs each file named on descriptor 3 in this shell, with `$?` kept between them.
LOOP = """
__code=0
while IFS= read -r __file <&3; do
    (exit $__code)
    . "$__file" 3<&- 4>&-
    __code=$?
    echo $__code >&4
done
"""


def rules():
    """The rules of normalise.rules."""
    found = []
    for line in (HERE / "normalise.rules").read_text().splitlines():
        if line and not line.startswith("#"):
            expression, replacement = line.split("\t")
            replacement = replacement.replace("\\n", "\n")
            found.append((expression, replacement))
    return found


def normalise(text):
    """Hide what differs from run to run."""
    for expression, replacement in rules():
        def expand(match, replacement=replacement):
            return re.sub(r"\$\{(\d)\}", lambda group: match.group(int(group[1])), replacement)

        text = re.sub(expression, expand, text, flags=re.M)
    return text


def commands(script):
    """The complete commands of a script, each a list of lines; comments and blank lines between them go."""
    gathered = []
    for line in script.splitlines():
        if not gathered and (not line.strip() or line.lstrip().startswith("#")):
            continue
        gathered.append(line)
        text = "\n".join(gathered) + "\n"
        check = subprocess.run(["bash", "-n"], input=text, capture_output=True, text=True)
        if check.returncode == 0 and not check.stderr and not re.search(r"(?<!\\)(\\\\)*\\$", line):
            yield gathered
            gathered = []
    if gathered:
        yield gathered


class Cluster:
    """Brokers of a fresh cluster, all on this machine."""

    def __init__(self, folder, jars, brokers, overrides):
        self.brokers = []
        voters = ",".join(f"{node}@localhost:{19191 + node}" for node in range(1, brokers + 1))
        logging = folder / "server-log.properties"
        logging.write_text(LOGGING.format(level="WARN"))
        for node in range(1, brokers + 1):
            settings = {
                "process.roles": "broker,controller",
                "node.id": node,
                "listeners": f"PLAINTEXT://localhost:{9091 + node},CONTROLLER://localhost:{19191 + node}",
                "advertised.listeners": f"PLAINTEXT://localhost:{9091 + node}",
                "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
                "controller.listener.names": "CONTROLLER",
                "controller.quorum.voters": voters,
                "log.dirs": folder / f"kafka-{node}",
                "group.initial.rebalance.delay.ms": 0,
            }
            for name in ("offsets.topic", "transaction.state.log", "share.coordinator.state.topic"):
                settings[f"{name}.replication.factor"] = min(3, brokers)
            for name in ("transaction.state.log", "share.coordinator.state.topic"):
                settings[f"{name}.min.isr"] = min(2, brokers)
            settings.update(overrides)
            file = folder / f"server-{node}.properties"
            file.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
            java = java_command(jars, logging)
            subprocess.run(
                [*java, "kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", file],
                check=True, stdout=subprocess.DEVNULL,
            )
            log = open(folder / f"server-{node}.log", "wb")
            self.brokers.append(
                subprocess.Popen([*java, "kafka.Kafka", file], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
            )
        for node in range(1, brokers + 1):
            wait_for_port(9091 + node)
        time.sleep(3)

    def stop(self):
        """End every broker at once; nothing of it is kept."""
        for broker in self.brokers:
            broker.kill()
            broker.wait()


def wait_for_port(port):
    """Until something listens at the port, a minute at most."""
    for _ in range(600):
        with socket.socket() as probe:
            if probe.connect_ex(("localhost", port)) == 0:
                return
        time.sleep(0.1)
    sys.exit(f"no broker came up at port {port}")


def java_command(jars, logging):
    """How a Java main is started; RECORD_JAVA_OPTIONS says what else the JVM is given."""
    return ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m",
            *os.environ.get("RECORD_JAVA_OPTIONS", "").split(), f"-Dlog4j2.configurationFile={logging}",
            "-cp", f"{jars}/*"]


def record(jars, script):
    """The transcript of one script, normalised."""
    text = script.read_text()
    header = dict(re.findall(r"^# (brokers): (\d+)$", text, flags=re.M))
    overrides = dict(re.findall(r"^# broker-config: ([^=\n]+)=(.*)$", text, flags=re.M))
    folder = Path(tempfile.mkdtemp(prefix="record-"))
    cluster = None
    try:
        cluster = Cluster(folder, jars, int(header.get("brokers", 1)), overrides)
        logging = folder / "tools-log.properties"
        logging.write_text(LOGGING.format(level="WARN"))
        bin_folder, home = folder / "bin", folder / "home"
        bin_folder.mkdir()
        home.mkdir()
        for tool, main in TOOLS.items():
            java = " ".join(f"'{part}'" for part in java_command(jars, logging))
            for name in (tool, f"{tool}.sh"):
                (bin_folder / name).write_text(f'#!/bin/bash\nexec {java} {main} "$@"\n')
                (bin_folder / name).chmod(0o755)
        played = play(folder, bin_folder, home, text)
        # Every broker has its data there, as far as a script can tell.
        data = re.compile(re.escape(str(folder)) + r"/kafka-\d")
        return normalise(data.sub("/var/lib/kafka/data", played))
    finally:
        if cluster:
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


def play(folder, bin_folder, home, text):
    """Run the commands of a script in one bash; what it printed, as a transcript."""
    printed = folder / "printed"
    printed.touch()
    # Out of the way of 3 and 4, which the shell reads and writes.
    names = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in os.pipe()]
    codes = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 20) for end in os.pipe()]
    environment = dict(os.environ, PATH=f"{bin_folder}:{os.environ['PATH']}", HOME=str(home), LC_ALL="C.UTF-8")
    environment.pop("BASH_ENV", None)

    def give_pipes():
        os.dup2(names[0], 3)
        os.dup2(codes[1], 4)

    with open(printed, "ab") as out:
        shell = subprocess.Popen(["bash", "--norc", "-c", LOOP], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                 cwd=home, env=environment, close_fds=False, preexec_fn=give_pipes)
    statuses = os.fdopen(codes[0], "r")
    transcript = []
    position = 0
    for number, command in enumerate(commands(text)):
        transcript.append("$ " + "\n> ".join(command) + "\n")
        file = folder / f"command-{number}"
        file.write_text("\n".join(command) + "\n")
        os.write(names[1], f"{file}\n".encode())
        code = statuses.readline().strip()
        with open(printed, "rb") as out:
            out.seek(position)
            came = out.read()
        position += len(came)
        came = came.decode("utf-8", "replace").replace(f"{file}: line ", "bash: line ")
        transcript.append(came if came.endswith("\n") or not came else came + "\n")
        if code != "0":
            transcript.append(f"[exit {code}]\n")
    shell.kill()
    shell.wait()
    return "".join(transcript)


def main():
    """Record or check what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare with the .out instead of writing it")
    parser.add_argument("jars", type=Path, help="folder with Kafka's jars")
    parser.add_argument("scripts", nargs="+", type=Path)
    options = parser.parse_args()
    differing = 0
    for script in options.scripts:
        came = record(options.jars.resolve(), script)
        out = script.with_suffix(".out")
        if options.check:
            lines = list(difflib.unified_diff(out.read_text().splitlines(), came.splitlines(), str(out), "recorded now",
                                              lineterm=""))
            differing += bool(lines)
            print("\n".join(lines) or f"{script}: the same")
        else:
            out.write_text(came)
            print(out, flush=True)
    sys.exit(1 if differing else 0)


if __name__ == "__main__":
    main()
