//! Conditions of SQL: in, predicates; out, domains, and plans. May call `odoo`, `pg` and the tables' columns.

pub mod grouped;
mod operator;
pub mod plan;
pub mod pushdown;
#[cfg(test)]
mod tests;
pub mod time;
