//! How the console producer turns lines into records: Kafka's `LineMessageReader`.

use bytes::Bytes;
use indexmap::IndexMap;

/// One record, read from a line.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LineRecord {
    /// The key, if one was parsed.
    pub key: Option<Bytes>,
    /// The value.
    pub value: Option<Bytes>,
    /// The headers, in order.
    pub headers: Vec<(String, Option<Bytes>)>,
}

/// The reader's settings and the line it stands at.
#[derive(Clone, Debug)]
pub struct LineReader {
    parse_key: bool,
    parse_headers: bool,
    ignore_error: bool,
    key_separator: String,
    headers_delimiter: String,
    headers_separator: String,
    headers_key_separator: String,
    null_marker: Option<String>,
    line_number: u64,
}

impl LineReader {
    /// A reader with these properties (`parse.key`, `key.separator`, ...).
    ///
    /// # Errors
    /// The text of the `KafkaException` when two separators are the same.
    pub fn new(properties: &IndexMap<String, String>) -> Result<LineReader, String> {
        let flag = |name: &str| {
            properties
                .get(name)
                .is_some_and(|value| value.trim().eq_ignore_ascii_case("true"))
        };
        let text = |name: &str, default: &str| {
            properties
                .get(name)
                .cloned()
                .unwrap_or_else(|| default.to_owned())
        };
        let reader = LineReader {
            parse_key: flag("parse.key"),
            parse_headers: flag("parse.headers"),
            ignore_error: flag("ignore.error"),
            key_separator: text("key.separator", "\t"),
            headers_delimiter: text("headers.delimiter", "\t"),
            headers_separator: text("headers.separator", ","),
            headers_key_separator: text("headers.key.separator", ":"),
            null_marker: properties.get("null.marker").cloned(),
            line_number: 0,
        };
        let marker = reader.null_marker.as_deref();
        let clashes = [
            (
                reader.headers_delimiter == reader.headers_separator,
                "headers.delimiter and headers.separator",
            ),
            (
                reader.headers_delimiter == reader.headers_key_separator,
                "headers.delimiter and headers.key.separator",
            ),
            (
                reader.headers_separator == reader.headers_key_separator,
                "headers.separator and headers.key.separator",
            ),
            (
                marker == Some(&reader.key_separator),
                "null.marker and key.separator",
            ),
            (
                marker == Some(&reader.headers_separator),
                "null.marker and headers.separator",
            ),
            (
                marker == Some(&reader.headers_delimiter),
                "null.marker and headers.delimiter",
            ),
            (
                marker == Some(&reader.headers_key_separator),
                "null.marker and headers.key.separator",
            ),
        ];
        match clashes.iter().find(|(clash, _)| *clash) {
            Some((_, names)) => Err(format!("{names} may not be equal")),
            None => Ok(reader),
        }
    }

    /// The record of the next line (without its line end).
    ///
    /// # Errors
    /// The text of the `KafkaException` when a separator is missing.
    pub fn read(&mut self, line: &str) -> Result<LineRecord, String> {
        self.line_number += 1;
        let headers = self.part(
            self.parse_headers,
            line,
            0,
            &self.headers_delimiter,
            "headers delimiter",
        )?;
        let after_headers =
            headers.map_or(0, |headers| headers.len() + self.headers_delimiter.len());
        let key = self.part(
            self.parse_key,
            line,
            after_headers,
            &self.key_separator,
            "key separator",
        )?;
        let after_key = after_headers + key.map_or(0, |key| key.len() + self.key_separator.len());
        Ok(LineRecord {
            key: key.and_then(|key| self.bytes(key)),
            value: self.bytes(line.get(after_key..).unwrap_or_default()),
            headers: match headers {
                Some(headers) if self.null_marker.as_deref() != Some(headers) => {
                    self.headers(headers)?
                }
                _ => Vec::new(),
            },
        })
    }

    fn bytes(&self, text: &str) -> Option<Bytes> {
        (self.null_marker.as_deref() != Some(text)).then(|| Bytes::copy_from_slice(text.as_bytes()))
    }

    fn part<'a>(
        &self,
        wanted: bool,
        line: &'a str,
        from: usize,
        separator: &str,
        name: &str,
    ) -> Result<Option<&'a str>, String> {
        if !wanted {
            return Ok(None);
        }
        let rest = line.get(from..).unwrap_or_default();
        match rest.find(separator) {
            Some(end) => Ok(rest.get(..end)),
            None if self.ignore_error => Ok(None),
            None => Err(format!(
                "No {name} found on line number {}: '{line}'",
                self.line_number
            )),
        }
    }

    fn headers(&self, text: &str) -> Result<Vec<(String, Option<Bytes>)>, String> {
        // Java splits at a pattern; the separators in use are plain texts.
        let mut pairs: Vec<&str> = text.split(self.headers_separator.as_str()).collect();
        while pairs.len() > 1 && pairs.last().is_some_and(|last| last.is_empty()) {
            pairs.pop();
        }
        pairs
            .into_iter()
            .map(|pair| match pair.split_once(self.headers_key_separator.as_str()) {
                Some((key, _)) if self.null_marker.as_deref() == Some(key) => Err(format!(
                    "Header keys should not be equal to the null marker '{key}' as they can't be null"
                )),
                Some((key, value)) => Ok((key.to_owned(), self.bytes(value))),
                None if self.ignore_error => Ok((pair.to_owned(), None)),
                None => Err(format!("No header key separator found in pair '{pair}' on line number {}", self.line_number)),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reader(pairs: &[(&str, &str)]) -> LineReader {
        LineReader::new(
            &pairs
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        )
        .unwrap()
    }

    #[test]
    fn headers_key_and_value_are_split_in_that_order() {
        let record = reader(&[("parse.key", "true"), ("parse.headers", "true")])
            .read("h1:v1,h2:v2\tkey\tvalue")
            .unwrap();
        assert_eq!(record.key.as_deref(), Some(&b"key"[..]));
        assert_eq!(record.value.as_deref(), Some(&b"value"[..]));
        assert_eq!(
            record.headers[1],
            ("h2".to_owned(), Some(Bytes::from_static(b"v2")))
        );
    }

    #[test]
    fn a_missing_separator_names_its_line() {
        let mut strict = reader(&[("parse.key", "true"), ("key.separator", ",")]);
        assert_eq!(
            strict.read("a b").unwrap_err(),
            "No key separator found on line number 1: 'a b'"
        );
        let mut lenient = reader(&[
            ("parse.key", "true"),
            ("key.separator", ","),
            ("ignore.error", "true"),
        ]);
        assert_eq!(lenient.read("a b").unwrap().key, None);
    }

    #[test]
    fn the_null_marker_stands_for_nothing() {
        let record = reader(&[
            ("parse.key", "true"),
            ("key.separator", "|"),
            ("null.marker", "NULL"),
        ])
        .read("NULL|NULL")
        .unwrap();
        assert_eq!((record.key, record.value), (None, None));
    }

    #[test]
    fn equal_separators_are_refused() {
        let properties = IndexMap::from([("headers.delimiter".to_owned(), ",".to_owned())]);
        assert_eq!(
            LineReader::new(&properties).unwrap_err(),
            "headers.delimiter and headers.separator may not be equal"
        );
    }
}
