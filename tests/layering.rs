//! The engine knows no browser, file, socket, thread, clock or entropy (ARCHITECTURE.md, "Invariants, as absences").
//!
//! Two checks: what the engine's crates depend on, down to the last crate; and what their own sources name.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The engine's crates, lowest first, each with the crates of ours that it may depend on.
const ENGINE: [(&str, &[&str]); 7] = [
    ("playground-regex", &[]),
    ("playground-protocol", &[]),
    ("playground-log", &["playground-protocol"]),
    (
        "playground-broker",
        &["playground-protocol", "playground-log"],
    ),
    (
        "playground-client",
        &["playground-protocol", "playground-log"],
    ),
    (
        "playground-sim",
        &[
            "playground-protocol",
            "playground-log",
            "playground-broker",
            "playground-client",
        ],
    ),
    (
        "playground-console",
        &[
            "playground-regex",
            "playground-protocol",
            "playground-log",
            "playground-broker",
            "playground-client",
            "playground-sim",
        ],
    ),
];

/// Crates that reach outside, by name or by the beginning of a name (`*`).
const BANNED: [(&str, &str); 34] = [
    ("web-sys", "browser"),
    ("js-sys", "browser"),
    ("wasm-bindgen*", "browser"),
    ("gloo*", "browser"),
    ("yew*", "browser"),
    ("tokio", "threads, sockets, clock"),
    ("tokio-util", "threads, sockets"),
    ("async-std", "threads, sockets, clock"),
    ("smol", "threads, sockets, clock"),
    ("async-io", "sockets"),
    ("mio", "sockets"),
    ("socket2", "sockets"),
    ("polling", "sockets"),
    ("hyper", "sockets"),
    ("reqwest", "sockets"),
    ("rustls", "entropy, clock"),
    ("nix", "the system"),
    ("rustix", "the system"),
    ("tempfile", "files"),
    ("memmap2", "files"),
    ("walkdir", "files"),
    ("dirs*", "files"),
    ("rayon*", "threads"),
    ("crossbeam*", "threads"),
    ("threadpool", "threads"),
    ("num_cpus", "threads"),
    ("getrandom", "entropy"),
    ("rand", "entropy"),
    ("rand_core", "entropy"),
    ("rand_chacha", "entropy"),
    ("fastrand", "entropy"),
    ("instant", "clock"),
    ("web-time", "clock"),
    ("time", "clock"),
];

/// Chains that end in a banned crate and still reach nothing, each with its reason.
const ALLOWED: [(&str, &str); 0] = [];

/// Names in the engine's own sources that reach outside, or whose order differs from run to run.
const BANNED_NAMES: [(&str, &str); 15] = [
    ("Instant", "the clock: `now` is an argument"),
    ("SystemTime", "the clock: `now` is an argument"),
    ("std::thread", "threads: the engine has one"),
    ("std::fs", "files: use a `Disk`"),
    ("std::net", "sockets: use the simulated network"),
    ("std::process", "processes: use the simulation's"),
    ("std::env", "the environment: options are arguments"),
    ("std::io::stdin", "the terminal: use a stream"),
    ("std::io::stdout", "the terminal: use a stream"),
    ("println!", "the terminal: use a stream"),
    (
        "HashMap",
        "its order is not the same in two runs: BTreeMap or IndexMap",
    ),
    (
        "HashSet",
        "its order is not the same in two runs: BTreeSet or IndexSet",
    ),
    ("RandomState", "entropy"),
    ("thread_local!", "hidden state"),
    ("cfg(target_arch", "the same code natively and in wasm"),
];

const PLATFORMS: [&str; 2] = ["wasm32-unknown-unknown", "x86_64-unknown-linux-gnu"];

#[test]
fn the_engine_depends_on_nothing_that_reaches_outside() {
    let mut wrong = BTreeSet::new();
    for (name, _) in ENGINE {
        for platform in PLATFORMS {
            for (dependency, chain) in reached_from(name, platform) {
                for (banned, reaches) in BANNED {
                    let chain = chain.join(" -> ");
                    let allowed = ALLOWED.iter().any(|(end, _)| chain.ends_with(end));
                    if matches(banned, &dependency) && !allowed {
                        wrong.insert(format!("{chain}: {reaches}"));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn arrows_between_our_crates_point_down() {
    for (name, allowed) in ENGINE {
        for (dependency, chain) in reached_from(name, PLATFORMS[0]) {
            let ours = dependency == "playground" || dependency.starts_with("playground-");
            assert!(
                !ours || allowed.contains(&dependency.as_str()),
                "{}",
                chain.join(" -> ")
            );
        }
    }
}

#[test]
fn the_check_of_dependencies_sees_what_it_should() {
    let tree = "0 playground-log v0.1.0 (/x)\n1 bytes v1.0.0\n1 thiserror v2.0.0\n\
                2 thiserror-impl v2.0.0 (proc-macro)\n3 tokio v1.0.0\n2 mio v1.0.0\n1 rand v0.8.0 (*)\n";
    let chains: Vec<_> = reached_in(tree)
        .iter()
        .map(|(_, chain)| chain[1..].join(" "))
        .collect();
    let expected = [
        "bytes",
        "thiserror",
        "thiserror thiserror-impl",
        "thiserror mio",
        "rand",
    ];
    assert_eq!(chains, expected);
}

#[test]
fn the_engines_sources_name_nothing_that_reaches_outside() {
    let mut wrong = Vec::new();
    for (name, _) in ENGINE {
        let folder = root()
            .join("crates")
            .join(name.trim_start_matches("playground-"))
            .join("src");
        let mut files = Vec::new();
        sources(&folder, &mut files);
        assert!(!files.is_empty(), "{} holds no source", folder.display());
        for file in files {
            let text = fs::read_to_string(&file).expect("a source file is text");
            for (number, line) in own_lines(&text) {
                for (banned, why) in BANNED_NAMES {
                    if names(line, banned) {
                        let file = file.strip_prefix(root()).unwrap_or(&file);
                        wrong.push(format!("{}:{number}: {banned}: {why}", file.display()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_check_of_sources_sees_what_it_should() {
    let text = "use std::fs;\n// std::fs in a comment\nlet a = MyInstant;\nlet b = Instant::now();\n\
                #[cfg(test)]\nmod tests {\n    use std::fs;\n}\n";
    let found: Vec<_> = own_lines(text)
        .filter(|(_, line)| names(line, "std::fs") || names(line, "Instant"))
        .map(|(number, _)| number)
        .collect();
    assert_eq!(found, [1, 4]);
}

fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

fn matches(pattern: &str, name: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    }
}

/// A file's lines up to its tests, without comments, numbered from 1.
fn own_lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .take_while(|(_, line)| !line.starts_with("#[cfg(test)]"))
        .map(|(index, line)| (index + 1, line.split("//").next().unwrap_or_default()))
}

/// Whether the line names it as a whole word.
fn names(line: &str, name: &str) -> bool {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + name.len()..].chars().next();
        !before.is_some_and(word) && !after.is_some_and(word)
    })
}

fn sources(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a source folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            // Folders and files of tests are native programs.
            if !path.ends_with("tests") {
                sources(&path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !path.ends_with("tests.rs")
        {
            files.push(path);
        }
    }
}

/// Every package that `name` reaches on a platform, each with the chain that leads there; tests and build scripts left
/// out. What a macro crate needs runs in the compiler only, and is not followed.
fn reached_from(name: &str, platform: &str) -> Vec<(String, Vec<String>)> {
    let output = Command::new(env!("CARGO"))
        .args(["tree", "--locked", "--package", name, "--target", platform])
        .args(["--edges", "normal", "--prefix", "depth", "--format", " {p}"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    reached_in(&String::from_utf8_lossy(&output.stdout))
}

/// Reads `cargo tree`'s lines: depth, name, version, and `(proc-macro)` behind those that are.
fn reached_in(tree: &str) -> Vec<(String, Vec<String>)> {
    let mut chain: Vec<String> = Vec::new();
    let mut reached = Vec::new();
    let mut inside_macro = usize::MAX;
    for line in tree.lines() {
        let mut words = line.split_whitespace();
        let Some(depth) = words.next().and_then(|word| word.parse::<usize>().ok()) else {
            continue;
        };
        chain.truncate(depth);
        chain.push(words.next().unwrap_or_default().to_owned());
        if depth > inside_macro {
            continue;
        }
        inside_macro = if line.contains("(proc-macro)") {
            depth
        } else {
            usize::MAX
        };
        if depth > 0 {
            reached.push((chain[depth].clone(), chain.clone()));
        }
    }
    reached
}
