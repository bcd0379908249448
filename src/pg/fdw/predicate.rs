//! Conditions on the columns of a foreign table, as plain data.

use serde::{Deserialize, Serialize};

/// A value that a column is compared with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Scalar {
    Boolean(bool),
    Integer(i64),
    /// A `numeric` or a float, as PostgreSQL writes it.
    Decimal(String),
    Text(String),
    /// Days since 2000-01-01; the least and the greatest number are the infinities.
    Date(i32),
    /// Microseconds since 2000-01-01 UTC; the least and the greatest number are the infinities.
    Time(i64),
}

/// What an operand turned out to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Constant {
    Null,
    One(Scalar),
    /// The elements of an array.
    Many(Vec<Option<Scalar>>),
    /// Not known before execution: how EXPLAIN names it.
    Unknown(String),
}

/// The other side of a comparison.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Operand {
    Constant(Constant),
    /// The number of an expression that is evaluated when the scan begins.
    Expression(usize),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

impl Comparison {
    /// The comparison that the operator of that name makes.
    pub fn from_name(name: &str) -> Option<Comparison> {
        Some(match name {
            "=" => Comparison::Equal,
            "<>" => Comparison::NotEqual,
            "<" => Comparison::Less,
            "<=" => Comparison::LessOrEqual,
            ">" => Comparison::Greater,
            ">=" => Comparison::GreaterOrEqual,
            _ => return None,
        })
    }

    /// True where this one is false, of values that are not NULL.
    pub fn negated(self) -> Comparison {
        match self {
            Comparison::Equal => Comparison::NotEqual,
            Comparison::NotEqual => Comparison::Equal,
            Comparison::Less => Comparison::GreaterOrEqual,
            Comparison::LessOrEqual => Comparison::Greater,
            Comparison::Greater => Comparison::LessOrEqual,
            Comparison::GreaterOrEqual => Comparison::Less,
        }
    }

    /// The same with its sides exchanged.
    pub fn commuted(self) -> Comparison {
        match self {
            Comparison::Less => Comparison::Greater,
            Comparison::LessOrEqual => Comparison::GreaterOrEqual,
            Comparison::Greater => Comparison::Less,
            Comparison::GreaterOrEqual => Comparison::LessOrEqual,
            same => same,
        }
    }

    pub fn holds<T: PartialOrd>(self, one: T, other: T) -> bool {
        match self {
            Comparison::Equal => one == other,
            Comparison::NotEqual => one != other,
            Comparison::Less => one < other,
            Comparison::LessOrEqual => one <= other,
            Comparison::Greater => one > other,
            Comparison::GreaterOrEqual => one >= other,
        }
    }
}

/// A condition that is met where it is true, neither false nor NULL. Columns are named by their
/// attribute numbers. There is no "not": it is carried down to the comparisons.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Predicate {
    All(Vec<Predicate>),
    Any(Vec<Predicate>),
    Compare(i16, Comparison, Operand),
    /// `= ANY`, or `<> ALL` if negated.
    Listed {
        column: i16,
        negated: bool,
        list: Operand,
    },
    Like {
        column: i16,
        negated: bool,
        ignore_case: bool,
        pattern: Operand,
    },
    Null {
        column: i16,
        negated: bool,
    },
    /// A boolean column has that value.
    Flag(i16, bool),
}

impl Predicate {
    /// What is left of it without the expressions that are not known yet; it lets more through.
    pub fn known(&self) -> Predicate {
        let is_known = |operand: &Operand| matches!(operand, Operand::Constant(_));
        let kept = match self {
            Predicate::All(parts) => {
                return Predicate::All(parts.iter().map(Predicate::known).collect());
            }
            Predicate::Any(parts) => parts.iter().all(|part| part.known() == *part),
            Predicate::Compare(_, _, operand)
            | Predicate::Listed { list: operand, .. }
            | Predicate::Like { pattern: operand, .. } => is_known(operand),
            Predicate::Null { .. } | Predicate::Flag(..) => true,
        };
        if kept { self.clone() } else { Predicate::All(Vec::new()) }
    }
}
