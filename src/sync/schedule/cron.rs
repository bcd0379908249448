//! Cron expressions, for the time between two runs. What one may look like is pg_cron's to judge.

use std::time::Duration;

use chrono::{DateTime, Days, Utc};
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

/// The minutes of an hour.
const MINUTES: usize = 60;

/// For how many days times are looked at, and how many at most.
const DAYS: Days = Days::new(8);
const STARTS: usize = 500;

/// The least time between two runs in the week that comes, or between the next two if they are further
/// apart. `None` if it never comes, such as 31 February.
pub fn interval(cron: &Cron, now: DateTime<Utc>) -> Option<Duration> {
    // Of a list without a minute croner tries all minutes of thousands of years.
    if !(0..MINUTES).any(|minute| starts_in(cron, minute)) {
        return None;
    }
    let next = |after: &DateTime<Utc>| cron.find_next_occurrence(after, false).ok();
    let mut before = next(&now)?;
    let end = before.checked_add_days(DAYS)?;
    let starts = std::iter::successors(next(&before), next).take(STARTS);
    let gaps = starts.enumerate().take_while(|(place, start)| *place == 0 || *start < end);
    gaps.filter_map(|(_, start)| (start - std::mem::replace(&mut before, start)).to_std().ok())
        .min()
}

/// What else an expression may be whose minute its writer leaves open, as a step or a name does: one
/// for each minute in which it may start first, itself before all others. An expression that says its
/// minute stands alone.
pub fn choices(text: &str) -> Vec<String> {
    let moved = |step: usize, minute: &dyn Fn(usize) -> String| {
        let others = (1..step).map(minute);
        [text.to_owned()].into_iter().chain(others).collect()
    };
    let rest = match text {
        "@hourly" => "* * * *",
        "@daily" => "0 * * *",
        "@weekly" => "0 * * 0",
        "@monthly" => "0 1 * *",
        "@yearly" | "@annually" => "0 1 1 *",
        _ => {
            let step = text.trim().strip_prefix("*/").and_then(|rest| rest.split_once(' '));
            return match step.and_then(|(step, rest)| Some((step.parse().ok()?, rest))) {
                // As often from each minute, and at the same intervals.
                Some((step, rest)) if step < MINUTES && MINUTES.is_multiple_of(step) => {
                    moved(step, &|minute| format!("{minute}-59/{step} {rest}"))
                }
                _ => vec![text.to_owned()],
            };
        }
    };
    moved(MINUTES, &|minute| format!("{minute} {rest}"))
}

/// The choice in whose minutes the fewest of other jobs start, whatever the hour; among equals the one
/// from before, else the first.
pub fn spread(choices: Vec<String>, before: Option<&str>, others: &[String]) -> Option<String> {
    let mut jobs = [0; MINUTES];
    for minute in others.iter().flat_map(|cron| minutes(cron)) {
        jobs[minute] += 1;
    }
    let busiest = |choice: &String| {
        let busiest = minutes(choice).map(|minute| jobs[minute]).max();
        (busiest, before != Some(choice))
    };
    choices.into_iter().min_by_key(busiest)
}

/// The minutes in which it starts.
fn minutes(text: &str) -> impl Iterator<Item = usize> + use<> {
    let cron = parse(text).ok();
    (0..MINUTES).filter(move |minute| cron.as_ref().is_some_and(|cron| starts_in(cron, *minute)))
}

fn starts_in(cron: &Cron, minute: usize) -> bool {
    cron.pattern.minute_match(minute as u32).unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn scheduled(expressions: &[&str]) -> Vec<String> {
        let mut others = Vec::new();
        for text in expressions {
            others.push(spread(choices(text), None, &others).unwrap());
        }
        others
    }

    /// How many start in the minute that has most of them, and in how many minutes none does.
    fn busiest(others: &[String]) -> (usize, usize) {
        let count = |minute: usize| {
            others.iter().flat_map(|cron| minutes(cron)).filter(|m| *m == minute).count()
        };
        let counts: Vec<_> = (0..MINUTES).map(count).collect();
        (*counts.iter().max().unwrap(), counts.iter().filter(|count| **count == 0).count())
    }

    #[test]
    fn fifty_servers_are_spread() {
        assert_eq!(busiest(&scheduled(&["*/10 * * * *"; 50])), (5, 0));
        assert_eq!(busiest(&scheduled(&["*/5 * * * *"; 50])), (10, 0));
        assert_eq!(busiest(&scheduled(&["@hourly"; 50])), (1, 10));
        assert_eq!(busiest(&scheduled(&["@daily"; 61])), (2, 0));
        // Nightly ones besides.
        assert_eq!(busiest(&scheduled(&[["*/10 * * * *"; 50], ["@daily"; 50]].concat())), (6, 0));
        // What is written out is meant.
        assert_eq!(busiest(&scheduled(&["0 3 * * *"; 50])).0, 50);
        assert_eq!(busiest(&scheduled(&["* * * * *"; 50])).0, 50);
    }

    #[test]
    fn the_interval_is_the_least_one() {
        // A Friday, before a long time without a start.
        let now = "2024-01-19T20:55:30Z".parse().unwrap();
        let hours = |text: &str| {
            interval(&parse(text).unwrap(), now).map(|time| time.as_secs_f64() / 3600.0)
        };
        assert_eq!(hours("0 8-18 * * *"), Some(1.0));
        assert_eq!(hours("6,7,8 12 * * *"), Some(1.0 / 60.0));
        assert_eq!(hours("* 8-20 * * 1-5"), Some(1.0 / 60.0));
        assert_eq!(hours("0 0 * * 1-5"), Some(24.0));
        assert_eq!(hours("0 0 * * 0"), Some(24.0 * 7.0));
        assert_eq!(hours("0 0 1 * *"), Some(24.0 * 29.0));
        // Those that never come are told soon, whatever pg_cron thinks of them.
        let begin = Instant::now();
        for text in ["0 0 31 2 *", ", * * * *", "* , * * *", "* * , * *", "* * * , *", "* * * * ,"]
        {
            assert_eq!(hours(text), None, "{text}");
        }
        assert!(begin.elapsed().as_secs() < 3);
    }

    #[test]
    fn every_choice_starts_as_often() {
        // Amid all of them: a period that has just begun would count for some choices alone.
        let now = "2024-01-15T12:30:00Z".parse().unwrap();
        for text in [
            "*/2 * * * *",
            "*/10 8-20 * * 1-5",
            " */30  6 * * *",
            "@hourly",
            "@daily",
            "@weekly",
            "@monthly",
            "@annually",
        ] {
            let choices = choices(text);
            assert_eq!(choices[0], text);
            for choice in &choices {
                let (is, was) = (parse(choice).unwrap(), parse(text).unwrap());
                assert_eq!(interval(&is, now), interval(&was, now), "{choice}");
                assert_eq!(minutes(choice).count(), minutes(text).count(), "{choice}");
            }
            let firsts: Vec<_> =
                choices.iter().map(|choice| minutes(choice).next().unwrap()).collect();
            assert_eq!(firsts, (0..choices.len()).collect::<Vec<_>>(), "{text}");
        }
    }

    #[test]
    fn a_minute_that_is_said_is_meant() {
        for text in [
            "0 * * * *",
            "5-59/10 * * * *",
            "*/7 * * * *",
            "*/60 * * * *",
            "*/0 * * * *",
            "*/1 * * * *",
            "* * * * *",
            "0,30 * * * *",
            "*/10,5 * * * *",
            "@midnight",
            "@DAILY",
            "@reboot",
            "*/10",
            "",
        ] {
            assert_eq!(choices(text), [text]);
        }
    }

    #[test]
    fn a_job_stays_where_it_is_as_good() {
        let others = ["* * * * *".to_owned()];
        let again = |before| spread(choices("*/10 * * * *"), before, &others).unwrap();
        assert_eq!(again(Some("7-59/10 * * * *")), "7-59/10 * * * *");
        assert_eq!(again(Some("5-59/15 * * * *")), "*/10 * * * *");
        assert_eq!(again(None), "*/10 * * * *");
    }

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
