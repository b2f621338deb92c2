use super::*;

fn regex(pattern: &str, syntax: Syntax) -> Regex {
    Regex::new(pattern, Options::new(syntax)).unwrap()
}

/// The groups of the first match, `-` for one that took no part.
fn groups(pattern: &str, syntax: Syntax, text: &str) -> String {
    let Some(captures) = regex(pattern, syntax).captures_at(text.as_bytes(), 0) else {
        return "no".to_owned();
    };
    let group = |group| {
        captures
            .get(group)
            .map_or("-", |(start, end)| &text[start..end])
    };
    let all: Vec<&str> = (0..captures.len()).map(group).collect();
    all.join("|")
}

fn error(pattern: &str, syntax: Syntax) -> Error {
    Regex::new(pattern, Options::new(syntax)).unwrap_err()
}

#[test]
fn basic_and_extended_differ() {
    let table = [
        ("a\\+b", Syntax::Basic, "xaab", "aab"),
        ("a+b", Syntax::Basic, "aab", "no"),
        ("a+b", Syntax::Basic, "a+b", "a+b"),
        ("a+b", Syntax::Extended, "aab", "aab"),
        ("\\(ab\\)\\{2\\}", Syntax::Basic, "abab", "abab|ab"),
        ("(ab){2}", Syntax::Extended, "abab", "abab|ab"),
        ("a\\|b", Syntax::Basic, "b", "b"),
        ("{\"a\"", Syntax::Extended, "{\"a\"", "{\"a\""),
        ("*a", Syntax::Basic, "*a", "*a"),
        ("\\(*a\\)", Syntax::Basic, "*a", "*a|*a"),
        ("^*a", Syntax::Basic, "*a", "*a"),
        ("a^b$c", Syntax::Basic, "a^b$c", "a^b$c"),
        ("a{1,2}", Syntax::Basic, "a{1,2}", "a{1,2}"),
        ("\\<ab\\>", Syntax::Basic, "x ab y", "ab"),
        ("\\<ab\\>", Syntax::Basic, "xab", "no"),
        ("x\\?y", Syntax::Basic, "y", "y"),
    ];
    for (pattern, syntax, text, wanted) in table {
        assert_eq!(
            groups(pattern, syntax, text),
            wanted,
            "{pattern} {syntax:?}"
        );
    }
}

#[test]
fn posix_takes_the_longest_and_perl_the_first() {
    assert_eq!(groups("a|ab|abc", Syntax::Extended, "abcd"), "abc");
    assert_eq!(groups("a|ab|abc", Syntax::Perl, "abcd"), "a");
    assert_eq!(groups("(a*)(ab)*b*", Syntax::Extended, "abab"), "abab||ab");
    assert_eq!(groups("a+?", Syntax::Java, "aaa"), "a");
    assert_eq!(groups("(a*)*", Syntax::Extended, "b"), "|-");
    assert_eq!(groups("(a*)*", Syntax::Extended, "aa"), "aa|aa");
    assert_eq!(groups("(|a)+", Syntax::Perl, "aaa"), "|");
}

#[test]
fn back_references_and_look_around() {
    assert_eq!(groups("\\(.\\)\\1", Syntax::Basic, "abccd"), "cc|c");
    assert_eq!(groups("^(.+)-\\1$", Syntax::Extended, "ab-ab"), "ab-ab|ab");
    assert_eq!(groups("(a*)\\1", Syntax::Extended, "aaaaa"), "aaaa|aa");
    assert_eq!(groups("a(?=b)", Syntax::Java, "acab"), "a");
    assert_eq!(groups("(?<!c)a.", Syntax::Java, "caab"), "ab");
    assert_eq!(groups("^(?!__).*", Syntax::Java, "__consumer"), "no");
    assert_eq!(groups("(?<=\\d{2})x", Syntax::Perl, "1x12x"), "x");
    assert_eq!(groups("a++a", Syntax::Java, "aaa"), "no");
    assert_eq!(groups("(?<n>b)\\k<n>", Syntax::Java, "abb"), "bb|b");
}

#[test]
fn brackets() {
    let table = [
        ("[]a]", Syntax::Basic, "]", "]"),
        ("[^]a]", Syntax::Basic, "]ab", "b"),
        ("[[:digit:]]+", Syntax::Extended, "a77", "77"),
        ("[a\\]", Syntax::Basic, "\\", "\\"),
        ("[a-]", Syntax::Basic, "-", "-"),
        ("[[.-.]a]", Syntax::Basic, "-", "-"),
        ("[^é]", Syntax::Basic, "éü", "ü"),
        ("[a-z&&[^c]]+", Syntax::Java, "abcd", "ab"),
        ("[^a&&[ab]]", Syntax::Java, "ab", "b"),
        ("[a[0-9]]+", Syntax::Java, "a1b", "a1"),
        ("\\p{Lu}\\P{Lu}", Syntax::Java, "aBc", "Bc"),
        ("[\\w.-]+", Syntax::Perl, "a.b-c d", "a.b-c"),
    ];
    for (pattern, syntax, text, wanted) in table {
        assert_eq!(
            groups(pattern, syntax, text),
            wanted,
            "{pattern} {syntax:?}"
        );
    }
}

#[test]
fn case_places_and_flags() {
    let mut options = Options::new(Syntax::Basic);
    options.ignore_case = true;
    options.place = Place::Word;
    let words = Regex::new("ab*", options).unwrap();
    // The longest is no word, a shorter one might have been.
    assert_eq!(words.find_at(b"xab AB abc", 0), Some((4, 6)));
    options.place = Place::Whole;
    assert!(!Regex::new("ab", options).unwrap().is_match(b"abc"));
    assert_eq!(groups("(?i)AB(?-i)c", Syntax::Java, "abC abc"), "abc");
    options.multi_line = true;
    options.place = Place::Anywhere;
    let lines = Regex::new("^b$", options).unwrap();
    assert_eq!(lines.find_at(b"a\nb\nc", 0), Some((2, 3)));
}

#[test]
fn errors_are_in_each_familys_words() {
    assert_eq!(error("a\\(", Syntax::Basic).posix(), "Unmatched ( or \\(");
    assert_eq!(error("a\\)", Syntax::Basic).posix(), "Unmatched ) or \\)");
    assert_eq!(
        error("[a", Syntax::Basic).posix(),
        "Unmatched [, [^, [:, [., or [="
    );
    assert_eq!(
        error("\\(a\\)\\2", Syntax::Basic).posix(),
        "Invalid back reference"
    );
    assert_eq!(
        error("(", Syntax::Java).java("("),
        "Unclosed group near index 1\n("
    );
    assert_eq!(
        error("a|*b", Syntax::Java).java("a|*b"),
        "Dangling meta character '*' near index 2\na|*b\n  ^"
    );
    assert_eq!(error("a{2,1}", Syntax::Java).index, 5);
    assert_eq!(error("[b-a]", Syntax::Java).index, 3);
    assert_eq!(
        error("(?=a)", Syntax::Re2).re2(),
        "invalid or unsupported Perl syntax"
    );
}

#[test]
fn every_search_ends() {
    let long = "a".repeat(30_000);
    for pattern in ["(a*)*b", "(a|a)*b", "(a|aa)+$b", ".*.*.*.*x"] {
        assert!(
            !regex(pattern, Syntax::Perl).is_match(long.as_bytes()),
            "{pattern}"
        );
        assert!(
            !regex(pattern, Syntax::Extended).is_match(long.as_bytes()),
            "{pattern}"
        );
    }
    regex("(a*)*\\1b", Syntax::Extended).is_match(&long.as_bytes()[..200]);
    assert!(Regex::new("((a{1,500}){1,500}){1,500}", Options::new(Syntax::Extended)).is_err());
    assert!(Regex::new(&"(".repeat(100_000), Options::new(Syntax::Java)).is_err());
    assert!(Regex::new("(a{32767}){3}", Options::new(Syntax::Extended)).is_err());
}

#[test]
fn any_bytes_are_an_expression_or_an_error() {
    let alphabet: Vec<char> = "ab1é^$.*+?{}[](),-|\\<>:=!&pPkxuQEdwsbB ".chars().collect();
    let mut seed = 7_u64;
    let mut next = move || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) as usize
    };
    for _ in 0..20_000 {
        let length = next() % 12;
        let pattern: String = (0..length)
            .map(|_| alphabet[next() % alphabet.len()])
            .collect();
        for syntax in [
            Syntax::Literal,
            Syntax::Basic,
            Syntax::Extended,
            Syntax::ExtendedStrict,
            Syntax::Perl,
            Syntax::Java,
            Syntax::Re2,
        ] {
            match Regex::new(&pattern, Options::new(syntax)) {
                Ok(regex) => {
                    for text in [&b"ab1 \xc3\xa9b\xffa"[..], b"", b"aaa(b)\n"] {
                        if let Some((start, end)) = regex.find_at(text, 0) {
                            assert!(start <= end && end <= text.len());
                        }
                    }
                }
                Err(error) => assert!(!error.java(&pattern).is_empty()),
            }
        }
    }
}
