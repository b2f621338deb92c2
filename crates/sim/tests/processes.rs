//! Processes, pipes, signals, timers and terminals of the simulation.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use playground_protocol::Time;
use playground_sim::{
    Either, HostId, InputStream, OutputStream, Pid, Process, Signal, Sim, SimOptions, SpawnOptions,
    Stdio, select,
};

const START: Time = Time::from_millis(1_000_000);

fn sim() -> (Sim, HostId) {
    let mut sim = Sim::new(SimOptions {
        seed: 7,
        start: START,
    });
    let home = sim.add_host("home");
    (sim, home)
}

fn options(host: HostId, stdout: OutputStream) -> SpawnOptions {
    let stdio = Stdio {
        stdin: InputStream::null(),
        stdout,
        stderr: OutputStream::null(),
    };
    SpawnOptions {
        host,
        name: "test".to_owned(),
        stdio,
        group: None,
    }
}

fn finish(sim: &mut Sim, pid: Pid) -> i32 {
    for _ in 0..10_000 {
        if let Some(code) = sim.exit_code(pid) {
            return code;
        }
        assert!(
            sim.step(),
            "nothing happens any more and the process has not ended"
        );
    }
    panic!("the process did not end");
}

#[test]
fn timers_move_the_clock_and_nothing_else_does() {
    let (mut sim, home) = sim();
    let pid = sim.spawn(
        options(home, OutputStream::null()),
        |process: Process| async move {
            process.sleep(Duration::from_secs(5)).await;
            3
        },
    );
    assert_eq!(finish(&mut sim, pid), 3);
    assert_eq!(sim.now(), START + Duration::from_secs(5));
}

#[test]
fn a_pipe_carries_more_than_it_holds_and_ends_with_its_writer() {
    let (mut sim, home) = sim();
    let (writer, reader) = OutputStream::pipe();
    let length = Rc::new(RefCell::new(0));
    sim.spawn(options(home, writer), |process: Process| async move {
        for _ in 0..10 {
            process.stdout().write(&[7; 50_000]).await.unwrap();
        }
        0
    });
    let seen = Rc::clone(&length);
    let pid = sim.spawn(
        options(home, OutputStream::null()),
        |_: Process| async move {
            *seen.borrow_mut() = reader.read_to_end().await.len();
            0
        },
    );
    finish(&mut sim, pid);
    assert_eq!(*length.borrow(), 500_000);
}

#[test]
fn writing_where_nobody_reads_breaks_the_pipe() {
    let (mut sim, home) = sim();
    let (writer, reader) = OutputStream::pipe();
    drop(reader);
    let pid = sim.spawn(options(home, writer), |process: Process| async move {
        i32::from(process.stdout().write(b"x").await.is_err())
    });
    assert_eq!(finish(&mut sim, pid), 1);
}

#[test]
fn lines_are_read_one_by_one_and_the_rest_stays() {
    let (mut sim, home) = sim();
    let input = InputStream::from_bytes("one\ntwo\nthree");
    let (output, written) = OutputStream::buffer();
    let pid = sim.spawn(options(home, output), |process: Process| async move {
        let first = input.read_line().await.unwrap();
        let rest = input.read_to_end().await;
        process.stdout().write(&first).await.unwrap();
        process.stdout().write(b"|").await.unwrap();
        process.stdout().write(&rest).await.unwrap();
        0
    });
    finish(&mut sim, pid);
    assert_eq!(&*written.borrow(), b"one\n|two\nthree");
}

#[test]
fn signals_end_processes_or_are_awaited() {
    let (mut sim, home) = sim();
    let plain = sim.spawn(
        options(home, OutputStream::null()),
        |process: Process| async move {
            process.sleep_until(Time::NEVER).await;
            0
        },
    );
    sim.step();
    sim.signal_group(plain, Signal::Terminate);
    assert_eq!(finish(&mut sim, plain), 143);

    let catching = sim.spawn(
        options(home, OutputStream::null()),
        |process: Process| async move {
            process.catch_signals();
            match select(process.next_signal(), process.sleep_until(Time::NEVER)).await {
                Either::Left(signal) => signal as i32,
                Either::Right(()) => 0,
            }
        },
    );
    sim.step();
    sim.signal_group(catching, Signal::Interrupt);
    assert_eq!(finish(&mut sim, catching), 2);
}

#[test]
fn a_parent_learns_how_its_child_ended() {
    let (mut sim, home) = sim();
    let pid = sim.spawn(
        options(home, OutputStream::null()),
        |process: Process| async move {
            let child = process.spawn(options(process.host(), OutputStream::null()), |_| async {
                42
            });
            process.wait(child).await
        },
    );
    assert_eq!(finish(&mut sim, pid), 42);
}

#[test]
fn a_terminal_echoes_lines_and_control_c_reaches_the_foreground() {
    let (mut sim, home) = sim();
    let terminal = sim.world_mut().open_terminal();
    let mut options = options(home, OutputStream::null());
    options.stdio = sim.terminal_stdio(terminal);
    let pid = sim.spawn(options, |process: Process| async move {
        while let Some(line) = process.stdin().read_line().await {
            process
                .stdout()
                .write(&line.to_ascii_uppercase())
                .await
                .unwrap();
        }
        9
    });
    sim.world_mut().set_foreground(terminal, pid);
    sim.terminal_line(terminal, "hello");
    sim.run_until(START + Duration::from_secs(1), 1000);
    assert_eq!(
        sim.drain_terminal_output(),
        [(terminal, b"hello\nHELLO\n".to_vec())]
    );
    sim.terminal_end_of_file(terminal);
    assert_eq!(finish(&mut sim, pid), 9);
}

#[test]
fn nobody_listens_so_connecting_fails() {
    use playground_protocol::{ClientInput, ConnectionId};
    let (mut sim, home) = sim();
    let pid = sim.spawn(
        options(home, OutputStream::null()),
        |process: Process| async move {
            process.connect(ConnectionId(1), "localhost", 9092);
            i32::from(process.next_network().await == ClientInput::ConnectFailed(ConnectionId(1)))
        },
    );
    assert_eq!(finish(&mut sim, pid), 1);
    assert!(sim.now() > START, "the news takes time");
}
