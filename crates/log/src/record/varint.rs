//! Zigzag variable-length integers of the record format (`ByteUtils`).

/// Reads a varint (32 bits) and moves `position` past it; `None` if it does not end, or not in time.
#[inline]
pub fn read_i32(bytes: &[u8], position: &mut usize) -> Option<i32> {
    let raw = match read_short(bytes, position) {
        Some(raw) => raw,
        None => read_raw(bytes, position, 5)? as u32,
    };
    Some(((raw >> 1) as i32) ^ -((raw & 1) as i32))
}

/// Reads a varlong (64 bits) and moves `position` past it; `None` if it does not end, or not in time.
#[inline]
pub fn read_i64(bytes: &[u8], position: &mut usize) -> Option<i64> {
    let raw = match read_short(bytes, position) {
        Some(raw) => u64::from(raw),
        None => read_raw(bytes, position, 10)?,
    };
    Some(((raw >> 1) as i64) ^ -((raw & 1) as i64))
}

/// One of one or two bytes, as most are.
#[inline]
fn read_short(bytes: &[u8], position: &mut usize) -> Option<u32> {
    let first = u32::from(*bytes.get(*position)?);
    if first < 0x80 {
        *position += 1;
        return Some(first);
    }
    let second = u32::from(*bytes.get(*position + 1)?);
    if second < 0x80 {
        *position += 2;
        return Some((first & 0x7f) | second << 7);
    }
    None
}

fn read_raw(bytes: &[u8], position: &mut usize, bytes_max: usize) -> Option<u64> {
    let mut value = 0_u64;
    for index in 0..bytes_max {
        let byte = *bytes.get(*position + index)?;
        value |= u64::from(byte & 0x7f) << (7 * index).min(63);
        if byte < 0x80 {
            *position += index + 1;
            return Some(value);
        }
    }
    None
}

/// Appends a varint (32 bits).
pub fn write_i32(into: &mut Vec<u8>, value: i32) {
    write_raw(into, u64::from(((value << 1) ^ (value >> 31)) as u32));
}

/// Appends a varlong (64 bits).
pub fn write_i64(into: &mut Vec<u8>, value: i64) {
    write_raw(into, ((value << 1) ^ (value >> 63)) as u64);
}

fn write_raw(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push((value as u8 & 0x7f) | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

/// Bytes that [`write_i32`] takes.
pub fn size_i32(value: i32) -> usize {
    size_raw(u64::from(((value << 1) ^ (value >> 31)) as u32))
}

/// Bytes that [`write_i64`] takes.
pub fn size_i64(value: i64) -> usize {
    size_raw(((value << 1) ^ (value >> 63)) as u64)
}

fn size_raw(value: u64) -> usize {
    (64 - (value | 1).leading_zeros() as usize).div_ceil(7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_width_round_trips() {
        for shift in 0..64 {
            for value in [
                1_i64 << shift,
                (1_i64 << shift).wrapping_neg(),
                (1_i64 << shift).wrapping_sub(1),
            ] {
                let mut bytes = Vec::new();
                write_i64(&mut bytes, value);
                assert_eq!(bytes.len(), size_i64(value));
                let mut position = 0;
                assert_eq!(read_i64(&bytes, &mut position), Some(value));
                assert_eq!(position, bytes.len());
                let narrow = value as i32;
                bytes.clear();
                write_i32(&mut bytes, narrow);
                assert_eq!(bytes.len(), size_i32(narrow));
                position = 0;
                assert_eq!(read_i32(&bytes, &mut position), Some(narrow));
            }
        }
    }

    #[test]
    fn endless_and_cut_ones_are_refused() {
        assert_eq!(read_i32(&[0x80; 20], &mut 0), None);
        assert_eq!(read_i64(&[0x80; 20], &mut 0), None);
        assert_eq!(read_i32(&[0x80], &mut 0), None);
        assert_eq!(read_i32(&[], &mut 0), None);
    }
}
