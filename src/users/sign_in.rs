//! Signing in to the console: by a password, or once by a link with which one is set (docs/design.md §4).
//!
//! What is slow, comparing and hashing passwords, needs no connection and no lock; what is compared is held against the row
//! again once that is locked.

use diesel::{OptionalExtension, PgConnection};
use secrecy::SecretString;
use serde_json::json;

use super::{User, password, store};
use crate::access::Caller;
use crate::audit::{self, Actor, Event, Looking};
use crate::credential::{BrowserSecret, Digest};
use crate::ids::{SessionId, UserId};
use crate::jsonapi::{Error, Result};
use crate::sessions::{self, NewSession, Session};

/// Who somebody says to be who signs in, before that is proven.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    user: Option<UserId>,
    /// The hash of the user's password; none if there is no user, or no password.
    hash: Option<String>,
    /// Whether the user has a session that began where this one is to begin.
    pub(crate) known_here: bool,
}

impl Candidate {
    /// The user of a name or an address, for somebody in a network, if that is known.
    ///
    /// # Errors
    /// The database's own. That there is no such user is none.
    pub(crate) fn find(connection: &mut PgConnection, name: &str, network: Option<&str>) -> Result<Self> {
        let Some((user, hash)) = store::by_name_or_address(connection, name)? else {
            return Ok(Self { user: None, hash: None, known_here: false });
        };
        let known = |network| sessions::known_network(connection, user, network);
        Ok(Self { user: Some(user), hash, known_here: network.map(known).transpose()?.unwrap_or_default() })
    }

    /// Whether a password is the user's. It takes as long whether or not there is such a user.
    ///
    /// # Errors
    /// 500 where passwords cannot be hashed.
    pub(crate) fn knows(&self, password: &SecretString) -> Result<bool> {
        Ok(!password::is_too_long(password) && password::matches_any(password, self.hash.as_deref())?)
    }

    /// Tells the trail of a wrong password: once a minute for each user. Of nobody there is no trail.
    ///
    /// # Errors
    /// The database's own.
    pub(crate) fn record_refusal(
        &self,
        connection: &mut PgConnection,
        network: &str,
        request_id: String,
    ) -> Result<()> {
        let Some(user) = self.user else { return Ok(()) };
        let actor = Actor::anybody("sign-in", request_id);
        if audit::told_lately(connection, Looking::RefuseSignIn, user, &actor)? {
            return Ok(());
        }
        let event = Event::of_account(user, Looking::RefuseSignIn.action()).meta(json!({ "network": network }));
        Ok(audit::record(connection, &actor, &[event])?)
    }
}

/// Begins a session for a candidate whose password was right; none if that is not so any more. The session in which the
/// browser is already ends.
///
/// # Errors
/// The database's own.
pub(crate) fn sign_in(
    connection: &mut PgConnection,
    candidate: &Candidate,
    session: impl FnOnce(UserId) -> NewSession,
    instead_of: Option<&Caller>,
    request_id: String,
) -> Result<Option<BrowserSecret>> {
    let Some(id) = candidate.user else { return Ok(None) };
    let Some((user, hash)) = store::lock(connection, id).optional()? else { return Ok(None) };
    if hash != candidate.hash || user.suspended_at.is_some() {
        return Ok(None);
    }
    end_before(connection, instead_of)?;
    let (session, secret) = sessions::start(connection, &session(user.id))?;
    audit::record(connection, &actor(&user, request_id), &[told(&user, &session)])?;
    Ok(Some(secret))
}

/// Ends the session in which a browser was, if it has not ended by itself.
fn end_before(connection: &mut PgConnection, caller: Option<&Caller>) -> Result<()> {
    let Some((caller, before)) = caller.and_then(|caller| Some((caller, caller.session()?))) else { return Ok(()) };
    sign_out(connection, caller, before).or_else(|fault| if fault.is_not_found() { Ok(()) } else { Err(fault) })
}

/// Why there is no link for a user to sign in with.
#[derive(Debug, thiserror::Error)]
pub enum NoLink {
    #[error("there is no user {0:?}")]
    NoUser(String),
    #[error("{0:?} is a service account, as which nobody signs in")]
    ServiceAccount(String),
    #[error("the user {0:?} is disabled")]
    Disabled(String),
    #[error("nobody has come forward as {0:?}: `latchkey user create` with the address that was invited")]
    Unconfirmed(String),
    #[error(transparent)]
    NotMade(#[from] sessions::NotMade),
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
}

/// Makes the link with which a user of this name sets a password; the one before is good no more.
///
/// # Errors
/// When there is no such person, or the user is suspended.
pub(crate) fn make_link(connection: &mut PgConnection, username: &str) -> Result<BrowserSecret, NoLink> {
    let found = store::by_usernames(connection, &[username.to_owned()])?.pop();
    let user = found.ok_or_else(|| NoLink::NoUser(username.to_owned()))?;
    if user.is_service_account() {
        return Err(NoLink::ServiceAccount(user.username));
    }
    if user.suspended_at.is_some() {
        return Err(NoLink::Disabled(user.username));
    }
    if !user.confirmed {
        return Err(NoLink::Unconfirmed(user.username));
    }
    let secret = sessions::make_link(connection, user.id)?;
    audit::record(connection, &Actor::system(), &[user.event("create_sign_in_link")])?;
    Ok(secret)
}

/// The user whom a link is for, while it is good. Looking does not spend it.
///
/// # Errors
/// The database's own.
pub(crate) fn of_link(connection: &mut PgConnection, link: &Digest) -> Result<Option<User>> {
    let Some(id) = sessions::find_link(connection, link)? else { return Ok(None) };
    let user = store::find(connection, id).optional()?;
    Ok(user.filter(|user| user.suspended_at.is_none()))
}

/// Spends a link: sets the password, ends all sessions of the user and the one in which the browser was, and begins one. None
/// if the link is good no more.
///
/// # Errors
/// The database's own.
pub(crate) fn set_password_by_link(
    connection: &mut PgConnection,
    link: &Digest,
    hash: &str,
    session: impl FnOnce(UserId) -> NewSession,
    instead_of: Option<&Caller>,
    request_id: String,
) -> Result<Option<BrowserSecret>> {
    let Some(id) = sessions::find_link(connection, link)? else { return Ok(None) };
    // The user's row first, as whoever changes a user does.
    let Some((user, _)) = store::lock(connection, id).optional()? else { return Ok(None) };
    if user.suspended_at.is_some() || sessions::spend_link(connection, link)? != Some(id) {
        return Ok(None);
    }
    store::set_password(connection, user.id, hash)?;
    sessions::end_others(connection, user.id, None)?;
    end_before(connection, instead_of)?;
    let (session, secret) = sessions::start(connection, &session(user.id))?;
    let events = [Event::of_account(user.id, "update_password"), told(&user, &session)];
    audit::record(connection, &actor(&user, request_id), &events)?;
    Ok(Some(secret))
}

/// Ends a session of the caller's own: the one that calls, or another.
///
/// # Errors
/// 404 if the caller has no such session.
pub(crate) fn sign_out(connection: &mut PgConnection, caller: &Caller, id: SessionId) -> Result<()> {
    let user = caller.user().ok_or_else(Error::not_found)?;
    if !sessions::end(connection, user, id)? {
        return Err(Error::not_found());
    }
    let event = Event::of_account(user, "sign_out").meta(json!({ "session": id }));
    Ok(audit::record(connection, &caller.actor(), &[event])?)
}

/// Compares the password of a caller who is to enter it again.
///
/// # Errors
/// 429 when it was tried too often, 422 if it is not right.
pub(crate) fn confirm(hash: Option<&str>, user: UserId, entered: &SecretString) -> Result<()> {
    password::count_try(user)?;
    if !password::is_too_long(entered) && password::matches_any(entered, hash)? {
        return Ok(());
    }
    Err(Error::attribute("/data/attributes/current_password", "The password is not right"))
}

fn actor(user: &User, request_id: String) -> Actor {
    Actor::client(user.id.to_string(), user.username.clone(), None, request_id)
}

fn told(user: &User, session: &Session) -> Event {
    let meta = json!({"session": session.id, "network": session.network, "agent": session.agent});
    Event::of_account(user.id, "sign_in").meta(meta)
}
