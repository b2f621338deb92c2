//! The same seed and the same inputs give the same bytes: on the wire, on the disks and on the terminal.

use playground_console::playground::{Options, Playground};

const SCRIPT: &str = "\
kafka-topics --bootstrap-server localhost:9092 --create --topic users --partitions 4
seq 1 200 | kafka-console-producer --bootstrap-server localhost:9092 --topic users
kafka-console-consumer --bootstrap-server localhost:9092 --topic users --group g > one.txt 2>&1 &
kafka-console-consumer --bootstrap-server localhost:9092 --topic users --group g > two.txt 2>&1 &
sleep 6
seq 201 400 | kafka-console-producer --bootstrap-server localhost:9092 --topic users
sleep 2
docker-compose kill kafka-2
docker-compose start kafka-2
kafka-consumer-groups --bootstrap-server localhost:9092 --describe --group g
kill %1 %2; wait
cat one.txt two.txt
";

/// FNV-1a of everything that happened and everything that lies on the disks.
fn hash(seed: u64) -> u64 {
    let options = Options {
        brokers: 3,
        seed,
        ..Options::default()
    };
    let mut playground = Playground::new(options);
    let transcript = playground.run_script(SCRIPT);
    assert!(transcript.contains("Created topic users."), "{transcript}");
    let world = playground.sim().world();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut add = |text: &str| {
        for byte in text.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    };
    add(&transcript);
    for event in world.trace().events() {
        add(&format!("{event:?}"));
    }
    for host in world.host_ids() {
        for change in world.disk(host).snapshot() {
            add(&format!("{change:?}"));
        }
    }
    hash
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_gives_others() {
    let first = hash(1);
    assert_eq!(first, hash(1));
    assert_ne!(first, hash(2));
}
