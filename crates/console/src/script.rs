//! Console scripts: commands run one after another in virtual time, and the transcript of what came out.
//!
//! The transcript has, per command, `$ ` and the command (further lines of it after `> `), then stdout and
//! stderr as they came, then `[exit N]` where N is not 0. Comments and blank lines print nothing.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use playground_protocol::Time;
use playground_sim::{InputStream, OutputStream, Process, Sim, SpawnOptions, Stdio};

use crate::compose::{self, HOME_HOST};
use crate::playground::{Options, Playground};
use crate::shell::Shell;
use crate::shell::paste::{CommandReader, Progress};

/// Virtual time that a script may take.
const TIME_MAX: Duration = Duration::from_secs(6 * 3600);

/// Virtual time that the cluster gets to come up before the first command.
const BOOT_TIME: Duration = Duration::from_secs(30);

/// What the first lines of a script ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// `# brokers: N`
    pub brokers: u32,
    /// `# broker-config: key=value`
    pub broker_config: Vec<(String, String)>,
}

/// Reads the comments at the start of a script.
pub fn header(text: &str) -> Header {
    let mut header = Header {
        brokers: 1,
        broker_config: Vec::new(),
    };
    for line in text.lines() {
        let Some(comment) = line.strip_prefix('#') else {
            if line.trim().is_empty() {
                continue;
            }
            break;
        };
        let comment = comment.trim();
        if let Some(count) = comment.strip_prefix("brokers:") {
            header.brokers = count.trim().parse().unwrap_or(1);
        } else if let Some((key, value)) = comment
            .strip_prefix("broker-config:")
            .and_then(|setting| setting.split_once('='))
        {
            header
                .broker_config
                .push((key.trim().to_owned(), value.trim().to_owned()));
        }
    }
    header
}

/// Runs a script on a fresh cluster of the size that its header asks for.
pub fn run_fresh(text: &str, seed: u64) -> String {
    let header = header(text);
    let options = Options {
        brokers: header.brokers,
        broker_config: header.broker_config,
        seed,
        ..Options::default()
    };
    Playground::new(options).run_script(text)
}

/// Runs a script on the home host of a simulation.
pub(crate) fn run(sim: &mut Sim, text: &str) -> String {
    let booted = sim.now() + BOOT_TIME;
    while !compose::is_ready(&sim.world()) && sim.next_event_time() <= booted {
        sim.step();
    }
    let Some(host) = sim.world().host_by_name(HOME_HOST) else {
        return String::new();
    };
    let (stream, buffer) = OutputStream::buffer();
    let stdio = Stdio {
        stdin: InputStream::null(),
        stdout: stream.clone(),
        stderr: stream,
    };
    let options = SpawnOptions {
        host,
        name: "bash".to_owned(),
        stdio,
        group: None,
    };
    let (script, transcript) = (text.to_owned(), Rc::clone(&buffer));
    let pid = sim.spawn(options, move |process| {
        commands(process, script, transcript)
    });
    let deadline = sim.now() + TIME_MAX;
    while sim.exit_code(pid).is_none() {
        let next = sim.next_event_time();
        if next == Time::NEVER || next > deadline {
            add(
                &buffer,
                "bash: the script waits for something that never happens\n",
            );
            break;
        }
        sim.step();
    }
    String::from_utf8_lossy(&buffer.borrow()).into_owned()
}

fn add(buffer: &Rc<RefCell<Vec<u8>>>, text: &str) {
    buffer.borrow_mut().extend_from_slice(text.as_bytes());
}

fn end_line(buffer: &Rc<RefCell<Vec<u8>>>) {
    let mut buffer = buffer.borrow_mut();
    if buffer.last().is_some_and(|byte| *byte != b'\n') {
        buffer.push(b'\n');
    }
}

async fn commands(process: Process, script: String, transcript: Rc<RefCell<Vec<u8>>>) -> i32 {
    let mut shell = Shell::login(process);
    let mut reader = CommandReader::default();
    let mut shown: Vec<&str> = Vec::new();
    let mut lines = script.lines().peekable();
    let mut status = 0;
    while let Some(line) = lines.next() {
        let blank = line.trim().is_empty() || line.trim_start().starts_with('#');
        if reader.is_empty() && blank {
            continue;
        }
        shown.push(line);
        let progress = reader.line(line, lines.peek().is_none());
        if progress == Progress::Incomplete {
            continue;
        }
        end_line(&transcript);
        for (index, line) in shown.drain(..).enumerate() {
            add(&transcript, if index == 0 { "$ " } else { "> " });
            add(&transcript, line);
            add(&transcript, "\n");
        }
        let mut ended = false;
        match progress {
            Progress::Incomplete => {}
            Progress::Wrong(reason) => {
                shell.complain(&reason).await;
                status = 2;
                shell.set_status(status);
            }
            Progress::Complete { list, notice } => {
                if let Some(notice) = notice {
                    add(&transcript, &format!("{notice}\n"));
                }
                (status, ended) = shell.run_complete(&list).await;
            }
        }
        end_line(&transcript);
        if status != 0 {
            add(&transcript, &format!("[exit {status}]\n"));
        }
        if ended {
            break;
        }
    }
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read() {
        let header = header(
            "# brokers: 3\n# a comment\n# broker-config: log.retention.ms=5\nls\n# brokers: 9\n",
        );
        assert_eq!(header.brokers, 3);
        assert_eq!(
            header.broker_config,
            [("log.retention.ms".to_owned(), "5".to_owned())]
        );
    }
}
