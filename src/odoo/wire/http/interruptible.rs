//! Resolving and connecting that notice a cancel: `ureq`'s own shutdown ends what waits on a
//! socket, but there is none yet while a name is looked up or a connection is being made.

use std::cell::Cell;
use std::io;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::odoo::wire::http::hosts::AllowedHosts;
use crate::odoo::wire::http::socket::Socket;
use ureq::Timeout;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, Transport,
};

/// Set once, by the side that gives up.
#[derive(Debug, Clone, Default)]
pub struct CancelFlag(Arc<AtomicBool>);

impl CancelFlag {
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }

    fn check(&self) -> Result<(), ureq::Error> {
        match self.is_set() {
            true => Err(ureq::Error::Io(std::io::ErrorKind::Interrupted.into())),
            false => Ok(()),
        }
    }
}

/// An attempt to connect cannot be interrupted, so each is short and they follow one another.
/// A round trip may take this long.
const ATTEMPT: Duration = Duration::from_millis(750);

const POLL: Duration = Duration::from_millis(50);

thread_local! {
    static CONNECTS: Cell<u64> = const { Cell::new(0) };
}

/// How often this thread has connected. An exchange is one thread's: where the number stays, it went
/// through a socket that was there before.
pub fn connects() -> u64 {
    CONNECTS.get()
}

#[derive(Debug)]
pub struct InterruptibleConnector {
    pub cancelled: CancelFlag,
}

impl<In: Transport> Connector<In> for InterruptibleConnector {
    type Out = Either<In, Socket>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, ureq::Error> {
        if let Some(chained) = chained {
            return Ok(Some(Either::A(chained)));
        }
        CONNECTS.set(CONNECTS.get() + 1);
        let socket = self.connect_to_any(details)?;
        (details.register_shutdown)(socket.handle())?;
        Ok(Some(Either::B(socket)))
    }
}

impl InterruptibleConnector {
    /// Tries the addresses by turns, until the time is over or none of them is worth another try.
    fn connect_to_any(&self, details: &ConnectionDetails) -> Result<Socket, ureq::Error> {
        let begin = Instant::now();
        loop {
            let mut refusal = None;
            let mut is_silent = false;
            for address in &details.addrs {
                self.cancelled.check()?;
                let left = details.timeout.after.saturating_sub(begin.elapsed());
                if left.is_zero() {
                    return Err(ureq::Error::Timeout(Timeout::Connect));
                }
                let config = details.config;
                let buffers =
                    LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size());
                match Socket::connect(address, left.min(ATTEMPT), buffers) {
                    Ok(socket) => return Ok(socket),
                    Err(error) if error.kind() == io::ErrorKind::TimedOut => is_silent = true,
                    Err(error) => refusal = Some(error),
                }
            }
            if let (Some(error), false) = (refusal, is_silent) {
                return Err(error.into());
            }
        }
    }
}

#[derive(Debug)]
pub struct InterruptibleResolver {
    pub cancelled: CancelFlag,
    pub allowed: AllowedHosts,
}

impl Resolver for InterruptibleResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let parts = uri.scheme().zip(uri.authority());
        let host = parts.and_then(|(scheme, host)| DefaultResolver::host_and_port(scheme, host));
        let host = host.ok_or(ureq::Error::HostNotFound)?;
        let name = uri.host().unwrap_or_default();
        // getaddrinfo() cannot be interrupted at all. Its thread owns nothing and ends by
        // itself, at the latest when the system's resolver gives up.
        let (sender, receiver) = mpsc::channel();
        thread::Builder::new()
            .name("odoo_etl resolver".into())
            .spawn(move || sender.send(host.to_socket_addrs().map(Vec::from_iter)))
            .map_err(ureq::Error::Io)?;
        let begin = Instant::now();
        let found = loop {
            self.cancelled.check()?;
            match receiver.recv_timeout(POLL) {
                Ok(found) => break found.map_err(|_| ureq::Error::HostNotFound)?,
                Err(RecvTimeoutError::Disconnected) => return Err(ureq::Error::HostNotFound),
                Err(RecvTimeoutError::Timeout) if begin.elapsed() >= *timeout.after => {
                    return Err(ureq::Error::Timeout(timeout.reason));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        };
        // Every address that the name has: which one is connected to is not chosen here.
        let all: Vec<_> = found.iter().map(|address| address.ip()).collect();
        self.allowed.check(name, &all).map_err(|reason| {
            ureq::Error::Io(io::Error::new(io::ErrorKind::PermissionDenied, reason))
        })?;
        let mut addresses = self.empty();
        let family = config.ip_family();
        // ResolvedSocketAddrs has room for 16.
        family.keep_wanted(found.into_iter()).take(16).for_each(|address| addresses.push(address));
        match addresses.is_empty() {
            true => Err(ureq::Error::HostNotFound),
            false => Ok(addresses),
        }
    }
}
