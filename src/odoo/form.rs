//! The forms in which Odoo writes numbers and times.
//!
//! Each check knows the form that every value has, and asks a parser about others.

use chrono::{NaiveDate, NaiveDateTime};

/// Whether a text is a floating-point number: `19.99` is, and so are `1e-05` and `nan`.
pub fn is_number(text: &str) -> bool {
    is_plain(text.as_bytes()) || text.parse::<f64>().is_ok()
}

/// Digits with a point among them or without one.
fn is_plain(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let points = digits.iter().filter(|byte| **byte == b'.').count();
    let inside = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
    points <= 1
        && inside(digits.first())
        && inside(digits.last())
        && digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.')
}

/// The integer that a number stands for: Odoo sends integers beyond 32 bits as doubles.
pub fn whole(text: &str) -> Option<i64> {
    let number: f64 = text.parse().ok()?;
    // Beyond 2^53 a double no longer tells neighbouring integers apart.
    (number.fract() == 0.0 && number.abs() <= 9_007_199_254_740_992.0).then_some(number as i64)
}

/// Whether a text is a day such as `2024-02-29`.
pub fn is_date(text: &str) -> bool {
    text.as_bytes().try_into().is_ok_and(is_plain_date)
        || NaiveDate::parse_from_str(text, "%Y-%m-%d").is_ok()
}

/// Whether a text is a moment such as `2024-02-29 23:59:59`.
pub fn is_datetime(text: &str) -> bool {
    is_plain_datetime(text.as_bytes())
        || NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").is_ok()
}

fn is_plain_date(text: &[u8; 10]) -> bool {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *text else {
        return false;
    };
    let (Some(century), Some(year)) = (pair(y1, y2), pair(y3, y4)) else {
        return false;
    };
    let (Some(month @ 1..=12), Some(day @ 1..)) = (pair(m1, m2), pair(d1, d2)) else {
        return false;
    };
    let leaps = if year == 0 { century % 4 == 0 } else { year % 4 == 0 };
    let last = match month {
        2 if leaps => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    day <= last
}

fn is_plain_datetime(text: &[u8]) -> bool {
    let Some((date, [b' ', h1, h2, b':', m1, m2, b':', s1, s2])) = text.split_first_chunk() else {
        return false;
    };
    is_plain_date(date)
        && matches!(pair(*h1, *h2), Some(..=23))
        && matches!(pair(*m1, *m2), Some(..=59))
        && matches!(pair(*s1, *s2), Some(..=59))
}

/// The number that two digits are.
fn pair(tens: u8, ones: u8) -> Option<u8> {
    (tens.is_ascii_digit() && ones.is_ascii_digit()).then(|| (tens - b'0') * 10 + (ones - b'0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_are_those_that_a_parser_takes() {
        for number in ["0", "-7", "19.99", "-0.5", "00.10", "123456789012345678901234567890.5"] {
            assert!(is_plain(number.as_bytes()) && number.parse::<f64>().is_ok(), "{number}");
        }
        for other in
            ["", "-", ".", "-.5", "5.", ".5", "1.2.3", "--1", "1-", "1e5", "nan", "1,5", "١"]
        {
            assert!(!is_plain(other.as_bytes()), "{other}");
        }
        assert!(is_number("1e-05") && is_number("nan") && is_number("-inf") && is_number("5."));
        assert!(!is_number("1,5") && !is_number("") && !is_number("1.2.3") && !is_number(" 1"));
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(whole("5000000000.0"), Some(5_000_000_000));
        assert_eq!((whole("1.5"), whole("1e300"), whole("nan")), (None, None, None));
    }

    /// Of what has the usual width, the quick check takes exactly what the parser takes.
    #[test]
    fn plain_dates_are_those_that_a_parser_takes() {
        for year in [0, 1, 4, 99, 100, 400, 1582, 1900, 1970, 2000, 2023, 2024, 2100, 9999] {
            for month in 0..=13 {
                for day in 0..=32 {
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    let parsed = NaiveDate::parse_from_str(&text, "%Y-%m-%d").is_ok();
                    let plain = is_plain_date(text.as_bytes().try_into().unwrap());
                    assert_eq!((plain, is_date(&text)), (parsed, parsed), "{text}");
                    let time = text + " 12:34:56";
                    assert_eq!(is_plain_datetime(time.as_bytes()), parsed, "{time}");
                }
            }
        }
        for text in ["2024/01/01", "2024-01-0x", "2024-1-001", "202a-01-01", "2024-01\u{661}1"] {
            assert!(
                !is_date(text) && !is_plain_date(text.as_bytes().try_into().unwrap()),
                "{text}"
            );
        }
    }

    #[test]
    fn plain_times_are_those_that_a_parser_takes() {
        for hour in 0..=25 {
            for minute in [0, 1, 59, 60, 99] {
                // The parser knows leap seconds too.
                for second in [0, 1, 58, 59, 61, 99] {
                    let text = format!("2024-02-29 {hour:02}:{minute:02}:{second:02}");
                    let parsed = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S").is_ok();
                    let plain = is_plain_datetime(text.as_bytes());
                    assert_eq!((plain, is_datetime(&text)), (parsed, parsed), "{text}");
                }
            }
        }
        for text in ["2024-02-29T12:00:00", "2024-02-29 12-00-00", "2024-02-29 1x:00:00"] {
            assert!(!is_datetime(text), "{text}");
        }
        for text in ["2024-02-29 12:00", "2024-02-29 12:00:00+00", "2024-02-29"] {
            assert!(!is_datetime(text), "{text}");
        }
    }

    #[test]
    fn what_is_not_plain_may_still_be_a_time() {
        // Python writes years before 1000 so on Linux.
        assert!(is_date("999-01-31") && is_datetime("2024-12-31 23:59:60"));
        assert!(!is_date("999-02-30"));
    }
}
