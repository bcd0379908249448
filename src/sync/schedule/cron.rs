//! Cron expressions, as pg_cron reads them (those of Vixie's cron): to refuse what it would not
//! understand, and to know how far apart two runs are.

use std::time::Duration;

use chrono::{DateTime, Datelike, TimeDelta, Timelike, Utc};

/// When something runs. Bit n of a field stands for the value n.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    /// Sunday is 0.
    weekdays: u64,
    /// With both days and weekdays given, either is enough.
    either_day: bool,
}

struct Field {
    name: &'static str,
    min: u32,
    max: u32,
    /// Names for the values from `min` on.
    names: &'static [&'static str],
}

const MONTHS: &[&str] =
    &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] = [
    Field { name: "minute", min: 0, max: 59, names: &[] },
    Field { name: "hour", min: 0, max: 23, names: &[] },
    Field { name: "day of month", min: 1, max: 31, names: &[] },
    Field { name: "month", min: 1, max: 12, names: MONTHS },
    // 7 is Sunday too.
    Field { name: "day of week", min: 0, max: 7, names: WEEKDAYS },
];

const SHORTHANDS: &[(&str, &str)] = &[
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// The longest that any expression waits: 29 February on a Sunday, over a century without one.
const HORIZON: TimeDelta = TimeDelta::days(41 * 366);

impl Cron {
    /// # Errors
    /// What is wrong, in words that name the field.
    pub fn parse(text: &str) -> Result<Cron, String> {
        let text = text.trim();
        let spelled = SHORTHANDS.iter().find(|(name, _)| *name == text).map_or(text, |(_, e)| e);
        if spelled.starts_with('@') {
            let known: Vec<_> = SHORTHANDS.iter().map(|(name, _)| *name).collect();
            return Err(format!("\"{spelled}\" is none of {}", known.join(", ")));
        }
        let parts: Vec<_> = spelled.split_ascii_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = parts[..] else {
            return Err(format!("it has {} fields, not 5", parts.len()));
        };
        let mut weekday_bits = FIELDS[4].parse(weekdays)?;
        weekday_bits |= weekday_bits >> 7 & 1;
        let cron = Cron {
            minutes: FIELDS[0].parse(minutes)?,
            hours: FIELDS[1].parse(hours)?,
            days: FIELDS[2].parse(days)?,
            months: FIELDS[3].parse(months)?,
            weekdays: weekday_bits & 0x7f,
            either_day: !days.starts_with('*') && !weekdays.starts_with('*'),
        };
        match cron.next_after(DateTime::UNIX_EPOCH) {
            Some(_) => Ok(cron),
            None => Err("there is no such day".into()),
        }
    }

    /// The first time after another one, in UTC.
    pub fn next_after(&self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let minute = |time: DateTime<Utc>| time.with_second(0)?.with_nanosecond(0);
        let mut next = minute(time)? + TimeDelta::minutes(1);
        let end = time + HORIZON;
        while next < end {
            if !has(self.months, next.month()) || !self.has_day(next) {
                next = next.with_hour(0)?.with_minute(0)? + TimeDelta::days(1);
            } else if !has(self.hours, next.hour()) {
                next = next.with_minute(0)? + TimeDelta::hours(1);
            } else if !has(self.minutes, next.minute()) {
                next += TimeDelta::minutes(1);
            } else {
                return Some(next);
            }
        }
        None
    }

    /// The time between the next two runs.
    pub fn interval(&self, now: DateTime<Utc>) -> Option<Duration> {
        let next = self.next_after(now)?;
        (self.next_after(next)? - next).to_std().ok()
    }

    fn has_day(&self, time: DateTime<Utc>) -> bool {
        let day = has(self.days, time.day());
        let weekday = has(self.weekdays, time.weekday().num_days_from_sunday());
        if self.either_day { day || weekday } else { day && weekday }
    }
}

fn has(bits: u64, value: u32) -> bool {
    bits >> value & 1 == 1
}

impl Field {
    fn parse(&self, text: &str) -> Result<u64, String> {
        text.split(',').try_fold(0, |bits, part| Ok(bits | self.range(part)?))
    }

    /// `*`, `5`, `1-5`, and with a step `*/15`, `1-30/2`.
    fn range(&self, text: &str) -> Result<u64, String> {
        let wrong =
            || format!("\"{text}\" is no {}: it goes from {} to {}", self.name, self.min, self.max);
        let (range, step) = match text.split_once('/') {
            Some((range, step)) => {
                let step = step.parse().ok().filter(|step| (1..=self.max).contains(step));
                (range, step.ok_or_else(wrong)?)
            }
            None => (text, 1),
        };
        let (first, last) = match range.split_once('-') {
            _ if range == "*" => (self.min, self.max),
            Some((first, last)) => {
                (self.value(first).ok_or_else(wrong)?, self.value(last).ok_or_else(wrong)?)
            }
            // A step without a range means nothing to cron.
            None if step != 1 => return Err(wrong()),
            None => {
                let value = self.value(range).ok_or_else(wrong)?;
                (value, value)
            }
        };
        if first > last {
            return Err(wrong());
        }
        Ok((first..=last).step_by(step as usize).fold(0, |bits, value| bits | 1 << value))
    }

    fn value(&self, text: &str) -> Option<u32> {
        let lower = text.to_ascii_lowercase();
        if let Some(place) = self.names.iter().position(|name| *name == lower) {
            return Some(self.min + place as u32);
        }
        let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|value| digits && (self.min..=self.max).contains(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(cron: &str, after: &str) -> String {
        let after = format!("{after}:00Z").parse().unwrap();
        let next = Cron::parse(cron).unwrap().next_after(after).unwrap();
        next.format("%Y-%m-%dT%H:%M").to_string()
    }

    #[test]
    fn the_next_time() {
        assert_eq!(next("*/10 * * * *", "2024-01-01T00:00"), "2024-01-01T00:10");
        assert_eq!(next("0 3 * * *", "2024-01-01T03:00"), "2024-01-02T03:00");
        assert_eq!(next("30 22 * * mon-fri", "2024-03-01T23:00"), "2024-03-04T22:30");
        assert_eq!(next("0 0 29 feb *", "2024-03-01T00:00"), "2028-02-29T00:00");
        assert_eq!(next("0 12 1,15 * *", "2024-12-15T12:00"), "2025-01-01T12:00");
        assert_eq!(next("0 0 * * 7", "2024-01-01T00:00"), "2024-01-07T00:00");
        // Either the 13th or a Friday.
        assert_eq!(next("0 0 13 * 5", "2024-01-06T00:00"), "2024-01-12T00:00");
        assert_eq!(next("0 0 13 * 5", "2024-01-12T00:00"), "2024-01-13T00:00");
        assert_eq!(next("@hourly", "2024-01-01T00:30"), "2024-01-01T01:00");
        assert_eq!(next("5-59/20 1 * * *", "2024-01-01T01:05"), "2024-01-01T01:25");
    }

    #[test]
    fn the_interval() {
        let now = "2024-01-01T00:00:00Z".parse().unwrap();
        let minutes = |cron| Cron::parse(cron).unwrap().interval(now).unwrap().as_secs() / 60;
        assert_eq!(minutes("*/10 * * * *"), 10);
        assert_eq!(minutes("0 3 * * *"), 24 * 60);
    }

    #[test]
    fn what_cron_would_not_understand() {
        for wrong in [
            "",
            "* * * *",
            "* * * * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "* * * 13 *",
            "* * * * 8",
            "a * * * *",
            "*/0 * * * *",
            "5-1 * * * *",
            "1/2 * * * *",
            "0 0 31 2 *",
            "@reboot",
            "@often",
            "+5 * * * *",
            "-1 * * * *",
            "10 seconds",
        ] {
            assert!(Cron::parse(wrong).is_err(), "{wrong}");
        }
    }
}
