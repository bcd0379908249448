//! Conditions of SQL: in, predicates; out, domains, and a plan that travels as text. May call `odoo`
//! and the tables' columns.

pub mod plan;
pub mod predicate;
pub mod pushdown;
#[cfg(test)]
mod tests;
pub mod time;
