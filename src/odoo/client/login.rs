//! What is known of a user, which outlives connections.

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError, TryLockError};
use std::time::{Duration, Instant};

use crate::odoo::client::version::Version;
use crate::odoo::wire::protocol::Protocol;
use crate::odoo::wire::web::WebSession;

/// Who a login turned out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub uid: i64,
    /// The companies to see; the first one is the current company.
    pub companies: Vec<i64>,
}

/// What all connections of one user of a server share, at the same time and one after the other.
#[derive(Default)]
pub struct Login {
    known: Mutex<Known>,
    /// Odoo has refused something that may come of companies which are no longer the user's.
    is_doubted: AtomicBool,
    pub(super) release: OnceLock<Version>,
    pub(super) session: WebSession,
}

#[derive(Default)]
pub(super) enum Known {
    #[default]
    Nothing,
    /// The id of an earlier login. Whether it still is the user's is Odoo's to say.
    Uid(i64, Protocol),
    Confirmed(Confirmed),
}

/// What Odoo has said of the user.
#[derive(Clone)]
pub(super) struct Confirmed {
    pub identity: Identity,
    /// When it said so.
    pub at: Instant,
    pub protocol: Protocol,
}

impl Known {
    /// The user's id, and the protocol that it was told in.
    fn user(&self) -> Option<(i64, Protocol)> {
        match self {
            Known::Nothing => None,
            Known::Uid(uid, protocol) => Some((*uid, *protocol)),
            Known::Confirmed(confirmed) => Some((confirmed.identity.uid, confirmed.protocol)),
        }
    }

    /// The user's id is all that is left of it.
    pub fn expire(&mut self) {
        *self = self.user().map_or(Known::Nothing, |(uid, protocol)| Known::Uid(uid, protocol));
    }
}

impl Login {
    /// Has Odoo asked again about what it said longer ago than that, or what is doubted.
    pub fn expire(&self, lasts: Duration) {
        let is_doubted = self.is_doubted.swap(false, Relaxed);
        self.look(|known| match known {
            Known::Confirmed(confirmed) if is_doubted || confirmed.at.elapsed() >= lasts => {
                known.expire();
            }
            _ => {}
        });
    }

    /// The session that Odoo may keep for it.
    pub fn session(&self) -> WebSession {
        self.session.clone()
    }

    pub(super) fn doubt(&self) {
        self.is_doubted.store(true, Relaxed);
    }

    /// The user's id, and the protocol that it was told in; `None` while nobody knows it.
    pub fn user(&self) -> Option<(i64, Protocol)> {
        self.look(|known| known.user()).flatten()
    }

    /// Remembers the id of a login that somebody else made. `false` if one is known.
    pub(super) fn remember(&self, uid: i64, protocol: Protocol) -> bool {
        let remember = |known: &mut Known| {
            let is_new = matches!(known, Known::Nothing);
            if is_new {
                *known = Known::Uid(uid, protocol);
            }
            is_new
        };
        self.look(remember).unwrap_or(false)
    }

    /// Looks without waiting for who is logging in, which may take long: the backend's own thread
    /// must not.
    fn look<T>(&self, look: impl FnOnce(&mut Known) -> T) -> Option<T> {
        match self.known.try_lock() {
            Ok(mut known) => Some(look(&mut known)),
            Err(TryLockError::Poisoned(known)) => Some(look(&mut known.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
