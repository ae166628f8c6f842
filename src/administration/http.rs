//! `admin/users`: the administration API of Terraform Enterprise, for site admins.

use std::collections::BTreeSet;

use diesel::PgConnection;
use serde_json::json;

use super::store::{self, Place, Wanted};
use super::{change, view};
use crate::access::{Action, Caller, Target};
use crate::database::page::sort_keys;
use crate::http::{Allowed, Read, Reply, Route, Section, Write};
use crate::ids::{OrganizationId, UserId};
use crate::jsonapi::schema::{document, null, one_of};
use crate::jsonapi::{Document, Error, MEDIA_TYPE, PageInfo, Pages, Query, QuerySpec, Resource, Result, Search};
use crate::organizations::{self, ORGANIZATIONS};
use crate::users::{USERS, User};

const LIST: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: sort_keys!(User),
    default_sort: "username",
    q: Search::Text,
    filters: &["admin", "suspended"],
    include: &["organizations"],
    ..QuerySpec::show(&[&USERS, &ORGANIZATIONS])
};
const SHOW: QuerySpec = QuerySpec::show(&[&USERS]);

/// The most organizations of each user of a list, and of one user, that an answer names.
const PLACES_IN_LIST: i64 = 20;
const PLACES: i64 = 100;

/// `meta.created-tokens`.
const CREATED_TOKENS: &str = "created-tokens";

/// The endpoints of administration.
pub(crate) fn section() -> Section {
    Section {
        tag: "administration",
        about: "All users of the installation, for site admins",
        endpoints: vec![
            Route::get("/admin/users", "listUsers", "List all users")
                .details("With numbered pages, `meta.status-counts` tells how many users there are in all.")
                .filters(&LIST, wanted)
                .values("filter[admin]", one_of(&["true", "false"]))
                .values("filter[suspended]", one_of(&["true", "false"]))
                .means("q", "Only those whose name or address holds this text, in any case")
                .lists(&USERS)
                .allows(&[Action::ListUsers])
                .read(list),
            Route::delete("/admin/users/{user}", "deleteUser", "Delete a user, with the user's tokens")
                .details(
                    "Memberships end; name and address are free. `meta.created-tokens` lists live tokens of teams, \
                     service accounts, organizations and workspaces that this person has made: at most 100, and how many there are. \
                     Terraform Enterprise answers 204, without a body.",
                )
                .query(&QuerySpec::NONE)
                .unprocessable()
                .gives(MEDIA_TYPE, document(null(), &[]))
                .allows(&[Action::ChangeUsers])
                .write(|call| change(call, delete)),
            Route::post(
                "/admin/users/{user}/actions/suspend",
                "suspendUser",
                "Refuse a user's tokens for the time being",
            )
            .details(
                "Memberships stay, and do not count meanwhile. `meta.created-tokens` is that of a deletion. 400 if the \
                     user is suspended already.",
            )
            .query(&SHOW)
            .unprocessable()
            .shows(&USERS)
            .allows(&[Action::ChangeUsers])
            .write(|call| change(call, suspend)),
            Route::post(
                "/admin/users/{user}/actions/unsuspend",
                "unsuspendUser",
                "Take a suspended user's tokens again",
            )
            .details("400 if the user is not suspended.")
            .query(&SHOW)
            .shows(&USERS)
            .allows(&[Action::ChangeUsers])
            .write(|call| change(call, unsuspend)),
            Route::post("/admin/users/{user}/actions/grant_admin", "grantAdmin", "Make a user a site admin")
                .details("400 if the user is one already, 422 for a service account.")
                .query(&SHOW)
                .unprocessable()
                .shows(&USERS)
                .allows(&[Action::ChangeUsers])
                .write(|call| change(call, grant_admin)),
            Route::post(
                "/admin/users/{user}/actions/revoke_admin",
                "revokeAdmin",
                "Make a site admin an ordinary user",
            )
            .details("400 if the user is none.")
            .query(&SHOW)
            .unprocessable()
            .shows(&USERS)
            .allows(&[Action::ChangeUsers])
            .write(|call| change(call, revoke_admin)),
        ],
        kinds: vec![],
    }
}

/// Reads the filters of a query, and tells of the faults of both.
fn wanted(query: &Query) -> Result<Wanted> {
    let (admin, suspended) = (query.truth("admin"), query.truth("suspended"));
    Error::check([admin.as_ref().err(), suspended.as_ref().err()].into_iter().flatten().cloned())?;
    Ok(Wanted { admin: admin?, suspended: suspended? })
}

fn list(call: Read<'_, Wanted>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let found = store::list(call.connection, call.input, &call.query)?;
    let ids: Vec<UserId> = found.rows.iter().map(|user| user.id).collect();
    let places = store::places(call.connection, &ids, PLACES_IN_LIST)?;
    let resources = found.rows.iter().map(|user| view::user(user, &places)).collect();
    let included =
        if call.query.includes("organizations") { render(call.connection, &call.caller, &places)? } else { vec![] };
    // Counting reads everything; a cursor's cost must not grow with the list.
    if let PageInfo::Numbered { .. } = found.info {
        let (total, suspended, admin) = store::status_counts(call.connection)?;
        let counts = json!({"total": total, "suspended": suspended, "admin": admin});
        return Ok(call.page(resources, found.info).include(included).meta("status-counts", counts));
    }
    Ok(call.page(resources, found.info).include(included))
}

/// Each of these organizations, once.
fn render(connection: &mut PgConnection, caller: &Caller, places: &[Place]) -> Result<Vec<Resource>> {
    let ids: BTreeSet<OrganizationId> = places.iter().map(|place| place.organization_id).collect();
    let rows = organizations::find_all(connection, &ids.into_iter().collect::<Vec<_>>())?;
    organizations::organizations(connection, caller, &rows)
}

/// Locks the user whom the path names, and makes a change of it.
fn change(call: Write<'_>, make: fn(Allowed<'_>, &User) -> Result<Reply>) -> Result<Reply> {
    let id = call.path("user")?;
    let (call, user) = call.lock(|connection, caller| {
        // Others take no lock on a user.
        caller.may(Action::ChangeUsers, Target::Organization)?;
        change::lock(connection, id)
    })?;
    make(call.may(Target::Organization)?, &user)
}

/// Who is shut out by mistake could not undo it.
fn not_oneself(caller: &Caller, user: &User) -> Result<()> {
    if caller.user() == Some(user.id) {
        let detail = "Site admins do this to each other, and nobody to themselves; the command line does it to anybody";
        return Err(Error::unprocessable(detail));
    }
    Ok(())
}

fn delete(call: Allowed<'_>, user: &User) -> Result<Reply> {
    not_oneself(&call.caller, user)?;
    let made = change::delete(call.connection, &call.caller.actor(), user)?;
    Ok(call.document(Document::none().meta(CREATED_TOKENS, view::created_tokens(user.id, &made))))
}

fn suspend(call: Allowed<'_>, user: &User) -> Result<Reply> {
    not_oneself(&call.caller, user)?;
    let (user, made) = change::suspend(call.connection, &call.caller.actor(), user)?;
    Ok(shown(call, &user)?.meta(CREATED_TOKENS, view::created_tokens(user.id, &made)))
}

fn unsuspend(call: Allowed<'_>, user: &User) -> Result<Reply> {
    let user = change::unsuspend(call.connection, &call.caller.actor(), user)?;
    shown(call, &user)
}

fn grant_admin(call: Allowed<'_>, user: &User) -> Result<Reply> {
    let user = change::grant_admin(call.connection, &call.caller.actor(), user)?;
    shown(call, &user)
}

fn revoke_admin(call: Allowed<'_>, user: &User) -> Result<Reply> {
    not_oneself(&call.caller, user)?;
    let user = change::revoke_admin(call.connection, &call.caller.actor(), user)?;
    shown(call, &user)
}

fn shown(call: Allowed<'_>, user: &User) -> Result<Reply> {
    let places = store::places(call.connection, &[user.id], PLACES)?;
    Ok(call.one(view::user(user, &places)))
}
