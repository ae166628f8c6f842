//! The pool: a connection that answers within a deadline, or 503.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::time::Duration;

use actix_web::web;
use diesel::connection::{
    AnsiTransactionManager, Instrumentation, InstrumentationEvent, SimpleConnection, TransactionManager,
};
use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::jsonapi::{Error, Result};

/// How long a request waits until it holds a connection that answers; after that it gets 503.
const CHECKOUT_TIMEOUT: Duration = Duration::from_millis(2500);

/// How long a request waits for its answer once it holds such a connection: longer than any statement may take, so
/// that only a database that hangs in the middle is given up. Who has been given up gets no commit ([`Asker`]).
const ANSWER: Duration = Duration::from_secs(35);

/// What each connection is told first. A statement that hangs must not hold its connection, nor a transaction its locks,
/// for ever. The isolation is not the operator's to choose: who has waited for a lock looks again at what is there now.
const SETTINGS: &str = "SET application_name = 'latchkey'; SET statement_timeout = '30s'; SET lock_timeout = '5s'; \
     SET idle_in_transaction_session_timeout = '30s'";
const ISOLATION: &str = "SET default_transaction_isolation = 'read committed'";

/// So many statements stay prepared on a connection; then another one takes its place. Each can take half a megabyte of
/// PostgreSQL's memory.
const PREPARED_MAX: usize = 250;

/// Without these libpq waits for a host that has vanished as long as the operating system does, which is minutes.
const TCP_SETTINGS: [(&str, &str); 5] = [
    ("connect_timeout", "2"),
    ("keepalives_idle", "5"),
    ("keepalives_interval", "2"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "10000"),
];

/// Why the service could not start on its database.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Nothing answers at the URL, or it lets nobody in.
    #[error("cannot reach the database at {place}: {reason}")]
    Unreachable {
        /// The URL without its password.
        place: String,
        reason: String,
    },
    /// A migration failed; the database is as it was before that migration.
    #[error("cannot bring the database's tables up to this release: {0}")]
    Migration(String),
}

impl StartError {
    pub(super) fn unreachable(url: &str, fault: &ConnectionError) -> Self {
        let said = fault.to_string().lines().map(str::trim).collect::<Vec<_>>().join(" ");
        Self::Unreachable { place: without_password(url), reason: without_quotes(&said) }
    }
}

/// A pool of connections behind one door.
#[derive(Clone)]
pub struct Database {
    pool: r2d2::Pool<ConnectionManager>,
    /// As many permits as connections, so that waiting requests hold no thread.
    permits: Arc<Semaphore>,
    url: Arc<str>,
}

impl Database {
    /// A pool of at most `connections` connections to the database at `url`. Nothing is connected yet.
    #[must_use]
    pub fn new(url: &str, connections: u32) -> Self {
        let pool = r2d2::Pool::builder()
            .max_size(connections)
            .min_idle(Some(1))
            .connection_timeout(CHECKOUT_TIMEOUT)
            // The first read of each visit shows whether the connection lives, without a round trip of its own.
            .test_on_check_out(false)
            .error_handler(Box::new(LogFault))
            .build_unchecked(ConnectionManager { url: url.to_owned() });
        Self { pool, permits: Arc::new(Semaphore::new(connections as usize)), url: url.into() }
    }

    /// The most connections that it has.
    #[must_use]
    pub fn connections(&self) -> u32 {
        self.pool.max_size()
    }

    /// Another pool, of one connection to the same database, for what must not wait for anything else.
    #[must_use]
    pub fn apart(&self) -> Self {
        Self::new(&self.url, 1)
    }

    /// Does `first_read`, then `work` with what was read, on one connection and off the async workers.
    ///
    /// `first_read` must only read: it is repeated on another connection if the first turns out to be dead.
    ///
    /// # Errors
    /// 503 when no connection answered within 2.5 seconds; otherwise what the two closures return.
    pub async fn run<F, T>(
        &self,
        first_read: impl Fn(&mut PgConnection) -> Result<F> + Send + 'static,
        work: impl FnOnce(&mut PgConnection, F) -> Result<T> + Send + 'static,
    ) -> Result<T>
    where
        F: 'static,
        T: Send + 'static,
    {
        let (_waiting, asker) = Asker::that_waits();
        self.run_for(asker, first_read, work).await
    }

    async fn run_for<F, T>(
        &self,
        asker: Asker,
        first_read: impl Fn(&mut PgConnection) -> Result<F> + Send + 'static,
        work: impl FnOnce(&mut PgConnection, F) -> Result<T> + Send + 'static,
    ) -> Result<T>
    where
        F: 'static,
        T: Send + 'static,
    {
        let deadline = Instant::now() + CHECKOUT_TIMEOUT;
        let permit = self.permit(deadline).await?;
        let pool = self.pool.clone();
        let (reached, until_reached) = oneshot::channel();
        let mut running = Box::pin(web::block(move || {
            let answer = checkout(&pool, deadline.into_std(), first_read).and_then(|(mut checked, found)| {
                // Who has been answered 503 in the meantime will ask again: nothing may happen on their behalf now.
                reached.send(()).map_err(|()| unreachable())?;
                checked.watch(|connection| work(connection, found))
            });
            drop(permit);
            answer
        }));
        tokio::select! {
            biased;
            done = &mut running => return done.map_err(|_| stopping())?,
            reached = timeout_at(deadline, until_reached) => if reached.is_err() { return Err(unreachable()) },
        }
        match timeout_at(Instant::now() + ANSWER, &mut running).await {
            Ok(done) => done.map_err(|_| stopping())?,
            Err(_) if asker.leaves() => Err(unreachable()),
            // The commit is under way: only its end says what to answer.
            Err(_) => running.await.map_err(|_| stopping())?,
        }
    }

    /// Does `work` in one transaction, which an error undoes. That it begins shows whether the connection lives. If the
    /// answer is no longer waited for, because it has been given or the client has gone, nothing is committed. What is
    /// `held` is let go of when the transaction has ended.
    ///
    /// # Errors
    /// As [`Database::run`].
    pub async fn transaction<T: Send + 'static>(
        &self,
        held: impl Send + 'static,
        work: impl FnOnce(&mut PgConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let begin = |connection: &mut PgConnection| Ok(AnsiTransactionManager::begin_transaction(connection)?);
        let (_waiting, asker) = Asker::that_waits();
        let committing = asker.clone();
        self.run_for(asker, begin, move |connection, ()| {
            let _held = held;
            let done =
                work(connection).and_then(|done| if committing.commits() { Ok(done) } else { Err(unreachable()) });
            match done {
                Ok(done) => {
                    AnsiTransactionManager::commit_transaction(connection)?;
                    Ok(done)
                }
                Err(fault) => {
                    // A connection on which even this fails is thrown away.
                    let _ = AnsiTransactionManager::rollback_transaction(connection);
                    Err(fault)
                }
            }
        })
        .await
    }

    /// Does `look`, which only reads, on the thread that calls: for a request that is on a blocking thread already, and
    /// waits for its turn as others do.
    ///
    /// # Errors
    /// 503 when no connection answered within 2.5 seconds; otherwise what `look` returns.
    pub fn look<T>(&self, look: impl Fn(&mut PgConnection) -> Result<T>) -> Result<T> {
        let deadline = Instant::now() + CHECKOUT_TIMEOUT;
        let _permit = Handle::current().block_on(self.permit(deadline))?;
        checkout(&self.pool, deadline.into_std(), look).map(|(_, found)| found)
    }

    /// Does `work` on the thread that calls, for work outside a request: the command line, background tasks.
    ///
    /// # Errors
    /// 503 when no connection could be had; otherwise what `work` returns.
    pub fn blocking<T>(&self, work: impl FnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
        let deadline = std::time::Instant::now() + CHECKOUT_TIMEOUT;
        let (mut checked, ()) = checkout(&self.pool, deadline, ping)?;
        checked.watch(work)
    }

    async fn permit(&self, deadline: Instant) -> Result<OwnedSemaphorePermit> {
        match timeout_at(deadline, Arc::clone(&self.permits).acquire_owned()).await {
            Ok(Ok(permit)) => Ok(permit),
            Ok(Err(_)) => Err(stopping()),
            Err(_) => Err(unreachable()),
        }
    }
}

/// The one who asked for a transaction, as both sides see it: either it is committed, or the asker leaves without.
#[derive(Debug, Clone)]
struct Asker(Arc<AtomicU8>);

impl Asker {
    const WAITS: u8 = 0;
    const GONE: u8 = 1;
    const COMMITS: u8 = 2;

    /// One that leaves when the guard is dropped: with the answer, or with the request, when the client has gone.
    fn that_waits() -> (Waiting, Self) {
        let asker = Self(Arc::new(AtomicU8::new(Self::WAITS)));
        (Waiting(asker.clone()), asker)
    }

    /// No longer waits. False if the commit has begun.
    fn leaves(&self) -> bool {
        self.becomes(Self::GONE)
    }

    /// Begins the commit. False if nobody waits for it.
    fn commits(&self) -> bool {
        self.becomes(Self::COMMITS)
    }

    fn becomes(&self, state: u8) -> bool {
        self.0.compare_exchange(Self::WAITS, state, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

struct Waiting(Asker);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.leaves();
    }
}

/// Asks the database for a sign of life.
///
/// # Errors
/// 503 when there is none.
pub fn ping(connection: &mut PgConnection) -> Result<()> {
    diesel::select(1_i32.into_sql::<diesel::sql_types::Integer>()).execute(connection)?;
    Ok(())
}

/// A connection on which `first_read` has succeeded, or failed for a reason other than the connection's death.
fn checkout<F>(
    pool: &r2d2::Pool<ConnectionManager>,
    deadline: std::time::Instant,
    first_read: impl Fn(&mut PgConnection) -> Result<F>,
) -> Result<(r2d2::PooledConnection<ConnectionManager>, F)> {
    loop {
        let left = deadline.saturating_duration_since(std::time::Instant::now());
        let mut checked = pool.get_timeout(left).map_err(|_| unreachable())?;
        match checked.watch(&first_read) {
            Ok(found) => return Ok((checked, found)),
            Err(_) if checked.broken => {}
            Err(fault) => return Err(fault),
        }
    }
}

/// The `ILIKE` pattern for "contains this text", whatever wildcards the text holds (docs/design.md §5: `q`).
#[must_use]
pub fn containing(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

fn unreachable() -> Error {
    Error::unavailable("The database does not answer; try again soon")
}

fn stopping() -> Error {
    Error::unavailable("The service is stopping; try again soon")
}

/// Takes a lock by its number until the transaction's end, or answers that somebody has it. It never waits.
pub(crate) fn try_lock(connection: &mut PgConnection, key: i64) -> QueryResult<bool> {
    let lock = sql::<Bool>("pg_try_advisory_xact_lock(").bind::<BigInt, _>(key).sql(")");
    diesel::select(lock).get_result(connection)
}

/// A connection of its own, for the command line and for migrations.
///
/// # Errors
/// When the database cannot be reached.
pub fn connect(url: &str) -> ConnectionResult<PgConnection> {
    let mut connection = PgConnection::establish(&patient(url))?;
    connection.batch_execute(ISOLATION).map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

/// The connection string with every setting of [`TCP_SETTINGS`] that it does not make itself.
fn patient(url: &str) -> String {
    let is_uri = url.starts_with("postgres://") || url.starts_with("postgresql://");
    TCP_SETTINGS.iter().filter(|(name, _)| !url.contains(name)).fold(url.to_owned(), |url, (name, value)| {
        let separator = match (is_uri, url.contains('?')) {
            (false, _) => " ",
            (true, false) => "?",
            (true, true) => "&",
        };
        format!("{url}{separator}{name}={value}")
    })
}

/// A pooled connection that remembers whether it was seen to be dead.
struct Checked {
    connection: PgConnection,
    broken: bool,
    /// How many statements stay prepared on it.
    prepared: Arc<AtomicUsize>,
}

/// Counts the statements that stay prepared.
struct CountPrepared(Arc<AtomicUsize>);

impl Instrumentation for CountPrepared {
    fn on_connection_event(&mut self, event: InstrumentationEvent<'_>) {
        if matches!(event, InstrumentationEvent::CacheQuery { .. }) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Checked {
    fn watch<T>(&mut self, work: impl FnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
        let answer = work(&mut self.connection);
        self.broken |= answer.as_ref().is_err_and(Error::is_unavailable);
        answer
    }
}

/// How r2d2 makes and judges connections.
struct ConnectionManager {
    url: String,
}

impl r2d2::ManageConnection for ConnectionManager {
    type Connection = Checked;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> std::result::Result<Checked, Self::Error> {
        let mut connection = connect(&self.url).map_err(diesel::r2d2::Error::ConnectionError)?;
        connection.batch_execute(SETTINGS).map_err(diesel::r2d2::Error::QueryError)?;
        let prepared = Arc::new(AtomicUsize::new(0));
        connection.set_instrumentation(CountPrepared(Arc::clone(&prepared)));
        Ok(Checked { connection, broken: false, prepared })
    }

    fn is_valid(&self, checked: &mut Checked) -> std::result::Result<(), Self::Error> {
        diesel::r2d2::R2D2Connection::ping(&mut checked.connection).map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, checked: &mut Checked) -> bool {
        let full = checked.prepared.load(Ordering::Relaxed) > PREPARED_MAX;
        full || checked.broken || AnsiTransactionManager::is_broken_transaction_manager(&mut checked.connection)
    }
}

/// Faults of connecting in the background, said once a fault and without the URL.
#[derive(Debug)]
struct LogFault;

impl r2d2::HandleError<diesel::r2d2::Error> for LogFault {
    fn handle_error(&self, fault: diesel::r2d2::Error) {
        log::warn!("the database cannot be reached: {}", fault.to_string().replace('\n', " "));
    }
}

fn without_password(url: &str) -> String {
    let unnamed = "the given connection string";
    let Some((scheme, rest)) = url.split_once("://") else {
        return unnamed.to_owned();
    };
    // The last one, and in all of the URL: a password that is not percent-encoded can hold anything.
    let after_password = rest.rsplit_once('@').map_or(rest, |(_, after)| after);
    let place = after_password.split_once('?').map_or(after_password, |(place, _)| place);
    if place.contains(['=', '&']) { unnamed.to_owned() } else { format!("{scheme}://{place}") }
}

/// What libpq says of a URL that it does not understand, without the piece of the URL that it quotes.
fn without_quotes(said: &str) -> String {
    let understood = ["connection to server", "could not translate host name"];
    match said.split_once('"') {
        Some((before, _)) if !understood.iter().any(|start| said.starts_with(start)) => {
            format!("{}…", before.trim_end())
        }
        _ => said.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_that_has_vanished_is_not_waited_for_long() {
        let added =
            "connect_timeout=2&keepalives_idle=5&keepalives_interval=2&keepalives_count=3&tcp_user_timeout=10000";
        assert_eq!(patient("postgres://db/x"), format!("postgres://db/x?{added}"));
        assert_eq!(patient("postgresql://db/x?host=/run"), format!("postgresql://db/x?host=/run&{added}"));
        assert_eq!(patient("host=db dbname=x"), format!("host=db dbname=x {}", added.replace('&', " ")));
        assert!(
            patient("postgres://db/x?connect_timeout=9")
                .starts_with("postgres://db/x?connect_timeout=9&keepalives_idle")
        );
    }

    #[test]
    fn either_it_is_committed_or_the_asker_leaves() {
        let (waiting, asker) = Asker::that_waits();
        assert!(asker.commits() && !asker.leaves());
        drop(waiting);
        let (waiting, asker) = Asker::that_waits();
        drop(waiting);
        assert!(!asker.commits());
    }

    #[test]
    fn a_url_is_shown_without_what_is_secret_in_it() {
        for (url, shown) in [
            ("postgres://ada:hunter2@db.example:5432/latchkey?sslpassword=x", "postgres://db.example:5432/latchkey"),
            ("postgres:///latchkey?host=/run/x", "postgres:///latchkey"),
            ("host=db password=hunter2", "the given connection string"),
            ("postgres://ada:hun/ter?2@db.example/latchkey", "postgres://db.example/latchkey"),
            ("postgres://db/latchkey?user=a@b&password=hunter2", "the given connection string"),
        ] {
            assert_eq!(without_password(url), shown);
        }
        assert_eq!(without_quotes("invalid percent-encoded token: \"hunter2%zz\""), "invalid percent-encoded token:…");
        let refused = "connection to server at \"db\", port 1 failed: Connection refused";
        assert_eq!(without_quotes(refused), refused);
    }
}
