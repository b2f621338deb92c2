//! Compose in a simulated world, typed as a person types it.

use std::time::Duration;

use playground_protocol::Time;
use playground_sim::{NodeState, OutputStream, Sim, SimOptions, SpawnOptions, Stdio, TerminalId};

use super::{HOME_FILE, HOME_HOST, boot, home_file, is_ready};
use crate::shell::{Shell, interactive};

fn world(file: &str) -> Sim {
    let mut sim = Sim::new(SimOptions {
        seed: 7,
        start: Time::from_millis(1_767_225_600_000),
    });
    boot(&mut sim.world_mut(), file, true).expect("boots");
    sim
}

fn run_for(sim: &mut Sim, seconds: u64) {
    let until = sim.now() + Duration::from_secs(seconds);
    assert!(sim.run_until(until, 10_000_000));
}

/// Runs a command line on the home host, not at a terminal: its output and exit code.
fn run(sim: &mut Sim, line: &str) -> (String, i32) {
    let host = sim.world().host_by_name(HOME_HOST).expect("home");
    let (stream, buffer) = OutputStream::buffer();
    let stdio = Stdio {
        stdin: playground_sim::InputStream::null(),
        stdout: stream.clone(),
        stderr: stream,
    };
    let options = SpawnOptions {
        host,
        name: "bash".to_owned(),
        stdio,
        group: None,
    };
    let line = line.to_owned();
    let pid = sim.spawn(options, |process| async move {
        Shell::login(process).run_to_end(&line).await
    });
    let deadline = sim.now() + Duration::from_secs(300);
    while sim.exit_code(pid).is_none() && sim.now() < deadline {
        sim.step();
    }
    let text = String::from_utf8_lossy(&buffer.borrow()).into_owned();
    (text, sim.exit_code(pid).expect("ended"))
}

fn terminal(sim: &mut Sim) -> TerminalId {
    let host = sim.world().host_by_name(HOME_HOST).expect("home");
    let id = sim.world_mut().open_terminal();
    let options = SpawnOptions {
        host,
        name: "bash".to_owned(),
        stdio: sim.terminal_stdio(id),
        group: None,
    };
    sim.spawn(options, |process| async move {
        interactive(Shell::login(process)).await
    });
    id
}

fn output(sim: &mut Sim) -> String {
    let bytes: Vec<u8> = sim
        .drain_terminal_output()
        .into_iter()
        .flat_map(|(_, bytes)| bytes)
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

fn state(sim: &Sim, host: &str) -> NodeState {
    let world = sim.world();
    let host = world.host_by_name(host).expect("host");
    world.node_state(host).0
}

#[test]
fn three_brokers_boot_from_the_home_file() {
    let mut sim = world(HOME_FILE);
    run_for(&mut sim, 5);
    for name in ["kafka-1", "kafka-2", "kafka-3"] {
        assert_eq!(state(&sim, name), NodeState::Running);
    }
    assert!(is_ready(&sim.world()));
    let (text, code) = run(&mut sim, "docker-compose ps");
    assert_eq!(code, 0, "{text}");
    assert_eq!(
        text.lines().nth(1),
        Some(
            "kafka-1   apache/kafka:4.3.1   \"/__cacert_entrypoin…\"   kafka-1   5 seconds ago   Up 5 seconds   "
        )
    );
}

#[test]
fn stop_start_kill_and_restart_are_quiet_in_scripts() {
    let mut sim = world(HOME_FILE);
    run_for(&mut sim, 5);
    assert_eq!(
        run(&mut sim, "docker-compose stop kafka-3"),
        (String::new(), 0)
    );
    assert_eq!(state(&sim, "kafka-3"), NodeState::Stopped);
    assert_eq!(state(&sim, "kafka-2"), NodeState::Running);
    let (text, _) = run(&mut sim, "docker-compose ps -a | grep kafka-3");
    assert!(
        text.contains("Exited (143) Less than a second ago"),
        "{text}"
    );
    assert_eq!(
        run(&mut sim, "docker-compose exec kafka-3 ls"),
        ("service \"kafka-3\" is not running\n".to_owned(), 1)
    );
    assert_eq!(
        run(&mut sim, "docker compose start kafka-3"),
        (String::new(), 0)
    );
    assert!(is_ready(&sim.world()));
    assert_eq!(
        run(&mut sim, "docker-compose kill kafka-2"),
        (String::new(), 0)
    );
    assert_eq!(state(&sim, "kafka-2"), NodeState::Stopped);
    let (text, _) = run(&mut sim, "docker-compose ps -a | grep kafka-2");
    assert!(text.contains("Exited (137)"), "{text}");
    assert_eq!(run(&mut sim, "docker-compose restart"), (String::new(), 0));
    assert!(is_ready(&sim.world()));
    assert_eq!(state(&sim, "kafka-2"), NodeState::Running);
    assert_eq!(
        run(&mut sim, "docker-compose stop nope"),
        ("no such service: nope\n".to_owned(), 1)
    );
}

#[test]
fn exec_runs_inside() {
    let mut sim = world(HOME_FILE);
    run_for(&mut sim, 5);
    for (line, expected) in [
        ("docker-compose exec kafka-2 hostname", "kafka-2\n"),
        (
            "docker-compose exec -T kafka-2 bash -c 'echo $KAFKA_NODE_ID; pwd'",
            "2\n/home/appuser\n",
        ),
        ("echo a | docker-compose exec -T kafka-1 cat", "a\n"),
        ("docker-compose exec -e A=b kafka-1 printenv A", "b\n"),
        ("docker-compose exec kafka-1 echo hi", "hi\n"),
    ] {
        assert_eq!(run(&mut sim, line), (expected.to_owned(), 0), "{line}");
    }
    let (text, code) = run(&mut sim, "docker-compose exec kafka-1 nonsense");
    assert!(
        text.contains("executable file not found in $PATH"),
        "{text}"
    );
    assert_eq!(code, 127);
    assert_eq!(run(&mut sim, "docker-compose exec kafka-1 false").1, 1);
}

#[test]
fn the_tutorials_cluster_comes_and_goes() {
    let mut sim = world(&home_file(1, &[]));
    run_for(&mut sim, 5);
    let id = terminal(&mut sim);
    for line in ["cd book", "docker-compose up -d", "docker-compose ps"] {
        sim.terminal_line(id, line);
        run_for(&mut sim, 5);
    }
    let text = output(&mut sim);
    for expected in [
        " Network book_default  Created\n",
        " Container zookeeper  Started\n",
        " Container kafka  Started\n",
        "(metadata service that KRaft replaced)",
        "0.0.0.0:29092->29092/tcp",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(is_ready(&sim.world()));
    for line in [
        "docker-compose exec -it kafka bash",
        "echo kept > here; hostname",
        "exit",
        "hostname",
        "docker-compose logs --tail 3",
        "docker-compose down",
    ] {
        sim.terminal_line(id, line);
        run_for(&mut sim, 15);
    }
    let text = output(&mut sim);
    for expected in [
        "kafka:~ $ ",
        "kafka\n",
        "home\n",
        "zookeeper  | [",
        "kafka      | [",
        " Container kafka  Stopped\n",
        " Container kafka  Removed (and its data with it",
        " Network book_default  Removed\n",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    let world = sim.world();
    let host = world.host_by_name("kafka").expect("host");
    assert!(world.disk(host).list("/").is_empty());
    assert_eq!(world.node_state(host).0, NodeState::Stopped);
}

#[test]
fn ctrl_c_ends_an_attached_up() {
    let mut sim = world(&home_file(1, &[]));
    run_for(&mut sim, 3);
    let id = terminal(&mut sim);
    sim.terminal_line(id, "cd book && docker-compose up; echo code $?");
    run_for(&mut sim, 10);
    let text = output(&mut sim);
    assert!(text.contains("Attaching to zookeeper, kafka\n"), "{text}");
    assert!(text.contains("kafka      | ["), "{text}");
    assert!(
        text.contains("Kafka Server started (kafka.server.KafkaRaftServer)"),
        "{text}"
    );
    sim.terminal_interrupt(id);
    run_for(&mut sim, 15);
    let text = output(&mut sim);
    assert!(
        text.contains("Gracefully Stopping... press Ctrl+C again to force\n"),
        "{text}"
    );
    assert!(text.contains(" Container kafka  Stopped\n"), "{text}");
    assert!(text.contains("code 130\n"), "{text}");
    assert_eq!(state(&sim, "kafka"), NodeState::Stopped);
}

#[test]
fn down_keeps_named_volumes() {
    let mut sim = world(&home_file(1, &[]));
    run_for(&mut sim, 3);
    run(&mut sim, "docker-compose exec -T kafka-1 touch gone");
    let data = "/var/lib/kafka/data/meta.properties";
    let has = |sim: &Sim, path: &str| {
        let world = sim.world();
        world
            .host_by_name("kafka-1")
            .is_some_and(|host| world.disk(host).exists(path))
    };
    assert!(has(&sim, data) && has(&sim, "/home/appuser/gone"));
    assert_eq!(run(&mut sim, "docker-compose down"), (String::new(), 0));
    assert!(has(&sim, data) && !has(&sim, "/home/appuser/gone"));
    assert_eq!(run(&mut sim, "docker-compose up -d"), (String::new(), 0));
    assert!(is_ready(&sim.world()));
    assert_eq!(run(&mut sim, "docker-compose down -v"), (String::new(), 0));
    assert!(!has(&sim, data));
}

#[test]
fn a_bad_file_is_an_error_with_its_line() {
    let mut sim = world(&home_file(1, &[]));
    run_for(&mut sim, 3);
    let (text, code) = run(
        &mut sim,
        "mkdir -p bad/inner; printf 'services:\\n  k:\\n   image: kafka\\n  ports:\\n' > bad/docker-compose.yml; cd bad; docker-compose up -d",
    );
    assert_eq!(
        (text.as_str(), code),
        (
            "docker-compose.yml:4: service `ports` holds nothing: it should be a map with `image:` and `environment:`\n",
            15
        )
    );
    let (text, code) = run(&mut sim, "cd bad/inner; docker-compose ps");
    assert!(
        text.starts_with("/home/user/bad/docker-compose.yml:4: "),
        "{text}"
    );
    assert_eq!(code, 15);
    assert_eq!(
        run(&mut sim, "cd /tmp; docker-compose ps"),
        ("no configuration file provided: not found\n".to_owned(), 14)
    );
    assert_eq!(run(&mut sim, "docker-compose up --what").1, 16);
}

#[test]
fn ports_and_names_are_taken_once() {
    let mut sim = world(&home_file(1, &[]));
    run_for(&mut sim, 3);
    let (text, code) = run(
        &mut sim,
        "mkdir x; printf 'services:\\n  k:\\n    image: kafka\\n    ports: [\"9092:9092\"]\\n' > x/compose.yml; cd x; docker-compose up -d",
    );
    assert!(
        text.contains("Bind for 0.0.0.0:9092 failed: port is already allocated"),
        "{text}"
    );
    assert_eq!(code, 1);
    let (text, code) = run(
        &mut sim,
        "mkdir y; cp docker-compose.yml y; cd y; docker-compose up -d",
    );
    assert!(
        text.contains("The container name \"/kafka-1\" is already in use"),
        "{text}"
    );
    assert_eq!(code, 1);
}

#[test]
fn what_ran_runs_again_after_a_reload() {
    let mut sim = world(HOME_FILE);
    run_for(&mut sim, 5);
    run(
        &mut sim,
        "docker-compose stop kafka-2; cd book; docker-compose up -d",
    );
    let mut again = Sim::new(SimOptions {
        seed: 8,
        start: sim.now(),
    });
    {
        let old = sim.world();
        let mut new = again.world_mut();
        for host in old.host_ids() {
            let name = old.host_name(host);
            let id = new.add_host(name);
            *new.disk_mut(id) = old.disk(host).clone();
        }
        boot(&mut new, HOME_FILE, true).expect("boots");
    }
    // The brokers were killed, so the controller waits until their sessions have run out, 9 s.
    run_for(&mut again, 12);
    assert!(is_ready(&again.world()));
    for (name, expected) in [
        ("kafka-1", NodeState::Running),
        ("kafka-2", NodeState::Stopped),
        ("kafka-3", NodeState::Running),
        ("kafka", NodeState::Running),
    ] {
        assert_eq!(state(&again, name), expected, "{name}");
    }
}

#[test]
fn ctrl_c_and_a_stop_end_what_runs_inside() {
    let mut sim = world(HOME_FILE);
    run_for(&mut sim, 5);
    let id = terminal(&mut sim);
    sim.terminal_line(id, "docker-compose exec kafka-1 sleep 1000; echo code $?");
    run_for(&mut sim, 2);
    sim.terminal_interrupt(id);
    run_for(&mut sim, 2);
    let text = output(&mut sim);
    assert!(text.contains("code 130\n"), "{text}");
    // Ctrl-C at a prompt inside is the inner shell's.
    sim.terminal_line(id, "docker-compose exec -it kafka-1 bash");
    run_for(&mut sim, 2);
    sim.terminal_interrupt(id);
    sim.terminal_line(id, "hostname");
    run_for(&mut sim, 2);
    let text = output(&mut sim);
    assert!(text.ends_with("kafka-1\nkafka-1:~ $ "), "{text}");
    assert_eq!(run(&mut sim, "docker-compose stop kafka-1").1, 0);
    run_for(&mut sim, 2);
    sim.terminal_line(id, "echo code $? on $(hostname)");
    run_for(&mut sim, 2);
    let text = output(&mut sim);
    assert!(text.contains("code 137 on home\n"), "{text}");
}

#[test]
fn a_pipe_needs_no_terminal() {
    let mut sim = world(&home_file(1, &[]));
    run_for(&mut sim, 3);
    let id = terminal(&mut sim);
    sim.terminal_line(id, "echo x | docker-compose exec kafka-1 cat");
    sim.terminal_line(id, "echo x | docker-compose exec -T kafka-1 cat | tr x y");
    run_for(&mut sim, 3);
    let text = output(&mut sim);
    assert!(text.contains("the input device is not a TTY"), "{text}");
    assert!(text.contains("~ $ y\n"), "{text}");
}

#[test]
fn a_changed_file_makes_the_container_anew() {
    let mut sim = world(&home_file(1, &[]));
    run_for(&mut sim, 3);
    assert_eq!(run(&mut sim, "docker-compose up -d"), (String::new(), 0));
    let (text, code) = run(
        &mut sim,
        "sed -i 's/REBALANCE_DELAY_MS: 0/REBALANCE_DELAY_MS: 7/' docker-compose.yml; docker-compose up -d",
    );
    assert_eq!((text.as_str(), code), ("", 0));
    let value = {
        let world = sim.world();
        let host = world.host_by_name("kafka-1").expect("host");
        world
            .node_config(host)
            .and_then(|config| config.property("group.initial.rebalance.delay.ms"))
            .map(str::to_owned)
    };
    assert_eq!(value.as_deref(), Some("7"));
    assert!(is_ready(&sim.world()));
    let (text, code) = run(
        &mut sim,
        "sed -i 's/KAFKA_NODE_ID: 1/KAFKA_NUM_PARTITIONS: x/' docker-compose.yml; docker-compose up -d",
    );
    assert!(text.starts_with("docker-compose.yml:"), "{text}");
    assert!(text.contains("num.partitions"), "{text}");
    assert_eq!(code, 15);
}
