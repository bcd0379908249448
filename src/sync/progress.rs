//! How far a long run is, told to the psql user.

use std::time::{Duration, Instant};

use pgrx::notice;

/// Between two messages.
const PAUSE: Duration = Duration::from_secs(3);

pub struct Progress {
    table: &'static str,
    total: usize,
    begin: Instant,
    last: Instant,
}

impl Progress {
    pub fn begin(table: &'static str, total: usize) -> Progress {
        let now = Instant::now();
        Progress { table, total, begin: now, last: now }
    }

    /// Tells how far the run is, if it has been silent for a while.
    pub fn tell(&mut self, rows: usize) {
        if self.last.elapsed() >= PAUSE {
            self.last = Instant::now();
            notice!("{}", message(self.table, rows, self.total, self.begin.elapsed()));
        }
    }
}

fn message(table: &str, rows: usize, total: usize, elapsed: Duration) -> String {
    let speed = rows as f64 / elapsed.as_secs_f64().max(0.001);
    let left = total.saturating_sub(rows) as f64 / speed.max(0.001);
    format!(
        "{table}: {} of {} rows, {} rows/s, about {} left",
        thousands(rows),
        thousands(total.max(rows)),
        thousands(speed as usize),
        duration(left.ceil() as u64),
    )
}

fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("{seconds} s"),
        120..=7199 => format!("{} min", seconds.div_ceil(60)),
        _ => format!("{} h", seconds.div_ceil(3600)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_read_well() {
        assert_eq!(
            message("dim_products", 12_000, 120_021, Duration::from_secs_f64(1.224)),
            "dim_products: 12,000 of 120,021 rows, 9,803 rows/s, about 12 s left"
        );
        assert_eq!(
            message("x", 1, 10_000, Duration::from_secs(1)),
            "x: 1 of 10,000 rows, 1 rows/s, about 3 h left"
        );
        assert_eq!(thousands(1_234_567), "1,234,567");
    }
}
