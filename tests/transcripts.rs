//! Every console script under `transcripts/` is run in a simulation of its own, and what came out is
//! compared with what a real Apache Kafka printed.
//!
//! `known-failures.txt` keeps the score: a script that fails and is not listed fails the run, and so does
//! one that is listed and passes. `UPDATE_KNOWN=1` writes the list anew; `TRANSCRIPT=part-of-a-name` runs
//! only some and prints how they differ.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use playground_console::script;
use regex::Regex;

/// The seed of every run.
const SEED: u64 = 1;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

/// The rules of `normalise.rules`.
fn rules() -> Vec<(Regex, String)> {
    let text = std::fs::read_to_string(folder().join("transcripts/normalise.rules"))
        .expect("normalise.rules");
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let (expression, replacement) = line.split_once('\t').expect("a rule has a tab");
            let expression = Regex::new(&format!("(?m){expression}")).expect("a rule's expression");
            (expression, replacement.replace("\\n", "\n"))
        })
        .collect()
}

fn normalise(text: &str, rules: &[(Regex, String)]) -> String {
    let mut text = text.to_owned();
    for (expression, replacement) in rules {
        text = expression
            .replace_all(&text, replacement.as_str())
            .into_owned();
    }
    text
}

/// All scripts, as `area/name`.
fn scripts() -> Vec<String> {
    let mut found = Vec::new();
    for area in std::fs::read_dir(folder().join("transcripts"))
        .expect("transcripts")
        .flatten()
    {
        if !area.path().is_dir() {
            continue;
        }
        for file in std::fs::read_dir(area.path()).expect("an area").flatten() {
            if let Some(name) = file.file_name().to_string_lossy().strip_suffix(".sh") {
                found.push(format!("{}/{name}", area.file_name().to_string_lossy()));
            }
        }
    }
    found.sort();
    found
}

/// The first line that differs, with what was wanted and what came.
fn difference(wanted: &str, came: &str) -> String {
    let mut wanted = wanted.lines();
    let mut came = came.lines();
    let mut number = 0;
    loop {
        number += 1;
        match (wanted.next(), came.next()) {
            (Some(left), Some(right)) if left == right => {}
            (left, right) => {
                let show = |line: Option<&str>| line.map_or("(the end)".to_owned(), str::to_owned);
                return format!(
                    "line {number}\n  wanted: {}\n  came:   {}",
                    show(left),
                    show(right)
                );
            }
        }
    }
}

#[test]
fn transcripts_match_a_real_kafka() {
    let rules = rules();
    let known_path = folder().join("known-failures.txt");
    let known: BTreeSet<String> = std::fs::read_to_string(&known_path)
        .unwrap_or_default()
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(str::to_owned)
        .collect();
    let only = std::env::var("TRANSCRIPT").ok();
    let mut failing = BTreeSet::new();
    let mut passed = 0;
    for name in scripts() {
        if only
            .as_ref()
            .is_some_and(|only| !name.contains(only.as_str()))
        {
            continue;
        }
        let file = |ending: &str| folder().join(format!("transcripts/{name}.{ending}"));
        let text = std::fs::read_to_string(file("sh")).expect("a script");
        let wanted = std::fs::read_to_string(file("out")).expect("a transcript");
        let came = normalise(&script::run_fresh(&text, SEED), &rules);
        if came == wanted {
            passed += 1;
            continue;
        }
        if only.is_some() || !known.contains(&name) {
            println!("{name}: {}", difference(&wanted, &came));
        }
        if let Ok(folder) = std::env::var("TRANSCRIPT_OUT") {
            let path = Path::new(&folder).join(format!("{}.came", name.replace('/', "-")));
            std::fs::write(path, &came).expect("TRANSCRIPT_OUT is a folder");
        }
        failing.insert(name);
    }
    println!("{passed} transcripts match, {} do not", failing.len());
    if only.is_some() {
        return;
    }
    if std::env::var("UPDATE_KNOWN").is_ok_and(|value| value == "1") {
        let mut text = "# Transcripts that do not match yet; `UPDATE_KNOWN=1 cargo test --test transcripts` writes this list.\n".to_owned();
        for name in &failing {
            text.push_str(name);
            text.push('\n');
        }
        std::fs::write(&known_path, text).expect("known-failures.txt");
        return;
    }
    let new: Vec<&String> = failing.difference(&known).collect();
    let mended: Vec<&String> = known.difference(&failing).collect();
    assert!(
        new.is_empty(),
        "fail, and are not in known-failures.txt: {new:?}"
    );
    assert!(
        mended.is_empty(),
        "pass now: take them out of known-failures.txt: {mended:?}"
    );
}
