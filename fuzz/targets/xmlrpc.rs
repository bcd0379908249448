//! An answer over XML-RPC.
#![no_main]

use libfuzzer_sys::fuzz_target;
use odoo_etl_fuzz::odoo::wire::xmlrpc;
use odoo_etl_fuzz::read;

fuzz_target!(|body: &[u8]| read(body, |input, sink| xmlrpc::decode(input, sink)));
