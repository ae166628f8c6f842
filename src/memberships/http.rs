//! `organizations/:name/organization-memberships`, `organization-memberships` and `organization-memberships/:id`.

use std::collections::{BTreeSet, HashMap};

use diesel::PgConnection;
use serde_json::{Value, json};

use super::store::{self, Addresses, MembershipList};
use super::view;
use super::{InvitationAttributes, ServiceAccountAttributes, end, invite, schema, service_account};
use crate::access::{Action, Caller, Permit, Target};
use crate::database::page::sort_keys;
use crate::http::{Endpoint, Identifiers, OneResource, Read, Reply, Route, Section, Write};
use crate::ids::{MembershipId, OrganizationId, TeamId, UserId};
use crate::jsonapi::schema::one_of;
use crate::jsonapi::{Compound, Document, Error, Pages, Query, QuerySpec, ResourceBody, Result, Search};
use crate::organizations;
use crate::teams::{self, TEAMS, Team, members};
use crate::users::{self, MEMBERSHIPS, Membership, MembershipStatus, USERS, User};

const SHOW: QuerySpec = QuerySpec { include: &["user", "teams"], ..QuerySpec::show(&[&MEMBERSHIPS, &USERS, &TEAMS]) };
/// Shipped clients look for the user in the answer, without asking for it.
const INVITE: QuerySpec = QuerySpec { included: &["user"], ..SHOW };
const OWN: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: &["created-at", "status"],
    default_sort: "created-at",
    include: &["user"],
    ..SHOW
};
const OF_TEAM: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: sort_keys!(Membership),
    default_sort: "created-at",
    filters: &["status", "is_service_account"],
    ..SHOW
};
const LIST: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: sort_keys!(Membership),
    default_sort: "created-at",
    q: Search::Text,
    filters: &["status", "email"],
    ..SHOW
};

const SERVICE_ACCOUNTS: QuerySpec = QuerySpec {
    pages: Pages::Both,
    sort: &["created-at", "username"],
    default_sort: "created-at",
    q: Search::Text,
    ..QuerySpec::show(&[&USERS])
};
const SHOW_ACCOUNT: QuerySpec = QuerySpec::show(&[&USERS]);

const INVITATION: OneResource<InvitationAttributes> = OneResource::new(&[MEMBERSHIPS.name])
    .requires(&["email"])
    .long()
    .related(|sends| sends.related_to_many("teams", TEAMS.name));
const SERVICE_ACCOUNT: OneResource<ServiceAccountAttributes> = OneResource::new(&[USERS.name]).requires(&["username"]);
const IDS: Identifiers = Identifiers(&[MEMBERSHIPS.name]);

/// The endpoints of memberships.
pub(crate) fn section() -> Section {
    Section {
        tag: "memberships",
        about: "Users in organizations: invited, then active",
        endpoints: [of_organizations(), of_service_accounts(), of_teams()].into_iter().flatten().collect(),
        kinds: vec![schema::membership()],
    }
}

fn of_organizations() -> Vec<Endpoint> {
    let many = "/organizations/{organization}/organization-memberships";
    let one = "/organization-memberships/{membership}";
    vec![
        Route::get(many, "listMembers", "List an organization's members")
            .query(&LIST)
            .values("filter[status]", schema::status())
            .lists(&MEMBERSHIPS)
            .allows(&[Action::SeeMembers])
            .read(list),
        Route::post(many, "inviteMember", "Invite an address, and into teams")
            .details(
                "Latchkey sends no mail; the user accepts by a request. Without `include` the answer includes the user.",
            )
            .query(&INVITE)
            .body(INVITATION)
            .prepare(|_, body| invite::Invitation::of(body))
            .creates(&MEMBERSHIPS)
            .allows(&[Action::InviteMembers, Action::InviteWithoutTeam])
            .write(invite_member),
        Route::get("/organization-memberships", "listOwnMemberships", "List the caller's own memberships")
            .details("Also those that wait for acceptance.")
            .query(&OWN)
            .lists(&MEMBERSHIPS)
            .read(list_own),
        Route::get(one, "showMembership", "Show a membership")
            .query(&SHOW)
            .shows(&MEMBERSHIPS)
            .allows(&[Action::SeeOwnMembership, Action::SeeMembers])
            .read(show),
        Route::delete(one, "deleteMembership", "End a membership")
            .details(
                "The user's rights end at once, in every team. Who is invited declines by it. A service account ends \
                 with its membership, and so do its tokens.",
            )
            .query(&QuerySpec::NONE)
            .allows(&[Action::AnswerInvitation, Action::RemoveMembers, Action::HandleServiceAccounts])
            .also_invited()
            .write(destroy),
        Route::post(
            "/organization-memberships/{membership}/actions/accept",
            "acceptInvitation",
            "Accept an invitation",
        )
        .query(&SHOW)
        .shows(&MEMBERSHIPS)
        .allows(&[Action::AnswerInvitation])
        .also_invited()
        .write(accept),
    ]
}

fn of_service_accounts() -> Vec<Endpoint> {
    let path = "/organizations/{organization}/service-accounts";
    vec![
        Route::get(path, "listServiceAccounts", "List an organization's service accounts")
            .query(&SERVICE_ACCOUNTS)
            .means("q", "Only those whose name holds this text, in any case")
            .lists(&USERS)
            .allows(&[Action::SeeMembers])
            .read(list_service_accounts),
        Route::post(path, "createServiceAccount", "Make a service account: a user who is a program")
            .details(
                "It is in this organization alone, and nobody signs in as it. Its rights are those of the teams that it \
                 is put into. It has no token at first: see `users/:id/authentication-tokens`.",
            )
            .query(&SHOW_ACCOUNT)
            .body(SERVICE_ACCOUNT)
            .creates(&USERS)
            .allows(&[Action::HandleServiceAccounts])
            .write(create_service_account),
    ]
}

fn of_teams() -> Vec<Endpoint> {
    let path = "/teams/{team}/relationships/organization-memberships";
    vec![
        Route::get(path, "listTeamMembers", "List the members of a team")
            .query(&OF_TEAM)
            .values("filter[status]", schema::status())
            .values("filter[is_service_account]", one_of(&["true", "false"]))
            .lists(&MEMBERSHIPS)
            .allows(&[Action::SeeTeam])
            .read(list_of_team),
        Route::post(path, "addTeamMembers", "Put members into a team")
            .query(&QuerySpec::NONE)
            .body(IDS)
            .allows(&[Action::ChangeTeamMembers])
            .write(add_to_team),
        Route::delete(path, "removeTeamMembers", "Take members out of a team")
            .query(&QuerySpec::NONE)
            .body(IDS)
            .allows(&[Action::ChangeTeamMembers])
            .write(remove_from_team),
    ]
}

fn list(call: Read<'_>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let organization = call.caller.organization()?;
    let seen = call.caller.can(Action::SeeAddresses, Target::Organization);
    let addresses = if seen { Addresses::Seen } else { Addresses::Hidden };
    let found = store::list(call.connection, MembershipList::Organization(organization, addresses), &call.query)?;
    let counts = store::status_counts(call.connection, organization)?;
    let rendered = render(call.connection, &call.caller, &call.query, organization, &found.rows)?;
    let page = call.page(rendered.resources, found.info).include(rendered.included);
    Ok(page.meta("status-counts", status_counts(&counts)))
}

fn status_counts(counts: &[(MembershipStatus, i64)]) -> Value {
    let of = |status| counts.iter().find(|(counted, _)| *counted == status).map_or(0, |(_, count)| *count);
    let (invited, active) = (of(MembershipStatus::Invited), of(MembershipStatus::Active));
    json!({"total": invited + active, "active": active, "invited": invited})
}

fn list_service_accounts(call: Read<'_>) -> Result<Reply> {
    let call = call.may(Target::Organization)?;
    let of = MembershipList::ServiceAccounts(call.caller.organization()?);
    let found = store::list(call.connection, of, &call.query)?;
    let ids: Vec<UserId> = found.rows.iter().map(|row| row.user_id).collect();
    let accounts: HashMap<UserId, User> =
        users::find_all(call.connection, &ids)?.into_iter().map(|user| (user.id, user)).collect();
    let rendered = |row: &Membership| accounts.get(&row.user_id).map(|user| users::service_account(user, row.id));
    let resources = found.rows.iter().filter_map(rendered).collect();
    Ok(call.page(resources, found.info))
}

fn create_service_account(call: Write<'_, ResourceBody<ServiceAccountAttributes>>) -> Result<Reply> {
    let (call, organization) =
        call.lock(|connection, caller| Ok(organizations::hold(connection, caller.organization()?)?.id))?;
    let (mut call, body) = call.may(Target::Organization)?.take_input();
    let username = body.attributes.username.unwrap_or_default();
    let account =
        service_account::create_service_account(call.connection, &call.caller.actor(), organization, &username)?;
    call.check_again(|_, caller| caller.may(Action::HandleServiceAccounts, Target::Organization))?;
    let membership = store::of_user(call.connection, organization, account.id)?;
    Ok(call.one(users::service_account(&account, membership)))
}

/// The memberships of the user who calls, also those that wait for acceptance.
fn list_own(call: Read<'_>) -> Result<Reply> {
    let call = call.permitted(Permit::for_own())?;
    let of = call.caller.user().map_or(MembershipList::Nobody, MembershipList::User);
    let found = store::list(call.connection, of, &call.query)?;
    let resources = found.rows.iter().map(|row| users::membership(row, &call.caller)).collect();
    let own = found.rows.first().filter(|_| call.query.includes("user"));
    let included = match own {
        Some(own) => users::find_all(call.connection, &[own.user_id])?
            .iter()
            .map(|user| view::user(user, own, &call.caller))
            .collect(),
        None => vec![],
    };
    Ok(call.page(resources, found.info).include(included))
}

/// Memberships of one organization, with those of their teams that the caller sees.
fn render(
    connection: &mut PgConnection,
    caller: &Caller,
    query: &Query,
    organization: OrganizationId,
    memberships: &[Membership],
) -> Result<Compound> {
    let ids: Vec<UserId> = memberships.iter().map(|membership| membership.user_id).collect();
    let teams: Vec<(UserId, Team)> = store::teams_of(connection, organization, &ids)?
        .into_iter()
        .filter(|(_, team)| caller.can(Action::SeeTeam, Target::Team(team.facts())))
        .collect();
    let of = |membership: &Membership| -> Vec<TeamId> {
        teams.iter().filter(|(user, _)| *user == membership.user_id).map(|(_, team)| team.id).collect()
    };
    let resources = memberships.iter().map(|row| view::with_teams(row, caller, &of(row))).collect();
    let mut included = vec![];
    if query.includes("user") {
        let of: HashMap<UserId, &Membership> = memberships.iter().map(|row| (row.user_id, row)).collect();
        let users = users::find_all(connection, &ids)?;
        included.extend(users.iter().filter_map(|user| Some(view::user(user, of.get(&user.id)?, caller))));
    }
    if let (true, Some(first)) = (query.includes("teams"), memberships.first()) {
        let mut distinct: Vec<Team> = teams.into_iter().map(|(_, team)| team).collect();
        distinct.sort_by_key(|team| team.id);
        distinct.dedup_by_key(|team| team.id);
        included.extend(teams::render(connection, caller, &first.organization_name, &distinct)?);
    }
    Ok(Compound { resources, included })
}

fn render_one(
    connection: &mut PgConnection,
    caller: &Caller,
    query: &Query,
    membership: &Membership,
) -> Result<Document> {
    let rendered = render(connection, caller, query, membership.organization_id, std::slice::from_ref(membership))?;
    rendered.into_one().ok_or_else(Error::not_found)
}

/// Invites an address, and into teams. Latchkey sends no mail; the user accepts by a request.
fn invite_member(call: Write<'_, invite::Invitation>) -> Result<Reply> {
    let (mut call, teams) = call.lock_named(|connection, _, _, invitation| {
        invitation.map(|invitation| invitation.lock_teams(connection)).transpose()
    })?;
    let permit = call.find(|_, caller| caller.may(Action::InviteMembers, Target::Organization))?;
    let (mut call, invitation) = call.permitted(permit)?.take_input();
    invitation.may(&call.caller)?;
    let membership = invite::invite(call.connection, &call.caller, &invitation, teams.unwrap_or_default())?;
    call.check_again(|_, caller| invitation.may(caller))?;
    let document = render_one(call.connection, &call.caller, &call.query, &membership)?;
    Ok(call.document(document))
}

fn show(mut call: Read<'_>) -> Result<Reply> {
    let id = call.path("membership")?;
    let (membership, permit) = call.find(|connection, caller| find_visible(connection, caller, id))?;
    let call = call.permitted(permit)?;
    let document = render_one(call.connection, &call.caller, &call.query, &membership)?;
    Ok(call.document(document))
}

/// The membership, if it is the caller's or one of an organization whose members the caller sees.
fn find_visible(connection: &mut PgConnection, caller: &Caller, id: MembershipId) -> Result<(Membership, Permit)> {
    let membership = store::find(connection, id)?;
    let own = caller.may(Action::SeeOwnMembership, Target::User(membership.user_id));
    let permit = own.or_else(|_| caller.may(Action::SeeMembers, Target::Organization))?;
    Ok((membership, permit))
}

/// Ends a membership: the user's rights end at once, in every team. The invited decline their own by it.
fn destroy(call: Write<'_>) -> Result<Reply> {
    let id = call.path("membership")?;
    let (mut call, (membership, owners)) = call.lock(|connection, caller| {
        let (membership, _) = find_visible(connection, caller, id)?;
        end::may(caller, &membership)?;
        end::lock(connection, membership)
    })?;
    let permit = call.find(|_, caller| end::may(caller, &membership))?;
    let call = call.permitted(permit)?;
    end::end(call.connection, &call.caller, &membership, &owners)?;
    Ok(call.done())
}

/// The invited user becomes a member.
fn accept(call: Write<'_>) -> Result<Reply> {
    let id = call.path("membership")?;
    let (call, user) = call.lock(|connection, caller| {
        let user = store::find(connection, id)?.user_id;
        caller.may(Action::AnswerInvitation, Target::User(user))?;
        store::lock(connection, id)?;
        Ok(user)
    })?;
    let call = call.may(Target::User(user))?;
    let membership = invite::accept(call.connection, &call.caller, id)?;
    let document = render_one(call.connection, &call.caller, &call.query, &membership)?;
    Ok(call.document(document))
}

fn list_of_team(mut call: Read<'_>) -> Result<Reply> {
    let id = call.path("team")?;
    let (team, _) = call.find(|connection, _| Ok(teams::find(connection, id)?))?;
    let call = call.may(Target::Team(team.facts()))?;
    let found = store::list(call.connection, MembershipList::Team(team.organization_id, team.id), &call.query)?;
    let rendered = render(call.connection, &call.caller, &call.query, team.organization_id, &found.rows)?;
    Ok(call.page(rendered.resources, found.info).include(rendered.included))
}

fn add_to_team(call: Write<'_, Vec<String>>) -> Result<Reply> {
    let id = call.path("team")?;
    let (call, (team, _)) = call.lock(|connection, _| Ok(teams::lock(connection, id)?))?;
    let call = call.may(Target::Team(team.facts()))?;
    let users = named(call.connection, team.organization_id, &call.input)?;
    members::put_in(call.connection, &call.caller, &team, &users)?;
    Ok(call.done())
}

fn remove_from_team(call: Write<'_, Vec<String>>) -> Result<Reply> {
    let id = call.path("team")?;
    let (call, (team, _)) = call.lock(|connection, _| Ok(teams::lock(connection, id)?))?;
    let call = call.may(Target::Team(team.facts()))?;
    let users = named(call.connection, team.organization_id, &call.input)?;
    members::take_out(call.connection, &call.caller, &team, &users)?;
    Ok(call.done())
}

/// The users of an organization's memberships, ordered by id, so that requests that lock several do it in one order.
fn named(connection: &mut PgConnection, organization: OrganizationId, ids: &[String]) -> Result<Vec<UserId>> {
    let parsed: Vec<MembershipId> = ids.iter().filter_map(|id| id.parse().ok()).collect();
    let found = store::find_all(connection, organization, &parsed)?;
    let known: BTreeSet<MembershipId> = found.iter().map(|membership| membership.id).collect();
    let is_known = |id: &String| id.parse().is_ok_and(|id| known.contains(&id));
    let places = ids.iter().enumerate().filter(|(_, id)| !is_known(id));
    Error::check(places.map(|(nth, id)| {
        Error::not_found_at(format!("/data/{nth}/id"), format!("There is no membership {id:?} in this organization"))
    }))?;
    Ok(found.iter().map(|membership| membership.user_id).collect::<BTreeSet<_>>().into_iter().collect())
}
