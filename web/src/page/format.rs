//! Numbers and times as a person reads them.

/// `1,204`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `171 B`, `1.2 KiB`, `3.4 MiB`.
pub fn bytes(bytes: u64) -> String {
    let (unit, name) = match bytes {
        0..1024 => return format!("{bytes} B"),
        1024..1_048_576 => (1024, "KiB"),
        1_048_576..1_073_741_824 => (1_048_576, "MiB"),
        _ => (1_073_741_824, "GiB"),
    };
    let tenths = bytes.saturating_mul(10) / unit;
    format!("{}.{} {name}", tenths / 10, tenths % 10)
}

/// `00:00:12.408`.
pub fn clock(milliseconds: i64) -> String {
    let milliseconds = milliseconds.max(0);
    let seconds = milliseconds / 1_000;
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        seconds / 3_600,
        seconds / 60 % 60,
        seconds % 60,
        milliseconds % 1_000
    )
}

/// `12.408`, and from a minute on `2:41.093`.
pub fn short_clock(micros: i64) -> String {
    let milliseconds = micros.max(0) / 1_000;
    let (minutes, seconds) = (milliseconds / 60_000, milliseconds / 1_000 % 60);
    let rest = milliseconds % 1_000;
    if minutes == 0 {
        format!("{seconds}.{rest:03}")
    } else {
        format!("{minutes}:{seconds:02}.{rest:03}")
    }
}

/// `0.4 s`, `12 s`, `3 min`, `2 h`.
pub fn duration(milliseconds: i64) -> String {
    let milliseconds = milliseconds.max(0);
    match milliseconds {
        0..10_000 => format!("{}.{} s", milliseconds / 1_000, milliseconds / 100 % 10),
        10_000..120_000 => format!("{} s", milliseconds / 1_000),
        120_000..7_200_000 => format!("{} min", milliseconds / 60_000),
        _ => format!("{} h", milliseconds / 3_600_000),
    }
}

/// A date and time in UTC: `2020-08-23 23:56:06.732`; the bare number where the calendar ends.
pub fn timestamp(milliseconds: i64) -> String {
    // Days to year, month, day: Howard Hinnant's civil_from_days.
    if !(-62_135_596_800_000..253_402_300_800_000).contains(&milliseconds) {
        return milliseconds.to_string();
    }
    let days = milliseconds.div_euclid(86_400_000);
    let rest = milliseconds.rem_euclid(86_400_000);
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let day_of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_index = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_index + 2) / 5 + 1;
    let month = if month_index < 10 {
        month_index + 3
    } else {
        month_index - 9
    };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}.{:03}",
        rest / 3_600_000,
        rest / 60_000 % 60,
        rest / 1_000 % 60,
        rest % 1_000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_204), "1,204");
        assert_eq!(count(1_234_567), "1,234,567");
    }

    #[test]
    fn sizes_have_one_digit_behind_the_point() {
        assert_eq!(bytes(171), "171 B");
        assert_eq!(bytes(1_536), "1.5 KiB");
        assert_eq!(bytes(5 * 1_048_576), "5.0 MiB");
    }

    #[test]
    fn times_are_read_at_a_glance() {
        assert_eq!(clock(161_093), "00:02:41.093");
        assert_eq!(short_clock(12_408_200), "12.408");
        assert_eq!(short_clock(161_093_000), "2:41.093");
        assert_eq!(duration(2_450), "2.4 s");
        assert_eq!(timestamp(1_598_226_966_732), "2020-08-23 23:56:06.732");
        assert_eq!(timestamp(-1), "1969-12-31 23:59:59.999");
        assert_eq!(timestamp(i64::MAX), i64::MAX.to_string());
    }
}
