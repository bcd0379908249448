//! An answer over JSON-2, and over JSON-RPC.
#![no_main]

use libfuzzer_sys::fuzz_target;
use odoo_etl_fuzz::odoo::wire::json;
use odoo_etl_fuzz::read;

fuzz_target!(|body: &[u8]| {
    read(body, |input, sink| json::decode_value(input, sink));
    read(body, |input, sink| json::decode_answer(input, sink));
});
