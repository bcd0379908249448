//! How many records one read asks for: as many as Odoo answers in about a second.

use std::time::Duration;

/// Fewer answers would cost more in requests than they save in waiting; Odoo may hash the
/// password at each.
const TARGET: Duration = Duration::from_secs(1);

/// A first page, and the bounds of those that follow where the user set no size.
const FIRST: usize = 2_000;
const FEWEST: usize = 200;
/// More would cost memory, and save Odoo little.
const MOST: usize = 8_000;

#[derive(Debug, Clone)]
pub struct PageSize {
    size: usize,
    fewest: usize,
    most: usize,
}

impl PageSize {
    /// `fixed` is the size that the user set: smaller ones follow only where Odoo asks for less.
    pub fn new(fixed: Option<usize>) -> PageSize {
        match fixed {
            Some(size) => PageSize { size, fewest: size, most: size },
            None => PageSize { size: FIRST, fewest: FEWEST, most: MOST },
        }
    }

    /// Small at first, where perhaps not all pages are wanted: each is twice as large as the one
    /// before it.
    pub fn growing(first: usize, most: usize) -> PageSize {
        let first = first.min(most);
        PageSize { size: first, fewest: first, most }
    }

    /// Records in the next page.
    pub fn records(&self) -> usize {
        self.size
    }

    /// Learns from a page that came: twice as many at most, or half as many.
    pub fn took(&mut self, records: usize, time: Duration) {
        // Less than it asked for says little, and so does one that was asked for long ago.
        if records < self.size.min(self.fewest) {
            return;
        }
        let per_record = time.as_secs_f64().max(1e-6) / records as f64;
        let ideal = (TARGET.as_secs_f64() / per_record) as usize;
        let doubled = self.size * 2;
        self.size = ideal.clamp(self.size / 2, doubled).clamp(self.fewest.min(doubled), self.most);
    }

    /// Learns from a page of so many records that was too much for Odoo.
    pub fn too_much(&mut self, records: usize) {
        self.size = (records / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: f64) -> Duration {
        Duration::from_secs_f64(seconds)
    }

    #[test]
    fn pages_take_about_a_second() {
        let mut size = PageSize::new(None);
        size.took(2_000, seconds(0.1));
        assert_eq!(size.records(), 4_000);
        size.took(4_000, seconds(0.8));
        assert_eq!(size.records(), 5_000);
        size.took(5_000, seconds(9.0));
        assert_eq!(size.records(), 2_500);
        (0..9).for_each(|_| size.took(size.records(), seconds(60.0)));
        assert_eq!(size.records(), FEWEST);
        (0..9).for_each(|_| size.took(size.records(), seconds(0.001)));
        assert_eq!(size.records(), MOST);
    }

    #[test]
    fn a_size_that_the_user_set_stays() {
        let mut size = PageSize::new(Some(500));
        size.took(500, seconds(0.01));
        assert_eq!(size.records(), 500);
        size.too_much(500);
        assert_eq!(size.records(), 250);
        size.took(250, seconds(0.01));
        assert_eq!(size.records(), 500);
    }

    #[test]
    fn what_was_too_much_is_halved_down_to_one() {
        let mut size = PageSize::new(None);
        size.too_much(3);
        assert_eq!(size.records(), 1);
        size.too_much(1);
        assert_eq!(size.records(), 1);
        size.took(1, seconds(0.1));
        assert_eq!(size.records(), 2);
    }
}
