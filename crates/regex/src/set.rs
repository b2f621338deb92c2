//! Sets of characters: `[…]`, `.`, `\w`, `[:alpha:]`, `\p{Lu}`.

/// A set of characters.
#[derive(Clone, Debug, Default)]
pub struct Set {
    ranges: Vec<(char, char)>,
    classes: Vec<(Class, bool)>,
    /// Sets inside of this one (Java's `[a[bc]]`).
    inner: Vec<Set>,
    /// Sets that must hold it too (Java's `&&`).
    also: Vec<Set>,
    negated: bool,
    fold: bool,
    /// The answer for each of ASCII's characters.
    ascii: u128,
}

/// A named class of characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Every character.
    Any,
    /// Letters.
    Alpha,
    /// Decimal digits of any script.
    Digit,
    /// `0` to `9`.
    AsciiDigit,
    /// Letters and digits.
    Alnum,
    /// Capital letters.
    Upper,
    /// Small letters.
    Lower,
    /// White space of any script.
    Space,
    /// White space of ASCII.
    AsciiSpace,
    /// Spaces and tabs.
    Blank,
    /// Punctuation.
    Punct,
    /// Hexadecimal digits.
    XDigit,
    /// Control characters.
    Control,
    /// What can be printed, spaces too.
    Print,
    /// What leaves ink.
    Graph,
    /// Letters, digits and `_`.
    Word,
    /// Letters, digits and `_` of ASCII.
    AsciiWord,
    /// ASCII.
    Ascii,
    /// Numbers of any kind.
    Number,
}

impl Class {
    /// The class of a POSIX name.
    pub fn posix(name: &str) -> Option<Class> {
        Some(match name {
            "alpha" => Class::Alpha,
            "digit" => Class::AsciiDigit,
            "alnum" => Class::Alnum,
            "upper" => Class::Upper,
            "lower" => Class::Lower,
            "space" => Class::Space,
            "blank" => Class::Blank,
            "punct" => Class::Punct,
            "xdigit" => Class::XDigit,
            "cntrl" => Class::Control,
            "print" => Class::Print,
            "graph" => Class::Graph,
            _ => return None,
        })
    }

    /// The class of a name in `\p{…}`.
    pub fn property(name: &str) -> Option<Class> {
        let short = name.trim_start_matches("Is");
        Some(match short {
            "L" | "Alpha" | "Alphabetic" | "Letter" => Class::Alpha,
            "Lu" | "Upper" | "Uppercase" => Class::Upper,
            "Ll" | "Lower" | "Lowercase" => Class::Lower,
            "N" => Class::Number,
            "Nd" | "Digit" => Class::Digit,
            "Alnum" => Class::Alnum,
            "P" | "Punct" | "Punctuation" => Class::Punct,
            "Z" | "Zs" | "Space" | "White_Space" | "WhiteSpace" => Class::Space,
            "Blank" => Class::Blank,
            "Cc" | "Cntrl" | "Control" => Class::Control,
            "Print" => Class::Print,
            "Graph" => Class::Graph,
            "XDigit" => Class::XDigit,
            "ASCII" => Class::Ascii,
            "Any" | "all" => Class::Any,
            _ => return None,
        })
    }

    fn contains(self, c: char) -> bool {
        match self {
            Class::Any => true,
            Class::Alpha => c.is_alphabetic(),
            Class::Digit => c.is_numeric() && c.is_alphanumeric() && !c.is_alphabetic(),
            Class::AsciiDigit => c.is_ascii_digit(),
            Class::Alnum => c.is_alphanumeric(),
            Class::Upper => c.is_uppercase(),
            Class::Lower => c.is_lowercase(),
            Class::Space => c.is_whitespace(),
            Class::AsciiSpace => matches!(c, ' ' | '\t'..='\r'),
            Class::Blank => matches!(c, ' ' | '\t'),
            Class::Punct => {
                c.is_ascii_punctuation()
                    || !c.is_ascii()
                        && !c.is_alphanumeric()
                        && !c.is_whitespace()
                        && !c.is_control()
            }
            Class::XDigit => c.is_ascii_hexdigit(),
            Class::Control => c.is_control(),
            Class::Print => !c.is_control(),
            Class::Graph => !c.is_control() && !c.is_whitespace(),
            Class::Word => is_word(c),
            Class::AsciiWord => c.is_ascii_alphanumeric() || c == '_',
            Class::Ascii => c.is_ascii(),
            Class::Number => c.is_numeric(),
        }
    }
}

/// Whether a character belongs to words.
pub fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

impl Set {
    /// An empty set; `negated` turns its answers round, with `fold` case makes no difference.
    pub fn new(negated: bool, fold: bool) -> Set {
        Set {
            negated,
            fold,
            ..Set::default()
        }
    }

    /// A class, or all but it.
    pub fn class(class: Class, negated: bool) -> Set {
        let mut set = Set::new(negated, false);
        set.add_class(class, false);
        set.finish();
        set
    }

    /// All characters but these.
    pub fn all_but(characters: &[char]) -> Set {
        let mut set = Set::new(true, false);
        for character in characters {
            set.add(*character, *character);
        }
        set.finish();
        set
    }

    /// Adds the characters from one to another.
    pub fn add(&mut self, first: char, last: char) {
        self.ranges.push((first, last));
    }

    /// Adds a class, or all but it.
    pub fn add_class(&mut self, class: Class, negated: bool) {
        self.classes.push((class, negated));
    }

    /// Adds another set.
    pub fn add_set(&mut self, set: Set) {
        self.inner.push(set);
    }

    /// Only what another set holds too stays.
    pub fn intersect(&mut self, set: Set) {
        self.also.push(set);
    }

    /// To be called when all is added.
    pub fn finish(&mut self) {
        self.ascii = 0;
        for byte in 0..128_u8 {
            if self.slow(char::from(byte)) {
                self.ascii |= 1 << byte;
            }
        }
    }

    /// Whether a character is in the set.
    pub fn contains(&self, character: char) -> bool {
        if character.is_ascii() {
            return self.ascii >> (character as u32) & 1 == 1;
        }
        self.slow(character)
    }

    fn slow(&self, character: char) -> bool {
        let mut found = self.holds(character);
        if self.fold && !found {
            found = character.to_lowercase().any(|other| self.holds(other))
                || character.to_uppercase().any(|other| self.holds(other));
        }
        found != self.negated
    }

    fn holds(&self, character: char) -> bool {
        let listed = self
            .ranges
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&character))
            || self
                .classes
                .iter()
                .any(|(class, negated)| class.contains(character) != *negated)
            || self.inner.iter().any(|set| set.contains(character));
        listed && self.also.iter().all(|set| set.contains(character))
    }
}
