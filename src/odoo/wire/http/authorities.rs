//! The authorities that may sign a server's certificate.

use std::fs;
use std::path::PathBuf;

use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

/// Where the families of Linux distributions keep the authorities that the system trusts.
const BUNDLES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// The system's authorities, and those of a PEM text besides; or why that text has none.
///
/// ureq takes either the platform's verifier or a list, so with a text of one's own the system's
/// bundle is read here, from where the verifier would read it.
pub fn authorities(pem: Option<&str>) -> Result<RootCerts, String> {
    let Some(pem) = pem else {
        return Ok(RootCerts::PlatformVerifier);
    };
    let mut trusted = certificates(pem)?;
    let bundle = match std::env::var_os("SSL_CERT_FILE") {
        Some(file) => Some(PathBuf::from(file)),
        None => BUNDLES.into_iter().map(PathBuf::from).find(|path| path.exists()),
    };
    // A system without a bundle trusts nobody else.
    let system = bundle.and_then(|path| fs::read_to_string(path).ok());
    trusted.extend(system.and_then(|text| certificates(&text).ok()).unwrap_or_default());
    Ok(RootCerts::new_with_certs(&trusted))
}

/// Whether a PEM text holds certificates.
pub fn check_authorities(pem: &str) -> Result<(), String> {
    certificates(pem).map(drop)
}

fn certificates(pem: &str) -> Result<Vec<Certificate<'static>>, String> {
    let certificates = parse_pem(pem.as_bytes())
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(Ok(certificate)),
            Ok(_) => None,
            Err(error) => Some(Err(error.to_string())),
        })
        .collect::<Result<Vec<_>, _>>()?;
    match certificates.is_empty() {
        true => Err("it holds no certificate".into()),
        false => Ok(certificates),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_certificate_is_refused() {
        assert!(certificates("").is_err());
        assert!(certificates("-----BEGIN CERTIFICATE-----\n!\n").is_err());
    }
}
