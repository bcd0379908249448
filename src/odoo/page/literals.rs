//! The forms in which Odoo writes numbers and times, and those in which they are handed on:
//! PostgreSQL reads them alike whatever its settings.

use std::borrow::Cow;

/// A text that is a floating-point number, such as `19.99`, `1e-05` and `nan`: NaN and the
/// infinities under the names that JSON and PostgreSQL have for them.
pub fn number(text: &str) -> Option<&str> {
    if is_plain(text.as_bytes()) {
        return Some(text);
    }
    match text.parse::<f64>().ok()? {
        number if number.is_nan() => Some("NaN"),
        number if number.is_finite() => Some(text),
        // Too large for a double.
        _ if text.bytes().any(|byte| byte.is_ascii_digit()) => None,
        number => Some(if number > 0.0 { "Infinity" } else { "-Infinity" }),
    }
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

/// So many digits of a decimal number come back from a double as they were.
const SURE_DIGITS: i32 = 15;

/// A number without the noise that binary arithmetic has left in it: rounded to that many decimal
/// places, and to the digits that a double holds for sure. What is before the point stays.
pub fn without_noise(text: &str, places: Option<u8>) -> Cow<'_, str> {
    match is_short(text, places) {
        true => Cow::Borrowed(text),
        false => rounded(text, places).map_or(Cow::Borrowed(text), Cow::Owned),
    }
}

/// Whether a number has too few digits for any noise.
fn is_short(text: &str, places: Option<u8>) -> bool {
    let bytes = text.as_bytes();
    let fraction = bytes.iter().rev().take_while(|byte| **byte != b'.').count();
    bytes.len() <= SURE_DIGITS as usize
        && places.is_none_or(|places| fraction <= places.into())
        && is_plain(bytes)
}

/// Whether a number has no more decimal places than that, and so few digits that a double holds
/// them for sure.
pub fn is_sure(text: &str, places: u8) -> bool {
    is_short(text, Some(places))
}

/// A number in its digits: `0.digits` times ten to the power of `point`.
struct Digits {
    is_negative: bool,
    digits: Vec<u8>,
    point: i32,
}

/// Doubles are between ten to the power of this and of its negative.
const MAX_POINT: i32 = 400;

/// `None` for a number that needs no rounding, and for NaN and the infinities.
fn rounded(text: &str, places: Option<u8>) -> Option<String> {
    let mut number = Digits::of(text).filter(|number| number.point.abs() <= MAX_POINT)?;
    let sure = number.point.max(SURE_DIGITS);
    let keep = places.map_or(sure, |places| sure.min(number.point + i32::from(places)));
    (keep < number.digits.len() as i32).then(|| {
        number.keep(keep);
        number.written()
    })
}

impl Digits {
    fn of(text: &str) -> Option<Digits> {
        let (is_negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all: Vec<u8> = whole.bytes().chain(fraction.bytes()).collect();
        let zeros = all.iter().take_while(|digit| **digit == b'0').count();
        all.iter().all(u8::is_ascii_digit).then_some(())?;
        Some(Digits {
            is_negative,
            digits: all[zeros..].to_vec(),
            point: (whole.len() as i32 - zeros as i32).checked_add(exponent.parse().ok()?)?,
        })
    }

    /// Rounds to the first digits, half of one away from zero as Odoo and PostgreSQL do.
    fn keep(&mut self, count: i32) {
        let next = usize::try_from(count).ok().and_then(|place| self.digits.get(place));
        let is_up = next.is_some_and(|digit| *digit >= b'5');
        self.digits.truncate(count.max(0) as usize);
        // What is left ends with a digit that stays, or that grows.
        let last = if is_up { b'9' } else { b'0' };
        while self.digits.last() == Some(&last) {
            self.digits.pop();
        }
        match self.digits.last_mut() {
            Some(last) => *last += u8::from(is_up),
            None if is_up => {
                self.digits.push(b'1');
                self.point += 1;
            }
            None => (self.point, self.is_negative) = (0, false),
        }
    }

    fn written(&self) -> String {
        let at = |place: i32| usize::try_from(place).ok().and_then(|place| self.digits.get(place));
        let digit = |place| at(place).map_or('0', |digit| char::from(*digit));
        let whole: String = (0..self.point).map(digit).collect();
        let end = (self.digits.len() as i32).max(self.point + 1);
        let fraction: String = (self.point..end).map(digit).collect();
        let sign = if self.is_negative { "-" } else { "" };
        format!("{sign}{}.{fraction}", if whole.is_empty() { "0" } else { &whole })
    }
}

/// A day such as `2024-02-29`. Python writes years before 1000 without zeros on Linux.
pub fn date(text: &str) -> Option<Cow<'_, str>> {
    with_whole_year(text, |text| text.try_into().is_ok_and(is_day))
}

/// A moment such as `2024-02-29 23:59:59`.
pub fn datetime(text: &str) -> Option<Cow<'_, str>> {
    with_whole_year(text, is_moment)
}

/// The text with a year of four digits, if that is of the form.
fn with_whole_year(text: &str, is_form: impl Fn(&[u8]) -> bool) -> Option<Cow<'_, str>> {
    if is_form(text.as_bytes()) {
        return Some(Cow::Borrowed(text));
    }
    let (year, rest) = text.split_once('-').filter(|(year, _)| (1..4).contains(&year.len()))?;
    Some(format!("{year:0>4}-{rest}")).filter(|text| is_form(text.as_bytes())).map(Cow::Owned)
}

fn is_day(text: &[u8; 10]) -> bool {
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
    // The calendar begins with the year 1.
    day <= last && (century, year) != (0, 0)
}

fn is_moment(text: &[u8]) -> bool {
    let Some((date, [b' ', h1, h2, b':', m1, m2, b':', s1, s2])) = text.split_first_chunk() else {
        return false;
    };
    is_day(date)
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
    use chrono::{NaiveDate, NaiveDateTime};

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
        for (text, expected) in [
            ("1e-05", "1e-05"),
            ("5.", "5."),
            ("nan", "NaN"),
            ("inf", "Infinity"),
            ("-inf", "-Infinity"),
        ] {
            assert_eq!(number(text), Some(expected));
        }
        for text in ["1,5", "", "1.2.3", " 1", "1e400", "-1e400"] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn whole_numbers() {
        assert_eq!(whole("5000000000.0"), Some(5_000_000_000));
        assert_eq!((whole("1.5"), whole("1e300"), whole("nan")), (None, None, None));
    }

    #[test]
    fn numbers_that_a_double_holds_for_sure() {
        for text in ["0.0", "19.99", "-19.99", "123456789012.25"] {
            assert!(is_sure(text, 2), "{text}");
        }
        for text in ["19.995", "1234567890123.25", "0.30000000000000004", "1e16", "1e-5", "\"NaN\""]
        {
            assert!(!is_sure(text, 2), "{text}");
        }
    }

    #[test]
    fn noise_is_rounded_away() {
        for (text, places, expected) in [
            ("19.990000000000002", Some(2), "19.99"),
            ("19.990000000000002", None, "19.99"),
            ("-19.990000000000002", None, "-19.99"),
            ("4.999999999999982", Some(2), "5.0"),
            ("4.999999999999982", None, "4.99999999999998"),
            ("0.30000000000000004", None, "0.3"),
            ("99.99999999999999", None, "100.0"),
            ("9.99", Some(1), "10.0"),
            // The double is a little less.
            ("2.675", Some(2), "2.68"),
            ("0.007", Some(2), "0.01"),
            ("0.0007", Some(2), "0.0"),
            ("-0.0007", Some(2), "0.0"),
            ("1e-05", Some(2), "0.0"),
            ("1.2345678901234567e-05", None, "0.0000123456789012346"),
            // What is before the point is no noise.
            ("1234567890123456.0", None, "1234567890123456.0"),
            ("1234567890123456.2", None, "1234567890123456.0"),
            ("1.2345678901234567e+16", Some(2), "1.2345678901234567e+16"),
            ("1e-05", None, "1e-05"),
            ("123456789.12345679", None, "123456789.123457"),
            ("5.00", Some(2), "5.00"),
            ("5.000", Some(2), "5.0"),
            ("0.0", Some(0), "0.0"),
            ("-7", Some(2), "-7"),
            ("nan", Some(2), "nan"),
            ("-inf", None, "-inf"),
            ("1e-999999999", Some(2), "1e-999999999"),
        ] {
            assert_eq!(without_noise(text, places), expected, "{text} {places:?}");
        }
    }

    /// Of what has the usual width, exactly what a parser takes is a day, from the year 1 on.
    #[test]
    fn days_are_those_that_a_parser_takes() {
        for year in [0, 1, 4, 99, 100, 400, 1582, 1900, 1970, 2000, 2023, 2024, 2100, 9999] {
            for month in 0..=13 {
                for day in 0..=32 {
                    let text = format!("{year:04}-{month:02}-{day:02}");
                    let parsed = NaiveDate::parse_from_str(&text, "%Y-%m-%d").is_ok() && year > 0;
                    assert_eq!(date(&text).is_some(), parsed, "{text}");
                    let time = text + " 12:34:56";
                    assert_eq!(datetime(&time).is_some(), parsed, "{time}");
                }
            }
        }
        for text in ["2024/01/01", "2024-01-0x", "2024-1-001", "202a-01-01", "2024-01\u{661}1"] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn moments_are_those_that_a_parser_takes() {
        for hour in 0..=25 {
            for minute in [0, 1, 59, 60, 99] {
                // The parser knows leap seconds too.
                for second in [0, 1, 58, 59, 61, 99] {
                    let text = format!("2024-02-29 {hour:02}:{minute:02}:{second:02}");
                    let parsed = NaiveDateTime::parse_from_str(&text, "%Y-%m-%d %H:%M:%S").is_ok();
                    assert_eq!(datetime(&text).is_some(), parsed, "{text}");
                }
            }
        }
        for text in ["2024-02-29T12:00:00", "2024-02-29 12-00-00", "2024-02-29 1x:00:00"] {
            assert_eq!(datetime(text), None, "{text}");
        }
        for text in ["2024-02-29 12:00", "2024-02-29 12:00:00+00", "2024-02-29"] {
            assert_eq!(datetime(text), None, "{text}");
        }
    }

    #[test]
    fn years_get_four_digits() {
        assert_eq!(date("24-03-05").as_deref(), Some("0024-03-05"));
        assert_eq!(date("1-01-01").as_deref(), Some("0001-01-01"));
        assert_eq!(date("999-01-31").as_deref(), Some("0999-01-31"));
        assert_eq!(datetime("24-03-05 01:02:03").as_deref(), Some("0024-03-05 01:02:03"));
        for text in ["999-02-30", "0-01-01", "-01-01", "+24-03-05", "02024-03-05", "24-3-05"] {
            assert_eq!(date(text), None, "{text}");
        }
    }
}
