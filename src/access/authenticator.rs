//! Authentication: the one way from a request into the database.

use std::time::Instant;

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use diesel::prelude::*;
use secrecy::{ExposeSecret, SecretString};

use super::known::Known;
use super::shares::{Place, Shares, Turn};
use super::store::Key;
use super::{AuthenticatedBy, Caller, OrganizationRef, Usage, refusals, store};
use crate::connections::Connection;
use crate::credential::{BrowserSecret, Secret};
use crate::database::{Database, ping};
use crate::jsonapi::{Error, Result, request_id};
use crate::sessions;

/// What a request brings to authenticate: a bearer token, if it has the form of a secret, or the cookie of a session.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The token or session; none where nothing has the form of either.
    key: Option<Key>,
    request_id: String,
    /// Whether the request's address has brought too many that are not good.
    doubted: bool,
    /// What the request came on, which may be idle for longer if the token is good.
    connection: Option<Connection>,
}

impl Credentials {
    /// The bearer token of a request.
    #[must_use]
    pub fn bearer(request: &HttpRequest) -> Self {
        Self::new(request, bearer(request).map(|secret| Key::Token(secret.digest())))
    }

    /// The session whose secret came with a request.
    #[must_use]
    pub fn session(request: &HttpRequest, secret: &BrowserSecret) -> Self {
        Self::new(request, Some(Key::Session(secret.digest())))
    }

    fn new(request: &HttpRequest, key: Option<Key>) -> Self {
        Self { key, request_id: request_id(request), doubted: false, connection: Connection::of(request) }
    }

    /// The same from an address that may have brought too many that are not good.
    #[must_use]
    pub fn doubted(self, doubted: bool) -> Self {
        Self { doubted, ..self }
    }

    /// Checks that there is something with the form of a secret, before work is done for a request.
    ///
    /// # Errors
    /// 401 if not.
    pub fn require_secret(&self) -> Result<()> {
        self.key.as_ref().map(|_| ()).ok_or_else(Error::unauthorized)
    }
}

/// `Authorization: Bearer …` (RFC 6750 §2.1) or `Authorization: Basic …` (RFC 7617), exactly once.
fn bearer(request: &HttpRequest) -> Option<Secret> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let (header, None) = (headers.next()?, headers.next()) else { return None };
    let (scheme, credentials) = header.to_str().ok()?.split_once(' ')?;
    match scheme {
        _ if scheme.eq_ignore_ascii_case("bearer") => Secret::parse(credentials.trim()),
        _ if scheme.eq_ignore_ascii_case("basic") => in_place_of_password(credentials.trim()),
        _ => None,
    }
}

/// The secret that is the password, whoever the user is said to be; else the one that is the user's name. Programs that
/// know nothing but user names and passwords send it so. Two different ones are none: nobody can tell which is meant.
fn in_place_of_password(credentials: &str) -> Option<Secret> {
    let decoded = SecretString::from(String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?);
    let (user, password) = decoded.expose_secret().split_once(':')?;
    match (Secret::parse(user), Secret::parse(password)) {
        (Some(one), Some(other)) if one.digest() != other.digest() => None,
        (user, password) => password.or(user),
    }
}

/// Authenticates requests, and counts the use of their tokens.
#[derive(Clone)]
pub struct Authenticator {
    database: Database,
    /// For who asks whether the service can do its work, however much work it has.
    health: Database,
    shares: Shares,
    known: Known,
    usage: Usage,
}

/// What became of a visit to the database.
enum Visit<T, W> {
    Done(T),
    /// The caller has no place now, and the work is still to do.
    Full(Box<Caller>, Option<Turn>, W),
    /// It is not the turn of the caller's list, and the work is still to do.
    NoTurn(Box<Caller>, W),
}

/// What a request reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reads {
    /// Something whose place is known.
    One,
    /// A list, which may take long.
    List,
}

impl Authenticator {
    /// An authenticator for `database` that counts in `usage` every token that authenticates.
    #[must_use]
    pub fn new(database: Database, usage: Usage) -> Self {
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        let (health, shares) = (database.apart(), Shares::of(database.connections(), processors));
        let known = Known::new(database.clone());
        Self { database, health, shares, known, usage }
    }

    /// Authenticates whoever calls and does `work`, which only reads, on one connection: at once if the caller has a place
    /// among those of its share, else as soon as it gets one, when it is authenticated again. A list may have to wait for
    /// its turn as well.
    ///
    /// # Errors
    /// 401 for every token that is not good, alike; 429 where the caller has too much under way; 503 when the database is
    /// away; else what `work` returns.
    pub async fn read<T: Send + 'static>(
        &self,
        credentials: Credentials,
        organization_ref: OrganizationRef,
        reads: Reads,
        work: impl FnOnce(&mut PgConnection, &Caller) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (mut place, mut turn, mut work) = (None, None, work);
        let mut first = true;
        loop {
            let (shares, usage) = (self.shares.clone(), self.usage.clone());
            let visited = self
                .visit(credentials.clone(), organization_ref.clone(), move |connection, caller| {
                    if first {
                        caller.token().into_iter().for_each(|token| usage.record(token));
                    }
                    let list = reads == Reads::List;
                    let turn = if list && turn.is_none() && shares.needs_turn(caller) {
                        let Some(turn) = shares.try_turn(caller) else {
                            return Ok(Visit::NoTurn(Box::new(caller.clone()), work));
                        };
                        Some(turn)
                    } else {
                        turn
                    };
                    // Both are held until the work is done, also if the client goes away in the meantime.
                    let Some(_place) = place.or_else(|| shares.try_enter(caller)) else {
                        return Ok(Visit::Full(Box::new(caller.clone()), turn, work));
                    };
                    let began = Instant::now();
                    let done = work(connection, caller).map(Visit::Done);
                    if list {
                        shares.took(caller, began.elapsed());
                    }
                    drop(turn);
                    done
                })
                .await?;
            match visited {
                Visit::Done(answer) => return Ok(answer),
                Visit::NoTurn(caller, unworked) => {
                    (place, turn, work) = (None, Some(self.shares.turn(&caller).await?), unworked);
                }
                Visit::Full(caller, taken, unworked) => {
                    (place, turn, work) = (Some(self.enter(&caller).await?), taken, unworked);
                }
            }
            first = false;
        }
    }

    /// Finds out who calls, and lets go of the connection. The use of the token is not counted.
    ///
    /// # Errors
    /// 401 for every token that is not good, alike; 503 when the database is away.
    pub async fn authenticate(&self, credentials: Credentials, organization_ref: OrganizationRef) -> Result<Caller> {
        self.visit(credentials, organization_ref, |_, caller| Ok(caller.clone())).await
    }

    /// Waits for a place among those of the caller's share.
    ///
    /// # Errors
    /// 429 where the caller has too much under way.
    pub async fn enter(&self, caller: &Caller) -> Result<Place> {
        self.shares.enter(caller).await
    }

    /// Waits for a place among those of all who need no token.
    ///
    /// # Errors
    /// 429 where they have too much under way.
    pub async fn enter_anonymously(&self) -> Result<Place> {
        self.shares.enter_anonymously().await
    }

    /// Waits for a place among those of all who are signing in.
    ///
    /// # Errors
    /// 429 where they are too many.
    pub async fn enter_to_sign_in(&self) -> Result<Place> {
        self.shares.enter_to_sign_in().await
    }

    /// Does `look`, which only reads, on the blocking thread that calls, for a caller that has a place.
    ///
    /// # Errors
    /// 503 when the database is away; else what `look` returns.
    pub fn look_up<T>(&self, look: impl Fn(&mut PgConnection) -> Result<T>) -> Result<T> {
        self.database.look(look)
    }

    /// Counts a use of the caller's token.
    pub fn record_use(&self, caller: &Caller) {
        caller.token().into_iter().for_each(|token| self.usage.record(token));
    }

    async fn visit<T: Send + 'static>(
        &self,
        credentials: Credentials,
        organization_ref: OrganizationRef,
        work: impl FnOnce(&mut PgConnection, &Caller) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        // A text that is no secret is refused without asking the database.
        let key = credentials.key.ok_or_else(Error::unauthorized)?;
        let request_id = credentials.request_id;
        let (Key::Token(digest) | Key::Session(digest)) = &key else { return Err(Error::unauthorized()) };
        if credentials.doubted && !self.known.is_known(digest).await? {
            return Err(Error::unauthorized());
        }
        let turn = self.shares.enter_with(digest).await?;
        let requested = organization_ref.clone();
        let authenticate =
            move |connection: &mut PgConnection| store::authenticate(connection, &key, &organization_ref);
        self.database
            .run(authenticate, move |connection, found| {
                let found = found.ok_or_else(Error::unauthorized)?;
                if !found.is_good() {
                    if let Some(refused) = found.refused_token() {
                        refusals::record(connection, refused, request_id);
                    }
                    return Err(Error::unauthorized());
                }
                if let AuthenticatedBy::Session(session) = found.by() {
                    sessions::touch(connection, session)?;
                }
                credentials.connection.iter().for_each(Connection::authenticated);
                let caller = found.into_caller(requested, request_id)?;
                // Held so long also if the client goes away in the meantime. The work has its own place.
                drop(turn);
                work(connection, &caller)
            })
            .await
    }

    /// Does `work`, which reads what anybody may know.
    ///
    /// # Errors
    /// 503 when the database is away; else what `work` returns.
    pub async fn read_for_anybody<T: Send + 'static>(
        &self,
        work: impl Fn(&mut PgConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let place = self.enter_anonymously().await?;
        self.database
            .run(work, move |_, found| {
                drop(place);
                Ok(found)
            })
            .await
    }

    /// Does `work` in one transaction, for who has a place, which is held until the transaction has ended.
    ///
    /// # Errors
    /// 503 when the database is away; else what `work` returns.
    pub async fn transaction<T: Send + 'static>(
        &self,
        place: Place,
        work: impl FnOnce(&mut PgConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.database.transaction(place, work).await
    }

    /// Whether the database answers. Asked on a connection of its own, so that a service that has much to do is not taken
    /// for one that cannot do it.
    ///
    /// # Errors
    /// 503 when it does not.
    pub async fn is_open(&self) -> Result<()> {
        self.health.run(ping, |_, ()| Ok(())).await
    }
}
