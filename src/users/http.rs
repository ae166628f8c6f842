//! The caller's own account (`account/details`, `account/update`, `account/password`) and `users/:id`.

use actix_web::http::StatusCode;
use actix_web::web::{Data, Path, ServiceConfig, get, patch, resource};
use actix_web::{HttpRequest, HttpResponse};
use diesel::PgConnection;
use secrecy::ExposeSecret;

use super::view::{self, USERS};
use super::{AccountAttributes, PasswordAttributes, User, password, store};
use crate::access::{Action, Authenticator, BearerToken, Caller, OrganizationRef, Principal, Target};
use crate::audit::{self, Event};
use crate::ids::UserId;
use crate::jsonapi::{Body, Document, Error, Query, QuerySpec, Resource, Result};
use crate::organizations;

pub(crate) const SHOW: QuerySpec = QuerySpec::show(&[&USERS]);

pub fn routes(service: &mut ServiceConfig) {
    service
        .service(resource("/account/details").route(get().to(details)))
        .service(resource("/account/update").route(patch().to(update)))
        .service(resource("/account/password").route(patch().to(change_password)))
        .service(resource("/users/{user}").route(get().to(show)));
}

/// Who the request acts as.
async fn details(
    request: HttpRequest,
    bearer: BearerToken,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, account) = authenticator
        .read(bearer, OrganizationRef::None, move |connection, caller| {
            let query = query?;
            Ok((query, account(connection, caller)?))
        })
        .await?;
    Ok(Document::one(account).respond(&query, &request, StatusCode::OK))
}

fn account(connection: &mut PgConnection, caller: &Caller) -> Result<Resource> {
    match caller.user() {
        Some(user) => Ok(view::own(&store::find(connection, user)?)),
        None => view::service(caller).ok_or_else(Error::not_found),
    }
}

async fn update(
    request: HttpRequest,
    bearer: BearerToken,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, user) = authenticator
        .transaction(bearer, OrganizationRef::None, move |connection, caller| {
            let (caller, user, _) = own(connection, caller)?;
            let query = query?;
            let changes =
                body.resource::<AccountAttributes>(&[USERS.name], &[])?.about(&[&user.id.to_string()])?.attributes;
            let changed = match changes.email {
                Some(email) => user.asking_for(email),
                None => user,
            };
            let changed = User { username: changes.username.unwrap_or(changed.username), ..changed };
            let user = store::update(connection, &changed)?;
            audit::record(connection, &caller.actor(), &[Event::new(None, "user", user.id, "update")])?;
            Ok((query, user))
        })
        .await?;
    Ok(Document::one(view::own(&user)).respond(&query, &request, StatusCode::OK))
}

/// Sets the password. Tokens go on working: a token is no session.
async fn change_password(
    request: HttpRequest,
    bearer: BearerToken,
    body: Body,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, user) = authenticator
        .transaction(bearer, OrganizationRef::None, move |connection, caller| {
            let (caller, user, hash) = own(connection, caller)?;
            let query = query?;
            let body = body.resource::<PasswordAttributes>(&[USERS.name], &["password"])?;
            let wanted = body.about(&[&user.id.to_string()])?.attributes;
            let hash = checked(&wanted, hash.as_deref())?;
            store::set_password(connection, user.id, &hash)?;
            audit::record(connection, &caller.actor(), &[Event::new(None, "user", user.id, "update_password")])?;
            Ok((query, user))
        })
        .await?;
    Ok(Document::one(view::own(&user)).respond(&query, &request, StatusCode::OK))
}

/// The hash of the new password, if the old one and the confirmation are right.
fn checked(wanted: &PasswordAttributes, before: Option<&str>) -> Result<String> {
    let mut faults = vec![];
    if let Some(before) = before {
        let right = match &wanted.current_password {
            Some(current) => password::matches(current, before)?,
            None => false,
        };
        if !right {
            faults.push(Error::attribute("/data/attributes/current_password", "Current password is not right"));
        }
    }
    let new = wanted.password.clone().unwrap_or_default();
    let confirmed = wanted.password_confirmation.as_ref().map(ExposeSecret::expose_secret);
    if confirmed != Some(new.expose_secret()) {
        let detail = "Password confirmation must be the same as password";
        faults.push(Error::attribute("/data/attributes/password_confirmation", detail));
    }
    faults.extend(password::check_length(&new).err());
    Error::check(faults)?;
    password::hash(&new)
}

/// The caller as it stands now, and its own account, locked, with the hash of its password.
fn own(connection: &mut PgConnection, caller: &Caller) -> Result<(Caller, User, Option<String>)> {
    caller.may(Action::ChangeAccount, Target::Organization)?;
    let (user, hash) = store::lock(connection, caller.user().ok_or_else(Error::not_found)?)?;
    Ok((caller.reauthenticated(connection)?, user, hash))
}

/// Users see themselves, whose membership they see, also of an invited user, and as site admins everybody.
async fn show(
    request: HttpRequest,
    bearer: BearerToken,
    path: Path<String>,
    authenticator: Data<Authenticator>,
) -> Result<HttpResponse> {
    let query = Query::of(&request, &SHOW);
    let (query, user) = authenticator
        .read(bearer, OrganizationRef::None, move |connection, caller| {
            let wanted: UserId = path.parse().map_err(|_| Error::not_found())?;
            let query = query?;
            Ok((query, find_visible(connection, caller, wanted)?))
        })
        .await?;
    Ok(Document::one(user).respond(&query, &request, StatusCode::OK))
}

fn find_visible(connection: &mut PgConnection, caller: &Caller, wanted: UserId) -> Result<Resource> {
    let visible = match &caller.principal {
        Principal::User { id, .. } if *id == wanted => return Ok(view::own(&store::find(connection, wanted)?)),
        Principal::User { site_admin: true, .. } => true,
        Principal::User { id, .. } => organizations::shared(connection, *id, caller.token, wanted)?,
        Principal::Team { organization, .. } | Principal::Organization { id: organization, .. } => {
            store::is_in(connection, *organization, wanted)?
        }
        Principal::AuditTrails { .. } | Principal::Workspace { .. } => false,
    };
    if visible { Ok(view::public(&store::find(connection, wanted)?)) } else { Err(Error::not_found()) }
}
