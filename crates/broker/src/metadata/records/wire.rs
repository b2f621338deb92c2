//! The flexible-version encoding of the metadata records' fields (KIP-482).

use uuid::Uuid;

use super::RecordDecodeError;

/// Reads fields from a record's bytes.
#[derive(Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// A reader at the first byte.
    pub fn new(bytes: &'a [u8]) -> Reader<'a> {
        Reader { bytes, position: 0 }
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], RecordDecodeError> {
        let end = self.position.checked_add(count);
        let bytes = end
            .and_then(|end| self.bytes.get(self.position..end))
            .ok_or(RecordDecodeError::Truncated)?;
        self.position += count;
        Ok(bytes)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], RecordDecodeError> {
        <[u8; N]>::try_from(self.take(N)?).map_err(|_| RecordDecodeError::Truncated)
    }

    /// An unsigned varint of at most five bytes.
    pub fn unsigned_varint(&mut self) -> Result<u32, RecordDecodeError> {
        let mut value = 0_u32;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array::<1>()?;
            value |= u32::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err(RecordDecodeError::Malformed("a varint that does not end"))
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.bytes.len() - self.position
    }
}

/// Appends an unsigned varint.
pub fn write_unsigned_varint(into: &mut Vec<u8>, mut value: u32) {
    while value >= 0x80 {
        into.push((value as u8 & 0x7f) | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

fn write_length(into: &mut Vec<u8>, length: usize) {
    write_unsigned_varint(into, (length as u32).wrapping_add(1));
}

/// A field type of a metadata record.
pub trait Wire: Sized {
    /// Appends the field.
    fn write(&self, into: &mut Vec<u8>);
    /// Reads the field as `version` of its record has it.
    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, RecordDecodeError>;
    /// Appends the field as Kafka's `JsonConverter` writes it for `version` of its record.
    fn json(&self, into: &mut String, version: i16);
}

/// Appends a name in camel case, as JSON has it: `broker_id` is `"brokerId":`.
pub fn json_name(into: &mut String, name: &str) {
    if !into.ends_with('{') {
        into.push(',');
    }
    into.push('"');
    let mut upper = false;
    for letter in name.chars() {
        if letter == '_' {
            upper = true;
        } else if std::mem::take(&mut upper) {
            into.push(letter.to_ascii_uppercase());
        } else {
            into.push(letter);
        }
    }
    into.push_str("\":");
}

fn json_text(into: &mut String, text: &str) {
    into.push('"');
    for letter in text.chars() {
        match letter {
            '"' | '\\' => into.extend(['\\', letter]),
            '\n' => into.push_str("\\n"),
            '\r' => into.push_str("\\r"),
            '\t' => into.push_str("\\t"),
            letter if letter < ' ' => into.push_str(&format!("\\u{:04X}", u32::from(letter))),
            letter => into.push(letter),
        }
    }
    into.push('"');
}

/// A UUID as Kafka writes it: URL-safe base64 of its 16 bytes.
fn uuid_text(uuid: &Uuid) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let bits = uuid.as_u128();
    let letter = |index: u32| match index {
        21 => (bits & 3) << 4,
        index => (bits >> (122 - 6 * index)) & 63,
    };
    (0..22)
        .map(|index| LETTERS.get(letter(index) as usize).copied().unwrap_or(b'A') as char)
        .collect()
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Wire for $type {
            fn write(&self, into: &mut Vec<u8>) {
                into.extend_from_slice(&self.to_be_bytes());
            }
            fn read(reader: &mut Reader<'_>, _: i16) -> Result<Self, RecordDecodeError> {
                Ok(<$type>::from_be_bytes(reader.array()?))
            }
            fn json(&self, into: &mut String, _: i16) {
                // `{:?}` keeps the `.0` of a whole `f64`, as Jackson does.
                into.push_str(&format!("{self:?}"));
            }
        }
    )*};
}

integers!(i8, i16, u16, i32, i64, f64);

impl Wire for bool {
    fn write(&self, into: &mut Vec<u8>) {
        into.push(u8::from(*self));
    }
    fn read(reader: &mut Reader<'_>, _: i16) -> Result<Self, RecordDecodeError> {
        let [byte] = reader.array::<1>()?;
        Ok(byte != 0)
    }
    fn json(&self, into: &mut String, _: i16) {
        into.push_str(if *self { "true" } else { "false" });
    }
}

impl Wire for Uuid {
    fn write(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(self.as_bytes());
    }
    fn read(reader: &mut Reader<'_>, _: i16) -> Result<Self, RecordDecodeError> {
        Ok(Uuid::from_bytes(reader.array()?))
    }
    fn json(&self, into: &mut String, _: i16) {
        json_text(into, &uuid_text(self));
    }
}

impl Wire for Option<String> {
    fn write(&self, into: &mut Vec<u8>) {
        match self {
            None => write_unsigned_varint(into, 0),
            Some(text) => {
                write_length(into, text.len());
                into.extend_from_slice(text.as_bytes());
            }
        }
    }
    fn read(reader: &mut Reader<'_>, _: i16) -> Result<Self, RecordDecodeError> {
        let length = reader.unsigned_varint()?;
        let Some(length) = length.checked_sub(1) else {
            return Ok(None);
        };
        let bytes = reader.take(length as usize)?;
        let text = std::str::from_utf8(bytes)
            .map_err(|_| RecordDecodeError::Malformed("a string that is not UTF-8"))?;
        Ok(Some(text.to_owned()))
    }
    fn json(&self, into: &mut String, _: i16) {
        match self {
            None => into.push_str("null"),
            Some(text) => json_text(into, text),
        }
    }
}

impl Wire for String {
    fn write(&self, into: &mut Vec<u8>) {
        write_length(into, self.len());
        into.extend_from_slice(self.as_bytes());
    }
    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, RecordDecodeError> {
        <Option<String>>::read(reader, version)?
            .ok_or(RecordDecodeError::Malformed("a null string"))
    }
    fn json(&self, into: &mut String, _: i16) {
        json_text(into, self);
    }
}

impl<T: Wire> Wire for Option<Vec<T>> {
    fn write(&self, into: &mut Vec<u8>) {
        match self {
            None => write_unsigned_varint(into, 0),
            Some(items) => items.write(into),
        }
    }
    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, RecordDecodeError> {
        let length = reader.unsigned_varint()?;
        let Some(length) = length.checked_sub(1) else {
            return Ok(None);
        };
        // Every item takes a byte at least: a longer count is nonsense, and reserves nothing.
        if length as usize > reader.remaining() {
            return Err(RecordDecodeError::Truncated);
        }
        (0..length)
            .map(|_| T::read(reader, version))
            .collect::<Result<Vec<T>, _>>()
            .map(Some)
    }
    fn json(&self, into: &mut String, version: i16) {
        match self {
            None => into.push_str("null"),
            Some(items) => items.json(into, version),
        }
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn write(&self, into: &mut Vec<u8>) {
        write_length(into, self.len());
        for item in self {
            item.write(into);
        }
    }
    fn read(reader: &mut Reader<'_>, version: i16) -> Result<Self, RecordDecodeError> {
        <Option<Vec<T>>>::read(reader, version)?.ok_or(RecordDecodeError::Malformed("a null array"))
    }
    fn json(&self, into: &mut String, version: i16) {
        into.push('[');
        for (index, item) in self.iter().enumerate() {
            if index > 0 {
                into.push(',');
            }
            item.json(into, version);
        }
        into.push(']');
    }
}
