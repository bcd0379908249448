//! Odoo's release, as `common.version()` tells it.

use std::fmt;

use crate::odoo::value::Value;

/// The release of a server, e.g. 19.0 or Odoo Online's saas~19.1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// 14 to 20; of an intermediate release the major that it belongs to.
    pub major: u32,
    /// As the server writes it, e.g. `19.0+e`.
    pub text: String,
}

impl Version {
    /// Reads the struct that `common.version()` returns; `None` if it is none of Odoo's.
    ///
    /// `server_version_info[0]` is an integer, but a text such as `saas~19` on Odoo Online's
    /// intermediate releases.
    pub fn from_value(value: &Value) -> Option<Version> {
        let text = value.get("server_version")?.as_str()?.to_owned();
        let first = value.get("server_version_info")?.as_array()?.first()?;
        let major = match first {
            Value::Int(int) => u32::try_from(*int).ok()?,
            Value::Text(text) => text.rsplit('~').next()?.parse().ok()?,
            _ => return None,
        };
        Some(Version { major, text })
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(text: &str, first: Value) -> Option<Version> {
        Version::from_value(
            &[
                ("server_version".to_owned(), Value::from(text)),
                ("server_version_info".to_owned(), Value::Array(vec![first, Value::Int(0)])),
            ]
            .into_iter()
            .collect(),
        )
    }

    #[test]
    fn reads_stable_online_and_enterprise() {
        assert_eq!(version("19.0", Value::Int(19)).unwrap().major, 19);
        assert_eq!(version("19.0+e", Value::Int(19)).unwrap().text, "19.0+e");
        let online = version("saas~19.1", Value::from("saas~19")).unwrap();
        assert_eq!((online.major, online.text.as_str()), (19, "saas~19.1"));
    }

    #[test]
    fn refuses_what_is_no_version() {
        assert_eq!(Version::from_value(&Value::Bool(false)), None);
        assert_eq!(version("x", Value::from("saas~x")), None);
    }
}
