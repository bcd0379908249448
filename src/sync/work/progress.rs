//! How far a long run is: told to the psql user, and shown to other sessions.

use std::time::{Duration, Instant, SystemTime};

use pgrx::prelude::*;

use crate::failure::{Failure, notice};
use crate::pg;
use crate::server::Server;
use crate::warehouse::ddl::qualified;

/// Between two messages.
const PAUSE: Duration = Duration::from_secs(3);

/// What a run is doing with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    Reading = 1,
    LookingForDeletes = 2,
}

pub struct Progress {
    name: &'static str,
    table: pg_sys::Oid,
    server: pg_sys::Oid,
    total: usize,
    pages: i64,
    begin: Instant,
    started: SystemTime,
    last: Instant,
}

impl Progress {
    pub fn begin(server: &Server, name: &'static str) -> Result<Progress, Failure> {
        let table = qualified(&server.options.schema, name);
        let sql = "SELECT to_regclass($1)::oid";
        let table = Spi::get_one_with_args::<pg_sys::Oid>(sql, &[table.into()])?;
        let now = Instant::now();
        let progress = Progress {
            name,
            table: table.unwrap_or(pg_sys::InvalidOid),
            server: server.oid,
            total: 0,
            pages: 0,
            begin: now,
            started: SystemTime::now(),
            last: now,
        };
        progress.show(Phase::Reading, 0);
        Ok(progress)
    }

    /// Learns how many rows there are.
    pub fn expect(&mut self, total: Option<usize>) {
        self.total = total.unwrap_or(self.total);
    }

    /// Tells how far the run is: other sessions at once, its own user if it has been silent for
    /// a while.
    pub fn tell(&mut self, rows: usize) {
        self.pages += 1;
        self.show(Phase::Reading, rows);
        if self.last.elapsed() >= PAUSE {
            self.last = Instant::now();
            notice!("{}", message(self.name, rows, self.total, self.begin.elapsed()));
        }
    }

    pub fn show(&self, phase: Phase, rows: usize) {
        let started = self.started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        pg::show_progress(&pg::Progress {
            table: self.table,
            server: self.server,
            phase: phase as i64,
            pages: self.pages,
            rows: rows as i64,
            total: self.total as i64,
            started: started.as_millis() as i64,
        });
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        pg::hide_progress();
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
