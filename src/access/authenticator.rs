//! Authentication: the one way from a request into the database.

use actix_web::HttpRequest;
use actix_web::http::header::AUTHORIZATION;
use diesel::prelude::*;

use super::refusals::Refusals;
use super::store::Key;
use super::{Caller, OrganizationRef, Usage, store};
use crate::credential::Secret;
use crate::database::{Database, ping};
use crate::jsonapi::{Error, Result, request_id};

/// The bearer token of a request, if it has the form of a secret, and the request's id.
#[derive(Debug, Clone)]
pub struct BearerToken {
    secret: Option<Secret>,
    request_id: String,
}

impl BearerToken {
    /// Looks at the header of a request.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        Self { secret: bearer(request), request_id: request_id(request) }
    }

    /// Checks that there is something with the form of a secret, before work is done for a request.
    ///
    /// # Errors
    /// 401 if not.
    pub fn require_secret(&self) -> Result<()> {
        self.secret.as_ref().map(|_| ()).ok_or_else(Error::unauthorized)
    }
}

/// `Authorization: Bearer …` (RFC 6750 §2.1), exactly once.
fn bearer(request: &HttpRequest) -> Option<Secret> {
    let mut headers = request.headers().get_all(AUTHORIZATION);
    let (header, None) = (headers.next()?, headers.next()) else { return None };
    let (scheme, credentials) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| Secret::parse(credentials.trim()))?
}

/// Authenticates requests, and counts the use of their tokens.
#[derive(Clone)]
pub struct Authenticator {
    database: Database,
    usage: Usage,
    refusals: Refusals,
}

impl Authenticator {
    /// An authenticator for `database` that counts in `usage` every token that authenticates.
    #[must_use]
    pub fn new(database: Database, usage: Usage) -> Self {
        Self { database, usage, refusals: Refusals::default() }
    }

    /// Authenticates the bearer and does `work`, which only reads.
    ///
    /// # Errors
    /// 401 for every token that is not good, alike; 503 when the database is away; else what `work` returns.
    pub async fn read<T: Send + 'static>(
        &self,
        bearer: BearerToken,
        organization_ref: OrganizationRef,
        work: impl FnOnce(&mut PgConnection, &Caller) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        // A text that is no secret is refused without asking the database.
        let secret = bearer.secret.ok_or_else(Error::unauthorized)?;
        let (digest, request_id) = (secret.digest(), bearer.request_id);
        let (usage, refusals) = (self.usage.clone(), self.refusals.clone());
        let requested = organization_ref.clone();
        let authenticate = move |connection: &mut PgConnection| {
            store::authenticate(connection, Key::Digest(&digest), &organization_ref)
        };
        self.database
            .run(authenticate, move |connection, found| {
                let found = found.ok_or_else(Error::unauthorized)?;
                if let Some(refused) = found.refusal() {
                    refusals.record(connection, refused, request_id);
                    return Err(Error::unauthorized());
                }
                let caller = found.into_caller(requested, request_id)?;
                usage.record(caller.token);
                work(connection, &caller)
            })
            .await
    }

    /// Finds out who calls, and lets go of the connection.
    ///
    /// # Errors
    /// As [`Authenticator::read`].
    pub async fn authenticate(&self, bearer: BearerToken, organization_ref: OrganizationRef) -> Result<Caller> {
        self.read(bearer, organization_ref, |_, caller| Ok(caller.clone())).await
    }

    /// Does `work`, which reads what anybody may know.
    ///
    /// # Errors
    /// 503 when the database is away; else what `work` returns.
    pub async fn read_for_anybody<T: Send + 'static>(
        &self,
        work: impl Fn(&mut PgConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.database.run(work, |_, found| Ok(found)).await
    }

    /// Does `work` in one transaction for anybody, where no token is needed.
    ///
    /// # Errors
    /// 503 when the database is away; else what `work` returns.
    pub async fn transaction<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut PgConnection) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        self.database.transaction(work).await
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// 503 when it does not.
    pub async fn is_open(&self) -> Result<()> {
        self.read_for_anybody(ping).await
    }
}
