//! The SQL surface, one file per group of functions: in, arguments; out, rows, values and errors. May
//! call every room but none of its insides.

mod arguments;
mod check;
mod connections;
mod dashboard;
mod describe;
mod domain;
mod follow;
mod forget;
mod job;
mod live;
mod mirror;
mod partition;
mod rate;
mod read;
mod reports;
mod schedule;
mod sync;
mod version;
mod wrapper;
mod write;

use pgrx::extension_sql_file;

// Before all others.
extension_sql_file!("../../sql/home.sql", name = "home", bootstrap);

// What these functions take and return is said there, as are their comments.
extension_sql_file!("../../sql/client.sql", name = "client", requires = ["domain"]);
extension_sql_file!("../../sql/stock.sql", name = "stock", requires = ["home"]);

// After all functions.
extension_sql_file!("../../sql/comments.sql", name = "comments", finalize);
