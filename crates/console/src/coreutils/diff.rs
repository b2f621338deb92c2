//! `diff`: normal and unified output.

use super::args::{self, Spec};
use super::text::{Output, complain, read_all};
use crate::commands::CommandContext;
use crate::files;

const SPEC: Spec = Spec {
    short: "u?U:qsiwbBrNacy",
    long: &[
        ("unified", 'u'),
        ("brief", 'q'),
        ("report-identical-files", 's'),
        ("ignore-case", 'i'),
        ("ignore-all-space", 'w'),
        ("ignore-space-change", 'b'),
        ("recursive", 'r'),
        ("new-file", 'N'),
        ("text", 'a'),
        ("color", 'B'),
    ],
};

/// Differences that are searched for exactly; beyond, the rest counts as changed altogether.
const DISTANCE_MAX: usize = 2_000;

/// A run of lines that differ: `left[from.0..to.0]` became `right[from.1..to.1]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Hunk {
    left: (usize, usize),
    right: (usize, usize),
}

/// The runs that differ, by Myers' greedy algorithm.
fn hunks(left: &[Vec<u8>], right: &[Vec<u8>]) -> Vec<Hunk> {
    let prefix = left
        .iter()
        .zip(right)
        .take_while(|(left, right)| left == right)
        .count();
    let suffix = left[prefix..]
        .iter()
        .rev()
        .zip(right[prefix..].iter().rev())
        .take_while(|(left, right)| left == right)
        .count();
    let (a, b) = (
        &left[prefix..left.len() - suffix],
        &right[prefix..right.len() - suffix],
    );
    if a.is_empty() && b.is_empty() {
        return Vec::new();
    }
    let whole = vec![Hunk {
        left: (prefix, prefix + a.len()),
        right: (prefix, prefix + b.len()),
    }];
    if a.is_empty() || b.is_empty() {
        return whole;
    }
    let limit = (a.len() + b.len()).min(DISTANCE_MAX);
    let offset = limit + 1;
    let mut furthest = vec![0_usize; 2 * offset + 1];
    let mut trace: Vec<Vec<usize>> = Vec::new();
    let mut distance = None;
    'search: for d in 0..=limit {
        trace.push(furthest[offset - d.min(offset)..=offset + d.min(offset)].to_vec());
        for k in (-(d as isize)..=d as isize).step_by(2) {
            let at = (offset as isize + k) as usize;
            let down = k == -(d as isize) || k != d as isize && furthest[at - 1] < furthest[at + 1];
            let mut x = if down {
                furthest[at + 1]
            } else {
                furthest[at - 1] + 1
            };
            let mut y = (x as isize - k) as usize;
            while x < a.len() && y < b.len() && a[x] == b[y] {
                x += 1;
                y += 1;
            }
            furthest[at] = x;
            if x >= a.len() && y >= b.len() {
                distance = Some(d);
                break 'search;
            }
        }
    }
    let Some(distance) = distance else {
        return whole;
    };
    // Back along the trace: which lines were deleted and inserted.
    let mut deleted = vec![false; a.len()];
    let mut inserted = vec![false; b.len()];
    let (mut x, mut y) = (a.len() as isize, b.len() as isize);
    for d in (1..=distance).rev() {
        let before = &trace[d];
        let value = |k: isize| before.get((k + d as isize) as usize).copied().unwrap_or(0) as isize;
        let k = x - y;
        let down = k == -(d as isize) || k != d as isize && value(k - 1) < value(k + 1);
        let previous_k = if down { k + 1 } else { k - 1 };
        let previous_x = value(previous_k);
        let previous_y = previous_x - previous_k;
        if down {
            if let Some(flag) = inserted.get_mut(previous_y as usize) {
                *flag = true;
            }
        } else if let Some(flag) = deleted.get_mut(previous_x as usize) {
            *flag = true;
        }
        (x, y) = (previous_x, previous_y);
    }
    let mut found = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let start = (i, j);
        while deleted.get(i) == Some(&true) {
            i += 1;
        }
        while inserted.get(j) == Some(&true) {
            j += 1;
        }
        if (i, j) == start {
            i += 1;
            j += 1;
            continue;
        }
        found.push(Hunk {
            left: (prefix + start.0, prefix + i),
            right: (prefix + start.1, prefix + j),
        });
    }
    found
}

struct Sides<'a> {
    left: Vec<&'a [u8]>,
    right: Vec<&'a [u8]>,
}

fn push_lines(output: &mut Output, mark: &str, lines: &[&[u8]]) {
    for line in lines {
        output.text(mark);
        output.push(line);
        if !line.ends_with(b"\n") {
            output.text("\n\\ No newline at end of file\n");
        }
    }
}

fn normal(output: &mut Output, sides: &Sides<'_>, hunks: &[Hunk]) {
    let range = |(from, to): (usize, usize)| {
        if to > from + 1 {
            format!("{},{to}", from + 1)
        } else {
            to.max(from).to_string()
        }
    };
    for hunk in hunks {
        let (deletes, inserts) = (hunk.left.1 > hunk.left.0, hunk.right.1 > hunk.right.0);
        let letter = match (deletes, inserts) {
            (true, true) => 'c',
            (true, false) => 'd',
            _ => 'a',
        };
        output.text(&format!(
            "{}{letter}{}\n",
            range(hunk.left),
            range(hunk.right)
        ));
        push_lines(output, "< ", &sides.left[hunk.left.0..hunk.left.1]);
        if letter == 'c' {
            output.text("---\n");
        }
        push_lines(output, "> ", &sides.right[hunk.right.0..hunk.right.1]);
    }
}

fn unified(output: &mut Output, sides: &Sides<'_>, hunks: &[Hunk], context: usize) {
    let mut at = 0;
    while at < hunks.len() {
        let mut last = at;
        while last + 1 < hunks.len() && hunks[last + 1].left.0 - hunks[last].left.1 <= 2 * context {
            last += 1;
        }
        let from = (
            hunks[at].left.0.saturating_sub(context),
            hunks[at].right.0.saturating_sub(context),
        );
        let to = (
            (hunks[last].left.1 + context).min(sides.left.len()),
            (hunks[last].right.1 + context).min(sides.right.len()),
        );
        let range = |from: usize, to: usize| match to - from {
            0 => format!("{from},0"),
            1 => (from + 1).to_string(),
            count => format!("{},{count}", from + 1),
        };
        output.text(&format!(
            "@@ -{} +{} @@\n",
            range(from.0, to.0),
            range(from.1, to.1)
        ));
        let mut left = from.0;
        for hunk in &hunks[at..=last] {
            push_lines(output, " ", &sides.left[left..hunk.left.0]);
            push_lines(output, "-", &sides.left[hunk.left.0..hunk.left.1]);
            push_lines(output, "+", &sides.right[hunk.right.0..hunk.right.1]);
            left = hunk.left.1;
        }
        push_lines(output, " ", &sides.left[left..to.0]);
        at = last + 1;
    }
}

/// Runs it.
pub async fn run(context: CommandContext) -> i32 {
    let options = match args::parse(&context, SPEC, 2).await {
        Ok(options) => options,
        Err(status) => return status,
    };
    let help = "\ndiff: Try 'diff --help' for more information.";
    let (left, right) = match options.operands.as_slice() {
        [left, right] => (left.clone(), right.clone()),
        [] => {
            complain(&context, &format!("missing operand after 'diff'{help}")).await;
            return 2;
        }
        [only] => {
            complain(&context, &format!("missing operand after '{only}'{help}")).await;
            return 2;
        }
        [_, _, extra, ..] => {
            complain(&context, &format!("extra operand '{extra}'{help}")).await;
            return 2;
        }
    };
    let is_directory =
        |path: &str| path != "-" && files::is_directory(&context.process, &context.path(path));
    let mut output = Output::new(&context);
    let mut pairs = vec![(left.clone(), right.clone())];
    let mut status = 0;
    if is_directory(&left) && is_directory(&right) {
        pairs.clear();
        let mut pending = vec![(left, right)];
        while let Some((left, right)) = pending.pop() {
            let lefts = files::list(&context.process, &context.path(&left));
            let rights = files::list(&context.process, &context.path(&right));
            let mut names: Vec<&String> = lefts.iter().chain(&rights).collect();
            names.sort();
            names.dedup();
            for name in names {
                let (one, other) = (format!("{left}/{name}"), format!("{right}/{name}"));
                match (lefts.contains(name), rights.contains(name)) {
                    (true, true) if is_directory(&one) && is_directory(&other) => {
                        if options.has('r') {
                            pending.push((one, other));
                        } else {
                            output.text(&format!("Common subdirectories: {one} and {other}\n"));
                        }
                    }
                    (true, true) => pairs.push((one, other)),
                    (true, false) => {
                        output.text(&format!("Only in {left}: {name}\n"));
                        status = 1;
                    }
                    _ => {
                        output.text(&format!("Only in {right}: {name}\n"));
                        status = 1;
                    }
                }
            }
        }
    } else if let Some(pair) = pairs.first_mut() {
        let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
        if is_directory(&left) {
            pair.0 = format!("{left}/{}", name(&right));
        } else if is_directory(&right) {
            pair.1 = format!("{right}/{}", name(&left));
        }
    }
    let several = pairs.len() > 1 || options.has('r');
    for (left, right) in pairs {
        let mut contents = Vec::new();
        for name in [&left, &right] {
            match read_all(&context, name).await {
                Ok(bytes) => contents.push(bytes),
                Err(error) => {
                    output.flush().await;
                    complain(&context, &format!("{name}: {error}")).await;
                    status = 2;
                }
            }
        }
        let [one, other] = contents.as_slice() else {
            continue;
        };
        let key = |line: &&[u8]| -> Vec<u8> {
            let mut text = String::from_utf8_lossy(line).into_owned();
            if options.has('i') {
                text = text.to_lowercase();
            }
            if options.has('w') {
                text.retain(|character| !character.is_whitespace());
            } else if options.has('b') {
                text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            } else if !options.has('i') {
                return line.to_vec();
            }
            text.into_bytes()
        };
        let sides = Sides {
            left: one.split_inclusive(|byte| *byte == b'\n').collect(),
            right: other.split_inclusive(|byte| *byte == b'\n').collect(),
        };
        let left_keys: Vec<Vec<u8>> = sides.left.iter().map(key).collect();
        let right_keys: Vec<Vec<u8>> = sides.right.iter().map(key).collect();
        let found = hunks(&left_keys, &right_keys);
        if found.is_empty() {
            if options.has('s') {
                output.text(&format!("Files {left} and {right} are identical\n"));
            }
            continue;
        }
        status = status.max(1);
        if options.has('q') {
            output.text(&format!("Files {left} and {right} differ\n"));
            continue;
        }
        if several {
            output.text(&format!("diff {left} {right}\n"));
        }
        if options.has('u') || options.has('U') {
            let context_lines = options
                .value('U')
                .and_then(|value| value.parse().ok())
                .unwrap_or(3);
            let stamp = super::date::stamp(context.process.now(), "%Y-%m-%d %H:%M:%S.%9f +0000");
            output.text(&format!("--- {left}\t{stamp}\n+++ {right}\t{stamp}\n"));
            unified(&mut output, &sides, &found, context_lines);
        } else {
            normal(&mut output, &sides, &found);
        }
    }
    output.finish(status).await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(left: &str, right: &str) -> Vec<Hunk> {
        let lines = |text: &str| {
            text.chars()
                .map(|character| vec![character as u8])
                .collect::<Vec<_>>()
        };
        hunks(&lines(left), &lines(right))
    }

    #[test]
    fn differences_are_small() {
        assert_eq!(found("abc", "abc"), []);
        assert_eq!(
            found("abc", "axc"),
            [Hunk {
                left: (1, 2),
                right: (1, 2)
            }]
        );
        assert_eq!(
            found("abc", "abxc"),
            [Hunk {
                left: (2, 2),
                right: (2, 3)
            }]
        );
        assert_eq!(
            found("", "a"),
            [Hunk {
                left: (0, 0),
                right: (0, 1)
            }]
        );
        let hunks = found("abcdefg", "axcdyfg");
        assert_eq!(
            hunks,
            [
                Hunk {
                    left: (1, 2),
                    right: (1, 2)
                },
                Hunk {
                    left: (4, 5),
                    right: (4, 5)
                }
            ]
        );
        let hunks = found("abcabba", "cbabac");
        let changed: usize = hunks
            .iter()
            .map(|hunk| hunk.left.1 - hunk.left.0 + hunk.right.1 - hunk.right.0)
            .sum();
        assert_eq!(changed, 5);
    }
}
