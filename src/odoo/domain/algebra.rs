//! Domains joined by `&`, `|` and `!`.

use std::ops::{BitAnd, BitOr, Not};

use crate::odoo::domain::parse::DomainError;
use crate::odoo::domain::tree::{Domain, arity};
use crate::odoo::value::Value;

impl Domain {
    /// One condition of whatever a user gives; the error's place is one in its JSON.
    pub fn condition(
        field: &str,
        operator: &str,
        value: Value,
    ) -> Result<Domain, (String, DomainError)> {
        let text = Domain::leaf(field, operator, value).to_string();
        // What is written and read again has passed every check.
        Domain::parse(&text).map_err(|error| (text, error))
    }

    /// The domain that no record meets, in Odoo's constants.
    pub fn none() -> Domain {
        Domain(vec![Value::Array(vec![Value::Int(0), "=".into(), Value::Int(1)])])
    }

    /// Joins by an operator what stands side by side; `None` for the domain of all records.
    fn single(self) -> Option<Vec<Value>> {
        let mut open = 0usize;
        let mut terms = 0usize;
        for term in &self.0 {
            if open == 0 {
                terms += 1;
                open = 1;
            }
            open = open - 1 + arity(term);
        }
        let operators = terms.checked_sub(1)?;
        Some(std::iter::repeat_n(Value::from("&"), operators).chain(self.0).collect())
    }

    fn join(operator: &str, one: Vec<Value>, other: Vec<Value>) -> Domain {
        Domain([Value::from(operator)].into_iter().chain(one).chain(other).collect())
    }
}

impl BitAnd for Domain {
    type Output = Domain;

    fn bitand(self, other: Domain) -> Domain {
        match (self.single(), other.single()) {
            (Some(one), Some(other)) => Domain::join("&", one, other),
            (one, other) => Domain(one.or(other).unwrap_or_default()),
        }
    }
}

impl BitOr for Domain {
    type Output = Domain;

    fn bitor(self, other: Domain) -> Domain {
        match (self.single(), other.single()) {
            (Some(one), Some(other)) => Domain::join("|", one, other),
            _ => Domain::all(),
        }
    }
}

impl Not for Domain {
    type Output = Domain;

    fn not(self) -> Domain {
        match self.single() {
            Some(terms) => Domain::join("!", terms, Vec::new()),
            None => Domain::none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a domain means, built beside it.
    #[derive(Debug, Clone, PartialEq)]
    enum Tree {
        Leaf(usize),
        None,
        All,
        Not(Box<Tree>),
        And(Box<Tree>, Box<Tree>),
        Or(Box<Tree>, Box<Tree>),
    }

    /// Numbers without end, the same in every run (SplitMix64).
    struct Dice(u64);

    impl Dice {
        fn roll(&mut self, sides: usize) -> usize {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut bits = self.0;
            bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((bits ^ (bits >> 31)) % sides as u64) as usize
        }
    }

    const FIELDS: [&str; 4] = ["a", "b", "c", "d"];

    fn leaf(index: usize) -> Domain {
        Domain::leaf(FIELDS[index], "=", true)
    }

    fn grow(dice: &mut Dice, depth: usize) -> (Tree, Domain) {
        match if depth == 0 { dice.roll(2) } else { dice.roll(9) } {
            0 | 1 => {
                let index = dice.roll(FIELDS.len());
                (Tree::Leaf(index), leaf(index))
            }
            2 => (Tree::All, Domain::all()),
            3 => {
                let (tree, domain) = grow(dice, depth - 1);
                (Tree::Not(tree.into()), !domain)
            }
            4 => {
                // As people write it: side by side.
                let ((one, first), (other, second)) =
                    (grow(dice, depth - 1), grow(dice, depth - 1));
                (Tree::And(one.into(), other.into()), first.and(second))
            }
            5 | 6 => {
                let ((one, first), (other, second)) =
                    (grow(dice, depth - 1), grow(dice, depth - 1));
                (Tree::And(one.into(), other.into()), first & second)
            }
            _ => {
                let ((one, first), (other, second)) =
                    (grow(dice, depth - 1), grow(dice, depth - 1));
                (Tree::Or(one.into(), other.into()), first | second)
            }
        }
    }

    /// Reads prefix notation as Odoo does, from its beginning.
    fn read(terms: &mut std::slice::Iter<'_, Value>) -> Tree {
        match terms.next().expect("a term") {
            Value::Text(operator) if operator == "!" => Tree::Not(read(terms).into()),
            Value::Text(operator) => {
                let (one, other) = (read(terms).into(), read(terms).into());
                if operator == "&" { Tree::And(one, other) } else { Tree::Or(one, other) }
            }
            Value::Array(parts) => match parts[0].as_str() {
                Some(field) => Tree::Leaf(FIELDS.iter().position(|name| *name == field).unwrap()),
                None => Tree::None,
            },
            other => panic!("{other:?}"),
        }
    }

    fn holds(tree: &Tree, record: usize) -> bool {
        match tree {
            Tree::Leaf(index) => record >> index & 1 == 1,
            Tree::None => false,
            Tree::All => true,
            Tree::Not(tree) => !holds(tree, record),
            Tree::And(one, other) => holds(one, record) && holds(other, record),
            Tree::Or(one, other) => holds(one, record) || holds(other, record),
        }
    }

    fn means(domain: &Domain, record: usize) -> bool {
        let mut terms = domain.0.iter();
        while terms.len() > 0 {
            if !holds(&read(&mut terms), record) {
                return false;
            }
        }
        true
    }

    #[test]
    fn joined_domains_mean_what_their_operators_say() {
        let mut dice = Dice(7);
        for _ in 0..20_000 {
            let (tree, domain) = grow(&mut dice, 6);
            for record in 0..1 << FIELDS.len() {
                assert_eq!(means(&domain, record), holds(&tree, record), "{tree:?}\n{domain}");
            }
        }
    }

    #[test]
    fn what_is_written_reads_the_same() {
        let mut dice = Dice(8);
        for _ in 0..20_000 {
            let (_, domain) = grow(&mut dice, 6);
            assert_eq!(Domain::parse(&domain.to_string()), Ok(domain));
        }
    }

    #[test]
    fn operators_stand_before_their_operands() {
        let (a, b, c) = (leaf(0), leaf(1), leaf(2));
        let text = |domain: Domain| domain.to_string().replace(",\"=\",true", "");
        assert_eq!(text(a.clone() & b.clone()), r#"["&",["a"],["b"]]"#);
        assert_eq!(text(a.clone().and(b.clone()) | c.clone()), r#"["|","&",["a"],["b"],["c"]]"#);
        assert_eq!(text(!a.clone().and(b.clone())), r#"["!","&",["a"],["b"]]"#);
        assert_eq!(text(!Domain::all()), r#"[[0,"=",1]]"#);
        assert_eq!(Domain::all() & a.clone(), a);
        assert_eq!(Domain::all() | a, Domain::all());
    }

    #[test]
    fn conditions_are_checked() {
        let condition = |operator, value| Domain::condition("a", operator, value);
        assert_eq!(condition("=", Value::Null), Ok(Domain::leaf("a", "=", false)));
        assert_eq!(condition("=", "x\"'\\".into()), Ok(Domain::leaf("a", "=", "x\"'\\")));
        assert!(condition("~", 1.into()).is_err() && condition("in", 1.into()).is_err());
        assert!(condition("=", Value::Struct(Vec::new())).is_err());
        let evil = "a\",\"=\",1],[\"b";
        assert_eq!(Domain::condition(evil, "=", 1.into()), Ok(Domain::leaf(evil, "=", 1)));
    }
}
