//! How many records one read asks for: as many as Odoo answers in about a second, and more where what
//! each request costs would be a tenth of its time or above.

use std::collections::VecDeque;
use std::time::Duration;

/// Fewer answers would cost more in requests than they save in waiting; Odoo may hash the
/// password at each.
const TARGET: Duration = Duration::from_secs(1);

/// A first page, and the bounds of those that follow where the user set no size.
const FIRST: usize = 2_000;
const FEWEST: usize = 200;
/// More would cost memory, and save Odoo little.
const MOST: usize = 8_000;

/// The same where requests cost much by themselves.
const MOST_OF_COSTLY: usize = 20_000;

/// Bytes that a page may take then, in memory. An answer on its way has up to so many times as many,
/// where each value has a tag and a name.
const BYTES: usize = 4 << 20;
const ON_THE_WAY: usize = 16;

/// The share of a page's time that the request itself may cost.
const FIXED_SHARE: f64 = 0.1;

/// In seconds, what a record costs here at least: requests that cost little beside it need no larger
/// pages.
const OURS: f64 = 20e-6;

/// Pages from which the costs are told.
const SEEN: usize = 8;

/// Pages whose sizes differ by less do not tell them apart.
const SPREAD: f64 = 1.5;

#[derive(Debug, Clone)]
pub struct PageSize {
    size: usize,
    fewest: usize,
    most: usize,
    /// The same where requests cost much by themselves.
    most_of_costly: usize,
    /// How long a page may take, and how much of memory.
    patience: Duration,
    bytes: usize,
    /// Records and seconds of the last pages.
    seen: VecDeque<(f64, f64)>,
    /// What each request costs in seconds, as far as that is known.
    fixed: f64,
}

impl PageSize {
    /// `fixed` is the size that the user set: smaller ones follow only where Odoo asks for less.
    pub fn new(fixed: Option<usize>) -> PageSize {
        match fixed {
            Some(size) => PageSize::between(size, size, size),
            None => PageSize {
                most_of_costly: MOST_OF_COSTLY,
                ..PageSize::between(FIRST, FEWEST, MOST)
            },
        }
    }

    /// Small at first, where perhaps not all pages are wanted: each is twice as large as the one
    /// before it.
    pub fn growing(first: usize, most: usize) -> PageSize {
        let first = first.min(most);
        PageSize::between(first, first, most)
    }

    fn between(first: usize, fewest: usize, most: usize) -> PageSize {
        PageSize {
            size: first,
            fewest,
            most,
            most_of_costly: most,
            patience: Duration::MAX,
            bytes: BYTES,
            seen: VecDeque::new(),
            fixed: 0.0,
        }
    }

    /// Pages that take no more than half of the time, and of the bytes, that an answer may have.
    pub fn within(self, timeout: Duration, max_response: u64) -> PageSize {
        let bytes = usize::try_from(max_response / 2).unwrap_or(usize::MAX) / ON_THE_WAY;
        PageSize { patience: timeout / 2, bytes: bytes.min(self.bytes), ..self }
    }

    /// Records in the next page.
    pub fn records(&self) -> usize {
        self.size
    }

    /// Learns from a page that came, and takes so many bytes: twice as many at most, or half as
    /// many.
    pub fn took(&mut self, records: usize, time: Duration, bytes: usize) {
        // Less than it asked for says little, and so does one that was asked for long ago.
        if records < self.size.min(self.fewest) {
            return;
        }
        let seconds = time.as_secs_f64().max(1e-6);
        self.seen.truncate(SEEN - 1);
        self.seen.push_front((records as f64, seconds));
        self.fixed = fixed_cost(&self.seen).unwrap_or(self.fixed).min(seconds);
        let ideal = self.ideal(records as f64, seconds, bytes as f64);
        let doubled = self.size * 2;
        self.size = ideal
            .clamp(self.size / 2, doubled)
            .clamp(self.fewest.min(doubled), self.most.max(self.most_of_costly));
    }

    /// The size that Odoo answers in about a second, or that at which a request costs little in
    /// comparison.
    fn ideal(&self, records: f64, seconds: f64, bytes: f64) -> usize {
        let by_time = TARGET.as_secs_f64() * records / seconds;
        let usual = (by_time as usize).min(self.most);
        let per_record = ((seconds - self.fixed) / records).max(OURS);
        let by_cost = self.fixed * (1.0 / FIXED_SHARE - 1.0) / per_record;
        let by_patience = (self.patience.as_secs_f64() - self.fixed) / per_record;
        let by_bytes = self.bytes as f64 * records / bytes.max(1.0);
        let costly = by_cost.min(by_patience).min(by_bytes).ceil() as usize;
        usual.max(costly.min(self.most_of_costly))
    }

    /// Learns from a page of so many records that was too much for Odoo.
    pub fn too_much(&mut self, records: usize) {
        self.size = (records / 2).max(1);
        self.most_of_costly = self.most_of_costly.min(self.size.max(self.most));
    }
}

/// What a request costs whatever it asks for, by the line of least squares through pages of different
/// sizes: none that is negative, or that falls with the records.
fn fixed_cost(seen: &VecDeque<(f64, f64)>) -> Option<f64> {
    let sizes = || seen.iter().map(|(records, _)| *records);
    let (least, most) = (sizes().fold(f64::MAX, f64::min), sizes().fold(0.0, f64::max));
    if most < least * SPREAD {
        return None;
    }
    let count = seen.len() as f64;
    let mean = sizes().sum::<f64>() / count;
    let mean_time = seen.iter().map(|(_, seconds)| seconds).sum::<f64>() / count;
    let along = |(records, seconds): &(f64, f64)| (records - mean) * (seconds - mean_time);
    let slope =
        seen.iter().map(along).sum::<f64>() / sizes().map(|n| (n - mean).powi(2)).sum::<f64>();
    Some((mean_time - slope.max(0.0) * mean).max(0.0)).filter(|_| slope > 0.0)
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
        size.took(2_000, seconds(0.1), 1);
        assert_eq!(size.records(), 4_000);
        size.took(4_000, seconds(0.8), 1);
        assert_eq!(size.records(), 5_000);
        size.took(5_000, seconds(9.0), 1);
        assert_eq!(size.records(), 2_500);
        (0..9).for_each(|_| size.took(size.records(), seconds(60.0), 1));
        assert_eq!(size.records(), FEWEST);
        (0..9).for_each(|_| size.took(size.records(), seconds(0.001), 1));
        assert_eq!(size.records(), MOST);
    }

    #[test]
    fn a_size_that_the_user_set_stays() {
        let mut size = PageSize::new(Some(500));
        size.took(500, seconds(0.01), 1);
        assert_eq!(size.records(), 500);
        size.too_much(500);
        assert_eq!(size.records(), 250);
        size.took(250, seconds(0.01), 1);
        assert_eq!(size.records(), 500);
    }

    #[test]
    fn what_was_too_much_is_halved_down_to_one() {
        let mut size = PageSize::new(None);
        size.too_much(3);
        assert_eq!(size.records(), 1);
        size.too_much(1);
        assert_eq!(size.records(), 1);
        size.took(1, seconds(0.1), 1);
        assert_eq!(size.records(), 2);
    }

    /// Reads pages of an Odoo that takes so long for each request, and for each record.
    fn settled(mut size: PageSize, fixed: f64, per_record: f64, bytes: usize) -> usize {
        for _ in 0..20 {
            let records = size.records();
            let time = seconds(fixed + per_record * records as f64);
            size.took(records, time, records * bytes);
        }
        size.records()
    }

    #[test]
    fn what_a_request_costs_is_a_tenth_of_a_page() {
        // By time alone these would be 500 and 500, half of whose time the request costs.
        assert_eq!(settled(PageSize::new(None), 0.5, 0.001, 1), 4_500);
        assert_eq!(settled(PageSize::new(None), 0.2, 0.000_2, 1), 9_000);
        // Where it costs nothing, pages are as they were.
        assert_eq!(settled(PageSize::new(None), 0.0, 0.001, 1), 1_000);
        assert_eq!(settled(PageSize::new(None), 0.001, 0.000_07, 1), MOST);
    }

    #[test]
    fn pages_stay_within_time_and_memory() {
        let patient = PageSize::new(None).within(seconds(4.0), u64::MAX);
        assert_eq!(settled(patient, 0.5, 0.001, 1), 1_500);
        assert_eq!(settled(PageSize::new(None), 3.0, 0.000_1, 1), MOST_OF_COSTLY);
        assert_eq!(settled(PageSize::new(None), 0.5, 0.001, 4 << 10), 1 << 10);
        let small = PageSize::new(None).within(Duration::MAX, 32 << 20);
        assert_eq!(settled(small, 0.5, 0.001, 1 << 10), 1 << 10);
    }

    #[test]
    fn noise_tells_no_costs() {
        let mut size = PageSize::new(None);
        // The larger page came faster.
        size.took(2_000, seconds(1.0), 1);
        size.took(4_000, seconds(0.5), 1);
        assert_eq!(size.fixed, 0.0);
        // One size tells nothing, and what was known is kept.
        size.fixed = 0.1;
        size.seen.clear();
        (0..5).for_each(|_| size.took(4_000, seconds(1.0), 1));
        assert_eq!(size.fixed, 0.1);
    }

    #[test]
    fn what_was_too_much_bounds_costly_pages() {
        let mut size = PageSize::new(None);
        size.too_much(16_000);
        assert_eq!(settled(size, 3.0, 0.000_1, 1), MOST);
    }
}
