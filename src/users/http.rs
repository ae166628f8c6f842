//! The caller's own account (`account/details`, `account/update`, `account/password`) and `users/:id`.

use diesel::PgConnection;

use super::account::{self, NewPassword};
use super::view::{self, USERS};
use super::{AccountAttributes, PasswordAttributes, User, schema, store};
use crate::access::{Action, Caller, Permit, Principal, Target};
use crate::http::openapi::Sends;
use crate::http::{BodySpec, OneResource, PathParams, Read, Reply, Route, Section, Write};
use crate::ids::UserId;
use crate::jsonapi::{Body, Error, QuerySpec, Resource, ResourceBody, Result};
use crate::organizations;

const SHOW: QuerySpec = QuerySpec::show(&[&USERS]);
const ACCOUNT: OneResource<AccountAttributes> = OneResource::any(&[USERS.name]);

/// The endpoints of users.
pub(crate) fn section() -> Section {
    Section {
        tag: "users",
        about: "The caller's own account, and other users",
        endpoints: vec![
            Route::get("/account/details", "showAccount", "Who calls")
                .details("A token that is no user's shows a service account in the name of its team or organization.")
                .query(&SHOW)
                .shows(&USERS)
                .read(show_account),
            Route::patch("/account/update", "updateAccount", "Change the own name, or ask for another address")
                .details("A new address is unconfirmed-email until somebody who runs the service confirms it.")
                .query(&SHOW)
                .body(ACCOUNT)
                .shows(&USERS)
                .allows(&[Action::ChangeAccount])
                .write(update_account),
            Route::patch("/account/password", "changePassword", "Set the own password")
                .details("All sessions in the console end. Tokens go on working: a token is no session.")
                .query(&SHOW)
                .body(Password)
                .prepare_for(|preparing, body| Ok((NewPassword::prepare(preparing, &body.attributes)?, body)))
                .shows(&USERS)
                .allows(&[Action::ChangeAccount])
                .write(change_password),
            Route::get("/users/{user}", "showUser", "Another user whom the caller may know")
                .query(&SHOW)
                .shows(&USERS)
                .read(show),
        ],
        kinds: vec![schema::user()],
    }
}

/// A new password. That its confirmation is missing is told together with other faults of it.
struct Password;

impl BodySpec for Password {
    type Parsed = ResourceBody<PasswordAttributes>;

    fn parse(&self, body: &Body, _: &PathParams) -> Result<Self::Parsed> {
        body.resource(&[USERS.name], &["password"])
    }

    fn describe(&self) -> Sends {
        Sends::attributes::<PasswordAttributes>(&[USERS.name]).requires(&["password", "password-confirmation"])
    }
}

/// Who the request acts as.
fn show_account(call: Read<'_>) -> Result<Reply> {
    let call = call.permitted(Permit::for_own())?;
    let account = match call.caller.user() {
        Some(user) => view::own(&store::find(call.connection, user)?),
        None => view::service(&call.caller).ok_or_else(Error::not_found)?,
    };
    Ok(call.one(account))
}

fn update_account(call: Write<'_, ResourceBody<AccountAttributes>>) -> Result<Reply> {
    let (call, own) = call.lock(lock_own)?;
    let (mut call, body) = call.may(Target::Organization)?.take_input();
    let (user, _) = own.ok_or_else(Error::not_found)?;
    let changes = body.about(&[&user.id.to_string()])?.attributes;
    let user = account::update(call.connection, &call.caller, user, changes)?;
    call.check_again(|_, caller| caller.may(Action::ChangeAccount, Target::Organization))?;
    Ok(call.one(view::own(&user)))
}

/// Sets the password. Tokens go on working: a token is no session.
fn change_password(call: Write<'_, (NewPassword, ResourceBody<PasswordAttributes>)>) -> Result<Reply> {
    let (call, own) = call.lock(lock_own)?;
    let (call, (password, body)) = call.may(Target::Organization)?.take_input();
    let (user, before) = own.ok_or_else(Error::not_found)?;
    body.about(&[&user.id.to_string()])?;
    account::change_password(call.connection, &call.caller, &user, before, password)?;
    Ok(call.one(view::own(&user)))
}

/// The caller's own account, locked, with the hash of its password; none if no user calls.
fn lock_own(connection: &mut PgConnection, caller: &Caller) -> Result<Option<(User, Option<String>)>> {
    Ok(caller.user().map(|user| store::lock(connection, user)).transpose()?)
}

/// Users see themselves, whose membership they see, also of an invited user, and as site admins everybody.
fn show(call: Read<'_>) -> Result<Reply> {
    let wanted: UserId = call.path("user")?;
    let call = call.permitted(Permit::for_own())?;
    let user = find_visible(call.connection, &call.caller, wanted)?;
    Ok(call.one(user))
}

fn find_visible(connection: &mut PgConnection, caller: &Caller, wanted: UserId) -> Result<Resource> {
    let visible = match &caller.principal {
        Principal::User { id, .. } if *id == wanted => return Ok(view::own(&store::find(connection, wanted)?)),
        Principal::User { site_admin: true, .. } => true,
        Principal::User { id, .. } => organizations::shared(connection, *id, caller.token(), wanted)?,
        Principal::Team { organization, .. } | Principal::Organization { id: organization, .. } => {
            store::is_in(connection, *organization, wanted)?
        }
        Principal::AuditTrails { .. } | Principal::Workspace { .. } => false,
    };
    if visible { Ok(view::public(&store::find(connection, wanted)?)) } else { Err(Error::not_found()) }
}
