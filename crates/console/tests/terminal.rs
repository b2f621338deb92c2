//! The shell at a terminal, as a person sees it.

use std::time::Duration;

use playground_console::{Input, Options, Playground};

/// A playground with a terminal at home, and what the terminal has shown.
struct Session {
    playground: Playground,
    shown: String,
}

impl Session {
    fn new() -> Session {
        let mut playground = Playground::new(Options {
            home_files: true,
            ..Options::default()
        });
        playground.input(Input::OpenTerminal {
            terminal: 1,
            host: "home".to_owned(),
        });
        let mut session = Session {
            playground,
            shown: String::new(),
        };
        session.wait(3_000);
        session
    }

    fn wait(&mut self, millis: u64) {
        let until = self.playground.now() + Duration::from_millis(millis);
        assert!(
            self.playground.run_until(until, 10_000_000),
            "too many steps"
        );
        for (_, bytes) in self.playground.drain_output() {
            self.shown.push_str(&String::from_utf8_lossy(&bytes));
        }
    }

    fn line(&mut self, text: &str) -> &mut Session {
        self.playground.input(Input::Line {
            terminal: 1,
            text: text.to_owned(),
        });
        self.wait(3_000);
        self
    }

    fn interrupt(&mut self) -> &mut Session {
        self.playground.input(Input::Interrupt { terminal: 1 });
        self.wait(1_000);
        self
    }

    fn end_of_file(&mut self) -> &mut Session {
        self.playground.input(Input::EndOfFile { terminal: 1 });
        self.wait(1_000);
        self
    }

    /// What was shown since the last call.
    fn take(&mut self) -> String {
        std::mem::take(&mut self.shown)
    }
}

#[test]
fn prompts_and_continuation() {
    let mut session = Session::new();
    session
        .line("echo one \\")
        .line("  two")
        .line("cd /tmp")
        .line("");
    assert_eq!(
        session.take(),
        "~ $ echo one \\\n>   two\none two\n~ $ cd /tmp\n/tmp $ \n/tmp $ "
    );
}

#[test]
fn interrupts() {
    let mut session = Session::new();
    session.take();
    session.line("sleep 100").interrupt().line("echo $?");
    assert_eq!(session.take(), "sleep 100\n^C\n~ $ echo $?\n130\n~ $ ");
    session.line("echo 'a").interrupt().line("echo b");
    assert_eq!(session.take(), "echo 'a\n> ^C\n~ $ echo b\nb\n~ $ ");
    session
        .line("while true; do :; done")
        .interrupt()
        .line("echo c");
    assert_eq!(
        session.take(),
        "while true; do :; done\n^C\n~ $ echo c\nc\n~ $ "
    );
    session.line("cat | cat").line("x").interrupt();
    assert_eq!(session.take(), "cat | cat\nx\nx\n^C\n~ $ ");
    session.line("read x").interrupt();
    assert_eq!(session.take(), "read x\n^C\n~ $ ");
}

#[test]
fn end_of_file_ends_a_reader_and_then_the_shell() {
    let mut session = Session::new();
    session.take();
    session.line("cat").line("x").end_of_file();
    assert_eq!(session.take(), "cat\nx\nx\n~ $ ");
    session.line("bash").line("echo in").end_of_file();
    assert_eq!(session.take(), "bash\n~ $ echo in\nin\n~ $ exit\n~ $ ");
    session.line("echo 'open").end_of_file();
    assert_eq!(
        session.take(),
        "echo 'open\n> \nbash: unexpected EOF while looking for matching `''\n~ $ "
    );
}

#[test]
fn jobs_report_as_bash_does() {
    let mut session = Session::new();
    session.take();
    session.line("sleep 100 &");
    let text = session.take();
    assert!(text.starts_with("sleep 100 &\n[1] "), "{text}");
    session.line("jobs");
    assert_eq!(
        session.take(),
        "jobs\n[1]+  Running                 sleep 100 &\n~ $ "
    );
    session.line("kill %1");
    assert_eq!(
        session.take(),
        "kill %1\n[1]+  Terminated              sleep 100\n~ $ "
    );
    session.line("(sleep 1; exit 3) &").line("");
    let text = session.take();
    assert!(
        text.contains("[1]+  Exit 3                  (sleep 1; exit 3)\n"),
        "{text}"
    );
    session.line("sleep 1 &").line("");
    assert!(
        session
            .take()
            .contains("[1]+  Done                    sleep 1\n")
    );
    session.line("sleep 50 &");
    session.take();
    session.line("fg").interrupt();
    assert_eq!(session.take(), "fg\nsleep 50\n^C\n~ $ ");
}

#[test]
fn pasted_text_is_repaired_and_said() {
    let mut session = Session::new();
    session.take();
    session
        .line("echo one ₩ ①")
        .line("- --two ₩")
        .line("  “three four”");
    assert_eq!(
        session.take(),
        "echo one ₩ ①\n> - --two ₩\n>   “three four”\n(read as: echo one --two \"three four\")\none --two three four\n~ $ "
    );
}

#[test]
fn history_is_kept() {
    let mut session = Session::new();
    session.take();
    session.line("echo a").line("!!").line("history");
    assert_eq!(
        session.take(),
        "echo a\na\n~ $ !!\necho a\na\n~ $ history\n    1  echo a\n    2  history\n~ $ "
    );
}

#[test]
fn a_closed_terminal_ends_what_runs_in_it() {
    let mut session = Session::new();
    session.line("sleep 1000");
    session
        .playground
        .input(Input::CloseTerminal { terminal: 1 });
    session.wait(1_000);
    assert_eq!(
        session
            .playground
            .sim()
            .world()
            .processes()
            .filter(|process| process.exit.is_none())
            .count(),
        0
    );
}
