//! Cron expressions, for the time between two runs. What one may look like is pg_cron's to judge.

use std::time::Duration;

use chrono::{DateTime, Utc};
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};

/// # Errors
/// What is wrong with it, as far as it is seen without pg_cron.
pub fn parse(text: &str) -> Result<Cron, String> {
    // pg_cron has two names for it, croner one.
    let text = if text.trim() == "@midnight" { "@daily" } else { text };
    let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
    parser.parse(text).map_err(|error| error.to_string().trim_end_matches('.').to_owned())
}

/// The time between the next two runs of an expression that pg_cron has accepted: others may be
/// searched for a long time. `None` if it never comes, such as 31 February.
pub fn interval(cron: &Cron, now: DateTime<Utc>) -> Option<Duration> {
    let next = cron.find_next_occurrence(&now, false).ok()?;
    let then = cron.find_next_occurrence(&next, false).ok()?;
    (then - next).to_std().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval() {
        let now = "2024-01-01T00:00:00Z".parse().unwrap();
        let minutes = |cron| Some(interval(&parse(cron).unwrap(), now)?.as_secs() / 60);
        const DAY: u64 = 24 * 60;
        for (cron, expected) in [
            ("* * * * *", 1),
            ("*/10 * * * *", 10),
            ("5-59/20 1 * * *", 20),
            ("0 3 * * *", DAY),
            ("30 22 * * mon-fri", DAY),
            ("0 0 * * 7", 7 * DAY),
            ("0 12 1,15 * *", 14 * DAY),
            // Either the 13th or a Friday: the 5th and the 12th of January.
            ("0 0 13 * 5", 7 * DAY),
            ("0 0 1 feb,mar *", 29 * DAY),
            ("@hourly", 60),
            ("@midnight", DAY),
            ("@weekly", 7 * DAY),
        ] {
            assert_eq!(minutes(cron), Some(expected), "{cron}");
        }
        assert_eq!(minutes("0 0 31 2 *"), None);
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
            "@reboot",
            "@often",
            "+5 * * * *",
            "-1 * * * *",
            "10 seconds",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
