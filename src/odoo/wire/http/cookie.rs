//! The cookie by which Odoo knows a session.

use std::cell::RefCell;

use ureq::http::HeaderMap;
use ureq::http::header::SET_COOKIE;

const NAME: &str = "session_id";

/// The cookie of one exchange: what is sent, and what the answer sets.
#[derive(Default)]
pub struct Cookie {
    pub sent: Option<String>,
    set: RefCell<Option<String>>,
}

impl Cookie {
    pub fn of(session: &str) -> Cookie {
        Cookie { sent: Some(session.to_owned()), set: RefCell::default() }
    }

    /// The header `Cookie`.
    pub fn header(&self) -> Option<String> {
        self.sent.as_ref().map(|session| format!("{NAME}={session}"))
    }

    /// Notes what an answer's headers set.
    pub fn note(&self, headers: &HeaderMap) {
        let texts = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok());
        if let Some(session) = texts.filter_map(value_of).next_back() {
            *self.set.borrow_mut() = Some(session.to_owned());
        }
    }

    /// What the answer set.
    pub fn set(self) -> Option<String> {
        self.set.into_inner()
    }
}

/// The session that a header `Set-Cookie` names.
fn value_of(header: &str) -> Option<&str> {
    let (name, value) = header.split(';').next()?.split_once('=')?;
    let value = value.trim().trim_matches('"');
    (name.trim() == NAME && !value.is_empty()).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_session_is_told_from_other_cookies() {
        assert_eq!(
            value_of("session_id=a-b_1; Expires=Wed, 21 Oct; Path=/; HttpOnly"),
            Some("a-b_1")
        );
        assert_eq!(value_of("session_id=\"a\""), Some("a"));
        for other in [
            "frontend_lang=en_US; Path=/",
            "session_id=; Max-Age=0",
            "session_id",
            "my_session_id=a",
        ] {
            assert_eq!(value_of(other), None, "{other}");
        }
    }

    #[test]
    fn the_last_that_is_set_counts() {
        let mut headers = HeaderMap::new();
        for value in ["session_id=one", "x=y", "session_id=two; Path=/"] {
            headers.append(SET_COOKIE, value.parse().unwrap());
        }
        let cookie = Cookie::of("zero");
        cookie.note(&headers);
        assert_eq!(
            (cookie.header().as_deref(), cookie.set().as_deref()),
            (Some("session_id=zero"), Some("two"))
        );
    }
}
