//! A TCP connection as ureq wants it, with keep-alive: a firewall does not forget one that waits
//! long for Odoo, and one whose other side is gone is noticed.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use socket2::{SockRef, TcpKeepalive};
use ureq::unversioned::transport::{Buffers, LazyBuffers, NextTimeout, ShutdownHandle, Transport};

/// How long a connection may be silent before the other side is asked whether it is there, how
/// far apart the questions are, and how many of them may stay unanswered.
const SILENCE: Duration = Duration::from_secs(60);
const INTERVAL: Duration = Duration::from_secs(10);
const QUESTIONS: u32 = 6;

#[derive(Debug)]
pub struct Socket {
    stream: Arc<TcpStream>,
    buffers: LazyBuffers,
}

impl Socket {
    pub fn connect(
        address: &SocketAddr,
        timeout: Duration,
        buffers: LazyBuffers,
    ) -> io::Result<Socket> {
        let stream = TcpStream::connect_timeout(address, timeout)?;
        stream.set_nodelay(true)?;
        let alive = TcpKeepalive::new().with_time(SILENCE).with_interval(INTERVAL);
        SockRef::from(&stream).set_tcp_keepalive(&alive.with_retries(QUESTIONS))?;
        Ok(Socket { stream: Arc::new(stream), buffers })
    }

    /// What ends its waits from another thread, as long as it lives.
    pub fn handle(&self) -> Weak<dyn ShutdownHandle> {
        let handle: Weak<TcpStream> = Arc::downgrade(&self.stream);
        handle
    }
}

impl Transport for Socket {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        let timeout = timeout.for_write();
        self.stream.set_write_timeout(limit(&timeout)?)?;
        let output = &self.buffers.output()[..amount];
        (&*self.stream).write_all(output).map_err(|error| explain(error, &timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        let timeout = timeout.for_read();
        let limit = limit(&timeout)?;
        let begin = Instant::now();
        let amount = loop {
            // A signal interrupts the wait; it goes on for what is left of it.
            let left = limit.map(|limit| limit.saturating_sub(begin.elapsed()));
            if left.is_some_and(|left| left.is_zero()) {
                return Err(ureq::Error::Timeout(timeout.reason));
            }
            self.stream.set_read_timeout(left)?;
            match (&*self.stream).read(self.buffers.input_append_buf()) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                done => break done.map_err(|error| explain(error, &timeout))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Nothing may have come that was not asked for, nor an end.
    fn is_open(&mut self) -> bool {
        let is_silent = || {
            self.stream.set_nonblocking(true)?;
            let found = self.stream.peek(&mut [0]);
            self.stream.set_nonblocking(false)?;
            io::Result::Ok(found.is_err_and(|error| error.kind() == ErrorKind::WouldBlock))
        };
        is_silent().unwrap_or(false)
    }
}

/// How long a wait may last; `None` for ever.
fn limit(timeout: &NextTimeout) -> Result<Option<Duration>, ureq::Error> {
    match timeout.after.is_zero() {
        true => Err(ureq::Error::Timeout(timeout.reason)),
        false => Ok(timeout.not_zero().map(|limit| *limit)),
    }
}

fn explain(error: io::Error, timeout: &NextTimeout) -> ureq::Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => ureq::Error::Timeout(timeout.reason),
        _ => error.into(),
    }
}
