//! How a declaration says where in Odoo a value comes from.
//!
//! - `uom_id.name` is the `name` of the record that `uom_id` points to.
//! - `uom_id.name|product_uom.name` are two spellings: the first one that this Odoo has counts.
//! - `tz ?? company_id.tz` are two values: the second one counts where the first is empty.
//! - `type=product` is a boolean, whether `type` is `product`; `customer_rank>0` another, and
//!   `scrap_id>0`, whether there is a record.
//! - `total_cost?is_cost_known` is empty where `is_cost_known` is false, or no record if it is a
//!   relation.
//! - `version_ids.date_start` is the earliest of several dates, `tag_ids.name` all of the texts,
//!   `layer_ids.value` the sum of the numbers.
//! - `amount_paid / -` is for a table with two feeds: a path for each, `-` for none.

/// Values in the order of preference; each is the first spelling that resolves.
pub type Paths = Vec<Vec<Path>>;

/// Fields from the dataset's own model on; every one but the last is relational.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path {
    pub fields: Vec<&'static str>,
    /// Makes a boolean of the value.
    pub test: Option<Test>,
    /// A boolean field, or a relation, without which the value means nothing.
    pub guard: Option<&'static str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Test {
    Equals(&'static str),
    Positive,
}

/// Reads the paths of one feed; the text of the error says what is wrong with the declaration.
pub fn parse(text: &'static str, feed: usize) -> Result<Paths, String> {
    let parts: Vec<_> = text.split(" / ").collect();
    let part = match parts.as_slice() {
        [only] => only,
        several => several.get(feed).ok_or_else(|| format!("{text}: no path for feed {feed}"))?,
    };
    match *part {
        "-" => Ok(Vec::new()),
        part => {
            part.split(" ?? ").map(|value| value.split('|').map(parse_path).collect()).collect()
        }
    }
}

fn parse_path(text: &'static str) -> Result<Path, String> {
    let (text, guard) = match text.split_once('?') {
        Some((text, guard)) => (text, Some(guard)),
        None => (text, None),
    };
    let (fields, test) = match (text.split_once('='), text.strip_suffix(">0")) {
        (Some((fields, value)), _) => (fields, Some(Test::Equals(value))),
        (_, Some(fields)) => (fields, Some(Test::Positive)),
        _ => (text, None),
    };
    let fields: Vec<_> = fields.split('.').collect();
    let name_like = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut names = fields.iter().chain(&guard);
    match names.find(|field| field.is_empty() || !field.chars().all(name_like)) {
        Some(field) => Err(format!("{text}: \"{field}\" is no field name")),
        None => Ok(Path { fields, test, guard }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_values_tests_and_feeds() {
        let paths = parse("a.b|c ?? d=x", 0).unwrap();
        assert_eq!(paths[0][0].fields, ["a", "b"]);
        assert_eq!(paths[0][1].fields, ["c"]);
        assert_eq!(paths[1][0].test, Some(Test::Equals("x")));
        assert_eq!(parse("rank>0", 0).unwrap()[0][0].test, Some(Test::Positive));
        assert_eq!(parse("cost?known", 0).unwrap()[0][0].guard, Some("known"));
        assert_eq!(parse("a / b", 1).unwrap()[0][0].fields, ["b"]);
        assert_eq!(parse("a / -", 1).unwrap(), Paths::new());
        assert_eq!(parse("a", 1).unwrap()[0][0].fields, ["a"]);
        for wrong in ["", "a..b", "a|", "a b", "a?? b", "a?"] {
            assert!(parse(wrong, 0).is_err(), "{wrong}");
        }
    }
}
