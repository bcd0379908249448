//! A domain as users write it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use odoo_etl_fuzz::odoo::domain::tree::Domain;

fuzz_target!(|text: &str| match Domain::parse(text) {
    Ok(domain) => {
        // As odoo_domain writes it, it is read again.
        let written = domain.to_string();
        let again = Domain::parse(&written).map(|domain| domain.to_string());
        assert_eq!(again, Ok(written));
    }
    Err(error) => assert!(error.at <= text.chars().count(), "{error}"),
});
