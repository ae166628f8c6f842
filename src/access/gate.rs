//! The gate: the one way from a request into the database.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::AUTHORIZATION;
use actix_web::{FromRequest, HttpRequest};
use diesel::prelude::*;

use super::refusals::Refusals;
use super::store::Key;
use super::{Caller, Place, store};
use crate::credential::Secret;
use crate::database::{Database, ping};
use crate::jsonapi::{Error, Result, request_id};
use crate::tokens::Usage;

/// Who stands at the gate: the secret that a request brought, if it has the form of one, and the request's id.
#[derive(Debug, Clone)]
pub struct Visitor {
    secret: Option<Secret>,
    request_id: String,
}

impl Visitor {
    /// Checks that the visitor brought what has the form of a secret, before work is done for a request.
    ///
    /// # Errors
    /// 401 if not.
    pub fn brings_a_secret(&self) -> Result<()> {
        self.secret.as_ref().map(|_| ()).ok_or_else(Error::unauthorized)
    }
}

impl FromRequest for Visitor {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Ok(Self { secret: bearer(request), request_id: request_id(request) }))
    }
}

/// `Authorization: Bearer …` (RFC 6750 §2.1), exactly once.
fn bearer(request: &HttpRequest) -> Option<Secret> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let (header, None) = (headers.next()?, headers.next()) else { return None };
    let (scheme, credentials) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::parse(credentials.trim()))?
}

/// Lets requests in, and counts the use of their tokens.
#[derive(Clone)]
pub struct Gate {
    database: Database,
    usage: Usage,
    refusals: Refusals,
}

impl Gate {
    /// A gate to the database, which tells `usage` of every token that passes.
    #[must_use]
    pub fn new(database: Database, usage: Usage) -> Self {
        Self { database, usage, refusals: Refusals::default() }
    }

    /// Lets the visitor in and does `work`, which only reads.
    ///
    /// # Errors
    /// 401 for every token that is not good, alike; 503 when the database is away; else what `work` returns.
    pub async fn read<T: Send + 'static>(
        &self,
        visitor: Visitor,
        place: Place,
        work: impl FnOnce(&mut PgConnection, &Caller) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        // A text that is no secret is refused without asking the database.
        let secret = visitor.secret.ok_or_else(Error::unauthorized)?;
        let (digest, request_id) = (secret.digest(), visitor.request_id);
        let (usage, refusals) = (self.usage.clone(), self.refusals.clone());
        let path = place.clone();
        let enter = move |connection: &mut PgConnection| store::enter(connection, Key::Digest(&digest), &place);
        self.database
            .visit(enter, move |connection, entry| {
                let entry = entry.ok_or_else(Error::unauthorized)?;
                if let Some(refused) = entry.refusal() {
                    refusals.record(connection, refused, request_id);
                    return Err(Error::unauthorized());
                }
                let caller = entry.into_caller(path, request_id)?;
                usage.record(caller.token);
                work(connection, &caller)
            })
            .await
    }

    /// Lets the visitor in and does `work` in one transaction, which an error undoes. Where `work` waits for a lock,
    /// it goes on with [`Caller::after_waiting`].
    ///
    /// # Errors
    /// As [`Gate::read`].
    pub async fn write<T: Send + 'static>(
        &self,
        visitor: Visitor,
        place: Place,
        work: impl FnOnce(&mut PgConnection, &Caller) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.read(visitor, place, |connection, caller| connection.transaction(|connection| work(connection, caller)))
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
        self.database.visit(work, |_, found| Ok(found)).await
    }

    /// Does `work` in one transaction for anybody, where no token is needed.
    ///
    /// # Errors
    /// 503 when the database is away; else what `work` returns.
    pub async fn write_for_anybody<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut PgConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.database.visit(ping, |connection, ()| connection.transaction(work)).await
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// 503 when it does not.
    pub async fn is_open(&self) -> Result<()> {
        self.read_for_anybody(ping).await
    }
}
