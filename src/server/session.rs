//! A connection whose requests run on threads, while the backend waits and stays interruptible.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use pgrx::{PgSqlErrorCode, pg_sys};

use crate::failure::{Failure, notice};
use crate::odoo::{Connection, Error, Protocol, Traffic};
use crate::pg;
use crate::server::kept::{self, Key};
use crate::server::odoo_error::of_write;

/// A request; and then, when it counts as done, what hands its answer over.
type Job = Box<dyn FnOnce(&Connection) -> Deliver + Send>;
type Deliver = Box<dyn FnOnce()>;

/// How long the end of a statement waits for threads whose sockets were shut down.
const PATIENCE: Duration = Duration::from_millis(900);

/// Requests to one server, on up to `readers` threads. Dropping it, which an error does too,
/// ends every exchange in flight; where there is none the connection is kept.
pub struct Session {
    connection: Arc<Connection>,
    key: Key,
    queue: Arc<Queue>,
    threads: RefCell<Vec<JoinHandle<()>>>,
    readers: usize,
    shared: Rc<Shared>,
}

/// What a session's tickets note.
struct Shared {
    /// How long the backend has waited for answers.
    waited: Cell<Duration>,
    connection: Arc<Connection>,
    /// The server, and whose login it is; `None` when its success was told.
    login: Cell<Option<Login>>,
}

type Login = (String, pg_sys::Oid);

type Tell = fn(&str, pg_sys::Oid) -> Result<(), Failure>;

static LOGGED_IN: OnceLock<Tell> = OnceLock::new();

/// Has every session's first success told, with the server's name and the role that logged in.
pub fn when_logged_in(tell: Tell) {
    let _ = LOGGED_IN.set(tell);
}

impl Shared {
    fn waited(&self, time: Duration) {
        self.waited.set(self.waited.get() + time);
    }

    fn tell_login(&self) -> Result<(), Failure> {
        if !self.connection.is_welcome() {
            return Ok(());
        }
        match (self.login.take(), LOGGED_IN.get()) {
            (Some((server, role)), Some(tell)) => tell(&server, role),
            _ => Ok(()),
        }
    }
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    /// Threads that wait for a job, and those that are at one.
    idle: usize,
    busy: usize,
    closed: bool,
}

/// An answer that is still to come.
pub struct Ticket<T> {
    receiver: Receiver<Result<T, Error>>,
    /// The answer, if it was looked for before somebody waited.
    answer: Option<Result<T, Error>>,
    shared: Rc<Shared>,
}

impl<T> Ticket<T> {
    /// Whether the answer is there.
    pub fn is_ready(&mut self) -> bool {
        if self.answer.is_none() {
            self.answer = self.receiver.try_recv().ok();
        }
        self.answer.is_some()
    }

    /// Waits for the answer; a cancel ends the wait with PostgreSQL's own error.
    pub fn wait(self) -> Result<T, Failure> {
        Ok(self.outcome()??)
    }

    /// Waits for the answer, or for what Odoo or the network had against it.
    pub fn outcome(self) -> Result<Result<T, Error>, Failure> {
        let begin = Instant::now();
        let answer = match self.answer {
            Some(answer) => Some(answer),
            None => pg::receive(&self.receiver),
        };
        self.shared.waited(begin.elapsed());
        self.shared.tell_login()?;
        match answer {
            Some(answer) => Ok(answer),
            None => Err(Failure::new(
                PgSqlErrorCode::ERRCODE_INTERNAL_ERROR,
                "a thread that reads from Odoo ended unexpectedly",
            )),
        }
    }
}

impl Session {
    /// A session by a server's name, with so many readers at most.
    pub fn new(connection: Connection, key: Key, name: String, readers: usize) -> Session {
        let connection = Arc::new(connection);
        Session {
            shared: Rc::new(Shared {
                waited: Cell::default(),
                connection: connection.clone(),
                login: Cell::new(Some((name, key.1))),
            }),
            connection,
            key,
            queue: Arc::default(),
            threads: RefCell::default(),
            readers,
        }
    }

    /// What was asked of Odoo so far.
    pub fn traffic(&self) -> Traffic {
        self.connection.traffic()
    }

    /// As whom Odoo is asked.
    pub fn login(&self) -> &str {
        self.connection.login()
    }

    /// The time by Odoo's clock, as its last answer told it.
    pub fn server_time(&self) -> Option<DateTime<Utc>> {
        self.connection.server_time()
    }

    /// The protocol in which the server is asked.
    pub fn protocol(&self) -> Protocol {
        self.connection.protocol()
    }

    /// Whether the secret is known to be an API key.
    pub fn secret_is_key(&self) -> bool {
        self.connection.secret_is_key()
    }

    /// Says once that the server no longer offers the protocol that it was asked in before.
    pub fn tell_of_fall_back(&self, server: &str) {
        if let Some(before) = self.connection.fell_back_from() {
            let now = self.protocol();
            notice!("server \"{server}\" no longer answers in {before}; {now} is used");
        }
    }

    /// How long the backend has waited for answers so far.
    pub fn waited(&self) -> Duration {
        self.shared.waited.get()
    }

    /// How many requests may run at once.
    pub fn readers(&self) -> usize {
        self.readers
    }

    /// Makes a request and waits for it, ahead of those that were only submitted.
    pub fn call<T, F>(&self, request: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        self.enqueue(request, |jobs, job| jobs.push_front(job))?.wait()
    }

    /// Makes a request that changes something, as [`Session::call`] does; its error says so where
    /// Odoo may have done it all the same.
    pub fn write<T, F>(&self, request: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        let ticket = self.enqueue(request, |jobs, job| jobs.push_front(job))?;
        ticket.outcome()?.map_err(of_write)
    }

    /// Makes a request in the background. The caller bounds how many answers it leaves waiting.
    pub fn submit<T, F>(&self, request: F) -> Result<Ticket<T>, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        self.enqueue(request, |jobs, job| jobs.push_back(job))
    }

    fn enqueue<T, F>(
        &self,
        request: F,
        put: impl FnOnce(&mut VecDeque<Job>, Job),
    ) -> Result<Ticket<T>, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> Result<T, Error> + Send + 'static,
    {
        let (sender, receiver) = mpsc::sync_channel(1);
        let job: Job = Box::new(move |connection| {
            let answer = request(connection);
            // Nobody waits any more if the statement has ended.
            Box::new(move || drop(sender.send(answer)))
        });
        let mut state = self.queue.lock();
        put(&mut state.jobs, job);
        let short_of_hands = state.idle < state.jobs.len();
        drop(state);
        self.queue.changed.notify_one();
        if short_of_hands && self.threads.borrow().len() < self.readers {
            self.hire()?;
        }
        Ok(Ticket { receiver, answer: None, shared: self.shared.clone() })
    }

    fn hire(&self) -> Result<(), Failure> {
        let (queue, connection) = (self.queue.clone(), self.connection.clone());
        let spawned = pg::spawn("odoo_etl reader", move || {
            while let Some(job) = queue.next() {
                let deliver = job(&connection);
                queue.lock().busy -= 1;
                deliver();
            }
        });
        let thread = spawned.map_err(|error| {
            Failure::new(
                PgSqlErrorCode::ERRCODE_INSUFFICIENT_RESOURCES,
                format!("could not start a thread: {error}"),
            )
        })?;
        self.threads.borrow_mut().push(thread);
        Ok(())
    }
}

impl Queue {
    /// Ends it. Returns whether a request is being made.
    fn close(&self) -> bool {
        let mut state = self.lock();
        state.closed = true;
        state.jobs.clear();
        let is_busy = state.busy > 0;
        drop(state);
        self.changed.notify_all();
        is_busy
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job; `None` when the session has ended.
    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.closed {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                state.busy += 1;
                return Some(job);
            }
            state.idle += 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        let is_busy = self.queue.close();
        if is_busy {
            self.connection.line().cancel();
        }
        let deadline = Instant::now() + PATIENCE;
        for thread in self.threads.take() {
            while is_busy && !thread.is_finished() && Instant::now() < deadline {
                thread::sleep(Duration::from_millis(1));
            }
            // One that is left ends with its last system call, a connect of 750 ms at most; one
            // that waits for a job ends at once.
            if !is_busy || thread.is_finished() {
                let _ = thread.join();
            }
        }
        if !is_busy {
            kept::give_back(self.key, &self.connection);
        }
    }
}
