//! The pool: a connection that answers within a deadline, or 503.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web;
use diesel::connection::{AnsiTransactionManager, TransactionManager};
use diesel::prelude::*;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, timeout_at};

use crate::jsonapi::{Error, Result};

/// How long a request waits until it holds a connection that answers; after that it gets 503.
const CHECKOUT_TIMEOUT: Duration = Duration::from_millis(2500);

/// How long a request waits for its answer once it holds such a connection: longer than any statement may take, so
/// that only a database that hangs in the middle is given up.
const ANSWER: Duration = Duration::from_secs(35);

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
        Self { pool, permits: Arc::new(Semaphore::new(connections as usize)) }
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
        match timeout_at(Instant::now() + ANSWER, running).await {
            Ok(done) => done.map_err(|_| stopping())?,
            Err(_) => Err(unreachable()),
        }
    }

    /// Does `work` in one transaction, which an error undoes. That it begins shows whether the connection lives.
    ///
    /// # Errors
    /// As [`Database::run`].
    pub async fn transaction<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut PgConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let begin = |connection: &mut PgConnection| Ok(AnsiTransactionManager::begin_transaction(connection)?);
        self.run(begin, |connection, ()| match work(connection) {
            Ok(done) => {
                AnsiTransactionManager::commit_transaction(connection)?;
                Ok(done)
            }
            Err(fault) => {
                // A connection on which even this fails is thrown away.
                let _ = AnsiTransactionManager::rollback_transaction(connection);
                Err(fault)
            }
        })
        .await
    }

    /// The same on the thread that calls, for work outside a request: the command line, background tasks.
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

pub(super) fn connect(url: &str) -> ConnectionResult<PgConnection> {
    PgConnection::establish(&patient(url))
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
        // A statement that hangs must not hold its connection, nor a transaction its locks, for ever.
        diesel::connection::SimpleConnection::batch_execute(
            &mut connection,
            "SET application_name = 'latchkey'; SET statement_timeout = '30s'; \
             SET idle_in_transaction_session_timeout = '30s'",
        )
        .map_err(diesel::r2d2::Error::QueryError)?;
        Ok(Checked { connection, broken: false })
    }

    fn is_valid(&self, checked: &mut Checked) -> std::result::Result<(), Self::Error> {
        diesel::r2d2::R2D2Connection::ping(&mut checked.connection).map_err(diesel::r2d2::Error::QueryError)
    }

    fn has_broken(&self, checked: &mut Checked) -> bool {
        checked.broken || AnsiTransactionManager::is_broken_transaction_manager(&mut checked.connection)
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
