//! `organizations`, `organizations/:name` and its `entitlement-set`.

use diesel::PgConnection;

use super::store::{self, Scope};
use super::view::{self, ENTITLEMENT_SETS, ORGANIZATIONS, PROJECTS};
use super::{Included, Organization, OrganizationAttributes, schema, write};
use crate::access::{Action, Caller, OrganizationRef, Permit, Principal, Target};
use crate::database::page::sort_keys;
use crate::http::{OneResource, Read, Reply, Route, Section, Write};
use crate::jsonapi::{Page, Pages, Query, QuerySpec, Resource, ResourceBody, Result, Search};

pub(crate) const LIST: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: sort_keys!(Organization),
    default_sort: "name",
    q: Search::TextOr(&["name", "email"]),
    ..SHOW
};
// Shipped clients ask for the last one. There are no subscriptions, so that adds nothing.
const SHOW: QuerySpec = QuerySpec {
    include: &["entitlement-set", DEFAULT_PROJECT, "subscription"],
    ..QuerySpec::show(&[&ORGANIZATIONS, &ENTITLEMENT_SETS, &PROJECTS])
};
const DEFAULT_PROJECT: &str = "default-project";
const WRITE: QuerySpec = QuerySpec::show(&[&ORGANIZATIONS]);
const SHOW_ENTITLEMENTS: QuerySpec = QuerySpec::show(&[&ENTITLEMENT_SETS]);

const NEW: OneResource<OrganizationAttributes> = OneResource::new(&[ORGANIZATIONS.name]).requires(&["name", "email"]);
const CHANGES: OneResource<OrganizationAttributes> = OneResource::any(&[ORGANIZATIONS.name]);

/// The endpoints of organizations; `projects` makes resources of their default projects.
pub(crate) fn section(projects: Included) -> Section {
    let (many, one) = ("/organizations", "/organizations/{organization}");
    Section {
        tag: "organizations",
        about: "The tenants. An organization's id is its name",
        endpoints: vec![
            Route::get(many, "listOrganizations", "List the organizations that the caller sees")
                .query(&LIST)
                .lists(&ORGANIZATIONS)
                .read(move |call| list(call, projects)),
            Route::post(many, "createOrganization", "Make an organization")
                .details(
                    "Its team `owners` and its default project are made with it, and the caller is the first owner.",
                )
                .query(&WRITE)
                .body(NEW)
                .creates(&ORGANIZATIONS)
                .allows(&[Action::CreateOrganization])
                .write(create),
            Route::get(one, "showOrganization", "Show an organization")
                .query(&SHOW)
                .shows(&ORGANIZATIONS)
                .allows(&[Action::SeeOrganization])
                .read(move |call| show(call, projects)),
            Route::patch(one, "updateOrganization", "Change an organization")
                .query(&WRITE)
                .body(CHANGES)
                .shows(&ORGANIZATIONS)
                .allows(&[Action::UpdateOrganization])
                .write(update),
            Route::delete(one, "deleteOrganization", "Delete an organization")
                .query(&QuerySpec::NONE)
                .allows(&[Action::DeleteOrganization])
                .write(destroy),
            Route::get("/organizations/{organization}/entitlement-set", "showEntitlements", "What it may use")
                .query(&SHOW_ENTITLEMENTS)
                .shows(&ENTITLEMENT_SETS)
                .allows(&[Action::SeeOrganization])
                .read(show_entitlements),
        ],
        kinds: vec![schema::organization(), schema::entitlements()],
    }
}

/// The list holds nothing but what the caller sees.
fn list(call: Read<'_>, projects: Included) -> Result<Reply> {
    let call = call.permitted(Permit::for_own())?;
    let found = seen(call.connection, &call.caller, &call.query)?;
    let resources = view::organizations(call.connection, &call.caller, &found.rows)?;
    let mut included = entitlements(&call.query, &found.rows);
    if call.query.includes(DEFAULT_PROJECT) {
        let ids: Vec<_> = found.rows.iter().map(|row| row.id).collect();
        let callers = call.caller.in_each(call.connection, &ids)?;
        let each: Vec<_> = found.rows.iter().zip(&callers).collect();
        included.extend(projects(call.connection, &each)?);
    }
    Ok(call.page(resources, found.info).include(included))
}

/// A page of the organizations that a caller sees.
///
/// # Errors
/// 400 for a cursor that is none.
pub(crate) fn seen(connection: &mut PgConnection, caller: &Caller, query: &Query) -> Result<Page<Organization>> {
    store::list(connection, scope(caller), query)
}

const fn scope(caller: &Caller) -> Scope {
    match caller.principal {
        Principal::User { site_admin: true, .. } => Scope::All,
        Principal::User { id, .. } => Scope::Of(id, caller.token()),
        Principal::Team { organization, .. } => Scope::Only(organization),
        Principal::Organization { id, .. } => Scope::Only(id),
        Principal::AuditTrails { .. } | Principal::Workspace { .. } => Scope::Nothing,
    }
}

fn entitlements(query: &Query, organizations: &[Organization]) -> Vec<Resource> {
    if query.includes("entitlement-set") { organizations.iter().map(view::entitlements).collect() } else { vec![] }
}

/// Makes an organization and its team `owners`, with the caller as the first owner.
fn create(call: Write<'_, ResourceBody<OrganizationAttributes>>) -> Result<Reply> {
    // Who is suspended at this moment makes no organization whose only owner is suspended.
    let (call, ()) = call.lock(|connection, caller| match caller.user() {
        Some(user) => Ok(store::hold_user(connection, user)?),
        None => Ok(()),
    })?;
    let (mut call, body) = call.may(Target::Organization)?.take_input();
    let organization = write::create(call.connection, &call.caller, body.attributes)?;
    call.check_again(|_, caller| caller.may(Action::CreateOrganization, Target::Organization))?;
    let founder = call.caller.as_owner_of(organization.id);
    Ok(call.one(view::organization(&organization, &founder)))
}

fn show(call: Read<'_>, projects: Included) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let organization = store::find(call.connection, call.caller.organization()?)?;
    let resource = view::organization(&organization, &call.caller);
    let mut included = entitlements(&call.query, std::slice::from_ref(&organization));
    if call.query.includes(DEFAULT_PROJECT) {
        included.extend(projects(call.connection, &[(&organization, &call.caller)])?);
    }
    Ok(call.one(resource).include(included))
}

fn update(call: Write<'_, ResourceBody<OrganizationAttributes>>) -> Result<Reply> {
    let (call, organization) = call.lock(|connection, caller| Ok(store::lock(connection, caller.organization()?)?))?;
    let (call, body) = call.may(Target::Organization)?.take_input();
    let changes = body.about(&[call.path.text("organization"), &organization.name])?.attributes;
    let caller = &call.caller;
    let again = |connection: &mut PgConnection, name: &str| {
        let organization_ref = OrganizationRef::Organization(Some(name.to_owned()));
        let renamed = Caller { organization_ref, ..caller.clone() };
        renamed.reauthenticated(connection)?.may(Action::UpdateOrganization, Target::Organization)
    };
    let organization = write::update(call.connection, caller, organization, changes, again)?;
    let resource = view::organization(&organization, &call.caller);
    Ok(call.one(resource))
}

fn destroy(call: Write<'_>) -> Result<Reply> {
    let (call, organization) =
        call.lock(|connection, caller| Ok(store::lock_for_deletion(connection, caller.organization()?)?))?;
    let call = call.may(Target::Organization)?;
    write::delete(call.connection, &call.caller, &organization)?;
    Ok(call.done())
}

fn show_entitlements(call: Read<'_>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let organization = store::find(call.connection, call.caller.organization()?)?;
    Ok(call.one(view::entitlements(&organization)))
}
