//! Pages of a model from Odoo: in, a model, a domain and fields; out, pages of typed columns in the
//! order of the ids, read ahead on threads, and the values that Odoo could not give. May call `server`
//! and `odoo`.

pub mod bisect;
mod ids;
mod page_size;
mod pages;
mod request;
mod scan;

pub use bisect::{BadValue, Fetched};
pub use ids::{CHUNK, Ids, Search};
pub use page_size::PageSize;
pub use pages::{Pages, Read, columns, values};
pub use request::{among, for_each_chunk, ids, read, visible, visible_in};
pub use scan::{First, Scan, Wanted, first};
